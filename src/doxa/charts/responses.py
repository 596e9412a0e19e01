"""Charts of survey answers: bias to the first label, how even answers are, closeness to subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doxa.charts.strips import lines_chart, strips_chart
from doxa.records import Chart


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


def entropies_of(columns: Sequence[str], rows: Sequence[Sequence[float | str]], keys: Sequence[str]) -> Chart:
    """`entropy_strips` of the columns of a table that are named "entropy, ..."."""
    named = {name: [float(row[j]) for row in rows] for j, name in enumerate(columns) if name.startswith("entropy")}
    return entropy_strips(named, keys)


def _names(columns: Mapping[str, Sequence[float]]) -> list[str]:
    return [name for name, column in columns.items() for _ in column]
