"""Greedy replies and the likeliest tokens by Inspect's provider of Transformers models, in whose environment this runs.

Standard input: {"model": folder, "threads": n, "prompts": [...], "tokens": n, "top": k, "batch_sizes": [32, 64]}.
The last line of the output: {"version", "tokens": names of each reply's tokens,
"tops": log-probabilities (tokens, k) of each reply, "turns": [{"batch_size", "clock", "cpu"}, ...]}.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
import warnings
from importlib import metadata
from typing import Any

os.environ["INSPECT_DISPLAY"] = "none"

import torch
from inspect_ai.model import GenerateConfig, Model, ModelOutput, get_model

# Without a template the provider would write "user: " before each prompt.
AS_IT_IS = "{{ messages[0].content }}"


def opened(folder: str, tokens: int, top: int, batch_size: int) -> Model:
    config = GenerateConfig(
        max_tokens=tokens, logprobs=True, top_logprobs=top, temperature=None, max_connections=batch_size
    )
    how = {"device": "cpu", "dtype": torch.float32, "do_sample": False, "chat_template": AS_IT_IS}
    return get_model(f"hf/{folder}", config=config, memoize=False, **how)


async def replies(model: Model, prompts: list[str]) -> list[ModelOutput]:
    return await asyncio.gather(*(model.generate(prompt) for prompt in prompts))


async def measured(asked: dict[str, Any]) -> dict[str, Any]:
    found: list[ModelOutput] = []
    turns: list[dict[str, Any]] = []
    for size in asked["batch_sizes"]:
        model = opened(asked["model"], asked["tokens"], asked["top"], size)
        await replies(model, asked["prompts"][:1])  # warm
        clock, cpu = time.perf_counter(), time.process_time()
        found = await replies(model, asked["prompts"])
        turns.append({"batch_size": size, "clock": time.perf_counter() - clock, "cpu": time.process_time() - cpu})
    # What ends a reply is followed by padding, for as long as others of its batch go on.
    said = [output.choices[0].logprobs.content for output in found]
    return {
        "version": metadata.version("inspect_ai"),
        "tokens": [[token.token for token in reply] for reply in said],
        "tops": [[[float(top.logprob) for top in token.top_logprobs] for token in reply] for reply in said],
        "turns": turns,
    }


def main() -> None:
    asked = json.load(sys.stdin)
    torch.set_num_threads(asked["threads"])
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    print(json.dumps(asyncio.run(measured(asked))))


if __name__ == "__main__":
    main()
