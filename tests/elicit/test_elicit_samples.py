"""Answers that are the same, how far they agree, and whether they are right."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doxa.elicit.answers import Letter
from doxa.elicit.grading import is_correct, normalised
from doxa.elicit.samples import (
    avg_conf,
    avg_conf_top1,
    avg_conf_topk,
    by_avg_conf,
    by_consistency,
    consistency,
    final_answer,
    merged,
    sample_answers,
)
from doxa.elicit.verbal import TopK
from doxa.records import Answer, Item, Reply

# A busy machine is no failure, and every run tries the same examples.
unhurried = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

VALUES, STATED = ["A", "A", "B", "A", "C"], [0.9, 0.8, 0.95, 0.6, 0.5]


def test_the_published_unit_case():
    # A: (90 + 80 + 60) / 375, B: 95 / 375, C: 50 / 375
    assert avg_conf(VALUES, STATED) == pytest.approx({"A": 230 / 375, "B": 95 / 375, "C": 50 / 375})
    assert consistency(VALUES) == pytest.approx({"A": 0.6, "B": 0.2, "C": 0.2})
    assert final_answer(avg_conf(VALUES, STATED), VALUES, STATED) == ("A", pytest.approx(0.6133, abs=1e-4))


def test_one_sample_agrees_with_itself():
    assert consistency(["A"]) == {"A": 1.0} and avg_conf(["A"], [0.3]) == {"A": 1.0}


def test_spellings_are_merged_under_the_first():
    assert consistency(["Paris", "paris.", "the Paris", "Rome"]) == {"Paris": 0.75, "Rome": 0.25}
    assert merged(["12", "12.0", "1,200", "1200"]) == ("12", "12", "1,200", "1,200")


def test_ties_go_to_the_confident_then_to_the_first():
    values, stated = ["B", "A", "B", "A"], [0.5, 0.9, 0.5, 0.9]
    assert final_answer(consistency(values), values, stated) == ("A", 0.5)
    assert final_answer(consistency(values), values, [0.5] * 4) == ("B", 0.5)
    assert final_answer(consistency(values), values) == ("B", 0.5)
    assert final_answer(dict(reversed(consistency(values).items())), values) == ("B", 0.5)


@given(st.lists(st.tuples(st.sampled_from("ABCD"), st.floats(0.01, 1)), min_size=1, max_size=12))
@unhurried
def test_shares_sum_to_one(pairs):
    values, stated = [v for v, _ in pairs], [c for _, c in pairs]
    assert sum(consistency(values).values()) == pytest.approx(1)
    assert sum(avg_conf(values, stated).values()) == pytest.approx(1)
    assert avg_conf(values, [0.7] * len(values)) == pytest.approx(consistency(values))  # constant confidence


def test_top_k_variants():
    lists = [(("A", 0.8), ("B", 0.1)), (("A", 0.6), ("C", 0.3)), (("B", 0.7), ("A", 0.2))]
    # first guesses only: A 1.4 of 2.1, B .7 of 2.1
    assert avg_conf_top1(lists) == pytest.approx({"A": 2 / 3, "B": 1 / 3})
    # every appearance: A (.8 + .6 + .2) / 3, B (.1 + .7) / 2, C .3 / 1
    assert avg_conf_topk(lists) == pytest.approx({"A": 1.6 / 3, "B": 0.4, "C": 0.3})


def test_nothing_is_made_up():
    assert all(math.isnan(x) for x in avg_conf(["A", "B"], [0, 0]).values())
    assert final_answer(avg_conf(["A", "B"], [0, 0]), ["A", "B"], [0, 0])[0] == "A"
    with pytest.raises(ValueError, match="no answers"):
        consistency([])
    with pytest.raises(ValueError, match=r"confidence is 90, outside \[0, 1\]"):
        avg_conf(["A", "B"], [90, 0.5])
    with pytest.raises(ValueError, match="2 answers have 1 confidences"):
        avg_conf(["A", "B"], [0.5])
    with pytest.raises(ValueError, match="hold no guess"):
        avg_conf_top1([(("A", 0.5),), ()])
    with pytest.raises(ValueError, match="scores are for"):
        final_answer({"D": 1.0}, ["A"])


def test_unread_answers_are_left_out_and_counted():
    answers = [
        Answer("ok", "A", 0.9),
        Answer("unparsed"),
        Answer("ok", "A", 0.7),
        Answer("abstained"),
        Answer("ok", "B", 0.4),
    ]
    agreed = by_consistency(answers)
    assert (agreed.value, agreed.confidence, agreed.n, agreed.unread) == ("A", pytest.approx(2 / 3), 3, 2)
    assert agreed.of("a") == pytest.approx(2 / 3) and agreed.of("C") == 0.0
    assert by_avg_conf(answers).confidence == pytest.approx(1.6 / 2.0)
    nothing = by_consistency([Answer("refused")])
    assert nothing.value is None and math.isnan(nothing.confidence) and nothing.unread == 1


async def test_samples_are_read_by_the_form():
    item = Item("c", "Which?", "choice", ("x", "y"), "y")

    class Parrot:
        async def sample(self, prompt, sampling, *, condition="neutral"):
            assert (sampling.n, sampling.temperature, sampling.seed, condition) == (3, 0.7, 5, "after")
            return [Reply("B"), Reply("A"), Reply("?")]

        async def score(self, prompt, continuations, *, condition="neutral"):
            raise AssertionError("nothing is scored here")

    pairs = await sample_answers(Parrot(), Letter(), item, 3, seed=5, condition="after")
    assert [(a.value, r.text) for a, r in pairs] == [("B", "B"), ("A", "A"), (None, "?")]


def test_top_k_answers_aggregate_by_their_first_guess():
    item = Item("c", "Which?", "choice", ("x", "y", "z"), "y")
    answers = [TopK(2).read(t, item) for t in ("G1: B\nP1: 60%\nG2: A\nP2: 30%", "G1: A\nP1: 20%\nG2: B\nP2: 10%")]
    assert by_avg_conf(answers).scores == pytest.approx(avg_conf_top1([a.guesses for a in answers]))


# --- grading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("The Hague", "hague."),
        ("Zürich", "zurich"),
        ("São Paulo", "Sao  Paulo"),
        ("U.S.A.", "USA"),
        ("Jean-Paul", "Jean Paul"),
        ("O’Neill", "O'Neill"),
        ("1,200.0", "1200"),
        ("1,200 km", "1200 km"),
        ("3,5 kg", "3.5 kg"),
        ("H₂O", "H2O"),
        ("10²", "10^2"),
        ("Москва", "москва"),
    ],
)
def test_spellings_of_one_answer(a, b):
    assert normalised(a) == normalised(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Vitamin A", "Vitamin"),
        ("3.5 kg", "35 kg"),
        ("-5 °C", "5 °C"),
        ("C#", "C"),
        ("C++", "C"),
        ("50%", "50"),
        ("10²", "102"),
        ("?", "!"),
        ("Paris", "Paris Texas"),
    ],
)
def test_different_answers(a, b):
    assert normalised(a) != normalised(b)


@pytest.mark.parametrize(
    ("value", "item", "right"),
    [
        ("B", Item("c", "?", "choice", ("Sydney", "Canberra"), "Canberra"), True),
        ("A", Item("c", "?", "choice", ("Sydney", "Canberra"), "Canberra"), False),
        ("canberra", Item("c", "?", "choice", ("Sydney", "Canberra"), "Canberra"), True),
        ("Canberra or Sydney", Item("c", "?", "choice", ("Sydney", "Canberra"), "Canberra"), False),
        ("A", Item("c", "?", "choice", ("B", "A"), "A"), False),  # a letter is a place, not the text
        ("true", Item("s", "?", "statement", (), "true"), True),
        ("yes", Item("s", "?", "statement", (), "true"), True),
        ("no", Item("s", "?", "statement", (), "true"), False),
        ("12.0", Item("n", "?", "number", (), "12"), True),
        ("50", Item("n", "?", "number", (), "50%"), True),
        ("120", Item("n", "?", "number", (), "12"), False),
        ("ada lovelace", Item("o", "?", "open", (), "Ada Lovelace"), True),
        ("Lovelace", Item("o", "?", "open", (), "Ada Lovelace", accepted=("Lovelace",)), True),
        ("Not Ada Lovelace", Item("o", "?", "open", (), "Ada Lovelace"), False),
        ("Ada", Item("o", "?", "open", (), "Ada Lovelace"), False),
        ("yes", Item("o", "?", "open", (), "true"), False),
        (None, Item("o", "?", "open", (), "Ada Lovelace"), False),
    ],
)
def test_grading(value, item, right):
    assert is_correct(value, item) is right


def test_an_unknown_truth_cannot_be_graded():
    with pytest.raises(ValueError, match="no known answer"):
        is_correct("x", Item("o", "?"))
