"""Findings that belong to no run (a validation, a comparison) as one HTML file that works offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doxa.records import Chart, Findings
from doxa.report.html import asset, page_scripts, policy, template
from doxa.report.page import sections
from doxa.report.readings import script_json
from doxa.runs.files import write_whole


def write_document(
    path: Path | str, title: str, chapters: Sequence[tuple[str, Findings]], *, facts: Sequence[tuple[str, str]] = ()
) -> Path:
    """Write chapters of findings, each under its heading, to one file that fetches nothing.

    facts   (name, text) pairs that stand at the top
    raises  CannotWrite: a full disk, a missing folder
    """
    target = Path(path)
    charts: list[Chart] = []
    shown = [(heading, sections(found, charts), found.notes) for heading, found in chapters]
    scripts = page_scripts(charts)
    text = template("document.html").render(
        title=title,
        facts=list(facts),
        chapters=shown,
        charts=script_json([chart.spec for chart in charts]),
        policy=policy(scripts),
        scripts=scripts,
        style=asset("report.css"),
    )
    write_whole(target, text.encode("utf-8", "replace"))
    return target
