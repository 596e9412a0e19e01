"""The command line: each command is a few lines that call the library."""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doxa import __version__

if TYPE_CHECKING:
    from doxa.models import Model
    from doxa.runs import Run

FOLDER_PATH = click.Path(path_type=Path)
DEFAULT_MODEL = "organism:atlas"
FAILED, INTERRUPTED = 2, 130  # exit codes; 0: done
SLUG = 60  # characters of a model's address in the name of a folder


# --- shared parameters -----------------------------------------------------------------------------------------------


def _together(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Several options as one decorator, in the order in which --help shows them."""
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


model_options = _together(  # how to reach the model
    click.option("--base-url", metavar="URL", help="Server of an endpoint:, e.g. http://127.0.0.1:8000/v1."),
    click.option("--api-key-env", metavar="NAME", help="Environment variable with its key. [default: OPENAI_API_KEY]"),
    click.option("--device", metavar="NAME", help="cpu, cuda or mps, for local models."),
    click.option("--dtype", metavar="NAME", help="float32, bfloat16, ... for local models."),
    click.option("--trust-remote-code", is_flag=True, help="Let a model's own code run. Off unless asked for."),
    click.option("--columns", metavar="MAP", help="Columns of a recorded: file, e.g. item=question_id,text=output."),
    click.option("--price", metavar="IN,OUT", help="Money per million input and output tokens, for the plan."),
    click.option("--concurrency", type=click.IntRange(1), help="Items in flight. [default: by the model]"),
)
run_options = _together(  # how much to ask and where to keep it
    click.option("--limit", type=click.IntRange(1), help="Ask only the first so many items."),
    click.option("--seed", default=0, show_default=True, help="Seed of sampling and of shuffles."),
    click.option("--out", type=FOLDER_PATH, help="Run folder. [default: a name under runs/, one per configuration]"),
    click.option("--fresh", is_flag=True, help="Begin again: the readings in the run folder are removed."),
    click.option("--plan", "plan_only", is_flag=True, help="Say what it would cost, ask nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)
null_option = click.option("--null", is_flag=True, help="Shuffle the truth: what the pipeline makes of nothing.")

# What changes readings, so that it belongs to the name of a run's folder.
DECIDING = ("limit", "seed", "base_url", "device", "dtype", "trust_remote_code", "columns")


class StudyCommand(click.Command):
    """A command whose flags grow by the options of the studies named on its line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from doxa import studies
        from doxa.catalogue import OPTION, click_options

        known, given = set(studies.names()), list(args)
        named = dict.fromkeys(name for name in (a.replace("_", "-") for a in args) if name in known)
        own = [p for p in self.params if not (p.name or "").startswith(OPTION)]
        self.params = [*own, *click_options([studies.load(name) for name in named])]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            for name in list(takewhile(lambda a: not a.startswith("-"), given))[: 1 if self.name == "score" else None]:
                studies.load(name)  # a misspelt study has no options: the name is what is wrong
            raise


def _load(address: str, given: dict[str, Any]) -> Model:
    from doxa.models import load
    from doxa.models.base import Price

    columns, price = given["columns"], given["price"]
    try:
        pairs = dict(pair.split("=", 1) for pair in columns.split(",")) if columns else None
    except ValueError:
        raise click.BadParameter(f"{columns!r} is not NAME=COLUMN,NAME=COLUMN", param_hint="--columns") from None
    try:
        cost = Price(*(float(x) for x in price.split(","))) if price else None
    except (TypeError, ValueError):
        raise click.BadParameter(f"{price!r} is not two numbers, as in 2.5,10", param_hint="--price") from None
    plain = {name: given[name] for name in ("base_url", "api_key_env", "device", "dtype", "trust_remote_code")}
    concurrency = given["concurrency"] if address.startswith("endpoint:") else None
    return load(address, columns=pairs, price=cost, concurrency=concurrency, **plain)


# --- commands --------------------------------------------------------------------------------------------------------


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="doxa")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks; may stand anywhere on the line.")
def cli() -> None:
    """Doxa: what a model believes, whether it says so, and whether its confidence can be trusted.

    Begin with `doxa audit` (the embedded model, no network, no key) or `doxa studies`.
    """


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the catalogue as JSON.")
def studies(name: str | None, as_json: bool) -> None:
    """The catalogue; with NAME, what that study asks and offers."""
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
@click.option("--model", "-m", required=True, metavar="ADDRESS", help="hf:, organism:, endpoint:, simulated:, ...")
@run_options
@click.option("--items", "items_file", type=FOLDER_PATH, help="Ask your own items: CSV, JSONL or Parquet.")
@null_option
@model_options
def run(study: tuple[str, ...], model: str, **given: Any) -> None:
    """Ask a model one or several studies; resumes what was cut.

    The same command again goes on where it was cut, or shows what is finished. The options of a study are listed when
    it is named: doxa run STUDY --help.
    """
    import doxa
    from doxa import studies as catalogue
    from doxa.catalogue import study_options
    from doxa.data import sets
    from doxa.runs.manifest import items_digest

    chosen = [catalogue.load(name) for name in dict.fromkeys(s.replace("_", "-") for s in study)]
    options = {s.name: study_options(s, given) for s in chosen}
    items = sets.load(given["items_file"]) if given["items_file"] else None
    asked = _load(model, given)
    changed: dict[str, Any] = {s.name: options[s.name] for s in chosen if options[s.name] != s.options()}
    if items is not None:
        changed["items"] = items_digest(items, len(items))
    folder = given["out"] or _default_folder("+".join(options), model, given, changed)
    if not _planned([(s, options[s.name]) for s in chosen], asked, folder, given, items):
        return
    done = doxa.run(
        chosen,
        asked,
        options=options,
        items=items,
        out=folder,
        **_how(given),
        null_headline=given["null"],
    )
    _show(done, given["as_json"])


