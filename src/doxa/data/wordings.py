"""Other texts that ask the same: listed with an item, the bank's own wordings of a fact, or those of a sum."""

from __future__ import annotations

import re
from collections.abc import Iterable

from doxa.data.render import ask, paraphrases
from doxa.records import DoxaError, Item

COLUMN = "paraphrases"
_SUM = re.compile(r"What is (.+)\?")
_OF_A_SUM = ("What is {}?", "Calculate {}.", "How much is {}?", "Work out {}.", "Find the value of {}.")


def wordings(item: Item, column: str = COLUMN) -> tuple[str, ...]:
    """Distinct texts that ask the same as the item, its own first; only that one where no others are known.

    column  entry of Item.fields that lists paraphrases: a list, or one text with "|" between them
    raises  DoxaError: an entry that is neither

    >>> wordings(Item("1", "What is 4 + 3?", "number", fields={"family": "arithmetic"}))[:3]
    ('What is 4 + 3?', 'Calculate 4 + 3.', 'How much is 4 + 3?')
    """
    listed = item.fields.get(column)
    if listed is not None and listed != "":
        return _distinct(item.text, _texts(item, column, listed))
    if "fact" in item.fields and "relation" in item.fields and item.kind in ("open", "choice"):
        relation, subject = item.fields["relation"], item.fields["subject"]
        return _distinct(item.text, (ask(relation, subject, i) for i in range(paraphrases(relation)[0])))
    found = _SUM.fullmatch(item.text) if item.fields.get("family") == "arithmetic" else None
    return _distinct(item.text, (text.format(found[1]) for text in _OF_A_SUM) if found else ())


def _texts(item: Item, column: str, listed: object) -> list[str]:
    parts = listed.split("|") if isinstance(listed, str) else listed
    if not isinstance(parts, Iterable) or not all(isinstance(part, str) for part in parts):
        raise DoxaError(
            f"item {item.id!r}, {column!r}: {listed!r} is no list of paraphrases; write a list of texts, or a|b in a "
            "cell, or leave it empty for the model to reword the question"
        )
    return [part.strip() for part in parts if part.strip()]


def _distinct(own: str, others: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((own, *others)))
