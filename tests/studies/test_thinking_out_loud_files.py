"""Thinking out loud: tags, lists and lengths of replies; recorded files of any model; benchmark files."""

import json

import pytest
from pytest import approx

from doxa.data import benchmarks
from doxa.elicit import forms
from doxa.elicit.attempts import verdict
from doxa.elicit.reasoned import LISTED, Reasoned, Reflection, chain_tokens, entries, visible, whole
from doxa.records import Answer, DoxaError, Item, Reply
from doxa.runs.recorded import score_files
from doxa.studies.thinking_out_loud import Options, study

OPTIONS = Options(resamples=20)
OPEN, NUMBER = Item("o", "Who?"), Item("n", "How many?", "number")
CHOICE = Item("c", "Which?", "choice", ("Rome", "Paris", "Oslo"))
STATEMENT = Item("s", "It holds.", "statement")
LIST = Item("l", "Which, and how many?", fields={LISTED: True})
V, PROB, ALONE = Reasoned(), Reasoned("probability"), Reasoned("none")

# --- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "said", "confidence"),
    [
        (V, "80%", 0.8),
        (V, "80", 0.8),
        (PROB, "0.8", 0.8),
        (PROB, "1", 1.0),
        (V, "1", 0.01),
        (V, "95-100%", None),
        (PROB, "80", None),
        (PROB, "80%", 0.8),
        (V, "120%", None),
        (V, "high", None),
    ],
)
def test_confidence_tags(form, said, confidence):
    found = form.read(f"Well.\n<answer>12</answer>\n<confidence>{said}</confidence>", NUMBER)
    assert (found.value, found.confidence) == ("12", confidence)
    assert found.outcome == ("ok" if confidence is not None else "unparsed")


def test_the_last_tag_counts_and_none_inside_thinking():
    two = "<answer>1</answer><confidence>10%</confidence> No: <answer>3</answer><confidence>70%</confidence>"
    assert V.read(two, NUMBER) == Answer("ok", "3", 0.7)
    assert V.read(f"<think>{two}</think>Hm.", NUMBER).outcome == "unparsed"
    assert V.read(f"<think>{two}", NUMBER).outcome == "unparsed"
    assert V.read(f"{two}</think><answer>5</answer><confidence>20%</confidence>", NUMBER) == Answer("ok", "5", 0.2)


@pytest.mark.parametrize("said", ["I don't know", "Unknown", "N/A", "not available", "I cannot determine this."])
def test_a_tag_that_declines_is_no_attempt(said):
    found = V.read(f"<answer>{said}</answer><confidence>5%</confidence>", OPEN)
    assert (found.outcome, found.value, found.confidence) == ("abstained", None, 0.05)


def test_answers_of_each_kind():
    for item, said, value in (
        (NUMBER, r"$\boxed{033}$", "33"),
        (CHOICE, "B) Paris", "B"),
        (CHOICE, "(C)", "C"),
        (STATEMENT, "True", "true"),
        (OPEN, "**Marie Curie**", "Marie Curie"),
        (LIST, "[1, blue ,the cat]", "1, blue, the cat"),
    ):
        assert ALONE.read(f"So <answer>{said}</answer>", item).value == value
    assert V.read("I do not know.", OPEN).outcome == "abstained" and V.read("Hm.", OPEN).outcome == "unparsed"
    assert V.read("<answer>B</answer>", CHOICE) == Answer("unparsed", "B", note="no confidence")


def test_what_was_cut_is_not_read_unless_it_is_whole():
    text = "<answer>B</answer><confidence>90%</confidence>"
    assert V.read(Reply(text, "length"), CHOICE).outcome == "ok"
    assert V.read(Reply(text[:-8], "length"), CHOICE).outcome == "truncated"
    assert V.read(Reply("", "length", reasoning="Hm"), CHOICE).outcome == "truncated"


