"""Questions about events that come true or not, of the fact bank or of a set; and what a number stated on one means."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.data.attitudes import yes_no_item
from doxa.data.facts import facts
from doxa.data.render import statement_item
from doxa.data.sets import load
from doxa.records import DoxaError, Estimate, Item, Table

if TYPE_CHECKING:
    import polars as pl

# Names that tables use, the first present is taken.
ID = ("question_id", "id", "series_ticker")
SERIES = ("series_ticker", "series")
OUTCOME = ("outcome", "ground_truth", "truth")
PRICE = ("market_price", "market_probability")
READINGS = ("as scored", "literal", "coherent")
NAN = float("nan")
EPS = 1e-9  # a number of exactly 50 is on neither side
DESCRIPTION = 5000  # characters of a description that are kept; a prompt shows fewer


# --- what is asked ---------------------------------------------------------------------------------------------------


def questions(
    source: str | Path, *, cutoff: str | None = None, per_series: int = 2, n: int | None = 300, seed: int = 42
) -> list[Item]:
    """Settled yes/no questions of a table or a hub set: filtered by date, thinned by series, sampled.

    Columns: id, question, outcome (or ground_truth: yes or no); optionally description, close_time, category,
    series_ticker, market_price (or market_probability). The id may repeat, as the published one does; an item's own
    id then ends in its row. Items of one series (without that column: of one id) share a group.

    source      a path (.csv, .tsv, .jsonl, .parquet) or a hub id, whose split "train" is taken
    cutoff      ISO date: questions that close at or after it are kept; None: all
    per_series  at most so many of one series, the first ones
    n           sampled without replacement by NumPy's legacy generator, as published; None, or too few: all
    raises      DoxaError: an unreadable set, an outcome that is neither yes nor no, a close_time that is no ISO date
    source      arXiv 2512.16030
    """
    name = Path(source).name
    items = [
        _question(item, f"{name}, question {row}")
        for row, item in enumerate(load(source, columns={"group": "id"}, number_rows=True, split="train"))
    ]
    if all(item.answer is None for item in items):
        raise DoxaError(f"{name}: no question has an outcome; name the column with yes or no {' or '.join(OUTCOME)}")
    ids = Counter(item.fields["question_id"] for item in items)
    items = [
        replace(item, id=str(q) if ids[q] == 1 else f"{q}#{row}")
        for row, item in enumerate(items)
        for q in [item.fields["question_id"]]
    ]
    kept = closing_after(at_most(items, per_series), cutoff)
    if not kept:
        raise DoxaError(
            f"{source}: none of {len(items)} questions closes at or after {cutoff}; choose an earlier cutoff"
        )
    if n is None or n >= len(kept):
        return kept
    return [kept[i] for i in np.random.RandomState(seed).choice(len(kept), n, replace=False)]


def bank_questions(n: int, base_rate: float) -> list[Item]:
    """Facts of the bank as yes/no questions, at even distances in popularity; of `base_rate` of them yes is true.

    fields["category"] is the relation.
    """
    bank = facts()
    n = min(n, len(bank))
    true = set(random.Random("forecasts").sample(range(n), round(base_rate * n)))
    asked = [yes_no_item(statement_item(bank[i * len(bank) // n], i in true)) for i in range(n)]
    return [replace(item, fields={**item.fields, "category": item.fields["relation"]}) for item in asked]


def at_most(items: Iterable[Item], per_group: int) -> list[Item]:
    """The first `per_group` items of each group, in order."""
    seen: Counter[str] = Counter()
    kept = []
    for item in items:
        seen[item.cluster] += 1
        if seen[item.cluster] <= per_group:
            kept.append(item)
    return kept


def closing_after(items: Sequence[Item], cutoff: str | None) -> list[Item]:
    """Items whose fields["close_time"] is at or after an ISO date; compared as dates, not as text.

    raises  DoxaError: a cutoff, or a close_time, that is no ISO date (or absent while a cutoff is given)
    """
    if cutoff is None:
        return list(items)
    first = _instant(cutoff, "cutoff")
    return [i for i in items if _instant(i.fields.get("close_time"), f"close_time of {i.id!r}") >= first]


def yes_no(value: Any, where: str) -> str | None:
    """An outcome or answer as "yes" or "no"; None for an empty cell. DoxaError: anything else."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    words = {"yes": "yes", "no": "no", "true": "yes", "false": "no", "1": "yes", "0": "no", "1.0": "yes", "0.0": "no"}
    word = words.get(str(value).strip().lower())
    if word is None:
        raise DoxaError(f"{where} is {value!r}; it is yes or no (also 1 or 0, true or false), or empty when unknown")
    return word


