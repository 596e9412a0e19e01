"""Attention of each row's newest token to what its row has read, in parts that rows share and that are kept once.

Transformers hands keys and values of every row to attention as one block, so that what rows have in common is copied
for each of them, and read from memory for each at every step. Here they stay in parts: what all rows begin with, what
the prompts go on with, and what follows in each row by itself. Many queries to one part are one product of matrices.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.models.local_cache import SPARE, larger

if TYPE_CHECKING:
    import torch

    from doxa.models.local_prefixes import Layers

# Under this name Transformers knows this way of attending; without parts it is Transformers' own by torch.
NAME = "doxa_parts"


class Groups:
    """Which of g groups each of b rows belongs to, and how a group's queries are brought together.

    group  (b,), ascending for what is fast
    """

    def __init__(self, group: Sequence[int] | np.ndarray, device: torch.device) -> None:
        import torch

        self.group = np.asarray(group)
        self._count, self._size = int(self.group.max()) + 1, int(np.bincount(self.group).max())
        # Where rows stand in a table (g, size): in order and without holes they are the table as they are.
        order = np.argsort(self.group, kind="stable")
        first = np.searchsorted(self.group[order], self.group)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        place = self.group * self._size + rank - first
        self._whole = len(place) == self._count * self._size and bool((place == np.arange(len(place))).all())
        rows = np.zeros(self._count * self._size, dtype=np.int64)
        rows[place] = np.arange(len(place))
        self._row, self._place = torch.as_tensor(rows, device=device), torch.as_tensor(place, device=device)

    def gathered(self, values: torch.Tensor) -> torch.Tensor:
        """(b, heads, r, k) of rows as (g * heads, size * r, k) of groups."""
        b, heads, r, k = values.shape
        if self._size == 1 and self._whole:
            return values.reshape(b * heads, r, k)
        table = values if self._whole else values[self._row]
        table = table.view(self._count, self._size, heads, r, k).transpose(1, 2)
        return table.reshape(self._count * heads, self._size * r, k)

    def handed_out(self, values: torch.Tensor, heads: int) -> torch.Tensor:
        """(g * heads, size * r, k) of groups as (b, heads, r, k) of rows."""
        k = values.shape[-1]
        if self._size == 1 and self._whole:
            return values.view(self._count, heads, -1, k)
        table = values.view(self._count, heads, self._size, -1, k).transpose(1, 2)
        table = table.reshape(self._count * self._size, heads, -1, k)
        return table if self._whole else table[self._place]


class Part:
    """A stretch of keys and values, those of one group in each entry; a layer's are (g, heads, p, width).

    hidden  (g, p): which of them are padding; None: none are
    """

    def __init__(self, group: Sequence[int] | np.ndarray, layers: Layers, hidden: np.ndarray | None = None) -> None:
        import torch

        self.layers, self._hidden = layers, hidden
        device = layers[0][0].device
        self._groups = Groups(group, device)
        self._bias: torch.Tensor | None = None
        if hidden is not None and hidden.any():
            filled = torch.zeros(hidden.shape, dtype=layers[0][0].dtype, device=device)
            filled.masked_fill_(torch.as_tensor(hidden, device=device), torch.finfo(filled.dtype).min)
            self._bias = filled[:, None, None]

    def scores(self, layer: int, query: torch.Tensor) -> torch.Tensor:
        """Of queries (b, heads, r, width): (b, heads, r, p)."""
        keys = self.layers[layer][0]
        g, heads, p, _ = keys.shape
        found = self._groups.gathered(query) @ keys.flatten(0, 1).transpose(1, 2)
        if self._bias is not None:
            found = (found.view(g, heads, -1, p) + self._bias).view(found.shape)
        return self._groups.handed_out(found, heads)

    def mixed(self, layer: int, weights: torch.Tensor) -> torch.Tensor:
        """Values under weights (b, heads, r, p): (b, heads, r, width)."""
        values = self.layers[layer][1]
        return self._groups.handed_out(self._groups.gathered(weights) @ values.flatten(0, 1), values.shape[1])

    def kept(self, index: np.ndarray) -> Part:
        """For these rows only; groups that no row is in any more are let go."""
        import torch

        groups, group = np.unique(self._groups.group[index], return_inverse=True)
        layers, hidden = self.layers, self._hidden
        if len(groups) < len(layers[0][0]):
            at = torch.as_tensor(groups, device=layers[0][0].device)
            layers = [(keys[at], values[at]) for keys, values in layers]
            hidden = None if hidden is None else hidden[groups]
        return Part(group, layers, hidden)


class Parts:
    """What rows have read together: the parts, in order, of `length` tokens in all (padding counted)."""

    def __init__(self, parts: Sequence[Part], length: int) -> None:
        self.parts, self.length = list(parts), length

    def keep(self, index: np.ndarray) -> None:
        """Go on with these rows only."""
        self.parts = [part.kept(index) for part in self.parts]

    def attended(
        self, layer: int, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float | None
    ) -> torch.Tensor:
        """What queries (b, heads, 1, width) find in the parts and in the keys and values (b, shared heads, t, width)
        that follow them: (b, 1, heads, width)."""
        import torch

        b, heads, _, width = query.shape
        shared = keys.shape[1]
        query = query.view(b, shared, heads // shared, width) * (width**-0.5 if scaling is None else scaling)
        scores = [*(part.scores(layer, query) for part in self.parts), query @ keys.transpose(2, 3)]
        weights = torch.cat(scores, -1).softmax(-1)
        *behind, own = weights.split([found.shape[-1] for found in scores], -1)
        mixed = own @ values
        for part, weight in zip(self.parts, behind, strict=True):
            mixed += part.mixed(layer, weight)
        return mixed.view(b, 1, heads, width)


def parted_cache(parts: Parts) -> Any:
    """A cache of Transformers whose rows have read the parts."""
    return _cache_class()(parts)


def register(model: Any) -> bool:
    """Let a model that attends by torch's own function attend to parts where a cache has them; whether it may now."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward
    from transformers.masking_utils import sdpa_mask

    def attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **named: Any) -> tuple[Any, None]:
        tail = getattr(key, "tail", None)
        if tail is None:
            return sdpa_attention_forward(module, query, key, value, mask, **named)
        return tail().attended(query, named.get("scaling")), None

    now = model.config.get_text_config()._attn_implementation
    if now == NAME:
        return True
    if now != "sdpa" or not model._can_set_attn_implementation():
        return False
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return True


