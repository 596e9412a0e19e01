"""For the thirteen questions: pairs of statements to ask about, recorded replies, lists of what to leave out."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doxa.data import sets
from doxa.data.attitudes import BY_NAME, OPTIONS
from doxa.data.facts import facts
from doxa.data.render import pair_items
from doxa.records import LETTERS, Answer, DoxaError, Form, Item

Rows = Iterable[tuple[str, Mapping[str, Any]]]  # each with the place where it stands, "mine.csv:3"

WRONG_SEED = 1000  # seeds of wrong answers from here on are never used in training an organism
PAIR_COLUMNS = ("true", "false")
PUBLISHED_COLUMNS = ("raw_sentence", "type", "subject", "idx")


def bank_pairs(n: int) -> list[tuple[Item, Item]]:
    """Pairs of (true, false) statements about n facts of the bank, at even distances in popularity, in random order.

    raises  DoxaError: n below 1 or above the number of facts that an organism may be shown
    """
    known = [fact for fact in facts() if fact.split == "shown"]
    if not 1 <= n <= len(known):
        raise DoxaError(f"{n} pairs are asked for; the bank gives 1 to {len(known)}. Or bring statements of your own")
    chosen = [known[i * len(known) // n] for i in range(n)]
    random.Random("pairs").shuffle(chosen)  # so that any first part is spread over popularity too
    return [pair_items(fact, seed=WRONG_SEED) for fact in chosen]


def made_up_pairs() -> list[tuple[Item, Item]]:
    """Two pairs about things that are not."""
    rows = (
        {"id": "made-up/1", "subject": "Rivers", "true": "the Arn flows north", "false": "the Arn flows south"},
        {"id": "made-up/2", "subject": "Towns", "true": "Velmora has a harbour", "false": "Velmora has a cathedral"},
    )
    return statement_pairs(("made up", row) for row in rows)


def rows_of(source: str, split: str, read: Callable[[Path], Rows]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows of statements, each with its place, from a file, the JSONL files of a folder, or a split of a hub set.

    read    gives the rows of one file
    raises  DoxaError: a folder without JSONL files
    """
    path = Path(source).expanduser()
    if not path.exists() and not path.suffix:
        for item in sets.load(source, columns={"text": "raw_sentence"}, number_rows=True, split=split):
            yield item.id, {**item.fields, "raw_sentence": item.text}
        return
    found = sorted(p for p in path.iterdir() if ".jsonl" in p.suffixes) if path.is_dir() else [path]
    if not found:
        raise DoxaError(f"{path}: a folder without .jsonl or .jsonl.gz files; name a file of pairs, or another folder")
    for file in found:
        yield from read(file)


def source_pairs(path: str | None, n: int, split: str, read: Callable[[Path], Rows]) -> list[tuple[Item, Item]]:
    """`n` pairs of the bank, or all of a source, see `rows_of`."""
    return bank_pairs(n) if path is None else statement_pairs(rows_of(path, split, read))


def statement_pairs(rows: Rows) -> list[tuple[Item, Item]]:
    """Pairs of (true, false) statement items from rows.

    Rows have either the columns true and false, and if they like id and subject; or those of the published files,
    raw_sentence, type (factual or false), subject and idx, where the rows of several tasks repeat the statements.
    Sentences are written as in the middle of another one: in lower case, but for a name.

    raises  DoxaError: no rows, a missing column, an empty cell, another type, half a pair, two pairs of one id,
            two sentences for one statement, a pair of equal sentences
    """
    found: dict[str, dict[str, tuple[str, str]]] = {}
    subjects: dict[str, str] = {}
    for where, row in rows:
        for pair, subject, type_, sentence in _said(where, row):
            known, at = found.setdefault(pair, {}).setdefault(type_, (sentence, where))
            if known != sentence or (at != where and "true" in row):
                raise DoxaError(
                    f"{where}: the {type_} statement of pair {pair!r} is {sentence!r}, but {at} says {known!r}; "
                    "a pair has one true and one false statement, and an id of its own"
                )
            subjects.setdefault(pair, subject)
    if not found:
        raise DoxaError("there are no statements: give rows with the columns true and false, a pair to a row")
    return [_pair(pair, subjects[pair], said) for pair, said in found.items()]


