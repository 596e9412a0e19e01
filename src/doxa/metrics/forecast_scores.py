"""Every usual figure of yes/no forecasts with its interval, by name; and what published tables say by themselves."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.binning import mass_index, width_index
from doxa.metrics.calibration import ace, ece, ece_expected, mce, reliability
from doxa.metrics.calibration_interval import gap_interval, largest_gap_interval
from doxa.metrics.correlation_interval import correlations as correlations
from doxa.metrics.discrimination import Confusion
from doxa.metrics.discrimination_interval import bootstrap_auroc
from doxa.metrics.f1_interval import f1_interval, macro_f1_interval
from doxa.metrics.forecasts import (
    HalfOpenBin,
    certainty,
    half_open_bins,
    half_open_ece,
    half_open_mce,
    is_sure,
    table_ece,
    table_mce,
)
from doxa.metrics.inputs import Floats, codes, outcomes, probabilities, same_length
from doxa.metrics.intervals import NAN, Interval, proportion
from doxa.metrics.resampling import draws_of_weights
from doxa.metrics.scores import brier, brier_skill, log_score
from doxa.metrics.sums import NOTHING, correlation, difference, mean, share


def forecast_metrics(*, bins: int = 10, half_open: bool = False) -> dict[str, Callable[..., float]]:
    """Metrics of (forecast, happened) by name: Brier, Brier skill, log loss, ECE, MCE, ACE.

    half_open  as the published tables: ECE and MCE over `half_open_bins`, and skill 0 where all or no events happened,
               which is undefined (nan) otherwise
    """
    published: dict[str, Callable[..., float]] = {
        "Brier skill": lambda p, y: brier_skill(p, y) if 0 < np.mean(y) < 1 else 0.0,
        "ECE": partial(half_open_ece, bins=bins),
        "MCE": partial(half_open_mce, bins=bins),
    }
    usual: dict[str, Callable[..., float]] = {
        "Brier": brier,
        "Brier skill": brier_skill,
        "log loss": partial(log_score, clip=1e-15),
        "ECE": partial(ece, bins=bins, closed="left"),
        "MCE": partial(mce, bins=bins, closed="left"),
        "ACE": partial(ace, bins=bins),
    }
    return usual | published if half_open else usual


def metric_rows(
    forecasters: Mapping[str, tuple[ArrayLike, ArrayLike]], names: Sequence[str], *, bins: int, half_open: bool
) -> list[tuple[str | int | float, ...]]:
    """Rows (forecaster, n, one value per name of `forecast_metrics`) of (forecast, happened); none without items."""
    metrics = forecast_metrics(bins=bins, half_open=half_open)
    return [
        (who, np.size(p), *(metrics[name](p, y) for name in names)) for who, (p, y) in forecasters.items() if np.size(p)
    ]


TWO_GROUPS, BY_CHANCE = "two-group calibration error", "ECE of a calibrated forecaster"


def forecast_scores(
    forecast: ArrayLike,
    happened: ArrayLike,
    said: ArrayLike,
    groups: ArrayLike,
    *,
    bins: int = 10,
    half_open: bool = False,
    resamples: int = 1000,
) -> dict[str, Interval]:
    """`forecast_metrics`, AUROC, calibration error over the sides taken, and the ECE that chance alone would show.

    Whole groups stay together. ECE, ACE and the error over sides have the interval of `gap_interval`, MCE that of
    `largest_gap_interval`, AUROC that of `bootstrap_auroc`, Brier score and log loss that of `mean_interval`, Brier
    skill that of `skill_interval`; the ECE by chance is `ece_expected`. Without items: nan.

    said    (n,) the side taken, "" where none is: left out of the calibration error over sides
    raises  ValueError: unequal lengths, a forecast outside [0, 1], missing groups
    """
    p, y, side, g = np.asarray(forecast), np.asarray(happened), np.asarray(said), np.asarray(groups)
    if not len(p):
        return dict.fromkeys((*forecast_metrics(), "AUROC", TWO_GROUPS, BY_CHANCE), NOTHING)
    p, y = probabilities("forecast", p), outcomes("happened", y)
    surprise = -np.log(np.clip(np.where(y == 1, p, 1 - p), 1e-15, 1 - 1e-15))
    half = np.searchsorted(np.linspace(0, 1, bins + 1), p, side="right") - 1
    index = np.where(half < bins, half, -1) if half_open else width_index(p, bins, "left")

    def gap(index_n: np.ndarray) -> Interval:
        return gap_interval(p, y, index_n, groups=g, resamples=resamples)

    sided = side != ""
    yes = (side == "yes").astype(np.int64)
    return {
        "Brier": mean((p - y) ** 2, g, bounds=(0, 1)),
        "Brier skill": skill_interval(p, y, g, undefined=0.0 if half_open else NAN, resamples=resamples),
        "log loss": mean(surprise, g),
        "ECE": gap(index),
        "MCE": largest_gap_interval(p, y, index, groups=g),
        "ACE": gap(mass_index(p, bins)),
        TWO_GROUPS: gap_interval(p[sided], y[sided], yes[sided], groups=g[sided], resamples=resamples)
        if sided.any()
        else NOTHING,
        "AUROC": bootstrap_auroc(p, y, groups=g, resamples=resamples),
        BY_CHANCE: ece_expected(p, bins=bins, closed="left", resamples=resamples),
    }


def skill_interval(
    forecast: ArrayLike,
    happened: ArrayLike,
    groups: ArrayLike,
    *,
    undefined: float = NAN,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Interval of `brier_skill`, 1 - Brier score / (r (1 - r)): from the limits of both, on the logarithmic scale.

    The Brier score has the interval of `mean_interval`, which reckons with confident errors not seen, r the mid-p one
    of a share, and their correlation is that of their resampled values; so the skill is not above 1, and has a lower
    limit where all forecasts were perfect. 95 % coverage in 12 settings (skill -.13 to .6, 30 to 300 items) .95 to .98,
    that of percentiles .93 to .95.

    undefined  the value, without limits, where all or none happened
    raises     ValueError: unequal lengths, n = 0, a forecast outside [0, 1], missing groups
    source     Zou and Donner 2008, Statistics in Medicine 27(10) (limits of differences from limits)

    >>> found = skill_interval([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], [1, 2, 3, 4])
    >>> round(found.value, 2), found.low < 0.8 < found.high <= 1
    (0.9, True)
    """
    p, y = probabilities("forecast", forecast), outcomes("happened", happened)
    rate, n = float(y.mean()), same_length(forecast=p, happened=y)
    if not 0 < rate < 1:
        return Interval(undefined, NAN, NAN, n, "all or none happened")
    unit_n, units = codes("groups", groups)
    score, happens = mean((p - y) ** 2, unit_n, bounds=(0, 1)), share(y, unit_n)
    errors, events, items = (np.bincount(unit_n, x, minlength=units) for x in ((p - y) ** 2, y, np.ones(n)))
    ends = [r * (1 - r) for r in (happens.low, happens.high)]
    spread = Interval(rate * (1 - rate), min(ends), 0.25 if happens.low <= 0.5 <= happens.high else max(ends), n, "")

    def log_score(weights: Floats) -> Floats:
        return np.asarray(np.log((weights @ errors) / (weights @ items)))

    def log_spread(weights: Floats) -> Floats:
        drawn_rate = (weights @ events) / (weights @ items)
        return np.asarray(np.log(drawn_rate * (1 - drawn_rate)))

    note = f"ratio of limits, {score.method}"
    if score.value == 0:
        return Interval(1.0, 1 - score.high / spread.value, 1.0, n, note)
    with np.errstate(divide="ignore"):  # a draw in which all or none happened, or without an error, is left out
        drawn = draws_of_weights([log_score, log_spread], units, resamples=resamples, seed=seed)
    ratio = difference(_logarithm(score), _logarithm(spread), correlation=correlation(*drawn))
    value, low, high = (1 - math.exp(x) for x in (ratio.value, ratio.high, ratio.low))
    return Interval(value, low, high, n, note)


