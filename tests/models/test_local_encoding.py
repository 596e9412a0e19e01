"""Long texts encoded in pieces: the same tokens, and not where a tokenizer does not allow it."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doxa.models import local_encoding
from doxa.models.local_encoding import PIECE, Encoder, parts, pieces

transformers = pytest.importorskip("transformers")

SAID = "the capital of france is paris, and 3.5 of them; it's what she said: is iron a metal? yes! co2 x=1"
WORDS = [*SAID.split(), "\n\n", "", "-", "a"]


def make_tokenizer(kind="bytes", words=WORDS):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    special = ["<s>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    backend.decoder = decoders.ByteLevel()
    if kind == "bytes":
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    elif kind == "words":  # a mark for the space, put before the text too
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    elif kind == "phrases":  # tokens reach across spaces
        backend.normalizer = normalizers.Replace(" ", "\u2581")
    elif kind == "unigram":
        backend = Tokenizer(models.Unigram())
        backend.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
        )
    backend.train_from_iterator([" ".join(words)] * 50, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")


def whole(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.fixture(scope="module", params=["bytes", "words"])
def tokenizer(request):
    return make_tokenizer(request.param)


texts = st.lists(st.sampled_from([*WORDS, "", "é", "\u2581", "<s>", "Ünï", "...", "\t"]), min_size=1, max_size=400).map(
    " ".join
)


@given(texts)
def test_tokens_are_those_of_the_whole_text(tokenizer, text):
    encoder = Encoder(tokenizer)
    encoder._compared = local_encoding.COMPARED  # no second look
    for said in (text, " " + text, text + " yes"):
        assert encoder.encode([said, "yes"]) == [whole(tokenizer, said), whole(tokenizer, "yes")]
    if len(text) >= 2 * PIECE:
        assert encoder._in_pieces


@given(texts)
def test_pieces_make_the_text_and_texts_that_begin_alike_are_cut_alike(text):
    found = list(pieces(text))
    assert "".join(found) == text
    assert all(len(piece) >= PIECE and re.match(" [A-Za-z]", after) for piece, after in itertools.pairwise(found))
    longer = list(pieces(text + " and so on"))
    assert longer[: len(found) - 1] == found[:-1]


def test_a_beginning_that_recurs_is_encoded_once(monkeypatch):
    tokenizer = make_tokenizer()
    encoder = Encoder(tokenizer)
    encoder._compared = local_encoding.COMPARED
    beginning = "the capital of france is paris " * 100
    encoder.encode([beginning])
    encoded = []
    plain = encoder._whole
    monkeypatch.setattr(encoder, "_whole", lambda texts: encoded.extend(texts) or plain(texts))
    found = encoder.encode([beginning + "yes", beginning + "no"])
    assert found == [whole(tokenizer, beginning + "yes"), whole(tokenizer, beginning + "no")]
    assert sum(map(len, encoded)) < 4 * PIECE


@pytest.mark.parametrize("kind", ["phrases", "unigram"])
def test_a_tokenizer_whose_tokens_may_reach_across_is_asked_for_the_whole(kind):
    tokenizer = make_tokenizer(kind)
    assert not parts(tokenizer)
    encoder, text = Encoder(tokenizer), "the capital of france is paris " * 40
    assert encoder.encode([text]) == [whole(tokenizer, text)] and encoder._in_pieces is False


@pytest.mark.parametrize(
    ("token", "fine"),
    [
        ({"content": "<x>", "rstrip": True}, True),  # no piece ends in ">"
        ({"content": "end", "rstrip": True}, False),
        ({"content": "<x>", "lstrip": True}, True),
        ({"content": "begin", "lstrip": True}, False),
        ({"content": "two words"}, False),
    ],
)
def test_added_tokens_that_reach_across_a_space(token, fine):
    from tokenizers import AddedToken

    tokenizer = make_tokenizer()
    tokenizer.add_tokens([AddedToken(**token)])
    assert parts(tokenizer) == fine
    encoder = Encoder(tokenizer)
    for text in (f"the capital {token['content']} of france is paris " * 30, "the capital of france " * 40):
        assert encoder.encode([text]) == [whole(tokenizer, text)]


def test_a_difference_that_was_not_foreseen_ends_the_use_of_pieces(monkeypatch):
    tokenizer = make_tokenizer()
    encoder = Encoder(tokenizer)
    encoder.encode(["the capital of france is paris " * 40])
    assert encoder._in_pieces
    monkeypatch.setattr(encoder, "_joined", lambda texts: [[1]] * len(texts))
    text = "is iron a metal? " * 60
    assert encoder.encode([text]) == [whole(tokenizer, text)]
    assert encoder._in_pieces is False
