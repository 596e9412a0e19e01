"""Survey answers of several models beside each other, and how their figures go with the number of parameters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doxa.metrics.correlation_interval import spearman_interval
from doxa.metrics.discriminator import ToldApart
from doxa.metrics.intervals import Interval
from doxa.metrics.response_figures import Figures, Shares, divergences, entropies, entropy_of, labels_and_places
from doxa.metrics.response_tables import ADJUSTED, CLOSER, GATHERED, NAIVE, REFERENCE, TOLD
from doxa.metrics.sums import NOTHING

if TYPE_CHECKING:
    import polars as pl

HEADLINE = ("A-bias", NAIVE, ADJUSTED, "KL to the reference, adjusted", "KL to uniform, adjusted", CLOSER, TOLD)
MODELS = (
    *("model", "parameters", "questions", "A-bias", "label mass", "entropy, naive", "entropy, adjusted"),
    *("KL to reference", "KL to uniform", "closer to the reference", "told from people"),
)
_NAMES = ("A-bias", "label mass", NAIVE, ADJUSTED, *HEADLINE[3:])


@dataclass(frozen=True, eq=False)
class Respondent:
    """One model: its questions' figures, its forms told from people's, its parameters (nan: not known)."""

    name: str
    found: Sequence[Figures]
    told: ToldApart
    size: float

    def figures(self, shares: Shares) -> dict[str, Interval]:
        """Every figure by name, "label mass" included; those that cannot be had are nan."""
        named = {**labels_and_places(self.found), **entropies(self.found, shares), **divergences(self.found, shares)}
        return {**named, TOLD: self.told.interval()}


def named(parts: Iterable[tuple[str, pl.DataFrame]]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each model's name and rows, from labelled tables with a column `who`: a table may hold several models.

    Where two bear one name, labels tell them apart; a table without names is called by its label.
    """
    held = [(label, str(who), of) for label, rows in parts for (who,), of in rows.group_by("who", maintain_order=True)]
    names = Counter(who or label for label, who, _ in held)
    seen: Counter[str] = Counter()
    for label, who, of in held:
        name = who or label
        name = name if names[name] == 1 else f"{name} ({label})"
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name} {seen[name]}"), of


def estimates(
    made: Mapping[str, Mapping[str, Interval]], known: Mapping[str, float]
) -> Iterator[tuple[str, Interval, str, str]]:
    """Name, value, unit and section: each headline figure of each model, and how it goes with size."""
    for figure in HEADLINE:
        for model, of in made.items():
            if of[figure].n:
                yield f"{figure}, {model}", of[figure], "forms" if figure == TOLD else "questions", figure
    for figure, rho in with_size(made, known).items():
        yield f"rank correlation of size and {figure}", rho, "models", "Size"


def headline(made: Mapping[str, Mapping[str, Interval]]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """For charts: figure -> model -> value, low, high."""
    return {f: {m: (of[f].value, of[f].low, of[f].high) for m, of in made.items()} for f in HEADLINE}


def ordered(models: Sequence[Respondent]) -> list[Respondent]:
    """From the smallest to the largest; those of unknown size last, as they came."""
    return sorted(models, key=lambda m: m.size if math.isfinite(m.size) else math.inf)


def with_size(made: Mapping[str, Mapping[str, Interval]], sizes: Mapping[str, float]) -> dict[str, Interval]:
    """Spearman's correlation of size with each headline figure, over the models that have both."""
    found = {}
    for name in HEADLINE:
        pairs = [(sizes[m], of[name].value) for m, of in made.items()]
        pairs = [pair for pair in pairs if all(map(math.isfinite, pair))]
        found[name] = spearman_interval(*zip(*pairs, strict=True)) if len(pairs) > 1 else NOTHING
    return {name: value for name, value in found.items() if value.n}


def largest(made: Mapping[str, Mapping[str, Interval]], name: str) -> tuple[str, float]:
    """What to call the largest value of a figure, and that; nan where no model has one."""
    value, model = max(_held(made, name), default=(math.nan, "none"))
    return f"{name}, largest: {model}", value


def smallest(made: Mapping[str, Mapping[str, Interval]], name: str) -> tuple[str, float]:
    """As `largest`."""
    value, model = min(_held(made, name), default=(math.nan, "none"))
    return f"{name}, smallest: {model}", value


def _held(made: Mapping[str, Mapping[str, Interval]], name: str) -> list[tuple[float, str]]:
    return [(of[name].value, m) for m, of in made.items() if math.isfinite(of[name].value)]


def of_models(
    models: Sequence[Respondent], made: Mapping[str, Mapping[str, Interval]]
) -> list[tuple[str | float | None, ...]]:
    """Rows for MODELS; parameters None: not known."""
    return [
        (
            m.name,
            m.size if math.isfinite(m.size) else None,
            len(m.found),
            *(made[m.name][name].value for name in _NAMES),
        )
        for m in models
    ]


def reference(made: Mapping[str, Mapping[str, Interval]]) -> float:
    """Mean normalised entropy of the reference; nan: there is none. Models were asked the same questions, or nearly."""
    held = [value for value, _ in _held({m: of for m, of in made.items() if REFERENCE in of}, REFERENCE)]
    return sum(held) / len(held) if held else math.nan


def by_question(models: Sequence[Respondent]) -> dict[str, dict[str, dict[str, float]]]:
    """For strips: figure -> model -> key -> value."""
    return {
        "A-bias": {m.name: {f.key: f.first_label for f in m.found} for m in models},
        ADJUSTED: {m.name: {f.key: entropy_of(f.adjusted) for f in m.found} for m in models},
    }


def remarks(known: Mapping[str, float], given: Mapping[str, float], variant: str) -> Iterator[str]:
    """What has to be said of a comparison of models."""
    if variant == "published":
        yield GATHERED
    if unknown := [name for name, size in known.items() if not math.isfinite(size)]:
        yield f"The number of parameters is not known of {', '.join(unknown)}: give --sizes, by these names."
    if strange := [name for name in given if name not in known]:
        yield f"--sizes names {', '.join(strange)}, none of the models {', '.join(known)}."
