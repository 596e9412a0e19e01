"""Know what they know: unit cases and planted values, what is asked, the null, one model beside another."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sklearn")
import doxa
from doxa.data import own_knowledge as data
from doxa.data import planted_knowledge as planted
from doxa.elicit.shots import with_shots
from doxa.metrics.equal_count import equal_count_ece, rms_gap
from doxa.metrics.option_scores import Choices, choice_scores
from doxa.metrics.self_knowledge import judged_scores, partial
from doxa.metrics.sums import above_chance, share
from doxa.models.simulated import Respondent, Skill
from doxa.models.simulated_states import Transparent
from doxa.organisms import knowers
from doxa.probes.fitting import probability, soft_logistic
from doxa.records import DoxaError, Prompt
from doxa.studies.know_what_they_know import FEW, LEARNT, Options, across, needs, score, study
from doxa.study import Recorded, frame

SMALL = replace(FEW, resamples=20, sources=1.0, shown="0.5,1", stated=True)


def run(model, options=SMALL, items=None):
    return doxa.run(study, model, options=options, items=items, progress=False)[study.name]


@pytest.fixture(scope="module")
def known():
    return run(knowers.reading(1.0), items=planted.rated(120))


@pytest.fixture(scope="module")
def judged():
    return run(knowers.judging(1.0), items=planted.open_questions(40))


# --- unit cases of the specification ---------------------------------------------------------------------------------

SAID = (0.95, 0.95, 0.85, 0.85, 0.65, 0.65, 0.55, 0.35, 0.15, 0.05)
RIGHT = (1, 1, 1, 0, 1, 0, 1, 0, 0, 0)


@pytest.mark.parametrize(("bins", "mean", "root"), [(5, 0.140, 0.1789), (10, 0.310, 0.4056)])
def test_equal_count_errors(bins, mean, root):
    assert equal_count_ece(SAID, RIGHT, range(10), bins=bins, resamples=20).value == pytest.approx(mean)
    assert rms_gap(SAID, RIGHT, bins=bins) == pytest.approx(root, abs=5e-5)


def test_equal_count_error_weights_a_larger_last_bin_like_the_others():
    # 5 answers in 2 bins: 2 and 3; gaps .5 and .1. By items it would be .26.
    found = equal_count_ece([0.5, 0.5, 0.9, 0.9, 0.9], [0, 0, 1, 1, 1], range(5), bins=2, resamples=20)
    assert found.value == pytest.approx(0.3)


def test_thirty_rows_and_their_share_have_the_same_best_answer():
    hard = np.repeat([1.0, 0.0], [20, 10])
    for label in (hard, np.array([hard.mean()])):
        weights = soft_logistic(np.zeros((len(label), 1)), label, 1e-3)
        assert probability(np.zeros((1, 1)), weights)[0] == pytest.approx(2 / 3, abs=1e-6)


def test_p_true_from_logits_as_they_are_and_at_another_temperature():
    one = Choices.of([[-1.0, -2.0]], [0], ["a"])
    assert one.top()[0][0] == pytest.approx(0.7311, abs=5e-5)
    assert one.top(2.5)[0][0] == pytest.approx(0.5987, abs=5e-5)


def test_normalised_accuracy_of_two_options():
    assert above_chance(share([1, 1, 1, 0, 0], range(5)), 0.5).value == pytest.approx(0.2)


def test_a_tie_of_options_is_drawn_and_is_no_habit_of_place():
    _, right = Choices.of([[0.0, 0.0]] * 400, [0] * 400, list(map(str, range(400)))).top()
    assert right.mean() == pytest.approx(0.5, abs=3 * 0.5 / 20)


@pytest.mark.parametrize(("logprobs", "right"), [([[0.0, 0.0]] * 9, [0] * 9), ([[0.0, -math.inf]] * 9, [1] * 9)])
def test_where_no_temperature_fits_none_is_given(logprobs, right):
    assert math.isnan(Choices.of(logprobs, right, list("abcdefghi")).temperature().value)


# --- planted values of the specification, n = 5,000 ------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(4), 5000)
    right = (chances.cumsum(axis=1) > rng.random((5000, 1))).argmax(axis=1)
    return np.log(chances), right


def test_calibrated_options_and_overconfident_ones(drawn):
    logs, right = drawn
    groups, half = list(map(str, range(5000))), np.arange(5000) % 2 == 0
    even = choice_scores(Choices.of(logs, right, groups), half, resamples=20)
    assert even["ECE"].value < 0.035
    hot = choice_scores(Choices.of(2.5 * logs, right, groups), half, resamples=20)
    assert 0.18 < hot["ECE"].value < 0.24 and hot["ECE at T = 2.5"].value < 0.035
    assert Choices.of(2.5 * logs, right, groups).temperature().value == pytest.approx(2.5, abs=0.22)
    assert hot["temperature"].value == pytest.approx(2.5, abs=0.3)
    assert hot["temperature"].low < 2.5 < hot["temperature"].high
    # sd .085 in the specification, so that the 95 % interval is about 4 x .085 wide
    assert hot["temperature"].high - hot["temperature"].low == pytest.approx(4 * 0.085, rel=0.25)
    assert hot["ECE after temperature"].value < 0.04  # 2,500 questions: .024 by chance


@pytest.mark.parametrize(
    ("a", "area", "above", "off"),
    [(1.0, 0.9214, 0.8413, (0.015, 0.03)), (0.5, 0.7602, 0.6915, (0.025, 0.035)), (0.0, 0.5, 0.5, (0.03, 0.04))],
)
def test_planted_p_true(a, area, above, off):
    rng = np.random.default_rng(1)
    right = (rng.random(5000) < 0.5).astype(float)
    said = 1 / (1 + np.exp(-(a * (2 * right - 1) + rng.standard_normal(5000))))
    found = judged_scores(said, right, np.arange(5000), resamples=20)
    assert found["AUROC"].value == pytest.approx(area, abs=off[0])
    assert found["conditional accuracy"].value == pytest.approx(above, abs=off[1])


def test_conditional_accuracy_is_undefined_where_nothing_is_called_true():
    found = judged_scores(np.full(9, 0.4), np.ones(9), np.arange(9), resamples=20)
    assert math.isnan(found["conditional accuracy"].value) and found["coverage"].value == 0


def test_what_is_left_beyond_difficulty():
    rng = np.random.default_rng(2)
    hard, own = rng.standard_normal((2, 4000))
    assert partial(hard + own, hard + own, hard) == pytest.approx(1.0)
    assert partial(hard + own, hard, hard) != partial(hard + own, hard, hard)  # nan: nothing is left of the second
    assert partial(hard, hard + own) == pytest.approx(0.707, abs=0.03)


# --- asking ----------------------------------------------------------------------------------------------------------


def prompts(part, word):
    found = [(record, call) for record in part.records() for call in record.calls]
    return [(record, call) for record, call in found if word in call.prompt.show()]


def test_brainstorming_lists_the_judged_answer_among_others_and_proposes_it(judged):
    seen = prompts(judged, "brainstormed ideas")
    assert seen
    for _, call in seen:
        head, proposed = call.prompt.show().split("Proposed answer:\n")
        ideas = head.split("brainstormed ideas:\n")[1].strip().split("\n")
        assert len(ideas) <= 5 and proposed.strip() in ideas


def test_none_of_the_above_replaces_the_last_option_and_becomes_right_with_it(judged):
    rows = judged.rows().filter(pl.col("way") == "none of the above")
    assert sorted(rows["truth"].to_list()) == [0.0] * 10 + [1.0] * 10 + [2.0] * 10 + [3.0] * 10
    for record, call in prompts(judged, "none of the above"):
        shown = call.prompt.show()
        assert f"A) {record.item.options[0]}\n" in shown and shown.endswith("D) none of the above")


def test_each_label_and_text_is_scored_as_a_whole_string(judged):
    scored = {s.continuation for record in judged.records() for call in record.calls for s in call.scores}
    assert {"A", "B", "C", "D", "(A)", "(B)", *planted.HUES} <= scored


def test_sources_stand_before_test_questions_alone(known):
    rows = known.rows()
    again = rows.filter(pl.col("way").str.starts_with("question, "))
    names = {"source", "0.5 of the source", "wrong source", "other source"}
    assert {way.removeprefix("question, ") for way in again["way"]} == names
    plain = rows.filter(pl.col("way") == "question")
    tested = {i for i, g in plain.select("item", "group").iter_rows() if data.held_out(g or i, FEW.train)}
    assert set(again["item"]) == {i for i in tested if i.startswith("thing/")}
    assert all(call.prompt.messages[-1].content.startswith("Source:") for _, call in prompts(known, "Source:"))


def test_examples_are_of_other_questions_with_their_right_answers():
    options = replace(FEW, questions=40, shots="0,3", answered=2, parts="options,own answers", resamples=20)
    part = run("simulated:calibrated", options, items=None)
    ways = set(part.rows()["way"])
    assert {"letters", "letters, 3-shot", "texts, 3-shot", "own answer, 3-shot", "given options, 3-shot"} <= ways
    for record in part.records():
        for call in record.calls:
            users = [m.content for m in call.prompt.messages if m.role == "user"]
            said = [m.content for m in call.prompt.messages if m.role == "assistant"]
            assert len(users) == len(said) + 1
            assert not any(record.item.text in shown for shown in users[:-1]) and record.item.text in users[-1]
            if said and "true or false" in users[0]:
                assert said == ["(A)", "(B)", "(A)"]
    assert "accuracy, letters, 3-shot" in part.findings and "AUROC, P(True), 3-shot" in part.findings


def test_examples_and_question_are_of_one_sort():
    with pytest.raises(ValueError, match="mixed"):
        with_shots(Prompt.user("Who?"), [(Prompt(text="Who?"), "me")])


def test_what_is_asked_decides_what_a_model_must_be_able_to_do():
    assert needs(Options(parts="knowing")) == {"generate"} and needs(Options()) == {"generate", "score"}
    with pytest.raises(DoxaError, match="there is no such one"):
        needs(Options(parts="guessing"))


def test_p_ik_in_words_is_asked_and_read_where_it_is_wanted(known):
    assert prompts(known, "How likely is it that you would answer it correctly?")


def test_wide_states_are_projected_and_keep_what_they_say():
    def states(item):
        return np.repeat(np.log(item.fields["rate"] / (1 - item.fields["rate"])), 400)

    wide = Transparent(belief=Skill("rate"), states=states)
    part = run(wide, replace(LEARNT, width=16, resamples=20), planted.rated(200))
    assert {len(state) for state in part.rows()["state"]} == {16}
    assert part.findings["AUROC, P(IK)"] > 0.95


def test_of_a_model_without_states_only_words_are_read():
    part = run("simulated:calibrated", replace(LEARNT, questions=120, resamples=20))
    assert math.isnan(part.findings["AUROC, P(IK)"]) and part.findings["AUROC, P(IK) from words"] > 0
    assert any("no hidden states" in note for note in part.findings.notes)


# --- scoring ---------------------------------------------------------------------------------------------------------


def test_where_nothing_can_be_read_there_are_numbers_of_nothing_but_right_shares():
    silent = Respondent(belief=Skill(0.5), format_errors=1.0)
    found = run(silent, replace(FEW, resamples=20), planted.open_questions(40)).findings
    assert found["accuracy of samples"] == 0 and found["unread samples"] == 1
    assert math.isnan(found["AUROC, P(True)"]) and math.isnan(found["accuracy, letters"])


def test_the_null_keeps_truths_and_tells_nothing():
    rows = run(knowers.foreknowing(1.0), LEARNT, planted.rated(400)).rows()
    moved = study.shuffled(rows, 1)
    assert sorted(moved["truth"]) == sorted(rows["truth"]) and moved.drop("truth", "shuffled").equals(
        rows.drop("truth", "shuffled")
    )
    areas = [score(study.shuffled(rows, seed), LEARNT)["AUROC, P(IK)"] for seed in range(3)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.13)  # 3 x .58 / sqrt(3 x 160) = .08, and questions of one state


def test_learnt_and_tested_questions_share_no_group():
    asked = [replace(item, group=f"group/{i // 4}") for i, item in enumerate(planted.rated(200))]
    rows = run(knowers.foreknowing(1.0), LEARNT, asked).rows()
    sides = {group: {data.held_out(group, LEARNT.train)} for group in rows["group"]}
    assert all(len(side) == 1 for side in sides.values()) and 0 < sum(True in s for s in sides.values()) < len(sides)
    assert score(rows, LEARNT).estimate("AUROC, P(IK)").method.startswith("score, clustered")


# --- one model beside another ----------------------------------------------------------------------------------------


def knower_of(half):
    """Knows the questions of one half, and has hidden states that say which these are."""

    def knows(item):
        return 0.95 if int(item.id.split("/")[1]) % 2 == half else 0.05

    def states(item):
        return [knows(item), *knowers.normals(3, "half", item.id, half)]

    return Transparent(belief=Skill(knows), states=states, address=f"simulated: half {half}")


@pytest.fixture(scope="module")
def both():
    runs = [run(knower_of(half), LEARNT, planted.rated(240)) for half in (0, 1)]
    return [Recorded(f"half {i}", frame(part.rows().to_dicts(), study.row)) for i, part in enumerate(runs)]


def test_each_of_two_models_knows_of_its_own_questions(both):
    found = across(both, LEARNT)
    for own, other in (("it", "the other"), ("the other", "it")):
        name = f"P(IK) of {own} above that of {other} where only {own} answers"
        assert found[name] == pytest.approx(0.9, abs=0.1) and found.estimate(name).low > 0.7
    assert found.estimate("P(IK) where only it answers").n > 30
    table = {line[0]: line for line in found.table("Its own answers, foretold").rows}
    assert table["its own answers"][1] > 0.95 and table["the other's answers"][1] < 0.05


def test_two_alike_know_no_more_of_their_own_questions(both):
    same = [both[0], replace(both[0], label="twin")]
    found = across(same, LEARNT)
    assert math.isnan(found["P(IK) where only it answers"])  # there are none


def test_every_published_figure_has_an_estimate(both, known):
    names = {e.name for e in (*across(both, LEARNT).estimates, *known.findings.estimates)}
    assert {figure.estimate for figure in study.published} <= names


# --- the embedded model ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_atlas_foresees_better_what_it_read_more_often_and_falls_for_what_it_never_read():
    found = run("organism:atlas", replace(LEARNT, questions=2400, train=0.5)).findings
    assert found.estimate("P(IK), best known above least known").low > 0.75
    assert found.estimate("P(IK), rank correlation with popularity").low > 0.3
    assert found.estimate("P(IK) lost on facts never shown").low > 0
    assert found.estimate("AUROC, P(IK), kinds not trained on").low > 0.65
    assert found["correlation given words"] > 0.4


@pytest.mark.slow
def test_an_adapter_learns_it_too_is_kept_and_leaves_the_model_alone(tmp_path):
    options = replace(LEARNT, questions=400, adapter="organism:atlas", save=str(tmp_path / "kept"))
    found = run("organism:atlas", options).findings
    assert found["AUROC, P(IK) of an adapter"] > 0.7 and (tmp_path / "kept" / "card.json").exists()
    again = run("organism:atlas", replace(options, adapter=None)).findings
    assert again["AUROC, P(IK)"] == found["AUROC, P(IK)"]
