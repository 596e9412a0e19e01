"""The three-way grade of factual questions: correct, incorrect, not attempted; and what could not be read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from doxa.elicit.grading import is_correct, normalised
from doxa.elicit.reasoned import LISTED, entries
from doxa.records import Item, Kind, Outcome

if TYPE_CHECKING:
    import polars as pl

Verdict = Literal["correct", "incorrect", "not attempted", "unread"]
CORRECT, INCORRECT, NOT_ATTEMPTED, UNREAD = get_args(Verdict)
DECLINED: tuple[Outcome, ...] = ("abstained", "refused")
LIST = "list"  # kind of an item whose answer is a list


def kind_of(item: Item) -> str:
    """What an answer to the item looks like: its kind, or "list"."""
    return LIST if item.fields.get(LISTED) else item.kind


def verdict(kind: str, outcome: str, answer: str | None, truth: tuple[str, ...]) -> Verdict | None:
    """The grade of one reply; None: it answers, and the truth is not known.

    Declining in any way is no attempt. Right is what equals the truth or another accepted spelling; of a list every
    entry, in order. An answer that lacks what else was asked for (its confidence) is unread.

    >>> verdict("open", "ok", "the Nile", ("Nile",)), verdict("list", "ok", "1, blue", ("1,Blue",))
    ('correct', 'correct')
    >>> verdict("open", "abstained", None, ("Nile",)), verdict("open", "unparsed", "Nile", ("Nile",))
    ('not attempted', 'unread')
    """
    if outcome in DECLINED:
        return "not attempted"
    if outcome != "ok" or answer is None:
        return "unread"
    if not truth:
        return None
    return "correct" if _right(kind, answer, truth) else "incorrect"


def _right(kind: str, answer: str, truth: tuple[str, ...]) -> bool:
    if kind == LIST:
        return _list(answer) in [_list(text) for text in truth]
    known: Kind = next((k for k in get_args(Kind) if k == kind), "open")
    return is_correct(answer, Item("", "", known, answer=truth[0], accepted=truth[1:]))


def _list(text: str) -> list[str]:
    return [normalised(entry) for entry in entries(text)]


def judged(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns

      verdict   see `verdict`
      read      whether the reply was read: it answers in full, or declines
      attempted whether it answers in full
      correct   0.0 or 1.0; null: not attempted, or the truth is not known

    rows  columns kind ("list" or an item's kind), outcome, answer, and truth (right answers; empty: not known)
    """
    import polars as pl

    grade = cache(verdict)
    grades = [grade(k, o, a, tuple(t or ())) for k, o, a, t in rows.select("kind", "outcome", "answer", "truth").rows()]
    found = rows.with_columns(pl.Series("verdict", grades, dtype=pl.String))
    graded = pl.col("verdict").is_in([CORRECT, INCORRECT])
    return found.with_columns(
        read=pl.col("verdict").is_null() | (pl.col("verdict") != UNREAD),
        attempted=pl.col("verdict").is_null() | graded,
        correct=pl.when(graded).then((pl.col("verdict") == CORRECT).cast(pl.Float64)),
    )


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rows with the answers and their truths moved, in pairs, between replies of one model, strategy and outcome.

    So as much is right as before, and confidence and length know nothing of it; a truth moved alone would fit no answer
    to an open question. Rows keep their order.
    """
    import polars as pl

    rng = np.random.default_rng(seed)
    placed = rows.with_row_index("_place")
    parts = placed.partition_by("who", "strategy", "outcome", maintain_order=True)
    moved = []
    for part in parts:
        order = rng.permutation(len(part))
        moved.append(part.with_columns(part[column][order].alias(column) for column in ("kind", "answer", "truth")))
    return pl.concat(moved).sort("_place").drop("_place") if moved else rows
