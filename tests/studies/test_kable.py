"""Belief and knowledge: the published prompts and figures, constant and planted respondents, what cannot be known."""

import asyncio
import gzip
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import doxa
from doxa.data.attitude_figures import BY_MODEL, baselines
from doxa.data.attitudes import BY_NAME, INSTRUCTION, OPTIONS, TASKS, TYPES, question
from doxa.models.simulated import Respondent
from doxa.records import DoxaError, Item
from doxa.studies import kable
from doxa.studies.kable import Options, Row, study
from doxa.study import Ask, frame

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "kable"
with_data = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published files are not beside the repository")

FIRST = "confirmation-of-first-person-belief"
JAMES, MARY = (f"confirmation-of-third-person-belief-{name}" for name in ("james", "mary"))
BARE, KNOWN = "direct-fact-verification", "verification-of-first-person-knowledge"


def scored(model, **options):
    """Findings of a run in memory on pairs from the bank."""
    chosen = Options(**{"pairs": 12} | options)
    run = doxa.run(study, model, options=chosen, progress=False, null_seed=None)
    assert run["kable"].counts["failed"] == 0
    return run["kable"].findings


def rows_of(model, **options):
    chosen = Options(**{"pairs": 12} | options)
    return doxa.run(study, model, options=chosen, progress=False, null_seed=None)["kable"].rows()


def planted(k=1.0, first=0.4, third=0.1, factive=True):
    """K: knows with probability k, else tosses a coin; E: "corrects" false beliefs; F: what is known is so."""

    def decide(item, context, prompt):
        task, true = item.fields["task"], item.fields["true"]
        if "Is it true" in item.text:
            if factive and ("I know that" in item.text or "James knows that" in item.text):
                return {"Yes": 1.0}
            yes = k * true + (1 - k) / 2
            return {"Yes": yes, "No": 1 - yes}
        if true or BY_NAME[task].group == "recursive knowledge":
            return {"Yes": 1.0}
        corrects = first if "first-person" in task else third
        return {"Yes": 1 - corrects, "No": corrects}

    return Respondent(decide=decide)


# --- the published prompts -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    """The 13 files: task -> rows."""
    files = sorted(PUBLISHED.glob("*.jsonl.gz"))
    return {p.name.split(".")[0]: [json.loads(line) for line in gzip.open(p, "rt", encoding="utf-8")] for p in files}


@with_data
def test_all_published_prompts_are_rebuilt_to_the_letter(published):
    queries = {
        (r["experiment_setup"], f"{r['subject']}/{r['idx']}", r["type"] == "factual"): (r["query"], r["answer"])
        for rows in published.values()
        for r in rows
    }
    items, form = kable.items(Options(path=str(PUBLISHED))), kable._form(Options())
    built = {
        (i.fields["task"], i.group, i.fields["true"]): (
            form.prompt(i).messages[0].content,
            ",".join(f"({letter})" for letter in i.fields["accepted"]),
        )
        for i in items
    }
    assert len(items) == len(queries) == 13_000
    assert built == queries


@with_data
def test_the_published_files_are_what_they_are_said_to_be(published):
    assert list(published) == sorted(task.name for task in TASKS)
    statements = {
        frozenset((r["subject"], r["idx"], r["type"], r["raw_sentence"]) for r in x) for x in published.values()
    }
    assert len(statements) == 1 and all(len(rows) == 1000 for rows in published.values())
    (same,) = statements
    per = {(s, t): sum(x[0] == s and x[2] == t for x in same) for s, _, t, _ in same}
    assert len(per) == 20 and set(per.values()) == {50}
    assert len({sentence for *_, sentence in same}) == 1000  # no duplicate, so no pair of equal sentences


def test_published_bars_have_the_published_mean():
    bars = np.array(list(BY_MODEL.values()))
    assert bars.shape == (15, 2)
    assert bars[:, 0].mean() == pytest.approx(0.545, abs=5e-4)  # 54.4 % before rounding
    names = {e.name for e in scored("simulated:always", pairs=1).estimates}
    assert {p.estimate for p in study.published} <= names


