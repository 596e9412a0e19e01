"""Ways to ask about a story: after which reasoning, after which earlier question; and the asking itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from doxa.elicit.anchored import letter_logprobs
from doxa.elicit.options import continuation, logprob
from doxa.elicit.persuasion import WAIT
from doxa.elicit.stories import Reasoning, StoryChoice, after_turn, with_earlier
from doxa.models.base import Model
from doxa.records import LETTERS, Answer, Item, Message, Prompt, Reply, Sampling, Score


@dataclass(frozen=True)
class Arm:
    """How a question is asked.

    earlier  before it stands: own (awareness, with the model's answer), gold (with the right one), filler (a question
             about the story's words alone), or nothing
    chat     the earlier question is a turn of the conversation, not a part of the prompt
    noop     a turn of the conversation that says nothing stands before it
    """

    reasoning: Reasoning = "none"
    earlier: Literal["", "own", "gold", "filler"] = ""
    chat: bool = False
    noop: bool = False

    def prompt(self, item: Item, earlier: Item, letter: str) -> Prompt:
        """The prompt for a question; earlier, letter: the question before it and its answer, where the arm has one."""
        form = StoryChoice(self.reasoning)
        if self.noop:
            prompt, (said, heard) = form.prompt(item), WAIT
            turn = Message("user", said), Message("assistant", heard)
            return replace(prompt, messages=(*turn, *prompt.messages))
        if not self.earlier:
            return form.prompt(item)
        if self.chat:
            return after_turn(form, item, earlier, letter)
        return form.prompt(with_earlier(item, earlier, letter))


ARMS = {
    "none": Arm(),
    "again": Arm(),
    "noop": Arm(noop=True),
    "cot": Arm("cot"),
    "minds": Arm("minds"),
    "filler": Arm(earlier="filler"),
    "chat-filler": Arm(earlier="filler", chat=True),
    "reminder": Arm(earlier="own"),
    "gold-reminder": Arm(earlier="gold"),
    "chat-reminder": Arm(earlier="own", chat=True),
    "reminder+cot": Arm("cot", "own"),
    "reminder+minds": Arm("minds", "own"),
}


class Asker(Protocol):
    """What asks: a study's `Ask`."""

    model: Model

    async def generate(
        self, prompt: Prompt, sampling: Sampling | None = None, *, condition: str = "neutral"
    ) -> Reply: ...

    async def score(self, prompt: Prompt, continuations: list[str], *, condition: str = "neutral") -> list[Score]: ...


async def asked(
    ask: Asker, prompt: Prompt, *, max_tokens: int, scores: bool, condition: str
) -> tuple[Answer, str, tuple[float, ...]]:
    """The greedy answer, its text, and the options' log-probabilities, nats; minus infinity: not among the top tokens.

    scores   they are scored as "(A)", "(B)", ..., or taken from the reply's own tokens, as the model can; False: ()
    raises   ValueError: a prompt without form and item
    """
    if prompt.form is None or prompt.item is None:
        raise ValueError("the prompt has no form or no item to be read with; make it with Arm.prompt")
    able = ask.model.capabilities
    top = 20 if scores and "score" not in able and "logprobs" in able else None
    reply = await ask.generate(prompt, Sampling(max_tokens=max_tokens, top_logprobs=top), condition=condition)
    answer, letters = prompt.form.read(reply, prompt.item), LETTERS[: len(prompt.item.options)]
    if scores and "score" in able:
        said = [continuation(prompt, f"({letter})") for letter in letters]
        found = await ask.score(prompt, said, condition=condition)
        return answer, reply.text, tuple(logprob(score) for score in found)
    masses = letter_logprobs(reply.tokens, letters) if scores and reply.tokens else None
    return answer, reply.text, () if masses is None else tuple(masses.tolist())
