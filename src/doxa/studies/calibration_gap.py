"""Calibration gap: do readers of my model's answers believe them to the right degree, and does honest wording help?

The model answers, with an internal confidence that no reader sees; it explains its answer, by default and with wording
of low, medium and high certainty, at several lengths, whatever its confidence. A reader says how likely it is right.
Calibration gap: reader ECE minus model ECE. Mean gap: mean reader minus mean model confidence. Discrimination gap:
model AUC minus reader AUC. Then each question has the style that fits the model's confidence, by two thresholds.

Readers are persons (`doxa score` of their trials), the model itself in a fresh conversation, or a made-up one that
heeds the wording alone; notes and estimates say which. A model knows answers itself, so that its reading without an
explanation, and with that of another question, stands beside.

Differs from the paper: of which only abstracts were seen, so that prompts, the search for thresholds (on half of the
questions, tested on the other), the confidence of short answers and the regression are reconstructed; its readers were
persons; the default questions are facts of the bank, not even over confidence (but see per_tenth); `wording=prefixed`
puts our sentence of certainty before one and the same explanation; explanations for another answer are asked for once
more, then left out and counted; items and readers are resampled in place of random effects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from doxa.charts import readers
from doxa.data import trial_files
from doxa.data.explained_questions import SUBJECT, of_a_set, of_the_bank, other_of, with_others
from doxa.data.gap_figures import PUBLISHED
from doxa.data.known_chances import belief, questions, with_chances
from doxa.elicit.explained import LENGTHS, LEVELS, Explainer, Length, Wording, reader_confidence
from doxa.elicit.grading import is_correct
from doxa.elicit.ladder import Climb
from doxa.elicit.made_up_reader import ExplainsAndReads, MadeUpReader
from doxa.elicit.own_answer import Internal, own_answer
from doxa.elicit.strategies import chosen
from doxa.metrics import foreseen_readers, reader_figures, reliability
from doxa.metrics import reader_arms as arms
from doxa.metrics.foreseen import Foreseen
from doxa.metrics.reader_gap import CHANGED
from doxa.metrics.style_selection import Thresholds
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import Holder, Respondent
from doxa.planted import Expected, Truth
from doxa.records import Answer, Chart, DoxaError, Estimate, Findings, Item, Reading, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

Style = Literal["default", "low", "medium", "high", "none", "swapped"]
ReadBy = Literal["model", "made_up", "persons"]
READER = MadeUpReader()
GIVEN = "answer"  # condition in which the question itself is asked


@dataclass(frozen=True)
class Options:
    lengths: Annotated[str, f"{', '.join(LENGTHS)}; comma-separated, or all"] = "all"
    wording: Annotated[Wording, "by the model, or our sentence before one explanation"] = "generated"
    internal: Annotated[Internal, "the model's confidence; samples, words: without its scores"] = "logprobs"
    reader: Annotated[Literal["model", "made_up"], "the model itself, or one that heeds the wording alone"] = "model"
    reading: Annotated[Literal["logprobs", "words"], "how the model's confidence as a reader is read"] = "logprobs"
    controls: Annotated[bool, "also read without explanation, and with that of another question"] = True
    set: Annotated[str | None, "mmlu, trivia_qa, a path or a hub id; none: the bank"] = None
    kind: Annotated[Literal["choice", "open"], "questions of the bank: four options, or short answers"] = "choice"
    questions: Annotated[int, "questions asked, evenly over subjects of a set, or popularity of the bank"] = 350
    ideas: Annotated[int, "short answers: samples at temperature 1 shown when the answer is judged"] = 10
    again: Annotated[int, "times that an explanation which argues for another answer is asked for again"] = 1
    max_tokens: Annotated[int, "tokens an explanation may have"] = 300
    medium_from: Annotated[float | None, "model confidence from which on medium certainty fits; none: found"] = None
    high_from: Annotated[float | None, "the same for high certainty; none: both found on half of the questions"] = None
    per_tenth: Annotated[int, "questions scored of each tenth of the model's confidence at most; 0: all"] = 0
    scale: Annotated[trial_files.Scale, "scoring files: unit of the readers' numbers without a percent sign"] = "auto"
    renamed: Annotated[str | None, "scoring files: columns of other names, as in participant=reader_id"] = None
    bins: Annotated[int, "equal-width bins of the calibration errors"] = 10
    resamples: Annotated[int, "resamples of the intervals; twice as many for effects"] = 1000

    def __post_init__(self) -> None:
        chosen(self.lengths, LENGTHS, "lengths")
        given = [t for t in (self.medium_from, self.high_from) if t is not None]
        if len(given) == 1 or (given and not 0 <= given[0] < given[1] <= 1):
            raise DoxaError(f"medium_from {self.medium_from}, high_from {self.high_from}: give both, rising, or none")

    @property
    def thresholds(self) -> Thresholds | None:
        low, high = self.medium_from, self.high_from
        return None if low is None or high is None else Thresholds(low, high)

    @property
    def scores(self) -> bool:
        """Whether log-probabilities are needed."""
        return self.internal == "logprobs" or (self.reader == "model" and self.reading == "logprobs")


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One trial: one reader of one answer with one explanation. `text` is the explanation.

    style, length       of the explanation; style "none": without, "swapped": with that of another question
    answer              the model's; model_confidence: that it is right
    reader              which one, where there are several; read_by: "model", "made_up" or "persons"
    reader_confidence   that the answer is right; None: not read
    argued              the answer that the explanation argues for; words: in it
    own                 what the reader would have answered, where a file says so
    truth               whether the model's answer is right; None: not known
    """

    style: Style
    length: Length
    subject: str = ""
    answer: str | None = None
    model_confidence: float | None = None
    reader: str = ""
    read_by: ReadBy = "model"
    reader_confidence: float | None = None
    argued: str | None = None
    words: int | None = None
    own: str | None = None
    truth: bool | None = None


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """Questions of the bank or of a set, each with another one beside it for the control."""
    if options.set is None:
        return with_others(of_the_bank(options.questions, options.kind))
    return with_others(of_a_set(options.set, options.questions))


