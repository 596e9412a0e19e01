"""Published opinion surveys by path or hub id: GlobalOpinionQA (GAS, WVS) and OpinionQA (ATP), with what people said.

Nothing is bundled. Layouts: arXiv 2306.16388 (hub Anthropic/llm_global_opinions) and arXiv 2303.17548.
"""

from __future__ import annotations

import ast
import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from doxa.data.populations import Population
from doxa.data.sets import raw_rows
from doxa.records import LETTERS, DoxaError, Item

ATP, GAS, WVS = (
    "the American Trends Panel of the Pew Research Center",
    "the Global Attitudes Survey of the Pew Research Center",
    "the World Values Survey",
)
SOURCES: Mapping[str, str] = {"GAS": GAS, "WVS": WVS}
SHOWN = ("options", "references")  # columns of the texts, the first present is taken
LAYOUTS = (
    "GlobalOpinionQA has question, selections, options, source; OpinionQA has key, question, options (tab-separated), "
    "or key, question, references (info.csv)"
)
CURRENT = " (Current national sample)"

_Rows = list[tuple[str, Mapping[str, Any]]]  # where it stands, cells by column


@dataclass(frozen=True, eq=False)
class OpinionSet:
    """Questions of a published set.

    population  what people of each country said, where the file says so (GlobalOpinionQA)
    left_out    (place, reason) of rows that no labelled question can be made of
    """

    items: tuple[Item, ...]
    population: Population | None = None
    left_out: tuple[tuple[str, str], ...] = ()


def is_opinion_set(source: str) -> bool:
    """Whether a --set is one of these layouts: a folder, a table, or a hub id, and not a JSON file of questions."""
    path = Path(source)
    return path.is_dir() or path.suffix.lower() in (".csv", ".tsv", ".parquet") or _is_hub(source)


def _is_hub(source: str) -> bool:
    path = Path(source)
    return source.count("/") == 1 and not path.suffix and not path.exists() and not path.parent.is_dir()


def opinion_set(source: str) -> OpinionSet:
    """Questions of GlobalOpinionQA or OpinionQA.

    source   a file in one of the layouts, a folder of them (OpinionQA has one for each wave of the panel; info.csv may
             lie one folder further down), or the hub id of GlobalOpinionQA
    returns  items by row (GlobalOpinionQA: key "0", "1", ..., as in the published answers) or by `key`; fields key,
             codes (1 to c), survey, asked_if (none). Rows with fewer than two options, more than 26 or two alike, and
             keys that were there before, are left out and said
    raises   DoxaError: no such file, no such columns, a cell that is no list; with file and line
    """
    path = Path(source)
    stamp = tuple((str(p), p.stat().st_mtime_ns) for p in _files(path)) if path.exists() else ()
    return _opinion_set(source, stamp)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(p for p in (*path.glob("*.csv"), *path.glob("*/info.csv")) if not p.name.startswith("."))


@cache
def _opinion_set(source: str, stamp: tuple[tuple[str, int], ...]) -> OpinionSet:
    path = Path(source)
    if not path.exists() and not _is_hub(source):
        raise DoxaError(f"there is no file or folder {source}; a set is a path, or a hub id such as 'owner/name'")
    tables = [table_rows(p) for p in _files(path)] if path.exists() else [list(raw_rows(source, split="train"))]
    if path.is_dir():  # beside questions lie other tables
        tables = [rows for rows in tables if rows and {"key", "question"} <= set(rows[0][1])]
        if not tables:
            raise DoxaError(f"{source}: no file of this folder has questions. {LAYOUTS}")
    made = _Reading(path.stem or source.replace("/", "-"))
    for rows in tables:
        made.read(source, rows)
    return made.done()


