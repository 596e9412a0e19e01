"""Ratings from matchups: unit cases worked out by hand, the planted table, position bias, transitivity."""

import importlib.util
import math

import numpy as np
import polars as pl
import pytest
from pytest import approx

from doxa.metrics import Interval, auroc, selective_auc, spearman
from doxa.metrics import foreseen_matchups as foreseen
from doxa.metrics.matchup_scores import Compared, Rules, averaged, gain, preference_figures
from doxa.metrics.matchup_tables import as_confidence, by_calls, by_set, normalised_gain
from doxa.metrics.matchups import Matchups, by_rank, elo, log_strengths, transitivity, trueskill

RIGHT = [1, 1, 0, 1, 0]
SCORE = [0.9, 0.8, 0.7, 0.6, 0.5]
needs_trueskill = pytest.mark.skipif(importlib.util.find_spec("trueskill") is None, reason="needs trueskill")


def played(*games, n):
    """Games written as (winner, loser, times)."""
    one, other = ([g[k] for g in games for _ in range(g[2])] for k in (0, 1))
    return Matchups.of(one, other, [1.0] * len(one), n)


def shares(matchups, **how):
    strength = np.exp(log_strengths(matchups, **how))
    return strength / strength.sum()


# --- unit cases ------------------------------------------------------------------------------------------------------


def test_areas_of_five_scores():
    assert selective_auc(SCORE, RIGHT) == approx((1 + 1 + 2 / 3 + 3 / 4 + 3 / 5) / 5)
    assert selective_auc([0.5] * 5, RIGHT) == approx(0.6)
    assert selective_auc(SCORE[::-1], RIGHT) == approx(0.3867, abs=5e-5)
    assert selective_auc(RIGHT, RIGHT) == approx(0.87)
    assert auroc(SCORE, RIGHT) == approx(0.8333, abs=5e-5)
    assert normalised_gain(np.array(SCORE), np.array(RIGHT, float)) == approx(0.753, abs=5e-4)
    assert math.isnan(normalised_gain(np.array(SCORE), np.ones(5)))


def test_elo_depends_on_the_order_of_games():
    games = [(0, 1, 1), (1, 2, 1), (0, 2, 1)]
    assert elo(played(*games, n=3), orders=0) == approx([1220.85, 1103.90, 675.25], abs=0.005)
    assert elo(played(*games[::-1], n=3), orders=0) == approx([1341.91, 954.19, 703.90], abs=0.005)
    assert elo(played(games[0], n=2), k=32) == approx([1016, 984])


def test_elo_averages_random_orders_and_repeats_passes():
    games = played((0, 1, 1), (1, 2, 1), (0, 2, 1), n=3)
    assert elo(games, orders=5, seed=1) == approx(elo(games, orders=5, seed=1))
    assert elo(games).sum() == approx(3000)
    assert elo(games, orders=0, passes=2)[0] > elo(games, orders=0)[0]
    tie = Matchups.of([0], [1], [0.5], 3)
    assert elo(tie)[:2] == approx([1000, 1000]) and math.isnan(elo(tie)[2])
    with pytest.raises(ValueError, match="passes is 0"):
        elo(games, passes=0)


def test_bradley_terry():
    assert shares(played((0, 1, 3), (1, 0, 1), n=2), prior=1e-9) == approx([0.75, 0.25], abs=1e-6)
    assert shares(played((0, 1, 3), (1, 0, 1), n=2)) == approx([0.7488, 0.2512], abs=5e-5)
    three = played((0, 1, 3), (1, 0, 1), (0, 2, 4), (1, 2, 3), (2, 1, 1), n=3)
    assert shares(three) == approx([0.7660, 0.1879, 0.0461], abs=5e-5)
    assert shares(three, updates=5) == approx([0.7348, 0.2136, 0.0516], abs=5e-5)
    assert shares(three, updates=3000) == approx(shares(three), abs=1e-6)


def test_bradley_terry_of_players_who_win_everything_or_never_met():
    assert np.isfinite(log_strengths(played((0, 1, 5), (0, 2, 5), n=3))).all()
    apart = log_strengths(played((0, 1, 1), (2, 3, 1), n=5))
    assert apart[:2].sum() == approx(0) and apart[0] > apart[1] and apart[2] > apart[3] and math.isnan(apart[4])
    with pytest.raises(ValueError, match="above 0"):
        log_strengths(played((0, 1, 1), n=2), prior=0)


@needs_trueskill
def test_trueskill():
    assert trueskill(played((0, 1, 1), n=2)) == approx([29.2055, 20.7945], abs=5e-5)
    assert trueskill(played((0, 1, 1), n=2), tau=0)[0] == approx(29.2052, abs=5e-5)
    assert trueskill(played((0, 1, 1), n=2), conservative=True)[0] == approx(29.2055 - 3 * 7.1948, abs=5e-4)
    tie = Matchups.of([0, 0], [1, 2], [0.5, 0.7], 3)
    assert math.isnan(trueskill(tie)[1]) and trueskill(tie)[0] > trueskill(tie)[2]


