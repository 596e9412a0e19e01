"""Doxa: what language models believe, know and say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doxa.models.base import Model
    from doxa.records import Item
    from doxa.runs import Run
    from doxa.study import Study

__version__ = "0.1.0"
__all__ = ["__version__", "open_run", "run"]


def run(
    studies: str | Study | Sequence[str | Study],
    model: Model | str,
    *,
    options: Mapping[str, Any] | Any | None = None,
    items: Sequence[Item] | None = None,
    limit: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    store: str | Path | None = None,
    concurrency: int | None = None,
    progress: bool | None = None,
    null_seed: int | None = 0,
    null_headline: bool = False,
    fresh: bool = False,
) -> Run:
    """Carry out studies, by name or as objects, on a model or an address: `doxa.run("kable", "simulated:random")`.

    The arguments are those of `doxa.runs.run`.
    """
    from doxa import runs
    from doxa import studies as published

    named = [studies] if isinstance(studies, str) or not isinstance(studies, Sequence) else studies
    return runs.run(
        [published.load(study) if isinstance(study, str) else study for study in named],
        model,
        options=options,
        items=items,
        limit=limit,
        seed=seed,
        out=out,
        store=store,
        concurrency=concurrency,
        progress=progress,
        null_seed=null_seed,
        null_headline=null_headline,
        fresh=fresh,
    )


def open_run(folder: str | Path) -> Run:
    """A run from its folder, finished or not."""
    from doxa import runs

    return runs.Run.open(folder)
