"""Assumed rationality: units and known answers of the specification, planted respondents."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from pytest import approx

import doxa
from doxa.charts.diagonal import diagonal_chart
from doxa.data import gamble_problems as data
from doxa.data import inferred_preferences as inferred
from doxa.elicit.gamble_choices import GambleLetter, GambleReasoned, GambleShares, gamble_form, share_of_b
from doxa.elicit.gamblers import choosing, ranker
from doxa.elicit.preference_pairs import WORDS, PairedChoices
from doxa.metrics import choice_comparisons as comparisons
from doxa.metrics import choice_tables, spearman
from doxa.metrics import gamble_theories as theories
from doxa.metrics import preference_theories as inverse
from doxa.metrics.choice_models import Problems
from doxa.metrics.order import midranks
from doxa.models.simulated import Always, Respondent
from doxa.records import Answer
from doxa.studies.llm_rationality import FEW, Options, Row, example, items, respondent, study
from doxa.study import frame


def found(model, options, asked=None):
    run = doxa.run(study, model, options=options, items=asked, null_seed=None, progress=False)
    return run["llm-rationality"].findings


# --- gambles: units --------------------------------------------------------------------------------------------------

ROW_0 = Problems.of([[(0.95, 26), (0.05, -1)]], [[(0.95, 21), (0.05, 23)]])


def test_expected_values_and_theories_of_one_problem():
    assert ROW_0.expected[0] == approx([24.65, 21.1])
    assert {name: theories.chosen(name, ROW_0)[0] for name in theories.THEORIES} == {
        "EV": 0,
        "prospect": 0,
        "averaging": 1,  # 12.5 against 22
        "minimax": 1,  # -1 against 21
        "better than average": 1,  # the mean of the four payoffs is 17.25: one outcome of A, two of B
    }


def test_ties_go_to_a_and_as_published_to_b():
    coin = [(0.1, 3.0), (0.2, 3.0), (0.7, 3.0)]  # sums to 3 but for rounding
    problems = Problems.of([coin, [(1.0, 2.0)]], [[(1.0, 3.0)], [(0.5, 4.0), (0.5, 0.0)]])
    assert theories.chosen("EV", problems).tolist() == [0, 0]
    assert theories.chosen("EV", problems, rule="published").tolist()[1] == 1
    thirds = Problems.of([[(1.0, 10.0)]], [[(1 / 3, 30.0009), (2 / 3, 0.0)]])
    assert theories.chosen("EV", thirds).tolist() == [1] and theories.chosen("EV", thirds, rule="published")[0] == 0


def test_phi_is_spearman_of_binary_vectors():
    a, b = np.array([0, 1, 1, 0, 1.0]), np.array([0, 1, 0, 0, 1.0])
    assert theories.phi(a, b) == approx(spearman(a, b)) and theories.phi(a, a) == 1 and theories.phi(a, 1 - a) == -1
    assert theories.squared_error(a, b) == approx(1 - (a == b).mean())
    assert math.isnan(theories.phi(a, np.ones(5))) and math.isnan(theories.phi([], []))
    assert theories.phi([0, 1, np.nan, 1], [0, 1, 1, 1]) == 1  # nothing is made of what was not read


def test_half_and_half_is_b_for_people_and_models():
    assert theories.majority([0.5, 0.49, np.nan]).tolist()[:2] == [1, 0]
    assert math.isnan(theories.majority([np.nan])[0])


def test_the_proportional_theory_differs_in_soft_figures_only():
    made = items(Options(part="gambles", set="machines", gambles=200))
    rows = [_people(item) for item in made]
    table = comparisons.compared(frame(rows, Row))
    lines = {line[1]: line for line in choice_tables.theory_lines(table) if line[0] == "people"}
    assert lines["proportional"][2] == lines["EV"][2] and lines["proportional"][6] < lines["EV"][6] / 2
    assert lines["prospect"][6] < lines["proportional"][6]


def _people(item):
    row = {"item": item.id, "part": "gamble", "arm": "people", "outcome": "ok", "group": item.group}
    return row | data.stimulus(item)


def test_theories_are_fitted_to_people_and_to_the_model():
    made = items(Options(part="gambles", set="machines", gambles=250))
    table = comparisons.compared(frame([_people(item) for item in made], Row))
    lines = {line[1:3]: line for line in choice_tables.fit_lines(table)}
    # The simulated people go by alpha .88, loss aversion 2.25, gamma .61: within three standard errors.
    for name, value in (("alpha", 0.88), ("loss aversion", 2.25), ("gamma", 0.61)):
        _, _, _, found_, low, high, _, n = lines["prospect", name]
        assert n == 250 and abs(math.log(found_ / value)) < 1.5 * math.log(high / low) / 2
    assert lines["prospect", "alpha"][6] < lines["expected value", "sensitivity"][6] - 100  # AIC
    figures = comparisons.sections(table)["Attitude to risk"]
    assert figures["loss aversion, people"].value == lines["prospect", "loss aversion"][3] and len(figures) == 3


# --- gambles: planted ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def thousand():
    made = data.machines(1000)
    return Problems.of(*([item.fields[side] for item in made] for side in "ab"))


def test_noise_free_agents_and_the_coin(thousand):
    ev = theories.chosen("EV", thousand)
    coin = np.random.default_rng(3).integers(0, 2, 1000).astype(float)
    assert theories.phi(ev, ev) == 1 and abs(theories.phi(coin, ev)) < 0.12
    for name in theories.THEORIES[1:]:
        assert theories.phi(theories.chosen(name, thousand), ev) < 1


def test_people_go_less_with_expected_value_than_a_maximiser(thousand):
    ev = theories.chosen("EV", thousand)
    with_ev = [theories.phi(theories.majority(theories.population(thousand, seed=s)), ev) for s in range(5)]
    assert np.mean(with_ev) == approx(0.8, abs=0.06) and max(with_ev) < 1
    rng = np.random.default_rng(0)
    once = rng.random(1000) < theories.noisy(theories.advantage("EV", thousand))
    assert theories.phi(once.astype(float), ev) == approx(0.57, abs=0.08)  # one noisy maximiser is no majority


def test_the_theory_of_each_noisy_respondent_is_found(thousand):
    names, hits, seeds = ("EV", "prospect", "averaging", "minimax"), 0, 25
    made = {name: theories.chosen(name, thousand) for name in names}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        for name in names:
            rate = rng.binomial(15, theories.noisy(theories.advantage(name, thousand))) / 15
            with_each = {other: theories.phi(theories.majority(rate), made[other]) for other in names}
            hits += max(with_each, key=with_each.__getitem__) == name
    assert hits >= 0.95 * seeds * len(names)


def test_a_maximiser_in_every_arm_style_and_reading():
    few = replace(FEW, gambles=60, arms="individual,aggregate,act,solve")
    ev = theories.chosen("EV", Problems.of(*([i.fields[s] for i in items(few)] for s in "ab")))
    for more in ({"read": "logprobs"}, {"style": "both"}, {"variant": "published"}, {"frame": "offers"}):
        options = replace(few, **more)
        made = found(respondent({"": ev}, options), options)
        exact = [e for e in made.estimates if e.name.startswith(("rho(model, EV)", "rho(zero"))]
        assert len(exact) == (9 if "style" in more else 3)
        low = 0.99 if "variant" in more else 1.0  # chances of thirds, rounded
        assert all(e.value >= low - 1e-9 for e in exact), [(e.name, e.value) for e in exact]
        assert made["agreement with EV, solve"] >= low


def test_exchanged_machines_are_mapped_back_and_a_fixed_letter_is_seen():
    always = Respondent(decide=Always("A"))
    options = replace(FEW, gambles=40)
    run = doxa.run(study, always, options=options, null_seed=None, progress=False)
    rows = run["llm-rationality"].rows()
    assert rows.group_by("item", "arm").agg().height == 80 and (rows["choice"] == "A").mean() == 0.5


def test_as_many_replies_as_people(tmp_path):
    path = tmp_path / "gambles.jsonl"
    line = {"a": [[1, 3]], "b": [[0.5, 9], [0.5, 0]], "human": 0.4, "people": 7, "ambiguous": "True"}
    path.write_text(json.dumps(line), encoding="utf-8")
    options = Options(part="gambles", set=str(path), arms="individual,aggregate", samples=0)
    rows = doxa.run(study, "simulated:random", options=options, null_seed=None, progress=False)[
        "llm-rationality"
    ].rows()
    assert rows.filter(rows["arm"] == "individual").height == 7 and rows.filter(rows["arm"] == "aggregate").height == 1
    assert rows["human"].to_list() == [0.4] * 8 and rows["ambiguous"].all()


# --- replies ---------------------------------------------------------------------------------------------------------

ITEM = data.machines(1)[0]


@pytest.mark.parametrize(
    ("text", "value", "published"),
    [
        ("B", "B", "B"),
        ("Answer: B", "B", "A"),
        ("Machine B.", "B", "B"),
        ("A person would take B", None, "A"),
        ("I would choose machine A", "A", "A"),
        ("", None, None),
    ],
)
def test_letters_are_whole_words(text, value, published):
    assert GambleLetter().read(text, ITEM).value == value
    assert GambleLetter(published=True).read(text, ITEM).value == published


def test_reasoned_replies_need_one_value():
    form = GambleReasoned()
    assert form.read('B looks better. {"choice": "A"}', ITEM).value == "A"
    assert form.read('{"choice": "A"} no: {"choice": "B"}', ITEM).outcome == "ambiguous"
    assert form.read("I choose A", ITEM).outcome == "unparsed"


def test_shares_in_three_notations():
    form = GambleShares()
    for text in ('{"A": 40, "B": 60}', '{"A": "40%", "B": "60 %"}', '{"A": 0.4, "B": 0.6}'):
        assert share_of_b(form.read(text, ITEM)) == approx(0.6)
    assert share_of_b(form.read('{"A": 60, "B": 40}', ITEM)) == approx(0.4)
    for text in ('{"A": 40}', '{"A": 40, "B": 40}', '{"A": true, "B": 60}', "60% choose B"):
        assert form.read(text, ITEM).value is None


@pytest.mark.parametrize("frame_", ["offers", "machines"])
@pytest.mark.parametrize("arm", ["individual", "aggregate", "act", "solve", "biased"])
def test_forms_read_what_they_write_and_are_told_apart(arm, frame_):
    for reasoned in (False, True):
        form = gamble_form(arm, frame_, reasoned=reasoned)
        answer = Answer("ok", "B", 0.75 if form.target else None)
        assert form.read(form.write(answer, ITEM), ITEM) == answer
        assert all(option in form.prompt(ITEM).show() for option in ITEM.options)


def test_the_published_wording_asks_which_you_play():
    asked = {p: gamble_form("individual", "machines", published=p).prompt(ITEM).show() for p in (False, True)}
    assert "do you play" in asked[True] and "do you play" not in asked[False]


def test_pairs_are_named_or_tied():
    form = PairedChoices()
    assert [form.read(w).value for w in (*WORDS, "choice 2.", "2", "It is a tie")] == [*WORDS, *["Choice 2"] * 2, "Tie"]
    assert form.read("Choice 1, not choice 2").outcome == "ambiguous" and form.read("the second").value is None
    thought = PairedChoices(reasoned=True)
    assert thought.read("Choice 1 says little.\nChoice 2").value == "Choice 2"
    assert thought.read("Choice 1 says little because").value is None
    assert thought.read(thought.write(Answer("ok", "Tie"))).value == "Tie"


# --- inferences: units -----------------------------------------------------------------------------------------------


def test_probabilities_and_utilities_of_single_choices():
    at = inverse.posterior
    assert at("x/a").probability == approx(0.5) and at("x/a/b/c/d").probability == approx(0.2)
    assert at("dcbax").expected == approx(4) and at("x").largest == approx(0.2)
    assert at("x/a").expected == approx(4.6057, abs=1e-3) and at("ax/b").expected == approx(4.1193, abs=1e-3)
    assert at("ax/b").probability == approx(0.9069, abs=1e-3)
    assert at("x/a").likelihood == approx(0.8295, abs=1e-3)
    assert at("x/a/b/c/d").largest == approx(0.5511, abs=1e-3)


def test_forty_seven_choices_and_their_ties():
    values = inverse.theory_values(inferred.CHOICES, "absolute utility")
    assert len({inverse.canonical(code) for code in inferred.CHOICES}) == 47 and len(inferred.pairs()) == 1081
    assert (np.abs(values - 4) < 1e-6).sum() == 13
    assert inverse.tied([1, 2, 1.0004, 1.0008, 1.0014]).tolist() == [1, 2, 1, 1, 1.0014]
    for bad in ("", "x/", "xx/a", "x/e"):
        with pytest.raises(ValueError, match="choice"):
            inverse.parsed(bad)


def test_ranks_of_sums_and_cycles():
    assert midranks(np.array([1.0, 4, 5, 5])).tolist() == [1, 2, 3.5, 3.5]
    n = np.nan
    wins = np.array([[n, 0, 0.5], [1, n, 1], [0.5, 0, n]])
    made = inverse.ranked(np.stack([wins, wins]))
    assert made.ranks.tolist() == [1.5, 3, 1.5] and made.spread == 0 and made.triples == 0 and math.isnan(made.cyclic)
    nothing = inverse.ranked(np.full((1, 3, 3), n))
    assert np.isnan(nothing.ranks).all() and math.isnan(nothing.spread)


def test_theories_beside_the_published_order():
    made = {t: spearman(range(47), inverse.theory_values(inferred.CHOICES, t)) for t in inverse.THEORIES}
    assert made["absolute utility"] == approx(0.983, abs=0.004)
    assert made["relative utility"] == approx(0.981, abs=0.004)
    assert made["likelihood"] == approx(-0.511, abs=0.004) and made["marginal likelihood"] == approx(0.754, abs=0.004)


def test_another_spread_of_utilities_changes_little():
    few = inferred.CHOICES[::3]
    values = [[inverse.posterior(c, sd=sd, draws=20_000).expected for c in few] for sd in (math.sqrt(2), 2.0)]
    assert spearman(*map(inverse.tied, values)) > 0.98  # of all 47 with people: .983 and .981


def test_read_the_other_way_the_correlation_turns():
    """Chosen option last instead of first: absolute utility goes from .98 to about -.25."""
    turned = ["/".join(reversed(code.split("/"))) for code in inferred.CHOICES]
    assert spearman(range(47), inverse.theory_values(turned, "absolute utility")) == approx(-0.25, abs=0.03)


PAIRS = Options(part="inferences", choices=47)


@pytest.mark.parametrize("theory", ["absolute utility", "marginal likelihood"])
def test_ranking_by_a_theory_with_ties_gives_one(theory):
    options = Options(part="inferences", choices=16)
    codes = sorted({code for item in items(options) for code in (item.fields["first"], item.fields["second"])})
    values = dict(zip(codes, inverse.theory_values(codes, theory), strict=True))
    made = found(ranker(values), options)
    assert made[f"rank correlation with {theory}"] == approx(1) and made["unread pairs"] == 0
    reasoned = found(ranker(values), Options(part="inferences", choices=8, style="cot", negative=True))
    assert math.isnan(reasoned["rank correlation with people, CoT"])  # nobody's ranks are known of shocks


def test_one_in_ten_pairs_turned_still_ranks():
    made = found(ranker(inferred.own_order(), 0.1), PAIRS)
    assert made["rank correlation with people"] > 0.96 and made["cyclic triples"] < 0.15


def test_log_probabilities_rank_too():
    options = Options(part="inferences", choices=8, read="logprobs")
    assert found(ranker(inferred.own_order()), options)["rank correlation with people"] == approx(1)


def test_repeats_give_a_spread():
    codes = inferred.CHOICES[::6]
    steady = found(ranker(inferred.own_order()), Options(part="inferences", repeats=2), inferred.pairs(codes))
    assert steady["spread of ranks"] == 0 and steady["cyclic triples"] == 0
    coins = found(Respondent(), Options(part="inferences", repeats=3, negative=True), inferred.pairs(codes))
    assert coins["spread of ranks"] > 0.5


# --- options and nothing ---------------------------------------------------------------------------------------------


def test_options_are_checked():
    for wrong, message in (({"arms": "act,king"}, "arms is"), ({"choices": 2}, "choices is 2"), ({"arms": ""}, "arms")):
        with pytest.raises(ValueError, match=message):
            Options(**wrong)
    with pytest.raises(FileNotFoundError, match="no gambles at"):
        items(Options(set="nowhere.csv"))


def test_nothing_readable_gives_no_number():
    made = found(Respondent(format_errors=1.0), Options(gambles=12, choices=4))
    assert made["unread, act"] == 1 and made["unread pairs"] == 1
    assert all(math.isnan(e.value) for e in made.estimates if "model" in e.name or "rank correlation" in e.name)


def test_a_gambler_without_a_rate_says_so():
    run = doxa.run(study, choosing(["other"], {"": [1.0]}), items=example()[:1], null_seed=None, progress=False)
    assert "the gambler has no rate for" in next(iter(run["llm-rationality"].records())).error


# --- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("negative", [False, True])
def test_a_pair_is_shown_under_new_names(negative):
    item = inferred.pairs(("ax/b", "x/a"))[0]
    texts = set()
    for seed in range(12):
        shown, turned = inferred.as_asked(item, str(seed), negative=negative)
        assert turned == (shown.fields["choice_1"] == item.fields["second"])
        for *options, taken in shown.fields["shown"]:
            assert sorted(taken) in [sorted(o) for o in options] and len(options) == 2 and "X" in taken
        texts.add(PairedChoices(negative).prompt(shown).show())
    assert len(texts) == 12 and all(("shock" in text) is negative and "not possible" in text for text in texts)


def test_outcomes_are_told_in_random_order_and_machines_keep_their_letters():
    item = next(i for i in data.machines(50) if min(len(i.fields[s]) for s in "ab") > 1)
    told = {data.as_told(item, str(seed)).options for seed in range(20)}
    assert len(told) >= 4 and {frozenset(a.split(", ")) for a, _ in told} == {frozenset(item.options[0].split(", "))}


def test_a_diagonal_needs_a_point():
    spec = diagonal_chart([1, 2, math.nan], [1, 3, 1], list("abc"), axes=("x", "y")).spec
    assert json.dumps(spec, allow_nan=False).count('"of": "') == 3
    with pytest.raises(ValueError, match="none of the 1 points"):
        diagonal_chart([math.nan], [1.0], ["a"], axes=("x", "y"))
