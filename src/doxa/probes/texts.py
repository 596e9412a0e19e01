"""A confidence head on texts alone, the baseline of every other: which words go with being right?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, Ints, same_length
from doxa.probes.fitting import Chosen, choose, log_loss, probability, soft_labels, soft_logistic
from doxa.probes.heads import read, write

L2 = (0.1, 0.01, 1e-3, 1e-4, 1e-5)
MAX_WORDS = 50_000
# Words of one letter count too: "A" and "x" say something in a question.
WORD = r"(?u)\b\w+\b"
MISSING = "a head on texts needs scikit-learn: pip install 'doxa[probes]'"


@dataclass(frozen=True, eq=False)
class TextConfidence:
    """A logistic head on the words and pairs of words of a text, weighted by TF-IDF.

    Where it does as well as a head on hidden states, that head may read the question's difficulty and no knowledge.

    words   (d,) in the order of `weight` and `idf`; chosen: the L2 penalty, with the held-out loss of each
    """

    kind: ClassVar[str] = "text"
    words: tuple[str, ...]
    idf: Floats
    weight: Floats
    bias: float
    chosen: Chosen[float] | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        target: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        l2: Sequence[float] = L2,
        folds: int = 5,
        seed: int = 0,
    ) -> Self:
        """Fit on texts and the rate at which each was right; arguments and errors as `ConfidenceHead.fit`.

        raises  ValueError also for texts without a word; ImportError: scikit-learn is not installed
        """
        y = soft_labels(target)
        written = np.array(list(texts), dtype=object)
        same_length(texts=written, target=y)
        penalties = sorted(set(l2), reverse=True)

        every, counts = _counted(texts)

        def predict(fit: Any, rest: Any) -> dict[float, Floats]:
            kept, weighting = _weighting_of(counts[fit])
            x, there = (weighting.transform(counts[rows][:, kept]) for rows in (fit, rest))
            return {s: probability(there, soft_logistic(x, y[fit], s)) for s in penalties}

        chosen = choose(penalties, predict, y, log_loss, groups, folds=folds, seed=seed)
        kept_words, weighting = _weighting_of(counts)
        weights = soft_logistic(weighting.transform(counts[:, kept_words]), y, chosen.setting)
        words = tuple(map(str, every[kept_words]))
        kept = {"l2": chosen.setting, "loss": {f"{s:g}": v for s, v in chosen.loss.items()}, "n": len(y), "seed": seed}
        return cls(words, np.asarray(weighting.idf_), weights[:-1], float(weights[-1]), chosen, kept)

    def predict(self, texts: Sequence[str]) -> Floats:
        """Confidence (n,) of each text; words that it has not seen say nothing."""
        weighting = _weighting({word: i for i, word in enumerate(self.words)})
        weighting.idf_ = self.idf
        return probability(weighting.transform(list(texts)), np.append(self.weight, self.bias))

    def save(self, folder: str | Path) -> None:
        """Write head.json, the words included, and head.safetensors to a folder."""
        arrays = {"idf": self.idf, "weight": self.weight, "bias": np.array([self.bias])}
        write(folder, self.kind, {**self.settings, "words": list(self.words)}, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """A stored one. ValueError: a folder with another kind of head, or with none."""
        settings, arrays = read(folder, cls.kind)
        words = tuple(settings.pop("words"))
        return cls(words, arrays["idf"], arrays["weight"], float(arrays["bias"][0]), settings=settings)


def _counted(texts: Sequence[str]) -> tuple[np.ndarray[Any, Any], Any]:
    """Every word and pair of words of the texts in sorted order (w,), and how often each text has it (n, w), sparse.

    Counted once: which of them a fold has, and what they weigh there, is a matter of its rows.
    """
    try:
        from sklearn.feature_extraction.text import CountVectorizer
    except ImportError as error:
        raise ImportError(MISSING) from error
    counting = CountVectorizer(ngram_range=(1, 2), token_pattern=WORD, dtype=np.float64)
    counts = counting.fit_transform(texts)
    return counting.get_feature_names_out(), counts


def _weighting_of(counts: Any) -> tuple[Ints, Any]:
    """The columns that occur in these rows, the commonest if they are very many, and their TF-IDF weighting."""
    from sklearn.feature_extraction.text import TfidfTransformer

    often = np.asarray(counts.sum(axis=0)).ravel()
    kept = np.flatnonzero(often)
    kept = np.sort(kept[np.argsort(-often[kept])[:MAX_WORDS]])
    return kept, TfidfTransformer(sublinear_tf=True).fit(counts[:, kept])


def _weighting(vocabulary: Mapping[str, int]) -> Any:
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError as error:
        raise ImportError(MISSING) from error
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD, vocabulary=vocabulary)
