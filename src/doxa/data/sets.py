"""Question sets of one's own and published ones, read into Items: CSV, JSON Lines, Parquet, or a hub id."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from math import isfinite, nan
from pathlib import Path
from typing import Any, Literal, get_args

from doxa.records import LETTERS, DoxaError, Item, Kind

NAMES: Mapping[str, tuple[str, ...]] = {  # column of an Item: names it goes by in files, the first present is taken
    "id": ("id",),
    "text": ("text", "question", "statement", "prompt"),
    "options": ("options", "choices"),
    "answer": ("answer",),
    "accepted": ("accepted",),
    "group": ("group",),
    "kind": ("kind",),
    "popularity": ("popularity",),
    "tags": ("tags",),
}
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}

_Row = tuple[str, Mapping[str, Any]]  # where it stands ("quiz.csv, line 3"), its cells by column


class SetError(DoxaError, ValueError):
    """A question set that cannot be used, with the place, the rule and the way out."""


def load(
    source: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    answer_as: Literal["text", "letter", "index"] = "text",
    number_rows: bool = False,
    split: str = "test",
    config: str | None = None,
    revision: str | None = None,
) -> list[Item]:
    """Items from a file (.csv, .tsv, .jsonl, .ndjson, .parquet) or, by "owner/name", from the hub.

    Columns, all but the first two optional:
      id          unique (`number_rows` makes up "quiz-1", "quiz-2", ... where there is none)
      text        what is asked; also called question, statement or prompt
      options     a list; in a CSV cell a JSON list or texts with "|" between them; also called choices
      answer      the truth: text of the right option, "true"/"false", free text or a number; empty: unknown
      accepted    other right spellings, a list as above
      kind        "statement", "choice", "open", "number" or "scenario"; by default "choice" with options,
                  "statement" when the answer is true or false, else "open"
      group, popularity (in [0, 1]), tags (a list)
    Every other column goes into the item's `fields`.

    columns     the file's own column names: {"text": "Frage", "answer": "gold"}
    answer_as   how the answer of an item with options is given: its text, its letter (A is the first) or its
                index (0 is the first)
    split, config, revision   which part and version of a hub set; a file ignores them
    raises      FileNotFoundError; SetError: a missing or unknown column, a repeated id, no rows, a line that is
                no JSON object, options that are no list, an answer that is no option, ...; DoxaError: a hub
                set without the package `datasets`
    """
    path, name = Path(source), str(source)
    rows = raw_rows(source, split=split, config=config, revision=revision)
    names = _column_names(name, rows, dict(columns or {}), number_rows)
    stem = path.stem if path.suffix else name.replace("/", "-")
    items = [
        _item(where, row, names, answer_as, f"{stem}-{i}" if number_rows else None)
        for i, (where, row) in enumerate(rows, 1)
    ]
    _unique(items, [where for where, _ in rows])
    return items


def raw_rows(
    source: str | Path, *, split: str = "test", config: str | None = None, revision: str | None = None
) -> list[_Row]:
    """The rows of a file or hub set as they stand, each with its place ("quiz.csv, line 3"); errors as `load`."""
    path, name = Path(source), str(source)
    if path.suffix.lower() in _SUFFIXES:
        if not path.is_file():
            raise FileNotFoundError(f"no file {name!r}; a set is a file or a hub id such as 'owner/name'")
        rows = _rows(path)
    elif path.exists() or path.parent.is_dir() or name.count("/") != 1:
        raise SetError(f"{name!r} is neither a {', '.join(_SUFFIXES)} file nor a hub id; rename or convert the file")
    else:
        rows = list(_hub(name, split, config, revision))
    if not rows:
        raise SetError(f"{name}: no rows; a set has at least one question. Was the export cut off?")
    return rows


def _rows(path: Path) -> list[_Row]:
    try:
        return list(_READERS[_SUFFIXES[path.suffix.lower()]](path))
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise SetError(f"{path.name}: not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8") from None


def _csv(path: Path) -> Iterator[_Row]:
    """Rows of a comma- or tab-separated file; a row's line is the one it ends on."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        try:
            for row in reader:
                where = f"{path.name}, line {reader.line_num}"
                if None in row or None in row.values():
                    raise SetError(
                        f"{where}: not {len(reader.fieldnames or ())} cells like the header; "
                        "put a cell that holds the separator, or a quote, into double quotes"
                    )
                yield where, row
        except csv.Error as error:
            raise SetError(f"{path.name}, line {reader.line_num}: {error}; close the quotes of the last cell") from None


def _jsonl(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            where = f"{path.name}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                cut = "" if line.endswith("\n") else "; the file ends here: was it cut off?"
                raise SetError(
                    f"{where}: not JSON ({error.msg}, column {error.colno}); one object a line{cut}"
                ) from None
            if not isinstance(row, dict):
                raise SetError(f"{where}: {type(row).__name__}, not an object; write {{...}} with the columns as keys")
            yield where, row


def _parquet(path: Path) -> Iterator[_Row]:
    import polars as pl

    try:
        table = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise SetError(f"{path.name}: not readable as Parquet ({error}); was the file cut off?") from None
    for number, row in enumerate(table.iter_rows(named=True), 1):
        yield f"{path.name}, row {number}", row


_READERS = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}


def _hub(name: str, split: str, config: str | None, revision: str | None) -> Iterator[_Row]:
    try:
        datasets = importlib.import_module("datasets")
    except ImportError:
        raise DoxaError(
            f"hub set {name!r} needs the package 'datasets', which is not installed; pip install datasets, "
            "or download the set and load it by its path"
        ) from None
    table = datasets.load_dataset(name, config, split=split, revision=revision)
    for number, row in enumerate(table, 1):
        yield f"{name} ({split}), row {number}", row


