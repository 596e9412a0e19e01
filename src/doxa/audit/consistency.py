"""Consistency: does the model call a statement and its negation, or the same in other words, what it must?

Each fact gives a true and a false statement, each affirmed and negated, in two wordings. The belief is the probability
of "true" where the model can score, else 1 or 0 by its answer.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from doxa.audit.bank import SOURCE, permuted, spread
from doxa.data.facts import by_id, facts
from doxa.data.render import paraphrases, statement_item
from doxa.elicit.answers import TrueFalse
from doxa.elicit.options import statement_belief
from doxa.metrics import mean_interval, proportion_clustered
from doxa.metrics.foreseen import DENSITY, NORMAL
from doxa.models.simulated import Holder, Respondent, Skill
from doxa.planted import Expected, Truth
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
    mean = mean_interval(read["belief"].to_numpy(), groups=groups, bounds=(0, 1))
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
    gap = mean_interval(np.abs(p + q - 1), groups=groups, bounds=(0, 1))
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
    apart = mean_interval(np.abs(p - q), groups=groups, bounds=(0, 1))
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


# --- what can be planted ----------------------------------------------------------------------------------------------

ACCURACY, MEAN = "accuracy, true or false", "mean P(true)"
APART, SAME = "distance from P(p) + P(not p) = 1", "same verdict on p and not p"
CHANGE, FLIPS = "change of P(true) with the wording", "verdict changes with the wording"
ABILITY, SHARPNESS = 0.7, 8.0  # of simulated:biased
HELD = 0.8  # belief of the noisy respondent in its favourite, which is right as often


def biased(logit: float, asked: Sequence[Item]) -> list[Expected]:
    """A bias b on "true" beside a belief of logit l >= 0 in the favourite: all but the accuracy follows exactly.

    P(true) is sigmoid(l + b) for half of a fact's statements and sigmoid(b - l) for their negations; where b > l all
    are called true, and half of them rightly.
    """
    popularity = np.array([item.popularity for item in asked])
    held = 0.5 + 0.5 * _sigmoid(SHARPNESS * (popularity - (1 - ABILITY)))
    stretch = np.log(held / (1 - held))
    firm = stretch > logit
    right = np.where(firm, held, 0.5)
    above = (_sigmoid(stretch + logit) + _sigmoid(logit - stretch)) / 2 - 0.5
    return [
        Expected(ACCURACY, float(right.mean()), sd=_root(float(np.mean(firm * right * (1 - right)))), n=len(asked)),
        Expected(MEAN, 0.5 + float(above.mean()), sd=0),
        Expected(APART, 2 * float(np.abs(above).mean()), sd=0),
        Expected(SAME, float(1 - firm.mean()), sd=0),
        Expected(CHANGE, 0.0),
        Expected(FLIPS, 0.0),
    ]


def noisy(sd: float) -> Respondent:
    address = f"simulated: belief {HELD} with retest noise {sd:g}"
    return Respondent(address=address, belief=Holder(HELD), noise=sd)


def retested(sd: float, asked: Sequence[Item]) -> list[Expected]:
    """Every asking adds a normal deviation to the logit of "true" and another one to that of "false".

    So P(favourite verdict) = Phi(l / (sqrt(2) sd)) at each asking, and two askings of one matter, by negation or by
    another wording, differ by the same law.
    """
    logit, scatter = math.log(HELD / (1 - HELD)), math.sqrt(2) * sd
    keeps = 0.5 * (1 + math.erf(logit / scatter / math.sqrt(2))) if sd else 1.0
    differ = 2 * keeps * (1 - keeps)
    belief = _sigmoid(logit + scatter * NORMAL)
    variance = float(belief**2 @ DENSITY - (belief @ DENSITY) ** 2)
    apart = float(DENSITY @ np.abs(belief[:, None] - belief) @ DENSITY)
    within = keeps * (1 - keeps) / 8 + HELD * (1 - HELD) * (2 * keeps - 1) ** 2  # of a fact's mean over 8 statements
    return [
        Expected(ACCURACY, HELD * keeps + (1 - HELD) * (1 - keeps), sd=_root(within), n=len(asked)),
        Expected(MEAN, 0.5, sd=_root(variance)),
        *(Expected(name, apart, sd=_root(2 * variance - apart**2)) for name in (APART, CHANGE)),
        *(Expected(name, differ) for name in (SAME, FLIPS)),
    ]


class Speaker(Respondent):
    """A respondent whose log-probabilities cannot be read, only its replies."""

    capabilities = frozenset({"generate"})


def answering(right: float) -> Respondent:
    return Speaker(address=f"simulated: right at {right:g} of askings", belief=Skill(right), format_errors=0.1)


def answered(right: float, asked: Sequence[Item]) -> list[Expected]:
    """Every reply is right with one probability, independently: two of them contradict each other if one is right.

    The second and third wording are both compared with the first one, so their changes are correlated: the covariance
    is v (1 - 4 v), v = right (1 - right).
    """
    v = right * (1 - right)
    differ = 2 * v
    spread = _root(differ * (1 - differ) + v * (1 - 4 * v))
    return [
        Expected(ACCURACY, right),
        Expected(MEAN, 0.5),
        *(Expected(name, differ) for name in (APART, SAME)),
        *(Expected(name, differ, sd=spread) for name in (CHANGE, FLIPS)),
    ]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _root(variance: float) -> float:
    return math.sqrt(max(variance, 0.0))


PLANTED = (
    Truth(
        name="bias to say true",
        what='adds a logit to "true" whatever is asked; null: none',
        respondent=lambda logit: f"simulated:biased?label=true&by={logit}&ability={ABILITY}",
        strength=2.0,
        null=0.0,
        expects=biased,
        grid=(0.0, 0.5, 1.0, 2.0, 3.0, 5.0),
        drawn=(MEAN, APART, SAME),
    ),
    Truth(
        name="retest noise",
        what="adds a normal deviation of known size to each logit at every asking; null: none",
        respondent=noisy,
        strength=1.5,
        null=0.0,
        expects=retested,
        grid=(0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0),
        drawn=(SAME, FLIPS, CHANGE),
    ),
    Truth(
        name="replies alone",
        what="answers in words only, right with one probability at every asking, 10 % out of format; null: by chance",
        respondent=answering,
        strength=0.9,
        null=0.5,
        expects=answered,
        grid=(0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        drawn=(ACCURACY, SAME, FLIPS),
        options=Options(wordings=3),
    ),
)

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
    planted=PLANTED,
)
