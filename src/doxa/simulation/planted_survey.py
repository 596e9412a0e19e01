"""Respondents to a survey whose answers, and what labels and places add to them, are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from doxa.models.simulated import Holder, Respondent
from doxa.models.simulated_labels import Following, Labelled, OfOneKind, Rarest

# Name, and what is planted.
OF_LABELS = "label bias", "people's preferences, and a logit on the label A; null: none"
OF_PLACES = "place bias", "people's preferences, and a logit on the first place; null: none"
OF_PEOPLE = "a population followed", "answers by a weight of the made-up people's shares, else evenly; null: evenly"
GATHERED = "preferences, mapped as published", "the same, mapped back by gathering; null: no preferences"
TOP_FIVE = "five likeliest tokens", "the same, of which the five likeliest labels are seen; null: no preferences"
OFF = "mass off labels", "people's preferences, a share of the mass on no label; null: none"
ON_FACTS = "label bias on facts", "holds facts with .7, and adds a logit to the letter A; null: none"
NO_PEOPLE = "forms that are no people's", "gives the rarest answer to everything; null: each form is one made-up person"

Shares = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class People:
    """Whom respondents are like.

    shares           of each question's options, by key
    weights, tables  kinds of people, and the options' probabilities (kinds, c) of each kind, by key
    """

    shares: Shares
    weights: Sequence[float] = ()
    tables: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)

    def respondent(self, label: float = 0.0, place: float = 0.0, weight: float = 1.0, **how: Any) -> Respondent:
        """Prefers what people answer, by a weight; adds a logit to the label A and to the first place.

        how  further fields of `Respondent`
        """
        rule = Labelled(Following(self.shares, weight), (place,), {"A": label})
        return Respondent(address=f"simulated: label {label:g}, place {place:g}, weight {weight:g}", decide=rule, **how)

    def marking(self, logit: float) -> Respondent:
        return self.respondent(label=logit)

    def placing(self, logit: float) -> Respondent:
        return self.respondent(place=logit)

    def weighing(self, weight: float) -> Respondent:
        return self.respondent(weight=weight)

    def off_labels(self, rate: float) -> Respondent:
        return self.respondent(format_errors=rate)

    def filling_in(self, odd: float) -> Respondent:
        """Everybody's rarest answers, or those of people of the kinds."""
        return Respondent(decide=Labelled(Rarest(self.shares) if odd else OfOneKind(self.weights, self.tables)))


def on_facts(nats: float) -> Respondent:
    """Holds facts with .7 and adds a logit to the letter A."""
    return Respondent(belief=Holder(0.7), label={"A": nats})
