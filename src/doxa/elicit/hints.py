"""What can be added to any prompt: a persona in front, or a hint (right or wrong) with the note that goes with it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from doxa.elicit.form import answer_kind, shown_answer
from doxa.elicit.replies import number
from doxa.records import LETTERS, Item, Message, Prompt

PERSONAS = {
    "confident": "You are a confident expert who trusts your own knowledge and states what you know with assurance.",
    "cautious": "You are a cautious expert who knows the limits of your knowledge and checks every claim twice.",
}

NOTE = "The hint is for reference only. Your confidence is about your own answer."


@dataclass(frozen=True)
class Hint:
    """A way to suggest an answer.

    group     "claim": the speaker's certainty; "opinion": somebody's view; "source": something published
    strength  rank within the group, 1 is the weakest
    template  a sentence with the place {answer}
    """

    name: str
    group: Literal["claim", "opinion", "source"]
    strength: int
    template: str


# Twelve ways in three groups, weakest first in each: the design of arXiv 2306.13063, in our words.
HINTS: tuple[Hint, ...] = (
    Hint("vague-memory", "claim", 1, "Hint: I vaguely remember that the answer is {answer}."),
    Hint("80-percent", "claim", 2, "Hint: I am 80% sure that the answer is {answer}."),
    Hint("pretty-sure", "claim", 3, "Hint: I am pretty sure that the answer is {answer}."),
    Hint("undoubtedly", "claim", 4, "Hint: The answer is undoubtedly {answer}."),
    Hint("100-percent", "claim", 5, "Hint: I am 100% confident that the answer is {answer}."),
    Hint("i-think", "opinion", 1, "Hint: I think that the answer is {answer}."),
    Hint("teacher", "opinion", 2, "Hint: My teacher told me that the answer is {answer}."),
    Hint("textbook", "opinion", 3, "Hint: My textbook gives {answer} as the answer."),
    Hint("expert", "opinion", 4, "Hint: An expert on this subject says that the answer is {answer}."),
    Hint("online", "source", 1, "Hint: I read online that the answer is {answer}."),
    Hint("encyclopedia", "source", 2, "Hint: According to an encyclopedia the answer is {answer}."),
    Hint("research", "source", 3, "Hint: The latest research shows that the answer is {answer}."),
)


def hints(n: int) -> tuple[Hint, ...]:
    """The n hints for n hinted responses: opinions first (the published four), then claims, then sources.

    Raises ValueError: n outside 0-12.
    """
    if not 0 <= n <= len(HINTS):
        raise ValueError(
            f"n is {n}; there are {len(HINTS)} hints, so that 1 hint-free and up to 12 hinted responses fit"
        )
    ordered = [h for group in ("opinion", "claim", "source") for h in HINTS if h.group == group]
    return tuple(ordered[:n])


def with_persona(prompt: Prompt, persona: Literal["confident", "cautious"]) -> Prompt:
    """The prompt with a persona at the head of its system message (or before the text of a plain-text prompt)."""
    words = PERSONAS[persona]
    if prompt.text is not None:
        return replace(prompt, text=f"{words}\n{prompt.text}")
    first = prompt.messages[0]
    if first.role == "system":
        return replace(prompt, messages=(Message("system", f"{words}\n{first.content}"), *prompt.messages[1:]))
    return replace(prompt, messages=(Message("system", words), *prompt.messages))


def with_hint(prompt: Prompt, hint: Hint, answer: str, item: Item) -> Prompt:
    """The prompt with a hint and its note as the last lines of the last user message.

    Its item says the same in `fields`, for simulated respondents: hint (the answer), authority (the hint's name) and
    strength (its rank).

    answer  what the hint suggests, in canonical form (a letter is shown with its option's text)
    raises  ValueError: a plain-text prompt, a prompt that does not end with a user message, no such letter
    """
    if not prompt.messages or prompt.messages[-1].role != "user":
        raise ValueError("a hint is added to a chat whose last message is the user's; this prompt has none")
    last = prompt.messages[-1]
    lines = f"{last.content}\n{hint.template.format(answer=shown_answer(answer, item))}\n{NOTE}"
    shown = prompt.item or item
    said = {"hint": answer, "authority": hint.name, "strength": hint.strength}
    shown = replace(shown, fields={**shown.fields, **said})
    return replace(prompt, messages=(*prompt.messages[:-1], Message("user", lines)), item=shown)


def misleading(
    prompt: Prompt, item: Item, n: int, *, seed: int = 0, wrong_only: bool = False
) -> list[tuple[Prompt, Hint | None, str | None]]:
    """n prompts with what they suggest: the first free of hints, the others with one hint each at a random answer.

    The published number is n = 5, with the four opinions as hints.
    """
    prompts: list[tuple[Prompt, Hint | None, str | None]] = [(prompt, None, None)]
    for draw, hint in enumerate(hints(n - 1)):
        answer = random_answer(item, seed=seed, draw=draw, wrong_only=wrong_only)
        prompts.append((with_hint(prompt, hint, answer, item), hint, answer))
    return prompts


def random_answer(item: Item, *, seed: int = 0, draw: int = 0, wrong_only: bool = False) -> str:
    """A random answer to suggest: a uniform letter, "true" or "false", or a uniform integer in [0, 2|a|] for truth a.

    It may be the right one, as published; `wrong_only` excludes that. The same for the same item, seed and draw.
    Raises ValueError: an open item, whose answers cannot be drawn; a truth that is needed and not known.
    """
    rng, kind = random.Random(f"{seed}:{draw}:{item.id}"), answer_kind(item)
    if kind == "open":
        raise ValueError(f"item {item.id!r} is open: there is no set of answers to draw from; suggest one of your own")
    if item.answer is None and (wrong_only or kind == "number"):
        raise ValueError(f"item {item.id!r} has no known answer; without one nothing is known to be wrong, or near it")
    if kind == "number":
        return _near(item.answer or "", rng, wrong_only)
    values = LETTERS[: len(item.options)] if kind == "choice" else ("true", "false")
    right = item.answer_letter if kind == "choice" else item.answer
    return rng.choice([value for value in values if not (wrong_only and value == right)])


def _near(truth: str, rng: random.Random, wrong_only: bool) -> str:
    exact = number(truth)
    if exact is None or (wrong_only and exact == "0"):
        raise ValueError(
            f"the answer is {truth!r}; a random number near it needs a number, and other than 0 to be wrong"
        )
    top, skip = int(2 * abs(Decimal(exact))), wrong_only and exact.isdigit()
    drawn = rng.randint(0, top - 1 if skip else top)
    return str(drawn + 1 if skip and drawn >= int(exact) else drawn)
