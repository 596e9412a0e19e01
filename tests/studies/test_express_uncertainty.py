"""Expressed uncertainty: planted confidence rules and answers recovered, and nothing found where nothing is."""

import asyncio
import dataclasses
import math

import numpy as np
import polars as pl
import pytest
from pytest import approx

import doxa
from doxa import studies
from doxa.data.generated import arithmetic
from doxa.data.mixture import facts_and_sums
from doxa.elicit.answer_tables import graded
from doxa.metrics import auroc_of_weights, ece, final_answers, spearman
from doxa.metrics.confidence_ways import ways
from doxa.metrics.resampling import weight_draws
from doxa.models.simulated import Constant, Dirichlet, Planted, Respondent, hint_of, inflated, respondent
from doxa.organisms import names as organisms
from doxa.records import Item
from doxa.study import Ask, frame

STUDY = studies.load("express-uncertainty")
Options, Row = STUDY.options, STUDY.row
FEW = {"resamples": 50}
LETTERS = ("A", "B", "C", "D")
# Ten answers, worked out for AUROC, average precision and AURC in the specification of the metrics.
SURE = (0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05)
RIGHT = (1, 1, 1, 0, 1, 0, 1, 0, 0, 0)


def choices(n, **fields):
    """Questions with four options, the right one at every place in turn."""
    options = ("north", "east", "south", "west")
    return [
        Item(
            f"q{i}",
            f"Where does road {i} lead?",
            "choice",
            options,
            options[i % 4],
            fields={k: v[i] for k, v in fields.items()},
        )
        for i in range(n)
    ]


def asked(model, items, *, null_seed=None, **options):
    """Findings of one run in memory."""
    given = Options(**FEW | options)
    part = doxa.run(STUDY, model, options=given, items=items, null_seed=null_seed, progress=False)[STUDY.name]
    assert part.counts["failed"] == 0
    return part.findings, part.rows()


def collected(model, items, **options):
    """Rows alone."""

    async def ask(item):
        return [row async for row in STUDY.collect(item, Ask(model, item), Options(**options))]

    async def ask_all():
        return [row for item in items for row in await ask(item)]

    return frame(asyncio.run(ask_all()), Row)


def answers(*said: tuple[str, float], item: str = "q", sampling: str = "self_random", truth: str = "A", **fields):
    """Rows of one question: an answer and a confidence each."""
    return [
        Row(
            item=item,
            sample=i,
            group=item,
            prompting="vanilla",
            sampling=sampling,
            kind="choice",
            options=4,
            answer=answer,
            confidence=confidence,
            truth=(truth,),
            **fields,
        )
        for i, (answer, confidence) in enumerate(said)
    ]


def scored(rows, **options):
    return STUDY.score(frame(rows, Row), Options(**FEW | options))


# --- planted distributions and confidence rules ----------------------------------------------------------------------


def test_consistency_of_many_responses_is_calibrated():
    # Four answers, distribution Dirichlet(1,1,1,1) per question, the right one a draw from it: mean ECE .013, sd .004.
    n, m = 5000, 200
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(4), n)
    truth = (rng.random((n, 1)) > p.cumsum(1)).sum(1)
    said = (rng.random((n, m, 1)) > p[:, None, :].cumsum(2)).sum(2)
    table = pl.DataFrame(
        {
            "item": np.repeat(np.arange(n).astype(str), m),
            "answer": np.array(LETTERS)[said.ravel()],
            "correct": (said == truth[:, None]).ravel(),
            "confidence": 1.0,
            "order": np.tile(np.arange(m), n),
        }
    )
    best = final_answers.best(final_answers.consistency(table))
    assert ece(best["confidence"], best["correct"]) < 0.03


def test_one_stated_confidence_is_as_inflated_as_planted():
    # Says 80 + 20 p, in steps of 5, of the one answer drawn: over by .48, sd .010 with 2,000 questions.
    found, _ = asked(respondent("dirichlet?confidence=inflated"), choices(2000), prompt="vanilla", sampling="single")
    assert found["overconfidence, vanilla"] == approx(0.48, abs=0.04)
    assert found["ECE, vanilla"] == approx(found["overconfidence, vanilla"], abs=1e-9)  # every bin is overconfident
    assert found["multiples of 5, vanilla"] == 1 and found["80 to 100, vanilla"] == 1
    assert found["coverage, vanilla"] == 1


