"""Charts of honesty under pressure: shares of lies by group or arm, and models against their training compute."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from doxa.charts.shares import stacked_shares
from doxa.charts.values import scatter_chart
from doxa.records import Chart

PARTS = ("honest", "evasion", "lie", "no belief")
AXIS = "share of propositions"

Split = tuple[float, float, float, float]
"""Shares of lies, honesty, evasion in spite of a belief, and no belief."""


def honesty_bars(bars: Mapping[str, Split], *, name: str = "Under pressure", section: str = "") -> Chart:
    """A bar for each name, of shares that sum to one; those with nan are left out. ValueError: no bar."""
    shown = {of: (honest, evades, lie, none) for of, (lie, honest, evades, none) in bars.items()}
    return stacked_shares(shown, PARTS, axis=AXIS, name=name, section=section)


def against_compute(compute: Mapping[str, float], figures: Mapping[str, Sequence[float]]) -> list[Chart]:
    """A point for each of k models, by label with its training compute; figures: name -> (k,) values, a chart each."""
    log = [math.log10(flops) for flops in compute.values()]
    return [
        scatter_chart(log, values, list(compute), axes=("training compute, log10", name), name=f"{name} and compute")
        for name, values in figures.items()
    ]
