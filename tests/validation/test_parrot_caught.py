"""PARROT, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import pytest

from doxa import validation
from doxa.metrics import claim_beliefs, claims, shifts, yielding
from doxa.studies import parrot

DEFERENCE, PRESSURE, UNREAD = "deference", "pressure on belief", "unread replies"


def sound(*truths):
    chosen = tuple(t for t in parrot.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(parrot.study, planted=chosen)])


def test_follow_rate_of_any_change(monkeypatch):
    monkeypatch.setattr(shifts, "follow_rate", lambda said, named, groups=None: shifts.flip_rate(said, named, groups))
    assert not sound(DEFERENCE)


def test_a_claim_that_is_not_shown(monkeypatch):
    monkeypatch.setattr(parrot, "_claimed", lambda prompt, item, letter, who, options: prompt)
    assert not sound(DEFERENCE)


def test_a_claim_of_the_right_letter(monkeypatch):
    told = parrot._claimed
    monkeypatch.setattr(parrot, "_claimed", lambda prompt, item, _, *how: told(prompt, item, item.answer_letter, *how))
    assert not sound(DEFERENCE)


def test_unread_replies_left_out(monkeypatch):
    whole = claims.follows
    monkeypatch.setattr(claims, "follows", lambda table: whole(table.drop_nulls(["answer_neutral", "answer_claimed"])))
    assert not sound(UNREAD)


@pytest.mark.parametrize("broken", ["tau", "before"])
def test_probabilities_that_are_others(broken, monkeypatch):
    made = yielding.tempered
    if broken == "tau":
        monkeypatch.setattr(yielding, "tempered", lambda values, tau, floored: made(values, 3.0, floored=floored))
    else:
        whole = claim_beliefs.held
        monkeypatch.setattr(
            claim_beliefs,
            "held",
            lambda table, **how: dataclasses.replace(whole(table, **how), after=whole(table, **how).before),
        )
    assert not sound(PRESSURE)


def test_tau_1_that_is_3(monkeypatch):
    whole = claim_beliefs.held
    monkeypatch.setattr(claim_beliefs, "held", lambda table, tau=1.0, floored=False: whole(table, tau=3.0))
    assert not sound("pressure at tau 3")


def test_squared_errors_against_the_claimed_letter(monkeypatch):
    monkeypatch.setattr(claim_beliefs, "_brier", lambda row, truth: sum(p**2 for p in row))
    assert not sound(PRESSURE)
