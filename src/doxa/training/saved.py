"""Saved confidence: what was learnt from past answers, in a folder, opened again whatever its kind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.models import address
from doxa.models.base import Model, check_needs
from doxa.models.local_loading import require
from doxa.probes.heads import ConfidenceHead, NearestConfidence
from doxa.probes.texts import TextConfidence
from doxa.records import Prompt
from doxa.training.cases import (
    CORRECT,
    KNOWS,
    QUESTION,
    Card,
    Case,
    Kind,
    SavedConfidence,
    check_same,
    identity_of,
    prompt_of,
    read_card,
    text_of,
    write_card,
)

AT_ONCE = 1024  # prompts whose hidden states are asked for together


async def states(model: Model, prompts: Sequence[Prompt], layer: int, position: int = -1) -> np.ndarray:
    """Hidden states (n, d) after block `layer` at token `position` of each prompt.

    raises  MissingCapability: the model gives none; ValueError: no such block or token
    """
    check_needs({"hidden_states"}, model, "this confidence")
    found: list[np.ndarray] = []
    for begin in range(0, len(prompts), AT_ONCE):
        some = prompts[begin : begin + AT_ONCE]
        asked = (model.hidden_states(prompt, layers=[layer], positions=[position]) for prompt in some)
        found += [state[0, 0] for state in await asyncio.gather(*asked)]
    return np.stack(found)


@dataclass(frozen=True, eq=False)
class StateConfidence:
    """A head on a hidden state of the model that is asked.

    any_model  let another model's states be read than those it was fitted on, for a comparison of models
    """

    head: ConfidenceHead | NearestConfidence
    card: Card
    any_model: bool = False

    @classmethod
    async def fit(
        cls,
        model: Model,
        cases: Sequence[Case],
        target: ArrayLike,
        *,
        layer: int,
        position: int = -1,
        template: str | None = None,
        groups: ArrayLike | None = None,
        nearest: bool = False,
        seed: int = 0,
    ) -> StateConfidence:
        """Fit on the model's hidden states for n cases.

        target    (n,) in [0, 1]: whether, or how often, each was right
        template  what is read; None: each case's own prompt, after which the model would answer
        groups    (n,) labels of cases that belong together
        nearest   the nearest past cases in the place of a logistic head
        raises    MissingCapability, ValueError as `states`, `prompt_of` and `ConfidenceHead.fit`
        """
        if not cases:
            raise ValueError("there are no cases to learn from")
        x = await states(model, [prompt_of(case, template) for case in cases], layer, position)
        made = NearestConfidence if nearest else ConfidenceHead
        head = made.fit(x, target, groups=groups, seed=seed)
        card = Card(
            "nearest hidden states" if nearest else "head on hidden states",
            _target(template),
            template=template,
            layer=layer,
            position=position,
            base=identity_of(model),
            n=len(cases),
            settings=head.settings,
        )
        return cls(head, card)

    async def confidence(self, cases: Sequence[Case], model: Model | None = None) -> np.ndarray:
        """Confidence (n,). ValueError: no model is given; DoxaError: it is not the one that the head was fitted on."""
        if model is None:
            raise ValueError(f"this confidence reads {self.card.reads}; give the model")
        if not cases:
            return np.empty(0)
        check_needs({"hidden_states"}, model, "this confidence")
        if not self.any_model:
            check_same(self.card, model, "this confidence")
        assert self.card.layer is not None and self.card.position is not None
        prompts = [prompt_of(case, self.card.template) for case in cases]
        return self.head.predict(await states(model, prompts, self.card.layer, self.card.position))

    def save(self, folder: str | Path) -> Path:
        """Write head and card to a folder, which is returned."""
        self.head.save(folder)
        write_card(Path(folder), self.card)
        return Path(folder)


@dataclass(frozen=True, eq=False)
class WordConfidence:
    """A head on the words of the question, or of whatever the template shows. No model is asked."""

    head: TextConfidence
    card: Card

    @classmethod
    def fit(
        cls,
        cases: Sequence[Case],
        target: ArrayLike,
        *,
        template: str = QUESTION,
        groups: ArrayLike | None = None,
        seed: int = 0,
    ) -> WordConfidence:
        """Fit on the filled template of n cases; target, groups and errors as `StateConfidence.fit`."""
        require(["sklearn"], "probes")
        if not cases:
            raise ValueError("there are no cases to learn from")
        head = TextConfidence.fit([text_of(case, template) for case in cases], target, groups=groups, seed=seed)
        card = Card("head on text", _target(template), template=template, n=len(cases), settings=head.settings)
        return cls(head, card)

    async def confidence(self, cases: Sequence[Case], model: Model | None = None) -> np.ndarray:
        """Confidence (n,)."""
        template = self.card.template or QUESTION
        return self.head.predict([text_of(case, template) for case in cases]) if cases else np.empty(0)

    def save(self, folder: str | Path) -> Path:
        """Write head and card to a folder, which is returned."""
        self.head.save(folder)
        write_card(Path(folder), self.card)
        return Path(folder)


def _target(template: str | None) -> str:
    return CORRECT if template is not None and "{answer}" in template else KNOWS


def load(
    folder: str | Path, *, base: Model | None = None, device: str | None = None, any_model: bool = False
) -> SavedConfidence:
    """A saved confidence of any kind.

    base       the model that an adapter belongs to; None: loaded from the card's address, on `device`
    any_model  let a head read the hidden states of another model than its own
    raises     DoxaError: no saved confidence there, files or a base that are not those of its card
    """
    from doxa.training.correctness import CorrectnessModel

    card, path = read_card(folder), Path(folder)
    heads: dict[Kind, Any] = {"head on hidden states": ConfidenceHead, "nearest hidden states": NearestConfidence}
    if card.kind in heads:
        return StateConfidence(heads[card.kind].load(path), card, any_model)
    if card.kind == "head on text":
        require(["sklearn"], "probes")
        return WordConfidence(TextConfidence.load(path), card)
    return CorrectnessModel.load(path, base or address.load(str(card.base["address"]), device=device))
