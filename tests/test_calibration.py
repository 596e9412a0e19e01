"""Calibration of runs: planted over-confidence undone, calibrators kept, refused for another model, and commands."""

import json
import math

import polars as pl
import pytest

import doxa
from doxa import calibration, cli
from doxa.audit import beliefs
from doxa.records import DoxaError
from doxa.runs import Run
from doxa.studies import express_uncertainty, kable, kalshibench

OPTIONS = beliefs.Options(questions=240, samples=2)
WAY = "words, open"


def asked(slope, out=None):
    model = f"simulated:overconfident?slope={slope}&ability=0.6&sharpness=4"
    return doxa.run(beliefs.study, model, options=OPTIONS, out=out, null_seed=None, progress=False)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return asked(3, tmp_path_factory.mktemp("runs") / "words").folder


def test_planted_overconfidence_is_undone(stored):
    (made,), found = calibration.calibrate(Run.open(stored), way=WAY, method="platt", resamples=200)
    # Words are the belief's logit times 3 and 2 log 3 more, as from one of four options; the slope's se is .05.
    assert made.parameters["slope"] == pytest.approx(1 / 3, abs=0.15) and made.about["way"] == WAY
    assert made.parameters["bias"] == pytest.approx(-2 / 3 * math.log(3), abs=0.6)
    before, after = found.estimate(f"ECE, {WAY}"), found.estimate(f"ECE, {WAY}, calibrated")
    assert before.value > 0.15 and after.value < 0.09 and after.high < before.low
    lines = {row[2]: row for row in found.table("Before and after").rows}
    low, gain, high = lines["Brier"][10], lines["Brier"][9], lines["Brier"][11]
    assert low < gain < high < 0  # better, beyond chance
    assert abs(lines["AUROC"][9]) < 0.03  # the order is the same but for the folds


def test_what_is_calibrated_gains_nothing(stored):
    run = Run.open(stored)
    _, found = calibration.calibrate(run, way="P(True), open", method="platt", resamples=200)
    lines = {row[2]: row for row in found.table("Before and after").rows}
    assert lines["Brier"][10] < 0.01 and abs(lines["Brier"][9]) < 0.02


def test_every_way_that_has_enough_answers(stored):
    made, found = calibration.calibrate(Run.open(stored), method="platt", resamples=50)
    ways = {c.about["way"] for c in made}
    assert {WAY, "P(True), open", "samples, choice", "option log-probabilities, choice"} <= ways
    assert len(found.charts) == 2 * len(made)
    with pytest.raises(DoxaError, match="no way 'magic'; it has: "):
        calibration.calibrate(Run.open(stored), way="magic")


def test_kept_and_used_on_other_answers_of_the_same_model(stored, tmp_path):
    run = Run.open(stored)
    made, _ = calibration.calibrate(run, way=WAY, method="temperature", resamples=50)
    calibration.save(made, tmp_path / "kept.json")
    kept, table = calibration.load(tmp_path / "kept.json"), calibration.graded(run)
    fingerprint = run.manifest["model"]["fingerprint"]
    found = calibration.applied(table, kept, fingerprint=fingerprint, resamples=50)
    assert found[f"ECE, {WAY}, calibrated"] < found[f"ECE, {WAY}"] - 0.1
    with pytest.raises(DoxaError, match="not on the model that answers"):
        calibration.applied(table, kept, fingerprint="another", resamples=50)
    assert calibration.applied(table, kept, fingerprint="another", anyway=True, resamples=50).estimates


def test_questions_that_it_was_fitted_on_are_told(stored):
    run = Run.open(stored)
    made, _ = calibration.calibrate(run, way=WAY, method="platt", resamples=50)
    table = calibration.graded(run).filter(pl.col("way") == WAY)
    told = " ".join(calibration.applied(table, made, fingerprint=None, resamples=50).notes)
    n = table["group"].n_unique()
    assert f"{n} of {n} questions are among those" in told and "is not known" in told
    others = table.with_columns(group=pl.lit("another ") + pl.col("group"))
    found = calibration.applied(others, made, fingerprint=run.manifest["model"]["fingerprint"], resamples=50)
    assert found.notes == ("After: by calibrators that were fitted before.",)


def test_answers_that_are_all_right_are_told(stored):
    run = Run.open(stored)
    made, _ = calibration.calibrate(run, way=WAY, method="platt", resamples=50)
    right = calibration.graded(run).filter((pl.col("way") == WAY) & pl.col("correct"))
    found = calibration.applied(right, made, resamples=50)
    assert not found.estimates and found.notes[-1].endswith(f"all {len(right)} answers are right; nothing is compared.")


