"""Recorded answers before and after a context: a table of pairs, or the rows of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doxa.models.recorded_files import read_rows
from doxa.records import DoxaError

COLUMNS = (
    "item, context, before, after; optional: amount, technique, order, toward, kind, again, noop, filler, group, and "
    "act_ARM and agreement_ARM for each arm"
)
ARMS = ("before", "after", "again", "noop", "filler")
_WORDS = {"a": "support", "support": "support", "b": "oppose", "oppose": "oppose"}


def shift_rows(path: Path) -> list[dict[str, Any]]:
    """Rows for `context_belief_shift.Row` from a table of pairs; rows of a run as they are.

    before, after, again, noop, filler  the position: support (or A) or oppose (or B); anything else: not read
    act_before, ...        what was done, in the same words; agreement_before, ...: 0 to 100
    context                debate, persuasion, reading, research; amount: rounds or words (default 0)
    toward                 the side that the context argues for; without it agreements have no direction
    raises                 DoxaError: no rows, a missing column, an agreement outside 0 to 100, a side that is none, the
                           same pair twice
    """
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path.name}: no rows")
    if {"arm", "measure"} <= table[0][1].keys():
        return [row for _, row in table]
    seen: set[tuple[Any, ...]] = set()
    found: list[dict[str, Any]] = []
    for where, row in table:
        missing = [column for column in ("item", "context", "before", "after") if column not in row]
        if missing:
            raise DoxaError(
                f"{where}: no column {', '.join(missing)}; the columns are {COLUMNS}. It has {', '.join(row)}"
            )
        for made in _of_pair(where, row):
            key = tuple(made[k] for k in ("item", "arm", "context", "technique", "amount", "measure", "order"))
            if key in seen and made["arm"] in ("context", "filler"):
                raise DoxaError(
                    f"{where}: item {row['item']!r} in {row['context']!r} was there before; pairs come once"
                )
            if key not in seen:
                seen.add(key)
                found.append(made)
    return found


def _of_pair(where: str, row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    context, order = str(row["context"]), str(row.get("order") or "support first")
    amount, toward = _amount(where, row.get("amount")), _toward(where, row.get("toward"))
    for arm in ARMS:
        placed = arm in ("after", "filler")
        common = {
            "item": str(row["item"]),
            "group": str(row["group"]) if row.get("group") else None,
            "condition": arm,
            "sample": 0,
            "arm": "context" if arm == "after" else arm,
            "context": context if placed else "",
            "technique": str(row.get("technique") or "") if arm == "after" else "",
            "amount": amount if placed else 0,
            "toward": toward if arm == "after" else "",
            "truth": "",
            "kind": str(row.get("kind") or ""),
            "subject": str(row["item"]),
            "dropped": 0,
            "said": "",
        }
        for measure, column in (("belief", arm), ("behaviour", f"act_{arm}")):
            if column in row:
                side = _WORDS.get(str(row[column] if row[column] is not None else "").strip().lower())
                said = "" if side else str(row[column] or "")
                yield common | _read(measure, order, side, None, said)
        if row.get(f"agreement_{arm}") not in (None, ""):
            number = _hundredth(where, row[f"agreement_{arm}"])
            side = None if number == 0.5 else "support" if number > 0.5 else "oppose"
            yield common | _read("agreement", "", side, number, "")


def _read(measure: str, order: str, side: str | None, number: float | None, text: str) -> dict[str, Any]:
    outcome = "ok" if side or number is not None else "unparsed"
    return {"measure": measure, "order": order, "answer": side, "number": number, "outcome": outcome, "text": text}


def _toward(where: str, cell: Any) -> str:
    said = str(cell if cell is not None else "").strip().lower()
    if said and said not in _WORDS:
        raise DoxaError(f"{where}: toward is {cell!r}; it is the side that the context argues for, support or oppose")
    return _WORDS.get(said, "")


def _amount(where: str, cell: Any) -> int:
    try:
        return int(float(cell)) if cell not in (None, "") else 0
    except (TypeError, ValueError, OverflowError):
        raise DoxaError(f"{where}: amount is {cell!r}; it is a whole number of rounds or words") from None


def _hundredth(where: str, cell: Any) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        raise DoxaError(f"{where}: agreement is {cell!r}; it is a number from 0 to 100") from None
    if not 0 <= value <= 100:
        raise DoxaError(f"{where}: agreement is {value:g}, outside 0 to 100")
    return value / 100
