"""compare(): a planted difference is found, none is found where there is none, and what would settle it is said."""

import dataclasses
import math

import coin_study
import numpy as np
import pytest
from coin_study import Coin, Options, statements

from doxa.records import DoxaError, Estimate, Findings
from doxa.runs import compare, run


def made(accuracy, name, n=400, first=0, **settings):
    return run(coin_study.study, Coin(accuracy, name=name), items=statements(n)[first:], **settings)


def test_finds_a_planted_difference():
    found = compare(made(0.6, "a"), made(0.8, "b"), metric="accuracy", resamples=200)
    difference = found.estimate("accuracy")
    error = math.sqrt((0.24 + 0.16) / 400)  # of the difference of two independent proportions
    assert difference.value == pytest.approx(0.2, abs=4 * error)
    assert 0 < difference.low < difference.high
    assert difference.high - difference.low == pytest.approx(2 * 1.96 * error, rel=0.25)  # 200 resamples: 5 %
    assert difference.n == 400 and difference.unit == "items" and difference.section == "coin-study"
    assert found.table("Differences").rows[0][-2:] == ("yes", None)


def test_finds_none_where_none_was_planted():
    found = compare(made(0.7, "a"), made(0.7, "b"), metric="coin-study/accuracy", resamples=200)
    difference = found.estimate("accuracy")
    assert difference.low < 0 < difference.high
    settled, items = found.table("Differences").rows[0][-2:]
    half = (difference.high - difference.low) / 2
    assert settled == "no" and items == math.ceil(400 * (half / difference.value) ** 2)
    assert f"about {items:,} common items would settle it" in difference.note


def test_covers_no_difference_about_19_times_in_20():
    # 60 pairs of runs of 40 items: 95 % covered, standard error 2.8 %, so at least 51 of 60 with 3.5 of them
    covered = 0
    for k in range(60):
        found = compare(made(0.7, f"a{k}", 40), made(0.7, f"b{k}", 40), metric="accuracy", resamples=40)
        covered += found.estimate("accuracy").low <= 0 <= found.estimate("accuracy").high
    assert covered >= 51


def test_pairs_only_common_items(tmp_path):
    a = made(0.7, "a", 60, out=tmp_path / "a")
    b = made(0.9, "b", 80, first=20, out=tmp_path / "b")
    found = compare(tmp_path / "a", tmp_path / "b", resamples=20, studies=lambda name: coin_study.study)
    common = [f"s{i}" for i in range(20, 60)]
    rows = [{r["item"]: r["correct"] for r in run.parts[0].rows().to_dicts()} for run in (a, b)]
    expected = np.mean([rows[1][i] for i in common]) - np.mean([rows[0][i] for i in common])
    assert found["accuracy"] == pytest.approx(expected) and found.estimate("accuracy").n == 40
    assert found.notes[0] == "coin-study: 40 common items in 20 groups (of 60 in a, 60 in b)"
    assert {e.name for e in found.estimates} == {"accuracy", "gap", "undefined"}
    assert math.isnan(found["undefined"])


def test_the_same_answers_differ_by_nothing_that_has_an_interval():
    found = compare(made(0.7, "a"), made(0.7, "a"), metric="accuracy", resamples=40)
    difference = found.estimate("accuracy")
    assert difference.value == 0 and math.isnan(difference.low) and math.isnan(difference.high)
    assert found.table("Differences").rows[0][-2:] == ("unknown", None)


def test_groups_drawn_twice_stay_apart():
    seen = []

    def score(rows, options):
        seen.append(rows)
        return Findings(
            (Estimate("items", float(rows["item"].n_unique())), Estimate("groups", float(rows["group"].n_unique())))
        )

    study = dataclasses.replace(coin_study.study, score=score, published=())
    a, b = (run(study, Coin(name=name), items=statements(21), options=Options(samples=2)) for name in "ab")
    seen.clear()
    compare(a, b, resamples=5)
    assert all(rows["group"].n_unique() == 11 for rows in seen)  # 10 pairs and a single one
    for rows_a, rows_b in zip(seen[::2], seen[1::2], strict=True):
        assert rows_a["item"].to_list() == rows_b["item"].to_list()  # the same draw in both
        assert (rows_a.group_by("item").len()["len"] == 2).all()  # all samples of an item, once


def test_a_statistic_that_fails_on_resamples_has_no_interval():
    def score(rows, options):
        if rows["item"].n_unique() != rows["item"].str.replace("~.*", "").n_unique():
            raise ValueError("an item twice")
        return coin_study.score(rows, options)

    study = dataclasses.replace(coin_study.study, score=score)
    a, b = (run(study, Coin(name=name), items=statements(30)) for name in "ab")
    difference = compare(a, b, metric="accuracy", resamples=10).estimate("accuracy")
    assert math.isfinite(difference.value) and math.isnan(difference.low)


def test_options_that_differ_are_said():
    a, b = made(0.7, "a", 10), made(0.7, "b", 10, options=Options(samples=2))
    assert compare(a, b, resamples=5).notes[1] == "coin-study: option samples is 1 in a, 2 in b"


def test_what_cannot_be_compared_is_said():
    async def collect(item, ask, options):
        async for row in coin_study.collect(item, ask, options):
            yield row

    collect.__module__ = "another"
    a = made(0.7, "a", 10)
    with pytest.raises(DoxaError, match="no study in common: one has coin-study, the other another"):
        compare(a, run(dataclasses.replace(coin_study.study, collect=collect), Coin(), limit=3))
    with pytest.raises(DoxaError, match="no finished item of 'coin-study' in common"):
        compare(a, made(0.7, "b", 20, first=10))
    with pytest.raises(DoxaError, match="no estimate called 'acuracy' in common; they have: accuracy, gap, undefined"):
        compare(a, made(0.7, "b", 10), metric="acuracy")
