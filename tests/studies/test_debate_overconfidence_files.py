"""Recorded debates: tables of bets, raw debates, judgements of bets; published figures from the published files."""

import csv
import json
from pathlib import Path

import pytest
from pytest import approx

import doxa
from doxa.elicit.debaters import Debater
from doxa.elicit.debating import SIDES
from doxa.records import DoxaError
from doxa.runs.recorded import score_files
from doxa.studies.debate_overconfidence import Options, items, read_file, score, study

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "debate-overconfidence"
published = pytest.mark.skipif(not (DATA / "all_bets.csv").is_file(), reason="the published bets are not here")
SPEECHES = ("opening", "rebuttal", "closing")
TOPIC = "This House would light the lamps at noon"
COLUMNS = (
    *("debate_id", "experiment_type", "betting_model", "proposition_model", "opposition_model", "side"),
    *("speech_type", "bet_amount", "topic", "bet_reasoning", "note"),
)


def line(side, speech, bet, *, name="x_vs_x", kind="Cross-model", model="a/x:free", topic=TOPIC, reasons="Fine."):
    return dict(zip(COLUMNS, (name, kind, model, "a/x:free", "y", side, speech, bet, topic, reasons, "?"), strict=True))


def debate(bets, **more):
    """Lines of one debate from {speech: (bet of the proposition, of the opposition)}."""
    return [
        line(side, speech, bet, **more) for speech, pair in bets.items() for side, bet in zip(SIDES, pair, strict=True)
    ]


def written(path, lines, columns=COLUMNS):
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(lines)
    return path


def scored(path, options=None):
    options = options or Options()
    return score(read_file(path, options).rows, options)


THREE = {"opening": (60, 70), "rebuttal": (70, 70), "closing": (80, 76)}


def test_a_table_of_bets(tmp_path):
    made = scored(written(tmp_path / "bets.csv", debate(THREE)))
    assert [made[f"{speech} bet, cross_model"] for speech in SPEECHES] == [65, 70, 78]
    assert made["opening to closing, cross_model"] == 13 and made["both above 75, cross_model"] == 1
    assert made["excess of the sum, cross_model"] == 56


def test_one_id_for_many_debates(tmp_path):
    """Published ids name the two models alone: motions tell debates apart; one debated twice is two debates."""
    low = {"opening": (10, 0), "rebuttal": (20, 10), "closing": (30, 20)}
    lines = [*debate(THREE), *debate(low, topic="Another"), *debate(low)]
    made = scored(written(tmp_path / "bets.csv", lines))
    assert made.estimate("sum above 100, cross_model").n == 3 and made["sum above 100, cross_model"] == approx(1 / 3)
    assert made["opening to closing, cross_model"] == approx((20 + 6 + 20 + 20 + 20 + 20) / 6)
    assert made.estimate("opening bet, cross_model").n == 6  # a bet of 0 is a bet


def test_two_rebuttals_under_one_name(tmp_path):
    bets = [("opening", 50, 50), ("rebuttal", 60, 40), ("rebuttal", 70, 30), ("closing", 80, 60)]
    lines = [
        line(side, speech, bet, kind="multi_round")
        for speech, *pair in bets
        for side, bet in zip(SIDES, pair, strict=True)
    ]
    rows = read_file(written(tmp_path / "multi.csv", lines), Options()).rows
    assert set(rows["speech"]) == {"opening", "rebuttal_1", "rebuttal_2", "closing"}
    made = score(rows, Options())
    assert made["opening to rebuttal, multi_round"] == 0 and made["rebuttal to closing, multi_round"] == 20
    assert made["rebuttal bet, multi_round"] == 50 and made.estimate("rebuttal bet, multi_round").n == 4


def test_names_of_conditions_and_models(tmp_path):
    kinds = {
        "Cross-model": "cross_model",
        "Debate against same model": "self_debate",
        "Debate against same model informed with 50% probability": "informed_self",
        "Public Bets": "public_bets",
        "Redteam": "self_redteam",
        "self_redteam_debate": "self_redteam",
        "mine": "mine",
    }
    lines = [row for kind in kinds for row in debate(THREE, kind=kind)]
    rows = read_file(written(tmp_path / "bets.csv", lines), Options()).rows
    assert set(rows["setting"]) == set(kinds.values()) and set(rows["bettor"]) == {"x"}
    assert "opening bet, mine" in score(rows, Options())


