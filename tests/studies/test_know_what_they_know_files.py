"""Recorded self-evaluation: rows of a run, tables of probabilities, and what is wrong with them."""

import json
from dataclasses import replace

import pytest

import doxa
from doxa.data import planted_knowledge as planted
from doxa.organisms import knowers
from doxa.records import DoxaError
from doxa.runs.recorded import score_files
from doxa.studies.know_what_they_know import LEARNT, Options, read_file, study

OPTIONS = Options(resamples=20)


def written(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_options_judged_answers_and_questions_in_one_table(tmp_path):
    rows = [
        *({"id": f"q{i}", "probabilities": [0.7, 0.2, 0.1], "answer": "ABC"[i % 3], "site": 4} for i in range(30)),
        *({"id": f"q{i}", "p_true": 0.9 - 0.1 * (i % 2), "correct": i % 2 == 0, "response": "x"} for i in range(30)),
        *({"id": f"q{i}", "p_ik": i / 59, "correct_samples": i, "samples": 59} for i in range(60)),
    ]
    ((_, found),) = score_files(study, [written(tmp_path / "all.jsonl", rows)], OPTIONS)
    assert found["accuracy, letters"] == pytest.approx(1 / 3)
    assert found["ECE, letters"] == pytest.approx(0.7 - 1 / 3, abs=0.2)  # bins of three answers
    assert found["AUROC, P(True)"] == 1 and found["accuracy of samples"] == 0.5
    assert found["AUROC, P(IK)"] == 1 and found["correlation, P(IK)"] == pytest.approx(1)
    assert "AUROC, P(True) after brainstorming" not in found


def test_a_repeated_id_is_another_answer(tmp_path):
    rows = [{"id": "q", "p_true": 0.5, "correct": i % 2, "p_true_brainstorm": 0.25} for i in range(4)]
    read = read_file(written(tmp_path / "same.jsonl", rows), OPTIONS).rows
    assert read["sample"].to_list() == [0, 1, 2, 3] and read["brainstormed"].to_list() == [0.25] * 4


def test_states_of_two_models_in_a_table(tmp_path):
    rows = [
        {"id": f"q{i}", "model": m, "state": [float(i % 2 == k), 0.1 * i], "share": float(i % 2 == k), "samples": 10}
        for k, m in enumerate(("one", "two"))
        for i in range(120)
    ]
    ((_, found),) = score_files(study, [written(tmp_path / "two.jsonl", rows)], OPTIONS)
    assert found["AUROC, P(IK)"] == 1
    assert found["P(IK) where only it answers"] > 0.9 > 0.1 > found["the other's P(IK) where only it answers"]


def test_rows_of_a_run_are_scored_like_the_run(tmp_path):
    part = doxa.run(study, knowers.foreknowing(1.0), options=LEARNT, items=planted.rated(100), progress=False)[
        study.name
    ]
    part.rows().write_parquet(tmp_path / "rows.parquet")
    ((_, found),) = score_files(study, [tmp_path / "rows.parquet"], LEARNT)
    assert found["AUROC, P(IK)"] == part.findings["AUROC, P(IK)"]


def test_two_runs_are_compared(tmp_path):
    for name, t in (("one", 1.0), ("two", 0.5)):
        part = doxa.run(study, knowers.foreknowing(t), options=LEARNT, items=planted.rated(150), progress=False)[
            study.name
        ]
        part.rows().write_parquet(tmp_path / f"{name}.parquet")
    files = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    label, found = score_files(study, files, replace(LEARNT, resamples=20))[-1]
    assert label == "all files" and "correlation given the other's share" in found


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"p_true": 0.5, "correct": 1}, "no id"),
        ({"id": "q"}, "nothing to score"),
        ({"id": "q", "p_true": 90, "correct": 1}, "Percent"),
        ({"id": "q", "p_true": 0.9, "correct": "maybe"}, "true or false"),
        ({"id": "q", "probabilities": [0.5, 0.5], "answer": "C"}, "of 2 options"),
        ({"id": "q", "probabilities": [0.5, "x"], "answer": "A"}, "list of numbers"),
        ({"id": "q", "logprobs": [-1.0], "answer": "A"}, "two options or more"),
        ({"id": "q", "p_ik": 0.5, "correct_samples": 11, "samples": 10}, "11 of 10"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, row, told):
    with pytest.raises(DoxaError, match=told) as error:
        read_file(written(tmp_path / "bad.jsonl", [row]), OPTIONS)
    assert "bad.jsonl" in str(error.value)


def test_three_models_are_too_many_and_no_rows_too_few(tmp_path):
    rows = [{"id": "q", "model": m, "p_true": 0.5, "correct": 1} for m in "abc"]
    with pytest.raises(DoxaError, match="two at a time"):
        read_file(written(tmp_path / "three.jsonl", rows), OPTIONS)
    with pytest.raises(DoxaError, match="no rows"):
        read_file(written(tmp_path / "none.jsonl", []), OPTIONS)


def test_every_confidence_can_be_calibrated():
    options = Options(parts="options,own answers", resamples=20)
    part = doxa.run(study, knowers.judging(1.0), options=options, items=planted.open_questions(40), progress=False)
    rows = part[study.name].rows()
    graded = study.graded(rows, options)
    ways = graded.group_by("way").len().sort("way")
    assert "P(True) of own answer after brainstorming" in ways["way"].to_list()
    assert dict(ways.iter_rows())["likeliest option by letters"] == 40
    own = graded.filter(graded["way"] == "P(True) of own answer")
    assert own["correct"].sum() == rows.filter(rows["way"] == "own answer")["truth"].sum()
