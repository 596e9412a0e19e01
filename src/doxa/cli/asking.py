"""Commands that ask a model or score its answers: run, score, audit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doxa.cli.output import print_json, show
from doxa.cli.parameters import (
    DEFAULT_MODEL,
    FOLDER_PATH,
    StudyCommand,
    calibrator_options,
    load_model,
    model_options,
    null_option,
    run_options,
)

if TYPE_CHECKING:
    from doxa.metrics.calibrators import Calibrator
    from doxa.models import Model
    from doxa.records import Findings
    from doxa.runs import Run
    from doxa.study import Study

SLUG = 60  # characters of a model's address in the name of a folder

# What changes readings, so that it belongs to the name of a run's folder.
DECIDING = ("limit", "seed", "base_url", "device", "dtype", "trust_remote_code", "columns")


@click.command(cls=StudyCommand)
@click.argument("study", nargs=-1, required=True)
@click.option("--model", "-m", required=True, metavar="ADDRESS", help="hf:, organism:, endpoint:, simulated:, ...")
@run_options
@click.option("--items", "items_file", type=FOLDER_PATH, help="Ask your own items: CSV, JSONL or Parquet.")
@null_option
@calibrator_options
@click.option("--confidence-from", type=FOLDER_PATH, metavar="FOLDER", help="Also ask a kept correctness model.")
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
    kept = _kept(given)  # before anything is asked
    asked = load_model(model, given)
    _check(kept, chosen, asked, given)
    changed: dict[str, Any] = {s.name: options[s.name] for s in chosen if options[s.name] != s.options()}
    if items is not None:
        changed["items"] = items_digest(items, len(items))
    folder = given["out"] or default_folder("+".join(options), model, given, changed)
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
    beside = {"calibrated": _calibrated(done, kept, given)} if kept else {}
    if given["confidence_from"]:
        from doxa import confidence

        beside[confidence.WAY] = confidence.of_run(done, given["confidence_from"], asked)
    show(done, given["as_json"], beside)


@click.command(cls=StudyCommand)
@click.argument("study")
@click.argument("files", nargs=-1, required=True, type=FOLDER_PATH)
@click.option("--out", type=FOLDER_PATH, help="Also write the findings, with their charts, as one HTML file.")
@null_option
@calibrator_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def score(
    study: str,
    files: tuple[Path, ...],
    out: Path | None,
    null: bool,
    calibrator: Path | None,
    calibrator_anyway: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Score answers that are already there, without a model.

    FILES are rows that a run stored, or result files that other people published. The options of a study are listed
    when it is named: doxa score STUDY --help.
    """
    from doxa import studies as catalogue
    from doxa.catalogue import study_options
    from doxa.report import findings_dict, print_findings, write_document
    from doxa.runs.recorded import read, score_files

    chosen = catalogue.load(study)
    options = study_options(chosen, given)
    scored = score_files(chosen, files, options, null=null)
    if calibrator:
        from doxa import calibration

        kept = calibration.load(calibrator)
        for file in files:
            answers = calibration.of_rows(chosen, read(chosen, file, options).rows, options, missing=True)
            scored.append((f"{file}, calibrated", calibration.applied(answers, kept, anyway=calibrator_anyway)))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_document(out, f"{chosen.name}, recorded answers", scored)
        click.echo(f"Report: {out}", err=True)
    if as_json:
        print_json({label: findings_dict(found) for label, found in scored})
    else:
        for label, found in scored:
            print_findings(found, title=label)


@click.command()
@click.argument("model", required=False, default=DEFAULT_MODEL)
@run_options
@click.option("--part", "parts", multiple=True, help="Only this part of the battery; may be given several times.")
@click.option("--also", multiple=True, help="This part beside the others: calibration-gap.")
@click.option(
    "--validation/--no-validation", default=True, help="Show how far each instrument recovers what is planted."
)
@model_options
def audit(model: str, **given: Any) -> None:
    """The epistemic profile of a model; without MODEL, of the atlas.

    Every number has its 95 % interval. The same command again goes on where it was cut, or shows what is finished.
    """
    from doxa.audit import audit as run_audit
    from doxa.audit import chosen_parts

    parts, also = (tuple(dict.fromkeys(given[name])) for name in ("parts", "also"))
    asked = load_model(model, given)
    told = {name: chosen for name, chosen in {"parts": parts, "also": also}.items() if chosen}
    folder = given["out"] or default_folder("audit", model, given, told)
    if not _planned(list(chosen_parts(asked, parts, also).values()), asked, folder, given):
        return
    how = _how(given) | {"validated": given["validation"], "say": _say}
    done = run_audit(asked, parts=parts, also=also, out=folder, **how)
    show(done, given["as_json"])


def _kept(given: Mapping[str, Any]) -> list[Calibrator]:
    """The calibrators of an earlier run; none: none are wanted."""
    from doxa import calibration

    return calibration.load(given["calibrator"]) if given["calibrator"] else []


def _check(kept: list[Calibrator], chosen: list[Study], model: Model, given: Mapping[str, Any]) -> None:
    """Refuse calibrators that are of no use for these studies or this model."""
    from doxa import calibration

    if kept:
        calibration.check_studies(chosen)
        calibration.check_model(kept, model.fingerprint, anyway=given["calibrator_anyway"])


def _calibrated(done: Run, kept: list[Calibrator], given: Mapping[str, Any]) -> Findings:
    """The run's confidences by calibrators of an earlier one."""
    from doxa import calibration

    fingerprint, anyway = done.manifest["model"]["fingerprint"], given["calibrator_anyway"]
    return calibration.applied(calibration.graded(done, missing=True), kept, fingerprint=fingerprint, anyway=anyway)


# --- before a run ----------------------------------------------------------------------------------------------------


def default_folder(head: str, model: str, given: Mapping[str, Any], changed: Mapping[str, Any]) -> Path:
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
        print_json([p.as_dict() for p in plans])
    return not given["plan_only"]


def _say(line: str) -> None:
    click.echo(f"Proving the instruments (once for this version): {line}", err=True)


def _how(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a run and an audit take alike."""
    taken = {name: given[name] for name in ("limit", "seed", "fresh", "concurrency")}
    return taken | {"progress": not given["as_json"]}
