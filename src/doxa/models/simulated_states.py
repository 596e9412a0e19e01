"""A simulated respondent with hidden states, declared like everything else about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from doxa.models.simulated_respondent import Respondent
from doxa.records import DoxaError, Item, Prompt

States = Callable[[Item], Sequence[float]]


def _none(item: Item) -> Sequence[float]:
    return (0.0,)


@dataclass(frozen=True, eq=False)
class Transparent(Respondent):
    """A respondent whose hidden state, at every token and after every one of its `layers` blocks, is a function of the
    item as it is shown: `states(item)`, d numbers.

    raises  DoxaError: from hidden_states, a prompt that does not say what is asked about
    """

    states: States = field(default=_none)
    layers: int = 1

    capabilities = frozenset({"generate", "logprobs", "score", "hidden_states"})

    async def hidden_states(
        self, prompt: Prompt, *, layers: Sequence[int] | None = None, positions: Sequence[int] = (-1,)
    ) -> np.ndarray:
        if prompt.item is None:
            raise DoxaError(f"{self.address} is not told what is asked about: Prompt.item is not set")
        state = np.asarray(self.states(prompt.item), dtype=np.float64)
        blocks = self.layers if layers is None else len(layers)
        return np.broadcast_to(state, (blocks, len(positions), len(state))).copy()
