"""Thinking out loud: did reasoning make the model better calibrated, and did it cost the ability to say "I don't know"?

Each question is reasoned about and answered with a confidence (`v`: in percent; `prob`: as a probability; `sr`: the
answer first, and the confidence in a second, fresh turn that sees the solution without its reasoning). A reply is
correct, incorrect or not attempted. Calibration is that of attempts; it moves with accuracy where the confidence is
stuck, so mean confidence, overconfidence and AUROC stand beside it. Models are compared on the questions that all of
them attempt: score their files together, in the order of training, or a file with a column `model`.

Differs from the paper: lines with answer and confidence are asked for, which small models know, too (--wording tags is
the published way; only there the second turn sees the solution, else the answer alone); the default questions are facts
and sums of the bank (--set takes the benchmarks); the three-way grade is equality with accepted answers and a list of
phrases that decline (grades of a judge are taken from a file as they are); unread replies are counted, and as wrong
beside; repeated runs are resampled by question; lengths are in bins. Only the wording should move numbers.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from doxa import charts
from doxa.charts.reasoning import length_chart, steps_chart
from doxa.data.benchmarks import open_facts_and_sums, questions
from doxa.data.known_chances import CHANCE, with_chances
from doxa.data.published_questions import SET
from doxa.data.reasoning_figures import PUBLISHED
from doxa.elicit import reasoned_persons as persons
from doxa.elicit.attempt_files import RecordedAttempt, attempts
from doxa.elicit.attempts import judged, kind_of, shuffled
from doxa.elicit.reasoned import chain_tokens
from doxa.elicit.response_files import Scale
from doxa.elicit.strategies import chosen
from doxa.elicit.turns import STRATEGIES, Turns, Wording
from doxa.metrics import foreseen_reasoning as foreseen
from doxa.metrics import reasoning, reliability
from doxa.metrics import reasoning_tables as tables
from doxa.metrics.foreseen import Foreseen
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import Holder, Respondent
from doxa.planted import Expected, Truth
from doxa.records import Chart, DoxaError, Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

SHARED, NEW = "Shared questions", "Newly tried questions"


@dataclass(frozen=True)
class Options:
    strategy: Annotated[str, f"{', '.join(STRATEGIES)}; comma-separated, or all"] = "v,sr"
    wording: Annotated[Wording, "an answer line, or answer and confidence tags as published"] = "lines"
    solution: Annotated[Literal["visible", "full"], "what sr in tags shows again: with its thinking?"] = "visible"
    set: Annotated[str | None, "aime, gpqa, supergpqa, livebench, paths, hub ids; comma-separated; none: bank"] = None
    questions: Annotated[int, "questions from the bank, half facts and half sums; a set is used whole"] = 300
    per_level: Annotated[int, "questions of each difficulty of supergpqa"] = 500
    runs: Annotated[int, "times that each question is asked; published: 5 for aime and livebench, else 1"] = 1
    temperature: Annotated[float, "sampling temperature"] = 0.6
    top_p: Annotated[float, "share of the probability that is sampled from"] = 0.95
    max_tokens: Annotated[int, "longest reply, reasoning included; published: 3000 (instruct) to 16000"] = 16000
    reasoning_tokens: Annotated[int | None, "budget of hidden reasoning, where the server takes one"] = None
    reasoning_effort: Annotated[str | None, "effort of hidden reasoning, where the server takes one"] = None
    order: Annotated[str | None, "scoring a file with several models: their order of training, commas between"] = None
    scale: Annotated[Scale, "scoring files: unit of confidences without a percent sign"] = "auto"
    width: Annotated[int, "tokens of a bin of reasoning length"] = 2000
    last: Annotated[int, "tokens above which all lengths are one bin"] = 10000
    per_bin: Annotated[int, "bins of length with fewer replies have no figures"] = 20
    bins: Annotated[int, "bins of the calibration errors"] = 10
    resamples: Annotated[int, "resamples of the intervals"] = 1000

    def __post_init__(self) -> None:
        for strategy in chosen(self.strategy, STRATEGIES, "strategy"):
            Turns(strategy, self.wording)
        if self.runs < 1:
            raise DoxaError(f"runs is {self.runs}; ask each question at least once")

    def sampling(self, run: int) -> Sampling:
        """A request for each run, because servers count the tokens of several replies together."""
        return Sampling(
            *(1, self.temperature, self.top_p, self.max_tokens),
            seed=run * 1_000_003,
            reasoning_tokens=self.reasoning_tokens,
            reasoning_effort=self.reasoning_effort,
        )


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One reply.

    who         the model, of a file with several; empty in a run
    kind        what an answer looks like: an item's kind, or "list"; options: how many the item has
    answer      canonical; None: not read, or not attempted. confidence: that it is right
    tokens      of the chain before the final answer; estimated: from characters, for want of a count
    truth       right answers in canonical form; empty: not known
    """

    strategy: str
    who: str = ""
    set: str = ""
    kind: str = "open"
    options: int = 0
    answer: str | None = None
    confidence: float | None = None
    tokens: int | None = None
    estimated: bool = False
    truth: tuple[str, ...] = ()


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """All questions of the sets, or so many of the bank."""
    if options.set is None:
        return open_facts_and_sums(options.questions)
    return [item for one in options.set.split(",") for item in questions(one.strip(), per_level=options.per_level)]


