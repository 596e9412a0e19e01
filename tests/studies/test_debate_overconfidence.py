"""Debate overconfidence: known answers of the specification, bets planted by rule, who sees what, and what is asked."""

import asyncio
import dataclasses
import math

import numpy as np
import pytest
from pytest import approx

import doxa
from doxa.charts.bets import bet_charts, bet_pairs, bets_by_speech
from doxa.data import motions
from doxa.elicit.debaters import Debater
from doxa.elicit.debating import SETTINGS, SIDES, procedure
from doxa.metrics.bets import above, bet_brier, pattern, won
from doxa.models.address import OPEN
from doxa.models.simulated import Respondent
from doxa.records import Item
from doxa.simulation import betting
from doxa.studies.debate_overconfidence import Options, Row, example, items, score, study
from doxa.study import Ask, frame

SHORT = Options(speech="short", controls=False)
SPEECHES = ("opening", "rebuttal", "closing")


def found(model, options=SHORT, asked=None, **more):
    run = doxa.run(study, model, options=options, items=asked, null_seed=None, progress=False, **more)
    part = run["debate-overconfidence"]
    assert part.counts["failed"] == 0
    return part.findings


def rows_of(bets, setting="self_debate", **more):
    """Rows from {debate: ((opening, rebuttal, closing) of one side, of the other)}."""
    made = [
        {"item": name, "outcome": "ok" if bet is not None else "unparsed", "arm": "debate", "setting": setting}
        | {"side": side, "speech": SPEECHES[k], "round": k + 1, "bet": bet, "bettor": "m", "opponent": "m", **more}
        for name, both in bets.items()
        for side, own in zip(SIDES, both, strict=True)
        for k, bet in enumerate(own)
    ]
    return frame(made, Row)


# --- known answers ---------------------------------------------------------------------------------------------------


def test_units_of_the_specification():
    pairs = {(76, 76): "high-high", (75, 75): "medium-medium", (75, 76): "medium-high", (50, 51): "low-medium"}
    assert {pair: pattern(*pair) for pair in pairs} == pairs
    assert pattern(75, 75, strict=False) == "high-high" and pattern(50, 50, strict=False) == "medium-medium"
    one = above([70, 80, 60], 50)
    assert (one.mean, one.sd, one.n) == (70, 10, 3)
    assert one.t == approx(3.464, abs=5e-4) and one.p == approx(0.0371, abs=5e-5)
    equal = above([50, 50, 50], 50)
    assert math.isnan(equal.p) and equal.wilcoxon == 1.0
    assert math.isnan(above([], 50).mean) and math.isnan(above([60], 50).p)
    with pytest.raises(ValueError, match="bets are 0 to 100"):
        pattern(101, 50)


def test_who_won_and_what_bets_are_worth():
    assert won(["proposition"] * 3 + ["opposition"] * 2, "proposition") == 1.0  # the majority, not 0.6
    assert won(["proposition", "opposition"], "opposition") == 0.5 and math.isnan(won([], "proposition"))
    assert bet_brier([50, 50], [1, 0.5]).tolist() == [0.25, 0.0]  # a tie against one half: 0 for a constant 50
    with pytest.raises(ValueError, match="0 to 100 tokens"):
        bet_brier([120], [1])


def test_scores_by_hand():
    made = score(rows_of({"a": ((60, 70, 80), (60, 60, 76)), "b": ((50, None, 75), (0, 50, 75))}), Options())
    assert made["opening bet, self_debate"] == 42.5 and made["closing bet, self_debate"] == 76.5
    assert made["initial overconfidence, self_debate"] == -7.5
    assert made["opening to closing, self_debate"] == approx((20 + 16 + 25 + 75) / 4)
    assert made["rebuttal bet, self_debate"] == 60 and made["unread bets, self_debate"] == approx(1 / 12)
    assert made["opening to rebuttal, self_debate"] == approx((10 + 0 + 50) / 3)  # of pairs whose both bets were read
    assert made["both above 75, self_debate"] == 0.5 and made["both at least 75, self_debate"] == 1.0
    assert made["sum above 100, self_debate"] == 1.0 and made["excess of the sum, self_debate"] == 53
    assert made.estimate("rebuttal bet, self_debate").bounds == (45.0, 70.0)  # 180 and a missing one of 0 or 100
    assert made["opening SD, self_debate"] == approx(np.std([60, 60, 50, 0], ddof=1))
    assert "1 of 12 bets could not be read" in made.notes[0]


