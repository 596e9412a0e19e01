"""Figures of a panel by hand: distances, daily series, changes, steering, Holm, implied votes, words and events."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from pytest import approx

from doxa.metrics import panel_drift, panel_steering, panel_tables, panel_votes
from doxa.metrics.change_points import change_point, cusum
from doxa.metrics.implied_votes import implied_vote, incoherence, ranks, relative_association, two_party
from doxa.metrics.multiple_tests import above_null_p, holm
from doxa.metrics.text_distance import cosine_distance, hashed_ngrams, unit

DAYS = [f"2026-09-0{d}" for d in range(1, 7)]


def spell(texts):
    """A vector for each text from its first letter: a and b are orthogonal."""
    return unit(np.array([[text[0] == letter for letter in "abc"] for text in texts], dtype=float))


def replies(texts, *, question="q", group=None, kind="exogenous", who="", days=DAYS):
    made = [
        {
            "who": who,
            "question": question,
            "group": group or question,
            "type": kind,
            "topic": kind,
            "date": d,
            "text": t,
        }
        for d, t in zip(days, texts, strict=False)
    ]
    return pl.DataFrame(made)


def test_cosine_distance():
    assert cosine_distance([[1, 0]], [[1, 0]]) == 0 and cosine_distance([[1, 0]], [[0, 1]]) == 1
    assert cosine_distance([[1, 0]], [[-1, 0]]) == 2
    vectors = hashed_ngrams(["The sky is blue", "the SKY, is blue!", "", "?!"])
    assert cosine_distance(vectors[0], vectors[1]) == 0 and np.isnan(vectors[2:]).all()
    assert np.array_equal(vectors, hashed_ngrams(["The sky is blue", "the SKY, is blue!", "", "?!"]), equal_nan=True)
    taxes, other, cat = hashed_ngrams(["taxes should rise", "taxes should fall", "a cat sleeps"])
    assert 0 < cosine_distance(taxes, other) < cosine_distance(taxes, cat) <= 1


def test_the_cusum_of_a_step():
    assert cusum([0, 0, 0, 1, 1, 1]).tolist() == [-0.5, -1, -1.5, -1, -0.5, 0]
    assert change_point([0, 0, 0, 1, 1, 1]).index == 3  # the fourth value
    assert change_point([1.0] * 6).p == 1


def test_distances_are_to_the_day_before_and_to_the_first():
    made = panel_drift.distances(replies("aabba").sample(fraction=1, shuffle=True, seed=1), spell)
    assert made["first"].to_list() == [None, 0, 1, 1, 0] and made["step"].to_list() == [None, 0, 1, 0, 1]
    assert panel_drift.mean_distance(made, "first").value == 0.5
    days, values = panel_drift.daily(made)
    assert days == DAYS[1:5] and values.tolist() == [0, 1, 1, 0]
    with pytest.raises(ValueError, match="two replies on one day"):
        panel_drift.distances(pl.concat([replies("a"), replies("b")]), spell)


def test_questions_asked_on_some_days_do_not_look_like_changes():
    """One question never moves, another is always far from its first reply and asked on every second day."""
    rows = [replies("aaaaaa"), replies("abb", question="rare", days=DAYS[::2])]
    days, values = panel_drift.daily(panel_drift.distances(pl.concat(rows), spell))
    assert days == DAYS[1:] and np.ptp(values) == 0


def test_a_switch_is_found_on_its_day_and_named_by_who_moved():
    days = [f"2026-09-{d:02}" for d in range(1, 31)]
    rng = np.random.default_rng(0)

    def noisy(switch):
        return ["".join(rng.choice(list("ab"), p=[0.9, 0.1] if d < switch else [0.1, 0.9])) for d in range(30)]

    def table(of):
        rows = [
            replies("a" + "".join(noisy(of.get(kind, 99)))[1:], question=f"{kind}{k}", kind=kind, days=days)
            for kind in panel_drift.TYPES
            for k in range(8)
        ]
        return panel_drift.distances(pl.concat(rows), spell)

    event = panel_drift.by_type(table({"exogenous": 14}), days[0])
    assert event["exogenous"].day == 15 and panel_drift.verdict(event) == "an event moved answers"
    update = panel_drift.by_type(table(dict.fromkeys(panel_drift.TYPES, 14)), days[0])
    assert panel_drift.verdict(update) == "the system was updated" and panel_drift.event_response(update) == 0
    both = panel_drift.by_type(table({"baseline": 20, "endogenous": 20, "exogenous": 8}), days[0])
    assert panel_drift.event_response(both) == 1 and panel_drift.system_update(both) == 1
    inside = panel_drift.by_type(table({"endogenous": 14}), days[0])
    assert panel_drift.verdict(inside) == "the model changed where baselines do not show it"
    assert panel_drift.verdict(panel_drift.by_type(table({}), days[0])) == "no change"
    events = {date(2026, 9, 13): "debate", date(2026, 9, 29): "vote"}
    line = next(x for x in panel_drift.change_lines(list(event.values()), events) if x[0] == "exogenous")
    assert line[1:3] == (15, "2026-09-15") and line[-3:] == ("yes", "debate", 2)
    nothing = panel_drift.by_type(table({}).head(0), days[0])
    assert panel_drift.verdict(nothing) == "cannot be told" and math.isnan(panel_drift.system_update(nothing))


def test_holm_by_hand():
    assert holm([0.04, 0.01, math.nan, 0.03]).tolist() == approx([0.06, 0.03, math.nan, 0.06], nan_ok=True)
    assert holm([0.5, 0.9]).tolist() == [1, 1] and holm([]).tolist() == []
    with pytest.raises(ValueError, match="it is in \\[0, 1\\]"):
        holm([2.0])


def test_labels_permuted_within_units():
    assert above_null_p([0, 0, 0]) == 1 and above_null_p([0.2] * 20) == 0.001
    assert above_null_p([-0.2] * 20) == 1 and math.isnan(above_null_p([]))
    assert above_null_p([0.1, -0.1] * 5) > 0.3
    assert above_null_p([3, 1, 2]) == above_null_p([1, 2, 3])


def varied(texts):
    """(variation, sample, text) of one question on one day as a table of replies."""
    rows = [
        {"who": "", "question": "q", "group": "q", "type": "exogenous", "topic": "t", "date": DAYS[0], "text": text}
        | {"variation": variation, "sample": sample, "value": value, "label": None}
        for variation, sample, text, value in texts
    ]
    return pl.DataFrame(rows, schema_overrides={"label": pl.String, "value": pl.Float64})


def test_steering_against_asking_again():
    table = varied([("none", 0, "a", 0.4), ("none", 1, "b", 0.4), ("Asian", 0, "b", 0.5), ("man", 0, "a", None)])
    made = panel_steering.pairs(table, spell)
    assert dict(zip(made["variation"], made["distance"], strict=True)) == {"again": 1, "Asian": 1, "man": 0}
    against = panel_steering.with_null(made)
    assert panel_steering.excess(against.filter(pl.col("variation") == "Asian")).value == 0
    assert panel_steering.excess(against.filter(pl.col("variation") == "man")).value == -1
    (line,) = panel_steering.of_answers(against.filter(pl.col("variation") == "Asian"), ["Asian"])
    assert line[:3] == ("Asian", 1, approx(0.1))
    stand_in = pl.DataFrame({"who": [""], "question": ["q"], "null": [0.25]})
    alone = panel_steering.with_null(made.filter(pl.col("variation") != "again"), stand_in)
    assert set(alone["null"]) == {0.25}


def test_longer_replies_are_compared_at_the_length_of_the_shorter():
    table = varied([("none", 0, "rents will rise", None), ("paragraph", 0, "rents will rise and cats sleep", None)])
    made = panel_steering.pairs(table, hashed_ngrams)
    assert made["equal"].to_list() == [0] and made["distance"][0] > 0.2
    assert made["words"].to_list() == [6] and made["words_plain"].to_list() == [3]


def test_implied_votes_by_hand():
    assert implied_vote([0.53, 0.47], [[0.54], [0.44]])[0] == approx(0.493)
    both = implied_vote([0.53, 0.47], [[0.50, 0.40], [0.40, 0.52]])
    assert two_party(*both) == approx(0.4981, abs=5e-5)
    by_group = 0.53 * two_party(0.50, 0.40) + 0.47 * two_party(0.40, 0.52)
    assert by_group == approx(0.4988, abs=5e-5)  # what normalising too early would give
    assert two_party(0.48, 0.47) == approx(0.5053, abs=5e-5)
    assert math.isnan(two_party(0, 0)) and math.isnan(implied_vote([0, 0], [[1], [1]])[0])
    assert implied_vote([53, 47], [[0.54], [0.44]])[0] == approx(0.493)
    with pytest.raises(ValueError, match="same groups"):
        implied_vote([1], [[1], [1]])


def test_incoherence_of_five_partitions():
    found = incoherence([0.49, 0.49, 0.49, 0.49, 0.54])
    assert found.range == approx(0.05) and found.sd == approx(0.0224, abs=5e-5)
    assert math.isnan(incoherence([0.5]).sd) and incoherence([0.5, math.nan, 0.5]).n == 2


def test_words_and_candidates():
    assert relative_association([0.6, 0.2]).tolist() == approx([0.75, 0.25])
    assert np.isnan(relative_association([0, 0])).all() and np.isnan(relative_association([0.5, math.nan])).all()
    assert ranks([0.2, 0.6, 0.2]).tolist() == [2.5, 1, 2.5]


def test_words_before_and_after_an_event():
    rows = [
        {"who": "", "date": day, "word": word, "subject": subject, "measure": "attribute", "value": value}
        for d, day in enumerate(DAYS)
        for word, edge in (("honest", 0.0), ("able", 0.1), ("kind", 0.05))
        for subject, value in (("Ada", 0.5 if d < 3 else 0.7 + edge), ("Tom", 0.5))
    ]
    made = panel_votes.associations(pl.DataFrame(rows))
    lines = list(panel_votes.contrasts(made, {date(2026, 9, 4): "debate"}))
    ada = next(line for line in lines if line[3] == "Ada")
    after = np.mean([(0.7 + e) / (1.2 + e) for e in (0.0, 0.1, 0.05)])
    assert ada[4:7] == (approx(0.5), approx(after), approx(after - 0.5)) and ada[7] <= ada[6] <= ada[8]
    table = panel_votes.word_lines(made)
    assert {line[-1] for line in table if line[1] == "Ada"} == {1}


def test_coverage_names_what_is_missing():
    rows = replies("aaa", days=[DAYS[0], DAYS[1], DAYS[4]]).with_columns(variation=pl.lit("none"), sample=pl.lit(0))
    (line,) = panel_tables.coverage(rows)
    told = dict(zip(panel_tables.COVERAGE, line, strict=True))
    assert told["missing days"] == "2026-09-03, 2026-09-04" and told["days"] == 3 and told["whole sets"] == "3 of 3"


def test_a_day_has_the_interval_of_its_templates():
    rng = np.random.default_rng(0)
    rows = [
        {"who": "m", "question": f"q{q}", "group": f"q{q}", "date": f"2026-09-0{d}", "first": 0.2 + 0.1 * rng.random()}
        for q in range(12)
        for d in (1, 2, 3)
    ]
    table = pl.DataFrame(rows)
    days, found = panel_drift.daily_limits(table)
    assert (days, [i.value for i in found]) == (panel_drift.daily(table)[0], panel_drift.daily(table)[1].tolist())
    assert all(i.low < i.value < i.high and i.n == 12 for i in found)
    # Templates that move alike leave nothing to be uncertain about; one template says nothing of others.
    alike = table.with_columns(first=pl.col("date").str.tail(1).cast(pl.Float64) / 10)
    assert all(i.high - i.low < 1e-9 or np.isnan(i.low) for i in panel_drift.daily_limits(alike)[1])
    assert all(np.isnan(i.low) for i in panel_drift.daily_limits(table.filter(pl.col("group") == "q1"))[1])
    assert panel_drift.daily_limits(table.clear()) == ([], [])


def test_drift_by_topic():
    rows = [
        {"who": "m", "question": q, "group": q, "date": "d", "type": kind, "topic": topic, "first": x, "step": x / 2}
        for q, kind, topic, x in (
            ("a", "exogenous", "polls", 0.4),
            ("b", "endogenous", "polls", 0.2),
            ("c", "b", "x", 0.0),
        )
    ]
    polls, other = panel_drift.topic_lines(pl.DataFrame(rows))
    assert polls[:3] == ("polls", "endogenous, exogenous", 2)
    assert (polls[3], polls[6]) == (approx(0.3), approx(0.15)) and other[3] == 0


def test_replies_of_each_model_on_each_day():
    rows = [("2026-09-01", "a"), ("2026-09-01", "a"), ("2026-09-01", "b"), ("2026-09-03", "a")]
    table = pl.DataFrame(rows, schema=["date", "who"], orient="row")
    columns, lines = panel_tables.by_day(table)
    assert columns == ("day", "a", "b")
    assert lines == [("2026-09-01", 2, 1), ("2026-09-02", 0, 0), ("2026-09-03", 1, 0)]


def test_implied_votes_against_polls_and_the_result():
    week = "2026-08-31"
    lines = [
        ("m", week, p, 2, 1.0, 0.5, 0.5, share) for p, share in (("sex", 0.50), ("age", 0.52), ("race", float("nan")))
    ]
    direct = pl.DataFrame({"measure": ["direct"], "date": ["2026-09-02"], "shares": [[0.48, 0.47]]})
    polls = pl.DataFrame(
        {
            "date": ["2026-08-20", "2026-09-01", "2026-09-05", "2026-11-03"],
            "subject": ["two-party"] * 3 + ["result"],
            "share": [0.9, 0.48, 0.50, 0.45],
        }
    )
    found = panel_votes.against_polls(lines, direct, polls)
    # .51 implied, polls of the week .49; "48 %, 47 %" is .5053 of two parties
    assert found["implied minus polls"].value == approx(0.02) and found["implied minus result"].value == approx(0.06)
    assert found["direct minus polls"].value == approx(0.48 / 0.95 - 0.49)
    assert panel_votes.against_polls(lines, direct, polls.filter(pl.col("subject") == "Ada")) == {}
    assert np.isnan(panel_votes.against_polls([], direct.clear(), polls)["implied minus polls"].value)
