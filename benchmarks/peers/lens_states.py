"""Residual stream after every block at each prompt's last token by TransformerLens, whose environment this runs in.

Standard input: {"model": folder, "threads": n, "prompts": [...], "batch_sizes": [16, 64], "out": file or null}.
The states (prompts, layers, width) are saved to `out`, a .npy file.
The last line of the output: {"version", "turns": [{"batch_size", "clock", "cpu"}, ...],
"memory": bytes, the most beyond what was held when one prompt had been read}.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib import metadata
from typing import Any

import memory
import numpy as np
import torch
from transformer_lens.model_bridge import TransformerBridge

# Padding stands on the right, where no token sees it, and needs no mask. The bridge's tokenizer would begin each text
# with a special token that is not the model's own custom.
PADDED = {"padding": True, "padding_side": "right", "add_special_tokens": False}


def states(model: TransformerBridge, prompts: list[str], batch_size: int) -> np.ndarray:
    layers = [f"blocks.{layer}.hook_resid_post" for layer in range(model.cfg.n_layers)]
    found = np.empty((len(prompts), len(layers), model.cfg.d_model), np.float32)
    # Like lengths together: the less padding, the faster.
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        batch = model.tokenizer([prompts[i] for i in chosen], return_tensors="pt", **PADDED)
        last = batch["attention_mask"].sum(1) - 1
        _, cache = model.run_with_cache(batch["input_ids"], return_cache_object=False, names_filter=layers)
        rows = torch.arange(len(chosen))
        for layer, name in enumerate(layers):
            found[chosen, layer] = cache[name][rows, last].numpy()
    return found


def main() -> None:
    asked = json.load(sys.stdin)
    torch.set_num_threads(asked["threads"])
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    # Without enable_compatibility_mode the weights stay as they are: no norm is folded, nothing centred.
    model = TransformerBridge.boot_transformers(asked["model"], device="cpu", dtype=torch.float32)
    found = np.empty(0)
    turns: list[dict[str, Any]] = []
    with torch.inference_mode():
        states(model, asked["prompts"][:1], 1)  # warm, and weights mapped from the file are in memory from here on
        before = memory.resident()
        memory.begin()
        for size in asked["batch_sizes"]:
            clock, cpu = time.perf_counter(), time.process_time()
            found = states(model, asked["prompts"], size)
            turns.append({"batch_size": size, "clock": time.perf_counter() - clock, "cpu": time.process_time() - cpu})
    used = memory.peak() - before
    if asked["out"]:
        np.save(asked["out"], found)
    print(json.dumps({"version": metadata.version("transformer-lens"), "memory": used, "turns": turns}))


if __name__ == "__main__":
    main()
