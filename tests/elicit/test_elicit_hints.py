"""Personas and hints are added to any prompt; random hints are uniform, repeatable, and may be right."""

from collections import Counter
from dataclasses import replace

import pytest

from doxa.elicit.hints import HINTS, NOTE, hints, misleading, random_answer, with_hint, with_persona
from doxa.elicit.verbal import Vanilla
from doxa.records import Item, Message, Prompt

CITY = Item("c", "Which?", "choice", ("Sydney", "Canberra", "Perth", "Hobart"), "Canberra")
COUNT = Item("n", "How many?", "number", (), "3")


def test_twelve_hints_in_three_groups_of_rising_strength():
    assert Counter(h.group for h in HINTS) == {"claim": 5, "opinion": 4, "source": 3}
    for group in ("claim", "opinion", "source"):
        strengths = [h.strength for h in HINTS if h.group == group]
        assert strengths == list(range(1, len(strengths) + 1))
    assert len({h.template.format(answer="x") for h in HINTS}) == 12
    assert all("{answer}" in h.template for h in HINTS)


def test_five_responses_use_the_four_opinions_and_thirteen_use_all():
    assert {h.group for h in hints(4)} == {"opinion"}
    assert set(hints(12)) == set(HINTS)
    with pytest.raises(ValueError, match="n is 13"):
        hints(13)


def test_a_hint_is_added_behind_the_question_with_its_note():
    prompt = Vanilla().prompt(CITY)
    hinted = with_hint(prompt, HINTS[0], "A", CITY)
    lines = hinted.messages[-1].content.split("\n")
    assert "\n".join(lines[:-2]) == prompt.messages[-1].content
    assert lines[-2:] == ["Hint: I vaguely remember that the answer is A) Sydney.", NOTE]
    assert hinted.form is prompt.form and prompt.item is CITY
    with pytest.raises(ValueError, match="last message is the user"):
        with_hint(Prompt(text="Q:"), HINTS[0], "A", CITY)


def test_the_item_of_a_hinted_prompt_says_what_is_hinted_and_by_whom():
    asked = replace(CITY, fields={"subset": "geography"})
    for prompt in (Vanilla().prompt(asked), Prompt.user("Which?")):  # with and without an item of its own
        said = with_hint(prompt, HINTS[8], "A", asked).item
        assert said.fields == {"subset": "geography", "hint": "A", "authority": "expert", "strength": 4}
        assert replace(said, fields=asked.fields) == asked
    assert asked.fields == {"subset": "geography"}


def test_the_first_of_the_misleading_prompts_has_no_hint():
    prompt = Vanilla().prompt(CITY)
    prompts = misleading(prompt, CITY, 5, seed=1)
    assert prompts[0] == (prompt, None, None)
    assert [h.group for _, h, _ in prompts[1:]] == ["opinion"] * 4
    assert prompts == misleading(prompt, CITY, 5, seed=1)
    assert [a for *_, a in prompts] != [a for *_, a in misleading(prompt, CITY, 5, seed=2)]


def test_random_answers_are_uniform_and_may_be_right():
    drawn = Counter(random_answer(CITY, seed=s) for s in range(2000))
    # 500 expected for each letter, standard error sqrt(2000 x 1/4 x 3/4) = 19.4; four of them
    assert set(drawn) == set("ABCD") and all(abs(n - 500) < 78 for n in drawn.values())
    near = Counter(random_answer(COUNT, seed=s) for s in range(700))
    assert sorted(near) == [str(i) for i in range(7)]  # [0, 2 x 3]


def test_wrong_only_leaves_the_right_answer_out():
    assert {random_answer(CITY, seed=s, wrong_only=True) for s in range(200)} == set("ACD")
    assert {random_answer(COUNT, seed=s, wrong_only=True) for s in range(200)} == set("012456")
    fact = Item("s", "This holds.", "statement", (), "true")
    assert {random_answer(fact, seed=s, wrong_only=True) for s in range(20)} == {"false"}
    fraction = Item("f", "?", "number", (), "-2.5")
    assert {random_answer(fraction, seed=s, wrong_only=True) for s in range(200)} == set("012345")


@pytest.mark.parametrize(
    ("item", "wrong_only"),
    [
        (Item("o", "Who?"), False),
        (Item("n", "How many?", "number"), False),
        (Item("n", "How many?", "number", (), "many"), False),
        (Item("n", "How many?", "number", (), "0"), True),
        (Item("c", "Which?", "choice", ("x", "y")), True),
    ],
)
def test_what_cannot_be_drawn(item, wrong_only):
    with pytest.raises(ValueError, match=r"is open|no known answer|needs a number"):
        random_answer(item, wrong_only=wrong_only)


def test_personas_go_first():
    prompt = Prompt.user("Q", system="Be brief.", item=CITY)
    bold = with_persona(prompt, "confident")
    assert bold.messages[0].content.endswith("\nBe brief.") and bold.messages[1:] == prompt.messages[1:]
    assert bold.item is CITY
    shy = with_persona(Prompt.user("Q"), "cautious")
    assert [m.role for m in shy.messages] == ["system", "user"] and shy.messages[1] == Message("user", "Q")
    assert with_persona(Prompt(text="Q:"), "cautious").text.endswith("\nQ:")