def test_missing_columns_and_cells(tmp_path):
    lines = debate({**THREE, "closing": ("", "nan")})
    made = scored(written(tmp_path / "bets.csv", lines, COLUMNS[:1] + COLUMNS[5:8]))
    assert made["opening bet, self_debate"] == 65 and made["unread bets, self_debate"] == approx(2 / 6)
    assert made["opening to closing, self_debate"] != made["opening to closing, self_debate"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "left"}, r"bets\.csv:2: side is 'left'"),
        ({"speech_type": "toast"}, r"bets\.csv:2: speech_type is 'toast'"),
        ({"bet_amount": "all"}, r"bets\.csv:2: the bet is 'all'"),
        ({"bet_amount": 140}, r"bets\.csv:2: the bet is 140; bets are 0 to 100"),
    ],
)
def test_what_a_table_must_not_hold(change, message, tmp_path):
    lines = debate(THREE)
    lines[0] |= change
    with pytest.raises(DoxaError, match=message):
        read_file(written(tmp_path / "bets.csv", lines), Options())


def test_tables_of_something_else(tmp_path):
    with pytest.raises(DoxaError, match="no column side, bet_amount"):
        read_file(written(tmp_path / "bets.csv", debate(THREE), ("debate_id", "speech_type")), Options())
    shares = debate({speech: (0.6, 0.7) for speech in SPEECHES})
    with pytest.raises(DoxaError, match="Probabilities\\? multiply by 100"):
        read_file(written(tmp_path / "bets.csv", shares), Options())
    twice = [*debate(THREE), *debate({"rebuttal_1": (1, 2)}), *debate({"rebuttal_1": (1, 2)})]
    with pytest.raises(DoxaError, match="has 2 bets of the proposition after its rebuttal_1"):
        read_file(written(tmp_path / "bets.csv", twice), Options())
    with pytest.raises(DoxaError, match=r"none of its 0 \.json files"):
        read_file(tmp_path, Options())


# --- raw debates -----------------------------------------------------------------------------------------------------


def raw(**more):
    bets = [
        {"side": side, "speech_type": speech, "amount": bet, "thoughts": f"{bet}% sure."}
        for speech, pair in THREE.items()
        for side, bet in zip(SIDES, pair, strict=True)
    ]
    verdicts = [
        {"model": f"q/{j}", "winner": w, "confidence": 75, "logic": "So."} for j, w in zip("aab", "ppo", strict=True)
    ]
    for verdict in verdicts:
        verdict["winner"] = {"p": "proposition", "o": "opposition"}[verdict["winner"]]
    speeches = {
        f"{side}_output": {"side": side, "speeches": dict.fromkeys(SPEECHES, f"We, the {side}.")} for side in SIDES
    }
    return {
        "motion": {"topic_description": TOPIC}, "debate_type": "private_bet", "proposition_model": "a/x",
        "opposition_model": "b/y:free", **speeches, "debator_bets": bets, "judge_results": verdicts, **more,
    }  # fmt: skip


def test_raw_debates(tmp_path):
    folder = tmp_path / "private_bet_experiments_diff_models"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.json").write_text(json.dumps(raw()), encoding="utf-8")
    (folder / "pairings.json").write_text("{}", encoding="utf-8")
    made = scored(tmp_path)
    assert made["opening bet, cross_model"] == 65 and made.estimate("sum above 100, cross_model").n == 2
    assert made["proposition wins, cross_model"] == 1 and made["verdicts that agree, cross_model"] == approx(1 / 3)
    assert made["Brier, closing, cross_model"] == approx((0.2**2 + 0.76**2) / 2)
    assert made["opening bet, y, cross_model"] == 70
    alone = scored(folder / "one.json")
    assert alone["closing bet, cross_model"] == 78


def test_raw_debates_that_lack_something(tmp_path):
    kept = raw(debate_type="public_bets", judge_results=None, opposition_output=None)
    kept["debator_bets"][0]["amount"] = None
    kept["debator_bets"].append(dict(kept["debator_bets"][1], amount=90))  # asked again: the last one counts
    (tmp_path / "d.json").write_text(json.dumps(kept), encoding="utf-8")
    made = scored(tmp_path / "d.json")
    assert made["opening bet, public_bets"] == 90 and "proposition wins, public_bets" not in made
    (tmp_path / "d.json").write_text(json.dumps({"motion": "m"}), encoding="utf-8")
    with pytest.raises(DoxaError, match=r"d\.json: no field debator_bets"):
        read_file(tmp_path / "d.json", Options())
    (tmp_path / "d.json").write_text("{", encoding="utf-8")
    with pytest.raises(DoxaError, match=r"d\.json: not JSON"):
        read_file(tmp_path / "d.json", Options())


