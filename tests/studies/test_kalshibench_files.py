"""KalshiBench: files of predictions, made up, and outcomes joined to them."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import doxa
from doxa.data.forecasts import READINGS
from doxa.data.known_chances import events
from doxa.data.prediction_files import other_samples
from doxa.metrics.forecasts import half_open_bins
from doxa.records import DoxaError
from doxa.runs.recorded import score_files
from doxa.studies.kalshibench import Options, read_file, study

QUICK = Options(resamples=100)
PAPER = replace(QUICK, prompt="paper")


def reference(predictions, truth):
    """The published scorer, written anew for the test: joins by an id that repeats, half-open bins."""
    by_id = dict(truth)
    used = [p for p in predictions if p["predicted_answer"]]
    p = np.array([x["predicted_probability"] for x in used])
    y = np.array([by_id[x["question_id"]] == "yes" for x in used], dtype=float)
    said = np.array([x["predicted_answer"] == "yes" for x in used], dtype=float)
    bins = half_open_bins(p, y)
    f1 = [2 * h / (2 * h + (said != y).sum()) for h in ((said * y).sum(), ((1 - said) * (1 - y)).sum())]
    sure = (p > 0.8) | (p < 1 - 0.8)
    return {
        "accuracy": np.mean(said == y),
        "macro_f1": np.mean(f1),
        "brier_score": np.mean((p - y) ** 2),
        "brier_skill_score": 1 - np.mean((p - y) ** 2) / (y.mean() * (1 - y.mean())),
        "ece": sum(b.n * abs(b.forecast - b.rate) for b in bins) / len(p),
        "mce": max(abs(b.forecast - b.rate) for b in bins),
        "avg_confidence": np.mean(np.abs(p - 0.5) + 0.5),
        "avg_confidence_when_correct": np.mean((np.abs(p - 0.5) + 0.5)[said == y]),
        "overconfidence_rate_80": np.mean((said != y)[sure]),
        "parse_rate": len(used) / len(predictions),
        "reliability_diagram": [
            {"bin": b.label, "count": b.n, "avg_confidence": b.forecast, "avg_accuracy": b.rate} for b in bins
        ],
        "confusion_matrix": {
            name: int(((said == a) & (y == b)).sum())
            for name, a, b in (("tp", 1, 1), ("fp", 1, 0), ("fn", 0, 1), ("tn", 0, 0))
        },
    }


@pytest.fixture
def made_up(tmp_path):
    """A result file of 60 predictions, 20 ids of which repeat, with its outcomes in a table."""
    rng = np.random.default_rng(7)
    truth = [(f"KX{i % 40}", "yes" if rng.random() < 0.4 else "no") for i in range(60)]
    predictions = []
    for name, _ in truth:
        number, answer = int(rng.integers(0, 101)), rng.choice(["yes", "no"])
        p = number / 100 if answer == "yes" else 1 - number / 100
        text = f"<answer>{answer}</answer>\n<confidence>{number}</confidence>"
        predictions.append(
            {"question_id": name, "predicted_answer": str(answer), "predicted_probability": p, "raw_output": text}
        )
    predictions[3] |= {"predicted_answer": None, "predicted_probability": 0.5, "raw_output": ""}
    content = {
        "model_name": "Made up",
        "future_field": [1],
        **reference(predictions, truth),
        "predictions": predictions,
    }
    (tmp_path / "made_up.json").write_text(json.dumps(content))
    (tmp_path / "outcomes.csv").write_text("id,outcome\n" + "\n".join(f"{a},{b}" for a, b in truth))
    return tmp_path / "made_up.json", tmp_path / "outcomes.csv", truth


def test_published_figures_come_again_when_the_published_faults_are_copied(made_up):
    path, outcomes, _ = made_up
    options = replace(QUICK, variant="published", join="id", outcomes=str(outcomes))
    found = score_files(study, [path], options)[0][1]
    table = {row[0]: row[3] for row in found.table("Stored and made again").rows}
    assert len(table) > 15 and max(abs(difference) for difference in table.values()) < 1e-9
    assert {"Brier, as scored", "ECE, as scored", "mean confidence when right", "overconfidence at 0.8"} <= set(table)


def test_outcomes_are_joined_by_row_and_give_every_reading(made_up):
    path, outcomes, truth = made_up
    options = replace(QUICK, outcomes=str(outcomes))
    recorded = read_file(path, options)
    assert recorded.rows["truth"].to_list() == [happened for _, happened in truth]
    assert recorded.rows["item"].n_unique() == 60 and recorded.rows["group"].n_unique() == 40
    found = study.score_recorded(recorded, options)
    for how in READINGS:
        assert 0 < found[f"ECE, {how}"] < 1 and not math.isnan(found.estimate(f"Brier, {how}").low)
    by_id = read_file(path, replace(options, join="id")).rows["truth"].to_list()
    assert by_id[:20] == [happened for _, happened in truth[40:]] and by_id != recorded.rows["truth"].to_list()


def test_without_outcomes_the_tables_of_the_file_are_told(made_up):
    path, _, _ = made_up
    stored = json.loads(path.read_text())
    found = score_files(study, [path], QUICK)[0][1]
    assert found["ECE, as scored"] == pytest.approx(stored["ece"]) and found["MCE, as scored"] == pytest.approx(
        stored["mce"]
    )
    assert found["accuracy"] == pytest.approx(stored["accuracy"]) and not math.isnan(found.estimate("accuracy").low)
    assert found["Brier, as scored"] == stored["brier_score"]
    assert found.estimate("Brier, as scored").section == "As the file states"
    assert "ECE, literal" not in found and any("--outcomes" in note for note in found.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["predictions"][5].update(predicted_answer="perhaps"),
            r"predictions\[5\]: predicted_answer is 'perhaps'",
        ),
        (lambda c: c["predictions"][5].update(predicted_probability=70), r"predictions\[5\].*outside \[0, 1\].*divide"),
        (lambda c: c["predictions"].__setitem__(2, "yes"), r"predictions\[2\] is str"),
        (lambda c: c["predictions"][5].update(predicted_probability=None, raw_output=""), "neither predicted_prob"),
        (lambda c: c.pop("predictions"), "no list 'predictions'"),
    ],
)
def test_a_faulty_result_file_is_refused_in_words(made_up, change, message):
    path, _, _ = made_up
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DoxaError, match=message):
        read_file(path, QUICK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["reliability_diagram"][0].pop("count"), "Made up: an entry of reliability_diagram"),
        (lambda c: c.update(ece="high"), "Made up: ece is 'high'; it is a number"),
    ],
)
def test_faulty_stored_figures_are_refused_in_words(made_up, change, message):
    path, _, _ = made_up
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DoxaError, match=message):
        score_files(study, [path], QUICK)


def test_a_file_with_few_fields_is_read_from_its_replies(tmp_path):
    replies = ["<answer>no</answer><confidence>5</confidence>", "", "<answer>yes</answer><confidence>80</confidence>"]
    path = tmp_path / "bare.json"
    path.write_text(json.dumps({"predictions": [{"raw_output": reply} for reply in replies]}))
    recorded = read_file(path, QUICK)
    assert recorded.label == "bare" and recorded.rows["question_id"].to_list() == ["0", "1", "2"]
    assert recorded.rows["outcome"].to_list() == ["ok", "unparsed", "ok"]
    assert (
        recorded.rows["scored"].to_list() == [0.95, None, 0.8] and "2 predictions have no stored" in recorded.notes[0]
    )
    assert score_files(study, [path], QUICK)[0][1]["literal style"] == 1


def test_a_cut_file_and_failed_calls(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text('{"predictions": [')
    with pytest.raises(DoxaError, match="not a whole JSON file"):
        read_file(path, QUICK)
    failed = {"question_id": "a", "predicted_answer": None, "predicted_probability": 0.5, "error": "timeout"}
    path.write_text(json.dumps({"predictions": [failed]}))
    assert read_file(path, QUICK).rows["outcome"].to_list() == ["failed"]


def test_records_of_ones_own(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id,answer,number,outcome,category\na,no,5,no,X\nb,yes,80,1,X\nc,,,no,X\n")
    recorded = read_file(path, QUICK)
    assert recorded.rows["number"].to_list() == [0.05, 0.8, None] and recorded.rows["truth"].to_list() == [
        "no",
        "yes",
        "no",
    ]
    found = study.score_recorded(recorded, QUICK)
    assert found["accuracy"] == 1 and found["parse rate"] == pytest.approx(2 / 3)
    assert found["Brier, literal"] == pytest.approx((0.0025 + 0.04) / 2)
    path.write_text("id,probability,outcome\na,0.2,no\nb,0.8,yes\n")
    assert study.score_recorded(read_file(path, QUICK), QUICK)["parse rate"] == 1


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("id,answer\na,no", "no column 'number'"),
        ("id,number\na,0.2\nb,0.7", "look like probabilities"),
        ("id,number\na,170", "number is '170', outside 0 to 100"),
        ("id,probability\na,70", "outside"),
    ],
)
def test_faulty_records_are_refused_in_words(tmp_path, cells, message):
    path = tmp_path / "mine.csv"
    path.write_text(cells)
    with pytest.raises(DoxaError, match=message):
        read_file(path, QUICK)


@pytest.mark.parametrize(
    ("cells", "join", "message"),
    [
        ("outcome\nyes", "row", "1 rows for 60 predictions"),
        ("id,result\na,yes", "row", "no column outcome"),
        ("outcome\n" + "yes\n" * 60, "id", "nothing can be joined by id"),
        ("id,outcome\n" + "other,yes\n" * 60, "row", "is about other, but prediction 0 is about 'KX0'"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused_in_words(made_up, tmp_path, cells, join, message):
    path = tmp_path / "wrong.csv"
    path.write_text(cells)
    with pytest.raises(DoxaError, match=message):
        read_file(made_up[0], replace(QUICK, outcomes=str(path), join=join))


def test_rows_of_a_run_are_read_back(tmp_path):
    rows = doxa.run(study, "simulated:calibrated-forecaster", items=events(20), options=PAPER)["kalshibench"].rows()
    rows.write_parquet(tmp_path / "rows.parquet")
    assert read_file(tmp_path / "rows.parquet", PAPER).rows.equals(rows)


def test_other_samples_are_told():
    notes = other_samples({"one": ["a", "b"], "two": ["a", "b"], "three": ["a", "c"]})
    assert notes == ["three rests on another sample than one (1 ids in common): they make no pairs"]
