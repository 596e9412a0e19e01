"""Reasoning and factuality benchmarks: AIME, GPQA, SuperGPQA, LiveBench, SimpleQA, FreshQA; and a mix of the bank.

By name from the hub, or from a file as their authors publish it; never bundled.
"""

from __future__ import annotations

import csv
import importlib
import io
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from doxa.data import published_questions
from doxa.data.facts import facts
from doxa.data.generated import arithmetic
from doxa.data.mixture import FACTS, LEVELS, SUMS, of_set
from doxa.data.published_questions import SET
from doxa.data.render import open_item
from doxa.records import LETTERS, DoxaError, Item

Cells = Mapping[str, Any]
Convert = Callable[[str, Cells], Item]
LISTED = "listed"  # entry of Item.fields, as `elicit.reasoned` has it


def open_facts_and_sums(n: int, *, seed: int = 0) -> list[Item]:
    """n items, open questions about facts and sums in turn: what may be declined, and what has to be reckoned.

    Facts are at even distances in popularity, sums of four difficulties, both in random order.

    raises  DoxaError: n below 1, or above twice the number of facts

    >>> [item.kind for item in open_facts_and_sums(3)]
    ['open', 'number', 'open']
    """
    bank, half = facts(), (n + 1) // 2
    if not 1 <= n <= 2 * len(bank):
        raise DoxaError(f"{n} questions asked; the bank gives 1 to {2 * len(bank)}. For more, bring a set of your own")
    about = [open_item(bank[i * len(bank) // half]) for i in range(half)]
    sums = [item for level in LEVELS for item in arithmetic(-(-half // len(LEVELS)), level, seed)]
    for name, asked in (("facts", about), ("sums", sums)):
        random.Random(f"benchmarks/{name}/{seed}").shuffle(asked)
    pairs = zip(about, sums, strict=False)
    return [of_set(item, name) for pair in pairs for item, name in zip(pair, (FACTS, SUMS), strict=True)][:n]


def questions(source: str, *, per_level: int = 500, seed: int = 0) -> list[Item]:
    """Items of a benchmark by its name (`HUB`), from its published file, or of an own set.

    Published .csv files are known by their columns: SimpleQA's by problem and answer, FreshQA's by question and
    answer_0. Lists (LiveBench) have fields["listed"]; false premises of FreshQA are tagged. Options of GPQA are in an
    order drawn by the question.

    per_level  questions of each difficulty of SuperGPQA, drawn by `seed`
    raises     DoxaError: no such set, a row without question or answer, an empty set
    """
    name, path = source.lower(), Path(source).expanduser()
    if name in HUB:
        rows = enumerate(_hub_rows(HUB[name]))
        found = [_named(hub.convert(where, row), name, i) for i, (hub, where, row) in rows]
    elif path.suffix.lower() == ".csv" and path.is_file() and (published := _published(path)) is not None:
        convert, table = published
        found = [_named(convert(where, row), path.stem, i) for i, (where, row) in enumerate(table)]
    else:
        return published_questions.questions(source)
    if not found:
        raise DoxaError(f"{source}: no questions; was the file cut off?")
    return _of_levels(found, per_level, seed) if name == "supergpqa" else found


def _named(item: Item, name: str, number: int) -> Item:
    return replace(item, id=f"{name}/{item.id or number}", tags=(name, *item.tags), fields={**item.fields, SET: name})


def _of_levels(items: Sequence[Item], n: int, seed: int) -> list[Item]:
    """So many of each difficulty, in the order of the set."""
    levels = dict.fromkeys(item.fields.get("difficulty") for item in items)
    chosen: set[str] = set()
    for level in levels:
        ids = [item.id for item in items if item.fields.get("difficulty") == level]
        chosen |= set(random.Random(f"{level}/{seed}").sample(ids, min(n, len(ids))))
    return [item for item in items if item.id in chosen]


# --- one row of each kind --------------------------------------------------------------------------------------------


def _aime(where: str, row: Cells) -> Item:
    answer = _text(where, row, "Answer", "answer")
    if not answer.strip().isdigit():
        raise DoxaError(f"{where}: the answer is {answer!r}; those of AIME are whole numbers from 0 to 999")
    return Item("", _text(where, row, "Problem", "problem"), "number", answer=str(int(answer)))


def _gpqa(where: str, row: Cells) -> Item:
    text, right = _text(where, row, "Question"), _text(where, row, "Correct Answer")
    wrong = [_text(where, row, f"Incorrect Answer {i}") for i in (1, 2, 3)]
    options = list(dict.fromkeys([right, *wrong]))
    random.Random(text).shuffle(options)
    return Item(str(row.get("Record ID") or ""), text, "choice", tuple(options), right)


def _supergpqa(where: str, row: Cells) -> Item:
    options = tuple(dict.fromkeys(str(option).strip() for option in row.get("options") or ()))
    letter, right = str(row.get("answer_letter") or "").strip(), str(row.get("answer") or "").strip()
    if right not in options and len(letter) == 1 and letter in LETTERS[: len(options)]:
        right = options[LETTERS.index(letter)]
    if len(options) < 2 or right not in options:
        raise DoxaError(f"{where}: {len(options)} options, answer {right!r}; needed are two or more, one of them right")
    fields = {"difficulty": row.get("difficulty")}
    return Item(str(row.get("uuid") or ""), _text(where, row, "question"), "choice", options, right, fields=fields)


def _livebench(where: str, row: Cells) -> Item:
    turns: Any = row.get("turns")
    text = "" if isinstance(turns, str) or turns is None or not len(turns) else str(turns[0]).strip()
    if not text:
        raise DoxaError(f"{where}, 'turns': {turns!r}; a row of LiveBench holds its question there")
    answer = _text(where, row, "ground_truth")
    identity = str(row.get("question_id") or "")
    return Item(identity, text, "open", answer=answer, tags=(str(row.get("task") or ""),), fields={LISTED: True})


def _simpleqa(where: str, row: Cells) -> Item:
    return Item("", _text(where, row, "problem"), answer=_text(where, row, "answer"))


def _freshqa(where: str, row: Cells) -> Item:
    answers = [str(row.get(f"answer_{i}") or "").strip() for i in range(10)]
    known = tuple(answer for answer in answers if answer)
    if not known:
        raise DoxaError(f"{where}: none of answer_0 to answer_9 holds an answer")
    false = ("false premise",) if str(row.get("false_premise") or "").strip().lower() in ("true", "1") else ()
    text = _text(where, row, "question")
    return Item(str(row.get("id") or ""), text, answer=known[0], accepted=known[1:], tags=false)


def _text(where: str, row: Cells, *columns: str) -> str:
    for column in columns:
        if text := str(row.get(column) if row.get(column) is not None else "").strip():
            return text
    raise DoxaError(
        f"{where}: {' and '.join(map(repr, columns))} empty; every row has a text there. It has {', '.join(row)}"
    )


# --- where rows come from --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Hub:
    id: str
    convert: Convert
    config: str | None = None
    split: str = "train"


HUB: Mapping[str, tuple[_Hub, ...]] = {
    "aime": (_Hub("Maxwell-Jia/AIME_2024", _aime), _Hub("math-ai/aime25", _aime, split="test")),
    "gpqa": (_Hub("Idavidrein/gpqa", _gpqa, "gpqa_diamond"),),
    "supergpqa": (_Hub("m-a-p/SuperGPQA", _supergpqa),),
    "livebench": (_Hub("livebench/reasoning", _livebench, split="test"),),
}


def _hub_rows(parts: Sequence[_Hub]) -> Iterable[tuple[_Hub, str, Cells]]:
    try:
        datasets = importlib.import_module("datasets")
    except ImportError:
        raise DoxaError(
            f"hub set {parts[0].id!r} needs the package 'datasets', which is not installed; pip install datasets, "
            "or download the set and give its path"
        ) from None
    for hub in parts:
        for number, row in enumerate(datasets.load_dataset(hub.id, hub.config, split=hub.split)):
            yield hub, f"{hub.id}, row {number}", row


def _published(path: Path) -> tuple[Convert, list[tuple[str, Cells]]] | None:
    """How to read a published .csv, and its rows; None: it is neither SimpleQA's nor FreshQA's.

    FreshQA's sheet begins with lines that warn against leaking it.
    """
    table = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    for number, header in enumerate(table[:10]):
        for needed, convert in (({"problem", "answer"}, _simpleqa), ({"question", "answer_0"}, _freshqa)):
            if needed <= set(header):
                rows = [(i, cells) for i, cells in enumerate(table[number + 1 :], number + 2) if any(cells)]
                return convert, [(f"{path.name}, row {i}", dict(zip(header, cells, strict=False))) for i, cells in rows]
    return None
