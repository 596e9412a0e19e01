"""Choices from which a liking is inferred: the 47 of Jern, Lucas and Kemp, pairs of them, and people's rankings.

A choice's code has its options separated by "/", the chosen one first; x is the attribute that is asked about.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from doxa.records import DoxaError, Item

CHOICES = (  # as people ranked them where attributes are good, from the weakest sign of liking x to the strongest
    *("dcbax", "cbax", "bax", "ax", "x", "cbax/dbax", "ax/bx/cx/dx", "bax/cax", "bax/bcx/bdx", "bax/dcx", "ax/bx"),
    *("bax/cax/bdx", "ax/bx/cx", "cbax/d", "bax/c", "ax/b", "bax/c/d", "bax/dc", "ax/b/c", "ax/bx/dc", "bax/bdc"),
    *("ax/bx/cx/ad", "ax/b/c/d", "bax/bcx/bad", "ax/bx/ac", "ax/cb", "cbax/cbad", "ax/b/dc", "ax/bx/ac/ad", "ax/ab"),
    *("bax/bac", "ax/ab/dc", "ax/dcb", "x/a", "bax/bac/bad", "ax/ab/ac", "ax/ab/ac/ad", "x/a/b", "x/ba", "x/a/b/c"),
    *("x/a/cb", "x/a/b/c/d", "x/cba", "x/ba/dc", "x/a/b/dc", "x/a/dcb", "x/dcba"),
)
LABELS, MEANS = "labels_fractional.csv", "means_fractional.csv"
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "white", "brown", "pink", "black")
PLACES = ("left hand", "right hand", "left foot", "right foot", "left knee", "right knee", "neck", "back")


def pairs(codes: Sequence[str] = CHOICES) -> list[Item]:
    """One item for each pair of choices: `fields` first and second. Each stands first in half of its pairs, nearly."""
    found = []
    for i, j in itertools.combinations(range(len(codes)), 2):
        first, second = (codes[i], codes[j]) if (i + j) % 2 else (codes[j], codes[i])
        found.append(
            Item(
                f"pair/{first}|{second}",
                "Which choice is the stronger sign of liking x?",
                "choice",
                ("Choice 1", "Choice 2", "Tie"),
                tags=("pair",),
                fields={"first": first, "second": second},
            )
        )
    return found


def renamed(codes: Sequence[str], *, negative: bool, seed: str) -> list[list[list[str]]]:
    """Choices with their attributes called by random colours (negative: places), options and items in random order.

    returns  for each choice its options as they are shown, each a list of names (x is "X"), and the chosen one behind
    """
    rng = random.Random(seed)
    pool = list(PLACES if negative else COLOURS)
    names = dict(zip("abcd", rng.sample(pool, 4), strict=True)) | {"x": "X"}
    shown = []
    for code in codes:
        options = [[names[a] for a in rng.sample(option, len(option))] for option in code.split("/")]
        chosen = options[0]
        rng.shuffle(options)
        shown.append([*options, chosen])
    return shown


def as_asked(item: Item, seed: str, *, negative: bool) -> tuple[Item, bool]:
    """A pair as it is shown, and whether `second` stands as Choice 1; `fields` choice_1 and choice_2 are the codes."""
    codes = [str(item.fields[name]) for name in ("first", "second")]
    turned = random.Random(f"turned/{seed}").random() < 0.5
    order = codes[::-1] if turned else codes
    shown = renamed(order, negative=negative, seed=seed)
    return replace(item, fields={**item.fields, "shown": shown, "choice_1": order[0], "choice_2": order[1]}), turned


def human_ranks(source: str) -> dict[str, float]:
    """Mean rank of each choice as people gave it, by code with the chosen option first, 1 the weakest sign.

    The published folder of one condition: labels_fractional.csv and means_fractional.csv, line by line; or one CSV
    file with lines "code,rank". Releases differ in whether the chosen option stands first or last: x is in every chosen
    option, so the end that always holds it is the chosen one (both do: first). Codes with a header line: it is passed
    over.

    raises  DoxaError: files of unequal length, a rank that is no number, codes in which neither end holds x;
            FileNotFoundError: no such path
    """
    path = Path(source)
    if path.is_dir():
        labels, means = (_lines(path / name) for name in (LABELS, MEANS))
    elif path.is_file():
        cells = [line.replace(";", ",").split(",") for line in _lines(path)]
        short = next((line for line in cells if len(line) < 2), None)
        if short is not None:
            raise DoxaError(f"{path}: the line {short[0]!r} has no rank; lines are 'code,rank', or give the folder")
        labels, means = [line[0].strip() for line in cells], [line[1].strip() for line in cells]
    else:
        raise FileNotFoundError(f"no human ranks at {source!r}; give the folder of one condition, or a CSV file")
    if labels and means and not set(labels[0]) <= set("abcdx/"):
        labels, means = labels[1:], means[1:]
    if len(labels) != len(means) or not labels:
        raise DoxaError(f"{source}: {len(labels)} choices and {len(means)} ranks; there is one for each")
    return dict(zip(_chosen_first(source, labels), [_rank(source, cell) for cell in means], strict=True))


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; the folder of a condition holds {LABELS} and {MEANS}")
    return [line.strip().strip(",") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _chosen_first(source: str, labels: Sequence[str]) -> list[str]:
    bad = next((label for label in labels if not set(label) <= set("abcdx/")), None)
    if bad is not None:
        raise DoxaError(f"{source}: choice {bad!r}; options are strings of a, b, c, d and x with '/' between them")
    split = [label.split("/") for label in labels]
    if all("x" in options[0] for options in split):
        return list(labels)
    if all("x" in options[-1] for options in split):
        return ["/".join(reversed(options)) for options in split]
    raise DoxaError(
        f"{source}: neither the first nor the last option holds x in all choices, so none is known as taken"
    )


def _rank(source: str, cell: str) -> float:
    try:
        rank = float(cell)
    except ValueError:
        rank = math.nan
    if not math.isfinite(rank):
        raise DoxaError(f"{source}: the rank {cell!r} is no number; 1 is the weakest sign of liking x")
    return rank


def people_ranks(source: str | None, *, negative: bool) -> dict[str, float]:
    """`human_ranks` of a source; None: the published order where attributes are good, nothing where they are bad."""
    if source is not None:
        return human_ranks(source)
    return {} if negative else own_order()


def own_order() -> dict[str, float]:
    """Ranks 1 to 47 of CHOICES: the order of people's mean ranks where attributes are good (its ties not known)."""
    return {code: float(rank) for rank, code in enumerate(CHOICES, 1)}
