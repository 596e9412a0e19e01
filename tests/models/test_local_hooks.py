"""The feed-forward part of the deepest block at the wanted positions alone: the same values, or it is not done."""

import numpy as np
import pytest

from doxa.models import local_trial
from doxa.models.local_hooks import feed_forward
from doxa.models.local_network import Block

torch = pytest.importorskip("torch")


def read(network, narrow, **wanted):
    rows = [np.arange(2, 22), np.arange(3, 15)]
    network.narrow = narrow
    with torch.inference_mode():
        found = network.read(Block(rows), **wanted)
    return [found.logits, *(found.states[layer] for layer in sorted(found.states))]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma", "neo"])
@pytest.mark.parametrize(
    "wanted",
    [
        {"logits_at": [[3, 19], [11]]},
        {"logits_at": [[19], []], "states_at": [[2, 19], [5]], "layers": [0, 1]},
        {"logits_at": [[], []], "states_at": [[2], [5, 6]], "layers": [1]},
        {"logits_at": [[], []], "states_at": [[2], [5, 6]], "layers": [0]},
        {"logits_at": [range(20), range(12)]},
    ],
    ids=["logits", "both", "last block", "first block", "everything"],
)
def test_values_are_those_of_whole_passes(load, kind, wanted):
    network = load(kind)._network
    assert network.narrow
    for one, other in zip(read(network, True, **wanted), read(network, False, **wanted), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_only_what_is_wanted_is_computed(load):
    network, seen = load("llama")._network, []
    for block in network.blocks:
        feed_forward(block).gate_proj.register_forward_hook(lambda _module, args, _out: seen.append(args[0].shape[:-1]))
    read(network, True, logits_at=[[3, 19], [11]])
    assert seen == [(2, 20), (1, 3)]
    seen.clear()
    read(network, True, logits_at=[[], []], states_at=[[2], []], layers=[0])
    assert seen == [(1, 1)]


def test_a_part_that_takes_more_than_the_states_is_left_as_it_is(load):
    assert not load("bloom")._network.narrow  # it adds what goes around it by itself


def test_a_part_that_mixes_positions_is_found_out(load):
    network = load("llama")._network
    assert local_trial.narrow(network)
    inner = feed_forward(network.blocks[-1])
    usual = inner.forward
    inner.forward = lambda hidden: usual(hidden) + hidden.mean(1, keepdim=True)
    assert not local_trial.narrow(network) and not network.narrow
