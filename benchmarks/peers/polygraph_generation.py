"""Replies and their log-probabilities by lm-polygraph's calculators, whose environment this runs in.

Standard input: {"model": folder, "threads": n, "prompts": [...], "tokens": n, "samples": n, "batch_sizes": [8, 32]}.
samples: of each prompt, at temperature 1; 0: the greedy reply.
The last line of the output: {"version", "tokens": ids of each reply, "logprobs": the same shape,
"turns": [{"batch_size", "clock", "cpu"}, ...]}; the replies to a prompt stand together.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib import metadata
from typing import Any

import torch
from lm_polygraph.stat_calculators.greedy_probs import GreedyProbsCalculator
from lm_polygraph.stat_calculators.sample import SamplingGenerationCalculator
from lm_polygraph.utils.generation_parameters import GenerationParameters
from lm_polygraph.utils.model import WhiteboxModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def loaded(folder: str) -> WhiteboxModel:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    tokenizer.pad_token = tokenizer.eos_token
    # The whole distribution, as Doxa samples from it.
    return WhiteboxModel(model, tokenizer, folder, generation_parameters=GenerationParameters(top_k=0, top_p=1.0))


def replies(
    model: WhiteboxModel, prompts: list[str], tokens: int, samples: int, batch_size: int
) -> tuple[list[Any], list[Any]]:
    """Token ids and log-probabilities of each reply."""
    # No attention maps: Doxa gives none, and they would cost more than all the rest.
    ask = SamplingGenerationCalculator(samples) if samples else GreedyProbsCalculator(output_attentions=False)
    ids: list[Any] = []
    logprobs: list[Any] = []
    for start in range(0, len(prompts), batch_size):
        found = ask({}, prompts[start : start + batch_size], model, max_new_tokens=tokens)
        if samples:
            ids += [reply for own in found["sample_tokens"] for reply in own]
            logprobs += [reply for own in found["sample_log_likelihoods"] for reply in own]
        else:
            ids += found["greedy_tokens"]
            logprobs += [[float(value) for value in reply] for reply in found["greedy_log_likelihoods"]]
    return ids, logprobs


def main() -> None:
    asked = json.load(sys.stdin)
    torch.set_num_threads(asked["threads"])
    torch.manual_seed(0)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    model = loaded(asked["model"])
    prompts, settings = asked["prompts"], (asked["tokens"], asked["samples"])
    replies(model, prompts[:1], 4, asked["samples"], 1)  # warm
    ids: list[Any] = []
    logprobs: list[Any] = []
    turns: list[dict[str, Any]] = []
    for size in asked["batch_sizes"]:
        clock, cpu = time.perf_counter(), time.process_time()
        ids, logprobs = replies(model, prompts, *settings, size)
        turns.append({"batch_size": size, "clock": time.perf_counter() - clock, "cpu": time.process_time() - cpu})
    print(
        json.dumps({"version": metadata.version("lm-polygraph"), "tokens": ids, "logprobs": logprobs, "turns": turns})
    )


if __name__ == "__main__":
    main()
