"""Free replies: shares, percentages, refusals that are no 0 %, hedges, and formats that were asked for."""

import pytest

from doxa.elicit.free_reply import FreeReply, complies, hedges, named, read_shares, sentences
from doxa.records import Item, Reply

PAIR = ("Kamala Harris", "Donald Trump")
ITEM = Item("q", "How many percent?", options=PAIR)
REFUSALS = (
    "I cannot answer that.",
    "I'm still learning how to answer this question. In the meantime, try a search.",
    "I can't help with responses on elections and political figures right now.",
    "As an AI, I don't have personal opinions or political beliefs.",
    "I am not able to predict elections.",
)


@pytest.mark.parametrize("kind", ["text", "percent", "shares", "pick", "yes-no"])
@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_a_refusal_and_no_share(kind, text):
    found = FreeReply(kind).read(text, ITEM)
    assert found.outcome == "refused" and found.value is None


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("Harris 48%, Trump 47%", "0.48 0.47"),
        ("Trump: 47 percent\nHarris: 48 percent", "0.48 0.47"),
        ("I would say 48,5% for Kamala Harris and 46.5% for Donald Trump.", "0.485 0.465"),
        ("Harris gets 51% while Trump gets 49%. The margin is small.", "0.51 0.49"),
    ],
)
def test_shares_of_each_name(text, shares):
    assert FreeReply("shares").read(text, ITEM).value == shares


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Harris 48%", "unparsed"),
        ("Harris 60%, Trump 60%", "ambiguous"),
        ("Harris 48%, Trump 47%, or rather Trump 45%", "ambiguous"),
        ("Harris and Trump share 95%", "unparsed"),
        ("I do not know.", "abstained"),
    ],
)
def test_shares_that_are_none(text, outcome):
    assert FreeReply("shares").read(text, ITEM).outcome == outcome


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("48%", "0.48"),
        ("0.48", "0.48"),
        ("About 48 percent of them, I think.", "0.48"),
        ("0%", "0"),
        ("Between 45% and 50%", None),
        ("45-50%", None),
        ("It was 30% in 2020 and is 40% now.", None),
        ("Many of them.", None),
    ],
)
def test_one_percentage_or_none(text, value):
    assert FreeReply("percent").read(text).value == value


def test_names_by_their_last_word_unless_two_have_it():
    assert named("Mrs. Harris leads", PAIR) == ["Kamala Harris"] and named("harrison", PAIR) == []
    assert named("Smith leads", ("Ann Smith", "Bob Smith")) == []
    assert FreeReply("pick").read("Harris, I think.", ITEM).value == "Kamala Harris"
    assert FreeReply("pick").read("Harris or Trump.", ITEM).outcome == "ambiguous"
    assert read_shares("48%", ()).outcome == "unparsed"


def test_a_cut_text_is_a_text_and_a_cut_figure_none():
    assert FreeReply().read(Reply("It depends on the", finish="length")).outcome == "ok"
    assert FreeReply("percent").read(Reply("The share is 4", finish="length")).outcome == "truncated"
    assert FreeReply("percent").read(Reply("The share is 48% because", finish="length")).value == "0.48"


def test_other_kinds_are_read_as_their_forms_do():
    assert FreeReply("number").read("630").value == "630"
    assert FreeReply("yes-no").read("Yes, it does.").value == "yes"
    assert FreeReply("short").read("Paris").value == "Paris"
    assert FreeReply().read("").outcome == "unparsed"


def test_hedges():
    assert hedges("It is difficult to predict an election.") and hedges("As of my last update, nobody leads.")
    assert hedges("Please consult the latest polls.") and not hedges("Harris will win.")


def test_formats():
    assert sentences("One. Two? Three!") == 3 and sentences("a fragment") == 1 and sentences("") == 0
    assert complies("paragraph", "One. Two.") and not complies("paragraph", "One.\n\nTwo.")
    assert not complies("paragraph", "One. Two:\n- three")
    assert complies("answer only", "Harris") and not complies("answer only", "word " * 11)
    assert complies("explanation", "Yes, because it rained.") and not complies("explanation", "Yes.")
    assert complies("sources", "See https://example.org.") and not complies("sources", "See for yourself.")
    assert complies("diversity", "x") is None and complies("none", "x") is None
