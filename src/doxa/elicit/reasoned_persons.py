"""Simulated respondents that reason at length, doubt themselves when they reflect, or are cut: to plant truths in."""

from __future__ import annotations

import math
from dataclasses import replace

from doxa.elicit.form import PROPOSED
from doxa.models.base import Model
from doxa.models.simulated_edited import Edited
from doxa.models.simulated_values import normals
from doxa.records import Answer, Item, Prompt, Reply


def length(slope: float, chance: float, normal: float, *, spread: float = 0.3) -> int:
    """Tokens of a chain: exp(9.5 - slope * chance + spread * normal).

    >>> length(2, 0, 0)
    13360
    """
    return round(math.exp(9.5 - slope * chance + spread * normal))


def at_length(model: Model, slope: float, *, spread: float = 0.3) -> Edited:
    """The surer it is, the shorter it reasons: `length`, for the item's fields["chance"]."""

    def thought(reply: Reply, prompt: Prompt, item: Item) -> Reply:
        (normal,) = normals(1, "length", item.id)
        return replace(reply, output_tokens=length(slope, item.fields["chance"], normal, spread=spread))

    return Edited(model, thought, f"chains that shrink by {slope} with the chance of being right")


def reflecting(model: Model, factor: float) -> Edited:
    """Says this part of its confidence where it judges a proposed answer."""

    def doubted(reply: Reply, prompt: Prompt, item: Item) -> Reply:
        form = prompt.form
        if form is None or form.target != PROPOSED:
            return reply
        stated = form.read(reply, item).confidence or 0.0
        return replace(reply, text=form.write(Answer("ok", confidence=round(factor * stated, 4)), item))

    return Edited(model, doubted, f"{factor} of its confidence when it reflects")


def cut(model: Model, rate: float) -> Edited:
    """A share of its replies is cut in half."""

    def halved(reply: Reply, prompt: Prompt, item: Item) -> Reply:
        return replace(reply, text=reply.text[: len(reply.text) // 2], finish="length")

    return Edited(model, halved, "cut in half", rate=rate)
