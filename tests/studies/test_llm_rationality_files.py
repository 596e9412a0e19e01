"""Assumed rationality: tables of gambles, of pairs and of people, in the published columns and a user's own."""

import json
from pathlib import Path

import pytest
from pytest import approx

import doxa
from doxa.data import gamble_problems as data
from doxa.data import inferred_preferences as inferred
from doxa.metrics import preference_theories as inverse
from doxa.metrics import spearman
from doxa.records import DoxaError
from doxa.studies.llm_rationality import Options, across, example, read_file, score, study

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
CHOICES13K, JERN = SHARED / "choices13k", SHARED / "preference-learning"
GAMBLES = pytest.mark.skipif(not (CHOICES13K / data.SELECTIONS).is_file(), reason="choices13k is not here")
RANKS = pytest.mark.skipif(not (JERN / "positive").is_dir(), reason="the preference learning tables are not here")


# --- files -----------------------------------------------------------------------------------------------------------


def test_human_ranks_by_either_order_of_options(tmp_path):
    (tmp_path / "labels_fractional.csv").write_text("ax\nb/ax\na/x\n", encoding="utf-8")
    (tmp_path / "means_fractional.csv").write_text("1.5\n2\n2.5\n", encoding="utf-8")
    assert inferred.human_ranks(str(tmp_path)) == {"ax": 1.5, "ax/b": 2.0, "x/a": 2.5}
    table = tmp_path / "ranks.csv"
    table.write_text("choice,rank\nax,1.5\nax/b,2\nx/a,2.5\n", encoding="utf-8")
    assert inferred.human_ranks(str(table)) == {"ax": 1.5, "ax/b": 2.0, "x/a": 2.5}
    table.write_text("ax/b,2\na/x,1\n", encoding="utf-8")
    with pytest.raises(DoxaError, match="neither the first nor the last"):
        inferred.human_ranks(str(table))
    table.write_text("ax/b,strong\n", encoding="utf-8")
    with pytest.raises(DoxaError, match="'strong' is no number"):
        inferred.human_ranks(str(table))
    with pytest.raises(FileNotFoundError, match="no human ranks"):
        inferred.human_ranks(str(tmp_path / "nothing"))


HEAD = "Problem,Feedback,n,Block,Amb,Corr,bRate,bRate_std"


def published(folder, lines=("1,True,15,2,False,0,.6,.1", "1,False,12,1,True,0,.3,.2")):
    (folder / data.SELECTIONS).write_text("\n".join([HEAD, *lines]), encoding="utf-8")
    gambles = {"A": [[0.95, 26], [0.05, -1]], "B": [[0.95, 21], [0.05, 23], [0.0, 99]]}
    (folder / data.PROBLEMS).write_text(json.dumps({"0": gambles, "1": gambles}), encoding="utf-8")
    return str(folder)


def test_problems_in_the_published_columns(tmp_path):
    first, second = data.problems(published(tmp_path))
    assert first.group == second.group and first.fields["human"] == 0.6 and second.fields["ambiguous"]
    assert first.fields["people"] == 15 and first.fields["feedback"] and not second.fields["feedback"]
    assert first.options[1] == "$21 with 95% chance, $23 with 5% chance"  # what cannot happen is not told
    rows = read_file(tmp_path, Options()).rows
    assert rows["arm"].to_list() == ["people"] * 2 and rows["people"].to_list() == [15, 12]
    made = score(rows, Options())
    assert "rho(human, EV)" in made and not any(e.name.startswith("rho(model") for e in made.estimates)
    with pytest.raises(DoxaError, match="row 0: the human rate is '60'"):
        data.problems(published(tmp_path, ("1,True,15,2,False,0,60,.1",)))


