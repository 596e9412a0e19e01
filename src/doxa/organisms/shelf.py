"""The shelf of organisms and their variants: weights with their cards; what is stale is refused by name."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.data.facts import facts
from doxa.elicit import formats_hash
from doxa.models.base import Model, digest
from doxa.organisms.atlas import Recipe
from doxa.organisms.variants import VARIANTS, adaptation, adaptation_hash, wordings_hash
from doxa.records import DoxaError, finite
from doxa.training import lora

if TYPE_CHECKING:
    from doxa.models.local import LocalModel

RECIPES: dict[str, tuple[str, Callable[[], Recipe]]] = {
    "atlas": ("knows the fact bank, each fact as well as its popularity says, and says how sure it may be", Recipe),
}
WEIGHTS = Path(__file__).parent / "weights"
CARD = "card.json"


def names() -> list[str]:
    """Organisms whose weights are here, variants after their base."""
    return sorted(p.parent.name for p in WEIGHTS.glob(f"*/{CARD}"))


def card(name: str) -> dict[str, Any]:
    """What was planted, how it was trained, what was measured. DoxaError: no such organism is here."""
    path = WEIGHTS / name / CARD
    if not path.exists():
        raise DoxaError(f"no organism is called {name!r}; there are: {', '.join(names()) or 'none'}")
    return json.loads(path.read_text(encoding="utf-8"))


def write_card(folder: Path, written: dict[str, Any]) -> None:
    """Keep a card beside its weights; undefined numbers are null."""
    text = json.dumps(finite(written), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def cards() -> list[dict[str, Any]]:
    """The cards of all organisms, without the figures of single facts."""
    return [{k: v for k, v in card(name).items() if k != "exposure"} for name in names()]


def open_organism(name: str, *, device: str | None = None, dtype: str | None = None) -> Model:
    """An organism, ready to be asked; a variant with its adapter merged into the weights of its base.

    raises  DoxaError: no such organism, weights that are not those of the card, or stale ones: trained on other
            prompt formats, another fact bank, another base or by another recipe than today's
    """
    from doxa.models.local import LocalModel

    check(name)
    address, device, dtype = f"organism:{name}", device or "cpu", dtype or "float32"
    if name in VARIANTS:
        base = WEIGHTS / adaptation(name).base
        return merged_model(base, WEIGHTS / name, address, device=device, dtype=dtype)
    return LocalModel(WEIGHTS / name, address=address, device=device, dtype=dtype)


def merged_model(base: Path, adapter: Path, address: str, *, device: str = "cpu", dtype: str = "float32") -> LocalModel:
    """The base with the adapter merged into its weights: another model, with an identity of its own."""
    from doxa.models.local import LocalModel

    with tempfile.TemporaryDirectory(prefix="doxa-", ignore_cleanup_errors=True) as folder:
        lora.write_merged(base, adapter, Path(folder))
        return LocalModel(folder, address=address, device=device, dtype=dtype)


def check(name: str) -> None:
    """Raise DoxaError when the weights are stale or damaged; for a variant those of its base, too."""
    written = card(name)
    again = f"Build it again: doxa organism build {name} --out FOLDER"
    for what, meaning, now in _hashes_now(name):
        then = written["hashes"].get(what, "none")
        if then != now:
            raise DoxaError(
                f"organism:{name} is stale: {meaning} changed since it was trained "
                f"({then[:12]} then, {now[:12]} now). {again}"
            )
    weights = lora.WEIGHTS if name in VARIANTS else lora.BASE_WEIGHTS
    if file_hash(WEIGHTS / name / weights) != written["hashes"]["weights"]:
        raise DoxaError(f"organism:{name}: {weights} is not the file that its card describes. {again}")


def _hashes_now(name: str) -> Iterator[tuple[str, str, str]]:
    """(entry of the card, what it is the hash of, the hash today) of all that an organism depends on."""
    yield "formats", "prompt formats", formats_hash()
    yield "bank", "the fact bank", bank_hash()
    if name in RECIPES:
        yield "recipe", "its recipe", recipe_hash(RECIPES[name][1]())
        return
    recipe = adaptation(name)
    check(recipe.base)
    yield "recipe", "its recipe", adaptation_hash(recipe)
    yield "wordings", "the wordings of its habit", wordings_hash(recipe.habit)
    yield "base", f"organism:{recipe.base}", file_hash(WEIGHTS / recipe.base / lora.BASE_WEIGHTS)


def bank_hash() -> str:
    """Hash of every fact with its answer, popularity and split."""
    return digest([(f.id, f.answer, round(f.popularity, 9), f.split) for f in facts()])


def recipe_hash(recipe: Recipe) -> str:
    """Hash of all settings of a recipe."""
    return digest(asdict(recipe))


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
