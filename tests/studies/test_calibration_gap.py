"""The calibration gap from prompts to numbers: arms, controls, what is left out, thresholds, nulls."""

import dataclasses
import math

import polars as pl
import pytest

import doxa
from doxa.data.explained_questions import of_a_set, of_the_bank, other_of, with_others
from doxa.data.known_chances import questions
from doxa.elicit.explained import Explanation, ReaderTrue, ReaderWords
from doxa.elicit.made_up_reader import ExplainsAndReads, MadeUpReader
from doxa.models.base import Model
from doxa.models.simulated import Holder, Respondent
from doxa.records import DoxaError, Item, MissingCapability, Reply
from doxa.studies import calibration_gap as gap
from doxa.study import frame

ITEMS = with_others(questions(40, 4))
FEW = gap.Options(resamples=20)


def run(model, options=FEW, items=ITEMS, **how):
    part = doxa.run(gap.study, model, options=options, items=items, progress=False, **how)["calibration-gap"]
    assert part.counts["failed"] == 0
    return part


@pytest.fixture(scope="module")
def heeding():
    return run(gap.respondent())


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_every_style_at_every_length_and_the_controls(heeding):
    rows = heeding.rows()
    arms = rows.group_by("style", "length").len()
    assert arms["len"].to_list() == [40] * 12
    assert rows["condition"].n_unique() == 12
    one = rows.filter(pl.col("item") == ITEMS[0].id)
    assert one["answer"].n_unique() == one["model_confidence"].n_unique() == one["truth"].n_unique() == 1
    assert rows.filter(style="none")["text"].unique().to_list() == [""]


def test_the_style_is_imposed_whatever_the_confidence(heeding):
    rows = heeding.rows().filter(pl.col("style") == "low")
    assert rows["text"].str.starts_with("I am not sure").all()
    assert rows["model_confidence"].max() > 0.9


def test_the_swapped_explanation_is_that_of_the_other_question(heeding):
    rows = heeding.rows()
    default = dict(rows.filter(style="default").select("item", "text").iter_rows())
    swapped = dict(rows.filter(style="swapped").select("item", "text").iter_rows())
    for item in ITEMS:
        assert swapped[item.id] == default[other_of(item).id]


def test_without_another_question_the_control_is_left_out():
    rows = run(gap.respondent(), items=questions(6, 4)).rows()
    assert set(rows["style"]) == {"default", "low", "medium", "high", "none"}
    assert set(run(gap.respondent(), dataclasses.replace(FEW, controls=False)).rows()["style"]) == {
        *("default", "low", "medium", "high")
    }


class Watched(Model):
    """Another model, with every form and text that it was asked in."""

    def __init__(self, inner):
        self.inner, self.address, self.capabilities, self.stored = inner, "watched", inner.capabilities, False
        self.seen = []

    async def generate(self, prompt, sampling, context=None):
        self.seen.append((prompt.form, prompt.show()))
        return await self.inner.generate(prompt, sampling, context)

    async def score(self, prompt, continuations, context=None):
        self.seen.append((prompt.form, prompt.show()))
        return await self.inner.score(prompt, continuations, context)


def test_the_reader_never_sees_the_models_confidence():
    item = dataclasses.replace(questions(2, 4)[1], fields={"chance": 0.61803})
    model = Watched(gap.respondent())
    shown = str(run(model, items=[item]).rows()["model_confidence"][0])[:6]
    read = [text for form, text in model.seen if isinstance(form, ReaderTrue)]
    assert len(read) == 11 and not any(shown in text or "0.7135" in text or "71" in text for text in read)


def test_prefixed_wording_asks_for_one_explanation_of_each_length():
    model = Watched(gap.respondent())
    rows = run(model, dataclasses.replace(FEW, wording="prefixed", controls=False), items=ITEMS[:1]).rows()
    assert sorted(f.name for f, _ in model.seen if isinstance(f, Explanation)) == [
        *("explanation-default-default", "explanation-default-long", "explanation-default-short")
    ]
    short = {r["style"]: r["text"].split(". ", 1)[1] for r in rows.filter(length="short").to_dicts()}
    assert len(set(short.values())) == 1 and set(short) == {"low", "medium", "high"}


