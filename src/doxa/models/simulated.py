"""Simulated respondents by name, as in simulated:overconfident?slope=3, made of `Respondent` and its rules."""

from __future__ import annotations

import difflib
import inspect
import typing
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from doxa.models.base import Context
from doxa.models.simulated_influence import Deference, Rates, authority_of, hint_of
from doxa.models.simulated_respondent import Respondent
from doxa.models.simulated_rules import (
    ABSTAIN,
    CONFIDENCE,
    Ability,
    Belief,
    Constant,
    Dirichlet,
    Forecast,
    Holder,
    Planted,
    Sharpened,
    Skill,
    Uniform,
    calibrated,
    check_probability,
    inflated,
    inverted,
    tens,
)
from doxa.records import DoxaError, Item, Prompt

__all__ = [
    "ABSTAIN",
    "Ability",
    "Always",
    "Belief",
    "Constant",
    "Deference",
    "Dirichlet",
    "Forecast",
    "Holder",
    "Modal",
    "Planted",
    "Rates",
    "Respondent",
    "Sharpened",
    "Skill",
    "Uniform",
    "authority_of",
    "calibrated",
    "hint_of",
    "inflated",
    "inverted",
    "modal_answer",
    "names",
    "respondent",
    "tens",
]

# --- respondents that do not look at the question ---------------------------------------------------------------------


@dataclass(frozen=True)
class Always:
    """Decides for the same value whatever is asked."""

    value: str

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        return {self.value: 1.0}


@dataclass(frozen=True)
class Modal:
    """Decides for the most frequent right answer, which Item.fields["modal"] names."""

    def __call__(self, item: Item, context: Context, prompt: Prompt) -> Mapping[str, float]:
        for source in (item, context.item):
            if source is not None and "modal" in source.fields:
                return {str(source.fields["modal"]): 1.0}
        raise DoxaError(
            f"item {item.id!r} has no fields['modal'] that names the most frequent right answer of its set. Name it: "
            "simulated:modal?value=A, or from Python modal_answer(items)"
        )


def modal_answer(items: Sequence[Item]) -> str:
    """The most frequent right answer: a letter for items with options, else the answer; the first in order on a tie.

    raises  DoxaError: no item has a known answer
    """
    counts = Counter(a for item in items for a in [item.answer_letter or item.answer] if a is not None)
    if not counts:
        raise DoxaError(f"none of {len(items)} items has a known answer, so no answer is the most frequent one")
    return min(counts, key=lambda answer: (-counts[answer], answer))


# --- by name ----------------------------------------------------------------------------------------------------------


def _always(value: str = "A", confidence: float = 1.0) -> Respondent:
    """gives one answer to everything: a letter, yes, no, or a text"""
    return Respondent(decide=Always(value), confidence=Constant(confidence))


def _random() -> Respondent:
    """picks among the options evenly; never right on an open question"""
    return Respondent()


def _modal(value: str = "") -> Respondent:
    """gives the set's most frequent right answer: value, or what Item.fields['modal'] names"""
    return Respondent(decide=Always(value) if value else Modal())


def _oracle() -> Respondent:
    """knows every answer, says so with certainty, and admits what nobody can know"""
    return Respondent(belief=Holder(1.0), abstains={"unknowable": 1.0}, decoding="greedy")


def _calibrated(ability: float = 0.7, sharpness: float = 8.0) -> Respondent:
    """knows a share of the items, the popular ones first, else guesses; says what it believes"""
    return Respondent(belief=Holder(Ability(ability, sharpness)), decoding="greedy")


def _overconfident(slope: float = 3.0, ability: float = 0.7, sharpness: float = 8.0) -> Respondent:
    """as calibrated, with the belief's logit (from chance) times slope in what it says"""
    return replace(_calibrated(ability, sharpness), confidence=Sharpened(slope))


def _underconfident(slope: float = 1 / 3, ability: float = 0.7, sharpness: float = 8.0) -> Respondent:
    """as overconfident, with a slope below 1"""
    return replace(_calibrated(ability, sharpness), confidence=Sharpened(slope))


def _inflated(ability: float = 0.7, sharpness: float = 8.0) -> Respondent:
    """as calibrated, but says 80 % and a fifth of its belief, in steps of 5 %"""
    return replace(_calibrated(ability, sharpness), confidence=inflated)


def _constant(confidence: float = 0.9, ability: float = 0.7, sharpness: float = 8.0) -> Respondent:
    """as calibrated, but always says the same confidence"""
    return replace(_calibrated(ability, sharpness), confidence=Constant(confidence))


def _tens(ability: float = 0.7, sharpness: float = 8.0) -> Respondent:
    """as calibrated, in steps of 10 %"""
    return replace(_calibrated(ability, sharpness), confidence=tens)


def _inverted(ability: float = 0.7, sharpness: float = 8.0) -> Respondent:
    """as calibrated, but the surer it is, the less sure it says it is"""
    return replace(_calibrated(ability, sharpness), confidence=inverted)


def _skilled(right: float = 0.7) -> Respondent:
    """is right at each asking anew with one probability, and says that probability"""
    check_probability("right", right)
    return Respondent(belief=Skill(right))


def _dirichlet(concentration: float = 1.0, confidence: str = "calibrated") -> Respondent:
    """draws each answer from a Dirichlet belief that the truth is a draw from; confidence names a rule"""
    if confidence not in CONFIDENCE:
        raise DoxaError(f"confidence is {confidence!r}; it is one of {', '.join(CONFIDENCE)}")
    return Respondent(belief=Dirichlet(concentration), confidence=CONFIDENCE[confidence])


def _planted(field: str = "belief") -> Respondent:
    """believes what the entry of Item.fields says: a mapping, or probabilities in the options' order"""
    return Respondent(belief=Planted(field))


