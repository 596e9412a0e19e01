"""Numbers as people read them: the one place for digits, units, intervals, counts, and what is undefined."""

from __future__ import annotations

import math
from typing import Any

from doxa.records import Estimate

MISSING = "–"
_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"

# Units of the value itself: (factor, suffix). Any other unit says what `n` counts.
_VALUE_UNITS: dict[str, tuple[float, str]] = {
    "%": (1, "%"),
    "percent": (1, "%"),
    "share": (100, "%"),
    **{u: (1, u) for u in ("points", "pp", "nats", "bits", "logits", "s", "ms", "tokens", "layers", "rounds")},
}


def decimals(value: float, low: float = math.nan, high: float = math.nan) -> int:
    """Digits after the point: two significant ones of the interval's half width, else three of the value."""
    half = (high - low) / 2
    if math.isfinite(half) and half > 0:
        return min(6, max(0, 1 - math.floor(math.log10(half))))
    if not math.isfinite(value) or value == 0:
        return 0
    if value == round(value) and abs(value) >= 10:
        return 0
    return min(6, max(0, 2 - math.floor(math.log10(abs(value)))))


def fixed(value: float, digits: int) -> str:
    """`value` with so many digits after the point, a real minus sign, and commas between thousands."""
    if not math.isfinite(value):
        return MISSING if math.isnan(value) else f"{_MINUS if value < 0 else ''}∞"
    text = f"{abs(value):,.{digits}f}"
    below_zero = value < 0 and any(c in "123456789" for c in text)  # no "−0.00"
    return f"{_MINUS}{text}" if below_zero else text


def number(value: float) -> str:
    """A number without an interval: three significant digits, whole numbers whole."""
    return fixed(value, decimals(value))


def count(n: int) -> str:
    """12345 as 12,345."""
    return f"{n:,}"


def counted(n: int, noun: str) -> str:
    """1 reading, 2 readings: `noun` in the singular."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage; 100 % and 0 % only when it is exactly so."""
    if math.isnan(share):
        return MISSING
    text = f"{100 * share:.1f}"
    if share < 1 and text == "100.0":
        text = ">99.9"
    if share > 0 and text == "0.0":
        text = "<0.1"
    return f"{text.removesuffix('.0') if share in (0, 1) else text}{_SPACE}%"


def cell(value: Any) -> str:
    """One cell of a table of findings."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value).replace("-", _MINUS)
    return number(value) if isinstance(value, float) else str(value)


class Shown:
    """An estimate's numbers as text, all with the same digits and unit."""

    def __init__(self, estimate: Estimate) -> None:
        self._e = estimate
        self._factor, self._suffix = _VALUE_UNITS.get(estimate.unit, (1.0, ""))
        scaled = (self._factor * x for x in (estimate.value, estimate.low, estimate.high))
        self._digits = decimals(*scaled)

    def text(self, value: float) -> str:
        """Any value of this quantity (a published figure, a difference) in the estimate's unit and digits."""
        suffix = f"{_SPACE}{self._suffix}" if self._suffix and math.isfinite(value) else ""
        return fixed(self._factor * value, self._digits) + suffix

    @property
    def value(self) -> str:
        """The value, or why there is none."""
        if not math.isnan(self._e.value):
            return self.text(self._e.value)
        return f"{MISSING}  (undefined: {self._e.note})" if self._e.note else f"{MISSING}  (undefined)"

    @property
    def interval(self) -> str:
        """[low, high], or "" without one. The unit stands with the value."""
        if math.isnan(self._e.low) or math.isnan(self._e.high):
            return ""
        low, high = (fixed(self._factor * x, self._digits) for x in (self._e.low, self._e.high))
        return f"[{low}, {high}]"

    @property
    def whole(self) -> str:
        """Value and interval: 0.377 [0.352, 0.401]."""
        return f"{self.value} {self.interval}".rstrip()

    @property
    def null(self) -> str:
        """The value on shuffled truth, or "" when it was not computed."""
        return "" if self._e.null is None else self.text(self._e.null)

    @property
    def bounds(self) -> str:
        """What it would be if every unread answer were wrong – right; "" when it was not computed."""
        if self._e.bounds is None:
            return ""
        return " – ".join(self.text(b) for b in self._e.bounds)

    @property
    def n(self) -> str:
        """300 items."""
        counts = "" if self._e.unit in _VALUE_UNITS else self._e.unit
        return f"{count(self._e.n)} {counts}".rstrip()


def null_inside(estimate: Estimate) -> bool:
    """Whether the value on shuffled truth lies inside the interval: then the number says nothing yet."""
    return estimate.null is not None and estimate.low <= estimate.null <= estimate.high


def read_share(outcomes: dict[str, int]) -> float:
    """Share of readings with outcome "ok"; nan without readings."""
    total = sum(outcomes.values())
    return outcomes.get("ok", 0) / total if total else math.nan
