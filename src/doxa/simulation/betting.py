"""A debate whose speeches end with bets; bets beside it that nobody hears of; and sides that only bet on statements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from doxa.elicit.answers import Probability
from doxa.elicit.asker import Asker
from doxa.elicit.authority import FILLER, behind
from doxa.elicit.debating import (
    NO_OP,
    SETTINGS,
    SIDES,
    THOUGHTS,
    WAGERS,
    Length,
    Setting,
    Speaking,
    Wager,
    kinds,
    procedure,
)
from doxa.elicit.hints import HINTS, with_hint
from doxa.records import Item, Outcome, Prompt, Reply, Sampling
from doxa.simulation.conversation import Conversation, Turn
from doxa.simulation.debate import Bets, debate

BESIDE = 1000  # seeds of what is asked beside a debate begin here: no speech has them
CONTROLS = ("again", "no-op", "filler")


@dataclass(frozen=True)
class Rules:
    """How a debate is held.

    setting   a name of SETTINGS; another one, of a recorded debate, goes on as self_debate
    rounds    speeches of each side; length: of a speech, None: bets alone
    wager     name of WAGERS; attempts: how often a reply without a bet is asked for, in all
    """

    setting: str = "self_debate"
    rounds: int = 3
    length: Length | None = "full"
    wager: str = "bet"
    attempts: int = 1
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def condition(self) -> Setting:
        return SETTINGS.get(self.setting, SETTINGS["self_debate"])

    @property
    def staked(self) -> Wager:
        return WAGERS[self.wager]

    @property
    def kinds(self) -> tuple[str, ...]:
        return kinds(self.rounds)

    @property
    def hears(self) -> Bets:
        return Bets(amount=self.staked.tag, thoughts=THOUGHTS, shown=self.condition.shown)

    @property
    def tries(self) -> int:
        """Attempts that can differ: at temperature 0 all are the same."""
        return self.attempts if self.sampling.temperature else 1

    def form(self, side: str, round: int, seen: str) -> Speaking:
        """The form of a speech."""
        name = self.setting if self.setting in SETTINGS else "self_debate"
        return Speaking(side, self.kinds[round - 1], round, name, seen, self.staked, self.length)


@dataclass(frozen=True)
class Stake:
    """A bet: 0 to 100, None where none could be read, with the whole reply. arm: "debate", or what it was asked for."""

    arm: str
    side: str
    speech: str
    round: int
    bet: float | None
    outcome: Outcome
    text: str

    @property
    def condition(self) -> str:
        """What respondents are told: as `debate` tells them."""
        return f"{self.arm}/{self.side}/{self.round}"

    def fields(self) -> dict[str, Any]:
        """The fields of a row."""
        return {**asdict(self), "condition": self.condition}


async def held(
    item: Item, asks: Mapping[str, Asker], rules: Rules, said: Sequence[Mapping[str, Any]] = ()
) -> Conversation:
    """The debate, from what was said on: of each recorded reply its side, round and text.

    Every reply also makes a turn of kind "reply" that nobody sees, with its text as it was.
    """

    def hear(side: str, round: int, reply: Reply) -> tuple[Turn, ...]:
        return (*rules.hears(side, round, reply), Turn(side, reply.text, round, "reply", only=()))

    def speak(side: str, round: int, seen: Conversation) -> Prompt:
        return rules.form(side, round, transcript(seen, side, rules)).prompt(item)

    turns = [turn for one in said for turn in hear(one["side"], one["round"], Reply(one["text"]))]
    return await debate(
        asks,
        speak,
        rounds=rules.rounds,
        begun=Conversation(tuple(turns)),
        hear=hear,
        simultaneous=True,
        attempts=rules.tries,
        sampling=rules.sampling,
    )


def transcript(seen: Conversation, side: str | None, rules: Rules) -> str:
    """What a side has seen, by rounds and under headings; side None: speeches alone, as judges see them."""

    def show(turn: Turn) -> str:
        head = f"{turn.speaker.capitalize()}, {rules.kinds[turn.round - 1].replace('_', ' ')}"
        if turn.kind == "speech":
            return f"[{head}]\n{turn.text}" if turn.text else ""
        if side is None or turn.kind not in ("bet", "thoughts") or not turn.text:
            return ""
        return f"[{head}, {'your' if turn.speaker == side else 'its'} {turn.kind}]\n{turn.text}"

    return Conversation(tuple(sorted(seen.turns, key=lambda turn: turn.round))).transcript(show)


def stakes(talk: Conversation, rules: Rules) -> Iterator[Stake]:
    """The bets of a debate."""
    replies = {(turn.speaker, turn.round): turn.text for turn in talk.of_kind("reply")}
    for bet in talk.of_kind("bet"):
        kind, text = rules.kinds[bet.round - 1], replies[bet.speaker, bet.round]
        yield Stake("debate", bet.speaker, kind, bet.round, bet.number, bet.outcome, text)


# --- beside a debate -------------------------------------------------------------------------------------------------


async def controls(item: Item, asks: Mapping[str, Asker], talk: Conversation, rules: Rules) -> AsyncIterator[Stake]:
    """What a rise of bets is held against, for each side; nothing of it is heard in the debate.

    again   the opening asked for once more, with another seed
    no-op   a bet alone, after the own opening and nothing else
    filler  a bet alone, after the own opening and remarks of the chair with as many words as all later speeches that
            the closing saw
    """
    for side in SIDES:
        seen = talk.seen_by(side)
        opening = Conversation(tuple(t for t in seen.turns if (t.speaker, t.round) == (side, 1)))
        later = [t for t in seen.before(rules.rounds).of_kind("speech") if (t.speaker, t.round) != (side, 1)]
        own, size = transcript(opening, side, rules), sum(len(turn.text.split()) for turn in later)
        alone = replace(rules, length=None)
        forms = {
            "again": rules.form(side, 1, ""),
            "no-op": alone.form(side, 1, f"{own}\n\n{NO_OP}".strip()),
            "filler": alone.form(side, rules.rounds, f"{own}\n\n[Chair]\n{procedure(size)}".strip()),
        }
        for arm, form in forms.items():
            yield await _staked(arm, form, item, asks[side], rules)


async def chances(item: Item, asks: Mapping[str, Asker], talk: Conversation, rules: Rules) -> AsyncIterator[Stake]:
    """A plain chance of winning after every speech, in a question of its own: arm "probability"."""
    plain = replace(rules, length=None, wager="probability")
    for side in SIDES:
        for round in range(1, rules.rounds + 1):
            heard = [t for t in talk.seen_by(side).turns if t.round < round or (t.speaker, t.round) == (side, round)]
            form = plain.form(side, round, transcript(Conversation(tuple(heard)), side, rules))
            yield await _staked("probability", form, item, asks[side], plain)


async def _staked(arm: str, form: Speaking, item: Item, ask: Asker, rules: Rules) -> Stake:
    """A bet; a reply without one is asked for again, with another seed."""
    prompt, condition = form.prompt(item), f"{arm}/{form.side}/{form.round}"
    for attempt in range(rules.tries):
        how = replace(rules.sampling, n=1, seed=rules.sampling.seed + BESIDE + attempt)
        (reply,) = await ask.sample(prompt, how, condition=condition)
        bet = rules.hears(form.side, form.round, reply)[-1]
        if bet.outcome == "ok":
            break
    return Stake(arm, form.side, form.kind, form.round, bet.number, bet.outcome, reply.text)


# --- without speeches ------------------------------------------------------------------------------------------------

_OPINIONS = tuple(hint for hint in HINTS if hint.group == "opinion")


async def claims(item: Item, asks: Mapping[str, Asker], rules: Rules, *, beside: bool = True) -> AsyncIterator[Stake]:
    """No debate: each side says how likely its own statement is true, as a bet of 0 to 100.

    The proposition's is the item's text, the opposition's fields["denial"]; one of them is true, so both bets ought to
    sum to 100. From the second round on it hears, as a hint, that the other side thinks its answer is false: opinions
    of growing authority.

    beside  also the controls that this leaves: asked again, and a line that claims nothing
    """
    places = [("debate", round) for round in range(1, rules.rounds + 1)]
    places += [("again", 1), ("filler", 1)] if beside else []
    for side, text in zip(SIDES, (item.text, str(item.fields["denial"])), strict=True):
        holds = None if item.answer is None else str((item.answer == "true") == (side == SIDES[0])).lower()
        for arm, round in places:
            kind = rules.kinds[round - 1]
            fields = {**item.fields, "side": side, "speech": kind, "round": round}
            shown = replace(item, text=text, answer=holds, fields=fields)
            prompt = Probability().prompt(shown)
            if arm == "filler":
                prompt = behind(prompt, FILLER)
            elif round > 1:
                rank = _place((round - 2) / max(rules.rounds - 2, 1), len(_OPINIONS) - 1)
                prompt = with_hint(prompt, _OPINIONS[rank], "false", shown)
            how = replace(rules.sampling, n=1, seed=rules.sampling.seed + (BESIDE if arm == "again" else 0))
            (reply,) = await asks[side].sample(prompt, how, condition=f"{arm}/{side}/{round}")
            answer = Probability().read(reply, shown)
            bet = None if answer.confidence is None else 100 * answer.confidence
            yield Stake(
                arm, side, kind, round, None if bet is None else float(f"{bet:.6f}"), answer.outcome, reply.text
            )


def _place(share: float, last: int) -> int:
    """The place in 0..last at a share of the way."""
    return int(share * last + 0.5)
