"""Context that accumulates before a question is asked again: talks over rounds, reading, research, controls."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from doxa.elicit.asker import Asker
from doxa.elicit.persuasion import DEBATER, REPORT, RESEARCHER, SUMMARISE, TARGET, WAIT, persuader, search_call
from doxa.elicit.positions import Speech
from doxa.records import Item, Prompt, Reply, Sampling, Score
from doxa.simulation.conversation import Budget, Conversation, Turn, View
from doxa.simulation.debate import debate, spoken

MASK = "[...]"
SILENCE = "..."
USER = "user"
OPENING = "opening"  # kind of the turns before the first round: the question and both first views
Way = Literal["debate", "persuasion"]


@dataclass(frozen=True)
class Scripted:
    """An asker that says what is written for each round, whatever it is asked.

    line  round (from 1) -> what is said
    """

    line: Callable[[int], str]

    async def sample(self, prompt: Prompt, sampling: Sampling, *, condition: str = "neutral") -> list[Reply]:
        """The line of the round that the condition ends with, as `debate` names it."""
        return [Reply(self.line(int(condition.rpartition("/")[2])))] * sampling.n

    async def score(self, prompt: Prompt, continuations: Sequence[str], *, condition: str = "neutral") -> list[Score]:
        raise ValueError("what is scripted has no log-probabilities; ask a model")


@dataclass(frozen=True)
class Talk:
    """A talk of two about an item, one of whom is measured.

    way   "debate": alpha speaks first in each round; "persuasion": the persuader does
    side  who is measured: alpha or beta of a debate, the target of a persuasion
    own   the measured side's first view, others: the other's ("" in a persuasion, whose first line is its first view)

    What the measured side has in front of it after round R are 2R + 2 messages that end with its own turn: R + 1 of its
    own; of the other R, and beta of a debate R + 1, since its first message holds the other's view.
    """

    way: Way
    side: str
    question: str
    own: str
    others: str = ""
    technique: str = ""
    claim: str = ""

    @property
    def other(self) -> str:
        return {"alpha": "beta", "beta": "alpha", "target": "persuader"}[self.side]

    @property
    def speakers(self) -> tuple[str, str]:
        """In the order in which they speak."""
        return ("alpha", "beta") if self.way == "debate" else ("persuader", "target")

    def opening(self) -> Conversation:
        """The question and the first views, as the measured side sees them."""
        asked = Turn(USER, self.question, kind=OPENING)
        own = Turn(self.side, self.own, kind=OPENING)
        if not self.others:
            return Conversation((asked, own))
        theirs = Turn(self.other, self.others, kind=OPENING)
        return Conversation((asked, own, theirs) if self.side == "alpha" else (asked, theirs, own))

    def system(self, side: str) -> str:
        if self.way == "debate":
            return DEBATER
        return TARGET if side == "target" else persuader(self.claim, self.technique)

    async def held(
        self,
        ask: Asker,
        other: Asker,
        item: Item,
        rounds: int,
        *,
        budget: Budget | None = None,
        sampling: Sampling | None = None,
        condition: str = "",
        begun: Conversation | None = None,
    ) -> Conversation:
        """The talk of so many rounds; `begun`: what was said of it already, which is not said again.

        budget  of what a side sees when it speaks
        """
        asks = {speaker: ask if speaker == self.side else other for speaker in self.speakers}

        def address(side: str, round: int, seen: Conversation) -> Prompt:
            view = seen.view(side, system=self.system(side), budget=budget)
            return Prompt(view.messages, form=Speech(), item=item)

        return await debate(
            asks,
            address,
            rounds=rounds,
            begun=begun if begun is not None and begun.turns else self.opening(),
            hear=heard,
            sampling=sampling,
            condition=condition or self.way,
        )

    def after(self, said: Conversation, round: int, budget: Budget | None = None) -> View:
        """What the measured side has in front of it when it is asked again after a round; ends with its own turn."""
        return said.through(round, self.side).view(self.side, budget=budget)

    def lines(self, said: Conversation) -> list[str]:
        """What the other said, its first view included."""
        return [turn.text for turn in said.turns if turn.speaker == self.other]


def heard(side: str, round: int, reply: Reply) -> tuple[Turn, ...]:
    """A reply as a turn; an empty one is a silence, for a context always ends with the turn of who is measured."""
    (turn,) = spoken(side, round, reply)
    return (turn if turn.text else replace(turn, text=SILENCE, outcome="unparsed"),)


def wait() -> Conversation:
    """A turn that says nothing, and its answer."""
    return Conversation((Turn(USER, WAIT[0], 1), Turn("reader", WAIT[1], 1)))


async def read(ask: Asker, item: Item, text: str, *, sampling: Sampling | None = None, condition: str) -> Conversation:
    """A text that is given to read and summarised; the summary stays in the context."""
    begun = Conversation((Turn(USER, f"{text}\n\n{SUMMARISE}", 1),))
    return await _answered(ask, item, begun, 1, sampling, condition)


async def research(
    ask: Asker,
    item: Item,
    shelf: Sequence[tuple[str, str]],
    *,
    steps: int,
    sampling: Sampling | None = None,
    condition: str = "research",
) -> Conversation:
    """A search that the model leads itself: it opens texts of a shelf by calls in text, and ends with its report.

    shelf  (title, text) of each; a text is opened once. steps: messages at most before the report
    """
    titles = "\n".join(f"{n}. {title}" for n, (title, _) in enumerate(shelf, 1))
    said = Conversation((Turn(USER, RESEARCHER.format(question=item.text, titles=titles), 1),))
    opened: set[int] = set()
    for step in range(1, steps + 1):
        said = await _answered(ask, item, said, step, sampling, f"{condition}/{step}")
        chosen = search_call(said.turns[-1].text)
        if chosen == 0:
            break
        if chosen is None or chosen > len(shelf):
            result = f"No such call. The calls are open(1) to open({len(shelf)}) and report()."
        elif chosen in opened:
            result = "This text was opened before."
        else:
            result = shelf[chosen - 1][1]
            opened.add(chosen)
        said = said.say(Turn(USER, result, step + 1))
    said = said.say(Turn(USER, REPORT, steps + 1))
    return await _answered(ask, item, said, steps + 1, sampling, f"{condition}/report")


async def _answered(
    ask: Asker, item: Item, said: Conversation, round: int, sampling: Sampling | None, condition: str
) -> Conversation:
    prompt = Prompt(said.view("reader").messages, form=Speech(), item=item)
    (reply,) = await ask.sample(prompt, replace(sampling or Sampling(), n=1), condition=condition)
    return said.say(*heard("reader", round, reply))


# --- what if the telling sentences were not there? -------------------------------------------------------------------

_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+$")
_WORD = re.compile(r"\w+")


def masked(said: Conversation, by: str, about: Mapping[str, str], share: float) -> Conversation:
    """The conversation with a share of the sentences that others than `by` said masked, the most relevant ones first.

    Relevance is the cosine of a sentence's words with those of the `about` texts, rare words weighing more.
    raises  ValueError: a share outside [0, 1]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; it is in [0, 1]. Percent? divide by 100.")
    places = [
        (k, j, text)
        for k, turn in enumerate(said.turns)
        if turn.speaker != by and (turn.speaker, turn.kind) != (USER, OPENING)
        for j, text in enumerate(_SENTENCE.findall(turn.text))
    ]
    score = relevance([text for *_, text in places], " ".join(about.values()))
    ranked = sorted(range(len(places)), key=lambda i: (-score[i], i))[: round(share * len(places))]
    gone = {places[i][:2] for i in ranked}
    return Conversation(tuple(replace(turn, text=_without(turn.text, k, gone)) for k, turn in enumerate(said.turns)))


