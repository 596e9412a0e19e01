"""Published sets of numbers and letters, from files in their published form and from a stand-in for the hub."""

import json
import sys
import types

import pytest

from doxa.data.published_questions import NAMED, questions
from doxa.records import DoxaError

TASK = {
    "task_prefix": "Say when it is.",
    "examples": [
        {
            "input": "Q: Today is Monday. What is tomorrow?\nA:",
            "target_scores": {"Tuesday": 1, "Sunday": 0, "Friday": 0},
        },
        {"input": "Is water wet?", "target_scores": {"Yes": 0, "No": 1}},
        {"input": "I have two eggs. How many?", "target": ["two", "2"]},
    ],
}


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
    return str(path)


def test_gsm8k_takes_the_number_behind_the_mark(tmp_path):
    rows = [{"question": "How many?", "answer": "2 * 600 = <<2*600=1200>>1200\n#### 1,200"}]
    (item,) = questions(write(tmp_path / "test.jsonl", "\n".join(map(json.dumps, rows))))
    assert (item.id, item.kind, item.text, item.answer) == ("test/0", "number", "How many?", "1200")
    assert item.fields["set"] == "test"


def test_svamp_joins_body_and_question(tmp_path):
    rows = [{"ID": "chal-1", "Body": "Dan had 4 dollars", "Question": "How many are left?", "Answer": 1.0}]
    (item,) = questions(write(tmp_path / "SVAMP.json", rows))
    assert (item.text, item.answer) == ("Dan had 4 dollars. How many are left?", "1")


def test_big_bench_tasks_have_options_or_a_number(tmp_path):
    date, wet, eggs = questions(write(tmp_path / "date_understanding" / "task.json", TASK))
    assert date.id == "date_understanding/0"
    assert date.text == "Say when it is.\nToday is Monday. What is tomorrow?" and date.answer == "Tuesday"
    assert sorted(date.options) == ["Friday", "Sunday", "Tuesday"]
    assert wet.options == ("Yes", "No") and wet.answer_letter == "B"
    assert eggs.kind == "number" and eggs.answer == "2"


def test_right_options_do_not_stay_at_the_first_place(tmp_path):
    scores = {"one": 1, "two": 0, "three": 0, "four": 0}
    task = {"examples": [{"input": f"Question {i}?", "target_scores": scores} for i in range(400)]}
    letters = [item.answer_letter for item in questions(write(tmp_path / "task.json", task))]
    assert all(60 <= letters.count(letter) <= 140 for letter in "ABCD")  # 100 expected, sd 8.7


def test_mmlu_has_no_header_and_may_repeat_an_option(tmp_path):
    text = 'Who may, "if any", sue?,Ann,Bob,both,none,C\n'.replace('"if any"', "if any").replace(
        "Who may, if any, sue?", '"Who may, if any, sue?"'
    )
    first, second = questions(write(tmp_path / "professional_law_test.csv", text + "Whose?,hers,his,his,theirs,C\n"))
    assert first.text == "Who may, if any, sue?" and first.answer_letter == "C"
    assert second.options == ("hers", "his", "theirs") and second.answer == "his"


def test_an_own_file_keeps_its_name_as_set(tmp_path):
    path = write(tmp_path / "mine.csv", "id,question,options,answer,paraphrases\n1,Which?,a|b,b,What one?|Say which.\n")
    (item,) = questions(path)
    assert item.fields["set"] == "mine" and item.fields["paraphrases"] == "What one?|Say which."


def test_named_sets_come_from_the_hub(monkeypatch):
    rows = {
        ("openai/gsm8k", "main", "test"): [{"question": "How many?", "answer": "#### 7"}],
        ("ChilleD/SVAMP", None, "test"): [{"Body": "A.", "Question": "How many?", "Answer": "3.0"}],
        ("tasksource/bigbench", "object_counting", "train"): [{"inputs": "Q: How many?\nA:", "targets": ["six", "6"]}],
        ("tasksource/bigbench", "object_counting", "validation"): [{"inputs": "Count.", "targets": ["1"]}],
        ("tasksource/bigbench", "strategyqa", "train"): [
            {
                "inputs": "Q: Wet?\n  choice: Yes\n  choice: No\nA:",
                "targets": ["Yes"],
                "multiple_choice_targets": ["Yes", "No"],
                "multiple_choice_scores": [1, 0],
            }
        ],
        ("tasksource/bigbench", "strategyqa", "validation"): [],
        ("cais/mmlu", "business_ethics", "test"): [{"question": "Q?", "choices": ["a", "b", "c", "d"], "answer": 3}],
    }
    hub = types.ModuleType("datasets")
    hub.load_dataset = lambda name, config, split: rows[name, config, split]
    monkeypatch.setitem(sys.modules, "datasets", hub)
    found = {name: questions(name) for name in ("gsm8k", "svamp", "object_counting", "strategy_qa", "business_ethics")}
    assert [item.answer for item in found["gsm8k"] + found["svamp"] + found["object_counting"]] == ["7", "3", "6", "1"]
    assert [item.id for item in found["object_counting"]] == ["object_counting/0", "object_counting/1"]
    assert found["strategy_qa"][0].text == "Wet?" and found["strategy_qa"][0].answer_letter == "A"
    assert found["business_ethics"][0].answer_letter == "D"
    assert len(NAMED) == 8


def test_the_hub_needs_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DoxaError, match="hub set 'openai/gsm8k' needs the package 'datasets'"):
        questions("gsm8k")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.jsonl",
            '{"question": "Q?", "answer": "#### many"}',
            r"a.jsonl, line 1: the answer is ' many', not a number",
        ),
        ("a.jsonl", '{"question": "", "answer": "#### 1"}', r"a.jsonl, line 1, 'question': ''"),
        ("a.jsonl", '{"question": "Q", "answer": "#### 1"}\n{"question"', "a.jsonl, line 2: not JSON .*cut off"),
        ("a.json", '{"examples": [{"input"', "a.json:1: not JSON .*cut off"),
        ("a.json", '{"name": "x"}', "neither a BIG-bench task"),
        ("a.json", '{"examples": []}', "a: no questions"),
        ("a.json", '{"examples": [{"input": "How many?", "target": "some"}]}', "a.json, example 0: the answer is ''"),
        ("a.csv", "Q?,same,same,A\n", r"a.csv, row 1: options \['same', 'same'\]"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, text, message):
    with pytest.raises(DoxaError, match=message):
        questions(write(tmp_path / name, text))


def test_unknown_names_list_the_known_ones():
    with pytest.raises(DoxaError, match="'gsm9k' is no file, no hub id, and none of the sets gsm8k, svamp"):
        questions("gsm9k")