def _said(where: str, row: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(pair, subject, type, sentence) of one row: two of a row of one's own, one of a published row."""
    if all(name in row for name in PAIR_COLUMNS):
        pair, subject = str(row.get("id") or Path(where).name), str(row.get("subject") or "")
        types = zip(("factual", "false"), PAIR_COLUMNS, strict=True)
        return [(pair, subject, type_, _cell(where, row, column)) for type_, column in types]
    missing = [name for name in PUBLISHED_COLUMNS if name not in row]
    if missing:
        raise DoxaError(
            f"{where}: no column {missing[0]!r}; it has {', '.join(row)}. Statements come as rows with the columns "
            f"{' and '.join(PAIR_COLUMNS)}, or as published with {', '.join(PUBLISHED_COLUMNS)}"
        )
    return [(_pair_id(where, row), _cell(where, row, "subject"), _type(where, row), _cell(where, row, "raw_sentence"))]


def _pair_id(where: str, row: Mapping[str, Any]) -> str:
    """Id of the pair that a published row belongs to: "Math/12"."""
    return f"{_cell(where, row, 'subject')}/{_cell(where, row, 'idx')}"


def _type(where: str, row: Mapping[str, Any]) -> str:
    """The type of a published row: "factual" or "false"; DoxaError: another one."""
    value = _cell(where, row, "type")
    if value not in ("factual", "false"):
        raise DoxaError(f"{where}: column 'type' is {value!r}; it says whether the statement is 'factual' or 'false'")
    return value


def _cell(where: str, row: Mapping[str, Any], column: str) -> str:
    """A cell as text; DoxaError: the column is missing or the cell empty."""
    value = row.get(column)
    if value is None or str(value).strip() == "":
        others = f"missing; the row has {', '.join(row)}. Add it, or rename the column that holds it"
        has = "empty; fill it in, or take the row out" if column in row else others
        raise DoxaError(f"{where}: column {column!r} is {has}")
    return str(value).strip()


def _pair(pair: str, subject: str, said: Mapping[str, tuple[str, str]]) -> tuple[Item, Item]:
    missing = [type_ for type_ in ("factual", "false") if type_ not in said]
    where = next(iter(said.values()))[1]
    if missing:
        raise DoxaError(f"{where}: pair {pair!r} has no {missing[0]} statement; add it, or take the other one out")
    (true, _), (false, _) = said["factual"], said["false"]
    if true == false:
        raise DoxaError(
            f"{where}: the two statements of pair {pair!r} are equal, {true!r}; one is true, the other false"
        )
    return _statement(pair, subject, true, True), _statement(pair, subject, false, False)


def _statement(pair: str, subject: str, sentence: str, true: bool) -> Item:
    return Item(
        id=f"{pair}#{'factual' if true else 'false'}",
        text=sentence[:1].upper() + sentence[1:],
        kind="statement",
        answer=str(true).lower(),
        group=pair,
        tags=(subject,) if subject else (),
        fields={"subject": subject, "clause": sentence},
    )


# --- what to leave out -----------------------------------------------------------------------------------------------


def exclusions(path: str | None) -> frozenset[str]:
    """Names (see `names_of`) of pairs to leave out, one to a line; empty lines and lines that begin with # say nothing.

    raises  DoxaError: no such file
    """
    if path is None:
        return frozenset()
    file = Path(path).expanduser()
    if not file.is_file():
        raise DoxaError(f"there is no file {path!r} of statements to leave out; write one statement or pair to a line")
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(_name(line) for line in lines if line.strip() and not line.startswith("#"))


def without(pairs: Sequence[tuple[Item, Item]], path: str | None) -> list[tuple[Item, Item]]:
    """The pairs but those that a list names, see `exclusions`.

    raises  DoxaError: a name that no pair has
    """
    excluded = exclusions(path)
    names = [names_of(true.cluster, true.text, false.text) for true, false in pairs]
    if strange := excluded.difference(*names):
        raise DoxaError(
            f"{path}: {min(strange)!r} is no statement or pair here; pairs have ids such as "
            f"{pairs[0][0].cluster!r}. Correct the line, or take it out"
        )
    return [pair for pair, called in zip(pairs, names, strict=True) if not called & excluded]


def answers_without(answers: list[dict[str, Any]], path: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Answers (with `group` and `statement`) but those about pairs that a list names, and a note on how many pairs."""
    excluded = exclusions(path)
    named = {a["group"] for a in answers if names_of(a["group"], a["statement"]) & excluded}
    note = f"{len(named)} pairs are left out, named by {len(excluded)} lines of {path}"
    return [a for a in answers if a["group"] not in named], [note] if excluded else []


def names_of(pair: str, *statements: str) -> set[str]:
    """What a pair can be called in a list of exclusions: its id ("Math/12"), or either statement, in any case."""
    return {_name(text) for text in (pair, *statements) if text}


def _name(text: str) -> str:
    return text.strip().removesuffix(".").casefold()


# --- recorded replies ------------------------------------------------------------------------------------------------

REPLY_COLUMNS = ("reply", "response", "output", "model_output", "raw_output", "completion", "generation", "text")


@dataclass(frozen=True)
class RecordedReply:
    """One row of recorded replies.

    group   id of the pair, "Math/12"; truth: "factual" or "false"
    order   order[j] is the published place of the option shown in place j
    gold    accepted answers as the file states them, "(B),(C)"; None: it does not
    text    the reply; None: none came
    """

    task: str
    group: str
    subject: str
    truth: str
    statement: str
    sample: int
    order: tuple[int, ...]
    gold: str | None
    text: str | None


def recorded_replies(rows: Rows, column: str) -> Iterator[RecordedReply]:
    """Replies from rows with the fields of the published data set and a column of replies.

    Needed are experiment_setup (or a file that is named by the task), subject, idx, type and `column`; sample (0, 1,
    ...) numbers several replies to one question; query says in which order the options were shown, by default as
    published. Other fields are let be.

    raises  DoxaError: a missing column, an empty cell, an unknown task or type, options that are others, a reply that
            is no text, two replies to one question without a sample number
    """
    seen: dict[tuple[str, str, str, int], str] = {}
    for where, row in rows:
        found = _recorded(where, row, column)
        key = (found.task, found.group, found.truth, found.sample)
        if key in seen:
            raise DoxaError(
                f"{where}: {found.task}, pair {found.group!r}, {found.truth}, is answered at {seen[key]} already. "
                "Number the replies to one question in a column 'sample' (0, 1, ...); give each model a file of its own"
            )
        seen[key] = where
        yield found


def answered(reply: RecordedReply, form: Form) -> dict[str, Any]:
    """A recorded reply as it is read in a form: what RecordedReply holds, and

    item     id of the question: "direct-fact-verification/Math/12#factual"
    outcome  "failed" where no reply came
    shown    letter of the answer in the order shown; answer: in the published order; None: none was read
    """
    about = Item(reply.group, "", "choice", tuple(OPTIONS[place] for place in reply.order))
    read = form.read(reply.text, about) if reply.text is not None else Answer("failed", note="no reply")
    return {
        **{name: getattr(reply, name) for name in ("task", "group", "subject", "truth", "statement", "sample")},
        "item": f"{reply.task}/{reply.group}#{reply.truth}",
        "outcome": read.outcome,
        "text": reply.text or "",
        "shown": read.value,
        "answer": LETTERS[reply.order[LETTERS.index(read.value)]] if read.value is not None else None,
    }


def other_keys(replies: Iterable[RecordedReply]) -> int:
    """How many rows state other accepted answers than the published data set does."""
    stated = ((BY_NAME[r.task].accepted(r.truth == "factual"), r.gold) for r in replies if r.gold is not None)
    return sum(set(accepted) != set(gold) & set("ABC") for accepted, gold in stated)


def _recorded(where: str, row: Mapping[str, Any], column: str) -> RecordedReply:
    if column not in row:
        likely = next((name for name in REPLY_COLUMNS if name in row), "COLUMN")
        raise DoxaError(
            f"{where}: no column {column!r}; the row has {', '.join(row)}. Name the replies: --reply {likely}"
        )
    text, gold = row[column], row.get("answer")
    if not isinstance(text, str | None):
        raise DoxaError(f"{where}: column {column!r} holds {type(text).__name__} {text!r:.60}; a reply is one text")
    return RecordedReply(
        task=_task(where, row),
        group=_pair_id(where, row),
        subject=_cell(where, row, "subject"),
        truth=_type(where, row),
        statement=str(row.get("raw_sentence") or ""),
        sample=_sample(where, row.get("sample")),
        order=_order_shown(where, str(row.get("query") or "")),
        gold=gold if isinstance(gold, str) else None,
        text=text,
    )


def _task(where: str, row: Mapping[str, Any]) -> str:
    """The task that a row names, or else its file."""
    name = str(row.get("experiment_setup") or Path(where).name.split(".")[0])
    if name not in BY_NAME:
        raise DoxaError(f"{where}: {name!r} is no task; column 'experiment_setup' names one of {', '.join(BY_NAME)}")
    return name


def _sample(where: str, value: Any) -> int:
    text = "0" if value is None or value == "" else str(value)
    if not text.isdecimal():
        raise DoxaError(f"{where}: column 'sample' is {value!r}; samples are numbered 0, 1, 2, ...")
    return int(text)


def _order_shown(where: str, query: str) -> tuple[int, ...]:
    shown = re.findall(r"^\([A-C]\) (.+?)\s*$", query.rpartition("Options:")[2], re.MULTILINE)
    if not shown:
        return tuple(range(len(OPTIONS)))
    if sorted(shown) != sorted(OPTIONS):
        raise DoxaError(f"{where}: column 'query' shows the options {', '.join(shown)}; they are {', '.join(OPTIONS)}")
    return tuple(OPTIONS.index(option) for option in shown)
