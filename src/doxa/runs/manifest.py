"""manifest.json: what a run asked whom, and how far it came; the rule that one folder holds one configuration."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doxa.models.base import Model
from doxa.records import DoxaError, Item
from doxa.runs.errors import Refused
from doxa.runs.files import write_whole
from doxa.runs.notation import dumps, write_item

FORMAT = 1
NAME = "manifest.json"

# What decides the readings, beside the studies and the model: it may not differ when a folder is used again.
_DECIDES = ("seed", "limit")
_DECIDES_STUDY = ("options", "items", "items_sha256", "row")


def now() -> str:
    """The time in UTC, to the second, as ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def items_digest(items: Sequence[Item], n: int) -> str:
    """SHA-256 over the first n items in order, all their fields.

    raises  DoxaError: no items, an id that occurs twice, a field that JSON has no place for
    """
    if n == 0:
        raise DoxaError("there are no items to ask about; check the limit, the filter, or the file of items")
    seen: set[str] = set()
    digest = hashlib.sha256()
    for i in range(n):
        item = items[i]
        if item.id in seen:
            raise DoxaError(f"item id {item.id!r} occurs twice (again at position {i}); each item needs its own")
        seen.add(item.id)
        try:
            digest.update(dumps(write_item(item)))
        except TypeError as error:
            raise DoxaError(f"item {item.id!r} cannot be recorded: {error}") from error
    return digest.hexdigest()


def model_entry(model: Model) -> dict[str, Any]:
    """Who is asked: address, identity, fingerprint."""
    return {"address": model.address, "identity": dict(model.identity), "fingerprint": model.fingerprint}


def options_entry(options: Any) -> dict[str, Any]:
    """A study's options as plain JSON values."""
    written: dict[str, Any] = json.loads(dumps(dataclasses.asdict(options)))
    return written


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Fields in which two manifests ask for different readings, each as "name: there, here"."""
    old, new = _flat(there), _flat(here)
    names = [*old, *(name for name in new if name not in old)]
    return [
        f"{name}: {_shown(old.get(name))} there, {_shown(new.get(name))} now"
        for name in names
        if old.get(name) != new.get(name)
    ]


def _flat(manifest: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {name: manifest.get(name) for name in _DECIDES}
    flat["studies"] = [entry["study"] for entry in manifest["studies"]]
    for entry in manifest["studies"]:
        _flatten(entry["study"], {name: entry[name] for name in _DECIDES_STUDY}, flat)
    # The address may be spelled differently for the same model; what it is, is in the identity and the fingerprint.
    _flatten("model.identity", manifest["model"]["identity"], flat)
    flat["model.fingerprint"] = manifest["model"]["fingerprint"]
    return flat


def _flatten(name: str, value: Any, flat: dict[str, Any]) -> None:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            _flatten(f"{name}.{key}", inner, flat)
    else:
        flat[name] = value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def check_same(folder: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Refuse to go on in a folder that holds another configuration, naming what differs."""
    found = differences(there, json.loads(dumps(here)))
    if found:
        listing = "\n  ".join(found[:12] + ([f"and {len(found) - 12} more"] if len(found) > 12 else []))
        raise Refused(
            f"{folder} holds a run of another configuration:\n  {listing}\n"
            "Choose another folder, or begin again in this one with fresh=True (--fresh), which removes its readings."
        )


def write(folder: Path, manifest: Mapping[str, Any]) -> None:
    text = json.dumps(json.loads(dumps(manifest)), indent=2, ensure_ascii=False)
    write_whole(folder / NAME, text.encode() + b"\n")


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder.

    raises  DoxaError: no run there, a file that is no manifest; Refused: a newer format
    """
    path = folder / NAME
    try:
        manifest = json.loads(path.read_bytes())
        version = manifest["format"]
    except FileNotFoundError:
        raise DoxaError(f"{folder} is not a run: it has no {NAME}. Name a run's own folder.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DoxaError(f"{path} is not the manifest of a run: {error}") from error
    if version > FORMAT:
        raise Refused(
            f"{folder} has run format {version}, written by doxa {manifest.get('doxa', '?')}; this version of doxa "
            f"reads up to {FORMAT}. Update doxa."
        )
    return dict(manifest)
