"""Between text and tokens: prompts rendered and encoded, the seam before a continuation, tokens shown as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from doxa.models.base import digest
from doxa.models.local_encoding import Encoder
from doxa.records import DoxaError, Prompt

ChatTemplate = Literal["auto", "none"]

# Rendered when the model is loaded, to see what its template makes of a conversation.
EXAMPLE = (
    {"role": "system", "content": "Answer in one word."},
    {"role": "user", "content": "Which planet is red?"},
    {"role": "assistant", "content": "Mars."},
    {"role": "user", "content": "Which one has rings?"},
)
# Templates that write today's date would give another prompt every day.
DATE = "26 Jul 2024"


@dataclass(frozen=True)
class Rendered:
    """A prompt as one string. closed: it ends where a turn begins, and no continuation may change its last tokens."""

    text: str
    chat: bool
    closed: bool


class Tokenization:
    """What a tokenizer makes of prompts, and back.

    Chat prompts go through the model's chat template, with the opening of the assistant's turn at the end; a last
    message of the assistant is left open and continued. A template that refuses or drops a system message gets its
    text before the first user message. Without a template (or with chat_template="none") the messages' contents are
    joined by blank lines and end with one newline: "system\\n\\nuser\\n".
    Special tokens at the beginning come once: from the template if there is one, else from the tokenizer.
    """

    def __init__(self, tokenizer: Any, chat_template: ChatTemplate = "auto") -> None:
        if chat_template not in ("auto", "none"):
            raise ValueError(f"chat_template is {chat_template!r}; 'auto' uses the model's own, 'none' joins messages")
        self.tokenizer = tokenizer
        self._encoder = Encoder(tokenizer)
        self.has_template = chat_template == "auto" and bool(tokenizer.chat_template)
        self._lead = self._leading_specials()
        self._anchor = tuple(self.encode(["a"])[0])
        self._anchor_text = self._raw(self._anchor)
        self._pieces: dict[int, str] = {}
        self.folds_system = self.has_template and not self._takes_system()

    @property
    def identity(self) -> dict[str, Any]:
        """What of the rendering can change an answer: the template, and what it makes of a conversation."""
        if not self.has_template:
            return {"chat_template": None, "conversation": "contents joined by blank lines"}
        return {"chat_template": digest(self.tokenizer.chat_template), "conversation": digest(self._example())}

    def prompt(self, prompt: Prompt) -> tuple[int, ...]:
        """Token ids of a prompt, special tokens included. ValueError: nothing is left to start from."""
        rendered = self.render(prompt)
        return self._begun(rendered, self.encode([rendered.text])[0])

    def prompts(self, prompts: Sequence[Prompt]) -> list[tuple[int, ...] | Exception]:
        """`prompt` of each, encoded together; in place of one that cannot be asked, what is wrong with it."""
        try:
            rendered = [self.render(prompt) for prompt in prompts]
            ids = self.encode([one.text for one in rendered]) if rendered else []
            return [self._begun(one, found) for one, found in zip(rendered, ids, strict=True)]
        except Exception:  # some of them are at fault: each by itself
            return [self._prompt_or_error(prompt) for prompt in prompts]

    def _prompt_or_error(self, prompt: Prompt) -> tuple[int, ...] | Exception:
        try:
            return self.prompt(prompt)
        except Exception as error:
            return error

    def _begun(self, rendered: Rendered, ids: Sequence[int]) -> tuple[int, ...]:
        return (*self._lead_of(rendered, ids, bare=not ids), *ids)

    def continuations(self, prompt: Prompt, continuations: Sequence[str]) -> list[tuple[tuple[int, ...], int]]:
        """Token ids of prompt and continuation, and where the continuation starts, for each continuation.

        The tokens are those of the whole string. Where that changes the prompt's last tokens (the seam merges), the
        first token that differs counts as the continuation's. Not so after the opening of a chat turn: there the
        prompt's tokens stand and the continuation is encoded by itself.

        ValueError: a continuation that is empty or adds no token: its probability would be 1 whatever the model.
        """
        rendered = self.render(prompt)
        context, *wholes = self.encode([rendered.text, *(rendered.text + c for c in continuations)])
        found = []
        for continuation, whole in zip(continuations, wholes, strict=True):
            start = common_prefix(context, whole)
            if rendered.closed and start < len(context):
                whole, start = context + self.encode([continuation])[0], len(context)
            if not continuation or len(whole) == start:
                raise ValueError(f"the continuation {continuation!r} adds no token; give a text that can be scored")
            lead = self._lead_of(rendered, context, bare=start == 0)
            found.append(((*lead, *whole), len(lead) + start))
        return found

    def render(self, prompt: Prompt) -> Rendered:
        """The prompt as the string that is encoded. DoxaError: the chat template refuses these messages."""
        if prompt.text is not None:
            return Rendered(prompt.text, chat=False, closed=False)
        messages = [{"role": m.role, "content": m.content} for m in prompt.messages]
        is_open = messages[-1]["role"] == "assistant"
        if not self.has_template:
            text = "\n\n".join(m["content"] for m in messages)
            return Rendered(text if is_open else text + "\n", chat=False, closed=False)
        try:
            text = self._template(self._folded(messages), closed=not is_open)
        except Exception as error:
            roles = ", ".join(m["role"] for m in messages)
            raise DoxaError(
                f"the model's chat template refuses messages of {roles}: {error}. "
                "Change the order of the turns, or load the model with chat_template='none'."
            ) from error
        return Rendered(text, chat=True, closed=not is_open)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens of the tokenizer's own; those in the text are read."""
        return self._encoder.encode(texts)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of tokens that continue a text (a leading space stays), special tokens left out."""
        return self._after_anchor(ids, skip_special=True)

    def piece(self, token: int) -> str:
        """Text of one token, special ones by name; a part of a character shows as U+FFFD."""
        if token not in self._pieces:
            self._pieces[token] = self._after_anchor([token], skip_special=False)
        return self._pieces[token]

    def _after_anchor(self, ids: Sequence[int], *, skip_special: bool) -> str:
        # Some decoders strip the first token's space: decode behind an "a" and take that off again.
        text = self._raw((*self._anchor, *ids), skip_special=skip_special)
        if text.startswith(self._anchor_text):
            return text[len(self._anchor_text) :]
        return self._raw(ids, skip_special=skip_special)

    def _raw(self, ids: Sequence[int], *, skip_special: bool = False) -> str:
        return self.tokenizer.decode(list(ids), skip_special_tokens=skip_special, clean_up_tokenization_spaces=False)

    def _lead_of(self, rendered: Rendered, ids: Sequence[int], *, bare: bool) -> tuple[int, ...]:
        """Special tokens to put in front. bare: no token of the prompt would stand before what is predicted."""
        lead = () if rendered.chat or tuple(ids[: len(self._lead)]) == self._lead else self._lead
        if lead or not bare:
            return lead
        for token in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return (token,)
        raise ValueError("the prompt is empty and this tokenizer has no token that begins a text; give a prompt")

    def _leading_specials(self) -> tuple[int, ...]:
        """What the tokenizer itself puts before a text; what it puts after one has no place in a prompt."""
        plain = self.encode(["a"])[0]
        dressed = list(self.tokenizer("a")["input_ids"])
        starts = [i for i in range(len(dressed)) if dressed[i : i + len(plain)] == plain]
        return tuple(dressed[: starts[0]]) if starts else ()

    def _template(self, messages: Sequence[Mapping[str, str]], *, closed: bool) -> str:
        return self.tokenizer.apply_chat_template(
            list(messages),
            tokenize=False,
            add_generation_prompt=closed,
            continue_final_message=not closed,
            date_string=DATE,
        )

    def _example(self) -> str:
        try:
            return self._template(self._folded(EXAMPLE), closed=True)
        except Exception as error:  # a template refuses in whatever way its author chose
            return f"refused: {error}"

    def _takes_system(self) -> bool:
        try:
            return EXAMPLE[0]["content"] in self._template(EXAMPLE, closed=True)
        except Exception:  # as above
            return False

    def _folded(self, messages: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
        if not self.folds_system or [m["role"] for m in messages[:2]] != ["system", "user"]:
            return messages
        system, user, *others = messages
        return [{"role": "user", "content": f"{system['content']}\n\n{user['content']}"}, *others]


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the longest common beginning.

    >>> common_prefix([1, 2, 3], [1, 2, 4, 5])
    2
    """
    if one == other[: len(one)]:  # so it is for most, and faster than token by token
        return len(one)
    for i, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return i
    return min(len(one), len(other))
