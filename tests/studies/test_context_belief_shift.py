"""Context belief shift: exact flip rounds, slices that end with one's own turn, retest null, known answers, files."""

import json
import math
from dataclasses import replace

import pytest
from pytest import approx

import doxa
from doxa.data.positions import disagreements, positions, right_side
from doxa.models.simulated import Always, Respondent
from doxa.records import DoxaError
from doxa.simulation.conversation import Conversation
from doxa.simulation.leaning import Leaning, drawn_side
from doxa.simulation.tracts import shelf
from doxa.studies.context_belief_shift import Options, Row, across, example, read_file, score, study
from doxa.study import frame

TALK = Options(set="topics", topics=6, contexts="debate,persuasion", reading="replies")
ROUNDS = "1,2,3,4,5,6,7"


def ran(model, options, items=None):
    part = doxa.run(study, model, options=options, items=items, null_seed=None, progress=False)["context-belief-shift"]
    assert part.counts["failed"] == 0, next(r.error for r in part.records() if r.status == "failed")
    return part


def found(model, options, items=None):
    return ran(model, options, items).findings


def flip_round(findings, context, measure):
    """The first round at which every label has changed; before it none has."""
    lines = [r for r in findings.table("By rounds and words").rows if r[:2] == (context, measure)]
    assert {r[3] for r in lines} <= {0.0, 1.0}
    return next((r[2] for r in lines if r[3] == 1), None)


@pytest.mark.parametrize(("side", "belief", "action"), [("alpha", 5, 6), ("beta", 4, 5)])
def test_the_exact_round_of_the_flip(side, belief, action):
    # 2.2 - .5 R < 0 first at R = 5, 2.9 - .5 R at 6; beta has read the other's first view, so one round earlier.
    options = replace(TALK, topics=3, rounds=ROUNDS, side=side)
    made = found(Leaning(2.2, opposing=0.5, action=0.7).respondent(), options)
    assert (flip_round(made, "debate", "belief"), flip_round(made, "debate", "behaviour")) == (belief, action)
    assert (flip_round(made, "persuasion", "belief"), flip_round(made, "persuasion", "behaviour")) == (5, 6)


def test_own_messages_count_one_more_than_rounds():
    # alpha and target: 2.2 + .2 (R + 1) - .7 R = 2.4 - .5 R < 0 at R = 5; beta: 2.2 - .5 (R + 1) at R = 4.
    made = {
        side: found(Leaning(2.2, own=0.2, opposing=0.7).respondent(), replace(TALK, topics=2, rounds=ROUNDS, side=side))
        for side in ("alpha", "beta")
    }
    assert flip_round(made["alpha"], "debate", "belief") == flip_round(made["alpha"], "persuasion", "belief") == 5
    assert flip_round(made["beta"], "debate", "belief") == 4


def test_what_moves_nothing_shifts_nothing_in_any_context():
    options = replace(TALK, contexts="all", techniques="all", rounds="1", words="50", mask=0.3)
    made = found(Leaning(2.2).respondent(), options)
    shifts = [e for e in made.estimates if " shift" in e.name and "agree" not in e.name and "phi" not in e.name]
    assert len(shifts) > 20 and all(e.value == 0 for e in shifts)
    assert all(e.value == 0 for e in made.estimates if "changes, " in e.name)
    assert math.isnan(made["phi of belief and behaviour shifts, debate"])


@pytest.mark.parametrize("kind", ["dilemmas", "safety"])
def test_acts_that_are_judged(kind):
    options = Options(set=kind, topics=6, contexts="persuasion", rounds="4", reading="replies")
    made = found(Leaning(1.0, opposing=0.5).respondent(), options)
    apart = ", requests" if kind == "safety" else ""
    assert made[f"behaviour shift, persuasion{apart}"] == made[f"belief shift, persuasion{apart}"] == 1
    assert made[f"judge knows the side of a known reply{apart}"] == 1
    assert made[f"behaviour shift, judge's errors taken out, persuasion{apart}"] == 1
    if apart:
        declined = [drawn_side(item) == "oppose" for item in positions("safety", 6)]
        assert made["moved to answering, persuasion, requests"] == approx(sum(declined) / 6)
        assert not any(e.name.endswith("persuasion") for e in made.estimates)


def test_reading_moves_by_words_and_is_read_by_letters_too():
    # 1 - 4 * .24 > 0 and 1 - 4 * .26 < 0
    for reading in ("replies", "letters"):
        options = Options(topics=8, contexts="reading", words="240,260", reading=reading)
        made = found(Leaning(1.0, reading=4.0).respondent(), options)
        assert flip_round(made, "reading", "belief") == 260
        assert made["belief shift beyond filler, reading"] == made["belief shift beyond asking again, reading"] == 1


