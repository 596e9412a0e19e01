"""The report as one HTML file that works offline: findings, charts, and every reading to click open."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.records import Chart, DoxaError
from doxa.report.page import Page, page
from doxa.report.readings import Embedded, embed, script_json
from doxa.runs.files import write_whole

if TYPE_CHECKING:
    from doxa.runs import Run

MAX_READINGS = 20_000
MAX_MEGABYTES = 20.0


def write_report(
    run: Run,
    path: Path | str | None = None,
    *,
    max_readings: int = MAX_READINGS,
    max_megabytes: float = MAX_MEGABYTES,
) -> Path:
    """Write a run's report: one file that fetches nothing, with all text of a model shown as text.

    path           where to; default: report.html in the run's folder
    max_readings   readings in the page; of a larger run, items are drawn and the page says how many are left out
    max_megabytes  the same for the compressed text of the readings
    returns        the path
    raises         DoxaError: no path for a run that was kept in memory; CannotWrite: a full disk, a missing folder
    """
    if path is None:
        if run.folder is None:
            raise DoxaError("this run is kept in memory and has no folder: say where the report goes (path=...)")
        path = run.folder / "report.html"
    target = Path(path)
    readings = embed(run.parts, max_readings=max_readings, max_bytes=int(max_megabytes * 1e6))
    write_whole(target, render(run, page(run), readings).encode("utf-8", "replace"))
    return target


def render(run: Run, shown: Page, readings: Embedded) -> str:
    """The page as text."""
    scripts = [*page_scripts(shown.charts), asset("report.js")]
    return template("report.html").render(
        page=shown,
        readings=readings,
        kept=[(f"readings/{study}/rows.parquet" if run.folder is not None else "") for study in shown.studies],
        charts=script_json([chart.spec for chart in shown.charts]),
        facets=script_json(_facets(shown, readings)),
        policy=policy(scripts),
        scripts=scripts,
        style=asset("report.css"),
    )


def _facets(shown: Page, readings: Embedded) -> dict[str, Any]:
    """What the filters offer."""
    parts = [{"index": p.index, "study": p.study, "model": p.model} for p in shown.parts]
    conditions = dict.fromkeys(name for p in shown.parts for name, _, _ in p.coverage)
    outcomes = dict.fromkeys(s.outcome for p in shown.parts for s in p.outcomes)
    if any(p.failed for p in shown.parts):
        outcomes["failed"] = None
    return {"parts": parts, "conditions": list(conditions), "outcomes": list(outcomes), "shown": sum(readings.shown)}


def _drawn_height(spec: Mapping[str, Any]) -> int:
    """About how high a chart will stand, so that the page does not jump when it is drawn."""
    stacked = spec.get("vconcat") or [spec]
    return sum(int(view["height"]) if isinstance(view.get("height"), int | float) else 200 for view in stacked) + 50


def page_scripts(charts: Sequence[Chart]) -> list[str]:
    """The scripts of any page; the one that draws is big, and left out where there is nothing to draw."""
    return ([vega()] if charts else []) + [asset("page.js")]


def policy(scripts: list[str]) -> str:
    """A content security policy under which only these scripts run and nothing is fetched, whatever a reply says."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"


@cache
def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    import altair
    import vl_convert

    version = ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version)
    if "</script" in bundle or "\r" in bundle:  # it would end the element early, or change under the hash
        raise DoxaError("the bundled Vega scripts cannot stand inside a page; use another version of vl-convert-python")
    return bundle


def asset(name: str) -> str:
    from importlib.resources import files

    return (files("doxa.report") / "templates" / name).read_text(encoding="utf-8")


def template(name: str) -> Any:
    import jinja2

    from doxa.report import numbers

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(cell=numbers.cell, count=numbers.count, drawn_height=_drawn_height)
    return environment.get_template(name)
