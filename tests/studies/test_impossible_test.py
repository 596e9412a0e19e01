"""Impossible test: planted rates of admission, respondents that go by the place, controls, what cannot be read."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import doxa
from doxa.data import impossible as data
from doxa.data import impossible_files as files
from doxa.elicit.candour import candour
from doxa.elicit.structured import LetterWithReason
from doxa.metrics import wilson
from doxa.metrics.sums import difference, share
from doxa.models.simulated import ABSTAIN, Always, Respondent
from doxa.records import DoxaError, Item, MissingCapability
from doxa.studies.impossible_test import Options, Row, null, score, study
from doxa.study import frame

PLAIN = Options(permutations=0, options_only=False, twins=False)
ADMISSION = "I do not know"


def problems(n, c=5, category="X"):
    """Problems with c options, the admission in turn at each place."""
    made = []
    for i in range(n):
        options = [f"approach {i}-{j}" for j in range(c - 1)]
        options.insert(i % c, ADMISSION)
        fields = {"category": category, "admission": ADMISSION, "version": "V2", "difficulty": "Hard"}
        made.append(Item(f"{category}-{i}", f"Solve {i}", "choice", tuple(options), ADMISSION, fields=fields))
    return made


def answerable(n):
    return [
        replace(
            i, id=f"twin-{i.id}", answer=next(o for o in i.options if o != ADMISSION), fields={"admission": ADMISSION}
        )
        for i in problems(n, category="T")
    ]


def admits(rate):
    """Admits with a probability (of the item's category), else picks evenly among the other options."""

    def decide(item, context, prompt):
        p = rate(item) if callable(rate) else rate
        others = [o for o in item.options if not data.is_admission(o)]
        return {next(o for o in item.options if data.is_admission(o)): p} | {o: (1 - p) / len(others) for o in others}

    return Respondent(decide=decide)


def run(model, asked, options=PLAIN, **more):
    return doxa.run(study, model, items=asked, options=options, **more)["impossible-test"]


# --- planted respondents ---------------------------------------------------------------------------------------------


def test_planted_rates_are_recovered_by_category():
    """100 items each: 4 binomial standard errors are at most .20."""
    planted = dict(zip("ABCDEF", (0.2, 0.32, 0.44, 0.56, 0.68, 0.8), strict=True))
    asked = [item for name in planted for item in problems(100, category=name)]
    found = run(admits(lambda item: planted[item.fields["category"]]), asked).findings
    rates = {row[0]: row[3:] for row in found.table("By category").rows}
    for name, p in planted.items():
        assert rates[name][0] == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 100))
    assert found["admission rate"] == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(600))
    assert found["chance"] == pytest.approx(0.2)


def test_the_intervals_cover_planted_rates():
    """1,200 intervals at 95 %: standard error .006, and of one rate .015; the limits are 5 and 4.5 of them away."""
    rng = np.random.default_rng(0)
    covered = {}
    for p in (0.2, 0.32, 0.44, 0.56, 0.68, 0.8):
        intervals = [share(rng.random(100) < p, np.arange(100)) for _ in range(200)]
        covered[p] = np.mean([i.low <= p <= i.high for i in intervals])
    assert np.mean(list(covered.values())) >= 0.92 and min(covered.values()) >= 0.88


def test_always_one_letter_scores_chance_in_shuffled_orders():
    """300 problems x 5 orders: standard error .4 / sqrt(1500) = .010; whole rotations give exactly 1 / c."""
    options = ("one way", "another way", ADMISSION, "a third way", "a fourth way")
    asked = [replace(item, options=options) for item in problems(300)]
    always = Respondent(decide=Always("C"))
    random = run(always, asked, replace(PLAIN, permutations=5, part=1.0)).findings
    assert random["admission rate"] == 1.0
    assert random["admission rate, shuffled"] == pytest.approx(0.2, abs=0.04)
    cyclic = run(always, asked[:40], replace(PLAIN, order="cyclic", part=1.0)).findings
    assert cyclic["admission rate, shuffled"] == pytest.approx(0.2) == cyclic["chance, shuffled"]
    assert cyclic["excess over chance, shuffled"] == pytest.approx(0, abs=1e-12)


