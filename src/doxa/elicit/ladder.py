"""The confidence ladder: the best reading of confidence that a model can give, and if it cannot, the next one down."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, get_args

from doxa.elicit.answers import Letter, TrueFalse
from doxa.elicit.asker import Asker
from doxa.elicit.form import CORRECT, answer_kind
from doxa.elicit.grading import normalised
from doxa.elicit.options import option_belief, statement_belief
from doxa.elicit.p_true import p_true
from doxa.elicit.samples import by_consistency, sample_answers
from doxa.elicit.verbal import SelfProbing
from doxa.models.base import WAY_OUT, Model
from doxa.records import LETTERS, Answer, Form, Item, MissingCapability, Sampling

Rung = Literal["option log-probabilities", "P(True)", "samples", "words"]
LADDER: tuple[Rung, ...] = get_args(Rung)
"""From the best reading down: it costs least and says most where a model can give it."""
NEEDS: dict[Rung, Literal["score", "generate"]] = {
    "option log-probabilities": "score",
    "P(True)": "score",
    "samples": "generate",
    "words": "generate",
}


class ModelAsker(Asker, Protocol):
    """An asker that says whom it asks; `study.Ask` is one."""

    @property
    def model(self) -> Model: ...


class Confidence(NamedTuple):
    """Probability in [0, 1] that an answer is right, and the rung it was read on; nan: it could not be read."""

    value: float
    rung: Rung


@dataclass(frozen=True)
class Climb:
    """How the rungs are asked.

    samples, temperature  of the samples; max_tokens: of each reply, the one in words too
    condition             the arm of a comparison
    """

    samples: int = 10
    temperature: float = 1.0
    max_tokens: int = 256
    condition: str = "neutral"


def rungs(model: Model, item: Item) -> tuple[Rung, ...]:
    """The rungs that a model can give for an item, the best first; empty: none.

    Log-probabilities of the options need options or a statement; everything else depends on the model alone.
    """
    closed = answer_kind(item) in ("choice", "statement")
    return tuple(r for r in LADDER if NEEDS[r] in model.capabilities and (closed or r != "option log-probabilities"))


async def confidence(
    ask: ModelAsker,
    item: Item,
    form: Form,
    answer: str,
    rung: Rung | Literal["best"] = "best",
    *,
    climb: Climb | None = None,
) -> Confidence:
    """Confidence that `answer` is right, and the rung it was read on.

    form    in which the question was answered: samples are asked in it, and where it states the confidence of its own
            answer, and gives this answer again, that is the confidence in words; else words are `SelfProbing`'s
    answer  in canonical form: a letter for an item with options, "true" or "false" for a statement, else text
    rung    one of `LADDER`, which is then read or refused; "best": the first that the model can give, and the next
            one down where the reply to it could not be read
    climb   samples, temperature, length and condition (default: `Climb()`)
    returns nan with the last rung tried when nothing could be read
    raises  MissingCapability: the model cannot give this rung, or any; ValueError: no such rung, or an answer that the
            item does not have
    """
    if rung != "best" and rung not in LADDER:
        raise ValueError(f"rung is {rung!r}; it is 'best' or one of {', '.join(LADDER)}")
    _check(answer, item)
    able = rungs(ask.model, item)
    wanted = able if rung == "best" else (rung,)
    if not wanted or not set(wanted) <= set(able):
        raise _missing(ask.model, item, rung, able)
    found = Confidence(math.nan, wanted[0])
    for name in wanted:
        found = Confidence(await _READ[name](ask, item, form, answer, climb or Climb()), name)
        if not math.isnan(found.value):
            break
    return found


async def confidences(
    ask: ModelAsker, item: Item, form: Form, answer: str, *, climb: Climb | None = None
) -> dict[Rung, float]:
    """Confidence that `answer` is right on each rung that the model can give (nan: not read), for a cross-walk."""
    able = rungs(ask.model, item)
    return {r: (await confidence(ask, item, form, answer, r, climb=climb)).value for r in able}


def _check(answer: str, item: Item) -> None:
    kind = answer_kind(item)
    allowed = {"choice": tuple(LETTERS[: len(item.options)]), "statement": ("true", "false")}.get(kind)
    if allowed is not None and answer not in allowed:
        raise ValueError(f"answer is {answer!r}; for item {item.id!r} it is one of {', '.join(allowed)}")


def _missing(model: Model, item: Item, rung: str, able: tuple[Rung, ...]) -> MissingCapability:
    way_out = WAY_OUT["score" if rung == "best" else NEEDS[rung]]  # type: ignore[index]
    if rung in LADDER and NEEDS[rung] in model.capabilities:
        way_out = "Options or a statement are needed: turn the item into one, or name another rung."
    return MissingCapability(
        f"{model.address!r} cannot give the confidence {rung!r} in an answer to item {item.id!r}, of kind "
        f"{item.kind!r}; it can give: {', '.join(able) or 'none'}. {way_out}"
    )


# --- the rungs -------------------------------------------------------------------------------------------------------


async def _by_options(ask: ModelAsker, item: Item, form: Form, answer: str, climb: Climb) -> float:
    if answer_kind(item) == "statement":
        said = form if isinstance(form, TrueFalse) else None
        true = await statement_belief(ask, item, form=said, condition=climb.condition)
        return true if answer == "true" else 1 - true
    lettered = form if isinstance(form, Letter) else None
    return float((await option_belief(ask, item, form=lettered, condition=climb.condition))[LETTERS.index(answer)])


async def _by_p_true(ask: ModelAsker, item: Item, form: Form, answer: str, climb: Climb) -> float:
    return await p_true(ask, item, answer, condition=climb.condition)


async def _by_samples(ask: ModelAsker, item: Item, form: Form, answer: str, climb: Climb) -> float:
    """Share of the samples that could be read and give this answer; nan: none could be read."""
    sampled = await sample_answers(
        ask,
        form,
        item,
        climb.samples,
        temperature=climb.temperature,
        max_tokens=climb.max_tokens,
        condition=climb.condition,
    )
    agreement = by_consistency([given for given, _ in sampled])
    return agreement.of(answer) if agreement.n else math.nan


async def _by_words(ask: ModelAsker, item: Item, form: Form, answer: str, climb: Climb) -> float:
    """The confidence stated with the same answer, or else what is said of the answer when it is proposed."""
    if form.target == CORRECT:
        said = await _said(ask, item, form, climb)
        if said.value is not None and said.confidence is not None and normalised(said.value) == normalised(answer):
            return said.confidence
    probed = await _said(ask, item, SelfProbing(answer), climb)
    return math.nan if probed.confidence is None else probed.confidence


async def _said(ask: ModelAsker, item: Item, form: Form, climb: Climb) -> Answer:
    sampling = Sampling(max_tokens=climb.max_tokens)
    (reply,) = await ask.sample(form.prompt(item), sampling, condition=climb.condition)
    return form.read(reply, item)


_READ: dict[Rung, Callable[[ModelAsker, Item, Form, str, Climb], Coroutine[Any, Any, float]]] = {
    "option log-probabilities": _by_options,
    "P(True)": _by_p_true,
    "samples": _by_samples,
    "words": _by_words,
}
