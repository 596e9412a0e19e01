"""Talks that accumulate: slices, silence, resumption from recorded turns, masking; texts of a given length."""

import asyncio

import pytest

from doxa.data.positions import positions
from doxa.models.simulated import Respondent
from doxa.records import Reply
from doxa.simulation.accumulation import MASK, Scripted, Talk, heard, masked
from doxa.simulation.conversation import Conversation
from doxa.simulation.tracts import cut, document, filler, message
from doxa.study import Ask

(ITEM,) = positions("topics", 1)


def held(talk, rounds, ask=None, begun=None):
    ask = ask or Scripted(lambda round: f"Mine, {round}.")
    said = talk.held(ask, Scripted(lambda round: f"Theirs, {round}."), ITEM, rounds, begun=begun)
    return asyncio.run(said)


@pytest.mark.parametrize(
    ("way", "side", "others", "theirs"),
    [("debate", "alpha", "No.", 3), ("debate", "beta", "No.", 4), ("persuasion", "target", "", 3)],
)
def test_after_three_rounds_there_are_eight_messages_and_the_last_is_its_own(way, side, others, theirs):
    talk = Talk(way, side, "Which?", "Yes.", others, "information", "No.")
    said = held(talk, 5)
    messages = talk.after(said, 3).messages
    assert len(messages) == 8 and messages[-1].role == "assistant" and messages[-1].content == "Mine, 3."
    assert sum(m.role == "assistant" for m in messages) == 4
    assert sum("Theirs" in m.content or "No." in m.content for m in messages) == theirs


def test_a_talk_that_was_cut_short_goes_on_from_its_records():
    talk = Talk("debate", "alpha", "Which?", "Yes.", "No.")
    whole = held(talk, 4)
    begun = Conversation.of(Conversation(whole.turns[:6]).records())
    asked = Ask(Respondent(), ITEM)
    assert held(talk, 4, begun=begun) == whole
    asyncio.run(talk.held(asked, Scripted(lambda round: "x"), ITEM, 4, begun=begun))
    assert len(asked.calls) == 2  # alpha's rounds 3 and 4 alone


def test_a_silence_is_a_turn():
    (turn,) = heard("alpha", 1, Reply(""))
    assert turn.text and turn.outcome == "unparsed"


def test_the_most_relevant_sentences_are_masked_and_own_ones_stay():
    talk = Talk("persuasion", "target", "Is bread good?", "Bread is good.", technique="information", claim="x")
    said = asyncio.run(
        talk.held(Scripted(lambda r: "Bread is good."), Scripted(lambda r: "Bread is bad. It rains."), ITEM, 1)
    )
    left = masked(said, "target", {"a": "Bread is bad"}, 0.5)
    assert [t.text for t in left.turns][2:] == [f"{MASK} It rains.", "Bread is good."]


def test_texts_have_the_length_that_is_asked_for():
    for words in (5, 40, 300):
        assert len(document(ITEM, "support", words).split()) == len(filler(words, item=ITEM).split()) == words
    assert document(ITEM, "oppose", 300).startswith(document(ITEM, "oppose", 40))
    assert cut("a  b c", 2) == "a  b" and ITEM.options[0] in message(ITEM, "support", "elite", 2)
