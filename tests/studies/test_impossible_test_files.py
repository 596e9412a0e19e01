"""Impossible test: recorded answers in the published format, several models side by side, and GPT-4's own file."""

import csv
from pathlib import Path

import pytest

import doxa
from doxa.data import impossible as data
from doxa.data import impossible_files as files
from doxa.metrics import wilson
from doxa.metrics.sums import above_chance
from doxa.records import DoxaError
from doxa.runs.recorded import score_files
from doxa.studies.impossible_test import Options, read_file, score, study

DATA = Path(__file__).parents[3] / "shared" / "data" / "impossible-test"
needs_files = pytest.mark.skipif(not DATA.is_dir(), reason="the published files are not there")
PLAIN = Options(permutations=0, options_only=False, twins=False)
CHOICES = "Choices: A.Compute it B.Guess C.I do not know D.Ask Gödel E.Wait"

HEADER = (
    "question_id",
    "question",
    "answers",
    "correct_answer_index",
    "llm_answer",
    "llm_answer_index",
    "llm_reasoning",
    "is_correct",
)
ANSWERS = repr(["Compute it", "I don't know", "Guess", "Wait"])


def response_file(path, rows, header=HEADER):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def test_a_response_file_with_gaps_repeats_and_extra_columns(tmp_path):
    rows = [
        ("7", "Why?", ANSWERS, 1, "B", 1, "No\nidea", "True", "x"),
        ("7", "Why?", ANSWERS, 1, "A", 0, "", "True", "x"),  # says correct, and is not
        ("8", "How?", ANSWERS, 1, "", "", "", "", "x"),
        ("9", "Who?", ANSWERS, 1, "C", 3, "", "False", "x"),  # letter and index differ
        ("10", "When?", ANSWERS, 1, "d)", "", "", "", "x"),
    ]
    recorded = read_file(response_file(tmp_path / "m.csv", rows, (*HEADER, "extra")), Options())
    table = recorded.rows
    assert table["item"].to_list() == ["7#0", "7#1", "8", "9", "10"] and table["group"].to_list()[:2] == ["why", "why"]
    assert table["outcome"].to_list() == ["ok", "ok", "unparsed", "ambiguous", "ok"]
    assert table["place"].to_list() == [1, 0, None, None, 3] and set(table["version"]) == {"V1"}
    assert [note[:1] for note in recorded.notes] == ["1", "1"]
    rate = score(table, PLAIN).estimate("admission rate")
    assert rate.value == pytest.approx(1 / 3) and rate.bounds == (0.2, 0.6)


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([("1", "Why?", "no list", 1, "A", 0, "", "")], HEADER, "row 0: the options are 'no list'; a Python list"),
        ([("1", "Why?", ANSWERS, 7, "A", 0, "", "")], HEADER, "row 0: the admission's index is '7'"),
        ([("1", "Why?")], ("question_id", "question"), "no column answers or options among"),
        ([], HEADER, "no rows"),
        ([("1", "Why?", ANSWERS)], HEADER, "row 0: more or fewer cells"),
    ],
)
def test_a_faulty_response_file_is_refused_in_words(tmp_path, rows, header, message):
    with pytest.raises(DoxaError, match=message):
        read_file(response_file(tmp_path / "m.csv", rows, header), Options())


def test_models_stand_side_by_side(tmp_path):
    questions = tmp_path / "v2.csv"
    questions.write_text(f"Category,Problem,Difficulty,Correct\nLogic,Why? {CHOICES},Hard,C\n", encoding="utf-8")
    for name, letter in (("one", "B"), ("two", "A")):
        response_file(
            tmp_path / f"{name}.csv",
            [("1", "Why?", ANSWERS, 1, letter, "", "", ""), ("2", "Else", ANSWERS, 1, letter, "", "", "")],
        )
    options = Options(path=str(questions), min_category=1)
    found = dict(score_files(study, [tmp_path / "one.csv", tmp_path / "two.csv"], options))
    assert found["one"].notes[-1].startswith("1 of 2 problems are not in")
    models = found["all files"]
    assert [row[:4] for row in models.table("Models").rows] == [("one", "V1", 2, 1.0), ("two", "V1", 2, 0.0)]
    assert models.table("Models, by level").rows == (("one", 1.0), ("two", 0.0))


