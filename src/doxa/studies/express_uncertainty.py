"""Expressed uncertainty: with text access only, which way of asking and combining answers gives confidence one can trust?

Three choices make a confidence: how the question is put (vanilla, cot, self_probing, multi_step, top_k, top_k_cot), how
several responses are sampled (self_random, misleading hints, reworded prompting; or a single one), and how these become
one answer with one confidence (consistency, avg_conf, avg_conf_topk, pair_rank). All aggregations and all numbers of
responses up to M are scored from the same rows, so only the first two cost calls. With --white-box the token
probabilities of single responses stand beside the stated confidence.

Differs from the paper: the default questions are facts of the bank with four options, and sums (--set takes the eight
published sets or your own), and figures are over all questions, not means over sets, which stand in a table; prompts
are in our words; pair_rank has the logarithm that the authors' program lacks, and AURC does not depend on the order of
rows (`variant=published` takes theirs, which moves both); ties between answers are settled by summed confidence, then by
first appearance; unread replies are counted, see coverage; fewer rewordings than responses are used in turn; each
number has an interval, by whole groups.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import numpy as np

from doxa import charts
from doxa.data import published_questions, response_files
from doxa.data.facts import facts
from doxa.data.generated import arithmetic
from doxa.data.render import choice_item
from doxa.data.wordings import wordings
from doxa.elicit.form import value_of
from doxa.elicit.grading import is_correct, normalised
from doxa.elicit.strategies import (
    PROMPTINGS,
    STRATEGIES,
    HintGroup,
    Persona,
    Prompting,
    Response,
    Setting,
    Strategy,
    check,
    form_of,
    respond,
)
from doxa.elicit.token_probability import token_logprobs
from doxa.metrics import aurc, auroc, ece, proportion_clustered, reliability, risk_coverage
from doxa.metrics.as_published import aurc_by_rows, pair_rank_without_log
from doxa.metrics.confidence_scores import NAMES, NOTHING, confidence_scores, gains
from doxa.metrics.ranking import pair_rank
from doxa.models.recorded_files import read_rows
from doxa.records import Chart, DoxaError, Estimate, Findings, Item, Reading, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

Name = TypeVar("Name", bound=str)

SINGLE, STATED = "single", "stated"
LEVELS = (2, 3, 4, 5)  # difficulties of the sums
WHITE_BOX = ("seq_prob", "len_norm_prob", "token_prob")
NAN = float("nan")


@dataclass(frozen=True)
class Options:
    prompt: Annotated[str, "prompting strategies, comma-separated, or all"] = "vanilla,top_k"
    sampling: Annotated[str, "sampling strategies, comma-separated, or all"] = "single,self_random"
    responses: Annotated[int, "M, responses to a question of every sampling strategy but single"] = 5
    temperature: Annotated[float, "sampling temperature; single responses are greedy"] = 0.7
    k: Annotated[int, "guesses asked for by top_k"] = 4
    steps: Annotated[int, "steps asked for by multi_step"] = 3
    hints: Annotated[HintGroup, "hints that mislead: all, opinions first; or one group"] = "all"
    wrong_only: Annotated[bool, "hints never name the right answer"] = False
    persona: Annotated[Persona, "a role in front of every prompt"] = "none"
    white_box: Annotated[bool, "token probabilities of single responses beside the stated confidence"] = False
    set: Annotated[str | None, "questions: names of published sets, paths or hub ids, comma-separated; none: bank"] = None
    paraphrases: Annotated[str, "column of a set that lists paraphrases; without one the model rewords"] = "paraphrases"
    questions: Annotated[int, "questions from the bank, half facts and half sums; a set is used whole"] = 300
    scale: Annotated[response_files.Scale, "scoring files: unit of confidences without a percent sign"] = "auto"
    variant: Annotated[Literal["corrected", "published"], "pair_rank and AURC: ours, or as published"] = "corrected"
    bins: Annotated[int, "equal-width bins of the calibration error"] = 10
    resamples: Annotated[int, "resamples of the intervals"] = 1000
    max_tokens: Annotated[int, "tokens a reply may have"] = 512

    def __post_init__(self) -> None:
        chosen(self.prompt, PROMPTINGS, "prompt")
        check(chosen(self.sampling, STRATEGIES, "sampling"), self.setting())

    def setting(self, seed: int = 0) -> Setting:
        """How each question is asked, the same for all strategies."""
        return Setting(
            n=self.responses,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            k=self.k,
            steps=self.steps,
            hints=self.hints,
            wrong_only=self.wrong_only,
            persona=self.persona,
            logprobs=self.white_box,
            seed=seed,
        )


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One response.

    kind, options   of the question: "choice", "number", ...; how many options it has
    answer          canonical: a letter where there are options; None: not read
    confidence      that `answer` is right; of multi_step the product of the steps, beside the `overall` one
    guesses         of top_k, best first, with their `probabilities`
    hint, hinted    the misleading hint and the answer that it names
    reply_logprob   nats, of all `tokens` of the reply that answers; answer_logprob: of the answer in it
    truth           right answers in canonical form; empty: not known
    """

    prompting: str
    sampling: str
    kind: str
    options: int = 0
    set: str = ""
    answer: str | None = None
    confidence: float | None = None
    overall: float | None = None
    guesses: tuple[str, ...] = ()
    probabilities: tuple[float, ...] = ()
    hint: str | None = None
    hinted: str | None = None
    reply_logprob: float | None = None
    tokens: int | None = None
    answer_logprob: float | None = None
    truth: tuple[str, ...] = ()


