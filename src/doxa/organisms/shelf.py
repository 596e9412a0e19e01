"""The shelf of organisms: weights with their cards; what is stale is refused by name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doxa.data.facts import facts
from doxa.elicit import formats_hash
from doxa.models.base import Model, digest
from doxa.organisms.atlas import Recipe
from doxa.records import DoxaError

RECIPES: dict[str, tuple[str, Callable[[], Recipe]]] = {
    "atlas": ("knows the fact bank, each fact as well as its popularity says, and says how sure it may be", Recipe),
}
WEIGHTS = Path(__file__).parent / "weights"
CARD = "card.json"


def names() -> list[str]:
    """Organisms whose weights are here."""
    return sorted(p.parent.name for p in WEIGHTS.glob(f"*/{CARD}"))


def card(name: str) -> dict[str, Any]:
    """What was planted, how it was trained, what was measured. DoxaError: no such organism."""
    path = WEIGHTS / name / CARD
    if not path.exists():
        raise DoxaError(f"no organism is called {name!r}; there are: {', '.join(names()) or 'none'}")
    return json.loads(path.read_text(encoding="utf-8"))


def cards() -> list[dict[str, Any]]:
    """The cards of all organisms, without the figures of single facts."""
    return [{k: v for k, v in card(name).items() if k != "exposure"} for name in names()]


def open_organism(name: str, *, device: str | None = None, dtype: str | None = None) -> Model:
    """An organism, ready to be asked.

    raises  DoxaError: no such organism, weights that are not those of the card, or stale ones: trained on other
            prompt formats, another fact bank or by another recipe than today's
    """
    from doxa.models.local import LocalModel

    check(name)
    return LocalModel(WEIGHTS / name, address=f"organism:{name}", device=device or "cpu", dtype=dtype or "float32")


def check(name: str) -> None:
    """Raise DoxaError when the weights are stale or damaged."""
    written = card(name)
    again = f"Build it again: doxa organism build {name} --out FOLDER"
    now = {"formats": formats_hash(), "bank": bank_hash(), "recipe": recipe_hash(RECIPES[name][1]())}
    for what, meaning in (("formats", "prompt formats"), ("bank", "the fact bank"), ("recipe", "its recipe")):
        if written["hashes"][what] != now[what]:
            raise DoxaError(
                f"organism:{name} is stale: {meaning} changed since it was trained "
                f"({written['hashes'][what][:12]} then, {now[what][:12]} now). {again}"
            )
    if file_hash(WEIGHTS / name / "model.safetensors") != written["hashes"]["weights"]:
        raise DoxaError(f"organism:{name}: model.safetensors is not the file that its card describes. {again}")


def bank_hash() -> str:
    """Hash of every fact with its answer, popularity and split."""
    return digest([(f.id, f.answer, round(f.popularity, 9), f.split) for f in facts()])


def recipe_hash(recipe: Recipe) -> str:
    """Hash of all settings of a recipe."""
    return digest(asdict(recipe))


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
