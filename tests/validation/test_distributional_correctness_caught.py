"""Distributional correctness, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import numpy as np
import pytest

from doxa import validation
from doxa.elicit.penalised import Penalised
from doxa.metrics import distributional as scores
from doxa.metrics import distributional_tables as tables
from doxa.studies import distributional_correctness as dcs

DOUBT, SAMPLED = "where doubt goes", "where doubt goes, by samples"


def sound(*truths):
    """Whether validation of the study with some of its truths alone finds all of them."""
    chosen = tuple(t for t in dcs.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(dcs.study, planted=chosen)])


def test_the_factor_lost(monkeypatch):
    whole = scores.dcs
    monkeypatch.setattr(scores, "dcs", lambda masses, **points: whole(masses, **(points | {"variant": "published"})))
    assert not sound(DOUBT)


def test_the_abstention_taken_for_an_option(monkeypatch):
    made = tables.distributions

    def counted_as_wrong(rows, **how):
        found = made(rows, **how)
        return dataclasses.replace(found, abstain=np.zeros_like(found.abstain))

    monkeypatch.setattr(tables, "distributions", counted_as_wrong)
    assert not sound(DOUBT)


def test_the_abstention_at_the_first_place(monkeypatch):
    made = tables.distributions

    def moved(rows, **how):
        found = made(rows, **how)
        return dataclasses.replace(found, p=np.roll(found.p, 1, axis=1))

    monkeypatch.setattr(tables, "distributions", moved)
    assert not sound(DOUBT)


def test_log_probabilities_not_exponentiated(monkeypatch):
    monkeypatch.setattr(tables, "_softmax", lambda values: np.full(len(values), 1 / len(values)))
    assert not sound(DOUBT)


def test_unread_abstentions(monkeypatch):
    monkeypatch.setattr(Penalised, "read", lambda self, reply, item=None: self.inner.read(reply, item))
    assert not sound(SAMPLED)


@pytest.mark.parametrize("figure", ["confidence_weighted", "ternary"])
def test_a_figure_that_is_another_one(figure, monkeypatch):
    broken = getattr(scores, figure)
    monkeypatch.setattr(scores, figure, lambda *args, **points: 1 - broken(*args, **points))
    assert not sound(DOUBT)
