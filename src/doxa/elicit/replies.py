"""What replies are made of: percentages, numbers, letters and single words, read without guessing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from doxa.elicit.phrases import stance
from doxa.records import LETTERS, Answer

# --- percentages and numbers -----------------------------------------------------------------------------------------

PERCENT = r"[-+]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+)(?:\s?(?:%|percent\b|per cent\b|/\s?100(?![0-9])))?"
_PERCENT = re.compile(
    r"(?:about|around|approximately|roughly|~|≈)?\s*(?P<number>[-+]?(?:[0-9]+(?:[.,][0-9]+)?|[.,][0-9]+))"
    r"\s?(?P<unit>%|percent|per cent|/\s?100)?\s?\.?",
    re.I,
)


def percent(text: str, *, clamp: bool = False) -> float | None:
    """A written percentage as a probability; None when it is none or lies outside 0-100.

    "85%", "85" and "85,0 %" are 0.85. "0.85" is 0.85 too, because it has a decimal point, no sign and is at most 1;
    "1" is 0.01 and "0.85%" is 0.0085.

    clamp  take numbers outside 0-100 as the nearer end: only where a published rule says so
    """
    found = _PERCENT.fullmatch(unformatted(text))
    if not found:
        return None
    written = found["number"].replace(",", ".")
    value = Decimal(written)
    is_probability = found["unit"] is None and "." in written and 0 <= value <= 1
    fraction = value if is_probability else value / 100
    if clamp:
        fraction = min(max(fraction, Decimal(0)), Decimal(1))
    return float(fraction) if 0 <= fraction <= 1 else None


def percent_text(confidence: float, *, sign: bool = True) -> str:
    """A probability as a percentage that `percent` reads back exactly: "85%", or "85" without `sign`.

    Without `sign` it is still written where the bare number would be read as a probability ("0.5%").
    Raises ValueError outside [0, 1].
    """
    if not 0 <= confidence <= 1:
        raise ValueError(f"confidence is {confidence}, outside [0, 1]. Percent? divide by 100.")
    number = _plain(Decimal(repr(abs(float(confidence)))) * 100)
    return f"{number}%" if sign or ("." in number and Decimal(number) <= 1) else number


_NUMBER = (
    r"[-+−]?(?:[1-9][0-9]{0,2}(?:[,   ’'][0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:[.,][0-9]+)?|\.[0-9]+)"
    r"(?:[eE][-+]?[0-9]{1,3})?"
)
_WHOLE_NUMBER = re.compile(rf"[$€£¥]?\s*({_NUMBER})\s?%?\s?\.?")
# Not a part of a word (COVID-19), a range (12-15), a date or a list without spaces.
_NUMBER_IN_TEXT = re.compile(rf"(?<![\w.,/:-])({_NUMBER})(?!\w|[-–/:.,][0-9])")


def number(text: str) -> str | None:
    """A written number in canonical form ("1,200.50" is "1200.5"), or None when the text is not one number.

    A comma before exactly three digits separates thousands, any other comma is a decimal comma.
    """
    found = _WHOLE_NUMBER.fullmatch(unformatted(text))
    return _canonical(found[1]) if found else None


def numbers_in(text: str) -> list[str]:
    """Distinct numbers that stand free in a text, in canonical form and in order."""
    return distinct(_canonical(found[1]) for found in _NUMBER_IN_TEXT.finditer(unformatted(text)))


def _canonical(written: str) -> str:
    sign = "-" if written[0] in "-−" else ""
    digits = written.lstrip("+-−")
    if re.match(r"[1-9][0-9]{0,2}([,   ’'][0-9]{3})+(?![0-9])", digits):
        digits = re.sub(r"[,   ’']", "", digits)
    return _plain(Decimal(sign + digits.replace(",", ".")))


def _plain(value: Decimal) -> str:
    """Decimal notation without exponent, trailing zeros or a negative zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


# --- letters and words -----------------------------------------------------------------------------------------------

CLAIM = (
    r"(?:(?<!\bif the )(?<!\bwhether the )\b(?:answer|choice|option)\s?(?:is|would be|must be|should be|:|=)"
    r"\s{0,3}[:,]?\s{0,3}(?:option\s)?"
    r"|\bI(?:\s+would|\s+will|'d|'ll)?\s+(?:choose|pick|select|go with)\s(?:option\s)?)"
)
_IT_IS = (
    r"(?:^|[.!?;\n]\s{0,3}|\b(?:so|therefore|hence|thus|(?:i|we) (?:think|believe|say)),?\s(?:that\s)?)"
    r"(?:(?:the\s|this\s)?statement\sis|(?:this|it|that)(?:\sis|['’]s))\s"
)
# A bare letter is a claim when something other than a noun follows: "A matter of taste" claims nothing.
AFTER = r"(?=\s*(?:$|[^\w\s'’])|\s*\n|\s+(?:because|since|and|or)\b)"


