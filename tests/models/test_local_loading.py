"""What can be loaded, what is refused and in which words, and what makes a model another model."""

import asyncio
import json
import os

import pytest
from pytest import approx

from doxa.models import local_identity
from doxa.models.local import LocalModel
from doxa.records import DoxaError, Prompt

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def save(folder, *, seed=0, **settings):
    """A two-layer Llama with a tokenizer of single letters."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    letters = ["<s>", "</s>", *"abcdefghijklmnopqrstuvwxyz ?"]
    backend = Tokenizer(models.WordLevel({c: i for i, c in enumerate(letters)}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    backend.decoder = decoders.Fuse()
    config = transformers.LlamaConfig(
        vocab_size=len(letters), hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=32, initializer_range=0.3,
        bos_token_id=0, eos_token_id=1, pad_token_id=1, **settings,
    )  # fmt: skip
    torch.manual_seed(seed)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>").save_pretrained(
        folder
    )
    return folder


@pytest.fixture
def folder(tmp_path):
    return save(tmp_path / "model")


def load(folder, **settings):
    return LocalModel(folder, device="cpu", **settings)


def logprob(model):
    return asyncio.run(model.score(Prompt(text="is iron"), [" a metal"]))[0].logprob


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere-at-all", "models/deep/nowhere"])
def test_no_such_folder_is_never_looked_up_elsewhere(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *a, **k: pytest.fail("asked the network"))
    with pytest.raises(DoxaError, match="there is no folder"):
        load(name)


def test_a_hub_id_that_is_not_given_out(monkeypatch):
    def refuse(*_args, **_named):
        raise OSError("Repository Not Found\nlong explanation")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(DoxaError, match=r"no folder 'org/name' here.*Repository Not Found.*\./NAME"):
        load("org/name")


def test_a_hub_id_is_identified_by_its_commit(folder, monkeypatch):
    snapshot = folder.rename(folder.parent / "0123abcd")
    asked = {}

    def give(name, **named):
        asked.update(named, name=name)
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", give)
    model = load("org/name", revision="main")
    assert model.identity["weights"] == "commit 0123abcd" and model.address == "hf:org/name"
    assert asked["name"] == "org/name" and asked["revision"] == "main"
    assert "*.safetensors" in asked["allow_patterns"] and "*.bin" not in asked["allow_patterns"]
    assert "*.py" not in asked["allow_patterns"]


def test_a_file_or_a_revision_of_a_folder(folder):
    with pytest.raises(DoxaError, match="is a file"):
        load(folder / "config.json")
    with pytest.raises(DoxaError, match="revision is 'main'"):
        load(folder, revision="main")


def test_not_a_model_folder(tmp_path):
    with pytest.raises(DoxaError, match=r"not a model folder: it has no config\.json"):
        load(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(DoxaError, match="is an adapter: load its base model with adapter="):
        load(tmp_path)


@pytest.mark.parametrize(("kind", "what"), [("BertForMaskedLM", "bert"), ("T5ForConditionalGeneration", "t5")])
def test_not_a_causal_model(tmp_path, kind, what):
    config = {"model_type": what, "architectures": [kind]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(DoxaError, match=f"is {kind}, not a causal language model"):
        load(tmp_path)


def test_pickled_weights_are_loaded_only_when_asked_for(folder):
    want = logprob(load(folder))
    weights = transformers.AutoModelForCausalLM.from_pretrained(folder).state_dict()
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(DoxaError, match=r"pickled weights only \(pytorch_model\.bin\).*allow_pickle=True"):
        load(folder)
    assert logprob(load(folder, allow_pickle=True)) == approx(want)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(DoxaError, match="holds no weights"):
        load(folder)


def test_weights_that_are_damaged_or_not_all_there(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(DoxaError, match=r"lacks 1 of the network's weights \(first: lm_head\.weight\)"):
        load(folder)
    (folder / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(DoxaError, match="weights cannot be loaded"):
        load(folder)


def test_no_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(DoxaError, match="no tokenizer that can be loaded"):
        load(folder)


def test_a_tokenizer_with_more_tokens_than_the_network(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["metal"])
    tokenizer.save_pretrained(folder)
    model = load(folder)
    with pytest.raises(DoxaError, match="has token 30; this model knows 30, counted from 0"):
        logprob(model)
    assert asyncio.run(model.score(Prompt(text="is"), [" iron"]))[0].logprob < 0


def test_unknown_settings(folder):
    with pytest.raises(DoxaError, match="dtype is 'int8'; it is one of auto"):
        load(folder, dtype="int8")
    with pytest.raises(DoxaError, match="device is 'tpu'"):
        LocalModel(folder, device="tpu")
    with pytest.raises(ValueError, match="max_batch_tokens is 0"):
        load(folder, max_batch_tokens=0)
    with pytest.raises(ValueError, match="chat_template is 'mine'"):
        load(folder, chat_template="mine")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there(folder):
    with pytest.raises(DoxaError, match="which torch does not find here; there is: cpu"):
        LocalModel(folder, device="cuda")


def test_torch_that_is_not_installed(folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DoxaError, match=r"needs torch and transformers.*pip install 'doxa\[local\]'"):
        load(folder)


def test_nothing_to_score_or_to_read(folder):
    model = load(folder)
    with pytest.raises(ValueError, match="at least one text"):
        asyncio.run(model.score(Prompt(text="a"), []))
    with pytest.raises(ValueError, match="at least one text"):
        asyncio.run(model.score(Prompt(text="a"), "yes"))
    with pytest.raises(ValueError, match="at least one of each"):
        asyncio.run(model.hidden_states(Prompt(text="a"), layers=()))


# --- what it is ------------------------------------------------------------------------------------------------------


def test_the_same_files_are_the_same_model_wherever_they_lie(folder, tmp_path):
    other = save(tmp_path / "copy")
    one, two = load(folder), load(other, address="organism:copy")
    assert one.fingerprint == two.fingerprint
    assert (one.address, two.address) == (f"hf:{folder}", "organism:copy")
    assert one.capabilities == {"generate", "logprobs", "score", "hidden_states"}
    json.dumps(dict(one.identity))


def test_identity_changes_with_a_weight_a_template_a_dtype_and_an_end_token(folder):
    from safetensors.torch import load_file, save_file

    seen = [load(folder), load(folder, dtype="bfloat16")]
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][3] += 0.001
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    seen.append(load(folder))
    (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    seen += [load(folder), load(folder, chat_template="none")]
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "eos_token_id": [1, 5]}))
    seen.append(load(folder))
    assert len({model.fingerprint for model in seen}) == len(seen)
    assert seen[1].identity["dtype"] == "bfloat16"
    assert seen[-1]._ends == {1, 5}


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # between peft and transformers
def test_an_adapter_changes_answers_and_identity(folder, tmp_path):
    peft = pytest.importorskip("peft")
    base = transformers.AutoModelForCausalLM.from_pretrained(folder)
    adapted = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    adapted.save_pretrained(tmp_path / "adapter")
    plain, changed = load(folder), load(folder, adapter=tmp_path / "adapter")
    assert abs(logprob(plain) - logprob(changed)) > 1e-3
    ids = torch.tensor([plain._text.prompt(Prompt(text="is iron a metal"))])
    with torch.inference_mode():
        want, found = adapted.eval()(ids).logits, changed._network.model(ids).logits
    assert found.numpy() == approx(want.numpy(), abs=1e-4)
    assert plain.identity["adapter"] is None and changed.identity["adapter"]["weights"]
    assert plain.identity["weights"] == changed.identity["weights"]
    assert plain.fingerprint != changed.fingerprint
    with pytest.raises(DoxaError, match="is not an adapter folder"):
        load(folder, adapter=folder)


def test_bfloat16_is_read_in_float32(folder):
    exact, rounded = load(folder), load(folder, dtype="bfloat16")
    assert logprob(rounded) == approx(logprob(exact), abs=0.5)  # eight bits of mantissa, about nine tokens
    states = asyncio.run(rounded.hidden_states(Prompt(text="a")))
    assert states.dtype == "float32" and states.shape == (2, 1, 16)


def test_hashes_of_big_files_are_remembered_until_the_file_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    hashed = []
    real = local_identity._hash
    monkeypatch.setattr(local_identity, "_hash", lambda path: hashed.append(path) or real(path))
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    first = local_identity.file_hash(file, remembered_from=0)
    assert local_identity.file_hash(file, remembered_from=0) == first and len(hashed) == 1
    file.write_bytes(b"two")
    os.utime(file, ns=(0, 0))
    assert local_identity.file_hash(file, remembered_from=0) != first and len(hashed) == 2
    local_identity.file_hash(file)
    assert len(hashed) == 3, "small files are hashed each time"
