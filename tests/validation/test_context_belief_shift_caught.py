"""Context belief shift, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses
from types import SimpleNamespace

import pytest

from doxa import validation
from doxa.elicit import actions
from doxa.elicit import positions as forms
from doxa.metrics import context_shifts as metrics
from doxa.metrics import proportion, shifts
from doxa.simulation import accumulation, contexts
from doxa.simulation.conversation import Conversation
from doxa.studies import context_belief_shift as broken

ARGUMENTS, BETA, READING, WAVERING, JUDGE = (truth.name for truth in broken.study.planted)


def sound(*truths):
    chosen = tuple(t for t in broken.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(broken.study, planted=chosen)])


def test_the_list_of_the_other_side(monkeypatch):
    # beta measured with alpha's list of messages, which begins without the other's view: one argument less.
    whole = accumulation.Talk.opening

    def opening(talk):
        turns = whole(talk).turns
        return Conversation(
            tuple(dataclasses.replace(t, text="Well.") if t.speaker == talk.other else t for t in turns)
        )

    monkeypatch.setattr(accumulation.Talk, "opening", opening)
    assert not sound(BETA)


def test_a_slice_that_lacks_the_last_round(monkeypatch):
    whole = accumulation.Talk.after
    monkeypatch.setattr(
        accumulation.Talk, "after", lambda talk, said, round, b=None: whole(talk, said, max(1, round - 1), b)
    )
    assert not sound(ARGUMENTS)


def test_a_slice_without_the_own_last_turn(monkeypatch):
    def after(talk, said, round, budget=None):
        return Conversation(said.through(round, talk.side).turns[:-1]).view(talk.side, budget=budget)

    monkeypatch.setattr(accumulation.Talk, "after", after)
    assert not sound(BETA)


def test_orders_mapped_back_wrongly(monkeypatch):
    monkeypatch.setattr(forms, "ORDERS", {"support first": (0, 1), "oppose first": (0, 1)})
    monkeypatch.setattr(forms, "SIDES", ("oppose", "support"))
    assert not sound(ARGUMENTS)


def test_texts_for_the_side_that_is_held(monkeypatch):
    told = contexts.tracts.text_for
    monkeypatch.setattr(
        contexts.tracts, "text_for", lambda i, side, w, f: told(i, forms.SIDES[side == "support"], w, f)
    )
    assert not sound(READING)


def test_a_retest_that_is_no_retest(monkeypatch):
    monkeypatch.setattr(shifts, "flip_rate", lambda a, b, groups=None: shifts.follow_rate(a, b, groups))
    assert not sound(WAVERING)


@pytest.mark.parametrize("broken", ["shares turned round", "sides confused"])
def test_judging(broken, monkeypatch):
    if broken == "sides confused":
        monkeypatch.setattr(actions, "SIDES", ("oppose", "support"))
    else:
        monkeypatch.setattr(metrics, "corrected_shares", _as_counted)
    assert not sound(JUDGE)


def _as_counted(truth, judged, rest, **how):
    """The share of items that were not judged to have shifted."""
    return SimpleNamespace(shares={True: proportion(len(rest) - sum(rest), len(rest))})