@dataclass
class _Reading:
    """Rows read so far."""

    stem: str
    items: dict[str, Item] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    parts: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)
    many: bool = False

    def read(self, source: str, rows: _Rows) -> None:
        columns = set(rows[0][1]) if rows else set()
        column = next((name for name in SHOWN if name in columns), None)
        if column is None or "question" not in columns or not columns & {"key", "selections"}:
            raise DoxaError(f"{source}: no questions of a published set. {LAYOUTS}. It has {', '.join(columns)}")
        self.many = self.many or "selections" in columns
        for number, (where, row) in enumerate(rows):
            options = tuple(_said(value) for value in listed(where, column, row[column]))
            key = str(row["key"]) if "key" in row else str(number)
            if reason := self._unfit(key, options):
                self.left_out.append((where, reason))
                continue
            survey = SOURCES.get(str(row.get("source", "")).strip().upper(), ATP if "key" in row else "a survey")
            fields = {"key": key, "codes": list(range(1, len(options) + 1)), "survey": survey, "asked_if": {}}
            text = str(row["question"]).strip()
            self.items[key] = Item(f"{self.stem}/{key}", text, "choice", options, fields=fields)
            if "selections" in row:
                self._selections(where, key, len(options), row["selections"])

    def _unfit(self, key: str, options: Sequence[str]) -> str | None:
        if key in self.items:
            return f"key {key!r} was there before"
        if len(set(options)) < len(options):
            return "two options are alike"
        return None if 2 <= len(options) <= len(LETTERS) else f"{len(options)} options; labels are for 2 to 26"

    def _selections(self, where: str, key: str, c: int, cell: Any) -> None:
        for country, values in by_group(where, "selections", cell).items():
            shares = [float(v) for v in values]
            if len(shares) != c or not sum(shares) > 0 or any(not v >= 0 for v in shares):
                self.left_out.append((where, f"{country}: {len(shares)} shares of {c} options, or none above 0"))
                continue
            of = self.parts.setdefault(str(country).removesuffix(CURRENT).strip(), {})
            of.setdefault(key, tuple(v / sum(shares) for v in shares))

    def done(self) -> OpinionSet:
        if not self.items:
            raise DoxaError(f"{self.stem}: no row has a question with 2 to 26 options: {self.left_out[:3]}")
        people = _of_countries(self.parts) if self.many else None
        return OpinionSet(tuple(self.items.values()), people, tuple(self.left_out))


def _of_countries(parts: Mapping[str, Mapping[str, tuple[float, ...]]]) -> Population:
    """Subgroups are countries; the whole is the mean of those that were asked, each counted once."""
    held: dict[str, list[tuple[float, ...]]] = {}
    for of in parts.values():
        for key, shares in of.items():
            held.setdefault(key, []).append(shares)
    whole = {key: tuple(sum(column) / len(rows) for column in zip(*rows, strict=True)) for key, rows in held.items()}
    return Population(f"mean of {len(parts)} countries", whole, parts)


# --- what people said, OpinionQA -------------------------------------------------------------------------------------

_NO_GROUPS = ("MC_options", "question_text")


def is_opinion_shares(path: Path) -> bool:
    """Whether a --reference is of OpinionQA: counts by group in JSON, a folder of them, or distributions (D_H)."""
    if path.is_dir() or path.suffix.lower() == ".json":
        return True
    if path.suffix.lower() not in (".csv", ".tsv") or not path.is_file():
        return False
    with path.open(encoding="utf-8-sig") as file:
        return "D_H" in file.readline()


def opinion_shares(path: Path, options: Mapping[str, tuple[str, ...]]) -> Population:
    """What people of the panel said, for questions by key with their options.

    path     ATTRIBUTE_data.json: {key: {group: {option: count}}}, or a folder with one for each attribute: the groups
             are subgroups, and their sum is the whole. Or a table with qkey, attribute, group and D_H, shares of the
             options without the last, "Refused": then that option is nan, which is compared with nothing
    raises   DoxaError: no such content, an option that the question does not have, no question in common
    """
    files = sorted(path.rglob("*_data.json")) if path.is_dir() else [path]
    parts: dict[str, dict[str, tuple[float, ...]]] = {}
    whole: dict[str, tuple[float, ...]] = {}
    if path.suffix.lower() in (".csv", ".tsv"):
        parts, whole = _distributions(path, options)
    for file in [] if path.suffix.lower() in (".csv", ".tsv") else files:
        _counted(file, options, parts, whole)
    if not whole:
        raise DoxaError(
            f"{path}: nothing of {', '.join(list(options)[:8]) or 'no question'}; give ATTRIBUTE_data.json files of "
            "OpinionQA, or a table with qkey, attribute, group, D_H, of the same wave as --set"
        )
    return Population(path.stem, {k: _shares(v) for k, v in whole.items()}, parts)


