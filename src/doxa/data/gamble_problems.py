"""Choices between two gambles: our own, generated; choices13k or any list of gambles with rates, from a user's path.

`Item.fields` of a problem: `a` and `b`, lists of (chance, payoff); `human`, the share of people who took B, None: not
known; `people`, how many; `ambiguous` (chances were hidden from people) and `feedback` (they saw what they got).
"""

from __future__ import annotations

import csv
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from doxa.data import sets
from doxa.data.gambles import gambles
from doxa.records import DoxaError, Item

Gamble = tuple[tuple[float, float], ...]

LOWEST, HIGHEST = -20, 39  # dollars, of generated payoffs
CHANCES = (0.01, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99)
SURE, LOTTERY = 0.3, 0.25  # shares of problems in which A is one sure payoff, and B has three or four outcomes
SUM_ROUNDING = 1e-3
SELECTIONS, PROBLEMS = "c13k_selections.csv", "c13k_problems.json"
COLUMNS = "a, b (lists of [chance, payoff]); optional: human (share taking B), people, group, ambiguous, feedback, id"


def machines(n: int, *, seed: int = 0) -> list[Item]:
    """n random problems: payoffs -20 to 39, chances of 1 to 99 %, one to four outcomes; losses and sure payoffs too."""
    rng = random.Random(f"machines/{seed}")
    return [problem(f"machines-{seed}/{i}", *_pair(rng)) for i in range(n)]


def _pair(rng: random.Random) -> tuple[Gamble, Gamble]:
    a = _sure(rng) if rng.random() < SURE else _two(rng)
    b = _lottery(rng) if rng.random() < LOTTERY else _two(rng)
    return a, b


def _sure(rng: random.Random) -> Gamble:
    return ((1.0, float(rng.randint(LOWEST, HIGHEST))),)


def _two(rng: random.Random) -> Gamble:
    high, low = rng.sample(range(LOWEST, HIGHEST + 1), 2)
    p = rng.choice(CHANCES)
    return ((p, float(high)), (round(1 - p, 4), float(low)))


def _lottery(rng: random.Random) -> Gamble:
    """One outcome, or else a lottery of two or three equally likely ones."""
    parts = rng.choice((2, 3))
    p = rng.choice([c for c in CHANCES if c >= 0.1])
    payoffs = rng.sample(range(LOWEST, HIGHEST + 1), parts + 1)
    rest = [(1 - p) / parts] * parts
    return ((p, float(payoffs[0])), *((q, float(x)) for q, x in zip(rest, payoffs[1:], strict=True)))


def offers(n: int, *, seed: int = 0) -> list[Item]:
    """n choices between a sure amount and a gamble (`doxa.data.gambles`), each offer first in half of them."""
    return [_as_problem(item) for item in gambles(n, seed=seed)]


def _as_problem(item: Item) -> Item:
    f = item.fields
    sure: Gamble = ((1.0, float(f["sure"])),)
    risky: Gamble = ((f["chance"], float(f["amount"])), (round(1 - f["chance"], 4), 0.0))
    a, b = (risky, sure) if f["risky"] == "A" else (sure, risky)
    return replace(item, fields={**f, **_fields(a, b)})


def problem(name: str, a: Gamble, b: Gamble, *, group: str | None = None, **known: Any) -> Item:
    """One problem as an item. known: human, people, ambiguous, feedback."""
    options = tuple(described(gamble) for gamble in (a, b))
    if options[0] == options[1]:
        options = (options[0], f"{options[1]} (the other one)")
    return Item(name, "Which one?", "choice", options, group=group, tags=("gamble",), fields=_fields(a, b) | known)


def _fields(a: Gamble, b: Gamble) -> dict[str, Any]:
    return {"a": a, "b": b, "human": None, "people": None, "ambiguous": False, "feedback": False}


def with_people(items: Sequence[Item], rates: Sequence[float], people: int) -> list[Item]:
    """Problems with the share (n,) of so many people that took B."""
    known = ({"human": float(rate), "people": people} for rate in rates)
    return [replace(item, fields={**item.fields, **more}) for item, more in zip(items, known, strict=True)]


def stimulus(item: Item) -> dict[str, Any]:
    """The problem of an item as columns: chances and payoffs of a and b, and what is known of people."""
    f = item.fields
    sides = {f"{s}_{kind}": tuple(o[k] for o in f[s]) for s in "ab" for k, kind in enumerate(("chances", "payoffs"))}
    return sides | {name: f.get(name) for name in ("human", "people", "ambiguous", "feedback")}


def as_told(item: Item, seed: str, frame: str = "machines") -> Item:
    """The problem with the outcomes of both machines described in a random order of their own; offers as they stand."""
    if frame == "offers":
        return item
    rng, sides = random.Random(seed), [item.fields[side] for side in "ab"]
    texts = [described(gamble, rng.sample(range(len(gamble)), len(gamble))) for gamble in sides]
    return replace(item, options=tuple(texts)) if texts[0] != texts[1] else item


def exchanged(item: Item) -> Item:
    """The problem with its gambles called by each other's letter."""
    f = item.fields
    return replace(item, options=item.options[::-1], fields={**f, "a": f["b"], "b": f["a"]})


