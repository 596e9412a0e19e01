"""Charts that studies put into their findings: plain arrays in, a Vega-Lite specification with its data out."""

from doxa.charts.amounts import curve_by_amount
from doxa.charts.confidence import confidence_histogram, reliability_chart, risk_coverage_chart
from doxa.charts.days import daily_chart
from doxa.charts.diagonal import diagonal_chart
from doxa.charts.heat import heat_map
from doxa.charts.recovery import recovery_chart
from doxa.charts.shares import stacked_shares
from doxa.charts.strips import strips_chart
from doxa.charts.values import (
    bars_of_estimates,
    bars_with_intervals,
    curve_by_popularity,
    estimates_chart,
    outcomes_chart,
    scatter_chart,
)

__all__ = [
    "bars_of_estimates",
    "bars_with_intervals",
    "confidence_histogram",
    "curve_by_amount",
    "curve_by_popularity",
    "daily_chart",
    "diagonal_chart",
    "estimates_chart",
    "heat_map",
    "outcomes_chart",
    "recovery_chart",
    "reliability_chart",
    "risk_coverage_chart",
    "scatter_chart",
    "stacked_shares",
    "strips_chart",
]