def _logarithm(i: Interval) -> Interval:
    value, low, high = (math.log(x) if x > 0 else -math.inf for x in (i.value, i.low, i.high))
    return Interval(value, low, high, i.n, i.method)


def answer_scores(
    said: ArrayLike,
    happened: ArrayLike,
    forecast: ArrayLike,
    groups: ArrayLike,
    *,
    thresholds: Sequence[float] = (0.7, 0.8, 0.9),
    zero_division: float = NAN,
    resamples: int = 1000,
) -> dict[str, Interval]:
    """Figures of yes/no answers with intervals; groups stay together.

    Accuracy; precision, recall and F1 of yes and of no; mean certainty when right and when wrong; and for each
    threshold the share wrong among the sure forecasts (`is_sure`).

    said, happened  (n,) 1 for yes, 0 for no
    forecast        (n,) probability beside each answer; of which side, does not matter
    zero_division   F1 where nothing was said or is true of a side
    raises          ValueError: unequal lengths, values other than 0 and 1, missing groups
    """
    x, y, g = np.asarray(said, dtype=float), np.asarray(happened, dtype=float), np.asarray(groups)
    sure = certainty(forecast) if len(x) else x
    right = x == y
    found = {"accuracy": share(right, g), "macro F1": NOTHING, "F1 of yes": NOTHING, "F1 of no": NOTHING}
    if len(x):
        found["macro F1"] = macro_f1_interval(x, y, g, zero_division=zero_division, resamples=resamples)
        for side, positive in (("yes", True), ("no", False)):
            found[f"F1 of {side}"] = f1_interval(x, y, g, positive=positive, zero_division=zero_division)
    for side, value in (("yes", 1), ("no", 0)):
        found[f"precision of {side}"] = share(right[x == value], g[x == value])
        found[f"recall of {side}"] = share(right[y == value], g[y == value])
    for when, chosen in (("right", right), ("wrong", ~right)):
        found[f"mean confidence when {when}"] = mean(sure[chosen], g[chosen], bounds=(0.5, 1.0))
    for t in thresholds:
        chosen = is_sure(forecast, t) if len(x) else right
        found[f"overconfidence at {t}"] = share(~right[chosen], g[chosen])
    return found


