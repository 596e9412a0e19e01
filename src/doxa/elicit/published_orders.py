"""Published answers to the questions of a survey in all orders, as released: MODEL_naive.csv, MODEL_KEY.csv, forms.

Layout of socialfoundations/surveying-language-models at 2cd2d4c (arXiv 2306.07951), results of which are fetched apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from doxa.elicit.survey import filled_in_labels
from doxa.models.recorded_files import read_rows
from doxa.records import LETTERS, DoxaError

NAIVE = "_naive"
Codes = Mapping[str, Sequence[int]]
"""Codes of the options by key, as they stand in the survey."""


def is_published(path: Path, codes: Codes) -> bool:
    """Whether a file, or a folder of files, has the released layout."""
    if path.is_dir():
        return any(_kind(file, codes) for file in path.glob("*.csv"))
    return path.is_file() and _kind(path, codes) is not None


def _kind(path: Path, codes: Codes) -> str | None:
    if path.suffix.lower() != ".csv":
        return None
    with path.open(encoding="utf-8-sig") as file:
        columns = {cell.strip().strip('"') for cell in file.readline().split(",")}
    if {"var", "1", "2"} <= columns:
        return "naive"
    if {"c0", "c1"} <= columns and ({"p0", "p1"} <= columns or {"logp0", "logp1"} <= columns):
        return "orders"
    return "forms" if len(columns & set(codes)) > 1 and "p" not in columns else None


def published_rows(path: Path, codes: Codes) -> list[dict[str, Any]]:
    """Rows for `survey_responses.Row`, with the model's name in `who`.

    path    MODEL_naive.csv (with each MODEL_KEY.csv beside it whose key it lists), one MODEL_KEY.csv, a table of
            filled-in forms (a column for each key, with codes), or a folder of these
    codes   of the questions of --set. Without those of a key its codes are taken to be 1, 2, ... in the survey's order,
            which matters for nothing but the comparison with a population

    In MODEL_KEY.csv c0, c1, ... are the codes of the options in their places and p0, p1, ... probabilities, divided by
    their sum before they were stored, so that the mass on labels is not known. Of models with five likeliest tokens
    logp0, ... are logarithms (-inf: not seen), sp the sum of the five and mlogp the smallest. The columns of
    MODEL_naive.csv are places and not codes: they were named after a set of codes, which has no order.

    raises  DoxaError: no such columns, a code twice or unknown, no probability; with file and line
    """
    if path.is_dir():
        return _folder(path, codes)
    kind = _kind(path, codes)
    if kind == "forms":
        return list(_forms(path, codes))
    model, key = _split(path, codes)
    if kind == "orders":
        rows = list(_orders(path, model, key, codes))
        own = next((row for row in rows if row["order"] == sorted(row["order"])), None)
        # Without MODEL_naive.csv, the answer in the survey's own order is that to the survey as printed.
        return [*([{**own, "arm": "own", "condition": "plain/own", "sample": 0}] if own else []), *rows]
    found = list(_naive(path, model))
    for key in [row["key"] for row in found]:
        beside = path.with_name(f"{model}_{key}.csv")
        found += _orders(beside, model, key, codes) if beside.is_file() else []
    return found


def _folder(path: Path, codes: Codes) -> list[dict[str, Any]]:
    files = sorted(path.glob("*.csv"))
    naive = [file for file in files if _kind(file, codes) == "naive"]
    found = [row for file in naive for row in published_rows(file, codes)]
    read = {(row["who"], row["key"]) for row in found if row["arm"] == "orders"}
    alone = [f for f in files if _kind(f, codes) == "orders" and _split(f, codes) not in read]
    # A key may hold "_", so that where one file names a model by MODEL_naive.csv, no other split of it is believed.
    models = tuple(f"{file.stem.removesuffix(NAIVE)}_" for file in naive)
    return found + [r for f in alone if not f.name.startswith(models) for r in published_rows(f, codes)]


def _split(path: Path, codes: Codes) -> tuple[str, str]:
    """(model, key) of a file's name: the key is one that is known, else what stands behind the last "_"."""
    if path.stem.endswith(NAIVE):
        return path.stem.removesuffix(NAIVE), ""
    known = max((key for key in codes if path.stem.endswith(f"_{key}")), key=len, default=None)
    model, _, key = path.stem.rpartition("_")
    return (path.stem.removesuffix(f"_{known}"), known) if known else (model or path.stem, key)


