"""Recorded answers to labelled options: tables with the probabilities that each order of the options was given."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doxa.models.recorded_files import read_rows
from doxa.records import LETTERS, DoxaError

COLUMNS = (
    "key, p (by place); optional: order (option from 0 in each place; without it the own one), labels, mass, wording, "
    "group, model (one table may hold several), size (its parameters)"
)


def permutation_rows(path: Path) -> list[dict[str, Any]]:
    """Rows for `survey_responses.Row` from a table of one line per prompt; rows of a run as they are.

    p       probabilities of the labels by place as displayed: a list, or {"A": .7, ...}; divided by their sum. Empty:
            none could be had
    order   e.g. [2, 0, 1]: the third option stood first. The first line of a question in its own order is also its
            answer as the survey is printed
    model   whose answers these are; size: its parameters, counted one by one
    mass    on the labels before that; without it, the sum of p where that is below 1 (1: was divided already)
    raises  DoxaError: no rows, a column missing, p that are no probabilities, an order that is none, with file and line
    """
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path.name}: no rows")
    if "arm" in table[0][1]:
        return [row for _, row in table]
    counts: Counter[tuple[str, ...]] = Counter()
    answered: set[tuple[str, ...]] = set()
    found: list[dict[str, Any]] = []
    for where, row in table:
        made = _row(where, row)
        own, asked = made["order"] == sorted(made["order"]), (made["who"], made["wording"], made["key"])
        if own and asked not in answered:
            answered.add(asked)
            found.append({**made, "arm": "own", "condition": f"{made['wording']}/own", "sample": 0})
        if row.get("order") not in (None, ""):
            found.append({**made, "sample": counts[asked]})
            counts[asked] += 1
    return found


def _row(where: str, row: Mapping[str, Any]) -> dict[str, Any]:
    if "key" not in row or "p" not in row:
        raise DoxaError(
            f"{where}: no column key or p; the columns are {COLUMNS}. Of published files "
            f"name MODEL_naive.csv or the folder. It has {', '.join(row)}"
        )
    p = _probabilities(where, row["p"])
    order = _order(where, row.get("order"), len(p))
    total = sum(p)
    mass = _number(where, "mass", row.get("mass"), total if total < 1 - 1e-6 else None, "a probability")
    wording = str(row.get("wording") or "plain")
    return {
        "item": str(row["key"]),
        "group": str(row["group"]) if row.get("group") else None,
        "key": str(row["key"]),
        "condition": f"{wording}/orders",
        "outcome": "ok" if total > 0 else "unparsed",
        "text": "",
        "arm": "orders",
        "wording": wording,
        "order": order,
        "labels": str(row.get("labels") or LETTERS[: len(order)]),
        "p": [value / total for value in p] if total > 0 else [],
        "mass": mass,
        "picked": None,
        "truth": None,
        "who": str(row.get("model") or ""),
        "size": _number(where, "size", row.get("size"), None, "a number of parameters, e.g. 1.5e9"),
    }


def _probabilities(where: str, cell: Any) -> list[float]:
    held = _loaded(where, "p", cell)
    try:
        values = [float(held[k]) for k in sorted(held)] if isinstance(held, Mapping) else [float(v) for v in held or ()]
    except (TypeError, ValueError):
        raise DoxaError(f"{where}: p is {cell!r}; it is a list of numbers by place, or an object by label") from None
    if any(not math.isfinite(v) or v < 0 for v in values):
        raise DoxaError(f"{where}: p is {values}; probabilities are not negative. Log-probabilities? exponentiate")
    return values


def _order(where: str, cell: Any, c: int) -> list[int]:
    if cell in (None, ""):
        return list(range(c))
    held = _loaded(where, "order", cell)
    order = [int(v) for v in held] if isinstance(held, list) else []
    if sorted(order) != list(range(len(order))) or (c and len(order) != c) or not order:
        raise DoxaError(f"{where}: order is {cell!r}; it holds each of 0 to {max(c, 1) - 1} once. From 1? subtract 1")
    return order


def _number(where: str, name: str, cell: Any, default: float | None, rule: str) -> float | None:
    if cell in (None, ""):
        return default
    try:
        return float(cell)
    except (TypeError, ValueError):
        raise DoxaError(f"{where}: {name} is {cell!r}; it is {rule}") from None


def _loaded(where: str, name: str, cell: Any) -> Any:
    try:
        return json.loads(cell) if isinstance(cell, str) and cell.strip() else cell or []
    except ValueError:
        raise DoxaError(f"{where}: {name} is {cell!r}; it is a list in JSON, e.g. [0, 1]") from None
