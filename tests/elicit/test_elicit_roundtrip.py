"""Each form reads back what it writes: `read(write(a)) == a` for every answer that it can express."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from doxa.elicit.answers import (
    Conclusion,
    Json,
    Letter,
    LetterWithReason,
    Number,
    Probability,
    ShortText,
    Tags,
    TrueFalse,
    YesNo,
)
from doxa.elicit.form import value_text
from doxa.elicit.p_true import PTrue
from doxa.elicit.replies import number, percent, percent_text
from doxa.elicit.verbal import ChainOfThought, MultiStep, SelfProbing, TopK, Vanilla
from doxa.records import Answer, Item

# A busy machine is no failure, and every run tries the same examples.
unhurried = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

ITEMS = {
    "choice": Item("c", "Which?", "choice", ("Sydney", "Canberra", "C. elegans", "Yes"), "Canberra"),
    "statement": Item("s", "This holds.", "statement", (), "true"),
    "number": Item("n", "How many?", "number", (), "12"),
    "open": Item("o", "Who?", "open", (), "Ada Lovelace"),
}


def expressible(text: str) -> bool:
    try:
        return value_text(Answer("ok", text)) == text
    except ValueError:
        return False


confidences = st.one_of(st.integers(0, 100).map(lambda p: p / 100), st.floats(0, 1))
notes = st.lists(st.from_regex(r"[a-z]{1,8}[0-9]{0,2}[.!?]?", fullmatch=True), max_size=6).map(" ".join)
numbers = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9).map(
    lambda d: number(str(d)) or ""
)
texts = st.one_of(st.from_regex(r"[A-Z][a-z]+( [A-Za-z,0-9%]+){0,3}", fullmatch=True), st.text(min_size=1)).filter(
    expressible
)
VALUES = {
    "choice": st.sampled_from("ABCD"),
    "statement": st.sampled_from(["true", "false"]),
    "number": numbers,
    "open": texts,
}
kinds = st.sampled_from(list(ITEMS))


def check(form, answer, item):
    assert form.read(form.write(answer, item), item) == answer


@given(st.sampled_from("ABCD"))
@unhurried
def test_letter(value):
    check(Letter(), Answer("ok", value), ITEMS["choice"])
    check(Letter(n=4), Answer("ok", value), None)


@given(st.booleans())
@unhurried
def test_single_words(positive):
    check(YesNo(), Answer("ok", "yes" if positive else "no"), ITEMS["open"])
    check(TrueFalse(), Answer("ok", "true" if positive else "false"), ITEMS["statement"])
    check(PTrue("B"), Answer("ok", "true" if positive else "false"), ITEMS["choice"])


@given(texts)
@unhurried
def test_short_text(value):
    form = ShortText()
    try:
        form.write(Answer("ok", value))
    except ValueError:
        assume(False)  # too long, or with a label: refused when it is written
    check(form, Answer("ok", value), ITEMS["open"])


@given(numbers)
@unhurried
def test_number(value):
    check(Number(), Answer("ok", value), ITEMS["number"])


@given(confidences)
@unhurried
def test_probability(confidence):
    check(Probability(), Answer("ok", confidence=confidence), ITEMS["statement"])


@given(st.sampled_from(["yes", "no"]), confidences, notes)
@unhurried
def test_tags(value, confidence, note):
    check(Tags(), Answer("ok", value, confidence, note=note), ITEMS["open"])
    check(Tags(as_published=True), Answer("ok", value, confidence, note=note), ITEMS["open"])
    check(Tags(ask="probability"), Answer("ok", None, confidence, note=note), ITEMS["open"])


@given(st.sampled_from("ABC"))
@unhurried
def test_conclusion(value):
    check(Conclusion(), Answer("ok", value), ITEMS["open"])


@given(st.sampled_from("ABCD"), notes)
@unhurried
def test_letter_with_reason(value, note):
    check(LetterWithReason("exam"), Answer("ok", value, note=note), ITEMS["choice"])


@given(kinds, st.data(), confidences, notes)
@unhurried
def test_answer_and_confidence(kind, data, confidence, note):
    answer = Answer("ok", data.draw(VALUES[kind]), confidence)
    check(Vanilla(), answer, ITEMS[kind])
    check(Json(), answer, ITEMS[kind])
    check(ChainOfThought(), Answer("ok", answer.value, confidence, note=note), ITEMS[kind])


@given(confidences, notes)
@unhurried
def test_self_probing(confidence, note):
    check(SelfProbing("B"), Answer("ok", None, confidence, note=note), ITEMS["choice"])


@given(kinds, st.data(), confidences, st.lists(st.tuples(confidences, notes.filter(bool)), min_size=1, max_size=5))
@unhurried
def test_multi_step(kind, data, confidence, steps):
    note = "\n".join(reason for _, reason in steps)
    answer = Answer("ok", data.draw(VALUES[kind]), confidence, steps=tuple(c for c, _ in steps), note=note)
    check(MultiStep(), answer, ITEMS[kind])


@given(kinds, st.data(), notes)
@unhurried
def test_top_k(kind, data, note):
    pairs = tuple(data.draw(st.lists(st.tuples(VALUES[kind], confidences), min_size=1, max_size=4)))
    answer = Answer("ok", pairs[0][0], pairs[0][1], guesses=pairs)
    check(TopK(4), answer, ITEMS[kind])
    check(TopK(4, chain_of_thought=True), Answer("ok", *pairs[0], guesses=pairs, note=note), ITEMS[kind])


ALL = [
    (Letter(), "choice"),
    (YesNo(), "open"),
    (TrueFalse(), "statement"),
    (ShortText(may_abstain=True), "open"),
    (Number(), "number"),
    (Probability(), "statement"),
    (Tags(), "open"),
    (Json(), "choice"),
    (Conclusion(), "open"),
    (LetterWithReason(), "choice"),
    (Vanilla(), "number"),
    (ChainOfThought(), "open"),
    (SelfProbing("true"), "statement"),
    (MultiStep(), "choice"),
    (TopK(), "open"),
    (PTrue("Ada"), "open"),
]


@pytest.mark.parametrize(("form", "kind"), ALL, ids=lambda x: getattr(x, "name", x))
@pytest.mark.parametrize("outcome", ["refused", "abstained"])
def test_refusals_and_admissions(form, kind, outcome):
    check(form, Answer(outcome), ITEMS[kind])


def test_an_admission_can_carry_a_confidence():
    for form in (Vanilla(), Json(), ChainOfThought()):
        check(form, Answer("abstained", confidence=0.1), ITEMS["open"])


@pytest.mark.parametrize(("form", "kind"), ALL, ids=lambda x: getattr(x, "name", x))
@pytest.mark.parametrize("outcome", ["truncated", "ambiguous", "unparsed", "failed"])
def test_what_is_no_reply_cannot_be_written(form, kind, outcome):
    with pytest.raises(ValueError, match="only ok, refused and abstained"):
        form.write(Answer(outcome, "A", 0.5), ITEMS[kind])


@pytest.mark.parametrize(
    "form", [Vanilla(), ChainOfThought(), Json(), TopK(), MultiStep(), Probability(), SelfProbing("A")]
)
def test_a_missing_confidence_cannot_be_written(form):
    with pytest.raises(ValueError, match="has no confidence"):
        form.write(Answer("ok", "true"), ITEMS["statement"])


def test_steps_and_guesses_that_are_not_given_are_made_from_the_answer():
    assert MultiStep(2).read(MultiStep(2).write(Answer("ok", "true", 0.7)), ITEMS["statement"]).steps == (0.7, 0.7)
    assert TopK().read(TopK().write(Answer("ok", "B", 0.7)), ITEMS["choice"]).guesses == (("B", 0.7),)


@given(st.floats(0, 1))
@settings(unhurried, max_examples=300)
def test_percentages_are_exact(confidence):
    assert percent(percent_text(confidence)) == confidence
    assert percent(percent_text(confidence, sign=False)) == confidence


@given(st.text(max_size=60))
@settings(unhurried, max_examples=200)
def test_any_text_can_be_read(text):
    for form, kind in ALL:
        found = form.read(text, ITEMS[kind])
        assert found.confidence is None or 0 <= found.confidence <= 1
        assert form.read(text, None).outcome in ("ok", "refused", "abstained", "ambiguous", "unparsed")
