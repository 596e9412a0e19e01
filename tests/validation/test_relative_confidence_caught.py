"""Relative confidence, broken in one place: validation says so. Unbroken, it is sound."""

import dataclasses

import polars as pl
import pytest

from doxa import validation
from doxa.elicit import matchups
from doxa.elicit.verbal import Vanilla
from doxa.metrics import matchup_scores
from doxa.metrics.matchups import Matchups
from doxa.records import LETTERS
from doxa.studies import relative_confidence as study_file

FOLLOWS, LABELS, PLACE, UNREAD = (truth.name for truth in study_file.study.planted)
compare, matchup, graded, read = study_file._compare, study_file.matchup, study_file.graded, Vanilla.read
softmax, agreement, area = matchups.softmax, matchup_scores.Compared._agreement, matchup_scores.bootstrap_selective_auc
games, strengths, figures = Matchups.of, matchup_scores.log_strengths, study_file.preference_figures


def sound(*truths):
    """Whether validation finds some truths alone, with fewer questions than they are declared with."""
    study = study_file.study
    chosen = [t for t in study.planted if t.name in truths]
    assert len(chosen) == len(truths)
    chosen = [
        dataclasses.replace(t, options=dataclasses.replace(t.options, questions=70, resamples=10)) for t in chosen
    ]
    return validation.holds([dataclasses.replace(study, planted=tuple(chosen))], quick=True)


@pytest.mark.parametrize("truth", [FOLLOWS, LABELS, PLACE, UNREAD])
def test_with_fewer_questions_it_is_still_sound(truth):
    assert sound(truth)


# --- broken where matchups are asked and read ------------------------------------------------------------------------


def test_the_two_sides_in_each_others_place(monkeypatch):
    monkeypatch.setattr(study_file, "matchup", lambda a, b, *, whole=False: matchup(b, a, whole=whole))
    assert not sound(FOLLOWS)


def test_a_winner_by_its_slot_and_not_by_its_question(monkeypatch):
    async def broken(ask, sides, options, first):
        return await compare(ask, sides, options, True)

    monkeypatch.setattr(study_file, "_compare", broken)
    assert not sound(FOLLOWS)


def test_labels_in_each_others_place(monkeypatch):
    monkeypatch.setattr(matchups, "softmax", lambda logprobs: softmax(logprobs)[::-1])
    assert not sound(LABELS)


def test_both_orders_that_are_one(monkeypatch):
    async def broken(ask, sides, options, first):
        ordered = sorted(sides, key=lambda side: side.item.id)
        return await compare(ask, tuple(ordered), options, first)

    monkeypatch.setattr(study_file, "_compare", broken)
    assert not sound(PLACE)


def test_an_unread_matchup_that_counts_as_lost(monkeypatch):
    async def broken(*args):
        found = await compare(*args)
        return found if found.get("preferred") is not None else {**found, "preferred": 0.0}

    monkeypatch.setattr(study_file, "_compare", broken)
    assert not sound(UNREAD)


def test_a_stated_confidence_that_is_turned_around(monkeypatch):
    def broken(self, reply, item=None):
        answer = read(self, reply, item)
        return answer if answer.confidence is None else dataclasses.replace(answer, confidence=1 - answer.confidence)

    monkeypatch.setattr(Vanilla, "read", broken)
    assert not sound(FOLLOWS)


# --- broken where they are scored ------------------------------------------------------------------------------------


def test_an_answer_that_is_held_against_the_wrong_letter(monkeypatch):
    def broken(rows):
        after = dict(zip(LETTERS[:4], LETTERS[1:4] + "A", strict=True))
        return graded(rows.with_columns(pl.col("answer").replace(after)))

    monkeypatch.setattr(study_file, "graded", broken)
    assert not sound(FOLLOWS)


def test_losers_that_are_taken_for_winners(monkeypatch):
    monkeypatch.setattr(Matchups, "of", lambda one, other, won, n: games(other, one, won, n))
    assert not sound(FOLLOWS)


def test_agreement_that_is_disagreement(monkeypatch):
    monkeypatch.setattr(matchup_scores.Compared, "_agreement", lambda self: 1 - agreement(self))
    assert not sound(FOLLOWS)


def test_strengths_of_the_questions_in_another_order(monkeypatch):
    monkeypatch.setattr(matchup_scores, "log_strengths", lambda games, **how: strengths(games, **how)[::-1])
    assert not sound(FOLLOWS)


def test_strengths_that_rest_on_how_often_a_question_played(monkeypatch):
    monkeypatch.setattr(matchup_scores, "log_strengths", lambda games, **how: games.games.astype(float))
    assert not sound(FOLLOWS)


def test_an_area_that_begins_with_the_least_sure(monkeypatch):
    def turned(score, correct, over=None, **how):
        return area(-score, correct, None if over is None else -over, **how)

    monkeypatch.setattr(matchup_scores, "bootstrap_selective_auc", turned)
    assert not sound(FOLLOWS)


def test_a_share_of_the_first_slot_that_does_not_ask_who_stood_there(monkeypatch):
    monkeypatch.setattr(
        study_file, "preference_figures", lambda played, sets: figures(played.with_columns(first=pl.lit(True)), sets)
    )
    assert not sound(PLACE)


def test_games_of_which_half_are_lost(monkeypatch):
    monkeypatch.setattr(matchup_scores.Matchups, "games", property(lambda self: self.wins().sum(axis=1)))
    assert not sound(UNREAD)
