"""The frame of a form: checks the item, builds the prompt, sorts out replies that hold no answer, writes them back."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from doxa.elicit.phrases import ABSTENTION, REFUSAL, stance
from doxa.elicit.replies import (
    answer_part,
    declined,
    letter_claims,
    number,
    numbers_in,
    percent_text,
    same_words,
    unformatted,
)
from doxa.records import LETTERS, Answer, Item, Kind, Prompt, Reply

CORRECT = "this answer is correct"
PROPOSED = "the proposed answer is correct"
ASKED: tuple[Kind, ...] = ("choice", "number", "open", "statement", "scenario")

_PLACEHOLDER = re.compile(r"<[^<>]*>")


class TextForm(ABC):
    """A form whose reply is text. A subclass gives the words (`_text`), the parser (`_parse`), its inverse (`_write`).

    kinds   kinds of item that can be asked in this form
    target  what `Answer.confidence` is the probability of; "" without one
    closed  the answer is one of a few words, so that it is complete even where the reply was cut behind it

    `Answer.outcome` is "ok" when everything that the form asks for was read. Otherwise what could be read is kept:
    an answer without its confidence is "unparsed" and has a value.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ASKED
    closed: ClassVar[bool] = False

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    def target(self) -> str:
        return CORRECT

    def prompt(self, item: Item) -> Prompt:
        """The prompt for one item. ValueError: an item of a kind that this form cannot ask."""
        if item.kind not in self.kinds:
            raise ValueError(
                f"form {self.name!r} asks items of kind {', '.join(self.kinds)}; {item.id!r} is {item.kind!r}"
            )
        return Prompt.user(self._text(item), system=self._system(), form=self, item=item)

    def read(self, reply: Reply | str, item: Item | None = None) -> Answer:
        """What a reply says. Never raises: whatever cannot be read is an outcome."""
        reply = Reply(reply) if isinstance(reply, str) else reply
        if reply.finish == "error":
            return Answer("failed", note=reply.error or "no reply")
        if reply.finish == "refusal":
            return Answer("refused")
        text = self._answer_part(reply.text)
        return self._cut(text, item) if reply.finish == "length" else self._parse(text, item)

    def write(self, answer: Answer, item: Item | None = None) -> str:
        """A well-formed reply that `read` turns back into `answer`; refusals and "I do not know" included.

        ValueError: an outcome that is no reply (truncated, ambiguous, unparsed, failed) or a missing part.
        """
        if answer.outcome == "refused":
            return REFUSAL
        if answer.outcome == "abstained" and answer.confidence is None:
            return ABSTENTION
        if answer.outcome not in ("ok", "abstained"):
            raise ValueError(f"outcome is {answer.outcome!r}; only ok, refused and abstained answers can be written")
        return self._write(answer, item)

    def example(self, item: Item) -> Answer:
        """A made-up answer of the right shape, for documentation and for the hash of the formats."""
        return Answer("ok", EXAMPLE[answer_kind(item)], 0.85 if self.target else None)

    def _cut(self, text: str, item: Item | None) -> Answer:
        """What a reply that was cut says for sure: its last word may be the beginning of another one."""
        whole = self._parse(text, item)
        sure = whole if self.closed else self._parse(_without_last_word(text), item)
        unread = whole.outcome not in ("ok", "refused", "abstained")
        if unread or replace(sure, note="") != replace(whole, note=""):
            return Answer("truncated", note="cut before a complete answer")
        return whole

    def _answer_part(self, text: str) -> str:
        return answer_part(text)

    def _system(self) -> str | None:
        return None

    @abstractmethod
    def _text(self, item: Item) -> str: ...
    @abstractmethod
    def _parse(self, text: str, item: Item | None) -> Answer: ...
    @abstractmethod
    def _write(self, answer: Answer, item: Item | None) -> str: ...


def _without_last_word(text: str) -> str:
    end = len(text)
    while end and (text[end - 1].isalnum() or text[end - 1] in "_.,'’-"):
        end -= 1
    return text[:end]


# --- the item as it is shown -----------------------------------------------------------------------------------------


