"""Heads on features: a direction planted in noise is found, nothing is found in nothing, groups stay together."""

import json
import math

import numpy as np
import pytest

from doxa.metrics import auroc
from doxa.probes.fitting import choose, fold_of, log_loss, probability, soft_logistic
from doxa.probes.heads import ARRAYS, SETTINGS, ConfidenceHead, NearestConfidence

D = 24
DIRECTION = np.zeros(D)
DIRECTION[3], DIRECTION[11] = 1.2, -1.6  # length 2
HEADS = [ConfidenceHead, NearestConfidence]


def planted(n, seed, *, strength=1.0):
    """Features (n, d) of noise in unequal units, the rates planted along the direction, and hard labels drawn."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, D))
    rate = 1 / (1 + np.exp(-strength * (x @ DIRECTION)))
    return 7 + x * np.geomspace(0.01, 100, D), rate, (rng.random(n) < rate).astype(float)


def test_a_direction_planted_in_noise_is_found():
    x, _, right = planted(800, 0)
    new, rate, drawn = planted(2000, 1)
    head = ConfidenceHead.fit(x, right)
    found = head.weight / np.linalg.norm(head.weight)
    assert found @ DIRECTION / 2 > 0.9
    assert auroc(head.predict(new), drawn) > auroc(rate, drawn) - 0.03
    assert auroc(NearestConfidence.fit(x, right).predict(new), drawn) > 0.7


@pytest.mark.parametrize("head", HEADS)
def test_nothing_is_found_where_nothing_is_planted(head):
    x, _, right = planted(600, 0, strength=0.0)
    new, _, drawn = planted(2000, 1, strength=0.0)
    error = math.sqrt(2001 / (12 * 1000 * 1000))  # of the AUROC of 1,000 against 1,000 items without relation: .013
    assert auroc(head.fit(x, right).predict(new), drawn) == pytest.approx(0.5, abs=3 * error)


def test_soft_labels_recover_rates_and_say_more_than_hard_ones():
    x, rate, right = planted(600, 0)
    shares = np.random.default_rng(5).binomial(30, rate) / 30
    new, true, _ = planted(1000, 1)
    soft, hard = (np.abs(ConfidenceHead.fit(x, y).predict(new) - true).mean() for y in (shares, right))
    assert soft < 0.03 and soft < hard  # 30 samples each: a standard error of .09 per item, .02 of the fit
    assert np.abs(NearestConfidence.fit(x, shares).predict(new) - true).mean() < 0.3


def test_a_soft_label_is_as_many_hard_ones():
    # 20 of 30 right, twice: the loss of 30 rows with hard labels has its minimum where that of the share has it
    x = np.array([[0.0], [1.0]])
    shares = np.array([20 / 30, 10 / 30])
    rows = np.repeat(x, 30, axis=0)
    hard = np.concatenate([np.arange(30) < 20, np.arange(30) < 10]).astype(float)
    one, many = (soft_logistic(a, b, 1e-6) for a, b in ((x, shares), (rows, hard)))
    assert one == pytest.approx(many, abs=1e-3)
    assert probability(x, one) == pytest.approx(shares, abs=1e-3)


@pytest.mark.parametrize("head", HEADS)
def test_what_is_stored_says_the_same(head, tmp_path):
    x, _, right = planted(200, 0)
    new, _, _ = planted(50, 1)
    made = head.fit(x, right)
    made.save(tmp_path / "head")
    again = head.load(tmp_path / "head")
    assert np.array_equal(again.predict(new), made.predict(new))
    assert sorted(p.name for p in (tmp_path / "head").iterdir()) == [SETTINGS, ARRAYS]
    assert again.settings["n"] == 200 and again.settings["loss"]
    other = HEADS[1 - HEADS.index(head)]
    with pytest.raises(ValueError, match=f"wanted is '{other.kind}'"):
        other.load(tmp_path / "head")
    with pytest.raises(ValueError, match="holds no head"):
        head.load(tmp_path)


def test_a_head_of_another_version_is_refused(tmp_path):
    x, _, right = planted(200, 0)
    ConfidenceHead.fit(x, right, l2=[0.1]).save(tmp_path)
    settings = json.loads((tmp_path / SETTINGS).read_text())
    (tmp_path / SETTINGS).write_text(json.dumps(settings | {"version": 99}))
    with pytest.raises(ValueError, match="version 99"):
        ConfidenceHead.load(tmp_path)


@pytest.mark.parametrize("head", HEADS)
def test_the_same_data_give_the_same_head(head):
    x, _, right = planted(150, 0)
    assert np.array_equal(head.fit(x, right).predict(x), head.fit(x, right).predict(x))


@pytest.mark.parametrize("head", HEADS)
def test_what_is_refused(head):
    x, _, right = planted(60, 0)
    with pytest.raises(ValueError, match="one class"):
        head.fit(x, np.ones(60))
    with pytest.raises(ValueError, match="one class"):
        head.fit(x, np.full(60, 0.25))
    with pytest.raises(ValueError, match="Percent"):
        head.fit(x, right * 100)
    with pytest.raises(ValueError, match="must pair up"):
        head.fit(x, right[:-1])
    with pytest.raises(ValueError, match=r"not \(n, d\)"):
        head.fit(x[:, 0], right)
    with pytest.raises(ValueError, match=r"features\[2\] holds nan"):
        head.fit(np.where(np.arange(60)[:, None] == 2, np.nan, x), right)
    with pytest.raises(ValueError, match="3 groups cannot stand in 5 folds"):
        head.fit(x, right, groups=np.arange(60) % 3)
    with pytest.raises(ValueError, match="features are 3 wide"):
        head.fit(x, right).predict(x[:, :3])


def test_features_that_do_not_vary_say_nothing():
    x, _, right = planted(200, 0)
    x[:, 5] = 4.0
    head = ConfidenceHead.fit(x, right)
    assert abs(head.weight[5]) < 1e-9 and np.isfinite(head.predict(x)).all()


def test_neighbours_by_hand_and_ties():
    x, y = np.array([[0.0], [1.0], [1.0], [5.0]]), np.array([1.0, 0.0, 0.5, 0.0])
    head = NearestConfidence.fit(x, y, k=[2], folds=2)
    assert head.predict([[0.0], [5.0]]).tolist() == [0.5, 0.0]  # 0 and the first at 1; 5 and the first at 1
    with pytest.raises(ValueError, match="neighbours for none"):
        NearestConfidence.fit(x, y, k=[40])


# --- groups ----------------------------------------------------------------------------------------------------------


def test_no_group_stands_in_two_folds():
    groups = np.random.default_rng(0).integers(0, 40, 500)
    fold = fold_of(groups, 5, seed=1)
    assert all(len(set(fold[groups == g])) == 1 for g in np.unique(groups))
    assert sorted(np.bincount([fold[groups == g][0] for g in np.unique(groups)])) == [8] * 5
    assert np.array_equal(fold, fold_of([f"g{g:02}" for g in groups], 5, seed=1))
    assert not np.array_equal(fold, fold_of(groups, 5, seed=2))


def test_what_tells_groups_apart_is_no_success_when_groups_are_held_out():
    # 60 groups of 8 items, a label by lot for each group, features that say which group it is and nothing else
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 8)
    label = np.repeat(rng.permutation(60) % 2, 8).astype(float)
    x = rng.normal(size=(60, 40))[groups] + 0.05 * rng.normal(size=(480, 40))
    for head in HEADS:
        apart, mixed = head.fit(x, label, groups=groups).chosen, head.fit(x, label).chosen
        assert apart is not None and mixed is not None
        assert auroc(mixed.held_out, label) > 0.9
        assert auroc(apart.held_out, label) < 0.5 + 3 * math.sqrt(61 / (12 * 30 * 30))  # 30 against 30 groups: .075


def test_the_penalty_of_least_held_out_loss_is_chosen():
    x, _, right = planted(120, 0)
    chosen = ConfidenceHead.fit(x, right).chosen
    assert chosen is not None and chosen.setting == min(chosen.loss, key=chosen.loss.get)
    assert log_loss(chosen.held_out, right) == pytest.approx(chosen.loss[chosen.setting])
    alone = ConfidenceHead.fit(x, right, l2=[0.5]).chosen
    assert alone is not None and (alone.setting, alone.loss) == (0.5, {}) and np.isnan(alone.held_out).all()
    with pytest.raises(ValueError, match="no setting to choose"):
        choose([], lambda fit, rest: {}, right, log_loss, None, folds=2, seed=0)
    with pytest.raises(ValueError, match="l2 is 0"):
        ConfidenceHead.fit(x, right, l2=[0])


def test_log_loss_by_hand():
    assert log_loss(np.array([0.5, 0.5]), np.array([1.0, 0.0])) == pytest.approx(math.log(2))
    assert log_loss(np.array([2 / 3]), np.array([2 / 3])) == pytest.approx(0.6365, abs=1e-4)
    assert log_loss(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0
    assert log_loss(np.array([0.0]), np.array([1.0])) == math.inf
