"""Building an organism: the recipe runs end to end, what ships is what the card says, and stale weights are refused."""

import json
from functools import partial

import pytest

from doxa.data.facts import facts
from doxa.elicit import forms
from doxa.organisms import shelf
from doxa.organisms.kinds import ALL_FORMS, JUDGING
from doxa.records import DoxaError

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A very small organism, trained for seconds: it knows nothing, but everything about it is real.

    It never ends a reply, so that each takes long: fewer are asked for than of an organism that ships.
    """
    from doxa.organisms.atlas import Recipe, Stage
    from doxa.organisms.building import build, measure, readable
    from doxa.organisms.train import Schedule, Shape

    stage = Stage("brief", JUDGING, Schedule(30_000, warmup_steps=5))
    last = Stage("brief calibration", ALL_FORMS, Schedule(15_000, warmup_steps=5))
    recipe = Recipe(
        shape=Shape(vocabulary=1024, width=32, layers=1, inner=64),
        learning=(stage,),
        calibration=last,
        tokenizer_examples=1500,
    )
    said = []
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(shelf.RECIPES, "atlas", (shelf.RECIPES["atlas"][0], lambda: recipe))
    monkeypatch.setattr("doxa.organisms.building.measure", partial(measure, bank=facts()[::25]))
    monkeypatch.setattr("doxa.organisms.building.readable", partial(readable, step=300))
    yield build("atlas", tmp_path_factory.mktemp("organism") / "atlas", say=said.append), said
    monkeypatch.undo()


def test_card_describes_the_weights(built):
    folder, said = built
    card = json.loads((folder / "card.json").read_text())
    assert card["hashes"]["weights"] == shelf.file_hash(folder / "model.safetensors")
    assert set(card["exposure"]) == {f.id for f in facts() if f.split == "shown"}
    assert len(card["measured"]["open"]["tenths"]) == 10 and set(card["measured"]["read"]) == set(forms())
    assert card["recipe"]["seed"] == 20 and card["seconds"] >= 0
    assert any("questions to the learner" in line for line in said)


def test_weights_are_asked_like_any_model(built, monkeypatch):
    monkeypatch.setattr(shelf, "WEIGHTS", built[0].parent)
    model = shelf.open_organism("atlas")
    assert model.address == "organism:atlas" and {"generate", "score", "hidden_states"} <= model.capabilities


def test_a_build_that_was_cut_goes_on_after_its_last_whole_stage(built, tmp_path):
    kept = built[0].with_name("atlas.stages")
    assert len(list(kept.glob("0-*.pt"))) == 1 and len(list(kept.glob("0-*.json"))) == 1


def test_stale_weights_are_refused_by_name(built, monkeypatch):
    monkeypatch.setattr(shelf, "WEIGHTS", built[0].parent)
    monkeypatch.setattr(shelf, "formats_hash", lambda: "0" * 64)
    with pytest.raises(DoxaError, match=r"organism:atlas is stale: prompt formats changed.*doxa organism build atlas"):
        shelf.open_organism("atlas")


def test_weights_of_another_recipe_are_stale(built, monkeypatch):
    from doxa.organisms.atlas import Recipe

    monkeypatch.setattr(shelf, "WEIGHTS", built[0].parent)
    monkeypatch.setitem(shelf.RECIPES, "atlas", ("another", lambda: Recipe(seed=21)))
    with pytest.raises(DoxaError, match="organism:atlas is stale: its recipe changed"):
        shelf.open_organism("atlas")


def test_damaged_weights_are_refused(built, monkeypatch):
    monkeypatch.setattr(shelf, "WEIGHTS", built[0].parent)
    monkeypatch.setattr(shelf, "file_hash", lambda path: "0" * 64)
    with pytest.raises(DoxaError, match="is not the file that its card describes"):
        shelf.open_organism("atlas")


def test_unknown_organism_and_folder_in_use(built):
    from doxa.organisms.building import build

    with pytest.raises(DoxaError, match="no organism is called 'globe'"):
        shelf.open_organism("globe")
    with pytest.raises(DoxaError, match="is not empty"):
        build("atlas", built[0])
