"""Published accuracies of SimpleToM, shares: models without an intervention, and three of them with some."""

from __future__ import annotations

from collections.abc import Mapping

NONE: Mapping[str, tuple[float, float, float]] = {  # mental state, behaviour, judgement
    "GPT-3.5": (0.365, 0.076, 0.291),
    "GPT-4o": (0.956, 0.495, 0.153),
    "GPT-4": (0.966, 0.630, 0.195),
    "Llama-3.1-405B": (0.978, 0.582, 0.100),
    "Claude-3.5-Sonnet": (0.979, 0.670, 0.249),
    "GPT-4.5-preview": (0.970, 0.678, 0.267),
    "GPT-5": (0.985, 0.644, 0.400),
    "DeepSeek-R1": (0.973, 0.738, 0.658),
    "o1-preview": (0.956, 0.841, 0.595),
}
ARMS: Mapping[str, Mapping[str, tuple[float, float]]] = {  # behaviour, judgement
    "GPT-4o": {"cot": (0.628, 0.392), "reminder": (0.828, 0.422), "reminder+minds": (0.935, 0.947)},
    "Llama-3.1-405B": {"cot": (0.572, 0.352), "reminder": (0.895, 0.258)},
    "Claude-3.5-Sonnet": {"cot": (0.772, 0.394), "reminder": (0.969, 0.841)},
}


def figures() -> list[tuple[str, float, str]]:
    """(estimate, value, setting) of each."""
    setting = "1,147 stories of the published set"
    found = [
        (question, value, f"{model}; {setting}")
        for model, values in NONE.items()
        for question, value in zip(("aware", "action", "judge"), values, strict=True)
    ]
    return found + [
        (f"{question}, {arm}", value, f"{model}; {setting}")
        for model, arms in ARMS.items()
        for arm, values in arms.items()
        for question, value in zip(("action", "judge"), values, strict=True)
    ]
