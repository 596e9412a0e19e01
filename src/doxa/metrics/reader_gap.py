"""The gap between a model's confidence in its answers and its readers', in calibration, discrimination and means."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doxa.metrics.agreement import pearson
from doxa.metrics.calibration_interval import bootstrap_ece, ece_of_weights
from doxa.metrics.confidence_scores import gains
from doxa.metrics.discrimination_interval import auroc_of_weights, bootstrap_auroc
from doxa.metrics.inputs import Floats, Ints, codes, outcomes, probabilities, same_length
from doxa.metrics.intervals import NAN, Interval, proportion_clustered
from doxa.metrics.means import mean_interval
from doxa.metrics.resampling import CELLS, bootstrap
from doxa.metrics.sums import NOTHING, correlation, difference

RELIED = 0.7  # a wrong answer believed at least so much is relied on too much
NAMES = (
    *("calibration gap", "discrimination gap", "mean gap", "bias", "accuracy"),
    *("mean model confidence", "mean reader confidence", "model ECE", "reader ECE", "model AUC", "reader AUC"),
    *("over-reliance", "correlation with model confidence"),
)
CHANGED = ("calibration gap", "discrimination gap", "mean gap", "reader AUC", "mean reader confidence")
SIGNED = {"calibration gap", "discrimination gap", "mean gap", "bias", "correlation with model confidence"}


@dataclass(frozen=True, eq=False)
class Trials:
    """n trials: a reader states how likely an answer is right, of which the model has a confidence of its own.

    reader, model  (n,) probability in [0, 1] that the answer is right
    correct        (n,) 0 or 1
    item           (n,) labels: the same answer is read in several trials
    person         (n,) labels: the same reader has several trials
    """

    reader: Floats
    model: Floats
    correct: Floats
    item: NDArray[np.str_]
    person: NDArray[np.str_]

    @classmethod
    def of(
        cls,
        reader: ArrayLike,
        model: ArrayLike,
        correct: ArrayLike,
        item: ArrayLike | None = None,
        person: ArrayLike | None = None,
    ) -> Trials:
        """Checked trials; without labels every trial is of another item, and all are of one reader.

        raises  ValueError: unequal lengths, a confidence outside [0, 1], `correct` other than 0 or 1
        """
        if not np.size(reader):
            none, nobody = np.zeros(0), np.zeros(0, dtype=str)
            return cls(none, none, none, nobody, nobody)
        h, m, right = probabilities("reader", reader), probabilities("model", model), outcomes("correct", correct)
        items = np.arange(len(h)).astype(str) if item is None else np.asarray(item, dtype=str)
        persons = np.full(len(h), "") if person is None else np.asarray(person, dtype=str)
        same_length(reader=h, model=m, correct=right, item=items, person=persons)
        return cls(h, m, right, items, persons)

    def __len__(self) -> int:
        return len(self.reader)

    def where(self, keep: ArrayLike) -> Trials:
        """The trials of a mask (n,)."""
        mask = np.asarray(keep, dtype=bool)
        return Trials(self.reader[mask], self.model[mask], self.correct[mask], self.item[mask], self.person[mask])


def gap_scores(trials: Trials, *, bins: int = 10, resamples: int = 1000) -> dict[str, Interval]:
    """`NAMES` with 95 % intervals, for trials that share items and readers (`two_way`); nan without trials.

    calibration gap     reader ECE minus model ECE, on the same trials: above 0, readers are worse calibrated
    discrimination gap  model AUC minus reader AUC: above 0, readers tell right from wrong answers less well
    mean gap            mean reader confidence minus mean model confidence; bias: minus accuracy
    over-reliance       share of the trials on wrong answers with a reader's confidence of .7 or more
    source              arXiv 2401.13835; over-reliance and the mean gap are reconstructed

    >>> m, h = (.9, .8, .7, .6, .5, .4, .9, .3), (.9, .9, .8, .8, .7, .8, .9, .7)
    >>> found = gap_scores(Trials.of(h, m, (1, 1, 1, 0, 1, 0, 1, 0)))
    >>> [round(found[name].value, 4) for name in ("calibration gap", "discrimination gap", "mean gap", "bias")]
    [-0.05, 0.1667, 0.175, 0.1875]
    """
    if not len(trials):
        return dict.fromkeys(NAMES, NOTHING)
    found = two_way(lambda groups: _scores(trials, groups, bins, resamples), trials)
    return {name: found[name] for name in NAMES}


def _scores(t: Trials, groups: Ints, bins: int, resamples: int) -> dict[str, Interval]:
    """All of `NAMES`, intervals by one way of grouping the trials."""
    n, wrong = len(t), t.correct == 0
    gained = gains((t.reader, t.correct), (t.model, t.correct), groups, bins=bins, resamples=resamples)
    area = gained["AUROC"] if 0 < wrong.sum() < n else Interval(NAN, NAN, NAN, n, "one class only")

    def mean(values: Floats, bounds: tuple[float, float]) -> Interval:
        return mean_interval(values, groups=groups, bounds=bounds)

    def ece(said: Floats) -> Interval:
        return bootstrap_ece(said, t.correct, bins=bins, groups=groups, resamples=resamples)

    def auc(said: Floats) -> Interval:
        return bootstrap_auroc(said, t.correct, groups=groups, resamples=resamples)

    relied = np.round(t.reader[wrong], 9) >= RELIED
    return {
        "accuracy": proportion_clustered(t.correct, groups),
        "mean model confidence": mean(t.model, (0, 1)),
        "mean reader confidence": mean(t.reader, (0, 1)),
        "model ECE": ece(t.model),
        "reader ECE": ece(t.reader),
        "calibration gap": gained["ECE"],
        "model AUC": auc(t.model),
        "reader AUC": auc(t.reader),
        "discrimination gap": Interval(-area.value, -area.high, -area.low, area.n, area.method),
        "mean gap": mean(t.reader - t.model, (-1, 1)),
        "bias": mean(t.reader - t.correct, (-1, 1)),
        "over-reliance": proportion_clustered(relied, groups[wrong]) if wrong.any() else NOTHING,
        "correlation with model confidence": _correlation(t, groups, resamples),
    }


def _correlation(t: Trials, groups: Ints, resamples: int) -> Interval:
    """Pearson's; nan where either never varies."""
    if len(t) < 3 or np.ptp(t.reader) < 1e-12 or np.ptp(t.model) < 1e-12:
        return Interval(NAN, NAN, NAN, len(t), "no correlation: one of the two never varies")

    def of(reader: Floats, model: Floats) -> float:
        return pearson(reader, model) if np.ptp(reader) > 0 and np.ptp(model) > 0 else NAN

    return bootstrap(of, t.reader, t.model, groups=groups, resamples=resamples, method="percentile")


