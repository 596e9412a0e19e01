"""Log-probability of a continuation, from servers that give those of the text they were sent. No network.

The seam is found in characters: the tokens that count are those that hold a character of the continuation. One that
lies across the seam (the tokenizer joined the prompt's end with the continuation's start) counts whole, and is seen
in `Score.tokens`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from doxa.models.endpoint_wire import CHAT, OPEN_TURN, TEXT, number, tokens_of
from doxa.records import DoxaError, Prompt, Score, Token


def request(prompt: Prompt, continuation: str, model: str) -> tuple[str, dict[str, Any]]:
    """Route and body that make a server give log-probabilities of the text it was sent.

    Plain text: `echo` with `logprobs` (vLLM, SGLang, llama-cpp-python). Chat: the continuation as an open last turn
    and `prompt_logprobs` (vLLM). One token is generated and dropped: some servers take 0 for "no bound".
    """
    body: dict[str, Any] = {"model": model, "max_tokens": 1, "temperature": 0.0}
    if prompt.text is not None:
        return TEXT, body | {"prompt": prompt.text + continuation, "echo": True, "logprobs": 1}
    turns = [{"role": m.role, "content": m.content} for m in prompt.messages]
    if turns[-1]["role"] == "assistant":
        turns[-1]["content"] += continuation
    else:
        turns.append({"role": "assistant", "content": continuation})
    return CHAT, body | {"messages": turns, "prompt_logprobs": 0} | OPEN_TURN


def score(answer: Mapping[str, Any], prompt: Prompt, continuation: str) -> Score | None:
    """The score in a server's answer; None where the server gave no log-probabilities of what it was sent.

    raises  DoxaError: the tokens do not spell the text, or the first token has no log-probability
    """
    if prompt.text is None:
        turns = _chat_tokens(answer)
        if turns is None:
            return None
        counted = last_tokens(turns, continuation)
    else:
        echoed = tokens_of(answer["choices"][0], top=0)
        if echoed is None or not any(math.isfinite(t.logprob) for t in echoed[:-1]):
            return None
        counted = tokens_after(
            echoed, prompt.text, continuation, generated=_generated(answer), offsets=_offsets(answer)
        )
    if any(math.isnan(t.logprob) for t in counted):
        raise DoxaError(
            f"the server gives no log-probability for a token of {continuation!r} (a text's very first token has none, "
            "nor has one that is too unlikely for it): give a prompt that is not empty."
        )
    return Score(continuation, math.fsum(t.logprob for t in counted), tuple(counted))


def tokens_after(
    tokens: Sequence[Token],
    prompt: str,
    continuation: str,
    *,
    generated: int | None = None,
    offsets: Sequence[int] | None = None,
) -> list[Token]:
    """The tokens that hold a character of `continuation`, from an echo of prompt and continuation.

    tokens     (t,) as echoed, those generated after the text included
    generated  how many were generated; None: unknown, at most one
    offsets    (t,) where the server says that each begins; looked at only where the tokens' text leaves it open
    raises     DoxaError: the tokens do not spell the text, or nobody says on which side of the seam one lies
    """
    text, seam = prompt + continuation, len(prompt)
    for dropped in dict.fromkeys((1 if generated is None else generated, 0)):
        kept = tokens[: len(tokens) - dropped]
        spans = token_spans([t.text for t in kept], text, offsets)
        if spans is not None:
            break
    else:
        raise DoxaError(
            f"the server's echo does not spell the text it was sent: {''.join(t.text for t in tokens)[:120]!r} for "
            f"{text[:120]!r}. Log-probabilities of it cannot be cut at the continuation."
        )
    torn = next((s for s in spans if not s.sure and s.start < seam < s.end), None)
    if torn is not None:
        raise DoxaError(
            f"the server does not say where the pieces of {text[torn.start : torn.end]!r} begin, and the prompt ends "
            "inside it: end the prompt at a space or a punctuation mark."
        )
    return [token for span, token in zip(spans, kept, strict=True) if span.end > seam]


def last_tokens(tokens: Sequence[Token], continuation: str) -> list[Token]:
    """The last tokens, as few as spell `continuation` (tokens of a chat, whose whole text is not known here).

    raises  DoxaError: they do not spell it, e.g. because the chat template trims or rewrites it
    """
    k, tail = len(tokens), ""
    while k > 0 and len(tail) < len(continuation):
        k -= 1
        tail = tokens[k].text + tail
    if not tail.endswith(continuation):
        raise DoxaError(
            f"the server's prompt does not end in the continuation {continuation!r} but in {tail[-80:]!r}: its chat "
            "template trims or rewrites it. Continue without a leading or trailing blank, or score plain text."
        )
    # Pieces of a character are shown as nothing, and the last of them as the whole character.
    while tail == continuation and not tail[0].isascii() and k > 0 and not tokens[k - 1].text:
        k -= 1
    return list(tokens[k:])


class Span(NamedTuple):
    """Characters start to end that a token holds; not `sure`: it holds some of these, nobody says which."""

    start: int
    end: int
    sure: bool = True


def token_spans(tokens: Sequence[str], text: str, offsets: Sequence[int] | None = None) -> list[Span] | None:
    """Where each token lies in the text; None if the tokens do not spell it.

    Tokens before the text that are not in it (<s>) hold nothing. Pieces of a character (shown as nothing, as U+FFFD
    or as "bytes:...") lie between their whole neighbours; `offsets` tells them apart where they fit.
    """
    spans: list[Span] = []
    at, pieces = 0, 0  # up to here the text is spelt; so many tokens at the end of `spans` wait for their place
    for i, shown in enumerate(tokens):
        token = shown if "\u2581" in text else shown.replace("\u2581", " ")
        room = sum(max(1, len(t)) for t in tokens[i - pieces : i])
        start = text.find(token, at, at + room + len(token)) if token else -1
        if at == 0 and not pieces and start < 0 and not _piece(token):
            start, token = 0, token.lstrip(" ")  # the blank that some tokenizers put before a text
            if not text.startswith(token):
                token = ""  # <s> and the like
        if start < 0:
            spans.append(Span(at, at, False))
            pieces += 1
            continue
        _place(spans, pieces, at, start, offsets)
        spans.append(Span(start, start + len(token)))
        at, pieces = start + len(token), 0
    if pieces:
        room = sum(max(1, len(t)) for t in tokens[-pieces:])
        if not 0 < len(text) - at <= room:
            return None
        _place(spans, pieces, at, len(text), offsets)
        at = len(text)
    return spans if at == len(text) else None


def _place(spans: list[Span], pieces: int, start: int, end: int, offsets: Sequence[int] | None) -> None:
    """Give the last `pieces` spans their place between `start` and `end`."""
    first = len(spans) - pieces
    if end == start:  # the token after them shows the whole character
        end = start + 1
    places = _by_offsets(range(first, len(spans)), start, end, offsets)
    for k in range(pieces):
        spans[first + k] = places[k] if places else Span(start, end, False)


def _by_offsets(which: range, start: int, end: int, offsets: Sequence[int] | None) -> list[Span] | None:
    """Spans from the server's offsets, counted from the first of these tokens; None where they do not fit in."""
    if offsets is None or len(offsets) < which.stop or not which:
        return None
    begins = [offsets[i] - offsets[which.start] + start for i in which]
    if begins != sorted(begins) or begins[-1] >= end:
        return None
    return [Span(b, next((later for later in begins if later > b), end)) for b in begins]


def _piece(token: str) -> bool:
    return not token or "\ufffd" in token or token.startswith("bytes:")


def _chat_tokens(answer: Mapping[str, Any]) -> list[Token] | None:
    """vLLM's `prompt_logprobs`: for each token a dictionary of itself; the first has none."""
    given = answer.get("prompt_logprobs")
    if not isinstance(given, list):
        return None
    entries = [next(iter(e.values())) for e in given if e]
    return [Token(e.get("decoded_token") or "", number(e.get("logprob"))) for e in entries]


def _generated(answer: Mapping[str, Any]) -> int | None:
    count = (answer.get("usage") or {}).get("completion_tokens")
    return count if isinstance(count, int) else None


def _offsets(answer: Mapping[str, Any]) -> list[int] | None:
    offsets = answer["choices"][0]["logprobs"].get("text_offset")
    return offsets if isinstance(offsets, list) and all(isinstance(o, int) for o in offsets) else None
