"""The network itself: one forward pass over many rows, read where it is wanted, and a stream of steps with a cache."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.records import DoxaError

if TYPE_CHECKING:
    import torch

# Measured with a network of 2.6 million parameters: larger batches are slower again.
CPU_READ_TOKENS, CPU_STREAM_TOKENS = 4096, 16_384
# Steps of the trial that a network goes through when it is loaded.
TRIAL_STEPS = 3
# Where configurations write how many positions a model reads.
LIMITS = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx")


@dataclass(frozen=True)
class Readout:
    """What a pass gave at k wanted positions: logits (k, v) in float32, and the residual stream (k, d) by layer."""

    logits: torch.Tensor
    states: dict[int, torch.Tensor]


class Network:
    """A Transformers causal language model in evaluation mode on one device.

    limit   tokens it can read; None: no limit is written in its configuration
    blocks  its layers in order; empty when they were not found (then no hidden states)
    cached  whether a step with its cache gives what reading everything again does; if not, streams do the latter
    padded  whether rows of different lengths may be in one stream; if not, its rows must be equally long
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        config = model.config.get_text_config()
        self.device = next(model.parameters()).device
        self.limit: int | None = next((n for key in LIMITS if (n := getattr(config, key, None))), None)
        self.vocabulary = int(model.get_input_embeddings().num_embeddings)
        self.width = int(config.hidden_size)
        self.layers = int(config.num_hidden_layers)
        self.blocks: Sequence[Any] = _blocks(model, self.layers)
        self._head = model.get_output_embeddings()
        self._accepts = set(inspect.signature(model.forward).parameters)
        # Transformers renames `past_key_values` to `cache`; outputs use the same word.
        self.cache_word = "cache" if "cache" in self._accepts else "past_key_values"
        # Some models warn about padding when they see their padding token: fill with another one.
        self.filler = 1 if config.pad_token_id == 0 else 0
        self.cached, self.padded = True, True
        self._try_out()

    @property
    def logits_size(self) -> int:
        """What the logits of one position cost, in tokens of activations (about eight widths each)."""
        return max(1, self.vocabulary // (8 * self.width))

    def _try_out(self) -> None:
        """Find out `cached` and `padded`: some architectures (recurrent ones) give wrong numbers with one or both."""
        import torch

        long, short = ([(self.vocabulary // 3 + i) % self.vocabulary for i in range(n)] for n in (9, 5))
        with torch.inference_mode():
            try:
                want = self.read([long, short], [range(9 - TRIAL_STEPS - 1, 9), range(5 - TRIAL_STEPS - 1, 5)]).logits
            except Exception as error:
                raise DoxaError(f"the network cannot read nine tokens: {error}") from error
            if self._continues([long, short], want):
                return
            self.padded = False
            self.cached = self._continues([long], want)

    def _continues(self, rows: Sequence[Sequence[int]], want: torch.Tensor) -> bool:
        """Whether a stream that reads the rows but for their last tokens, then these, comes to the same logits."""
        import torch

        close = 1e-4 if self.model.dtype in (torch.float32, torch.float64) else 0.1  # total variation
        try:
            stream = self.stream([row[:-TRIAL_STEPS] for row in rows])
            logits = [stream.logits]
            for i in range(-TRIAL_STEPS, 0):
                stream.step(torch.tensor([row[i] for row in rows], device=self.device))
                logits.append(stream.logits)
        except Exception:  # an architecture without these inputs fails in its own way
            return False
        found = torch.stack(logits, dim=1).flatten(0, 1)
        difference = (found.softmax(-1) - want[: len(found)].softmax(-1)).abs().sum(-1) / 2
        return bool((difference < close).all())

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
            return CPU_READ_TOKENS, CPU_STREAM_TOKENS
        free, _ = torch.cuda.mem_get_info(self.device)
        # Keys and values of every layer, and about sixteen activations of the one at work.
        token_bytes = (2 * self.layers + 16) * self.width * self.model.dtype.itemsize
        tokens = min(max(free // (2 * token_bytes), 1024), 262_144)
        return tokens, tokens

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
        self, rows: Sequence[Sequence[int]], positions: Sequence[Sequence[int] | np.ndarray], layers: Sequence[int] = ()
    ) -> Readout:
        """One pass over n rows, padded on the right: what comes after a token cannot change it, so no mask is needed.

        rows       n sequences of token ids
        positions  for each row, the positions that are wanted; k in all, in this order in the result
        layers     blocks whose residual stream is wanted there too

        The vocabulary is projected at the wanted positions only: a hook lets nothing else reach the output head, so
        that whatever an architecture does before and after its head (scaling, soft caps) stays as it is. Where the
        head is not a module that is called, the full logits are made and the wanted ones taken.
        """
        import torch

        longest = max(len(row) for row in rows)
        ids = np.full((len(rows), longest), self.filler)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
        row_k = torch.as_tensor(np.repeat(np.arange(len(rows)), [len(p) for p in positions]), device=self.device)
        position_k = torch.as_tensor(np.concatenate([np.asarray(p) for p in positions]), device=self.device)
        states: dict[int, torch.Tensor] = {}
        with contextlib.ExitStack() as hooks:
            for layer in layers:
                hooks.enter_context(_stored(self.blocks[layer], states, layer, row_k, position_k))
            seen = hooks.enter_context(_only(self._head, row_k, position_k))
            out = self.model(input_ids=torch.as_tensor(ids, device=self.device), use_cache=False)
        logits = out.logits[0] if seen else out.logits[row_k, position_k]
        return Readout(finite(logits.float()), states)

    def stream(self, rows: Sequence[Sequence[int]]) -> Stream:
        """A stream that has read the rows; its `logits` say what comes next."""
        return Stream(self, rows)

    def last_logits(self, inputs: dict[str, Any]) -> tuple[torch.Tensor, Any]:
        """Logits (b, v) at the last column of a pass that keeps a cache, and the cache (None: the model has none)."""
        import torch

        rows = torch.arange(len(inputs["input_ids"]), device=self.device)
        with _only(self._head, rows, torch.full_like(rows, -1)) as seen:
            out = self.model(**{k: v for k, v in inputs.items() if k in self._accepts})
        logits = out.logits[0] if seen else out.logits[:, -1]
        return finite(logits.float()), getattr(out, self.cache_word, None)


class Stream:
    """b rows read together and continued token by token. Rows are padded on the left, so that all end together."""

    def __init__(self, network: Network, rows: Sequence[Sequence[int]]) -> None:
        import torch

        self._network = network
        longest = max(len(row) for row in rows)
        ids = np.full((len(rows), longest), network.filler)
        for i, row in enumerate(rows):
            ids[i, longest - len(row) :] = row
        self._ids = torch.as_tensor(ids, device=network.device)
        self._padding = torch.as_tensor([longest - len(row) for row in rows], device=network.device)
        self._cache: Any = None
        self.logits = self._forward(longest)

    def keep(self, index: torch.Tensor) -> None:
        """Go on with these rows only, in this order; a row may be taken several times."""
        self._ids, self._padding, self.logits = self._ids[index], self._padding[index], self.logits[index]
        if self._cache is not None:
            self._cache.reorder_cache(index)

    def step(self, tokens: torch.Tensor) -> None:
        """Append one token (b,) to each row."""
        import torch

        self._ids = torch.cat([self._ids, tokens[:, None]], dim=1)
        # Without a cache everything is read again.
        self.logits = self._forward(1 if self._cache is not None else self._ids.shape[1])

    def _forward(self, new: int) -> torch.Tensor:
        import torch

        length = self._ids.shape[1]
        inputs = {"input_ids": self._ids[:, length - new :], "use_cache": self._network.cached}
        if self._cache is not None:
            inputs[self._network.cache_word] = self._cache
        if self._padding.any():
            place = torch.arange(length, device=self._ids.device)[None, :] - self._padding[:, None]
            inputs["attention_mask"] = (place >= 0).long()
            inputs["position_ids"] = place[:, length - new :].clamp(min=0)
        logits, cache = self._network.last_logits(inputs)
        self._cache = cache if self._network.cached else None
        return logits


def finite(logits: torch.Tensor) -> torch.Tensor:
    """The logits, or DoxaError when there are NaNs among them: no number that looks like a result may come of them."""
    if logits.isnan().any():
        raise DoxaError("the network's logits are not numbers (overflow in half precision?): load it with float32")
    return logits


@contextlib.contextmanager
def _only(head: Any, row_k: torch.Tensor, position_k: torch.Tensor) -> Iterator[list[bool]]:
    """Let only these positions reach the output head; the list is empty if the head was never called."""
    seen: list[bool] = []

    def select(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not args or args[0].ndim != 3:
            return None
        seen.append(True)
        return (args[0][row_k, position_k][None], *args[1:])

    if head is None:
        yield seen
        return
    handle = head.register_forward_pre_hook(select)
    try:
        yield seen
    finally:
        handle.remove()


@contextlib.contextmanager
def _stored(
    block: Any, states: dict[int, torch.Tensor], layer: int, row_k: torch.Tensor, position_k: torch.Tensor
) -> Iterator[None]:
    """Keep what leaves the block at these positions: the residual stream, before any final norm."""

    def store(_module: Any, _args: Any, output: Any) -> None:
        hidden = output[0] if isinstance(output, (tuple, list)) else output
        states[layer] = hidden[row_k, position_k].float()

    handle = block.register_forward_hook(store)
    try:
        yield
    finally:
        handle.remove()


def _blocks(model: Any, layers: int) -> Sequence[Any]:
    """The list of `layers` blocks; the outermost one, for a mixture of experts may hold lists of the same length."""
    import torch

    lists = (m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == layers)
    return list(next(lists, []))
