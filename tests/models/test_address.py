"""Addresses: each scheme opens its back end, foreign options are refused, wrong addresses get a guess."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from doxa.models import load
from doxa.models.address import APPLIES, SCHEMES, parse
from doxa.models.base import Model, Price
from doxa.models.recorded import Recorded
from doxa.models.simulated import Respondent
from doxa.records import DoxaError


class Seen(Model):
    """Stands in for a back end and keeps what it was opened with."""

    def __init__(self, *given, **options) -> None:
        self.given, self.options = given, options


@pytest.fixture
def back_ends(monkeypatch):
    """The back ends that need more than this part, replaced by `Seen`."""
    for module, name in (
        ("doxa.models.local", "LocalModel"),
        ("doxa.models.endpoint", "Endpoint"),
        ("doxa.organisms", "open_organism"),
    ):
        stand_in = ModuleType(module)
        setattr(stand_in, name, Seen)
        monkeypatch.setitem(sys.modules, module, stand_in)


def test_every_scheme_has_its_options_and_its_help():
    assert set(SCHEMES) == set(APPLIES)
    assert all(line.startswith(f"{scheme}:") for scheme, line in SCHEMES.items())


def test_hf_passes_only_what_was_given(back_ends):
    plain = load("hf:./model")
    assert (plain.given, plain.options) == (("./model",), {"address": "hf:./model"})
    full = load("hf:org/name", device="cpu", dtype="float32", revision="abc", adapter="./lora", trust_remote_code=True)
    assert full.options == {
        "address": "hf:org/name",
        "device": "cpu",
        "dtype": "float32",
        "revision": "abc",
        "adapter": "./lora",
        "trust_remote_code": True,
    }


def test_organism_and_endpoint(back_ends):
    organism = load("organism:atlas", device="cpu")
    assert (organism.given, organism.options) == (("atlas",), {"device": "cpu"})
    price = Price(1.0, 2.0)
    endpoint = load("endpoint:org/model:free", base_url="http://localhost:8000/v1", price=price, concurrency=8)
    assert endpoint.given == ("org/model:free",)
    assert endpoint.options == {"base_url": "http://localhost:8000/v1", "price": price, "concurrency": 8}


def test_recorded_and_simulated(tmp_path):
    file = tmp_path / "replies.jsonl"
    file.write_text('{"qid": "a", "text": "B"}\n')
    recorded = load(f"recorded:{file}", columns={"item": "qid"})
    assert isinstance(recorded, Recorded) and recorded.address == f"recorded:{file}"
    simulated = load("simulated:overconfident?slope=2")
    assert isinstance(simulated, Respondent) and simulated.address == "simulated:overconfident?slope=2"


@pytest.mark.parametrize(
    ("address", "options", "complaint"),
    [
        (
            "endpoint:gpt-4.1",
            {"device": "cuda"},
            r"device does not apply to 'endpoint:gpt-4.1': it goes with hf:, organism:",
        ),
        ("hf:./model", {"base_url": "http://localhost"}, "base_url does not apply.*it goes with endpoint:"),
        ("simulated:random", {"columns": {"item": "id"}}, r"columns does not apply.*NAME\?param=value"),
        ("organism:atlas", {"trust_remote_code": True}, "trust_remote_code does not apply"),
        ("recorded:x.csv", {"concurrency": 3}, "concurrency does not apply"),
    ],
)
def test_options_of_another_scheme_are_refused(address, options, complaint):
    with pytest.raises(DoxaError, match=complaint):
        load(address, **options)


@pytest.mark.parametrize(
    ("address", "guess"),
    [
        ("./model", "hf:./model"),
        ("meta-llama/Llama-3.2-1B", "hf:meta-llama/Llama-3.2-1B"),
        ("C:\\models\\mine", "hf:C:\\models\\mine"),
        ("HF:./model", "hf:./model"),
        ("simulted:random", "simulated:random"),
        ("endpoints:gpt-4.1", "endpoint:gpt-4.1"),
        ("answers.jsonl", "recorded:answers.jsonl"),
        ("runs/answers.parquet", "recorded:runs/answers.parquet"),
        ("overconfident?slope=2", "simulated:overconfident?slope=2"),
        ("atlas", "organism:atlas"),
        ("https://host/v1", "endpoint:MODEL with base_url='https://host/v1'"),
        ("gpt-4.1", "hf:gpt-4.1 or endpoint:gpt-4.1"),
    ],
)
def test_a_wrong_address_lists_the_schemes_and_guesses(address, guess):
    with pytest.raises(DoxaError) as error:
        load(address)
    assert f"Did you mean {guess}?" in str(error.value)
    assert all(line in str(error.value) for line in SCHEMES.values())


@pytest.mark.parametrize("address", ["", "hf:", "simulated: "])
def test_an_address_that_names_nothing(address):
    with pytest.raises(DoxaError, match=r"names no model|does not say what kind"):
        parse(address)


def test_loading_a_simulated_respondent_imports_nothing_heavy():
    heavy = "{'torch', 'transformers', 'scipy', 'sklearn', 'polars', 'pyarrow', 'duckdb', 'aiohttp', 'altair'}"
    code = f"import sys; from doxa.models import load; load('simulated:random'); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
