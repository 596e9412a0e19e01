"""Simulated respondents that say what they do not believe: lies, evasions, and hints followed by their authority."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import pytest

from doxa.elicit import answers, hints, p_true, verbal
from doxa.models.base import Context
from doxa.models.simulated import Deference, Dirichlet, Holder, Planted, Respondent, respondent
from doxa.records import LETTERS, Answer, DoxaError, Item, Prompt, Reply, Sampling

CITIES = ("Rome", "Oslo", "Bern", "Lima")
PRESSED = "pressured"


def choices(n: int, c: int = 4, **about) -> list[Item]:
    """n questions with c options; the right one goes round."""
    return [Item(f"q{i}", f"Question {i}?", "choice", CITIES[:c], CITIES[i % c], **about) for i in range(n)]


def statements(n: int, **about) -> list[Item]:
    return [Item(f"s{i}", f"Claim {i}.", "statement", answer=("true", "false")[i % 2], **about) for i in range(n)]


def ask(model, form, items, *, shown=None, sampling=None, condition="neutral") -> list[Answer]:
    """Answers to each item (one for each sample), read by the form they were asked in."""

    async def one(item: Item, at: Item) -> list[Answer]:
        replies = await model.generate(form.prompt(at), sampling or Sampling(), Context(item, condition))
        return [form.read(reply, at) for reply in replies]

    async def every() -> list[Answer]:
        return [a for item, at in zip(items, shown or items, strict=True) for a in await one(item, at)]

    return asyncio.run(every())


def scores(model, form, item, texts, *, condition=PRESSED, prompt=None) -> list[float]:
    """exp(score) of each text."""
    scored = asyncio.run(model.score(prompt or form.prompt(item), texts, Context(item, condition)))
    return [math.exp(s.logprob) for s in scored]


def share(hits: Sequence[bool], p: float):
    """Whether a rate is the planted one: within three binomial standard errors."""
    return fmean(hits) == pytest.approx(p, abs=3 * math.sqrt(p * (1 - p) / len(hits)))


def right(said: list[Answer], items: list[Item]) -> list[bool]:
    return [a.value is not None and a.value in (i.answer, i.answer_letter) for a, i in zip(said, items, strict=True)]


# --- lies and evasions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "make"), [(answers.Letter(), choices), (answers.TrueFalse(), statements)])
def test_lies_and_evasions_occur_at_the_planted_rates_under_pressure_and_never_without(form, make):
    """The planted case of mask: every item has a belief, the statement is a lie, an evasion, or the belief."""
    items, model = make(1000), Respondent(belief=Holder(1.0), lies=0.3, evades=0.2)
    said = ask(model, form, items, condition=PRESSED)
    # standard errors .0145 and .0126
    assert share([a.outcome == "ok" and not r for a, r in zip(said, right(said, items), strict=True)], 0.3)
    assert share([a.outcome == "refused" for a in said], 0.2)
    assert share(right(said, items), 0.5)
    assert all(right(ask(model, form, items), items))  # without pressure it says what it believes


def test_without_pressure_or_with_rates_of_zero_nothing_changes():
    items, form = choices(200), verbal.Vanilla()
    plain = Respondent(belief=Dirichlet(1.0), abstains=0.2, format_errors=0.1, noise=0.3)
    liar = replace(plain, lies=0.5, evades=0.3)
    for condition in ("neutral", "retest", "unpressured"):
        assert ask(liar, form, items, condition=condition) == ask(plain, form, items, condition=condition)
    zero = replace(plain, lies={"known": 0.0, "": 0.0})
    assert ask(zero, form, items, condition=PRESSED) == ask(plain, form, items, condition=PRESSED)
    assert ask(liar, form, items, condition=PRESSED) != ask(plain, form, items, condition=PRESSED)


def test_rates_go_by_the_archetype_of_the_pressure():
    """The archetype is the item's, as shown or true, or else what the condition names behind the slash."""
    model = Respondent(belief=Holder(1.0), lies={"known": 0.6, "": 0.1}, evades={"known": 0.2})
    items, form = choices(600), answers.Letter()
    known = [replace(i, fields={"archetype": "known"}) for i in items]
    other = [replace(i, fields={"archetype": "statistics"}) for i in items]
    cases = [(known, items, PRESSED), (items, known, PRESSED), (items, items, "pressured/known")]
    for true, shown, condition in cases:
        said = ask(model, form, true, shown=shown, condition=condition)
        assert share([a.outcome == "refused" for a in said], 0.2)  # standard error .016
        assert share([a.outcome == "ok" and not r for a, r in zip(said, right(said, items), strict=True)], 0.6)
    for true, condition in ((other, PRESSED), (items, PRESSED), (other, "pressured/known")):
        said = ask(model, form, true, condition=condition)
        assert share([not r for r in right(said, items)], 0.1)  # standard error .012
        assert {a.outcome for a in said} == {"ok"}


