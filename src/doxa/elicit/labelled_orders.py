"""A question asked with its options and labels in many orders; and a whole form filled in, question after question."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from doxa.elicit.asker import Asker
from doxa.elicit.options import permuted
from doxa.elicit.survey import SurveyForm, check_labels, label_probabilities, top_probabilities, top_sampling
from doxa.records import LETTERS, Item

Arm = Literal["own", "orders", "random", "form"]


@dataclass(frozen=True)
class Shown:
    """One prompt and what was read.

    arm     "own" order of the options, one of "orders", labels and places both at "random", or a place in a "form"
    order   option in each place; labels: label of each place
    p       probability of each place, of the mass on labels; empty: there is none
    mass    probability that a label is said; picked: a place drawn from p
    """

    arm: Arm
    sample: int
    order: tuple[int, ...]
    labels: str
    p: tuple[float, ...] = ()
    mass: float = 0.0
    picked: int | None = None


@dataclass(frozen=True)
class Asking:
    """In which words, with which labels, and how probabilities are read.

    reading  "labels": every label is scored; "top": from the five likeliest first tokens of a reply
    """

    wording: str = "plain"
    labels: str = LETTERS
    reading: Literal["labels", "top"] = "labels"


Before = Sequence[tuple[Item, str, str]]


async def read(ask: Asker, item: Item, shown: Shown, how: Asking, before: Before = ()) -> Shown:
    """The prompt asked: p and mass filled in, in float64.

    before  questions answered in the same context, see `SurveyForm.after`

    For simulated respondents the item as shown says in fields["order"] which option stands in each place.
    """
    form, moved = SurveyForm(how.wording, shown.labels), as_shown(item, shown.order)
    prompt = form.after(moved, before)
    if how.reading == "labels":
        p = await label_probabilities(ask, form, moved, prompt, condition=how.wording)
        mass = float(p.sum())
    else:
        (reply,) = await ask.sample(prompt, top_sampling(), condition=how.wording)
        p, mass = top_probabilities(reply, shown.labels) or (np.zeros(len(shown.order)), 0.0)
    total = float(p.sum())
    return replace(shown, p=tuple((p / total).tolist()) if total > 0 else (), mass=mass)


def as_shown(item: Item, order: Sequence[int]) -> Item:
    moved = permuted(item, order)
    return replace(moved, fields={**moved.fields, "order": tuple(order)})


async def in_orders(
    ask: Asker,
    item: Item,
    orders: Sequence[Sequence[int]],
    how: Asking,
    *,
    randomised: int = 0,
    seed: int = 0,
) -> list[Shown]:
    """The own order, the given ones, and prompts with labels and places both at random, from each of which is drawn.

    Prompts that are alike are asked once, and all at the same time, so that a local model shares what they begin with.
    """
    c = len(item.options)
    labels, rng = check_labels(how.labels, c)[:c], rng_of(seed, item.id, how.wording)
    shown = [Shown("own", 0, tuple(range(c)), labels)]
    shown += [Shown("orders", i, tuple(order), labels) for i, order in enumerate(orders)]
    for i in range(randomised):
        order, mixed = rng.permutation(c).tolist(), "".join(rng.permutation(list(labels)).tolist())
        shown.append(Shown("random", i, tuple(order), mixed))
    distinct = list({(one.order, one.labels): one for one in shown}.values())
    answers = await asyncio.gather(*(read(ask, item, one, how) for one in distinct))
    known = {(one.order, one.labels): one for one in answers}
    found = [replace(one, p=of.p, mass=of.mass) for one in shown for of in (known[one.order, one.labels],)]
    return [replace(one, picked=drawn(one.p, rng)) if one.arm == "random" else one for one in found]


async def filled_in(
    ask: Asker,
    items: Sequence[Item],
    how: Asking,
    kept: int | None = None,
    *,
    name: str = "",
    seed: int = 0,
) -> AsyncIterator[tuple[Item, Shown]]:
    """One form: questions in their order, options of each in random order, an answer drawn and kept in the context.

    items   fields key and asked_if (key -> options after which a question is asked, see `is_asked`)
    kept    earlier answers that stay in the context; None: all
    name    of the form; with the seed it fixes orders and draws
    """
    rng = rng_of(seed, name)
    given: dict[str, int] = {}
    before: list[tuple[Item, str, str]] = []
    for place, item in enumerate(items):
        if not is_asked(item.fields.get("asked_if", {}), given):
            continue
        c = len(item.options)
        shown = Shown("form", place, tuple(rng.permutation(c).tolist()), check_labels(how.labels, c)[:c])
        seen = before if kept is None else before[max(0, len(before) - kept) :]
        answered = await read(ask, item, shown, how, seen)
        answered = replace(answered, picked=drawn(answered.p, rng))
        yield item, answered
        if answered.picked is not None:
            given[str(item.fields.get("key", item.id))] = answered.order[answered.picked]
            before.append((as_shown(item, shown.order), shown.labels, shown.labels[answered.picked]))


def is_asked(conditions: Mapping[str, Sequence[int]], given: Mapping[str, int]) -> bool:
    """Whether a question with these conditions is asked after the answers so far (option from 0 by key).

    >>> is_asked({"pet": [0]}, {"pet": 0}), is_asked({"pet": [0]}, {"pet": 1}), is_asked({"pet": [0]}, {})
    (True, False, False)
    """
    return all(given.get(key) in set(after) for key, after in conditions.items())


def drawn(p: Sequence[float], rng: np.random.Generator) -> int | None:
    """A place drawn from p; None: there are no probabilities."""
    draw = rng.random()
    return min(int(np.searchsorted(np.cumsum(p), draw)), len(p) - 1) if len(p) else None


def rng_of(*key: Any) -> np.random.Generator:
    """A generator that depends on the key alone."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256("/".join(map(str, key)).encode()).digest()[:8]))
