"""Prompting and sampling strategies for a question: several responses to it, each read with its confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, get_args

from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm
from doxa.elicit.hints import Hint, hints, random_answer, with_hint, with_persona
from doxa.elicit.rewording import reword
from doxa.elicit.verbal import ChainOfThought, MultiStep, SelfProbing, TopK, Vanilla, step_product
from doxa.records import Answer, DoxaError, Item, Prompt, Reply, Sampling

Prompting = Literal["vanilla", "cot", "self_probing", "multi_step", "top_k", "top_k_cot"]
Strategy = Literal["single", "self_random", "misleading", "prompting"]
HintGroup = Literal["all", "claim", "opinion", "source"]
Persona = Literal["none", "confident", "cautious"]

PROMPTINGS: tuple[Prompting, ...] = get_args(Prompting)
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Setting:
    """How responses are asked for.

    n            responses to one question (a "single" one is always greedy; so is self_random with n = 1)
    k, steps     guesses of top_k, steps of multi_step
    hints        which hints mislead: all (opinions first, then claims, then sources), or one group
    wrong_only   hints never name the right answer
    persona      a role in front of each prompt
    logprobs     token log-probabilities with each reply
    seed         of the random answers that hints name
    """

    n: int = 5
    temperature: float = 0.7
    max_tokens: int = 512
    k: int = 4
    steps: int = 3
    hints: HintGroup = "all"
    wrong_only: bool = False
    persona: Persona = "none"
    logprobs: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Response:
    """One response.

    answer      as read; its confidence is the strategy's own: of self_probing that of the answer shown again, of
                multi_step the product of the steps
    overall     the overall confidence of multi_step
    reply       the reply that gives the answer; text: all that was replied
    hint        the hint in the prompt, and the answer that it names
    """

    answer: Answer
    reply: Reply
    text: str
    overall: float | None = None
    hint: Hint | None = None
    hinted: str | None = None


@dataclass(frozen=True)
class _Asked:
    """A prompt to be sent `times` over; or `failed`: the reply that should have become one could not be read."""

    item: Item
    prompt: Prompt
    times: int = 1
    hint: Hint | None = None
    hinted: str | None = None
    failed: tuple[Answer, str] | None = None


def chosen(names: str, known: Sequence[Name], what: str) -> list[Name]:
    """The strategies that a comma-separated text names, "all" being all of them, in the order of `known`.

    raises  DoxaError: a name that is not known; what: the option that the message is about

    >>> chosen("top-k, vanilla", PROMPTINGS, "prompt")
    ['vanilla', 'top_k']
    """
    asked = [name.strip().replace("-", "_") for name in names.split(",")]
    unknown = [name for name in asked if name not in (*known, "all")]
    if unknown:
        raise DoxaError(f"{what} names {unknown[0]!r}; there are {', '.join(known)}, and all")
    return [name for name in known if name in asked or "all" in asked]


def check(strategies: Sequence[str], setting: Setting) -> None:
    """Raise DoxaError for a setting that these sampling strategies cannot carry out."""
    if setting.n < 1:
        raise DoxaError(f"responses is {setting.n}; ask each question at least once")
    possible = len(_chosen_hints(setting))
    if "misleading" in strategies and setting.n > 1 + possible:
        raise DoxaError(
            f"responses is {setting.n}; with hints {setting.hints!r} misleading gives at most {1 + possible}: "
            f"one without a hint and one for each of {possible} hints"
        )


async def respond(
    ask: Asker,
    item: Item,
    prompting: Prompting,
    strategy: Strategy,
    setting: Setting,
    *,
    wordings: Sequence[str] = (),
    condition: str = "neutral",
) -> list[Response]:
    """All responses to one question under a prompting and a sampling strategy, the plain wording first.

    wordings  texts that ask the same as the item, its own first: "prompting" takes them in turn, and begins again where
              they are fewer than n; with fewer than two it has the model reword the question
    raises    ValueError: misleading on an open question, or one without truth where the hint needs it
    """
    form, greedy = _form(prompting, setting), strategy == "single" or setting.n == 1
    sampling = Sampling(
        temperature=0.0 if greedy else setting.temperature,
        max_tokens=setting.max_tokens,
        top_logprobs=0 if setting.logprobs else None,
    )
    responses: list[Response] = []
    for number, asked in enumerate(await _prompts(ask, item, form, strategy, setting, wordings, condition)):
        if asked.failed is not None:
            responses.append(Response(asked.failed[0], Reply(asked.failed[1]), asked.failed[1]))
            continue
        drawn = replace(sampling, n=asked.times, seed=number)
        for reply in await ask.sample(asked.prompt, drawn, condition=condition):
            responses.append(_read(form, reply, asked))
    if prompting == "self_probing":
        return [
            await _probed(ask, item, response, setting, replace(sampling, seed=number), condition)
            for number, response in enumerate(responses)
        ]
    return responses


def _form(prompting: Prompting, setting: Setting) -> TextForm:
    if prompting == "cot":
        return ChainOfThought()
    if prompting == "multi_step":
        return MultiStep(setting.steps)
    if prompting in ("top_k", "top_k_cot"):
        return TopK(setting.k, chain_of_thought=prompting == "top_k_cot")
    return Vanilla()


def form_of(prompting: str) -> TextForm:
    """The form that reads the replies of a prompting strategy. ValueError: no such strategy."""
    for known in PROMPTINGS:
        if known == prompting:
            return _form(known, Setting())
    raise ValueError(f"prompting is {prompting!r}; there are {', '.join(PROMPTINGS)}")


async def _prompts(
    ask: Asker,
    item: Item,
    form: TextForm,
    strategy: Strategy,
    setting: Setting,
    wordings: Sequence[str],
    condition: str,
) -> list[_Asked]:
    plain = _Asked(item, _prompt(form, item, setting))
    if strategy == "single":
        return [plain]
    if strategy == "self_random":
        return [replace(plain, times=setting.n)]
    if strategy == "misleading":
        return [plain, *_misled(plain, setting)]
    if len(wordings) > 1:
        shown = (replace(item, text=wordings[i % len(wordings)]) for i in range(setting.n))
        return [_Asked(one, _prompt(form, one, setting)) for one in shown]
    if setting.n == 1:
        return [plain]
    others = await reword(ask, item, setting.n - 1, temperature=setting.temperature, condition=condition)
    return [plain, *(_reworded(plain, form, setting, *other) for other in others)]


def _prompt(form: TextForm, item: Item, setting: Setting) -> Prompt:
    prompt = form.prompt(item)
    return prompt if setting.persona == "none" else with_persona(prompt, setting.persona)


def _chosen_hints(setting: Setting) -> list[Hint]:
    return [hint for hint in hints(12) if setting.hints in ("all", hint.group)]


def _misled(plain: _Asked, setting: Setting) -> list[_Asked]:
    asked = []
    for draw, hint in enumerate(_chosen_hints(setting)[: setting.n - 1]):
        named = random_answer(plain.item, seed=setting.seed, draw=draw, wrong_only=setting.wrong_only)
        prompt = with_hint(plain.prompt, hint, named, plain.item)
        asked.append(replace(plain, prompt=prompt, hint=hint, hinted=named))
    return asked


def _reworded(plain: _Asked, form: TextForm, setting: Setting, other: Item | None, answer: Answer, text: str) -> _Asked:
    if other is None:
        return replace(plain, failed=(replace(answer, value=None), text))
    return _Asked(other, _prompt(form, other, setting))


def read(form: TextForm, reply: Reply | str, item: Item) -> tuple[Answer, float | None]:
    """The answer with the confidence of its strategy, and the overall confidence of multi_step.

    The confidence of multi_step is the product of its steps, and None where these were not read.
    """
    answer = form.read(reply, item)
    if not isinstance(form, MultiStep):
        return answer, None
    product = step_product(answer) if answer.steps else None
    return replace(answer, confidence=product), answer.confidence


def _read(form: TextForm, reply: Reply, asked: _Asked) -> Response:
    answer, overall = read(form, reply, asked.item)
    return Response(answer, reply, reply.text, overall, asked.hint, asked.hinted)


async def _probed(
    ask: Asker, item: Item, response: Response, setting: Setting, sampling: Sampling, condition: str
) -> Response:
    """The response with its answer shown in a fresh conversation, and the confidence that it is given there."""
    answer = replace(response.answer, confidence=None)
    if answer.value is None or answer.outcome not in ("ok", "unparsed"):
        return replace(response, answer=answer)
    form = SelfProbing(answer.value)
    (reply,) = await ask.sample(_prompt(form, item, setting), sampling, condition=condition)
    judged = form.read(reply, item)
    answer = replace(answer, outcome=judged.outcome, confidence=judged.confidence, note=judged.note)
    return replace(response, answer=answer, text=f"{response.text}\n\n{reply.text}")
