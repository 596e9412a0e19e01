"""Charts are valid Vega-Lite with their data inside, draw without a network, and refuse what cannot be drawn."""

import copy
import dataclasses
import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from doxa.charts import (
    bars_with_intervals,
    confidence_histogram,
    curve_by_popularity,
    estimates_chart,
    outcomes_chart,
    reliability_chart,
    risk_coverage_chart,
)
from doxa.charts.style import OUTCOME_COLOURS, PALETTE
from doxa.records import OUTCOMES, Chart, Claim, Estimate

NAN = float("nan")


def a_bin(low, high, n, said=NAN, right=NAN, right_low=NAN, right_high=NAN):
    return SimpleNamespace(
        low=low, high=high, n=n, confidence=said, accuracy=right, accuracy_low=right_low, accuracy_high=right_high
    )


BINS = [a_bin(0, 0.5, 0), a_bin(0.5, 0.8, 4, 0.7, 0.5, 0.15, 0.85), a_bin(0.8, 1, 10, 0.9, 0.6, 0.31, 0.83)]
ESTIMATES = [
    Estimate("accuracy", 0.6, 0.5, 0.7, null=0.25),
    Estimate("ece", 0.2, 0.15, 0.24),
    Estimate("undefined", NAN),
]
CHARTS = {
    "reliability": lambda: reliability_chart(BINS, section="Calibration", note="ten bins"),
    "estimates": lambda: estimates_chart(ESTIMATES, [Claim("ECE", 0.377, "GPT-3.5", estimate="ece")]),
    "histogram": lambda: confidence_histogram([0.9, 0.9, 0.2, 1.0], [1, 0, 0, 1]),
    "risk": lambda: risk_coverage_chart({"words": ([0.5, 1], [0.1, 0.2]), "samples": ([0.5, 1], [0.2, 0.3])}),
    "bars": lambda: bars_with_intervals(["a", "b"], [0.5, NAN], [0.4, NAN], [0.6, NAN], axis="accuracy"),
    "series": lambda: bars_with_intervals(["a", "a"], [1, 2], [0, 1], [2, 3], series=["neutral", "pressured"]),
    "popularity": lambda: curve_by_popularity([0.1, 0.9], [0.3, 0.8], [0.2, 0.7], [0.4, 0.9], n=[10, 12], axis="right"),
    "outcomes": lambda: outcomes_chart({"neutral": {"ok": 9, "refused": 1}, "pressured": {"ok": 5, "failed": 5}}),
}


def data(chart: Chart) -> list[dict]:
    """All rows of data in a chart of one view."""
    return [
        row for layer in (chart.spec, *chart.spec.get("layer", [])) for row in layer.get("data", {}).get("values", [])
    ]


def test_a_chart_is_drawn_once_and_only_when_it_is_looked_at():
    drawn = []
    chart = Chart.later(lambda: drawn.append(1) or {"mark": "bar"}, "Bars", section="A")
    assert (chart.name, chart.section, chart.note, drawn) == ("Bars", "A", "", [])
    assert chart == Chart("Bars", {"mark": "bar"}, "A") and dataclasses.replace(chart, note="b").spec == chart.spec
    assert pickle.loads(pickle.dumps(chart)) == chart and copy.deepcopy(chart) == chart and drawn == [1]
    assert not hasattr(chart, "specification")
    assert pickle.loads(pickle.dumps(CHARTS["risk"]())) == CHARTS["risk"]()  # one that nobody has looked at


@pytest.mark.parametrize("name", CHARTS)
def test_draws(name):
    import vl_convert

    chart = CHARTS[name]()
    text = json.dumps(chart.spec, allow_nan=False)  # strict JSON: no NaN
    assert '"url"' not in text
    svg = vl_convert.vegalite_to_svg(text, vl_version="6.4")
    assert svg.startswith("<svg") and svg.count("<path") > 3


@pytest.mark.parametrize("name", CHARTS)
def test_width_is_that_of_a_page_column(name):
    spec = CHARTS[name]().spec
    views = spec.get("vconcat", [spec])
    assert all(420 <= view["width"] <= 560 for view in views)
    assert spec["config"]["background"] == "transparent"


