"""Passes side by side: the same values as one after the other, each thread for itself, errors where they belong."""

import asyncio
import threading
import time
from itertools import chain

import numpy as np
import pytest
from pytest import approx
from tiny_networks import text

from doxa.models.local_batching import Batches
from doxa.models.local_lanes import SMALL_BYTES, Lanes, lanes
from doxa.records import Prompt, Sampling

torch = pytest.importorskip("torch")


def test_lanes_work_at_the_same_time_and_leave_the_threads_of_others_as_they_were():
    before, several, seen = torch.get_num_threads(), Lanes(3), []
    met = threading.Barrier(3, timeout=20)

    def work():
        met.wait()  # only if all three are here
        several.each(lambda: seen.append((threading.get_ident(), torch.is_inference_mode_enabled())))

    several.each(work)
    assert len({thread for thread, _ in seen}) == 3 and all(inference for _, inference in seen)
    assert torch.get_num_threads() == before and several.free == 3
    assert [torch.get_num_threads() for _ in range(3)] == [before] * 3
    several.close()


def test_what_a_lane_raises_is_raised():
    several, ended, turns = Lanes(2), [], iter([True, False])

    def work():
        if next(turns):
            raise ZeroDivisionError
        time.sleep(0.05)
        ended.append(True)

    with pytest.raises(ZeroDivisionError):
        several.each(work)
    assert ended, "the other lane had come to its end before that was raised"
    several.close()


def test_large_networks_and_other_devices_have_none(load, monkeypatch):
    network = load("llama")._network
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert lanes(network).count == 4
    monkeypatch.setattr(network, "steady", 100)
    assert lanes(network).count == 1
    monkeypatch.setattr(network, "steady", None)
    monkeypatch.setattr("doxa.models.local_lanes.SMALL_BYTES", sum(p.nbytes for p in network.model.parameters()) - 1)
    assert lanes(network).count == 1 and SMALL_BYTES > 0


class Unit:
    size, extra, wanted = 100, 0, True

    def __init__(self):
        self.found = self.error = None

    def put(self, result):
        self.found = result

    def fail(self, error):
        self.error = error


def test_units_are_divided_among_lanes_and_the_one_to_blame_fails_alone():
    units, threads = [Unit() for _ in range(40)], set()
    met = threading.Barrier(2, timeout=20)

    def compute(batch):
        if threading.get_ident() not in threads:
            threads.add(threading.get_ident())
            met.wait()
        if units[7] in batch:
            raise ValueError("this one")
        return [id(unit) for unit in batch]

    Batches(10_000, lanes=Lanes(2), divide=True).run(units, compute)
    assert len(threads) == 2
    assert isinstance(units[7].error, ValueError)
    assert all(unit.found == id(unit) and unit.error is None for unit in units if unit is not units[7])


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom"])
def test_values_are_those_of_one_lane(load, kind):
    one, several = load(kind), load(kind)
    one._lanes.count, several._lanes.count = 1, 3
    several._streams.budget = 400  # several streams, which go on from what they read side by side
    for tokens in (64, 128):
        several.sharing(tokens)
    few_shot = text(4, 90)
    prompts = [few_shot + text(i, 3 + i % 9) for i in range(30)] + [text(60 + i, 10 + 4 * i) for i in range(20)]

    async def asked(model):
        scores = [model.score(Prompt(text=p), ["yes", "no", "neither"]) for p in prompts]
        states = [model.hidden_states(Prompt(text=p), positions=(0, -1)) for p in prompts[::3]]
        hot = Sampling(n=3, temperature=1.3, max_tokens=5, top_logprobs=0)
        replies = [model.generate(Prompt(text=p), hot) for p in prompts[::2]]
        return await asyncio.gather(*scores), await asyncio.gather(*states), await asyncio.gather(*replies)

    want = asyncio.run(asked(one))
    for _ in range(3):
        scores, states, replies = asyncio.run(asked(several))
        several.forget()
        assert [s.logprob for s in chain(*scores)] == approx([s.logprob for s in chain(*want[0])], abs=1e-4)
        for found, other in zip(states, want[1], strict=True):
            np.testing.assert_allclose(found, other, atol=1e-4)
        for reply, other in zip(chain(*replies), chain(*want[2]), strict=True):
            assert reply.text == other.text
            assert [t.logprob for t in reply.tokens] == approx([t.logprob for t in other.tokens], abs=1e-4)
