"""A model folder found, checked and loaded: configuration, tokenizer, weights from safetensors, adapter."""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doxa.models.local_identity import CONFIG_FILES, TOKENIZER_FILES, files_hash
from doxa.records import DoxaError

DTYPES = ("auto", "float32", "bfloat16", "float16", "float64")
DEVICES = ("cpu", "cuda", "mps")
# Weights of so many bytes take a while to load: show how far it is.
PROGRESS_FROM = 2**30


@dataclass(frozen=True)
class Folder:
    """A folder with a model's or an adapter's files. commit: of the hub repository it is a copy of."""

    path: Path
    commit: str | None = None

    def weights(self, *, allow_pickle: bool = False) -> list[Path]:
        """The weight files, sorted. DoxaError: none that may be loaded."""
        if found := sorted(self.path.glob("*.safetensors")):
            return found
        pickled = sorted(p for pattern in ("*.bin", "*.pt", "*.pth") for p in self.path.glob(pattern))
        if pickled and allow_pickle:
            return pickled
        if pickled:
            raise DoxaError(
                f"{str(self.path)!r} holds pickled weights only ({pickled[0].name}); a pickle can run code when it is "
                "read. Convert it with save_pretrained, or trust it by name with allow_pickle=True."
            )
        raise DoxaError(f"{str(self.path)!r} holds no weights (*.safetensors); save the model with save_pretrained")

    def identity(self, *, allow_pickle: bool = False) -> dict[str, str]:
        """Hashes of weights (of a hub repository: its commit), configuration and tokenizer files."""
        tokenizer = [self.path / name for name in TOKENIZER_FILES]
        tokenizer += [*self.path.glob("*.model"), *self.path.glob("chat_templates/*")]
        weights = self.weights(allow_pickle=allow_pickle)
        return {
            "weights": f"commit {self.commit}" if self.commit else files_hash(weights),
            "config": files_hash([self.path / name for name in (*CONFIG_FILES, "adapter_config.json")]),
            "tokenizer": files_hash(tokenizer),
        }