@pytest.mark.parametrize("item", [OPEN, NUMBER, CHOICE, STATEMENT, LIST], ids=lambda item: item.id)
def test_every_form_reads_what_it_writes(item):
    for form in (V, PROB, ALONE, Reflection("B" if item is CHOICE else "true", "It is so.")):
        shown = form.prompt(item).show()
        assert item.text in shown and form.read(shown, item).outcome != "failed"
        for p in (0.0, 0.01, 0.123, 0.5, 0.9999, 1.0) if form.target else (None,):
            answer = form.example(item)
            answer = Answer("ok", answer.value, p)
            assert form.read(form.write(answer, item), item) == answer
        for outcome in ("abstained", "refused"):
            assert form.read(form.write(Answer(outcome), item), item).outcome == outcome


def test_the_forms_are_none_of_those_that_trained_weights_know():
    assert not {V.name, PROB.name, ALONE.name, "reflection"} & set(forms())


def test_lengths_and_parts_of_a_reply():
    apart = Reply("<answer>B</answer>", reasoning="x" * 400)
    assert chain_tokens(apart) == (100, True)
    assert chain_tokens(Reply("<think>hm</think><answer>B</answer>", output_tokens=905)) == (900, False)
    assert chain_tokens(Reply("B", output_tokens=3000)) == (3000, False)  # hidden thinking that is counted
    line = Reply("Explanation: so.\nAnswer and Confidence (0-100): Paris, 80%", output_tokens=20)
    assert chain_tokens(line)[0] == 20 - 11
    assert chain_tokens(Reply("", "error")) == (None, False)
    assert visible(Reply("<think>a</think> b ")) == "b" and whole(Reply("b", reasoning="a")) == "a\n\nb"
    assert entries("(a, b)") == ["a", "b"]


def test_lists_are_right_as_a_whole():
    assert verdict("list", "ok", "1,2", ("1, 2",)) == "correct"
    for wrong in ("2, 1", "1", "1, 2, 3", "12"):
        assert verdict("list", "ok", wrong, ("1, 2",)) == "incorrect"
    assert verdict("open", "refused", None, ("x",)) == "not attempted"
    assert verdict("open", "ok", "x", ()) is None and verdict("open", "truncated", None, ("x",)) == "unread"


# --- recorded files --------------------------------------------------------------------------------------------------

QUIZ = [
    {"question_id": "a", "answer": "B", "confidence": 90, "gold": "Paris", "options": ["Rome", "Paris"], "extra": 1},
    {"question_id": "b", "answer": "1,200", "confidence": "80%", "gold": 1200},
    {"question_id": "c", "answer": "the Nile", "confidence": 60, "gold": ["Nile", "River Nile"], "reasoning": "x" * 80},
    {"question_id": "d", "answer": "1, blue", "confidence": 50, "gold": "1,Blue", "type": "list"},
    {"question_id": "e", "answer": "I do not know", "confidence": 5, "gold": "Oslo"},
    {"question_id": "f", "answer": "Rome", "gold": "Oslo"},
    {"question_id": "g", "gold": "Oslo", "finish_reason": "length", "length": 4000},
]


