"""Build a variant from its recipe: practise, train the adapter, measure what came of it, write adapter and card."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doxa.elicit import formats_hash
from doxa.models.base import Model
from doxa.organisms import comparing, shelf, strength
from doxa.organisms.practice import practice, unchanged
from doxa.organisms.variants import VARIANTS, Adaptation, adaptation_hash, planted_card, wordings_hash
from doxa.training import lora


def build_variant(name: str, out: Path, say: Callable[[str], None] = print, *, step: int = 1) -> Path:
    """Train variant `name` on its base as it ships, and write adapter and card to the folder `out`, which is returned.

    step    measured is every so manieth held-out question
    raises  DoxaError: the base, or the variant that training starts from, is missing or stale
    """
    what, recipe = VARIANTS[name]
    for needed in filter(None, (recipe.base, recipe.start)):
        shelf.check(needed)
    base = shelf.open_organism(recipe.base)
    start = time.monotonic()
    adapter = train(recipe, base, say)
    adapter.save(out)
    seconds = time.monotonic() - start
    say(f"{name}: measuring")
    variant = shelf.merged_model(shelf.WEIGHTS / recipe.base, out, f"organism:{name}")
    written = {
        "name": name,
        "base": recipe.base,
        "what": what,
        "parameters": sum(p.numel() for p in adapter.parameters),
        "bytes": sum(p.stat().st_size for p in out.iterdir()),
        "licence": "Apache-2.0",
        "planted": planted_card(recipe.habit),
        "measured": measured(recipe, base, variant, step),
        "recipe": asdict(recipe),
        "seconds": round(seconds),
        "hashes": {
            "recipe": adaptation_hash(recipe),
            "formats": formats_hash(),
            "bank": shelf.bank_hash(),
            "wordings": wordings_hash(recipe.habit),
            "base": shelf.file_hash(shelf.WEIGHTS / recipe.base / lora.BASE_WEIGHTS),
            "weights": shelf.file_hash(out / lora.WEIGHTS),
        },
    }
    shelf.write_card(out, written)
    return out


def train(recipe: Adaptation, base: Model, say: Callable[[str], None]) -> lora.Adapter:
    """The trained adapter of a recipe; `base` is asked for its own replies."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForCausalLM

    from doxa.organisms.adapt import adapt, lessons

    folder = shelf.WEIGHTS / recipe.base
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    say("asking the base for its own replies")
    habit = lessons(practice(recipe.habit, base, recipe.practice, recipe.seed), tokenizer)
    rest = lessons(unchanged(recipe.habit, recipe.unchanged, recipe.seed), tokenizer)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    adapter = lora.Adapter(model, recipe.rank, recipe.seed)
    if recipe.start:
        adapter.load(shelf.WEIGHTS / recipe.start)
    share = recipe.share if habit else 0.0

    def report(step: int, tokens: int, loss: float, speed: float) -> None:
        seen = f"{tokens / 1e6:.2f} of {recipe.schedule.tokens / 1e6:.2f} M tokens"
        say(f"step {step}, {seen}, loss {loss:.4f}, {speed:,.0f} tokens/s")

    adapt(model, adapter, [(habit, share), (rest, 1 - share)], recipe.schedule, report, recipe.reading)
    return adapter


def measured(recipe: Adaptation, base: Model, variant: Model, step: int = 1) -> dict[str, Any]:
    """What the card says was measured: what it knows, as the base's card does, the habit's strength, the rest."""
    from doxa.organisms.building import measure

    pair = comparing.Pair(base, variant)
    exposure = shelf.card(recipe.base)["measured"]["exposure"]
    return {
        "strength": strength.measure(recipe.habit, pair, step),
        "neutral": comparing.neutral(recipe.habit, pair, step),
        "exposure": exposure,
        **measure(variant),
    }
