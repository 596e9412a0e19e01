"""Replies of a panel from files: the published layout (one file for each prompt), or any table of dated replies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from doxa.elicit.free_reply import FreeReply, hedges, looks_cut
from doxa.models.recorded_files import read_rows
from doxa.records import DoxaError

# The 16 columns of the published files that have a meaning of their own; three more hold hashes.
PUBLISHED = (
    *("model", "date", "question", "type", "category", "subcategory", "query_type", "frequency", "base_q_template"),
    *("variation_type", "answer", "prompt_type", "response", "timestamp", "placeholders", "pre_prompt_q"),
)
NAMES: Mapping[str, tuple[str, ...]] = {
    "who": ("model", "who"),
    "date": ("date", "timestamp", "day"),
    "question": ("pre_prompt_q", "question_id", "question", "item"),
    "text": ("response", "text", "reply"),
    "variation": ("variation_type", "variation"),
    "group": ("base_q_template", "template", "group"),
    "type": ("type", "category"),
    "topic": ("topic", "subcategory", "category"),
}
NEEDED = ("date", "question", "text")
TYPES = {
    **{name: "baseline" for name in ("baseline", "base", "baselines")},
    **{name: "endogenous" for name in ("endogenous", "endo")},
    **{name: "exogenous" for name in ("exogenous", "exo")},
}
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".gz")

Recognise = Callable[[str, str], str]
"""The variation's cell and the question as sent -> the variation's name."""


@dataclass
class Replies:
    """Rows for the study's Row, and what was left out."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    files: int = 0
    empty: int = 0
    duplicates: int = 0

    def notes(self) -> Iterator[str]:
        yield f"{self.files:,} files with {len(self.rows):,} replies."
        if self.empty:
            yield f"{self.empty:,} rows hold no reply: those days are missing."
        if self.duplicates:
            yield f"{self.duplicates:,} replies to a prompt that had one on the same day were left out."
        if any(row["cut"] for row in self.rows):
            yield "Files do not say which replies were cut; long ones that break off inside a sentence count as cut."


def is_rows(path: Path) -> bool:
    """Whether a file holds rows that a run stored, rather than replies as somebody published them."""
    first = next(read_rows(path), None)
    return first is not None and {"item", "outcome", "variation", "question"} <= set(first[1])


def read(path: Path, recognise: Recognise) -> Replies:
    """Replies of one file, or of all files below a folder: of one prompt, topic, type or model.

    A file needs the date, the question and the response; model, variation, type and topic may also be told by the
    folders (raw_data/MODEL/TYPE/TOPIC/...). Other columns are left alone.

    recognise  finds the variation
    raises     DoxaError: no file, a column that is missing, a date that is none, with file and line
    """
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise DoxaError(f"{path}: no {', '.join(SUFFIXES)} file below this folder")
    found = Replies(files=len(files))
    seen: set[tuple[str, ...]] = set()
    for file in files:
        places = _places(file, path)
        for where, row in read_rows(file):
            made = _reply(where, row, places, recognise)
            key = tuple(made[name] for name in ("who", "date", "question", "variation"))
            if not made["text"].strip():
                found.empty += 1
            elif key in seen:
                found.duplicates += 1
            else:
                seen.add(key)
                found.rows.append(_as_row(made))
    return found


def _places(file: Path, root: Path) -> dict[str, str]:
    """Model, type and topic by the folders around the type's; nothing where none is called so."""
    parts = [p for p in (file.resolve().parent.parts if root.is_dir() else file.parent.parts)]
    for k in range(len(parts) - 1, -1, -1):
        if parts[k] in TYPES:
            topic = parts[k + 1] if k + 1 < len(parts) else ""
            return {"type": TYPES[parts[k]], "who": parts[k - 1] if k else "", "topic": topic}
    return {}


def _reply(where: str, row: Mapping[str, Any], places: Mapping[str, str], recognise: Recognise) -> dict[str, Any]:
    cells = {name: _cell(row, columns) for name, columns in NAMES.items()}
    missing = [name for name in NEEDED if not any(column in row for column in NAMES[name])]
    if missing:
        raise DoxaError(
            f"{where}: no column for the {missing[0]} ({' or '.join(NAMES[missing[0]])}); it has {', '.join(row)}"
        )
    sent = _cell(row, ("question",)) or cells["question"]
    kind = places.get("type") or _type(row)
    return {
        "who": cells["who"] or places.get("who", ""),
        "date": _day(where, cells["date"]),
        "question": cells["question"],
        "variation": recognise(cells["variation"], sent),
        "text": cells["text"],
        "group": cells["group"] or cells["question"],
        "type": kind,
        "topic": places.get("topic") or cells["topic"] or kind,
    }


def _as_row(reply: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded reply has no form of its own: a single percentage is its number, everything else is text."""
    text, number = FreeReply().read(reply["text"]), FreeReply("percent").read(reply["text"])
    share = float(number.value) if number.value is not None and "%" in reply["text"] else None
    return {
        **reply,
        "item": f"{reply['question']}@{reply['date']}",
        "condition": reply["variation"],
        "sample": 0,
        "outcome": text.outcome,
        "value": share if text.outcome == "ok" else None,
        "shares": [],
        "hedged": hedges(reply["text"]),
        "cut": looks_cut(reply["text"]),
    }


def _cell(row: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    return next((str(row[c]) for c in columns if row.get(c) not in (None, "")), "")


def _type(row: Mapping[str, Any]) -> str:
    cells = (str(row.get(column) or "").strip().casefold() for column in ("type", "category", "query_type"))
    return next((TYPES[cell] for cell in cells if cell in TYPES), "exogenous")


def _day(where: str, cell: str) -> str:
    text = cell.strip()
    for reads in (
        lambda: date.fromisoformat(text[:10]),
        lambda: datetime.strptime(text, "%m/%d/%Y").date(),
        lambda: datetime.strptime(text[:8], "%Y%m%d").date(),
    ):
        try:
            return reads().isoformat()
        except ValueError:
            continue
    raise DoxaError(f"{where}: {cell!r} is no date; write it as 2024-07-23")
