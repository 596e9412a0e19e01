"""Tables of shifts by amount of context, technique and subject, of joint shifts; and rows as if no context had been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.metrics import context_shifts as of
from doxa.metrics import shifts

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Lines:
    """A table by name: columns, rows, and what has to be known to read it."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


def _flip(table: pl.DataFrame) -> shifts.Shift:
    return shifts.flip_rate(*(table[c].to_list() for c in ("before", "after", "group")))


def _cells(found: shifts.Shift) -> tuple[Any, ...]:
    return found.value, found.low, found.high, found.n, found.missing


def by_amount(rows: pl.DataFrame) -> Lines:
    """Share of labels that differ from the first after each amount of each context."""
    found = []
    for context in of.contexts(rows):
        for measure in of.MEASURES:
            for amount in of.amounts(rows, context):
                cells = _cells(_flip(of.paired(rows, measure, context, amount=amount)))
                found.append((context, measure, amount, *cells))
    columns = ("context", "measure", "amount", "shift", "low", "high", "n", "missing")
    return Lines("By rounds and words", columns, tuple(found), "Rounds of a talk, words read, calls of a researcher.")


def nulls(rows: pl.DataFrame) -> tuple[tuple[Any, ...], ...]:
    """Beside `by_amount`: its columns where nothing was argued, asked again (amount 0), and filler in place of it all.

    A filler's measure says so; lines without any answer are left out.
    """
    found = []
    for context in of.contexts(rows):
        for measure in of.MEASURES:
            table = of.paired(rows, measure, context)
            last = of.amounts(rows, context)[-1]
            for arm, name, amount in (("again", measure, 0), ("filler", f"{measure}, filler", last)):
                if table[arm].is_not_null().any():
                    flips = shifts.flip_rate(*(table[c].to_list() for c in ("before", arm, "group")))
                    found.append((context, name, amount, *_cells(flips)))
    return tuple(found)


OF_MODEL = ("model", "context", *(f"{m}{end}" for m in of.MEASURES for end in (" shift", ", low", ", high")),
            *(f"{m} beyond filler" for m in of.MEASURES), "belief asked again", "items")  # fmt: skip


def of_model(label: str, rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """A model beside others: shifts after each context at its most, beyond filler, and asked again, as OF_MODEL."""
    import polars as pl

    rows, found = rows.with_columns(pl.coalesce("group", "item").alias("group")), []
    for context in of.contexts(rows):
        rates = {measure: of.shift_rates(rows, measure, context) for measure in of.MEASURES}
        shift = [rates[m][f"{m} shift, {context}"] for m in of.MEASURES]
        beyond = [rates[m].get(f"{m} shift beyond filler, {context}") for m in of.MEASURES]
        again = of.controls(rows).get("belief changes, asked again")
        table = of.paired(rows, "belief", context)
        items = table.filter(table["after"].is_not_null())["item"].n_unique()
        values = [v for i in shift for v in (i.value, i.low, i.high)]
        null = [None if i is None else i.value for i in (*beyond, again)]
        found.append((label, context, *values, *null, items))
    return found


def by_technique(rows: pl.DataFrame) -> Lines:
    """Shifts after a persuasion by each technique."""
    found = []
    if "persuasion" in of.contexts(rows):
        for measure in of.MEASURES:
            table = of.paired(rows, measure, "persuasion")
            for technique in sorted(t for t in set(table["technique"].to_list()) if t):
                found.append((technique, measure, *_cells(_flip(table.filter(table["technique"] == technique)))))
    return Lines("By technique", ("technique", "measure", "shift", "low", "high", "n", "missing"), tuple(found))


def by_subject(rows: pl.DataFrame) -> Lines:
    """Shifts of belief and behaviour of each subject, over all contexts at their most."""
    names = rows.select("item", "subject").unique().sort("item", "subject")
    subjects, found = dict(names.iter_rows()), []
    for measure in of.MEASURES:
        tables = [of.paired(rows, measure, context) for context in of.contexts(rows)]
        for subject in sorted(set(subjects.values())):
            held = [t.filter([subjects[item] == subject for item in t["item"].to_list()]) for t in tables]
            series = [[x for t in held for x in t[c].to_list()] for c in ("before", "after", "group")]
            if series[0]:
                found.append((subject, measure, *_cells(shifts.flip_rate(*series))))
    note = "All contexts at their most, together. 95 % intervals, not to be trusted below about 10 items."
    return Lines("By subject", ("subject", "measure", "shift", "low", "high", "n", "missing"), tuple(found), note)


def together(rows: pl.DataFrame) -> Lines:
    """The 2 x 2 table of shifts of belief and behaviour behind phi, and McNemar's test of the direction of labels."""
    found = []
    for context in of.contexts(rows):
        table = of.joined(rows, context)
        cells = {(a, b): 0 for a in (True, False) for b in (True, False)}
        for before, after, acted, acts in table.select("before", "after", "acted", "acts").iter_rows():
            if None not in (before, after, acted, acts):
                cells[before != after, acted != acts] += 1
        test = _direction(of.paired(rows, "belief", context))
        found.append((context, *cells.values(), test.gained, test.lost, test.p_exact))
    columns = ("context", "both shift", "belief alone", "behaviour alone", "neither", "toward", "away", "p, exact")
    note = "Labels that changed toward and away from the context's side; p: each group's net change has a random sign."
    return Lines("Shifts together, and their direction", columns, tuple(found), note)


def _direction(table: pl.DataFrame) -> shifts.Changes:
    table = table.filter(table["toward"].is_in(["support", "oppose"]))
    before, after = (
        [None if said is None else float(said == side) for said, side in table.select(arm, "toward").iter_rows()]
        for arm in ("before", "after")
    )
    return shifts.changes(before, after, table["group"].to_list())


def without_context(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rows in which each answer after a context is that of a control arm without one, drawn for each item."""
    import polars as pl

    rng = np.random.default_rng(seed)
    drawn = {item: ("again", "noop")[int(rng.integers(2))] for item in sorted(set(rows["item"].to_list()))}
    said = {
        (item, arm, measure, order): (answer, number)
        for item, arm, measure, order, answer, number in rows.select(
            "item", "arm", "measure", "order", "answer", "number"
        ).iter_rows()
        if arm in of.CONTROLS
    }
    answers, numbers = [], []
    for item, arm, measure, order, answer, number in rows.select(
        "item", "arm", "measure", "order", "answer", "number"
    ).iter_rows():
        own = (answer, number)
        there = said.get((item, drawn[item], measure, order), own) if arm in ("context", "masked") else own
        answers.append(there[0])
        numbers.append(there[1])
    return rows.with_columns(
        pl.Series("answer", answers, dtype=pl.String), pl.Series("number", numbers, dtype=pl.Float64)
    )
