"""ECE and AUROC by scikit-learn on resamples of groups, one after the other. JSON in, JSON out."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import sklearn
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

BINS = 10


def ece(correct: Any, confidence: Any) -> float:
    """From the reliability curve, which leaves out empty bins, and the number of items in each."""
    accuracy, mean_confidence = calibration_curve(correct, confidence, n_bins=BINS)
    bin_n = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence)
    counts = np.bincount(bin_n, minlength=BINS)
    return float(np.abs(accuracy - mean_confidence) @ counts[counts > 0] / len(confidence))


def measured(data: str, resamples: int, seed: int) -> dict[str, Any]:
    arrays = np.load(data)
    confidence, correct, groups = arrays["confidence"], arrays["correct"], arrays["groups"]
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    rng = np.random.default_rng(seed)
    values = []
    wall = time.perf_counter()
    for _ in range(resamples):
        drawn = rng.integers(0, len(members), len(members))
        rows = np.concatenate([members[group] for group in drawn])
        values.append((ece(correct[rows], confidence[rows]), float(roc_auc_score(correct[rows], confidence[rows]))))
    return {"seconds": time.perf_counter() - wall, "values": values, "version": sklearn.__version__}


if __name__ == "__main__":
    print(json.dumps(measured(**json.load(sys.stdin))))
