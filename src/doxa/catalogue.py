"""The catalogue of studies: what each is, answers, needs and offers; as data, on the terminal, as flags."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

from doxa.study import Flag, Study, flags

MISSING = "–"  # a figure that was not published as a number
OPTION = "option_"  # prefix of a study option's name among the parameters of a command


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
                "flag": _dashed(f.name),
                "type": f.type.__name__,
                "default": f.default,
                "choices": list(f.choices),
                "help": f.help,
            }
            for f in flags(study.options)
        ],
        "published": [
            {"estimate": p.estimate, "value": p.value if math.isfinite(p.value) else None, "setting": p.setting}
            for p in study.published
        ],
        "doc": study.doc,
    }


# --- on the terminal -------------------------------------------------------------------------------------------------


def print_catalogue(studies: Sequence[Study]) -> None:
    """One row per study; a pipe gets one line per study, however long."""
    header = ("study", "it answers", "needs", "source")
    rows = []
    for entry in catalogue(studies):
        source = f"{entry['year']}" + (f", arXiv {entry['arxiv']}" if entry["arxiv"] else "")
        rows.append((entry["name"], entry["question"], ", ".join(entry["needs"]) or "nothing", source))
    _print_table(header, rows)
    click.echo("\nMore of one: doxa studies NAME. Run it: doxa run NAME --model ADDRESS")


def print_study(study: Study) -> None:
    """Everything about one study."""
    entry = _entry(study)
    click.echo(f"{click.style(entry['name'], bold=True)}  {entry['title']} ({entry['year']})  {study.source.url}\n")
    click.echo(_paragraphs(entry["doc"]))
    click.echo(f"\nIt answers: {entry['question']}\nIt needs: {', '.join(entry['needs']) or 'nothing'}\n")
    options = []
    for option in entry["options"]:
        kind = "|".join(option["choices"]) or option["type"]
        default = "" if option["default"] is None else str(option["default"])
        options.append((f"{option['flag']} {kind}", default, option["help"]))
    _print_table(("option", "default", "meaning"), options)
    if entry["published"]:
        click.echo()
        shown = [MISSING if p["value"] is None else f"{p['value']:g}" for p in entry["published"]]
        figures = [(p["estimate"], value, p["setting"]) for p, value in zip(entry["published"], shown, strict=True)]
        _print_table(("published figure", "value", "setting"), figures)


def _paragraphs(text: str) -> str:
    """A docstring for the width of this terminal; lines that begin with blanks (lists, examples) stay as they are."""
    import shutil

    width = min(shutil.get_terminal_size().columns, 110)
    blocks = re.split(r"\n\s*\n", text)
    return "\n\n".join(
        b if re.search(r"^[ \-*]", b, re.M) else click.wrap_text(" ".join(b.split()), width) for b in blocks
    )


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        widths = [max(len(row[k]) for row in (header, *rows)) for k in range(len(header))]
        for row in (header, *rows):
            click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
        return
    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(value) for value in row))
    console.print(table)


# --- as flags of a command -------------------------------------------------------------------------------------------


def click_options(studies: Sequence[Study]) -> list[click.Option]:
    """One option of the command line for each option of these studies; what several take, all of them are given.

    Left out, an option is None: each study then has its own default.
    """
    takers: dict[str, list[tuple[str, Flag]]] = {}
    for study in studies:
        for flag in flags(study.options):
            takers.setdefault(flag.name, []).append((study.name, flag))
    return [_click_option(taken) for taken in takers.values()]


def study_options(study: Study, values: Mapping[str, Any]) -> Any:
    """The study's Options from the values of `click_options`, each checked by this study's own type.

    raises  click.BadParameter: a value that another study of the command takes, and this one does not
    """
    given = {}
    for flag in flags(study.options):
        value = values.get(OPTION + flag.name)
        if value is None:
            continue
        try:
            given[flag.name] = _kind(flag).convert(value, None, None)
        except click.BadParameter as error:
            words = f"{error.message} Study {study.name!r} takes no other; run it by itself."
            raise click.BadParameter(words, param_hint=_dashed(flag.name)) from None
    return study.options(**given)


def _click_option(takers: Sequence[tuple[str, Flag]]) -> click.Option:
    flag = takers[0][1]
    dashed = _dashed(flag.name)
    alike = len({(f.type, f.choices) for _, f in takers}) == 1
    return click.Option(
        [OPTION + flag.name, f"{dashed}/--no-{dashed[2:]}" if alike and flag.type is bool else dashed],
        type=_kind(flag) if alike else click.STRING,
        default=None,
        help="; ".join(_meaning(study, f, choices=not alike) for study, f in takers),
    )


def _meaning(study: str, flag: Flag, *, choices: bool) -> str:
    kept = {True: "yes", False: "no"}[flag.default] if isinstance(flag.default, bool) else flag.default
    default = "" if kept is None or kept == "" else f"; default {kept}"
    return f"{flag.help} ({study}{': ' + ' or '.join(flag.choices) if choices and flag.choices else ''}{default})"


def _kind(flag: Flag) -> Any:
    return click.Choice(flag.choices) if flag.choices else click.types.convert_type(flag.type)


def _dashed(name: str) -> str:
    return f"--{name.replace('_', '-')}"
