"""What a study has to find: a truth planted in a respondent, at any strength, and the null in which it is absent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from doxa.models.base import Model
from doxa.records import Item

STANDARD_ERRORS = 3.0
"""A measured value may be off by so many standard errors: 1 of 370 sound instruments would be called broken."""


@dataclass(frozen=True)
class Expected:
    """What one estimate must show.

    estimate  its name among the findings
    value     what was planted, in the estimate's unit; nan: the estimate must be undefined
    sd        standard deviation of one independent unit of observation; None: of a proportion, sqrt(v (1 - v));
              0: the value follows exactly
    n         independent units, where the estimate counts others; None: the estimate's n
    slack     a known difference that is no noise (rounding of words, bias at this n), said why in `why`
    """

    estimate: str
    value: float
    sd: float | None = None
    n: int | None = None
    slack: float = 0.0
    why: str = ""

    def __post_init__(self) -> None:
        if self.sd is None and not (math.isnan(self.value) or 0 <= self.value <= 1):
            raise ValueError(f"{self.estimate!r}: {self.value} is no proportion; say the sd of one unit of observation")
        if self.slack and not self.why:
            raise ValueError(f"{self.estimate!r}: a slack of {self.slack} needs a reason in `why`")

    def tolerance(self, n: int) -> float:
        """How far the measured value may be off: STANDARD_ERRORS of n units (or the own n), and the slack.

        raises  ValueError: no unit of observation at all
        """
        units = self.n or n
        sd = math.sqrt(self.value * (1 - self.value)) if self.sd is None else self.sd
        if not sd:
            return self.slack
        if units < 1:
            raise ValueError(f"{self.estimate!r} rests on {units} units; its standard error needs at least 1")
        return STANDARD_ERRORS * sd / math.sqrt(units) + self.slack


Respond = Callable[[float], Model | str]
Expect = Callable[[float, Sequence[Item]], Iterable[Expected]]


@dataclass(frozen=True)
class Truth:
    """One truth that can be planted, at any strength, and what must be found then.

    name        the quantity, e.g. "over-confidence"; what: what is planted, and in what, in one line
    respondent  strength -> who is asked, a model or its address
    strength    planted by default; null: the strength at which the property is absent
    expects     strength and the items asked -> what the findings must show; holds for the null, too
    grid        strengths of the recovery curve; drawn: the estimates that it shows (empty: all)
    options     of the study; None: its defaults
    items       what is asked; None: the study's own. limit: only the first so many
    quick       whether it is part of the subset that every test run checks
    """

    name: str
    what: str
    respondent: Respond
    strength: float
    null: float
    expects: Expect
    grid: tuple[float, ...] = ()
    drawn: tuple[str, ...] = ()
    options: Any = None
    items: Callable[[Any], Sequence[Item]] | None = None
    limit: int | None = None
    quick: bool = True

    def __post_init__(self) -> None:
        if self.strength == self.null:
            raise ValueError(f"truth {self.name!r} is planted with the strength of its null, {self.null:g}")
