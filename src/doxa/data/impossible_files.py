"""Problems in which one option admits not to know, from the released file; recorded answers to them; lists of them."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from doxa.data.impossible import bank_items, is_admission, seen, twins
from doxa.records import LETTERS, DoxaError, Item

Cells = tuple[str, Mapping[str, Any]]  # where a row stands, its cells by column

_LABEL = re.compile(r"(?:^|(?<=\s))([A-E])\.(?=\S)")


# --- problems --------------------------------------------------------------------------------------------------------


def problems(path: str | None, n: int, *, with_twins: bool = True) -> list[Item]:
    """Items that nobody can answer, of a released file or `n` of the bank, in turn with answerable ones (`twins`)."""
    unknown = bank_items(n) if path is None else released_items(Path(path).expanduser())
    known = twins(len(unknown)) if with_twins else []
    return [item for pair in zip(unknown, known, strict=False) for item in pair] + unknown[len(known) :]


def released_items(path: Path) -> list[Item]:
    """The items of the released question file: columns Category, Problem (with its choices), Difficulty, Correct.

    raises  DoxaError: a missing column, a problem without five choices, a right letter that is no admission
    source  arXiv 2411.14486
    """
    return [_released(where, row, index) for index, (where, row) in enumerate(_table(path, ("Problem", "Correct")))]


def _released(where: str, row: Mapping[str, Any], index: int) -> Item:
    text, options = split_choices(row["Problem"])
    letter = row["Correct"].strip().upper()
    if len(options) != 5 or len(set(options)) != 5 or letter not in LETTERS[:5] or len(letter) != 1:
        raise DoxaError(f"{where}: {len(options)} choices and the right letter {letter!r}; five different ones, A to E")
    answer = options[LETTERS.index(letter)]
    if not is_admission(answer):
        raise DoxaError(
            f"{where}: option {letter} is {answer[:60]!r}, no admission; it has to begin with I do not know"
        )
    return Item(
        id=f"v2-{index:03d}",
        text=text,
        kind="choice",
        options=tuple(options),
        answer=answer,
        group=normalised(text),
        tags=("unknowable",),
        fields={
            "version": "V2",
            "category": row.get("Category", "").strip() or None,
            "difficulty": row.get("Difficulty", "").strip() or None,
            "admission": answer,
        },
    )


def split_choices(problem: str) -> tuple[str, list[str]]:
    """The problem before "Choices:", and its options: labels A to E in order, each at a word's start and before a text.

    >>> split_choices("Why? Choices: A.Use C. elegans B.B. Ask, e.g. twice C.I do not know")
    ('Why?', ['Use C. elegans', 'Ask, e.g. twice', 'I do not know'])
    """
    text, _, choices = problem.partition("Choices:")
    choices = choices.strip()
    bounds: list[tuple[int, int]] = []
    for found in _LABEL.finditer(choices):
        if len(bounds) < len(LETTERS) and found[1] == LETTERS[len(bounds)]:
            bounds.append(found.span())
    ends = [start for start, _ in bounds[1:]] + [len(choices)]
    options = [choices[start:end].strip() for (_, start), end in zip(bounds, ends, strict=True)]
    doubled = (re.sub(rf"^{letter}\.\s*", "", o) for letter, o in zip(LETTERS, options, strict=False))
    return text.strip(), list(doubled)


def normalised(text: str) -> str:
    """A problem's text as it is compared: before its choices, lower case, all but a-z and 0-9 to one space."""
    return " ".join(re.findall("[a-z0-9]+", text.partition("Choices:")[0].lower()))


@cache
def listed(path: str) -> frozenset[str]:
    """Lines of a list (ids or problem texts, # for remarks), as ids and as compared texts.

    raises  DoxaError: no such file, or an empty one
    """
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DoxaError(f"{path}: {error.strerror}; it is a text file with one id or problem a line") from None
    kept = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not kept:
        raise DoxaError(f"{path} lists nothing; it has one id or problem a line")
    return frozenset({*kept, *map(normalised, kept)})


def is_listed(path: str | None, item: str, text: str) -> bool | None:
    """Whether a problem is on a list, by its id or its text; None: there is no list."""
    return None if path is None else not listed(path).isdisjoint((item, normalised(text)))


# --- published answers -----------------------------------------------------------------------------------------------

# Our names for the columns of a response file, and what files call them; the first present is taken.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("question_id", "id", "item"),
    "question": ("question", "problem", "text"),
    "options": ("answers", "options"),
    "admission": ("correct_answer_index", "admission"),
    "letter": ("llm_answer", "letter", "answer"),
    "index": ("llm_answer_index", "index"),
    "reason": ("llm_reasoning", "reason"),
}


