"""Recorded responses of any model: units, missing and unknown columns, repeated questions, replies to be parsed."""

import json

import pytest
from click.testing import CliRunner
from pytest import approx

import doxa
from doxa import studies
from doxa.cli import cli
from doxa.models.simulated import respondent
from doxa.records import DoxaError

STUDY = studies.load("express-uncertainty")
Options = STUDY.options

QUIZ = [
    {"id": "a", "answer": "B", "confidence": 90, "gold": "B", "choices": ["Rome", "Paris"], "model": "x"},
    {"id": "b", "answer": "Paris", "confidence": 80, "gold": "Rome", "choices": ["Rome", "Paris"]},
    {"id": "c", "answer": "1,200", "confidence": 70, "gold": 1200.0},
    {"id": "d", "answer": "the Nile", "confidence": "60%", "gold": ["Nile", "River Nile"]},
]


def written(tmp_path, rows, name="quiz.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def read(tmp_path, rows, **options):
    return STUDY.read_file(written(tmp_path, rows), Options(resamples=20, **options))


def found(recorded):
    return STUDY.score(recorded.rows, Options(resamples=20))


def test_a_table_of_answers_is_graded_by_kind(tmp_path):
    recorded = read(tmp_path, QUIZ)
    rows = recorded.rows
    assert rows["kind"].to_list() == ["choice", "choice", "number", "open"]
    assert rows["answer"].to_list() == ["B", "B", "1200", "the Nile"]
    assert rows["truth"].to_list() == [["B"], ["A"], ["1200"], ["Nile", "River Nile"]]
    assert rows["confidence"].to_list() == [0.9, 0.8, 0.7, 0.6] and recorded.label == "quiz"
    assert rows["prompting"].unique().to_list() == ["vanilla"] and rows["sampling"].unique().to_list() == ["single"]
    scored = found(recorded)
    assert scored["accuracy, vanilla"] == 0.75
    assert scored["ECE, vanilla"] == approx((0.1 + 0.8 + 0.3 + 0.4) / 4)


@pytest.mark.parametrize(
    ("stated", "scale", "expected"),
    [
        ([0.9, 1.0, 0.5], "auto", [0.9, 1.0, 0.5]),
        ([90, 100, 1], "auto", [0.9, 1.0, 0.01]),
        (["0.9", "1", "0.5"], "auto", [0.9, 1.0, 0.5]),
        (["90%", "1%", "0.5%"], "auto", [0.9, 0.01, 0.005]),
        (["90%", 0.5, None], "auto", [0.9, 0.5, None]),
        ([0.5, 1, 90], "percent", [0.005, 0.01, 0.9]),
    ],
)
def test_units_are_told_from_the_whole_column(tmp_path, stated, scale, expected):
    rows = [{"id": str(i), "answer": "x", "truth": "x", "confidence": c} for i, c in enumerate(stated)]
    assert read(tmp_path, rows, scale=scale).rows["confidence"].to_list() == expected


def test_a_confidence_that_is_missing_is_counted(tmp_path):
    rows = [
        *QUIZ,
        {"id": "e", "answer": "x", "gold": "x"},
        {"id": "f", "confidence": 50, "gold": "x"},
        {"id": "g", "answer": "x"},
    ]
    recorded = read(tmp_path, rows)
    assert recorded.rows["outcome"].to_list() == ["ok"] * 4 + ["unparsed"] * 3
    scored = found(recorded)
    assert scored["coverage, vanilla"] == approx(4 / 7)
    assert scored.notes == (
        "1 questions have no known answer: they count in coverage and in stated numbers only",
        "3 of 7 responses could not be read, and are in no confidence; see coverage",
    )


def test_repeated_ids_are_the_responses_to_one_question(tmp_path):
    said = [("A", 90), ("A", 80), ("B", 95), ("A", 60), ("C", 50)]
    rows = [{"id": "q", "answer": a, "confidence": c, "truth": "A"} for a, c in said]
    recorded = read(tmp_path, rows)
    assert recorded.rows["sample"].to_list() == [0, 1, 2, 3, 4]
    scored = found(recorded)
    assert scored["mean confidence, vanilla, self_random, consistency"] == approx(0.6)
    assert scored["mean confidence, vanilla, self_random, avg_conf"] == approx(0.6133, abs=5e-5)
    numbered = [{**row, "sample": i} for i, row in enumerate(rows)]
    assert read(tmp_path, numbered).rows["sample"].to_list() == [0, 1, 2, 3, 4]
    with pytest.raises(DoxaError, match=r"quiz.jsonl:3: sample 0 of 'q' is already at .*:1"):
        read(tmp_path, [*numbered[:2], numbered[0]])


def test_guesses_are_ranked(tmp_path):
    lists = ["AB", "AB", "BA", "AC", "AB"]
    rows = [{"id": "q", "guesses": list(g), "probabilities": [60, 30], "truth": "A"} for g in lists]
    scored = found(read(tmp_path, rows))
    assert scored["mean confidence, top_k, self_random, pair_rank"] == approx(0.8106, abs=5e-5)
    pairs = [{"id": "q", "guesses": [["A", 0.6], ["B", 0.3]], "answer": "A", "truth": "A"}]
    assert read(tmp_path, pairs).rows["probabilities"].to_list() == [[0.6, 0.3]]
    with pytest.raises(DoxaError, match=r"quiz.jsonl:1: 2 guesses with 1 probabilities"):
        read(tmp_path, [{"id": "q", "guesses": ["A", "B"], "probabilities": [60], "answer": "A"}])


def test_replies_are_read_by_the_form_of_their_strategy(tmp_path):
    steps = (
        "Step 1: x, Confidence: 90%\nStep 2: y, Confidence: 80%\nFinal Answer and Overall Confidence (0-100): 12, 75%"
    )
    rows = [
        {"id": "a", "reply": "Answer and Confidence (0-100): 12, 85%", "truth": "12", "strategy": "cot"},
        {"id": "b", "reply": "no idea", "truth": "12", "strategy": "cot"},
        {"id": "a", "reply": "G1: 12\nP1: 60%\nG2: 13\nP2: 20%", "truth": "12", "strategy": "top_k"},
        {"id": "a", "reply": steps, "truth": "12", "strategy": "multi_step"},
    ]
    recorded = read(tmp_path, rows)
    assert recorded.rows["outcome"].to_list() == ["ok", "abstained", "ok", "ok"]
    assert recorded.rows["confidence"].to_list() == [0.85, None, 0.6, approx(0.72)]
    assert recorded.rows["guesses"].to_list()[2] == ["12", "13"]
    assert recorded.rows["overall"].to_list() == [None, None, None, 0.75]
    with pytest.raises(DoxaError, match=r"quiz.jsonl:1: .*prompting is 'mine'; there are vanilla"):
        read(tmp_path, [{"id": "a", "reply": "12", "truth": "12", "strategy": "mine"}])


def test_whether_an_answer_was_right_may_stand_for_answer_and_truth(tmp_path):
    rows = [{"id": str(i), "confidence": c, "correct": y} for i, (c, y) in enumerate([(0.9, 1), (0.8, 0), (0.7, True)])]
    recorded = read(tmp_path, rows)
    assert found(recorded)["AUROC, vanilla"] == approx(0.5)
    assert STUDY.shuffled(recorded.rows, 2)["truth"].explode().sort().to_list() == ["right", "right", "wrong"]
    with pytest.raises(DoxaError, match="another response to '0' that says only whether it is correct"):
        read(tmp_path, [rows[0], rows[0]])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no rows"),
        ([{"answer": "A"}], r"has answer; none of them is an id \(id, item"),
        ([{"id": "a", "gold": "A"}], "none of them says what was answered"),
        ([{"id": "", "answer": "A"}], "quiz.jsonl:1, 'id': empty"),
        ([{"id": "a", "answer": "A", "confidence": "sure"}], "quiz.jsonl:1, 'confidence': 'sure' is no number"),
        ([{"id": "a", "answer": "A", "confidence": 120}], "quiz.jsonl:1, 'confidence': 120, outside .* percent"),
        ([{"id": "a", "answer": "A", "conf": 0.5}, {"id": "b", "answer": "A", "conf": 90}],
         "quiz.jsonl:1, 'conf': 0.5 stands among percentages up to 90 .*scale 'percent' or 'probability'"),
        ([{"id": "a", "answer": "A", "gold": "A"}, {"id": "a", "answer": "A", "gold": "B"}],
         r"quiz.jsonl:2: truth of 'a' is \('B',\), but \('A',\) at .*:1. Give different questions different ids"),
        ([{"id": "a", "answer": "A", "gold": "Oslo", "choices": ["Rome", "Paris"]}], "truth 'Oslo' is not the letter"),
        ([{"id": "a", "confidence": 1, "correct": "maybe"}], "quiz.jsonl:1, 'correct': 'maybe'"),
        ([{"id": "a", "answer": "A", "sample": "first"}], "quiz.jsonl:1, 'sample': 'first'"),
        ([{"id": "a", "answer": "A", "outcome": "fine"}], "quiz.jsonl:1, 'outcome': 'fine'; outcomes are ok"),
        ([{"id": "a", "answer": "A", "choices": "[Rome"}], "quiz.jsonl:1, 'choices': .* is no JSON list"),
    ],
)  # fmt: skip
def test_errors_name_file_row_field_and_way_out(tmp_path, rows, message):
    with pytest.raises(DoxaError, match=message):
        read(tmp_path, rows)


