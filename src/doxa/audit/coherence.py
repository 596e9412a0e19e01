"""Coherence: are the stated probabilities of a statement, its negation, "and" and "or" those of any one belief?

Pairs of facts give six statements each. Their probabilities are read from words and, where the model can score, from
the log-probabilities of "true" and "false"; the distance to the nearest coherent belief is 0 for a coherent model,
however little it knows. The null shuffles each of the six between the pairs.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa.audit.bank import SOURCE, permuted, spread
from doxa.data.compound import ROLES, compounds
from doxa.data.facts import facts
from doxa.elicit.answers import Probability
from doxa.elicit.options import statement_belief
from doxa.metrics import coherence_distance, mean_interval
from doxa.models.base import Context
from doxa.models.simulated import Respondent
from doxa.models.simulated_values import generator, normals
from doxa.planted import Expected, Truth
from doxa.records import Estimate, Findings, Item, Prompt, Reading, Sampling, Table, count_outcomes
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
                mean_interval(distance, bounds=(0, 1)),
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


# --- what can be planted ----------------------------------------------------------------------------------------------

Fault = Literal["additivity", "conjunction", "noise"]


@dataclass(frozen=True)
class Believer:
    """A belief over the four worlds of a pair, none below .1 and B likelier than A by .2, with one fault of known size.

    additivity   P(not A) and P(not B) too high by `by`
    conjunction  P(A and B) above P(A) by `by`, and P(A or B) as the sum rule then demands
    noise        every probability off by a normal deviation of sd `by`
    """

    fault: Fault
    by: float

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        role = item.fields["role"]
        p = self.coherent(item.cluster)[role]
        if self.fault == "additivity" and role.startswith("not"):
            p += self.by
        if self.fault == "conjunction" and role in ("A and B", "A or B"):
            a, b = (self.coherent(item.cluster)[one] for one in ("A", "B"))
            p = a + self.by if role == "A and B" else b - self.by
        if self.fault == "noise":
            p += self.by * normals(1, "noise", item.id)[0]
        return {"true": p, "false": 1 - p}

    @staticmethod
    def coherent(pair: str) -> dict[str, float]:
        """Probability of each role before the fault."""
        more = 0.1 * generator("worlds", pair).dirichlet(np.ones(4))
        both, only_a, only_b, neither = (np.array([0.2, 0.1, 0.4, 0.2]) + more).tolist()
        a, b = both + only_a, both + only_b
        return dict(zip(ROLES, (a, b, 1 - a, 1 - b, both, 1 - neither), strict=True))


def believer(fault: Fault, format_errors: float = 0.0) -> Callable[[float], Respondent]:
    return lambda by: Respondent(
        address=f"simulated: {fault} violated by {by:g}", decide=Believer(fault, by), format_errors=format_errors
    )


def fault_distance(by: float, asked: Sequence[Item]) -> list[Expected]:
    """Distance of either fault of size d: d sqrt(2) / 3.

    additivity   the nearest belief takes 2/3 d from both negations, d/3 from A and B, from "and" and from "or":
                 squares 8/9 + 2/9 + 2/9 = 4/3 d^2
    conjunction  it takes 2/3 d from "and", adds d/3 to A and 2/3 d to "or", takes d/3 from B, and moves the negations
                 of A and B against them: squares 4/9 + 2/9 + 4/9 + 2/9 = 4/3 d^2
    Root of the mean over six: sqrt(4 / 18) d.
    """
    return _either_reading(by * math.sqrt(2) / 3, 0.0)


def noise_distance(sd: float, asked: Sequence[Item]) -> list[Expected]:
    """Coherent beliefs have 3 of 6 dimensions, so the squares of the other 3 add up to sd^2 chi^2_3 while none is at a
    border: a mean root of sd sqrt(2 / 6) Gamma(2) / Gamma(3/2), a mean square of sd^2 / 2."""
    mean = sd * math.sqrt(2 / 6) / math.gamma(1.5)
    return _either_reading(mean, math.sqrt(sd**2 / 2 - mean**2))


def _either_reading(value: float, sd: float) -> list[Expected]:
    rounded = "words have four decimals"
    return [
        Expected("incoherence, words", value, sd=sd, slack=5e-5, why=rounded),
        Expected("incoherence, log-probabilities", value, sd=sd, slack=1e-7, why="the weight of the solver's last row"),
    ]


PLANTED = (
    Truth(
        name="additivity",
        what="gives two statements' negations a probability too high by a known amount; null: by nothing",
        respondent=believer("additivity"),
        strength=0.15,
        null=0.0,
        expects=fault_distance,
        grid=(0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3),
    ),
    Truth(
        name="conjunction fallacy",
        what='gives "A and B" more than A by a known amount, and 5 % of its replies out of format; null: by nothing',
        respondent=believer("conjunction", format_errors=0.05),
        strength=0.15,
        null=0.0,
        expects=fault_distance,
    ),
    Truth(
        name="noise",
        what="gives each probability with a normal deviation of known size; null: without",
        respondent=believer("noise"),
        strength=0.03,
        null=0.0,
        expects=noise_distance,
        grid=(0.0, 0.005, 0.01, 0.015, 0.02, 0.03),
    ),
)

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
    planted=PLANTED,
)
