"""Two runs beside each other: the difference of each estimate on the items that both asked, in pairs."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from doxa.records import DoxaError, Estimate, Findings, Table
from doxa.runs.folder import Part, Run
from doxa.study import Study

BUDGET_S = 20.0  # per study, for the resamples; scoring may itself be slow
FEWEST, MOST = 40, 1000
OWN_RESAMPLES = 20  # of a study's own intervals, where it has that option
UNDEFINED_SHARE = 0.1  # of the resamples; above it there is no interval
SHARES = ("clopper-pearson", "mid-p", "wilson")  # methods of intervals of plain shares
# Of the mean size of pure noise resampling shows sqrt(2) times as much: .41 more than chance has added already.
REPEATED = 1 / (math.sqrt(2) - 1)
RANGES = ("drawn from",)  # methods of ranges that are no intervals of the value beside them

Key = tuple[str, str]  # section, name


def compare(
    run_a: Run | str | Path,
    run_b: Run | str | Path,
    *,
    metric: str | None = None,
    resamples: int | None = None,
    seed: int = 0,
    studies: Callable[[str], Study] | None = None,
) -> Findings:
    """Differences b - a of the estimates of every study that both runs have, on their common items.

    Both runs are scored anew on the common items, then on resamples of them: groups drawn with replacement, the same
    draw in both. Each difference has the interval of `difference_limits`.

    metric     only this estimate: "NAME", or "STUDY/NAME"
    resamples  None: as many as 20 seconds per study allow, from 40 to 1,000; the method of each estimate says how many
    studies    finds a study by name, for stored runs of studies that are not doxa's own
    returns    one estimate per difference, and a table that adds both values and how many items would settle
               what is not settled (the interval's half width shrinks with the square root of their number)
    raises     DoxaError: no study, no finished item or no such estimate in common
    """
    a = run_a if isinstance(run_a, Run) else Run.open(run_a)
    b = run_b if isinstance(run_b, Run) else Run.open(run_b)
    shared = [(part, b[part.study]) for part in a.parts if part.study in {p.study for p in b.parts}]
    if not shared:
        names = [", ".join(p.study for p in run.parts) for run in (a, b)]
        raise DoxaError(f"the runs have no study in common: one has {names[0]}, the other {names[1]}")
    found = [_Pair(*parts, studies=studies).differences(metric, resamples, seed) for parts in shared]
    differences = [d for study in found for d in study.differences]
    if not differences:
        known = ", ".join(sorted({name for study in found for name in study.names}))
        wanted = "no estimate" if metric is None else f"no estimate called {metric!r}"
        raise DoxaError(f"the runs have {wanted} in common; they have: {known or 'none'}")
    return Findings(
        estimates=tuple(d.estimate() for d in differences),
        tables=(_table(differences),),
        notes=tuple(note for study in found for note in study.notes),
    )


@dataclass(frozen=True)
class _Difference:
    """One estimate in both runs, on n common items, and the limits of b - a."""

    study: str
    key: Key
    a: float
    b: float
    n: int
    low: float
    high: float
    method: str

    @property
    def value(self) -> float:
        return self.b - self.a

    @property
    def settled(self) -> str:
        if not all(map(math.isfinite, (self.value, self.low, self.high))):
            return "unknown"
        return "no" if self.low <= 0 <= self.high else "yes"

    @property
    def items_to_settle(self) -> int | None:
        """Common items at which an interval of this shape would leave 0 out; None: it does, or none would."""
        if self.settled != "no" or not self.value:
            return None
        towards_0 = self.value - self.low if self.value > 0 else self.high - self.value
        return math.ceil(self.n * (towards_0 / self.value) ** 2)

    def estimate(self) -> Estimate:
        section = ": ".join(filter(None, (self.study, self.key[0])))
        more = self.items_to_settle
        note = f"from {self.a:.4g} to {self.b:.4g}" + (f"; about {more:,} common items would settle it" if more else "")
        return Estimate(
            *(self.key[1], self.value, self.low, self.high, self.n),
            unit="items",
            method=self.method,
            section=section,
            note=note,
        )


@dataclass(frozen=True)
class _Compared:
    names: set[str]
    differences: list[_Difference]
    notes: list[str]


class _Pair:
    """One study in two runs, cut down to the items that both finished."""

    def __init__(self, a: Part, b: Part, *, studies: Callable[[str], Study] | None) -> None:
        self.name = a.study
        self.score_a, self.score_b = _scorer(a, studies), _scorer(b, studies)
        all_a, all_b = a.rows(), b.rows()
        common = (
            all_a.select("item").unique(maintain_order=True).join(all_b.select("item").unique(), on="item", how="semi")
        )
        self.n = len(common)
        if not self.n:
            raise DoxaError(f"the runs have no finished item of {self.name!r} in common, so nothing can be paired")
        groups = all_a.group_by("item", maintain_order=True).agg(
            pl.col("group").first().fill_null(pl.col("item").first())
        )
        groups = common.join(groups, on="item", how="left", maintain_order="left")
        # Groups come from one run for both, so that one draw means the same items in each.
        self.rows_a, self.rows_b = (_with_groups(rows, groups) for rows in (all_a, all_b))
        names = {group: g for g, group in enumerate(groups["group"].unique(maintain_order=True))}
        self.members_a, self.members_b = (_members(rows, names) for rows in (self.rows_a, self.rows_b))
        self.g = len(names)
        self.notes = [
            f"{self.name}: {self.n:,} common items in {self.g:,} groups (of {_items(all_a)} in a, {_items(all_b)} in b)"
        ]
        self.notes += [f"{self.name}: option {line}" for line in _option_differences(a, b)]

    def differences(self, metric: str | None, resamples: int | None, seed: int) -> _Compared:
        of_a, of_b = self.score_a(self.rows_a, False), self.score_b(self.rows_b, False)
        both = [key for key in of_a if key in of_b]
        names = {name for _, name in both}
        chosen = [key for key in both if metric in (None, key[1], f"{self.name}/{key[1]}")]
        if not chosen:
            return _Compared(names, [], self.notes)
        drawn = self._drawn(chosen, resamples, seed)
        found = []
        for k, key in enumerate(chosen):
            low, high, how = difference_limits(of_a[key], of_b[key], drawn[:, 0, k], drawn[:, 1, k], self.g)
            method = f"paired, {len(drawn)} resamples by group, {how}"
            found.append(_Difference(self.name, key, of_a[key].value, of_b[key].value, self.n, low, high, method))
        return _Compared(names, found, self.notes)

    def _drawn(self, keys: Sequence[Key], resamples: int | None, seed: int) -> np.ndarray:
        """(resamples, 2, keys) values in a and in b; nan where a resample could not be scored."""
        rng = np.random.default_rng(seed)
        began = time.monotonic()
        drawn: list[list[list[float]]] = []
        while len(drawn) < (resamples or MOST):
            if resamples is None and len(drawn) >= FEWEST and time.monotonic() - began > BUDGET_S:
                break
            draw = rng.integers(0, self.g, self.g)
            drawn.append(self._values(draw, keys))
        return np.array(drawn)

    def _values(self, draw: np.ndarray, keys: Sequence[Key]) -> list[list[float]]:
        try:
            a = self.score_a(_resampled(self.rows_a, self.members_a, draw), True)
            b = self.score_b(_resampled(self.rows_b, self.members_b, draw), True)
        except Exception:  # e.g. a class that this draw does not have; counted as undefined
            return [[math.nan] * len(keys)] * 2
        return [[found[key].value if key in found else math.nan for key in keys] for found in (a, b)]


Scorer = Callable[[pl.DataFrame, bool], dict[Key, Estimate]]


def _scorer(part: Part, studies: Callable[[str], Study] | None) -> Scorer:
    """Estimates of rows; `resampled`: of a resample, whose own intervals nobody looks at, though they take time."""
    study, options = part.scorer(studies)
    quick = options
    if any(f.name == "resamples" for f in dataclasses.fields(options)):
        quick = dataclasses.replace(options, resamples=OWN_RESAMPLES)

    def score(rows: pl.DataFrame, resampled: bool) -> dict[Key, Estimate]:
        return {(e.section, e.name): e for e in study.score(rows, quick if resampled else options).estimates}

    return score


def _with_groups(rows: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    cut = rows.drop("group").join(groups, on="item", how="inner", maintain_order="left")
    return cut.select(rows.columns)


def _members(rows: pl.DataFrame, names: dict[str, int]) -> list[np.ndarray]:
    """Row numbers of each group, by the group's number."""
    codes = np.array([names[group] for group in rows["group"]])
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=len(names)))[:-1])


