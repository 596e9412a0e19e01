"""Distributional correctness: known distributions from prompt to score, both variants, files, and odd rows."""

import json
import math
from dataclasses import replace

import pytest
from pytest import approx

import doxa
from doxa.models.simulated import ABSTAIN, Respondent
from doxa.records import DoxaError, Item
from doxa.studies.distributional_correctness import Options, Row, doubter, example, read_file, score, study
from doxa.study import frame

ARM = "letters, with the rule"
LETTERS = Options(reading="letters", rule="with")
TYPES = {  # right, share of the rest on abstaining, among five options
    "knower": (0.9, 0.0),
    "error_hedger": (0.45, 0.0),
    "abstainer": (0.45, 0.40 / 0.55),
    "guesser": (0.2, 0.0),
}


def questions(n, options=5):
    return [Item(f"q{i}", f"Question {i}?", "choice", tuple("vwxyz"[:options]), "w") for i in range(n)]


def found(model, options=LETTERS, n=10, items=None):
    run = doxa.run(study, model, options=options, items=items or questions(n), null_seed=None, progress=False)
    return run[study.name].findings


def rows(*made):
    fields = {"item": "q", "outcome": "ok", "way": "letters", "told": True, "strings": ["?"], "part": "", "options": 0}
    return frame([{**fields, "item": f"q{i}", **row} for i, row in enumerate(made)], Row)


# --- known answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "expected"), list(zip(TYPES, (0.80, -0.10, 0.18, -0.60), strict=True)))
def test_planted_types(name, expected):
    made = found(doubter(*TYPES[name]))
    assert made[f"DCS, {ARM}"] == approx(expected, abs=1e-9)


def test_only_the_distribution_tells_where_doubt_goes():
    hedger, abstainer = found(doubter(*TYPES["error_hedger"])), found(doubter(*TYPES["abstainer"]))
    for name, value in {"accuracy": 1, "ternary score": 1, "confidence-weighted accuracy": 0.45}.items():
        assert hedger[f"{name}, {ARM}"] == abstainer[f"{name}, {ARM}"] == approx(value)
    assert hedger[f"hedging index, {ARM}"] == 1 and abstainer[f"hedging index, {ARM}"] == approx(0.15 / 0.55)
    assert hedger[f"DCS below 0, {ARM}"] == 1 and abstainer[f"DCS below 0, {ARM}"] == 0


def test_a_guesser_is_right_by_its_share_of_the_ties():
    made = found(doubter(*TYPES["guesser"]))
    assert made[f"accuracy, {ARM}"] == approx(0.2) and made[f"ternary score, {ARM}"] == approx(-0.6)
    assert [row[6] for row in made.table("By set").rows] == [approx(-0.6)]


def test_raw_and_by_character():
    made = score(rows({"options": 2, "logprobs": [-1, -2, -6], "characters": [2, 2, 15], "truth": [0]}), LETTERS)
    assert made[f"DCS, {ARM}"] == approx(0.4576, abs=5e-5)
    assert made[f"DCS by character, {ARM}"] == approx(0.0860, abs=5e-5)
    assert made[f"mass on abstaining by character, {ARM}"] == approx(0.4076, abs=5e-5)
    published = score(
        rows({"options": 2, "logprobs": [-1, -2, -6], "characters": [2, 2, 15], "truth": [0]}),
        replace(LETTERS, variant="published"),
    )
    assert published[f"DCS, {ARM}"] == approx(0.3688 - 0.2237, abs=1e-4)  # by character, and without the factor


def test_penalties_and_what_they_mean():
    made = found(doubter(*TYPES["abstainer"]), replace(LETTERS, loss=0.5))
    assert made[f"DCS, {ARM}"] == approx((0.45 - 0.5 * 0.15) * 0.6)
    by_loss = dict(made.table("By what an error costs").rows)
    assert (
        by_loss["1"] == approx(0.18) and by_loss["0"] == approx(0.27) and by_loss["score 0 at a loss of"] == approx(3)
    )
    assert "above 0.333" in made.notes[0]
    assert "outside of the published score" in found(doubter(0.9, 0), replace(LETTERS, loss=2.0)).notes[-1]


def test_several_strings_share_the_mass():
    options = replace(LETTERS, abstention="?|I do not know")
    logprobs = [math.log(0.4), math.log(0.2), math.log(0.1), math.log(0.3)]
    made = score(rows({"options": 2, "logprobs": logprobs, "truth": [0], "strings": ["?", "I do not know"]}), options)
    assert made[f"mass on abstaining, {ARM}"] == approx(0.4)
    lines = {row[1]: row[5] for row in made.table("Strings that abstain").rows}
    assert lines == {"'?'": approx(0.1 / 0.7), "'I do not know'": approx(0.3 / 0.9), "all together": approx(0.4)}


def test_several_right_options_and_sets():
    logs = [math.log(p) for p in (0.3, 0.3, 0.2, 0.2)]
    made = score(
        rows(
            {"options": 3, "logprobs": logs, "truth": [0, 1], "part": "one"},
            {"options": 3, "logprobs": logs, "truth": [2], "part": "two"},
        ),
        LETTERS,
    )
    assert [(row[0], row[2]) for row in made.table("By set").rows] == [
        ("one", approx((0.6 - 0.2) * 0.8)),
        ("two", approx((0.2 - 0.6) * 0.8)),
    ]


