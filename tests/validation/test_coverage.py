"""Coverage of intervals: what is counted, what is called too narrow or too wide, and that every case can be drawn."""

import math

import numpy as np
import pytest

from doxa.metrics import Interval, clopper_pearson
from doxa.validation.coverage import (
    EXACT,
    Case,
    CoverageResult,
    as_findings,
    coverage,
    coverages,
    kinds,
    narrowed,
    registered,
    wald,
)

RARE = dict(kind="share", n=20, planted=0.95, draw=lambda rng: (rng.random(20) < 0.95).astype(float), naive=wald)


def exact(values):
    return clopper_pearson(int(values.sum()), len(values))


def result(**changed):
    fields = dict(kind="k", case="c", n=10, planted=0.5, covered=0.95, low=0.94, high=0.96, missed_below=0.02)
    fields |= dict(missed_above=0.03, width=0.1, repetitions=400, undefined=0, naive=math.nan, wide="", known="")
    return CoverageResult(**(fields | changed))


def test_the_share_covered_is_that_of_the_binomial_distribution():
    """19 or 20 of 20 right: both limits hold .95 in all but the rarest counts, 1.96 standard errors miss 20 of 20."""
    found = coverage(Case(name="n = 20", interval=exact, **RARE), 4000)
    # Clopper-Pearson at n = 20 holds .95 for 17 to 20 right; Wald for 16 to 19, as 20 of 20 gives [1, 1].
    chance = {k: math.comb(20, k) * 0.95**k * 0.05 ** (20 - k) for k in range(21)}
    assert found.covered == pytest.approx(sum(chance[k] for k in range(17, 21)), abs=4 * math.sqrt(0.016 / 4000))
    assert found.naive == pytest.approx(sum(chance[k] for k in range(16, 20)), abs=4 * math.sqrt(0.25 / 4000))
    assert found.missed_above == 0 and found.missed_below == pytest.approx(1 - found.covered)
    assert (found.n, found.undefined, found.repetitions) == (20, 0, 4000)


def test_a_shrunken_interval_is_found_out_and_a_stretched_one_too():
    draw = dict(RARE, planted=0.6, n=200, draw=lambda rng: (rng.random(200) < 0.6).astype(float))
    sound = Case(name="plain", interval=exact, **draw)
    assert coverage(sound, 1000).good
    assert coverage(narrowed(sound, 0.6), 1000).verdict == "too narrow"
    assert coverage(narrowed(sound, 1.8), 1000).verdict == "too wide"


def test_an_interval_that_cannot_be_given_holds_nothing():
    none = Case(name="none", interval=lambda y: Interval(0.5, math.nan, math.nan, len(y), "none"), **RARE)
    found = coverage(none, 200)
    assert (found.covered, found.undefined, found.verdict) == (0, 200, "too narrow") and math.isnan(found.width)


def test_verdicts():
    assert result().verdict == "good"
    assert result(covered=0.92, low=0.88, high=0.945).verdict == "good"  # of 400: may be .94
    assert result(covered=0.92, low=0.90, high=0.935, repetitions=1000).verdict == "too narrow"
    assert result(covered=0.99, low=0.985, high=0.995).verdict == "too wide"
    assert result(covered=0.99, low=0.985, high=0.995, wide=EXACT).verdict == "conservative, exact by design"


def test_samples_do_not_depend_on_which_cases_run():
    share = [c for c in registered() if c.kind == "share"]
    assert coverages(200, cases=share[:2])[1] == coverages(200, cases=share[1:2])[0]
    with pytest.raises(ValueError, match="'shares'; there are: share"):
        coverages(200, ["shares"])


def test_every_kind_has_its_case_and_every_case_can_be_drawn_and_read():
    for case in registered():
        sample = case.draw(np.random.default_rng(0))
        interval = case.interval(sample)
        assert interval.low <= interval.high or math.isnan(interval.low), case.name
    names = [(c.kind, c.name) for c in registered()]
    assert len(set(names)) == len(names)
    assert {"share", "share in groups", "difference of shares, same items", "ECE", "AUROC", "Spearman"} <= set(kinds())


def test_the_page_counts_good_cases():
    found = as_findings([result(), result(covered=0.5, low=0.4, high=0.6)])
    assert found.notes[0].startswith("1 of 2 cases are good") and len(found.tables[0].rows) == 2


@pytest.mark.slow
def test_all_intervals_are_good():
    assert [f"{r.kind}, {r.case}: {r.covered}" for r in coverages(400) if not r.good] == []
