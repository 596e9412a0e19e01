"""Shared beginnings against plain reading, in networks of many kinds, and in networks that cannot."""

import asyncio

import numpy as np
import pytest
from pytest import approx
from tiny_networks import text

from doxa.models.local_tree import ROW_TOKENS
from doxa.records import DoxaError, Prompt, Sampling

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def gathered(*asked):
    async def ask():
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(ask())


SHORT = [text(0, 30) + text(i, 5 + i) for i in range(3)] + [text(9, 12), "a"]
LONG = [text(1, 200) + text(i, 3 * i + 2) for i in range(4)] + [text(2, 150)]
OPTIONS = ["yes", "no", "yes or no", "neither of the two", "a"]


def ids_of(model, said):
    return model._text.tokenizer(said)["input_ids"]


def plain_score(model, prompt, option):
    """From one plain pass over one sequence."""
    start, ids = len(ids_of(model, prompt)), ids_of(model, prompt + option)
    with torch.inference_mode():
        logits = model._network.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    logprobs = torch.log_softmax(logits.double(), -1)
    return sum(float(logprobs[i - 1, ids[i]]) for i in range(start, len(ids)))


def assert_scores_are_plain(model, prompts):
    want = [[plain_score(model, p, o) for o in OPTIONS] for p in prompts]
    for _ in range(2):  # the second time behind what was kept
        found = gathered(*(model.score(Prompt(text=p), OPTIONS) for p in prompts))
        assert [s.logprob for scores in found for s in scores] == approx(np.ravel(want), abs=1e-4)


KINDS = [
    ("llama", "tree", "tree"),
    ("gpt2", "tree", "tree"),  # learned positions
    ("opt", "tree", "tree"),  # learned positions, counted from 2
    ("bloom", "chain", "chain"),  # ALiBi, made from the padding mask
    ("mpt", "chain", "chain"),  # ALiBi, made from where a token stands in its row
    ("mistral", "tree", "chain"),  # every layer with a window
    ("gemma", "tree", "chain"),  # every other
    ("neo", "chain", "chain"),  # a window counted in the row
    ("mamba", "none", "none"),  # no keys and values
]


@pytest.mark.parametrize(("kind", "short", "long"), KINDS)
def test_values_are_those_of_plain_reading(load, kind, short, long):
    model = load(kind)
    assert (model.sharing(60), model.sharing(250)) == (short, long)
    assert_scores_are_plain(model, SHORT)
    assert_scores_are_plain(model, [*SHORT, *LONG])


@pytest.mark.parametrize("kind", [kind for kind, *_ in KINDS])
def test_replies_and_states_are_those_of_plain_reading(load, kind):
    model = load(kind)
    network = model._network.model
    prompts = [SHORT[0], SHORT[1], LONG[0], LONG[1]]
    for _ in range(2):
        replies = gathered(*(model.generate(Prompt(text=p), Sampling(max_tokens=5, top_logprobs=0)) for p in prompts))
        states = gathered(*(model.hidden_states(Prompt(text=p), positions=(3, -1), layers=(0, 1)) for p in prompts))
        for prompt, (reply,), state_lpd in zip(prompts, replies, states, strict=True):
            ids, said = ids_of(model, prompt), []
            with torch.inference_mode():
                out = network(torch.tensor([ids]), use_cache=False, output_hidden_states=True)
                for token in reply.tokens:
                    logits = network(torch.tensor([[*ids, *said]]), use_cache=False).logits[0, -1]
                    said.append(int(logits.argmax()))
                    assert token.text == model._text.piece(said[-1])
                    assert token.logprob == approx(float(torch.log_softmax(logits, -1)[said[-1]]), abs=1e-4)
            assert len(said) == 5 or reply.finish == "stop"
            if kind != "mamba":  # where Transformers' own output is of another place in the block
                assert state_lpd[0] == approx(out.hidden_states[1][0, [3, -1]].numpy(), abs=1e-4)


@pytest.mark.parametrize("kind", ["gpt2", "opt"])  # learned positions: one more is none
def test_a_text_as_long_as_the_network_reads_and_one_longer(load, kind):
    model, whole = load(kind), text(5, 1024)
    fits, states, longer, full = gathered(
        model.score(Prompt(text=whole[:1022]), [whole[1022:], "no"]),
        model.hidden_states(Prompt(text=whole)),
        model.score(Prompt(text=whole[:1023]), ["no"]),
        model.generate(Prompt(text=whole), Sampling()),
    )
    assert fits[0].logprob == approx(plain_score(model, whole[:1022], whole[1022:]), abs=1e-4)
    assert states.shape == (2, 1, 16)
    assert isinstance(longer, DoxaError) and "has 1025 tokens; this model reads at most 1024" in str(longer)
    assert isinstance(full, DoxaError) and "1 must follow" in str(full)


# --- networks that are not what they seem ----------------------------------------------------------------------------


