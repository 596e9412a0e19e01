"""A simulated respondent: no weights, declared parameters; answers the real prompts of a study through their forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from doxa.models import simulated_rules as rules
from doxa.models import simulated_wording as wording
from doxa.models.base import Context, Model
from doxa.models.simulated_rules import ABSTAIN, Abstention, Belief, BeliefRule, ConfidenceRule, Key, uniforms
from doxa.records import Answer, DoxaError, Form, Item, Prompt, Reply, Sampling, Score, Token

Decide = Callable[[Item, Context, Prompt], Mapping[str, float]]


@dataclass(frozen=True)
class _Asked:
    """One prompt as the respondent takes it: what it may say, and how probable it is that it says so.

    belief     (c,) over the words, before admitting and following a hint
    likeliest  place of the greedy answer; hint: of the hinted one
    admission  place of the option that admits, where a rule says how often it does
    surety     belief in any answer it gives; stated: the confidence it states, when that is known already
    key        what draws depend on
    """

    form: Form
    shown: Item
    words: wording.Words
    belief: tuple[float, ...]
    likeliest: int
    key: Key
    abstains: float = 0.0
    follows: float = 0.0
    hint: int | None = None
    admission: int | None = None
    surety: float | None = None
    stated: float | None = None

    @property
    def choices(self) -> int:
        """How many values the belief is spread over."""
        return len(self.belief) - (self.admission is not None)

    def answers(self) -> tuple[list[float], float]:
        """Probability of each value, (c,), and of admitting in words."""
        follows = self.follows if self.hint is not None else 0.0
        said = [(1 - self.abstains) * (1 - follows) * p for p in self.belief]
        if self.hint is not None:
            said[self.hint] += (1 - self.abstains) * follows
        if self.admission is None:
            return said, self.abstains
        said[self.admission] += self.abstains
        return said, 0.0


@dataclass(frozen=True, eq=False)
class Respondent(Model):
    """Answers as its parameters say, from the item that is asked about and the form that the prompt asks in.

    An answer comes about in this order. With probability `format_errors` the reply is out of format. Else, with the
    probability of `abstains`, it admits not to know (by the item's admission option, where there is one). Else, where
    the prompt hints at an answer, it gives that one with probability `follows`. Else it answers from its belief,

        softmax((log content + position[place] + label[value] + pressure[if hinted] + noise) / temperature)

    belief       content: Uniform, Holder, Skill, Dirichlet, Forecast, Planted, or a function of (item, key)
    decide       content straight from (item as shown, context, prompt): answer -> probability, instead of `belief`;
                 answers are canonical values, options' texts, or ABSTAIN; what is left out has probability 0
    confidence   (belief in the answer, number of values) -> the confidence it states
    abstains     probability of admitting: a number, by tag or kind, or a function of the item; None: an admission
                 among the options is an option like any other
    follows      probability of giving the hinted answer: a number or a function of the item
    hinted       finds the hinted answer in a prompt
    pressure     logit added to the hinted answer
    position     logits by place as shown; label: logits by value, e.g. {"A": 2}
    noise        standard deviation of a logit drawn afresh for every prompt and condition (retest noise)
    decoding     "draw": the answer is drawn; at temperature 0 the same draw each time, so that rates over items are
                 the planted ones; "greedy": at temperature 0 the likeliest (or the belief's favourite), as a decoder
                 does; "modal": that one at any temperature
    unit         beliefs are held per "item", or per "group", so that all wordings of one fact are answered alike

    `Sampling.temperature` above 0 makes draws fresh; it does not reshape the planted probabilities. What is drawn
    depends on seed, item, condition, prompt and sample alone. Without a form the reply is the bare value. A form may
    say more about itself by attributes: `answer` (a proposed answer to judge), `options` (for items without any),
    `k` (guesses to list), `steps` (steps to rate). max_tokens and stop do not apply.

    Log-probabilities, in nats, are those of the answer at temperature 1, whatever the decoding. `score` gives
    log P(the value that the continuation is read as), -inf for other texts: exact for forms with one value. A
    confidence beside a value counts as certain; alone, it is 0 if it is the one that would be stated, else -inf.
    With top_logprobs a reply is one token.

    raises    DoxaError from generate and score: no item, a field that a rule reads is missing, no probability, an
              answer that the form cannot say
    """

    address: str = "simulated:respondent"
    belief: BeliefRule = field(default_factory=rules.Uniform)
    decide: Decide | None = None
    confidence: ConfidenceRule = rules.calibrated
    abstains: Abstention | None = None
    follows: float | Callable[[Item], float] = 0.0
    hinted: Callable[[Prompt], str | None] = wording.hint_of
    pressure: float = 0.0
    position: tuple[float, ...] = ()
    label: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    noise: float = 0.0
    format_errors: float = 0.0
    decoding: Literal["draw", "greedy", "modal"] = "draw"
    unit: Literal["item", "group"] = "item"
    seed: int = 0
    _styles: dict[Any, str] = field(default_factory=dict, init=False, repr=False)

    capabilities = frozenset({"generate", "logprobs", "score"})
    stored = False

    def __post_init__(self) -> None:
        rules.check_probability("format_errors", self.format_errors)
        if self.temperature <= 0 or self.noise < 0:
            raise DoxaError(f"temperature is {self.temperature} (above 0), noise {self.noise} (0 or more)")
        for name, allowed in (("decoding", ("draw", "greedy", "modal")), ("unit", ("item", "group"))):
            if getattr(self, name) not in allowed:
                raise DoxaError(f"{name} is {getattr(self, name)!r}; it is one of {', '.join(allowed)}")

    @property
    def identity(self) -> Mapping[str, Any]:
        return {f.name: _declared(getattr(self, f.name)) for f in fields(self) if f.init}

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        """`sampling.n` replies; at temperature 0 they are the same."""
        asked = self._asked(prompt, context or Context())
        if sampling.temperature == 0:
            return [self._reply(asked, sampling, ("greedy",))] * sampling.n
        return [self._reply(asked, sampling, (sampling.seed, sample)) for sample in range(sampling.n)]

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        """Log-probability of each continuation, nats: that of the value it is read as, see the class."""
        asked = self._asked(prompt, context or Context())
        logprobs = [_log(self._probability(asked, text)) for text in continuations]
        return [Score(text, p, (Token(text, p),)) for text, p in zip(continuations, logprobs, strict=True)]

    # --- from a prompt to probabilities

    def _asked(self, prompt: Prompt, context: Context) -> _Asked:
        shown = prompt.item or context.item
        if shown is None:
            raise DoxaError(f"{self.address} is not told what is asked about: Prompt.item and Context.item are not set")
        true, text = context.item or shown, prompt.show()
        form: Form = prompt.form or wording.Bare()
        held: Key = (self.seed, true.cluster if self.unit == "group" else true.id)
        asking: Key = (*held, context.condition, rules.mark(text))
        item = wording.merged(true, shown, form)
        admission = wording.admission_of(item)
        content, abstains = self._content(item, shown, admission, held, Context(true, context.condition), prompt)

        ways, proposed, hint = wording.wordings(item, text), getattr(form, "answer", None), self.hinted(prompt)
        said = next(iter(ways.values())) if isinstance(proposed, str) else self._said(form, shown, ways)
        words = wording.Words.of(item, said, (*content.probabilities, *([hint] if hint is not None else [])))
        asked = _Asked(
            form,
            shown,
            words,
            *self._belief(content, words, None if hint is None else words.place(hint), asking),
            key=asking,
            abstains=abstains,
            follows=rules.check_probability("follows", self.follows(item) if callable(self.follows) else self.follows),
            hint=None if hint is None else words.place(hint),
            admission=admission if self.abstains is not None or abstains else None,
            surety=content.surety,
        )
        return self._judging(asked, proposed) if isinstance(proposed, str) else asked

    def _content(
        self, item: Item, shown: Item, admission: int | None, held: Key, context: Context, prompt: Prompt
    ) -> tuple[Belief, float]:
        """What it believes before any bias, and the probability that it admits."""
        abstains = 0.0 if self.abstains is None else rules.probability_abstains(self.abstains, item)
        if self.decide is not None:
            decided = rules.check_distribution(dict(self.decide(shown, context, prompt)), item)
            admits = decided.pop(ABSTAIN, 0.0)
            if admits < 1:
                return Belief({v: p / (1 - admits) for v, p in decided.items()}), max(admits, abstains)
            return rules.Uniform()(item, held), 1.0
        known = item
        if self.abstains is not None and admission is not None:
            admits_by = item.options[admission]
            answer = None if item.answer == admits_by else item.answer
            known = replace(item, options=tuple(o for o in item.options if o != admits_by), answer=answer)
        belief = self.belief(wording.in_true_order(known, context.item), held)
        rules.check_distribution(belief.probabilities, item)
        return belief, abstains

    def _said(self, form: Form, shown: Item, ways: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """The wording that the form reads back as it writes it; remembered, since that is the form's nature."""
        meanings = tuple(rules.meaning(o) for o in shown.options)
        key = (type(form), form.name, shown.kind, meanings, tuple(ways))
        if key not in self._styles:
            fits = (way for way, said in ways.items() if wording.round_trips(form, shown, said))
            self._styles[key] = next(fits, next(iter(ways)))
        return ways[self._styles[key]]

    def _belief(
        self, content: Belief, words: wording.Words, hint: int | None, asking: Key
    ) -> tuple[tuple[float, ...], int]:
        """The belief over the words with every bias in it, and the place of the greedy answer."""
        c = len(words.said)
        # A rule names values by meaning, `decide` in the form's words: an option may be called "B" and stand at A.
        named = {} if self.decide else {name: j for j, name in reversed(list(enumerate(words.names)))}
        belief = [0.0] * c
        for name, p in content.probabilities.items():
            place = named.get(name, words.place(name))
            assert place is not None  # `Words.of` took in every name
            belief[place] += p
        favourite = None if content.favourite is None else named.get(content.favourite)
        moved = [self.label.get(value, 0.0) for value in words.said]
        moved = [m + (self.position[j] if j < len(self.position) else 0.0) for j, m in enumerate(moved)]
        if hint is not None:
            moved[hint] += self.pressure
        if self.noise:
            moved = [m + self.noise * z for m, z in zip(moved, rules.normals(c, "noise", *asking), strict=True)]
        logits = [_log(p) for p in belief]
        # A favourite counts as no less attractive than anything else: it may hold less than 1/c of the belief.
        wanted = [
            (max(logits) if j == favourite else z) + m for j, (z, m) in enumerate(zip(logits, moved, strict=True))
        ]
        likeliest = max(range(c), key=lambda j: (wanted[j], j == favourite))
        if any(moved) or self.temperature != 1:
            belief = _softmax([(z + m) / self.temperature for z, m in zip(logits, moved, strict=True)])
        return tuple(belief), likeliest

    def _judging(self, asked: _Asked, proposed: str) -> _Asked:
        """The same belief put to the question whether a proposed answer is right."""
        place = asked.words.place(proposed)
        p = 0.0 if place is None else asked.belief[place]
        said = self._said(asked.form, asked.shown, wording.BINARY)
        names = wording.BINARY["true"]
        words = wording.Words(names, said, {word: j for ways in (names, said) for j, word in enumerate(ways)})
        return replace(
            asked,
            words=words,
            belief=(p, 1 - p),
            likeliest=0 if p >= 0.5 else 1,
            abstains=0.0,
            hint=None,
            admission=None,
            surety=None,
            stated=_short(self.confidence(p, asked.choices)),
        )

    # --- from probabilities to a reply

    def _reply(self, asked: _Asked, sampling: Sampling, draw: Key) -> Reply:
        c = len(asked.belief)
        errs, admits, follows, *race = uniforms(3 + c, *asked.key, *draw)
        said, admitted = asked.answers()
        kept = 1 - self.format_errors
        if errs < self.format_errors:
            text, p = wording.garbled(asked.form, asked.shown), self.format_errors
        elif admits < asked.abstains:
            text = self._write(asked, [asked.admission] if asked.admission is not None else [])
            p = kept * (admitted if asked.admission is None else said[asked.admission])
        else:
            order = self._order(asked, sampling, race)
            if asked.hint is not None and follows < asked.follows:
                order = [asked.hint, *(j for j in order if j != asked.hint)]
            text, p = self._write(asked, order), kept * said[order[0]]
        if sampling.top_logprobs is None:
            return Reply(text)
        ranked = sorted((j for j in range(c) if said[j] > 0), key=lambda j: -said[j])[: sampling.top_logprobs]
        top = tuple((self._write(asked, [j]), _log(kept * said[j])) for j in ranked)
        return Reply(text, tokens=(Token(text, _log(p), top),))

    def _order(self, asked: _Asked, sampling: Sampling, race: Sequence[float]) -> list[int]:
        """The values in the order in which it would give them: first its answer, then its further guesses."""
        c = len(asked.belief)
        if self.decoding == "modal" or (self.decoding == "greedy" and sampling.temperature == 0):
            return sorted(range(c), key=lambda j: (j != asked.likeliest, -asked.belief[j]))
        # A race of exponential clocks: the first is a draw from the belief, the rest follow without replacement.
        clocks = [-math.log(u) / p if p > 0 else math.inf for u, p in zip(race, asked.belief, strict=True)]
        return sorted(range(c), key=lambda j: clocks[j])

    def _write(self, asked: _Asked, order: Sequence[int]) -> str:
        """The reply that gives the first of `order` in the form's words; nothing to give: it admits."""
        form, said = asked.form, asked.words.said
        if not order or rules.is_admission(said[order[0]]):
            return form.write(Answer("abstained"), asked.shown)
        stated = self._stated(asked, order[0])
        guesses: tuple[tuple[str, float], ...] = ()
        steps: tuple[float, ...] = ()
        k, n_steps = getattr(form, "k", None), getattr(form, "steps", None)
        if isinstance(k, int):
            listed = [j for j in order if asked.belief[j] > 0 or j == order[0]][:k]
            guesses = tuple((said[j], self._stated(asked, j) or 0.0) for j in listed)
        if isinstance(n_steps, int) and stated is not None:
            steps = (_short(stated ** (1 / n_steps)),) * n_steps
        try:
            return form.write(Answer("ok", said[order[0]], stated, guesses, steps), asked.shown)
        except ValueError as e:
            raise DoxaError(f"{self.address} cannot answer {said[order[0]]!r} in the form {form.name!r}: {e}") from e

    def _stated(self, asked: _Asked, j: int) -> float | None:
        """The confidence it states with value j: of what, is said by the form's target."""
        if not asked.form.target or asked.stated is not None:
            return asked.stated if asked.form.target else None
        p = asked.belief[j] if asked.surety is None else asked.surety
        said = self.confidence(asked.abstains if j == asked.admission else p, asked.choices)
        event, means = rules.meaning(asked.form.target), rules.meaning(asked.words.names[j])
        if event is None or means == event:
            return _short(said)
        if means is not None:
            return _short(1 - said)
        place = asked.words.place(event)
        if place is None:
            raise DoxaError(
                f"the form {asked.form.name!r} asks for the probability of {asked.form.target!r}, but item "
                f"{asked.shown.id!r} is answered by {', '.join(asked.words.names)}"
            )
        return _short(asked.belief[place])

    def _probability(self, asked: _Asked, text: str) -> float:
        """Probability that the reply gives the value which a continuation is read as."""
        said, admitted = asked.answers()
        found = asked.form.read(text, asked.shown)
        kept = 1 - self.format_errors
        if found.outcome == "abstained":
            return kept * (admitted if asked.admission is None else said[asked.admission])
        if found.value is None and found.confidence is not None:
            stated = self._stated(asked, asked.likeliest)
            return kept * (stated is not None and abs(stated - found.confidence) < 1e-9)
        place = asked.words.place(found.value if found.value is not None else text.strip())
        return 0.0 if place is None else kept * said[place]


def _softmax(logits: Sequence[float]) -> list[float]:
    top = max(logits)
    weights = [math.exp(z - top) for z in logits]
    return [w / sum(weights) for w in weights]


def _log(p: float) -> float:
    return math.log(p) if p > 0 else -math.inf


def _short(p: float) -> float:
    """Four decimals, or four significant digits where p is nearer to 0 or 1 than that: never 0 or 1 by rounding."""
    rounded = round(p, 4)
    if rounded in (0.0, 1.0) and p not in (0.0, 1.0):
        return float(f"{p:.4g}") if p < 0.5 else 1 - float(f"{1 - p:.4g}")
    return rounded


def _declared(value: Any) -> Any:
    """A parameter as JSON-able data: rules by their name and parameters, functions by their name."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"rule": type(value).__name__, **{f.name: _declared(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Mapping):
        return {str(k): _declared(v) for k, v in value.items()}
    if callable(value):
        return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    return list(value) if isinstance(value, tuple) else value
