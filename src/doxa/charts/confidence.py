"""Charts of confidence: reliability, how sure when right and when wrong, risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.charts.style import (
    BLUE,
    GREY,
    VERMILLION,
    WIDTH,
    check,
    drawn,
    json_value,
    same_length,
    series_colour,
    tooltips,
)
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def reliability_chart(
    bins: Sequence[Any],
    *,
    said: str = "stated confidence",
    happened: str = "share that was right",
    name: str = "Reliability",
    section: str = "",
    note: str = "",
) -> Chart:
    """Accuracy against stated confidence, with the interval of each bin, and beneath it how many answers said so.

    bins            as `metrics.reliability` gives them: low, high, n, confidence, accuracy, accuracy_low,
                    accuracy_high; empty ones are left out
    said, happened  titles of the axes, for other probabilities than those of being right
    raises          ValueError: no bin holds an answer
    """
    fields = ("low", "high", "n", "confidence", "accuracy", "accuracy_low", "accuracy_high")
    rows = [{f: json_value(getattr(b, f)) for f in fields} for b in bins if b.n]
    if not rows:
        raise ValueError(f"none of the {len(bins)} bins holds an answer; there is nothing to draw")

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        x = alt.X("low:Q").scale(domain=[0, 1]).title(None).axis(labels=False, ticks=False)
        y = alt.Y("accuracy_low:Q").scale(domain=[0, 1]).title(happened)
        tips = tooltips("n:,d", "confidence:.3f", "accuracy:.3f", "accuracy_low:.3f", "accuracy_high:.3f")
        base = alt.Chart(alt.Data(values=rows))
        ends = alt.Chart(alt.Data(values=[{"at": 0}, {"at": 1}]))
        diagonal = ends.mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1.5).encode(x="at:Q", y="at:Q")
        bands = base.mark_rect(color=BLUE, opacity=0.25).encode(
            x=x, x2="high:Q", y=y, y2="accuracy_high:Q", tooltip=tips
        )
        line = base.mark_line(color=BLUE, strokeWidth=1.5, opacity=0.7).encode(x="confidence:Q", y="accuracy:Q")
        points = base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(
            x="confidence:Q", y="accuracy:Q", tooltip=tips
        )
        top = alt.layer(bands, diagonal, line, points).properties(width=WIDTH, height=360)
        strip = (
            base.mark_rect(color=BLUE, opacity=0.55)
            .transform_calculate(zero="0")
            .encode(
                x=alt.X("low:Q").scale(domain=[0, 1]).title(said).axis(format=".1f"),
                x2="high:Q",
                y=alt.Y("zero:Q").title("answers").axis(tickCount=3, format="~s"),
                y2="n:Q",
                tooltip=tips,
            )
            .properties(width=WIDTH, height=64)
        )
        return alt.vconcat(top, strip, spacing=10)

    return drawn(draw, name, section, note)


def confidence_histogram(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 20,
    name: str = "Stated confidence",
    section: str = "",
    note: str = "",
) -> Chart:
    """How sure it was when right (upwards) and when wrong (downwards).

    confidence  (n,) probability in [0, 1] that each answer is right
    correct     (n,) 0 or 1
    raises      ValueError: unequal lengths, n = 0, a confidence outside [0, 1], a `correct` that is neither; nan too
    """
    said, right = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    same_length(confidence=said, correct=right)
    check(said, "confidence", (said >= 0) & (said <= 1), "in [0, 1]")
    check(right, "correct", (right == 0) | (right == 1), "0 or 1")
    rows = []
    for kind, chosen, sign in (("right", right == 1, 1), ("wrong", right == 0, -1)):
        counts = np.histogram(said[chosen], bins, range=(0, 1))[0].tolist()
        rows += [
            {"was": kind, "from": round(k / bins, 6), "to": round((k + 1) / bins, 6), "answers": n, "height": sign * n}
            for k, n in enumerate(counts)
            if n
        ]

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        return (
            alt.Chart(alt.Data(values=rows))
            .mark_rect(opacity=0.85)
            .transform_calculate(zero="0")
            .encode(
                x=alt.X("from:Q").scale(domain=[0, 1]).title("stated confidence").axis(format=".1f"),
                x2="to:Q",
                y=alt.Y("zero:Q").title("answers").axis(labelExpr="format(abs(datum.value), ',d')", tickMinStep=1),
                y2="height:Q",
                color=alt.Color("was:N").scale(domain=["right", "wrong"], range=[BLUE, VERMILLION]).title(None),
                tooltip=tooltips("was", "from:.2f", "to:.2f", "answers:,d"),
            )
            .properties(width=WIDTH, height=240)
        )

    return drawn(draw, name, section, note)


def risk_coverage_chart(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    name: str = "Risk and coverage",
    section: str = "",
    note: str = "",
) -> Chart:
    """Share of wrong answers among the most confident ones, against how many are answered: one line per way of asking.

    curves  label -> (coverage, risk), both (k,) in [0, 1]; long curves are thinned to 400 points, their ends kept
    raises  ValueError: no curve, or coverage and risk of unequal lengths
    """
    if not curves:
        raise ValueError("curves is empty; give label -> (coverage, risk)")
    rows: list[dict[str, Any]] = []
    for label, (coverage, risk) in curves.items():
        x, y = np.asarray(coverage, dtype=float), np.asarray(risk, dtype=float)
        same_length(coverage=x, risk=y)
        keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), 400)).round().astype(int))
        rows += [
            {"of": label, "coverage": json_value(a), "risk": json_value(b)}
            for a, b in zip(x[keep], y[keep], strict=True)
        ]

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        return (
            alt.Chart(alt.Data(values=rows))
            .mark_line(strokeWidth=2)
            .encode(
                x=alt.X("coverage:Q").scale(domain=[0, 1]).title("share answered, surest first").axis(format="%"),
                y=alt.Y("risk:Q").title("wrong among these").axis(format="%"),
                color=series_colour("of", list(curves)),
                tooltip=tooltips("of", "coverage:.1%", "risk:.1%"),
            )
            .properties(width=WIDTH, height=260)
        )

    return drawn(draw, name, section, note)
