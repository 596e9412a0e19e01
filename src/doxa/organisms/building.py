"""Build an organism from its recipe: train, calibrate, measure what was planted, write weights and card."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doxa.data.facts import Fact, facts
from doxa.data.render import choice_item, most_options, open_item, statement_item
from doxa.elicit import formats_hash
from doxa.elicit.answers import Letter, ShortText, TrueFalse
from doxa.elicit.grading import is_correct
from doxa.models.base import Model
from doxa.organisms.atlas import Recipe, build_tokenizer, calibrate, learn
from doxa.organisms.shelf import CARD, bank_hash, file_hash, recipe_hash
from doxa.organisms.tokenizer import wrap
from doxa.records import DoxaError, Form, Item, Sampling

RECIPES: dict[str, tuple[str, Callable[[], Recipe]]] = {
    "atlas": ("knows the fact bank, each fact as well as its popularity says, and says how sure it may be", Recipe),
}
HELD_OUT_SEED = 1000  # wrong options that no corpus uses
TENTHS = 10


def build(
    name: str,
    out: Path,
    *,
    threads: int | None = None,
    say: Callable[[str], None] = print,
    recipe: Recipe | None = None,
) -> Path:
    """Train organism `name` and write weights, tokenizer and card to the folder `out`, which is returned.

    Weights after each whole stage are kept beside it, in `out`.stages, so that a build that was cut goes on there.

    threads  CPU threads of torch; None: its default
    recipe   settings other than the shipped ones, e.g. a short schedule to try something
    raises   DoxaError: no such organism, or `out` is not empty
    """
    import torch

    from doxa.models.local import LocalModel

    if name not in RECIPES:
        raise DoxaError(f"no organism is called {name!r}; there are recipes for: {', '.join(RECIPES)}")
    if out.exists() and any(out.iterdir()):
        raise DoxaError(f"{out} is not empty; give a new folder for the weights of {name!r}")
    if threads is not None:
        torch.set_num_threads(threads)
    what, default = RECIPES[name]
    recipe = recipe or default()
    tokenizer = build_tokenizer(recipe)
    model, seen, seconds = learn(recipe, tokenizer, out.with_name(f"{out.name}.stages"), say)
    _save(model, tokenizer, out)
    start = time.monotonic()
    again = calibrate(model, recipe, tokenizer, LocalModel(out, device="cpu", dtype="float32"), say)
    seconds += time.monotonic() - start
    model.half()  # half the size; loaded as float32, so that what is measured is what ships
    _save(model, tokenizer, out)
    exposure = {f.id: seen.get(f.id, 0) + again.get(f.id, 0) for f in facts() if f.split == "shown"}
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
        "measured": {
            "exposure": _exposure_by_tenth(exposure),
            **measure(LocalModel(out, device="cpu", dtype="float32")),
        },
        "exposure": exposure,
    }
    (out / CARD).write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return out


def _save(model: Any, tokenizer: Any, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    wrap(tokenizer).save_pretrained(out)


def measure(model: Model) -> dict[str, Any]:
    """Accuracy of greedy answers about every fact, without any study: by tenth of popularity, and on facts held back.

    returns  form -> {"tenths": accuracy of shown facts, least known first; "best known third"; "never"; "asked"}
    """
    forms: dict[str, tuple[Form, Callable[[Fact], Item]]] = {
        "open": (ShortText(), open_item),
        "choice": (Letter(), lambda f: choice_item(f, min(4, most_options(f)), HELD_OUT_SEED)),
        "true": (TrueFalse(), lambda f: statement_item(f, True)),
        "false": (TrueFalse(), lambda f: statement_item(f, False, seed=HELD_OUT_SEED)),
    }
    return {name: _by_popularity(model, form, make) for name, (form, make) in forms.items()}


def _by_popularity(model: Model, form: Form, make: Callable[[Fact], Item]) -> dict[str, Any]:
    bank = facts()
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


async def _greedy(model: Model, form: Form, items: Sequence[Item]) -> list[str | None]:
    async def ask(item: Item) -> str | None:
        reply = (await model.generate(form.prompt(item), Sampling(max_tokens=24)))[0]
        return form.read(reply, item).value

    return list(await asyncio.gather(*(ask(item) for item in items)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
