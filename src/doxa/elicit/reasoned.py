"""Reasoning first: forms that end in an answer tag and a confidence tag, a second turn that reflects, chain lengths."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

from doxa.elicit.form import (
    EXAMPLE,
    PROPOSED,
    WANTED,
    TextForm,
    answer_kind,
    confidence_text,
    question,
    shown_answer,
    value_of,
    value_text,
)
from doxa.elicit.replies import answer_part, declined, percent, settle, unformatted
from doxa.records import Answer, Item, Reply

LISTED = "listed"  # entry of Item.fields: the answer is a list, one entry for each part of the question
CHARACTERS = 4  # of a token, about, in English

Scale = Literal["percent", "probability", "none"]

TASK = {
    "choice": "a question with lettered options",
    "statement": "a statement",
    "number": "a problem whose answer is a number",
    "open": "a question with a short answer",
}
LIST = "The answer is a list with commas in between, one entry for each part of the question, in order."
ASKS: dict[Scale, str] = {
    "percent": "<confidence>how likely it is that your answer is right, from 0% to 100%</confidence>",
    "probability": "<confidence>the probability that your answer is right, from 0.0 to 1.0</confidence>",
}
SHOWS: dict[Scale, str] = {"percent": "70%", "probability": "0.7"}
# What a tag may hold in place of an answer, besides the phrases of `stance`.
_NOTHING = re.compile(
    r"(?:n/?a|not applicable|(?:not|un)available|no answer|(?:information |data )?not (?:publicly )?(?:available|found)"
    r"|cannot answer)\.?",
    re.I,
)
_BOXED = re.compile(r"\\boxed\s*\{(.*)\}", re.S)
_CLOSING = re.compile(r"<answer>|^[^\w\n]*(?:final )?answer (?:and (?:overall )?confidence\b[^\n:]*)?:", re.I | re.M)


@dataclass(frozen=True)
class Reasoned(TextForm):
    """Step-by-step reasoning, then <answer> and <confidence> tags. The last tag of each name counts, outside thinking.

    A list (Item.fields["listed"]) is read with single spaces behind its commas. An answer that admits not to know is
    "abstained", and keeps the confidence that stands beside it.

    confidence  "percent": 0% to 100%; "probability": 0.0 to 1.0, so that "1" is certain; "none": the answer alone
    source      arXiv 2504.06564, the prompts V, V.Prob and the first turn of SR
    """

    confidence: Scale = "percent"

    @property
    def name(self) -> str:
        return {"percent": "reasoned", "probability": "reasoned-probability", "none": "reasoned-answer"}[
            self.confidence
        ]

    @property
    def target(self) -> str:
        return "" if self.confidence == "none" else super().target

    def _text(self, item: Item) -> str:
        kind, listed = answer_kind(item), bool(item.fields.get(LISTED))
        wanted, example = (LIST, "12, blue") if listed else (WANTED[kind], EXAMPLE[kind])
        tags = ["<answer>your best guess</answer>", ASKS.get(self.confidence, "")]
        shown = [f"<answer>{example}</answer>", f"<confidence>{SHOWS.get(self.confidence)}</confidence>"]
        if self.confidence == "none":
            tags, shown = tags[:1], shown[:1]
        return "\n".join([
            f"You are given {TASK[kind]}. Reason step by step, and end your reply with:",
            *tags,
            wanted,
            "The end of a reply looks like this:",
            *shown,
            "",
            question(item),
        ])  # fmt: skip

    def _parse(self, text: str, item: Item | None) -> Answer:
        answers = tags(text, "answer")
        if not answers:
            return declined(text) or settle((), text)
        found, confidence = _value(answers[-1], item), self._stated(text)
        if found.outcome == "ok" and confidence is None and self.confidence != "none":
            stated = tags(text, "confidence")
            rule = "a probability in 0-1" if self.confidence == "probability" else "a percentage in 0-100"
            return Answer(
                "unparsed", found.value, note=f"confidence {stated[-1]!r} is not {rule}" if stated else "no confidence"
            )
        return replace(found, confidence=confidence)

    def _stated(self, text: str) -> float | None:
        stated = tags(text, "confidence")
        if not stated or self.confidence == "none":
            return None
        return percent(stated[-1]) if self.confidence == "percent" else probability(stated[-1])

    def _write(self, answer: Answer, item: Item | None) -> str:
        said = f"<answer>{value_text(answer)}</answer>"
        if self.confidence == "none":
            return said
        number = confidence_text(answer)
        if self.confidence == "probability":
            number = _decimal(answer.confidence or 0.0)
        return f"{said}\n<confidence>{number}</confidence>"


@dataclass(frozen=True)
class Reflection(TextForm):
    """The second turn: how likely a solution is right, in a fresh conversation. `Answer.value` stays None.

    answer    what the solution answers, in canonical form (a letter for an item with options)
    solution  the text that is shown
    source    arXiv 2504.06564, the second turn of SR
    """

    answer: str
    solution: str

    @property
    def name(self) -> str:
        return "reflection"

    @property
    def target(self) -> str:
        return PROPOSED

    def _text(self, item: Item) -> str:
        shown = shown_answer(self.answer, item)
        return (
            "You are given a problem and a solution. Reflect on the solution: look for what may be wrong in it.\n"
            "Then reply with how likely it is that its answer is right, from 0% to 100%, and nothing else:\n"
            "<confidence>number%</confidence>\n"
            f"\nProblem:\n{question(item)}\n\nSolution:\n{self.solution.strip() or shown}\n\nIts answer: {shown}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        stated = tags(text, "confidence")
        if not stated:
            return declined(text) or settle((), text)
        confidence = percent(stated[-1])
        if confidence is None:
            return Answer("unparsed", note=f"confidence {stated[-1]!r} is not a percentage in 0-100")
        return Answer("ok", confidence=confidence)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"<confidence>{confidence_text(answer)}</confidence>"

    def example(self, item: Item) -> Answer:
        return Answer("ok", confidence=0.85)


# --- parts of a reply ------------------------------------------------------------------------------------------------


def tags(text: str, name: str) -> list[str]:
    """What stands between each opening tag and the closing one that follows it, stripped and not formatted."""
    pieces = re.split(rf"(</?{name}>)", text, flags=re.I)
    triples = zip(pieces[1::2], pieces[2::2], pieces[3::2], strict=False)
    return [unformatted(inside) for opened, inside, closed in triples if opened[1] != "/" and closed[1] == "/"]


def probability(text: str) -> float | None:
    """A written probability, or percentage with its sign; None: it is none.

    >>> probability("0.8"), probability("1"), probability("80%"), probability("80")
    (0.8, 1.0, 0.8, None)
    """
    plain = unformatted(text).rstrip(".").replace(",", ".")
    if plain.endswith("%"):
        return percent(plain)
    if not re.fullmatch(r"[0-9]*\.?[0-9]+|[0-9]+\.", plain):
        return None
    return float(plain) if float(plain) <= 1 else None


def entries(text: str) -> list[str]:
    """The entries of a list with commas (outside brackets around the whole), stripped.

    >>> entries("[12, blue ,the cat]")
    ['12', 'blue', 'the cat']
    """
    plain = text.strip()
    if plain[:1] + plain[-1:] in ("[]", "()"):
        plain = plain[1:-1]
    return [entry.strip() for entry in plain.split(",")]


def visible(reply: Reply) -> str:
    """What a reader sees of a reply: without the thinking, wherever the server puts it."""
    return answer_part(reply.text).strip()


def whole(reply: Reply) -> str:
    """The thinking, whether the server gives it apart or not, and the visible text."""
    return "\n\n".join(part.strip() for part in (reply.reasoning or "", reply.text) if part.strip())


def chain_tokens(reply: Reply) -> tuple[int | None, bool]:
    """Tokens before the final answer, hidden thinking included, and whether they are an estimate from characters.

    The server's count of output tokens less the final answer (at four characters to a token), so that thinking which
    is counted but not shown is in it; without a count the characters of thinking and text. None: there is no reply.

    >>> chain_tokens(Reply("<think>hm</think><answer>B</answer>", output_tokens=905))
    (900, False)
    """
    if reply.finish == "error":
        return None, False
    closing = len(_closing(answer_part(reply.text)))
    if reply.output_tokens is not None:
        return max(0, reply.output_tokens - math.ceil(closing / CHARACTERS)), False
    before = len(reply.reasoning or "") + len(reply.text) - closing
    return math.ceil(before / CHARACTERS), True


def _closing(text: str) -> str:
    """The final answer: from the last tag or line of it."""
    starts = [found.start() for found in _CLOSING.finditer(text)]
    return text[starts[-1] :] if starts else ""


def _value(text: str, item: Item | None) -> Answer:
    """The answer that a tag holds."""
    boxed = _BOXED.search(text)
    plain = unformatted(boxed[1] if boxed else text).strip("$ ")
    if _NOTHING.fullmatch(plain):
        return Answer("abstained")
    if item is not None and item.fields.get(LISTED):
        return declined(plain) or value_of(", ".join(entries(plain)), replace(item, kind="open", options=()))
    return value_of(plain, item)


def _decimal(p: float) -> str:
    return f"{p:.6f}".rstrip("0").rstrip(".") if p not in (0.0, 1.0) else f"{p:.1f}"
