"""From graded responses to every way of having one answer with one confidence for each item.

A table of responses has one row per response: prompting (how it was asked), sampling (how the item's responses were
drawn), item, sample (its number), group, set, known (whether the truth is), outcome, answer, correct, confidence,
overall (a second stated confidence), reply_logprob, tokens, answer_logprob (nats), and the lists guesses, probabilities
and guesses_correct. It is sorted by `ORDER`, and equal answers are spelt alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doxa.metrics.calibration import ece
from doxa.metrics.confidence_scores import gains
from doxa.metrics.discrimination import auroc
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.ranking import pair_rank

if TYPE_CHECKING:
    import polars as pl

    from doxa.metrics.final_answers import Ranker

SINGLE, STATED, MISLEADING = "single", "stated", "misleading"
WHITE_BOX = ("seq_prob", "len_norm_prob", "token_prob")
Points = list[tuple[str, str, int, float, float, float]]

ORDER = ("prompting", "sampling", "item", "sample")


@dataclass(frozen=True, eq=False)
class Way:
    """How an item was asked, how often and how, and what is taken as the confidence.

    items  one row per item: item, group, set, known, answer, correct, confidence (null: there is none)
    """

    prompting: str
    sampling: str
    how: str
    items: pl.DataFrame

    @property
    def label(self) -> str:
        """ "vanilla", "vanilla, seq_prob" or "vanilla, self_random, consistency"."""
        how = () if self.sampling == SINGLE and self.how == STATED else (self.how,)
        return ", ".join((self.strategy, *how))

    @property
    def strategy(self) -> str:
        """Without what is taken as the confidence."""
        return self.prompting if self.sampling == SINGLE else f"{self.prompting}, {self.sampling}"

    @property
    def read(self) -> pl.DataFrame:
        """Items with an answer, a confidence and a known truth."""
        return self.items.drop_nulls(["confidence", "correct"])

    def points(self, bins: int = 10) -> tuple[int, float, float, float]:
        """Items, accuracy, ECE and AUROC, without intervals; nan without items."""
        c, y = self.read["confidence"].to_numpy(), self.read["correct"].to_numpy().astype(float)
        return (len(c), float(y.mean()), ece(c, y, bins=bins), auroc(c, y)) if len(c) else (0, NAN, NAN, NAN)


def every_way(found: Sequence[Way]) -> pl.DataFrame:
    """Items of all ways, one row each, with the column `way`."""
    import polars as pl

    return pl.concat([way.items.with_columns(way=pl.lit(way.label)) for way in found])


def ways(responses: pl.DataFrame, *, ranker: Ranker = pair_rank, at_most: int | None = None) -> list[Way]:
    """All ways that the responses allow, by prompting, sampling, and what is taken as the confidence.

    Of a single response: the stated confidence, the overall one, and `WHITE_BOX` where it has log-probabilities. Of
    several: consistency and avg_conf, and from lists of guesses avg_conf_topk and pair_rank (avg_conf is avg_conf_top1
    then). A misleading hint must not change the answer, only the confidence in it: consistency and avg_conf are those
    of the answer that was given without a hint (sample 0), and there is none if that was not read.

    ranker   what turns lists of guesses into probabilities
    at_most  only the first so many responses to each item
    source   Xiong et al. 2023, arXiv 2306.13063, sec. 4
    """
    import polars as pl

    found = []
    kept = responses if at_most is None else responses.filter(pl.col("sample") < at_most)
    for (prompting, sampling), part in kept.group_by("prompting", "sampling", maintain_order=True):
        asked = part.group_by("item", maintain_order=True).agg(pl.col("group", "set", "known").first())
        read = part.filter((pl.col("outcome") == "ok") & pl.col("answer").is_not_null())
        finals = _single(read) if sampling == SINGLE else _several(read, sampling == MISLEADING, ranker)
        for how, final in finals.items():
            joined = asked.join(final, on="item", how="left", maintain_order="left")
            defined = joined.with_columns(pl.col("confidence").fill_nan(None))
            found.append(Way(str(prompting), str(sampling), how, defined))
    return found


def _single(read: pl.DataFrame) -> dict[str, pl.DataFrame]:
    import polars as pl

    first = read.unique("item", keep="first", maintain_order=True)
    reply, answer = pl.col("reply_logprob"), pl.col("answer_logprob")
    confidences = {
        STATED: pl.col("confidence"),
        "overall": pl.col("overall"),
        **dict(zip(WHITE_BOX, (reply.exp(), (reply / pl.col("tokens")).exp(), answer.exp()), strict=True)),
    }
    finals = {how: first.select("item", "answer", "correct", confidence=c) for how, c in confidences.items()}
    return {how: final for how, final in finals.items() if how == STATED or final["confidence"].count()}


def _several(read: pl.DataFrame, misled: bool, ranker: Ranker) -> dict[str, pl.DataFrame]:
    import polars as pl

    from doxa.metrics import final_answers

    responses = read.select("item", "answer", "correct", "confidence", order="sample")
    listed = read.filter(pl.col("guesses").list.len() > 0)
    final: Callable[[pl.DataFrame], pl.DataFrame] = final_answers.best
    if misled:
        unhinted = read.filter(pl.col("sample") == 0)

        def final(scores: pl.DataFrame) -> pl.DataFrame:
            return final_answers.of_answers(scores, unhinted)

    finals = {
        "consistency": final(final_answers.consistency(responses)),
        "avg_conf_top1" if len(listed) else "avg_conf": final(final_answers.avg_conf(responses)),
    }
    if len(listed):
        guesses = _guesses(listed)
        finals["avg_conf_topk"] = final_answers.best(final_answers.mean_conf(guesses))
        finals["pair_rank"] = final_answers.best(final_answers.ranked(guesses, ranker))
    return finals


def _guesses(listed: pl.DataFrame) -> pl.DataFrame:
    """One row per guess."""
    import polars as pl

    columns = listed.select(
        "item",
        response="sample",
        answer="guesses",
        correct="guesses_correct",
        confidence="probabilities",
        rank=pl.int_ranges(pl.col("guesses").list.len()),
    )
    rows = columns.explode("answer", "correct", "confidence", "rank")
    return rows.with_columns(order=pl.col("response") * (1 + pl.col("rank").max()) + pl.col("rank"))


# --- ways compared ---------------------------------------------------------------------------------------------------


def sweep(responses: pl.DataFrame, sizes: Sequence[int], *, ranker: Ranker = pair_rank, bins: int = 10) -> Points:
    """`Way.points` of every way of having several responses, from the first so many of them: (label, M, points)."""
    import polars as pl

    most = responses.group_by("prompting", "sampling").agg(pl.col("sample").max() + 1)
    held = {(p, s): m for p, s, m in most.iter_rows()}
    return [
        (way.label, str(m), *way.points(bins))
        for m in sizes
        for way in ways(responses.filter(pl.col("sampling") != SINGLE), ranker=ranker, at_most=m)
        if m <= held[way.prompting, way.sampling]
    ]


def by_set(every: Sequence[Way], bins: int = 10) -> Points:
    """`Way.points` on each set of items, and the mean over sets of those that are defined: (label, set, points)."""
    rows: Points = []
    for way in every:
        parts = [
            (str(name), Way(way.prompting, way.sampling, way.how, part).points(bins))
            for (name,), part in way.items.sort("set", maintain_order=True).group_by("set", maintain_order=True)
        ]
        rows += [(way.label, name, *points) for name, points in parts]
        if len(parts) > 1:
            means = [_mean(column) for column in zip(*(points[1:] for _, points in parts), strict=True)]
            accuracy, error, area = means
            rows.append((way.label, "mean of sets", sum(points[0] for _, points in parts), accuracy, error, area))
    return rows


def gains_over(
    base: Way, every: Sequence[Way], *, bins: int = 10, resamples: int = 1000
) -> list[tuple[str, Interval, Interval]]:
    """Of each other way: label, and its AUROC and its ECE minus those of `base`, on the items that both answered."""
    found = []
    for way in every:
        both = way.read.join(base.read, on="item", suffix="_base", maintain_order="left")
        if way is not base and len(both):
            ours, theirs = (both["confidence"], both["correct"]), (both["confidence_base"], both["correct_base"])
            gain = gains(ours, theirs, both["group"], bins=bins, resamples=resamples)
            found.append((way.label, gain["AUROC"], gain["ECE"]))
    return found


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if value == value]
    return sum(defined) / len(defined) if defined else NAN