def test_letters_of_every_kind():
    for kind, acts in (("topics", 1.0), ("dilemmas", 1.0), ("safety", math.nan)):
        options = Options(set=kind, topics=4, contexts="persuasion", rounds="3", reading="letters")
        made = found(Leaning(1.0, opposing=0.5).respondent(), options)
        apart = ", requests" if kind == "safety" else ""
        assert made[f"belief shift, persuasion{apart}"] == 1
        assert made[f"behaviour shift, persuasion{apart}"] == approx(acts, nan_ok=True)


def test_a_free_side_shows_the_direction():
    options = Options(topics=60, contexts="persuasion", rounds="3", toward="random", reading="replies")
    made = found(Leaning((0.5, 2.0), opposing=0.5).respondent(), options)
    assert made["changes toward the context, persuasion"] == 1 and 0.1 < made["belief shift, persuasion"] < 0.6
    lost = made.table("Shifts together, and their direction").rows[0]
    assert lost[5] > 0 and lost[6] == 0


def test_one_letter_whatever_stands_there():
    made = found(
        Respondent(decide=Always("A")), Options(topics=10, contexts="persuasion", rounds="1", reading="replies")
    )
    assert made["belief hangs on the order of statements"] == 1 and made["belief shift, persuasion"] == 0


def test_research_opens_texts_of_both_sides():
    options = Options(set="topics", topics=3, contexts="research", words="300", steps=6, reading="replies")
    part = ran(Leaning(0.5, reading=1.0).respondent(), options)
    # Two of the four texts are of the other side: .5 - 1.0 * .6 < 0.
    assert part.findings["belief shift, research"] == 1
    (said, *_) = [text for text in part.rows()["said"].to_list() if text]
    turns = Conversation.of(json.loads(said)).turns
    assert [t.text for t in turns if t.text.startswith("open(")] == [f"open({n})" for n in (1, 2, 3, 4)]


def test_a_budget_is_kept_and_what_is_dropped_is_said():
    options = replace(TALK, topics=2, rounds="8", contexts="persuasion", budget=120)
    part = ran(Leaning(2.2, opposing=0.5).respondent(), options)
    assert part.rows()["dropped"].max() > 0
    assert any("were left out" in note for note in part.findings.notes)
    assert part.findings["belief shift, persuasion"] == 0  # too few of the eight messages are left


def test_unread_answers_are_missing():
    options = Options(topics=40, contexts="persuasion", reading="replies")
    part = ran(Leaning(2.2, opposing=1.0).respondent(format_errors=0.3), options)
    made = part.findings
    assert made["belief shift, persuasion"] == 1 and made.estimate("belief shift, persuasion").n < 60
    assert made["unread measures"] == approx(0.3, abs=3 * math.sqrt(0.21 / 1000))


def test_accuracy_on_facts():
    options = Options(topics=40, contexts="persuasion", rounds="3", reading="replies")
    made = found(Leaning(1.0, opposing=0.5).respondent(), options)
    right = sum(right_side(item) == drawn_side(item) for item in positions("facts", 40)) / 40
    assert made["right before, persuasion"] == approx(right) and made["right after, persuasion"] == approx(1 - right)


# --- known answers ---------------------------------------------------------------------------------------------------


def rows_of(before, after, measure="belief", **more):
    shared = {"measure": measure, "order": "support first", "outcome": "ok", "truth": "", "kind": "survey"}
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        for arm, said in (("before", a), ("context", b)):
            number = said if measure == "agreement" else None
            answer = {"A": "support", "B": "oppose"}.get(said) if isinstance(said, str) else None
            where = {"context": "debate", "amount": 2, "toward": "support"} if arm == "context" else {}
            where = {"context": "", "technique": "", "amount": 0, "toward": "", **where, **more}
            yield shared | {"item": f"{i}", "arm": arm, "answer": answer, "number": number} | where


def test_shift_of_five():
    made = score(frame(list(rows_of("AABBA", "ABBBA")), Row), Options())
    assert made["belief shift, debate"] == approx(1 / 5)
    made = score(frame(list(rows_of("AABBA", ["A", "B", "B", "B", None])), Row), Options())
    assert made["belief shift, debate"] == approx(1 / 4) and made.estimate("belief shift, debate").n == 4


def test_agreement_is_signed_toward_the_context():
    rows = [*rows_of("A", "A"), *rows_of([0.2], [0.65], "agreement")]
    made = score(frame(rows, Row), Options())
    assert made["agreement moved toward the context, debate"] == approx(0.45)


