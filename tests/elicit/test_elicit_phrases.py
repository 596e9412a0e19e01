"""Refusals and admissions of not knowing are found; look-alikes are not."""

import pytest

from doxa.elicit.phrases import ABSTENTION, REFUSAL, is_abstention, is_refusal, stance

REFUSED = [
    REFUSAL,
    "I can't help with that.",
    "I’m sorry, but I can’t assist with that request.",
    "Sorry, I cannot answer this.",
    "I won't answer",
    "As an AI language model, I cannot provide medical advice.",
    "As an AI I cannot answer that",
    "I must decline to answer.",
    "I refuse.",
    "I'd rather not say.",
    "I am not comfortable with this question",
    "Unfortunately, I am unable to help with this.",
]
ABSTAINED = [
    ABSTENTION,
    "I don't know",
    "i dont know",
    "**I don't know**",
    "I don't know who won that match.",
    "I really don't know.",
    "We do not know.",
    "Honestly, I have no idea",
    "No idea.",
    "I'm not sure",
    "I am unsure.",
    "I cannot say",
    "I can't determine that from the text.",
    "It is unknown.",
    "Unknown",
    "This cannot be determined.",
    "There is not enough information.",
    "I do not have enough information to answer.",
    "Nobody knows.",
    "As an AI, I don't have information about that.",
]
NEITHER = [
    "I know",
    "I know that I know nothing",
    "No idea is bad",
    "No one",
    "Nobody knows my name",
    "The Unknown Soldier",
    "Unknown Pleasures",
    "The engine cannot start",
    "It cannot halt",
    "One cannot answer by counting",
    "I can answer that",
    "I cannot tell a lie",
    "I do not know a finer city than Paris",
    "Sure",
    "Not surely",
    "I am sorry",
    "Sorry seems to be the hardest word",
    "He said that he could not help",
    "Canberra",
    "",
]


@pytest.mark.parametrize("text", REFUSED)
def test_refusals(text):
    assert is_refusal(text) and not is_abstention(text)


@pytest.mark.parametrize("text", ABSTAINED)
def test_abstentions(text):
    assert is_abstention(text) and not is_refusal(text)


@pytest.mark.parametrize("text", NEITHER)
def test_no_false_alarm(text):
    assert stance(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "I don't know, but Paris",
        "I'm not sure. I think it is Paris.",
        "No idea; my guess is Paris",
        "I cannot answer, but B",
    ],
)
def test_an_answer_after_the_admission_is_hedged(text):
    assert stance(text) == "hedged"
