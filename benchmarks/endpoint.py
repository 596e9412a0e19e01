"""The endpoint client: calls per second beside Inspect's model layer, and what it makes of a server's limits.

    PYTHONPATH=src python benchmarks/endpoint.py [--calls 4000] [--concurrency 128]

The server is in a process of its own and costs a fraction of any client. Each client asks the same question and reads
the reply; ours with its retries, its logging and the parser of a form. The parts take turns, and the middle of three
rounds counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmark import INSPECT, Row, at_least, at_most, command, times

from doxa.elicit import verbal
from doxa.models.endpoint import Endpoint
from doxa.records import Item, Prompt, Sampling

HERE = Path(__file__).parent
QUESTION = "Is the sky blue? Answer with a letter and a confidence."
FORM = verbal.Vanilla()
ITEM = Item("sky", QUESTION, "choice", options=("no", "yes"), answer="yes")
ROUNDS = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--calls", type=int, default=4000, help="calls of our client in a round; its peers make fewer")
    parser.add_argument("--concurrency", type=int, default=128, help="calls in flight")


def rows(args: argparse.Namespace) -> Iterator[Row]:
    # Neither keys nor proxies: everything stays on this machine.
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
    yield from speed(args)
    yield from limits(30.0 if not args.quick else 12.0)


# --- calls per second ------------------------------------------------------------------------------------------------


def speed(args: argparse.Namespace) -> Iterator[Row]:
    calls = args.calls // 10 if args.quick else args.calls
    few = max(args.concurrency, calls // 8)
    INSPECT.python(args.env)  # not while anything is measured

    def peer(client: str) -> Callable[[str], dict[str, Any]]:
        request = {"client": client, "calls": few, "concurrency": args.concurrency}
        return lambda url: INSPECT.run(args.env, HERE / "peers" / "inspect_calls.py", request | {"url": url})

    parts: dict[str, Callable[[str], dict[str, Any]]] = {
        "bare": lambda url: asyncio.run(bare(url, calls, args.concurrency)),
        "doxa": lambda url: asyncio.run(ours(url, calls, args.concurrency)),
        "inspect_ai": peer("inspect_ai"),
        "openai": peer("openai"),
    }
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in parts}
    with server() as url:
        for _ in range(1 if args.quick else ROUNDS):
            for name, measure in parts.items():
                found[name].append(measure(url))
    per_s = {name: statistics.median(r["per_s"] for r in rounds) for name, rounds in found.items()}
    cpu = {name: statistics.median(r["cpu_ms"] for r in rounds) for name, rounds in found.items()}
    for name, bound in (("inspect_ai", 10.0), ("openai", None)):
        note = f"client CPU per call: {cpu['doxa']:.3f} ms, {name} {cpu[name]:.2f} ms ({cpu[name] / cpu['doxa']:.0f}x)"
        named = f"{name} {found[name][0]['version']}"
        yield times("calls", named, per_s["doxa"], per_s[name], "a second", bound, more_is_better=True, note=note)
    note = "what the server gives to a client that does nothing: it must not be what is measured"
    yield at_least("server with a bare client / with ours", per_s["bare"] / per_s["doxa"], "x", 1.5, note)
    differ = sum(a != b for name in ("inspect_ai", "openai") for r in found[name] for a, b in read_alike(r))
    yield at_most("replies read differently", differ, "", 0, peer="inspect_ai, openai")


def read_alike(theirs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each reply that a peer read beside what is to be read: nobody gets another one's answer."""
    return ((text, reply_to(k)) for k, text in enumerate(theirs["texts"]))


def reply_to(seed: int) -> str:
    return f"Answer: B\nConfidence: 85%\nNumber: {seed}"


