"""Recorded answers: a model that says again what a file, or a list, holds, and never makes one serve two questions."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from doxa.models.base import Context, Model, digest
from doxa.models.recorded_files import read_rows
from doxa.records import DoxaError, Item, Prompt, Reply, Sampling

COLUMNS = ("item", "text", "condition", "sample", "prompt")
NEEDED = ("item", "text")

# Names under which published files keep these columns: only ever proposed in an error, never assumed.
USUAL = {
    "item": ("question_id", "item_id", "id", "qid", "idx", "key"),
    "text": ("raw_output", "response", "output", "reply", "completion", "answer", "generation", "llm_answer"),
}

Key = tuple[str, str | None, int]
Replies = str | Path | Sequence[str | Sequence[str]] | Mapping[Any, str | Sequence[str]]


class MissingReply(DoxaError):
    """Nothing was recorded for what is asked; concerns this item only."""


@dataclass(frozen=True)
class _Entry:
    """One recorded reply: its text (None: the record holds none), where it stands, the prompt it answered if known."""

    text: str | None
    where: str
    prompt: str | None = None


class Recorded(Model):
    """A model that answers from recorded text, found by item id, condition and sample.

    replies   a file (JSONL, JSON list, CSV, TSV, Parquet; .gz of the text ones) with the columns item and text, and
              optionally condition, sample (index from 0) and prompt; or, from Python,
              a sequence: one reply, or a list of samples, per item, in the order of `items`, or of first asking;
              a mapping: item id, or (id, condition), to a reply or a list of samples
    columns   our column names to the file's, e.g. {"item": "question_id", "text": "raw_output"}
    encoding  of a text file
    items     the items that a sequence of replies belongs to

    A reply recorded with its prompt answers that prompt alone (the whole prompt, or its last message). One recorded
    without a condition or a prompt serves the first condition and prompt that ask for it; a second one is refused
    for that item, since the same words cannot be the answer to both. `close` forgets who asked first.

    raises    DoxaError: no such file, unreadable, empty, a missing column, a bad line (file:line), a duplicate;
              MissingReply from `generate`: nothing recorded for the item, condition, sample or prompt
    """

    capabilities = frozenset({"generate"})
    stored = False

    def __init__(
        self,
        replies: Replies,
        *,
        columns: Mapping[str, str] | None = None,
        encoding: str = "utf-8",
        items: Sequence[Item] | None = None,
        address: str | None = None,
    ) -> None:
        self._entries: dict[Key, list[_Entry]] = {}
        self._conditions: dict[str, set[str | None]] = {}
        self._waiting: deque[list[_Entry]] = deque()  # a sequence's, given out to items as they are first asked
        self._served: dict[tuple[Key, int], tuple[str, Prompt, int]] = {}
        if isinstance(replies, (str, Path)):
            _check_columns(columns)
            self.source = str(replies)
            self._add_rows(Path(replies).expanduser(), columns or {}, encoding)
        elif columns or encoding != "utf-8":
            raise DoxaError("columns and encoding describe a file; these replies come from Python: leave them out")
        else:
            self.source = "replies given in Python"
            self._add_python(replies, items)
        self.address = address or f"recorded:{self.source}"
        if not self._entries and not self._waiting:
            raise DoxaError(f"{self.source} holds no recorded replies")
        known = [[list(k), [[e.text, e.prompt] for e in v]] for k, v in self._entries.items()]
        self._digest = digest([known, [[e.text for e in samples] for samples in self._waiting]])

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"address": self.address, "replies": self._digest}

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        """The recorded replies to samples 0 to n - 1 of the item under the condition."""
        if context is None or context.item is None:
            raise MissingReply("recorded replies are found by item; this call names none (Context.item)")
        item, condition = context.item.id, context.condition
        if self._waiting and item not in self._conditions:
            self._put(item, None, self._waiting.popleft())
        return [self._reply(item, condition, sample, prompt, sampling) for sample in range(sampling.n)]

    async def close(self) -> None:
        """Forget which condition and prompt each reply served; the replies stay."""
        self._served.clear()

    # --- finding a reply

    def _reply(self, item: str, condition: str, sample: int, prompt: Prompt, sampling: Sampling) -> Reply:
        key, entries = self._find(item, condition, sample)
        at = _match(entries, prompt)
        if at is None:
            raise MissingReply(
                f"item {item!r}, condition {condition!r}: the prompt asked is not the one recorded in "
                f"{entries[0].where}. Asked: {_short(prompt.show())}. Recorded: {_short(entries[0].prompt or '')}. "
                "Leave the prompt column out to accept the reply for any wording"
            )
        entry = entries[at]
        if entry.text is None:
            raise MissingReply(f"item {item!r}: {entry.where} holds no reply (its text is null)")
        self._serve((key, at), entry, (condition, prompt, sampling.seed if sampling.temperature else 0), item)
        return Reply(entry.text)

    def _find(self, item: str, condition: str, sample: int) -> tuple[Key, list[_Entry]]:
        if item not in self._conditions:
            raise MissingReply(f"no reply is recorded for item {item!r} in {self.source} ({self._known()})")
        for recorded in (condition, None):
            key = (item, recorded, sample)
            if key in self._entries:
                return key, self._entries[key]
        under = self._conditions[item]
        if condition not in under and None not in under:
            names = ", ".join(sorted(repr(c) for c in under))
            raise MissingReply(f"item {item!r} is recorded under {names}, not under {condition!r} in {self.source}")
        recorded = condition if condition in under else None
        have = next(k for k in count() if (item, recorded, k) not in self._entries)
        raise MissingReply(
            f"item {item!r}, condition {condition!r}: sample {sample} is asked for, {have} recorded in {self.source}. "
            "Ask for fewer samples, or number the recorded ones in a column 'sample' from 0"
        )

    def _serve(self, slot: tuple[Key, int], entry: _Entry, asked: tuple[str, Prompt, int], item: str) -> None:
        if entry.prompt is not None:
            return
        first = self._served.setdefault(slot, asked)
        if first != asked:
            what = next(w for w, a, b in zip(("condition", "prompt", "seed"), first, asked, strict=True) if a != b)
            shown = {"condition": repr(first[0]), "prompt": _short(first[1].show()), "seed": str(first[2])}[what]
            raise MissingReply(
                f"item {item!r}: its recorded reply ({entry.where}) already answered another {what} ({shown}); "
                "one reply cannot answer both. Record a column 'condition', 'sample' or 'prompt' that tells them apart"
            )

    def _known(self) -> str:
        ids = list(self._conditions)
        shown = ", ".join(repr(i) for i in ids[:3])
        return f"{len(ids)} items recorded: {shown}{', ...' if len(ids) > 3 else ''}" if ids else "all were given out"

    # --- taking replies in

    def _put(self, item: str, condition: str | None, samples: Sequence[_Entry]) -> None:
        for sample, entry in enumerate(samples):
            self._entries[item, condition, sample] = [entry]
        self._conditions.setdefault(item, set()).add(condition)

    def _add_python(self, replies: Any, items: Sequence[Item] | None) -> None:
        if isinstance(replies, Mapping):
            for key, value in replies.items():
                item, condition = key if isinstance(key, tuple) else (key, None)
                self._put(str(item), condition, _samples(value, f"replies[{key!r}]"))
            return
        waiting = [_samples(value, f"replies[{i}]") for i, value in enumerate(replies)]
        if items is None:
            self._waiting = deque(waiting)
            return
        if len(items) != len(waiting):
            raise DoxaError(f"{len(waiting)} replies for {len(items)} items; give one reply, or list of samples, each")
        for item, samples in zip(items, waiting, strict=True):
            self._put(item.id, None, samples)

    def _add_rows(self, path: Path, columns: Mapping[str, str], encoding: str) -> None:
        names: dict[str, str] | None = None
        for where, row in read_rows(path, encoding=encoding):
            names = names or _names(path, row, columns)
            _require(where, row, names)
            item = _text(row[names["item"]], where, names["item"])
            if not item:
                raise DoxaError(f"{where}: column {names['item']!r} is empty; every reply names its item")
            # A CSV cannot tell an empty cell from a missing one; neither is a condition or a prompt.
            condition = _text(row.get(names["condition"]), where, names["condition"]) or None
            sample = _index(row.get(names["sample"]), where, names["sample"])
            prompt = _text(row.get(names["prompt"]), where, names["prompt"]) or None
            entry = _Entry(_text(row[names["text"]], where, names["text"]), where, prompt)
            known = self._entries.setdefault((item, condition, sample), [])
            _refuse_duplicate(known, entry, item, condition, sample)
            known.append(entry)
            self._conditions.setdefault(item, set()).add(condition)


def _samples(value: Any, where: str) -> list[_Entry]:
    texts = [value] if isinstance(value, str) else list(value)
    for text in texts:
        if not isinstance(text, str):
            raise DoxaError(f"{where} holds {type(text).__name__} {text!r}; a recorded reply is text")
    return [_Entry(text, where) for text in texts]


def _match(entries: Sequence[_Entry], prompt: Prompt) -> int | None:
    """Index of the entry that answers this prompt; an entry without a prompt answers any."""
    if entries[0].prompt is None:
        return 0
    asked = {_squeeze(prompt.show()), *(_squeeze(m.content) for m in prompt.messages[-1:])}
    for at, entry in enumerate(entries):
        if entry.prompt is None or _squeeze(entry.prompt) in asked:
            return at
    return None


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _short(text: str) -> str:
    text = _squeeze(text)
    return repr(text if len(text) <= 80 else f"{text[:50]} ... {text[-25:]}")


# --- columns and cells -----------------------------------------------------------------------------------------------


def _check_columns(columns: Mapping[str, str] | None) -> None:
    for name in columns or {}:
        if name not in COLUMNS:
            raise DoxaError(
                f"columns maps {name!r}; it maps our names ({', '.join(COLUMNS)}) to the file's, "
                'e.g. {"item": "question_id", "text": "raw_output"}'
            )


def _names(path: Path, row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    """Our column names to the file's; DoxaError names what is missing, what is there, and a likely mapping."""
    names = {name: columns.get(name, name) for name in COLUMNS}
    missing = [names[name] for name in COLUMNS if names[name] not in row and (name in NEEDED or name in columns)]
    if not missing:
        return names
    likely = {n: next((u for u in USUAL[n] if u in row), f"<the {n} column>") for n in NEEDED if names[n] not in row}
    example = json.dumps({**columns, **likely})
    flag = ",".join(f"{name}={column}" for name, column in {**columns, **likely}.items())
    raise DoxaError(
        f"{path} has no column {' and no column '.join(map(repr, missing))}; it has {', '.join(map(repr, row))}. "
        f"Say which is which: columns={example}, or --columns {flag}"
    )


