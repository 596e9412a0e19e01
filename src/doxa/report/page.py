"""What the page shows, worked out before any markup: a run turned into headlines, parts, sections and rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from doxa.charts import outcomes_chart
from doxa.records import OUTCOMES, Chart, Claim, Estimate, Findings, Table
from doxa.report.bars import Bar, bars
from doxa.report.numbers import MISSING, Shown, counted, null_inside, number, percent, read_share

HEADLINES = 4  # estimates of a part that stand at the top of the page
_PER_PART = 2  # the same where the run has many parts


@dataclass(frozen=True)
class OutcomeShare:
    """One outcome of one estimate or condition."""

    outcome: str
    readings: int
    share: float


@dataclass(frozen=True)
class EstimateRow:
    """One estimate, ready to print."""

    estimate: Estimate
    shown: Shown
    bar: Bar | None

    @property
    def outcomes(self) -> list[OutcomeShare]:
        return outcome_shares(self.estimate.outcomes)

    @property
    def read(self) -> str:
        return percent(read_share(dict(self.estimate.outcomes)))

    @property
    def null_inside(self) -> bool:
        return null_inside(self.estimate)


@dataclass(frozen=True)
class ClaimRow:
    """A published figure beside the measured one."""

    claim: Claim
    published: str
    measured: str
    difference: str
    verdict: str


@dataclass(frozen=True)
class Section:
    """Findings under one heading; charts as (position in the page's list, chart)."""

    title: str
    estimates: list[EstimateRow]
    tables: list[Table]
    charts: list[tuple[int, Chart]]


@dataclass(frozen=True)
class PartView:
    """One study on one model."""

    index: int
    study: str
    model: str
    question: str
    source: Mapping[str, Any]
    facts: list[tuple[str, str]]
    options: list[tuple[str, str]]
    sections: list[Section]
    headlines: list[EstimateRow]
    claims: list[ClaimRow]
    notes: tuple[str, ...]
    coverage: list[tuple[str, list[OutcomeShare], int]]
    readings: int

    @property
    def anchor(self) -> str:
        return f"part-{self.index}"

    @property
    def nulls(self) -> list[EstimateRow]:
        """Estimates whose value on shuffled truth is known."""
        return [r for s in self.sections for r in s.estimates if r.estimate.null is not None]

    @property
    def outcomes(self) -> list[OutcomeShare]:
        """Outcomes of all conditions together."""
        total: dict[str, int] = {}
        for _, shares, _ in self.coverage:
            for s in shares:
                total[s.outcome] = total.get(s.outcome, 0) + s.readings
        return outcome_shares({o: total[o] for o in OUTCOMES if o in total})

    @property
    def read(self) -> str:
        return percent(read_share({s.outcome: s.readings for s in self.outcomes}))


@dataclass
class Page:
    """The whole report."""

    title: str
    facts: list[tuple[str, str]]
    parts: list[PartView] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)

    @property
    def headlines(self) -> list[EstimateRow]:
        """Cards at the top; none when several parts share the page, which then has an overview table."""
        return self.parts[0].headlines if len(self.parts) == 1 else []

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(p.model for p in self.parts))

    @property
    def studies(self) -> list[str]:
        return list(dict.fromkeys(p.study for p in self.parts))


def page(run: Any) -> Page:
    """Everything the page shows of a run, its readings excepted. Parts of one study stand together."""
    order = list(dict.fromkeys(p.study for p in run.parts))
    parts = sorted(enumerate(run.parts), key=lambda at: order.index(at[1].study))
    built = Page(title=_title(run), facts=run_facts(run))
    many = len(parts) > 1
    for index, part in parts:
        built.parts.append(_part(index, part, run.manifest, built.charts, _PER_PART if many else HEADLINES))
    return built


def _title(run: Any) -> str:
    studies = list(dict.fromkeys(p.study for p in run.parts))
    models = list(dict.fromkeys(p.model for p in run.parts))
    what = studies[0] if len(studies) == 1 else f"{len(studies)} studies"
    return f"{what} on {models[0] if len(models) == 1 else f'{len(models)} models'}"


def run_facts(run: Any) -> list[tuple[str, str]]:
    """Model, date, numbers of items and readings, seed, versions, fingerprint, cost: what the manifest says of them."""
    manifest = run.manifest
    facts = [("Model", ", ".join(dict.fromkeys(p.model for p in run.parts)))]
    facts += [(label, text) for label, text in _manifest_facts(manifest) if text]
    return facts


def _part(index: int, part: Any, manifest: Mapping[str, Any], charts: list[Chart], headlines: int) -> PartView:
    found: Findings = part.findings
    rows = part.rows()
    about = _about(manifest, part.study)
    sections = _sections(found, charts)
    coverage = _coverage(rows)
    if coverage:
        counts = {name: {s.outcome: s.readings for s in shares} for name, shares, _ in coverage}
        charts.append(outcomes_chart(counts, name="How replies could be read"))
    by_name = {r.estimate.name: r for s in reversed(sections) for r in reversed(s.estimates)}
    first = [r for s in sections for r in s.estimates][:headlines]
    return PartView(
        index=index,
        study=part.study,
        model=part.model,
        question=about.get("question", ""),
        source=about.get("source") or {},
        facts=_part_facts(part, rows),
        options=[(name, str(value)) for name, value in dict(part.options).items()],
        sections=sections,
        headlines=first,
        claims=[_claim(c, by_name) for c in found.claims],
        notes=found.notes,
        coverage=coverage,
        readings=rows.height,
    )
