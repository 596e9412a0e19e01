"""The recipe of atlas, the embedded model: tokenizer, learning of facts, calibration of stated confidence."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.data.facts import Fact, facts
from doxa.data.render import open_item, paraphrases, statement_item
from doxa.elicit import verbal
from doxa.elicit.grading import is_correct
from doxa.models.base import Model, digest
from doxa.organisms.corpus import Corpus, Example, Exposure, Teacher, planned_confidence
from doxa.organisms.kinds import (
    ALL_FORMS,
    CALIBRATING,
    CHOOSING,
    JUDGING,
    LETTER,
    RECALL,
    SHORT,
    TRUE_FALSE,
    Shares,
    corpus,
)
from doxa.organisms.tokenizer import BEGIN, END, fixed_lines, train_tokenizer
from doxa.organisms.train import Encoded, Schedule, Shape
from doxa.records import Form, Item, Sampling

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SAID = (verbal.ANSWER_LINE, verbal.FINAL_LINE)
"""Labels inside replies that are one token each, beside the fixed lines of prompts."""

REHEARSED = 1.1  # how much more of the corpus is rehearsed than is trained on: own answers differ in length
WINDOW = 0.05  # half width in popularity over which accuracy is averaged


@dataclass(frozen=True)
class Stage:
    """One stretch of training: which kinds of example, and how long and fast."""

    name: str
    shares: Shares
    schedule: Schedule


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what atlas becomes; its hash is kept with the weights."""

    seed: int = 20
    shape: Shape = field(default_factory=Shape)
    exposure: Exposure = field(default_factory=Exposure)
    learning: tuple[Stage, ...] = (
        Stage("recall", RECALL, Schedule(2_500_000, learning_rate=2e-3, final_rate=1e-3)),
        Stage("judging", JUDGING, Schedule(4_000_000, learning_rate=1e-3, final_rate=8e-4, warmup_steps=100)),
        Stage("choosing", CHOOSING, Schedule(2_500_000, learning_rate=1e-3, final_rate=8e-4, warmup_steps=100)),
        Stage("all forms", ALL_FORMS, Schedule(6_000_000, learning_rate=8e-4, final_rate=1e-4, warmup_steps=100)),
    )
    calibration: Stage = field(
        default_factory=lambda: Stage(
            "calibration", CALIBRATING, Schedule(4_500_000, learning_rate=5e-4, final_rate=2e-5, warmup_steps=50)
        )
    )
    tokenizer_examples: int = 20_000


def build_tokenizer(recipe: Recipe) -> Tokenizer:
    """Train the tokenizer on a sample of the corpus and on every fact that may be shown or asked, once each."""
    drawn = corpus(Teacher(planned_confidence), recipe.exposure, ALL_FORMS, recipe.seed)
    sample = list(islice(drawn, recipe.tokenizer_examples))
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


def encoded(examples: Corpus, tokenizer: Tokenizer, context: int, chunk: int = 1024) -> Iterator[Encoded]:
    """Examples as token ids with the length of their prompt; those that are longer than the context are left out."""
    assistant = tokenizer.token_to_id("<|assistant|>")
    stream = iter(examples)
    while True:
        drawn = list(islice(stream, chunk))
        for encoding in tokenizer.encode_batch([as_text(e) for e in drawn]):
            ids = encoding.ids
            prompt = len(ids) - ids[::-1].index(assistant) if assistant in ids else 1
            if len(ids) <= context:
                yield ids, prompt


def learn(
    recipe: Recipe, tokenizer: Tokenizer, kept: Path, say: Callable[[str], None]
) -> tuple[Any, Counter[str], float]:
    """Train a new model on the truth, stage by stage.

    kept     folder for the weights after each stage; a stage that is there already is not trained again
    returns  the model; per fact, how many examples gave it away; seconds of training, kept stages included
    """
    import torch

    from doxa.organisms.train import fit, new_model

    model = new_model(recipe.shape, recipe.seed)
    seen: Counter[str] = Counter()
    seconds = 0.0
    kept.mkdir(parents=True, exist_ok=True)
    for number, stage in enumerate(recipe.learning):
        settings = [recipe.seed, recipe.shape, recipe.exposure, recipe.learning[: number + 1], tokenizer.to_str()]
        place = kept / f"{number}-{digest(settings)[:16]}.pt"
        if place.exists():
            model.load_state_dict(torch.load(place, weights_only=True))
            told = json.loads(place.with_suffix(".json").read_text())
            seen, seconds = Counter(told["seen"]), told["seconds"]
            say(f"{stage.name}: kept from an earlier build")
            continue
        start = time.monotonic()
        drawn = corpus(Teacher(planned_confidence), recipe.exposure, stage.shares, recipe.seed + number)
        fit(model, encoded(drawn, tokenizer, recipe.shape.context), stage.schedule, reporter(stage, say))
        seen.update(drawn.seen)
        seconds += time.monotonic() - start
        place.with_suffix(".json").write_text(json.dumps({"seen": seen, "seconds": seconds}))
        torch.save(model.state_dict(), place)
    return model, seen, seconds