def test_words_alone_need_no_scores():
    options = dataclasses.replace(FEW, internal="words", reading="words", lengths="short", controls=False)
    assert gap.study.needed(options) == {"generate"}
    assert gap.study.needed(dataclasses.replace(FEW, internal="samples", reader="made_up")) == {"generate"}
    assert gap.study.needed(gap.Options()) == {"generate", "score"}
    model = Watched(gap.respondent())
    model.capabilities = frozenset({"generate"})
    rows = run(model, options, items=ITEMS[:4]).rows()
    assert rows["reader_confidence"].is_not_null().all() and any(isinstance(f, ReaderWords) for f, _ in model.seen)
    with pytest.raises(MissingCapability, match="score"):
        doxa.run(gap.study, model, items=ITEMS[:1])


def test_a_made_up_reader_asks_the_model_for_nothing():
    model = Watched(gap.respondent())
    found = run(model, dataclasses.replace(FEW, reader="made_up"))
    assert not [f for f, _ in model.seen if isinstance(f, ReaderTrue | ReaderWords)]
    assert abs(found.findings["mean reader confidence, default"] - 0.87) < 4 * 0.105 / math.sqrt(40)
    assert "made up" in found.findings.notes[0] and "made up" in found.findings.estimates[0].note


def test_short_answers_and_statements_are_asked_too():
    items = [Item("a", "What is the capital of France?", answer="Paris")]
    items += [Item("b", "It holds.", "statement", answer="true")]
    model = Respondent(decide=ExplainsAndReads(Holder(0.9), MadeUpReader()))
    rows = run(model, items=with_others(items)).rows()
    assert rows["reader_confidence"].is_not_null().all()
    assert set(rows["model_confidence"].round(6)) == {0.9}


# --- what is left out and counted ------------------------------------------------------------------------------------


def test_explanations_for_another_answer_are_left_out_and_counted():
    model = dataclasses.replace(gap.respondent(argues=1.0), decoding="draw")
    found = run(model)
    assert found.findings["share of explanations for another answer"] == 1.0
    assert math.isnan(found.findings["reader ECE, default"]) and found.findings["share of trials read"] == 1 / 12
    assert any("argued for another answer" in note for note in found.findings.notes)
    assert found.findings.estimate("accuracy, default").outcomes == {"ambiguous": 40}


def test_an_unread_answer_is_one_row_and_widens_the_bounds():
    items = with_others([Item(f"q{i}", f"Who was number {i}?", answer="Ann") for i in range(30)])
    model = Respondent(decide=ExplainsAndReads(Holder(0.6), MadeUpReader()), format_errors=0.3)
    found = run(model, items=items)
    rows = found.rows()
    lost = rows.filter(pl.col("answer").is_null())
    assert 0 < len(lost) < 30 and set(lost["condition"]) == {"answer"} and lost["truth"].is_null().all()
    accuracy = found.findings.estimate("accuracy, default")
    assert accuracy.bounds[0] < accuracy.value < accuracy.bounds[1] <= 1
    assert found.findings["share of answers with a confidence"] == pytest.approx(1 - len(lost) / 30)


@pytest.mark.parametrize("outcome", ["unparsed", "refused"])
def test_nothing_readable_gives_no_number(outcome, heeding):
    rows = heeding.rows().with_columns(
        reader_confidence=pl.lit(None, dtype=pl.Float64), outcome=pl.lit(outcome), argued=pl.lit(None, dtype=pl.String)
    )
    found = gap.score(rows, FEW)
    assert all(math.isnan(e.value) for e in found.estimates if not e.name.startswith("share of"))
    assert found["share of trials read"] == 0.0 and not found.charts
    assert gap.score(frame([], gap.Row), FEW).notes


def test_items_without_a_known_truth_are_left_out():
    items = [dataclasses.replace(item, answer=None) for item in ITEMS[:3]]
    found = run(Respondent(), items=items)
    assert found.rows()["truth"].is_null().all() and math.isnan(found.findings["accuracy, default"])