# --- asking ----------------------------------------------------------------------------------------------------------


def chosen(names: str, known: Sequence[Name], option: str) -> list[Name]:
    """The strategies that an option names; DoxaError for one that is not known."""
    asked = [name.strip().replace("-", "_") for name in names.split(",")]
    unknown = [name for name in asked if name not in (*known, "all")]
    if unknown:
        raise DoxaError(f"{option} names {unknown[0]!r}; there are {', '.join(known)}, and all")
    return [name for name in known if name in asked or "all" in asked]


def items(options: Options) -> list[Item]:
    """Questions of the sets, or facts and sums in turn, so that any first part has both."""
    if options.set is not None:
        return [item for source in options.set.split(",") for item in published_questions.questions(source.strip())]
    bank, half = facts(), (options.questions + 1) // 2
    if not 1 <= options.questions <= 2 * len(bank):
        raise DoxaError(f"questions is {options.questions}; the bank gives 1 to {2 * len(bank)}. For more, bring a --set")
    about = [choice_item(bank[i * len(bank) // half]) for i in range(half)]
    sums = [item for level in LEVELS for item in arithmetic(-(-half // len(LEVELS)), level)]
    random.Random("express-uncertainty").shuffle(about)
    random.Random("express-uncertainty").shuffle(sums)
    both = (_of_set(item, name) for pair in zip(about, sums, strict=False) for item, name in zip(pair, ("facts", "sums"), strict=True))
    return list(both)[: options.questions]


def _of_set(item: Item, name: str) -> Item:
    return replace(item, fields={**item.fields, published_questions.SET: name})


def example() -> list[Item]:
    towns = ("Arnholt", "Velmora", "Tessby", "Korvik")
    about = [
        Item(f"town/{i}", f"Which town lies on river {i}?", "choice", towns, towns[i % 4], popularity=(i + 0.5) / 6)
        for i in range(6)
    ]
    return [_of_set(item, "towns") for item in about] + [_of_set(item, "sums") for item in arithmetic(4)]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Every prompting strategy under every sampling strategy."""
    texts = wordings(item, options.paraphrases)
    for prompting in chosen(options.prompt, PROMPTINGS, "prompt"):
        for sampling in chosen(options.sampling, STRATEGIES, "sampling"):
            arm = f"{prompting}, {sampling}"
            asked = respond(
                ask, item, prompting, sampling, options.setting(ask.seed), wordings=texts, condition=arm
            )
            for sample, response in enumerate(await asked):
                yield _row(item, prompting, sampling, sample, response)


def _row(item: Item, prompting: Prompting, sampling: Strategy, sample: int, response: Response) -> Row:
    answer, logprobs = response.answer, token_logprobs(response.reply)
    letter = item.answer_letter if item.options else item.answer
    return Row(
        item=item.id,
        condition=f"{prompting}, {sampling}",
        sample=sample,
        outcome=answer.outcome,
        text=response.text,
        prompting=prompting,
        sampling=sampling,
        kind=item.kind,
        options=len(item.options),
        set=str(item.fields.get(published_questions.SET, "")),
        answer=answer.value,
        confidence=answer.confidence,
        overall=response.overall,
        guesses=tuple(guess for guess, _ in answer.guesses),
        probabilities=tuple(p for _, p in answer.guesses),
        hint=response.hint.name if response.hint else None,
        hinted=response.hinted,
        reply_logprob=logprobs.reply if logprobs else None,
        tokens=logprobs.tokens if logprobs else None,
        answer_logprob=logprobs.answer if logprobs else None,
        truth=() if letter is None else (letter, *item.accepted),
    )


# --- from responses to one answer with one confidence ----------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """One way to a confidence, and what came of it: how a question was put, how sampled, what the confidence is.

    items  one row per question: item, group, set, truth, kind, answer, confidence, correct (null: not known, or unread)
    """

    prompting: str
    sampling: str
    how: str
    items: pl.DataFrame

    @property
    def label(self) -> str:
        single = (self.prompting,) if self.how == STATED else (self.prompting, self.how)
        return ", ".join(single if self.sampling == SINGLE else (self.prompting, self.sampling, self.how))

    @property
    def read(self) -> pl.DataFrame:
        """Questions with a final answer, a confidence and a known truth."""
        return self.items.drop_nulls(["confidence", "correct"])


def ways(rows: pl.DataFrame, options: Options, *, at_most: int | None = None) -> list[Way]:
    """All ways that the rows allow, from the first `at_most` responses of each question."""
    import polars as pl

    found = []
    kept = rows if at_most is None else rows.filter(pl.col("sample") < at_most)
    for (prompting, sampling), part in kept.group_by("prompting", "sampling", maintain_order=True):
        of = part.group_by("item", maintain_order=True).agg(pl.col("group", "set", "kind", "truth").first())
        read = part.filter((pl.col("outcome") == "ok") & pl.col("answer").is_not_null())
        finals = _single(read) if sampling == SINGLE else _sampled(read, str(sampling), options)
        for how, final in finals.items():
            joined = of.join(final, on="item", how="left", maintain_order="left")
            found.append(Way(str(prompting), str(sampling), how, joined.with_columns(_correct(joined))))
    return found


def _single(read: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The first response, with what may be taken as its confidence."""
    import polars as pl

    first = read.unique("item", keep="first", maintain_order=True)
    reply, answer = pl.col("reply_logprob"), pl.col("answer_logprob")
    hows = {STATED: pl.col("confidence"), "overall": pl.col("overall")}
    hows |= dict(zip(WHITE_BOX, (reply.exp(), (reply / pl.col("tokens")).exp(), answer.exp()), strict=True))
    finals = {how: first.select("item", "answer", confidence=value) for how, value in hows.items()}
    return {how: final for how, final in finals.items() if how == STATED or final["confidence"].count()}


def _sampled(read: pl.DataFrame, sampling: str, options: Options) -> dict[str, pl.DataFrame]:
    """Several responses, aggregated in every way that their form allows.

    A misleading hint must not change the answer, only the confidence in it: consistency and avg_conf are those of the
    answer that was given without a hint.
    """
    import polars as pl

    from doxa.metrics import final_answers

    responses = read.select("item", "answer", "confidence", order="sample")
    listed = read.filter(pl.col("guesses").list.len() > 0)
    scores = {
        "consistency": final_answers.consistency(responses),
        "avg_conf_top1" if len(listed) else "avg_conf": final_answers.avg_conf(responses),
    }
    unhinted = read.filter(pl.col("sample") == 0) if sampling == "misleading" else None
    final = {
        how: final_answers.best(s) if unhinted is None else final_answers.of_answers(s, unhinted)
        for how, s in scores.items()
    }
    if len(listed):
        guesses = listed.select(
            "item",
            response="sample",
            answer="guesses",
            confidence="probabilities",
            rank=pl.int_ranges(pl.col("guesses").list.len()),
        ).explode("answer", "confidence", "rank")
        guesses = guesses.with_columns(order=pl.col("response") * 1000 + pl.col("rank"))
        ranker = pair_rank if options.variant == "corrected" else pair_rank_without_log
        final["avg_conf_topk"] = final_answers.best(final_answers.mean_conf(guesses))
        final["pair_rank"] = final_answers.best(final_answers.ranked(guesses, ranker))
    return final


def _correct(finals: pl.DataFrame) -> pl.Series:
    """Whether each final answer is right; null where there is none, or the truth is not known."""
    import polars as pl

    @cache
    def right(kind: str, answer: str, truth: tuple[str, ...]) -> bool:
        return is_correct(answer, Item("", "", kind, answer=truth[0], accepted=truth[1:]))  # type: ignore[arg-type]

    graded = [
        right(kind, answer, tuple(truth)) if answer is not None and truth else None
        for kind, answer, truth in finals.select("kind", "answer", "truth").iter_rows()
    ]
    return pl.Series("correct", graded, dtype=pl.Boolean)


def prepared(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in one order, with a group each, and equal answers spelt alike."""
    import polars as pl

    table = rows.with_columns(pl.coalesce("group", "item").alias("group"))
    table = table.sort("prompting", "sampling", "item", "sample")
    spelt = [value for value in (*table["answer"], *table["guesses"].explode()) if value is not None]
    first: dict[str, str] = {}
    same = {value: first.setdefault(normalised(value), value) for value in dict.fromkeys(spelt)}
    return table.with_columns(
        pl.col("answer").replace(same), pl.col("guesses").list.eval(pl.element().replace(same))
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Numbers of every way to a confidence, and tables that compare them."""
    table = prepared(rows)
    every = ways(table, options)
    estimates = [e for way in every for e in _estimates(way, table, options)]
    estimates += list(_stated(table))
    values = {e.name: e.value for e in estimates}
    tables = [
        *_comparisons(every, values),
        *_gains(every, options),
        *_sweep(table, every, options),
        *_by_set(every, options),
        *_hints(table),
    ]
    return Findings(tuple(estimates), tuple(tables), tuple(_charts(every, options)), notes=tuple(_notes(table)))


def _of_strategy(table: pl.DataFrame, way: Way) -> pl.DataFrame:
    return table.filter((table["prompting"] == way.prompting) & (table["sampling"] == way.sampling))


def _estimates(way: Way, table: pl.DataFrame, options: Options) -> Iterator[Estimate]:
    read, asked = way.read, way.items
    found = confidence_scores(
        read["confidence"], read["correct"], read["group"], bins=options.bins, resamples=options.resamples
    )
    if options.variant == "published" and len(read):
        value = aurc_by_rows(read["confidence"], read["correct"])
        found["AURC"] = replace(NOTHING, value=value, n=len(read), method="as published, by the order of items")
    answered = asked["confidence"].is_not_null().cast(float)
    found["coverage"] = proportion_clustered(answered, asked["group"])
    known = int((asked["truth"].list.len() > 0).sum())
    right = int(read["correct"].sum() or 0)
    bounds = (right / known, (right + known - len(read)) / known) if known else None
    outcomes = count_outcomes(_of_strategy(table, way)["outcome"].to_list())
    for name, interval in found.items():
        yield Estimate.of(
            f"{name}, {way.label}",
            interval,
            unit="questions",
            outcomes=outcomes,
            bounds=bounds if name == "accuracy" else None,
            section=way.label,
        )


def _stated(table: pl.DataFrame) -> Iterator[Estimate]:
    """How stated numbers cluster: at multiples of 5 %, and from 80 % up."""
    import polars as pl

    for (prompting, sampling), part in table.group_by("prompting", "sampling", maintain_order=True):
        label = str(prompting) if sampling == SINGLE else f"{prompting}, {sampling}"
        said = part.filter(pl.col("outcome") == "ok").with_columns(p=100 * pl.coalesce("overall", "confidence"))
        said = said.drop_nulls("p")
        shares = {
            "multiples of 5": ((said["p"] / 5 - (said["p"] / 5).round()).abs() < 1e-6),
            "from 80 to 100": said["p"] > 80 - 1e-6,
        }
        for name, hits in shares.items():
            interval = proportion_clustered(hits.cast(float), said["group"]) if len(said) else NOTHING
            outcomes = count_outcomes(part["outcome"].to_list())
            yield Estimate.of(
                f"{name}, {label}", interval, unit="responses", outcomes=outcomes, section="Stated numbers"
            )
