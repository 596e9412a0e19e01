"""Stated confidence: answer lines, steps, guesses, and what is left unread."""

import math

import pytest

from doxa.elicit.verbal import (
    ANSWER_LINE,
    FINAL_LINE,
    MEANS,
    ChainOfThought,
    MultiStep,
    SelfProbing,
    TopK,
    Vanilla,
    step_product,
)
from doxa.records import Answer, Item, Reply

CITY = Item("c", "Which?", "choice", ("Sydney", "Canberra", "Perth"), "Canberra")
FACT = Item("s", "This holds.", "statement", (), "true")
OPEN = Item("o", "Who?", "open")
COUNT = Item("n", "How many?", "number", (), "12")
ITEMS = [CITY, FACT, OPEN, COUNT]


def seen(found):
    return (found.value, found.confidence) if found.outcome == "ok" else found.outcome


@pytest.mark.parametrize(
    ("text", "item", "expected"),
    [
        (f"{ANSWER_LINE} B, 85%", CITY, ("B", 0.85)),
        (f"{ANSWER_LINE} B) Canberra, 85%", CITY, ("B", 0.85)),
        (f"{ANSWER_LINE} (B), 0.85", CITY, ("B", 0.85)),
        (f"{ANSWER_LINE} Canberra, 85,5%", CITY, ("B", 0.855)),
        (f"**{ANSWER_LINE}** B, 85%", CITY, ("B", 0.85)),
        ("answer and confidence: B, 85", CITY, ("B", 0.85)),
        ("B, 85%", CITY, ("B", 0.85)),
        ("Answer: B\nConfidence: 85%", CITY, ("B", 0.85)),
        (f"{ANSWER_LINE} <answer>, <number>%\n{ANSWER_LINE} B, 85%", CITY, ("B", 0.85)),
        (f"{ANSWER_LINE} B, 85%\n{ANSWER_LINE} B, 85%", CITY, ("B", 0.85)),
        (f"{ANSWER_LINE} True, 60%", FACT, ("true", 0.6)),
        (f"{ANSWER_LINE} 12,5, 80%", COUNT, ("12.5", 0.8)),
        (f"{ANSWER_LINE} 1,200, 80%", COUNT, ("1200", 0.8)),
        (f"{ANSWER_LINE} 12 apples, 80%", COUNT, ("12", 0.8)),
        (f"{ANSWER_LINE} Lovelace, Ada, 80%", OPEN, ("Lovelace, Ada", 0.8)),
        (f"{ANSWER_LINE} 12,5%", COUNT, "unparsed"),  # 12 with 5 %, or 12.5 without a confidence?
        (f"{ANSWER_LINE} B", CITY, "unparsed"),
        (f"{ANSWER_LINE} B, 850%", CITY, "unparsed"),
        (f"{ANSWER_LINE} B, -5%", CITY, "unparsed"),
        (f"{ANSWER_LINE} B, 80-90%", CITY, "unparsed"),
        (f"{ANSWER_LINE} E, 85%", CITY, "unparsed"),
        (f"{ANSWER_LINE} <answer>, <number>%", OPEN, "unparsed"),
        (f"{ANSWER_LINE} A or B, 85%", CITY, "ambiguous"),
        (f"{ANSWER_LINE} A, 85%\n{ANSWER_LINE} B, 85%", CITY, "ambiguous"),
        (f"{ANSWER_LINE} B, 85%\n{ANSWER_LINE} B, 80%", CITY, "ambiguous"),
        (f"{ANSWER_LINE} I do not know, 10%", CITY, "abstained"),
        ("I'm sorry, but I can't help with that.", CITY, "refused"),
        ("Canberra, surely", CITY, "unparsed"),
    ],
)
def test_answer_lines(text, item, expected):
    assert seen(Vanilla().read(text, item)) == expected


def test_an_answer_without_its_confidence_is_kept_but_not_ok():
    assert Vanilla().read(f"{ANSWER_LINE} B", CITY).value == "B"


def test_chain_of_thought_keeps_the_explanation():
    text = f"Explanation: 5 * 3 = 15.\nSo 15.\n{ANSWER_LINE} 15, 90%"
    assert ChainOfThought().read(text, COUNT) == Answer("ok", "15", 0.9, note="5 * 3 = 15.\nSo 15.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Confidence: 80%", 0.8),
        ("Reasoning: it fits.\n**Confidence:** 80%", 0.8),
        ("My confidence is 80%", 0.8),
        ("Confidence: 80%\nConfidence: 70%", "ambiguous"),
        ("Confidence: high", "unparsed"),
        ("Confidence: 120%", "unparsed"),
        ("I do not know", "abstained"),
    ],
)
def test_self_probing(text, expected):
    found = SelfProbing("B").read(text, CITY)
    assert (found.confidence if found.outcome == "ok" else found.outcome) == expected
    assert found.value is None


