"""Every metric refuses impossible input in words, and takes any plain sequence."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from doxa import metrics

CONFIDENCE = [0.9, 0.8, 0.8, 0.3, 0.1, 0.6]
CORRECT = [1, 1, 0, 0, 0, 1]

PROBABILISTIC = [
    metrics.ece,
    metrics.ace,
    metrics.mce,
    metrics.rmsce,
    metrics.ece_debiased,
    metrics.squared_calibration_error,
    metrics.brier,
    metrics.brier_skill,
    metrics.brier_decomposition,
    metrics.log_score,
    metrics.reliability,
    metrics.bootstrap_ece,
    metrics.ece_of_weights,
]
ORDINAL = [
    metrics.auroc,
    metrics.auprc,
    metrics.aurc,
    metrics.risk_coverage,
    metrics.selective_auc,
    metrics.bootstrap_auroc,
    metrics.auroc_of_weights,
]
BOTH = PROBABILISTIC + ORDINAL


def name_of(function):
    return function.__name__


def test_percentages_are_named_with_the_way_out():
    percent = [0.5] * 300
    percent[17] = 90
    percent[40:251] = [75] * 211
    with pytest.raises(ValueError) as error:
        metrics.ece(percent, [1] * 300)
    assert str(error.value) == (
        "confidence[17] is 90, outside [0, 1] (212 of 300 are). Percent? divide by 100. Log-probability? exponentiate."
    )


@pytest.mark.parametrize("metric", PROBABILISTIC, ids=name_of)
@pytest.mark.parametrize("wrong", [90, -0.7], ids=["percent", "log-probability"])
def test_wrong_unit_raises(metric, wrong):
    with pytest.raises(ValueError, match=r"confidence\[2\] is .*outside \[0, 1\]"):
        metric([0.5, 0.5, wrong], [1, 0, 1])


@pytest.mark.parametrize("metric", BOTH, ids=name_of)
def test_missing_values_raise_with_their_index(metric):
    with pytest.raises(ValueError, match=r"confidence\[1\] is missing \(nan; 1 of 3 are\)"):
        metric([0.5, float("nan"), 0.5], [1, 0, 1])
    with pytest.raises(ValueError, match=r"confidence\[1\] is missing \(None; 1 of 3 are\)"):
        metric([0.5, None, 0.5], [1, 0, 1])
    with pytest.raises(ValueError, match=r"correct\[2\] is missing"):
        metric(pl.Series([0.5, 0.5, 0.5]), pl.Series([True, False, None]))


@pytest.mark.parametrize("metric", BOTH, ids=name_of)
def test_lengths_emptiness_and_labels_are_checked(metric):
    with pytest.raises(ValueError, match="confidence has 2 values, correct has 3"):
        metric([0.5, 0.5], [1, 0, 1])
    with pytest.raises(ValueError, match=r"confidence is empty \(n = 0\)"):
        metric([], [])
    with pytest.raises(ValueError, match=r"correct\[1\] is 0.5, neither 0 nor 1 \(2 of 3 are not\)"):
        metric([0.5, 0.5, 0.5], [1, 0.5, 0.5])
    with pytest.raises(ValueError, match=r"confidence\[0\] is '90%', not a number"):
        metric(["90%", "80%"], [1, 0])
    with pytest.raises(ValueError, match=r"confidence has shape \(2, 1\), not \(n,\)"):
        metric([[0.5], [0.5]], [1, 0])


@pytest.mark.parametrize("metric", [m for m in BOTH if not name_of(m).endswith("of_weights")], ids=name_of)
def test_lists_arrays_and_series_are_alike(metric):
    expected = repr(metric(CONFIDENCE, CORRECT))
    assert repr(metric(np.array(CONFIDENCE), np.array(CORRECT, dtype=bool))) == expected
    assert repr(metric(pl.Series(CONFIDENCE), pl.Series(CORRECT).cast(pl.Boolean))) == expected
    assert repr(metric(tuple(CONFIDENCE), pl.Series(CORRECT, dtype=pl.Int8))) == expected


def test_rounding_of_a_softmax_is_no_wrong_unit():
    assert metrics.brier([1 + 1e-7, -1e-7], [1, 0]) == 0.0
    assert metrics.log_score([1 + 1e-7], [1]) == 0.0


def test_options_are_checked():
    with pytest.raises(ValueError, match="binning is 'widht', not one of 'width', 'mass'"):
        metrics.ece(CONFIDENCE, CORRECT, binning="widht")
    with pytest.raises(ValueError, match="closed is 'both'"):
        metrics.ece(CONFIDENCE, CORRECT, closed="both")
    with pytest.raises(ValueError, match="bins is 0; it must be a whole number of at least 1"):
        metrics.ece(CONFIDENCE, CORRECT, bins=0)
    with pytest.raises(ValueError, match=r"level is 95, outside \(0, 1\). Percent\? divide by 100"):
        metrics.bootstrap_ece(CONFIDENCE, CORRECT, level=95)
    with pytest.raises(ValueError, match="positive is 'yes', not one of"):
        metrics.auprc(CONFIDENCE, CORRECT, positive="yes")


def test_infinite_scores_can_be_ordered_but_not_correlated():
    assert metrics.auroc([-np.inf, 0.0], [0, 1]) == 1.0
    with pytest.raises(ValueError, match=r"x\[0\] is -inf; values must be finite"):
        metrics.pearson([-np.inf, 0.0], [0, 1])


def test_rows_that_are_no_distributions_raise():
    with pytest.raises(ValueError, match=r"belief_nc\[1\] sums to 0.9, not to 1 \(1 of 2 rows do not\)"):
        metrics.ece_top_label([[0.5, 0.5], [0.5, 0.4]], [0, 1])
    with pytest.raises(ValueError, match=r"belief_nc\[1, 0\] is 50, outside \[0, 1\]"):
        metrics.brier_options([[0.5, 0.5], [50, 50]], [0, 1])
    with pytest.raises(ValueError, match=r"belief_nc\[0\] has a nan"):
        metrics.brier_options([[np.nan, 0.5]], [0])
    with pytest.raises(ValueError, match=r"truth_n\[1\] is 2, not an option number from 0 to 1 .*subtract 1"):
        metrics.brier_options([[0.5, 0.5], [0.5, 0.5]], [1, 2])
    with pytest.raises(ValueError, match=r"belief_nc has shape \(2,\), not \(n, c\)"):
        metrics.ece_top_label([0.5, 0.5], [0])


def test_groups_must_be_complete_and_comparable():
    with pytest.raises(ValueError, match=r"groups\[1\] is missing"):
        metrics.proportion_clustered([1, 0], ["a", None])
    with pytest.raises(ValueError, match="groups mixes types"):
        metrics.proportion_clustered([1, 0], np.array(["a", 1], dtype=object))


def test_import_brings_in_numpy_and_nothing_heavier():
    heavy = "sorted({m.split('.')[0] for m in sys.modules} & {'scipy', 'sklearn', 'polars', 'torch', 'pandas'})"
    program = f"import sys, doxa.metrics; print({heavy})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