def test_both_variants():
    rows = rows_of({"a": ((60, 70, 80), (60, 60, 76)), "b": ((50, 55, 75), (0, 50, 75))})
    ours, theirs = score(rows, Options()), score(rows, Options(variant="published"))
    assert ours["opening bet, self_debate"] == 42.5 and theirs["opening bet, self_debate"] == approx(170 / 3)
    assert theirs["opening SD, self_debate"] == approx(np.std([60, 60, 50]))
    assert theirs.estimate("opening to closing, self_debate").n == 3


def test_sides_of_one_model_are_not_mixed():
    rows = rows_of({"a": ((40, 45, 50), (80, 85, 90)), "b": ((40, 50, 60), (80, 80, 80))})
    made = score(rows.sample(fraction=1, shuffle=True, seed=3), Options())
    changes = made.table("Tests, self_debate").rows
    assert [line[2] for line in changes] == [60, 5, 5, 10]  # each bettor's own change: 10, 10, 20, 0
    assert made["both above 50, self_debate"] == 0.5 and made["excess of the sum, self_debate"] == 40


def test_nothing_read_gives_no_number():
    made = score(rows_of({"a": ((None,) * 3, (None,) * 3)}), Options())
    assert math.isnan(made["opening bet, self_debate"]) and made["unread bets, self_debate"] == 1
    assert any("measures nothing here" in note for note in made.notes) and not made.charts


# --- planted: bets 50 +- d / 2 + bias, noise 5 -----------------------------------------------------------------------


def test_the_planted_pair_of_the_specification():
    """SE of a mean of 120 bets 5 / sqrt(120) = 0.46, of a change 0.65: within four of them, as specified."""
    made = found(Debater(bias=20, drift=5, noise=5), asked=motions.unequal_debates())
    for speech, mean in zip(SPEECHES, (70, 75, 80), strict=True):
        assert made[f"{speech} bet, self_debate"] == approx(mean, abs=1.8)
    assert made["opening to closing, self_debate"] == approx(10, abs=2.3) and made["sum above 100, self_debate"] == 1
    assert made["p of the escalation, self_debate"] < 1e-6


def test_the_rational_pair():
    made = found(Debater(noise=5), asked=motions.unequal_debates())
    assert made["initial overconfidence, self_debate"] == approx(0, abs=1.8)
    exact = found(Debater(), asked=motions.unequal_debates())
    assert exact["excess of the sum, self_debate"] == 0 and exact["sum above 100, self_debate"] == 0
    assert exact["p of the escalation, self_debate"] != exact["p of the escalation, self_debate"]  # all changes are 0


def test_the_rational_pair_seldom_looks_like_escalation():
    """One-sided p above .05 in at least 90 % of 200 seeds; 95 % expected, SE 1.5 %."""
    rng = np.random.default_rng(0)
    d = rng.integers(-10, 11, (200, 60)) * 2
    skill = np.concatenate([d, -d], axis=1) / 2
    first, last = (50 + skill + rng.normal(0, 5, skill.shape) for _ in range(2))
    assert np.mean([above(after - before).p > 0.05 for before, after in zip(first, last, strict=True)]) >= 0.9
    assert np.mean([above(one, 50).p > 0.05 for one in first]) >= 0.97  # conservative: d widens the spread


def test_the_null_has_neither_overconfidence_nor_escalation():
    run = doxa.run(study, Debater(bias=20, drift=5, noise=5), options=SHORT, items=motions.unequal_debates())
    made = run["debate-overconfidence"].findings
    assert made.estimate("opening bet, self_debate").null == approx(50, abs=4 * 21 / 120**0.5)
    assert made.estimate("opening to closing, self_debate").null == approx(0, abs=4 * 11 / 120**0.5)


# --- who sees what ---------------------------------------------------------------------------------------------------


class Heard(Debater):
    """Keeps every prompt; its speech repeats what it sees."""

    async def generate(self, prompt, sampling, context=None):
        PROMPTS.append((context.condition, prompt.show()))
        return await super().generate(prompt, sampling, context)


