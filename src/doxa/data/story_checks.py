"""What a story must keep, so far as a rule can tell: checks for stories that were generated or written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from doxa.data.stories import NEEDED, person

# Words that give away that something is not known, where this has to be implicit.
GIVEN_AWAY = (
    *("actually", "secret", "secretly", "unbeknownst", "unaware", "unknowingly", "unsuspecting", "clandestine"),
    *("oblivious", "without knowing", "does not know", "doesn't know", "do not know", "don't know", "not aware"),
    *("does not realise", "does not realize", "does not notice", "doesn't notice"),
)
_THOUGHTS = re.compile(
    r"\b(think(?:s|ing)?|thought|believ(?:e|es|ing)|know(?:s|ing)?|wonder(?:s|ing)?|reali[sz](?:e|es|ing)|"
    r"suspect(?:s|ing)?|assum(?:e|es|ing)|worr(?:y|ies|ying)|hop(?:e|es|ing)|suppos(?:e|es|ing))\b",
    re.I,
)
_BARE = re.compile(r"(?:to|will|would|he|she|they|it)\b", re.I)
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_EMPTY = frozenset(
    _WORD.findall(
        "the a an and or but for with her his its their him them she he it they of to in on at by from how has have "
        "had been was were is are be that this what when whether who as out up so no not into about do does did"
    )
)
STEM = 5  # letters in which two words have to agree to count as one


def problems(row: Mapping[str, Any]) -> list[str]:
    """What is wrong with a story in the seed format, in words; nothing: it keeps the rules.

    Checked: all fields are there and X can be found; nothing gives away that X does not know; the story sentence tells
    no thoughts and does not mention the right action; answers are bare verb phrases and differ; severities differ.
    Whether the key information can be seen by X, and whether an action fits, no rule can tell: read the stories.
    """
    empty = [name for name in NEEDED if not isinstance(row.get(name), str) or not row[name].strip()]
    if empty:
        return [f"{name} is missing" for name in empty]
    return list(_problems({name: str(row[name]).strip() for name in NEEDED}, str(row.get("entities", ""))))


def _problems(row: Mapping[str, str], entities: str) -> Iterator[str]:
    keys = [row["sev1"], row["key_information"], row["sev3"]]
    wrong = [row["incorrect_answer_sev1"], row["incorrect_answer"], row["incorrect_answer_sev3"]]
    if person(row["question"], entities) is None:
        yield "person X is named neither by the question nor by the entities"
    for text in (*keys, row["story_sentence"]):
        for word in GIVEN_AWAY:
            if re.search(rf"\b{word}\b", text, re.I):
                yield f"{word!r} gives away that something is not known: {text!r}"
    thought = _THOUGHTS.search(row["story_sentence"])
    if thought:
        yield f"the story sentence tells thoughts: {thought[0]!r}"
    if mentions(row["story_sentence"], row["correct_answer"]):
        yield f"the story sentence mentions the right action {row['correct_answer']!r}"
    for answer in (row["correct_answer"], *wrong):
        if _BARE.match(answer):
            yield f"{answer!r} is no bare verb phrase"
    if row["correct_answer"].casefold() in [answer.casefold() for answer in wrong]:
        yield "the right and a wrong answer are the same"
    if len({key.casefold() for key in keys}) < len(keys):
        yield "two severities have the same key information"


def mentions(sentence: str, action: str) -> bool:
    """Whether a sentence tells an action: its verb, and at least half of its other words that carry meaning.

    >>> mentions("Mary walks to the cashier and pays for the chips.", "pay for the chips")
    True
    """
    told = {_stem(word) for word in _words(sentence)}
    verb, *more = _words(action) or [""]
    there = [_stem(word) in told for word in more if word not in _EMPTY]
    return _stem(verb) in told and sum(there) >= len(there) / 2


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _stem(word: str) -> str:
    bare = re.sub(r"(?:'s|ing|ed|es|s)$", "", word) if len(word) > 3 else word
    return bare[:STEM]