def answer_kind(item: Item | None) -> Kind:
    """What an answer to the item looks like: "choice", "statement", "number" or "open" (also for no item)."""
    if item is None:
        return "open"
    if item.kind == "scenario":
        return "choice" if item.options else "open"
    return item.kind


def question(item: Item) -> str:
    """The item as a question: its text, and on lines of their own what frames it and its options."""
    kind = answer_kind(item)
    if kind == "choice":
        return f"{item.text}\n{options_block(item)}"
    return f"Is this statement true or false?\n{item.text}" if kind == "statement" else item.text


def options_block(item: Item, *, pattern: str = "{letter}) {option}") -> str:
    """The options, one to a line. ValueError: fewer than two or more than 26 of them."""
    if not 2 <= len(item.options) <= len(LETTERS):
        raise ValueError(f"item {item.id!r} has {len(item.options)} options; lettered options are 2 to {len(LETTERS)}")
    lines = (pattern.format(letter=letter, option=o) for letter, o in zip(LETTERS, item.options, strict=False))
    return "\n".join(lines)


WANTED: dict[Kind, str] = {
    "choice": "The answer is the letter of one option.",
    "statement": "The answer is true or false.",
    "number": "The answer is a number.",
    "open": "The answer is a word or a short phrase.",
}

EXAMPLE: dict[Kind, str] = {"choice": "B", "statement": "true", "number": "12", "open": "Paris"}
OTHER: dict[Kind, str] = {"choice": "A", "statement": "false", "number": "13", "open": "Rome"}


def shown_answer(value: str, item: Item) -> str:
    """An answer as a person would show it: a letter with its option's text. ValueError: no such letter."""
    if answer_kind(item) != "choice":
        return value
    if len(value) != 1 or value not in LETTERS[: len(item.options)]:
        raise ValueError(f"answer is {value!r}; item {item.id!r} has options {', '.join(LETTERS[: len(item.options)])}")
    return f"{value}) {item.options[LETTERS.index(value)]}"


# --- one answer among other things -----------------------------------------------------------------------------------


def value_of(text: str, item: Item | None) -> Answer:
    """The answer that a piece of a reply states (what stands between a label and a confidence), by the item's kind."""
    kind, text = answer_kind(item), text.strip()
    if not text or _PLACEHOLDER.fullmatch(text):
        return Answer("unparsed", note="empty answer")
    values: list[str] = []
    if kind == "choice" and item is not None:
        values = letter_claims(text, item.options, len(item.options))
    elif kind == "statement":
        values = [word for word in ("true", "false") if same_words(text, word)]
    elif kind == "number":
        exact = number(text)
        values = [exact] if exact is not None else numbers_in(text)
    elif stance(text) is None:
        values = [text]
    elif stance(text) == "hedged":
        return Answer("ambiguous", note="says that it does not know, and answers")
    if len(values) == 1:
        return Answer("ok", values[0])
    if values:
        return Answer("ambiguous", note=f"claims {', '.join(values)}")
    return declined(text) or Answer("unparsed", note=f"no answer to a {kind} item in {text[:80]!r}")


def value_text(answer: Answer) -> str:
    """The answer's value as written into a reply; ValueError when there is none or it has several lines."""
    if answer.outcome == "abstained":
        return ABSTENTION.rstrip(".")
    value = answer.value or ""
    one_line = len(value.splitlines()) == 1 and value == unformatted(value)
    if not one_line or _PLACEHOLDER.fullmatch(value) or stance(value):
        raise ValueError(f"value is {answer.value!r}; a written answer is one stripped line that gives an answer")
    return value


def one_of(answer: Answer, allowed: Sequence[str]) -> str:
    """The answer's value, which must be one of a form's words or letters; ValueError otherwise."""
    if answer.value is None or answer.value not in list(allowed):
        raise ValueError(f"value is {answer.value!r}; this form writes {', '.join(allowed)}")
    return answer.value


def confidence_text(answer: Answer, *, sign: bool = True) -> str:
    """The answer's confidence as a percentage; ValueError when it has none."""
    if answer.confidence is None:
        raise ValueError("the answer has no confidence and this form states one; give Answer.confidence in [0, 1]")
    return percent_text(answer.confidence, sign=sign)
