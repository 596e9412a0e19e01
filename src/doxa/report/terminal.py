"""Findings in the terminal: tables where a person looks, aligned plain text where a file or a pipe does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from doxa.records import Claim, Estimate, Findings
from doxa.report.numbers import MISSING, Shown, cell, counted, null_inside, number, percent, read_share

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from doxa.runs import Part, Run

_ROWS = 20  # rows of a table of findings that are printed; the report has them all


def print_findings(
    found: Part | Findings, console: Console | None = None, *, title: str = "", rows: int | None = _ROWS
) -> None:
    """Print estimates by section, tables, published figures and notes.

    console  where to; default: standard output
    title    the line above; default: study and model of a part
    rows     of each table that are printed; None: all
    """
    from rich.console import Console

    out = console or Console()
    findings = found if isinstance(found, Findings) else found.findings
    if not title and not isinstance(found, Findings):
        title = f"{found.study} on {found.model}"
    _line(out, title, "bold")
    for section in sorted(dict.fromkeys(e.section for e in findings.estimates), key=bool):
        _estimates(out, section, [e for e in findings.estimates if e.section == section])
    for table in findings.tables:
        shown = table.rows[:rows]
        left = len(table.rows) - len(shown)
        lines = [[cell(value) for value in row] for row in shown]
        right = {k for k, value in enumerate(table.rows[0] if table.rows else ()) if isinstance(value, (int, float))}
        _table(out, table.name, table.columns, lines, right)
        _line(out, f"and {counted(left, 'row')} more, in the report" if left > 0 else table.note, "dim")
    if findings.claims:
        claims = [_claim(c, findings) for c in findings.claims]
        _table(out, "Published figures", ("figure", "published", "measured", "setting"), claims, {1, 2})
    for note in findings.notes:
        _line(out, f"note: {note}", "yellow")


def summary(run: Run, console: Console | None = None, *, report: Path | str | None = None) -> None:
    """Print the profile of a run that has one, else the findings of every part; what failed; where everything lies.

    report  the report's path; default: report.html in the run's folder, when it is there
    """
    from rich.console import Console

    out = console or Console()
    for part in run.parts:
        if run.profile is None:
            print_findings(part, out)
        failed, left = (part.counts.get(name, 0) for name in ("failed", "left"))
        if failed:
            _line(out, f"{part.study}: {counted(failed, 'item')} failed; the same command asks them again", "red")
        if left:
            _line(out, f"{part.study}: {counted(left, 'item')} not asked yet; the same command goes on", "yellow")
        if run.profile is None:
            out.print()
    if run.profile is not None:
        print_findings(run.profile, out, title=f"Profile of {run.manifest['model']['address']}")
        out.print()
    if run.validation is not None:
        _line(out, f"Can these numbers be trusted? {' '.join(run.validation.notes)} (doxa validate)")
    place = Path(report) if report is not None else run.folder / "report.html" if run.folder is not None else None
    if run.folder is not None:
        _line(out, f"Readings  {run.folder}")
    if place is not None and place.exists():
        _line(out, f"Report    {place}", "bold")


def print_table(table: pl.DataFrame, console: Console | None = None) -> None:
    """Print a table of rows (a query's answer), whole; console as in `print_findings`."""
    from rich.console import Console

    right = {k for k, kind in enumerate(table.dtypes) if kind.is_numeric()}
    rows = [[_value(value) for value in row] for row in table.iter_rows()]
    _table(console or Console(), "", table.columns, rows, right)


def _value(value: Any) -> str:
    """As it is, so that it can be copied: no commas, empty for null."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _estimates(out: Console, section: str, estimates: Sequence[Estimate]) -> None:
    """One row per estimate, columns that no estimate fills left out; beneath, what the numbers rest on."""
    columns = ("estimate", "value [95 % interval]", "n", "read", "bounds", "null")
    rows = [_row(e) for e in estimates]
    used = [k for k in range(len(columns)) if k < 2 or any(row[k] for row in rows)]
    chosen = [[row[k] for k in used] for row in rows]
    _table(out, section, [columns[k] for k in used], chosen, {at for at, k in enumerate(used) if k})
    for line in dict.fromkeys(_outcomes(e) for e in estimates):
        _line(out, line, "dim")
    for e in estimates:
        if math.isnan(e.value):
            _line(out, f"{e.name}: {Shown(e).value}", "dim")
    if any(null_inside(e) for e in estimates):
        _line(out, "* the null lies inside the interval: not told from nothing", "yellow")


def _row(e: Estimate) -> list[str]:
    shown = Shown(e)
    value = MISSING if math.isnan(e.value) else shown.whole
    read = percent(read_share(dict(e.outcomes))) if e.outcomes else ""
    return [e.name, value, shown.n, read, shown.bounds, shown.null + " *" * null_inside(e)]


def _outcomes(e: Estimate) -> str:
    counts = [f"{n:,} {outcome}" for outcome, n in e.outcomes.items() if n]
    return f"read {percent(read_share(dict(e.outcomes)))}: {', '.join(counts)}" if counts else ""


def _claim(claim: Claim, findings: Findings) -> list[str]:
    name = claim.estimate or claim.name
    text = Shown(findings.estimate(name)).text if name in findings else number
    measured = text(claim.measured) if not math.isnan(claim.measured) else "not measured"
    return [claim.name, text(claim.published), measured, claim.setting]


def _table(out: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> None:
    """`right`: columns that are aligned to the right."""
    if not out.is_terminal:
        _line(out, f"\n{title}" if title else "")
        _plain_table(out, columns, rows, right)
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=_text(title) if title else None)
    table.title_justify, table.title_style, table.header_style = "left", "bold", "dim"
    for k, name in enumerate(columns):
        justify: Literal["left", "right"] = "right" if k in right else "left"
        table.add_column(_text(name), justify=justify, overflow="fold", no_wrap=k in right)
    for row in rows:
        table.add_row(*(_text(value) for value in row))
    out.print(table)


def _plain_table(out: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], right: set[int]) -> None:
    """A pipe has no width: nothing is wrapped, one line is one row."""
    from rich.cells import cell_len

    lines = [[str(_text(value)).replace("\n", " ") for value in row] for row in (columns, *rows)]
    widths = [max(cell_len(line[k]) for line in lines) for k in range(len(columns))]
    for line in lines:
        gaps = [" " * (width - cell_len(value)) for width, value in zip(widths, line, strict=True)]
        cells = [gap + v if k in right else v + gap for k, (gap, v) in enumerate(zip(gaps, line, strict=True))]
        _line(out, "  ".join(cells).rstrip())


def _line(out: Console, text: str, style: str = "") -> None:
    if text:
        out.print(_text(text), style=style, soft_wrap=True)


def _text(text: str) -> Any:
    """Text as it is: no markup, and no control character that would drive the terminal."""
    from rich.text import Text

    return Text(
        "".join(c if c.isprintable() or c in "\n\t\N{NO-BREAK SPACE}" else "\N{REPLACEMENT CHARACTER}" for c in text)
    )
