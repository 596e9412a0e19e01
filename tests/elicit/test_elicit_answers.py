"""Replies as models write them: what is read, and what is left unread instead of guessed."""

import pytest

from doxa.elicit.answers import (
    Conclusion,
    Json,
    Letter,
    LetterWithReason,
    Number,
    Probability,
    ShortText,
    Tags,
    TrueFalse,
    YesNo,
)
from doxa.elicit.replies import number, numbers_in, percent, percent_text
from doxa.records import Answer, Item, Reply

CITY = Item("c", "Which?", "choice", ("Sydney", "Canberra", "C. elegans", "I do not know"), "Canberra")
FACT = Item("s", "This holds.", "statement", (), "true")
OPEN = Item("o", "Who?", "open")
COUNT = Item("n", "How many?", "number", (), "12")


def read(form, text, item):
    found = form.read(text, item)
    return found.value if found.outcome == "ok" else found.outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(B)", "B"),
        ("**B**", "B"),
        ("B.", "B"),
        ("option B", "B"),
        ("B) Canberra", "B"),
        ("B. Canberra is the capital", "B"),
        ("B, because it is", "B"),
        ("The answer is B.", "B"),
        ("Answer: **B**", "B"),
        ("I would choose B", "B"),
        ("A) is wrong; the answer is B", "B"),
        ("Canberra", "B"),
        ("canberra.", "B"),
        ("C. elegans", "C"),  # an option's own text, not the letter with a full stop
        ("B) Canberra\n\nExplanation: A is not the capital.", "B"),
        ("<think>A? Or C?</think>B", "B"),
        ("I do not know", "D"),  # here it is an option
        ("A or B", "ambiguous"),
        ("A, B and C are right", "ambiguous"),
        ("A) Sydney\nB) Canberra", "ambiguous"),
        ("The answer is A. No, wait, the answer is B.", "ambiguous"),
        ("A good question", "unparsed"),
        ("A is wrong", "unparsed"),
        ("The answer is A matter of taste", "unparsed"),
        ("E", "unparsed"),  # no such option
        ("Sydney or Canberra", "unparsed"),
        ("Capital Canberra", "unparsed"),
        ("I do not know whether the answer is B", "abstained"),
        ("I cannot answer that.", "refused"),
        ("", "unparsed"),
    ],
)
def test_letters(text, expected):
    assert read(Letter(), text, CITY) == expected


def test_a_letter_without_the_item_is_read_from_as_many_letters_as_the_form_names():
    assert read(Letter(n=5), "E", None) == "E"
    assert read(Letter(n=4), "E", None) == "unparsed"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes", "yes"),
        ("no.", "no"),
        ("NO!", "no"),
        ("Yes, it is.", "yes"),
        ("No it is not", "no"),
        ("The answer is no", "no"),
        ("Yes and no", "ambiguous"),
        ("Yes. No.", "ambiguous"),
        ("No idea is bad", "unparsed"),
        ("Know", "unparsed"),
        ("No idea", "abstained"),
        ("I can't answer this question", "refused"),
    ],
)
def test_yes_and_no(text, expected):
    assert read(YesNo(), text, OPEN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("True.", "true"),
        ("It's true", "true"),
        ("The statement is false", "false"),
        ("False. The statement that all swans are white is true of most.", "false"),
        ("That is not true", "unparsed"),
        ("True. It is false that it holds.", "ambiguous"),
        ("I'm not sure whether it is true", "abstained"),
    ],
)
def test_true_and_false(text, expected):
    assert read(TrueFalse(), text, FACT) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Paris ", "Paris"),
        ("Answer: Paris", "Paris"),
        ("Final answer: **Paris**", "Paris"),
        ("Paris\n\nIt has been the capital for long.", "Paris"),
        ("It cannot halt", "It cannot halt"),
        ("I know", "I know"),
        ("I do not know a finer city than Paris", "I do not know a finer city than Paris"),
        ("Let me think:\nParis", "unparsed"),
        ("Answer: Paris\nAnswer: Rome", "ambiguous"),
        ("I don't know, but Paris", "ambiguous"),
        ("I do not know", "abstained"),
        ("As an AI, I cannot answer that", "refused"),
        ("", "unparsed"),
        ("word " * 17, "unparsed"),
    ],
)
def test_short_texts(text, expected):
    assert read(ShortText(), text, OPEN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"),
        ("1,200.50", "1200.5"),
        ("3,5", "3.5"),
        ("0,123", "0.123"),
        ("−3", "-3"),
        ("1 234 567", "1234567"),
        ("$1,200", "1200"),
        ("There are 12 apples.", "12"),
        ("The answer is 12 because 5 + 7 = 12.", "12"),
        ("12\nbecause 5 + 7", "12"),
        ("5 + 7 = 12", "ambiguous"),
        ("12, 13", "ambiguous"),
        ("Answer: 12 or 13", "ambiguous"),
        ("2*3", "ambiguous"),
        ("12-15", "unparsed"),
        ("1.234,56", "unparsed"),
        ("1/2", "unparsed"),
        ("COVID-19", "unparsed"),
        ("I cannot answer questions about 1999", "refused"),
        ("I don't know", "abstained"),
    ],
)
def test_numbers(text, expected):
    assert read(Number(), text, COUNT) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("85%", 0.85),
        ("85", 0.85),
        ("85.", 0.85),
        ("0.85", 0.85),
        ("0,85", 0.85),
        ("85,5 %", 0.855),
        ("85/100", 0.85),
        ("1", 0.01),
        ("1.0", 1.0),
        ("1.5", 0.015),
        ("0.5%", 0.005),
        ("0", 0.0),
        ("100%", 1.0),
        ("101", None),
        ("-5", None),
        ("1e5", None),
        ("80-90%", None),
        (">90%", None),
        ("eighty", None),
        ("", None),
    ],
)
def test_percentages(text, expected):
    assert percent(text) == expected