def described(gamble: Sequence[tuple[float, float]], order: Sequence[int] | None = None, *, unit: str = "$") -> str:
    """A gamble's outcomes in words, in an order of its own, impossible ones left out.

    >>> described([(0.95, 26), (0.05, -1)])
    '$26 with 95% chance, $-1 with 5% chance'
    """
    shown = [gamble[i] for i in (order if order is not None else range(len(gamble)))]
    return ", ".join(f"{unit}{short(x)} with {percent(p)}% chance" for p, x in shown if p > 0)


def short(x: float) -> str:
    """A number without an empty fraction."""
    return f"{x:.10g}"


def percent(p: float) -> str:
    """A chance in percent, rounded to two decimals."""
    return short(round(100 * p, 2))


# --- from a user's path ----------------------------------------------------------------------------------------------


def problems(source: str) -> list[Item]:
    """Problems of choices13k (its folder, or its selections file with the problems beside it), or of a user's table.

    A table (.csv, .jsonl, .parquet) has the columns a and b, and optionally human, people, group, ambiguous, feedback.

    raises  DoxaError: gambles that are none, a rate outside [0, 1], a missing column; FileNotFoundError: no such path
    """
    path = Path(source)
    if path.is_dir():
        path = path / SELECTIONS
    if not path.is_file():
        raise FileNotFoundError(f"no gambles at {source!r}; give a table with the columns {COLUMNS}, or choices13k")
    if path.name == SELECTIONS:
        return _choices13k(path)
    return [table_problem(where, i, row) for i, (where, row) in enumerate(sets.raw_rows(path))]


def _choices13k(path: Path) -> list[Item]:
    beside = path.with_name(PROBLEMS)
    if not beside.is_file():
        raise FileNotFoundError(f"{PROBLEMS} has to lie beside {path}; it holds the gambles")
    known = json.loads(beside.read_text(encoding="utf-8"))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [_published(f"{path.name}, row {i}", str(i), row, known) for i, row in enumerate(rows)]


def _published(where: str, index: str, row: Mapping[str, str], known: Mapping[str, Any]) -> Item:
    if index not in known:
        raise DoxaError(f"{where}: {PROBLEMS} has no gambles for {index!r}; the files are not of one release")
    missing = [c for c in ("Problem", "Feedback", "n", "Amb", "bRate") if not row.get(c)]
    if missing:
        raise DoxaError(f"{where}: no {', '.join(missing)}; choices13k has them. It has {', '.join(row)}")
    return problem(
        f"choices13k/{index}",
        _gamble(where, "A", known[index].get("A")),
        _gamble(where, "B", known[index].get("B")),
        group=f"choices13k/problem-{row['Problem']}",
        human=rate(where, row["bRate"]),
        people=count(where, "n", row["n"]),
        ambiguous=_flag(row["Amb"]),
        feedback=_flag(row["Feedback"]),
    )


def table_problem(where: str, index: int, row: Mapping[str, Any]) -> Item:
    """The problem in a row of a user's table."""
    missing = [c for c in ("a", "b") if row.get(c) in (None, "")]
    if missing:
        raise DoxaError(f"{where}: no column {', '.join(missing)}; the columns are {COLUMNS}. It has {', '.join(row)}")
    people, group = row.get("people"), row.get("group")
    return problem(
        str(row.get("id") or f"gamble/{index}"),
        _gamble(where, "a", row["a"]),
        _gamble(where, "b", row["b"]),
        group=str(group) if group not in (None, "") else None,
        human=None if row.get("human") in (None, "") else rate(where, row["human"]),
        people=None if people in (None, "") else count(where, "people", people),
        ambiguous=_flag(row.get("ambiguous")),
        feedback=_flag(row.get("feedback")),
    )


def _gamble(where: str, name: str, cell: Any) -> Gamble:
    """Outcomes (chance, payoff) that can happen."""
    try:
        held = json.loads(cell) if isinstance(cell, str) else cell
        outcomes = tuple((float(p), float(x)) for p, x in held)
    except (TypeError, ValueError):
        raise DoxaError(f"{where}: {name} is {cell!r}; a gamble is a list of [chance, payoff]") from None
    chances = [p for p, _ in outcomes]
    finite = all(math.isfinite(number) for outcome in outcomes for number in outcome)
    if not finite or not outcomes or min(chances) < 0 or abs(sum(chances) - 1) > SUM_ROUNDING:
        raise DoxaError(
            f"{where}: {name} is {list(outcomes)}; its chances come first and sum to 1. Percent? divide by 100"
        )
    return tuple((p, x) for p, x in outcomes if p > 0)


def rate(where: str, cell: Any) -> float:
    """A share of B as a table states it. DoxaError: none in [0, 1]."""
    try:
        share = float(cell)
    except (TypeError, ValueError):
        share = math.nan
    if not 0 <= share <= 1:
        raise DoxaError(f"{where}: the human rate is {cell!r}; it is the share that took B, 0 to 1. Percent? divide")
    return share


def count(where: str, name: str, cell: Any) -> int:
    """A whole number of 0 or more in a cell. DoxaError: it is none."""
    try:
        number = float(str(cell))
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0 and number == int(number)):
        raise DoxaError(f"{where}: {name} is {cell!r}; it is a whole number, 0 or more")
    return int(number)


def _flag(cell: Any) -> bool:
    return str(cell).strip().lower() in ("true", "1", "1.0", "yes")
