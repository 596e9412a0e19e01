"""What moves a simulated respondent: hints and their authority, its earlier answers, context, pressure to lie."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from doxa.models.simulated_rules import check_probability
from doxa.models.simulated_values import Key, is_closed, log, normals, softmax, uniforms
from doxa.models.simulated_wording import Words
from doxa.records import DoxaError, Form, Item, Prompt

PRESSURED = "pressured"  # a condition of this name, or one that begins with it, is under pressure

Rates = float | Mapping[str, float]
"""A probability: a number, or one by name; the entry "" stands for every other name, without it they have 0."""

_HINT = re.compile(
    r"^Hint: .*?(?:answer is(?: undoubtedly)?|gives) (?:([A-Z])\) .*|(.+?))(?: as the answer)?\.$", re.MULTILINE
)


def rate_of(rates: Rates, name: str | None) -> float:
    """The rate under a name."""
    if not isinstance(rates, Mapping):
        return rates
    return rates.get(name or "", rates.get("", 0.0))


def check_rates(what: str, rates: Rates) -> None:
    """DoxaError: a rate outside [0, 1], a name that is no text."""
    if not isinstance(rates, Mapping):
        check_probability(what, rates)
        return
    for name, rate in rates.items():
        if not isinstance(name, str):
            raise DoxaError(
                f"{what} has a rate for {name!r}; rates go by names, which are text, as in {{'expert': 0.9}}"
            )
        check_probability(f"{what}[{name!r}]", rate)


# --- what a prompt suggests, and who says so --------------------------------------------------------------------------


def hint_of(prompt: Prompt) -> str | None:
    """The answer that a prompt asserts, as a canonical value or an option's text; None: none.

    Item.fields["hint"] of the item as shown, or else the last message's line "Hint: ... the answer is B) text."
    """
    if prompt.item is not None and "hint" in prompt.item.fields:
        return str(prompt.item.fields["hint"])
    if not prompt.messages or "Hint: " not in prompt.messages[-1].content:
        return None
    found = _HINT.findall(prompt.messages[-1].content)
    return (found[-1][0] or found[-1][1]) if found else None


def authority_of(prompt: Prompt) -> str | None:
    """Who asserts it, or how strongly: Item.fields["authority"] of the item as shown; None: nobody is named."""
    level = None if prompt.item is None else prompt.item.fields.get("authority")
    return None if level is None else str(level)


@dataclass(frozen=True)
class Deference:
    """A rate of following that rises with authority: sigmoid(logit(rate) + slope * (strength - 1)).

    `strength` is Item.fields["strength"] of the item as shown, the rank that a hint has in its group; 1, the weakest,
    for items without. A rate of 0 or 1 stays what it is.
    """

    rate: float
    slope: float = 1.0

    def __post_init__(self) -> None:
        check_probability("rate", self.rate)

    def __call__(self, item: Item) -> float:
        steps = _number(item, "strength") - 1
        if self.rate in (0.0, 1.0):
            return self.rate
        z = math.log(self.rate) - math.log1p(-self.rate) + self.slope * steps
        return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


# --- what a conversation adds to a belief -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Talk:
    """A prompt as something that was said before the question and around it.

    shown  the item as shown; item: the same with what is known of the true one
    """

    prompt: Prompt
    form: Form
    shown: Item
    item: Item

    def arguments(self) -> float:
        """How many messages argue for the hinted answer: Item.fields["arguments"], one without."""
        return _number(self.item, "arguments")

    def given(self, words: Words) -> list[int]:
        """Places of the values that it gave in its own earlier turns, once for each turn; unread turns are left out."""
        own = (m.content for m in self.prompt.messages if m.role == "assistant")
        read = (self.form.read(text, self.shown).value for text in own)
        places = (words.place(value) for value in read if value is not None)
        return [place for place in places if place is not None]

    def asserted(self, words: Words, hint: int | None) -> int | None:
        """Place of the value that the context argues for: what Item.fields["asserted"] names, else the hinted one."""
        return place_of("asserted", self.item, words) if "asserted" in self.item.fields else hint

    def kwords(self) -> float:
        """Thousands of words that stand in the prompt besides the form's own question; at least 0."""
        try:
            own = _count(self.form.prompt(self.shown))
        except ValueError:  # a form that only reads: the last message asks
            own = len(self.prompt.messages[-1].content.split()) if self.prompt.messages else _count(self.prompt)
        return max(0, _count(self.prompt) - own) / 1000


def _count(prompt: Prompt) -> int:
    return len(prompt.text.split()) if prompt.text is not None else sum(len(m.content.split()) for m in prompt.messages)


def place_of(name: str, item: Item, words: Words) -> int | None:
    """Place of the value that Item.fields[name] names; None: it names none. DoxaError: it names what is no option."""
    value = item.fields.get(name)
    place = None if value is None else words.place(str(value))
    if value is not None and place is None and is_closed(item):
        raise DoxaError(
            f"item {item.id!r}: fields[{name!r}] is {value!r}, which is none of its values {', '.join(words.names)}"
        )
    return place


def _number(item: Item, name: str) -> float:
    value: Any = item.fields.get(name, 1)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise DoxaError(f"item {item.id!r}: fields[{name!r}] is {value!r}; it is a number, 0 or more")
    return value


