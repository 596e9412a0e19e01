"""Thinking out loud: planted models compared, known figures, lengths, unread replies; and what is asked."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from pytest import approx

import doxa
from doxa.elicit.reasoned_persons import length
from doxa.metrics import auprc, auroc
from doxa.metrics import reasoning_tables as tables
from doxa.metrics.reasoning import by_length, calibration_scores
from doxa.models.base import Model
from doxa.records import DoxaError, Item, Reply
from doxa.studies.thinking_out_loud import Options, Row, across, collect, items, score, study
from doxa.study import Ask, Recorded, frame

QUICK = Options(resamples=100)


def rows_of(p, said, right, *, attempted=None, who=""):
    tried = np.ones(len(p), bool) if attempted is None else attempted
    return frame(
        [
            Row(
                item=f"q{i}",
                strategy="v",
                who=who,
                outcome="ok" if tried[i] else "abstained",
                answer="right" if tried[i] else None,
                confidence=float(said[i]) if tried[i] else None,
                truth=("right" if right[i] else "wrong",),
            )
            for i in range(len(p))
        ],
        Row,
    )


def planted(n, seed):
    """Three models with one skill: instruct declines below .2, sft says .3 too much, rl is calibrated."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    right = {who: rng.random(n) < p for who in ("instruct", "sft", "rl")}
    said = {"instruct": p, "sft": np.minimum(p + 0.3, 1), "rl": p}
    tried = {"instruct": p >= 0.2}
    return p, {w: rows_of(p, said[w], right[w], attempted=tried.get(w)) for w in right}


def compared(n, seed, resamples=100):
    p, rows = planted(n, seed)
    recorded = [Recorded(who, table) for who, table in rows.items()]
    return p, rows, across(recorded, replace(QUICK, resamples=resamples))


def test_three_planted_models_are_told_apart():
    p, rows, found = compared(2000, 0)
    own = {who: score(table, QUICK) for who, table in rows.items()}
    declined = p < 0.2
    assert own["instruct"]["not attempted, count, v"] == declined.sum()
    assert own["sft"]["not attempted, count, v"] == own["rl"]["not attempted, count, v"] == 0
    # Measured over 200 draws: .022 (sd .006), .256 (sd .009), .025 (sd .007).
    assert own["rl"]["ECE, v"] < 0.05 < own["sft"]["ECE, v"]
    assert own["sft"]["ECE, v"] == approx(0.256, abs=3 * 0.009) and own["instruct"]["ECE, v"] < 0.05
    error = np.sqrt((p * (1 - p))[declined].sum()) / declined.sum()
    for who in ("sft", "rl"):
        assert found[f"accuracy, newly tried, {who}, v"] == approx(p[declined].mean(), abs=3 * error)
        assert found.estimate(f"accuracy, newly tried, {who}, v").n == declined.sum()
    assert "ECE, newly tried, instruct, v" not in found
    assert {found.estimate(f"ECE, shared, {w}, v").n for w in rows} == {(~declined).sum()}
    worse = found.estimate("ECE, shared, sft minus instruct, v")
    better = found.estimate("ECE, shared, rl minus sft, v")
    null = found.estimate("accuracy, shared, sft minus instruct, v")
    assert worse.low > 0 and better.high < 0 and null.low < 0 < null.high
    assert found.charts[0].name == "From model to model, v"
    assert [row[:2] for row in found.table("Attempts").rows] == [
        ("instruct, v", 2000),
        ("sft, v", 2000),
        ("rl, v", 2000),
    ]


def test_overconfidence_is_found_on_300_questions():
    assert all(compared(300, s)[2].estimate("ECE, shared, sft minus instruct, v").low > 0 for s in range(6))


@pytest.mark.slow
def test_overconfidence_is_found_in_95_of_100_and_none_where_there_is_none():
    found = [compared(300, s)[2] for s in range(100)]
    assert sum(f.estimate("ECE, shared, sft minus instruct, v").low > 0 for f in found) >= 95
    # rl and instruct are both calibrated on what they share: a difference is found in about 5 of 100 at most (+3 sd).
    assert sum(f.estimate("ECE, shared, rl minus instruct, v").low > 0 for f in found) <= 12


