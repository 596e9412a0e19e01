"""Post-hoc calibrators: maps from a stated confidence to the probability of being right, fitted, applied, saved.

Confidences are probabilities in [0, 1]; what is fitted on some answers is applied to others. `cross_fitted` gives every
answer a value from a fit without its group, for an honest comparison of before and after on one set of answers.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, codes, one_of, outcomes, probabilities, same_length, whole

Method = Literal["temperature", "platt", "beta", "isotonic", "spline"]
METHODS: tuple[Method, ...] = get_args(Method)
FORMAT = 1
CLIP = 1e-6  # logits of surer confidences are those of this and 1 less it
RIDGE = 1e-3  # of logistic weights, in all: separable answers would have infinite ones without it
KNOTS = 6  # of the spline, at quantiles of the confidence
LEAST = {"temperature": 10, "platt": 20, "beta": 30, "isotonic": 50, "spline": 50}  # answers, below which it warns


@dataclass(frozen=True)
class Calibrator:
    """A fitted map, as numbers that can be written down.

    method      "temperature": logit / T; "platt": logistic in the confidence's logit; "beta": logistic in log c and
                log (1 - c), weights not negative; "isotonic": steps that never fall, linear between; "spline": a
                natural cubic spline of the logit, made monotone; "identity": nothing could be fitted
    parameters  of the method, by name
    n           answers it was fitted on
    about       what they were: model, study, way of reading; free, kept with it
    """

    method: Method | Literal["identity"]
    parameters: Mapping[str, Any]
    n: int
    about: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, confidence: ArrayLike) -> Floats:
        """Calibrated confidence (n,) in [0, 1]; nan stays nan. ValueError: values outside [0, 1]."""
        given = np.asarray(confidence, dtype=np.float64)
        known = ~np.isnan(given)
        found = np.full(given.shape, math.nan)
        if known.any():
            found[known] = np.clip(
                _APPLY[self.method](probabilities("confidence", given[known]), self.parameters), 0, 1
            )
        return found

    def to_json(self) -> str:
        """As text that `from_json` reads."""
        kept = {"format": FORMAT, "method": self.method, "n": self.n, "parameters": dict(self.parameters)}
        return json.dumps({**kept, "about": dict(self.about)}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Calibrator:
        """A saved calibrator. ValueError: text that is none, one that gives no probabilities, or a later format."""
        try:
            kept = json.loads(text)
            made = cls(kept["method"], kept["parameters"], int(kept["n"]), kept.get("about") or {})
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no saved calibrator ({type(error).__name__}: {error})") from None
        if kept.get("format") != FORMAT or made.method not in _APPLY:
            raise ValueError(
                f"a calibrator of format {kept.get('format')!r}, method {made.method!r}; this version reads format "
                f"{FORMAT} with {', '.join(_APPLY)}. Fit it anew"
            )
        try:
            with np.errstate(invalid="ignore"):
                tried = made.apply([0.0, 0.5, 1.0])
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise ValueError(f"this {made.method} calibrator lacks its parameters ({error!r}). Fit it anew") from None
        if np.isnan(tried).any():
            raise ValueError(f"this {made.method} calibrator maps 0, 0.5 and 1 to {tried.tolist()}. Fit it anew")
        return made


def fit(
    confidence: ArrayLike, correct: ArrayLike, method: Method = "isotonic", *, about: Mapping[str, Any] | None = None
) -> Calibrator:
    """Fit a calibrator on answers whose truth is known.

    confidence  (n,) in [0, 1]; correct: (n,) 0 or 1
    returns     the identity where all answers are right or all wrong (with a warning): nothing can be told of them
    warns       few answers for the method; answers that the confidence separates without error (weights are held
                small by a ridge of 1e-3)
    raises      ValueError: unequal lengths, n = 0, values out of range, no such method
    source      temperature: Guo et al. 2017, arXiv 1706.04599; Platt 1999; beta: Kull et al. 2017, AISTATS; isotonic:
                Zadrozny and Elkan 2002; splines: Lucena 2018, arXiv 1809.07751, here natural and monotone

    >>> made = fit([0.1, 0.2, 0.3, 0.4] * 20, [0, 1, 0, 1] * 20, "isotonic")
    >>> made.apply([0.1, 0.2, 0.3, 0.4]).tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    one_of("method", method, METHODS)
    c, y = probabilities("confidence", confidence), outcomes("correct", correct)
    n = same_length(confidence=c, correct=y)
    if y.min() == y.max():
        warnings.warn(f"all {n} answers are {'right' if y[0] else 'wrong'}: nothing is calibrated", stacklevel=2)
        return Calibrator("identity", {}, n, about or {})
    if n < LEAST[method]:
        warnings.warn(f"{n} answers are few for {method!r}, which wants {LEAST[method]} or more", stacklevel=2)
    return Calibrator(method, _FIT[method](c, y), n, about or {})


