"""Log-probabilities of continuations by lm-evaluation-harness, whose environment this runs in.

Standard input: {"model": folder, "threads": n, "batch_sizes": [1, 8], "pairs": [[context, continuation], ...]}.
The last line of the output: {"version": ..., "logprobs": [...], "turns": [{"batch_size", "clock", "cpu"}, ...]}.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from importlib import metadata
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM


def scored(model: HFLM, pairs: list[list[str]]) -> list[float]:
    requests = [Instance("loglikelihood", {}, (context, text), i) for i, (context, text) in enumerate(pairs)]
    return [logprob for logprob, _ in model.loglikelihood(requests, disable_tqdm=True)]


def main() -> None:
    asked = json.load(sys.stdin)
    torch.set_num_threads(asked["threads"])
    logging.disable(logging.WARNING)
    model = HFLM(pretrained=asked["model"], device="cpu", dtype="float32", batch_size=1)
    scored(model, asked["pairs"][:1])  # warm
    logprobs: list[float] = []
    turns: list[dict[str, Any]] = []
    for size in asked["batch_sizes"]:
        model.batch_size_per_gpu = size
        clock, cpu = time.perf_counter(), time.process_time()
        logprobs = scored(model, asked["pairs"])
        turns.append({"batch_size": size, "clock": time.perf_counter() - clock, "cpu": time.process_time() - cpu})
    print(json.dumps({"version": metadata.version("lm_eval"), "logprobs": logprobs, "turns": turns}))


if __name__ == "__main__":
    main()
