"""The table of readings: what each costs, and the accuracy of the surer half, by hand and for planted respondents."""

import polars as pl
import pytest

import doxa
from doxa.audit import beliefs
from doxa.audit.ladder import COLUMNS, ladder
from doxa.records import Estimate, Findings


def column(table, reading, name):
    (row,) = [r for r in table.rows if r[0] == reading]
    return row[COLUMNS.index(name)]


def found():
    shown = {"ECE": 0.25, "ECE, debiased": 0.1, "Brier": 0.25, "AUROC": 0.75}
    return Findings(tuple(Estimate(f"{m}, words, open", value, value - 0.05, 1.0) for m, value in shown.items()))


def test_by_hand():
    rows = pl.DataFrame(
        {
            "way": ["words"] * 5,
            "confidence": [0.9, 0.8, 0.8, 0.1, None],
            "correct": [True, True, False, False, True],
        }
    )
    (table,) = ladder("open questions", rows, {"words": found()}, samples=3).tables
    assert column(table, "words", "share read") == 0.8 and column(table, "words", "accuracy") == 0.5
    # Of the surest two, one is right and the other one of two that are tied, one of them right.
    assert column(table, "words", "accuracy of the surer half") == pytest.approx(0.75)
    assert column(table, "words", "ECE") == 0.25 and column(table, "words", "calls") == "1 answer"
    nothing = rows.with_columns(confidence=pl.lit(None, pl.Float64))
    (table,) = ladder("open questions", nothing, {"words": found()}, samples=3).tables
    assert column(table, "words", "share read") == 0 and column(table, "words", "accuracy") != 0.5


def test_what_knows_is_surer_where_it_is_right_and_a_constant_is_not():
    made = {}
    for name in ("calibrated?sharpness=8", "constant?confidence=0.8&sharpness=8"):
        options = beliefs.Options(questions=120, samples=3)
        run = doxa.run(beliefs.study, f"simulated:{name}", options=options, null_seed=None, progress=False)
        made[name[:4]] = run["beliefs"].findings.table("Which confidence to use, open questions")
    assert column(made["cali"], "samples", "calls") == "1 answer, 3 samples"
    gain = [column(made[k], "words", "accuracy of the surer half") - column(made[k], "words", "accuracy") for k in made]
    assert gain[0] > 0.25 and gain[1] == pytest.approx(0, abs=1e-9)
