"""Lines of tables about yes/no forecasts: beside forecasters that know nothing, by category, and one's own bins.

Tables have one row per question with the columns happened (1 or 0), read (whether a forecast was), said ("yes", "no" or
null), truth, group, category, market (a price, or null), and one column of forecasts for each of several readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.metrics.forecast_scores import metric_rows, reliability_rows
from doxa.metrics.scores import brier
from doxa.metrics.sums import share

if TYPE_CHECKING:
    import polars as pl

FIGURES = ("Brier", "Brier skill", "log loss", "ECE")
FORECASTERS = ("P(yes)", "n", *FIGURES)
BINS = ("P(yes)", "n", "mean", "share yes", "low", "high", "gap")


def reliability(
    table: pl.DataFrame, reading: str, *, bins: int = 10, half_open: bool = False
) -> tuple[list[tuple[Any, ...]], bool]:
    """BINS of the forecasts with a known outcome, or of all that were read if none is known; whether one is."""
    read = table.filter("read")
    known = read.filter(read["happened"].is_not_null())
    p, y = (known[reading], known["happened"]) if len(known) else (read[reading], None)
    return list(reliability_rows(p, y, bins=bins, half_open=half_open)), len(known) > 0


def beside_others(
    asked: pl.DataFrame, readings: Sequence[str], *, bins: int = 10, half_open: bool = False
) -> list[tuple[Any, ...]]:
    """FORECASTERS: each reading, forecasters that do not read the question, and of the market price.

    Also with every unread reply counted as 0.5: otherwise who leaves hard questions out would gain by it.
    """
    known, unread, y_asked = asked.filter("read"), ~asked["read"], asked["happened"].to_numpy()
    priced, y = known.filter(known["market"].is_not_null()), known["happened"].to_numpy()
    filled = {how: np.where(unread, 0.5, asked[how].fill_null(0.5)) for how in readings}
    rows: dict[str, tuple[Any, Any]] = {
        "base rate of these questions": (np.full(len(y), y.mean()), y),
        "always 0.5": (np.full(len(y), 0.5), y),
        **{how: (known[how], y) for how in readings},
        **{f"{how}, unread as 0.5": (forecast, y_asked) for how, forecast in filled.items()},
        "market price": (priced["market"], priced["happened"].to_numpy()),
        **{f"{how}, where priced": (priced[how], priced["happened"].to_numpy()) for how in readings},
    }
    return metric_rows(rows, FIGURES, bins=bins, half_open=half_open)


def by_category(
    known: pl.DataFrame, readings: Sequence[str], *, at_least: int = 1
) -> tuple[list[tuple[Any, ...]], int]:
    """(category, n, accuracy, low, high, Brier score of each reading) of what was read, the largest category first.

    at_least  smaller categories are left out; the second thing returned is how many these are
    """
    named = known.filter(known["category"].is_not_null())
    rows: list[tuple[Any, ...]] = []
    for (category,), part in sorted(named.group_by("category"), key=lambda g: (-len(g[1]), str(g[0][0]))):
        sided = part.filter(part["said"].is_not_null())
        right = share(sided["said"] == sided["truth"], sided["group"])
        errors = (brier(part[how], part["happened"]) for how in readings)
        rows.append((category, len(part), *astuple(right)[:3], *errors))
    shown = [row for row in rows if row[1] >= at_least]
    return shown, len(rows) - len(shown)
