"""The contexts of one item: each talk, text and search at its amounts, and filler of equal length in its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from doxa.elicit.asker import Asker
from doxa.elicit.positions import SIDES
from doxa.records import Item, Sampling
from doxa.simulation import accumulation as acc
from doxa.simulation import tracts
from doxa.simulation.conversation import Budget, Conversation, View, words

CONTEXTS = ("debate", "persuasion", "reading", "research")
TALKS = ("debate", "persuasion")
NOTHING = View(())
Ask = TypeVar("Ask", bound=Asker)


@dataclass(frozen=True)
class Plan:
    """What is gone through.

    rounds, words  at which is measured, in ascending order; texts: a user's folder, None: generated texts
    side           who is measured in a debate; mask: share of sentences to mask, 0: no such arm
    budget         of a talk, when one speaks and when one is measured; turn: how turns are generated
    """

    rounds: list[int]
    words: list[int]
    techniques: list[str]
    side: Literal["alpha", "beta"] = "alpha"
    texts: str | None = None
    mask: float = 0.0
    steps: int = 6
    budget: Budget | None = None
    turn: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True)
class State:
    """A context at one amount, as it stands in front of a question; without view nothing stands there.

    arm   "context", "filler" (in its place) or "masked"; toward: the side it argues for, "" for none
    said  the whole conversation, at the largest amount only
    """

    condition: str
    arm: str
    context: str = ""
    view: View = NOTHING
    amount: int = 0
    toward: str = ""
    technique: str = ""
    said: Conversation | None = None


@dataclass(frozen=True)
class Contexts(Generic[Ask]):
    """One item's contexts.

    own   the side it holds at first, view: its first view in words ("": the bare statement); toward: the side argued
    other who speaks for that side; None: written lines
    """

    ask: Ask
    item: Item
    plan: Plan
    own: str
    toward: str
    view: str = ""
    other: Ask | None = None

    def states(self, context: str) -> AsyncIterator[State]:
        """A context at each of its amounts, masked if the plan says so, and filler of equal length at the last one."""
        if context in TALKS:
            return self._talks(context)
        return self._reading() if context == "reading" else self._research()

    # --- talks

    async def _talks(self, way: str) -> AsyncIterator[State]:
        last = self.plan.rounds[-1]
        for technique in self.plan.techniques if way == "persuasion" else [way]:
            talk, where = self._talk(way, technique), f"{way}/{technique}"
            said = await self._held(talk, self.other or self._script(technique), where)
            about = (self.toward, technique if way == "persuasion" else "")
            for amount in self.plan.rounds:
                whole = said if amount == last else None
                yield State(f"{where}/{amount}", "context", way, self._after(talk, said, amount), amount, *about, whole)
            if self.plan.mask:
                left = acc.masked(said, talk.side, self._statements, self.plan.mask)
                yield State(f"{where}/masked", "masked", way, self._after(talk, left, last), last, *about)
        idle, script = self._idle(talk, said)
        view = self._after(idle, await self._held(idle, script, f"{way}/filler"), last)
        yield State(f"{way}/filler", "filler", way, view, last)

    def _talk(self, way: str, technique: str) -> acc.Talk:
        claim = tracts.statement(self.item, self.own)
        own = self.view if words(self.view) > words(claim) else claim
        if way == "debate":
            others = tracts.message(self.item, self.toward, "debate", 0)
            return acc.Talk("debate", self.plan.side, self.item.text, own, others)
        claim = tracts.statement(self.item, self.toward)
        return acc.Talk("persuasion", "target", self.item.text, own, technique=technique, claim=claim)

    def _script(self, technique: str) -> acc.Scripted:
        return acc.Scripted(lambda round: tracts.message(self.item, self.toward, technique, round))

    def _idle(self, talk: acc.Talk, said: Conversation) -> tuple[acc.Talk, acc.Scripted]:
        """The same talk with filler as long as each of the other's messages in its place."""
        sizes = [words(line) for line in talk.lines(said)]
        first = tracts.filler(sizes.pop(0), seed=len(sizes), item=self.item) if talk.others else ""
        script = acc.Scripted(lambda round: tracts.filler(sizes[round - 1], seed=round, item=self.item))
        return acc.Talk(talk.way, talk.side, talk.question, talk.own, first, talk.technique, talk.claim), script

    async def _held(self, talk: acc.Talk, other: Asker, condition: str) -> Conversation:
        how = {"budget": self.plan.budget, "sampling": self.plan.turn}
        return await talk.held(self.ask, other, self.item, self.plan.rounds[-1], condition=condition, **how)  # type: ignore[arg-type]

    def _after(self, talk: acc.Talk, said: Conversation, round: int) -> View:
        return talk.after(said, round, self.plan.budget)

    @property
    def _statements(self) -> dict[str, str]:
        return {side: str(self.item.fields["statements"][side]) for side in SIDES}

    # --- texts

    async def _reading(self) -> AsyncIterator[State]:
        last = self.plan.words[-1]
        for length in self.plan.words:
            where = f"reading/{length}"
            said = await self._read(tracts.text_for(self.item, self.toward, length, self.plan.texts), where)
            whole = said if length == last else None
            yield State(where, "context", "reading", said.view("reader"), length, self.toward, said=whole)
        async for state in self._controls("reading", said, last, last, self.toward):
            yield state

    async def _research(self) -> AsyncIterator[State]:
        shelf, steps = tracts.found_by_search(self.item, self.plan.words[0], self.plan.texts), self.plan.steps
        said = await acc.research(self.ask, self.item, shelf, steps=steps, sampling=self.plan.turn)
        yield State("research", "context", "research", said.view("reader"), steps, said=said)
        length = sum(words(turn.text) for turn in said.turns)
        async for state in self._controls("research", said, steps, length, ""):
            yield state

    async def _controls(
        self, context: str, said: Conversation, amount: int, length: int, toward: str
    ) -> AsyncIterator[State]:
        if self.plan.mask:
            left = acc.masked(said, "reader", self._statements, self.plan.mask).view("reader")
            yield State(f"{context}/masked", "masked", context, left, amount, toward)
        idle = await self._read(tracts.filler(length, item=self.item), f"{context}/filler")
        yield State(f"{context}/filler", "filler", context, idle.view("reader"), amount)

    async def _read(self, text: str, condition: str) -> Conversation:
        return await acc.read(self.ask, self.item, text, sampling=self.plan.turn, condition=condition)
