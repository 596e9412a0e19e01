"""Published question sets with a number or a letter as answer: GSM8K, SVAMP, BIG-bench tasks and MMLU subjects.

By name from the hub, or from a file as their authors publish it; never bundled.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from doxa.data import sets
from doxa.records import LETTERS, DoxaError, Item

Row = tuple[str, Mapping[str, Any]]  # where it stands, its cells
Convert = Callable[[str, Mapping[str, Any]], Item]

SET = "set"  # entry of Item.fields: the name of the set


def questions(source: str) -> list[Item]:
    """Items of a set by its name (`NAMED`), from a published or own file, or of an own set by hub id.

    Published files are known by what they hold: GSM8K's .jsonl, SVAMP's .json, a BIG-bench task.json (or a copy of it
    by another name), an MMLU .csv without header. Everything else is read as `sets.load` reads it. `fields["set"]` is
    the set's name; ids of published sets are that name with the row's number, from 0.

    raises  DoxaError: no such set, a row without question or answer, an empty set; FileNotFoundError
    """
    if source in NAMED:
        hub = NAMED[source]
        return _items(source, _hub_rows(hub), hub.convert)
    path = Path(source).expanduser()
    if path.is_file() and path.suffix.lower() in (".json", ".jsonl", ".csv"):
        name, rows, convert = _published_file(path)
        if convert is not None:
            return _items(name, rows, convert)
    known = ", ".join(NAMED)
    try:
        items = sets.load(path if path.exists() else source)
    except sets.SetError as error:
        if path.exists() or "/" in source:
            raise
        raise DoxaError(f"{source!r} is no file, no hub id, and none of the sets {known}: {error}") from None
    name = path.stem if path.exists() else source
    return [replace(item, fields={SET: name, **item.fields}) for item in items]


def _items(name: str, rows: Iterable[Row], convert: Convert) -> list[Item]:
    found = []
    for number, (where, row) in enumerate(rows):
        item = convert(where, row)
        found.append(replace(item, id=f"{name}/{number}", tags=(name,), fields={SET: name}))
    if not found:
        raise DoxaError(f"{name}: no questions; was the file cut off?")
    return found


# --- one row of each kind --------------------------------------------------------------------------------------------


def _gsm8k(where: str, row: Mapping[str, Any]) -> Item:
    """The number stands behind "####" at the end of the worked answer."""
    worked = _text(where, row, "answer")
    if "####" not in worked:
        raise DoxaError(f"{where}, 'answer': no '####' before the number; a row of GSM8K ends with '#### 42'")
    return _number(where, _text(where, row, "question"), worked.rsplit("####", 1)[1])


def _svamp(where: str, row: Mapping[str, Any]) -> Item:
    body, question = _text(where, row, "Body"), _text(where, row, "Question")
    stop = "" if body[-1] in ".!?," else "."
    return _number(where, f"{body}{stop} {question}", str(row.get("Answer", "")))


def _big_bench(where: str, row: Mapping[str, Any]) -> Item:
    """A task's example, as in task.json or as the hub has it; three options or more in an order drawn by the text."""
    hub = "inputs" in row
    text = _bare(_text(where, row, "inputs" if hub else "input"))
    prefix = str(row.get("task_prefix") or "").strip()
    text = f"{prefix}\n{text}" if prefix else text
    scores = row.get("target_scores") or {}
    if hub and row.get("multiple_choice_targets"):
        scores = dict(zip(row["multiple_choice_targets"], row.get("multiple_choice_scores") or (), strict=False))
    if not scores:
        targets = row.get("targets" if hub else "target")
        forms = [targets] if isinstance(targets, str) else list(targets or ())
        numeral = next((t for t in map(str, forms) if t.strip().lstrip("-").isdigit()), "")
        return _number(where, text, numeral)
    options, right = list(scores), max(scores, key=lambda option: scores[option])
    if len(options) > 2:  # some tasks list the right one first
        random.Random(text).shuffle(options)
    return Item("", text, "choice", tuple(map(str, options)), str(right))


def _bare(text: str) -> str:
    """The question without "Q:", "A:" and the lines of choices that some copies put into it."""
    lines = [line.strip() for line in text.strip().splitlines()]
    kept = [line for line in lines if line and line != "A:" and not line.startswith("choice:")]
    return "\n".join(kept).removeprefix("Q:").strip()