def _naive(path: Path, model: str) -> Iterator[dict[str, Any]]:
    for where, row in read_rows(path):
        c = sum(str(row.get(str(j), "")).strip() != "" for j in range(1, len(LETTERS) + 1))
        if c < 2 or not row["var"]:
            raise DoxaError(f"{where}: var {row['var']!r} with {c} probabilities; at least two, in columns 1, 2, ...")
        values = [row[str(j)] for j in range(1, c + 1)]
        yield _row(where, row, values, model, row["var"], "own", 0, list(range(c)), "sp" in row)


def _orders(path: Path, model: str, key: str, codes: Codes) -> Iterator[dict[str, Any]]:
    for sample, (where, row) in enumerate(read_rows(path)):
        logs = "logp0" in row
        c = sum(f"c{j}" in row for j in range(len(LETTERS)))
        if logs and not {"sp", "mlogp"} <= set(row):
            raise DoxaError(f"{where}: logp0 without sp and mlogp, the sum and the smallest of the five; it has both")
        order = _order(where, [row[f"c{j}"] for j in range(c)], codes.get(key, range(1, c + 1)))
        values = [row.get(f"{'logp' if logs else 'p'}{j}") for j in range(c)]
        yield _row(where, row, values, model, key, "orders", sample, order, logs)


def _order(where: str, cells: Sequence[Any], known: Sequence[int]) -> list[int]:
    try:
        order = [list(known).index(int(float(cell))) for cell in cells]
    except ValueError:
        order = []
    if sorted(order) != list(range(len(known))):
        raise DoxaError(
            f"{where}: codes {', '.join(map(str, cells))}; each of {', '.join(map(str, known))} stands there once. "
            "Codes of the questions come from --set"
        )
    return order


def _row(
    where: str,
    row: Mapping[str, Any],
    cells: Sequence[Any],
    model: str,
    key: str,
    arm: str,
    sample: int,
    order: list[int],
    logs: bool,
) -> dict[str, Any]:
    try:
        p = np.array([float(cell) for cell in cells], dtype=np.float64)
        if logs:
            p = np.exp(p)
            left, least = 1 - float(row["sp"]), math.exp(float(row["mlogp"]))
    except (TypeError, ValueError):
        p = np.array([-1.0])
    if not (p >= 0).all() or not (p <= 1 + 1e-6).all():
        raise DoxaError(f"{where}: {', '.join(map(str, cells))} are no {'log-' if logs else ''}probabilities")
    mass = float(p.sum()) if logs else None
    p = filled_in_labels(p, left, least) if logs else p
    total = float(p.sum())
    return {
        **_named(model, key, arm, sample, order),
        "outcome": "ok" if total > 0 else "unparsed",
        "p": (p / total).tolist() if total > 0 else [],
        "mass": mass,
    }


def _forms(path: Path, codes: Codes) -> Iterator[dict[str, Any]]:
    """Each line a form: the option of each code; an empty cell was not asked."""
    for number, (where, row) in enumerate(read_rows(path)):
        for place, (key, own) in enumerate((k, v) for k, v in codes.items() if k in row):
            cell = str(row[key]).strip()
            if cell.lower() in ("", "nan"):
                continue
            if not _is_code(cell, own):
                raise DoxaError(f"{where}: {key} is {cell!r}; its codes are {', '.join(map(str, own))}")
            option = list(own).index(int(float(cell)))
            made = _named(path.stem, key, "form", place, list(range(len(own))))
            yield {**made, "item": f"form/{number}", "outcome": "ok", "picked": option}


def _is_code(cell: str, own: Sequence[int]) -> bool:
    try:
        return float(cell) in own
    except ValueError:
        return False


def _named(model: str, key: str, arm: str, sample: int, order: list[int]) -> dict[str, Any]:
    return {
        **{"item": key, "key": key, "who": model, "wording": "plain", "condition": f"plain/{arm}", "arm": arm},
        **{"sample": sample, "order": order, "labels": LETTERS[: len(order)], "text": "", "p": [], "mass": None},
        **{"picked": None, "truth": None},
    }
