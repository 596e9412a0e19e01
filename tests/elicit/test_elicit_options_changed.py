"""Option sets changed: an abstention added, the last option replaced, letters left out; the truth stays right."""

import math

import pytest

from doxa.elicit.answers import Letter
from doxa.elicit.option_sets import (
    LETTER_LIKE,
    NONE_OF_THE_ABOVE,
    SENTENCE,
    Unlabelled,
    abstention_place,
    logprobs_beside,
    none_of_the_above,
    with_abstention,
)
from doxa.elicit.options import option_belief, option_logprobs, permuted, softmax, unpermute
from doxa.models.simulated import respondent
from doxa.records import Answer, Item, Score
from doxa.study import Ask

CITY = Item("c", "Which?", "choice", ("Sydney", "Canberra", "Perth"), "Canberra", accepted=("Canberra ACT",))


class Fixed:
    """Scores what it knows by name; anything else is an error of the test."""

    def __init__(self, probabilities):
        self.probabilities, self.asked = probabilities, []

    async def score(self, prompt, continuations, *, condition="neutral"):
        self.asked.append((prompt, tuple(continuations), condition))
        return [Score(text, math.log(self.probabilities[text])) for text in continuations]

    async def sample(self, prompt, sampling, *, condition="neutral"):
        raise AssertionError("nothing is sampled here")


@pytest.mark.parametrize("text", [SENTENCE, LETTER_LIKE])
@pytest.mark.parametrize("position", [None, 0, 2, 3, "random"])
def test_an_abstention_is_added_and_the_truth_stays(text, position):
    item = with_abstention(CITY, text, position=position)
    place = abstention_place(item)
    assert item.options[place] == text and position in (place, None, "random")
    assert tuple(o for o in item.options if o != text) == CITY.options
    assert (item.answer, item.accepted, item.id) == (CITY.answer, CITY.accepted, CITY.id)
    assert item.options["ABCD".index(item.answer_letter)] == "Canberra"
    assert item.fields["admission"] == text and "admission" not in CITY.fields
    moved = permuted(item, (3, 1, 0, 2))
    assert moved.options[abstention_place(moved)] == text  # by its text, so that another order does not lose it


def test_random_places_are_the_items_own_and_differ():
    items = [Item(f"q{i}", "Which?", "choice", ("a", "b", "c"), "a") for i in range(40)]
    places = [abstention_place(with_abstention(i, position="random")) for i in items]
    assert places == [abstention_place(with_abstention(i, position="random")) for i in items]
    assert set(places) == {0, 1, 2, 3}


def test_an_item_whose_truth_nobody_knows_keeps_having_none():
    assert with_abstention(Item("u", "Which?", "choice", ("a", "b"))).answer is None


def test_abstentions_that_cannot_be_added():
    for item, text, match in (
        (Item("o", "Who?"), SENTENCE, "has 0 options"),
        (with_abstention(CITY), LETTER_LIKE, "has an option that abstains"),
        (CITY, "perth.", "is empty or an option"),
        (CITY, " ", "is empty or an option"),
        (Item("m", "?", "choice", tuple(f"o{i}" for i in range(26)), "o1"), SENTENCE, "has 26 options"),
    ):
        with pytest.raises(ValueError, match=match):
            with_abstention(item, text)
    with pytest.raises(ValueError, match="places 0 to 3"):
        with_abstention(CITY, position=4)
    with pytest.raises(ValueError, match="no option that abstains"):
        abstention_place(CITY)


async def test_a_respondent_that_abstains_puts_its_mass_on_the_abstention():
    item = with_abstention(Item("u", "Which?", "choice", ("a", "b", "c"), "a"), position=1)
    belief = await option_belief(Ask(respondent("calibrated?ability=0.6"), item), item)
    assert belief.shape == (4,) and belief.sum() == pytest.approx(1)


# --- none of the above -----------------------------------------------------------------------------------------------


def test_none_of_the_above_is_right_where_the_replaced_option_was():
    wrong = none_of_the_above(CITY)
    assert wrong.options == ("Sydney", "Canberra", NONE_OF_THE_ABOVE)
    assert wrong.answer == "Canberra" and wrong.accepted == ("Canberra ACT",)
    last = none_of_the_above(permuted(CITY, (0, 2, 1)))
    assert last.options == ("Sydney", "Perth", NONE_OF_THE_ABOVE)
    assert last.answer == NONE_OF_THE_ABOVE and last.answer_letter == "C" and last.accepted == ()


