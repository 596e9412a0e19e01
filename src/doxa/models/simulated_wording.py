"""How an item's values are worded in a form (letters, texts, true and false, yes and no), and found by their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from doxa.models.simulated_values import is_admission, is_binary, is_closed, meaning, values
from doxa.records import LETTERS, Answer, DoxaError, Form, Item, Outcome, Prompt, Reply

ABSTENTION = "I do not know."

# Replies out of format; the first that the form at hand does not read as an answer is given.
GARBLED = ("Let me think about this:", "...", "")


@dataclass(frozen=True)
class Bare:
    """The form of prompts that bring none: the reply is the bare value."""

    @property
    def name(self) -> str:
        return "bare"

    @property
    def target(self) -> str:
        return ""

    def prompt(self, item: Item) -> Prompt:
        return Prompt.user(item.text, form=self, item=item)

    def read(self, reply: Reply | str, item: Item | None = None) -> Answer:
        text = (reply if isinstance(reply, str) else reply.text).strip().removesuffix(".")
        return Answer("abstained") if is_admission(text) else Answer("ok", text)

    def write(self, answer: Answer, item: Item | None = None) -> str:
        return answer.value if answer.value is not None else ABSTENTION


def merged(true: Item, shown: Item, form: Form) -> Item:
    """The true item as it is shown: the shown kind and options (or those the form brings), the true answer and tags."""
    brought = getattr(form, "options", ())
    options = shown.options or (brought if isinstance(brought, tuple) else ())
    if shown is true and options == true.options:
        return true
    answer = shown.answer if shown.answer is not None else true.answer
    if options and answer not in options:
        answer = next((o for o in options if same_meaning(o, answer)), None)
    mixed = {**true.fields, **shown.fields}
    return replace(true, text=shown.text, kind=shown.kind, options=options, answer=answer, fields=mixed)


def in_true_order(item: Item, true: Item | None) -> Item:
    """The item with its options in the true item's order: beliefs planted by place are about options as they stood."""
    if true is None or item.options == true.options or not set(item.options) <= set(true.options):
        return item
    return replace(item, options=tuple(o for o in true.options if o in item.options))


def same_meaning(option: str, answer: str | None) -> bool:
    """Whether an option says the answer in other words: "Yes" for "true", "paris" for "Paris"."""
    if answer is None:
        return False
    return option.casefold() == answer.casefold() or (
        meaning(option) is not None and meaning(option) == meaning(answer)
    )


def admission_of(item: Item) -> int | None:
    """Place of the option that admits not to know; None: there is none."""
    named = item.fields.get("admission")
    return next((j for j, o in enumerate(item.options) if o == named or is_admission(o)), None)


def wordings(item: Item, text: str) -> dict[str, tuple[str, ...]]:
    """Ways to word `values(item)`, the likelier first: letters where the options stand in the prompt's `text`."""
    names = values(item)
    if item.options:
        letters, plain, lowered = tuple(LETTERS[: len(names)]), names, tuple(n.lower() for n in names)
        if all(option in text for option in item.options):
            return {"letters": letters, "texts": plain, "lowered": lowered}
        return {"texts": plain, "lowered": lowered, "letters": letters}
    if is_binary(item):
        first = "true" if item.kind == "statement" or item.answer in ("true", "false") else "yes"
        return {first: BINARY[first], **BINARY}
    return {"texts": names}


def round_trips(form: Form, item: Item, said: Sequence[str]) -> bool:
    """Whether the form can write the first and the last of the values and reads them back."""
    try:
        written = [(value, form.write(Answer("ok", value, 0.5), item)) for value in (said[0], said[-1])]
    except ValueError:
        return False
    return all(form.read(text, item).value == value for value, text in written)


@dataclass(frozen=True)
class Words:
    """The values by meaning (`names`) and in the form's words (`said`), and `found`: from any word to its place."""

    names: tuple[str, ...]
    said: tuple[str, ...]
    found: Mapping[str, int]

    @classmethod
    def of(cls, item: Item, said: tuple[str, ...], also: Iterable[str] = ()) -> Words:
        """The words for an item's values, and for the `also` ones that are not among them."""
        closed, known_answer = is_closed(item), item.answer is not None
        known = _words(values(item), said, closed, item.accepted if known_answer and not closed else ())
        new = tuple(dict.fromkeys(word for word in also if known.place(word) is None))
        if not new:
            return known
        extra = {word: len(known.names) + j for j, word in enumerate(new)}
        return cls((*known.names, *new), (*said, *new), {**known.found, **extra})

    def place(self, word: str) -> int | None:
        """Place of a value by any word for it, also "yes" where it is called "true"; None: it is no value."""
        for name in (word, word.casefold()):
            if name in self.found:
                return self.found[name]
        same = meaning(word)
        return next((j for j, name in enumerate(self.names) if same and meaning(name) == same), None)


@lru_cache(maxsize=4096)
def _words(names: tuple[str, ...], said: tuple[str, ...], lettered: bool, accepted: tuple[str, ...]) -> Words:
    found: dict[str, int] = {letter: j for j, letter in enumerate(LETTERS[: len(names)])} if lettered else {}
    found |= {other.casefold(): 0 for other in accepted}
    for words in (names, said):
        found |= {form: j for j in reversed(range(len(words))) for form in (words[j].casefold(), words[j])}
    return Words(names, said, found)


BINARY = {"true": ("true", "false"), "yes": ("yes", "no"), "letters": ("A", "B")}


def garbled(form: Form, item: Item) -> str:
    """A reply that the form does not read as an answer."""
    unread = (text for text in GARBLED if form.read(text, item).outcome not in ("ok", "abstained", "refused"))
    return next(unread, GARBLED[-1])


def evasion(form: Form, item: Item) -> tuple[Outcome, str]:
    """A reply that declines, and the outcome as which the form reads it: "refused", or else "abstained"."""
    declining: tuple[Outcome, ...] = ("refused", "abstained")
    for outcome in declining:
        try:
            text = form.write(Answer(outcome), item)
            if form.read(text, item).outcome == outcome:
                return outcome, text
        except ValueError:
            continue
    raise DoxaError(
        f"the form {form.name!r} can write neither a refusal nor an abstention, so that nothing evades in it"
    )
