"""Phrases that refuse, or admit not to know. They count at the start of a reply only, never inside an answer."""

from __future__ import annotations

import re
from typing import Literal

REFUSAL = "I cannot answer that."
ABSTENTION = "I do not know."

Stance = Literal["refused", "abstained", "hedged"]

# What may stand before a phrase without changing it.
_AI = r"as an? (?:ai|artificial intelligence|(?:large )?language model)"
_LEADS = (
    r"(?:i am |i'm )?(?:so |very |really )?(?:sorry|afraid)",
    r"i apologi[sz]e|my apologies|unfortunately|honestly|frankly|to be honest|well|hm+",
    r"the (?:short |honest )?answer is|(?:final )?answer ?:",
    rf"{_AI}[^,.;]{{0,80}}[,.;]|{_AI}(?: language)?(?: model| assistant| system)?(?= i\b)",
)
_LEAD = re.compile(rf"(?:{'|'.join(_LEADS)})(?=\W|$)[\s,.:;—–-]*(?:but |that )?")

_CANNOT = r"(?:cannot|can't|can not|could not|couldn't)"
_WILL_NOT = rf"(?:{_CANNOT}|won't|will not|am unable to|'m unable to|am not able to|'m not able to)"
_DO = (
    r"(?:answer|help|assist|comply|provide|discuss|comment|fulfil+|participate|engage|respond|complete|share|offer|"
    r"continue|support|do (?:that|this|so)|make (?:such|this|that)|give (?:you )?(?:an? )?(?:answer|advice|opinion))\b"
)
_REFUSALS = (
    rf"i\s?{_WILL_NOT} {_DO}",
    rf"i (?:must |have to |respectfully )*(?:decline|refuse)(?: to {_DO}|[.!]|$)",
    rf"i(?:'d| would) (?:rather|prefer) not(?: to)? (?:say|{_DO})",
    rf"i prefer not to (?:say|{_DO})",
    r"i\s?(?:am|'m) not (?:comfortable|allowed|permitted|willing)\b",
)

# An admission ends with the phrase, or goes on with what is not known: "I do not know why" is one,
# "I do not know a finer city than Paris" is an answer.
_END = r"(?= *(?:[.!?,;:—–-]|$))"
_OBJECTS = (
    "the|that|this|it|what|who|whom|whose|when|where|which|why|how|if|whether|for|about|enough|based|from|with|"
    "because|since|but|yet|at|as|so|sorry|either"
)
_OF = rf"(?= *(?:[.!?,;:—–-]|$)|,? (?:{_OBJECTS})\b)"
_KNOW = r"know|determine|tell|say|predict|foresee|be (?:sure|certain)|recall|remember|verify"
_NOT_KNOWN = r"(?:not known|unknown|unknowable|undetermined|unclear)"
_FACTS = r"(?:information|data|knowledge|idea|answer|context)"
_ABSTENTIONS = (
    rf"(?:i|we) (?:really |simply |just )?(?:do not|don't|dont|did not|didn't) (?:actually |really )?know{_OF}",
    rf"i (?:do not|don't) have (?:(?:enough|sufficient|any|an|the) )?{_FACTS}\b",
    rf"i(?: have|'ve) (?:absolutely )?no (?:idea|clue|way of knowing|information|knowledge){_OF}",
    rf"i(?: am|'m) (?:not |not at all |really not )(?:sure|certain|aware){_OF}",
    rf"i(?: am|'m) (?:unsure|uncertain){_OF}",
    rf"i {_CANNOT} (?:{_KNOW}){_OF}",
    rf"(?:this|that|it|the answer|the question) (?:is|remains) {_NOT_KNOWN}{_END}",
    rf"(?:(?:this|that|it|the answer) )?{_CANNOT} be (?:known|determined|answered){_OF}",
    r"there is (?:not enough|insufficient|no) (?:information|data|way (?:to|of) know(?:ing)?)\b",
    rf"(?:not enough|insufficient) (?:information|data){_OF}",
    rf"(?:nobody|no one|no-one) (?:can )?knows?{_END}",
    rf"(?:no (?:idea|clue)|not (?:sure|certain)|unsure|unknown|unknowable|idk|(?:i )?dunno|do(?:n't| not) know){_END}",
)

_REFUSED = re.compile(rf"(?:{'|'.join(_REFUSALS)})")
_ABSTAINED = re.compile(rf"(?:{'|'.join(_ABSTENTIONS)})")
_YET_ANSWERS = re.compile(
    r"\b(?:but|however|my (?:best )?guess|if i had to|i(?: would|'d) (?:say|guess)|i think|probably)\b"
)


def stance(text: str) -> Stance | None:
    """How a reply in words declines, or None when it does not.

    "refused": it will not answer; "abstained": it says that it does not know;
    "hedged": it says one of these and goes on to answer ("I do not know, but ..."), which makes it neither.
    """
    words = " ".join(text.replace("’", "'").replace("*", "").casefold().split()).strip("\"'")
    while (lead := _LEAD.match(words)) and lead.end() < len(words):
        words = words[lead.end() :]
    for pattern, declines in ((_REFUSED, "refused"), (_ABSTAINED, "abstained")):
        found = pattern.match(words)
        if found and _YET_ANSWERS.search(words, found.end()):
            return "hedged"
        if found:
            return "refused" if declines == "refused" else "abstained"
    return None


def is_refusal(text: str) -> bool:
    """Whether the reply, read from its start, refuses in words."""
    return stance(text) == "refused"


def is_abstention(text: str) -> bool:
    """Whether the reply, read from its start, admits not to know and leaves it there."""
    return stance(text) == "abstained"
