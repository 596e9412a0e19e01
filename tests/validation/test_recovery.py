"""Planted truth: what is planted is found, a broken instrument is caught, tolerances are standard errors."""

import dataclasses
import json
import math

import pytest
import small_study

from doxa import validation
from doxa.planted import Expected, Truth
from doxa.records import DoxaError, Estimate
from doxa.report import write_document
from doxa.validation import curves, kept, recovery

STUDY, TRUTH = small_study.study, small_study.TRUTH


def with_truths(*truths):
    return dataclasses.replace(STUDY, planted=truths)


def test_a_planted_rate_is_recovered_and_its_null_is_clean():
    (found,) = validation.validate([STUDY])
    assert found.recovered and found.null_clean and found.telling and validation.sound([found])
    # standard error at n = 400 and p = .7: sqrt(.21 / 400) = .0229; three of them
    assert found.planted.tolerance == pytest.approx(0.0687, abs=1e-4)
    assert abs(found.planted.measured.value - 0.7) < 0.0687
    assert found.row()[:4] == ("small-study", "rate", "says true", 0.7)
    assert recovery.verdict([found.row()]) == "1 of 1 planted values recovered, 1 of 1 nulls clean"


def test_an_instrument_that_reads_the_opposite_is_caught(monkeypatch):
    read = small_study.TrueFalse.read

    def flipped(self, reply, item=None):
        answer = read(self, reply, item)
        return dataclasses.replace(answer, value={"true": "false", "false": "true"}.get(answer.value))

    monkeypatch.setattr(small_study.TrueFalse, "read", flipped)
    (found,) = validation.validate([STUDY])
    assert not found.recovered and not found.null_clean and not validation.sound([found])


def test_the_null_alone_can_fail():
    off = dataclasses.replace(TRUTH, expects=lambda rate, items: [Expected("says true", 0.7)])
    (found,) = validation.validate([with_truths(off)])
    assert found.recovered and not found.null_clean and not found.telling and not validation.sound([found])


def test_only_the_quick_subset_when_asked_for():
    slow = dataclasses.replace(TRUTH, name="slow", quick=False)
    said = []
    assert [r.truth.name for r in validation.validate([with_truths(TRUTH, slow)], quick=True, say=said.append)] == [
        "rate"
    ]
    assert len(said) == 1 and "says true at a rate" in said[0]
    assert len(validation.validate([with_truths(TRUTH, slow)])) == 2


def test_a_study_that_declares_nothing_and_an_estimate_that_does_not_exist():
    with pytest.raises(DoxaError, match="says nothing that can be planted"):
        validation.validate([with_truths()])
    misnamed = dataclasses.replace(TRUTH, expects=lambda rate, items: [Expected("says yes", rate)])
    with pytest.raises(DoxaError, match="expects an estimate 'says yes'; the study gives 'says true'"):
        validation.validate([with_truths(misnamed)])


def test_items_that_fail_are_an_error_with_the_reason():
    def broken(item, context, prompt):
        raise ValueError("no answer today")

    failing = dataclasses.replace(TRUTH, respondent=lambda rate: small_study.Respondent(decide=broken))
    with pytest.raises(DoxaError, match=r"400 of 400 items failed, the first with.*no answer today"):
        validation.validate([with_truths(failing)])


def test_tolerances():
    assert Expected("x", 0.5).tolerance(100) == pytest.approx(0.15)  # 3 sqrt(.25 / 100)
    assert Expected("x", 0.5, n=25).tolerance(100) == pytest.approx(0.3)
    assert Expected("x", 2.0, sd=1.0).tolerance(9) == pytest.approx(1.0)
    assert Expected("x", 1.0).tolerance(0) == 0 and Expected("x", 3.0, sd=0.0).tolerance(5) == 0
    assert Expected("x", 1.0, slack=0.01, why="rounding").tolerance(10) == pytest.approx(0.01)
    with pytest.raises(ValueError, match="rests on 0 units"):
        Expected("x", 0.5).tolerance(0)
    with pytest.raises(ValueError, match="no proportion"):
        Expected("x", 1.5)
    with pytest.raises(ValueError, match="needs a reason"):
        Expected("x", 0.5, slack=0.1)
    with pytest.raises(ValueError, match="strength of its null"):
        Truth("t", "w", small_study.sayer, 0.5, 0.5, small_study.planted)


def test_undefined_is_right_only_where_it_was_planted_so():
    nothing, half = Estimate("x", math.nan), Estimate("x", 0.5, n=10)
    assert recovery.Check(0, Expected("x", math.nan), nothing).holds
    assert not recovery.Check(0, Expected("x", math.nan), half).holds
    assert not recovery.Check(0, Expected("x", 0.5), nothing).holds
    assert recovery.Check(0, Expected("x", 0.5), half).holds


def test_a_curve_has_each_point_of_its_grid():
    (curve,) = validation.sweep([STUDY])
    assert [p.expected.value for p in curve.points] == [0.0, 0.5, 1.0] and all(p.holds for p in curve.points)
    found = curves.as_findings([curve])
    assert found.notes == ("3 of 3 points of 1 curves recovered",)
    assert len(found.tables[0].rows) == 3
    layers = found.charts[0].spec["layer"]
    assert [row["planted"] for row in layers[1]["data"]["values"]] == [0.0, 0.5, 1.0]


def test_recoveries_are_kept_for_one_version_of_the_code(monkeypatch, tmp_path):
    monkeypatch.setattr(kept, "cache_folder", lambda: tmp_path)
    first, said = validation.trusted([STUDY]), []
    again = validation.trusted([STUDY], say=said.append)
    assert again == first and not said
    monkeypatch.setattr(kept, "code_hash", lambda: "another version")
    assert validation.trusted([STUDY], say=said.append) == first and said
    (place,) = tmp_path.glob("validation/*another*")
    place.write_text("{")
    assert validation.trusted([STUDY]) == first


def test_the_document_is_one_file_that_fetches_nothing(tmp_path):
    (found,) = validation.validate([STUDY])
    chapters = [
        ("Planted", recovery.as_findings([found.row()])),
        ("Curves", curves.as_findings(validation.sweep([STUDY]))),
    ]
    text = write_document(tmp_path / "page.html", "Can <these> be trusted?", chapters).read_text()
    assert "Can &lt;these&gt; be trusted?" in text and "1 of 1 planted values recovered" in text
    assert "default-src &#39;none&#39;" in text and "http-equiv" in text
    charts = text.split('id="charts">')[1].split("</script>")[0]
    assert len(json.loads(charts)) == 1


@pytest.mark.parametrize("wrong", ["planted", "null", "neither"])
def test_whether_it_holds_is_what_the_whole_validation_says_and_ends_early(wrong):
    asked = []

    def sayer(rate):
        asked.append(rate)
        return small_study.sayer(rate)

    def planted(rate, items):
        off = 0.2 if wrong == {0.7: "planted", 0.2: "null"}[rate] else 0
        return [Expected("says true", rate - off)]

    study = with_truths(dataclasses.replace(TRUTH, respondent=sayer, expects=planted))
    assert validation.sound(validation.validate([study])) is (wrong == "neither")
    asked.clear()
    assert validation.holds([study]) is (wrong == "neither")
    assert asked == ([0.7] if wrong == "planted" else [0.7, 0.2])


def test_nothing_planted_does_not_hold():
    with pytest.raises(DoxaError, match="says nothing that can be planted"):
        validation.holds([with_truths()])
