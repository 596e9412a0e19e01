"""Was a response right: forms read back, yes against no, graded examples, and what a model says of its own answer."""

import asyncio
import math

import pytest

from doxa import elicit
from doxa.elicit.correctness import Correctness, Example, from_logprobs, own_words, yes_no
from doxa.elicit.form import PROPOSED
from doxa.models.simulated import Belief, Respondent
from doxa.records import Answer, Item, Sampling
from doxa.study import Ask

ITEM = Item("q", "Which town is it?", "choice", ("Arnholt", "Velmora", "Tessby", "Korvik"), "Velmora")


@pytest.mark.parametrize("word", ["yes", "no"])
def test_a_written_word_is_read_back(word):
    form = Correctness("B")
    assert form.read(form.write(Answer("ok", word), ITEM), ITEM) == Answer("ok", word)
    assert form.target == ""


@pytest.mark.parametrize("p", [0.0, 0.07, 0.8525, 1.0])
def test_a_written_percentage_is_read_back(p):
    form = Correctness("B", say="percent")
    assert form.read(form.write(Answer("ok", None, p), ITEM), ITEM).confidence == pytest.approx(p)
    assert form.target == PROPOSED


def test_the_last_stated_percentage_counts():
    form = Correctness("B", say="percent")
    text = "ANSWER_CORRECT_PROBABILITY: 10%\nNo: more.\n**ANSWER_CORRECT_PROBABILITY: 85.00%**"
    assert form.read(text).confidence == pytest.approx(0.85)
    assert form.read("It is probably right.").outcome == "unparsed"
    assert form.read("ANSWER_CORRECT_PROBABILITY: 850%").outcome == "unparsed"


def test_the_prompt_shows_model_response_and_graded_examples():
    shown = (Example("Who?", "Ann", True, 0.25), Example("Where?", "Here", False))
    text = Correctness("B", model="Model 7", examples=shown).prompt(ITEM).show()
    assert "Model 7" in text and "B) Velmora" in text
    assert "Question (distance 0.25): Who?\nResponse: Ann\nCorrect: yes" in text
    assert "Question: Where?\nResponse: Here\nCorrect: no" in text
    assert text.index("Ann") < text.index("Which town")
    assert "whole reply" in Correctness("B", "whole reply").prompt(ITEM).show()


def test_it_is_none_of_the_forms_that_organisms_know():
    assert not any(name.startswith("correctness") for name in elicit.forms())


def test_yes_against_no():
    """exp(2), exp(1) and a rest of exp(0): 7.389 / 11.107 plain, 7.389 / 10.107 of the two."""
    total = math.log(math.exp(2) + math.exp(1) + 1)
    said = from_logprobs([2 - total, 1 - total])
    assert said.renormalised == pytest.approx(0.7311, abs=5e-5)
    assert said.plain == pytest.approx(0.66525, abs=5e-5)


HALF_SURE = {"Velmora": 0.6, "Arnholt": 0.2, "Tessby": 0.1, "Korvik": 0.1}


def holder():
    return Respondent(belief=lambda item, key: Belief(HALF_SURE))


def test_a_respondent_says_what_it_believes_in_every_way():
    ask = Ask(holder(), ITEM)

    async def say():
        form = elicit.forms()["letter"]
        reply = await ask.generate(form.prompt(ITEM), Sampling(top_logprobs=0))
        value = form.read(reply, ITEM).value
        said = await own_words(ask, ITEM, value, reply, [Example("Who?", "Ann", True)] * 3, (0, 2), stated=True)
        return value, said

    value, said = asyncio.run(say())
    p = HALF_SURE[ITEM.options["ABCD".index(value)]]
    assert set(said) == {
        *("answer probability", "P(True)", "yes/no", "yes/no, plain", "percentage"),
        *("yes/no, 2 examples", "yes/no, 2 examples, plain", "percentage, 2 examples"),
    }
    assert all(c == pytest.approx(p, abs=1e-3) for c in said.values())


def test_what_a_model_cannot_say_is_left_out():
    ask = Ask(holder(), ITEM)

    async def say():
        reply = await ask.generate(Correctness("A").prompt(ITEM))
        return await own_words(ask, ITEM, "A", reply, scores=False)

    assert asyncio.run(say()) == {}


def test_yes_no_asks_for_the_judged_answer():
    ask = Ask(holder(), ITEM)
    for letter, p in zip("ABCD", (0.2, 0.6, 0.1, 0.1), strict=True):
        assert asyncio.run(yes_no(ask, Correctness(letter), ITEM)).renormalised == pytest.approx(p)
