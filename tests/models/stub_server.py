"""An OpenAI-compatible server with manners, good or bad, of a test's choosing. As a program it prints its base URL."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import threading
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

STOPPED = web.AppKey("stopped", asyncio.Event)

Behaviour = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class Manners:
    """What the server can and demands.

    n            "honours", "ignores", "refuses"
    refuses      parameters it answers with 400
    echo         gives log-probabilities of the text it was sent (completions); chat_scores: of chats
    bos          the echo begins with <s>, and offsets count it, as vLLM does
    together     holds requests until so many are there at the same time
    """

    key: str | None = None
    name: str | None = None
    max_tokens: str = "max_tokens"
    n: str = "honours"
    refuses: tuple[str, ...] = ()
    honours_stop: bool = True
    logprobs: bool = True
    echo: bool = True
    chat_scores: bool = False
    bos: bool = False
    chat: bool = True
    text: bool = True
    models: list[dict[str, Any]] | None = field(default_factory=lambda: [{"id": "m", "owned_by": "stub", "created": 1}])
    together: int = 0
    keep_alive: bool = True
    answer: str | None = None


class Stub:
    """The server, in a thread of its own: `with Stub() as stub: stub.url`.

    script     behaviours of the next POSTs, in turn; afterwards it answers as its manners say
    requests   (path, body) of every request; keys: the Authorization headers
    peak       most requests that were inside at the same time
    """

    def __init__(self, manners: Manners | None = None, script: Sequence[Behaviour] = ()) -> None:
        self.manners = manners or Manners()
        self.script = deque(script)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[str | None] = []
        self.peak = self._inside = 0
        self.url = ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Stub:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def bodies(self, path: str = "") -> list[dict[str, Any]]:
        return [body for at, body in self.requests if body and at.endswith(path)]

    async def _serve(self) -> None:
        self._loop, self._stop, self._crowd = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        app = web.Application()
        app[STOPPED] = self._stop
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.method == "POST" else {}
        self.requests.append((request.path, body))
        self.keys.append(request.headers.get("Authorization"))
        self._inside += 1
        self.peak = max(self.peak, self._inside)
        try:
            if self.manners.together:
                if self._inside >= self.manners.together:
                    self._crowd.set()
                await self._crowd.wait()
            if body and self.script:
                return await self.script.popleft()(request, body)
            return self._normal(request, body)
        finally:
            self._inside -= 1

    def _normal(self, request: web.Request, body: dict[str, Any]) -> web.Response:
        m = self.manners
        if m.key and request.headers.get("Authorization") != f"Bearer {m.key}":
            return problem(401, "Incorrect API key provided: " + request.headers.get("Authorization", "")[7:])
        if request.path == "/v1/models" and m.models is not None:
            return web.json_response({"data": m.models})
        chat = request.path.endswith("/chat/completions")
        if not body or not (m.chat if chat else m.text and request.path.endswith("/completions")):
            return web.json_response({"detail": "Not Found"}, status=404)
        if m.max_tokens not in body and "max_tokens" in body:
            return problem(
                400, f"Unsupported parameter: 'max_tokens'. Use '{m.max_tokens}' instead.", param="max_tokens"
            )
        for name in m.refuses:
            if name in body:
                return problem(400, f"Unrecognized request argument supplied: {name}", param=None)
        if body.get("n", 1) > 1 and m.n == "refuses":
            return problem(400, "Only one completion choice is allowed")
        response = web.json_response(self._completion(body, chat))
        if not m.keep_alive:
            response.force_close()
        return response

    def _completion(self, body: dict[str, Any], chat: bool) -> dict[str, Any]:
        m = self.manners
        count = body.get("n", 1) if m.n == "honours" else 1
        answers = [m.answer or f" yes {body.get('seed', 'any')} {k}" for k in range(count)]
        if m.honours_stop:
            answers = [
                re.split("|".join(map(re.escape, body["stop"])), a)[0] if body.get("stop") else a for a in answers
            ]
        if chat:
            choices = [{"index": k, "finish_reason": "stop", "message": {"content": a}} for k, a in enumerate(answers)]
        else:
            choices = [{"index": k, "finish_reason": "stop", "text": a} for k, a in enumerate(answers)]
        if m.logprobs and body.get("logprobs"):
            for choice, answer in zip(choices, answers, strict=True):
                choice["logprobs"] = self._chat_logprobs(answer) if chat else self._text_logprobs(body, answer)
        written = sum(len(pieces(a)) for a in answers)
        usage = {"prompt_tokens": 7, "completion_tokens": written, "total_tokens": 7 + written}
        data: dict[str, Any] = {"model": m.name or body["model"], "choices": choices, "usage": usage}
        if m.chat_scores and "prompt_logprobs" in body:
            data["prompt_logprobs"] = self._prompt_logprobs(body["messages"])
        if body.get("echo"):
            usage["completion_tokens"] = 1
            choices[0]["text"] = (body["prompt"] if m.echo else "") + pieces(answers[0])[0]
        return data

    def _chat_logprobs(self, answer: str) -> dict[str, Any]:
        tokens = pieces(answer)
        return {
            "content": [
                {
                    "token": t,
                    "logprob": logprob(t),
                    "top_logprobs": [{"token": "!", "logprob": -0.5}, {"token": t, "logprob": logprob(t)}],
                }
                for t in tokens
            ]
        }

    def _text_logprobs(self, body: dict[str, Any], answer: str) -> dict[str, Any]:
        tokens = pieces(answer)
        if body.get("echo") and self.manners.echo:
            tokens = [*(["<s>"] if self.manners.bos else []), *pieces(body["prompt"]), tokens[0]]
        values: list[float | None] = [logprob(t) for t in tokens]
        offsets = [sum(map(len, tokens[:i])) for i in range(len(tokens))]
        if body.get("echo"):
            values[0] = None
        top = [{"!": -0.5, t: v} for t, v in zip(tokens, values, strict=True)]
        return {"tokens": tokens, "token_logprobs": values, "text_offset": offsets, "top_logprobs": top}

    def _prompt_logprobs(self, messages: list[dict[str, str]]) -> list[dict[str, Any] | None]:
        text = "".join(f"[{m['role']}] {m['content']}" for m in messages)
        return [None, *({str(k): {"logprob": logprob(t), "decoded_token": t}} for k, t in enumerate(pieces(text)))]


def serving() -> Iterator[Callable[..., Stub]]:
    """A fixture: starts stubs with a script and manners, and stops them all at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda *script, **manners: stack.enter_context(Stub(Manners(**manners), script))


def pieces(text: str) -> list[str]:
    """The stub's tokens: words with the blank before them, and single other characters."""
    return re.findall(r" ?\w+|.", text, re.S)


def logprob(token: str) -> float:
    """The stub's log-probability of a token, whatever stands before it: between -5 and -1."""
    return -1.0 - zlib.crc32(token.encode()) % 4000 / 1000


def problem(code: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"error": {"message": message, "code": code} | more}, status=code)


# --- bad manners, one request each -----------------------------------------------------------------------------------


def says(status: int, body: str = "", *, kind: str = "application/json", **headers: str) -> Behaviour:
    async def behave(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return web.Response(status=status, text=body, content_type=kind, headers=named)

    return behave


def gives(data: dict[str, Any], status: int = 200) -> Behaviour:
    async def behave(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(data, status=status)

    return behave


async def hangs(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
    await request.app[STOPPED].wait()
    return web.Response(status=503)


async def breaks(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def stops_midway(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def talks_nonsense(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.write(b"220 smtp.example ESMTP\r\n\r\n")
    request.transport.close()
    return web.Response()


if __name__ == "__main__":
    with Stub() as stub:
        print(stub.url, flush=True)
        sys.stdin.read()