def table_scores(
    table: Sequence[HalfOpenBin], counts: Confusion, forecasts: Mapping[str, ArrayLike], said: ArrayLike
) -> dict[str, Interval]:
    """What published tables say by themselves, when what happened in single cases is not known.

    ECE and MCE of a reliability table, figures of a confusion table, and for each of several forecasts the calibration
    error over the sides taken, whose share of events the confusion table tells.

    forecasts  name -> (n,) probability; those outside the bins included
    said       (n,) "yes" or "no"
    """
    side = np.asarray(said)
    values = {
        "ECE": table_ece(table, len(side)),
        "MCE": table_mce(table),
        "macro F1": counts.macro_f1(zero_division=0.0),
    }
    shares = {"accuracy": (counts.tp + counts.tn, counts.n)}
    for word, hit, false in (("yes", counts.tp, counts.fp), ("no", counts.tn, counts.fn)):
        part = counts.precision_recall_f1(positive=word == "yes", zero_division=0.0)
        values[f"F1 of {word}"] = part.f1
        shares |= {f"precision of {word}": (hit, hit + false), f"recall of {word}": (hit, part.support)}
    for name, forecast in forecasts.items():
        values[f"{TWO_GROUPS}, {name}"] = _group_error(np.asarray(forecast, dtype=float), side, counts)
    told = {name: Interval(value, NAN, NAN, len(side), "from a published table") for name, value in values.items()}
    return told | {name: proportion(hits, of, method="mid-p") for name, (hits, of) in shares.items() if of}


def _group_error(forecast: Floats, side: np.ndarray, counts: Confusion) -> float:
    sides = (("yes", counts.tp, counts.tp + counts.fp), ("no", counts.fn, counts.fn + counts.tn))
    parts = [(forecast[side == word], happened / n) for word, happened, n in sides if n and (side == word).any()]
    n = sum(len(part) for part, _ in parts)
    return float(sum(abs(part.mean() - rate) * len(part) for part, rate in parts) / n) if n else NAN


def reliability_rows(
    forecast: ArrayLike, happened: ArrayLike | None, *, bins: int = 10, half_open: bool = False
) -> list[tuple[str, int, float, float, float, float, float]]:
    """Rows of a reliability table: label, n, mean forecast, share that happened, its limits, gap (mean - share).

    happened   None: not known, the shares are nan
    half_open  as `half_open_bins`, without limits
    raises     ValueError as `reliability`
    """
    if not np.size(forecast):
        return []
    if half_open:
        table = half_open_bins(forecast, happened, bins=bins)
        return [(b.label, b.n, b.forecast, b.rate, NAN, NAN, b.forecast - b.rate) for b in table]
    y = np.zeros(np.size(forecast)) if happened is None else happened
    rows = []
    for b in reliability(forecast, y, bins=bins, closed="left"):
        rate = (NAN, NAN, NAN) if happened is None else (b.accuracy, b.accuracy_low, b.accuracy_high)
        rows.append((f"{b.low:.1f}-{b.high:.1f}", b.n, b.confidence, *rate, b.confidence - rate[0]))
    return rows