def require(packages: Iterable[str], extra: str) -> None:
    """DoxaError when a package is not installed, naming the extra that brings it."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise DoxaError(f"this needs {' and '.join(missing)}, not installed here: pip install 'doxa[{extra}]'")


def find(
    path_or_id: str | Path, *, revision: str | None = None, trust_remote_code: bool = False, allow_pickle: bool = False
) -> Folder:
    """The folder of a local path (never looked up elsewhere) or of a hub id (fetched, or found in the hub's cache).

    DoxaError: no such folder, a file, a revision of a local folder, an id that the hub does not give out.
    """
    path = Path(path_or_id).expanduser()
    if path.is_file():
        raise DoxaError(f"{str(path_or_id)!r} is a file; a model is the folder with config.json and *.safetensors")
    if path.is_dir():
        if revision is not None:
            raise DoxaError(f"revision is {revision!r}, but {str(path_or_id)!r} is a local folder; leave it out")
        return Folder(path)
    name = str(path_or_id)
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name or isinstance(path_or_id, Path):
        raise DoxaError(f"there is no folder {name!r} (looked in {str(Path.cwd())!r}); check the path")
    return _from_hub(name, revision, trust_remote_code=trust_remote_code, allow_pickle=allow_pickle)


def _from_hub(name: str, revision: str | None, *, trust_remote_code: bool, allow_pickle: bool) -> Folder:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors"]
    wanted += (["*.py"] if trust_remote_code else []) + (["*.bin"] if allow_pickle else [])
    # Folders inside hold other formats of the same weights; "consolidated" files are a second copy of them.
    unwanted = ["*/*", "consolidated*"]
    try:
        path = snapshot_download(name, revision=revision, allow_patterns=wanted, ignore_patterns=unwanted)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DoxaError(
            f"there is no folder {name!r} here, and the hub does not give it out: {reason} "
            "For a folder write its path (./NAME); for a hub id check spelling, revision, network and access."
        ) from error
    return Folder(Path(path), commit=Path(path).name)


def load_config(folder: Folder, *, trust_remote_code: bool = False) -> Any:
    """The model's configuration. DoxaError: none there, or not that of a causal language model."""
    from transformers import AutoConfig

    if not (folder.path / "config.json").is_file():
        if (folder.path / "adapter_config.json").is_file():
            raise DoxaError(
                f"{str(folder.path)!r} is an adapter: load its base model with adapter={str(folder.path)!r}"
            )
        raise DoxaError(f"{str(folder.path)!r} is not a model folder: it has no config.json")
    try:
        config = AutoConfig.from_pretrained(folder.path, trust_remote_code=trust_remote_code, local_files_only=True)
    except Exception as error:
        raise DoxaError(f"{str(folder.path)!r}: its config.json cannot be used: {error}") from error
    _check_causal(config, folder)
    return config


def _check_causal(config: Any, folder: Folder) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as by_type

    if "AutoModelForCausalLM" in (getattr(config, "auto_map", None) or {}):
        return
    types: dict[str, Any] = dict(by_type)
    known = {n for names in types.values() for n in ((names,) if isinstance(names, str) else names)}
    architectures = config.architectures or []
    causal = any(a in known for a in architectures) if architectures else config.model_type in types
    if config.is_encoder_decoder or not causal:
        what = ", ".join(architectures) or f"model type {config.model_type!r}"
        raise DoxaError(
            f"{str(folder.path)!r} is {what}, not a causal language model: it cannot continue a text. "
            "Use a decoder (…ForCausalLM)."
        )


def load_tokenizer(folder: Folder, *, trust_remote_code: bool = False) -> Any:
    """The model's tokenizer. DoxaError: none that can be loaded."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder.path, trust_remote_code=trust_remote_code, local_files_only=True)
    except Exception as error:
        raise DoxaError(
            f"{str(folder.path)!r} has no tokenizer that can be loaded: {error} Save one there with save_pretrained."
        ) from error


def load_weights(
    folder: Folder, config: Any, *, dtype: str, trust_remote_code: bool = False, allow_pickle: bool = False
) -> Any:
    """The network, on CPU, in evaluation mode.

    dtype  "auto": as stored. DoxaError: an unknown dtype, weights that cannot be read or are not all there.
    """
    import torch
    from transformers import AutoModelForCausalLM

    if dtype not in DTYPES:
        raise DoxaError(f"dtype is {dtype!r}; it is one of {', '.join(DTYPES)}")
    size = sum(file.stat().st_size for file in folder.weights(allow_pickle=allow_pickle))
    try:
        with _no_progress_bar() if size < PROGRESS_FROM else contextlib.nullcontext():
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder.path,
                config=config,
                dtype="auto" if dtype == "auto" else getattr(torch, dtype),
                use_safetensors=None if allow_pickle else True,
                trust_remote_code=trust_remote_code,
                local_files_only=True,
                output_loading_info=True,
            )
    except Exception as error:
        raise DoxaError(f"{str(folder.path)!r}: its weights cannot be loaded: {error}") from error
    model, report = loaded
    if missing := sorted(report["missing_keys"]):
        raise DoxaError(
            f"{str(folder.path)!r} lacks {len(missing)} of the network's weights (first: {missing[0]}); "
            "they would be random. Save the whole model, its output head too."
        )
    return model.eval()


@contextlib.contextmanager
def _no_progress_bar() -> Iterator[None]:
    from transformers.utils import logging

    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()


def with_adapter(model: Any, adapter: Folder) -> Any:
    """The model with a PEFT adapter merged into its weights. DoxaError: not an adapter, or one of another model."""
    require(["peft"], "train")
    from peft import PeftModel

    if not (adapter.path / "adapter_config.json").is_file():
        raise DoxaError(f"{str(adapter.path)!r} is not an adapter folder: it has no adapter_config.json")
    adapter.weights()
    try:
        with warnings.catch_warnings():  # peft uses names that Transformers is about to drop
            warnings.simplefilter("ignore", FutureWarning)
            return PeftModel.from_pretrained(model, str(adapter.path)).merge_and_unload().eval()
    except Exception as error:
        raise DoxaError(f"the adapter {str(adapter.path)!r} does not fit this model: {error}") from error


def chosen_device(device: str | None) -> Any:
    """The torch device asked for, or the best there is. DoxaError: unknown, or not there."""
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device is None:
        return torch.device(next(d for d in ("cuda", "mps", "cpu") if there[d]))
    kind = device.partition(":")[0]
    if kind not in there:
        raise DoxaError(f"device is {device!r}; it is one of {', '.join(DEVICES)}")
    if not there[kind]:
        able = ", ".join(d for d in DEVICES if there[d])
        raise DoxaError(f"device is {device!r}, which torch does not find here; there is: {able}")
    return torch.device(device)
