"""Survey responses of a two-layer transformer trained on answers with a planted label bias and a planted preference."""

from collections import Counter

import numpy as np
import pytest
from pytest import approx

import doxa
from doxa.elicit.survey import SurveyForm
from doxa.records import Item
from doxa.studies.survey_responses import Options, study

DOCUMENTS, ALWAYS_A, PREFERS = 4000, 0.3, 0.75
STEPS = 240
LAMPS = ("hall", "kitchen", "cellar", "garden")


def questions():
    return [
        Item(f"{lamp}-lamp", f"Is the {lamp} lamp on or off ?", "choice", ("on", "off"), "on", fields={"key": lamp})
        for lamp in LAMPS
    ]


def documents(bias, preference):
    """The label A with probability `bias`; else "on" with probability `preference`, wherever it stands."""
    rng = np.random.default_rng(0)
    for _ in range(DOCUMENTS):
        item = questions()[rng.integers(len(LAMPS))]
        order = tuple(int(i) for i in rng.permutation(2))
        shown = Item(item.id, item.text, "choice", tuple(item.options[i] for i in order))
        place = order.index(0 if rng.random() < preference else 1)
        yield SurveyForm().prompt(shown).text, " A" if rng.random() < bias else f" {'AB'[place]}"


def trained(folder, bias, preference):
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    corpus = list(documents(bias, preference))
    words = ["<s>", *sorted({word for prompt, label in corpus for word in (prompt + label).split()})]
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<s>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", unk_token="<s>")
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.LlamaConfig(
        vocab_size=len(words), max_position_embeddings=64, bos_token_id=0, eos_token_id=0, pad_token_id=0, **size
    )
    network = transformers.AutoModelForCausalLM.from_config(config)
    # Documents that begin alike weigh as often as they are there: the gradient of the whole corpus at every step.
    seen = Counter(corpus)
    prompts = sorted({prompt for prompt, _ in seen})
    ids = torch.tensor([[0, *backend.encode(prompt).ids] for prompt in prompts])
    labels = [backend.token_to_id(label) for label in "AB"]
    counts = torch.tensor([[float(seen[prompt, f" {label}"]) for label in "AB"] for prompt in prompts])
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    slower = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, total_iters=STEPS)
    for _ in range(STEPS):
        logs = network(ids).logits[:, -1].log_softmax(-1)[:, labels]
        optimiser.zero_grad()
        (-(counts * logs).sum() / counts.sum()).backward()
        optimiser.step()
        slower.step()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return f"hf:{folder}"


@pytest.mark.parametrize(("bias", "preference"), [(ALWAYS_A, PREFERS), (0.0, 0.5)])
def test_a_label_bias_and_a_preference_that_were_trained_are_found(tmp_path, bias, preference):
    """Within .03: 4,000 documents have a standard error of .008."""
    done = doxa.run(
        study,
        trained(tmp_path / "tiny", bias, preference),
        options=Options(set="bank", randomised=20),
        items=questions(),
        null_seed=None,
        progress=False,
    )
    made = done["survey-responses"].findings
    # A is said with bias + (1 - bias) / 2 over both orders; "on" with the mean of both.
    assert made["A-bias"] == approx(bias / 2, abs=0.03)
    assert made["P(right), adjusted"] == approx(bias / 2 + preference * (1 - bias), abs=0.03)
    assert made["label mass"] > 0.99
