"""How long the bootstrap intervals of ECE and AUROC take, and how much memory; a table, and JSON with --json FILE.

    python benchmarks/bootstrap.py --items 100000 --resamples 1000 --json bootstrap.json

Bound to hold: 100,000 predictions and 1,000 resamples in under 10 seconds on two cores, ECE and AUROC together.
"""

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from doxa.metrics import Interval, auroc, bootstrap, bootstrap_auroc, bootstrap_ece, ece

BOUND_S = 10.0
LOOP_RESAMPLES = 20  # the plain loop is timed on these and scaled up


def main() -> None:
    """Time every case once and print what it took."""
    options = _options()
    rng = np.random.default_rng(0)
    confidence = rng.random(options.items)
    correct = (rng.random(options.items) < confidence).astype(float)
    groups = rng.integers(0, max(2, options.items // 4), options.items)
    cases: dict[str, tuple[Callable[..., Interval], dict[str, Any]]] = {
        "ece, inverted": (bootstrap_ece, {}),
        "ece, percentile": (bootstrap_ece, {"method": "percentile"}),
        "ece, inverted, groups": (bootstrap_ece, {"groups": groups}),
        "auroc, score": (bootstrap_auroc, {}),
        "auroc, bca": (bootstrap_auroc, {"method": "bca"}),
        "auroc, score, groups": (bootstrap_auroc, {"groups": groups}),
    }
    print(f"{options.items:,} items, {options.resamples:,} resamples, {os.cpu_count()} cores, numpy {np.__version__}")
    print(f"{'case':<28}{'seconds':>9}{'peak MiB':>10}   interval")
    rows = [_timed(name, *case, confidence, correct, options.resamples) for name, case in cases.items()]
    for name, statistic in (("ece, plain loop", ece), ("auroc, plain loop", auroc)):
        start = time.perf_counter()
        bootstrap(statistic, confidence, correct, resamples=LOOP_RESAMPLES, method="percentile")
        seconds = (time.perf_counter() - start) * options.resamples / LOOP_RESAMPLES
        rows.append({"case": name, "seconds": seconds, "scaled_from": LOOP_RESAMPLES})
        print(f"{name:<28}{seconds:>9.2f}{'':>10}   (scaled up from {LOOP_RESAMPLES} resamples)")
    total = sum(row["seconds"] for row in rows if row["case"] in ("ece, inverted", "auroc, score"))
    print(f"ECE and AUROC as reported by default: {total:.2f} s (bound {BOUND_S:g} s)")
    if options.json:
        report = {
            "items": options.items,
            "resamples": options.resamples,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "rows": rows,
            "total_s": total,
            "bound_s": BOUND_S,
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _timed(
    name: str,
    interval_of: Callable[..., Interval],
    arguments: dict[str, Any],
    confidence: np.ndarray,
    correct: np.ndarray,
    resamples: int,
) -> dict[str, Any]:
    start = time.perf_counter()
    interval = interval_of(confidence, correct, resamples=resamples, **arguments)
    seconds = time.perf_counter() - start
    # The peak of the process so far, numpy itself included: cases run from small to large.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<28}{seconds:>9.2f}{peak:>10.0f}   {interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]")
    return {"case": name, "seconds": seconds, "peak_mib": peak, "low": interval.low, "high": interval.high}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000, help="predictions (default 100000)")
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap draws (default 1000)")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
