"""Commands about what is there: the catalogue of studies, and runs that were kept: report, query, compare."""

from __future__ import annotations

import json
from pathlib import Path

import click

from doxa.cli.output import print_json, show
from doxa.cli.parameters import FOLDER_PATH


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the catalogue as JSON.")
def studies(name: str | None, as_json: bool) -> None:
    """The catalogue; with NAME, what that study asks and offers."""
    from doxa.catalogue import catalogue, print_catalogue, print_study
    from doxa.studies import load, names

    chosen = [load(name)] if name else [load(n) for n in names()]
    if as_json:
        print_json(catalogue(chosen)[0] if name else catalogue(chosen))
    elif name:
        print_study(chosen[0])
    else:
        print_catalogue(chosen)


@click.command()
@click.argument("folder", type=FOLDER_PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON, too.")
def report(folder: Path, as_json: bool) -> None:
    """Write a run's report (one HTML file) and print its summary."""
    from doxa.runs import Run

    show(Run.open(folder), as_json)


@click.command()
@click.argument("sql")
@click.option("--runs", "folder", default="runs", show_default=True, type=FOLDER_PATH, help="Folder of runs.")
@click.option("--json", "as_json", is_flag=True, help="Print rows as JSON.")
def query(sql: str, folder: Path, as_json: bool) -> None:
    """Ask all runs in SQL: readings, calls, runs, findings.

    These four are the tables, the SQL is DuckDB's: doxa query "describe readings" lists the columns.
    """
    from doxa.runs import query as ask

    table = ask(sql, folder)
    if as_json:
        print_json(json.loads(table.write_json()))  # nan and infinities become null
    else:
        from doxa.report import print_table

        print_table(table)


@click.command()
@click.argument("first", type=FOLDER_PATH)
@click.argument("second", type=FOLDER_PATH)
@click.option("--metric", help="Only this estimate. [default: every one that both runs have]")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(first: Path, second: Path, metric: str | None, as_json: bool) -> None:
    """Two runs on their common items: SECOND minus FIRST, in pairs.

    Each difference has its 95 % interval, and where that does not settle it, how many items would.
    """
    from doxa.report import findings_dict, print_findings
    from doxa.runs import Run
    from doxa.runs import compare as compare_runs

    found = compare_runs(Run.open(first), Run.open(second), metric=metric)
    if as_json:
        print_json(findings_dict(found))
    else:
        print_findings(found, title=f"{second} minus {first}")
