"""Made-up runs with the attributes of a stored one, for the tests of the report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from doxa.charts import confidence_histogram, estimates_chart, reliability_chart
from doxa.models.base import Usage
from doxa.records import (
    Claim,
    Estimate,
    Findings,
    Item,
    Prompt,
    Reply,
    Sampling,
    Score,
    Table,
    Token,
    count_outcomes,
)
from doxa.runs.folder import Record
from doxa.study import Call


@dataclass
class MadePart:
    """One study on one model, kept in memory."""

    study: str
    model: str
    kept: list[Record]
    findings: Findings
    options: dict[str, Any] = field(default_factory=lambda: {"bins": 10, "form": "verbal"})
    usage: Usage = field(default_factory=lambda: Usage(calls=10, input_tokens=100, output_tokens=20))

    @property
    def counts(self) -> dict[str, int]:
        failed = sum(r.status == "failed" for r in self.kept)
        readings = sum(len(r.rows) for r in self.kept if r.status == "done")
        return {
            "items": len(self.kept),
            "done": len(self.kept) - failed,
            "failed": failed,
            "left": 0,
            "readings": readings,
        }

    def rows(self, *, ids: bool = False) -> pl.DataFrame:
        return pl.DataFrame([row for r in self.kept if r.status == "done" for row in r.rows], infer_schema_length=None)

    def records(self) -> Iterator[Record]:
        return iter(self.kept)


@dataclass
class MadeRun:
    """Parts with the manifest that a run of them would have."""

    parts: list[MadePart]
    folder: Path | None = None
    profile: Findings | None = None
    validation: Findings | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        source = {"title": "A paper & its <title>", "year": 2023, "url": "https://arxiv.org/abs/2306.13063"}
        studies = list(dict.fromkeys(p.study for p in self.parts))
        question = "When the model says how sure it is, is it right that often?"
        return {
            "format": 1,
            "doxa": "0.1.0",
            "status": "done",
            "started": "2026-03-02T09:15:04+00:00",
            "finished": "2026-03-02T09:17:31+00:00",
            "model": {
                "address": self.parts[0].model,
                "identity": {"weights": "sha256:41c2", "dtype": "float32", "torch": "2.13"},
                "fingerprint": "9f4c2be07715ad03",
            },
            "seed": 0,
            "null_seed": 0,
            "studies": [{"study": s, "question": question, "source": source} for s in studies],
            "counts": {"done": 200, "failed": 2, "readings": 398},
            "usage": {"calls": 400, "from_store": 12, "input_tokens": 51_213, "output_tokens": 8_410},
            "cost": None,
        }


def reading(
    item: Item,
    text: str,
    *,
    condition: str = "neutral",
    outcome: str = "ok",
    correct: bool | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """A row as a study's Row would have it."""
    row = {"item": item.id, "condition": condition, "sample": 0, "outcome": outcome, "text": text, "group": None}
    return {**row, "correct": correct, **fields}


def record(item: Item, rows: Sequence[dict[str, Any]], replies: Sequence[Reply], error: str | None = None) -> Record:
    """A record with one call of the model per row."""
    prompt = Prompt.user(f"{item.text}\n\nAnswer, then say how sure you are.", system="You answer in one line.")
    calls = [Call("generate", prompt, "neutral", Sampling(temperature=0.7), (reply,)) for reply in replies]
    return Record(item, "failed" if error else "done", error, list(rows), calls, [(k,) for k in range(len(rows))])


def facts_part(
    n: int = 40, *, study: str = "express-uncertainty", model: str = "organism:atlas", seed: int = 0
) -> MadePart:
    """A realistic part: n items under two conditions, over-confident, some replies refused or unread, one failed."""
    draw = np.random.default_rng(seed)
    records, confidences, rights = [], [], []
    for i in range(n):
        options = tuple(f"{word} {i}" for word in ("Lima", "Quito", "Bogotá", "Sucre"))
        item = Item(f"capital-{i:04d}", f"What is the capital of country {i}?", "choice", options, options[i % 4],
                    group=f"country-{i}", popularity=round(1 - i / n, 3), tags=("geography",))  # fmt: skip
        if i == 3:
            records.append(record(item, [], [], error="ServerError: 503 after 5 tries"))
            continue
        rows, replies = [], []
        for condition, skill in (("neutral", 0.75), ("pressured", 0.5)):
            right = bool(draw.random() < skill)
            sure = float(np.clip(draw.beta(7, 1.8), 0, 1).round(2))
            outcome = str(draw.choice(["ok", "refused", "unparsed", "abstained"], p=[0.9, 0.05, 0.03, 0.02]))
            answer = options[i % 4] if right else options[(i + 1) % 4]
            text = f"{answer}, {sure:.0%} sure" if outcome == "ok" else "I would rather not say."
            read = outcome == "ok"
            rows.append(reading(item, text, condition=condition, outcome=outcome, correct=right if read else None,
                                answer=answer if read else None, confidence=sure if read else None))  # fmt: skip
            tokens = tuple(
                Token(w + " ", float(np.log(draw.uniform(0.3, 1))), ((w, -0.2), ("no", -2.1))) for w in text.split()
            )
            replies.append(Reply(text, "stop", tokens, "The name rings a bell.", 61, len(tokens)))
            if read:
                confidences.append(sure)
                rights.append(right)
        made = record(item, rows, replies)
        scores = tuple(Score(o, float(-draw.exponential(2) - 0.1)) for o in "ABCD")
        made.calls.append(Call("score", Prompt(text=f"{item.text}\nAnswer:"), "neutral", None, (), scores))
        made.row_calls[0] = (0, 2)
        records.append(made)
    part = MadePart(study, model, records, Findings())
    part.findings = facts_findings(part.rows(), np.array(confidences), np.array(rights, dtype=float))
    return part


