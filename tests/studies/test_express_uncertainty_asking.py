"""Expressed uncertainty: what each strategy sends to the model, how often, and what it keeps of the replies."""

import asyncio
import math

import polars as pl
import pytest
from pytest import approx

import doxa
from doxa import studies
from doxa.data.mixture import facts_and_sums
from doxa.elicit.hints import HINTS, PERSONAS
from doxa.elicit.strategies import PROMPTINGS
from doxa.models.base import Model
from doxa.models.simulated import respondent
from doxa.records import DoxaError, Item, MissingCapability, Reply, Token
from doxa.study import Ask, frame

STUDY = studies.load("express-uncertainty")
Options, Row = STUDY.options, STUDY.row
FEW = {"resamples": 50}


def choices(n, **fields):
    """Questions with four options, the right one at every place in turn."""
    options = ("north", "east", "south", "west")
    return [
        Item(
            f"q{i}",
            f"Where does road {i} lead?",
            "choice",
            options,
            options[i % 4],
            fields={k: v[i] for k, v in fields.items()},
        )
        for i in range(n)
    ]


def asked(model, items, *, null_seed=None, **options):
    """Findings of one run in memory."""
    given = Options(**FEW | options)
    part = doxa.run(STUDY, model, options=given, items=items, null_seed=null_seed, progress=False)[STUDY.name]
    assert part.counts["failed"] == 0
    return part.findings, part.rows()


def collected(model, items, **options):
    """Rows alone."""

    async def ask(item):
        return [row async for row in STUDY.collect(item, Ask(model, item), Options(**options))]

    async def ask_all():
        return [row for item in items for row in await ask(item)]

    return frame(asyncio.run(ask_all()), Row)


class Scripted(Model):
    """Answers every prompt by its form's example, and keeps what it was asked."""

    address, stored = "scripted", False
    capabilities = frozenset({"generate"})

    def __init__(self):
        self.asked = []

    async def generate(self, prompt, sampling, context=None):
        self.asked.append((prompt, sampling, context.condition))
        example = prompt.form.example(prompt.item)
        return [Reply(prompt.form.write(example, prompt.item))] * sampling.n


def test_every_strategy_asks_as_often_as_it_says():
    model = Scripted()
    rows = collected(model, choices(1), prompt="all", sampling="all", responses=3)
    counts = {(p, s): n for p, s, n in rows.group_by("prompting", "sampling").len().iter_rows()}
    several = {(p, s): 3 for p in PROMPTINGS for s in ("self_random", "misleading", "prompting")}
    assert counts == {(p, "single"): 1 for p in PROMPTINGS} | several
    greedy = {s.temperature for _, s, arm in model.asked if arm.endswith("single")}
    assert greedy == {0.0} and {s.temperature for _, s, arm in model.asked if arm.endswith("self_random")} == {0.7}


def test_one_response_is_greedy_however_it_is_sampled():
    model = Scripted()
    collected(model, choices(1), prompt="vanilla", sampling="self_random", responses=1)
    assert [s.temperature for _, s, _ in model.asked] == [0.0]


def test_self_probing_shows_the_models_own_answer_in_a_fresh_conversation():
    model = Scripted()
    rows = collected(model, choices(1), prompt="self_probing", sampling="single")
    first, second = (prompt for prompt, _, _ in model.asked)
    assert len(second.messages) == 1 and "Possible answer:\nB) east" in second.show()
    assert first.form.name == "vanilla" and rows["answer"].item() == "B" and rows["confidence"].item() == 0.85


def test_multi_step_multiplies_its_steps_and_keeps_the_overall_number():
    found, rows = asked(Scripted(), choices(1), prompt="multi_step", sampling="single")
    assert rows["confidence"].item() == approx(0.684) and rows["overall"].item() == 0.85
    assert found["mean confidence, multi_step"] == approx(0.684)
    assert found["mean confidence, multi_step, overall"] == approx(0.85)


def test_hints_stand_in_all_responses_but_the_first():
    model = Scripted()
    rows = collected(model, choices(1), prompt="vanilla", sampling="misleading")
    hinted = [h.name for h in HINTS if h.group == "opinion"]
    assert rows["hint"].to_list() == [None, *hinted]  # the published four
    assert [("Hint:" in prompt.show()) for prompt, _, _ in model.asked] == [False, True, True, True, True]
    rows = collected(model, choices(1), prompt="vanilla", sampling="misleading", hints="source", responses=4)
    assert rows["hint"].to_list() == [None, *(h.name for h in HINTS if h.group == "source")]


