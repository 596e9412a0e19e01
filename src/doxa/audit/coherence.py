"""Coherence: are the stated probabilities of a statement, its negation, "and" and "or" those of any one belief?

Pairs of facts give six statements each. Their probabilities are read from words and, where the model can score, from
the log-probabilities of "true" and "false"; the distance to the nearest coherent belief is 0 for a coherent model,
however little it knows. The null shuffles each of the six between the pairs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from doxa.audit.bank import SOURCE, permuted, spread
from doxa.data.compound import ROLES, compounds
from doxa.data.facts import facts
from doxa.elicit.answers import Probability
from doxa.elicit.options import statement_belief
from doxa.metrics import bootstrap, coherence_distance
from doxa.records import Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Study

if TYPE_CHECKING:
    import polars as pl

READINGS = {"words": "generate", "log-probabilities": "score"}
BRIEF = Sampling(max_tokens=16)
TOLERANCE = 0.05  # probabilities in words come in steps of about this size


@dataclass(frozen=True)
class Options:
    pairs: Annotated[int, "pairs of statements, six questions each"] = 60


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """`role` of the statement in its pair, `belief` the probability in [0, 1] that it is true, None: unread."""

    way: str
    role: str
    truth: str
    belief: float | None


def items(options: Options) -> list[Item]:
    shown = [f for f in facts() if f.split == "shown"]
    return compounds(options.pairs, seed=11, among=spread(shown, 2 * options.pairs))


def example() -> list[Item]:
    return items(Options(pairs=3))


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    about = {"item": item.id, "role": item.fields["role"], "truth": item.answer or ""}
    answer, reply = await ask.answer(Probability(), item, BRIEF)
    yield Row(**about, way="words", outcome=answer.outcome, text=reply.text, belief=answer.confidence)
    if "score" in ask.model.capabilities:
        yield Row(**about, way="log-probabilities", belief=await statement_belief(ask, item))


def score(rows: pl.DataFrame, options: Any) -> Findings:
    """Mean distance to the nearest coherent belief, and how often each rule is broken, for each reading."""
    import polars as pl

    estimates, lines = [], []
    for reading, need in READINGS.items():
        of_reading = rows.filter(pl.col("way") == reading)
        belief = by_pair(of_reading)
        name = f"incoherence, {reading}"
        outcomes = count_outcomes(of_reading["outcome"].to_list())
        if not len(belief):
            note = f"not readable: needs {need}" if not len(of_reading) else "no pair was read whole"
            estimates.append(Estimate(name, float("nan"), outcomes=outcomes, section="Coherence", note=note))
            continue
        distance = coherence_distance(belief)
        estimates.append(
            Estimate.of(
                name,
                bootstrap(lambda d: float(np.mean(d)), distance),
                unit="pairs",
                outcomes=outcomes,
                section="Coherence",
                note="mean root-mean-square distance to the nearest coherent belief",
            )
        )
        lines += [(reading, rule, float(np.mean(broken)), float(np.mean(by))) for rule, broken, by in _rules(belief)]
    columns = ("read from", "rule", f"broken by more than {TOLERANCE}", "mean excess")
    return Findings(tuple(estimates), (Table("Rules of probability", columns, tuple(lines), section="Coherence"),))


def by_pair(rows: pl.DataFrame) -> np.ndarray:
    """(n, 6) beliefs of the pairs that were read whole, in the order of ROLES."""
    import polars as pl

    if not len(rows):
        return np.empty((0, len(ROLES)))
    wide = rows.filter(pl.col("belief").is_not_null()).pivot("role", index="group", values="belief", sort_columns=False)
    if any(role not in wide.columns for role in ROLES):
        return np.empty((0, len(ROLES)))
    return wide.select(ROLES).drop_nulls().to_numpy()


def _rules(b: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray]]:
    a, c, not_a, not_c, both, either = b.T
    excess = {
        "P(A) + P(not A) = 1": np.abs(np.concatenate([a + not_a, c + not_c]) - 1),
        "P(A and B) <= min(P(A), P(B))": np.maximum(both - np.minimum(a, c), 0),
        "P(A or B) >= max(P(A), P(B))": np.maximum(np.maximum(a, c) - either, 0),
        "P(A and B) + P(A or B) = P(A) + P(B)": np.abs(both + either - a - c),
    }
    return [(rule, by > TOLERANCE + 1e-9, by) for rule, by in excess.items()]


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Beliefs permuted between the pairs, each role and reading for itself: what coherence mere habit would show."""
    return permuted(rows, ("way", "role"), ("belief",), seed)


study = Study(
    source=SOURCE,
    question="Are the stated probabilities those of any one coherent belief?",
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=shuffled,
)
