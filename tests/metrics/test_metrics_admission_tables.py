"""Tables about admissions: what counts as one, lines by place and by group, trends, what is left without places."""

import math

import polars as pl
import pytest

from doxa.metrics.admission_tables import (
    by_group,
    by_place,
    counted,
    share_read,
    side_by_side,
    trend_over,
    with_hits,
    without_places,
)


def answers(rows):
    """Answers from (outcome, place, admission, right, difficulty)."""
    shared = {"condition": "neutral", "sample": 0, "shuffled": False, "c": 3, "truth": "impossible", "version": "own"}
    columns = ("outcome", "place", "admission", "right", "difficulty")
    found = [
        {"item": f"i{k}", "group": None, **shared, **dict(zip(columns, r, strict=True))} for k, r in enumerate(rows)
    ]
    schema = {"group": pl.String, "place": pl.Int64, "difficulty": pl.String}
    return with_hits(pl.DataFrame(found, schema_overrides=schema), {"Low": "easy", "High": "hard"}.get)


READ = answers(
    [
        ("ok", 0, 0, 0, "Low"),  # admits, and that is right
        ("ok", 1, 0, 1, "High"),  # right
        ("ok", 2, 0, 1, "High"),  # wrong
        ("abstained", None, 0, 1, "High"),  # admits in words where something else is right
        ("unparsed", None, 0, 1, None),
    ]
)


def test_what_admits_and_what_hits():
    assert READ["admits"].to_list() == [True, False, False, True, None]
    assert READ["hit"].to_list() == [True, True, False, False, None]
    assert READ["level"].to_list() == ["easy", "hard", "hard", "hard", None]
    assert READ["group"].to_list() == READ["item"].to_list()  # each answer is its own group where none is named


def test_shares_are_of_what_was_read():
    assert share_read(READ["admits"], READ["group"]).value == 0.5 and share_read(READ["admits"], READ["group"]).n == 4
    assert counted("all", READ)[:4] == ("all", 4, 2, 0.5)
    nothing = READ.filter(pl.col("outcome") == "unparsed")
    assert math.isnan(share_read(nothing["admits"], nothing["group"]).value) and counted("none", nothing)[1:3] == (0, 0)


def test_lines_by_place():
    at_two = answers([("ok", 1, 1, 1, None), ("ok", 0, 1, 1, None)])
    lines, test = by_place(pl.concat([READ, at_two]), READ.clear())
    # Admission at 0: 2 of 4; at 1: 1 of 2; the third place holds none. No difference: chi-square 0 with 1 df.
    assert [line[:3] for line in lines] == [("0", 4, 2), ("1", 2, 1), ("2", 0, 0)]
    assert [line[6] for line in lines] == [2, 2, 1]  # times that each place was chosen
    assert [line[7] for line in lines] == pytest.approx([5 / 7, 2 / 7, 0]) and math.isnan(lines[0][8])
    assert (test.statistic, test.df) == (0, 1)
    assert by_place(READ, READ)[1] is None  # one place alone
    assert by_place(READ.clear(), READ.clear()) == ([], None)


def test_lines_by_group():
    lines, few = by_group(READ, "level", least=2)
    assert [line[:3] for line in lines] == [("hard", 3, 1)] and few == 1
    assert [line[0] for line in by_group(READ, "level")[0]] == ["hard", "easy"]  # the largest first
    ordered = by_group(READ, "level", order=("easy", "hard"))[0]
    assert [line[0] for line in ordered] == ["easy", "hard"]
    groups, rows = side_by_side([("one", ordered), ("two", ordered[:1])])
    assert groups == ["easy", "hard"] and rows[0] == ("one", 1.0, pytest.approx(1 / 3))
    assert rows[1][:2] == ("two", 1.0) and math.isnan(rows[1][2])


def test_trend_over_levels():
    # 1 of 1 and 1 of 3 admit, so that the share is .5.
    trend = trend_over(READ, ("easy", "hard"))
    # at = (1, 2), won - of * share = (.5, -.5): numerator -.5; spread 13 - 49 / 4 = .75; z = -.5 / sqrt(.25 * .75)
    assert trend.z == pytest.approx(-0.5 / math.sqrt(0.1875)) and trend.n == 4


def test_places_are_permuted_among_as_many_options():
    rows = [("ok", 0, k % 3, 0, None) for k in range(30)]
    moved = without_places(answers(rows), seed=1)
    assert sorted(moved["admission"]) == sorted(r[2] for r in rows)
    assert moved["admission"].to_list() != [r[2] for r in rows]
    assert set(moved["version"]) == {"own"}
