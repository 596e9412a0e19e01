"""The cross-walk: planted relations between rungs come back, what was not read is counted, nothing reads as nan."""

import math

import numpy as np
import polars as pl
import pytest

from doxa.metrics.cross_walk import cross_walk

RNG = np.random.default_rng(0)
N = 1500


def table(**confidences):
    """One row per item and rung; the truth is drawn with the first rung's probability."""
    first = next(iter(confidences.values()))
    correct = np.random.default_rng(1).random(len(first)) < first
    return pl.concat(
        pl.DataFrame(
            {"item": [f"i{i}" for i in range(len(c))], "answer": "x", "rung": name, "confidence": c}
        ).with_columns(correct=pl.Series(correct))
        for name, c in confidences.items()
    )


def test_a_planted_relation_comes_back():
    p = RNG.uniform(0.05, 0.75, N)
    walk = cross_walk(table(options=p, words=p + 0.2, noise=RNG.uniform(0, 1, N)), resamples=100)
    words, noise, other = walk.pairs
    assert (words.rung, words.other, words.n) == ("options", "words", N)
    assert words.spearman.value == pytest.approx(1) and words.difference.value == pytest.approx(-0.2)
    assert words.distance.value == pytest.approx(0.2)
    assert abs(noise.spearman.value) < 3 / math.sqrt(N) > abs(other.spearman.value)  # nothing in common: SE 1/sqrt(n)
    calibrated, moved, _ = walk.rungs
    assert calibrated.ece.value < 0.06 and moved.ece.value == pytest.approx(0.2, abs=0.04)  # SE .012
    assert calibrated.auroc == pytest.approx(moved.auroc) and calibrated.accuracy == moved.accuracy
    assert moved.confidence == pytest.approx(calibrated.confidence + 0.2)


def test_by_hand():
    rows = table(a=np.array([0.9, 0.5, 0.1]), b=np.array([0.5, 0.5, 0.5]))
    pair = cross_walk(rows, resamples=50).pairs[0]
    assert math.isnan(pair.spearman.value)  # a constant has no rank
    assert pair.difference.value == pytest.approx(0) and pair.distance.value == pytest.approx(0.8 / 3)


def test_unread_readings_are_counted_and_only_answers_that_both_read_are_compared():
    rows = table(a=np.linspace(0.1, 0.9, 6), b=np.linspace(0.1, 0.9, 6)).with_columns(
        confidence=pl.when((pl.col("rung") == "b") & (pl.col("item") == "i0")).then(None).otherwise("confidence"),
        answer=pl.when((pl.col("rung") == "b") & (pl.col("item") == "i1")).then(pl.lit("y")).otherwise("answer"),
        group=pl.col("item").replace({"i5": "i4"}),
    )
    walk = cross_walk(rows, ["b", "a"], resamples=50)
    assert [(line.rung, line.n, line.unread) for line in walk.rungs] == [("b", 6, 1), ("a", 6, 0)]
    assert walk.pairs[0].n == 4 and walk.pairs[0].rung == "b"
    order = rows.sample(fraction=1, shuffle=True, seed=3)
    again = cross_walk(order, ["b", "a"], resamples=50)
    assert again.pairs[0].difference.value == pytest.approx(walk.pairs[0].difference.value)


def test_nothing_read_is_nan():
    rows = table(a=np.array([0.4, 0.6]), b=np.array([math.nan, math.nan]))
    walk = cross_walk(rows, resamples=50)
    assert walk.rungs[1].unread == 2 and math.isnan(walk.rungs[1].ece.value) and math.isnan(walk.rungs[1].auroc)
    assert walk.pairs[0].n == 0 and math.isnan(walk.pairs[0].spearman.value)


def test_what_is_refused():
    rows = table(a=np.array([0.4, 0.6]))
    with pytest.raises(ValueError, match="no column correct"):
        cross_walk(rows.drop("correct"))
    with pytest.raises(ValueError, match="there are no rows"):
        cross_walk(rows.clear())
    with pytest.raises(ValueError, match="more than once"):
        cross_walk(pl.concat([rows, rows]))
    with pytest.raises(ValueError, match=r"no readings of \['b'\]"):
        cross_walk(rows, ["a", "b"])
    with pytest.raises(ValueError, match="Percent"):
        cross_walk(rows.with_columns(confidence=pl.col("confidence") * 100))