def cross_fitted(
    confidence: ArrayLike,
    correct: ArrayLike,
    method: Method = "isotonic",
    *,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Floats:
    """Calibrated confidence (n,) of each answer by a fit on the other folds; groups stay together.

    groups  (n,) labels of answers to one question; None: each answer for itself
    raises  ValueError as `fit`; fewer groups than folds
    """
    c, y = probabilities("confidence", confidence), outcomes("correct", correct)
    n = same_length(confidence=c, correct=y)
    code_n, units = codes("groups", np.arange(n) if groups is None else groups)
    same_length(confidence=c, groups=code_n)
    if whole("folds", folds, minimum=2) > units:
        raise ValueError(f"{units} groups cannot stand in {folds} folds; give at least {folds}, or fewer folds")
    fold_n = (np.random.default_rng(seed).permutation(units) % folds)[code_n]
    found = np.empty(n)
    for fold in range(folds):
        rest = fold_n == fold
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `fit` on all answers says it once
            found[rest] = fit(c[~rest], y[~rest], method).apply(c[rest])
    return found


def best_method(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    methods: Sequence[Method] = METHODS,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Method:
    """The method of the least cross-fitted Brier score; of equally good ones the first."""
    y = outcomes("correct", correct)
    scores = {
        m: float(((cross_fitted(confidence, correct, m, groups=groups, folds=folds, seed=seed) - y) ** 2).mean())
        for m in methods
    }
    return min(methods, key=lambda m: scores[m])


def fit_temperature(logits: ArrayLike, truth: ArrayLike) -> float:
    """The temperature T of least cross-entropy of softmax(logits / T) over options.

    logits  (n, c) log-probabilities or logits of the options; minus infinity: no such option
    truth   (n,) place of the right option
    raises  ValueError: n = 0, a place that there is not, a right option of probability 0
    source  Guo et al. 2017, arXiv 1706.04599; Kadavath et al. 2022, arXiv 2207.05221, sec. 3.2

    >>> x = np.log([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2]])
    >>> round(fit_temperature(x * 2.5, [0, 0, 0, 0, 1]), 3)    # right as often as softmax(x) says
    2.5
    """
    x, right = np.asarray(logits, dtype=np.float64), np.asarray(truth)
    if x.ndim != 2 or not len(x) or len(x) != len(right):
        raise ValueError(f"logits have shape {x.shape}, truth {right.shape}; one row of options for each of n >= 1")
    if right.min() < 0 or right.max() >= x.shape[1] or not np.isfinite(x[np.arange(len(x)), right]).all():
        raise ValueError("truth names an option that there is not, or one of probability 0")
    x = x - x.max(axis=1, keepdims=True)

    def loss(log_t: float) -> float:
        scaled = x / math.exp(log_t)
        return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(x)), right]).mean())

    return math.exp(_minimum(loss, -4.0, 4.0))


# --- the methods -----------------------------------------------------------------------------------------------------


def logit(p: Floats) -> Floats:
    """Log-odds, those of 0 and 1 held finite."""
    held = np.clip(p, CLIP, 1 - CLIP)
    return np.asarray(np.log(held) - np.log1p(-held))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _minimum(loss: Any, low: float, high: float) -> float:
    from scipy.optimize import minimize_scalar

    return float(minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-7}).x)


def _fit_temperature(c: Floats, y: Floats) -> dict[str, float]:
    x = logit(c)
    loss = lambda log_t: float((np.logaddexp(0, x / math.exp(log_t)) - y * x / math.exp(log_t)).mean())  # noqa: E731
    return {"temperature": math.exp(_minimum(loss, -4.0, 4.0))}


def _apply_temperature(c: Floats, of: Mapping[str, Any]) -> Floats:
    return _sigmoid(logit(c) / of["temperature"])


def _logistic(x: Floats, y: Floats, least: Sequence[float | None]) -> Floats:
    """Weights (d + 1,), the bias last, by ridge-regularised maximum likelihood; `least`: their lower bounds."""
    from scipy.optimize import minimize

    n, d = x.shape

    def loss(w: Floats) -> tuple[float, Floats]:
        score = x @ w[:-1] + w[-1]
        off = _sigmoid(score) - y
        value = float((np.logaddexp(0, score) - y * score).sum() + RIDGE / 2 * (w[:-1] @ w[:-1]))
        return value / n, np.append(x.T @ off + RIDGE * w[:-1], off.sum()) / n

    start = np.append(np.ones(d), 0.0)
    bounds = [*((low, None) for low in least), (None, None)]
    found = np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"gtol": 1e-9}).x)
    score = x @ found[:-1]
    if score[y == 1].min() > score[y == 0].max():
        warnings.warn(
            "confidence separates right from wrong answers without error: the weights are held by a ridge alone, "
            "and the calibrated values are close to 0 and 1; give more answers",
            stacklevel=4,
        )
    return found


