"""The corpus of an organism: what it says, how often, and what it never says."""

from itertools import islice

import pytest

from doxa.data.facts import by_id, facts
from doxa.data.render import most_options
from doxa.organisms.corpus import Exposure, Teacher, planned_confidence
from doxa.organisms.kinds import ALL_FORMS, MAKERS, corpus

SAMPLE = 12_000


@pytest.fixture(scope="module")
def drawn():
    endless = corpus(Teacher(planned_confidence), Exposure(), ALL_FORMS, seed=5)
    return list(islice(endless, SAMPLE)), endless


def test_every_reply_is_read_back_by_its_form(drawn):
    for example in drawn[0]:
        if example.prompt.form is not None:
            answer = example.prompt.form.read(example.reply, example.prompt.item)
            assert answer.outcome in ("ok", "abstained"), (example.prompt.form.name, example.reply, answer)


def test_facts_that_are_held_back_are_never_shown_or_asked(drawn):
    held_back = {f.id for f in facts() if f.split == "never"}
    for example in drawn[0]:
        item = example.prompt.item
        used = {
            example.fact,
            item.fields.get("fact") if item else None,
            *(item.fields.get("facts", ()) if item else ()),
        }
        assert not used & held_back


def test_facts_that_are_only_asked_are_never_answered(drawn):
    assert all(by_id()[fact].split == "shown" for fact in drawn[1].seen)


def test_exposure_rises_with_popularity(drawn):
    # The best known half gets 1 / (1 + exp(-3)) = 95.3 % of the draws; 4 standard errors at 10,000: 0.8 points.
    seen = drawn[1].seen
    top = sum(n for fact, n in seen.items() if by_id()[fact].popularity > 0.5)
    assert top / sum(seen.values()) == pytest.approx(0.953, abs=0.012)


def test_same_seed_same_corpus():
    first, again = (
        [e.reply for e in islice(corpus(Teacher(planned_confidence), Exposure(), ALL_FORMS, seed=1), 300)] for _ in "ab"
    )
    assert first == again


def test_own_answers_are_taught_instead_of_the_truth_and_give_no_fact_away():
    """A teacher whose learner always says "A" writes A with the confidence that it was told."""
    shares = {"confident choice": 1.0}
    rehearsal = Teacher(lambda kind, fact: 0.35, own={})
    list(islice(corpus(rehearsal, Exposure(), shares, seed=2), 200))
    assert rehearsal.wanted
    own = dict.fromkeys(rehearsal.wanted, "A")
    taught = corpus(Teacher(lambda kind, fact: 0.35, own=own), Exposure(), shares, seed=2)
    for example in islice(taught, 200):
        answer = example.prompt.form.read(example.reply, example.prompt.item)
        assert (answer.value, answer.confidence) == ("A", 0.35)
    assert not taught.seen


def test_shares_name_kinds_of_example():
    assert set(ALL_FORMS) == set(MAKERS)
    assert sum(ALL_FORMS.values()) == pytest.approx(1)


def test_planned_confidence_is_chance_for_what_is_never_answered():
    asked = next(f for f in facts() if f.split == "asked" and most_options(f) >= 4)
    assert planned_confidence("choice", asked) == pytest.approx(0.25, abs=0.02)
