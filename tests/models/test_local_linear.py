"""Linear layers multiplied by oneDNN: the same products, weights that stay the modules' own, gradients as ever."""

import pytest
import torch

from doxa.models import local_linear
from doxa.models.local_linear import LEAST_ROWS, quicken


class Tiny(torch.nn.Module):
    def __init__(self, bias=True):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(11, 24)
        self.linear = torch.nn.Linear(24, 40, bias=bias)

    def get_input_embeddings(self):
        return self.embedding


needs_onednn = pytest.mark.skipif(not local_linear.available(), reason="this PyTorch has no such product")


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(LEAST_ROWS - 1, 24), (LEAST_ROWS, 24), (2, 50, 24), (0, 24)])
def test_products_are_the_usual_ones(bias, shape):
    model, rows = Tiny(bias), torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        usual = model.linear(rows)
        assert quicken(model) and isinstance(model.linear, torch.nn.Linear)
        torch.testing.assert_close(model.linear(rows), usual, atol=1e-5, rtol=1e-5)


@needs_onednn
def test_changed_weights_change_what_is_read_and_gradients_flow():
    model, rows = Tiny(), torch.ones(20, 24)
    quicken(model)
    with torch.no_grad():
        model.linear.weight.zero_()
        model.linear.bias.fill_(2.0)
        assert (model.linear(rows) == 2).all()
    model.linear(rows).sum().backward()
    assert model.linear.weight.grad is not None and (model.linear.weight.grad == 20).all()


def test_other_precisions_and_products_that_are_not_there_are_left_alone(monkeypatch):
    half = Tiny().to(torch.bfloat16)
    assert not quicken(half) and type(half.linear) is torch.nn.Linear

    def missing(*_):
        raise AttributeError

    monkeypatch.setattr(local_linear, "product", missing)
    local_linear.available.cache_clear()
    try:
        assert not local_linear.available() and not quicken(Tiny())
    finally:
        local_linear.available.cache_clear()
