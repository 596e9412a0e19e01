"""Histories: what models answered in the past and whether it was right, split by question, alike for all models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from doxa.data.sets import raw_rows
from doxa.data.similar import Similar
from doxa.data.splits import split
from doxa.records import DoxaError, Item

if TYPE_CHECKING:
    import polars as pl

Row = tuple[str, Mapping[str, Any]]  # where it stands, its cells by column
Part = Literal["train", "calibration", "test"]
TRAIN, CALIBRATION, SEED = 0.7, 0.05, 42

ORDER: tuple[Part, ...] = ("train", "calibration", "test")  # what stands in two counts for the later
PARTS: dict[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("calibration", "cal", "calib", "validation", "val", "dev"), "calibration"),
    "test": "test",
}
TRUTHS = {**dict.fromkeys(("yes", "true", "1", "1.0"), True), **dict.fromkeys(("no", "false", "0", "0.0"), False)}
# Part of a record: columns that hold it, the first present is taken. Published files have the first of each.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "question": ("input_prompt", "question", "prompt"),
    "response": ("cleaned_model_completion", "model_completion", "response", "reply", "completion", "text"),
    "correct": ("is_correct", "correct", "label"),
    "model": ("alpha_model_name", "model", "model_name", "answered_by"),
    "subject": ("subject", "topic", "category"),
    "part": ("split", "part"),
    "answer": ("answer", "extracted_answer", "model_answer"),
    "item": ("item", "id", "question_id"),
    "group": ("group",),
}


@dataclass(frozen=True)
class Past:
    """One response of the past. answer: its final answer, None: not extracted; correct: None, not known."""

    item: str
    model: str
    question: str
    response: str
    answer: str | None
    correct: bool | None
    part: Part
    subject: str = ""
    group: str = ""

    def cells(self, condition: str) -> dict[str, Any]:
        """As a row of a history, by column."""
        kept = {name: getattr(self, name) for name in ("item", "question", "answer", "correct", "part", "subject")}
        own = {"condition": condition, "answered_by": self.model, "text": self.response, "group": self.group or None}
        return kept | own | {"sample": 0, "outcome": "ok"}


@lru_cache(maxsize=65536)
def part_of(group: str, *, train: float = TRAIN, calibration: float = CALIBRATION, seed: int = SEED) -> Part:
    """The part that a question stands in: by hash of its group, so that it is the same for every model and set.

    raises  ValueError: shares outside [0, 1], or that leave nothing to test
    """
    if train + calibration >= 1:
        raise ValueError(f"train is {train} and calibration {calibration}: nothing is left to test; lower them")
    only = [Item(group, "", group=group)]
    if split(only, train, seed)[0]:
        return "train"
    return "calibration" if split(only, train + calibration, seed)[0] else "test"


def read_past(
    rows: Iterable[Row],
    label: str,
    *,
    train: float = TRAIN,
    calibration: float = CALIBRATION,
) -> tuple[list[Past], tuple[str, ...]]:
    """Histories from a table: the published hub columns, or plain ones (`COLUMNS`); others are passed over.

    A question without an id is known by its text, a row without a model by `label`, one without a part by hash.

    rows    (place, cells by column); label: the file's name
    returns the records, and notes on what was left out
    raises  DoxaError: no question or no verdict, a verdict or a part that cannot be read
    """
    found = [_past(where, row, label, train, calibration) for where, row in rows]
    seen: dict[tuple[str, str], Past] = {}
    repeated = 0
    for past in found:
        repeated += (past.model, past.item) in seen
        seen.setdefault((past.model, past.item), past)
    unknown = sum(past.correct is None for past in seen.values())
    said = (
        (repeated, "rows repeat a question of the same model; the first of each counts"),
        (unknown, "rows do not say whether the response was right; they are in no figure"),
    )
    return list(seen.values()), tuple(f"{n:,} {what}" for n, what in said if n)


def past_rows(source: str, *, rows_of: Callable[[Path], Iterable[Row]], study: str) -> Iterable[Row]:
    """Rows of a file, of a run's folder (those of a study), or of a hub set (all its parts).

    rows_of  reads a file's rows with their places
    raises   DoxaError, SetError: there is no such thing, or it cannot be read
    """
    path = Path(source)
    if path.is_dir():
        stored = path / "readings" / study / "rows.parquet"
        if not stored.is_file():
            raise DoxaError(f"{source} holds no rows of {study!r}; there is no {stored}")
        return rows_of(stored)
    if path.suffix or path.exists() or source.count("/") != 1:
        return rows_of(path)
    return raw_rows(source, split="train")


def one_part_each(table: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Rows (columns question, item, part) without those whose question stands, for another model, in a later part.

    Such a question would be learnt from and tested on. Questions are the same when their words are, or, without any,
    their ids. Gives the rows that stay and how many went.
    """
    import polars as pl

    words = pl.col("question").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    ranks = {part: rank for rank, part in enumerate(ORDER)}
    rank = pl.col("part").replace_strict(ranks, return_dtype=pl.Int64)
    asked = pl.when(words == "").then(pl.col("item")).otherwise(words)
    kept = table.filter(rank == rank.max().over(asked))
    return kept, len(table) - len(kept)


