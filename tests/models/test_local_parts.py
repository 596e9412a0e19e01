"""Attention to parts that rows share: the same as to everything of each row, and found out where it is not."""

import asyncio
from itertools import chain

import numpy as np
import pytest
from pytest import approx
from tiny_networks import text

from doxa.models import local_parts, local_trial
from doxa.models.local_parts import Groups, Part, Parts
from doxa.records import Prompt, Sampling

torch = pytest.importorskip("torch")
SHARED = text(4, 40)


def layers(rng, groups, tokens, heads=2, width=3):
    return [tuple(torch.tensor(rng.normal(size=(groups, heads, tokens, width))) for _ in "kv") for _ in range(2)]


@pytest.mark.parametrize(
    "group", [[0, 1, 2, 3], [0, 0, 0], [0, 0, 1, 1], [0, 1, 1, 2], [2, 0, 1], [1, 0, 1, 0, 1]], ids=str
)
def test_attention_to_parts_is_attention_to_all_of_each_row(group):
    rng = np.random.default_rng(len(group))
    count, b = max(group) + 1, len(group)
    hidden = np.arange(4) < np.arange(count)[:, None] % 3
    common, own, tail = layers(rng, 1, 5), layers(rng, count, 4), layers(rng, b, 2)
    parts = Parts([Part([0] * b, common), Part(group, own, hidden)], 9)
    index = np.arange(b)[::-1].copy()
    for rows in (np.arange(b), index, index[: max(b // 2, 1)]):  # all; in another order; some have left
        if len(rows) < b or rows[0]:
            parts = Parts([Part([0] * b, common), Part(group, own, hidden)], 9)
            parts.keep(rows)
        query = torch.tensor(rng.normal(size=(len(rows), 4, 1, 3)))
        for layer in range(2):
            found = parts.attended(layer, query, *(states[rows] for states in tail[layer]), 0.7)
            for at, row in enumerate(rows):
                seen = ~torch.tensor(hidden[group[row]])
                keys, values = (
                    torch.cat([common[layer][i][0], own[layer][i][group[row]][:, seen], tail[layer][i][row]], 1)
                    for i in range(2)
                )
                for head in range(4):  # two heads of queries to each of keys
                    weights = (0.7 * query[at, head] @ keys[head // 2].T).softmax(-1)
                    assert found[at, 0, head].numpy() == approx((weights @ values[head // 2])[0].numpy(), abs=1e-12)


def test_rows_are_brought_together_and_handed_out_in_any_order():
    values = torch.arange(5 * 2 * 1 * 3.0).view(5, 2, 1, 3)
    for group in ([0, 0, 0, 1, 1], [1, 0, 1, 0, 0], [0] * 5, list(range(5))):
        groups = Groups(group, torch.device("cpu"))
        assert torch.equal(groups.handed_out(groups.gathered(values), 2), values)


def test_parts_let_go_of_what_no_row_is_in():
    rng = np.random.default_rng(0)
    part = Part([0, 0, 1, 2], layers(rng, 3, 4))
    assert part.kept(np.array([0, 1, 3])).layers[0][0].shape[0] == 2
    kept = part.kept(np.array([1, 2, 3])).layers
    assert kept is part.layers, "nothing is copied while every group has a row"


@pytest.mark.parametrize(
    ("kind", "parted"),
    [
        ("llama", True),
        ("gpt2", True),
        ("opt", True),
        ("gemma", True),
        ("bloom", False),
        ("neo", False),
        ("mamba", False),
    ],
)
def test_replies_are_those_without_parts(load, kind, parted):
    model = load(kind)
    network = model._network
    assert network.parted == parted
    prompts = [SHARED + text(i, 3 + 2 * (i % 4)) for i in range(6)] + [text(9, 50), text(8, 45)]

    async def ask(prompts, sampling):
        return await asyncio.gather(*(model.generate(Prompt(text=prompt), sampling) for prompt in prompts))

    # Behind something in common; each by itself; many of each, which end at different times.
    greedy, hot = Sampling(max_tokens=6, top_logprobs=0), Sampling(n=5, temperature=1.5, max_tokens=20, top_logprobs=0)
    for asked, sampling in ((prompts[:6], greedy), (prompts, greedy), (prompts[:6], hot), (prompts[-1:], hot)):
        model.forget()
        found = asyncio.run(ask(asked, sampling))
        network.parted = False
        model.forget()
        usual = asyncio.run(ask(asked, sampling))
        network.parted = parted
        for one, other in zip(chain(*found), chain(*usual), strict=True):
            assert one.text == other.text
            assert [t.logprob for t in one.tokens] == approx([t.logprob for t in other.tokens], abs=1e-4)


def test_what_samples_go_on_from_is_kept_once(load, monkeypatch):
    from doxa.models import local_generation

    model, made = load("llama"), []

    def noted(parts, length):
        made.append([tuple(part.layers[0][0].shape[::2]) for part in parts])
        return Parts(parts, length)

    monkeypatch.setattr(local_generation, "Parts", noted)

    async def ask():
        hot = Sampling(n=4, temperature=1.0, max_tokens=2)
        return await asyncio.gather(*(model.generate(Prompt(text=SHARED + end), hot) for end in ("a", "bcd")))

    asyncio.run(ask())
    assert made == [[(1, len(SHARED)), (2, 3)]]


@pytest.mark.parametrize("fault", ["ignored", "scaled"])
def test_a_network_that_attends_in_its_own_way_is_found_out(load, monkeypatch, fault):
    network = load("llama")._network
    attended = local_parts.Parts.attended

    def faulty(self, layer, query, keys, values, scaling):
        if fault == "scaled":
            return attended(self, layer, query, keys, values, 3 * scaling)
        return torch.nn.functional.scaled_dot_product_attention(query, keys, values, enable_gqa=True).transpose(1, 2)

    assert local_trial.parts(network)
    monkeypatch.setattr(local_parts.Parts, "attended", faulty)
    assert not local_trial.parts(network)


def test_beyond_a_window_the_networks_own_masks_say_what_is_seen(load, monkeypatch):
    model = load("gemma")
    monkeypatch.setattr(local_parts.Parts, "attended", lambda *_: pytest.fail("attended to parts"))
    reply = asyncio.run(model.generate(Prompt(text=text(3, 66)), Sampling(max_tokens=8)))
    assert reply[0].output_tokens
