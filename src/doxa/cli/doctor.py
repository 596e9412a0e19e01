"""The command that looks after the installation, and at one model."""

from __future__ import annotations

from typing import Any

import click

from doxa.cli.output import print_json
from doxa.cli.parameters import load_model, model_options


@click.command()
@click.option("--model", "-m", metavar="ADDRESS", help="Also what this model can do, and whether batches change it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@model_options
def doctor(model: str | None, as_json: bool, **given: Any) -> None:
    """What works here: Python, extras, devices, embedded models."""
    from doxa import doctor as checks
    from doxa.report import findings_dict, print_findings

    found = {"Installation": checks.as_findings(checks.installation())}
    if model is not None:
        found["Model"] = checks.model_findings(load_model(model, given))
    if as_json:
        print_json({name: findings_dict(findings) for name, findings in found.items()})
        return
    for findings in found.values():
        print_findings(findings, rows=None)
