"""Charts of survey answers: bias to the first label, how even answers are, closeness to subgroups, size of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from doxa.charts.strips import lines_chart, strips_chart
from doxa.charts.style import GREY, WIDTH, drawn, rows_of, series_colour, tooltips
from doxa.charts.values import bars_with_intervals
from doxa.records import Chart

if TYPE_CHECKING:
    import altair as alt

TOLD = "discriminator accuracy"


def bias_strips(columns: Mapping[str, Sequence[float]], keys: Sequence[str]) -> Chart:
    """Probability above an even share by question: one row of points for each column (n,); keys (n,)."""
    values = [value for column in columns.values() for value in column]
    axis, name = "probability above an even share, by question", "Bias to the first label"
    return strips_chart(_names(columns), values, [*keys] * len(columns), axis=axis, zero=True, name=name)


def entropy_strips(columns: Mapping[str, Sequence[float]], keys: Sequence[str]) -> Chart:
    """Normalised entropies by question: one row of points for each column (n,); keys (n,)."""
    values = [value for column in columns.values() for value in column]
    axis, name = "normalised entropy, by question", "How even answers are"
    return strips_chart(_names(columns), values, [*keys] * len(columns), axis=axis, name=name)


def alignment_lines(entropy: Sequence[float], kl: Mapping[str, Sequence[float]], names: Sequence[str]) -> Chart:
    """KL to each subgroup against how even its answers are, one line for each kind of answers; names (g,)."""
    values = [value for column in kl.values() for value in column]
    axes, name = ("normalised entropy of the subgroup", "KL to it, bits"), "Closeness to subgroups"
    x = [value for _ in kl for value in entropy]
    return lines_chart(x, values, _names(kl), [*names] * len(kl), axes=axes, name=name)


def closeness_strips(columns: Mapping[str, Sequence[float]], names: Mapping[str, Sequence[str]]) -> Chart:
    """Mean KL to subgroups, to everybody and to even answers: one row of points for each column, names in tooltips."""
    values = [value for column in columns.values() for value in column]
    labels = [label for name in columns for label in names[name]]
    axis, name = "KL of the answers from it, bits, mean of questions", "How far answers are from whom"
    return strips_chart(_names(columns), values, labels, axis=axis, zero=True, name=name)


def told_apart_bars(accuracies: Mapping[str, tuple[float, float, float]]) -> Chart:
    """Accuracy of telling rows apart with its interval, by name; best first. Half is right by guessing."""
    kept = sorted(accuracies.items(), key=lambda item: -item[1][0])
    values, lows, highs = (list(column) for column in zip(*(row for _, row in kept), strict=True))
    axis = "accuracy on held-out rows (0.5 by guessing)"
    return bars_with_intervals([name for name, _ in kept], values, lows, highs, axis=axis, name="Told apart")


def by_size(
    sizes: ArrayLike,
    values: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    series: Sequence[str],
    labels: Sequence[str],
    axis: str,
    level: tuple[str, float] | None = None,
    name: str,
) -> Chart:
    """Points with intervals against the number of parameters, on a logarithmic axis; a nan size leaves a point out.

    sizes, values, lows, highs, series, labels  (k,) each; level: a name and a value to draw a line at
    raises                                      ValueError: unequal lengths, k = 0
    """
    names = list(dict.fromkeys(series))
    rows = rows_of(size=sizes, value=values, low=lows, high=highs, of=list(series), label=list(labels))

    def draw() -> alt.TopLevelMixin:
        import altair as alt

        base = alt.Chart(alt.Data(values=rows)).transform_filter("isValid(datum.size) && isValid(datum.value)")
        axis_x = alt.Axis(labelExpr="replace(format(datum.value, '~s'), 'G', 'B')", tickCount=6, labelOverlap=True)
        x = alt.X("size:Q").scale(type="log").title("parameters").axis(axis_x)
        y = alt.Y("value:Q").title(axis).scale(zero=False)
        colour = series_colour("of", names)
        if len(names) > 1:
            colour = colour.legend(title=None, symbolOpacity=1)  # else as pale as the intervals
        tips = tooltips("label", "of", "size:.3~s", "value:.3~g", "low:.3~g", "high:.3~g")
        spans = base.mark_rule(opacity=0.5, strokeWidth=2).encode(
            x=x, y=alt.Y("low:Q").title(axis), y2="high:Q", color=colour
        )
        points = base.mark_point(filled=True, size=65).encode(x=x, y=y, color=colour, tooltip=tips)
        layers = [spans, points]
        if level is not None:
            at = alt.Chart(alt.Data(values=[{"value": level[1], "label": level[0]}])).encode(y="value:Q")
            layers += [
                at.mark_rule(color=GREY, strokeDash=[4, 3]),
                at.mark_text(color=GREY, align="left", dx=4, dy=-6).encode(text="label:N", x=alt.value(0)),
            ]
        return alt.layer(*layers).properties(width=WIDTH, height=WIDTH * 0.55)

    return drawn(draw, name, "", "")


Row = tuple[float, float, float]  # value, low, high
Strips = tuple[Mapping[str, Sequence[float]], Mapping[str, Sequence[str]]]  # values and names of points, by row


def of_one(
    keys: Sequence[str],
    biases: Mapping[str, Sequence[float]],
    table: tuple[Sequence[str], Sequence[Sequence[float | str]]],
    subgroups: tuple[Sequence[str], Sequence[float], Mapping[str, Sequence[float]]],
    closeness: Strips,
    told: Mapping[str, Row],
) -> Iterator[Chart]:
    """All charts of one model, of those that there is something for.

    keys       of the questions (n,), with their biases; table: columns and rows by question
    subgroups  names, entropies and KL to them, as in `alignment_lines`; closeness: as in `closeness_strips`
    told       accuracies by name, as in `told_apart_bars`
    """
    if keys:
        yield bias_strips(biases, keys)
        yield entropies_of(*table, keys)
    names, entropy, kl = subgroups
    if any(value == value for value in entropy):
        yield alignment_lines(entropy, kl, names)
        yield closeness_strips(*closeness)
    if told:
        yield told_apart_bars(told)


def of_models(
    figures: Mapping[str, Mapping[str, Row]],
    sizes: Mapping[str, float],
    by_question: Mapping[str, Mapping[str, Mapping[str, float]]],
    reference: float,
) -> Iterator[Chart]:
    """Figures of several models against their sizes, and by question.

    figures      figure -> model -> value and interval
    sizes        parameters by model, nan: not known
    by_question  figure -> model -> key -> value
    reference    entropy of the population, nan: none
    """
    entropies = {name: held for name, held in figures.items() if name.startswith("normalised entropy")}
    others = [(n, {n: held}, None) for n, held in figures.items() if n not in entropies and n != TOLD]
    level = ("reference", reference) if reference == reference else None
    for axis, columns, line in [("normalised entropy", entropies, level), *others]:
        rows = [(sizes[m], *row, name, m) for name, of in columns.items() for m, row in of.items()]
        if any(row[0] == row[0] and row[1] == row[1] for row in rows):
            size, value, low, high, series, labels = zip(*rows, strict=True)
            title = f"{axis[0].upper()}{axis[1:]} against size"
            yield by_size(size, value, low, high, series=series, labels=labels, axis=axis, level=line, name=title)
    for axis, of in by_question.items():
        cells = [(m, value, key) for m, column in of.items() for key, value in column.items()]
        if cells:
            models, values, keys = (list(column) for column in zip(*cells, strict=True))
            title = f"{axis[0].upper()}{axis[1:]}, by model"
            yield strips_chart(models, values, keys, axis=axis, zero=axis == "A-bias", name=title)
    if told := {m: row for m, row in figures.get(TOLD, {}).items() if row[0] == row[0]}:
        yield told_apart_bars(told)


def entropies_of(columns: Sequence[str], rows: Sequence[Sequence[float | str]], keys: Sequence[str]) -> Chart:
    """`entropy_strips` of the columns of a table that are named "entropy, ..."."""
    named = {name: [float(row[j]) for row in rows] for j, name in enumerate(columns) if name.startswith("entropy")}
    return entropy_strips(named, keys)


def _names(columns: Mapping[str, Sequence[float]]) -> list[str]:
    return [name for name, column in columns.items() for _ in column]