def test_attempts_alone_would_be_no_fair_comparison():
    """With one skill, whoever declines what is hard looks more accurate; on shared questions nobody does."""
    _, rows, found = compared(2000, 1)
    gap = score(rows["instruct"], QUICK)["accuracy, v"] - score(rows["rl"], QUICK)["accuracy, v"]
    assert gap > 0.06  # .6 against .5, sd .017
    assert abs(found["accuracy, shared, rl minus instruct, v"]) < 3 * np.sqrt(2 * 0.2 / 1600)


def test_length_goes_with_confidence_and_error_does_not():
    rng = np.random.default_rng(0)
    p = rng.random(3000)
    tokens = [length(2, chance, normal) for chance, normal in zip(p, rng.normal(size=3000), strict=True)]
    rows = rows_of(p, p, rng.random(3000) < p).with_columns(tokens=pl.Series(tokens, dtype=pl.Int64))
    found = score(rows, QUICK)
    assert found["length and confidence, v"] == approx(-0.895, abs=3 * 0.003)
    assert found["length and accuracy, v"] == approx(-0.51, abs=3 * 0.013)
    lines = found.table("Length, v").rows
    assert len(lines) == 6 and all(line[1] >= 200 for line in lines) and all(line[-1] < 0.1 for line in lines)
    assert [line[5] for line in lines] == sorted((line[5] for line in lines), reverse=True)
    shuffled = score(study.shuffled(rows, 0), QUICK)
    assert abs(shuffled["length and accuracy, v"]) < 3 / np.sqrt(3000)


def test_bins_of_length():
    found = by_length([0, 1999, 2000, 50_000], [0.5] * 4, [1, 0, 1, 1], last=4000, at_least=2)
    assert [b.n for b in found] == [2, 1, 1] and found[0].ece == 0 and np.isnan(found[1].ece)
    with pytest.raises(ValueError, match="the shortest chain -1"):
        by_length([-1], [0.5], [1])


def test_known_figures():
    """The ten items of the specification."""
    p = [0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05]
    y = [1, 1, 1, 0, 1, 0, 1, 0, 0, 0]
    rows = rows_of(p, p, y)
    found = score(rows, QUICK)
    for name, value in {"ECE": 0.21, "ACE": 0.31, "AUROC": 0.84, "AUPRC-P": 0.8262, "AUPRC-N": 0.8583}.items():
        assert found[f"{name}, v"] == approx(value, abs=5e-5), name
    table = pl.DataFrame({"confidence": p, "correct": list(map(float, y)), "group": list("abcdefghij")})
    table = table.with_columns(attempted=True)
    assert calibration_scores(table, bins=5, resamples=20)["ACE"].value == approx(0.14)
    assert auroc(p, y) == 0.84 and auprc(p, y) == approx(found["AUPRC-P, v"])
    sure = score(rows_of([1] * 3, [1.0] * 3, [1, 1, 0]), QUICK)
    assert sure["ECE, v"] == approx(1 / 3) and sure["AUROC, v"] == 0.5
    assert sure["share at the modal confidence, v"] == 1 and sure["overconfidence, v"] == approx(1 / 3)


def test_equal_bins_take_the_remainder_last():
    p, y = [0.1, 0.2, 0.3], [0, 0, 1]  # two bins: one item, then two: (.1 + |.25 - .5|) / 2
    table = pl.DataFrame({"confidence": p, "correct": list(map(float, y)), "group": list("abc")})
    found = calibration_scores(table.with_columns(attempted=True), bins=2, resamples=20)
    assert found["ACE"].value == approx(0.175)


def test_unread_replies_are_counted_in_bounds_and_as_wrong():
    rows = rows_of([0.8] * 10, [0.8] * 10, [1] * 6 + [0] * 4)
    cut = pl.Series(["truncated"] * 2 + ["unparsed"] + ["ok"] * 6 + ["abstained"])
    found = score(rows.with_columns(outcome=cut), QUICK)
    assert found["unread, v"] == 0.3 and found["truncated, v"] == 0.2 and found["not attempted, v"] == approx(1 / 7)
    assert found["accuracy, v"] == 0.5 and found["accuracy of all, v"] == approx(3 / 7)
    assert found["accuracy, unread wrong, v"] == 0.3
    assert found.estimate("accuracy, v").bounds == (3 / 9, 6 / 9)
    assert any("3 of 10 replies could not be read" in note for note in found.notes)


