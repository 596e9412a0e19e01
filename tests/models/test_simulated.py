"""Simulated respondents: planted beliefs, confidences, forecasts and admissions are what is answered and said."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import pytest

from doxa.elicit import answers, verbal
from doxa.models.base import Context
from doxa.models.simulated import (
    Ability,
    Constant,
    Dirichlet,
    Holder,
    Respondent,
    Sharpened,
    Skill,
    inflated,
    respondent,
)
from doxa.models.simulated_values import unknowable
from doxa.records import LETTERS, Answer, DoxaError, Item, Prompt, Reply, Sampling

CITIES = ("Rome", "Oslo", "Bern", "Lima")
FRESH = Sampling(temperature=1.0)


def choices(n: int, c: int = 4, **about) -> list[Item]:
    """n questions with c options; the right one goes round."""
    return [
        Item(f"q{i}", f"Question {i}?", "choice", CITIES[:c], CITIES[i % c], group=f"g{i // 2}", **about)
        for i in range(n)
    ]


def statements(n: int, **about) -> list[Item]:
    return [Item(f"s{i}", f"Claim {i}.", "statement", answer=("true", "false")[i % 2], **about) for i in range(n)]


def ask(model, form, items, *, shown=None, sampling=None, condition="neutral") -> list[Answer]:
    """One answer to each item, read by the form it was asked in."""

    async def one(item: Item, at: Item) -> Answer:
        replies = await model.generate(form.prompt(at), sampling or Sampling(), Context(item, condition))
        return form.read(replies[0], at)

    async def every() -> list[Answer]:
        return [await one(item, at) for item, at in zip(items, shown or items, strict=True)]

    return asyncio.run(every())


def accuracy(said: list[Answer], items: list[Item]) -> float:
    return fmean(a.value in (i.answer, i.answer_letter) for a, i in zip(said, items, strict=True))


@dataclass(frozen=True)
class Tiny:
    """The smallest form: "answer: VALUE at CONFIDENCE"."""

    name: str = "tiny"
    target: str = "this answer is correct"

    def prompt(self, item: Item) -> Prompt:
        return Prompt.user(f"{item.text} {' '.join(item.options)}", form=self, item=item)

    def read(self, reply: Reply | str, item: Item | None = None) -> Answer:
        text = reply if isinstance(reply, str) else reply.text
        if not text.startswith("answer: "):
            return Answer("abstained" if text == "pass" else "unparsed")
        value, confidence = text.removeprefix("answer: ").rsplit(" at ", 1)
        return Answer("ok", value, float(confidence))

    def write(self, answer: Answer, item: Item | None = None) -> str:
        return "pass" if answer.outcome == "abstained" else f"answer: {answer.value} at {answer.confidence}"


# --- planted beliefs and confidences ----------------------------------------------------------------------------------


def test_inflated_words_on_a_dirichlet_belief_are_overconfident_by_48_points():
    """The planted case of express-uncertainty: E[80 + 20 p] - E[p], E[p] = E[sum p^2] = .4; sd at n = 2,000 is .010."""
    items = choices(2000)
    said = ask(Respondent(belief=Dirichlet(1.0), confidence=inflated), verbal.Vanilla(), items)
    confidence = np.array([a.confidence for a in said])
    assert fmean(confidence) - accuracy(said, items) == pytest.approx(0.48, abs=0.04)
    assert np.allclose(confidence * 20, np.round(confidence * 20)) and confidence.min() >= 0.8


@pytest.mark.parametrize("form", [verbal.Vanilla(), Tiny()])
def test_a_holder_is_right_as_often_as_it_says(form):
    items = choices(3000)
    said = ask(Respondent(belief=Holder(Ability(0.5)), decoding="greedy"), form, items)
    confidence, right = np.array([a.confidence for a in said]), []
    for a, item in zip(said, items, strict=True):
        right.append(a.value == item.answer_letter)
    for low in (0.25, 0.5, 0.75):
        here = (confidence >= low) & (confidence < low + 0.25)
        # 3,000 items over the range: about 800 in each part, standard error .017.
        assert np.mean(np.array(right)[here]) == pytest.approx(confidence[here].mean(), abs=0.06)


def test_a_holder_answers_its_favourite_even_when_the_rest_is_likelier_in_sum_and_singly():
    items = [Item(f"o{i}", f"Who {i}?", answer="Ada") for i in range(2000)]
    said = ask(Respondent(belief=Holder(0.1), decoding="greedy"), verbal.Vanilla(), items)
    assert {a.confidence for a in said} == {0.1}
    assert accuracy(said, items) == pytest.approx(0.1, abs=0.03)  # standard error .0067


def test_skill_is_anew_at_each_asking_and_says_itself():
    item = choices(1)[0]
    form = verbal.Vanilla()
    replies = asyncio.run(
        Respondent(belief=Skill(0.3)).generate(form.prompt(item), Sampling(n=2000, temperature=1.0), Context(item))
    )
    read = [form.read(r, item) for r in replies]
    assert fmean(a.value == "A" for a in read) == pytest.approx(0.3, abs=0.045)  # standard error .010
    assert {a.confidence for a in read} == {0.3}


def test_ability_follows_popularity():
    popular = [replace(i, popularity=(n + 0.5) / 2000) for n, i in enumerate(choices(2000))]
    model = Respondent(belief=Holder(Ability(0.7)), decoding="greedy")
    said = ask(model, answers.Letter(), popular)
    right = [a.value == i.answer_letter for a, i in zip(said, popular, strict=True)]
    assert fmean(right[:200]) < 0.5 < 0.9 < fmean(right[-200:])
    # knowing: the mean of the logistic over the bank; guessing one of four otherwise
    knows = fmean(1 / (1 + math.exp(-8 * (i.popularity - 0.3))) for i in popular)
    assert fmean(right) == pytest.approx(0.25 + 0.75 * knows, abs=0.04)  # standard error .009


def test_confidence_rules():
    sharp = Sharpened(3.0)
    assert sharp(0.8, 2) == pytest.approx(1 / (1 + math.exp(-3 * math.log(4))))
    assert sharp(0.25, 4) == pytest.approx(0.25) and sharp(0.4, 4) > 0.4  # chance stays, above it is too sure
    assert sharp(0.4, 4) == pytest.approx(0.4**3 / (0.4**3 + 3 * 0.2**3))
    assert sharp(1.0, 2) == 1.0 and sharp(0.0, 2) == 0.0
    assert (inflated(0.0, 4), inflated(0.5, 4), inflated(1.0, 4)) == (0.8, 0.9, 1.0)
    assert Constant(0.9)(0.1, 2) == 0.9


@pytest.mark.parametrize(("name", "low", "high"), [("calibrated", -0.03, 0.03), ("overconfident", 0.08, 0.4)])
def test_named_respondents_are_off_by_what_their_name_says(name, low, high):
    items = statements(2000)
    said = ask(respondent(f"{name}?ability=.4"), verbal.Vanilla(), items)
    gap = fmean(a.confidence for a in said) - accuracy(said, items)
    assert low < gap < high  # standard error about .01


def test_an_inverted_respondent_is_surest_where_it_is_wrong():
    items = statements(1000)
    said = ask(respondent("inverted?ability=.5"), verbal.Vanilla(), items)
    right = [a.confidence for a, i in zip(said, items, strict=True) if a.value == i.answer]
    wrong = [a.confidence for a, i in zip(said, items, strict=True) if a.value != i.answer]
    assert fmean(wrong) > fmean(right) + 0.05


# --- forecasts --------------------------------------------------------------------------------------------------------


def test_forecasts_say_sigmoid_k_logit_q_and_answer_the_likelier():
    """The planted case of kalshibench: the number is P(yes) whatever the answer is."""
    rng = np.random.default_rng(0)
    q = rng.beta(1.2, 1.8, 400)
    items = [Item(f"e{i}", f"Will it {i}?", "open", fields={"probability": float(p)}) for i, p in enumerate(q)]
    for k in (1.0, 2.0, 3.0):
        said = ask(respondent(f"overconfident-forecaster?slope={k}"), answers.Tags(), items)
        expected = 1 / (1 + np.exp(-k * np.log(q / (1 - q))))
        assert np.allclose([a.confidence for a in said], expected, atol=1e-4)
        assert [a.value for a in said] == ["yes" if p > 0.5 else "no" for p in q]


def test_a_forecaster_that_knows_no_probability_is_calibrated_to_the_outcomes():
    rng = np.random.default_rng(1)
    happened = rng.random(4000) < 0.4
    items = [Item(f"e{i}", f"Will it {i}?", "open", answer="yes" if y else "no") for i, y in enumerate(happened)]
    said = np.array([a.confidence for a in ask(respondent("calibrated-forecaster"), answers.Tags(), items)])
    for low in np.arange(0, 1, 0.2):
        here = (said >= low) & (said < low + 0.2)
        assert happened[here].mean() == pytest.approx(said[here].mean(), abs=0.08)  # at least 250 each: se .03
    # Brier score of k = 1 in the specification: .1805, sd .011 at 300 items, so .003 here.
    assert np.mean((said - happened) ** 2) == pytest.approx(0.1805, abs=0.015)


def test_a_forecast_without_probability_or_outcome_names_the_item():
    with pytest.raises(DoxaError, match=r"item 'e1'.*fields\['probability'\]"):
        ask(respondent("calibrated-forecaster"), answers.Tags(), [Item("e1", "Will it?", "open")])


def test_probability_of_yes_is_refused_for_a_question_of_another_kind():
    with pytest.raises(DoxaError, match="asks for the probability of 'yes'"):
        ask(respondent("calibrated"), answers.Tags(ask="probability"), choices(1))


# --- admitting --------------------------------------------------------------------------------------------------------


def quiz(n: int, tag: str, right: str = "I do not know") -> list[Item]:
    options_of = (*CITIES, "I do not know")
    return [
        Item(f"{tag}{i}", f"Determine {i}", "choice", options_of[i % 5 :] + options_of[: i % 5], right, tags=(tag,))
        for i in range(n)
    ]


def test_admission_rates_by_category_are_the_planted_ones():
    """The planted case of impossible-test, asked greedily: rates over items, within four standard errors."""
    rates = {f"c{j}": 0.2 + 0.12 * j for j in range(6)}
    model = Respondent(abstains=rates)
    for tag, rate in rates.items():
        items = quiz(100, tag)
        said = ask(model, answers.LetterWithReason(), items)
        admitted = fmean(a.value == i.answer_letter for a, i in zip(said, items, strict=True))
        assert admitted == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / 100))
        wrong = [i.options[LETTERS.index(a.value)] for a, i in zip(said, items, strict=True)]
        assert set(wrong) == {*CITIES, "I do not know"}


def test_admitting_in_words_where_there_is_no_option_for_it():
    items = [Item(f"u{i}", f"Capital of Velmora {i}?", tags=("unknowable",)) for i in range(400)]
    known = [Item(f"k{i}", f"Capital of Norway {i}?", answer="Oslo") for i in range(400)]
    model, form = respondent("admits?rate=.6&answerable=.1"), answers.ShortText(may_abstain=True)
    assert fmean(a.outcome == "abstained" for a in ask(model, form, items)) == pytest.approx(0.6, abs=0.1)
    assert fmean(a.outcome == "abstained" for a in ask(model, form, known)) == pytest.approx(0.1, abs=0.06)


def test_a_respondent_that_admits_below_a_skill_does_so_exactly():
    """The planted case of thinking-out-loud: abstains when p < .2, else says p."""
    items = [Item(f"o{i}", f"Who {i}?", answer="Ada", fields={"p": (i + 0.5) / 200}) for i in range(200)]
    model = Respondent(belief=Holder("p"), decoding="greedy", abstains=lambda item: float(item.fields["p"] < 0.2))
    said = ask(model, verbal.Vanilla(), items)
    assert sum(a.outcome == "abstained" for a in said) == 40
    assert all(a.confidence == pytest.approx(i.fields["p"]) for a, i in zip(said[40:], items[40:], strict=True))


def test_the_oracle_is_right_and_admits_what_nobody_knows():
    model = respondent("oracle")
    assert accuracy(ask(model, answers.Letter(), choices(40)), choices(40)) == 1
    assert accuracy(ask(model, answers.TrueFalse(), statements(40)), statements(40)) == 1
    quizzes = quiz(10, "c")
    said = ask(model, verbal.Vanilla(), quizzes)
    assert accuracy(said, quizzes) == 1 and {a.confidence for a in said} == {1.0}
    assert ask(model, answers.ShortText(), [Item("u", "Capital of Velmora?")])[0].outcome == "abstained"


def test_what_nobody_can_know():
    assert unknowable(Item("a", "?")) and unknowable(quiz(1, "c")[0])
    assert not unknowable(quiz(1, "c", right="Oslo")[0])
