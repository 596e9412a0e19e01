"""Recorded distributions over options and an abstention: a table with one line for each question."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doxa.models.recorded_files import read_rows
from doxa.records import LETTERS, DoxaError

COLUMNS = "id, logprobs (or probabilities), abstention, answer; optional: characters, set, read_from, told, group"


def distributions(path: Path) -> list[dict[str, Any]]:
    """Rows for `distributional_correctness.Row`, from rows of a run or from a table in these columns.

    id             of the question
    logprobs       a list, natural logarithms of the options' probabilities as the model scored them; or
    probabilities  a list, of the same; abstention is then a probability, too
    abstention     log-probability of the string that abstains, or a list of several
    answer         place of the right option, from 0, its letter, or a list of these
    characters     a list: the length of each option and abstention as scored, to divide by
    set            name of the benchmark; read_from: "letters" (default), "texts" or "samples"
    told           whether the model was told that abstaining is fine (default: yes)

    raises  DoxaError: a missing column, numbers that are none, a right option that there is not; with file and line
    """
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path.name}: no rows")
    if "truth" in table[0][1] and "way" in table[0][1]:
        return [row for _, row in table]
    return [_row(where, row) for where, row in table]


def _row(where: str, row: Mapping[str, Any]) -> dict[str, Any]:
    missing = [c for c in ("id", "abstention", "answer") if row.get(c) in (None, "")]
    given = next((c for c in ("logprobs", "probabilities") if row.get(c) not in (None, "")), None)
    if missing or given is None:
        absent = [*missing, *([] if given else ["logprobs"])]
        raise DoxaError(f"{where}: no {', '.join(absent)}; the columns are {COLUMNS}. It has {', '.join(row)}")
    options = _numbers(where, given, row[given])
    silent = _numbers(where, "abstention", row["abstention"])
    values = [*options, *silent]
    if given == "probabilities":
        values = [_log(where, p) for p in values]
    elif any(value > 1e-3 for value in values):
        raise DoxaError(f"{where}: log-probabilities {values} above 0; are they probabilities? name the column so")
    characters = _numbers(where, "characters", row["characters"]) if row.get("characters") else []
    if characters and len(characters) != len(values):
        raise DoxaError(f"{where}: {len(characters)} lengths for {len(values)} options and abstentions; give one each")
    answers = _parsed(row["answer"])
    places = [_place(where, a, len(options)) for a in (answers if isinstance(answers, list) else [answers])]
    return {
        "item": str(row["id"]),
        "group": str(row["group"]) if row.get("group") else None,
        "condition": "neutral",
        "sample": 0,
        "outcome": "ok",
        "text": "",
        "way": str(row.get("read_from") or "letters"),
        "told": str(row.get("told", True)).lower() not in ("false", "0", "no"),
        "options": len(options),
        "logprobs": values,
        "characters": [int(c) for c in characters],
        "strings": [f"abstention {j + 1}" for j in range(len(silent))],
        "truth": places,
        "part": str(row.get("set") or ""),
    }


def _parsed(cell: Any) -> Any:
    """A cell of a CSV that holds a list or a number."""
    if isinstance(cell, str):
        try:
            return json.loads(cell)
        except json.JSONDecodeError:
            return cell
    return list(cell) if isinstance(cell, tuple) else cell


def _numbers(where: str, column: str, cell: Any) -> list[float]:
    parsed = _parsed(cell)
    values = parsed if isinstance(parsed, list) else [parsed]
    try:
        numbers = [-math.inf if value is None else float(value) for value in values]
    except (TypeError, ValueError):
        numbers = [math.nan]
    if not numbers or any(math.isnan(number) for number in numbers):
        raise DoxaError(f"{where}, {column}: {cell!r} is no number and no list of numbers")
    return numbers


def _log(where: str, p: float) -> float:
    if not 0 <= p <= 1:
        raise DoxaError(f"{where}: {p} is no probability. Percent? divide by 100. Logarithms? name the column logprobs")
    return math.log(p) if p else -math.inf


def _place(where: str, answer: Any, count: int) -> int:
    text = str(answer).strip()
    place = int(text) if text.isdigit() else LETTERS.find(text.upper() or "?")
    if not 0 <= place < count:
        raise DoxaError(f"{where}, answer: {answer!r} is none of {count} options; give its place from 0, or its letter")
    return place
