"""A local model as it is trained: token rows, passes that keep gradients, and nobody else asking meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from doxa.models.base import Model
from doxa.models.local_network import Block
from doxa.records import DoxaError, Prompt

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


class Row(NamedTuple):
    """A prompt as token ids, and the tokens of two replies that could come next (-1, -1: none were asked for)."""

    ids: np.ndarray
    yes: int = -1
    no: int = -1


class Trainee:
    """A local model's network with gradients. What it is asked in the ordinary way goes on between its passes.

    raises  DoxaError: no local model
    """

    def __init__(self, model: Model) -> None:
        from doxa.models.local import LocalModel

        if not isinstance(model, LocalModel):
            raise DoxaError(f"{model.address!r} cannot be trained here: only local models can. Use hf:, organism:")
        self.model = model
        self.network, self._text = model._network, model._text
        self._between = model._gatherer.between

    @property
    def device(self) -> Any:
        return self.network.device

    @property
    def layers(self) -> int:
        return len(self.network.blocks)

    def alone(self, act: Callable[[], T]) -> T:
        """Do something while the model answers nobody: an adapter that is on must not be heard by others.

        Not from within itself: it would wait for its own end.
        """
        return self._between(act)

    def rows(self, prompts: Sequence[Prompt], words: tuple[str, str] | None = None) -> list[Row]:
        """Prompts as tokens; words: the two replies whose first tokens are wanted after each.

        raises  DoxaError: a prompt too long for the model, or two words that begin with the same token
        """
        # In the worker: a tokenizer is not to be used in two threads at once.
        found = self.alone(lambda: [self._row(prompt, words) for prompt in prompts])
        for row in found:
            self.network.check(row.ids.tolist(), "the prompt")
        return found

    def _row(self, prompt: Prompt, words: tuple[str, str] | None) -> Row:
        if words is None:
            return Row(np.asarray(self._text.prompt(prompt)))
        (yes, start), (no, other) = self._text.continuations(prompt, words)
        # Where a word merges with the end of the prompt, what stands before both is what is read.
        start = min(start, other)
        if yes[:start] != no[:start] or yes[start] == no[start]:
            raise DoxaError(
                f"{words[0]!r} and {words[1]!r} begin with the same token for this model, so that one token cannot "
                "tell them apart; choose other words"
            )
        return Row(np.asarray(yes[:start]), yes[start], no[start])

    def logits(self, rows: Sequence[Row]) -> torch.Tensor:
        """Logits (n, v) of what comes after each row, float32."""
        with self._precision():
            return self.network.read(Block([row.ids for row in rows]), _last(rows)).logits

    def states(self, rows: Sequence[Row], layer: int) -> torch.Tensor:
        """Hidden state (n, d) of each row's last token after block `layer`, float32."""
        nowhere: list[list[int]] = [[] for _ in rows]
        with self._precision():
            out = self.network.read(Block([row.ids for row in rows]), nowhere, _last(rows), [layer])
        return out.states[layer].float()

    @contextlib.contextmanager
    def _precision(self) -> Iterator[None]:
        """Half-precision weights are left as they are, and what is trained beside them is read in their precision."""
        import torch

        kind = self.network.model.dtype
        if kind in (torch.float32, torch.float64):
            yield
            return
        with torch.autocast(self.device.type, kind):
            yield


def _last(rows: Sequence[Row]) -> list[list[int]]:
    return [[len(row.ids) - 1] for row in rows]


def passes(rows: Sequence[Row], batch_tokens: int) -> Iterator[list[int]]:
    """Indices of rows that are read together: of about one length, at most `batch_tokens` with their padding.

    A row that is longer than that is read alone.
    """
    batch: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: len(rows[i].ids)):
        if batch and (len(batch) + 1) * len(rows[i].ids) > batch_tokens:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
