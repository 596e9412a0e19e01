"""Prompts to tokens and back: templates, special tokens that come once, the seam, stop strings. No network."""

import pytest

from doxa.models.local_generation import Stops
from doxa.models.local_text import Tokenization
from doxa.records import DoxaError, Message, Prompt

transformers = pytest.importorskip("transformers")

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system message') }}{% endif %}" + TEMPLATE
DROPS_SYSTEM = TEMPLATE.replace("in messages", "in messages if m.role != 'system'")


def byte_level(template=None, *, ends=False):
    """A byte-level tokenizer whose text "ab" is one token; it begins texts with <s>, and may end them with </s>."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=259, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(["ab ab ab"], trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>" if ends else "<s> $A", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return wrapped(backend, template)


def with_spaces(template=None):
    """A tokenizer that puts a space before a text and takes it off when it decodes, as SentencePiece models do."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    words = ["<s>", "</s>", "<unk>", "▁yes", "▁no", "yes", "a", "▁a"]
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    return wrapped(backend, template)


def wrapped(backend, template):
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = template
    return tokenizer


def pieces(text, ids):
    return [text.piece(i) for i in ids]


# --- prompts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [False, True])
def test_special_tokens_at_the_beginning_come_once(ends):
    text = Tokenization(byte_level(TEMPLATE, ends=ends))
    chat = Prompt.user("hi", system="be brief")
    for prompt in (chat, Prompt(text="hi"), Prompt(text="<s>hi"), Prompt(text=text.render(chat).text)):
        ids = text.prompt(prompt)
        assert ids[0] == 0 and ids.count(0) == 1
        assert 1 not in ids[-1:], "no end of text after a prompt"


def test_the_chat_template_is_used_as_transformers_uses_it():
    tokenizer = byte_level(TEMPLATE)
    prompt = Prompt.user("hi", system="be brief").then("yes?", "go on")
    messages = [{"role": m.role, "content": m.content} for m in prompt.messages]
    want = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert list(Tokenization(tokenizer).prompt(prompt)) == want
    assert Tokenization(tokenizer).render(prompt).text.endswith("<user>go on</s><assistant>")


def test_a_last_message_of_the_assistant_is_left_open():
    prompt = Prompt(messages=(Message("user", "hi"), Message("assistant", "The answer is")))
    assert Tokenization(byte_level(TEMPLATE)).render(prompt).text.endswith("<assistant>The answer is")
    assert Tokenization(byte_level()).render(prompt).text == "hi\n\nThe answer is"


@pytest.mark.parametrize("tokenizer", [byte_level(), byte_level(TEMPLATE)])
def test_without_a_template_messages_are_joined(tokenizer):
    text = Tokenization(tokenizer, "none")
    assert text.render(Prompt.user("hi", system="be brief")).text == "be brief\n\nhi\n"
    assert text.identity["chat_template"] is None


@pytest.mark.parametrize("template", [NO_SYSTEM, DROPS_SYSTEM])
def test_a_system_message_is_never_lost(template):
    text = Tokenization(byte_level(template))
    assert text.folds_system
    assert "<user>be brief\n\nhi</s>" in text.render(Prompt.user("hi", system="be brief")).text
    assert not Tokenization(byte_level(TEMPLATE)).folds_system


def test_a_template_that_refuses_says_so():
    strict = "{% if messages[0].role != 'user' %}{{ raise_exception('users begin') }}{% endif %}" + TEMPLATE
    with pytest.raises(DoxaError, match=r"refuses messages of assistant, user: .*users begin"):
        Tokenization(byte_level(strict)).render(Prompt(messages=(Message("assistant", "a"), Message("user", "b"))))


def test_identity_changes_with_the_template():
    one, other = (Tokenization(byte_level(t)).identity for t in (TEMPLATE, TEMPLATE + " "))
    assert one["chat_template"] != other["chat_template"]


def test_an_unknown_chat_template_setting():
    with pytest.raises(ValueError, match="chat_template is 'chatml'"):
        Tokenization(byte_level(), "chatml")


def test_an_empty_prompt_starts_from_a_special_token():
    assert Tokenization(byte_level()).prompt(Prompt(text="")) == (0,)
    assert Tokenization(with_spaces()).prompt(Prompt(text="")) == (0,)
    tokenizer = with_spaces()
    tokenizer.bos_token = tokenizer.eos_token = None
    with pytest.raises(ValueError, match="the prompt is empty"):
        Tokenization(tokenizer).prompt(Prompt(text=""))


# --- the seam --------------------------------------------------------------------------------------------------------


def test_a_seam_that_merges_moves_the_start_of_the_continuation():
    text = Tokenization(byte_level())
    assert pieces(text, text.prompt(Prompt(text="xa"))) == ["<s>", "x", "a"]
    ((merged, start), (apart, later)) = text.continuations(Prompt(text="xa"), ["bc", "cb"])
    assert (pieces(text, merged), start) == (["<s>", "x", "ab", "c"], 2)  # "ab" differs from "a": it is scored
    assert (pieces(text, apart), later) == (["<s>", "x", "a", "c", "b"], 3)


def test_after_the_opening_of_a_turn_nothing_merges():
    text = Tokenization(byte_level(TEMPLATE.replace("<assistant>", "a")))
    prompt = Prompt.user("hi")
    ((ids, start),) = text.continuations(prompt, ["bc"])
    assert ids[:start] == text.prompt(prompt)
    assert pieces(text, ids[start:]) == ["b", "c"]


def test_a_seam_that_merges_the_whole_prompt_still_has_a_context():
    tokenizer = byte_level()
    tokenizer.backend_tokenizer.post_processor = None
    ((ids, start),) = Tokenization(tokenizer).continuations(Prompt(text="a"), ["b"])
    assert (pieces(Tokenization(tokenizer), ids), start) == (["<s>", "ab"], 1)


@pytest.mark.parametrize("prompt", [Prompt(text="x"), Prompt.user("hi")])
def test_a_continuation_without_a_token(prompt):
    with pytest.raises(ValueError, match="continuation '' adds no token"):
        Tokenization(byte_level(TEMPLATE)).continuations(prompt, ["yes", ""])


# --- back to text ----------------------------------------------------------------------------------------------------


def test_text_that_continues_keeps_its_leading_space():
    text = Tokenization(with_spaces())
    ids = text.encode(["a yes no"])[0][1:]
    assert text.decode(ids) == " yes no"
    assert pieces(text, ids) == [" yes", " no"]
    assert text.decode([*ids, 1]) == " yes no" and text.piece(1).strip() == "</s>"


def test_a_stop_string_is_found_though_its_characters_are_split():
    text = Tokenization(byte_level())
    ids = text.encode(["so。é\n\nQ: no"])[0]
    for stop in ("。", "é", "\n\n", "\n\nQ:"):
        stops = Stops((stop,), text)
        found = [stops.find(ids[: k + 1]) for k in range(len(ids))]
        said = "so。é\n\nQ: no".find(stop)
        first = next(k for k, at in enumerate(found) if at is not None)
        assert found[first] == said
        assert text.decode(ids[: first + 1]).endswith(stop), "found as soon as it is complete"
