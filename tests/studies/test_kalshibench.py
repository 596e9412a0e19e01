"""KalshiBench: figures worked out by hand, and planted forecasters under three readings."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import doxa
from doxa.data.forecasts import READINGS, in_every_reading, with_readings
from doxa.data.known_chances import events
from doxa.metrics import ace, auroc, brier, brier_skill, ece, log_score
from doxa.metrics.forecasts import half_open_bins, half_open_ece, half_open_mce
from doxa.models.simulated import Always, Forecast, Respondent, Sharpened
from doxa.studies.kalshibench import Options, Row, score, study
from doxa.study import frame

QUICK = Options(resamples=100)
PAPER = replace(QUICK, prompt="paper")


def rows_of(answer, number, truth, **more):
    n = len(number)
    columns = {"item": [f"q{i:04d}" for i in range(n)], "question_id": [f"q{i:04d}" for i in range(n)]}
    columns |= {"answer": answer, "number": number, "truth": truth, "outcome": ["ok"] * n} | more
    return frame([dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)], Row)


def as_words(y):
    return ["yes" if happened else "no" for happened in y]


# --- known answers ---------------------------------------------------------------------------------------------------

P = (0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05)
Y = (1, 1, 1, 0, 1, 0, 1, 0, 0, 0)


def test_unit_case():
    rows = rows_of([None] * 10, P, as_words(Y))
    found = score(rows, QUICK)
    for how in READINGS:
        assert found[f"ECE, {how}"] == pytest.approx(0.21)
        assert found[f"Brier, {how}"] == pytest.approx(0.1645)
        assert found[f"AUROC, {how}"] == pytest.approx(0.84)
    assert score(rows, replace(QUICK, bins=5))["ACE, literal"] == pytest.approx(0.14)
    # Seven say yes, of which .85 and .65 once did not happen; the three that say no are right.
    assert found["accuracy"] == pytest.approx(0.8)
    assert found.table("Answers and outcomes").rows == (("yes", 5, 2), ("no", 0, 3))


def test_baselines_know_nothing():
    rows = rows_of([None] * 10, P, as_words(Y), market=[0.5] * 5 + [None] * 5)
    table = {row[0]: row[1:] for row in score(rows, QUICK).table("Forecasters").rows}
    n, error, skill, _, calibration = table["base rate of these questions"]
    assert (
        (n, error) == (10, 0.25) and skill == pytest.approx(0, abs=1e-12) and calibration == pytest.approx(0, abs=1e-12)
    )
    assert table["always 0.5"][1:3] == (0.25, 0.0)
    assert table["market price"][:2] == (5, 0.25) and table["literal, where priced"][0] == 5


def test_always_one_half_takes_no_side():
    found = score(rows_of([None] * 4, [0.5] * 4, ["yes", "no", "no", "no"]), QUICK)
    assert math.isnan(found["accuracy"]) and found["Brier, literal"] == 0.25 and found["mean confidence"] == 0.5
    assert any("take no side" in note for note in found.notes)


def test_a_number_is_read_in_three_ways():
    answer = ["no", "no", "yes", "yes", None, "no"]
    table = with_readings(rows_of(answer, [0.05, 0.9, 0.8, 0.3, 0.2, 0.5], ["no"] * 6))
    assert table["literal"].to_list() == [0.05, 0.9, 0.8, 0.3, 0.2, 0.5]
    assert table["as scored"].to_list() == pytest.approx([0.95, 0.1, 0.8, 0.3, 0.2, 0.5])
    assert table["coherent"].to_list() == pytest.approx([0.05, 0.1, 0.8, 0.7, 0.2, 0.5])
    assert table["said"].to_list() == ["no", "no", "yes", "yes", "no", "no"]


def test_style_counts_a_number_of_exactly_fifty_on_neither_side():
    found = score(rows_of(["no"] * 4 + ["yes"], [0.1, 0.2, 0.5, 0.9, 0.1], [None] * 5), QUICK)
    assert (found["literal style"], found["answer style"]) == (0.5, 0.25)
    assert found.estimate("literal style").n == 4


def test_unread_replies_are_counted_and_scored_as_one_half():
    rows = rows_of(["yes", "no", None], [0.8, 0.4, None], ["yes", "no", "yes"], outcome=["ok", "ok", "unparsed"])
    found = score(rows, PAPER)
    assert found["parse rate"] == pytest.approx(2 / 3) and found["accuracy"] == 1.0
    assert found.estimate("accuracy").bounds == pytest.approx((2 / 3, 1.0))
    # literal errors .04 and .16, mean .1; wrong would add 1, right 0: (1.2 / 3, .2 / 3)
    assert found.estimate("Brier, literal").bounds == pytest.approx((0.4, 0.2 / 3))
    table = {row[0]: row[1:] for row in found.table("Forecasters").rows}
    assert table["literal, unread as 0.5"][:2] == pytest.approx((3, (0.04 + 0.16 + 0.25) / 3))
    assert found.estimate("accuracy").outcomes == {"ok": 2, "unparsed": 1}


def test_small_categories_are_hidden():
    rows = rows_of(["yes"] * 14, [0.9] * 14, ["yes"] * 14, category=["Sports"] * 10 + ["Science"] * 4)
    table = score(rows, QUICK).table("Categories")
    assert [row[:3] for row in table.rows] == [("Sports", 10, 1.0)] and table.note.startswith("1 categories")
    assert len(score(rows, replace(QUICK, min_category=1)).table("Categories").rows) == 2


def test_one_outcome_only_is_undefined_and_published_as_zero():
    rows = rows_of(["no"] * 3, [0.1, 0.2, 0.3], ["no"] * 3)
    ours, published = score(rows, QUICK), score(rows, replace(QUICK, variant="published"))
    for name in ("Brier skill, literal", "F1 of yes", "macro F1"):
        assert math.isnan(ours[name])
    assert published["Brier skill, literal"] == 0 and published["F1 of yes"] == 0 and published["macro F1"] == 0.5


def test_edges_of_bins_and_a_forecast_of_one():
    """1 - .9 belongs to .1 to .2, and a wrong forecast of 1 is an error; the published bins miss both."""
    forecast, happened = [1 - 0.9, 0.1, 1.0, 1.0], [0, 0, 0, 0]
    rows = rows_of([None] * 4, forecast, as_words(happened))
    assert score(rows, QUICK)["ECE, literal"] == pytest.approx(2.2 / 4)
    assert score(rows, replace(QUICK, variant="published"))["ECE, literal"] == pytest.approx(0.2 / 4)
    assert [(b.label, b.n) for b in half_open_bins(forecast)] == [("0.0-0.1", 1), ("0.1-0.2", 1)]
    assert math.isnan(half_open_mce([1.0], [0])) and half_open_ece([1.0], [0]) == 0


def test_every_figure_is_the_metric_it_is_named_after():
    rng = np.random.default_rng(5)
    p, y = rng.random(120).round(2), rng.random(120) < 0.4
    found = score(rows_of([None] * 120, p, as_words(y)), QUICK)
    measured = {"Brier": brier, "Brier skill": brier_skill, "ACE": ace, "AUROC": auroc}
    for name, metric in measured.items():
        assert found[f"{name}, literal"] == pytest.approx(metric(p, y)), name
    assert found["log loss, literal"] == pytest.approx(log_score(p, y, clip=1e-15))
    for e in found.estimates:
        assert e.low <= e.value <= e.high or math.isnan(e.low), e


@pytest.mark.parametrize("rows", [[], [{"item": "a", "question_id": "a", "outcome": "unparsed", "truth": "yes"}]])
def test_nothing_readable_gives_nan(rows):
    found = score(frame(rows, Row), QUICK)
    assert all(math.isnan(e.value) for e in found.estimates if e.name != "parse rate")


# --- planted forecasters ---------------------------------------------------------------------------------------------


def drawn(rng, n=300):
    """Probabilities of events, and the events."""
    q = rng.beta(1.2, 1.8, n)
    return q, rng.random(n) < q


def sharpened(q, k):
    return 1 / (1 + ((1 - q) / q) ** k)


@pytest.mark.parametrize(("k", "error", "skill"), [(1, 0.058, 0.245), (2, 0.116, 0.195), (3, 0.161, 0.133)])
def test_planted_slopes_over_200_repetitions(k, error, skill):
    """Standard errors .0016 and .0053 (from sd .023 and .075 of one repetition); +-.006 and +-.02 are more than 3."""
    rng = np.random.default_rng(1)
    pairs = [drawn(rng) for _ in range(200)]
    assert np.mean([ece(sharpened(q, k), y, closed="left") for q, y in pairs]) == pytest.approx(error, abs=0.006)
    assert np.mean([brier_skill(sharpened(q, k), y) for q, y in pairs]) == pytest.approx(skill, abs=0.02)
    if k == 1:
        assert np.mean([brier(q, y) for q, y in pairs]) == pytest.approx(0.1805, abs=0.003)


def test_a_calibrated_forecaster_looks_worst_under_the_wrong_reading():
    """Standard errors .0022 and .0076 (from sd .031 and .107)."""
    rng = np.random.default_rng(2)
    found = {how: [] for how in ("as scored", "literal")}
    for _ in range(200):
        q, y = drawn(rng)
        table = with_readings(rows_of(["no" if p < 0.5 else "yes" for p in q], q, as_words(y)))
        for how, values in found.items():
            values.append((ece(table[how], y, closed="left"), brier_skill(table[how], y)))
    errors = {how: np.mean(values, axis=0) for how, values in found.items()}
    assert errors["as scored"] == pytest.approx([0.329, -0.644], abs=0.02)
    assert errors["as scored"][0] == pytest.approx(0.329, abs=0.006)
    assert errors["literal"][0] == pytest.approx(0.058, abs=0.006)


def test_a_respondent_asked_as_published_and_as_recommended():
    """One repetition of 300: five standard deviations (.015 and .031) around the means."""
    model = Respondent(belief=Forecast(), decoding="modal")
    asked = doxa.run(study, model, items=events(300), options=PAPER)["kalshibench"]
    found = asked.findings
    assert found["parse rate"] == 1 and found["literal style"] == 1
    assert found["ECE, literal"] == pytest.approx(0.058, abs=0.075)
    assert found["ECE, literal"] == found["ECE, coherent"]
    assert found["ECE, as scored"] == pytest.approx(0.329, abs=0.155) and found["Brier skill, as scored"] < -0.3
    by_chance = found.estimate("ECE of a calibrated forecaster, literal")
    assert by_chance.low < found["ECE, literal"] < by_chance.high
    assert by_chance.value == pytest.approx(0.058, abs=0.01)

    alone = doxa.run(study, model, items=events(300), options=QUICK)["kalshibench"].findings
    assert alone["ECE, as scored"] == alone["ECE, literal"] == pytest.approx(found["ECE, literal"], abs=1e-9)
    assert any("the three readings are one" in note for note in alone.notes)


def test_overconfidence_is_found_and_its_absence_is_not():
    options = replace(QUICK, resamples=300)
    found = {}
    for k in (1.0, 3.0):
        model = Respondent(belief=Forecast(), confidence=Sharpened(k), decoding="modal")
        found[k] = doxa.run(study, model, items=events(300), options=options)["kalshibench"].findings
    # Planted .161 (sd .023) against .058 (sd .015).
    assert found[3.0]["ECE, literal"] - found[1.0]["ECE, literal"] > 0.05
    assert found[1.0].estimate("ECE, literal").low < 0.02 < found[3.0].estimate("ECE, literal").low
    assert found[3.0]["overconfidence at 0.9"] > found[1.0]["overconfidence at 0.9"]


def test_shuffled_outcomes_leave_no_skill():
    rows = doxa.run(study, Respondent(belief=Forecast(), decoding="modal"), items=events(300), options=QUICK)[
        "kalshibench"
    ].rows()
    null = score(study.shuffled(rows, 1), QUICK)
    # sd of an AUROC without signal at 120 and 180 is .034; four of them.
    assert null["AUROC, literal"] == pytest.approx(0.5, abs=0.14) and null["Brier skill, literal"] < 0.05


def test_trivial_respondents():
    always = Respondent(decide=Always("no"), confidence=lambda p, c: 0.9)
    found = doxa.run(study, always, items=events(300), options=PAPER)["kalshibench"].findings
    assert found["F1 of no"] > 0.5 and found["recall of no"] == 1 and found["AUROC, literal"] == 0.5


def test_numbers_of_replies_that_were_not_read_are_no_confidences():
    rows = pl.DataFrame(
        {
            "item": ["a", "b"],
            "group": ["a", "b"],
            "answer": ["yes", None],
            "number": [0.9, 0.7],
            "scored": [None, None],
            "outcome": ["ok", "truncated"],
            "truth": ["yes", "no"],
        },
        schema_overrides={"scored": pl.Float64},
    )
    graded = in_every_reading(rows).filter(pl.col("way") == "P(yes), literal")
    assert graded["confidence"].to_list() == [0.9, None] and graded["correct"].to_list() == [True, False]
