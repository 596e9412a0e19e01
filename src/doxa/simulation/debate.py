"""A debate: sides that speak in rounds, each seeing what it may see, with bets that are private, public or hidden."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from doxa.elicit.asker import Asker
from doxa.elicit.replies import answer_part, number
from doxa.records import Outcome, Prompt, Reply, Sampling
from doxa.simulation.conversation import Conversation, Turn

Address = Callable[[str, int, Conversation], Prompt]
"""A side, a round (from 1) and what that side may see -> the prompt that makes it speak: the study's wording."""

Hear = Callable[[str, int, Reply], Sequence[Turn]]
"""A side, a round and its reply -> the turns it makes: a speech first, then what else is in it, such as a bet."""

_READ: dict[str, Outcome] = {"length": "truncated", "refusal": "refused", "error": "failed"}


def spoken(side: str, round: int, reply: Reply) -> tuple[Turn, ...]:
    """The whole reply, without its thinking, as a speech that all hear."""
    return (Turn(side, answer_part(reply.text).strip(), round, outcome=_READ.get(reply.finish, "ok")),)


@dataclass(frozen=True)
class Bets:
    """Hears a speech that ends with private thoughts and a bet, each in a tag of its own.

    A turn of kind "speech" holds what is outside the tags, one of kind "thoughts" and one of kind "bet" the rest. The
    bet's text is as written, its number what it counts as; the last of several tags counts.

    amount, thoughts  names of the tags, in either case
    shown   "own": a side sees its own thoughts and bets; "public": all see the bets, too; "nobody": they are for the
            record. Thoughts never reach the other side
    top     bets are 0 to top; what lies outside counts as the nearer end, as published
    """

    amount: str = "bet"
    thoughts: str = "thoughts"
    shown: Literal["own", "public", "nobody"] = "own"
    top: float = 100.0

    def __call__(self, side: str, round: int, reply: Reply) -> tuple[Turn, ...]:
        (speech,) = spoken(side, round, reply)
        own = () if self.shown == "nobody" else (side,)
        written = (tagged(speech.text, self.amount) or [""])[-1]
        amount = number(written)
        bet = Turn(side, written, round, "bet", None if self.shown == "public" else own)
        if amount is None:
            bet = replace(bet, outcome="unparsed" if speech.outcome == "ok" else speech.outcome)
        else:
            bet = replace(bet, number=min(max(float(amount), 0.0), self.top))
        thoughts = (Turn(side, text, round, "thoughts", own) for text in tagged(speech.text, self.thoughts)[-1:])
        return (replace(speech, text=untagged(speech.text, self.amount, self.thoughts)), *thoughts, bet)


def tagged(text: str, name: str) -> list[str]:
    """What stands in each <name>...</name> of a text, in order, whatever the case of the name.

    >>> tagged("So there. <BET> 70 </BET>", "bet")
    ['70']
    """
    return [found.strip() for found in re.findall(_tag(name), text, re.I | re.S)]


def untagged(text: str, *names: str) -> str:
    """A text without the tags of these names and what is in them.

    >>> untagged("So there. <bet>70</bet>", "bet")
    'So there.'
    """
    for name in names:
        text = re.sub(_tag(name), "", text, flags=re.I | re.S)
    return text.strip()


def _tag(name: str) -> str:
    return rf"<{re.escape(name)}>((?:(?!</?{re.escape(name)}>).)*)</{re.escape(name)}>"


def due(conversation: Conversation, sides: Sequence[str], rounds: int) -> tuple[str, int] | None:
    """Who speaks next, and in which round (from 1); None: all have spoken in all rounds.

    >>> due(Conversation((Turn("a", "I begin.", 1),)), ("a", "b"), 2)
    ('b', 1)
    """
    said = {(turn.speaker, turn.round) for turn in conversation.turns if turn.kind == "speech"}
    every = ((side, round) for round in range(1, rounds + 1) for side in sides)
    return next((speaker for speaker in every if speaker not in said), None)


async def debate(
    asks: Mapping[str, Asker],
    address: Address,
    *,
    rounds: int,
    begun: Conversation | None = None,
    hear: Hear = spoken,
    simultaneous: bool = False,
    attempts: int = 1,
    sampling: Sampling | None = None,
    condition: str = "debate",
) -> Conversation:
    """Let the sides speak, round by round, in the order of `asks`, and return everything that was said.

    asks          side -> who speaks for it; one respondent for all sides: it debates with itself
    address       makes the prompt from what the side may see, and from nothing else
    begun         what was said already: turns before the first round, and those of a debate that was cut short
    hear          turns a reply into turns; `Bets` hears bets
    simultaneous  nobody sees what others say in the same round, so that no side has the last word
    attempts      a reply of which not all can be read is asked for again, with another seed, up to so many times in
                  all; the last one is kept, with its outcome. Of use where sampling has a temperature
    condition     named to respondents as "condition/side/round"
    raises        ValueError: rounds or attempts below 1; a reply that makes no speech of that side and round
    """
    if rounds < 1 or attempts < 1:
        raise ValueError(f"rounds is {rounds} and attempts {attempts}; both are at least 1")
    said = begun or Conversation()
    while speaker := due(said, tuple(asks), rounds):
        side, round = speaker
        prompt = address(side, round, visible(said, side, round, simultaneous=simultaneous))
        for attempt in range(attempts):
            how = replace(sampling or Sampling(), n=1)
            how = replace(how, seed=how.seed + attempt)
            (reply,) = await asks[side].sample(prompt, how, condition=f"{condition}/{side}/{round}")
            turns = tuple(hear(side, round, reply))
            if all(turn.outcome == "ok" for turn in turns):
                break
        if not _speaks(turns, side, round):
            raise ValueError(f"what was heard of {side!r} in round {round} holds no speech of it: {turns}")
        said = said.say(*turns)
    return said


def visible(conversation: Conversation, side: str, round: int, *, simultaneous: bool) -> Conversation:
    """What a side sees before it speaks in a round."""
    seen = conversation.seen_by(side)
    return seen.before(round) if simultaneous else seen


def _speaks(turns: Sequence[Turn], side: str, round: int) -> bool:
    return any((turn.speaker, turn.round, turn.kind) == (side, round, "speech") for turn in turns)