def test_transitivity_counts_triples_all_of_whose_pairs_were_decided():
    order, circle = [(0, 1, 1), (1, 2, 1), (0, 2, 1)], [(3, 4, 1), (4, 5, 1), (5, 3, 1)]
    assert transitivity(played(*order, n=3)).value == 1
    both = transitivity(played(*order, *circle, n=6))
    assert (both.value, both.n) == (0.5, 2)
    split = transitivity(played(*order, *circle, (5, 4, 1), n=6))  # 4 and 5 beat each other once: no triple
    assert (split.value, split.n) == (1, 1)
    assert transitivity(played(*circle, (5, 4, 2), n=6)).value == 1  # the majority of three games: 5 beat 4
    assert math.isnan(transitivity(played((0, 1, 1), n=2)).value)


@pytest.mark.parametrize("seed", range(3))
def test_coin_tosses_are_transitive_in_three_of_four_triples(seed):
    rng = np.random.default_rng(seed)
    one, other = np.triu_indices(40, 1)
    found = transitivity(Matchups.of(one, other, rng.integers(0, 2, len(one)), 40))
    assert found.n == 9880 and found.value == approx(0.75, abs=0.025)  # sd of one repetition .006
    assert found.low < 0.75 < found.high


def test_matchups_are_checked():
    for wrong, message in (
        (([0], [0], [1.0], 2), "player 0 alone"),
        (([0], [1], [1.5], 2), "in \\[0, 1\\]"),
        (([0], [2], [1.0], 2), "numbered 0 to 1"),
        (([0, 1], [1], [1.0], 2), "."),
    ):
        with pytest.raises(ValueError, match=message):
            Matchups.of(*wrong)
    none = Matchups.of([], [], [], 2)
    assert all(np.isnan(rate(none)).all() for rate in (elo, log_strengths))


def test_ranks_as_confidences():
    assert by_rank([3.0, -1.0, 7.0, 3.0]) == approx([0.5, 0, 1, 0.5])
    assert by_rank([2.0]).tolist() == [0.5]


# --- the planted case ------------------------------------------------------------------------------------------------