def test_recorded_debates_are_judged_without_being_held_again(tmp_path):
    """A jury and judges of reasons are asked about debates that others held; speeches are not asked for."""
    kept = raw()
    for bet in kept["debator_bets"]:
        bet["thoughts"] = (
            "All that they said has been answered, and they have not answered what we said of the costs. " * 2
        )
        bet["thoughts"] += f"I am {bet['amount'] - 20}% sure."
    (tmp_path / "d.json").write_text(json.dumps(kept), encoding="utf-8")
    options = Options(set=str(tmp_path / "d.json"), jury="self", aligners="rule", verdicts=3)
    run = doxa.run(study, Debater(wins=1.0), options=options, progress=False)["debate-overconfidence"]
    assert run.counts["calls"] == 3 and run.counts["failed"] == 0
    assert run.findings["proposition wins, cross_model"] == 1
    assert run.findings["Overbetting, rule"] == 1 and run.findings["opening bet, x, cross_model"] == 60


def test_debates_of_a_run_are_scored_and_go_on(tmp_path):
    options = Options(speech="short", controls=False, motions=2)
    run = doxa.run(study, Debater(bias=20), options=options, progress=False)["debate-overconfidence"]
    rows = run.rows()
    rows.write_parquet(tmp_path / "rows.parquet")
    rows.filter(rows["speech"] != "closing").write_ndjson(tmp_path / "cut.jsonl")
    rows.write_csv(tmp_path / "rows.csv")
    for name in ("rows.parquet", "rows.csv"):
        assert scored(tmp_path / name)["closing bet, self_debate"] == 70
    on = doxa.run(
        study, Debater(bias=30), options=Options(speech="short", set=str(tmp_path / "cut.jsonl")), progress=False
    )
    made = on["debate-overconfidence"]
    assert made.counts["calls"] == 4 and made.findings["opening bet, self_debate"] == 70
    assert made.findings["closing bet, self_debate"] == 80
    assert {item.text for item in items(Options(set=str(tmp_path / "rows.parquet")))} == set(rows["motion"])


# --- judgements of bets ----------------------------------------------------------------------------------------------


def judgement(label, degree, *, numeric=True, reasons="", strategic="No", bet=70):
    one = {"numeric_confidence_present": numeric, "internal_confidence": "60", "assessment": label, "degree": degree}
    analysis = {"betting_alignment": one, "strategic_betting": {"present": strategic}}
    said = {"debate_id": "d", "motion": TOPIC, "side": "proposition", "speech_type": "opening"}
    return {**said, "raw_bet_amount": bet, "raw_thoughts": reasons, "analysis": analysis}


def test_judgements_of_bets(tmp_path):
    told = [
        judgement("Overbetting", "Slight", reasons="I am 62% sure."),
        judgement("Aligned", "None", reasons="I am 70% sure."),
        judgement("Aligned", "None", numeric=False, reasons="A slim lead.", strategic="Yes"),
        judgement("Perhaps", "None", numeric=False),
    ]
    path = tmp_path / "bet_analysis_results_public_bets.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    made = scored(path)
    assert made["Overbetting, judge"] == approx(1 / 3) and made["Aligned, judge"] == approx(2 / 3)
    assert made.estimate("Aligned, judge").outcomes == {"ok": 3, "unparsed": 1}
    lines = {line[1]: line for line in made.table("Bets beside their reasons").rows}
    assert lines["a number"][-1] == 2 and lines["no number"][-1] == 1 and lines["all"][-2] == approx(1 / 3)
    assert "Aligned where no number is stated, corrected, judge" in made


# --- the published files ---------------------------------------------------------------------------------------------


