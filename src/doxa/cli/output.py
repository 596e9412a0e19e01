"""What commands print: the summary of a run, or JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

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
    click.echo(json.dumps(_finite(value), ensure_ascii=False, indent=2, default=str, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value
