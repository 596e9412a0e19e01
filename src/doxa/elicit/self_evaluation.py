"""A model before its own knowledge: options in several formats, sampled answers, P(True)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from doxa.elicit.answers import Letter, Number, ShortText, TrueFalse
from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, answer_kind
from doxa.elicit.grading import is_correct
from doxa.elicit.knows import Knows
from doxa.elicit.ladder import ModelAsker
from doxa.elicit.option_sets import Unlabelled, none_of_the_above
from doxa.elicit.options import option_logprobs, permutation_averaged_belief
from doxa.elicit.p_true import PTrue, p_true
from doxa.elicit.shots import Shot, WithShots
from doxa.elicit.token_probability import token_logprobs
from doxa.records import Answer, DoxaError, Item, Prompt, Sampling

LETTERED, TEXTS, NONE, ORDERS = FORMATS = ("letters", "texts", "none of the above", "all orders")
ANSWERS: dict[str, TextForm] = dict(choice=Letter(), open=ShortText(), statement=TrueFalse(), number=Number())


def listed(text: str, known: Sequence[str]) -> list[str]:
    """Names with commas between. DoxaError: one that is not known."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in found if name not in known]:
        raise DoxaError(f"{', '.join(unknown)}: there is no such one; there are {', '.join(known)}")
    return found


def numbers(text: str) -> list[float]:
    """Numbers with commas between. DoxaError: something else."""
    try:
        return [float(number) for number in text.split(",") if number.strip()]
    except ValueError:
        raise DoxaError(f"{text!r}: give numbers with commas between, as 0,5") from None


def answer_form(item: Item) -> TextForm:
    """The form in which an item's answer is asked for and sampled."""
    return ANSWERS[answer_kind(item)]


def answered(item: Item, form: TextForm | None = None) -> Shot:
    """The item with its right answer, as an example. ValueError: the answer is not known."""
    asked = form or answer_form(item)
    if item.answer is None:
        raise ValueError(f"item {item.id!r} has no known answer and is no example")
    return asked.prompt(item), asked.write(Answer("ok", item.answer_letter if item.options else item.answer), item)


def verdict(item: Item, answer: str, right: bool) -> Shot:
    """An answer in canonical form that is called true or false, as an example."""
    form = PTrue(answer)
    return form.prompt(item), form.write(Answer("ok", str(right).lower()), item)


async def format_logprobs(ask: Asker, item: Item, way: str, examples: Sequence[Item] = ()) -> tuple[np.ndarray, int]:
    """Log-probabilities (c,), nats, of the options in one of `FORMATS`, and the place of the right one.

    "all orders" averages over the rotations, which takes out what a place or a letter adds. Labels and texts are scored
    whole, however many tokens they are.

    examples  items shown before with their right answers, in the same format
    raises    ValueError: an unknown format, or an answer that is none of the options
    """
    if way not in FORMATS:
        raise ValueError(f"way is {way!r}; it is one of {', '.join(FORMATS)}")
    if way == NONE:
        item, examples = none_of_the_above(item), [none_of_the_above(one) for one in examples]
    if item.answer not in item.options:
        raise ValueError(f"item {item.id!r} has the answer {item.answer!r}, which is none of {item.options}")
    right = item.options.index(item.answer)
    form: TextForm = Unlabelled() if way == TEXTS else Letter()
    asker = WithShots(ask, tuple(answered(one, form) for one in examples))
    if way == ORDERS:
        with np.errstate(divide="ignore"):
            return np.log(await permutation_averaged_belief(asker, item, mean="geometric")), right
    return await option_logprobs(asker, item, by="text" if way == TEXTS else "letter", form=form), right


class Questioner(ModelAsker, Protocol):
    """An asker that shows hidden states, if its model has any; `study.Ask` is one."""

    async def hidden_states(self, prompt: Prompt, *, layers: Sequence[int] | None = None) -> np.ndarray: ...


