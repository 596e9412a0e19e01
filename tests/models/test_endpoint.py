"""The endpoint client on a server that behaves: what is sent, what is read, what is learned, what it can do."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import Any

import pytest
from stub_server import Stub, gives, logprob, pieces, serving

from doxa.models.base import check_needs
from doxa.models.endpoint import Endpoint
from doxa.models.endpoint_wire import sample_seed
from doxa.records import DoxaError, Message, MissingCapability, Prompt, Sampling, Token

CHAT = Prompt.user("Is the sky blue?", system="Be brief.")
TEXT = Prompt(text="The sky is")
KEY = "sk-planted-0123456789"


serve = pytest.fixture(serving)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "DOXA_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


async def ask(stub: Stub, prompt: Prompt, sampling: Sampling | None = None, **options: Any) -> list[Any]:
    model = Endpoint("m", base_url=stub.url, **options)
    try:
        return await model.generate(prompt, sampling or Sampling())
    finally:
        await model.close()


# --- what is sent ----------------------------------------------------------------------------------------------------


async def test_messages_go_to_the_chat_route_and_text_to_completions(serve):
    stub = serve()
    await ask(stub, CHAT)
    await ask(stub, TEXT)
    assert [path for path, _ in stub.requests] == ["/v1/chat/completions", "/v1/completions"]
    assert stub.bodies("chat/completions")[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is the sky blue?"},
    ]
    assert stub.requests[1][1]["prompt"] == "The sky is"


async def test_everything_in_sampling_is_sent(serve):
    stub = serve()
    sampling = Sampling(
        n=2, temperature=0.7, top_p=0.9, max_tokens=11, stop=("\n", "."), seed=5, top_logprobs=3, reasoning_effort="low"
    )
    await ask(stub, CHAT, sampling, extra={"top_k": -1})
    await ask(stub, TEXT, Sampling(top_logprobs=0))
    sent, text = stub.bodies()
    sent.pop("messages")
    assert sent == {
        **{"model": "m", "n": 2, "temperature": 0.7, "top_p": 0.9, "max_tokens": 11, "stop": ["\n", "."], "seed": 5},
        **{"logprobs": True, "top_logprobs": 3, "reasoning_effort": "low", "top_k": -1},
    }
    assert text["logprobs"] == 1  # 0 would be "none" for some servers; the surplus alternative is dropped


async def test_a_budget_of_reasoning_goes_where_the_server_takes_it(serve):
    stub = serve()
    sampling = Sampling(max_tokens=10, reasoning_tokens=500)
    await ask(stub, CHAT, sampling, budget_field="reasoning.max_tokens", extra={"reasoning": {"exclude": False}})
    assert stub.bodies()[0]["reasoning"] == {"exclude": False, "max_tokens": 500}
    assert stub.bodies()[0]["max_tokens"] == 510
    with pytest.raises(MissingCapability, match="budget_field"):
        await ask(stub, CHAT, sampling)


async def test_text_goes_to_the_chat_route_when_told_so(serve):
    stub = serve(text=False)
    await ask(stub, TEXT, chat=True)
    assert stub.bodies("chat/completions")[0]["messages"] == [{"role": "user", "content": "The sky is"}]


async def test_an_open_last_turn_is_to_be_continued(serve):
    prompt = Prompt(messages=(Message("user", "Is it?"), Message("assistant", "I say")))
    stub = serve()
    await ask(stub, prompt)
    assert stub.bodies()[0]["continue_final_message"] is True and stub.bodies()[0]["add_generation_prompt"] is False
    strict = serve(refuses=("continue_final_message", "add_generation_prompt"))
    with pytest.warns(UserWarning, match="answered instead of continued"):
        [reply] = await ask(strict, prompt)
    assert reply.text == " yes 0 0"


async def test_extra_may_not_overrule_sampling(serve):
    with pytest.raises(DoxaError, match="temperature"):
        Endpoint("m", base_url="http://127.0.0.1:1/v1", extra={"temperature": 1})


# --- what is read ----------------------------------------------------------------------------------------------------


async def test_text_finish_usage_and_reasoning_are_read(serve):
    def choice(finish: str, **message: Any) -> dict[str, Any]:
        usage = {"prompt_tokens": 4, "completion_tokens": 9}
        return {"choices": [{"index": 0, "finish_reason": finish, "message": message}], "usage": usage}

    stub = serve(
        gives(choice("stop", content="Yes.", reasoning_content="Look up.")),
        gives(choice("length", content=None, reasoning="Hmm")),
        gives(choice("content_filter", content="")),
        gives(choice("stop", content=None, refusal="I will not.")),
        gives(
            choice(
                "stop",
                content=[
                    {"type": "thinking", "thinking": [{"type": "text", "text": "a"}]},
                    {"type": "text", "text": "b"},
                ],
            )
        ),
        gives(choice("tool_calls", content=None)),
    )
    read = [(await ask(stub, CHAT))[0] for _ in range(6)]
    assert [(r.text, r.finish, r.reasoning) for r in read] == [
        ("Yes.", "stop", "Look up."),
        ("", "length", "Hmm"),
        ("", "refusal", None),
        ("I will not.", "refusal", None),
        ("b", "stop", "a"),
        ("", "stop", None),
    ]
    assert (read[0].input_tokens, read[0].output_tokens) == (4, 9)


@pytest.mark.parametrize("prompt", [CHAT, TEXT])
async def test_token_logprobs_are_read_on_both_routes(serve, prompt):
    stub = serve(answer=" yes !")
    [reply] = await ask(stub, prompt, Sampling(top_logprobs=1))
    assert [t.text for t in reply.tokens] == [" yes", " ", "!"]
    assert reply.tokens[0].top == (("!", -0.5),)
    first = reply.tokens[0].logprob
    assert first == logprob(" yes")
    [plain] = await ask(stub, prompt, Sampling(top_logprobs=0))
    assert plain.tokens[0] == Token(" yes", logprob(" yes"))
    assert (await ask(stub, prompt))[0].tokens is None


async def test_a_logprob_that_the_server_does_not_give_is_nan(serve):
    content = [{"token": "a", "logprob": -9999.0, "top_logprobs": [{"token": "b", "logprob": -0.1}]}]
    stub = serve(gives({"choices": [{"message": {"content": "a"}, "logprobs": {"content": content}}]}))
    [reply] = await ask(stub, CHAT, Sampling(top_logprobs=1))
    assert math.isnan(reply.tokens[0].logprob) and reply.tokens[0].top == (("b", -0.1),)


async def test_missing_logprobs_are_an_error_not_a_gap(serve):
    with pytest.raises(MissingCapability, match="come without them"):
        await ask(serve(logprobs=False), CHAT, Sampling(top_logprobs=1))
    with pytest.raises(MissingCapability, match="logprobs"):
        await ask(serve(refuses=("logprobs",)), CHAT, Sampling(top_logprobs=1))


async def test_stop_strings_are_cut_where_the_server_ignores_them(serve):
    stub = serve(answer=" yes. No", honours_stop=False)
    [reply] = await ask(stub, CHAT, Sampling(stop=(".",), top_logprobs=0))
    assert reply.text == " yes" and [t.text for t in reply.tokens] == [" yes"] and reply.finish == "stop"


async def test_another_model_name_is_warned_of_once(serve):
    model = Endpoint("m", base_url=serve(name="m-2025-04-14").url)
    with pytest.warns(UserWarning, match="m-2025-04-14") as warned:
        await model.generate(CHAT, Sampling())
        await model.generate(CHAT, Sampling())
    await model.close()
    assert len(warned) == 1


# --- several samples -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", ["honours", "ignores", "refuses"])
async def test_n_samples_come_from_any_server(serve, manner):
    stub = serve(n=manner)
    model = Endpoint("m", base_url=stub.url)
    first = await model.generate(CHAT, Sampling(n=3, temperature=1.0, seed=7))
    second = await model.generate(CHAT, Sampling(n=3, temperature=1.0, seed=7))
    await model.close()
    assert [r.text for r in first] == [r.text for r in second]
    assert len({r.text for r in first}) == 3
    seeds = [b["seed"] for b in stub.bodies() if "n" not in b]
    own = [sample_seed(7, k) for k in range(3)]
    assert sorted(seeds) == sorted({"honours": [], "ignores": own[1:] + own, "refuses": own + own}[manner])
    assert sum("n" in b for b in stub.bodies()) == (2 if manner == "honours" else 1)  # learned once


def test_sample_seeds_of_neighbouring_seeds_do_not_meet():
    seeds = [sample_seed(seed, k) for seed in range(50) for k in range(50)]
    assert len(set(seeds)) == 2500 and all(0 <= s < 2**31 for s in seeds)
    assert sample_seed(-1, 0) == 2**31 - 1  # never negative


async def test_samples_that_are_all_alike_are_warned_of_once(serve):
    model = Endpoint("m", base_url=serve(answer="word " * 20).url)
    await model.generate(CHAT, Sampling(n=3))  # greedy: no wonder
    with pytest.warns(UserWarning, match="does the server sample at all") as warned:
        await model.generate(CHAT, Sampling(n=3, temperature=1.0))
        await model.generate(CHAT, Sampling(n=3, temperature=1.0))
    await model.close()
    assert len(warned) == 1


async def test_usage_of_several_choices_is_not_counted_twice(serve):
    stub = serve()
    told = await ask(stub, CHAT, Sampling(n=2, top_logprobs=0))
    untold = await ask(stub, CHAT, Sampling(n=2))
    each = len(pieces(" yes 0 0"))
    assert [r.output_tokens for r in told] == [each, each]
    assert [r.output_tokens for r in untold] == [2 * each, None]
    assert [r.input_tokens for r in untold] == [7, None]


# --- what a server wants is learned once -----------------------------------------------------------------------------


async def test_max_completion_tokens_is_learned_once(serve):
    stub = serve(max_tokens="max_completion_tokens")
    model = Endpoint("m", base_url=stub.url)
    for _ in range(3):
        await model.generate(CHAT, Sampling(max_tokens=9))
    await model.close()
    assert [b.get("max_completion_tokens") for b in stub.bodies()] == [None, 9, 9, 9]
    assert model.usage.retries == 0


async def test_parameters_that_are_refused_are_left_out_and_said(serve):
    stub = serve(refuses=("temperature", "seed", "stop"), answer=" yes. No", honours_stop=False)
    model = Endpoint("m", base_url=stub.url)
    with pytest.warns(UserWarning) as warned:
        replies = [(await model.generate(CHAT, Sampling(stop=(".",))))[0].text for _ in range(2)]
    await model.close()
    assert replies == [" yes", " yes"]
    assert [str(w.message).split(" let ")[1].split(" be ")[0] for w in warned] == ["temperature", "seed", "stop"]
    assert len(stub.requests) == 5


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "temperature must be at most 1, got 1.5", "param": "temperature"}},
        {"error": {"message": "max_tokens=9000 cannot be greater than max_model_len=256.", "param": "max_tokens"}},
        {"error": {"message": "Unsupported value: 'logit_bias' does not support temperature", "param": "logit_bias"}},
    ],
)
async def test_a_bad_value_is_not_mistaken_for_a_missing_parameter(serve, error):
    stub = serve(gives(error, 400))
    with pytest.raises(DoxaError, match="answered 400"):
        await ask(stub, CHAT)
    assert len(stub.requests) == 1


async def test_fastapi_errors_are_understood(serve):
    extra = {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
    listed = {"detail": "Unexpected fields in the request: {'top_p'}"}
    stub = serve(gives(extra, 422), gives(listed, 422))
    with pytest.warns(UserWarning):
        await ask(stub, CHAT)
    assert "seed" not in stub.bodies()[1] and "top_p" not in stub.bodies()[2]


# --- identity and capabilities ---------------------------------------------------------------------------------------


async def test_identity_names_server_and_model_and_what_lasts(serve):
    entry = {"id": "m", "owned_by": "vllm", "root": "org/m", "created": 3, "status": {"value": "loaded"}}
    stub = serve(models=[{"id": "other", "owned_by": "x"}, entry])
    model = Endpoint("m", base_url=stub.url + "/")
    assert model.identity["base_url"] == stub.url and model.identity["model"] == "m"
    assert model.identity["reported"] == {"owned_by": "vllm", "root": "org/m"}
    assert model.fingerprint == Endpoint("m", base_url=stub.url + "/chat/completions").fingerprint
    assert model.fingerprint != Endpoint("m", base_url=stub.url, extra={"top_k": 1}).fingerprint
    assert len(stub.requests) == 3  # asked once by each
    await model.close()


def test_a_server_that_lists_nothing_has_an_identity_all_the_same(serve):
    assert Endpoint("m", base_url=serve(models=None).url).identity["reported"] == {}


@pytest.mark.parametrize(
    ("manners", "able"),
    [
        ({}, {"generate", "logprobs", "score"}),
        ({"echo": False}, {"generate", "logprobs"}),
        ({"logprobs": False}, {"generate"}),
        ({"refuses": ("logprobs",)}, {"generate"}),
        ({"text": False}, {"generate", "logprobs"}),
        ({"chat": False}, {"generate", "logprobs", "score"}),
    ],
)
def test_capabilities_are_found_out(serve, manners, able):
    stub = serve(**manners)
    model = Endpoint("m", base_url=stub.url)
    assert model.capabilities == able
    asked = len(stub.requests)
    assert model.capabilities == able and len(stub.requests) == asked <= 4
    assert all(b.get("max_tokens", 1) <= 8 for b in stub.bodies())


def test_declared_capabilities_cost_no_question(serve):
    stub = serve()
    assert Endpoint("m", base_url=stub.url, logprobs=True, score=False).capabilities == {"generate", "logprobs"}
    assert stub.requests == []


async def test_capabilities_can_be_looked_at_inside_a_running_loop(serve):
    model = Endpoint("m", base_url=serve(echo=False).url)
    with pytest.raises(MissingCapability, match="study 'x' needs score"):
        check_needs({"score"}, model, "study 'x'")


async def test_one_model_serves_one_event_loop_after_another(serve):
    stub = serve(keep_alive=False)
    model = Endpoint("m", base_url=stub.url)
    texts: list[str] = []

    def run_unclosed() -> None:
        texts.append(asyncio.run(model.generate(CHAT, Sampling()))[0].text)

    for _ in range(2):
        thread = threading.Thread(target=run_unclosed)
        thread.start()
        await asyncio.to_thread(thread.join)
    texts.append((await model.generate(CHAT, Sampling()))[0].text)
    await model.close()
    await model.close()
    assert texts == [" yes 0 0"] * 3


# --- base URL and key -------------------------------------------------------------------------------------------------


def test_the_base_url_comes_from_the_option_or_the_environment(monkeypatch):
    with pytest.raises(DoxaError, match=r"--base-url.*DOXA_BASE_URL"):
        Endpoint("m")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:2/v1")
    assert "localhost:2" in repr(Endpoint("m"))
    monkeypatch.setenv("DOXA_BASE_URL", "http://localhost:1/v1")
    assert "localhost:1" in repr(Endpoint("m"))
    assert "localhost:3" in repr(Endpoint("m", base_url="http://localhost:3/v1"))


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://x/v1", "http://", "http://[::1/v1", "http://h:99999/v1", ""]
)
def test_what_is_no_base_url_is_said(url):
    with pytest.raises(DoxaError, match="base URL"):
        Endpoint("m", base_url=url)


@pytest.mark.parametrize(
    "url", [f"https://u:{KEY}@h.org/v1", f"https://h.org/v1?key={KEY}", f"h.org?key={KEY}", f"https://h.org/v1#{KEY}"]
)
def test_a_secret_in_the_base_url_is_refused_and_not_repeated(url):
    with pytest.raises(DoxaError) as caught:
        Endpoint("m", base_url=url)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://localhost:1/v1", "http://[::1]:1/v1"])
def test_a_server_on_this_machine_needs_no_key(url):
    Endpoint("m", base_url=url)


def test_any_other_server_does(monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(DoxaError, match="environment variable MY_KEY is not set"):
        Endpoint("m", base_url="https://api.example.org/v1", api_key_env="MY_KEY")
    Endpoint("m", base_url="https://api.example.org/v1", api_key_env=None)
    monkeypatch.setenv("MY_KEY", "two words")
    with pytest.raises(DoxaError, match="MY_KEY does not hold a key") as caught:
        Endpoint("m", base_url="https://api.example.org/v1", api_key_env="MY_KEY")
    assert "two words" not in str(caught.value)