def _counted(
    file: Path,
    options: Mapping[str, tuple[str, ...]],
    parts: dict[str, dict[str, tuple[float, ...]]],
    whole: dict[str, tuple[float, ...]],
) -> None:
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
        questions = {k: {g: dict(v) for g, v in of.items() if g not in _NO_GROUPS} for k, of in held.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DoxaError(f"{file}: no counts as {{key: {{group: {{option: count}}}}}} ({error})") from None
    attribute = file.stem.removesuffix("_data")
    for key, groups in questions.items():
        if key not in options:
            continue
        counts = {group: _placed(f"{file}: {key}, {group}", options[key], said) for group, said in groups.items()}
        total = tuple(sum(column) for column in zip(*counts.values(), strict=True))
        if sum(total) > sum(whole.get(key, ())):  # of attributes that not everybody told, the fullest
            whole[key] = total
        for group, values in counts.items():
            if sum(values) > 0:
                parts.setdefault(f"{attribute}: {group}", {})[key] = _shares(values)


def _placed(where: str, options: Sequence[str], said: Mapping[str, Any]) -> tuple[float, ...]:
    """Counts by option. MC_options of the release is cut at commas inside texts, so that texts alone count."""
    values = [0.0] * len(options)
    for text, count in said.items():
        if text not in options or not isinstance(count, int | float) or not count >= 0:
            raise DoxaError(f"{where}: {text!r}, {count!r}; options are {list(options)}, counts are not below 0")
        values[options.index(text)] += count
    return tuple(values)


def _distributions(
    path: Path, options: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, dict[str, tuple[float, ...]]], dict[str, tuple[float, ...]]]:
    parts: dict[str, dict[str, tuple[float, ...]]] = {}
    whole: dict[str, tuple[float, ...]] = {}
    for where, row in table_rows(path):
        if not {"qkey", "attribute", "group", "D_H"} <= set(row):
            raise DoxaError(f"{where}: no qkey, attribute, group and D_H; it has {', '.join(row)}")
        key, group = row["qkey"], row["group"]
        if key not in options:
            continue
        c = len(options[key])
        values = [float(v) for v in listed(where, "D_H", row["D_H"])]
        if not c - 1 <= len(values) <= c or any(not v >= 0 for v in values) or not sum(values) > 0:
            raise DoxaError(f"{where}: D_H has {len(values)} values for {c} options; one each, or all but the last")
        shares = _shares((*values, *[math.nan] * (c - len(values))))
        if row["attribute"] == "Overall":
            whole[key] = shares
        else:
            parts.setdefault(f"{row['attribute']}: {group}", {})[key] = shares
    return parts, whole


def _shares(values: Sequence[float]) -> tuple[float, ...]:
    total = sum(v for v in values if not math.isnan(v))
    return tuple(v / total for v in values)


# --- cells -----------------------------------------------------------------------------------------------------------


def table_rows(path: Path) -> _Rows:
    """(file:line, row) of a CSV; its separator is a tab where its first line has one (published files do)."""
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 24))  # shares of sixty countries in one cell
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter="\t" if "\t" in first else ",", strict=True)
            rows: _Rows = [(f"{path}:{reader.line_num}", dict(row)) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DoxaError(f"{path}: no table in CSV, UTF-8 ({error})") from None
    for where, row in rows:
        if None in row or None in row.values():
            raise DoxaError(f"{where}: not as many cells as the header has columns. Was the file cut off?")
    return rows


def listed(where: str, column: str, cell: Any) -> list[Any]:
    """A cell that holds a list: a list, its text in Python or JSON, or numbers in brackets with blanks between them."""
    if isinstance(cell, list | tuple):
        return list(cell)
    text = str(cell).strip()
    try:
        if text.startswith("[") and "," not in text and "'" not in text and '"' not in text:
            return [float(part) for part in text.strip("[]").split()]
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list | tuple):
        raise DoxaError(f"{where}, column {column!r}: {text[:60]!r} is no list; it is written as ['Yes', 'No']")
    return list(found)


def by_group(where: str, column: str, cell: Any) -> dict[str, list[Any]]:
    """A cell that holds lists by name, also as the text of a defaultdict, which the published file has."""
    if isinstance(cell, Mapping):
        return {str(k): list(v) for k, v in cell.items() if v is not None}
    text = str(cell)
    try:
        found = ast.literal_eval(text[text.index("{") : text.rindex("}") + 1])
        return {str(k): [float(x) for x in v] for k, v in found.items()}
    except (ValueError, SyntaxError, TypeError, AttributeError, MemoryError, RecursionError):
        raise DoxaError(
            f"{where}, column {column!r}: {text[:60]!r} holds no shares by country; written as {{'Spain': [0.4, 0.6]}}"
        ) from None


def _said(value: Any) -> str:
    """An option's text; scales of the release are written as 1.0, 2.0, ..."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def left_out(source: str) -> Iterator[str]:
    """What a note has to say of a set: how many rows were left out, and why the first was."""
    if is_opinion_set(source) and (lost := opinion_set(source).left_out):
        yield f"{len(lost)} rows or shares of {Path(source).name} were left out, the first at {': '.join(lost[0])}."