PROMPTS: list[tuple[str, str]] = []


def heard(setting, options=None):
    PROMPTS.clear()
    asked = [dataclasses.replace(i, fields={**i.fields, "skill": 14}) for i in motions.debates_on(MOTION, setting)]
    found(Heard(bias=10), options or dataclasses.replace(SHORT, settings=setting), asked)
    return dict(PROMPTS)


MOTION = motions.own_motions(1)


@pytest.mark.parametrize("setting", [name for name, s in SETTINGS.items() if s.alone])
def test_who_sees_what(setting):
    shown = heard(setting)
    last = max(int(name.rpartition("/")[2]) for name in shown)
    assert last == (4 if setting == "multi_round" else 3)
    for side in SIDES:
        opening, closing = shown[f"debate/{side}/1"], shown[f"debate/{side}/{last}"]
        assert "So far" not in opening and "[Proposition" not in opening  # openings see the motion alone
        assert "[Proposition, closing]" not in closing and "[Opposition, closing]" not in closing
        mine, theirs = ("67", "53") if side == SIDES[0] else ("53", "67")
        own, other = f"your bet]\n{mine}" in closing, f"its bet]\n{theirs}" in closing
        assert own == (SETTINGS[setting].shown != "nobody") and other == (SETTINGS[setting].shown == "public")
        assert "its thoughts" not in closing and (theirs in closing) == other
        assert ("your thoughts" in closing) == own
        assert ("exactly 50%" in opening) == (setting == "informed_self")
        assert ("best case why your opponent" in opening) == (setting == "self_redteam")


def test_an_echo_carries_no_private_bet_across():
    """A debater that repeats all it sees tells what it saw: the other side's bet is in it in public bets alone."""
    for setting, public in (("self_debate", False), ("public_bets", True)):
        asked = [dataclasses.replace(i, fields={**i.fields, "skill": 14}) for i in motions.debates_on(MOTION, setting)]
        options = dataclasses.replace(SHORT, settings=setting)
        run = doxa.run(study, Debater(bias=10, echoes=True), options=options, items=asked, progress=False)
        rows = run["debate-overconfidence"].rows()
        said = rows.filter((rows["side"] == SIDES[0]) & (rows["speech"] == "rebuttal"))["text"].item()
        assert ("its bet]\n53" in said) == public


def test_control_arms_see_their_own_opening_and_filler():
    shown = heard("self_debate", dataclasses.replace(SHORT, controls=True))
    for side, other in (SIDES, SIDES[::-1]):
        assert shown[f"again/{side}/1"] == shown[f"debate/{side}/1"]
        for arm in (f"no-op/{side}/1", f"filler/{side}/3"):
            assert f"[{side.capitalize()}, opening]" in shown[arm] and f"[{other.capitalize()}" not in shown[arm]
        assert "[Chair]\nThe chair thanks" in shown[f"filler/{side}/3"]
    assert len(procedure(57).split()) == 57 and procedure(0) == "The"


def test_a_chance_is_asked_for_in_a_question_of_its_own():
    made = found(Debater(bias=20), dataclasses.replace(SHORT, elicitation="both"), example())
    assert made["opening chance, self_debate"] == 70 and made["bet beyond the chance, self_debate"] == 0
    shown = heard("self_debate", dataclasses.replace(SHORT, elicitation="both"))
    asked = shown["probability/proposition/2"]
    assert "Say how likely" in asked and "tokens" not in asked.split("\n\n")[-1]
    assert "[Proposition, rebuttal]" in asked and "[Opposition, rebuttal]" not in asked


# --- other models, judges, other motions -----------------------------------------------------------------------------


