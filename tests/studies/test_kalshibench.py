"""KalshiBench: planted forecasters under three readings, files of predictions, outcomes joined to them."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import doxa
from doxa.data.forecasts import READINGS, closing_after, questions, with_readings
from doxa.data.prediction_files import other_samples
from doxa.elicit.structured import Tags
from doxa.metrics import ace, auroc, brier, brier_skill, ece, log_score
from doxa.metrics.forecasts import half_open_bins, half_open_ece, half_open_mce, is_sure
from doxa.models.base import Model
from doxa.models.simulated import Always, Forecast, Respondent, Sharpened
from doxa.records import Answer, DoxaError, Item, Reply
from doxa.runs.recorded import score_files
from doxa.studies.kalshibench import Options, Row, collect, items, read_file, score, study
from doxa.study import Ask, frame

DATA = Path(__file__).parents[3] / "shared" / "data" / "kalshibench"
needs_files = pytest.mark.skipif(not DATA.is_dir(), reason="the published result files are not there")
QUICK = Options(resamples=100)
PAPER = replace(QUICK, prompt="paper")
MODELS = {
    "claude_opus_4.5_20251217_023819": "Opus",
    "deepseek_v3.2_20251217_201128": "DeepSeek",
    "gpt_4o_20251217_201945": "GPT-4o",
    "gpt_5.2_xhigh_20251217_023819": "XHigh",
    "kimi_k2_20251217_205502": "Kimi",
    "qwen3_235b_thinking_20251217_023819": "Qwen",
}


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


def events(n=300, seed=0):
    q, y = drawn(np.random.default_rng(seed), n)
    return [
        Item(f"e{i:03d}", f"Will event {i} happen?", answer=as_words(y)[i], fields={"probability": float(q[i])})
        for i in range(n)
    ]


def test_a_respondent_asked_as_published_and_as_recommended():
    """One repetition of 300: five standard deviations (.015 and .031) around the means."""
    model = Respondent(belief=Forecast(), decoding="modal")
    asked = doxa.run(study, model, items=events(), options=PAPER)["kalshibench"]
    found = asked.findings
    assert found["parse rate"] == 1 and found["literal style"] == 1
    assert found["ECE, literal"] == pytest.approx(0.058, abs=0.075)
    assert found["ECE, literal"] == found["ECE, coherent"]
    assert found["ECE, as scored"] == pytest.approx(0.329, abs=0.155) and found["Brier skill, as scored"] < -0.3
    by_chance = found.estimate("ECE of a calibrated forecaster, literal")
    assert by_chance.low < found["ECE, literal"] < by_chance.high
    assert by_chance.value == pytest.approx(0.058, abs=0.01)

    alone = doxa.run(study, model, items=events(), options=QUICK)["kalshibench"].findings
    assert alone["ECE, as scored"] == alone["ECE, literal"] == pytest.approx(found["ECE, literal"], abs=1e-9)
    assert any("the three readings are one" in note for note in alone.notes)


def test_overconfidence_is_found_and_its_absence_is_not():
    options = replace(QUICK, resamples=300)
    found = {}
    for k in (1.0, 3.0):
        model = Respondent(belief=Forecast(), confidence=Sharpened(k), decoding="modal")
        found[k] = doxa.run(study, model, items=events(), options=options)["kalshibench"].findings
    # Planted .161 (sd .023) against .058 (sd .015).
    assert found[3.0]["ECE, literal"] - found[1.0]["ECE, literal"] > 0.05
    assert found[1.0].estimate("ECE, literal").low < 0.02 < found[3.0].estimate("ECE, literal").low
    assert found[3.0]["overconfidence at 0.9"] > found[1.0]["overconfidence at 0.9"]


def test_shuffled_outcomes_leave_no_skill():
    rows = doxa.run(study, Respondent(belief=Forecast(), decoding="modal"), items=events(), options=QUICK)[
        "kalshibench"
    ].rows()
    null = score(study.shuffled(rows, 1), QUICK)
    # sd of an AUROC without signal at 120 and 180 is .034; four of them.
    assert null["AUROC, literal"] == pytest.approx(0.5, abs=0.14) and null["Brier skill, literal"] < 0.05


def test_trivial_respondents():
    always = Respondent(decide=Always("no"), confidence=lambda p, c: 0.9)
    found = doxa.run(study, always, items=events(), options=PAPER)["kalshibench"].findings
    assert found["F1 of no"] > 0.5 and found["recall of no"] == 1 and found["AUROC, literal"] == 0.5


# --- asking ----------------------------------------------------------------------------------------------------------


def test_bank_questions_have_the_published_base_rate():
    asked = items(Options(questions=50))
    assert len(asked) == 50 and [i.answer for i in asked].count("yes") == 20
    assert all(i.text.startswith("Is it true that ") and i.fields["category"] for i in asked)
    assert len({i.id for i in asked}) == 50 and asked == items(Options(questions=50))


def test_prompts_and_parsers():
    item = study.example()[0]
    assert "<probability>" in Tags("probability").prompt(item).show()
    for options, text, read in (
        (PAPER, "So the answer is no.", ("unparsed", None)),
        (replace(PAPER, fallback="words"), "So the answer is no. <confidence>20</confidence>", ("ok", "no")),
        (replace(PAPER, variant="published"), "I know not. yes", ("ok", "no")),
    ):
        rows = doxa.run(study, Says(text), items=[item], options=options)["kalshibench"].rows()
        assert (rows["outcome"][0], rows["answer"][0]) == read, options
        assert score(rows, options)["tokens per prediction"] == 10


class Says(Model):
    """Gives one reply to everything."""

    capabilities = frozenset({"generate"})
    stored = False

    def __init__(self, reply):
        self.reply = reply

    async def generate(self, prompt, sampling, context=None):
        return [Reply(self.reply, input_tokens=7, output_tokens=3)]


async def test_a_row_keeps_what_was_said():
    reply = Tags().write(Answer("ok", "no", 0.05, note="rare"))
    asked = replace(events(1)[0], answer="No", fields={"question_id": "KX", "category": "Sports", "market": 0.3})
    (row,) = [row async for row in collect(asked, Ask(Says(reply), asked), PAPER)]
    assert (row.answer, row.number, row.scored, row.truth) == ("no", 0.05, 0.95, "no")
    assert (row.question_id, row.category, row.market, row.tokens) == ("KX", "Sports", 0.3, 10)


def test_a_set_is_filtered_by_date_thinned_by_series_and_sampled(tmp_path):
    lines = ["id,question,description,category,close_time,ground_truth,series_ticker,market_probability"]
    for i in range(12):
        closes = "2025-09-30T23:59:00Z" if i % 4 == 0 else f"2025-10-{i + 1:02d}T00:00:00Z"
        lines.append(f"KX{i // 4},Event {i}?,Text,Sports,{closes},{'yes' if i % 3 else 'no'},KX{i // 4},")
    path = tmp_path / "set.csv"
    path.write_text("\n".join(lines))
    every = questions(path, per_series=99, n=None)
    assert len(every) == 12 and every[0].id == "KX0#0" and every[0].group == "KX0" and every[0].answer == "no"
    # The first two of each series of four, then without the one that closes too early.
    kept = questions(path, cutoff="2025-10-01", per_series=2, n=None)
    assert [i.id for i in kept] == ["KX0#1", "KX1#5", "KX2#9"]
    order = np.random.RandomState(42).choice(12, 5, replace=False)
    assert [i.id for i in questions(path, per_series=99, n=5)] == [every[i].id for i in order]
    asked = items(Options(set=str(path), cutoff="2025-10-01"))
    assert len(asked) == 3 and "Description:\nText" in Tags().prompt(asked[0]).show()
    with pytest.raises(DoxaError, match="none of 12 questions closes at or after 2026"):
        questions(path, cutoff="2026-01-01", n=None)
    with pytest.raises(DoxaError, match="cutoff is 'soon'; it is an ISO date"):
        questions(path, cutoff="soon")


def test_dates_are_compared_as_dates():
    item = Item("a", "?", fields={"close_time": "2025-10-01T01:00:00+02:00"})  # 23:00 the day before, by UTC
    assert closing_after([item], "2025-10-01") == [] and closing_after([item], "2025-09-30") == [item]
    with pytest.raises(DoxaError, match="close_time of 'b' is None"):
        closing_after([Item("b", "?")], "2025-10-01")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("id,question,outcome\na,Q?,maybe", "the outcome is 'maybe'"),
        ("id,question\na,Q?", "no question has an outcome"),
    ],
)
def test_a_set_without_usable_outcomes_is_refused(tmp_path, cells, message):
    path = tmp_path / "set.csv"
    path.write_text(cells)
    with pytest.raises(DoxaError, match=message):
        questions(path)


# --- files -----------------------------------------------------------------------------------------------------------


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


# --- the published files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    """Each published file as read, and its content."""
    paths = {name: DATA / f"{stem}.json" for stem, name in MODELS.items()}
    return {name: (read_file(path, QUICK), json.loads(path.read_text())) for name, path in paths.items()}


@needs_files
@pytest.mark.parametrize(
    ("name", "ece_", "no", "literal", "as_scored", "literal_error", "sure"),
    [
        ("Opus", 0.1201, 191, 0.105, 0.039, 0.310, (170, 104, 53)),
        ("XHigh", 0.3947, 231, 0.996, 0.395, 0.145, (208, 145, 94)),
        ("Kimi", 0.2981, 211, 0.664, 0.213, 0.105, (193, 144, 90)),
        ("Qwen", 0.2966, 228, 0.474, 0.120, 0.201, (217, 172, 102)),
        ("DeepSeek", 0.2838, 204, 0.789, 0.264, 0.059, (150, 89, 34)),
        ("GPT-4o", 0.2094, 198, 0.581, 0.155, 0.066, (114, 58, 19)),
    ],
)
def test_a_published_file(published, name, ece_, no, literal, as_scored, literal_error, sure):
    recorded, content = published[name]
    found = study.score_recorded(recorded, QUICK)
    assert found["ECE, as scored"] == pytest.approx(ece_, abs=5e-5)
    assert found["literal style"] == pytest.approx(literal, abs=5e-4) and found.estimate("literal style").n == no
    assert found["two-group calibration error, as scored"] == pytest.approx(as_scored, abs=5e-4)
    assert found["two-group calibration error, literal"] == pytest.approx(literal_error, abs=5e-4)
    table = found.table("Stored and made again").rows
    assert max(abs(row[3]) for row in table) < 1e-9
    assert sum(row[0].startswith("n of") for row in table) == len(content["reliability_diagram"])
    parsed = recorded.rows.filter(pl.col("outcome") == "ok")["scored"]
    assert tuple(int(is_sure(parsed, t).sum()) for t in (0.7, 0.8, 0.9)) == sure
    for t, n in zip((70, 80, 90), sure, strict=True):
        wrong = content[f"overconfidence_rate_{t}"] * n
        assert wrong == pytest.approx(round(wrong), abs=1e-9)
    for made, stored in zip(half_open_bins(parsed), content["reliability_diagram"], strict=True):
        assert (made.label, made.n) == (stored["bin"], stored["count"])
        assert made.forecast == pytest.approx(stored["avg_confidence"], abs=1e-12)


@needs_files
def test_tags_read_as_they_are_stored(published):
    """All rows of five files; of Kimi's, 13 have no usable tag: 8 end unread and 5 become no by counting substrings."""
    form, guess = Tags(as_published=True), Tags(as_published=True, fallback="substrings")
    for name, (recorded, _) in published.items():
        untagged = []
        for row in recorded.rows.iter_rows(named=True):
            read = form.read(row["text"])
            if read.value is None:
                untagged.append(row)
                assert guess.read(row["text"]).value == row["answer"]
            else:
                assert read.value == row["answer"]
                assert read.confidence == pytest.approx(row["number"], abs=1e-12)
        answers = [row["answer"] for row in untagged]
        assert (len(answers), answers.count("no")) == ((13, 5) if name == "Kimi" else (0, 0))
    words = Tags(as_published=True, fallback="words")
    texts = [r["text"] for r in published["Kimi"][0].rows.iter_rows(named=True) if r["answer"] == "no"]
    assert sum(words.read(text).value != "no" for text in texts) == 2
    assert "(rows 59, 98, 216, 228, 273)" in published["Kimi"][0].notes[0]
    assert published["Kimi"][0].rows["outcome"].to_list().count("unparsed") == 8


