"""Paths grown into trees and cut into rows: every token where it belongs, nothing read twice that need not be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.models.local_prefixes import Prefixes
from doxa.models.local_tree import ROW_TOKENS, Path, Sizes, cut, grown

SIZES = Sizes(logits=1, past=0.125)


class Wish(Path):
    """A path that notes which tokens its positions were found at."""

    wanted = True

    def __init__(self, ids, positions, keep=0):
        super().__init__(ids, positions, keep)
        self.found = {}

    def put(self, slots, found):
        for slot, token in zip(slots, found, strict=True):
            assert slot not in self.found, "found twice"
            self.found[slot] = token

    def fail(self, error):
        raise error


def nothing():
    return Prefixes(0, 1).nothing


def seen(row, index):
    """Tokens of the row that a token sees, itself included, in order."""
    before = np.arange(index + 1)
    return row.ids[before if row.exits is None else before[row.exits[before] > index]]


def carry_out(rows):
    """Read all rows and those after them; check that every token sees its own text. Returns the tokens read."""
    count = 0
    waiting = [(row, np.empty(0, dtype=int)) for row in rows]
    while waiting:
        row, before = waiting.pop()
        count += row.size
        text_of = [np.concatenate([before, seen(row, i)]) for i in range(row.size)]
        assert all(len(text) == place + 1 for text, place in zip(text_of, row.places, strict=True))
        for take in row.takes:
            for slot, at in zip(take.slots, take.at, strict=True):
                position = take.path.positions[slot]
                assert (text_of[at] == take.path.ids[: position + 1]).all()
        row.put([row.ids[take.at].tolist() for take in row.takes])
        if row.after:
            whole = np.concatenate([before, row.ids])
            deeper = Prefixes(0, 1)
            base = deeper.add(deeper.nothing, whole, [])
            waiting += [(r, whole) for r in cut(base, row.after, row.sharing, SIZES)]
    return count


def planned(paths, sharing):
    rows = cut(nothing(), grown(paths, 0), sharing, SIZES)
    for row in rows:
        row.sharing = sharing
    return rows


tokens = st.lists(st.integers(0, 2), min_size=1, max_size=40)


@given(st.lists(st.tuples(tokens, st.data()), min_size=1, max_size=12), st.sampled_from(["tree", "chain", "none"]))
def test_every_path_finds_what_it_wants_behind_its_own_tokens(drawn, sharing):
    paths = []
    for ids, data in drawn:
        positions = data.draw(st.lists(st.integers(0, len(ids) - 1), min_size=1, max_size=5))
        paths.append(Wish(ids, positions))
    carry_out(planned(paths, sharing))
    for path in paths:
        assert path.found == dict(enumerate(path.ids[path.positions].tolist()))


def test_options_of_a_prompt_are_one_row():
    prompt = list(range(10, 40))
    paths = [Wish([*prompt, 50 + i, 60, 61], [29, 30, 31]) for i in range(4)]
    (row,) = planned(paths, "tree")
    # by hand: 30 tokens of the prompt, whose branches end with the row, and 4 branches of 3
    assert row.size == 30 + 4 * 3
    assert row.exits.tolist() == [42] * 30 + [33] * 3 + [36] * 3 + [39] * 3 + [42] * 3
    assert row.places.tolist() == [*range(30), *[30, 31, 32] * 4]
    assert carry_out([row]) == 42


def test_what_is_the_beginning_of_another_is_read_with_it():
    for sharing in ("tree", "chain", "none"):
        paths = [Wish(range(5), [4]), Wish(range(9), [8]), Wish(range(5), [0])]
        (row,) = planned(paths, sharing)
        assert row.exits is None and carry_out([row]) == 9
        assert [path.found for path in paths] == [{0: 4}, {0: 8}, {0: 0}]


@pytest.mark.parametrize(("sharing", "read"), [("tree", 600 + 80), ("chain", 600 + 80), ("none", 10 * 608)])
def test_a_long_beginning_is_read_once(sharing, read):
    """Ten branches of 8 tokens behind 600: more than a row holds."""
    paths = [Wish([*range(600), 1000 + i, *range(7)], [599, 607]) for i in range(10)]
    assert carry_out(planned(paths, sharing)) == read


def test_a_beginning_too_short_to_be_worth_it_is_read_again():
    paths = [Wish([1, 2, *range(10 * i + 10, 10 * i + 400)], [1]) for i in range(2)]
    rows = planned(paths, "tree")
    assert [row.size for row in rows] == [392, 392] and not any(row.after for row in rows)
    carry_out(rows)
    assert [path.found for path in paths] == [{0: 2}, {0: 2}]


def test_what_follows_a_long_beginning_is_read_side_by_side():
    prefixes = Prefixes(0, 1)
    base = prefixes.add(prefixes.nothing, np.arange(1000), [])
    paths = [Wish([*range(1000), 2000 + i, *range(63)], [1063]) for i in range(20)]
    rows = cut(base, grown(paths, 1000), "tree", SIZES)
    # by hand: 6 times 64 tokens are 384, so 20 are in rows of 6, 6, 6 and 2
    assert [row.size for row in rows] == [ROW_TOKENS, ROW_TOKENS, ROW_TOKENS, 128]
    assert rows[0].extra == 6 + 125
    assert [row.size for row in cut(base, grown(paths, 1000), "chain", SIZES)] == [64] * 20


def test_only_prompts_are_kept_and_only_where_enough_is_new():
    prompt = list(range(100, 140))
    options = [Wish([*prompt, i, i], [39, 40, 41], keep=40) for i in range(3)]
    (row,) = planned(options, "tree")
    assert [(row.nodes[i][0].start, count) for i, count in row.keeps] == [(0, 40)]
    prefixes = Prefixes(0, 1)
    base = prefixes.add(prefixes.nothing, np.array(prompt[:39]), [])
    (row,) = cut(base, grown(options, 39), "tree", SIZES)
    assert row.keeps == [], "one new token"
    options[0].whole = True
    (row,) = cut(base, grown(options, 39), "tree", SIZES)
    assert [count for _, count in row.keeps] == [1]
