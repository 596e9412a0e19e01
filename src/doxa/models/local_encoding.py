"""Texts to token ids; long texts piece by piece, where no token can reach across, so that what recurs is met once."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any

# Pieces have at least so many characters; so many of them are remembered.
PIECE, REMEMBERED = 256, 8192
# So many long texts are encoded in both ways; a difference ends the use of pieces.
COMPARED = 8
# A piece may end where a word does and a space with a letter follows; the space belongs to the next piece.
END = re.compile(r"(?<=[A-Za-z0-9.,;:?!])(?= [A-Za-z])")
# How vocabularies write a space.
SPACES = " \u0120\u2581"
# Before every piece but a text's first, so that the tokenizer does not take it for a beginning.
ANCHOR = "a"
SAMPLE = (
    'It was 1789, or 1,790? "Neither," she said; they\'d asked 12 times. Na\u00efve caf\u00e9s \u2014 all 3.5 of them! '
    "def f(x): return x  # two  spaces\n\n- item one\n- item two:\tCO2, H2O; e.g. x = y * 2 and more of the same, "
    "so that there is something to part here as well, and a last word or two to end with. "
)


class Encoder:
    """Token ids of texts, without special tokens of the tokenizer's own; those in the text are read.

    In most vocabularies no token goes on behind a space that follows something else. A text can be cut before such a
    space then, and its tokens are those of the pieces: merges never cross the cut, on whichever side they start.
    Vocabularies are looked through for exceptions, and the first long texts are encoded in both ways.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._in_pieces: bool | None = None  # None: not known yet
        self._compared = 0
        self._anchor: list[int] = []
        self._known: OrderedDict[tuple[str, str], list[int]] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        if self._in_pieces is False or all(len(text) < 2 * PIECE for text in texts):
            return self._whole(texts)
        if self._in_pieces is None:
            self._anchor = self._whole([ANCHOR])[0]
            self._in_pieces = parts(self._tokenizer) and self._joined([SAMPLE * 4]) == self._whole([SAMPLE * 4])
            return self.encode(texts)
        found = self._joined(texts)
        if self._compared < COMPARED:
            self._compared += 1
            if (whole := self._whole(texts)) != found:
                self._in_pieces = False
                return whole
        return found

    def _whole(self, texts: Sequence[str]) -> list[list[int]]:
        encoded = self._tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)
        return [list(ids) for ids in encoded["input_ids"]]

    def _joined(self, texts: Sequence[str]) -> list[list[int]]:
        cut = [[("" if i == 0 else ANCHOR, piece) for i, piece in enumerate(pieces(text))] for text in texts]
        new = list(dict.fromkeys(piece for text in cut for piece in text if piece not in self._known))
        found = self._whole([before + piece for before, piece in new]) if new else []
        for (before, piece), ids in zip(new, found, strict=True):
            self._known[before, piece] = ids[len(self._anchor) :] if before else ids
        joined = []
        for text in cut:
            for key in text:
                self._known.move_to_end(key)
            joined.append([token for key in text for token in self._known[key]])
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return joined


def pieces(text: str) -> Iterator[str]:
    """The text cut where a word ends, into pieces of `PIECE` characters or a little more; together they are the text.

    Where it is cut depends on what stands before alone: texts that begin alike are cut alike.
    """
    start = 0
    while end := END.search(text, start + PIECE):
        yield text[start : end.start()]
        start = end.start()
    yield text[start:]


def parts(tokenizer: Any) -> bool:
    """Whether a text's tokens are those of its pieces, as far as a look at the tokenizer can tell."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or type(backend.model).__name__ != "BPE":
        return False  # (the likeliest pieces of a unigram model: between equally likely ones rounding decides)
    vocabulary = tokenizer.get_vocab()
    across = re.compile(rf"[A-Za-z0-9.,;:?!][{SPACES}]")
    if not any(space in vocabulary for space in SPACES) or across.search("\n".join(vocabulary)):
        return False
    for token in tokenizer.added_tokens_decoder.values():
        takes_before = token.lstrip and token.content[:1].isalpha()
        takes_after = token.rstrip and END.search(f"{token.content} a") is not None
        if takes_before or takes_after or across.search(token.content):
            return False
    return True
