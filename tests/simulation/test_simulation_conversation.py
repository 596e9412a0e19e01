"""Conversations as data: what each side sees, what a budget drops, and that everything follows from the turns."""

import json

import pytest

from doxa.elicit.answers import TrueFalse
from doxa.records import Item, Message, Prompt
from doxa.simulation import Budget, Conversation, Turn, forced

STATEMENT = Item("sky", "The sky is blue.", "statement", answer="true")


def moves(rounds):
    """A question, both sides' first views, then so many rounds of a message from alpha and one from beta."""
    first = (Turn("user", "query"), Turn("alpha", "a0"), Turn("beta", "b0"))
    return Conversation((*first, *(Turn(s, f"{s[0]}{r}", r) for r in range(1, rounds + 1) for s in ("alpha", "beta"))))


def shown(view):
    return [(m.role[0], m.content) for m in view.messages]


def test_each_side_sees_its_own_turns_as_the_assistants():
    talk = moves(1)
    assert shown(talk.view("alpha")) == [("u", "query"), ("a", "a0"), ("u", "b0"), ("a", "a1"), ("u", "b1")]
    # To beta the question and alpha's first view are both said by another, so they are one message.
    assert shown(talk.view("beta")) == [("u", "query\n\na0"), ("a", "b0"), ("u", "a1"), ("a", "b1")]
    assert shown(talk.view("beta", system="Seek the truth."))[0] == ("s", "Seek the truth.")


@pytest.mark.parametrize("rounds", [1, 3, 10])
def test_the_slice_of_a_round_ends_with_the_measured_sides_turn(rounds):
    # 2 R + 2 messages: for alpha R + 1 of its own and R opposing ones, for beta R + 1 and R + 1 (two in its first).
    talk = moves(10)
    for side, opposing in (("alpha", rounds), ("beta", rounds + 1)):
        cut = talk.through(rounds, side)
        messages = cut.view(side).messages
        assert len(messages) == 2 * rounds + 2 and messages[-1] == Message("assistant", f"{side[0]}{rounds}")
        others = "beta" if side == "alpha" else "alpha"
        assert len(cut.of_kind("speech", by=side)) == rounds + 1
        assert len(cut.of_kind("speech", by=others)) == opposing
    with pytest.raises(ValueError, match="'gamma' says nothing in round 1; there spoke: alpha, beta"):
        talk.through(1, "gamma")


def test_what_only_one_side_sees_stays_with_it():
    talk = Conversation((Turn("a", "speech"), Turn("a", "secret", only=("a",)), Turn("a", "record", only=())))
    assert shown(talk.view("a")) == [("a", "speech\n\nsecret")]
    assert shown(talk.view("b")) == [("u", "speech")]
    assert len(talk.turns) == 3 and len(talk.seen_by("b").turns) == 1


def test_a_form_is_asked_behind_the_context_and_keeps_its_item():
    form = TrueFalse()
    view = moves(1).view("alpha", system="Be fair.")
    prompt = view.then(form.prompt(STATEMENT))
    assert prompt.form == form and prompt.item == STATEMENT
    assert [m.role for m in prompt.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert prompt.messages[-1].content == "b1\n\n" + form.prompt(STATEMENT).messages[-1].content
    both = view.then(Prompt.user("And?", system="Answer briefly."))
    assert both.messages[0] == Message("system", "Be fair.\n\nAnswer briefly.")
    with pytest.raises(ValueError, match="plain-text prompt cannot follow a chat"):
        view.then(Prompt(text="The sky is"))


def test_an_empty_conversation_changes_no_prompt():
    prompt = TrueFalse().prompt(STATEMENT)
    assert Conversation().view("a").then(prompt) == prompt
    assert Conversation().view("a", budget=Budget(turns=1, tokens=1)).note == ""


def test_a_budget_drops_the_oldest_and_says_so():
    talk = moves(3)  # 9 turns of one word each
    view = talk.view("alpha", budget=Budget(turns=4))
    # The last four are a2 b2 a3 b3, of which a2 would make the chat begin with its own words: it goes, too.
    assert shown(view) == [("u", "b2"), ("a", "a3"), ("u", "b3")]
    assert [turn.text for turn in view.dropped] == ["query", "a0", "b0", "a1", "b1", "a2"]
    assert view.note == "6 of 9 turns (6 words) left out, the oldest first"
    assert talk.view("alpha").note == "" and talk.view("alpha").dropped == ()


def test_a_budget_keeps_the_beginning_and_marks_the_gap():
    view = moves(3).view("alpha", budget=Budget(tokens=4, keep=1, gap="[{n} turns left out]"))
    assert shown(view) == [("u", "query\n\n[5 turns left out]\n\nb2"), ("a", "a3"), ("u", "b3")]
    assert len(view.dropped) == 5 and view.turns == 9


def test_a_budget_counts_as_it_is_told():
    talk = Conversation((Turn("u", "aaaa bb"), Turn("u", "cc")))
    assert len(talk.view("x", budget=Budget(tokens=8, count=len)).dropped) == 1
    assert len(talk.view("x", budget=Budget(tokens=9, count=len)).dropped) == 0


def test_what_must_stay_must_fit():
    with pytest.raises(ValueError, match="the 2 turns that must stay hold 2 tokens; the budget is any number of turns"):
        moves(3).view("alpha", budget=Budget(tokens=1, keep=1))
    with pytest.raises(ValueError, match="turns is 0; a budget is at least 1"):
        Budget(turns=0)
    with pytest.raises(ValueError, match="keep is -1"):
        Budget(keep=-1)


def test_turns_are_shown_as_the_study_writes_them():
    talk = moves(1).say(Turn("alpha", "70", 1, "bet", number=70.0))

    def headed(turn):
        return f"{turn.speaker.upper()}: {turn.text}" if turn.kind == "speech" and turn.round else ""

    assert talk.transcript(headed) == "ALPHA: a1\n\nBETA: b1"
    view = talk.view("beta", show=headed, budget=Budget(turns=1))
    assert view.messages == () and len(view.dropped) == 2  # what is left would begin with its own words
    assert shown(talk.view("alpha", show=headed)) == [("a", "ALPHA: a1"), ("u", "BETA: b1")]


def test_a_conversation_comes_back_from_its_records():
    talk = moves(2).say(Turn("alpha", "70", 2, "bet", ("alpha",), number=70.0), Turn("beta", "?", 2, only=()))
    assert Conversation.of(json.loads(json.dumps(talk.records()))) == talk
    with pytest.raises(TypeError, match="loudness"):
        Conversation.of([{"speaker": "a", "text": "b", "loudness": 3}])


def test_forced_turns_end_with_the_users():
    prompt = forced(["Is it so?", "It is.", "Are you sure?"], system="You guide a tour.", item=STATEMENT)
    assert prompt.messages == (
        *(Message("system", "You guide a tour."), Message("user", "Is it so?")),
        *(Message("assistant", "It is."), Message("user", "Are you sure?")),
    )
    assert prompt.item == STATEMENT
    assert forced(["Is it so?"]) == Prompt.user("Is it so?")
    for even in ([], ["Is it so?", "It is."]):
        with pytest.raises(ValueError, match=f"there are {len(even)} turns"):
            forced(even)
