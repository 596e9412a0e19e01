"""The command that fits calibrators on a run."""

from __future__ import annotations

from pathlib import Path

import click

from doxa.cli.output import print_json
from doxa.cli.parameters import FOLDER_PATH

METHODS = ("best", "temperature", "platt", "beta", "isotonic", "spline")


@click.command()
@click.argument("folder", metavar="RUN", type=FOLDER_PATH)
@click.option("--way", help="Only this way of reading confidence. [default: all that the run has]")
@click.option("--method", type=click.Choice(METHODS), default="best", show_default=True, help="What is fitted.")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, help="Of cross-fitting, by question.")
@click.option("--seed", default=0, show_default=True, help="Of the folds.")
@click.option("--out", type=FOLDER_PATH, help="Where the calibrators are kept. [default: RUN/calibrators.json]")
@click.option("--report", type=FOLDER_PATH, help="Report. [default: RUN/calibration.html]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def calibrate(
    folder: Path,
    way: str | None,
    method: str,
    folds: int,
    seed: int,
    out: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Fit a calibrator on a run's graded confidences.

    Shown is what it changes, each answer by a fit without its question; kept is the fit on all of them, for
    doxa run ... --calibrator FILE.
    """
    from doxa import calibration
    from doxa.report import findings_dict, print_findings, write_document
    from doxa.runs import Run

    run = Run.open(folder)
    how = calibration.methods()[method]
    made, found = calibration.calibrate(run, way=way, method=how, folds=folds, seed=seed)
    kept, page = out or folder / "calibrators.json", report or folder / "calibration.html"
    calibration.save(made, kept)
    heading = f"Calibration of {run.manifest['model']['address']}"
    write_document(page, heading, [("Before and after", found)])
    click.echo(f"Calibrators: {kept}\nReport: {page}", err=True)
    if as_json:
        print_json(findings_dict(found))
    else:
        print_findings(found, title=heading)
