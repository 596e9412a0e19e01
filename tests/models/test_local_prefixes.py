"""What is kept: found again, shared, split, filled into batches, held, and dropped in the order of its last use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.models.local_cache import SPARE, cache_of
from doxa.models.local_prefixes import Prefixes

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

LAYERS, HEADS, WIDTH = 2, 2, 3
TOKEN_BYTES = LAYERS * 2 * HEADS * WIDTH * 4


def layers_of(ids, begin=0):
    """Keys and values of `ids[begin:]` that depend on layer, position and all tokens so far, as a network's do."""
    hashes = [hash(tuple(ids[: i + 1])) % 9973 for i in range(begin, len(ids))]
    one = (
        torch.tensor(hashes, dtype=torch.float32)[None, :, None]
        + torch.arange(HEADS * WIDTH).view(HEADS, 1, WIDTH) / 10
    )
    return [(one + 10_000 * layer, -one - 10_000 * layer) for layer in range(LAYERS)]


def kept(prefixes, ids, base=None):
    base = base or prefixes.nothing
    return prefixes.add(base, np.array(ids[base.length :]), layers_of(ids, base.length))


def assert_holds(prefixes, prefix, ids):
    assert prefix.length == len(ids)
    past = prefixes.past([prefix], room=0)
    for (keys, values), (want_keys, want_values) in zip(past, layers_of(ids), strict=True):
        assert torch.equal(keys[0], want_keys) and torch.equal(values[0], want_values)


texts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=15)


@given(texts, st.lists(st.integers(0, 2), min_size=1, max_size=12))
def test_the_longest_kept_beginning_is_found_with_its_own_keys(added, asked):
    prefixes = Prefixes(2**30, 1)
    handles = []
    for ids in added:
        base = prefixes.find(np.array(ids), len(ids) - 1, least=1)
        handles.append((kept(prefixes, ids, base), ids))
    common = max(
        next((i for i, (a, b) in enumerate(zip(t, asked, strict=False)) if a != b), min(len(t), len(asked)))
        for t in added
    )
    found = prefixes.find(np.array(asked), len(asked), least=1)
    assert found.length == common
    if common:
        assert_holds(prefixes, found, asked[:common])
    for handle, ids in handles:  # what was split since is whole still
        assert_holds(prefixes, handle, ids)
    nodes = {tuple(t[: i + 1]) for t in added for i in range(len(t))}
    assert prefixes.bytes == len(nodes) * TOKEN_BYTES, "each beginning once"


def test_short_agreements_are_not_worth_parting_from_the_others():
    prefixes = Prefixes(2**30, 1)
    kept(prefixes, list(range(100)))
    alike = np.array([*range(60), 7, 7, 7])
    assert prefixes.find(alike, 63).length == 60
    assert prefixes.find(alike, 40).length == 40, "no more than asked for"
    assert prefixes.find(np.arange(15), 15).length == 0
    kept(prefixes, [*range(60), *range(200, 240)])
    assert prefixes.find(np.array([*range(60), 200, 201, 7]), 63).length == 60, "two tokens more are not enough"
    assert prefixes.find(np.array([*range(60), *range(200, 220), 7]), 81).length == 80


def test_what_was_used_last_stays():
    prefixes = Prefixes(30 * TOKEN_BYTES, 1)
    for first in (100, 200, 300):
        kept(prefixes, list(range(first, first + 10)))
    prefixes.find(np.arange(100, 110), 10, least=1)
    kept(prefixes, list(range(400, 410)))
    prefixes.shrink()
    lengths = [prefixes.find(np.arange(f, f + 10), 10, least=1).length for f in (100, 200, 300, 400)]
    assert lengths == [10, 0, 10, 10] and prefixes.bytes == 30 * TOKEN_BYTES
    assert prefixes.token_bytes == TOKEN_BYTES


def test_what_is_held_stays_whatever_the_budget_and_so_does_what_it_rests_on():
    prefixes = Prefixes(0, 1)
    base = kept(prefixes, list(range(10)))
    held = kept(prefixes, list(range(20)), base)
    kept(prefixes, [*range(10), *range(50, 60)], base)
    prefixes.pin(held)
    prefixes.shrink()
    assert prefixes.bytes == 20 * TOKEN_BYTES
    assert_holds(prefixes, held, list(range(20)))
    prefixes.let_go(held)
    prefixes.clear()
    assert prefixes.bytes == 0 and prefixes.find(np.arange(20), 20).length == 0


def test_a_batch_is_filled_on_the_left_with_room_on_the_right():
    prefixes = Prefixes(2**30, 1)
    long, short = list(range(8)), [*range(3), 50]
    handles = [kept(prefixes, long), kept(prefixes, short), prefixes.nothing, kept(prefixes, long)]
    for (keys, values), want_long, want_short in zip(
        prefixes.past(handles, room=5), layers_of(long), layers_of(short), strict=True
    ):
        assert keys.shape == values.shape == (4, HEADS, 8 + 5, WIDTH)
        assert torch.equal(keys[0, :, :8], want_long[0]) and torch.equal(values[3, :, :8], want_long[1])
        assert torch.equal(keys[1, :, 4:8], want_short[0])
        assert not keys[1, :, :4].any() and not values[2, :, :8].any()


def test_a_cache_goes_on_from_what_is_kept_and_grows():
    prefixes = Prefixes(2**30, 1)
    ids = list(range(200))
    cache = cache_of(prefixes.past([kept(prefixes, ids[:10])] * 2, room=3), 10)
    for end in (11, 13, 14, 14 + SPARE + 9, 200):  # within the room, to its end, beyond it, beyond what is spare
        begin = cache.get_seq_length()
        for layer, (keys, values) in enumerate(layers_of(ids[:end], begin)):
            found = cache.update(keys.expand(2, -1, -1, -1), values.expand(2, -1, -1, -1), layer)
            for one, want in zip(found, layers_of(ids[:end])[layer], strict=True):
                assert torch.equal(one[0], want) and torch.equal(one[1], want)
    cache.reorder_cache(torch.tensor([1]))
    keys, _ = cache.update(*(t[None] for t in layers_of([*ids, 7], 200)[0]), 0)
    assert keys.shape == (1, HEADS, 201, WIDTH) and torch.equal(keys[0], layers_of([*ids, 7])[0][0])
