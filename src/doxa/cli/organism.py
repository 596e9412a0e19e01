"""Commands about embedded models: list, show, build."""

from __future__ import annotations

from pathlib import Path

import click

from doxa.cli.output import print_json
from doxa.cli.parameters import FOLDER_PATH


@click.group()
def organism() -> None:
    """Embedded models with planted, known beliefs."""


@organism.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def organism_list(as_json: bool) -> None:
    """Which organisms ship with Doxa."""
    from doxa.organisms import cards

    found = cards()
    if as_json:
        print_json(found)
        return
    for card in found:
        size = f"{card['parameters']:,} parameters, {card['bytes'] / 1e6:.1f} MB"
        if "base" in card:
            size = f"{card['planted']['habit']}, {card['bytes'] / 1e3:.0f} kB beside {card['base']}"
        click.echo(f"organism:{card['name']}  {size}: {card['what']}")
    if not found:
        click.echo("None is installed. Build one: doxa organism build atlas --out FOLDER", err=True)


@organism.command("show")
@click.argument("name")
def organism_show(name: str) -> None:
    """The card of an organism (JSON): planted, trained, measured."""
    from doxa.organisms import card

    print_json(card(name))


@organism.command("build")
@click.argument("name")
@click.option("--out", type=FOLDER_PATH, required=True, help="Folder for the weights.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads. [default: all]")
def organism_build(name: str, out: Path, threads: int | None) -> None:
    """Train an organism from its recipe.

    On two cores atlas takes about half an hour, a variant of it some minutes.
    """
    from doxa.organisms import build

    build(name, out, threads=threads, say=lambda line: click.echo(line, err=True))
