"""Expressed uncertainty, broken in one place: validation says so (unbroken: test_planted.py)."""

import dataclasses
import math

import numpy as np
import polars as pl
import pytest
import rescored

from doxa import validation
from doxa.elicit import answer_tables, strategies, verbal
from doxa.elicit.verbal import TopK, Vanilla
from doxa.metrics import aurc, auroc, confidence_ways, final_answers, pair_rank, reliability
from doxa.records import LETTERS, Answer
from doxa.studies import express_uncertainty as study_file

STATED, SEVERAL, LISTS = "over-confidence", "agreement of several answers", "lists of guesses"
HINTS, TOKENS, UNREAD = "misleading hints", "token probabilities", "unread replies"
percent, is_correct, graded = verbal.percent, answer_tables.is_correct, study_file.graded
consistency, avg_conf, best = final_answers.consistency, final_answers.avg_conf, final_answers.best
scores, token_logprobs = study_file.confidence_scores, study_file.token_logprobs
read, listed = Vanilla.read, TopK.read


def sound(*truths):
    """Whether validation of the study with some of its truths alone finds all of them."""
    study = study_file.study
    chosen = tuple(t for t in study.planted if t.name in truths)
    assert len(chosen) == len(truths)
    return validation.holds([dataclasses.replace(study, planted=chosen)], quick=True)


@pytest.mark.parametrize("truth", [STATED, SEVERAL, LISTS, HINTS, UNREAD])
def test_unbroken_the_score_is_sound(truth):
    assert rescored.holds(study_file.study, truth)


# --- broken where replies are read -----------------------------------------------------------------------------------


def confidence_made(monkeypatch, form, change):
    """A form whose confidences are changed after they were read."""
    unbroken = form.read

    def broken(self, reply, item=None):
        answer = unbroken(self, reply, item)
        return (
            answer if answer.confidence is None else dataclasses.replace(answer, confidence=change(answer.confidence))
        )

    monkeypatch.setattr(form, "read", broken)


def test_a_parser_that_reads_90_as_9_percent(monkeypatch):
    monkeypatch.setattr(verbal, "percent", lambda text, **how: percent(text, **how) / 10)
    assert not sound(STATED)


@pytest.mark.parametrize("form", [verbal.Vanilla, verbal.ChainOfThought, verbal.SelfProbing, verbal.TopK])
def test_a_confidence_that_is_turned_around_in_one_way_of_asking(monkeypatch, form):
    confidence_made(monkeypatch, form, lambda p: 1 - p)
    assert not sound(STATED)


def test_steps_that_are_averaged_and_not_multiplied(monkeypatch):
    monkeypatch.setattr(strategies, "step_product", lambda answer: sum(answer.steps) / len(answer.steps))
    assert not sound(STATED)


def test_a_second_guess_taken_as_the_answer(monkeypatch):
    def second(self, reply, item=None):
        answer = listed(self, reply, item)
        return dataclasses.replace(answer, value=answer.guesses[1][0]) if len(answer.guesses) > 1 else answer

    monkeypatch.setattr(TopK, "read", second)
    assert not sound(STATED)


def test_answers_compared_with_the_next_letter(monkeypatch):
    def shifted(value, item):
        return is_correct(LETTERS[(LETTERS.index(value) + 1) % 4] if value in tuple(LETTERS) else value, item)

    monkeypatch.setattr(answer_tables, "is_correct", shifted)
    assert not sound(STATED)


def test_abstentions_counted_as_right(monkeypatch):
    def generous(rows):
        made = graded(rows)
        admits = pl.col("outcome") == "abstained"
        columns = {"outcome": pl.lit("ok"), "answer": pl.lit("?"), "confidence": pl.lit(1.0), "correct": pl.lit(True)}
        return made.with_columns(
            **{name: pl.when(admits).then(v).otherwise(pl.col(name)) for name, v in columns.items()}
        )

    monkeypatch.setattr(study_file, "graded", generous)
    assert not rescored.holds(study_file.study, UNREAD)


def test_unread_replies_taken_as_an_answer(monkeypatch):
    def filled(self, reply, item=None):
        answer = read(self, reply, item)
        return Answer("ok", "A", 0.5) if answer.outcome == "unparsed" else answer

    monkeypatch.setattr(Vanilla, "read", filled)
    assert not sound(UNREAD)


# --- broken where answers are combined -------------------------------------------------------------------------------


