"""What commands print: the summary of a run, or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from doxa.records import Findings, finite

if TYPE_CHECKING:
    from doxa.runs import Run


def show(done: Run, as_json: bool, beside: Mapping[str, Findings] | None = None) -> None:
    """Write the report, then print the summary or the findings as JSON.

    beside  further findings by heading, printed behind; in a run folder they have a page of their own
    """
    from doxa.report import findings_dict, findings_json, print_findings, summary, write_document, write_report

    further = dict(beside or {})
    if done.folder:
        write_report(done)
        if further:
            write_document(done.folder / "calibrated.html", ", ".join(further), list(further.items()))
    if as_json:
        print_json(findings_json(done) | {heading: findings_dict(found) for heading, found in further.items()})
        return
    summary(done)
    for heading, found in further.items():
        print_findings(found, title=heading)


def print_json(value: Any) -> None:
    """One JSON value on standard output; undefined and infinite numbers are null, which JSON has no word for."""
    click.echo(json.dumps(finite(value), ensure_ascii=False, indent=2, default=str, allow_nan=False))
