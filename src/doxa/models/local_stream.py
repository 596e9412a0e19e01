"""Rows read together and continued token by token, with the network's cache where it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.models.local_cache import cache_of
from doxa.models.local_network import Network
from doxa.models.local_parts import Parts, parted_cache
from doxa.models.local_prefixes import Layers

if TYPE_CHECKING:
    import torch


class Stream:
    """b rows continued together; `logits` (b, v) say what comes next. Made by `read` or by `behind`.

    Rows of different lengths are padded on the left, so that all end together. (On the right, between the prompt and
    what follows, when the network's `sides` say so and it has a cache.)
    """

    def __init__(self, network: Network, lengths: Sequence[int], logits: torch.Tensor, cache: Any) -> None:
        import torch

        self._network = network
        self._lengths = torch.as_tensor(np.asarray(lengths), device=network.device)
        self.logits = logits
        self._cache = cache
        self._ids: torch.Tensor | None = None  # only where all is read again
        self._seen: torch.Tensor | None = None  # only where something is padded
        self._parted = False

    @classmethod
    def read(cls, network: Network, rows: Sequence[Sequence[int]]) -> Stream:
        """A stream that has read the rows."""
        import torch

        lengths = [len(row) for row in rows]
        longest = max(lengths)
        right = network.cached and network.sides[1] == "right"
        ids = np.full((len(rows), longest), network.filler)
        for i, row in enumerate(rows):
            ids[i, slice(len(row)) if right else slice(longest - len(row), None)] = row
        id_bt = torch.as_tensor(ids, device=network.device)
        seen = _seen(lengths, longest, right=right, device=network.device)
        inputs = {"input_ids": id_bt, "use_cache": network.cached, **_padding(seen, longest)}
        at = torch.as_tensor(np.asarray(lengths) - 1, device=network.device) if right else None
        logits, cache = network.last_logits(inputs, at)
        stream = cls(network, lengths, logits, cache if network.cached else None)
        stream._seen = seen
        if not network.cached:
            stream._ids = id_bt
        return stream

    @classmethod
    def behind(cls, network: Network, past: Layers, lengths: Sequence[int], logits: torch.Tensor) -> Stream:
        """A stream whose rows have been read: their keys and values, filled up on the left, and what comes next."""
        stream = cls(network, lengths, logits, cache_of(past, max(lengths)))
        stream._seen = _seen(lengths, max(lengths), right=False, device=network.device)
        return stream

    @classmethod
    def behind_parts(cls, network: Network, parts: Parts, lengths: Sequence[int], logits: torch.Tensor) -> Stream:
        """The same, with what rows have in common kept once; for networks that are `parted`."""
        stream = cls(network, lengths, logits, parted_cache(parts))
        stream._parted = True
        return stream

    def keep(self, index: torch.Tensor) -> None:
        """Go on with these rows only, in this order; a row may be taken several times."""
        self._lengths, self.logits = self._lengths[index], self.logits[index]
        self._seen = None if self._seen is None else self._seen[index]
        self._ids = None if self._ids is None else self._ids[index]
        if self._cache is not None:
            self._cache.reorder_cache(index)

    def step(self, tokens: torch.Tensor) -> None:
        """Append one token (b,) to each row."""
        import torch

        new = tokens[:, None]
        if self._seen is not None:
            self._seen = torch.cat([self._seen, torch.ones_like(new, dtype=torch.bool)], dim=1)
        self._lengths = self._lengths + 1
        if self._cache is None:
            assert self._ids is not None
            self._ids = new = torch.cat([self._ids, new], dim=1)
        inputs = {"input_ids": new, "use_cache": self._cache is not None, **_padding(self._seen, new.shape[1])}
        if self._parted:  # the parts know themselves what is padding
            inputs["position_ids"] = self._lengths[:, None] - 1
        if self._cache is not None:
            inputs[self._network.cache_word] = self._cache
        self.logits, cache = self._network.last_logits(inputs)
        self._cache = cache if self._cache is not None else None


def _seen(lengths: Sequence[int], longest: int, *, right: bool, device: torch.device) -> torch.Tensor | None:
    """(b, longest): which columns are tokens; None: all."""
    import torch

    length_b = np.asarray(lengths)[:, None]
    if (length_b == longest).all():
        return None
    at = np.arange(longest)
    return torch.as_tensor(at < length_b if right else at >= longest - length_b, device=device)


def _padding(seen: torch.Tensor | None, new: int) -> dict[str, torch.Tensor]:
    if seen is None:
        return {}
    return {"attention_mask": seen.long(), "position_ids": (seen.cumsum(1) - 1).clamp(min=0)[:, -new:]}
