"""Recorded replies of reasoning models, with grades or answers: columns by their usual names, units told apart."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from doxa.elicit.attempts import DECLINED, LIST
from doxa.elicit.form import value_of
from doxa.elicit.reasoned import LISTED, Reasoned, chain_tokens
from doxa.elicit.replies import number
from doxa.elicit.response_files import Scale
from doxa.records import OUTCOMES, Answer, DoxaError, Item, Kind, Outcome, Reply

Cells = tuple[str, Mapping[str, Any]]  # where a row stands, its cells by column

NAMES: Mapping[str, tuple[str, ...]] = {  # what is read: the columns it goes by, the first present is taken
    "id": ("id", "item", "question_id", "qid"),
    "model": ("model", "model_name", "who"),
    "strategy": ("strategy", "prompt_strategy", "prompting"),
    "answer": ("answer", "predicted", "prediction", "predicted_answer", "model_answer"),
    "confidence": ("confidence", "stated_confidence", "verbalized_confidence", "conf"),
    "grade": ("grade", "verdict", "judgement", "judgment"),
    "correct": ("correct", "is_correct"),
    "truth": ("truth", "gold", "target", "correct_answer", "ground_truth", "label"),
    "kind": ("kind", "type", "answer_type"),
    "options": ("options", "choices"),
    "tokens": ("tokens", "reasoning_tokens", "length", "reasoning_length", "thinking_tokens"),
    "reasoning": ("reasoning", "reasoning_content", "thinking", "reasoning_text"),
    "reply": ("reply", "response", "output", "completion", "raw_output"),
    "finish": ("finish", "finish_reason"),
    "sample": ("sample", "run", "sample_index"),
    "set": ("set", "benchmark", "dataset", "task"),
    "group": ("group",),
    "outcome": ("outcome",),
}
RIGHT, WRONG = "right", "wrong"  # answer and truth of rows that say only how they were graded
GRADES = {
    **dict.fromkeys(("correct", "a", "true", "1", "yes"), True),
    **dict.fromkeys(("incorrect", "wrong", "b", "false", "0", "no"), False),
    **dict.fromkeys(("not attempted", "not_attempted", "notattempted", "c", "abstained"), None),
}  # the letters are those of SimpleQA's grader
KINDS = {
    **{"integer": "number", "number": "number", "numeric": "number", "letter": "choice", "choice": "choice"},
    **{
        "option": "choice",
        "text": "open",
        "open": "open",
        "short text": "open",
        "list": LIST,
        "statement": "statement",
    },
}


@dataclass(frozen=True)
class RecordedAttempt:
    """One recorded reply as read; an empty truth is not known, tokens are those of the chain, perhaps `estimated`."""

    where: str
    item: str
    who: str
    strategy: str
    outcome: Outcome
    answer: str | None
    confidence: float | None
    truth: tuple[str, ...]
    kind: str
    options: int = 0
    tokens: int | None = None
    estimated: bool = False
    sample: int = -1
    set: str = ""
    group: str | None = None
    text: str = ""


def attempts(rows: Iterable[Cells], name: str, *, scale: Scale = "auto") -> tuple[list[RecordedAttempt], list[str]]:
    """Replies, and notes on how the file was understood. Unknown columns are passed over, missing ones are empty.

    Needed are an id, and a grade (correct, incorrect, not attempted; A, B, C), `correct` (0 or 1), an answer, or a
    whole reply, which is read as `Reasoned` is. A grade goes before the comparison of answer and truth. Rows of one
    question, model and strategy are its repeated runs, in the file's order unless `sample` numbers them.

    scale   of bare numbers; a "%" always says percent. auto: probabilities if all numbers of the file lie in [0, 1],
            else percent
    raises  DoxaError: no rows, no such column, a cell that cannot be read, fractions among percentages, two rows with
            one number, two truths of one question
    """
    table = list(rows)
    if not table:
        raise DoxaError(f"{name} has no rows; was the export cut off?")
    columns = _columns(table, name)
    percent = _is_percent(table, columns.get("confidence", ""), scale)
    found = _numbered([_attempt(where, row, columns, percent) for where, row in table])
    _check_truths(found)
    notes = []
    if "confidence" in columns:
        notes.append(f"confidences without a sign are read as {'percent' if percent else 'probabilities'}")
    elif "reply" not in columns:
        notes.append(f"no column of confidences ({', '.join(NAMES['confidence'])}): only attempts can be counted")
    return found, notes


def _columns(table: Sequence[Cells], name: str) -> dict[str, str]:
    present = dict.fromkeys(column for _, row in table for column in row)
    found = {part: column for part, names in NAMES.items() if (column := next((n for n in names if n in present), ""))}
    said = ("grade", "correct", "answer", "reply")
    if "id" not in found or not set(said) & set(found):
        ways = "; ".join(", ".join(NAMES[part]) for part in said)
        raise DoxaError(
            f"{name} has {', '.join(present)}; needed are an id ({', '.join(NAMES['id'])}) and what was answered, or "
            f"how it was graded ({ways}). Rename the columns"
        )
    return found


def _attempt(where: str, row: Mapping[str, Any], columns: Mapping[str, str], percent: bool) -> RecordedAttempt:
    def refuse(part: str, rule: str) -> DoxaError:
        return DoxaError(f"{where}, {columns.get(part, part)!r}: {cell.get(part)!r}; {rule}")

    cell = {part: row.get(column) for part, column in columns.items()}
    identity = _text(cell.get("id"))
    if identity is None:
        raise refuse("id", "every reply names its question")
    options, truth = _list(cell.get("options")), tuple(_list(cell.get("truth")))
    kind = KINDS.get((_text(cell.get("kind")) or "").lower()) if _text(cell.get("kind")) else _kind(options, truth)
    if kind is None:
        raise refuse("kind", f"kinds of answer are {', '.join(KINDS)}")
    plain: Kind = next((k for k in get_args(Kind) if k == kind), "open")
    item = Item(identity, "", plain, tuple(options), fields={LISTED: kind == LIST})
    truth = tuple(_canonical(where, text, item) for text in truth)
    reply = _reply(cell)
    said = _said(cell, item, percent, "confidence" in columns, reply, refuse)
    graded = _graded(cell, said, bool({"confidence", "reply"} & set(columns)), refuse)
    if graded is not None:
        said, truth, kind = *graded, "open"
    tokens, estimated = _tokens(cell, reply, refuse)
    sample = _text(cell.get("sample"))
    if sample is not None and not sample.isdigit():
        raise refuse("sample", "runs of a question are numbered 0, 1, 2, ...")
    return RecordedAttempt(
        where=where,
        item=identity,
        who=_text(cell.get("model")) or "",
        strategy=(_text(cell.get("strategy")) or "v").lower(),
        outcome=_outcome(cell, said.outcome, refuse),
        answer=said.value,
        confidence=said.confidence,
        truth=truth,
        kind=kind,
        options=len(options),
        tokens=tokens,
        estimated=estimated,
        sample=-1 if sample is None else int(sample),
        set=_text(cell.get("set")) or "",
        group=_text(cell.get("group")),
        text=str(cell.get("reply") or ""),
    )


def _said(
    cell: Mapping[str, Any], item: Item, percent: bool, has_confidence: bool, reply: Reply | None, refuse: Any
) -> Answer:
    """The answer with its confidence: parsed ones go before what the reply says."""
    answer, confidence = _text(cell.get("answer")), _confidence(cell.get("confidence"), percent, refuse)
    if answer is None and reply is not None:
        read = Reasoned().read(reply, item)
        return read if confidence is None else _with_confidence(read, confidence)
    found = Reasoned("none").read(f"<answer>{answer or ''}</answer>", item)
    if found.outcome == "ok" and confidence is None and has_confidence:
        return Answer("unparsed", found.value, note="no confidence")
    return replace(found, confidence=confidence)


def _graded(
    cell: Mapping[str, Any], said: Answer, may_be_sure: bool, refuse: Any
) -> tuple[Answer, tuple[str, ...]] | None:
    """The answer as it was graded, `RIGHT`, with a truth that makes it so or not; None: nobody graded it.

    Whoever marks answers as correct or not calls what declines incorrect: it stays no attempt.
    """
    part = "grade" if _text(cell.get("grade")) is not None else "correct"
    grade = _text(cell.get(part))
    if grade is None or (part == "correct" and said.outcome in DECLINED):
        return None
    if grade.lower() not in GRADES:
        raise refuse(part, "grades are correct, incorrect, not attempted, or A, B, C")
    right = GRADES[grade.lower()]
    if right is None:
        return replace(said, outcome="abstained", value=None), (RIGHT,)
    whole: Outcome = "unparsed" if said.confidence is None and may_be_sure else "ok"
    return replace(said, outcome=whole, value=RIGHT), (RIGHT if right else WRONG,)


def _with_confidence(read: Answer, confidence: float) -> Answer:
    return replace(read, confidence=confidence, outcome="ok" if read.value is not None else read.outcome)


def _reply(cell: Mapping[str, Any]) -> Reply | None:
    text, thought = str(cell.get("reply") or ""), _text(cell.get("reasoning"))
    if not text and thought is None:
        return None
    cut = _text(cell.get("finish")) in ("length", "max_tokens")
    return Reply(text, "length" if cut else "stop", reasoning=thought)


def _tokens(cell: Mapping[str, Any], reply: Reply | None, refuse: Any) -> tuple[int | None, bool]:
    given = _text(cell.get("tokens"))
    if given is None:
        return (None, False) if reply is None else chain_tokens(reply)
    try:
        tokens = float(given)
    except ValueError:
        tokens = math.nan
    if not (tokens >= 0 and math.isfinite(tokens)):
        raise refuse("tokens", "a length is a number of tokens, 0 or more")
    return round(tokens), False


def _outcome(cell: Mapping[str, Any], read: Outcome, refuse: Any) -> Outcome:
    given = _text(cell.get("outcome"))
    if given is None:
        cut = _text(cell.get("finish")) in ("length", "max_tokens") and read == "unparsed"
        return "truncated" if cut else read
    if given not in OUTCOMES:
        raise refuse("outcome", f"outcomes are {', '.join(OUTCOMES)}")
    return next(o for o in OUTCOMES if o == given)


def _kind(options: Sequence[str], truth: Sequence[str]) -> str:
    if options:
        return "choice"
    return "number" if truth and all(number(text) is not None for text in truth) else "open"


def _canonical(where: str, text: str, item: Item) -> str:
    if item.kind != "choice":
        return text
    if not item.options:
        return text.strip("() .").upper()
    value = value_of(text, item).value
    if value is None:
        raise DoxaError(f"{where}: the truth {text!r} is not the letter or the text of an option of {item.id!r}")
    return value


# --- cells -----------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None


def _list(value: Any) -> list[str]:
    """Several texts: a list, a JSON list, or texts with "|" between them."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            value = [value]
    parts = value if isinstance(value, (list, tuple)) else str(_text(value) or "").split("|")
    return [text for text in map(_text, parts) if text is not None]