def two_way(of: Callable[[Ints], Mapping[str, Interval]], trials: Trials) -> dict[str, Interval]:
    """Intervals for trials that share items, and share readers: `of` gives those of trials in groups (n,).

    With one reader they are the intervals by items. Else the squared distances from the value to a limit add up as
    variances do: by items + by readers - by pairs of both, and never less than the larger of the first two. 95 %
    coverage of the figures of `gap_scores` .95 to 1.00, highest for means (30 readers of 15 of 80 items each).

    source  Cameron, Gelbach and Miller 2011, J. Business and Economic Statistics 29(2), for the variances
    """
    (item_n, items), (person_n, persons) = codes("item", trials.item), codes("person", trials.person)
    if persons < 2:
        return dict(of(item_n))
    pair_n = np.unique(item_n * persons + person_n, return_inverse=True)[1].astype(np.int64)
    item, person, pair = (of(groups) for groups in (item_n, person_n, pair_n))
    note = f"by {items} items and {persons} readers"
    return {name: _combined(item[name], person[name], pair[name], _bounds(name), note) for name in item}


def _bounds(name: str) -> tuple[float, float]:
    if name not in NAMES:
        return -math.inf, math.inf
    return -1.0 if name in SIGNED else 0.0, 1.0


def _combined(
    by_item: Interval, by_person: Interval, by_pair: Interval, bounds: tuple[float, float], note: str
) -> Interval:
    value = by_item.value
    below = _distance(*(value - i.low for i in (by_item, by_person, by_pair)))
    above = _distance(*(i.high - value for i in (by_item, by_person, by_pair)))
    method = f"{by_pair.method.split(', clustered')[0]}, {note}"
    low, high = np.clip([value - below, value + above], *bounds)
    return Interval(value, float(low), float(high), by_item.n, method)


