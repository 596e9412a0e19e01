"""What a run would take, before it runs: calls, tokens, money; found by rehearsing a few items without a model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from doxa.models.base import Context, Model, check_needs
from doxa.records import Answer, DoxaError, Form, Item, Prompt, Reply, Sampling, Score, Token
from doxa.runs.beside import opened
from doxa.runs.loop import carry_out
from doxa.study import Ask, Study

REHEARSED = 8
CHARACTERS_PER_TOKEN = 4  # of English text, by the usual tokenizers; used where a model cannot count


@dataclass(frozen=True)
class Plan:
    """What asking `items` items would take.

    calls, input_tokens, output_tokens  expected: what the rehearsed items took, scaled to all of them
    output_tokens_at_most               if every reply were as long as it may be
    money, money_at_most                by the model's price; None: it has none
    rehearsed                           items that the numbers rest on
    left_out                            rehearsed items that failed, with the reason; in no number
    beside                              the same of each model beside the one that is asked, such as a judge
    """

    study: str
    model: str
    items: int
    calls: int
    input_tokens: int
    output_tokens: int
    output_tokens_at_most: int
    money: float | None
    money_at_most: float | None
    rehearsed: int
    left_out: tuple[str, ...] = ()
    beside: tuple[Plan, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.study} on {self.model}: {self.items:,} items, about {self.calls:,} calls, "
            f"{self.input_tokens:,} tokens in, {self.output_tokens:,} out (at most {self.output_tokens_at_most:,})"
        ]
        if self.money is not None:
            lines.append(f"about {self.money:,.2f} in money, at most {self.money_at_most:,.2f}")
        lines += [
            f"beside it {other.model}: about {other.calls:,} calls, {other.input_tokens:,} tokens in, "
            f"{other.output_tokens:,} out (at most {other.output_tokens_at_most:,})"
            for other in self.beside
        ]
        lines.append(f"estimated from {self.rehearsed} rehearsed items")
        lines += [f"left out of the estimate: {reason}" for reason in self.left_out]
        return "\n".join(lines)


def plan(
    study: Study,
    model: Model,
    options: Any | None = None,
    items: Sequence[Item] | None = None,
    *,
    limit: int | None = None,
) -> Plan:
    """Rehearse `collect` on up to 8 items, spread over all of them, and scale. The model is asked nothing.

    Replies are well-formed ones that each prompt's form writes, and empty where a prompt has no form; so a study
    that goes on until something is said may take more than planned.

    raises  MissingCapability; NotOpened: no such judge or opponent; DoxaError: no items, or no rehearsed item came
            to its end
    """
    options = study.options() if options is None else options
    check_needs(study.needed(options), model, f"study {study.name!r}")
    chosen = study.items(options) if items is None else items
    n = len(chosen) if limit is None else min(limit, len(chosen))
    if n < 1:
        raise DoxaError("there are no items to plan for; check the limit, the filter, or the file of items")
    places = np.unique(np.linspace(0, n - 1, min(n, REHEARSED)).round().astype(int))
    teams, left_out = carry_out(lambda: _rehearse(study, options, [chosen[i] for i in places], model))
    if not teams:
        raise DoxaError(f"study {study.name!r} could not be rehearsed, so there is no plan: {left_out[0]}")

    def planned(of: Model, taken: Sequence[_Cost], **more: Any) -> Plan:
        def scaled(name: str) -> int:
            return math.ceil(sum(getattr(cost, name) for cost in taken) * n / len(teams))

        tokens = scaled("input_tokens"), scaled("output_tokens")
        at_most, price = scaled("output_tokens_at_most"), of.price
        return Plan(
            study=study.name,
            model=of.address,
            items=n,
            calls=scaled("calls"),
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            output_tokens_at_most=at_most,
            money=None if price is None else price.cost(*tokens),
            money_at_most=None if price is None else price.cost(tokens[0], at_most),
            rehearsed=len(teams),
            **more,
        )

    others = {address: other for team in teams for address, other in team.beside.items()}
    beside = [planned(others[a], [team.beside[a].cost for team in teams if a in team.beside]) for a in others]
    return planned(model, [team.asked.cost for team in teams], left_out=tuple(left_out), beside=tuple(beside))


@dataclass
class _Cost:
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    output_tokens_at_most: int = 0


async def _rehearse(study: Study, options: Any, items: Sequence[Item], model: Model) -> tuple[list[_Team], list[str]]:
    done, left_out = [], []
    others: dict[str, Model] = {}
    for item in items:
        team = _Team(_Understudy(model), others)
        try:
            async for _ in study.collect(item, Ask(team.asked, item, opens=team), options):
                pass
        except Exception as error:
            if getattr(error, "fatal", False):  # as in a run
                raise
            kind = "" if isinstance(error, DoxaError) else f", {type(error).__name__}"
            left_out.append(f"item {item.id!r}{kind}: {error}")
        else:
            done.append(team)
    for other in others.values():
        await other.close()
    return done, left_out


@dataclass
class _Understudy(Model):
    """Answers in the place of `model`, at no cost, and notes what the call would have cost."""

    model: Model
    cost: _Cost = field(default_factory=_Cost)

    def __post_init__(self) -> None:
        self.address = self.model.address
        self.capabilities = self.model.capabilities
        self.price = self.model.price
        self._count = cast(Callable[[str], int], getattr(self.model, "count_tokens", _by_characters))

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        text = written_reply(prompt, context)
        tokens = self._count(text)
        self._note(prompt, min(tokens, sampling.max_tokens) * sampling.n, sampling.max_tokens * sampling.n)
        chosen = None if sampling.top_logprobs is None else (Token(text, -0.1, ((text, -0.1),)),)
        return [Reply(text, tokens=chosen)] * sampling.n

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        self._note(prompt, 0, 0)
        self.cost.input_tokens += sum(self._count(text) for text in continuations)
        logprob = -math.log(len(continuations))
        return [Score(text, logprob, (Token(text, logprob),)) for text in continuations]

    async def hidden_states(
        self, prompt: Prompt, *, layers: Sequence[int] | None = None, positions: Sequence[int] = (-1,)
    ) -> np.ndarray:
        self._note(prompt, 0, 0)
        return np.zeros((1 if layers is None else len(layers), len(positions), 1))

    def _note(self, prompt: Prompt, tokens_out: int, at_most: int) -> None:
        self.cost.calls += 1
        self.cost.input_tokens += self._count(prompt.show())
        self.cost.output_tokens += tokens_out
        self.cost.output_tokens_at_most += at_most


@dataclass
class _Team:
    """Who answers about one item: in the place of the model that is asked, and of those beside it, by address.

    others  the models themselves, opened so that it is known what they can do, and asked nothing
    """

    asked: _Understudy
    others: dict[str, Model]
    beside: dict[str, _Understudy] = field(default_factory=dict)

    def __call__(self, address: str) -> Model:
        if address not in self.others:
            self.others[address] = opened(address)
        return self.beside.setdefault(address, _Understudy(self.others[address]))


def _by_characters(text: str) -> int:
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def written_reply(prompt: Prompt, context: Context | None = None) -> str:
    """A reply that the prompt's form reads without complaint; "" when it has no form, or none can be written."""
    item = prompt.item or (context.item if context is not None else None)
    if prompt.form is None or item is None:
        return ""
    for answer in _answers(prompt.form, item):
        try:
            text = prompt.form.write(answer, item)
            if prompt.form.read(text, item).outcome == "ok":
                return text
        except Exception:  # not an answer that this form can express: the next one
            continue
    return ""


def _answers(form: Form, item: Item) -> Iterator[Answer]:
    example = getattr(form, "example", None)  # the forms of elicit know the shape of their answers
    if callable(example):
        yield example(item)
    for value in (item.answer_letter, item.answer, "A", "true", "yes", "1", "text"):
        if value is not None:
            plain = Answer("ok", value, 0.7)
            yield plain
            yield dataclasses.replace(plain, guesses=((value, 0.7),), steps=(0.7,))
