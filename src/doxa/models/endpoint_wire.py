"""What is sent to an OpenAI-compatible server, and what is read from its answers. No network."""

from __future__ import annotations

import copy
import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from doxa.models.endpoint_server import BadRequest
from doxa.records import Finish, MissingCapability, Prompt, Reply, Sampling, Token

CHAT, TEXT = "chat/completions", "completions"

FINISH: Mapping[str, Finish] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "refusal",
    "refusal": "refusal",
}

# Servers give this for "less likely than what we list", and for minus infinity: no number that can be used.
NO_LOGPROB = -9999.0

# The fields that a prompt and its Sampling set.
FIELDS = (
    *("model", "messages", "prompt", "n", "temperature", "top_p", "max_tokens", "stop", "seed"),
    *("logprobs", "top_logprobs", "reasoning_effort"),
)

NOT_OFFERED = re.compile(
    r"unsupported|not? support|n't support|unrecogni[sz]ed|unknown|unexpected|extra.?(input|forbidden|field)|"
    r"not permitted|not allowed|forbidden|not available|only the default",
    re.I,
)
# Without these a question is still the same question; the loss is said once. Stop strings are cut here all the same.
DISPENSABLE: Mapping[str, str] = {
    "temperature": "the server's own temperature is used, and greedy replies are not greedy",
    "top_p": "the server's own top_p is used",
    "seed": "samples do not repeat",
    "stop": "replies are cut here instead, and cost the tokens after the cut",
    "continue_final_message": "an open last turn of the assistant may be answered instead of continued",
    "add_generation_prompt": "an open last turn of the assistant may be answered instead of continued",
}
# What makes vLLM and SGLang go on with the assistant's last turn; others do so by themselves, or not at all.
OPEN_TURN = {"continue_final_message": True, "add_generation_prompt": False}


