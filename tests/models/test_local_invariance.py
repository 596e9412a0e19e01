"""Invariance measured: small where it should be, and found out where a value does depend on its company."""

import numpy as np
import pytest

from doxa.models.local import LocalModel
from doxa.models.local_invariance import BOUND, CONTINUATIONS, PROMPTS, invariance
from doxa.records import Prompt

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module", params=["llama", "bloom"])
def folder(request, tmp_path_factory):
    """A small network of a kind with a tokenizer of single characters."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    said = "".join(m.content for p in PROMPTS for m in p.messages) + "".join(CONTINUATIONS)
    characters = ["<s>", "</s>", "?", *sorted({*said} - {"?"})]
    backend = Tokenizer(models.WordLevel({c: i for i, c in enumerate(characters)}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    backend.decoder = decoders.Fuse()
    common = {"vocab_size": len(characters), "bos_token_id": 0, "eos_token_id": 1, "hidden_size": 16}
    config = (
        transformers.LlamaConfig(
            **common, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=512, initializer_range=0.3,
        )
        if request.param == "llama"
        else transformers.BloomConfig(**common, n_layer=2, n_head=4, initializer_range=0.3)
    )  # fmt: skip
    torch.manual_seed(0)
    made = tmp_path_factory.mktemp(request.param)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(made)
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>").save_pretrained(
        made
    )
    return made


def test_float32_keeps_the_bound(folder):
    model = LocalModel(folder, device="cpu")
    found = invariance(model)
    assert found.holds and found.dtype == "float32" and found.device == "cpu"
    assert found.sharing in ("tree", "chain") and found.sizes == (1, 3, 8) and found.sides == ("right", "left")
    score, generate, states = found.spreads
    assert [s.kind for s in found.spreads] == ["score", "generate", "hidden_states"]
    assert all(0 < s.largest <= BOUND for s in found.spreads), "different kernels, a little noise"
    ways = 2 * 3 * len(PROMPTS)
    assert score.compared == ways * len(CONTINUATIONS) and states.compared == ways * 2 * 2 * 16
    assert (score.decisions, score.flipped) == (ways, 0) and generate.decisions == ways and states.decisions is None
    assert model._network.sides == ("right", "left"), "as before"


def test_reduced_precision_promises_nothing_and_is_told_apart(folder):
    found = invariance(LocalModel(folder, device="cpu", dtype="bfloat16"), sizes=(1, 8), tokens=3)
    assert found.holds is None and found.dtype == "bfloat16"
    assert all(s.largest < 1 for s in found.spreads)


def test_a_value_that_depends_on_its_batch_is_found(folder, monkeypatch):
    model = LocalModel(folder, device="cpu")
    read = model._network.read

    def leaning(block, *args, **named):
        out = read(block, *args, **named)
        out.logits[:, 3:] += 0.01 * len(block.ids)  # the more rows, the likelier
        return out

    for tokens in (64, 128, 256, 400):
        model.sharing(tokens)
    monkeypatch.setattr(model._network, "read", leaning)
    found = invariance(model)
    assert found.holds is False
    assert found.spreads[0].largest > 100 * BOUND and found.spreads[2].largest <= BOUND


def test_what_cannot_be_measured(folder):
    model = LocalModel(folder, device="cpu")
    with pytest.raises(ValueError, match="0 prompts"):
        invariance(model, [])
    with pytest.raises(ValueError, match=r"sizes \(0,\)"):
        invariance(model, [Prompt(text="yes")], sizes=(0,))


def test_few_prompts_of_ones_own(folder):
    prompts = [Prompt(text="yes"), Prompt(text="Is iron a metal?")]
    found = invariance(LocalModel(folder, device="cpu"), prompts, [" yes", " no"], sizes=(2,), tokens=2, seed=3)
    assert found.holds and np.isfinite([s.largest for s in found.spreads]).all()
    assert found.spreads[0].compared == 2 * 2 * 2
