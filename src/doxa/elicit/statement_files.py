"""Recorded replies about propositions, or letters that a judge gave them: one row for each proposition, read into rows.

The judge is a rule here, for replies in words; letters that a file holds are taken as they are.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from doxa.elicit import pressed
from doxa.elicit.judge import Verdict
from doxa.elicit.pressed import Question
from doxa.elicit.statement_judges import LABELS, RULE, amount_text
from doxa.models.recorded_files import read_rows
from doxa.records import Answer, DoxaError, Item, Outcome

LETTERS = {"belief": "belief", "consistency": "consistency", "statements": "pressured"}
LETTERS |= {"control_statements": "neutral", "developer_statements": "developer"}
REPLIES = {"belief_replies": "belief", "consistency_replies": "consistency", "replies": "pressured"}
REPLIES |= {"control_replies": "neutral", "developer_replies": "developer"}
COLUMNS = (
    "task_id, type, formatted_ground_truth, and letters (belief, consistency, statements, control_statements, "
    "developer_statements) or replies in words (belief_replies, consistency_replies, replies, control_replies, "
    "developer_replies) with their proposition"
)
_AMOUNT = re.compile(r"(?:(?:-?[0-9.eE+]+)?\.\.(?:-?[0-9.eE+]+)?|-?[0-9.eE+]+)%?(?:;.*)?")
_LETTER = Verdict("{reply}", LABELS)

MakeItem = Callable[[str, Mapping[str, Any]], Item]


def recorded(path: Path, item_of: MakeItem) -> list[dict[str, Any]]:
    """Rows of the mask study from a file; rows of a run as they are.

    A file has a row for each proposition. Letters are "AAB" or a list, "-" or null where one is missing; "Answer: A" is
    read as A. Of numbers they are amounts: 206, [200, 210], "200..210", "20%" (relative), "C" for none. Replies are
    a list of texts. Other columns are left alone.

    item_of  (place, row) -> the proposition as an Item, for rows with one
    raises   DoxaError: no rows; a row without task_id, type, letters or replies; a task_id twice; with file and line
    """
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path.name}: no rows")
    if "arm" in table[0][1]:
        return [row for _, row in table]
    seen: set[str] = set()
    found: list[dict[str, Any]] = []
    for where, row in table:
        name = str(row.get("task_id") or "").strip()
        if not name or name in seen:
            problem = f"task_id {name!r} was there before" if name else f"no task_id; columns are {COLUMNS}"
            raise DoxaError(f"{where}: {problem}. Every proposition has an id of its own")
        seen.add(name)
        made = list(_proposition(where, name, row, item_of))
        if not made:
            raise DoxaError(f"{where}: neither letters nor replies; columns are {COLUMNS}. It has {', '.join(row)}")
        found += made
    return found


def _proposition(where: str, name: str, row: Mapping[str, Any], item_of: MakeItem) -> Iterator[dict[str, Any]]:
    archetype = str(row.get("type") or "").strip()
    if not archetype:
        raise DoxaError(f"{where}: no type; it is the archetype, such as known_facts")
    item = item_of(where, row) if row.get("proposition") else None
    numeric = item.kind == "number" if item is not None else archetype == "statistics"
    truth = _truth(where, row, item, numeric)
    shared = {"item": name, "archetype": archetype, "numeric": numeric, "truth": truth}
    shared["group"] = str(row["proposition"]) if item is not None else str(row.get("group") or name)
    for columns, read in ((LETTERS, _letters), (REPLIES, _replies)):
        for column, arm in columns.items():
            if row.get(column) in (None, "", []):
                continue
            labelled = read(where, column, row[column], arm, item, numeric)
            for place, (label, outcome, text, judge) in enumerate(labelled):
                yield {
                    **shared,
                    "condition": f"pressured/{archetype}" if arm in ("pressured", "developer") else arm,
                    "arm": arm,
                    "number": 1 if arm == "belief" else place + 2 if arm == "consistency" else 0,
                    "sample": 0 if arm == "consistency" else place,
                    "outcome": outcome,
                    "text": text,
                    "judge": judge,
                    "verdict": label,
                    "judge_outcome": "ok" if label is not None else "unparsed",
                }


def _truth(where: str, row: Mapping[str, Any], item: Item | None, numeric: bool) -> str | None:
    given = row.get("formatted_ground_truth")
    if item is not None:
        return item.fields.get("truth") if numeric else item.answer_letter
    if given in (None, "", []):
        return None
    if numeric:
        return _amount(where, "formatted_ground_truth", given)
    letter = str(given).strip().upper()
    if letter not in ("A", "B"):
        raise DoxaError(f"{where}: formatted_ground_truth is {given!r}; it is A or B, or empty where it is not known")
    return letter


Labelled = tuple[str | None, Outcome, str, str]


def _letters(where: str, column: str, cell: Any, arm: str, item: Item | None, numeric: bool) -> Iterator[Labelled]:
    for one in _cells(cell, split=not numeric):
        label = _amount(where, column, one) if numeric else _letter(where, column, one)
        yield label, "ok" if label is not None else "unparsed", "", "recorded"


def _replies(where: str, column: str, cell: Any, arm: str, item: Item | None, numeric: bool) -> Iterator[Labelled]:
    if item is None:
        raise DoxaError(f"{where}: {column} without a proposition; replies in words are held against one")
    questions = _questions(item, arm)
    for place, text in enumerate(_cells(cell, split=False)):
        if text is None:
            yield None, "failed", "", RULE
            continue
        question = questions[min(place, len(questions) - 1)] if arm == "consistency" else questions[0]
        answer, label = question.read(str(text))
        yield label, answer.outcome, str(text), RULE


def _questions(item: Item, arm: str) -> list[Question]:
    """Questions of an arm: only their reading matters, and what a reply may copy."""
    if arm in ("belief", "consistency"):
        return [q for n, q in pressed.beliefs(item) if (n == 1) == (arm == "belief")] or [pressed.reading(item)]
    return [pressed.under_pressure(item) if item.fields.get("user_prompt") else pressed.reading(item)]


def _cells(cell: Any, *, split: bool) -> Sequence[Any]:
    """The entries of a cell: a list, one written as JSON, or letters in a row."""
    if isinstance(cell, str) and cell.strip().startswith("["):
        try:
            cell = json.loads(cell)
        except json.JSONDecodeError:
            cell = [cell]
    if isinstance(cell, str) and split:
        text = cell.strip()
        return [p.strip() for p in text.split(",")] if "," in text else list(text) if len(text) < 12 else [text]
    return list(cell) if isinstance(cell, list | tuple) else [cell]


def _letter(where: str, column: str, cell: Any) -> str | None:
    text = str(cell if cell is not None else "").strip()
    if text in ("", "-", "?"):
        return None
    answer: Answer = _LETTER.read(text)
    if answer.value is None and len(text) == 1:
        raise DoxaError(
            f"{where}: {column} has the letter {text!r}; letters are {', '.join(LABELS)}, or - where missing"
        )
    return answer.value


def _amount(where: str, column: str, cell: Any) -> str | None:
    if isinstance(cell, str) and cell.strip().startswith(("(", "[")):
        try:
            cell = ast.literal_eval(cell.strip().replace("null", "None"))
        except (ValueError, SyntaxError):
            raise _no_amount(where, column, cell) from None
    if cell is None or (isinstance(cell, str) and cell.strip() in ("", "-")):
        return None
    if isinstance(cell, list | tuple):
        if len(cell) not in (2, 4) or any(isinstance(e, bool) or not isinstance(e, int | float | None) for e in cell):
            raise _no_amount(where, column, cell)
        return amount_text(cell) or "C"
    text = f"{cell:.12g}" if isinstance(cell, int | float) else str(cell).strip()
    if text != "C" and not _AMOUNT.fullmatch(text):
        raise _no_amount(where, column, cell)
    return text


def _no_amount(where: str, column: str, cell: Any) -> DoxaError:
    return DoxaError(f"{where}: {column} has {cell!r}; amounts are 206, [200, 210], '200..210', '20%', 'C' for none")
