"""Survey responses, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import numpy as np
import pytest

from doxa import validation
from doxa.elicit import labelled_orders, survey
from doxa.metrics import discriminator, response_bias, response_figures
from doxa.studies import survey_responses

LABEL, PLACE, PEOPLE = "label bias", "place bias", "a population followed"
TOP, OFF, FORMS = "five likeliest tokens", "mass off labels", "forms that are no people's"


def sound(*truths):
    chosen = tuple(t for t in survey_responses.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(survey_responses.study, planted=chosen)])


def test_orders_mapped_back_by_gathering(monkeypatch):
    scatter = response_bias.mapped
    monkeypatch.setattr(response_bias, "mapped", lambda p, orders, mapping="scatter": scatter(p, orders, "gather"))
    assert not sound(PEOPLE)


def test_divergence_the_other_way_round(monkeypatch):
    kl = response_bias.kl_bits
    monkeypatch.setattr(response_figures.bias, "kl_bits", lambda p, q: kl(q, p))
    assert not sound(PEOPLE)


def test_entropies_in_nats(monkeypatch):
    bits = response_bias.entropy_bits
    monkeypatch.setattr(response_bias, "entropy_bits", lambda p: bits(p) * np.log(2))
    assert not sound(OFF, PEOPLE)


def test_labels_that_stay_in_their_places(monkeypatch):
    """Randomised prompts whose labels are in order: place and letter cannot be told apart."""
    read = labelled_orders.read

    async def in_order(ask, item, shown, how, before=()):
        kept = dataclasses.replace(shown, labels="".join(sorted(shown.labels)))
        return dataclasses.replace(await read(ask, item, kept, how, before), labels=shown.labels)

    monkeypatch.setattr(labelled_orders, "read", in_order)
    assert not sound(PLACE, LABEL)


def test_options_that_are_not_moved(monkeypatch):
    shown = labelled_orders.as_shown
    monkeypatch.setattr(labelled_orders, "as_shown", lambda item, order: shown(item, sorted(order)))
    assert not sound(PEOPLE)


def test_unseen_labels_given_nothing(monkeypatch):
    filled = survey.completed
    monkeypatch.setattr(survey, "completed", lambda seen, top: (np.array(seen, float), filled(seen, top)[1]))
    assert not sound(TOP)


def test_mass_of_renormalised_probabilities(monkeypatch):
    read = labelled_orders.read

    async def whole(ask, item, shown, how, before=()):
        return dataclasses.replace(await read(ask, item, shown, how, before), mass=1.0)

    monkeypatch.setattr(labelled_orders, "read", whole)
    assert not sound(OFF)


def test_a_classifier_that_is_told_which_rows_are_forms(monkeypatch):
    pytest.importorskip("sklearn")
    split = discriminator.told_apart

    def leaking(rows, others, *, seeds):
        return split(np.c_[rows, np.ones(len(rows))], lambda s: np.c_[others(s), np.zeros(len(rows))], seeds=seeds)

    monkeypatch.setattr(survey_responses, "told_apart", leaking)
    assert not sound(FORMS)
