"""Every usual figure of yes/no forecasts with its interval, by name; and what published tables say by themselves."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.agreement import correlation_p
from doxa.metrics.binning import mass_index, width_index
from doxa.metrics.calibration import ace, ece, ece_expected, mce, reliability
from doxa.metrics.calibration_interval import bootstrap_ece
from doxa.metrics.discrimination import Confusion
from doxa.metrics.discrimination_interval import bootstrap_auroc
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
from doxa.metrics.inputs import Floats, outcomes, probabilities
from doxa.metrics.intervals import NAN, Interval, wilson
from doxa.metrics.scores import brier, brier_skill, log_score
from doxa.metrics.sums import NOTHING, Statistic, divided, mean, of_sums, ratio, share
from doxa.metrics.tails import normal_quantile


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

    ECE has the interval of `bootstrap_ece`, AUROC that of `bootstrap_auroc`, and the ECE by chance is `ece_expected`.
    The others have percentile intervals, whole groups resampled, which for MCE, ACE and the half-open ECE lie too high,
    since chance only ever adds to these. Without items: nan.

    said    (n,) the side taken, "" where none is: left out of the calibration error over sides
    raises  ValueError: unequal lengths, a forecast outside [0, 1], missing groups
    """
    p, y, side, g = np.asarray(forecast), np.asarray(happened), np.asarray(said), np.asarray(groups)
    if not len(p):
        return dict.fromkeys((*forecast_metrics(), "AUROC", TWO_GROUPS, BY_CHANCE), NOTHING)
    columns = _columns(probabilities("forecast", p), outcomes("happened", y), side, bins, half_open)
    found = {name: of_sums(statistic, sums, g, resamples=resamples) for name, (statistic, sums) in columns.items()}
    if not half_open:
        found["ECE"] = bootstrap_ece(p, y, bins=bins, closed="left", groups=g, resamples=resamples)
    found["AUROC"] = bootstrap_auroc(p, y, groups=g, resamples=resamples)
    return found | {BY_CHANCE: ece_expected(p, bins=bins, closed="left", resamples=resamples)}


def _columns(
    p: Floats, y: Floats, side: np.ndarray, bins: int, half_open: bool
) -> dict[str, tuple[Statistic, list[Floats]]]:
    """Each metric as a function of sums, and the columns (n,) to be summed; equal-mass bins as given by these data."""
    one, gap, surprise = np.ones(len(p)), p - y, -np.log(np.clip(np.where(y == 1, p, 1 - p), 1e-15, 1 - 1e-15))
    edges = np.linspace(0, 1, bins + 1)
    index = np.searchsorted(edges, p, side="right") - 1 if half_open else width_index(p, bins, "left")
    inside = [index == b for b in range(bins) if (index == b).any()]
    width = [np.where(chosen, gap, 0.0) for chosen in inside]
    mass = [np.where(mass_index(p, bins) == b, gap, 0.0) for b in range(min(bins, len(p)))]
    by_side = [np.where(side == word, gap, 0.0) for word in ("yes", "no")]
    return {
        "Brier": (ratio, [gap**2, one]),
        "Brier skill": (partial(_skill, undefined=0.0 if half_open else NAN), [gap**2, y, one]),
        "log loss": (ratio, [surprise, one]),
        "ECE": (_mean_gap, [*width, one]),
        "MCE": (_largest_gap, [*width, *(chosen.astype(np.float64) for chosen in inside)])
        if inside
        else (_never, [one]),
        "ACE": (_mean_gap, [*mass, one]),
        TWO_GROUPS: (_mean_gap, [*by_side, (side != "").astype(np.float64)]),
    }


def _skill(sums: Floats, undefined: float) -> Floats:
    rate = sums[:, 1] / sums[:, 2]
    return 1 - divided(sums[:, 0], sums[:, 2] * rate * (1 - rate), 1 - undefined)


def _mean_gap(sums: Floats) -> Floats:
    return divided(np.abs(sums[:, :-1]).sum(axis=1), sums[:, -1])


def _largest_gap(sums: Floats) -> Floats:
    gaps, n = np.hsplit(np.abs(sums), 2)
    return np.asarray(divided(gaps, n, 0.0).max(axis=1))


def _never(sums: Floats) -> Floats:
    return np.full(len(sums), NAN)


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

    cells = [((x == said) & (y == true)).astype(np.float64) for said, true in ((1, 1), (1, 0), (0, 1), (0, 0))]

    def f1(sums: Floats, sides: Sequence[str]) -> Floats:
        tp, fp, fn, tn = sums.T
        hits = (tp if side == "yes" else tn for side in sides)
        return np.asarray(np.mean([divided(2 * hit, 2 * hit + fp + fn, zero_division) for hit in hits], axis=0))

    found = {"accuracy": share(right, g)}
    for name, sides in (("macro F1", ("yes", "no")), ("F1 of yes", ("yes",)), ("F1 of no", ("no",))):
        found[name] = of_sums(partial(f1, sides=sides), cells, g, resamples=resamples)
    for side, value in (("yes", 1), ("no", 0)):
        found[f"precision of {side}"] = share(right[x == value], g[x == value])
        found[f"recall of {side}"] = share(right[y == value], g[y == value])
    for when, chosen in (("right", right), ("wrong", ~right)):
        found[f"mean confidence when {when}"] = mean(sure[chosen], g[chosen], resamples=resamples)
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
    return told | {name: wilson(hits, of) for name, (hits, of) in shares.items() if of}


def _group_error(forecast: Floats, side: np.ndarray, counts: Confusion) -> float:
    sides = (("yes", counts.tp, counts.tp + counts.fp), ("no", counts.fn, counts.fn + counts.tn))
    parts = [(forecast[side == word], happened / n) for word, happened, n in sides if n and (side == word).any()]
    n = sum(len(part) for part, _ in parts)
    return float(sum(abs(part.mean() - rate) * len(part) for part, rate in parts) / n) if n else NAN


def correlation_interval(measure: Callable[..., float], x: ArrayLike, y: ArrayLike) -> Interval:
    """A correlation of x (n,) and y (n,) with Fisher's interval, tanh(artanh r -+ 1.96 / sqrt(n - 3)), and its p.

    For ranks, and for few pairs, an approximation. Limits are nan for fewer than 4 pairs or |r| = 1; all nan without.

    source  Fisher 1915, Biometrika 10(4)

    >>> from doxa.metrics.agreement import pearson
    >>> found = correlation_interval(pearson, [1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5])
    >>> round(found.value, 3), round(found.low, 3), found.method
    (0.829, 0.052, 'fisher, p = 0.042')
    """
    n = np.size(x)
    r = measure(x, y) if n else NAN
    method = f"fisher, p = {correlation_p(r, n):.2g}"
    if n < 4 or not abs(r) < 1:
        return Interval(r, NAN, NAN, n, method)
    half = normal_quantile(0.95) / math.sqrt(n - 3)
    return Interval(r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half), n, method)


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
