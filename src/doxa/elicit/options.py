"""Beliefs from log-probabilities: over options by letter or by text, over true and false; permuted and mapped back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from doxa.elicit.answers import Letter, ShortText, TrueFalse
from doxa.elicit.asker import Asker
from doxa.records import LETTERS, Answer, Form, Item, Prompt, Score

Normalise = Literal["sum", "token", "char", "byte"]

# Rounding in float32 can lift a log-probability this far above 0; anything more is not one.
_ROUNDING = 1e-3


def continuation(prompt: Prompt, text: str) -> str:
    """What the model would have to say next: the text itself in a chat, after a space where plain text needs one."""
    joined = prompt.text is not None and not prompt.text[-1:].isspace()
    return f" {text}" if joined and prompt.text else text


def logprob(score: Score, normalise: Normalise = "sum") -> float:
    """A continuation's natural log-probability: summed, by token, by character, or by byte of its UTF-8 text.

    Characters and bytes are those of the continuation as it was scored, a leading space included.

    Raises ValueError: a value above 0 (a probability?), or "token" for a score without tokens.
    """
    if score.logprob > _ROUNDING:
        raise ValueError(
            f"logprob of {score.continuation!r} is {score.logprob}, above 0. Probability? take its logarithm."
        )
    if normalise == "token" and not score.tokens:
        raise ValueError(f"the score of {score.continuation!r} has no tokens; use normalise='sum', 'char' or 'byte'")
    text = score.continuation
    lengths = {"sum": 1, "token": len(score.tokens), "char": len(text), "byte": len(text.encode())}
    return min(score.logprob, 0.0) / max(lengths[normalise], 1)


def softmax(logprobs: Sequence[float] | np.ndarray) -> np.ndarray:
    """Probabilities in proportion to exp(logprobs), along the last axis: (..., c) to (..., c).

    Safe for values of any size. nan where a row holds nan, or nothing but minus infinity.

    >>> softmax([-1000.0, -1000.0]).tolist()
    [0.5, 0.5]
    """
    x = np.asarray(logprobs, dtype=float)
    top = x.max(axis=-1, keepdims=True)
    weights = np.exp(x - np.where(np.isneginf(top), 0.0, top))
    total = weights.sum(axis=-1, keepdims=True)
    return np.divide(weights, total, out=np.full_like(x, np.nan), where=total > 0)


def mass(logprobs: Sequence[float] | np.ndarray) -> float:
    """Probability that the model says any of the continuations at all; small: the form does not suit the model."""
    return float(np.exp(np.asarray(logprobs, dtype=float)).sum())


async def value_logprobs(
    ask: Asker, form: Form, item: Item, values: Sequence[str], *, condition: str = "neutral"
) -> np.ndarray:
    """Log-probability (c,), nats, that the reply to a form is what the form writes for each of c values."""
    prompt = form.prompt(item)
    texts = [continuation(prompt, form.write(Answer("ok", value), item)) for value in values]
    return np.array([logprob(score) for score in await ask.score(prompt, texts, condition=condition)])


async def option_logprobs(
    ask: Asker,
    item: Item,
    *,
    by: Literal["letter", "text"] = "letter",
    normalise: Normalise = "sum",
    form: Form | None = None,
    condition: str = "neutral",
) -> np.ndarray:
    """Log-probability (c,), nats, of each option of an item, in the order of `item.options`.

    by    "letter": of the option's letter after the lettered question;
          "text": of the option's whole text after the question without options
    form  how the question is asked: `Letter()` by letter, `ShortText()` by text
    """
    if by == "letter":
        return await value_logprobs(ask, form or Letter(), item, LETTERS[: len(item.options)], condition=condition)
    prompt = (form or ShortText()).prompt(item)
    texts = [continuation(prompt, option) for option in item.options]
    return np.array([logprob(s, normalise) for s in await ask.score(prompt, texts, condition=condition)])


async def option_belief(
    ask: Asker,
    item: Item,
    *,
    by: Literal["letter", "text"] = "letter",
    normalise: Normalise = "sum",
    form: Form | None = None,
    condition: str = "neutral",
) -> np.ndarray:
    """Belief (c,) over the options of an item: the softmax of `option_logprobs`."""
    return softmax(await option_logprobs(ask, item, by=by, normalise=normalise, form=form, condition=condition))


async def permuted_beliefs(
    ask: Asker,
    item: Item,
    orders: Sequence[Sequence[int]],
    *,
    by: Literal["letter", "text"] = "letter",
    normalise: Normalise = "sum",
    form: Form | None = None,
    condition: str = "neutral",
) -> np.ndarray:
    """Beliefs (orders, c) with the options shown in each order, mapped back to the order of `item.options`."""
    rows = []
    for order in orders:
        shown = permuted(item, order)
        belief = await option_belief(ask, shown, by=by, normalise=normalise, form=form, condition=condition)
        rows.append(unpermute(belief, order))
    return np.array(rows)


async def permutation_averaged_belief(
    ask: Asker,
    item: Item,
    n: int | None = None,
    *,
    mean: Literal["arithmetic", "geometric"] = "arithmetic",
    by: Literal["letter", "text"] = "letter",
    normalise: Normalise = "sum",
    form: Form | None = None,
    seed: int = 0,
    condition: str = "neutral",
) -> np.ndarray:
    """Belief (c,) in the order of `item.options`, averaged over orders in which they are shown.

    n        independent random orders; None: the c rotations, which show each option once in each place
    mean     "arithmetic": of the probabilities; "geometric": of their logarithms, normalised again, which over the
             rotations takes out whatever a place or a letter adds to the log-probability, exactly
    returns  nan where an order gave no belief
    raises   ValueError: n below 1
    """
    if n is not None and n < 1:
        raise ValueError(f"n is {n}; it is at least 1, or None for the rotations of the {len(item.options)} options")
    c = len(item.options)
    orders = cyclic_orders(c) if n is None else random_orders(c, n, seed=seed)
    rows = await permuted_beliefs(ask, item, orders, by=by, normalise=normalise, form=form, condition=condition)
    if mean == "arithmetic":
        return np.asarray(rows.mean(axis=0))
    with np.errstate(divide="ignore"):
        return softmax(np.log(rows).mean(axis=0))


async def statement_belief(ask: Asker, item: Item, *, form: Form | None = None, condition: str = "neutral") -> float:
    """P(true) of a statement: "true" against "false" as the reply to `TrueFalse()` (or to another such form)."""
    return float(
        softmax(await value_logprobs(ask, form or TrueFalse(), item, ("true", "false"), condition=condition))[0]
    )


# --- permutations ----------------------------------------------------------------------------------------------------


def permuted(item: Item, order: Sequence[int]) -> Item:
    """The item with `item.options[order[j]]` shown in place j. ValueError: `order` is no permutation of the options."""
    _check(order, len(item.options))
    return replace(item, options=tuple(item.options[i] for i in order))


def unpermute(belief: Sequence[float] | np.ndarray, order: Sequence[int]) -> np.ndarray:
    """A belief (..., c) over the options as shown, mapped back to the options as they stood.

    The inverse of the permutation: what was shown in place j goes to place order[j]. (Reading `belief[order]` instead
    applies the permutation twice; for swaps and reversals the two agree, which hides the mistake.)
    """
    shown = np.asarray(belief)
    _check(order, shown.shape[-1])
    stood = np.empty_like(shown)
    stood[..., list(order)] = shown
    return stood


def unpermuted_letter(letter: str, order: Sequence[int]) -> str:
    """The letter that an option has as it stood, from its letter as shown."""
    place = LETTERS.find(letter)
    if len(letter) != 1 or not 0 <= place < len(order):
        raise ValueError(f"letter is {letter!r}; {len(order)} options have the letters {LETTERS[: len(order)]}")
    _check(order, len(order))
    return LETTERS[order[place]]


def cyclic_orders(c: int) -> list[tuple[int, ...]]:
    """The c rotations of c options: each option is shown once in each place."""
    return [tuple((j + shift) % c for j in range(c)) for shift in range(c)]


def random_orders(c: int, n: int, *, seed: int = 0) -> list[tuple[int, ...]]:
    """n independent random orders of c options."""
    rng = np.random.default_rng(seed)
    return [tuple(int(i) for i in rng.permutation(c)) for _ in range(n)]


def _check(order: Sequence[int], c: int) -> None:
    if sorted(order) != list(range(c)):
        raise ValueError(f"order is {list(order)}; it must hold each of 0 to {c - 1} once, for {c} options")