def test_statements_stand_in_lower_case_within_a_sentence():
    items = kable.items(Options(pairs=40, tasks="verification-of-assertion"))
    inside = [i.text.rpartition("Is it true that ")[2].removesuffix("?") for i in items]
    assert all(i.text.startswith(p[:1].upper() + p[1:] + ".") for i, p in zip(items, inside, strict=True))
    assert any(p.startswith("the ") for p in inside) and not any(p.startswith("The ") for p in inside)
    assert question(BY_NAME[MARY], "a. b..") == "Mary believes that a. b.. Does Mary believe that a. b.?"


# --- answers that look at nothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "key", "factual", "false"),
    [("A", "data", 1, 6 / 8), ("B", "data", 0, 2 / 8), ("C", "data", 1 / 13, 3 / 8), ("C", "figure", 2 / 13, 3 / 8)],
)
def test_constant_answers_get_their_exact_share(letter, key, factual, false):
    found = scored(f"simulated:always?value={letter}", pairs=4, key=key)
    assert found["factual average"] == pytest.approx(factual) and found["false average"] == pytest.approx(false)
    stated = {row[0][7]: row[1:] for row in baselines(TASKS, key) if row[0].startswith("always")}
    assert stated[letter] == (pytest.approx(factual), pytest.approx(false))
    table = found.table("Beside answers that look at nothing")
    assert table.rows[0][1:] == (found["factual average"], found["false average"])


def test_always_a_by_task():
    found = scored("simulated:always?value=A", pairs=4)
    wrong = {task.name for task in TASKS if task.false and not found[f"{task.name}, false"]}
    assert wrong == {BARE, "verification-of-first-person-belief"}
    assert f"{KNOWN}, false" not in found  # no accepted answer: not scored, and not wrong
    assert sum(e.section == "Accuracy by task" for e in found.estimates) == 13 + 8
    assert len(found.table("Answers by task").rows) == 26


def test_random_letters():
    assert baselines(TASKS, "data")[-1][1:] == (pytest.approx(14 / 39), pytest.approx(11 / 24))  # 35.9 and 45.8 %
    found = scored("simulated:random", pairs=60)
    # Standard errors: sqrt(.23 / (60 * 13)) = 1.7 and sqrt(.24 / (60 * 8)) = 2.2 points; four of them.
    assert found["factual average"] == pytest.approx(14 / 39, abs=0.07)
    assert found["false average"] == pytest.approx(11 / 24, abs=0.09)


# --- planted truth ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def corrected():
    run = doxa.run(study, planted(), options=Options(pairs=500), progress=False)
    return run["kable"]


def test_recovers_a_planted_respondent(corrected):
    found = corrected.findings
    # Tolerances: about four standard errors at 500 statements, of 2.2, .95, 2.4 and .5 points.
    assert found["first-person false belief"] == pytest.approx(0.60, abs=0.08)
    assert found["third-person false belief"] == pytest.approx(0.90, abs=0.04)
    assert found["person gap"] == pytest.approx(0.30, abs=0.09)
    assert found["false average"] == pytest.approx(0.85, abs=0.02)
    assert found["factual average"] == 1 and found["factivity index"] == 1
    assert all(found[f"{task.name}, factual"] == 1 for task in TASKS)
    assert found["first-person true belief"] == found["third-person true belief"] == 1  # near ceiling, both
    gap = found.estimate("person gap")
    assert gap.low < 0.30 < gap.high and gap.high - gap.low == pytest.approx(2 * 1.96 * 0.024, rel=0.2)
    assert found["both correct, confirmation-of-first-person-belief"] == found["first-person false belief"]


