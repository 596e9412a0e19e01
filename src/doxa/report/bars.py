"""Where the marks of a small inline bar stand: value, interval, null, published figure, bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doxa.records import Estimate

WIDTH = 180.0
_MARGIN = 6.0
_ROUNDING = 1e-12  # sums leave so much beside the ends of a range


@dataclass(frozen=True)
class Scale:
    """A linear axis from `low` to `high`, drawn WIDTH pixels wide."""

    low: float
    high: float

    def at(self, x: float) -> float:
        """Pixel of `x`; outside the axis it stands at the end."""
        share = (min(max(x, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN), 1)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Pixels of the ends and the middle."""
        return tuple(self.at(x) for x in (self.low, (self.low + self.high) / 2, self.high))

    @property
    def plain(self) -> bool:
        """From 0 to 1: the axis that needs no labels."""
        return (self.low, self.high) == (0, 1)

    @property
    def labels(self) -> tuple[str, str]:
        return f"{self.low:g}".replace("-", "\N{MINUS SIGN}"), f"{self.high:g}"


@dataclass(frozen=True)
class Bar:
    """One estimate on its scale, in pixels; None where there is nothing to draw."""

    scale: Scale
    value: float
    interval: tuple[float, float] | None
    null: float | None
    published: tuple[float, ...]
    bounds: tuple[float, float] | None


def bars(estimates: Sequence[Estimate], published: Mapping[str, Sequence[float]]) -> list[Bar | None]:
    """A bar for each estimate, None for an undefined one.

    Quantities that lie in [0, 1] share the axis 0 to 1; differences (within [-1, 1]) share one that is even around
    zero; any other has its own.
    published  name of an estimate -> published figures
    """
    figures = [_figures(e, published.get(e.name, ())) for e in estimates]
    signed = [x for numbers in figures for x in numbers if _within(numbers, -1, 1) and not _within(numbers, 0, 1)]
    reach = _round_up(max(map(abs, signed), default=1.0))
    drawn: list[Bar | None] = []
    for e, numbers in zip(estimates, figures, strict=True):
        drawn.append(_bar(e, published.get(e.name, ()), _scale(numbers, reach)) if math.isfinite(e.value) else None)
    return drawn


def _figures(e: Estimate, published: Sequence[float]) -> list[float]:
    given = [e.value, e.low, e.high, *(e.bounds or ()), *published, *(() if e.null is None else (e.null,))]
    return [x for x in given if math.isfinite(x)]


def _within(numbers: Sequence[float], low: float, high: float) -> bool:
    return bool(numbers) and low - _ROUNDING <= min(numbers) and max(numbers) <= high + _ROUNDING


def _scale(numbers: Sequence[float], reach: float) -> Scale:
    if _within(numbers, 0, 1):
        return Scale(0, 1)
    if _within(numbers, -1, 1):
        return Scale(-reach, reach)
    low, high = min(0.0, *numbers), max(0.0, *numbers)
    return Scale(-_round_up(-low) if low < 0 else 0.0, _round_up(high) if high > 0 else 0.0)


def _round_up(x: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(x))
    return next(float(f"{k * power:.12g}") for k in (1, 2, 5, 10) if k * power >= x * (1 - 1e-12))


def _bar(e: Estimate, published: Sequence[float], scale: Scale) -> Bar:
    whole = math.isfinite(e.low) and math.isfinite(e.high)
    return Bar(
        scale=scale,
        value=scale.at(e.value),
        interval=(scale.at(e.low), scale.at(e.high)) if whole else None,
        null=scale.at(e.null) if e.null is not None and math.isfinite(e.null) else None,
        published=tuple(scale.at(p) for p in published if math.isfinite(p)),
        bounds=(scale.at(e.bounds[0]), scale.at(e.bounds[1]))
        if e.bounds and all(map(math.isfinite, e.bounds))
        else None,
    )
