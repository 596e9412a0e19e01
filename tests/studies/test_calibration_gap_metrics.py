"""The gap's figures against known answers: by hand, from a made-up reader, and where there is nothing."""

import math

import numpy as np
import pytest

from doxa.metrics import auroc, ece
from doxa.metrics.reader_gap import CHANGED, NAMES, Trials, gap_changes, gap_scores, weight_blocks
from doxa.metrics.style_effects import style_effects
from doxa.metrics.style_selection import Thresholds, first_half, fitted_thresholds, selected_level

M = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.9, 0.3)
H = (0.9, 0.9, 0.8, 0.8, 0.7, 0.8, 0.9, 0.7)
CORRECT = (1, 1, 1, 0, 1, 0, 1, 0)
SHIFTS = {"low": -0.25, "medium": 0.0, "high": 0.25}
FITS = Thresholds(0.5, 0.75)


def values(trials, **how):
    return {name: interval.value for name, interval in gap_scores(trials, resamples=20, **how).items()}


def test_the_case_worked_out_by_hand():
    found = values(Trials.of(H, M, CORRECT))
    wanted = {
        **{"model ECE": 0.3125, "reader ECE": 0.2625, "model AUC": 0.9333, "reader AUC": 0.7667, "accuracy": 0.625},
        **{"mean model confidence": 0.6375, "mean reader confidence": 0.8125, "calibration gap": -0.05},
        **{"discrimination gap": 0.1667, "mean gap": 0.175, "bias": 0.1875, "over-reliance": 1.0},
    }
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, abs=5e-5), name
    assert set(found) == set(NAMES)


def test_edges_go_to_one_side_and_floating_error_moves_no_trial():
    """1 - .7 is .30000000000000004: the same trials as .3, in the same bin."""
    correct = [1, 0, 1, 0]
    exact, off = [0.3, 0.3, 0.6, 0.7], [1 - 0.7, 0.1 + 0.2, 1 - 0.4, 0.1 * 7]
    assert values(Trials.of(off, off, correct))["reader ECE"] == pytest.approx(
        values(Trials.of(exact, exact, correct))["reader ECE"], abs=1e-12
    )
    ends = values(Trials.of([0, 1, 0.05, 0.95], [0, 1, 0.05, 0.95], [0, 1, 1, 0]))
    assert ends["reader ECE"] == pytest.approx(0.475)  # bins of two: |.025 - .5| and |.975 - .5|


def test_a_reader_of_seven_tenths_relies_on_a_wrong_answer():
    assert values(Trials.of([0.1 * 7, 0.69, 0.9], [0.5] * 3, [0, 0, 1]))["over-reliance"] == 0.5


def test_undefined_is_nan_and_nothing_crashes():
    one_class = values(Trials.of([0.5, 0.6], [0.4, 0.7], [1, 1]))
    assert math.isnan(one_class["reader AUC"]) and math.isnan(one_class["discrimination gap"])
    assert math.isnan(one_class["over-reliance"])
    alike = values(Trials.of([0.5] * 4, [0.5] * 4, [0, 1, 0, 1]))
    assert alike["reader AUC"] == 0.5 and math.isnan(alike["correlation with model confidence"])
    nothing = Trials.of([], [], [])
    assert all(math.isnan(value) for value in values(nothing).values())
    assert all(math.isnan(i.value) for i in gap_changes(nothing, Trials.of(H, M, CORRECT)).values())
    single = gap_scores(Trials.of([0.5], [0.5], [1]), resamples=20)
    assert math.isnan(single["reader ECE"].low) and single["reader ECE"].value == 0.5


@pytest.mark.parametrize("bad", [{"reader": [90, 80]}, {"model": [-0.1, 0.5]}, {"correct": [2, 0]}, {"correct": [1]}])
def test_impossible_input_is_refused(bad):
    with pytest.raises(ValueError):
        Trials.of(**{"reader": [0.5, 0.5], "model": [0.5, 0.5], "correct": [1, 0], **bad})


# --- the made-up reader: means over 400 repetitions, sd of one repetition, n = 4,000 ---------------------------------


def population(seed, n=4000):
    rng = np.random.default_rng(seed)
    m = rng.uniform(0.25, 1, n)
    return rng, m, (rng.random(n) < m).astype(float)


def read(rng, level, long=0.0, base=0.60, shifts=SHIFTS):
    """(n,) what a reader states of explanations of these levels."""
    centre = base + np.array([shifts[one] for one in level]) + 0.03 * np.asarray(long)
    return np.clip(centre + rng.normal(0, 0.12, len(level)), 0, 1)


