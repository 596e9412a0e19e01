"""The command line: each command is a few lines that call the library."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doxa import __version__

if TYPE_CHECKING:
    from doxa.models import Model
    from doxa.runs import Run
    from doxa.study import Flag, Study

DEFAULT_MODEL = "organism:atlas"
OPTION = "option_"  # prefix of a study option's name among the parameters of a command


# --- shared parameters -----------------------------------------------------------------------------------------------


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How to reach the model."""
    for option in reversed(
        (
            click.option(
                "--base-url", metavar="URL", help="Server of an endpoint: model, e.g. http://127.0.0.1:8000/v1."
            ),
            click.option("--device", metavar="NAME", help="cpu, cuda or mps, for local models."),
            click.option("--dtype", metavar="NAME", help="float32, bfloat16, ... for local models."),
            click.option("--trust-remote-code", is_flag=True, help="Let a model's own code run. Off unless asked for."),
            click.option(
                "--columns", metavar="MAP", help="Columns of a recorded: file, e.g. item=question_id,text=output."
            ),
            click.option("--price", metavar="IN,OUT", help="Money per million input and output tokens, for the plan."),
            click.option("--concurrency", type=click.IntRange(1), help="Items in flight. [default: by the model]"),
        )
    ):
        command = option(command)
    return command


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How much to ask and where to keep it."""
    for option in reversed(
        (
            click.option("--limit", type=click.IntRange(1), help="Ask only the first so many items."),
            click.option("--seed", default=0, show_default=True, help="Seed of sampling and of shuffles."),
            click.option("--out", type=click.Path(path_type=Path), help="Run folder. [default: a name under runs/]"),
            click.option("--fresh", is_flag=True, help="Begin anew in a new folder instead of resuming."),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        )
    ):
        command = option(command)
    return command


class StudyCommand(click.Command):
    """A command whose flags grow by the options of the studies named on its line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from doxa import studies

        known = set(studies.names())
        named = [a.replace("_", "-") for a in args if a.replace("_", "-") in known]
        own = [p for p in self.params if not (p.name or "").startswith(OPTION)]
        grown: dict[str, click.Option] = {}
        for name in dict.fromkeys(named):
            for flag in _flags(studies.load(name)):
                grown.setdefault(flag.name, _click_option(flag, name))
        self.params = [*own, *grown.values()]
        return super().parse_args(ctx, args)


def _flags(study: Study) -> list[Flag]:
    from doxa.study import flags

    return flags(study.options)


def _click_option(flag: Flag, study: str) -> click.Option:
    dashed = flag.name.replace("_", "-")
    kind: Any = click.Choice(flag.choices) if flag.choices else flag.type
    declared = f"--{dashed}/--no-{dashed}" if flag.type is bool else f"--{dashed}"
    return click.Option(
        [f"{OPTION}{flag.name}", declared],
        type=kind,
        default=flag.default,
        show_default=flag.default is not None,
        help=f"{flag.help} ({study})",
    )


def _study_options(study: Study, values: dict[str, Any]) -> Any:
    return study.options(**{f.name: values[OPTION + f.name] for f in _flags(study)})


def _load(address: str, given: dict[str, Any]) -> Model:
    from doxa.models import load
    from doxa.models.base import Price

    columns = given["columns"]
    price = given["price"]
    try:
        pairs = dict(pair.split("=", 1) for pair in columns.split(",")) if columns else None
    except ValueError:
        raise click.BadParameter(f"{columns!r} is not NAME=COLUMN,NAME=COLUMN", param_hint="--columns") from None
    try:
        cost = Price(*(float(x) for x in price.split(","))) if price else None
    except (TypeError, ValueError):
        raise click.BadParameter(f"{price!r} is not two numbers, as in 2.5,10", param_hint="--price") from None
    return load(
        address,
        base_url=given["base_url"],
        device=given["device"],
        dtype=given["dtype"],
        trust_remote_code=given["trust_remote_code"],
        columns=pairs,
        price=cost,
        concurrency=given["concurrency"],
    )