def probability(value: Any, where: str) -> float | None:
    """A number in [0, 1]; None for an empty cell. DoxaError: anything else."""
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise DoxaError(f"{where} is {value!r}; it is a number in [0, 1], or empty when unknown") from None
    if not 0 <= number <= 1:
        raise DoxaError(f"{where} is {value!r}, outside [0, 1]. Percent? divide by 100.")
    return number


def first_of(row: Mapping[str, Any], names: Sequence[str], default: Any = None) -> Any:
    """The first cell that is there and not empty, by the names it goes by, else the default."""
    return next((row[name] for name in names if row.get(name) not in (None, "")), default)


def _question(item: Item, where: str) -> Item:
    fields = dict(item.fields)
    if item.group is None:
        raise DoxaError(f"{where}: the cell 'id' is empty; every question has one (it may repeat)")
    outcome = yes_no(first_of(fields, OUTCOME, item.answer), f"{where}: the outcome")
    fields["question_id"] = item.group
    fields["description"] = str(fields.get("description") or "")[:DESCRIPTION]
    fields["market"] = probability(first_of(fields, PRICE), f"{where}: the market price")
    return replace(
        item, kind="open", options=(), answer=outcome, group=str(first_of(fields, SERIES, item.group)), fields=fields
    )


def _instant(text: Any, what: str) -> datetime:
    try:
        moment = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    except ValueError:
        raise DoxaError(f"{what} is {text!r}; it is an ISO date such as 2025-10-01 or 2025-10-01T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- what a stated number means --------------------------------------------------------------------------------------


def with_readings(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with P(yes) in a column for each of READINGS, and

      said      the side taken: the answer given or, where none was asked for, that of the number; null: neither
      read      whether there is a number
      happened  1 or 0; null: the outcome is not known

    as scored  `scored` where there is one, else 1 - number after a "no": the number as confidence in the answer
    literal    the number: the number as P(yes)
    coherent   the number, or 1 - number where it contradicts the answer
    """
    import polars as pl

    number, no, yes = pl.col("number"), pl.col("answer") == "no", pl.col("answer") == "yes"
    above, below = number > 0.5 + EPS, number < 0.5 - EPS
    return rows.with_columns(
        pl.coalesce("scored", pl.when(no).then(1 - number).otherwise(number)).alias("as scored"),
        number.alias("literal"),
        pl.when((no & above) | (yes & below)).then(1 - number).otherwise(number).alias("coherent"),
        said=pl.coalesce("answer", pl.when(above).then(pl.lit("yes")).when(below).then(pl.lit("no"))),
        read=(pl.col("outcome") == "ok") & number.is_not_null(),
        happened=(pl.col("truth") == "yes").cast(pl.Float64),
    )


def in_every_reading(rows: pl.DataFrame) -> pl.DataFrame:
    """P(yes) in each reading, right where the event happened: one row each, as `Study.graded`."""
    import polars as pl

    table = with_readings(rows).with_columns(correct=pl.col("happened").cast(pl.Boolean))
    said = {how: pl.when(pl.col("read")).then(pl.col(how)) for how in READINGS}
    return pl.concat([table.with_columns(way=pl.lit(f"P(yes), {how}"), confidence=said[how]) for how in READINGS])


def side_by_side(estimates: Iterable[Estimate], table: pl.DataFrame) -> Table:
    """One number read in three ways, a column for each: means of `with_readings`, and the estimates "NAME, READING"."""
    values, read = {e.name: e.value for e in estimates}, table.filter("read")
    parts = {"mean P(yes)": read, 'mean P(yes) of "no" answers': read.filter(read["answer"] == "no")}
    rows = [(k, *(part[how].mean() if len(part) else NAN for how in READINGS)) for k, part in parts.items()]
    names = [name.removesuffix(", as scored") for name in values if name.endswith(", as scored")]
    rows += [(name, *(values.get(f"{name}, {how}", NAN) for how in READINGS)) for name in names]
    note = "Mean confidence is the same in all three."
    return Table("One number, three readings", ("figure", *READINGS), tuple(rows), note=note)


def answers_and_outcomes(known: pl.DataFrame) -> Table:
    """How often each side was taken, by what happened."""
    sides = ("yes", "no")
    rows = tuple((s, *(len(known.filter(known["said"] == s, known["truth"] == t)) for t in sides)) for s in sides)
    return Table("Answers and outcomes", ("answer", "happened", "did not"), rows, section="Answers")


def notes(table: pl.DataFrame) -> list[str]:
    """What to know of the numbers of `with_readings` besides themselves."""
    found, without = [], int(table["happened"].null_count())
    if without:
        found.append(f"{without} of {len(table)} predictions have no known outcome; --outcomes FILE joins one to each")
    if len(table) and table["answer"].is_null().all():
        found.append("no reply has a yes or no beside its number, so the three readings are one: P(yes)")
    even = int(table.filter("read")["said"].null_count())
    if even:
        found.append(f"{even} predictions of exactly 0.5 take no side and are in no figure of answers")
    return found