def test_a_calibrated_respondent_is_not_found_overconfident():
    found, _ = asked(respondent("dirichlet"), choices(1000), prompt="vanilla", sampling="single", null_seed=0)
    assert abs(found["overconfidence, vanilla"]) < 4 * math.sqrt(0.25 / 1000)
    assert found["ECE, vanilla"] < 0.08  # 10 bins of about 100: noise alone gives .03
    assert found["80 to 100, vanilla"] < 0.2
    # Beside it, shuffled truth: right by chance on one in four, and confidence says nothing. sd of AUROC .02.
    accuracy, area = found.estimate("accuracy, vanilla"), found.estimate("AUROC, vanilla")
    assert accuracy.null == approx(0.25, abs=0.06) and area.null == approx(0.5, abs=0.08)
    assert area.value > 0.7


class Firm:
    """Answers A, and when a hint is given, something else with probability 1 - p."""

    def __call__(self, item, context, prompt):
        p = item.fields["p"] if hint_of(prompt) else 1.0
        return {"A": p, "B": 1 - p}


def test_answers_that_hints_flip_are_the_less_probable_ones():
    # Spearman of consistency under 12 hints with p: .925, sd .006 over draws of 500 questions; with 4 hints .82.
    p = np.random.default_rng(1).random(500)
    how = {"prompt": "vanilla", "sampling": "misleading", "responses": 13}
    rows = collected(Respondent(decide=Firm()), choices(500, p=p), **how)
    (way,) = [w for w in ways(graded(rows)) if w.how == "consistency"]
    items = way.items.sort(pl.col("item").str.slice(1).cast(int))
    assert spearman(items["confidence"], p) > 0.9
    assert (items["answer"] == "A").all()  # of the hint-free response, however many hints flip it
    few = ways(graded(rows), at_most=5)[0].items.sort(pl.col("item").str.slice(1).cast(int))
    assert spearman(few["confidence"], p) == approx(0.82, abs=0.06)


def test_hints_without_effect_leave_consistency_constant():
    found, _ = asked(Respondent(decide=Firm()), choices(40, p=[1.0] * 40), prompt="vanilla", sampling="misleading")
    assert found["mean confidence, vanilla, misleading, consistency"] == 1
    assert found["AUROC, vanilla, misleading, consistency"] == 0.5


# --- consistency tells more than a stated confidence that hardly varies ----------------------------------------------


def one_sided_p(first, second, resamples=500):
    """Share of resamples in which the first way has no higher AUROC than the second, on the same items."""
    both = first.read.join(second.read, on="item", suffix="_b")
    areas = (
        auroc_of_weights(both["confidence"], both["correct"]),
        auroc_of_weights(both["confidence_b"], both["correct_b"]),
    )
    draws = [
        a - b
        for w in weight_draws(np.random.default_rng(0), len(both), resamples)
        for a, b in [(areas[0](w), areas[1](w))]
    ]
    return float((np.concatenate(draws) <= 0).mean())


def orders_as_published(rows):
    by = {w.label: w for w in ways(graded(rows))}
    many, one = by["cot, self_random, consistency"], by["cot"]
    assert many.points()[3] > one.points()[3] and one_sided_p(many, one) < 0.05


def test_sampling_beats_a_constant_confidence_on_sums():
    model = Respondent(belief=Dirichlet(0.5), confidence=Constant(0.95), decoding="greedy")
    found, rows = asked(model, arithmetic(500, 4), prompt="cot")
    assert found["AUROC, cot"] == 0.5
    orders_as_published(rows)


@pytest.mark.slow
def test_sampling_beats_chain_of_thought_in_a_real_model():
    if "atlas" not in organisms():
        pytest.skip("the weights of organism:atlas are not here")
    _, rows = asked("organism:atlas", facts_and_sums(600), prompt="cot", max_tokens=96)
    orders_as_published(rows)


# --- figures worked out by hand --------------------------------------------------------------------------------------


