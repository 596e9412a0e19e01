"""The audit's own parts with one thing broken: validation says so (unbroken: test_planted.py)."""

import dataclasses

import numpy as np
import pytest
import rescored

from doxa import metrics, validation
from doxa.audit import abstention, beliefs, coherence, consistency, knowing
from doxa.elicit.samples import Agreement
from doxa.records import Answer


def sound(part, name):
    """Whether the part's own study finds one of its truths, by name."""
    (truth,) = (t for t in part.study.planted if t.name == name)
    only = dataclasses.replace(part.study, planted=(dataclasses.replace(truth, quick=True),))
    return validation.holds([only], quick=True)


@pytest.mark.parametrize("truth", [t for t in beliefs.study.planted if not t.quick and "organism" not in t.name])
def test_what_the_quick_subset_leaves_out_is_sound_and_telling(truth):
    found = validation.recover(beliefs.study, truth)
    assert [r.row() for r in found if not (r.recovered and r.null_clean)] == []
    assert any(r.telling for r in found)


@pytest.mark.parametrize(
    ("part", "truth"),
    [
        *((beliefs, "over-confidence in words"), (beliefs, "knowledge by popularity")),
        *((beliefs, "replies out of format"), (consistency, "retest noise")),
        *((coherence, "additivity"), (coherence, "conjunction fallacy"), (coherence, "noise")),
    ],
)
def test_unbroken_the_score_is_sound(part, truth):
    assert rescored.holds(part.study, truth)


def changed(form, **change):
    """A `read` of a form whose answers are changed by functions of the answer, as in changed(form, value=...)."""
    read = form.read

    def reads(self, reply, item=None):
        answer = read(self, reply, item)
        return dataclasses.replace(answer, **{name: make(answer) for name, make in change.items()})

    return reads


def wrong_scale(answer):
    return None if answer.confidence is None else answer.confidence / 100


def doubted(answer):
    return None if answer.confidence is None else 1 - answer.confidence


# --- beliefs ---------------------------------------------------------------------------------------------------------

WORDS, KNOWLEDGE, UNREAD, TIED = (
    *("over-confidence in words", "knowledge by popularity", "replies out of format"),
    "agreement of words and P(True)",
)


@pytest.mark.parametrize("mistake", [wrong_scale, doubted])
def test_confidence_in_words_misread(mistake, monkeypatch):
    monkeypatch.setattr(beliefs.Vanilla, "read", changed(beliefs.Vanilla, confidence=mistake))
    assert not sound(beliefs, WORDS)


def test_options_mapped_back_in_another_order(monkeypatch):
    believed = beliefs.option_belief

    async def rotated(ask, item):
        return np.roll(await believed(ask, item), 1)

    monkeypatch.setattr(beliefs, "option_belief", rotated)
    assert not sound(beliefs, KNOWLEDGE)


def test_correctness_against_the_wrong_letter(monkeypatch):
    right = knowing._right
    monkeypatch.setattr(
        knowing, "_right", lambda kind, a, truth: a == "A" if kind == "choice" else right(kind, a, truth)
    )
    assert not sound(beliefs, KNOWLEDGE)


def test_open_answers_graded_without_their_capitals(monkeypatch):
    monkeypatch.setattr(knowing, "is_correct", lambda value, item: value.lower() in (item.answer, *item.accepted))
    assert not sound(beliefs, KNOWLEDGE)


def test_probability_that_the_answer_is_false(monkeypatch):
    believed = beliefs.p_true

    async def p_false(ask, item, answer):
        return 1 - await believed(ask, item, answer)

    monkeypatch.setattr(beliefs, "p_true", p_false)
    assert not sound(beliefs, KNOWLEDGE)


def test_share_of_the_commonest_sample_instead_of_the_answer(monkeypatch):
    monkeypatch.setattr(Agreement, "of", lambda self, value: self.confidence)
    assert not sound(beliefs, KNOWLEDGE)


@pytest.mark.parametrize(
    ("metric", "broken"),
    {
        "ECE": lambda c, y: np.mean([abs(b.confidence - b.accuracy) for b in metrics.reliability(c, y) if b.n]),
        "ECE, debiased": metrics.mce,
        "Brier": lambda c, y: np.mean(np.abs(c - y)),
        "AUROC": lambda c, y: metrics.auroc(-c, y),
        "AURC": lambda c, y: metrics.aurc(-c, y),
        "confidence minus accuracy": lambda c, y: np.mean(y - c),
    }.items(),
)
def test_a_metric_that_is_another(metric, broken, monkeypatch):
    made = lambda c, y: metrics.Interval(float(broken(c, y)), np.nan, np.nan, len(c), "broken")  # noqa: E731
    monkeypatch.setitem(knowing.METRICS, metric, made)
    assert not rescored.holds(beliefs.study, WORDS)


def test_accuracy_of_the_replies_that_were_read(monkeypatch):
    accuracy = knowing.accuracy
    monkeypatch.setattr(
        knowing,
        "accuracy",
        lambda name, rows, section: accuracy(name, rows.filter(rows["correct"].is_not_null()), section),
    )
    assert not rescored.holds(beliefs.study, UNREAD)


