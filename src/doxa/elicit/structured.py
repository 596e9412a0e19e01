"""Forms with a prescribed reply structure: forecast tags, JSON, a concluding sentence, a letter with a reason."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from doxa.elicit.form import ASKED, CORRECT, WANTED, TextForm, answer_kind, confidence_text, options_block, question
from doxa.elicit.form import value_of, value_text
from doxa.elicit.replies import distinct, letter_claims, percent, settle, unformatted, word_claims
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

    ask          "answer": yes or no and a confidence, as published, where many models state the confidence in their
                 answer instead; "probability": P(yes) only, without that doubt (`Answer.value` is None)
    description  characters of the description that are shown
    clamp, missing, fallback  the published way to read what is out of format: numbers outside 0-100 as the nearer
                 end; a confidence that stands for an absent one; the answer from the sentence "the answer is yes", or
                 else from the more frequent of "yes" and "no", counted as "words" or as "substrings" ("not" and
                 "know" count as no)
    source       arXiv 2512.16030
    """

    ask: Literal["answer", "probability"] = "answer"
    description: int = 2000
    clamp: bool = False
    missing: float | None = None
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
        note = think[0].strip() if think else ""
        body = text.rsplit("</think>", 1)[-1]
        stated = distinct(_tag(body, "confidence" if self.ask == "answer" else "probability"))
        numbers = {percent(s, clamp=self.clamp) for s in stated}
        confidence = numbers.pop() if len(numbers) == 1 else None
        if confidence is None and not stated:
            confidence = self.missing
        if self.ask == "probability":
            found = settle(distinct(stated), text)
        else:
            answers = [a.strip().lower() for a in _tag(body, "answer")]
            found = settle(distinct(a for a in answers if a in ("yes", "no")) or self._fallen_back(text), body)
        if found.outcome != "ok":
            return Answer(found.outcome, confidence=confidence, note=found.note)
        if len(numbers) > 0 and confidence is None:
            return Answer("ambiguous", found.value, note=f"states {', '.join(stated)}")
        value = found.value if self.ask == "answer" else None
        if confidence is None:
            return Answer("unparsed", value, note="no confidence in 0-100")
        return Answer("ok", value, confidence, note=note)

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
        if answer.value not in ("yes", "no"):
            raise ValueError(f"value is {answer.value!r}; this form writes yes or no")
        return f"{think}<answer>{answer.value}</answer>\n<confidence>{number}</confidence>"

    def example(self, item: Item) -> Answer:
        return Answer("ok", "yes" if self.ask == "answer" else None, 0.85, note="It happened in most years.")


def _tag(text: str, name: str) -> list[str]:
    return re.findall(rf"<{name}>\s*(.*?)\s*</{name}>", text, re.I | re.S)


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
        said = list(
            re.finditer(rf"answer is\W{{0,4}}(?:\(({one})\)|({one})(?![\w'])(?!\s+[a-z])|({words})\b)", plain, re.I)
        )
        if not said:
            return None
        last = said[-1]
        letter = (last[1] or last[2] or self._letter(last[3], options)).upper()
        other = re.match(rf"\s*(?:,|/|or|and)+\s*\(({one})\)", plain[last.end() :], re.I)
        return settle(distinct([letter, other[1].upper()] if other else [letter]), text)

    def _mentioned(self, text: str, item: Item | None) -> Answer:
        """Without a concluding sentence: what the reply mentions last, or says in a word."""
        options, plain = self._shown(item), unformatted(text)
        one = f"([{LETTERS[: len(options)]}])"
        standing = re.findall(rf"(?<!\bnot )\({one}\)", plain)
        at_end = re.search(rf"(?:^|\s){one}[\s.)]*$", plain)
        if standing or at_end:
            return settle([standing[-1] if standing else at_end[1]] if standing or at_end else [], text)
        return settle([self._letter(word, options) for word in word_claims(plain, options)], text)

    @staticmethod
    def _letter(word: str, options: tuple[str, ...]) -> str:
        return LETTERS[[o.casefold() for o in options].index(word.casefold())]

    def _write(self, answer: Answer, item: Item | None) -> str:
        letters = LETTERS[: len(self._shown(item))]
        if answer.value is None or answer.value not in letters:
            raise ValueError(f"value is {answer.value!r}; this form writes one of the letters {letters}")
        return f"So, the answer is ({answer.value})."

    def example(self, item: Item) -> Answer:
        return Answer("ok", "B")


FRAMINGS = {
    "neutral": "Choose the best answer to the problem.",
    "exam": "This is an exam question with a single correct answer.\nChoose the correct answer.",
    "permission": (
        "Choose the best answer to the problem.\nAdmitting that you do not know is acceptable and counts as a good answer."
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
        lines = re.findall(r"^\W*answer\s*:[ \t]*(\S.*)$", plain, re.I | re.M)
        reason = re.search(r"^\W*reason\s*:\s*(.*)\Z", plain, re.I | re.M | re.S)
        head = plain[: reason.start()] if reason else plain
        claims = distinct(x for line in lines for x in letter_claims(line, options, c)) or letter_claims(
            head, options, c
        )
        return settle(claims, text, note=reason[1].strip() if reason else "")

    def _write(self, answer: Answer, item: Item | None) -> str:
        letters = LETTERS[: len(item.options) if item and item.options else 5]
        if answer.value is None or answer.value not in letters:
            raise ValueError(f"value is {answer.value!r}; this form writes one of the letters {letters}")
        return f"Answer: {answer.value}\nReason: {answer.note}".rstrip()
