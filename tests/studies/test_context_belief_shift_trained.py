"""A tiny transformer with a planted threshold: it learnt to give up its side after k messages against it."""

import re

import numpy as np
import pytest
import torch
from torch import nn

import doxa
from doxa.models.base import Model
from doxa.records import LETTERS, Reply, Score
from doxa.studies.context_belief_shift import Options, study

WIDTH, LONGEST, ROUNDS = 16, 24, 6
NOTHING, AGAINST, OWN, ELSE = range(4)  # what a message is


class Network(nn.Module):
    """One layer of attention over messages, summed: does what was said against its side outweigh it?"""

    def __init__(self):
        super().__init__()
        self.messages = nn.Embedding(4, WIDTH, padding_idx=NOTHING)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.head = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))

    def forward(self, tokens):
        x = self.messages(tokens)
        mixed, _ = self.attention(x, x, x, need_weights=False)
        return self.head(torch.cat([mixed.mean(1), x.sum(1) / 4], -1))[:, 0]


def trained(k):
    """Practice on 4,000 conversations of up to 20 messages; k = 0: what is said against it changes nothing."""
    torch.manual_seed(0)
    rng, network = np.random.default_rng(0), Network()
    shown = np.zeros((4000, LONGEST), dtype=np.int64)
    for row, n in zip(shown, rng.integers(0, 21, len(shown)), strict=True):
        row[:n] = rng.choice([AGAINST, OWN, ELSE], n, p=[0.3, 0.4, 0.3])
    gives_up = torch.tensor((shown == AGAINST).sum(1) >= k if k else np.zeros(len(shown)), dtype=torch.float32)
    tokens = torch.from_numpy(shown)
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(400):
        batch = torch.from_numpy(rng.integers(0, len(shown), 128))
        loss = nn.functional.binary_cross_entropy_with_logits(network(tokens[batch]), gives_up[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


class Trained(Model):
    """Holds the first statement until its network gives it up; counts in the prompt as it is shown."""

    address, capabilities, stored = "tiny", frozenset({"generate", "score"}), False

    def __init__(self, network):
        self.network = network

    def _holds(self, prompt, item):
        claim = item.fields["statements"]["oppose"]
        kinds = [
            OWN if m.role == "assistant" else AGAINST if claim in m.content else ELSE for m in prompt.messages[:-1]
        ]
        tokens = torch.tensor([kinds + [NOTHING] * (LONGEST - len(kinds))])
        with torch.no_grad():
            return 1 - torch.sigmoid(self.network(tokens))[0].item()

    async def generate(self, prompt, sampling, context=None):
        return [Reply("I keep to my view.")] * sampling.n

    async def score(self, prompt, continuations, context=None):
        item = context.item
        shown = prompt.item.options if prompt.item and prompt.item.options else item.options
        support = item.fields["statements"]["support"]
        p = self._holds(prompt, item)
        said = dict(zip(LETTERS, (p if option == support else 1 - p for option in shown), strict=False))
        letters = [re.findall(rf"\b[{LETTERS[:2]}]\b", c) for c in continuations]
        chances = [said.get(found[-1], 0.5) if found else 0.5 for found in letters]
        return [Score(c, float(np.log(max(q, 1e-9)))) for c, q in zip(continuations, chances, strict=True)]


@pytest.mark.parametrize("k", [3, 5, 0])
def test_the_curve_steps_at_the_planted_threshold(k):
    options = Options(
        set="topics",
        topics=6,
        contexts="persuasion",
        rounds=",".join(map(str, range(1, ROUNDS + 1))),
        reading="letters",
    )
    run = doxa.run(study, Trained(trained(k)), options=options, null_seed=None, progress=False)
    rows = run["context-belief-shift"].rows()
    asked = rows.filter((rows["measure"] == "belief") & (rows["arm"] == "context"))
    assert set(rows.filter((rows["measure"] == "belief") & (rows["arm"] == "before"))["answer"]) == {"support"}
    for amount in range(1, ROUNDS + 1):
        at = asked.filter(asked["amount"] == amount)["answer"]
        assert len(at) and set(at) == {"oppose" if k and amount >= k else "support"}, amount
    control = rows.filter((rows["measure"] == "belief") & rows["arm"].is_in(["again", "noop", "filler"]))
    assert set(control["answer"]) == {"support"}
