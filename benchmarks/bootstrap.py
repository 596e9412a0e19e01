"""Bootstrap intervals of ECE and AUROC: 100,000 predictions in groups, 1,000 resamples, beside scikit-learn in a loop.

    PYTHONPATH=src python benchmarks/bootstrap.py [--items 100000] [--resamples 1000]

scikit-learn is timed on a few resamples and scaled up; on these, its values and ours are compared.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmark import Peer, Row, at_most, command, shown, times

from doxa.metrics import Interval, auroc_of_weights, bootstrap_auroc, bootstrap_ece, ece_of_weights

SKLEARN = Peer("sklearn", (("scikit-learn==1.9.1",),))
COMPARED = 20  # resamples that scikit-learn makes
PER_GROUP = 4
ROUNDS = 3
SEED = 0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--items", type=int, default=100_000, help="predictions (default 100000)")
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap draws (default 1000)")


def rows(args: argparse.Namespace) -> Iterator[Row]:
    items, resamples = (args.items // 10, args.resamples // 10) if args.quick else (args.items, args.resamples)
    rng = np.random.default_rng(SEED)
    confidence = rng.random(items)
    data = {
        "confidence": confidence,
        "correct": (rng.random(items) < confidence).astype(float),
        "groups": rng.integers(0, max(2, items // PER_GROUP), items),
    }
    SKLEARN.python(args.env)
    for interval_of in (bootstrap_ece, bootstrap_auroc):  # what is imported at the first call is not what is measured
        interval_of([0.5, 0.6, 0.7, 0.8], [0, 1, 0, 1], groups=[0, 1, 2, 3], resamples=10)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.npz"
        np.savez(file, **data)
        rounds = [_round(args.env, file, data, resamples) for _ in range(1 if args.quick else ROUNDS)]
    ours = statistics.median(seconds for seconds, _ in rounds)
    theirs = statistics.median(found["seconds"] for _, found in rounds) * resamples / COMPARED
    peer = f"scikit-learn {rounds[0][1]['version']} in a loop"
    what = f"intervals of ECE and AUROC, {items:,} predictions in groups, {resamples:,} resamples"
    yield at_most(what, ours, "s", 10)
    note = f"scaled up from {COMPARED} resamples"
    yield times(what, peer, ours, theirs, "s", 20, more_is_better=False, note=note)
    note = f"ECE and AUROC of {COMPARED} resamples"
    yield at_most("values, largest distance", _apart(data, rounds[0][1]["values"]), "", 1e-9, note, peer)
    yield from _each(data, resamples)


def _round(env: Path, file: Path, data: dict[str, Any], resamples: int) -> tuple[float, dict[str, Any]]:
    """Seconds of both of our intervals, and what scikit-learn found."""
    start = time.perf_counter()
    for interval_of in (bootstrap_ece, bootstrap_auroc):
        interval_of(data["confidence"], data["correct"], groups=data["groups"], resamples=resamples)
    seconds = time.perf_counter() - start
    script = Path(__file__).parent / "peers" / "sklearn_bootstrap.py"
    return seconds, SKLEARN.run(env, script, {"data": str(file), "resamples": COMPARED, "seed": SEED})


def _apart(data: dict[str, Any], theirs: list[list[float]]) -> float:
    """Largest distance of our values from theirs, on the same draws of groups."""
    rng, units = np.random.default_rng(SEED), len(np.unique(data["groups"]))
    drawn = [np.bincount(rng.integers(0, units, units), minlength=units) for _ in theirs]
    weights = np.array(drawn, dtype=np.float64)
    made = [of(data["confidence"], data["correct"], groups=data["groups"]) for of in (ece_of_weights, auroc_of_weights)]
    ours = np.stack([statistic(weights) for statistic in made], axis=1)
    return float(np.abs(ours - np.array(theirs)).max())


def _each(data: dict[str, Any], resamples: int) -> Iterator[Row]:
    cases: dict[str, tuple[Callable[..., Interval], dict[str, Any]]] = {
        "ECE, inverted": (bootstrap_ece, {}),
        "ECE, percentile": (bootstrap_ece, {"method": "percentile"}),
        "ECE, inverted, groups": (bootstrap_ece, {"groups": data["groups"]}),
        "AUROC, score": (bootstrap_auroc, {}),
        "AUROC, bca": (bootstrap_auroc, {"method": "bca"}),
        "AUROC, score, groups": (bootstrap_auroc, {"groups": data["groups"]}),
    }
    for name, (interval_of, more) in cases.items():
        start = time.perf_counter()
        found = interval_of(data["confidence"], data["correct"], resamples=resamples, **more)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # of the process so far
        note = f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}], peak {peak:.0f} MB"
        yield shown(name, seconds, "s", note)


if __name__ == "__main__":
    command(rows, __doc__, arguments)
