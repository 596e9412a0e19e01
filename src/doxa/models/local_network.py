"""The network itself: passes over rows of tokens, behind kept ones or not, read where something is wanted."""

from __future__ import annotations

import contextlib
import inspect
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from doxa.models.local_cache import cache_of
from doxa.models.local_hooks import Enough, narrowed, only, stored
from doxa.models.local_linear import quicken
from doxa.models.local_parts import register
from doxa.models.local_prefixes import Layers
from doxa.records import DoxaError

if TYPE_CHECKING:
    import torch

# Measured with networks of 2.6 to 42 million parameters: larger batches are slower again.
CPU_READ_TOKENS = 768
# A stream gains by every row more: as many tokens as take so many bytes, within these bounds.
CPU_STREAM_BYTES, CPU_STREAM_TOKENS = 2**30, (8_192, 32_768)
# Keys and values that are kept: this share of the memory (of an accelerator: of what is free), on CPU at most so much.
KEPT_SHARE, CPU_KEPT_BYTES = 1 / 8, 2**30
# Where configurations write how many positions a model reads, and how far back a token sees.
LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx")
WINDOWS = ("sliding_window", "sliding_window_size", "attention_chunk_size", "window_size", "local_attention_window_len")

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Block:
    """Rows of tokens that are read in one pass, filled up with padding.

    ids     of each row
    places  position of each token in its text
    exits   for each token where in the row the last that follows it in a text is over; None: all is one chain
    behind  how many kept tokens come before the row
    past    keys and values of those, filled up on the left, with room for the row; None: no row has any
    masked  whether the network is told by a mask (rows, 1, tokens, tokens) and positions what stands where; if not,
            the rows must be chains
    """

    ids: Sequence[np.ndarray]
    places: Sequence[np.ndarray] = ()
    exits: Sequence[np.ndarray | None] = ()
    behind: Sequence[int] = ()
    past: Layers | None = None
    masked: bool = False

    @property
    def before(self) -> int:
        """Columns of keys before the rows' own."""
        return max(self.behind) if self.past else 0

    @property
    def branches(self) -> bool:
        return any(exits is not None for exits in self.exits)


@dataclass(frozen=True)
class Readout:
    """What a pass gave.

    logits  (k, v) in float32 at the k places where they were wanted
    states  residual stream (m, d) after each block that was asked for, at the m places where it was wanted
    kept    keys and values of the whole block, what it was read behind included; a row's tokens start at `begins`
    """

    logits: torch.Tensor
    states: dict[int, torch.Tensor] = field(default_factory=dict)
    kept: Layers = field(default_factory=list)
    begins: Sequence[int] = ()


