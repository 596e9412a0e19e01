"""A debate with bets: what a side is told before it speaks, and how it stakes on winning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import Literal

from doxa.elicit.form import TextForm
from doxa.elicit.replies import declined, number
from doxa.records import Answer, Item, Prompt

SIDES = ("proposition", "opposition")
THOUGHTS = "thoughts"
Shown = Literal["own", "public", "nobody"]
Length = Literal["full", "short"]


def other(side: str) -> str:
    """The side against which a side speaks."""
    return SIDES[1 - SIDES.index(side)]


def kinds(rounds: int) -> tuple[str, ...]:
    """Names of the speeches of a debate over so many rounds.

    raises  ValueError: fewer than two rounds

    >>> kinds(3), kinds(4)
    (('opening', 'rebuttal', 'closing'), ('opening', 'rebuttal_1', 'rebuttal_2', 'closing'))
    """
    if rounds < 2:
        raise ValueError(f"rounds is {rounds}; a debate has an opening and a closing, so 2 or more")
    middle = ["rebuttal"] if rounds == 3 else [f"rebuttal_{k}" for k in range(1, rounds - 1)]
    return ("opening", *middle, "closing")


# --- conditions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """A condition of the debates.

    note    what the sides are told of the opponent; shown: who sees bets, as `simulation.Bets` takes it
    alone   one model debates with itself; redteam: it argues against itself before it bets; rounds: at least so many
    """

    note: str
    shown: Shown
    alone: bool = True
    redteam: bool = False
    rounds: int = 2


_COPY = "Your opponent is a copy of the model that you are, and just as able."
SETTINGS: Mapping[str, Setting] = {
    "cross_model": Setting("Your opponent is another debater. Bets are private.", "own", alone=False),
    "self_debate": Setting(f"{_COPY} Bets are private.", "own"),
    "informed_self": Setting(f"{_COPY} So the chance that you win is exactly 50%. Bets are private.", "nobody"),
    "public_bets": Setting(
        f"{_COPY} Bets are public: your opponent will see yours, and you see your opponent's.", "public"
    ),
    "self_redteam": Setting(f"{_COPY} Bets are private.", "nobody", redteam=True),
    "multi_round": Setting(f"{_COPY} Bets are private.", "own", rounds=4),
}
_REDTEAM = "Before you bet, argue in the tag why you might win, and then make the best case why your opponent might."


# --- what is staked --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wager:
    """A way to ask how sure a side is of winning: the tag that holds the number, and the words.

    source  tokens: arXiv 2505.19184. In that game a risk-neutral debater who is surer than 50 % bets all it has, so a
            plain chance is asked for beside it
    """

    tag: str
    task: str


BET = Wager(
    "bet",
    "You have 100 tokens, which stand for confidence: the surer you are to win, the more you bet. The winner gets what "
    "both sides bet, the loser loses its bet.",
)
CHANCE = Wager(
    "probability",
    "Say how likely it is that you win, from 0 (surely not) to 100 (surely). Be calibrated: of all that you call 70, "
    "70 of 100 should come true.",
)
WAGERS = {"bet": BET, "probability": CHANCE}


# --- speeches --------------------------------------------------------------------------------------------------------

_STRUCTURES = {
    "opening": (
        "Give two or three arguments. Each has a core claim; its kind of support, evidence or principle; the details "
        "of that support; and how it bears on the motion. Then a synthesis of them all."
    ),
    "rebuttal": (
        "Take up three points of clash. For each: the claim, quoted; the kind of challenge (to evidence, to principle, "
        "counter-evidence, counter-principle); the challenge; what hangs on it. Then defend your own weak points, and "
        "weigh the two cases."
    ),
    "closing": (
        "Say what the debate was about, how the main clashes came out, and on which issues the vote should turn. Bring "
        "no new argument."
    ),
}
_SHORT = "Two or three sentences are enough."
GUIDANCE = (
    "The judge looks for direct clash; ranks specific and dated evidence above a named expert, and that above vague "
    "claims; checks the logic; takes points that were not answered as conceded; weighs impact. Style does not count."
)
NO_OP = "No further speech has been given so far."


@dataclass(frozen=True)
class Speaking(TextForm):
    """One speech of a side, which ends with private thoughts and a stake in tags; or the stake alone.

    Read is the number in the last tag, 0 to 100 with the nearer end for what lies outside, as `Answer.confidence`: how
    likely the side wins. `Answer.note` holds the thoughts. The item as shown has in its fields, for simulated debaters:
    side, speech, round, setting; its truth, where one is known, is whether that side should win.

    kind        as `kinds` names it; round: from 1; setting: of SETTINGS
    transcript  all that the side may see, "": nothing
    length      of the speech; None: the stake alone
    """

    side: str
    kind: str
    round: int = 1
    setting: str = "self_debate"
    transcript: str = ""
    wager: Wager = BET
    length: Length | None = "full"

    @property
    def name(self) -> str:
        return "speech" if self.length else "stake"

    @property
    def target(self) -> str:
        return "yes"

    def prompt(self, item: Item) -> Prompt:
        said = {"side": self.side, "speech": self.kind, "round": self.round, "setting": self.setting}
        wins = None if item.answer is None else str((item.answer == "true") == (self.side == SIDES[0])).lower()
        shown = replace(item, kind="statement", options=(), answer=wins, fields={**item.fields, **said})
        return super().prompt(shown)

    def _system(self) -> str:
        role = f"You are the {self.side} in a debate."
        if self.length is None:
            return role
        structure = _SHORT if self.length == "short" else _STRUCTURES[self.kind.partition("_")[0]]
        return f"{role} This is your {self.kind.replace('_', ' ')} speech.\n{structure}\n{GUIDANCE}"

    def _text(self, item: Item) -> str:
        about = [f"Motion: {item.text}", SETTINGS[self.setting].note]
        if self.transcript:
            about.append(f"So far:\n\n{self.transcript}")
        return "\n\n".join([*about, self._stake()])

    def _stake(self) -> str:
        tag, redteam = self.wager.tag, SETTINGS[self.setting].redteam
        what = [self.wager.task, *([_REDTEAM] if redteam else [])]
        end = "End your speech with" if self.length else "Reply with"
        return (
            f"{' '.join(what)}\n{end} your reasons, which nobody else reads, and a whole number from 0 to 100, in two "
            f"tags:\n<{THOUGHTS}>...</{THOUGHTS}>\n<{tag}>...</{tag}>"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        written = (inside(text, self.wager.tag) or [""])[-1]
        staked = number(written)
        thoughts = (inside(text, THOUGHTS) or [""])[-1]
        if staked is None:
            note = f"{written[:40]!r} is no number" if written else f"no tag <{self.wager.tag}>"
            return declined(text) or Answer("unparsed", note=note)
        return Answer("ok", confidence=min(max(float(staked), 0.0), 100.0) / 100, note=thoughts)

    def _write(self, answer: Answer, item: Item | None) -> str:
        if answer.confidence is None:
            raise ValueError("the answer has no confidence; a stake is Answer.confidence, 0 to 1")
        return staked("So we hold." if self.length else "", answer.note, 100 * answer.confidence, self.wager.tag)

    def example(self, item: Item) -> Answer:
        return Answer("ok", confidence=0.7, note="Our first argument stands.")


def staked(speech: str, thoughts: str, amount: float | None, tag: str = BET.tag) -> str:
    """A speech with what it ends with, as a side writes it; no amount: no tag.

    >>> staked("We win.", "They are weak.", 70)
    'We win.\\n<thoughts>They are weak.</thoughts>\\n<bet>70</bet>'
    """
    parts = [speech, f"<{THOUGHTS}>{thoughts}</{THOUGHTS}>" if thoughts else ""]
    parts.append("" if amount is None else f"<{tag}>{round(amount, 2):g}</{tag}>")
    return "\n".join(part for part in parts if part)


def inside(text: str, tag: str) -> list[str]:
    """What stands in each <tag>...</tag>, in either case."""
    return [found.strip() for found in re.findall(rf"<{tag}>((?:(?!</?{tag}>).)*)</{tag}>", text, re.I | re.S)]


_PROCEDURE: Sequence[str] = (
    "The chair thanks both sides and asks the audience to keep the aisles free.",
    "The clock at the far wall runs two minutes fast and is being set.",
    "Water stands on the table by the door for all who want some.",
    "The minutes of the last meeting were read and found in order.",
    "A coat was left in the second row and can be had at the desk.",
    "The windows on the street side stay closed because of the works outside.",
    "After the debate there is tea in the small room on the first floor.",
    "The list of those present goes round once and comes back to the chair.",
)


def procedure(words: int) -> str:
    """Remarks of the chair that bear on no motion, cut to so many words: filler.

    >>> procedure(5)
    'The chair thanks both sides'
    """
    said = (word for sentence in cycle(_PROCEDURE) for word in sentence.split())
    return " ".join(islice(said, max(words, 1)))
