"""What the page shows, worked out before any markup: a run turned into headlines, parts, sections and rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from doxa.charts import outcomes_chart
from doxa.records import OUTCOMES, Chart, Claim, Estimate, Findings, Table
from doxa.report.bars import Bar, bars
from doxa.report.numbers import MISSING, Shown, count, counted, null_inside, null_same, number, percent, read_share

if TYPE_CHECKING:
    import polars as pl

    from doxa.runs import Part, Run

HEADLINES = 4  # estimates of a part that stand at the top of the page
_PER_PART = 2  # the same where the run has many parts
_UNDONE = {"failed": "failed", "left": "not asked yet"}


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

    @property
    def null_same(self) -> bool:
        return null_same(self.estimate)


@dataclass(frozen=True)
class ClaimRow:
    """A published figure beside the measured one."""

    claim: Claim
    published: str
    measured: str
    interval: str
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
    facts: list[str]
    options: list[tuple[str, str]]
    sections: list[Section]
    headlines: list[EstimateRow]
    claims: list[ClaimRow]
    notes: tuple[str, ...]
    coverage: list[tuple[str, list[OutcomeShare], int]]
    coverage_chart: tuple[int, Chart] | None
    readings: int
    failed: int

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
    identity: list[tuple[str, str]]
    profile: list[Section] = field(default_factory=list)
    validation: list[Section] = field(default_factory=list)
    verdict: str = ""
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


def page(run: Run) -> Page:
    """Everything the page shows of a run, its readings excepted. Parts of one study stand together."""
    order = list(dict.fromkeys(p.study for p in run.parts))
    parts = sorted(enumerate(run.parts), key=lambda at: order.index(at[1].study))
    built = Page(_title(run), run_facts(run), _flat(run.manifest.get("model", {}).get("identity", {})))
    if run.profile is not None:
        built.profile = sections(run.profile, built.charts)
    if run.validation is not None:
        built.validation = sections(run.validation, built.charts)
        built.verdict = " ".join(run.validation.notes)
    many = len(parts) > 1
    for index, part in parts:
        built.parts.append(_part(index, part, run.manifest, built.charts, _PER_PART if many else HEADLINES))
    return built


def _title(run: Run) -> str:
    studies = list(dict.fromkeys(p.study for p in run.parts))
    models = list(dict.fromkeys(p.model for p in run.parts))
    what = studies[0] if len(studies) == 1 else f"{len(studies)} studies"
    if run.profile is not None:
        return f"Epistemic profile of {models[0]}"
    return f"{what} on {models[0] if len(models) == 1 else f'{len(models)} models'}"


def run_facts(run: Run) -> list[tuple[str, str]]:
    """Model, date, counts, seed, versions, fingerprint and cost, as far as the manifest says them."""
    manifest = run.manifest
    counts, usage = manifest.get("counts") or {}, manifest.get("usage") or {}
    facts = [
        ("Model", ", ".join(dict.fromkeys(p.model for p in run.parts))),
        ("Fingerprint", manifest.get("model", {}).get("fingerprint", "")[:16]),
        ("Asked", _when(manifest)),
        ("Status", "" if manifest.get("status", "done") == "done" else f"{manifest['status']}: not all items are done"),
        ("Items", count(counts["done"]) if "done" in counts else ""),
        ("Failed", count(counts.get("failed", 0)) if counts.get("failed") else ""),
        ("Readings", count(counts["readings"]) if "readings" in counts else ""),
        ("Calls", _calls(counts, usage)),
        ("Tokens", _tokens(usage)),
        *((f"Beside it {address}", _beside(of)) for address, of in (manifest.get("beside") or {}).items()),
        ("Cost", "" if manifest.get("cost") is None else f"{manifest['cost']:,.2f}"),
        ("Seed", _seed(manifest)),
        ("Doxa", manifest.get("doxa", "")),
    ]
    return [(name, text) for name, text in facts if text]


def _when(manifest: Mapping[str, Any]) -> str:
    started, finished = manifest.get("started"), manifest.get("finished")
    if not started:
        return ""
    begin = datetime.fromisoformat(started)
    text = f"{begin.day} {begin:%B %Y, %H:%M} {begin.tzname() or ''}".rstrip()
    if not finished:
        return text
    took = round((datetime.fromisoformat(finished) - begin).total_seconds())
    return f"{text}, in {took // 60} min {took % 60} s" if took >= 60 else f"{text}, in {took} s"


def _calls(counts: Mapping[str, int], usage: Mapping[str, int]) -> str:
    if "calls" not in usage:
        return ""
    stored = usage.get("from_store") or counts.get("from_store") or 0
    return f"{usage['calls']:,}" + (f" (and {stored:,} from the store)" if stored else "")


def _tokens(usage: Mapping[str, int]) -> str:
    sent, received = usage.get("input_tokens"), usage.get("output_tokens")
    return f"{sent:,} sent, {received or 0:,} received" if sent else ""


def _beside(entry: Mapping[str, Any]) -> str:
    """What a model beside the one that is asked, such as a judge, was asked, and what that took."""
    usage = entry.get("usage") or {}
    parts = [f"{_calls({}, usage)} calls" if usage else "", _tokens(usage)]
    return "; ".join(part for part in (*parts, f"fingerprint {entry['fingerprint'][:16]}") if part)


def _seed(manifest: Mapping[str, Any]) -> str:
    if "seed" not in manifest:
        return ""
    null = manifest.get("null_seed")
    return str(manifest["seed"]) + (f" (null: {null})" if null is not None else "")


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """A nested mapping as dotted names and text."""
    if isinstance(value, list | tuple):
        return [(name, ", ".join(map(str, value)))]
    if not isinstance(value, Mapping):
        return [(name, MISSING if value is None else str(value))]
    return [pair for key, inner in value.items() for pair in _flat(inner, f"{name}.{key}" if name else str(key))]


def _part(index: int, part: Part, manifest: Mapping[str, Any], charts: list[Chart], headlines: int) -> PartView:
    found: Findings = part.findings
    rows = part.rows()
    about = _about(manifest, part.study)
    chapters = sections(found, charts)
    coverage = _coverage(rows)
    chart = None
    if coverage:
        counts = {name: {s.outcome: s.readings for s in shares} for name, shares, _ in coverage}
        chart = (len(charts), outcomes_chart(counts, name="Share of readings by outcome"))
        charts.append(chart[1])
    estimates = [r for s in chapters for r in s.estimates]
    by_name = {r.estimate.name: r for r in reversed(estimates)}
    return PartView(
        index=index,
        study=part.study,
        model=part.model,
        question=about.get("question", ""),
        source=_source(about),
        facts=_part_facts(part),
        options=_flat(part.options),
        sections=chapters,
        headlines=sorted(estimates, key=lambda row: math.isnan(row.estimate.value))[:headlines],
        claims=[_claim(c, by_name) for c in found.claims],
        notes=found.notes,
        coverage=coverage,
        coverage_chart=chart,
        readings=rows.height,
        failed=part.counts.get("failed", 0),
    )


def sections(found: Findings, charts: list[Chart]) -> list[Section]:
    """Findings by section in the order of first appearance, the unnamed one first; charts join the page's list."""
    shown: Iterable[Estimate | Table | Chart] = (*found.estimates, *found.tables, *found.charts)
    titles = sorted(dict.fromkeys(x.section for x in shown), key=bool)
    published: dict[str, list[float]] = {}
    for c in found.claims:
        published.setdefault(c.estimate or c.name, []).append(c.published)
    made = []
    for title in titles:
        estimates = [e for e in found.estimates if e.section == title]
        drawn = bars(estimates, published)
        here = [c for c in found.charts if c.section == title]
        numbered = list(enumerate(here, start=len(charts)))
        charts.extend(here)
        rows = [EstimateRow(e, Shown(e), bar) for e, bar in zip(estimates, drawn, strict=True)]
        made.append(Section(title, rows, [t for t in found.tables if t.section == title], numbered))
    return made