def test_rows_of_a_run_score_like_the_run(tmp_path):
    options = Options(prompt="top_k", white_box=True, resamples=20)
    part = doxa.run(STUDY, respondent("dirichlet"), options=options, items=STUDY.example(), progress=False)[STUDY.name]
    path = tmp_path / "rows.parquet"
    part.rows().write_parquet(path)
    again = STUDY.score(STUDY.read_file(path, options).rows, options)
    assert [e.value for e in again.estimates] == approx([e.value for e in part.findings.estimates], nan_ok=True)


def test_several_files_are_compared_by_set(tmp_path):
    files = []
    for model, shift in (("good", 0), ("bad", 2)):
        rows = [
            {"id": f"{of}{i}", "answer": "A", "confidence": 80, "truth": "A" if i >= shift else "B", "dataset": of}
            for of in ("maths", "law")
            for i in range(4)
        ]
        files.append(STUDY.read_file(written(tmp_path, rows, f"{model}.jsonl"), Options()))
    table = STUDY.across(files, Options()).table("Files by set")
    lines = {(line[0], line[2]): line[4] for line in table.rows}
    assert lines["good", "law"] == 1 and lines["bad", "mean of sets"] == 0.5


def test_the_command_scores_a_csv(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("qid,prediction,conf,label,options\n1,A,85%,A,yes|no\n2,B,90%,A,yes|no\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["score", "express-uncertainty", str(path), "--json", "--resamples", "20"])
    assert done.exit_code == 0, done.output
    estimates = {e["name"]: e["value"] for e in json.loads(done.output)["mine"]["estimates"]}
    assert estimates["accuracy, vanilla"] == 0.5 and estimates["mean confidence, vanilla"] == approx(0.875)