def test_finds_nothing_where_nothing_was_planted(corrected):
    found = scored(
        planted(first=0.25, third=0.25, factive=False), pairs=300, tasks=f"verification,{FIRST},{JAMES},{MARY}"
    )
    # Standard error sqrt(.25 * .75 * (1 + 1/2) / 300) = 3.1 points; four of them.
    assert found["person gap"] == pytest.approx(0, abs=0.125)
    assert found["factivity index"] == found["known minus bare"] == 0
    # On shuffled truth a gap between true and false statements is gone: standard error sqrt(.24 / 500) = 2.2 points.
    gap = corrected.findings.estimate(f"gap, {FIRST}")
    assert gap.value == pytest.approx(0.4, abs=0.09) and gap.null == pytest.approx(0, abs=0.09)
    assert corrected.findings.estimate(f"{BARE}, factual").null == 0.5  # exactly half of the pairs are swapped


def test_recovers_what_is_known():
    found = scored(planted(k=0.6), pairs=200, tasks="verification")
    # Right with .6 + .4 / 2 = .8: standard error sqrt(.16 / 200) = 2.8 points, four of them.
    for type_ in TYPES:
        assert found[f"{BARE}, {type_}"] == pytest.approx(0.8, abs=0.115)
    assert found["No on false verification"] == pytest.approx(0.8, abs=0.08)  # two questions a pair
    assert found["Undeterminable on false verification"] == 0


def test_who_never_commits_shows_in_the_shares():
    found = scored("simulated:always?value=C", pairs=4)
    assert found[f"{BARE}, false"] == 1 and found["No on false verification"] == 0
    assert found["Undeterminable on false verification"] == 1


def test_james_and_mary_are_one_question():
    decide = {s: {"Yes": float(k % 3 > 0), "No": float(k % 3 == 0)} for k, s in enumerate(bank_statements(60))}
    found = scored(
        Respondent(decide=lambda item, *_: decide[item.fields["statement"]]), pairs=60, tasks=f"{JAMES},{MARY}"
    )
    one, both = found.estimate(f"{JAMES}, false"), found.estimate("third-person false belief")
    assert one.value == both.value
    assert both.high - both.low > 0.85 * (one.high - one.low)  # 0.71 of it, were they independent


def bank_statements(pairs):
    return list(dict.fromkeys(i.fields["statement"] for i in kable.items(Options(pairs=pairs))))


# --- ways to ask -----------------------------------------------------------------------------------------------------


def test_options_in_random_order_are_mapped_back():
    assert scored(planted(first=0, third=0), order="random")["false average"] == 1
    letters = rows_of(planted(first=0, third=0), order="random", pairs=30)
    assert set(letters.filter(pl.col("task") == BARE)["answer"]) == {"A", "B"}
    shown = letters.filter(pl.col("answer") == "A")["shown"].value_counts(normalize=True)
    assert len(shown) == 3 and shown["proportion"].min() > 0.25  # 600 of them: standard error 1.9 points


def test_a_habit_of_place_is_unmasked_by_random_order():
    found = scored("simulated:always?value=A", order="random", pairs=30)
    assert found["first option as shown"] == 1
    assert found["false average"] == pytest.approx(11 / 24, abs=0.13)  # standard error sqrt(.24 / 240) = 3.2 points


@pytest.mark.parametrize("order", ["fixed", "random"])
def test_letters_are_read_by_their_probabilities(order):
    rows = rows_of(planted(first=0.4, third=0.1), reading="letters", order=order, pairs=4)
    assert study.needed(Options(reading="letters")) == {"score"} and study.needed(Options()) == {"generate"}
    wrong = rows.filter((pl.col("task") == FIRST) & (pl.col("truth") == "false"))
    assert all(belief == pytest.approx([0.6, 0.4, 0]) for belief in wrong["belief"].to_list())
    assert set(wrong["answer"]) == {"A"} and set(wrong["outcome"]) == {"ok"}
    found = study.score(rows, Options())
    line = {(r[0], r[1]): r[-3:] for r in found.table("Answers by task").rows}[FIRST, "false"]
    assert line == pytest.approx((0.6, 0.4, 0))


