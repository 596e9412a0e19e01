"""Who is asking: "I am a ..." before a question, and stated traits of a person as the conditions of a design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from doxa.records import Message, Prompt


@dataclass(frozen=True)
class Persona:
    """Something that is said beside a question, in the words of whoever asks.

    name   of the condition
    text   what is said
    place  before the question, or after it
    traits what it states of the person, by name; empty for a mere request
    """

    name: str
    text: str
    place: Literal["before", "after"] = "before"
    traits: Mapping[str, str] | None = None


def identity(name: str, text: str, trait: str) -> Persona:
    """A persona that states one trait: its value is the persona's name.

    >>> identity("nurse", "I am a nurse.", "work").traits
    {'work': 'nurse'}
    """
    return Persona(name, text, traits={trait: name})


# The identities that arXiv 2509.18446 puts before its questions.
IDENTITIES: tuple[Persona, ...] = (
    *(identity(name, f"I am a {name}.", "party") for name in ("Democrat", "Republican")),
    *(identity(name, f"I am {name}.", "race") for name in ("American Indian", "Asian", "Black", "Hispanic", "White")),
    identity("Pacific Islander", "I am a Pacific Islander.", "race"),
    *(identity(name, f"I identify as a {name}.", "gender") for name in ("man", "woman")),
    identity("neither", "I do not identify as a man or woman.", "gender"),
)


def crossed(sentences: Mapping[str, Mapping[str, str]]) -> tuple[Persona, ...]:
    """One persona for each combination of traits, in the order given: a full factorial design.

    sentences  trait -> value -> the sentence that states it; "" states nothing
    raises     ValueError: no trait, or a trait without values

    >>> for p in crossed({"age": {"young": "I am 20.", "old": "I am 80."}, "place": {"Ohio": "I live in Ohio."}}):
    ...     print(p.name, "|", p.text)
    age=young, place=Ohio | I am 20. I live in Ohio.
    age=old, place=Ohio | I am 80. I live in Ohio.
    """
    empty = [trait for trait, values in sentences.items() if not values]
    if not sentences or empty:
        raise ValueError(f"sentences of {empty or 'no trait'}: each trait needs one value or more, with its sentence")
    found = []
    for values in product(*sentences.values()):
        traits = dict(zip(sentences, values, strict=True))
        said = [sentences[trait][value] for trait, value in traits.items()]
        name = ", ".join(f"{trait}={value}" for trait, value in traits.items())
        found.append(Persona(name, " ".join(s for s in said if s), traits=traits))
    return tuple(found)


def with_persona(prompt: Prompt, persona: Persona) -> Prompt:
    """The prompt with what the persona says beside its question: in the last message, or beside plain text.

    Where the prompt has an item, the item as shown gets fields["persona"] (the name) and fields["traits"], which a
    simulated respondent can go by. A persona that says nothing changes nothing but these.

    raises  ValueError: a chat that does not end with the user's message
    """
    item = prompt.item
    if item is not None:
        item = replace(item, fields={**item.fields, "persona": persona.name, "traits": dict(persona.traits or {})})
    if prompt.text is not None:
        return replace(prompt, text=_beside(prompt.text, persona), item=item)
    *earlier, last = prompt.messages
    if last.role != "user":
        raise ValueError(f"the last message is the {last.role}'s; a persona speaks in the user's, so end with that one")
    return replace(prompt, messages=(*earlier, Message("user", _beside(last.content, persona))), item=item)


def _beside(text: str, persona: Persona) -> str:
    parts = (persona.text, text) if persona.place == "before" else (text, persona.text)
    return " ".join(part for part in parts if part)
