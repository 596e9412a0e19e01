"""A question asked as it stands, without a word about format, and what a reply of any shape says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from doxa.elicit.answers import Number, ShortText
from doxa.elicit.form import TextForm
from doxa.elicit.replies import declined, distinct, percent, settle, unformatted, word_claims
from doxa.records import Answer, Item

ReplyKind = Literal["text", "percent", "shares", "pick", "number", "short", "yes-no"]
KINDS: tuple[ReplyKind, ...] = get_args(ReplyKind)

_PERCENTAGE = re.compile(r"(?<![\w.,])([0-9]{1,3}(?:[.,][0-9]+)?)\s?(?:%|percent\b|per cent\b)", re.I)
_RANGE = re.compile(r"[0-9]\s?(?:%|percent)?\s?(?:-|–|—|to|and)\s?[0-9]+(?:\.[0-9]+)?\s?(?:%|percent)", re.I)
_SEGMENTS = re.compile(r";|\n|,(?![0-9])|(?<=[%\w)])\s+(?:and|while|versus|vs\.?|but)\s+|\.\s", re.I)

# Replies that decline about politics in other words than those of `phrases`; at the start of a reply alone.
_DEFLECTS = re.compile(
    r"\W*(?:(?:i am|i'm|i’m) (?:sorry|afraid)\W+(?:but )?)?(?:as an? (?:ai|artificial|large|language)[^.]{0,60}?,\s*)?"
    r"(?:(?:i am|i'm|i’m) (?:still learning|unable|not able|not programmed|not designed)"
    r"|i (?:do not|don't|don’t) (?:have|hold|express|share|take|form) (?:any |my own )?"
    r"(?:personal |political )*(?:opinions?|beliefs?|views?|preferences?|positions?|feelings?|sides?)"
    r"|i (?:can't|can’t|cannot|can not) (?:predict|speculate|say who|help with (?:that|elections)|offer|take))",
    re.I,
)
# Not certain, or not now: our own list.
_HEDGES = re.compile(
    r"\b(?:it(?: is|'s|’s) (?:difficult|hard|impossible|too early|not possible) to"
    r"|(?:is|are|remains?|highly|very) (?:uncertain|unclear|unpredictable)|depends? on|hard to (?:say|predict)"
    r"|(?:may|might|could|can) (?:change|vary|differ|shift)|subject to change|as of my (?:last|knowledge|training)"
    r"|knowledge cut-?off|(?:please )?(?:consult|check|refer to) (?:the |a )?(?:latest|official|reliable|recent|up-to)"
    r"|no way to know|cannot be (?:known|predicted)|only time will tell)",
    re.I,
)


@dataclass(frozen=True)
class FreeReply(TextForm):
    """The item's text alone; the reply is read as `kind` says.

    text     anything; read unless it declines
    percent  one percentage; Answer.value is the share in [0, 1] as text
    shares   a percentage for each of the item's options; Answer.value lists them, see `read_shares`
    pick     which one of the item's options it names
    number, short, yes-no  as the forms `Number` and `ShortText` read, and one of two words

    No percentage is ever made of a reply that declines, and none of several that it names.
    """

    kind: ReplyKind = "text"
    kinds: ClassVar = ("open", "choice", "number", "scenario", "statement")

    @property
    def name(self) -> str:
        return f"free-{self.kind}"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return item.text

    def _parse(self, text: str, item: Item | None) -> Answer:
        plain = unformatted(text)
        if not plain:
            return Answer("unparsed", note="empty reply")
        if (told := declined(plain)) is not None:
            return told
        found = self._read(plain, item)
        if found.outcome != "ok" or self.kind in ("text", "short"):
            return Answer("refused", note="deflects") if _DEFLECTS.match(plain) else found
        return found

    def _read(self, text: str, item: Item | None) -> Answer:
        options = item.options if item else ()
        if self.kind == "percent":
            return _percentage(text)
        if self.kind == "shares":
            return read_shares(text, options)
        if self.kind == "pick":
            return settle(named(text, options), text)
        if self.kind == "yes-no":
            return settle(word_claims(text, ("yes", "no")), text)
        if self.kind == "number":
            return Number().read(text, item)
        return ShortText().read(text, item) if self.kind == "short" else Answer("ok", text)

    def _cut(self, text: str, item: Item | None) -> Answer:
        whole = self._parse(text, item)
        # A text that was cut is a text; a figure at its very end may be the beginning of another one.
        if self.kind == "text" or whole.outcome == "refused":
            return whole
        sure = self._parse(text.rpartition(" ")[0], item)
        return whole if whole.outcome == "ok" and sure.value == whole.value else Answer("truncated")

    def _write(self, answer: Answer, item: Item | None) -> str:
        if answer.value is None:
            raise ValueError("the answer has no value; a reply gives one")
        return answer.value


def _percentage(text: str) -> Answer:
    alone = percent(text)
    if alone is not None:
        return Answer("ok", f"{alone:g}")
    if _RANGE.search(text):
        return Answer("ambiguous", note="a range")
    found = [percent(f"{number}%") for number in distinct(_PERCENTAGE.findall(text))]
    values = [value for value in found if value is not None]
    if len(values) > 1:
        return Answer("ambiguous", note=f"{len(values)} percentages")
    return Answer("ok", f"{values[0]:g}") if values else Answer("unparsed", note="no percentage")


def read_shares(text: str, names: Sequence[str]) -> Answer:
    """A percentage for each name: the one that stands in the same part of a sentence with it, and alone.

    names    full names; the last word of each is enough
    returns  value: shares in [0, 1] in the order of the names, with spaces between; "ambiguous" where a name has two,
             or they sum to more than 1.02; "unparsed" where a name has none

    >>> read_shares("Harris 48%, Trump 47%", ["Kamala Harris", "Donald Trump"]).value
    '0.48 0.47'
    """
    said: dict[str, set[float]] = {name: set() for name in names}
    for part in _SEGMENTS.split(text):
        here, values = named(part, names), distinct(_PERCENTAGE.findall(part))
        value = percent(f"{values[0]}%") if len(values) == 1 else None
        if len(here) == 1 and value is not None:
            said[here[0]].add(value)
    if any(len(values) > 1 for values in said.values()):
        return Answer("ambiguous", note="two percentages for one name")
    if not names or not all(said.values()):
        return Answer("unparsed", note="not a percentage for each name")
    found = [values.pop() for values in said.values()]
    if sum(found) > 1.02:
        return Answer("ambiguous", note=f"shares sum to {sum(found):g}")
    return Answer("ok", " ".join(f"{value:g}" for value in found))


def named(text: str, names: Sequence[str]) -> list[str]:
    """Which of the names a text holds, by the whole name or its last word where no other name has that, too."""
    last = [name.split()[-1].casefold() for name in names]
    folded, found = text.casefold(), []
    for name, word in zip(names, last, strict=True):
        says = [name.casefold(), *([word] if last.count(word) == 1 else [])]
        if any(re.search(rf"(?<!\w){re.escape(way)}(?!\w)", folded) for way in says):
            found.append(name)
    return found


def hedges(text: str) -> bool:
    """Whether a reply says that it is not certain, or may be out of date."""
    return bool(_HEDGES.search(text))


CUT_WORDS = 50  # fewer are far from 128 tokens
_ENDS = ".!?:;\"'\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK})]*`|"


def looks_cut(text: str) -> bool:
    """Whether a recorded reply of 50 words or more breaks off inside a sentence: it reached its longest length.

    >>> looks_cut("It may rain, and"), looks_cut("So it is. " * 20 + "But the"), looks_cut("So it is. " * 20)
    (False, True, False)
    """
    return len(text.split()) >= CUT_WORDS and text.rstrip()[-1] not in _ENDS


# --- does a reply keep to the format that was asked for? --------------------------------------------------------------

_SENTENCE = re.compile(r"[.!?](?=\s+[A-Z\"'(]|\s*$)")
_SOURCE = re.compile(r"https?://|www\.|\bdoi\b|\bet al\b|\((?:19|20)[0-9]{2}\)|\bsources?:|\baccording to\b", re.I)
_REASON = re.compile(r"\b(?:because|since|therefore|thus|hence|given that|due to|first(?:ly)?|as a result|so)\b", re.I)
SHORT_WORDS = 10


def words(text: str) -> int:
    """How many words a text has."""
    return len(text.split())


def sentences(text: str) -> int:
    """How many sentences a text has, one for text without a full stop."""
    return max(1, len(_SENTENCE.findall(text.strip()))) if text.strip() else 0


def _one_block(text: str) -> bool:
    return "\n\n" not in text.strip() and not re.search(r"^\s*(?:[-*•]|[0-9]+[.)])\s", text, re.M)


def complies(variation: str, text: str) -> bool | None:
    """Whether a reply does what a variation asked of its form; None where no rule can tell.

    one sentence: one; paragraph: two or more in one block; answer only: at most ten words; explanation, logic: gives a
    reason, or more than one sentence; sources: names one

    >>> complies("one sentence", "It may rain."), complies("one sentence", "It may. It may not."), complies("Asian", "")
    (True, False, None)
    """
    n = sentences(text)
    if variation == "one sentence":
        return n == 1
    if variation == "paragraph":
        return n >= 2 and _one_block(text)
    if variation == "answer only":
        return 1 <= words(text) <= SHORT_WORDS
    if variation in ("explanation", "logic"):
        return n > 1 or bool(_REASON.search(text))
    return bool(_SOURCE.search(text)) if variation == "sources" else None
