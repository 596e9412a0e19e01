"""What is to be read, as a tree of tokens: paths that begin alike share nodes, and nodes become rows of a batch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from doxa.models.local_prefixes import LEAST_TOKENS, Prefix, agreed

# How what begins alike is shared. tree: branches side by side in a row, under a mask that hides them from each other;
# chain: each branch a row of its own behind kept keys and values; none: every path read whole.
Sharing = Literal["tree", "chain", "none"]

# A row is packed up to so many tokens: what a mask hides is computed all the same. (On CPU 256 to 512 are alike.)
ROW_TOKENS = 384
# A beginning is read by itself, and kept, if that saves so many tokens: a pass of its own costs time too.
SAVED_TOKENS: dict[Sharing, int] = {"tree": 64, "chain": 256, "none": 0}


class Path:
    """One sequence of tokens to be read, and where something is wanted of it.

    ids        what the network reads
    positions  p places where something is wanted, in any order, repeats allowed
    keep       how many of the first tokens may be met again: the prompt's
    whole      whether somebody goes on from the last of these, so that they are kept however few are new
    layers     blocks whose residual stream is wanted there: an array (layers, p, width)
    targets    tokens whose log-probabilities are wanted there, (p,). With neither of the two: logits, (p, vocabulary)
    """

    whole: bool = False
    layers: tuple[int, ...] = ()
    targets: np.ndarray | None = None

    def __init__(self, ids: Sequence[int] | np.ndarray, positions: Sequence[int] | np.ndarray, keep: int) -> None:
        self.ids = np.asarray(ids, dtype=np.int64)
        self.positions = np.asarray(positions, dtype=np.int64)
        self.keep = keep
        self.first, self.last = int(self.positions.min()), int(self.positions.max())

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for it still."""
        raise NotImplementedError

    def put(self, slots: np.ndarray, found: Any) -> None:
        """Take what was found at `positions[slots]`."""
        raise NotImplementedError

    def fail(self, error: BaseException) -> None:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Take:
    """What a path wants of a stretch of tokens: `positions[slots]` are the tokens `at` of it, counted from 0."""

    path: Path
    slots: np.ndarray
    at: np.ndarray

    def moved(self, by: int) -> Take:
        return Take(self.path, self.slots, self.at + by) if by else self


@dataclass(eq=False)
class Node:
    """Tokens that all `paths` read from position `start` on; then they part, or some end.

    size      tokens of the node and all below it
    is_chain  nothing parts: one path goes on where another ends
    """

    start: int
    ids: np.ndarray
    paths: list[Path]
    takes: list[Take]
    children: list[Node] = field(default_factory=list)
    size: int = 0
    is_chain: bool = True

    def walk(self) -> Iterator[Node]:
        """All nodes, parents first, each branch whole before the next."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)

    def measure(self) -> None:
        """Set `size` and `is_chain`, here and below."""
        for node in reversed(list(self.walk())):
            node.size = len(node.ids) + sum(child.size for child in node.children)
            node.is_chain = len(node.children) <= 1 and all(child.is_chain for child in node.children)

    def spread(self) -> list[Node]:
        """A tree for each child, with the tokens of this node read again in front; its own wants are the first's."""
        by = len(self.ids)
        return [
            Node(
                self.start,
                np.concatenate([self.ids, child.ids]),
                child.paths if i else self.paths,
                [*(() if i else self.takes), *(take.moved(by) for take in child.takes)],
                child.children,
                by + child.size,
                child.is_chain,
            )
            for i, child in enumerate(self.children)
        ]


def grown(paths: Iterable[Path], start: int) -> list[Node]:
    """The trees of paths whose first `start` tokens are the same, one for each next token, in the order of these."""
    ordered = sorted(paths, key=lambda path: path.ids.astype(">u4").tobytes())
    roots: list[Node] = []
    waiting = [(group, start, roots) for group in reversed(_parted(ordered, start))]
    while waiting:
        group, begin, siblings = waiting.pop()
        end = begin + agreed(group[0].ids[begin:], group[-1].ids[begin:])
        takes = [take for path in group if (take := _take(path, begin, end)) is not None]
        node = Node(begin, group[0].ids[begin:end], group, takes)
        siblings.append(node)
        longer = [path for path in group if len(path.ids) > end]
        waiting += [(part, end, node.children) for part in reversed(_parted(longer, end))]
    for root in roots:
        root.measure()
    return roots


def _parted(ordered: Sequence[Path], at: int) -> list[list[Path]]:
    """Runs of paths with the same token at a position; the paths stand in the order of their tokens."""
    runs: list[list[Path]] = []
    for path in ordered:
        if runs and runs[-1][0].ids[at] == path.ids[at]:
            runs[-1].append(path)
        else:
            runs.append([path])
    return runs