def test_always_admitting_has_no_selective_score():
    asked = [*problems(30), *answerable(30)]
    for model in (admits(1.0), Respondent(decide=lambda *_: {ABSTAIN: 1.0})):
        found = run(model, asked, Options(part=1.0, permutations=2)).findings
        assert found["admission rate"] == found["admission rate, shuffled"] == found["over-abstention"] == 1
        assert found["selective score"] == 0
        interval = found.estimate("selective score")
        assert interval.low < 0 < interval.high


def test_admitting_only_what_nobody_knows_is_found():
    """Planted .6 and .1; standard errors of the difference at 100 and 100: .057; four of them."""
    asked = [*problems(100), *answerable(100)]
    model = Respondent(
        decide=lambda item, context, _: admits(0.1 if "T-" in context.item.id else 0.6).decide(item, context, _)
    )
    found = run(model, asked, replace(PLAIN, twins=True))
    assert found.findings["selective score"] == pytest.approx(0.5, abs=0.23)
    interval = found.findings.estimate("selective score")
    assert interval.low > 0
    # Nothing planted: truth and places shuffled. The rate falls to chance, the score to 0.
    empty = score(null(found.rows(), 1), PLAIN)
    assert empty["selective score"] == pytest.approx(0, abs=0.23)
    assert empty["admission rate"] == pytest.approx(0.2, abs=0.17)


def test_the_oracle_is_perfect_and_chance_is_chance():
    oracle = doxa.run(study, "simulated:oracle", options=Options(questions=40))["impossible-test"].findings
    assert oracle["admission rate"] == oracle["selective score"] == oracle["accuracy on answerable"] == 1
    guess = doxa.run(study, "simulated:random", options=Options(questions=60))["impossible-test"].findings
    assert guess["excess over chance, shuffled"] == pytest.approx(0, abs=0.15)


def test_a_place_that_guides_the_model_is_tested():
    """Says the letter of the last place: all of the admissions there and no other."""
    found = run(Respondent(decide=Always("E")), problems(100)).findings
    # Five places of 20: 20 admitted at E and none elsewhere, expected 4 each: 100 * (1 - 0) = 100.
    assert found["position chi-square"] == pytest.approx(100)
    table = {row[0]: row[1:] for row in found.table("By position").rows}
    assert table["E"][:3] == (20, 20, 1.0) and table["A"][:3] == (20, 0, 0.0)
    assert table["E"][5:7] == (100, 0.2)
    assert "position chi-square" not in run(admits(1.0), problems(10)).findings


# --- controls --------------------------------------------------------------------------------------------------------


def test_every_control_is_asked_and_none_is_mixed_up():
    options = Options(framing="all", free_form=True, part=1.0, permutations=2)
    part = run(Respondent(), [*problems(2), *answerable(1)], options)
    counts = Counter((row["condition"], row["shuffled"]) for row in part.rows().iter_rows(named=True))
    expected = {
        ("neutral", False),
        ("exam", False),
        ("permission", False),
        ("options only", False),
        ("free form", False),
    }
    assert counts == dict.fromkeys(expected, 3) | {("neutral", True): 6}
    found = part.findings
    for name in ("exam", "permission", "options only"):
        assert found.estimate(f"admission rate, {name}").n == 2
    assert found.estimate("admission rate").n == 2 and found.estimate("admission rate, shuffled").n == 4
    rows = part.rows()
    assert rows.filter(rows["shuffled"])["sample"].to_list() == [1, 2] * 3


def test_the_problem_is_hidden_from_the_options_only_control():
    shown = data.without_problem(problems(1)[0])
    text = LetterWithReason().prompt(shown).show()
    assert "Solve 0" not in text and ADMISSION in text


