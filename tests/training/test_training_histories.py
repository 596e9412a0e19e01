"""Learnt from histories: planted chances come back, names and markers tell as much as they should, and no more."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sklearn")
from doxa.data.planted_history import planted_pasts
from doxa.metrics import auroc, calibrators, ece
from doxa.metrics.judging import ece_of_judgement, self_advantage
from doxa.training import saved
from doxa.training.cases import Case
from doxa.training.histories import (
    ALL,
    FEW,
    OTHERS,
    OWN,
    READ,
    History,
    by_history,
    by_inputs,
    crossed,
    learn_words,
    predict_words,
    trained,
)
from doxa.training.supervised import Settings


def history(pasts, keep):
    chosen = [past for past, kept in zip(pasts, keep, strict=True) if kept]
    return History(
        tuple(Case(past.question, past.response, model=past.model) for past in chosen),
        tuple("" for _ in chosen),
        np.array([past.correct for past in chosen], dtype=float),
        np.array([past.group for past in chosen]),
    )


def split(pasts):
    train = np.array([past.part == "train" for past in pasts])
    test = np.array([past.part == "test" for past in pasts])
    return history(pasts, train), history(pasts, test), test


@pytest.fixture(scope="module")
def known():
    """6 models, 4,000 questions: what is learnt from, what is tested, chances and those without the marker."""
    pasts, chance, blind = planted_pasts(4000)
    past, asked, test = split(pasts)
    return past, asked, chance[test], blind[test]


def area(said, asked):
    return auroc(said, asked.correct)


def test_planted_chances_are_learnt_and_the_ladder_of_what_is_read_holds(known):
    """The published check: within .03 of the Bayes AUROC, ECE below .03; the marker gives at least half its share."""
    past, asked, chance, blind = known
    bayes, unseen = area(chance, asked), area(blind, asked)
    full = predict_words(learn_words(past, l2=(1e-5,)), asked)
    assert area(full, asked) > bayes - 0.03
    assert ece(full, asked.correct) < 0.03 and ece_of_judgement(full, asked.correct) < 0.03
    head = learn_words(past, "answerless", l2=(1e-5,))
    assert area(full, asked) - area(predict_words(head, asked, "answerless"), asked) > (bayes - unseen) / 2
    nameless = predict_words(learn_words(past, "no names", l2=(1e-5,)), asked, "no names")
    assert area(full, asked) - area(nameless, asked) > 0.02


def test_without_a_marker_the_response_tells_nothing():
    past, asked, _ = split(planted_pasts(2000, marker=0.0, seed=1)[0])
    by = [area(predict_words(learn_words(past, i, l2=(1e-5,)), asked, i), asked) for i in ("full", "answerless")]
    assert by[0] == pytest.approx(by[1], abs=0.02)


def test_among_equal_models_names_tell_nothing():
    past, asked, _ = split(planted_pasts(2000, (0.0,) * 6, topic_sd=0.0, seed=2)[0])
    by = [area(predict_words(learn_words(past, i, l2=(1e-5,)), asked, i), asked) for i in ("full", "no names")]
    assert by[0] == pytest.approx(by[1], abs=0.01)


def test_a_model_never_seen_is_ranked_as_well_and_its_level_is_missed():
    """Trained without names on skills -1 to 1 (mean 0), tested on .8: what is said is too low by .135."""
    past, asked, _ = split(planted_pasts(4000, (-1.0, -0.5, 0.0, 0.5, 1.0, 0.8), topic_sd=0.0, seed=3)[0])
    past = past.where(past.models != "model5")
    old = asked.where(asked.models != "model5")
    new = asked.where(asked.models == "model5")
    head = learn_words(past, "no names", l2=(1e-5,))
    found = predict_words(head, new, "no names")
    on_old = predict_words(head, old, "no names")
    each = [auroc(on_old[old.models == m], old.correct[old.models == m]) for m in set(old.models)]
    assert area(found, new) == pytest.approx(np.mean(each), abs=0.05)
    assert (found - new.correct).mean() == pytest.approx(-0.135, abs=0.04)
    calibrator = calibrators.fit(found[:200], new.correct[:200], "platt")
    after = calibrator.apply(found[200:])
    assert ece(found[200:], new.correct[200:]) > 0.09 > ece(after, new.correct[200:])
    assert abs((after - new.correct[200:]).mean()) < 0.1


def heads_that_judge_each_other(private, n=3000):
    """Two heads, each learnt on a resample of the target's history; a private token is seen by the target's own."""
    pasts, chance, _ = planted_pasts(n, (0.0, 0.5), marker=0.0, seed=5)
    rng = np.random.default_rng(60)
    signal = rng.choice([-1, 1], len(pasts))
    chance = 1 / (1 + np.exp(-np.log(chance / (1 - chance)) - private * signal))
    pasts = [replace(p, correct=bool(r)) for p, r in zip(pasts, rng.random(len(pasts)) < chance, strict=True)]
    seen = [replace(p, response=f"{p.response} sign{s + 1}") for p, s in zip(pasts, signal, strict=True)]
    cells, groups = {}, None
    for judge in ("model0", "model1"):
        for target in ("model0", "model1"):
            past, asked, _ = split([p for p in (seen if judge == target else pasts) if p.model == target])
            drawn = past.where(rng.integers(0, len(past), len(past)))
            cells[judge, target] = predict_words(learn_words(drawn, l2=(1e-4,)), asked), asked.correct
            groups = asked.groups
    return self_advantage(cells, ("model0", "model1"), groups, resamples=200)


def test_a_private_signal_gives_the_own_judge_an_advantage_and_nothing_else_does():
    """At 750 test questions the sd over resamples is .003, so that .01 is three of them."""
    assert abs(heads_that_judge_each_other(0.0).value) < 0.01
    found = heads_that_judge_each_other(1.0)
    assert found.low > 0 and found.value == pytest.approx(0.06, abs=0.03)


def test_histories_of_one_of_all_of_as_few_and_of_others(known):
    past, asked, *_ = known
    few = asked.where(np.arange(0, len(asked), 10))
    asked_of = []

    def learner(history, judged, inputs):
        asked_of.append((len(history), set(history.models), set(judged.models), inputs))
        return np.full(len(judged), 0.5)

    found = by_history(past, few.where(few.models == "model2"), learner)
    assert set(found) == {OWN, ALL, FEW, OTHERS}
    (every, own, as_few, others) = asked_of
    assert own[1] == {"model2"} and every[1] == set(past.models) and as_few[0] == own[0]
    assert "model2" not in others[1] and others[3] == "no names"


def test_too_little_to_learn_from_gives_nan():
    few, asked, _ = split(planted_pasts(30, (0.0,), seed=4)[0])
    none = few.where(few.correct == 1)
    assert all(np.isnan(said).all() for said in by_history(none, asked).values())
    assert by_inputs(none, asked) == {}


def test_the_answer_alone_is_read_where_nothing_else_is_to_be():
    case = Case("Who?", "It is surely Ann.", model="m")
    some = History((case,), ("Ann",), np.ones(1), np.array(["q"]))
    assert some.shown("answer only")[0].answer == "Ann" and some.shown("full")[0].answer == "It is surely Ann."
    assert "{answer}" not in READ["answerless"] and "{model}" not in READ["no names"]


def test_a_saved_head_says_the_same(known, tmp_path):
    import asyncio

    past, asked, *_ = known
    head = learn_words(past.where(np.arange(0, len(past), 8)), l2=(1e-4,))
    head.save(tmp_path / "kept")
    some = asked.where(np.arange(50))
    again = asyncio.run(saved.load(tmp_path / "kept").confidence(list(some.cases)))
    assert again == pytest.approx(predict_words(head, some))


# --- trained judges --------------------------------------------------------------------------------------------------


def rule(planted_cases, n, seed):
    """Cases of the tiny model's words, right where the colour is red or grey."""
    cases, _, labels = planted_cases(n, seed)
    named = tuple(replace(case, model="hf:tiny") for case in cases)
    return History(named, ("",) * n, labels, np.arange(n).astype(str))