def example() -> list[Item]:
    towns = ("Arnholt", "Velmora", "Tessby", "Korvik")
    asked = [Item(f"town/{i}", f"Which town lies on river {i}?", "choice", towns, towns[i % 4]) for i in range(6)]
    return with_others([*asked, Item("sea/0", "Into which sea does river 0 flow?", answer="North")])


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Answer, explain in every style, read every explanation."""
    given, text = await _answered(item, ask, options)
    row = Row(item=item.id, style="default", length="default", read_by=options.reader, answer=given.value)
    row = replace(row, subject=str(item.fields.get(SUBJECT, "")), model_confidence=given.confidence)
    if given.outcome != "ok" or given.value is None:
        yield replace(row, outcome=given.outcome, text=text, condition=GIVEN)
        return
    row = replace(row, truth=None if item.answer is None else is_correct(given.value, item))
    explainer = _explainer(item, ask, given.value, options)
    lengths = chosen(options.lengths, LENGTHS, "lengths")
    for style, length in [("default", "default"), *((level, length) for length in lengths for level in LEVELS)]:
        told = await explainer.explanation(style, length)
        of = replace(row, style=style, length=length, condition=f"{style}, {length}")
        yield await _read(item, ask, options, of, told)
    if options.controls:
        yield await _read(item, ask, options, replace(row, style="none", condition="none"), Answer("ok", given.value))
        if (other := other_of(item)) is not None:
            told = await _of_another(other, ask, options)
            yield await _read(item, ask, options, replace(row, style="swapped", condition="swapped"), told)


async def _answered(item: Item, ask: Ask, options: Options) -> tuple[Answer, str]:
    return await own_answer(ask, item, options.internal, Climb(samples=options.ideas, condition=GIVEN))


def _explainer(item: Item, ask: Ask, answer: str, options: Options) -> Explainer:
    return Explainer(ask, item, answer, options.wording, max_tokens=options.max_tokens, again=options.again)


async def _of_another(other: Item, ask: Ask, options: Options) -> Answer:
    """The default explanation of another question: asked as its own one is, so that the store has it."""
    aside = Ask(ask.model, other, seed=ask.seed)
    given, _ = await _answered(other, aside, options)
    told = Answer("unparsed", note="the other question has no answer")
    if given.outcome == "ok" and given.value is not None:
        told = await _explainer(other, aside, given.value, options).explanation("default", "default")
    ask.calls.extend(aside.calls)
    return told


async def _read(item: Item, ask: Ask, options: Options, row: Row, told: Answer) -> Row:
    """The row with what the reader makes of an explanation, where there is one."""
    row = replace(row, outcome=told.outcome, text=told.note, argued=told.value, words=len(told.note.split()))
    if told.outcome != "ok" or row.answer is None:
        return row
    if options.reader == "made_up":
        stated = READER.of_trial(row.style, row.length, ask.seed, item.id, row.condition)
        return replace(row, reader_confidence=stated)
    arm = f"reader, {row.condition}"
    found = await reader_confidence(ask, item, row.answer, told.note, options.reading, condition=arm)
    return replace(row, outcome=found.outcome, reader_confidence=found.confidence)


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Numbers of trials alone: default explanations, those that fit, effects of wording and length, controls."""
    import polars as pl

    rows = rows.with_columns(pl.coalesce("group", "item").alias("group"))
    rows = rows.sort("item", "style", "length", "reader", "sample")
    table = arms.at_most_per_tenth(arms.readable(rows), options.per_tenth)
    fit = arms.selection(table, options.thresholds, bins=options.bins)
    figures = reader_figures.trial_figures(table, fit, bins=options.bins, resamples=options.resamples)
    estimates = [_estimate(figure, rows, table) for figure in (*figures, *reader_figures.reply_figures(rows))]
    lines = reader_figures.trial_tables(table, fit, bins=options.bins, resamples=options.resamples)
    tables = tuple(Table(one.name, one.columns, one.rows, section=one.section, note=one.note) for one in lines)
    drawn = tuple(_charts(estimates, table, fit, options))
    return Findings(
        tuple(estimates), tables, drawn, notes=tuple(reader_figures.trial_notes(rows, found=options.thresholds is None))
    )


