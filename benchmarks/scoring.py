"""Continuations scored by a local model: items a second beside lm-evaluation-harness, and the same log-probabilities.

    PYTHONPATH=src python benchmarks/scoring.py [--models 8M,42M] [--items 32]
    PYTHONPATH=src python benchmarks/scoring.py --device cuda --models 1B,7B --dtype bfloat16

Two Llamas with random weights (8 and 42 million parameters, float32) and a tokenizer are made here. Contexts,
questions and options are made-up words of one token each. Both sides get text, all items at the same moment, and
start with nothing kept; tokenization counts. They take turns, and the fastest turn of each side counts, of the peer
also the faster one of two batch sizes. Rows in CPU time stand in the notes: they suffer less from a busy machine.
With --device no peer is asked: readings a second, and which share of the device's matrix rate that is.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llamas
from benchmark import Peer, Row, at_most, command, shown, times
from llamas import Answered, Best, Words

PEER = Peer("lm-eval", (("torch==2.13.0",), ("lm-eval==0.4.13", "transformers==5.24.0", "accelerate==1.15.0")))
SCRIPT = Path(__file__).parent / "peers" / "lm_eval_scoring.py"
BATCH_SIZES = (1, 8)  # of the peer
APART = 1e-4  # nats
LINEAR = 1.1
TOGETHER = 4
LETTERS = tuple(f" {letter}" for letter in "ABCD")


@dataclass(frozen=True)
class Asked:
    """One request: continuations after a prompt."""

    prompt: str
    continuations: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """Items, with what is asked about each; bound: how many times faster than the peer, None: only shown."""

    name: str
    items: list[tuple[Asked, ...]]
    bound: float | None

    def pairs(self, items: int) -> list[list[str]]:
        """Prompt and continuation of each request of the first items, for the peer."""
        return [[a.prompt, c] for item in self.items[:items] for a in item for c in a.continuations]


# --- the tasks -------------------------------------------------------------------------------------------------------


def options(words: Words, count: int) -> tuple[str, ...]:
    return tuple(words.text(8) for _ in range(count))


def made(words: Words, n: int, context: Callable[[], str], count: int) -> list[tuple[Asked, ...]]:
    """Items of one request each, with so many options."""
    return [(Asked(context(), options(words, count)),) for _ in range(n)]


def tasks(words: Words, n: int) -> list[Task]:
    """The rows of the table; n items each, half as many where they are large."""
    short, long = words.text(768), words.text(1024)
    return [
        Task("4 options of 8 tokens, own context of 256", made(words, n, lambda: words.text(256), 4), 3.5),
        Task("10 options of 8 tokens, own context of 512", made(words, n // 2, lambda: words.text(512), 10), 8),
        Task(
            "4 options of 8 tokens, question of 32 behind one prefix of 768",
            made(words, n, lambda: short + words.text(32), 4),
            15,
        ),
        Task(
            "10 options of 8 tokens, question of 32 behind one prefix of 1,024",
            made(words, n, lambda: long + words.text(32), 10),
            25,
        ),
        Task("4 letters, own context of 256", [(Asked(words.text(256), LETTERS),) for _ in range(n)], 1),
        Task("an item of 128 tokens in 12 forms", [forms(words) for _ in range(n // 2)], None),
    ]


def forms(words: Words) -> tuple[Asked, ...]:
    """An item in 12 forms: options, true or false of each of 4, P(True), 6 paraphrases with their options."""
    passage, four, two = words.text(128), options(words, 4), LETTERS[:2]
    true_or_false = (Asked(passage + words.text(16) + option, two) for option in four)
    paraphrases = (Asked(passage + words.text(24), four) for _ in range(6))
    p_true = Asked(passage + words.text(32), two)
    return (Asked(passage + words.text(24), four), *true_or_false, p_true, *paraphrases)


# --- measured --------------------------------------------------------------------------------------------------------


class Ours:
    """Doxa's local back end on one of the folders."""

    def __init__(self, folder: Path, device: str = "cpu", dtype: str = "float32") -> None:
        self.model = llamas.opened(folder, device, dtype)

    def measure(self, items: Sequence[tuple[Asked, ...]], best: Best) -> list[float]:
        """Ask all items at the same moment, nothing kept before; the log-probabilities in order."""
        self.model.forget()
        with best.turn(len(items)):
            found = asyncio.run(self._all(items))
        return [score.logprob for scores in found for score in scores]

    def one_by_one(self, item: tuple[Asked, ...], best: Best) -> None:
        """Ask every continuation of an item alone, one after the other, nothing kept."""
        alone = [(Asked(asked.prompt, (text,)),) for asked in item for text in asked.continuations]
        with best.turn(1):
            for asked in alone:
                self.model.forget()
                asyncio.run(self._all([asked]))

    async def _all(self, items: Sequence[tuple[Asked, ...]]) -> list[Any]:
        from doxa.records import Prompt

        asked = [a for item in items for a in item]
        return await asyncio.gather(*(self.model.score(Prompt(text=a.prompt), a.continuations) for a in asked))


def rows(args: argparse.Namespace) -> Iterator[Row]:
    import torch

    torch.set_num_threads(args.threads)
    if not args.device:
        PEER.python(args.env)
    for size in args.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            words = llamas.build(path, size, args.device or "cpu", args.dtype if args.device else "float32")
            if args.device:
                yield from absolute(size, Ours(path, args.device, args.dtype), words, args)
                continue
            yield from beside_the_peer(size, path, words, args)
            yield from alone(size, Ours(path), words, args)