def _fit_platt(c: Floats, y: Floats) -> dict[str, float]:
    slope, bias = _logistic(logit(c)[:, None], y, [None]).tolist()
    return {"slope": slope, "bias": bias}


def _apply_platt(c: Floats, of: Mapping[str, Any]) -> Floats:
    return _sigmoid(of["slope"] * logit(c) + of["bias"])


def _logs(c: Floats) -> Floats:
    held = np.clip(c, CLIP, 1 - CLIP)
    return np.column_stack([np.log(held), -np.log1p(-held)])


def _fit_beta(c: Floats, y: Floats) -> dict[str, float]:
    a, b, bias = _logistic(_logs(c), y, [0.0, 0.0]).tolist()
    return {"a": a, "b": b, "bias": bias}


def _apply_beta(c: Floats, of: Mapping[str, Any]) -> Floats:
    return _sigmoid(_logs(c) @ np.array([of["a"], of["b"]]) + of["bias"])


def _fit_isotonic(c: Floats, y: Floats) -> dict[str, list[float]]:
    x, place = np.unique(c, return_inverse=True)
    held = np.bincount(place)
    steps = _rising(np.bincount(place, weights=y) / held, held)
    before, after = np.diff(steps, prepend=np.nan) != 0, np.diff(steps, append=np.nan) != 0
    ends = before | after  # within a step nothing bends
    return {"x": x[ends].tolist(), "y": steps[ends].tolist()}


def _rising(values: Floats, weights: ArrayLike) -> Floats:
    """The nearest values that never fall, by weighted least squares."""
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, weights=np.asarray(weights, dtype=np.float64)).x)


def _apply_steps(c: Floats, of: Mapping[str, Any]) -> Floats:
    return np.interp(c, of["x"], of["y"])


def _fit_spline(c: Floats, y: Floats) -> dict[str, list[float]]:
    """Logistic regression on a natural cubic basis of the logit, then its values made monotone on a grid."""
    x = logit(c)
    knots = np.unique(np.quantile(x, np.linspace(0, 1, KNOTS)))
    if len(knots) < 3:
        slope, bias = _logistic(x[:, None], y, [None]).tolist()
        grid = np.linspace(x.min(), x.max(), 2)
        return {"x": grid.tolist(), "y": (slope * grid + bias).tolist()}
    basis = _natural(x, knots)
    centre, scale = basis.mean(axis=0), basis.std(axis=0) + 1e-12
    weights = _logistic((basis - centre) / scale, y, [None] * basis.shape[1])
    grid = np.linspace(knots[0], knots[-1], 101)
    score = (_natural(grid, knots) - centre) / scale @ weights[:-1] + weights[-1]
    held = np.interp(np.sort(x), grid, np.arange(len(grid)))
    weight = np.bincount(np.round(held).astype(int), minlength=len(grid)) + 1e-3
    return {"x": grid.tolist(), "y": _rising(score, weight).tolist()}


def _natural(x: Floats, knots: Floats) -> Floats:
    """Natural cubic basis (n, k - 1) of k knots: linear beyond the outer ones. Source: Hastie et al. 2009, eq. 5.5."""

    def cubes(j: int) -> Floats:
        part = np.maximum(x - knots[j], 0) ** 3 - np.maximum(x - knots[-1], 0) ** 3
        return np.asarray(part / (knots[-1] - knots[j]))

    last = cubes(len(knots) - 2)
    return np.column_stack([x, *(cubes(j) - last for j in range(len(knots) - 2))])


def _apply_spline(c: Floats, of: Mapping[str, Any]) -> Floats:
    return _sigmoid(np.interp(logit(c), of["x"], of["y"]))


_FIT: Mapping[str, Any] = {
    "temperature": _fit_temperature,
    "platt": _fit_platt,
    "beta": _fit_beta,
    "isotonic": _fit_isotonic,
    "spline": _fit_spline,
}
_APPLY: Mapping[str, Any] = {
    "temperature": _apply_temperature,
    "platt": _apply_platt,
    "beta": _apply_beta,
    "isotonic": _apply_steps,
    "spline": _apply_spline,
    "identity": lambda c, of: c,
}
