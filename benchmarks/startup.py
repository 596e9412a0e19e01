"""How long the commands take that say what there is, from a cold process: the least of several starts.

PYTHONPATH=src python benchmarks/startup.py [--starts 10]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark import INSPECT, Row, at_most, beside, command

# what -> (our command, Inspect's, seconds allowed)
COMMANDS: dict[str, tuple[list[str], list[str], float]] = {
    "import": (["-c", "import doxa"], ["-c", "import inspect_ai"], 0.3),
    "--help": (["-m", "doxa.cli", "--help"], ["-m", "inspect_ai", "--help"], 0.3),
    "list what there is": (["-m", "doxa.cli", "studies"], ["-m", "inspect_ai", "list", "tasks", "/nowhere"], 0.5),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--starts", type=int, default=10, help="how often each command is started")


def rows(args: argparse.Namespace) -> Iterator[Row]:
    peer = INSPECT.python(args.env)
    for what, (ours, theirs, bound) in COMMANDS.items():
        fastest = {"ours": float("inf"), "theirs": float("inf")}
        for _ in range(2 if args.quick else args.starts):  # in turn, so that both meet the same machine
            fastest["ours"] = min(fastest["ours"], seconds([sys.executable, *ours]))
            fastest["theirs"] = min(fastest["theirs"], seconds([peer, *theirs]))
        row = at_most(what, fastest["ours"], "s", bound)
        yield beside(row, "inspect_ai", fastest["theirs"], more_is_better=False)


def seconds(line: Sequence[str | Path]) -> float:
    start = time.perf_counter()
    subprocess.run(line, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    command(rows, __doc__, arguments)
