"""Recorded responses with stated confidences, of any model: columns found by their usual names, units told apart."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from doxa.elicit.form import value_of
from doxa.elicit.replies import number
from doxa.elicit.strategies import form_of, read
from doxa.records import OUTCOMES, Answer, DoxaError, Item, Kind, Outcome

Cells = tuple[str, Mapping[str, Any]]  # where a row stands, its cells by column
Scale = Literal["auto", "percent", "probability"]

NAMES: Mapping[str, tuple[str, ...]] = {  # what is read: the columns it goes by, the first present is taken
    "id": ("id", "item", "question_id", "qid"),
    "answer": ("answer", "predicted", "prediction", "predicted_answer", "model_answer"),
    "confidence": ("confidence", "stated_confidence", "verbalized_confidence", "conf"),
    "truth": ("truth", "gold", "target", "correct_answer", "ground_truth", "label"),
    "correct": ("correct", "is_correct"),
    "reply": ("reply", "response", "output", "completion", "raw_output"),
    "prompting": ("prompting", "strategy", "prompt_strategy"),
    "sampling": ("sampling", "sampling_strategy"),
    "sample": ("sample", "sample_index", "sample_id"),
    "guesses": ("guesses", "top_k"),
    "probabilities": ("probabilities", "guess_probabilities"),
    "options": ("options", "choices"),
    "set": ("set", "dataset", "task"),
    "group": ("group",),
    "outcome": ("outcome",),
}
VANILLA, TOP_K, SINGLE, SELF_RANDOM = "vanilla", "top_k", "single", "self_random"
RIGHT, WRONG = "right", "wrong"  # answer and truth of rows that say only whether they were correct


@dataclass(frozen=True)
class RecordedResponse:
    """One recorded response.

    confidence, guesses  probabilities in [0, 1]
    truth                right answers as written; empty: not known
    prompting, sampling  strategies; vanilla (top_k with guesses), single or self_random where the file does not say
    graded               the row says only whether it was correct: the answer is `RIGHT`, the truth `RIGHT` or `WRONG`
    reply                the reply's text, for rows without a parsed answer
    """

    where: str
    id: str
    answer: str | None
    confidence: float | None
    truth: tuple[str, ...]
    graded: bool = False
    reply: str = ""
    prompting: str = VANILLA
    sampling: str = SINGLE
    sample: int = 0
    guesses: tuple[tuple[str, float], ...] = ()
    options: tuple[str, ...] = ()
    set: str = ""
    group: str | None = None
    outcome: Outcome | None = None

    @property
    def kind(self) -> Kind:
        """What an answer looks like, from the options and the truth."""
        if self.options:
            return "choice"
        if self.truth and all(number(text) is not None for text in self.truth):
            return "number"
        return "statement" if self.truth in (("true",), ("false",)) else "open"

    @property
    def canonical_truth(self) -> tuple[str, ...]:
        """The right answers as forms read them: a letter where there are options. DoxaError: none of the options."""
        read = [self._value(text) for text in self.truth]
        if None in read:
            raise DoxaError(
                f"{self.where}: the truth {self.truth[read.index(None)]!r} is not the letter or the text of an option; "
                f"{self.id!r} has {list(self.options)}"
            )
        return tuple(value for value in read if value is not None)

    def read(self) -> tuple[Answer, float | None]:
        """The answer in canonical form with its confidence, and the overall confidence of a multi-step reply.

        A reply without a parsed answer is read by the form of its prompting strategy. "unparsed": there is no answer
        among the possible ones, or one without confidence (its value is kept). DoxaError: no such strategy.
        """
        if self.answer is None and not self.guesses and self.reply:
            try:
                return read(form_of(self.prompting), self.reply, self._item())
            except ValueError as error:
                raise DoxaError(f"{self.where}: a reply without an answer is read by its strategy: {error}") from None
        guesses = tuple((guess, p) for text, p in self.guesses if (guess := self._value(text)) is not None)
        value, confidence = None if self.answer is None else self._value(self.answer), self.confidence
        if self.answer is None and guesses:
            value, first = guesses[0]
            confidence = first if confidence is None else confidence
        whole = value is not None and confidence is not None
        return Answer(self.outcome or ("ok" if whole else "unparsed"), value, confidence, guesses), None

    def _item(self) -> Item:
        return Item(self.id, "", self.kind, self.options)

    def _value(self, text: str) -> str | None:
        return value_of(text, self._item()).value


def responses(rows: Iterable[Cells], name: str, *, scale: Scale = "auto") -> tuple[list[RecordedResponse], list[str]]:
    """Responses, and notes on how the file was understood. Unknown columns are passed over, missing ones are empty.

    Needed are an id, and an answer, guesses, a reply or `correct` (0 or 1, in the place of answer and truth). Rows of
    one question under one strategy are its responses in the file's order, unless `sample` numbers them.

    scale   of bare numbers; a "%" always says percent. auto: probabilities if all numbers of the file lie in [0, 1],
            else percent
    raises  DoxaError: no rows, no such column, a confidence that is no number or outside its scale, fractions among
            percentages, two rows with one number, two truths or lists of options for one question
    """
    table = list(rows)
    if not table:
        raise DoxaError(f"{name} has no rows; was the export cut off?")
    columns = _columns(table, name)
    numbers = [n for where, row in table for n in _bare_numbers(where, row, columns)]
    percent = scale == "percent" or (scale == "auto" and any(n > 1 for _, n in numbers))
    if scale == "auto" and percent:
        _refuse_fractions(numbers)
    found = _numbered(_sampled([_response(where, row, columns, percent) for where, row in table]))
    _check_same(found)
    notes = [f"confidences without a sign are read as {'percent' if percent else 'probabilities'}"] if numbers else []
    if not {"confidence", "guesses", "reply"} & set(columns):
        notes.append(f"no column of confidences ({', '.join(NAMES['confidence'])}): answers are read without any")
    return found, notes


def _columns(table: Sequence[Cells], name: str) -> dict[str, str]:
    present = dict.fromkeys(column for _, row in table for column in row)
    found = {part: next((n for n in names if n in present), "") for part, names in NAMES.items()}
    if not found["id"]:
        raise DoxaError(
            f"{name} has {', '.join(present)}; none of them is an id ({', '.join(NAMES['id'])}). Rename one"
        )
    said = ("answer", "guesses", "reply", "correct")
    if not any(found[part] for part in said):
        ways = "; ".join(", ".join(NAMES[part]) for part in said)
        raise DoxaError(f"{name} has {', '.join(present)}; none of them says what was answered ({ways})")
    return {part: column for part, column in found.items() if column}


def _response(where: str, row: Mapping[str, Any], columns: Mapping[str, str], percent: bool) -> RecordedResponse:
    cell = {part: row.get(column) for part, column in columns.items()}
    identity = _text(cell.get("id"))
    if identity is None:
        raise DoxaError(f"{where}, {columns['id']!r}: empty; every response names its question")
    answer, truth = _text(cell.get("answer")), tuple(_list(where, columns, "truth", cell))
    correct = _text(cell.get("correct"))
    graded = correct is not None and not (truth and (answer is not None or cell.get("reply")))
    if graded:
        answer, truth = RIGHT, (RIGHT if _yes(where, columns["correct"], str(correct)) else WRONG,)
    guesses, outcome = _guesses(where, columns, cell, percent), _text(cell.get("outcome"))
    if outcome is not None and outcome not in OUTCOMES:
        raise DoxaError(f"{where}, {columns['outcome']!r}: {outcome!r}; outcomes are {', '.join(OUTCOMES)}")
    return RecordedResponse(
        where=where,
        id=identity,
        answer=answer,
        confidence=_probability(where, columns.get("confidence", ""), cell.get("confidence"), percent),
        truth=truth,
        graded=graded,
        reply=str(cell.get("reply") or ""),
        prompting=_text(cell.get("prompting")) or (TOP_K if guesses else VANILLA),
        sampling=_text(cell.get("sampling")) or "",
        sample=_sample(where, columns, cell.get("sample")),
        guesses=guesses,
        options=tuple(_list(where, columns, "options", cell)),
        set=_text(cell.get("set")) or "",
        group=_text(cell.get("group")),
        outcome=next((o for o in OUTCOMES if o == outcome), None),
    )


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def _yes(where: str, column: str, text: str) -> bool:
    if text.lower() in ("true", "1", "yes"):
        return True
    if text.lower() in ("false", "0", "no"):
        return False
    raise DoxaError(f"{where}, {column!r}: {text!r}; whether an answer is correct is 1 or 0, true or false")


def _sample(where: str, columns: Mapping[str, str], value: Any) -> int:
    text = _text(value)
    if text is None:
        return -1
    if not text.isdigit():
        raise DoxaError(f"{where}, {columns['sample']!r}: {text!r}; responses to a question are numbered 0, 1, 2, ...")
    return int(text)


def _list(where: str, columns: Mapping[str, str], part: str, cell: Mapping[str, Any]) -> list[str]:
    """A cell with several texts: a list, a JSON list, or texts with "|" between them."""
    value = cell.get(part)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            raise DoxaError(f'{where}, {columns[part]!r}: {value!r} is no JSON list; write ["a", "b"] or a|b') from None
    parts: Sequence[Any] = value if isinstance(value, (list, tuple)) else str(_text(value) or "").split("|")
    return [text for text in map(_text, parts) if text is not None]


def _guesses(
    where: str, columns: Mapping[str, str], cell: Mapping[str, Any], percent: bool
) -> tuple[tuple[str, float], ...]:
    """Ranked guesses with their probabilities, from two lists, or from one list of pairs."""
    value = cell.get("guesses")
    pairs = isinstance(value, (list, tuple)) and bool(value) and all(isinstance(v, (list, tuple)) for v in value)
    if pairs and value is not None:
        guesses = [_text(v[0]) or "" for v in value]
        stated: Sequence[Any] = [v[1] if len(v) == 2 else None for v in value]
    else:
        guesses, stated = _list(where, columns, "guesses", cell), _list(where, columns, "probabilities", cell)
    if len(guesses) != len(stated) or None in stated:
        raise DoxaError(f"{where}: {len(guesses)} guesses with {len(stated)} probabilities; each guess has one")
    numbers = [_probability(where, columns.get("probabilities", "guesses"), p, percent) for p in stated]
    return tuple((guess, p) for guess, p in zip(guesses, numbers, strict=True) if p is not None)


# --- units -----------------------------------------------------------------------------------------------------------


def _bare_numbers(where: str, row: Mapping[str, Any], columns: Mapping[str, str]) -> list[tuple[str, float]]:
    """Confidences of a row that carry no sign, each with its place."""
    found = []
    for part in ("confidence", "probabilities", "guesses"):
        value = row.get(columns.get(part, ""))
        if part == "guesses" and isinstance(value, (list, tuple)):
            value = [v[-1] for v in value if isinstance(v, (list, tuple)) and len(v) == 2]
        elif part == "guesses":
            continue
        if isinstance(value, str) and value.lstrip().startswith("["):
            value = _list(where, columns, part, {part: value})
        for one in value if isinstance(value, (list, tuple)) else [value]:
            number = _float(one)
            if number is not None:
                found.append((f"{where}, {columns[part]!r}", number))
    return found


def _float(value: Any) -> float | None:
    try:
        number = float(value) if value is not None and not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def _refuse_fractions(numbers: Sequence[tuple[str, float]]) -> None:
    odd = [(where, n) for where, n in numbers if 0 < n < 1]
    if odd:
        where, number = odd[0]
        raise DoxaError(
            f"{where}: {number:g} stands among percentages up to {max(n for _, n in numbers):g} ({len(odd)} such). "
            "Say which it is: scale 'percent' or 'probability'; or write percentages with their sign"
        )


def _probability(where: str, column: str, value: Any, percent: bool) -> float | None:
    text = _text(value) if not isinstance(value, (int, float)) or isinstance(value, bool) else repr(value)
    if text is None or text == "nan":
        return None
    signed = text.endswith("%")
    number = _float(text.removesuffix("%").strip())
    if number is None:
        raise DoxaError(f"{where}, {column!r}: {text!r} is no number; write 85, 85% or 0.85, or leave it empty")
    p = number / 100 if percent or signed else number
    if not 0 <= p <= 1:
        unit = "percent" if percent or signed else "probability"
        raise DoxaError(f"{where}, {column!r}: {text}, outside the scale of a {unit}. Another unit? Choose the scale")
    return p


# --- what belongs together -------------------------------------------------------------------------------------------


def _sampled(found: Sequence[RecordedResponse]) -> list[RecordedResponse]:
    """Where the file does not say how responses were drawn: single, or at random where a question has several."""
    counts = Counter((r.id, r.prompting) for r in found if not r.sampling)
    several = {prompting for (_, prompting), n in counts.items() if n > 1}
    return [r if r.sampling else replace(r, sampling=SELF_RANDOM if r.prompting in several else SINGLE) for r in found]


def _numbered(found: Sequence[RecordedResponse]) -> list[RecordedResponse]:
    """Responses without a number get their place among those of their question and strategy."""
    seen: Counter[tuple[str, str, str]] = Counter()
    places: dict[tuple[str, str, str, int], str] = {}
    numbered = []
    for r in found:
        key = (r.id, r.prompting, r.sampling)
        if r.graded and seen[key]:
            raise DoxaError(
                f"{r.where}: another response to {r.id!r} that says only whether it is correct; several responses to a "
                "question are compared by their answers: give these, and the truth"
            )
        place = seen[key] if r.sample < 0 else r.sample
        seen[key] += 1
        first = places.setdefault((*key, place), r.where)
        if first is not r.where:
            raise DoxaError(f"{r.where}: sample {place} of {r.id!r} is already at {first}; number responses apart")
        numbered.append(replace(r, sample=place))
    return numbered


def _check_same(found: Sequence[RecordedResponse]) -> None:
    """One question has one truth, one list of options, one set."""
    first: dict[str, RecordedResponse] = {}
    for r in found:
        known = first.setdefault(r.id, r)
        for part in ("truth", "options", "set"):
            if getattr(r, part) != getattr(known, part) and not (part == "truth" and r.graded):
                raise DoxaError(
                    f"{r.where}: {part} of {r.id!r} is {getattr(r, part)!r}, but {getattr(known, part)!r} at "
                    f"{known.where}. Give different questions different ids"
                )