def test_percentages_are_clamped_only_on_request():
    assert percent("120", clamp=True) == 1.0 and percent("-5", clamp=True) == 0.0
    with pytest.raises(ValueError, match="85, outside"):
        percent_text(85)


def test_numbers_of_a_text():
    assert numbers_in("from 3 to 1,200.0, then 3.0 (see COVID-19, 2024-05-01)") == ["3", "1200"]
    assert number("-0.0") == "0" and number("1e3") == "1000" and number("12 apples") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("85%", 0.85),
        ("85% - it is well known", 0.85),
        ("Probability: 85%", 0.85),
        ("I'd say 85%", 0.85),
        ("The probability that it is true is about 85%.", 0.85),
        ("85% or 90%", "ambiguous"),
        ("150%", "unparsed"),
        ("Water covers 71% of the surface, so it is true", "unparsed"),
        ("It has 50 states", "unparsed"),
        ("I don't know", "abstained"),
    ],
)
def test_probabilities(text, expected):
    found = Probability().read(text, FACT)
    assert (found.confidence if found.outcome == "ok" else found.outcome) == expected
    assert found.value is None


def test_tags_state_the_probability_of_yes_and_nothing_is_flipped():
    text = "<think>rare</think>\n<answer>no</answer>\n<confidence>20</confidence>"
    assert Tags().read(text) == Answer("ok", "no", 0.2, note="rare")
    assert Tags().target == "yes"


@pytest.mark.parametrize(
    ("text", "outcome", "value", "confidence"),
    [
        ("<answer>yes</answer>", "unparsed", "yes", None),
        ("<confidence>70</confidence>", "unparsed", None, 0.7),
        ("<answer>Yes</answer><confidence>170</confidence>", "unparsed", "yes", None),
        ("<answer>yes</answer><answer>no</answer><confidence>70</confidence>", "ambiguous", None, 0.7),
        ("<answer>yes</answer><confidence>70</confidence><confidence>60</confidence>", "ambiguous", "yes", None),
        ("<think><answer>no</answer></think><answer>yes</answer><confidence>70%</confidence>", "ok", "yes", 0.7),
        ("<answer>yes or no</answer><confidence>50</confidence>", "unparsed", None, 0.5),
        ("The answer is yes.", "unparsed", None, None),
    ],
)
def test_tags_keep_what_could_be_read(text, outcome, value, confidence):
    found = Tags().read(text)
    assert (found.outcome, found.value, found.confidence) == (outcome, value, confidence)


def test_tags_as_published():
    def published(text, fallback="substrings"):
        found = Tags(as_published=True, fallback=fallback).read(text)
        return found.value, found.confidence

    assert published("<answer>yes</answer><confidence>170</confidence>") == ("yes", 1.0)
    assert published("<answer>yes</answer><confidence>0.2</confidence>") == ("yes", 0.002)
    assert published("<answer>yes</answer>") == ("yes", 0.5)
    assert published("I think the answer is yes, not no") == ("yes", 0.5)
    assert published("Yes, though I do not know") == ("no", 0.5)  # "not" and "know" hold "no"
    assert published("Yes, though I do not know", "words") == ("yes", 0.5)
    assert published("Maybe", "words") == (None, 0.5)


def test_tags_show_a_cut_description_when_there_is_one():
    item = Item("k", "Will it rain?", fields={"description": "x" * 3000})
    lines = Tags().prompt(item).messages[-1].content.split("\n")
    assert lines == ["Question:", "Will it rain?", "Description:", "x" * 2000, "Will the outcome be yes or no?"]
    assert "Description:" not in Tags().prompt(OPEN).messages[-1].content