@cli.command(cls=StudyCommand)
@click.argument("study")
@click.argument("files", nargs=-1, required=True, type=FOLDER_PATH)
@null_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def score(study: str, files: tuple[Path, ...], null: bool, as_json: bool, **given: Any) -> None:
    """Score answers that are already there, without a model.

    FILES are rows that a run stored, or result files that other people published. The options of a study are listed
    when it is named: doxa score STUDY --help.
    """
    from doxa import studies as catalogue
    from doxa.catalogue import study_options
    from doxa.report import findings_dict, print_findings
    from doxa.runs.recorded import score_files

    chosen = catalogue.load(study)
    scored = score_files(chosen, files, study_options(chosen, given), null=null)
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
    """The epistemic profile of a model; without MODEL, of the atlas.

    Every number has its 95 % interval. The same command again goes on where it was cut, or shows what is finished.
    """
    from doxa.audit import audit as run_audit
    from doxa.audit import battery

    parts = tuple(dict.fromkeys(given["parts"]))
    whole = battery()
    asked = _load(model, given)
    folder = given["out"] or _default_folder("audit", model, given, {"parts": parts} if parts else {})
    if all(p in whole for p in parts) and not _planned([whole[p] for p in parts or whole], asked, folder, given):
        return
    _show(run_audit(asked, parts=parts or None, out=folder, **_how(given)), given["as_json"])


@cli.command()
@click.argument("folder", type=FOLDER_PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON, too.")
def report(folder: Path, as_json: bool) -> None:
    """Write a run's report (one HTML file) and print its summary."""
    from doxa.runs import Run

    _show(Run.open(folder), as_json)


@cli.command()
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
        _print_json(json.loads(table.write_json()))  # nan and infinities become null
    else:
        from doxa.report import print_table

        print_table(table)


@cli.command()
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
        return
    for card in found:
        size = f"{card['parameters']:,} parameters, {card['bytes'] / 1e6:.1f} MB"
        click.echo(f"organism:{card['name']}  {size}: {card['what']}")
    if not found:
        click.echo("None is installed. Build one: doxa organism build atlas --out FOLDER", err=True)


@organism.command("show")
@click.argument("name")
def organism_show(name: str) -> None:
    """The card of an organism (JSON): planted, trained, measured."""
    from doxa.organisms import card

    _print_json(card(name))


@organism.command("build")
@click.argument("name")
@click.option("--out", type=FOLDER_PATH, required=True, help="Folder for the weights.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads. [default: all]")
def organism_build(name: str, out: Path, threads: int | None) -> None:
    """Train an organism from its recipe (about half an hour on two cores)."""
    from doxa.organisms import build

    build(name, out, threads=threads, say=lambda line: click.echo(line, err=True))


# --- before a run ----------------------------------------------------------------------------------------------------


def _default_folder(head: str, model: str, given: Mapping[str, Any], changed: Mapping[str, Any]) -> Path:
    """runs/HEAD-MODEL, with a hash of what differs from the defaults: one configuration, one folder."""
    from doxa.models.base import digest

    settings = {name: given[name] for name in DECIDING if given[name]} | dict(changed)
    slug = "".join(c if c.isalnum() else "-" for c in model).strip("-").lower()
    if len(slug) > SLUG or "?" in model:  # another address may look the same
        settings["model"] = model
    return Path("runs") / "-".join([head, slug[-SLUG:].strip("-")] + [digest(settings)[:8]] * bool(settings))


def _planned(chosen: Any, model: Model, folder: Path, given: Mapping[str, Any], items: Any = None) -> bool:
    """Say on stderr what the run would take, or that it was begun before; False when that is all that was wanted."""
    from doxa.runs import plan

    if (folder / "manifest.json").exists() and not given["fresh"] and not given["plan_only"]:
        click.echo(f"{folder} was begun before: what is done there is not asked again.", err=True)
        return True
    plans = [plan(study, model, options, items, limit=given["limit"]) for study, options in chosen]
    for p in plans:
        click.echo(str(p), err=True)
    if given["plan_only"] and given["as_json"]:
        _print_json([p.as_dict() for p in plans])
    return not given["plan_only"]


def _how(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a run and an audit take alike."""
    taken = {name: given[name] for name in ("limit", "seed", "fresh", "concurrency")}
    return taken | {"progress": not given["as_json"]}


# --- output and errors -----------------------------------------------------------------------------------------------


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
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str, allow_nan=False))


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point: errors are one readable message on stderr with exit code 2; tracebacks only with --debug."""
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args or bool(os.environ.get("DOXA_DEBUG"))
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        try:
            cli.main(args=[a for a in args if a != "--debug"], prog_name="doxa", standalone_mode=False)
            code = 0
        except click.exceptions.Abort:
            code = INTERRUPTED
        except Exception as error:
            if debug:
                traceback.print_exc()
            code = _fail(error)
    sys.exit(code)


def _fail(error: Exception) -> int:
    """Show an error; the exit code."""
    if isinstance(error, click.ClickException):
        error.show()
        return FAILED
    from doxa.records import DoxaError

    text = "\n".join([str(error), *getattr(error, "__notes__", ())])
    if not isinstance(error, (DoxaError, ValueError, OSError)):
        text = f"unexpected {type(error).__name__}: {text}\nThis is a fault of Doxa's; --debug shows where."
    click.echo(f"Error: {text}", err=True)
    return int(getattr(error, "exit_code", FAILED))


if __name__ == "__main__":
    main()
