"""Generalized correctness: who is asked what, what is learnt from whom, files of past responses, and the null."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sklearn")
import doxa
from doxa.data import planted_history as planted
from doxa.data.history import part_of
from doxa.models.simulated import Respondent
from doxa.records import DoxaError
from doxa.runs.recorded import score_files
from doxa.studies.generalized_correctness import FEW, Options, following, read_file, score, study
from doxa.study import frame
from doxa.training import saved

SMALL = replace(FEW, questions=400, resamples=20)


@pytest.fixture(scope="module")
def run():
    return doxa.run(study, following(1.0), options=SMALL, progress=False)["generalized-correctness"]


@pytest.fixture(scope="module")
def rows(run):
    return frame(run.rows().to_dicts(), study.row)


# --- asking ----------------------------------------------------------------------------------------------------------


def test_every_model_answers_every_question_in_one_part(rows):
    assert rows.group_by("answered_by").len()["len"].to_list() == [400] * 4
    parts = rows.group_by("item").agg(pl.col("part").n_unique())
    assert set(parts["part"]) == {1}
    assert rows["part"].to_list() == [part_of(group) for group in rows["group"]]


def test_own_words_are_asked_outside_the_training_part_and_of_the_asked_model_alone(rows):
    said = rows.filter(pl.col("ways").list.len() > 0)
    assert set(said["condition"]) == {"asked"} and set(said["part"]) == {"test", "calibration"}
    ways = set(said["ways"].to_list()[0])
    assert {"answer probability", "P(True)", "yes/no", "yes/no, 2 examples, plain", "percentage"} <= ways


def test_two_models_judge_each_other_on_test_questions(rows):
    judged = rows.filter(pl.col("judges").list.len() > 0)
    first, second = judged["judges"].to_list()[0]
    assert set(judged["part"]) == {"test"} and set(judged["answered_by"]) == {first, second}
    assert first == "simulated:respondent" and second == planted.OTHERS.split(",")[0]


def test_graded_examples_are_training_questions_and_not_the_question_itself(run):
    texts = {item.text: item for item in planted.asked_alike(400)}
    shown = 0
    for record in run.records():
        for call in record.calls:
            prompt = call.prompt.show()
            if "Earlier responses" in prompt:
                head = prompt[: prompt.index("Response:", prompt.index(record.item.text))]
                named = [text for text in texts if text in head and text != record.item.text]
                assert len(named) == 2 and all(part_of(texts[text].cluster) == "train" for text in named)
                assert record.item.text not in head[: head.rindex("Correct:")]
                shown += 1
    assert shown > 50


def test_graded_examples_say_what_was_answered_and_whether_it_was_right(run, rows):
    mine = rows.filter(pl.col("condition") == "asked")
    verdict = dict(mine.select("question", "correct").iter_rows())
    seen = 0
    for record in run.records():
        for call in record.calls:
            parts = call.prompt.show().split("Question (distance ")[1:]
            for part in parts:
                question = part.split("): ", 1)[1].split("\n")[0]
                assert ("Correct: yes" in part.split("\n\n")[0]) == verdict[question]
                seen += 1
    assert seen > 100


class Speaker(Respondent):
    """A model that can do nothing but talk."""

    capabilities = frozenset({"generate"})


def test_a_model_that_only_talks_is_asked_in_words():
    found = doxa.run(study, Speaker(address="simulated:speaker"), options=replace(SMALL, questions=120), progress=False)
    rows = found["generalized-correctness"].rows()
    ways = {way for some in rows["ways"].to_list() for way in some}
    assert ways == {"percentage", "percentage, 2 examples"}
    findings = found["generalized-correctness"].findings
    assert np.isnan(findings["self advantage"]) and "AUROC, P(True)" not in findings


# --- scoring ---------------------------------------------------------------------------------------------------------


def test_every_published_figure_has_an_estimate(run):
    assert {figure.estimate for figure in study.published} <= {e.name for e in run.findings.estimates}


def test_the_null_keeps_rates_and_tells_nothing(rows):
    moved = study.shuffled(rows, 1)
    rate = lambda table: table.group_by("answered_by", "part").agg(pl.col("correct").mean()).sort(pl.all())  # noqa: E731
    assert rate(moved).equals(rate(rows)) and moved.drop("correct", "shuffled").equals(rows.drop("correct", "shuffled"))
    areas = [score(study.shuffled(rows, seed), SMALL)["AUROC, all histories"] for seed in range(3)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.1)  # 3 / sqrt(12 (1/4) 3 100) = .1


def test_what_is_learnt_of_others_does_not_depend_on_the_asked_models_own_past(rows):
    mine = (pl.col("condition") == "asked") & (pl.col("part") == "train")
    lied = rows.with_columns(correct=pl.when(mine).then(~pl.col("correct")).otherwise(pl.col("correct")))
    a, b = (score(table, SMALL) for table in (rows, lied))
    assert a["AUROC, others' histories"] == b["AUROC, others' histories"]
    assert b["AUROC, own history"] < 0.5 < a["AUROC, own history"]


def test_without_a_readable_reply_there_is_no_number(rows):
    unread = rows.with_columns(
        answer=pl.lit(None, pl.String), correct=pl.lit(None, pl.Boolean), outcome=pl.lit("unparsed")
    )
    found = score(unread, SMALL)
    assert found["responses read"] == 0 and np.isnan(found["accuracy"]) and np.isnan(found["AUROC, all histories"])
    assert found.estimate("responses read").outcomes == {"unparsed": 400}


def test_unread_replies_bound_accuracy(rows):
    some = (pl.col("condition") == "asked") & (pl.col("item").str.ends_with("7"))
    unread = rows.with_columns(
        answer=pl.when(some).then(None).otherwise("answer"), correct=pl.when(some).then(None).otherwise("correct")
    )
    accuracy = score(unread, SMALL).estimate("accuracy")
    low, high = accuracy.bounds
    assert accuracy.n == 360 and high - low == pytest.approx(0.1) and low < accuracy.value < high


def test_a_subset_is_scored(rows):
    found = score(rows.filter(pl.col("item").is_in([f"planted/{i}" for i in range(25)])), SMALL)
    assert found.estimate("accuracy").n == 25


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_the_model_of_all_histories_is_kept_but_not_what_shuffled_verdicts_teach(rows, tmp_path):
    where = str(tmp_path / "kept")
    few = rows.filter(pl.col("item").str.ends_with("3") | pl.col("item").str.ends_with("5"))
    score(study.shuffled(few, 0), replace(SMALL, save=where))
    assert not (tmp_path / "kept").exists()
    score(few, replace(SMALL, save=where))
    assert saved.load(where).card.kind == "head on text" and saved.load(where).card.n > 200


# --- files -----------------------------------------------------------------------------------------------------------


def published_rows(models, n=400, seed=0):
    """Rows with the published columns: what a subject's word tells of being right, and more than is asked for."""
    rng = np.random.default_rng(seed)
    return [
        {"input_prompt": f"Subject{j % 4}: question {j}?", "cleaned_model_completion": f"It is {rng.integers(9)}.",
         "is_correct": "yes" if rng.random() < (0.9, 0.7, 0.3, 0.1)[j % 4] else "no", "subject": f"s{j % 4}",
         "alpha_model_name": model, "extra": [1], "split": "train" if j % 10 < 7 else "test"}
        for model in models for j in range(n)
    ]  # fmt: skip


