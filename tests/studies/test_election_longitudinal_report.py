"""Election panel: what is drawn and listed over days, what few days cannot tell, votes beside polls and the result."""

import math
from datetime import timedelta

import polars as pl
from pytest import approx

import doxa
from doxa.elicit import panel_files
from doxa.metrics import panel_steering
from doxa.simulation import planted_panel, variations
from doxa.studies.election_longitudinal import FIRST, Options, Row, score
from doxa.study import frame

PLAIN = Options(variations="none", again=0)


def reply(text, day, **more):
    common = {"item": f"q@{day}", "question": "q", "group": "q", "outcome": "ok", "variation": "none", "sample": 0}
    return {**common, "date": day, "text": text, "shares": [], "hedged": False, "cut": False, **more}


def values_of(chart):
    """The rows that a chart draws, wherever altair puts them."""
    spec = chart.spec
    held = spec.get("data") or spec["layer"][0]["data"]
    return held["values"] if "values" in held else spec["datasets"][held["name"]]


def panel(days, model=None, each=3):
    asked = planted_panel.questions(each, days, FIRST)
    model = model or planted_panel.respondent(FIRST, on=15)
    return doxa.run("election-longitudinal", model, items=asked, options=PLAIN, progress=False)["election-longitudinal"]


def test_drift_is_drawn_with_its_intervals_and_topics_are_listed():
    part = panel(20)
    found = part.findings
    (drift,) = found.charts
    points = [row for row in values_of(drift) if row["value"] is not None]
    assert {row["of"] for row in points} == {"baseline", "endogenous", "exogenous"}
    assert all(row["low"] <= row["value"] <= row["high"] for row in points if row["low"] is not None)
    assert any(row["low"] is not None for row in points)
    lines = found.table("Drift by topic").rows
    assert len(lines) == 6 and all(0.2 < line[3] < 0.5 for line in lines)  # 6 of 19 days, sets .8 apart
    assert "Replies by day" not in {table.name for table in found.tables}  # every day is whole
    gone = (FIRST + timedelta(days=6)).isoformat()
    rows = part.rows()
    held = score(rows.filter(rows["date"] != gone), PLAIN).table("Replies by day").rows
    assert len(held) == 20 and {line[0] for line in held if line[1] == 0} == {gone}


def test_a_change_that_is_found_is_found_in_the_table_too():
    """Holm over all series of 999 permutations could never be below .005, whatever changed."""
    options = Options(variations="none", again=0, events=f"{FIRST + timedelta(days=20)}=withdrawal")
    model = planted_panel.respondent(FIRST, on=21, types=("exogenous",))
    asked = planted_panel.questions(4, 40, FIRST)
    run = doxa.run("election-longitudinal", model, options=options, items=asked, progress=False)
    found = run["election-longitudinal"].findings
    lines = {line[0]: line for line in found.table("Change points").rows}
    assert found["response to an event"] == 1
    assert lines["exogenous"][6] <= 0.005 and lines["exogenous"][7:] == ("yes", "withdrawal", 0)
    assert lines["baseline"][7] == "no" and lines["baseline"][8] == ""


def test_refusals_are_drawn_over_days_and_their_rate_beside_them():
    found = panel(3, planted_panel.refuser(0.4), each=20).findings
    (drawn,) = (chart for chart in found.charts if chart.name == "Refusals over time")
    points = [row for row in values_of(drawn) if row["value"] is not None]
    assert len(points) == 3 and all(row["low"] < row["value"] < row["high"] for row in points)


def test_steering_is_drawn_by_variation_and_topic():
    asked = planted_panel.questions(4, 4, FIRST)
    model = planted_panel.respondent(FIRST, still=True, replaces={"Democrat": 1.0})
    options = Options(variations="Democrat,truthful", again=1)
    run = doxa.run("election-longitudinal", model, options=options, items=asked, progress=False)
    (drawn,) = (chart for chart in run["election-longitudinal"].findings.charts if chart.name == "Steering by topic")
    cells = {(row["row"], row["column"]): row["value"] for row in values_of(drawn)}
    assert next(column for _, column in cells) == "all" and len(cells) == 2 * 5
    assert cells["Democrat", "all"] > 0.5 and cells["truthful", "all"] == 0