def test_the_null_keeps_accuracy_and_makes_confidence_worthless():
    _, rows = planted(2000, 4)
    of, null = rows["instruct"], study.shuffled(rows["instruct"], 0)
    before, after = score(of, QUICK), score(null, QUICK)
    for name in ("accuracy, v", "mean confidence, v", "not attempted, v"):
        assert after[name] == approx(before[name])
    # AUROC .78 without the null; sd of the null sqrt((n0 + n1 + 1) / (12 n0 n1)) = .0147 for 960 and 640
    assert before["AUROC, v"] > 0.7 and abs(after["AUROC, v"] - 0.5) < 3 * 0.0147
    assert null["item"].equals(of["item"]) and null["confidence"].equals(of["confidence"])


def test_nothing_read_gives_no_number():
    rows = rows_of([0.8] * 4, [0.8] * 4, [1] * 4).with_columns(outcome=pl.lit("unparsed"))
    found = score(rows, QUICK)
    assert np.isnan(found["ECE, v"]) and np.isnan(found["not attempted, v"]) and found["unread, v"] == 1
    assert not found.charts


def test_repeated_runs_are_resampled_by_question():
    p = np.linspace(0.02, 0.98, 60)
    right = np.random.default_rng(0).random(60) < p
    once = rows_of(p, p, right)
    five = pl.concat([once.with_columns(sample=pl.lit(k, dtype=pl.Int64)) for k in range(5)])
    one, many = (score(r, QUICK).estimate("accuracy, v") for r in (once, five))
    assert many.n == 300 and many.value == one.value
    assert many.high - many.low > 0.9 * (one.high - one.low)  # the same five times over tells nothing new


def test_strategies_are_compared_on_the_same_replies():
    p = np.linspace(0.02, 0.98, 200)
    right = np.random.default_rng(1).random(200) < p
    second = rows_of(p, p / 2, right).with_columns(strategy=pl.lit("sr"))
    found = score(pl.concat([rows_of(p, p, right), second[:150]]), QUICK)
    less = found.estimate("mean confidence, sr minus v")
    assert less.n == 150 and less.value == approx(-p[:150].mean() / 2, abs=1e-9)


def test_order_of_models():
    _, rows = planted(60, 2)
    table = pl.concat([r.with_columns(who=pl.lit(w)) for w, r in rows.items()])
    found = score(table, replace(QUICK, order="instruct, sft, rl"))
    assert [e.name for e in found.estimates if e.name.startswith("ECE, shared") and "minus" in e.name] == [
        f"ECE, shared, {pair}, v" for pair in ("sft minus instruct", "rl minus sft", "rl minus instruct")
    ]
    assert "ECE, shared, rl minus instruct, v" in score(table, QUICK)  # by name: instruct, rl, sft
    with pytest.raises(ValueError, match="names 'base'; there are instruct, rl, sft"):
        score(table, replace(QUICK, order="base"))
    assert tables.by_set({}) == []


def test_published_figures_are_among_those_that_are_made():
    shown = {name.split(", ")[0] for name in (f.estimate for f in study.published)}
    _, rows, found = compared(60, 3)
    made = {e.name.split(", ")[0] for e in (*found.estimates, *score(rows["rl"], QUICK).estimates)}
    assert shown <= made
    kinds = {f.estimate.split(", ")[1] for f in study.published}
    assert kinds == {"v", "sr", "shared", "newly tried", "count"}
    assert any((f.estimate, f.value) == ("ECE, shared, DeepSeek-R1, v", 0.317) for f in study.published)


# --- asking ----------------------------------------------------------------------------------------------------------


