"""Saved heads: fitted on hidden states or on words, kept with a card, opened again, refused where they do not fit."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from doxa.metrics import auroc
from doxa.models.simulated import respondent
from doxa.records import DoxaError, MissingCapability, Prompt
from doxa.training.cases import CORRECT, JUDGE, KNOWS, Case, prompt_of, text_of
from doxa.training.saved import StateConfidence, WordConfidence, load, states

pytest.importorskip("torch")
pytest.importorskip("sklearn")

QUESTION = "{question}"


@pytest.mark.parametrize("nearest", [False, True])
async def test_a_rule_is_read_from_hidden_states(model, planted, tmp_path, nearest):
    cases, _, right = planted(300, 0)
    new, rate, drawn = planted(300, 1)
    made = await StateConfidence.fit(model, cases, right, layer=1, template=QUESTION, nearest=nearest)
    found = await made.confidence(new, model)
    assert auroc(found, drawn) > auroc(rate, drawn) - (0.2 if nearest else 0.05)
    assert made.card.needs == {"hidden_states"} and made.card.target == KNOWS
    assert made.card.reads == "the hidden state of the model that is asked, after block 1 at token -1 of question"
    again = load(made.save(tmp_path))
    assert again.card == replace(made.card, files=again.card.files, settings=again.card.settings)
    assert np.array_equal(await again.confidence(new, model), found)


async def test_nothing_is_read_where_nothing_is_planted(model, planted):
    cases, _, right = planted(300, 0, rates=(0.5, 0.5))
    new, _, drawn = planted(1000, 1, rates=(0.5, 0.5))
    made = await StateConfidence.fit(model, cases, right, layer=-1, template=QUESTION)
    error = math.sqrt(1001 / (12 * 500 * 500))
    assert auroc(await made.confidence(new, model), drawn) == pytest.approx(0.5, abs=3 * error)


async def test_states_are_the_models_own(model):
    prompts = [Prompt.user("the red fig"), Prompt.user("it is true")]
    found = await states(model, prompts, 0, -2)
    assert found.shape == (2, 32)
    assert np.allclose(found[1], (await model.hidden_states(prompts[1], layers=[0], positions=[-2]))[0, 0], atol=1e-5)


async def test_words_of_the_question(planted, tmp_path):
    cases, _, right = planted(300, 0)
    new, rate, drawn = planted(300, 1)
    made = WordConfidence.fit(cases, right, groups=[case.question for case in cases])
    assert auroc(await made.confidence(new), drawn) > auroc(rate, drawn) - 0.05
    assert made.card.reads == "question, as text" and not made.card.needs and made.card.target == KNOWS
    again = load(made.save(tmp_path))
    assert np.array_equal(await again.confidence(new), await made.confidence(new))
    assert (await again.confidence([])).shape == (0,)
    assert WordConfidence.fit(cases, right, template=JUDGE).card.target == CORRECT


async def test_another_models_states_are_refused_unless_they_are_wanted(model, other, planted, tmp_path):
    cases, _, right = planted(60, 0)
    folder = (await StateConfidence.fit(model, cases, right, layer=0, template=QUESTION)).save(tmp_path / "head")
    saved = load(folder)
    with pytest.raises(DoxaError, match=r"made with 'hf:tiny'.*its weights differ"):
        await saved.confidence(cases, other)
    # only the output head differs, which is no part of what is read
    same = await load(folder, any_model=True).confidence(cases, other)
    assert same == pytest.approx(await saved.confidence(cases, model), abs=1e-5)
    with pytest.raises(ValueError, match="give the model"):
        await saved.confidence(cases)
    with pytest.raises(MissingCapability, match="hidden_states"):
        await saved.confidence(cases, respondent("calibrated"))


async def test_a_card_of_another_version_and_changed_files(model, planted, tmp_path):
    cases, _, right = planted(60, 0)
    WordConfidence.fit(cases, right).save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "notes.txt").write_text("anything else in the folder is the user's own")
    assert load(tmp_path).card.n == 60
    (tmp_path / "card.json").write_text(json.dumps(card | {"version": 9}))
    with pytest.raises(DoxaError, match="version 9"):
        load(tmp_path)
    (tmp_path / "card.json").write_text(json.dumps(card | {"files": "0"}))
    with pytest.raises(DoxaError, match="not those that its card was written with"):
        load(tmp_path)


async def test_what_cannot_be_fitted(model, planted):
    cases, _, right = planted(20, 0)
    with pytest.raises(ValueError, match="no cases"):
        await StateConfidence.fit(model, [], [], layer=0)
    with pytest.raises(ValueError, match="no cases"):
        WordConfidence.fit([], [])
    with pytest.raises(ValueError, match="has no prompt"):
        await StateConfidence.fit(model, cases, right, layer=0)
    with pytest.raises(ValueError, match="layer is 7"):
        await StateConfidence.fit(model, cases, right, layer=7, template=QUESTION)


def test_a_template_is_filled_once():
    case = Case("what is {answer}?", "{model}", model="hf:x")
    assert text_of(case, "{question} {answer} {model} {other}") == "what is {answer}? {model} hf:x {other}"
    assert "Answer of hf:x: {model}\n" in text_of(case, JUDGE)
    assert prompt_of(Case("q", prompt=Prompt(text="Q: q")), None) == Prompt(text="Q: q")
