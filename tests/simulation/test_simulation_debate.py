"""Debates: who sees what, bets that stay where they belong, and debates that go on where they stopped."""

import asyncio

import pytest
from pytest import approx

from doxa.elicit.answers import Letter
from doxa.models.simulated import Respondent
from doxa.records import Item, Prompt, Reply
from doxa.simulation import Bets, Conversation, Turn, debate, due
from doxa.simulation.debate import tagged, untagged
from doxa.study import Ask

SIDES = ("for", "against")


class Scripted:
    """Speaks by a script, and keeps what it was shown."""

    def __init__(self, says):
        self.says, self.asked = says, []

    async def sample(self, prompt, sampling, *, condition="neutral"):
        self.asked.append((condition, prompt.messages[-1].content, sampling.seed))
        return [Reply(self.says(condition, len(self.asked)))]

    async def score(self, prompt, continuations, *, condition="neutral"):
        raise AssertionError("nothing is scored in a debate")


def echo(side, round, seen):
    """Shows all that may be seen."""
    return Prompt.user(f"{side} {round} sees: " + " / ".join(f"{t.kind} {t.text}" for t in seen.turns))


def betting(condition, count):
    _, side, round = condition.split("/")
    return f"speech-{side}-{round} <thoughts>why-{side}-{round}</thoughts> <bet>{50 + 10 * int(round)}</bet>"


def held(asks, **settings):
    return asyncio.run(debate(asks, echo, **settings))


def test_sides_speak_by_turns_and_hear_each_other():
    person = Scripted(lambda condition, count: f"says {count}")
    talk = held(dict.fromkeys(SIDES, person), rounds=2)
    assert [(t.speaker, t.round, t.text) for t in talk.turns] == [
        *(("for", 1, "says 1"), ("against", 1, "says 2"), ("for", 2, "says 3"), ("against", 2, "says 4"))
    ]
    assert [asked for _, asked, _ in person.asked] == [
        "for 1 sees: ",
        "against 1 sees: speech says 1",
        "for 2 sees: speech says 1 / speech says 2",
        "against 2 sees: speech says 1 / speech says 2 / speech says 3",
    ]
    assert [condition for condition, *_ in person.asked][:2] == ["debate/for/1", "debate/against/1"]


def test_openings_see_nothing_and_rounds_are_closed_when_all_speak_at_once():
    person = Scripted(lambda condition, count: f"says {count}")
    held(dict.fromkeys(SIDES, person), rounds=2, simultaneous=True)
    shown = [asked for _, asked, _ in person.asked]
    assert shown[:2] == ["for 1 sees: ", "against 1 sees: "]
    assert shown[2:] == [f"{side} 2 sees: speech says 1 / speech says 2" for side in SIDES]


@pytest.mark.parametrize(
    ("shown", "own", "other"),
    [("own", {"bet", "why"}, set()), ("public", {"bet", "why"}, {"bet"}), ("nobody", set(), set())],
)
def test_bets_are_seen_by_whom_they_should(shown, own, other):
    sides = {side: Scripted(betting) for side in SIDES}
    talk = held(sides, rounds=3, hear=Bets(shown=shown), simultaneous=True)
    last = {side: person.asked[-1][1] for side, person in sides.items()}
    for side, opponent in (SIDES, SIDES[::-1]):
        seen = last[side]
        assert f"speech-{opponent}-2" in seen and "-3" not in seen
        assert {"why"} & own == ({"why"} if f"why-{side}-2" in seen else set())
        assert f"why-{opponent}" not in seen  # reasons are private in every case
        assert seen.count("bet 70") == ("bet" in own) + ("bet" in other)
    assert len(talk.of_kind("bet")) == 6 and len(talk.of_kind("thoughts")) == 6  # all on record
    assert [turn.number for turn in talk.of_kind("bet", by="for")] == [60.0, 70.0, 80.0]


@pytest.mark.parametrize(
    ("reply", "amount", "outcome"),
    [
        ("So. <bet>120</bet>", 100.0, "ok"),
        ("So. <BET> 0 </BET>", 0.0, "ok"),  # no bet is missing because it is 0
        ("So. <bet>70</bet> No: <bet>40</bet>", 40.0, "ok"),
        ("So. <bet>-5</bet>", 0.0, "ok"),
        ("So. <bet>all of it</bet>", None, "unparsed"),
        ("So.", None, "unparsed"),
    ],
)
def test_bets_are_read_from_the_last_tag(reply, amount, outcome):
    *_, bet = Bets()("for", 1, Reply(reply))
    assert (bet.kind, bet.number, bet.outcome) == ("bet", amount, outcome)


