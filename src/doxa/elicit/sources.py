"""A source before a question: an article, a sentence, a part of a solution."""

from __future__ import annotations

from dataclasses import replace

from doxa.records import Message, Prompt

SOURCE = "Source:"


def with_source(prompt: Prompt, source: str) -> Prompt:
    """The prompt with a source before the words of its last turn; its item says so in `fields["source_shown"]`.

    raises  ValueError: a plain-text prompt, or one that does not end with a user message

    >>> with_source(Prompt.user("Who?"), "It was me.").messages[-1].content
    'Source: It was me.\\nWho?'
    """
    if not prompt.messages or prompt.messages[-1].role != "user":
        raise ValueError("a source is added to a chat whose last message is the user's; this prompt has none")
    last = Message("user", f"{SOURCE} {source}\n{prompt.messages[-1].content}")
    item = prompt.item and replace(prompt.item, fields={**prompt.item.fields, "source_shown": source})
    return replace(prompt, messages=(*prompt.messages[:-1], last), item=item)
