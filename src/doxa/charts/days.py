"""Charts over days: daily values as lines, with the days on which something happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.charts.style import GREY, WIDTH, drawn, rows_of, series_colour, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def daily_chart(
    days: Sequence[str],
    values: ArrayLike,
    *,
    series: Sequence[str],
    lows: ArrayLike | None = None,
    highs: ArrayLike | None = None,
    events: Mapping[date, str] | None = None,
    axis: str = "",
    name: str = "Over time",
    section: str = "",
    note: str = "",
) -> Chart:
    """One line for each series over days, without a bridge over missing ones; events as labelled vertical rules.

    days    (k,) as "2026-09-01"; values: (k,), nan draws nothing; series: (k,); lows, highs: (k,) bands
    events  drawn where they fall between the first and the last day
    raises  ValueError: unequal lengths, k = 0
    """
    order = list(dict.fromkeys(series))
    nothing = np.full(len(days), np.nan)
    limits = {"low": nothing if lows is None else lows, "high": nothing if highs is None else highs}
    rows = rows_of(day=list(days), value=np.asarray(values, dtype=float), of=list(series), **limits)
    first, last = min(days), max(days)
    told: list[dict[str, Any]] = [{"day": when.isoformat(), "what": what} for when, what in (events or {}).items()]
    told = [event for event in told if first <= event["day"] <= last]

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        colour = series_colour("of", order)
        if told and len(order) > 1:
            colour = colour.legend(offset=38, title=None, symbolOpacity=1)  # above the names of events
        base = alt.Chart(alt.Data(values=[*rows, *_gaps(days, series)])).encode(
            x=alt.X("day:T").title(None), color=colour
        )
        y = alt.Y("value:Q").title(axis or None).scale(zero=True)
        tips = tooltips("of", "day", "value:.4~g", *(("low:.4~g", "high:.4~g") if lows is not None else ()))
        band = base.mark_area(opacity=0.14, invalid="break-paths-show-domains")
        layers = [
            *(
                [band.encode(y=alt.Y("low:Q").title(axis or None).scale(zero=True), y2="high:Q")]
                if highs is not None
                else []
            ),
            base.mark_line(strokeWidth=2, invalid="break-paths-show-domains").encode(y=y),
            base.mark_point(filled=True, size=18).transform_filter("isValid(datum.value)").encode(y=y, tooltip=tips),
        ]
        if told:
            marks = alt.Chart(alt.Data(values=told)).encode(x="day:T")
            layers.append(marks.mark_rule(color=GREY, strokeDash=[4, 3]).encode(tooltip=tooltips("what", "day")))
            for k, event in enumerate(told):  # above the plot, on two lines in turn, so that neighbours do not overlap
                text = alt.Chart(alt.Data(values=[event])).mark_text(color=GREY, align="left", baseline="bottom")
                layers.append(text.encode(x="day:T", y=alt.value(-3 - 14 * (k % 2)), text="what:N"))
        return alt.layer(*layers).properties(width=WIDTH * 1.3, height=230)

    return drawn(draw, name, section, note)


def _gaps(days: Sequence[str], series: Sequence[str]) -> list[dict[str, object]]:
    """An empty point on the day behind each day that is followed by a gap, so that no line crosses it."""
    seen: dict[str, list[int]] = {}
    for day, of in zip(days, series, strict=True):
        seen.setdefault(of, []).append(date.fromisoformat(day).toordinal())
    found: list[dict[str, object]] = []
    for of, places in seen.items():
        places.sort()
        usual = min((b - a for a, b in pairwise(places)), default=1)
        for a, b in pairwise(places):
            if b - a > max(usual, 1):
                found.append(
                    {"day": date.fromordinal(a + 1).isoformat(), "value": None, "low": None, "high": None, "of": of}
                )
    return found
