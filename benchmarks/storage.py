"""Stored readings: how long 20,000 of them take to be read, and their bytes on the disk, beside Inspect's log.

    PYTHONPATH=src python benchmarks/storage.py [--readings 20000]

Inspect's log is written by Inspect from copies of the samples of a real eval with the same questions and replies.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmark import INSPECT, Row, at_most, command, times
from runner import IN_FLIGHT, TEXT, measure
from words import reply

from doxa.runs import Run

READ_TIMES = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--readings", type=int, default=20_000)


def rows(args: argparse.Namespace) -> Iterator[Row]:
    readings = args.readings // 10 if args.quick else args.readings
    with tempfile.TemporaryDirectory() as folder:
        request = {"samples": 200, "concurrency": IN_FLIGHT, "text": TEXT, "folder": folder, "read": readings}
        theirs = INSPECT.run(args.env, Path(__file__).parent / "peers" / "inspect_eval.py", request)
        measure("store", readings, 1, folder)
        yield from _compared(Path(folder) / "store", theirs, readings)


def _compared(folder: Path, theirs: dict[str, Any], readings: int) -> Iterator[Row]:
    peer, log = f"inspect_ai {theirs['version']} log", theirs["log"]
    table, seconds = _timed(lambda: Run.open(folder).parts[0].rows())
    note = "the table of readings; Inspect: read_eval_log"
    named = f"reading {readings:,} stored readings"
    yield times(named, peer, seconds, log["seconds"], "s", 100, more_is_better=False, note=note)
    records, seconds = _timed(lambda: list(Run.open(folder).parts[0].records()))
    note = "every prompt, reply and setting, from the log, as objects"
    named = f"reading {readings:,} whole records"
    yield times(named, peer, seconds, log["seconds"], "s", None, more_is_better=False, note=note)
    wrong = sum(text != reply(k, TEXT) for k, text in enumerate(table["text"]))
    wrong += sum(record.calls[0].replies[0].text != reply(k, TEXT) for k, record in enumerate(records))
    wrong += (len(table) != readings) + (log["read"] != readings)
    yield at_most("readings that come back otherwise", wrong, "", 0, peer=peer)
    yield from _bytes(folder, peer, log["bytes"], readings)


def _bytes(folder: Path, peer: str, theirs: float, readings: int) -> Iterator[Row]:
    part = Run.open(folder).parts[0].folder
    assert part is not None
    size = {path.name: path.stat().st_size / readings for path in part.iterdir()}
    tables = size["rows.parquet"] + size["calls.parquet"]
    note = f"readings {size['rows.parquet']:.0f}, calls with prompts and replies {size['calls.parquet']:.0f}"
    yield at_most("tables on the disk", tables, "bytes a row", 300, note)
    log = size["shard-0000.jsonl"]
    note = (
        "the tables and the log that they were made from, which stays, uncompressed, so that each item can be reached"
    )
    yield times("all on the disk", peer, tables + log, theirs, "bytes a row", None, more_is_better=False, note=note)


def _timed(read: Callable[[], Any]) -> tuple[Any, float]:
    """What is read, and the median of several times."""
    seconds = []
    for _ in range(READ_TIMES):
        start = time.perf_counter()
        found = read()
        seconds.append(time.perf_counter() - start)
    return found, statistics.median(seconds)


if __name__ == "__main__":
    command(rows, __doc__, arguments)