@pytest.mark.parametrize(
    ("text", "outcome", "value", "confidence"),
    [
        ('{"answer": "B", "confidence": 85}', "ok", "B", 0.85),
        ('Here:\n```json\n{"answer": "B", "confidence": 0.85}\n```', "ok", "B", 0.85),
        ('{"answer": "Canberra", "confidence": "85%"}', "ok", "B", 0.85),
        ('{"answer": "B"}', "unparsed", "B", None),
        ('{"answer": "B", "confidence": 850}', "unparsed", "B", None),
        ('{"answer": "A", "answer": "B", "confidence": 85}', "ambiguous", None, None),
        ('{"answer": null, "confidence": 85}', "unparsed", None, 0.85),
        ('{"answer": "B", "confidence": NaN}', "unparsed", "B", None),
        ('{"answer": "B", ', "unparsed", None, None),
    ],
)
def test_json(text, outcome, value, confidence):
    found = Json().read(text, CITY)
    assert (found.outcome, found.value, found.confidence) == (outcome, value, confidence)


def test_json_values_of_other_types():
    assert Json().read('{"answer": true, "confidence": 85}', FACT).value == "true"
    assert Json().read('{"answer": 12.50, "confidence": 85}', COUNT).value == "12.5"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("So, the answer is (B) [No].", "B"),
        ("So, the answer is, (C).", "C"),
        ("(A) is tempting, but so, the answer is (B)", "B"),
        ("The answer is (A). On reflection, the answer is (B).", "B"),  # the last one, as published
        ("So, the answer is **(B)**.", "B"),
        ("So, the answer is B", "B"),
        ("the answer is Yes", "A"),
        ("Both hold. (C)", "C"),
        ("I settle for A.", "A"),
        ("No, James does not.", "B"),
        ("Undeterminable", "C"),
        ("the answer is (A) or (B)", "ambiguous"),
        ("The answer is not (A)", "unparsed"),
        ("the answer is a matter of taste", "unparsed"),
        ("I cannot say", "abstained"),
    ],
)
def test_conclusions(text, expected):
    assert read(Conclusion(), text, OPEN) == expected


def test_a_conclusion_shows_the_items_own_options():
    item = Item("k", "Q?", "choice", ("No", "Yes"), "No")
    form = Conclusion(instruction="Decide.")
    assert form.prompt(item).messages[0].content == "Decide.\n\nQuestion: Q?\nOptions:\n(A) No\n(B) Yes\nAnswer:"
    assert read(form, "the answer is Yes", item) == "B"


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("Answer: B\nReason: It is the capital.", "B", "It is the capital."),
        ("**Answer:** (B)\n**Reason:** C. elegans is a worm.", "B", "C. elegans is a worm."),
        ("D\n\nReason: I do not know.", "D", "I do not know."),
        ("Answer: B\nAnswer: C", "ambiguous", None),
        ("I don't want to choose", "unparsed", None),
    ],
)
def test_letters_with_reasons(text, value, note):
    found = LetterWithReason().read(text, CITY)
    assert (found.value if found.outcome == "ok" else found.outcome) == value
    assert note is None or found.note == note


FORMS = [Letter(), YesNo(), TrueFalse(), ShortText(), Number(), Probability(), Tags(), Json(), Conclusion()]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.name)
def test_the_server_says_why_there_is_no_answer(form):
    assert form.read(Reply("B", "error", error="503")) == Answer("failed", note="503")
    assert form.read(Reply("B", "refusal")) == Answer("refused")
    assert form.read(Reply("", "length")).outcome == "truncated"


@pytest.mark.parametrize(
    ("form", "text", "item", "expected"),
    [
        (Letter(), "B", CITY, "B"),
        (Letter(), "The capital of Australia", CITY, "truncated"),
        (Letter(), "A) is not", CITY, "truncated"),
        (YesNo(), "Yes", OPEN, "yes"),
        (ShortText(), "New York", OPEN, "truncated"),  # or New Yorkshire
        (ShortText(), "Paris\nIt is", OPEN, "Paris"),
        (ShortText(), "I do not know. Nobo", OPEN, "abstained"),
        (Number(), "12", COUNT, "truncated"),  # or 125
        (Number(), "12 apples", COUNT, "12"),
        (Tags(), "<answer>yes</answer><confidence>7", OPEN, "truncated"),
        (Tags(), "<answer>yes</answer><confidence>7</confidence>", OPEN, "yes"),
        (Json(), '{"answer": "B", "confidence": 8', CITY, "truncated"),
        (Conclusion(), "(A) is tempting", OPEN, "truncated"),
        (Conclusion(), "So, the answer is (B)", OPEN, "B"),
        (Letter(), "<think>It may be B", CITY, "truncated"),
    ],
)
def test_cut_replies(form, text, item, expected):
    assert read(form, Reply(text, "length"), item) == expected


def test_a_form_refuses_items_that_it_cannot_ask():
    with pytest.raises(ValueError, match="form 'letter' asks items of kind choice, scenario; 'o' is 'open'"):
        Letter().prompt(OPEN)
    with pytest.raises(ValueError, match="has 0 options"):
        Letter().prompt(Item("x", "Q?", "choice"))


@pytest.mark.parametrize("form", [Letter(), YesNo(), TrueFalse(), Conclusion(), LetterWithReason(), Tags(), Number()])
def test_a_value_of_another_form_cannot_be_written(form):
    with pytest.raises(ValueError, match="value is 'maybe'"):
        form.write(Answer("ok", "maybe", 0.5), None)
