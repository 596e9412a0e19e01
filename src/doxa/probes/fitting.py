"""Fitting: logistic regression on soft labels, folds that keep groups together, a setting chosen by held-out loss."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, Ints, codes, probabilities, same_length, whole

Setting = TypeVar("Setting", bound=float)
MAX_ITERATIONS = 1000


def features(name: str, values: ArrayLike) -> Floats:
    """Features as float64 (n, d). ValueError: another shape, nothing in it, nan or infinite values."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}, not (n, d): one row per item, one column per feature.")
    if not np.isfinite(array).all():
        row = int((~np.isfinite(array)).any(axis=1).argmax())
        raise ValueError(f"{name}[{row}] holds nan or infinity; leave the item out and count it.")
    return array


def soft_labels(target: ArrayLike) -> Floats:
    """Labels as float64 (n,), rates in [0, 1]. ValueError: all are equal, so that nothing is learnt."""
    labels = probabilities("target", target)
    if labels.max() - labels.min() < 1e-12:
        raise ValueError(
            f"target is {labels[0]:g} for all {len(labels)} items: one class, and nothing to tell apart. "
            "Give items that are answered rightly and wrongly."
        )
    return labels


def log_loss(prediction: Floats, target: Floats) -> float:
    """Mean cross-entropy, nats, of predictions (n,) in (0, 1) against soft labels (n,); infinite for a sure miss."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(target > 0, target * np.log(prediction), 0.0)
        parts += np.where(target < 1, (1 - target) * np.log1p(-prediction), 0.0)
    return float(-parts.mean())


def soft_logistic(x: Any, target: Floats, l2: float, start: Floats | None = None) -> Floats:
    """Weights (d + 1,), the last one the bias, that minimise cross-entropy + l2 / 2 * |weights|^2, the bias free.

    x       (n, d) array or sparse matrix; target: (n,) in [0, 1], equal in expectation to the n s rows with hard
            labels of s samples each
    l2      above 0, per item: the loss is a mean
    start   where to begin
    raises  ValueError: l2 not above 0
    """
    from scipy.optimize import minimize

    if not l2 > 0:
        raise ValueError(f"l2 is {l2!r}; it must be above 0, for separable classes have no finite weights without it")
    n, d = x.shape

    def loss(weights: Floats) -> tuple[float, Floats]:
        w, score = weights[:-1], x @ weights[:-1] + weights[-1]
        off = (_sigmoid(score) - target) / n
        value = float((np.logaddexp(0, score) - target * score).mean() + l2 / 2 * (w @ w))
        return value, np.append(x.T @ off + l2 * w, off.sum())

    begin = np.append(np.zeros(d), _logit(float(target.mean()))) if start is None else start
    options = {"maxiter": MAX_ITERATIONS, "gtol": 1e-7, "ftol": 1e-12}
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=options)
    if found.nit >= MAX_ITERATIONS:
        warnings.warn(f"the head was not settled after {MAX_ITERATIONS} steps (l2 = {l2:g}); raise l2", stacklevel=2)
    return np.asarray(found.x)


def probability(x: Any, weights: Floats) -> Floats:
    """Probability (n,) by weights (d + 1,) as `soft_logistic` gives them."""
    return _sigmoid(np.asarray(x @ weights[:-1]) + weights[-1])


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p))) if 0 < p < 1 else 0.0


# --- groups ----------------------------------------------------------------------------------------------------------


def fold_of(groups: ArrayLike, folds: int, *, seed: int = 0) -> Ints:
    """Fold (n,) of each item, 0 to folds - 1: no group stands in two, folds hold about equally many groups.

    raises  ValueError: fewer groups than folds, or fewer than two folds
    """
    code_n, units = codes("groups", groups)
    if whole("folds", folds, minimum=2) > units:
        raise ValueError(f"{units} groups cannot stand in {folds} folds; give at least {folds}, or fewer folds")
    fold_g = np.random.default_rng(seed).permutation(units) % folds
    return np.asarray(fold_g[code_n], dtype=np.int64)


@dataclass(frozen=True)
class Chosen(Generic[Setting]):
    """A setting, and what cross-validation saw: the loss of each, and the chosen one's predictions.

    loss      held-out loss by setting; empty: there was one setting, and no choice
    held_out  (n,) prediction of each item by what was fitted without its group; nan where there was no choice
    """

    setting: Setting
    loss: dict[Setting, float]
    held_out: Floats


def choose(
    settings: Sequence[Setting],
    predict: Callable[[Ints, Ints], dict[Setting, Floats]],
    target: Floats,
    loss: Callable[[Floats, Floats], float],
    groups: ArrayLike | None,
    *,
    folds: int,
    seed: int,
) -> Chosen[Setting]:
    """The setting of least held-out loss over folds that keep groups together; of equally good ones the first.

    predict  (rows to fit, rows to predict) -> predictions of the latter for each setting
    groups   (n,) labels; None: each item is its own
    """
    n = len(target)
    if not settings:
        raise ValueError("there is no setting to choose from; give at least one")
    if len(settings) == 1:
        return Chosen(settings[0], {}, np.full(n, np.nan))
    labels = np.arange(n) if groups is None else np.asarray(groups)
    same_length(target=target, groups=labels)
    fold_n = fold_of(labels, folds, seed=seed)
    predicted = {s: np.full(n, np.nan) for s in settings}
    for fold in range(folds):
        fit, rest = np.flatnonzero(fold_n != fold), np.flatnonzero(fold_n == fold)
        for setting, found in predict(fit, rest).items():
            predicted[setting][rest] = found
    losses = {s: loss(p, target) for s, p in predicted.items()}
    best = min(settings, key=lambda s: losses[s])
    return Chosen(best, losses, predicted[best])
