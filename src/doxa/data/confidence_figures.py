"""Published figures of ways to a confidence (arXiv 2306.13063)."""

# Way, setting, ECE, AUROC.
BY_WAY: tuple[tuple[str, str, float | None, float | None], ...] = (
    ("vanilla", "GPT-3, mean of 8 sets", 0.520, 0.513),
    ("vanilla", "Vicuna-13B, mean of 8 sets", 0.461, 0.525),
    ("vanilla", "LLaMA-2-70B, mean of 8 sets", 0.436, 0.564),
    ("vanilla", "GPT-3.5, mean of 8 sets", 0.377, 0.551),
    ("vanilla", "GPT-4, mean of 8 sets", 0.180, 0.627),
    ("vanilla", "GPT-4, GSM8K", 0.310, 0.810),
    ("vanilla", "GPT-4, Professional Law", 0.173, 0.609),
    ("cot", "GPT-3.5, mean of 5 sets", 0.250, 0.564),
    ("top_k", "GPT-3.5, mean of 5 sets", 0.178, 0.652),
    ("cot, self_random, consistency", "GPT-3.5, mean of 5 sets, M = 5", 0.187, 0.730),
    ("cot, misleading, consistency", "GPT-3.5, mean of 5 sets, M = 5", 0.173, 0.696),
    ("cot, prompting, consistency", "GPT-3.5, mean of 5 sets, M = 5", 0.243, 0.692),
    ("cot", "GPT-3.5, GSM8K", 0.101, 0.548),
    ("cot, self_random, consistency", "GPT-3.5, GSM8K, M = 5", 0.0628, 0.927),
    ("cot, self_random, avg_conf", "GPT-3.5, mean of 5 sets, M = 5", 0.148, 0.745),
    ("cot, misleading, avg_conf", "GPT-3.5, mean of 5 sets, M = 5", 0.142, 0.702),
    ("top_k, self_random, consistency", "GPT-4, mean of 6 sets, M = 5", 0.120, 0.669),
    ("top_k, self_random, avg_conf_top1", "GPT-4, mean of 6 sets, M = 5", 0.148, 0.669),
    ("top_k, self_random, pair_rank", "GPT-4, mean of 6 sets, M = 5", 0.069, 0.676),
    ("top_k", "GPT-3, abstract: verbalised against white box", None, 0.522),
    ("top_k, seq_prob", "GPT-3, abstract: white box, the method not named", None, 0.605),
    ("top_k", "GPT-3, GSM8K", 0.774, 0.541),
    ("top_k, seq_prob", "GPT-3, GSM8K", 0.077, 0.698),
    ("top_k, len_norm_prob", "GPT-3, GSM8K", 0.724, 0.706),
    ("top_k, token_prob", "GPT-3, GSM8K", 0.356, 0.693),
    ("cot", "GPT-4, GSM8K, nearly always 100 %", 0.064, None),
)

# Figure, its published value, and the setting it was measured in.
PUBLISHED = (
    ("accuracy, cot", 0.936, "GPT-4, GSM8K, nearly always 100 %"),
    *(
        (f"{name}, {way}", value, setting)
        for way, setting, *both in BY_WAY
        for name, value in zip(("ECE", "AUROC"), both, strict=True)
        if value is not None
    ),
)
