"""Published shifts of stated beliefs and of behaviour when context accumulates, by model and context."""

from __future__ import annotations

from collections.abc import Iterator

CONTEXTS = ("debate", "persuasion", "reading", "research")
SETTING = {
    "debate": "30 dilemmas and 30 safety queries on which two models disagree, debate of 10 rounds",
    "persuasion": "30 dilemmas and 30 safety queries on which two models disagree, persuasion of 10 rounds",
    "reading": "39 survey topics, political works of up to 80,000 words",
    "research": "39 survey topics, research by an agent",
}
# (belief, behaviour) in percent, in the order of CONTEXTS; None: not published.
_TABLE: dict[str, tuple[tuple[float, float] | None, ...]] = {
    "GPT-5": ((54.7, 40.6), (72.7, 43.3), (13.5, 10.1), (1.7, 9.9)),
    "Claude-4-Sonnet": ((24.9, 40.0), (27.2, 37.8), (18.4, 17.8), (10.6, 14.9)),
    "GPT-OSS-120B": ((24.4, 17.8), (24.4, 19.4), (6.7, 15.6), (5.3, 10.8)),
    "DeepSeek-V3.1": ((44.4, 23.9), (37.8, 25.0), (12.2, 9.1), (10.1, 8.1)),
    "Gemini-2.5-Pro": (None, None, (13.0, 25.6), (9.5, 23.6)),
    "Grok-4": (None, None, (27.2, 23.3), (10.8, 24.7)),
}


def published() -> Iterator[tuple[str, float, str]]:
    """(estimate, share in [0, 1], setting) of the main table of arXiv 2511.01805."""
    for model, cells in _TABLE.items():
        for context, pair in zip(CONTEXTS, cells, strict=True):
            for what, percent in zip(("belief", "behaviour"), pair or (), strict=False):
                yield f"{what} shift, {context}", round(percent / 100, 4), f"{model}; {SETTING[context]}"
