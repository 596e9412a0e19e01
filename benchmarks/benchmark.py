"""What a benchmark is: rows with a bound, an environment of its own for each peer, a table and JSON of the rows."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ENVIRONMENTS = Path.home() / ".cache" / "doxa" / "bench"
SHOWN = ("benchmark", "peer", "ours", "theirs", "unit", "ratio", "bound", "met", "note")


@dataclass(frozen=True)
class Row:
    """One measurement, and the bound that it has to hold.

    benchmark     what was measured, in words
    peer          what it is held against, with its version; "": nothing, only the bound
    ours, theirs  in `unit`; theirs is None without a peer
    ratio         how many times better ours is (above 1: better); None without a peer
    bound         the rule in words, e.g. "at least 10x", "at most 0.3 s"; "": none
    met           None: there is nothing to hold, the row is for orientation
    """

    benchmark: str
    peer: str
    ours: float
    theirs: float | None
    unit: str
    ratio: float | None
    bound: str
    met: bool | None
    note: str = ""


def at_least(benchmark: str, ours: float, unit: str, bound: float, note: str = "") -> Row:
    """`ours` must be `bound` or more."""
    return Row(benchmark, "", ours, None, unit, None, _rule("at least", bound, unit), ours >= bound, note)


def at_most(benchmark: str, ours: float, unit: str, bound: float, note: str = "", peer: str = "") -> Row:
    """`ours` must be `bound` or less. With a peer, `ours` is how far the values of both are apart."""
    return Row(benchmark, peer, ours, None, unit, None, _rule("at most", bound, unit), ours <= bound, note)


def times(
    benchmark: str,
    peer: str,
    ours: float,
    theirs: float,
    unit: str,
    bound: float | None,
    *,
    more_is_better: bool,
    note: str = "",
) -> Row:
    """A row against a peer: ours must be `bound` times better (None: only shown)."""
    ratio = ours / theirs if more_is_better else theirs / ours
    rule, met = ("", None) if bound is None else (f"at least {bound:g}x", ratio >= bound)
    return Row(benchmark, peer, ours, theirs, unit, ratio, rule, met, note)


def beside(row: Row, peer: str, theirs: float, *, more_is_better: bool) -> Row:
    """A row with a bound of its own, and what a peer does, for comparison."""
    return replace(row, peer=peer, theirs=theirs, ratio=row.ours / theirs if more_is_better else theirs / row.ours)


def _rule(words: str, bound: float, unit: str) -> str:
    return f"{words} {bound:,g} {unit}".rstrip()


def shown(benchmark: str, ours: float, unit: str, note: str = "") -> Row:
    """A row for orientation: no peer, no bound."""
    return Row(benchmark, "", ours, None, unit, None, "", None, note)


# --- peers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Peer:
    """A program that ours is compared with, in a virtual environment of its own.

    name      folder of the environment below --env
    packages  what pip installs there, in steps: the first tuple, then the next
    """

    name: str
    packages: tuple[tuple[str, ...], ...]

    def python(self, environments: Path) -> Path:
        """The interpreter of the environment, which is made when it is missing or holds other packages."""
        folder = environments / self.name
        python, stamp = folder / "bin" / "python", folder / "packages.json"
        wanted = json.dumps(self.packages)
        if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
            print(f"installing {self.name} into {folder}", file=sys.stderr)
            venv.create(folder, with_pip=True, clear=True)
            for step in self.packages:
                _run([python, "-m", "pip", "install", "--quiet", *step], f"{self.name} could not be installed")
            stamp.write_text(wanted)
        return python

    def run(self, environments: Path, script: Path, request: Mapping[str, Any]) -> dict[str, Any]:
        """Run a script in the environment: the request is its standard input, the last line of its output the answer.

        raises  RuntimeError with the end of what the script printed, when it fails
        """
        python = self.python(environments)
        printed = _run([python, script], f"{script.name} failed in {self.name}'s environment", json.dumps(request))
        answer: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
        return answer


def _run(command: Sequence[str | Path], failure: str, given: str = "") -> str:
    """What a command printed; nothing of this process's Python path reaches it."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=env)
    if done.returncode:
        raise RuntimeError(f"{failure}:\n{(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


# Peers of more than one script.
INSPECT = Peer("inspect", (("inspect_ai==0.3.285", "openai==3.57.0"),))


# --- one script ------------------------------------------------------------------------------------------------------


def command(
    rows: Callable[[argparse.Namespace], Iterable[Row]],
    about: str | None,
    arguments: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """The command line of a benchmark: measure, print the table, write the JSON; status 1 when a bound was missed."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and machine to this file")
    parser.add_argument("--quick", action="store_true", help="smaller sizes: tries the script out, measures less well")
    parser.add_argument("--env", type=Path, default=ENVIRONMENTS, metavar="FOLDER", help="environments of the peers")
    if arguments is not None:
        arguments(parser)
    args = parser.parse_args()
    held_on = machine()
    found = list(rows(args))
    print(text_table(found))
    if args.json:
        write(args.json, found, held_on)
    sys.exit(any(row.met is False for row in found))


def write(path: Path, rows: Sequence[Row], held_on: Mapping[str, Any]) -> None:
    path.write_text(json.dumps({"machine": held_on, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")


def read(path: Path) -> list[Row]:
    """The rows that `command` wrote."""
    return [Row(**row) for row in json.loads(path.read_text())["rows"]]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in ("torch", "transformers", "numpy", "polars", "aiohttp")},
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    kind = " ".join(f"{key.split()[-1]} {fields[key]}" for key in ("cpu family", "model") if key in fields)
    name = fields.get("model name", platform.machine())
    return f"{name} ({kind})" if kind else name


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


# --- rows as tables --------------------------------------------------------------------------------------------------


def text_table(rows: Sequence[Row]) -> str:
    """Rows for the terminal; notes stand below."""
    head = [name for name in SHOWN if name != "note"]
    cells = [head, *([_cell(row, name) for name in head] for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(head))]
    right = {"ours", "theirs", "ratio"}
    lines = [
        "  ".join(c.rjust(w) if n in right else c.ljust(w) for c, w, n in zip(line, widths, head, strict=True)).rstrip()
        for line in cells
    ]
    notes = [f"{row.benchmark}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def markdown_table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table, notes as its last column."""
    lines = [list(SHOWN), ["---"] * len(SHOWN), *([_cell(row, name) for name in SHOWN] for row in rows)]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines) + "\n"


def _cell(row: Row, name: str) -> str:
    value = getattr(row, name)
    if name == "met":
        return {None: "", True: "yes", False: "NO"}[value]
    if name == "ratio":
        return "" if value is None else f"{value:,.1f}x"
    return value if isinstance(value, str) else "" if value is None else _number(value)


def _number(value: float) -> str:
    """Three figures or all before the point: 0.0213, 2.13, 21.3, 2,134."""
    if value == 0 or not 1e-4 <= abs(value) < 1e15:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
