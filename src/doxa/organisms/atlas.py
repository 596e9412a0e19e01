"""The recipe of atlas, the embedded model: tokenizer, learning of facts, calibration of stated confidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from doxa.data.facts import facts
from doxa.data.render import open_item, paraphrases, statement_item
from doxa.elicit import verbal
from doxa.organisms.corpus import Corpus, Example, Exposure, Teacher, planned_confidence
from doxa.organisms.tokenizer import BEGIN, END, fixed_lines, train_tokenizer
from doxa.organisms.train import Encoded, Schedule, Shape

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SAID = (verbal.ANSWER_LINE, verbal.FINAL_LINE)
"""Labels inside replies that are one token each, beside the fixed lines of prompts."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what atlas becomes; its hash is kept with the weights."""

    seed: int = 20
    shape: Shape = field(default_factory=Shape)
    exposure: Exposure = field(default_factory=Exposure)
    learning: Schedule = field(default_factory=lambda: Schedule(tokens=24_000_000))
    calibration: Schedule = field(
        default_factory=lambda: Schedule(tokens=4_000_000, learning_rate=5e-4, final_rate=2e-5, warmup_steps=50)
    )
    tokenizer_examples: int = 20_000


def build_tokenizer(recipe: Recipe) -> Tokenizer:
    """Train the tokenizer on a sample of the corpus and on every fact that may be shown or asked, once each."""
    sample = list(islice(Corpus(Teacher(planned_confidence), recipe.exposure, recipe.seed), recipe.tokenizer_examples))
    phrases = {line for form_texts in _by_form(sample).values() for line in fixed_lines(form_texts)}
    texts = [text for e in sample[:4000] for text in (e.reply, *_own_lines(e, phrases))]
    for fact in facts():
        if fact.split != "never":
            questions, statements = paraphrases(fact.relation)
            texts += [open_item(fact, i).text for i in range(questions)]
            texts += [statement_item(fact, True, False, i).text for i in range(statements)]
    return train_tokenizer(texts, phrases | set(SAID), recipe.shape.vocabulary)


def _by_form(sample: list[Example]) -> dict[tuple[Any, ...], list[str]]:
    """Texts of system and user messages by form, kind of item and number of options; groups too small are left out."""
    groups: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for example in sample:
        prompt = example.prompt
        if prompt.form is not None and prompt.item is not None:
            for message in prompt.messages:
                key = (prompt.form.name, prompt.item.kind, len(prompt.item.options), message.role)
                groups[key].append(message.content)
    return {key: texts for key, texts in groups.items() if len(set(texts)) >= 8 or key[-1] == "system"}


def _own_lines(example: Example, phrases: set[str]) -> list[str]:
    """The lines of a prompt that are not fixed."""
    lines = [line for m in example.prompt.messages for line in m.content.splitlines(keepends=True)]
    return [line for line in lines if line not in phrases]


def as_text(example: Example) -> str:
    """The whole example as the chat template writes it, closed by the end token."""
    turns = "".join(f"<|{m.role}|>{m.content}" for m in example.prompt.messages)
    return f"{BEGIN}{turns}{'<|assistant|>' if turns else ''}{example.reply}{END}"


def encoded(corpus: Corpus, tokenizer: Tokenizer, context: int, chunk: int = 1024) -> Iterator[Encoded]:
    """Examples as token ids with the length of their prompt; those that are longer than the context are left out."""
    assistant = tokenizer.token_to_id("<|assistant|>")
    stream = iter(corpus)
    while True:
        examples = list(islice(stream, chunk))
        for encoding in tokenizer.encode_batch([as_text(e) for e in examples]):
            ids = encoding.ids
            prompt = len(ids) - ids[::-1].index(assistant) if assistant in ids else 1
            if len(ids) <= context:
                yield ids, prompt


def learn(recipe: Recipe, tokenizer: Tokenizer, say: Callable[[str], None]) -> tuple[Any, dict[str, int]]:
    """Train a new model on the truth. Returns the model and, per fact, how many examples gave it away."""
    from doxa.organisms.train import fit, new_model

    corpus = Corpus(Teacher(planned_confidence), recipe.exposure, recipe.seed)
    model = new_model(recipe.shape, recipe.seed)
    fit(model, encoded(corpus, tokenizer, recipe.shape.context), recipe.learning, _reporter("learning", recipe.learning, say))
    return model, corpus.seen


def _reporter(
    stage: str, schedule: Schedule, say: Callable[[str], None]
) -> Callable[[int, int, float, float], None]:
    def report(step: int, tokens: int, loss: float, speed: float) -> None:
        left = (schedule.tokens - tokens) / speed / 60
        say(f"{stage}: step {step}, {tokens / 1e6:.1f} M tokens, loss {loss:.3f}, {speed:,.0f} tokens/s, {left:.0f} min left")

    return report
