"""Lets tests of models import what several of them use: the stub server, the tiny networks."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Gives a tiny network of a kind as a local model."""
    from tiny_networks import loader

    return loader(tmp_path_factory)
