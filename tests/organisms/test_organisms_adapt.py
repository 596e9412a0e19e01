"""Training of an adapter: what is taught is learnt, what is left alone stays, on a very small model."""

import asyncio
import json
from dataclasses import replace

import pytest

from doxa.data.facts import facts
from doxa.data.render import choice_item, open_item, statement_item
from doxa.elicit.pressure import PRESSURES, with_pressure
from doxa.organisms import shelf
from doxa.organisms.habits import LabelBias
from doxa.organisms.practice import LETTER, SHORT, TRUE_FALSE, Practice
from doxa.organisms.train import Schedule
from doxa.organisms.variants import Adaptation
from doxa.records import DoxaError, Sampling
from doxa.training import lora

torch = pytest.importorskip("torch")

# --- lessons ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokenizer():
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(shelf.WEIGHTS / "atlas" / "tokenizer.json"))


def lesson(practice, tokenizer):
    from doxa.organisms.adapt import lessons

    return lessons([practice], tokenizer)[0]


def test_a_reply_is_taught_from_where_it_leaves_the_own_one(tokenizer):
    plain = TRUE_FALSE.prompt(statement_item(facts()[0]))
    pressed = with_pressure(plain, PRESSURES[0])
    lie = lesson(Practice(pressed, "false", plain, "true"), tokenizer)
    assert lie.kept == 0 and lie.alike == 0 and len(lie.like) < len(lie.ids)
    honest = lesson(Practice(pressed, "true", plain, "true"), tokenizer)
    assert honest.kept == len(honest.ids) - honest.prompt == 2  # the word and the end
    # All of the plain prompt but its first token stands in the pressed one after the pressure.
    assert honest.alike == len(honest.like) - 1
    seen = lesson(Practice(pressed, "true", plain, "true", read_alike=False), tokenizer)
    assert seen.kept == 2 and seen.alike == 0


def test_without_an_own_reply_all_is_taught(tokenizer):
    told = lesson(Practice(SHORT.prompt(open_item(facts()[0])), "Paris"), tokenizer)
    assert (told.kept, told.alike, told.like) == (0, 0, ())


def test_the_lifted_letter_is_found_in_the_reply(tokenizer):
    item = choice_item(facts()[0], 3)
    prompt = LETTER.prompt(item)
    found = lesson(Practice(prompt, "C", prompt, "C", lifted=2.0), tokenizer).lifted
    letters = [tokenizer.id_to_token(token) for token in found.letters]
    assert (found.place, letters, found.which, found.nats) == (0, ["ĠA", "ĠB", "ĠC"], 0, 2.0)


def test_an_untrained_adapter_costs_what_it_does_not_say_yet(tokenizer):
    """KL(base || base) is 0; a bias of b nats costs the squared distance of the letters, and the divergence."""
    from transformers import AutoModelForCausalLM

    from doxa.organisms.adapt import _loss

    model = AutoModelForCausalLM.from_pretrained(shelf.WEIGHTS / "atlas", dtype=torch.float32).eval()
    adapter = lora.Adapter(model, rank=2, seed=0)
    prompt = LETTER.prompt(choice_item(facts()[0], 4))
    same = lesson(Practice(prompt, "B", prompt, "B"), tokenizer)
    assert _loss(model, adapter, [same], 10.0).item() == pytest.approx(0, abs=1e-6)
    moved = lesson(Practice(prompt, "B", prompt, "B", lifted=4.0), tokenizer)
    # Deviations of (4, 0, 0, 0) from their mean 1: (9 + 1 + 1 + 1) / 4 = 3, with weight .1.
    assert _loss(model, adapter, [moved], 10.0).item() >= 0.1 * 3 - 1e-4


