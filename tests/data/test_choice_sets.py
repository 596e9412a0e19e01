"""Published choice sets by their columns: one row of each kind, and rows that cannot be used."""

import json
import sys
import types

import pytest

from doxa.data.choice_sets import choice_set
from doxa.records import DoxaError

ROWS = {
    "arc": ({"question": "Q?", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"}, "y"),
    "openbook": ({"question_stem": "Q?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}, "answerKey": "A"}, "x"),
    "mmlu": ({"question": "Q?", "choices": ["x", "y", "z"], "answer": 2}, "z"),
    "mmlu-pro": ({"question": "Q?", "options": ["x", "y"], "answer_index": 1, "answer": "B"}, "y"),
    "medqa": ({"question": "Q?", "options": {"B": "y", "A": "x"}, "answer_idx": "A", "answer": "x"}, "x"),
    "hellaswag": ({"ctx": "Q", "endings": ["x", "y"], "label": "1"}, "y"),
    "piqa": ({"goal": "Q", "sol1": "x", "sol2": "y", "label": 0}, "x"),
    "copa": ({"premise": "Q.", "choice1": "x", "choice2": "y", "question": "cause", "label": 1}, "y"),
    "winogrande": ({"sentence": "Q _", "option1": "x", "option2": "y", "answer": "2"}, "y"),
    "sciq": (
        {"question": "Q?", "correct_answer": "x", "distractor1": "u", "distractor2": "v", "distractor3": "w"},
        "x",
    ),
    "gpqa": (
        {"Question": "Q?", "Correct Answer": "x", **{f"Incorrect Answer {i}": f"w{i}" for i in (1, 2, 3)}},
        "x",
    ),
    "truthfulqa": ({"question": "Q?", "mc1_targets": {"choices": ["x", "y", "z"], "labels": [1, 0, 0]}}, "x"),
    "social": (
        {"context": "Q.", "question": "Why?", "answerA": "x", "answerB": "y", "answerC": "z", "label": "3"},
        "z",
    ),
    "own": ({"question": "Q?", "options": ["x", "y"], "answer": "y"}, "y"),
}


def written(path, *rows):
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ROWS)
def test_each_set_by_its_columns(name, tmp_path):
    row, answer = ROWS[name]
    (item,) = choice_set(written(tmp_path / f"{name}.jsonl", row))
    assert (item.kind, item.answer, item.fields["set"]) == ("choice", answer, name)
    assert answer in item.options and item.text.startswith("Q")


def test_right_answers_do_not_stay_first(tmp_path):
    rows = [{**ROWS["sciq"][0], "question": f"Question {i}?"} for i in range(200)]
    letters = [item.answer_letter for item in choice_set(written(tmp_path / "sciq.jsonl", *rows))]
    assert all(25 <= letters.count(letter) <= 75 for letter in "ABCD")  # 50 expected, sd 6.1


def test_from_the_hub_with_a_configuration(monkeypatch):
    asked = []

    def load_dataset(name, config, split, revision):
        asked.append((name, config, split))
        return [ROWS["mmlu"][0]]

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    (item,) = choice_set("cais/mmlu:anatomy")
    assert asked == [("cais/mmlu", "anatomy", "test")] and item.id == "cais-mmlu-anatomy/0"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question": "Q?", "choices": ["x", "y"], "answer": 5}, "none of 2 options"),
        ({"question": "Q?", "choices": ["x", "x"], "answer": 0}, "all are needed"),
        ({"question": " ", "choices": ["x", "y"], "answer": 0}, "all are needed"),
        ({"goal": "Q", "sol1": "x", "sol2": "y", "label": -1}, "cannot be told"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(row, says, tmp_path):
    path = written(tmp_path / "set.jsonl", row)
    with pytest.raises(DoxaError, match=says) as caught:
        choice_set(path)
    assert "set.jsonl, line 1" in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        choice_set(str(tmp_path / "none.jsonl"))
