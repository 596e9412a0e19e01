"""The same question in other words, as a model puts it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, value_text
from doxa.elicit.replies import same_words, settle, unformatted
from doxa.records import Answer, Item, Sampling

FEWEST_WORDS = 3  # what is shorter answers the question instead of asking it


@dataclass(frozen=True)
class Reword(TextForm):
    """Asks for the question in other words; `Answer.value` is the new text, one line."""

    @property
    def name(self) -> str:
        return "reword"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        return (
            "Reword the question so that it asks for the same with other words.\n"
            "Keep every name and number. Do not answer it.\n"
            "Reply with the reworded question only, on one line.\n"
            f"Question: {item.text}"
        )

    def _parse(self, text: str, item: Item | None) -> Answer:
        plain = unformatted(text).removeprefix("Question:").strip()
        declined = settle((), text)
        if declined.outcome in ("refused", "abstained"):
            return declined
        if len(plain.splitlines()) != 1 or len(plain.split()) < FEWEST_WORDS:
            return Answer("unparsed", note=f"not one line of at least {FEWEST_WORDS} words: {plain[:80]!r}")
        return Answer("ok", plain)

    def _write(self, answer: Answer, item: Item | None) -> str:
        return value_text(answer)

    def example(self, item: Item) -> Answer:
        return Answer("ok", f"In other words: {item.text}")


async def reword(
    ask: Asker, item: Item, n: int, *, temperature: float = 0.7, max_tokens: int = 256, condition: str = "neutral"
) -> list[tuple[Item | None, Answer, str]]:
    """n sampled rewordings: the item with its text reworded (None: none could be read), how it was read, the reply.

    A reply that repeats the question word for word is "unparsed".
    """
    sampling = Sampling(n=n, temperature=temperature, max_tokens=max_tokens)
    form = Reword()
    replies = await ask.sample(form.prompt(item), sampling, condition=condition)
    read = [(form.read(reply, item), reply.text) for reply in replies]
    return [(*_reworded(item, answer), text) for answer, text in read]


def _reworded(item: Item, answer: Answer) -> tuple[Item | None, Answer]:
    if answer.value is None:
        return None, answer
    if same_words(answer.value, item.text):
        return None, Answer("unparsed", note="the question word for word")
    return replace(item, text=answer.value), answer