class Says(Model):
    """Gives its replies in turn, and keeps what it was asked."""

    capabilities = frozenset({"generate"})
    stored = False

    def __init__(self, *replies):
        self.replies, self.asked = list(replies), []

    async def generate(self, prompt, sampling, context=None):
        self.asked.append((prompt.show(), sampling))
        return [self.replies[(len(self.asked) - 1) % len(self.replies)]]


QUESTION = Item("a", "Which town?", "choice", ("Arnholt", "Velmora"), "Velmora")
FIRST = Reply("So.\n<answer>B</answer>", reasoning="Secret thought.", output_tokens=500)


async def asked(model, **options):
    return [row async for row in collect(QUESTION, Ask(model, QUESTION), Options(wording="tags", **options))]


@pytest.mark.parametrize("solution", ["visible", "full"])
async def test_the_second_turn_sees_the_solution_and_its_thinking_only_if_told(solution):
    model = Says(FIRST, Reply("<confidence>40%</confidence>"))
    (row,) = await asked(model, strategy="sr", solution=solution)
    assert (row.answer, row.confidence, row.outcome, row.truth) == ("B", 0.4, "ok", ("B",))
    assert row.tokens == 500 - 5  # "<answer>B</answer>" has 18 characters
    first, second = (text for text, _ in model.asked)
    assert "<confidence>" not in first and "So." in second
    assert ("Secret thought." in second) == (solution == "full")


async def test_thinking_in_the_text_is_no_part_of_the_solution():
    model = Says(
        Reply("<think>Secret. <answer>A</answer></think>Seen. <answer>B</answer>"), Reply("<confidence>1</confidence>")
    )
    (row,) = await asked(model, strategy="sr")
    assert row.answer == "B" and row.confidence == 0.01 and row.estimated
    assert "Secret" not in model.asked[1][0] and "Seen." in model.asked[1][0]


async def test_no_second_turn_without_an_attempt():
    model = Says(Reply("<answer>I do not know</answer>"))
    (row,) = await asked(model, strategy="sr")
    assert row.outcome == "abstained" and len(model.asked) == 1


async def test_a_second_turn_that_declines_leaves_an_attempt_without_confidence():
    (row,) = await asked(Says(FIRST, Reply("I do not know.")), strategy="sr")
    assert (row.answer, row.confidence, row.outcome) == ("B", None, "unparsed")


async def test_budgets_are_passed_on_and_runs_differ():
    model = Says(Reply("<answer>B</answer><confidence>9%</confidence>"))
    rows = await asked(model, strategy="v", runs=3, reasoning_tokens=2000, reasoning_effort="low", max_tokens=300)
    sampling = [s for _, s in model.asked]
    assert [r.sample for r in rows] == [0, 1, 2] and len({s.seed for s in sampling}) == 3
    assert {(s.n, s.temperature, s.top_p, s.max_tokens) for s in sampling} == {(1, 0.6, 0.95, 300)}
    assert {(s.reasoning_tokens, s.reasoning_effort) for s in sampling} == {(2000, "low")}


async def test_a_chain_that_is_cut_is_no_answer():
    (row,) = await asked(Says(Reply("", "length", reasoning="Hm " * 500, output_tokens=900)), strategy="v")
    assert row.outcome == "truncated" and row.tokens == 900


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "prob"}, "asked in tags only"),
        ({"strategy": "w"}, "strategy names 'w'"),
        ({"runs": 0}, "runs is 0"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(DoxaError, match=message):
        Options(**options)


def test_default_questions_are_facts_and_sums():
    found = items(Options(questions=20))
    assert [i.kind for i in found] == ["open", "number"] * 10 and len({i.id for i in found}) == 20
    assert found == items(Options(questions=20))


def test_a_run_from_prompt_to_figures():
    done = doxa.run(
        study, "simulated:calibrated?seed=1", options=replace(QUICK, strategy="all", wording="tags"), limit=40
    )
    found = done["thinking-out-loud"].findings
    assert {e.section for e in found.estimates} >= {"v", "prob", "sr", "Strategies"}
    assert found["unread, v"] == 0 and [line[0] for line in found.table("Sets").rows] == ["facts"] * 3 + ["sums"] * 3
