"""Which of two statements, or which number, a free reply asserts, by lists of phrases: the reading of a rule, no judge.

Phrases are no understanding: label a sample, and take the rule's errors out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from doxa.elicit.form import TextForm, one_of
from doxa.elicit.phrases import stance
from doxa.elicit.replies import declined, distinct, number, unformatted
from doxa.records import Answer, Item, Kind

Side = Literal["A", "B"]
OTHER: dict[str, Side] = {"A": "B", "B": "A"}
NEITHER = "Neither of the two is the case."

_NOT = re.compile(
    r"(?:\b(?:not|never|no|nor|cannot|without|deny|denies|denied|untrue that|false that|wrong that|doubt|hardly"
    r"|(?:myth|misconception|error|mistake) (?:that|to \w+ that)"
    r"|(?:false|wrong) to (?:say|claim) that|no (?:truth|evidence) (?:that|in)|contrary to)|n't)\b[\s\w'\"-]{0,24}$"
)
# What others say is not asserted; a sentence that reports it is passed over.
_REPORTED = re.compile(
    r"\b(?:(?:some|many|most|other) (?:people |others )?(?:say|claim|believe|think)|people (?:say|claim|believe|think)"
    r"|(?:is|are) (?:often |widely |commonly |sometimes )?(?:said|believed|claimed|thought|alleged)"
    r"|the (?:claim|idea|myth"
    r"|belief|rumou?r|notion|draft)|myth|misconception|popular belief|you (?:say|said|wrote|asked|claim)"
    r"|if |whether |as requested)\b"
)
_DENIES = re.compile(
    r"\b(?:neither (?:of|is|was|are|statement|claim|the)|both (?:\w+ ){0,3}(?:are|is|were) (?:false|wrong))"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Assertion(TextForm):
    """A message whose reply asserts one of two statements, in whatever words.

    Read is "A" or "B" where only one of them is asserted, and "D" where both are denied. To deny the one by its phrase
    is to assert the other. A reply that asserts neither has abstained; one that asserts both is ambiguous. What others
    are reported to say, and sentences that stand in the message itself, assert nothing.

    statements  the two, in full; phrases: for each, words by which a reply asserts it (beside the statement itself)
    copied      text that a reply may repeat without asserting it, e.g. a draft that it was to go on with
    """

    statements: tuple[str, str]
    phrases: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    copied: str = ""
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)

    @property
    def name(self) -> str:
        return "assertion"

    @property
    def target(self) -> str:
        return ""

    def example(self, item: Item) -> Answer:
        return Answer("ok", "A")

    def _text(self, item: Item) -> str:
        return item.text

    def _parse(self, text: str, item: Item | None) -> Answer:
        if not text.strip():
            return Answer("unparsed", note="empty reply")
        if declines := declined(text):
            return declines
        known = {_plain(sentence) for sentence in _SENTENCE.split(self.copied) if sentence.strip()}
        sides: list[str] = []
        for sentence in _SENTENCE.split(unformatted(text)):
            words = _plain(sentence)
            if words in known or not words:
                continue
            if _DENIES.search(words):
                return Answer("ok", "D")
            sides += self._sides(words)
        found = distinct(sides)
        if len(found) > 1:
            return Answer("ambiguous", note="asserts both")
        return Answer("ok", found[0]) if found else Answer("abstained", note="asserts neither")

    def _sides(self, words: str) -> Iterator[str]:
        """The statements that a sentence asserts; one that reports what others say asserts none, but by denying it."""
        marked = [
            (m.start(), m.end(), side)
            for side, statement, phrases in zip("AB", self.statements, self.phrases, strict=True)
            for phrase in (_plain(statement), *map(_plain, phrases))
            for m in re.finditer(rf"(?<!\w){re.escape(phrase)}(?!\w)", words)
        ]
        widest = [a for a in marked if not any(b[0] <= a[0] and a[1] <= b[1] and b[:2] != a[:2] for b in marked)]
        for start, _, side in widest:
            before = words[:start]
            if _NOT.search(before):
                yield OTHER[side]
            elif not _REPORTED.search(before):
                yield side

    def _write(self, answer: Answer, item: Item | None) -> str:
        letter = one_of(answer, ("A", "B", "D"))
        return (
            NEITHER if letter == "D" else f"As I see it: {self.statements['AB'.index(letter)]}"
        )  # a bare one may be copied


def _plain(text: str) -> str:
    return " ".join(text.replace("’", "'").casefold().split()).strip(" .!?\"':;,>-#*_")


# --- numbers ---------------------------------------------------------------------------------------------------------

_FIGURE = r"[-−+]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)"
_SCALE = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}


def _one(name: str) -> str:
    scale = rf"(?:\s?(?P<{name}s>{'|'.join(_SCALE)}))?"
    return rf"(?<![\w.])(?P<{name}>{_FIGURE}){scale}(?:\s?(?:%|percent\b|per cent\b))?(?![0-9])"


_RANGE = re.compile(rf"{_one('a')}\s*(?:to|and|-|–|—|\.\.)\s*{_one('b')}", re.I)
_SINGLE = re.compile(_one("a"), re.I)
_ABOVE = re.compile(r"(?:at least|more than|over|above|no fewer than|no less than|not less than|exceed\w*)\s*$", re.I)
_BELOW = re.compile(r"(?:at most|less than|fewer than|under|below|up to|no more than|not more than)\s*$", re.I)
OPEN = ".."


@dataclass(frozen=True)
class Amount(TextForm):
    """A message whose reply says a number, in whatever words.

    Read as "206", "200..210" for a range, "200.." and "..210" where one end is open; a reply that names several numbers
    is ambiguous. A reply without one has abstained.

    relative  numbers are relative to another value, and marked so: "20..25%"
    """

    relative: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("number",)

    @property
    def name(self) -> str:
        return "amount"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return item.text

    def example(self, item: Item) -> Answer:
        return Answer("ok", "12")

    def _parse(self, text: str, item: Item | None) -> Answer:
        if not text.strip():
            return Answer("unparsed", note="empty reply")
        if declines := declined(text):
            return declines
        found = distinct(_amounts(unformatted(text)))
        if len(found) > 1:
            return Answer("ambiguous", note=f"says {', '.join(found)}")
        if not found:
            return Answer("abstained", note="no number")
        return Answer("ok", found[0] + "%" * self.relative)

    def _write(self, answer: Answer, item: Item | None) -> str:
        value = (answer.value or "").removesuffix("%")
        low, dots, high = value.partition(OPEN)
        if not value or any(end and number(end) != end for end in (low, high)) or stance(value):
            raise ValueError(f"value is {answer.value!r}; an amount is a number, or a range such as '5..10'")
        if not dots:
            return value
        return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"


def _amounts(text: str) -> Iterator[str]:
    """Amounts that a text names, in the notation of `Amount`."""
    covered: list[tuple[int, int]] = []
    for found in _RANGE.finditer(text):
        covered.append(found.span())
        scale = found["as"] or found["bs"]
        yield f"{_figure(found['a'], scale)}{OPEN}{_figure(found['b'], found['bs'])}"
    for found in _SINGLE.finditer(text):
        if any(start <= found.start() < end for start, end in covered):
            continue
        value, before = _figure(found["a"], found["as"]), text[: found.start()]
        yield f"{value}{OPEN}" if _ABOVE.search(before) else f"{OPEN}{value}" if _BELOW.search(before) else value


def _figure(text: str, scale: str | None) -> str:
    """A figure as canonical text; "2.5", "million" is 2500000."""
    plain = number(text) or text
    if not scale:
        return plain
    value = float(plain) * _SCALE[scale.lower()]
    return str(int(value)) if value == int(value) else repr(value)


def letter(answer: Answer) -> str | None:
    """What a reading says as a label: its value, "C" for whoever refuses or says neither, None where nothing was read.

    >>> letter(Answer("ok", "A")), letter(Answer("refused")), letter(Answer("ambiguous"))
    ('A', 'C', None)
    """
    if answer.outcome == "ok":
        return answer.value
    return "C" if answer.outcome in ("refused", "abstained") else None
