"""What the gap between a model and its readers must be, when each answer's chance and each reader's rule are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.inputs import Floats
from doxa.metrics.reader_figures import OF_READER
from doxa.metrics.style_selection import Thresholds, selected_level

Centre = Callable[[str, bool], float]  # level, whether long -> the confidence that a reader states, before noise

Z = np.linspace(-4, 4, 65)  # points of the standard normal distribution
WEIGHT = np.exp(-(Z**2) / 2) / np.exp(-(Z**2) / 2).sum()


def noisy(centre: ArrayLike, noise: float, right: ArrayLike, *, own: float = 0.0) -> Outlook:
    """Confidence clip(centre + noise N(0, 1)) in n answers, each right with a chance (n,); centre (n,) or one number.

    own  share of the confidence that is the chance itself
    """
    right_n = np.asarray(right, dtype=float)[:, None]
    read_nk = np.clip(np.broadcast_to(np.asarray(centre, dtype=float), right_n.shape[:1])[:, None] + noise * Z, 0, 1)
    return Outlook.of(own * right_n + (1 - own) * read_nk, right_n, np.broadcast_to(WEIGHT, read_nk.shape))


def gaps_foreseen(reader: Outlook, model: Outlook, *, bins: int = 10) -> dict[str, Foreseen]:
    """What `gap_scores` must show, by its names, but for the correlation.

    Spreads of differences are those of independent figures: both rest on the same answers, so that they are smaller.
    """
    h, m = reader.said_nk, model.said_nk
    among = (np.round(h, 9) >= 0.7).astype(float)
    found = {
        "accuracy": model.mean(1.0, 0.0),
        "mean model confidence": model.mean(m, m),
        "mean reader confidence": reader.mean(h, h),
        "model ECE": model.gap_error(model.by_width(bins)),
        "reader ECE": reader.gap_error(reader.by_width(bins)),
        "model AUC": model.auroc(),
        "reader AUC": reader.auroc(),
        "bias": reader.mean(h - 1, h),
        "over-reliance": reader.ratio((0.0, among), (0.0, 1.0)),
    }
    found["calibration gap"] = minus(found["reader ECE"], found["model ECE"])
    found["discrimination gap"] = minus(found["model AUC"], found["reader AUC"])
    found["mean gap"] = minus(found["mean reader confidence"], found["mean model confidence"])
    return found


def minus(a: Foreseen, b: Foreseen) -> Foreseen:
    """The difference of two figures of the same n, taken as independent."""
    return Foreseen(a.value - b.value, math.hypot(a.sd, b.sd), a.n)


def changes_foreseen(after: Mapping[str, Foreseen], before: Mapping[str, Foreseen]) -> dict[str, Foreseen]:
    """What `gap_changes` must show, where model and answers are the same after and before."""
    pairs = {"calibration gap": "reader ECE", "mean gap": "mean reader confidence"}
    found = {name: minus(after[of], before[of]) for name, of in pairs.items()}
    found["discrimination gap"] = minus(before["reader AUC"], after["reader AUC"])
    return found | {name: minus(after[name], before[name]) for name in ("reader AUC", "mean reader confidence")}


def effect_foreseen(step: float, base: float, noise: float, n: int, trials: int = 1) -> Foreseen:
    """Mean of clip(base + step + noise N) less that of clip(base + noise N), each of `trials` trials of n items."""
    first, second = (_clipped(centre, noise) for centre in (base + step, base))
    return Foreseen(first[0] - second[0], math.hypot(first[1], second[1]) / math.sqrt(trials), n)


def _clipped(centre: float, noise: float) -> tuple[float, float]:
    values: Floats = np.clip(centre + noise * Z, 0, 1)
    mean = float(values @ WEIGHT)
    return mean, math.sqrt(float((values - mean) ** 2 @ WEIGHT))


# --- one planted truth each, by the names of its figures -------------------------------------------------------------


def of_wording(m: Floats, centre: Centre, noise: float, thresholds: Thresholds) -> dict[str, Foreseen]:
    """Readers go by the wording: shown by default a high and long one, then a short one of the level that fits.

    m  (n,) the model's confidence, which is its chance of being right
    """
    fitting = np.array([centre(level, False) for level in selected_level(m, thresholds)])
    outlooks = {"default": noisy(centre("default", True), noise, m), "selected": noisy(fitting, noise, m)}
    gaps = {tail: gaps_foreseen(outlook, Outlook.of(m, m)) for tail, outlook in outlooks.items()}
    found = {f"{name}, {tail}": one for tail, of in gaps.items() for name, one in of.items()}
    found |= _tailed(changes_foreseen(gaps["selected"], gaps["default"]), "selected minus default")
    found["effect of model confidence"] = Foreseen(0.0, noise / float(m.std()), 3 * len(m))
    found["correlation with model confidence, default"] = Foreseen(0.0, 1.0, len(m))
    return found | of_levels(centre, noise, len(m), lengths=1)


def of_levels(centre: Centre, noise: float, n: int, *, lengths: int) -> dict[str, Foreseen]:
    """Effects of low and high certainty against medium, each shown at so many lengths that are not long."""
    middle = centre("medium", False)
    steps = {level: centre(level, False) - middle for level in ("low", "high")}
    return {f"effect of {level}": effect_foreseen(by, middle, noise, n, lengths) for level, by in steps.items()}


def of_knowledge(m: Floats, centre: Centre, noise: float, own: float) -> dict[str, Foreseen]:
    """Controls, where a share of what readers state is the model's own confidence."""
    default, none = (noisy(c, noise, m, own=own) for c in (centre("default", True), centre("medium", False)))
    before, found = gaps_foreseen(default, Outlook.of(m, m)), dict[str, Foreseen]()
    for label, outlook in (("no explanation", none), ("another question's explanation", default)):
        gaps = gaps_foreseen(outlook, Outlook.of(m, m))
        found |= _tailed({name: gaps[name] for name in OF_READER}, label)
        found |= _tailed(changes_foreseen(before, gaps), f"default minus {label}")
    return found


def of_default(m: Floats, centre: Centre, noise: float, samples: int = 0) -> dict[str, Foreseen]:
    """Default explanations; the model's confidence is its chance, or the share of so many samples that agree."""
    model = Outlook.share(m, m, samples) if samples else Outlook.of(m, m)
    return _tailed(gaps_foreseen(noisy(centre("default", True), noise, m), model), "default")


def of_unread(m: Floats, centre: Centre, noise: float, rate: float) -> dict[str, Foreseen]:
    """A default explanation and three short ones; replies are out of format at a rate, and else explain another answer.

    One for another answer is asked for again, once; what is out of format is not. Readings are out of format, too.
    """
    trials, again = 4 * len(m), (1 - rate) * rate
    told, other = (1 - rate) ** 2 * (1 + again), again**2
    found = of_default(m, centre, noise)
    shares = {
        "share of trials read": (told * (1 - rate), trials),
        "share of explanations for another answer": (other / (told + other), round(trials * (told + other))),
    }
    return {"mean reader confidence, default": found["mean reader confidence, default"]} | {
        name: Foreseen(p, math.sqrt(p * (1 - p)), n) for name, (p, n) in shares.items()
    }


def _tailed(found: Mapping[str, Foreseen], tail: str) -> dict[str, Foreseen]:
    return {f"{name}, {tail}": one for name, one in found.items()}
