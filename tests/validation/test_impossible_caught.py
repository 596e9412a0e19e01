"""Impossible test, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import polars as pl
import pytest

from doxa import validation
from doxa.data import impossible as data
from doxa.elicit.structured import LetterWithReason
from doxa.metrics import ChiSquare, admission_tables
from doxa.metrics.sums import share
from doxa.records import Answer
from doxa.studies import impossible_test as study

RATE, UNREADABLE = "rate of admission", "rate of admission, unreadable replies"
LETTERED, LENGTH, PLACE, TREND = (
    "rate of admission, letters",
    "going by length",
    "habit of place",
    "trend over difficulty",
)

answered, read = data.answered, LetterWithReason.read


def sound(*truths, score=None):
    """Whether validation of the study with some of its truths alone, and perhaps other scoring, finds all of them."""
    chosen = tuple(t for t in study.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    broken = dataclasses.replace(study.study, planted=chosen, score=score or study.score)
    return validation.holds([broken], quick=True)


def test_a_parser_that_is_off_by_one_letter(monkeypatch):
    def misread(self, reply, item=None):
        answer = read(self, reply, item)
        return (
            answer if answer.value is None else dataclasses.replace(answer, value="EABCD"["ABCDE".index(answer.value)])
        )

    monkeypatch.setattr(LetterWithReason, "read", misread)
    assert not sound(RATE)


def test_the_admission_looked_for_where_it_stood_before_shuffling(monkeypatch):
    def in_another_order(shown, letter):
        return answered(dataclasses.replace(shown, options=tuple(sorted(shown.options))), letter)

    monkeypatch.setattr(data, "answered", in_another_order)
    assert not sound(UNREADABLE)


def test_options_that_are_never_shuffled(monkeypatch):
    monkeypatch.setattr(study, "cyclic_orders", lambda c: [tuple(range(c))] * c)
    monkeypatch.setattr(study, "random_orders", lambda c, n, seed: [tuple(range(c))] * n)
    assert not sound(PLACE)
    assert not sound("habit of place, random orders")


@pytest.mark.parametrize("as_admission", [False, True])
def test_unread_replies_counted_as_answers(as_admission, monkeypatch):
    def share_of_all(hits, groups):
        return share(hits.fill_null(as_admission), groups)

    monkeypatch.setattr(admission_tables, "share_read", share_of_all)
    assert not sound(UNREADABLE)


def test_admissions_on_answerable_problems_counted_as_right():
    hit = pl.when(pl.col("place") == pl.col("admission")).then(pl.col("admission")).otherwise(pl.col("right"))
    assert not sound(RATE, score=lambda rows, o: study.score(rows.with_columns(right=hit), o))


def test_a_framing_that_is_not_shown(monkeypatch):
    monkeypatch.setattr(study, "LetterWithReason", lambda framing: LetterWithReason("neutral"))
    assert not sound(RATE)


def test_a_control_that_shows_the_problem(monkeypatch):
    monkeypatch.setattr(data, "without_problem", lambda item: item)
    assert not sound(RATE)


def test_hedged_attempts_taken_for_confident_ones(monkeypatch):
    monkeypatch.setattr(study, "candour", lambda text: "admits" if "not know" in text else "confident")
    assert not sound(RATE)


def test_the_first_letter_instead_of_the_likeliest(monkeypatch):
    monkeypatch.setattr(study, "likeliest", lambda belief: Answer("ok", "A"))
    assert not sound(LETTERED)


def test_an_excess_that_leaves_chance_in(monkeypatch):
    monkeypatch.setattr(study, "above_chance", lambda rate, chance: rate)
    assert not sound(UNREADABLE)


def test_a_selective_score_that_is_turned_round(monkeypatch):
    right_way = study.difference
    monkeypatch.setattr(study, "difference", lambda a, b: right_way(b, a))
    assert not sound(UNREADABLE)


def test_lengths_that_are_not_matched(monkeypatch):
    monkeypatch.setattr(data, "length_matched", lambda item: item)
    assert not sound(LENGTH)


def test_equal_counts_of_admissions_taken_for_no_habit(monkeypatch):
    """Three of five admissions stand at one place, so that equal rates are no equal counts."""

    def of_admissions(counts):
        admitted = counts[:, 0]
        return ChiSquare(float(((admitted - admitted.mean()) ** 2 / admitted.mean()).sum()), len(counts) - 1, 1.0, 1.0)

    monkeypatch.setattr(admission_tables, "chi_square", of_admissions)
    assert not sound(PLACE)


def test_levels_out_of_order(monkeypatch):
    monkeypatch.setattr(data, "LEVELS", tuple(sorted(data.LEVELS)))
    assert not sound(TREND)


def test_answerable_problems_taken_for_impossible_ones():
    other = pl.when(pl.col("truth") == "impossible").then(pl.lit("answerable")).otherwise(pl.lit("impossible"))
    assert not sound(UNREADABLE, score=lambda rows, o: study.score(rows.with_columns(truth=other), o))
