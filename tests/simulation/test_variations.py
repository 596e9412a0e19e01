"""The published variations: 22 of them, 12,606 prompts of 573 questions, found again in questions that were sent."""

import pytest

from doxa.records import Prompt
from doxa.simulation.personas import with_persona
from doxa.simulation.variations import NAMES, VARIATIONS, chosen, kind_of, of_file, recognised


def test_there_are_22():
    assert len(VARIATIONS) == len(set(NAMES)) == 22 and 573 * len(VARIATIONS) == 12_606 and 12_606 + 32 == 12_638
    kinds = [kind_of(name) for name in NAMES]
    assert [kinds.count(k) for k in ("plain", "identity", "request", "format")] == [1, 11, 2, 8]


def test_each_is_found_again_in_the_question_that_was_sent():
    for persona in VARIATIONS:
        text = with_persona(Prompt.user("Who will win?"), persona).messages[-1].content
        assert recognised(text) == persona and of_file(persona.text, "") == persona.name == of_file("", text)
        assert of_file(persona.name.upper(), "x") == persona.name


def test_choosing():
    assert [p.name for p in chosen("none")] == ["none"] and len(chosen("all")) == 22
    assert [p.name for p in chosen("paragraph,Democrat")] == ["none", "Democrat", "paragraph"]
    with pytest.raises(ValueError, match="no variation 'Martian'"):
        chosen("Martian")
