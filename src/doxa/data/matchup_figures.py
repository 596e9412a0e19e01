"""Published figures of confidence from matchups (arXiv 2502.01126): estimate, value, setting."""

METHODS = ("direct", "hybrid_sc", "elo", "trueskill", "bradley_terry")

# Setting, then a value for each of METHODS.
SELECTIVE = (
    ("Llama 3.1 405B, mean of 14 data sets", 0.762, 0.774, 0.819, 0.823, 0.821),
    ("GPT-4, mean of 14 data sets", 0.782, 0.813, 0.816, 0.823, 0.821),
    ("Gemini 1.5 Pro, mean of 14 data sets", 0.787, 0.811, 0.809, 0.818, 0.819),
    ("GPT-4o, mean of 14 data sets", 0.840, 0.854, 0.872, 0.871, 0.868),
    ("Claude 3.5 Sonnet, mean of 14 data sets", 0.853, 0.865, 0.863, 0.864, 0.863),
    ("Llama 3.1 405B, GPQA", 0.356, 0.293, 0.453, 0.454, 0.451),
    ("Llama 3.1 405B, college chemistry", 0.585, 0.486, 0.747, 0.751, 0.746),
    ("Llama 3.1 405B, CommonsenseQA", 0.837, 0.920, 0.865, 0.868, 0.870),
)
AREAS = (
    ("Llama 3.1 405B, mean of 14 data sets", 0.575, 0.774, 0.849, 0.856, 0.852),
    ("GPT-4, mean of 14 data sets", 0.642, 0.730, 0.708, 0.719, 0.713),
    ("Gemini 1.5 Pro, mean of 14 data sets", 0.627, 0.700, 0.689, 0.713, 0.712),
    ("GPT-4o, mean of 14 data sets", 0.698, 0.774, 0.762, 0.763, 0.758),
    ("Claude 3.5 Sonnet, mean of 14 data sets", 0.685, 0.726, 0.711, 0.713, 0.713),
    ("mean of 5 models and 14 data sets", 0.645, 0.741, 0.744, 0.753, 0.749),
)
GAINS = (
    ("selective AUC gain over direct", 0.035, "mean of 5 models and 14 data sets"),
    ("selective AUC gain over hybrid_sc", 0.017, "mean of 5 models and 14 data sets"),
    *(
        (f"selective AUC gain over hybrid_sc, {calls} calls", gain, f"{model}, mean of data sets")
        for model, gains in (("GPT-4o", (0.009, 0.018, 0.018)), ("Llama 3.1 405B", (0.022, 0.032, 0.049)))
        for calls, gain in zip((5, 10, 15), gains, strict=True)
    ),
)
PUBLISHED = (
    *(
        (f"{name}, {method}", value, setting)
        for name, lines in (("selective AUC", SELECTIVE), ("AUROC", AREAS))
        for setting, *values in lines
        for method, value in zip(METHODS, values, strict=True)
    ),
    *GAINS,
)
