"""Matchups as items and forms, recorded preferences: read, refused with a reason, and turned into rows."""

import pytest
from pytest import approx

from doxa.elicit import matchup_files as files
from doxa.elicit.answers import Letter
from doxa.elicit.matchups import SIDES, Answered, MoreConfident, Preferring, matchup
from doxa.records import Answer, DoxaError, Item, Reply

TOWN = Item("town", "Which town?", "choice", ("Arn", "Bel", "Cor"), "Arn", fields={"chance": 0.9})
SUM = Item("sum", "2 + 2?", "number", answer="4", fields={"chance": 0.5})
SIDES_ = (Answered(TOWN, "B"), Answered(SUM, "5"))


# --- forms -----------------------------------------------------------------------------------------------------------


def test_a_matchup_shows_the_models_own_answers():
    """Not the right ones: else it would rate how hard the questions are."""
    short, whole = matchup(*SIDES_), matchup(*SIDES_, whole=True)
    assert short.options == ("Which town? Answer: Bel", "2 + 2? Answer: 5")
    assert whole.options[0] == "Which town?\nA) Arn\nB) Bel\nC) Cor\nYour answer: B) Bel"
    assert short.answer is None and short.id == "town | sum" and short.fields[SIDES][0] == {"chance": 0.9}
    shown = MoreConfident().prompt(whole).show()
    assert shown.index("Bel") < shown.index("2 + 2?") and shown.endswith("More confident: <1 or 2>")
    assert "A) Which town? Answer: Bel" in Letter().prompt(short).show()
    with pytest.raises(ValueError, match="options A, B, C"):
        matchup(Answered(TOWN, "D"), SIDES_[1])


@pytest.mark.parametrize("form", [MoreConfident(), MoreConfident(reasoning=True)])
@pytest.mark.parametrize("letter", ["A", "B"])
def test_what_is_written_is_read(form, letter):
    item = matchup(*SIDES_, whole=True)
    written = form.write(Answer("ok", letter, note="Sums are easy." if form.reasoning else ""), item)
    assert form.read(written, item).value == letter


@pytest.mark.parametrize(
    ("text", "outcome", "value"),
    [
        ("More confident: 1", "ok", "A"),
        ("**More confident: 2**", "ok", "B"),
        ("I know towns.\nMore confident: Question 1.", "ok", "A"),
        ("2", "ok", "B"),
        ("More confident: <1 or 2>", "unparsed", None),
        ("More confident: 1 or 2", "unparsed", None),
        ("More confident: 1\nMore confident: 2", "ambiguous", None),
        ("Both are right.", "unparsed", None),
        ("I cannot answer that.", "refused", None),
        ("", "unparsed", None),
    ],
)
def test_replies(text, outcome, value):
    found = MoreConfident().read(text)
    assert (found.outcome, found.value) == (outcome, value)


def test_a_cut_reply_is_read_when_its_line_is_there():
    assert MoreConfident().read(Reply("More confident: 1", finish="length")).value == "A"
    assert MoreConfident(True).read(Reply("I think that question 1", finish="length")).outcome == "truncated"


def test_planted_preferences():
    soft = Preferring(slope=1, hard=False)
    assert soft(matchup(*SIDES_), (0, "x")).probabilities["Which town? Answer: Bel"] == approx(
        9 ** (1 / 0.7) / (9 ** (1 / 0.7) + 1)
    )
    assert soft(matchup(*SIDES_[::-1]), (0, "x")).probabilities["2 + 2? Answer: 5"] == approx(1 / (9 ** (1 / 0.7) + 1))
    drawn = [Preferring(0, 0)(matchup(*SIDES_), (0, k)).probabilities["2 + 2? Answer: 5"] for k in range(400)]
    assert set(drawn) == {0.0, 1.0} and sum(drawn) == approx(200, abs=40)  # sd 10
    assert soft(TOWN, (0, "town")).favourite in TOWN.options


# --- recorded preferences --------------------------------------------------------------------------------------------


def rows(*cells):
    return [(f"f:{k + 1}", cell) for k, cell in enumerate(cells)]


