"""Compounds: the truth of each role follows from the parts."""

from collections import Counter

import pytest

from doxa.data.compound import ROLES, compounds
from doxa.data.facts import facts


def _pairs(items):
    return [{item.fields["role"]: item for item in items[i : i + 6]} for i in range(0, len(items), 6)]


def test_truth_follows_from_the_parts():
    pairs = _pairs(compounds(40))
    for pair in pairs:
        truth = {role: item.fields["truth"] for role, item in pair.items()}
        assert tuple(pair) == ROLES and len({item.group for item in pair.values()}) == 1
        assert truth["not A"] == (not truth["A"]) and truth["not B"] == (not truth["B"])
        assert truth["A and B"] == (truth["A"] and truth["B"]) and truth["A or B"] == (truth["A"] or truth["B"])
        assert all(item.answer == str(item.fields["truth"]).lower() for item in pair.values())
    combinations = Counter((p["A"].fields["truth"], p["B"].fields["truth"]) for p in pairs)
    assert set(combinations.values()) == {10} and len(combinations) == 4


def test_wording():
    pair = _pairs(compounds(1, among=[f for f in facts() if f.id in ("capital-of/france", "symbol-of/gold")]))[0]
    parts = {"Paris is the capital of France", "the chemical symbol of gold is Au"}
    said = pair["A and B"].text.removeprefix("Both of the following are true: ").removesuffix(".")
    assert set(said.split(" and ")) == parts
    assert set(pair["A or B"].text.removeprefix("At least one of the following is true: ")[:-1].split(" or ")) == parts
    assert {pair["not A"].text, pair["not B"].text} == {
        "Paris is not the capital of France.",
        "The chemical symbol of gold is not Au.",
    }


def test_distinct_deterministic_and_of_different_facts():
    items = compounds(100, seed=5)
    assert len({item.id for item in items}) == 600 and items == compounds(100, seed=5) != compounds(100, seed=6)
    used = [fact for pair in _pairs(items) for fact in pair["A"].fields["facts"]]
    assert len(set(used)) == 200  # a fact comes once until all have been used


def test_more_pairs_than_facts_start_a_new_round():
    few = facts()[:4]
    pairs = _pairs(compounds(5, among=few))
    assert all(len(set(pair["A"].fields["facts"])) == 2 for pair in pairs)


def test_one_fact_is_not_enough():
    with pytest.raises(ValueError, match="joins two facts; `among` holds 1"):
        compounds(1, among=facts()[:1])