def test_the_made_up_reader_and_what_selection_does():
    rng, m, correct = population(0)
    default = Trials.of(read(rng, ["high"] * len(m), 1), m, correct)
    chosen = Trials.of(read(rng, selected_level(m, FITS)), m, correct)
    wide = {  # value, sd of one repetition; four of these are allowed
        ("default", "model ECE"): (0.015, 0.004),
        ("default", "model AUC"): (0.766, 0.008),
        ("default", "reader ECE"): (0.247, 0.008),
        ("default", "reader AUC"): (0.500, 0.009),
        ("default", "mean reader confidence"): (0.870, 0.002),
        ("default", "accuracy"): (0.625, 0.008),
        ("selected", "reader ECE"): (0.051, 0.006),
        ("selected", "reader AUC"): (0.720, 0.008),
        ("selected", "mean reader confidence"): (0.598, 0.004),
    }
    found = {"default": values(default), "selected": values(chosen)}
    for (arm, name), (value, sd) in wide.items():
        assert abs(found[arm][name] - value) < 4 * sd, (arm, name)


def test_selection_narrows_both_gaps_in_every_repetition():
    for seed in range(20):
        rng, m, correct = population(seed, 1000)
        default, chosen = read(rng, ["high"] * len(m), 1), read(rng, selected_level(m, FITS))
        assert ece(default, correct) > ece(chosen, correct)
        assert auroc(default, correct) < auroc(chosen, correct)


def test_random_styles_keep_a_sixth_with_more_bias():
    """AUC .717 (sd .020), mean .598 (.009), ECE .066 (.013); means of 20 repetitions within 4 sd / sqrt(20)."""
    kept = []
    for seed in range(20):
        rng, m, correct = population(seed)
        level, long = rng.choice(list(SHIFTS), len(m)), rng.integers(0, 2, len(m))
        h = read(rng, level, long)
        keep = (level == selected_level(m, FITS)) & (long == 0)
        kept.append((auroc(h[keep], correct[keep]), h[keep].mean(), ece(h[keep], correct[keep]), keep.mean()))
    wanted = ((0.717, 0.020), (0.598, 0.009), (0.066, 0.013), (1 / 6, 0.006))
    for value, (mean, sd) in zip(np.mean(kept, axis=0), wanted, strict=True):
        assert abs(value - mean) < 4 * sd / math.sqrt(20)


def test_selection_changes_nothing_for_a_reader_that_ignores_style():
    rng, m, correct = population(3)
    same = {level: 0.0 for level in SHIFTS}
    default = Trials.of(read(rng, ["high"] * len(m), 0, shifts=same), m, correct)
    chosen = Trials.of(read(rng, selected_level(m, FITS), 0, shifts=same), m, correct)
    found = gap_changes(chosen, default, resamples=200)
    assert set(found) == set(CHANGED)
    assert abs(found["calibration gap"].value) < 3 * 0.011
    assert abs(found["discrimination gap"].value) < 3 * 0.013
    for name in ("calibration gap", "discrimination gap", "mean reader confidence"):
        assert found[name].low < 0 < found[name].high, name


def test_a_planted_change_is_outside_nothing():
    rng, m, correct = population(4, 1000)
    default = Trials.of(read(rng, ["high"] * len(m), 1), m, correct)
    chosen = Trials.of(read(rng, selected_level(m, FITS)), m, correct)
    found = gap_changes(chosen, default, resamples=200)
    assert found["calibration gap"].high < 0 and found["discrimination gap"].high < 0
    assert found["reader AUC"].low < 0.22 < found["reader AUC"].high


# --- thresholds ------------------------------------------------------------------------------------------------------


def test_the_level_that_fits():
    assert selected_level([0.49, 0.50, 0.74, 0.75], FITS).tolist() == ["low", "medium", "medium", "high"]
    assert selected_level([0.1 + 0.2], Thresholds(0.3, 0.6)).tolist() == ["medium"]
    assert selected_level([0.9], Thresholds(math.nan, math.nan)).tolist() == [""]


@pytest.mark.parametrize(("random_styles", "within"), [(False, 0.1), (True, 0.15)])
def test_planted_thresholds_are_found(random_styles, within):
    """Levels of .375, .625 and .875: .5 and .75 are best. sd .03 when all styles are shown, .05 with random ones."""
    found = []
    for seed in range(5):
        rng, m, correct = population(seed, 2000)
        if random_styles:
            level = rng.choice(list(SHIFTS), len(m))
            trials = Trials.of(read(rng, level, base=0.625), m, correct)
        else:
            level = np.repeat(list(SHIFTS), len(m))
            trials = Trials.of(read(rng, level, base=0.625), np.tile(m, 3), np.tile(correct, 3))
        found.append(fitted_thresholds(trials, level)[:2])
    assert np.abs(np.mean(found, axis=0) - [0.5, 0.75]).max() < within / 2
    assert np.abs(np.array(found) - [0.5, 0.75]).max() < 3.5 * (0.05 if random_styles else 0.03)


