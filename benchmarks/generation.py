"""Replies of a local model: items a second beside lm-polygraph and Inspect, with the same tokens and log-probabilities.

    PYTHONPATH=src python benchmarks/generation.py [--models 8M,42M] [--items 64]
    PYTHONPATH=src python benchmarks/generation.py --device cuda --models 1B,7B --dtype bfloat16

Llamas with random weights are asked in float32 for replies of 32 tokens, all items at the same moment, with nothing
kept from before. Both sides take turns, and the fastest turn of each side counts, of a peer also the fastest of its
batch sizes. lm-polygraph gives no attention maps (Doxa has none) and samples from the whole distribution; neither side
gives entropies. Bounds are of the 8M: the larger a model, the more of the time of both sides goes into the same matrix
products. Inspect looks for replies once a second, which is a part of its times. Where two tokens are as likely as
makes no difference, replies are compared up to there.
With --device no peer is asked: 20 samples of 64 tokens for each of 1,000 prompts.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llamas
from benchmark import INSPECT, Peer, Row, at_most, command, shown, times
from llamas import Answered, Best, Words

PEERS = Path(__file__).parent / "peers"
TORCH = ("torch==2.13.0",)
POLYGRAPH = Peer("lm-polygraph", (TORCH, ("lm-polygraph==0.7.0", "transformers==5.24.0")))
INSPECT_HF = Peer("inspect-hf", (TORCH, (INSPECT.packages[0][0], "transformers==5.24.0", "accelerate==1.15.0")))
APART = 1e-4  # nats
TIE = 2 * APART  # between two tokens either of which may be the likeliest
BOUND = "8M"  # the model that bounds are of; larger ones are shown
TOKENS = 32
SAMPLES = 10
TOP = 5
STANDARD_ERRORS = 4.0


@dataclass
class Task:
    """Prompts, and how they are answered by both sides.

    called  the peer's name as it is shown
    bound   how many times faster than the peer
    answer  of the peer, the latest one; us, them: the fastest turns
    """

    name: str
    prompts: list[str]
    peer: Peer
    called: str
    script: str
    samples: int
    bound: float
    request: dict[str, Any]
    them: Answered
    us: Best = field(default_factory=Best)
    answer: dict[str, Any] = field(default_factory=dict)
    replies: list[Any] = field(default_factory=list)

    @property
    def version(self) -> str:
        return f"{self.called} {self.answer['version']}"


def tasks(words: Words, items: int) -> list[Task]:
    own, common = words.texts(items, 32, 64), words.text(256)
    behind = [common + words.text(32) for _ in range(items)]

    def polygraph(name: str, prompts: list[str], samples: int, bound: float) -> Task:
        request = {"samples": samples}
        return Task(
            name,
            prompts,
            POLYGRAPH,
            "lm-polygraph",
            "polygraph_generation.py",
            samples,
            bound,
            request,
            Answered((16, 32)),
        )

    return [
        polygraph("greedy, own prompts of 32 to 64", own, 0, 2),
        polygraph("greedy, questions of 32 behind one prefix of 256", behind, 0, 2),
        polygraph(f"{SAMPLES} samples, own prompts of 32 to 64", own, SAMPLES, 2.5),
        Task(
            f"greedy with the {TOP} likeliest, own prompts of 32 to 64",
            own,
            INSPECT_HF,
            "Inspect",
            "inspect_generation.py",
            0,
            3.5,
            {"top": TOP},
            Answered((max(items // 2, 1), items)),  # full ones: it waits two seconds for what would fill another
        ),
    ]


# --- measured --------------------------------------------------------------------------------------------------------


def answered(model: Any, prompts: Sequence[str], best: Best, **sampling: Any) -> list[Any]:
    """Replies to all the prompts, asked at the same moment with nothing kept before; those of a prompt together."""
    from doxa.records import Prompt, Sampling

    how = Sampling(**sampling)

    async def ask() -> list[Any]:
        return await asyncio.gather(*(model.generate(Prompt(text=prompt), how) for prompt in prompts))

    model.forget()
    with best.turn(len(prompts)):
        found = asyncio.run(ask())
    return [reply for replies in found for reply in replies]


def rows(args: argparse.Namespace) -> Iterator[Row]:
    import torch

    torch.set_num_threads(args.threads)
    if not args.device:
        POLYGRAPH.python(args.env)
        INSPECT_HF.python(args.env)
    for size in args.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            words = llamas.build(path, size, args.device or "cpu", args.dtype if args.device else "float32")
            yield from alone(size, path, words, args) if args.device else beside_the_peers(size, path, words, args)


def beside_the_peers(size: str, folder: Path, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    model = llamas.opened(folder)
    # Of larger models fewer, so that a turn takes minutes.
    larger = llamas.SHAPES[size].flops / llamas.SHAPES["8M"].flops
    asked = tasks(words, 8 if args.quick else max(min(args.items, 16), int(args.items / max(larger, 1))))
    for _ in range(1 if args.quick else args.turns):
        for task in asked:
            request = {"model": str(folder), "threads": args.threads, "prompts": task.prompts, "tokens": TOKENS}
            request |= {**task.request, "batch_sizes": list(task.them.sizes)}
            task.answer = task.peer.run(args.env, PEERS / task.script, request)
            task.them.take(task.answer, len(task.prompts))
            sampling = {"n": task.samples, "temperature": 1.0} if task.samples else {}
            for _ in range(2):  # ours are short
                task.replies = answered(
                    model,
                    task.prompts,
                    task.us,
                    max_tokens=TOKENS,
                    top_logprobs=task.request.get("top", 0),
                    **sampling,
                )
    for task in asked:
        us, them = task.us, task.them.best
        note = f"CPU time {them.cpu / us.cpu:.1f}x; the peer's batches are of {task.them.sizes[0]}"
        rates = 1 / us.clock, 1 / them.clock
        name = f"{size}: {task.name}"
        bound = task.bound if size == BOUND else None
        yield times(name, task.version, *rates, "items a second", bound, more_is_better=True, note=note)
    yield from compared(size, folder, asked)


# --- the same values -------------------------------------------------------------------------------------------------


@dataclass
class Compared:
    """Greedy replies of both sides: how many differ, how far the log-probabilities of the others are apart."""

    replies: int = 0
    differ: int = 0
    tied: int = 0
    tokens: int = 0
    apart: float = 0.0

    def take(self, ours: Sequence[Any], theirs: Sequence[str], tops: Sequence[Sequence[float]]) -> None:
        """Tokens of a reply; `tops`: log-probabilities of the peer's own and of the next likeliest, at each."""
        self.replies += 1
        for token, said, logprobs in zip(ours, theirs, tops, strict=False):
            if token.text != said:
                tie = abs(token.logprob - logprobs[0]) <= TIE
                self.tied, self.differ = self.tied + tie, self.differ + (not tie)
                return
            found = [logprob for _, logprob in token.top] or [token.logprob]
            self.apart = max(self.apart, *(abs(a - b) for a, b in zip(found, logprobs, strict=True)))
            self.tokens += 1


