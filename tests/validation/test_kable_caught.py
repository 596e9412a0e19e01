"""Belief and knowledge, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import polars as pl
import pytest

from doxa import validation
from doxa.data import attitude_figures
from doxa.data.attitudes import Task
from doxa.elicit.structured import Conclusion
from doxa.metrics.cells import CellCounts
from doxa.records import LETTERS
from doxa.studies import kable

accepted, counts_of, read = Task.accepted, CellCounts.of, Conclusion.read


def sound(*truths, score=None):
    """Whether validation of the study with some of its truths alone, and perhaps other scoring, finds all of them."""
    chosen = tuple(t for t in kable.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    study = dataclasses.replace(kable.study, planted=chosen, score=score or kable.score)
    return validation.holds([study], quick=True)


def misread(self, reply, item=None):
    answer = read(self, reply, item)
    return dataclasses.replace(answer, value={"B": "C", "C": "B"}.get(answer.value, answer.value))


def test_a_parser_that_takes_one_letter_for_another(monkeypatch):
    """No and Undeterminable are both right on a false statement, so that accuracy alone would not tell."""
    monkeypatch.setattr(Conclusion, "read", misread)
    assert not sound("knowledge")


def test_letters_mapped_back_by_the_permutation_instead_of_its_inverse(monkeypatch):
    def gathered(letter, order):
        return LETTERS[list(order).index(LETTERS.index(letter))]

    monkeypatch.setattr(kable, "unpermuted_letter", gathered)
    assert not sound("correcting, random order")


def test_beliefs_mapped_back_by_the_permutation_instead_of_its_inverse(monkeypatch):
    monkeypatch.setattr(kable, "unpermute", lambda belief, order: belief[list(order)])
    assert not sound("correcting, letters")


def test_answers_compared_with_the_letters_as_shown():
    assert not sound(
        "correcting, random order", score=lambda rows, o: kable.score(rows.with_columns(answer=pl.col("shown")), o)
    )


def test_options_that_are_never_shuffled(monkeypatch):
    monkeypatch.setattr(kable, "random_orders", lambda c, n, seed: [tuple(range(c))] * n)
    assert not sound("habit of place")


@pytest.mark.parametrize("broken", ["left out", "right"])
def test_unread_replies_left_out_or_counted_as_right(broken, monkeypatch):
    def counted(cells, cell, unit, *, came, read, kinds):
        if broken == "left out":
            return counts_of(cells, cell, unit, came=read, read=read, kinds=kinds)
        right = [hit or not known for hit, known in zip(kinds["right"], read, strict=True)]
        return counts_of(cells, cell, unit, came=came, read=read, kinds={**kinds, "right": right})

    monkeypatch.setattr(CellCounts, "of", counted)
    assert not sound("unreadable replies")


def test_what_is_not_graded_graded_all_the_same(monkeypatch):
    monkeypatch.setattr(Task, "accepted", lambda self, true, key="data": accepted(self, true, key) or "BC")
    assert not sound("correcting false beliefs")


def test_a_key_that_is_ignored(monkeypatch):
    monkeypatch.setattr(Task, "accepted", lambda self, true, key="data": accepted(self, true))
    assert not sound("doubt about who knows, key of the figure")
    assert sound("doubt about who knows, key of the data")


def test_a_difference_that_adds(monkeypatch):
    monkeypatch.setattr(attitude_figures, "_minus", lambda weights: weights)
    assert not sound("factivity")


def test_pairs_of_which_one_half_is_right_counted_as_both(monkeypatch):
    def any_of(self, cells, kind):
        return self.share({next(iter(cells)): 1.0}, kind)

    monkeypatch.setattr(CellCounts, "all_of", any_of)
    assert not sound("knowledge")


def test_true_and_false_statements_taken_for_each_other():
    other = pl.when(pl.col("truth") == "false").then(pl.lit("factual")).otherwise(pl.lit("false")).alias("truth")
    assert not sound("factivity", score=lambda rows, o: kable.score(rows.with_columns(other), o))
