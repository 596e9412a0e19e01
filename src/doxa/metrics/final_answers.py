"""Several responses to each item: what each candidate answer scores, and which one is final.

Tables have one row per response, columns item, answer, correct, confidence and order (which response came first);
answers are compared as they stand, so spell equal ones alike. What was not read is left out before, and counted. Scores
are tables of item, answer, correct, score, weight (summed confidence) and order (of first appearance).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from doxa.metrics.ranking import pair_rank

if TYPE_CHECKING:
    import polars as pl

Ranker = Callable[[Sequence[Sequence[str]]], Mapping[str, float]]

SAME = 9  # decimals beyond which scores and weights are tied: sums of confidences carry rounding


def consistency(responses: pl.DataFrame) -> pl.DataFrame:
    """Share of the item's responses that give each answer: (1/M) sum [Y_i = Y].

    source  Xiong et al. 2023, arXiv 2306.13063, sec. 4.3

    >>> import polars as pl
    >>> said = {"answer": list("AABAC"), "confidence": [0.9, 0.8, 0.95, 0.6, 0.5], "order": range(5)}
    >>> table = pl.DataFrame({"item": ["q"] * 5, "correct": [None] * 5, **said})
    >>> consistency(table).sort("order")["score"].to_list()
    [0.6, 0.2, 0.2]
    """
    import polars as pl

    return _votes(responses).with_columns(score=pl.col("votes") / pl.col("votes").sum().over("item"))


def avg_conf(responses: pl.DataFrame) -> pl.DataFrame:
    """Confidence-weighted share of each answer: sum [Y_i = Y] C_i / sum C_i; nan where all of an item's are 0.

    For top-k responses, whose answer is the first guess, this is the form called avg_conf_top1.

    source  Xiong et al. 2023, arXiv 2306.13063, sec. 4.3

    >>> import polars as pl
    >>> said = {"answer": list("AABAC"), "confidence": [0.9, 0.8, 0.95, 0.6, 0.5], "order": range(5)}
    >>> table = pl.DataFrame({"item": ["q"] * 5, "correct": [None] * 5, **said})
    >>> avg_conf(table).sort("order")["score"].round(4).to_list()
    [0.6133, 0.2533, 0.1333]
    """
    import polars as pl

    return _votes(responses).with_columns(score=pl.col("weight") / pl.col("weight").sum().over("item"))


def mean_conf(guesses: pl.DataFrame) -> pl.DataFrame:
    """Mean stated probability of each guess over its appearances (avg_conf_topk); does not sum to 1 over an item.

    guesses  one row per guess of each top-k response
    source   the program of Xiong et al. 2023, arXiv 2306.13063
    """
    import polars as pl

    return _votes(guesses).with_columns(score=pl.col("weight") / pl.col("votes"))


def ranked(guesses: pl.DataFrame, ranker: Ranker = pair_rank) -> pl.DataFrame:
    """Probability of each guess from the order of the guesses in an item's top-k responses, see `pair_rank`.

    guesses  one row per guess, with the columns response and rank (1 is the best); a repeated guess counts once
    """
    import polars as pl

    remembered = cache(lambda lists: dict(ranker(lists)))
    by_rank = guesses.sort("item", "response", "rank")
    lists = by_rank.group_by("item", "response", maintain_order=True).agg(pl.col("answer").unique(maintain_order=True))
    scores = [
        (item, answer, score)
        for item, each in lists.group_by("item", maintain_order=True).agg("answer").iter_rows()
        for answer, score in remembered(tuple(map(tuple, each))).items()
    ]
    found = pl.DataFrame(scores, schema={"item": pl.String, "answer": pl.String, "score": pl.Float64}, orient="row")
    return _votes(guesses).join(found, on=["item", "answer"], maintain_order="left")


def best(scores: pl.DataFrame) -> pl.DataFrame:
    """The answer of highest score, one row per item: item, answer, correct, confidence (its score).

    Ties go to the higher summed confidence, then to the first to appear. A score of nan is no answer.
    """
    import polars as pl

    near = scores.with_columns(s=pl.col("score").round(SAME), w=pl.col("weight").round(SAME))
    first = near.sort("item", "s", "w", "order", descending=[False, True, True, False])
    return _finals(first.unique("item", keep="first", maintain_order=True))


def of_answers(scores: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The score of a given answer to each item (columns item, answer), such as the one given without a hint."""
    return _finals(scores.join(answers.select("item", "answer"), on=["item", "answer"], how="semi")).sort("item")


def _finals(scores: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    kept = scores.filter(pl.col("score").is_not_nan())
    return kept.select("item", "answer", "correct", confidence=pl.col("score"))


def _votes(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return table.group_by("item", "answer", maintain_order=True).agg(
        votes=pl.len(),
        weight=pl.col("confidence").fill_null(0.0).sum(),
        order=pl.col("order").min(),
        correct=pl.col("correct").first(),
    )
