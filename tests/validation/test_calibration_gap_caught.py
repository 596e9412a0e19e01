"""The calibration gap, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from doxa import validation
from doxa.elicit import explained
from doxa.elicit.explained import Explainer, Explanation
from doxa.metrics import confidence_scores, reader_arms, reader_gap, style_selection
from doxa.records import Answer
from doxa.studies import calibration_gap as gap

read_reply, explanation_of, values_of = Explanation.read, Explainer.explanation, explained.value_logprobs
own_answer = gap.own_answer


def sound(*truths, score=None, n=None):
    """Whether validation with some of the truths alone, and perhaps other scoring, finds all that was planted."""
    chosen = tuple(t for t in gap.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    study = dataclasses.replace(gap.study, planted=chosen, score=score or gap.score)
    return validation.holds([study], quick=True)


WORDING, KNOWLEDGE, UNREAD = "wording that is heeded", "knowledge of its own", "unread replies"


def test_levels_mixed_up(monkeypatch):
    async def turned(self, level, length):
        other = {"low": "high", "high": "low"}.get(level, level)
        return await explanation_of(self, other, length)

    monkeypatch.setattr(Explainer, "explanation", turned)
    assert not sound(WORDING)


def test_true_read_as_false(monkeypatch):
    async def swapped(*given, **how):
        return (await values_of(*given, **how))[::-1]

    monkeypatch.setattr(explained, "value_logprobs", swapped)
    assert not sound(WORDING)


def test_confidence_of_another_than_the_displayed_answer(monkeypatch):
    async def other(*given, **how):
        answer, text = await own_answer(*given, **how)
        return dataclasses.replace(answer, confidence=(1 - answer.confidence) / 3), text

    monkeypatch.setattr(gap, "own_answer", other)
    assert not sound(WORDING)


@pytest.mark.parametrize("name", ["calibration gap", "discrimination gap"])
def test_a_gap_the_other_way_round(name, monkeypatch):
    def turned(*given, **how):
        found = confidence_scores.gains(*given, **how)
        key = {"calibration gap": "ECE", "discrimination gap": "AUROC"}[name]
        one = found[key]
        return {**found, key: dataclasses.replace(one, value=-one.value, low=-one.high, high=-one.low)}

    monkeypatch.setattr(reader_gap, "gains", turned)
    assert not sound(WORDING)


def test_styles_that_are_selected_the_wrong_way_round(monkeypatch):
    level_of = style_selection.selected_level

    def turned(model, thresholds):
        return level_of(1 - np.asarray(model), thresholds)

    monkeypatch.setattr(reader_arms, "selected_level", turned)
    assert not sound(WORDING)


def test_explanations_of_the_question_itself_as_those_of_another(monkeypatch):
    async def shown_nothing(self, level, length):
        told = await explanation_of(self, level, length)
        return dataclasses.replace(told, note="") if level == "default" else told

    monkeypatch.setattr(Explainer, "explanation", shown_nothing)
    assert not sound(KNOWLEDGE)


def test_explanations_for_another_answer_kept(monkeypatch):
    def kept(self, reply, item=None):
        found = read_reply(self, reply, item)
        return Answer("ok", self.chosen, note=found.note) if found.outcome == "ambiguous" else found

    monkeypatch.setattr(Explanation, "read", kept)
    assert not sound(UNREAD)


def test_unread_readings_counted_as_even():
    def filled(rows, options):
        return gap.score(rows.with_columns(pl.col("reader_confidence").fill_null(0.5)), options)

    assert not sound(UNREAD, score=filled)


def test_ideas_taken_for_the_answer(monkeypatch):
    """P(True) of an answer nobody gave: the confidence in short answers is another one."""

    async def other(*given, **how):
        answer, text = await own_answer(*given, **how)
        return dataclasses.replace(answer, confidence=answer.confidence**2), text

    monkeypatch.setattr(gap, "own_answer", other)
    assert not sound("short answers")


def test_samples_that_are_not_counted(monkeypatch):
    async def certain(*given, **how):
        answer, text = await own_answer(*given, **how)
        return dataclasses.replace(answer, confidence=1.0), text

    monkeypatch.setattr(gap, "own_answer", certain)
    assert not sound("agreement of samples")


def test_wording_that_is_lost(monkeypatch):
    monkeypatch.setattr(explained, "hedge", lambda answer, item, level: "The answer is this.")
    assert not sound("only the wording")