async def ours(url: str, calls: int, concurrency: int) -> dict[str, float]:
    model = Endpoint("m", base_url=url, concurrency=concurrency)

    async def ask(k: int) -> None:
        [reply] = await model.generate(Prompt.user(QUESTION), Sampling(seed=k))
        answer = FORM.read(reply, ITEM)
        if reply.text != reply_to(k) or (answer.value, answer.confidence) != ("B", 0.85):
            raise RuntimeError(f"call {k} got {reply.text!r}, read as {answer}")

    async def work(left: Iterator[int]) -> None:
        for k in left:
            await ask(k)

    with logging_to_a_file():
        for many in (concurrency, calls):  # the first ones open the connections
            left = iter(range(many))
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(work(left) for _ in range(concurrency)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    await model.close()
    return {"per_s": calls / wall, "cpu_ms": 1000 * cpu / calls}


@contextmanager
def logging_to_a_file() -> Iterator[None]:
    with tempfile.NamedTemporaryFile("w") as file:
        handler = logging.StreamHandler(file)
        root = logging.getLogger("doxa")
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        yield
        root.removeHandler(handler)
        root.setLevel(logging.NOTSET)


class Bare(asyncio.Protocol):
    """Sends one prepared request after the other over one connection and looks at nothing."""

    def __init__(self, request: bytes, calls: int) -> None:
        self._request, self._left = request, calls
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:  # answers are short: one piece each
        self._left -= 1
        if self._left:
            self._transport.write(self._request)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()


async def bare(url: str, calls: int, concurrency: int) -> dict[str, float]:
    place = urlsplit(url)
    assert place.hostname is not None and place.port is not None
    host, port = place.hostname, place.port
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": QUESTION}], "seed": 7}).encode()
    head = f"POST {place.path}/chat/completions HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    request, each, loop = head.encode() + body, max(1, calls // concurrency), asyncio.get_running_loop()
    wall, cpu = time.perf_counter(), time.process_time()
    made = [await loop.create_connection(lambda: Bare(request, each), host, port) for _ in range(concurrency)]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"per_s": each * concurrency / wall, "cpu_ms": 1000 * cpu / (each * concurrency)}


# --- a server's limits -----------------------------------------------------------------------------------------------

AT_ONCE = ("--delay", "0.5", "--in-flight", "200")
RATE = ("--delay", "0.02", "--rate", "50", "--burst", "50")
# name -> (the server's manners, concurrency of the client, what is possible)
CASES = {
    "200 in flight, 0.5 s each": (AT_ONCE, 200, 400.0),
    "200 in flight, 0.5 s each, unknown": (AT_ONCE, 256, 400.0),
    "50 a second": (RATE, 256, 50.0),
    "50 a second, Retry-After": ((*RATE, "--retry-after"), 256, 50.0),
}


def limits(seconds: float) -> Iterator[Row]:
    """All cases at the same time: they wait, mostly."""
    with ExitStack() as stack:
        urls = {name: stack.enter_context(server(*manners)) for name, (manners, _, _) in CASES.items()}
        asyncio.run(ask_all({url: CASES[name][1] for name, url in urls.items()}, seconds))
        counts = {name: fetch(f"{url}/counts") for name, url in urls.items()}
    for name, (_, _, possible) in CASES.items():
        answered, refused = (dict(counts[name][kind]) for kind in ("answered", "refused"))
        half = range(int(seconds) // 2, int(seconds))
        per_s = sum(answered.get(second, 0) for second in half) / len(half)
        whole = sum(answered.values()) / seconds / possible
        note = f"of {possible:g} a second; second half of {seconds:g} s, {whole:.1%} over all of them"
        yield at_least(f"{name}: rate", 100 * per_s / possible, "%", 95, note)
        if possible == 50.0:
            yield at_most(f"{name}: over the limit", 100 * per_s / possible, "%", 105)
        wasted = sum(refused.values()) / (sum(refused.values()) + sum(answered.values()))
        yield at_most(f"{name}: calls wasted", 100 * wasted, "%", 2, "429 answers, those until it settled included")


async def ask_all(servers: dict[str, int], seconds: float) -> None:
    """Ask each server as much as it takes, for so long."""
    models = [Endpoint("m", base_url=url, concurrency=concurrency) for url, concurrency in servers.items()]

    async def ask(model: Endpoint) -> None:
        while True:
            await model.generate(Prompt.user(QUESTION), Sampling())

    asking = [asyncio.create_task(ask(model)) for model in models for _ in range(model.concurrency)]
    await asyncio.sleep(seconds)
    for task in asking:
        task.cancel()
    for result in await asyncio.gather(*asking, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    for model in models:
        await model.close()


@contextmanager
def server(*manners: str) -> Iterator[str]:
    """Its base URL, as long as the block lasts."""
    arguments = [sys.executable, str(HERE / "answering_server.py"), *manners]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    command(rows, __doc__, arguments)
