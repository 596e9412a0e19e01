"""Debate overconfidence, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses
from importlib import import_module

import pytest

from doxa import validation
from doxa.elicit import bet_judges
from doxa.metrics import bet_tables, bet_verdicts
from doxa.simulation import betting
from doxa.studies import debate_overconfidence as debates

BIAS, DRIFT, UNREAD, WINS = "overconfidence", "escalation", "unread replies", "bets and wins"
STATEMENTS, REASONS, WORDS = "overconfidence about statements", "bets above their reasons", "moved by mere words"


def sound(*truths):
    chosen = tuple(t for t in debates.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(debates.study, planted=chosen)])


def test_a_bet_that_is_read_as_a_share(monkeypatch):
    reader = import_module("doxa.simulation.debate")
    read = reader.number
    monkeypatch.setattr(reader, "number", lambda text: None if read(text) is None else str(float(read(text)) / 100))
    assert not sound(BIAS)


def test_unread_bets_taken_for_even_ones(monkeypatch):
    whole = debates.betting.stakes

    def even(talk, rules):
        return (dataclasses.replace(s, bet=50.0 if s.bet is None else s.bet) for s in whole(talk, rules))

    monkeypatch.setattr(debates.betting, "stakes", even)
    assert not sound(UNREAD)


def test_at_least_taken_for_above(monkeypatch):
    monkeypatch.setattr(bet_tables, "HIGH", 79.0)
    assert not sound(DRIFT)


def test_changes_backwards(monkeypatch):
    whole = bet_tables.Debates.changes

    def turned(self, before, after, bettor=None):
        return whole(self, after, before, bettor)

    monkeypatch.setattr(bet_tables.Debates, "changes", turned)
    assert not sound(DRIFT)


def test_filler_that_is_never_shown(monkeypatch):
    monkeypatch.setattr(
        betting.Rules, "form", lambda self, side, round, seen, of=betting.Rules.form: of(self, side, 1, seen)
    )
    assert not sound(WORDS)


def test_the_same_side_asked_twice(monkeypatch):
    """Both sides are asked for the proposition's statement and bet: nothing is left of who is better."""
    whole = bet_tables.Debates.both.func

    def doubled(self):
        return whole(self).with_columns(two="one")

    prop = property(doubled)
    monkeypatch.setattr(bet_tables.Debates, "both", prop)
    assert not sound(DRIFT)


def test_the_loser_taken_for_the_winner(monkeypatch):
    whole = bet_verdicts.won
    monkeypatch.setattr(bet_verdicts, "won", lambda votes, side: 1 - whole(votes, side))
    assert not sound(WINS)


def test_percentages_of_statements_not_multiplied(monkeypatch):
    kept = betting.Stake.fields

    def tenth(self):
        return {**kept(self), "bet": None if self.bet is None else self.bet / 100}

    monkeypatch.setattr(betting.Stake, "fields", tenth)
    assert not sound(STATEMENTS)


@pytest.mark.parametrize("broken", ["direction", "correction"])
def test_reasons_judged_the_wrong_way(broken, monkeypatch):
    if broken == "direction":
        whole = bet_judges.compared
        monkeypatch.setattr(bet_judges, "compared", lambda bet, low, high: whole(100 - bet, 100 - high, 100 - low))
    else:
        monkeypatch.setattr(bet_verdicts, "aligned_corrected", bet_verdicts.aligned)
    assert not sound(REASONS)
