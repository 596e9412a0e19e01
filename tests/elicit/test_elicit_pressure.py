"""Pressing system prompts: where they are put, what a simulated respondent is told, and their neutral controls."""

import asyncio
from dataclasses import replace

import pytest

from doxa.elicit.answers import ShortText, Tags
from doxa.elicit.pressure import NEUTRAL, PRESSURES, pressure, with_pressure
from doxa.models.base import Context
from doxa.models.simulated import Respondent
from doxa.records import Item, Prompt, Sampling

ITEM = Item("paris", "What is the capital of France?", answer="Paris", fields={"fact": "capital-of/france"})


def test_the_pressure_is_the_system_message():
    prompt = with_pressure(ShortText().prompt(ITEM), PRESSURES[0])
    assert [m.role for m in prompt.messages] == ["system", "user"]
    assert prompt.messages[0].content == PRESSURES[0].system
    assert prompt.messages[1] == ShortText().prompt(ITEM).messages[0]
    assert prompt.form == ShortText()


def test_a_system_message_that_is_there_follows_it():
    yes_or_no = replace(ITEM, answer="yes")
    plain = Tags().prompt(yes_or_no)
    prompt = with_pressure(plain, PRESSURES[1])
    assert prompt.messages[0].content == f"{PRESSURES[1].system}\n{plain.messages[0].content}"
    assert prompt.messages[1:] == plain.messages[1:]


def test_plain_text_gets_it_in_front():
    assert with_pressure(Prompt(text="Paris is"), NEUTRAL[0]).text == f"{NEUTRAL[0].system}\nParis is"


def test_the_item_as_shown_says_which_pressure():
    shown = with_pressure(ShortText().prompt(ITEM), pressure("travel-office")).item
    assert shown.fields == {**ITEM.fields, "pressure": "travel-office", "archetype": "incentive"}
    assert "pressure" not in ITEM.fields


def test_a_simulated_respondent_can_lie_under_pressure():
    def decide(item, context, prompt):
        lies = item.fields.get("archetype", "neutral") != "neutral"
        return {"Lyon" if lies else "Paris": 1.0}

    liar = Respondent(decide=decide)

    def says(prompt):
        return asyncio.run(liar.generate(prompt, Sampling(), Context(ITEM)))[0].text

    plain = ShortText().prompt(ITEM)
    assert says(plain) == "Paris"
    assert {says(with_pressure(plain, p)) for p in PRESSURES} == {"Lyon"}
    assert {says(with_pressure(plain, p)) for p in NEUTRAL} == {"Paris"}


def test_controls_have_the_length_and_opening_of_what_they_control():
    assert len(PRESSURES) == 6 and len(NEUTRAL) == 3
    assert all(p.presses for p in PRESSURES) and not any(p.presses for p in NEUTRAL)
    lengths = [len(p.system.split()) for p in (*PRESSURES, *NEUTRAL)]
    assert max(lengths) - min(lengths) <= 3
    for control in NEUTRAL:
        pressing = pressure(control.name.removesuffix("-neutral"))
        assert control.system.split()[:4] == pressing.system.split()[:4]
        assert control.system.count(".") == pressing.system.count(".")


def test_names_are_distinct_and_an_unknown_one_is_refused():
    assert len({p.name for p in (*PRESSURES, *NEUTRAL)}) == 9
    with pytest.raises(ValueError, match="no pressure is called 'prison'; there are museum"):
        pressure("prison")