def test_aggregations_of_five_answers():
    rows = answers(("A", 0.9), ("A", 0.8), ("B", 0.95), ("A", 0.6), ("C", 0.5))
    found = scored(rows)
    assert found["mean confidence, vanilla, self_random, consistency"] == approx(0.6)
    assert found["mean confidence, vanilla, self_random, avg_conf"] == approx(230 / 375)
    assert found["accuracy, vanilla, self_random, consistency"] == 1


def test_ties_go_to_the_summed_confidence_then_to_the_first():
    by_weight = answers(("B", 0.5), ("A", 0.9), truth="A")
    by_place = answers(("C", 0.7), ("B", 0.7), item="r", truth="C")
    (way,) = [w for w in ways(graded(frame([*by_weight, *by_place], Row))) if w.how == "consistency"]
    assert way.items["answer"].to_list() == ["A", "C"]


def test_one_response_agrees_with_itself():
    rows = [r for i in range(20) for r in answers(("A", 0.7), item=f"q{i}", truth=LETTERS[i % 4])]
    found = scored(rows)
    label = "vanilla, self_random, consistency"
    assert found[f"AUROC, {label}"] == 0.5
    assert found[f"ECE, {label}"] == approx(1 - found[f"accuracy, {label}"]) == approx(0.75)


def test_ten_answers():
    rows = [
        r
        for i, (p, y) in enumerate(zip(SURE, RIGHT, strict=True))
        for r in answers(("A", p), item=f"q{i}", sampling="single", truth="A" if y else "B")
    ]
    found = scored(rows)
    expected = {"AUROC": 0.84, "AUPRC-P": 0.8262, "AUPRC-N": 0.8583, "AURC": 0.2355, "ECE": 0.21}
    assert {name: found[f"{name}, vanilla"] for name in expected} == approx(expected, abs=5e-5)
    assert scored(rows, variant="published")["AURC, vanilla"] == approx(0.2955, abs=5e-5)
    constant = [dataclasses.replace(r, confidence=0.9) for r in rows]
    assert scored(constant)["AURC, vanilla"] == approx(0.5)  # the error rate
    assert scored(constant)["AUROC, vanilla"] == 0.5


def test_all_right_has_no_auroc():
    found = scored([r for i in range(5) for r in answers(("A", 0.9), item=f"q{i}", sampling="single")])
    assert math.isnan(found["AUROC, vanilla"]) and math.isnan(found["AUPRC-N, vanilla"])


def top_k(*lists: str, item: str = "q", **fields):
    probabilities = (0.6, 0.3, 0.1)
    return [
        dataclasses.replace(row, prompting="top_k", guesses=tuple(ranked), probabilities=probabilities[: len(ranked)])
        for ranked, row in zip(lists, answers(*((one[0], 0.6) for one in lists), item=item, **fields), strict=True)
    ]


def test_pair_rank_of_five_lists_and_as_published():
    rows = top_k("AB", "AB", "BA", "AC", "AB")
    name = "mean confidence, top_k, self_random, pair_rank"
    assert scored(rows)[name] == approx(0.8106, abs=5e-5)
    assert scored(rows, variant="published")[name] == approx(0.967, abs=0.01)  # far from the optimum
    assert scored(rows)["mean confidence, top_k, self_random, avg_conf_top1"] == approx(0.8)
    assert scored(rows)["mean confidence, top_k, self_random, avg_conf_topk"] == approx((4 * 0.6 + 0.3) / 5)


def test_a_list_that_repeats_a_guess_counts_it_once():
    (way,) = [w for w in ways(graded(frame(top_k("ABA"), Row))) if w.how == "pair_rank"]
    assert way.items["answer"].to_list() == ["A"]


# --- what is scored --------------------------------------------------------------------------------------------------


def test_no_readable_answer_gives_no_number():
    found, rows = asked(
        Respondent(format_errors=1.0), choices(6), prompt="all", sampling="single,self_random,misleading", null_seed=0
    )
    assert rows["outcome"].unique().to_list() == ["unparsed"]
    assert found["coverage, vanilla"] == 0
    measured = [e for e in found.estimates if not e.name.startswith("coverage")]
    assert measured and all(math.isnan(e.value) for e in measured)
    assert found.estimate("accuracy, vanilla").bounds == (0.0, 1.0)


