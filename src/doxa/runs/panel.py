"""A panel: the same questions to the same models on many days, each day's answers of each model one ordinary run.

    FOLDER/panel.toml                     whom to ask what, from when on
    FOLDER/days/2026-09-01/MODEL/         a run; FOLDER/days/2026-09-01/store.sqlite its answers

A day has a response store of its own, so that no answer of another day is taken for its own. A day on which nothing was
asked stays missing.
"""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.models.base import Model, digest
from doxa.records import DoxaError, Findings
from doxa.runs.errors import Interrupted
from doxa.runs.folder import Run
from doxa.runs.loop import carry_out
from doxa.runs.manifest import NAME as MANIFEST
from doxa.runs.runner import run
from doxa.study import Study

if TYPE_CHECKING:
    import polars as pl

FILE = "panel.toml"
DAYS = "days"
SLUG = 60
FIELDS = ("study", "models", "start", "end", "options", "reach")
Load = Callable[[str, Mapping[str, Any]], Model]


@dataclass(frozen=True)
class Panel:
    """What panel.toml says.

    folder   where it lies
    study    asked each day; its Options have a `date`, and may have the panel's first day as `since`
    models   addresses
    start    first day; end: the last one, None: open
    options  of the study, by name
    reach    by address, how to reach a model: base_url, api_key_env, device, dtype, concurrency
    """

    folder: Path
    study: Study
    models: tuple[str, ...]
    start: date
    end: date | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    reach: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, studies: Callable[[str], Study]) -> Panel:
        """The panel in a folder; `studies` finds a study by its name.

        raises  DoxaError: no panel there, a field that is missing, unknown or malformed
        """
        path = folder / FILE
        if not path.is_file():
            raise DoxaError(f"{folder} is no panel: it has no {FILE}. Begin one with: doxa panel init {folder}")
        try:
            held = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DoxaError(f"{path}: not TOML ({error})") from None
        if unknown := [name for name in held if name not in FIELDS]:
            raise DoxaError(f"{path} has {unknown[0]!r}; a panel has {', '.join(FIELDS)}")
        if missing := [name for name in ("study", "models", "start") if not held.get(name)]:
            raise DoxaError(f"{path} has no {missing[0]}; it names the study, the models and the first day (start)")
        if not isinstance(held["models"], list):
            raise DoxaError(f'{path}: models is {held["models"]!r}; it is a list: models = ["organism:atlas"]')
        for name in ("options", "reach"):
            if not isinstance(held.get(name, {}), dict):
                raise DoxaError(f"{path}: {name} is {held[name]!r}; it is a table, [{name}]")
        made = cls(
            folder,
            studies(str(held["study"])),
            tuple(str(model) for model in held["models"]),
            _day(path, "start", held["start"]),
            _day(path, "end", held["end"]) if held.get("end") else None,
            held.get("options", {}),
            held.get("reach", {}),
        )
        made._check(path)
        return made

    def _check(self, path: Path) -> None:
        if len(set(map(slug, self.models))) < len(self.models):
            raise DoxaError(f"{path}: two models have the same address, {', '.join(self.models)}; name each once")
        if stranger := [address for address in self.reach if address not in self.models]:
            raise DoxaError(f"{path}: [reach] names {stranger[0]!r}, which is none of the models")
        known = [f.name for f in dataclasses.fields(self.study.options)]
        if "date" not in known:
            raise DoxaError(f"{path}: study {self.study.name!r} has no option 'date', so that it knows no days")
        own = {"date", "since"}
        if wrong := [name for name in self.options if name not in known or name in own]:
            raise DoxaError(
                f"{path}: [options] has {wrong[0]!r}; {self.study.name!r} has "
                f"{', '.join(name for name in known if name not in own)} (days are the panel's)"
            )
        hints = typing.get_type_hints(self.study.options)
        for name, value in self.options.items():
            if not _fits(value, hints[name]):
                raise DoxaError(f"{path}: [options] {name} is {value!r}; it is {_told(hints[name])}")
        try:
            self.on(self.start)
        except (DoxaError, ValueError) as error:
            raise DoxaError(f"{path}: [options] {error}") from None

    def on(self, when: date) -> Any:
        """The study's options on a day. A text that names a file in the panel's folder is that file."""
        known = {f.name for f in dataclasses.fields(self.study.options)}
        given = {name: self._file(value) for name, value in self.options.items()}
        since = {"since": self.start.isoformat()} if "since" in known else {}
        return self.study.options(**given, **since, date=when.isoformat())

    def _file(self, value: Any) -> Any:
        path = self.folder / value if isinstance(value, str) and value else None
        return str(path.resolve()) if path is not None and path.is_file() else value

    def due(self, when: date) -> int:
        """How many questions are due on a day."""
        if when < self.start or (self.end is not None and when > self.end):
            return 0
        return len(self.study.items(self.on(when)))

    def place(self, model: str, when: date) -> Path:
        """The run folder of a model on a day."""
        return self.folder / DAYS / when.isoformat() / slug(model)

    def days(self, until: date) -> list[date]:
        """From the first day to the last, or to `until`, if that comes before it."""
        last = min(until, self.end) if self.end is not None else until
        return [self.start + timedelta(days=k) for k in range((last - self.start).days + 1)]


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of TOML may stand for a field of this type; whole numbers may stand for others."""
    kinds = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return value in kinds
    if kinds:
        return any(_fits(value, kind) for kind in kinds)
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) else True


def _told(hint: Any) -> str:
    """A type in words."""
    words = {
        int: "a whole number",
        float: "a number",
        str: 'a text, in ""',
        bool: "true or false",
        type(None): "left out",
    }
    kinds = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(repr, kinds))}"
    return " or ".join(map(_told, kinds)) if kinds else words.get(hint, str(hint))


def _day(path: Path, name: str, value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise DoxaError(f"{path}: {name} is {value!r}; it is a day such as 2026-09-01") from None


def slug(model: str) -> str:
    """An address as the name of a folder, the same for one address and no other."""
    plain = "".join(c if c.isalnum() else "-" for c in model).strip("-").lower()
    return plain if plain.replace("-", "") == model.replace(":", "").replace("-", "") and len(plain) <= SLUG else (
        f"{plain[-SLUG:].strip('-')}-{digest(model)[:8]}"
    )  # fmt: skip


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


# --- asking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What came of one model on one day; `error` says why it was not asked to the end."""

    model: str
    due: int
    done: int
    failed: int
    error: str = ""


