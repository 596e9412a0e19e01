"""Generalized correctness: can past results of several models tell when an answer is right, better than its model?

The asked model and some others answer the same questions; whose answers were right is their history. It is split by
question, alike for all models: 70 % to learn from, 5 % to calibrate with, 25 % to test. Correctness models learn P(this
response is correct) from the asked model's own history, from everybody's, or from the others' alone (a model never
seen); beside them stand the nearest questions of the past, and what the model says itself: the probability of its
answer, P(True), yes or no with and without graded examples of similar questions. Two models judge each other's answers
and their own: if judging oneself is no better, the self advantage is 0, and the margin says how surely.

Differs from the paper: the default correctness model is a logistic head on words and pairs of words, learnt in seconds
(--judge MODEL trains an adapter on yes and no, as published; --rank 32 --rate 1e-5 for an 8B model); the default
questions are facts of the bank, others are organisms and simulated respondents (--models, --past bring yours); the
part of a question is by hash, not by order; the calibrator is Platt's, for 5 % are few (--method spline: as published);
the judge of a model never seen reads no names; RMSCE is the usual one, the published program's is shown beside it; the
ECE of c stands beside the published top-label one; P(yes) is renormalised, and shown plain, too. Ours are figures of
other models on other questions: those of 8B models can only be made again with an 8B model (--judge).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np

from doxa import charts
from doxa.data import history as data
from doxa.data import planted_history as planted
from doxa.data.correctness_figures import PUBLISHED, TITLE
from doxa.data.history import CALIBRATION, TRAIN, part_of
from doxa.data.history_questions import questions, similar_questions
from doxa.elicit.answers import Letter, Number, ShortText, TrueFalse
from doxa.elicit.correctness import P_TRUE, PERCENT, PLAIN, TOKENS, YES_NO, Example, own_words
from doxa.elicit.form import TextForm, answer_kind, shown_answer
from doxa.elicit.grading import is_correct
from doxa.elicit.p_true import p_true
from doxa.metrics import calibrators, reliability, risk_coverage
from doxa.metrics import foreseen_judging as foreseen
from doxa.metrics import judged as results
from doxa.metrics.judged import Matrix, Responses
from doxa.models import address
from doxa.models.base import Model
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import Belief, Respondent
from doxa.planted import Expected, Truth
from doxa.records import Answer, Chart, Estimate, Findings, Item, Reading, Reply, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame
from doxa.training import histories as learning
from doxa.training.histories import ALL, OTHERS, OWN, History
from doxa.training.supervised import Settings

if TYPE_CHECKING:
    import polars as pl

MODELS = "organism:atlas,organism:atlas-overconfident,simulated:calibrated?seed=1,simulated:overconfident?ability=0.5"
FORMS: dict[str, TextForm] = dict(choice=Letter(), open=ShortText(), statement=TrueFalse(), number=Number())
ASKED, HISTORY = "asked", "history"  # conditions: the model that the run is about, and the others
NEAREST, CALIBRATED = "nearest questions", ", calibrated"
OWN_WORDS = (TOKENS, P_TRUE, YES_NO, PERCENT)
NEIGHBOURS = 20


@dataclass(frozen=True)
class Options:
    questions: Annotated[int, "questions of the bank, spread over popularity"] = 1200
    set: Annotated[str | None, "path or hub id of questions; planted: made-up ones; none: the bank"] = None
    models: Annotated[str | None, "others that are asked, with commas between; the first judges, too"] = None
    past: Annotated[str | None, "files, runs or hub ids with past responses to learn from, with commas between"] = None
    train: Annotated[float, "share of questions to learn from"] = TRAIN
    calibration: Annotated[float, "share of questions to calibrate with"] = CALIBRATION
    method: Annotated[calibrators.Method, "calibrator fitted on the calibration part"] = "platt"
    examples: Annotated[str, "graded examples shown before yes or no, numbers with commas between"] = "0,5"
    verbalised: Annotated[bool, "ask for a percentage, too"] = False
    judge: Annotated[str | None, "local models trained to say yes or no, with commas between"] = None
    rank: Annotated[int, "of the judges' adapters"] = 16
    rate: Annotated[float, "learning rate of the judges' adapters"] = 5e-4
    epochs: Annotated[int, "passes of the judges over all histories"] = 1
    save: Annotated[str | None, "folder to keep the correctness model of all histories in"] = None
    resamples: Annotated[int, "resamples of the intervals"] = 1000
    max_tokens: Annotated[int, "longest answer"] = 64

    @property
    def shots(self) -> tuple[int, ...]:
        return tuple(map(int, _names(self.examples)))

    @property
    def training(self) -> Settings:
        return Settings(rank=self.rank, learning_rate=self.rate, epochs=self.epochs)


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One response of one model. `text` is the response.

    part      "train", "calibration" or "test", of the question
    correct   None: not read, or the truth is not known
    ways, confidences   what the model itself says of it, on test questions
    judges, judged      P(True) by each of the models that judge each other
    shuffled  whether `correct` was shuffled for the null
    """

    answered_by: str
    question: str
    answer: str | None
    correct: bool | None
    part: str
    subject: str = ""
    ways: tuple[str, ...] = ()
    confidences: tuple[float, ...] = ()
    judges: tuple[str, ...] = ()
    judged: tuple[float, ...] = ()
    shuffled: bool = False


