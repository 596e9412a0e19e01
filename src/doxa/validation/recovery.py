"""Plant, run the real study, compare: is each planted value found, and nothing where nothing was planted?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from doxa.planted import Expected, Truth
from doxa.records import DoxaError, Estimate, Findings, Table
from doxa.runs import run
from doxa.study import Study

Say = Callable[[str], None]
Row = tuple[Any, ...]  # a line of the table, see COLUMNS
ROUNDING = 1e-9  # of floating-point sums, where a value has to be exact
COLUMNS = (
    *("study", "planted truth", "quantity", "planted", "measured", "low", "high", "n", "tolerance", "recovered"),
    *("null planted", "null measured", "null clean"),
)


@dataclass(frozen=True)
class Check:
    """One estimate beside what was planted at one strength."""

    strength: float
    expected: Expected
    measured: Estimate

    @property
    def tolerance(self) -> float:
        if math.isnan(self.expected.value) or math.isnan(self.measured.value):
            return math.nan
        return self.expected.tolerance(self.measured.n)

    @property
    def holds(self) -> bool:
        """Whether the measured value is the planted one within the tolerance; undefined is right where planted so."""
        if math.isnan(self.expected.value) or math.isnan(self.measured.value):
            return math.isnan(self.expected.value) and math.isnan(self.measured.value)
        return abs(self.measured.value - self.expected.value) <= self.tolerance + ROUNDING


@dataclass(frozen=True)
class Recovery:
    """One quantity of one truth: planted and measured, and the same at the null strength (None: not expected there)."""

    study: str
    truth: Truth
    planted: Check
    null: Check | None

    @property
    def recovered(self) -> bool:
        return self.planted.holds

    @property
    def null_clean(self) -> bool:
        return self.null is None or self.null.holds

    @property
    def telling(self) -> bool:
        """Whether planted and null lie too far apart for one measured value to pass as both."""
        if self.null is None:
            return False
        apart = abs(self.planted.expected.value - self.null.expected.value)
        return not apart <= self.planted.tolerance + self.null.tolerance  # nan: one of them is undefined, which tells

    def row(self) -> Row:
        """The line of the table."""
        of, null = self.planted, self.null
        return (
            *(self.study, self.truth.name, of.expected.estimate, _short(of.expected.value), of.measured.value),
            *(of.measured.low, of.measured.high, of.measured.n, of.tolerance, self.recovered),
            *((_short(null.expected.value), null.measured.value, null.holds) if null else (None, None, None)),
        )


def _short(value: float) -> float:
    """Without the rounding noise of sums that are 0."""
    return round(value, 5) + 0.0


def checks(study: Study, truth: Truth, strength: float, *, seed: int = 0) -> list[Check]:
    """Plant one truth at one strength, run the study in memory, and put each expected estimate beside the measured one.

    raises  DoxaError: an item failed, or the study has no estimate of an expected name
    """
    options = truth.options or study.options()
    items = list((truth.items or study.items)(options))[: truth.limit]
    done = run(
        study, truth.respondent(strength), options=options, items=items, seed=seed, null_seed=None, progress=False
    )
    part = done[study.name]
    where = f"validating {study.name!r}, truth {truth.name!r} at {strength:g}"
    if failed := part.counts["failed"]:
        reason = next(r.error for r in part.records() if r.status == "failed")
        raise DoxaError(f"{where}: {failed} of {len(items)} items failed, the first with: {reason}")
    return [_check(e, part.findings, strength, where) for e in truth.expects(strength, items)]


def _check(expected: Expected, found: Findings, strength: float, where: str) -> Check:
    if expected.estimate not in found:
        names = ", ".join(repr(e.name) for e in found.estimates)
        raise DoxaError(f"{where}: expects an estimate {expected.estimate!r}; the study gives {names or 'none'}")
    return Check(strength, expected, found.estimate(expected.estimate))


def recover(study: Study, truth: Truth, *, seed: int = 0) -> list[Recovery]:
    """One truth planted at its strength and at its null."""
    null = {c.expected.estimate: c for c in checks(study, truth, truth.null, seed=seed)}
    planted = checks(study, truth, truth.strength, seed=seed)
    return [Recovery(study.name, truth, check, null.get(check.expected.estimate)) for check in planted]


def validate(
    studies: Sequence[Study], *, quick: bool = False, seed: int = 0, say: Say = lambda line: None
) -> list[Recovery]:
    """Every truth of these studies planted and looked for.

    quick   only the truths of the quick subset
    say     told what is planted next
    raises  DoxaError: a study declares no truth
    """
    found = []
    for study, truth in _truths(studies, quick):
        say(f"{study.name}: {truth.name} ({truth.what})")
        found += recover(study, truth, seed=seed)
    return found


def holds(studies: Sequence[Study], *, quick: bool = False, seed: int = 0) -> bool:
    """`sound(validate(...))` that ends at the first value which is not as planted: quick where something is broken."""
    return all(_holds(study, truth, seed) for study, truth in _truths(studies, quick))


def _holds(study: Study, truth: Truth, seed: int) -> bool:
    planted = checks(study, truth, truth.strength, seed=seed)
    names = {check.expected.estimate for check in planted}
    if not all(check.holds for check in planted):
        return False
    return all(c.holds for c in checks(study, truth, truth.null, seed=seed) if c.expected.estimate in names)


def _truths(studies: Sequence[Study], quick: bool) -> Iterator[tuple[Study, Truth]]:
    for study in studies:
        if not study.planted:
            raise DoxaError(f"study {study.name!r} says nothing that can be planted: give its Study `planted` truths")
        yield from ((study, truth) for truth in study.planted if truth.quick or not quick)


RULE = (
    "Recovered: the measured value differs from the planted one by at most three standard errors at this n, and by "
    "what is known to be lost (rounding of words, bias at small n). Null: the same respondent without the property."
)


def as_findings(rows: Sequence[Row], section: str = "") -> Findings:
    """The table of what was planted and what was found, and its verdict in words."""
    whole = Table("Planted and measured", COLUMNS, tuple(rows), section=section, note=RULE)
    return Findings(tables=(whole,), notes=(verdict(rows),))


def verdict(rows: Sequence[Row]) -> str:
    """How many planted values were recovered and how many nulls are clean, in a sentence."""
    recovered = [row[COLUMNS.index("recovered")] for row in rows]
    nulls = [row[COLUMNS.index("null clean")] for row in rows if row[COLUMNS.index("null clean")] is not None]
    return f"{sum(recovered)} of {len(rows)} planted values recovered, {sum(nulls)} of {len(nulls)} nulls clean"


def sound(recoveries: Sequence[Recovery]) -> bool:
    """Whether everything planted was recovered and every null is clean."""
    return all(r.recovered and r.null_clean for r in recoveries)