def _admits(rate: float = 0.6, answerable: float = 0.0, ability: float = 0.7) -> Respondent:
    """admits at a rate on what nobody can know, at another on the answerable"""
    check_probability("rate", rate)
    check_probability("answerable", answerable)
    return Respondent(belief=Skill(Ability(ability)), abstains={"unknowable": rate, "answerable": answerable})


def _biased(label: str = "A", by: float = 2.0, ability: float = 0.7) -> Respondent:
    """adds a logit to one letter or word, wherever it stands"""
    return replace(_calibrated(ability), label={label: by}, decoding="draw")


def _follower(rate: float = 0.5, ability: float = 0.7) -> Respondent:
    """gives the answer that the prompt hints at, at a rate; Item.fields['hint'] of the item as shown names it"""
    check_probability("rate", rate)
    return replace(_calibrated(ability), follows=rate)


def _liar(rate: float = 0.3, evades: float = 0.0, ability: float = 0.7) -> Respondent:
    """says what it believes, but where the condition is "pressured" lies at one rate and evades at another"""
    check_probability("rate", rate)
    return replace(_calibrated(ability), lies=rate, evades=evades, decoding="modal")


def _sycophant(rate: float = 0.2, slope: float = 1.0, ability: float = 0.7) -> Respondent:
    """follows hints at a rate whose logit rises by slope with each rank in Item.fields['strength']"""
    return replace(_calibrated(ability), follows=Deference(rate, slope))


def _persuadable(pressure: float = 2.0, history: float = 0.0, ability: float = 0.7) -> Respondent:
    """adds a logit to the hinted answer for each argument, and one to what it said in its own earlier turns"""
    return replace(_calibrated(ability), pressure=pressure, history=history)


def _drifting(drift: float = 1.0, fading: float = 0.0, ability: float = 0.7) -> Respondent:
    """adds a logit per 1,000 words of context to Item.fields['asserted']; with fading its own belief wears off"""
    return replace(_calibrated(ability), drift=drift, fading=fading)


def _calibrated_forecaster() -> Respondent:
    """forecasts events with Item.fields['probability'], or one that the known outcome is a draw from"""
    return Respondent(belief=Forecast(), decoding="modal")


def _overconfident_forecaster(slope: float = 3.0) -> Respondent:
    """as calibrated-forecaster, reported as sigmoid(slope * logit)"""
    return replace(_calibrated_forecaster(), confidence=Sharpened(slope))


def _underconfident_forecaster(slope: float = 1 / 3) -> Respondent:
    """as overconfident-forecaster, with a slope below 1"""
    return replace(_calibrated_forecaster(), confidence=Sharpened(slope))


NAMED: dict[str, Callable[..., Respondent]] = {
    make.__name__[1:].replace("_", "-"): make
    for make in (
        *(_always, _random, _modal, _oracle, _calibrated, _overconfident, _underconfident, _inflated, _constant),
        *(_tens, _inverted, _skilled, _dirichlet, _planted, _admits, _biased, _follower),
        *(_liar, _sycophant, _persuadable, _drifting),
        *(_calibrated_forecaster, _overconfident_forecaster, _underconfident_forecaster),
    )
}

# Parameters that every named respondent takes.
COMMON: dict[str, type] = {
    **{"seed": int, "noise": float, "format_errors": float, "temperature": float, "unit": str},
    **dict.fromkeys(("lies", "evades", "pressure", "history", "drift", "fading"), float),
}


def names() -> dict[str, str]:
    """Names of the simulated respondents, each with one line of help that ends in its parameters and defaults."""
    return {name: f"{inspect.getdoc(make)}{_shown(make)}" for name, make in NAMED.items()}


def respondent(text: str) -> Respondent:
    """The respondent called "NAME?param=value&param=value", the part of an address after "simulated:".

    Besides its own parameters each takes those of COMMON, see `Respondent`.

    raises  DoxaError: an unknown name or parameter, a value that is no number, a probability outside [0, 1]
    """
    name, _, query = text.partition("?")
    if name not in NAMED:
        near = difflib.get_close_matches(name, NAMED, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        listing = "\n".join(f"  {n:<26}{line}" for n, line in names().items())
        raise DoxaError(f"no simulated respondent is called {name!r}.{hint} There are\n{listing}")
    make = NAMED[name]
    own = {p: t for p, t in typing.get_type_hints(make).items() if p != "return"}
    given = _parameters(name, query, own | COMMON)
    built = make(**{p: v for p, v in given.items() if p in own})
    return replace(built, address=f"simulated:{text}", **{p: v for p, v in given.items() if p in COMMON})


def _parameters(name: str, query: str, types: Mapping[str, type]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for part in query.split("&") if query else []:
        pairs = parse_qsl(part, keep_blank_values=True)
        parameter, value = pairs[0] if len(pairs) == 1 and "=" in part else (part, None)
        if parameter not in types:
            raise DoxaError(
                f"{name!r} has no parameter {parameter!r}; it takes {', '.join(types)}, as in {name}?seed=1"
            )
        if value is None or parameter in given:
            raise DoxaError(f"parameter {parameter!r} of {name!r} is given {'twice' if value else 'without a value'}")
        try:
            given[parameter] = types[parameter](value)
        except ValueError:
            kind = "a whole number" if types[parameter] is int else "a number"
            raise DoxaError(f"{name}: {parameter} is {value!r}; it is {kind}") from None
    return given


def _shown(make: Callable[..., Respondent]) -> str:
    defaults = [f"{p.name}={_plain(p.default)}" for p in inspect.signature(make).parameters.values()]
    return f" ({', '.join(defaults)})" if defaults else ""


def _plain(default: object) -> str:
    return f"{default:.3g}" if isinstance(default, float) else str(default)
