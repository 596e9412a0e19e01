"""Trivial respondents: what a study makes of somebody who looks at no question, by hand and on the studies."""

import dataclasses

import pytest
import small_study as small
from pytest import approx

from doxa.data import attitude_figures
from doxa.data.attitudes import chosen_tasks
from doxa.data.impossible import made_up
from doxa.models.simulated import modal_answer
from doxa.records import DoxaError, Item, MissingCapability
from doxa.studies import impossible_test, kable
from doxa.validation.trivial import headline, respondents, trivial, trivials


def lines(table):
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_a_study_of_statements_by_hand():
    # All of its statements are true: always yes says true, always no does not, a coin about half of the time.
    found = lines(trivial(small.study, small.Options(statements=200)))
    assert found["always yes"][small.RATE] == 1.0 and found["always no"][small.RATE] == 0.0
    assert found["modal (true)"][small.RATE] == 1.0
    assert found["random"][small.RATE] == approx(0.5, abs=3 * 0.036)  # 3 SE at 200
    assert found["copycat"][small.RATE] == found["random"][small.RATE]  # nothing is suggested
    assert found["random"]["answered"] == found["random"]["items"] == 200


def test_constant_answers_to_attitudes_are_the_known_baselines():
    options = kable.Options(pairs=20)
    found = lines(trivial(kable.study, options, names=kable.HEADLINE[:2]))
    known = {name: figures for name, *figures in attitude_figures.baselines(chosen_tasks(""), "data")}
    for letter in "AB":
        ours = [found[f"always {letter}"][name] for name in kable.HEADLINE[:2]]
        assert ours == approx(next(v for k, v in known.items() if f"always {letter}" in k))
    # A is Yes and B is No, so that words do no better than letters.
    assert {**found["always yes"], "respondent": ""} == {**found["always A"], "respondent": ""}
    assert found["modal (A)"]["factual average"] == found["always A"]["factual average"] == 1.0


def test_always_one_letter_admits_as_often_as_the_admission_stands_there():
    problems = made_up(60, places=(0, 0, 2, 1))
    options = impossible_test.Options(permutations=0, options_only=False)
    table = trivial(impossible_test.study, options, items=problems)
    found, (first, *_) = lines(table), (table.columns.index("admission rate"),)
    impossible = [p for p in problems if p.answer_letter is not None]
    for letter in "AB":
        share = sum(p.answer_letter == letter for p in impossible) / len(impossible)
        assert found[f"always {letter}"]["admission rate"] == approx(share)
    assert table.rows[0][first] == approx(0.5)
    assert "Cannot answer these items: always yes, always no" in table.note


def test_who_can_answer_few_of_the_items_has_no_line():
    # Two problems with the options yes and no among eight with letters: "yes" can answer those two.
    asked = [replace_options(p, ("Yes", "No", "I don't know")) if k < 2 else p for k, p in enumerate(made_up(10))]
    table = trivial(impossible_test.study, impossible_test.Options(permutations=0, options_only=False), items=asked)
    assert "always yes" not in lines(table) and lines(table)["always A"]["answered"] == 10
    assert table.note.endswith("Cannot answer these items: always yes, always no")


def replace_options(item, options):
    return dataclasses.replace(item, options=options, answer=options[-1])


def test_respondents_of_items_without_answers_have_no_modal_one():
    assert not any(name.startswith("modal") for name in respondents([Item("x", "Which?")]))
    known = [Item(str(k), "Is it?", "statement", answer=a) for k, a in enumerate(("true", "false", "true"))]
    assert modal_answer(known) == "true" and "modal (true)" in respondents(known)


def test_the_headline_is_what_is_published():
    found = trivial(kable.study, kable.Options(pairs=2))
    published = [p.estimate for p in kable.study.published if p.estimate in found.columns]
    assert found.columns[3 : 3 + len(dict.fromkeys(published))] == tuple(dict.fromkeys(published))
    assert headline(small.study, []) == ()


def test_impossible_questions_are_refused():
    with pytest.raises(DoxaError, match=r"has no estimate 'charm'; there are: says true"):
        trivial(small.study, small.Options(statements=4), names=["charm"])
    with pytest.raises(MissingCapability, match="hidden_states"):
        trivial(dataclasses.replace(small.study, needs=frozenset({"hidden_states"})))


def test_several_studies_and_one_that_no_trivial_respondent_can_answer():
    impossible = dataclasses.replace(small.study, needs=frozenset({"hidden_states"}))
    said = []
    found = trivials([small.study, impossible], limit=6, say=said.append)
    assert [t.name for t in found.tables] == [small.study.name] and len(said) == 2
    assert any("hidden_states" in note for note in found.notes)
