"""Figures of forecasts: what to know of some of them, and the published ones, five models on 300 questions."""

NOTES = {
    "literal style": 'share of "no" answers with a number below 50, as P(yes) would be',
    "answer style": 'share of "no" answers with a number above 50, as confidence in the answer would be',
    **dict.fromkeys(("MCE", "ACE"), "chance alone adds to it, as to the ECE, which its interval allows for"),
    "two-group calibration error": "mean distance of P(yes) and events over two groups, the yes and the no answers",
    "ECE of a calibrated forecaster": "what chance alone would show with these numbers; the range holds 95 % of it",
}

# --- as published (arXiv 2512.16030) ---------------------------------------------------------------------------------

FIGURES = (
    *("accuracy", "macro F1", *(f"{name}, as scored" for name in ("Brier", "Brier skill", "ECE", "MCE"))),
    *("mean confidence", "overconfidence at 0.8", "overconfidence at 0.9"),
)
BY_MODEL = {
    "Claude Opus 4.5": (0.693, 0.676, 0.2269, 0.057, 0.120, 0.246, 0.738, 0.231, 0.208),
    "Kimi-K2": (0.671, 0.633, 0.3473, -0.446, 0.298, 0.570, 0.794, 0.299, 0.311),
    "Qwen3-235B-Thinking": (0.657, 0.607, 0.3459, -0.437, 0.297, 0.479, 0.817, 0.326, 0.324),
    "GPT-5.2-XHigh": (0.653, 0.599, 0.4329, -0.799, 0.395, 0.622, 0.801, 0.283, 0.277),
    "DeepSeek-V3.2": (0.643, 0.614, 0.3386, -0.407, 0.284, 0.630, 0.737, 0.236, 0.147),
}

# Figure, its published value, and the setting it was measured in.
PUBLISHED = tuple(
    (name, value, f"{model}, 300 questions, paper's prompt")
    for model, values in BY_MODEL.items()
    for name, value in zip(FIGURES, values, strict=True)
)
