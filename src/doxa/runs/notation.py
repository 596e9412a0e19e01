"""How items, calls and findings are written as JSON: in the log, in the response store, in findings.json."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import PurePath
from typing import Any

import numpy as np

from doxa.records import (
    Chart,
    Claim,
    Estimate,
    Findings,
    Item,
    Message,
    Prompt,
    Reply,
    Sampling,
    Score,
    Table,
    Token,
)
from doxa.study import Call

SAMPLING = tuple(f.name for f in dataclasses.fields(Sampling))


def dumps(value: Any) -> bytes:
    """Strict JSON in UTF-8 on one line; NaN and infinities become "NaN", "Infinity", "-Infinity", half a surrogate "?".

    raises  TypeError: a value that JSON has no place for
    """
    try:
        text = _ENCODER.encode(value)
    except ValueError:  # a float that strict JSON does not know
        text = _ENCODER.encode(_finite(value))
    return text.encode("utf-8", "replace")


def _leaf(value: Any) -> Any:
    if isinstance(value, np.generic):
        return _finite(value.item())
    if isinstance(value, np.ndarray):
        return _finite(value.tolist())
    if isinstance(value, Mapping):
        return _finite(dict(value))
    if isinstance(value, (set, frozenset)):
        return _finite(sorted(value))
    if isinstance(value, (PurePath, date)):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _finite(dataclasses.asdict(value))
    raise TypeError(f"{value!r} ({type(value).__name__}) cannot be written as JSON; use text, numbers, lists")


# Made once: json.dumps with arguments makes one for each call.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_leaf)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value


# --- items and calls -------------------------------------------------------------------------------------------------


def write_item(item: Item) -> dict[str, Any]:
    """An item without the fields that are left at their default."""
    written: dict[str, Any] = {"id": item.id, "text": item.text, "kind": item.kind}
    for name in ("options", "accepted", "tags", "fields"):
        if value := getattr(item, name):
            written[name] = value
    for name in ("answer", "group", "popularity"):
        if (value := getattr(item, name)) is not None:
            written[name] = value
    return written


def read_item(written: Mapping[str, Any]) -> Item:
    lists = {k: tuple(written[k]) for k in ("options", "accepted", "tags") if k in written}
    return Item(**{**written, **lists})


def write_prompt(prompt: Prompt) -> dict[str, Any]:
    """Either `text`, or `messages` as role and content."""
    if prompt.text is not None:
        return {"text": prompt.text}
    return {"messages": [{"role": m.role, "content": m.content} for m in prompt.messages]}


def read_prompt(written: Mapping[str, Any]) -> Prompt:
    if "text" in written:
        return Prompt(text=written["text"])
    return Prompt(messages=tuple(Message(m["role"], m["content"]) for m in written["messages"]))


def write_sampling(sampling: Sampling) -> dict[str, Any]:
    """Every field, defaults too: a default that changes later must not change what was recorded."""
    return {name: getattr(sampling, name) for name in SAMPLING}


def read_sampling(written: Mapping[str, Any]) -> Sampling:
    return Sampling(**{**written, "stop": tuple(written["stop"])})


def write_reply(reply: Reply) -> dict[str, Any]:
    written: dict[str, Any] = {"text": reply.text, "finish": reply.finish}
    if reply.tokens is not None:
        written["tokens"] = [_write_token(t) for t in reply.tokens]
    for name in ("reasoning", "input_tokens", "output_tokens", "error"):
        if (value := getattr(reply, name)) is not None:
            written[name] = value
    return written


def read_reply(written: Mapping[str, Any]) -> Reply:
    if "tokens" in written:
        return Reply(**{**written, "tokens": tuple(_read_token(t) for t in written["tokens"])})
    return Reply(**written)


def write_score(score: Score) -> dict[str, Any]:
    return {
        "continuation": score.continuation,
        "logprob": score.logprob,
        "tokens": [_write_token(t) for t in score.tokens],
    }


def read_score(written: Mapping[str, Any]) -> Score:
    tokens = tuple(_read_token(t) for t in written["tokens"])
    return Score(written["continuation"], float(written["logprob"]), tokens)


def _write_token(token: Token) -> list[Any]:
    return [token.text, token.logprob, token.top] if token.top else [token.text, token.logprob]


def _read_token(written: Sequence[Any]) -> Token:
    top = written[2] if len(written) > 2 else ()
    return Token(written[0], float(written[1]), tuple((text, float(logprob)) for text, logprob in top))


def write_call(call: Call) -> dict[str, Any]:
    written: dict[str, Any] = {"kind": call.kind, "condition": call.condition, **write_prompt(call.prompt)}
    if call.sampling is not None:
        written["sampling"] = write_sampling(call.sampling)
    if call.replies:
        written["replies"] = [write_reply(r) for r in call.replies]
    if call.scores:
        written["scores"] = [write_score(s) for s in call.scores]
    if call.beside:
        written["beside"] = call.beside
    return written


def read_call(written: Mapping[str, Any]) -> Call:
    sampling = read_sampling(written["sampling"]) if "sampling" in written else None
    replies = tuple(read_reply(r) for r in written.get("replies", ()))
    scores = tuple(read_score(s) for s in written.get("scores", ()))
    beside = written.get("beside", "")
    return Call(written["kind"], read_prompt(written), written["condition"], sampling, replies, scores, beside)


# --- findings: an undefined number (nan) is null ---------------------------------------------------------------------


def write_findings(found: Findings, study: str, model: str) -> dict[str, Any]:
    """Findings as JSON holds them; each estimate names the study and model that its readings are filed under."""
    return {
        "estimates": [{"study": study, "model": model, **_write_estimate(e)} for e in found.estimates],
        "tables": [{**_fields(t), "rows": [[_write_cell(c) for c in row] for row in t.rows]} for t in found.tables],
        "charts": [{**_fields(c), "spec": _nulls(c.spec, infinite=False)} for c in found.charts],
        "claims": [_nulls(_fields(c)) for c in found.claims],
        "notes": list(found.notes),
    }


def read_findings(written: Mapping[str, Any]) -> Findings:
    return Findings(
        estimates=tuple(_read_estimate(e) for e in written["estimates"]),
        tables=tuple(_read_table(t) for t in written["tables"]),
        charts=tuple(Chart(**c) for c in written["charts"]),
        claims=tuple(
            Claim(**{**c, "published": _number(c["published"]), "measured": _number(c["measured"])})
            for c in written["claims"]
        ),
        notes=tuple(written["notes"]),
    )


def _write_estimate(estimate: Estimate) -> dict[str, Any]:
    written = _nulls(_fields(estimate))
    if estimate.null is None:  # absent: not computed; null: computed and undefined
        del written["null"]
    return written


def _read_estimate(written: Mapping[str, Any]) -> Estimate:
    fields: dict[str, Any] = {k: v for k, v in written.items() if k not in ("study", "model")}
    for name in ("value", "low", "high", "null"):
        if name in fields:
            fields[name] = _number(fields[name])
    if fields["bounds"] is not None:
        fields["bounds"] = tuple(_number(bound) for bound in fields["bounds"])
    return Estimate(**fields)


def _read_table(written: Mapping[str, Any]) -> Table:
    rows = tuple(tuple(_read_cell(c) for c in row) for row in written["rows"])
    return Table(**{**written, "columns": tuple(written["columns"]), "rows": rows})


def _write_cell(cell: Any) -> Any:
    # null is an empty cell here, so an undefined number has a word of its own
    cell = cell.item() if isinstance(cell, np.generic) else cell
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell


def _read_cell(cell: Any) -> Any:
    return float(cell) if cell in ("nan", "inf", "-inf") else cell


def _fields(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}


def _nulls(value: Any, *, infinite: bool = True) -> Any:
    """nan becomes null; infinities become words that float() reads, or null where a chart would have to draw them."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return _finite(value) if infinite and not math.isnan(value) else None
    if isinstance(value, Mapping):
        return {k: _nulls(v, infinite=infinite) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_nulls(v, infinite=infinite) for v in value]
    return value


def _number(value: Any) -> float:
    if value is None:
        return math.nan
    return float(value) if isinstance(value, str) else value