def _distance(item: float, person: float, pair: float) -> float:
    if math.isnan(item + person + pair):
        return NAN
    return math.sqrt(max(item**2 + person**2 - pair**2, item**2, person**2))


# --- contrasts of two sets of trials ---------------------------------------------------------------------------------

Weighted = Callable[[Floats], Floats]


def gap_changes(after: Trials, before: Trials, *, bins: int = 10, resamples: int = 1000) -> dict[str, Interval]:
    """Each of `CHANGED` after, minus that before.

    Limits come from the limits of both and from the correlation of their resampled values; each resample draws the
    same items and the same readers for both. nan where either has no trials.
    """
    if not len(after) or not len(before):
        return dict.fromkeys(CHANGED, NOTHING)
    found = [gap_scores(t, bins=bins, resamples=resamples) for t in (after, before)]
    statistics = [_weighted(t, bins) for t in (after, before)]
    drawn: dict[str, list[list[Floats]]] = {name: [[], []] for name in CHANGED}
    for weights in weight_blocks(after, before, resamples=resamples):
        for name in CHANGED:
            for k in (0, 1):
                drawn[name][k].append(statistics[k][name](weights[k]))
    return {
        name: _minus(found[0][name], found[1][name], *(np.concatenate(blocks) for blocks in drawn[name]))
        for name in CHANGED
    }


def _minus(a: Interval, b: Interval, drawn_a: Floats, drawn_b: Floats) -> Interval:
    if math.isnan(a.low + a.high + b.low + b.high):
        return Interval(a.value - b.value, NAN, NAN, a.n + b.n, "no interval: one of the two has none")
    return difference(a, b, correlation=correlation(drawn_a, drawn_b))


def _weighted(t: Trials, bins: int) -> dict[str, Weighted]:
    """Statistics of weights (r, n) of the trials."""
    ece = [ece_of_weights(said, t.correct, bins=bins) for said in (t.reader, t.model)]
    auc = [auroc_of_weights(said, t.correct) for said in (t.reader, t.model)]

    def mean(values: Floats) -> Weighted:
        return lambda w: np.divide(w @ values, w.sum(axis=1), out=np.full(len(w), NAN), where=w.sum(axis=1) > 0)

    return {
        "calibration gap": lambda w: ece[0](w) - ece[1](w),
        "discrimination gap": lambda w: auc[1](w) - auc[0](w),
        "mean gap": mean(t.reader - t.model),
        "reader AUC": auc[0],
        "mean reader confidence": mean(t.reader),
    }


def weight_blocks(*several: Trials, resamples: int = 1000, seed: int = 0) -> Iterator[list[Floats]]:
    """Weights (r, n) of the trials of each set, block by block: items are drawn, and readers too if there are several.

    A trial weighs how often its item was drawn times how often its reader was (the pigeonhole bootstrap).

    source  Owen 2007, Annals of Applied Statistics 1(2)
    """
    item_n, items = codes("item", np.concatenate([t.item for t in several]))
    person_n, persons = codes("person", np.concatenate([t.person for t in several]))
    ends = np.cumsum([len(t) for t in several])[:-1]
    rng = np.random.default_rng(seed)
    step = max(1, CELLS // max(len(item_n), 1))
    for first in range(0, resamples, step):
        rows = min(step, resamples - first)
        weights = _drawn(rng, rows, items)[:, item_n]
        if persons > 1:
            weights = weights * _drawn(rng, rows, persons)[:, person_n]
        empty = [w.sum(axis=1) == 0 for w in np.split(weights, ends, axis=1)]
        weights[np.any(empty, axis=0)] = 1.0  # nothing was drawn of a set: the plain value stands for it
        yield np.split(weights, ends, axis=1)


def _drawn(rng: np.random.Generator, rows: int, units: int) -> Floats:
    """How often each unit was drawn, (rows, units)."""
    return rng.multinomial(units, np.full(units, 1 / units), size=rows).astype(np.float64)