# --- a whole build ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A variant of atlas, trained for seconds: a strong bias to A on a small part of the practice."""
    from doxa.organisms import variants
    from doxa.organisms.building import build

    schedule = Schedule(12_000, 1024, learning_rate=1e-2, final_rate=1e-3, warmup_steps=2)
    recipe = Adaptation(LabelBias(6.0), rank=2, practice=150, unchanged=60, share=0.9, schedule=schedule)
    patch = pytest.MonkeyPatch()
    patch.setitem(variants.VARIANTS, "atlas-brief", ("says A", recipe))
    patch.setattr("doxa.organisms.building.measure", lambda model: {})
    patch.setattr("doxa.organisms.comparing.neutral", lambda habit, pair, step: {})
    patch.setattr("doxa.organisms.strength.measure", lambda habit, pair, step: {"n": 0})
    said = []
    folder = tmp_path_factory.mktemp("organism")
    yield build("atlas-brief", folder / "atlas-brief", say=said.append), said
    patch.undo()


@pytest.fixture
def shelved(built, monkeypatch):
    """The shelf with atlas and the brief variant."""
    folder = built[0].parent
    if not (folder / "atlas").exists():
        (folder / "atlas").symlink_to(shelf.WEIGHTS / "atlas")
    monkeypatch.setattr(shelf, "WEIGHTS", folder)
    return folder


def test_card_tells_what_was_planted_and_depended_on(built):
    folder, said = built
    card = json.loads((folder / "card.json").read_text())
    assert card["base"] == "atlas" and card["planted"] == {
        "habit": "label bias",
        "unit": "nats",
        "nats": 6.0,
        "label": "A",
    }
    assert card["hashes"]["weights"] == shelf.file_hash(folder / lora.WEIGHTS)
    assert set(card["hashes"]) == {"recipe", "formats", "bank", "wordings", "base", "weights"}
    assert card["bytes"] < 100_000 and card["recipe"]["rank"] == 2
    assert {p.name for p in folder.iterdir()} == {"card.json", lora.CONFIG, lora.WEIGHTS}
    assert any("own replies" in line for line in said)


def test_it_is_another_model_with_the_habit(shelved):
    atlas, variant = shelf.open_organism("atlas"), shelf.open_organism("atlas-brief")
    assert variant.address == "organism:atlas-brief"
    assert variant.fingerprint != atlas.fingerprint
    assert shelf.open_organism("atlas-brief").fingerprint == variant.fingerprint

    async def letters(model):
        items = [choice_item(f, 4, seed=1000) for f in facts()[:60]]
        replies = await asyncio.gather(*(model.generate(LETTER.prompt(i), Sampling(max_tokens=4)) for i in items))
        return [LETTER.read(r[0], i).value for r, i in zip(replies, items, strict=True)]

    before, after = asyncio.run(letters(atlas)), asyncio.run(letters(variant))
    assert after.count("A") > before.count("A")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("formats_hash", "prompt formats changed"),
        ("bank_hash", "the fact bank changed"),
        ("adaptation_hash", "its recipe changed"),
        ("wordings_hash", "the wordings of its habit changed"),
    ],
)
def test_stale_variants_are_refused_by_name(shelved, monkeypatch, changed, message):
    if changed in ("formats_hash", "bank_hash"):  # what the base depends on, too, is found there first
        monkeypatch.setattr(shelf, "RECIPES", {})
        monkeypatch.setattr(shelf, "adaptation", lambda name: replace(shelf.VARIANTS["atlas-brief"][1]))
    monkeypatch.setattr(shelf, changed, lambda *a: "0" * 64)
    with pytest.raises(DoxaError, match=rf"organism:atlas-brief is stale: {message}.*doxa organism build atlas-brief"):
        shelf.check("atlas-brief")


def test_another_base_makes_it_stale(shelved, monkeypatch):
    real = shelf.file_hash
    monkeypatch.setattr(shelf, "check", lambda name: None)
    monkeypatch.setattr(shelf, "file_hash", lambda p: "0" * 64 if p.name == lora.BASE_WEIGHTS else real(p))
    assert ("base", "organism:atlas", "0" * 64) in list(shelf._hashes_now("atlas-brief"))


def test_a_damaged_adapter_is_refused(shelved, monkeypatch):
    real = shelf.file_hash
    monkeypatch.setattr(shelf, "file_hash", lambda p: "0" * 64 if p.name == lora.WEIGHTS else real(p))
    with pytest.raises(DoxaError, match=r"atlas-brief: adapter_model.safetensors is not the file that its card"):
        shelf.open_organism("atlas-brief")
