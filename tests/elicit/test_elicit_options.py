"""Beliefs from log-probabilities: planted ones come back, permuted and not, and nothing depends on their size."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doxa.elicit.answers import Letter, ShortText, TrueFalse
from doxa.elicit.options import (
    continuation,
    cyclic_orders,
    logprob,
    mass,
    option_belief,
    option_logprobs,
    permutation_averaged_belief,
    permuted,
    permuted_beliefs,
    random_orders,
    softmax,
    statement_belief,
    unpermute,
    unpermuted_letter,
    value_logprobs,
)
from doxa.elicit.p_true import PTrue, p_true
from doxa.records import Item, Prompt, Score, Token

# A busy machine is no failure, and every run tries the same examples.
unhurried = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

CITY = Item("c", "Which?", "choice", ("Sydney", "Canberra", "Perth"), "Canberra")
FACT = Item("s", "This holds.", "statement", (), "true")


class Believer:
    """Scores a continuation by what it believes: of the option shown under a letter, or of the text itself."""

    def __init__(self, probabilities, *, letter_bias=None):
        self.probabilities = probabilities
        self.letter_bias = letter_bias or {}
        self.asked = []

    async def score(self, prompt, continuations, *, condition="neutral"):
        self.asked.append((prompt, tuple(continuations), condition))
        shown = prompt.item.options
        scores = []
        for text in continuations:
            meant = shown["ABC".index(text)] if text in ("A", "B", "C") else text
            bias = self.letter_bias.get(text, 0.0)
            value = math.log(self.probabilities[meant]) + bias
            scores.append(Score(text, value, tuple(Token(t, value / 2) for t in ("x", "y"))))
        return scores

    async def sample(self, prompt, sampling, *, condition="neutral"):
        raise AssertionError("nothing is sampled here")


PLANTED = {"Sydney": 0.3, "Canberra": 0.06, "Perth": 0.04, "true": 0.08, "false": 0.02, "(A)": 0.03, "(B)": 0.01}


async def test_the_belief_by_letter_is_the_planted_one():
    ask = Believer(PLANTED)
    belief = await option_belief(ask, CITY, condition="pressured")
    assert belief == pytest.approx([0.75, 0.15, 0.1])
    (prompt, continuations, condition) = ask.asked[0]
    assert continuations == ("A", "B", "C") and condition == "pressured"
    assert prompt == Letter().prompt(CITY)
    assert mass(await option_logprobs(ask, CITY)) == pytest.approx(0.4)


async def test_the_belief_by_text_scores_whole_options_behind_the_bare_question():
    ask = Believer(PLANTED)
    assert await option_belief(ask, CITY, by="text") == pytest.approx([0.75, 0.15, 0.1])
    assert ask.asked[0][0] == ShortText().prompt(CITY) and "Sydney" not in ask.asked[0][0].show()


async def test_normalising_by_length():
    ask = Believer(PLANTED)
    summed = np.log([0.3, 0.06, 0.04])
    assert await option_logprobs(ask, CITY, by="text", normalise="token") == pytest.approx(summed / 2)
    assert await option_logprobs(ask, CITY, by="text", normalise="byte") == pytest.approx(summed / [6, 8, 5])
    assert logprob(Score("é", -1.0), "byte") == -0.5  # two bytes, one character
    with pytest.raises(ValueError, match="has no tokens"):
        logprob(Score("x", -1.0), "token")
    with pytest.raises(ValueError, match=r"is 0\.7, above 0"):
        logprob(Score("x", 0.7))


async def test_statements_and_proposed_answers():
    ask = Believer(PLANTED)
    assert await statement_belief(ask, FACT) == pytest.approx(0.8)
    assert ask.asked[-1][:2] == (TrueFalse().prompt(FACT), ("true", "false"))
    assert await p_true(ask, CITY, "B", brainstorm=("A", "B")) == pytest.approx(0.75)
    assert ask.asked[-1][:2] == (PTrue("B", ("A", "B")).prompt(CITY), ("(A)", "(B)"))
    assert "Proposed answer:\nB) Canberra" in ask.asked[-1][0].show()


def test_what_a_chat_continues_with_has_no_leading_space():
    assert continuation(Prompt.user("Q"), "B") == "B"
    assert continuation(Prompt(text="Q: x\nA:"), "B") == " B"
    assert continuation(Prompt(text="Q: x\nA:\n"), "B") == "B"


async def test_values_are_scored_as_the_form_writes_them():
    ask = Believer({"yes": 0.5, "no": 0.25})
    form = PTrue("B")
    with pytest.raises(ValueError, match="this form writes true, false"):
        await value_logprobs(ask, form, CITY, ["yes", "no"])


# --- permutations ----------------------------------------------------------------------------------------------------

orders = st.integers(2, 8).flatmap(lambda c: st.permutations(range(c)))


@given(orders)
@unhurried
def test_unpermute_is_the_inverse(order):
    item = Item("x", "Q", "choice", tuple(f"option {i}" for i in range(len(order))), "option 0")
    shown = permuted(item, order)
    belief_of = {option: i / 100 for i, option in enumerate(item.options)}
    seen = [belief_of[option] for option in shown.options]
    assert unpermute(seen, order).tolist() == [belief_of[option] for option in item.options]
    letter = "ABCDEFGH"[shown.options.index("option 1")]
    assert unpermuted_letter(letter, order) == "B"
    assert shown.answer_letter == "ABCDEFGH"[shown.options.index("option 0")]


def test_reading_with_the_order_instead_of_its_inverse_is_caught():
    order, seen = [1, 2, 0], np.array([0.1, 0.2, 0.7])
    # place 0 shows option 1, place 1 option 2, place 2 option 0: option 0 has .7, option 1 .1, option 2 .2
    assert unpermute(seen, order).tolist() == [0.7, 0.1, 0.2]
    assert seen[order].tolist() == [0.2, 0.7, 0.1]  # the mistake: another distribution
    assert unpermute([[0.1, 0.2, 0.7]] * 2, order).tolist() == [[0.7, 0.1, 0.2]] * 2


async def test_permutations_average_a_letter_bias_out():
    biased = Believer(PLANTED, letter_bias={"A": -1.5})
    rows = await permuted_beliefs(biased, CITY, cyclic_orders(3))
    assert rows.shape == (3, 3)
    logs = np.log(rows).mean(axis=0)  # the bias is added once to each option, so it cancels in the mean logarithm
    assert softmax(logs) == pytest.approx([0.75, 0.15, 0.1])
    unbiased = await permuted_beliefs(Believer(PLANTED), CITY, random_orders(3, 5, seed=1))
    assert unbiased == pytest.approx(np.tile([0.75, 0.15, 0.1], (5, 1)))


def test_orders():
    assert cyclic_orders(3) == [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    assert random_orders(5, 4, seed=3) == random_orders(5, 4, seed=3) != random_orders(5, 4, seed=4)
    assert all(sorted(o) == list(range(5)) for o in random_orders(5, 20))
    for wrong in ([0, 0, 1], [0, 1], [1, 2, 3]):
        with pytest.raises(ValueError, match="each of 0 to 2 once"):
            permuted(CITY, wrong)
    with pytest.raises(ValueError, match="letters ABC"):
        unpermuted_letter("D", [0, 1, 2])


# --- softmax ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e6, 0), min_size=1, max_size=8))
@unhurried
def test_softmax_is_a_distribution_at_any_size(logprobs):
    belief = softmax(logprobs)
    assert belief.sum() == pytest.approx(1) and (belief >= 0).all()
    assert softmax(np.array(logprobs) - 1e5) == pytest.approx(belief)


def test_softmax_by_hand_and_where_it_is_undefined():
    assert softmax([math.log(0.3), math.log(0.1)]) == pytest.approx([0.75, 0.25])
    assert softmax([-math.inf, -1.0]).tolist() == [0.0, 1.0]
    assert np.isnan(softmax([-math.inf, -math.inf])).all()
    assert np.isnan(softmax([math.nan, -1.0])).all()
    assert softmax([[0.0, 0.0], [-math.inf, 0.0]]).tolist() == [[0.5, 0.5], [0.0, 1.0]]


async def test_the_average_over_rotations_takes_a_letter_bias_out():
    biased = Believer(PLANTED, letter_bias={"A": -1.5})
    found = await permutation_averaged_belief(biased, CITY, mean="geometric")
    assert found == pytest.approx([0.75, 0.15, 0.1])  # each option stands once in the place of the bias
    assert len(biased.asked) == 3
    plain = await permutation_averaged_belief(biased, CITY)
    assert plain.sum() == pytest.approx(1)
    assert plain == pytest.approx((await permuted_beliefs(biased, CITY, cyclic_orders(3))).mean(axis=0))
    once = await option_belief(biased, CITY)
    assert abs(plain[0] - 0.75) < abs(once[0] - 0.75)


async def test_the_average_over_random_orders_is_of_the_options_as_they_stand():
    found = await permutation_averaged_belief(Believer(PLANTED), CITY, 7, seed=2)
    assert found == pytest.approx([0.75, 0.15, 0.1])
    with pytest.raises(ValueError, match="n is 0; it is at least 1"):
        await permutation_averaged_belief(Believer(PLANTED), CITY, 0)


def test_by_character():
    assert logprob(Score(" abc", -2.0), "char") == -0.5  # the leading space is a character of what was scored
    assert logprob(Score("é", -1.0), "char") == -1.0
