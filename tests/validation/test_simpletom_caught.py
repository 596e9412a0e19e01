"""SimpleToM, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import pytest

from doxa import validation
from doxa.data import stories
from doxa.elicit import stories as forms
from doxa.metrics import mental_state_arms, mental_state_letters, mental_states
from doxa.studies import simpletom

GAP, BIAS, LETTER = "a gap between knowing and applying", "reality bias", "one letter"
REMINDERS, REASONING, UNREAD = "reminders", "reasoning and a third option", "unread replies"


def sound(*truths):
    chosen = tuple(t for t in simpletom.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(simpletom.study, planted=chosen)])


def test_conditional_on_nothing(monkeypatch):
    monkeypatch.setattr(mental_states, "_where", lambda values, condition: values)
    assert not sound(GAP)


def test_any_right_answer_makes_a_story_right(monkeypatch):
    whole = mental_states.questions

    def broken(t):
        return {**whole(t), "all three right": whole(t)["mean of three"]}

    monkeypatch.setattr(mental_states, "questions", broken)
    assert not sound(GAP)


def test_probability_of_the_letter_a_for_that_of_the_right_one(monkeypatch):
    right = mental_state_letters._probability
    monkeypatch.setattr(mental_state_letters, "_probability", lambda logprobs, gold: right(logprobs, gold and "A"))
    assert not sound(GAP)


def test_twins_that_are_not_told(monkeypatch):
    monkeypatch.setattr(stories.Story, "text", lambda self, world="hidden": f"{self.key} {self.sentence}")
    assert not sound(BIAS)


def test_twins_graded_like_their_stories(monkeypatch):
    monkeypatch.setattr(stories.Story, "does", lambda self, world="hidden": (self.unaware, self.aware))
    assert not sound(BIAS)


def test_options_that_are_not_swapped(monkeypatch):
    asked = simpletom.question
    fixed = {stories.SWAPPED: stories.AWARE}
    monkeypatch.setattr(
        simpletom, "question", lambda s, about, world="hidden": asked(s, fixed.get(about, about), world)
    )
    assert not sound(LETTER)


@pytest.mark.parametrize("broken", ["gold", "hidden"])
def test_a_reminder_of_something_else(broken, monkeypatch):
    if broken == "gold":  # not the model's own answer
        arms = {**simpletom.ARMS, "reminder": dataclasses.replace(simpletom.ARMS["reminder"], earlier="gold")}
        monkeypatch.setattr(simpletom, "ARMS", arms)
    else:  # not shown
        monkeypatch.setattr(
            forms, "_lettered", lambda item, whole=forms._lettered: whole(item).replace("aware", "glad")
        )
    assert not sound(REMINDERS)


def test_gains_of_the_wrong_sign(monkeypatch):
    gain = mental_state_arms.gain
    monkeypatch.setattr(mental_state_arms, "gain", lambda t, before, after: gain(t, after, before))
    assert not sound(REASONING)


def test_reasoning_that_is_not_asked_for(monkeypatch):
    monkeypatch.setattr(simpletom, "ARMS", {**simpletom.ARMS, "cot": simpletom.ARMS["none"]})
    assert not sound(REASONING)


def test_unread_replies_left_out(monkeypatch):
    right = mental_states.Told.right

    def read_only(self, cell):
        said = self.letters.get(cell, [None] * len(self.items))
        return [None if s is None else r for s, r in zip(said, right(self, cell), strict=True)]

    monkeypatch.setattr(mental_states.Told, "right", read_only)
    assert not sound(UNREAD)
