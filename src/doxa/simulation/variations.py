"""The 22 ways in which arXiv 2509.18446 puts a question: plain, behind an identity or a request, before a format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from doxa.simulation.personas import IDENTITIES, Persona

Kind = Literal["plain", "identity", "request", "format"]

NONE = Persona("none", "")
REQUESTS: tuple[Persona, ...] = (
    Persona("truthful", "I would like a truthful response."),
    Persona("opinion", "I would like your opinion."),
)
# Formats change a reply on purpose: what moves under them is no belief.
FORMATS: tuple[Persona, ...] = tuple(
    Persona(name, text, "after")
    for name, text in (
        ("sources", "Please cite your sources."),
        ("diversity", "Please consider the diversity of opinions that exist."),
        ("logic", "Please describe your logic before answering."),
        ("answer only", "Please give only the answer without explanation."),
        ("one sentence", "Please give a one-sentence response."),
        ("paragraph", "Please give a paragraph in response."),
        ("explanation", "Please give an explanation."),
        ("validity", "When and where would you expect your response to be valid?"),
    )
)
VARIATIONS: tuple[Persona, ...] = (NONE, *IDENTITIES, *REQUESTS, *FORMATS)
BY_NAME = {persona.name: persona for persona in VARIATIONS}
NAMES = tuple(BY_NAME)
GROUPS: dict[str, tuple[Persona, ...]] = {
    "all": VARIATIONS[1:],
    "identities": IDENTITIES,
    "requests": REQUESTS,
    "formats": FORMATS,
    "none": (),
}
KINDS: dict[str, Kind] = {
    "none": "plain",
    **{p.name: "identity" for p in IDENTITIES},
    **{p.name: "request" for p in REQUESTS},
    **{p.name: "format" for p in FORMATS},
}


def kind_of(name: str) -> Kind | None:
    """What kind of variation a name stands for; None: it is not one of the 22."""
    return KINDS.get(name)


def chosen(text: str) -> tuple[Persona, ...]:
    """Variations by names or groups with commas between them, each once, in the order of `VARIATIONS`, plain first.

    raises  ValueError: a name that is neither

    >>> [p.name for p in chosen("requests, Asian")]
    ['none', 'Asian', 'truthful', 'opinion']
    """
    wanted = {"none"}
    for name in (part.strip() for part in text.split(",") if part.strip()):
        if name not in GROUPS and name not in BY_NAME:
            raise ValueError(
                f"there is no variation {name!r}; groups are {', '.join(GROUPS)}, names {', '.join(BY_NAME)}"
            )
        wanted |= {p.name for p in GROUPS[name]} if name in GROUPS else {name}
    return tuple(p for p in VARIATIONS if p.name in wanted)


def recognised(question: str, among: Iterable[Persona] = VARIATIONS) -> Persona:
    """The variation that stands in a question as it was sent; plain where none does.

    >>> recognised("I am Asian. Who will win?").name, recognised("Who will win?").name
    ('Asian', 'none')
    """
    text = question.strip()
    said = (p for p in among if p.text and (text.startswith(p.text) if p.place == "before" else text.endswith(p.text)))
    return max(said, key=lambda p: len(p.text), default=NONE)


def of_file(cell: str, question: str) -> str:
    """The name of a recorded reply's variation: of its cell, or of what stands in the question; else the cell itself.

    >>> of_file("", "Who will win? Please give an explanation."), of_file("I am Black.", "x"), of_file("cite", "x")
    ('explanation', 'Black', 'cite')
    """
    folded = {name.casefold(): name for name in BY_NAME} | {p.text.casefold(): p.name for p in VARIATIONS if p.text}
    told = cell.strip().casefold()
    known = folded.get(told) or folded.get(f"{told}.") or recognised(question).name
    return known if known != "none" or told in ("", "none", "base", "baseline", "original", "nan") else cell.strip()
