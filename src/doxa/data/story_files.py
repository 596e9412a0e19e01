"""Stories from where they are kept: our own, a file in the seed format, or SimpleToM's set of questions on the hub."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from doxa.data.sets import raw_rows
from doxa.data.stories import Story, own, person, seeds
from doxa.records import LETTERS, DoxaError

CONFIGS = {"aware": "mental-state-qa", "action": "behavior-qa", "judge": "judgment-qa"}
STORIES = "story-data"
ID = re.compile(r"^(?P<core>.+)_sev(?P<severity>[123])(?:_(?P<asked>aware|action|judge))?$")
_QUOTED = re.compile(r'(?:Is|Are) (?P<who>.+?) likely to be aware that "(?P<key>.+)"\s*\?', re.S)

Placed = Iterable[tuple[str, Mapping[str, Any]]]


def stories(source: str | None) -> list[Story]:
    """Our own stories (None), those of a JSON file in the seed format, or of a hub id such as allenai/SimpleToM.

    raises  FileNotFoundError; DoxaError: what a story lacks, with its place
    """
    if source is None:
        return own()
    path = Path(source)
    if path.suffix.lower() == ".json":
        if not path.is_file():
            raise FileNotFoundError(f"no file {source!r}; stories are a JSON file in the seed format, or a hub id")
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DoxaError(f"{path.name}: not JSON ({error})") from None
        return seeds(held, path.name)
    rows = {asked: raw_rows(source, config=config) for asked, config in CONFIGS.items()}
    return published(rows, raw_rows(source, config=STORIES))


def published(rows: Mapping[str, Placed], about: Placed = ()) -> list[Story]:
    """Stories from the published questions of each kind (aware, action, judge), options in the published order.

    rows    (place, row) with id, story, question, choices {text, label}, answerKey and scenario_name
    about   rows of the stories' own table with story_id and story_generator_model
    raises  DoxaError: a question without its story's other two, an id or a question of another shape
    """
    kept: dict[str, dict[str, tuple[str, Mapping[str, Any]]]] = {}
    for asked, table in rows.items():
        for place, row in table:
            named = ID.match(str(row.get("id", "")))
            if named is None or named["asked"] not in (None, asked):
                raise DoxaError(f"{place}: id {row.get('id')!r}; ids are CORE_sev1_{asked}, with severities 1 to 3")
            kept.setdefault(f"{named['core']}_sev{named['severity']}", {})[asked] = (place, row)
    writers = {str(row.get("story_id")): str(row.get("story_generator_model") or "") for _, row in about}
    return [_story(name, asked, writers.get(name, "")) for name, asked in kept.items()]


def _story(name: str, asked: Mapping[str, tuple[str, Mapping[str, Any]]], writer: str) -> Story:
    missing = [kind for kind in CONFIGS if kind not in asked]
    if missing:
        raise DoxaError(f"story {name!r} has no question {CONFIGS[missing[0]]}; a story has one of each of the three")
    (place, aware), (at, action), (where, judge) = (asked[kind] for kind in CONFIGS)
    named, quoted = ID.match(name), _QUOTED.search(str(aware.get("question", "")))
    if quoted is None or named is None:
        raise DoxaError(f'{place}: {aware.get("question")!r}; it is to be: Is X likely to be aware that "..."?')
    right, wrong, swapped = _pair(at, action)
    key, text = quoted["key"].strip(), str(aware.get("story", "")).strip()
    return Story(
        core=named["core"],
        severity=int(named["severity"]),
        scenario=str(aware.get("scenario_name") or ""),
        who=person(str(action["question"])) or quoted["who"],
        key=key,
        sentence=text.removeprefix(key).strip(),
        question=str(action["question"]).strip(),
        unaware=right,
        aware=wrong,
        generator=writer,
        swapped=(swapped, _pair(where, judge)[2]),
    )


def _pair(place: str, row: Mapping[str, Any]) -> tuple[str, str, bool]:
    """The right option, the other one, and whether the right one stands last."""
    texts = list((row.get("choices") or {}).get("text", ()))
    key = str(row.get("answerKey", ""))
    if len(texts) != 2 or key not in ("A", "B"):
        raise DoxaError(f"{place}: {len(texts)} options and answerKey {key!r}; there are two, and the key is A or B")
    at = LETTERS.index(key)
    return str(texts[at]).strip(), str(texts[1 - at]).strip(), at == 1
