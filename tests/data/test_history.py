"""Histories: one part for each question, published and plain columns, what cannot be read, the nearest questions."""

import polars as pl
import pytest

from doxa.data import planted_history as planted
from doxa.data.history import nearest_rates, one_part_each, part_of, past_rows, read_past
from doxa.data.history_questions import questions, similar_questions
from doxa.records import DoxaError, Item


def rows(*cells):
    return [(f"past.jsonl:{i}", row) for i, row in enumerate(cells, 1)]


PUBLISHED = {
    "input_prompt": "Which town?", "cleaned_model_completion": "It is B.", "is_correct": "yes", "subject": "towns",
    "alpha_model_name": "Model Alpha", "split": "train", "unknown_column": 3,
}  # fmt: skip


def test_the_published_columns_are_read():
    (past,), notes = read_past(rows(PUBLISHED), "file")
    assert (past.model, past.response, past.correct, past.part, past.subject) == (
        *("Model Alpha", "It is B.", True, "train", "towns"),
    )
    assert past.item == past.group == "Which town?" and notes == ()


def test_plain_columns_do_as_well_and_missing_ones_are_made_up():
    (past,), _ = read_past(rows({"question": "Who?", "response": "Ann", "correct": 0}), "m.jsonl")
    assert past.model == "m.jsonl" and past.correct is False and past.part == part_of("Who?")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"is_correct": "maybe"}, "past.jsonl:1.*'maybe'.*yes or no"),
        ({"split": "somewhere"}, "past.jsonl:1.*'somewhere'.*train"),
        ({"input_prompt": " "}, "past.jsonl:1: no question.*input_prompt"),
    ],
)
def test_what_cannot_be_read_is_named(change, says):
    with pytest.raises(DoxaError, match=says):
        read_past(rows(PUBLISHED | change), "file")


def test_without_a_verdict_column_nothing_can_be_learnt():
    with pytest.raises(DoxaError, match=r"no verdict.*'question'.*is_correct"):
        read_past(rows({"question": "Who?", "response": "Ann"}), "file")


def test_repeated_and_unknown_ones_are_counted():
    found, notes = read_past(rows(PUBLISHED, PUBLISHED | {"is_correct": "no"}, PUBLISHED | {"input_prompt": "Other?",
                                  "is_correct": None}), "file")  # fmt: skip
    assert [past.correct for past in found] == [True, None]
    assert any("1 rows repeat" in note for note in notes) and any("1 rows do not say" in note for note in notes)


def test_parts_are_alike_for_all_models_and_have_their_shares():
    parts = [part_of(f"q{i}") for i in range(4000)]
    shares = [parts.count(part) / 4000 for part in ("train", "calibration", "test")]
    assert shares == pytest.approx([0.7, 0.05, 0.25], abs=0.025)  # 3 sqrt(.7 .3 / 4000) = .022
    smaller = {i for i in range(500) if part_of(f"q{i}", train=0.5) == "train"}
    assert smaller < {i for i in range(500) if parts[i] == "train"}
    with pytest.raises(ValueError, match="nothing is left to test"):
        part_of("q", train=0.9, calibration=0.1)


def test_a_question_in_two_parts_counts_for_the_later():
    table = pl.DataFrame(
        {"question": ["Who is  it?", "who is it?", "", "", "Else?"], "item": ["a", "b", "x", "y", "c"],
         "part": ["train", "test", "train", "calibration", "train"]}
    )  # fmt: skip
    kept, out = one_part_each(table)
    assert kept["item"].to_list() == ["b", "x", "y", "c"] and out == 1


def test_a_folder_without_such_rows_is_named(tmp_path):
    with pytest.raises(DoxaError, match="no rows of 'it'"):
        past_rows(str(tmp_path), rows_of=lambda path: [], study="it")


def test_the_nearest_questions_are_the_models_own_past():
    past = pl.DataFrame(
        [{"item": f"{word}{i}", "group": f"{word}{i}", "question": f"{word} of {word}light, year{i}",
          "answered_by": model, "correct": (word == "moon") == (model == "a")}
         for model in "ab" for word in ("moon", "sun") for i in range(10)]
    )  # fmt: skip
    asked = past.filter(pl.col("item") == "moon0").with_columns(item=pl.lit("new"), group=pl.lit("new"))
    assert nearest_rates(past, asked, 5).tolist() == [1.0, 0.0]
    known = nearest_rates(past, past.filter(pl.col("item") == "moon0"), 5)
    assert known.tolist() == [1.0, 0.0]  # its own verdict is not among them, and does not need to be
    stranger = asked.with_columns(answered_by=pl.lit("c"))
    assert nearest_rates(past, stranger, 5).tolist() == pytest.approx([float("nan")] * 2, nan_ok=True)


def test_examples_come_from_the_training_part_and_never_from_the_own_group():
    every = {item.id: item for item in questions(300)}
    for item in list(every.values())[:30]:
        near = similar_questions(item, 3, 300, None, 0.7, 0.05)
        assert len(near) == 3 and all(part_of(n.item.cluster) == "train" for n in near)
        assert all(n.item.cluster != item.cluster for n in near)
    assert similar_questions(Item("x", "Who?"), 0, 300, None, 0.7, 0.05) == []


def test_planted_questions_differ_and_say_their_topic_and_level():
    topic, level, _ = planted.chances(3000)
    texts = planted.questions(topic, level)
    assert len(set(texts)) == 3000
    assert all(f"Topic{t} level{d}:" in text for t, d, text in zip(topic, level, texts, strict=True))


def test_planted_verdicts_have_the_planted_chances():
    pasts, chance, blind = planted.planted_pasts(2000, seed=1)
    rate = sum(past.correct for past in pasts) / len(pasts)
    assert rate == pytest.approx(chance.mean(), abs=0.014)  # 3 sqrt(.25 / 12000)
    assert chance.mean() == pytest.approx(blind.mean(), abs=0.014)
