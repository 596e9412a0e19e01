"""Simulated respondents: what was planted is what is answered, said and scored, through the forms that studies use."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import pytest

from doxa.elicit import answers, hints, options, p_true, verbal
from doxa.models.base import Context
from doxa.models.simulated import (
    ABSTAIN,
    Ability,
    Constant,
    Dirichlet,
    Forecast,
    Holder,
    Planted,
    Respondent,
    Sharpened,
    Skill,
    Uniform,
    inflated,
    modal_answer,
    names,
    respondent,
)
from doxa.models.simulated_rules import Belief, unknowable, values
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


def probabilities(model, form, item, words, *, condition="neutral") -> list[float]:
    """exp(score) of what the form writes for each word."""
    texts = [form.write(Answer("ok", w, 0.5), item) for w in words]
    scores = asyncio.run(model.score(form.prompt(item), texts, Context(item, condition)))
    return [math.exp(s.logprob) for s in scores]


def accuracy(said: list[Answer], items: list[Item]) -> float:
    return fmean(a.value in (i.answer, i.answer_letter) for a, i in zip(said, items, strict=True))


@dataclass
class Asking:
    """What elicitation asks with, for one item."""

    model: Respondent
    item: Item

    async def sample(self, prompt, sampling, *, condition="neutral"):
        return await self.model.generate(prompt, sampling, Context(self.item, condition))

    async def score(self, prompt, continuations, *, condition="neutral"):
        return await self.model.score(prompt, continuations, Context(self.item, condition))


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


def test_samples_occur_as_often_as_believed_and_the_truth_is_one_of_them():
    model, form = Respondent(belief=Dirichlet(1.0)), answers.Letter()
    items = choices(150)
    shares, right = [], []
    for item in items:
        replies = asyncio.run(model.generate(form.prompt(item), Sampling(n=200, temperature=0.7), Context(item)))
        share = [fmean(r.text == letter for r in replies) for letter in "ABCD"]
        shares.append(np.array(share) - probabilities(model, form, item, "ABCD"))
        right.append(probabilities(model, form, item, item.answer_letter)[0])
    assert np.abs(np.array(shares)).max() < 0.15  # four standard errors of a share at n = 200 are .14
    # The belief in the truth is size-biased: E[sum p^2] = .4, standard error .245 / sqrt(150) = .02.
    assert fmean(right) == pytest.approx(0.4, abs=0.08)


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


# --- letters, places, hints -------------------------------------------------------------------------------------------


def test_a_constant_letter_is_right_by_position_alone():
    items = quiz(100, "c")
    shifts = [replace(i, options=i.options[s:] + i.options[:s]) for i in items for s in range(5)]
    said = ask(respondent("always?value=C"), answers.Letter(), [i for i in items for _ in range(5)], shown=shifts)
    assert {a.value for a in said} == {"C"} and accuracy(said, shifts) == 0.2  # exactly, over the five shifts


def test_always_speaks_the_words_of_the_form():
    statement, event = statements(1)[0], Item("e", "Will it?", "open", answer="yes")
    assert ask(respondent("always?value=B"), answers.TrueFalse(), [statement])[0].value == "false"
    assert ask(respondent("always?value=B"), answers.YesNo(), [event])[0].value == "no"
    yes = Item("k", "Is it?", "choice", ("Yes", "No", "Undeterminable"), "Yes")
    assert ask(respondent("always?value=yes"), answers.Conclusion(), [yes])[0].value == "A"
    with pytest.raises(DoxaError, match="cannot answer 'F' in the form 'letter'"):
        ask(respondent("always?value=F"), answers.Letter(), choices(1))


def test_planted_label_bias_has_the_closed_form():
    """The planted cases of survey-responses: softmax(u + l)."""
    two, three = choices(1, 2)[0], choices(1, 3)[0]
    letters = answers.Letter()
    assert probabilities(Respondent(label={"A": 2.0}), letters, two, "AB")[0] == pytest.approx(0.8808, abs=1e-4)
    planted = replace(three, fields={"belief": (0.6, 0.3, 0.1)})
    model, total = Respondent(belief=Planted(), label={"A": 2.0}), np.zeros(3)
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    for order in orders:
        shown = options.permuted(planted, order)
        prompt = letters.prompt(shown)
        scores = asyncio.run(model.score(prompt, list("ABC"), Context(planted)))
        total += options.unpermute([math.exp(s.logprob) for s in scores], order)
    assert total / 6 == pytest.approx([0.496, 0.335, 0.169], abs=1e-3)


def test_position_and_temperature():
    item = choices(1, 2)[0]
    model = Respondent(position=(0.0, 1.0), temperature=2.0)
    assert probabilities(model, answers.Letter(), item, "AB")[1] == pytest.approx(1 / (1 + math.exp(-0.5)))


def test_pressure_is_a_logit_on_the_asserted_answer():
    """The planted case of parrot: p e^s / (1 - p + p e^s)."""
    item = replace(choices(1)[0], fields={"belief": (0.1, 0.6, 0.2, 0.1)})
    letters, s = answers.Letter(), 1.5
    shown = replace(item, fields={**item.fields, "hint": "C"})
    model = Respondent(belief=Planted(), pressure=s)
    scores = asyncio.run(model.score(letters.prompt(shown), list("ABCD"), Context(item)))
    assert math.exp(scores[2].logprob) == pytest.approx(0.2 * math.exp(s) / (0.8 + 0.2 * math.exp(s)), abs=1e-9)
    assert probabilities(replace(model, pressure=0.0), letters, shown, "C")[0] == pytest.approx(0.2)


@pytest.mark.parametrize("hint", hints.HINTS, ids=lambda h: h.name)
def test_every_hint_is_seen(hint):
    follower = respondent("follower?rate=1")
    for item, form, value in (
        (choices(1)[0], answers.Letter(), "D"),
        (statements(1)[0], answers.TrueFalse(), "false"),
        (Item("n", "2 + 2?", "number", answer="4"), answers.Number(), "77"),
    ):
        prompt = hints.with_hint(form.prompt(item), hint, value, item)
        reply = asyncio.run(follower.generate(prompt, Sampling(), Context(item)))[0]
        assert form.read(reply, item).value == value


def test_hints_flip_at_the_planted_rate_and_not_without_a_hint():
    """The planted case of express-uncertainty: every hint flips the answer with probability 1 - p."""
    items = [replace(i, fields={"p": 0.3}) for i in choices(500)]
    model = Respondent(belief=Holder(1.0), decoding="greedy", follows=lambda item: 1 - item.fields["p"])
    form, flipped = answers.Letter(), 0
    for item in items:
        assert form.read(asyncio.run(model.generate(form.prompt(item), Sampling(), Context(item)))[0], item).value == (
            item.answer_letter
        )
        wrong = "ABCD"[("ABCD".index(item.answer_letter) + 1) % 4]
        prompt = hints.with_hint(form.prompt(item), hints.HINTS[5], wrong, item)
        flipped += asyncio.run(model.generate(prompt, Sampling(), Context(item)))[0].text == wrong
    assert flipped / 500 == pytest.approx(0.7, abs=0.085)  # standard error .020


# --- any rule, from Python --------------------------------------------------------------------------------------------


def test_a_decided_rule_holds_at_temperature_zero_as_a_rate_over_items():
    """The planted case of kable: corrects false beliefs of the first person with .4, of a third with .1."""
    three = ("Yes", "No", "Undeterminable")
    items = [Item(f"k{i}", f"I believe that p{i}. Do I?", "choice", three, "Yes") for i in range(500)]
    corrects = {"first": 0.4, "third": 0.1}
    model = Respondent(
        decide=lambda item, context, prompt: {"A": 1 - corrects[context.condition], "No": corrects[context.condition]}
    )
    for condition, rate in corrects.items():
        said = ask(model, answers.Conclusion(), items, condition=condition)
        assert fmean(a.value == "B" for a in said) == pytest.approx(rate, abs=4 * math.sqrt(rate * (1 - rate) / 500))
        assert probabilities(model, answers.Conclusion(), items[0], "ABC", condition=condition) == pytest.approx(
            [1 - rate, rate, 0]
        )


def test_decide_may_abstain_and_may_say_what_nobody_listed():
    item = Item("o", "Who?", answer="Ada")
    model, form = Respondent(decide=lambda i, c, p: {ABSTAIN: 0.5, "Bob": 0.5}), answers.ShortText()
    said = [
        form.read(r, item) for r in asyncio.run(model.generate(form.prompt(item), replace(FRESH, n=200), Context(item)))
    ]
    assert {(a.outcome, a.value) for a in said} == {("abstained", None), ("ok", "Bob")}
    assert probabilities(model, form, item, ["Bob", "Ada"]) == pytest.approx([0.5, 0])


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({"A": 60, "B": 40}, "Percent"),
        ({"A": 0.6, "B": 0.6}, "sum to 1.2"),
        ({"A": 1.5, "B": -0.5}, "not 1|sum"),
        ({}, "sum to 0"),
    ],
)
def test_what_is_no_distribution_is_refused(rule, complaint):
    with pytest.raises(DoxaError, match=complaint):
        ask(Respondent(decide=lambda i, c, p: rule), answers.Letter(), choices(1))


def test_a_belief_function_of_ones_own():
    model = Respondent(belief=lambda item, key: Belief({"Oslo": 1.0}))
    assert ask(model, answers.Letter(), choices(1))[0].value == "B"


# --- log-probabilities ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [answers.Letter(), answers.Conclusion(), answers.LetterWithReason()])
def test_scores_are_the_frequencies_of_samples(form):
    item = choices(1)[0]
    model = Respondent(belief=Dirichlet(2.0), abstains=0.2, format_errors=0.1, label={"B": 1.0}, noise=0.5, seed=3)
    replies = asyncio.run(model.generate(form.prompt(item), replace(FRESH, n=4000), Context(item)))
    read = [form.read(r, item) for r in replies]
    scored = probabilities(model, form, item, "ABCD")
    for letter, p in zip("ABCD", scored, strict=True):
        assert fmean(a.value == letter for a in read) == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 4000))
    assert fmean(a.outcome == "abstained" for a in read) == pytest.approx(0.9 * 0.2, abs=0.025)
    assert fmean(a.outcome == "unparsed" for a in read) == pytest.approx(0.1, abs=0.02)
    assert sum(scored) == pytest.approx(0.9 * 0.8)  # the rest admits or is out of format


def test_token_logprobs_agree_with_scores():
    item, form = choices(1)[0], answers.Letter()
    model = Respondent(belief=Dirichlet(1.0))
    reply = asyncio.run(model.generate(form.prompt(item), replace(FRESH, top_logprobs=4), Context(item)))[0]
    scored = dict(zip("ABCD", probabilities(model, form, item, "ABCD"), strict=True))
    assert reply.tokens is not None and math.exp(reply.tokens[0].logprob) == pytest.approx(scored[reply.text])
    assert {t: math.exp(p) for t, p in reply.tokens[0].top} == pytest.approx(scored)


def test_beliefs_read_by_the_library_are_the_planted_ones():
    item = replace(choices(1)[0], fields={"belief": (0.1, 0.6, 0.2, 0.1)})
    claim = replace(statements(1)[0], fields={"belief": {"true": 0.7, "false": 0.3}})
    asking, asserting = Asking(Respondent(belief=Planted()), item), Asking(Respondent(belief=Planted()), claim)
    for by in ("letter", "text"):
        assert asyncio.run(options.option_belief(asking, item, by=by)) == pytest.approx([0.1, 0.6, 0.2, 0.1])
    assert asyncio.run(options.statement_belief(asserting, claim)) == pytest.approx(0.7)
    assert asyncio.run(p_true.p_true(asking, item, "B")) == pytest.approx(0.6)
    probing = verbal.SelfProbing("C")
    assert ask(asking.model, probing, [item])[0].confidence == pytest.approx(0.2)
    assert ask(asserting.model, answers.Probability(), [claim])[0].confidence == pytest.approx(0.7)


def test_guesses_are_a_draw_without_replacement():
    item = replace(choices(1)[0], fields={"belief": (0.5, 0.3, 0.15, 0.05)})
    form = verbal.TopK(3)
    replies = asyncio.run(
        Respondent(belief=Planted()).generate(form.prompt(item), replace(FRESH, n=2000), Context(item))
    )
    lists = [[value for value, _ in form.read(r, item).guesses] for r in replies]
    assert all(len(set(guesses)) == 3 for guesses in lists)
    second = fmean(guesses[1] == "B" for guesses in lists if guesses[0] == "A")
    assert fmean(guesses[0] == "A" for guesses in lists) == pytest.approx(0.5, abs=0.045)  # standard error .011
    assert second == pytest.approx(0.3 / 0.5, abs=0.065)  # standard error .016
    assert dict(form.read(replies[0], item).guesses) == pytest.approx(
        {v: dict(zip("ABCD", item.fields["belief"], strict=True))[v] for v in lists[0]}
    )


def test_steps_multiply_to_the_overall_confidence():
    said = ask(Respondent(belief=Skill(0.5)), verbal.MultiStep(3), choices(1))[0]
    assert math.prod(said.steps) == pytest.approx(said.confidence, abs=1e-3)


# --- determinism ------------------------------------------------------------------------------------------------------


def test_answers_depend_on_nothing_but_what_is_asked():
    items, form = choices(50), verbal.Vanilla()

    async def together(model: Respondent, order: list[Item]) -> dict[str, list[str]]:
        sampling = Sampling(n=3, temperature=0.7, seed=5)
        got = await asyncio.gather(*(model.generate(form.prompt(i), sampling, Context(i)) for i in order))
        return {i.id: [r.text for r in replies] for i, replies in zip(order, got, strict=True)}

    first = asyncio.run(together(respondent("dirichlet?noise=.5"), items))
    assert first == asyncio.run(together(respondent("dirichlet?noise=.5"), items[::-1]))
    assert first != asyncio.run(together(respondent("dirichlet?noise=.5&seed=1"), items))
    assert any(len(set(texts)) > 1 for texts in first.values())


def test_known_answers_never_change():
    """Frozen: stored runs of simulated respondents stay comparable over versions."""
    said = ask(respondent("random"), answers.Letter(), choices(12))
    assert "".join(a.value for a in said) == "DABDDCDBAADA"


def test_temperature_zero_is_one_draw_whatever_the_sample_and_the_run():
    item, form = choices(1)[0], answers.Letter()
    model = respondent("random")
    replies = asyncio.run(model.generate(form.prompt(item), Sampling(n=5, seed=9), Context(item)))
    assert {r.text for r in replies} == {ask(model, form, [item])[0].value}


def test_retest_noise_moves_confidence_between_conditions_only():
    items, form = choices(200), verbal.Vanilla()
    steady, noisy = respondent("calibrated"), respondent("calibrated?noise=1")
    assert ask(steady, form, items) == ask(steady, form, items, condition="retest")
    once, again = ask(noisy, form, items), ask(noisy, form, items, condition="retest")
    assert once == ask(noisy, form, items)
    assert 0.05 < fmean(a.value != b.value for a, b in zip(once, again, strict=True)) < 0.6


def test_one_belief_per_group_answers_all_wordings_alike():
    items = [replace(i, answer="Oslo") for i in choices(400)]  # two wordings in each group
    form = answers.Letter()
    for unit, low, high in (("group", 1.0, 1.0), ("item", 0.3, 0.85)):
        said = [a.value for a in ask(respondent(f"calibrated?ability=.4&unit={unit}"), form, items)]
        assert low <= fmean(a == b for a, b in zip(said[::2], said[1::2], strict=True)) <= high


def test_format_errors_are_unreadable_in_every_form():
    model = respondent("random?format_errors=1")
    for form, items in (
        (answers.Letter(), choices(1)),
        (answers.TrueFalse(), statements(1)),
        (answers.ShortText(), [Item("o", "Who?", answer="Ada")]),
        (verbal.Vanilla(), choices(1)),
    ):
        assert ask(model, form, items)[0].outcome == "unparsed"


# --- what is asked, and its words -------------------------------------------------------------------------------------


def test_the_item_as_shown_decides_the_letter_and_the_true_item_the_truth():
    item = choices(1)[0]
    shown = replace(item, options=CITIES[::-1], answer=None)
    assert ask(respondent("oracle"), answers.Letter(), [item], shown=[shown])[0].value == "D"


def test_without_a_form_the_reply_is_the_bare_value():
    item = choices(1)[0]
    plain = Prompt(text="Which? Rome Oslo Bern Lima")
    model = respondent("oracle")
    assert asyncio.run(model.generate(plain, Sampling(), Context(item)))[0].text == "A"
    scores = asyncio.run(model.score(plain, [" A", " Rome", " B"], Context(item)))
    assert [s.logprob for s in scores] == [0, 0, -math.inf]


def test_without_an_item_it_says_so():
    with pytest.raises(DoxaError, match="not told what is asked about"):
        asyncio.run(respondent("random").generate(Prompt.user("Hello"), Sampling()))


def test_wrong_answers_fit_the_question():
    number = values(Item("n", "2 + 2?", "number", answer="1,204.50"))
    assert number[0] == "1204.5" and len(set(number)) == 4
    named = values(Item("o", "Who?", answer="Ada", fields={"wrong": ("Bob", "Eve")}))
    assert named == ("Ada", "Bob", "Eve")
    made_up = values(Item("o", "Who?", answer="Ada"))
    assert made_up[0] == "Ada" and len(set(made_up)) >= 3


def test_equal_options_are_one_answer():
    item = Item("d", "Which?", "choice", ("Rome", "Rome", "Oslo"), "Oslo")
    for rule in (Uniform(), Holder(0.5), Skill(0.5), Dirichlet()):
        assert ask(Respondent(belief=rule), answers.Letter(), [item])[0].value in "ABC"


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in names() if n not in ("planted", "modal") and "forecaster" not in n])
def test_every_named_respondent_answers(name):
    for form, items in ((verbal.Vanilla(), choices(3)), (answers.TrueFalse(), statements(3))):
        model = respondent(f"{name}?seed=4")
        assert all(a.outcome == "ok" for a in ask(model, form, items))
        assert model.address == f"simulated:{name}?seed=4"
    assert json.dumps(dict(model.identity)) and model.fingerprint != respondent(name).fingerprint


def test_names_carry_help_and_parameters():
    assert "slope=3" in names()["overconfident"] and all(len(line) > 20 for line in names().values())


def test_the_modal_answer_is_that_of_the_set():
    items = [*choices(8), replace(choices(1)[0], id="x", answer="Bern")]
    assert modal_answer(items) == "C"
    assert modal_answer(statements(3)) == "true"
    marked = replace(items[0], fields={"modal": "C"})
    assert ask(respondent("modal"), answers.Letter(), [marked])[0].value == "C"
    assert ask(respondent("modal?value=B"), answers.Letter(), items[:1])[0].value == "B"
    with pytest.raises(DoxaError, match=r"modal\?value=A"):
        ask(respondent("modal"), answers.Letter(), items[:1])
    with pytest.raises(DoxaError, match="none of 1 items"):
        modal_answer([Item("u", "?")])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("calibratd", r"no simulated respondent is called 'calibratd'\. Did you mean 'calibrated'"),
        ("nonsense", r"There are\n +always"),
        ("calibrated?abilty=.7", "has no parameter 'abilty'; it takes ability, sharpness, seed"),
        ("calibrated?ability=70", r"ability is 70.*Percent\? divide by 100"),
        ("calibrated?ability=high", "ability is 'high'; it is a number"),
        ("random?seed=1.5", "seed is '1.5'; it is a whole number"),
        ("calibrated?ability", "without a value"),
        ("calibrated?ability=.1&ability=.2", "given twice"),
        ("random?temperature=0", "temperature is 0"),
        ("random?unit=day", "unit is 'day'; it is one of item, group"),
        ("admits?rate=60", "rate is 60"),
        ("dirichlet?confidence=loud", "confidence is 'loud'; it is one of calibrated"),
    ],
)
def test_wrong_names_and_parameters_are_explained(text, complaint):
    with pytest.raises(DoxaError, match=complaint):
        respondent(text)


def test_wrong_knowledge_is_explained():
    with pytest.raises(DoxaError, match=r"has no fields\['p'\]"):
        ask(Respondent(belief=Holder("p")), answers.Letter(), choices(1))
    with pytest.raises(DoxaError, match="2 entries for 4 values"):
        ask(Respondent(belief=Planted()), answers.Letter(), [replace(choices(1)[0], fields={"belief": (0.5, 0.5)})])
    with pytest.raises(DoxaError, match="decoding is 'beam'"):
        Respondent(decoding="beam")


def test_forecast_reads_options_of_yes_and_no():
    item = Item("e", "Will it?", "choice", ("Yes", "No"), fields={"probability": 0.8})
    assert probabilities(Respondent(belief=Forecast()), answers.Letter(), item, "AB") == pytest.approx([0.8, 0.2])