def example() -> list[Item]:
    seas = ("North Sea", "Black Sea")
    return [Item(f"river/{i}", f"Into which sea does river {i} flow?", answer=seas[i % 2]) for i in range(8)]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Every strategy, every run."""
    right = item.answer_letter if item.options else item.answer
    for strategy in chosen(options.strategy, STRATEGIES, "strategy"):
        for run in range(options.runs):
            turns = Turns(strategy, options.wording, options.solution == "full")
            answer, reply, text = await turns.ask(ask, item, options.sampling(run))
            tokens, estimated = chain_tokens(reply)
            yield Row(
                item=item.id,
                condition=strategy,
                sample=run,
                outcome=answer.outcome,
                text=text,
                strategy=strategy,
                set=str(item.fields.get(SET, "")),
                kind=kind_of(item),
                options=len(item.options),
                answer=answer.value,
                confidence=answer.confidence,
                tokens=tokens,
                estimated=estimated,
                truth=() if right is None else (right, *item.accepted),
            )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options, models: Sequence[str] = ()) -> Findings:
    """Numbers of each model and strategy, and what sets them apart on the same questions."""
    import polars as pl

    table = judged(rows.with_columns(pl.coalesce("group", "item").alias("group")).sort("who", "item", "sample"))
    order = models or [name.strip() for name in (options.order or "").split(",") if name.strip()]
    arms = tables.arms_of(table, order, STRATEGIES)
    estimates = [e for arm, part in arms.items() for e in _estimates(tables.label(arm), part, options)]
    estimates += _comparisons(arms, options)
    steps = [
        steps_chart(*points, name=f"From model to model, {strategy}", section=SHARED)
        for strategy, points in tables.steps({e.name: e.value for e in estimates}, arms)
    ]
    drawn = (*_charts(arms, options), *steps)
    return Findings(tuple(estimates), tuple(_tables(arms, options)), drawn, notes=tuple(_notes(table, options)))


def _estimates(label: str, part: pl.DataFrame, options: Options) -> Iterator[Estimate]:
    tried = reasoning.graded(part)
    found = reasoning.calibration_scores(tried, bins=options.bins, resamples=options.resamples)
    found |= reasoning.attempt_scores(part)
    if len(measured := reasoning.measured(part)):
        found |= reasoning.length_scores(measured, resamples=options.resamples)
    outcomes = count_outcomes(part["outcome"].to_list())
    right, unread = int(tried["correct"].sum()), int((~part["read"]).sum())
    n = len(tried) + unread
    bounds = {"accuracy": (right / n, (right + unread) / n)} if n else {}
    for name, interval in found.items():
        made = Estimate.of(f"{name}, {label}", interval, unit="replies", outcomes=outcomes, section=label)
        yield replace(made, bounds=bounds.get(name))


def _comparisons(arms: tables.Arms, options: Options) -> Iterator[Estimate]:
    """Strategies on the same questions; models on those that all attempt, and on those that the first declines."""
    for section, compare in (
        ("Strategies", tables.other_strategies),
        (SHARED, tables.shared_questions),
        (NEW, tables.new_attempts),
    ):
        for tail, found in compare(arms, bins=options.bins, resamples=options.resamples):
            for name, interval in found.items():
                yield Estimate.of(f"{name}, {tail}", interval, unit="replies", section=section)


# --- tables and charts -----------------------------------------------------------------------------------------------


def _tables(arms: tables.Arms, options: Options) -> Iterator[Table]:
    note = "Whoever declines in words, or refuses, does not attempt."
    yield Table("Attempts", tables.ATTEMPTS, tuple(tables.by_attempt(arms)), note=note)
    if sets := tables.by_set(arms, bins=options.bins):
        yield Table("Sets", tables.SETS, tuple(sets), note="Figures of attempts.")
    note = f"Bins of fewer than {options.per_bin} replies have no figures. Chains that were cut are in no bin."
    for arm, part in arms.items():
        bins, label = _bins(part, options), tables.label(arm)
        if any(b.n for b in bins):
            yield Table(f"Length, {label}", tables.LENGTHS, tuple(tables.by_length(bins)), section=label, note=note)


def _bins(part: pl.DataFrame, options: Options) -> list[reasoning.LengthBin]:
    of = reasoning.measured(part)
    columns, edges = (of["tokens"], of["confidence"], of["correct"]), {"width": options.width, "last": options.last}
    return reasoning.by_length(*columns, at_least=options.per_bin, bins=options.bins, **edges) if len(of) else []


def _charts(arms: tables.Arms, options: Options) -> Iterator[Chart]:
    for arm, part in arms.items():
        rated, label = reasoning.rated(part), tables.label(arm)
        if not len(rated):
            continue
        bins = reliability(rated["confidence"], rated["correct"], bins=options.bins)
        yield charts.reliability_chart(bins, name=f"Reliability, {label}", section=label)
        name = f"Confidence when right and wrong, {label}"
        yield charts.confidence_histogram(rated["confidence"], rated["correct"], bins=21, name=name, section=label)
        full = [b for b in _bins(part, options) if not math.isnan(b.ece)]
        if len(full) > 1:
            lines = {"accuracy": [b.accuracy.value for b in full], "mean confidence": [b.confidence for b in full]}
            lines["ECE"] = [b.ece for b in full]
            yield length_chart([b.label for b in full], lines, name=f"By length, {label}", section=label)


def _notes(table: pl.DataFrame, options: Options) -> Iterator[str]:
    unread = int((~table["read"]).sum())
    if unread:
        yield f"{unread} of {len(table)} replies could not be read; accuracy with these as wrong stands beside"
    if unread > len(table) / 2 and options.wording == "tags":
        yield "more than half are unread: a small model may know the lines (--wording lines) and not the tags"
    if cut := int((table["outcome"] == "truncated").sum()):
        yield f"{cut} replies were cut (max_tokens {options.max_tokens}): limits that differ favour one of two models"
    if guessed := int(table["estimated"].sum()):
        yield f"the length of {guessed} chains is estimated, at four characters to a token: nobody counted theirs"
    if unknown := int(reasoning.ungraded(table).sum()):
        yield f"{unknown} attempts have no known answer: they count in the share not attempted only"


# --- recorded replies ------------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """A table of replies (see `elicit.attempt_files`), perhaps of several models, or rows of a run."""
    table = list(read_rows(path))
    if table and {"strategy", "kind", "estimated", "truth"} <= set(table[0][1]):
        label = path.parents[2].name if path.stem == "rows" and len(path.parents) > 2 else path.stem  # a run's folder
        return Recorded(label, frame([cells for _, cells in table], Row))
    found, notes = attempts(table, str(path), scale=options.scale)
    return Recorded(path.stem, frame([_recorded(one) for one in found], Row), notes=tuple(notes))


def _recorded(one: RecordedAttempt) -> Row:
    cells = {name: value for name, value in asdict(one).items() if name != "where"}
    return Row(condition=one.strategy, **cells)


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Models, one to a file, in the order of the files: the first is the one that the others were made from."""
    import polars as pl

    labels = [r.label for r in recorded]
    if several := [r.label for r in recorded if r.rows["who"].n_unique() > 1]:
        raise DoxaError(f"{several[0]} holds several models; score it alone, or give each model a file of its own")
    if len(set(labels)) < len(labels):
        raise DoxaError(f"two files are called {max(labels, key=labels.count)!r}, the name of their model: rename one")
    rows = pl.concat([r.rows.with_columns(who=pl.lit(r.label)) for r in recorded])
    found = score(rows, options, labels)
    between = tuple(e for e in found.estimates if e.section in (SHARED, NEW))
    drawn = tuple(c for c in found.charts if c.section == SHARED)
    return Findings(between, tuple(t for t in found.tables if not t.section), drawn, notes=found.notes)


