"""KalshiBench: when a model cannot have memorised the outcome, do its probabilities match how often events happen?

A yes/no question about an event is asked once; the reply states a probability. One number can be read in three ways,
and all three are reported: `as scored` (the published scorer takes it as confidence in the answer: P(yes) is 1 - number
after a "no"), `literal` (it is P(yes), as the published prompt says) and `coherent` (literal, but 1 - number where the
number contradicts the answer). A calibrated model looks like the worst one under the wrong reading.

Differs from the paper: new runs ask for P(yes) alone, without a yes or no beside it, so that there is one reading only
(`prompt=paper` asks as published); the default questions are facts of the bank, which a model may have learnt (give
`set` and `cutoff` for a forecast); predictions are joined to outcomes by row, not by an id that repeats; the last bin
is closed and values are rounded to 9 decimals before binning; undefined is nan, not 0; unread replies are counted, and
scored as 0.5 in a table of their own; every number has an interval, by whole series. `variant=published` takes the
published bins, parser and zeros, `join=id` the published join. Brier, skill and ECE move by a few thousandths, the
choice of reading moves ECE by up to .3.
"""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa import charts
from doxa.data import forecasts as data
from doxa.data.attitudes import yes_no_item
from doxa.data.facts import facts
from doxa.data.render import statement_item
from doxa.elicit.structured import Tags
from doxa.metrics import (
    Confusion,
    Interval,
    ace,
    auroc,
    bootstrap,
    bootstrap_auroc,
    bootstrap_ece,
    brier,
    brier_skill,
    confusion,
    correlation_p,
    ece,
    ece_expected,
    log_score,
    mce,
    pearson,
    proportion_clustered,
    reliability,
    spearman,
    wilson,
)
from doxa.metrics.forecasts import certainty, group_calibration_error, half_open_bins, half_open_ece, half_open_mce, is_sure
from doxa.models.recorded_files import read_rows
from doxa.records import Chart, Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

READINGS = ("as scored", "literal", "coherent")
SURE = (0.7, 0.8, 0.9)
BASE_RATE = 0.4  # share of bank questions whose answer is yes, that of the published sample
EPS = 1e-9
NAN = float("nan")
NOTHING = Interval(NAN, NAN, NAN, 0, "nothing to measure")