def test_a_speech_is_what_stands_outside_the_tags():
    speech, thoughts, bet = Bets()("for", 2, Reply("It is so. <thoughts>They\nare weak.</thoughts><bet>60</bet>"))
    assert (speech.text, thoughts.text, bet.text) == ("It is so.", "They\nare weak.", "60")
    assert thoughts.only == bet.only == ("for",) and speech.only is None
    cut = Bets()("for", 2, Reply("It is", finish="length"))
    assert [(turn.kind, turn.outcome) for turn in cut] == [("speech", "truncated"), ("bet", "truncated")]
    assert tagged("<b>1</b><b>2</b>", "b") == ["1", "2"] and untagged("a <b>1</b>", "b") == "a"


def test_an_unread_bet_is_asked_for_again_with_another_seed():
    person = Scripted(lambda condition, count: "So. <bet>60</bet>" if count == 3 else "So.")
    talk = held({"for": person}, rounds=1, hear=Bets(), attempts=5)
    assert [seed for *_, seed in person.asked] == [0, 1, 2] and talk.of_kind("bet")[0].number == 60.0
    person = Scripted(lambda condition, count: "So.")
    (bet,) = held({"for": person}, rounds=1, hear=Bets(), attempts=2).of_kind("bet")
    assert len(person.asked) == 2 and (bet.number, bet.outcome) == (None, "unparsed")


def test_a_debate_goes_on_where_it_was_cut_short():
    def sides():
        return {side: Scripted(betting) for side in SIDES}

    whole = held(sides(), rounds=3, hear=Bets())
    for kept in range(0, len(whole.turns) + 1, 3):  # a speech, thoughts and a bet at a time
        begun = Conversation.of(Conversation(whole.turns[:kept]).records())
        again = sides()
        assert held(again, rounds=3, hear=Bets(), begun=begun) == whole
        assert sum(len(person.asked) for person in again.values()) == 6 - kept // 3


def test_who_is_due():
    assert due(Conversation(), SIDES, 1) == ("for", 1)
    assert due(Conversation((Turn("for", "first view"),)), SIDES, 1) == ("for", 1)  # round 0 is before the debate
    both = Conversation(tuple(Turn(side, "", 1) for side in SIDES))
    assert due(both, SIDES, 1) is None and due(both, SIDES, 2) == ("for", 2)


def test_a_planted_bias_and_drift_of_bets_comes_back():
    # Bets 50 + d/2 + 20 + 5 (r - 1) and its mirror image: by symmetry the mean is the bias, whatever the skills.
    totals = []
    for skill in range(-20, 21, 4):

        def says(condition, count, skill=skill):
            _, side, round = condition.split("/")
            lead = skill / 2 if side == "for" else -skill / 2
            return f"So. <bet>{50 + lead + 20 + 5 * (int(round) - 1):g}</bet>"

        talk = held(dict.fromkeys(SIDES, Scripted(says)), rounds=3, hear=Bets(), simultaneous=True)
        totals.append([sum(t.number for t in talk.of_kind("bet") if t.round == r) for r in (1, 2, 3)])
    means = [sum(column) / len(totals) / 2 for column in zip(*totals, strict=True)]
    assert means == approx([70, 75, 80])


TOPIC = Item("tax", "Should taxes fall?", "choice", ("Support", "Oppose"))


def swayed(own, other, by):
    """Leans 2.2 to its own option, and loses `by` with each message of the other side's that is in front of it."""

    def decide(item, context, prompt):
        lean = 2.2 - by * prompt.show().count(f"I am for {other}")
        return {own if lean > 0 else other: 1.0}

    return Respondent(decide=decide)


@pytest.mark.parametrize(("side", "by", "flips"), [("alpha", 0.5, 5), ("beta", 0.5, 4), ("alpha", 0.0, None)])
def test_a_planted_swaying_shows_at_its_round(side, by, flips):
    # Alpha has R opposing messages in front of it after round R, beta R + 1: 2.2 - .5 k < 0 from k = 5 on.
    own, other = ("A", "B") if side == "alpha" else ("B", "A")
    says = {"alpha": "I am for A", "beta": "I am for B"}
    views = Conversation((Turn("user", "Discuss."), *(Turn(name, text) for name, text in says.items())))
    asks = {name: Scripted(lambda condition, count, text=text: text) for name, text in says.items()}
    talk = held(asks, rounds=10, begun=views)

    async def answers():
        ask = Ask(swayed(own, other, by), TOPIC)
        for round in range(1, 11):
            prompt = talk.through(round, side).view(side).then(Letter().prompt(TOPIC))
            yield Letter().read(await ask.generate(prompt, condition=f"round {round}"), TOPIC).value

    async def collected():
        return [answer async for answer in answers()]

    after = asyncio.run(collected())
    assert after == [own] * 10 if flips is None else after == [own] * (flips - 1) + [other] * (11 - flips)


def test_impossible_debates_are_refused():
    person = Scripted(lambda condition, count: "So.")
    with pytest.raises(ValueError, match="rounds is 0 and attempts 1"):
        held({"for": person}, rounds=0)
    with pytest.raises(ValueError, match="holds no speech of it"):
        held({"for": person}, rounds=1, hear=lambda side, round, reply: ())
