"""The endpoint client on servers that others wrote, serving a tiny model made here, and their numbers checked.

Whichever of `vllm`, `transformers` (with its serving extra) and llama-cpp-python's server is found on PATH or in the
folders of DOXA_SERVER_FOLDERS (the bin folders of other environments) is started on loopback:

    DOXA_SERVER_FOLDERS=/path/to/vllm-env/bin:/path/to/llama-env/bin pytest -m slow tests/models/test_endpoint_real.py
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doxa.models.endpoint import CannotScoreChat, Endpoint, ServerFailed
from doxa.records import DoxaError, MissingCapability, Prompt, Sampling

pytestmark = pytest.mark.slow

TEXT = Prompt(text="The capital of France is")
CHAT = Prompt.user("Is the sky blue?")
TEMPLATE = (
    "{% for m in messages %}[{{ m['role'] }}]:{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]:{% endif %}"
)
START_S = 300


@dataclass(frozen=True)
class Kind:
    """A kind of server: what it needs to be there, how it is started, and what it should turn out to do."""

    program: str
    modules: tuple[str, ...]
    arguments: tuple[str, ...]
    able: frozenset[str]
    chat_scores: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    gguf: bool = False


KINDS = {
    "vllm": Kind(
        "vllm",
        ("vllm",),
        (
            *(
                "{program}",
                "serve",
                "{model}",
                "--served-model-name",
                "tiny",
                "--host",
                "127.0.0.1",
                "--port",
                "{port}",
            ),
            *("--dtype", "float32", "--enforce-eager", "--max-model-len", "256", "--max-num-seqs", "32"),
        ),
        frozenset({"generate", "logprobs", "score"}),
        chat_scores=True,
        environment=(("VLLM_CPU_KVCACHE_SPACE", "1"), ("VLLM_TARGET_DEVICE", "cpu"), ("VLLM_NO_USAGE_STATS", "1")),
    ),
    "transformers": Kind(
        "transformers",
        ("fastapi", "uvicorn", "openai", "torch", "accelerate"),
        ("{program}", "serve", "--host", "127.0.0.1", "--port", "{port}", "--device", "cpu", "{model}"),
        frozenset({"generate"}),
    ),
    "llama-cpp-python": Kind(
        "python",
        ("llama_cpp.server", "uvicorn"),
        (
            *("{program}", "-m", "llama_cpp.server", "--model", "{model}.gguf", "--model_alias", "tiny"),
            *("--host", "127.0.0.1", "--port", "{port}", "--n_ctx", "256", "--logits_all", "true"),
        ),
        frozenset({"generate", "logprobs", "score"}),
        gguf=True,
    ),
}


@dataclass(frozen=True)
class Running:
    kind: Kind
    url: str
    name: str

    @asynccontextmanager
    async def model(self, **options: Any) -> AsyncIterator[Endpoint]:
        model = Endpoint(options.pop("name", self.name), base_url=self.url, timeout_s=200, **options)
        try:
            yield model
        finally:
            await model.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-layer Llama with random weights and a byte-level tokenizer that knows a few words."""
    tokenizers, transformers = pytest.importorskip("tokenizers"), pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("real") / "tiny"
    coded = tokenizers.Tokenizer(tokenizers.models.BPE())
    coded.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    coded.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    coded.train_from_iterator(["The capital of France is Paris.", "Is the sky blue? Yes. No."] * 5, trainer)
    begins = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    coded.post_processor = begins
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=coded, bos_token="<s>", eos_token="</s>", pad_token="</s>", chat_template=TEMPLATE
    )
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=1,
    )
    network = transformers.LlamaForCausalLM(config)
    for weight in network.parameters():  # wider than at birth, so that the next token is not a matter of rounding
        weight.data.mul_(4 if weight.dim() > 1 else 1)
    network.generation_config.do_sample = True
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    kind = KINDS[request.param]
    program = found(kind)
    if program is None:
        pytest.skip(f"{request.param} server not found on PATH or in DOXA_SERVER_FOLDERS")
    if kind.gguf:
        write_gguf(tiny)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [a.format(program=program, model=tiny, port=port) for a in kind.arguments]
    name = "tiny" if "tiny" in kind.arguments else str(tiny)
    log = tmp_path_factory.mktemp("log") / "server.log"
    with log.open("w") as out:
        environment = os.environ | dict(kind.environment) | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/v1/models", process, log)
            yield Running(kind, f"http://127.0.0.1:{port}/v1", name)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def found(kind: Kind) -> str | None:
    """The program of a server whose environment has all that it imports."""
    for folder in [*os.environ.get("DOXA_SERVER_FOLDERS", "").split(os.pathsep), *os.environ["PATH"].split(os.pathsep)]:
        program, python = (shutil.which(p, path=folder) if folder else None for p in (kind.program, "python"))
        if program and python:
            code = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
            if subprocess.run([python, "-c", code, *kind.modules], capture_output=True).returncode == 0:
                return program
    return None


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(START_S * 2):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


# --- what the numbers should be --------------------------------------------------------------------------------------


def truth(folder: Path, text: str, seam: int, *, begins: bool = True) -> float:
    """Log-probability, by Transformers in float32, of the tokens of `text` that hold a character from `seam` on.

    begins  <s> comes first (to a chat no server adds it: that is the template's to do)
    """
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM

    tokenizer, network = AutoTokenizer.from_pretrained(folder), LlamaForCausalLM.from_pretrained(folder)
    coded = tokenizer(text, return_offsets_mapping=True, return_tensors="pt", add_special_tokens=begins)
    with torch.no_grad():
        logprobs = network(coded["input_ids"]).logits[0].log_softmax(-1)
    ids, spans = coded["input_ids"][0].tolist(), coded["offset_mapping"][0].tolist()
    return sum(float(logprobs[i - 1, ids[i]]) for i in range(1, len(ids)) if spans[i][1] > seam)


