"""Charts that studies put into their findings: plain arrays in, a Vega-Lite specification with its data out.

Colours are told apart by colour-blind readers and stand on light and dark ground; grey is for what is not data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from doxa.records import OUTCOMES, Chart, Claim, Estimate

if TYPE_CHECKING:
    import altair as alt

# After Okabe and Ito 2008, without the yellow (too pale on white) and with a blue that also stands on black.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, VIOLET, GREY = (
    "#2a86c8", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#8a63c9", "#8a8f98",
)  # fmt: skip
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, VIOLET)
_BY_OUTCOME = (BLUE, VERMILLION, ORANGE, PURPLE, GREEN, GREY, VIOLET)
OUTCOME_COLOURS: Mapping[str, str] = dict(zip(OUTCOMES, _BY_OUTCOME, strict=True))

_INK = "#6b7280"
CONFIG: Mapping[str, Any] = {
    "background": "transparent",
    "font": "Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "labelColor": _INK, "titleColor": _INK,
        "gridColor": "#8a8f98", "gridOpacity": 0.22, "domainColor": GREY, "tickColor": GREY, "titlePadding": 8,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "labelColor": _INK, "titleColor": _INK, "orient": "top"},
    "range": {"category": list(PALETTE)},
}  # fmt: skip

_WIDTH, _ROW = 420, 26  # pixels: of a chart; height of one row of a chart that has a row per name
_TITLES = {
    "low": "95 % from", "high": "95 % to", "accuracy_low": "95 % from", "accuracy_high": "95 % to",
    "accuracy": "share", "confidence": "mean said", "was": "answer", "of": "series",
}  # fmt: skip
_TICK = "M-0.2,-1H0.2V1H-0.2Z"


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
    import altair as alt

    fields = ("low", "high", "n", "confidence", "accuracy", "accuracy_low", "accuracy_high")
    rows = [{f: _plain(getattr(b, f)) for f in fields} for b in bins if b.n]
    if not rows:
        raise ValueError(f"none of the {len(bins)} bins holds an answer; there is nothing to draw")
    x = alt.X("low:Q").scale(domain=[0, 1]).title(None).axis(labels=False, ticks=False)
    y = alt.Y("accuracy_low:Q").scale(domain=[0, 1]).title(happened)
    tips = _tips("n:,d", "confidence:.3f", "accuracy:.3f", "accuracy_low:.3f", "accuracy_high:.3f")
    base = alt.Chart(alt.Data(values=rows))
    ends = alt.Chart(alt.Data(values=[{"at": 0}, {"at": 1}]))
    diagonal = ends.mark_line(color=GREY, strokeDash=[4, 4], strokeWidth=1.5).encode(x="at:Q", y="at:Q")
    bands = base.mark_rect(color=BLUE, opacity=0.25).encode(x=x, x2="high:Q", y=y, y2="accuracy_high:Q", tooltip=tips)
    line = base.mark_line(color=BLUE, strokeWidth=1.5, opacity=0.7).encode(x="confidence:Q", y="accuracy:Q")
    points = base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(
        x="confidence:Q", y="accuracy:Q", tooltip=tips
    )
    top = alt.layer(bands, diagonal, line, points).properties(width=_WIDTH, height=360)
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
        .properties(width=_WIDTH, height=64)
    )
    return _chart(alt.vconcat(top, strip, spacing=10), name, section, note)


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
    import altair as alt

    if not estimates:
        raise ValueError("estimates is empty; a forest plot needs at least one")
    names = list(dict.fromkeys(e.name for e in estimates))
    rows = [
        {"name": e.name, "kind": "measured", "value": _plain(e.value), "low": _plain(e.low), "high": _plain(e.high)}
        for e in estimates
    ]
    rows += [{"name": e.name, "kind": "null", "value": _plain(e.null)} for e in estimates if _defined(e.null)]
    said = [(c.estimate or c.name, c) for c in claims if _defined(c.published)]
    rows += [{"name": n, "kind": "published", "value": c.published} for n, c in said if n in names]
    kinds = [k for k in ("measured", "null", "published") if any(r["kind"] == k for r in rows)]
    look = {"measured": ("circle", BLUE), "null": (_TICK, GREY), "published": ("diamond", VERMILLION)}
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
        tooltip=_tips("name", "kind", "value:.4~g", "low:.4~g", "high:.4~g"),
    )
    chart = alt.layer(spans, marks).properties(width=_WIDTH, height=_ROW * len(names) + 12)
    return _chart(chart, name, section, note)


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
    import altair as alt

    said, right = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=float)
    _same_length(confidence=said, correct=right)
    _check(said, "confidence", (said >= 0) & (said <= 1), "in [0, 1]")
    _check(right, "correct", (right == 0) | (right == 1), "0 or 1")
    rows = []
    for kind, chosen, sign in (("right", right == 1, 1), ("wrong", right == 0, -1)):
        counts = np.histogram(said[chosen], bins, range=(0, 1))[0].tolist()
        rows += [
            {"was": kind, "from": round(k / bins, 6), "to": round((k + 1) / bins, 6), "answers": n, "height": sign * n}
            for k, n in enumerate(counts)
            if n
        ]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_rect(opacity=0.85)
        .transform_calculate(zero="0")
        .encode(
            x=alt.X("from:Q").scale(domain=[0, 1]).title("stated confidence").axis(format=".1f"),
            x2="to:Q",
            y=alt.Y("zero:Q").title("answers").axis(labelExpr="format(abs(datum.value), ',d')", tickMinStep=1),
            y2="height:Q",
            color=alt.Color("was:N").scale(domain=["right", "wrong"], range=[BLUE, VERMILLION]).title(None),
            tooltip=_tips("was", "from:.2f", "to:.2f", "answers:,d"),
        )
        .properties(width=_WIDTH, height=240)
    )
    return _chart(chart, name, section, note)


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
    import altair as alt

    if not curves:
        raise ValueError("curves is empty; give label -> (coverage, risk)")
    rows: list[dict[str, Any]] = []
    for label, (coverage, risk) in curves.items():
        x, y = np.asarray(coverage, dtype=float), np.asarray(risk, dtype=float)
        _same_length(coverage=x, risk=y)
        keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), 400)).round().astype(int))
        rows += [{"of": label, "coverage": _plain(a), "risk": _plain(b)} for a, b in zip(x[keep], y[keep], strict=True)]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("coverage:Q").scale(domain=[0, 1]).title("share answered, surest first").axis(format="%"),
            y=alt.Y("risk:Q").title("wrong among these").axis(format="%"),
            color=_series("of", list(curves)),
            tooltip=_tips("of", "coverage:.1%", "risk:.1%"),
        )
        .properties(width=_WIDTH, height=260)
    )
    return _chart(chart, name, section, note)


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
    import altair as alt

    of = list(series) if series is not None else [""] * len(labels)
    rows = _rows(label=labels, value=values, low=lows, high=highs, of=of)
    order, kinds = list(dict.fromkeys(labels)), list(dict.fromkeys(of))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=alt.Y("label:N").sort(order).title(None).axis(labelLimit=240),
        tooltip=_tips("label", "of", "value:.4~g", "low:.4~g", "high:.4~g"),
    )
    if len(kinds) > 1:
        base = base.encode(yOffset=alt.YOffset("of:N").sort(kinds))
    bars = base.mark_bar(opacity=0.75).encode(x=alt.X("value:Q").title(axis or None), color=_series("of", kinds))
    spans = (
        base.mark_rule(color=GREY, strokeWidth=2.5, strokeCap="round")
        .transform_filter("isValid(datum.value) && isValid(datum.low)")
        .encode(x="low:Q", x2="high:Q")
    )
    chart = alt.layer(bars, spans).properties(width=_WIDTH, height=_ROW * len(order) * max(1, len(kinds) * 0.75) + 8)
    return _chart(chart, name, section, note)


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
    import altair as alt

    of = list(series) if series is not None else [axis] * np.size(popularity)
    counts = np.full(np.size(popularity), np.nan) if n is None else n
    rows = _rows(popularity=popularity, value=values, low=lows, high=highs, n=counts, of=of)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("popularity:Q").scale(domain=[0, 1]).title("popularity (1: best known)"),
        color=_series("of", list(dict.fromkeys(of))),
        tooltip=_tips("of", "popularity:.2f", "value:.4~g", "low:.4~g", "high:.4~g", "n:,d"),
    )
    y = alt.Y("low:Q").title(axis or None).scale(zero=False)
    bands = base.mark_area(opacity=0.18).encode(y=y, y2="high:Q")
    lines = base.mark_line(strokeWidth=2, point={"filled": True, "size": 55}).encode(y="value:Q")
    return _chart(alt.layer(bands, lines).properties(width=_WIDTH, height=260), name, section, note)


def outcomes_chart(
    counts: Mapping[str, Mapping[str, int]], *, name: str = "Outcomes", section: str = "", note: str = ""
) -> Chart:
    """How the replies could be read: one bar of shares per condition.

    counts  condition -> outcome -> readings
    raises  ValueError: nothing counted, an outcome that is not among `records.OUTCOMES`
    """
    import altair as alt

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
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(opacity=0.85)
        .encode(
            y=alt.Y("condition:N").sort(list(counts)).title(None).axis(labelLimit=240),
            x=alt.X("share:Q").stack("zero").scale(domain=[0, 1]).title("share of readings").axis(format="%"),
            color=alt.Color("outcome:N").scale(domain=seen, range=[OUTCOME_COLOURS[o] for o in seen]).title(None),
            order="order:Q",
            tooltip=_tips("condition", "outcome", "readings:,d", "share:.1%"),
        )
        .properties(width=_WIDTH, height=_ROW * len(counts) + 8)
    )
    return _chart(chart, name, section, note)


def _chart(chart: alt.TopLevelMixin, name: str, section: str, note: str) -> Chart:
    spec = chart.to_dict()
    spec["config"] = dict(CONFIG)
    return Chart(name, spec, section, note)


def _series(field: str, names: Sequence[str]) -> alt.Color:
    import altair as alt

    colour = alt.Color(f"{field}:N").sort(list(names)).scale(domain=list(names), range=list(PALETTE))
    return colour.title(None) if len(names) > 1 else colour.legend(None)


def _tips(*fields: str) -> list[alt.Tooltip]:
    """Tooltips from "field" (text) or "field:format" (a number)."""
    import altair as alt

    tips = []
    for field, _, form in (f.partition(":") for f in fields):
        tip = alt.Tooltip(f"{field}:{'Q' if form else 'N'}").title(_TITLES.get(field, field))
        tips.append(tip.format(form) if form else tip)
    return tips


def _rows(**columns: Any) -> list[dict[str, Any]]:
    """Columns of equal length as rows, nan as None."""
    _same_length(**columns)
    plain = {k: [_plain(v) for v in np.asarray(c).tolist()] for k, c in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _same_length(**columns: Any) -> None:
    lengths = {name: np.size(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"unequal lengths: {', '.join(f'{k} {v}' for k, v in lengths.items())}")
    if not any(lengths.values()):
        raise ValueError(f"{', '.join(lengths)} are empty; there is nothing to draw")


def _check(values: np.ndarray, name: str, good: np.ndarray, rule: str) -> None:
    if not good.all():
        at = int(np.argmin(good))
        raise ValueError(
            f"{name}[{at}] is {values[at]:g}; it has to be {rule} ({(~good).sum()} of {good.size} are not)"
        )


def _defined(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def _plain(value: Any) -> Any:
    """A JSON value: None for nan and infinities, which JSON has no word for."""
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
