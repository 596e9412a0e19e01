"""Answered examples before a question, as earlier turns of the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from doxa.elicit.asker import Asker
from doxa.records import Message, Prompt, Reply, Sampling, Score

Shot = tuple[Prompt, str]


def with_shots(prompt: Prompt, shots: Sequence[Shot]) -> Prompt:
    """The prompt after other prompts and the replies to them, all as turns; a plain text is put behind theirs.

    raises  ValueError: plain text and turns side by side, or a system message that is not the question's own
    """
    if any((shot.text is None) != (prompt.text is None) for shot, _ in shots):
        raise ValueError("examples and question are all chats or all plain text; these are mixed")
    if prompt.text is not None:
        return replace(prompt, text="\n\n".join([*(f"{shot.text} {reply}" for shot, reply in shots), prompt.text]))
    head = tuple(m for m in prompt.messages if m.role == "system")
    turns: list[Message] = []
    for shot, reply in shots:
        own = tuple(m for m in shot.messages if m.role == "system")
        if own != head:
            raise ValueError(f"the example is asked under {own!r}, the question under {head!r}; they have to agree")
        turns += [*(m for m in shot.messages if m.role != "system"), Message("assistant", reply)]
    return replace(prompt, messages=(*head, *turns, *(m for m in prompt.messages if m.role != "system")))


@dataclass(frozen=True)
class WithShots:
    """An asker whose every prompt comes after examples; without any it asks as the other one."""

    ask: Asker
    shots: tuple[Shot, ...] = ()

    async def sample(self, prompt: Prompt, sampling: Sampling, *, condition: str = "neutral") -> list[Reply]:
        return await self.ask.sample(with_shots(prompt, self.shots), sampling, condition=condition)

    async def score(self, prompt: Prompt, continuations: Sequence[str], *, condition: str = "neutral") -> list[Score]:
        return await self.ask.score(with_shots(prompt, self.shots), continuations, condition=condition)
