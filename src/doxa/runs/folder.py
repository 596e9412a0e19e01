"""A run as it is read: Run, its parts (one study each), their rows, records and findings."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from doxa.models.base import Usage
from doxa.records import DoxaError, Findings, Item
from doxa.runs import log as logs
from doxa.runs import manifest as manifests
from doxa.runs.files import write_whole
from doxa.runs.notation import dumps, read_call, read_findings, read_item, write_findings
from doxa.runs.store import TALLIED
from doxa.runs.tables import calls_table, groups, parquet_file, read_row, rows_table
from doxa.study import Call, Study

FINDINGS = "findings.json"
OWN = (manifests.NAME, FINDINGS, "report.html", "readings", "arrays")  # what a run puts into its folder


@dataclass(frozen=True)
class Record:
    """What came of one item: rows and calls, or why there are none.

    rows       one dictionary per reading; those that came before the error, when it failed
    calls      every call of the model, in order
    row_calls  for each row, the indices of the calls that it rests on
    """

    item: Item
    status: Literal["done", "failed"]
    error: str | None
    rows: list[dict[str, Any]]
    calls: list[Call]
    row_calls: list[tuple[int, ...]]


class Part:
    """One study of a run: its readings and what they came to.

    study, model, options  name, address, options as a dictionary
    findings               estimates, tables, charts, claims (empty, with a note, before the run is done)
    null                   the findings of the same rows with the truth shuffled; None: not asked for
    """

    def __init__(
        self,
        entry: dict[str, Any],
        model: str,
        log: logs.Log | None = None,
        folder: Path | None = None,
        study: Study | None = None,
        on_damage: logs.OnDamage = "raise",
    ) -> None:
        self.study: str = entry["study"]
        self.model = model
        self.options: dict[str, Any] = entry["options"]
        self.folder = folder / "readings" / self.study if folder is not None else None
        self.findings = Findings(notes=("not scored yet: the same command goes on with the run and scores it",))
        self.null: Findings | None = None
        self._entry = entry
        self._study = study
        self._on_damage = on_damage
        if log is not None:
            self.log = log

    @cached_property
    def log(self) -> logs.Log:
        """The log that everything else is made from."""
        return logs.Log(self.folder, self._entry["items"], self._on_damage)

    @property
    def counts(self) -> dict[str, int]:
        """items, asked, done, failed, left (items); readings; calls, from_store, uncounted (calls of the model).

        `uncounted` replies came without token counts, so that cost is not known.
        """
        return dict(self._entry.get("counts") or self.counted())

    @property
    def usage(self) -> Usage:
        """Calls that reached the model and their tokens, failed attempts included."""
        return Usage(**(self._entry.get("usage") or self.used()))

    def counted(self) -> dict[str, int]:
        """`counts` from the log itself."""
        index = self.log.index
        done, failed = int(index.done.sum()), index.failed
        items = len(index.done)
        calls = {name: index.usage.get(name, 0) for name in ("calls", "from_store", "uncounted")}
        asked = {"items": items, "asked": done + failed, "done": done, "failed": failed, "left": items - done - failed}
        return asked | {"readings": index.readings} | calls

    def used(self) -> dict[str, Any]:
        """`usage` from the log itself, as keywords of Usage."""
        summed = self.log.index.usage
        flat = {name: summed.get(name, 0) for name in TALLIED if name != "uncounted"}
        flat["retries"] = self._entry.get("retries", 0)
        kinds = {k.removeprefix("calls_"): v for k, v in summed.items() if k.startswith("calls_")}
        return {**flat, "by_kind": kinds}

    @property
    def beside(self) -> dict[str, dict[str, int]]:
        """The same of each model beside the one that is asked, such as a judge, by address, as the log keeps it."""
        counts: dict[str, dict[str, int]] | None = self._entry.get("beside", {})
        return self.log.index.beside if counts is None else counts

    def note_retries(self, retries: int) -> None:
        """Add calls that had to be repeated; no record holds them, so those of a killed run are not known."""
        self._entry["retries"] = self._entry.get("retries", 0) + retries

    def rows(self, *, ids: bool = False) -> pl.DataFrame:
        """The readings of the items that are done: one column per field of the study's Row, items in order.

        ids  with the columns `model` and `reading` ("study/item/k") in front
        """
        if self.folder is not None and (self.folder / "rows.parquet").exists():
            columns = None if ids else list(self._entry["row"])
            table = pl.read_parquet(self.folder / "rows.parquet", columns=columns, glob=False)
        else:
            table = self._rows_of_log()
        return table if ids else table.drop("model", "reading", strict=False)

    def _rows_of_log(self) -> pl.DataFrame:
        return pl.concat([self._rows_of(group) for group in groups(self.log.records(only_done=True))])

    def _rows_of(self, group: list[dict[str, Any]]) -> pl.DataFrame:
        return rows_table(group, self._entry["row"], self.study, self.model)

    def calls(self) -> pl.DataFrame:
        """Every call of the model, one row each, with the readings that it led to."""
        if self.folder is not None and (self.folder / "calls.parquet").exists():
            return pl.read_parquet(self.folder / "calls.parquet", glob=False)
        return pl.concat([calls_table(group, self.study, self.model) for group in groups(self.log.records())])

    @property
    def compacted(self) -> bool:
        """Whether the Parquet files are there; calls.parquet comes last."""
        return self.folder is not None and (self.folder / "calls.parquet").exists()

    def compact(self) -> None:
        """Write rows.parquet and calls.parquet from the log, which stays."""
        assert self.folder is not None
        with (
            parquet_file(self.folder / "calls.parquet") as calls,
            parquet_file(self.folder / "rows.parquet") as rows,
        ):
            for group in groups(self.log.records()):
                rows.add(self._rows_of(group))
                calls.add(calls_table(group, self.study, self.model))

    def records(self) -> Iterator[Record]:
        """What came of each item that was asked, in the order of the items."""
        for _, written in self.log.records():
            yield Record(
                item=read_item(written["item"]),
                status=written["status"],
                error=written.get("error"),
                rows=[read_row(row, self._entry["row"]) for row in written["rows"]],
                calls=[read_call(call) for call in written["calls"]],
                row_calls=[tuple(used) for used in written["row_calls"]],
            )

    def scorer(self, studies: Callable[[str], Study] | None = None) -> tuple[Study, Any]:
        """The study and its options, to score rows with.

        studies  finds the study of a stored run by its name; None: by the module that it was in
        """
        study = self._study or (studies(self.study) if studies else _found(self._entry["module"]))
        return study, read_options(study, self.options)

    def __repr__(self) -> str:
        counts = self.counts
        return f"Part({self.study!r}, {self.model!r}, {counts['done']} of {counts['items']} items done)"


class Run:
    """One execution of studies on a model: `manifest` and one part per study; `folder` is None for one in memory.

    profile     findings over all parts, for a run that has them (an audit does)
    validation  how far the run's instruments recover what is planted, for a run that has it (an audit does)
    """

    def __init__(self, manifest: dict[str, Any], parts: Sequence[Part], folder: Path | None = None) -> None:
        self.manifest = manifest
        self.parts = list(parts)
        self.folder = folder
        self.profile: Findings | None = None
        self.validation: Findings | None = None

    @classmethod
    def open(cls, folder: str | Path, *, on_damage: logs.OnDamage = "raise") -> Run:
        """A run from its folder, finished or not.

        on_damage  "raise": a damaged line of a log is an error; "skip": its item counts as not asked
        raises     DoxaError: no run there; Refused: written in a newer format; Damaged: see on_damage
        """
        folder = Path(folder)
        manifest = manifests.read(folder)
        model = manifest["model"]["address"]
        parts = [Part(entry, model, folder=folder, on_damage=on_damage) for entry in manifest["studies"]]
        run = cls(manifest, parts, folder)
        run.read_findings()
        return run

    def __getitem__(self, study: str) -> Part:
        """The part of a study; KeyError lists the studies of this run."""
        for part in self.parts:
            if part.study == study.replace("_", "-"):
                return part
        raise KeyError(f"no part {study!r}; this run has: {', '.join(p.study for p in self.parts)}")

    def __repr__(self) -> str:
        where = "in memory" if self.folder is None else str(self.folder)
        return f"Run({', '.join(p.study for p in self.parts)} on {self.manifest['model']['address']!r}, {where})"

    def write_findings(self) -> None:
        """Put the findings of all parts into findings.json."""
        assert self.folder is not None
        parts = [
            {
                "study": part.study,
                "model": part.model,
                "findings": write_findings(part.findings, part.study, part.model),
                "null": None if part.null is None else write_findings(part.null, part.study, part.model),
            }
            for part in self.parts
        ]
        model = self.parts[0].model
        over_all = {
            name: None if found is None else write_findings(found, name, model)
            for name, found in (("profile", self.profile), ("validation", self.validation))
        }
        written = json.loads(dumps({"format": manifests.FORMAT, **over_all, "parts": parts}))
        write_whole(self.folder / FINDINGS, json.dumps(written, indent=1, ensure_ascii=False).encode() + b"\n")

    def read_findings(self) -> None:
        """Give each part the findings that findings.json holds, if it is there yet."""
        assert self.folder is not None
        path = self.folder / FINDINGS
        if not path.exists():
            return
        try:
            stored = json.loads(path.read_bytes())
        except ValueError as error:
            raise DoxaError(
                f"{path} is damaged ({error}). Remove it and give the run's command again: the same command asks "
                "nothing anew and scores what is there."
            ) from error
        self.profile = read_findings(stored["profile"]) if stored.get("profile") else None
        self.validation = read_findings(stored["validation"]) if stored.get("validation") else None
        for written in stored["parts"]:
            part = self[written["study"]]
            part.findings = read_findings(written["findings"])
            part.null = None if written["null"] is None else read_findings(written["null"])


def repair(folder: str | Path) -> int:
    """Move damaged lines of a run's logs into `*.damaged` files beside them; the number of lines.

    Their items then count as not asked: the same command asks them again and scores anew.
    """
    folder = Path(folder)
    entries = manifests.read(folder)["studies"]
    moved = sum(logs.repair(folder / "readings" / entry["study"], entry["items"]) for entry in entries)
    if moved:
        forget_results(folder)
    return moved


def forget_results(folder: Path) -> None:
    """Remove what was made from the logs, so that nothing older than a log can be taken for its content."""
    for path in (folder / FINDINGS, folder / "report.html", *folder.glob("readings/*/*.parquet")):
        path.unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Remove a run from its folder and leave everything else that lies there."""
    for name in OWN:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def read_options(study: Study, written: Mapping[str, Any]) -> Any:
    """A study's Options from the manifest; lists become the tuples that they were."""
    known = {f.name for f in dataclasses.fields(study.options)}
    if unknown := set(written) - known:
        raise DoxaError(
            f"this run's options of {study.name!r} have {', '.join(sorted(unknown))}, which the study no longer has; "
            f"it has {', '.join(sorted(known)) or 'none'}. Run it again."
        )
    hints = typing.get_type_hints(study.options)
    return study.options(**{k: tuple(v) if _is_tuple(hints[k], v) else v for k, v in written.items()})


def _is_tuple(hint: Any, value: Any) -> bool:
    kinds = [typing.get_origin(h) or h for h in (hint, *typing.get_args(hint))]
    return isinstance(value, list) and tuple in kinds


def _found(module: str) -> Study:
    # By its module and only here: whoever runs a study passes it, only a stored run has to find it again.
    if not module.startswith("doxa."):  # a manifest may come from anywhere, and importing runs code
        raise DoxaError(f"this run's study is in {module!r}, outside doxa; import it and pass studies=...")
    try:
        study = importlib.import_module(module).study
    except (ImportError, AttributeError) as error:
        raise DoxaError(f"this run's study was in {module}, which this version cannot import ({error})") from error
    assert isinstance(study, Study)
    return study
