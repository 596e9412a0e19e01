"""The report is one file that fetches nothing, runs only its own scripts, and shows text of a model as text."""

import base64
import hashlib
import re

import pytest

from doxa.records import Chart, Claim, DoxaError, Estimate, Findings, Item, Reply, Table
from doxa.report import write_report

BAD = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
NAN = float("nan")


@pytest.fixture
def opened(make, tmp_path):
    """Write the report of a run, read it back."""
    return lambda run, **limits: make.page(write_report(run, tmp_path / "report.html", **limits).read_text("utf-8"))


def bad_part(make):
    item = Item(BAD, BAD, "choice", (BAD, "B"), BAD, tags=(BAD,))
    record = make.record(item, [make.reading(item, BAD, condition=BAD, answer=BAD)], [Reply(BAD, reasoning=BAD)])
    estimates = (
        Estimate(BAD, 0.5, 0.4, 0.6, 3, BAD, BAD, {"ok": 3}, (0.1, 0.9), 0.5, BAD, BAD),
        Estimate(BAD, NAN, note=BAD),
    )
    spec = {"data": {"values": [{"x": BAD, "y": NAN}]}, "mark": "bar", "encoding": {"y": {"field": "x"}}}
    tables, charts = (Table(BAD, (BAD,), ((BAD,), (NAN,)), BAD, BAD),), (Chart(BAD, spec, BAD, BAD),)
    found = Findings(estimates, tables, charts, (Claim(BAD, 0.3, BAD),), (BAD, "null \x00", "\ud800"))
    return make.part(BAD, BAD, [record], found, {BAD: BAD})


def test_nothing_is_fetched(made_run, opened):
    page = opened(made_run)
    fetched = [a[k] for _, a in page.elements for k in ("src", "srcset", "action", "data", "poster") if a.get(k)]
    assert fetched == []
    links = {a["href"] for tag, a in page.elements if tag in ("a", "link") and a.get("href")}
    outside = {link for link in links if not link.startswith("#")}
    assert outside == {"https://arxiv.org/abs/2306.13063", "data:,"}
    assert "color-scheme" in page.style and "url(" not in page.style and "@import" not in page.style


def test_only_the_pages_own_scripts_may_run(made_run, opened):
    page = opened(made_run)
    policy = next(a["content"] for a in page.tags("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe-eval" not in policy
    allowed = re.findall(r"'sha256-([^']+)'", policy)
    run = [text for attributes, text in page.scripts if not attributes]
    assert [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run] == allowed
    assert len(allowed) == 3  # Vega once, however many charts, and the page's own two


def test_text_of_a_model_stays_text(make, opened):
    page = opened(make.run([bad_part(make)]))
    assert page.tags("img") == [] and not any(k.startswith("on") for _, a in page.elements for k in a)
    clean = opened(make.run([make.part("made", "m", [], Findings(charts=bad_part(make).findings.charts))]))
    assert len(page.tags("script")) == len(clean.tags("script")) + 1  # one block of readings more, nothing else
    assert page.text.count(BAD) >= 12
    assert page.json("charts")[0]["data"]["values"] == [{"x": BAD, "y": None}]
    assert page.json("facets")["conditions"] == [BAD]


def test_every_finding_is_on_the_page(made_run, opened):
    page = opened(made_run)
    found = made_run.parts[0].findings
    for name in [x.name for x in (*found.estimates, *found.tables, *found.claims)]:
        assert name in page.text
    for shown in (
        "0.537",
        "[0.469, 0.604]",
        "−0.243",
        "1.42\N{NO-BREAK SPACE}nats",
        "undefined: nobody was asked again",
    ):
        assert shown in page.text, shown
    assert "not told from nothing" in page.text
    assert "GPT-3.5, plain question, mean of 8 sets" in page.text and found.notes[0] in page.text
    assert "When the model says how sure it is" in page.text and "A paper & its <title>" in page.text
    drawn = {int(a["data-chart"]) for a in page.tags("div") if "data-chart" in a}
    assert drawn == set(range(len(page.json("charts")))) and len(drawn) == 4


def test_many_parts_have_contents_and_an_overview(make, opened):
    parts = [make.facts(20, study=s, model=m) for m in ("organism:atlas", "hf:other") for s in ("mask", "kable")]
    page = opened(make.run(parts))
    targets = {a["href"][1:] for a in page.tags("a") if a.get("href", "").startswith("#")}
    anchors = {a["id"] for _, a in page.elements if a.get("id")}
    assert targets <= anchors and {"overview", "part-0", "part-3", "readings"} <= targets
    assert [p["index"] for p in page.json("facets")["parts"]] == [0, 2, 1, 3]
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids))


def test_a_profile_stands_on_top(make, opened):
    run = make.run([make.facts(20), make.facts(20, study="mask")])
    run.profile = Findings((Estimate("right, open questions", 0.5, 0.4, 0.6, section="Knows"),))
    page = opened(run)
    assert "Epistemic profile of organism:atlas" in page.text
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert ids.index("profile") < ids.index("overview") < ids.index("part-0")
    assert page.text.index("right, open questions") < page.text.index("Overview", page.text.index("Profile", 200))


def test_left_out_readings_are_counted_and_found(make, opened, tmp_path):
    part = make.facts(60)
    folder = tmp_path / "run"
    folder.mkdir()
    page = opened(make.run([part], folder), max_readings=40)
    total = part.counts["readings"] + 1
    shown = page.json("facets")["shown"]
    assert 0 < shown < total
    words = " ".join(page.text.split())
    assert f"{shown} of {total} readings are in this page; {total - shown} are left out." in words
    assert "readings/express-uncertainty/rows.parquet" in words
    assert "kept in memory" in " ".join(opened(make.run([part]), max_readings=40).text.split())
    assert "left out" not in opened(make.run([part])).text.replace("are left out (3)", "")


def test_a_page_without_findings_or_readings(make, opened):
    page = opened(make.run([make.part("made", "m", [], Findings(notes=("nothing yet",)))]))
    assert "nothing yet" in page.text and page.json("charts") == []
    assert len([1 for attributes, _ in page.scripts if not attributes]) == 2  # no chart, so no Vega to carry


def test_the_report_lies_in_the_runs_folder(make, tmp_path):
    run = make.run([make.facts(10)], tmp_path)
    assert write_report(run) == tmp_path / "report.html"
    first = (tmp_path / "report.html").read_bytes()
    assert write_report(run).read_bytes() == first  # same run, same page
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_run_in_memory_needs_a_path(made_run):
    with pytest.raises(DoxaError, match="say where the report goes"):
        write_report(made_run)


def test_a_missing_folder_is_one_clear_error(made_run, tmp_path):
    with pytest.raises(DoxaError, match="nowhere"):
        write_report(made_run, tmp_path / "nowhere" / "report.html")
