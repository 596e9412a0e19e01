"""Impossible test: the problems and their options, those of the bank, of the released file, and the orders shown."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import doxa
from doxa.data import impossible as data
from doxa.data import impossible_files as files
from doxa.data.unknowable import ADMISSION
from doxa.models.simulated import Always, Respondent
from doxa.records import DoxaError, Item
from doxa.studies.impossible_test import Options, items, orders, study

DATA = Path(__file__).parents[3] / "shared" / "data" / "impossible-test"
needs_files = pytest.mark.skipif(not DATA.is_dir(), reason="the published files are not there")


def test_bank_problems_and_their_twins():
    asked = items(Options(questions=12))
    unknown, known = asked[::2], asked[1::2]
    assert all(not data.is_answerable(i) for i in unknown) and all(data.is_answerable(i) for i in known)
    assert Counter(i.fields["category"] for i in unknown) == {"fabricated": 4, "future": 4, "unspecified": 4}
    assert {len(i.options) for i in known} == {5} and all(ADMISSION in i.options for i in asked)
    assert len(items(Options(questions=5, twins=False))) == 5


def test_shuffled_orders_are_fixed_by_item_and_seed():
    asked, options = data.made_up(200), Options()
    drawn = [orders(item, options, 0) for item in asked]
    assert drawn == [orders(item, options, 0) for item in asked] and drawn != [
        orders(item, options, 1) for item in asked
    ]
    # Half of 200: standard error 7.
    assert 72 < sum(map(bool, drawn)) < 128 and {len(d) for d in drawn} == {0, 5}
    assert orders(asked[0], replace(options, part=1.0, order="cyclic"), 0)[1] == (1, 2, 3, 4, 0)


def test_choices_are_split_where_labels_stand_and_nowhere_else():
    text, options = files.split_choices(
        "Decode it. Choices: A.Use C. elegans B.A.Not this C.Ask, e.g. twice D.I do not know E.Stop."
    )
    assert text == "Decode it." and options == ["Use C. elegans", "A.Not this", "Ask, e.g. twice", ADMISSION, "Stop."]
    assert files.split_choices("Q Choices: A.A. text B.b C.c D.d E.e")[1][0] == "text"
    assert files.normalised("Find  a 3-D Matching! Choices: A.x") == "find a 3 d matching"


def test_an_item_needs_one_admission():
    with pytest.raises(DoxaError, match="'a' has 0 options that admit"):
        data.admission_place(Item("a", "?", "choice", ("x", "y")))
    with pytest.raises(DoxaError, match="'a' has 2 options that admit"):
        data.admission_place(Item("a", "?", "choice", ("I don't know", ADMISSION)))
    named = Item("a", "?", "choice", ("I don't know", "Nobody can say"), fields={"admission": "Nobody can say"})
    assert data.admission_place(named) == 1 and data.is_admission("I don’t know yet")


def released(path, rows, encoding="cp1252"):
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, ("Category", "Problem", "Difficulty", "Correct"))
        writer.writeheader()
        writer.writerows(rows)
    return path


CHOICES = "Choices: A.Compute it B.Guess C.I do not know D.Ask Gödel E.Wait"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_a_released_file_is_read_in_either_encoding(tmp_path, encoding):
    row = {"Category": "Logic", "Problem": f"Decide Gödel's sentence {CHOICES}", "Difficulty": "Har", "Correct": "C"}
    (item,) = files.released_items(released(tmp_path / "v2.csv", [row], encoding))
    assert item.text == "Decide Gödel's sentence" and item.options[3] == "Ask Gödel" and item.answer == ADMISSION
    assert item.fields["version"] == "V2" and item.fields["difficulty"] == "Har" and not data.is_answerable(item)
    asked = items(Options(path=str(tmp_path / "v2.csv")))
    assert len(asked) == 2 and data.is_answerable(asked[1])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"Problem": f"Why {CHOICES}", "Correct": "A"}, "row 0: option A is 'Compute it', no admission"),
        ({"Problem": "Why Choices: A.x B.y", "Correct": "A"}, "row 0: 2 choices"),
        ({"Problem": f"Why {CHOICES}", "Correct": "F"}, "right letter 'F'"),
    ],
)
def test_a_faulty_question_file_is_refused_in_words(tmp_path, row, message):
    with pytest.raises(DoxaError, match=message):
        files.released_items(released(tmp_path / "v2.csv", [row]))
    with pytest.raises(DoxaError, match="no such file"):
        files.released_items(tmp_path / "none.csv")


@needs_files
def test_the_released_questions():
    asked = files.released_items(DATA / "impossible_test.csv")
    places = Counter("ABCDE"[data.admission_place(item)] for item in asked)
    assert places == {"C": 389, "D": 248, "E": 19, "B": 13, "A": 3} and len(asked) == 672
    assert all(len(item.options) == 5 and item.answer.startswith("I do not know") for item in asked)
    lengths = [(sorted(map(len, item.options)), len(item.answer)) for item in asked]
    assert sum(admission == ordered[0] for ordered, admission in lengths) == 579
    assert sum(admission == ordered[0] < ordered[1] for ordered, admission in lengths) == 574
    options = " ".join(o for item in asked for o in item.options)
    assert "e.g. " in options or "C. elegans" in options
    matched = [data.length_matched(item) for item in asked]
    shortest = sum(len(item.options[data.admission_place(item)]) == min(map(len, item.options)) for item in matched)
    assert shortest / 672 < 0.25


@needs_files
def test_always_c_on_the_released_questions():
    """672 problems x 5 orders: standard error .007; the rotations give exactly .2; the file as it stands 57.9 %."""
    asked = files.released_items(DATA / "impossible_test.csv")
    everything = Options(part=1.0)

    def at_c(options):
        return [order[2] == data.admission_place(item) for item in asked for order in orders(item, options, 0)]

    assert np.mean([data.admission_place(item) == 2 for item in asked]) == pytest.approx(0.579, abs=5e-4)
    assert len(at_c(everything)) == 3360 and np.mean(at_c(everything)) == pytest.approx(0.2, abs=0.03)
    assert np.mean(at_c(Options())) == pytest.approx(0.2, abs=0.04)
    assert np.mean(at_c(replace(everything, order="cyclic"))) == pytest.approx(0.2, abs=1e-12)
    rotated = Options(order="cyclic", part=1.0, options_only=False, twins=False)
    part = doxa.run(study, Respondent(decide=Always("C")), items=asked[:60], options=rotated)[
        "impossible-test"
    ].findings
    assert part["admission rate, shuffled"] == pytest.approx(0.2)
