"""The ladder: the best rung that a model can give is read and named, each rung reads the confidence planted in it."""

import math

import pytest

from doxa.elicit.answers import Letter, ShortText, TrueFalse
from doxa.elicit.ladder import LADDER, Climb, confidence, confidences, rungs
from doxa.elicit.verbal import SelfProbing, Vanilla
from doxa.models.base import Model
from doxa.models.simulated import respondent
from doxa.records import Answer, Item, MissingCapability, Reply, Score
from doxa.study import Ask

CHOICE = Item("c", "Which?", "choice", ("Sydney", "Canberra", "Perth"), "Canberra")
OPEN = Item("o", "Who?", answer="Ada")
TRUE = Item("s", "This holds.", "statement", answer="true")


class Planted(Model):
    """Has another confidence on each rung: .7 by letter, .6 by P(True), .5 in samples, .4 when probed, .3 stated."""

    address = "planted"

    def __init__(self, *capabilities, words=True):
        self.capabilities = frozenset(capabilities)
        self.words, self.asked = words, []

    async def score(self, prompt, continuations, context=None):
        self.asked.append(prompt)
        by_text = {"A": 0.1, "B": 0.7, "C": 0.2, "(A)": 0.6, "(B)": 0.4, "true": 0.35, "false": 0.15}
        return [Score(text, math.log(by_text[text])) for text in continuations]

    async def generate(self, prompt, sampling, context=None):
        self.asked.append(prompt)
        form, item = prompt.form, prompt.item
        if isinstance(form, SelfProbing):
            return [Reply(form.write(Answer("ok", confidence=0.4), item) if self.words else "hm")]
        if isinstance(form, Vanilla):
            return [Reply(form.write(Answer("ok", "B" if item.options else "Ada", 0.3), item))]
        said = ["B", "A"] if item.options else ["Ada", "Bob"]
        return [Reply(said[k % 2] if self.words else "hm, hm") for k in range(sampling.n)]


EVERY = {"option log-probabilities": 0.7, "P(True)": 0.6, "samples": 0.5, "words": 0.4}


def asked(model, item):
    return Ask(model, item)


def test_which_rungs_there_are():
    scores, talks = Planted("score"), Planted("generate")
    assert rungs(Planted("score", "generate"), CHOICE) == LADDER == tuple(EVERY)
    assert rungs(scores, CHOICE) == LADDER[:2] and rungs(scores, OPEN) == ("P(True)",)
    assert rungs(talks, CHOICE) == LADDER[2:] and rungs(Planted(), CHOICE) == ()
    assert rungs(scores, TRUE) == LADDER[:2]
    assert rungs(scores, Item("x", "You may.", "scenario", ("a", "b"))) == LADDER[:2]


async def test_each_rung_reads_its_own_number():
    ask = asked(Planted("score", "generate"), CHOICE)
    assert await confidences(ask, CHOICE, Letter(), "B") == pytest.approx(EVERY)
    for rung, value in EVERY.items():
        found, name = await confidence(ask, CHOICE, Letter(), "B", rung)
        assert (found, name) == (pytest.approx(value), rung)
    other = await confidences(ask, CHOICE, Letter(), "C")  # of an answer that nobody gave
    assert other["samples"] == 0 and other["option log-probabilities"] == pytest.approx(0.2)


async def test_the_best_is_the_first_that_the_model_can_give():
    for capabilities, item, value, rung in (
        (("score", "generate"), CHOICE, 0.7, "option log-probabilities"),
        (("score", "generate"), OPEN, 0.6, "P(True)"),
        (("generate",), CHOICE, 0.5, "samples"),
    ):
        form, answer = (Letter(), "B") if item.options else (ShortText(), "Ada")
        found = await confidence(asked(Planted(*capabilities), item), item, form, answer)
        assert found == (pytest.approx(value), rung)


async def test_one_that_cannot_be_read_is_passed_over_and_the_last_one_says_so():
    mute = Planted("generate", words=False)
    found, rung = await confidence(asked(mute, CHOICE), CHOICE, Letter(), "B")
    assert math.isnan(found) and rung == "words"
    assert [type(p.form) for p in mute.asked[-2:]] == [Letter, SelfProbing]


async def test_stated_confidence_counts_for_the_answer_it_came_with():
    ask = asked(Planted("generate"), CHOICE)
    assert (await confidence(ask, CHOICE, Vanilla(), "B", "words")).value == 0.3
    assert (await confidence(ask, CHOICE, Vanilla(), "A", "words")).value == 0.4  # it stated another one's: probed


async def test_statements():
    ask = asked(Planted("score", "generate"), TRUE)
    assert (await confidence(ask, TRUE, TrueFalse(), "true")).value == pytest.approx(0.7)
    assert (await confidence(ask, TRUE, TrueFalse(), "false")).value == pytest.approx(0.3)


async def test_what_cannot_be_given_is_refused_in_words():
    talks, scores = Planted("generate"), Planted("score")
    with pytest.raises(MissingCapability, match=r"cannot give the confidence 'P\(True\)'.*it can give: samples, words"):
        await confidence(asked(talks, CHOICE), CHOICE, Letter(), "B", "P(True)")
    with pytest.raises(MissingCapability, match="Options or a statement are needed"):
        await confidence(asked(scores, OPEN), OPEN, ShortText(), "Ada", "option log-probabilities")
    with pytest.raises(MissingCapability, match="it can give: none"):
        await confidence(asked(Planted(), CHOICE), CHOICE, Letter(), "B")
    with pytest.raises(ValueError, match="rung is 'vibes'"):
        await confidence(asked(talks, CHOICE), CHOICE, Letter(), "B", "vibes")
    with pytest.raises(ValueError, match="answer is 'Canberra'; for item 'c' it is one of A, B, C"):
        await confidence(asked(talks, CHOICE), CHOICE, Letter(), "Canberra")


async def test_samples_recover_a_planted_rate():
    # 400 samples of a respondent that believes what it answers with .7: standard error .023
    item = Item("q", "Which?", "choice", ("a", "b"), "a")
    model = respondent("calibrated?ability=0.7")
    true, _ = await confidence(asked(model, item), item, Letter(), "A", "option log-probabilities")
    climb = Climb(samples=400)
    share, rung = await confidence(asked(model, item), item, Letter(), "A", "samples", climb=climb)
    assert rung == "samples" and share == pytest.approx(true, abs=4 * math.sqrt(true * (1 - true) / 400) + 1e-9)
