"""Recovery curves: the planted strength swept, and at each step what the instrument makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doxa.charts import recovery_chart
from doxa.planted import Truth
from doxa.records import Chart, Findings, Table
from doxa.study import Study
from doxa.validation.recovery import Check, Say, checks

COLUMNS = ("strength", "quantity", "planted", "measured", "low", "high", "n", "tolerance", "recovered")


@dataclass(frozen=True)
class Curve:
    """One truth of one study at every strength of its grid."""

    study: str
    truth: Truth
    points: tuple[Check, ...]

    @property
    def section(self) -> str:
        return f"{self.study}: {self.truth.name}"

    def chart(self) -> Chart:
        """Planted on one axis, measured on the other, with intervals; one colour per quantity."""
        wanted = self.truth.drawn
        points = [p for p in self.points if not wanted or p.expected.estimate in wanted]
        return recovery_chart(
            [p.expected.value for p in points],
            [p.measured.value for p in points],
            [p.measured.low for p in points],
            [p.measured.high for p in points],
            strengths=[p.strength for p in points],
            series=[p.expected.estimate for p in points],
            name=f"Recovery curve, {self.section}",
            section=self.section,
            note=f"{self.truth.what}. Bars are the 95 % intervals that the study itself gives.",
        )

    def table(self) -> Table:
        """Every point in numbers."""
        lines = tuple(
            (
                *(p.strength, p.expected.estimate, p.expected.value, p.measured.value),
                *(p.measured.low, p.measured.high, p.measured.n, p.tolerance, p.holds),
            )
            for p in self.points
        )
        return Table(f"Points of the curve, {self.section}", COLUMNS, lines, section=self.section)


def sweep(studies: Sequence[Study], *, quick: bool = False, seed: int = 0, say: Say = lambda line: None) -> list[Curve]:
    """The recovery curves of all truths of these studies that have a grid; arguments as `validate` takes them."""
    found = []
    for study in studies:
        for truth in study.planted:
            if truth.grid and (truth.quick or not quick):
                say(f"{study.name}: {truth.name} at {', '.join(f'{s:g}' for s in truth.grid)}")
                points = tuple(c for s in truth.grid for c in checks(study, truth, s, seed=seed))
                found.append(Curve(study.name, truth, points))
    return found


def as_findings(swept: Sequence[Curve]) -> Findings:
    """Charts and tables of curves, each under its own heading, and how many points were recovered."""
    points = [p for curve in swept for p in curve.points]
    note = f"{sum(p.holds for p in points)} of {len(points)} points of {len(swept)} curves recovered"
    return Findings(
        tables=tuple(c.table() for c in swept), charts=tuple(c.chart() for c in swept), notes=(note,) if swept else ()
    )
