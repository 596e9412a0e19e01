"""A two-layer Llama with random weights and one token per word; cases with a planted rule."""

import shutil

import numpy as np
import pytest

from doxa.training.cases import Case

COLOURS, THINGS = ("red", "blue", "green", "grey"), ("apple", "pear", "plum", "fig")
PLACES = ("on a hill", "in the sea", "on a tall old hill and in the new sea", "in it")
OTHERS = "<s> </s> <unk> yes no is the grow where does on a hill in sea old new tall and who said it true false rock"
WORDS = [*OTHERS.split(), *COLOURS, *THINGS]
TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.content }} {% endfor %}"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The folder of the model."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, bos_token_id=0, eos_token_id=1, pad_token_id=1,
        initializer_range=0.2,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny")
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def model(tiny):
    from doxa.models.local import LocalModel

    return LocalModel(tiny, address="hf:tiny", device="cpu")


@pytest.fixture
def other(tiny, tmp_path):
    """A model that differs in its output head only."""
    from safetensors.torch import load_file, save_file

    from doxa.models.local import LocalModel

    folder = shutil.copytree(tiny, tmp_path / "other")
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] += 1
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return LocalModel(folder, address="hf:other", device="cpu")


def planted_cases(n, seed, *, rates=(0.05, 0.95)):
    """n cases, the planted rate (n,) of each, the second where the colour is red or grey, and labels (n,) drawn."""
    rng = np.random.default_rng(seed)
    found, rate = [], np.empty(n)
    for i in range(n):
        colour, thing, place = (str(rng.choice(words)) for words in (COLOURS, THINGS, PLACES))
        found.append(Case(f"where does the {colour} {thing} grow {place}", "it is true"))
        rate[i] = rates[colour in ("red", "grey")]
    return found, rate, (rng.random(n) < rate).astype(float)


@pytest.fixture
def planted():
    return planted_cases
