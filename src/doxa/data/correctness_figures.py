"""Published figures of generalized correctness models (arXiv 2509.24988), by the estimate that they stand beside."""

from __future__ import annotations

TITLE = (
    "Generalized Correctness Models: Learning Calibrated and Model-Agnostic Correctness Predictors from Historical "
    "Patterns"
)

_LLAMA = "MMLU, target Llama-3.1-8B"
_HELD_OUT = ("MMLU, held-out target Phi-3-mini", "MMLU, held-out target Qwen3-32B")
_SQL = ("text-to-SQL, target Qwen2.5-7B", "text-to-SQL, target Llama-3.1-8B")
_OWN, _ALL, _OTHERS = "own history", "all histories", "others' histories"


def _three(way: str, setting: str, *values: float | None) -> list[tuple[str, float, str]]:
    names = ("accuracy of judging", "AUROC", "ECE top-label")
    return [(f"{n}, {way}", v, setting) for n, v in zip(names, values, strict=False) if v is not None]


# (estimate, value, setting)
PUBLISHED: tuple[tuple[str, float, str], ...] = (
    *_three(_OWN, f"{_LLAMA}, specific model, Qwen3-8B", 0.792, 0.857, 0.017),
    *_three(_ALL, f"{_LLAMA}, generalized model, Qwen3-8B", 0.820, 0.890, 0.023),
    (f"ECE top-label, {_ALL}, calibrated", 0.020, f"{_LLAMA}, spline on 5 %"),
    *_three(_OWN, f"{_HELD_OUT[0]}, specific model", 0.787, 0.853, 0.026),
    *_three(_OTHERS, f"{_HELD_OUT[0]}, generalized model", 0.800, 0.876, 0.017),
    *_three(_OWN, f"{_HELD_OUT[1]}, specific model", 0.873, 0.876, 0.022),
    *_three(_OTHERS, f"{_HELD_OUT[1]}, generalized model", 0.871, 0.877, 0.029),
    *_three(_OWN, "TriviaQA, specific model", 0.844, 0.895, 0.023),
    *_three(_OTHERS, "TriviaQA, generalized model of MMLU", 0.828, 0.896, 0.105),
    *_three(f"{_OTHERS}, calibrated", "TriviaQA, generalized model of MMLU, 5 % to calibrate", 0.844, 0.896, 0.031),
    *_three(_OWN, f"{_SQL[0]}, specific model", 0.766, 0.838),
    *_three(_ALL, f"{_SQL[0]}, generalized model", 0.805, 0.891),
    *_three(_OWN, f"{_SQL[1]}, specific model", 0.873, 0.901),
    *_three(_ALL, f"{_SQL[1]}, generalized model", 0.898, 0.929),
    ("accuracy of judging, inputs full", 0.820, f"{_LLAMA}, generalized model"),
    ("accuracy of judging, inputs answer only", 0.789, f"{_LLAMA}, generalized model"),
    ("accuracy of judging, inputs answerless", 0.720, f"{_LLAMA}, generalized model"),
    ("accuracy, judged by the other", 0.782, "MMLU, answerless, trained; target Llama-3-70B, judge Qwen"),
    ("accuracy, judged by itself", 0.776, "MMLU, answerless, trained; target and judge Llama-3-70B"),
)
