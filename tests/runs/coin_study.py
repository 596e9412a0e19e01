"""A study for the tests of runs: is a made-up statement true? Its models count what they are asked."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl

from doxa.models.base import Context, Model
from doxa.records import Estimate, Findings, Item, Prompt, Reading, Reply, Sampling, Score
from doxa.study import Ask, Published, Source, Study


@dataclass(frozen=True)
class Options:
    samples: Annotated[int, "readings per item"] = 1
    labels: Annotated[tuple[str, ...], "words for the two answers"] = ("true", "false")


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    answer: str | None
    truth: str
    correct: bool
    confidence: float | None
    steps: tuple[float, ...] = ()


def statements(n: int) -> list[Item]:
    """n statements in pairs that share a group, true and false in turn."""
    return [
        Item(f"s{i}", f"Statement {i}.", "statement", answer=("true", "false")[i % 2], group=f"g{i // 2}")
        for i in range(n)
    ]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Reading]:
    for k in range(options.samples):
        reply = await ask.generate(Prompt.user(f"{item.text} True or false?"), Sampling(seed=k, temperature=1.0))
        said, _, percent = reply.text.partition(" ")
        yield Row(
            item=item.id,
            sample=k,
            text=reply.text,
            answer=said,
            truth=str(item.answer),
            correct=said == item.answer,
            confidence=float(percent or 50) / 100,
            steps=(0.5, float("nan")),
        )


def score(rows: pl.DataFrame, options: Options) -> Findings:
    correct = (rows["answer"] == rows["truth"]).to_numpy()
    confidence = rows["confidence"].to_numpy()
    return Findings(
        (
            Estimate("accuracy", float(correct.mean()), n=rows["item"].n_unique(), unit="items"),
            Estimate("gap", float((confidence - correct).mean()), n=len(rows), unit="readings"),
            Estimate("undefined", float("nan")),
        )
    )


study = Study(
    source=Source("A coin", 2024, arxiv="0000.00000"),
    needs={"generate"},
    options=Options,
    row=Row,
    items=lambda options: statements(100),
    example=lambda: statements(4),
    collect=collect,
    score=score,
    question="does it know?",
    published=(Published("accuracy", 0.5, "a fair coin"),),
)


class Coin(Model):
    """Right with probability `accuracy`, drawn from statement, seed and `name`; every call is counted.

    breaks     item ids whose calls raise; journal: a file that gets a line per call
    """

    capabilities = frozenset({"generate", "score"})

    def __init__(
        self,
        accuracy: float = 0.8,
        *,
        name: str = "coin",
        stored: bool = True,
        breaks: Sequence[str] = (),
        error: Exception | None = None,
        delay: float = 0.0,
        journal: Path | None = None,
        reply: Reply | None = None,
    ) -> None:
        self.address = f"test:{name}"
        self.accuracy = accuracy
        self.name = name
        self.stored = stored
        self.breaks = set(breaks)
        self.error = error or RuntimeError("the model broke")
        self.delay = delay
        self.reply = reply
        self.asked: list[str] = []
        self.flying = 0
        self.most_flying = 0
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if journal is not None else None

    @property
    def identity(self) -> dict[str, Any]:
        return {"name": self.name, "accuracy": self.accuracy}

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        assert context is not None and context.item is not None
        self.asked.append(context.item.id)
        if self._journal is not None:
            os.write(self._journal, f"{context.item.id}\n".encode())
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        try:
            await asyncio.sleep(self.delay)
        finally:
            self.flying -= 1
        if context.item.id in self.breaks:
            raise self.error
        return [self.reply or self._answer(context.item, prompt, sampling)] * sampling.n

    def _answer(self, item: Item, prompt: Prompt, sampling: Sampling) -> Reply:
        drawn = hashlib.sha256(f"{self.name} {prompt.show()} {sampling.seed}".encode()).digest()
        right = int.from_bytes(drawn[:4]) / 2**32 < self.accuracy
        said = item.answer if right else {"true": "false", "false": "true"}[str(item.answer)]
        return Reply(f"{said} 90", input_tokens=10, output_tokens=2)

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        self.asked.append(prompt.show())
        return [Score(c, -float(len(c))) for c in continuations]
