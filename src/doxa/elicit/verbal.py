"""Forms that ask for an answer and a stated confidence: vanilla, chain of thought, self-probing, multi-step, top-k."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from doxa.elicit.form import (
    OTHER,
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
from doxa.elicit.replies import PERCENT, distinct, percent, percent_text, settle, unformatted
from doxa.records import Answer, Item

MEANS = "Confidence means how likely it is that the given answer is true, from 0 to 100."
ANSWER_LINE = "Answer and Confidence (0-100):"
FINAL_LINE = "Final Answer and Overall Confidence (0-100):"
STEP_BY_STEP = "Think step by step."

_PERCENT = rf"(?:about |around |~)?{PERCENT}\.?"
_RANGE = r"(?: ?\([^)\n]{0,20}\))?"
_LINE = re.compile(rf"^[^\w\n]*(?:final )?answer and (?:overall )?confidence{_RANGE} ?:[ \t]*(\S.*)$", re.I | re.M)
_CONFIDENCE_LINE = re.compile(rf"^[^\w\n]*(?:overall )?confidence{_RANGE} ?:[ \t]*(\S.*)$", re.I | re.M)
_ANSWER_LABEL = re.compile(r"^[^\w\n]*(?:final )?answer ?:[ \t]*(\S.*)$", re.I | re.M)
# "12, 85,5%" is 12 with 85.5 %, "3,5, 80%" is 3.5 with 80 %. Without a space "12,5%" could be either: not read.
_SPLITS = (re.compile(rf"(.+?)\s?[,;]\s({_PERCENT})", re.I), re.compile(r"(.*[^0-9\s]),([0-9.]+ ?%\.?)"))


@dataclass(frozen=True)
class Vanilla(TextForm):
    """One line with an answer and its confidence, no explanation. Source: arXiv 2306.13063."""

    @property
    def name(self) -> str:
        return "vanilla"

    def _text(self, item: Item) -> str:
        return (
            "Answer the question and state your confidence.\n"
            f"{MEANS}\n"
            "Reply with this line only, without an explanation:\n"
            f"{ANSWER_LINE} <answer>, <number>%\n"
            f"{WANTED[answer_kind(item)]}\n{question(item)}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        return answer_lines(text, item)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"{ANSWER_LINE} {value_text(answer)}, {confidence_text(answer)}"


@dataclass(frozen=True)
class ChainOfThought(TextForm):
    """An explanation, then the line of `Vanilla`. `Answer.note` is the explanation. Source: arXiv 2306.13063."""

    @property
    def name(self) -> str:
        return "chain-of-thought"

    def _text(self, item: Item) -> str:
        return (
            "Explain your reasoning, then answer the question and state your confidence.\n"
            f"{MEANS}\n"
            "Reply in this format:\n"
            "Explanation: <your reasoning>\n"
            f"{ANSWER_LINE} <answer>, <number>%\n"
            f"{WANTED[answer_kind(item)]}\n{question(item)}\n{STEP_BY_STEP}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        return _noted(answer_lines(text, item), explanation(text, _LINE))

    def _write(self, answer: Answer, item: Item | None) -> str:
        line = f"{ANSWER_LINE} {value_text(answer)}, {confidence_text(answer)}"
        return f"Explanation: {answer.note}".rstrip() + f"\n{line}"


@dataclass(frozen=True)
class SelfProbing(TextForm):
    """How likely a possible answer is right, in a fresh conversation: a short reasoning, then a confidence.

    `Answer.value` stays None: the confidence is that of the answer shown, not of the one the model prefers.

    answer  the answer to be judged, in canonical form (a letter for an item with options)
    source  arXiv 2306.13063
    """

    answer: str

    @property
    def name(self) -> str:
        return "self-probing"

    @property
    def target(self) -> str:
        return PROPOSED

    def _text(self, item: Item) -> str:
        return (
            "Judge a possible answer to the question below.\n"
            "Confidence means how likely it is that the possible answer is true, from 0 to 100.\n"
            "It is about the possible answer, not about the answer that you prefer.\n"
            "Reply in this format, with a short reasoning:\n"
            "Reasoning: <your reasoning>\n"
            "Confidence: <number>%\n"
            f"{question(item)}\nPossible answer:\n{shown_answer(self.answer, item)}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        stated = _stripped(_CONFIDENCE_LINE, unformatted(text)) or _inline_confidence(text)
        values = {percent(s) for s in stated}
        if len(values) > 1:
            return Answer("ambiguous", note=f"states {', '.join(stated)}")
        if not stated:
            return settle((), text)
        confidence = values.pop()
        if confidence is None:
            return Answer("unparsed", note=f"{stated[0][:80]!r} is no percentage in 0-100")
        return Answer("ok", confidence=confidence, note=explanation(text, _CONFIDENCE_LINE))

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"Reasoning: {answer.note}".rstrip() + f"\nConfidence: {confidence_text(answer)}"

    def example(self, item: Item) -> Answer:
        return Answer("ok", confidence=0.85)


@dataclass(frozen=True)
class MultiStep(TextForm):
    """Reasoning in steps, each with its confidence, then an answer with an overall confidence.

    `Answer.steps` are the confidences of the steps (`step_product` joins them), `confidence` is the overall one and
    `note` the reasoning, a line for each step. Any number of steps is read, numbered 1, 2, ... without gap.

    steps   steps that are asked for
    source  arXiv 2306.13063
    """

    steps: int = 3

    @property
    def name(self) -> str:
        return "multi-step"

    def _text(self, item: Item) -> str:
        steps = "\n".join(f"Step {i}: <your reasoning>, Confidence: <number>%" for i in range(1, self.steps + 1))
        return (
            "Break the question down into steps, and state your confidence in each step and in the answer.\n"
            f"{MEANS}\n"
            f"Reply in this format:\n{steps}\n"
            f"{FINAL_LINE} <answer>, <number>%\n"
            f"{WANTED[answer_kind(item)]}\n{question(item)}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        found = answer_lines(text, item)
        if found.outcome not in ("ok", "abstained") or found.confidence is None:
            return found
        pattern = rf"^[^\w\n]*step ([0-9]+) ?:[ \t]*(.*?)[,.;]?\s?confidence{_RANGE} ?:[ \t]*({_PERCENT})[ \t]*$"
        rows = re.findall(pattern, unformatted(text), re.I | re.M | re.S)
        steps = [percent(stated) for _, _, stated in rows]
        numbered = [int(i) for i, _, _ in rows]
        labels = len(re.findall(r"^[^\w\n]*step [0-9]+ ?:", unformatted(text), re.I | re.M))
        if numbered != list(range(1, labels + 1)) or not rows or None in steps:
            return Answer(
                "unparsed", found.value, found.confidence, note="the steps with their confidences are incomplete"
            )
        reasons = [" ".join(reason.split()) for _, reason, _ in rows]
        known = tuple(s for s in steps if s is not None)
        return Answer(
            found.outcome, found.value, found.confidence, steps=known, note="\n".join(reasons) if any(reasons) else ""
        )

    def _write(self, answer: Answer, item: Item | None) -> str:
        """Without `Answer.steps`, each step carries the overall confidence."""
        final = f"{FINAL_LINE} {value_text(answer)}, {confidence_text(answer)}"
        steps = answer.steps or (answer.confidence or 0.0,) * self.steps
        reasons = answer.note.split("\n") if answer.note else [""] * len(steps)
        if len(reasons) != len(steps):
            raise ValueError(f"note has {len(reasons)} lines for {len(steps)} steps; give one line of reasoning each")
        lines = (
            f"Step {i}: {reason + ', ' if reason else ''}Confidence: {percent_text(step)}"
            for i, (reason, step) in enumerate(zip(reasons, steps, strict=True), start=1)
        )
        return "\n".join((*lines, final))

    def example(self, item: Item) -> Answer:
        return replace(super().example(item), steps=(0.9, 0.8, 0.95))


def step_product(answer: Answer) -> float:
    """The product of the step confidences of a multi-step answer, nan without steps.

    >>> round(step_product(Answer("ok", "B", 0.9, steps=(0.9, 0.8, 0.95))), 6)
    0.684
    """
    product = float("nan") if not answer.steps else 1.0
    for step in answer.steps:
        product *= step
    return product


@dataclass(frozen=True)
class TopK(TextForm):
    """The k best guesses with their probabilities: `Answer.guesses` as listed, `value` and `confidence` of the first.

    Asks for fewer where the item has fewer possible answers. One guess at least is read, numbered without gap.

    k                 guesses that are asked for
    chain_of_thought  brief reasoning first, kept in `Answer.note`
    source            arXiv 2306.13063
    """

    k: int = 4
    chain_of_thought: bool = False

    @property
    def name(self) -> str:
        return "top-k-chain-of-thought" if self.chain_of_thought else "top-k"

    def _asked(self, item: Item | None) -> int:
        limits = {"choice": len(item.options) if item else self.k, "statement": 2}
        return min(self.k, limits.get(answer_kind(item), self.k))

    def _text(self, item: Item) -> str:
        k = self._asked(item)
        guesses = "\n".join(f"G{i}: <guess>\nP{i}: <number>%" for i in range(1, k + 1))
        start = "Explanation: <your brief reasoning>\n" if self.chain_of_thought else ""
        return (
            f"Give your {k} best guesses at the answer, the likeliest first, and the probability that each is true.\n"
            f"{MEANS}\n"
            f"Reply in this format{'' if self.chain_of_thought else ', without an explanation'}:\n{start}{guesses}\n"
            f"{WANTED[answer_kind(item)]}\n{question(item)}" + (f"\n{STEP_BY_STEP}" if self.chain_of_thought else "")
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        between = r"(?:\n[ \t]{0,4}|[ ,;]{1,3})\b"
        pattern = rf"^[^\w\n]*G([0-9]+) ?:[ \t]*(\S[^\n]*?){between}P\1 ?:[ \t]*({_PERCENT})[ \t,;]*$"
        rows = re.findall(pattern, unformatted(text), re.I | re.M)
        if not rows:
            return settle((), text)
        found = [(value_of(guess, item), percent(stated)) for _, guess, stated in rows]
        guesses = tuple((a.value, p) for a, p in found if a.outcome == "ok" and a.value is not None and p is not None)
        labels = len(re.findall(r"^[^\w\n]*G[0-9]+ ?:", unformatted(text), re.I | re.M))
        if [int(i) for i, _, _ in rows] != list(range(1, labels + 1)) or len(guesses) != labels:
            return Answer("unparsed", guesses=guesses, note=f"read {len(guesses)} of {labels} guesses")
        note = explanation(text, re.compile(r"^[^\w\n]*G1 ?:", re.I | re.M)) if self.chain_of_thought else ""
        return Answer("ok", guesses[0][0], guesses[0][1], guesses=guesses, note=note)

    def _cut(self, text: str, item: Item | None) -> Answer:
        whole = super()._cut(text, item)
        if whole.outcome == "ok" and len(whole.guesses) < self._asked(item):
            return Answer("truncated", guesses=whole.guesses, note=f"cut after {len(whole.guesses)} guesses")
        return whole

    def _write(self, answer: Answer, item: Item | None) -> str:
        """Without `Answer.guesses`, the answer with its confidence is the only guess."""
        only = Answer("ok", answer.value, answer.confidence)
        rows = [Answer("ok", *guess) for guess in answer.guesses] or [only]
        lines = [f"G{i}: {value_text(row)}\nP{i}: {confidence_text(row)}" for i, row in enumerate(rows, start=1)]
        start = [f"Explanation: {answer.note}".rstrip()] if self.chain_of_thought else []
        return "\n".join([*start, *lines])

    def example(self, item: Item) -> Answer:
        best = super().example(item)
        return replace(best, guesses=((best.value or "", 0.85), (OTHER[answer_kind(item)], 0.1)))


# --- lines with an answer and a confidence ---------------------------------------------------------------------------


def answer_lines(text: str, item: Item | None) -> Answer:
    """The one answer with its confidence that a reply states, on one line or on an answer and a confidence line."""
    plain = unformatted(text)
    lines = (
        distinct(line.strip() for line in _LINE.findall(plain) if "<number>" not in line)
        or _two_lines(plain)
        or _bare_line(plain)
    )
    read = list(dict.fromkeys(_split(line, item) for line in lines))
    if len(read) == 1:
        return read[0]
    if read:
        return Answer("ambiguous", note=f"states {'; '.join(lines)}")
    return settle((), text)


def _two_lines(plain: str) -> list[str]:
    answers, stated = _stripped(_ANSWER_LABEL, plain), _stripped(_CONFIDENCE_LINE, plain)
    return [f"{a}, {c}" for a in answers for c in stated]


def _stripped(pattern: re.Pattern[str], plain: str) -> list[str]:
    return distinct(found.strip() for found in pattern.findall(plain))


def _bare_line(plain: str) -> list[str]:
    """The line without its label, when it is the whole reply."""
    return [plain] if "\n" not in plain and any(s.fullmatch(plain) for s in _SPLITS) else []


def _split(line: str, item: Item | None) -> Answer:
    parts = next((m for s in _SPLITS if (m := s.fullmatch(line))), None)
    if parts is None:
        return _without_confidence(value_of(line, item), "no confidence beside the answer")
    found, confidence = value_of(parts[1], item), percent(parts[2])
    if confidence is None:
        return _without_confidence(found, f"{parts[2]} is no percentage in 0-100")
    return Answer(found.outcome, found.value, confidence, note=found.note)


def _without_confidence(found: Answer, why: str) -> Answer:
    """An answer that lacks its confidence: no longer ok, its value kept."""
    return Answer("unparsed", found.value, note=why) if found.outcome == "ok" else found


def _inline_confidence(text: str) -> Sequence[str]:
    return distinct(
        re.findall(rf"\bconfidence{_RANGE} ?(?:is|:) ?({PERCENT})(?![\w%]|[-–][0-9])", unformatted(text), re.I)
    )


def explanation(text: str, until: re.Pattern[str]) -> str:
    """What stands before the first match of `until`, without its label."""
    end = until.search(text)
    before = text[: end.start() if end else 0].strip()
    return re.sub(r"^[^\w\n]*(?:explanation|reasoning) ?:[ \t*]*", "", before, flags=re.I)


def _noted(answer: Answer, note: str) -> Answer:
    if answer.outcome != "ok":
        return answer
    return replace(answer, note=note)
