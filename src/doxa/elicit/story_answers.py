"""Recorded answers about stories: the published result files of SimpleToM, and files of other models in their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doxa.elicit.stories import Reasoning, StoryChoice, letter_of
from doxa.models.recorded_files import read_rows
from doxa.records import DoxaError, Item, Reply

ID = re.compile(r"^(?P<story>(?P<core>.+)_sev(?P<severity>[123]))_(?P<asked>aware|action|judge)$")
_OPTION = re.compile(r"^\(([A-D])\)[ \t]*(.*?)[ \t]*$", re.M)
_QUESTION = re.compile(r"^Question:", re.M)
_CUT = ("max_tokens", "length", "incomplete")
COLUMNS = "id (CORE_sev2_action), correct (A or B), and llm_output (a reply of an API, or its text) or predicted"


def answers(path: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Rows for the study from a result file, and notes; rows of a run as they are.

    id          CORE_sev1_aware, CORE_sev2_action, ...; correct: the right letter
    llm_output  the reply of an OpenAI or Anthropic API, or its text; without it `predicted` is what was said
    prompt      tells the order of the options, an earlier question (arm "reminder") and reasoning; optional
    arm, scenario_name, severity, story_generator_model  optional; what else a line holds is left alone
    raises      DoxaError: no rows, a missing column, an id or a letter of another shape; with file and line
    """
    table = list(read_rows(path))
    if not table:
        raise DoxaError(f"{path.name}: no rows; a result file has one JSON object a line, with {COLUMNS}")
    if {"arm", "world", "truth"} <= set(table[0][1]):
        return [row for _, row in table], ()
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    again = parsed = otherwise = 0
    for where, row in table:
        made, agrees = _row(where, row, reasoned="cot_true" in path.name)
        key = (made["item"], made["arm"], made["question"])
        again += key in found
        found.setdefault(key, made)
        if agrees is not None:
            parsed += 1
            otherwise += not agrees
    return list(found.values()), tuple(_notes(again, parsed, otherwise))


def _notes(again: int, parsed: int, otherwise: int) -> Iterator[str]:
    if again:
        yield f"{again} lines repeat the id of an earlier one; the first of each is scored."
    if parsed:
        yield f"The file states what was predicted for {parsed} answers; {otherwise} are read otherwise here."


def _row(where: str, row: Mapping[str, Any], *, reasoned: bool) -> tuple[dict[str, Any], bool | None]:
    """A row, and whether the published rule finds what the file says was predicted (None: it does not say)."""
    named, right = ID.match(str(row.get("id", ""))), str(row.get("correct", "")).strip()
    if named is None:
        raise DoxaError(f"{where}: id {row.get('id')!r}; the columns are {COLUMNS}")
    if right not in ("A", "B"):
        raise DoxaError(f"{where}: correct {row.get('correct')!r}, no letter A or B; the columns are {COLUMNS}")
    if row.get("llm_output") is None and row.get("predicted") is None:
        raise DoxaError(f"{where}: neither llm_output nor predicted; the columns are {COLUMNS}")
    prompt = str(row.get("prompt") or "")
    way = _reasoning(prompt, reasoned)
    options = [text for _, text in _OPTION.findall(prompt)][-2:]
    item = Item(named["story"], "recorded", "choice", tuple(options) if len(set(options)) == 2 else ("a", "b"))
    reply = _reply(row["llm_output"]) if row.get("llm_output") is not None else _predicted(row["predicted"])
    answer = StoryChoice(way if row.get("llm_output") is not None else "none").read(reply, item)
    found = letter_of(reply.text, reasoned=way != "none")
    stored = row.get("predicted")
    agrees = None if stored is None else str(stored).strip() == (found.letter or found.rest)
    asked = named["asked"]
    made: dict[str, Any] = {
        "item": named["story"],
        "group": named["core"],
        "condition": _arm(row, prompt, way),
        "sample": 0,
        "outcome": answer.outcome,
        "text": reply.text,
        "arm": _arm(row, prompt, way),
        "world": "hidden",
        "question": "aware-swapped" if asked == "aware" and options == ["No", "Yes"] else asked,
        "answer": answer.value,
        "truth": right,
        "logprobs": [],
        "reminded": "",
        "scenario": str(row.get("scenario_name") or ""),
        "severity": int(named["severity"]),
        "generator": str(row.get("story_generator_model") or ""),
    }
    return made, agrees


def _reasoning(prompt: str, reasoned: bool) -> Reasoning:
    tail = prompt[-600:].lower()
    if "the answer is" not in tail and not reasoned:
        return "none"
    return "minds" if "mental state" in tail.rpartition("question:")[2] else "cot"


def _arm(row: Mapping[str, Any], prompt: str, way: Reasoning) -> str:
    if row.get("arm"):
        return str(row["arm"])
    reminded = len(_QUESTION.findall(prompt)) > 1
    parts = ([] if not reminded else ["reminder"]) + ([] if way == "none" else [way])
    return "+".join(parts) or "none"


def _predicted(said: Any) -> Reply:
    text = str(said)
    return Reply(f"({text})" if text in ("A", "B", "C", "D") else text)


def _reply(held: Any) -> Reply:
    """The text of an API's reply, and whether it was cut."""
    if isinstance(held, str):
        return Reply(held)
    if not isinstance(held, Mapping):
        return Reply("", finish="error", error=f"llm_output is a {type(held).__name__}")
    ends = [held.get("stop_reason"), held.get("status")]
    texts: list[str] = []
    for choice in held.get("choices") or []:
        ends.append(choice.get("finish_reason"))
        texts.append(str((choice.get("message") or {}).get("content") or choice.get("text") or ""))
    parts = list(held.get("content") or []) if isinstance(held.get("content"), list) else []
    parts += [p for o in held.get("output") or [] if o.get("type") == "message" for p in o.get("content") or []]
    texts += [str(p["text"]) for p in parts if isinstance(p, Mapping) and p.get("text")]
    return Reply("".join(texts), finish="length" if any(end in _CUT for end in ends) else "stop")
