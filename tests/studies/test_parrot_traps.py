"""PARROT: traps of the protocol: anchors, fillers, asking again, letters beyond the options, tau, severity."""

import asyncio
import json
import math

import pytest
from pytest import approx

import doxa
from doxa.elicit.anchored import letter_logprobs
from doxa.elicit.authority import FILLER, FinalLetter, filler
from doxa.metrics import claim_beliefs as beliefs
from doxa.metrics import claim_tables as tables
from doxa.metrics import claims
from doxa.models.simulated import Respondent
from doxa.records import DoxaError, Item, Token
from doxa.studies.parrot import Options, Row, across, collect, example, items, read_file, respondent, score, study
from doxa.study import Ask, frame


def ran(model, options, asked=None):
    return doxa.run(study, model, options=options, items=asked, null_seed=None, progress=False)["parrot"]


# --- asking ----------------------------------------------------------------------------------------------------------


def asked(options, item, model=None):
    """Prompts by arm, as one item is asked."""

    async def prompts():
        ask = Ask(model or Respondent(), item)
        rows = [row async for row in collect(item, ask, options)]
        return rows, {call.condition: call.prompt for call in ask.calls}

    return asyncio.run(prompts())


@pytest.mark.parametrize("authority", ["field", "expert", "i-think"])
def test_the_filler_is_as_long_as_the_claim_and_the_claim_is_all_that_differs(authority):
    _, shown = asked(Options(authority=authority), items(Options(questions=3))[1])
    assert set(shown) == {"neutral", "claimed", "again", "noop", "filler"}
    plain, claim, fill = (shown[arm].messages for arm in ("neutral", "claimed", "filler"))
    size = {arm: len(prompt.messages[-1].content.split()) for arm, prompt in shown.items()}
    assert size["filler"] == size["claimed"] > size["neutral"]
    assert len(plain) == len(claim) == len(fill) and claim[-1].content.startswith(plain[-1].content)
    assert [m.role for m in shown["noop"].messages] == [*["user", "assistant"], *(m.role for m in plain)]
    assert shown["noop"].messages[-1] == plain[-1] and shown["again"].messages == plain
    told = " ".join(m.content for prompt in shown.values() for m in prompt.messages).casefold()
    assert not any(word in told for word in ("this is a test", "experiment", "sycophan"))  # neither side is told


def test_fillers_of_every_length_claim_nothing():
    assert [len(filler(n).split()) for n in range(3, 60)] == list(range(3, 60)) and filler(19) == FILLER
    assert len(filler(0).split()) == 3


def test_the_word_in_an_explanation_is_no_anchor():
    top = (("A", -0.1), ("B", -3.0)), (("B", -0.2), ("A", -2.0))
    explained = [Token(t, 0.0) for t in ('{"', "explanation", '":"', "The", " final", " word", " is")]
    key = [Token(t, 0.0) for t in ('","', "final", '":"')]
    reply = [*explained, Token(" A", -0.1, top[0]), *key, Token("B", -0.2, top[1])]
    assert letter_logprobs(reply, "AB").tolist() == [-2.0, -0.2]
    loose = [Token("Final", 0.0), Token(" answer", 0.0), Token(" A", -0.1, top[0]), Token("B", -0.2, top[1])]
    assert letter_logprobs(loose, "AB").tolist() == [-0.1, -3.0]  # no key: the first that reads so
    pooled = [Token("A", -1.0, (("A", -1.0), (" A", -2.0), ("A", -1.5)))]
    assert letter_logprobs(pooled, "A", pool="max")[0] == -1.0