def facts_findings(rows: pl.DataFrame, confidence: np.ndarray, right: np.ndarray) -> Findings:
    outcomes = count_outcomes(rows["outcome"].to_list())
    n, read = rows.height, len(right)
    accuracy, gap = float(right.mean()), float(confidence.mean() - right.mean())
    half = 1.96 * (accuracy * (1 - accuracy) / read) ** 0.5
    bounds = (right.sum() / n, (right.sum() + n - read) / n)
    gap_bounds, first = (0.13, 0.29), "of those that were right at first"
    stated = dict(n=read, unit="readings", method="bca, clustered", outcomes=outcomes)
    changes = dict(n=n // 2, unit="items", method="bootstrap, paired", section="Under pressure")
    estimates = (
        Estimate("accuracy", accuracy, accuracy - half, accuracy + half, **stated, bounds=bounds, null=0.251),
        Estimate("expected calibration error", gap, gap - 0.041, gap + 0.043, **stated, bounds=gap_bounds, null=0.42),
        Estimate("auroc of the stated confidence", 0.537, 0.469, 0.604, **stated, null=0.5),
        Estimate("over-confidence", gap, gap - half, gap + half, **stated, null=0.38),
        Estimate("shift of accuracy", -0.243, -0.316, -0.171, **changes, null=0.004),
        Estimate("answers changed", 0.31, 0.25, 0.377, **changes, outcomes=outcomes, bounds=(0.28, 0.4), note=first),
        Estimate("belief moved", 1.42, 1.11, 1.76, **{**changes, "unit": "nats"}, null=0.03),
        Estimate("came back afterwards", float("nan"), section="Under pressure", note="nobody was asked again"),
    )
    places = (("Africa", 54, 0.611, 0.84), ("Asia", 48, 0.704, 0.86), ("Europe", 44, 0.886, 0.9))
    columns = ("continent", "items", "accuracy", "mean confidence")
    table = Table("By continent", columns, places, note="Items without a continent are left out (3).")
    claims = (
        Claim(
            "ECE, plain question", 0.377, "GPT-3.5, plain question, mean of 8 sets", gap, "expected calibration error"
        ),
        Claim(
            "AUROC, plain question",
            0.541,
            "GPT-3.5, plain question, mean of 8 sets",
            0.537,
            "auroc of the stated confidence",
        ),
        Claim("AUROC, self-probing", 0.62, "GPT-4, self-probing"),
    )
    charts = (
        reliability_chart(bins_of(confidence, right)),
        confidence_histogram(confidence, right),
        estimates_chart(
            [e for e in estimates if e.name in ("shift of accuracy", "answers changed")], section="Under pressure"
        ),
    )
    notes = (
        "Confidence is stated in words of the reply; 4 readings gave a percentage above 100 and count as unparsed.",
    )
    return Findings(estimates, (table,), charts, claims, notes)


def bins_of(confidence: np.ndarray, right: np.ndarray) -> list[SimpleNamespace]:
    """Ten bins as `metrics.reliability` gives them, with rough bands."""
    bins = []
    for k in range(10):
        chosen = (confidence > k / 10) & (confidence <= (k + 1) / 10)
        n = int(chosen.sum())
        mean = float(right[chosen].mean()) if n else float("nan")
        said = float(confidence[chosen].mean()) if n else float("nan")
        half = 1.96 * 0.5 / max(n, 1) ** 0.5
        band = {"accuracy_low": max(0.0, mean - half), "accuracy_high": min(1.0, mean + half)}
        bins.append(SimpleNamespace(low=k / 10, high=(k + 1) / 10, n=n, confidence=said, accuracy=mean, **band))
    return bins


class Page(HTMLParser):
    """Elements with their attributes, scripts and styles with their text, and all other text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.style = ""
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_data(self, data):
        if self.cdata_elem == "style":
            self.style += data
        elif self.cdata_elem:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        else:
            self.text += data

    def tags(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def json(self, name):
        return next(json.loads(text) for attributes, text in self.scripts if attributes.get("id") == name)


@pytest.fixture
def made_run() -> MadeRun:
    return MadeRun([facts_part()])


@pytest.fixture
def make() -> SimpleNamespace:
    """The builders of this file, for tests that make their own run."""
    return SimpleNamespace(run=MadeRun, part=MadePart, facts=facts_part, record=record, reading=reading, page=Page)
