"""Inspect's eval with a model that answers at once, and the reading of its log. JSON in, JSON out."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["INSPECT_DISPLAY"] = "none"
sys.path.append(str(Path(__file__).parents[1]))

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate
from words import number, question, reply


def run(samples: int, concurrency: int, text: int, folder: str) -> tuple[EvalLog, dict[str, Any]]:
    """One eval: the same questions and replies as ours, scored by whether the target is in the reply."""

    def answer(messages: Any, *_: Any) -> ModelOutput:
        made = ModelOutput.from_content("mockllm/model", reply(number(messages[-1].text), text))
        made.usage = ModelUsage(input_tokens=10, output_tokens=50, total_tokens=60)
        return made

    dataset = MemoryDataset([Sample(id=f"s{k}", input=question(k), target="true") for k in range(samples)])
    task = Task(dataset, solver=generate(), scorer=includes())
    model = get_model("mockllm/model", custom_outputs=answer)
    wall, cpu = time.perf_counter(), time.process_time()
    [log] = evaluate(
        task, model=model, log_dir=folder, log_level="warning", max_connections=concurrency, max_samples=concurrency
    )
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if log.status != "success" or log.results is None:
        raise RuntimeError(f"the eval ended as {log.status}: {log.error}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    accuracy = log.results.scores[0].metrics["accuracy"].value
    replies = {str(sample.id): sample.output.completion for sample in log.samples or []}
    found = {"per_s": samples / wall, "cpu_ms": 1000 * cpu / samples, "peak_mb": peak}
    return log, found | {"accuracy": accuracy, "replies": replies}


def read(log: EvalLog, samples: int, folder: str) -> dict[str, float]:
    """How long Inspect takes to read a log of so many samples, written by itself from copies of real ones."""
    made = log.samples or []
    log.samples = [made[k % len(made)].model_copy(update={"id": f"s{k}"}) for k in range(samples)]
    path = Path(folder) / "many.eval"
    write_eval_log(log, str(path))
    size = path.stat().st_size / samples
    del log, made
    start = time.perf_counter()
    again = read_eval_log(str(path))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "bytes": size, "read": len(again.samples or [])}


if __name__ == "__main__":
    request = json.load(sys.stdin)
    to_read = request.pop("read")
    log, found = run(**request)
    if to_read:
        found["log"] = read(read_eval_log(log.location), to_read, request["folder"])
    print(json.dumps(found | {"version": version("inspect_ai")}))
