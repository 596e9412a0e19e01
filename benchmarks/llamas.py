"""Llamas with random weights, their tokenizer, texts of so many tokens, and turns taken with them: what scoring,
generation and states measure with."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Shape:
    """A Llama: its vocabulary, widths and layers; spread: the standard deviation of its weights."""

    vocabulary: int
    width: int
    inner: int
    layers: int
    heads: int = 8
    shared: int = 8  # heads of keys and values
    spread: float = 0.1
    tied: bool = True

    @property
    def flops(self) -> float:
        """Floating-point operations of the blocks for a token, but for attention to other tokens."""
        keys = self.width * self.shared // self.heads
        return 2 * self.layers * (2 * self.width * (self.width + keys) + 3 * self.width * self.inner)

    @property
    def seen_flops(self) -> float:
        """Of attention, for each token that a token sees."""
        return 4 * self.layers * self.width


PEERED = "8M,42M"  # those that peers are asked about
SHAPES = {
    "tiny": Shape(1024, 64, 176, 2),
    "8M": Shape(8192, 256, 704, 7),
    "42M": Shape(16384, 512, 1408, 10),
    "1B": Shape(32000, 2048, 5632, 22, heads=32, shared=4, spread=0.03, tied=False),
    "7B": Shape(32000, 4096, 11008, 32, heads=32, shared=32, spread=0.025, tied=False),
}
POSITIONS = 2048


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of every script that asks these."""
    parser.add_argument("--models", default=PEERED, help=f"which Llamas: {', '.join(SHAPES)}")
    parser.add_argument("--turns", type=int, default=3, help="turns of both sides; the fastest counts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", help="cpu or cuda: no peers, absolute figures on this device")
    parser.add_argument("--dtype", default="float32", help="of the weights, with --device")


def build(folder: Path, size: str, device: str = "cpu", dtype: str = "float32") -> Words:
    """Save a Llama, whose weights are drawn on the device, with its tokenizer; gives its words."""
    import torch
    import transformers

    shape = SHAPES[size]
    tokenizer, words = made_tokenizer(shape.vocabulary)
    config = transformers.LlamaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.width, intermediate_size=shape.inner,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.shared,
        max_position_embeddings=POSITIONS, tie_word_embeddings=shape.tied, initializer_range=shape.spread,
        bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Words(words)


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
    backend.train_from_iterator((line + " A B C D" for line in lines), trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    ids = tokenizer([f" {word}" for word in words], add_special_tokens=False)["input_ids"]
    return tokenizer, [word for word, found in zip(words, ids, strict=True) if len(found) == 1]


@dataclass
class Words:
    """Texts of so many tokens."""

    words: Sequence[str]
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def text(self, tokens: int) -> str:
        return "".join(f" {word}" for word in self.rng.choices(self.words, k=tokens))

    def texts(self, count: int, least: int, most: int) -> list[str]:
        """Texts of `least` to `most` tokens, as many of each length as of any other."""
        return [self.text(self.rng.randint(least, most)) for _ in range(count)]


@dataclass
class Best:
    """The fastest turn so far: seconds of the clock and of the CPU, for one item."""

    clock: float = float("inf")
    cpu: float = float("inf")

    def take(self, clock: float, cpu: float, items: int) -> None:
        self.clock, self.cpu = min(self.clock, clock / items), min(self.cpu, cpu / items)

    @contextmanager
    def turn(self, items: int) -> Iterator[None]:
        """Measure what is done inside."""
        clock, cpu = time.perf_counter(), time.process_time()
        yield
        self.take(time.perf_counter() - clock, time.process_time() - cpu, items)


def opened(folder: Path, device: str = "cpu", dtype: str = "float32") -> Any:
    """Doxa's local model. What it finds out once about a network is no part of what is measured: it is asked here."""
    from doxa.models.local import LocalModel

    model = LocalModel(folder, device=device, dtype=dtype)
    for tokens in (64, 128, 256, 512, 1024, POSITIONS):
        model.sharing(tokens)
    return model


@dataclass
class Answered:
    """The turns of a peer that answers one task: at first in batches of every size it is given, then of the fastest."""

    sizes: Sequence[int]
    best: Best = field(default_factory=Best)

    def take(self, answer: Mapping[str, Any], items: int) -> None:
        """Take over the times of an answer with "turns" of "batch_size", "clock" and "cpu"."""
        fastest = min(answer["turns"], key=lambda turn: turn["clock"])
        self.sizes = [fastest["batch_size"]]
        self.best.take(fastest["clock"], fastest["cpu"], items)
