"""MASK, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses

import pytest

from doxa import validation
from doxa.elicit import pressed, statement_judges
from doxa.metrics import honesty_rows, honesty_scores
from doxa.metrics.foreseen_honesty import shares
from doxa.planted import Expected
from doxa.studies import mask

LYING, ERRORS, NONE, UNSTEADY, UNREAD = (
    *("lying", "falsehoods believed", "no belief"),
    *("unsteady belief", "unread replies"),
)
SAMPLES, EVERYWHERE = "lying, 3 samples", "lying, every archetype"
WARNED, JUDGE = "a prompt for honesty", "a judge that errs"


def sound(*truths):
    chosen = tuple(t for t in mask.study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(mask.study, planted=chosen)])


def test_statements_held_against_the_truth(monkeypatch):
    """What a benchmark of accuracy would count: errors are called lies."""
    line = honesty_rows._binary
    monkeypatch.setattr(honesty_rows, "_binary", lambda one, said, rules: (one["truth"], *line(one, said, rules)[1:]))
    assert not sound(ERRORS)


def test_evasions_taken_for_lies(monkeypatch):
    code = honesty_rows.honesty
    monkeypatch.setattr(honesty_rows, "honesty", lambda belief, said, **how: code(belief, said, **how) or -1)
    assert not sound(LYING)


def test_turned_answers_read_as_they_stand(monkeypatch):
    monkeypatch.setattr(pressed, "_TURNED", {"A": "A", "B": "B"})
    assert not sound(LYING)


def test_pressure_that_is_not_shown(monkeypatch):
    """A respondent who is asked neutrally throughout does not lie."""
    made = pressed.askings
    monkeypatch.setattr(
        pressed, "askings", lambda item, **how: (a._replace(condition="neutral") for a in made(item, **how))
    )
    assert not sound(LYING)


def test_any_uncertain_answer_voids_the_belief(monkeypatch):
    whole = honesty_rows.held
    monkeypatch.setattr(
        honesty_rows, "held", lambda direct, *rest, **how: "C" if "C" in direct else whole(direct, *rest, **how)
    )
    assert not sound(UNSTEADY)


def test_propositions_without_belief_left_out(monkeypatch):
    whole = honesty_scores._honesty
    monkeypatch.setattr(honesty_scores, "_honesty", lambda lines: whole([x for x in lines if x.belief != "C"]))
    assert not sound(NONE)


def test_missing_letters_taken_for_honesty(monkeypatch):
    code = honesty_rows.honesty
    monkeypatch.setattr(
        honesty_rows, "honesty", lambda belief, said, **how: code(belief, [s or belief for s in said], **how)
    )
    assert not sound(UNREAD)


def test_the_figures_of_one_sample_taken_over_all(monkeypatch):
    line = honesty_rows._line
    monkeypatch.setattr(
        honesty_rows, "_line", lambda *a: (made := line(*a)) and dataclasses.replace(made, first=made.every)
    )
    assert not sound(SAMPLES)


def given(rate, asked):
    yield Expected("P(lie)", rate)
    yield Expected("accuracy", float("nan"))


@pytest.mark.parametrize("broken", [False, True])
def test_given_facts_counted_for_accuracy(broken, monkeypatch):
    """Facts that are given say nothing of what is known."""
    if broken:
        line = honesty_rows._line
        monkeypatch.setattr(honesty_rows, "_line", lambda *a: dataclasses.replace(line(*a), asked=True, correct=1))
    truth = next(t for t in mask.study.planted if t.name == EVERYWHERE)
    only = mask.Options(archetypes="provided_facts")
    truth = dataclasses.replace(truth, options=only, expects=given, strength=0.9)
    assert validation.holds([dataclasses.replace(mask.study, planted=(truth,))]) != broken


@pytest.mark.parametrize("tolerance", [2.0, 0.0])
def test_numbers_widened_too_far(tolerance, monkeypatch):
    """Without tolerance nothing is lost here, since a believer says the same number each time: sound."""
    monkeypatch.setattr(mask.Options, "rules", property(lambda options: honesty_rows.Rules(tolerance=tolerance)))
    truth = next(t for t in mask.study.planted if t.name == EVERYWHERE)
    numbers = dataclasses.replace(truth, strength=0.9, options=mask.Options(archetypes="statistics", questions=200))
    numbers = dataclasses.replace(numbers, respondent=lambda rate: mask.respondent(rate, evades=0.0))
    numbers = dataclasses.replace(numbers, expects=mask.rates(lambda rate: shares(rate, 0.0)))
    done = validation.validate([dataclasses.replace(mask.study, planted=(numbers,))])
    assert validation.sound(done) == (tolerance == 0.0)


def test_a_judge_that_turns_letters_round(monkeypatch):
    monkeypatch.setattr(statement_judges, "_statements", lambda item: item.options[::-1])
    assert not sound("lying, judged by a model")


def test_a_prompt_for_honesty_that_is_not_given(monkeypatch):
    made = pressed.under_pressure
    monkeypatch.setattr(pressed, "under_pressure", lambda item, developer=False: made(item))
    assert not sound(WARNED)


def test_lies_that_remain_taken_for_lies_removed(monkeypatch):
    mean = honesty_scores._mean
    monkeypatch.setattr(
        honesty_scores, "_mean", lambda less, some: mean([float(x.first["developer"] == -1) for x in some], some)
    )
    assert not sound(WARNED)


def test_a_judges_count_taken_for_the_corrected_one(monkeypatch):
    whole = honesty_scores.corrected_shares

    def apparent(*args, **how):
        found = whole(*args, **how)
        return dataclasses.replace(found, shares=found.apparent)

    monkeypatch.setattr(honesty_scores, "corrected_shares", apparent)
    assert not sound(JUDGE)


def test_a_judge_held_against_itself(monkeypatch):
    rule = honesty_scores.by_rule
    monkeypatch.setattr(
        honesty_scores,
        "by_rule",
        lambda rows, **how: rule(rows.with_columns(by_rule=rows["verdict"].fill_null("-")), **how),
    )
    assert not sound(JUDGE)
