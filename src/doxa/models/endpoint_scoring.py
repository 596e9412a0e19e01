"""Log-probability of a continuation, from servers that give those of the text they were sent. No network.

The seam is found in characters: the tokens that count are those that hold a character of the continuation. One that
lies across the seam (the tokenizer joined the prompt's end with the continuation's start) counts whole, and is seen
in `Score.tokens`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from doxa.models.endpoint_wire import CHAT, OPEN_TURN, TEXT, number, tokens_of
from doxa.records import DoxaError, Prompt, Score, Token

# Fields without which a chat's answer holds no log-probabilities, or those of another text.
CHAT_NEEDS = frozenset(OPEN_TURN) | {"prompt_logprobs"}
# A token's parts: pieces of characters, and what is between them.
PARTS = re.compile(r"bytes:.*|\ufffd|[^\ufffd]+", re.S)


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
        choice = answer["choices"][0]
        echoed = tokens_of(choice, top=0)
        if echoed is None or not str(choice.get("text")).startswith(prompt.text + continuation):
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
               and up to two in front that are not part of it, such as <s>
    generated  how many were generated; None: unknown, at most one
    offsets    (t,) where the server says that each begins; looked at only where the tokens' text leaves it open
    raises     DoxaError: the tokens do not spell the text, or nobody says on which side of the seam one lies
    """
    text, seam = prompt + continuation, len(prompt)
    for lead, tail in product((0, 1, 2), dict.fromkeys((1 if generated is None else generated, 0))):
        inside = range(lead, len(tokens) - tail)
        shown = [tokens[i].text for i in inside]
        firsts = first_after(shown, text, seam)
        if firsts:
            break
    else:
        raise DoxaError(
            f"the server's echo does not spell the text it was sent: {''.join(t.text for t in tokens)[:120]!r} for "
            f"{text[:120]!r}. Log-probabilities of it cannot be cut at the continuation."
        )
    if len(firsts) > 1 and offsets is not None and len(offsets) == len(tokens):
        firsts = first_after(shown, text, seam, [offsets[i] - offsets[lead] for i in inside])
    if len(firsts) != 1:
        raise DoxaError(
            f"the server shows pieces of characters, and it stays open with which {continuation[:40]!r} begins: "
            "end the prompt at a space or a punctuation mark."
        )
    return [tokens[i] for i in inside[min(firsts) :]]


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


def first_after(tokens: Sequence[str], text: str, seam: int, offsets: Sequence[int] | None = None) -> set[int]:
    """Which token can be the first that holds a character of text[seam:]; none: the tokens do not spell the text.

    Follows every way in which the tokens spell the text: servers show a piece of a character as nothing, as U+FFFD or
    as "bytes:...", and some show the whole character with its last piece.
    offsets  where each token begins in the text, if that is known
    """
    # Where one can be: (characters spelt, pieces seen of the next) -> what the first token can have been by then.
    places: dict[tuple[int, int], set[int]] = {(0, 0): set()}
    for i, shown in enumerate(tokens):
        token = shown if "\u2581" in text else shown.replace("\u2581", " ")
        after: dict[tuple[int, int], set[int]] = {}
        for (at, pieces), firsts in places.items():
            if offsets is not None and offsets[i] != at:
                continue
            for end, rest in _steps(token, text, at, pieces):
                holds = end + (rest > 0) > seam
                after.setdefault((end, rest), set()).update(firsts or ({i} if holds else ()))
        places = after
    return places.get((len(text), 0), set())


def _steps(token: str, text: str, at: int, pieces: int) -> set[tuple[int, int]]:
    """Where a token can lead to from `at` characters spelt and `pieces` seen of the next one."""
    if token and not pieces and text.startswith(token, at):
        return {(at + len(token), 0)}
    if at == 0 and token.startswith(" ") and text.startswith(token[1:]):
        return {(len(token) - 1, 0)}  # the blank that some tokenizers put before a text
    ends = {(at, pieces)}
    for part in PARTS.findall(token) or [""]:
        ends = {end for place in ends for end in _part(part, text, *place)}
    return ends


def _part(part: str, text: str, at: int, pieces: int) -> list[tuple[int, int]]:
    if not _piece(part):
        whole = text.startswith(part, at) and (not pieces or not part[0].isascii())
        return [(at + len(part), 0)] if whole else []
    size = len(text[at].encode()) if at < len(text) else 1
    more = [(at, pieces + 1)] if pieces + 1 < size else []
    return [*more, (at + 1, 0)] if 1 <= pieces < size else more


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
