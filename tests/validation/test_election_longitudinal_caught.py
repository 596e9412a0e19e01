"""Election panel, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import polars as pl

from doxa import validation
from doxa.elicit.free_reply import FreeReply
from doxa.metrics import change_points, implied_votes, panel_drift, panel_steering, panel_votes
from doxa.records import Answer
from doxa.studies import election_longitudinal as panel

UPDATE, EVENT, STEERING, VOTES, REFUSALS = "system update", "event", "steering", "incoherent votes", "refusals"


def sound(*truths):
    chosen = tuple(t for t in panel.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(panel.study, planted=chosen)])


def test_change_points_on_the_distance_to_the_day_before(monkeypatch):
    daily = panel_drift.daily
    monkeypatch.setattr(panel_drift, "daily", lambda table, column="first": daily(table, "step"))
    assert not sound(UPDATE)


def test_a_change_on_the_day_of_the_maximum_and_not_after_it(monkeypatch):
    found = panel_drift.change_point

    def early(*given, dates, **how):
        point = found(*given, dates=dates, **how)
        return dataclasses.replace(point, date=dates[max(point.index - 1, 0)])

    monkeypatch.setattr(panel_drift, "change_point", early)
    assert not sound(UPDATE)


def test_baselines_that_are_taken_for_other_questions(monkeypatch):
    made = panel_drift.by_type

    def mixed(table, first, **how):
        return made(table.with_columns(type=pl.lit("baseline")), first, **how)

    monkeypatch.setattr(panel_drift, "by_type", mixed)
    assert not sound(EVENT)


def test_a_test_that_never_finds_anything(monkeypatch):
    monkeypatch.setattr(change_points, "_spread", lambda *given: 0.0)
    assert not sound(UPDATE)


def test_a_variation_that_is_not_said(monkeypatch):
    asks = panel.with_persona
    monkeypatch.setattr(panel, "with_persona", lambda prompt, persona: asks(prompt, panel.variations.NONE))
    # The planted respondent goes by the condition, so that the prompt alone changes nothing: it must be in the log.
    import doxa

    items = panel.planted_panel.questions(1, 1, panel.FIRST)
    run = doxa.run(panel.study, "simulated:calibrated", items=items, progress=False, null_seed=None)
    sent = {call.prompt.show() for record in run.parts[0].records() for call in record.calls}
    assert len(sent) == 3  # unbroken: 3 questions in 22 ways, baselines in one


def test_variations_compared_with_each_other_and_not_with_the_plain_reply(monkeypatch):
    made = panel_steering.pairs

    def wrong(table, encode):
        base = table.filter(pl.col("variation") == "Democrat").with_columns(variation=pl.lit("none"))
        rest = table.filter((pl.col("variation") != "none") | (pl.col("sample") > 0))
        return made(pl.concat([base, rest]), encode)

    monkeypatch.setattr(panel_steering, "pairs", wrong)
    assert not sound(STEERING)


def test_percent_that_is_not_divided(monkeypatch):
    read = FreeReply.read

    def whole(self, reply, item=None):
        found = read(self, reply, item)
        numbers = self.kind in ("percent", "shares") and found.value
        return Answer("ok", " ".join(f"{float(x) / 100:g}" for x in found.value.split())) if numbers else found

    monkeypatch.setattr(FreeReply, "read", whole)
    assert not sound(VOTES)


def test_weights_left_out(monkeypatch):
    even = implied_votes.implied_vote
    monkeypatch.setattr(panel_votes, "implied_vote", lambda weights, shares: even([1.0] * len(weights), shares))
    assert not sound(VOTES)


def test_population_instead_of_sample_deviation(monkeypatch):
    made = panel_votes.incoherence

    def population(totals):
        found = made(totals)
        return dataclasses.replace(found, sd=found.sd * ((found.n - 1) / found.n) ** 0.5)

    monkeypatch.setattr(panel_votes, "incoherence", population)
    assert not sound(VOTES)


def test_words_by_score_and_not_by_part_of_all(monkeypatch):
    monkeypatch.setattr(panel_votes, "relative_association", lambda scores: scores)
    assert not sound("words")


def test_refusals_that_are_taken_for_answers(monkeypatch):
    monkeypatch.setattr(FreeReply, "_parse", lambda self, text, item: Answer("ok", text))
    assert not sound(REFUSALS)