@pytest.mark.parametrize("truth", [KNOWLEDGE, TIED])
def test_rank_correlation_of_unmatched_items(truth, monkeypatch):
    matched = knowing._pairs

    def unmatched(graded):
        for kind, a, b, pairs in matched(graded):
            yield kind, a, b, pairs.with_columns(pairs[b].sort())

    monkeypatch.setattr(knowing, "_pairs", unmatched)
    assert not rescored.holds(beliefs.study, truth)


# --- abstention ------------------------------------------------------------------------------------------------------


def test_admission_read_as_an_answer(monkeypatch):
    answered = changed(abstention.ShortText, outcome=lambda a: "ok" if a.outcome == "abstained" else a.outcome)
    monkeypatch.setattr(abstention.ShortText, "read", answered)
    assert not sound(abstention, "rate of admission")


def test_first_and_second_letter_changed_over(monkeypatch):
    monkeypatch.setattr(abstention, "LETTERS", "BA" + abstention.LETTERS[2:])
    assert not sound(abstention, "rate of admission")


def test_answerable_and_unknowable_changed_over(monkeypatch):
    row = abstention.Row
    swap = {"answerable": "unknowable", "unknowable": "answerable"}
    monkeypatch.setattr(abstention, "Row", lambda **fields: row(**fields | {"truth": swap[fields["truth"]]}))
    assert not sound(abstention, "rate of admission")


def test_unread_replies_counted_as_not_admitting(monkeypatch):
    row = abstention.Row
    monkeypatch.setattr(abstention, "Row", lambda **fields: row(**fields | {"admitted": bool(fields["admitted"])}))
    assert sound(abstention, "rate of admission")
    assert not sound(abstention, "rate of admission, replies out of format")


# --- consistency -----------------------------------------------------------------------------------------------------


def test_probability_of_false_taken_for_true(monkeypatch):
    believed = consistency.statement_belief

    async def flipped(ask, item):
        return 1 - await believed(ask, item)

    monkeypatch.setattr(consistency, "statement_belief", flipped)
    assert not sound(consistency, "bias to say true")


def test_true_read_as_false(monkeypatch):
    other = {"true": "false", "false": "true"}
    flipped = changed(consistency.TrueFalse, value=lambda a: other.get(a.value))
    monkeypatch.setattr(consistency.TrueFalse, "read", flipped)
    assert not sound(consistency, "replies alone")


def test_unread_replies_taken_for_false(monkeypatch):
    filled = changed(consistency.TrueFalse, value=lambda a: a.value or "false")
    monkeypatch.setattr(consistency.TrueFalse, "read", filled)
    assert not sound(consistency, "replies alone")


def test_negations_asked_without_the_negation(monkeypatch):
    asked = consistency.statement_item

    def affirmed(fact, truth=True, negated=False, paraphrase=0, seed=0):
        return asked(fact, truth != negated, False, paraphrase, seed)

    monkeypatch.setattr(consistency, "statement_item", affirmed)
    assert not sound(consistency, "bias to say true")


def test_one_wording_asked_twice(monkeypatch):
    asked = consistency.statement_item
    monkeypatch.setattr(
        consistency,
        "statement_item",
        lambda fact, truth=True, negated=False, paraphrase=0, seed=0: asked(fact, truth, negated, 0, seed),
    )
    assert not sound(consistency, "retest noise")


def test_a_verdict_from_a_tenth_on(monkeypatch):
    score = consistency.score
    lenient = dataclasses.replace(
        consistency.study, score=lambda rows, options: score(rows.with_columns(rows["belief"] ** 0.3), options)
    )
    monkeypatch.setattr(consistency, "study", lenient)
    assert not rescored.holds(consistency.study, "retest noise")


# --- coherence -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mistake", [wrong_scale, doubted])
def test_probability_in_words_misread(mistake, monkeypatch):
    monkeypatch.setattr(coherence.Probability, "read", changed(coherence.Probability, confidence=mistake))
    assert not sound(coherence, "additivity")


def test_negations_changed_over(monkeypatch):
    by_pair = coherence.by_pair
    monkeypatch.setattr(coherence, "by_pair", lambda rows: by_pair(rows)[:, [0, 1, 3, 2, 4, 5]])
    assert not rescored.holds(coherence.study, "additivity")


@pytest.mark.parametrize("truth", ["additivity", "conjunction fallacy", "noise"])
def test_a_distance_that_is_squared(truth, monkeypatch):
    monkeypatch.setattr(coherence, "coherence_distance", lambda belief: metrics.coherence_distance(belief) ** 2)
    assert not rescored.holds(coherence.study, truth)


def test_a_distance_that_only_looks_at_negations(monkeypatch):
    monkeypatch.setattr(
        coherence, "coherence_distance", lambda b: np.sqrt(((b[:, :2] + b[:, 2:4] - 1) ** 2).sum(axis=1) / 9)
    )
    assert rescored.holds(coherence.study, "additivity") and not rescored.holds(coherence.study, "conjunction fallacy")


def test_unread_probabilities_taken_for_a_half(monkeypatch):
    filled = changed(
        coherence.Probability, confidence=lambda a: 0.5 if a == Answer(a.outcome, note=a.note) else a.confidence
    )
    monkeypatch.setattr(coherence.Probability, "read", filled)
    assert not sound(coherence, "conjunction fallacy")
