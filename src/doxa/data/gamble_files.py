"""Recorded choices: between gambles, by people and by a model, and between pairs of choices; rows of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from doxa.data import sets
from doxa.data.gamble_problems import COLUMNS, SELECTIONS, count, problems, rate, stimulus, table_problem
from doxa.records import DoxaError, Item

ANSWERED = f"{COLUMNS}; answers: choice (A or B) or share (of B), arm (individual), style (zero-shot), sample"
PAIRS = "first, second (codes, the chosen option first), choice (1, 2 or tie); optional: style (zero-shot), sample"
STYLES = ("zero-shot", "cot")
ATTRIBUTES = frozenset("abcdx")


def recorded(path: Path, arms: Collection[str]) -> list[dict[str, Any]]:
    """Rows for `llm_rationality.Row` from a file: rows of a run as they are; problems with people's rates, and a
    model's choices where the file has them; or pairs of choices. What is answered several times counts as samples.

    arms    names that an arm may have
    raises  DoxaError: no rows, a missing column, a gamble, rate, arm or code that is none, a sample twice; with its
            place in the file
    """
    if path.is_dir() and not (path / SELECTIONS).is_file():
        raise DoxaError(
            f"{path} is a folder without {SELECTIONS}, so not choices13k; a run's rows are in its "
            "readings/llm-rationality/rows.parquet"
        )
    if path.is_dir() or path.name == SELECTIONS:
        return [_people(item) for item in problems(str(path))]
    table = sets.raw_rows(path)
    columns = table[0][1] if table else {}
    if "part" in columns and "a_chances" in columns:
        return [dict(row) for _, row in table]
    samples = _Samples()
    if "first" in columns and "second" in columns:
        return [_pair_row(where, row, samples) for where, row in table]
    found: list[dict[str, Any]] = []
    known: dict[str, Item] = {}
    for i, (where, row) in enumerate(table):
        item = table_problem(where, i, row)
        if item.id not in known:
            known[item.id] = item
            found.append(_people(item))
        elif item.fields["a"] != known[item.id].fields["a"] or item.fields["b"] != known[item.id].fields["b"]:
            raise DoxaError(f"{where}: id {item.id!r} has other gambles than before; one id is one problem")
        if "choice" in row or "share" in row:
            found.append(_answer(where, item, row, arms, samples))
    return found


class _Samples:
    """Numbers what is answered several times, unless the file does so itself."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, ...]] = Counter()

    def number(self, where: str, row: Mapping[str, Any], *what: str) -> int:
        given = row.get("sample")
        if given in (None, ""):
            self.seen[what] += 1
            return self.seen[what] - 1
        sample = count(where, "sample", given)
        self.seen[(*what, str(sample))] += 1
        if self.seen[(*what, str(sample))] > 1:
            raise DoxaError(
                f"{where}: sample {sample} of {', '.join(what)} was there before; number them, or leave it out"
            )
        return sample


def _people(item: Item) -> dict[str, Any]:
    known = {"item": item.id, "group": item.group, "condition": "people", "sample": 0, "outcome": "ok", "text": ""}
    return known | {"part": "gamble", "arm": "people", "style": "zero-shot"} | stimulus(item)


def _answer(where: str, item: Item, row: Mapping[str, Any], arms: Collection[str], samples: _Samples) -> dict[str, Any]:
    arm, style = str(row.get("arm") or "individual"), _style(where, row)
    if arm not in arms:
        raise DoxaError(f"{where}: arm is {arm!r}; it is one of {', '.join(arms)}, of columns {ANSWERED}")
    choice = str(row.get("choice") or "").strip().upper()
    share = None if row.get("share") in (None, "") else rate(where, row["share"])
    read = choice in ("A", "B") or share is not None
    return _people(item) | {
        "condition": arm,
        "arm": arm,
        "style": style,
        "sample": samples.number(where, row, item.id, arm, style),
        "outcome": "ok" if read else "unparsed",
        "text": "" if read else choice,
        "choice": choice if choice in ("A", "B") else None,
        "share": share,
    }


def _style(where: str, row: Mapping[str, Any]) -> str:
    style = str(row.get("style") or STYLES[0])
    if style not in STYLES:
        raise DoxaError(f"{where}: style is {style!r}; it is {' or '.join(STYLES)}")
    return style


_SAID = {"1": "A", "choice 1": "A", "2": "B", "choice 2": "B", "tie": "tie", "0.5": "tie"}


def _pair_row(where: str, row: Mapping[str, Any], samples: _Samples) -> dict[str, Any]:
    first, second = str(row["first"]), str(row["second"])
    for code in (first, second):
        options = code.split("/")
        if any(not o or len(set(o)) < len(o) or not set(o) <= ATTRIBUTES for o in options):
            raise DoxaError(
                f"{where}: {code!r} is no choice; options are strings of a, b, c, d and x, each once, with '/' between "
                f"them. The columns are {PAIRS}"
            )
    if first == second:
        raise DoxaError(f"{where}: first and second are both {first!r}; a pair is of two choices")
    choice, style = _SAID.get(str(row.get("choice") or "").strip().lower()), _style(where, row)
    return {
        "item": f"pair/{first}|{second}",
        "sample": samples.number(where, row, f"{first} and {second}", style),
        "condition": "pair",
        "outcome": "ok" if choice else "unparsed",
        "text": "" if choice else str(row.get("choice") or ""),
        "part": "pair",
        "arm": "pair",
        "style": style,
        "choice": choice,
        "first": first,
        "second": second,
    }
