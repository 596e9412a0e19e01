"""Models and ways of asking beside each other: counts of attempts, figures by set and length, fair comparisons.

`Arms` maps (model, strategy) to the replies of one; the model's name is empty where there is only one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from doxa.metrics import reasoning
from doxa.metrics.calibration import ece
from doxa.metrics.confidence_scores import confidence_scores
from doxa.metrics.discrimination import auroc
from doxa.metrics.intervals import Interval

if TYPE_CHECKING:
    import polars as pl

Arm = tuple[str, str]
Arms = Mapping[Arm, "pl.DataFrame"]
Compared = tuple[str, dict[str, Interval]]  # tail of the names, figures

ATTEMPTS = ("asked", "replies", "correct", "incorrect", "not attempted", "unread", "of these truncated")
SETS = ("set", "asked", "attempted", "not attempted", *reasoning.COMPARED)
LENGTHS = ("tokens before the answer", "n", "accuracy", "low", "high", "mean confidence", "ECE")


def arms_of(replies: pl.DataFrame, order: Sequence[str], strategies: Sequence[str]) -> dict[Arm, pl.DataFrame]:
    """Replies of each model (column who) and strategy: in these orders, and then what else there is by name.

    raises  ValueError: the order names a model that is not there, among several that are
    """
    present, asked = (replies[column].unique().sort().to_list() for column in ("who", "strategy"))
    unknown = [name for name in order if name not in present]
    if unknown and len(present) > 1:
        raise ValueError(f"the order of models names {unknown[0]!r}; there are {', '.join(present)}")
    models = dict.fromkeys([*(name for name in order if name in present), *present])
    known = dict.fromkeys([*(name for name in strategies if name in asked), *asked])
    of = {(m, s): replies.filter(replies["who"] == m, replies["strategy"] == s) for s in known for m in models}
    return {arm: part for arm, part in of.items() if len(part)}


def label(arm: Arm) -> str:
    """Model and strategy as they stand in the names of estimates."""
    return ", ".join(filter(None, arm))


def by_attempt(arms: Arms) -> Iterator[tuple[Any, ...]]:
    """Lines of `ATTEMPTS`."""
    for arm, part in arms.items():
        grades, cut = part["verdict"].to_list(), part["outcome"].to_list().count("truncated")
        yield (label(arm), len(part), *map(grades.count, ATTEMPTS[2:6]), cut)


def by_set(arms: Arms, *, bins: int = 10) -> list[tuple[Any, ...]]:
    """Lines of `SETS`, figures of attempts; none where there is one set."""
    lines: list[tuple[Any, ...]] = []
    for arm, part in arms.items():
        for (name,), of in part.sort("set").group_by("set", maintain_order=True):
            declined = of["verdict"].to_list().count("not attempted")
            figures = _points(reasoning.graded(of), reasoning.rated(of), bins)
            lines.append((str(name), label(arm), len(reasoning.graded(of)), declined, *figures))
    return sorted(lines, key=lambda line: line[0]) if len({line[0] for line in lines}) > 1 else []


def _points(tried: pl.DataFrame, rated: pl.DataFrame, bins: int) -> Iterator[float]:
    yield float(tried["correct"].to_numpy().mean()) if len(tried) else math.nan
    if not len(rated):
        yield from (math.nan,) * 3
        return
    yield float(rated["confidence"].to_numpy().mean())
    yield ece(rated["confidence"], rated["correct"], bins=bins)
    yield auroc(rated["confidence"], rated["correct"])


def by_length(bins: Sequence[reasoning.LengthBin]) -> Iterator[tuple[Any, ...]]:
    """Lines of `LENGTHS`, of bins that hold a reply."""
    for b in (b for b in bins if b.n):
        yield (b.label, b.n, b.accuracy.value, b.accuracy.low, b.accuracy.high, b.confidence, b.ece)


# --- comparisons -----------------------------------------------------------------------------------------------------


def other_strategies(arms: Arms, *, bins: int = 10, resamples: int = 1000) -> Iterator[Compared]:
    """Other ways of asking a model minus the first one, on the replies to the same questions."""
    for model in dict.fromkeys(model for model, _ in arms):
        (_, first), *others = [arm for arm in arms if arm[0] == model]
        for _, other in others:
            found = reasoning.paired(arms[model, first], arms[model, other], bins=bins, resamples=resamples)
            yield label((model, f"{other} minus {first}")), found


def shared_questions(arms: Arms, *, bins: int = 10, resamples: int = 1000) -> Iterator[Compared]:
    """Models on what all of them attempt, and each minus the one before it and the first."""
    for strategy, of in _models(arms).items():
        common = reasoning.shared(of)
        for model, part in common.items():
            yield f"shared, {model}, {strategy}", _figures(part, bins, resamples)
        for before, after in reasoning.pairs(list(of)):
            found = reasoning.paired(common[before], common[after], bins=bins, resamples=resamples)
            yield f"shared, {after} minus {before}, {strategy}", found


def new_attempts(arms: Arms, *, bins: int = 10, resamples: int = 1000) -> Iterator[Compared]:
    """Later models on what the first one declines."""
    for strategy, of in _models(arms).items():
        first, *later = of
        for model in later:
            part = reasoning.newly_tried(of[first], of[model])
            if not len(part):
                continue
            yield f"newly tried, {model}, {strategy}", _figures(part, bins, resamples)


def steps(values: Mapping[str, float], arms: Arms) -> Iterator[tuple[str, tuple[list[str], list[float], list[float]]]]:
    """By strategy the models with their accuracy and ECE on shared questions, from the values of estimates by name."""
    for strategy, of in _models(arms).items():
        accuracy, error = ([values[f"{k}, shared, {model}, {strategy}"] for model in of] for k in ("accuracy", "ECE"))
        yield strategy, (list(of), accuracy, error)


def _models(arms: Arms) -> dict[str, dict[str, pl.DataFrame]]:
    """By strategy the replies of each model, of strategies that several models were asked by."""
    of: dict[str, dict[str, pl.DataFrame]] = {}
    for (model, strategy), part in arms.items():
        of.setdefault(strategy, {})[model] = part
    return {strategy: models for strategy, models in of.items() if len(models) > 1}


def _figures(part: pl.DataFrame, bins: int, resamples: int) -> dict[str, Interval]:
    rated = reasoning.rated(part)
    columns = rated["confidence"], rated["correct"], rated["group"]
    found = confidence_scores(*columns, bins=bins, resamples=resamples)
    found["accuracy"] = reasoning.attempt_scores(part)["accuracy"]
    return {name: found[name] for name in reasoning.COMPARED}
