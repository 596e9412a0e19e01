"""Linear layers multiplied by oneDNN, where that is faster than what PyTorch multiplies with by itself.

PyTorch leaves products in single precision to MKL, which does not use the widest instructions of every processor that
has them: on AMD's it reaches less than half of what oneDNN does, which comes with PyTorch too.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# With fewer rows than this the weights, which are laid out anew each time, cost more than the product.
LEAST_ROWS = 8
# How far both ways may be apart, in root mean squares of the outcome, before oneDNN is not trusted.
CLOSE = 1e-5


def quicken(model: Any) -> bool:
    """Let the linear layers of a model on CPU in single precision multiply by oneDNN; whether they do now.

    Only passes without gradients do, and the weights stay the modules' own: whoever changes them changes what is read.
    Layers of other classes than PyTorch's own (quantised, adapted ones) are left as they are.
    """
    import torch

    weight = model.get_input_embeddings().weight
    if weight.device.type != "cpu" or weight.dtype != torch.float32 or not available():
        return False
    for module in model.modules():
        if type(module) is torch.nn.Linear and module.weight.dtype == torch.float32:
            module.__class__ = _linear_class()
    return True


@functools.cache
def available() -> bool:
    """Whether this PyTorch has the product, and it comes to what the usual one does."""
    import torch

    if not torch.backends.mkldnn.is_available():
        return False
    generator = torch.Generator().manual_seed(0)
    rows, weight, bias = (torch.randn(size, generator=generator) for size in ((2, LEAST_ROWS, 48), (80, 48), (80,)))
    with torch.no_grad():
        usual = torch.nn.functional.linear(rows, weight, bias)
        try:
            found = product(rows, weight, bias)
        except (AttributeError, RuntimeError, NotImplementedError, TypeError):  # not every build has it, nor so
            return False
    return found.shape == usual.shape and bool((found - usual).abs().max() <= CLOSE * usual.square().mean().sqrt())


def product(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """rows (..., i) by weight (o, i), with the bias (o): (..., o)."""
    import torch

    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")


@functools.cache
def _linear_class() -> Any:
    import torch

    multiply, usual = torch.ops.mkldnn._linear_pointwise.default, torch.nn.functional.linear

    class QuickLinear(torch.nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            width = self.in_features
            if torch.is_grad_enabled() or input.dtype != torch.float32 or input.numel() < LEAST_ROWS * width:
                return usual(input, self.weight, self.bias)
            return multiply(input, self.weight, self.bias, "none", [], "")

    return QuickLinear