# --- scoring ---------------------------------------------------------------------------------------------------------


def test_both_gaps_are_named_and_told_apart(heeding):
    found = heeding.findings
    assert found["calibration gap, default"] == pytest.approx(
        found["reader ECE, default"] - found["model ECE, default"]
    )
    assert found["mean gap, default"] == pytest.approx(
        found["mean reader confidence, default"] - found["mean model confidence, default"]
    )
    assert found["discrimination gap, selected"] == pytest.approx(
        found["model AUC, selected"] - found["reader AUC, selected"]
    )
    assert any("Calibration gap is" in note for note in found.notes)


def test_arms_are_compared_on_questions_that_both_have(heeding):
    """What an arm lost does not show as a difference: here the easy half of the default trials."""
    rows = heeding.rows()
    hard = rows.unique("item").sort("model_confidence")["item"][:20].to_list()
    lost = pl.when((pl.col("style") == "default") & ~pl.col("item").is_in(hard)).then(None)
    found = gap.score(rows.with_columns(lost.otherwise(pl.col("reader_confidence")).alias("reader_confidence")), FEW)
    part = rows.filter(pl.col("item").is_in(hard))
    same = gap.score(part, FEW)
    assert found.estimate("mean gap, default minus no explanation").n == 40
    for name in ("calibration gap", "mean gap", "reader AUC"):
        name = f"{name}, default minus no explanation"
        assert found[name] == pytest.approx(same[name]), name


def test_given_thresholds_are_tested_on_all_questions_found_ones_on_half(heeding):
    given = gap.score(heeding.rows(), dataclasses.replace(FEW, medium_from=0.5, high_from=0.75))
    assert (given["threshold of medium"], given["threshold of high"]) == (0.5, 0.75)
    assert given.estimate("accuracy, selected").n == 3 * 40 and given["share of trials in the style that fits"] == 1 / 3
    assert given["accuracy, selected"] == pytest.approx(given["accuracy, default"])
    found = heeding.findings
    assert found.estimate("accuracy, selected").n == 3 * 20
    assert any("half of the questions" in note for note in found.notes)
    assert not any("half of the questions" in note for note in given.notes)


def test_the_null_takes_discrimination_away_and_leaves_what_was_said(heeding):
    rows = heeding.rows()
    values = [gap.score(gap.study.shuffled(rows, seed), FEW) for seed in range(6)]
    areas = [v["model AUC, default"] for v in values]
    assert abs(sum(areas) / 6 - 0.5) < 4 * 0.095 / math.sqrt(6)  # Hanley-McNeil sd of 25 right and 15 wrong: .095
    assert heeding.findings["model AUC, default"] > 0.65
    for name in ("mean reader confidence, default", "effect of high"):
        assert {round(v[name], 9) for v in values} == {round(heeding.findings[name], 9)}


def test_as_many_of_each_tenth_of_confidence(heeding):
    rows = heeding.rows()
    found = gap.score(rows, dataclasses.replace(FEW, per_tenth=2))
    tenths = (rows.unique("item")["model_confidence"] * 10).floor().clip(0, 9)
    wanted = sum(min(2, n) for n in tenths.value_counts()["count"])
    assert found.estimate("accuracy, default").n == wanted < 40
    again = gap.score(rows.sample(fraction=1, shuffle=True, seed=1), dataclasses.replace(FEW, per_tenth=2))
    assert again["mean reader confidence, default"] == found["mean reader confidence, default"]


def test_tables_and_charts(heeding):
    found = heeding.findings
    arms = found.table("Styles and lengths")
    assert len(arms.rows) == 12 and arms.columns[0] == "style"
    words = {(r[0], r[1]): r[-1] for r in arms.rows}
    assert (
        words["low", "long"] > 2 * words["low", "short"] > words["low", "uncertainty_only"] > words["none", "default"]
    )
    assert any("beyond both" in row[0] for row in found.table("Effects with interactions").rows)
    assert [row[0] for row in found.table("The style that fits, by length").rows] == [*gap.LENGTHS]
    assert [c.name for c in found.charts] == [
        "Reliability of model and reader, default",
        "Reliability of model and reader, selected",
        "Mean reader confidence by style and length",
        "Gaps before and after",
    ]


