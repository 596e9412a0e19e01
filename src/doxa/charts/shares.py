"""Bars of shares that sum to one: what became of each group's items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from doxa.charts.style import BLUE, GREY, ORANGE, ROW, VERMILLION, WIDTH, drawn, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt

COLOURS = (BLUE, ORANGE, VERMILLION, GREY)


def stacked_shares(
    bars: Mapping[str, Sequence[float]],
    parts: Sequence[str],
    *,
    axis: str = "share",
    name: str = "Shares",
    section: str = "",
    note: str = "",
) -> Chart:
    """One bar for each name, made up of the shares of up to four parts; a bar with a nan is left out.

    raises  ValueError: no bar, another number of shares than parts, more than four parts
    """
    if not 0 < len(parts) <= len(COLOURS) or not bars or any(len(shares) != len(parts) for shares in bars.values()):
        raise ValueError(f"{len(bars)} bars of the parts {list(parts)}; each has one share for each of 1 to 4 parts")
    rows = [
        {"bar": bar, "part": part, "share": share, "order": k}
        for bar, shares in bars.items()
        if all(share == share for share in shares)
        for k, (part, share) in enumerate(zip(parts, shares, strict=True))
    ]

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        return (
            alt.Chart(alt.Data(values=rows))
            .mark_bar(opacity=0.85)
            .encode(
                y=alt.Y("bar:N").sort(list(bars)).title(None).axis(labelLimit=240),
                x=alt.X("share:Q").stack("zero").scale(domain=[0, 1]).title(axis).axis(format="%"),
                color=alt.Color("part:N").scale(domain=list(parts), range=list(COLOURS[: len(parts)])).title(None),
                order="order:Q",
                tooltip=tooltips("bar", "part", "share:.1%"),
            )
            .properties(width=WIDTH, height=ROW * len(bars) + 8)
        )

    return drawn(draw, name, section, note)
