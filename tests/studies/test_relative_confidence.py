"""Relative confidence: what is asked and how often, what is recorded, and what the figures rest on."""

import asyncio
import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from pytest import approx

import doxa
from doxa.data.known_chances import with_chances
from doxa.data.opponents import bank, opponents, with_opponents
from doxa.elicit.matchups import SIDES, Preferring
from doxa.metrics import selective_auc
from doxa.metrics.matchups import Matchups, elo, log_strengths
from doxa.models.base import Model
from doxa.models.simulated import Constant, Respondent
from doxa.records import DoxaError, Item, Reply, Score
from doxa.studies import relative_confidence as rc
from doxa.studies.relative_confidence import Options, study

FEW = Options(questions=40, matchups=6, samples=6, reading="reply", resamples=20)


def run(respondent="simulated:calibrated", options=FEW, items=None, **how):
    return doxa.run(study, respondent, options=options, items=items, null_seed=None, **how)["relative-confidence"]


def only(rows, condition):
    return rows.filter(pl.col("condition") == condition)


def prefers(**how):
    return Respondent(belief=Preferring(**how), decoding="greedy")


# --- what is asked ---------------------------------------------------------------------------------------------------


class Counting(Model):
    """Stored as real models are; says A with 80 % and prefers the first answer; counts what reaches it."""

    address = "counting"
    capabilities = frozenset({"generate"})

    def __init__(self):
        self.prompts = []

    async def generate(self, prompt, sampling, context=None):
        await asyncio.sleep(0)
        text = prompt.show()
        self.prompts += [text] * sampling.n
        return [Reply("A" if "Which answer is more likely" in text else "A, 80%")] * sampling.n

    async def score(self, prompt, continuations, context=None):
        return [Score(text, math.log(p)) for text, p in zip(continuations, (0.6, 0.2), strict=True)]


def test_the_answer_phase_costs_one_call_for_each_question():
    model, options = Counting(), replace(FEW, questions=12, matchups=5, samples=4)
    part = run(model, options)
    answers = [p for p in model.prompts if "Which answer is more likely" not in p]
    played = [p for p in model.prompts if p not in answers]
    assert len(answers) == 12 * (1 + 4) and len(set(answers)) == 12
    assert len(played) == len(set(played)) <= 12 * 5  # fewer where both drew each other and stood in the same order
    assert part.findings["matchups of a question"] == 10  # appearances, of 5 calls
    assert part.findings["first-slot share"] == 1
    assert any("shown first wins 100%" in note for note in part.findings.notes)


def test_labels_are_read_where_the_model_gives_their_probability():
    model = Counting()
    model.capabilities = frozenset({"generate", "score"})
    rows = only(run(model, replace(FEW, samples=0, reading="best")).rows(), "matchup")
    assert rows["mass"].to_list() == approx([0.8] * len(rows))
    won = pl.when("first").then(0.75).otherwise(0.25)
    assert rows.select((pl.col("preferred") - won).abs().max()).item() < 1e-9
    assert only(run(model, replace(FEW, samples=0, reading="reply")).rows(), "matchup")["mass"].null_count() == len(
        rows
    )


def test_a_matchup_shows_the_answers_that_are_frozen():
    part = run(prefers(), replace(FEW, asking="line", swap=True, samples=0), rc.planted_items(FEW))
    rows = part.rows()
    answer = dict(only(rows, "answer").select("item", "answer").iter_rows())
    options = {item.id: item.options for item in rc.planted_items(FEW)}
    for record in part.records():
        for call in record.calls:
            text, sides = (
                call.prompt.show(),
                [line for line in call.prompt.show().splitlines() if "Your answer:" in line],
            )
            assert ("More confident" in text) == (len(sides) == 2)
    shown = {
        line for r in part.records() for c in r.calls for line in c.prompt.show().splitlines() if "Your answer" in line
    }
    assert shown == {f"Your answer: {a}) {options[i]['ABCD'.index(a)]}" for i, a in answer.items()}


def test_order_is_random_and_both_orders_are_asked_on_request():
    one, both = only(run().rows(), "matchup"), only(run(options=replace(FEW, swap=True)).rows(), "matchup")
    assert len(both) == 2 * len(one) == 480
    assert one["first"].mean() == approx(0.5, abs=3 * math.sqrt(0.25 / 240))
    assert both["first"].mean() == 0.5
    other = only(run(seed=1).rows(), "matchup")
    assert one["opponent"].equals(other["opponent"]) and not one["first"].equals(other["first"])


@pytest.mark.parametrize(
    "options", [{"chain_of_thought": True}, {"asking": "line", "reasoning": True, "reading": "reply"}]
)
def test_other_ways_of_asking(options):
    found = run(prefers(), replace(FEW, **options), rc.planted_items(FEW)).findings
    assert found["matchups read"] == 1 and found["AUROC, bradley_terry"] > 0.6


