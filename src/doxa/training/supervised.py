"""Supervised training of a judge: an adapter beside a local model, with a scalar head or with the words yes and no."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, same_length
from doxa.models.base import Model
from doxa.probes.fitting import soft_labels
from doxa.probes.heads import ConfidenceHead
from doxa.records import DoxaError
from doxa.training import lora
from doxa.training.cases import CORRECT, KNOWS, Card, Case, identity_of, prompt_of
from doxa.training.correctness import CorrectnessModel, heard
from doxa.training.trainee import Row, Trainee, passes

if TYPE_CHECKING:
    import torch

Say = Callable[[int, int, float], None]
WORDS = ("yes", "no")
STANDARD_ROWS = 2048  # cases whose hidden states say how far these reach
POOL = 64  # batches whose cases are drawn together and sorted by length


@dataclass(frozen=True)
class Settings:
    """How a judge is trained.

    rank, scale    of the adapter: scale * B A is added to each of `layers` (in PEFT's words scale is alpha / rank)
    learning_rate  of the adapter, and head_rate of the head: both rise over the first `warmup` of the steps and fall
                   to 0 at the end
    batch          cases of one step; batch_tokens: of one pass, padding counted, which bounds the memory
    layer          block whose hidden state the head reads; -1 is the last
    """

    rank: int = 16
    scale: float = 2.0
    layers: tuple[str, ...] = ("q_proj", "v_proj")
    learning_rate: float = 2e-4
    head_rate: float = 1e-2
    weight_decay: float = 0.01
    epochs: int = 1
    batch: int = 16
    batch_tokens: int = 4096
    warmup: float = 0.05
    layer: int = -1
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.rank, self.epochs, self.batch, self.batch_tokens) < 1:
            raise ValueError(f"rank, epochs, batch and batch_tokens are at least 1; settings are {self}")
        if not (self.learning_rate > 0 and self.head_rate > 0 and 0 <= self.warmup < 1):
            raise ValueError(f"rates are above 0 and warmup in [0, 1); settings are {self}")


def train(
    model: Model,
    cases: Sequence[Case],
    target: ArrayLike,
    *,
    by: Literal["head", "words"] = "head",
    template: str | None = None,
    words: tuple[str, str] = WORDS,
    settings: Settings | None = None,
    say: Say | None = None,
) -> CorrectnessModel:
    """Train an adapter beside a local model on n cases, with cross-entropy on the last token only.

    target    (n,) in [0, 1]: whether, or how often, each was right; a rate is worth as many cases with hard labels
    by        "head": a logistic head on the last token's hidden state, trained with the adapter;
              "words": the probability of `words`, right and wrong, as the reply
    template  what is read, see `Case`; None: each case's own prompt
    say       called after each step with (steps done, steps in all, mean loss of the step in nats)
    returns   the judge; the model itself answers as before, and can be asked meanwhile
    raises    ValueError: one class, unequal lengths; DoxaError: no local model, layers that it does not have, a prompt
              too long, a loss that is no number
    source    head: Kadavath et al. 2022, arXiv 2207.05221; words: arXiv 2509.24988. A linear rise and fall of
              the rate and the head's start at the base rate are ours
    """
    how, label = settings or Settings(), soft_labels(target)
    same_length(cases=np.empty(len(cases)), target=label)
    trainee = Trainee(model)
    rows = trainee.rows([prompt_of(case, template) for case in cases], words if by == "words" else None)
    layer = how.layer % max(trainee.layers, 1)
    if by == "head" and not -trainee.layers <= how.layer < trainee.layers:
        raise ValueError(f"layer is {how.layer}; there are {trainee.layers} blocks, counted from 0 (from the end: -1)")

    def start() -> tuple[lora.Adapter, _Head | None]:
        adapter = lora.Adapter(trainee.network.model, how.rank, how.seed, scale=how.scale, layers=how.layers)
        adapter.on = False
        return adapter, _Head(trainee, rows, label, layer, how) if by == "head" else None

    adapter, head = trainee.alone(start)
    try:
        _fit(trainee, adapter, head, rows, label, how, say or (lambda step, steps, loss: None))
    except BaseException:
        adapter.remove()
        raise
    card = Card(
        "adapter with head" if head else "adapter, yes/no",
        CORRECT if template is not None and "{answer}" in template else KNOWS,
        template=template,
        layer=layer if head else None,
        position=-1 if head else None,
        words=None if head else words,
        base=identity_of(model),
        n=len(cases),
        settings=asdict(how),
    )
    return CorrectnessModel(trainee, adapter, card, head.fitted() if head else None)


class _Head:
    """The scalar head while it is trained, on hidden states standardised as the base gives them for these cases."""

    def __init__(self, trainee: Trainee, rows: Sequence[Row], label: Floats, layer: int, how: Settings) -> None:
        import torch

        self.layer = layer
        chosen = np.random.default_rng(how.seed).permutation(len(rows))[:STANDARD_ROWS]
        some = [rows[i] for i in chosen]
        with torch.no_grad():
            parts = [trainee.states([some[i] for i in part], layer) for part in passes(some, how.batch_tokens)]
        states = torch.cat(parts)
        self.mean, sd = states.mean(0), states.std(0, correction=0)
        self.scale = torch.where(sd > 1e-6 * (1 + self.mean.abs()), sd, torch.ones_like(sd))
        self.weight = torch.nn.Parameter(torch.zeros_like(self.mean))
        rate = float(label.mean())
        self.bias = torch.nn.Parameter(torch.tensor([math.log(rate / (1 - rate))], device=trainee.device))

    def score(self, states: torch.Tensor) -> torch.Tensor:
        """Log-odds (n,)."""
        return ((states - self.mean) / self.scale) @ self.weight + self.bias

    def fitted(self) -> ConfidenceHead:
        weight, mean, scale = (x.detach().double().cpu().numpy() for x in (self.weight, self.mean, self.scale))
        return ConfidenceHead(weight, float(self.bias.item()), mean, scale)


def _fit(
    trainee: Trainee,
    adapter: lora.Adapter,
    head: _Head | None,
    rows: Sequence[Row],
    label: Floats,
    how: Settings,
    say: Say,
) -> None:
    import torch

    groups: list[dict[str, Any]] = [{"params": adapter.parameters, "lr": how.learning_rate}]
    if head is not None:
        groups.append({"params": [head.weight, head.bias], "lr": how.head_rate})
    optimizer = torch.optim.AdamW(groups, weight_decay=how.weight_decay)
    trained = [p for group in groups for p in group["params"]]
    full = [group["lr"] for group in groups]
    steps = list(batches(rows, how))

    def step(number: int, batch: list[int]) -> float:
        for group, rate in zip(optimizer.param_groups, full, strict=True):
            group["lr"] = rate * rate_at(number, len(steps), how.warmup)
        total = 0.0
        some = [rows[i] for i in batch]
        with heard(adapter):
            for part in passes(some, how.batch_tokens):
                wanted = torch.as_tensor(label[[batch[i] for i in part]], dtype=torch.float32, device=trainee.device)
                loss = _loss(trainee, head, [some[i] for i in part], wanted) / len(batch)
                loss.backward()
                total += loss.item()
        if not math.isfinite(total):
            raise DoxaError(f"the loss of step {number + 1} is {total}; lower the learning rate, or load as float32")
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return total

    for number, batch in enumerate(steps):
        loss = trainee.alone(partial(step, number, batch))
        say(number + 1, len(steps), loss)


def _loss(trainee: Trainee, head: _Head | None, rows: Sequence[Row], wanted: torch.Tensor) -> torch.Tensor:
    """Summed cross-entropy, nats: of the head's probability, or of the two words among all tokens."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    if head is not None:
        score = head.score(trainee.states(rows, head.layer))
        return binary_cross_entropy_with_logits(score, wanted, reduction="sum")
    logprobs = trainee.logits(rows).log_softmax(-1)
    at = torch.arange(len(rows), device=logprobs.device)
    yes, no = (torch.as_tensor(tokens, device=logprobs.device) for tokens in zip(*(r[1:] for r in rows), strict=True))
    return -(wanted * logprobs[at, yes] + (1 - wanted) * logprobs[at, no]).sum()


def batches(rows: Sequence[Row], how: Settings) -> Iterator[list[int]]:
    """Indices of each step's cases: each case once in an epoch, those of about one length together, in random order."""
    rng = np.random.default_rng(how.seed)
    for _ in range(how.epochs):
        order = rng.permutation(len(rows))
        for begin in range(0, len(order), how.batch * POOL):
            pool = sorted(order[begin : begin + how.batch * POOL].tolist(), key=lambda i: len(rows[i].ids))
            cut = [pool[i : i + how.batch] for i in range(0, len(pool), how.batch)]
            yield from (cut[i] for i in rng.permutation(len(cut)))


def rate_at(step: int, steps: int, warmup: float) -> float:
    """Share of the full learning rate at a step, counted from 0: up over the warm-up, then down towards 0.

    >>> [round(rate_at(step, 4, 0.25), 2) for step in range(4)]
    [1.0, 1.0, 0.67, 0.33]
    """
    rising = warmup * steps
    return min((step + 1) / max(rising, 1), (steps - step) / max(steps - rising, 1))