def broken(load, monkeypatch, change):
    """A Llama whose forward first changes what it hears."""
    forward = transformers.LlamaForCausalLM.forward

    def changed(self, input_ids=None, attention_mask=None, position_ids=None, cache=None, use_cache=None):
        heard = {"attention_mask": attention_mask, "position_ids": position_ids, "cache": cache, "use_cache": use_cache}
        change(heard, input_ids)
        return forward(self, input_ids=input_ids, **heard)

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", changed)
    return load("llama")


def deaf_to_positions(heard, _ids):
    heard["position_ids"] = None


def deaf_to_trees(heard, _ids):
    if heard["attention_mask"] is not None and heard["attention_mask"].ndim == 4:
        heard["attention_mask"] = None


def deaf_to_masks(heard, _ids):
    heard["attention_mask"] = None


def deaf_to_caches(heard, _ids):
    heard["cache"] = None


def short_sighted(heard, ids):
    """A window of 100 tokens that no configuration mentions, counted in the row where it is given a mask."""
    past = heard["cache"].get_seq_length() if heard["cache"] is not None else 0
    at = torch.arange(past + ids.shape[1])
    window = (at[past:, None] >= at) & (at[past:, None] - at < 100)
    mask = heard["attention_mask"]
    if mask is None or mask.ndim == 2:
        window = window if mask is None else window & (mask[:, None, :] > 0)
        mask = torch.zeros(window.shape).masked_fill(~window, torch.finfo(torch.float32).min)
        mask = mask[None, None] if mask.ndim == 2 else mask[:, None]
    heard["attention_mask"] = mask


@pytest.mark.parametrize(
    ("change", "short", "long"),
    [
        (deaf_to_positions, "none", "none"),
        (deaf_to_trees, "chain", "chain"),
        (deaf_to_masks, "chain", "chain"),
        (deaf_to_caches, "none", "none"),
        (short_sighted, "tree", "chain"),
    ],
)
def test_a_network_that_does_not_heed_what_it_is_told_is_found_out(load, monkeypatch, change, short, long):
    model = broken(load, monkeypatch, change)
    assert (model.sharing(60), model.sharing(250)) == (short, long)
    assert model.pads == (change not in (deaf_to_masks, deaf_to_caches))
    assert_scores_are_plain(model, SHORT)
    assert_scores_are_plain(model, [*SHORT, *LONG])
    prompts = [*SHORT, *LONG]
    replies = gathered(*(model.generate(Prompt(text=p), Sampling(max_tokens=4, top_logprobs=0)) for p in prompts))
    alone = [gathered(model.generate(Prompt(text=p), Sampling(max_tokens=4, top_logprobs=0)))[0] for p in prompts]
    assert [r[0].text for r in replies] == [r[0].text for r in alone]


# --- what is read, and what is kept ----------------------------------------------------------------------------------


@pytest.fixture
def watched(load, monkeypatch):
    """A Llama whose trials are over, and the tokens of each pass since."""
    model = load("llama")
    for tokens in (60, 120, 250, 500):
        model.sharing(tokens)
    forward, read = model._network.model.forward, []

    def noted(**heard):
        read.append(heard["input_ids"].numel())
        return forward(**heard)

    monkeypatch.setattr(model._network.model, "forward", noted)
    return model, read


def test_a_prompt_is_read_once_for_its_options_and_not_again_next_time(watched):
    model, read = watched
    prompt = Prompt(text=text(3, 100))
    gathered(model.score(prompt, ["abc", "def", "ghi"]))
    assert read == [100 + 3 * 2]
    gathered(model.score(prompt, ["xyz", "uvw"]))
    assert read[1:] == [1 + 2 * 2], "the prompt's last token says what comes first"
    gathered(model.hidden_states(prompt))
    assert read[2:] == [1]
    model.forget()
    gathered(model.score(prompt, ["xyz", "uvw"]))
    assert read[3:] == [100 + 2 * 2]


def test_different_readings_of_the_same_text_are_one_pass(watched):
    model, read = watched
    prompt = Prompt(text=text(3, 100))
    scores, states, _ = gathered(
        model.score(prompt, ["abc", "def"]),
        model.hidden_states(prompt, positions=(0, 50, -1)),
        model.hidden_states(Prompt(text=text(3, 100) + "xyz"), positions=(-1,)),
    )
    assert read == [100 + 2 * 2 + 3]
    assert len(scores) == 2 and states.shape == (2, 3, 16)


def test_one_prefix_of_many_items_is_read_once(watched):
    model, read = watched
    few_shot = text(4, 300)
    asked = [(few_shot + text(50 + i, 20), ["abc", "bcd"]) for i in range(12)]
    gathered(*(model.score(Prompt(text=p), options) for p, options in asked))
    once = 300 + 12 * (20 + 2 * 2)
    assert once - 30 <= sum(read) <= 1.2 * once, "less where questions begin alike; a little padding"
    read.clear()
    gathered(model.score(Prompt(text=few_shot + "another one"), ["abc"]))
    assert sum(read) == len("another one") + 2


def test_samples_of_one_prompt_pay_for_it_once_and_turns_go_on_from_it(watched):
    model, read = watched
    prompt = text(5, 100)
    hot = Sampling(n=8, temperature=1.0, max_tokens=3)
    gathered(model.generate(Prompt(text=prompt), hot))
    assert read[0] == 100 and max(read[1:]) <= 8
    read.clear()
    gathered(model.generate(Prompt(text=prompt + text(6, 10)), Sampling(max_tokens=1)))
    assert read == [10]


