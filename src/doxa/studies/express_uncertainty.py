"""Expressed uncertainty: with text access only, which way of asking and combining answers gives confidence I can trust?

Three choices make a confidence: how the question is put (vanilla, cot, self_probing, multi_step, top_k, top_k_cot), how
several responses are drawn (self_random, misleading hints, reworded prompting; or a single one), and how these become
one answer with one confidence (consistency, avg_conf, avg_conf_topk, pair_rank). Aggregations, and all numbers of
responses up to M, are scored from the same rows: only the first two choices cost calls. With --white-box the token
probabilities of single responses stand beside the stated confidence.

Differs from the paper: the default questions are facts of the bank with four options, and sums (--set takes the eight
published sets or your own); figures are over all questions, and the mean over sets is in a table; prompts are in our
words; pair_rank has the logarithm that the authors' program lacks, and AURC does not depend on the order of rows
(`variant=published` takes theirs, which moves both); ties between answers go to the higher summed confidence, then to
the first; unread replies are counted, see coverage; fewer wordings than responses are used in turn; every number has an
interval, by whole groups.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from doxa import charts
from doxa.data import published_questions
from doxa.data.confidence_figures import PUBLISHED
from doxa.data.generated import arithmetic
from doxa.data.known_chances import belief, beliefs, questions
from doxa.data.mixture import facts_and_sums, of_set
from doxa.data.wordings import wordings
from doxa.elicit import response_files
from doxa.elicit.answer_tables import graded, shuffled_within
from doxa.elicit.strategies import PROMPTINGS, STRATEGIES, HintGroup, Persona, Setting, check, chosen, respond
from doxa.elicit.token_probability import token_logprobs
from doxa.metrics import foreseen_ways, pair_rank, proportion_clustered, reliability, risk_coverage
from doxa.metrics.as_published import aurc_by_rows, pair_rank_without_log
from doxa.metrics.confidence_scores import NOTHING, confidence_scores
from doxa.metrics.confidence_tables import POINTS, SHOWN, clusters, comparisons
from doxa.metrics.confidence_ways import ORDER, SINGLE, Way, by_set, every_way, ways
from doxa.metrics.foreseen import Foreseen
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import Constant, Holder, Respondent
from doxa.models.simulated_edited import Edited, in_words
from doxa.planted import Expected, Truth
from doxa.records import Answer, Chart, Estimate, Findings, Item, Reading, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

    from doxa.metrics.final_answers import Ranker

RANKERS: Mapping[str, Ranker] = {"corrected": pair_rank, "published": pair_rank_without_log}


@dataclass(frozen=True)
class Options:
    prompt: Annotated[str, f"{', '.join(PROMPTINGS)}; comma-separated, or all"] = "vanilla,top_k"
    sampling: Annotated[str, f"{', '.join(STRATEGIES)}; comma-separated, or all"] = "single,self_random"
    responses: Annotated[int, "M, responses to a question of every sampling strategy but single"] = 5
    temperature: Annotated[float, "sampling temperature; single responses are greedy"] = 0.7
    k: Annotated[int, "guesses asked for by top_k"] = 4
    steps: Annotated[int, "steps asked for by multi_step"] = 3
    hints: Annotated[HintGroup, "hints that mislead: all, opinions first; or one group"] = "all"
    wrong_only: Annotated[bool, "hints never name the right answer"] = False
    persona: Annotated[Persona, "a role in front of every prompt"] = "none"
    white_box: Annotated[bool, "token probabilities of single responses beside the stated confidence"] = False
    set: Annotated[str | None, "questions: published sets, paths or hub ids, comma-separated; none: the bank"] = None
    paraphrases: Annotated[str, "column of a set that lists paraphrases; without any the model rewords"] = "paraphrases"
    questions: Annotated[int, "questions from the bank, half facts and half sums; a set is used whole"] = 300
    scale: Annotated[response_files.Scale, "scoring files: unit of confidences without a percent sign"] = "auto"
    variant: Annotated[Literal["corrected", "published"], "pair_rank and AURC: ours, or as published"] = "corrected"
    bins: Annotated[int, "equal-width bins of the calibration error"] = 10
    resamples: Annotated[int, "resamples of the intervals"] = 1000
    max_tokens: Annotated[int, "tokens a reply may have"] = 512

    def __post_init__(self) -> None:
        chosen(self.prompt, PROMPTINGS, "prompt")
        check(chosen(self.sampling, STRATEGIES, "sampling"), self.setting(0))

    def setting(self, seed: int) -> Setting:
        """How responses are asked for; `seed` is that of random hints."""
        how = (self.responses, self.temperature, self.max_tokens, self.k, self.steps)
        return Setting(*how, self.hints, self.wrong_only, self.persona, self.white_box, seed)


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


def items(options: Options) -> list[Item]:
    """All questions of the sets, or so many of the bank."""
    if options.set is None:
        return facts_and_sums(options.questions)
    return [item for source in options.set.split(",") for item in published_questions.questions(source.strip())]


def example() -> list[Item]:
    towns = ("Arnholt", "Velmora", "Tessby", "Korvik")
    asked = [Item(f"town/{i}", f"Which town lies on river {i}?", "choice", towns, towns[i % 4]) for i in range(6)]
    return [of_set(item, "towns") for item in asked] + [of_set(item, "sums") for item in arithmetic(4)]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Every prompting strategy under every sampling strategy."""
    texts, setting = wordings(item, options.paraphrases), options.setting(ask.seed)
    truth = item.answer_letter if item.options else item.answer
    for prompting in chosen(options.prompt, PROMPTINGS, "prompt"):
        for sampling in chosen(options.sampling, STRATEGIES, "sampling"):
            arm = f"{prompting}, {sampling}"
            asked = respond(ask, item, prompting, sampling, setting, wordings=texts, condition=arm)
            for sample, response in enumerate(await asked):
                logprobs = token_logprobs(response.reply)
                yield Row(
                    item=item.id,
                    condition=arm,
                    sample=sample,
                    text=response.text,
                    prompting=prompting,
                    sampling=sampling,
                    kind=item.kind,
                    options=len(item.options),
                    set=str(item.fields.get(published_questions.SET, "")),
                    **_read(response.answer),
                    overall=response.overall,
                    hint=response.hint.name if response.hint else None,
                    hinted=response.hinted,
                    reply_logprob=logprobs.reply if logprobs else None,
                    tokens=logprobs.tokens if logprobs else None,
                    answer_logprob=logprobs.answer if logprobs else None,
                    truth=() if truth is None else (truth, *item.accepted),
                )