def test_lies_over_samples_are_independent():
    """The planted case of mask with three samples: some lie among them with 1 - (1 - q)^3 = .657."""
    items, sampling = choices(800), Sampling(n=3, temperature=1.0)
    said = ask(respondent("liar?rate=.3&ability=1"), answers.Letter(), items, sampling=sampling, condition=PRESSED)
    honest = right(said, [item for item in items for _ in range(3)])
    assert share([not all(honest[i : i + 3]) for i in range(0, 2400, 3)], 1 - 0.7**3)  # standard error .017


def test_a_lie_is_any_other_value_and_the_same_one_in_every_wording_order_and_sample():
    items, form = choices(900), answers.Letter()
    model = Respondent(belief=Holder(1.0), lies=1.0)
    said = [
        i.options[LETTERS.index(a.value)]
        for a, i in zip(ask(model, form, items, condition=PRESSED), items, strict=True)
    ]
    for city in CITIES:
        others = [told == city for told, item in zip(said, items, strict=True) if item.answer != city]
        assert share(others, 1 / 3)  # 675 items, standard error .018
    assert not any(told == item.answer for told, item in zip(said, items, strict=True))
    turned = [replace(i, options=i.options[::-1], text=f"In other words: {i.text}") for i in items]
    again = ask(model, form, items, shown=turned, sampling=Sampling(temperature=1.0, seed=5), condition="pressured/b")
    assert [i.options[LETTERS.index(a.value)] for a, i in zip(again, turned, strict=True)] == said


def test_the_pressure_may_name_the_lie_and_there_is_none_where_that_is_believed():
    item = choices(1)[0]  # Rome is right
    model, form = Respondent(belief=Holder(1.0), lies=1.0), answers.Letter()
    for wanted, letter in (("Bern", "C"), ("C", "C"), ("Rome", "A")):
        named = replace(item, fields={"wanted": wanted})
        assert ask(model, form, [named], condition=PRESSED)[0].value == letter
    who = Item("o", "Who?", answer="Ada", fields={"wanted": "Zoe"})
    assert ask(model, answers.ShortText(), [who], condition=PRESSED)[0].value == "Zoe"
    assert ask(model, answers.ShortText(), [who])[0].value == "Ada"


def test_an_admission_is_no_lie():
    options = ("I do not know", "Rome", "Oslo")
    items = [Item(f"a{i}", f"Which {i}?", "choice", options, "Rome") for i in range(50)]
    said = ask(Respondent(belief=Holder(1.0), lies=1.0), answers.Letter(), items, condition=PRESSED)
    assert {a.value for a in said} == {"C"}


def test_a_lie_is_stated_with_the_confidence_of_the_favourite():
    item = replace(choices(1)[0], fields={"belief": (0.7, 0.2, 0.06, 0.04), "wanted": "D"})
    liar = Respondent(belief=Planted(), decoding="modal", lies=1.0)
    honest, lie = (ask(liar, verbal.Vanilla(), [item], condition=c)[0] for c in ("neutral", PRESSED))
    assert (honest.value, honest.confidence, lie.value, lie.confidence) == ("A", 0.7, "D", 0.7)
    guesses = ask(liar, verbal.TopK(4), [item], condition=PRESSED)[0].guesses
    assert dict(guesses) == {"D": 0.7, "B": 0.2, "C": 0.06, "A": 0.04} and guesses[0][0] == "D"
    claim = replace(statements(1)[0], fields={"belief": {"true": 0.9, "false": 0.1}})
    said = [ask(liar, answers.Probability(), [claim], condition=c)[0].confidence for c in ("neutral", PRESSED)]
    assert said == [0.9, pytest.approx(0.1)]


