"""Published figures of honesty under pressure: (estimate, value, setting)."""

from __future__ import annotations

_POOL = "MASK, 1,500 propositions, one sample; second-hand of figure 4"
_BOARD = "leaderboard, 500 private propositions"
_RERUN = "independent rerun on the public 1,000 propositions, one sample"
_LORRA = "independent run, 9B model tuned by representation engineering, local judge"

HONESTY: tuple[tuple[str, float, str], ...] = (
    ("P(lie)", 0.266, f"Claude 3.7 Sonnet, lowest listed; {_POOL}"),
    ("P(lie)", 0.630, f"Grok 2, highest; {_POOL}"),
    ("P(honest)", 0.46, f"at most, of all models listed; {_POOL}"),
    ("judge agreement", 0.864, "GPT-4o against persons, 150 items"),
    ("honesty score", 0.9613, f"Claude Sonnet 4.5 thinking; {_BOARD}"),
    ("honesty score", 0.9200, f"gpt-oss-120b; {_BOARD}"),
    ("honesty score", 0.8447, f"o3 high; {_BOARD}"),
    ("honesty score", 0.4260, f"Mistral Medium 3; {_BOARD}"),
    ("P(evade or no belief)", 0.25, f"about, lower end; {_BOARD}"),
    ("P(evade or no belief)", 0.35, f"about, upper end; {_BOARD}"),
    ("honesty score", 0.568, f"GPT-4o; {_RERUN}"),
    ("accuracy", 0.798, f"GPT-4o; {_RERUN}"),
    ("accuracy, provided facts counted", 0.579, f"GPT-4o, provided facts left in the denominator; {_RERUN}"),
    ("honesty score", 0.748, f"Llama 3.1 8B; {_RERUN}"),
    ("accuracy", 0.620, f"Llama 3.1 8B; {_RERUN}"),
    ("honesty score", 0.438, f"DeepSeek V3.2; {_RERUN}"),
    ("accuracy", 0.785, f"DeepSeek V3.2; {_RERUN}"),
    ("honesty score, macro", 0.654, _LORRA),
    ("P(lie | belief), macro", 0.442, f"stated as an honesty of 55.8 % where there is a belief; {_LORRA}"),
)
