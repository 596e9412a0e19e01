"""Scores of continuations and hidden states: what is asked, as paths to be read, and what was found, as answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from doxa.models.local_batching import Job
from doxa.models.local_network import Network
from doxa.models.local_text import Tokenization
from doxa.models.local_tree import Path
from doxa.records import DoxaError, Prompt, Score, Token

Precision = Literal["float16", "float32", "float64"]


@dataclass(frozen=True)
class ScoreRequest:
    """Log-probability of each continuation after the prompt."""

    prompt: Prompt
    continuations: tuple[str, ...]


@dataclass(frozen=True)
class StatesRequest:
    """Residual stream after blocks `layers` (None: all) at token `positions`, negative ones from the end.

    positions  "mean": its mean over all tokens of the prompt
    """

    prompt: Prompt
    layers: tuple[int, ...] | None
    positions: tuple[int, ...] | Literal["mean"]
    precision: Precision = "float32"


class Asked(Path):
    """A path that is a part of a job's answer."""

    def __init__(self, job: Job, index: int, ids: Sequence[int], positions: Sequence[int], keep: int) -> None:
        super().__init__(ids, positions, keep)
        self._job, self._index = job, index
        self._left = len(positions)
        self._failed = False

    @property
    def wanted(self) -> bool:
        return not self._failed and self._job.wanted

    def fail(self, error: BaseException) -> None:
        self._failed = True
        self._job.fail(error)

    def _count(self, slots: np.ndarray) -> bool:
        """Whether, with these, all was found."""
        self._left -= len(slots)
        return self._left == 0


def paths(jobs: Sequence[Job], network: Network, text: Tokenization) -> list[Asked]:
    """What has to be read for the jobs; a job that cannot be carried out is failed, and the others go on."""
    found: list[Asked] = []
    inside = [job for job in jobs if isinstance(job.request, StatesRequest)]
    ids = dict(zip(inside, text.prompts([job.request.prompt for job in inside]), strict=True))
    for job in jobs:
        try:
            found += [_states_path(job, ids[job], network)] if job in ids else _score_paths(job, network, text)
        except Exception as error:
            job.fail(error)
    return found


# --- scores ----------------------------------------------------------------------------------------------------------


class ScorePath(Asked):
    """One continuation to score: `ids[start:]` after `ids[:start]`. The last token is predicted and not read."""

    def __init__(self, job: Job, index: int, ids: tuple[int, ...], start: int, text: Tokenization) -> None:
        super().__init__(job, index, ids[:-1], range(start - 1, len(ids) - 1), keep=start)
        self.targets = np.asarray(ids[start:], dtype=np.int64)
        self._text = text
        self._logprobs = np.empty(len(ids) - start)

    def put(self, slots: np.ndarray, found: np.ndarray) -> None:
        self._logprobs[slots] = found
        if self._count(slots):
            self._job.put(self._index, self._score())

    def _score(self) -> Score:
        assert self.targets is not None
        pieces = map(self._text.piece, self.targets.tolist())
        tokens = tuple(Token(piece, lp) for piece, lp in zip(pieces, self._logprobs.tolist(), strict=True))
        request: ScoreRequest = self._job.request
        return Score(request.continuations[self._index], float(self._logprobs.sum()), tokens)


def _score_paths(job: Job, network: Network, text: Tokenization) -> list[Asked]:
    request: ScoreRequest = job.request
    found = text.continuations(request.prompt, request.continuations)
    for ids, _ in found:
        network.check(ids, "the prompt with its continuation")
    job.expect(len(found))
    return [ScorePath(job, i, ids, start, text) for i, (ids, start) in enumerate(found)]


# --- hidden states ---------------------------------------------------------------------------------------------------


class StatesPath(Asked):
    """One prompt whose residual stream is wanted; layers and positions are counted from 0."""

    def __init__(self, job: Job, ids: tuple[int, ...], layers: tuple[int, ...], positions: tuple[int, ...]) -> None:
        # Nothing is kept: nobody goes on from a statement, and its keys and values are far larger than its states.
        super().__init__(job, 0, ids, positions, keep=0)
        self.layers = layers
        self._states: np.ndarray | None = None

    def put(self, slots: np.ndarray, found: np.ndarray) -> None:
        if len(slots) == len(self.positions):  # all at once, as it is for most
            self._states = found
        else:
            if self._states is None:
                self._states = np.empty((len(self.layers), len(self.positions), found.shape[-1]), found.dtype)
            self._states[:, slots] = found
        if self._count(slots):
            self._answer(self._states)
            self._states = None  # paths live as long as their round does

    def _answer(self, states: np.ndarray) -> None:
        precision = self._job.request.precision
        with np.errstate(over="ignore"):
            kept = states.astype(precision, copy=False)
        if np.isinf(kept).any():
            largest = np.abs(states).max()
            self.fail(DoxaError(f"hidden states of up to {largest:.3g} do not fit {precision}; ask for float32"))
            return
        self._job.put(0, kept)


class MeanPath(StatesPath):
    """One prompt whose residual stream is wanted as its mean over all tokens, (layers, 1, width)."""

    def __init__(self, job: Job, ids: tuple[int, ...], layers: tuple[int, ...]) -> None:
        super().__init__(job, ids, layers, tuple(range(len(ids))))
        self._sum: np.ndarray | float = 0.0

    def put(self, slots: np.ndarray, found: np.ndarray) -> None:
        self._sum = self._sum + found.sum(1, keepdims=True, dtype=np.float64)
        if self._count(slots):
            self._answer(np.asarray(self._sum) / len(self.positions))


def _states_path(job: Job, ids: tuple[int, ...] | Exception, network: Network) -> StatesPath:
    request: StatesRequest = job.request
    if isinstance(ids, Exception):
        raise ids
    network.check(ids, "the prompt")
    asked = range(network.layers) if request.layers is None else request.layers
    layers = tuple(_counted(layer, network.layers, "layer", "blocks") for layer in asked)
    if request.positions == "mean":
        return MeanPath(job, ids, layers)
    return StatesPath(
        job, ids, layers, tuple(_counted(p, len(ids), "position", "tokens of the prompt") for p in request.positions)
    )


def _counted(index: int, count: int, name: str, of: str) -> int:
    if not -count <= index < count:
        raise ValueError(f"{name} is {index}; there are {count} {of}, counted from 0 (from the end: -1)")
    return index % count
