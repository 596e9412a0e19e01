"""Findings as plain JSON values, for --json and other programs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.records import Findings

if TYPE_CHECKING:
    from doxa.runs import Run

FORMAT = 1


def findings_json(run: Run, *, charts: bool = False) -> dict[str, Any]:
    """A run's findings as dictionaries, lists, text and numbers. An undefined or infinite number is None (null).

    format  1
    run     folder (None: in memory), doxa, status, started, finished, seed, null_seed, fingerprint
    profile, validation  findings over all parts, for a run that has them (an audit), else None
    parts   one per study: study, model, options, counts, usage, and the keys of `findings_dict`
    charts  with the charts, which carry their data
    """
    manifest = run.manifest
    about = {name: manifest.get(name) for name in ("doxa", "status", "started", "finished", "seed", "null_seed")}
    about["folder"] = None if run.folder is None else str(run.folder)
    about["fingerprint"] = manifest.get("model", {}).get("fingerprint")
    parts = [
        {
            "study": part.study,
            "model": part.model,
            "options": _plain(part.options),
            "counts": _plain(part.counts),
            "usage": _plain(part.usage),
            **findings_dict(part.findings, charts=charts),
        }
        for part in run.parts
    ]
    over_all = {
        name: None if found is None else findings_dict(found, charts=charts)
        for name, found in (("profile", run.profile), ("validation", run.validation))
    }
    return {"format": FORMAT, "run": _plain(about), **over_all, "parts": parts}


def findings_dict(found: Findings, *, charts: bool = False) -> dict[str, Any]:
    """Findings that belong to no run (scored files, comparisons), as `findings_json` gives those of a part.

    estimates  name, value, low, high, n, unit, method, outcomes, bounds, null, section, note
    tables     name, columns, rows, section, note
    claims     name, published, setting, measured, estimate
    notes      texts
    charts     name, spec (Vega-Lite), section, note; only when asked for
    """
    kinds = ["estimates", "tables", "claims", "notes"] + ["charts"] * charts
    return {kind: _plain(getattr(found, kind)) for kind in kinds}


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple, set, frozenset)) else str(value)
