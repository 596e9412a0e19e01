"""Charts of a model and its readers: reliability curves in one panel, readers by style, gaps before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from doxa.charts.style import GREY, PALETTE, WIDTH, defined, drawn, json_value, series_colour, tooltips
from doxa.charts.values import bars_of_estimates, bars_with_intervals
from doxa.records import Chart, Estimate

if TYPE_CHECKING:
    import altair as alt


def reliability_lines(
    curves: Mapping[str, Sequence[Any]],
    *,
    said: str = "confidence",
    happened: str = "share that was right",
    name: str = "Reliability",
    section: str = "",
    note: str = "",
) -> Chart:
    """Accuracy against confidence, one line with intervals for each of several respondents; dots grow with n.

    curves  name -> bins as `metrics.reliability` gives them; empty bins are left out
    raises  ValueError: no curve, more curves than colours, no bin that holds an answer
    """
    if not 1 <= len(curves) <= len(PALETTE):
        raise ValueError(f"{len(curves)} curves; between 1 and {len(PALETTE)} can be drawn")
    fields = ("n", "confidence", "accuracy", "accuracy_low", "accuracy_high")
    rows = [
        {"of": of, **{f: json_value(getattr(b, f)) for f in fields}} for of, bins in curves.items() for b in bins if b.n
    ]
    if not rows:
        raise ValueError("no bin of any curve holds an answer; there is nothing to draw")

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        x = alt.X("confidence:Q").scale(domain=[0, 1]).title(said)
        y = alt.Y("accuracy:Q").scale(domain=[0, 1]).title(happened)
        base = alt.Chart(alt.Data(values=rows)).encode(
            color=series_colour("of", list(curves)),
            tooltip=tooltips("of", "n:,d", "confidence:.3f", "accuracy:.3f", "accuracy_low:.3f", "accuracy_high:.3f"),
        )
        ends = alt.Chart(alt.Data(values=[{"at": 0}, {"at": 1}]))
        diagonal = ends.mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1.5).encode(x="at:Q", y="at:Q")
        spans = base.mark_rule(strokeWidth=2, opacity=0.45).encode(x=x, y="accuracy_low:Q", y2="accuracy_high:Q")
        line = base.mark_line(strokeWidth=1.5, opacity=0.7).encode(x=x, y=y)
        dots = base.mark_point(filled=True, opacity=1).encode(
            x=x, y=y, size=alt.Size("n:Q").scale(range=[25, 220], zero=True).legend(None)
        )
        return alt.layer(diagonal, spans, line, dots).properties(width=WIDTH, height=360)

    return drawn(draw, name, section, note)


def style_bars(lines: Sequence[Sequence[Any]], *, section: str = "") -> Chart:
    """Mean reader confidence by style, a bar for each length; lines begin with style, length, n, mean, low, high."""
    styles, lengths, _, means, lows, highs = zip(*(line[:6] for line in lines), strict=True)
    name = "Mean reader confidence by style and length"
    return bars_with_intervals(styles, means, lows, highs, series=lengths, name=name, section=section)


def gap_bars(
    estimates: Sequence[Estimate], gaps: Sequence[str], arms: Sequence[str], *, section: str = ""
) -> Chart | None:
    """The estimates called "GAP, ARM", one bar for each arm; None where none of them is defined."""
    named = {f"{gap}, {arm}": (gap, arm) for gap in gaps for arm in arms}
    shown = [e for e in estimates if e.name in named and defined(e.value)]
    if not shown:
        return None
    labels, series = zip(*(named[e.name] for e in shown), strict=True)
    return bars_of_estimates(shown, labels, series=series, name="Gaps before and after", section=section)
