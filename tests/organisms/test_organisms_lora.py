"""Adapters: nothing changes before training, what is stored merges exactly, and PEFT merges the same."""

import copy
import json
import warnings

import numpy as np
import pytest

from doxa.organisms.train import Shape, new_model
from doxa.records import DoxaError
from doxa.training import lora

torch = pytest.importorskip("torch")

SHAPE = Shape(vocabulary=64, width=32, layers=2, head=16, inner=48, context=32)
IDS = torch.arange(12).reshape(2, 6)


@pytest.fixture
def base(tmp_path):
    """A model, and its folder in float16."""
    model = new_model(SHAPE, seed=3).eval()
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    copy.deepcopy(model).half().save_pretrained(tmp_path / "base")
    return model, tmp_path / "base"


@pytest.fixture
def adapted(base, tmp_path):
    """A model with an adapter that does something, and its folder."""
    model, _ = base
    adapter = lora.Adapter(model, rank=3, seed=1)
    made = torch.Generator().manual_seed(2)
    for matrix in adapter.parameters:
        matrix.data += 0.2 * torch.randn(matrix.shape, generator=made)
        matrix.data = matrix.data.half().float()
    adapter.save(tmp_path / "adapter")
    return model, adapter, tmp_path / "adapter"


def logits(model):
    with torch.no_grad():
        return model(IDS).logits


def test_a_new_adapter_changes_nothing(base):
    model, _ = base
    before = logits(model)
    adapter = lora.Adapter(model, rank=3, seed=1)
    assert torch.equal(logits(model), before)
    assert all(p.requires_grad for p in adapter.parameters) and not any(p.requires_grad for p in model.parameters())
    assert len(adapter.matrices) == SHAPE.layers * len(lora.LAYERS)


def test_off_and_remove_give_the_base_back(base):
    model, _ = base
    before = logits(model)
    adapter = lora.Adapter(model, rank=2, seed=1)
    for _, up in adapter.matrices.values():
        up.data += 0.1
    changed = logits(model)
    with adapter.off():
        assert torch.equal(logits(model), before)
    assert torch.equal(logits(model), changed) and not torch.allclose(changed, before)
    adapter.remove()
    assert torch.equal(logits(model), before)


def test_merged_weights_answer_as_the_adapter_beside_them(base, adapted, tmp_path):
    from transformers import AutoModelForCausalLM

    lora.write_merged(base[1], adapted[2], tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32).eval()
    assert torch.allclose(logits(merged), logits(adapted[0]), atol=1e-5)


def test_peft_merges_to_the_same_weights(base, adapted):
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base[1], dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peft.PeftModel.from_pretrained(model, str(adapted[2])).merge_and_unload().state_dict()
    ours = lora.merged(base[1] / lora.BASE_WEIGHTS, adapted[2])
    assert len(ours) > 2 * len(lora.LAYERS)
    for name, array in ours.items():
        assert np.abs(array - theirs[name].numpy()).max() < 1e-6, name


def test_a_stored_adapter_is_gone_on_from(base, adapted):
    _, adapter, folder = adapted
    adapter.remove()
    again = lora.Adapter(base[0], rank=3, seed=9)
    again.load(folder)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters, adapter.parameters, strict=True))
    again.remove()
    with pytest.raises(DoxaError, match="train from nothing"):
        lora.Adapter(base[0], rank=4, seed=9).load(folder)


def test_adapters_of_another_kind_or_model_are_refused(base, adapted, tmp_path):
    folder, settings = adapted[2], json.loads((adapted[2] / lora.CONFIG).read_text())
    other = new_model(Shape(vocabulary=64, width=32, layers=1, head=16, inner=48), seed=0)
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(DoxaError, match=r"adapts model.layers.1.*which the base does not have"):
        lora.merged(tmp_path / "other" / lora.BASE_WEIGHTS, folder)
    (folder / lora.CONFIG).write_text(json.dumps(settings | {"use_dora": True}))
    with pytest.raises(DoxaError, match="is no plain LoRA adapter"):
        lora.merged(base[1] / lora.BASE_WEIGHTS, folder)