def test_an_unread_answer_takes_part_in_nothing():
    def silent(item):
        return float(item.id in quiet)

    items = rc.planted_items(FEW)
    quiet = {item.id for item in items[::4]}
    part = run(replace(prefers(), abstains=silent), FEW, items)
    rows = part.rows()
    assert set(only(rows, "answer").filter(pl.col("answer").is_null())["item"]) == quiet
    assert not quiet & {
        *only(rows, "matchup")["item"],
        *only(rows, "matchup")["opponent"],
        *only(rows, "sample")["item"],
    }
    accuracy = part.findings.estimate("accuracy")
    assert accuracy.n == 30 and accuracy.bounds[1] - accuracy.bounds[0] == approx(0.25)
    assert any(note.startswith("10 questions have no readable answer") for note in part.findings.notes)


@pytest.mark.parametrize("wrong", [{"matchups": 0}, {"samples": -1}, {"prior": 0.0}, {"questions": 1}])
def test_options_that_make_no_matchup_are_refused_before_a_call(wrong):
    with pytest.raises(DoxaError, match=f"{next(iter(wrong))} is .* give at least"):
        Options(**wrong)


def test_items_without_opponents_are_refused():
    done = doxa.run(study, "simulated:calibrated", options=FEW, items=[Item("a", "?", "choice", ("x", "y"), "x")])
    assert "with_opponents" in next(done["relative-confidence"].records()).error


# --- what is scored --------------------------------------------------------------------------------------------------


def test_every_published_figure_has_its_estimate():
    found = run(options=Options(questions=20, resamples=20)).findings
    assert {figure.estimate for figure in study.published} <= {e.name for e in found.estimates}


def test_nothing_readable_gives_no_number():
    found = run(Respondent(format_errors=1.0)).findings
    assert found.estimate("accuracy").outcomes == {"unparsed": 40}
    assert all(math.isnan(e.value) for e in found.estimates)


def test_a_part_of_the_items_is_scored_with_opponents_outside_it():
    part = run(prefers(), FEW, rc.planted_items(FEW), limit=10)
    assert part.findings.estimate("AUROC, bradley_terry").n == 10
    assert {*only(part.rows(), "matchup")["opponent"]} > {*part.rows()["item"]}


def test_constant_confidence_ties_and_has_the_accuracy_as_area():
    found = run(replace(prefers(), confidence=Constant(0.9)), FEW, rc.planted_items(FEW)).findings
    assert found["AUROC, direct"] == 0.5
    assert found["selective AUC, direct"] == approx(found["accuracy"])


def test_variants_are_the_ratings_that_they_name():
    rows = run(prefers(), FEW, rc.planted_items(FEW)).rows()
    sets = rc.Compared.each(rc._table(rows), replace(FEW, variant="published").rules())
    games, score = sets[0].matchups, sets[0].score
    assert score("elo") == approx(elo(games, orders=0)) and score("bradley_terry") == approx(
        log_strengths(games, updates=5)
    )
    ours = rc.Compared.each(rc._table(rows), FEW.rules())[0].score
    assert ours("elo") == approx(elo(games)) and ours("bradley_terry") == approx(log_strengths(games))
    assert (games.n, len(games.won)) == (40, 240)
    first = only(rows, "matchup").sort("sample", "item").row(0, named=True)
    assert games.won[0] == first["preferred"]  # games are in the order drawn


def test_budgets_are_parts_of_the_same_rows():
    items = rc.planted_items(Options(questions=60, matchups=12))
    whole = run(prefers(), Options(matchups=12, samples=12, resamples=20), items).findings
    five = run(prefers(), Options(matchups=5, samples=5, resamples=20), items).findings
    for name in ("selective AUC gain over hybrid_sc, 5 calls",):
        assert whole[name] == approx(five[name])
    table = {row[:2]: row for row in whole.table("By number of calls").rows}
    assert table[5, "bradley_terry"][3] == approx(five["selective AUC, bradley_terry"])
    assert table[12, "elo"][3] == approx(whole["selective AUC, elo"])
    assert "selective AUC gain over hybrid_sc, 10 calls" in whole
    assert math.isnan(run(options=replace(FEW, samples=0)).findings["selective AUC gain over hybrid_sc"])


