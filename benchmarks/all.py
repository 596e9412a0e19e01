"""Every benchmark of this folder, one after the other: one table in Markdown, and the same as JSON.

    PYTHONPATH=src python benchmarks/all.py [--out FOLDER] [--only NAME ...] [--quick]

A benchmark is a file here that defines a function `rows`. One that fails is a row that is not met.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark import ENVIRONMENTS, Row, machine, markdown_table, read, text_table, write

HERE = Path(__file__).parent


def scripts() -> dict[str, Path]:
    """Benchmarks by name."""
    return {path.stem: path for path in sorted(HERE.glob("*.py")) if _is_benchmark(path)}


def _is_benchmark(path: Path) -> bool:
    body = ast.parse(path.read_text()).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "rows" for node in body)


def about(path: Path) -> str:
    """The first line of a script's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or path.stem).splitlines()[0]


def run(path: Path, args: argparse.Namespace) -> list[Row]:
    """The rows of one script, run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        line = [sys.executable, str(path), "--json", str(file), "--env", str(args.env)]
        done = subprocess.run(line + (["--quick"] if args.quick else []), capture_output=True, text=True)
        if file.exists():
            return read(file)
    reason = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
    return [Row(path.stem, "", 0.0, None, "", None, "ends with rows", False, f"failed: {reason[:300]}")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"), metavar="FOLDER", help="for the tables")
    parser.add_argument("--only", nargs="+", choices=sorted(scripts()), metavar="NAME", help="only these")
    parser.add_argument("--quick", action="store_true", help="smaller sizes: tries the scripts out, measures less well")
    parser.add_argument("--env", type=Path, default=ENVIRONMENTS, metavar="FOLDER", help="environments of the peers")
    args = parser.parse_args()
    held_on, found = machine(), {}
    for name in args.only or scripts():
        print(f"\n{name}: {about(scripts()[name])}", flush=True)
        start = time.monotonic()
        found[name] = run(scripts()[name], args)
        print(text_table(found[name]), f"\n({time.monotonic() - start:.0f} s)", flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    write(args.out / "benchmarks.json", [row for rows in found.values() for row in rows], held_on)
    (args.out / "benchmarks.md").write_text("\n".join(report(found, held_on)) + "\n")
    missed = [row for rows in found.values() for row in rows if row.met is False]
    print(f"\n{len(missed)} bounds missed; tables in {args.out}")
    sys.exit(bool(missed))


def report(found: dict[str, list[Row]], held_on: dict[str, Any]) -> Iterator[str]:
    """The Markdown page, piece by piece."""
    yield "# Benchmarks\n"
    packages = ", ".join(f"{name} {version}" for name, version in held_on["packages"].items() if version)
    yield (
        f"Measured on {held_on['date']}: {held_on['cpu']}, {held_on['cores']} cores, {held_on['memory_gib']} GiB; "
        f"{held_on['system']}; Python {held_on['python']}, {packages}. "
        f"Load of the machine before: {held_on['load_before']}.\n"
    )
    for name, rows in found.items():
        yield f"## {name}\n\n{about(scripts()[name])}\n\n{markdown_table(rows)}"


if __name__ == "__main__":
    main()
