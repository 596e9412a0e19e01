"""Charts of values with their intervals: estimates, bars, curves, and how replies could be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.charts.style import (
    BLUE,
    GREY,
    OUTCOME_COLOURS,
    ROW,
    TICK,
    VERMILLION,
    WIDTH,
    defined,
    drawn,
    json_value,
    rows_of,
    series_colour,
    tooltips,
)
from doxa.records import OUTCOMES, Chart, Claim, Estimate

if TYPE_CHECKING:
    import altair as alt


def estimates_chart(
    estimates: Sequence[Estimate],
    claims: Sequence[Claim] = (),
    *,
    name: str = "Estimates",
    section: str = "",
    note: str = "",
) -> Chart:
    """Forest plot: value and 95 % interval of each estimate, its null value, and the published figure of its claim.

    Undefined estimates (nan) keep their row, empty. All share one axis: give those of one unit.
    raises  ValueError: no estimates
    """
    if not estimates:
        raise ValueError("estimates is empty; a forest plot needs at least one")
    names = list(dict.fromkeys(e.name for e in estimates))
    rows = [
        {
            "name": e.name,
            "kind": "measured",
            "value": json_value(e.value),
            "low": json_value(e.low),
            "high": json_value(e.high),
        }
        for e in estimates
    ]
    rows += [{"name": e.name, "kind": "null", "value": json_value(e.null)} for e in estimates if defined(e.null)]
    said = [(c.estimate or c.name, c) for c in claims if defined(c.published)]
    rows += [{"name": n, "kind": "published", "value": c.published} for n, c in said if n in names]
    kinds = [k for k in ("measured", "null", "published") if any(r["kind"] == k for r in rows)]
    look = {"measured": ("circle", BLUE), "null": (TICK, GREY), "published": ("diamond", VERMILLION)}

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        y = alt.Y("name:N").sort(names).title(None).axis(labelLimit=240)
        base = alt.Chart(alt.Data(values=rows))
        spans = (
            base.mark_rule(color=BLUE, strokeWidth=3, opacity=0.45, strokeCap="round")
            .transform_filter("datum.kind === 'measured' && isValid(datum.low)")
            .encode(y=y, x=alt.X("low:Q"), x2="high:Q")
        )
        marks = base.mark_point(filled=True, size=85, opacity=1, strokeWidth=2).encode(
            y=y,
            x=alt.X("value:Q").title(None).scale(zero=False, padding=8),
            shape=alt.Shape("kind:N").scale(domain=kinds, range=[look[k][0] for k in kinds]).title(None),
            color=alt.Color("kind:N").scale(domain=kinds, range=[look[k][1] for k in kinds]).title(None),
            tooltip=tooltips("name", "kind", "value:.4~g", "low:.4~g", "high:.4~g"),
        )
        return alt.layer(spans, marks).properties(width=WIDTH, height=ROW * len(names) + 12)

    return drawn(draw, name, section, note)


def bars_with_intervals(
    labels: Sequence[str],
    values: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    series: Sequence[str] | None = None,
    axis: str = "",
    name: str = "Comparison",
    section: str = "",
    note: str = "",
) -> Chart:
    """One bar per label (and series) with its interval; the axis starts at zero.

    labels, values, lows, highs, series  (k,) each; a nan interval draws the bar alone, a nan value none
    raises                               ValueError: unequal lengths, k = 0
    """
    of = list(series) if series is not None else [""] * len(labels)
    rows = rows_of(label=labels, value=values, low=lows, high=highs, of=of)
    order, kinds = list(dict.fromkeys(labels)), list(dict.fromkeys(of))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows)).encode(
            y=alt.Y("label:N").sort(order).title(None).axis(labelLimit=240),
            tooltip=tooltips("label", "of", "value:.4~g", "low:.4~g", "high:.4~g"),
        )
        if len(kinds) > 1:
            base = base.encode(yOffset=alt.YOffset("of:N").sort(kinds))
        bars = base.mark_bar(opacity=0.75).encode(
            x=alt.X("value:Q").title(axis or None), color=series_colour("of", kinds)
        )
        spans = (
            base.mark_rule(color=GREY, strokeWidth=2.5, strokeCap="round")
            .transform_filter("isValid(datum.value) && isValid(datum.low)")
            .encode(x="low:Q", x2="high:Q")
        )
        return alt.layer(bars, spans).properties(width=WIDTH, height=ROW * len(order) * max(1, len(kinds) * 0.75) + 8)

    return drawn(draw, name, section, note)


def bars_of_estimates(
    estimates: Sequence[Estimate],
    labels: Sequence[str],
    *,
    series: Sequence[str] | None = None,
    axis: str = "",
    name: str = "Comparison",
    section: str = "",
    note: str = "",
) -> Chart:
    """`bars_with_intervals` of k estimates; labels, series: (k,) each."""
    values, lows, highs = [e.value for e in estimates], [e.low for e in estimates], [e.high for e in estimates]
    return bars_with_intervals(
        labels, values, lows, highs, series=series, axis=axis, name=name, section=section, note=note
    )


def scatter_chart(
    x: ArrayLike,
    y: ArrayLike,
    labels: Sequence[str],
    *,
    axes: tuple[str, str],
    name: str = "Scatter",
    section: str = "",
    note: str = "",
) -> Chart:
    """One labelled point for each of k values x, y, labels (k,); points with a nan are left out."""

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows_of(x=x, y=y, of=list(labels)))).transform_filter(
            "isValid(datum.x) && isValid(datum.y)"
        )
        at = {"x": alt.X("x:Q").title(axes[0]), "y": alt.Y("y:Q").title(axes[1])}
        points = base.mark_point(filled=True, size=60, color=BLUE).encode(
            **at, tooltip=tooltips("of", "x:.4~g", "y:.4~g")
        )
        texts = base.mark_text(align="left", dx=7, color=GREY).encode(**at, text="of:N")
        return alt.layer(points, texts).properties(width=WIDTH, height=WIDTH * 0.6)

    return drawn(draw, name, section, note)


def curve_by_popularity(
    popularity: ArrayLike,
    values: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    n: ArrayLike | None = None,
    series: Sequence[str] | None = None,
    axis: str = "",
    name: str = "By popularity",
    section: str = "",
    note: str = "",
) -> Chart:
    """A quantity against how well known the items are, one point per bin of items, with interval bands.

    popularity             (k,) mean popularity of each bin, in [0, 1], 1 the best known
    values, lows, highs    (k,) the quantity and its interval; n: (k,) items; series: (k,) one line each
    raises                 ValueError: unequal lengths, k = 0
    """
    of = list(series) if series is not None else [axis] * np.size(popularity)
    counts = np.full(np.size(popularity), np.nan) if n is None else n
    rows = rows_of(popularity=popularity, value=values, low=lows, high=highs, n=counts, of=of)

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows)).encode(
            x=alt.X("popularity:Q").scale(domain=[0, 1]).title("popularity (1: best known)"),
            color=series_colour("of", list(dict.fromkeys(of))),
            tooltip=tooltips("of", "popularity:.2f", "value:.4~g", "low:.4~g", "high:.4~g", "n:,d"),
        )
        y = alt.Y("low:Q").title(axis or None).scale(zero=False)
        bands = base.mark_area(opacity=0.18).encode(y=y, y2="high:Q")
        lines = base.mark_line(strokeWidth=2, point={"filled": True, "size": 55}).encode(y="value:Q")
        return alt.layer(bands, lines).properties(width=WIDTH, height=260)

    return drawn(draw, name, section, note)


def outcomes_chart(
    counts: Mapping[str, Mapping[str, int]], *, name: str = "Outcomes", section: str = "", note: str = ""
) -> Chart:
    """How the replies could be read: one bar of shares per condition.

    counts  condition -> outcome -> readings
    raises  ValueError: nothing counted, an outcome that is not among `records.OUTCOMES`
    """
    rows: list[dict[str, Any]] = []
    for condition, row in counts.items():
        unknown = sorted(set(row) - set(OUTCOMES))
        if unknown:
            raise ValueError(f"outcome {unknown[0]!r} of {condition!r} is none of {', '.join(OUTCOMES)}")
        rows += [
            {"condition": condition, "outcome": o, "readings": row[o], "share": row[o] / sum(row.values()), "order": k}
            for k, o in enumerate(OUTCOMES)
            if row.get(o)
        ]
    if not rows:
        raise ValueError("no readings were counted; there is nothing to draw")
    seen = [o for o in OUTCOMES if any(r["outcome"] == o for r in rows)]

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        return (
            alt.Chart(alt.Data(values=rows))
            .mark_bar(opacity=0.85)
            .encode(
                y=alt.Y("condition:N").sort(list(counts)).title(None).axis(labelLimit=240),
                x=alt.X("share:Q").stack("zero").scale(domain=[0, 1]).title("share of readings").axis(format="%"),
                color=alt.Color("outcome:N").scale(domain=seen, range=[OUTCOME_COLOURS[o] for o in seen]).title(None),
                order="order:Q",
                tooltip=tooltips("condition", "outcome", "readings:,d", "share:.1%"),
            )
            .properties(width=WIDTH, height=ROW * len(counts) + 8)
        )

    return drawn(draw, name, section, note)