def _take(path: Path, begin: int, end: int) -> Take | None:
    if path.first >= end or path.last < begin:
        return None
    slots = np.flatnonzero((path.positions >= begin) & (path.positions < end))
    return Take(path, slots, path.positions[slots] - begin) if len(slots) else None


@dataclass(frozen=True)
class Sizes:
    """What a row costs beside its tokens, in tokens (of about eight widths of activations each).

    logits: of one position. past: of one token that it is read behind. (States of one layer and position: an eighth.)
    """

    logits: float
    past: float


class Row:
    """One row of a batch: trees that are read behind the kept tokens of `base`. A unit of `Batches`.

    ids     tokens, each branch whole before the next
    places  position of each token in its text
    exits   for each token where in the row the last that follows it in a text is over; None: all is one chain
    nodes   (node, where it begins, index of its parent here or -1)
    keeps   (index of a node, how many of its tokens) whose keys and values are to be kept, parents first
    after   trees that go on from the row, a chain, once its keys and values are kept; `prefix` is where they are then
    """

    def __init__(self, base: Prefix, trees: Sequence[Node], sizes: Sizes, after: Sequence[Node] = ()) -> None:
        self.base, self.after = base, after
        self.prefix: Prefix | None = None
        self.paths = [path for tree in trees for path in tree.paths]
        self.nodes = list(_laid_out(trees, whole=not after))
        self.takes = [take.moved(offset) for node, offset, _ in self.nodes for take in node.takes]
        nodes = [node for node, _, _ in self.nodes]
        self.ids = np.concatenate([node.ids for node in nodes])
        self.places = np.concatenate([np.arange(node.start, node.start + len(node.ids)) for node in nodes])
        self.exits: np.ndarray | None = None
        if not after and (len(trees) > 1 or not trees[0].is_chain):
            self.exits = np.concatenate([np.full(len(n.ids), offset + n.size) for n, offset, _ in self.nodes])
        self.keeps = [(i, count) for i, node in enumerate(nodes) if (count := self._kept(node)) > 0]
        wanted = sum(len(take.at) * (len(take.path.layers) / 8 or sizes.logits) for take in self.takes)
        self.extra = math.ceil(wanted + base.length * sizes.past)

    @property
    def size(self) -> int:
        return len(self.ids)

    @property
    def wanted(self) -> bool:
        return any(path.wanted for path in self.paths)

    def _kept(self, node: Node) -> int:
        if self.after:
            return len(node.ids)
        reach = max(path.keep for path in node.paths)
        useful = reach - self.base.length >= LEAST_TOKENS or any(path.whole for path in node.paths)
        return min(reach - node.start, len(node.ids)) if useful else 0

    def put(self, found: Sequence[Any]) -> None:
        for take, values in zip(self.takes, found, strict=True):
            if take.path.wanted:
                take.path.put(take.slots, values)

    def fail(self, error: BaseException) -> None:
        for path in self.paths:
            path.fail(error)


def _laid_out(trees: Sequence[Node], *, whole: bool) -> Iterator[tuple[Node, int, int]]:
    waiting = [(tree, -1) for tree in reversed(trees)]
    offset = number = 0
    while waiting:
        node, parent = waiting.pop()
        yield node, offset, parent
        if whole:
            waiting += [(child, number) for child in reversed(node.children)]
        offset, number = offset + len(node.ids), number + 1


def cut(base: Prefix, trees: Sequence[Node], sharing: Sharing, sizes: Sizes) -> list[Row]:
    """Rows for trees that go on behind the same kept tokens; those with something in `after` are to be read first."""
    # What is read behind a long text is read side by side in one row, so that its keys are laid out once.
    fill = min(ROW_TOKENS, base.length // 2) if sharing == "tree" else 0
    rows: list[Row] = []
    small: list[Node] = []
    waiting = list(reversed(trees))
    while waiting:
        tree = waiting.pop()
        if tree.size <= fill:
            small.append(tree)
        elif tree.is_chain or (sharing == "tree" and tree.size <= ROW_TOKENS):
            rows.append(Row(base, [tree], sizes))
        elif sharing != "none" and _is_trunk(tree, sharing):
            rows.append(Row(base, [tree], sizes, after=tree.children))
        else:
            waiting += reversed(tree.spread())
    return rows + [Row(base, together, sizes) for together in _packed(small, fill)]


def _is_trunk(tree: Node, sharing: Sharing) -> bool:
    length = len(tree.ids)
    return length >= LEAST_TOKENS and length * (len(tree.children) - 1) >= SAVED_TOKENS[sharing]


def _packed(trees: Sequence[Node], fill: int) -> list[list[Node]]:
    """Trees put together, in their order, up to `fill` tokens."""
    together: list[list[Node]] = []
    spent = fill + 1
    for tree in trees:
        spent += tree.size
        if spent > fill:
            together.append([])
            spent = tree.size
        together[-1].append(tree)
    return together