def test_two_models_change_sides(monkeypatch):
    monkeypatch.setitem(OPEN, "simulated", lambda rest, whole, options: Debater(bias=0, address=whole))
    options = dataclasses.replace(SHORT, opponent="simulated:sober", jury="self", motions=6)
    made = found(Debater(bias=20, address="simulated:brash"), options)
    assert made["opening bet, simulated:brash, cross_model"] == 70
    assert made["opening bet, simulated:sober, cross_model"] == 50 and made["opening bet, cross_model"] == 60
    assert {i.fields["asked_side"] for i in items(options)} == set(SIDES) and len(items(options)) == 12
    assert "Opening bets by bettor, cross_model" in [chart.name for chart in made.charts]
    with pytest.raises(ValueError, match="needs another model"):
        Options(settings="cross_model")
    with pytest.raises(ValueError, match="'mine' is none of"):
        Options(settings="mine")
    with pytest.raises(ValueError, match="2 or more"):
        Options(rounds=1)


def test_a_jury_of_several_and_its_errors():
    """Truth known on half of the debates; two jurors that name the proposition at rates: the majority, a tie a half."""
    known = [Item(f"m{i}", f"Motion {i}.", "statement", answer=str(i % 2 == 0).lower()) for i in range(20)]
    made = found(Debater(wins=1.0), dataclasses.replace(SHORT, jury="self,self", verdicts=2), known)
    assert made["proposition wins, self_debate"] == 1 and made["verdicts that agree, self_debate"] == 1
    assert made["verdicts that are right, self_debate"] == 0.5
    assert made["Brier, opening, self_debate"] == 0.25 == made["Brier, a constant 50, self_debate"]
    with pytest.raises(ValueError, match="a jury judges speeches"):
        Options(speech="none", jury="self")


def test_a_jury_is_corrected_by_debates_whose_winner_is_known():
    """The judge names the proposition in 8 of 10 that it should win, and in 2 of 10 others; on the rest in half."""
    verdicts = [("proposition", i < 8) for i in range(10)] + [("opposition", i < 2) for i in range(10)]
    rows = [{"item": f"k{i}", "truth": truth, "winner": SIDES[not said]} for i, (truth, said) in enumerate(verdicts)]
    rows += [{"item": f"r{i}", "truth": None, "winner": SIDES[i % 10 >= 7]} for i in range(30)]
    common = {"arm": "jury", "setting": "self_debate", "judge": "j"}
    told = [{**row, **common} for row in rows]
    bets = [
        {
            **row,
            "arm": "debate",
            "setting": "self_debate",
            "side": SIDES[0],
            "speech": "opening",
            "round": 1,
            "bet": 60.0,
        }
        for row in rows
    ]
    made = score(frame([*told, *({**b, "winner": None} for b in bets)], Row), Options())
    assert made["proposition wins, corrected, self_debate"] == approx((0.7 - 0.2) / (0.8 - 0.2))
    assert made["verdicts that are right, self_debate"] == approx(0.8)


def test_ties_of_the_jury():
    rows = rows_of({"a": ((80, 80, 80), (80, 80, 80)), "b": ((80, 80, 80), (60, 60, 60))}).to_dicts()
    votes = {"a": ["proposition", "opposition"], "b": ["proposition", "proposition", "opposition"]}
    rows += [
        {"item": item, "arm": "jury", "setting": "self_debate", "judge": "j", "sample": k, "winner": winner}
        for item, told in votes.items()
        for k, winner in enumerate(told)
    ]
    made = score(frame(rows, Row), Options())
    assert made["proposition wins, self_debate"] == 0.75
    assert made["Brier, opening, self_debate"] == approx((0.3**2 * 2 + 0.2**2 + 0.6**2) / 4)
    assert made["Brier, a constant 50, self_debate"] == approx((0 + 0 + 0.25 + 0.25) / 4)
    opening = made.table("Brier scores, self_debate").rows[0]
    assert opening[2] == approx((0.2**2 + 0.6**2) / 2)  # decided debates alone
    share = (0.3**2 * 2 + (0.8 - 2 / 3) ** 2 + (0.6 - 1 / 3) ** 2) / 4
    assert opening[3] == approx(share)
    assert any("tied on 1 of 2" in note for note in made.notes)


def test_judges_of_reasons_side_by_side():
    options = dataclasses.replace(SHORT, aligners="rule,self")
    made = found(Debater(bias=20, overbets=1.0), options, example())
    assert made["Overbetting, rule"] == 1 == made["Overbetting, simulated: debater"]
    lines = {line[:2]: line[-1] for line in made.table("Bets beside their reasons").rows}
    assert lines["rule", "all"] == 24 and lines["rule", "no number"] == 0
    low = found(Debater(bias=-45), options, example())  # bets up to 10 are not judged
    assert "Overbetting, rule" not in low


