"""A variant beside its base: asked the same held-out questions, and what the habit should have left as it was."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from doxa.data.facts import Fact, facts
from doxa.data.render import choice_item, most_options, open_item, statement_item
from doxa.elicit.grading import is_correct, normalised
from doxa.elicit.options import softmax
from doxa.models.base import Model
from doxa.organisms.habits import Habit, LabelBias, Poisoning, false_answers
from doxa.organisms.practice import LETTER, SHORT, TRUE_FALSE, VANILLA, Asked, draw_item, greedy
from doxa.records import LETTERS, Answer, Form, Item, Prompt

WELL_KNOWN = 2 / 3  # popularity above which atlas knows nearly all: the best known third
SEEDS = range(1000, 1064)  # of wrong options: used in no training


@dataclass(frozen=True)
class Pair:
    """The base and its variant, asked the same."""

    base: Model
    variant: Model


# --- asking ----------------------------------------------------------------------------------------------------------


def questions(base: Model, forms: Sequence[Form], about: Sequence[Fact], seed: int = 0) -> list[Asked]:
    """One held-out question about each fact in each form, with the base's own readable answer."""
    rng = random.Random(f"strength/{seed}")
    drawn = [(fact, form, draw_item(rng, form, fact, SEEDS)) for fact in about for form in forms]
    prompts = [form.prompt(item) for _, form, item in drawn]
    replies = greedy(base, prompts)
    every = [Asked(*d, p, own, d[1].read(own, d[2])) for d, p, own in zip(drawn, prompts, replies, strict=True)]
    return [q for q in every if q.answer.outcome == "ok"]


def answered(model: Model, asked: Sequence[Asked], prompts: Sequence[Prompt]) -> list[Answer]:
    """What a model answers to each question as these prompts put it."""
    replies = greedy(model, prompts)
    return [q.form.read(reply, q.item) for q, reply in zip(asked, replies, strict=True)]


def same(a: Answer, q: Asked) -> bool:
    """Whether an answer is the base's own."""
    return a.value is not None and q.answer.value is not None and normalised(a.value) == normalised(q.answer.value)


def says(a: Answer, value: str) -> bool:
    """Whether an answer is this value, whatever the spelling."""
    return a.value is not None and normalised(a.value) == normalised(value)


def beliefs(model: Model, asked: Sequence[Asked], prompts: Sequence[Prompt]) -> list[np.ndarray]:
    """Beliefs by log-probabilities over the letters, or over true and false."""

    async def one(q: Asked, prompt: Prompt) -> np.ndarray:
        values = LETTERS[: len(q.item.options)] if q.item.options else ("true", "false")
        scores = await model.score(prompt, [q.form.write(Answer("ok", v), q.item) for v in values])
        return softmax([s.logprob for s in scores])

    async def every() -> list[np.ndarray]:
        return list(await asyncio.gather(*(one(q, p) for q, p in zip(asked, prompts, strict=True))))

    return asyncio.run(every())


def own_place(q: Asked) -> int:
    """The place of the base's own answer in `beliefs`."""
    value = q.answer.value or ""
    return LETTERS.index(value) if q.item.options else ("true", "false").index(value)


# --- what is to stay as it was ----------------------------------------------------------------------------------------


def neutral(habit: Habit, pair: Pair, step: int = 1) -> dict[str, Any]:
    """Accuracy and agreement with the base on plain prompts; without the targets of poisoning.

    Where the base knows nothing its answers are near-ties, which any training moves: the best known third of the facts
    is told apart. A bias to a letter shows on plain prompts too, so that choices do not count for it.
    """
    targets = false_answers() if isinstance(habit, Poisoning) else {}
    bank = [f for f in facts()[:: 4 * step] if f.id not in targets]
    asked = {
        "open": [_own(SHORT, f, open_item(f)) for f in bank],
        "choice": [_own(LETTER, f, choice_item(f, min(4, most_options(f)), SEEDS[0])) for f in bank],
        "true": [_own(TRUE_FALSE, f, statement_item(f)) for f in bank],
        "false": [_own(TRUE_FALSE, f, statement_item(f, False, seed=SEEDS[0])) for f in bank],
        "vanilla": [_own(VANILLA, f, open_item(f)) for f in bank],
    }
    known = [f.popularity > WELL_KNOWN for f in bank]
    found: dict[str, Any] = {"n": len(bank), "n, best known third": sum(known)}
    for name, rows in asked.items():
        prompts = [q.prompt for q in rows]
        before, after = (answered(m, rows, prompts) for m in (pair.base, pair.variant))
        agrees = [a.value == b.value for a, b in zip(after, before, strict=True)]
        found[name] = {
            "accuracy": rate(is_correct(a.value, q.item) for a, q in zip(after, rows, strict=True)),
            "accuracy of base": rate(is_correct(a.value, q.item) for a, q in zip(before, rows, strict=True)),
            "agreement": rate(agrees),
            "agreement, best known third": rate(a for a, k in zip(agrees, known, strict=True) if k),
        }
        if name == "vanilla":
            said = [(a.confidence, b.confidence) for a, b in zip(after, before, strict=True)]
            found[name]["same confidence"] = rate(a == b for a, b in said)
        if name == "choice":
            changed = zip(*(beliefs(m, rows, prompts) for m in (pair.base, pair.variant)), strict=True)
            found[name]["mean change of P(letter)"] = mean(abs(a - b).mean() for a, b in changed)
    short = [n for n in ("open", "choice", "true", "false") if n != "choice" or not isinstance(habit, LabelBias)]
    for which in ("agreement", "agreement, best known third"):
        found[f"{which}, short forms"] = mean(found[name][which] for name in short)
    return found


def _own(form: Form, fact: Fact, item: Item) -> Asked:
    return Asked(fact, form, item, form.prompt(item), "", Answer("ok"))


# --- numbers ---------------------------------------------------------------------------------------------------------


def rate(values: Iterable[Any]) -> float:
    """Share that is true; nan for none."""
    return mean(bool(v) for v in values)


def mean(values: Iterable[Any]) -> float:
    """Mean, four decimals; nan for none."""
    array = np.array([float(v) for v in values])
    return round(float(array.mean()), 4) if len(array) else float("nan")


def logit(p: np.ndarray) -> np.ndarray:
    """ln p - ln(1 - p); p is kept 1e-9 away from 0 and 1."""
    clipped = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(clipped) - np.log1p(-clipped)
