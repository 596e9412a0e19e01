"""KalshiBench: when a model cannot have memorised the outcome, do its probabilities match how often events happen?

A yes/no question about an event is asked once; the reply states a probability. One number can be read in three ways,
and all three are reported: `as scored` (the published scorer takes it as confidence in the answer: P(yes) is 1 - number
after a "no"), `literal` (it is P(yes), as the published prompt says) and `coherent` (literal, but 1 - number where the
number contradicts the answer). A calibrated model looks like the worst one under the wrong reading.

Differs from the paper: new runs ask for P(yes) alone, so that there is one reading only (--prompt paper asks as
published); the default questions are facts of the bank, which a model may have learnt (--set and --cutoff give a
forecast); outcomes are joined by row, not by an id that repeats (--join id); the last bin is closed and values are
rounded to 9 decimals before binning, undefined is nan and not 0, a reply without tags is unread (--variant published:
the published bins, zeros and parser); unread replies are also scored as 0.5; every number has an interval, by whole
series. Brier, skill and ECE move by a few thousandths; the choice of reading moves ECE by up to .3.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from doxa import charts
from doxa.data import forecasts as data
from doxa.data import prediction_files as files
from doxa.data.forecast_figures import NOTES, PUBLISHED
from doxa.data.forecasts import READINGS
from doxa.data.known_chances import PROBABILITY, events
from doxa.elicit.structured import Tags
from doxa.metrics import Confusion, Interval, forecast_tables, reliability, sums
from doxa.metrics import forecast_scores as scores
from doxa.metrics.forecasts import HalfOpenBin, certainty, half_open_bins
from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.foreseen_figures import answers_foreseen, brier_of_beta, forecast_foreseen, sharpened
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import Forecast, Respondent
from doxa.models.simulated_edited import Edited, about_its_answer
from doxa.planted import Expected, Truth
from doxa.records import Chart, Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

BASE_RATE = 0.4  # share of bank questions whose answer is yes, that of the published sample


@dataclass(frozen=True)
class Options:
    prompt: Annotated[Literal["probability", "paper"], "ask for P(yes) alone, or yes/no with a number"] = "probability"
    variant: Annotated[Literal["corrected", "published"], "bins, parser and zeros: ours, or as published"] = "corrected"
    fallback: Annotated[Literal["none", "words"], "a reply without answer tag: unread, or by its yes and no"] = "none"
    set: Annotated[str | None, "path or hub id of questions (2084Collective/kalshibench-v2); none: the bank"] = None
    cutoff: Annotated[str | None, "of a set, only what closes at or after this ISO date"] = None
    per_series: Annotated[int, "of a set, at most so many of one series"] = 2
    questions: Annotated[int, "questions asked"] = 300
    outcomes: Annotated[str | None, "scoring files: table with the outcome of each prediction (.csv, .jsonl)"] = None
    join: Annotated[Literal["row", "id"], "outcomes by row, or as published by an id that repeats"] = "row"
    bins: Annotated[int, "bins of the calibration errors"] = 10
    min_category: Annotated[int, "categories with fewer questions are hidden"] = 10
    resamples: Annotated[int, "resamples of the intervals"] = 1000
    temperature: Annotated[float, "sampling temperature"] = 0.7
    max_tokens: Annotated[int, "longest reply; published: 32768"] = 4096


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One prediction.

    question_id  the set's own id, which may repeat
    answer       "yes", "no", or None: none was read, or none was asked for
    number       the stated number as a probability; of what, is what the readings differ in
    scored       P(yes) by the published scorer
    truth        "yes" or "no"; None: not known
    market       the market's price, where the set has it; tokens: of prompt and reply
    """

    question_id: str
    answer: str | None
    number: float | None
    scored: float | None
    truth: str | None
    category: str | None = None
    market: float | None = None
    tokens: int | None = None


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """Questions of the set, or facts of the bank."""
    if options.set is None:
        return data.bank_questions(options.questions, BASE_RATE)
    return data.questions(options.set, cutoff=options.cutoff, per_series=options.per_series, n=options.questions)


def example() -> list[Item]:
    fields = {"description": "It opens when the ribbon is cut.", "category": "Bridges"}
    texts = (f"Will the bridge at mile {i} open this year?" for i in range(10))
    return [Item(f"mile-{i}", text, answer="no" if i % 5 < 3 else "yes", fields=fields) for i, text in enumerate(texts)]


