"""Know what they know, broken in one place: validation says so. Unbroken, it is sound."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("sklearn")
from doxa import validation
from doxa.data import own_knowledge
from doxa.elicit import option_sets, self_evaluation
from doxa.metrics import equal_count, option_scores, self_knowledge
from doxa.metrics.self_knowledge import Foreknown
from doxa.probes import foreknowledge
from doxa.probes.foreknowledge import Questions
from doxa.studies import know_what_they_know as study_file

TEMPERATURE, ORDER, NONE, TRUE, KNOWS, KINDS, SOURCES, _ = (truth.name for truth in study_file.study.planted)
QUICK = (TEMPERATURE, ORDER, NONE, TRUE, KNOWS, KINDS, SOURCES)


def sound(*truths):
    chosen = [truth for truth in study_file.study.planted if truth.name in truths]
    assert len(chosen) == len(truths)
    quicker = [dataclasses.replace(t, options=dataclasses.replace(t.options, resamples=10)) for t in chosen]
    study = dataclasses.replace(study_file.study, planted=tuple(quicker))
    return validation.holds([study], quick=True)


@pytest.mark.parametrize("truth", QUICK)
def test_unbroken_it_is_sound_with_fewer_resamples(truth):
    assert sound(truth)


@pytest.mark.slow
def test_the_order_in_which_atlas_read_is_found():
    study = dataclasses.replace(study_file.study, planted=study_file.study.planted[-1:])
    found = validation.validate([study])
    assert validation.sound(found) and any(one.telling for one in found)


# --- options ---------------------------------------------------------------------------------------------------------


def test_a_temperature_that_multiplies(monkeypatch):
    belief = option_scores.Choices.belief
    monkeypatch.setattr(option_scores.Choices, "belief", lambda self, t=1.0: belief(self, 1 / t))
    assert not sound(TEMPERATURE)


def test_bins_of_equal_width_in_the_place_of_equal_counts(monkeypatch):
    monkeypatch.setattr(
        equal_count, "ace", lambda said, right, bins, weighting: np.abs(np.subtract(said, right)).mean()
    )
    assert not sound(TEMPERATURE)


def test_the_first_option_taken_for_the_likeliest(monkeypatch):
    def broken(self, temperature=1.0):
        return self.belief(temperature)[:, 0], (self.right == 0).astype(float)

    monkeypatch.setattr(option_scores.Choices, "top", broken)
    assert not sound(TEMPERATURE)


def test_rotations_mapped_back_by_gathering(monkeypatch):
    from doxa.elicit import options

    monkeypatch.setattr(options, "unpermute", lambda belief, order: np.asarray(belief)[..., list(order)])
    assert not sound(ORDER)


def test_none_of_the_above_that_is_never_right(monkeypatch):
    def broken(item, text=option_sets.NONE_OF_THE_ABOVE):
        return dataclasses.replace(item, options=(*item.options[:-1], text), answer=item.options[0])

    monkeypatch.setattr(self_evaluation, "none_of_the_above", broken)
    assert not sound(NONE)


# --- P(True) ---------------------------------------------------------------------------------------------------------


def test_p_true_that_is_p_false(monkeypatch):
    p_true = self_evaluation.p_true

    async def broken(*args, **how):
        return 1 - await p_true(*args, **how)

    monkeypatch.setattr(self_evaluation, "p_true", broken)
    assert not sound(TRUE)


def test_brainstorming_that_shows_nothing(monkeypatch):
    p_true = self_evaluation.p_true

    async def broken(ask, item, answer, brainstorm=()):
        return await p_true(ask, item, answer)

    monkeypatch.setattr(self_evaluation, "p_true", broken)
    assert not sound(TRUE)


def test_unread_samples_that_count_as_right(monkeypatch):
    is_correct = study_file.is_correct
    monkeypatch.setattr(study_file, "is_correct", lambda value, item: value is None or is_correct(value, item))
    assert not sound(TRUE)


def test_conditional_accuracy_of_what_is_called_false(monkeypatch):
    scores = self_knowledge.judged_scores
    from doxa.metrics import self_evaluation as rows

    def broken(said, right, groups, **how):
        found = scores(said, right, groups, **how)
        return found | {"conditional accuracy": scores(1 - said, right, groups, **how)["conditional accuracy"]}

    monkeypatch.setattr(rows, "judged_scores", broken)
    assert not sound(TRUE)


# --- P(IK) -----------------------------------------------------------------------------------------------------------


def test_states_that_are_those_of_the_next_question(monkeypatch):
    stacked = foreknowledge.stacked
    from doxa.training import foreknowledge as known

    monkeypatch.setattr(known, "stacked", lambda states: np.roll(stacked(states), 1, axis=0))
    assert not sound(KNOWS)


def test_a_head_that_learns_that_it_does_not_know(monkeypatch):
    fit = foreknowledge.from_states
    monkeypatch.setattr(foreknowledge, "from_states", lambda x, rate, groups: fit(x, 1 - rate, groups))
    assert not sound(KNOWS)


def test_samples_of_a_question_that_are_all_its_majority(monkeypatch):
    by_sample = Foreknown.by_sample
    monkeypatch.setattr(
        Foreknown, "by_sample", lambda self: by_sample(dataclasses.replace(self, share=np.round(self.share)))
    )
    assert not sound(KNOWS)


def test_questions_that_are_tested_and_learnt_from(monkeypatch):
    # Every state is far from all others: a head that has met it says what it has seen.
    items = study_file.PLANTED[4].items
    truth = dataclasses.replace(study_file.PLANTED[4], items=lambda options: items(options)[:120])
    study = dataclasses.replace(study_file.study, planted=(truth,))
    monkeypatch.setattr(study_file.Options, "learning", lambda self, table: np.ones(len(table), dtype=bool))
    found = validation.validate([study], quick=True)
    assert not validation.sound(found)  # nothing is left to test


def test_new_kinds_that_are_learnt_from(monkeypatch):
    by_states = Questions.by_states
    monkeypatch.setattr(Questions, "by_states", lambda self, among=None, rate=None: by_states(self, None, rate))
    assert not sound(KINDS)


def test_a_source_that_is_not_shown(monkeypatch):
    monkeypatch.setattr(study_file, "with_source", lambda prompt, source: prompt)
    assert not sound(SOURCES)


def test_right_and_wrong_sources_in_each_others_place(monkeypatch):
    sources = own_knowledge.sources
    other = {"source": "wrong source", "wrong source": "source"}
    monkeypatch.setattr(
        study_file.data, "sources", lambda *args: [(other.get(name, name), text) for name, text in sources(*args)]
    )
    assert not sound(SOURCES)
