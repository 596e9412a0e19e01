"""Coverage: how often does each kind of 95 % interval that Doxa prints hold the value that was planted?"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from doxa.metrics import Interval, clopper_pearson
from doxa.records import Findings, Table

LOWEST, HIGHEST = 0.93, 0.98  # what a good interval covers, nominally .95
MANY = 1000  # repetitions from which a share below LOWEST is believed as it stands
CHEAP = 5  # times as many repetitions of what takes no resampling
ROUNDING = 1e-9
COLUMNS = (
    *("kind", "case", "n", "planted", "covered", "low", "high", "naive", "width", "verdict", "repetitions"),
    *("missed below", "missed above", "undefined"),
)

# Why an interval may cover more than it should: the method cannot cover less than 95 %; it is built on limits that
# cannot; so few outcomes are possible that no interval covers at least 93 % and is nearer to 95; a mean may have
# large values that none of the sample shows; or chance has raised both of two errors by one knows not how much.
EXACT, NEARLY, FEW = "exact by design", "built on exact limits", "few outcomes"
UNSEEN, RAISED = "reckons with what is unseen", "allows for bias"

Limits = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Case:
    """One setting of one kind of interval, as it occurs.

    n         items in a sample
    planted   the true value; how it is known: `known`
    draw      makes one sample
    interval  what Doxa makes of it
    naive     what is commonly done: its limits; None: nothing is
    wide      why it may cover more than 98 %: EXACT, NEARLY, FEW, UNSEEN or RAISED; "": it must not
    cheap     takes no resampling, so more repetitions can be had
    target    where there is no planted value: the value of this sample that its range has to hold
    """

    kind: str
    name: str
    n: int
    planted: float
    draw: Callable[[np.random.Generator], Any]
    interval: Callable[[Any], Interval]
    naive: Callable[[Any], Limits] | None = None
    wide: str = ""
    cheap: bool = False
    known: str = "closed form"
    target: Callable[[Any], float] | None = None


@dataclass(frozen=True)
class CoverageResult:
    """How one case fared; shares of the repetitions.

    covered       held the planted value; an undefined interval (nan) holds nothing
    low, high     95 % limits of this share, from the number of repetitions
    missed_below  intervals that lie wholly below the planted value; missed_above: wholly above
    width         mean of the defined intervals
    naive         share covered by the usual interval; nan: there is none
    """

    kind: str
    case: str
    n: int
    planted: float
    covered: float
    low: float
    high: float
    missed_below: float
    missed_above: float
    width: float
    repetitions: int
    undefined: int
    naive: float
    wide: str
    known: str

    @property
    def verdict(self) -> str:
        """ "good", "conservative, ..." with the reason, "too narrow" or "too wide".

        Too narrow: the upper limit of the share covered is below .93, or the share itself is, over 1,000 repetitions or
        more. Too wide: the lower limit is above .98, without a reason; conservative: the share is, with one.
        """
        if self.high < LOWEST or (self.covered < LOWEST and self.repetitions >= MANY):
            return "too narrow"
        if self.wide and self.covered > HIGHEST:
            return f"conservative, {self.wide}"
        return "too wide" if self.low > HIGHEST else "good"

    @property
    def good(self) -> bool:
        return not self.verdict.startswith("too")

    def row(self) -> tuple[Any, ...]:
        """As COLUMNS."""
        naive = None if math.isnan(self.naive) else self.naive
        return (
            *(self.kind, self.case, self.n, self.planted, self.covered, self.low, self.high, naive),
            *(self.width, self.verdict, self.repetitions, self.missed_below, self.missed_above, self.undefined),
        )


def coverage(case: Case, repetitions: int = 400, seed: int = 0) -> CoverageResult:
    """How often the interval of a case holds the planted value.

    repetitions  samples drawn, at least 1
    seed         with the case's name; the order of cases changes nothing
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{case.kind}/{case.name}".encode())])
    found = np.empty((repetitions, 3))
    naive = np.full(repetitions, math.nan)
    for k in range(repetitions):
        sample = case.draw(rng)
        interval = case.interval(sample)
        true = case.planted if case.target is None else case.target(sample)
        found[k] = interval.low, interval.high, true
        if case.naive is not None:
            below, above = case.naive(sample)
            naive[k] = below - ROUNDING <= true <= above + ROUNDING
    low, high, true_r = found.T
    defined = np.isfinite(low) & np.isfinite(high)
    missed_below, missed_above = defined & (high < true_r - ROUNDING), defined & (low > true_r + ROUNDING)
    held = int((defined & ~missed_below & ~missed_above).sum())
    share = clopper_pearson(held, repetitions)
    return CoverageResult(
        kind=case.kind,
        case=case.name,
        n=case.n,
        planted=float(true_r.mean()),
        covered=share.value,
        low=share.low,
        high=share.high,
        missed_below=float(missed_below.mean()),
        missed_above=float(missed_above.mean()),
        width=float((high - low)[defined].mean()) if defined.any() else math.nan,
        repetitions=repetitions,
        undefined=int((~defined).sum()),
        naive=float(naive.mean()),
        wide=case.wide,
        known=case.known,
    )


