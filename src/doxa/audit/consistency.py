"""Consistency: does the model call a statement and its negation, or the same in other words, what it must?

Each fact gives a true and a false statement, each affirmed and negated, in two wordings. The belief is the probability
of "true" where the model can score, else 1 or 0 by its answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from doxa.audit.bank import SOURCE, permuted, spread
from doxa.data.facts import by_id, facts
from doxa.data.render import paraphrases, statement_item
from doxa.elicit.answers import TrueFalse
from doxa.elicit.options import statement_belief
from doxa.metrics import bootstrap, proportion_clustered
from doxa.records import Answer, Estimate, Findings, Item, Reading, Sampling, count_outcomes
from doxa.study import Ask, Study

if TYPE_CHECKING:
    import polars as pl

OPTION_SEED = 1000
BRIEF = Sampling(max_tokens=8)
SECTION = "Consistency"


@dataclass(frozen=True)
class Options:
    facts: Annotated[int, "facts asked about, eight statements each"] = 100
    wordings: Annotated[int, "wordings of each statement"] = 2


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """`right`: whether the answer named is right for the fact; `belief`: P(true) in [0, 1], None: unread."""

    right: bool
    negated: bool
    wording: int
    truth: str
    belief: float | None


def items(options: Options) -> list[Item]:
    chosen = spread([f for f in facts() if f.split == "shown"], options.facts, shuffled=True)
    return [statement_item(fact, seed=OPTION_SEED) for fact in chosen]


def example() -> list[Item]:
    return items(Options(facts=4))


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    fact = by_id()[item.fields["fact"]]
    for wording in range(min(options.wordings, paraphrases(fact.relation)[1])):
        for right in (True, False):
            for negated in (False, True):
                asked = statement_item(fact, right != negated, negated, wording, OPTION_SEED)
                belief, answer, text = await _belief(ask, asked)
                yield Row(
                    item=item.id,
                    outcome=answer.outcome,
                    text=text,
                    right=right,
                    negated=negated,
                    wording=wording,
                    truth=asked.answer or "",
                    belief=belief,
                )


async def _belief(ask: Ask, item: Item) -> tuple[float | None, Answer, str]:
    if "score" in ask.model.capabilities:
        belief = await statement_belief(ask, item)
        return belief, Answer("ok", "true" if belief > 0.5 else "false"), ""
    answer, reply = await ask.answer(TrueFalse(), item, BRIEF)
    return {"true": 1.0, "false": 0.0}.get(answer.value or ""), answer, reply.text


def score(rows: pl.DataFrame, options: Any) -> Findings:
    """Accuracy on statements, distance from P(p) + P(not p) = 1, contradictions, and change with the wording."""
    import polars as pl

    read = rows.filter(pl.col("belief").is_not_null())
    outcomes = count_outcomes(rows["outcome"].to_list())
    if not len(read):
        name, note = "accuracy, true or false", "no reply could be read"
        return Findings((Estimate(name, float("nan"), outcomes=outcomes, section=SECTION, note=note),))
    said = (read["belief"] > 0.5) == (read["truth"] == "true")
    unread = len(rows) - len(read)
    groups = read["group"].to_numpy()
    accuracy = proportion_clustered(said.to_numpy().astype(float), groups)
    mean = bootstrap(lambda x: float(np.mean(x)), read["belief"].to_numpy(), groups=groups)
    bias = "half of the statements are true: above .5 is a bias to say true"
    bounds = (float(said.sum()) / len(rows), float(said.sum() + unread) / len(rows))
    estimates = [
        Estimate.of(
            "accuracy, true or false", accuracy, unit="statements", outcomes=outcomes, bounds=bounds, section=SECTION
        ),
        Estimate.of("mean P(true)", mean, unit="statements", section=SECTION, note=bias),
        *_polarity(read),
        *_wording(read),
    ]
    return Findings(tuple(estimates))


def _polarity(read: pl.DataFrame) -> list[Estimate]:
    import polars as pl

    keys = ["item", "group", "right", "wording"]
    affirmed = read.filter(~pl.col("negated")).select(*keys, pl.col("belief").alias("p"))
    negated = read.filter(pl.col("negated")).select(*keys, pl.col("belief").alias("q"))
    pairs = affirmed.join(negated, on=keys)
    if not len(pairs):
        return []
    p, q = pairs["p"].to_numpy(), pairs["q"].to_numpy()
    groups = pairs["group"].to_numpy()
    gap = bootstrap(lambda p, q: float(np.mean(np.abs(p + q - 1))), p, q, groups=groups)
    same = ((p > 0.5) == (q > 0.5)).astype(float)
    contradiction = proportion_clustered(same, groups)
    return [
        Estimate.of("distance from P(p) + P(not p) = 1", gap, unit="pairs", section=SECTION),
        Estimate.of("same verdict on p and not p", contradiction, unit="pairs", section=SECTION),
    ]


def _wording(read: pl.DataFrame) -> list[Estimate]:
    import polars as pl

    keys = ["item", "group", "right", "negated"]
    first = read.filter(pl.col("wording") == 0).select(*keys, pl.col("belief").alias("p"))
    other = read.filter(pl.col("wording") > 0).select(*keys, pl.col("belief").alias("q"))
    pairs = first.join(other, on=keys)
    if not len(pairs):
        return []
    p, q = pairs["p"].to_numpy(), pairs["q"].to_numpy()
    groups = pairs["group"].to_numpy()
    apart = bootstrap(lambda p, q: float(np.mean(np.abs(p - q))), p, q, groups=groups)
    changed = ((p > 0.5) != (q > 0.5)).astype(float)
    flips = proportion_clustered(changed, groups)
    return [
        Estimate.of("change of P(true) with the wording", apart, unit="pairs", section=SECTION),
        Estimate.of("verdict changes with the wording", flips, unit="pairs", section=SECTION),
    ]


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Beliefs permuted between the facts, each of the eight kinds of statement for itself, truths between all rows."""
    moved = permuted(rows, ("right", "negated", "wording"), ("belief",), seed)
    return moved.with_columns(moved["truth"][np.random.default_rng(seed).permutation(len(moved))])


study = Study(
    source=SOURCE,
    question="Does the model call a statement and its negation, or the same in other words, what it must?",
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=shuffled,
)
