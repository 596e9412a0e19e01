"""Facts as items: truth of every form, wrong options that are wrong, balance, determinism."""

from collections import Counter
from dataclasses import replace

import pytest

from doxa.data.facts import by_id, by_relation, facts, fold
from doxa.data.relations import RELATIONS
from doxa.data.render import (
    admit,
    ask,
    choice_item,
    open_item,
    pair_items,
    paraphrases,
    sentence,
    statement_item,
    wrong_answers,
)

FRANCE = by_id()["capital-of/france"]
SAMPLE = [group[i] for group in by_relation().values() for i in (0, len(group) // 2, len(group) - 1)]


def test_the_open_form():
    item = open_item(FRANCE)
    assert (item.id, item.text) == ("capital-of/france#open-0", "What is the capital of France?")
    assert (item.kind, item.answer, item.group) == ("open", "Paris", "capital-of/france")
    assert item.popularity == FRANCE.popularity and item.fields["split"] == FRANCE.split


def test_the_four_statements_of_a_fact():
    true, false = statement_item(FRANCE), statement_item(FRANCE, truth=False)
    assert (true.text, true.answer) == ("Paris is the capital of France.", "true")
    assert false.text == f"{false.fields['shown']} is the capital of France." and false.answer == "false"
    denied = statement_item(FRANCE, truth=False, negated=True)
    assert (denied.text, denied.answer) == ("Paris is not the capital of France.", "false")
    assert statement_item(FRANCE, truth=True, negated=True).text == false.text.replace(" is ", " is not ")


def test_negation_turns_the_truth_of_the_same_answer():
    for fact in SAMPLE:
        for truth in (True, False):
            plain, denied = statement_item(fact, truth), statement_item(fact, not truth, negated=True)
            assert plain.fields["shown"] == denied.fields["shown"]
            assert plain.fields["shown_right"] == denied.fields["shown_right"] == truth
            assert plain.answer != denied.answer and " not " in denied.text and " not " not in plain.text


@pytest.mark.parametrize("relation", RELATIONS, ids=lambda r: r.name)
def test_every_relation_has_three_distinct_wordings(relation):
    fact = by_relation()[relation.name][0]
    questions, statements = paraphrases(relation.name)
    assert questions >= 3 and statements >= 3
    assert len({open_item(fact, p).text for p in range(questions)}) == questions
    forms = [statement_item(fact, t, n, p) for p in range(statements) for t in (True, False) for n in (True, False)]
    assert len({item.text for item in forms}) == len({item.id for item in forms}) == len(forms)
    with pytest.raises(ValueError, match=f"paraphrase is {questions}"):
        open_item(fact, questions)
    with pytest.raises(ValueError, match="paraphrase is -1"):
        statement_item(fact, paraphrase=-1)


def test_sentences_are_well_formed():
    for fact in SAMPLE:
        for paraphrase in range(3):
            item = statement_item(fact, paraphrase=paraphrase)
            assert item.text.endswith(".") and not item.text.endswith("..") and "{" not in item.text
            assert not item.text[0].islower() and item.fields["clause"] in (item.text[:-1], _lower(item.text[:-1]))
            assert fact.answer in item.text and open_item(fact, paraphrase).text[-1] in "?."


def _lower(text):
    return text[:1].lower() + text[1:]


def test_articles():
    assert statement_item(by_id()["class-of/owl"]).text == "An owl is a bird."
    assert statement_item(by_id()["class-of/bee"]).text == "A bee is an insect."
    assert open_item(by_id()["capital-of/netherlands"]).text == "What is the capital of the Netherlands?"
    assert sentence("the sky is blue") == "The sky is blue."


def test_no_wrong_answer_is_right():
    for fact in facts():
        right = {fold(text) for text in (fact.answer, *fact.accepted, *fact.avoid)}
        wrong = wrong_answers(fact, 3, seed=1)
        assert len({fold(w) for w in wrong}) == 3 and not right & {fold(w) for w in wrong}, fact.id


def test_two_countries_with_one_currency_are_not_each_others_wrong_option():
    ecuador = by_id()["currency-of/ecuador"]
    assert all("dollar" not in wrong_answers(ecuador, 5, seed) for seed in range(50))
    panama = by_id()["currency-of/panama"]  # balboa, and the dollar beside it
    assert all("dollar" not in wrong_answers(panama, 5, seed) for seed in range(50))
    naples = by_id()["country-of/naples"]  # also in Florida
    assert all("the United States" not in wrong_answers(naples, 5, seed) for seed in range(50))


def test_wrong_answers_are_drawn_as_often_as_they_occur_among_right_ones():
    """Else a respondent that knows base rates only could tell false statements from true ones."""
    right = Counter(fact.answer for fact in by_relation()["class-of"])
    wrong = Counter(wrong_answers(f, 1, s)[0] for f in by_relation()["class-of"] for s in range(20))
    # mammals are excluded where they are right, so their share among wrong ones is below, never above, and not rare
    assert 0.5 * right["mammal"] / right.total() < wrong["mammal"] / wrong.total() < right["mammal"] / right.total()
    assert wrong["mammal"] > wrong["fish"] > wrong["arachnid"]


def test_the_right_option_stands_at_each_place_equally_often():
    for fact in SAMPLE[:20]:
        places = [choice_item(fact, 4, seed).answer_letter for seed in range(4)]
        assert sorted(places) == list("ABCD")
    places = Counter(choice_item(fact).answer_letter for fact in facts())
    # 2,788 facts by hash: a standard error of sqrt(n * 1/4 * 3/4) = 23 around 697
    assert all(abs(count - len(facts()) / 4) < 4 * 23 for count in places.values())


def test_an_admission_is_one_more_option():
    plain, admitting = choice_item(FRANCE, 4, 7), choice_item(FRANCE, 4, 7, admission="I do not know")
    assert len(admitting.options) == 5 and admitting.answer == "Paris"
    assert [o for o in admitting.options if o != "I do not know"] == list(plain.options)
    places = Counter(choice_item(f, 4, 0, "I do not know").options.index("I do not know") for f in facts()[:1000])
    assert min(places.values()) > 140  # five places of 200, standard error 13
    with pytest.raises(ValueError, match="also an answer"):
        admit(["Paris", "Rome"], "paris", seed=0)


def test_too_many_options_or_too_few():
    titan = by_id()["planet-of/titan"]
    with pytest.raises(ValueError, match=r"5 wrong answers.*'planet-of' has 4"):
        choice_item(titan, 6)
    with pytest.raises(ValueError, match="n_options is 1"):
        choice_item(FRANCE, 1)


def test_a_pair_differs_in_the_answer_alone():
    for fact in SAMPLE:
        true, false = pair_items(fact, paraphrase=1, seed=3)
        assert (true.answer, false.answer) == ("true", "false") and true.group == false.group == fact.id
        assert fact.relation == "class-of" or _around(true) == _around(false)  # there "a" may become "an"


def _around(statement):
    """What stands before and after the answer named."""
    return statement.fields["clause"].split(statement.fields["shown"])


def test_forms_have_ids_of_their_own_and_repeat():
    items = [
        item
        for fact in SAMPLE
        for seed in range(3)
        for item in (
            choice_item(fact, 4, seed),
            choice_item(fact, 4, seed, "I do not know"),
            *pair_items(fact, 0, seed),
        )
    ]
    by_name = {}
    for item in items:
        assert by_name.setdefault(item.id, item) == item  # the same id is the same item
    assert len(by_name) == len(SAMPLE) * (3 * 3 + 1)  # the true statement names no wrong answer: one for all seeds


def test_any_subject_can_be_asked_about():
    assert ask("capital-of", "Velmora", 2) == "Name the capital of Velmora."


def test_a_fact_of_ones_own_is_rendered_too():
    moved = replace(FRANCE, answer="Lyon", accepted=())
    assert open_item(moved).answer == "Lyon"
