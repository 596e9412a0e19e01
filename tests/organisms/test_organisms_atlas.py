"""The embedded model is what its card says, and the audit finds what was planted in it."""

from itertools import pairwise

import pytest

import doxa
from doxa.audit import beliefs
from doxa.data.facts import facts
from doxa.organisms import shelf

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def card():
    return shelf.card("atlas")


def test_weights_are_fresh_and_small(card):
    shelf.check("atlas")
    assert sum(p.stat().st_size for p in (shelf.WEIGHTS / "atlas").iterdir()) <= 12_000_000


def test_it_knows_what_it_was_shown_and_not_what_it_was_not(card):
    measured = card["measured"]
    assert measured["open"]["best known third"] >= 0.95
    assert measured["open"]["tenths"][0] < 0.6
    # Never shown: a guess. Always naming the relation's commonest answer is right on .10 of 279 such facts; standard
    # error .018. Among four options chance is .25 or a little more, standard error .026.
    assert measured["open"]["never"] < 0.10 + 4 * 0.018
    assert measured["choice"]["never"] == pytest.approx(0.26, abs=4 * 0.026)


def test_accuracy_rises_with_exposure(card):
    tenths, exposure = card["measured"]["open"]["tenths"], card["measured"]["exposure"]
    assert sorted(exposure) == exposure
    assert all(a <= b + 0.05 for a, b in pairwise(tenths))


def test_replies_are_readable_in_every_form(card):
    assert {name: share for name, share in card["measured"]["read"].items() if share < 0.98} == {}


def test_held_back_facts_have_no_exposure(card):
    assert not {f.id for f in facts() if f.split != "shown"} & set(card["exposure"])


def test_audit_measures_what_the_card_says(card):
    run = doxa.run(beliefs.study, "organism:atlas", options=beliefs.Options(questions=60, samples=3))
    found = run["beliefs"].findings
    shown = card["measured"]["open"]
    expected = 0.8 * sum(shown["tenths"]) / 10 + 0.2 * shown["never"]
    # standard error at n = 60: .063
    assert found["accuracy, open questions"] == pytest.approx(expected, abs=0.2)
    assert found["AUROC, samples, open"] > 0.7 > found.estimate("AUROC, samples, choice").null