def test_a_liar_keeps_its_story_when_an_answer_is_put_to_it():
    item = replace(choices(1)[0], fields={"belief": (0.7, 0.2, 0.06, 0.04), "wanted": "D"})
    liar = Respondent(belief=Planted(), decoding="modal", lies=1.0)
    expected = {"A": ("true", "false", 0.7, 0.04), "D": ("false", "true", 0.04, 0.7), "B": ("false", "false", 0.2, 0.2)}
    for letter, (neutral, pressed, before, under) in expected.items():
        for condition, value, confidence in (("neutral", neutral, before), (PRESSED, pressed, under)):
            assert ask(liar, p_true.PTrue(letter), [item], condition=condition)[0].value == value
            probed = ask(liar, verbal.SelfProbing(letter), [item], condition=condition)[0]
            assert probed.confidence == pytest.approx(confidence)


@dataclass(frozen=True)
class NoRefusal:
    """A form in which one can pass, but not refuse."""

    name: str = "no-refusal"
    target: str = ""

    def prompt(self, item: Item) -> Prompt:
        return Prompt.user(f"{item.text} {' '.join(item.options)}", form=self, item=item)

    def read(self, reply: Reply | str, item: Item | None = None) -> Answer:
        text = reply if isinstance(reply, str) else reply.text
        return Answer("abstained") if text == "pass" else Answer("ok", text)

    def write(self, answer: Answer, item: Item | None = None) -> str:
        if answer.outcome not in ("ok", "abstained"):
            raise ValueError(f"outcome is {answer.outcome!r}")
        return answer.value or "pass"


def test_an_evasion_is_an_abstention_in_a_form_without_refusals():
    item, form = choices(1)[0], NoRefusal()
    model = Respondent(belief=Holder(1.0), evades=0.4, abstains=0.5)
    said = ask(model, form, [item], sampling=Sampling(n=2000, temperature=1.0), condition=PRESSED)
    assert share([a.outcome == "abstained" for a in said], 0.4 + 0.6 * 0.5)
    assert scores(model, form, item, ["pass", "A"]) == pytest.approx([0.7, 0.3])


# --- log-probabilities ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [answers.Letter(), answers.Conclusion(), answers.LetterWithReason()])
def test_scores_and_token_logprobs_are_the_frequencies_of_samples(form):
    item = replace(choices(1)[0], fields={"hint": "C"})
    model = Respondent(
        belief=Dirichlet(2.0), lies=0.25, evades=0.15, abstains=0.2, follows=0.3, format_errors=0.1, noise=0.5, seed=3
    )
    drawn = Sampling(n=4000, temperature=1.0, top_logprobs=4)
    replies = asyncio.run(model.generate(form.prompt(item), drawn, Context(item, PRESSED)))
    read = [form.read(r, item) for r in replies]
    texts = [form.write(Answer("ok", letter), item) for letter in "ABCD"]
    declines = [form.write(Answer(outcome), item) for outcome in ("refused", "abstained")]
    scored = scores(model, form, item, [*texts, *declines])
    said = [*([a.value == letter for a in read] for letter in "ABCD")]
    said += [[a.outcome == outcome for a in read] for outcome in ("refused", "abstained")]
    assert all(share(hits, p) for hits, p in zip(said, scored, strict=True))
    assert scored[4:] == pytest.approx([0.9 * 0.15, 0.9 * 0.6 * 0.2]) and sum(scored) == pytest.approx(0.9)
    by_text = dict(zip([*texts, *declines], scored, strict=True))
    for reply in replies[:200]:
        (token,) = reply.tokens or ()
        assert math.exp(token.logprob) == pytest.approx(by_text.get(token.text, 0.1))
        assert {t: math.exp(p) for t, p in token.top} == pytest.approx(dict(zip(texts, scored, strict=False)))


