"""Published figures of Kadavath et al. 2022 (arXiv 2207.05221, 52B unless said), by the estimate they stand beside."""

from __future__ import annotations

from collections.abc import Iterator

AREA, BRIER = "AUROC, P(IK)", "Brier, P(IK)"
NEW_AREA, NEW_BRIER = (f"{name}, kinds not trained on" for name in (AREA, BRIER))

_ONE, _MOST = "trained on TriviaQA alone", "trained on all but GSM8K"
_SETS = {
    "TriviaQA": ((0.864, 0.151), (0.873, 0.145)),
    "Arithmetic": ((0.928, 0.194), (0.987, 0.042)),
    "Lambada": ((0.606, 0.431), (0.853, 0.108)),
    "Python synthesis": ((0.687, 0.164), (0.881, 0.109)),
    "GSM8K": ((0.624, 0.200), (0.752, 0.121)),
}


def _trained() -> Iterator[tuple[str, float, str]]:
    for name, figures in _SETS.items():
        for trained, (area, brier) in zip((_ONE, _MOST), figures, strict=True):
            new = name == "GSM8K" or (trained == _ONE and name != "TriviaQA")
            yield (NEW_AREA if new else AREA, area, f"{name}, head and whole model {trained}")
            yield (NEW_BRIER if new else BRIER, brier, f"{name}, head and whole model {trained}")


# (estimate, value, setting)
PUBLISHED: tuple[tuple[str, float, str], ...] = (
    *_trained(),
    ("P(IK) gained by its source", 0.60, "one obscure question, with a relevant article: from 18 % to 78 %"),
    ("P(IK) where only it answers", 0.463, "12B, model A, questions that only A answers"),
    ("the other's P(IK) where only it answers", 0.408, "12B, model B, questions that only A answers"),
    ("P(IK) where only the other answers", 0.409, "12B, model A, questions that only B answers"),
    ("the other's P(IK) where only the other answers", 0.477, "12B, model B, questions that only B answers"),
)
