"""Questions of a panel: templates with dated placeholders, each asked every so many days; read from a file.

A placeholder has values that hold from a date on, so that one that became wrong (a candidate who withdrew) is not asked
about any longer. What was filled in is part of a question's name: another candidate is another question, of the same
template, and templates are the independent units.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.data.facts import slug
from doxa.data.sets import raw_rows
from doxa.records import DoxaError, Item

if TYPE_CHECKING:
    import polars as pl

TYPES = ("baseline", "endogenous", "exogenous")
MEASURES = ("weight", "split", "direct", "attribute", "poll")
REPLIES = ("text", "percent", "shares", "pick", "number", "short", "yes-no")
_FIELD = re.compile(r"\{(\w+)\}")

Values = tuple[tuple[date, tuple[str, ...]], ...]  # from when on, which; the earliest first


@dataclass(frozen=True)
class Template:
    """One base question.

    id, text    the text with {placeholders}
    type        "endogenous" (answers change only if the model does), "exogenous" (events may change them), or
                "baseline" (facts that stay; never varied)
    topic       heading under which it is reported
    reply       how its replies are read, see REPLIES
    options     names that "shares" and "pick" read; they may be placeholders
    answer      the truth, where there is one; accepted: other spellings
    every       asked each so many days, from the panel's first on
    measure     what a number is about: "weight" (a group's share of the voters), "split" (how the group votes),
                "direct" (the result itself), "attribute" (how far a word describes somebody), "poll" (what polls
                show of somebody)
    partition, cell   of "weight" and "split": by what voters are divided, and which part
    subject, word     of "attribute" and "poll": who, and which word
    """

    id: str
    text: str
    type: str
    topic: str
    reply: str = "text"
    options: tuple[str, ...] = ()
    answer: str | None = None
    accepted: tuple[str, ...] = ()
    every: int = 1
    measure: str = ""
    partition: str = ""
    cell: str = ""
    subject: str = ""
    word: str = ""

    def __post_init__(self) -> None:
        for name, allowed in (("type", TYPES), ("reply", REPLIES), ("measure", (*MEASURES, ""))):
            if getattr(self, name) not in allowed:
                raise DoxaError(f"question {self.id!r}: {name} is {getattr(self, name)!r}; it is {', '.join(allowed)}")
        if self.every < 1:
            raise DoxaError(f"question {self.id!r}: every is {self.every}; it is a number of days, 1 or more")
        if self.reply in ("shares", "pick") and len(self.options) < 2:
            raise DoxaError(f"question {self.id!r}: replies are read as {self.reply!r}, which needs 2 options or more")

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of its placeholders."""
        texts = (self.text, *self.options, self.cell, self.subject, self.word)
        return tuple(dict.fromkeys(name for text in texts for name in _FIELD.findall(text)))


@dataclass(frozen=True)
class Bank:
    """Templates, what may be filled in when, and what happened when."""

    templates: tuple[Template, ...]
    placeholders: Mapping[str, Values] = field(default_factory=dict)
    events: Mapping[date, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ids = [t.id for t in self.templates]
        if len(set(ids)) < len(ids):
            raise DoxaError(f"two questions are called {next(i for i in ids if ids.count(i) > 1)!r}; each needs its id")
        for template in self.templates:
            if unknown := [name for name in template.fields if name not in self.placeholders]:
                raise DoxaError(
                    f"question {template.id!r} has the placeholder {unknown[0]!r}; there are "
                    f"{', '.join(self.placeholders) or 'none'}"
                )

    def values(self, name: str, on: date) -> tuple[str, ...]:
        """What a placeholder stands for on a day; nothing before its first date."""
        return next((values for since, values in reversed(self.placeholders[name]) if since <= on), ())

    def due(self, on: date, since: date) -> list[Item]:
        """What is asked on a day of a panel that began on the day `since`; ids are "TEMPLATE/VALUES@DAY"."""
        return [
            item
            for template in self.templates
            if (on - since).days % template.every == 0
            for item in self._items(template, on)
        ]

    def _items(self, template: Template, on: date) -> Iterator[Item]:
        for values in product(*(self.values(name, on) for name in template.fields)):
            filled = dict(zip(template.fields, values, strict=True))
            name = "/".join([template.id, *(slug(value) for value in values)])
            options = tuple(_fill(option, filled) for option in template.options)
            yield Item(
                id=f"{name}@{on.isoformat()}",
                text=_fill(template.text, filled),
                kind="open",
                options=options,
                answer=template.answer,
                accepted=template.accepted,
                group=template.id,
                tags=(template.type, template.topic),
                fields={
                    "question": name,
                    "date": on.isoformat(),
                    "type": template.type,
                    "topic": template.topic,
                    "reply": template.reply,
                    "measure": template.measure,
                    "partition": template.partition,
                    "cell": _fill(template.cell, filled),
                    "subject": _fill(template.subject, filled),
                    "word": _fill(template.word, filled),
                },
            )


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: values[found[1]], text)


def day(text: str) -> date:
    """A day from "2026-09-01".

    raises  DoxaError: anything else
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise DoxaError(f"{text!r} is no day; write it as 2026-09-01") from None


def asked(bank: Bank, first: date, days: int, since: date, topics: Sequence[str] = ()) -> list[Item]:
    """Items of `days` days in a row, only of these topics if any are named.

    raises  DoxaError: a topic that the bank does not have
    """
    there = list(dict.fromkeys(t.topic for t in bank.templates))
    if unknown := [topic for topic in topics if topic not in there]:
        raise DoxaError(f"there is no topic {unknown[0]!r}; the questions are about {', '.join(there)}")
    kept = Bank(tuple(t for t in bank.templates if not topics or t.topic in topics), bank.placeholders, bank.events)
    return [item for k in range(days) for item in kept.due(first + timedelta(days=k), since)]


# --- from a file -----------------------------------------------------------------------------------------------------


def load(path: Path) -> Bank:
    """A bank from TOML or JSON: [[questions]] with the fields of `Template`, [placeholders], [events].

    A placeholder is a list of values, or a table from dates to lists: what stands under a date holds from that day on.
    Events are a table from dates to names.

    raises  DoxaError: no such file, not TOML or JSON, a field that a question does not have, see `Template`, `Bank`
    """
    if not path.is_file():
        raise DoxaError(f"{path}: no such file of questions; write one with: doxa panel init FOLDER")
    text = path.read_text(encoding="utf-8")
    try:
        held = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise DoxaError(f"{path.name}: neither TOML nor JSON ({error})") from None
    try:
        return _bank(held)
    except DoxaError as error:
        raise DoxaError(f"{path.name}: {error}") from None


def _bank(held: Mapping[str, Any]) -> Bank:
    if unknown := set(held) - {"questions", "placeholders", "events"}:
        raise DoxaError(f"has {sorted(unknown)[0]!r}; a file of questions has [[questions]], [placeholders], [events]")
    rows = held.get("questions") or []
    if not rows:
        raise DoxaError("has no [[questions]]")
    templates = tuple(_template(row, place) for place, row in enumerate(rows, 1))
    placeholders = {name: _values(name, given) for name, given in held.get("placeholders", {}).items()}
    happened = {day(str(when)): str(what) for when, what in held.get("events", {}).items()}
    return Bank(templates, placeholders, dict(sorted(happened.items())))


def _template(row: Mapping[str, Any], place: int) -> Template:
    known = Template.__dataclass_fields__
    if unknown := [name for name in row if name not in known]:
        raise DoxaError(f"question {place} has the field {unknown[0]!r}; fields are {', '.join(known)}")
    if missing := [name for name in ("id", "text", "type", "topic") if not row.get(name)]:
        raise DoxaError(f"question {place} has no {missing[0]}; id, text, type and topic are needed")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Template(**given)


def _values(name: str, given: Any) -> Values:
    if isinstance(given, list):
        return ((date.min, tuple(map(str, given))),)
    if not isinstance(given, Mapping) or not all(isinstance(values, list) for values in given.values()):
        raise DoxaError(f"placeholder {name!r} is {given!r}; it is a list, or a table from dates to lists")
    return tuple(sorted((day(str(when)), tuple(map(str, values))) for when, values in given.items()))


def events(text: str) -> dict[date, str]:
    """Events from "2026-09-08=debate; 2026-10-01=nomination", or from the [events] of a file of questions.

    raises  DoxaError: neither
    """
    if Path(text).suffix.lower() in (".toml", ".json"):
        return dict(load(Path(text)).events)
    found = {}
    for part in (p for p in text.split(";") if p.strip()):
        when, told, what = part.partition("=")
        if not told:
            raise DoxaError(f"event {part.strip()!r} is not DAY=NAME, as in 2026-09-08=debate")
        found[day(when)] = what.strip()
    return dict(sorted(found.items()))


def polls(path: Path) -> pl.DataFrame:
    """date, subject and share in [0, 1] of a table of polls (CSV, JSON Lines or Parquet).

    raises  DoxaError: a column that is missing, a date that is none, a share outside [0, 1]
    """
    import polars as pl

    found = []
    for where, row in raw_rows(path):
        if missing := [name for name in ("date", "subject", "share") if row.get(name) in (None, "")]:
            raise DoxaError(f"{where}: no {missing[0]}; a poll has date, subject and share")
        try:
            share = float(row["share"])
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            raise DoxaError(f"{where}: share is {row['share']!r}; it is in [0, 1]. Percent? divide by 100")
        found.append({"date": day(str(row["date"])).isoformat(), "subject": str(row["subject"]), "share": share})
    return pl.DataFrame(found)