# --- what is planted -------------------------------------------------------------------------------------------------


def _shown(found: Mapping[str, Foreseen]) -> Iterator[Expected]:
    for name, (value, sd, n) in found.items():
        slack = 0.0 if name.startswith(("share", "not attempted")) else 1e-4
        yield Expected(name, value, sd, n, slack=slack, why="confidence is stated to 0.01 %" if slack else "")


def chances(asked: Sequence[Item]) -> np.ndarray:
    """Of being right, (n,), in the order in which rows are scored."""
    return np.array([item.fields[CHANCE] for item in sorted(asked, key=lambda item: item.id)])


def inflating(by: float, asked: Sequence[Item], ways: Sequence[str] = ("v", "sr")) -> Iterator[Expected]:
    """min(p + by, 1) is said of answers that are right with chance p, whichever way is asked."""
    p = chances(asked)
    yield from _shown(foreseen.named(foreseen.calibration_foreseen(np.minimum(p + by, 1), p), *ways))


HOLDER = Respondent(belief=Holder(CHANCE), decoding="modal")
FEW = Options(resamples=100, strategy="v")
INFLATED = Truth(
    name="over-confidence",
    what="says its chance of being right and so much more, at most 100 %; null: the chance",
    respondent=lambda by: replace(HOLDER, confidence=lambda p, c: min(p + by, 1.0)),
    strength=0.3,
    null=0.0,
    expects=inflating,
    grid=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    drawn=("ECE, v", "overconfidence, v", "AUROC, sr"),
    options=replace(FEW, strategy="v,sr"),
    items=lambda options: with_chances(open_facts_and_sums(600)),
)
PLANTED = (
    INFLATED,
    replace(
        INFLATED,
        name="over-confidence, in tags",
        expects=lambda by, asked: inflating(by, asked, STRATEGIES),
        grid=(),
        drawn=(),
        options=replace(FEW, strategy="all", wording="tags"),
    ),
    Truth(
        name="not attempted",
        what="says that it does not know where its chance of being right is below this; null: never",
        respondent=lambda below: replace(HOLDER, abstains=lambda item: float(item.fields[CHANCE] < below)),
        strength=0.2,
        null=0.0,
        expects=lambda below, asked: _shown(foreseen.named(foreseen.declining_foreseen(below, chances(asked)), "v")),
        grid=(0.0, 0.2, 0.4, 0.6, 0.8),
        drawn=("not attempted, v", "accuracy, v", "accuracy of all, v"),
        options=replace(FEW, wording="tags"),
        items=lambda options: with_chances(open_facts_and_sums(1000)),
    ),
    Truth(
        name="unread replies",
        what="a share of replies is out of format, the same share is cut; null: none",
        respondent=lambda rate: persons.cut(replace(HOLDER, format_errors=rate), rate),
        strength=0.3,
        null=0.0,
        expects=lambda rate, asked: _shown(foreseen.named(foreseen.unread_foreseen(rate, chances(asked)), "v")),
        options=replace(FEW, wording="tags"),
        items=INFLATED.items,
    ),
    Truth(
        name="reflection",
        what="says this part of its confidence when it reflects on its solution; null: all of it",
        respondent=lambda factor: persons.reflecting(HOLDER, factor),
        strength=0.5,
        null=1.0,
        expects=lambda factor, asked: _shown(foreseen.reflecting_foreseen(factor, chances(asked))),
        options=replace(FEW, strategy="v,sr", wording="tags"),
        items=INFLATED.items,
    ),
    Truth(
        name="length of reasoning",
        what="reasons for exp(9.5 - slope * chance + N(0, .3)) tokens; null: slope 0",
        respondent=lambda slope: persons.at_length(HOLDER, slope),
        strength=2.0,
        null=0.0,
        expects=lambda slope, asked: _shown(foreseen.named(foreseen.length_foreseen(slope, chances(asked)), "v")),
        grid=(0.0, 0.5, 1.0, 2.0, 4.0),
        options=FEW,
        items=lambda options: with_chances(open_facts_and_sums(1000)),
    ),
)

study = Study(
    source=Source(
        "Thinking Out Loud: Do Reasoning Models Know When They're Right?", 2025, arxiv="2504.06564", venue="EMNLP 2025"
    ),
    question='Did reasoning make the model better calibrated, and did it cost the ability to say "I do not know"?',
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=shuffled,
    read_file=read_file,
    across=across,
    published=tuple(Published(*figure) for figure in PUBLISHED),
    planted=PLANTED,
)
