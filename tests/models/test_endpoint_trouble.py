"""The endpoint client on a server that misbehaves: what is retried, what is told apart, and that no key shows."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest
from stub_server import Stub, breaks, gives, hangs, says, serving, stops_midway, talks_nonsense

from doxa.models.endpoint import (
    AccessDenied,
    BadRequest,
    Endpoint,
    NotAnApi,
    NotFound,
    QuotaUsedUp,
    ServerFailed,
    Unreachable,
)
from doxa.models.endpoint_limit import Clock, Limit
from doxa.models.endpoint_link import GONE_AFTER
from doxa.models.endpoint_pace import Ticket
from doxa.models.endpoint_server import retry_after
from doxa.records import DoxaError, Prompt, Sampling

CHAT = Prompt.user("Is the sky blue?")
KEY = "sk-planted-0123456789"
HTML = "<!DOCTYPE html><html><body>Welcome to nginx</body></html>"


class Time(Clock):
    """A clock that stands still except while somebody sleeps; `slept` keeps for how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


serve = pytest.fixture(serving)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("DOXA_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def open_model(url: str, **options: Any) -> tuple[Endpoint, Time]:
    model, time = Endpoint("m", base_url=url, **options), Time()
    model._clock = time
    return model, time


async def ask(stub: Stub, **options: Any) -> tuple[Any, Endpoint, Time]:
    model, time = open_model(stub.url, **options)
    try:
        [reply] = await model.generate(CHAT, Sampling())
    finally:
        await model.close()
    return reply, model, time


# --- what is retried -------------------------------------------------------------------------------------------------

PASSING = {
    "500": says(500, "{}"),
    "502 with a web page": says(502, HTML, kind="text/html"),
    "529": says(529, '{"error": {"message": "overloaded"}}'),
    "broken connection": breaks,
    "body cut off": stops_midway,
    "truncated JSON": says(200, '{"choices": [{"mess'),
    "empty body": says(200),
    "no HTTP": talks_nonsense,
    "no choices": gives({"choices": []}),
    "generation broke off": gives({"choices": [{"finish_reason": "error", "message": {"content": "ye"}}]}),
    "error inside a 200": gives({"error": {"message": "upstream failed", "code": 502}}),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_passing_trouble_is_retried_and_counted(serve, trouble):
    stub = serve(trouble, trouble)
    reply, model, time = await ask(stub)
    assert reply.text == " yes 0 0" and len(stub.requests) == 3
    assert model.usage.retries == 2 and model.usage.calls == 1
    assert sum(n for kind, n in model.usage.by_kind.items() if kind.startswith("retry after")) == 2
    assert 0.3 < time.slept[0] < 0.7 and 0.7 < time.slept[1] < 1.3  # doubling, with jitter


async def test_a_hanging_server_is_given_up_and_asked_again(serve):
    stub = serve(hangs)
    reply, model, _ = await ask(stub, timeout_s=0.3)
    assert reply.text == " yes 0 0" and model.usage.by_kind["retry after time-out"] == 1


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_lasting_trouble_fails_the_question_only(serve, trouble):
    stub = serve(*[trouble] * 3)
    model, _ = open_model(stub.url, retries=2)
    with pytest.raises(ServerFailed, match="after 2 retries") as caught:
        await model.generate(CHAT, Sampling())
    assert not getattr(caught.value, "fatal", False)
    assert (await model.generate(CHAT, Sampling()))[0].text == " yes 0 0"
    await model.close()


async def test_a_server_that_went_away_stops_the_run(serve):
    stub = serve(*[says(500, "{}")] * GONE_AFTER)
    model, _ = open_model(stub.url, retries=0)
    kinds = []
    for _ in range(GONE_AFTER):
        with pytest.raises(ServerFailed) as caught:
            await model.generate(CHAT, Sampling())
        kinds.append(type(caught.value))
    await model.close()
    assert kinds == [ServerFailed] * (GONE_AFTER - 1) + [Unreachable] and Unreachable.fatal


async def test_nobody_at_the_base_url():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    model, _ = open_model(url, retries=1)
    with pytest.raises(Unreachable, match=r"nobody answers at http://127\.0\.0\.1.*running there"):
        await model.generate(CHAT, Sampling())
    with pytest.raises(Unreachable, match="nobody answers"):
        _ = model.capabilities
    await model.close()


async def test_no_tls_where_https_was_given(serve):
    model, _ = open_model(serve().url.replace("http:", "https:"))
    with pytest.raises(Unreachable, match="is it https://"):
        await model.generate(CHAT, Sampling())
    await model.close()


# --- rate limits -----------------------------------------------------------------------------------------------------


async def test_retry_after_is_honoured(serve):
    stub = serve(says(429, "{}", Retry_After="7"), says(429, "{}", Retry_After="Sun, 06 Nov 1994 08:49:37 GMT"))
    reply, model, time = await ask(stub, retries=0)  # waiting for rate limits is no failure
    assert reply.text == " yes 0 0"
    assert time.slept[0] == 7.0 and model.usage.by_kind["retry after 429"] == 2


def test_retry_after_in_seconds_and_as_a_date():
    date = {"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after({"Retry-After": "1.5"}) == 1.5
    assert retry_after(date) == 30.0
    assert retry_after({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}) == 0.0
    assert retry_after({}) is None and retry_after({"Retry-After": "soon"}) is None


async def test_a_rate_limit_that_never_ends_fails_the_question(serve):
    stub = serve(*[says(429, "{}", Retry_After="40")] * 9)
    with pytest.raises(ServerFailed, match=r"429 .* for 100 s"):
        await ask(stub, patience_s=100)
    assert len(stub.requests) == 4  # 0, 40, 80, 120 s
    impatient = serve(*[says(429, "{}", Retry_After="0")] * 99)
    with pytest.raises(ServerFailed, match="429"):
        await ask(impatient, patience_s=100)
    assert 7 <= len(impatient.requests) <= 12  # "at once" is not taken at its word


async def test_a_wait_of_hours_stops_the_run(serve):
    stub = serve(says(429, "{}", Retry_After="86400"))
    model, time = open_model(stub.url)
    with pytest.raises(QuotaUsedUp, match="86400 s"):
        await model.generate(CHAT, Sampling())
    assert QuotaUsedUp.fatal and len(stub.requests) == 1
    await model.generate(CHAT, Sampling())
    await model.close()
    assert sum(time.slept) < 1  # nobody waits for a day


async def test_the_number_in_flight_is_halved_and_grows_back():
    limit = Limit(64, Time())
    tickets = [await limit.__aenter__() for _ in range(64)]
    for ticket in tickets:  # 64 failures of requests that were sent together count once
        limit.overloaded(ticket, None)
    assert limit.allowed == 32
    limit.overloaded((await asyncio.wait_for(_after_leaving(limit, 40), 5)), None)
    assert limit.allowed == 12  # 24 were left inside, and one came in
    for _ in range(2000):
        limit.answered()
    assert limit.allowed == 64


async def _after_leaving(limit: Limit, n: int) -> Ticket:
    for _ in range(n + 1):
        await limit.__aexit__(None, None, None)
    return await limit.__aenter__()


async def test_rejections_shrink_the_crowd_and_lose_nothing(serve):
    stub = serve(*[says(429, "{}", Retry_After="1")] * 30)
    model, _ = open_model(stub.url, concurrency=40)
    replies = await asyncio.gather(*(model.generate(CHAT, Sampling(seed=k)) for k in range(200)))
    link = await model._link()
    assert [r[0].text for r in replies] == [f" yes {k} 0" for k in range(200)]
    assert stub.peak <= 40 and link.limit.in_flight == 0
    assert model.usage.by_kind["retry after 429"] == 30 and model.usage.calls == 200
    await model.close()


async def test_hundreds_are_in_flight_at_once(serve):
    stub = serve(together=300)  # nobody is answered before 300 are there
    model, _ = open_model(stub.url, concurrency=300)
    replies = await asyncio.gather(*(model.generate(CHAT, Sampling(seed=k)) for k in range(700)))
    await model.close()
    assert stub.peak == 300
    assert [r[0].text for r in replies] == [f" yes {k} 0" for k in range(700)]


async def test_one_that_is_cancelled_gives_its_place_back(serve):
    stub = serve(hangs)
    model, _ = open_model(stub.url, concurrency=1)
    first = asyncio.create_task(model.generate(CHAT, Sampling()))
    waiting = [asyncio.create_task(model.generate(CHAT, Sampling(seed=k))) for k in range(3)]
    while not stub.requests:
        await asyncio.sleep(0.01)
    waiting[0].cancel()
    first.cancel()
    done = await asyncio.gather(*waiting[1:])
    await model.close()
    assert [r[0].text for r in done] == [" yes 1 0", " yes 2 0"]


# --- what is told apart at once --------------------------------------------------------------------------------------

AT_ONCE = {
    "401": (
        gives({"error": {"message": f"bad key {KEY}"}}, 401),
        AccessDenied,
        "environment variable OPENAI_API_KEY",
    ),
    "403": (says(403, '{"error": {"message": "no access"}}'), AccessDenied, "OPENAI_API_KEY.*It says: no access"),
    "404": (says(404, '{"error": {"message": "no model m"}}'), NotFound, "no model 'm'.*does it end in /v1"),
    "405": (says(405, "{}"), NotFound, "answered 405"),
    "404 page": (says(404, HTML, kind="text/html"), NotAnApi, "a web page.*is the base URL right .does it end in /v1"),
    "web page": (says(200, HTML, kind="text/html"), NotAnApi, "a web page, not with an API's JSON"),
    "text": (says(200, "It works!", kind="text/plain"), NotAnApi, "'It works!'"),
    "a list": (says(200, "[1]"), NotAnApi, "not with an API's JSON"),
    "redirect": (says(301, Location="https://api.example.org/v1"), NotAnApi, "redirects.*https://api.example.org/v1"),
    "400": (
        says(400, '{"error": {"message": "context too long"}}'),
        BadRequest,
        "400 for 'm'. It says: context too long",
    ),
    "413": (says(413, "too large"), BadRequest, "too large"),
    "422": (
        says(422, '{"detail": [{"loc": ["body", "messages"], "msg": "too few"}]}'),
        BadRequest,
        "body.messages: too few",
    ),
    "402": (says(402, '{"error": {"message": "add credit"}}'), QuotaUsedUp, "used up.*add credit"),
    "quota": (
        says(429, '{"error": {"code": "insufficient_quota", "message": "no"}}'),
        QuotaUsedUp,
        "account is used up",
    ),
}


@pytest.mark.parametrize(("trouble", "kind", "words"), AT_ONCE.values(), ids=AT_ONCE)
async def test_lasting_errors_are_told_apart_and_never_retried(serve, trouble, kind, words):
    stub = serve(trouble)
    with pytest.raises(kind, match=words) as caught:
        await ask(stub)
    assert len(stub.requests) == 1
    assert getattr(caught.value, "fatal", False) == (kind is not BadRequest)


REFUSALS = {
    "Azure": gives({"error": {"code": "content_filter", "message": "The response was filtered"}}, 400),
    "inner": gives(
        {"error": {"code": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}, "message": ""}}, 400
    ),
    "moderation": gives({"error": {"code": 403, "message": "no", "metadata": {"reasons": ["violence"]}}}, 403),
    "words": gives({"error": {"code": "invalid_prompt", "message": "violates our usage policies"}}, 400),
}


@pytest.mark.parametrize("trouble", REFUSALS.values(), ids=REFUSALS)
async def test_a_question_declined_for_its_content_is_a_refusal(serve, trouble):
    stub = serve(trouble)
    reply, _, _ = await ask(stub)
    assert reply.finish == "refusal" and reply.text == "" and "declined" in reply.error
    assert len(stub.requests) == 1


async def test_every_sample_of_a_declined_question_is_a_refusal(serve):
    model, _ = open_model(serve(REFUSALS["Azure"]).url)
    replies = await model.generate(CHAT, Sampling(n=3))
    await model.close()
    assert [r.finish for r in replies] == ["refusal"] * 3


async def test_an_unknown_model_is_told_with_those_there_are(serve):
    model, _ = open_model(serve(says(404, "{}"), models=[{"id": "a"}, {"id": "b"}]).url)
    assert model.identity["reported"] == {}
    with pytest.raises(NotFound, match="The server lists: a, b"):
        await model.generate(CHAT, Sampling())
    await model.close()


def test_a_wrong_key_is_met_before_the_first_question(serve):
    stub = serve(says(401, "{}"), says(401, "{}"), models=None)
    model, _ = open_model(stub.url)
    with pytest.raises(AccessDenied):
        _ = model.capabilities


# --- the key ---------------------------------------------------------------------------------------------------------


async def test_the_key_is_sent(serve):
    stub = serve(key=KEY)
    await ask(stub)
    assert stub.keys == [f"Bearer {KEY}"]


LEAKY = [
    *PASSING.values(),
    *(trouble for trouble, _, _ in AT_ONCE.values()),
    *REFUSALS.values(),
    gives({"error": {"message": f"you sent Bearer {KEY}, and sk-pla***789"}}, 400),
    gives({"error": {"message": f"{KEY} may not"}}, 403),
    says(500, KEY),
    says(302, Location=f"https://h.org/?k={KEY}"),
    says(200, f"<html>{KEY}", kind="text/html"),
    says(200, KEY, kind="text/plain"),
    gives({"model": KEY, "choices": [{"message": {"content": "x"}}]}),
]


@pytest.mark.filterwarnings("ignore:asked for")
async def test_no_key_shows_anywhere(serve, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    for trouble in LEAKY:
        stub = serve(trouble)
        model, _ = open_model(stub.url, retries=0)
        try:
            seen.append(repr(await model.generate(CHAT, Sampling())))
        except DoxaError as error:
            seen += chain(error)
        seen += [repr(model), str(model), repr(model.identity), repr(vars(model)), repr(model.usage), model.fingerprint]
        seen += [repr(vars(link)) for link in model._links.values()]
        await model.close()
    out, err = capfd.readouterr()
    everything = "\n".join([*seen, caplog.text, out, err])
    assert KEY not in everything and "sk-pla***" not in everything


def chain(error: BaseException | None) -> list[str]:
    """Everything that an error and those behind it would show."""
    if error is None:
        return []
    texts = [repr(error), str(error), repr(error.args), repr(vars(error))]
    return texts + chain(error.__cause__) + chain(error.__context__)
