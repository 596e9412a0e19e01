"""The letters of answers about stories: how often A, right by which letter, beliefs behind them, and what is unread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from doxa.metrics import sums
from doxa.metrics.intervals import Interval
from doxa.metrics.mental_states import ASKED, Cell, Told, answered, both_worlds, columns, plain

SHUFFLED = ("action", "judge", "other")


def letters(t: Told) -> dict[str, Interval]:
    """Share of the letter A among the answers to questions whose options are shuffled, accuracy by the right letter."""
    pairs = [
        (said, gold, core)
        for cell in t.truths
        if cell[0] == "none" and cell[2] in SHUFFLED
        for (said, gold), core in zip(answered(t, cell), t.cores, strict=True)
        if gold is not None
    ]
    read = [(float(said == "A"), core) for said, _, core in pairs if said is not None]
    found = {"answers with letter A": sums.share([a for a, _ in read], [c for _, c in read])}
    for letter in "AB":
        part = [(float(said == gold), core) for said, gold, core in pairs if gold == letter]
        found[f"right letter {letter}"] = sums.share([r for r, _ in part], [c for _, c in part])
    return found


def probabilities(t: Told) -> dict[str, Interval]:
    """Accuracy by the likelier of the two options, the mean probability of the right one, and both worlds together."""
    found = {}
    for q in ASKED:
        alone = _beliefs(t, [plain(q)])
        if not alone:
            continue
        values, cores = [v for v, _ in alone], [core for _, core in alone]
        found[f"{q}, by probability"] = sums.share([float(v > 0.5) for v in values], cores)
        found[f"P(right), {q}"] = sums.mean(values, cores, bounds=(0.0, 1.0))
        cells = both_worlds(t, q)
        if len(cells) > 1:
            both = _beliefs(t, cells)
            hits = [float(v > 0.5) for v, _ in both]
            found[f"{q}, by probability, with twins"] = sums.share(hits, [core for _, core in both])
    return found


def _beliefs(t: Told, cells: Sequence[Cell]) -> list[tuple[float, Any]]:
    """Probability of the right option and the core, of all answers in the cells that have one."""
    known = []
    for cell in filter(t.asked, cells):
        p = [_probability(lp, gold) for lp, gold in columns(t.logprobs, t.truths, cell)]
        known += [(value, core) for value, core in zip(p, t.cores, strict=True) if value is not None]
    return known


def _probability(logprobs: Any, gold: str | None) -> float | None:
    if not logprobs or gold is None or len(logprobs) != 2 or all(math.isinf(v) for v in logprobs):
        return None
    a, b = logprobs
    p = 1 / (1 + math.exp(min(b - a, 700.0))) if not math.isinf(a) else 0.0
    return p if gold == "A" else 1 - p


def unread(t: Told) -> dict[str, Interval]:
    """Shares of all answers that count as missing, of ambiguous ones, and of reasoning without its last sentence."""
    flat = [
        (said, how, core)
        for cell in t.truths
        for (said, how), core in zip(columns(t.letters, t.outcomes, cell), t.cores, strict=True)
        if how is not None
    ]
    cores = [core for *_, core in flat]
    return {
        "unread": sums.share([float(said is None) for said, *_ in flat], cores),
        "ambiguous": sums.share([float(how == "ambiguous") for _, how, _ in flat], cores),
        "cut": sums.share([float(how == "truncated") for _, how, _ in flat], cores),
    }
