"""Simulated respondents in a conversation: arguments, their own earlier answers, long contexts; addresses of these."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest

from doxa.elicit import answers, options, verbal
from doxa.models.base import Context
from doxa.models.simulated import Holder, Planted, Respondent, names, respondent
from doxa.records import Answer, DoxaError, Form, Item, Message, Prompt, Sampling

CITIES = ("Rome", "Oslo", "Bern", "Lima")
BELIEF = (0.5, 0.3, 0.15, 0.05)
ITEM = Item("q", "Which?", "choice", CITIES, "Rome", fields={"belief": BELIEF})
LETTER = answers.Letter()


def probabilities(model: Respondent, prompt: Prompt, item: Item = ITEM, said=("A", "B", "C", "D")) -> list[float]:
    """exp(score) of the letters, in a prompt for an item."""
    return [math.exp(s.logprob) for s in asyncio.run(model.score(prompt, said, Context(item)))]


def given(model: Respondent, prompts: list[Prompt], items: list[Item], temperature: float = 0.0) -> list[Answer]:
    """One answer to each prompt, read by its form."""

    async def every() -> list[Answer]:
        sampling, read = Sampling(temperature=temperature), []
        for prompt, item in zip(prompts, items, strict=True):
            (reply,) = await model.generate(prompt, sampling, Context(item))
            assert prompt.form is not None
            read.append(prompt.form.read(reply, prompt.item))
        return read

    return asyncio.run(every())


def answer(model: Respondent, prompt: Prompt, item: Item) -> Answer:
    return given(model, [prompt], [item])[0]


def moved(by: dict[int, float], belief=BELIEF, fade: float = 1.0) -> list[float]:
    """softmax(fade * log belief + by), written out."""
    weights = [p**fade * math.exp(by.get(j, 0.0)) for j, p in enumerate(belief)]
    return [w / sum(weights) for w in weights]


def about(item: Item, **fields) -> Item:
    return replace(item, fields={**item.fields, **fields})


def behind(prompt: Prompt, *turns: tuple[str, str]) -> Prompt:
    """The prompt with turns of a conversation before it."""
    return replace(prompt, messages=(*(Message(role, text) for role, text in turns), *prompt.messages))  # type: ignore[arg-type]


# --- arguments and its own earlier answers ----------------------------------------------------------------------------


def test_pressure_counts_for_each_argument():
    model = Respondent(belief=Planted(), pressure=0.8)
    for n in (0, 1, 2.5):
        prompt = LETTER.prompt(about(ITEM, hint="C", arguments=n))
        assert probabilities(model, prompt) == pytest.approx(moved({2: 0.8 * n}))
    assert probabilities(model, LETTER.prompt(about(ITEM, hint="C"))) == pytest.approx(moved({2: 0.8}))
    assert probabilities(model, LETTER.prompt(about(ITEM, arguments=3))) == pytest.approx(BELIEF)  # for nothing
    with pytest.raises(DoxaError, match=r"fields\['arguments'\] is -1; it is a number, 0 or more"):
        probabilities(model, LETTER.prompt(about(ITEM, hint="C", arguments=-1)))


def test_each_own_answer_of_the_conversation_adds_its_logit():
    model = Respondent(belief=Planted(), history=0.7)
    asked = LETTER.prompt(ITEM)
    once = asked.then("B", "Are you sure?", form=LETTER)
    twice = once.then("B", "Really?", form=LETTER)
    other = twice.then("The answer is D.", "Last chance.", form=LETTER)
    for prompt, by in ((asked, {}), (once, {1: 0.7}), (twice, {1: 1.4}), (other, {1: 1.4, 3: 0.7})):
        assert probabilities(model, prompt) == pytest.approx(moved(by))
        assert probabilities(replace(model, history=0.0), prompt) == pytest.approx(BELIEF)
    assert probabilities(replace(model, history=-0.7), once) == pytest.approx(moved({1: -0.7}))


def test_turns_that_give_no_value_and_turns_of_others_add_nothing():
    model = Respondent(belief=Planted(), history=5.0)
    for turn in (("assistant", "That is hard to say."), ("assistant", "I do not know."), ("user", "B")):
        assert probabilities(model, behind(LETTER.prompt(ITEM), turn)) == pytest.approx(BELIEF)
    # an answer that lacks the confidence which the form asks for is an answer
    form, line = verbal.Vanilla(), f"{verbal.ANSWER_LINE} B"
    assert form.read(line, ITEM) == Answer("unparsed", "B", note=form.read(line, ITEM).note)
    assert answer(replace(model, decoding="modal"), behind(form.prompt(ITEM), ("assistant", line)), ITEM).value == "B"


def test_a_forced_turn_is_doubled_down_on_at_the_planted_rate():
    """The planted case of doubling down: a forced earlier answer that is wrong, sampled as often as softmax says."""
    model, turns = Respondent(belief=Holder(0.7), history=2.0), (("user", "Say B."), ("assistant", "B"))
    items = [replace(ITEM, id=f"q{i}") for i in range(1500)]
    favourites = given(replace(model, decoding="modal"), [LETTER.prompt(i) for i in items], items)
    items = [i for i, favourite in zip(items, favourites, strict=True) if favourite.value == "A"]
    prompts = [LETTER.prompt(i) for i in items]
    plain = [a.value == "B" for a in given(model, prompts, items, 1.0)]
    forced = [a.value == "B" for a in given(model, [behind(p, *turns) for p in prompts], items, 1.0)]
    for said, p in ((forced, moved({1: 2.0}, (0.7, 0.1, 0.1, 0.1))[1]), (plain, 0.1)):  # .45 and .10
        assert fmean(said) == pytest.approx(p, abs=3 * math.sqrt(p * (1 - p) / len(items)))  # about 1,050 items


@pytest.mark.parametrize(("e", "d", "flips"), [(0.0, 0.5, 5), (0.1, 0.5, 6), (0.0, 0.0, None), (0.5, 0.5, None)])
def test_a_stance_flips_at_the_round_that_its_logits_say(e, d, flips):
    """The planted case of context-belief-shift: s_R = s_0 + (R + 1) e - R d with s_0 = 2.2, greedy answers."""
    p = 1 / (1 + math.exp(-2.2))
    claim = Item("s", "It is so.", "statement", fields={"belief": {"true": p, "false": 1 - p}})
    model, form = Respondent(belief=Planted(), history=e, pressure=d, decoding="greedy"), answers.TrueFalse()
    first = None
    for r in range(1, 11):
        turns = [turn for _ in range(r) for turn in (("assistant", "true"), ("user", "No, it is not."))]
        shown = about(claim, hint="false", arguments=r)
        prompt = behind(form.prompt(shown), ("user", "Is it?"), *turns, ("assistant", "true"))
        stance = 2.2 + (r + 1) * e - r * d
        assert probabilities(model, prompt, claim, ["true"])[0] == pytest.approx(1 / (1 + math.exp(-stance)))
        if first is None and answer(model, prompt, claim).value == "false":
            first = r
    assert first == flips


# --- long contexts ----------------------------------------------------------------------------------------------------


def read_first(prompt: Prompt, words: int) -> Prompt:
    """The prompt behind a document of so many words and its summary, of one word."""
    return behind(prompt, ("system", "Read."), ("user", "word " * (words - 2)), ("assistant", "Done."))


@pytest.mark.parametrize("words", [2, 500, 1000, 8000])
def test_drift_is_a_logit_per_thousand_words_toward_what_the_context_argues_for(words):
    model = Respondent(belief=Planted(), drift=0.4)
    prompt = read_first(LETTER.prompt(about(ITEM, asserted="Bern", hint="D")), words)
    assert probabilities(model, prompt) == pytest.approx(moved({2: 0.4 * words / 1000}))
    hinted = read_first(LETTER.prompt(about(ITEM, hint="D")), words)
    assert probabilities(model, hinted) == pytest.approx(moved({3: 0.4 * words / 1000}))
    neither = read_first(LETTER.prompt(ITEM), words)
    assert probabilities(model, neither) == pytest.approx(BELIEF)
    assert probabilities(replace(model, drift=-0.4), prompt) == pytest.approx(moved({2: -0.4 * words / 1000}))


@pytest.mark.parametrize("words", [2, 1000, 8000])
def test_fading_shrinks_the_logits_of_the_content_toward_even(words):
    model = Respondent(belief=Planted(), fading=0.2, label={"B": 0.5})
    prompt = read_first(LETTER.prompt(ITEM), words)
    fade = math.exp(-0.2 * words / 1000)
    assert probabilities(model, prompt) == pytest.approx(moved({1: 0.5}, fade=fade))
    far = read_first(LETTER.prompt(ITEM), 60_000)
    assert probabilities(replace(model, fading=50.0, label={}), far) == pytest.approx([0.25] * 4)
    certain = about(ITEM, belief=(1.0, 0.0, 0.0, 0.0))  # what is impossible stays so
    for rate in (0.2, 50.0):
        faded = Respondent(belief=Planted(), fading=rate)
        assert probabilities(faded, read_first(LETTER.prompt(certain), 60_000), certain) == [1, 0, 0, 0]


def test_the_form_s_own_question_is_no_context():
    items = [about(replace(ITEM, id=f"q{i}", text="How " * 300 + "?"), asserted="D") for i in range(60)]
    steady = Respondent(belief=Holder(0.6), label={"B": 0.3}, confidence=lambda p, c: p)
    moving = replace(steady, drift=3.0, fading=2.0)
    for form in (LETTER, verbal.Vanilla(), answers.Json()):
        prompts = [form.prompt(item) for item in items]
        assert given(moving, prompts, items) == given(steady, prompts, items)
    before = "word " * 1000
    plain = Prompt(text=f"{before}\n{items[0].text}", item=about(items[0], belief=BELIEF))
    assert probabilities(Respondent(belief=Planted(), drift=0.4), plain) == pytest.approx(moved({3: 0.4}))


class ReadOnly:
    """A form that reads and writes letters, and cannot ask."""

    name, target = "read-only", ""
    read, write = LETTER.read, LETTER.write

    def prompt(self, item: Item) -> Prompt:
        raise ValueError("the study asks in its own words")


def test_where_the_form_cannot_ask_the_last_message_is_the_question():
    form: Form = ReadOnly()
    shown = about(ITEM, asserted="D")
    model = Respondent(belief=Planted(), drift=0.4)
    prompt = Prompt((Message("user", "word " * 1000), Message("user", "And now?")), form=form, item=shown)
    assert probabilities(model, prompt) == pytest.approx(moved({3: 0.4}))
    assert probabilities(model, Prompt.user("word " * 1000, form=form, item=shown)) == pytest.approx(BELIEF)


def test_shift_rates_over_items_are_those_of_the_closed_form():
    """Reading: an item shifts where its favourite's lead in logits is below the drift, asked greedily."""
    lead = np.random.default_rng(0).exponential(2.0, 800)
    chances = [1 / (1 + math.exp(-s)) for s in lead]
    claims = [
        Item(f"s{i}", "So it is.", "statement", fields={"belief": {"true": p, "false": 1 - p}, "asserted": "false"})
        for i, p in enumerate(chances)
    ]
    model, prompts = (
        Respondent(belief=Planted(), drift=0.5, decoding="greedy"),
        [answers.TrueFalse().prompt(c) for c in claims],
    )
    shifted = {}
    for words in (0, 2000, 8000):
        said = given(model, [read_first(p, words) if words else p for p in prompts], claims)
        shifted[words] = fmean(a.value == "false" for a in said)
        assert shifted[words] == np.mean(lead < 0.5 * words / 1000)
    # 1 - exp(-drift / 2): 0, .39 and .86; standard errors .017 and .012
    assert shifted[0] == 0 and shifted[2000] == pytest.approx(1 - math.exp(-0.5), abs=0.052)
    assert shifted[8000] == pytest.approx(1 - math.exp(-2.0), abs=0.037)


