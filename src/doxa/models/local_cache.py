"""A cache of Transformers that takes over keys and values as they are and grows in place."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from doxa.models.local_prefixes import Layers

# Columns added at a time when there is no room left.
SPARE = 64


def cache_of(past: Layers | None = None, length: int = 0) -> Any:
    """A cache that holds the first `length` columns of these keys and values, and writes what follows behind them.

    Transformers' own cache copies everything at each step. No layer of this one forgets anything either, so that the
    network's own masks have to say what a sliding window hides; they do.
    """
    from transformers import DynamicCache

    cache = DynamicCache()
    layer_class = _layer_class()
    cache.layer_class_to_replicate = layer_class
    if past:
        cache.layers = [layer_class(keys, values, length) for keys, values in past]
    return cache


@functools.cache
def _layer_class() -> Any:
    from transformers.cache_utils import DynamicLayer

    class RoomyLayer(DynamicLayer):
        """One layer's keys and values (rows, heads, columns, width): the first columns of a larger block."""

        def __init__(
            self, keys: torch.Tensor | None = None, values: torch.Tensor | None = None, length: int = 0
        ) -> None:
            super().__init__()
            self._blocks: tuple[torch.Tensor, torch.Tensor] | None = None
            if keys is not None and values is not None:
                self._blocks = keys, values
                self._show(keys[:, :, :length], values[:, :, :length])

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: Any, **_named: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            begin = self.get_seq_length()
            if not begin:
                return self._show(key_states, value_states)
            end = begin + key_states.shape[2]
            keys, values = self._blocks or (self.keys, self.values)
            assert keys is not None and values is not None
            if keys.shape[2] < end:
                keys, values = larger(keys, begin, end + SPARE), larger(values, begin, end + SPARE)
            keys[:, :, begin:end], values[:, :, begin:end] = key_states, value_states
            self._blocks = keys, values
            return self._show(keys[:, :, :end], values[:, :, :end])

        def reorder_cache(self, beam_idx: torch.Tensor) -> None:
            if self.keys is not None and self.values is not None:
                self._show(self.keys[beam_idx], self.values[beam_idx])
                self._blocks = None

        def _show(self, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            self.keys, self.values = keys, values
            self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
            return keys, values

    return RoomyLayer


def larger(states: torch.Tensor, used: int, columns: int) -> torch.Tensor:
    n, heads, _, width = states.shape
    block = states.new_empty(n, heads, columns, width)
    block[:, :, :used] = states[:, :, :used]
    return block
