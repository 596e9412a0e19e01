"""The nouns: Item, Prompt, Reply, Answer, Reading, Estimate, Findings. Frozen, and free of any other part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

Kind = Literal["statement", "choice", "open", "number", "scenario"]
Outcome = Literal["ok", "refused", "abstained", "truncated", "ambiguous", "unparsed", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "refused", "abstained", "truncated", "ambiguous", "unparsed", "failed")
Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "refusal", "error"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class DoxaError(Exception):
    """An error that its message explains: what was received, the rule, the way out. Shown without a traceback."""


class MissingCapability(DoxaError):
    """A study needs something that the model cannot do."""


@dataclass(frozen=True)
class Item:
    """Something to ask about.

    answer      the truth as text: the right option's text, "true" or "false", free text, or a number;
                None: nobody can know, or the truth is not known to us
    accepted    other spellings that are right
    group       items that are not independent share one (intervals are clustered by it); None: the item alone
    popularity  in [0, 1], 1 is the best known
    """

    id: str
    text: str
    kind: Kind = "open"
    options: tuple[str, ...] = ()
    answer: str | None = None
    accepted: tuple[str, ...] = ()
    group: str | None = None
    popularity: float | None = None
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cluster(self) -> str:
        """The group for clustered intervals: `group`, or the item's own id."""
        return self.group if self.group is not None else self.id

    @property
    def answer_letter(self) -> str | None:
        """Letter of the right option as the options stand ("A" for the first); None without options or truth."""
        return LETTERS[self.options.index(self.answer)] if self.answer in self.options else None


@dataclass(frozen=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str


@dataclass(frozen=True)
class Prompt:
    """What is sent: chat messages, or plain text that is continued as it stands.

    `form` (how the reply is to be read and written) and `item` (the item as shown) travel beside the text
    for simulated respondents; they are no part of what a real model sees, nor of equality.
    """

    messages: tuple[Message, ...] = ()
    text: str | None = None
    form: Form | None = field(default=None, compare=False, repr=False)
    item: Item | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if bool(self.messages) == (self.text is not None):
            raise ValueError("a Prompt holds either messages or text: give exactly one of them")

    @classmethod
    def user(
        cls, content: str, *, system: str | None = None, form: Form | None = None, item: Item | None = None
    ) -> Prompt:
        """A chat of one user turn, after an optional system message."""
        head = (Message("system", system),) if system is not None else ()
        return cls(messages=(*head, Message("user", content)), form=form, item=item)

    def then(self, reply: str, user: str, *, form: Form | None = None) -> Prompt:
        """The chat after `reply` was given and `user` was said."""
        if self.text is not None:
            raise ValueError("a plain-text prompt has no turns; build it from messages to continue it")
        turns = (*self.messages, Message("assistant", reply), Message("user", user))
        return replace(self, messages=turns, form=form)

    def show(self) -> str:
        """The prompt as a person reads it."""
        if self.text is not None:
            return self.text
        return "\n\n".join(f"[{m.role}]\n{m.content}" for m in self.messages)


@dataclass(frozen=True)
class Sampling:
    """How to generate. Everything here can change an answer, so all of it is part of the store's key.

    temperature    0: greedy. max_tokens, reasoning_tokens: tokens
    top_logprobs   None: no token log-probabilities; 0: of the chosen tokens; k: also of the k likeliest
    """

    n: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int = 0
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    reasoning_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.n < 1 or self.max_tokens < 1:
            raise ValueError(f"n is {self.n} and max_tokens {self.max_tokens}; both are at least 1")
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ValueError(f"temperature is {self.temperature} (0 or more), top_p {self.top_p} (in (0, 1])")


@dataclass(frozen=True)
class Token:
    """One token with its natural log-probability and, when asked for, the likeliest alternatives."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Reply:
    """One answer of a model.

    finish  "length": it was cut; "refusal": the server or the model declined; "error": there is no answer
    """

    text: str
    finish: Finish = "stop"
    tokens: tuple[Token, ...] | None = None
    reasoning: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Score:
    """Natural log-probability of one whole continuation, summed and by token."""

    continuation: str
    logprob: float
    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a parser read from a reply.

    value       canonical: a letter "A", "yes"/"no", "true"/"false", a number as text, or free text; None: not read
    confidence  probability in [0, 1]; what it is the probability of is said by the form (`Form.target`)
    guesses     ranked (value, probability) pairs of a top-k form
    steps       confidences of the steps of a multi-step form
    note        why there is no answer, or the reasoning that came with it
    """

    outcome: Outcome
    value: str | None = None
    confidence: float | None = None
    guesses: tuple[tuple[str, float], ...] = ()
    steps: tuple[float, ...] = ()
    note: str = ""


class Form(Protocol):
    """A way of asking: builds the prompt, reads the reply, and (its inverse) writes a well-formed reply."""

    @property
    def name(self) -> str: ...
    @property
    def target(self) -> str:
        """What `Answer.confidence` is the probability of, e.g. "this answer is correct" or "yes"; "" without one."""

    def prompt(self, item: Item) -> Prompt: ...
    def read(self, reply: Reply | str, item: Item | None = None) -> Answer: ...
    def write(self, answer: Answer, item: Item | None = None) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One answer to one asking, parsed: the row of the table. A study's Row adds its own fields.

    condition  the arm of a comparison; sample: index from 0; text: the reply that was read
    group      for clustered intervals; filled in by the runner from the item when left empty
    """

    item: str
    condition: str = "neutral"
    sample: int = 0
    outcome: Outcome = "ok"
    text: str = ""
    group: str | None = None


class IntervalLike(Protocol):
    """A value with its 95 % limits, what it rests on and how the limits were made."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def n(self) -> int: ...
    @property
    def method(self) -> str: ...


@dataclass(frozen=True)
class Estimate:
    """One number with its 95 % interval.

    n         what it rests on, counted in `unit`s of observation (items, readings)
    outcomes  how many readings had which outcome, unread ones included
    bounds    the value if every unread answer were wrong, and if every one were right
    null      the same quantity on shuffled truth
    method    how the interval was made, e.g. "wilson", "bca, clustered"
    section   heading under which the report shows it
    """

    name: str
    value: float
    low: float = float("nan")
    high: float = float("nan")
    n: int = 0
    unit: str = ""
    method: str = ""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    null: float | None = None
    section: str = ""
    note: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        interval: IntervalLike,
        *,
        unit: str = "",
        outcomes: Mapping[str, int] | None = None,
        bounds: tuple[float, float] | None = None,
        section: str = "",
        note: str = "",
    ) -> Estimate:
        """An estimate from an interval as `doxa.metrics` returns it."""
        return cls(
            name,
            interval.value,
            interval.low,
            interval.high,
            interval.n,
            unit,
            interval.method,
            outcomes or {},
            bounds,
            section=section,
            note=note,
        )


