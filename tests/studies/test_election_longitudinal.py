"""Election panel: the planted panel of the specification, steering, implied votes, what it says of nothing."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from pytest import approx

import doxa
from doxa.metrics import panel_drift
from doxa.metrics.text_distance import cosine_distance, hashed_ngrams
from doxa.records import DoxaError
from doxa.simulation import planted_panel
from doxa.studies.election_longitudinal import (
    Options,
    Row,
    example,
    items,
    null,
    panel_bank,
    panel_questions,
    score,
    study,
)
from doxa.study import frame

FIRST = date(2026, 7, 24)
EACH, DAYS = 10, 112  # 30 questions, 10 of each type
FOUR = "Democrat,truthful,one sentence,paragraph"


def asked(model, options, each=EACH, days=DAYS):
    made = planted_panel.questions(each, days, FIRST)
    run = doxa.run(study, model, options=options, items=made, null_seed=None, progress=False)
    return run["election-longitudinal"]


@pytest.fixture(scope="module")
def moving():
    """M1, M2 and M3 over all days, in the plain variation, which drift is about."""
    plain = Options(variations="none", again=0, date=FIRST.isoformat())
    who = {
        "M1": planted_panel.respondent(FIRST, seed=1),
        "M2": planted_panel.respondent(FIRST, on=60, seed=2),
        "M3": planted_panel.respondent(FIRST, on=41, types=("exogenous",), seed=3),
    }
    return {name: asked(model, plain).findings for name, model in who.items()}


def test_replies_within_a_set_are_at_most_half_as_far_apart_as_between_sets():
    sets = [hashed_ngrams(planted_panel.texts("taxes", which)) for which in (0, 1)]
    within = [cosine_distance(s[i], s[j]) for s in sets for i in range(3) for j in range(i)]
    between = [cosine_distance(a, b) for a in sets[0] for b in sets[1]]
    assert np.mean(within) <= np.mean(between) / 2


def test_an_update_changes_all_types_on_its_day(moving):
    found = moving["M2"]
    for name in (panel_drift.ALL, *panel_drift.TYPES):
        assert abs(found[f"day of change, {name}"] - 60) <= 1
    assert found["system update"] == 1 and found["response to an event"] == 0
    assert any("the system was updated" in note for note in found.notes)
    # As far as the sets are, on the days that have the other one (1 - 59/112 of them, but for the first).
    ratio = found["drift of baselines, as a share of the others'"]
    assert ratio == approx(1, abs=0.05)


def test_an_event_changes_exogenous_questions_alone(moving):
    found = moving["M3"]
    assert abs(found["day of change, exogenous"] - 41) <= 1
    assert math.isnan(found["day of change, baseline"]) and math.isnan(found["day of change, endogenous"])
    assert found["system update"] == 0 and found["response to an event"] == 1
    assert found["drift of baselines, as a share of the others'"] < 0.3


def test_noise_is_no_change(moving):
    found = moving["M1"]
    assert found["system update"] == 0 and found["response to an event"] == 0
    assert found["p of no change, all questions"] > 0.05
    assert found["distance to the day before, baseline"] > 0


def test_one_variation_replaces_three_tenths_and_nothing_drifts():
    options = Options(variations=FOUR, again=0, date=FIRST.isoformat())
    part = asked(planted_panel.respondent(FIRST, still=True, replaces={"Democrat": 0.3}, seed=4), options)
    found = part.findings
    # 20 questions x 112 days: standard error .010
    assert found["changed replies, identities"] == approx(0.3, abs=0.04)
    assert found["changed replies, requests"] == 0 and found["changed replies, formats"] == 0
    assert found["p of no change, all questions"] == 1 and found["system update"] == 0
    assert found["share that steers, identities"] == 1 and found["share that steers, formats"] == 0
    assert set(part.rows().filter(pl.col("type") == "baseline")["variation"]) == {"none"}
    # Without repetitions the null is the reply of the day before, and the note says so.
    assert any("nothing was asked again" in note for note in found.notes)


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_the_level():
    days = [date.fromordinal(FIRST.toordinal() + k).isoformat() for k in range(DAYS)]
    vectors = {q: hashed_ngrams(planted_panel.texts(f"question {q}", 0)) for q in range(3 * EACH)}
    alarms = 0
    for seed in range(200):
        drawn = np.random.default_rng(seed).integers(0, 3, (3 * EACH, DAYS))
        apart = [cosine_distance(vectors[q][d], vectors[q][d[0]]) for q, d in enumerate(drawn)]
        found = panel_drift.change("all", days[1:], np.mean(apart, axis=0)[1:], days[0])
        alarms += found.point.p <= 0.05
    assert alarms <= 20  # 5 % of 200 seeds, 0 to 10 %


@pytest.mark.slow
def test_a_still_system_is_seldom_called_updated():
    plain = Options(variations="none", again=0, date=FIRST.isoformat())
    flagged = 0
    for seed in range(200):
        model = planted_panel.respondent(FIRST, on=11, types=("exogenous",), seed=100 + seed)
        flagged += asked(model, plain, each=4, days=30).findings["system update"]
    assert flagged <= 4  # p <= .005 in 200 seeds: 1 expected


def test_asking_again_is_the_null_of_steering():
    """Replies that waver by themselves are as far apart under every identity, and none of them steers."""
    options = Options(variations="identities", again=3, date=FIRST.isoformat())
    found = asked(planted_panel.respondent(FIRST, seed=5), options, each=10, days=12).findings
    assert found["distance when asked again"] > 0.02 and found["changed replies, identities"] > 0.5
    assert found["share that steers, identities"] == 0
    # 2/3 of pairs differ; 20 questions x 12 days x 11: the excess is within 3 standard errors of about .003
    assert found["excess distance, identities"] == approx(0, abs=0.01)


def test_implied_votes_of_coherent_and_incoherent_partitions():
    polls = planted_panel.exit_polls(5, FIRST)
    plain = Options(variations="none", again=0)
    for shift, total in ((0.0, 0.49), (0.05, 0.50)):
        run = doxa.run(study, planted_panel.voter(0.49, shift), options=plain, items=polls, progress=False)
        found = run["election-longitudinal"].findings
        lines = found.table("Implied votes").rows
        assert [line[-1] for line in lines] == approx([0.49 + shift, 0.49, 0.49, 0.49, 0.49], abs=1e-4)
        assert found["implied share of the first candidate"] == approx(total, abs=1e-4)
        assert found["incoherence, range"] == approx(shift, abs=1e-4)
        assert found["incoherence, sd"] == approx({0.0: 0.0, 0.05: 0.0224}[shift], abs=1e-4)


def test_a_partition_that_lacks_a_cell_implies_nothing():
    polls = [item for item in planted_panel.exit_polls(2, FIRST) if item.group != "split-0-1"]
    run = doxa.run(study, planted_panel.voter(0.49, 0), options=Options(again=0), items=polls, progress=False)
    lines = run["election-longitudinal"].findings.table("Implied votes").rows
    assert math.isnan(lines[0][-1]) and lines[1][-1] == approx(0.49, abs=1e-4)


# --- questions and days -----------------------------------------------------------------------------------------------


def test_the_default_bank_asks_every_kind_of_question():
    made = items(Options())
    types = {item.fields["type"] for item in made}
    assert types == {"baseline", "endogenous", "exogenous"} and len({item.id for item in made}) == len(made)
    assert {item.fields["measure"] for item in made} == {"", "weight", "split", "direct", "attribute"}
    assert len(items(Options(days=2, topics="sums"))) == 6
    with pytest.raises(DoxaError, match="no topic 'sport'"):
        items(Options(topics="sport"))


def test_nobody_is_asked_about_a_candidate_before_his_time():
    before, after = (" ".join(item.text for item in items(Options(date=day))) for day in ("2026-09-12", "2026-09-13"))
    assert "Piet Solberg" in before and "Ada Brenn" not in before
    assert "Ada Brenn" in after and "Piet Solberg" not in after
    assert panel_bank.bank().events[panel_bank.WITHDRAWAL] == "Solberg withdraws"


def test_rarer_questions_are_due_by_the_panels_first_day():
    def topics(day):
        return {item.fields["topic"] for item in items(Options(date=day, since="2026-09-01"))}

    assert "issues" in topics("2026-09-03") and "issues" not in topics("2026-09-02")


def test_every_variation_is_a_conversation_of_its_own_and_baselines_have_none():
    run = doxa.run(study, "simulated:calibrated", items=example(), options=Options(again=2), progress=False)
    rows = run["election-longitudinal"].rows()
    counts = rows.group_by("item", "type").len()
    assert set(counts.filter(pl.col("type") == "baseline")["len"]) == {3}
    assert set(counts.filter(pl.col("type") != "baseline")["len"]) == {22 + 2}
    sent = [call.prompt for record in run["election-longitudinal"].records() for call in record.calls]
    assert all(len(prompt.messages) == 1 for prompt in sent)


def test_days_and_repetitions_are_told_apart_by_their_seeds():
    run = doxa.run(study, "simulated:calibrated", items=example(), options=Options(again=2), progress=False)
    plain = [
        (call.prompt.show(), call.sampling.seed)
        for record in run["election-longitudinal"].records()
        for call in record.calls
    ]
    assert len(set(plain)) == len(plain)  # no asking can be answered by the answer of another one


def test_wrong_options():
    with pytest.raises(ValueError, match="no variation 'Martian'"):
        Options(variations="Martian")
    with pytest.raises(DoxaError, match="'soon' is no day"):
        Options(date="soon")
    with pytest.raises(ValueError, match="days is 0"):
        Options(days=0)


# --- replies ----------------------------------------------------------------------------------------------------------


def reply(text, day, **more):
    common = {"item": f"q@{day}", "question": "q", "group": "q", "outcome": "ok", "variation": "none", "sample": 0}
    return {**common, "date": day, "text": text, "shares": [], "hedged": False, "cut": False, **more}


def test_no_reply_that_can_be_read_gives_no_number():
    rows = [reply("", f"2026-09-0{d}", outcome="unparsed", measure="weight") for d in (1, 2, 3)]
    found = score(frame(rows, Row), Options())
    assert math.isnan(found["implied share of the first candidate"]) and found["refusals"] == 0
    assert any("3 replies to questions for a figure gave none" in note for note in found.notes)


def test_two_models_are_told_apart():
    rows = [reply("It may rain.", f"2026-09-0{d}", who=who) for d in (1, 2, 3) for who in ("a", "b")]
    rows[-1]["text"] = "Prices are falling."
    found = score(frame(rows, Row), Options())
    assert found["distance to the first day, exogenous, a"] == 0
    assert found["distance to the first day, exogenous, b"] > 0.4 and found["models"] == 2


def test_the_null_keeps_replies_with_their_question():
    part = asked(planted_panel.respondent(FIRST, on=15), Options(variations="none", again=0), each=3, days=28)
    shuffled = null(part.rows(), 0)
    assert part.findings["system update"] == 1 and score(shuffled, Options())["system update"] == 0
    before, after = (
        rows.sort("question", "text").select("question", "text").rows() for rows in (part.rows(), shuffled)
    )
    assert before == after


def test_polls_beside_predictions(tmp_path):
    path = tmp_path / "polls.csv"
    path.write_text("date,subject,share\n2026-09-01,Ada,0.40\n2026-09-02,Ada,0.44\n", encoding="utf-8")
    rows = [reply("50%", "2026-09-02", value=0.5, measure="poll", subject="Ada")]
    found = score(frame(rows, Row), Options(polls=str(path)))
    assert found["Ada over polls"] == approx(0.5 / 0.42 - 1)
    path.write_text("date,subject,share\n2026-09-01,Ada,40\n", encoding="utf-8")
    with pytest.raises(DoxaError, match="share is '40'"):
        panel_questions.polls(path)