def planted(seed, bonus=0.0, order="random", n=250, m=15):
    """Chance of being right, right or not, and m matchups of each of n questions."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.15, 0.99, n)
    i = np.repeat(np.arange(n), m)
    j = np.concatenate([rng.choice(np.delete(np.arange(n), k), m, replace=False) for k in range(n)])
    first = {"random": rng.random(n * m) < 0.5, "index": i < j, "drawing": np.ones(n * m, bool)}[order]
    one, other = np.where(first, i, j), np.where(first, j, i)
    z = foreseen.logit(chance)
    won = rng.random(n * m) < foreseen.sigmoid((z[one] - z[other]) / 0.7 + bonus)
    return chance, rng.random(n) < chance, Matchups.of(one, other, won, n)


@pytest.mark.parametrize("seed", range(4))
def test_strengths_follow_planted_chances(seed):
    chance, right, games = planted(seed)
    strength = log_strengths(games)
    assert spearman(strength, chance) > 0.94  # mean of 300 repetitions .961, sd .005
    assert selective_auc(strength, right) == approx(selective_auc(chance, right), abs=0.03)
    assert spearman(elo(games, k=32, orders=0), chance) == approx(0.950, abs=0.024)  # sd .006
    assert spearman(elo(games, orders=0), chance) == approx(0.853, abs=0.072)  # K = 400, one pass: sd .018
    assert spearman(elo(games), chance) > 0.93
    assert games.won.mean() == approx(0.5, abs=0.04)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("order", "low", "high"), [("random", 0.915, 1), ("drawing", 0.92, 1), ("index", 0.79, 0.90)])
def test_a_habit_of_place_hurts_where_one_question_is_always_first(order, low, high, seed):
    chance, _, games = planted(seed, bonus=1.5, order=order)
    assert low < spearman(log_strengths(games), chance) < high
    assert games.won.mean() == approx(0.68, abs=0.06 if order == "index" else 0.03)  # sd .02 and .01


def test_the_foreseen_noise_of_strengths_is_that_of_the_fit():
    chance, _, games = planted(0, n=100, m=10)
    true = foreseen.logit(chance) / 0.7
    drawn = foreseen.strength_draws(true, games.one, games.other)
    rng, fits = np.random.default_rng(1), []
    for _ in range(30):
        won = rng.random(len(games.won)) < foreseen.sigmoid(true[games.one] - true[games.other])
        fits.append(log_strengths(Matchups.of(games.one, games.other, won, 100)))
    middle = np.abs(true) < 2  # at the ends the fit is skew
    slope = np.polyfit(true[middle], np.mean(fits, axis=0)[middle], 1)[0]  # small samples stretch the whole scale
    assert 1 < slope < 1.25
    assert np.std(fits, axis=0)[middle].mean() / slope == approx(drawn.std(axis=0)[middle].mean(), rel=0.1)


# --- ways compared ---------------------------------------------------------------------------------------------------


def compared(**how):
    """Three questions, of which the third is wrong; 0 beats 1 and 2, 1 beats 2, in both orders but for one."""
    said = [(0, "A", 0.9), (1, "B", 0.3), (2, "A", 0.6), (3, None, None)]
    stated = zip("abc", (0.9, 0.5, 0.9), strict=True)
    rows = [
        *({"item": i, "condition": "answer", "answer": "A", "confidence": c} for i, c in stated),
        *({"item": "a", "condition": "sample", "sample": k, "answer": x, "confidence": c} for k, x, c in said),
        {"item": "a", "condition": "matchup", "opponent": "b", "first": True, "preferred": 1.0},
        {"item": "a", "condition": "matchup", "opponent": "b", "first": False, "preferred": 0.0},
        {"item": "b", "condition": "matchup", "opponent": "c", "first": True, "preferred": 1.0},
        {"item": "b", "condition": "matchup", "opponent": "c", "first": False, "preferred": 1.0},
        {"item": "c", "condition": "matchup", "opponent": "a", "first": True, "preferred": None},
        {"item": "c", "condition": "matchup", "opponent": "x", "first": True, "preferred": 1.0, "sample": 1},
    ]  # fmt: skip
    types = {"item": pl.String, "condition": pl.String, "answer": pl.String, "confidence": pl.Float64}
    types |= {"sample": pl.Int64, "opponent": pl.String, "first": pl.Boolean, "preferred": pl.Float64}
    table = pl.DataFrame(rows, schema=types).with_columns(
        pl.col("sample").fill_null(0), group=pl.col("item"), correct=pl.col("item") != "c", set=pl.lit("s")
    )
    return table, Compared.of(table, "s", Rules(**how))


@needs_trueskill
def test_scores_of_all_ways():
    table, one = compared()
    assert one.score("direct").tolist() == [0.9, 0.5, 0.9]
    assert one.score("hybrid_sc")[0] == approx(1.5 / 1.8) and np.isnan(one.score("hybrid_sc")[1:]).all()
    assert compared(weighting="mean")[1].score("hybrid_sc")[0] == approx(1.5 / 3)
    assert compared(weighting="vote")[1].score("hybrid_sc")[0] == approx(2 / 3)
    assert one.matchups.won.tolist() == [0.5, 1.0, 1.0] and one.matchups.n == 4  # x is rated, and not scored
    assert one.matchups.games.tolist() == [1, 2, 2, 1]
    assert compared(half=True)[1].matchups.won.tolist() == [0.5, 1.0, 0.5, 1.0]
    assert len(one.within(1).matchups.won) == 2
    figures = preference_figures(table.filter(pl.col("condition") == "matchup"), [one])
    assert figures["first-slot share"][0].value == approx(4 / 5)
    assert figures["swap consistency"][0].value == approx(1 / 2)
    assert figures["matchups read"][0].value == approx(5 / 6)
    assert figures["matchups of a question"][0].value == approx(5 / 3)
    assert len(one.both("direct", "hybrid_sc")[0].score) == 1 and gain(one, "direct", "direct").value == 0


@needs_trueskill
def test_tables():
    _, one = compared()
    line = dict(zip(by_set([one], resamples=20).columns, by_set([one], resamples=20).rows[0], strict=True))
    assert (line["way"], line["n"], line["AUROC"]) == ("direct", 3, 0.25)  # .9 ties, .5 loses
    assert line["oracle"] == approx((1 + 1 + 2 / 3) / 3) and line["random"] == approx(2 / 3)
    assert by_calls([one], [1], resamples=20).rows[0][:2] == (1, "hybrid_sc")
    mappings = {(row[1], row[2]): row[3] for row in as_confidence([one]).rows}
    assert mappings["direct", "as stated"] == mappings["bradley_terry", "rank"] == 3


def test_means_of_sets():
    a, b, none = (
        Interval(0.5, 0.4, 0.6, 10, "m"),
        Interval(0.9, 0.8, 0.9, 20, "m"),
        Interval(math.nan, math.nan, math.nan, 0, ""),
    )
    assert averaged([a, none]) == a
    both = averaged([a, b, none])
    assert (both.value, both.low, both.n) == (approx(0.7), approx(0.7 - math.sqrt(0.02) / 2), 30)
    assert math.isnan(averaged([]).value)
