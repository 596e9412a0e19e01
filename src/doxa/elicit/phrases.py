"""Phrases with which a reply refuses or admits not to know. Read at the start of a reply only, never inside an answer."""

from __future__ import annotations

import re
from typing import Literal

REFUSAL = "I cannot answer that."
ABSTENTION = "I do not know."

Stance = Literal["refused", "abstained", "hedged"]

# What may stand before the phrase without changing it.
_LEAD = (
    r"(?:(?:i am |i'm )?(?:so |very |really )?(?:sorry|afraid)|i apologi[sz]e|my apologies|unfortunately|honestly|frankly|well|hm+|"
    r"to be honest|the (?:short |honest )?answer is|(?:final )?answer\s*:|as an? (?:ai|artificial intelligence|"
    r"(?:large )?language model)[^,.;]*)[\s,.:;—–-]*(?:but |that )?"
)
_DO = (
    r"(?:answer|help|assist|comply|provide|discuss|comment|fulfil+|participate|engage|respond|complete|share|offer|"
    r"give (?:you )?(?:an? )?(?:answer|advice|opinion)|do (?:that|this|so)|continue|support|make (?:such|this|that))\b"
)
_CANNOT = r"(?:cannot|can't|can not|could not|couldn't|won't|will not|am unable to|'m unable to|am not able to|'m not able to)"

REFUSALS = (
    rf"i\s?{_CANNOT} {_DO}",
    rf"i (?:must |have to |respectfully )*(?:decline|refuse)(?: to {_DO}|[.!]|$)",
    rf"i(?:'d| would) (?:rather|prefer) not(?: to)? (?:say|{_DO})",
    rf"i prefer not to (?:say|{_DO})",
    r"i\s?(?:am|'m) not (?:comfortable|allowed|permitted|willing)\b",
    r"it (?:is|would be|would not be|is not) (?:in)?appropriate (?:for me )?to\b",
)

# After the phrase: the end, or what is not known. "I do not know a finer city than Paris" is an answer.
_OF = r"(?= *(?:[.!?,;:—–-]|$)|,? (?:the|that|this|it|what|who|whom|whose|when|where|which|why|how|if|whether|for|about|enough|based|from|with|because|since|but|yet|at|as|so|sorry|either)\b)"
_END = r"(?= *(?:[.!?,;:—–-]|$))"

ABSTENTIONS = (
    rf"i (?:do not|don't|dont|did not|didn't|really don't|really do not|simply do not|just don't) (?:actually |really )?know{_OF}",
    rf"i (?:do not|don't) have (?:enough|sufficient|any|an|the) (?:information|data|knowledge|idea|answer|context|details)\b",
    rf"i (?:have|'ve) no (?:idea|clue|way of knowing|information|knowledge){_OF}",
    rf"i(?:'ve| have) (?:absolutely )?no idea{_OF}",
    rf"i(?: am|'m) (?:not|really not|quite not) (?:at all )?(?:sure|certain|aware){_OF}",
    rf"i(?: am|'m) (?:unsure|uncertain){_OF}",
    rf"i (?:cannot|can't|can not|could not|couldn't) (?:know|determine|tell|say|be (?:sure|certain)|recall|remember|verify){_OF}",
    rf"(?:this|that|it|the answer|the question) (?:is|remains) (?:not known|unknown|unknowable|undetermined|unclear){_END}",
    rf"(?:this|that|it|the answer) (?:cannot|can't|can not) be (?:known|determined|answered){_OF}",
    rf"(?:cannot|can't) be (?:known|determined){_END}",
    rf"there is (?:not enough|insufficient|no) (?:information|data|way (?:to|of) know(?:ing)?)\b",
    rf"(?:not enough|insufficient) (?:information|data){_OF}",
    rf"(?:nobody|no one|no-one) (?:can )?knows?{_END}",
    rf"(?:no idea|no clue|not sure|not certain|unsure|unknown|unknowable|idk|dunno|i dunno|don't know|do not know){_END}",
)

_REFUSED = re.compile(rf"(?:{_LEAD})*(?:{'|'.join(REFUSALS)})")
_ABSTAINED = re.compile(rf"(?:{_LEAD})*(?:{'|'.join(ABSTENTIONS)})")
_YET_ANSWERS = re.compile(
    r"\b(?:but|however|my (?:best )?guess|if i had to|i (?:would|'d) (?:say|guess)|i think|probably)\b"
)


def stance(text: str) -> Stance | None:
    """How a reply in words declines, or None when it does not.

    "refused": it will not answer; "abstained": it says that it does not know;
    "hedged": it says so and goes on to answer ("I do not know, but ..."), which is neither.
    """
    words = " ".join(text.replace("’", "'").replace("*", "").casefold().split()).strip("\"'")
    for pattern, name in ((_REFUSED, "refused"), (_ABSTAINED, "abstained")):
        found = pattern.match(words)
        if found:
            return "hedged" if _YET_ANSWERS.search(words, found.end()) else name  # type: ignore[return-value]
    return None


def is_refusal(text: str) -> bool:
    """Whether the reply, read from its start, refuses in words."""
    return stance(text) == "refused"


def is_abstention(text: str) -> bool:
    """Whether the reply, read from its start, admits not to know and leaves it there."""
    return stance(text) == "abstained"
