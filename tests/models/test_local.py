"""The local back end against plain Transformers: tiny random-weight Llama and GPT-2 networks made here."""

import asyncio

import numpy as np
import pytest
from pytest import approx

from doxa.models.local import LocalModel
from doxa.records import DoxaError, Prompt, Sampling

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXTS = [
    "the capital of france is paris",
    "is iron a metal? answer yes or no.",
    "one two three four five six seven eight nine ten",
    "mercury is the planet next to the sun, and the smallest one",
    "no",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "water boils at one hundred degrees",
    "yes",
]
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


def make_tokenizer(template):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(TEXTS * 3, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = template
    return tokenizer


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of a Llama (grouped heads, chat template) and a GPT-2 (learned positions, no template)."""
    made = {}
    common = {"vocab_size": 340, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "initializer_range": 0.2}
    llama = transformers.LlamaConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=96, tie_word_embeddings=True, **common,
    )  # fmt: skip
    gpt2 = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=96, **common)
    for name, config, template in (("llama", llama, TEMPLATE), ("gpt2", gpt2, None)):
        torch.manual_seed(0)
        made[name] = tmp_path_factory.mktemp(name)
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(made[name])
        make_tokenizer(template).save_pretrained(made[name])
    return made


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def model(request, folders):
    return LocalModel(folders[request.param], device="cpu")


@pytest.fixture(scope="module")
def llama(folders):
    return LocalModel(folders["llama"], device="cpu")


def reference(model):
    """The same network and tokenizer, used without the back end."""
    return model._network.model, model._text.tokenizer


def gathered(*asked):
    """Answers to requests that are made at the same moment; failures as exceptions."""

    async def ask():
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(ask())


def plain(text):
    return Prompt(text=text)


# --- generation ------------------------------------------------------------------------------------------------------


def test_greedy_equals_transformers(model):
    network, tokenizer = reference(model)
    replies = gathered(*(model.generate(plain(t), Sampling(max_tokens=20, top_logprobs=0)) for t in TEXTS))
    for text, (reply,) in zip(TEXTS, replies, strict=True):
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        want = network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False)
        ended = int(want[0, -1] == tokenizer.eos_token_id)
        new = want[0, ids.shape[1] : want.shape[1] - ended].tolist()
        assert [t.text for t in reply.tokens] == [model._text.piece(i) for i in new]
        assert reply.text == tokenizer.decode(new)
        assert (reply.input_tokens, reply.output_tokens) == (ids.shape[1], len(new) + ended)
        assert reply.finish == ("stop" if ended else "length")


def test_seeded_samples_do_not_depend_on_the_batch(folders):
    sampling = [Sampling(max_tokens=8 + i, temperature=i / 4, top_p=1 - i / 20, seed=i) for i in range(len(TEXTS))]
    answers = []
    for budget in (1, 60, 100_000):  # one row at a time, a few, all together
        model = LocalModel(folders["llama"], device="cpu", max_batch_tokens=budget)
        order = list(range(len(TEXTS)))[:: -1 if budget == 60 else 1]
        replies = gathered(*(model.generate(plain(TEXTS[i]), sampling[i]) for i in order))
        answers.append([r[0].text for _, r in sorted(zip(order, replies, strict=True))])
    assert answers[0] == answers[1] == answers[2]
    assert len(set(answers[0])) == len(TEXTS)


def test_samples_are_distinct_repeatable_and_independent_of_n(model):
    hot = Sampling(n=6, temperature=1.5, max_tokens=10, seed=7)
    first, again, fewer, other_seed = gathered(
        model.generate(plain(TEXTS[0]), hot),
        model.generate(plain(TEXTS[0]), hot),
        model.generate(plain(TEXTS[0]), Sampling(n=2, temperature=1.5, max_tokens=10, seed=7)),
        model.generate(plain(TEXTS[0]), Sampling(n=6, temperature=1.5, max_tokens=10, seed=8)),
    )
    assert len({r.text for r in first}) == 6
    assert first == again
    assert fewer == first[:2]
    assert {r.text for r in first}.isdisjoint(r.text for r in other_seed)


def test_greedy_samples_are_all_the_same(model):
    (replies,) = gathered(model.generate(plain(TEXTS[0]), Sampling(n=3, max_tokens=5)))
    assert len(replies) == 3 and len({r.text for r in replies}) == 1


def test_samples_follow_the_distribution(llama):
    """First tokens of 4,000 samples against the softmax, at temperature 0.7 and inside the nucleus of 0.6."""
    network, tokenizer = reference(llama)
    n = 4000
    replies = gathered(llama.generate(plain("yes"), Sampling(n=n, temperature=0.7, top_p=0.6, max_tokens=1)))[0]
    with torch.inference_mode():
        logits = network(torch.tensor([tokenizer("yes")["input_ids"]])).logits[0, -1]
    p = torch.softmax(logits / 0.7, -1).numpy()
    order = np.argsort(-p)
    kept = order[: int(np.searchsorted(np.cumsum(p[order]), 0.6)) + 1]
    expected = dict.fromkeys(map(llama._text.piece, kept), 0.0)
    for token in kept:  # tokens that are parts of characters look alike
        expected[llama._text.piece(token)] += p[token] / p[kept].sum()
    share = {text: np.mean([r.text == text for r in replies]) for text in expected}
    assert sum(share.values()) == approx(1)
    for text, q in expected.items():
        assert abs(share[text] - q) < 4.5 * np.sqrt(q * (1 - q) / n), text  # standard errors


def test_stop_strings_cut_the_reply(model):
    ((whole,),) = gathered(model.generate(plain(TEXTS[0]), Sampling(max_tokens=20, top_logprobs=0)))
    stop = whole.text[5:8]
    at = whole.text.find(stop)
    sampling = Sampling(max_tokens=20, top_logprobs=0, stop=("never said", stop))
    ((cut,),) = gathered(model.generate(plain(TEXTS[0]), sampling))
    assert cut.text == whole.text[:at] and cut.finish == "stop"
    assert cut.output_tokens < whole.output_tokens
    said = "".join(t.text for t in cut.tokens)
    assert said.startswith(cut.text) and cut.tokens == whole.tokens[: len(cut.tokens)]


def test_logprobs_are_of_the_untempered_distribution(model):
    network, tokenizer = reference(model)
    sampling = Sampling(max_tokens=6, temperature=2.0, top_logprobs=4, seed=1)
    ((reply,),) = gathered(model.generate(plain(TEXTS[3]), sampling))
    said = tokenizer(TEXTS[3])["input_ids"]
    for token in reply.tokens:
        with torch.inference_mode():
            logprobs = torch.log_softmax(network(torch.tensor([said])).logits[0, -1], -1)
        best = logprobs.topk(4)
        assert [lp for _, lp in token.top] == approx(best.values.tolist(), abs=1e-4)
        assert [t for t, _ in token.top] == [model._text.piece(i) for i in best.indices.tolist()]
        assert sum(np.exp(lp) for _, lp in token.top) <= 1
        alike = [i for i in range(340) if model._text.piece(i) == token.text]  # parts of characters are
        chosen = min(alike, key=lambda i: abs(logprobs[i] - token.logprob))
        assert float(logprobs[chosen]) == approx(token.logprob, abs=1e-4)
        said.append(chosen)


def test_generation_ends_at_the_models_limit(model):
    long = " ".join(["e"] * 46)
    ((reply,),) = gathered(model.generate(plain(long), Sampling(max_tokens=50)))
    room = 96 - len(reference(model)[1](long)["input_ids"])
    assert reply.output_tokens == room if reply.finish == "length" else reply.output_tokens <= room


def test_one_bad_request_harms_no_other(model):
    long = " ".join(["e"] * 200)
    good, too_long, effort, no_token, position, scored = gathered(
        model.generate(plain("yes"), Sampling(max_tokens=3)),
        model.generate(plain(long), Sampling(max_tokens=3)),
        model.generate(plain("yes"), Sampling(reasoning_effort="high")),
        model.score(plain("yes"), ["no", ""]),
        model.hidden_states(plain("yes"), positions=(99,)),
        model.score(plain("yes"), [" no"]),
    )
    assert good[0].text and scored[0].logprob < 0
    assert isinstance(too_long, DoxaError) and "at most 96" in str(too_long)
    assert isinstance(effort, DoxaError) and "'high'" in str(effort)
    assert isinstance(no_token, ValueError) and "adds no token" in str(no_token)
    assert isinstance(position, ValueError) and "position is 99" in str(position)


# --- scores ----------------------------------------------------------------------------------------------------------


def one_by_one(model, context, continuation):
    """Summed log-probability of the continuation from one plain pass over one sequence."""
    network, tokenizer = reference(model)
    start, ids = len(tokenizer(context)["input_ids"]), tokenizer(context + continuation)["input_ids"]
    with torch.inference_mode():
        logprobs = torch.log_softmax(network(torch.tensor([ids])).logits[0], -1)
    return sum(float(logprobs[i - 1, ids[i]]) for i in range(start, len(ids)))


CONTINUATIONS = [" yes", " no", " the planet next to the sun", " q", " answer yes or no, one two three"]


def test_scores_equal_single_passes_whatever_the_batch(folders):
    for name in ("llama", "gpt2"):
        for budget, step in ((1, 1), (150, -1), (100_000, 1)):
            model = LocalModel(folders[name], device="cpu", max_batch_tokens=budget)
            texts = TEXTS[::step]
            found = gathered(*(model.score(plain(t), CONTINUATIONS) for t in texts))
            for text, scores in zip(texts, found, strict=True):
                for continuation, score in zip(CONTINUATIONS, scores, strict=True):
                    assert score.continuation == continuation
                    assert score.logprob == approx(one_by_one(model, text, continuation), abs=1e-4)
                    assert sum(t.logprob for t in score.tokens) == approx(score.logprob, abs=1e-9)
                    assert "".join(t.text for t in score.tokens) == continuation


def test_a_reply_scores_as_it_was_generated(llama):
    """Where the reply's text has the same tokens when it is read as when it was written."""
    prompt = Prompt.user("is iron a metal?", system="be brief")
    sampling = Sampling(n=100, max_tokens=3, top_logprobs=0, temperature=1.0)
    (replies,) = gathered(llama.generate(prompt, sampling))
    said = [r for r in replies if r.text]
    (scores,) = gathered(llama.score(prompt, [r.text for r in said]))
    same = [
        (score.logprob, sum(t.logprob for t in reply.tokens))
        for reply, score in zip(said, scores, strict=True)
        if [t.text for t in score.tokens] == [t.text for t in reply.tokens]
    ]
    assert len(same) >= 10
    assert [scored for scored, _ in same] == approx([generated for _, generated in same], abs=1e-4)


def test_letters_are_scored_in_one_pass_over_one_row(llama, monkeypatch):
    shapes = []
    forward = llama._network.model.forward

    def watched(input_ids, **others):
        shapes.append(tuple(input_ids.shape))
        return forward(input_ids=input_ids, **others)

    monkeypatch.setattr(llama._network.model, "forward", watched)
    prompt = Prompt.user("which one?")
    (scores,) = gathered(llama.score(prompt, list("ABCDEFGHIJ")))
    assert len(scores) == 10
    assert shapes == [(1, len(llama._text.prompt(prompt)))]


def test_the_vocabulary_is_projected_only_where_it_is_wanted(llama):
    sizes = []
    handle = llama._network.model.lm_head.register_forward_hook(
        lambda _m, _a, out: sizes.append(out.shape[:-1].numel())
    )
    gathered(llama.score(plain(TEXTS[5]), [" yes", " no"]), llama.generate(plain(TEXTS[5]), Sampling(max_tokens=2)))
    handle.remove()
    assert max(sizes) <= 4


def test_a_head_that_is_no_module_is_read_from_full_logits(llama, monkeypatch):
    want = gathered(
        llama.score(plain(TEXTS[0]), CONTINUATIONS), llama.generate(plain(TEXTS[0]), Sampling(max_tokens=4))
    )
    monkeypatch.setattr(llama._network, "_head", None)
    found = gathered(
        llama.score(plain(TEXTS[0]), CONTINUATIONS), llama.generate(plain(TEXTS[0]), Sampling(max_tokens=4))
    )
    assert [s.logprob for s in found[0]] == approx([s.logprob for s in want[0]], abs=1e-5)
    assert found[1] == want[1]


# --- hidden states ---------------------------------------------------------------------------------------------------


def test_hidden_states_equal_what_leaves_the_blocks(model):
    network, tokenizer = reference(model)
    layers = model._network.layers
    texts = TEXTS[:3]
    found = gathered(*(model.hidden_states(plain(t), positions=(0, -1)) for t in texts))
    for text, states in zip(texts, found, strict=True):
        with torch.inference_mode():
            out = network(torch.tensor([tokenizer(text)["input_ids"]]), output_hidden_states=True)
        assert states.shape == (layers, 2, 32) and states.dtype == np.float32
        for layer in range(layers - 1):
            assert states[layer] == approx(out.hidden_states[layer + 1][0, [0, -1]].numpy(), abs=1e-4)
        # Transformers shows the last block's states after the final norm, here they are before it.
        norm = network.model.norm if hasattr(network, "model") else network.transformer.ln_f
        with torch.inference_mode():
            last = norm(torch.as_tensor(states[-1])).numpy()
        assert last == approx(out.hidden_states[-1][0, [0, -1]].numpy(), abs=1e-4)


def test_layers_and_positions_are_given_in_the_order_asked(llama):
    everything, some = gathered(
        llama.hidden_states(plain(TEXTS[0]), positions=(0, 1, 2)),
        llama.hidden_states(plain(TEXTS[0]), layers=(2, 0), positions=(2, 0, 0)),
    )
    assert some == approx(everything[[2, 0]][:, [2, 0, 0]], abs=1e-5)


def test_the_mean_over_all_tokens(llama):
    found = gathered(*(llama.hidden_states(plain(t), layers=(1,), positions="mean") for t in TEXTS[:2]))
    for text, mean in zip(TEXTS[:2], found, strict=True):
        n = len(reference(llama)[1](text)["input_ids"])
        (every,) = gathered(llama.hidden_states(plain(text), layers=(1,), positions=tuple(range(n))))
        assert mean.shape == (1, 1, 32) and mean[:, 0] == approx(every.mean(1), abs=1e-5)
    with pytest.raises(ValueError, match="it is a list of positions, or 'mean'"):
        raise gathered(llama.hidden_states(plain("a"), positions="median"))[0]


def test_blocks_above_the_deepest_one_asked_for_are_not_run(folders):
    llama, ran = LocalModel(folders["llama"], device="cpu"), []
    for layer, block in enumerate(llama._network.blocks):
        block.register_forward_hook(lambda *_, layer=layer: ran.append(layer))
    (whole,) = gathered(llama.hidden_states(plain(TEXTS[0])))
    ran.clear()
    (some,) = gathered(llama.hidden_states(plain(TEXTS[0]), layers=(1,)))
    assert max(ran) == 1 and some[0] == approx(whole[1], abs=1e-5)


# --- batches, loops, closing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["score", "generate"])
def test_a_batch_that_fills_the_memory_is_halved(folders, monkeypatch, kind):
    model = LocalModel(folders["llama"], device="cpu", max_batch_tokens=10_000)

    def ask():
        if kind == "score":
            return gathered(*(model.score(plain(t), [" yes"]) for t in TEXTS))
        return gathered(*(model.generate(plain(t), Sampling(max_tokens=4)) for t in TEXTS))

    want = ask()
    forward, sizes = model._network.model.forward, []

    def small(input_ids, **others):
        sizes.append(len(input_ids))
        if len(input_ids) > 3:
            raise torch.OutOfMemoryError("no memory left")
        return forward(input_ids=input_ids, **others)

    monkeypatch.setattr(model._network.model, "forward", small)
    found = ask()
    assert sizes[:3] == [8, 4, 2]
    if kind == "score":
        assert [s[0].logprob for s in found] == approx([s[0].logprob for s in want], abs=1e-4)
    else:
        assert found == want
    monkeypatch.setattr(model._network.model, "forward", lambda **_: (_ for _ in ()).throw(torch.OutOfMemoryError()))
    (failed,) = gathered(model.score(plain("yes"), [" no"]))
    assert isinstance(failed, DoxaError) and "memory ran out on one request" in str(failed)


def test_logits_that_are_no_numbers_fail_the_request(folders):
    model = LocalModel(folders["gpt2"], device="cpu")
    with torch.no_grad():
        model._network.model.transformer.ln_f.weight.fill_(float("nan"))
    scored, generated = gathered(model.score(plain("yes"), [" no"]), model.generate(plain("yes"), Sampling()))
    assert "not numbers" in str(scored) and "not numbers" in str(generated)


def test_a_model_serves_one_event_loop_after_another(llama):
    assert gathered(llama.score(plain("yes"), [" no"])) == gathered(llama.score(plain("yes"), [" no"]))


def test_closing_twice_and_asking_after(folders):
    model = LocalModel(folders["gpt2"], device="cpu")
    gathered(model.close())
    gathered(model.close())
    (refused,) = gathered(model.score(plain("yes"), [" no"]))
    assert isinstance(refused, DoxaError) and "closed" in str(refused)