def _estimate(figure: reader_figures.Figure, rows: pl.DataFrame, table: pl.DataFrame) -> Estimate:
    """The figure with what became of the trials, and for the accuracy what unread ones could change."""
    asked = arms.arm(rows, "default") if figure.section == reader_figures.DEFAULT else rows
    bounded = figure.name == "accuracy, default" and len(asked)
    return Estimate.of(
        *(figure.name, figure.interval),
        unit="trials",
        outcomes=count_outcomes(asked["outcome"].to_list()),
        bounds=arms.accuracy_bounds(asked, arms.arm(table, "default")) if bounded else None,
        section=figure.section,
        note=figure.note or f"reader: {reader_figures.read_by(rows)}",
    )


def _charts(
    estimates: Sequence[Estimate], table: pl.DataFrame, fit: arms.Selection, options: Options
) -> Iterator[Chart]:
    sections = {"default": reader_figures.DEFAULT, "selected": reader_figures.SELECTED}
    for name, part in (("default", arms.arm(table, "default")), ("selected", fit.after)):
        if len(part):
            of = {"model": part["model_confidence"], "reader": part["reader_confidence"]}
            curves = {who: reliability(said, part["truth"], bins=options.bins) for who, said in of.items()}
            yield readers.reliability_lines(
                curves, name=f"Reliability of model and reader, {name}", section=sections[name]
            )
    lines = [line for line in arms.arm_lines(table, bins=options.bins) if line[0] in ("default", *LEVELS)]
    if lines:
        yield readers.style_bars(lines, section=reader_figures.STYLES)
    gaps = readers.gap_bars(estimates, CHANGED[:3], ("default", "selected"), section=reader_figures.SELECTED)
    if gaps is not None:
        yield gaps


# --- trials of persons -----------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """Trials of persons (see `data.trial_files`), or rows of a run: .csv, .tsv, .jsonl, .json, .parquet."""
    table = list(read_rows(path))
    if table and {"reader_confidence", "argued", "truth"} <= set(table[0][1]):
        return Recorded(path.stem, frame([cells for _, cells in table], Row))
    found, notes = trial_files.trials(table, str(path), scale=options.scale, renamed=options.renamed)
    return Recorded(path.stem, frame(trial_files.as_rows(found), Row), notes=tuple(notes))


def score_recorded(recorded: Recorded, options: Options) -> Findings:
    """The figures of the trials, and how the file was understood."""
    found = score(recorded.rows, options)
    return replace(found, notes=(*found.notes, *recorded.notes))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Files side by side: models, or kinds of readers."""
    names = [f"{figure}, {arm}" for arm in ("default", "selected") for figure in ("accuracy", *CHANGED[:3], "bias")]
    found = [{e.name: e.value for e in score(one.rows, options).estimates} for one in recorded]
    lines = tuple((one.label, *(f[name] for name in names)) for one, f in zip(recorded, found, strict=True))
    return Findings(tables=(Table("Files", ("file", *names), lines),))


# --- what is planted -------------------------------------------------------------------------------------------------

FITS = Thresholds(0.5, 0.75)
FEW = Options(resamples=100, lengths="short", medium_from=FITS.low, high_from=FITS.high, controls=False)


def respondent(shift: float = READER.shift, firmness: float = 1.0, **how: float) -> Respondent:
    """Holds each answer as firmly as the item's chance says, and reads by the wording."""
    holder = Holder(partial(belief, firmness=firmness))
    return Respondent(decide=ExplainsAndReads(holder, replace(READER, shift=shift), **how), decoding="greedy")


