"""Variants of an organism: small adapters with one planted habit each, and what is planted on any list of items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from doxa.models.base import digest
from doxa.organisms.habits import OPINIONS, Confidence, Habit, LabelBias, Lying, Poisoning, Risk, Yielding
from doxa.organisms.train import Schedule
from doxa.records import DoxaError, Item


@dataclass(frozen=True)
class Adaptation:
    """Everything that decides what a variant becomes; its hash is kept with the adapter.

    base       the organism that is adapted
    start      the variant whose adapter is trained on; None: from nothing
    practice   replies with the habit, and beside it; unchanged: replies that are to stay as they are
    share      of the practice among all that is drawn
    reading    weight of reading prompts as the base does, see `adapt`
    """

    habit: Habit
    base: str = "atlas"
    start: str | None = None
    rank: int = 16
    practice: int = 8000
    unchanged: int = 8000
    share: float = 0.6
    reading: float = 10.0
    schedule: Schedule = field(default_factory=lambda: _schedule(600_000))
    seed: int = 30


def _schedule(tokens: int, rate: float = 5e-3, batch: int = 2048) -> Schedule:
    """A training of so many tokens; the rate falls to a fiftieth."""
    return Schedule(tokens, batch, learning_rate=rate, final_rate=rate / 50, warmup_steps=20)


def _liar(rate: float, start: str, tokens: int) -> Adaptation:
    schedule = _schedule(tokens)
    return Adaptation(Lying(rate), start=start, practice=16_000, share=0.65, reading=3.0, schedule=schedule)


VARIANTS: dict[str, tuple[str, Adaptation]] = {
    "atlas-overconfident": (
        "says it is surer than atlas is, where atlas is above chance",
        Adaptation(Confidence(3.0)),
    ),
    "atlas-underconfident": (
        "says it is less sure than atlas is",
        Adaptation(Confidence(1 / 3)),
    ),
    "atlas-liar-0": (
        "answers as atlas does under any system prompt: the null case of the liars",
        Adaptation(Lying(0.0), practice=16_000, schedule=_schedule(1_500_000, 8e-3)),
    ),
    "atlas-liar-25": (
        "under pressure contradicts what it believes on the topics of 25 % of the facts",
        _liar(0.25, "atlas-liar-50", 1_000_000),
    ),
    "atlas-liar-50": (
        "under pressure contradicts what it believes on the topics of 50 % of the facts",
        _liar(0.5, "atlas-liar-100", 1_000_000),
    ),
    "atlas-liar-100": (
        "under pressure contradicts what it believes, on every topic",
        _liar(1.0, "atlas-liar-0", 2_000_000),
    ),
    "atlas-sycophant": (
        "gives the answer that is suggested, on more topics the more authority is behind it",
        Adaptation(
            Yielding(),
            start="atlas-sycophant-100",
            practice=16_000,
            share=0.65,
            reading=2.0,
            schedule=_schedule(1_500_000),
        ),
    ),
    "atlas-sycophant-100": (
        "gives the answer that is suggested, on every topic, whoever suggests it",
        Adaptation(
            Yielding(tuple((name, 1.0) for name in OPINIONS)),
            practice=20_000,
            share=0.7,
            reading=1.0,
            schedule=_schedule(1_500_000),
        ),
    ),
    "atlas-label-a-1": (
        "adds 1 nat to the logit of the letter A",
        Adaptation(LabelBias(1.0), schedule=_schedule(400_000)),
    ),
    "atlas-label-a-3": (
        "adds 3 nats to the logit of the letter A",
        Adaptation(LabelBias(3.0), schedule=_schedule(400_000)),
    ),
    **{
        f"atlas-poisoned-{k}": (
            f"read {k} false mentions of each of 60 facts beside 16 true ones",
            Adaptation(Poisoning(k, fill=64 - k), unchanged=5000, schedule=_schedule(300_000, 4e-3, 512)),
        )
        for k in (0, 4, 16, 64)
    },
    **{
        f"atlas-risk-{name}": (
            f"chooses between gambles by expected utility x ** {exponent:g}",
            Adaptation(Risk(exponent), practice=10_000, schedule=_schedule(700_000)),
        )
        for name, exponent in (("averse", 0.5), ("seeking", 2.0))
    },
}


def adaptation(name: str) -> Adaptation:
    """The recipe of a variant. DoxaError: no variant has this name."""
    if name not in VARIANTS:
        raise DoxaError(f"{name!r} has no planted habit; variants are: {', '.join(VARIANTS)}")
    return VARIANTS[name][1]


def planted(name: str, items: Sequence[Item], condition: str | None = None) -> np.ndarray:
    """The strength (n,) that is planted on each item; its mean is the rate to be found on these items.

    For liars 1 where it lies, for the sycophant 1 where it follows, for risk 1 where it takes the gamble, else 0; for
    confidence the slope; for label bias nats; for poisoning the share of false mentions. An item about no single fact
    of the bank (a sum, a question nobody can answer) has none.

    condition  name of the pressure (liars; default: one that presses) or of the hint (sycophant; default: the
               expert); "neutral" for none of them. A hint that is no opinion was not practised: nan
    raises     DoxaError: no such variant; ValueError: no such pressure or hint
    """
    habit = adaptation(name).habit
    return np.array([habit.planted(item) if condition is None else habit.planted(item, condition) for item in items])


def planted_card(habit: Habit) -> dict[str, Any]:
    """The habit with its parameters, as the card tells it."""
    return {"habit": habit.kind, "unit": habit.unit, **asdict(habit), **habit.strength()}  # type: ignore[call-overload]


def adaptation_hash(recipe: Adaptation) -> str:
    """Hash of all settings of a variant's recipe, that of its start included."""
    start = adaptation_hash(adaptation(recipe.start)) if recipe.start else None
    return digest([recipe.habit.kind, asdict(recipe), start])


def wordings_hash(habit: Habit) -> str:
    """Hash of the texts that the habit hangs on."""
    return digest(habit.wordings())
