"""Generalized correctness, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import pytest

pytest.importorskip("sklearn")
from doxa import validation
from doxa.elicit import correctness
from doxa.metrics import judged
from doxa.studies import generalized_correctness as gc
from doxa.training import histories

PAST, ONESELF, UNREAD = (truth.name for truth in gc.PLANTED)
predict, from_logprobs, answers, is_correct = (
    histories.predict_words,
    correctness.from_logprobs,
    judged.answers,
    gc.is_correct,
)


def sound(*names):
    """Whether validation of the study with some of its truths alone finds all of them."""
    chosen = tuple(truth for truth in gc.PLANTED if truth.name in names)
    assert len(chosen) == len(names)
    return validation.holds([dataclasses.replace(gc.study, planted=chosen)], quick=True)


def test_confidence_turned_round(monkeypatch):
    monkeypatch.setattr(histories, "predict_words", lambda *a: 1 - predict(*a))
    assert not sound(PAST)


def test_no_taken_for_yes(monkeypatch):
    monkeypatch.setattr(correctness, "from_logprobs", lambda logprobs: from_logprobs(logprobs[::-1]))
    assert not sound(PAST)


def test_verdicts_of_the_model_of_others_shifted_by_a_question(monkeypatch):
    def shifted(history, asked, inputs):
        moved = dataclasses.replace(history, correct=history.correct[::-1].copy())
        return histories.predict_words(histories.learn_words(moved, inputs), asked, inputs)

    monkeypatch.setattr(histories.by_history, "__defaults__", (shifted,))
    assert not sound(PAST)


def test_one_model_judging_in_the_place_of_both(monkeypatch):
    asks = {}

    async def always_the_first(ask, item, answer):
        first = asks.setdefault(item.id, ask)
        return await p_true(first, item, answer)

    p_true = gc.p_true
    monkeypatch.setattr(gc, "p_true", always_the_first)
    assert not sound(ONESELF)


def test_unread_replies_counted_as_wrong(monkeypatch):
    monkeypatch.setattr(
        judged, "answers", lambda replies: answers(replies.with_columns(replies["correct"].fill_null(False)))
    )
    assert not sound(UNREAD)


def test_right_taken_for_wrong(monkeypatch):
    monkeypatch.setattr(gc, "is_correct", lambda value, item: not is_correct(value, item))
    assert not sound(PAST)
