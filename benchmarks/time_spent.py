"""Where the time goes when continuations are scored: operations of the first task of `scoring.py`, by their share.

PYTHONPATH=src python benchmarks/time_spent.py [--model 8M] [--items 32]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import llamas
from llamas import Best
from scoring import Ours, tasks

SHOWN = 14


def spent(ours: Ours, items: list) -> list[tuple[str, float, int]]:
    """Operations with their own share of the wall clock, and how often they ran; the largest first."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    ours.measure(items, Best())  # warm
    # The model computes in a thread of its own.
    everywhere = torch._C._profiler._ExperimentalConfig(profile_all_threads=True)
    with profile(activities=[ProfilerActivity.CPU], experimental_config=everywhere) as found:
        start = time.perf_counter()
        ours.measure(items, Best())
        whole = (time.perf_counter() - start) * 1e6
    own = [(op.key, op.self_cpu_time_total / whole, op.count) for op in found.key_averages()]
    rest = 1 - sum(share for _, share, _ in own)
    return sorted([*own, ("outside of operations: Python, tokenizer, waiting", rest, 1)], key=lambda one: -one[1])


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="8M", choices=llamas.SHAPES)
    parser.add_argument("--items", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1, help="1: shares add up to the whole")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder:
        task = tasks(llamas.build(Path(folder), args.model), args.items)[0]
        print(f"{args.model}: {task.name}")
        for name, share, count in spent(Ours(Path(folder)), task.items)[:SHOWN]:
            print(f"{share:7.1%}  {count:6}  {name}")


if __name__ == "__main__":
    main()