# --- asking ----------------------------------------------------------------------------------------------------------


def example() -> list[Item]:
    towns = ("Arnholt", "Velmora", "Tessby", "Korvik")
    return [Item(f"town/{i}", f"Which town lies on river {i}?", "choice", towns, towns[i % 4]) for i in range(12)]


_load = lru_cache(maxsize=16)(address.load)


def _names(listed: str | None) -> list[str]:
    return [name.strip() for name in (listed or "").split(",") if name.strip()]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """All models answer; on test questions the asked one says how sure it is, and two models judge each other."""
    own = ask.model.address
    names = _names(MODELS if options.models is None else options.models)
    if options.models is None and own.startswith("simulated:"):  # which needs no weights, nor do its companions
        names = [name for name in names if name.startswith("simulated:")]
    asks = {own: ask} | {name: ask.beside(name) for name in names if name != own}
    part = part_of(item.cluster, train=options.train, calibration=options.calibration)
    able = [n for n, a in asks.items() if "score" in a.model.capabilities]
    judges = able[:2] if len(able) > 1 and able[0] == own else []
    for name, asker in asks.items():
        answer, reply = await _answer(asker, options)
        known = answer.value is not None and item.answer is not None
        said: dict[str, float] = {}
        told: list[float] = []
        if part != "train" and answer.value is not None and asker is ask:
            graded, scores = await _examples(item, ask, options), "score" in ask.model.capabilities
            shown, stated = (graded, options.shots), options.verbalised
            said = await own_words(ask, item, answer.value, reply, *shown, scores=scores, stated=stated)
        if part == "test" and answer.value is not None and name in judges:
            told = [await p_true(asks[judge], item, answer.value) for judge in judges]
        yield Row(
            item=item.id,
            condition=ASKED if asker is ask else HISTORY,
            outcome=answer.outcome,
            text=reply.text,
            answered_by=name,
            question=item.text,
            answer=answer.value,
            correct=is_correct(answer.value, item) if known else None,
            part=part,
            subject=str(item.fields.get("relation") or item.fields.get("subject") or ""),
            ways=tuple(said),
            confidences=tuple(said.values()),
            judges=tuple(judges) if told else (),
            judged=tuple(told),
        )


async def _answer(ask: Ask, options: Options) -> tuple[Answer, Reply]:
    tokens = 0 if "logprobs" in ask.model.capabilities else None
    return await ask.answer(
        FORMS[answer_kind(ask.item)], None, Sampling(max_tokens=options.max_tokens, top_logprobs=tokens)
    )


