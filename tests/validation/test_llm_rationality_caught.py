"""Assumed rationality, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import numpy as np
import pytest

from doxa import validation
from doxa.elicit import gamble_choices
from doxa.metrics import choice_comparisons as comparisons
from doxa.metrics import inferred_rankings, preference_theories
from doxa.studies import llm_rationality

EV, REASONED, AVERAGING = "expected value", "expected value, reasoned", "averaging"
MINDS, LOSSES, EXPONENT = "predicting is not solving", "loss aversion", "risk exponent"
UNREAD, INFERENCES = "unread replies", "inferences"


def sound(*truths):
    chosen = tuple(t for t in llm_rationality.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(llm_rationality.study, planted=chosen)])


@pytest.mark.parametrize("truth", [EV, INFERENCES])
def test_exchanged_options_that_are_not_mapped_back(truth, monkeypatch):
    monkeypatch.setattr(gamble_choices.Said, "turned", lambda said: said)
    assert not sound(truth)


def test_the_shares_of_the_other_gamble(monkeypatch):
    read = gamble_choices.share_of_b
    monkeypatch.setattr(gamble_choices, "share_of_b", lambda answer: None if read(answer) is None else 1 - read(answer))
    assert not sound(REASONED)


def test_rational_choices_of_the_other_gamble(monkeypatch):
    monkeypatch.setattr(comparisons.Compared, "ev", property(lambda c: 1 - comparisons.theory.chosen("EV", c.problems)))
    assert not sound(EV)


def test_an_excess_over_nobody(monkeypatch):
    theory = comparisons.theory
    monkeypatch.setattr(theory, "phi_difference", lambda x, y, other, groups: theory.phi_interval(x, y, groups))
    assert not sound(EV)


def test_payoffs_averaged_with_outcomes_that_only_fill_up(monkeypatch):
    theory = comparisons.theory
    made = theory.chosen
    monkeypatch.setattr(
        comparisons,
        "theories",
        lambda c: {
            name: (np.diff(c.problems.payoff.mean(axis=2))[:, 0] > 0).astype(float)
            if name == "averaging"
            else made(name, c.problems)
            for name in theory.THEORIES
        },
    )
    assert not sound(AVERAGING)


def test_a_person_with_a_bias_held_against_expected_value(monkeypatch):
    agreement = comparisons.agreement
    monkeypatch.setattr(comparisons, "agreement", lambda a, b, groups: agreement(a, np.zeros_like(b), groups))
    assert not sound(MINDS)


def test_predictions_taken_for_solutions(monkeypatch):
    monkeypatch.setattr(comparisons.Compared, "chose", lambda c, arm: comparisons.theory.majority(c.rates["solve"]))
    assert not sound(MINDS)


@pytest.mark.parametrize("truth", [LOSSES, EXPONENT])
def test_theories_fitted_to_choices_of_a(truth, monkeypatch):
    fit = comparisons.fit_choices
    monkeypatch.setattr(comparisons, "fit_choices", lambda name, some, b, **more: fit(name, some, 1 - b, **more))
    assert not sound(truth)


def test_unread_replies_taken_for_read(monkeypatch):
    monkeypatch.setattr(comparisons, "_lost", lambda asked, read: [0.0] * asked)
    assert not sound(UNREAD)


def test_a_ranking_of_the_weakest(monkeypatch):
    monkeypatch.setattr(inferred_rankings, "ranked", lambda wins: preference_theories.ranked(1 - wins))
    assert not sound(INFERENCES)


def test_cycles_among_triples_that_are_not_all_decided(monkeypatch):
    counted = preference_theories._cycles
    monkeypatch.setattr(preference_theories, "_cycles", lambda wins: (counted(wins)[0], 3 * counted(wins)[1]))
    assert not sound(INFERENCES)