def test_rows_of_a_run_are_read_back(tmp_path):
    asked = doxa.run(study, "simulated:admits", items=data.made_up(5), options=Options(part=1.0))
    rows = asked["impossible-test"].rows()
    rows.write_parquet(tmp_path / "rows.parquet")
    assert read_file(tmp_path / "rows.parquet", Options()).rows.equals(rows)


# --- the published files ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt4():
    return score_files(study, [DATA / "gpt-4.csv"], Options(path=str(DATA / "impossible_test.csv")))[0][1]


@needs_files
def test_gpt4_admits_250_of_676(gpt4):
    rate = gpt4.estimate("admission rate")
    assert (rate.value, rate.n) == (250 / 676, 676)
    assert (rate.low, rate.high) == pytest.approx((0.334, 0.407), abs=6e-4)
    exact = wilson(250, 676)
    assert (exact.low, exact.high) == pytest.approx((0.334, 0.407), abs=5e-4)
    assert gpt4["chance"] == 0.25 and gpt4["excess over chance"] == pytest.approx(0.1598, abs=5e-5)
    assert above_chance(exact, 0.25).value == pytest.approx(0.1598, abs=5e-5)


@needs_files
def test_gpt4_goes_by_the_place(gpt4):
    rows = {row[0]: row for row in gpt4.table("By position").rows}
    assert {letter: row[1:3] for letter, row in rows.items()} == {
        "A": (165, 47),
        "B": (171, 56),
        "C": (164, 70),
        "D": (176, 77),
    }
    assert [row[6] for row in rows.values()] == [106, 157, 203, 210]
    test = gpt4.estimate("position chi-square")
    assert test.value == pytest.approx(12.17, abs=0.005) and test.method == "3 df, p = 0.0068"


@needs_files
def test_gpt4_by_difficulty_and_category(gpt4):
    words = {row[0]: (row[2], row[1]) for row in gpt4.table("By difficulty").rows}
    assert words == {
        **{"Low": (1, 5), "Medium": (13, 55), "Hard": (29, 94), "Extreme": (24, 78), "High": (58, 143)},
        **{
            "Very Hard": (82, 201),
            "Very High": (27, 62),
            "Unsolved": (8, 12),
            "Partially Solved": (4, 5),
            "Har": (0, 1),
        },
    }
    levels = {row[0]: (row[2], row[1]) for row in gpt4.table("By level").rows}
    assert (levels["Low+Medium"], levels["Hard"], levels["Solved status"]) == ((14, 60), (29, 95), (12, 17))
    trend = gpt4.estimate("difficulty trend")
    assert trend.value == pytest.approx(1.54, abs=0.005) and trend.n == 639 and trend.method.endswith("p = 0.12")
    categories = {row[0]: (row[2], row[1]) for row in gpt4.table("By category").rows}
    expected = {"Invention": (28, 115), "NP-Hard Problem": (33, 69), "Mathematics": (14, 27), "Philosophy": (6, 29)}
    assert {name: categories[name] for name in expected} == expected
    assert min(n for _, n in categories.values()) >= 10
    assert (
        gpt4["admission rate, low difficulty"] == 0.2
        and "rests on 5" in gpt4.estimate("admission rate, low difficulty").note
    )


@needs_files
def test_the_response_file_agrees_with_itself():
    rows, notes = files.responses(DATA / "gpt-4.csv", questions=str(DATA / "impossible_test.csv"))
    assert len(rows) == 676 and len({r["group"] for r in rows}) == 675
    assert notes == [f"20 of 676 problems are not in {DATA / 'impossible_test.csv'}: no category or level"]
