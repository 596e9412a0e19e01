"""A head on texts: words that go with being right are found, and nothing in words that do not."""

import math

import numpy as np
import pytest

from doxa.metrics import auroc
from doxa.probes.texts import TextConfidence

pytest.importorskip("sklearn")

RATES = {"apple": 0.05, "pear": 0.35, "plum": 0.65, "fig": 0.95}


def questions(n, seed, rates=RATES):
    rng = np.random.default_rng(seed)
    names = [str(rng.choice(list(rates))) for _ in range(n)]
    texts = [f"Where does the {name} number {rng.integers(50)} grow?" for name in names]
    rate = np.array([rates[name] for name in names])
    return texts, rate, (rng.random(n) < rate).astype(float)


def test_the_word_that_decides_is_found():
    texts, _, right = questions(400, 0)
    new, rate, drawn = questions(1000, 1)
    found = TextConfidence.fit(texts, right).predict(new)
    assert auroc(found, drawn) > auroc(rate, drawn) - 0.03
    for name, planted in RATES.items():
        mean = found[[name in text for text in new]].mean()
        assert mean == pytest.approx(planted, abs=3 * math.sqrt(0.25 / 100) + 0.05)  # 100 texts each, and shrinkage


def test_words_that_decide_nothing():
    same = dict.fromkeys(RATES, 0.5)
    texts, _, right = questions(400, 0, same)
    new, _, drawn = questions(2000, 1, same)
    found = TextConfidence.fit(texts, right).predict(new)
    assert auroc(found, drawn) == pytest.approx(0.5, abs=3 * math.sqrt(2001 / (12 * 1000 * 1000)))


def test_what_is_stored_says_the_same(tmp_path):
    texts, _, right = questions(120, 0)
    made = TextConfidence.fit(texts, right, groups=[text.split()[5] for text in texts])
    made.save(tmp_path)
    again = TextConfidence.load(tmp_path)
    new = [*questions(20, 1)[0], "", "unheard of"]
    assert np.array_equal(again.predict(new), made.predict(new)) and again.settings["l2"] == made.settings["l2"]
    nothing = 1 / (1 + math.exp(-made.bias))
    assert again.predict(["", "unheard words"]) == pytest.approx([nothing] * 2)


def test_what_is_refused():
    texts, _, right = questions(20, 0)
    with pytest.raises(ValueError, match="one class"):
        TextConfidence.fit(texts, np.zeros(20))
    with pytest.raises(ValueError, match="must pair up"):
        TextConfidence.fit(texts[:-1], right)
