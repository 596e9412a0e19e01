"""After the last answer: readings compacted to Parquet, scored, and the findings put beside them."""

from __future__ import annotations

import dataclasses

from doxa.records import DoxaError, Findings
from doxa.runs.errors import CannotWrite
from doxa.runs.folder import Part, Run
from doxa.study import with_claims, with_null


def score(made: Run, null_seed: int | None, *, headline: bool = False) -> None:
    """Score each part of a run; what cannot be scored harms no other study and no reading.

    headline  the findings are those of the shuffled truth
    raises    DoxaError: a study's score failed, with its reason; the other parts have their findings by then
    """
    broken: list[tuple[str, Exception]] = []
    for part in made.parts:
        try:
            if part.folder is not None and not part.compacted:
                part.compact()
            found, null = findings(part, null_seed)
            if made.folder is not None:
                _draw(found, null)
            part.null = null
            part.findings = _as_headline(null, null_seed) if headline and null is not None else found
        except CannotWrite:
            raise
        except Exception as error:
            broken.append((part.study, error))
    if made.folder is not None:
        made.write_findings()
    if broken:
        study, reason = broken[0]
        kept = f" The readings are kept in {made.folder}; the same command scores them again." if made.folder else ""
        raise DoxaError(f"study {study!r} could not be scored: {type(reason).__name__}: {reason}.{kept}") from reason


def findings(part: Part, null_seed: int | None) -> tuple[Findings, Findings | None]:
    """A part's findings, and those of its rows with the truth shuffled (None where that was not asked for)."""
    study, options = part.scorer()
    counts = part.counts
    if not counts["done"]:
        first = next(part.records()).error
        return Findings(notes=(f"No reading: all {counts['failed']:,} items failed, the first with {first}",)), None
    rows = part.rows()
    found, null = study.score(rows, options), None
    if null_seed is not None:
        null = study.score(study.shuffled(rows, null_seed), options)
        found = with_null(found, null)
    found = with_claims(found, study.published)
    if counts["failed"]:
        note = f"{counts['failed']:,} of {counts['items']:,} items failed and are in no number; run again to ask them"
        found = dataclasses.replace(found, notes=(*found.notes, note))
    return found, null


def _draw(*every: Findings | None) -> None:
    """Draw what is about to be stored, here, where an error concerns one study alone."""
    for found in every:
        for chart in found.charts if found else ():
            _ = chart.spec


def _as_headline(null: Findings, null_seed: int | None) -> Findings:
    note = f"The truth is shuffled (seed {null_seed}): this is what the pipeline makes of nothing"
    return dataclasses.replace(null, notes=(note, *null.notes))
