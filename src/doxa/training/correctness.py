"""A correctness model: a local model with an adapter, that reads a case and says how sure one may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from doxa.models.base import Model
from doxa.probes.heads import ARRAYS, SETTINGS, ConfidenceHead
from doxa.training import lora
from doxa.training.cases import Card, Case, check_same, prompt_of, read_card, write_card
from doxa.training.trainee import Row, Trainee, passes

if TYPE_CHECKING:
    import torch

READ_TOKENS = 8192  # tokens of a pass without gradients, padding counted


class CorrectnessModel:
    """A trained judge; `training.supervised.train` makes one, `training.saved.load` opens one.

    trainee  the local model; adapter: beside its layers, heard only while this judge reads
    head     on the hidden state of the last token; None: the first tokens of two words are compared

    Several judges can stand beside one model. `close` takes this one's adapter away and leaves the model as it was.
    """

    def __init__(self, trainee: Trainee, adapter: lora.Adapter, card: Card, head: ConfidenceHead | None) -> None:
        self.trainee, self.adapter, self.card, self.head = trainee, adapter, card, head
        adapter.on = False

    async def confidence(self, cases: Sequence[Case], model: Model | None = None) -> np.ndarray:
        """Confidence (n,): of the head, or P(yes) / (P(yes) + P(no)). The model that answered is not asked."""
        return await asyncio.to_thread(self.predict, cases)

    def predict(self, cases: Sequence[Case]) -> np.ndarray:
        """`confidence`, for code that is not asynchronous."""
        if self.head is not None:
            return self.head.predict(self._read(cases, self._states)) if cases else np.empty(0)
        p = self.yes_no(cases)
        return np.asarray(p[:, 0] / p.sum(axis=1))

    def yes_no(self, cases: Sequence[Case]) -> np.ndarray:
        """Probability (n, 2) of the two words as they stand among all tokens, not renormalised.

        raises  ValueError: this judge has a head, and no words
        """
        if self.card.words is None:
            raise ValueError("this judge has a head and compares no words; ask it for confidence")
        return self._read(cases, self._word_probabilities) if cases else np.empty((0, 2))

    def save(self, folder: str | Path) -> Path:
        """Write adapter (PEFT format), head and card to a folder, which is returned."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        for stale in (SETTINGS, ARRAYS):
            (path / stale).unlink(missing_ok=True)
        self.adapter.save(path, base=str(self.card.base["address"]), half=False)
        if self.head is not None:
            self.head.save(path)
        write_card(path, self.card)
        return path

    @classmethod
    def load(cls, folder: str | Path, model: Model) -> CorrectnessModel:
        """A saved judge beside the model it belongs to. DoxaError: another model, or files that are not its card's."""
        card, path = read_card(folder), Path(folder)
        trainee = Trainee(model)
        check_same(card, model, f"the adapter in {str(folder)!r}")

        def beside() -> lora.Adapter:
            found = lora.beside(trainee.network.model, path)
            found.on = False
            return found

        adapter = trainee.alone(beside)
        head = ConfidenceHead.load(path) if card.kind == "adapter with head" else None
        return cls(trainee, adapter, card, head)

    def close(self) -> None:
        """Take the adapter away. Safe to call twice."""
        self.adapter.remove()

    def _read(self, cases: Sequence[Case], read: Callable[[list[Row]], torch.Tensor]) -> np.ndarray:
        import torch

        rows = self.trainee.rows([prompt_of(case, self.card.template) for case in cases], self.card.words)

        def act() -> np.ndarray:
            with torch.inference_mode(), heard(self.adapter):
                parts = [(i, read([rows[j] for j in i]).double().cpu().numpy()) for i in passes(rows, READ_TOKENS)]
            found = np.empty((len(rows), parts[0][1].shape[1]))
            for i, part in parts:
                found[i] = part
            return found

        return self.trainee.alone(act)

    def _states(self, rows: list[Row]) -> torch.Tensor:
        assert self.card.layer is not None
        return self.trainee.states(rows, self.card.layer)

    def _word_probabilities(self, rows: list[Row]) -> torch.Tensor:
        import torch

        p = self.trainee.logits(rows).softmax(-1)
        return torch.stack([p[i, [row.yes, row.no]] for i, row in enumerate(rows)])


@contextmanager
def heard(adapter: lora.Adapter) -> Iterator[None]:
    """The adapter on, for as long as its own judge reads."""
    adapter.on = True
    try:
        yield
    finally:
        adapter.on = False
