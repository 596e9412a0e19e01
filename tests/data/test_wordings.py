"""Other wordings of an item: its own list, the bank's, a sum's, or none."""

import pytest

from doxa.data.facts import facts
from doxa.data.generated import arithmetic
from doxa.data.mixture import facts_and_sums
from doxa.data.render import choice_item, open_item, paraphrases, statement_item
from doxa.data.wordings import wordings
from doxa.records import DoxaError, Item


def test_facts_have_the_banks_wordings_and_their_own_first():
    fact = facts()[3]
    for item in (choice_item(fact), open_item(fact, 1)):
        found = wordings(item)
        assert found[0] == item.text and len(found) == len(set(found)) == paraphrases(fact.relation)[0]
        assert all(fact.subject in text for text in found)
    assert wordings(statement_item(fact)) == (statement_item(fact).text,)


def test_sums_keep_their_numbers():
    (item,) = arithmetic(1, 4)
    found = wordings(item)
    assert len(found) == 5 and all(item.text.removeprefix("What is ").rstrip("?") in text for text in found)


@pytest.mark.parametrize("listed", ["Which one? | Say which.", ["Which one?", "Say which."]])
def test_a_listed_paraphrase_goes_before_all_others(listed):
    item = Item("1", "Which?", fields={"mine": listed, "fact": "x", "relation": "y"})
    assert wordings(item, "mine") == ("Which?", "Which one?", "Say which.")


def test_a_list_that_is_none_is_refused():
    with pytest.raises(DoxaError, match=r"item '1', 'paraphrases': 3 is no list of paraphrases"):
        wordings(Item("1", "Which?", fields={"paraphrases": 3}))


def test_the_mixture_alternates_and_repeats():
    items = facts_and_sums(101)
    assert [i.fields["set"] for i in items] == ["facts", "sums"] * 50 + ["facts"]
    assert items == facts_and_sums(101) and items != facts_and_sums(101, seed=1)
    assert max(i.popularity for i in items[::2]) > 0.9 and min(i.popularity for i in items[::2]) < 0.1
    assert len({i.fields["difficulty"] for i in items[1::2]}) == 4
    with pytest.raises(DoxaError, match="0 questions asked"):
        facts_and_sums(0)