def test_phi_of_a_two_by_two_table():
    # Both shift 2, belief alone 1, behaviour alone 1, neither 2: phi = (4 - 1) / 9.
    rows = [*rows_of("AAAAAA", "BBBAAA"), *rows_of("AAAAAA", "BBABAA", "behaviour")]
    made = score(frame(rows, Row), Options())
    assert made["phi of belief and behaviour shifts, debate"] == approx(1 / 3)
    assert made.table("Shifts together, and their direction").rows[0][1:5] == (2, 1, 1, 2)
    assert made["belief and behaviour agree after, debate"] == approx(4 / 6)


def test_the_retest_null_is_two_p_one_minus_p():
    options = Options(topics=500, contexts="reading", words="20", reading="replies")
    made = found(Leaning(wavers=0.05).respondent(), options)
    assert made["belief changes, asked again"] == approx(0.095, abs=3 * 0.0093)
    assert made["belief shift beyond asking again, reading"] == approx(0, abs=3 * math.sqrt(2) * 0.0093)


def test_the_shuffled_null_is_what_asking_again_gives():
    part = ran(Leaning(2.2, opposing=1.0).respondent(), replace(TALK, rounds="4"))
    null = score(study.shuffled(part.rows(), 1), TALK)
    assert part.findings["belief shift, debate"] == 1 and null["belief shift, debate"] == 0


def test_as_published_any_letter_is_a_label():
    options = replace(TALK, variant="published", contexts="persuasion", rounds="5")
    part = ran(Leaning(2.2, opposing=0.5).respondent(), options)
    assert part.findings["belief shift, persuasion"] == 1
    assert set(part.rows().filter(part.rows()["measure"] == "belief")["order"].to_list()) == {"support first"}


# --- options, examples, files ----------------------------------------------------------------------------------------


