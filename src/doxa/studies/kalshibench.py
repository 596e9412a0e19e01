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
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa import charts
from doxa.data import forecasts as data
from doxa.data import prediction_files as files
from doxa.data.forecasts import READINGS
from doxa.elicit.structured import Tags
from doxa.metrics import Confusion, Interval, brier, pearson, reliability, spearman, sums
from doxa.metrics import forecast_scores as scores
from doxa.metrics.forecasts import HalfOpenBin, certainty, half_open_bins
from doxa.models.recorded_files import read_rows
from doxa.records import Chart, Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

BASE_RATE = 0.4  # share of bank questions whose answer is yes, that of the published sample
SIDES = ("yes", "no")
NAN = float("nan")
NOTES = {
    "literal style": 'share of "no" answers with a number below 50, as P(yes) would be',
    "answer style": 'share of "no" answers with a number above 50, as confidence in the answer would be',
    **dict.fromkeys(("MCE", "ACE"), "chance adds to it and resampling adds it again: the interval lies too high"),
    scores.TWO_GROUPS: "mean distance of P(yes) and events over two groups, the yes and the no answers",
    scores.BY_CHANCE: "what chance alone would show with these numbers; the range holds 95 % of it",
}


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
    if options.prompt == "probability":
        return Tags("probability")
    published = options.variant == "published"
    return Tags(as_published=published, fallback="substrings" if published else options.fallback)


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """One shot per question."""
    sampling = Sampling(temperature=options.temperature, max_tokens=options.max_tokens)
    answer, reply = await ask.answer(form(options), item, sampling)
    number = answer.confidence
    counts = [c for c in (reply.input_tokens, reply.output_tokens) if c is not None]
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
        tokens=sum(counts) if counts else None,
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Numbers from rows alone; those that need outcomes rest on the rows that have one."""
    import polars as pl

    table = data.with_readings(rows.sort("item").with_columns(pl.coalesce("group", "item").alias("group")))
    known = _read(table).filter(pl.col("truth").is_not_null())
    unread = table.filter(pl.col("truth").is_not_null()).height - len(known)
    estimates = [*_replies(table), *_answers(table, known, unread, options)]
    for how in READINGS:
        estimates += _calibration(how, known, unread, options)
    outcomes = count_outcomes(rows["outcome"].to_list())
    estimates = [replace(e, unit="questions", outcomes=outcomes) for e in estimates]
    tables = [side_by_side(estimates, table), *(_reliability(how, table, options) for how in READINGS)]
    drawn = READINGS if known["answer"].is_not_null().any() else READINGS[1:2]  # without answers all are alike
    if len(known):
        tables += [_confusion(known), _forecasters(table, options), _categories(known, options)]
    shown = tuple(_chart(how, known, options) for how in drawn if len(known))
    return Findings(tuple(estimates), tuple(tables), shown, notes=tuple(_notes(table, known, unread)))


def _read(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter((table["outcome"] == "ok") & table["number"].is_not_null())


def _happened(rows: pl.DataFrame) -> np.ndarray:
    return (rows["truth"] == "yes").to_numpy().astype(float)


def _replies(table: pl.DataFrame) -> list[Estimate]:
    """How many replies were read, and which reading the "no" answers follow."""
    read = _read(table)
    no = read.filter(read["answer"] == "no")
    found = {
        "parse rate": sums.share(table["item"].is_in(read["item"].to_list()), table["group"]),
        "literal style": sums.share(no["number"] < 0.5 - data.EPS, no["group"]),
        "answer style": sums.share(no["number"] > 0.5 + data.EPS, no["group"]),
    }
    counted = table.filter(table["tokens"].is_not_null())
    found |= {"tokens per prediction": sums.mean(counted["tokens"], counted["group"])} if len(counted) else {}
    return [Estimate.of(name, i, section="Replies", note=NOTES.get(name, "")) for name, i in found.items()]


def _answers(table: pl.DataFrame, known: pl.DataFrame, unread: int, options: Options) -> list[Estimate]:
    """What does not depend on the reading: the side taken, and how sure the number is of either side."""
    sided, read = known.filter(known["said"].is_not_null()), _read(table)
    said = (sided["said"] == "yes").to_numpy().astype(float)
    found = scores.answer_scores(
        *(said, _happened(sided), sided["number"], sided["group"]),
        zero_division=0.0 if options.variant == "published" else NAN,
        resamples=options.resamples,
    )
    sure = certainty(read["number"]) if len(read) else np.zeros(0)
    found["mean confidence"] = sums.mean(sure, read["group"], resamples=options.resamples)
    right, n = int((said == _happened(sided)).sum()), len(sided) + unread
    bounds = {"accuracy": (right / n, (right + unread) / n)} if n else {}
    return [Estimate.of(name, i, section="Answers", bounds=bounds.get(name)) for name, i in found.items()]


def _calibration(how: str, known: pl.DataFrame, unread: int, options: Options) -> list[Estimate]:
    found = scores.forecast_scores(
        *(known[how], _happened(known), known["said"].fill_null("").to_numpy().astype(str), known["group"]),
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


def side_by_side(estimates: Iterable[Estimate], table: pl.DataFrame) -> Table:
    """One number read in three ways: a column for each reading."""
    values, read = {e.name: e.value for e in estimates}, _read(table)
    parts = {"mean P(yes)": read, 'mean P(yes) of "no" answers': read.filter(read["answer"] == "no")}
    rows = [(k, *(part[how].mean() if len(part) else NAN for how in READINGS)) for k, part in parts.items()]
    names = [name.removesuffix(", as scored") for name in values if name.endswith(", as scored")]
    rows += [(name, *(values.get(f"{name}, {how}", NAN) for how in READINGS)) for name in names]
    note = "Mean confidence is the same in all three."
    return Table("One number, three readings", ("figure", *READINGS), tuple(rows), note=note)


def _reliability(how: str, table: pl.DataFrame, options: Options) -> Table:
    """Bins of P(yes): how many, their mean, and where outcomes are known the share that happened."""
    read = _read(table)
    known = read.filter(read["truth"].is_not_null())
    p, y = (known[how], _happened(known)) if len(known) else (read[how], None)
    rows = scores.reliability_rows(p, y, bins=options.bins, half_open=options.variant == "published")
    columns = ("P(yes)", "n", "mean", "share yes", "low", "high", "gap")
    note = "A positive gap leans towards yes." if len(known) else "Without outcomes the share of yes is not known."
    return Table(f"Reliability, {how}", columns, tuple(rows), section=f"P(yes) {how}", note=note)


def _confusion(known: pl.DataFrame) -> Table:
    rows = tuple((s, *(len(known.filter(known["said"] == s, known["truth"] == t)) for t in SIDES)) for s in SIDES)
    return Table("Answers and outcomes", ("answer", "happened", "did not"), rows, section="Answers")


def _chart(how: str, known: pl.DataFrame, options: Options) -> Chart:
    bins = reliability(known[how], _happened(known), bins=options.bins, closed="left")
    return charts.reliability_chart(bins, name=f"Reliability, {how}", section=f"P(yes) {how}")


def _forecasters(table: pl.DataFrame, options: Options) -> Table:
    """The readings beside forecasters that do not read the question, and with every unread reply counted as 0.5.

    Otherwise a model that leaves hard questions out would gain by it.
    """
    asked = table.filter(table["truth"].is_not_null())
    known = _read(asked)
    priced = known.filter(known["market"].is_not_null())
    y, unread = _happened(known), ~asked["item"].is_in(known["item"].to_list())
    rows: dict[str, tuple[Any, Any]] = {
        "base rate of these questions": (np.full(len(y), y.mean()), y),
        "always 0.5": (np.full(len(y), 0.5), y),
        **{how: (known[how], y) for how in READINGS},
        **{f"{h}, unread as 0.5": (np.where(unread, 0.5, asked[h].fill_null(0.5)), _happened(asked)) for h in READINGS},
        "market price": (priced["market"], _happened(priced)),
        **{f"{how}, where priced": (priced[how], _happened(priced)) for how in READINGS},
    }
    names = ("Brier", "Brier skill", "log loss", "ECE")
    lines = scores.metric_rows(rows, names, bins=options.bins, half_open=options.variant == "published")
    note = f"{unread.sum()} of {len(asked)} replies are unread, {len(priced)} questions have a market price."
    return Table("Forecasters", ("P(yes)", "n", *names), tuple(lines), section="Forecasters", note=note)


def _categories(known: pl.DataFrame, options: Options) -> Table:
    named = known.filter(known["category"].is_not_null())
    rows: list[tuple[Any, ...]] = []
    for (category,), part in sorted(named.group_by("category"), key=lambda g: (-len(g[1]), str(g[0][0]))):
        sided = part.filter(part["said"].is_not_null())
        right = sums.share(sided["said"] == sided["truth"], sided["group"])
        errors = (brier(part[how], _happened(part)) for how in READINGS)
        rows.append((category, len(part), *astuple(right)[:3], *errors))
    shown = tuple(row for row in rows if row[1] >= options.min_category)
    columns = ("category", "n", "accuracy", "low", "high", *(f"Brier, {how}" for how in READINGS))
    note = f"{len(rows) - len(shown)} categories with fewer than {options.min_category} questions are hidden."
    return Table("Categories", columns, shown, section="Categories", note=note)


def _notes(table: pl.DataFrame, known: pl.DataFrame, unread: int) -> list[str]:
    notes = []
    without = len(table) - len(known) - unread
    if without:
        notes.append(f"{without} of {len(table)} predictions have no known outcome; --outcomes FILE joins one to each")
    if len(table) and table["answer"].is_null().all():
        notes.append("no reply has a yes or no beside its number, so the three readings are one: P(yes)")
    even = int(_read(table)["said"].is_null().sum())
    if even:
        notes.append(f"{even} predictions of exactly 0.5 take no side and are in no figure of answers")
    return notes


# --- files of predictions --------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """A published result file (.json), a table of one's own (id, answer, number, outcome), or rows of a run."""
    stored: dict[str, Any] = {}
    if path.suffix.lower() == ".json":
        predictions, stored = files.published_file(path)
    else:
        table = list(read_rows(path))
        if table and "scored" in table[0][1]:
            return Recorded(path.stem, frame([cells for _, cells in table], Row))
        predictions = files.own_records(table)
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
    read = _read(data.with_readings(recorded.rows))
    made = {e.name: e for e in found.estimates if not math.isnan(e.value)}
    if recorded.rows["truth"].is_null().all():
        made |= {k: Estimate.of(k, i, section="Of the file's tables") for k, i in _told(recorded, read).items()}
    stated = files.figures(recorded.stored, recorded.label)
    compared = [(name, value, made[name].value) for name, value in stated.items() if name in made]
    counts = {b.label: b.n for b in half_open_bins(read["as scored"])} if len(read) else {}
    for label, n, *_ in files.stored_tables(recorded.stored, recorded.label)[0]:
        compared.append((f"n of P(yes) {label}", n, counts.get(label, 0)))
    rows = tuple((*row, row[2] - row[1]) for row in compared)
    table = Table("Stored and made again", ("figure", "stored", "made again", "difference"), rows)
    note, only = "to make it again takes outcomes", {k: v for k, v in stated.items() if k not in made}
    kept = (
        Estimate(k, v, n=len(read), unit="questions", section="As the file states", note=note) for k, v in only.items()
    )
    estimates = (*made.values(), *kept)
    tables = (table, side_by_side(estimates, read), *found.tables[1:])
    return replace(found, estimates=estimates, tables=tables, notes=(*found.notes, *recorded.notes))


