"""Scores of continuations and hidden states: what is wanted of which tokens, merged into rows, read in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doxa.models.local_batching import Batches, Job
from doxa.models.local_network import Network
from doxa.models.local_text import Tokenization
from doxa.records import Prompt, Score, Token


@dataclass(frozen=True)
class ScoreRequest:
    """Log-probability of each continuation after the prompt."""

    prompt: Prompt
    continuations: tuple[str, ...]


@dataclass(frozen=True)
class StatesRequest:
    """Residual stream after blocks `layers` (None: all) at token `positions`, negative ones from the end."""

    prompt: Prompt
    layers: tuple[int, ...] | None
    positions: tuple[int, ...]


# --- scores ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Path:
    """One continuation to score: `ids[start:]` after `ids[:start]`."""

    job: Job
    index: int
    continuation: str
    ids: tuple[int, ...]
    start: int

    @property
    def read(self) -> tuple[int, ...]:
        """What the network has to read: the last token is only predicted."""
        return self.ids[:-1]

    @property
    def positions(self) -> np.ndarray:
        """Where the continuation's tokens are predicted."""
        return np.arange(self.start - 1, len(self.ids) - 1)


class ScoreRow:
    """One row of a batch: a sequence that is read once for all the paths that lie on it."""

    def __init__(self, ids: tuple[int, ...], logits_size: int) -> None:
        self.ids = ids
        self.paths: list[Path] = []
        self._logits_size = logits_size

    @property
    def size(self) -> int:
        return len(self.ids)

    @property
    def positions(self) -> np.ndarray:
        return np.unique(np.concatenate([path.positions for path in self.paths]))

    @property
    def extra(self) -> int:
        return len(self.positions) * self._logits_size

    @property
    def wanted(self) -> bool:
        return any(path.job.wanted for path in self.paths)

    def put(self, result: Sequence[Score]) -> None:
        for path, score in zip(self.paths, result, strict=True):
            path.job.put(path.index, score)

    def fail(self, error: BaseException) -> None:
        for path in self.paths:
            path.job.fail(error)


def score(jobs: Sequence[Job], network: Network, text: Tokenization, batches: Batches[ScoreRow]) -> None:
    """Answer the jobs (of ScoreRequest) with one Score per continuation, or fail those that cannot be scored."""
    paths: list[Path] = []
    for job in jobs:
        try:
            paths += _paths(job, network, text)
        except Exception as error:  # this request's own fault; the others go on
            job.fail(error)
    batches.run(merged(paths, network.logits_size), lambda rows: _score_rows(rows, network, text))


def _paths(job: Job, network: Network, text: Tokenization) -> list[Path]:
    request: ScoreRequest = job.request
    found = text.continuations(request.prompt, request.continuations)
    for ids, _ in found:
        network.check(ids, "the prompt with its continuation")
    job.expect(len(found))
    named = zip(request.continuations, found, strict=True)
    return [Path(job, i, continuation, ids, start) for i, (continuation, (ids, start)) in enumerate(named)]


def merged(paths: Sequence[Path], logits_size: int) -> list[ScoreRow]:
    """Rows for the paths: a path whose tokens are the beginning of another's is read with it.

    So the one-token continuations of a prompt (letters) are one row, however many there are. Sharing common
    beginnings among rows that then part belongs here too.
    """
    rows: list[ScoreRow] = []
    # In descending order, the sequences that begin with a given one stand directly before it.
    for path in sorted(paths, key=lambda p: p.read, reverse=True):
        if not rows or rows[-1].ids[: len(path.read)] != path.read:
            rows.append(ScoreRow(path.read, logits_size))
        rows[-1].paths.append(path)
    return rows


def _score_rows(rows: Sequence[ScoreRow], network: Network, text: Tokenization) -> list[list[Score]]:
    import torch

    position_lists = [row.positions for row in rows]
    logits = network.read([row.ids for row in rows], position_lists).logits
    paths: list[Path] = []
    at: list[np.ndarray] = []
    targets: list[int] = []
    first = 0
    for row, positions in zip(rows, position_lists, strict=True):
        for path in row.paths:
            paths.append(path)
            at.append(first + np.searchsorted(positions, path.positions))
            targets += path.ids[path.start :]
        first += len(positions)
    at_k = torch.as_tensor(np.concatenate(at), device=logits.device)
    target_k = torch.as_tensor(targets, device=logits.device)
    logprobs = (logits[at_k, target_k] - logits.logsumexp(-1)[at_k]).cpu().numpy().astype(np.float64)
    ends = np.cumsum([len(path.ids) - path.start for path in paths])
    scores = iter([_score(p, lp, text) for p, lp in zip(paths, np.split(logprobs, ends[:-1]), strict=True)])
    return [[next(scores) for _ in row.paths] for row in rows]


def _score(path: Path, logprobs: np.ndarray, text: Tokenization) -> Score:
    pieces = [text.piece(token) for token in path.ids[path.start :]]
    tokens = tuple(Token(piece, lp) for piece, lp in zip(pieces, logprobs.tolist(), strict=True))
    return Score(path.continuation, float(logprobs.sum()), tokens)


# --- hidden states ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class StatesRow:
    """One prompt whose residual stream is read; layers and positions are counted from 0."""

    job: Job
    ids: tuple[int, ...]
    layers: tuple[int, ...]
    positions: tuple[int, ...]
    extra: int

    @property
    def size(self) -> int:
        return len(self.ids)

    @property
    def wanted(self) -> bool:
        return self.job.wanted

    def put(self, result: np.ndarray) -> None:
        self.job.put(0, result)

    def fail(self, error: BaseException) -> None:
        self.job.fail(error)


def states(jobs: Sequence[Job], network: Network, text: Tokenization, batches: Batches[StatesRow]) -> None:
    """Answer the jobs (of StatesRequest) with one array (layers, positions, width) each, or fail them."""
    rows = []
    for job in jobs:
        try:
            rows.append(_states_row(job, network, text))
        except Exception as error:  # this request's own fault; the others go on
            job.fail(error)
    batches.run(rows, lambda batch: _states_rows(batch, network))


def _states_row(job: Job, network: Network, text: Tokenization) -> StatesRow:
    request: StatesRequest = job.request
    ids = text.prompt(request.prompt)
    network.check(ids, "the prompt")
    layers = range(network.layers) if request.layers is None else request.layers
    return StatesRow(
        job,
        ids,
        layers=tuple(_counted(layer, network.layers, "layer", "blocks") for layer in layers),
        positions=tuple(_counted(p, len(ids), "position", "tokens of the prompt") for p in request.positions),
        extra=len(request.positions) * network.logits_size,
    )


def _counted(index: int, count: int, name: str, of: str) -> int:
    if not -count <= index < count:
        raise ValueError(f"{name} is {index}; there are {count} {of}, counted from 0 (from the end: -1)")
    return index % count


def _states_rows(rows: Sequence[StatesRow], network: Network) -> list[np.ndarray]:
    layers = sorted({layer for row in rows for layer in row.layers})
    read = network.read([row.ids for row in rows], [row.positions for row in rows], layers).states
    by_layer = {layer: states_kd.cpu().numpy() for layer, states_kd in read.items()}
    ends = np.cumsum([len(row.positions) for row in rows])
    spans = [slice(end - len(row.positions), end) for row, end in zip(rows, ends, strict=True)]
    return [np.stack([by_layer[layer][span] for layer in row.layers]) for row, span in zip(rows, spans, strict=True)]