@dataclass(frozen=True)
class Table:
    """A table of findings: column names, then rows of text and numbers. `section` as in Estimate."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    section: str = ""
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite specification with its data inside (a dictionary, so that it is stored as JSON)."""

    name: str
    spec: Mapping[str, Any]
    section: str = ""
    note: str = ""

    @classmethod
    def later(cls, draw: Callable[[], Mapping[str, Any]], name: str, section: str = "", note: str = "") -> Chart:
        """A chart whose `spec` is drawn when it is first asked for: most are never looked at while one validates."""
        chart = object.__new__(cls)
        chart.__dict__.update(name=name, section=section, note=note, _draw=draw)
        return chart

    if not TYPE_CHECKING:  # for a type checker, names that Chart does not have stay errors

        def __getattr__(self, name: str) -> Any:
            if name != "spec" or "_draw" not in self.__dict__:
                raise AttributeError(f"Chart has no {name!r}")
            self.__dict__["spec"] = spec = self._draw()
            return spec

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "spec": self.spec, "section": self.section, "note": self.note}


@dataclass(frozen=True)
class Claim:
    """A published figure beside the one measured here (nan: not measured in this run)."""

    name: str
    published: float
    setting: str
    measured: float = float("nan")
    estimate: str = ""


@dataclass(frozen=True)
class Findings:
    """What a study found: estimates, tables, charts, claims, and notes in words."""

    estimates: tuple[Estimate, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        """The value of the estimate called `name`."""
        return self.estimate(name).value

    def __contains__(self, name: str) -> bool:
        return any(e.name == name for e in self.estimates)

    def estimate(self, name: str) -> Estimate:
        """The estimate called `name`; KeyError lists what there is."""
        for e in self.estimates:
            if e.name == name:
                return e
        raise KeyError(f"no estimate {name!r}; there are: {', '.join(e.name for e in self.estimates) or 'none'}")

    def table(self, name: str) -> Table:
        """The table called `name`; KeyError lists what there is."""
        for t in self.tables:
            if t.name == name:
                return t
        raise KeyError(f"no table {name!r}; there are: {', '.join(t.name for t in self.tables) or 'none'}")


def finite(value: Any) -> Any:
    """The same lists, dicts and values with None for undefined and infinite numbers, which JSON has no word for.

    >>> finite({"sd": [0.5, float("nan")]})
    {'sd': [0.5, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: finite(inner) for name, inner in value.items()}
    return [finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def count_outcomes(outcomes: Sequence[str]) -> dict[str, int]:
    """How many readings had which outcome, in the order of OUTCOMES, absent ones left out."""
    seen = list(outcomes)
    return {o: seen.count(o) for o in OUTCOMES if o in seen}