async def _examples(item: Item, ask: Ask, options: Options) -> list[Example]:
    """Graded responses of the asked model to the nearest questions of other groups, the nearest first."""
    where = options.questions, options.set, options.train, options.calibration
    found = []
    for near in similar_questions(item, max(options.shots, default=0), *where):
        asker = Ask(ask.model, near.item, seed=ask.seed)
        answer, _ = await _answer(asker, options)
        ask.calls += asker.calls
        if answer.value is not None:
            said, right = shown_answer(answer.value, near.item), is_correct(answer.value, near.item)
            found.append(Example(near.item.text, said, right, near.distance))
    return found


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Correctness models are learnt here, from rows alone, and asked about the test questions."""
    import polars as pl

    table = rows.with_columns(pl.coalesce("group", "item").alias("group"))
    table, notes = _with_past(table, options)
    table = table.sort("condition", "answered_by", "item", "question", "text")
    replies, known = table.filter(pl.col("condition") == ASKED), table.filter(pl.col("correct").is_not_null())
    train, rest = known.filter(pl.col("part") == "train"), known.filter(pl.col("part") != "train")
    judges = [_load(name) for name in _names(options.judge)]
    judged, read = _judged(train, rest.filter(pl.col("condition") == ASKED), judges, options)
    found = {"": Matrix.of(known), ", trained judges": learning.crossed(judges, known, options.training)}
    matrices = {name: matrix for name, matrix in found.items() if matrix}
    lines = [results.ways(judged), results.confusion(judged), results.before_and_after(judged, (ALL, OTHERS, P_TRUE))]
    lines += [results.ways(read, "What is read"), *results.parts(judged, ALL)]
    lines += [one.lines(f"Judges and judged{name}", name[2:] or P_TRUE) for name, one in matrices.items()]
    return Findings(
        tuple(_estimates(replies, judged, read, matrices, options)),
        tuple(Table(one.name, one.columns, one.rows, note=one.note) for one in lines),
        tuple(_charts(judged)),
        notes=tuple(notes),
    )


def _with_past(table: pl.DataFrame, options: Options) -> tuple[pl.DataFrame, list[str]]:
    """Rows with those of --past, each question in one part for all models."""
    notes: list[str] = []
    for source in _names(options.past):
        found, told = _recorded(Path(source), options, HISTORY)
        table, notes = table.vstack(found), [*notes, *told]
    kept, out = data.one_part_each(table)
    return kept, [*notes, *([f"{out:,} rows left out: their question is tested for another model"] if out else [])]


def _judged(
    train: pl.DataFrame, rest: pl.DataFrame, judges: Sequence[Model], options: Options
) -> tuple[Responses, Responses]:
    """Confidence in the asked model's responses outside the training part: by every way, and by what is read."""
    past, asked = History.of(train), History.of(rest)
    said: dict[str, np.ndarray] = dict(learning.by_history(past, asked))
    said[NEAREST] = data.nearest_rates(train, rest, NEIGHBOURS)
    save = None if train["shuffled"].any() else options.save
    said |= learning.trained(judges, past, asked, options.training, save=save)
    told = [dict(zip(*pair, strict=True)) for pair in rest.select("ways", "confidences").iter_rows()]
    for way in dict.fromkeys(way for one in told for way in one):
        said[way] = np.array([one.get(way, np.nan) for one in told])
    test, subjects = (rest["part"] == "test").to_numpy(), rest["subject"].to_numpy()
    judged = Responses(asked.correct, asked.groups, asked.models, subjects, test, said)
    after = {f"{way}{CALIBRATED}": judged.calibrated(way, options.method) for way in (ALL, OTHERS) if way in said}
    return judged.saying(said | after), judged.saying({"full": said[ALL], **learning.by_inputs(past, asked)})


def _estimates(
    replies: pl.DataFrame, judged: Responses, read: Responses, matrices: Mapping[str, Matrix], options: Options
) -> Iterator[Estimate]:
    """Answers; every way beside judging all alike; what less reading costs; two models that judge each other."""
    n, shown = options.resamples, partial(Estimate.of, unit="questions")
    outcomes = count_outcomes(replies["outcome"].to_list())
    for name, interval, bounds in results.answers(replies):
        yield shown(name, interval, bounds=bounds, outcomes=outcomes, section="Answers")
    yield shown("majority baseline", results.baseline(judged), section="Correctness models")
    for way in (w for w in judged.said if not w.endswith(PLAIN)):
        section = "The model's own words" if way.startswith(OWN_WORDS) else "Correctness models"
        whole = way.removesuffix(CALIBRATED) in (OWN, ALL, OTHERS)
        for name, interval in results.way_scores(judged, way, resamples=n).items():
            if whole or name in ("AUROC", "ECE"):
                yield shown(f"{name}, {way}", interval, section=section)
    for than in (OWN, P_TRUE):
        if than in judged.said:
            interval = results.gained(judged, ALL, than, resamples=n)
            yield shown(f"AUROC gained, {ALL} over {than}", interval, section="Correctness models")
    for inputs in read.said:
        found = results.way_scores(read, inputs, resamples=n)
        for name in ("AUROC", "accuracy of judging"):
            yield shown(f"{name}, inputs {inputs}", found[name], section="What is read")
    for label, figures in {"": results.NO_MATRIX, **{k: m.scores(resamples=n) for k, m in matrices.items()}}.items():
        for name, interval in figures.items():
            yield shown(f"{name}{label}", interval, section="Own and others' answers")


def _charts(judged: Responses) -> Iterator[Chart]:
    drawn = {way: judged.tested(way)[:2] for way in (ALL, OTHERS, P_TRUE) if way in judged.said}
    drawn = {way: part for way, part in drawn.items() if len(part[0])}
    for way, (said, right) in drawn.items():
        yield charts.reliability_chart(reliability(said, right), said="confidence", name=f"Reliability, {way}")
    if drawn:
        curves = {way: risk_coverage(*part) for way, part in drawn.items()}
        yield charts.risk_coverage_chart({way: (curve.coverage, curve.risk) for way, curve in curves.items()})


# --- files, and nothing ----------------------------------------------------------------------------------------------


