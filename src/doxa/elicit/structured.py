"""Forms with a prescribed reply structure: forecast tags, JSON, a concluding sentence, a letter with a reason."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from doxa.elicit.form import (
    ASKED,
    WANTED,
    TextForm,
    answer_kind,
    confidence_text,
    one_of,
    options_block,
    question,
    value_of,
    value_text,
)
from doxa.elicit.replies import AFTER, distinct, letter_claims, percent, settle, unformatted, word_claims
from doxa.records import LETTERS, Answer, Item, Kind

FORECASTER = (
    "You are an expert forecaster.\n"
    "You predict whether the outcome of a question will be yes or no.\n"
    "Weigh base rates and your own uncertainty.\n"
    "Reply in exactly this format:\n"
    "<think>your reasoning</think>\n"
)
BOTH_TAGS = (
    "<answer>yes or no</answer>\n"
    '<confidence>a number from 0 to 100, your confidence that the answer is "yes"</confidence>\n'
)
ONE_TAG = "<probability>a number from 0 to 100, the probability that the outcome is yes</probability>\n"
BE_CALIBRATED = "Be calibrated: of all predictions made with 70% confidence, 70% should come true."


@dataclass(frozen=True)
class Tags(TextForm):
    """A forecast in tags: think, answer, confidence; the confidence is that of "yes", whatever the answer is.

    item.fields["description"] is shown when the item has one.

    ask           "answer": yes or no and a confidence, as published, where many models state the confidence in their
                  answer instead; "probability": P(yes) only, without that doubt (`Answer.value` is None)
    description   characters of the description that are shown
    as_published  read the first usable tag of each name, inside the thinking too; numbers are percentages ("0.2" is
                  0.2 %), outside 0-100 the nearer end, absent 50
    fallback      where no tag holds the answer, take it from the sentence "the answer is yes", or else the more
                  frequent of "yes" and "no", counted as "words" or, as published, as "substrings" ("not" and "know"
                  count as no)
    source        arXiv 2512.16030
    """

    ask: Literal["answer", "probability"] = "answer"
    description: int = 2000
    as_published: bool = False
    fallback: Literal["none", "words", "substrings"] = "none"
    kinds: ClassVar[tuple[Kind, ...]] = ("open", "scenario", "choice")

    @property
    def name(self) -> str:
        return "tags" if self.ask == "answer" else "tags-probability"

    @property
    def target(self) -> str:
        return "yes"

    def _system(self) -> str:
        return FORECASTER + (BOTH_TAGS if self.ask == "answer" else ONE_TAG) + BE_CALIBRATED

    def _text(self, item: Item) -> str:
        description = str(item.fields.get("description") or "")[: self.description]
        about = ["Description:", description] if description else []
        return "\n".join(["Question:", item.text, *about, "Will the outcome be yes or no?"])

    def _answer_part(self, text: str) -> str:
        return text

    def _parse(self, text: str, item: Item | None) -> Answer:
        think = _tag(text, "think")
        body = text if self.as_published else text.rsplit("</think>", 1)[-1]
        stated = self._stated(body)
        if self.ask == "probability":
            found = stated if stated.outcome != "unparsed" else settle((), body)
        else:
            tags = [word for tag in _tag(body, "answer") if (word := tag.lower()) in ("yes", "no")]
            tags = tags[:1] if self.as_published else distinct(tags)
            found = settle(tags or self._fallen_back(text), body)
        if found.outcome != "ok":
            return replace(found, confidence=stated.confidence)
        if stated.outcome != "ok":
            return replace(stated, value=found.value)
        return Answer("ok", found.value, stated.confidence, note=think[0] if think else "")

    def _stated(self, body: str) -> Answer:
        """The confidence alone."""
        inside = _tag(body, "confidence" if self.ask == "answer" else "probability")
        tags = distinct(tag for tag in inside if re.search("[0-9]", tag))
        if self.as_published:
            read = (percent(f"{tag.rstrip('% ')}%", clamp=True) for tag in tags)
            return Answer("ok", confidence=next((number for number in read if number is not None), 0.5))
        numbers = {percent(tag) for tag in tags}
        if len(numbers) > 1:
            return Answer("ambiguous", note=f"states {', '.join(tags)}")
        confidence = numbers.pop() if numbers else None
        if confidence is None:
            return Answer("unparsed", note=f"confidence {' '.join(tags)[:80] or 'absent'}: not a number in 0-100")
        return Answer("ok", confidence=confidence)

    def _fallen_back(self, text: str) -> list[str]:
        if self.fallback == "none":
            return []
        lowered = text.lower()
        said = re.search(r"the answer is\s*:?\s*(yes|no)\b", lowered)
        if said:
            return [said[1]]
        edge = r"\b" if self.fallback == "words" else ""
        yes, no = (len(re.findall(edge + word + edge, lowered)) for word in ("yes", "no"))
        return [] if yes == no else ["yes" if yes > no else "no"]

    def _write(self, answer: Answer, item: Item | None) -> str:
        number = confidence_text(answer, sign=False)
        think = f"<think>{answer.note}</think>\n"
        if self.ask == "probability":
            return f"{think}<probability>{number}</probability>"
        return f"{think}<answer>{one_of(answer, ('yes', 'no'))}</answer>\n<confidence>{number}</confidence>"

    def example(self, item: Item) -> Answer:
        return Answer("ok", "yes" if self.ask == "answer" else None, 0.85, note="It happened in most years.")


def _tag(text: str, name: str) -> list[str]:
    """What stands between each opening tag and the closing one that follows it, stripped."""
    pieces = re.split(rf"(</?{name}>)", text, flags=re.I)
    triples = zip(pieces[1::2], pieces[2::2], pieces[3::2], strict=False)
    return [inside.strip() for opened, inside, closed in triples if opened[1] != "/" and closed[1] == "/"]


@dataclass(frozen=True)
class Json(TextForm):
    """One JSON object with the keys "answer" and "confidence" (0-100)."""

    @property
    def name(self) -> str:
        return "json"

    def _text(self, item: Item) -> str:
        return (
            "Answer the question and say how likely it is that your answer is true, from 0 to 100.\n"
            "Reply with one JSON object and nothing else:\n"
            '{"answer": <answer>, "confidence": <number>}\n'
            f"{WANTED[answer_kind(item)]}\n{question(item)}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        objects = [o for o in _objects(text) if any(key == "answer" for key, _ in o)]
        answers = distinct(v for o in objects for key, v in o if key == "answer")
        stated = distinct(v for o in objects for key, v in o if key == "confidence")
        if len(answers) != 1 or len(stated) > 1:
            return settle(answers and (*answers, *stated), text)
        found = value_of(answers[0], item)
        confidence = percent(stated[0]) if stated else None
        if found.outcome == "ok" and confidence is None:
            return Answer("unparsed", found.value, note="no confidence in 0-100")
        return Answer(found.outcome, found.value, confidence, note=found.note)

    def _write(self, answer: Answer, item: Item | None) -> str:
        number = confidence_text(answer, sign=False)
        confidence = json.dumps(number) if number.endswith("%") else number
        return f'{{"answer": {json.dumps(value_text(answer), ensure_ascii=False)}, "confidence": {confidence}}}'


def _objects(text: str) -> list[list[tuple[str, str]]]:
    """The JSON objects of a text as key-value pairs (repeated keys included), numbers as they are written."""
    decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=str, parse_int=str, parse_constant=str)
    found, at = [], text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
            found.append(value)
        except (json.JSONDecodeError, RecursionError):
            end = at + 1
        at = text.find("{", end)
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    texts = {True: "true", False: "false", None: ""}
    return [(key, v if isinstance(v, str) else texts.get(v, "") if not isinstance(v, list) else "") for key, v in pairs]


@dataclass(frozen=True)
class Conclusion(TextForm):
    """Free reasoning that closes with the sentence "So, the answer is (B)".

    Read from the last "answer is (B)" (a bare letter or an option's word will do), else the last free-standing "(B)",
    else a bare letter at the end, else a reply that is or begins with an option's word.

    instruction  the text above the question
    options      the options of items that bring none of their own
    source       the published extraction rule: arXiv 2410.21195
    """

    instruction: str = (
        "Read the question and find the option that fits best.\n"
        'End your reply with the sentence "So, the answer is (X)", where X is the letter of that option.'
    )
    options: tuple[str, ...] = ("Yes", "No", "Undeterminable")
    kinds: ClassVar[tuple[Kind, ...]] = ASKED

    @property
    def name(self) -> str:
        return "conclusion"

    @property
    def target(self) -> str:
        return ""

    def _shown(self, item: Item | None) -> tuple[str, ...]:
        return item.options if item and item.options else self.options

    def _text(self, item: Item) -> str:
        lines = (f"({letter}) {o}" for letter, o in zip(LETTERS, self._shown(item), strict=False))
        return f"{self.instruction}\n\nQuestion: {item.text}\nOptions:\n" + "\n".join(lines) + "\nAnswer:"

    def _parse(self, text: str, item: Item | None) -> Answer:
        return self._said(text, item) or self._mentioned(text, item)

    def _cut(self, text: str, item: Item | None) -> Answer:
        return self._said(text, item) or Answer("truncated", note="cut before the concluding sentence")

    def _said(self, text: str, item: Item | None) -> Answer | None:
        """The last concluding sentence."""
        options, plain = self._shown(item), unformatted(text)
        one, words = f"[{LETTERS[: len(options)]}]", "|".join(map(re.escape, options))
        pattern = rf"(?i:answer is)\W{{0,4}}?(?:\((?i:({one}))\)|({one}){AFTER}|(?i:({words})){AFTER})"
        said = list(re.finditer(pattern, plain))
        if not said:
            return None
        last = said[-1]
        letter = (last[1] or last[2] or self._letter(last[3], options)).upper()
        other = re.match(rf"\s*(?:,|/|or\b|and\b)+\s*\(({one})\)", plain[last.end() :])
        return settle(distinct([letter, other[1]] if other else [letter]), text)

    def _mentioned(self, text: str, item: Item | None) -> Answer:
        """Without a concluding sentence: what the reply mentions last, or says in a word."""
        options, plain = self._shown(item), unformatted(text)
        one = f"([{LETTERS[: len(options)]}])"
        standing = re.findall(rf"(?<!\bnot )\({one}\)", plain)
        at_end = re.search(rf"(?:^|\s){one}[\s.)]*$", plain)
        if standing:
            return settle([standing[-1]], text)
        if at_end:
            return settle([at_end[1]], text)
        return settle([self._letter(word, options) for word in word_claims(plain, options)], text)

    @staticmethod
    def _letter(word: str, options: tuple[str, ...]) -> str:
        return LETTERS[[o.casefold() for o in options].index(word.casefold())]

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"So, the answer is ({one_of(answer, LETTERS[: len(self._shown(item))])})."

    def example(self, item: Item) -> Answer:
        return Answer("ok", "B")


FRAMINGS = {
    "neutral": "Choose the best answer to the problem.",
    "exam": "This is an exam question with a single correct answer.\nChoose the correct answer.",
    "permission": (
        "Choose the best answer to the problem.\n"
        "Admitting that you do not know is acceptable and counts as a good answer."
    ),
}


@dataclass(frozen=True)
class LetterWithReason(TextForm):
    """A problem with lettered options; a letter and a short reason are asked for. `Answer.note` is the reason.

    framing  "neutral": the best answer; "exam": one correct answer; "permission": admitting not to know is fine
    """

    framing: Literal["neutral", "exam", "permission"] = "neutral"
    kinds: ClassVar[tuple[Kind, ...]] = ("choice", "scenario")
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"letter-with-reason-{self.framing}"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        lines = "Reply in two lines:\nAnswer: <letter>\nReason: <one or two sentences>"
        return f"{FRAMINGS[self.framing]}\n{lines}\n{item.text}\n{options_block(item)}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        options = item.options if item else ()
        c = len(options) or 5
        plain = unformatted(text)
        lines = re.findall(r"^[^\w\n]*answer ?:[ \t]*(\S.*)$", plain, re.I | re.M)
        reason = re.search(r"^[^\w\n]*reason ?:(.*)\Z", plain, re.I | re.M | re.S)
        head = plain[: reason.start()] if reason else plain
        claims = distinct(x for line in lines for x in letter_claims(line, options, c)) or letter_claims(
            head, options, c
        )
        return settle(claims, text, note=reason[1].strip() if reason else "")

    def _write(self, answer: Answer, item: Item | None) -> str:
        letters = LETTERS[: len(item.options) if item and item.options else 5]
        return f"Answer: {one_of(answer, letters)}\nReason: {answer.note}".rstrip()