def test_equally_probable_letters_are_no_answer():
    rows = rows_of("simulated:random", reading="letters", pairs=1)
    assert set(rows["outcome"]) == {"ambiguous"} and rows["answer"].null_count() == 26


def test_reasoning_is_asked_for_and_allowed():
    item, form = study.example()[0], kable._form(Options(chain_of_thought=True))
    assert (
        INSTRUCTION in form.prompt(item).messages[0].content != kable._form(Options()).prompt(item).messages[0].content
    )
    reasoned = "(A) is tempting, for it was said.\nStill (C) cannot be.\n\nSo, the answer is (B) [No]."
    assert kable._form(Options()).read(reasoned, item).value == "B"


def test_tasks_are_chosen_by_name_or_group():
    two = kable.items(Options(pairs=2, tasks=f"recursive knowledge, {FIRST}"))
    assert len(two) == 2 * 2 * 4 and {i.fields["task"] for i in two} >= {FIRST, "awareness-of-recursive-knowledge"}
    found = scored("simulated:always", pairs=3, tasks=f"{BARE},{FIRST}")
    assert found["false average"] == 0.5 and found.estimate("false average").note == "over 2 of 8 tasks"
    assert "person gap" not in found and "first-person false belief" in found
    with pytest.raises(DoxaError, match="no task is called 'james'; tasks are direct-fact"):
        kable.items(Options(tasks="james"))


def test_items_without_a_task_say_so():
    with pytest.raises(DoxaError, match="bring pairs of statements with --path"):
        asyncio.run(anext(kable.collect(Item("x", "A?"), Ask(planted(), Item("x", "A?")), Options())))


# --- what cannot be known --------------------------------------------------------------------------------------------


def test_nothing_readable_gives_no_number():
    rows = rows_of(Respondent(format_errors=1.0), pairs=3)
    assert rows["answer"].null_count() == len(rows)
    found = study.findings(rows, Options())
    assert all(math.isnan(e.value) for e in found.estimates)
    assert found.estimate("false average").bounds == (0, 1)
    assert found.estimate("false average").note == "no reply could be read"
    assert all(row[-1] == 1 for row in found.table("Answers by task").rows)


def test_a_first_part_is_scored_by_what_was_asked():
    run = doxa.run(study, planted(), options=Options(pairs=5), limit=17, progress=False)
    found = run["kable"].findings
    assert found["factual average"] == 1 and found.estimate("false average").note == "over 2 of 8 tasks"
    assert math.isnan(found["third-person false belief"])
    assert found.estimate("third-person false belief").note == "not all of its questions were asked"


def test_the_null_swaps_whole_pairs():
    rows = rows_of(planted(), pairs=9)
    null = study.shuffled(rows, 3)
    moved = (null["truth"] != rows["truth"]).to_list()
    by_pair = {g: {m for h, m in zip(rows["group"], moved, strict=True) if h == g} for g in rows["group"].unique()}
    assert len(by_pair) == 9
    assert all(len(flags) == 1 for flags in by_pair.values()) and sum(True in flags for flags in by_pair.values()) == 4
    assert null.drop("truth").equals(rows.drop("truth"))


def test_rows_without_a_group_are_their_own():
    row = {"item": "i", "outcome": "ok", "task": BARE, "subject": "", "statement": "", "truth": "false", "answer": "B"}
    found = study.score(frame([row | {"item": str(k), "shown": "B"} for k in range(3)], Row), Options(tasks=BARE))
    assert found.estimate(f"{BARE}, false").n == 3


def test_an_example_shows_all_questions_in_the_published_order():
    assert len(study.example()) == 2 * 2 * 13 and {i.options for i in study.example()} == {OPTIONS}


def test_rows_of_a_run_are_read_back(tmp_path):
    rows = rows_of(planted(), pairs=2)
    rows.write_parquet(tmp_path / "rows.parquet")
    again = study.read_file(tmp_path / "rows.parquet", Options()).rows
    assert again.equals(rows.select(again.columns))