def write_gguf(folder: Path) -> None:
    """The same model in llama.cpp's format, beside the folder."""
    gguf = pytest.importorskip("gguf", reason="the gguf package writes the model for llama.cpp")
    from transformers import LlamaForCausalLM

    network = LlamaForCausalLM.from_pretrained(folder)
    config, coded = network.config, json.loads((folder / "tokenizer.json").read_text())
    vocabulary = sorted(coded["model"]["vocab"], key=coded["model"]["vocab"].get)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer = gguf.GGUFWriter(f"{folder}.gguf", "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary)
    writer.add_token_types([control if t in ("<s>", "</s>") else normal for t in vocabulary])
    writer.add_token_merges([" ".join(m) for m in coded["model"]["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(True)
    writer.add_chat_template(TEMPLATE)
    for name, weight in network.state_dict().items():
        writer.add_tensor(gguf_name(name), gguf_order(name, weight.numpy(), config.num_attention_heads))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_name(name: str) -> str:
    for ours, theirs in {
        "model.layers": "blk",
        "self_attn.o_proj": "attn_output",
        "self_attn.": "attn_",
        "mlp.": "ffn_",
        "_proj": "",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "lm_head": "output",
    }.items():
        name = name.replace(ours, theirs)
    return name


def gguf_order(name: str, weight: Any, heads: int) -> Any:
    """llama.cpp turns neighbouring pairs, Transformers the two halves: rows of queries and keys are reordered."""
    if "q_proj" not in name and "k_proj" not in name:
        return weight
    rows, width = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width).copy()


# --- tests -----------------------------------------------------------------------------------------------------------


async def test_it_is_known_and_what_it_can_do_is_found_out(server):
    async with server.model() as model:
        assert model.capabilities == server.kind.able
        assert model.identity["reported"]["owned_by"]


@pytest.mark.parametrize("prompt", [TEXT, CHAT], ids=["text", "chat"])
async def test_it_answers_on_both_routes(server, prompt):
    async with server.model() as model:
        [reply] = await model.generate(prompt, Sampling(max_tokens=6))
        assert reply.text and reply.finish == "length" and reply.input_tokens > 4 and reply.output_tokens == 6
        assert [reply] == await model.generate(prompt, Sampling(max_tokens=6))
        [cut] = await model.generate(prompt, Sampling(max_tokens=6, stop=(reply.text[2],)))
        assert cut.text == reply.text[:2] and cut.finish == "stop"


async def test_samples_differ_and_repeat(server):
    async with server.model() as model:
        sampling = Sampling(n=4, temperature=1.0, max_tokens=12, seed=3)
        first = [r.text for r in await model.generate(TEXT, sampling)]
        assert len(first) == 4 == len(set(first))
        assert first[0] == (await model.generate(TEXT, sampling))[0].text


@pytest.mark.parametrize("continuation", [" Paris", " No. Yes", "猫é", "n't it"])
async def test_its_scores_are_those_of_transformers(server, tiny, continuation):
    async with server.model(logprobs=False) as model:
        if "score" in server.kind.able:
            [score] = await model.score(TEXT, [continuation])
            right = truth(tiny, TEXT.text + continuation, len(TEXT.text))
            print(f"\n{server.kind.program} {continuation!r}: {score.logprob:.6f}, Transformers {right:.6f}")
            assert score.logprob == pytest.approx(right, abs=2e-3)
        else:
            with pytest.raises(MissingCapability, match="cannot score: its replies on /completions"):
                await model.score(TEXT, [continuation])


async def test_its_scores_of_chats_too(server, tiny):
    async with server.model(logprobs=False, score=True) as model:
        opening = "[user]:Is the sky blue?\n[assistant]:"
        if server.kind.chat_scores:
            scores = await model.score(CHAT, [" Yes.", " No."])
            right = [truth(tiny, opening + c, len(opening), begins=False) for c in (" Yes.", " No.")]
            assert [s.logprob for s in scores] == pytest.approx(right, abs=2e-3)
        else:
            with pytest.raises(CannotScoreChat):
                await model.score(CHAT, [" Yes."])


async def test_its_logprobs_of_a_reply_are_those_of_transformers(server, tiny):
    async with server.model(score=False) as model:
        if "logprobs" in server.kind.able:
            [reply] = await model.generate(TEXT, Sampling(max_tokens=1, top_logprobs=2))
            [token] = reply.tokens
            right = truth(tiny, TEXT.text + reply.text, len(TEXT.text))
            assert token.logprob == pytest.approx(right, abs=2e-3)
            assert len(token.top) == 2 and token.top[0][1] >= token.top[1][1]
        else:
            with pytest.raises(MissingCapability, match="come without them"):
                await model.generate(TEXT, Sampling(max_tokens=1, top_logprobs=2))


async def test_many_at_once(server):
    async with server.model(concurrency=16) as model:
        replies = await asyncio.gather(
            *(model.generate(Prompt(text=f"{k} is"), Sampling(max_tokens=2)) for k in range(50))
        )
        assert len(replies) == 50 and model.usage.calls == 50 and all(len(r) == 1 for r in replies)


async def test_what_it_refuses_is_said(server):
    async with server.model(name="no-such-model", retries=0) as model:
        if server.kind.program != "python":  # llama-cpp-python serves its one model under any name
            with pytest.raises(DoxaError, match="no-such-model") as caught:
                await model.generate(TEXT, Sampling(max_tokens=2))
            assert not isinstance(caught.value, ServerFailed)