class Network:
    """A Transformers causal language model in evaluation mode on one device.

    limit   tokens it can read; None: no limit is written in its configuration
    window  how far back a token of some layer sees; None: to the beginning, as far as the configuration says
    steady  texts of up to so many tokens are read alike in any company; None: all
    blocks  its layers in order; empty when they were not found (then no hidden states)
    cached  whether a step with its cache gives what reading everything again does; if not, streams do the latter
    narrow  whether the deepest block of a pass may leave out of its feed-forward part what is not wanted of it
    parted  whether a stream's keys and values may stand in parts, those of common beginnings once; on CPU
    padded  whether rows of different lengths may be in one stream; if not, its rows must be equally long
    sides   where padding goes in a pass and in a stream; changed only to see that it makes no difference
    """

    def __init__(self, model: Any) -> None:
        from doxa.models import local_trial

        self.model = model
        config = model.config.get_text_config()
        self.device = next(model.parameters()).device
        self.limit: int | None = next((n for key in LIMITS if (n := getattr(config, key, None))), None)
        windows = (getattr(config, key, None) for key in WINDOWS)
        self.window: int | None = min((n for n in windows if isinstance(n, int) and n > 0), default=None)
        self.steady = _steady(config)
        self.vocabulary = int(model.get_input_embeddings().num_embeddings)
        self.width = int(config.hidden_size)
        self.layers = int(config.num_hidden_layers)
        self.blocks: Sequence[Any] = _blocks(model, self.layers)
        self._head = model.get_output_embeddings()
        self.accepts = frozenset(inspect.signature(model.forward).parameters)
        # Transformers renames `past_key_values` to `cache`; outputs use the same word.
        self.cache_word = "cache" if "cache" in self.accepts else "past_key_values"
        # Some models warn about padding when they see their padding token: fill with another one.
        self.filler = 1 if config.pad_token_id == 0 else 0
        self.sides: tuple[Side, Side] = ("right", "left")
        quicken(model)
        self.cached, self.padded, self.narrow = True, True, False
        self.cached, self.padded = local_trial.streams(self)
        self.narrow = bool(self.blocks) and local_trial.narrow(self)
        self.parted = self.device.type == "cpu" and self.cached and register(model) and local_trial.parts(self)

    @property
    def logits_size(self) -> int:
        """What the logits of one position cost, in tokens of activations (about eight widths each)."""
        return max(1, self.vocabulary // (8 * self.width))

    @property
    def past_size(self) -> float:
        """What a kept token before a row costs, in tokens: memory on an accelerator, copying and attention on CPU."""
        return 0.125 if self.device.type == "cpu" else 1.0

    @property
    def token_bytes(self) -> int:
        """Keys and values of one token; an upper bound where heads are grouped."""
        return 2 * self.layers * self.width * self.model.dtype.itemsize

    def release(self) -> None:
        """Let go of the weights."""
        self.model = self._head = None
        self.blocks = ()

    def batch_tokens(self) -> tuple[int, int]:
        """Tokens of a batch that is read once, and of one that is continued with its cache; padding counted.

        On an accelerator as many as half of the free memory holds. On CPU memory is no bound: batches are as large
        as the processor's own caches make worth while.
        """
        import torch

        if self.device.type != "cuda":
            least, most = CPU_STREAM_TOKENS
            return CPU_READ_TOKENS, min(max(CPU_STREAM_BYTES // self.token_bytes, least), most)
        free, _ = torch.cuda.mem_get_info(self.device)
        # Keys and values of every layer, and about sixteen activations of the one at work.
        token_bytes = (2 * self.layers + 16) * self.width * self.model.dtype.itemsize
        tokens = min(max(free // (2 * token_bytes), 1024), 262_144)
        return tokens, tokens

    def kept_bytes(self) -> int:
        """Memory for keys and values that are kept from one batch to the next."""
        import torch

        if self.device.type == "cuda":
            return int(torch.cuda.mem_get_info(self.device)[0] * KEPT_SHARE)
        try:
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError, OSError):  # a system that does not say
            return CPU_KEPT_BYTES
        return min(int(memory * KEPT_SHARE), CPU_KEPT_BYTES)

    def check(self, ids: Sequence[int], what: str, *, room: int = 0) -> None:
        """DoxaError when the tokens (and `room` more) are too many for the model, or one of them unknown to it."""
        if self.limit is not None and len(ids) + room > self.limit:
            raise DoxaError(
                f"{what} has {len(ids)} tokens{f' and {room} must follow' if room else ''}; this model reads at most "
                f"{self.limit}. Shorten it, or use a model with a longer context."
            )
        if max(ids) >= self.vocabulary:
            raise DoxaError(
                f"{what} has token {max(ids)}; this model knows {self.vocabulary}, counted from 0. The tokenizer in "
                "its folder is another model's, or tokens were added to it without resizing the embeddings."
            )

    def read(
        self,
        block: Block,
        logits_at: Sequence[Sequence[int] | np.ndarray],
        states_at: Sequence[Sequence[int] | np.ndarray] = (),
        layers: Sequence[int] = (),
        *,
        keep: bool = False,
    ) -> Readout:
        """One pass over n rows.

        logits_at  for each row the indices where logits are wanted
        states_at  for each row the indices where the residual stream after the blocks `layers` is wanted
        keep       whether the keys and values are

        Rows that are chains are padded on the right and need no mask: what comes after a token cannot change it.
        The vocabulary is projected at the wanted places only: a hook lets nothing else reach the output head, so
        that whatever an architecture does before and after its head (scaling, soft caps) stays as it is. Where the
        head is not a module that is called, the full logits are made and the wanted ones taken. Where only states
        are wanted, the blocks above the deepest of `layers` are not run.
        """
        import torch

        longest = max(len(row) for row in block.ids)
        shifts = np.array([longest - len(row) if self.sides[0] == "left" else 0 for row in block.ids])
        inputs = self._inputs(block, shifts, longest)
        if keep or block.past:
            inputs[self.cache_word] = cache = cache_of(block.past, block.before)
        inputs["use_cache"] = keep or block.past is not None
        row_k, at_k = self._places(logits_at, shifts)
        row_m, at_m = self._places(states_at, shifts)
        states: dict[int, torch.Tensor] = {}
        # Nothing above the deepest block is computed when nothing is wanted of it.
        deepest = max(layers) if layers and not keep and not len(row_k) else None
        with contextlib.ExitStack() as hooks:
            if self.narrow and (deepest is not None or len(row_k)):
                end = self.layers - 1 if deepest is None else deepest
                of_end = ((row_k, at_k), (row_m, at_m)) if end in layers else ((row_k, at_k),)
                hooks.enter_context(narrowed(self.blocks[end], *(torch.cat(one) for one in zip(*of_end, strict=True))))
            for layer in layers:
                hooks.enter_context(stored(self.blocks[layer], states, layer, row_m, at_m, last=layer == deepest))
            seen = hooks.enter_context(only(self._head, row_k, at_k))
            try:
                out = self.model(**inputs)
            except Enough:
                out = None
        for found in states.values():
            finite(found, "hidden states")
        if out is None:
            return Readout(torch.empty(0, self.vocabulary, device=self.device), states)
        logits = out.logits[0] if seen else out.logits[row_k, at_k]
        kept = [(layer.keys, layer.values) for layer in cache.layers] if keep else []
        return Readout(finite(logits.float()), states, kept, (block.before + shifts).tolist())

    def last_logits(self, inputs: dict[str, Any], at: torch.Tensor | None = None) -> tuple[torch.Tensor, Any]:
        """Logits (b, v) in the last column (or in the columns `at`) of a pass, and its cache (None: it has none)."""
        import torch

        rows = torch.arange(len(inputs["input_ids"]), device=self.device)
        at = torch.full_like(rows, -1) if at is None else at
        with only(self._head, rows, at) as seen:
            out = self.model(**{k: v for k, v in inputs.items() if k in self.accepts})
        logits = out.logits[0] if seen else out.logits[rows, at]
        return finite(logits.float()), getattr(out, self.cache_word, None)

    def _places(
        self, wanted: Sequence[Sequence[int] | np.ndarray], shifts: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Row and column of each wanted place."""
        import torch

        rows = np.repeat(np.arange(len(wanted)), [len(at) for at in wanted])
        columns = [np.asarray(at, dtype=np.int64) + shift for at, shift in zip(wanted, shifts, strict=False)]
        column_k = np.concatenate(columns) if columns else np.empty(0, dtype=np.int64)
        return torch.as_tensor(rows, device=self.device), torch.as_tensor(column_k, device=self.device)

    def _inputs(self, block: Block, shifts: np.ndarray, longest: int) -> dict[str, Any]:
        import torch

        n = len(block.ids)
        ids, places = np.full((n, longest), self.filler), np.zeros((n, longest), dtype=np.int64)
        # A token of padding sees itself, for attention to nothing is no number, and nothing sees it.
        exits = np.tile(np.arange(1, longest + 1), (n, 1))
        for i, (row, shift) in enumerate(zip(block.ids, shifts, strict=True)):
            here = slice(shift, shift + len(row))
            ids[i, here] = row
            if block.masked:
                places[i, here] = block.places[i]
                ends = block.exits[i]
                exits[i, here] = shift + (len(row) if ends is None else ends)
        inputs: dict[str, Any] = {"input_ids": torch.as_tensor(ids, device=self.device)}
        behind = np.asarray(block.behind or [0] * n)
        if block.masked and (block.past or block.branches or shifts.any()):
            inputs["attention_mask"] = self._mask(exits, behind, block.before)
            inputs["position_ids"] = torch.as_tensor(places, device=self.device)
        elif shifts.any() or (behind != block.before).any():
            # Padding on the left, before the kept tokens or before the row's own: the usual mask says where.
            columns = np.arange(block.before + longest)
            seen = (columns >= block.before - behind[:, None]) & (columns < block.before)
            seen |= columns >= block.before + shifts[:, None]
            place = np.maximum(seen.cumsum(1) - 1, 0)[:, block.before :]
            inputs["attention_mask"] = torch.as_tensor(seen, device=self.device).long()
            if "position_ids" in self.accepts:
                inputs["position_ids"] = torch.as_tensor(place, device=self.device)
        return inputs

    def _mask(self, exits: np.ndarray, behind: np.ndarray, before: int) -> torch.Tensor:
        """What each token sees: the kept tokens of its row, and those it follows: 0, or the least number there is."""
        import torch

        exit_bt = torch.as_tensor(exits, device=self.device)
        n, t = exits.shape
        at = torch.arange(t, device=self.device)
        hidden = torch.empty(n, t, before + t, dtype=torch.bool, device=self.device)
        hidden[:, :, :before] = (
            torch.arange(before, device=self.device) < before - torch.as_tensor(behind, device=self.device)[:, None]
        )[:, None]
        hidden[:, :, before:] = (at[:, None] < at) | (at[:, None] >= exit_bt[:, None, :])
        mask = torch.zeros(hidden.shape, dtype=self.model.dtype, device=self.device)
        return mask.masked_fill_(hidden, torch.finfo(mask.dtype).min)[:, None]


def finite(found: torch.Tensor, what: str = "logits") -> torch.Tensor:
    """What was found, or DoxaError when there are NaNs: no number that looks like a result may come of them."""
    # A maximum is NaN where anything is: one pass, and no mask as large as the logits.
    if found.numel() and found.amax().isnan():
        raise DoxaError(f"the network's {what} are not numbers (overflow in half precision?): load it with float32")
    return found


def _steady(config: Any) -> int | None:
    """Rotary positions of some kinds are scaled by the longest text of a batch, from a certain length on."""
    written = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    ropes = [rope for rope in (written, *written.values()) if isinstance(rope, dict)]
    scaled = [rope for rope in ropes if rope.get("rope_type", rope.get("type")) in ("dynamic", "longrope")]
    lengths = (
        rope.get("original_max_position_embeddings")
        or getattr(config, "original_max_position_embeddings", None)
        or config.max_position_embeddings
        for rope in scaled
    )
    return min(lengths, default=None)


def _blocks(model: Any, layers: int) -> Sequence[Any]:
    """The list of `layers` blocks; the outermost one, for a mixture of experts may hold lists of the same length."""
    import torch

    lists = (m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == layers)
    return list(next(lists, []))