@needs_files
def test_other_edges_hold_other_rows(published):
    """Values such as .3, .7 and 1 - .9 sit on an edge; a forecast of exactly 1 is in no published bin."""
    moved, ones = {}, {}
    for name, (recorded, _) in published.items():
        p = recorded.rows.filter(pl.col("outcome") == "ok")["scored"].to_numpy()
        moved[name] = int((np.searchsorted(np.linspace(0, 1, 11), p, side="right") - 1 != np.floor(10 * p)).sum())
        ones[name] = int((p == 1).sum())
        assert sum(b.n for b in half_open_bins(p)) == len(p) - ones[name]
    assert moved == {"Opus": 1, "DeepSeek": 63, "GPT-4o": 100, "XHigh": 29, "Kimi": 37, "Qwen": 16}
    assert ones == {"Opus": 0, "DeepSeek": 1, "GPT-4o": 0, "XHigh": 0, "Kimi": 0, "Qwen": 3}


@needs_files
def test_no_answers_of_the_most_literal_model(published):
    recorded, content = published["XHigh"]
    table = study.score_recorded(recorded, QUICK).table("One number, three readings")
    mean = {row[0]: row[1:] for row in table.rows}['mean P(yes) of "no" answers']
    assert mean[:2] == pytest.approx((0.826, 0.174), abs=5e-4)
    counts = content["confusion_matrix"]
    assert counts["fn"] / (counts["fn"] + counts["tn"]) == pytest.approx(78 / 231)


