"""Explanations at a level and a length: what is asked, which answer they argue for, what a reader is shown."""

import asyncio

import pytest

from doxa.elicit import formats_hash, forms
from doxa.elicit.explained import (
    HEDGES,
    LENGTHS,
    LEVELS,
    Explainer,
    Explanation,
    ReaderTrue,
    ReaderWords,
    hedge,
    other_claim,
    reader_confidence,
)
from doxa.elicit.ladder import Climb
from doxa.elicit.made_up_reader import ExplainsAndReads, MadeUpReader, level_of
from doxa.elicit.own_answer import own_answer
from doxa.models.simulated import Constant, Holder, Planted, Respondent
from doxa.records import Answer, Item, Reply
from doxa.study import Ask

CHOICE = Item("c", "Which animal is this?", "choice", ("bird", "insect", "mammal", "fish"), "fish")
OPEN = Item("o", "What is the capital of France?", answer="Paris")
NUMBER = Item("n", "How many are there?", "number", answer="12")
STATEMENT = Item("s", "This holds.", "statement", answer="true")
STYLES = [(level, length) for level in ("default", *LEVELS) for length in ("default", *LENGTHS)]


def asked(model, item, work):
    return asyncio.run(work(Ask(model, item)))


# --- the explanation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "length"), STYLES)
@pytest.mark.parametrize(
    ("item", "right", "other"),
    [(CHOICE, "B", "D"), (OPEN, "Paris", "Rome"), (NUMBER, "12", "121"), (STATEMENT, "true", "false")],
)
def test_what_is_written_is_read_back(level, length, item, right, other):
    form = Explanation(right, level, length)
    kept = form.read(form.write(Answer("ok", right), item), item)
    assert (kept.outcome, kept.value) == ("ok", right)
    changed = form.read(form.write(Answer("ok", other), item), item)
    assert (changed.outcome, changed.value) == ("ambiguous", other)
    assert kept.note and changed.note


def test_lengths_and_levels_are_asked_for_and_written():
    words = {n: len(Explanation("B", "high", n).write(Answer("ok", "B"), CHOICE).split()) for n in LENGTHS}
    assert 100 <= words["long"] <= 150 and 30 <= words["short"] <= 50 and words["uncertainty_only"] < 15
    texts = {style: Explanation("B", *style).prompt(CHOICE).show() for style in STYLES}
    assert len(set(texts.values())) == len(STYLES)
    for (level, _), text in texts.items():
        assert "B) insect" in text and (f"confidence in the answer is {level}" in text) == (level != "default")
    assert [level_of(hedge("B", CHOICE, level)) for level in LEVELS] == list(LEVELS)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("", "unparsed"),
        ("...", "unparsed"),
        ("I cannot answer that.", "refused"),
        ("I do not know.", "abstained"),
        ("I am not sure, but insects have six legs, and so has this one.", "ok"),
        ("A fish has gills, a bird has feathers; this has six legs.", "ok"),
        ("The answer is B, because it has six legs. D is a fish.", "ok"),
        ("The answer is fish.", "ambiguous"),
        ("D", "ambiguous"),
    ],
)
def test_outcomes(text, outcome):
    assert Explanation("B", "low", "short").read(text, CHOICE).outcome == outcome


def test_saying_something_about_the_answer_claims_none():
    assert other_claim("The answer is right, since it fits.", "Paris", OPEN) is None
    assert other_claim("The answer is Rome, and not Lyon.", "Paris", OPEN) == "Rome"
    assert other_claim("The answer is the city on the Seine, Paris.", "Paris", OPEN) is None


def test_a_cut_explanation_ends_with_its_last_whole_sentence():
    form = Explanation("B")
    cut = form.read(Reply("It has six legs. And it has wings, which no", finish="length"), CHOICE)
    assert (cut.outcome, cut.note) == ("ok", "It has six legs.")
    assert form.read(Reply("It has six", finish="length"), CHOICE).outcome == "truncated"


def test_nothing_is_written_for_no_answer():
    with pytest.raises(ValueError, match="no value"):
        Explanation("B").write(Answer("ok"), CHOICE)


def test_the_forms_that_organisms_were_trained_on_are_the_same():
    names = {Explanation("B").name, ReaderTrue("B").name, ReaderWords("B").name}
    assert not names & set(forms()) and formats_hash()


# --- explaining ------------------------------------------------------------------------------------------------------


class Scripted(Respondent):
    """Gives the replies it is told, one for each call."""

    def __init__(self, *texts):
        super().__init__()
        object.__setattr__(self, "texts", list(texts))
        object.__setattr__(self, "seen", [])

    async def generate(self, prompt, sampling, context=None):
        self.seen.append((prompt, sampling, context.condition))
        return [Reply(self.texts.pop(0))] * sampling.n


def explained(model, wording, *styles, again=1):
    async def work(ask):
        explainer = Explainer(ask, CHOICE, "B", wording, max_tokens=50, again=again)
        return [await explainer.explanation(*style) for style in styles]

    return asked(model, CHOICE, work)


def test_an_explanation_for_another_answer_is_asked_for_again_at_temperature_one():
    model = Scripted("The answer is D.", "It has six legs.")
    (told,) = explained(model, "generated", ("low", "short"))
    assert (told.outcome, told.note) == ("ok", "It has six legs.")
    assert [s.temperature for _, s, _ in model.seen] == [0.0, 1.0]
    assert {condition for *_, condition in model.seen} == {"low, short"}
    (told,) = explained(Scripted("The answer is D.", "D"), "generated", ("low", "short"))
    assert (told.outcome, told.value) == ("ambiguous", "D")
    assert explained(Scripted("D"), "generated", ("low", "short"), again=0)[0].outcome == "ambiguous"


