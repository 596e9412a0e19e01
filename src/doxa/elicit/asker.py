"""What elicitation asks with: the part of `study.Ask` that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from doxa.records import Prompt, Reply, Sampling, Score


class Asker(Protocol):
    """A model bound to one item; `study.Ask` is one."""

    async def sample(self, prompt: Prompt, sampling: Sampling, *, condition: str = "neutral") -> list[Reply]: ...

    async def score(
        self, prompt: Prompt, continuations: Sequence[str], *, condition: str = "neutral"
    ) -> list[Score]: ...