def _claim(claim: Claim, rows: Mapping[str, EstimateRow]) -> ClaimRow:
    row = rows.get(claim.estimate or claim.name)
    text = row.shown.text if row else number
    if math.isnan(claim.measured):
        return ClaimRow(claim, text(claim.published), MISSING, "", "", "not measured")
    # An interval belongs to the estimate's own value; a claim may carry another (of a subset, of a variant).
    own = row if row is not None and row.estimate.value == claim.measured else None
    return ClaimRow(
        claim,
        published=text(claim.published),
        measured=text(claim.measured),
        interval=own.shown.interval if own else "",
        difference=text(claim.measured - claim.published),
        verdict=_verdict(claim.published, own.estimate) if own else "",
    )


def _verdict(published: float, e: Estimate) -> str:
    if math.isnan(e.low) or math.isnan(e.high) or math.isnan(published):
        return ""
    if e.low <= published <= e.high:
        return "inside the interval"
    return "above the interval" if published > e.high else "below the interval"


def outcome_shares(outcomes: Mapping[str, int]) -> list[OutcomeShare]:
    """Outcomes in the order of records.OUTCOMES with their shares, absent ones left out."""
    total = sum(outcomes.values())
    return [OutcomeShare(o, outcomes[o], outcomes[o] / total) for o in OUTCOMES if outcomes.get(o)]


def _coverage(rows: pl.DataFrame) -> list[tuple[str, list[OutcomeShare], int]]:
    """For each condition: its outcomes and its number of readings."""
    if rows.is_empty():
        return []
    counts = rows.group_by("condition", "outcome", maintain_order=True).len()
    table: dict[str, dict[str, int]] = {}
    for condition, outcome, n in counts.iter_rows():
        table.setdefault(condition, {})[outcome] = n
    return [(condition, outcome_shares(row), sum(row.values())) for condition, row in table.items()]


def _part_facts(part: Part) -> list[str]:
    counts = part.counts
    facts = [counted(counts.get("done", 0), "item"), counted(counts.get("readings", 0), "reading")]
    facts += [f"{counted(counts[name], 'item')} {said}" for name, said in _UNDONE.items() if counts.get(name)]
    return facts


def _about(manifest: Mapping[str, Any], study: str) -> Mapping[str, Any]:
    """What the manifest says of a study."""
    return next((entry for entry in manifest.get("studies", ()) if entry.get("study") == study), {})


def _source(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """Title, year and address of the publication; an address that is no web page is left out."""
    source = dict(about.get("source") or {})
    if not str(source.get("url") or "").startswith(("https://", "http://")):
        source["url"] = ""
    return {"title": "", "year": None, **source}
