"""Respondents that know of their own knowledge to a declared degree: options, own answers, questions, sources."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from doxa.data.own_knowledge import SOURCES
from doxa.data.planted_knowledge import KIND, KINDS, RATE, RATES
from doxa.elicit.option_sets import NONE_OF_THE_ABOVE
from doxa.elicit.p_true import PTrue
from doxa.models import address
from doxa.models.base import Context, Model
from doxa.models.simulated import Dirichlet, Respondent, Skill
from doxa.models.simulated_states import Transparent
from doxa.models.simulated_values import normals
from doxa.records import Item, Prompt, Reply, Sampling, Score

KNOWN = 0.85  # belief in the right option
NOISE = 7  # numbers of a hidden state that say nothing
UNREAD, GAIN = 0.1, 1.5  # share of sampled replies out of format; of the shift of P(True) after brainstorming
READ = 0.95  # rate of being right where a source says the answer; of being wrong where it says another one
LOGIT = {rate: math.log(rate / (1 - rate)) for rate in RATES}
SPREAD = math.sqrt(sum(x * x for x in LOGIT.values()) / len(LOGIT))


def scaled(k: float) -> Respondent:
    """Believes in each option to the power k what is true: the options of a question have Dirichlet(1) chances."""
    return Respondent(belief=Dirichlet(1.0), temperature=1 / k, address=f"simulated: log-probabilities times {k:g}")


def leaning(nats: float) -> Respondent:
    """Calibrated, but for so much in favour of the first place."""
    return Respondent(belief=Dirichlet(1.0), position=(nats,), address=f"simulated: {nats:g} nats for the first place")


def avoiding(share: float) -> Respondent:
    """Knows the right option, but so much of its belief in "none of the above" goes to the others."""

    def decide(item: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        wrong = [option for option in item.options if option != item.answer]
        held = {str(item.answer): KNOWN, **dict.fromkeys(wrong, (1 - KNOWN) / len(wrong))}
        lost = share * held.get(NONE_OF_THE_ABOVE, 0.0)
        rest = {o: p + lost / (len(held) - 1) for o, p in held.items() if o != NONE_OF_THE_ABOVE}
        return rest if len(rest) == len(held) else {**rest, NONE_OF_THE_ABOVE: held[NONE_OF_THE_ABOVE] - lost}

    return Respondent(decide=decide, address=f"simulated: avoids none of the above by {share:g}")


def judging(a: float) -> Respondent:
    """Right on half of the questions; P(True) = sigmoid(a (2c - 1) + N(0, 1)), `GAIN` a after samples."""

    def decide(item: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        whole = context.item or item
        wrong = next(option for option in whole.options if option != whole.answer)
        if not isinstance(prompt.form, PTrue):
            return {str(whole.answer): 0.5, wrong: 0.5}
        answer, ideas = prompt.form.answer, prompt.form.brainstorm
        sign, slope = (1 if answer == whole.answer else -1), a * (GAIN if ideas else 1)
        p = 1 / (1 + math.exp(-(slope * sign + normals(1, "judging", whole.id, answer, bool(ideas))[0])))
        return {answer: p, next(o for o in whole.options if o != answer): 1 - p}

    # Out-of-format replies are of sampled answers alone: P(True) is read from log-probabilities, normalised over two.
    return Respondent(decide=decide, format_errors=UNREAD, address=f"simulated: P(True) shifted by {a:g}")


def foreknowing(t: float) -> Transparent:
    """One number of its hidden state is correlated by t with the log-odds of being right; the others are noise."""

    def states(item: Item) -> Sequence[float]:
        first, *rest = normals(1 + NOISE, "state", item.id)
        return [t * LOGIT[item.fields[RATE]] + math.sqrt(1 - t * t) * SPREAD * first, *rest]

    return Transparent(belief=Skill(RATE), states=states, address=f"simulated: states that say {t:g}")


def by_kind(apart: float) -> Transparent:
    """Where the log-odds stand in the hidden state: in a place of the kind's own (1), or in one place for all (0)."""

    def states(item: Item) -> Sequence[float]:
        own = KINDS.index(item.fields[KIND]) if apart else 0
        told = [LOGIT[item.fields[RATE]] if place == own else 0.0 for place in range(len(KINDS))]
        return [*told, *normals(NOISE, "state", item.id)]

    return Transparent(belief=Skill(RATE), states=states, address=f"simulated: kinds apart {apart:g}")


def reading(reads: float) -> Transparent:
    """Takes a source before a question for what it says (1), in its answers and in its hidden state; or not (0)."""

    def rate(item: Item) -> float:
        shown = item.fields.get("source_shown") if reads else None
        said = {item.fields[SOURCES[0]]: READ, item.fields[SOURCES[1]]: 1 - READ}
        return float(said.get(shown, item.fields[RATE]))

    def states(item: Item) -> Sequence[float]:
        p = rate(item)
        return [math.log(p / (1 - p)), *normals(NOISE, "state", item.id)]

    return Transparent(belief=Skill(rate), states=states, address=f"simulated: reads sources {reads:g}")


def atlas(shows: float) -> Model:
    """The organism, or (0) the same with hidden states that are noise."""
    model = address.load("organism:atlas")
    return model if shows else Veiled(model)


class Veiled(Model):
    """Another model, whose hidden states are noise: whatever is learnt of them is learnt of nothing."""

    stored = False

    def __init__(self, model: Model, width: int = 32) -> None:
        self.model, self.width = model, width
        self.address, self.capabilities = f"{model.address} (hidden states are noise)", model.capabilities
        self.concurrency = model.concurrency

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"model": dict(self.model.identity), "states": "noise", "width": self.width}

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        return await self.model.generate(prompt, sampling, context)

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        return await self.model.score(prompt, continuations, context)

    async def hidden_states(
        self, prompt: Prompt, *, layers: Sequence[int] | None = None, positions: Sequence[int] = (-1,)
    ) -> np.ndarray:
        noise = np.array(normals(self.width, "veiled", prompt.show()))
        return np.broadcast_to(noise, (len(layers or (0,)), len(positions), self.width)).copy()

    async def leave(self) -> None:
        await self.model.leave()

    async def close(self) -> None:
        await self.model.close()