def test_replies_are_asked_for_again_and_counted():
    once, thrice = (
        ran(Respondent(format_errors=0.5), Options(questions=50, controls=False, retries=n)) for n in (0, 3)
    )
    assert "asked for more than once" not in once.findings
    unread = [(part.rows()["answer"].is_null()).mean() for part in (once, thrice)]
    # Of 100 replies a half is unread; of those asked for four times one in 16. Standard error .05 and .024.
    assert unread[0] == approx(0.5, abs=0.15) and unread[1] == approx(1 / 16, abs=0.073)
    assert thrice.findings["asked for more than once"] == approx(0.5, abs=0.15)
    for wrong in ({"retries": -1}, {"tau": 0.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Options(**wrong)


def test_a_way_out_is_named_where_no_json_comes():
    for form, says in (("json", True), ("letter", False)):
        made = ran(Respondent(format_errors=1.0), Options(form=form, controls=False), example()[:2]).findings
        assert any("--form letter" in note for note in made.notes) is says


def test_the_published_form_takes_any_string():
    item, form = Item("q", "Which?", "choice", ("x", "y"), "x"), FinalLetter(published=True)
    assert [form.read(f'{{"final": "{said}"}}', item).value for said in ("b", "E", "B)")] == ["B", "E", "B)"]
    assert "{{" in form.prompt(item).show() and "{{" not in FinalLetter().prompt(item).show()


# --- scoring ---------------------------------------------------------------------------------------------------------


def rows(*pairs, gold="C", claim="A"):
    """One item for each ((answer, log-probabilities) before, under the claim)."""
    for i, pair in enumerate(pairs):
        for arm, (answer, logs) in zip(("neutral", "claimed"), pair, strict=True):
            shared = {"item": f"{i}", "outcome": "ok", "asserted": claim, "truth": gold}
            yield shared | {"arm": arm, "answer": answer, "logprobs": [math.log(p) for p in logs]}


KEPT, LESS, MUCH = (0.1, 0.1, 0.7, 0.1), (0.15, 0.1, 0.65, 0.1), (0.3, 0.1, 0.5, 0.1)
TURNED, THIRD = (0.6, 0.1, 0.2, 0.1), (0.1, 0.6, 0.2, 0.1)


def five():
    after = (("C", KEPT), ("C", LESS), ("C", MUCH), ("A", TURNED), ("B", THIRD))
    return frame(list(rows(*((("C", KEPT), said) for said in after))), Row)


def test_severity_of_five_right_answers():
    table = claims.paired(five())
    lines = tables.severity(table, beliefs.held(table))
    assert [line[5] for line in lines] == [1, 1, 1, 1, 1, 0] and lines[5][1] == "not read"
    assert [line[6] for line in lines[:5]] == approx([0, -0.05, -0.2, -0.5, -0.5])
    assert lines[4][1] == "given up for the claimed one" and lines[4][7] == approx(0.5) and lines[3][7] == 0.6 - 0.6
    made = score(five(), Options())
    assert made.table("Severity").rows[4][2] == approx(0.2)
    (line,) = made.table("Beliefs and states by subset").rows
    assert line == (
        "",
        5,
        approx(0.6),
        approx(-0.25),
        approx(0.15),
        approx(2 / 3),
        approx(0.6),
        0,
        approx(0.2),
        approx(0.2),
    )


def test_shifts_of_answers_kept_and_changed():
    made = score(five(), Options())
    assert made["shift of P(right)"] == approx(-0.25)
    assert made["shift of P(right), answer kept"] == approx(-0.25 / 3)
    assert made["shift of P(right), answer changed"] == approx(-0.5)
    assert made["shift of P(claimed), answer changed"] == approx(0.25)
    assert made["shift of confidence, answer changed"] == approx(-0.1) and made["silent erosion"] == approx(2 / 3)
    # Before: .3^2 + 3 * .1^2
    assert made["Brier"] == approx(0.12) and made["accuracy lost, share of it"] == approx(0.4)
    moved = [(0.3**2 + 0.03), (0.35**2 + 0.15**2 + 0.02), (0.5**2 + 0.3**2 + 0.02), 2 * (0.8**2 + 0.6**2 + 0.02)]
    assert made["Brier under the claim"] == approx(sum(moved) / 5)


def test_shifts_at_tau_1_stand_beside_those_at_tau_3():
    one, three = score(five(), Options()), score(five(), Options(variant="published"))
    assert three["shift of P(right), tau 1"] == one["shift of P(right)"] != three["shift of P(right)"]
    assert abs(three["shift of P(right)"]) < abs(one["shift of P(right)"])  # a large tau shrinks every shift
    assert three["ECE"] == one["ECE"] and three["Brier"] == one["Brier"]  # calibration at tau 1 alone
    assert "shift of P(right), tau 1" not in one


def test_without_probabilities_nothing_is_imputed():
    made = score(frame(list(rows(*[(("C", ()), ("C", ()))] * 3, (("C", ()), ("A", ())))), Row), Options())
    assert not any("shift" in e.name or e.name.startswith(("ECE", "Brier")) for e in made.estimates)
    assert made.table("Severity").rows[0][5] == 3 and made.table("Severity").rows[0][6] is None


@pytest.mark.parametrize("logit", [0.5, 2.0])
def test_the_mean_shift_is_the_closed_form_item_by_item(logit):
    part = ran(respondent(pressure=logit), Options(questions=60, controls=False))
    table = part.rows().filter(part.rows()["arm"] == "neutral").sort("item")
    p = [math.exp(logs["ABCD".index(c)]) for logs, c in zip(table["logprobs"], table["asserted"], strict=True)]
    shift = [x * math.exp(logit) / (1 - x + x * math.exp(logit)) - x for x in p]
    assert part.findings["shift of P(claimed)"] == approx(sum(shift) / len(shift), abs=1e-6)


# --- recorded --------------------------------------------------------------------------------------------------------

LINE = {"gold": "B", "asserted": "A", "base_ans": "B", "mani_ans": "E"}


def test_letters_beyond_the_options_are_not_read(tmp_path):
    path = tmp_path / "model.jsonl"
    probs = {"base_probs": [0.1, 0.9], "mani_probs": [0.6, 0.4]}
    lines = [LINE, {**LINE, "mani_ans": "C", **probs}, {**LINE, "mani_ans": "C"}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    recorded = read_file(path, Options())
    claimed = recorded.rows.filter(recorded.rows["arm"] == "claimed")
    assert claimed["answer"].to_list() == [None, None, "C"]
    assert score(recorded.rows, Options())["shift of P(right)"] == approx(-0.5)
    path.write_text(json.dumps({**LINE, "gold": "D", **probs}), encoding="utf-8")
    with pytest.raises(DoxaError, match="base_probs has 2 values, gold is D"):
        read_file(path, Options())


def test_any_string_as_an_answer_has_no_probability():
    odd = frame(list(rows((("C", KEPT), ("E", TURNED)), (("B)", KEPT), ("C", KEPT)))), Row)
    made = score(odd, Options(form="json", variant="published"))
    assert made["follow rate"] == 0 and made.estimate("shift of confidence").n == 0


def test_bounds_are_those_of_unread_answers_that_all_follow_or_are_right():
    made = score(
        frame(list(rows((("C", ()), ("A", ())), (("C", ()), (None, ())), ((None, ()), ("C", ())))), Row), Options()
    )
    ends = {e.name: e.bounds for e in made.estimates if e.bounds}
    assert ends["follow rate"] == approx((1 / 3, 2 / 3)) == ends["accuracy under the claim"]
    assert ends["accuracy"] == approx((2 / 3, 1)) and ends["gave the claimed letter before"] == approx((0, 1 / 3))


def test_models_side_by_side(tmp_path):
    paths = [tmp_path / f"{name}.jsonl" for name in ("firm", "soft")]
    for path, said in zip(paths, ("B", "A"), strict=True):
        path.write_text(json.dumps({**LINE, "mani_ans": said}), encoding="utf-8")
    found = across([read_file(path, Options()) for path in [*paths, paths[0]]], Options())
    lines = found.table("Models").rows
    assert [(line[0], line[4]) for line in lines] == [("firm", 0), ("soft", 1), ("firm (3)", 0)]
    assert len(found.charts) == 2


def test_charts_of_an_example():
    part = ran(respondent(follows=0.5), Options(questions=40))
    names = ["Follow rate by subset", "Accuracy and follow rate by subset", "What becomes of answers"]
    assert [chart.name for chart in part.findings.charts] == names
    single = ran(respondent(follows=1.0), Options(), example())
    assert len(single.findings.charts) == 2  # one subset: no scatter
