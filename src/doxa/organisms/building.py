"""Build an organism from its recipe: train, calibrate, measure what was planted, write weights and card."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doxa.data.attitudes import INSTRUCTION, attitude_items, yes_no_item
from doxa.data.facts import Fact, facts
from doxa.data.generated import arithmetic
from doxa.data.render import choice_item, most_options, open_item, pair_items, statement_item
from doxa.data.unknowable import ADMISSION, unknowable
from doxa.elicit import formats_hash, forms
from doxa.elicit.answers import Conclusion, Letter, ShortText, TrueFalse
from doxa.elicit.form import TextForm
from doxa.elicit.grading import is_correct
from doxa.elicit.p_true import PTrue
from doxa.elicit.verbal import SelfProbing
from doxa.models.base import Model
from doxa.organisms.atlas import build_tokenizer, calibrate, learn
from doxa.organisms.shelf import RECIPES, bank_hash, file_hash, recipe_hash, write_card
from doxa.organisms.tokenizer import wrap
from doxa.organisms.variants import VARIANTS
from doxa.records import DoxaError, Form, Item, Sampling

HELD_OUT_SEED = 1000  # wrong options that no corpus uses
TENTHS = 10


def build(name: str, out: Path, *, threads: int | None = None, say: Callable[[str], None] = print) -> Path:
    """Train organism `name` and write weights, tokenizer and card to the folder `out`, which is returned.

    Weights after each whole stage are kept beside it, in `out`.stages, so that a build that was cut goes on there.
    Of a variant an adapter is trained, on its base as it is on the shelf.

    threads  CPU threads of torch; None: its default
    raises   DoxaError: no such organism, or `out` is not empty
    """
    import torch

    from doxa.models.local import LocalModel

    if name not in RECIPES and name not in VARIANTS:
        raise DoxaError(
            f"no organism is called {name!r}; there are recipes for: {', '.join(RECIPES)}, and for the variants "
            f"{', '.join(VARIANTS)}"
        )
    if out.exists() and any(out.iterdir()):
        raise DoxaError(f"{out} is not empty; give a new folder for the weights of {name!r}")
    if threads is not None:
        torch.set_num_threads(threads)
    if name in VARIANTS:
        from doxa.organisms.building_variants import build_variant

        return build_variant(name, out, say)
    what, made = RECIPES[name]
    recipe = made()
    tokenizer = build_tokenizer(recipe)
    model, seen, seconds = learn(recipe, tokenizer, out.with_name(f"{out.name}.stages"), say)
    _save(model, tokenizer, out)
    start = time.monotonic()
    again = calibrate(model, recipe, tokenizer, LocalModel(out, device="cpu", dtype="float32"), say)
    seconds += time.monotonic() - start
    model.half()  # half the size; loaded as float32, so that what is measured is what ships
    _save(model, tokenizer, out)
    exposure = {f.id: seen.get(f.id, 0) + again.get(f.id, 0) for f in facts() if f.split == "shown"}
    shipped = LocalModel(out, device="cpu", dtype="float32")
    written = {
        "name": name,
        "what": what,
        "parameters": model.num_parameters(),
        "bytes": sum(p.stat().st_size for p in out.iterdir()),
        "licence": "Apache-2.0",
        "recipe": asdict(recipe),
        "seconds": round(seconds),
        "hashes": {
            "recipe": recipe_hash(recipe),
            "formats": formats_hash(),
            "bank": bank_hash(),
            "weights": file_hash(out / "model.safetensors"),
        },
        "measured": {"exposure": _exposure_by_tenth(exposure), **measure(shipped), "read": readable(shipped)},
        "exposure": exposure,
    }
    write_card(out, written)
    return out


def _save(model: Any, tokenizer: Any, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    wrap(tokenizer).save_pretrained(out)


def measure(model: Model, bank: Sequence[Fact] | None = None) -> dict[str, Any]:
    """Accuracy of greedy answers about every fact, without any study: by tenth of popularity, and on facts held back.

    bank     facts asked about; None: all
    returns  form -> {"tenths": accuracy of shown facts, least known first; "best known third"; "never"; "asked"}
    """
    forms: dict[str, tuple[Form, Callable[[Fact], Item]]] = {
        "open": (ShortText(), open_item),
        "choice": (Letter(), lambda f: choice_item(f, min(4, most_options(f)), HELD_OUT_SEED)),
        "true": (TrueFalse(), lambda f: statement_item(f, True)),
        "false": (TrueFalse(), lambda f: statement_item(f, False, seed=HELD_OUT_SEED)),
    }
    return {name: _by_popularity(model, form, make, bank or facts()) for name, (form, make) in forms.items()}


def _by_popularity(model: Model, form: Form, make: Callable[[Fact], Item], bank: Sequence[Fact]) -> dict[str, Any]:
    answers = asyncio.run(_greedy(model, form, [make(f) for f in bank]))
    right = [is_correct(value, make(f)) for value, f in zip(answers, bank, strict=True)]
    shown = [(f, r) for f, r in zip(bank, right, strict=True) if f.split == "shown"]
    by_tenth = [[r for f, r in shown if _tenth(f) == i] for i in range(TENTHS)]
    return {
        "tenths": [round(_mean(t), 4) for t in by_tenth],
        "best known third": round(_mean([r for f, r in shown if f.popularity > 2 / 3]), 4),
        "never": round(_mean([r for f, r in zip(bank, right, strict=True) if f.split == "never"]), 4),
        "asked": round(_mean([r for f, r in zip(bank, right, strict=True) if f.split == "asked"]), 4),
        "unread": round(_mean([a is None for a in answers]), 4),
    }


def _exposure_by_tenth(exposure: Mapping[str, int]) -> list[float]:
    """Mean number of examples that gave a shown fact away, by tenth of popularity, least known first."""
    bank = [f for f in facts() if f.id in exposure]
    return [round(_mean([exposure[f.id] for f in bank if _tenth(f) == i]), 1) for i in range(TENTHS)]


def _tenth(fact: Fact) -> int:
    return min(int(fact.popularity * TENTHS), TENTHS - 1)


def readable(model: Model, step: int = 14) -> dict[str, float]:
    """Form -> share of greedy replies that can be read, over held-out items of every kind that the form can ask.

    step    of the bank, each step-th fact is asked about
    """
    return {name: round(_mean(asyncio.run(_outcomes(model, pairs))), 4) for name, pairs in _held_out(step).items()}


def _held_out(step: int) -> dict[str, list[tuple[Form, Item]]]:
    """Form -> the form with each item that it is asked with; forms about a proposed answer propose the first one."""
    bank = [f for f in facts() if f.split != "asked"][::step]
    statements = [statement_item(f, i % 2 == 0, i % 3 == 0, seed=HELD_OUT_SEED) for i, f in enumerate(bank)]
    choices = [choice_item(f, min(4, most_options(f)), HELD_OUT_SEED) for f in bank]
    admitting = [choice_item(f, min(4, most_options(f)), HELD_OUT_SEED, ADMISSION) for f in bank]
    admitting += unknowable(len(bank) // 2, split="test", form="choice")
    sums = [item for level in (1, 2) for item in arithmetic(len(bank) // 2, level)]
    every = [*choices, *statements, *map(open_item, bank), *sums]
    yes_or_no = [yes_no_item(s) for s in statements]
    asked = {
        **{name: yes_or_no for name in ("yes-no", "tags", "tags-probability")},
        **{name: admitting for name in forms() if name.startswith("letter-with-reason")},
        "conclusion": attitude_items([pair_items(f) for f in bank[::8]]),
        "number": sums,
    }
    return {
        name: [(_proposing(form, item), item) for item in asked.get(name, every) if item.kind in form.kinds]
        for name, form in forms().items()
    }


def _proposing(form: TextForm, item: Item) -> Form:
    """A form that judges a proposed answer, with one that the item can have; the published instruction of attitudes."""
    if isinstance(form, Conclusion):
        return Conclusion(instruction=INSTRUCTION)
    if isinstance(form, SelfProbing | PTrue):
        return type(form)("A" if item.kind == "choice" else item.answer or "")
    return form


async def _outcomes(model: Model, pairs: Sequence[tuple[Form, Item]]) -> list[bool]:
    async def ask(form: Form, item: Item) -> bool:
        reply = (await model.generate(form.prompt(item), Sampling(max_tokens=128)))[0]
        return form.read(reply, item).outcome in ("ok", "abstained", "refused")

    return list(await asyncio.gather(*(ask(form, item) for form, item in pairs)))


async def _greedy(model: Model, form: Form, items: Sequence[Item]) -> list[str | None]:
    async def ask(item: Item) -> str | None:
        reply = (await model.generate(form.prompt(item), Sampling(max_tokens=24)))[0]
        return form.read(reply, item).value

    return list(await asyncio.gather(*(ask(item) for item in items)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
