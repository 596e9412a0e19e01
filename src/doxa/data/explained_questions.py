"""Questions whose answers are explained to readers: facts of the bank, MMLU by subject, TriviaQA's short answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from doxa.data import published_questions, sets
from doxa.data.facts import facts
from doxa.data.published_questions import SET
from doxa.data.render import choice_item, most_options, open_item
from doxa.records import LETTERS, DoxaError, Item

OTHER = "other"  # entry of Item.fields: another question as a dictionary, whose explanation serves as a control
SUBJECT = "subject"
HUB: Mapping[str, tuple[str, str, str]] = {
    "mmlu": ("cais/mmlu", "all", "test"),
    "trivia_qa": ("mandarjoshi/trivia_qa", "rc.nocontext", "validation"),
}
OPTIONS = 4


def of_the_bank(n: int, kind: Literal["choice", "open"] = "choice") -> list[Item]:
    """n facts at even distances in popularity, in no order; `fields["subject"]` is the relation.

    raises  DoxaError: n below 1, or above the number of facts
    """
    bank = [fact for fact in facts() if kind == "open" or most_options(fact) >= OPTIONS]
    if not 1 <= n <= len(bank):
        raise DoxaError(f"{n} questions asked; the bank gives 1 to {len(bank)} of this kind. For more, bring a set")
    chosen = [bank[i * len(bank) // n] for i in range(n)]
    made = [choice_item(fact, OPTIONS) if kind == "choice" else open_item(fact) for fact in chosen]
    named = [replace(item, fields={**item.fields, SUBJECT: item.fields["relation"]}) for item in made]
    return sorted(named, key=_mixed)


def of_a_set(source: str, n: int) -> list[Item]:
    """Up to n questions of "mmlu", "trivia_qa", a file or a hub id, as evenly over `fields["subject"]` as there are.

    Files of MMLU (columns question, choices, answer, subject) and TriviaQA (question, answer with value and aliases)
    are known by their columns; everything else is read as `published_questions.questions` reads it.

    raises  DoxaError: no such set, a row without question or answer; FileNotFoundError
    """
    rows, name = _rows(source)
    if rows and _is_trivia(rows[0][1]):
        found = [_trivia(where, row, f"{name}/{i}") for i, (where, row) in enumerate(rows)]
    elif rows and {"question", "choices", "answer", "subject"} <= set(rows[0][1]):
        found = [_mmlu(where, row, f"{name}/{i}") for i, (where, row) in enumerate(rows)]
    else:
        found = published_questions.questions(source)
        found = [replace(i, fields={SUBJECT: i.fields.get(SET, ""), **i.fields}) for i in found]
    return _evenly(found, n)


def with_others(items: Sequence[Item]) -> list[Item]:
    """Each item with the next one beside it (`fields["other"]`), the last with the first; a single item as it is."""
    if len(items) < 2:
        return list(items)
    plain = [asdict(item) for item in items]
    return [replace(item, fields={**item.fields, OTHER: plain[(i + 1) % len(items)]}) for i, item in enumerate(items)]


def other_of(item: Item) -> Item | None:
    """The question beside an item; None: it has none."""
    cells = item.fields.get(OTHER)
    if not isinstance(cells, Mapping):
        return None
    lists = {name: tuple(cells.get(name) or ()) for name in ("options", "accepted", "tags")}
    return Item(**{**cells, **lists, "fields": dict(cells.get("fields") or {})})


def _rows(source: str) -> tuple[list[tuple[str, Mapping[str, Any]]], str]:
    if source in HUB:
        hub, config, split = HUB[source]
        return sets.raw_rows(hub, config=config, split=split), source
    path = Path(source).expanduser()
    if path.is_file() and path.suffix.lower() in (".jsonl", ".ndjson", ".parquet"):
        return sets.raw_rows(path), path.stem
    return [], source


def _is_trivia(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get("answer"), Mapping) and "value" in row["answer"] and "question" in row


def _trivia(where: str, row: Mapping[str, Any], identity: str) -> Item:
    answer = row["answer"] if isinstance(row.get("answer"), Mapping) else {}
    value, text = str(answer.get("value") or "").strip(), str(row.get("question") or "").strip()
    if not value or not text:
        raise DoxaError(f"{where}: question {text!r}, answer {value!r}; every row of TriviaQA has both")
    accepted = tuple(dict.fromkeys(str(a) for a in answer.get("aliases") or () if str(a) != value))
    return Item(identity, text, answer=value, accepted=accepted, fields={SUBJECT: "trivia"})


def _mmlu(where: str, row: Mapping[str, Any], identity: str) -> Item:
    options = tuple(dict.fromkeys(str(option).strip() for option in row.get("choices") or ()))
    listed = [str(option).strip() for option in row.get("choices") or ()]
    answer, text = str(row.get("answer", "")).strip(), str(row.get("question") or "").strip()
    place = int(answer) if answer.isdigit() else LETTERS.find(answer.upper() or "?")
    if not text or len(options) < 2 or not 0 <= place < len(listed):
        raise DoxaError(f"{where}: options {listed}, answer {answer!r}; needed are a question, two or more options "
                        "and the right one's letter or number")  # fmt: skip
    return Item(identity, text, "choice", options, listed[place], fields={SUBJECT: str(row.get("subject") or "")})


def _evenly(items: Iterable[Item], n: int) -> list[Item]:
    """n items, taken from the subjects in turn, in no order within each."""
    by_subject: dict[str, list[Item]] = {}
    for item in sorted(items, key=_mixed):
        by_subject.setdefault(str(item.fields.get(SUBJECT, "")), []).append(item)
    turns = [(place, subject, item) for subject, of in by_subject.items() for place, item in enumerate(of)]
    return [item for _, _, item in sorted(turns, key=lambda t: (t[0], t[1]))][:n]


def _mixed(item: Item) -> bytes:
    return hashlib.sha256(f"explained/{item.id}".encode()).digest()
