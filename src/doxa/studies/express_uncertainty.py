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
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from doxa import charts
from doxa.data import published_questions
from doxa.data.generated import arithmetic
from doxa.data.mixture import facts_and_sums, of_set
from doxa.data.wordings import wordings
from doxa.elicit import response_files
from doxa.elicit.answer_tables import graded, shuffled_within
from doxa.elicit.strategies import PROMPTINGS, STRATEGIES, HintGroup, Persona, Setting, check, chosen, respond
from doxa.elicit.token_probability import token_logprobs
from doxa.metrics import pair_rank, proportion_clustered, reliability, risk_coverage
from doxa.metrics.as_published import aurc_by_rows, pair_rank_without_log
from doxa.metrics.confidence_scores import NAMES, NOTHING, confidence_scores
from doxa.metrics.confidence_ways import ORDER, SINGLE, STATED, WHITE_BOX, Way, by_set, gains_over, sweep, ways
from doxa.models.recorded_files import read_rows
from doxa.records import Chart, Estimate, Findings, Item, Reading, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

    from doxa.metrics.final_answers import Ranker

SWEEP = (1, 2, 3, 5, 7, 9, 11, 13)  # numbers of responses, as far as there are so many
SHOWN = (STATED, "avg_conf", "avg_conf_top1")  # what charts draw
RANKERS: Mapping[str, Ranker] = {"corrected": pair_rank, "published": pair_rank_without_log}
POINTS = ("n", "accuracy", "ECE", "AUROC")


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
                    outcome=response.answer.outcome,
                    text=response.text,
                    prompting=prompting,
                    sampling=sampling,
                    kind=item.kind,
                    options=len(item.options),
                    set=str(item.fields.get(published_questions.SET, "")),
                    answer=response.answer.value,
                    confidence=response.answer.confidence,
                    overall=response.overall,
                    guesses=tuple(guess for guess, _ in response.answer.guesses),
                    probabilities=tuple(p for _, p in response.answer.guesses),
                    hint=response.hint.name if response.hint else None,
                    hinted=response.hinted,
                    reply_logprob=logprobs.reply if logprobs else None,
                    tokens=logprobs.tokens if logprobs else None,
                    answer_logprob=logprobs.answer if logprobs else None,
                    truth=() if truth is None else (truth, *item.accepted),
                )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Numbers of every way to a confidence, and tables that compare them."""
    table = _table(rows)
    every = _ways(table, options)
    estimates = [*(e for way in every for e in _estimates(way, table, options)), *_stated(table)]
    values = {e.name: e.value for e in estimates}
    tables = (*_comparisons(every, values), *_by_size_and_set(table, every, options), *_hints(table))
    return Findings(tuple(estimates), tables, tuple(_charts(every, options)), notes=tuple(_notes(table)))


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
    """How stated numbers cluster: at multiples of 5 %, and from 80 % up."""
    import polars as pl

    for (prompting, sampling), part in table.group_by("prompting", "sampling", maintain_order=True):
        said = part.filter(pl.col("outcome") == "ok").with_columns(p=100 * pl.coalesce("overall", "confidence"))
        said = said.filter(pl.col("p").is_not_null())
        fives = ((said["p"] / 5).round() - said["p"] / 5).abs() < 1e-6
        outcomes = count_outcomes(part["outcome"].to_list())
        label = prompting if sampling == SINGLE else f"{prompting}, {sampling}"
        for name, hits in (("multiples of 5", fives), ("80 to 100", said["p"] > 80 - 1e-6)):
            share = proportion_clustered(hits, said["group"]) if len(said) else NOTHING
            title, section = f"{name}, {label}", "Stated numbers"
            yield Estimate.of(title, share, unit="responses", outcomes=outcomes, section=section)


# --- ways compared ---------------------------------------------------------------------------------------------------


def _comparisons(every: Sequence[Way], values: Mapping[str, float]) -> Iterator[Table]:
    """The same figures of different ways side by side; a way stands in every table that it belongs to."""
    figures = ("coverage", *NAMES)
    boxed = {way.prompting for way in every if way.how in WHITE_BOX}
    kinds = {
        "Prompting strategies": [w for w in every if w.sampling == SINGLE and w.how == STATED],
        "Sampling strategies": [w for w in every if w.how in (*SHOWN, "consistency")],
        "Aggregations": [w for w in every if w.sampling != SINGLE],
        "White box": [w for w in every if w.prompting in boxed and w.how in (STATED, *WHITE_BOX)],
    }
    for name, some in kinds.items():
        lines = [(w.label, len(w.read), *(values[f"{figure}, {w.label}"] for figure in figures)) for w in some]
        if lines:
            yield Table(name, ("way", "n", *figures), tuple(lines), section="Comparisons")


def _by_size_and_set(table: pl.DataFrame, every: Sequence[Way], options: Options) -> Iterator[Table]:
    sizes = sorted({m for m in SWEEP if m < options.responses} | {options.responses})
    sized = sweep(table, sizes, ranker=RANKERS[options.variant], bins=options.bins)
    if sized:
        yield Table("Number of responses", ("way", "M", *POINTS), tuple(sized), section="Comparisons")
    yield Table("By set", ("way", "set", *POINTS), tuple(by_set(every, options.bins)), section="Comparisons")
    if len(every) > 1:
        gained = gains_over(every[0], every, bins=options.bins, resamples=options.resamples)
        lines = tuple((label, a.n, a.value, a.low, a.high, e.value, e.low, e.high) for label, a, e in gained)
        columns = ("way", "n", "AUROC gained", "low", "high", "ECE gained", "ECE low", "ECE high")
        note = "On the questions that both ways answered. A gain in ECE is a loss of calibration."
        yield Table(f"Against {every[0].label}", columns, lines, section="Comparisons", note=note)


def _hints(table: pl.DataFrame) -> list[Table]:
    """What each hint does: how often its answer is given, and how often the right one."""
    import polars as pl

    hinted = table.filter(pl.col("hint").is_not_null() & (pl.col("outcome") == "ok"))
    follows = (pl.col("answer") == pl.col("hinted")).mean()
    by = hinted.group_by("hint", maintain_order=True).agg(pl.len(), follows, pl.col("correct").mean())
    columns = ("hint", "n", "gives the hinted answer", "accuracy")
    return [Table("Misleading hints", columns, tuple(by.iter_rows()), section="Comparisons")] if len(by) else []


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
        item=response.id,
        condition=f"{response.prompting}, {response.sampling}",
        sample=response.sample,
        outcome=answer.outcome,
        text=response.reply,
        group=response.group,
        prompting=response.prompting,
        sampling=response.sampling,
        kind=response.kind,
        options=len(response.options),
        set=response.set,
        answer=answer.value,
        confidence=answer.confidence,
        overall=overall,
        guesses=tuple(guess for guess, _ in answer.guesses),
        probabilities=tuple(p for _, p in answer.guesses),
        truth=response.canonical_truth,
    )


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Files (one for each model, say) by set and way."""
    lines: list[tuple[Any, ...]] = []
    for one in recorded:
        every = _ways(_table(one.rows), options)
        lines += [(one.label, *line) for line in by_set(every, options.bins)]
    return Findings(tables=(Table("Files by set", ("file", "way", "set", *POINTS), tuple(lines)),))


