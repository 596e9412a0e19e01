"""From an address to a model: hf:, organism:, endpoint:, recorded:, simulated:; back ends are imported on demand."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from doxa.models.base import Model, Price
from doxa.records import DoxaError

SCHEMES: dict[str, str] = {
    "hf": "hf:ID-or-path          a Transformers model, from a folder or the hub, e.g. hf:./my-model",
    "organism": "organism:NAME          a small model with planted beliefs, e.g. organism:atlas",
    "endpoint": "endpoint:MODEL         an OpenAI-compatible server, e.g. endpoint:gpt-4.1 (base_url says which)",
    "recorded": "recorded:FILE          answers recorded earlier: .jsonl, .csv, .parquet",
    "simulated": "simulated:NAME?x=1     a respondent with declared parameters, e.g. simulated:calibrated?ability=.7",
}

# Which options go with which scheme; anything else is refused, because an ignored option is a wrong result.
APPLIES: dict[str, tuple[str, ...]] = {
    "hf": ("device", "dtype", "revision", "adapter", "chat_template", "trust_remote_code", "allow_pickle"),
    "organism": ("device", "dtype"),
    "endpoint": ("base_url", "api_key_env", "price", "concurrency"),
    "recorded": ("columns", "encoding"),
    "simulated": (),
}


def load(
    address: str,
    *,
    base_url: str | None = None,
    api_key_env: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    revision: str | None = None,
    adapter: str | None = None,
    chat_template: str | None = None,
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    price: Price | None = None,
    concurrency: int | None = None,
) -> Model:
    """The model at an address.

    address            "SCHEME:REST", see `SCHEMES`
    base_url           endpoint: where the server is, usually ending in /v1
    api_key_env        endpoint: the environment variable that holds the key
    device, dtype      hf, organism: e.g. "cuda", "float32"
    revision, adapter  hf: a hub commit or branch; a PEFT adapter's folder
    chat_template      hf: "auto" or "none"
    trust_remote_code  hf: run code that comes with the model
    allow_pickle       hf: load weights that are no safetensors
    columns, encoding  recorded: our column names to the file's; the file's encoding, e.g. "cp1252"
    price              endpoint: money per million tokens
    concurrency        endpoint: requests in flight
    raises             DoxaError: unknown scheme, nothing after the colon, or an option that does not apply
    """
    given = {
        "base_url": base_url,
        "api_key_env": api_key_env,
        "device": device,
        "dtype": dtype,
        "revision": revision,
        "adapter": adapter,
        "chat_template": chat_template,
        "trust_remote_code": trust_remote_code or None,
        "allow_pickle": allow_pickle or None,
        "columns": columns,
        "encoding": encoding,
        "price": price,
        "concurrency": concurrency,
    }
    scheme, rest = parse(address)
    options = {name: value for name, value in given.items() if value is not None}
    _refuse_foreign(address, scheme, options)
    return OPEN[scheme](rest, address, options)


def parse(address: str) -> tuple[str, str]:
    """(scheme, rest) of an address; DoxaError lists the schemes and the nearest guess when there is none."""
    scheme, colon, rest = address.strip().partition(":")
    if not colon or scheme not in SCHEMES:
        raise DoxaError(_unknown(address.strip(), scheme if colon else "", rest))
    if not rest.strip():
        raise DoxaError(f"{address!r} names no model after the colon.\n  {SCHEMES[scheme]}")
    return scheme, rest.strip()


def _refuse_foreign(address: str, scheme: str, options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in APPLIES[scheme]:
            where = ", ".join(f"{s}:" for s, names in APPLIES.items() if name in names)
            takes = ", ".join(APPLIES[scheme]) or "none; its parameters stand in the address: NAME?param=value"
            raise DoxaError(
                f"{name} does not apply to {address!r}: it goes with {where}. Leave it out. "
                f"Options of {scheme}: {takes}"
            )


def _unknown(address: str, scheme: str, rest: str) -> str:
    what = f"{address!r} starts with {scheme + ':'!r}, which is no kind of model" if scheme else ""
    guesses = _guesses(address, scheme, rest)
    hint = f" Did you mean {' or '.join(guesses)}?" if guesses else ""
    listing = "\n".join(f"  {line}" for line in SCHEMES.values())
    return f"{what or f'{address!r} does not say what kind of model it is'}.{hint} An address is one of\n{listing}"


def _guesses(address: str, scheme: str, rest: str) -> list[str]:
    """What the user may have meant, likeliest first."""
    from doxa.models import recorded_files, simulated

    near = difflib.get_close_matches(scheme.lower(), SCHEMES, 1, cutoff=0.6) if scheme else []
    if near and rest:
        return [f"{near[0]}:{rest}"]
    if scheme in ("http", "https"):
        return [f"endpoint:MODEL with base_url={address!r}"]
    if not address:
        return []
    if Path(address).suffix.lower() in recorded_files.SUFFIXES:
        return [f"recorded:{address}"]
    if Path(address).is_dir() or "/" in address or "\\" in address:
        return [f"hf:{address}"]
    name = address.partition("?")[0]
    close = difflib.get_close_matches(name, simulated.names(), 1, cutoff=0.8)
    if close:
        return [f"simulated:{close[0]}{address[len(name) :]}"]
    return ["organism:atlas"] if address == "atlas" else [f"hf:{address}", f"endpoint:{address}"]


def _hf(rest: str, address: str, options: dict[str, Any]) -> Model:
    local: Any = importlib.import_module("doxa.models.local")
    return local.LocalModel(rest, address=address, **options)


def _organism(rest: str, address: str, options: dict[str, Any]) -> Model:
    # By name at call time: organisms stand below models and import them.
    organisms: Any = importlib.import_module("doxa.organisms")
    return organisms.open_organism(rest, **options)


def _endpoint(rest: str, address: str, options: dict[str, Any]) -> Model:
    endpoint: Any = importlib.import_module("doxa.models.endpoint")
    return endpoint.Endpoint(rest, **options)


def _recorded(rest: str, address: str, options: dict[str, Any]) -> Model:
    from doxa.models.recorded import Recorded

    return Recorded(Path(rest), address=address, **options)


def _simulated(rest: str, address: str, options: dict[str, Any]) -> Model:
    from doxa.models.simulated import respondent

    return respondent(rest)


OPEN: dict[str, Callable[[str, str, dict[str, Any]], Model]] = {
    "hf": _hf,
    "organism": _organism,
    "endpoint": _endpoint,
    "recorded": _recorded,
    "simulated": _simulated,
}