def _resampled(rows: pl.DataFrame, members: Sequence[np.ndarray], draw: np.ndarray) -> pl.DataFrame:
    """The rows of the drawn groups. A group drawn again gets names of its own, or its items would melt into one."""
    seen: dict[int, int] = {}
    suffixes, picked = [], []
    for g in draw.tolist():
        copy = seen[g] = seen.get(g, -1) + 1
        picked.append(members[g])
        suffixes += [f"~{copy}" if copy else ""] * len(members[g])
    suffix = pl.Series(suffixes, dtype=pl.String)
    return rows[np.concatenate(picked)].with_columns(pl.col("item") + suffix, pl.col("group") + suffix)


def difference_limits(
    a: Estimate, b: Estimate, drawn_a: np.ndarray, drawn_b: np.ndarray, g: int
) -> tuple[float, float, str]:
    """Limits of b - a on the same g groups, and how they were made.

    Where both estimates have an interval of their own, the limits of the difference come from their limits and from the
    correlation of the resampled values: they then hold for shares near 0 and 1 and for errors near 0 as the intervals
    themselves do. An estimate that resampling raises (as it does a calibration error) was raised by chance before, by
    up to 2.4 times as much, and each limit takes the end of what is left that lies farther out. Of shares, one group
    more that changed each way is reckoned with, for no change at all is no proof that none ever happens. Otherwise they
    are difference -+ t * standard deviation of the resampled differences, corrected for the number of groups. nan where
    it cannot be told: one group, or every resampled difference the same (unless of shares), or without intervals of
    their own more than a tenth of the resamples undefined. 95 % coverage of 60 items: .95 to .99.

    drawn_a, drawn_b  (r,) values on the same resamples, nan where undefined
    source            Zou 2007, Psychological Methods 12(4); Bonett and Price 2012, J. Educ. Behav. Statistics 37(4)
    """
    from scipy.special import stdtrit

    difference = b.value - a.value
    defined = np.isfinite(drawn_a) & np.isfinite(drawn_b)
    changes = (drawn_b - drawn_a)[defined]
    varies = len(changes) >= 2 and float(changes.std()) > 1e-12
    quantile = float(stdtrit(g - 1, 0.975)) if g > 1 else math.nan
    shares = all(e.method.startswith(SHARES) for e in (a, b))
    if g > 1 and all(_has_limits(e) for e in (a, b)) and (varies or shares):
        together = _correlation(drawn_a[defined], drawn_b[defined])
        more = 2 * (quantile / (g + 2)) ** 2 if shares else 0.0
        (a_least, a_most), (b_least, b_most) = _corrected(a, drawn_a[defined]), _corrected(b, drawn_b[defined])
        low = b_least - a_most - _apart(b_least - b.low, a.high - a_most, together, more)
        high = b_most - a_least + _apart(b.high - b_most, a_least - a.low, together, more)
        return low, high, "from the limits of both"
    if g < 2 or not varies or len(changes) < (1 - UNDEFINED_SHARE) * len(drawn_a):
        return math.nan, math.nan, "t"
    # Drawing g of g groups understates the variance by (g - 1) / g. No spread at all says that these items do not
    # tell the runs apart, not that the difference is known exactly.
    half = quantile * float(changes.std(ddof=1)) * math.sqrt(g / (g - 1))
    return difference - half, difference + half, "t"