def _require(where: str, row: Mapping[str, Any], names: Mapping[str, str]) -> None:
    for name in NEEDED:
        if names[name] not in row:
            raise DoxaError(f"{where}: no {names[name]!r} in this row, unlike the first; it has {', '.join(row)}")


def _text(value: Any, where: str, column: str) -> str | None:
    """A cell as text, numbers as they are written; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return str(value)
    raise DoxaError(f"{where}: column {column!r} holds {type(value).__name__} {_short(repr(value))}; text is expected")


def _index(value: Any, where: str, column: str) -> int:
    if value is None or value == "":
        return 0
    try:
        index = int(value)
    except (TypeError, ValueError):
        index = -1
    if index < 0 or float(value) != index:
        raise DoxaError(f"{where}: column {column!r} is {value!r}; samples are numbered 0, 1, 2, ...")
    return index


def _refuse_duplicate(known: Sequence[_Entry], entry: _Entry, item: str, condition: str | None, sample: int) -> None:
    for other in known:
        if other.prompt == entry.prompt:
            under = f", condition {condition!r}" if condition is not None else ""
            raise DoxaError(
                f"item {item!r}{under}, sample {sample} is recorded twice: {other.where} and {entry.where}. "
                "Several samples of one item need a column 'sample' (0, 1, ...); several items need ids of their own"
            )
