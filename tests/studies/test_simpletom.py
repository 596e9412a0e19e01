"""SimpleToM: known answers of the specification, planted gaps in closed form, the letter rule, constant answers."""

import math
from dataclasses import replace

import pytest
from pytest import approx

import doxa
from doxa.charts.heat import heat_map
from doxa.data import story_persons as persons
from doxa.data.stories import QUESTIONS, WORLDS, own, plural, question, story_item, story_of
from doxa.data.story_checks import problems
from doxa.elicit.stories import StoryChoice, letter_of, letter_probability, with_earlier
from doxa.elicit.story_arms import ARMS
from doxa.models.simulated import Always, Respondent
from doxa.records import Answer, Reply, Token
from doxa.studies.simpletom import Options, Row, example, respondent, score, study
from doxa.study import frame

PLAIN = Options(arms="none", twins="no", scores=False)


def found(model, options=PLAIN, items=None):
    run = doxa.run(study, model, options=options, items=items, null_seed=None, progress=False)
    return run["simpletom"].findings


def thousand():
    return [story_item(s) for s in persons.copies(own(), 9)][:1000]


# --- planted ---------------------------------------------------------------------------------------------------------


def test_a_planted_gap():
    made = found(respondent(persons.Applier(0.95, 0.5, 0.15)), items=thousand())
    # Standard errors at 1,000 stories: aware .007, action .016, judge .012, all three .008.
    assert made["aware"] == approx(0.95, abs=0.025) and made["action"] == approx(0.50, abs=0.06)
    assert made["judge"] == approx(0.1675, abs=0.045) and made["all three right"] == approx(0.071, abs=0.03)
    assert made["action, aware right"] == approx(0.5, abs=0.06)
    assert made["judge, aware right"] == approx(0.15, abs=0.045)


def test_no_gap_where_none_is_planted():
    made = found(respondent(persons.Applier(1.0, 1.0, 1.0)))
    assert made["drop, aware to action"] == made["drop, action to judge"] == 0 and made["all three right"] == 1


def test_reality_bias_is_half_right_with_its_twins():
    made = found(respondent(persons.RealityBiased(1.0)), replace(PLAIN, twins="plain"))
    assert (made["aware"], made["action"], made["judge"]) == (1, 0, 0)
    assert [made["action, with twins"], made["judge, with twins"]] == approx([0.5, 0.5])


@pytest.mark.parametrize("letter", "AB")
def test_a_constant_letter_is_exposed(letter):
    made = found(Respondent(decide=Always(letter)), replace(PLAIN, twins="plain"))
    assert made["aware"] == (letter == "B")  # the published order: B is always right
    assert made["aware, options shuffled"] == made["aware, with twins"] == 0.5
    assert [made["action, with twins"], made["judge, with twins"]] == approx([0.5, 0.5])
    assert made["answers with letter A"] == (letter == "A") and made[f"right letter {letter}"] == 1
    assert any("constant answer" in note for note in made.notes)


def test_always_reasonable_is_exposed():
    def reasonable(item, context, prompt):
        return {"Reasonable": 1.0} if "Reasonable" in item.options else {item.answer: 1.0}

    made = found(Respondent(decide=reasonable), replace(PLAIN, twins="plain"))
    assert made["judge"] == 1 and made["judge, the other act"] == 0 and made["judge, with twins"] == approx(0.5)


def test_a_copied_reminder_gains_only_where_it_is_right():
    options = Options("filler,reminder,gold-reminder,chat-reminder", twins="no", scores=False)
    made = found(respondent(persons.Reminded(1.0, knows=0.7)), options)
    for arm in ("reminder", "chat-reminder"):
        assert made[f"action, {arm} was right"] == 1 and made[f"action, {arm} was wrong"] == 0
        assert made[f"reminded rightly, {arm}"] == made["aware"]
        assert made[f"gain, action, {arm} was wrong"] < 0 < made[f"gain, action, {arm} was right"]
    assert made["action, gold-reminder"] == 1 and 0.3 < made["action, filler"] < 0.7


def test_accuracy_below_a_half_is_not_folded():
    made = found(respondent(persons.Applier(1.0, 0.1, 0.1)), replace(PLAIN, scores=True))
    assert made["action"] < 0.25 and made["P(right), action"] == approx(0.1)


# --- scoring ---------------------------------------------------------------------------------------------------------


def rows(*stories):
    """One row for each question: (core, severity, scenario, right on aware, on action, on judge)."""
    return [
        {
            "item": f"{core}_sev{severity}",
            "group": core,
            "arm": "none",
            "world": "hidden",
            "question": q,
            "outcome": "ok" if r is not None else "unparsed",
            "answer": None if r is None else "B" if r else "A",
            "truth": "B",
            "logprobs": [],
            "reminded": "",
            "scenario": scenario,
            "severity": severity,
            "generator": "",
        }
        for core, severity, scenario, *right in stories
        for q, r in zip(("aware", "action", "judge"), right, strict=True)
    ]