def _recorded(path: Path, options: Options, condition: str) -> tuple[pl.DataFrame, tuple[str, ...]]:
    rows = list(data.past_rows(str(path), rows_of=read_rows, study="generalized-correctness"))
    if rows and {"item", "outcome", "answered_by", "part", "judged"} <= set(rows[0][1]):
        return frame([cells for _, cells in rows], Row), ()
    found, notes = data.read_past(rows, path.stem, train=options.train, calibration=options.calibration)
    return frame([Row(**one.cells(condition)) for one in found], Row), notes


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run (file or folder), or histories (`data.history.COLUMNS`), whose models all count as asked."""
    rows, notes = _recorded(path, options, ASKED)
    return Recorded(path.stem, rows, notes=notes)


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Histories of several files as one: what each model's own teaches, and what all of them do."""
    import polars as pl

    every = pl.concat([one.rows for one in recorded]).sort("condition", maintain_order=True)
    once = every.unique(["answered_by", "item"], keep="first", maintain_order=True)
    return score(once.with_columns(condition=pl.lit(ASKED)), options)


# --- what is planted -------------------------------------------------------------------------------------------------

FEW = Options(set="planted", questions=1000, models=planted.OTHERS, examples="0,2", verbalised=True, resamples=100)


def following(strength: float, other: int | None = None) -> Respondent:
    """Believes of each option what the items plant: the logit times strength, the rest of the way another's belief."""
    return Respondent(belief=lambda item, key: Belief(planted.held(item, strength, other)))


def _learnt(strength: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """The asked model's chances follow the words of a question with this strength; others' always follow them."""
    test = planted.of_test_part(asked)
    own, others = planted.chance_of(test, strength), planted.others_chances(test)
    yield Expected("responses read", 1.0, sd=0)
    yield Expected("accuracy", float(planted.chance_of(asked, strength).mean()), n=len(asked))
    for name, figure in foreseen.of_learnt(own, others, (ALL, OWN), OTHERS).items():
        yield Expected(name, *figure, slack=0.03, why="learnt from so few: within .03, as in arXiv 2509.24988's check")
    area = foreseen.of_belief(own, own, len(planted.OPTIONS)).auroc()
    for way in (TOKENS, P_TRUE, YES_NO, f"{YES_NO}, 2 examples", f"{PERCENT}, 2 examples"):
        yield Expected(f"AUROC, {way}", *area)


def _judging(strength: float, asked: Sequence[Item]) -> Iterator[Expected]:
    believes = [planted.chance_of(planted.of_test_part(asked), follows, 1) for follows in (strength, 0.0)]
    return starmap(Expected, ((name, *f) for name, f in foreseen.of_judged(believes, len(planted.OPTIONS)).items()))


PLANTED = (
    Truth(
        name="what past results tell",
        what="is right with a chance that topic and level tell, times a strength; null: right on half of all",
        respondent=following,
        strength=1.0,
        null=0.0,
        expects=_learnt,
        grid=(0.0, 0.25, 0.5, 0.75, 1.0),
        drawn=(f"AUROC, {ALL}", f"AUROC, {OTHERS}", f"AUROC, {P_TRUE}"),
        options=FEW,
    ),
    Truth(
        name="knowing oneself",
        what="believes other things than its judge, and judges by them, to a strength; null: what the judge believes",
        respondent=lambda strength: following(strength, 1),
        strength=1.0,
        null=0.0,
        expects=_judging,
        grid=(0.0, 0.25, 0.5, 0.75, 1.0),
        drawn=("self advantage",),
        options=replace(FEW, set="planted-apart", examples="", verbalised=False, models=planted.OTHERS.split(",")[0]),
    ),
    Truth(
        name="unread replies",
        what="is out of format at a rate; null: never",
        respondent=lambda rate: replace(following(1.0), format_errors=rate),
        strength=0.3,
        null=0.0,
        expects=lambda rate, asked: [
            Expected("responses read", 1 - rate, n=len(asked)),
            Expected("accuracy", float(planted.chance_of(asked, 1.0).mean()), n=round(len(asked) * (1 - rate))),
        ],
        options=replace(FEW, questions=300, examples="", verbalised=False),
    ),
)

study = Study(
    source=Source(TITLE, 2025, arxiv="2509.24988", venue="ICML 2026"),
    question="Can past results of several models tell when an answer is right, better than the model itself can?",
    needs={"generate"},
    options=Options,
    row=Row,
    items=lambda options: list(questions(options.questions, options.set)),
    example=example,
    collect=collect,
    score=score,
    null=results.shuffled_verdicts,
    read_file=read_file,
    across=across,
    published=tuple(Published(*figure) for figure in PUBLISHED),
    planted=PLANTED,
    graded=lambda rows, options: results.in_every_way(rows.filter(rows["condition"] == ASKED)),
)
