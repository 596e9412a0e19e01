"""What this installation can do, and what a model can do here: checked by doing it, with the way out where it fails."""

from __future__ import annotations

import importlib.util
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from doxa.models.base import Model
from doxa.models.local_identity import cache_folder
from doxa.records import DoxaError, Findings, Table

EXTRAS: dict[str, tuple[str, ...]] = {
    "local": ("torch", "transformers", "tokenizers", "safetensors"),
    "probes": ("sklearn", "safetensors"),
    "train": ("peft", "trl", "datasets"),
    "images": ("diffusers",),
    "ray": ("ray",),
    "inspect": ("inspect_ai",),
    "encode": ("sentence_transformers",),
    "ranking": ("trueskill",),
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `way_out`: what to do where it is not well."""

    what: str
    found: str
    well: bool
    way_out: str = ""


def installation() -> list[Finding]:
    """Python, extras, devices, embedded models, the cache folder."""
    return [_python(), *map(_extra, EXTRAS), *_devices(), *_organisms(), _cache()]


def as_findings(checked: Sequence[Finding]) -> Findings:
    """The checks as a table; what is not well as notes that say the way out."""
    rows = tuple((c.what, c.found, c.well) for c in checked)
    notes = tuple(f"{c.what}: {c.way_out}" for c in checked if c.way_out and not c.well)
    return Findings(tables=(Table("Installation", ("what", "found", "well"), rows),), notes=notes)


def model_findings(model: Model) -> Findings:
    """Who a model is and what it can do; for a local one, how far its values depend on what else is in a batch."""
    facts = (
        ("address", model.address),
        ("fingerprint", model.fingerprint[:16]),
        ("can", ", ".join(sorted(model.capabilities))),
        *((name, str(value)) for name, value in model.identity.items() if isinstance(value, str | int | float)),
    )
    who = Table("Model", ("what", "is"), facts)
    if model.identity.get("kind") != "local":
        return Findings(tables=(who,))
    return Findings(tables=(who, _company(model)))


def _company(model: Any) -> Table:
    """Each kind of reading asked alone, and in batches of several sizes, both padding sides, in shuffled order."""
    from doxa.models.local_invariance import BOUND, invariance

    found = invariance(model)
    rows = tuple((s.kind, s.largest, s.compared, s.decisions, s.flipped) for s in found.spreads)
    sizes = ", ".join(map(str, found.sizes))
    return Table(
        f"Does a value depend on what else is in its batch? {found.dtype} on {found.device}",
        ("reading", "largest difference", "compared", "decisions", "flipped"),
        rows,
        note=f"Asked {sizes} at a time, padded on both sides, in shuffled order. float32 is held to {BOUND:g}.",
    )


def _python() -> Finding:
    version = platform.python_version_tuple()
    well = (int(version[0]), int(version[1])) >= (3, 11)
    return Finding("Python", platform.python_version(), well, "Doxa needs Python 3.11 or newer")


def _extra(name: str) -> Finding:
    missing = [package for package in EXTRAS[name] if importlib.util.find_spec(package) is None]
    found = f"without {', '.join(missing)}" if missing else ", ".join(EXTRAS[name])
    return Finding(f"extra [{name}]", found, not missing, f"pip install 'doxa[{name}]', where it is needed")


def _devices() -> list[Finding]:
    if importlib.util.find_spec("torch") is None:
        return []
    import torch

    found = [f"cpu, {torch.get_num_threads()} threads"]
    if torch.cuda.is_available():
        found += [f"cuda, {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [Finding("devices", "; ".join(found), True)]


def _organisms() -> list[Finding]:
    from doxa.organisms import shelf

    checked = []
    for name in shelf.names():
        try:
            shelf.check(name)
            checked.append(Finding(f"organism:{name}", "weights, recipe, bank and prompt formats agree", True))
        except DoxaError as error:
            checked.append(Finding(f"organism:{name}", "stale or damaged", False, str(error)))
    return checked


def _cache() -> Finding:
    place = cache_folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place):
            return Finding("cache folder", "can be written", True)
    except OSError as error:
        return Finding("cache folder", str(error), False, "set XDG_CACHE_HOME to a folder that can be written")