def _told(recorded: Recorded, read: pl.DataFrame) -> dict[str, Interval]:
    bins, counts = files.stored_tables(recorded.stored, recorded.label)
    if counts is None or not len(read):
        return {}
    table, forecasts = [HalfOpenBin(*b) for b in bins], {how: read[how] for how in READINGS}
    told = scores.table_scores(table, Confusion(**counts), forecasts, read["said"])
    return {f"{name}, as scored" if name in ("ECE", "MCE") else name: i for name, i in told.items()}


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Does the published ranking reflect how each model reads one sentence of the prompt?"""
    names = ("literal style", "ECE, as scored", *(f"{scores.TWO_GROUPS}, {how}" for how in READINGS), "accuracy")
    found = [{e.name: e.value for e in score_recorded(r, options).estimates} for r in recorded]
    values = np.array([[f.get(name, NAN) for name in names] for f in found])
    x, y = values[~np.isnan(values[:, :2]).any(axis=1), :2].T
    estimates = tuple(
        Estimate.of(f"{name}, literal style and ECE", scores.correlation_interval(measure, x, y), unit="models")
        for name, measure in (("Pearson", pearson), ("Spearman", spearman))
    )
    costs = [(r.stored.get("total_tokens"), r.stored.get("total_cost_usd")) for r in recorded]
    rows = tuple((r.label, *v, *c) for r, v, c in zip(recorded, values.tolist(), costs, strict=True))
    notes = files.other_samples({r.label: r.rows["question_id"].to_list() for r in recorded})
    return Findings(estimates, (Table("Models", ("model", *names, "tokens", "cost, USD"), rows),), notes=tuple(notes))


FIGURES = (
    *("accuracy", "macro F1", *(f"{name}, as scored" for name in ("Brier", "Brier skill", "ECE", "MCE"))),
    *("mean confidence", "overconfidence at 0.8", "overconfidence at 0.9"),
)
PAPER = {
    "Claude Opus 4.5": (0.693, 0.676, 0.2269, 0.057, 0.120, 0.246, 0.738, 0.231, 0.208),
    "Kimi-K2": (0.671, 0.633, 0.3473, -0.446, 0.298, 0.570, 0.794, 0.299, 0.311),
    "Qwen3-235B-Thinking": (0.657, 0.607, 0.3459, -0.437, 0.297, 0.479, 0.817, 0.326, 0.324),
    "GPT-5.2-XHigh": (0.653, 0.599, 0.4329, -0.799, 0.395, 0.622, 0.801, 0.283, 0.277),
    "DeepSeek-V3.2": (0.643, 0.614, 0.3386, -0.407, 0.284, 0.630, 0.737, 0.236, 0.147),
}

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
    published=tuple(
        Published(name, value, f"{model}, 300 questions, paper's prompt")
        for model, values in PAPER.items()
        for name, value in zip(FIGURES, values, strict=True)
    ),
)