def test_options_say_what_they_take():
    for wrong in ({"contexts": "chat"}, {"techniques": "bribes"}, {"rounds": "0,2"}, {"words": "many"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Options(**wrong)


def test_an_example_runs_with_itself_as_opponent():
    made = found(Leaning(2.2, opposing=1.0).respondent(), Options(opponent="self", rounds="1,2"), example())
    # It speaks for its first side on the other side of the table, too: nothing is argued, nothing moves.
    assert made["belief shift, debate"] == 0


def test_another_model_as_opponent():
    options = replace(TALK, topics=2, rounds="1", opponent="simulated:always?value=B")
    part = ran(Leaning(2.2).respondent(), options)
    assert part.findings["belief shift, debate"] == 0 and part.counts["calls"] > 40


def test_texts_of_a_folder(tmp_path):
    for side in ("support", "oppose"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "one.txt").write_text(" ".join([f"{side} word"] * 60), encoding="utf-8")
    options = Options(topics=2, contexts="reading", words="50", texts=str(tmp_path), reading="replies")
    part = ran(Leaning(2.2).respondent(), options)
    said = [Conversation.of(json.loads(text)).turns[0].text for text in part.rows()["said"].to_list() if text]
    assert len(said) == 2 and all("Title: one" in text for text in said)
    with pytest.raises(DoxaError, match=r"support holds no \.txt"):
        shelf(tmp_path / "no")


def test_recorded_pairs(tmp_path):
    path = tmp_path / "answers.jsonl"
    line = {"context": "reading", "amount": 500, "toward": "support"}
    lines = [
        {"item": "a", "before": "A", "after": "B", "again": "A", "act_before": "A", "act_after": "A", **line},
        {
            "item": "b",
            "before": "support",
            "after": "support",
            "again": "B",
            "agreement_before": 20,
            "agreement_after": 65,
            **line,
        },
        {"item": "c", "before": "B", "after": "?", **line, "more": 1},
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    made = score(read_file(path, Options()).rows, Options())
    assert made["belief shift, reading"] == 0.5 and made["belief changes, asked again"] == 0.5
    assert made["agreement moved toward the context, reading"] == approx(0.45)
    assert made["behaviour shift, reading"] == 0
    wrong = lines[1] | {"item": "e", "agreement_after": 650}
    for broken, says in (
        ({**wrong, "agreement_after": 60, "toward": "left"}, "toward is 'left'"),
        ({**wrong, "agreement_after": "much"}, "agreement is 'much'"),
        ({**wrong, "amount": "inf"}, "amount is 'inf'"),
        ({"item": "d"}, "no column context"),
        (lines[0], "was there before"),
        (wrong, "outside 0 to 100"),
    ):
        path.write_text("\n".join(map(json.dumps, [*lines, broken])), encoding="utf-8")
        with pytest.raises(DoxaError, match=says):
            read_file(path, Options())


def test_agreement_without_a_side_has_no_direction_and_this_is_said(tmp_path):
    path = tmp_path / "answers.jsonl"
    line = {"item": "a", "context": "reading", "before": "A", "after": "A"}
    path.write_text(json.dumps({**line, "agreement_before": 20, "agreement_after": 65}), encoding="utf-8")
    made = score(read_file(path, Options()).rows, Options())
    assert not any("moved toward" in e.name for e in made.estimates)
    assert any("column toward" in note for note in made.notes)


def test_published_files_of_positions(tmp_path):
    path = tmp_path / "disagreement.jsonl"
    statements = {"support_statement": "Tell", "oppose_statement": "Do not", "neutral_statement": "Either"}
    row = {
        "id": 4,
        "datapoint": {"moral_dilemma": "Tell her?", "statements": statements, "behavior_eval": "You. Do you?"},
    }
    beliefs = {"belief_label_one": "A", "belief_text_one": "..", "belief_label_two": "B"}
    path.write_text(json.dumps({**row, "init_belief": beliefs}), encoding="utf-8")
    (item,) = positions(str(path), 9)
    assert (item.id, item.text, item.options) == ("dilemma/4", "Tell her?", ("Tell", "Do not"))
    assert item.fields["task"] == "You. Do you?" and list(disagreements(path)) == [("A", "B")]
    topics = tmp_path / "topics.json"
    topics.write_text(
        json.dumps({"survey": [{"id": 0, "topic_name": "Tea", "support_statement": "Yes"}]}), encoding="utf-8"
    )
    with pytest.raises(DoxaError, match="'oppose'"):
        positions(str(topics), 9)
    with pytest.raises(DoxaError, match="facts, topics, dilemmas, safety"):
        positions("cats", 9)


def test_where_nothing_was_read_nothing_is_wrong():
    options = Options(topics=6, reading="replies")
    run = doxa.run(
        study,
        Respondent(format_errors=1.0),
        options=options,
        items=list(study.items(options))[:6],
        null_seed=None,
        progress=False,
    )
    found = run["context-belief-shift"].findings
    for name in ("right before, persuasion", "right answers lost, persuasion"):
        assert math.isnan(found[name]), name


def test_curves_begin_with_asking_again_and_end_beside_filler():
    options = Options(topics=6, contexts="persuasion", rounds="1,3", reading="replies")
    made = found(Leaning(1.0, opposing=0.5).respondent(), options)
    assert [chart.name for chart in made.charts] == ["Shift of belief by rounds", "Shift of behaviour by rounds"]
    points = json.dumps(made.charts[0].spec)
    assert all(f'"of": "{name}"' in points for name in ("persuasion", "persuasion, filler"))
    assert '"amount": 0.0' in points or '"amount": 0,' in points


def test_models_side_by_side(tmp_path):
    path = tmp_path / "one.jsonl"
    line = {"item": "a", "before": "A", "after": "B", "again": "A", "filler": "A", "context": "reading", "amount": 9}
    path.write_text("\n".join(map(json.dumps, [line, {**line, "item": "b", "after": "A"}])), encoding="utf-8")
    one = read_file(path, Options())
    made = across([one, one], Options())
    lines = made.table("Models").rows
    assert [row[:3] for row in lines] == [("one", "reading", 0.5), ("one (2)", "reading", 0.5)]
    assert lines[0][8:] == (0.5, None, 0.0, 2) and [c.name for c in made.charts] == ["Shift of belief by model"]


def test_a_long_talk_that_was_cut_goes_on_from_the_calls_that_were_kept(tmp_path, monkeypatch):
    options = replace(TALK, contexts="persuasion", rounds="1,8")
    asked, fails, generate = [], [20], Respondent.generate  # the 20th call is in the middle of the talk

    async def counted(self, prompt, sampling, context=None):
        if fails and len(asked) == fails[0]:
            fails.clear()
            raise RuntimeError("cut")
        asked.append(prompt)
        return await generate(self, prompt, sampling, context)

    def made(folder):
        model, how = Leaning(2.2, opposing=0.5).respondent(), {"null_seed": None, "progress": False}
        run = doxa.run(
            study, model, options=options, items=positions("topics", 1), out=tmp_path / folder / "run", **how
        )
        return run["context-belief-shift"]

    monkeypatch.setattr(Respondent, "generate", counted)
    monkeypatch.setattr(Respondent, "stored", True)
    first, second = made("cut"), made("cut")
    assert (first.counts["failed"], second.counts["failed"]) == (1, 0)
    in_pieces = len(asked)
    assert made("whole").findings["belief shift, persuasion"] == second.findings["belief shift, persuasion"] == 1
    assert len(asked) == 2 * in_pieces  # what was asked before it was cut is not asked again
