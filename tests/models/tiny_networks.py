"""Networks of many kinds, tiny and with random weights, whose tokens are letters."""

import numpy as np
import pytest

from doxa.models.local import LocalModel

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LETTERS = "abcdefghijklmnopqrstuvwxyz "
COMMON = {"vocab_size": 29, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "initializer_range": 0.3}
WIDTHS = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_key_value_heads": 2}
ROTARY = {**COMMON, **WIDTHS, "num_hidden_layers": 2, "max_position_embeddings": 1024}
WINDOW = 70


def configuration(name):
    make = transformers
    return {
        "llama": lambda: make.LlamaConfig(**ROTARY),
        "gpt2": lambda: make.GPT2Config(**COMMON, n_embd=16, n_layer=2, n_head=4, n_positions=1024),
        "opt": lambda: make.OPTConfig(
            vocab_size=29, hidden_size=16, ffn_dim=24, num_hidden_layers=2, num_attention_heads=4, init_std=0.3,
            word_embed_proj_dim=16, max_position_embeddings=1024, bos_token_id=0, eos_token_id=1, pad_token_id=1,
        ),
        "bloom": lambda: make.BloomConfig(**COMMON, hidden_size=16, n_layer=2, n_head=4),
        "mpt": lambda: make.MptConfig(
            vocab_size=29, d_model=16, n_heads=4, n_layers=2, max_seq_len=1024, initializer_range=0.3
        ),
        "mistral": lambda: make.MistralConfig(**ROTARY, head_dim=4, sliding_window=WINDOW),
        "gemma": lambda: make.Gemma3TextConfig(
            **ROTARY, head_dim=4, sliding_window=WINDOW, layer_types=["sliding_attention", "full_attention"]
        ),
        "neo": lambda: make.GPTNeoConfig(
            **COMMON, hidden_size=16, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]],
            window_size=WINDOW, max_position_embeddings=1024,
        ),
        "mamba": lambda: make.MambaConfig(**COMMON, hidden_size=16, num_hidden_layers=2),
    }[name]()  # fmt: skip


def letters_tokenizer():
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {c: i for i, c in enumerate(["<s>", "</s>", *LETTERS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=" "))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    backend.decoder = decoders.Fuse()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")


def loader(tmp_path_factory):
    """Gives a model of a kind, from a folder that is made once."""
    folders = {}

    def made(name, **settings):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            torch.manual_seed(0)
            transformers.AutoModelForCausalLM.from_config(configuration(name)).save_pretrained(folders[name])
            letters_tokenizer().save_pretrained(folders[name])
        return LocalModel(folders[name], device="cpu", **settings)

    return made


def text(seed, length):
    return "".join(np.random.default_rng(seed).choice(list(LETTERS), length))
