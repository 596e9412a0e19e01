"""What a server can do and what it says of its model: found out with a few tokens, before the first question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from doxa.models.endpoint_link import Link
from doxa.models.endpoint_server import (
    AccessDenied,
    BadRequest,
    NotAnApi,
    NotFound,
    QuotaUsedUp,
    Server,
    ServerFailed,
    Unreachable,
)
from doxa.records import DoxaError, MissingCapability, Prompt, Reply, Sampling, Score

Generate = Callable[[Prompt, Sampling], Awaitable[list[Reply]]]
ScoreOne = Callable[[Prompt, str], Awaitable[Score]]

CHAT, TEXT = Prompt.user("Say yes."), Prompt(text="One, two, three,")
PLAIN = Sampling(max_tokens=8)

# What /models says of a model and stays the same while the model does (unlike "created", "status").
LASTING = ("owned_by", "root", "parent", "fingerprint", "system_fingerprint", "digest", "revision", "meta")


class NotOffered(MissingCapability):
    """The server was asked for something and did not give it; `why` is the reason alone."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class CannotScoreChat(NotOffered):
    """The server scores plain text but not the continuation of a chat."""

    fatal = True


async def listing(link: Link, server: Server) -> dict[str, Any]:
    """What GET /models says of the model; nothing where that route or the model is missing there.

    raises  AccessDenied: a wrong key; ServerFailed, Unreachable
    """
    try:
        data = (await link.call("models", None)).get("data")
    except (NotFound, NotAnApi, BadRequest):
        return {}
    except AccessDenied as error:
        if error.status == 401:
            raise
        return {}  # some keys may use a model and not list it
    entries = [e for e in data if isinstance(e, dict)] if isinstance(data, list) else []
    server.listed = tuple(str(e.get("id")) for e in entries)
    own = next((e for e in entries if e.get("id") == server.model), {})
    return {k: own[k] for k in LASTING if own.get(k)}


async def why_no_logprobs(generate: Generate, *, chat_only: bool) -> str:
    """Why the server gives no log-probabilities of its tokens; "": it gives them.

    Asks with them and, if that fails, without: is it the server that fails, or are they what it will not give?
    raises  the errors of a first question: wrong key, no such model, no server
    """
    *others, last = [CHAT] if chat_only else [CHAT, TEXT]
    for prompt in others:
        try:
            return await _why_no_logprobs(generate, prompt)
        except (NotFound, BadRequest):
            continue  # this route is not there: the next one
    return await _why_no_logprobs(generate, last)


async def _why_no_logprobs(generate: Generate, prompt: Prompt) -> str:
    try:
        [reply] = await generate(prompt, replace(PLAIN, top_logprobs=1))
        return "" if reply.tokens is not None else "its replies come without them."
    except (NotFound, BadRequest, ServerFailed, NotOffered) as error:
        why = _reason(error)
    await generate(prompt, PLAIN)
    return why


async def why_no_scores(score: ScoreOne, *, chat_only: bool) -> str:
    """Why the server gives no log-probabilities of text that it is sent; "": it gives them."""
    if chat_only:
        return "it is used by its chat route alone (chat=True)."
    try:
        await score(TEXT, " four")
    except (Unreachable, QuotaUsedUp):
        raise
    except DoxaError as error:
        return _reason(error)
    return ""


def _reason(error: DoxaError) -> str:
    return error.why if isinstance(error, NotOffered) else str(error)