def _read(answer: Answer) -> dict[str, Any]:
    """What was read, as fields of a row."""
    guesses, probabilities = tuple(g for g, _ in answer.guesses), tuple(p for _, p in answer.guesses)
    read = {"outcome": answer.outcome, "answer": answer.value, "confidence": answer.confidence}
    return read | {"guesses": guesses, "probabilities": probabilities}


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Numbers of every way to a confidence, and tables that compare them."""
    table = _table(rows)
    every = _ways(table, options)
    estimates = [*(e for way in every for e in _estimates(way, table, options)), *_stated(table)]
    tables = _compared(table, every, {e.name: e.value for e in estimates}, options)
    return Findings(tuple(estimates), tuple(tables), tuple(_charts(every, options)), notes=tuple(_notes(table)))


def _table(rows: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return graded(rows.with_columns(pl.coalesce("group", "item").alias("group")).sort(ORDER))


def _ways(table: pl.DataFrame, options: Options) -> list[Way]:
    """All ways, single responses first and strategies as they are listed: others are held against the first."""
    place = {str(name): i for i, name in enumerate((*STRATEGIES, *PROMPTINGS))}
    every = ways(table, ranker=RANKERS[options.variant])
    return sorted(every, key=lambda w: (w.sampling != SINGLE, place.get(w.prompting, 99), place.get(w.sampling, 99)))


def _estimates(way: Way, table: pl.DataFrame, options: Options) -> Iterator[Estimate]:
    import polars as pl

    read, asked = way.read, way.items
    columns = read["confidence"], read["correct"], read["group"]
    found = confidence_scores(*columns, bins=options.bins, resamples=options.resamples)
    if options.variant == "published" and len(read):
        value = aurc_by_rows(read["confidence"], read["correct"])
        found["AURC"] = replace(NOTHING, value=value, n=len(read), method="as published, items in order of their ids")
    found["coverage"] = proportion_clustered(asked["confidence"].is_not_null(), asked["group"])
    known, right = int(asked["known"].sum()), int(read["correct"].sum())
    bounds = {"accuracy": (right / known, (right + known - len(read)) / known)} if known else {}
    replies = table.filter(pl.col("prompting") == way.prompting, pl.col("sampling") == way.sampling)
    outcomes = count_outcomes(replies["outcome"].to_list())
    for name, interval in found.items():
        made = Estimate.of(f"{name}, {way.label}", interval, unit="questions", outcomes=outcomes, section=way.label)
        yield replace(made, bounds=bounds.get(name))


def _stated(table: pl.DataFrame) -> Iterator[Estimate]:
    """How stated numbers cluster."""
    for name, share, outcomes in clusters(table):
        counts = count_outcomes(outcomes)
        yield Estimate.of(name, share, unit="responses", outcomes=counts, section="Stated numbers")


def _compared(table: pl.DataFrame, every: Sequence[Way], values: Mapping[str, float], options: Options) -> list[Table]:
    lines = comparisons(
        *(table, every, values),
        most=options.responses,
        ranker=RANKERS[options.variant],
        bins=options.bins,
        resamples=options.resamples,
    )
    return [Table(one.name, one.columns, one.rows, section="Comparisons", note=one.note) for one in lines]


def _charts(every: Sequence[Way], options: Options) -> Iterator[Chart]:
    shown = {w.label: w.read for w in every if w.how in SHOWN and len(w.read)}
    for label, read in shown.items():
        said, right = read["confidence"].to_numpy(), read["correct"].to_numpy().astype(float)
        bins = reliability(said, right, bins=options.bins)
        yield charts.reliability_chart(bins, name=f"Reliability, {label}", section=label)
        name = f"Confidence when right and wrong, {label}"
        yield charts.confidence_histogram(said, right, bins=21, name=name, section=label)
    if shown:
        curves = {label: risk_coverage(read["confidence"], read["correct"]) for label, read in shown.items()}
        lines = {label: (curve.coverage, curve.risk) for label, curve in curves.items()}
        yield charts.risk_coverage_chart(lines, section="Comparisons")


def _notes(table: pl.DataFrame) -> Iterator[str]:
    unknown = table.filter(~table["known"])["item"].n_unique()
    if unknown:
        yield f"{unknown} questions have no known answer: they count in coverage and in stated numbers only"
    unread = int((table["outcome"] != "ok").sum())
    if unread:
        yield f"{unread} of {len(table)} responses could not be read, and are in no confidence; see coverage"


# --- recorded responses ----------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """A table of responses (see `elicit.response_files`), or rows of a run: .jsonl, .json, .csv, .tsv, .parquet."""
    table = list(read_rows(path))
    if table and {"prompting", "sampling", "kind", "truth"} <= set(table[0][1]):
        return Recorded(path.stem, frame([cells for _, cells in table], Row))
    found, notes = response_files.responses(table, str(path), scale=options.scale)
    return Recorded(path.stem, frame([_recorded(response) for response in found], Row), notes=tuple(notes))


def _recorded(response: response_files.RecordedResponse) -> Row:
    answer, overall = response.read()
    return Row(
        **{name: getattr(response, name) for name in ("prompting", "sampling", "sample", "group", "kind", "set")},
        **_read(answer),
        item=response.id,
        condition=f"{response.prompting}, {response.sampling}",
        text=response.reply,
        options=len(response.options),
        overall=overall,
        truth=response.canonical_truth,
    )


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Files (one for each model, say) by set and way."""
    lines: list[tuple[Any, ...]] = []
    for one in recorded:
        every = _ways(_table(one.rows), options)
        lines += [(one.label, *line) for line in by_set(every, options.bins)]
    return Findings(tables=(Table("Files by set", ("file", "way", "set", *POINTS), tuple(lines)),))


