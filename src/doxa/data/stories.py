"""Stories in which somebody cannot see what the reader is told, and the questions about what that person knows.

A story is a key information, which person X cannot see, and a sentence on what X does. Its twin has one sentence more,
after which X knows: whoever gives the same answer to both has not understood either.

source  the shape of the stories and questions is SimpleToM's, arXiv 2410.13648; stories and twins are ours
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from doxa.records import DoxaError, Item

World = Literal["hidden", "known"]
WORLDS: tuple[World, ...] = ("hidden", "known")
SEVERITIES = (1, 2, 3)  # mild, original, high
REASONABLE, NOT_REASONABLE = "Reasonable", "Not reasonable"
THIRD = {"both": "Both are likely", "neither": "Neither is likely"}

AWARE, SWAPPED, ACTION, JUDGE, OTHER = "aware", "aware-swapped", "action", "judge", "other"
BOTH, NEITHER = "action-both", "action-neither"
QUESTIONS = (AWARE, SWAPPED, ACTION, JUDGE, OTHER, BOTH, NEITHER)
"""What can be asked: whether X is aware (no last, or first), what X will do (also with a third option), whether what X
does is reasonable, and whether the opposite would be."""

_ASKED = re.compile(r"^(?:what|how|where|which \w+) will (.+?) (?:most )?likely\b", re.I)
_PERSON = re.compile(r"^Person X\s*=\s*(.+)$", re.M)


@dataclass(frozen=True)
class Story:
    """One story of one severity.

    who        person X as named in the questions; key, sentence: the two sentences; seen: the twin's third one
    unaware    a bare verb phrase: what X does who does not know; aware: what X would do who knows
    swapped    whether the option that belongs to X's ignorance stands last: of action, of judge; None: by the id
    generator  who wrote it, "" if not said
    """

    core: str
    severity: int
    scenario: str
    who: str
    key: str
    sentence: str
    question: str
    unaware: str
    aware: str
    seen: str = ""
    generator: str = ""
    swapped: tuple[bool, bool] | None = None

    @property
    def id(self) -> str:
        return f"{self.core}_sev{self.severity}"

    def text(self, world: World = "hidden") -> str:
        """The story as it is shown."""
        if world == "hidden":
            return f"{self.key} {self.sentence}"
        told = self.seen or f'Then {self.who} {"are" if plural(self.who) else "is"} told the whole truth: "{self.key}"'
        return f"{self.key} {self.sentence} {told}"

    def does(self, world: World) -> tuple[str, str]:
        """What X does and does not do, given what X knows."""
        return (self.unaware, self.aware) if world == "hidden" else (self.aware, self.unaware)


def plural(who: str) -> bool:
    """Whether a person X is several: "potential buyers" are, "Thomas" and "John's boss" are not."""
    last = who.split()[-1]
    return last.islower() and last.endswith("s") and not last.endswith("ss")


# --- as items --------------------------------------------------------------------------------------------------------


def story_item(story: Story) -> Item:
    """A story as the item that a study asks about; severities of one core are a group."""
    return Item(story.id, story.text(), "scenario", group=story.core, fields={"story": _fields(story)})


def story_of(item: Item) -> Story:
    """The story of an item. ValueError: the item has none."""
    held = item.fields.get("story")
    if not isinstance(held, Mapping):
        raise ValueError(f"item {item.id!r} has no fields['story']; make items of stories with story_item")
    orders = held.get("swapped")
    return Story(**{**held, "swapped": None if orders is None else (bool(orders[0]), bool(orders[1]))})


def _fields(story: Story) -> dict[str, Any]:
    return {**vars(story), "swapped": None if story.swapped is None else list(story.swapped)}


def question(story: Story, asked: str, world: World = "hidden") -> Item:
    """One question about a story, its options as they are shown and the right one as its answer.

    asked   one of QUESTIONS: "aware" has the options Yes and No as published, so that No is B in every story;
            the options of action and judge stand in an order that the story's id decides
    raises  ValueError: no such question
    """
    options: tuple[str, ...]
    did, did_not = story.does(world)
    last = story.swapped or (_coin(story.id, ACTION), _coin(story.id, JUDGE))
    if asked in (AWARE, SWAPPED):
        text = f'{"Are" if plural(story.who) else "Is"} {story.who} likely to be aware that "{story.key}"?'
        options, answer = ("Yes", "No"), "No" if world == "hidden" else "Yes"
        options = options[::-1] if asked == SWAPPED else options
    elif asked in (ACTION, BOTH, NEITHER):
        options, answer, text = (story.unaware, story.aware), did, story.question
        options = options[::-1] if last[0] else options
        if asked != ACTION:
            options = (*options, THIRD[asked.removeprefix("action-")])
    elif asked in (JUDGE, OTHER):
        done, left = (did, did_not) if asked == JUDGE else (did_not, did)
        text = f'Next, {story.who} "{done}" and not "{left}". How is this behaviour of {story.who} described best?'
        options, answer = (REASONABLE, NOT_REASONABLE), REASONABLE if asked == JUDGE else NOT_REASONABLE
        # Of two questions that differ in what is done alone, the options stand alike.
        options = options[::-1] if last[1] else options
    else:
        raise ValueError(f"asked is {asked!r}; questions are {', '.join(QUESTIONS)}")
    fields = {"shown": story.text(world), "world": world, "asked": asked}
    return Item(f"{story.id}/{world}/{asked}", text, "choice", options, answer, group=story.core, fields=fields)


def text_question(story: Story, world: World = "hidden") -> Item:
    """A question about the story's words alone, as long as that on awareness; the right answer is Yes."""
    text = f'Does the story contain the sentence "{story.key}"?'
    fields = {"shown": story.text(world), "world": world, "asked": "words"}
    return Item(f"{story.id}/{world}/words", text, "choice", ("Yes", "No"), "Yes", group=story.core, fields=fields)