# --- commands --------------------------------------------------------------------------------------------------------


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="doxa")
def cli() -> None:
    """Doxa: what a model believes, whether it says so, and whether its confidence can be trusted.

    Begin with `doxa audit` (the embedded model, no network, no key) or `doxa studies`.
    """


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the catalogue as JSON.")
def studies(name: str | None, as_json: bool) -> None:
    """The catalogue: what a study is, what it answers, what it needs, its options."""
    from doxa.catalogue import catalogue, print_catalogue, print_study
    from doxa.studies import load, names

    chosen = [load(name)] if name else [load(n) for n in names()]
    if as_json:
        _print_json(catalogue(chosen)[0] if name else catalogue(chosen))
    elif name:
        print_study(chosen[0])
    else:
        print_catalogue(chosen)


@cli.command(cls=StudyCommand)
@click.argument("study", nargs=-1, required=True)
@click.option(
    "--model", "-m", required=True, metavar="ADDRESS", help="hf:, organism:, endpoint:, recorded:, simulated:."
)
@run_options
@click.option(
    "--items", "items_file", type=click.Path(path_type=Path), help="Ask your own items: CSV, JSONL or Parquet."
)
@click.option("--null", "headline_null", is_flag=True, help="Shuffle the truth: what the pipeline makes of nothing.")
@click.option("--plan", "plan_only", is_flag=True, help="Say what it would cost, ask nothing.")
@model_options
def run(study: tuple[str, ...], model: str, **given: Any) -> None:
    """Ask a model one or several studies. A run that was cut resumes when the same command is given again."""
    import doxa
    from doxa import studies as catalogue
    from doxa.runs import plan

    chosen = [catalogue.load(name) for name in dict.fromkeys(study)]
    options = {s.name: _study_options(s, given) for s in chosen}
    items = _items(given["items_file"])
    asked = _load(model, given)
    planned = [plan(s, asked, options[s.name], items, limit=given["limit"]) for s in chosen]
    for p in planned:
        click.echo(str(p), err=True)
    if given["plan_only"]:
        if given["as_json"]:
            _print_json([p.as_dict() for p in planned])
        return
    done = doxa.run(
        chosen,
        asked,
        options=options,
        items=items,
        limit=given["limit"],
        seed=given["seed"],
        out=given["out"] or _default_folder(chosen, model),
        fresh=given["fresh"],
        concurrency=given["concurrency"],
        progress=not given["as_json"],
        null_headline=given["headline_null"],
    )
    _show(done, given["as_json"])


@cli.command(cls=StudyCommand)
@click.argument("study")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--null", "headline_null", is_flag=True, help="Shuffle the truth: what the pipeline makes of nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def score(study: str, files: tuple[Path, ...], headline_null: bool, as_json: bool, **given: Any) -> None:
    """Score answers that are already there: stored rows, or result files that other people published."""
    from doxa import studies as catalogue
    from doxa.report import findings_dict, print_findings
    from doxa.runs.recorded import score_files

    chosen = catalogue.load(study)
    scored = score_files(chosen, files, _study_options(chosen, given), null=headline_null)
    if as_json:
        _print_json({label: findings_dict(found) for label, found in scored})
    else:
        for label, found in scored:
            print_findings(found, title=label)


@cli.command()
@click.argument("model", required=False, default=DEFAULT_MODEL)
@run_options
@click.option("--part", "parts", multiple=True, help="Only this part of the battery; may be given several times.")
@model_options
def audit(model: str, **given: Any) -> None:
    """The epistemic profile of one model, every number with its interval. Without MODEL: the embedded atlas."""
    from doxa.audit import audit as run_audit

    done = run_audit(
        _load(model, given),
        parts=given["parts"] or None,
        limit=given["limit"],
        seed=given["seed"],
        out=given["out"] or Path("runs") / f"audit-{_slug(model)}",
        fresh=given["fresh"],
        concurrency=given["concurrency"],
        progress=not given["as_json"],
    )
    _show(done, given["as_json"])


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON instead of writing HTML.")
def report(folder: Path, as_json: bool) -> None:
    """Write a run's report (one HTML file, works offline) and print its summary."""
    from doxa.runs import Run

    _show(Run.open(folder), as_json)