@dataclass(frozen=True)
class Moves:
    """What turns the content of a belief into the belief that is acted on; the parameters are those of `Respondent`.

    softmax((fade * log content + position + label + pressure * arguments + history * times given + drift * kwords
             + noise) / temperature)        with fade = exp(-fading * kwords)
    """

    position: tuple[float, ...]
    label: Mapping[str, float]
    pressure: float
    history: float
    drift: float
    fading: float
    noise: float
    temperature: float

    def __post_init__(self) -> None:
        for name in ("pressure", "history", "drift", "fading", "noise", "temperature"):
            if not math.isfinite(getattr(self, name)):
                raise DoxaError(f"{name} is {getattr(self, name)}; it is a finite number")
        if self.temperature <= 0 or self.noise < 0 or self.fading < 0:
            raise DoxaError(
                f"temperature is {self.temperature} (above 0), noise {self.noise}, fading {self.fading} (0 or more)"
            )

    @cached_property
    def _still(self) -> bool:
        nothing = (self.position, self.label, self.pressure, self.history, self.drift, self.fading, self.noise)
        return not any(nothing) and self.temperature == 1

    def belief(
        self, content: list[float], favourite: int | None, words: Words, talk: Talk, hint: int | None, asking: Key
    ) -> tuple[tuple[float, ...], int]:
        """The belief, (c,), from content over the words, (c,), and the place of the greedy answer."""
        if self._still:
            best = max(range(len(content)), key=[log(p) for p in content].__getitem__)
            return tuple(content), best if favourite is None else favourite
        kwords = talk.kwords() if self.drift or self.fading else 0.0
        moved = self._added(words, talk, hint, kwords, asking)
        logits, fades = [log(p) for p in content], bool(kwords and self.fading)
        if fades:
            fade = math.exp(-min(self.fading * kwords, 700))  # above 0: what is impossible stays so
            logits = [fade * z for z in logits]
        # A favourite counts as no less attractive than anything else: it may hold less than 1/c of the belief.
        top = max(logits)
        wanted = [(top if j == favourite else z) + m for j, (z, m) in enumerate(zip(logits, moved, strict=True))]
        likeliest = max(range(len(wanted)), key=lambda j: (wanted[j], j == favourite))
        if fades or any(moved) or self.temperature != 1:
            content = softmax([(z + m) / self.temperature for z, m in zip(logits, moved, strict=True)])
        return tuple(content), likeliest

    def _added(self, words: Words, talk: Talk, hint: int | None, kwords: float, asking: Key) -> list[float]:
        """The logits that are added to the content, (c,)."""
        c = len(words.said)
        moved = [self.label.get(value, 0.0) for value in words.said] if self.label else [0.0] * c
        for j, by in enumerate(self.position[:c]):
            moved[j] += by
        if hint is not None and self.pressure:
            moved[hint] += self.pressure * talk.arguments()
        if self.history:
            for place in talk.given(words):
                moved[place] += self.history
        if self.drift and kwords:
            toward = talk.asserted(words, hint)
            if toward is not None:
                moved[toward] += self.drift * kwords
        if self.noise:
            moved = [m + self.noise * z for m, z in zip(moved, normals(c, "noise", *asking), strict=True)]
        return moved


# --- what it says against its belief ----------------------------------------------------------------------------------


def check_exclusive(lies: Rates, evades: Rates) -> None:
    """DoxaError: no probabilities, or lying and evading sum to more than 1 somewhere."""
    check_rates("lies", lies)
    check_rates("evades", evades)
    names = {name for rates in (lies, evades) if isinstance(rates, Mapping) for name in rates} | {""}
    for name in sorted(names):
        lie, evasion = rate_of(lies, name), rate_of(evades, name)
        if lie + evasion > 1 + 1e-9:
            where = f" in {name!r}" if name else ""
            raise DoxaError(
                f"lies is {lie} and evades {evasion}{where}: what is said is a lie, an evasion or honest, so these two "
                "sum to at most 1"
            )


def pressed(lies: Rates, evades: Rates, item: Item, condition: str) -> tuple[float, float]:
    """Rates of lying and evading on an item in a condition; both 0 without pressure.

    The archetype of the pressure is Item.fields["archetype"], or else what follows the slash in "pressured/NAME".
    """
    if not condition.startswith(PRESSURED):
        return 0.0, 0.0
    named = item.fields.get("archetype")
    archetype = condition.partition("/")[2] if named is None else str(named)
    return rate_of(lies, archetype), rate_of(evades, archetype)


def lie_to_tell(item: Item, words: Words, favourite: int, admission: int | None, held: Key) -> int | None:
    """Place of the value it states against its belief; None: what the pressure wants is what it believes anyway.

    That is what Item.fields["wanted"] names, or else any value but the favourite, the same in all wordings and orders.
    """
    wanted, own = place_of("wanted", item, words), words.names[favourite]
    if wanted is not None:
        return None if words.names[wanted] == own else wanted
    others = dict.fromkeys(name for j, name in enumerate(words.names) if name != own and j != admission)
    if not others:
        raise DoxaError(
            f"item {item.id!r} has no value but {own!r}, so that there is no lie about it; name one in fields['wanted']"
        )
    return words.names.index(min(others, key=lambda name: uniforms(1, "lie", *held, name)))
