"""A conversation as data: what was said, what each side sees of it, and the chat that it makes of what it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from doxa.records import Form, Item, Message, Outcome, Prompt

BETWEEN = "\n\n"  # what stands between two turns that one message holds


def text_of(turn: Turn) -> str:
    """What a turn says, as it was said."""
    return turn.text


def words(text: str) -> int:
    """How many words a text has, split at blanks: the measure of a budget where no tokenizer is at hand."""
    return len(text.split())


@dataclass(frozen=True)
class Turn:
    """Something that was said, or noted, by one side.

    speaker  name of a side, or anybody else (a moderator, the user)
    round    from 1; 0: before the first
    kind     "speech", or what else the text is ("bet", "thoughts")
    only     the sides that see it; None: all; (): nobody, it is for the record
    outcome  of reading it; number: what was read, where it is a number (None: nothing)
    """

    speaker: str
    text: str
    round: int = 0
    kind: str = "speech"
    only: tuple[str, ...] | None = None
    outcome: Outcome = "ok"
    number: float | None = None

    def seen_by(self, side: str) -> bool:
        """Whether a side sees it."""
        return self.only is None or side in self.only


@dataclass(frozen=True)
class Budget:
    """How much of a conversation a prompt may hold. The oldest turns are dropped first, whole, and never the last.

    turns   at most so many; None: any number
    tokens  at most so many in the turns that stay, as `count` counts them; None: any number
    keep    turns at the beginning that are never dropped (the motion, the question)
    gap     what stands in place of the dropped turns, said as by another; {n}: how many they are; "": nothing
    raises  ValueError: a limit below 1, a keep below 0
    """

    turns: int | None = None
    tokens: int | None = None
    count: Callable[[str], int] = words
    keep: int = 0
    gap: str = ""

    def __post_init__(self) -> None:
        for name, limit in (("turns", self.turns), ("tokens", self.tokens)):
            if limit is not None and limit < 1:
                raise ValueError(f"{name} is {limit}; a budget is at least 1, or None for no limit")
        if self.keep < 0:
            raise ValueError(f"keep is {self.keep}; it is the number of first turns that always stay, 0 or more")

    def dropped(self, texts: Sequence[str]) -> range:
        """Places of the texts that have to go; they are next to each other.

        raises  ValueError: the first `keep` and the last do not fit by themselves
        """
        sizes = [self.count(text) for text in texts]
        start = stop = min(self.keep, max(len(texts) - 1, 0))
        held, size = len(texts), sum(sizes)
        while stop < len(texts) - 1 and not self._fits(held, size):
            held, size, stop = held - 1, size - sizes[stop], stop + 1
        if texts and not self._fits(held, size):
            raise ValueError(
                f"the {held} turns that must stay hold {size} tokens; the budget is {self.turns or 'any number of'} "
                f"turns and {self.tokens or 'any number of'} tokens. Raise it, or lower keep (now {self.keep})"
            )
        return range(start, stop)

    def _fits(self, held: int, size: int) -> bool:
        return (self.turns is None or held <= self.turns) and (self.tokens is None or size <= self.tokens)


@dataclass(frozen=True)
class View:
    """A conversation as one side sees it: a chat.

    messages  its own turns are the assistant's, all others the user's; turns of one role in a row are one message
    dropped   turns left out for the budget; turns: how many there were to see
    """

    messages: tuple[Message, ...]
    dropped: tuple[Turn, ...] = ()
    turns: int = 0

    @property
    def note(self) -> str:
        """What was left out, in words; "" if nothing was."""
        if not self.dropped:
            return ""
        size = sum(words(turn.text) for turn in self.dropped)
        return f"{len(self.dropped)} of {self.turns} turns ({size:,} words) left out, the oldest first"

    def then(self, prompt: Prompt) -> Prompt:
        """A prompt (of a form, say) put behind what was seen; it keeps its form and its item.

        The system message of the view goes before that of the prompt. ValueError: a plain-text prompt.
        """
        if prompt.text is not None:
            raise ValueError("a plain-text prompt cannot follow a chat; build it from messages, as with Prompt.user")
        every = [*self.messages, *prompt.messages]
        heads = [m for m in every if m.role == "system"]
        return replace(prompt, messages=_merged([*heads, *(m for m in every if m.role != "system")]))


@dataclass(frozen=True)
class Conversation:
    """Turns in the order in which they were said. Whatever is made of them is a function of them alone.

    So a conversation that was cut short goes on from its recorded turns (`records`, `of`).
    """

    turns: tuple[Turn, ...] = ()

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]]) -> Conversation:
        """From `records`, as they are or as JSON gives them back. TypeError: a field that a turn does not have."""
        turns = []
        for record in records:
            only = record.get("only")
            turns.append(Turn(**{**record, "only": None if only is None else tuple(only)}))
        return cls(tuple(turns))

    def records(self) -> list[dict[str, Any]]:
        """One dictionary for each turn, with its fields."""
        return [asdict(turn) for turn in self.turns]

    def say(self, *turns: Turn) -> Conversation:
        """The conversation with more turns at its end."""
        return Conversation((*self.turns, *turns))

    def seen_by(self, side: str) -> Conversation:
        """The turns that a side sees."""
        return Conversation(tuple(turn for turn in self.turns if turn.seen_by(side)))

    def before(self, round: int) -> Conversation:
        """The turns of earlier rounds."""
        return Conversation(tuple(turn for turn in self.turns if turn.round < round))

    def through(self, round: int, last: str) -> Conversation:
        """Everything up to the last turn of a side in a round: what it has in front of it when it is measured then.

        raises  ValueError: that side says nothing in that round
        """
        places = [k for k, turn in enumerate(self.turns) if turn.round == round and turn.speaker == last]
        if not places:
            spoke = sorted({turn.speaker for turn in self.turns if turn.round == round})
            raise ValueError(f"{last!r} says nothing in round {round}; there spoke: {', '.join(spoke) or 'nobody'}")
        return Conversation(self.turns[: places[-1] + 1])

    def of_kind(self, kind: str, *, by: str | None = None) -> tuple[Turn, ...]:
        """The turns of one kind, by everybody or by one side."""
        return tuple(turn for turn in self.turns if turn.kind == kind and by in (None, turn.speaker))

    def transcript(self, show: Callable[[Turn], str]) -> str:
        """All turns as one text, each as `show` writes it; "" leaves a turn out."""
        return BETWEEN.join(text for turn in self.turns if (text := show(turn)))

    def view(
        self, side: str, *, system: str = "", budget: Budget | None = None, show: Callable[[Turn], str] = text_of
    ) -> View:
        """The conversation as a side sees it, as a chat.

        A view that lost turns never begins with the side's own words, which chat templates refuse: such turns are
        dropped too, unless the budget has a `gap`.

        system  its system message; "": none. Not part of the budget
        show    how a turn is written (under a heading, say); "" leaves it out, and is not counted as dropped
        raises  ValueError: what must stay does not fit the budget
        """
        seen, budget = tuple(turn for turn in self.seen_by(side).turns if show(turn)), budget or Budget()
        out = budget.dropped([show(turn) for turn in seen])
        stop = out.stop
        if out and not budget.gap and not out.start:
            while stop < len(seen) and seen[stop].speaker == side:
                stop += 1
        dropped = seen[out.start : stop]
        gap = [Message("user", budget.gap.format(n=len(dropped)))] if dropped and budget.gap else []
        head, tail = (
            [Message("assistant" if turn.speaker == side else "user", show(turn)) for turn in part]
            for part in (seen[: out.start], seen[stop:])
        )
        first = [Message("system", system)] if system else []
        return View(_merged([*first, *head, *gap, *tail]), dropped, len(seen))


def forced(
    contents: Sequence[str], *, system: str | None = None, form: Form | None = None, item: Item | None = None
) -> Prompt:
    """A chat whose turns are all given: the user's and the assistant's by turns, the user's first and last.

    raises  ValueError: an even number of turns, so that the last would be the assistant's

    >>> [m.role for m in forced(["Is it so?", "It is.", "Are you sure?"], system="Be brief.").messages]
    ['system', 'user', 'assistant', 'user']
    """
    if len(contents) % 2 == 0:
        raise ValueError(f"there are {len(contents)} turns; a chat that is to be answered ends with the user's")
    prompt = Prompt.user(contents[0], system=system, form=form, item=item)
    for reply, user in zip(contents[1::2], contents[2::2], strict=True):
        prompt = prompt.then(reply, user, form=form)
    return prompt


def _merged(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Messages of one role in a row as one: chat templates want the roles to alternate."""
    found: list[Message] = []
    for message in messages:
        if found and found[-1].role == message.role:
            found[-1] = Message(message.role, BETWEEN.join([found[-1].content, message.content]))
        else:
            found.append(message)
    return tuple(found)