def letter_claims(text: str, options: Sequence[str], c: int) -> list[str]:
    """Distinct option letters that a reply claims to be its answer, in order; empty when there are none.

    Looked for in this order: the whole reply, "the answer is B", the text of one option, a leading "B)" or
    "B, because".

    options  the options as shown, empty when they are not known; c: how many letters there are
    """
    plain, one = unformatted(text), f"([{LETTERS[:c]}])"
    whole = re.fullmatch(rf"\W*(?:option\s+)?{one}\W*", plain, re.I)
    if whole:
        return [whole[1].upper()]
    # "I do not know whether the answer is B" claims nothing.
    said = [] if declined(plain) else list(re.finditer(rf"(?i:{CLAIM})\(?{one}\)?{AFTER}", plain))
    if said:
        return distinct(letter for m in said for letter in _listed(m, plain, one))
    verbatim = distinct(LETTERS[i] for i, option in enumerate(options) if same_words(option, plain))
    if verbatim:
        return verbatim
    first = list(re.finditer(rf"^[ \t]*(?:(?i:option)\s)?\(?{one}(?:\)|{AFTER})", plain, re.M))
    leading = [m for m in first if _asserts(m, plain)]
    if leading and _has_own_text(leading[0], plain, options):
        return distinct(m[1] for m in leading)  # "B) C. elegans": the option's own text holds no further claim
    return distinct(letter for m in leading for letter in _listed(m, plain, one))


def _listed(found: re.Match[str], text: str, one: str) -> list[str]:
    """The claimed letter, with the others when it opens a list such as "A or B"."""
    more = re.match(
        rf"(?:\s*(?:,|/|&|\band\b|\bor\b)+\s*(?:or\s+|and\s+)?\(?{one}\)?(?![\w'’.]))+", text[found.end() :]
    )
    return [found[1], *re.findall(rf"(?<!\w){one}(?!\w)", more[0] if more else "")]


def _rest(found: re.Match[str], text: str) -> str:
    return text[found.end() :].split("\n")[0].lstrip(" ).:,;-–—")


def _has_own_text(found: re.Match[str], text: str, options: Sequence[str]) -> bool:
    """Whether the text of the lettered option follows its letter."""
    return bool(options) and _rest(found, text).casefold().startswith(options[LETTERS.index(found[1])].casefold())


def _asserts(found: re.Match[str], text: str) -> bool:
    """Whether a leading letter is an answer and not the subject of a remark ("A) is wrong because")."""
    remark = r"(?:is|are|was|were|seems?|looks?|would|could|can|cannot|can't|might|may|does|do|has)\b"
    return not re.match(remark, _rest(found, text), re.I)


def word_claims(text: str, words: Sequence[str]) -> list[str]:
    """Which of a few words ("yes", "no") a reply claims to be its answer, distinct and in order.

    Claims are the whole reply, "the answer is yes", "the statement is true", and a word that leads a sentence and is
    set off from what follows ("No, it is not"; "No idea is bad" claims nothing).
    """
    plain, one = unformatted(text), f"({'|'.join(map(re.escape, words))})"
    listed = re.match(rf"\W*{one}\s*(?:and|or|/)\s*{one}\b", plain, re.I)
    if listed:
        return distinct(found.lower() for found in listed.groups())
    whole = re.fullmatch(rf"\W*{one}\W*", plain, re.I)
    if whole:
        return [whole[1].lower()]
    said = [] if declined(plain) else re.findall(rf"(?:{CLAIM}|{_IT_IS})[\"'(]*{one}\b", plain, re.I)
    set_off = r"(?=\s*[^\w\s'’]|\s*\n|\s*$|\s+(?:because|since|it|that|this|there|he|she|they|we|i)\b)"
    leading = re.findall(rf"(?:^\W*|[.!?;\n]\s{{1,3}}){one}{set_off}", plain, re.I)
    return distinct(word.lower() for word in leading + said)


# --- common ground ---------------------------------------------------------------------------------------------------


def unformatted(text: str) -> str:
    """A text without the marks of bold type and code, stripped. The sign in 2*3 stays."""
    return re.sub(r"(?<![\w*`])[*`]+|(?<![*`])[*`]++(?!\w)", "", text).strip()


def answer_part(text: str) -> str:
    """A reply without the thinking that precedes it; an unclosed thinking block holds no answer."""
    if "</think>" in text:
        return text.rsplit("</think>", 1)[1]
    return text.split("<think>", 1)[0]


def same_words(a: str, b: str) -> bool:
    """Whether two texts are the same but for case, spacing and closing punctuation."""
    return _folded(a) == _folded(b) != ""


def _folded(text: str) -> str:
    return " ".join(unformatted(text).replace("’", "'").casefold().split()).strip(" .!\"'")


def distinct(values: Iterable[str]) -> list[str]:
    """Values without repetition, in order of appearance."""
    return list(dict.fromkeys(values))


def settle(claims: Sequence[str], text: str, *, note: str = "") -> Answer:
    """The answer of a reply from the distinct values that it claims."""
    if len(claims) == 1:
        return Answer("ok", claims[0], note=note)
    if claims:
        return Answer("ambiguous", note=f"claims {', '.join(claims)}")
    return declined(text) or Answer("unparsed", note="no answer in the asked format" if text.strip() else "empty reply")


def declined(text: str) -> Answer | None:
    """Refused or abstained, when the reply says so in words and gives no answer after it."""
    how = stance(text)
    return Answer(how) if how in ("refused", "abstained") else None