@dataclass
class Dialect:
    """What one server was found to want or refuse: learned from its 400s, once, and then spoken."""

    model: str
    max_tokens: str = "max_tokens"
    refused: set[str] = field(default_factory=set)

    def speak(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body as this server takes it."""
        fitted = {k: v for k, v in body.items() if k not in self.refused}
        if "max_tokens" in fitted and self.max_tokens != "max_tokens":
            fitted[self.max_tokens] = fitted.pop("max_tokens")
        return fitted

    def learn(self, error: BadRequest, sent: Mapping[str, Any]) -> bool:
        """Whether the refusal of the body `sent` taught something, so that asking again makes sense."""
        if "max_tokens" in sent and re.search(r"\bmax_completion_tokens\b", error.said):
            self.max_tokens = "max_completion_tokens"
            return True
        if sent.get("n", 1) > 1 and (error.parameter == "n" or re.search(r"\bn\b|completion choice", error.said)):
            self.refused.add("n")  # a server that allows fewer at a time is asked one at a time, too
            return True
        for name in DISPENSABLE:
            if name in sent and error.names(name) and NOT_OFFERED.search(error.said):
                self._do_without(name)
                return True
        return False

    def _do_without(self, name: str) -> None:
        if name not in self.refused:
            self.refused.add(name)
            warnings.warn(f"'{self.model}' does not let {name} be set: {DISPENSABLE[name]}", stacklevel=2)


def request(
    prompt: Prompt,
    sampling: Sampling,
    *,
    model: str,
    chat: bool | None,
    budget_field: str | None,
    extra: Mapping[str, Any],
) -> tuple[str, dict[str, Any]]:
    """Route and body of one request for one reply.

    chat          True: plain text, too, goes to the chat route, as one user message
    budget_field  where the server takes a budget of reasoning tokens, e.g. "reasoning.max_tokens"
    extra         further fields of the body
    raises        MissingCapability: a budget is asked for and no field is known
    """
    route, body = _asked(prompt, model, chat)
    body = copy.deepcopy(dict(extra)) | body
    body |= {"temperature": sampling.temperature, "top_p": sampling.top_p, "max_tokens": sampling.max_tokens}
    body["seed"] = sampling.seed % 2**31  # never negative: some servers take -1 for "any"
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.top_logprobs is not None:
        body |= _logprobs(route, sampling.top_logprobs)
    if sampling.reasoning_effort is not None:
        body["reasoning_effort"] = sampling.reasoning_effort
    if sampling.reasoning_tokens is not None:
        if budget_field is None:
            raise MissingCapability(
                f"reasoning_tokens is {sampling.reasoning_tokens}, and servers differ in what they call it: say which "
                "field this one takes, e.g. budget_field='reasoning.max_tokens' (OpenRouter), 'thinking_token_budget' "
                "(vLLM), 'thinking.budget_tokens' (Anthropic), 'thinking_budget' (Qwen); or use reasoning_effort."
            )
        _set(body, budget_field, sampling.reasoning_tokens)
        body["max_tokens"] += sampling.reasoning_tokens  # servers count both against one bound
    return route, body


def sample_seed(seed: int, k: int) -> int:
    """Seed of sample k where each is a request of its own. Hashed: seed 0's sample 1 is not seed 1's sample 0."""
    if k == 0:
        return seed % 2**31
    return int.from_bytes(hashlib.sha256(f"{seed}/{k}".encode()).digest()[:4]) % 2**31


def replies(answer: Mapping[str, Any], sampling: Sampling) -> list[Reply]:
    """The replies in an answer, in the order of their index.

    Usage is reported for all choices together. Of several, each gets its own number of output tokens where token
    log-probabilities tell it; otherwise the first holds the whole number and the others None, and so with input tokens.
    """
    choices = sorted(answer["choices"], key=lambda c: c.get("index") or 0)
    usage = answer.get("usage") or {}
    found = [_reply(choice, sampling) for choice in choices]
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    counts: list[int | None] = [tokens_out, *[None] * (len(found) - 1)]
    if len(found) > 1:
        own = [None if tokens_of(c) is None else len(tokens_of(c) or ()) for c in choices]
        if None not in own and sum(n or 0 for n in own) == tokens_out:
            counts = list(own)
    return [
        replace(reply, input_tokens=tokens_in if k == 0 else None, output_tokens=counts[k])
        for k, reply in enumerate(found)
    ]


def tokens_of(choice: Mapping[str, Any], top: int | None = None) -> tuple[Token, ...] | None:
    """Tokens of one choice, from the chat route's shape or the completions route's; None where there are none.

    top  how many of the likeliest alternatives to keep. A log-probability that the server does not give is nan.
    """
    given = choice.get("logprobs")
    if not isinstance(given, dict):
        return None
    if isinstance(given.get("content"), list):
        return tuple(
            Token(
                t["token"],
                number(t.get("logprob")),
                _top({a["token"]: a["logprob"] for a in t.get("top_logprobs") or ()}, top),
            )
            for t in given["content"]
        )
    if isinstance(given.get("tokens"), list):
        likeliest = given.get("top_logprobs") or [None] * len(given["tokens"])
        values = given.get("token_logprobs") or [None] * len(given["tokens"])
        return tuple(
            Token(text, number(value), _top(alternatives, top))
            for text, value, alternatives in zip(given["tokens"], values, likeliest, strict=True)
        )
    return None


def number(logprob: Any) -> float:
    """A log-probability; nan where the server gives none (null, or -9999 for "unlikely")."""
    return float("nan") if logprob is None or logprob <= NO_LOGPROB else float(logprob)


def cut(text: str, tokens: tuple[Token, ...] | None, stop: Sequence[str]) -> tuple[str, tuple[Token, ...] | None, bool]:
    """Text and tokens up to the first stop string, and whether there was one (servers may ignore `stop`)."""
    ends = [at for at in (text.find(s) for s in stop if s) if at >= 0]
    if not ends:
        return text, tokens, False
    end, kept, at = min(ends), [], 0
    for token in tokens or ():
        if at >= end:
            break
        kept.append(token)
        at += len(token.text)
    return text[:end], None if tokens is None else tuple(kept), True


def _asked(prompt: Prompt, model: str, chat: bool | None) -> tuple[str, dict[str, Any]]:
    if prompt.text is not None and not chat:
        return TEXT, {"model": model, "prompt": prompt.text}
    turns = [{"role": m.role, "content": m.content} for m in prompt.messages]
    body: dict[str, Any] = {"model": model, "messages": turns or [{"role": "user", "content": prompt.text}]}
    return CHAT, body | (OPEN_TURN if turns and turns[-1]["role"] == "assistant" else {})


def _logprobs(route: str, top: int) -> dict[str, Any]:
    if route == TEXT:
        return {"logprobs": max(1, top)}  # 0 is taken for "none" by some servers
    return {"logprobs": True} | ({"top_logprobs": top} if top else {})


def _set(body: dict[str, Any], path: str, value: int) -> None:
    *folders, name = path.split(".")
    for folder in folders:
        body = body.setdefault(folder, {})
    body[name] = value


def _reply(choice: Mapping[str, Any], sampling: Sampling) -> Reply:
    message = choice.get("message") or choice
    text, thought = _content(message.get("content") if "content" in message else message.get("text"))
    finish = FINISH.get(choice.get("finish_reason") or "stop", "stop")
    tokens = None if sampling.top_logprobs is None else tokens_of(choice, sampling.top_logprobs)
    reasoning = message.get("reasoning_content") or message.get("reasoning") or thought or None
    if message.get("refusal"):
        return Reply(text or message["refusal"], "refusal", tokens, reasoning)
    text, tokens, stopped = cut(text, tokens, sampling.stop)
    return Reply(text, "stop" if stopped and finish == "length" else finish, tokens, reasoning)


def _content(content: Any) -> tuple[str, str]:
    """Text and reasoning of a message's content: a string, nothing, or a list of parts."""
    if not isinstance(content, list):
        return content or "", ""
    parts = [p for p in content if isinstance(p, dict)]
    thoughts = [_content(p.get("thinking"))[0] for p in parts if p.get("type") == "thinking"]
    return "".join(p.get("text") or "" for p in parts if p.get("type") == "text"), "".join(thoughts)


def _top(alternatives: Mapping[str, Any] | None, top: int | None) -> tuple[tuple[str, float], ...]:
    known = [(text, number(value)) for text, value in (alternatives or {}).items()]
    return tuple(sorted((a for a in known if a[1] == a[1]), key=lambda a: -a[1])[:top])


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) else None