def test_the_first_of_equally_good_pairs_is_taken():
    trials = Trials.of([0.5] * 4, [0.9] * 4, [0, 1, 0, 1])
    assert fitted_thresholds(trials, ["high"] * 4)[:2] == (0.30, 0.35)


def test_without_right_and_wrong_answers_there_are_no_thresholds():
    assert math.isnan(fitted_thresholds(Trials.of([0.5, 0.6], [0.5, 0.6], [1, 1]), ["low", "high"]).low)
    assert math.isnan(fitted_thresholds(Trials.of([], [], []), []).high)


def test_halves_are_disjoint_and_do_not_depend_on_the_order():
    labels = np.array([f"item-{i % 20}" for i in range(60)])
    order = np.random.default_rng(0).permutation(60)
    first = first_half(labels)
    assert (first_half(labels[order]) == first[order]).all()
    assert len(set(labels[first])) == 10 and not set(labels[first]) & set(labels[~first])


# --- effects and intervals -------------------------------------------------------------------------------------------


def test_style_and_length_effects_are_recovered():
    """SE .005 of a style and .004 of the length at 4,000 trials; base .5, so that hardly anything is clipped."""
    rng, m, correct = population(7)
    level, long = rng.choice(list(SHIFTS), len(m)), rng.integers(0, 2, len(m))
    trials = Trials.of(read(rng, level, long, base=0.5), m, correct)
    columns = {"low": level == "low", "high": level == "high", "long": long, "m": m}
    found = style_effects(trials, columns, resamples=400)
    assert abs(found["low"].value + 0.25) < 0.02 and abs(found["high"].value - 0.25) < 0.02
    assert abs(found["long"].value - 0.03) < 0.016
    for name, se in (("low", 0.005), ("long", 0.004)):
        width = found[name].high - found[name].low
        assert 0.7 * 3.92 * se < width < 1.4 * 3.92 * se, name


def test_a_column_that_says_nothing_has_no_effect():
    trials = Trials.of([0.2, 0.4, 0.3, 0.5], [0.5] * 4, [0, 1, 0, 1])
    found = style_effects(trials, {"high": [0, 1, 0, 1], "again": [0, 1, 0, 1], "all": [1] * 4}, resamples=50)
    assert found["high"].value == pytest.approx(0.2)
    assert math.isnan(found["again"].value) and math.isnan(found["all"].value)


def test_shared_readers_widen_the_interval():
    """Each of 20 readers adds a habit of sd .1 to 50 trials: the mean's standard error is .1 / sqrt(20)."""
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(20), 50)
    h = np.clip(0.6 + rng.normal(0, 0.1, 20)[person] + rng.normal(0, 0.05, 1000), 0, 1)
    correct = rng.integers(0, 2, 1000)
    alone = gap_scores(Trials.of(h, np.full(1000, 0.6), correct), resamples=20)["mean reader confidence"]
    shared = gap_scores(Trials.of(h, np.full(1000, 0.6), correct, person=person), resamples=20)
    both = shared["mean reader confidence"]
    assert both.high - both.low > 4 * (alone.high - alone.low)
    assert 0.5 < (both.high - both.low) / (2 * 2.09 * 0.1 / math.sqrt(20)) < 1.6
    assert "20 readers" in both.method and both.value == alone.value


def test_one_reader_alone_gives_no_interval_of_readers_but_of_items():
    same = gap_scores(Trials.of(H, M, CORRECT, person=["p"] * 8), resamples=20)
    assert same["mean gap"] == gap_scores(Trials.of(H, M, CORRECT), resamples=20)["mean gap"]


def test_weights_draw_items_and_readers_alike_in_all_sets():
    a = Trials.of([0.5] * 4, [0.5] * 4, [0, 1, 0, 1], item=[*"aabb"], person=[*"pqpq"])
    b = Trials.of([0.5] * 2, [0.5] * 2, [0, 1], item=[*"ab"], person=[*"pp"])
    of_a, of_b = next(weight_blocks(a, b, resamples=50))
    assert of_a.shape == (50, 4) and of_b.shape == (50, 2)
    assert np.array_equal(of_a[:, [0, 2]], of_b)  # item a with reader p, item b with reader p
    assert of_a.sum(axis=1).min() > 0