def compared(size: str, folder: Path, asked: Sequence[Task]) -> Iterator[Row]:
    from transformers import AutoTokenizer

    from doxa.models.local_text import Tokenization

    text = Tokenization(AutoTokenizer.from_pretrained(folder))
    found: dict[str, Compared] = {}
    for task in asked:
        if task.samples:
            yield same_distribution(size, task)
            continue
        both = found.setdefault(task.version, Compared())
        answer = task.answer
        tops = answer["tops"] if "tops" in answer else [[[p] for p in reply] for reply in answer["logprobs"]]
        for reply, tokens, logprobs in zip(task.replies, answer["tokens"], tops, strict=True):
            ids = text.tokenizer.convert_tokens_to_ids(tokens) if "tops" in answer else tokens
            both.take(reply.tokens, [text.piece(token) for token in ids], logprobs)
    for version, both in found.items():
        note = f"of {both.replies}; {both.tied} compared up to a tie"
        yield at_most(f"{size}: greedy replies that differ", both.differ, "", 0, note, peer=version)
        name, note = f"{size}: log-probabilities, largest distance", f"at {both.tokens:,} tokens"
        yield at_most(name, both.apart, "nats", APART, note, peer=version)


def same_distribution(size: str, task: Task) -> Row:
    """Whether both sides' samples come from one distribution, by the mean log-probability of a prompt's tokens."""
    differences = []
    for i in range(len(task.prompts)):
        own = slice(i * task.samples, (i + 1) * task.samples)
        ours = [token.logprob for reply in task.replies[own] for token in reply.tokens]
        theirs = [logprob for reply in task.answer["logprobs"][own] for logprob in reply]
        differences.append(statistics.fmean(ours) - statistics.fmean(theirs))
    error = statistics.stdev(differences) / math.sqrt(len(differences))
    distance = abs(statistics.fmean(differences)) / error
    name = f"{size}: mean log-probability of sampled tokens, distance"
    return at_most(name, distance, "standard errors", STANDARD_ERRORS, f"one is {error:.2g} nats", peer=task.version)


# --- without peers ---------------------------------------------------------------------------------------------------


def alone(size: str, folder: Path, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    model = llamas.opened(folder, args.device, args.dtype)
    prompts, best = words.texts(16 if args.quick else args.prompts, 32, 64), Best()
    answered(model, prompts[:8], Best(), max_tokens=4)  # warm
    replies = answered(model, prompts, best, n=20, temperature=1.0, max_tokens=64)
    tokens = sum(reply.output_tokens for reply in replies)
    name = f"{size}, {args.device}, {args.dtype}: 20 samples of 64 tokens for {len(prompts):,} prompts"
    yield shown(name, tokens / (len(prompts) * best.clock), "tokens a second", f"{len(prompts) * best.clock:.1f} s")


def arguments(parser: argparse.ArgumentParser) -> None:
    llamas.arguments(parser)
    parser.add_argument("--items", type=int, default=64, help="items of a task; fewer of models above 8M, at least 16")
    parser.add_argument("--prompts", type=int, default=1000, help="prompts, with --device")


if __name__ == "__main__":
    command(rows, __doc__, arguments)