@pytest.mark.parametrize(
    ("cell", "preferred"),
    [
        ({"winner": "a"}, 1.0),
        ({"winner": "b"}, 0.0),
        ({"winner": "first"}, 1.0),
        ({"winner": 2}, 0.0),
        ({"winner": "tie"}, 0.5),
        ({"winner": ""}, None),
        ({"winner": None}, None),
        ({"winner": float("nan")}, None),
        ({"p": 0.7}, 0.7),
        ({"p": "1"}, 1.0),
    ],
)
def test_winners(cell, preferred):
    (found,) = files.preferences(rows({"i": "a", "j": "b", **cell}))
    assert found.preferred == preferred and found.i_first


def test_ids_go_before_words():
    (found,) = files.preferences(rows({"i": 2, "j": 1, "winner": 1, "shown_first": "1"}))
    assert (found.i, found.j, found.preferred, found.i_first) == ("2", "1", 0.0, False)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"i": "a", "j": "a", "winner": "a"}, "f:1: question 'a' is compared with itself"),
        ({"i": "a", "j": "b", "winner": "c"}, "f:1, 'winner': 'c' is neither 'a' nor 'b'"),
        ({"i": "a", "j": "b", "p": 70}, "f:1, 'p': '70' is no probability"),
        ({"i": "a", "j": "b", "p": "high"}, "no probability"),
        ({"i": "a", "j": "b"}, "needs its winner"),
    ],
)
def test_what_cannot_be_read_is_refused(cell, message):
    with pytest.raises(DoxaError, match=message):
        files.preferences(rows(cell))


def test_rows_of_a_file_with_both():
    found, notes = files.recorded(
        rows(
            {"i": "a", "j": "b", "winner": "a", "extra": 1},
            {"i": "a", "j": "x", "winner": "a"},
            {"id": "a", "correct": True, "confidence": 0.9, "set": "s"},
            {"id": "b", "correct": 0, "confidence": 0.8, "set": "s"},
        ),
        [],
        "f",
    )
    assert [(r["item"], r["condition"], r["sample"]) for r in found] == [
        *(("a", "answer", 0), ("b", "answer", 0), ("a", "matchup", 0), ("a", "matchup", 1))
    ]
    assert found[2]["truth"] == found[0]["truth"] and found[2]["set"] == "s"
    assert any(note.endswith("not scored: 1") for note in notes)


def test_rows_of_a_file_that_says_both_sides():
    sides = {"correct_i": 1, "correct_j": 0, "confidence_i": 0.9}
    found, _ = files.recorded(rows({"i": "a", "j": "b", "winner": "a", **sides}), [], "f")
    assert [(r["item"], r.get("confidence"), r["truth"]) for r in found[:2]] == [
        *(("a", 0.9, ("right",)), ("b", None, ("wrong",)))
    ]
    once, other = {"i": "a", "j": "b", "winner": "a", **sides}, {"i": "c", "j": "a", "winner": "a"}
    assert len(files.about_both(rows(once, other, {**other, "correct_i": 1}))) == 3
    with pytest.raises(DoxaError, match="f:2: correct of question 'a' is 0, but 1 in f:1"):
        files.recorded(rows(once, {**other, "correct_j": 0}), [], "f")
    with pytest.raises(DoxaError, match="not whose answers are right"):
        files.recorded(rows({"i": "a", "j": "b", "winner": "a"}), [], "f")


def test_the_first_of_several_answers_is_frozen_and_a_sample_too():
    several = rows(*({"id": "a", "answer": x, "truth": "12", "confidence": c} for x, c in (("12", 0.5), ("13", 0.2))))
    found, _ = files.recorded([], several, "f")
    assert [(r["condition"], r["sample"], r["answer"]) for r in found] == [
        *(("answer", 0, "12"), ("sample", 0, "12"), ("sample", 1, "13"))
    ]
    single = rows({"id": "a", "answer": "1", "truth": "1", "sampling": "single"}, *(c for _, c in several))
    with pytest.raises(DoxaError):  # two truths for one question
        files.recorded([], single, "f")
