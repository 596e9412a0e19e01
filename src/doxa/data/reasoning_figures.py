"""Published figures of instruct models and of reasoning models made from them (arXiv 2504.06564)."""

MODELS = (
    *("Qwen2.5-14B-Instruct", "R1-Distill-Qwen-14B", "DeepCoder-14B"),
    *("Qwen2.5-32B-Instruct", "R1-Distill-Qwen-32B", "Skywork-OR1-32B"),
    *("DeepSeek-V3", "DeepSeek-R1"),
)

# Figure, benchmark, and one value for each of MODELS; None: not given.
BY_BENCHMARK: tuple[tuple[str, str, tuple[float | None, ...]], ...] = (
    ("accuracy, v", "AIME", (0.113, 0.467, 0.577, 0.0967, 0.657, 0.513, 0.230, 0.680)),
    ("ECE, v", "AIME", (0.760, 0.342, 0.222, 0.752, 0.240, 0.183, 0.570, 0.136)),
    ("AUROC, v", "AIME", (0.670, 0.847, 0.873, 0.695, 0.813, 0.928, 0.798, 0.942)),
    ("ECE, v", "GPQA", (0.469, 0.244, 0.225, 0.411, 0.217, 0.174, 0.354, 0.082)),
    ("accuracy, v", "SuperGPQA", (0.293, 0.407, 0.414, 0.312, 0.481, 0.504, 0.393, 0.603)),
    ("ECE, v", "SuperGPQA", (0.514, 0.386, 0.378, 0.446, 0.352, 0.298, 0.427, 0.160)),
    ("ECE, v", "LiveBench", (0.540, 0.265, 0.222, 0.472, 0.152, 0.074, 0.389, 0.081)),
    # Over all questions: the accuracy on shared questions is about twice as high where half are declined.
    ("accuracy of all, v", "SimpleQA", (0.0604, 0.0569, 0.0528, 0.0532, 0.0728, 0.0680, 0.214, 0.297)),
    ("ECE, v", "SimpleQA", (0.625, 0.719, 0.705, 0.623, 0.702, 0.624, 0.515, 0.324)),
    ("ECE, v", "FreshQA", (0.436, 0.523, 0.514, 0.438, 0.483, 0.442, 0.356, 0.299)),
    ("not attempted, count, v", "SimpleQA + FreshQA", (1136, 102, 103, 2492, 76, 63, 480, 81)),
    ("ECE, sr", "AIME", (0.422, 0.223, None, None, None, None, None, 0.167)),
    ("ECE, sr", "SimpleQA", (0.515, None, None, None, None, None, None, 0.551)),
)

# The same over questions of SimpleQA and FreshQA that the instruct and the reasoning model attempt, or only the latter.
OF_QUESTIONS: tuple[tuple[str, tuple[float | None, ...]], ...] = (
    ("accuracy, shared", (0.125, 0.105, 0.0998, 0.174, 0.175, 0.171, 0.275, 0.346)),
    ("ECE, shared", (0.598, 0.692, 0.684, 0.591, 0.640, 0.600, 0.496, 0.317)),
    ("accuracy, newly tried", (None, 0.0237, 0.0275, None, 0.037, 0.0323, None, 0.114)),
    ("ECE, newly tried", (None, 0.718, 0.690, None, 0.717, 0.653, None, 0.371)),
)

OTHER_COUNTS = (("OpenThinker2-32B", 43), ("R1-Distill-Llama-70B", 78), ("Llama-70B-Instruct", 1107))

# Figure, its published value, and the setting it was measured in.
PUBLISHED = (
    *(
        (figure, value, f"{model}, {benchmark}")
        for figure, benchmark, values in BY_BENCHMARK
        for model, value in zip(MODELS, values, strict=True)
        if value is not None
    ),
    *(
        (f"{figure}, {model}, v", value, "SimpleQA + FreshQA")
        for figure, values in OF_QUESTIONS
        for model, value in zip(MODELS, values, strict=True)
        if value is not None
    ),
    *(("not attempted, count, v", count, f"{model}, SimpleQA + FreshQA") for model, count in OTHER_COUNTS),
)
