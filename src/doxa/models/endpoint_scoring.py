"""Log-probability of a continuation from a server that echoes the prompt's: the seam is found in characters. No network.

The tokens that count are those that hold a character of the continuation. A token that lies across the seam (a
tokenizer joined the prompt's last characters with the continuation's first) counts whole, and is seen in `Score.tokens`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from doxa.models.endpoint_wire import CHAT, TEXT, number, tokens_of
from doxa.records import DoxaError, Prompt, Score, Token

Span = tuple[int, int]


def request(prompt: Prompt, continuation: str, model: str) -> tuple[str, dict[str, Any]]:
    """Route and body that make a server give log-probabilities of the text it was sent.

    Plain text: `echo` with `logprobs` (vLLM, SGLang, llama-cpp-python). Chat: the continuation as an open last turn
    and `prompt_logprobs` (vLLM). One token is generated and dropped: some servers take 0 for "no bound".
    """
    body: dict[str, Any] = {"model": model, "max_tokens": 1, "temperature": 0.0}
    if prompt.text is not None:
        return TEXT, body | {"prompt": prompt.text + continuation, "echo": True, "logprobs": 1}
    turns = [{"role": m.role, "content": m.content} for m in prompt.messages]
    turns.append({"role": "assistant", "content": continuation})
    open_turn = {"add_generation_prompt": False, "continue_final_message": True}
    return CHAT, body | {"messages": turns, "prompt_logprobs": 0} | open_turn


def score(answer: Mapping[str, Any], prompt: Prompt, continuation: str) -> Score | None:
    """The score in a server's answer; None where the server gave no log-probabilities of what it was sent.

    raises  DoxaError: the tokens do not spell the text, or the first token has no log-probability
    """
    if prompt.text is None:
        tokens = _chat_tokens(answer)
        counted = None if tokens is None else last_tokens(tokens, continuation)
    else:
        tokens = tokens_of(answer["choices"][0], top=0)
        if tokens is None or not any(math.isfinite(t.logprob) for t in tokens[:-1]):
            return None
        counted = tokens_after(tokens, prompt.text, continuation, generated=_generated(answer), offsets=_offsets(answer))
    if counted is None:
        return None
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
    for (start, end), token in zip(spans, kept, strict=True):
        if start < seam < end and not text.startswith(token.text.lstrip() or " ", end - len(token.text.lstrip() or " ")):
            raise DoxaError(
                f"the server does not say where the pieces of {text[start:end]!r} begin, and the prompt ends inside it: "
                "end the prompt at a space or a punctuation mark."
            )
    return [token for (_, end), token in zip(spans, kept, strict=True) if end > seam]
