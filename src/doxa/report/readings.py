"""Readings packed for the page: blocks of compressed JSON that the browser opens when somebody looks.

A block holds the strings of its records once (long prompts repeat) and the records, which point at them.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.records import Item, Prompt, Reply, Sampling

if TYPE_CHECKING:
    from doxa.runs import Part, Record

_BLOCK = 1_500_000  # characters of JSON in a block: opened in some ten milliseconds
_OWN = ("item", "condition", "sample", "outcome", "text", "group")  # fields of every row, shown in their own places
_ITEM_FACTS = ("kind", "accepted", "group", "popularity", "tags")


@dataclass(frozen=True)
class Embedded:
    """Readings in the page. `shown` and `total` count the readings of each part."""

    blocks: tuple[str, ...]
    shown: tuple[int, ...]
    total: tuple[int, ...]

    @property
    def left_out(self) -> int:
        return sum(self.total) - sum(self.shown)


def embed(parts: Sequence[Part], *, max_readings: int, max_bytes: int) -> Embedded:
    """Readings of every part with their whole prompts and replies, as many as the limits allow.

    Where there are more, items are drawn by a hash of their id: the same ones for every study and model, each with
    all its conditions and samples. Parts share the limits evenly; what one does not need goes to the others.

    max_readings  over all parts; max_bytes: of the compressed text in the page
    """
    totals = [part.counts.get("readings", 0) + part.counts.get("failed", 0) for part in parts]
    quotas = _fair(totals, max_readings)
    left = max_bytes
    blocks: list[str] = []
    shown = []
    for index, (part, quota) in enumerate(zip(parts, quotas, strict=True)):
        share = left // (len(parts) - index)
        packed, n, seen = _pack(index, part, quota / totals[index] if totals[index] else 1.0, share)
        blocks += packed
        left -= sum(map(len, packed))
        shown.append(n)
        totals[index] = max(totals[index], seen)  # an item may have failed after several rows
    return Embedded(tuple(blocks), tuple(shown), tuple(totals))


def _fair(wanted: Sequence[int], budget: int) -> list[int]:
    """`budget` divided evenly, none getting more than it wants."""
    given = [0] * len(wanted)
    for rank, index in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        given[index] = min(wanted[index], (budget - sum(given)) // (len(wanted) - rank))
    return given


def _pack(index: int, part: Part, share: float, max_bytes: int) -> tuple[list[str], int, int]:
    """Blocks of one part, the readings in them, and the readings met on the way."""
    blocks: list[str] = []
    shown = seen = spent = 0
    block = _Block(index)
    for record in part.records():
        n = max(1, len(record.rows))
        seen += n
        if not _drawn(record.item.id, share):
            continue
        block.add(record)
        if block.size < _BLOCK:
            continue
        packed = block.packed()
        if spent + len(packed) > max_bytes:
            return blocks, shown, seen
        blocks.append(packed)
        spent += len(packed)
        shown += block.readings
        block = _Block(index)
    packed = block.packed()
    if block.readings and spent + len(packed) <= max_bytes:
        blocks.append(packed)
        shown += block.readings
    return blocks, shown, seen


def _drawn(item: str, share: float) -> bool:
    return share >= 1 or zlib.crc32(item.encode("utf-8", "replace")) < share * 2**32


class _Block:
    def __init__(self, part: int) -> None:
        self.part = part
        self.readings = 0
        self.size = 0
        self._strings: dict[str, int] = {}
        self._records: list[str] = []

    def add(self, record: Record) -> None:
        text = _json(self._record(record))
        self._records.append(text)
        self.size += len(text)
        self.readings += max(1, len(record.rows))

    def packed(self) -> str:
        text = f'{{"part":{self.part},"strings":{_json(list(self._strings))},"records":[{",".join(self._records)}]}}'
        # mtime 0: the same readings give the same page
        return base64.b64encode(gzip.compress(text.encode("ascii"), 6, mtime=0)).decode("ascii")

    def _ref(self, text: str | None) -> int | None:
        if text is None:
            return None
        if text not in self._strings:
            self._strings[text] = len(self._strings)
            self.size += len(text)
        return self._strings[text]

    def _record(self, record: Record) -> dict[str, Any]:
        reads = record.row_calls or ()
        return {
            "item": self._item(record.item),
            "failed": record.status == "failed",
            "error": self._ref(record.error or None),
            "rows": [self._row(row, reads[k] if k < len(reads) else ()) for k, row in enumerate(record.rows)],
            "calls": [self._call(call) for call in record.calls],
        }

    def _item(self, item: Item) -> dict[str, Any]:
        return {
            "id": item.id,
            "text": self._ref(item.text),
            "options": list(item.options),
            "answer": item.answer,
            "facts": _facts({f: getattr(item, f) for f in _ITEM_FACTS}) + _facts(item.fields),
        }

    def _row(self, row: Mapping[str, Any], calls: Sequence[int]) -> dict[str, Any]:
        return {
            "condition": row.get("condition", ""),
            "sample": row.get("sample", 0),
            "outcome": row.get("outcome", "ok"),
            "text": self._ref(row.get("text") or ""),
            "fields": [[name, _plain(value)] for name, value in row.items() if name not in _OWN],
            "calls": list(calls),
        }

    def _call(self, call: Any) -> dict[str, Any]:
        return {
            "kind": call.kind,
            "beside": call.beside,
            "condition": call.condition,
            "prompt": self._prompt(call.prompt),
            "sampling": _sampling(call.sampling),
            "replies": [self._reply(r) for r in call.replies],
            "scores": [[self._ref(s.continuation), _plain(s.logprob)] for s in call.scores],
        }

    def _prompt(self, prompt: Prompt) -> list[list[Any]]:
        if prompt.text is not None:
            return [["", self._ref(prompt.text)]]
        return [[m.role, self._ref(m.content)] for m in prompt.messages]

    def _reply(self, reply: Reply) -> dict[str, Any]:
        tokens = [[t.text, _plain(t.logprob), [list(pair) for pair in t.top]] for t in reply.tokens or ()]
        return {
            "text": self._ref(reply.text),
            "finish": reply.finish,
            "facts": _facts({"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens}),
            "reasoning": self._ref(reply.reasoning),
            "error": self._ref(reply.error),
            "tokens": tokens,
        }


def _facts(facts: Mapping[str, Any]) -> list[list[Any]]:
    """Name and JSON value of each fact that says something."""
    plain = [[str(name), _plain(value)] for name, value in facts.items()]
    return [fact for fact in plain if fact[1] not in (None, [], "")]


def _sampling(sampling: Sampling | None) -> list[list[Any]]:
    return [] if sampling is None else _facts(asdict(sampling))


def _plain(value: Any) -> Any:
    """A JSON value; undefined numbers are null, what JSON has no place for is its text."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else str(value)


def _json(value: Any) -> str:
    # ASCII, because a reply may hold half a surrogate pair, which UTF-8 cannot carry
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def script_json(value: Any) -> str:
    """JSON that no text inside can lead out of a <script> element; undefined numbers are null."""
    return _json(_plain(value)).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