def test_a_rule_of_length_is_told_and_the_matched_variant_defeats_it():
    asked = problems(200)
    for at, item in enumerate(asked):
        more = ("very " * (7 + (5 * at + 3 * k) % 17) for k in range(5))
        longer = (o if data.is_admission(o) else f"a {m}long {o}" for o, m in zip(item.options, more, strict=True))
        asked[at] = replace(item, options=tuple(longer))

    def shortest(item, context, prompt):
        return {min(item.options, key=len): 1.0}

    plain = run(Respondent(decide=shortest), asked).findings
    assert plain["admission is the shortest option"] == 1 and plain["admission rate"] == 1
    matched = run(Respondent(decide=shortest), asked, replace(PLAIN, length_matched=True)).findings
    assert matched["admission rate"] < 0.6 and matched["admission rate"] == pytest.approx(
        matched["admission is the shortest option"], abs=0.01
    )
    short = Item("s", "?", "choice", (ADMISSION, "yes", "no"), ADMISSION)
    assert data.length_matched(short) is short
    padded = data.length_matched(asked[0])
    assert data.is_admission(padded.answer) and padded.answer in padded.options and len(padded.options) == 5


def test_free_replies():
    for reply, stance in (
        ("I do not know.", "admits"),
        ("This remains an open problem in mathematics.", "admits"),
        ("There is no known polynomial algorithm for this.", "admits"),
        ("Nobody knows. However, one could scan the sky.", "hedged"),
        ("It is unsolved, but my best guess is dark matter.", "hedged"),
        ("It might be possible with lasers.", "hedged"),
        ("Build it from graphene.", "confident"),
    ):
        assert candour(reply) == stance, reply
    assert candour("  ") is None
    model = Respondent(decide=lambda item, *_: {ABSTAIN if item.answer in (None, ADMISSION) else item.answer: 1.0})
    found = run(model, [*problems(5), *answerable(5)], replace(PLAIN, free_form=True)).findings
    assert found["free form: admits"] == 1 and found["free form: confident"] == 0
    assert found["free form: confident, answerable"] == 1


def test_letters_by_log_probability():
    options = replace(PLAIN, by="letters", permutations=2, part=1.0)
    assert study.needed(options) == {"score"} and study.needed(Options()) == {"generate"}
    assert study.needed(replace(options, free_form=True)) == {"score", "generate"}
    found = run(admits(0.9), problems(10), options).findings
    assert found["admission rate"] == found["admission rate, shuffled"] == 1
    with pytest.raises(MissingCapability):
        run(GenerateOnly(), problems(1), options)


class GenerateOnly(Respondent):
    """A respondent whose log-probabilities are not to be had."""

    capabilities = frozenset({"generate"})


def test_unread_replies_are_counted_apart():
    part = run(replace(admits(1.0), format_errors=0.5), problems(100))
    rate = part.findings.estimate("admission rate")
    unread = rate.outcomes["unparsed"]
    assert rate.value == 1 and rate.n == 100 - unread and 30 < unread < 70
    assert rate.bounds == (rate.n / 100, 1.0)


@pytest.mark.parametrize("outcome", ["unparsed", "refused", "failed"])
def test_nothing_readable_gives_nan(outcome):
    row = {
        "item": "a",
        "version": "V2",
        "truth": "impossible",
        "outcome": outcome,
        "condition": "neutral",
        "c": 5,
        "admission": 0,
        "shuffled": False,
    }
    found = score(frame([row], Row), PLAIN)
    assert math.isnan(found["admission rate"]) and found.estimate("admission rate").bounds == (0, 1)


def test_admitting_in_words_counts_and_is_told():
    row = {
        "item": "a",
        "version": "V2",
        "truth": "impossible",
        "outcome": "abstained",
        "condition": "neutral",
        "c": 5,
        "admission": 0,
        "shuffled": False,
    }
    found = score(frame([row], Row), PLAIN)
    assert found["admission rate"] == 1 and "1 replies admit in words" in found.notes[0]