# --- what is planted -------------------------------------------------------------------------------------------------

FEW = Options(resamples=100)
M, ANEW = FEW.responses, ("vanilla, self_random", "vanilla, prompting")
HOLDER = Respondent(belief=Holder(belief), decoding="greedy")  # holds each answer as firmly as the item's chance says


def _shown(found: Mapping[str, Foreseen]) -> list[Expected]:
    why = "confidence is stated to 0.01 %"
    return [Expected(name, value, sd, n, slack=1e-4, why=why) for name, (value, sd, n) in found.items()]


PLANTED = (
    Truth(
        name="over-confidence",
        what="says a floor and a part of its calibrated belief, in steps of 5 %; null: the belief",
        respondent=lambda floor: replace(HOLDER, confidence=lambda p, c: float(foreseen_ways.inflated(floor, p))),
        strength=0.8,
        null=0.0,
        expects=lambda floor, asked: _shown(foreseen_ways.of_inflated(floor, beliefs(asked), promptings=PROMPTINGS)),
        grid=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
        drawn=("overconfidence, vanilla", "ECE, multi_step", "AUROC, top_k"),
        options=replace(FEW, prompt="all", sampling="single"),
        items=lambda options: questions(300),
    ),
    Truth(
        name="agreement of several answers",
        what="draws each answer from a calibrated belief of this firmness; null: even beliefs",
        respondent=lambda firmness: Respondent(belief=Holder(partial(belief, firmness=firmness))),
        strength=0.9,
        null=0.0,
        expects=lambda firmness, asked: _shown(foreseen_ways.of_drawn(beliefs(asked, firmness), M, strategies=ANEW)),
        grid=(0.0, 0.25, 0.5, 0.75, 1.0),
        drawn=tuple(f"{name}, vanilla, self_random, consistency" for name in ("accuracy", "ECE", "AUROC")),
        options=replace(FEW, prompt="vanilla", sampling="self_random,prompting"),
        items=lambda options: questions(300),
    ),
    Truth(
        name="lists of guesses",
        what="lists two options in the order in which they are drawn from its belief; null: even beliefs",
        respondent=lambda firmness: Respondent(belief=Holder(partial(belief, firmness=firmness, options=2))),
        strength=0.9,
        null=0.0,
        expects=lambda firmness, asked: _shown(foreseen_ways.of_lists(beliefs(asked, firmness, 2), M)),
        options=replace(FEW, prompt="top_k", sampling="self_random"),
        items=lambda options: questions(300, options=2),
    ),
    Truth(
        name="misleading hints",
        what="follows hints at a rate, else keeps its answer; null: never",
        respondent=lambda rate: replace(HOLDER, decoding="modal", follows=rate),
        strength=0.6,
        null=0.0,
        expects=lambda rate, asked: _shown(foreseen_ways.of_hinted(rate, beliefs(asked), M)),
        grid=(0.0, 0.25, 0.5, 0.75, 1.0),
        drawn=("overconfidence, vanilla, misleading, consistency",),
        options=replace(FEW, prompt="vanilla", sampling="misleading"),
        items=lambda options: questions(300, options=4),
    ),
    Truth(
        name="token probabilities",
        what="says 90 %; the tokens around its answer have this probability; null: they are certain",
        respondent=lambda sure: Edited(
            replace(HOLDER, confidence=Constant(0.9)), partial(in_words, sure), f"in words of probability {sure}"
        ),
        strength=0.9,
        null=1.0,
        expects=lambda sure, asked: _shown(foreseen_ways.of_tokens(sure, beliefs(asked), said=0.9, tokens=6)),
        options=replace(FEW, prompt="vanilla", sampling="single", white_box=True),
        items=lambda options: questions(300),
    ),
    Truth(
        name="unread replies",
        what="is out of format at a rate, and admits at the same rate not to know; null: neither",
        respondent=lambda rate: replace(HOLDER, format_errors=rate, abstains=rate),
        strength=0.3,
        null=0.0,
        expects=lambda rate, asked: _shown(foreseen_ways.of_unread(rate, beliefs(asked), M)),
        options=replace(FEW, prompt="vanilla,self_probing", sampling="single,self_random,misleading"),
        items=lambda options: questions(150),
    ),
)

study = Study(
    source=Source(
        "Can LLMs Express Their Uncertainty? An Empirical Evaluation of Confidence Elicitation in LLMs",
        2023,
        arxiv="2306.13063",
        venue="ICLR 2024",
    ),
    question="With text access only, which way of asking and combining answers gives confidence I can trust?",
    needs=lambda options: {"generate", "logprobs"} if options.white_box else {"generate"},
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=shuffled_within,
    read_file=read_file,
    across=across,
    published=tuple(Published(*figure) for figure in PUBLISHED),
    planted=PLANTED,
    graded=lambda rows, options: every_way(_ways(_table(rows), options)),
)