def test_a_topic_that_one_of_many_variations_moves_can_be_told():
    """22 lines of 999 permutations could not be below .02 after Holm, 189 not below .19."""
    names = [f"v{k}" for k in range(30)]
    made = pl.DataFrame(
        [
            {"variation": v, "topic": f"t{q % 4}", "group": f"q{q}", "distance": 0.1 + 0.8 * (v == "v0"), "null": 0.1}
            for v in names
            for q in range(60)
        ]
    )
    lines = {line[:2]: line for line in panel_steering.matrix(made, names)}
    assert all(lines["v0", f"t{k}"][-1] <= 0.05 for k in range(4)) and lines["v1", "t0"][-1] == 1


def test_words_are_drawn_over_days():
    asked = [*planted_panel.words(FIRST), *planted_panel.words(FIRST + timedelta(days=1))]
    run = doxa.run("election-longitudinal", planted_panel.judge(0.6), items=asked, options=PLAIN, progress=False)
    found = run["election-longitudinal"].findings
    (drawn,) = (chart for chart in found.charts if chart.name == "Whom words describe, over time")
    points = values_of(drawn)
    assert {row["of"] for row in points} == set(planted_panel.CANDIDATES) and len({row["day"] for row in points}) == 2
    first = 0.6 / (0.6 + planted_panel.OTHER)
    assert {round(row["value"], 6) for row in points} == {round(first, 6), round(1 - first, 6)}


def test_few_days_cannot_tell_an_update():
    few, many = panel(8).findings, panel(14, planted_panel.respondent(FIRST)).findings
    assert math.isnan(few["system update"]) and math.isnan(few["response to an event"])
    assert any("too few to tell a change" in note for note in few.notes)
    assert {line[7] for line in few.table("Change points").rows} == {"too few days"}
    assert {line[7] for line in many.table("Change points").rows} == {"no"}
    assert many["system update"] == 0 == many["response to an event"]


def test_votes_beside_polls_and_the_result(tmp_path):
    path = tmp_path / "polls.csv"
    path.write_text(f"date,subject,share\n{FIRST},two-party,0.47\n2026-11-03,result,0.45\n", encoding="utf-8")
    polls = planted_panel.exit_polls(5, FIRST)
    options = Options(variations="none", again=0, polls=str(path))
    model = planted_panel.voter(0.49, 0.0)
    found = doxa.run("election-longitudinal", model, options=options, items=polls, progress=False)
    found = found["election-longitudinal"].findings
    assert found["implied minus result"] == approx(0.04, abs=1e-4) == found["direct minus result"]
    assert found["implied minus polls"] == approx(0.02, abs=1e-4)


def test_a_model_that_reads_the_internet_is_judged_apart():
    rows = [reply("It may rain.", f"2026-09-0{d}", who="gemini-1.0-pro-with-internet") for d in (1, 2)]
    assert any("reads the internet" in note for note in score(frame(rows, Row), Options()).notes)
    assert not any("internet" in note for note in score(frame([{**r, "who": "m"} for r in rows], Row), Options()).notes)


def test_recorded_replies_that_break_off_count_as_cut(tmp_path):
    long = "The race is close, and polls differ. " * 8
    lines = ["date,question,response", f'2024-07-23,Who?,"{long}But the"', f'2024-07-24,Who?,"{long}"']
    (tmp_path / "replies.csv").write_text("\n".join(lines), encoding="utf-8")
    found = panel_files.read(tmp_path / "replies.csv", variations.of_file)
    assert [row["cut"] for row in found.rows] == [True, False]
    assert any("break off" in note for note in found.notes())