def _past(where: str, row: Mapping[str, Any], label: str, train: float, calibration: float) -> Past:
    cell = {part: _first(row, names) for part, names in COLUMNS.items()}
    if cell["question"] is None and cell["item"] is None:
        raise DoxaError(f"{where}: no question. A history has a column {' or '.join(COLUMNS['question'])}, or an id")
    if not any(name in row for name in COLUMNS["correct"]):
        raise DoxaError(
            f"{where}: no verdict; the row has {', '.join(map(repr, row))}. A history says in a column "
            f"{' or '.join(COLUMNS['correct'])} whether the response was right"
        )
    question = cell["question"] or ""
    item = cell["item"] or question
    group = cell["group"] or item
    part = part_of(group, train=train, calibration=calibration) if cell["part"] is None else _part(where, cell["part"])
    return Past(
        item=item,
        model=cell["model"] or label,
        question=question,
        response=cell["response"] or cell["answer"] or "",
        answer=cell["answer"],
        correct=_verdict(where, cell["correct"]),
        part=part,
        subject=cell["subject"] or "",
        group=group,
    )


def _first(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first cell that is there and not empty, as text."""
    cells = (row.get(name) for name in names)
    return next((str(cell) for cell in cells if cell is not None and str(cell).strip()), None)


def _verdict(where: str, text: str | None) -> bool | None:
    if text is None:
        return None
    if (verdict := TRUTHS.get(text.strip().lower())) is None:
        raise DoxaError(f"{where}: the verdict is {text!r}; it is yes or no, true or false, 1 or 0, or empty")
    return verdict


def _part(where: str, text: str) -> Part:
    if (part := PARTS.get(text.strip().lower())) is None:
        raise DoxaError(f"{where}: the split is {text!r}; it is one of {', '.join(PARTS)}, or empty")
    return part


# --- the nearest questions -------------------------------------------------------------------------------------------


def nearest_rates(past: pl.DataFrame, asked: pl.DataFrame, k: int) -> np.ndarray:
    """The share of right ones among a model's responses to the k nearest questions of its past, (n,) of those asked.

    past, asked  rows with columns item, group, question, answered_by, correct
    returns      never of a response's own question; nan: the model has no past
    """
    found = np.full(len(asked), np.nan)
    for (model,), mine in past.unique(["answered_by", "item"], keep="first").group_by("answered_by"):
        places = np.flatnonzero((asked["answered_by"] == model).to_numpy())
        verdicts, pool = dict(mine.select("item", "correct").iter_rows()), _questions(mine)
        groups = {item.cluster for item in pool}
        if len(groups) > k and len(places):
            near = Similar(pool).nearest_each(_questions(asked[places]), k)
            found[places] = [np.mean([verdicts[n.item.id] for n in nearest]) for nearest in near]
    return found


def _questions(rows: pl.DataFrame) -> list[Item]:
    cells = rows.select("item", "question", "group").iter_rows()
    return [Item(item, question or item, group=group) for item, question, group in cells]
