"""Numbers as people read them: the one place for digits, units, intervals, counts, and what is undefined."""

from __future__ import annotations

import math
from typing import Any

from doxa.records import Estimate

MISSING = "–"
NOT_READABLE = "not readable"  # how a note begins that says what a model would need
_SPACE = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_NOISE = 1e-12  # what is left of a zero after floating-point arithmetic

# Units of the value itself: (factor, suffix). Any other unit says what `n` counts.
_VALUE_UNITS: dict[str, tuple[float, str]] = {
    "%": (1, "%"),
    "percent": (1, "%"),
    "share": (100, "%"),
    **{u: (1, u) for u in ("points", "pp", "nats", "bits", "logits", "s", "ms", "tokens", "layers", "rounds")},
}


def decimals(value: float, low: float = math.nan, high: float = math.nan) -> int:
    """Digits after the point: two significant ones of the interval's half width.

    Without an interval: three significant ones of the value, but no more than three places from 0.01 on.
    """
    half = (high - low) / 2
    if math.isfinite(half) and half > 0:
        return min(6, max(0, 1 - math.floor(math.log10(half))))
    if not math.isfinite(value) or abs(value) < _NOISE or (value == round(value) and abs(value) >= 10):
        return 0
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return min(places, 3) if abs(value) >= 0.01 else places


def fixed(value: float, digits: int) -> str:
    """`value` with so many digits after the point, a real minus sign, and commas between thousands."""
    if not math.isfinite(value):
        return MISSING if math.isnan(value) else f"{_MINUS if value < 0 else ''}∞"
    text = f"{abs(value):,.{digits}f}"
    below_zero = value < 0 and any(c in "123456789" for c in text)  # no "−0.00"
    return f"{_MINUS}{text}" if below_zero else text


def number(value: float) -> str:
    """A number without an interval: about three significant digits, whole numbers whole, tiny ones with a power."""
    if _NOISE <= abs(value) < 1e-4:
        return f"{value:.2e}".replace("-", _MINUS)
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
        whole = estimate.high > estimate.low and math.isfinite(estimate.high - estimate.low)
        self._digits = decimals(math.nan, self._factor * estimate.low, self._factor * estimate.high) if whole else None

    def text(self, value: float) -> str:
        """Any value of this quantity (a published figure, a difference) in its unit, with its interval's digits."""
        suffix = f"{_SPACE}{self._suffix}" if self._suffix and math.isfinite(value) else ""
        return self._bare(value) + suffix

    def _bare(self, value: float) -> str:
        scaled = self._factor * value
        return number(scaled) if self._digits is None else fixed(scaled, self._digits)

    @property
    def value(self) -> str:
        """The value, or why there is none."""
        if not math.isnan(self._e.value):
            return self.text(self._e.value)
        return f"{MISSING}  ({self.why})"

    @property
    def why(self) -> str:
        """Why there is no value; "" where there is one."""
        if not math.isnan(self._e.value):
            return ""
        if self._e.note.startswith(NOT_READABLE):
            return self._e.note
        return f"undefined: {self._e.note}" if self._e.note else "undefined"

    @property
    def interval(self) -> str:
        """[low, high], or "" without one. The unit stands with the value."""
        if math.isnan(self._e.low) or math.isnan(self._e.high):
            return ""
        return f"[{self._bare(self._e.low)}, {self._bare(self._e.high)}]"

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


def null_same(estimate: Estimate) -> bool:
    """Whether shuffling the truth changed nothing, as in a number that does not look at the truth (a parse rate)."""
    return estimate.null is not None and math.isclose(estimate.null, estimate.value, rel_tol=1e-12, abs_tol=_NOISE)


def null_inside(estimate: Estimate) -> bool:
    """Whether the value on shuffled truth lies inside the interval: then the number says nothing yet."""
    inside = estimate.null is not None and estimate.low <= estimate.null <= estimate.high
    return inside and not null_same(estimate)


def read_share(outcomes: dict[str, int]) -> float:
    """Share of readings that say something: an answer, that it is not known, or a refusal; nan without readings."""
    total = sum(outcomes.values())
    return sum(outcomes.get(o, 0) for o in ("ok", "abstained", "refused")) / total if total else math.nan