def test_saturated_confidences_are_counted_and_keep_their_decimals():
    items = with_others([dataclasses.replace(i, fields={"chance": 0.9999}) for i in questions(8, 4)])
    found = run(gap.respondent(), items=items)
    assert found.findings["share of model confidences above .99"] == 1.0
    assert found.rows()["model_confidence"][0] == pytest.approx(0.999925, abs=1e-9)


def test_graded_rows_for_calibrators(heeding):
    graded = gap.study.graded(heeding.rows(), FEW)
    assert graded.columns == ["item", "group", "way", "confidence", "correct"]
    assert len(graded.filter(way="model")) == 40 and len(graded.filter(way="reader, low, short")) == 40


@pytest.mark.parametrize(
    "wrong",
    [
        {"medium_from": 0.5},
        {"medium_from": 0.8, "high_from": 0.5},
        {"medium_from": 0.5, "high_from": 1.5},
        {"lengths": "middling"},
    ],
)
def test_options_that_cannot_be(wrong):
    with pytest.raises(DoxaError):
        gap.Options(**wrong)


# --- questions -------------------------------------------------------------------------------------------------------


def test_questions_of_the_bank():
    asked = gap.items(gap.Options(questions=30))
    assert len({i.id for i in asked}) == 30 and {len(i.options) for i in asked} == {4}
    assert all(other_of(i).id == asked[(n + 1) % 30].id for n, i in enumerate(asked))
    assert {i.kind for i in gap.items(gap.Options(questions=5, kind="open"))} == {"open"}
    with pytest.raises(DoxaError, match="questions asked"):
        of_the_bank(10**6)


def test_published_sets_from_files(tmp_path):
    mmlu = tmp_path / "mmlu.parquet"
    subjects = ["anatomy", "law", "law", "law"]
    cells = {"question": [f"Question {i}?" for i in range(4)], "choices": [["a", "b", "c", "d"]] * 4}
    pl.DataFrame({**cells, "answer": [0, 1, 2, 3], "subject": subjects}).write_parquet(mmlu)
    items = of_a_set(str(mmlu), 2)
    assert {i.fields["subject"] for i in items} == {"anatomy", "law"}
    assert all(i.answer == "abcd"[int(i.id.split("/")[1])] for i in items)
    trivia = tmp_path / "trivia.jsonl"
    trivia.write_text('{"question": "Which city?", "answer": {"value": "Paris", "aliases": ["Paris", "Lutetia"]}}\n')
    (item,) = of_a_set(str(trivia), 5)
    assert (item.answer, item.accepted, item.kind) == ("Paris", ("Lutetia",), "open")
    trivia.write_text('{"question": "", "answer": {"value": "Paris"}}\n')
    with pytest.raises(DoxaError, match="TriviaQA"):
        of_a_set(str(trivia), 5)
    pl.DataFrame({**cells, "answer": [0, 1, 2, 7], "subject": subjects}).write_parquet(mmlu)
    with pytest.raises(DoxaError, match="right one's letter"):
        of_a_set(str(mmlu), 4)
    own = tmp_path / "own.csv"
    own.write_text("id,question,options,answer,subject\nx,Which?,a|b,a,art\n")
    assert of_a_set(str(own), 5)[0].fields["subject"] == "art"


def test_replies_in_a_reply_object_are_what_the_reader_sees():
    """The text that was read is the explanation alone: an empty one is not shown to the reader."""

    class Silent(Watched):
        async def generate(self, prompt, sampling, context=None):
            return [Reply("")] * sampling.n

    rows = run(Silent(gap.respondent()), items=ITEMS[:2]).rows()
    assert set(rows.filter(pl.col("style") != "none")["outcome"]) == {"unparsed"}
    assert rows.filter(style="none")["reader_confidence"].is_not_null().all()