def coverages(
    repetitions: int = 400, kinds: Sequence[str] | None = None, seed: int = 0, *, cases: Sequence[Case] | None = None
) -> list[CoverageResult]:
    """`coverage` of every registered case; the cheap ones get five times the repetitions.

    kinds   only these, see `kinds`; cases: in place of the registered ones
    raises  ValueError: no such kind
    """
    every = registered() if cases is None else cases
    known = list(dict.fromkeys(case.kind for case in every))
    unknown = [kind for kind in kinds or () if kind not in known]
    if unknown:
        raise ValueError(f"kinds has {unknown[0]!r}; there are: {', '.join(known)}")
    chosen = [case for case in every if kinds is None or case.kind in kinds]
    return [coverage(case, repetitions * (CHEAP if case.cheap else 1), seed) for case in chosen]


def kinds() -> list[str]:
    """The kinds of intervals that have a case."""
    return list(dict.fromkeys(case.kind for case in registered()))


def registered() -> list[Case]:
    """One case or more for each kind of interval that Doxa prints."""
    from doxa.validation.coverage_cases import share_cases
    from doxa.validation.coverage_changes import change_cases
    from doxa.validation.coverage_means import mean_cases, pair_cases
    from doxa.validation.coverage_scores import score_cases

    return [*share_cases(), *mean_cases(), *pair_cases(), *score_cases(), *change_cases()]


def as_findings(results: Sequence[CoverageResult]) -> Findings:
    """The table "Coverage of 95 % intervals", what makes an interval good, and how the planted values are known."""
    sampled = sorted({r.known for r in results if r.known != "closed form"})
    exact = clopper_pearson(10, 10)
    bad = [r for r in results if not r.good]
    notes = (
        f"{len(results) - len(bad)} of {len(results)} cases are good: they cover 93 to 98 %, or more for a reason "
        "that the verdict names.",
        "Too narrow: the upper limit of the share covered is below 93 %, or from 1,000 repetitions on the share is. "
        "Too wide: the lower limit is above 98 %. An interval that cannot be given counts as not covering.",
        f"Ten of ten right: 1.96 standard errors give [1, 1]; the exact interval is [{exact.low:.2f}, 1].",
        f"Planted values: {'; '.join(['closed forms', *sampled])}.",
    )
    table = Table(
        "Coverage of 95 % intervals",
        COLUMNS,
        tuple(r.row() for r in results),
        note="low and high: 95 % limits of the share covered; naive: the interval that is usually given",
    )
    return Findings(tables=(table,), notes=notes)


def wald(values: np.ndarray) -> Limits:
    """The usual naive interval: mean -+ 1.96 standard errors."""
    mean, n = float(np.mean(values)), len(values)
    half = 1.96 * float(np.std(values)) / math.sqrt(n)
    return mean - half, mean + half


def narrowed(case: Case, factor: float) -> Case:
    """The same case with its interval shrunk (or stretched) about its middle: must be found out."""

    def interval(sample: Any) -> Interval:
        found = case.interval(sample)
        middle, half = (found.low + found.high) / 2, factor * (found.high - found.low) / 2
        return replace(found, low=middle - half, high=middle + half)

    return replace(case, name=f"{case.name}, times {factor:g}", interval=interval)
