"""Paths read in as few tokens as may be: grown into trees, cut into rows, batched, and given what they want."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.models.local_batching import Batches
from doxa.models.local_network import Block, Network, Readout
from doxa.models.local_prefixes import Prefix, Prefixes
from doxa.models.local_tree import Path, Row, Sharing, Sizes, cut, grown

if TYPE_CHECKING:
    import torch


class Reader:
    """Reads paths through a network. What they have in common with each other, or with what is kept, is read once.

    sharing  how, when the longest text has so many tokens
    """

    def __init__(
        self, network: Network, prefixes: Prefixes, batches: Batches[Row], sharing: Callable[[int], Sharing]
    ) -> None:
        self.network, self.prefixes, self.batches, self.sharing = network, prefixes, batches, sharing
        self._sizes = Sizes(network.logits_size, network.past_size)

    def read(self, paths: Sequence[Path]) -> None:
        """Give each path what it wants, or fail it."""
        paths = [path for path in paths if path.wanted]
        if not paths:
            return
        sharing = self.sharing(max(len(path.ids) for path in paths))
        alike: dict[Prefix, list[Path]] = {}
        with self.prefixes.lock:
            for path in paths:
                # What is kept has no logits and no states any more: from where they are wanted first, read anew.
                kept = self.prefixes.find(path.ids, path.first) if sharing != "none" else self.prefixes.nothing
                alike.setdefault(kept, []).append(path)
            for prefix in alike:
                self.prefixes.pin(prefix)
        try:
            rows = [row for p, group in alike.items() for row in cut(p, grown(group, p.length), sharing, self._sizes)]
            self._carry_out(rows, sharing, held=0)
        finally:
            self._let_go(list(alike))

    def _let_go(self, pinned: Sequence[Prefix]) -> None:
        with self.prefixes.lock:
            for prefix in pinned:
                self.prefixes.let_go(prefix)
            self.prefixes.shrink()

    def _carry_out(self, rows: Sequence[Row], sharing: Sharing, held: int) -> None:
        """held: bytes that are pinned meanwhile."""
        self._run([row for row in rows if not row.after], sharing)
        for trunks in self._portions([row for row in rows if row.after], held):
            self._run(trunks, sharing)
            kept = [(row, row.prefix) for row in trunks if row.prefix is not None]
            size = sum(row.size for row, _ in kept) * self.prefixes.token_bytes
            deeper = [r for row, prefix in kept for r in cut(prefix, row.after, sharing, self._sizes)]
            self._carry_out(deeper, sharing, held + size)
            self._let_go([prefix for _, prefix in kept])

    def _portions(self, trunks: Sequence[Row], held: int) -> Iterator[list[Row]]:
        """So many at a time as may be held while what follows them is read: half of what is left."""
        portion: list[Row] = []
        spent = 0
        for row in trunks:
            size = row.size * self.prefixes.token_bytes
            spent += size
            if portion and spent > (self.prefixes.budget - held) // 2:
                yield portion
                portion, spent = [], size
            portion.append(row)
        if portion:
            yield portion

    def _run(self, rows: Sequence[Row], sharing: Sharing) -> None:
        for together in self._fitting(rows, sharing):
            self.batches.run(together, lambda batch: self._compute(batch, sharing))

    def _fitting(self, rows: Sequence[Row], sharing: Sharing) -> Iterable[list[Row]]:
        """Rows that may be in one batch."""
        fitting: dict[Any, list[Row]] = {}
        for row in rows:
            # Without padding only what stands behind equally many kept tokens can be read together.
            behind = None if sharing == "tree" or self.network.padded else row.base.length
            # Where the longest text of a batch says how positions count, only texts of one length can.
            steady = self.network.steady is None or row.size <= self.network.steady
            fitting.setdefault((behind, None if steady else row.size), []).append(row)
        return fitting.values()

    def _compute(self, rows: list[Row], sharing: Sharing) -> list[list[Any]]:
        longest = max(row.size for row in rows)
        bases = [row.base for row in rows]
        with self.prefixes.lock:
            past = self.prefixes.past(bases, longest) if any(base.length for base in bases) else None
        block = Block(
            ids=[row.ids for row in rows],
            places=[row.places for row in rows],
            exits=[row.exits for row in rows],
            behind=[base.length for base in bases],
            past=past,
            masked=sharing == "tree",
        )
        logits_at = [_wanted(row, states=False) for row in rows]
        states_at = [_wanted(row, states=True) for row in rows]
        layers = sorted({layer for row in rows for take in row.takes for layer in take.path.layers})
        keep = sharing != "none" and any(row.keeps for row in rows)
        out = self.network.read(block, logits_at, states_at, layers, keep=keep)
        found = _handed_out(rows, logits_at, states_at, out)
        if keep:
            with self.prefixes.lock:
                self._keep(rows, out)
        return found

    def _keep(self, rows: Sequence[Row], out: Readout) -> None:
        for number, row in enumerate(rows):
            ends = {-1: row.base}
            for index, count in row.keeps:
                node, offset, parent = row.nodes[index]
                begin = out.begins[number] + offset
                layers = [
                    (k[number, :, begin : begin + count], v[number, :, begin : begin + count]) for k, v in out.kept
                ]
                ends[index] = self.prefixes.add(ends[parent], node.ids[:count], layers)
            if row.after and row.prefix is None:
                row.prefix = ends[0]
                self.prefixes.pin(row.prefix)
        self.prefixes.shrink()


class LogitsPath(Path):
    """A path of which the logits themselves are wanted; whoever reads it asks it for them, or for what went wrong."""

    def __init__(
        self, ids: Sequence[int] | np.ndarray, positions: Sequence[int] | np.ndarray, keep: int, *, whole: bool = False
    ) -> None:
        super().__init__(ids, positions, keep)
        self.whole = whole
        self._found: dict[int, torch.Tensor] = {}
        self._error: BaseException | None = None

    @property
    def wanted(self) -> bool:
        return self._error is None

    def put(self, slots: np.ndarray, found: torch.Tensor) -> None:
        self._found.update(zip(slots.tolist(), found, strict=True))

    def fail(self, error: BaseException) -> None:
        self._error = error

    def logits(self) -> torch.Tensor:
        """(p, v) in float32. Raises what reading failed with."""
        import torch

        if self._error is not None:
            raise self._error
        return torch.stack([self._found[slot] for slot in range(len(self.positions))])


def _wanted(row: Row, *, states: bool) -> np.ndarray:
    """Where in the row logits (or else states) are wanted, in order, each place once."""
    at = [take.at for take in row.takes if bool(take.path.layers) == states]
    return np.unique(np.concatenate(at)) if at else np.empty(0, dtype=np.int64)


def _handed_out(
    rows: Sequence[Row], logits_at: Sequence[np.ndarray], states_at: Sequence[np.ndarray], out: Readout
) -> list[list[Any]]:
    """What each take of each row wants, out of what was found at all the wanted places of the rows."""
    import torch

    logit_starts = np.cumsum([0, *(len(at) for at in logits_at)])
    state_starts = np.cumsum([0, *(len(at) for at in states_at)])
    states = {layer: _plain(kept) for layer, kept in out.states.items()}
    where: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    found: list[list[Any]] = []
    for number, row in enumerate(rows):
        values: list[Any] = []
        for take in row.takes:
            path = take.path
            if path.layers:
                at = state_starts[number] + np.searchsorted(states_at[number], take.at)
                values.append(np.stack([states[layer][at] for layer in path.layers]))
                continue
            at = logit_starts[number] + np.searchsorted(logits_at[number], take.at)
            if path.targets is None:
                values.append(out.logits[torch.from_numpy(at).to(out.logits.device)])
                continue
            values.append(None)  # all together below
            where.append(at)
            targets.append(path.targets[take.slots])
        found.append(values)
    if where:
        logprobs = iter(np.split(_logprobs(out, where, targets), np.cumsum([len(at) for at in where])[:-1]))
        found = [[next(logprobs) if value is None else value for value in values] for values in found]
    return found


def _plain(states: torch.Tensor) -> np.ndarray:
    import torch

    return (states.float() if states.dtype == torch.bfloat16 else states).cpu().numpy()


def _logprobs(out: Readout, where: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> np.ndarray:
    """Natural log-probability of each target token, float64."""
    import torch

    at_k = torch.from_numpy(np.concatenate(where)).to(out.logits.device)
    target_k = torch.from_numpy(np.concatenate(targets)).to(out.logits.device)
    found = out.logits[at_k, target_k] - out.logits.logsumexp(-1)[at_k]
    return found.cpu().numpy().astype(np.float64)
