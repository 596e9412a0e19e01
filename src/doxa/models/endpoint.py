"""Any OpenAI-compatible server: endpoint:MODEL with a base URL. Hundreds of requests in flight, errors told apart.

Keys are read from the environment and stay there: none is in an error, a log, a repr, the identity or the store.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, TypeVar

from doxa.models import endpoint_abilities as abilities
from doxa.models import endpoint_scoring as scoring
from doxa.models import endpoint_wire as wire
from doxa.models.base import WAY_OUT, Capability, Context, Model, Price, Usage
from doxa.models.endpoint_abilities import CannotScoreChat, NotOffered
from doxa.models.endpoint_limit import Clock
from doxa.models.endpoint_link import Link
from doxa.models.endpoint_server import (
    AccessDenied,
    BadRequest,
    Declined,
    NotAnApi,
    NotFound,
    QuotaUsedUp,
    Server,
    ServerFailed,
    Unreachable,
)
from doxa.records import DoxaError, MissingCapability, Prompt, Reply, Sampling, Score

__all__ = [
    "AccessDenied",
    "BadRequest",
    "CannotScoreChat",
    "Declined",
    "Endpoint",
    "NotAnApi",
    "NotFound",
    "NotOffered",
    "QuotaUsedUp",
    "ServerFailed",
    "Unreachable",
]

# What `Sampling` and the prompt decide is not for `extra` to decide.
OURS = frozenset(wire.FIELDS) | {"stream", "echo", "max_completion_tokens"}
PROBE_RETRIES = 1
# Characters from which a sampled reply does not come out the same three times by chance.
LONG = 80

T = TypeVar("T")


class Endpoint(Model):
    """A model behind an OpenAI-compatible API.

    base_url      e.g. "http://127.0.0.1:8000/v1"; None: from DOXA_BASE_URL or OPENAI_BASE_URL
    api_key_env   environment variable that holds the key; None: no key is sent
    concurrency   most requests in flight; fewer, or at a slower pace, while the server says that there are too many
    timeout_s     seconds for one request, its generation included
    retries       repetitions of a failed request; waiting for rate limits is bounded by patience_s instead
    patience_s    seconds that one request waits for rate limits in all
    chat          None: messages go to /chat/completions, text to /completions; True: text goes to the chat
                  route, too, as one user message (it is then answered, not continued)
    logprobs, score   True or False: the server can or cannot; None: found out, by a call or two of a few tokens,
                  when `capabilities` is first looked at
    budget_field  where this server takes `Sampling.reasoning_tokens`, e.g. "reasoning.max_tokens"
    extra         further fields of every request, e.g. {"top_k": -1}; part of the identity, so nothing secret
    raises        DoxaError: no base URL, one that is none or holds a secret; no key in the environment for a server
                  that is not on this machine

    `usage.calls` counts answered requests, `usage.retries` repeated ones, `usage.by_kind` both by route and cause.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str | None = "OPENAI_API_KEY",
        concurrency: int = 256,
        timeout_s: float = 600.0,
        retries: int = 6,
        patience_s: float = 900.0,
        chat: Literal[True] | None = None,
        logprobs: bool | None = None,
        score: bool | None = None,
        budget_field: str | None = None,
        extra: Mapping[str, Any] | None = None,
        price: Price | None = None,
    ) -> None:
        clash = sorted(OURS & set(extra or ()))
        if clash:
            raise DoxaError(f"extra holds {', '.join(clash)}, which the prompt and Sampling decide; set them there")
        if concurrency < 1 or retries < 0 or timeout_s <= 0:
            raise DoxaError(
                f"concurrency is {concurrency}, retries {retries}, timeout_s {timeout_s}; from 1, from 0, above 0"
            )
        self.address = f"endpoint:{model}"
        self.model = model
        self.concurrency = concurrency
        self.price = price
        self.usage = Usage()
        self._server = Server(model, base_url, api_key_env)
        self._timeout_s, self._retries, self._patience_s = timeout_s, retries, patience_s
        self._chat = chat
        self._declared: dict[Capability, bool | None] = {"logprobs": logprobs, "score": score}
        self._budget_field = budget_field
        self._extra = dict(extra or {})
        self._dialect = wire.Dialect(model)
        self._clock = Clock()
        self._links: dict[asyncio.AbstractEventLoop, Link] = {}
        self._lock = threading.RLock()
        self._reported: dict[str, Any] | None = None
        self._able: frozenset[Capability] | None = None
        self._why_not: dict[Capability, str] = {}
        self._said: set[str] = set()

    def __repr__(self) -> str:
        return f"Endpoint({self.model!r}, base_url={self._server.base_url!r})"

    # --- what it is and can do -----------------------------------------------------------------------------------

    @property
    def identity(self) -> Mapping[str, Any]:
        """Server, model, route, and what the server's /models says of the model (asked once)."""
        with self._lock:
            if self._reported is None:
                self._reported = self._apart(self._listing)
        return {
            "address": self.address,
            "base_url": self._server.base_url,
            "model": self.model,
            "route": "chat" if self._chat else "by prompt",
            "reported": self._reported,
            "budget_field": self._budget_field,
            "extra": self._extra,
        }

    @property
    def capabilities(self) -> frozenset[Capability]:  # type: ignore[override]
        """generate, and logprobs and score where declared or found (asked once).

        raises  the errors of a first question: no server there, a wrong key, no such model
        """
        with self._lock:
            if self._able is None:
                self._able = self._apart(self._probe)
        return self._able

    # --- what it does --------------------------------------------------------------------------------------------

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        """`sampling.n` replies. One that the server declined for its content finishes by "refusal".

        Servers that give fewer than n at a time are asked again for the others, each with a seed of its own.

        raises  ServerFailed after all retries; AccessDenied, NotFound, NotAnApi, QuotaUsedUp, BadRequest at once;
                MissingCapability: log-probabilities or a reasoning budget were asked for and cannot be had
        """
        return await self._generate(await self._link(), prompt, sampling)

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        """Natural log-probability of each whole continuation, tokenized together with the prompt.

        raises  MissingCapability: the server does not give log-probabilities of what it is sent; CannotScoreChat: only
                those of plain text; DoxaError: its tokens do not spell what it was sent; ValueError: an empty
                continuation; and as `generate`
        """
        if self._able is None:
            await asyncio.to_thread(lambda: self.capabilities)
        if "score" not in self.capabilities:
            raise self._cannot("score")
        link = await self._link()
        return await _together([self._score(link, prompt, c) for c in continuations])

    async def leave(self) -> None:
        """Close the connections of this event loop: once it has ended, its sockets can no more be closed."""
        await self.close()

    async def close(self) -> None:
        """Close the connections of this event loop, and those of loops that have ended."""
        here = asyncio.get_running_loop()
        for loop in [at for at in self._links if at is here or at.is_closed()]:
            await self._links.pop(loop).close()

    # --- one request ---------------------------------------------------------------------------------------------

    async def _generate(self, link: Link, prompt: Prompt, sampling: Sampling) -> list[Reply]:
        route, body = wire.request(
            prompt,
            sampling,
            model=self.model,
            chat=self._chat,
            budget_field=self._budget_field,
            extra=self._extra,
        )
        several = {"n": sampling.n} if sampling.n > 1 else {}
        found = (await self._replies(link, route, body | several, sampling))[: sampling.n]
        if len(found) == sampling.n:
            return self._samples(found, sampling)
        if len(found) == 1:
            self._dialect.refused.add("n")
        rest = [body | {"seed": wire.sample_seed(sampling.seed, k)} for k in range(len(found), sampling.n)]
        more = await _together([self._replies(link, route, b, sampling) for b in rest])
        return self._samples(found + [replies[0] for replies in more], sampling)

    def _samples(self, found: list[Reply], sampling: Sampling) -> list[Reply]:
        """The replies as they are; says once if they look as if the server did not sample."""
        long = len(found) > 2 and sampling.temperature >= 0.7 and len(found[0].text) >= LONG
        if long and len({r.text for r in found}) == 1 and "samples alike" not in self._said:
            self._said.add("samples alike")
            warnings.warn(
                f"{len(found)} samples of {self.address!r} at temperature {sampling.temperature:g} are word for word "
                "the same: does the server sample at all? (transformers serve does so only where the model's "
                "generation_config says do_sample.)",
                stacklevel=2,
            )
        return found

    async def _replies(self, link: Link, route: str, body: dict[str, Any], sampling: Sampling) -> list[Reply]:
        try:
            answer = await self._ask(link, route, body)
        except Declined as refusal:
            return [Reply("", "refusal", error=str(refusal))] * body.get("n", 1)
        except BadRequest as error:
            if sampling.top_logprobs is not None and "logprob" in f"{error.said} {error.parameter}":
                raise self._cannot_for("logprobs", str(error)) from error
            raise
        found = wire.replies(answer, sampling)
        if sampling.top_logprobs is not None and any(
            r.text and r.tokens is None and r.finish != "refusal" for r in found
        ):
            raise self._cannot_for("logprobs", f"its replies on /{route} come without them.")
        return found

    async def _score(self, link: Link, prompt: Prompt, continuation: str) -> Score:
        if not continuation:
            raise ValueError("the continuation is empty: its probability would be 1 whatever the model")
        if prompt.text is None and self._dialect.refused & scoring.CHAT_NEEDS:
            raise self._no_chat_scores("it does not let the assistant's last turn be continued.")
        route, body = scoring.request(prompt, continuation, self.model)
        try:
            answer = await self._ask(link, route, self._extra | body, needed=scoring.CHAT_NEEDS)
        except BadRequest as error:
            if prompt.text is None and any(error.names(name) for name in scoring.CHAT_NEEDS):
                raise self._no_chat_scores(str(error)) from error
            raise
        found = scoring.score(answer, prompt, continuation)
        if found is None:
            why = f"its replies on /{route} hold no log-probabilities of what it was sent."
            raise self._no_chat_scores(why) if prompt.text is None else self._cannot_for("score", why)
        return found

    async def _ask(
        self, link: Link, route: str, body: Mapping[str, Any], *, needed: Set[str] = frozenset()
    ) -> dict[str, Any]:
        """Send in the server's dialect; what a refusal teaches is learned, and the question asked again.

        needed  fields that this question cannot do without, whatever the server says
        """
        while True:
            sent = self._dialect.speak(body)
            try:
                answer = await link.call(route, sent)
            except BadRequest as error:
                if not self._dialect.learn(error, {k: v for k, v in sent.items() if k not in needed}):
                    raise
                continue
            self._note(route, answer)
            return answer

    def _note(self, route: str, answer: Mapping[str, Any]) -> None:
        usage = answer.get("usage") or {}
        self.usage.input_tokens += usage.get("prompt_tokens") or 0
        self.usage.output_tokens += usage.get("completion_tokens") or 0
        self.usage.by_kind[route] = self.usage.by_kind.get(route, 0) + 1
        name = answer.get("model")
        if name and name != self.model and "other name" not in self._said:
            self._said.add("other name")
            warnings.warn(
                f"asked for {self.model!r}, and {self._server.base_url} answers as {self._server.clean(str(name))!r}: "
                "name that one to be sure which model it is.",
                stacklevel=2,
            )

    # --- finding out ---------------------------------------------------------------------------------------------

    async def _listing(self, link: Link) -> dict[str, Any]:
        return await abilities.listing(link, self._server)

    async def _probe(self, link: Link) -> frozenset[Capability]:
        chat_only = bool(self._chat)
        checks: dict[Capability, Callable[[], Awaitable[str]]] = {
            "logprobs": lambda: abilities.why_no_logprobs(partial(self._generate, link), chat_only=chat_only),
            "score": lambda: abilities.why_no_scores(partial(self._score, link), chat_only=chat_only),
        }
        able: set[Capability] = {"generate"}
        for capability, check in checks.items():
            declared = self._declared[capability]
            why = await check() if declared is None else "" if declared else "it was declared that it cannot."
            if why:
                self._why_not[capability] = why
            else:
                able.add(capability)
        return frozenset(able)

    def _cannot(self, capability: Capability) -> MissingCapability:
        why = self._why_not.get(capability)
        return self._cannot_for(capability, why) if why else super()._cannot(capability)

    def _cannot_for(self, capability: Capability, why: str) -> NotOffered:
        does = "gives no log-probabilities" if capability == "logprobs" else f"cannot {capability}"
        return NotOffered(f"{self.address!r} {does}: {why} {WAY_OUT[capability]}", why)

    def _no_chat_scores(self, why: str) -> CannotScoreChat:
        return CannotScoreChat(
            f"{self.address!r} cannot score the continuation of a chat: {why} "
            "Ask with plain text (Prompt.text), or use a vLLM server or a local model (hf:, organism:).",
            why,
        )

    # --- connections ---------------------------------------------------------------------------------------------

    def _new_link(self, retries: int) -> Link:
        return Link(
            self._server,
            self.usage,
            most=self.concurrency,
            timeout_s=self._timeout_s,
            retries=retries,
            patience_s=self._patience_s,
            clock=self._clock,
        )

    async def _link(self) -> Link:
        here = asyncio.get_running_loop()
        if here not in self._links:
            for loop in [at for at in self._links if at.is_closed()]:
                await self._links.pop(loop).close()
            self._links[here] = self._new_link(self._retries)
        return self._links[here]

    def _apart(self, ask: Callable[[Link], Awaitable[T]]) -> T:
        """Ask in a thread with an event loop of its own, so that properties work inside a running loop, too."""

        async def asked() -> T:
            link = self._new_link(PROBE_RETRIES)
            try:
                return await ask(link)
            finally:
                await link.close()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, asked()).result()


async def _together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Results in order; if one fails, the others are stopped."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
