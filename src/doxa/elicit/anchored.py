"""Log-probabilities of answer letters out of a reply's tokens: at the token behind the key that announces it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from doxa.records import Token

ANCHOR, NEAR = "final", 12
PUNCTUATION = "\"'`.,:;()[]{}*_-"


def letter_logprobs(
    tokens: Sequence[Token],
    letters: Sequence[str],
    *,
    anchor: str = ANCHOR,
    pool: Literal["sum", "max"] = "sum",
) -> np.ndarray | None:
    """Log-probability (c,), nats, of each letter where the answer is given; minus infinity: not among the top ones.

    The place is the first token that is one letter alone, at most twelve tokens behind the first token that reads as
    the anchor and is a key (a colon follows; the word inside an explanation is none); without a key, behind the first
    that reads so; without an anchor, the place where the letters have most mass. There the top tokens that read as a
    letter are pooled, each text once, with its best value.

    pool     "sum": the logarithm of the summed probabilities; "max": the best one
    returns  None: the tokens have no top log-probabilities, or no letter is anywhere
    source   YusufCelebii/PARROT (log-probability tracking)

    >>> a = Token("A", -1.0, (("A", -1.0), (" A", -2.0), ("B", -3.0)))
    >>> letter_logprobs([Token("final", 0.0), Token('":"', 0.0), a], "AB").round(4).tolist()
    [-0.6867, -3.0]
    """
    letters = tuple(letters)
    at = [_pooled(token, letters, pool) for token in tokens]
    anchors = [i for i, token in enumerate(tokens) if _bare(token.text).lower() == anchor]
    if anchors:
        start = next((i for i in anchors if _is_key(tokens, i)), anchors[0])
        for i in range(start + 1, min(start + 1 + NEAR, len(tokens))):
            if _bare(tokens[i].text).upper() in letters:
                return at[i]
    known = [masses for masses in at if masses is not None]
    if not known:
        return None
    return max(known, key=lambda masses: float(np.logaddexp.reduce(masses)))


def _is_key(tokens: Sequence[Token], place: int) -> bool:
    """Whether a colon follows the token, behind a closing quotation mark at most."""
    behind = "".join(token.text for token in tokens[place : place + 4])
    return re.match(r"\W*?\w+[\"'”]?\s*:", behind) is not None


def _bare(text: str) -> str:
    return text.strip().strip(PUNCTUATION).strip()


def _pooled(token: Token, letters: Sequence[str], pool: str) -> np.ndarray | None:
    best: dict[str, float] = {}
    for text, logprob in token.top or ((token.text, token.logprob),):
        best[text] = max(logprob, best.get(text, -math.inf))
    found = np.full(len(letters), -np.inf)
    for text, logprob in best.items():
        letter = _bare(text).upper()
        if letter in letters:
            place = list(letters).index(letter)
            found[place] = np.logaddexp(found[place], logprob) if pool == "sum" else max(found[place], logprob)
    return found if np.isfinite(found).any() else None
