"""Relative confidence from recorded preferences: of a run, in one file, in two, and of several models."""

import json
import math
from dataclasses import replace

import polars as pl
import pytest
from pytest import approx

import doxa
from doxa.metrics import auroc, selective_auc
from doxa.records import DoxaError
from doxa.studies.relative_confidence import Options, study

FEW = Options(questions=20, matchups=4, samples=4, resamples=20)
RIGHT = {"a": 1, "b": 1, "c": 0, "d": 1, "e": 0}


def games():
    """Each beats all that come later in a b c d e."""
    names = list(RIGHT)
    return [{"i": x, "j": y, "winner": x} for k, x in enumerate(names) for y in names[k + 1 :]]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def scored(path, options=FEW):
    return study.score_recorded(study.read_file(path, options), options)


def check(found):
    assert found["selective AUC, bradley_terry"] == approx(0.8033, abs=5e-5)
    assert found["AUROC, elo"] == found["AUROC, trueskill"] == approx(0.8333, abs=5e-5)
    assert found["transitive triples"] == 1 and found["accuracy"] == 0.6


def test_rows_of_a_run(tmp_path):
    part = doxa.run(study, "simulated:calibrated", options=FEW, null_seed=None)["relative-confidence"]
    part.rows().write_parquet(tmp_path / "rows.parquet")
    found = scored(tmp_path / "rows.parquet")
    for estimate in part.findings.estimates:
        assert found[estimate.name] == approx(estimate.value, nan_ok=True)


def test_preferences_and_answers_in_one_file(tmp_path):
    answers = [{"id": name, "correct": right} for name, right in RIGHT.items()]
    found = scored(write(tmp_path / "one.jsonl", [*games(), *answers]))
    check(found)
    assert math.isnan(found["AUROC, direct"]) and math.isnan(found["AUROC, hybrid_sc"])


def test_correctness_beside_each_matchup(tmp_path):
    rows = [{**g, "correct_i": RIGHT[g["i"]], "correct_j": RIGHT[g["j"]]} for g in games()]
    pl.DataFrame(rows).write_csv(tmp_path / "both.csv")
    check(scored(tmp_path / "both.csv"))


def test_answers_in_a_file_of_their_own(tmp_path):
    path = write(tmp_path / "games.jsonl", games())
    stated = dict(zip(RIGHT, (90, 80, 70, 60, 50), strict=True))
    pl.DataFrame([{"id": n, "correct": r, "confidence": stated[n]} for n, r in RIGHT.items()]).write_csv(
        tmp_path / "a.csv"
    )
    found = scored(path, replace(FEW, answers=str(tmp_path / "a.csv")))
    check(found)
    assert found["AUROC, direct"] == approx(auroc(list(stated.values()), list(RIGHT.values())))
    assert any("percent" in note for note in found.notes)
    with pytest.raises(DoxaError, match="--answers FILE"):
        scored(path)


def test_samples_are_read(tmp_path):
    answers = []
    for k, (name, right) in enumerate(RIGHT.items()):
        of = {"id": name, "truth": "1" if right else "2", "confidence": 0.5}
        answers.append({**of, "answer": "1", "sampling": "single"})
        several = [{**of, "answer": "1" if s > k else "2", "sample": s} for s in range(6)]
        answers += [{**one, "sampling": "self_random"} for one in several]
    found = scored(write(tmp_path / "s.jsonl", [*games(), *answers]))
    assert found["selective AUC, hybrid_sc"] == approx(selective_auc([5, 4, 3, 2, 1], list(RIGHT.values())))


def test_probabilities_sets_and_files_of_several_models(tmp_path):
    both = [{**g, "correct_i": RIGHT[g["i"]], "correct_j": RIGHT[g["j"]], "p": 0.9} for g in games()]
    rows = [{**g, "i": s + g["i"], "j": s + g["j"], "winner": None, "set": s} for s in "xy" for g in both]
    files = [study.read_file(write(tmp_path / f"{name}.jsonl", rows), FEW) for name in ("one", "two")]
    found = study.across(files, FEW)
    (name, *areas) = found.table("AUROC by model").rows[1]
    assert name == "two" and areas[-1] == approx(0.8333, abs=5e-5)
    assert {row[0] for row in study.score(files[0].rows, FEW).table("By set").rows} == {"x", "y"}


def test_only_answers_give_no_ratings(tmp_path):
    answers = [{"id": name, "correct": right, "confidence": 0.5} for name, right in RIGHT.items()]
    found = scored(write(tmp_path / "one.jsonl", answers))
    assert found["AUROC, direct"] == 0.5 and math.isnan(found["AUROC, bradley_terry"])


def test_a_bad_row_is_named(tmp_path):
    with pytest.raises(DoxaError, match=r"one\.jsonl:2, 'winner': 'z'"):
        scored(
            write(tmp_path / "one.jsonl", [games()[0], {"i": "a", "j": "b", "winner": "z"}, {"id": "a", "correct": 1}])
        )
