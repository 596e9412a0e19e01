"""Forms that ask for an answer alone: a letter, yes or no, true or false, a short text, a number, a probability."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from doxa.elicit.form import TextForm, confidence_text, one_of, options_block, value_of, value_text
from doxa.elicit.phrases import stance
from doxa.elicit.replies import (
    PERCENT,
    distinct,
    letter_claims,
    number,
    numbers_in,
    percent,
    settle,
    unformatted,
    word_claims,
)
from doxa.elicit.structured import Conclusion, Json, LetterWithReason, Tags
from doxa.records import LETTERS, Answer, Item, Kind

__all__ = [
    "Conclusion",
    "Json",
    "Letter",
    "LetterWithReason",
    "Number",
    "Probability",
    "ShortText",
    "Tags",
    "TrueFalse",
    "YesNo",
]

MAY_ABSTAIN = "If you do not know, answer: I do not know"

# A first line longer than this is no short answer, whatever it says.
SHORT_WORDS = 16


@dataclass(frozen=True)
class Letter(TextForm):
    """A question with lettered options; the bare letter is asked for.

    n            letters that are read when the item is not at hand (otherwise: its options)
    may_abstain  the prompt allows "I do not know" (read as abstained in either case)
    """

    n: int = 4
    may_abstain: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("choice", "scenario")
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return "letter-or-abstain" if self.may_abstain else "letter"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        allowed = [MAY_ABSTAIN] if self.may_abstain else []
        return "\n".join(["Answer with the letter of the right option only.", *allowed, item.text, options_block(item)])

    def _parse(self, text: str, item: Item | None) -> Answer:
        options = item.options if item else ()
        return settle(letter_claims(text, options, len(options) or self.n), text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return one_of(answer, LETTERS[: len(item.options) if item and item.options else self.n])


@dataclass(frozen=True)
class YesNo(TextForm):
    """A question to be answered yes or no."""

    kinds: ClassVar[tuple[Kind, ...]] = ("open", "scenario", "choice")
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return "yes-no"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return f"Answer with one word, yes or no.\n{item.text}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        return settle(word_claims(text, ("yes", "no")), text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return one_of(answer, ("yes", "no"))

    def example(self, item: Item) -> Answer:
        return Answer("ok", "yes")


@dataclass(frozen=True)
class TrueFalse(TextForm):
    """A statement to be called true or false."""

    kinds: ClassVar[tuple[Kind, ...]] = ("statement",)
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return "true-false"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return f"Answer with one word, true or false.\n{item.text}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        return settle(word_claims(text, ("true", "false")), text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return one_of(answer, ("true", "false"))


@dataclass(frozen=True)
class ShortText(TextForm):
    """An open question with a short answer on one line. Options that an item may have are not shown.

    A reply of several lines is read where it labels the answer ("Answer: ..."), or else by its first line, which
    must then be short (at most 16 words) and no introduction.

    may_abstain  the prompt allows "I do not know" (read as abstained in either case)
    """

    may_abstain: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("open", "choice", "number", "scenario")

    @property
    def name(self) -> str:
        return "short-text-or-abstain" if self.may_abstain else "short-text"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        allowed = [MAY_ABSTAIN] if self.may_abstain else []
        return "\n".join(["Answer with a word or a short phrase only.", *allowed, item.text])

    def _parse(self, text: str, item: Item | None) -> Answer:
        labelled = re.findall(r"^[^\w\n]*(?:final )?answer ?:[ \t*]*(\S.*)$", text, re.I | re.M)
        lines = distinct(unformatted(line) for line in labelled) or text.strip().splitlines()[:1]
        if len(lines) > 1:
            return Answer("ambiguous", note=f"claims {'; '.join(lines)}")
        if not lines:
            return Answer("unparsed", note="empty reply")
        if stance(text) is None and (len(lines[0].split()) > SHORT_WORDS or lines[0].rstrip().endswith(":")):
            return Answer("unparsed", note="the first line is no short answer")
        return value_of(text if stance(text) and not labelled else lines[0], None)

    def example(self, item: Item) -> Answer:
        return Answer("ok", "Paris")

    def _write(self, answer: Answer, item: Item | None) -> str:
        value = value_text(answer)
        if self._parse(value, item).value != value:
            raise ValueError(f"value is {value!r}; a short answer has at most {SHORT_WORDS} words and no label")
        return value


@dataclass(frozen=True)
class Number(TextForm):
    """A question whose answer is a number.

    Read where the reply is a number, labels one ("the answer is 12"), or is one line that holds one number only.
    """

    kinds: ClassVar[tuple[Kind, ...]] = ("number", "open", "scenario")

    @property
    def name(self) -> str:
        return "number"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return f"Answer with a number only.\n{item.text}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        lines = unformatted(text).splitlines()
        exact = number(lines[0]) if lines else None
        if exact is not None:
            return Answer("ok", exact)
        labelled = re.findall(r"\banswer\s*(?:is|:|=)\s*(?:about |exactly )?(.*)", unformatted(text), re.I)
        if labelled:
            return settle(distinct(n for rest in labelled for n in _first_listed(rest)), text)
        if stance(text) is not None:
            return settle((), text)
        return settle(numbers_in(text) if len(lines) == 1 else (), text)

    def example(self, item: Item) -> Answer:
        return Answer("ok", "12")

    def _write(self, answer: Answer, item: Item | None) -> str:
        if answer.value is None or number(answer.value) != answer.value:
            raise ValueError(f"value is {answer.value!r}; a number is written canonically, as in '1200.5'")
        return answer.value


def _first_listed(text: str) -> list[str]:
    """The first number of a text, and the others of a list that it begins ("12 or 13"); not those of a reason."""
    head = re.split(r"[.;]\s|\b(?:because|since|as|so)\b|=|[(\n]", text, maxsplit=1)[0]
    values = numbers_in(head)
    return values if re.search(r"[0-9]\s?(?:,\s|or\b|and\b|to\b)", head) else values[:1]


@dataclass(frozen=True)
class Probability(TextForm):
    """How likely a statement is true, 0-100. `Answer.value` stays None, `confidence` is P(true)."""

    kinds: ClassVar[tuple[Kind, ...]] = ("statement",)

    @property
    def name(self) -> str:
        return "probability"

    @property
    def target(self) -> str:
        return "true"

    def _text(self, item: Item) -> str:
        return (
            "How likely is it that this statement is true?\n"
            f"Answer with a percentage only, from 0% (surely false) to 100% (surely true).\n{item.text}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        return read_probability(text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return confidence_text(answer)

    def example(self, item: Item) -> Answer:
        return Answer("ok", confidence=0.85)


_LABELLED = re.compile(
    r"(?:\b(?:answer|probability|likelihood|confidence|chance)\b[^\n.:=0-9]{0,40}(?:\bis|:|=)"
    r"|\bI(?: would|'d)? (?:say|estimate|guess|put it at)(?: it is| that it is)?)\s?(?:about |around )?"
    rf"({PERCENT})(?![\w%]|[-–][0-9])",
    re.I,
)


def read_probability(text: str) -> Answer:
    """The one probability of a reply: its first line alone, a leading "85%", or one labelled as the probability."""
    plain = unformatted(text)
    first = percent(plain.split("\n")[0])
    if first is not None:
        return Answer("ok", confidence=first)
    listed = re.match(rf"({PERCENT})\s?(?:or|and|to|,|/|-|–)\s?({PERCENT})", plain)
    leading = re.match(rf"({PERCENT})(?=\W|$)", plain)
    written = [m[1] for m in _LABELLED.finditer(plain)]
    if not written and leading and not leading[1][-1].isdigit():
        written = list(listed.groups()) if listed else [leading[1]]
    found = distinct(written)
    values = {percent(w) for w in found}
    if len(values) > 1:
        return Answer("ambiguous", note=f"claims {', '.join(found)}")
    if found and None not in values:
        return Answer("ok", confidence=values.pop())
    if found or re.fullmatch(PERCENT, plain):
        return Answer("unparsed", note=f"{(found or [plain])[0]} is no percentage in 0-100")
    return settle((), text)