def test_prefixed_wording_leaves_the_reasons_as_they_are():
    model = Scripted("It has six legs.")
    styles = [(level, "short") for level in LEVELS] + [("high", "uncertainty_only")]
    *three, bare = explained(model, "prefixed", *styles)
    assert len(model.seen) == 1 and "confidence in the answer" not in model.seen[0][0].show()
    for level, told in zip(LEVELS, three, strict=True):
        assert told.note == f"{HEDGES[level].format(answer='B) insect')} It has six legs."
    assert bare.note == "I am sure that the answer is B) insect."


def test_prefixed_wording_of_an_unread_explanation_is_unread():
    assert explained(Scripted("..."), "prefixed", ("low", "long"))[0].outcome == "unparsed"


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [ReaderTrue, ReaderWords])
def test_a_reader_sees_question_answer_and_explanation_and_nothing_else(form):
    text = form("B", explanation="It has six legs.").prompt(CHOICE).show()
    assert "Which animal" in text and "B) insect" in text and text.endswith("It has six legs.")
    without = form("B").prompt(CHOICE).show()
    assert text.startswith(without) and "xplanation given" not in without


@pytest.mark.parametrize("reading", ["logprobs", "words"])
def test_the_readers_confidence_is_that_the_answer_is_right(reading):
    item = Item("c", CHOICE.text, "choice", CHOICE.options, "fish", fields={"belief": (0.1, 0.7, 0.15, 0.05)})
    for answer, p in (("B", 0.7), ("D", 0.05)):
        found = asked(
            Respondent(belief=Planted()), item, lambda ask, a=answer: reader_confidence(ask, item, a, "Why.", reading)
        )
        assert found.confidence == pytest.approx(p, abs=1e-4)


def test_a_reader_whose_words_cannot_be_read_is_unread():
    model = Respondent(format_errors=1.0)
    found = asked(model, CHOICE, lambda ask: reader_confidence(ask, CHOICE, "B", "Why.", "words"))
    assert found.outcome == "unparsed" and found.confidence is None


# --- the model's own answer ------------------------------------------------------------------------------------------


def test_the_likeliest_option_with_its_probability():
    item = Item("c", CHOICE.text, "choice", CHOICE.options, "fish", fields={"belief": (0.1, 0.6, 0.2, 0.1)})
    answer, _ = asked(Respondent(belief=Planted()), item, lambda ask: own_answer(ask, item, "logprobs", Climb()))
    assert answer.value == "B" and answer.confidence == pytest.approx(0.6)


def test_a_short_answer_is_judged_among_sampled_ideas():
    model = Respondent(belief=Holder(0.8), decoding="greedy")

    async def work(ask):
        answer, text = await own_answer(ask, OPEN, "logprobs", Climb(samples=10))
        return answer, text, ask.calls

    answer, text, calls = asked(model, OPEN, work)
    assert answer.value == text and answer.confidence == pytest.approx(0.8)
    assert [(call.kind, len(call.replies)) for call in calls] == [("generate", 1), ("generate", 10), ("score", 0)]
    assert calls[1].sampling.temperature == 1.0
    shown = calls[2].prompt.show()
    assert shown.count("Paris") >= 2 and "brainstormed" in shown


@pytest.mark.parametrize("internal", ["samples", "words"])
def test_models_that_only_generate(internal):
    model = Respondent(belief=Holder(1.0), confidence=Constant(0.9))
    answer, _ = asked(model, CHOICE, lambda ask: own_answer(ask, CHOICE, internal, Climb(samples=4)))
    assert answer.value == "D" and answer.confidence == {"samples": 1.0, "words": 0.9}[internal]
    assert not [c for c in asked(model, CHOICE, _calls(internal)) if c.kind == "score"]


def _calls(internal):
    async def work(ask):
        await own_answer(ask, CHOICE, internal, Climb(samples=4))
        return ask.calls

    return work


def test_an_answer_that_cannot_be_read_has_no_confidence():
    answer, _ = asked(Respondent(format_errors=1.0), OPEN, lambda ask: own_answer(ask, OPEN, "logprobs", Climb()))
    assert answer.value is None and answer.confidence is None and answer.outcome == "unparsed"


# --- the made-up reader ----------------------------------------------------------------------------------------------


def test_the_made_up_reader_heeds_wording_and_length():
    exact = MadeUpReader(noise=0.0)
    assert exact.reads("I am not sure, but the answer may be B.") == pytest.approx(0.35)
    assert exact.reads("I am somewhat sure that it is B.") == pytest.approx(0.60)
    assert exact.reads("It is B. " + "Word " * 80) == pytest.approx(0.88)
    assert [exact.of_trial(*trial) for trial in (("default", "default"), ("none", "default"), ("low", "short"))] == [
        pytest.approx(0.88),
        pytest.approx(0.60),
        pytest.approx(0.35),
    ]
    assert MadeUpReader(base=0.95).confidence("high", True) == 1.0
    noisy = MadeUpReader()
    assert (
        noisy.confidence("low", False, "a") == noisy.confidence("low", False, "a") != noisy.confidence("low", False, 2)
    )


def test_a_simulated_reader_of_the_real_prompts_states_the_same():
    model = Respondent(decide=ExplainsAndReads(Holder(0.9), MadeUpReader(noise=0.0)))
    text = Explanation("D", "low", "short").write(Answer("ok", "D"), CHOICE)
    for reading in ("logprobs", "words"):
        found = asked(model, CHOICE, lambda ask, r=reading: reader_confidence(ask, CHOICE, "D", text, r))
        assert found.confidence == pytest.approx(0.35)
