"""How many parameters models have, as a user says: NAME=NUMBER,... or a table."""

from __future__ import annotations

from pathlib import Path

from doxa.data.opinion_sets import table_rows
from doxa.records import DoxaError

UNITS = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
FEWEST = 1e3  # no language model has fewer: a number below is in millions or billions


def model_sizes(text: str | None) -> dict[str, float]:
    """Parameters by name, from "gpt2=110M,gptneox=20B", or a CSV with columns model and parameters.

    raises  DoxaError: no such columns, no number, fewer than 1,000 parameters (billions without a B, say)

    >>> model_sizes("small=110M, large=1.5e9")
    {'small': 110000000.0, 'large': 1500000000.0}
    """
    if not text:
        return {}
    if "=" not in text:
        return _of_table(Path(text))
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): parameters(f"sizes, {name.strip()!r}", written) for name, _, written in pairs}


def _of_table(path: Path) -> dict[str, float]:
    found = {}
    for where, row in table_rows(path):
        if not {"model", "parameters"} <= set(row):
            raise DoxaError(f"{where}: sizes have columns model and parameters; it has {', '.join(row)}")
        found[str(row["model"]).strip()] = parameters(where, str(row["parameters"]))
    return found


def parameters(where: str, written: str | float) -> float:
    """A number of parameters, with K, M, B or T behind it or without; DoxaError where it is none."""
    text = str(written).strip()
    unit = UNITS.get(text[-1:].upper(), 1.0)
    try:
        value = float(text[:-1] if unit > 1 else text) * unit
    except ValueError:
        value = 0.0
    if not FEWEST <= value < 1e17:
        raise DoxaError(f"{where}: {text!r} parameters; a number from 1,000 on, e.g. 110M, 1.5B or 1.5e9")
    return value