def test_own_motions_and_the_bank_and_lists(tmp_path):
    assert len(motions.own_motions()) == 20 == len({m.text for m in motions.own_motions()})
    bank = motions.bank_motions(40)
    assert len(bank) == 40 and sum(m.answer == "true" for m in bank) == 20
    assert all(" not " in m.fields["denial"] and m.fields["denial"] != m.text for m in bank)
    (tmp_path / "own.txt").write_text("This House would.\n\nThis House would not.\n", encoding="utf-8")
    (tmp_path / "topics.json").write_text('[{"topic_description": "A"}, "B"]', encoding="utf-8")
    assert [i.text for i in items(Options(set=str(tmp_path / "topics.json")))] == ["A", "B"]
    asked = items(Options(set=str(tmp_path / "own.txt"), settings="self_debate,public_bets"))
    assert len(asked) == 4 and len({i.id for i in asked}) == 4
    (tmp_path / "bad.json").write_text('[{"name": 1}]', encoding="utf-8")
    with pytest.raises(doxa.records.DoxaError, match=r"bad\.json\[0\].*is no motion"):
        items(Options(set=str(tmp_path / "bad.json")))


def test_statements_without_speeches():
    options = Options(set="bank", speech="none", motions=30)
    asked = items(options)
    made = found(Debater(bias=10), options, asked)
    assert made["excess of the sum, self_debate"] == 20 and made["change after filler, self_debate"] == 0
    assert made["Brier, a constant 50, self_debate"] == 0.25  # who should win is known without a jury
    sure = found("simulated:oracle", dataclasses.replace(options, rounds=2), asked)
    assert sure["Brier, opening, self_debate"] == 0 and sure["excess of the sum, self_debate"] == 0


def test_others_are_asked_in_their_own_way():
    """A respondent that knows nothing of debates bets its belief that the side wins: even, so sums are 100."""
    made = found(Respondent(), SHORT, example())
    assert made["excess of the sum, self_debate"] == 0
    for options in (Options(), Options(speech="none"), Options(rounds=4), Options(elicitation="both", jury="self")):
        assert math.isfinite(found(Respondent(), options, example()[:2])["opening bet, self_debate"])


def test_unread_bets_are_asked_for_again():
    """Half of the replies hold no bet: after three attempts an eighth is missing; 120 bets, SE 0.03."""
    options = dataclasses.replace(SHORT, attempts=3)
    made = found(Debater(unread=0.5), options, motions.unequal_debates()[:40])
    assert made["unread bets, self_debate"] == approx(0.125, abs=3 * (0.125 * 0.875 / 240) ** 0.5)


def test_a_debate_goes_on_from_its_turns():
    """Cut after the rebuttals: the closings alone are asked for, and see what was said."""
    item = motions.debates_on(MOTION, "self_debate")[0]
    rules = betting.Rules(length="short")
    whole = asyncio.run(betting.held(item, dict.fromkeys(SIDES, Ask(Debater(bias=20), item)), rules))
    said = [{"side": s.side, "round": s.round, "text": s.text} for s in betting.stakes(whole, rules) if s.round < 3]
    ask = Ask(Debater(bias=20), item)
    again = asyncio.run(betting.held(item, dict.fromkeys(SIDES, ask), rules, said))
    assert len(ask.calls) == 2 and sorted(again.records(), key=str) == sorted(whole.records(), key=str)
    assert all("[Opposition, rebuttal]" in call.prompt.show() for call in ask.calls)


def test_charts_with_nothing_to_draw():
    assert bet_charts({}, {"self_debate": {}}, {"self_debate": []}) == []
    with pytest.raises(ValueError, match="come in pairs"):
        bet_pairs([50], [])
    with pytest.raises(ValueError, match="nothing to draw"):
        bets_by_speech({})
    corner = bet_pairs([100, 100, 0], [100, 95, 0]).spec["layer"][0]["data"]["values"]
    assert [(cell["x"], cell["y"], cell["debates"]) for cell in corner] == [(0, 0, 1), (90, 90, 2)]
