"""Election panel: how do answers change over months, and under "I am a ...", and which votes do they imply?

The same questions go to the same models day after day, plain and in 21 variations (identities, requests, formats), each
in a conversation of its own. Four analyses: drift of the replies' texts, with change points, and baselines that tell an
update of the model from an event in the world; steering, each variation against the plain question and against asking
that again; whom a word describes; and the vote that answers about groups of voters imply. A run asks one day, or a few;
`doxa panel` keeps a panel over months and reports on all its days.

Differs from the paper: reconstructed from its abstract, its data and its list of variations, for its formulas were not
read. Questions are ours, about an election in a republic that we made up, and facts (--set takes others, with dated
placeholders). Texts are compared by hashed n-grams (--encoder takes a sentence encoder), which see wording rather than
meaning. The null is asking again on the same day, not 0; templates count as independent units, not prompts; distances
are shown at equal length, too. `doxa score` reads the published files, and any table of dated replies.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from doxa.charts.days import daily_chart
from doxa.charts.heat import heat_map
from doxa.data import panel_bank, panel_questions
from doxa.data.panel_bank import PUBLISHED
from doxa.data.similar import sentence_encoder
from doxa.elicit import free_reply, panel_files
from doxa.elicit.free_reply import FreeReply
from doxa.elicit.grading import is_correct
from doxa.metrics import panel_drift, panel_tables
from doxa.metrics.panel_figures import Curve, Panel, Rules
from doxa.metrics.text_distance import hashed_ngrams, unit
from doxa.models.recorded_files import read_rows
from doxa.planted import Expected, Truth
from doxa.records import Chart, Estimate, Findings, Item, Reading, Reply, Sampling, Table
from doxa.simulation import planted_panel, variations
from doxa.simulation.personas import Persona, with_persona
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

SEEDS = 16  # of one day: a day's askings and the next day's are told apart


@dataclass(frozen=True)
class Options:
    set: Annotated[str | None, "TOML or JSON file of questions, see docs/panel.md; none: our own"] = None
    topics: Annotated[str, "only these topics, with commas between them; empty: all"] = ""
    date: Annotated[str, "the day that is asked"] = panel_bank.FIRST_DAY.isoformat()
    since: Annotated[str | None, "the panel's first day, from which rarer questions are counted; none: the day"] = None
    days: Annotated[int, "days asked in this run, one after another"] = 1
    variations: Annotated[str, "names, or all, identities, requests, formats, none"] = "all"
    again: Annotated[int, "times that the plain question is asked again on a day, as the null"] = 1
    temperature: Annotated[float, "of sampling"] = 0.0
    max_tokens: Annotated[int, "longest reply; explanations are cut, as published"] = 128
    encoder: Annotated[str | None, "sentence encoder, a folder or hub id; none: hashed n-grams"] = None
    events: Annotated[str | None, "DAY=NAME;DAY=NAME, or a file of questions; none: those of the set"] = None
    polls: Annotated[str | None, "table of polls (date, subject, share), see docs/panel.md, to hold votes against"] = (
        None
    )
    level: Annotated[float, "level of change points, whatever their number"] = panel_drift.LEVEL
    permutations: Annotated[int, "shuffled series or labels of each test"] = 999

    def __post_init__(self) -> None:
        if self.days < 1 or not 0 <= self.again < SEEDS:
            raise ValueError(f"days is {self.days} (1 or more), again {self.again} (0 to {SEEDS - 1})")
        variations.chosen(self.variations)
        panel_questions.day(self.date)

    @property
    def bank(self) -> panel_questions.Bank:
        return panel_bank.bank() if self.set is None else panel_questions.load(Path(self.set))

    def happened(self) -> Mapping[Day, str]:
        """Events by day."""
        return self.bank.events if self.events is None else panel_questions.events(self.events)


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One reply to one question, on one day, in one variation.

    who       the model, where rows of several are scored together
    question  the question with its placeholders filled; `group` is its template
    sample    above 0: the plain question asked again
    value     a share in [0, 1]; shares: of the candidates; label: any other answer that was read
    measure, partition, cell, subject, word   what a number is about
    correct   None where there is no right answer; cut: the reply reached its longest length
    """

    who: str = ""
    date: str = ""
    question: str = ""
    type: str = "exogenous"
    topic: str = ""
    variation: str = "none"
    value: float | None = None
    shares: tuple[float, ...] = ()
    label: str | None = None
    measure: str = ""
    partition: str = ""
    cell: str = ""
    subject: str = ""
    word: str = ""
    correct: bool | None = None
    hedged: bool = False
    cut: bool = False


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """Questions due on each day, one item for each question and day."""
    first = panel_questions.day(options.date)
    since = first if options.since is None else panel_questions.day(options.since)
    topics = [t.strip() for t in options.topics.split(",") if t.strip()]
    return panel_questions.asked(options.bank, first, options.days, since, topics)


