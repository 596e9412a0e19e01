"""Edited respondents: what is decided stays, the share of items that are changed is the planted one."""

import asyncio
import math
from functools import partial

import pytest

from doxa.elicit.structured import Tags
from doxa.elicit.token_probability import token_logprobs
from doxa.elicit.verbal import Vanilla
from doxa.models.simulated import Forecast, Holder, Respondent
from doxa.models.simulated_edited import Edited, about_its_answer, in_words
from doxa.records import DoxaError, Item, Prompt, Reply, Sampling

FORECASTER = Respondent(belief=Forecast(), decoding="modal")


def said(model, form, item, **how):
    return asyncio.run(model.generate(form.prompt(item), Sampling(**how)))


def event(i, p):
    return Item(f"e{i}", f"Will event {i} happen?", answer="yes", fields={"probability": p})


def test_the_number_is_that_of_the_answer():
    edited = Edited(FORECASTER, about_its_answer, "own answer")
    for p, answer, literal, own in ((0.2, "no", 0.2, 0.8), (0.9, "yes", 0.9, 0.9)):
        for model, number in ((FORECASTER, literal), (edited, own)):
            read = Tags().read(said(model, Tags(), event(0, p))[0])
            assert (read.value, read.confidence) == (answer, pytest.approx(number))


def test_a_share_of_items_is_changed_the_same_at_every_asking():
    edited = Edited(FORECASTER, about_its_answer, "own answer", rate=0.3)
    changed = [Tags().read(said(edited, Tags(), event(i, 0.2))[0]).confidence > 0.5 for i in range(400)]
    assert sum(changed) / 400 == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 400))
    again = [Tags().read(said(edited, Tags(), event(i, 0.2), seed=7)[0]).confidence > 0.5 for i in range(400)]
    assert changed == again
    none = Edited(FORECASTER, about_its_answer, "own answer", rate=0.0)
    assert said(none, Tags(), event(0, 0.2)) == said(FORECASTER, Tags(), event(0, 0.2))


def test_words_are_tokens_and_the_answer_is_one_of_them():
    item = Item("q", "Where?", "choice", ("here", "there"), "here")
    model = Edited(Respondent(belief=Holder(0.8), decoding="greedy"), partial(in_words, 0.9), "in words")
    (reply,) = said(model, Vanilla(), item, top_logprobs=0)
    assert "".join(token.text for token in reply.tokens) == reply.text and len(reply.tokens) == 6
    found = token_logprobs(reply)
    assert found.token_prob == pytest.approx(0.8) and found.seq_prob == pytest.approx(0.8 * 0.9**5)
    with pytest.raises(DoxaError, match="no log-probabilities"):
        said(model, Vanilla(), item)


def test_a_refusal_is_left_as_it_is():
    reply = Reply("I cannot help with that.")
    assert about_its_answer(reply, Tags().prompt(event(0, 0.2)), event(0, 0.2)) == reply


def test_identity_and_what_is_refused():
    one, other = (Edited(FORECASTER, about_its_answer, "own answer", rate=rate) for rate in (0.3, 0.4))
    assert one.fingerprint != other.fingerprint and one.capabilities == {"generate", "logprobs"}
    assert one.address.endswith("(own answer)")
    with pytest.raises(DoxaError, match="rate is 30"):
        Edited(FORECASTER, about_its_answer, "own answer", rate=30)
    with pytest.raises(DoxaError, match="form is not set"):
        about_its_answer(Reply("no"), Prompt.user("?"), event(0, 0.2))