# --- asking ----------------------------------------------------------------------------------------------------------


def test_the_rule_is_shown_where_it_should_be():
    run = doxa.run(study, doubter(0.5, 0.5), options=Options(), items=questions(1), null_seed=None, progress=False)
    (record,) = run[study.name].records()
    shown = [call.prompt.show() for call in record.calls]
    assert [("earns 0 points" in text) for text in shown] == [True, False, True, False]
    assert '"?" is a fine answer' in shown[0] and '"I do not know." is a fine answer' in shown[2]


def test_samples_count_abstentions_and_leave_out_what_cannot_be_read():
    options = Options(reading="samples", rule="with", samples=20)
    made = found(doubter(0.45, 0.4 / 0.55), options, n=200)
    arm = "samples, with the rule"
    assert made[f"mass on abstaining, {arm}"] == approx(0.4, abs=4 * math.sqrt(0.24 / 20 / 200))
    assert made[f"DCS, {arm}"] == approx(0.186, abs=0.02)
    garbled = Respondent(decide=lambda i, c, p: {"w": 0.5, ABSTAIN: 0.5}, format_errors=1.0)
    unread = found(garbled, options, n=5).estimate(f"DCS, {arm}")
    assert math.isnan(unread.value) and sum(unread.outcomes.values()) == 5 and "ok" not in unread.outcomes


def test_a_null_has_as_many_right_options_as_before():
    run = doxa.run(study, doubter(0.9, 0.0), options=LETTERS, items=questions(300), progress=False)
    null = run[study.name].findings.estimate(f"DCS, {ARM}").null
    assert null == approx((0.9 - 0.1) * 0.2 + 0.8 * (0.025 - 0.975), abs=0.1)


def test_an_example_runs():
    assert math.isfinite(found("simulated:calibrated", Options(), items=example())[f"DCS, {ARM}"])


# --- files -----------------------------------------------------------------------------------------------------------


def write(path, *table):
    path.write_text("\n".join(map(json.dumps, table)), encoding="utf-8")
    return path


UNIT = {"id": "a", "probabilities": [0.15, 0.05, 0.40, 0.01], "abstention": 0.39, "answer": "C", "set": "mmlu"}


def test_recorded_probabilities_and_log_probabilities(tmp_path):
    logs = {"id": "b", "logprobs": [-1, -2], "abstention": [-6], "answer": 0, "characters": [2, 2, 15], "other": 1}
    path = write(tmp_path / "model.jsonl", UNIT, logs)
    rows_read = read_file(path, Options()).rows
    assert score(rows_read[:1], Options())[f"DCS, {ARM}"] == approx(0.1159, abs=5e-5)
    assert score(rows_read[1:], Options())[f"DCS, {ARM}"] == approx(0.4576, abs=5e-5)
    csv = tmp_path / "model.csv"
    csv.write_text('id,logprobs,abstention,answer\nb,"[-1, -2]",-6,A\n', encoding="utf-8")
    assert score(read_file(csv, Options()).rows, Options())[f"DCS, {ARM}"] == approx(0.4576, abs=5e-5)


def test_rows_of_a_run_are_read_back(tmp_path):
    done = doxa.run(study, doubter(0.9, 0), options=LETTERS, items=questions(3), out=tmp_path / "run", progress=False)
    (stored,) = (tmp_path / "run").rglob("rows.parquet")
    assert score(read_file(stored, LETTERS).rows, LETTERS)[f"DCS, {ARM}"] == done[study.name].findings[f"DCS, {ARM}"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"abstention": None}, "no abstention"),
        ({"probabilities": None}, "no logprobs"),
        ({"probabilities": [15, 5]}, "Percent"),
        ({"answer": "F"}, "none of 4 options"),
        ({"characters": [1]}, "1 lengths for 5"),
        ({"probabilities": "many"}, "no list of numbers"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(change, says, tmp_path):
    path = write(tmp_path / "model.jsonl", UNIT, {**UNIT, **change})
    with pytest.raises(DoxaError, match=says) as caught:
        read_file(path, Options())
    assert "model.jsonl:2" in str(caught.value)


def test_across_models(tmp_path):
    good = write(tmp_path / "good.jsonl", {**UNIT, "probabilities": [0, 0, 1, 0], "abstention": 0})
    poor = write(tmp_path / "poor.jsonl", {**UNIT, "answer": "A"}, {**UNIT, "id": "c", "set": "arc", "answer": "A"})
    made = study.across([read_file(p, Options()) for p in (good, poor)], Options())
    assert [(row[0], row[-1]) for row in made.table("DCS by set and model").rows] == [("mmlu", ""), ("arc", "")]
    both = study.across([read_file(poor, Options())], Options()).table("DCS by set and model")
    assert [row[-1] for row in both.rows] == ["all below 0", "all below 0"]
    assert made["sets on which all models are below 0"] == 0