def _mmlu(where: str, row: Mapping[str, Any]) -> Item:
    """Four options and the right one's letter or number; an option that is there twice is shown once."""
    options = tuple(str(option).strip() for option in row.get("choices") or ())
    answer = str(row.get("answer", "")).strip()
    place = int(answer) if answer.isdigit() else LETTERS.find(answer.upper() or "?")
    if len(set(options)) < 2 or not 0 <= place < len(options):
        raise DoxaError(f"{where}: options {list(options)}, answer {answer!r}; needed are two options or more, and the "
                        "right one's letter or number")  # fmt: skip
    return Item("", _text(where, row, "question"), "choice", tuple(dict.fromkeys(options)), options[place])


def _number(where: str, text: str, answer: str) -> Item:
    plain = answer.strip().replace(",", "").replace("$", "")
    try:
        value = float(plain)
    except ValueError:
        raise DoxaError(f"{where}: the answer is {answer!r}, not a number; correct the row or take it out") from None
    return Item("", text, "number", answer=str(int(value)) if value.is_integer() else plain)


def _text(where: str, row: Mapping[str, Any], column: str) -> str:
    text = str(row.get(column) or "").strip()
    if not text:
        raise DoxaError(
            f"{where}, {column!r}: {row.get(column)!r}; every row has a text there. It has {', '.join(row)}"
        )
    return text


# --- where rows come from --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Hub:
    id: str
    convert: Convert
    config: str | None = None
    splits: tuple[str, ...] = ("test",)


def _task(config: str) -> _Hub:
    return _Hub("tasksource/bigbench", _big_bench, config, ("train", "validation"))


NAMED: Mapping[str, _Hub] = {
    "gsm8k": _Hub("openai/gsm8k", _gsm8k, "main"),
    "svamp": _Hub("ChilleD/SVAMP", _svamp),
    "date_understanding": _task("date_understanding"),
    "object_counting": _task("object_counting"),
    "strategy_qa": _task("strategyqa"),
    "sports_understanding": _task("sports_understanding"),
    "professional_law": _Hub("cais/mmlu", _mmlu, "professional_law"),
    "business_ethics": _Hub("cais/mmlu", _mmlu, "business_ethics"),
}


def _hub_rows(hub: _Hub) -> Iterator[Row]:
    try:
        datasets = importlib.import_module("datasets")
    except ImportError:
        raise DoxaError(
            f"hub set {hub.id!r} needs the package 'datasets', which is not installed; pip install datasets, "
            "or download the set and give its path"
        ) from None
    for split in hub.splits:
        for number, row in enumerate(datasets.load_dataset(hub.id, hub.config, split=split)):
            yield f"{hub.id} ({split}), row {number}", row


def _published_file(path: Path) -> tuple[str, Iterable[Row], Convert | None]:
    """The set's name, its rows and how to read one; no converter: it is none of the published forms."""
    text = path.read_text(encoding="utf-8-sig")
    name = path.parent.name if path.stem == "task" else path.stem
    if path.suffix.lower() == ".csv":
        table = list(csv.reader(io.StringIO(text, newline="")))
        headless = bool(table) and all(len(r) >= 4 and r[-1].strip() in tuple(LETTERS) for r in table if r)
        return name, _csv_rows(path, table), _mmlu if headless else None
    if path.suffix.lower() == ".jsonl":
        first = next((line for line in text.splitlines() if line.strip()), "")
        return name, _lines(path, text), _gsm8k if '"answer"' in first and "####" in first else None
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        raise DoxaError(f"{path.name}:{error.lineno}: not JSON ({error.msg}); was the file cut off?") from None
    examples = held.get("examples") if isinstance(held, dict) else held
    if not isinstance(examples, list) or not all(isinstance(row, dict) for row in examples):
        raise DoxaError(f"{path.name} is neither a BIG-bench task (with 'examples') nor a list of objects, as SVAMP is")
    convert = _svamp if examples and "Body" in examples[0] else _big_bench
    prefix = {"task_prefix": held.get("task_prefix")} if isinstance(held, dict) else {}
    return name, ((f"{path.name}, example {i}", {**prefix, **row}) for i, row in enumerate(examples)), convert


def _csv_rows(path: Path, table: list[list[str]]) -> Iterator[Row]:
    for number, cells in enumerate(table, 1):
        if cells:
            question, *choices, answer = cells
            yield f"{path.name}, row {number}", {"question": question, "choices": choices, "answer": answer}


def _lines(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"{path.name}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise DoxaError(f"{where}: not JSON ({error.msg}); was the file cut off?") from None
            if not isinstance(row, dict):
                raise DoxaError(f"{where}: {type(row).__name__}, not an object with question and answer")
            yield where, row