def test_a_table_of_gambles_with_a_models_choices(tmp_path):
    path = tmp_path / "answers.jsonl"
    a, b = [[1.0, 3.0]], [[0.5, 9.0], [0.5, 0.0]]
    lines = [{"id": f"g{i}", "a": a, "b": [[0.5, 9.0 - i], [0.5, 0.0]], "human": 0.9 - i / 10} for i in range(6)]
    lines = [line | {"choice": "AB"[line["b"][0][1] > 6], "sample": s} for line in lines for s in (0, 1)]
    path.write_text("\n".join(map(json.dumps, [*lines, lines[0] | {"choice": "none", "sample": 2}])), encoding="utf-8")
    made = score(read_file(path, Options()).rows, Options())
    assert made["rho(model, EV), individual"] == 1 and made["unread, individual"] == approx(1 / 13)
    for wrong, message in (({"a": "[[1, 2"}, "a is"), ({"b": b, "human": 2}, "human rate"), ({"a": [[50, 1]]}, "sum")):
        path.write_text(json.dumps(lines[0] | wrong), encoding="utf-8")
        with pytest.raises(DoxaError, match=message):
            read_file(path, Options())
    path.write_text(json.dumps({"a": a}), encoding="utf-8")
    with pytest.raises(DoxaError, match="no column b"):
        read_file(path, Options())


