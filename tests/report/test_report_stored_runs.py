"""A run as `doxa.runs` stores it: asked, kept, opened again, reported."""

import base64
import gzip
import json
import re
from dataclasses import dataclass

import pytest

from doxa.charts import reliability_chart
from doxa.metrics import reliability
from doxa.models import Model
from doxa.records import Chart, Estimate, Findings, Item, Prompt, Reading, Reply, count_outcomes
from doxa.report import findings_json, write_report
from doxa.runs import Run, run
from doxa.study import Source, Study


@dataclass(frozen=True)
class Options:
    pass


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    truth: str
    correct: bool | None
    confidence: float | None


class Always(Model):
    """Says yes; the server fails on the third question, the fourth is refused."""

    address = "simulated:always"
    capabilities = frozenset({"generate"})
    stored = False

    async def generate(self, prompt, sampling, context=None):
        if "Question 2?" in prompt.show():
            raise ValueError("the server is on fire")
        return [
            Reply("no comment" if "Question 3?" in prompt.show() else "yes <b>0.9</b>", input_tokens=7, output_tokens=2)
        ]


def items(options=None):
    return [Item(f"q{k}", f"Question {k}?", "statement", answer="yes" if k % 2 else "no") for k in range(6)]


async def collect(item, ask, options):
    reply = await ask.generate(Prompt.user(item.text))
    read = reply.text.startswith("yes")
    yield Row(
        item=item.id, text=reply.text, outcome="ok" if read else "refused", truth=item.answer,
        correct=item.answer == "yes" if read else None, confidence=0.9 if read else None,
    )  # fmt: skip


def score(rows, options):
    read = rows.drop_nulls("correct")
    bins = reliability(read["confidence"], read["correct"].cast(int))
    chart: Chart = reliability_chart(bins)
    outcomes = count_outcomes(rows["outcome"].to_list())
    accuracy = Estimate("accuracy", read["correct"].mean(), 0.1, 0.9, len(read), "readings", outcomes=outcomes)
    return Findings((accuracy,), charts=(chart,))


study = Study(
    source=Source("Always yes", 2026, arxiv="0000.00000"), needs={"generate"}, options=Options, row=Row, items=items,
    example=items, collect=collect, score=score, question="Does it say yes?",
)  # fmt: skip


@pytest.fixture
def stored(tmp_path) -> Run:
    run(study, Always(), out=tmp_path / "run", progress=False)
    return Run.open(tmp_path / "run")


def test_report_of_a_stored_run(stored, make):
    page = make.page(write_report(stored).read_text("utf-8"))
    assert stored.folder is not None and (stored.folder / "report.html").exists()
    for shown in ("Does it say yes?", "simulated:always", "5 items · 5 readings · 1 item failed", "0.50 [0.10, 0.90]"):
        assert shown in re.sub(r"\s+", " ", page.text), shown
    assert len(page.json("charts")) == 2
    [block] = [text for attributes, text in page.scripts if attributes.get("class") == "block"]
    records = json.loads(gzip.decompress(base64.b64decode(block)))["records"]
    assert [(r["item"]["id"], r["failed"], len(r["calls"])) for r in records][1:4] == [
        ("q1", False, 1), ("q2", True, 0), ("q3", False, 1),
    ]  # fmt: skip
    assert records[1]["rows"][0]["calls"] == [0]


def test_json_of_a_stored_run(stored):
    found = json.loads(json.dumps(findings_json(stored), allow_nan=False))
    [part] = found["parts"]
    assert part["estimates"][0]["value"] == 0.5 and part["estimates"][0]["outcomes"] == {"ok": 4, "refused": 1}
    assert part["counts"]["failed"] == 1 and found["run"]["status"] == "done"