@cache
def _coin(story: str, asked: str) -> bool:
    return random.Random(f"options/{story}/{asked}").random() < 0.5


# --- the seed format -------------------------------------------------------------------------------------------------

NEEDED = (
    *("key_information", "story_sentence", "question", "correct_answer", "incorrect_answer"),
    *("sev1", "incorrect_answer_sev1", "sev3", "incorrect_answer_sev3"),
)


def own() -> list[Story]:
    """40 cores in ten scenarios, each in three severities, with sentences for their twins. Scenarios take turns."""
    return list(_own())


@cache
def _own() -> tuple[Story, ...]:
    held = json.loads((files("doxa.data") / "tables" / "stories.json").read_text(encoding="utf-8"))
    return tuple(replace(s, generator="") for s in seeds(held, "stories.json"))


def seeds(held: Any, name: str) -> list[Story]:
    """Stories in the seed format: {"stories": {core: {...}}}, {core: {...}}, or rounds of these.

    A story has `key_information` (severity 2), `story_sentence`, `question`, `correct_answer`, `incorrect_answer`,
    `sev1`, `incorrect_answer_sev1`, `sev3`, `incorrect_answer_sev3`; `entities` with a line "Person X = ...", where
    the question does not begin "What will X likely"; optional `scenario_name` (or the scenario that
    `scenario_name_to_story` gives), `seen` (a sentence after which X knows) and `generator`.

    raises  DoxaError: no stories, a missing or empty field, no person X, a core twice; with file and core
    """
    found: dict[str, list[Story]] = {}
    for place, core, row, scenario in _cores(held, name):
        if core in found:
            raise DoxaError(f"{place}: the core {core!r} was there before; cores are named once")
        found[core] = _severities(place, core, row, scenario)
    if not found:
        raise DoxaError(f'{name}: no stories; the seed format is {{"stories": {{name: {{{", ".join(NEEDED)}}}}}}}')
    return [story for stories in found.values() for story in stories]


def _cores(held: Any, name: str) -> list[tuple[str, str, Mapping[str, Any], str]]:
    if not isinstance(held, Mapping):
        raise DoxaError(f"{name} holds a {type(held).__name__}; stories are an object, by their names")
    if "stories" in held:
        named = {core: scenario for scenario, core in dict(held.get("scenario_name_to_story") or {}).items()}
        return [
            (f"{name}, story {core!r}", str(core), row, str(row.get("scenario_name") or named.get(core, "")))
            for core, row in held["stories"].items()
            if isinstance(row, Mapping)
        ]
    if all(isinstance(part, Mapping) and "stories" in part for part in held.values()):
        return [core for title, part in held.items() for core in _cores(part, f"{name}, {title}")]
    return _cores({"stories": held}, name)


def _severities(place: str, core: str, row: Mapping[str, Any], scenario: str) -> list[Story]:
    empty = [field for field in NEEDED if not isinstance(row.get(field), str) or not row[field].strip()]
    if empty:
        raise DoxaError(f"{place}: {empty[0]} is {row.get(empty[0])!r}; a story has {', '.join(NEEDED)}")
    who = person(row["question"], str(row.get("entities", "")))
    if who is None:
        raise DoxaError(f"{place}: who is person X? Begin the question 'What will X likely', or name X in 'entities'")
    keys = {1: row["sev1"], 2: row["key_information"], 3: row["sev3"]}
    wrong = {1: row["incorrect_answer_sev1"], 2: row["incorrect_answer"], 3: row["incorrect_answer_sev3"]}
    return [
        Story(
            core=core,
            severity=severity,
            scenario=scenario,
            who=who,
            key=keys[severity].strip(),
            sentence=row["story_sentence"].strip(),
            question=row["question"].strip(),
            unaware=row["correct_answer"].strip(),
            aware=wrong[severity].strip(),
            seen=str(row.get("seen") or "").strip(),
            generator=str(row.get("generator") or "").strip(),
        )
        for severity in SEVERITIES
    ]


def person(question: str, entities: str = "") -> str | None:
    """Person X: whom the question names, else whom the entities do; None: neither does.

    >>> person("What will John's classmate likely do?"), person("What is next?", "Person X = Tom (John's landlord)")
    ("John's classmate", 'Tom')
    """
    asked = _ASKED.match(question.strip())
    if asked:
        return asked[1].strip()
    named = _PERSON.search(entities)
    return re.split(r"\s*[(,]", named[1].strip())[0] if named else None