def test_self_probing_shows_the_answer_with_its_option():
    assert SelfProbing("B").prompt(CITY).messages[-1].content.endswith("Possible answer:\nB) Canberra")
    with pytest.raises(ValueError, match="answer is 'D'"):
        SelfProbing("D").prompt(CITY)
    assert SelfProbing("B").target == "the proposed answer is correct"


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (f"Step 1: a, Confidence: 90%\nStep 2: b. Confidence: 80%\n{FINAL_LINE} true, 70%", (0.9, 0.8)),
        (f"Step 1: a\nb, Confidence: 0.9\n{FINAL_LINE} true, 70%", (0.9,)),
        (f"Step 1: a\nStep 2: b, Confidence: 80%\n{FINAL_LINE} true, 70%", None),
        (f"Step 2: b, Confidence: 80%\n{FINAL_LINE} true, 70%", None),
        (f"{FINAL_LINE} true, 70%", None),
    ],
)
def test_multi_step(text, steps):
    found = MultiStep().read(text, FACT)
    assert (found.value, found.confidence) == ("true", 0.7)
    assert found.outcome == ("unparsed" if steps is None else "ok")
    assert found.steps == (steps or ())


def test_step_product():
    # .9 x .8 x .95 = .684
    assert step_product(Answer("ok", "B", 0.9, steps=(0.9, 0.8, 0.95))) == pytest.approx(0.684)
    assert math.isnan(step_product(Answer("ok", "B", 0.9)))


@pytest.mark.parametrize(
    ("text", "guesses"),
    [
        ("G1: B P1: 70% G2: A", None),
        ("G1: B P1: 70%\nG2: A P2: 20%", (("B", 0.7), ("A", 0.2))),
        ("G1: B\nP1: 0.7\nG2: A\nP2: 0.2", (("B", 0.7), ("A", 0.2))),
        ("**G1:** Canberra, **P1:** 70%", (("B", 0.7),)),
        ("**G1:** B\n  **P1:** 70%", (("B", 0.7),)),
        ("G1: B\nP1: 70%\nG2: X\nP2: 20%", None),
        ("G1: B\nP1: 70%\nG3: A\nP3: 20%", None),
        ("G1: B\nP1: 70%\nG2: A", None),
        ("G1: B\nP1: 170%", None),
        ("B, 70%", None),
    ],
)
def test_top_k(text, guesses):
    found = TopK().read(text, CITY)
    assert found.outcome == ("ok" if guesses else "unparsed")
    if guesses:
        assert (found.guesses, found.value, found.confidence) == (guesses, *guesses[0])


def test_top_k_asks_for_no_more_guesses_than_there_are_answers():
    assert "G3:" in TopK(4).prompt(CITY).show() and "G4:" not in TopK(4).prompt(CITY).show()
    assert "2 best guesses" in TopK(4).prompt(FACT).show()
    assert "4 best guesses" in TopK(4).prompt(OPEN).show()


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (Vanilla(), f"{ANSWER_LINE} B, 9", "truncated"),
        (Vanilla(), f"{ANSWER_LINE} B, 90%", ("B", 0.9)),
        (ChainOfThought(), "Explanation: let us", "truncated"),
        (SelfProbing("A"), "Confidence: 8", "truncated"),
        (MultiStep(), "Step 1: a, Confidence: 90%", "truncated"),
        (TopK(), "G1: B\nP1: 70%\nG2: A\nP2: 20%", "truncated"),  # a third guess was to come
        (TopK(), "G1: B\nP1: 70%\nG2: A\nP2: 20%\nG3: C\nP3: 5%", ("B", 0.7)),
    ],
)
def test_cut_replies(form, text, expected):
    assert seen(form.read(Reply(text, "length"), CITY)) == expected


@pytest.mark.parametrize("form", [Vanilla(), ChainOfThought(), MultiStep(), TopK(), TopK(chain_of_thought=True)])
@pytest.mark.parametrize("item", ITEMS, ids=lambda i: i.kind)
def test_every_prompt_says_what_confidence_means(form, item):
    assert MEANS in form.prompt(item).messages[-1].content.split("\n")


def test_self_probing_says_that_confidence_is_about_the_possible_answer():
    lines = SelfProbing("A").prompt(CITY).messages[-1].content.split("\n")
    assert "Confidence means how likely it is that the possible answer is true, from 0 to 100." in lines
