"""Survey prompts: wordings, labels in any order, what is read and written, labels among the top tokens."""

import asyncio

import numpy as np
import pytest
from pytest import approx

from doxa.elicit.answers import Letter
from doxa.elicit.labelled_orders import Asking, Shown, as_shown, drawn, read, rng_of
from doxa.elicit.survey import WORDINGS, SurveyForm, chosen_wordings, completed, filled_in_labels, top_probabilities
from doxa.records import Answer, Item, Reply, Score, Token

PET = Item("pet", "Which pet?", "choice", ("Cat", "Dog", "Eel"), fields={"you": "Your pet?", "survey": "the Panel"})


def test_the_plain_prompt():
    prompt = SurveyForm().prompt(PET)
    assert prompt.text == "Question: Which pet?\nA. Cat\nB. Dog\nC. Eel\nAnswer:"
    assert SurveyForm("letter").prompt(PET).messages == Letter().prompt(PET).messages


@pytest.mark.parametrize("wording", WORDINGS)
def test_every_wording_shows_the_labels_in_their_places(wording):
    form = SurveyForm(wording, "CAB")
    text = form.prompt(PET).show()
    assert [text.index(option) for option in PET.options] == sorted(text.index(option) for option in PET.options)
    for label, option in zip("CAB", PET.options, strict=True):
        assert any(f"{label}{mark} {option}" in text for mark in ".)")
    for place, letter in enumerate("ABC"):
        assert form.write(Answer("ok", letter), PET) == "CAB"[place]
        assert form.read(form.continuation("CAB"[place]), PET).value == letter
    bare = wording in ("chat", "letter")
    assert form.continuation("A") == ("A" if bare else " A")
    assert ("Your pet?" in text) == (wording == "second-person")
    assert text.endswith("(") == (wording == "chat")


def test_what_is_no_label():
    form = SurveyForm(labels="RSN")
    assert form.read("(S)", PET).value == "B" and form.read("R.", PET).value == "A"
    assert [form.read(text, PET).outcome for text in ("A", "RS", "s", "")] == ["unparsed"] * 4
    assert form.read("I do not know.", PET).outcome == "abstained"


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match="wording is 'loud'"):
        SurveyForm("loud")
    with pytest.raises(ValueError, match="different letters"):
        SurveyForm(labels="AA")
    with pytest.raises(ValueError, match="second person"):
        SurveyForm("second-person").prompt(Item("q", "?", "choice", ("a", "b")))
    with pytest.raises(ValueError, match="2 to 2, the labels"):
        SurveyForm(labels="AB").prompt(PET)
    with pytest.raises(ValueError, match="wordings is ''"):
        chosen_wordings("")


@pytest.mark.parametrize("wording", WORDINGS)
def test_earlier_answers_stay_in_view(wording):
    form = SurveyForm(wording)
    home = Item("home", "Which home?", "choice", ("Flat", "Hut"), fields={"you": "Your home?"})
    text = form.after(home, [(PET, "BCA", "C"), (home, "AB", "B")]).show()
    assert text.count("Flat") == 2 and text.index("Eel") < text.index("Flat")
    assert text.endswith(form.prompt(home).show().split("\n\n")[-1])


def test_labels_among_the_top_tokens():
    top = ((" A", np.log(0.6)), ("B", np.log(0.2)), (" The", np.log(0.1)), ("I", np.log(0.04)), ("(A)", np.log(0.02)))
    p, mass = top_probabilities(Reply(" A", tokens=(Token(" A", -0.5, top),)), "ABCD")
    assert p == approx([0.62, 0.2, 0.02, 0.02]) and mass == approx(0.82)
    assert top_probabilities(Reply("A"), "AB") is None
    # Little is left for three unseen labels: (1 - .97) / 3 = .01 is below the smallest of the five, .02.
    assert completed([0.9, 0, 0, 0], [0.9, 0.02, 0.02, 0.02, 0.01])[0] == approx([0.9, 0.01, 0.01, 0.01])
    assert completed([0.5, 0.5], [0.5, 0.5])[0].tolist() == [0.5, 0.5]


def test_shown_and_drawn():
    shown = as_shown(PET, (2, 0, 1))
    assert shown.options == ("Eel", "Cat", "Dog") and shown.fields["order"] == (2, 0, 1)
    assert drawn((), rng_of(1)) is None
    picks = [drawn((0.25, 0.75), rng) for rng in [rng_of("x")] for _ in range(4000)]
    assert np.mean(picks) == approx(0.75, abs=0.021)  # 3 standard errors


def test_labels_that_were_not_seen_share_what_is_left():
    assert filled_in_labels(np.array([0.5, 0.0, 0.0]), 0.1, 0.2).tolist() == [0.5, 0.05, 0.05]
    assert filled_in_labels(np.array([0.5, 0.0]), 0.3, 0.2).tolist() == [0.5, 0.2]
    assert filled_in_labels(np.array([0.6, 0.4]), -1e-9, 0.2).tolist() == [0.6, 0.4]
    assert filled_in_labels(np.array([1.0, 0.0]), -1e-9, 0.2).tolist() == [1.0, 0.0]


def test_half_precision_is_renormalised_in_float64():
    class Half:
        async def score(self, prompt, texts, *, condition):
            logs = np.log(np.array([0.7, 0.2, 0.05])).astype(np.float16)
            return [Score(text, log) for text, log in zip(texts, logs, strict=True)]

    shown = asyncio.run(read(Half(), PET, Shown("own", 0, (0, 1, 2), "ABC"), Asking()))
    assert abs(sum(shown.p) - 1) < 1e-15 and shown.mass == approx(0.95, abs=2e-3)
    assert all(isinstance(p, float) for p in shown.p)