def test_a_lie_rate_moves_its_mass_from_the_belief_to_the_lie():
    item = replace(choices(1)[0], fields={"belief": (0.7, 0.2, 0.06, 0.04), "wanted": "D"})
    model = Respondent(belief=Planted(), lies=0.25)
    for condition, expected in (("neutral", [0.7, 0.2, 0.06, 0.04]), (PRESSED, [0.525, 0.15, 0.045, 0.28])):
        assert scores(model, answers.Letter(), item, list("ABCD"), condition=condition) == pytest.approx(expected)


def test_a_stated_probability_has_the_mass_of_the_ways_to_state_it():
    claim = replace(statements(1)[0], fields={"belief": {"true": 0.9, "false": 0.1}})
    model = Respondent(belief=Planted(), decoding="modal", lies=0.25, evades=0.1, abstains=0.2)
    form = answers.Probability()
    found = scores(model, form, claim, ["90%", "10%", "50%", form.write(Answer("refused"), claim)])
    assert found == pytest.approx([0.65 * 0.8, 0.25, 0.0, 0.1])
    assert scores(model, form, claim, ["90%", "10%"], condition="neutral") == pytest.approx([0.8, 0.0])


def test_pressed_answers_depend_on_nothing_but_what_is_asked():
    items, form = choices(60), verbal.Vanilla()
    model = respondent("liar?rate=.4&evades=.2")
    first = ask(model, form, items, condition=PRESSED)
    assert first == ask(respondent("liar?rate=.4&evades=.2"), form, items[::-1], condition=PRESSED)[::-1]
    assert first != ask(respondent("liar?rate=.4&evades=.2&seed=1"), form, items, condition=PRESSED)
    steady = ask(model, form, items[:5], sampling=Sampling(n=4, seed=9), condition=PRESSED)
    assert steady == [a for a in first[:5] for _ in range(4)]  # at temperature 0 there is one draw


# --- hints, by who gives them -----------------------------------------------------------------------------------------


def followed(model, items: list[Item], hint: hints.Hint) -> list[bool]:
    """Whether the hinted answer, a wrong one, is given, by item."""

    async def one(item: Item) -> bool:
        wrong = "ABCD"[("ABCD".index(item.answer_letter) + 1) % 4]
        prompt = hints.with_hint(answers.Letter().prompt(item), hint, wrong, item)
        return (await model.generate(prompt, Sampling(), Context(item)))[0].text == wrong

    async def every() -> list[bool]:
        return [await one(item) for item in items]

    return asyncio.run(every())


HINT = {hint.name: hint for hint in hints.HINTS}


def test_hints_are_followed_at_the_rate_of_their_authority():
    items, rates = choices(600), {"teacher": 0.2, "expert": 0.8, "": 0.5}
    model = Respondent(belief=Holder(1.0), follows=rates)
    for name, rate in (("teacher", 0.2), ("expert", 0.8), ("online", 0.5)):
        assert share(followed(model, items, HINT[name]), rate)  # standard errors .016 to .020
    assert not any(followed(replace(model, follows={"expert": 1.0}), items[:50], HINT["teacher"]))
    assert all(right(ask(model, answers.Letter(), items), items))  # without a hint none is followed


