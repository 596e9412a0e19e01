"""Residual stream of all layers by a local model: time and memory beside TransformerLens, and the same values.

    PYTHONPATH=src python benchmarks/states.py [--models 8M,42M]
    PYTHONPATH=src python benchmarks/states.py --device cuda --models 1B,7B --dtype bfloat16

Llamas with random weights are asked in float32 for the states after every block at each prompt's last token. Doxa is
asked for all at the same moment, with nothing kept from before; TransformerLens runs with a filter of names, weights
as they are (no norm folded, nothing centred), prompts of like lengths together. Both take turns; the fastest turn of
each side counts, of the peer also the fastest of its batch sizes. Memory is the most of a process of its own, beyond
what it holds when one prompt has been read; each side's states are among it. It is measured on Linux only.
With --device no peer is asked: states of 50,000 statements, written to the disk as they come.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llamas
import numpy as np
from benchmark import Peer, Row, at_most, command, shown, times
from llamas import Answered, Best, Words

PEER = Peer("transformer-lens", (("torch==2.13.0",), ("transformer-lens==4.3.0",)))
SCRIPT = Path(__file__).parent / "peers" / "lens_states.py"
BATCH_SIZES = (8, 32)
FASTER, SMALLER = 2.5, 4
APART = 1e-4  # root mean squares of the state
IN_FLIGHT = 2048  # most prompts asked at the same moment


@dataclass
class Task:
    """Prompts, with what both sides took for them; apart: how far their states are, in root mean squares."""

    name: str
    prompts: list[str]
    us: Best = field(default_factory=Best)
    them: Answered = field(default_factory=lambda: Answered(BATCH_SIZES))
    apart: float = 0.0


def tasks(words: Words, part: int) -> list[Task]:
    """part: one in so many of the prompts."""
    common = words.text(128)
    return [
        Task("128 prompts of 32 to 64", words.texts(128 // part, 32, 64)),
        Task("2,000 statements of 8 to 24", words.texts(2000 // part, 8, 24)),
        Task("256 statements behind one prefix of 128", [common + text for text in words.texts(256 // part, 8, 24)]),
    ]


# --- measured --------------------------------------------------------------------------------------------------------


def collected(model: Any, prompts: Sequence[str], size: str, states: np.ndarray | None = None) -> np.ndarray:
    """States of the prompts, (prompts, layers, width), each put into the array (float32: one made here) as it comes."""
    from doxa.records import Prompt

    shape = llamas.SHAPES[size]
    into = np.empty((len(prompts), shape.layers, shape.width), np.float32) if states is None else states
    numbers = iter(range(len(prompts)))
    precision = "float16" if into.dtype == np.float16 else "float32"

    async def work() -> None:
        for number in numbers:
            into[number] = (await model.hidden_states(Prompt(text=prompts[number]), precision=precision))[:, 0]

    async def all_at_once() -> None:
        await asyncio.gather(*(work() for _ in range(min(len(prompts), IN_FLIGHT))))

    asyncio.run(all_at_once())
    return into


def memory_of(folder: str, prompts: Sequence[str], size: str, threads: int) -> int:
    """Bytes that Doxa takes for the states of the prompts; for a process of its own."""
    import torch
    from peers import memory

    from doxa.models.local import LocalModel

    torch.set_num_threads(threads)
    model = LocalModel(folder, device="cpu", dtype="float32")
    collected(model, prompts[:1], size)  # weights mapped from the file are in memory from here on
    before = memory.resident()
    memory.begin()
    collected(model, prompts, size)
    return memory.peak() - before


def alone_in_a_process(folder: Path, prompts: Sequence[str], size: str, threads: int) -> int:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(memory_of, str(folder), list(prompts), size, threads).result()


def rows(args: argparse.Namespace) -> Iterator[Row]:
    import torch

    torch.set_num_threads(args.threads)
    if not args.device:
        PEER.python(args.env)
    for size in args.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            words = llamas.build(path, size, args.device or "cpu", args.dtype if args.device else "float32")
            yield from streamed(size, path, words, args) if args.device else beside_the_peer(size, path, words, args)


def beside_the_peer(size: str, folder: Path, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    model, todo = llamas.opened(folder), tasks(words, 16 if args.quick else 1)
    version, out = "", folder / "states.npy"
    for _ in range(1 if args.quick else args.turns):
        for task in todo:
            request = {"model": str(folder), "threads": args.threads, "prompts": task.prompts, "out": str(out)}
            answer = PEER.run(args.env, SCRIPT, request | {"batch_sizes": list(task.them.sizes)})
            version = f"TransformerLens {answer['version']}"
            task.them.take(answer, len(task.prompts))
            for _ in range(2):  # ours are short
                model.forget()
                with task.us.turn(len(task.prompts)):
                    found = collected(model, task.prompts, size)
            task.apart = max(task.apart, distance(found, np.load(out)))
    for task in todo:
        us, them, batch = task.us, task.them.best, task.them.sizes[0]
        note = f"CPU time {them.cpu / us.cpu:.1f}x; the peer's batches are of {batch}"
        name, rates = f"{size}: states of {task.name}", (1 / us.clock, 1 / them.clock)
        yield times(name, version, *rates, "prompts a second", FASTER, more_is_better=True, note=note)
    for task in todo if sys.platform == "linux" else ():
        request = {"model": str(folder), "threads": args.threads, "prompts": task.prompts, "out": None}
        theirs = PEER.run(args.env, SCRIPT, request | {"batch_sizes": list(task.them.sizes)})["memory"]
        ours = alone_in_a_process(folder, task.prompts, size, args.threads)
        name, sizes = f"{size}: memory for {task.name}", (ours / 2**20, theirs / 2**20)
        yield times(name, version, *sizes, "MiB", SMALLER, more_is_better=False)
    name = f"{size}: states, largest distance"
    yield at_most(name, max(task.apart for task in todo), "root mean squares", APART, peer=version)


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference between states (n, l, d), in root mean squares of the state it is found in."""
    size = np.sqrt((theirs**2).mean(-1, keepdims=True))
    return float((np.abs(ours - theirs) / size).max())


# --- without peers ---------------------------------------------------------------------------------------------------


def streamed(size: str, folder: Path, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    model = llamas.opened(folder, args.device, args.dtype)
    statements = words.texts(500 if args.quick else args.statements, 8, 24)
    shape, out = llamas.SHAPES[size], folder / "states.npy"
    collected(model, statements[:64], size)  # warm
    states = np.lib.format.open_memmap(
        out, mode="w+", dtype=np.float16, shape=(len(statements), shape.layers, shape.width)
    )
    best = Best()
    with best.turn(len(statements)):
        collected(model, statements, size, states)
        states.flush()
    name = f"{size}, {args.device}, {args.dtype}: states of {len(statements):,} statements to the disk"
    gigabytes, seconds = out.stat().st_size / 1e9, len(statements) * best.clock
    yield shown(name, 1 / best.clock, "statements a second", f"{gigabytes:.2f} GB in {seconds:.1f} s, in float16")


def arguments(parser: argparse.ArgumentParser) -> None:
    llamas.arguments(parser)
    parser.add_argument("--statements", type=int, default=50_000, help="statements, with --device")


if __name__ == "__main__":
    command(rows, __doc__, arguments)
