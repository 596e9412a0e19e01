"""Low-rank adapters in PEFT's format: put beside the linear layers in training, stored, merged into the weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
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
SCALE = 2  # what is added is SCALE * B A, whatever the rank


class Adapter:
    """Matrices A (rank, in) and B (out, rank) beside each linear layer of `LAYERS`; B starts at 0, so nothing changes.

    The layers' own weights are left alone and need no gradient. Adding stops inside `off()`, and for good after
    `remove()`.
    """

    def __init__(self, model: torch.nn.Module, rank: int, seed: int) -> None:
        import torch

        made = torch.Generator().manual_seed(seed)
        self.rank, self.on = rank, True
        self.matrices: dict[str, tuple[torch.nn.Parameter, torch.nn.Parameter]] = {}
        self._hooks = []
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for name, layer in model.named_modules():
            if name.rpartition(".")[2] in LAYERS and isinstance(layer, torch.nn.Linear):
                down = torch.randn((rank, layer.in_features), generator=made) / sqrt(layer.in_features)
                pair = torch.nn.Parameter(down), torch.nn.Parameter(torch.zeros(layer.out_features, rank))
                self.matrices[name] = pair
                self._hooks.append(layer.register_forward_hook(self._adding(*pair)))

    def _adding(self, a: torch.nn.Parameter, b: torch.nn.Parameter) -> Any:
        from torch.nn.functional import linear

        def add(layer: Any, inputs: tuple[Any, ...], output: Any) -> Any:
            return output + linear(linear(inputs[0], a), b) * SCALE if self.on else None

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

    def save(self, folder: Path) -> None:
        """Write the adapter as PEFT reads it, float16."""
        import torch
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: matrix.detach().to(torch.float16).contiguous() for name, matrix in self._named().items()}
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
        settings = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "r": self.rank,
            "lora_alpha": SCALE * self.rank,
            "lora_dropout": 0.0,
            "target_modules": list(LAYERS),
            "bias": "none",
            "inference_mode": True,
            "base_model_name_or_path": "organism:atlas",
        }
        (folder / CONFIG).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def merged(weights: Path, adapter: Path) -> dict[str, np.ndarray]:
    """The tensors of a model with W + lora_alpha / r * B A in the place of each adapted W, float32.

    weights  a safetensors file; adapter: a PEFT folder
    raises   DoxaError: the adapter is of another kind, or for layers that are not among the weights
    """
    from safetensors.numpy import load_file

    settings = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    plain = settings["peft_type"] == "LORA" and not settings.get("use_dora") and not settings.get("use_rslora")
    if not plain:
        raise DoxaError(f"{str(adapter)!r} is no plain LoRA adapter; merge it with PEFT")
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
