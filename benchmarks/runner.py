"""How fast the runner is, and how much memory it takes, with a model that answers at once.

    python benchmarks/runner.py [--readings 20000] [--per-item 1] [--text 200] [--json]

Rates: readings per second with every record on the disk before it counts; without and with the response store; in
memory; and resumed from the store alone. Peak memory is that of a process that does nothing but this run, scoring
included. Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, overload

import polars as pl

from doxa.models.base import Context, Model
from doxa.records import Estimate, Findings, Item, Prompt, Reading, Reply, Sampling
from doxa.runs import run
from doxa.study import Ask, Source, Study


@dataclass(frozen=True)
class Options:
    per_item: Annotated[int, "readings per item"] = 1


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    answer: str
    truth: str
    confidence: float


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Reading]:
    for k in range(options.per_item):
        reply = await ask.generate(Prompt.user(item.text), Sampling(seed=k))
        yield Row(item=item.id, sample=k, text=reply.text, answer="true", truth=str(item.answer), confidence=0.9)


def score(rows: pl.DataFrame, options: Options) -> Findings:
    right = rows.filter(pl.col("answer") == pl.col("truth")).height
    return Findings((Estimate("accuracy", right / len(rows), n=len(rows)),))


study = Study(Source("none", 2024), {"generate"}, Options, Row, lambda o: [], lambda: [], collect, score)


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
        return Item(f"s{at}", f"Is statement {at} true?", "statement", answer=("true", "false")[at % 2])


class AtOnce(Model):
    """Answers `characters` characters at once."""

    address = "benchmark:at-once"
    capabilities = frozenset({"generate"})

    def __init__(self, characters: int, stored: bool) -> None:
        self.stored = stored
        self._rest = " ".join(["word"] * (characters // 5))

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        return [Reply(f"{prompt.messages[0].content} {self._rest}", input_tokens=10, output_tokens=50)]


def measure(kind: str, readings: int, per_item: int, text: int, folder: str) -> dict[str, Any]:
    """One measurement, in this process. kind: "log", "store", "again" (all from the store) or "memory"."""
    items = Statements(max(1, readings // per_item))
    out = None if kind == "memory" else Path(folder) / kind
    began = time.perf_counter()
    made = run(
        study,
        AtOnce(text, stored=kind in ("store", "again")),
        options=Options(per_item),
        items=items,
        out=out,
        progress=False,
    )
    seconds = time.perf_counter() - began
    part = made.parts[0]
    assert part.counts["readings"] == len(items) * per_item and part.counts["failed"] == 0
    return {
        "kind": kind,
        "readings": part.counts["readings"],
        "readings_per_s": round(part.counts["readings"] / seconds),
        "seconds": round(seconds, 2),
        "from_store": part.counts["from_store"],
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--per-item", type=int, default=1)
    parser.add_argument("--text", type=int, default=200, help="characters of a reply")
    parser.add_argument("--kinds", default="log,store,again,memory")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one, args.readings, args.per_item, args.text, args.folder)))
        return
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in args.kinds.split(","):
            command = [sys.executable, __file__, "--one", kind, "--folder", folder, "--readings", str(args.readings)]
            command += ["--per-item", str(args.per_item), "--text", str(args.text)]
            results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    if args.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'kind':8} {'readings':>10} {'per second':>11} {'seconds':>8} {'peak MB':>8}")
    for r in results:
        print(f"{r['kind']:8} {r['readings']:10,} {r['readings_per_s']:11,} {r['seconds']:8.2f} {r['peak_mb']:8,}")


if __name__ == "__main__":
    main()
