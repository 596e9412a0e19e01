"""The runner with a model that answers at once: readings a second with a durable log, memory and time up to a million.

    PYTHONPATH=src python benchmarks/runner.py [--readings 20000] [--million 1000000]

Beside it stands Inspect's eval with the same questions and replies. Every measurement is a process of its own, scoring
included, and the parts take turns; the middle of three rounds counts. Peak memory is that of a process that does
nothing but this run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, overload

import polars as pl
from benchmark import INSPECT, Row, at_least, at_most, beside, command, shown
from words import number, question, reply

from doxa.models.base import Context, Model
from doxa.records import Estimate, Findings, Item, Prompt, Reading, Reply, Sampling
from doxa.runs import run
from doxa.runs.log import Log, LogWriter, line_of
from doxa.runs.store import Store
from doxa.study import Ask, Source, Study

TEXT = 200  # characters of a reply
IN_FLIGHT = 64
ROUNDS = 3


# --- what is asked ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Options:
    per_item: Annotated[int, "readings per item"] = 1


@dataclass(frozen=True, kw_only=True)
class Answered(Reading):
    answer: str
    truth: str
    confidence: float


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Reading]:
    for k in range(options.per_item):
        said = await ask.generate(Prompt.user(item.text), Sampling(seed=k))
        yield Answered(item=item.id, sample=k, text=said.text, answer="true", truth=str(item.answer), confidence=0.85)


def score(rows: pl.DataFrame, options: Options) -> Findings:
    right = rows.filter(pl.col("answer") == pl.col("truth")).height
    return Findings((Estimate("accuracy", right / len(rows), n=len(rows)),))


study = Study(Source("none", 2024), {"generate"}, Options, Answered, lambda o: [], lambda: [], collect, score)


class Statements(Sequence[Item]):
    """n items made when they are looked at, so that the memory measured is the runner's."""

    def __init__(self, n: int) -> None:
        self._n = n

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(self._n))]
        if not 0 <= at < self._n:
            raise IndexError(at)
        return Item(f"s{at}", question(at), "statement", answer="true")


class AtOnce(Model):
    """Answers at once."""

    address = "benchmark:at-once"
    capabilities = frozenset({"generate"})
    concurrency = IN_FLIGHT

    def __init__(self, stored: bool) -> None:
        self.stored = stored

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        text = reply(number(prompt.messages[0].content), TEXT)
        return [Reply(text, input_tokens=10, output_tokens=50)]


# --- measurements, each in a process of its own ----------------------------------------------------------------------


