"""How far two texts are apart: the angle between counts of their words and letters, hashed to a fixed width."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, whole

WIDTH = 2048
_WORD = re.compile(r"\w+", re.UNICODE)


def hashed_ngrams(texts: Sequence[str], *, width: int = WIDTH) -> Floats:
    """Vectors (n, width) of length 1: square roots of how often each word, pair of words and letter triple occurs.

    Case, punctuation and spacing do not count. The same text gives the same vector on every machine, no model is
    needed; texts that say the same in other words are far apart, which a sentence encoder would see.

    texts    (n,)
    width    places that n-grams are hashed to; two that meet in one place are taken for each other
    returns  a row of nan for a text without a word
    source   hashing: Weinberger et al. 2009, arXiv 0902.2206

    >>> vectors = hashed_ngrams(["The sky is blue.", "the sky is blue", "Quorum"])
    >>> np.round(cosine_distance(vectors[:1], vectors), 2).tolist()
    [0.0, 0.0, 1.0]
    """
    made = np.zeros((len(texts), whole("width", width)))
    for row, text in enumerate(texts):
        places = [crc32(gram.encode()) % width for gram in _grams(text)]
        made[row] = np.sqrt(np.bincount(places, minlength=width)) if places else np.nan
    return unit(made)


def _grams(text: str) -> Iterator[str]:
    words = _WORD.findall(text.casefold())
    yield from (f"w {word}" for word in words)
    yield from (f"p {a} {b}" for a, b in pairwise(words))
    for word in words:
        edged = f"<{word}>"
        yield from (f"c {edged[i : i + 3]}" for i in range(len(edged) - 2))


def unit(vectors: ArrayLike) -> Floats:
    """Rows (n, d) divided by their lengths; a row of zeros has no direction and becomes nan."""
    rows = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=np.full_like(rows, np.nan), where=length > 0)


def cosine_distance(a: ArrayLike, b: ArrayLike) -> Floats:
    """1 - cosine (n,) of rows of length 1, in [0, 2]: 0 for equal ones, 1 for orthogonal ones; nan where one is nan.

    >>> cosine_distance([[1, 0], [1, 0]], [[1, 0], [0, 1]]).tolist()
    [0.0, 1.0]
    """
    dot = (np.asarray(a, dtype=np.float64) * np.asarray(b, dtype=np.float64)).sum(axis=-1)
    return np.asarray(np.clip(np.round(1 - dot, 12), 0.0, 2.0))


def first_words(text: str, n: int) -> str:
    """The first n words of a text.

    >>> first_words("one two three", 2)
    'one two'
    """
    return " ".join(text.split()[:n])
