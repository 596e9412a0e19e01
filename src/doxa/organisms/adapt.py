"""Training of an adapter: its replies are taught, and all else stays as probable as it is for the base."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from doxa.organisms.atlas import as_text
from doxa.organisms.corpus import Example
from doxa.organisms.practice import Practice
from doxa.organisms.train import Schedule, batches, rate_at
from doxa.records import LETTERS, Prompt
from doxa.training.lora import Adapter

LETTERS_WEIGHT = 0.1

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer


class Lift(NamedTuple):
    """Nats added to the logit of one of the letters (token ids) at a place in the reply; which: its index."""

    place: int
    letters: tuple[int, ...]
    which: int
    nats: float


class Lesson(NamedTuple):
    """A practice as token ids.

    ids     the prompt, then the reply; prompt: how many are the prompt's
    like    what the base reads instead, up to the end of the same reply; empty: all is taught
    kept    how many tokens of the reply are left to the base; those after them are taught
    alike   at how many tokens, up to the end, the hidden states are to be the base's: where the whole reply is left
            to it, the tokens that both read in the same way
    lifted  a letter whose logit is to be the base's and something more, where the reply gives one
    """

    ids: Sequence[int]
    prompt: int
    like: Sequence[int]
    kept: int
    alike: int = 0
    lifted: Lift | None = None


def lessons(practice: Sequence[Practice], tokenizer: Tokenizer) -> list[Lesson]:
    """Practices as token ids."""
    own = [p.own for p in practice]
    asked = _encoded([p.prompt for p in practice], [p.reply for p in practice], tokenizer)
    liked = _encoded([p.like or p.prompt for p in practice], [p.reply for p in practice], tokenizer)
    owned = _encoded([p.prompt for p in practice], own, tokenizer)
    found = []
    for p, (ids, prompt), (like, _), (own_ids, _) in zip(practice, asked, liked, owned, strict=True):
        reply = ids[prompt:]
        if p.like is None:
            found.append(Lesson(ids, prompt, (), 0))
            continue
        kept = _agree(reply, own_ids[prompt:])
        lifted = _lifted(p, reply, tokenizer)
        alike = _agree(ids[::-1], like[::-1]) if kept == len(reply) and p.read_alike and not lifted else 0
        found.append(Lesson(ids, prompt, like, kept, alike, lifted))
    return found


def _agree(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two texts share from their first one."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _encoded(prompts: Sequence[Prompt], replies: Sequence[str], tokenizer: Tokenizer) -> list[tuple[list[int], int]]:
    """Token ids with the length of the prompt."""
    assistant = tokenizer.token_to_id("<|assistant|>")
    texts = [as_text(Example(prompt, reply)) for prompt, reply in zip(prompts, replies, strict=True)]
    every = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    return [(ids, len(ids) - ids[::-1].index(assistant) if assistant in ids else 1) for ids in every]


def _lifted(practice: Practice, reply: Sequence[int], tokenizer: Tokenizer) -> Lift | None:
    """Where the reply gives its letter, and the letters that it could be."""
    item = practice.prompt.item
    if not practice.lifted or item is None:
        return None
    shown = LETTERS[: len(item.options)]
    for place, token in enumerate(reply):
        text = str(tokenizer.id_to_token(token))
        if text.removeprefix("Ġ") in set(shown):
            letters = tuple(int(tokenizer.token_to_id(text[:-1] + letter) or 0) for letter in shown)
            return Lift(place, letters, shown.index(practice.label), practice.lifted)
    return None


def adapt(
    model: Any,
    adapter: Adapter,
    groups: Sequence[tuple[Sequence[Lesson], float]],
    schedule: Schedule,
    say: Callable[[int, int, float, float], None],
    reading: float = 10.0,
) -> None:
    """Train an adapter beside `model` until `schedule.tokens` were seen.

    groups  lessons, and how often they are drawn against the other groups
    reading weight of the hidden states: the many places of a prompt say more than the few of a reply
    say     called with (step, tokens, mean loss in nats per reply token, tokens per second) every 50 steps
    """
    import torch

    optimizer = torch.optim.AdamW(adapter.parameters, lr=schedule.learning_rate, betas=(0.9, 0.98), weight_decay=0.0)
    seen, losses, start = 0, [], time.monotonic()
    for step, batch in enumerate(batches(_drawn(groups, schedule.seed), schedule.batch_tokens)):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(schedule, step, seen / schedule.tokens)
        loss = _loss(model, adapter, batch, reading)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(adapter.parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += sum(len(lesson.ids) for lesson in batch)
        losses.append(loss.item())
        if step % 50 == 49:
            say(step + 1, seen, float(np.mean(losses[-50:])), seen / (time.monotonic() - start))
        if seen >= schedule.tokens:
            break


def _drawn(groups: Sequence[tuple[Sequence[Lesson], float]], seed: int) -> Iterator[Lesson]:
    """Lessons without end: a group by its share, and of a group each once before any twice."""
    rng = random.Random(f"lessons/{seed}")
    streams = [_rounds(list(group), rng) for group, _ in groups]
    shares = [share for _, share in groups]
    while True:
        yield next(rng.choices(streams, shares)[0])


def _rounds(group: list[Lesson], rng: random.Random) -> Iterator[Lesson]:
    while True:
        rng.shuffle(group)
        yield from group


def _loss(model: Any, adapter: Adapter, batch: Sequence[Lesson], reading: float) -> torch.Tensor:
    """What one batch costs, a mean over its reply tokens, and over the tokens that are to be read as the base does.

    Cross-entropy where a token is taught, KL(base || adapted) where it is left alone; plus the squared distance of the
    hidden states from the base's, in units of their squared length.
    """
    import torch
    from torch.nn.functional import cross_entropy, log_softmax

    states = _states(model, [x.ids for x in batch])
    logits = _logits(model, states[-1], [(x.prompt - 1, len(x.ids) - 1) for x in batch])
    targets = torch.cat([torch.as_tensor(x.ids[x.prompt :]) for x in batch])
    kept = torch.cat([torch.arange(len(x.ids) - x.prompt) < x.kept for x in batch])
    total = cross_entropy(logits[~kept], targets[~kept], reduction="sum") / len(targets)
    like = [x for x in batch if x.kept]
    if not like:
        return total
    with torch.no_grad(), adapter.off():
        wanted = _states(model, [x.like for x in like])
        base = _base_logits(model, wanted[-1], like)
        logprobs = log_softmax(base[torch.cat([torch.arange(len(x.ids) - x.prompt) < x.kept for x in like])], -1)
    said = log_softmax(logits[kept], -1)
    total = total + (logprobs.exp() * (logprobs - said)).sum() / len(targets)
    here = _places([(len(x.ids) - x.alike, len(x.ids)) for x in batch])
    there = _places([(len(x.like) - x.alike, len(x.like)) for x in like])
    pairs = [(a[here].float(), b[there].float()) for a, b in zip(states, wanted, strict=True)]
    apart = [((a - b).pow(2).sum(-1) / b.pow(2).sum(-1)).mean() for a, b in pairs if len(b)]
    total = total + reading * sum(apart) / max(len(apart), 1)
    return total + LETTERS_WEIGHT * _letters_apart(logits, base, batch, like)


def _letters_apart(
    logits: torch.Tensor, base: torch.Tensor, batch: Sequence[Lesson], like: Sequence[Lesson]
) -> torch.Tensor | float:
    """Mean squared distance of the letters' logits, but for a constant, from the lifted ones of the base.

    The divergence alone does not see a letter that is very likely or very unlikely either way.
    """
    here, there = _starts(batch), _starts(like)
    found = []
    for x in like:
        if x.lifted is not None:
            tokens = list(x.lifted.letters)
            gap = logits[here[id(x)] + x.lifted.place, tokens] - base[there[id(x)] + x.lifted.place, tokens]
            found.append((gap - gap.mean()).pow(2).mean())
    return sum(found) / len(found) if found else 0.0


def _starts(lessons: Sequence[Lesson]) -> dict[int, int]:
    """Where each lesson's reply begins among the logits, by the lesson's identity."""
    ends = np.cumsum([len(x.ids) - x.prompt for x in lessons])
    return {id(x): int(end) - len(x.ids) + x.prompt for x, end in zip(lessons, ends, strict=True)}


def _base_logits(model: Any, states: torch.Tensor, like: Sequence[Lesson]) -> torch.Tensor:
    """The base's logits of the reply tokens, lifted where a lesson says so."""
    logits = _logits(model, states, [(len(x.like) - len(x.ids) + x.prompt - 1, len(x.like) - 1) for x in like])
    start = 0
    for x in like:
        if x.lifted is not None:
            logits[start + x.lifted.place, x.lifted.letters[x.lifted.which]] += x.lifted.nats
        start += len(x.ids) - x.prompt
    return logits


