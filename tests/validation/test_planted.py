"""The quick subset of `doxa validate`: every study finds what is planted, and nothing where nothing was."""

import pytest

from doxa import studies, validation
from doxa.audit import battery

EVERY = {name: part for name, (part, _) in battery().items()} | {name: studies.load(name) for name in studies.names()}
TRUTHS = {f"{name}: {truth.name}": (study, truth) for name, study in EVERY.items() for truth in study.planted}


@pytest.mark.parametrize("name", [name for name, (_, truth) in TRUTHS.items() if truth.quick])
def test_what_is_planted_is_found(name):
    study, truth = TRUTHS[name]
    found = validation.recover(study, truth)
    assert not [r.row() for r in found if not (r.recovered and r.null_clean)]
    assert any(r.telling for r in found), "planted and null are too near each other for this truth to prove anything"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (_, truth) in TRUTHS.items() if not truth.quick])
def test_what_takes_longer_is_found_too(name):
    test_what_is_planted_is_found(name)


@pytest.mark.parametrize("name", EVERY)
def test_every_study_says_what_can_be_planted(name):
    truths = EVERY[name].planted
    assert truths and any(t.quick for t in truths) and any(len(t.grid) >= 3 for t in truths)
    assert len({t.name for t in truths}) == len(truths)