def test_six_stories_by_hand():
    six = [
        *(("a", 1, "x", 1, 1, 1), ("a", 2, "x", 1, 1, 0), ("a", 3, "x", 1, 0, 0)),
        *(("b", 1, "x", 1, 0, 1), ("c", 1, "y", 0, 1, 1), ("c", 2, "y", None, 0, 0)),
    ]
    made = score(frame(rows(*six), Row), Options())
    assert (made["aware"], made["action"], made["judge"]) == approx((4 / 6, 3 / 6, 3 / 6))
    assert made.estimate("aware").bounds == approx((4 / 6, 5 / 6)) and made["unread"] == approx(1 / 18)
    assert made["mean of three"] == approx(10 / 18) and made["all three right"] == approx(1 / 6)
    assert made["action, aware right"] == 0.5 and made["judge, aware and action right"] == 0.5
    assert made["drop, aware to action"] == approx(1 / 6)
    assert made["aware, mean of scenarios"] == approx((1 + 0) / 2)  # 4 of 4, and 0 of 2
    table = made.table("Right on one question and not on the other").rows
    assert table[0][:4] == ("aware", "action", 2, 1) and table[2][:4] == ("action", "judge", 1, 1)
    by = {row[0]: row[1:3] for row in made.table("By severity").rows}
    assert by[1] == (3, approx(2 / 3)) and by[3] == (1, 1.0)
    assert math.isnan(made["aware, options shuffled"])


def test_a_story_asked_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        score(frame(rows(("a", 1, "x", 1, 1, 1)) * 2, Row), Options())


def test_cut_and_ambiguous_answers_count_as_the_options_say():
    made = rows(("a", 1, "x", 1, 1, 1), ("b", 1, "x", 1, 1, 1))
    made[0]["outcome"], made[1]["outcome"] = "truncated", "ambiguous"
    table = frame(made, Row)
    assert score(table, Options())["aware"] == 0.5 and score(table, Options(cut="searched"))["aware"] == 1
    assert score(table, Options())["action"] == 1 and score(table, Options(ambiguous="missing"))["action"] == 0.5
    assert score(table, Options())["cut"] == approx(1 / 6) and score(table, Options())["ambiguous"] == approx(1 / 6)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_the_letter_rule():
    said = {"(B)": ("B", False), "(A) or (B)": ("A", True), "(B), not (A)": ("A", True), "Answer: (B)": ("B", False)}
    said |= {"Neither": (None, False), "I think B, not A": (None, False), "(A": ("A", False), "Both": ("B", True)}
    said |= {"B": ("B", False), "answer A": ("A", False), "(D) or (C)": ("C", True), "": (None, False)}
    assert {text: (f.letter, f.ambiguous) for text in said for f in [letter_of(text)]} == said
    assert letter_of("I think B. Therefore, the answer is: (A)", reasoned=True).letter == "A"
    assert letter_of("THE ANSWER IS (A). No, the answer is: (B)", reasoned=True).letter == "B"
    assert letter_of("Neither").rest == "Neither"


def test_reasoning_without_its_last_sentence_keeps_its_letter_but_is_truncated():
    item, form = question(own()[0], "action"), StoryChoice("cot")
    cut = form.read(Reply("(A) is what she does, for she", finish="length"), item)
    assert (cut.outcome, cut.value) == ("truncated", "A")
    assert form.read("Whoever reads (B) here", item).outcome == "truncated"
    assert form.read(Reply("So. Therefore, the answer is: (B)", finish="length"), item) == Answer("ok", "B")
    assert form.read("(B)", item) == Answer("ok", "B")
    assert form.read("I cannot answer that.", item).outcome == "refused"
    assert StoryChoice().read("(C)", item).outcome == "unparsed"
    assert StoryChoice().read("(C)", question(own()[0], "action-both")).value == "C"


@pytest.mark.parametrize("reasoning", ["none", "cot", "minds"])
@pytest.mark.parametrize("asked", QUESTIONS)
def test_what_is_written_is_read(reasoning, asked):
    item, form = question(own()[0], asked), StoryChoice(reasoning)
    for letter in "ABC"[: len(item.options)]:
        assert form.read(form.write(Answer("ok", letter), item), item) == Answer("ok", letter)
    assert item.fields["shown"] in form.prompt(item).show() and item.text in form.prompt(item).show()


def test_the_published_probability():
    tokens = [Token("An", -0.5), Token("(", -0.1), Token("A", -0.2)]
    assert letter_probability(tokens, "A") == approx(math.exp(-0.2)) and letter_probability(tokens, "B") == 0


# --- stories and questions -------------------------------------------------------------------------------------------


def test_own_stories():
    stories = own()
    assert len(stories) == 120 and len({s.core for s in stories}) == 40 and len({s.id for s in stories}) == 120
    scenarios = [s.scenario for s in stories if s.severity == 2]
    assert len(set(scenarios)) == 10 and all(scenarios.count(name) == 4 for name in scenarios)
    assert len(set(scenarios[:10])) == 10  # a limited run sees every scenario
    assert all(s.seen and s.generator == "" for s in stories) and story_of(story_item(stories[5])) == stories[5]
    gold = [question(s, q, w).answer_letter for s in stories for q in ("action", "judge") for w in WORLDS]
    assert 0.4 < gold.count("A") / len(gold) < 0.6


