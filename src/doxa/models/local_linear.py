"""Linear layers multiplied by oneDNN, where that is faster than what PyTorch multiplies with by itself.

PyTorch leaves products in single precision to MKL, which does not use the widest instructions of every processor that
has them: on AMD's it reaches less than half of what oneDNN does, which comes with PyTorch too.
"""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# Up to so many rows the weights are laid out once and kept so: later laying them out anew costs next to nothing.
FEW_ROWS = 256
# Kept weights are a second copy. They are kept of networks whose linear layers take up to so many bytes.
KEPT_BYTES = 2**29
# Without such a copy fewer rows than this are left to PyTorch: the weights cost more to lay out than the product.
LEAST_ROWS = 8
# How far both ways may be apart, in root mean squares of the outcome, before oneDNN is not trusted.
CLOSE = 1e-5

# Weights as they are laid out, of modules, and what of these they are a copy of. Not in the modules themselves: such a
# copy can neither be saved nor copied again.
_KEPT: weakref.WeakKeyDictionary[Any, tuple[tuple[int, int], Any]] = weakref.WeakKeyDictionary()


def quicken(model: Any) -> bool:
    """Let the linear layers of a model on CPU in single precision multiply by oneDNN; whether they do now.

    Only passes without gradients do, and the weights stay the modules' own: whoever changes them changes what is read.
    Layers of other classes than PyTorch's own (quantised, adapted ones) are left as they are.
    """
    import torch

    weight = model.get_input_embeddings().weight
    if weight.device.type != "cpu" or weight.dtype != torch.float32 or not available():
        return False
    layers = [m for m in model.modules() if type(m) is torch.nn.Linear and m.weight.dtype == torch.float32]
    weights = {layer.weight.data_ptr(): layer.weight.nbytes for layer in layers}
    quick = _linear_class(sum(weights.values()) <= KEPT_BYTES)
    for layer in layers:
        layer.__class__ = quick
    return True


def forget(model: Any) -> None:
    """Drop the copies of the model's weights that are kept."""
    for module in model.modules():
        _KEPT.pop(module, None)


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
            found = [product(rows, weight, bias), product(rows, laid_out(weight), bias)]
        except (AttributeError, RuntimeError, NotImplementedError, TypeError):  # not every build has it, nor so
            return False
    close = CLOSE * usual.square().mean().sqrt()
    return all(one.shape == usual.shape and bool((one - usual).abs().max() <= close) for one in found)


def product(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """rows (..., i) by weight (o, i), laid out or not, with the bias (o): (..., o)."""
    import torch

    return torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")


def laid_out(weight: torch.Tensor) -> torch.Tensor:
    """A copy of a weight (o, i) as the product wants it for few rows."""
    import torch

    return torch.ops.mkldnn._reorder_linear_weight(weight.detach(), FEW_ROWS // 4)


@functools.cache
def _linear_class(keeps: bool) -> Any:
    """keeps: whether copies of the weights are kept as they are laid out."""
    import torch

    multiply, usual = torch.ops.mkldnn._linear_pointwise.default, torch.nn.functional.linear

    class QuickLinear(torch.nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:
            weight, numbers = self.weight, input.numel()
            if torch.is_grad_enabled() or input.dtype != torch.float32 or not numbers:
                return usual(input, weight, self.bias)
            if keeps and numbers <= FEW_ROWS * self.in_features and not weight.is_inference():
                # The version counts changes in place, but for those by way of `data`: then `forget` is to be called.
                stamp = weight.data_ptr(), weight._version
                found = _KEPT.get(self)
                if found is None or found[0] != stamp:
                    found = _KEPT[self] = stamp, laid_out(weight)
                return multiply(input, found[1], self.bias, "none", [], "")
            if numbers < LEAST_ROWS * self.in_features:
                return usual(input, weight, self.bias)
            return multiply(input, weight, self.bias, "none", [], "")

    return QuickLinear
