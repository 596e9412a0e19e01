"""What commands print: the summary of a run, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from doxa.records import finite

if TYPE_CHECKING:
    from doxa.runs import Run


def show(done: Run, as_json: bool) -> None:
    """Write the report, then print the summary or the findings as JSON."""
    from doxa.report import findings_json, summary, write_report

    if done.folder:
        write_report(done)
    if as_json:
        print_json(findings_json(done))
    else:
        summary(done)


def print_json(value: Any) -> None:
    """One JSON value on standard output; undefined and infinite numbers are null, which JSON has no word for."""
    click.echo(json.dumps(finite(value), ensure_ascii=False, indent=2, default=str, allow_nan=False))