@cli.command()
@click.argument("sql")
@click.option(
    "--runs", "folder", default="runs", show_default=True, type=click.Path(path_type=Path), help="Folder of runs."
)
@click.option("--json", "as_json", is_flag=True, help="Print rows as JSON.")
def query(sql: str, folder: Path, as_json: bool) -> None:
    """Ask all runs in SQL (DuckDB): tables readings, calls, runs, findings."""
    from doxa.runs import query as ask

    table = ask(sql, folder)
    if as_json:
        _print_json(table.to_dicts())
    else:
        from doxa.report import print_table

        print_table(table)


@cli.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--metric", help="Only this estimate. [default: every one that both runs have]")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(first: Path, second: Path, metric: str | None, as_json: bool) -> None:
    """Compare two runs on their common items: paired differences, and how many items would settle the rest."""
    from doxa.report import findings_dict, print_findings
    from doxa.runs import Run
    from doxa.runs import compare as compare_runs

    found = compare_runs(Run.open(first), Run.open(second), metric=metric)
    if as_json:
        _print_json(findings_dict(found))
    else:
        print_findings(found, title=f"{second} minus {first}")


@cli.group()
def organism() -> None:
    """Embedded models with planted, known beliefs."""


@organism.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def organism_list(as_json: bool) -> None:
    """Which organisms ship with Doxa."""
    from doxa.organisms import cards

    found = cards()
    if as_json:
        _print_json(found)
    for card in [] if as_json else found:
        click.echo(
            f"organism:{card['name']}  {card['parameters']:,} parameters, {card['bytes'] / 1e6:.1f} MB: {card['what']}"
        )


@organism.command("show")
@click.argument("name")
def organism_show(name: str) -> None:
    """The card of an organism: what was planted, how it was trained, what was measured."""
    from doxa.organisms import card

    _print_json(card(name))


@organism.command("build")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the weights.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads. [default: all]")
def organism_build(name: str, out: Path, threads: int | None) -> None:
    """Train an organism again from its recipe (about an hour on two cores)."""
    from doxa.organisms import build

    build(name, out, threads=threads, say=lambda line: click.echo(line, err=True))


# --- output and errors -----------------------------------------------------------------------------------------------


def _items(path: Path | None) -> Sequence[Any] | None:
    if path is None:
        return None
    from doxa.data.sets import load

    return load(path)


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text).strip("-").lower()[:60]


def _default_folder(chosen: Sequence[Study], model: str) -> Path:
    return Path("runs") / f"{'+'.join(s.name for s in chosen)}-{_slug(model)}"


def _show(done: Run, as_json: bool) -> None:
    """Write the report, then print the summary or the findings as JSON."""
    from doxa.report import findings_json, summary, write_report

    if done.folder:
        write_report(done)
    if as_json:
        _print_json(findings_json(done))
    else:
        summary(done)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point: errors are one readable message on stderr with exit code 2; tracebacks only with --debug."""
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args or bool(os.environ.get("DOXA_DEBUG"))
    args = [a for a in args if a != "--debug"]
    try:
        code = cli.main(args=args, prog_name="doxa", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        if debug:
            raise
        error.show()
        sys.exit(2)
    except Exception as error:
        if debug:
            raise
        _fail(error)


def _fail(error: Exception) -> None:
    from doxa.records import DoxaError

    if isinstance(error, (DoxaError, ValueError, OSError)):
        click.echo(f"Error: {error}", err=True)
    else:
        click.echo(
            f"Error: unexpected {type(error).__name__}: {error}\nThis is a fault of Doxa's; --debug shows where.",
            err=True,
        )
    sys.exit(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    main()
