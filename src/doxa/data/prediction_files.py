"""Recorded forecasts: published result files, tables of one's own, and outcomes joined to them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from doxa.data.forecasts import ID, OUTCOME, PRICE, first_of, probability, yes_no
from doxa.records import DoxaError, Estimate, Form, Outcome, Table

Cells = tuple[str, Mapping[str, Any]]  # where a row stands, its cells by column

# Figures that a published result file states, by the name we know them under, and the field that holds each.
FIGURES: Mapping[str, str] = {
    "parse rate": "parse_rate",
    "accuracy": "accuracy",
    "macro F1": "macro_f1",
    "F1 of yes": "f1_yes",
    "F1 of no": "f1_no",
    "precision of yes": "precision_yes",
    "precision of no": "precision_no",
    "recall of yes": "recall_yes",
    "recall of no": "recall_no",
    "mean confidence": "avg_confidence",
    "mean confidence when right": "avg_confidence_when_correct",
    "mean confidence when wrong": "avg_confidence_when_wrong",
    "overconfidence at 0.7": "overconfidence_rate_70",
    "overconfidence at 0.8": "overconfidence_rate_80",
    "overconfidence at 0.9": "overconfidence_rate_90",
    "Brier, as scored": "brier_score",
    "Brier skill, as scored": "brier_skill_score",
    "log loss, as scored": "log_loss",
    "ECE, as scored": "ece",
    "MCE, as scored": "mce",
    "ACE, as scored": "ace",
}


@dataclass(frozen=True)
class Prediction:
    """One recorded prediction.

    answer   "yes", "no", or None: none was read, or none asked for
    number   the stated number as a probability, before anybody converted it
    scored   P(yes) as the published conversion has it: 1 - number where the answer is no
    text     the reply, where the record has it
    """

    question_id: str
    outcome: Outcome
    answer: str | None
    number: float | None
    scored: float | None
    text: str = ""
    truth: str | None = None
    category: str | None = None
    market: float | None = None
    tokens: int | None = None


def as_rows(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Rows of a table: a prediction's fields, `group` (its id) and `item` (its id, with the row where that repeats)."""
    times = Counter(p.question_id for p in predictions)
    ids = [p.question_id if times[p.question_id] == 1 else f"{p.question_id}#{i}" for i, p in enumerate(predictions)]
    shared = {"condition": "neutral", "sample": 0}
    return [
        {**shared, **vars(p), "item": item, "group": p.question_id} for item, p in zip(ids, predictions, strict=True)
    ]


