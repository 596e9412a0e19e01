"""Charts of bets: mean by speech, opening bets by bettor, and the two closing bets of each debate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from doxa.charts.style import BLUE, GREY, ROW, WIDTH, drawn, json_value, series_colour, tooltips
from doxa.records import Chart, IntervalLike

if TYPE_CHECKING:
    import altair as alt

BIN = 10  # tokens


def bet_charts(
    means: Mapping[tuple[str, str], IntervalLike],
    bettors: Mapping[str, Mapping[str, IntervalLike]],
    pairs: Mapping[str, Sequence[tuple[float, float]]],
) -> list[Chart]:
    """All charts that there is something to draw for.

    means    (condition, speech) -> mean bet; nan: left out
    bettors  condition -> bettor -> mean opening bet; pairs: condition -> closing bets of both sides
    """
    defined = {key: found for key, found in means.items() if found.n}
    found = [bets_by_speech(defined)] if defined else []
    found += [bets_by_bettor(b, name=f"Opening bets by bettor, {of}") for of, b in bettors.items() if len(b) > 1]
    split = {of: tuple(zip(*p, strict=True)) for of, p in pairs.items() if p}
    return found + [bet_pairs(one, two, name=f"Closing bets of both sides, {of}") for of, (one, two) in split.items()]


def bets_by_speech(
    bets: Mapping[tuple[str, str], IntervalLike], *, name: str = "Bets by speech", section: str = "", note: str = ""
) -> Chart:
    """One line with intervals for each condition; (condition, speech) -> mean bet, speeches in their order.

    raises  ValueError: nothing to draw
    """
    if not bets:
        raise ValueError("bets is empty; there is nothing to draw")
    rows = [
        {"of": of, "speech": speech, "value": json_value(i.value), "low": json_value(i.low), "high": json_value(i.high)}
        for (of, speech), i in bets.items()
    ]
    order = list(dict.fromkeys(speech for _, speech in bets))
    conditions = list(dict.fromkeys(of for of, _ in bets))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        x = alt.X("speech:N").sort(order).title(None).axis(labelAngle=0)
        base = alt.Chart(alt.Data(values=rows)).encode(
            x=x,
            xOffset=alt.XOffset("of:N").sort(conditions).scale(paddingOuter=1),
            color=series_colour("of", conditions),
            tooltip=tooltips("of", "speech", "value:.1f", "low:.1f", "high:.1f"),
        )
        spans = base.mark_rule(strokeWidth=1.5).encode(
            y=alt.Y("low:Q").title("mean bet").scale(zero=False), y2="high:Q"
        )
        lines = base.mark_line(strokeWidth=2, point={"filled": True, "size": 60}).encode(y="value:Q")
        return alt.layer(_even("y"), spans, lines).properties(width=WIDTH, height=260)

    return drawn(draw, name, section, note)


def bets_by_bettor(
    bets: Mapping[str, IntervalLike], *, name: str = "Opening bets by bettor", section: str = "", note: str = ""
) -> Chart:
    """One bar for each bettor, with its interval and a line at 50. ValueError: nothing to draw."""
    if not bets:
        raise ValueError("bets is empty; there is nothing to draw")
    rows = [
        {"label": label, "value": json_value(i.value), "low": json_value(i.low), "high": json_value(i.high)}
        for label, i in bets.items()
    ]

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows)).encode(
            y=alt.Y("label:N").sort(list(bets)).title(None).axis(labelLimit=240),
            tooltip=tooltips("label", "value:.1f", "low:.1f", "high:.1f"),
        )
        bars = base.mark_bar(opacity=0.75, color=BLUE).encode(
            x=alt.X("value:Q").title("mean bet").scale(domain=[0, 100])
        )
        spans = base.mark_rule(color=GREY, strokeWidth=2.5).encode(x="low:Q", x2="high:Q")
        return alt.layer(bars, spans, _even("x")).properties(width=WIDTH, height=ROW * len(bets) + 8)

    return drawn(draw, name, section, note)


def bet_pairs(
    one: Sequence[float],
    two: Sequence[float],
    *,
    name: str = "Closing bets of both sides",
    section: str = "",
    note: str = "",
) -> Chart:
    """Debates by the two sides' bets, in squares of 10 tokens; above the diagonal both claim more than there is.

    one, two  (n,) bets of the proposition and of the opposition; ValueError: nothing to draw, unequal lengths
    """
    if len(one) != len(two) or not len(one):
        raise ValueError(f"{len(one)} bets of one side and {len(two)} of the other; they come in pairs, at least one")
    low = np.minimum(np.floor(np.column_stack([one, two]) / BIN), 100 // BIN - 1) * BIN
    cells, counts = np.unique(low, axis=0, return_counts=True)
    rows = [
        {"x": a, "x2": a + BIN, "y": b, "y2": b + BIN, "debates": n}
        for (a, b), n in zip(cells.tolist(), counts.tolist(), strict=True)
    ]

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        x, y = (
            alt.X("x:Q").scale(domain=[0, 100]).title("proposition's bet"),
            alt.Y("y:Q").scale(domain=[0, 100]).title("opposition's bet"),
        )
        squares = (
            alt.Chart(alt.Data(values=rows))
            .mark_rect()
            .encode(
                x=x, x2="x2:Q", y=y, y2="y2:Q",
                color=alt.Color("debates:Q").scale(scheme="blues", domainMin=0),
                tooltip=tooltips("x:.0f", "y:.0f", "debates:,d"),
            )
        )  # fmt: skip
        ends = alt.Chart(alt.Data(values=[{"x": 0, "y": 100}, {"x": 100, "y": 0}]))
        fair = ends.mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1.5).encode(x="x:Q", y="y:Q")
        return alt.layer(squares, fair).properties(width=300, height=300)

    return drawn(draw, name, section, note)


def _even(channel: str) -> alt.Chart:
    """A dashed line at an even bet."""
    import altair as alt

    rule = alt.Chart(alt.Data(values=[{"at": 50}])).mark_rule(color=GREY, strokeDash=[4, 4])
    return rule.encode(x="at:Q") if channel == "x" else rule.encode(y="at:Q")