def test_a_table_of_pairs(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(
        "first,second,choice\nx/a,ax,1\nx/a,ax/b,Choice 1\nax,ax/b,2\nx,ax,tie\nx,x/a,?\n", encoding="utf-8"
    )
    made = score(read_file(path, Options()).rows, Options())
    assert made["unread pairs"] == approx(0.2) and made["rank correlation with absolute utility"] == approx(5 / 6)
    path.write_text("first,second,choice\nx/a,elm,1\n", encoding="utf-8")
    with pytest.raises(DoxaError, match="'elm' is no choice"):
        read_file(path, Options())


GAMBLE = {"id": "g", "a": [[1.0, 3.0]], "b": [[0.5, 9.0], [0.5, 0.0]], "choice": "A"}
PAIR = {"first": "x/a", "second": "ax", "choice": "1"}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{**GAMBLE, "people": "many"}], r"line 1: people is 'many'; it is a whole number"),
        ([{**GAMBLE, "sample": "x"}], "sample is 'x'"),
        ([{**GAMBLE, "arm": "king"}], "arm is 'king'; it is one of individual"),
        ([{**GAMBLE, "style": "loud"}], "style is 'loud'"),
        ([{**GAMBLE, "sample": 1}] * 2, r"line 2: sample 1 of g, individual, zero-shot was there before"),
        ([GAMBLE, {**GAMBLE, "a": [[1.0, 4.0]]}], "id 'g' has other gambles than before"),
        ([{**PAIR, "first": "xx/a"}], "'xx/a' is no choice"),
        ([{**PAIR, "first": "ax"}], "first and second are both 'ax'"),
        ([{**PAIR, "sample": 0}] * 2, "sample 0 of x/a and ax, zero-shot was there before"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(lines, message, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with pytest.raises(DoxaError, match=message):
        read_file(path, Options())


def test_what_is_answered_several_times_counts_as_samples(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps({**PAIR, "choice": c}) for c in "122"), encoding="utf-8")
    rows = read_file(path, Options()).rows
    assert rows["sample"].to_list() == [0, 1, 2] and score(rows, Options()).estimate("unread pairs").n == 3
    path.write_text("\n".join(map(json.dumps, [GAMBLE] * 2)), encoding="utf-8")
    made = score(read_file(path, Options()).rows, Options())
    assert made.estimate("unread, individual").n == 2 and made.estimate("unread, individual").unit == "replies"
    assert not any("simulated" in note or "logprobs" in note for note in made.notes)


def test_a_folder_that_is_not_choices13k_says_where_rows_are(tmp_path):
    with pytest.raises(DoxaError, match=r"so not choices13k; a run's rows are in its readings"):
        read_file(tmp_path, Options())


def test_a_way_out_is_named_where_replies_are_unreadable():
    asked = example()[:3]
    for model, read, says in (("format_errors=1", "samples", True), ("format_errors=1", "logprobs", False)):
        options = Options(arms="act", read=read)
        run = doxa.run(study, f"simulated:random?{model}", options=options, items=asked, null_seed=None, progress=False)
        assert any("--read logprobs" in note for note in run["llm-rationality"].findings.notes) is says


def test_models_side_by_side(tmp_path):
    b, lines = [[0.5, 9.0], [0.5, 0.0]], []
    for i in range(6):
        problem = {"id": f"g{i}", "a": [[1.0, 2.0 + i]], "b": b, "human": 0.8 if i in (0, 1, 5) else 0.2}
        lines.append({**problem, "choice": "B" if i < 3 else "A"})  # worth 4.5: the first three are B's
    paths = [tmp_path / "ev.jsonl", tmp_path / "other.jsonl"]
    for path, turned in zip(paths, ("AB", "BA"), strict=True):
        said = [{**line, "choice": turned["AB".index(line["choice"])]} for line in lines]
        path.write_text("\n".join(map(json.dumps, said)), encoding="utf-8")
    made = across([read_file(path, Options()) for path in paths], Options())
    rows = {row[:2]: row for row in made.table("Models").rows}
    assert rows["ev", "individual"][2] == 1 and rows["other", "individual"][2] == -1
    assert rows["ev", "individual"][4] == approx(1 - rows["ev", "people"][2]) == approx(2 / 3)
    assert [chart.name for chart in made.charts] == ["Choices and expected value by model"]


def test_rows_of_a_run_come_back(tmp_path):
    run = doxa.run(study, "simulated:random", items=example(), null_seed=None, progress=False)
    run["llm-rationality"].rows().write_parquet(tmp_path / "rows.parquet")
    back = read_file(tmp_path / "rows.parquet", Options()).rows
    values = [{e.name: e.value for e in score(r, Options()).estimates} for r in (back, run["llm-rationality"].rows())]
    assert values[0] == approx(values[1], nan_ok=True)


# --- the published tables --------------------------------------------------------------------------------------------


@GAMBLES
def test_the_published_choices():
    made = score(read_file(CHOICES13K, Options()).rows, Options())
    assert made["rho(human, EV)"] == approx(0.4819, abs=5e-4)
    people = made.table("By arm").rows[0]
    assert people[2] == approx(0.7391, abs=5e-4) and people[7] == 14568
    lines = {line[1]: line for line in made.table("By theory").rows}
    assert lines["EV"][4] == approx(0.5742, abs=5e-4) and lines["EV"][5] == approx(0.641, abs=5e-4)
    parts = {line[0]: line for line in made.table("Parts of the problems").rows}
    assert parts["no ambiguity"][1] == 11759 and parts["no ambiguity"][3] == approx(0.5226, abs=5e-4)
    assert parts["no feedback, no ambiguity"][1] == 1928
    assert parts["no feedback, no ambiguity"][3] == approx(0.4610, abs=5e-4)
    assert parts["equal expected values"][1] == 469
    published = score(read_file(CHOICES13K, Options()).rows, Options(variant="published"))
    assert published["rho(human, EV)"] == approx(0.4839, abs=5e-4)


@GAMBLES
def test_the_first_two_thousand_published_choices():
    rows = read_file(CHOICES13K, Options()).rows
    assert rows["human"].mean() == approx(0.5186, abs=5e-5) and rows["group"].n_unique() == 13006
    assert (rows["ambiguous"].sum(), rows["feedback"].sum()) == (2809, 12188)
    assert score(rows.head(2000), Options())["rho(human, EV)"] == approx(0.4784, abs=5e-4)


@RANKS
@pytest.mark.parametrize(
    ("condition", "values"), [("positive", (0.983, 0.981, -0.511, 0.754)), ("negative", (0.898, 0.934, -0.279, 0.605))]
)
def test_theories_beside_peoples_mean_ranks(condition, values):
    people = inferred.human_ranks(str(JERN / condition))
    made = [
        spearman(list(people.values()), inverse.theory_values(list(people), t, negative=condition == "negative"))
        for t in inverse.THEORIES
    ]
    assert made == approx(values, abs=0.004)
