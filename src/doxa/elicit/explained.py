"""Explanations of a given answer at a level of certainty and a length, and what a reader makes of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, answer_kind, question, shown_answer
from doxa.elicit.grading import normalised
from doxa.elicit.options import softmax, value_logprobs
from doxa.elicit.p_true import PTrue
from doxa.elicit.phrases import stance
from doxa.elicit.replies import CLAIM, letter_claims
from doxa.elicit.verbal import SelfProbing
from doxa.records import LETTERS, Answer, Item, Sampling

Level = Literal["default", "low", "medium", "high"]
Length = Literal["default", "long", "short", "uncertainty_only"]
Wording = Literal["generated", "prefixed"]
LEVELS: tuple[Level, ...] = get_args(Level)[1:]
LENGTHS: tuple[Length, ...] = get_args(Length)[1:]

HEDGES: dict[Level, str] = {
    "low": "I am not sure, but the answer may be {answer}.",
    "medium": "I am somewhat sure that the answer is {answer}.",
    "high": "I am sure that the answer is {answer}.",
}
_PLAIN = "The answer is {answer}."
_LEVEL: dict[Level, str] = {
    "low": "Your confidence in the answer is low. Begin by saying so, as in: I am not sure, but ...",
    "medium": "Your confidence in the answer is medium. Begin by saying so, as in: I am somewhat sure that ...",
    "high": "Your confidence in the answer is high. Begin by saying so, as in: I am sure that ...",
}
_LENGTH: dict[Length, str] = {
    "long": "Write 100 to 150 words.",
    "short": "Write 30 to 50 words.",
    "uncertainty_only": "Write one sentence that gives the answer and says how sure you are. Give no reasons.",
}
# Sentences without content, for made-up explanations of the length that was asked for.
_FILLER = " What the question says fits this answer well, and nothing in it speaks for another one."
_FILLERS: dict[Length, int] = {"default": 6, "long": 6, "short": 2, "uncertainty_only": 0}
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*(?=\s|$)")
_MAY_BE = r"\banswer (?:may|might|could|is (?:likely|probably) to) be|\banswer is (?:probably|likely|perhaps)"
_CLAIMED = re.compile(rf"(?:{_MAY_BE}|{CLAIM})[ \t]*([^.!?;,\n]{{1,80}})", re.I)
# "The answer is right because ..." says something about the answer, and claims none.
_ABOUT = re.compile(
    r"(?:not|that|this|the same|right|correct|true|wrong|based|clear|known|in|well|supported|as)\b", re.I
)


def hedge(answer: str, item: Item, level: Level) -> str:
    """The sentence that gives the answer with this level of certainty, and no reason."""
    return HEDGES.get(level, _PLAIN).format(answer=shown_answer(answer, item))


@dataclass(frozen=True)
class Explanation(TextForm):
    """Why is this answer right? The reply is for a reader, `Answer.note`; `Answer.value` is the answer it argues for.

    An explanation that claims another answer than the chosen one is "ambiguous", and has that other one as its value.
    A cut one ends with its last whole sentence.

    chosen  the answer to be explained, in canonical form (a letter for an item with options)
    level   of certainty, which the wording shows whatever the model believes; "default": nothing is said about it
    length  "default": nothing is said about it; "uncertainty_only": one sentence without reasons
    source  arXiv 2401.13835, experiments 1 (all default) and 2; the prompts are reconstructed
    """

    chosen: str
    level: Level = "default"
    length: Length = "default"

    @property
    def name(self) -> str:
        return f"explanation-{self.level}-{self.length}"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        asked = [_LEVEL.get(self.level), _LENGTH.get(self.length)]
        lines = [
            "Explain to a reader why the answer below is right.",
            *(line for line in asked if line),
            "Keep to this answer, and write the explanation only.",
            question(item),
            "Answer:",
            shown_answer(self.chosen, item),
        ]
        return "\n".join(lines)

    def _parse(self, text: str, item: Item | None) -> Answer:
        text = text.strip()
        if not any(letter.isalpha() for letter in text):
            return Answer("unparsed", note="no explanation")
        if stance(text) == "refused":
            return Answer("refused")
        other = other_claim(text, self.chosen, item)
        if other is not None:
            return Answer("ambiguous", other, note=text)
        if stance(text) == "abstained" and not _names(text, self.chosen, item):
            return Answer("abstained")
        return Answer("ok", self.chosen, note=text)

    def _cut(self, text: str, item: Item | None) -> Answer:
        ends = [found.end() for found in _SENTENCE_END.finditer(text)]
        return self._parse(text[: ends[-1]], item) if ends else Answer("truncated", note="cut within a sentence")

    def _write(self, answer: Answer, item: Item | None) -> str:
        """The answer's note, or for its value a made-up explanation of this level and length."""
        if answer.note:
            return answer.note
        if answer.value is None:
            raise ValueError("the answer has no value and no note; an explanation is for an answer")
        said = shown_answer(answer.value, item) if item is not None else answer.value
        return HEDGES.get(self.level, _PLAIN).format(answer=said) + _FILLER * _FILLERS[self.length]

    def example(self, item: Item) -> Answer:
        return Answer("ok", self.chosen)