def test_both_orders_of_a_matchup_cost_two_calls():
    options = Options(matchups=6, samples=12, swap=True, reading="reply", resamples=20)
    rows = run(prefers(), options, rc.planted_items(FEW)).rows()
    found = study.score(rows, options)
    assert [row[0] for row in found.table("By number of calls").rows if row[1] == "elo"] == [5, 10, 12]
    five = study.score(rows.filter((pl.col("condition") != "matchup") | (pl.col("sample") < 2)), options)
    table = {row[:2]: row for row in found.table("By number of calls").rows}
    assert table[5, "bradley_terry"][3] == approx(five["selective AUC, bradley_terry"])


def test_unread_matchups_are_dropped_or_half_a_win():
    respondent = replace(prefers(), abstains=lambda item: 0.5 if SIDES in item.fields else 0.0)
    dropped, half = (run(respondent, replace(FEW, unread=how), rc.planted_items(FEW)) for how in ("drop", "half"))
    assert dropped.findings["matchups read"] == approx(0.5, abs=3 * math.sqrt(0.25 / 240))
    assert dropped.findings["matchups of a question"] == approx(12 * dropped.findings["matchups read"])
    assert half.findings["matchups of a question"] == 12
    assert dropped.findings.estimate("matchups read").outcomes["abstained"] > 0


def test_sets_are_compared_within_and_averaged():
    items = [replace(i, fields={**i.fields, "set": "xy"[k % 2]}) for k, i in enumerate(bank(40))]
    items = with_opponents(with_chances(items, 0.03, 0.97), 6)
    part = run(prefers(), FEW, items)
    of = {i.id: i.fields["set"] for i in items}
    played = only(part.rows(), "matchup")
    assert all(of[a] == of[b] for a, b in played.select("item", "opponent").iter_rows())
    areas = {row[:2]: row[3] for row in part.findings.table("By set").rows}
    ours = part.findings["selective AUC, bradley_terry"]
    assert ours == approx((areas["x", "bradley_terry"] + areas["y", "bradley_terry"]) / 2)
    assert part.findings.estimate("AUROC, direct").n == 40


def test_figures_are_those_of_the_rows():
    rows = run(prefers(), FEW, rc.planted_items(FEW)).rows()
    found = study.score(rows, FEW)
    answers = only(rows, "answer").sort("item")
    right = np.array([a in t for a, t in answers.select("answer", "truth").iter_rows()], float)
    assert found["accuracy"] == right.mean()
    assert found["selective AUC, direct"] == approx(selective_auc(answers["confidence"], right))
    played = only(rows, "matchup").sort("sample", "item")
    number = {name: k for k, name in enumerate(answers["item"])}
    games = Matchups.of(*([number[x] for x in played[c]] for c in ("item", "opponent")), played["preferred"], 40)
    assert found["selective AUC, bradley_terry"] == approx(selective_auc(log_strengths(games), right))
    weights = dict.fromkeys(number, 0.0)
    for item, agrees, c in (
        only(rows, "sample")
        .join(answers.select("item", pl.col("answer").alias("own")), on="item")
        .select("item", pl.col("answer") == pl.col("own"), "confidence")
        .iter_rows()
    ):
        weights[item] += c * agrees
    total = dict(only(rows, "sample").group_by("item").agg(pl.col("confidence").sum()).iter_rows())
    hybrid = [weights[i] / total[i] for i in answers["item"]]
    assert found["selective AUC, hybrid_sc"] == approx(selective_auc(hybrid, right))


def test_confidences_for_calibrators():
    rows = run(prefers(), FEW, rc.planted_items(FEW)).rows()
    table = study.graded(rows, FEW)
    assert len(table) == 5 * 40 and set(table["way"]) == set(rc.METHODS)
    assert table["confidence"].is_between(0, 1).all() and table["correct"].null_count() == 0
    ranks = table.filter(pl.col("way") == "bradley_terry").sort("item")
    assert selective_auc(ranks["confidence"], ranks["correct"]) == approx(
        study.score(rows, FEW)["selective AUC, bradley_terry"]
    )
    assert study.graded(rows.clear(), FEW).columns == ["item", "group", "way", "confidence", "correct"]


def test_the_null_moves_the_truth_of_whole_questions():
    rows = run().rows()
    null = study.shuffled(rows, 1)
    assert null.group_by("item").agg(pl.col("truth").n_unique())["truth"].max() == 1
    assert null.drop("truth").equals(rows.drop("truth")) and not null["truth"].equals(rows["truth"])


def test_opponents_of_the_bank():
    items = study.items(Options(questions=20, matchups=4))
    assert len(items) == 20 and all(len(opponents(item)) == 4 for item in items)


def test_a_set_of_ones_own(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id,question,answer\n" + "".join(f"{k},What is {k} + 1?,{k + 1}\n" for k in range(30)))
    items = study.items(Options(set=str(path), questions=25, matchups=3))
    assert len(items) == 25 and {item.fields["set"] for item in items} == {"mine"}
