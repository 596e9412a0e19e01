"""Survey responses: known answers of the specification, planted respondents, wordings, forms, the bank."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

import doxa
from doxa.data.household_questions import QUESTIONS, household_items
from doxa.data.populations import made_up_population
from doxa.elicit.labelled_orders import is_asked
from doxa.models.simulated import Always, Respondent
from doxa.models.simulated_labels import Following, Labelled
from doxa.records import Item
from doxa.studies.survey_responses import (
    LIKE,
    SHARES,
    Options,
    example,
    forms_only,
    items,
    needs,
    score,
    small,
    study,
)

respondent, weighing = LIKE.respondent, LIKE.weighing

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "survey-responses"
PUBLISHED = pytest.mark.skipif(not DATA.is_dir(), reason="the published questions are not here")
QUIET = Options(randomised=0)
ADJUSTED, NAIVE = "normalised entropy, adjusted", "normalised entropy, naive"


def run(model, options=QUIET, asked=None):
    return doxa.run(study, model, options=options, items=asked, null_seed=None, progress=False)["survey-responses"]


def found(model, options=QUIET, asked=None):
    return run(model, options, asked).findings


def preferring(content, **added):
    """Logits of options as they stand, the same for every question."""
    return Respondent(decide=Labelled(Following({"q": np.exp(content).tolist()}), **added))


def choice(c):
    return [Item("q", "Which?", "choice", tuple("pqrstuvwx"[:c]), fields={"key": "q"})]


def test_content_alone_is_found_as_it_is():
    made = found(preferring(np.log([0.6, 0.3, 0.1])), asked=choice(3))
    held = -sum(p * math.log2(p) for p in (0.6, 0.3, 0.1)) / math.log2(3)
    assert made[ADJUSTED] == approx(made[NAIVE]) == approx(held)
    assert made["A-bias"] == approx(0) and made["A-bias, nats"] == approx(0)


def test_a_label_alone_is_averaged_out():
    made = found(preferring([0.0, 0.0], label={"A": 2.0}), asked=choice(2))
    assert made["A-bias"] == approx(0.3808, abs=5e-5) and made["A-bias, nats"] == approx(2)
    assert made[ADJUSTED] == approx(1) and made[NAIVE] == approx(0.527, abs=5e-4)


def test_averaging_probabilities_does_not_give_the_content_back():
    part = run(preferring(np.log([0.6, 0.3, 0.1]), label={"A": 2.0}), asked=choice(3))
    rows = part.rows()
    q = np.zeros(3)
    for order, p in rows.filter(rows["arm"] == "orders").select("order", "p").iter_rows():
        for place, option in enumerate(order):
            q[option] += p[place] / 6
    assert q == approx([0.496, 0.335, 0.169], abs=5e-4)
    assert part.findings["A-bias"] == approx(0.709 - 1 / 3, abs=5e-4)
    held = -sum(p * math.log2(p) for p in q) / math.log2(3)
    assert part.findings[ADJUSTED] == approx(held)


@pytest.mark.parametrize(
    ("content", "mixed", "right"), [((0.8, 0.1, 0.1), 0.896, 0.582), ((0.9, *[0.025] * 4), 0.949, 0.288)]
)
def test_gathering_evens_out_and_scattering_does_not(content, mixed, right):
    asked, model = choice(len(content)), preferring(np.log(content))
    every = Options(randomised=0, permutations=120)
    assert found(model, every, asked)[ADJUSTED] == approx(right, abs=5e-4)
    published = found(model, Options(randomised=0, permutations=120, variant="published"), asked)
    assert published[ADJUSTED] == approx(mixed, abs=5e-4) and "gathering" in published.notes[0]
    two = [
        found(preferring([2.0, 0.0]), Options(randomised=0, variant=v), choice(2)) for v in ("corrected", "published")
    ]
    assert two[0][ADJUSTED] == approx(two[1][ADJUSTED])


def test_always_the_first_label():
    made = found(Respondent(decide=Always("A")), asked=choice(4))
    assert made["A-bias"] == approx(0.75) and made[ADJUSTED] == approx(1) and made[NAIVE] == 0
    assert math.isnan(made["A-bias, nats"])
    assert found(Respondent(decide=Always("B")), asked=choice(4))["A-bias"] == approx(-0.25)


def test_who_follows_the_population_is_close_to_it_and_who_is_even_is_not():
    made = found(weighing(1.0))
    assert made["closer to the reference than to uniform"] == 1
    assert made["KL to the reference, adjusted"] == approx(0, abs=1e-9)
    even = found(weighing(0.0))
    assert even["closer to the reference than to uniform"] == 0 and even["KL to uniform, adjusted"] == approx(0)
    # Even answers are the closer to a subgroup, the more even that is.
    assert even["correlation of KL and subgroup entropy, adjusted"] < -0.7
    assert even["slope of KL on subgroup entropy, naive"] == approx(even["slope of KL on subgroup entropy, adjusted"])


def test_sampled_orders_say_how_far_off_they_may_be():
    c = 7
    shares = np.exp(np.linspace(0, 3, c)).tolist()
    model = Respondent(decide=Labelled(Following({"q": shares}), label={"A": 1.0, "C": 2.0}))
    content, every = np.log(shares), []
    for order in itertools.permutations(range(c)):
        weights = np.exp(content[list(order)] + np.eye(c)[0] + 2 * np.eye(c)[2])
        every.append((weights / weights.sum())[[order.index(o) for o in range(c)]])
    exact = np.mean(every, axis=0)
    for sampled in ("balanced", "random"):
        part = run(model, Options(randomised=0, permutations=210, sampled=sampled), choice(c))
        rows = part.rows()
        rows = rows.filter(rows["arm"] == "orders")
        q = np.zeros(c)
        for order, p in rows.select("order", "p").iter_rows():
            q[list(order)] += np.array(p) / len(rows)
        error = part.findings["largest Monte Carlo error"]
        assert 0 < error < 0.02 and np.abs(q - exact).max() < 4 * error
    assert found(weighing(1.0), QUIET, small(QUIET)[:1])["largest Monte Carlo error"] == 0


def test_randomised_prompts_tell_a_letter_from_a_place():
    options = Options(randomised=400)
    letter, place = (found(respondent(**{which: 4.0}), options, small(options)) for which in ("label", "place"))
    for one, other, made in (("letter", "order", letter), ("order", "letter", place)):
        assert made[f"questions with {one} bias"] > 0.8 and made[f"questions with {other} bias"] < 0.4
    none = found(respondent(), options, small(options))
    assert none["questions with letter bias"] < 0.4 and none["questions with order bias"] < 0.4


def test_label_sets():
    labels = "RSNLOTMPWUYV"
    model = respondent(label=0.0)
    assert found(model, Options(randomised=50, labels=labels))["A-bias, nats"] == approx(0)
    biased = Respondent(decide=Labelled(Following({"q": [1.0, 1.0]}), label={"R": 2.0}))
    made = found(biased, Options(randomised=2000, labels=labels), choice(2))
    assert made["A-bias"] == approx(0.3808, abs=5e-5)
    # 4 prompts in random shares; the probability of each is exact
    assert made["letter A bias, places random"] == approx(0.3808, abs=5e-5)
    with pytest.raises(ValueError, match="different letters"):
        Options(labels="AAB")


def test_wordings_are_compared():
    options = Options(randomised=0, wordings="all", permutations=2)
    table = found(respondent(label=1.0), options, household_items()[3:5]).table("By wording")
    assert len(table.rows) == 10 and all(row[1] == 2 for row in table.rows)
    assert len({round(row[2], 9) for row in table.rows}) == 1
    with pytest.raises(ValueError, match="wordings is 'loud'"):
        Options(wordings="loud")


def test_five_likeliest_tokens_of_nine():
    options = Options(randomised=0, reading="top")
    assert needs(options) == {"generate", "logprobs"} and needs(QUIET) == {"score"}
    made = found(weighing(0.0), options, [household_items()[-1]])
    assert made["label mass"] == approx(5 / 9, abs=1e-3) and made[ADJUSTED] == approx(1, abs=1e-3)


def test_little_mass_on_labels_is_said():
    made = found(respondent(format_errors=0.8))
    assert made["label mass"] == approx(0.2) and any("on labels" in note for note in made.notes)
    none = found(respondent(format_errors=1.0))
    assert none["label mass"] == 0 and math.isnan(none["A-bias"]) and set(none.estimates[0].outcomes) == {"unparsed"}


def test_forms_obey_their_skips():
    options = Options(forms=60, randomised=0, splits=2)
    part = run(weighing(1.0), options, forms_only(options))
    asked_if = {q.key: {k: list(after) for k, after in q.asked_if} for q in QUESTIONS}
    skipped = 0
    for (_,), form in part.rows().sort("sample").group_by("item"):
        given = {row["key"]: row["order"][row["picked"]] for row in form.to_dicts()}
        assert all((key in given) == is_asked(when, given) for key, when in asked_if.items())
        skipped += len(QUESTIONS) - len(given)
    assert skipped > 60
    made = part.findings["discriminator accuracy"]
    assert 0.3 < made < 0.95  # people of one kind each against people of no kind, 24 of them tested twice
    assert part.findings["discriminator majority rate"] == 0.5


def test_a_form_keeps_its_answers_in_view():
    seen = []

    def noted(item, context, prompt):
        seen.append(prompt.show())
        return Labelled(Following(SHARES))(item, context, prompt)

    run(Respondent(decide=noted), Options(forms=1, kept=2), forms_only(Options(forms=1)))
    assert [text.count("Question:") for text in seen[:4]] == [1, 2, 3, 3]
    assert all(text.count("Answer:") == text.count("Question:") and text.endswith("Answer:") for text in seen)


def test_facts_of_the_bank():
    options = Options(set="bank", questions=20, wordings="letter", randomised=0)
    made = found("simulated:oracle", options)
    assert made["P(right), adjusted"] == 1 and "closer to the reference than to uniform" not in made
    assert "discriminator accuracy" not in made


def test_the_null_prefers_nothing():
    part = run(respondent(label=3.0), Options(randomised=60))
    shuffled = score(study.shuffled(part.rows(), 1), Options(randomised=60))
    assert abs(shuffled["A-bias"]) < 0.1 < part.findings["A-bias"]
    assert shuffled["label mass"] == part.findings["label mass"]


def test_the_example_runs_and_no_rows_give_no_number():
    assert found(weighing(1.0), Options(randomised=5), example()).estimates
    part = run(weighing(1.0), QUIET, example())
    empty = score(part.rows().clear(), QUIET)
    assert all(math.isnan(e.value) for e in empty.estimates)


def test_a_yardstick_tells_each_district_from_the_rest():
    options = Options(randomised=0, yardstick=True, splits=1, permutations=1)
    table = found(weighing(1.0), options, household_items()[3:4]).table("Subgroups told from the rest")
    assert len(table.rows) == 8 and all(0.4 < row[1] < 1 for row in table.rows)


@PUBLISHED
def test_the_published_questions():
    options = Options(set=str(DATA / "acs2019_questions.json"), randomised=0)
    asked = items(options)
    by_key = {item.fields["key"]: item for item in asked}
    sizes = [len(item.options) for item in asked]
    assert sizes == [2, 7, 2, 6, 2, 5, 3, 5, 2, 4, 2, 2, 2, 5, 2, 2, 4, 2, 6, 12, 3, 5, 6, 9, 5]
    assert by_key["MIL"].fields["codes"] == [4, 3, 1, 2] and by_key["ENG"].fields["asked_if"] == {"LANX": [0]}
    others = {"acs2019_second_person_questions.json": 25, "anes2016_questions.json": 12}
    assert {name: len(items(Options(set=str(DATA / name)))) for name in others} == others
    anes = {item.fields["key"]: item for item in items(Options(set=str(DATA / "anes2016_questions.json")))}
    assert anes["voted_2016_candidate"].fields["asked_if"] == {"voted_2016": [0]}
    assert {item.fields["survey"] for item in anes.values()} == {"the American National Election Study"}
    assert {item.fields["survey"] for item in asked} == {"the American Community Survey"}
    population = made_up_population(asked)
    made = found(Respondent(decide=Labelled(Following(population.shares))), options, asked)
    assert made["A-bias, nats"] == approx(0, abs=1e-9) and "closer to the reference than to uniform" not in made


@PUBLISHED
def test_following_a_reference_of_the_published_questions(tmp_path):
    path = DATA / "acs2019_questions.json"
    shares = made_up_population(items(Options(set=str(path)))).shares
    lines = ["key,code,share"]
    for question in json.loads(path.read_text()):
        codes = [option["code"] for option in question["options"]]
        lines += [f"{question['key']},{code},{p}" for code, p in zip(codes, shares[question["key"]], strict=True)]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    options = Options(set=str(path), reference=str(tmp_path / "people.csv"), randomised=0)
    made = found(Respondent(decide=Labelled(Following(shares))), options)
    assert made["closer to the reference than to uniform"] == 1
    assert made["KL to the reference, adjusted"] == approx(0, abs=1e-9)
