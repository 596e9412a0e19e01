"""Simulated respondents: biases, hints and rules of one's own, and log-probabilities that agree with the samples."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import pytest

from doxa.elicit import answers, hints, options, p_true, verbal
from doxa.models.base import Context
from doxa.models.simulated import (
    ABSTAIN,
    Dirichlet,
    Holder,
    Planted,
    Respondent,
    Skill,
    respondent,
)
from doxa.models.simulated_rules import Belief
from doxa.records import Answer, DoxaError, Item, Sampling

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


# --- letters, places, hints -------------------------------------------------------------------------------------------


def test_a_constant_letter_is_right_by_position_alone():
    options_of = (*CITIES, "I do not know")
    items = [Item(f"c{i}", f"Determine {i}", "choice", options_of, "I do not know") for i in range(100)]
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
