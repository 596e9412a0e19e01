"""Relative confidence: does asking which of two answers it is surer of tell right from wrong better than a number?

Every question is answered once, with a stated confidence (`direct`); all ways score this one frozen answer. The other
ways: agreement of k sampled answers (`hybrid_sc`), and ratings from matchups with n other questions of the same set,
each with the model's own answers: in which is it more confident? (`elo`, `trueskill`, `bradley_terry`.) Calls are
counted, not appearances: n matchups drawn for each question (two calls each with --swap) against n samples of each.

A matchup needs two answers, and `collect` has one item: opponents are drawn with the items and travel in their fields,
and an opponent's answer is asked for where it is needed with the very call that its own item makes. Equal calls are
made once (by the response store, in memory or on disk), so that the answer phase costs one call for each question.

Differs from the paper: its prompts were not published, ours ask for a letter of two answers on one line each, or
(--asking line) show both whole questions and end in `More confident: 1` or `2`; where the model gives
log-probabilities the label's probability is a soft win (--reading reply: what it says); the default questions are facts
of the bank; Elo is the mean over random orders and Bradley-Terry is run to convergence (`variant=published`: one pass
in the order drawn, 5 updates). All figures are on answered questions, ties by expectation, intervals by whole groups.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa import charts
from doxa.data import known_chances, published_questions
from doxa.data.matchup_figures import METHODS, PUBLISHED
from doxa.data.mixture import of_set
from doxa.data.opponents import bank, opponents, with_opponents
from doxa.elicit import matchup_files, response_files
from doxa.elicit.answer_tables import graded, shuffled_within
from doxa.elicit.answers import Letter
from doxa.elicit.form import TextForm
from doxa.elicit.matchups import Answered, MoreConfident, Preferring, matchup, verdict
from doxa.elicit.verbal import ChainOfThought, Vanilla
from doxa.metrics import foreseen_matchups as foreseen
from doxa.metrics import risk_coverage
from doxa.metrics.foreseen import Foreseen
from doxa.metrics.matchup_scores import (
    OVER_DIRECT,
    OVER_SAMPLES,
    Compared,
    Rules,
    Weighting,
    accuracy,
    figures,
    in_every_way,
    preference_figures,
)
from doxa.metrics.matchup_tables import Lines, as_confidence, by_calls, by_set
from doxa.metrics.matchups import trueskill_is_there
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import Respondent
from doxa.models.simulated_values import uniforms
from doxa.planted import Expected, Truth
from doxa.records import Answer, Chart, DoxaError, Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

ANSWER, SAMPLE, MATCHUP = "answer", "sample", "matchup"
CALLS = (5, 10, 15)
HEADLINE, PREFERENCES, EVERY = "Relative confidence", "Preferences", "Every way"
SHOWN = (*(f"AUROC, {way}" for way in ("bradley_terry", "direct", "hybrid_sc")), OVER_DIRECT, OVER_SAMPLES)
BIASED = 0.04  # of the first-slot share from one half: told in a note
RARE = 0.05  # mean probability of saying either label


@dataclass(frozen=True)
class Options:
    questions: Annotated[int, "questions of the bank, or of each set at most"] = 150
    set: Annotated[str | None, "questions: published sets, paths or hub ids, comma-separated; none: the bank"] = None
    matchups: Annotated[int, "n, opponents drawn for each question"] = 15
    samples: Annotated[int, "k, sampled answers to each question; 0: none"] = 15
    temperature: Annotated[float, "sampling temperature; the answer itself is greedy"] = 0.7
    chain_of_thought: Annotated[bool, "reasoning before the answers"] = False
    asking: Annotated[Literal["letter", "line"], "two answers with letters, or two whole questions"] = "letter"
    reasoning: Annotated[bool, "asking line, reading reply: a short reasoning first"] = False
    reading: Annotated[Literal["best", "labels", "reply"], "of matchups; best: labels if the model can"] = "best"
    swap: Annotated[bool, "both orders of every matchup; replies that conflict are half a win each"] = False
    unread: Annotated[Literal["drop", "half"], "matchups without a readable reply; half: of a win"] = "drop"
    weighting: Annotated[Weighting, "hybrid_sc: avg_conf, mean of agreeing confidences, or vote"] = "avg_conf"
    elo_k: Annotated[float, "largest change of an Elo rating by one game"] = 400.0
    elo_passes: Annotated[int, "times that Elo goes through all games"] = 1
    conservative: Annotated[bool, "TrueSkill: mu - 3 sigma instead of mu"] = False
    prior: Annotated[float, "Bradley-Terry: wins added in both directions to each played pair"] = 0.01
    variant: Annotated[Literal["corrected", "published"], "order of Elo, updates of Bradley-Terry"] = "corrected"
    answers: Annotated[str | None, "scoring files: the questions' answers, beside a file of preferences alone"] = None
    scale: Annotated[response_files.Scale, "scoring files: unit of confidences without a percent sign"] = "auto"
    resamples: Annotated[int, "resamples of the intervals"] = 1000
    max_tokens: Annotated[int, "tokens a reply may have"] = 256

    def __post_init__(self) -> None:
        for name, least in {"questions": 2, "matchups": 1, "samples": 0, "elo_passes": 1, "prior": 1e-9}.items():
            if not getattr(self, name) >= least:
                raise DoxaError(f"{name} is {getattr(self, name)}; give at least {least:g}")

    @property
    def calls(self) -> tuple[int, ...]:
        """Budgets at which matchups and samples are compared."""
        most = min(self.matchups * (1 + self.swap), self.samples)
        return tuple(sorted({*(m for m in CALLS if m <= most), *((most,) if most else ())}))

    def rules(self) -> Rules:
        return Rules(
            **{name: getattr(self, name) for name in ("weighting", "elo_k", "elo_passes", "conservative", "prior")},
            as_published=self.variant == "published",
            half=self.unread == "half",
            cost=1 + self.swap,
        )


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """The answer to a question, one of its samples, or one of its matchups (`condition` says which).

    answer, confidence  canonical, and that it is right; of matchups empty
    opponent, first     of matchups: with whom (`sample` is the place in the draw); whether the question stood first
    preferred           of matchups: 1 or 0, or the probability that the question is preferred to its opponent
    mass                of matchups read from labels: probability that the model says any of the two
    truth               right answers to the question in canonical form; empty: not known
    """

    kind: str
    options: int = 0
    set: str = ""
    answer: str | None = None
    confidence: float | None = None
    opponent: str | None = None
    first: bool | None = None
    preferred: float | None = None
    mass: float | None = None
    truth: tuple[str, ...] = ()


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """Questions with their opponents: facts at even distances in popularity, or a random part of each set."""
    if options.set is None:
        return with_opponents(bank(options.questions), options.matchups)
    sets = [published_questions.questions(source.strip()) for source in options.set.split(",")]
    parts = (Random(0).sample(one, min(options.questions, len(one))) for one in sets)
    return with_opponents([item for part in parts for item in part], options.matchups)


def example() -> list[Item]:
    towns = ("Arnholt", "Velmora", "Tessby", "Korvik")
    asked = [Item(f"town/{i}", f"Which town lies on river {i}?", "choice", towns, towns[i % 4]) for i in range(8)]
    return with_opponents([of_set(item, "towns") for item in asked], 4)


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    truth = item.answer_letter if item.options else item.answer
    form = ChainOfThought() if options.chain_of_thought else Vanilla()
    brief = Sampling(max_tokens=options.max_tokens)
    row = partial(
        Row,
        item=item.id,
        kind=item.kind,
        options=len(item.options),
        set=str(item.fields.get(published_questions.SET, "")),
        truth=() if truth is None else (truth, *item.accepted),
    )
    answer, reply = await ask.answer(form, sampling=brief, condition=ANSWER)
    yield row(condition=ANSWER, text=reply.text, **_read(answer))
    if answer.value is None:
        return
    if options.samples:
        drawn = replace(brief, n=options.samples, temperature=options.temperature)
        for k, reply in enumerate(await ask.sample(form.prompt(item), drawn, condition=SAMPLE)):
            yield row(condition=SAMPLE, sample=k, text=reply.text, **_read(form.read(reply, item)))
    mine = Answered(item, answer.value)
    for k, other in enumerate(opponents(item)[: options.matchups]):
        given, _ = await _about(ask, other).answer(form, sampling=brief, condition=ANSWER)
        if given.value is None:
            continue
        ahead = uniforms(1, "order", ask.seed, item.id, other.id)[0] < 0.5
        for first in (ahead, not ahead) if options.swap else (ahead,):
            sides = (mine, Answered(other, given.value))
            yield row(
                condition=MATCHUP,
                sample=k,
                opponent=other.id,
                first=first,
                **await _compare(ask, sides if first else sides[::-1], options, first),
            )


def _about(ask: Ask, item: Item) -> Ask:
    """Asks about another item, in the same log and with the same seed: the very call that this item makes itself."""
    other = Ask(ask.model, item, seed=ask.seed)
    other.calls = ask.calls
    return other


async def _compare(ask: Ask, sides: tuple[Answered, ...], options: Options, first: bool) -> dict[str, Any]:
    """One matchup of answers as shown; `preferred` is the probability that the question itself is."""
    shown = matchup(sides[0], sides[1], whole=options.asking == "line")
    form: TextForm = Letter() if options.asking == "letter" else MoreConfident(options.reasoning)
    labels = options.reading == "labels" or (options.reading == "best" and "score" in ask.model.capabilities)
    found = await verdict(
        _about(ask, shown), form, shown, labels=labels, max_tokens=options.max_tokens, condition=MATCHUP
    )
    won = found.first if first or found.first is None else 1 - found.first
    return {"outcome": found.outcome, "text": found.text, "mass": found.mass, "preferred": won}


def _read(answer: Answer) -> dict[str, Any]:
    return {"outcome": answer.outcome, "answer": answer.value, "confidence": answer.confidence}


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Figures of every way on the same answers, for each set and as the mean of sets."""
    table = _table(rows)
    sets = Compared.each(table, options.rules())
    estimates = list(_estimates(table, sets, options))
    lines = (
        by_set(sets, resamples=options.resamples),
        by_calls(sets, options.calls, resamples=options.resamples),
        as_confidence(sets),
    )
    tables = tuple(Table(one.name, one.columns, one.rows, EVERY, one.note) for one in lines)
    return Findings(tuple(estimates), tables, tuple(_charts(sets, lines[1])), notes=tuple(_notes(table, estimates)))