def test_reliability_leaves_out_empty_bins():
    chart = CHARTS["reliability"]()
    assert (chart.name, chart.section, chart.note) == ("Reliability", "Calibration", "ten bins")
    strip = chart.spec["vconcat"][1]
    assert [row["n"] for row in strip["data"]["values"]] == [4, 10]
    assert strip["encoding"]["x"]["title"] == "stated confidence"
    titled = reliability_chart(BINS, said="P(yes)", happened="share that happened").spec["vconcat"]
    assert titled[1]["encoding"]["x"]["title"] == "P(yes)" and "share that happened" in json.dumps(titled[0])
    with pytest.raises(ValueError, match="none of the 1 bins"):
        reliability_chart([a_bin(0, 1, 0)])


def test_estimates_show_null_and_published():
    rows = data(CHARTS["estimates"]())
    assert [(r["name"], r["kind"], r["value"]) for r in rows] == [
        ("accuracy", "measured", 0.6),
        ("ece", "measured", 0.2),
        ("undefined", "measured", None),
        ("accuracy", "null", 0.25),
        ("ece", "published", 0.377),
    ]
    with pytest.raises(ValueError, match="empty"):
        estimates_chart([])


def test_histogram_counts_right_up_and_wrong_down():
    rows = data(CHARTS["histogram"]())
    # 0.9 begins the bin 0.9-0.95; 1.0 belongs to the last; 0.2 begins 0.2-0.25
    assert [(r["was"], r["from"], r["height"]) for r in rows] == [
        ("right", 0.9, 1), ("right", 0.95, 1), ("wrong", 0.2, -1), ("wrong", 0.9, -1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("confidence", "correct", "message"),
    [
        ([0.5, 90], [1, 0], r"confidence\[1\] is 90; it has to be in \[0, 1\] \(1 of 2 are not\)"),
        ([0.5, NAN], [1, 0], r"confidence\[1\] is nan"),
        ([0.5, 0.5], [1, 2], r"correct\[1\] is 2; it has to be 0 or 1"),
        ([0.5], [1, 0], "unequal lengths: confidence 1, correct 2"),
        ([], [], "empty"),
    ],
)
def test_histogram_refuses(confidence, correct, message):
    with pytest.raises(ValueError, match=message):
        confidence_histogram(confidence, correct)


def test_long_curves_are_thinned_and_keep_their_ends():
    x = np.linspace(0.001, 1, 5000)
    rows = data(risk_coverage_chart({"words": (x, x / 2)}))
    assert len(rows) == 400
    assert (rows[0]["coverage"], rows[-1]["coverage"]) == (0.001, 1)
    with pytest.raises(ValueError, match="empty"):
        risk_coverage_chart({})
    with pytest.raises(ValueError, match="coverage 2, risk 1"):
        risk_coverage_chart({"words": ([0.5, 1], [0.1])})


def test_unequal_columns_are_refused():
    with pytest.raises(ValueError, match="value 1"):
        bars_with_intervals(["a", "b"], [1], [0, 0], [2, 2])
    with pytest.raises(ValueError, match="unequal"):
        curve_by_popularity([0.1], [0.3, 0.4], [0.2], [0.4])


def test_outcomes_are_checked():
    assert [(r["condition"], r["outcome"], r["share"]) for r in data(CHARTS["outcomes"]())] == [
        ("neutral", "ok", 0.9), ("neutral", "refused", 0.1), ("pressured", "ok", 0.5), ("pressured", "failed", 0.5),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="'wrong' of 'neutral'"):
        outcomes_chart({"neutral": {"wrong": 1}})
    with pytest.raises(ValueError, match="no readings"):
        outcomes_chart({})


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_stand_on_light_and_on_dark():
    for colour in {*PALETTE, *OUTCOME_COLOURS.values()}:
        on_white = 1.05 / (luminance(colour) + 0.05)
        on_black = (luminance(colour) + 0.05) / (luminance("#0f1317") + 0.05)
        assert on_white > 2 and on_black > 3, colour
    assert tuple(OUTCOME_COLOURS) == OUTCOMES and len(set(OUTCOME_COLOURS.values())) == len(OUTCOMES)