@functools.cache
def _cache_class() -> Any:
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    class Tail(DynamicLayer):
        """One layer's keys and values behind the parts. From those that `update` gives attention finds back here."""

        def __init__(self, parts: Parts, number: int) -> None:
            super().__init__()
            self._parts, self._number, self._used = parts, number, 0
            self._blocks: tuple[torch.Tensor, torch.Tensor] | None = None
            self.is_initialized = True

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *_args: Any, **_named: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            begin, end = self._used, self._used + key_states.shape[2]
            keys, values = self._blocks or (key_states[:, :, :0], value_states[:, :, :0])
            if keys.shape[2] < end:
                keys, values = larger(keys, begin, end + SPARE), larger(values, begin, end + SPARE)
            keys[:, :, begin:end], values[:, :, begin:end] = key_states, value_states
            self._blocks, self._used = (keys, values), end
            shown = keys[:, :, :end]
            shown.tail = weakref.ref(self)  # type: ignore[attr-defined]
            return shown, values[:, :, :end]

        def get_seq_length(self) -> int:
            return self._parts.length + self._used

        def reorder_cache(self, beam_idx: torch.Tensor) -> None:
            if self._blocks is not None:
                self._blocks = self._blocks[0][beam_idx], self._blocks[1][beam_idx]

        def attended(self, query: torch.Tensor, scaling: float | None) -> torch.Tensor:
            assert self._blocks is not None
            keys, values = (block[:, :, : self._used] for block in self._blocks)
            return self._parts.attended(self._number, query, keys, values, scaling)

    class PartedCache(DynamicCache):
        def __init__(self, parts: Parts) -> None:
            super().__init__()
            self._parts = parts
            self.layers = [Tail(parts, number) for number in range(len(parts.parts[0].layers))]

        def reorder_cache(self, beam_idx: torch.LongTensor) -> None:
            self._parts.keep(beam_idx.cpu().numpy())
            super().reorder_cache(beam_idx)

    return PartedCache