def test_hints_may_name_the_right_answer_unless_they_must_not():
    how = {"prompt": "vanilla", "sampling": "misleading"}
    rows = collected(Scripted(), choices(60), **how)
    named = rows.filter(pl.col("hinted").is_not_null())
    share = (named["hinted"] == named["truth"].list.first()).mean()
    assert share == approx(0.25, abs=4 * math.sqrt(0.1875 / 240))
    rows = collected(Scripted(), choices(60), wrong_only=True, **how)
    named = rows.filter(pl.col("hinted").is_not_null())
    assert not (named["hinted"] == named["truth"].list.first()).any()


def test_a_persona_stands_in_front():
    model = Scripted()
    collected(model, choices(1), prompt="cot", sampling="single", persona="cautious")
    assert model.asked[0][0].messages[0].content == PERSONAS["cautious"]


def test_wordings_are_the_banks_the_sets_own_or_the_models():
    model = Scripted()
    fact, total = facts_and_sums(2)
    own = choices(1, paraphrases=[["Whither road 0?", "Where does one get by road 0?"]])[0]
    for item, others in ((fact, 2), (total, 4), (own, 2)):
        model.asked.clear()
        collected(model, [item], prompt="vanilla", sampling="prompting")
        texts = [prompt.item.text for prompt, _, _ in model.asked]
        assert texts[0] == item.text and len(texts) == 5 and len(set(texts)) == 1 + others
    model.asked.clear()
    collected(model, choices(1), prompt="vanilla", sampling="prompting", responses=3)
    assert [prompt.form.name for prompt, _, _ in model.asked] == ["reword", "vanilla", "vanilla", "vanilla"]
    assert "In other words:" in model.asked[2][0].show()


def test_a_rewording_that_cannot_be_read_is_a_response_that_cannot_be_read():
    found, rows = asked(respondent("calibrated"), choices(2), prompt="vanilla", sampling="prompting", responses=3)
    assert rows["outcome"].to_list() == ["ok", "unparsed", "unparsed"] * 2
    assert found.estimate("accuracy, vanilla, prompting, consistency").outcomes == {"ok": 2, "unparsed": 4}


def test_white_box_needs_token_probabilities_only_when_asked_for():
    assert STUDY.needed(Options()) == {"generate"}
    with pytest.raises(MissingCapability, match=r"needs .*logprobs"):
        asked(Scripted(), choices(1), white_box=True)


class Spelt(Scripted):
    """Replies in tokens: the answer itself is one of probability .5, all others .9."""

    capabilities = frozenset({"generate", "logprobs"})

    async def generate(self, prompt, sampling, context=None):
        pieces = [("Answer and Confidence (0-100):", 0.9), (" B", 0.5), (",", 0.9), (" 100%", 0.9)]
        tokens = tuple(Token(text, math.log(p)) for text, p in pieces)
        return [Reply("".join(text for text, _ in pieces), tokens=tokens if sampling.top_logprobs == 0 else None)]


def test_white_box_probabilities_stand_beside_the_stated_one():
    found, _ = asked(Spelt(), choices(4), prompt="vanilla", sampling="single", white_box=True)
    product = 0.5 * 0.9**3
    assert found["mean confidence, vanilla"] == 1
    assert found["mean confidence, vanilla, seq_prob"] == approx(product)
    assert found["mean confidence, vanilla, len_norm_prob"] == approx(product**0.25)
    assert found["mean confidence, vanilla, token_prob"] == approx(0.5)
    assert [row[0] for row in found.table("White box").rows] == [
        "vanilla", "vanilla, seq_prob", "vanilla, len_norm_prob", "vanilla, token_prob",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": "vanila"}, "prompt names 'vanila'; there are vanilla, cot"),
        ({"sampling": "greedy"}, "sampling names 'greedy'"),
        ({"responses": 0}, "responses is 0"),
        ({"sampling": "misleading", "responses": 14}, "misleading gives at most 13"),
        ({"sampling": "all", "hints": "source"}, "responses is 5; with hints 'source' misleading gives at most 4"),
    ],
)
def test_settings_that_cannot_be_carried_out_are_refused_first(options, message):
    with pytest.raises(DoxaError, match=message):
        Options(**options)


def test_the_default_questions_mix_letters_and_numbers():
    items = STUDY.items(Options(questions=40))
    assert [item.kind for item in items[:4]] == ["choice", "number"] * 2
    assert len({item.id for item in items}) == 40
    with pytest.raises(DoxaError, match="0 questions asked"):
        STUDY.items(Options(questions=0))
