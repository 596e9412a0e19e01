"""The fact bank: counts, order, splits, and facts checked by hand."""

import csv
from collections import Counter

import pytest

from doxa.data.facts import BLOCK, TABLES, by_id, by_relation, domain, facts, fold
from doxa.data.relations import RELATIONS

KNOWN = {  # worked out without the tables
    "capital-of/france": "Paris",
    "capital-of/australia": "Canberra",
    "capital-of/kazakhstan": "Astana",
    "capital-of/burkina-faso": "Ouagadougou",
    "continent-of/suriname": "South America",
    "continent-of/fiji": "Oceania",
    "currency-of/japan": "yen",
    "currency-of/hungary": "forint",
    "currency-of/croatia": "euro",
    "language-of/brazil": "Portuguese",
    "language-of/austria": "German",
    "symbol-of/tungsten": "W",
    "symbol-of/sodium": "Na",
    "number-of/uranium": "92",
    "number-of/tin": "50",
    "group-of/chlorine": "17",
    "group-of/iron": "8",
    "country-of/thessaloniki": "Greece",
    "country-of/cusco": "Peru",
    "state-capital/kentucky": "Frankfort",
    "planet-of/triton": "Neptune",
    "planet-of/puck": "Uranus",
    "river-on/zambezi-river": "Africa",
    "class-of/bat": "mammal",
    "class-of/scorpion": "arachnid",
    "author-of/moby-dick": "Herman Melville",
    "artist-of/guernica": "Pablo Picasso",
    "composer-of/planets": "Gustav Holst",
    "field-of/gregor-mendel": "biology",
    "landmark-in/petra": "Jordan",
    "year-of/battle-of-hastings": "1066",
    "spanish-word/butterfly": "mariposa",
    "french-word/tree": "arbre",
    "german-word/window": "Fenster",
    "opposite-of/concave": "convex",
    "past-of/teach": "taught",
    "family-of/saxophone": "woodwind",
}
ELEMENTS_BY_NUMBER = {1: "H", 2: "He", 6: "C", 26: "Fe", 47: "Ag", 74: "W", 80: "Hg", 92: "U", 118: "Og"}


def test_the_bank_has_its_size_and_every_id_once():
    assert 2200 <= len(facts()) <= 2800
    assert len(by_id()) == len(facts())
    assert all(fact.answer and fact.subject and fact.kind for fact in facts())


@pytest.mark.parametrize("fact, answer", KNOWN.items())
def test_facts_checked_by_hand(fact, answer):
    assert by_id()[fact].answer == answer


def test_elements_are_complete():
    numbers = {fact.subject: int(fact.answer) for fact in by_relation()["number-of"]}
    symbols = {numbers[fact.subject]: fact.answer for fact in by_relation()["symbol-of"]}
    assert sorted(symbols) == list(range(1, 119)) and len(set(symbols.values())) == 118
    assert {number: symbols[number] for number in ELEMENTS_BY_NUMBER} == ELEMENTS_BY_NUMBER


def test_a_group_of_the_periodic_table_holds_at_most_seven():
    sizes = Counter(fact.answer for fact in by_relation()["group-of"])
    assert set(sizes) == {str(i) for i in range(1, 19)} and max(sizes.values()) == 7


def test_relations_with_unique_and_with_few_answers_are_both_there():
    unique = {r for r, group in by_relation().items() if len(domain(r)) == len(group)}
    few = {r for r in by_relation() if len(domain(r)) < 10}
    assert {"capital-of", "symbol-of", "state-capital"} <= unique
    assert {"continent-of", "class-of", "planet-of", "family-of"} <= few
    assert min(len(domain(r)) for r in by_relation()) >= 4  # a choice of four needs four answers


def test_sources_name_every_table_and_its_figures():
    text = (TABLES / "SOURCES.md").read_text(encoding="utf-8")
    assert f"{len(facts()):,} facts in {len(RELATIONS)} relations" in text
    for relation in RELATIONS:
        assert f"{relation.name} ({len(by_relation()[relation.name])}, {len(domain(relation.name))})" in text
        assert f"| {relation.table} |" in text
    assert {path.stem for path in TABLES.glob("*.csv")} == {relation.table for relation in RELATIONS}


def test_rows_are_whole_and_tidy():
    for path in TABLES.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert all(len(row) == len(header) for row in rows), path.name
        assert all(part == part.strip() != "" for row in rows for cell in row if cell for part in cell.split("|"))
        assert len({fold(row[0]) for row in rows}) == len(rows), path.name


def test_popularity_is_a_rank_from_one_to_zero():
    popularity = [fact.popularity for fact in facts()]
    assert popularity[0] == 1 and popularity[-1] == 0
    assert popularity == sorted(set(popularity), reverse=True)


def test_every_stretch_of_popularity_holds_each_relation_in_its_share():
    half = facts()[: len(facts()) // 2]
    share = Counter(fact.relation for fact in half)
    for relation, group in by_relation().items():
        assert abs(share[relation] - len(group) / 2) <= 1, relation  # interleaved: off by one at most


def test_a_tenth_of_every_decile_is_held_back_and_a_twentieth_asked():
    decile = len(facts()) / 10
    for i in range(10):
        splits = Counter(f.split for f in facts()[round(i * decile) : round((i + 1) * decile)])
        total = sum(splits.values())
        # a decile cuts at most one block of twenty at either end: 2 never and 1 asked each
        assert abs(splits["never"] - total / 10) <= 4 and abs(splits["asked"] - total / 20) <= 2


def test_a_whole_block_is_split_two_one_seventeen():
    for start in range(0, len(facts()) - BLOCK, BLOCK):
        assert Counter(f.split for f in facts()[start : start + BLOCK]) == {"shown": 17, "never": 2, "asked": 1}


def test_every_relation_keeps_facts_to_learn_from():
    for relation, group in by_relation().items():
        assert sum(fact.split == "shown" for fact in group) > 0.7 * len(group), relation


def test_accepted_holds_spellings_without_diacritics_and_article():
    assert "tete" in by_id()["french-word/head"].accepted
    assert "United States" in by_id()["country-of/chicago"].accepted
    assert {"the yen", "Japanese yen"} <= set(by_id()["currency-of/japan"].accepted)
    assert "Brasília" in by_id()["capital-of/brazil"].accepted
    assert all(fact.answer not in fact.accepted for fact in facts())


def test_an_answer_to_avoid_is_not_accepted():
    for fact in facts():
        assert not {fold(a) for a in fact.avoid} & {fold(a) for a in (fact.answer, *fact.accepted)}, fact.id


def test_what_is_to_be_avoided_is_spelt_like_an_answer():
    """A misspelt `avoid` would protect nothing."""
    countries = {fold(fact.subject) for fact in facts() if fact.kind == "country"}
    for fact in facts():
        if fact.relation in ("country-of", "landmark-in"):
            assert {fold(a) for a in fact.avoid} <= countries, fact.id
        elif fact.kind != "country":  # whose `avoid` serves four relations at once
            assert {fold(a) for a in fact.avoid} <= {fold(a) for a in domain(fact.relation)}, fact.id


def test_an_unknown_relation_is_named():
    with pytest.raises(ValueError, match=r"no relation 'capital'.*capital-of"):
        domain("capital")
