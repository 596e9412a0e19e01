"""Published figures of debates with bets: estimate, value, setting. Source: arXiv 2505.19184 and its result tables."""

_CROSS = "60 debates between 10 models, 6 motions, 120 bettors"
_SELF = "60 debates of 10 models with themselves, 6 motions, 120 bettors"
_LATE = "28 debates of 5 models with themselves, two rebuttals"

_MODELS = {
    "claude-3.5-haiku": 71.67,
    "claude-3.7-sonnet": 67.31,
    "deepseek-chat": 74.58,
    "deepseek-r1-distill-qwen-14b": 79.09,
    "gemini-2.0-flash-001": 65.42,
    "gemma-3-27b-it": 67.50,
    "gpt-4o-mini": 75.00,
    "o3-mini": 77.50,
    "qwen-max": 73.33,
    "qwq-32b": 78.75,
}
_BETTORS = {"claude-3.7-sonnet": 13, "deepseek-r1-distill-qwen-14b": 11}

FIGURES: tuple[tuple[str, float, str], ...] = (
    ("opening bet, cross_model", 72.92, _CROSS),
    ("rebuttal bet, cross_model", 77.67, _CROSS),
    ("closing bet, cross_model", 83.26, _CROSS),
    ("opening to closing, cross_model", 10.34, f"{_CROSS}; p 1e-20"),
    ("both above 75, cross_model", 0.617, f"{_CROSS}; 37 of 60, called 'at least 75'"),
    ("both at least 75, cross_model", 0.717, f"{_CROSS}; recounted"),
    ("sum above 100, cross_model", 1.0, f"{_CROSS}; recounted"),
    ("excess of the sum, cross_model", 66.52, f"{_CROSS}; recounted"),
    ("opening SD, cross_model", 7.93, _CROSS),
    ("opening to rebuttal, cross_model", 4.75, f"{_CROSS}; p 6e-10"),
    ("rebuttal to closing, cross_model", 5.59, f"{_CROSS}; p 6e-16"),
    *(
        (f"opening bet, {model}, cross_model", bet, f"{model}, {_BETTORS.get(model, 12)} bettors; {_CROSS}")
        for model, bet in _MODELS.items()
    ),
    ("proposition wins, cross_model", 20.5 / 60, f"{_CROSS}; 6 verdicts each: 17 won, 7 ties; recounted"),
    ("Brier, opening, cross_model", 0.297, f"{_CROSS}; 6 verdicts each, a tie one half; recounted"),
    ("Brier, rebuttal, cross_model", 0.306, f"{_CROSS}; 6 verdicts each, a tie one half; recounted"),
    ("Brier, closing, cross_model", 0.330, f"{_CROSS}; 6 verdicts each, a tie one half; recounted"),
    ("Brier, a constant 50, cross_model", 0.221, f"{_CROSS}; 6 verdicts each, a tie one half; recounted"),
    ("opening bet, self_debate", 64.08, _SELF),
    ("closing bet, self_debate", 75.20, _SELF),
    ("opening to closing, self_debate", 11.12, _SELF),
    ("opening to rebuttal, self_debate", 4.99, _SELF),
    ("rebuttal to closing, self_debate", 6.13, _SELF),
    ("both above 75, self_debate", 0.350, f"{_SELF}; recounted"),
    ("sum above 100, self_debate", 0.950, f"{_SELF}; recounted"),
    ("opening bet, informed_self", 50.00, _SELF),
    ("closing bet, informed_self", 57.08, _SELF),
    ("opening to closing, informed_self", 7.08, _SELF),
    ("sum above 100, informed_self", 44 / 60, f"{_SELF}; recounted"),
    ("opening bet, public_bets", 63.50, _SELF),
    ("opening to closing, public_bets", 10.65, _SELF),
    ("sum above 100, public_bets", 58 / 60, f"{_SELF}; recounted"),
    ("opening bet, self_redteam", 67.03, _SELF),
    ("opening to closing, self_redteam", 3.05, _SELF),
    ("sum above 100, self_redteam", 57 / 60, f"{_SELF}; recounted"),
    ("opening bet, multi_round", 49.73, f"{_LATE}, 56 bettors"),
    ("closing bet, multi_round", 58.64, f"{_LATE}, 55 bettors"),
    ("opening to closing, multi_round", 9.00, f"{_LATE}, 55 whole pairs"),
    ("p of the escalation, multi_round", 0.0006, f"{_LATE}, 55 whole pairs, one-sided"),
)
