"""A planted respondent with a leaning: arguments of the other side and reading wear it down, its own words raise it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doxa.elicit.persuasion import SUMMARISE, search_call
from doxa.models.base import Context
from doxa.models.simulated import Respondent
from doxa.models.simulated_values import uniforms
from doxa.records import Item, Message, Prompt

SIDES = ("support", "oppose")
Range = float | tuple[float, float]


def drawn_side(item: Item) -> str:
    """The side that it holds at first: either, by the item alone."""
    return SIDES[uniforms(1, "leaning/side", item.id)[0] < 0.5]


@dataclass(frozen=True)
class Leaning:
    """Answers by the sign of s, acts by the sign of s + action; both signed toward its own first side.

        s = start + own * (its own messages) - opposing * (messages of the other side) - reading * (1,000 words read)

    A message is of the other side if it holds that side's statement. All is counted in the prompt, so that a context
    that was cut wrongly shows. Numbers are sigmoid(s). In a talk it speaks for its first side.

    start      a number, or (low, high): even between them by item
    wavers     each answer is reversed with this probability, whatever s is; misjudges: as a judge it errs with this one
    """

    start: Range = 2.2
    own: float = 0.0
    opposing: float = 0.0
    reading: float = 0.0
    action: float = 0.0
    wavers: float = 0.0
    misjudges: float = 0.0

    def began(self, item: Item) -> float:
        """s without any context."""
        if isinstance(self.start, tuple):
            low, high = self.start
            return low + (high - low) * uniforms(1, "leaning/start", item.id)[0]
        return self.start

    def s(self, item: Item, own: int, opposing: int, kwords: float = 0.0) -> float:
        """s after so many messages of its own and of the other side, and so many thousands of words read."""
        return self.began(item) + self.own * own - self.opposing * opposing - self.reading * kwords

    def respondent(self, **how: object) -> Respondent:
        """Who answers so: always by the sign, or, where it wavers, by draws."""
        decoding = "draw" if self.wavers or self.misjudges else "modal"
        return Respondent(**{"address": "simulated: leaning", "decide": self, "decoding": decoding, **how})  # type: ignore[arg-type]

    def __call__(self, shown: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        item, form = context.item or shown, prompt.form.name if prompt.form else ""
        first = drawn_side(item)
        if form == "action":
            return self._verdict(shown, item)
        s = self._counted(item, first, prompt.messages[:-1])
        acts = form in ("adoption", "short-text", "yes-no") or prompt.messages[-1].content.endswith(_task(item))
        if form == "speech" and not acts:
            return {self._spoken(item, first, prompt): 1.0}
        s += self.action * acts
        p = 1 - self.wavers if self.wavers else float(s > 0) if self.misjudges else _sigmoid(s)
        held, against = self._values(form, shown, item, first)
        return {held: p, against: 1 - p}

    def _counted(self, item: Item, first: str, before: Sequence[Message]) -> float:
        claim = str(item.fields["statements"][_other(first)])
        against = [m.content for m in before if m.role == "user" and claim in m.content]
        texts = [text for text in against if SUMMARISE in text or text.startswith("Title: ")]
        words = sum(len(text.replace(SUMMARISE, "").split()) for text in texts)
        own = sum(m.role == "assistant" for m in before)
        return self.s(item, own, len(against) - len(texts), words / 1000)

    def _values(self, form: str, shown: Item, item: Item, first: str) -> tuple[str, str]:
        """The answers for the first side and for the other one, in the words of the form."""
        pair = item.options
        if form in ("agreement", "probability"):
            pair = ("true", "false")
        elif form == "yes-no":
            pair = ("yes", "no")
        elif form == "adoption":
            pair = tuple(item.fields["acts"][side] for side in SIDES)
        held = SIDES.index(first)
        return pair[held], pair[1 - held]

    def _spoken(self, item: Item, first: str, prompt: Prompt) -> str:
        """A turn of a talk, or, where texts are listed, the call that opens the next one, or ends the search."""
        if "open(N)" in prompt.messages[0].content and not prompt.messages[-1].content.startswith("Write the report"):
            calls = [search_call(m.content) for m in prompt.messages if m.role == "assistant"]
            listed = prompt.messages[0].content.count("\n", prompt.messages[0].content.index("found:"))
            return f"open({len(calls) + 1})" if len(calls) < listed else "report()"
        return str(item.fields["statements"][first])

    def _verdict(self, shown: Item, item: Item) -> Mapping[str, float]:
        reply, a = str(shown.fields["reply"]), shown.fields["a"]
        acts = item.fields["acts"]
        side = next((k for k, s in enumerate(SIDES) if acts[s] in reply or item.options[k] in reply), 0)
        label, wrong = ("A", "B") if a == item.options[side] else ("B", "A")
        return {label: 1 - self.misjudges, wrong: self.misjudges}


def _other(side: str) -> str:
    return SIDES[side == "support"]


def _task(item: Item) -> str:
    return str(item.fields["task"]) if item.fields.get("kind") in ("dilemma", "safety") else "\0"


def _sigmoid(s: float) -> float:
    return 1 / (1 + math.exp(-s))