def _has_limits(e: Estimate) -> bool:
    return math.isfinite(e.low) and math.isfinite(e.high) and not e.method.startswith(RANGES)


def _corrected(e: Estimate, drawn: np.ndarray) -> tuple[float, float]:
    """The estimate with and without what chance may have raised it by, inside its limits."""
    raised = float(drawn.mean()) - e.value if len(drawn) > 2 else 0.0
    corrected = min(max(e.value - REPEATED * raised, e.low), e.high)
    return min(e.value, corrected), max(e.value, corrected)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of resampled values; 0 where one of them does not vary."""
    if len(a) < 3 or min(a.std(), b.std()) < 1e-12:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _apart(x: float, y: float, correlation: float, more: float) -> float:
    return math.sqrt(max(0.0, x**2 + y**2 - 2 * correlation * x * y) + more)


def _option_differences(a: Part, b: Part) -> list[str]:
    names = sorted({*a.options, *b.options})
    return [
        f"{name} is {a.options.get(name)!r} in a, {b.options.get(name)!r} in b"
        for name in names
        if a.options.get(name) != b.options.get(name)
    ]


def _items(rows: pl.DataFrame) -> str:
    return f"{rows['item'].n_unique():,}"


def _table(differences: Sequence[_Difference]) -> Table:
    columns = ("study", "estimate", "a", "b", "b - a", "low", "high", "settled", "items to settle")
    rows: list[tuple[Any, ...]] = []
    for d in differences:
        name = ": ".join(filter(None, d.key))
        rows.append((d.study, name, d.a, d.b, d.value, d.low, d.high, d.settled, d.items_to_settle))
    return Table("Differences", columns, tuple(rows), note="b - a on common items, 95 % intervals")
