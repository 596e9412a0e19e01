"""SQL over the runs below a folder: every reading, call, run and finding, read-only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from doxa.records import DoxaError
from doxa.runs import manifest as manifests
from doxa.runs.folder import OWN, Part, Run

VIEWS = ("readings", "calls", "runs", "findings")

_RUNS: dict[str, Any] = {
    "run": pl.String,
    "status": pl.String,
    "model": pl.String,
    "fingerprint": pl.String,
    "beside": pl.List(pl.String),
    "studies": pl.List(pl.String),
    "seed": pl.Int64,
    "limit": pl.Int64,
    "doxa": pl.String,
    "started": pl.String,
    "finished": pl.String,
    "items": pl.Int64,
    "done": pl.Int64,
    "failed": pl.Int64,
    "readings": pl.Int64,
    "calls": pl.Int64,
    "from_store": pl.Int64,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "cost": pl.Float64,
}
_FINDINGS: dict[str, Any] = {
    "run": pl.String,
    "study": pl.String,
    "model": pl.String,
    "section": pl.String,
    "name": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int64,
    "unit": pl.String,
    "method": pl.String,
    "null": pl.Float64,
    "note": pl.String,
}


def query(sql: str, folder: str | Path) -> pl.DataFrame:
    """Answer one SQL statement (DuckDB) about all runs below a folder, unfinished ones included.

    readings  every study's rows: run, study, model, reading ("study/item/k"), then the columns of the study's Row;
              a column that a study does not have is null there
    calls     every call of a model: run, study, model, item, call, kind, condition, prompt, sampling, reply, replies,
              scores, input_tokens, output_tokens, readings (the ones it led to)
    runs      one row per run; findings: one row per estimate

    The statement sees these and no file: nothing can be read from or written to the disk with it.

    raises  DoxaError: no run below `folder`; the statement's error in one line
    """
    import duckdb

    found = dict(runs_below(Path(folder)))
    if not found:
        raise DoxaError(f"no run below {folder}: no folder there has a {manifests.NAME}. Name the folder of your runs.")
    base = duckdb.connect(":memory:")
    try:
        base.register("runs", _runs_table(found).to_arrow())
        base.register("findings", _findings_table(found).to_arrow())
        _view(base, "readings", found)
        _view(base, "calls", found)
        base.execute("SET enable_external_access = false")
        base.execute("SET lock_configuration = true")
        answer = base.sql(sql)
        return pl.DataFrame() if answer is None else answer.pl()
    except duckdb.Error as error:
        first = str(error).strip().splitlines()[0]
        raise DoxaError(f"{first} (views: {', '.join(VIEWS)}; describe readings lists the columns)") from None
    finally:
        base.close()


def runs_below(folder: Path) -> Iterator[tuple[str, Run]]:
    """(name, run) of each run in or below a folder; the name is its path from there."""
    for path, names, files in os.walk(folder):
        names.sort()
        if manifests.NAME in files:
            names[:] = [name for name in names if name not in OWN]
            run = Run.open(path)
            yield os.path.relpath(path, folder) if Path(path) != folder else folder.resolve().name, run


def _runs_table(found: dict[str, Run]) -> pl.DataFrame:
    rows = []
    for name, run in found.items():
        manifest = run.manifest
        counts = [part.counts for part in run.parts]
        usage = [part.usage for part in run.parts]
        row = {key: manifest.get(key) for key in ("status", "seed", "limit", "doxa", "started", "finished", "cost")}
        row |= {"run": name, "model": manifest["model"]["address"], "fingerprint": manifest["model"]["fingerprint"]}
        row |= {"studies": [part.study for part in run.parts], "beside": list(manifest.get("beside") or {})}
        row |= {key: sum(c[key] for c in counts) for key in ("items", "done", "failed", "readings")}
        row |= {
            key: sum(getattr(u, key) for u in usage) for key in ("calls", "from_store", "input_tokens", "output_tokens")
        }
        rows.append(row)
    return pl.DataFrame(rows, schema=_RUNS)


def _findings_table(found: dict[str, Run]) -> pl.DataFrame:
    rows = [
        {"run": name, "study": part.study, "model": part.model, **{k: getattr(e, k) for k in list(_FINDINGS)[3:]}}
        for name, run in found.items()
        for part in run.parts
        for e in part.findings.estimates
    ]
    return pl.DataFrame(rows, schema=_FINDINGS, strict=False)


def _view(base: Any, view: str, found: dict[str, Run]) -> None:
    """One view over the tables of all parts; columns meet by name."""
    selects: list[str] = []
    for name, run in found.items():
        for part in run.parts:
            table = f"part_{view}_{len(selects)}"
            base.register(table, _table(part, view))
            where = f"{_quoted(name)} AS run, {_quoted(part.study)} AS study"
            selects.append(f"SELECT {where}, * FROM {table}")
    base.execute(f"CREATE VIEW {view} AS {' UNION ALL BY NAME '.join(selects)}")


def _table(part: Part, view: str) -> Any:
    import pyarrow.dataset

    file = "rows.parquet" if view == "readings" else "calls.parquet"
    if part.folder is not None and (part.folder / file).exists():
        # A data set, not a path in the SQL: columns and rows that a statement does not need stay on the disk, and
        # no character of a folder's name can be taken for a pattern.
        return pyarrow.dataset.dataset(part.folder / file)
    return (part.rows(ids=True) if view == "readings" else part.calls()).to_arrow()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
