"""Training of an organism: a small Llama on short prompt-reply examples, loss on the replies only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM


@dataclass(frozen=True)
class Shape:
    """Size of the network; `width` is a multiple of `head`."""

    vocabulary: int = 3072
    width: int = 192
    layers: int = 4
    head: int = 32
    inner: int = 512
    context: int = 1024


@dataclass(frozen=True)
class Schedule:
    """How long and how fast. `tokens`: of prompts and replies in all; `batch_tokens`: in one step (padded)."""

    tokens: int
    batch_tokens: int = 4096
    learning_rate: float = 2e-3
    final_rate: float = 2e-4
    warmup_steps: int = 200
    weight_decay: float = 0.02
    seed: int = 0


Encoded = tuple[Sequence[int], int]
"""Token ids of a whole example, and how many of them belong to the prompt."""

Sized = TypeVar("Sized", bound=tuple[Any, ...])
"""An example whose first part is its token ids."""


def new_model(shape: Shape, seed: int) -> LlamaForCausalLM:
    """A freshly initialised Llama of this shape, embeddings tied."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    heads = shape.width // shape.head
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.width,
            intermediate_size=shape.inner,
            num_hidden_layers=shape.layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
        )
    )


def fit(
    model: LlamaForCausalLM,
    examples: Iterator[Encoded],
    schedule: Schedule,
    report: Callable[[int, int, float, float], None],
) -> None:
    """Train in place until `schedule.tokens` were seen.

    report  called with (step, tokens, mean loss in nats per reply token, tokens per second) every 100 steps
    """
    import torch

    torch.manual_seed(schedule.seed)
    optimizer = torch.optim.AdamW(_groups(model, schedule.weight_decay), lr=schedule.learning_rate, betas=(0.9, 0.98))
    model.train()
    seen, losses, start = 0, [], time.monotonic()
    for step, batch in enumerate(batches(examples, schedule.batch_tokens)):
        rate = rate_at(schedule, step, seen / schedule.tokens)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = _loss(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += sum(len(ids) for ids, _ in batch)
        losses.append(loss.item())
        if step % 100 == 99:
            report(step + 1, seen, float(np.mean(losses[-100:])), seen / (time.monotonic() - start))
        if seen >= schedule.tokens:
            break
    model.eval()


def _groups(model: LlamaForCausalLM, decay: float) -> list[dict[str, Any]]:
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    return [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]


def rate_at(schedule: Schedule, step: int, done: float) -> float:
    """Linear warm-up, then a cosine from the first to the final rate."""
    span = schedule.learning_rate - schedule.final_rate
    rate = schedule.final_rate + span * 0.5 * (1 + np.cos(np.pi * min(done, 1.0)))
    return float(rate * min(1.0, (step + 1) / schedule.warmup_steps))


def batches(examples: Iterator[Sized], batch_tokens: int, pool: int = 2048) -> Iterator[list[Sized]]:
    """Batches of examples of about one length, so that little is padded; their order is shuffled within a pool."""
    rng = np.random.default_rng(0)
    while True:
        drawn = sorted((next(examples) for _ in range(pool)), key=lambda e: len(e[0]))
        found: list[list[Sized]] = [[]]
        for example in drawn:
            if found[-1] and (len(found[-1]) + 1) * len(example[0]) > batch_tokens:
                found.append([])
            found[-1].append(example)
        for i in rng.permutation(len(found)):
            yield found[i]


def _loss(model: LlamaForCausalLM, batch: list[Encoded]) -> torch.Tensor:
    """Mean cross-entropy of the reply tokens; logits are computed at their positions only."""
    import torch

    width = max(len(ids) for ids, _ in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.long)
    wanted = torch.zeros((len(batch), width), dtype=torch.bool)
    for row, (tokens, prompt) in enumerate(batch):
        ids[row, : len(tokens)] = torch.as_tensor(tokens)
        wanted[row, prompt : len(tokens)] = True
    # Padding stands at the right, where a causal model cannot see it: no attention mask is needed.
    with torch.autocast("cpu", torch.bfloat16):
        hidden = model.model(input_ids=ids).last_hidden_state
        logits = model.lm_head(hidden[:, :-1][wanted[:, 1:]])
    return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][wanted[:, 1:]])