def ask(
    panel: Panel,
    when: date,
    load: Load,
    *,
    models: Sequence[str] | None = None,
    progress: bool | None = None,
) -> list[Asked]:
    """Ask each model what is due on a day and was not answered yet; a second time it asks nothing.

    A model that cannot be reached keeps none of the others from being asked.

    models  only these; None: all of the panel
    raises  DoxaError: a day outside the panel, a model that is not in it; Interrupted: by the user
    """
    if when < panel.start or (panel.end is not None and when > panel.end):
        span = f"from {panel.start} on" if panel.end is None else f"{panel.start} to {panel.end}"
        raise DoxaError(f"{when} is no day of this panel, which asks {span}")
    if stranger := [name for name in models or () if name not in panel.models]:
        raise DoxaError(f"{stranger[0]!r} is not in this panel; its models are {', '.join(panel.models)}")
    due = panel.due(when)
    return [_ask(panel, when, model, due, load, progress) for model in models or panel.models] if due else []


def _ask(panel: Panel, when: date, model: str, due: int, load: Load, progress: bool | None) -> Asked:
    folder = panel.place(model, when)
    try:
        asked = load(model, panel.reach.get(model, {}))
        try:
            made = run(panel.study, asked, options=panel.on(when), out=folder, progress=progress, null_seed=None)
        finally:
            carry_out(asked.close)  # the next model needs the memory
    except Interrupted:
        raise
    except (DoxaError, OSError) as error:
        counts = _counts(folder) if (folder / MANIFEST).exists() else {"done": 0, "failed": 0}
        return Asked(model, due, counts["done"], counts["failed"], str(error))
    counts = made.parts[0].counts
    return Asked(model, due, counts["done"], counts["failed"])