@needs_files
def test_the_published_ranking_follows_how_the_prompt_is_read():
    found = score_files(study, [DATA / f"{stem}.json" for stem in MODELS], QUICK)
    label, across = found[-1]
    assert label == "all files" and len(found) == 7
    assert across["Pearson, literal style and ECE"] == pytest.approx(0.893, abs=5e-4)
    assert across["Spearman, literal style and ECE"] == pytest.approx(0.714, abs=5e-4)
    estimate = across.estimate("Pearson, literal style and ECE")
    assert estimate.method == "fisher, p = 0.017" and estimate.low > 0 and estimate.n == 6
    assert across.notes == (
        "GPT-4o rests on another sample than Claude-Opus-4.5 (127 ids in common): they make no pairs",
    )
    assert len(across.table("Models").rows) == 6


@needs_files
def test_published_figures_stand_beside_the_stored_ones():
    found = dict(score_files(study, [DATA / "claude_opus_4.5_20251217_023819.json"], QUICK))["Claude-Opus-4.5"]
    own = {c.estimate: c for c in found.claims if "Opus" in c.setting}
    assert len(own) == 9
    for claim in own.values():
        assert claim.measured == pytest.approx(claim.published, abs=6e-4)


@needs_files
def test_outcomes_give_every_reading_of_a_published_file(published, tmp_path):
    """Outcomes made up so that literally read numbers are calibrated: the literal reading must then be the best one."""
    rows = published["XHigh"][0].rows
    happened = np.random.default_rng(3).random(300) < rows["number"].to_numpy()
    path = tmp_path / "outcomes.csv"
    path.write_text("outcome\n" + "\n".join(as_words(happened)))
    options = replace(QUICK, outcomes=str(path))
    found = score_files(study, [DATA / "gpt_5.2_xhigh_20251217_023819.json"], options)[0][1]
    assert found["ECE, literal"] < 0.12 < 0.4 < found["ECE, as scored"]
    assert found["Brier skill, literal"] > 0.2 > 0 > found["Brier skill, as scored"]
