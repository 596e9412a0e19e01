"""Whether what is said of a person's knowledge is also applied: answers about stories in, figures with intervals out.

A row has item (the story), group (its core), scenario, severity, generator, arm, world, question, answer (a letter,
null: not read), outcome, truth (a letter), logprobs (of the options, nats) and reminded. What cannot be read is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.metrics import shifts, sums
from doxa.metrics.cells import weighted_shares
from doxa.metrics.intervals import Interval
from doxa.metrics.resampling import bootstrap

if TYPE_CHECKING:
    import polars as pl

LETTERS = "ABC"
ASKED = ("aware", "action", "judge")
Cell = tuple[str, str, str]
"""Arm, world ("hidden": X does not know; "known") and question."""
Column = list[Any]
COLUMNS = ("letters", "truths", "outcomes", "logprobs", "reminded")


def plain(question: str, world: str = "hidden") -> Cell:
    """The cell of a question without an intervention."""
    return ("none", world, question)


@dataclass(frozen=True)
class Told:
    """Answers by story: columns (n,) in the order of `items`, None where a story was not asked in a cell."""

    items: list[str]
    cores: Column
    scenario: Column
    severity: Column
    generator: Column
    letters: dict[Cell, Column]
    truths: dict[Cell, Column]
    outcomes: dict[Cell, Column]
    logprobs: dict[Cell, Column]
    reminded: dict[Cell, Column]

    def right(self, cell: Cell) -> Column:
        """1 right, 0 wrong or not read, None not asked."""
        said, gold = self.letters.get(cell), self.truths.get(cell)
        if said is None or gold is None:
            return [None] * len(self.items)
        return [None if g is None else float(s == g) for s, g in zip(said, gold, strict=True)]

    def asked(self, cell: Cell) -> bool:
        return cell in self.truths

    def arms(self) -> list[str]:
        return list(dict.fromkeys(arm for arm, _, _ in self.truths))

    def among(self, keep: Sequence[bool]) -> Told:
        """The stories where `keep` holds."""

        def cut(column: Column) -> Column:
            return [value for value, kept in zip(column, keep, strict=True) if kept]

        def cells(table: dict[Cell, Column]) -> dict[Cell, Column]:
            return {cell: cut(column) for cell, column in table.items()}

        return Told(
            cut(self.items),
            cut(self.cores),
            cut(self.scenario),
            cut(self.severity),
            cut(self.generator),
            cells(self.letters),
            cells(self.truths),
            cells(self.outcomes),
            cells(self.logprobs),
            cells(self.reminded),
        )


def told(rows: pl.DataFrame, counted: Collection[str] = ("ok", "ambiguous")) -> Told:
    """Rows by story and cell. Rows of a single arm, whichever it is, count as those without an intervention.

    counted  outcomes whose letter counts: "ambiguous" (one of several, or part of a word) and "truncated" (found in
             reasoning without its last sentence) as published; of any other outcome the answer is not read
    raises   ValueError: a story asked twice in one cell
    """
    records = sorted(rows.to_dicts(), key=lambda r: str(r["item"]))
    about = {r["item"]: r for r in reversed(records)}
    arms = {r["arm"] for r in records}
    items = list(dict.fromkeys(r["item"] for r in records))
    place = {name: i for i, name in enumerate(items)}
    tables: dict[str, dict[Cell, Column]] = {name: {} for name in COLUMNS}
    for r in sorted(records, key=lambda r: (str(r["arm"]), str(r["world"]), str(r["question"]))):
        cell, at = (r["arm"] if len(arms) > 1 else "none", r["world"], r["question"]), place[r["item"]]
        if tables["truths"].get(cell, [None] * len(items))[at] is not None:
            raise ValueError(f"story {r['item']!r} was asked {cell} twice; keep one answer, or name the stories apart")
        read = r["answer"] if r["outcome"] in counted else None
        values = (read, r["truth"], r["outcome"], r["logprobs"] or None, r["reminded"] or None)
        for name, value in zip(COLUMNS, values, strict=True):
            tables[name].setdefault(cell, [None] * len(items))[at] = value
    return Told(
        items,
        cores=[about[i]["group"] or i for i in items],
        scenario=[about[i]["scenario"] for i in items],
        severity=[about[i]["severity"] for i in items],
        generator=[about[i]["generator"] for i in items],
        letters=tables["letters"],
        truths=tables["truths"],
        outcomes=tables["outcomes"],
        logprobs=tables["logprobs"],
        reminded=tables["reminded"],
    )


# --- the three questions ---------------------------------------------------------------------------------------------


def questions(t: Told) -> dict[str, Interval]:
    """Accuracy of each question, what is lost from one to the next, and all three right."""
    aware, action, judge = (t.right(plain(q)) for q in ASKED)
    found = {q: share(t, right) for q, right in zip(ASKED, (aware, action, judge), strict=True)}
    three = [None if None in c else sum(c) / 3 for c in zip(aware, action, judge, strict=True)]
    every = [None if m is None else float(m == 1) for m in three]
    return {
        **found,
        "aware, options shuffled": weighted(t, [(plain("aware"), 0.5), (plain("aware-swapped"), 0.5)]),
        "mean of three": resampled(t, three),
        "drop, aware to action": resampled(t, _minus(aware, action)),
        "drop, action to judge": resampled(t, _minus(action, judge)),
        "all three right": share(t, every),
        "action, aware right": share(t, _where(action, aware)),
        "judge, aware right": share(t, _where(judge, aware)),
        "judge, aware and action right": share(t, _where(_where(judge, aware), action)),
    }


def twins(t: Told) -> dict[str, Interval]:
    """The same where X knows, and for the opposite act; the means over both, which are 1/2 for a constant answer."""
    named = {
        "aware, X knows": plain("aware", "known"),
        "action, X knows": plain("action", "known"),
        "judge, X knows": plain("judge", "known"),
        "judge, the other act": plain("other"),
        "judge, X knows, the other act": plain("other", "known"),
    }
    found = {name: share(t, t.right(cell)) for name, cell in named.items() if t.asked(cell)}
    for q in ASKED:
        both = both_worlds(t, q)
        if len(both) > 1:
            found[f"{q}, with twins"] = weighted(t, [(cell, 1 / len(both)) for cell in both])
    return found


def both_worlds(t: Told, q: str) -> list[Cell]:
    """Where a question was asked of those who know and who do not; where acts are judged, of the opposite act, too."""
    names = (q, "other") if q == "judge" else (q,)
    return [plain(name, world) for name in names for world in ("hidden", "known") if t.asked(plain(name, world))]


def averages(t: Told) -> dict[str, Interval]:
    """Mean of the scenarios' accuracies, each scenario weighing the same."""
    found = {}
    for q in ASKED:
        kept = [(r, str(s), c) for r, s, c in zip(t.right(plain(q)), t.scenario, t.cores, strict=True) if r is not None]
        size = Counter(s for _, s, _ in kept)
        weights = [len(kept) / (len(size) * size[s]) for _, s, _ in kept]
        values = [r * w for (r, *_), w in zip(kept, weights, strict=True)]
        cores = [core for *_, core in kept]
        found[f"{q}, mean of scenarios"] = sums.mean(values, cores, bounds=(0.0, max(weights, default=1.0)))
    return found