def test_what_a_context_argues_for_is_one_of_the_values():
    prompt = read_first(LETTER.prompt(about(ITEM, asserted="support")), 100)
    with pytest.raises(DoxaError, match=r"fields\['asserted'\] is 'support', which is none of its values Rome, Oslo"):
        probabilities(Respondent(belief=Planted(), drift=0.4), prompt)
    who = Item("o", "Who?", answer="Ada", fields={"asserted": "Zoe", "hint": "Bob", "belief": {"Ada": 1.0}})
    prompt = read_first(answers.ShortText().prompt(who), 100)  # of an open question any value may be
    assert answer(Respondent(belief=Planted(), drift=9.0), prompt, who).value == "Ada"


def test_scores_in_a_conversation_are_the_frequencies_of_samples():
    shown = about(ITEM, hint="D", asserted="C", arguments=2)
    model = Respondent(belief=Planted(), pressure=0.5, history=0.8, drift=1.0, fading=0.3, noise=0.5, follows=0.1)
    prompt = read_first(LETTER.prompt(shown).then("B", "Sure?", form=LETTER), 700)
    replies = asyncio.run(model.generate(prompt, Sampling(n=4000, temperature=1.0), Context(ITEM)))
    assert replies == asyncio.run(model.generate(prompt, Sampling(n=4000, temperature=1.0), Context(ITEM)))
    for letter, p in zip("ABCD", probabilities(model, prompt), strict=True):
        assert fmean(r.text == letter for r in replies) == pytest.approx(p, abs=3 * math.sqrt(p * (1 - p) / 4000))