def _counts(folder: Path) -> dict[str, int]:
    return Run.open(folder).parts[0].counts


# --- what is there ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """One model on one day: questions due, answered and failed; `asked_on`: the day on which it was really asked."""

    model: str
    when: date
    due: int
    done: int = 0
    failed: int = 0
    asked_on: date | None = None
    fingerprint: str = ""

    @property
    def state(self) -> str:
        """ "nothing due", "missing", "partial" or "whole"."""
        if not self.due and not self.done:
            return "nothing due"
        return "missing" if not self.done else "partial" if self.done < self.due else "whole"

    @property
    def late(self) -> bool:
        """Whether it was asked on another day than its own."""
        return self.asked_on is not None and self.asked_on != self.when


def coverage(panel: Panel, until: date) -> list[Day]:
    """Every model on every day up to `until`, or to the last day that was asked, whichever is later."""
    asked = [date.fromisoformat(p.name) for p in (panel.folder / DAYS).glob("*-*-*") if p.is_dir()]
    days = panel.days(max([until, *asked]))
    due = {when: panel.due(when) for when in days}
    return [_state(panel, model, when, due[when]) for model in panel.models for when in days]


def _state(panel: Panel, model: str, when: date, due: int) -> Day:
    folder = panel.place(model, when)
    if not (folder / MANIFEST).exists():
        return Day(model, when, due)
    made = Run.open(folder)
    counts, started = made.parts[0].counts, datetime.fromisoformat(made.manifest["started"]).date()
    fingerprint = str(made.manifest["model"]["fingerprint"])
    return Day(model, when, max(due, counts["items"]), counts["done"], counts["failed"], started, fingerprint)


def ranges(days: Sequence[date]) -> str:
    """Days in words: "2026-09-01 to 2026-09-04, 2026-09-09".

    >>> ranges([date(2026, 9, 1), date(2026, 9, 2), date(2026, 9, 9)])
    '2026-09-01 to 2026-09-02, 2026-09-09'
    """
    found: list[list[date]] = []
    for day in sorted(days):
        if found and (day - found[-1][-1]).days == 1:
            found[-1].append(day)
        else:
            found.append([day])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in found)


def remarks(days: Sequence[Day]) -> Iterator[str]:
    """What has to be known of a panel's days, in words: gaps, partial days, days asked on others, other models."""
    for model in dict.fromkeys(day.model for day in days):
        own = [day for day in days if day.model == model]
        for state in ("missing", "partial"):
            if of := [day.when for day in own if day.state == state]:
                yield f"{model}: {_days(of)} {state}: {ranges(of)}"
        if late := [day.when for day in own if day.late]:
            yield f"{model}: {_days(late)} asked on another day than their own: {ranges(late)}"
        told = [day for day in own if day.fingerprint]
        for before, after in pairwise(told):
            if before.fingerprint != after.fingerprint:
                yield f"{model}: another model under this address from {after.when} on (its fingerprint changed)"


def _days(of: Sequence[date]) -> str:
    return f"{len(of)} day{'s' * (len(of) != 1)}"


# --- findings ---------------------------------------------------------------------------------------------------------


def rows(panel: Panel) -> pl.DataFrame:
    """All readings of all days, with the model's address in the column `who` where the study's Row has one.

    raises  DoxaError: nothing was answered yet
    """
    import polars as pl

    found = []
    for folder in sorted((panel.folder / DAYS).glob("*/*")):
        if (folder / MANIFEST).exists():
            part = Run.open(folder).parts[0]
            if part.model in panel.models and part.counts["done"]:
                table = part.rows()
                named = {"who": pl.lit(part.model)} if "who" in table.columns else {}
                found.append(table.with_columns(**named))
    if not found:
        raise DoxaError(f"{panel.folder}: nothing was answered yet; ask with: doxa panel run {panel.folder}")
    return pl.concat(found)


def findings(panel: Panel, until: date) -> Findings:
    """The study's findings over all days and models, with what is missing said."""
    found = panel.study.findings(rows(panel), panel.on(panel.start))
    return dataclasses.replace(found, notes=(*found.notes, *remarks(coverage(panel, until))))
