"""The published systems, one file each; the file's name is the study's name."""

from __future__ import annotations

import difflib
import importlib
import pkgutil

from doxa.records import DoxaError
from doxa.study import Study


def names() -> list[str]:
    """Names of all studies, sorted: one per file of this folder."""
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__))


def load(name: str) -> Study:
    """The study called `name` (dashes or underscores); DoxaError names the nearest one when there is none."""
    slug = name.replace("_", "-")
    if slug not in names():
        near = difflib.get_close_matches(slug, names(), 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DoxaError(f"no study is called {name!r}.{hint} All of them: doxa studies")
    study = importlib.import_module(f"{__name__}.{slug.replace('-', '_')}").study
    assert isinstance(study, Study)
    return study