@dataclass(frozen=True)
class Options:
    prompt: Annotated[Literal["probability", "paper"], "ask for P(yes) alone, or yes/no with a number"] = "probability"
    variant: Annotated[Literal["corrected", "published"], "bins, parser and zeros: ours, or as published"] = "corrected"
    fallback: Annotated[Literal["none", "words"], "a reply without answer tag: unread, or by its yes and no"] = "none"
    set: Annotated[str | None, "questions: a path or hub id such as 2084Collective/kalshibench-v2; none: the bank"] = None
    cutoff: Annotated[str | None, "of a set, only what closes at or after this ISO date"] = None
    per_series: Annotated[int, "of a set, at most so many of one series"] = 2
    questions: Annotated[int, "questions asked"] = 300
    outcomes: Annotated[str | None, "scoring files: table with the outcome of each prediction (.csv, .jsonl)"] = None
    join: Annotated[Literal["row", "id"], "scoring files: outcomes by row, or as published by an id that repeats"] = "row"
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
    """Questions of the set, or facts of the bank at even distances in popularity, of which two fifths are true."""
    if options.set is not None:
        return data.questions(
            options.set, cutoff=options.cutoff, per_series=options.per_series, n=options.questions
        )
    bank = facts()
    n = min(options.questions, len(bank))
    chosen = [bank[i * len(bank) // n] for i in range(n)]
    true = set(random.Random("kalshibench").sample(range(n), round(BASE_RATE * n)))
    asked = [yes_no_item(statement_item(fact, i in true)) for i, fact in enumerate(chosen)]
    return [replace(item, fields={**item.fields, "category": item.fields["relation"]}) for item in asked]


def example() -> list[Item]:
    return [
        Item(
            id=f"event-{i}",
            text=f"Will the bridge at mile {i} open this year?",
            answer="no" if i % 5 < 3 else "yes",
            fields={"description": "It opens when the ribbon is cut.", "category": "Bridges"},
        )
        for i in range(10)
    ]


def form(options: Options) -> Tags:
    """How the question is asked and the reply read."""
    ask: Literal["answer", "probability"] = "answer" if options.prompt == "paper" else "probability"
    if options.variant == "published" and options.prompt == "paper":
        return Tags(ask, as_published=True, fallback="substrings")
    return Tags(ask, fallback=options.fallback)


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
        truth=item.answer,
        category=item.fields.get("category"),
        market=item.fields.get("market"),
        tokens=sum(counts) if counts else None,
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def with_readings(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with P(yes) in a column for each of READINGS, and `said`: the side taken ("yes", "no"; null: neither).

    The side is the answer given or, where none was asked for, that of the number.
    """
    import polars as pl

    number, no, yes = pl.col("number"), pl.col("answer") == "no", pl.col("answer") == "yes"
    above, below = number > 0.5 + EPS, number < 0.5 - EPS
    return rows.with_columns(
        pl.coalesce("scored", pl.when(no).then(1 - number).otherwise(number)).alias("as scored"),
        number.alias("literal"),
        pl.when((no & above) | (yes & below)).then(1 - number).otherwise(number).alias("coherent"),
        pl.coalesce("answer", pl.when(above).then(pl.lit("yes")).when(below).then(pl.lit("no"))).alias("said"),
    )


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Numbers from rows alone; those that need outcomes rest on the rows that have one."""
    import polars as pl

    table = with_readings(rows.with_columns(pl.coalesce("group", "item").alias("group")))
    read = table.filter((pl.col("outcome") == "ok") & pl.col("number").is_not_null())
    known = read.filter(pl.col("truth").is_not_null())
    unread = table.filter(pl.col("truth").is_not_null()).height - known.height
    estimates = [*_replies(table, read), *_answers(read, known, unread, options)]
    for how in READINGS:
        estimates += _calibration(how, known, unread, options)
    outcomes = count_outcomes(rows["outcome"].to_list())
    estimates = [replace(e, unit=e.unit or "questions", outcomes=outcomes) for e in estimates]
    tables = [
        _side_by_side(estimates, read),
        *(_reliability(how, read, options) for how in READINGS),
        _confusion_table(_confusion(known)),
        _failures(table, options),
        _baselines(known, options),
        _categories(known, options),
    ]
    return Findings(tuple(estimates), tuple(tables), tuple(_charts(known, options)), notes=tuple(_notes(table, options)))


def _replies(table: pl.DataFrame, read: pl.DataFrame) -> list[Estimate]:
    """How many replies were read, and which reading the "no" answers follow."""
    no = read.filter(read["answer"] == "no")
    number = no["number"].to_numpy()
    shares = {
        "parse rate": _share(table["item"].is_in(read["item"].to_list()), table),
        "literal style": _share(number < 0.5 - EPS, no),
        "answer style": _share(number > 0.5 + EPS, no),
    }
    notes = {
        "literal style": 'share of "no" answers with a number below 50, as P(yes) would be',
        "answer style": 'share of "no" answers with a number above 50, as confidence in the answer would be',
    }
    return [Estimate.of(k, v, section="Replies", note=notes.get(k, "")) for k, v in shares.items()]


def _answers(read: pl.DataFrame, known: pl.DataFrame, unread: int, options: Options) -> list[Estimate]:
    """What does not depend on the reading: the side taken, and how sure the number is of either side."""
    sided = known.filter(known["said"].is_not_null())
    right = (sided["said"] == sided["truth"]).to_numpy()
    n = len(sided) + unread
    counts = _confusion(known)
    sure = certainty(read["literal"]) if len(read) else np.zeros(0)
    found = {
        "accuracy": _share(right, sided),
        "macro F1": _f1("macro", sided, options),
        **{f"F1 of {side}": _f1(side, sided, options) for side in ("yes", "no")},
        **{f"precision of {side}": _share(right[sided["said"] == side], sided.filter(sided["said"] == side)) for side in ("yes", "no")},
        **{f"recall of {side}": _share(right[sided["truth"] == side], sided.filter(sided["truth"] == side)) for side in ("yes", "no")},
        "mean confidence": _mean(sure, read, options),
    }
    sure = certainty(sided["literal"]) if len(sided) else np.zeros(0)
    for name, chosen in (("right", right), ("wrong", ~right)):
        found[f"mean confidence when {name}"] = _mean(sure[chosen], sided.filter(chosen), options)
    for t in SURE:
        chosen = is_sure(sided["literal"], t) if len(sided) else right
        found[f"overconfidence at {t}"] = _share(~right[chosen], sided.filter(chosen))
    bounds = ((counts.tp + counts.tn) / n, (counts.tp + counts.tn + unread) / n) if n else None
    return [
        Estimate.of(name, interval, section="Answers", bounds=bounds if name == "accuracy" else None)
        for name, interval in found.items()
    ]


def metrics(options: Options) -> dict[str, Callable[..., float]]:
    """Metrics of P(yes) and what happened, in the variant asked for."""
    bins = options.bins
    if options.variant == "published":
        return {
            "Brier": brier,
            "Brier skill": lambda p, y: brier_skill(p, y) if 0 < np.mean(y) < 1 else 0.0,
            "log loss": partial(log_score, clip=1e-15),
            "ECE": partial(half_open_ece, bins=bins),
            "MCE": partial(half_open_mce, bins=bins),
            "ACE": partial(ace, bins=bins),
            "AUROC": auroc,
        }
    return {
        "Brier": brier,
        "Brier skill": brier_skill,
        "log loss": partial(log_score, clip=1e-15),
        "ECE": partial(ece, bins=bins, closed="left"),
        "MCE": partial(mce, bins=bins, closed="left"),
        "ACE": partial(ace, bins=bins),
        "AUROC": auroc,
    }


def _calibration(how: str, known: pl.DataFrame, unread: int, options: Options) -> list[Estimate]:
    p, y, groups = known[how].to_numpy(), _happened(known), known["group"].to_numpy()
    found = {name: _interval(name, metric, p, y, groups, options) for name, metric in metrics(options).items()}
    sided = known.filter(known["said"].is_not_null())
    said = (sided[how].to_numpy(), _happened(sided), sided["said"].to_numpy().astype(str))
    found["two-group calibration error"] = _bootstrap(group_calibration_error, *said, groups=sided["group"], options=options)
    found["ECE of a calibrated forecaster"] = (
        ece_expected(p, bins=options.bins, closed="left", resamples=options.resamples) if len(p) else NOTHING
    )
    n, value = len(p) + unread, found["Brier"].value
    bounds = ((value * len(p) + unread) / n, value * len(p) / n) if len(p) else None
    notes = {
        "MCE": "chance adds to it, and resampling adds it again: the interval lies too high",
        "ACE": "chance adds to it, and resampling adds it again: the interval lies too high",
        "two-group calibration error": "mean distance of forecast and events, over the yes and the no answers",
        "ECE of a calibrated forecaster": "what chance alone would show with these numbers; the range holds 95 % of it",
    }
    return [
        Estimate.of(
            f"{name}, {how}",
            interval,
            section=f"P(yes) {how}",
            note=notes.get(name, ""),
            bounds=bounds if name == "Brier" else None,
        )
        for name, interval in found.items()
    ]


def _interval(
    name: str, metric: Callable[..., float], p: np.ndarray, y: np.ndarray, groups: np.ndarray, options: Options
) -> Interval:
    if not len(p):
        return NOTHING
    if name == "ECE" and options.variant == "corrected":
        return bootstrap_ece(p, y, bins=options.bins, closed="left", groups=groups, resamples=options.resamples)
    if name == "AUROC":
        return bootstrap_auroc(p, y, groups=groups, resamples=options.resamples)
    return _bootstrap(metric, p, y, groups=groups, options=options)


def _bootstrap(metric: Callable[..., float], *arrays: np.ndarray, groups: Any, options: Options) -> Interval:
    """The published sort of interval, percentile, over whole series."""
    if not len(arrays[0]):
        return NOTHING
    return bootstrap(metric, *arrays, groups=groups, resamples=options.resamples, method="percentile")


def _share(hits: Any, rows: pl.DataFrame) -> Interval:
    return proportion_clustered(np.asarray(hits, dtype=float), rows["group"].to_numpy()) if len(rows) else NOTHING


def _mean(values: np.ndarray, rows: pl.DataFrame, options: Options) -> Interval:
    return _bootstrap(np.mean, values, groups=rows["group"], options=options)


def _f1(side: str, sided: pl.DataFrame, options: Options) -> Interval:
    zero = 0.0 if options.variant == "published" else NAN

    def f1(said: np.ndarray, happened: np.ndarray) -> float:
        counts = confusion(said, happened)
        if side == "macro":
            return counts.macro_f1(zero_division=zero)
        return counts.precision_recall_f1(positive=side == "yes", zero_division=zero).f1

    said = (sided["said"] == "yes").to_numpy().astype(float)
    return _bootstrap(f1, said, _happened(sided), groups=sided["group"], options=options)


def _happened(rows: pl.DataFrame) -> np.ndarray:
    return (rows["truth"] == "yes").to_numpy().astype(float)
