"""Questions about events that come true or not: which are asked, published predictions, and outcomes joined to them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from doxa.data.sets import load
from doxa.records import DoxaError, Item

# Names that tables use, the first present is taken.
ID = ("question_id", "id", "series_ticker")
SERIES = ("series_ticker", "series")
OUTCOME = ("outcome", "ground_truth", "truth")
PRICE = ("market_price", "market_probability")
DESCRIPTION = 5000  # characters of a description that are kept; a prompt shows fewer

Row = tuple[str, Mapping[str, Any]]  # where it stands, its cells by column


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
        raise DoxaError(f"{source}: none of {len(items)} questions closes at or after {cutoff}; choose an earlier cutoff")
    if n is None or n >= len(kept):
        return kept
    return [kept[i] for i in np.random.RandomState(seed).choice(len(kept), n, replace=False)]


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


# --- published predictions -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """One recorded prediction.

    answer   "yes", "no", or None: none was read
    number   the stated number as a probability, before anybody converted it
    scored   P(yes) as the file states it
    text     the reply, where the file has it; error: why there is none
    """

    question_id: str
    answer: str | None
    number: float | None
    scored: float | None
    text: str = ""
    error: str | None = None
    truth: str | None = None
    category: str | None = None
    market: float | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class PredictionFile:
    """A result file: its predictions in the order asked, and every other figure that it states."""

    label: str
    predictions: tuple[Prediction, ...]
    stored: Mapping[str, Any] = field(default_factory=dict)


def published_predictions(path: Path) -> PredictionFile:
    """The predictions of a published result file (JSON with the key "predictions").

    `predicted_probability` is P(yes) after the published conversion, which takes 1 - number where the answer is no;
    `number` undoes it. Fields that are absent are unknown, others are ignored; ids may repeat.

    raises  DoxaError: no such JSON; an answer that is neither yes nor no; a probability outside [0, 1]
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DoxaError(f"{path} is not a whole JSON file: {error}. Was the download cut off?") from None
    rows = content.get("predictions") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise DoxaError(
            f"{path}: no list 'predictions'; a result file is a JSON object that has one, with an entry per question. "
            "Your own records: a table (.csv, .jsonl, .parquet) with the columns id, answer, number, outcome"
        )
    stored = {key: value for key, value in content.items() if key != "predictions"}
    predictions = tuple(_published(row, i, f"{path}, predictions[{i}]") for i, row in enumerate(rows))
    return PredictionFile(str(stored.get("model_name") or path.stem), predictions, stored)


def _published(row: Any, index: int, where: str) -> Prediction:
    if not isinstance(row, dict):
        raise DoxaError(f"{where} is {type(row).__name__}; a prediction is an object with named fields")
    answer = yes_no(row.get("predicted_answer"), f"{where}: predicted_answer")
    scored = probability(row.get("predicted_probability"), f"{where}: predicted_probability")
    counts = [row.get(name) for name in ("input_tokens", "output_tokens")]
    return Prediction(
        question_id=str(first_of(row, ID, index)),
        answer=answer,
        number=1 - scored if scored is not None and answer == "no" else scored,
        scored=scored,
        text=str(row.get("raw_output") or ""),
        error=str(row["error"]) if row.get("error") else None,
        tokens=sum(int(c) for c in counts if c) if any(c is not None for c in counts) else None,
    )