def test_none_of_the_above_where_it_makes_no_sense():
    for item, match in (
        (Item("o", "Which?", "choice", ("a",), "a"), "needs two options"),
        (Item("o", "Which?", "choice", ("a", "b"), "z"), "one of them word for word"),
        (with_abstention(CITY), "then add the abstention"),
        (Item("o", "Which?", "choice", ("None of the above", "b"), "b"), "is already an option"),
    ):
        with pytest.raises(ValueError, match=match):
            none_of_the_above(item)


# --- without letters -------------------------------------------------------------------------------------------------


def test_unlabelled_lists_the_options_and_reads_what_it_writes():
    form = Unlabelled()
    assert form.prompt(CITY).show().endswith("Which?\nSydney\nCanberra\nPerth")
    for letter in "ABC":
        assert form.read(form.write(Answer("ok", letter), CITY), CITY) == Answer("ok", letter)
    assert form.read("canberra.\nIt is the capital.", CITY).value == "B"
    assert form.read("I do not know.", CITY).outcome == "abstained"
    assert form.read("I do not know.", with_abstention(CITY)).value == "D"  # an option like the others
    assert form.read("Hobart", CITY).outcome == "unparsed" and form.read("Perth").outcome == "unparsed"
    assert form.read("a", Item("t", "Which?", "choice", ("a", "A"))).outcome == "ambiguous"
    with pytest.raises(ValueError, match="writes A, B, C"):
        form.write(Answer("ok", "D"), CITY)
    with pytest.raises(ValueError, match="no options to list"):
        form.prompt(Item("s", "What now?", "scenario"))


async def test_whole_texts_are_scored_behind_the_listed_options():
    ask = Fixed({"Sydney": 0.2, "Canberra": 0.1, "Perth": 0.1})
    found = await option_logprobs(ask, CITY, by="text", form=Unlabelled(), normalise="char")
    assert found == pytest.approx([math.log(0.2) / 6, math.log(0.1) / 8, math.log(0.1) / 5])
    assert "Perth" in ask.asked[0][0].show()
    order = (2, 0, 1)
    shown = await option_belief(ask, permuted(CITY, order), by="text", form=Unlabelled())
    assert unpermute(shown, order) == pytest.approx([0.5, 0.25, 0.25])


async def test_an_abstention_beside_the_letters_is_scored_and_not_listed():
    # softmax over A, B, C and "?": .02, .05, .01 and .02 of .1
    ask = Fixed({"A": 0.02, "B": 0.05, "C": 0.01, "?": 0.02})
    assert softmax(await logprobs_beside(ask, CITY, ["?"], condition="x")) == pytest.approx([0.2, 0.5, 0.1, 0.2])
    prompt, texts, condition = ask.asked[0]
    assert prompt == Letter().prompt(CITY) and texts == ("A", "B", "C", "?") and condition == "x"


async def test_by_character_a_sentence_gains_and_a_letter_does_not():
    ask = Fixed({"A": 0.6, "B": 0.3, "C": 0.095, " I do not know.": 0.005})
    raw = softmax(await logprobs_beside(ask, CITY, [" I do not know."]))
    by_char = softmax(await logprobs_beside(ask, CITY, [" I do not know."], normalise="char"))
    assert raw[-1] == pytest.approx(0.005)
    # .005 ** (1 / 15) = .7025 beside .6, .3 and .095: .7025 / 1.6975
    assert by_char[-1] == pytest.approx(0.4138, abs=1e-4)


async def test_strings_that_are_options_already_are_refused():
    for strings in ([], ["A"], ["?", "?"]):
        with pytest.raises(ValueError, match="give one or more, each once"):
            await logprobs_beside(Fixed({}), CITY, strings)


def test_an_option_that_says_unknown_may_be_the_truth_and_is_no_abstention_of_ours():
    item = with_abstention(Item("b", "Who did it?", "choice", ("the old man", "unknown"), "unknown"))
    assert item.options == ("the old man", "unknown", SENTENCE) and abstention_place(item) == 2
