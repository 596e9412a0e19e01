"""Recorded pairs of answers, before and under a claim: the row file of PARROT, or a table in its columns."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doxa.models.recorded_files import read_rows
from doxa.records import LETTERS, DoxaError

COLUMNS = "gold, asserted, base_ans, mani_ans; optional: index, subset, base_probs, mani_probs, question"


def answer_pairs(path: Path) -> list[dict[str, Any]]:
    """Two rows for `parrot.Row` from each line; rows of a run as they are.

    gold, asserted      letters; base_ans, mani_ans: letters of the options (as many as there are probabilities, else
                        four, or as far as gold and asserted of the file go), anything else: not read
    base_probs, mani_probs  probabilities of the letters: a list in their order, or {"A": .7, ...}; empty: none
    index               names the item (default: its line); subset: its field; question: items asked alike are a group
    raises              DoxaError: no rows, a missing column, a gold or asserted that is no letter, probabilities that
                        are none, an index twice; with file and line
    """
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path.name}: no rows")
    if "arm" in table[0][1]:
        return [row for _, row in table]
    seen: set[str] = set()
    found: list[dict[str, Any]] = []
    known = [letter for _, row in table for c in ("gold", "asserted") if (letter := _letter(row.get(c)))]
    options = max([4, *(LETTERS.index(letter) + 1 for letter in known)])
    for place, (where, row) in enumerate(table, 1):
        name = str(row.get("index") if row.get("index") not in (None, "") else place)
        if name in seen:
            raise DoxaError(f"{where}: index {name!r} was there before; items are named once")
        seen.add(name)
        found += _pair(where, name, row, options)
    return found


def _pair(where: str, name: str, row: Mapping[str, Any], options: int) -> Iterator[dict[str, Any]]:
    missing = [column for column in ("gold", "asserted", "base_ans", "mani_ans") if column not in row]
    if missing:
        raise DoxaError(f"{where}: no column {', '.join(missing)}; the columns are {COLUMNS}. It has {', '.join(row)}")
    gold, asserted = (_letter(row[column]) for column in ("gold", "asserted"))
    if gold is None or asserted is None:
        raise DoxaError(f"{where}: gold {row['gold']!r}, asserted {row['asserted']!r}; both are letters")
    for arm, said in (("neutral", "base"), ("claimed", "mani")):
        logs = _logs(where, row.get(f"{said}_probs"))
        answer = _letter(row[f"{said}_ans"], len(logs) or options)
        if logs and max(LETTERS.index(gold), LETTERS.index(asserted)) >= len(logs):
            raise DoxaError(f"{where}: {said}_probs has {len(logs)} values, gold is {gold}, asserted {asserted}")
        yield {
            "item": name,
            "group": str(row["question"]) if row.get("question") else None,
            "condition": arm,
            "sample": 0,
            "outcome": "ok" if answer else "unparsed",
            "text": "" if answer else str(row[f"{said}_ans"] or ""),
            "arm": arm,
            "answer": answer,
            "logprobs": logs,
            "asserted": asserted,
            "truth": gold,
            "subset": str(row.get("subset") or ""),
        }


def _letter(cell: Any, options: int = len(LETTERS)) -> str | None:
    text = str(cell if cell is not None else "").strip().upper()
    return text if len(text) == 1 and text in LETTERS[:options] else None


def _logs(where: str, cell: Any) -> list[float]:
    if cell in (None, "", [], {}):
        return []
    try:
        held = json.loads(cell) if isinstance(cell, str) else cell
        values = [float(held[k]) for k in sorted(held)] if isinstance(held, Mapping) else [float(p) for p in held]
    except (ValueError, TypeError, KeyError):
        raise DoxaError(f"{where}: {cell!r} is no list of probabilities, and no object of them by letter") from None
    if any(not 0 <= p <= 1 for p in values):
        raise DoxaError(f"{where}: {values} are no probabilities. Percent? divide by 100")
    return [math.log(p) if p > 0 else -math.inf for p in values]
