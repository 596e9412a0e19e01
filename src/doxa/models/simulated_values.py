"""An item as a simulated respondent sees it: its values, their meanings; randomness that depends on keys alone."""

from __future__ import annotations

import hashlib
import math
import re
import struct
import threading
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import numpy as np

from doxa.records import Item

Key = tuple[Any, ...]

_ADMISSION = re.compile(r"i (do not|don.?t) know\b|no one knows|nobody knows|it is not known", re.IGNORECASE)
_MEANING = {"true": "true", "yes": "true", "false": "false", "no": "false"}
_BITS = 2.0**-53
_EIGHT = struct.Struct("<8Q")


# --- logits -----------------------------------------------------------------------------------------------------------


def softmax(logits: Sequence[float]) -> list[float]:
    """Probabilities of logits, (c,)."""
    top = max(logits)
    weights = [math.exp(z - top) for z in logits]
    total = sum(weights)
    return [w / total for w in weights]


def log(p: float) -> float:
    """Natural logarithm; -inf for 0."""
    return math.log(p) if p > 0 else -math.inf


# --- randomness that depends on what is asked, and on nothing else ----------------------------------------------------


def uniforms(count: int, *key: Any) -> list[float]:
    """`count` numbers in (0, 1) that depend on the key alone: the same in any order, process or version of Python."""
    text = "\x1f".join(map(str, key)).encode()
    found: list[float] = []
    while len(found) < count:
        block = hashlib.blake2b(text, digest_size=64, salt=len(found).to_bytes(8, "little")).digest()
        found += [((bits >> 11) + 0.5) * _BITS for bits in _EIGHT.unpack(block)]
    return found[:count]


def normals(count: int, *key: Any) -> list[float]:
    """`count` standard normal numbers that depend on the key alone (Box and Muller)."""
    u = uniforms(2 * count, *key)
    return [math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b) for a, b in zip(u[::2], u[1::2], strict=True)]


def mark(text: str) -> str:
    """A short mark of a text, to stand for it in keys."""
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


class _Philox(threading.local):
    """One generator for each thread: setting its place is many times faster than making another one."""

    def __init__(self) -> None:
        self.bits = np.random.Philox(key=0)
        self.start = self.bits.state
        self.generator = np.random.Generator(self.bits)


_PHILOX = _Philox()


def generator(*key: Any) -> np.random.Generator:
    """A NumPy generator that depends on the key alone: Philox from its beginning.

    It is the thread's own and only one: draw from it before the next call of this function sets it anew.
    """
    text = "\x1f".join(map(str, key)).encode()
    halves = np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), "<u8").astype(np.uint64)
    _PHILOX.bits.state = {**_PHILOX.start, "state": {**_PHILOX.start["state"], "key": halves}}
    return _PHILOX.generator


# --- an item as a respondent sees it ----------------------------------------------------------------------------------


def is_admission(text: str | None) -> bool:
    """Whether an option, or a right answer, says that it is not known."""
    return text is not None and _ADMISSION.match(text.strip()) is not None


def unknowable(item: Item) -> bool:
    """Whether nobody can know: no truth, or the right option is the admission."""
    return item.answer is None or is_admission(item.answer) or "unknowable" in item.tags


def is_binary(item: Item) -> bool:
    """Whether the item is true or false (or yes or no) without lettered options."""
    return not item.options and (
        item.kind == "statement" or meaning(item.answer) is not None or "probability" in item.fields
    )


def is_closed(item: Item) -> bool:
    """Whether there is no answer but the item's own values."""
    return bool(item.options) or is_binary(item)


def values(item: Item) -> tuple[str, ...]:
    """What a respondent may answer: the options' texts; "true" and "false"; or the truth and three wrong answers.

    Wrong answers to an open question come from Item.fields["wrong"], else they are near numbers or made-up names.
    """
    if item.options:
        return item.options
    if is_binary(item):
        return ("true", "false")
    answer = canonical(item)
    truth = (answer,) if answer is not None else ()
    wrong = item.fields.get("wrong") or _made_up(item.kind, item.cluster, item.answer, answer)
    return (*truth, *(str(w) for w in wrong if str(w) != answer))


def truth_of(item: Item) -> str | None:
    """The right one among `values(item)`; None: not known."""
    return meaning(item.answer) if is_binary(item) else canonical(item)


def meaning(word: str | None) -> str | None:
    """ "true" for true and yes, "false" for false and no, None for any other word."""
    return _MEANING.get(word.strip().lower()) if word else None


def canonical(item: Item) -> str | None:
    """The answer as forms write it: numbers without separators and trailing zeros."""
    if item.kind != "number" or item.options or item.answer is None:
        return item.answer
    try:
        text = format(Decimal(item.answer.replace(",", "").strip()), "f")
    except InvalidOperation:
        return item.answer
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=4096)
def _made_up(kind: str, cluster: str, answer: str | None, number: str | None) -> tuple[str, ...]:
    """Three wrong answers that fit: numbers beside the truth, or names that nothing has."""
    draws, number = uniforms(12, "made-up", cluster, answer), number or ""
    if kind == "number" or re.fullmatch(r"-?\d+", number):
        centre = int(float(number)) if re.fullmatch(r"-?\d+(\.\d+)?", number) else 10 + int(90 * draws[9])
        steps = sorted(range(-9, 0), key=lambda step: draws[step + 9])[:3]
        return tuple(str(centre + (step if u < 0.5 else -step)) for step, u in zip(steps, draws[9:], strict=True))
    heads, tails = ("Vel", "Tor", "Mar", "Zan", "Kor", "Bre", "Lum", "Dra"), ("mora", "vik", "daria", "lun", "tesh")
    triples = (draws[j : j + 3] for j in range(0, 12, 3))
    names = dict.fromkeys(heads[int(8 * a)] + tails[int(5 * b)] + "aeiou"[int(5 * c)] for a, b, c in triples)
    return tuple(names)[:3]