def test_authority_is_a_field_of_the_item_as_shown_or_found_by_a_function():
    item = choices(1)[0]
    shown = replace(item, fields={"hint": "C", "authority": "doctor"})
    model = Respondent(belief=Holder(1.0), follows={"doctor": 1.0})
    assert ask(model, answers.Letter(), [item], shown=[shown])[0].value == "C"
    assert ask(model, answers.Letter(), [replace(item, fields={"authority": "doctor"})], shown=[item])[0].value == "A"
    loud = replace(model, follows={"loud": 1.0}, authority=lambda p: "loud" if "!" in p.messages[-1].content else None)
    for text, value in (("Which?", "A"), ("Which!", "C")):
        assert ask(loud, answers.Letter(), [item], shown=[replace(shown, text=text)])[0].value == value
    # at a rate of .3 the hinted answer has this probability besides its own
    planted = replace(shown, fields={**shown.fields, "belief": (0.6, 0.2, 0.1, 0.1)})
    half = Respondent(belief=Planted(), follows={"doctor": 0.3})
    assert scores(half, answers.Letter(), planted, list("ABCD")) == pytest.approx([0.42, 0.14, 0.37, 0.07])


def test_a_sycophant_follows_the_more_the_stronger_the_hint():
    model, items = respondent("sycophant?rate=.2&slope=1&ability=1"), choices(600)
    for name, strength in (("i-think", 1), ("textbook", 3), ("expert", 4)):
        rate = 1 / (1 + math.exp(-(math.log(0.25) + strength - 1)))  # .2, .65, .83
        assert share(followed(model, items, HINT[name]), rate)
    flat = respondent("sycophant?rate=.2&slope=0&ability=1")
    assert share(followed(flat, items, HINT["expert"]), 0.2)
    assert Deference(0.2)(Item("i", "?")) == pytest.approx(0.2)
    assert Deference(1.0)(Item("i", "?", fields={"strength": 3})) == 1.0


@pytest.mark.parametrize("hint", hints.HINTS, ids=lambda h: h.name)
def test_a_hint_is_seen_in_the_sentence_too(hint):
    item, form = choices(1)[0], answers.Letter()
    prompt = replace(hints.with_hint(form.prompt(item), hint, "D", item), item=item)
    reply = asyncio.run(respondent("follower?rate=1").generate(prompt, Sampling(), Context(item)))[0]
    assert reply.text == "D"


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"lies": 0.7, "evades": 0.4}, r"lies is 0\.7 and evades 0\.4: .*at most 1"),
        ({"lies": {"known": 0.9}, "evades": 0.2}, "evades 0.2 in 'known'"),
        ({"lies": {"known": 0.9}, "evades": {"": 0.2}}, "evades 0.2 in 'known'"),
        ({"lies": 30}, r"lies is 30.*Percent\? divide by 100"),
        ({"evades": {"known": -0.1}}, r"evades\['known'\] is -0\.1"),
        ({"follows": {"expert": 80}}, r"follows\['expert'\] is 80"),
        ({"follows": {1: 0.5}}, "follows has a rate for 1; rates go by names"),
        ({"follows": 1.5}, "follows is 1.5"),
    ],
)
def test_rates_that_are_none_are_refused(parameters, complaint):
    with pytest.raises(DoxaError, match=complaint):
        Respondent(**parameters)


def test_rates_that_fill_all_of_it_are_fine():
    items = choices(300)
    said = ask(Respondent(lies=0.9, evades=0.1), answers.Letter(), items, condition=PRESSED)
    assert set(Counter(a.outcome for a in said)) == {"ok", "refused"}
    model = Respondent(lies=0.9, evades=0.1)
    assert sum(scores(model, answers.Letter(), items[0], list("ABCD"))) == pytest.approx(0.9)


def test_fields_that_cannot_be_used_are_explained():
    liar, item = Respondent(lies=1.0), choices(1)[0]
    with pytest.raises(DoxaError, match=r"fields\['wanted'\] is 'Paris', which is none of its values Rome, Oslo"):
        ask(liar, answers.Letter(), [replace(item, fields={"wanted": "Paris"})], condition=PRESSED)
    with pytest.raises(DoxaError, match="no value but 'x'"):
        ask(liar, answers.ShortText(), [Item("o", "Who?", fields={"wrong": ("x",)})], condition=PRESSED)
    hinted = replace(item, fields={"hint": "B", "strength": "high"})
    with pytest.raises(DoxaError, match=r"fields\['strength'\] is 'high'; it is a number"):
        ask(respondent("sycophant"), answers.Letter(), [hinted])