def recorded_predictions(rows: Iterable[Row]) -> list[Prediction]:
    """Predictions from a table: id, answer (yes or no), number (0-100, as it was stated), outcome.

    Instead of number there may be probability (in [0, 1], as it was stated). Optional: category, market_price.

    raises  DoxaError: neither number nor probability, a value outside its range, numbers that look like probabilities
    """
    found = []
    stated: list[float] = []
    for index, (where, row) in enumerate(rows):
        if "number" not in row and "probability" not in row:
            have = ", ".join(map(repr, row))
            raise DoxaError(f"{where}: no column 'number' (0-100) or 'probability' (0-1) among {have}; rename yours")
        number = probability(row.get("probability"), f"{where}: probability")
        if "number" in row:
            number = _percentage(row["number"], f"{where}: number")
            stated += [] if number is None else [number]
        answer = yes_no(row.get("answer"), f"{where}: answer")
        found.append(
            Prediction(
                question_id=str(first_of(row, ID, index)),
                answer=answer,
                number=number,
                scored=1 - number if number is not None and answer == "no" else number,
                text=str(first_of(row, ("text", "raw_output"), "")),
                truth=yes_no(first_of(row, OUTCOME), f"{where}: the outcome"),
                category=str(row["category"]) if row.get("category") else None,
                market=probability(first_of(row, PRICE), f"{where}: the market price"),
            )
        )
    if stated and max(stated) <= 0.01 and any(0 < s < 0.01 for s in stated):
        raise DoxaError(
            f"no 'number' of {len(stated)} is above 1 and some are fractions: these look like probabilities, and a "
            "number is a percentage. Name the column 'probability', or multiply by 100"
        )
    return found


def _percentage(value: Any, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(str(value).strip().rstrip("%"))
    except ValueError:
        raise DoxaError(f"{where} is {value!r}; it is a number from 0 to 100, or empty when none was read") from None
    if not 0 <= number <= 100:
        raise DoxaError(f"{where} is {value!r}, outside 0 to 100")
    return number / 100


# --- outcomes --------------------------------------------------------------------------------------------------------


def with_outcomes(
    predictions: Sequence[Prediction], rows: Sequence[Row], name: str, *, join: Literal["row", "id"] = "row"
) -> list[Prediction]:
    """Predictions with the outcomes (and categories and prices) of a table.

    join    "row": the table's row i is about prediction i; ids, where the table has them, must agree.
            "id": as published, by an id that repeats: all that share one get the outcome of its last row
    raises  DoxaError: no outcome column, unequal lengths, ids that differ; with "id" a table without ids
    """
    if not rows or not any(column in rows[0][1] for column in OUTCOME):
        have = ", ".join(map(repr, rows[0][1])) if rows else "no rows"
        raise DoxaError(f"{name}: no column {' or '.join(OUTCOME)} among {have}; name the yes/no column 'outcome'")
    if join == "id":
        by_id = {str(first_of(row, ID)): (where, row) for where, row in rows}
        if set(by_id) == {"None"}:
            raise DoxaError(f"{name} has no column {' or '.join(ID)}, so nothing can be joined by id; use join=row")
        matched = [by_id.get(p.question_id) for p in predictions]
    else:
        _check_rows(predictions, rows, name)
        matched = list(rows)
    return [p if m is None else _joined(p, *m) for p, m in zip(predictions, matched, strict=True)]


def _check_rows(predictions: Sequence[Prediction], rows: Sequence[Row], name: str) -> None:
    if len(rows) != len(predictions):
        raise DoxaError(
            f"{name} has {len(rows)} rows for {len(predictions)} predictions; joined by row they pair up one by one. "
            "Give the questions as they were asked, in order, or use join=id"
        )
    for index, (p, (where, row)) in enumerate(zip(predictions, rows, strict=True)):
        ids = {str(row[column]) for column in ID if row.get(column) not in (None, "")}
        if ids and p.question_id not in ids and p.question_id != str(index):
            raise DoxaError(
                f"{where}: is about {' / '.join(sorted(ids))}, but prediction {index} is about {p.question_id!r}. "
                "Put the outcomes in the order of the predictions, or use join=id"
            )


def _joined(p: Prediction, where: str, row: Mapping[str, Any]) -> Prediction:
    category = first_of(row, ("category",))
    price = probability(first_of(row, PRICE), f"{where}: the market price")
    return replace(
        p,
        truth=yes_no(first_of(row, OUTCOME), f"{where}: the outcome"),
        category=str(category) if category else p.category,
        market=price if price is not None else p.market,
    )