def other_claim(text: str, chosen: str, item: Item | None) -> str | None:
    """The answer that an explanation claims instead of the chosen one; None: none that could be told.

    Only claims in words count ("the answer is B", an option's letter at the start, an option's text alone): an
    explanation may well name the other options. One that claims both, or that names the chosen answer of a question
    without options anywhere, argues for the chosen one.

    >>> item = Item("i", "?", "choice", ("x", "y"))
    >>> other_claim("The answer may be B.", "A", item), other_claim("The answer is A, not B.", "A", item)
    ('B', None)
    """
    if item is None:
        return None
    if answer_kind(item) == "choice":
        claims = letter_claims(text, item.options, len(item.options)) or _options_claimed(text, item)
        return None if not claims or chosen in claims else claims[0]
    claims = [found.group(1).strip(" \"'*") for found in _CLAIMED.finditer(text)]
    if answer_kind(item) == "statement":
        words = [claim.split()[0].casefold() for claim in claims if claim]
        claims = [word for word in words if word in ("true", "false")]
        return None if not claims or chosen in claims else claims[0]
    if _names(text, chosen, item):
        return None
    return next((claim for claim in claims if claim and not _ABOUT.match(claim)), None)


def _options_claimed(text: str, item: Item) -> list[str]:
    """Letters of the options whose letter or text stands right behind "the answer is"."""
    found = []
    for match in _CLAIMED.finditer(text):
        said = match.group(1).strip().casefold()
        lettered = re.match(r"\(?([a-z])(?:\)|$)", said)
        options = [(o.casefold(), letter) for letter, o in zip(LETTERS, item.options, strict=False)]
        by_text = max(((len(o), letter) for o, letter in options if said.startswith(o)), default=None)
        if lettered and lettered[1].upper() in LETTERS[: len(item.options)]:
            found.append(lettered[1].upper())
        elif by_text:
            found.append(by_text[1])
    return list(dict.fromkeys(found))


def _names(text: str, chosen: str, item: Item | None) -> bool:
    said = item.options[LETTERS.index(chosen)] if item is not None and answer_kind(item) == "choice" else chosen
    return f" {normalised(said)} " in f" {normalised(text)} "


class Explainer:
    """Explains one answer of a model to one item, at any level and length.

    wording     "generated": the model is told the level; "prefixed": `hedge` stands before one and the same explanation
                of that length, which is asked for once and without a level, so that only the wording differs
    again       times that an explanation which argues for another answer is asked for once more, at temperature 1
    """

    def __init__(self, ask: Asker, item: Item, answer: str, wording: Wording, *, max_tokens: int, again: int) -> None:
        self.ask, self.item, self.answer, self.wording = ask, item, answer, wording
        self.max_tokens, self.again = max_tokens, again
        self._plain: dict[Length, Answer] = {}

    async def explanation(self, level: Level, length: Length) -> Answer:
        """As `Explanation.read` gives it: the text is `Answer.note`."""
        if self.wording == "generated" or level == "default":
            return await self._asked(level, length)
        said = hedge(self.answer, self.item, level)
        if length == "uncertainty_only":
            return Answer("ok", self.answer, note=said)
        if length not in self._plain:
            self._plain[length] = await self._asked("default", length)
        told = self._plain[length]
        return replace(told, note=f"{said} {told.note}") if told.outcome == "ok" else told

    async def _asked(self, level: Level, length: Length) -> Answer:
        form, told = Explanation(self.answer, level, length), Answer("unparsed")
        for attempt in range(self.again + 1):
            how = Sampling(temperature=float(attempt > 0), max_tokens=self.max_tokens, seed=7919 * attempt)
            (reply,) = await self.ask.sample(form.prompt(self.item), how, condition=f"{level}, {length}")
            told = form.read(reply, self.item)
            if told.outcome != "ambiguous":
                break
        return told


# --- the reader ------------------------------------------------------------------------------------------------------

_NOTE = "Explanation given:"


@dataclass(frozen=True)
class ReaderWords(SelfProbing):
    """How likely is a given answer right, for a reader of its explanation? As `SelfProbing`; `Answer.value` is None.

    explanation  empty: the reader sees the answer alone
    """

    explanation: str = ""

    @property
    def name(self) -> str:
        return "reader-words"

    def _text(self, item: Item) -> str:
        return super()._text(item) + (f"\n{_NOTE}\n{self.explanation}" if self.explanation else "")


@dataclass(frozen=True)
class ReaderTrue(PTrue):
    """Is a given answer true or false, for a reader of its explanation? As `PTrue`.

    explanation  empty: the reader sees the answer alone
    """

    explanation: str = ""

    @property
    def name(self) -> str:
        return "reader-true"

    def _text(self, item: Item) -> str:
        return super()._text(item) + (f"\n{_NOTE}\n{self.explanation}" if self.explanation else "")


async def reader_confidence(
    ask: Asker,
    item: Item,
    answer: str,
    explanation: str,
    reading: Literal["logprobs", "words"],
    *,
    max_tokens: int = 256,
    condition: str = "neutral",
) -> Answer:
    """`Answer.confidence` that the answer is right, of a reader of question, answer and explanation ("": without).

    reading  "logprobs": "true" against "false" as the reply to `ReaderTrue`; "words": the percentage of `ReaderWords`
    """
    if reading == "logprobs":
        form = ReaderTrue(answer, explanation=explanation)
        values = await value_logprobs(ask, form, item, ("true", "false"), condition=condition)
        p = float(softmax(values)[0])
        return Answer("unparsed", note="neither has any probability") if math.isnan(p) else Answer("ok", confidence=p)
    words = ReaderWords(answer, explanation)
    (reply,) = await ask.sample(words.prompt(item), Sampling(max_tokens=max_tokens), condition=condition)
    return words.read(reply, item)