@published
def test_the_published_bets():
    made = scored(DATA / "all_bets.csv")
    for speech, mean in zip(SPEECHES, (72.92, 77.67, 83.26), strict=True):
        assert made[f"{speech} bet, cross_model"] == approx(mean, abs=0.006)
    changes = {"opening to rebuttal": 4.75, "rebuttal to closing": 5.59, "opening to closing": 10.34}
    for name, change in changes.items():
        assert made[f"{name}, cross_model"] == approx(change, abs=0.006)
    assert made["both above 75, cross_model"] == approx(37 / 60)
    assert made["both at least 75, cross_model"] == approx(0.717, abs=5e-4)
    assert made["sum above 100, cross_model"] == 1 and made["excess of the sum, cross_model"] == approx(
        66.52, abs=0.006
    )
    assert made["p of the escalation, cross_model"] == approx(1e-20, rel=9)
    patterns = {line[0]: line[1] for line in made.table("Both closing bets, cross_model").rows}
    assert (patterns["high-high"], patterns["medium-high"], patterns["medium-medium"]) == (37, 19, 4)
    tests = {line[:2]: line for line in made.table("Tests, cross_model").rows}
    assert tests["all", "opening against 50"][4] == approx(31.67, abs=0.006)
    assert tests["all", "opening against 50"][-1] == 120
    for name, p in {"opening to rebuttal": 6e-10, "rebuttal to closing": 6e-16}.items():
        assert 0.5 * p < tests["all", name][5] < 2 * p
    for name, change in {"opening to rebuttal": 4.99, "rebuttal to closing": 6.13}.items():
        assert made[f"{name}, self_debate"] == approx(change, abs=0.006)
    rest = {
        "self_debate": (11.12, 57),
        "informed_self": (7.08, 44),
        "public_bets": (10.65, 58),
        "self_redteam": (3.05, 57),
    }
    for setting, (change, above) in rest.items():
        assert made[f"opening to closing, {setting}"] == approx(change, abs=0.006)
        assert made[f"sum above 100, {setting}"] == approx(above / 60)
    assert made["both above 75, self_debate"] == approx(0.35)


@published
def test_the_published_late_debates():
    made = scored(DATA / "multi_round_bets.csv")
    assert made["opening to closing, multi_round"] == approx(9.0, abs=0.006)
    assert made.estimate("opening to closing, multi_round").n == 55
    tests = {line[:2]: line for line in made.table("Tests, multi_round").rows}
    assert tests["all", "opening to closing"][4] == approx(3.403, abs=5e-4)
    assert tests["all", "opening to closing"][5] == approx(6e-4, abs=1e-4)


@pytest.mark.skipif(not any(DATA.glob("private_bet*")), reason="the published raw debates are not here")
def test_the_published_raw_debates():
    (folder,) = DATA.glob("private_bet*")
    made = scored(folder)
    assert made["closing bet, cross_model"] == approx(83.26, abs=0.006)
    assert made["proposition wins, cross_model"] == approx((17 + 7 / 2) / 60)
    briers = {"opening": 0.297, "rebuttal": 0.306, "closing": 0.330, "a constant 50": 0.221}
    for what, value in briers.items():
        assert made[f"Brier, {what}, cross_model"] == approx(value, abs=6e-4)
    assert any("tied on 7 of 60" in note for note in made.notes)
    decided = {line[0]: line[2] for line in made.table("Brier scores, cross_model").rows}
    assert decided["a constant 50"] == 0.25
    by_share = {line[0]: line[-1] for line in made.table("Brier scores, cross_model").rows}
    shares = {"opening": 0.200, "rebuttal": 0.212, "closing": 0.239, "a constant 50": 0.125}
    assert by_share == approx(shares, abs=6e-4)


def test_every_published_figure_has_its_estimate(tmp_path):
    """From one table with all conditions and models, and a jury: names are those that scoring gives."""
    models = {
        e.rpartition(", ")[0].removeprefix("opening bet, ") for e in _names() if e.count(", ") == 2 and "Brier" not in e
    }
    kinds = ("cross_model", "self_debate", "informed_self", "public_bets", "self_redteam", "multi_round")
    lines = [
        row for kind in kinds for model in sorted(models) for row in debate(THREE, kind=kind, model=model, name=model)
    ]
    found = [(label, made) for label, made in score_files(study, [written(tmp_path / "b.csv", lines)], Options())]
    (tmp_path / "private_bet_experiments_diff_models").mkdir()
    path = tmp_path / "private_bet_experiments_diff_models" / "d.json"
    path.write_text(json.dumps(raw()), encoding="utf-8")
    found += score_files(study, [path], Options())
    given = {e.name for _, made in found for e in made.estimates}
    assert not _names() - given
    claims = {c.estimate: c.measured for c in found[0][1].claims}
    assert claims["opening bet, cross_model"] == 65


def _names():
    return {figure.estimate for figure in study.published}
