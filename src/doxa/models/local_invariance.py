"""How far a value depends on the company it is read in: batch size, padding, order, and what was kept before."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from doxa.models.local import LocalModel
from doxa.models.local_network import Side
from doxa.models.local_tree import Sharing
from doxa.records import Prompt, Reply, Sampling, Score

Kind = Literal["score", "generate", "hidden_states"]

# What is promised of float32.
BOUND = 1e-4

PASSAGE = (
    "The expedition left the harbour in early spring with two ships, forty men and provisions for three years. "
    "Ice closed around them in the second month, and the smaller ship was lost. The survivors wintered on the coast, "
    "mapped two hundred miles of it, and came home with the first measurements of the magnetic pole."
)
QUESTIONS = (
    "How many ships set out?",
    "Which of the two ships was lost, and in which month of the voyage did that happen?",
    "What did the survivors measure?",
    "Is it stated that everyone came home?",
    "Where was the winter spent?",
    "What was mapped, and how much of it?",
)
OWN = (
    "Which planet is the largest?",
    "Is iron a metal?",
    "Answer in one word. At sea level, and under ordinary pressure, water boils at one hundred degrees of which scale?",
    "yes",
    "Name the capital of France.",
    "Two trains leave the same station an hour apart, the first at sixty and the second at ninety kilometres an hour. "
    "After how many hours on its way has the second one caught up with the first?",
)
PROMPTS = tuple(Prompt.user(text) for text in (*(f"{PASSAGE}\n\n{question}" for question in QUESTIONS), *OWN))
CONTINUATIONS = (" yes", " no", " the larger one of the two", " it cannot be known from this")


@dataclass(frozen=True)
class Spread:
    """One kind of reading, each value against what the same question gets alone, with nothing kept from before.

    largest    greatest difference: nats; of hidden states in root mean squares of the state
    compared   how many values were
    decisions  likeliest continuations, or greedy replies; None: a kind without any
    flipped    how many of those came out otherwise
    """

    kind: Kind
    largest: float
    compared: int
    decisions: int | None = None
    flipped: int | None = None


@dataclass(frozen=True)
class Invariance:
    """What `invariance` found.

    sharing  how beginnings are shared in texts as long as those asked (`LocalModel.sharing`)
    sizes    how many questions were asked at the same moment; sides: where padding went
    """

    dtype: str
    device: str
    sharing: Sharing
    sizes: tuple[int, ...]
    sides: tuple[Side, ...]
    spreads: tuple[Spread, ...]

    @property
    def holds(self) -> bool | None:
        """Whether every spread keeps the bound of 1e-4; None: not promised of this precision."""
        if self.dtype not in ("float32", "float64"):
            return None
        return all(spread.largest <= BOUND for spread in self.spreads)


def invariance(
    model: LocalModel,
    prompts: Sequence[Prompt] = PROMPTS,
    continuations: Sequence[str] = CONTINUATIONS,
    *,
    sizes: Sequence[int] = (1, 3, 8),
    tokens: int = 8,
    seed: int = 0,
) -> Invariance:
    """Ask every kind of reading in other company, and say how far the values are from those of each question alone.

    prompts        what is asked; of several lengths, some with a common beginning
    continuations  what is scored after each
    sizes          how many are asked at the same moment, in an order shuffled by `seed`, with padding on either side
    tokens         length of the greedy replies whose log-probabilities are compared, up to the first that differs
    raises         ValueError: no prompts or sizes. DoxaError: what asking the model raises
    """
    if not prompts or not sizes or min(sizes) < 1:
        raise ValueError(f"{len(prompts)} prompts and sizes {tuple(sizes)}; give at least one of each, from 1 up")
    return asyncio.run(_measured(model, prompts, continuations, sizes, tokens, seed))


async def _measured(
    model: LocalModel,
    prompts: Sequence[Prompt],
    continuations: Sequence[str],
    sizes: Sequence[int],
    tokens: int,
    seed: int,
) -> Invariance:
    sampling = Sampling(max_tokens=tokens, top_logprobs=0)
    readings = [
        _Reading("score", lambda prompt: model.score(prompt, continuations), _scores_apart),
        _Reading("generate", lambda prompt: model.generate(prompt, sampling), _replies_apart),
    ]
    if "hidden_states" in model.capabilities:
        readings.append(
            _Reading("hidden_states", lambda prompt: model.hidden_states(prompt, positions=(0, -1)), _states_apart)
        )
    sides: tuple[Side, ...] = ("right", "left") if model.pads else ("right",)
    for reading in readings:
        for prompt in prompts:
            model.forget()
            reading.alone.append(await reading.ask(prompt))
    rng = random.Random(seed)
    try:
        for side in sides:
            model.pad(passes=side, streams="left" if side == "right" else "right")
            for size in sizes:
                order = rng.sample(range(len(prompts)), len(prompts))
                for reading in readings:
                    await reading.compare(prompts, [order[i : i + size] for i in range(0, len(order), size)])
    finally:
        model.pad()
    identity = model.identity
    longest = max(reply.input_tokens or 0 for replies in readings[1].alone for reply in replies) + tokens
    return Invariance(
        dtype=identity["dtype"],
        device=identity["device"],
        sharing=model.sharing(longest),
        sizes=tuple(sizes),
        sides=sides,
        spreads=tuple(reading.spread() for reading in readings),
    )


class _Reading:
    """One kind of reading: how it is asked, and how far one answer is from another (differences, another decision)."""

    def __init__(
        self,
        kind: Kind,
        ask: Callable[[Prompt], Awaitable[Any]],
        apart: Callable[[Any, Any], tuple[np.ndarray, bool | None]],
    ) -> None:
        self.ask = ask
        self.alone: list[Any] = []
        self._kind, self._apart = kind, apart
        self._largest, self._compared, self._decisions, self._flipped = 0.0, 0, 0, 0

    async def compare(self, prompts: Sequence[Prompt], groups: Sequence[Sequence[int]]) -> None:
        for group in groups:
            answers = await asyncio.gather(*(self.ask(prompts[i]) for i in group))
            for i, answer in zip(group, answers, strict=True):
                differences, flipped = self._apart(answer, self.alone[i])
                self._compared += differences.size
                self._largest = max(self._largest, float(differences.max(initial=0.0)))
                self._decisions += flipped is not None
                self._flipped += bool(flipped)

    def spread(self) -> Spread:
        if not self._decisions:
            return Spread(self._kind, self._largest, self._compared)
        return Spread(self._kind, self._largest, self._compared, self._decisions, self._flipped)


def _scores_apart(found: Sequence[Score], alone: Sequence[Score]) -> tuple[np.ndarray, bool]:
    one, other = (np.array([score.logprob for score in scores]) for scores in (found, alone))
    return np.abs(one - other), bool(one.argmax() != other.argmax())


def _replies_apart(found: Sequence[Reply], alone: Sequence[Reply]) -> tuple[np.ndarray, bool]:
    pairs = list(zip(found[0].tokens or (), alone[0].tokens or (), strict=False))
    same = next((k for k, (a, b) in enumerate(pairs) if a.text != b.text), len(pairs))
    return np.array([abs(a.logprob - b.logprob) for a, b in pairs[:same]]), found[0].text != alone[0].text


def _states_apart(found: np.ndarray, alone: np.ndarray) -> tuple[np.ndarray, None]:
    size_lp = np.sqrt((alone**2).mean(-1, keepdims=True))
    return np.abs(found - alone) / np.maximum(size_lp, np.finfo(alone.dtype).tiny), None