def _column_names(name: str, rows: list[_Row], columns: dict[str, str], number_rows: bool) -> dict[str, str]:
    """Which column of the file holds which part of an Item."""
    present = list(dict.fromkeys(column for _, row in rows for column in row))
    have = f"{name} has {', '.join(map(repr, present))}"
    for part, column in columns.items():
        if part not in NAMES:
            raise SetError(f"columns names {part!r}, no part of an item; there are {', '.join(NAMES)}")
        if column not in present:
            raise SetError(f"columns says {part!r} is in {column!r}; {have}")
    found = {part: next((n for n in names if n in present), None) for part, names in NAMES.items()}
    named = {part: column for part, column in found.items() if column is not None} | columns
    if "text" not in named:
        raise SetError(f"{have}; missing column 'text' (or 'question'). Rename it, or columns={{'text': ...}}")
    if "id" not in named and not number_rows:
        raise SetError(f"{have}; missing column 'id'. Rename or add it, or columns={{'id': ...}}, or number_rows=True")
    return named


def _item(where: str, row: Mapping[str, Any], names: Mapping[str, str], answer_as: str, made_id: str | None) -> Item:
    cell = {part: row.get(column) for part, column in names.items()}
    text = _text(cell.get("text"))
    if text is None:
        raise SetError(f"{where}, column {names['text']!r}: empty; every question has a text")
    item_id = made_id or _text(cell.get("id"))
    if item_id is None:
        raise SetError(f"{where}, column {names['id']!r}: empty; every question has an id, or pass number_rows=True")
    options = _list(where, names.get("options"), cell.get("options"))
    if len(set(options)) < len(options) or len(options) == 1 or len(options) > len(LETTERS):
        raise SetError(
            f"{where}, column {names['options']!r}: {list(options)}; options are 2 to {len(LETTERS)} and differ"
        )
    answer = _answer(where, names, cell.get("answer"), options, answer_as)
    return Item(
        id=item_id,
        text=text,
        kind=_kind(where, names, _text(cell.get("kind")), options, answer),
        options=options,
        answer=answer,
        accepted=_list(where, names.get("accepted"), cell.get("accepted")),
        group=_text(cell.get("group")),
        popularity=_popularity(where, names, cell.get("popularity")),
        tags=_list(where, names.get("tags"), cell.get("tags")),
        fields={column: value for column, value in row.items() if column not in names.values()},
    )


def _text(value: Any) -> str | None:
    """A cell as text; None when it is empty. A truth value becomes "true" or "false"."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value).strip() or None


def _list(where: str, column: str | None, value: Any) -> tuple[str, ...]:
    """A cell that holds several texts."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split("|") if "|" in value else value
        except json.JSONDecodeError as error:
            raise SetError(f"{where}, column {column!r}: {value!r} is no JSON list ({error.msg})") from None
    if isinstance(value, str) or not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise SetError(f'{where}, column {column!r}: {value!r} is not a list; write ["a", "b"], or a|b in a CSV cell')
    texts = [_text(part) for part in value]
    if None in texts:
        raise SetError(f"{where}, column {column!r}: {value!r} holds an empty text; remove it or fill it in")
    return tuple(text for text in texts if text is not None)


def _answer(where: str, names: Mapping[str, str], value: Any, options: tuple[str, ...], answer_as: str) -> str | None:
    answer = _text(value)
    if answer is None or not options:
        return answer.lower() if answer in ("True", "False", "TRUE", "FALSE") else answer
    here = f"{where}, column {names['answer']!r}: {answer!r}"
    if answer_as == "text":
        if answer not in options:
            raise SetError(
                f"{here} is not among the options {list(options)}; give an option's text, "
                "or pass answer_as='letter' or answer_as='index'"
            )
        return answer
    known = LETTERS[: len(options)] if answer_as == "letter" else [str(i) for i in range(len(options))]
    if answer_as not in ("letter", "index"):
        raise SetError(f"answer_as is {answer_as!r}; there are 'text', 'letter' and 'index'")
    if answer.upper() not in known:
        raise SetError(f"{here} is no {answer_as} of {len(options)} options; they are {', '.join(known)}")
    return options[known.index(answer.upper())]


def _kind(where: str, names: Mapping[str, str], kind: str | None, options: tuple[str, ...], answer: str | None) -> Kind:
    if kind is None:
        return "choice" if options else "statement" if answer in ("true", "false") else "open"
    for known in get_args(Kind):
        if kind == known:
            if kind == "statement" and answer not in ("true", "false", None):
                raise SetError(f"{where}: a statement whose answer is {answer!r}; it is true, false, or empty")
            if kind == "number" and answer is not None and not _is_number(answer):
                raise SetError(f"{where}: a number whose answer is {answer!r}; write it with digits, or make it open")
            if kind == "choice" and not options:
                raise SetError(f"{where}: a choice without options; add column 'options', or make it open")
            return known
    raise SetError(f"{where}, column {names['kind']!r}: {kind!r}; kinds are {', '.join(get_args(Kind))}")


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _popularity(where: str, names: Mapping[str, str], value: Any) -> float | None:
    if _text(value) is None:
        return None
    number = float(value) if _is_number(str(value)) else nan
    if not 0 <= number <= 1:
        raise SetError(f"{where}, column {names['popularity']!r}: {value!r}; popularity is a number in [0, 1]")
    return number


def _unique(items: list[Item], places: list[str]) -> None:
    first: dict[str, str] = {}
    for item, where in zip(items, places, strict=True):
        if item.id in first:
            raise SetError(
                f"{where}: id {item.id!r} is already at {first[item.id]}; ids are unique. Rename one of them."
            )
        first[item.id] = where