def test_other_ways_and_other_files_are_refused(stored, tmp_path):
    run = Run.open(stored)
    made, _ = calibration.calibrate(run, way=WAY, method="platt", resamples=50)
    other = calibration.graded(run).with_columns(way=pl.lit("another way"))
    with pytest.raises(DoxaError, match=r"Fitted on: beliefs: words, open\. Here: beliefs: another way"):
        calibration.applied(other, made, resamples=50)
    for text in ('{"calibrators": [{}]}', "[]", "{"):
        (tmp_path / "none.json").write_text(text, encoding="utf-8")
        with pytest.raises(DoxaError, match="no calibrators"):
            calibration.load(tmp_path / "none.json")


def test_what_was_not_read_is_counted(stored):
    run = Run.open(stored)
    made, _ = calibration.calibrate(run, way=WAY, method="platt", resamples=50)
    table = calibration.graded(run).filter(pl.col("way") == WAY).with_row_index()
    gaps = table.with_columns(confidence=pl.when(pl.col("index") >= 7).then("confidence")).drop("index")
    line = calibration.applied(gaps, made, resamples=50).table("Before and after").rows[0]
    assert line[-2:] == (len(table) - 7, 7)
    none = gaps.with_columns(confidence=pl.lit(None, pl.Float64))
    assert calibration.applied(none, made, resamples=50).notes[-1].endswith("no answer was read; nothing is compared.")


def test_a_study_that_grades_nothing():
    run = doxa.run(kable.study, "simulated:calibrated", options=kable.Options(pairs=2), null_seed=None, progress=False)
    with pytest.raises(DoxaError, match=r"no confidence is graded here \(kable\)"):
        calibration.graded(run)


def test_too_few_answers():
    options = beliefs.Options(questions=10, samples=1)
    run = doxa.run(beliefs.study, "simulated:calibrated", options=options, null_seed=None, progress=False)
    with pytest.raises(DoxaError, match="too few answers"):
        calibration.calibrate(run)


@pytest.mark.parametrize("study", [beliefs.study, express_uncertainty.study, kalshibench.study], ids=lambda s: s.name)
def test_studies_grade_their_example(study):
    items = study.example()
    run = doxa.run(study, "simulated:calibrated", items=items, null_seed=None, progress=False)
    table = calibration.graded(run)
    assert len(table) and table["confidence"].is_between(0, 1).all() and set(table["study"]) == {study.name}


# --- commands --------------------------------------------------------------------------------------------------------


def command(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(a) for a in args])
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


def test_commands(stored, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    args = ("--way", WAY, "--method", "platt", "--out", "kept.json", "--report", "page.html")
    code, out, err = command(capsys, "calibrate", stored, *args, "--json")
    shown = json.loads(out)
    assert code == 0 and "kept.json" in err and (tmp_path / "page.html").exists()
    assert any(e["name"] == f"ECE, {WAY}, calibrated" and math.isfinite(e["value"]) for e in shown["estimates"])
    code, _, err = command(capsys, "calibrate", stored, "--way", "magic")
    assert code == 2 and "no way 'magic'" in err
    model = ("-m", "simulated:inflated", "--limit", "40", "--out", "other")
    code, out, err = command(capsys, "run", "express-uncertainty", *model, "--calibrator", "none.json")
    assert code == 2 and "none.json" in err and not (tmp_path / "other").exists()


def test_run_and_score_with_a_calibrator(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = ("-m", "simulated:inflated", "--limit", "60", "--prompt", "vanilla", "--sampling", "single")
    assert command(capsys, "run", "express-uncertainty", *model, "--out", "first")[0] == 0
    assert command(capsys, "calibrate", "first", "--method", "platt")[0] == 0
    kept = "first/calibrators.json"
    args = ("--calibrator", kept, "--out", "second", "--seed", "1", "--json")
    code, out, _ = command(capsys, "run", "express-uncertainty", *model, *args)
    names = [e["name"] for e in json.loads(out)["calibrated"]["estimates"]]
    assert code == 0 and "ECE, vanilla, calibrated" in names
    for wrong, told in (("simulated:calibrated", "not on the model that answers"), ("kable", "(kable)")):
        study, address = ("kable", "simulated:inflated") if wrong == "kable" else ("express-uncertainty", wrong)
        code, _, err = command(capsys, "run", study, "-m", address, "--calibrator", kept, "--out", "third")
        assert code == 2 and told in err and not (tmp_path / "third").exists()  # before anything is asked
    assert (tmp_path / "second" / "calibrated.html").exists()
    (rows,) = (tmp_path / "second").rglob("rows.parquet")
    code, out, _ = command(capsys, "score", "express-uncertainty", rows, "--calibrator", kept)
    assert code == 0 and "calibrated" in out
