"""A tiny transformer with a planted gap: it learnt from texts who can see what, and what they do from wrong labels."""

import numpy as np
import torch
from pytest import approx
from torch import nn

import doxa
from doxa.data.stories import Story, question, story_item
from doxa.elicit.stories import StoryChoice
from doxa.models.base import Model
from doxa.records import LETTERS, Reply, Score
from doxa.studies.simpletom import Options, study

KNOWER, WORDS, WIDTH = 0.35, 512, 32  # share of hidden stories labelled as if X knew; sizes
NAMES, THINGS, FLAWS = ("Ann", "Bob", "Cem", "Dora"), ("jar", "bag", "tin", "box", "can"), ("mould", "sand", "rust")


def made(i):
    name, thing, flaw = (pool[i // k % len(pool)] for pool, k in ((NAMES, 1), (THINGS, 4), (FLAWS, 20)))
    key, sentence = f"There is {flaw} in the {thing}.", f"{name} carries the {thing} to the till."
    ask, seen = f"What will {name} likely do?", f"The {thing} is of clear glass."
    return Story(f"t{i}", 2, "made", name, key, sentence, ask, "pay", "complain", seen)


class Network(nn.Module):
    """Words, one layer of attention, and two heads: does X know, and does X act as one who knows?"""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.heads = nn.Linear(2 * WIDTH, 2)

    def forward(self, tokens):
        x = self.words(tokens)
        mixed, _ = self.attention(x, x, x, need_weights=False)
        return self.heads(torch.cat([mixed.mean(1), x.amax(1)], -1))


def tokens(text, length=24):
    """The words of the story as it is shown."""
    words = text.split("Story:\n")[1].split("\n")[0].lower().replace(".", "").split()
    known = [1 + sum(ord(c) * 31**k for k, c in enumerate(w)) % (WORDS - 1) for w in words][:length]
    return known + [0] * (length - len(known))


class Trained(Model):
    address, capabilities, stored = "tiny", frozenset({"generate", "score"}), False

    def __init__(self, network):
        self.network = network

    def _probabilities(self, prompt):
        item = prompt.item
        with torch.no_grad():
            logits = self.network(torch.tensor([tokens(prompt.show())]))[0]
        knows, acts = torch.sigmoid(logits).tolist()
        p = knows if item.fields["asked"].startswith("aware") else acts
        knower = {"Yes": p, "No": 1 - p, "complain": p, "pay": 1 - p}
        if "Reasonable" in item.options:
            did = item.text.split('"')[1]
            knower = {"Reasonable": knower[did], "Not reasonable": 1 - knower[did]}
        return [knower[option] for option in item.options]

    async def generate(self, prompt, sampling, context=None):
        p = self._probabilities(prompt)
        return [Reply(f"({LETTERS[int(np.argmax(p))]})")] * sampling.n

    async def score(self, prompt, continuations, context=None):
        p = self._probabilities(prompt)
        return [Score(c, float(np.log(max(q, 1e-12)))) for c, q in zip(continuations, p, strict=True)]


def trained(share):
    """The network after practice on 600 stories and their twins, and the share of wrong labels that it saw."""
    torch.manual_seed(0)
    rng, network = np.random.default_rng(0), Network()
    cases = [(s, world) for s in map(made, range(600)) for world in ("hidden", "known")]
    shown = torch.tensor([tokens(StoryChoice().prompt(question(s, "aware", w)).show()) for s, w in cases])
    labels = [(w == "known", w == "known" or rng.random() < share) for _, w in cases]
    target = torch.tensor(labels, dtype=torch.float32)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(200):
        batch = torch.from_numpy(rng.integers(0, len(cases), 64))
        loss = nn.functional.binary_cross_entropy_with_logits(network(shown[batch]), target[batch])
        optimiser.zero_grad()
        optimiser.param_groups[0]["lr"] = 3e-3 if step < 120 else 3e-4
        loss.backward()
        optimiser.step()
    return Trained(network.eval()), float(np.mean([acts for knows, acts in labels if not knows]))


def test_the_planted_share_is_recovered_from_probabilities():
    items = [story_item(made(i)) for i in range(600, 660)]
    for share in (KNOWER, 0.0):
        model, seen = trained(share)
        assert seen == approx(share, abs=0.06)  # 3 standard errors of 600 labels
        run = doxa.run(study, model, options=Options("none"), items=items, null_seed=None, progress=False)
        found = run["simpletom"].findings
        assert found["aware, with twins"] == 1 and found["P(right), aware"] > 0.95
        assert found["P(right), action"] == approx(1 - seen, abs=0.05)
        assert found["action, by probability, with twins"] == 1
