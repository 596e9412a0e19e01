"""Keys and values of text that was read, kept as a tree of tokens within a budget; the least recently used go first."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

# Keys and values of each layer: (heads, tokens, width) of one text, (rows, heads, tokens, width) of a batch.
Layers = list[tuple["torch.Tensor", "torch.Tensor"]]

# Less than this is not worth going on from: it would only split what could be read side by side.
LEAST_TOKENS = 16


class Segment:
    """Tokens that follow those of `parent`, with their keys and values. No two children begin with the same token."""

    def __init__(self, parent: Segment | None, start: int, ids: np.ndarray, layers: Layers) -> None:
        self.parent, self.start, self.ids, self.layers = parent, start, ids, layers
        self.children: dict[int, Segment] = {}
        self.used = 0
        self.pins = 0

    @property
    def end(self) -> int:
        return self.start + len(self.ids)

    @property
    def bytes(self) -> int:
        return sum(tensor.nbytes for pair in self.layers for tensor in pair)


@dataclass(frozen=True)
class Prefix:
    """The first `length` tokens of the text that ends with `segment`, all kept."""

    segment: Segment
    length: int

    def parts(self) -> Iterator[tuple[Segment, int]]:
        """Segments from the last to the first, with how many of their tokens belong to the prefix."""
        segment: Segment | None = self.segment
        while segment is not None and len(segment.ids):
            if segment.start < self.length:
                yield segment, min(segment.end, self.length) - segment.start
            segment = segment.parent


class Prefixes:
    """What is kept: at most `budget` bytes, and what is pinned.

    token_bytes  what a token takes: an estimate until the first ones are kept
    lock         held by whoever looks at the tree or changes it: passes run side by side
    """

    def __init__(self, budget: int, token_bytes: int) -> None:
        self.lock = threading.RLock()
        self.budget, self.token_bytes = budget, max(token_bytes, 1)
        self.bytes = 0
        self._clock = itertools.count(1)
        self._root = Segment(None, 0, np.empty(0, dtype=np.int64), [])

    @property
    def nothing(self) -> Prefix:
        """The prefix of no tokens."""
        return Prefix(self._root, 0)

    def find(self, ids: np.ndarray, most: int, least: int = LEAST_TOKENS) -> Prefix:
        """The longest beginning of `ids` that is kept, of at most `most` tokens; in strides of `least` or more."""
        segment, length, now = self._root, 0, next(self._clock)
        found = self.nothing
        while length < most and (child := segment.children.get(int(ids[length]))) is not None:
            segment, same = child, agreed(child.ids, ids[length:most])
            segment.used = now
            length += same
            if length - found.length >= least:
                found = Prefix(segment, length)
            if length < segment.end:
                break
        return found

    def add(self, base: Prefix, ids: np.ndarray, layers: Layers) -> Prefix:
        """Keep a copy of the keys and values of `ids`, which follow `base`; nothing is kept twice."""
        segment, skipped, now = self._ending_at(base), 0, next(self._clock)
        while skipped < len(ids):
            child = segment.children.get(int(ids[skipped]))
            if child is None:
                child = Segment(segment, base.length + skipped, ids[skipped:], _copied(layers, skipped, len(ids)))
                segment.children[int(ids[skipped])] = child
                self.bytes += child.bytes
                self.token_bytes = max(child.bytes // len(child.ids), 1)
            same = agreed(child.ids, ids[skipped:])
            skipped += same
            segment = _split(child, same) if same < len(child.ids) else child
            segment.used = now
        return Prefix(segment, base.length + len(ids))

    def pin(self, prefix: Prefix) -> None:
        """Hold it whatever the budget, until it is let go as often."""
        prefix.segment.pins += 1

    def let_go(self, prefix: Prefix) -> None:
        prefix.segment.pins -= 1

    def shrink(self, budget: int | None = None) -> None:
        """Drop what was not used for longest, until the rest fits the budget (or the one given)."""
        target = self.budget if budget is None else budget
        if self.bytes <= target:
            return
        number = itertools.count()
        ends = [(s.used, next(number), s) for s in self._segments() if not s.children and not s.pins]
        heapq.heapify(ends)
        while ends and self.bytes > target:
            segment = heapq.heappop(ends)[2]
            parent = segment.parent
            assert parent is not None
            del parent.children[int(segment.ids[0])]
            self.bytes -= segment.bytes
            if parent is not self._root and not parent.children and not parent.pins:
                heapq.heappush(ends, (parent.used, next(number), parent))

    def clear(self) -> None:
        """Drop everything that is not pinned."""
        self.shrink(0)

    def past(self, prefixes: Sequence[Prefix], room: int = 0, since: int = 0) -> Layers:
        """Keys and values of a batch, one row for each prefix, the longest of which has p tokens behind `since`.

        (rows, heads, p + room, width): shorter prefixes have zeros on their left, the last columns are left to fill.
        since  tokens of each prefix that are left out, whole segments
        """
        rows: dict[Prefix, list[int]] = {}
        for row, prefix in enumerate(prefixes):
            rows.setdefault(prefix, []).append(row)
        longest = max(prefix.length for prefix in rows) - since

        def filled(layer: int, which: int) -> torch.Tensor:
            one = stretches[0][3].layers[layer][which]
            whole = one.new_empty(len(prefixes), one.shape[0], longest + room, one.shape[2])
            for at, begin, count, segment in stretches:
                whole[at, :, begin : begin + count] = segment.layers[layer][which][:, :count]
            for prefix, at in rows.items():
                if prefix.length - since < longest:
                    whole[_stretch(at), :, : longest - (prefix.length - since)] = 0
            return whole

        stretches = [
            (_stretch(at), longest - prefix.length + segment.start, count, segment)
            for prefix, at in rows.items()
            for segment, count in prefix.parts()
            if segment.start >= since
        ]
        return [(filled(layer, 0), filled(layer, 1)) for layer in range(len(stretches[0][3].layers))]

    def _ending_at(self, prefix: Prefix) -> Segment:
        """The segment that ends with the prefix, split off if need be."""
        segment = prefix.segment
        while segment.start >= prefix.length and segment.parent is not None:
            segment = segment.parent
        return _split(segment, prefix.length - segment.start) if segment.end > prefix.length else segment

    def _segments(self) -> Iterator[Segment]:
        waiting = list(self._root.children.values())
        while waiting:
            segment = waiting.pop()
            yield segment
            waiting += segment.children.values()


def common(prefixes: Sequence[Prefix]) -> Prefix:
    """What all begin with, in whole segments."""
    first, *others = [list(prefix.parts())[::-1] for prefix in prefixes]
    same = [one for one, *rest in zip(first, *others, strict=False) if all(other == one for other in rest)]
    return Prefix(same[-1][0], sum(count for _, count in same)) if same else Prefix(first[0][0], 0)


def agreed(one: np.ndarray, other: np.ndarray) -> int:
    """Length of the longest common beginning.

    >>> agreed(np.array([1, 2, 3]), np.array([1, 2, 4, 5]))
    2
    """
    length = min(len(one), len(other))
    differs = one[:length] != other[:length]
    first = int(differs.argmax()) if length else 0
    return first if length and differs[first] else length


def _stretch(rows: list[int]) -> slice | list[int]:
    """Ascending rows, as a slice where none is left out: that writes several times as fast."""
    return slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows


def _split(segment: Segment, at: int) -> Segment:
    """Make two of a segment; the first is new, so that what points to the old one still finds the whole."""
    parent = segment.parent
    assert parent is not None
    first = Segment(parent, segment.start, segment.ids[:at], _copied(segment.layers, 0, at))
    first.used = segment.used
    first.children[int(segment.ids[at])] = segment
    parent.children[int(segment.ids[0])] = first
    segment.layers = _copied(segment.layers, at, len(segment.ids))
    segment.parent, segment.start, segment.ids = first, segment.start + at, segment.ids[at:]
    return first


def _copied(layers: Layers, begin: int, end: int) -> Layers:
    """A stretch of tokens in memory of its own: a view would hold on to the whole."""
    return [(keys[:, begin:end].clone(), values[:, begin:end].clone()) for keys, values in layers]