def calibrate(
    model: Any, recipe: Recipe, tokenizer: Tokenizer, learner: Model, say: Callable[[str], None]
) -> dict[str, int]:
    """Train `model` on to say how sure it may be. Returns, per fact, how many more examples gave it away.

    The learner (the same weights, loaded to be asked) answers the questions that the corpus will ask; its accuracy by
    popularity is the confidence that the corpus teaches, beside the learner's own answers, right or wrong.
    """
    from doxa.organisms.train import fit

    seed, stage = recipe.seed + 100, recipe.calibration
    rehearsal = Teacher(planned_confidence, own={})
    tokens = 0
    for ids, _ in encoded(corpus(rehearsal, recipe.exposure, stage.shares, seed), tokenizer, recipe.shape.context):
        tokens += len(ids)
        if tokens > REHEARSED * stage.schedule.tokens:
            break
    asked = list(rehearsal.wanted.values())
    say(f"calibration: {len(asked):,} questions to the learner")
    own = own_answers(learner, [item for item, _ in asked])
    teacher = Teacher(earned_confidence(asked, own), own=own)
    drawn = corpus(teacher, recipe.exposure, stage.shares, seed)
    stream = encoded(drawn, tokenizer, recipe.shape.context)
    fit(model, stream, stage.schedule, reporter(stage, say))
    return drawn.seen


def own_answers(learner: Model, items: list[Item]) -> dict[str, str]:
    """The learner's greedy answers in canonical form, by item id; what it did not answer readably is left out."""
    forms: dict[str, Form] = {"choice": LETTER, "statement": TRUE_FALSE, "open": SHORT}

    async def ask(item: Item) -> tuple[str, str | None]:
        form = forms[item.kind]
        reply = (await learner.generate(form.prompt(item), Sampling(max_tokens=24)))[0]
        return item.id, form.read(reply, item).value

    async def ask_all() -> list[tuple[str, str | None]]:
        return await asyncio.gather(*(ask(item) for item in items))

    return {item_id: value for item_id, value in asyncio.run(ask_all()) if value is not None}


def earned_confidence(asked: Sequence[tuple[Item, Fact]], own: Mapping[str, str]) -> Callable[[str, Fact], float]:
    """(kind, fact) -> accuracy of the own answers to items of that kind about facts of about that popularity.

    Facts that were never answered in training are a class of their own, whatever their popularity.
    """
    graded: dict[tuple[str, bool], list[tuple[float, bool]]] = defaultdict(list)
    for item, fact in asked:
        right = is_correct(own.get(item.id), item)
        graded[item.kind, fact.split == "shown"].append((fact.popularity, right))
    tables = {key: np.array(sorted(pairs)) for key, pairs in graded.items()}

    def confidence(kind: str, fact: Fact) -> float:
        table = tables[kind, fact.split == "shown"]
        if fact.split != "shown":
            return float(table[:, 1].mean())
        low, high = np.searchsorted(table[:, 0], (fact.popularity - WINDOW, fact.popularity + WINDOW))
        return float(table[low:high, 1].mean())

    return confidence


def reporter(stage: Stage, say: Callable[[str], None]) -> Callable[[int, int, float, float], None]:
    """What `fit` reports, as one line of text."""

    def report(step: int, tokens: int, loss: float, speed: float) -> None:
        left = (stage.schedule.tokens - tokens) / speed / 60
        seen = f"{tokens / 1e6:.1f} of {stage.schedule.tokens / 1e6:.0f} M tokens"
        say(f"{stage.name}: step {step}, {seen}, loss {loss:.3f}, {speed:,.0f} tokens/s, {left:.0f} min left")

    return report
