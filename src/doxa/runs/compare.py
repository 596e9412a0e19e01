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
    draw in both. The interval is difference -+ t * standard error (t with groups - 1 degrees of freedom, the standard
    deviation of the resampled differences corrected for the number of groups). It is nan where it cannot be told: one
    group, every resample the same, or more than a tenth of them undefined.

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
    """One estimate in both runs, on n common items; `half` is half the width of the interval of b - a."""

    study: str
    key: Key
    a: float
    b: float
    n: int
    half: float
    method: str

    @property
    def value(self) -> float:
        return self.b - self.a

    @property
    def settled(self) -> str:
        if not math.isfinite(self.value) or not math.isfinite(self.half):
            return "unknown"
        return "yes" if abs(self.value) > self.half else "no"

    @property
    def items_to_settle(self) -> int | None:
        """Common items at which an interval of this shape would leave 0 out; None: it does, or none would."""
        if self.settled != "no" or not self.value:
            return None
        return math.ceil(self.n * (self.half / self.value) ** 2)

    def estimate(self) -> Estimate:
        section = ": ".join(filter(None, (self.study, self.key[0])))
        more = self.items_to_settle
        note = f"from {self.a:.4g} to {self.b:.4g}" + (f"; about {more:,} common items would settle it" if more else "")
        low, high = self.value - self.half, self.value + self.half
        return Estimate(
            self.key[1], self.value, low, high, n=self.n, unit="items", method=self.method, section=section, note=note
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
        value_a, value_b = self.score_a(self.rows_a), self.score_b(self.rows_b)
        both = [key for key in value_a if key in value_b]
        names = {name for _, name in both}
        chosen = [key for key in both if metric in (None, key[1], f"{self.name}/{key[1]}")]
        if not chosen:
            return _Compared(names, [], self.notes)
        drawn = self._drawn(chosen, resamples, seed)
        method = f"paired bootstrap by group, {len(drawn)} resamples, t"
        halves = [_half_width(drawn[:, k], self.g) for k in range(len(chosen))]
        found = [
            _Difference(self.name, key, value_a[key], value_b[key], self.n, half, method)
            for key, half in zip(chosen, halves, strict=True)
        ]
        return _Compared(names, found, self.notes)

    def _drawn(self, keys: Sequence[Key], resamples: int | None, seed: int) -> np.ndarray:
        """(resamples, keys) differences; nan where a resample could not be scored."""
        rng = np.random.default_rng(seed)
        began = time.monotonic()
        drawn: list[list[float]] = []
        while len(drawn) < (resamples or MOST):
            if resamples is None and len(drawn) >= FEWEST and time.monotonic() - began > BUDGET_S:
                break
            draw = rng.integers(0, self.g, self.g)
            drawn.append(self._difference(draw, keys))
        return np.array(drawn)

    def _difference(self, draw: np.ndarray, keys: Sequence[Key]) -> list[float]:
        try:
            a = self.score_a(_resampled(self.rows_a, self.members_a, draw))
            b = self.score_b(_resampled(self.rows_b, self.members_b, draw))
        except Exception:  # e.g. a class that this draw does not have; counted as undefined
            return [math.nan] * len(keys)
        return [b.get(key, math.nan) - a.get(key, math.nan) for key in keys]


def _scorer(part: Part, studies: Callable[[str], Study] | None) -> Callable[[pl.DataFrame], dict[Key, float]]:
    study, options = part.scorer(studies)
    if any(f.name == "resamples" for f in dataclasses.fields(options)):
        # The estimates' own intervals are not looked at here, and a study's score is slow because of them.
        options = dataclasses.replace(options, resamples=OWN_RESAMPLES)

    def score(rows: pl.DataFrame) -> dict[Key, float]:
        return {(e.section, e.name): float(e.value) for e in study.score(rows, options).estimates}

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


def _half_width(drawn: np.ndarray, g: int) -> float:
    """Half of a 95 % interval from resampled differences of g groups; nan where it cannot be told."""
    from scipy.special import stdtrit

    defined = drawn[np.isfinite(drawn)]
    if g < 2 or len(defined) < max(2, (1 - UNDEFINED_SHARE) * len(drawn)):
        return math.nan
    spread = float(defined.std(ddof=1))
    # Drawing g of g groups understates the variance by (g - 1) / g. No spread at all says that these items do not
    # tell the runs apart, not that the difference is known exactly.
    return float(stdtrit(g - 1, 0.975)) * spread * math.sqrt(g / (g - 1)) if spread > 1e-12 else math.nan


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
        low, high = d.value - d.half, d.value + d.half
        rows.append((d.study, name, d.a, d.b, d.value, low, high, d.settled, d.items_to_settle))
    return Table("Differences", columns, tuple(rows), note="b - a on common items, 95 % intervals")
