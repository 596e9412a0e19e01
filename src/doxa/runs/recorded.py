"""Score answers that are already there: a study's own rows, or result files that other people published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from doxa.records import DoxaError, Findings
from doxa.study import Recorded, Study, frame, with_claims, with_null


def score_files(
    study: Study, files: Sequence[Path], options: Any, *, null: bool = False, null_seed: int = 0
) -> list[tuple[str, Findings]]:
    """Findings of each file, labelled, then of all files together where the study compares them.

    null     make the shuffled truth the headline instead of standing beside it
    raises   DoxaError: no such file, or one that the study cannot read (the message names file, place and way out)
    """
    for file in files:
        if not file.exists():
            raise DoxaError(
                f"{file}: no such file. Give result files or a folder of rows that {study.name!r} can read."
            )
    recorded = [_checked(file, read(study, file, options)) for file in files]
    scored = []
    for file, r in zip(files, recorded, strict=True):
        try:
            alike = [other.label for other in recorded].count(r.label) > 1
            scored.append((str(file) if alike else r.label, _score(study, r, options, null, null_seed)))
        except ValueError as error:  # of a metric, which knows the rule and not the file
            raise DoxaError(f"{file}: {error}") from error
    if study.across is not None and len(recorded) > 1:
        scored.append(("all files", study.across(recorded, options)))
    return scored


def _checked(file: Path, recorded: Recorded) -> Recorded:
    rows = recorded.rows
    if rows.is_empty():
        raise DoxaError(f"{file}: no rows, so there is nothing to score. Was the export cut off?")
    if unnamed := rows["item"].null_count():
        raise DoxaError(
            f"{file}: {unnamed:,} of {len(rows):,} rows name no item. Each row needs the id of what was asked in a "
            "column 'item'."
        )
    return recorded


def read(study: Study, file: Path, options: Any) -> Recorded:
    """Rows of one file: by the study's own reader, or as a table with the columns of its Row."""
    if study.read_file is not None:
        try:
            return study.read_file(file, options)
        except DoxaError as error:
            if file.name in str(error):
                raise
            raise DoxaError(f"{file}: {error}") from error
    return Recorded(file.stem, read_rows(study, file))


def read_rows(study: Study, file: Path) -> Any:
    """Rows stored as Parquet, CSV or JSONL, one column per field of the study's Row; optional ones may be absent."""
    import polars as pl

    readers: dict[str, Any] = {
        ".parquet": pl.read_parquet,
        ".csv": pl.read_csv,
        ".jsonl": pl.read_ndjson,
        ".ndjson": pl.read_ndjson,
    }
    if file.suffix not in readers:
        raise DoxaError(f"{file}: ends in {file.suffix!r}; rows are read from {', '.join(readers)}")
    try:
        table = readers[file.suffix](file)
        return frame(table.to_dicts(), study.row)
    except (pl.exceptions.PolarsError, DoxaError) as error:
        raise DoxaError(f"{file}: cannot be read as rows of {study.name!r}: {str(error).splitlines()[0]}") from error


def _score(study: Study, recorded: Recorded, options: Any, null: bool, seed: int) -> Findings:
    def score(r: Recorded) -> Findings:
        return study.score_recorded(r, options) if study.score_recorded else study.score(r.rows, options)

    shuffled = Recorded(recorded.label, study.shuffled(recorded.rows, seed), recorded.stored, recorded.notes)
    found = score(shuffled) if null else with_null(score(recorded), score(shuffled))
    told = tuple(note for note in recorded.notes if note not in found.notes)
    return with_claims(replace(found, notes=(*found.notes, *told)), study.published)
