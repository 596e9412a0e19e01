"""The command that plants truths and looks for them: are Doxa's own numbers to be trusted?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from doxa.cli.output import print_json
from doxa.cli.parameters import FOLDER_PATH

if TYPE_CHECKING:
    from doxa.study import Study

NOT_RECOVERED = 1  # exit code


@click.command()
@click.argument("study", nargs=-1)
@click.option("--grid", is_flag=True, help="Also sweep what is planted and draw recovery curves into the report.")
@click.option("--coverage", is_flag=True, help="Instead: how often 95 % intervals hold the planted value.")
@click.option(
    "--repetitions", type=click.IntRange(200), help="With --coverage: repetitions of each case. [default: 400]"
)
@click.option(
    "--trivial/--no-trivial",
    default=None,
    help="Show what each study makes of respondents that look at no question. [default: unless --quick]",
)
@click.option("--quick", is_flag=True, help="Only the subset that runs with the tests.")
@click.option("--seed", default=0, show_default=True, help="Seed of sampling, and of --coverage.")
@click.option("--out", type=FOLDER_PATH, help="Report. [default with --grid or --coverage: runs/validation.html]")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def validate(
    study: tuple[str, ...],
    grid: bool,
    coverage: bool,
    repetitions: int | None,
    trivial: bool | None,
    quick: bool,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Plant known truths and show what the studies find of them.

    STUDY: studies or parts of the audit; without one, all. Exit code 1 if a planted value is not recovered or a null
    is not clean.
    """
    from doxa import validation
    from doxa.report import findings_dict, print_findings, write_document
    from doxa.validation import curves, recovery

    if coverage and (study or grid):
        raise click.UsageError("--coverage is about intervals, whatever study prints them: leave STUDY and --grid out")
    if repetitions and not coverage:
        raise click.UsageError("--repetitions belongs to --coverage")
    chapters: list[tuple[str, Any]] = []
    if coverage:
        import doxa.validation.coverage as intervals

        results = intervals.coverages(repetitions=repetitions or 400, seed=seed)
        good = all(r.good for r in results)
        chapters.append(("Coverage of 95 % intervals", intervals.as_findings(results)))
    else:
        chosen = _chosen(study)
        recovered = validation.validate(chosen, quick=quick, seed=seed, say=_say)
        good = validation.sound(recovered)
        chapters.append(("Planted and measured", recovery.as_findings([r.row() for r in recovered])))
        if trivial if trivial is not None else not quick:
            chapters.append(("Trivial respondents", validation.trivials(chosen, seed=seed, say=_say)))
        if grid:
            swept = validation.sweep(chosen, quick=quick, seed=seed, say=_say)
            good = good and all(point.holds for curve in swept for point in curve.points)
            chapters.append(("Recovery curves", curves.as_findings(swept)))
    place = out or (Path("runs/validation.html") if grid or coverage else None)
    if place:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_document(place, "Can these numbers be trusted?", chapters)
        click.echo(f"Report: {place}", err=True)
    if as_json:
        print_json({"sound": good, **{heading: findings_dict(found) for heading, found in chapters}})
    else:
        for heading, found in chapters:
            print_findings(found, title=heading, rows=None)
    if not good:
        raise click.exceptions.Exit(NOT_RECOVERED)


def _chosen(names: tuple[str, ...]) -> list[Study]:
    """The named studies and parts of the audit; without a name, the parts and all studies."""
    from doxa import studies
    from doxa.audit import battery

    parts = {name: part for name, (part, _) in battery().items()}
    return [parts[n] if n in parts else studies.load(n) for n in names or dict.fromkeys([*parts, *studies.names()])]


def _say(line: str) -> None:
    click.echo(line, err=True)
