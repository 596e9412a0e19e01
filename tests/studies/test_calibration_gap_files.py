"""Trials of persons from files: columns, units, what is refused, and the figures that come of them."""

import math

import numpy as np
import polars as pl
import pytest

import doxa
from doxa.records import DoxaError
from doxa.studies import calibration_gap as gap

FEW = gap.Options(resamples=20)
HEAD = "item_id,reader_id,style,length,model_confidence,correct,human_confidence"


def written(tmp_path, *lines, head=HEAD, name="trials.csv"):
    path = tmp_path / name
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def read(path, **options):
    return gap.read_file(path, gap.Options(resamples=20, **options))


def test_the_case_worked_out_by_hand(tmp_path):
    cells = zip(
        (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.9, 0.3),
        (1, 1, 1, 0, 1, 0, 1, 0),
        (90, 90, 80, 80, 70, 80, 90, 70),
        strict=True,
    )
    recorded = read(written(tmp_path, *(f"i{n},p,,,{m},{c},{h}" for n, (m, c, h) in enumerate(cells))))
    found = gap.score_recorded(recorded, FEW)
    assert found["calibration gap, default"] == pytest.approx(-0.05)
    assert found["discrimination gap, default"] == pytest.approx(0.1667, abs=5e-5)
    assert found["mean gap, default"] == pytest.approx(0.175) and found["bias, default"] == pytest.approx(0.1875)
    assert any("percent" in note for note in found.notes)
    assert "persons" in found.notes[0] and "persons" in found.estimates[0].note


def test_optional_columns_other_names_and_columns_that_are_passed_over(tmp_path):
    head = "question_id,participant,model_confidence,correct,belief,topic,words,own_answer,device"
    path = written(tmp_path, "q1,p1,0.5,true,50%,law,12,B,phone", "q1,p2,0.5,yes,0.4,law,12,,", head=head)
    recorded = read(path, renamed="belief=human_confidence")
    row = recorded.rows.to_dicts()[0]
    assert (row["reader_confidence"], row["subject"], row["words"], row["own"]) == (0.5, "law", 12, "B")
    assert recorded.rows["reader_confidence"].to_list() == [0.5, 0.4] and recorded.rows["own"][1] is None
    assert "columns passed over: device" in recorded.notes
    alone = read(written(tmp_path, "q1,0.5,1,0.4", head="item,m,correct,h", name="few.csv"))
    assert any("one reader" in note for note in alone.notes) and alone.rows["style"][0] == "default"


def test_missing_cells_are_counted_and_left_out(tmp_path):
    path = written(tmp_path, "a,p,low,short,0.5,1,0.4", "b,p,low,short,,1,0.4", "c,p,low,short,0.5,,0.4",
                   "d,p,low,short,0.5,1,", "e,p,low,short,0.5,0,NA")  # fmt: skip
    found = gap.score_recorded(read(path), FEW)
    assert any("4 of 5 trials lack" in note for note in found.notes)
    assert found["share of trials read"] == 0.6
    assert found.table("Styles and lengths").rows[0][:3] == ("low", "short", 1)


def test_repeated_trials_are_numbered(tmp_path):
    rows = read(written(tmp_path, *["a,p,Low confidence,uncertainty-only,0.5,1,0.4"] * 3)).rows
    assert rows["sample"].to_list() == [0, 1, 2] and set(rows["style"]) == {"low"}
    assert set(rows["length"]) == {"uncertainty_only"}


