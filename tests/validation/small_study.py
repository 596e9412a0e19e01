"""A study small enough to see through, with one planted truth: how often is a statement called true?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import polars as pl

from doxa.elicit.answers import TrueFalse
from doxa.metrics import proportion
from doxa.models.simulated import Respondent
from doxa.planted import Expected, Truth
from doxa.records import Estimate, Findings, Item, Reading
from doxa.study import Ask, Source, Study

RATE = "says true"


@dataclass(frozen=True)
class Options:
    statements: Annotated[int, "statements asked"] = 400


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    answer: str | None
    truth: str


def items(options: Options) -> list[Item]:
    return [Item(f"s{i}", f"Statement {i} holds.", "statement", answer="true") for i in range(options.statements)]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    answer, reply = await ask.answer(TrueFalse())
    yield Row(item=item.id, outcome=answer.outcome, text=reply.text, answer=answer.value, truth=item.answer or "")


def score(rows: pl.DataFrame, options: Options) -> Findings:
    said = (rows["answer"] == "true").sum()
    return Findings((Estimate.of(RATE, proportion(int(said), len(rows)), unit="items"),))


def sayer(rate: float) -> Respondent:
    """Says true at a rate, whatever is asked."""
    return Respondent(decide=lambda item, context, prompt: {"true": rate, "false": 1 - rate}, address=f"sayer {rate}")


def planted(rate: float, asked: Sequence[Item]) -> list[Expected]:
    return [Expected(RATE, rate)]


TRUTH = Truth("rate", "says true at a rate", sayer, strength=0.7, null=0.2, expects=planted, grid=(0.0, 0.5, 1.0))

study = Study(
    source=Source("A study for tests", 2026),
    question="How often is a statement called true?",
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=lambda: items(Options(statements=3)),
    collect=collect,
    score=score,
    planted=(TRUTH,),
)