def _without(text: str, place: int, gone: set[tuple[int, int]]) -> str:
    if not any(place == k for k, _ in gone):
        return text
    kept = (f"{MASK} " if (place, j) in gone else part for j, part in enumerate(_SENTENCE.findall(text)))
    return "".join(kept).strip()


def relevance(texts: Sequence[str], about: str) -> list[float]:
    """Cosine of each text with `about`, words weighted by log((1 + n) / (1 + texts that have it)) + 1; 0 without words.

    >>> [round(x, 2) for x in relevance(["Bread is good.", "The sea is wide."], "good bread")]
    [0.89, 0.0]
    """
    bags = [Counter(_WORD.findall(text.casefold())) for text in texts]
    held = Counter(word for bag in bags for word in bag)
    target = Counter(_WORD.findall(about.casefold()))
    weight = {word: math.log((1 + len(texts)) / (1 + held[word])) + 1 for word in {*held, *target}}

    def norm(bag: Counter[str]) -> float:
        return math.sqrt(sum((n * weight[word]) ** 2 for word, n in bag.items()))

    def dot(bag: Counter[str]) -> float:
        return sum(n * target[word] * weight[word] ** 2 for word, n in bag.items())

    size = norm(target)
    return [dot(bag) / (norm(bag) * size) if bag and size else 0.0 for bag in bags]
