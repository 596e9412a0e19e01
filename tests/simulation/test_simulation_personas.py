"""Personas: where they are put, what a simulated respondent is told, and designs that cross traits."""

import asyncio

import pytest

from doxa.elicit.answers import TrueFalse
from doxa.models.base import Context
from doxa.models.simulated import Respondent
from doxa.records import Item, Message, Prompt, Sampling
from doxa.simulation import IDENTITIES, Persona, crossed, with_persona

ITEM = Item("tax", "Taxes should fall.", "statement", answer="true")
NURSE = Persona("nurse", "I am a nurse.")


def test_a_persona_stands_before_or_after_the_question():
    prompt = Prompt.user("Is it so?", system="Be brief.")
    assert with_persona(prompt, NURSE).messages == (
        Message("system", "Be brief."),
        Message("user", "I am a nurse. Is it so?"),
    )
    after = Persona("short", "Answer in one sentence.", "after")
    assert with_persona(prompt, after).messages[-1].content == "Is it so? Answer in one sentence."
    assert with_persona(Prompt(text="It is"), NURSE).text == "I am a nurse. It is"
    assert with_persona(prompt, Persona("none", "")) == prompt


def test_a_persona_speaks_in_the_users_last_message():
    prompt = Prompt(messages=(Message("user", "Is it so?"), Message("assistant", "Yes.")))
    with pytest.raises(ValueError, match="the last message is the assistant's"):
        with_persona(prompt, NURSE)


def test_a_simulated_respondent_can_go_by_it():
    def decide(item, context, prompt):
        return {"true" if item.fields.get("traits", {}).get("party") == "Republican" else "false": 1.0}

    said = {}
    for persona in (Persona("none", ""), *IDENTITIES):
        prompt = with_persona(TrueFalse().prompt(ITEM), persona)
        reply = asyncio.run(Respondent(decide=decide).generate(prompt, Sampling(), Context(ITEM)))[0]
        said[persona.name] = TrueFalse().read(reply, ITEM).value
    assert [name for name, answer in said.items() if answer == "true"] == ["Republican"]
    assert "persona" not in ITEM.fields


def test_the_published_identities():
    assert len(IDENTITIES) == 11 and len({p.name for p in IDENTITIES}) == 11
    assert sorted({trait for p in IDENTITIES for trait in p.traits}) == ["gender", "party", "race"]


def test_traits_are_crossed_in_full():
    age = {"20": "I am 20 years old.", "80": "I am 80 years old."}
    people = crossed({"age": age, "party": {"": "", "D": "I am a Democrat."}, "place": {"Ohio": "I live in Ohio."}})
    assert len(people) == 4 and len({p.name for p in people}) == 4
    assert people[0].text == "I am 20 years old. I live in Ohio."  # nothing is said of the party
    assert people[-1].traits == {"age": "80", "party": "D", "place": "Ohio"}
    for wrong in ({}, {"age": {}}):
        with pytest.raises(ValueError, match="each trait needs one value or more"):
            crossed(wrong)
