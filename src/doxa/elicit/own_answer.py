"""A model's own answer and its internal confidence in it, as published for options and for short answers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from doxa.elicit.answers import Letter, Number, ShortText, TrueFalse
from doxa.elicit.form import TextForm, answer_kind
from doxa.elicit.ladder import Climb, ModelAsker, confidence
from doxa.elicit.options import option_belief, statement_belief
from doxa.elicit.p_true import p_true
from doxa.elicit.samples import sample_answers
from doxa.records import LETTERS, Answer, Item, Kind, Sampling

Internal = Literal["logprobs", "samples", "words"]

_FORMS: dict[Kind, TextForm] = {
    "choice": Letter(),
    "statement": TrueFalse(),
    "number": Number(),
    "open": ShortText(),
}


async def own_answer(
    ask: ModelAsker, item: Item, internal: Internal, climb: Climb, *, idea_tokens: int = 64
) -> tuple[Answer, str]:
    """The model's answer in canonical form with its confidence that this answer is right, and the reply's text.

    internal  "logprobs": of options (and true, false) the likeliest one, with its probability among them; to other
              questions the greedy answer, with P(True) after `climb.samples` sampled ideas are shown.
              "samples", "words": the greedy answer with that rung of `elicit.ladder`, for models that only generate
    returns   an answer without value when none was read; without confidence ("unparsed") when that was not
    source    arXiv 2401.13835, sec. on internal confidence; the short-answer part is reconstructed
    """
    kind, arm = answer_kind(item), climb.condition
    if internal == "logprobs" and kind in ("choice", "statement"):
        return await _likeliest(ask, item, kind, arm), ""
    form = _FORMS[kind]
    (reply,) = await ask.sample(form.prompt(item), Sampling(max_tokens=climb.max_tokens), condition=arm)
    given = form.read(reply, item)
    if given.outcome != "ok" or given.value is None:
        return given, reply.text
    if internal == "logprobs":
        sampled = await sample_answers(
            *(ask, form, item, climb.samples), temperature=climb.temperature, max_tokens=idea_tokens, condition=arm
        )
        ideas = [a.value for a, _ in sampled if a.outcome == "ok" and a.value is not None]
        sure = await p_true(ask, item, given.value, brainstorm=(given.value, *ideas), condition=arm)
    else:
        sure = (await confidence(ask, item, form, given.value, internal, climb=climb)).value
    return _with_confidence(given.value, sure), reply.text


async def _likeliest(ask: ModelAsker, item: Item, kind: Kind, arm: str) -> Answer:
    if kind == "choice":
        belief = await option_belief(ask, item, condition=arm)
        names: tuple[str, ...] = tuple(LETTERS[: len(item.options)])
    else:
        true = await statement_belief(ask, item, condition=arm)
        belief, names = np.array([true, 1 - true]), ("true", "false")
    if np.isnan(belief).any():
        return Answer("unparsed", note="no option has any probability")
    best = int(np.argmax(belief))
    return _with_confidence(names[best], float(belief[best]))


def _with_confidence(value: str, sure: float) -> Answer:
    if sure != sure:
        return Answer("unparsed", value, note="an answer, but no confidence in it could be read")
    return Answer("ok", value, min(max(sure, 0.0), 1.0))