def test_votes_in_place_of_weights(monkeypatch):
    monkeypatch.setattr(final_answers, "avg_conf", consistency)
    assert not rescored.holds(study_file.study, SEVERAL)


def test_weights_in_place_of_votes(monkeypatch):
    monkeypatch.setattr(final_answers, "consistency", avg_conf)
    assert not rescored.holds(study_file.study, SEVERAL)


def test_the_rarest_answer_taken(monkeypatch):
    monkeypatch.setattr(final_answers, "best", lambda scores: best(scores.with_columns(score=1 - pl.col("score"))))
    assert not rescored.holds(study_file.study, SEVERAL)


def test_the_first_response_alone(monkeypatch):
    monkeypatch.setattr(final_answers, "consistency", lambda rows: consistency(rows.filter(pl.col("order") == 0)))
    assert not rescored.holds(study_file.study, SEVERAL)


def test_lists_read_from_their_end(monkeypatch):
    monkeypatch.setitem(study_file.RANKERS, "corrected", lambda lists: pair_rank([one[::-1] for one in lists]))
    assert not rescored.holds(study_file.study, LISTS)


def test_a_ranking_without_the_logarithm(monkeypatch):
    monkeypatch.setitem(study_file.RANKERS, "corrected", study_file.RANKERS["published"])
    assert not rescored.holds(study_file.study, LISTS)


def test_probabilities_of_other_guesses(monkeypatch):
    def crossed(self, reply, item=None):
        answer = listed(self, reply, item)
        values, stated = [g for g, _ in answer.guesses], [p for _, p in answer.guesses]
        return dataclasses.replace(answer, guesses=tuple(zip(values, stated[::-1], strict=True)))

    monkeypatch.setattr(TopK, "read", crossed)
    assert not sound(LISTS)


def test_hints_that_change_the_answer_too(monkeypatch):
    monkeypatch.setattr(confidence_ways, "MISLEADING", "no such strategy")
    assert not rescored.holds(study_file.study, HINTS)


def test_hinted_responses_left_out(monkeypatch):
    monkeypatch.setattr(study_file, "graded", lambda rows: graded(rows).filter(pl.col("hint").is_null()))
    assert not rescored.holds(study_file.study, HINTS)


# --- broken in the numbers -------------------------------------------------------------------------------------------


def test_a_reply_without_its_length(monkeypatch):
    def unspelt(reply):
        found = token_logprobs(reply)
        return found and dataclasses.replace(found, tokens=1)

    monkeypatch.setattr(study_file, "token_logprobs", unspelt)
    assert not sound(TOKENS)


def test_the_whole_reply_in_place_of_the_answer(monkeypatch):
    def whole(reply):
        found = token_logprobs(reply)
        return found and dataclasses.replace(found, answer=found.reply)

    monkeypatch.setattr(study_file, "token_logprobs", whole)
    assert not sound(TOKENS)


def test_logarithms_to_the_base_2(monkeypatch):
    def bits(reply):
        found = token_logprobs(reply)
        return found and dataclasses.replace(found, reply=found.reply / math.log(2), answer=found.answer / math.log(2))

    monkeypatch.setattr(study_file, "token_logprobs", bits)
    assert not sound(TOKENS)


def figures_made(monkeypatch, **changed):
    """Some figures after a change: a function of what was said and what was right."""

    def broken(said, right, groups, **how):
        found = scores(said, right, groups, **how)
        if len(said):
            new = {name: change(said.to_numpy(), right.to_numpy().astype(float)) for name, change in changed.items()}
            found |= {name: dataclasses.replace(found[name], value=value) for name, value in new.items()}
        return found

    monkeypatch.setattr(study_file, "confidence_scores", broken)


def unweighted(said, right):
    return float(np.mean([abs(b.confidence - b.accuracy) for b in reliability(said, right) if b.n]))


@pytest.mark.parametrize(
    "changed",
    [
        {"ECE": unweighted},
        {"overconfidence": lambda said, right: float((right - said).mean())},
        {"AUROC": lambda said, right: auroc(said, 1 - right)},
        {"AURC": lambda said, right: aurc(-said, right)},
        {"AUPRC-P": lambda said, right: float(1 - right.mean())},
        {"AUPRC-N": lambda said, right: float(right.mean())},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_figure_that_is_another_one(monkeypatch, changed):
    figures_made(monkeypatch, **changed)
    assert not rescored.holds(study_file.study, STATED, SEVERAL)