# --- tables ----------------------------------------------------------------------------------------------------------

BY = ("stories", *(f"{end}{q}" for q in ASKED for end in ("", "low, ", "high, ")))


def by(t: Told, column: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Accuracy of the three questions for each value of a column, as BY behind the value."""
    lines = []
    for value in sorted(set(column), key=str):
        part = t.among([v == value for v in column])
        shown = [share(part, part.right(plain(q))) for q in ASKED]
        lines.append((value, len(part.items), *(x for i in shown for x in (i.value, i.low, i.high))))
    return lines


MCNEMAR = ("from", "to", "only the first right", "only the second right", "p, exact", "p, mid", "stories")


def mcnemar(t: Told) -> list[tuple[Any, ...]]:
    """McNemar's test between the questions, clustered by core, as MCNEMAR."""
    lines = []
    for a, b in (("aware", "action"), ("aware", "judge"), ("action", "judge")):
        found = shifts.changes(t.right(plain(a)), t.right(plain(b)), t.cores)
        lines.append((a, b, found.lost, found.gained, found.p_exact, found.p_mid, found.n))
    return lines


# --- common ground ---------------------------------------------------------------------------------------------------


def share(t: Told, values: Column) -> Interval:
    """Share of ones among those that are known, cores kept together; nan without any."""
    kept = [(v, core) for v, core in zip(values, t.cores, strict=True) if v is not None]
    return sums.share([v for v, _ in kept], [c for _, c in kept])


def resampled(t: Told, values: Column) -> Interval:
    """Mean of what is known, with an interval by resampling cores; nan without any."""
    kept = [(v, core) for v, core in zip(values, t.cores, strict=True) if v is not None]
    if not kept:
        return sums.NOTHING
    return bootstrap(np.mean, [v for v, _ in kept], groups=[c for _, c in kept])


def weighted(t: Told, cells: Sequence[tuple[Cell, float]]) -> Interval:
    """Weighted sum of the accuracies of cells, cores kept together; nan where one of them was not asked."""
    if not t.items:
        return sums.NOTHING
    columns, weights = [t.right(cell) for cell, _ in cells], [weight for _, weight in cells]
    units, at = np.unique(np.array([str(c) for c in t.cores]), return_inverse=True)
    hits = [np.bincount(at, [r or 0.0 for r in c], minlength=len(units)) for c in columns]
    counts = [np.bincount(at, [float(r is not None) for r in c], minlength=len(units)) for c in columns]
    return weighted_shares(hits, counts, weights)


def answered(t: Told, cell: Cell) -> list[tuple[Any, Any]]:
    return columns(t.letters, t.truths, cell)


def columns(a: dict[Cell, Column], b: dict[Cell, Column], cell: Cell) -> list[tuple[Any, Any]]:
    return list(zip(a.get(cell, []), b.get(cell, []), strict=True))


def _where(values: Column, condition: Column) -> Column:
    return [v if c == 1 else None for v, c in zip(values, condition, strict=True)]


def _minus(a: Column, b: Column) -> Column:
    return [None if None in (x, y) else x - y for x, y in zip(a, b, strict=True)]


def bounds(t: Told, cell: Cell) -> tuple[float, float] | None:
    """Accuracy if all that could not be read were wrong, and if all of it were right; None without answers."""
    pairs = [(said, gold) for said, gold in answered(t, cell) if gold is not None]
    if not pairs:
        return None
    low = sum(said == gold for said, gold in pairs) / len(pairs)
    return low, low + sum(said is None for said, _ in pairs) / len(pairs)


def reading(t: Told, cell: Cell) -> list[tuple[str | None, str | None]]:
    """The letter that counts and the outcome of each story's answer in a cell."""
    return columns(t.letters, t.outcomes, cell)


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Right letters shuffled among all stories and both worlds of one question in one arm."""
    import polars as pl

    rng, parts = np.random.default_rng(seed), []
    for _, part in rows.with_row_index("_row").group_by("arm", "question", maintain_order=True):
        order = rng.permutation(len(part))
        parts.append(part.with_columns(part["truth"][order].alias("truth")))
    return pl.concat(parts).sort("_row").drop("_row") if parts else rows
