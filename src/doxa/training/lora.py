"""Low-rank adapters in PEFT's format: put beside the linear layers in training, stored, merged into the weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.records import DoxaError

if TYPE_CHECKING:
    import torch

LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
BASE_WEIGHTS = "model.safetensors"
_PREFIX = "base_model.model."
SCALE = 2  # what is added is SCALE * B A, whatever the rank, unless it is said otherwise


class Adapter:
    """Matrices A (rank, in) and B (out, rank) beside each linear layer of these names; B starts at 0: nothing changes.

    The layers' own weights are left alone and need no gradient. Adding stops inside `off()`, and for good after
    `remove()`.

    scale   what is added is scale * B A; layers: the last parts of their names
    raises  DoxaError: the model has no linear layer of these names
    """

    def __init__(
        self, model: torch.nn.Module, rank: int, seed: int, *, scale: float = SCALE, layers: Sequence[str] = LAYERS
    ) -> None:
        import torch

        made = torch.Generator().manual_seed(seed)
        self.rank, self.scale, self.layers, self.on = rank, scale, tuple(layers), True
        self.matrices: dict[str, tuple[torch.nn.Parameter, torch.nn.Parameter]] = {}
        self._hooks = []
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for name, layer in model.named_modules():
            if name.rpartition(".")[2] in layers and isinstance(layer, torch.nn.Linear):
                # Beside weights in half precision what is trained is kept in float32.
                device, kind = layer.weight.device, torch.promote_types(layer.weight.dtype, torch.float32)
                down = torch.randn((rank, layer.in_features), generator=made) / sqrt(layer.in_features)
                up = torch.zeros(layer.out_features, rank, device=device, dtype=kind)
                pair = torch.nn.Parameter(down.to(device, kind)), torch.nn.Parameter(up)
                self.matrices[name] = pair
                self._hooks.append(layer.register_forward_hook(self._adding(*pair)))
        if not self.matrices:
            linear = {n.rpartition(".")[2] for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
            raise DoxaError(
                f"the model has no linear layer called {', '.join(layers)} to put an adapter beside; its linear layers "
                f"are called {', '.join(sorted(linear)) or 'nothing: it has none'}"
            )

    def _adding(self, a: torch.nn.Parameter, b: torch.nn.Parameter) -> Any:
        from torch.nn.functional import linear

        def add(layer: Any, inputs: tuple[Any, ...], output: Any) -> Any:
            return output + linear(linear(inputs[0], a), b) * self.scale if self.on else None

        return add

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        return [matrix for pair in self.matrices.values() for matrix in pair]

    @contextmanager
    def off(self) -> Iterator[None]:
        """The model without the adapter."""
        self.on = False
        try:
            yield
        finally:
            self.on = True

    def load(self, folder: Path) -> None:
        """Go on from a stored adapter. DoxaError: it is for other layers, or of another rank."""
        import torch
        from safetensors.torch import load_file

        stored = load_file(folder / WEIGHTS)
        with torch.no_grad():
            for key, matrix in self._named().items():
                if key not in stored or stored[key].shape != matrix.shape:
                    raise DoxaError(f"{str(folder)!r} has no {key} of shape {tuple(matrix.shape)}; train from nothing")
                matrix.copy_(stored[key])

    def _named(self) -> dict[str, torch.nn.Parameter]:
        """The matrices by PEFT's names."""
        return {
            f"{_PREFIX}{name}.lora_{letter}.weight": matrix
            for name, pair in self.matrices.items()
            for letter, matrix in zip("AB", pair, strict=True)
        }

    def remove(self) -> None:
        """Leave the model as it was before."""
        for hook in self._hooks:
            hook.remove()

    def save(self, folder: Path, *, base: str = "organism:atlas", half: bool = True) -> None:
        """Write the adapter as PEFT reads it, in float16 or float32; base: the model it belongs to, by name."""
        import torch
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        kind = torch.float16 if half else torch.float32
        tensors = {name: matrix.detach().to(kind).cpu().contiguous() for name, matrix in self._named().items()}
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
        settings = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "r": self.rank,
            "lora_alpha": self.scale * self.rank,
            "lora_dropout": 0.0,
            "target_modules": list(self.layers),
            "bias": "none",
            "inference_mode": True,
            "base_model_name_or_path": base,
        }
        (folder / CONFIG).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def beside(model: torch.nn.Module, folder: Path) -> Adapter:
    """A stored adapter put beside the layers of a model. DoxaError: of another kind, or for other layers."""
    settings = _plain_settings(folder)
    scale, layers = settings["lora_alpha"] / settings["r"], settings["target_modules"]
    adapter = Adapter(model, settings["r"], seed=0, scale=scale, layers=layers)
    try:
        adapter.load(folder)
    except DoxaError:
        adapter.remove()
        raise
    return adapter


def _plain_settings(adapter: Path) -> dict[str, Any]:
    settings = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    if settings["peft_type"] != "LORA" or settings.get("use_dora") or settings.get("use_rslora"):
        raise DoxaError(f"{str(adapter)!r} is no plain LoRA adapter; merge it with PEFT")
    return settings


def merged(weights: Path, adapter: Path) -> dict[str, np.ndarray]:
    """The tensors of a model with W + lora_alpha / r * B A in the place of each adapted W, float32.

    weights  a safetensors file; adapter: a PEFT folder
    raises   DoxaError: the adapter is of another kind, or for layers that are not among the weights
    """
    from safetensors.numpy import load_file

    settings = _plain_settings(adapter)
    scale = settings["lora_alpha"] / settings["r"]
    tensors = {name: array.astype(np.float32) for name, array in load_file(weights).items()}
    pairs = load_file(adapter / WEIGHTS)
    for key in pairs:
        name, _, letter = key.removesuffix(".weight").rpartition(".lora_")
        target = f"{name.removeprefix(_PREFIX)}.weight"
        if target not in tensors:
            raise DoxaError(f"{str(adapter)!r} adapts {target}, which the base does not have")
        if letter == "A":
            # In float64, so that the sum, rounded once, is the same on every machine.
            a, b = (pairs[f"{name}.lora_{x}.weight"].astype(np.float64) for x in "AB")
            tensors[target] = (tensors[target] + scale * (b @ a)).astype(np.float32)
    return tensors


def write_merged(base: Path, adapter: Path, out: Path) -> None:
    """Write the base model's folder with the adapter merged into its weights to `out`."""
    from safetensors.numpy import save_file

    out.mkdir(parents=True, exist_ok=True)
    for file in base.iterdir():
        if file.is_file() and file.name not in (BASE_WEIGHTS, "card.json"):
            shutil.copy(file, out / file.name)
    save_file(merged(base / BASE_WEIGHTS, adapter), out / BASE_WEIGHTS, metadata={"format": "pt"})
