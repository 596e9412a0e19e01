"""Charts of reasoning models: accuracy against calibration error along training, and figures by length of reasoning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from doxa.charts.style import BLUE, GREY, PALETTE, WIDTH, drawn, rows_of, same_length, series_colour, tooltips
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt


def steps_chart(
    labels: Sequence[str],
    accuracy: ArrayLike,
    error: ArrayLike,
    *,
    name: str = "Accuracy and calibration error",
    section: str = "",
    note: str = "",
) -> Chart:
    """Each model at its accuracy and calibration error, numbered, with a line from each to the next.

    labels, accuracy, error  (k,) in the order of training
    raises                   ValueError: no model, unequal lengths
    """
    same_length(labels=labels, accuracy=accuracy, error=error)
    rows = rows_of(of=list(labels), accuracy=accuracy, error=error, step=np.arange(1, len(labels) + 1))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows)).encode(
            x=alt.X("accuracy:Q").title("accuracy").axis(format="%").scale(zero=True),
            y=alt.Y("error:Q").title("calibration error (ECE)").scale(zero=True),
        )
        line = base.mark_line(color=GREY, strokeWidth=1.5).encode(order="step:Q")
        points = base.mark_point(filled=True, size=110, opacity=1).encode(
            color=series_colour("of", list(labels)),
            tooltip=tooltips("of", "accuracy:.3f", "error:.3f"),
        )
        numbers = base.mark_text(dx=11, dy=-9, fontSize=13, color=GREY).encode(text="step:Q")
        return alt.layer(line, points, numbers).properties(width=WIDTH, height=300)

    return drawn(draw, name, section, note)


def length_chart(
    labels: Sequence[str],
    figures: Mapping[str, ArrayLike],
    *,
    name: str = "By length of reasoning",
    section: str = "",
    note: str = "",
) -> Chart:
    """Figures in [0, 1] by bin of length, one line for each.

    labels   (b,) of the bins, the shortest first; figures: name -> (b,), nan where a bin has none
    raises   ValueError: no bin, unequal lengths, more figures than colours
    """
    if not figures or len(figures) > len(PALETTE):
        raise ValueError(f"{len(figures)} figures; between 1 and {len(PALETTE)} can be drawn")
    rows = []
    for of, values in figures.items():
        rows += rows_of(of=[of] * len(labels), bin=list(labels), value=values)

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        return (
            alt.Chart(alt.Data(values=rows))
            .mark_line(point=alt.OverlayMarkDef(filled=True, size=60), strokeWidth=2, color=BLUE)
            .encode(
                x=alt.X("bin:N").sort(list(labels)).title("tokens before the answer").axis(labelAngle=-25),
                y=alt.Y("value:Q").title(None).scale(domain=[0, 1]),
                color=series_colour("of", list(figures)),
                tooltip=tooltips("of", "bin", "value:.3f"),
            )
            .properties(width=WIDTH, height=240)
        )

    return drawn(draw, name, section, note)
