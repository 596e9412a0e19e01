"""Items like this one: the nearest by their text, never one of the item's own group."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from doxa.records import DoxaError, Item

Encode = Callable[[Sequence[str]], Any]
"""Texts to one vector each, an array (n, d)."""
Text = Callable[[Item], str]

DECIMALS = 9  # of a distance: those that differ by less differ by rounding, and are tied
ROWS_AT_ONCE = 512


class Near(NamedTuple):
    """An item of the pool and its distance, 1 - cosine: 0 the same words, 1 nothing in common."""

    item: Item
    distance: float


def item_text(item: Item) -> str:
    """The question alone: options and answers are no part of what makes items similar."""
    return item.text


class Similar:
    """A pool of items to be searched by text.

    pool    items that may be retrieved, such as those of the training part of a split
    encode  texts to vectors (`sentence_encoder`); None: words and pairs of words, weighted by TF-IDF over the pool
    text    what of an item is compared

    The same pool and item give the same answer, in whatever order the pool stands: ties go to the smaller id.

    Raises ValueError: an empty pool, two items with one id, an encoder that gives no array (n, d); DoxaError:
    scikit-learn is needed and not installed.

    >>> pool = [Item("a", "What is the capital of France?"), Item("b", "Who wrote Faust?"),
    ...     Item("c", "What is the capital of Peru?", group="peru")]
    >>> [near.item.id for near in Similar(pool).nearest(Item("q", "What is the capital of Chad?"), 2)]
    ['a', 'c']
    """

    def __init__(self, pool: Sequence[Item], *, encode: Encode | None = None, text: Text = item_text) -> None:
        self.pool = sorted(pool, key=lambda item: item.id)
        ids = [item.id for item in self.pool]
        if not ids or len(set(ids)) < len(ids):
            raise ValueError(f"the pool has {len(ids)} items with {len(set(ids))} ids; give at least one, each once")
        self._text = text
        texts = [text(item) for item in self.pool]
        self._encode = encode or _words(texts)
        self._vectors = self._unit(texts)
        self._code = {group: code for code, group in enumerate(dict.fromkeys(item.cluster for item in self.pool))}
        self._group_n = np.array([self._code[item.cluster] for item in self.pool])
        self._place = {id: place for place, id in enumerate(sorted(ids))}

    def nearest(self, item: Item, k: int) -> list[Near]:
        """The k nearest items of other groups, nearest first. ValueError as `nearest_each`."""
        return self.nearest_each([item], k)[0]

    def nearest_each(self, items: Sequence[Item], k: int) -> list[list[Near]]:
        """For each item the k nearest of other groups than its own (and with another id), nearest first.

        raises  ValueError: k below 1, or fewer than k items of other groups in the pool
        """
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least 1 similar item")
        found: list[list[Near]] = []
        for begin in range(0, len(items), ROWS_AT_ONCE):
            part = items[begin : begin + ROWS_AT_ONCE]
            cosines = self._unit([self._text(item) for item in part]) @ self._vectors.T
            dense = cosines.toarray() if hasattr(cosines, "toarray") else np.asarray(cosines)
            found += [self._chosen(item, row, k) for item, row in zip(part, dense, strict=True)]
        return found

    def _chosen(self, item: Item, cosine: np.ndarray, k: int) -> list[Near]:
        apart = np.round(1 - cosine, DECIMALS)
        own = self._group_n == self._code.get(item.cluster, -1)
        if item.id in self._place:
            own[self._place[item.id]] = True
        if (there := int((~own).sum())) < k:
            raise ValueError(
                f"k is {k}, but the pool has {there} items outside the group of {item.id!r}; ask for fewer"
            )
        order = np.argsort(np.where(own, np.inf, apart), kind="stable")[:k]
        return [Near(self.pool[i], max(float(apart[i]), 0.0)) for i in order]

    def _unit(self, texts: Sequence[str]) -> Any:
        """Vectors (n, d) of length 1; those of no length stay, and have nothing in common with any."""
        vectors = self._encode(texts)
        if getattr(vectors, "ndim", 0) != 2 or vectors.shape[0] != len(texts):
            raise ValueError(
                f"encode gave {getattr(vectors, 'shape', type(vectors))} for {len(texts)} texts, not (n, d)"
            )
        if hasattr(vectors, "toarray"):  # TF-IDF rows are sparse, and of length 1 already
            return vectors
        array = np.asarray(vectors, dtype=np.float64)
        length = np.linalg.norm(array, axis=1, keepdims=True)
        return np.divide(array, length, out=np.zeros_like(array), where=length > 0)


def _words(texts: Sequence[str]) -> Encode:
    """TF-IDF weights learnt on the pool: words of one letter count, too, and case does not."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError as error:
        raise DoxaError("similar items are found with scikit-learn: pip install 'doxa[probes]'") from error
    weighting = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        weighting.fit(list(texts))
    except ValueError as error:
        raise ValueError(f"the {len(texts)} texts of the pool hold no word, e.g. {texts[0]!r}: {error}") from error
    return weighting.transform


def sentence_encoder(name: str = "sentence-transformers/all-MiniLM-L6-v2", *, device: str | None = None) -> Encode:
    """An encoder of sentences for `Similar`, from a folder or a hub id; weights are read from safetensors only.

    raises  DoxaError: sentence-transformers is not installed
    """
    try:
        encoders: Any = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise DoxaError("a sentence encoder needs sentence-transformers: pip install 'doxa[encode]'") from error
    model = encoders.SentenceTransformer(name, device=device, model_kwargs={"use_safetensors": True})

    def encode(texts: Sequence[str]) -> np.ndarray:
        return np.asarray(model.encode(list(texts), show_progress_bar=False))

    return encode