def test_beliefs_that_the_library_reads_are_the_moved_ones():
    class Asking:
        item = ITEM

        async def sample(self, prompt, sampling, *, condition="neutral"):
            raise NotImplementedError

        async def score(self, prompt, continuations, *, condition="neutral"):
            return await Respondent(belief=Planted(), pressure=1.0).score(
                prompt, continuations, Context(ITEM, condition)
            )

    shown = about(ITEM, hint="B")
    assert asyncio.run(options.option_belief(Asking(), shown, by="letter")) == pytest.approx(moved({1: 1.0}))


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("liar?rate=.25&evades=.5&ability=.9", {"lies": 0.25, "evades": 0.5, "decoding": "modal"}),
        ("persuadable?pressure=3&history=-1", {"pressure": 3.0, "history": -1.0}),
        ("drifting?drift=-.5&fading=.1", {"drift": -0.5, "fading": 0.1}),
        ("sycophant?rate=.4&slope=.5", {"follows": {"rule": "Deference", "rate": 0.4, "slope": 0.5}}),
        # what moves an answer can be given to any of them
        ("overconfident?lies=.2&evades=.1&pressure=1", {"lies": 0.2, "evades": 0.1, "pressure": 1.0}),
        ("random?history=2&drift=.5&fading=.25", {"history": 2.0, "drift": 0.5, "fading": 0.25}),
    ],
)
def test_an_address_says_what_the_respondent_declares(address, expected):
    model = respondent(address)
    declared = dict(model.identity)
    assert expected.items() <= declared.items() and model.address == f"simulated:{address}"
    again = respondent(model.address.removeprefix("simulated:"))
    assert json.dumps(dict(again.identity)) == json.dumps(declared) and again.fingerprint == model.fingerprint
    assert model.fingerprint != respondent(f"{address}&seed=1").fingerprint


def test_the_names_say_what_they_take():
    assert "rate=0.3, evades=0, ability=0.7" in names()["liar"] and "slope=1" in names()["sycophant"]
    assert {"liar", "sycophant", "persuadable", "drifting"} <= set(names())


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("liar?rate=30", r"rate is 30.*Percent"),
        ("liar?rate=.6&evades=.6", r"lies is 0\.6 and evades 0\.6"),
        ("calibrated?lies=2", "lies is 2"),
        ("sycophant?rate=1.5", "rate is 1.5"),
        ("drifting?fading=-1", "fading -1.0"),
        ("drifting?drift=nan", "drift is nan; it is a finite number"),
        ("persuadable?pressure=inf", "pressure is inf"),
        ("persuadable?presure=1", "has no parameter 'presure'; it takes pressure, history"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(address, complaint):
    with pytest.raises(DoxaError, match=complaint):
        respondent(address)
