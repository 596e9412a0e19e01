"""The organisms' tokenizer: byte-level BPE on the fact bank, with the fixed lines of the prompts as single tokens.

A model of a few million parameters should spend itself on facts, not on reading the same instructions again:
lines that are the same in every prompt of a form become one token each. Everything else is ordinary BPE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL = ("<|pad|>", "<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
PAD, BEGIN, END = SPECIAL[:3]
SHORTEST_PHRASE = 4

CHAT_TEMPLATE = (
    "{{ '<|begin|>' }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}"
    "{% if m['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def fixed_lines(texts: Sequence[str]) -> list[str]:
    """Lines that all texts of one form share, each with its line break when something follows it.

    >>> fixed_lines(["Answer the question.\\nOne?\\n", "Answer the question.\\nTwo?\\n"])
    ['Answer the question.\\n']
    """
    shared = set.intersection(*(set(text.splitlines(keepends=True)) for text in texts))
    return sorted(line for line in shared if len(line.strip()) >= SHORTEST_PHRASE)


def train_tokenizer(corpus: Iterable[str], phrases: Iterable[str], vocabulary: int) -> Tokenizer:
    """Byte-level BPE over `corpus`, with special tokens first and `phrases` added as tokens at the end.

    A space is put before every stretch of text, so that "Paris" at the start of a reply is the token of " Paris"
    inside a sentence; the decoder takes the first one away again.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.Strip(" ", 1, 0)])
    added = sorted(set(phrases), key=lambda p: (-len(p), p))
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(added),
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_tokens(added)
    return tokenizer


def wrap(tokenizer: Tokenizer) -> Any:
    """The tokenizer as Transformers loads it, with the chat template."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BEGIN,
        eos_token=END,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
        padding_side="left",
    )
