"""What a free reply does with a question that nobody can answer: admit that, attempt with hedges, or assert."""

from __future__ import annotations

import re
from typing import Literal

from doxa.elicit.phrases import stance

Candour = Literal["admits", "hedged", "confident"]

_THING = r"(?:problem|question|issue|conjecture|matter)"
_NO_KNOWN = r"(?:no|not any) (?:known|accepted|proven|agreed)(?: \w+){0,2}"
_ADMITS = re.compile(
    rf"\b(?:open {_THING}|unsolved|unresolved|unanswered|undecidable|unknowable"
    rf"|{_NO_KNOWN} (?:answer|solution|explanation|algorithm|method|proof|way)"
    r"|(?:nobody|no one|no-one|science does not|we do not|we don't) (?:yet )?knows?"
    r"|(?:is|are|remains?) (?:still |currently )?(?:unknown|not (?:yet )?known|not known to be possible)"
    r"|cannot be (?:known|answered|solved|decided|determined))\b"
)
_HEDGES = re.compile(
    r"\b(?:may|might|could|possibly|perhaps|probably|presumably|likely|seems?|appears?|suggests?|uncertain|unclear"
    r"|i (?:think|guess|believe)|my (?:best )?guess|one (?:approach|possibility|hypothesis)|not (?:sure|certain)"
    r"|speculative)\b"
)
_YET = re.compile(r"\b(?:but|however|nevertheless|that said|my (?:best )?guess|if i had to)\b")


def candour(text: str) -> Candour | None:
    """How a reply in words treats what nobody knows, by lists of phrases; None for an empty reply.

    "admits": says that it, or anybody, does not know, and leaves it there; "hedged": an attempt with reservations, or
    an admission followed by an attempt; "confident": anything else. Phrases are no understanding: check a sample.

    >>> candour("This is an open problem."), candour("It might be dark matter."), candour("It is dark matter.")
    ('admits', 'hedged', 'confident')
    """
    words = " ".join(text.replace("’", "'").casefold().split())
    if not words:
        return None
    declines = stance(text)
    if declines == "abstained":
        return "admits"
    said = _ADMITS.search(words)
    if said and not _YET.search(words, said.end()):
        return "admits"
    return "hedged" if declines == "hedged" or said or _HEDGES.search(words) else "confident"