def form(options: Options) -> Tags:
    """How the question is asked and the reply read."""
    published = options.variant == "published"
    both = Tags(as_published=published, fallback="substrings" if published else options.fallback)
    return Tags("probability") if options.prompt == "probability" else both


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """One shot per question."""
    sampling = Sampling(temperature=options.temperature, max_tokens=options.max_tokens)
    answer, reply = await ask.answer(form(options), item, sampling)
    number = answer.confidence
    tokens = [count for count in (reply.input_tokens, reply.output_tokens) if count is not None]
    yield Row(
        item=item.id,
        outcome=answer.outcome,
        text=reply.text,
        question_id=str(item.fields.get("question_id", item.id)),
        answer=answer.value,
        number=number,
        scored=1 - number if number is not None and answer.value == "no" else number,
        truth=data.yes_no(item.answer, f"the answer of {item.id!r}"),
        category=item.fields.get("category"),
        market=item.fields.get("market"),
        tokens=sum(tokens) if tokens else None,
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Numbers from rows alone; those that need outcomes rest on the rows that have one."""
    import polars as pl

    table = data.with_readings(rows.sort("item").with_columns(pl.coalesce("group", "item").alias("group")))
    asked = table.filter(pl.col("happened").is_not_null())
    known = asked.filter("read")
    unread = len(asked) - len(known)
    estimates = [*_replies(table), *_answers(table, known, unread, options)]
    for how in READINGS:
        estimates += _calibration(how, known, unread, options)
    outcomes = count_outcomes(rows["outcome"].to_list())
    estimates = [replace(e, unit="questions", outcomes=outcomes) for e in estimates]
    tables = [data.side_by_side(estimates, table), *(_reliability(how, table, options) for how in READINGS)]
    drawn = READINGS if known["answer"].is_not_null().any() else READINGS[1:2]  # without answers all are alike
    if len(known):
        tables += [data.answers_and_outcomes(known), _beside_others(asked, options), _categories(known, options)]
    shown = tuple(_chart(how, known, options) for how in drawn if len(known))
    return Findings(tuple(estimates), tuple(tables), shown, notes=tuple(data.notes(table)))


def _replies(table: pl.DataFrame) -> list[Estimate]:
    """How many replies were read, and which reading the "no" answers follow."""
    no = table.filter("read", table["answer"] == "no")
    found = {
        "parse rate": sums.share(table["read"], table["group"]),
        "literal style": sums.share(no["number"] < 0.5 - data.EPS, no["group"]),
        "answer style": sums.share(no["number"] > 0.5 + data.EPS, no["group"]),
    }
    counted = table.filter(table["tokens"].is_not_null())
    found |= {"tokens per prediction": sums.mean(counted["tokens"], counted["group"])} if len(counted) else {}
    return [Estimate.of(name, i, section="Replies", note=NOTES.get(name, "")) for name, i in found.items()]


def _answers(table: pl.DataFrame, known: pl.DataFrame, unread: int, options: Options) -> list[Estimate]:
    """What does not depend on the reading: the side taken, and how sure the number is of either side."""
    sided, read = known.filter(known["said"].is_not_null()), table.filter("read")
    said = (sided["said"] == "yes").to_numpy().astype(float)
    found = scores.answer_scores(
        *(said, sided["happened"], sided["number"], sided["group"]),
        zero_division=0.0 if options.variant == "published" else data.NAN,
        resamples=options.resamples,
    )
    sure = certainty(read["number"]) if len(read) else np.zeros(0)
    found["mean confidence"] = sums.mean(sure, read["group"], bounds=(0.5, 1.0))
    right, n = int((sided["said"] == sided["truth"]).sum()), len(sided) + unread
    bounds = {"accuracy": (right / n, (right + unread) / n)} if n else {}
    return [Estimate.of(name, i, section="Answers", bounds=bounds.get(name)) for name, i in found.items()]


def _calibration(how: str, known: pl.DataFrame, unread: int, options: Options) -> list[Estimate]:
    found = scores.forecast_scores(
        *(known[how], known["happened"], known["said"].fill_null("").to_numpy().astype(str), known["group"]),
        bins=options.bins,
        half_open=options.variant == "published",
        resamples=options.resamples,
    )
    missed, n = found["Brier"].value * len(known), len(known) + unread
    bounds = {"Brier": ((missed + unread) / n, missed / n)} if len(known) else {}
    return [
        Estimate.of(f"{k}, {how}", i, section=f"P(yes) {how}", note=NOTES.get(k, ""), bounds=bounds.get(k))
        for k, i in found.items()
    ]


# --- tables and charts -----------------------------------------------------------------------------------------------


def _reliability(how: str, table: pl.DataFrame, options: Options) -> Table:
    """Bins of P(yes): how many, their mean, and where outcomes are known the share that happened."""
    rows, known = forecast_tables.reliability(table, how, bins=options.bins, half_open=options.variant == "published")
    note = "A positive gap leans towards yes." if known else "Without outcomes the share of yes is not known."
    return Table(f"Reliability, {how}", forecast_tables.BINS, tuple(rows), section=f"P(yes) {how}", note=note)


def _chart(how: str, known: pl.DataFrame, options: Options) -> Chart:
    bins = reliability(known[how], known["happened"], bins=options.bins, closed="left")
    return charts.reliability_chart(bins, name=f"Reliability, {how}", section=f"P(yes) {how}")


def _beside_others(asked: pl.DataFrame, options: Options) -> Table:
    lines = forecast_tables.beside_others(asked, READINGS, bins=options.bins, half_open=options.variant == "published")
    note = f"{len(asked) - asked['read'].sum()} of {len(asked)} replies are unread."
    return Table("Forecasters", forecast_tables.FORECASTERS, tuple(lines), section="Forecasters", note=note)


def _categories(known: pl.DataFrame, options: Options) -> Table:
    shown, hidden = forecast_tables.by_category(known, READINGS, at_least=options.min_category)
    columns = ("category", "n", "accuracy", "low", "high", *(f"Brier, {how}" for how in READINGS))
    note = f"{hidden} categories with fewer than {options.min_category} questions are hidden."
    return Table("Categories", columns, tuple(shown), section="Categories", note=note)


# --- files of predictions --------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """A published result file (.json), a table of one's own (id, answer, number, outcome), or rows of a run."""
    published = path.suffix.lower() == ".json"
    table = [] if published else list(read_rows(path))
    if table and "scored" in table[0][1]:
        return Recorded(path.stem, frame([cells for _, cells in table], Row))
    predictions, stored = files.published_file(path) if published else (files.own_records(table), {})
    predictions, notes = files.reread(predictions, Tags(as_published=True))
    if options.outcomes is not None:
        known = list(read_rows(Path(options.outcomes)))
        predictions = files.with_outcomes(predictions, known, options.outcomes, join=options.join)
    rows = frame(files.as_rows(predictions), Row)
    return Recorded(str(stored.get("model_name") or path.stem), rows, stored, tuple(notes))


def score_recorded(recorded: Recorded, options: Options) -> Findings:
    """The rows' own figures; without outcomes, those of the file's tables, and what only the file itself can state."""
    found = score(recorded.rows, options)
    if not recorded.stored:
        return replace(found, notes=(*found.notes, *recorded.notes))
    read = data.with_readings(recorded.rows).filter("read")
    made = {e.name: e for e in found.estimates if not math.isnan(e.value)}
    if recorded.rows["truth"].is_null().all():
        made |= {k: Estimate.of(k, i, section="Of the file's tables") for k, i in _told(recorded, read).items()}
    bins = {b.label: b.n for b in half_open_bins(read["as scored"])} if len(read) else {}
    table, only = files.made_again(recorded.stored, recorded.label, made.values(), bins, len(read))
    estimates = (*made.values(), *only)
    tables = (table, data.side_by_side(estimates, read), *found.tables[1:])
    return replace(found, estimates=estimates, tables=tables, notes=(*found.notes, *recorded.notes))


def _told(recorded: Recorded, read: pl.DataFrame) -> dict[str, Interval]:
    bins, counts = files.stored_tables(recorded.stored, recorded.label)
    if counts is None or not len(read):
        return {}
    forecasts = {how: read[how] for how in READINGS}
    told = scores.table_scores([HalfOpenBin(*b) for b in bins], Confusion(**counts), forecasts, read["said"])
    return {f"{name}, as scored" if name in ("ECE", "MCE") else name: i for name, i in told.items()}


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Does the published ranking reflect how each model reads one sentence of the prompt?"""
    names = ("literal style", "ECE, as scored", *(f"{scores.TWO_GROUPS}, {how}" for how in READINGS), "accuracy")
    found = [{e.name: e.value for e in score_recorded(r, options).estimates} for r in recorded]
    values = np.array([[f.get(name, data.NAN) for name in names] for f in found])
    pairs = scores.correlations(values[:, 0], values[:, 1])
    estimates = tuple(Estimate.of(f"{k}, literal style and ECE", i, unit="models") for k, i in pairs.items())
    costs = ("total_tokens", "total_cost_usd")
    rows = tuple((r.label, *v, *map(r.stored.get, costs)) for r, v in zip(recorded, values.tolist(), strict=True))
    notes = files.other_samples({r.label: r.rows["question_id"].to_list() for r in recorded})
    return Findings(estimates, (Table("Models", ("model", *names, "tokens", "cost, USD"), rows),), notes=tuple(notes))


# --- what is planted -------------------------------------------------------------------------------------------------


def over_confident(slope: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """sigmoid(slope * logit q) is stated of events that happen with the items' probability q."""
    q = np.array([item.fields[PROBABILITY] for item in asked])
    outlook = Outlook.of(sharpened(slope, q), q)
    yield from _expected(forecast_foreseen(outlook, q > 0.5, draws=FEW.resamples), "literal")
    yield from _expected(answers_foreseen(outlook, q > 0.5))


def certain(above: float, asked: Sequence[Item], *, half_open: bool = False) -> Iterator[Expected]:
    """0 or 100 % is stated where either side is believed with `above` or more."""
    q = np.array([item.fields[PROBABILITY] for item in asked])
    said = np.where(np.maximum(q, 1 - q) >= above, q > 0.5, q)
    found = forecast_foreseen(Outlook.of(said, q), q > 0.5, half_open=half_open)
    yield from _expected({name: found[name] for name in ("ECE", "MCE", "log loss")}, "literal")


def read_in_three_ways(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """With "no", a share `rate` states how sure it is of the "no", the others P(yes); all believe the items' q."""
    q = np.array([[item.fields[PROBABILITY]] for item in asked])
    number = np.hstack([q, np.maximum(q, 1 - q)])
    for how, p in zip(READINGS, (np.where(q < 0.5, 1 - number, number), number, q), strict=True):
        yield from _expected(forecast_foreseen(Outlook.of(p, q, [[1 - rate, rate]]), q > 0.5), how)
    for style, share in (("literal style", 1 - rate), ("answer style", rate)):
        yield Expected(style, share, n=int((q < 0.5).sum()))


def partly_read(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """A share is out of format; what is read is calibrated."""
    yield Expected("parse rate", 1 - rate)
    yield Expected("Brier, literal", *brier_of_beta(Forecast.a, Forecast.b, len(asked))[:2])


def _expected(found: Mapping[str, Foreseen], how: str = "") -> Iterator[Expected]:
    for name, (value, sd, n) in found.items():
        yield Expected(f"{name}, {how}".rstrip(", "), value, sd, n, slack=5e-5, why="numbers are stated to 0.01 %")


FEW = Options(resamples=100)
FORECASTER = Respondent(belief=Forecast(), decoding="modal")
CERTAIN = Truth(
    name="certainty",
    what="states 0 or 100 % where it believes either side with so much or more; null: never",
    respondent=lambda above: replace(FORECASTER, confidence=lambda p, c: round(p) if max(p, 1 - p) >= above else p),
    strength=0.6,
    null=1.0,
    expects=certain,
    options=replace(FEW, prompt="paper"),
    items=lambda options: events(2000),
)
PLANTED = (
    Truth(
        name="over-confidence",
        what="states sigmoid(slope * logit q) of events that happen with probability q; null: slope 1",
        respondent=lambda slope: f"simulated:overconfident-forecaster?slope={slope}",
        strength=3.0,
        null=1.0,
        expects=over_confident,
        grid=(0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0),
        drawn=("ECE, literal", "Brier skill, literal", "overconfidence at 0.9"),
        options=FEW,
        items=lambda options: events(2000),
    ),
    Truth(
        name="what the number means",
        what='states confidence in the answer after a share of its "no", P(yes) after the others; null: always P(yes)',
        respondent=lambda rate: Edited(FORECASTER, about_its_answer, "confidence in its own answer", rate=rate),
        strength=1.0,
        null=0.0,
        expects=read_in_three_ways,
        grid=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
        drawn=tuple(f"ECE, {how}" for how in READINGS),
        options=replace(FEW, prompt="paper"),
        items=lambda options: events(1000),
    ),
    CERTAIN,
    replace(
        CERTAIN,
        name="certainty, as published",
        what="the same in the published bins, in which no forecast of 100 % is",
        expects=partial(certain, half_open=True),
        options=replace(FEW, prompt="paper", variant="published"),
    ),
    Truth(
        name="unread replies",
        what="a share of replies is out of format, the others are calibrated; null: none",
        respondent=lambda rate: f"simulated:calibrated-forecaster?format_errors={rate}",
        strength=0.3,
        null=0.0,
        expects=partly_read,
        options=replace(FEW, prompt="paper"),
    ),
)

study = Study(
    source=Source("Do Large Language Models Know What They Don't Know? KalshiBench", 2025, arxiv="2512.16030"),
    question="When a model cannot have memorised the outcome, do its probabilities match how often events happen?",
    needs=frozenset({"generate"}),
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
    graded=lambda rows, options: data.in_every_reading(rows),
)
