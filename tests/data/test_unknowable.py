"""What nobody can know: distinct, disjoint between the splits, never about something real."""

from collections import Counter

import pytest

from doxa.data.facts import facts, fold
from doxa.data.unknowable import ADMISSION, SPLITS, made_up_names, unknowable

SORTS = ("fabricated", "future", "unspecified")


@pytest.mark.parametrize("split", SPLITS)
def test_three_sorts_in_equal_parts_all_distinct(split):
    items = unknowable(900, seed=1, split=split)
    assert Counter(item.fields["sort"] for item in items) == {sort: 300 for sort in SORTS}
    assert len({item.text for item in items}) == len({item.id for item in items}) == 900
    assert all(item.answer is None and item.kind == "open" and not item.options for item in items)
    assert {item.fields["split"] for item in items} == {split}


def test_the_splits_share_no_question_name_place_or_person():
    train, test = (unknowable(3000, seed=0, split=split) for split in SPLITS)
    assert not {item.text for item in train} & {item.text for item in test}
    assert not set(made_up_names("train")) & set(made_up_names("test"))
    for sort, before, after in (("future", " in ", " on "), ("unspecified", "my ", None)):
        named = [{_between(i.text, before, after) for i in part if i.fields["sort"] == sort} for part in (train, test)]
        assert named[0] and not named[0] & named[1]


def _between(text, before, after):
    rest = text.split(before, 1)[1]
    return rest.split(" at ")[0].split(after)[0].split(" have")[0] if after else rest.split()[0].strip("?")


def test_no_made_up_name_is_real():
    real = {fold(text) for fact in facts() for text in (fact.subject, fact.answer, *fact.accepted)}
    names = [name for split in SPLITS for name in made_up_names(split)]
    assert len(names) == len(set(names)) > 2000
    assert not {fold(name) for name in names} & real


def test_the_choice_form_asks_the_same_and_the_admission_is_right():
    opened, choices = unknowable(60, seed=2), unknowable(60, seed=2, form="choice")
    assert [item.text for item in opened] == [item.text for item in choices]
    assert [item.group for item in opened] == [item.group for item in choices]
    for item in choices:
        assert item.kind == "choice" and item.answer == ADMISSION
        assert len(set(item.options)) == len(item.options) and 3 <= len(item.options) <= 5
    places = Counter(i.options.index(ADMISSION) for i in unknowable(900, form="choice") if len(i.options) == 5)
    assert min(places.values()) > 0.12 * places.total()  # a fifth each


def test_same_seed_same_items_longer_lists_go_on_and_seeds_differ():
    assert unknowable(90, seed=4) == unknowable(90, seed=4)
    assert unknowable(90, seed=4) == unknowable(120, seed=4)[:90]
    assert unknowable(90, seed=4) != unknowable(90, seed=5)


def test_the_admission_can_be_worded():
    item = unknowable(1, form="choice", admission="Nobody can know")[0]
    assert item.answer == "Nobody can know" and "Nobody can know" in item.options


def test_impossible_requests_say_what_there_is():
    with pytest.raises(ValueError, match="ask for at most"):
        unknowable(10**5)
    with pytest.raises(ValueError, match="split is 'dev'"):
        unknowable(1, split="dev")
    with pytest.raises(ValueError, match="form is 'number'"):
        unknowable(1, form="number")
    with pytest.raises(ValueError, match="n_options is 0"):
        unknowable(1, form="choice", n_options=0)
