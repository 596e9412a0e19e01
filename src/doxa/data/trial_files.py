"""Recorded trials of persons who read a model's answers: one row for each trial, as in a study's own export."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from doxa.records import DoxaError

Cells = tuple[str, Mapping[str, Any]]  # where a row stands, its cells by column
Scale = Literal["auto", "percent", "probability"]

NAMES: Mapping[str, tuple[str, ...]] = {  # what is read: the columns it goes by, the first present is taken
    "item": ("item_id", "item", "question_id", "id"),
    "reader": ("reader_id", "reader", "participant", "participant_id", "subject_id", "worker_id"),
    "style": ("style", "level", "uncertainty", "condition"),
    "length": ("length", "explanation_length"),
    "model": ("model_confidence", "internal_confidence", "m"),
    "correct": ("correct", "is_correct", "accuracy"),
    "human": ("human_confidence", "reader_confidence", "confidence", "h"),
    "subject": ("subject", "topic", "category"),
    "words": ("words", "word_count"),
    "own": ("own_answer", "reader_answer"),
}
NEEDED = ("item", "model", "correct", "human")
STYLES: Mapping[str, str] = {
    **dict.fromkeys(("", "default", "baseline", "none given", "original"), "default"),
    **{f"{level}{tail}": level for level in ("low", "medium", "high") for tail in ("", " confidence", " certainty")},
    **dict.fromkeys(("none", "no explanation"), "none"),
    **dict.fromkeys(("swapped", "shuffled"), "swapped"),
}
LENGTHS: Mapping[str, str] = {
    **dict.fromkeys(("", "default", "original"), "default"),
    **{name: name for name in ("long", "short")},
    **dict.fromkeys(("uncertainty_only", "uncertainty only", "uncertainty-only"), "uncertainty_only"),
}
_YES, _NO = {"1", "1.0", "true", "yes", "correct"}, {"0", "0.0", "false", "no", "incorrect", "wrong"}


@dataclass(frozen=True)
class Trial:
    """One trial; None: the cell is empty. Confidences are probabilities; sample: which repetition, from 0."""

    item: str
    reader: str
    style: str
    length: str
    sample: int
    model: float | None
    human: float | None
    correct: bool | None
    subject: str = ""
    words: int | None = None
    own: str | None = None


def trials(
    rows: Iterable[Cells], name: str, *, scale: Scale = "auto", renamed: str | None = None
) -> tuple[list[Trial], list[str]]:
    """Trials, and notes on how the file was understood. Unknown columns are passed over.

    Needed are the item, the model's confidence in its answer, whether that answer is right (0 or 1), and the reader's
    confidence, see `NAMES`. Without readers all trials are one reader's; without style and length they are default.

    scale    of the reader's numbers without a percent sign; auto: percent if any number of the file is above 1
    renamed  "theirs=ours,..." for columns of other names
    raises   DoxaError: no rows, no such column, an unknown style or length, a number outside its scale, an answer that
             is right in one row and wrong in another
    """
    table = list(rows)
    if not table:
        raise DoxaError(f"{name} has no rows; was the export cut off?")
    columns = _columns(table, name, renamed)
    percent = scale == "percent" or (scale == "auto" and _above_one(table, columns["human"]))
    found: list[Trial] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for where, row in table:
        one = _trial(where, row, columns, percent)
        key = (one.item, one.reader, one.style, one.length)
        found.append(Trial(**{**vars(one), "sample": seen[key]}))
        seen[key] += 1
    _check_same(found, name)
    ignored = sorted({c for _, row in table for c in row} - set(columns.values()))
    notes = [f"readers' confidences without a sign are read as {'percent' if percent else 'probabilities'}"]
    if "reader" not in columns:
        notes.append(f"no column of readers ({', '.join(NAMES['reader'])}): all trials count as one reader's")
    if ignored:
        notes.append(f"columns passed over: {', '.join(ignored)}")
    return found, notes


def as_rows(found: Sequence[Trial]) -> list[dict[str, Any]]:
    """Trials as rows of the study's table; a trial without the reader's confidence is unread."""
    return [
        {
            **{
                name: getattr(t, name)
                for name in ("item", "reader", "style", "length", "sample", "subject", "own", "words")
            },
            **{"condition": f"{t.style}, {t.length}", "outcome": "unparsed" if t.human is None else "ok", "text": ""},
            **{"model_confidence": t.model, "reader_confidence": t.human, "truth": t.correct, "read_by": "persons"},
        }
        for t in found
    ]


def _columns(table: Sequence[Cells], name: str, renamed: str | None) -> dict[str, str]:
    present = dict.fromkeys(column for _, row in table for column in row)
    theirs = _renamed(renamed, present, name)
    found = {}
    for part, names in NAMES.items():
        column = next((theirs.get(n, n) for n in names if theirs.get(n, n) in present), None)
        if column is not None:
            found[part] = column
    for part in NEEDED:
        if part not in found:
            raise DoxaError(
                f"{name} has the columns {', '.join(present)}; none of them is {NAMES[part][0]} "
                f"({', '.join(NAMES[part])}). Rename one, or say --renamed theirs={NAMES[part][0]}"
            )
    return found


def _renamed(renamed: str | None, present: Iterable[str], name: str) -> dict[str, str]:
    """Our name -> theirs."""
    ours: dict[str, str] = {}
    for pair in renamed.split(",") if renamed else ():
        theirs, sep, our = (part.strip() for part in pair.partition("="))
        if not sep or theirs not in present or our not in {n for names in NAMES.values() for n in names}:
            known = ", ".join(names[0] for names in NAMES.values())
            raise DoxaError(
                f"renamed {pair!r}: say theirs=ours, theirs being a column of {name} ({', '.join(present)}) and ours "
                f"one of {known}"
            )
        ours[our] = theirs
    return ours


def _trial(where: str, row: Mapping[str, Any], columns: Mapping[str, str], percent: bool) -> Trial:
    cell = {part: _text(row.get(column)) for part, column in columns.items()}
    if not cell["item"]:
        raise DoxaError(f"{where}, {columns['item']!r}: empty; every trial names the item that was read")
    return Trial(
        item=cell["item"],
        reader=cell.get("reader") or "",
        style=_known(where, columns.get("style", ""), cell.get("style"), STYLES),
        length=_known(where, columns.get("length", ""), cell.get("length"), LENGTHS),
        sample=0,
        model=_probability(where, columns["model"], cell["model"], False),
        human=_probability(where, columns["human"], cell["human"], percent),
        correct=_right(where, columns["correct"], cell["correct"]),
        subject=cell.get("subject") or "",
        words=_whole(where, columns.get("words", ""), cell.get("words")),
        own=cell.get("own"),
    )


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    text = str(value).strip()
    return None if text.lower() in ("", "na", "nan", "null") else text


def _known(where: str, column: str, text: str | None, names: Mapping[str, str]) -> str:
    if (text or "").lower() not in names:
        raise DoxaError(
            f"{where}, {column!r}: {text!r}; known are {', '.join(n for n in names if n)}, or an empty cell"
        )
    return names[(text or "").lower()]


def _number(where: str, column: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DoxaError(f"{where}, {column!r}: {text!r} is no number; leave the cell empty if it is missing") from None


def _probability(where: str, column: str, text: str | None, percent: bool) -> float | None:
    if text is None:
        return None
    signed = text.endswith("%")
    value = _number(where, column, text.rstrip("% ")) / (100 if percent or signed else 1)
    if not 0 <= value <= 1:
        way_out = "Give 0 to 100." if percent or signed else "Percent? divide by 100; of readers: --scale percent."
        raise DoxaError(f"{where}, {column!r}: {text!r}; a confidence lies between 0 and 1. {way_out}")
    return value


def _right(where: str, column: str, text: str | None) -> bool | None:
    if text is None:
        return None
    if text.lower() not in _YES | _NO:
        raise DoxaError(f"{where}, {column!r}: {text!r}; whether the model's answer is right is 1 or 0")
    return text.lower() in _YES


def _whole(where: str, column: str, text: str | None) -> int | None:
    return None if text is None else round(_number(where, column, text))


def _above_one(table: Sequence[Cells], column: str) -> bool:
    texts = ((where, _text(row.get(column))) for where, row in table)
    return any(_number(where, column, text) > 1 for where, text in texts if text and not text.endswith("%"))


def _check_same(found: Sequence[Trial], name: str) -> None:
    """One item is one answer of one model: right or wrong in all rows."""
    first: dict[str, bool] = {}
    for trial in found:
        if trial.correct is not None and first.setdefault(trial.item, trial.correct) != trial.correct:
            raise DoxaError(
                f"{name}: item {trial.item!r} is right in one row and wrong in another. Of several models? Score them "
                "one by one, or put the model's name into the item's id"
            )
