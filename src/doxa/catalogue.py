"""The catalogue of studies: what each is, answers, needs and offers; as data and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doxa.study import Study, flags


def catalogue(studies: Sequence[Study]) -> list[dict[str, Any]]:
    """One JSON-able entry per study."""
    return [_entry(study) for study in studies]


def _entry(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "title": study.source.title,
        "year": study.source.year,
        "arxiv": study.source.arxiv,
        "question": study.question,
        "needs": sorted(study.needed(study.options())),
        "options": [
            {
                "flag": "--" + f.name.replace("_", "-"),
                "type": f.type.__name__,
                "default": f.default,
                "choices": list(f.choices),
                "help": f.help,
            }
            for f in flags(study.options)
        ],
        "published": [{"estimate": p.estimate, "value": p.value, "setting": p.setting} for p in study.published],
        "doc": study.doc,
    }


def print_catalogue(studies: Sequence[Study]) -> None:
    """One row per study."""
    from rich.console import Console
    from rich.table import Table

    table = Table("study", "it answers", "needs", "source", box=None, pad_edge=False, header_style="bold")
    for entry in catalogue(studies):
        source = f"{entry['year']}" + (f", arXiv {entry['arxiv']}" if entry["arxiv"] else "")
        table.add_row(entry["name"], entry["question"], ", ".join(entry["needs"]), source)
    console = Console()
    console.print(table)
    console.print("\nMore of one: doxa studies NAME. Run it: doxa run NAME --model ADDRESS", highlight=False)


def print_study(study: Study) -> None:
    """Everything about one study."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    entry = _entry(study)
    console.print(f"[bold]{entry['name']}[/bold]  {entry['title']} ({entry['year']})  {study.source.url}\n")
    console.print(entry["doc"], markup=False)
    console.print(
        f"\nIt answers: {entry['question']}\nIt needs: {', '.join(entry['needs']) or 'nothing'}\n", markup=False
    )
    options = Table("option", "default", "meaning", box=None, pad_edge=False, header_style="bold")
    for option in entry["options"]:
        kind = "|".join(option["choices"]) or option["type"]
        default = "" if option["default"] is None else str(option["default"])
        options.add_row(f"{option['flag']} {kind}", default, option["help"])
    console.print(options)
    if entry["published"]:
        figures = Table("published figure", "value", "setting", box=None, pad_edge=False, header_style="bold")
        for p in entry["published"]:
            figures.add_row(p["estimate"], f"{p['value']:g}", p["setting"])
        console.print()
        console.print(figures)