def test_a_trained_judge_learns_a_rule_and_is_kept(model, planted, tmp_path):
    past, asked = rule(planted, 400, 0), rule(planted, 150, 1)
    how = Settings(rank=8, learning_rate=2e-2, epochs=3, batch=32)
    found = trained([model], past, asked, how, save=str(tmp_path / "judge"))
    assert set(found) == {"judge hf:tiny, all histories", "judge hf:tiny, own history"}
    said = found["judge hf:tiny, all histories"]
    assert area(said, asked) > 0.85
    again = saved.load(tmp_path / "judge", base=model)
    assert again.predict(list(asked.cases)) == pytest.approx(said, abs=1e-5)
    again.close()


def table_of(planted_cases, names, n=220):
    """Graded rows of models that answer alike, with a rule; the first fifth of the questions is tested."""
    cases, _, labels = planted_cases(n, 0)
    columns = [
        {"item": f"q{i}", "group": f"q{i}", "part": "test" if i < n // 5 else "train", "question": case.question,
         "text": case.answer, "answer": None, "answered_by": name, "correct": bool(right)}
        for name in names for i, (case, right) in enumerate(zip(cases, labels, strict=True))
    ]  # fmt: skip
    return pl.DataFrame(columns, schema_overrides={"answer": pl.String})


def test_judges_that_are_trained_alike_have_no_advantage(model, other, planted):
    matrix = crossed(
        [model, other], table_of(planted, ("hf:tiny", "hf:other")), Settings(rank=4, learning_rate=2e-2, epochs=2)
    )
    assert matrix.names == ("hf:tiny", "hf:other") and len(matrix.groups) == 44
    scores = matrix.scores(resamples=100)
    assert abs(scores["self advantage"].value) < 0.05
    assert matrix.lines("Crossed", "yes").rows[0][1] > 0.7  # the rule was learnt


def test_one_judge_or_one_without_a_history_is_not_crossed(model, other, planted):
    table = table_of(planted, ("hf:tiny",))
    assert crossed([model], table, Settings()) is None
    assert crossed([model, other], table, Settings()) is None