@pytest.mark.parametrize(
    ("line", "options", "says"),
    [
        ("a,p,certain,short,0.5,1,0.4", {}, "known are"),
        ("a,p,low,endless,0.5,1,0.4", {}, "uncertainty_only"),
        ("a,p,low,short,50,1,0.4", {}, "divide by 100"),
        ("a,p,low,short,0.5,1,140", {}, "0 to 100"),
        ("a,p,low,short,0.5,1,40", {"scale": "probability"}, "--scale percent"),
        ("a,p,low,short,0.5,maybe,0.4", {}, "1 or 0"),
        ("a,p,low,short,0.5,1,rather", {}, "is no number"),
        (",p,low,short,0.5,1,0.4", {}, "names the item"),
        ("a,p,low,short,0.5,1,0.4", {"renamed": "nothing"}, "theirs=ours"),
        ("a,p,low,short,0.5,1,0.4", {"renamed": "style=colour"}, "ours"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(tmp_path, line, options, says):
    with pytest.raises(DoxaError, match=says):
        read(written(tmp_path, line), **options)


def test_files_that_are_none(tmp_path):
    with pytest.raises(DoxaError, match="no rows"):
        read(written(tmp_path))
    with pytest.raises(DoxaError, match="none of them is human_confidence"):
        read(written(tmp_path, "a,0.5,1", head="item_id,model_confidence,correct"))
    with pytest.raises(DoxaError, match="right in one row and wrong in another"):
        read(written(tmp_path, "a,p,low,short,0.5,1,0.4", "a,q,low,short,0.5,0,0.4"))


def test_rows_of_a_run_score_like_the_run(tmp_path):
    part = doxa.run(gap.study, "simulated:calibrated", items=gap.example(), options=FEW)["calibration-gap"]
    for suffix, write in ((".parquet", "write_parquet"), (".jsonl", "write_ndjson")):
        path = tmp_path / f"rows{suffix}"
        getattr(part.rows(), write)(path)
        found = gap.score_recorded(gap.read_file(path, FEW), FEW)
        assert [e.value for e in found.estimates] == pytest.approx(
            [e.value for e in part.findings.estimates], nan_ok=True
        )


@pytest.fixture
def persons(tmp_path):
    """60 readers of 20 trials each out of 200 items; styles and lengths drawn at random; all read by the wording."""
    rng = np.random.default_rng(5)
    m = rng.uniform(0.25, 1, 200)
    correct = (rng.random(200) < m).astype(int)
    lines = []
    for reader in range(60):
        habit = rng.normal(0, 0.05)
        for item in rng.choice(200, 20, replace=False):
            style, length = rng.choice(["default", "low", "medium", "high"]), rng.choice(["long", "short"])
            step = {"low": -0.25, "medium": 0.0}.get(str(style), 0.25)
            h = np.clip(0.55 + habit + step + 0.03 * (length == "long") + rng.normal(0, 0.1), 0, 1)
            lines.append(f"q{item},p{reader},{style},{length},{m[item]:.4f},{correct[item]},{h:.3f}")
    return written(tmp_path, *lines)


def test_what_persons_do_is_found(persons):
    found = gap.score_recorded(read(persons), gap.Options(resamples=200))
    for name, planted in (("effect of low", -0.25), ("effect of high", 0.25)):
        estimate = found.estimate(name)
        assert estimate.low < planted < estimate.high and abs(estimate.value - planted) < 4 * 0.009
    assert found.estimate("mean gap, default").low > 0 and "60 readers" in found.estimate("bias, default").method
    assert 0.25 < found["share of trials in the style that fits"] < 0.42  # a third of 460 trials, sd .022
    assert found["calibration gap, selected minus default"] < 0
    shuffled = gap.score(gap.study.shuffled(read(persons).rows, 1), FEW)
    assert abs(shuffled["model AUC, default"] - 0.5) < 4 * 0.05  # 160 items, 300 trials


def test_files_side_by_side(persons, tmp_path):
    other = written(tmp_path, "a,p,default,long,0.5,1,0.4", "b,p,default,long,0.6,0,0.7", name="other.csv")
    table = gap.across([read(persons), read(other)], FEW).table("Files")
    assert [row[0] for row in table.rows] == ["trials", "other"]
    place = table.columns.index("mean gap, default")
    assert table.rows[1][place] == pytest.approx(0.0) and math.isnan(table.rows[1][-1])


def test_recorded_trials_have_no_explanations_to_count(persons):
    found = gap.score_recorded(read(persons), FEW)
    assert math.isnan(found["share of explanations for another answer"])
    assert found.table("Styles and lengths").rows[0][-1] is None
    assert isinstance(read(persons).rows, pl.DataFrame)
