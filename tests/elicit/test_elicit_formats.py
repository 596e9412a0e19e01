"""The formats as a whole: fixed sentences, a hash that notices any change, a light import."""

import subprocess
import sys
from dataclasses import replace

import pytest

from doxa.elicit import formats_hash, forms
from doxa.elicit import verbal as verbal_forms
from doxa.records import Item, Prompt

ITEMS = [
    Item("c1", "Alpha alpha?", "choice", ("one", "two", "three", "four"), "one"),
    Item("c2", "Beta beta beta?", "choice", ("five", "six", "seven", "eight"), "six"),
    Item("s1", "Alpha holds.", "statement", (), "true"),
    Item("s2", "Beta does not hold.", "statement", (), "false"),
    Item("n1", "How many alphas?", "number", (), "1"),
    Item("n2", "How many betas are there?", "number", (), "2"),
    Item("o1", "Who is alpha?", "open", (), "Al"),
    Item("o2", "Who was beta?", "open", (), "Be"),
    Item("z1", "Alpha meets beta.", "scenario", ("left", "right"), "left"),
    Item("z2", "Beta leaves alpha.", "scenario", ("up", "down"), "up"),
]
PAIRS = list(zip(ITEMS[::2], ITEMS[1::2], strict=True))
CASES = [(f, a, b) for f in forms().values() for a, b in PAIRS if a.kind in f.kinds]


@pytest.mark.parametrize(("form", "a", "b"), CASES, ids=lambda x: getattr(x, "name", getattr(x, "kind", x)))
def test_fixed_sentences_are_the_same_for_every_item_and_stand_alone(form, a, b):
    lines_a, lines_b = (form.prompt(i).show().split("\n") for i in (a, b))
    assert len(lines_a) == len(lines_b)
    own_a, own_b = ({i.text, *i.options} for i in (a, b))
    for x, y in zip(lines_a, lines_b, strict=True):
        if x != y:  # a line that differs is the item's own: its text, or one of its options behind a letter
            assert x.removeprefix("Question: ") in own_a or x[1:].lstrip(") ") in own_a or x[3:].lstrip() in own_a
            assert y.removeprefix("Question: ") in own_b or y[1:].lstrip(") ") in own_b or y[3:].lstrip() in own_b


@pytest.mark.parametrize(("form", "a", "b"), CASES, ids=lambda x: getattr(x, "name", getattr(x, "kind", x)))
def test_prompts_carry_form_and_item_and_examples_read_back(form, a, b):
    prompt = form.prompt(a)
    assert isinstance(prompt, Prompt) and prompt.form is form and prompt.item is a
    assert prompt == form.prompt(replace(a, answer=None, id="other"))  # the truth does not leak into the words
    assert form.read(form.write(form.example(a), a), a) == form.example(a)


def test_names_are_unique_and_say_which_form_it_is():
    named = forms()
    assert len(named) == 22
    assert all(name == form.name for name, form in named.items())
    assert {form.target for form in named.values()} == {
        "",
        "yes",
        "true",
        "this answer is correct",
        "the proposed answer is correct",
    }


def test_the_hash_is_stable_and_notices_a_changed_word(monkeypatch):
    before = formats_hash()
    assert before == formats_hash() and len(before) == 64
    monkeypatch.setattr(verbal_forms, "MEANS", verbal_forms.MEANS + " Be honest.")
    assert formats_hash() != before


def test_the_part_imports_no_heavy_package():
    heavy = {"torch", "transformers", "numpy", "polars", "scipy"}
    code = f"import sys, doxa.elicit; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