@dataclass(frozen=True)
class Sampled:
    """Answers to one question, and what was read before any of them.

    answers  as they were read; right: how many; text: all of them, a line each
    entropy  -mean log P(answer), nats, by the model's own probabilities; loss: mean of the greedy answer's tokens,
             nats; None: the model gives no log-probabilities
    state    hidden state behind the question, empty: the model shows none; stated: P(IK) in words, if asked for
    """

    answers: tuple[Answer, ...]
    right: int
    text: str
    entropy: float | None
    loss: float | None
    state: tuple[float, ...] = ()
    stated: float | None = None

    @property
    def values(self) -> list[str]:
        """Answers that could be read."""
        return [answer.value for answer in self.answers if answer.value is not None]

    def fields(self) -> dict[str, Any]:
        """What a row keeps of it."""
        n, read = len(self.answers), len(self.values)
        outcome = "ok" if read else self.answers[0].outcome
        kept = {name: getattr(self, name) for name in ("text", "entropy", "loss", "state", "stated")}
        return kept | {"truth": self.right / n, "samples": n, "unread": n - read, "outcome": outcome}


class Reading(NamedTuple):
    """How a question is read: n answers, each of so many tokens at most, at temperature 1; and before them

    layer   block whose hidden state is read, counted from 0, or from the end; width: see `projected`
    stated  ask for P(IK) in words, too
    """

    n: int = 10
    max_tokens: int = 32
    layer: int = -1
    width: int = 1024
    stated: bool = False


async def sampled(ask: Questioner, item: Item, prompt: Prompt, how: Reading) -> Sampled:
    """Answers, of which those that cannot be read count as wrong. ValueError: the right answer is not known."""
    n, most = how.n, how.max_tokens
    form, tokens = answer_form(item), 0 if "logprobs" in ask.model.capabilities else None
    replies = await ask.sample(prompt, Sampling(n=n, temperature=1.0, max_tokens=most, top_logprobs=tokens))
    answers = tuple(form.read(reply, item) for reply in replies)
    greedy = await ask.sample(prompt, Sampling(max_tokens=most, top_logprobs=0)) if tokens == 0 else []
    likely = token_logprobs(greedy[0]) if greedy else None
    drawn = [found.reply for found in map(token_logprobs, replies) if found is not None]
    said = await ask.sample(Knows().prompt(item), Sampling(max_tokens=16)) if how.stated else []
    return Sampled(
        answers,
        sum(is_correct(answer.value, item) for answer in answers),
        "\n".join(reply.text for reply in replies),
        -sum(drawn) / n if len(drawn) == n and all(map(math.isfinite, drawn)) else None,
        -likely.reply / likely.tokens if likely and math.isfinite(likely.reply) else None,
        await _state(ask, prompt, how.layer, how.width) if "hidden_states" in ask.model.capabilities else (),
        Knows().read(said[0], item).confidence if said else None,
    )


async def _state(ask: Questioner, prompt: Prompt, layer: int, width: int) -> tuple[float, ...]:
    """The last token's, to four digits."""
    found = await ask.hidden_states(prompt, layers=None if layer < 0 else [layer])
    return tuple(float(f"{value:.4g}") for value in projected(found[layer if layer < 0 else 0, 0], width))


def projected(state: np.ndarray, width: int) -> np.ndarray:
    """A hidden state (d,) on `width` fixed random directions, where it is wider.

    Distances are kept within a few per cent; the directions are the same for all states of one width d.

    >>> projected(np.ones(3), 4).tolist()
    [1.0, 1.0, 1.0]
    """
    if len(state) <= width:
        return state
    directions = np.random.default_rng(len(state)).standard_normal((width, len(state)))
    return np.asarray(directions @ state / np.sqrt(width))


def brainstormed(judged: str, values: Sequence[str]) -> tuple[str, ...]:
    """Samples in the order in which they were drawn, the judged one in the place of the last if it is not among them.

    >>> brainstormed("c", ["a", "b"]), brainstormed("a", ["a", "b"])
    (('a', 'c'), ('a', 'b'))
    """
    return tuple(values if judged in values else [*values[:-1], judged] if values else ())


async def judged(
    ask: Asker, item: Item, answer: str, values: Sequence[str] = (), shots: Sequence[Shot] = ()
) -> tuple[float | None, float | None]:
    """P(True) of an answer, alone and after a list of samples; None: not asked for, or it has no value.

    answer, values  in canonical form
    """
    asker, ideas = WithShots(ask, tuple(shots)), brainstormed(answer, values)
    alone = await p_true(asker, item, answer)
    after = await p_true(asker, item, answer, brainstorm=ideas) if ideas else math.nan
    return (None if math.isnan(alone) else alone), (None if math.isnan(after) else after)