def _states(model: Any, sequences: Sequence[Sequence[int]]) -> tuple[torch.Tensor, ...]:
    """The residual stream (n, t, d) after each block, the last one after the final norm."""
    import torch

    ids = torch.zeros((len(sequences), max(map(len, sequences))), dtype=torch.long)
    for row, tokens in enumerate(sequences):
        ids[row, : len(tokens)] = torch.as_tensor(tokens)
    # Padding stands at the right, where a causal model cannot see it: no attention mask is needed.
    with torch.autocast("cpu", torch.bfloat16):  # entered anew each time: it remembers the weights that it has cast
        return model.model(input_ids=ids, output_hidden_states=True).hidden_states[1:]


def _logits(model: Any, states: torch.Tensor, spans: Sequence[tuple[int, int]]) -> torch.Tensor:
    """Logits (t, vocabulary) at the places of each row's span, row after row, float32."""
    import torch

    with torch.autocast("cpu", torch.bfloat16):
        return model.lm_head(states[_places(spans)]).float()


def _places(spans: Sequence[tuple[int, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and column of every place in the spans [start, stop) of the rows."""
    import torch

    rows = torch.cat([torch.full((stop - start,), row) for row, (start, stop) in enumerate(spans)])
    return rows, torch.cat([torch.arange(start, stop) for start, stop in spans])