# --- what was published ----------------------------------------------------------------------------------------------

# way, setting, ECE, AUROC
FIGURES: tuple[tuple[str, str, float | None, float | None], ...] = (
    ("vanilla", "GPT-3, mean of 8 sets", 0.520, 0.513),
    ("vanilla", "Vicuna-13B, mean of 8 sets", 0.461, 0.525),
    ("vanilla", "LLaMA-2-70B, mean of 8 sets", 0.436, 0.564),
    ("vanilla", "GPT-3.5, mean of 8 sets", 0.377, 0.551),
    ("vanilla", "GPT-4, mean of 8 sets", 0.180, 0.627),
    ("vanilla", "GPT-4, GSM8K", 0.310, 0.810),
    ("vanilla", "GPT-4, Professional Law", 0.173, 0.609),
    ("cot", "GPT-3.5, mean of 5 sets", 0.250, 0.564),
    ("top_k", "GPT-3.5, mean of 5 sets", 0.178, 0.652),
    ("cot, self_random, consistency", "GPT-3.5, mean of 5 sets, M = 5", 0.187, 0.730),
    ("cot, misleading, consistency", "GPT-3.5, mean of 5 sets, M = 5", 0.173, 0.696),
    ("cot, prompting, consistency", "GPT-3.5, mean of 5 sets, M = 5", 0.243, 0.692),
    ("cot", "GPT-3.5, GSM8K", 0.101, 0.548),
    ("cot, self_random, consistency", "GPT-3.5, GSM8K, M = 5", 0.0628, 0.927),
    ("cot, self_random, avg_conf", "GPT-3.5, mean of 5 sets, M = 5", 0.148, 0.745),
    ("cot, misleading, avg_conf", "GPT-3.5, mean of 5 sets, M = 5", 0.142, 0.702),
    ("top_k, self_random, consistency", "GPT-4, mean of 6 sets, M = 5", 0.120, 0.669),
    ("top_k, self_random, avg_conf_top1", "GPT-4, mean of 6 sets, M = 5", 0.148, 0.669),
    ("top_k, self_random, pair_rank", "GPT-4, mean of 6 sets, M = 5", 0.069, 0.676),
    ("top_k", "GPT-3, abstract: verbalised against white box", None, 0.522),
    ("top_k, seq_prob", "GPT-3, abstract: white box, the method not named", None, 0.605),
    ("top_k", "GPT-3, GSM8K", 0.774, 0.541),
    ("top_k, seq_prob", "GPT-3, GSM8K", 0.077, 0.698),
    ("top_k, len_norm_prob", "GPT-3, GSM8K", 0.724, 0.706),
    ("top_k, token_prob", "GPT-3, GSM8K", 0.356, 0.693),
    ("cot", "GPT-4, GSM8K, nearly always 100 %", 0.064, None),
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
    published=(
        Published("accuracy, cot", 0.936, "GPT-4, GSM8K, nearly always 100 %"),
        *(
            Published(f"{name}, {way}", value, setting)
            for way, setting, *both in FIGURES
            for name, value in zip(("ECE", "AUROC"), both, strict=True)
            if value is not None
        ),
    ),
)
