"""KalshiBench, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses
import math

import numpy as np
import polars as pl
import pytest

from doxa import validation
from doxa.data import forecasts
from doxa.elicit import structured
from doxa.elicit.structured import Tags
from doxa.metrics import auroc, brier, log_score, reliability
from doxa.metrics import forecast_scores as scores
from doxa.metrics.forecasts import half_open_ece
from doxa.records import Answer
from doxa.studies import kalshibench

SLOPE, MEANING, CERTAIN, UNREAD = "over-confidence", "what the number means", "certainty", "unread replies"
with_readings, percent, read = forecasts.with_readings, structured.percent, Tags.read
forecast_scores, answer_scores = scores.forecast_scores, scores.answer_scores


FEW = 500  # events, enough for what is broken grossly


def sound(*truths, limit=None):
    """What validation of the study finds with some of its truths alone, perhaps asked about fewer items."""
    chosen = tuple(dataclasses.replace(t, limit=limit) for t in kalshibench.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(kalshibench.study, planted=chosen)], quick=True)


def test_unbroken_it_is_sound_with_fewer_events():
    assert sound(SLOPE, MEANING, limit=FEW)


# --- broken where replies are read -----------------------------------------------------------------------------------


def test_a_parser_that_reads_90_as_9_percent(monkeypatch):
    monkeypatch.setattr(structured, "percent", lambda text, **how: percent(text, **how) / 10)
    assert not sound(SLOPE, limit=FEW)


def test_a_number_that_is_turned_around(monkeypatch):
    def turned(self, reply, item=None):
        answer = read(self, reply, item)
        return dataclasses.replace(answer, confidence=None if answer.confidence is None else 1 - answer.confidence)

    monkeypatch.setattr(Tags, "read", turned)
    assert not sound(SLOPE, limit=FEW)


def test_a_no_that_is_read_as_yes(monkeypatch):
    def agreeing(self, reply, item=None):
        answer = read(self, reply, item)
        return dataclasses.replace(answer, value="yes" if answer.value == "no" else answer.value)

    monkeypatch.setattr(Tags, "read", agreeing)
    assert not sound(MEANING, limit=FEW)


def test_an_unread_reply_that_counts_as_one_half(monkeypatch):
    def filled(self, reply, item=None):
        answer = read(self, reply, item)
        return Answer("ok", "no", 0.5) if answer.outcome == "unparsed" else answer

    monkeypatch.setattr(Tags, "read", filled)
    assert not sound(UNREAD)


# --- broken in what the number means ---------------------------------------------------------------------------------


def readings_made(monkeypatch, **columns):
    monkeypatch.setattr(forecasts, "with_readings", lambda rows: with_readings(rows).with_columns(**columns))


@pytest.mark.parametrize(
    ("reading", "taken"),
    [
        ("as scored", pl.col("literal")),
        ("literal", pl.col("as scored")),
        ("coherent", pl.col("literal")),
        ("coherent", pl.col("as scored")),
        ("as scored", 1 - pl.col("literal")),
    ],
)
def test_a_reading_that_is_another_one(monkeypatch, reading, taken):
    readings_made(monkeypatch, **{reading: taken})
    assert not sound(MEANING, limit=FEW)


def test_events_that_did_not_happen_taken_as_those_that_did(monkeypatch):
    readings_made(monkeypatch, happened=1 - pl.col("happened"))
    assert not sound(SLOPE, limit=FEW)


def test_styles_counted_over_all_answers(monkeypatch):
    readings_made(monkeypatch, answer=pl.lit("no"))
    assert not sound(MEANING, limit=FEW)


# --- broken in the numbers -------------------------------------------------------------------------------------------


def figures_made(monkeypatch, **changed):
    """Some figures of forecasts made anew, from the forecasts and what happened."""

    def broken(p, y, *rest, **how):
        found = forecast_scores(p, y, *rest, **how)
        new = {name: change(p.to_numpy(), y.to_numpy()) for name, change in changed.items()}
        return found | {name: dataclasses.replace(found[name], value=value) for name, value in new.items()}

    monkeypatch.setattr(scores, "forecast_scores", broken)


def unweighted(p, y):
    return float(np.mean([abs(b.confidence - b.accuracy) for b in reliability(p, y, closed="left") if b.n]))


@pytest.mark.parametrize("ece", [unweighted, half_open_ece], ids=["of bins without weights", "without 100 %"])
def test_another_ece(monkeypatch, ece):
    figures_made(monkeypatch, ECE=ece)
    assert not sound(CERTAIN)


@pytest.mark.parametrize(
    "changed",
    [
        {"ECE": lambda p, y: abs(float((p - y).mean()))},
        {"AUROC": lambda p, y: auroc(p, 1 - y)},
        {"log loss": lambda p, y: log_score(p, y) / math.log(2)},
        {"Brier": lambda p, y: math.sqrt(brier(p, y))},
        {"Brier skill": lambda p, y: 1 - brier(p, y)},
        {"two-group calibration error": lambda p, y: abs(float((p - y).mean()))},
        {"MCE": lambda p, y: float((np.abs(p - y)).max())},
        {"ACE": lambda p, y: float(np.abs(p - y).mean())},
        {"ECE of a calibrated forecaster": lambda p, y: 0.0},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_figure_that_is_another_one(monkeypatch, changed):
    figures_made(monkeypatch, **changed)
    assert not sound(SLOPE, limit=FEW)


def test_answers_held_against_the_other_side(monkeypatch):
    monkeypatch.setattr(scores, "answer_scores", lambda said, *rest, **how: answer_scores(1 - said, *rest, **how))
    assert not sound(SLOPE, limit=FEW)


@pytest.mark.parametrize("name", ["mean confidence when right", "overconfidence at 0.9", "F1 of yes", "recall of yes"])
def test_a_figure_of_answers_that_is_the_accuracy(monkeypatch, name):
    def broken(*columns, **how):
        found = answer_scores(*columns, **how)
        return found | {name: found["accuracy"]}

    monkeypatch.setattr(scores, "answer_scores", broken)
    assert not sound(SLOPE)


def test_a_certainty_of_yes_alone(monkeypatch):
    monkeypatch.setattr(kalshibench, "certainty", lambda p: np.maximum(p, 0.5))
    assert not sound(SLOPE, limit=FEW)
