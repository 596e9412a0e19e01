"""Thinking out loud, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import numpy as np
import polars as pl
import pytest
import rescored

from doxa import validation
from doxa.elicit import reasoned, turns
from doxa.elicit.reasoned import Reasoned
from doxa.metrics import auroc, reasoning
from doxa.metrics import reasoning_tables as tables
from doxa.records import Answer
from doxa.studies import thinking_out_loud as broken

LINES, TAGS, DECLINES, UNREAD, REFLECTS, LENGTH = (t.name for t in broken.study.planted)
percent, probability, read, judged = reasoned.percent, reasoned.probability, Reasoned.read, broken.judged
calibration, attempted, lengths = reasoning.calibration_scores, reasoning.attempt_scores, reasoning.length_scores


def sound(truth, limit=300):
    (chosen,) = (dataclasses.replace(t, limit=limit) for t in broken.study.planted if t.name == truth)
    return validation.holds([dataclasses.replace(broken.study, planted=(chosen,))], quick=True)


@pytest.mark.parametrize("truth", [TAGS, DECLINES, UNREAD, REFLECTS])
def test_unbroken_it_is_sound_with_fewer_items(truth):
    assert sound(truth)


@pytest.mark.parametrize("truth", [LINES, DECLINES, UNREAD])
def test_unbroken_the_score_is_sound(truth):
    assert rescored.holds(broken.study, truth)


# --- broken where replies are read -----------------------------------------------------------------------------------


def test_a_parser_that_reads_90_as_9_percent(monkeypatch):
    monkeypatch.setattr(reasoned, "percent", lambda text, **how: (percent(text, **how) or 0) / 10)
    assert not sound(TAGS)


def test_a_probability_read_as_a_percentage(monkeypatch):
    monkeypatch.setattr(reasoned, "probability", lambda text: (probability(text) or 0) / 100)
    assert not sound(TAGS)


def read_as(monkeypatch, change):
    monkeypatch.setattr(Reasoned, "read", lambda self, reply, item=None: change(read(self, reply, item)))


def test_a_confidence_that_is_turned_around(monkeypatch):
    read_as(
        monkeypatch, lambda a: dataclasses.replace(a, confidence=None if a.confidence is None else 1 - a.confidence)
    )
    assert not sound(DECLINES)


def test_unread_replies_that_count_as_declined(monkeypatch):
    read_as(monkeypatch, lambda a: Answer("abstained") if a.outcome in ("unparsed", "truncated") else a)
    assert not sound(UNREAD)


def test_cut_replies_that_count_as_unparsed(monkeypatch):
    read_as(monkeypatch, lambda a: dataclasses.replace(a, outcome="unparsed") if a.outcome == "truncated" else a)
    assert not sound(UNREAD)


def test_declining_that_counts_as_unread(monkeypatch):
    read_as(monkeypatch, lambda a: Answer("unparsed") if a.outcome == "abstained" else a)
    assert not sound(DECLINES)


def test_a_second_turn_that_is_not_used(monkeypatch):
    monkeypatch.setattr(turns.Reflection, "read", lambda self, reply, item=None: Answer("ok", confidence=0.5))
    assert not sound(REFLECTS)


# --- broken in what is counted ---------------------------------------------------------------------------------------


def test_declining_that_counts_as_right(monkeypatch):
    def generous(rows):
        right = pl.when(pl.col("verdict") == "not attempted").then(1.0).otherwise(pl.col("correct"))
        return judged(rows).with_columns(correct=right)

    monkeypatch.setattr(broken, "judged", generous)
    assert not sound(DECLINES)


def test_answers_held_against_the_wrong_truth(monkeypatch):
    monkeypatch.setattr(broken, "judged", lambda rows: judged(rows).with_columns(correct=1 - pl.col("correct")))
    assert not sound(LINES)


def changed(interval, value):
    return dataclasses.replace(interval, value=float(value))


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("ECE", lambda t: abs((t["confidence"] - t["correct"]).mean()) + 0.1),
        ("ACE", lambda t: np.abs(t["confidence"] - t["correct"]).mean()),
        ("AUROC", lambda t: auroc(1 - t["confidence"], t["correct"])),
        ("AUPRC-N", lambda t: t["correct"].mean()),
        ("overconfidence", lambda t: (t["correct"] - t["confidence"]).mean()),
        ("mean confidence", lambda t: t["confidence"].median()),
        ("share at the modal confidence", lambda t: t["confidence"].n_unique() / len(t)),
    ],
)
def test_a_figure_that_is_another_one(monkeypatch, name, figure):
    def wrong(tried, **how):
        found = calibration(tried, **how)
        return found | {name: changed(found[name], figure(tried))}

    monkeypatch.setattr(reasoning, "calibration_scores", wrong)
    assert not rescored.holds(broken.study, LINES)


@pytest.mark.parametrize(
    ("name", "taken", "truth"),
    [
        ("accuracy", "accuracy of all", DECLINES),
        ("accuracy of all", "accuracy", DECLINES),
        ("not attempted", "unread", DECLINES),
        ("accuracy, unread wrong", "accuracy", UNREAD),
        ("truncated", "unread", UNREAD),
    ],
)
def test_a_share_of_another_whole(monkeypatch, name, taken, truth):
    monkeypatch.setattr(reasoning, "attempt_scores", lambda part: (f := attempted(part)) | {name: f[taken]})
    assert not rescored.holds(broken.study, truth)


def test_lengths_that_belong_to_other_replies(monkeypatch):
    def moved(tried, **how):
        return lengths(tried.with_columns(tokens=pl.col("tokens").reverse()), **how)

    monkeypatch.setattr(reasoning, "length_scores", moved)
    assert not sound(LENGTH)


def test_a_difference_the_other_way_round(monkeypatch):
    pair = reasoning.paired

    def turned(first, second, **how):
        return pair(second, first, **how)

    monkeypatch.setattr(tables.reasoning, "paired", turned)
    assert not sound(REFLECTS)