def measure(kind: str, readings: int, per_item: int, folder: str) -> dict[str, Any]:
    """kind: "log"; "store", with the response store as well; "again", all from the store; "memory", nothing on disk."""
    items = Statements(max(1, readings // per_item))
    out = None if kind == "memory" else Path(folder) / kind
    reply(0, TEXT)  # makes the words
    wall, cpu = time.perf_counter(), time.process_time()
    model = AtOnce(stored=kind in ("store", "again"))
    made = run(study, model, options=Options(per_item), items=items, out=out, progress=False)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    part = made.parts[0]
    if part.counts["readings"] != len(items) * per_item or part.counts["failed"] or part.findings["accuracy"] != 1:
        raise RuntimeError(f"the run is not what it should be: {part.counts}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"per_s": readings / wall, "seconds": wall, "cpu_ms": 1000 * cpu / readings, "peak_mb": peak}


def commits(kind: str, many: int, folder: str) -> dict[str, Any]:
    """Lines of a kilobyte to the log, or answers to the store, each durable before it counts."""
    measured = _log_lines if kind == "lines" else _answers
    wall = time.perf_counter()
    asyncio.run(measured(many, Path(folder) / kind))
    return {"per_s": many / (time.perf_counter() - wall)}


async def _log_lines(many: int, folder: Path) -> None:
    writer, durable = LogWriter(Log(folder, many)), []
    for k in range(many):
        rows = [{"text": reply(k, 800)}]
        await writer.add(line_of({"index": k, "status": "done", "rows": rows, "usage": {}}), lambda: durable.append(1))
        if k % IN_FLIGHT == 0:
            await asyncio.sleep(0)
    await writer.flush()
    writer.close()
    if len(durable) != many:
        raise RuntimeError(f"{len(durable)} of {many} lines were acknowledged")


async def _answers(many: int, path: Path) -> None:
    store, left = Store(path), iter(range(many))

    async def work() -> None:
        for k in left:
            await store.put(k.to_bytes(32, "big"), [{"text": reply(k, TEXT), "finish": "stop"}])

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    kept = len(store)
    store.close()
    if kept != many:
        raise RuntimeError(f"{kept} of {many} answers are in the store")


# --- rows ------------------------------------------------------------------------------------------------------------


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--million", type=int, default=1_000_000, help="readings of the large run; 0: leave it out")


def rows(args: argparse.Namespace) -> Iterator[Row]:
    readings = args.readings // 10 if args.quick else args.readings
    found, theirs = _rounds(args, readings, 1 if args.quick else ROUNDS)
    peer = f"inspect_ai {theirs[0]['version']} eval"
    slow = statistics.median(r["per_s"] for r in theirs)
    cpu = statistics.median(r["cpu_ms"] for r in theirs)
    named = {"log": "readings, durable log", "store": "readings, durable log and response store"}
    for kind, name in named.items():
        used = statistics.median(r["cpu_ms"] for r in found[kind])
        note = f"CPU {used:.3f} ms a reading, {cpu:.1f} ms a sample ({cpu / used:.0f}x)"
        row = at_least(name, statistics.median(r["per_s"] for r in found[kind]), "a second", 2000, note)
        yield beside(row, peer, slow, more_is_better=True)
    for kind, name in {"again": "readings, all from the store", "memory": "readings, nothing on the disk"}.items():
        yield shown(name, statistics.median(r["per_s"] for r in found[kind]), "a second")
    for kind, name in {"lines": "durable commits, log", "answers": "durable commits, response store"}.items():
        note = f"{IN_FLIGHT} at the same time, each on the disk before it counts"
        yield at_least(name, statistics.median(r["per_s"] for r in found[kind]), "a second", 3000, note)
    differ = sum(text != reply(int(id_[1:]), TEXT) for r in theirs for id_, text in r["replies"].items())
    yield at_most("replies that differ", differ + sum(r["accuracy"] != 1 for r in theirs), "", 0, peer=peer)
    if args.million:
        yield from _million(args.million // 10 if args.quick else args.million)


def _rounds(args: argparse.Namespace, readings: int, rounds: int) -> tuple[dict[str, list[Any]], list[dict[str, Any]]]:
    """Ours by kind, and Inspect's, which makes fewer."""
    found: dict[str, list[Any]] = {kind: [] for kind in ("log", "store", "again", "memory", "lines", "answers")}
    theirs = []
    INSPECT.python(args.env)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for kind in found:
                found[kind].append(_one(kind, readings, 1, folder))
            request = {"samples": max(100, readings // 40), "concurrency": IN_FLIGHT, "text": TEXT, "read": 0}
            script = Path(__file__).parent / "peers" / "inspect_eval.py"
            theirs.append(INSPECT.run(args.env, script, request | {"folder": folder}))
    return found, theirs


def _million(readings: int) -> Iterator[Row]:
    """A quarter of the readings and all of them: memory stays bounded, and time grows with their number."""
    with tempfile.TemporaryDirectory() as folder:
        quarter = _one("log", readings // 4, 1, f"{folder}/quarter")
        whole = _one("log", readings, 1, f"{folder}/whole")
    note = f"{quarter['peak_mb']:.0f} MB for a quarter of them; tables for scoring included"
    yield at_most(f"memory, {readings:,} readings", whole["peak_mb"], "MB", 1000, note)
    note = f"{whole['seconds']:.0f} s in all, {whole['per_s']:,.0f} a second; CPU {whole['cpu_ms']:.3f} ms a reading"
    ratio = whole["cpu_ms"] / quarter["cpu_ms"]
    yield at_most("CPU per reading, all / a quarter of them", ratio, "x", 1.15, note)


def _one(kind: str, readings: int, per_item: int, folder: str) -> dict[str, Any]:
    line = [sys.executable, __file__, "--one", kind, str(readings), str(per_item), folder]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{kind} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _measured(kind: str, readings: str, per_item: str, folder: str) -> dict[str, Any]:
    if kind in ("lines", "answers"):
        return commits(kind, int(readings), folder)
    return measure(kind, int(readings), int(per_item), folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(_measured(*sys.argv[2:6])))
    else:
        command(rows, __doc__, arguments)