def _table(rows: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    no_guesses = pl.lit(None, dtype=pl.List(pl.String)).alias("guesses")
    ordered = rows.sort("item", "condition", "sample", "opponent", "first")
    return graded(ordered.with_columns(pl.coalesce("group", "item").alias("group"), no_guesses))


def _estimates(table: pl.DataFrame, sets: Sequence[Compared], options: Options) -> Iterator[Estimate]:
    import polars as pl

    asked, played = (table.filter(pl.col("condition") == part) for part in (ANSWER, MATCHUP))
    right, bounds = accuracy(asked)
    outcomes = count_outcomes(asked["outcome"].to_list())
    yield Estimate.of("accuracy", right, unit="questions", outcomes=outcomes, bounds=bounds, section=HEADLINE)
    found = figures(sets, options.calls, resamples=options.resamples)
    for name in (*SHOWN, *(name for name in found if name not in SHOWN)):
        yield Estimate.of(name, found[name], unit="questions", section=HEADLINE if name in SHOWN else EVERY)
    outcomes = count_outcomes(played["outcome"].to_list())
    for name, (figure, unit) in preference_figures(played, sets).items():
        yield Estimate.of(name, figure, unit=unit, outcomes=outcomes, section=PREFERENCES)


def _charts(sets: Sequence[Compared], by_budget: Lines) -> Iterator[Chart]:
    if drawn := [line for line in by_budget.rows if line[3] == line[3]]:
        calls, ways, _, *limits = (list(column) for column in zip(*drawn, strict=True))
        labels, name = [f"{m} calls" for m in calls], "Selective AUC by calls for each question"
        yield charts.bars_with_intervals(
            labels, *limits[:3], series=ways, axis="selective AUC", name=name, section=EVERY
        )
    for one in sets:
        scored = {way: one.scored(way) for way in METHODS}
        curves = {way: risk_coverage(s.score, s.correct) for way, s in scored.items() if len(s.correct)}
        if curves:
            lines = {way: (curve.coverage, curve.risk) for way, curve in curves.items()}
            yield charts.risk_coverage_chart(lines, name=f"Risk and coverage, {one.name or 'questions'}", section=EVERY)


def _notes(table: pl.DataFrame, estimates: Sequence[Estimate]) -> Iterator[str]:
    import polars as pl

    if unread := table.filter(pl.col("condition") == ANSWER, pl.col("answer").is_null()).height:
        yield f"{unread} questions have no readable answer: they take part in no matchup and in no figure"
    place = next(e.value for e in estimates if e.name == "first-slot share")
    if abs(place - 0.5) > BIASED:
        yield f"the question shown first wins {place:.0%} of the matchups; asking in both orders (--swap) undoes it"
    if not trueskill_is_there():
        yield "without TrueSkill, which needs one more package: pip install 'doxa[ranking]'"
    said = table["mass"].drop_nulls().to_list()
    if said and sum(said) / len(said) < RARE:
        yield f"the two labels have {sum(said) / len(said):.1%} of the probability: this way of asking may not suit it"


def read_file(path: Path, options: Options) -> Recorded:
    """Preferences with answers (see `elicit.matchup_files.recorded`), or rows of a run; JSONL, JSON, CSV, Parquet."""
    table = list(read_rows(path))
    if table and {"condition", "opponent", "preferred", "truth"} <= set(table[0][1]):
        return Recorded(path.stem, frame([cells for _, cells in table], Row))
    answers = list(read_rows(Path(options.answers).expanduser())) if options.answers else []
    rows, notes = matchup_files.recorded(table, answers, str(path), options.scale)
    return Recorded(path.stem, frame(rows, Row), notes=tuple(notes))


def score_recorded(recorded: Recorded, options: Options) -> Findings:
    found = score(recorded.rows, options)
    return replace(found, notes=(*found.notes, *recorded.notes))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Models (files) side by side."""
    found = [(one.label, score(one.rows, options)) for one in recorded]
    tables = []
    for name in ("AUROC", "selective AUC"):
        lines = tuple((label, *(f[f"{name}, {way}"] for way in METHODS)) for label, f in found)
        tables.append(Table(f"{name} by model", ("model", *METHODS), lines))
    return Findings(tables=tuple(tables))


# --- what is planted -------------------------------------------------------------------------------------------------

FEW = Options(matchups=10, samples=10, reading="reply", resamples=100)


def planted_items(options: Options) -> list[Item]:
    return with_opponents(known_chances.with_chances(bank(options.questions), 0.03, 0.97), options.matchups)


def preferring(by: Preferring, format_errors: float = 0.0) -> Respondent:
    return Respondent(belief=by, decoding="greedy", format_errors=format_errors)


def _games(asked: Sequence[Item]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chances, and the numbers of who plays whom."""
    chance = np.array([item.fields[known_chances.CHANCE] for item in asked])
    return chance, *foreseen.pairs([i.id for i in asked], [[o.id for o in opponents(i)] for i in asked])


def _expected(found: Mapping[str, Foreseen]) -> list[Expected]:
    return [Expected(name, value, sd, n) for name, (value, sd, n) in found.items()]


FOLLOWING = Truth(
    name="preferences that follow confidence",
    what="prefers the answer that it believes more by the difference in logits times this; null: tosses a coin",
    respondent=lambda slope: preferring(Preferring(slope)),
    strength=1.0,
    null=0.0,
    expects=lambda slope, asked: _expected(foreseen.of_preferences(*_games(asked), slope, samples=FEW.samples)),
    options=FEW,
    items=planted_items,
)
PLANTED = (
    replace(FOLLOWING, grid=(0.0, 0.1, 0.25, 0.5, 1.0, 2.0), drawn=("AUROC, bradley_terry", "transitive triples")),
    replace(
        FOLLOWING,
        name="preferences in probability",
        what="as before, read from the probabilities of the labels, which have no noise; null: always one half",
        respondent=lambda slope: preferring(Preferring(slope, hard=False)),
        expects=lambda slope, asked: _expected(foreseen.of_labels(_games(asked)[0], slope)),
        options=replace(FEW, reading="labels", samples=0),
    ),
    replace(
        FOLLOWING,
        name="habit of place",
        what="adds to the logit of the question shown first; null: nothing",
        respondent=lambda bonus: preferring(Preferring(bonus=bonus)),
        strength=1.5,
        expects=lambda bonus, asked: _expected(foreseen.of_place(*_games(asked), bonus)),
        options=replace(FEW, questions=80, samples=0, swap=True, asking="line"),
    ),
    replace(
        FOLLOWING,
        name="unread replies",
        what="is out of format at a rate, in answers and in matchups; null: never",
        respondent=lambda rate: preferring(Preferring(), format_errors=rate),
        strength=0.3,
        expects=lambda rate, asked: _expected(foreseen.of_unread(rate, len(asked), FEW.matchups)),
        options=replace(FEW, samples=0),
    ),
)

study = Study(
    source=Source(
        "Language Models Prefer What They Know: Relative Confidence Estimation via Confidence Preferences",
        2025,
        arxiv="2502.01126",
    ),
    question="Does asking which of two answers it is surer of tell the model's right answers from wrong ones better?",
    needs=lambda options: {"generate", "score"} if options.reading == "labels" else {"generate"},
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=partial(shuffled_within, by=("kind", "options", "set")),
    read_file=read_file,
    score_recorded=score_recorded,
    across=across,
    published=tuple(Published(*figure) for figure in PUBLISHED),
    planted=PLANTED,
    graded=lambda rows, options: in_every_way(Compared.each(_table(rows), options.rules())),
)
