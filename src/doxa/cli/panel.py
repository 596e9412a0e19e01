"""Commands about panels: the same questions to the same models, day after day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doxa.cli.output import print_json
from doxa.cli.parameters import DEFAULT_MODEL, FOLDER_PATH

if TYPE_CHECKING:
    from doxa.models import Model
    from doxa.records import Table
    from doxa.runs.panel import Day, Panel

STUDY = "election-longitudinal"
NOT_ASKED = 2  # exit code
REACH = ("base_url", "api_key_env", "device", "dtype", "concurrency", "columns")
DAYS_SHOWN = 31

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
date_option = click.option(
    "--date", "day", metavar="DAY", help="As if it were this day, e.g. 2026-09-01. [default: today, UTC]"
)


@click.group()
def panel() -> None:
    """The same questions to the same models over months.

    A panel is a folder with panel.toml; `run` belongs into a daily timer. Each day of each model is an ordinary run.
    """


@panel.command("init")
@click.argument("folder", type=FOLDER_PATH)
@click.option(
    "--model", "-m", "models", multiple=True, metavar="ADDRESS", help="Whom to ask; may be given several times."
)
@click.option("--start", metavar="DAY", help="First day. [default: today, UTC]")
def init(folder: Path, models: tuple[str, ...], start: str | None) -> None:
    """Begin a panel: write panel.toml and questions.toml, to be edited."""
    from doxa.data import panel_questions
    from doxa.records import DoxaError
    from doxa.runs.files import write_whole
    from doxa.runs.panel import FILE, today

    if (folder / FILE).exists():
        raise DoxaError(f"{folder} is a panel already; edit its {FILE}, or name another folder")
    first = panel_questions.day(start) if start else today()
    folder.mkdir(parents=True, exist_ok=True)
    questions = folder / "questions.toml"
    if not questions.exists():
        write_whole(questions, Path(panel_questions.__file__).with_name("panel_example.toml").read_bytes())
    write_whole(folder / FILE, _written(models or (DEFAULT_MODEL,), first).encode())
    click.echo(f"{folder / FILE} and {questions} are there to be edited. Then, once a day: doxa panel run {folder}")


def _written(models: tuple[str, ...], start: date) -> str:
    import json

    listed = ", ".join(json.dumps(model, ensure_ascii=False) for model in models)
    return f"""\
study = "{STUDY}"
models = [{listed}]
start = {start.isoformat()}
# end = {start.replace(year=start.year + 1, day=min(start.day, 28)).isoformat()}

[options]  # of the study, see: doxa run {STUDY} --help
set = "questions.toml"  # without it, our own questions
variations = "all"
again = 1

# How to reach a model, where its address does not say it:
# [reach."endpoint:NAME"]
# base_url = "http://127.0.0.1:8000/v1"
# api_key_env = "NAME_OF_THE_VARIABLE_WITH_ITS_KEY"
"""


@panel.command("run")
@click.argument("folder", type=FOLDER_PATH)
@date_option
@click.option("--model", "-m", "models", multiple=True, metavar="ADDRESS", help="Only this model of the panel.")
@json_option
def run(folder: Path, day: str | None, models: tuple[str, ...], as_json: bool) -> None:
    """Ask what is due today and not answered yet.

    The same command again goes on where it was cut, and asks failed questions again; with nothing left it asks nothing.
    A day that was missed stays missing, unless --date names it: then the report says that it was asked on another day.
    Exit code 2 where a model could not be asked to the end.
    """
    import dataclasses

    from doxa.runs import panel as panels

    opened, when = _open(folder), _day(day)
    asked = panels.ask(opened, when, _load, models=models or None, progress=False if as_json else None)
    if as_json:
        print_json({"date": when.isoformat(), "asked": [dataclasses.asdict(a) for a in asked]})
    for a in asked:
        if not as_json:
            failed = f", {a.failed} failed" if a.failed else ""
            click.echo(f"{when}  {a.model}: {a.done} of {a.due} questions answered{failed}")
        if a.error:
            click.echo(f"{a.model}: {a.error}", err=True)
    if not asked and not as_json:
        click.echo(f"{when}  nothing is due")
    for line in panels.remarks([d for d in panels.coverage(opened, when) if d.when < when]):
        click.echo(line, err=True)
    if any(a.error or a.done < a.due for a in asked):
        raise click.exceptions.Exit(NOT_ASKED)


@panel.command("status")
@click.argument("folder", type=FOLDER_PATH)
@date_option
@json_option
def status(folder: Path, day: str | None, as_json: bool) -> None:
    """What was answered on which day, and what is missing."""
    from doxa.records import Findings
    from doxa.report import print_findings
    from doxa.runs import panel as panels

    opened = _open(folder)
    days = panels.coverage(opened, _day(day))
    if as_json:
        print_json([{**d.__dict__, "state": d.state, "late": d.late} for d in days])
        return
    found = Findings(tables=(_summary(opened, days), _matrix(opened, days)), notes=tuple(panels.remarks(days)))
    print_findings(found, title=f"{folder}, from {opened.start}", rows=None)


def _summary(opened: Panel, days: list[Day]) -> Table:
    from doxa.records import Table

    states = ("whole", "partial", "missing", "nothing due")
    lines = []
    for model in opened.models:
        own = [d for d in days if d.model == model]
        counts = [sum(d.state == state for d in own) for state in states]
        lines.append((model, *counts, sum(d.late for d in own), sum(d.done for d in own), sum(d.due for d in own)))
    return Table("Days", ("model", *states, "asked on another day", "answered", "due"), tuple(lines))


def _matrix(opened: Panel, days: list[Day]) -> Table:
    from doxa.records import Table

    dates = sorted({d.when for d in days})[-DAYS_SHOWN:]
    by = {(d.model, d.when): d for d in days}
    cells = {"nothing due": "–", "missing": "missing"}

    def cell(of: Day) -> str:
        return cells.get(of.state) or f"{of.done} of {of.due}{' (other day)' if of.late else ''}"

    lines = tuple((when.isoformat(), *(cell(by[model, when]) for model in opened.models)) for when in dates)
    return Table("Coverage", ("day", *opened.models), lines, note=f"Days shown: {len(dates)}.")


@panel.command("report")
@click.argument("folder", type=FOLDER_PATH)
@date_option
@json_option
def report(folder: Path, day: str | None, as_json: bool) -> None:
    """Findings over all days and models: FOLDER/report.html and a summary."""
    from doxa.report import findings_dict, print_findings, write_document
    from doxa.runs import panel as panels

    opened = _open(folder)
    found = panels.findings(opened, _day(day))
    facts = [("Study", opened.study.name), ("Models", ", ".join(opened.models)), ("From", opened.start.isoformat())]
    path = write_document(folder / "report.html", f"Panel {folder.resolve().name}", [("Findings", found)], facts=facts)
    if as_json:
        print_json(findings_dict(found))
        return
    print_findings(found, title=str(folder))
    click.echo(f"Report  {path}")


def _open(folder: Path) -> Panel:
    from doxa import studies
    from doxa.runs.panel import Panel

    return Panel.open(folder, studies.load)


def _day(day: str | None) -> date:
    from doxa.data.panel_questions import day as read
    from doxa.runs.panel import today

    return read(day) if day else today()


def _load(address: str, reach: Mapping[str, Any]) -> Model:
    from doxa.models import load
    from doxa.records import DoxaError

    if unknown := [name for name in reach if name not in REACH]:
        raise DoxaError(f"[reach.{address!r}] has {unknown[0]!r}; it takes {', '.join(REACH)}")
    return load(address, **reach)
