"""One interface to whatever is asked. Back ends say what they can do; a study is refused early by one that cannot."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from doxa.records import Item, MissingCapability, Prompt, Reply, Sampling, Score

Capability = Literal["generate", "logprobs", "score", "hidden_states", "attention", "steered"]

# Part of every store key: raise it when a change to a back end can change an answer.
BACKENDS_VERSION = 2


@dataclass(frozen=True)
class Context:
    """What is asked about, for respondents that are simulated or recorded. Real back ends do not look at it."""

    item: Item | None = None
    condition: str = "neutral"


@dataclass(frozen=True)
class Price:
    """Money per million tokens, in the user's own currency."""

    input_per_million: float
    output_per_million: float

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        return (input_tokens * self.input_per_million + output_tokens * self.output_per_million) / 1e6


class Model:
    """Who is asked.

    address       as the user wrote it, e.g. "hf:PATH"
    capabilities  what it can do
    identity      everything about the model itself that can change an answer (weights hash or revision, template,
                  dtype, server, options); JSON-able. Never a key or a secret.
    stored        whether answers go through the response store (simulated and recorded ones do not)
    concurrency   items worth keeping in flight
    parameters    how many numbers its network has; None: not known
    """

    address: str = ""
    capabilities: frozenset[Capability] = frozenset()
    stored: bool = True
    concurrency: int = 64
    price: Price | None = None
    parameters: int | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"address": self.address}

    @property
    def fingerprint(self) -> str:
        """Hash of `identity` and the back ends' version, hexadecimal."""
        return digest({"identity": dict(self.identity), "backends": BACKENDS_VERSION})

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        """`sampling.n` replies to the prompt."""
        raise self._cannot("generate")

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        """Natural log-probability of each whole continuation after the prompt."""
        raise self._cannot("score")

    async def hidden_states(
        self, prompt: Prompt, *, layers: Sequence[int] | None = None, positions: Sequence[int] = (-1,)
    ) -> np.ndarray:
        """Residual stream after the named blocks (all: None) at token positions: (layers, positions, width)."""
        raise self._cannot("hidden_states")

    async def leave(self) -> None:
        """Release what belongs to the running event loop, which is about to end; the model can be asked again."""
        return None

    async def close(self) -> None:
        """Release what is held (connections, memory). Safe to call twice."""
        return None

    def _cannot(self, capability: Capability) -> MissingCapability:
        able = ", ".join(sorted(self.capabilities)) or "nothing"
        return MissingCapability(f"{self.address!r} cannot {capability}; it offers {able}. {WAY_OUT[capability]}")


WAY_OUT: dict[str, str] = {
    "generate": "Use a local model (hf:, organism:), an endpoint:, or recorded answers with doxa score.",
    "logprobs": "Use a local model (hf:, organism:) or an endpoint whose server returns logprobs.",
    "score": "Use a local model (hf:, organism:) or an endpoint whose completions route echoes logprobs.",
    "hidden_states": "Use a local model (hf:, organism:).",
    "attention": "Use a local model (hf:, organism:).",
    "steered": "Use a local model (hf:, organism:).",
}


def check_needs(needs: Sequence[str] | frozenset[str] | set[str], model: Model, asker: str) -> None:
    """Refuse, in words, a model that lacks what `asker` needs; called before the first question."""
    missing = sorted(set(needs) - model.capabilities)
    if missing:
        able = ", ".join(sorted(model.capabilities)) or "nothing"
        ways = " ".join(dict.fromkeys(WAY_OUT[m] for m in missing))
        raise MissingCapability(
            f"{asker} needs {' and '.join(missing)}; {model.address!r} can only offer {able}. {ways}"
        )


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value (dataclasses allowed), hexadecimal; equal values give equal digests."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a store key")


@dataclass
class Usage:
    """Running totals of one model in one run."""

    calls: int = 0
    from_store: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    retries: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