def beside_the_peer(size: str, folder: Path, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    ours, asked = Ours(folder), tasks(words, 4 if args.quick else args.items)
    # The peer reads fewer of the large items: its rate does not depend on how many there are.
    counts = [max(1, min(len(task.items), args.peer_requests // len(task.pairs(1)))) for task in asked]
    best = [(Best(), Answered(BATCH_SIZES)) for _ in asked]
    apart, version = 0.0, ""
    for _ in range(1 if args.quick else args.turns):
        for task, count, (us, them) in zip(asked, counts, best, strict=True):
            request = {"model": str(folder), "threads": args.threads, "batch_sizes": list(them.sizes)}
            answer = PEER.run(args.env, SCRIPT, {**request, "pairs": task.pairs(count)})
            version = f"lm-eval {answer['version']}"
            them.take(answer, count)
            for _ in range(2):  # ours are short
                found = ours.measure(task.items, us)
            apart = max(apart, *(abs(a - b) for a, b in zip(found, answer["logprobs"], strict=False)))
    for task, (us, them) in zip(asked, best, strict=True):
        yield times(
            f"{size}: {task.name}",
            version,
            1 / us.clock,
            1 / them.best.clock,
            "items a second",
            task.bound,
            more_is_better=True,
            note=f"CPU time {them.best.cpu / us.cpu:.1f}x; the peer's batches are of {them.sizes[0]}",
        )
    yield at_most(f"{size}: log-probabilities, largest distance", apart, "nats", APART, peer=version)


def alone(size: str, ours: Ours, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    """Forms of an item together, and more and more items, against Doxa itself."""
    turns = 1 if args.quick else args.turns
    together, single = Best(), Best()
    items = [forms(words) for _ in range(4)]
    for _ in range(turns):
        ours.one_by_one(items[0], single)
        ours.measure(items, together)
    name, note = f"{size}: an item of 128 tokens in 12 forms, together", f"CPU time {single.cpu / together.cpu:.1f}x"
    rates = 1 / together.clock, 1 / single.clock
    yield times(name, "one by one", *rates, "items a second", TOGETHER, more_is_better=True, note=note)
    counts = [8, 32, 128] if not args.quick else [2, 8, 32]
    grown = made(words, counts[-1], lambda: words.text(256), 4)
    each = [Best() for _ in counts]
    for _ in range(turns):
        for count, best in zip(counts, each, strict=True):
            ours.measure(grown[:count], best)
    clock, cpu = ([getattr(best, kind) for best in each] for kind in ("clock", "cpu"))
    name = f"{size}: seconds an item for {', '.join(map(str, counts))} items, most over least"
    note = f"CPU time {max(cpu) / min(cpu):.2f}"
    yield at_most(name, max(clock) / min(clock), "", LINEAR, note)


# --- without peers ---------------------------------------------------------------------------------------------------


def absolute(size: str, ours: Ours, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    """Readings a second, and the share of what the device does in matrix products alone."""
    shape, tokens, count = llamas.SHAPES[size], 512, 4
    items = made(words, 16 if args.quick else args.contexts, lambda: words.text(tokens), count)
    best = Best()
    ours.measure(items[:8], Best())  # warm
    for _ in range(1 if args.quick else args.turns):
        ours.measure(items, best)
    name = f"{size}, {args.device}, {args.dtype}: {count} options of 8 tokens, own context of {tokens}"
    yield shown(name, count / best.clock, "readings a second", f"{best.clock * len(items):.1f} s")
    # The context once, then seven of eight tokens of each option, for the last one is predicted and not read.
    behind = 7 * count
    seen = tokens**2 / 2 + behind * (tokens + 4)
    flops = (tokens + behind) * shape.flops + seen * shape.seen_flops
    flops += 8 * count * 2 * shape.width * shape.vocabulary
    rate, most = flops / best.clock, matrix_rate(shape, args.device, args.dtype)
    note = f"{rate / 1e12:.3g} of {most / 1e12:.3g} TFLOP/s; what is needed counts, padding and masked pairs do not"
    yield shown(f"{size}, {args.device}, {args.dtype}: share of the matrix rate", rate / most, "", note)


def matrix_rate(shape: llamas.Shape, device: str, dtype: str, rows: int = 8192) -> float:
    """FLOP/s of the fastest of some products of the model's own kind, of many tokens with a block's widest weights."""
    import torch

    kind = getattr(torch, dtype)
    left = torch.randn(rows, shape.width, device=device, dtype=kind)
    right = torch.randn(shape.width, shape.inner, device=device, dtype=kind)
    fastest = float("inf")
    for _ in range(10):
        _wait(device)
        start = time.perf_counter()
        left @ right
        _wait(device)
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * rows * shape.width * shape.inner / fastest


def _wait(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize()


def arguments(parser: argparse.ArgumentParser) -> None:
    llamas.arguments(parser)
    parser.add_argument("--items", type=int, default=32, help="items of a task (half as many where they are large)")
    parser.add_argument("--peer-requests", type=int, default=40, help="most requests of a task that the peer answers")
    parser.add_argument("--contexts", type=int, default=512, help="items, with --device")


if __name__ == "__main__":
    command(rows, __doc__, arguments)
