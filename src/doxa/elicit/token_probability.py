"""What a model's own token probabilities say of its reply: of the whole, per token, and of the answer in it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from doxa.records import Reply, Token

# The answer as written: what stands behind the label of an answer line, up to the confidence beside it.
_LABEL = r"^[^\w\n]*(?:(?:final )?answer(?: and (?:overall )?confidence)?(?: ?\([^)\n]{0,20}\))?|G1) ?:[ \t]*"
_ANSWER = re.compile(
    rf"{_LABEL}(\S[^\n]*?)[ \t]*(?:[,;][ \t]*(?:about |around |~)?[0-9.]+ ?%?[ \t.]*)?(?:<[^<>\n]*>)?$", re.I | re.M
)


@dataclass(frozen=True)
class TokenLogprobs:
    """Natural log-probabilities of a reply: `reply` of all its `tokens`, `answer` of the tokens that are the answer.

    answer  None: no answer line in the reply
    """

    reply: float
    tokens: int
    answer: float | None

    @property
    def seq_prob(self) -> float:
        """Product of the probabilities of all tokens."""
        return math.exp(self.reply)

    @property
    def len_norm_prob(self) -> float:
        """The same to the power 1/length: the geometric mean."""
        return math.exp(self.reply / self.tokens)

    @property
    def token_prob(self) -> float | None:
        """Product of the probabilities of the answer's tokens."""
        return None if self.answer is None else math.exp(self.answer)


def token_logprobs(reply: Reply) -> TokenLogprobs | None:
    """The reply's log-probabilities, nats; None when it came without tokens, or one of them without its number.

    The answer is what stands on the last line labelled "Answer", "Answer and Confidence" or "Final Answer", or on the
    first labelled "G1"; a token that reaches into it counts whole.

    source  Xiong et al. 2023, arXiv 2306.13063, sec. 5.4

    >>> tokens = tuple(Token(t, math.log(p)) for t, p in [("Answer: ", 1.0), ("B", 0.5), (", 90%", 0.8)])
    >>> found = token_logprobs(Reply("Answer: B, 90%", tokens=tokens))
    >>> round(found.seq_prob, 3), round(found.token_prob, 3)
    (0.4, 0.5)
    """
    if not reply.tokens or any(math.isnan(token.logprob) for token in reply.tokens):
        return None
    tokens = reply.tokens
    span = _answer_span("".join(token.text for token in tokens))
    return TokenLogprobs(
        sum(token.logprob for token in tokens), len(tokens), None if span is None else _within(tokens, *span)
    )


def _answer_span(text: str) -> tuple[int, int] | None:
    found = list(_ANSWER.finditer(text))
    if not found:
        return None
    first_guess = next((m for m in found if m[0].lstrip(" \t*-").upper().startswith("G1")), None)
    return (first_guess or found[-1]).span(1)


def _within(tokens: tuple[Token, ...], start: int, end: int) -> float:
    total, place = 0.0, 0
    for token in tokens:
        if place < end and place + len(token.text) > start and token.text:
            total += token.logprob
        place += len(token.text)
    return total