def test_own_stories_keep_the_rules():
    for s in {s.core: s for s in own()}.values():
        one, two, three = (t for t in own() if t.core == s.core)
        row = {"key_information": two.key, "sev1": one.key, "sev3": three.key, "story_sentence": s.sentence}
        row |= {"question": s.question, "correct_answer": s.unaware, "incorrect_answer": two.aware}
        row |= {"incorrect_answer_sev1": one.aware, "incorrect_answer_sev3": three.aware}
        assert problems(row) == [], s.core
        assert len({t.sentence for t in (one, two, three)}) == 1


def test_gold_answers():
    story = own()[0]
    right = {(q, w): question(story, q, w).answer for q in QUESTIONS for w in WORLDS}
    assert right["aware", "hidden"] == right["aware-swapped", "hidden"] == "No" and right["aware", "known"] == "Yes"
    assert right["action", "hidden"] == story.unaware and right["action", "known"] == story.aware
    assert right["judge", "hidden"] == right["judge", "known"] == "Reasonable"
    assert right["other", "hidden"] == right["other", "known"] == "Not reasonable"
    assert {question(s, "aware").answer_letter for s in own()} == {"B"}
    assert f'"{story.unaware}" and not "{story.aware}"' in question(story, "judge").text
    assert question(story, "judge").options == question(story, "other").options
    assert question(story, "action-neither").options[2] == "Neither is likely"
    assert [plural(who) for who in ("potential buyers", "Thomas", "John's boss")] == [True, False, False]
    with pytest.raises(ValueError, match="asked is 'why'"):
        question(story, "why")


def test_the_reminder_stands_between_story_and_question():
    story = own()[0]
    aware, action = question(story, "aware"), question(story, "action")
    text = ARMS["reminder"].prompt(action, aware, "B").show()
    assert text.index(story.sentence) < text.index(aware.text) < text.index("Answer: (B)") < text.index(action.text)
    chat = ARMS["chat-reminder"].prompt(action, aware, "B")
    assert [m.role for m in chat.messages] == ["user", "assistant", "user"] and chat.messages[1].content == "(B)"
    assert story.sentence not in chat.messages[2].content and chat.item.fields["reminded"] == "No"
    with pytest.raises(ValueError, match="letter is 'C'"):
        with_earlier(action, aware, "C")


def test_a_turn_that_says_nothing_stands_before_the_question_and_changes_nothing():
    story = own()[0]
    aware, action = question(story, "aware"), question(story, "action")
    plain, noop = (ARMS[arm].prompt(action, aware, "B") for arm in ("none", "noop"))
    assert [m.role for m in noop.messages] == ["user", "assistant", "user"] and noop.messages[2:] == plain.messages
    options = Options("again,noop,reminder", twins="no", scores=False)

    def needs_to_be_reminded(item, context, prompt):
        fails = item.fields["asked"] == "action" and "reminded" not in item.fields
        return {next(o for o in item.options if (o == item.answer) is not fails): 1.0}

    made = found(Respondent(decide=needs_to_be_reminded), options, items=thousand()[:30])
    assert made["gain, action, noop"] == made["changes beyond asked again, action, noop"] == 0
    assert made["gain beyond a no-op turn, action, reminder"] == made["gain, action, reminder"] == 1
    units = {e.name: e.unit for e in made.estimates}
    assert (units["unread"], units["aware"]) == ("answers", "stories")


def test_every_arm_runs_on_the_example():
    everything = Options("all", twins="all", third="each")
    made = found("simulated:calibrated", everything, example())
    assert all(math.isfinite(made[f"action, {arm}"]) for arm in ARMS if arm not in ("none", "again"))
    assert math.isfinite(made["action, reminder+minds, with twins"]) and "takes both" in made
    assert {c.name for c in made.charts} == {"Known, applied, judged", "By scenario", "Before and after"}
    with pytest.raises(ValueError, match="arms has 'magic'"):
        Options(arms="magic")


def test_an_unread_answer_reminds_of_nothing():
    made = found(Respondent(decide=Always("A"), format_errors=1.0), Options("reminder", scores=False), example())
    assert made["unread"] == 1 and made["action"] == 0 and "action, reminder" not in made


def test_stories_without_a_reminder_are_left_out_and_counted():
    made = found(respondent(persons.Right(0.0), format_errors=0.5), Options("reminder", twins="no", scores=False))
    assert 30 < made.estimate("action, reminder").n < 90
    assert any("stories are not in arm reminder" in note for note in made.notes)


def test_a_heat_map_keeps_order_and_leaves_a_gap():
    chart = heat_map(["x", "x", "y"], ["a", "b", "a"], [0.1, float("nan"), 1.0])
    values = (
        chart.spec["layer"][0]["data"]["values"] if "data" in chart.spec["layer"][0] else chart.spec["data"]["values"]
    )
    assert [v["value"] for v in values] == [0.1, None, 1.0]
    with pytest.raises(ValueError, match="unequal lengths"):
        heat_map(["x"], ["a", "b"], [0.1])
