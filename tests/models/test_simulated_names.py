"""Simulated respondents: the same answer in any order, the words of the form, names and their parameters."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from statistics import fmean

import pytest

from doxa.elicit import answers, verbal
from doxa.models.base import Context
from doxa.models.simulated import (
    Dirichlet,
    Forecast,
    Holder,
    Planted,
    Respondent,
    Skill,
    Uniform,
    modal_answer,
    names,
    respondent,
)
from doxa.models.simulated_values import values
from doxa.records import Answer, DoxaError, Item, Prompt, Sampling

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


def test_options_that_look_like_letters_are_told_apart():
    item = Item("v", "Which vitamin?", "choice", ("B", "C", "D", "A"), "B")
    assert ask(respondent("oracle"), answers.Letter(), [item])[0].value == "A"
    assert ask(respondent("always?value=B"), answers.Letter(), [item])[0].value == "B"


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
