"""All confidences of an audit in one table: those of the beliefs part, preferences between answers, and P(IK)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from doxa import calibration
from doxa.audit.knowing import KINDS
from doxa.audit.ladder import COLUMNS, NOTE, SECTION, SHOWN, line
from doxa.metrics import bootstrap_auroc, bootstrap_ece, mean_interval
from doxa.records import Table

if TYPE_CHECKING:
    import polars as pl

    from doxa.runs import Part

ASKED = {"relative-confidence": "four options, its own set", "know-what-they-know": "open questions, before any answer"}
COST = {
    "direct": "1 answer",
    "hybrid_sc": "1 answer, {samples} samples",
    "bradley_terry": "1 answer, {games} comparisons",
    "P(IK)": "1 hidden state; {samples} samples of each question it is learnt from",
}
NAMES = {
    "direct": "words",
    "hybrid_sc": "words of samples that agree",
    "bradley_terry": "preferences, Bradley-Terry by rank",
    "P(IK)": "P(IK) from hidden states",
}


def table(parts: Mapping[str, Part]) -> Table | None:
    """What each confidence that the audit read costs and is worth; None: it read none.

    The readings of the beliefs part concern the same answers; the others have questions of their own from the bank.
    """
    import polars as pl

    lines: list[tuple[object, ...]] = []
    if "beliefs" in parts:
        found = parts["beliefs"].findings
        lines += [(kind, *cells) for kind in KINDS.values() for cells in found.table(f"{SECTION}, {kind}").rows]
    for name, asked in ASKED.items():
        if name not in parts:
            continue
        study, options = parts[name].scorer()
        graded = calibration.of_rows(study, parts[name].rows(), options, missing=True)
        for way, cost in COST.items():
            rows = graded.filter(pl.col("way") == way)
            if rows["confidence"].count():
                lines.append((asked, *line(NAMES[way], cost.format(**_sizes(options)), rows, _limits(rows))))
    if not lines:
        return None
    note = f"{NOTE} Lines that are asked alike concern the same questions."
    return Table(SECTION, ("asked as", *COLUMNS), tuple(lines), section="Says how sure it is", note=note)


def _sizes(options: Any) -> dict[str, int]:
    """Samples of a question and, where there are any, comparisons of its answer."""
    told = asdict(options)
    return {"samples": told["samples"], "games": told.get("matchups", 0) * (1 + told.get("swap", False))}


def _limits(rows: pl.DataFrame) -> list[float]:
    """Value, low and high of each of `SHOWN`."""
    read = rows.drop_nulls(["confidence", "correct"])
    c, y = read["confidence"].to_numpy(), read["correct"].to_numpy().astype(float)
    groups = read["group"].to_numpy()
    found = {
        "ECE": bootstrap_ece(c, y, groups=groups),
        "Brier": mean_interval((c - y) ** 2, groups=groups, bounds=(0, 1)),
        "AUROC": bootstrap_auroc(c, y, groups=groups),
    }
    return [value for name in SHOWN for value in (found[name].value, found[name].low, found[name].high)]