def published_file(path: Path) -> tuple[list[Prediction], dict[str, Any]]:
    """The predictions of a published result file (JSON with the key "predictions"), and all else that it states.

    `predicted_probability` is P(yes) after the published conversion; `number` undoes it. Fields that are absent are
    unknown, others are ignored; ids may repeat.

    raises  DoxaError: no such JSON; an answer that is neither yes nor no; a probability outside [0, 1]
    source  arXiv 2512.16030
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
    return [_published(row, i, f"{path}, predictions[{i}]") for i, row in enumerate(rows)], stored


def _published(row: Any, index: int, where: str) -> Prediction:
    if not isinstance(row, dict):
        raise DoxaError(f"{where} is {type(row).__name__}; a prediction is an object with named fields")
    answer = yes_no(row.get("predicted_answer"), f"{where}: predicted_answer")
    scored = probability(row.get("predicted_probability"), f"{where}: predicted_probability")
    if answer is not None and scored is None and not row.get("raw_output"):
        raise DoxaError(f"{where} has an answer, but neither predicted_probability nor raw_output; give one of them")
    counts = [row[name] for name in ("input_tokens", "output_tokens") if row.get(name) is not None]
    return Prediction(
        question_id=str(first_of(row, ID, index)),
        outcome="failed" if row.get("error") else "ok" if answer and scored is not None else "unparsed",
        answer=answer,
        number=_unconverted(answer, scored),
        scored=scored,
        text=str(row.get("raw_output") or ""),
        tokens=sum(counts) if counts else None,
    )


def _unconverted(answer: str | None, scored: float | None) -> float | None:
    """The number before the conversion, and (it is its own inverse) the conversion of a number."""
    return 1 - scored if scored is not None and answer == "no" else scored


def stored_tables(
    stored: Mapping[str, Any], where: str
) -> tuple[list[tuple[str, int, float, float]], dict[str, int] | None]:
    """The reliability table of a result file, (label, n, mean forecast, share that happened), and its confusion table.

    returns  an empty list and None for what is absent
    raises   DoxaError: a table with an entry that is absent or no number
    """
    try:
        bins = [
            (str(b["bin"]), int(b["count"]), float(b["avg_confidence"]), float(b["avg_accuracy"]))
            for b in stored.get("reliability_diagram") or ()
        ]
        counts = stored.get("confusion_matrix")
        return bins, {name: int(counts[name]) for name in ("tp", "fp", "fn", "tn")} if counts else None
    except (KeyError, TypeError, ValueError) as error:
        raise DoxaError(
            f"{where}: an entry of reliability_diagram or confusion_matrix is absent or no number ({error!r}); they "
            "hold bin, count, avg_confidence, avg_accuracy, and tp, fp, fn, tn. Take the table out, or mend it"
        ) from None


def figures(stored: Mapping[str, Any], where: str) -> dict[str, float]:
    """The figures that a result file states, by the names of FIGURES. DoxaError: one that is no number."""
    try:
        return {name: float(stored[f]) for name, f in FIGURES.items() if stored.get(f) is not None}
    except (TypeError, ValueError):
        wrong = next(f for f in FIGURES.values() if not isinstance(stored.get(f), (int, float, type(None))))
        raise DoxaError(f"{where}: {wrong} is {stored[wrong]!r}; it is a number. Take it out, or mend it") from None


def made_again(
    stored: Mapping[str, Any], where: str, made: Iterable[Estimate], bins: Mapping[str, int], n: int
) -> tuple[Table, list[Estimate]]:
    """What a result file states beside what was made from its n predictions; and what only the file states.

    bins    how many predictions by the label of their bin
    raises  DoxaError as `figures` and `stored_tables`
    """
    stated, again = figures(stored, where), {e.name: e.value for e in made}
    compared = [(name, value, again[name]) for name, value in stated.items() if name in again]
    for label, held, *_ in stored_tables(stored, where)[0]:
        compared.append((f"n of P(yes) {label}", held, bins.get(label, 0)))
    rows = tuple((*row, row[2] - row[1]) for row in compared)
    section, note = "As the file states", "to make it again takes outcomes"
    only = [
        Estimate(name, value, n=n, unit="questions", section=section, note=note)
        for name, value in stated.items()
        if name not in again
    ]
    return Table("Stored and made again", ("figure", "stored", "made again", "difference"), rows), only


def other_samples(ids: Mapping[str, Sequence[str]]) -> list[str]:
    """A note for each file whose questions are not those of the first: such files cannot be compared in pairs."""
    (first, asked), *others = ids.items()
    return [
        f"{label} rests on another sample than {first} ({len(set(own) & set(asked))} ids in common): they make no pairs"
        for label, own in others
        if list(own) != list(asked)
    ]


def own_records(rows: Iterable[Cells]) -> list[Prediction]:
    """Predictions of a table: id, answer (yes or no), number (0-100, as it was stated), outcome.

    In place of number there may be probability (in [0, 1], as it was stated). Without a column answer, P(yes) alone was
    asked for. Optional: text, category, market_price.

    raises  DoxaError: neither number nor probability, a value outside its range, numbers that look like probabilities
    """
    found = []
    for index, (where, row) in enumerate(rows):
        if "number" not in row and "probability" not in row:
            have = ", ".join(map(repr, row))
            raise DoxaError(f"{where}: no column 'number' (0-100) or 'probability' (0-1) among {have}; rename yours")
        if "number" in row:
            number = _percentage(row["number"], f"{where}: number")
        else:
            number = probability(row["probability"], f"{where}: probability")
        answer = yes_no(row.get("answer"), f"{where}: answer")
        read = number is not None and (answer is not None or "answer" not in row)
        found.append(
            Prediction(
                question_id=str(first_of(row, ID, index)),
                outcome="ok" if read else "unparsed",
                answer=answer,
                number=number,
                scored=_unconverted(answer, number),
                text=str(first_of(row, ("text", "raw_output"), "")),
                truth=yes_no(first_of(row, OUTCOME), f"{where}: the outcome"),
                category=first_of(row, ("category",)),
                market=probability(first_of(row, PRICE), f"{where}: the market price"),
            )
        )
    _refuse_fractions([p.number for p in found if p.number is not None])
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


def _refuse_fractions(numbers: Sequence[float]) -> None:
    if numbers and max(numbers) <= 0.01 and any(0 < number < 0.01 for number in numbers):
        raise DoxaError(
            f"no 'number' of {len(numbers)} is above 1 and some are fractions: they look like probabilities, and a "
            "number is a percentage. Name the column 'probability', or multiply by 100"
        )


def reread(predictions: Sequence[Prediction], form: Form) -> tuple[list[Prediction], list[str]]:
    """Recorded replies read once more: what the record lacks is filled in, what differs from it is told in notes.

    What the record states is kept, also where the reply reads differently.
    """
    told: list[Prediction] = []
    filled, other, guessed = [], [], []
    for index, p in enumerate(predictions):
        answer = form.read(p.text)
        scored = _unconverted(answer.value, answer.confidence)
        if p.text and p.scored is None and p.outcome != "failed":
            filled.append(index)
            p = replace(p, outcome=answer.outcome, answer=answer.value, number=answer.confidence, scored=scored)
        elif p.text and p.outcome == "ok" and answer.value is None:
            guessed.append(index)
        elif answer.outcome == "ok" and p.scored is not None and scored is not None:
            same = answer.value == p.answer and abs(scored - p.scored) < 1e-9
            other += [] if same else [index]
        told.append(p)
    found = {
        "predictions have no stored probability and were read from their replies": filled,
        "replies read otherwise than they are stored": other,
        "stored answers are in no answer tag of their reply, so they were guessed from its words": guessed,
    }
    return told, [f"{len(rows)} {what} (rows {_listed(rows)})" for what, rows in found.items() if rows]


def _listed(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:10])) + (", ..." if len(rows) > 10 else "")


# --- outcomes --------------------------------------------------------------------------------------------------------


def with_outcomes(
    predictions: Sequence[Prediction], rows: Sequence[Cells], name: str, *, join: Literal["row", "id"] = "row"
) -> list[Prediction]:
    """Predictions with the outcomes (and categories and prices) of a table.

    join    "row": the table's row i is about prediction i; ids, where the table has them, must agree.
            "id": as published, by an id that repeats: all that share one get the outcome of its last row
    raises  DoxaError: no outcome column, unequal lengths, ids that differ; with "id" a table without ids
    """
    if not rows or not any(column in rows[0][1] for column in OUTCOME):
        have = ", ".join(map(repr, rows[0][1])) if rows else "no rows"
        raise DoxaError(f"{name}: no column {' or '.join(OUTCOME)} among {have}; name the yes/no column 'outcome'")
    matched: Sequence[Cells | None] = rows
    if join == "id":
        by_id = {str(first_of(row, ID)): (where, row) for where, row in rows}
        if set(by_id) == {"None"}:
            raise DoxaError(f"{name} has no column {' or '.join(ID)}, so nothing can be joined by id; use join=row")
        matched = [by_id.get(p.question_id) for p in predictions]
    else:
        _check_rows(predictions, rows, name)
    return [p if m is None else _joined(p, *m) for p, m in zip(predictions, matched, strict=True)]


def _check_rows(predictions: Sequence[Prediction], rows: Sequence[Cells], name: str) -> None:
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
    price = probability(first_of(row, PRICE), f"{where}: the market price")
    return replace(
        p,
        truth=yes_no(first_of(row, OUTCOME), f"{where}: the outcome"),
        category=first_of(row, ("category",), p.category),
        market=p.market if price is None else price,
    )
