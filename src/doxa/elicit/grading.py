"""Is an answer right? Normalised equality with the truth or an accepted spelling; never a search for substrings."""

from __future__ import annotations

import re
import unicodedata

from doxa.elicit.form import answer_kind
from doxa.elicit.replies import number
from doxa.records import LETTERS, Item

# Marks that tell answers apart (C# and C, 50% and 50) stay.
_MEANT = "#%/&@+"
_ARTICLE = re.compile(r"^(?:the|an|a) (?=\S)")
_AS_TRUTH = {"yes": "true", "no": "false"}
_RAISED, _LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
_DIGITS = str.maketrans(_RAISED + _LOWERED, "0123456789" * 2)


def normalised(text: str) -> str:
    """A key that is equal for spellings of one answer.

    Numbers: their canonical form ("1,200.0" is "1200"). Other text: case, diacritics of Latin, Greek and Cyrillic
    letters, a leading article, punctuation and spacing are dropped; signs and points of numbers stay.

    >>> normalised("The Zürich.") == normalised("zurich"), normalised("-5 °C") == normalised("5 °C")
    (True, False)
    """
    exact = number(text)
    if exact is not None and not text.strip().startswith(("$", "€", "£", "¥")) and "%" not in text:
        return exact
    folded = unicodedata.normalize("NFD", text.casefold())
    folded = re.sub(f"[{_RAISED}]+", lambda run: "^" + run[0].translate(_DIGITS), folded).translate(_DIGITS)
    plain = "".join(c for c in folded if not "\u0300" <= c <= "\u036f")
    plain = re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))", "", plain.replace("−", "-"))
    plain = re.sub(r"(?<=[0-9]),(?=[0-9])", ".", plain)
    kept = "".join(_kept(plain, i) for i in range(len(plain)))
    return _ARTICLE.sub("", " ".join(kept.split())) or text.strip().casefold()


def _kept(text: str, i: int) -> str:
    """A character of the key: itself, a space for punctuation between words, nothing for full stops and apostrophes."""
    mark, before, after = text[i], text[i - 1 : i], text[i + 1 : i + 2]
    if not unicodedata.category(mark).startswith("P") or mark in _MEANT:
        return mark
    decimal = mark == "." and (before.isdigit() or not before.isalnum())
    minus = mark == "-" and not before.isalnum()
    if after.isdigit() and (decimal or minus):
        return mark
    return "" if mark in ".'’‘" else " "


def is_correct(value: str | None, item: Item) -> bool:
    """Whether a canonical answer is the item's truth or one of its accepted spellings.

    For an item with options a single letter is the option it stands for (as the options are shown), other text is
    an option's own text. "yes" and "no" are "true" and "false" for a statement. None, an unread answer, is not right:
    count those apart.

    Raises ValueError: the item's truth is not known, so that nothing can be right or wrong.
    """
    if item.answer is None:
        raise ValueError(f"item {item.id!r} has no known answer; leave it out of grading, or count admissions instead")
    if value is None:
        return False
    kind = answer_kind(item)
    if kind == "choice" and len(value) == 1 and value in LETTERS[: len(item.options)]:
        value = item.options[LETTERS.index(value)]
    key = _amount if kind == "number" else normalised
    said, right = key(value), {key(text) for text in (item.answer, *item.accepted)}
    return said in right or (kind == "statement" and _AS_TRUTH.get(said, said) in right)


def _amount(text: str) -> str:
    """A number without its unit sign ("$50" and "50%" are 50), because the question gives the unit."""
    return number(text) or normalised(text)