def example() -> list[Item]:
    topics = "known facts,predictions,self-reflection"
    return items(Options(days=2, topics=topics))[-16:]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """The plain question, the same again, and each variation, every one in a conversation of its own."""
    day = str(item.fields.get("date", options.date))
    plain, *varied = variations.chosen(options.variations)
    if item.fields.get("type") == "baseline":
        varied = []
    form = FreeReply(item.fields.get("reply", "text"))
    seed = panel_questions.day(day).toordinal() * SEEDS
    asked = [(plain, k) for k in range(1 + options.again)] + [(persona, 0) for persona in varied]
    for persona, sample in asked:
        sampling = Sampling(temperature=options.temperature, max_tokens=options.max_tokens, seed=seed + sample)
        condition = f"again {sample}" if sample else persona.name
        reply = await ask.generate(with_persona(form.prompt(item), persona), sampling, condition=condition)
        yield _row(item, form, reply, day, persona, sample)


def _row(item: Item, form: FreeReply, reply: Reply, day: str, persona: Persona, sample: int) -> Row:
    answer = form.read(reply, item)
    numeric = answer.value is not None and form.kind in ("percent", "shares")
    numbers = [float(x) for x in answer.value.split()] if numeric and answer.value else []
    told = {name: str(item.fields.get(name, "")) for name in ("measure", "partition", "cell", "subject", "word")}
    return Row(
        item=item.id,
        condition=f"again {sample}" if sample else persona.name,
        sample=sample,
        outcome=answer.outcome,
        text=reply.text,
        date=day,
        question=str(item.fields.get("question", item.id)),
        type=str(item.fields.get("type", "exogenous")),
        topic=str(item.fields.get("topic", "")),
        variation=persona.name,
        value=numbers[0] if form.kind == "percent" and numbers else None,
        shares=tuple(numbers) if form.kind == "shares" else (),
        label=answer.value if form.kind not in ("percent", "shares", "text") else None,
        correct=None if item.answer is None else is_correct(answer.value, dataclasses.replace(item, options=())),
        hedged=free_reply.hedges(reply.text),
        cut=reply.finish == "length",
        **told,
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """The four analyses for each model, and what the panel holds and lacks."""
    if rows.is_empty():
        return Findings(notes=("No reply.",))
    rows = panel_tables.filled(rows)
    polls = panel_questions.polls(Path(options.polls)) if options.polls else None
    rules = Rules(variations.kind_of, free_reply.complies, options.level, options.permutations, polls)
    parts = rows.sort("who").partition_by("who", maintain_order=True)
    encode = encoder(options.encoder)
    models = [Panel(part, encode, variations.NAMES, rules) for part in parts]
    estimates = [
        Estimate.of(_named(name, m, models), found, unit=unit_, outcomes=m.outcomes, section=section)
        for m in models
        for section, unit_, figures in m.figures()
        for name, found in figures.items()
    ]
    counts = panel_tables.counts(rows)
    estimates += [Estimate(name, float(n), n=n, method="count", section="What was asked") for name, n in counts.items()]
    events = options.happened()
    drawn = tuple(_chart(curve, m, models, events) for m in models for curve in m.curves())
    drawn += tuple(
        heat_map(*m.steered(), axis="excess", name=_named("Steering by topic", m, models), section="Steering")
        for m in models
        if m.matrix
    )
    notes = tuple(f"{m.who or 'The model'}: {note}" for m in models for note in m.notes())
    return Findings(tuple(estimates), tuple(_tables(rows, models, events)), drawn, notes=notes)


def _named(name: str, of: Panel, models: Sequence[Panel]) -> str:
    return f"{name}, {of.who}" if len(models) > 1 else name


def encoder(name: str | None) -> panel_drift.Encode:
    """Texts to vectors (n, d) of length 1: hashed n-grams, or a sentence encoder."""
    if name is None:
        return hashed_ngrams
    encode = sentence_encoder(name)
    return lambda texts: unit(encode(texts))


def _tables(rows: pl.DataFrame, models: Sequence[Panel], events: Mapping[Day, str]) -> Iterator[Table]:
    for m in models:
        for name, columns, lines, note in m.tables(events):
            yield Table(_named(name, m, models), columns, tuple(lines), note=note)
    for name, columns, of in panel_tables.OF_ALL:
        yield Table(name, columns, tuple(of(rows)))
    held, days = panel_tables.by_day(rows)
    if len({line[1:] for line in days}) > 1:
        yield Table("Replies by day", held, tuple(days), note="0: a missing day")
    if kept := tuple(panel_tables.formats(rows, free_reply.complies)):
        yield Table("Formats that were asked for", panel_tables.FORMATS, kept)


def _chart(curve: Curve, m: Panel, models: Sequence[Panel], events: Mapping[Day, str]) -> Chart:
    values, lows, highs = curve.side("value"), curve.side("low"), curve.side("high")
    named = {"axis": curve.axis, "name": _named(curve.name, m, models), "section": curve.section}
    return daily_chart(curve.days, values, series=curve.series, lows=lows, highs=highs, events=events, **named)


def null(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Replies permuted among the days and variations of one question to one model: nothing drifts or steers then."""
    return panel_tables.permuted(rows, ("who", "question"), REPLY, seed)


REPLY = ("outcome", "text", "value", "shares", "label", "correct", "hedged", "cut")


# --- recorded answers ------------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run, published files (one or a folder of them), or a table with date, question and response."""
    if path.is_file() and panel_files.is_rows(path):
        return Recorded(path.stem, frame([row for _, row in read_rows(path)], Row))
    found = panel_files.read(path, variations.of_file)
    return Recorded(path.stem, frame(found.rows, Row), notes=tuple(found.notes()))


# --- what can be planted ---------------------------------------------------------------------------------------------
# Replies are drawn each day from a set of three; what is planted says from which set, and which are replaced.

FIRST, EACH, DAYS, CHANGE = panel_bank.FIRST_DAY, 8, 40, 21
MOVES = Options(variations="none", again=0)
STEERS = Options(variations="Democrat,truthful,paragraph")


def switched(kinds: Sequence[str]) -> Callable[[float, Sequence[Item]], Iterator[Expected]]:
    """Another set of replies from day CHANGE on in questions of these kinds."""

    def expects(strength: float, asked: Sequence[Item]) -> Iterator[Expected]:
        for kind in panel_drift.TYPES:
            yield Expected(f"day of change, {kind}", CHANGE if strength and kind in kinds else math.nan, sd=0.0)
        update = "baseline" in kinds
        yield Expected("system update", float(strength > 0 and update), sd=0.0)
        yield Expected("response to an event", float(strength > 0 and not update), sd=0.0)

    return expects


def replaced(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """One fixed reply to each question; under one identity each is replaced at a rate, independently."""
    varied = [item for item in asked if item.fields["type"] != "baseline"]
    mean, square = planted_panel.replaced_distance(varied, hashed_ngrams)
    yield Expected("changed replies, identities", rate, n=len(varied))
    sd = math.sqrt(rate * square - (rate * mean) ** 2)
    yield Expected("excess distance, identities", rate * mean, sd=sd, n=len(varied), slack=1e-9, why="rounding")
    yield Expected("share that steers, identities", float(rate > 0), sd=0.0)
    for name in ("requests", "formats", "asked again"):
        yield Expected(f"changed replies, {name}", 0.0)
    yield Expected("p of no change, all questions", 1.0, sd=0.0)


VOTE, PARTITIONS = 0.49, 5


def implied(shift: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """Weights and splits of five partitions with one total; that of the first is shifted."""
    yield _said("implied share of the first candidate", VOTE + shift / PARTITIONS)
    yield _said("incoherence, range", shift)
    yield _said("incoherence, sd", shift / math.sqrt(PARTITIONS))
    yield _said("implied minus direct answer", shift / PARTITIONS)
    yield _said("share of the first candidate, asked directly", VOTE)


def described(extent: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """Each word describes the first candidate to an extent, and the second to another."""
    part = extent / (extent + planted_panel.OTHER)
    for name, value in zip(planted_panel.CANDIDATES, (part, 1 - part), strict=True):
        yield _said(f"relative association, {name}", value)


def _said(name: str, value: float) -> Expected:
    return Expected(name, value, sd=0.0, slack=1e-3, why="figures are said to four digits")


def refusing(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """Refuses at a rate, else hedges at another."""
    yield Expected("refusals", rate)
    yield Expected("hedged", (1 - rate) * planted_panel.HEDGES)


def _switch(name: str, kinds: Sequence[str]) -> Truth:
    return Truth(
        name=name,
        what=f"another set of replies to {' and '.join(kinds)} questions from day {CHANGE} on; null: never",
        respondent=lambda on: planted_panel.respondent(FIRST, on=CHANGE if on else None, types=kinds),
        strength=1.0,
        null=0.0,
        expects=switched(kinds),
        options=MOVES,
        items=lambda options: planted_panel.questions(EACH, DAYS, FIRST),
    )


PLANTED = (
    _switch("system update", panel_drift.TYPES),
    _switch("event", ("exogenous",)),
    Truth(
        name="steering",
        what="one reply to each question, under one identity replaced at a rate; null: never",
        respondent=lambda rate: planted_panel.respondent(FIRST, still=True, replaces={"Democrat": rate}),
        strength=0.3,
        null=0.0,
        expects=replaced,
        grid=(0.0, 0.1, 0.2, 0.3, 0.5, 0.8),
        drawn=("changed replies, identities", "excess distance, identities"),
        options=STEERS,
        items=lambda options: planted_panel.questions(10, 20, FIRST),
    ),
    Truth(
        name="incoherent votes",
        what="shares of groups that imply one total by five partitions, but one of them another; null: all the same",
        respondent=lambda shift: planted_panel.voter(VOTE, shift),
        strength=0.05,
        null=0.0,
        expects=implied,
        grid=(0.0, 0.02, 0.05, 0.1, 0.2),
        drawn=("incoherence, range", "incoherence, sd"),
        options=MOVES,
        items=lambda options: planted_panel.exit_polls(PARTITIONS, FIRST),
    ),
    Truth(
        name="words",
        what=f"a word describes one candidate to an extent, the other to {planted_panel.OTHER:.0%}; null: both alike",
        respondent=planted_panel.judge,
        strength=0.6,
        null=planted_panel.OTHER,
        expects=described,
        options=MOVES,
        items=lambda options: planted_panel.words(FIRST),
    ),
    Truth(
        name="refusals",
        what=f"refuses at a rate, of the other replies {planted_panel.HEDGES:g} hedge; null: never refuses",
        respondent=planted_panel.refuser,
        strength=0.4,
        null=0.0,
        expects=refusing,
        options=MOVES,
        items=lambda options: planted_panel.questions(100, 2, FIRST),
    ),
)

study = Study(
    source=Source(
        "Large-Scale, Longitudinal Study of Large Language Models During the 2024 US Election Season",
        2025,
        arxiv="2509.18446",
    ),
    question='How do answers change over months and under "I am a ...", and which votes do they imply?',
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=null,
    read_file=read_file,
    published=tuple(Published(*figure) for figure in PUBLISHED),
    planted=PLANTED,
)
