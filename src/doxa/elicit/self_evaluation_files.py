"""Recorded self-evaluation: option probabilities, P(True) of own answers, P(IK) of questions, in a table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doxa.elicit.options import softmax
from doxa.models.recorded_files import read_rows
from doxa.records import LETTERS, DoxaError

CHOICE, JUDGED, QUESTION = "letters", "own answer", "question"
SHARE_OF = 100  # samples that a share without their number is taken to be of
COLUMNS = (
    "id, and of options: logprobs or probabilities, and answer; of a judged answer: p_true and correct; of a question: "
    "p_ik or state, and correct_samples with samples, or share; optional: way, kind, group, popularity, model, question"
)


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Rows for `know_what_they_know.Row`, from rows of a run or from a table; other columns are passed over.

    id               of the question; a repeated one is another answer to it
    logprobs         a list, natural logarithms of the options' probabilities (or logits); or probabilities, a list
    answer           place of the right option, from 0, or its letter
    way              the format: "letters" (default), "texts", "none of the above", ...
    p_true, correct  P(True) of one answer, with p_true_brainstorm where others were shown, too; whether it is right
    p_ik             P(IK), or state: the hidden state as a list; correct_samples of samples, or their share
    model            who answered; the first one is asked about, a second one stands beside it

    raises  DoxaError: a missing column, a third model, a probability outside [0, 1], a right option that there is not;
            each with its place
    """
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path.name}: no rows")
    if {"way", "truth", "logprobs"} <= set(table[0][1]):
        return [row for _, row in table]
    made, seen, models = [], dict[str, int](), list[str]()
    for where, row in table:
        found = _row(where, row)
        found["condition"] = _condition(where, found["answered_by"], models)
        key = f"{found['item']}\n{found['way']}\n{found['answered_by']}"
        seen[key] = seen.get(key, -1) + 1
        made.append(found | {"sample": seen[key]})
    return made


def _row(where: str, row: Mapping[str, Any]) -> dict[str, Any]:
    if row.get("id") in (None, ""):
        raise DoxaError(f"{where}: no id; the columns are {COLUMNS}. It has {', '.join(row)}")
    has = {name for name, value in row.items() if value not in (None, "")}
    made: dict[str, Any] = {
        "item": str(row["id"]),
        "group": str(row["group"]) if "group" in has else None,
        "kind": str(row.get("kind") or ""),
        "answered_by": str(row.get("model") or ""),
        "question": str(row.get("question") or ""),
        "outcome": "ok",
        "text": str(row.get("response") or ""),
        "popularity": _probability(where, "popularity", row["popularity"]) if "popularity" in has else None,
    }
    if has & {"logprobs", "probabilities"} and "answer" in has:
        return made | {"way": str(row.get("way") or CHOICE)} | _choice(where, row, "logprobs" in has)
    if {"p_true", "correct"} <= has:
        shown = "p_true_brainstorm" in has
        brainstormed = _probability(where, "p_true_brainstorm", row["p_true_brainstorm"]) if shown else None
        p, right = _probability(where, "p_true", row["p_true"]), _yes(where, row["correct"])
        return made | {"way": JUDGED, "confidence": p, "brainstormed": brainstormed, "truth": right}
    if has & {"p_ik", "state"} and ("share" in has or {"correct_samples", "samples"} <= has):
        return made | {"way": QUESTION} | _question(where, row, has)
    raise DoxaError(f"{where}: nothing to score; the columns are {COLUMNS}. It has {', '.join(sorted(has))}")


def _condition(where: str, model: str, models: list[str]) -> str:
    """The first model of a file is asked about, the second is the other one."""
    if model not in models:
        models.append(model)
    if len(models) > 2:
        raise DoxaError(
            f"{where}: a third model, {model!r}, beside {models[0]!r} and {models[1]!r}; give two at a time"
        )
    return ("asked", "other")[models.index(model)]


def _choice(where: str, row: Mapping[str, Any], logs: bool) -> dict[str, Any]:
    name = "logprobs" if logs else "probabilities"
    values = _numbers(where, name, row[name])
    if not logs:
        values = [math.log(p) if p > 0 else -math.inf for p in (_probability(where, name, v) for v in values)]
    if len(values) < 2 or not math.isfinite(float(softmax(values).sum())):
        raise DoxaError(f"{where}: {name} is {values}; two options or more are needed, one of them possible")
    return {"logprobs": values, "truth": float(_place(where, row["answer"], len(values)))}


def _question(where: str, row: Mapping[str, Any], has: set[str]) -> dict[str, Any]:
    if "share" in has:
        share, samples = _probability(where, "share", row["share"]), int(float(row.get("samples") or SHARE_OF))
    else:
        right, samples = (int(float(row[name])) for name in ("correct_samples", "samples"))
        if not 0 <= right <= samples or not samples:
            raise DoxaError(
                f"{where}: {right} of {samples} samples are right; it is 0 to all of them, and at least one"
            )
        share = right / samples
    p = _probability(where, "p_ik", row["p_ik"]) if "p_ik" in has else None
    state = _numbers(where, "state", row["state"]) if "state" in has else []
    return {"truth": share, "samples": samples, "confidence": p, "state": state}


def _numbers(where: str, name: str, cell: Any) -> list[float]:
    try:
        values = json.loads(cell) if isinstance(cell, str) else cell
        return [float(value) for value in values]
    except (TypeError, ValueError):
        raise DoxaError(f"{where}: {name} is {cell!r}; give a list of numbers") from None


def _probability(where: str, name: str, cell: Any) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not 0 <= value <= 1:
        raise DoxaError(f"{where}: {name} is {cell!r}, no number in [0, 1]. Percent? divide by 100.")
    return value


def _yes(where: str, cell: Any) -> float:
    word = str(cell).strip().lower()
    if word not in ("true", "false", "1", "0", "1.0", "0.0", "yes", "no"):
        raise DoxaError(f"{where}: correct is {cell!r}; it is true or false, 1 or 0")
    return float(word in ("true", "1", "1.0", "yes"))


def _place(where: str, cell: Any, c: int) -> int:
    word = str(cell).strip()
    place = LETTERS.find(word) if len(word) == 1 and word in LETTERS else int(word) if word.isdigit() else -1
    if not 0 <= place < c:
        raise DoxaError(f"{where}: answer is {cell!r}; of {c} options it is a place from 0 to {c - 1}, or a letter")
    return place