def test_what_is_kept_has_a_limit_and_values_do_not_depend_on_it(load):
    model = load("llama")
    token_bytes = model._prefixes.token_bytes
    model._prefixes.budget = 150 * token_bytes  # less than two of the long prompts
    assert_scores_are_plain(model, [*SHORT, *LONG])
    assert 0 < model._prefixes.bytes <= 150 * token_bytes
    prompts = [Prompt(text=p) for p in LONG]
    together = gathered(*(model.generate(p, Sampling(max_tokens=4)) for p in prompts))
    assert together == [gathered(model.generate(p, Sampling(max_tokens=4)))[0] for p in prompts]


def test_many_options_are_cut_into_rows_of_bounded_length(watched, monkeypatch):
    model, _ = watched
    widths = []
    forward = model._network.model.forward

    def noted(**heard):
        widths.append(heard["input_ids"].shape[1])
        return forward(**heard)

    monkeypatch.setattr(model._network.model, "forward", noted)
    options = [text(100 + i, 30) for i in range(40)]
    (scores,) = gathered(model.score(Prompt(text=LONG[0]), options))
    assert max(widths) <= max(ROW_TOKENS, len(LONG[0]))
    assert scores[7].logprob == approx(plain_score(model, LONG[0], options[7]), abs=1e-4)


def test_memory_that_runs_out_on_a_shared_beginning_fails_those_that_need_it_alone(load, monkeypatch):
    model = load("llama")
    model.sharing(500)
    forward = model._network.model.forward

    def small(**heard):
        if heard["input_ids"].shape[1] > 250:
            raise torch.OutOfMemoryError("no memory left")
        return forward(**heard)

    monkeypatch.setattr(model._network.model, "forward", small)
    many = [text(200 + i, 40) for i in range(10)]
    failed, fine = gathered(model.score(Prompt(text=text(7, 300)), many), model.score(Prompt(text=SHORT[0]), OPTIONS))
    assert isinstance(failed, DoxaError) and "memory ran out on one request" in str(failed)
    assert fine[0].logprob == approx(plain_score(model, SHORT[0], OPTIONS[0]), abs=1e-4)


def test_a_reply_does_not_go_on_from_what_was_let_go_meanwhile(load, monkeypatch):
    model = load("llama")
    sampling = Sampling(n=2, temperature=1, max_tokens=6, top_logprobs=0)
    prompts = [Prompt(text=text(30 + i, 40 + i)) for i in range(2)]
    want = gathered(*(model.generate(prompt, sampling) for prompt in prompts))
    model.forget()
    read = model._reader.read

    def read_and_lose(paths):  # as when memory runs out on a later batch of the same round
        read(paths)
        model._prefixes.clear()

    monkeypatch.setattr(model._reader, "read", read_and_lose)
    found = gathered(*(model.generate(prompt, sampling) for prompt in prompts))
    pairs = [pair for here, there in zip(found, want, strict=True) for pair in zip(here, there, strict=True)]
    for one, other in pairs:
        assert one.text == other.text
        assert [t.logprob for t in one.tokens] == approx([t.logprob for t in other.tokens], abs=1e-4)


def test_statements_whose_states_are_read_leave_nothing_behind(load):
    model = load("llama")
    statements = [Prompt(text=text(60 + i, 50)) for i in range(4)]
    gathered(*(model.hidden_states(statement) for statement in statements))
    assert model._prefixes.bytes == 0
    gathered(model.score(statements[0], OPTIONS))  # a prompt is met again, in its next turn
    assert model._prefixes.bytes > 0


def test_states_come_in_the_precision_that_is_asked_for(load, monkeypatch):
    model = load("llama")
    prompt = Prompt(text=SHORT[0])
    single, half = gathered(model.hidden_states(prompt), model.hidden_states(prompt, precision="float16"))
    assert half.dtype == np.float16 and half == approx(single, rel=1e-3, abs=1e-3)
    with torch.no_grad():
        model._network.model.model.embed_tokens.weight.mul_(1e6)
    model.forget()
    (refused,) = gathered(model.hidden_states(prompt, precision="float16"))
    assert isinstance(refused, DoxaError) and "do not fit float16; ask for float32" in str(refused)
    (unknown,) = gathered(model.hidden_states(prompt, precision="bfloat16"))
    assert isinstance(unknown, ValueError) and "'bfloat16'" in str(unknown)


def test_reduced_precision_is_shared_where_it_brings_no_more_than_the_usual_noise(load):
    model = load("llama", dtype="bfloat16")
    assert model.sharing(60) == "tree"
    found = gathered(*(model.score(Prompt(text=p), OPTIONS) for p in SHORT))
    want = [[plain_score(model, p, o) for o in OPTIONS] for p in SHORT]
    assert [s.logprob for scores in found for s in scores] == approx(np.ravel(want), rel=0.05, abs=0.3)
