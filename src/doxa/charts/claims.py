"""Charts of answers under a claim: follow rates and states by subset, and models side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from doxa.charts.shares import stacked_shares
from doxa.charts.values import bars_with_intervals, scatter_chart
from doxa.records import Chart

SCATTER = ("accuracy before the claim", "follow rate")
Follower = tuple[str, float, float, float, float]  # who, accuracy, follow rate, low, high
NOTE = "The eight states of the table in four kinds, of the items with both answers."


def claim_charts(
    subsets: Sequence[Follower], becomes: Mapping[str, Sequence[float]], kinds: Sequence[str]
) -> Iterator[Chart]:
    """Follow rate of each subset, what becomes of its answers, and whether the less accurate ones follow more.

    becomes  subset -> the share of each of the kinds
    """
    yield from _rates(subsets, "Follow rate by subset", "Accuracy and follow rate by subset")
    shares = {name or "all": parts for name, parts in becomes.items()}
    if any(part == part for parts in shares.values() for part in parts):
        yield stacked_shares(shares, kinds, axis="share of items", name="What becomes of answers", note=NOTE)


def model_charts(models: Sequence[Follower]) -> Iterator[Chart]:
    """The follow rates of models, and their accuracy beside them."""
    yield from _rates(models, "Follow rate by model", "Accuracy and follow rate")


def _rates(who: Sequence[Follower], bars: str, scatter: str) -> Iterator[Chart]:
    names = [line[0] or "all" for line in who]
    accuracy, rate, low, high = ([line[i] for line in who] for i in (1, 2, 3, 4))
    yield bars_with_intervals(names, rate, low, high, axis="follow rate", name=bars)
    if len(who) > 1:
        yield scatter_chart(accuracy, rate, names, axes=SCATTER, name=scatter)
