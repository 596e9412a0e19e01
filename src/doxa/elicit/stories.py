"""A question about a story, answered by (A) or (B): plain or after reasoning, and the rule by which it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from doxa.elicit.form import TextForm, one_of, options_block
from doxa.elicit.replies import declined
from doxa.records import LETTERS, Answer, Item, Kind, Prompt, Token

Reasoning = Literal["none", "cot", "minds"]
FINAL = "Therefore, the answer is: "
READ = "ABCD"

_BRIEF = {2: 'Reply with nothing but "(A)" or "(B)".', 3: 'Reply with nothing but "(A)", "(B)" or "(C)".'}
_END = {2: f'End with "{FINAL}" and then "(A)" or "(B)".', 3: f'End with "{FINAL}" and then "(A)", "(B)" or "(C)".'}
_FIRST: dict[str, str] = {
    "cot": "Work towards the answer step by step, and write your reasoning down first.",
    "minds": "First write down, for each person, what that person can see and so knows, and what is on their mind; "
    "reason from there.",
}
_ASK = {2: "Which answer is right, (A) or (B)?", 3: "Which answer is right, (A), (B) or (C)?"}
_PREFIX, _LAST = re.compile(r"answer:?", re.I), re.compile(r".*the answer is:?", re.I | re.S)


@dataclass(frozen=True)
class StoryChoice(TextForm):
    """A story, its question and the lettered options; a letter in brackets is asked for.

    reasoning  none: the letter alone; cot: after free reasoning; minds: after reasoning about what each person knows
    An item has the story as `fields["shown"]`; `fields["earlier"]` is a question with its answer, shown between story
    and question, see `with_earlier`.

    A reply in which several letters compete, or whose letter is part of a word, is "ambiguous", and reasoning without
    its last sentence is "truncated"; both keep the letter that the published rule (`letter_of`) finds as their value,
    if it finds one of the options.

    source     the protocol of SimpleToM, arXiv 2410.13648; the words are ours
    """

    reasoning: Reasoning = "none"
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return "story-choice" if self.reasoning == "none" else f"story-choice-{self.reasoning}"

    @property
    def target(self) -> str:
        return ""

    def again(self, item: Item) -> str:
        """The question alone, to be asked in a conversation that has shown the story already."""
        return f"{_lettered(item)}\n\n{self._wanted(item)}"

    def _text(self, item: Item) -> str:
        earlier = str(item.fields.get("earlier", ""))
        parts = [f"Here is a story with a question. {_ASK[len(item.options)]}", f"Story:\n{item.fields['shown']}"]
        return "\n\n".join([*parts, *([earlier] if earlier else []), self.again(item)])

    def _wanted(self, item: Item) -> str:
        c = len(item.options)
        return _BRIEF[c] if self.reasoning == "none" else f"{_FIRST[self.reasoning]} {_END[c]}"

    def _answer_part(self, text: str) -> str:
        return text

    def _cut(self, text: str, item: Item | None) -> Answer:
        found = self._parse(text, item)
        letter = found.value
        if found.outcome in ("refused", "abstained"):
            return found
        final = self.reasoning == "none" or _LAST.match(text) is not None
        stands = letter is not None and (f"({letter})" in text or re.match(rf"\W*{letter}\b", text) is not None)
        if found.outcome == "ok" and final and stands:
            return found
        return Answer("truncated", letter, note="cut before a letter was certain")

    def _parse(self, text: str, item: Item | None) -> Answer:
        found = letter_of(text, reasoned=self.reasoning != "none")
        allowed = LETTERS[: len(item.options)] if item is not None else READ
        if found.letter is None or found.letter not in allowed:
            return declined(text) or Answer("unparsed", note=f"no single letter in {found.rest[:80]!r}")
        bare = re.fullmatch(r"\W*[A-D]\W*", text) is not None
        if self.reasoning != "none" and _LAST.match(text) is None and not bare:
            return Answer("truncated", found.letter, note="reasoning without its last sentence")
        if found.ambiguous:  # a refusal has capitals, too
            return declined(text) or Answer(
                "ambiguous", found.letter, note="other letters compete, or it is part of a word"
            )
        return Answer("ok", found.letter)

    def _write(self, answer: Answer, item: Item | None) -> str:
        letter = one_of(answer, LETTERS[: len(item.options)] if item is not None else READ)
        return f"({letter})" if self.reasoning == "none" else f"This follows from the story. {FINAL}({letter})"


def _lettered(item: Item) -> str:
    return f"Question: {item.text}\n{options_block(item, pattern='({letter}) {option}')}"


def with_earlier(item: Item, earlier: Item, letter: str) -> Item:
    """The item with another question and its answer before its own; `fields["reminded"]` is that answer's text.

    raises  ValueError: no such letter
    """
    if letter not in LETTERS[: len(earlier.options)]:
        raise ValueError(f"letter is {letter!r}; {earlier.id!r} has options {', '.join(earlier.options)}")
    text = f"{_lettered(earlier)}\n\nAnswer: ({letter})"
    said = earlier.options[LETTERS.index(letter)]
    return replace(item, fields={**item.fields, "earlier": text, "reminded": said})


def after_turn(form: StoryChoice, item: Item, earlier: Item, letter: str) -> Prompt:
    """The question in a conversation in which another one about the same story has been asked and answered."""
    said = earlier.options[LETTERS.index(letter)]
    first = StoryChoice().prompt(earlier).then(f"({letter})", form.again(item), form=form)
    return replace(first, item=replace(item, fields={**item.fields, "reminded": said}))


# --- the published rule ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A letter, or None; ambiguous: other letters compete or it is part of a word; rest: the text it was sought in."""

    letter: str | None
    ambiguous: bool
    rest: str


def letter_of(text: str, *, reasoned: bool = False) -> Found:
    """The letter of a reply by the published rule, its doubtful findings marked.

    First the word "answer" with its colon is taken out (reasoned: all up to the last "the answer is"). Then, of A to D:
    the first in the order of the alphabet that stands in brackets anywhere; else the only one behind an opening
    bracket; else the only one that occurs as a capital, inside a word too.

    source  SimpleToM's parser, arXiv 2410.13648

    >>> letter_of("(B), not (A)").letter, letter_of("Both").letter, letter_of("I think B, not A").letter
    ('A', 'B', None)
    """
    rest = (_LAST if reasoned else _PREFIX).sub("", text).strip()
    for left, right in (("(", ")"), ("(", ""), ("", "")):
        present = [letter for letter in READ if f"{left}{letter}{right}" in rest]
        if present and (right or len(present) == 1):
            letter = present[0]
            word = not left and not re.search(rf"(?<![^\W_]){letter}(?![^\W_])", rest)
            return Found(letter, len(present) > 1 or word, rest)
    return Found(None, False, rest)


def letter_probability(tokens: Sequence[Token], letter: str) -> float:
    """Probability of the first token of a reply that contains its letter and not "An"; 0 if none does, as published."""
    import math

    return next((math.exp(t.logprob) for t in tokens if letter in t.text and "An" not in t.text), 0.0)
