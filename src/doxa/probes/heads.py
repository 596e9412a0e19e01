"""Confidence heads on features: a logistic one with soft labels, and its baseline, the nearest items of the past.

What is learnt from n items and their rates of being right is the probability that a new item is. Every head is fitted
with `fit`, asked with `predict`, kept with `save` and found again with `load`; files are JSON and safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, same_length
from doxa.probes.fitting import Chosen, choose, features, log_loss, probability, soft_labels, soft_logistic

SETTINGS, ARRAYS = "head.json", "head.safetensors"
L2 = (10.0, 1.0, 0.1, 0.01, 1e-3, 1e-4)
NEIGHBOURS = (40, 20, 10, 5)
VERSION = 1
ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class ConfidenceHead:
    """A logistic head on (n, d) features, standardised as those it was fitted on.

    weight  (d,); bias: together the log-odds of standardised features; mean, scale: (d,) of the features
    chosen  the L2 penalty, with the held-out loss of each; not kept in the file but for the numbers
    source  P(IK) of Kadavath et al. 2022, arXiv 2207.05221, on a frozen model
    """

    kind: ClassVar[str] = "logistic"
    weight: Floats
    bias: float
    mean: Floats
    scale: Floats
    chosen: Chosen[float] | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        features_nd: ArrayLike,
        target: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        l2: Sequence[float] = L2,
        folds: int = 5,
        seed: int = 0,
    ) -> Self:
        """Fit on items and the rate at which each was right.

        target  (n,) in [0, 1]: 0 and 1, or the share of an item's samples that were right (a soft label)
        groups  (n,) labels of items that belong together: none stands on both sides in choosing the penalty
        l2      penalties to choose from, by held-out cross-entropy over `folds` folds; one: no choice is made
        raises  ValueError: one class, nan or infinite features, unequal lengths, fewer groups than folds
        """
        x, y = features("features", features_nd), soft_labels(target)
        same_length(features=x, target=y)
        penalties = sorted(set(l2), reverse=True)

        def predict(fit: Any, rest: Any) -> dict[float, Floats]:
            mean, scale = _standard(x[fit])
            path = _path((x[fit] - mean) / scale, y[fit], penalties)
            return {s: probability((x[rest] - mean) / scale, w) for s, w in path.items()}

        chosen = choose(penalties, predict, y, log_loss, groups, folds=folds, seed=seed)
        mean, scale = _standard(x)
        weights = soft_logistic((x - mean) / scale, y, chosen.setting)
        kept = {"l2": chosen.setting, "loss": {f"{s:g}": v for s, v in chosen.loss.items()}, "n": len(y), "seed": seed}
        return cls(weights[:-1], float(weights[-1]), mean, scale, chosen, kept)

    def predict(self, features_nd: ArrayLike) -> Floats:
        """Confidence (n,) of each item. ValueError: another width than the head was fitted on, nan."""
        x = features("features", features_nd)
        if x.shape[1] != len(self.weight):
            raise ValueError(f"features are {x.shape[1]} wide; this head was fitted on {len(self.weight)} of them.")
        return probability((x - self.mean) / self.scale, np.append(self.weight, self.bias))

    def save(self, folder: str | Path) -> None:
        """Write head.json and head.safetensors to a folder, which is made if need be."""
        arrays = {"weight": self.weight, "bias": np.array([self.bias]), "mean": self.mean, "scale": self.scale}
        write(folder, self.kind, self.settings, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """A stored head. ValueError: a folder with another kind of head, or with none."""
        settings, arrays = read(folder, cls.kind)
        return cls(arrays["weight"], float(arrays["bias"][0]), arrays["mean"], arrays["scale"], settings=settings)


@dataclass(frozen=True, eq=False)
class NearestConfidence:
    """The mean rate of the k nearest past items, by Euclidean distance between standardised features.

    points  (m, d) standardised features of the past items; target: (m,) their rates
    chosen  k, with the held-out loss of each: the mean square error, for a rate of 0 or 1 has no logarithm
    """

    kind: ClassVar[str] = "nearest"
    points: Floats
    target: Floats
    k: int
    mean: Floats
    scale: Floats
    chosen: Chosen[int] | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        features_nd: ArrayLike,
        target: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        k: Sequence[int] = NEIGHBOURS,
        folds: int = 5,
        seed: int = 0,
    ) -> Self:
        """Keep the items, and choose k among those that there are enough items for. Arguments as `ConfidenceHead`."""
        x, y = features("features", features_nd), soft_labels(target)
        same_length(features=x, target=y)
        fitting = [s for s in k if 1 <= s <= len(y) * (folds - 1) // folds]
        if not fitting:
            raise ValueError(f"k is {tuple(k)}, but {len(y)} items in {folds} folds have neighbours for none of them")

        def predict(fit: Any, rest: Any) -> dict[int, Floats]:
            mean, scale = _standard(x[fit])
            ranked = _nearest((x[rest] - mean) / scale, (x[fit] - mean) / scale, max(fitting))
            return {s: y[fit][ranked[:, : min(s, len(fit))]].mean(axis=1) for s in fitting}

        chosen = choose(fitting, predict, y, _square_loss, groups, folds=folds, seed=seed)
        mean, scale = _standard(x)
        kept = {"k": chosen.setting, "loss": {str(s): v for s, v in chosen.loss.items()}, "n": len(y), "seed": seed}
        return cls((x - mean) / scale, y, chosen.setting, mean, scale, chosen, kept)

    def predict(self, features_nd: ArrayLike) -> Floats:
        """Confidence (n,) of each item; of past items equally far away the earlier count. ValueError: another width."""
        x = features("features", features_nd)
        if x.shape[1] != self.points.shape[1]:
            raise ValueError(f"features are {x.shape[1]} wide; the past items have {self.points.shape[1]} of them.")
        return np.asarray(self.target[_nearest((x - self.mean) / self.scale, self.points, self.k)].mean(axis=1))

    def save(self, folder: str | Path) -> None:
        """Write head.json and head.safetensors, the past items' features included, to a folder."""
        arrays = {"points": self.points, "target": self.target, "mean": self.mean, "scale": self.scale}
        write(folder, self.kind, self.settings, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """A stored one. ValueError: a folder with another kind of head, or with none."""
        settings, a = read(folder, cls.kind)
        return cls(a["points"], a["target"], int(settings["k"]), a["mean"], a["scale"], settings=settings)


def _standard(x: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation (d,); 1 where a feature does not vary, which then says nothing."""
    mean, sd = x.mean(axis=0), x.std(axis=0)
    return mean, np.where(sd > 1e-12 * (1 + np.abs(mean)), sd, 1.0)


def _path(x: Floats, y: Floats, penalties: Sequence[float]) -> dict[float, Floats]:
    """Weights for each penalty, from the largest down, each from the one before."""
    found: dict[float, Floats] = {}
    start = None
    for penalty in penalties:
        found[penalty] = start = soft_logistic(x, y, penalty, start)
    return found


def _nearest(x: Floats, points: Floats, k: int) -> np.ndarray:
    """Indices (n, k) of the nearest points, nearest first; a block of rows at a time, so that memory stays bounded."""
    squares = (points**2).sum(axis=1)
    blocks = []
    for begin in range(0, len(x), ROWS_AT_ONCE):
        part = x[begin : begin + ROWS_AT_ONCE]
        # Rounded, so that equal points are equally far away whatever the block.
        apart = np.round((part**2).sum(axis=1)[:, None] + squares - 2 * part @ points.T, 9)
        blocks.append(np.argsort(apart, axis=1, kind="stable")[:, :k])
    return np.concatenate(blocks)


def _square_loss(prediction: Floats, target: Floats) -> float:
    return float(((prediction - target) ** 2).mean())


# --- files -----------------------------------------------------------------------------------------------------------


def write(folder: str | Path, kind: str, settings: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Keep a head of a kind: settings as JSON, arrays as safetensors."""
    from safetensors.numpy import save_file

    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, path / ARRAYS)
    written = {"version": VERSION, "kind": kind, **settings}
    (path / SETTINGS).write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `write` kept. ValueError: no head there, of another kind, or of another version."""
    from safetensors.numpy import load_file

    path = Path(folder)
    if not (path / SETTINGS).is_file():
        raise ValueError(f"{str(folder)!r} holds no head: it has no {SETTINGS}")
    settings = json.loads((path / SETTINGS).read_text(encoding="utf-8"))
    if settings.get("kind") != kind or settings.get("version") != VERSION:
        raise ValueError(
            f"{str(folder)!r} holds a head of kind {settings.get('kind')!r}, version {settings.get('version')!r}; "
            f"wanted is {kind!r}, version {VERSION}"
        )
    return {k: v for k, v in settings.items() if k not in ("kind", "version")}, load_file(path / ARRAYS)