def _bare(value: Any) -> float | None:
    """A number without a sign; None: there is none."""
    try:
        bare = float(value) if value is not None and not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        return None
    return None if math.isnan(bare) else bare


def _is_percent(table: Sequence[Cells], column: str, scale: Scale) -> bool:
    """Whether bare numbers are percentages."""
    bare = [(where, n) for where, row in table if (n := _bare(row.get(column))) is not None]
    if scale != "auto":
        return scale == "percent"
    if all(n <= 1 for _, n in bare):
        return False
    odd = [(where, n) for where, n in bare if 0 < n < 1]
    if odd:
        where, first = odd[0]
        raise DoxaError(
            f"{where}, {column!r}: {first:g} stands among percentages up to {max(n for _, n in bare):g} ({len(odd)} "
            "such). Say which it is: scale 'percent' or 'probability'; or write percentages with their sign"
        )
    return True


def _confidence(value: Any, percent: bool, refuse: Any) -> float | None:
    text = _text(value)
    if text is None:
        return None
    bare = _bare(text.removesuffix("%"))
    if bare is None:
        raise refuse("confidence", "write 85, 85% or 0.85, or leave it empty")
    p = bare / 100 if percent or text.endswith("%") else bare
    if not 0 <= p <= 1:
        raise refuse("confidence", "outside the scale; another unit? Choose the scale: percent or probability")
    return p


# --- what belongs together -------------------------------------------------------------------------------------------


def _numbered(found: Sequence[RecordedAttempt]) -> list[RecordedAttempt]:
    """Replies without a number get their place among those of their question, model and strategy."""
    seen: Counter[tuple[str, str, str]] = Counter()
    places: dict[tuple[str, str, str, int], str] = {}
    numbered = []
    for one in found:
        key = (one.item, one.who, one.strategy)
        place = seen[key] if one.sample < 0 else one.sample
        seen[key] += 1
        first = places.setdefault((*key, place), one.where)
        if first is not one.where:
            raise DoxaError(f"{one.where}: run {place} of {one.item!r} is already at {first}; number the runs apart")
        numbered.append(replace(one, sample=place))
    return numbered


def _check_truths(found: Sequence[RecordedAttempt]) -> None:
    first: dict[str, RecordedAttempt] = {}
    for one in found:
        if not one.truth or one.answer == RIGHT or one.truth in ((RIGHT,), (WRONG,)):
            continue
        known = first.setdefault(one.item, one)
        if one.truth != known.truth:
            raise DoxaError(
                f"{one.where}: the truth of {one.item!r} is {one.truth!r}, but {known.truth!r} at {known.where}. "
                "Give different questions different ids"
            )