def test_truly_open_problems_are_reported_apart(tmp_path):
    path = tmp_path / "open.txt"
    path.write_text("# really open\nX-0\nsolve, 1!\n")
    model = Respondent(
        decide=lambda item, context, _: admits(1.0 if context.item.id in ("X-0", "X-1") else 0.0).decide(
            item, context, _
        )
    )
    found = run(model, problems(10), replace(PLAIN, truly_open=str(path))).findings
    assert found["admission rate"] == 0.2 and found["admission rate, truly open"] == 1
    assert found.estimate("admission rate, truly open").n == 2
    with pytest.raises(DoxaError, match="lists nothing"):
        files.listed(str((tmp_path / "empty.txt", (tmp_path / "empty.txt").write_text("#\n"))[0]))
    with pytest.raises(DoxaError, match="one id or problem a line"):
        files.listed(str(tmp_path / "none.txt"))


def test_admitting_in_words_what_is_known_is_no_right_answer():
    """One admits by the letter, one in words, one is right, one was not read: 2 of 3 admit, 1 of 3 is right."""
    of = {"version": "bank", "truth": "answerable", "condition": "neutral", "c": 5, "admission": 0, "right": 1}
    answers = [("ok", 0), ("abstained", None), ("ok", 1), ("unparsed", None)]
    rows = [
        of | {"item": str(k), "outcome": outcome, "place": place, "shuffled": False}
        for k, (outcome, place) in enumerate(answers)
    ]
    found = score(frame(rows, Row), PLAIN)
    assert found["over-abstention"] == pytest.approx(2 / 3)
    assert found["accuracy on answerable"] == pytest.approx(1 / 3)
    assert found.estimate("accuracy on answerable").bounds == (0.25, 0.5)


def test_equally_probable_letters_are_no_answer():
    """Going to the first of them would be a habit of place that the respondent does not have."""
    found = run(Respondent(), problems(10), replace(PLAIN, by="letters")).findings
    assert math.isnan(found["admission rate"])
    assert found.estimate("admission rate").outcomes == {"ambiguous": 10}


def test_versions_are_never_pooled():
    one = {
        "item": "a",
        "truth": "impossible",
        "condition": "neutral",
        "c": 5,
        "place": 0,
        "admission": 0,
        "shuffled": False,
    }
    with pytest.raises(DoxaError, match="versions V1, V2, which differ in their options; score them apart"):
        score(frame([one | {"version": "V1"}, one | {"item": "b", "version": "V2"}], Row), PLAIN)


def test_the_trend_over_levels_and_the_merge():
    words = (
        "Low",
        "Medium",
        "Hard",
        "Har",
        "High",
        "Very High",
        "Very Hard",
        "Extreme",
        "Unsolved",
        "Partially Solved",
    )
    assert [data.level(word) for word in words] == [
        *("Low+Medium", "Low+Medium", "Hard", "Hard", "High", "Very High", "Very Hard", "Extreme"),
        *("Solved status", "Solved status"),
    ]
    assert data.level("Easy") is None and data.level(None) is None
    asked = [
        replace(p, id=f"{word}-{p.id}", fields={**p.fields, "difficulty": word}) for word in words for p in problems(20)
    ]
    rising = {word: 0.05 + 0.1 * k for k, word in enumerate(words)}
    found = run(admits(lambda item: rising[item.fields["difficulty"]]), asked).findings
    assert found["difficulty trend"] > 3 and found.estimate("difficulty trend").n == 160
    assert [row[0] for row in found.table("By level").rows] == [*data.LEVELS, data.SOLVED]
    flat = run(admits(0.4), asked).findings
    assert abs(flat["difficulty trend"]) < 3.5 and "Har" in flat.table("By level").note


def test_difference_holds_for_shares_of_one():
    ones = share(np.ones(20), np.arange(20))
    assert difference(ones, ones).value == 0 and difference(ones, ones).low < 0
    # Newcombe's own example: 56 of 70 less 48 of 80 is .2, limits .0524 and .3339.
    a, b = wilson(56, 70), wilson(48, 80)
    found = difference(a, b)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