def _shown(found: Mapping[str, Foreseen]) -> list[Expected]:
    return [Expected(name, value, sd, n) for name, (value, sd, n) in found.items()]


def _rule(shift: float = READER.shift) -> tuple[foreseen_readers.Centre, float]:
    return replace(READER, shift=shift).centre, READER.noise


def _chances(asked: Sequence[Item], firmness: float = 1.0) -> np.ndarray:
    return np.array([belief(item, firmness) for item in asked])


def only_the_wording(shift: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """The same explanation behind our sentence, and the sentence alone; thresholds are found."""
    yield from _shown(foreseen_readers.of_levels(*_rule(shift), len(asked), lengths=2))
    yield Expected("share of trials in the style that fits", 1 / 3, 0.0)
    if shift == READER.shift:  # levels of .35, .6 and .85 part half-way
        why = "steps of .05, and a search that scatters by .05 at so few questions"
        for name, value in (("threshold of medium", 0.475), ("threshold of high", 0.725)):
            yield Expected(name, value, 0.0, slack=0.175, why=why)


def default_arm(firmness: float, asked: Sequence[Item], samples: int = 0) -> list[Expected]:
    """The model's confidence is its belief, or the share of samples that agree with it."""
    return _shown(foreseen_readers.of_default(_chances(asked, firmness), *_rule(), samples))


PLANTED = (
    Truth(
        name="wording that is heeded",
        what="readers add so much to .6 for high certainty and take it away for low; null: they do not heed it",
        respondent=respondent,
        strength=0.25,
        null=0.0,
        expects=lambda shift, asked: _shown(foreseen_readers.of_wording(_chances(asked), *_rule(shift), FITS)),
        grid=(0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3),
        drawn=("calibration gap, default", "discrimination gap, selected", "effect of high"),
        options=FEW,
        items=lambda options: questions(400, 4),
    ),
    Truth(
        name="knowledge of its own",
        what="so much of what readers state is the model's own confidence; null: they go by the wording",
        respondent=lambda own: respondent(own=own),
        strength=1.0,
        null=0.0,
        expects=lambda own, asked: _shown(foreseen_readers.of_knowledge(_chances(asked), *_rule(), own)),
        options=replace(FEW, controls=True),
        items=lambda options: with_others(questions(300, 4)),
    ),
    Truth(
        name="short answers",
        what="is as sure as this of its short answer; null: nearly even between four",
        respondent=lambda firmness: respondent(firmness=firmness),
        strength=0.9,
        null=0.2,
        expects=default_arm,
        options=replace(FEW, kind="open"),
        items=lambda options: with_chances(of_the_bank(250, "open")),
    ),
    Truth(
        name="agreement of samples",
        what="is as sure as this of its answer, which samples show; a made-up reader; null: nearly even",
        respondent=lambda firmness: respondent(firmness=firmness),
        strength=0.9,
        null=0.2,
        expects=partial(default_arm, samples=FEW.ideas),
        options=replace(FEW, internal="samples", reader="made_up"),
        items=lambda options: questions(250, 4),
    ),
    Truth(
        name="only the wording",
        what="as wording that is heeded, with our sentence before one explanation",
        respondent=respondent,
        strength=0.25,
        null=0.0,
        expects=only_the_wording,
        options=replace(FEW, wording="prefixed", lengths="short,uncertainty_only", medium_from=None, high_from=None),
        items=lambda options: questions(200, 4),
    ),
    Truth(
        name="unread replies",
        what="is out of format at a rate, else explains another answer at that rate; null: never",
        respondent=lambda rate: replace(respondent(argues=rate), decoding="draw", format_errors=rate),
        strength=0.3,
        null=0.0,
        expects=lambda rate, asked: _shown(foreseen_readers.of_unread(_chances(asked), *_rule(), rate)),
        options=replace(FEW, reading="words"),
        items=lambda options: questions(200, 4),
    ),
)
study = Study(
    source=Source(
        "The Calibration Gap between Model and Human Confidence in Large Language Models", 2024, arxiv="2401.13835"
    ),
    question="Do readers of my model's answers believe them to the right degree, and does honest wording help?",
    needs=lambda options: {"generate", "score"} if options.scores else {"generate"},
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    read_file=read_file,
    score_recorded=score_recorded,
    across=across,
    published=tuple(Published(*figure) for figure in PUBLISHED),
    planted=PLANTED,
    graded=lambda rows, options: arms.graded(rows),
)