def test_unread_answers_are_counted_and_bounded():
    rows = [r for i in range(8) for r in answers(("A", 0.9), item=f"q{i}", sampling="single", truth="AB"[i % 2])]
    rows[0] = dataclasses.replace(rows[0], outcome="refused", answer=None, confidence=None)
    rows[2] = dataclasses.replace(rows[2], outcome="unparsed", confidence=None)  # an answer without its confidence
    found = scored(rows)
    accuracy = found.estimate("accuracy, vanilla")
    assert accuracy.value == approx(2 / 6) and accuracy.bounds == (2 / 8, 4 / 8)
    assert accuracy.outcomes == {"ok": 6, "refused": 1, "unparsed": 1}
    assert found["coverage, vanilla"] == 6 / 8
    assert "2 of 8 responses could not be read" in found.notes[0]


def test_an_unread_answer_without_a_hint_leaves_the_question_out():
    first, *others = answers(("A", 0.9), ("A", 0.9), ("B", 0.9), sampling="misleading")
    unread = dataclasses.replace(first, outcome="truncated", answer=None, confidence=None)
    assert scored([unread, *others])["coverage, vanilla, misleading, consistency"] == 0


def test_fewer_responses_are_a_part_of_the_same_rows():
    found, rows = asked(respondent("dirichlet"), choices(60), prompt="vanilla", sampling="self_random")
    table = found.table("Number of responses")
    assert [row[1] for row in table.rows if row[0].endswith("consistency")] == ["1", "2", "3", "5"]
    assert table.rows[0][5] == 0.5  # one response: all tied
    again = STUDY.score(rows.filter(pl.col("sample") < 3), Options(**FEW))
    (three,) = [row for row in table.rows if row[:2] == ("vanilla, self_random, consistency", "3")]
    assert three[4] == approx(again["ECE, vanilla, self_random, consistency"])


def test_ways_are_held_against_the_first_in_pairs():
    n = 200
    beliefs = np.random.default_rng(3).dirichlet(np.full(4, 0.5), n).tolist()
    model = Respondent(belief=Planted(), confidence=Constant(0.9))
    found, _ = asked(model, choices(n, belief=beliefs), prompt="vanilla")
    rows = {row[0]: row for row in found.table("Against vanilla").rows}
    label, n_both, gained, low, high, *_ = rows["vanilla, self_random, consistency"]
    assert n_both == n and low < gained < high
    assert gained == approx(found[f"AUROC, {label}"] - found["AUROC, vanilla"])


def test_sets_are_shown_apart_and_as_their_mean():
    easy = [r for i in range(4) for r in answers(("A", 0.8), item=f"e{i}", sampling="single", set="easy")]
    hard = [r for i in range(8) for r in answers(("A", 0.8), item=f"h{i}", sampling="single", truth="B", set="hard")]
    rows = scored([*easy, *hard]).table("By set").rows
    assert [(set_, n, accuracy, error) for _, set_, n, accuracy, error, _ in rows] == [
        ("easy", 4, 1.0, approx(0.2)), ("hard", 8, 0.0, approx(0.8)), ("mean of sets", 12, 0.5, approx(0.5)),
    ]  # fmt: skip


def test_shuffled_truth_keeps_letters_with_letters():
    rows = collected(respondent("calibrated"), facts_and_sums(20), prompt="vanilla", sampling="single")
    shuffled = STUDY.shuffled(rows, 1)
    assert shuffled.drop("truth").equals(rows.drop("truth"))
    letters = shuffled.filter(pl.col("kind") == "choice")["truth"].explode()
    assert letters.is_in(LETTERS).all() and not shuffled["truth"].equals(rows["truth"])


def test_published_figures_have_estimates_to_stand_beside():
    options = {"prompt": "vanilla,cot,top_k", "sampling": "all", "white_box": True, "resamples": 20}
    found, _ = asked(respondent("inflated"), facts_and_sums(12), **options)
    assert all(figure.estimate in found for figure in STUDY.published)


def test_inflated_is_the_rule_of_the_specification():
    assert [inflated(p, 4) for p in (0.0, 0.5, 1.0)] == [0.8, 0.9, 1.0]
