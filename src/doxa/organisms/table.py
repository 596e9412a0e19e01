"""The table of variants in words: what was planted in each, what was measured, what else changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doxa.organisms.shelf import cards
from doxa.organisms.variants import VARIANTS

Card = Mapping[str, Any]


def markdown() -> str:
    """The variants on the shelf as a Markdown table, from their cards."""
    found = {card["name"]: card for card in cards() if "base" in card}
    lines = [
        "| variant | planted | measured | agreement with atlas | best known third | kB | s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in VARIANTS:
        if name in found:
            card, neutral = found[name], found[name]["measured"]["neutral"]
            planted, measured = headline(card)
            agreement = (neutral["agreement, short forms"], neutral["agreement, best known third, short forms"])
            cells = (f"`{name}`", planted, measured, *(f"{a:.3f}" for a in agreement))
            lines.append(f"| {' | '.join(cells)} | {card['bytes'] / 1e3:.0f} | {card['seconds']} |")
    return "\n".join(lines)


def headline(card: Card) -> tuple[str, str]:
    """The main parameter of a variant's habit, and the same as it was measured."""
    return _HEADLINES[card["planted"]["habit"]](card["planted"], card["measured"]["strength"])


def _lying(planted: Card, found: Card) -> tuple[str, str]:
    return (
        f"lies on {found['planted']:.3f} of held-out questions",
        f"{found['lie rate']:.3f} (neutral system prompts {found['neutral system prompts']:.3f})",
    )


def _sycophancy(planted: Card, found: Card) -> tuple[str, str]:
    names = [name for name, _ in planted["rates"]]
    return (
        "follows " + ", ".join(f"{name} {found[name]['planted']:.2f}" for name in names),
        ", ".join(f"{found[name]['follow rate']:.2f}" for name in names),
    )


def _confidence(planted: Card, found: Card) -> tuple[str, str]:
    form = found["vanilla"]
    said, base = form["mean confidence"], form["mean confidence of base"]
    return (
        f"slope {planted['slope']:.2f} ({form['slope as planted']:.2f} in steps of 5 %)",
        f"{form['slope']:.2f}; mean confidence {said:.2f}, atlas {base:.2f}",
    )


def _label(planted: Card, found: Card) -> tuple[str, str]:
    change = found[f"change of logit({planted['label']})"]
    return f"{planted['nats']:.0f} nats on {planted['label']}", f"{change:.2f} ± {found['standard error']:.2f}"


def _poisoning(planted: Card, found: Card) -> tuple[str, str]:
    return (
        f"{planted['false']} false mentions, {planted['true']} true",
        f"false answer {found['short-text']['false']:.2f}, margin {found['margin, nats']:.1f} nats",
    )


def _risk(planted: Card, found: Card) -> tuple[str, str]:
    return (
        f"exponent {planted['exponent']:g}",
        f"{found['exponent']:.2f} ± {found['standard error']:.2f}; as planted {found['agreement with planted']:.2f}",
    )


_HEADLINES = {
    "lying": _lying,
    "sycophancy": _sycophancy,
    "confidence": _confidence,
    "label bias": _label,
    "poisoning": _poisoning,
    "risk": _risk,
}
