"""Respondents with a known gap between what they say of a person and what they make of it, and what must be measured.

Each is a rule for `Respondent(decide=...)`: from a question as shown to the probability of its options. What belongs to
a story is drawn once for it, so that the questions about one story hang together as planted.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from doxa.data.stories import (
    ACTION,
    AWARE,
    JUDGE,
    NOT_REASONABLE,
    OTHER,
    REASONABLE,
    SWAPPED,
    WORLDS,
    Story,
    question,
    story_of,
)
from doxa.records import LETTERS, Item

Known = tuple[str, float, float | None, int | None]
"""Estimate, its value, sd of one independent unit (None: of a proportion), how many of these (None: the estimate's)."""

ABOUT_KNOWING = "likely to be aware"


def drawn(item: Item, what: str) -> float:
    """A uniform number of the story and the world of a question."""
    story, world, _ = item.id.rsplit("/", 2)
    return random.Random(f"{what}/{story}/{world}").random()


def understood(item: Item, context: Any, *, knows: bool | None = None) -> str:
    """The right option, from the story as it is shown: not from what the question says is right.

    knows  whether X knows, as somebody takes it; None: as the shown text tells
    """
    story = story_of(context.item)
    if knows is None:
        knows = item.fields["shown"] != story.text()
    if ABOUT_KNOWING in item.text:
        return "Yes" if knows else "No"
    does = story.aware if knows else story.unaware
    if REASONABLE in item.options:
        return REASONABLE if f'"{does}" and not' in item.text else NOT_REASONABLE
    return does if does in item.options else "Yes"  # on the story's words


def _says(item: Item, context: Any, right: float) -> dict[str, float]:
    """The right option with a probability, else the first other one."""
    answer = understood(item, context)
    wrong = next(o for o in item.options if o != answer)
    return {answer: right, wrong: 1 - right}


@dataclass(frozen=True)
class Applier:
    """Says rightly at a rate what X knows; then it is right about what X does, and judges it rightly, at others.

    Where it was wrong about what X knows it guesses both.
    """

    knows: float
    acts: float
    judges: float

    @classmethod
    def gap(cls, gap: float) -> Applier:
        """No gap: all is known and applied. At .5 it knows .6, acts rightly on half of that, judges .15 of it rightly.

        It knows less than a good model does, so that what is right by a guess shows where conditions are forgotten.
        """
        return cls(1 - 0.8 * gap, 1 - gap, 1 - 1.7 * gap)

    def __call__(self, item: Item, context: Any, prompt: Any) -> Mapping[str, float]:
        asked, knows = item.fields["asked"], drawn(item, "knows") < self.knows
        if asked in (AWARE, SWAPPED):
            return _says(item, context, float(knows))
        if asked == "words":
            return _says(item, context, 1.0)
        return _says(item, context, (self.acts if asked.startswith("action") else self.judges) if knows else 0.5)

    def expects(self, asked: Sequence[Item]) -> Iterator[Known]:
        """What the figures must show; asked: the stories."""
        stories = len(asked)
        k, a, j = self.knows, self.acts, self.judges
        action, judge = k * a + (1 - k) / 2, k * j + (1 - k) / 2
        yield ("aware", k, None, None)
        yield ("aware, options shuffled", k, None, stories)
        yield ("action", action, None, None)
        yield ("judge", judge, None, None)
        yield ("action, aware right", a, None, None)
        yield ("judge, aware right", j, None, None)
        yield ("judge, aware and action right", j, None, None)
        yield ("all three right", k * a * j, None, None)
        yield ("drop, aware to action", k - action, *_spread(self._cases(), lambda r: r[0] - r[1]))
        yield ("drop, action to judge", action - judge, *_spread(self._cases(), lambda r: r[1] - r[2]))
        yield ("mean of three", (k + action + judge) / 3, *_spread(self._cases(), lambda r: sum(r) / 3))
        yield ("P(right), action", action, math.sqrt(k * (1 - k)) * abs(a - 0.5), None)
        yield ("P(right), judge", judge, math.sqrt(k * (1 - k)) * abs(j - 0.5), None)
        yield ("action, with twins", action, None, 2 * stories)

    def _cases(self) -> Iterator[tuple[tuple[int, int, int], float]]:
        """The three answers about a story, right or not, and their probability."""
        for aware, action, judge in product((0, 1), repeat=3):
            a, j = (self.acts, self.judges) if aware else (0.5, 0.5)
            p = (self.knows if aware else 1 - self.knows) * (a if action else 1 - a) * (j if judge else 1 - j)
            yield (aware, action, judge), p


def _spread(cases: Iterator[tuple[tuple[int, int, int], float]], of: Any) -> tuple[float, None]:
    found = [(of(right), p) for right, p in cases]
    mean = sum(v * p for v, p in found)
    return math.sqrt(max(sum((v - mean) ** 2 * p for v, p in found), 0.0)), None


@dataclass(frozen=True)
class RealityBiased:
    """Says rightly what X knows, yet in a share of stories acts and judges as if X knew what the reader knows."""

    share: float

    def __call__(self, item: Item, context: Any, prompt: Any) -> Mapping[str, float]:
        biased = ABOUT_KNOWING not in item.text and drawn(item, "biased") < self.share
        return {understood(item, context, knows=True if biased else None): 1.0}

    def expects(self, asked: Sequence[Item]) -> Iterator[Known]:
        """Fails where X does not know, never where X knows: half of the failures remain with the twins."""
        right, stories = 1 - self.share, len(asked)
        yield ("aware", 1.0, 0.0, None)
        for name in ("action", "judge", "judge, the other act", "action, aware right", "all three right"):
            yield (name, right, None, None)
        yield ("action, X knows", 1.0, 0.0, None)
        yield ("judge, X knows", 1.0, 0.0, None)
        half = math.sqrt(self.share * right) / 2
        yield ("action, with twins", 1 - self.share / 2, half, stories)
        yield ("judge, with twins", 1 - self.share / 2, half, stories)  # both judgements of a story fail together


@dataclass(frozen=True)
class Lettered:
    """Gives one letter at a rate, whatever is asked; else the right answer."""

    rate: float
    letter: str = "B"

    def __call__(self, item: Item, context: Any, prompt: Any) -> Mapping[str, float]:
        said, right = {item.options[LETTERS.index(self.letter)]: self.rate}, understood(item, context)
        return {**said, right: said.get(right, 0.0) + 1 - self.rate}

    def expects(self, asked: Sequence[Item]) -> Iterator[Known]:
        """For the letter B; asked: the stories."""
        lost, stories = self.rate, len(asked)
        gold = [
            question(story_of(item), name, world).answer_letter
            for item in asked
            for name in (ACTION, JUDGE, OTHER)
            for world in WORLDS
        ]
        yield ("aware", 1.0, 0.0, None)
        yield ("aware, options shuffled", 1 - lost / 2, math.sqrt(lost * (1 - lost)) / 2, stories)
        yield ("aware, with twins", 1 - lost / 2, math.sqrt(lost * (1 - lost)) / 2, stories)
        yield ("right letter A", 1 - lost, None, None)
        yield ("right letter B", 1.0, 0.0, None)
        yield ("answers with letter A", (1 - lost) * gold.count("A") / len(gold), None, None)


@dataclass(frozen=True)
class Reminded:
    """Says rightly at a rate what X knows and guesses the rest, but at another rate goes by what it is reminded of."""

    copies: float
    knows: float = 0.8

    def __call__(self, item: Item, context: Any, prompt: Any) -> Mapping[str, float]:
        asked, said = item.fields["asked"], item.fields.get("reminded")
        if asked in (AWARE, SWAPPED):
            return _says(item, context, float(drawn(item, "knows") < self.knows))
        if asked == "words":
            return _says(item, context, 1.0)
        if said is None or ABOUT_KNOWING not in prompt.show():
            return _says(item, context, 0.5)
        rightly = (said == "Yes") == (item.fields["shown"] != story_of(context.item).text())
        return _says(item, context, self.copies * rightly + (1 - self.copies) / 2)

    def expects(self, asked: Sequence[Item]) -> Iterator[Known]:
        """A reminder helps where it is right, and harms as much where it is wrong."""
        k, c = self.knows, self.copies
        up, down = c + (1 - c) / 2, (1 - c) / 2
        yield ("action", 0.5, None, None)
        for arm in ("reminder", "chat-reminder"):
            right = k * up + (1 - k) * down
            yield (f"reminded rightly, {arm}", k, None, None)
            yield (f"action, {arm}", right, None, None)
            yield (f"action, {arm} was right", up, None, None)
            yield (f"action, {arm} was wrong", down, None, None)
            spread = math.sqrt(0.25 + right * (1 - right))
            yield (f"gain, action, {arm}", right - 0.5, spread, None)
            yield (f"gain beyond filler, action, {arm}", right - 0.5, spread, None)
            yield (f"gain, action, {arm} was wrong", down - 0.5, math.sqrt(0.25 + down * (1 - down)), None)
        yield ("action, gold-reminder", up, None, None)
        yield ("judge, gold-reminder", up, None, None)
        yield ("action, filler", 0.5, None, None)


@dataclass(frozen=True)
class Reasoner:
    """Right about what X knows; of the rest right at a low rate, which reasoning raises by `helped`.

    Where a third option is offered it takes that one at a rate, and is else right as often as before.
    """

    helped: float
    rate: float = 0.3
    third: float = 0.25

    def __call__(self, item: Item, context: Any, prompt: Any) -> Mapping[str, float]:
        asked, reasoning = item.fields["asked"], getattr(prompt.form, "reasoning", "none")
        right = 1.0 if asked in (AWARE, SWAPPED, "words") else self.rate + self.helped * (reasoning != "none")
        said = _says(replace(item, options=item.options[:2]), context, right)
        if len(item.options) == 2:
            return said
        return {**{option: (1 - self.third) * p for option, p in said.items()}, item.options[2]: self.third}

    def expects(self, asked: Sequence[Item]) -> Iterator[Known]:
        """Reasoning helps, and a third option takes its share from both others."""
        r, after = self.rate, self.rate + self.helped
        spread = math.sqrt(r * (1 - r) + after * (1 - after))
        for q in ("action", "judge"):
            yield (q, r, None, None)
            for arm in ("cot", "minds", "reminder+minds"):
                yield (f"{q}, {arm}", after, None, None)
                yield (f"gain, {q}, {arm}", self.helped, spread, None)
        for name in ("both", "neither"):
            yield (f"action, {name} offered", (1 - self.third) * r, None, None)
            yield (f"takes {name}", self.third, None, None)


@dataclass(frozen=True)
class Right:
    """Always right. In the study a share of its replies is out of format."""

    unread: float

    def __call__(self, item: Item, context: Any, prompt: Any) -> Mapping[str, float]:
        return _says(item, context, 1.0)

    def expects(self, asked: Sequence[Item]) -> Iterator[Known]:
        """What cannot be read is wrong; where it is the answer on awareness, the story has no reminder."""
        kept = 1 - self.unread
        yield ("unread", self.unread, None, None)
        for name in ("aware", "action", "action, reminder", "action, filler"):
            yield (name, kept, None, None)
        yield ("all three right", kept**3, None, None)


def copies(stories: Sequence[Story], times: int) -> list[Story]:
    """Every story several times, as stories of their own: respondents draw anew for each."""
    return [replace(story, core=f"{story.core}-{k}") for k in range(times) for story in stories]
