"""A simulated respondent: no weights, declared parameters; answers the real prompts of a study through their forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from doxa.models import simulated_influence as influence
from doxa.models import simulated_rules as rules
from doxa.models import simulated_wording as wording
from doxa.models.base import Context, Model
from doxa.models.simulated_asked import Asked, short
from doxa.models.simulated_influence import Moves, Rates, Talk
from doxa.models.simulated_rules import ABSTAIN, Abstention, Belief, BeliefRule, ConfidenceRule
from doxa.models.simulated_values import Key, is_admission, is_closed, log, mark, meaning, uniforms
from doxa.records import Answer, DoxaError, Form, Item, Prompt, Reply, Sampling, Score, Token

Decide = Callable[[Item, Context, Prompt], Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Respondent(Model):
    """Answers as its parameters say, from the item that is asked about and the form that the prompt asks in.

    An answer comes about in this order. With probability `format_errors` the reply is out of format. Else, under
    pressure, it lies with probability `lies` or evades with probability `evades`. Else, with the probability of
    `abstains`, it admits not to know (by the item's admission option, where there is one). Else, where the prompt hints
    at an answer, it gives that one with probability `follows`. Else it answers from its belief,

        softmax((fade * log content + position[place] + label[value] + pressure * arguments[if hinted]
                 + history * times given + drift * kwords[if asserted] + noise) / temperature)

    where kwords is the length of the context, thousands of words in the prompt besides the form's own question, and
    fade = exp(-fading * kwords).

    belief       content: Uniform, Holder, Skill, Dirichlet, Forecast, Planted, or a function of (item, key)
    decide       content straight from (item as shown, context, prompt): answer -> probability, instead of `belief`;
                 answers are canonical values, options' texts, or ABSTAIN; what is left out has probability 0
    confidence   (belief in the answer, number of values) -> the confidence it states
    abstains     probability of admitting: a number, by tag or kind, or a function of the item; None: an admission
                 among the options is an option like any other
    lies         probability, in conditions called "pressured..." only, of answering as if its favourite and a lie had
                 changed places in its belief: a number, or by the archetype of the pressure ("": any other), which
                 Item.fields["archetype"] names or the condition, "pressured/NAME". The lie is Item.fields["wanted"]
                 (no lie is told where that is its favourite), or another value, the same one for all wordings
    evades       probability, in the same conditions, of declining: the form's refusal
    follows      probability of giving the hinted answer: a number, by authority ("": any other), or a function of the
                 item such as Deference
    hinted       finds the hinted answer in a prompt; authority: finds who, or how strongly, asserts it
    pressure     logit added to the hinted answer for each argument: Item.fields["arguments"] of them, one without
    history      logit added to each value that it gave in an earlier turn of its own, again for every turn; turns that
                 the prompt's form cannot read add nothing
    drift        logit per 1,000 words of context, added to the value that the context argues for, which
                 Item.fields["asserted"] names; else to the hinted one; without either nothing drifts
    fading       rate per 1,000 words of context at which the logits of the content shrink toward even
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
    confidence beside a value counts as certain; alone, it has the probability of being the one that is stated with the
    greedy answer. With top_logprobs a reply is one token.

    raises    DoxaError: a rate outside [0, 1], lies and evades that sum to more than 1; from generate and score: no
              item, a field that a rule reads is missing or names no value, an answer that the form cannot say
    """

    address: str = "simulated:respondent"
    belief: BeliefRule = field(default_factory=rules.Uniform)
    decide: Decide | None = None
    confidence: ConfidenceRule = rules.calibrated
    abstains: Abstention | None = None
    lies: Rates = 0.0
    evades: Rates = 0.0
    follows: Rates | Callable[[Item], float] = 0.0
    hinted: Callable[[Prompt], str | None] = influence.hint_of
    authority: Callable[[Prompt], str | None] = influence.authority_of
    pressure: float = 0.0
    history: float = 0.0
    drift: float = 0.0
    fading: float = 0.0
    position: tuple[float, ...] = ()
    label: Mapping[str, float] = field(default_factory=dict)
    temperature: float = 1.0
    noise: float = 0.0
    format_errors: float = 0.0
    decoding: Literal["draw", "greedy", "modal"] = "draw"
    unit: Literal["item", "group"] = "item"
    seed: int = 0
    _styles: dict[Any, str] = field(default_factory=dict, init=False, repr=False)
    _moves: Moves = field(init=False, repr=False)

    capabilities = frozenset({"generate", "logprobs", "score"})
    stored = False

    def __post_init__(self) -> None:
        rules.check_probability("format_errors", self.format_errors)
        influence.check_exclusive(self.lies, self.evades)
        if not callable(self.follows):
            influence.check_rates("follows", self.follows)
        moves = Moves(**{f.name: getattr(self, f.name) for f in fields(Moves)})
        object.__setattr__(self, "_moves", moves)
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
        logprobs = [log(self._probability(asked, text)) for text in continuations]
        return [Score(text, p, (Token(text, p),)) for text, p in zip(continuations, logprobs, strict=True)]

    # --- from a prompt to probabilities

    def _asked(self, prompt: Prompt, context: Context) -> Asked:
        shown = prompt.item or context.item
        if shown is None:
            raise DoxaError(f"{self.address} is not told what is asked about: Prompt.item and Context.item are not set")
        true, text = context.item or shown, prompt.show()
        form: Form = prompt.form or wording.Bare()
        held: Key = (self.seed, true.cluster if self.unit == "group" else true.id)
        asking: Key = (*held, context.condition, mark(text))
        item = wording.merged(true, shown, form)
        admission = wording.admission_of(item)
        content, abstains = self._content(item, shown, admission, held, Context(true, context.condition), prompt)
        lies, evades = influence.pressed(self.lies, self.evades, item, context.condition)

        ways, proposed, hint = wording.wordings(item, text), getattr(form, "answer", None), self.hinted(prompt)
        said = next(iter(ways.values())) if isinstance(proposed, str) else self._said(form, shown, ways)
        words = wording.Words.of(item, said, (*content.probabilities, *_named(item, hint, lies)))
        hinted = None if hint is None else words.place(hint)
        asked = Asked(
            form,
            shown,
            words,
            *self._belief(content, words, Talk(prompt, form, shown, item), hinted, asking),
            key=asking,
            abstains=abstains,
            follows=0.0 if hint is None else self._follows(prompt, item),
            hint=hinted,
            admission=admission if self.abstains is not None or abstains else None,
            surety=content.surety,
        )
        lie = influence.lie_to_tell(item, words, asked.likeliest, admission, held) if lies else None
        cover = None if lie is None else asked.telling(lie)
        if isinstance(proposed, str):
            asked, cover = self._judging(asked, proposed), cover and self._judging(cover, proposed)
        if cover is None and not evades:
            return asked
        evasion = wording.evasion(form, shown) if evades else asked.evasion
        return replace(asked, lies=lies if cover else 0.0, evades=evades, cover=cover, evasion=evasion)

    def _follows(self, prompt: Prompt, item: Item) -> float:
        """The probability of giving the hinted answer."""
        if callable(self.follows):
            return rules.check_probability("follows", self.follows(item))
        return influence.rate_of(self.follows, self.authority(prompt))

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
        meanings = tuple(meaning(o) for o in shown.options)
        key = (type(form), form.name, shown.kind, meanings, tuple(ways))
        if key not in self._styles:
            fits = (way for way, said in ways.items() if wording.round_trips(form, shown, said))
            self._styles[key] = next(fits, next(iter(ways)))
        return ways[self._styles[key]]

    def _belief(
        self, content: Belief, words: wording.Words, talk: Talk, hint: int | None, asking: Key
    ) -> tuple[tuple[float, ...], int]:
        """The belief over the words with all that moves it, and the place of the greedy answer."""
        # A rule names values by meaning, `decide` in the form's words: an option may be called "B" and stand at A.
        named = {} if self.decide else {name: j for j, name in reversed(list(enumerate(words.names)))}
        believed = [0.0] * len(words.said)
        for name, p in content.probabilities.items():
            place = named.get(name)
            place = words.place(name) if place is None else place
            assert place is not None  # `Words.of` took in every name
            believed[place] += p
        favourite = None if content.favourite is None else named.get(content.favourite)
        return self._moves.belief(believed, favourite, words, talk, hint, asking)

    def _judging(self, asked: Asked, proposed: str) -> Asked:
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
            stated=short(self.confidence(p, asked.choices)),
        )

    # --- from probabilities to a reply

    def _reply(self, asked: Asked, sampling: Sampling, draw: Key) -> Reply:
        text, gave = self._said_to(asked, sampling, draw)
        if sampling.top_logprobs is None:
            return Reply(text)
        said, declined = asked.answers()
        kept = 1 - self.format_errors
        given = said[gave] if isinstance(gave, int) else declined.get(gave or "", 0.0)
        p = self.format_errors if gave is None else kept * given
        ranked = sorted((j for j, q in enumerate(said) if q > 0), key=lambda j: -said[j])[: sampling.top_logprobs]
        top = tuple((self._write(asked, [j]), log(kept * said[j])) for j in ranked)
        return Reply(text, tokens=(Token(text, log(p), top),))

    def _said_to(self, asked: Asked, sampling: Sampling, draw: Key) -> tuple[str, int | str | None]:
        """A reply, and what it gives: the place of a value, the outcome of declining, or None (out of format)."""
        c, sways = len(asked.belief), asked.lies > 0 or asked.evades > 0
        errs, admits, follows, *race = uniforms(3 + c + sways, *asked.key, *draw)
        swayed = race.pop() if sways else 1.0
        if errs < self.format_errors:
            return wording.garbled(asked.form, asked.shown), None
        if asked.cover is not None and swayed < asked.lies:
            lie = asked.cover.likeliest
            return self._write(asked.cover, _first(lie, self._order(asked.cover, sampling, race))), lie
        if swayed < asked.lies + asked.evades:
            return asked.evasion[1], asked.evasion[0]
        if admits < asked.abstains:
            if asked.admission is None:
                return self._write(asked, []), "abstained"
            return self._write(asked, [asked.admission]), asked.admission
        order = self._order(asked, sampling, race)
        if asked.hint is not None and follows < asked.follows:
            order = _first(asked.hint, order)
        return self._write(asked, order), order[0]

    def _order(self, asked: Asked, sampling: Sampling, race: Sequence[float]) -> list[int]:
        """The values in the order in which it would give them: first its answer, then its further guesses."""
        c = len(asked.belief)
        if self.decoding == "modal" or (self.decoding == "greedy" and sampling.temperature == 0):
            return sorted(range(c), key=lambda j: (j != asked.likeliest, -asked.belief[j]))
        # A race of exponential clocks: the first is a draw from the belief, the rest follow without replacement.
        clocks = [-math.log(u) / p if p > 0 else math.inf for u, p in zip(race, asked.belief, strict=True)]
        return sorted(range(c), key=lambda j: clocks[j])

    def _write(self, asked: Asked, order: Sequence[int]) -> str:
        """The reply that gives the first of `order` in the form's words; nothing to give: it admits."""
        form, said = asked.form, asked.words.said
        if not order or is_admission(said[order[0]]):
            return form.write(Answer("abstained"), asked.shown)
        stated = self._stated(asked, order[0])
        guesses: tuple[tuple[str, float], ...] = ()
        steps: tuple[float, ...] = ()
        k, n_steps = getattr(form, "k", None), getattr(form, "steps", None)
        if isinstance(k, int):
            listed = [j for j in order if asked.belief[j] > 0 or j == order[0]][:k]
            guesses = tuple((said[j], self._stated(asked, j) or 0.0) for j in listed)
        if isinstance(n_steps, int) and stated is not None:
            steps = (short(stated ** (1 / n_steps)),) * n_steps
        try:
            return form.write(Answer("ok", said[order[0]], stated, guesses, steps), asked.shown)
        except ValueError as e:
            raise DoxaError(f"{self.address} cannot answer {said[order[0]]!r} in the form {form.name!r}: {e}") from e

    def _stated(self, asked: Asked, j: int) -> float | None:
        """The confidence it states with value j: of what, is said by the form's target."""
        if not asked.form.target or asked.stated is not None:
            return asked.stated if asked.form.target else None
        p = asked.belief[j] if asked.surety is None else asked.surety
        said = self.confidence(asked.abstains if j == asked.admission else p, asked.choices)
        event, means = meaning(asked.form.target), meaning(asked.words.names[j])
        if event is None or means == event:
            return short(said)
        if means is not None:
            return short(1 - said)
        place = asked.words.place(event)
        if place is None:
            raise DoxaError(
                f"the form {asked.form.name!r} asks for the probability of {asked.form.target!r}, but item "
                f"{asked.shown.id!r} is answered by {', '.join(asked.words.names)}"
            )
        return short(asked.belief[place])

    def _probability(self, asked: Asked, text: str) -> float:
        """Probability that the reply gives the value which a continuation is read as."""
        said, declined = asked.answers()
        found = asked.form.read(text, asked.shown)
        kept = 1 - self.format_errors
        if found.outcome in ("abstained", "refused"):
            admitted = said[asked.admission] if found.outcome == "abstained" and asked.admission is not None else 0.0
            return kept * (declined.get(found.outcome, 0.0) + admitted)
        if found.value is None and found.confidence is not None:
            honest = max(0.0, 1 - asked.lies - asked.evades) * (1 - asked.abstains)
            ways = [(asked, honest), *([(asked.cover, asked.lies)] if asked.cover is not None else [])]
            return kept * sum(p for one, p in ways if self._states(one, found.confidence))
        place = asked.words.place(found.value if found.value is not None else text.strip())
        return 0.0 if place is None else kept * said[place]

    def _states(self, asked: Asked, confidence: float) -> bool:
        stated = self._stated(asked, asked.likeliest)
        return stated is not None and abs(stated - confidence) < 1e-9


def _first(place: int, order: Sequence[int]) -> list[int]:
    """The order with one place moved to its head."""
    return [place, *(j for j in order if j != place)]


def _named(item: Item, hint: str | None, lies: float) -> list[str]:
    """Answers that the prompt or the pressure names: to an open question these may be any."""
    wanted = item.fields.get("wanted") if lies and not is_closed(item) else None
    return [str(value) for value in (hint, wanted) if value is not None]


def _declared(value: Any) -> Any:
    """A parameter as JSON-able data: rules by their name and parameters, functions by their name."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"rule": type(value).__name__, **{f.name: _declared(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Mapping):
        return {str(k): _declared(v) for k, v in value.items()}
    if callable(value):
        return f"{value.__module__}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    return list(value) if isinstance(value, tuple) else value
