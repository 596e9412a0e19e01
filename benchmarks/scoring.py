"""Continuations scored by a local model: items a second beside lm-evaluation-harness, and the same log-probabilities.

    PYTHONPATH=src python benchmarks/scoring.py [--models 8M,42M] [--items 32]

Two Llamas with random weights (8 and 42 million parameters, float32) and a tokenizer are made here. Contexts,
questions and options are made-up words of one token each. Both sides get text, all items at the same moment, and
start with nothing kept; tokenization counts. They take turns, and the fastest turn of each side counts, of the peer
also the faster one of two batch sizes. Rows in CPU time stand in the notes: they suffer less from a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmark import Peer, Row, at_most, command, times

PEER = Peer("lm-eval", (("torch==2.13.0",), ("lm-eval==0.4.13", "transformers==5.24.0", "accelerate==1.15.0")))
SCRIPT = Path(__file__).parent / "peers" / "lm_eval_scoring.py"
BATCH_SIZES = (1, 8)  # of the peer
APART = 1e-4  # nats
LINEAR = 1.1
TOGETHER = 4
LETTERS = tuple(f" {letter}" for letter in "ABCD")

# name: vocabulary, width, inner width, layers
SIZES = {"8M": (8192, 256, 704, 7), "42M": (16384, 512, 1408, 10)}


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


@dataclass
class Best:
    """The fastest turn so far: seconds of the clock and of the CPU, for one item."""

    clock: float = float("inf")
    cpu: float = float("inf")

    def take(self, clock: float, cpu: float, items: int) -> None:
        self.clock, self.cpu = min(self.clock, clock / items), min(self.cpu, cpu / items)


# --- the models ------------------------------------------------------------------------------------------------------


def build(folder: Path, size: str) -> list[str]:
    """Save a Llama with its tokenizer; the words that are one token each, behind a space."""
    import torch
    import transformers

    vocabulary, width, inner, layers = SIZES[size]
    tokenizer, words = made_tokenizer(vocabulary)
    config = transformers.LlamaConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=inner, num_hidden_layers=layers,
        num_attention_heads=8, num_key_value_heads=8, max_position_embeddings=2048, tie_word_embeddings=True,
        initializer_range=0.1, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return words


def made_tokenizer(vocabulary: int) -> tuple[Any, list[str]]:
    """A byte-level BPE tokenizer trained on made-up words, and those that it reads as one token behind a space."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    rng = random.Random(0)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el")]
    words = sorted({"".join(rng.choices(syllables, k=rng.choice((2, 2, 3)))) for _ in range(2 * vocabulary)})
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    lines = (" ".join(rng.choices(words, k=50)) for _ in range(8000))
    backend.train_from_iterator((line + "".join(LETTERS) for line in lines), trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    ids = tokenizer([f" {word}" for word in words], add_special_tokens=False)["input_ids"]
    return tokenizer, [word for word, found in zip(words, ids, strict=True) if len(found) == 1]


# --- the tasks -------------------------------------------------------------------------------------------------------


@dataclass
class Words:
    """Texts of so many tokens."""

    words: Sequence[str]
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def text(self, tokens: int) -> str:
        return "".join(f" {word}" for word in self.rng.choices(self.words, k=tokens))

    def options(self, count: int) -> tuple[str, ...]:
        return tuple(self.text(8) for _ in range(count))

    def items(self, n: int, context: Callable[[], str], options: int) -> list[tuple[Asked, ...]]:
        return [(Asked(context(), self.options(options)),) for _ in range(n)]


def tasks(words: Words, n: int) -> list[Task]:
    """The rows of the table; n items each, half as many where they are large."""
    short, long = words.text(768), words.text(1024)
    return [
        Task("4 options of 8 tokens, own context of 256", words.items(n, lambda: words.text(256), 4), 3.5),
        Task("10 options of 8 tokens, own context of 512", words.items(n // 2, lambda: words.text(512), 10), 8),
        Task(
            "4 options of 8 tokens, question of 32 behind one prefix of 768",
            words.items(n, lambda: short + words.text(32), 4),
            15,
        ),
        Task(
            "10 options of 8 tokens, question of 32 behind one prefix of 1,024",
            words.items(n, lambda: long + words.text(32), 10),
            25,
        ),
        Task("4 letters, own context of 256", [(Asked(words.text(256), LETTERS),) for _ in range(n)], 1),
        Task("an item of 128 tokens in 12 forms", [forms(words) for _ in range(n // 2)], None),
    ]


def forms(words: Words) -> tuple[Asked, ...]:
    """An item in 12 forms: options, true or false of each of 4, P(True), 6 paraphrases with their options."""
    passage, options, two = words.text(128), words.options(4), LETTERS[:2]
    true_or_false = (Asked(passage + words.text(16) + option, two) for option in options)
    paraphrases = (Asked(passage + words.text(24), options) for _ in range(6))
    p_true = Asked(passage + words.text(32), two)
    return (Asked(passage + words.text(24), options), *true_or_false, p_true, *paraphrases)


# --- measured --------------------------------------------------------------------------------------------------------


class Ours:
    """Doxa's local back end on one of the folders."""

    def __init__(self, folder: Path) -> None:
        from doxa.models.local import LocalModel

        self.model = LocalModel(folder, device="cpu", dtype="float32")
        for tokens in (256, 512, 1024, 2048):  # what is found out once for a model is no part of what is measured
            self.model.sharing(tokens)

    def measure(self, items: Sequence[tuple[Asked, ...]], best: Best) -> list[float]:
        """Ask all items at the same moment, nothing kept before; the log-probabilities in order."""
        self.model.forget()
        clock, cpu = time.perf_counter(), time.process_time()
        found = asyncio.run(self._all(items))
        best.take(time.perf_counter() - clock, time.process_time() - cpu, len(items))
        return [score.logprob for scores in found for score in scores]

    def one_by_one(self, item: tuple[Asked, ...], best: Best) -> None:
        """Ask every continuation of an item alone, one after the other, nothing kept."""
        alone = [(Asked(asked.prompt, (text,)),) for asked in item for text in asked.continuations]
        clock, cpu = time.perf_counter(), time.process_time()
        for asked in alone:
            self.model.forget()
            asyncio.run(self._all([asked]))
        best.take(time.perf_counter() - clock, time.process_time() - cpu, 1)

    async def _all(self, items: Sequence[tuple[Asked, ...]]) -> list[Any]:
        from doxa.records import Prompt

        asked = [a for item in items for a in item]
        return await asyncio.gather(*(self.model.score(Prompt(text=a.prompt), a.continuations) for a in asked))


def rows(args: argparse.Namespace) -> Iterator[Row]:
    import torch

    torch.set_num_threads(args.threads)
    PEER.python(args.env)
    for size in args.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            words = Words(build(Path(folder), size))
            yield from beside_the_peer(size, Path(folder), words, args)
            yield from alone(size, Ours(Path(folder)), words, args)


def beside_the_peer(size: str, folder: Path, words: Words, args: argparse.Namespace) -> Iterator[Row]:
    ours, asked = Ours(folder), tasks(words, 4 if args.quick else args.items)
    # The peer reads fewer of the large items: its rate does not depend on how many there are.
    counts = [max(1, min(len(task.items), args.peer_requests // len(task.pairs(1)))) for task in asked]
    best = [(Best(), Best()) for _ in asked]
    sizes = [list(BATCH_SIZES) for _ in asked]
    apart, version = 0.0, ""
    for _ in range(1 if args.quick else args.turns):
        for task, count, (us, them), batches in zip(asked, counts, best, sizes, strict=True):
            request = {"model": str(folder), "threads": args.threads, "batch_sizes": batches}
            answer = PEER.run(args.env, SCRIPT, {**request, "pairs": task.pairs(count)})
            version = f"lm-eval {answer['version']}"
            fastest = min(answer["turns"], key=lambda turn: turn["clock"])
            batches[:] = [fastest["batch_size"]]  # no other in later turns
            them.take(fastest["clock"], fastest["cpu"], count)
            for _ in range(2):  # ours are short
                found = ours.measure(task.items, us)
            apart = max(apart, *(abs(a - b) for a, b in zip(found, answer["logprobs"], strict=False)))
    for task, (us, them), batches in zip(asked, best, sizes, strict=True):
        yield times(
            f"{size}: {task.name}",
            version,
            1 / us.clock,
            1 / them.clock,
            "items a second",
            task.bound,
            more_is_better=True,
            note=f"CPU time {them.cpu / us.cpu:.1f}x; the peer's batches are of {batches[0]}",
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
    grown = words.items(counts[-1], lambda: words.text(256), 4)
    each = [Best() for _ in counts]
    for _ in range(turns):
        for count, best in zip(counts, each, strict=True):
            ours.measure(grown[:count], best)
    clock, cpu = ([getattr(best, kind) for best in each] for kind in ("clock", "cpu"))
    name = f"{size}: seconds an item for {', '.join(map(str, counts))} items, most over least"
    note = f"CPU time {max(cpu) / min(cpu):.2f}"
    yield at_most(name, max(clock) / min(clock), "", LINEAR, note)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", default=",".join(SIZES), help=f"which Llamas: {', '.join(SIZES)}")
    parser.add_argument("--items", type=int, default=32, help="items of a task (half as many where they are large)")
    parser.add_argument("--peer-requests", type=int, default=40, help="most requests of a task that the peer answers")
    parser.add_argument("--turns", type=int, default=3, help="turns of both sides; the fastest counts")
    parser.add_argument("--threads", type=int, default=2)


if __name__ == "__main__":
    command(rows, __doc__, arguments)