def responses(
    path: Path, *, questions: str | None = None, truly_open: str | None = None
) -> tuple[list[dict[str, Any]], list[str]]:
    """The answers of a response file, one dictionary each, and notes on what is odd in it.

    Keys: item, group, outcome, text, c (options), place (index chosen, None: unread), admission (index), shortest
    (whether the admission is the shortest option), version, category, difficulty, listed. `answers` is a Python list.
    Other columns are ignored.

    questions   the released question file, from which problems get category and difficulty, by their text
    truly_open  a list as for `is_listed`
    raises      DoxaError: a missing column, options that are no list, an admission that is none of them
    source      arXiv 2411.14486
    """
    table = list(_table(path, ()))
    names = {ours: next((n for n in theirs if n in table[0][1]), None) for ours, theirs in COLUMNS.items()}
    for ours in ("question", "options", "admission", "letter"):
        if names[ours] is None:
            have, want = ", ".join(map(repr, table[0][1])), " or ".join(COLUMNS[ours])
            raise DoxaError(f"{path}: no column {want} among {have}; rename the one that holds it")
    found = [_response(where, row, names, index) for index, (where, row) in enumerate(table)]
    times = Counter(r["item"] for r in found)
    for index, r in enumerate(found):
        r["listed"] = is_listed(truly_open, r["item"], r["group"])
        r["item"] = r["item"] if times[r["item"]] == 1 else f"{r['item']}#{index}"
    odd = sum(r["outcome"] == "ambiguous" for r in found)
    wrong = sum(
        row["is_correct"].strip().lower() in ("true", "false")
        and (row["is_correct"].strip().lower() == "true") != (r["place"] == r["admission"])
        for r, (_, row) in zip(found, table, strict=True)
        if row.get("is_correct")
    )
    notes = [f"{odd} answers name one letter and the index of another; they count as unread"] if odd else []
    notes += [f"{wrong} rows say is_correct otherwise than their indices do"] if wrong else []
    return found, notes + (_label(found, questions) if questions is not None else [])


def _label(found: Sequence[dict[str, Any]], questions: str) -> list[str]:
    """Give each answer the category and difficulty of its problem; a note on those that have none."""
    labels = by_text(released_items(Path(questions).expanduser()))
    for r in found:
        label = labels.get(r["group"])
        r |= {name: label.fields[name] if label is not None else None for name in ("category", "difficulty")}
    unmatched = sum(r["group"] not in labels for r in found)
    return [f"{unmatched} of {len(found)} problems are not in {questions}: no category or level"] if unmatched else []


def _response(where: str, row: Mapping[str, Any], names: Mapping[str, str | None], index: int) -> dict[str, Any]:
    def cell(name: str) -> str:
        column = names[name]
        return str(row[column] or "").strip() if column else ""

    options = _options(where, cell("options"))
    admission = _index(cell("admission"), len(options))
    if admission is None:
        raise DoxaError(
            f"{where}: the admission's index is {cell('admission')!r}; {len(options)} options are numbered from 0"
        )
    letter = cell("letter").upper().rstrip(".)")
    by_letter = LETTERS.index(letter) if len(letter) == 1 and letter in LETTERS[: len(options)] else None
    by_index = _index(cell("index"), len(options))
    places = {place for place in (by_letter, by_index) if place is not None}
    outcome = "ok" if len(places) == 1 else "ambiguous" if places else "unparsed"
    return {
        **seen(options, admission, places.pop() if len(places) == 1 else None),
        "item": cell("id") or str(index),
        "group": normalised(cell("question")),
        "outcome": outcome,
        "text": cell("reason") or cell("letter"),
        "version": {4: "V1", 5: "V2"}.get(len(options), "own"),
    }


def _options(where: str, text: str) -> list[str]:
    try:
        options = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        options = None
    if not isinstance(options, (list, tuple)) or not 2 <= len(options) <= len(LETTERS):
        raise DoxaError(f"{where}: the options are {text[:60]!r}; a Python list of 2 to 26 texts is expected")
    return [str(option) for option in options]


def _index(text: str, c: int) -> int | None:
    return int(float(text)) if re.fullmatch(r"[0-9]+(?:\.0+)?", text) and int(float(text)) < c else None


def by_text(items: Iterable[Item]) -> dict[str, Item]:
    """Items by their compared text; of two with one text the first."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(normalised(item.text), item)
    return found


def _table(path: Path, needed: Sequence[str]) -> list[Cells]:
    """Rows of a CSV, in UTF-8 or else in Windows-1252, as the released file is."""
    if not path.is_file():
        raise DoxaError(f"{path}: no such file; the released question file is impossible_test.csv")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    limit = csv.field_size_limit(max(len(text), 131072))
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows: list[Cells] = [(f"{path.name}, row {index}", row) for index, row in enumerate(reader)]
    finally:
        csv.field_size_limit(limit)
    if not rows:
        raise DoxaError(f"{path}: no rows; was the file cut off?")
    missing = [name for name in needed if name not in rows[0][1]]
    if missing:
        raise DoxaError(
            f"{path}: no column {missing[0]!r} among {', '.join(map(repr, rows[0][1]))}; rename the one meant"
        )
    for where, row in rows:
        if None in row or None in row.values():
            raise DoxaError(
                f"{where}: more or fewer cells than the header has columns; put texts with commas in quotes"
            )
    return rows