def write(path, table):
    path.write_text("".join(json.dumps(row) + "\n" for row in table))
    return path


QUICK = Options(resamples=50)


def test_a_published_history_beats_its_majority(tmp_path):
    file = write(tmp_path / "history.jsonl", published_rows(["A", "B"]))
    ((label, found),) = score_files(study, [file], QUICK)
    assert label == "history"
    assert found["accuracy"] == pytest.approx(0.5, abs=0.06)
    for way in ("own history", "all histories", "others' histories"):
        assert found[f"AUROC, {way}"] == pytest.approx(0.81, abs=0.1)  # levels .9 .7 .3 .1: 13/16
        assert found[f"accuracy of judging, {way}"] > found["majority baseline"] + 0.1
    assert [row[0] for row in found.table("By model, all histories").rows] == ["A", "B"]
    assert np.isnan(found["self advantage"]) and "AUROC, P(True)" not in found


def test_files_of_several_models_are_one_history(tmp_path):
    files = [write(tmp_path / f"{name}.jsonl", published_rows([name], seed=i)) for i, name in enumerate("AB")]
    *each, (label, together) = score_files(study, files, QUICK)
    assert label == "all files" and together.estimate("accuracy").n == 800
    assert all("AUROC, others' histories" not in found for _, found in each)
    assert together["AUROC, others' histories"] > 0.7


def test_a_stored_run_is_read_from_its_folder(rows, tmp_path):
    found = tmp_path / "run" / "readings" / "generalized-correctness"
    found.mkdir(parents=True)
    rows.write_parquet(found / "rows.parquet")
    again = read_file(tmp_path / "run", SMALL).rows
    assert again.equals(rows)


def test_past_responses_are_learnt_from(rows, tmp_path):
    few = rows.filter((pl.col("condition") == "asked") & (pl.col("part") != "train"))
    past = rows.filter(pl.col("condition") == "history").drop("judged", "judges", "ways", "confidences")
    past.write_parquet(tmp_path / "past.parquet")
    found = score(few, replace(SMALL, past=str(tmp_path / "past.parquet")))
    assert np.isnan(found["AUROC, own history"]) and found["AUROC, others' histories"] > 0.6
    moved = past.with_columns(part=pl.when(pl.col("part") == "test").then(pl.lit("train")).otherwise("part"))
    moved.write_parquet(tmp_path / "leaky.parquet")
    again = score(few, replace(SMALL, past=str(tmp_path / "leaky.parquet")))
    assert any("rows left out" in note for note in again.notes)
    assert again["AUROC, others' histories"] == pytest.approx(found["AUROC, others' histories"])


def test_a_file_that_is_no_history_says_where_and_why(tmp_path):
    file = write(tmp_path / "bad.jsonl", [{"input_prompt": "Who?", "is_correct": "perhaps"}])
    with pytest.raises(DoxaError, match=r"bad\.jsonl:1.*'perhaps'"):
        score_files(study, [file], QUICK)


# --- the embedded model ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_embedded_model_knows_itself_better_than_words_do_and_a_trained_judge_comes_near():
    options = Options(resamples=100, judge="organism:atlas", rate=1e-3)
    found = doxa.run(study, "organism:atlas", options=options, progress=False, null_seed=None)
    findings = found["generalized-correctness"].findings
    assert findings["AUROC, P(True)"] > findings["AUROC, all histories"] + 0.1
    assert findings["AUROC, judge organism:atlas, all histories"] > findings["AUROC, all histories"] + 0.05
    assert abs(findings["self advantage"]) < 0.02  # the judge is the same model with another habit
