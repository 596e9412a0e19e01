"""The page's content: small bars, claims, sections, coverage, facts of the run."""

from dataclasses import replace

import pytest

from doxa.records import Claim, Estimate, Findings, Item, Reply, Table
from doxa.report.bars import WIDTH, Scale, bars
from doxa.report.page import page

NAN = float("nan")


def test_proportions_share_one_axis():
    low, high = bars([Estimate("a", 0.0), Estimate("b", 1.0, 0.5, 1.0, null=0.25)], {"b": [0.5]})
    assert low.scale == high.scale == Scale(0, 1) and high.scale.plain
    assert (low.value, high.value) == (6, WIDTH - 6)
    assert high.interval == (90, 174) and high.null == 48 and high.published == (90,)
    assert low.interval is None and low.null is None


def test_differences_share_an_axis_even_around_zero():
    small, large = bars([Estimate("a", -0.03, -0.05, 0.01), Estimate("b", 0.3, -0.1, 0.41)], {})
    assert small.scale == large.scale == Scale(-0.5, 0.5)  # 0.41, rounded up to 1, 2, 5
    assert small.scale.at(0) == WIDTH / 2 and small.scale.labels == ("−0.5", "0.5")


def test_other_quantities_have_their_own_axis():
    nats, elo = bars([Estimate("a", 1.4, 1.1, 1.8), Estimate("b", -1200.0)], {})
    assert (nats.scale, elo.scale) == (Scale(0, 2), Scale(-2000, 0))


def test_a_value_that_rounding_left_beside_zero_has_an_axis():
    [bar] = bars([Estimate("a", -1e-17)], {})
    assert bar is not None and bar.scale.plain and bar.value == bar.scale.at(0)
    [tiny] = bars([Estimate("a", -1e-9)], {})
    assert tiny is not None and tiny.scale.low < 0 < tiny.scale.high


def test_undefined_and_infinite_have_no_bar():
    assert bars([Estimate("a", NAN, null=0.5), Estimate("b", float("inf"))], {}) == [None, None]
    [bar] = bars([Estimate("a", 0.5, NAN, float("inf"), null=NAN, bounds=(NAN, 1.0))], {"a": [NAN]})
    assert (bar.interval, bar.null, bar.bounds, bar.published) == (None, None, None, ())


@pytest.mark.parametrize(
    ("published", "verdict"),
    [(0.5, "inside the interval"), (0.7, "above the interval"), (0.2, "below the interval")],
)
def test_claims_say_where_the_published_figure_lies(make, published, verdict):
    found = Findings((Estimate("ece", 0.45, 0.4, 0.5),), claims=(Claim("ECE", published, "there", 0.45, "ece"),))
    [claim] = page(make.run([make.part("made", "m", [], found)])).parts[0].claims
    assert claim.verdict == verdict and (claim.measured, claim.interval) == ("0.450", "[0.400, 0.500]")


def test_claims_without_an_estimate_or_a_measurement(make):
    claims = (Claim("a", 0.5, "there"), Claim("b", 0.5, "there", 0.25), Claim("ece", 0.5, "there", 0.3))
    found = Findings((Estimate("ece", 0.45, 0.4, 0.5),), claims=claims)
    a, b, ece = page(make.run([make.part("made", "m", [], found)])).parts[0].claims
    assert (a.measured, a.verdict) == ("–", "not measured")
    assert (b.measured, b.difference, b.verdict) == ("0.250", "−0.250", "")
    assert (ece.measured, ece.interval, ece.verdict) == ("0.300", "", "")  # another value than the estimate's own


def test_findings_are_grouped_by_section(make):
    estimates = (Estimate("a", 0.5, section="Later"), Estimate("b", 0.5), Estimate("c", 0.5, section="Last"))
    found = Findings(estimates, (Table("t", ("x",), ((1,),), section="Last"), Table("u", ("x",), (), section="Alone")))
    sections = page(make.run([make.part("made", "m", [], found)])).parts[0].sections
    names = [(s.title, [r.estimate.name for r in s.estimates], [t.name for t in s.tables]) for s in sections]
    assert names == [("", ["b"], []), ("Later", ["a"], []), ("Last", ["c"], ["t"]), ("Alone", [], ["u"])]


def test_headlines_are_defined_where_there_are_such(make):
    found = Findings((Estimate("undefined", NAN), *(Estimate(name, 0.5) for name in "abcde")))
    view = page(make.run([make.part("made", "m", [], found)])).parts[0]
    assert [r.estimate.name for r in view.headlines] == ["a", "b", "c", "d"]


def test_coverage_counts_every_reading(make):
    part = make.facts(40)
    view = page(make.run([part])).parts[0]
    assert [name for name, _, _ in view.coverage] == ["neutral", "pressured"]
    assert sum(n for _, _, n in view.coverage) == part.counts["readings"] == view.readings == 78
    assert sum(s.readings for s in view.outcomes) == 78 and view.failed == 1
    assert "1 item failed" in view.facts


def test_charts_are_numbered_over_the_whole_page(make):
    built = page(make.run([make.facts(30), make.facts(30, study="mask")]))
    numbers = [k for p in built.parts for k, _ in (*(c for s in p.sections for c in s.charts), p.coverage_chart)]
    assert sorted(numbers) == list(range(len(built.charts))) and len(numbers) == 8
    assert all(built.charts[k] is c for p in built.parts for s in p.sections for k, c in s.charts)


def test_parts_of_one_study_stand_together(make):
    order = [("a", "m1"), ("b", "m1"), ("a", "m2"), ("b", "m2")]
    built = page(make.run([make.part(study, model, [], Findings()) for study, model in order]))
    assert [(p.study, p.model, p.index) for p in built.parts] == [
        ("a", "m1", 0), ("a", "m2", 2), ("b", "m1", 1), ("b", "m2", 3),
    ]  # fmt: skip
    assert built.title == "2 studies on 2 models"


def test_facts_of_the_run(made_run):
    facts = dict(page(made_run).facts)
    assert facts["Model"] == "organism:atlas" and facts["Fingerprint"] == "9f4c2be07715ad03"
    assert facts["Asked"] == "2 March 2026, 09:15 UTC, in 2 min 27 s"
    assert facts["Seed"] == "0 (null: 0)" and facts["Calls"] == "400 (and 12 from the store)"
    assert "Cost" not in facts and "Status" not in facts


def test_an_unfinished_run_says_so(make):
    class Unfinished(make.run):
        @property
        def manifest(self):
            return {**super().manifest, "status": "interrupted", "finished": None, "counts": None, "usage": None}

    facts = dict(page(Unfinished([make.part("made", "m", [], Findings())])).facts)
    assert facts["Status"] == "interrupted: not all items are done" and facts["Asked"] == "2 March 2026, 09:15 UTC"


def test_only_web_pages_are_linked(make):
    class Linked(make.run):
        @property
        def manifest(self):
            manifest = super().manifest
            manifest["studies"][0]["source"]["url"] = "javascript:alert(1)"
            return manifest

    part = page(Linked([make.part("made", "m", [], Findings())])).parts[0]
    assert part.source["url"] == "" and part.source["title"]


def test_one_reading(make):
    item = Item("one", "Q?")
    part = make.part("made", "m", [make.record(item, [make.reading(item, "yes")], [Reply("yes")])], Findings())
    view = page(make.run([replace(part)])).parts[0]
    assert view.read.startswith("100") and view.readings == 1