def written(tmp_path, rows, name="model.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def read(tmp_path, rows, **options):
    return study.read_file(written(tmp_path, rows), Options(resamples=20, **options))


def test_a_table_of_answers_is_graded_three_ways(tmp_path):
    recorded = read(tmp_path, QUIZ)
    rows = recorded.rows
    assert rows["outcome"].to_list() == ["ok"] * 4 + ["abstained", "unparsed", "truncated"]
    assert rows["kind"].to_list() == ["choice", "number", "open", "list", "open", "open", "open"]
    assert rows["tokens"].to_list()[2] == 20 and rows["tokens"].to_list()[-1] == 4000
    found = study.score(rows, OPTIONS)
    assert found["accuracy, v"] == 1 and found["accuracy of all, v"] == 0.8 and found["unread, v"] == approx(2 / 7)
    assert found["ECE, v"] == approx((0.1 + 0.2 + 0.4 + 0.5) / 4)


def test_grades_of_a_judge_are_taken_as_they_are(tmp_path):
    grades = ["CORRECT", "INCORRECT", "NOT_ATTEMPTED", "A", "B", "C", "not attempted", "correct"]
    rows = [{"id": str(i), "grade": g, "confidence": 0.5, "answer": "x"} for i, g in enumerate(grades)]
    found = study.score(read(tmp_path, rows).rows, OPTIONS)
    assert found["accuracy, v"] == 0.6 and found["not attempted, count, v"] == 3 and found["ECE, v"] == approx(0.1)
    declined = {"id": "z", "answer": "I do not know", "confidence": 0.1, "correct": 0, "gold": "x"}
    assert read(tmp_path, [declined]).rows["outcome"].to_list() == ["abstained"]
    marks = [{"id": str(i), "correct": c} for i, c in enumerate([1, 0, True, False])]
    without = read(tmp_path, marks)
    assert study.score(without.rows, OPTIONS)["accuracy, v"] == 0.5
    assert "only attempts can be counted" in without.notes[0]


def test_whole_replies_are_read_by_their_tags(tmp_path):
    replies = ["<answer>B</answer><confidence>70%</confidence>", "Hm", "I do not know."]
    rows = [{"id": str(i), "response": r, "gold": "B", "choices": ["x", "y"]} for i, r in enumerate(replies)]
    found = read(tmp_path, rows).rows
    assert found["outcome"].to_list() == ["ok", "unparsed", "abstained"] and found["confidence"][0] == 0.7
    assert found["estimated"].all()


def test_repeated_questions_are_runs_and_several_models_are_compared(tmp_path):
    rows = [
        {"id": str(i), "model": m, "answer": "x", "confidence": 0.9, "gold": "x"}
        for m in ("old", "new")
        for i in range(4)
        for _ in range(2)
    ]
    recorded = read(tmp_path, rows)
    assert recorded.rows["sample"].to_list() == [0, 1] * 8
    found = study.score(recorded.rows, Options(resamples=20, order="old,new"))
    assert found["accuracy, old, v"] == 1 and "ECE, shared, new minus old, v" in found


def test_files_together_are_compared_in_their_order(tmp_path):
    paths = [
        written(tmp_path, [{"id": str(i), "answer": a, "confidence": c, "gold": "x"} for i, a in enumerate(said)], name)
        for name, said, c in (("instruct.jsonl", ["x", "unknown", "y"], 0.9), ("reasoner.jsonl", ["x", "x", "y"], 0.5))
    ]
    scored = dict(score_files(study, paths, OPTIONS))
    found = scored["all files"]
    assert found["accuracy, newly tried, reasoner, v"] == 1
    assert found["mean confidence, shared, reasoner minus instruct, v"] == approx(-0.4)
    assert found.table("Attempts").rows[0] == ("instruct, v", 3, 1, 1, 1, 0, 0)
    with pytest.raises(DoxaError, match="two files are called 'instruct'"):
        score_files(study, [paths[0], paths[0]], OPTIONS)


def test_rows_of_a_run_are_read_back(tmp_path):
    rows = read(tmp_path, QUIZ).rows
    rows.write_parquet(tmp_path / "rows.parquet")
    assert study.read_file(tmp_path / "rows.parquet", OPTIONS).rows.equals(rows)
    folder = tmp_path / "run-of-a-model" / "readings" / "thinking-out-loud"
    folder.mkdir(parents=True)
    rows.write_parquet(folder / "rows.parquet")
    assert study.read_file(folder / "rows.parquet", OPTIONS).label == "run-of-a-model"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no rows"),
        ([{"answer": "x"}], "needed are an id"),
        ([{"id": "a", "confidence": 3}], "what was answered"),
        ([{"id": None, "answer": "x"}], "jsonl:1, 'id': None; every reply names its question"),
        ([{"id": "a", "grade": "maybe"}], "'grade': 'maybe'; grades are correct"),
        ([{"id": "a", "answer": "x", "confidence": "high"}], "'confidence': 'high'; write 85"),
        ([{"id": "a", "answer": "x", "confidence": 900}], "outside the scale"),
        ([{"id": "a", "answer": "x", "confidence": c} for c in (0.5, 90)], "0.5 stands among percentages up to 90"),
        ([{"id": "a", "answer": "x", "tokens": -1}], "'tokens': -1; a length is"),
        ([{"id": "a", "answer": "x", "run": "first"}], "'run': 'first'; runs of a question"),
        ([{"id": "a", "answer": "x", "run": 1}] * 2, "run 1 of 'a' is already at"),
        ([{"id": "a", "answer": "x", "outcome": "lost"}], "'outcome': 'lost'; outcomes are"),
        ([{"id": "a", "answer": "x", "type": "essay"}], "'type': 'essay'; kinds of answer are"),
        ([{"id": "a", "answer": "x", "gold": g} for g in "xy"], "the truth of 'a' is"),
        ([{"id": "a", "answer": "x", "gold": "z", "options": ["x", "y"]}], "the truth 'z' is not the letter"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(tmp_path, rows, message):
    with pytest.raises(DoxaError, match=message):
        read(tmp_path, rows)


# --- benchmarks ------------------------------------------------------------------------------------------------------


def test_published_files_are_known_by_their_columns(tmp_path):
    simple = tmp_path / "simpleqa.csv"
    simple.write_text('metadata,problem,answer\n"{}",Who?,Curie\n')
    (item,) = benchmarks.questions(str(simple))
    assert (item.id, item.text, item.answer, item.fields["set"]) == ("simpleqa/0", "Who?", "Curie", "simpleqa")
    fresh = tmp_path / "freshqa.csv"
    head = "id,split,question,false_premise,answer_0,answer_1"
    fresh.write_text(f"Do not share,,,,,\n{head}\n7,TEST,Which?,TRUE,None,No such thing\n")
    (item,) = benchmarks.questions(str(fresh))
    assert (item.id, item.answer, item.accepted, item.tags) == (
        "freshqa/7", "None", ("No such thing",), ("freshqa", "false premise"),
    )  # fmt: skip
    fresh.write_text(f"{head}\n7,TEST,Which?,TRUE,,\n")
    with pytest.raises(DoxaError, match=r"freshqa.csv, row 2: none of answer_0"):
        benchmarks.questions(str(fresh))


def test_rows_of_the_hub():
    aime = benchmarks._aime("row 0", {"Problem": "P", "Answer": 33})
    assert (aime.kind, aime.answer) == ("number", "33")
    wrong = {f"Incorrect Answer {i}": str(i) for i in (1, 2, 3)}
    gpqa = benchmarks._gpqa("row 0", {"Question": "Q", "Correct Answer": "0", **wrong})
    assert gpqa.answer == "0" and sorted(gpqa.options) == ["0", "1", "2", "3"]
    row = {"uuid": "u", "question": "Q", "options": ["x", "y"], "answer": "y", "difficulty": "easy"}
    super_ = benchmarks._supergpqa("row 0", row)
    assert (super_.answer_letter, super_.fields["difficulty"]) == ("B", "easy")
    live = benchmarks._livebench("row 0", {"question_id": "q", "turns": ["Q"], "ground_truth": "1, 2"})
    assert (live.text, live.answer, live.fields[LISTED]) == ("Q", "1, 2", True)
    for convert, cells, message in (
        (benchmarks._aime, {"Problem": "P", "Answer": "x"}, "whole numbers"),
        (benchmarks._gpqa, {"Question": ""}, "'Question' empty"),
        (benchmarks._supergpqa, {"question": "Q", "options": ["x"], "answer": "x"}, "two or more"),
        (benchmarks._livebench, {"turns": []}, "holds its question there"),
    ):
        with pytest.raises(DoxaError, match=message):
            convert("row 0", cells)


def test_so_many_of_each_level():
    asked = [Item(str(i), "?", fields={"difficulty": ("easy", "hard")[i % 2]}) for i in range(20)]
    kept = benchmarks._of_levels(asked, 3, 0)
    assert [i.fields["difficulty"] for i in kept].count("easy") == 3 and len(kept) == 6
    assert kept == benchmarks._of_levels(asked, 3, 0)
