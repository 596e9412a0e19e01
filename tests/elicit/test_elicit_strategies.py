"""Parts of the strategies: rewordings, token probabilities of the answer, tables of graded answers."""

import math

import polars as pl
import pytest
from pytest import approx

from doxa.elicit.answer_tables import graded, shuffled_within
from doxa.elicit.rewording import Reword
from doxa.elicit.strategies import PROMPTINGS, Setting, check, chosen, form_of
from doxa.elicit.token_probability import token_logprobs
from doxa.records import Answer, DoxaError, Item, Reply, Token

LINE = "Answer and Confidence (0-100)"
ITEM = Item("q", "Which river is the longest?", "choice", ("Nile", "Rhine"), "Nile")


def test_a_rewording_reads_back():
    form = Reword()
    assert form.read(form.write(form.example(ITEM), ITEM), ITEM) == form.example(ITEM)
    assert form.read("Question: What is the longest river?").value == "What is the longest river?"
    assert ITEM.text in form.prompt(ITEM).show() and "Nile" not in form.prompt(ITEM).show()


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("A", "unparsed"),
        ("", "unparsed"),
        ("Which is it?\nThe Nile.", "unparsed"),
        ("I cannot answer that.", "refused"),
        ("I do not know.", "abstained"),
    ],
)
def test_what_is_no_rewording_is_said_to_be_none(reply, outcome):
    assert Reword().read(reply).outcome == outcome


def test_strategies_are_chosen_by_name():
    assert chosen("all", PROMPTINGS, "prompt") == list(PROMPTINGS)
    assert chosen("multi-step,cot", PROMPTINGS, "prompt") == ["cot", "multi_step"]
    with pytest.raises(DoxaError, match=r"prompt names 'tree'; there are vanilla, .*, and all"):
        chosen("cot,tree", PROMPTINGS, "prompt")
    assert {form_of(name).name for name in PROMPTINGS} == {
        "vanilla", "chain-of-thought", "multi-step", "top-k", "top-k-chain-of-thought",
    }  # fmt: skip
    check(["misleading"], Setting(n=13))
    with pytest.raises(DoxaError, match="at most 6"):
        check(["misleading"], Setting(n=7, hints="claim"))


def tokens(*pieces: tuple[str, float]) -> Reply:
    made = tuple(Token(text, math.log(p)) for text, p in pieces)
    return Reply("".join(text for text, _ in pieces), tokens=made)


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ([(f"{LINE}:", 0.9), (" 1", 0.5), ("2", 0.4), (",", 0.9), (" 85%", 0.9)], 0.2),
        ([("Explanation: the answer is 3.\n", 0.1), (f"{LINE}: ", 0.9), ("7", 0.5), (", 1%", 1)], 0.5),
        ([("Step 1: x, Confidence: 9%\nFinal Answer: ", 0.1), ("B", 0.3), (", 8%", 1)], 0.3),
        ([("G1: ", 1), ("Par", 0.5), ("is", 0.5), ("\nP1: 80%\nG2: ", 0.2), ("Rome", 0.1), ("\nP2: 1%", 1)], 0.25),
        ([("Final Answer and Overall Confidence (0-100): ", 0.1), ("4", 0.3), ("2", 0.5), (", 8%", 1)], 0.15),
        ([("**Answer:** ", 1), ("Rome", 0.6), ("\nConfidence: 85%", 1)], 0.6),
        ([("Answer: ", 1), ("Rome", 0.6), (", 85%", 1), ("<|end|>", 0.9)], 0.6),
        ([("It is Rome.", 0.5)], None),
    ],
)  # fmt: skip
def test_the_answers_tokens_are_found(pieces, answer):
    found = token_logprobs(tokens(*pieces))
    assert found.tokens == len(pieces)
    assert found.seq_prob == approx(math.prod(p for _, p in pieces))
    assert found.len_norm_prob == approx(found.seq_prob ** (1 / len(pieces)))
    assert found.token_prob == (None if answer is None else approx(answer))


def test_a_reply_without_tokens_has_no_probabilities():
    assert token_logprobs(Reply("Answer: A")) is None
    unknown = Token(" A", math.nan)
    assert token_logprobs(Reply("Answer: A", tokens=(Token("Answer:", -0.1), unknown))) is None


def table(*rows):
    columns = ("item", "kind", "options", "answer", "guesses", "truth")
    types = {"guesses": pl.List(pl.String), "truth": pl.List(pl.String), "answer": pl.String}
    return pl.DataFrame([dict(zip(columns, row, strict=True)) for row in rows], schema_overrides=types)


def test_equal_answers_get_one_spelling_and_a_mark():
    rows = table(
        ("a", "open", 0, "Paris", ["paris.", "Rome"], ["The Paris"]),
        ("a", "open", 0, "PARIS", None, ["The Paris"]),
        ("b", "choice", 4, None, [], ["A"]),
        ("c", "number", 0, "12.0", [], []),
    )
    marked = graded(rows)
    assert marked["answer"].to_list() == ["Paris", "Paris", None, "12.0"]
    assert marked["guesses"].to_list() == [["Paris", "Rome"], [], [], []]
    assert marked["correct"].to_list() == [True, True, None, None]
    assert marked["guesses_correct"].to_list() == [[True, False], [], [], []]
    assert marked["known"].to_list() == [True, True, True, False]


def test_truth_is_shuffled_among_its_like_only():
    rows = table(
        *((f"{kind}{i}", kind, 4, None, [], [f"{kind}{i}"]) for i in range(8) for kind in ("choice", "number"))
    )
    moved = shuffled_within(rows, 0)
    assert moved.drop("truth").equals(rows.drop("truth")) and not moved["truth"].equals(rows["truth"])
    assert all(truth[0].startswith(kind) for kind, truth in moved.select("kind", "truth").iter_rows())
    assert shuffled_within(rows.clear(), 0).equals(rows.clear())


def test_answers_of_the_example_are_read_by_every_form():
    for name in PROMPTINGS:
        form = form_of(name)
        assert form.read(form.write(form.example(ITEM), ITEM), ITEM).outcome == Answer("ok").outcome
