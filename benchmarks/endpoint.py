"""Calls per second and client CPU per call of the endpoint client, and of its peers where they are installed.

    PYTHONPATH=src python benchmarks/endpoint.py [--calls 2000] [--concurrency 128]

The server is the tests' stub, in a process of its own, so that the CPU measured is the client's alone. Each client asks
the same chat question and reads the text. Prints a table and, on the last line, the same as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

STUB = Path(__file__).parents[1] / "tests" / "models" / "stub_server.py"
Ask = Callable[[int], Awaitable[str]]


async def with_doxa(url: str, concurrency: int, measure: Callable[[Ask], Awaitable[None]]) -> None:
    from doxa.models.endpoint import Endpoint
    from doxa.records import Prompt, Sampling

    model = Endpoint("m", base_url=url, concurrency=concurrency)

    async def ask(k: int) -> str:
        return (await model.generate(Prompt.user("Is the sky blue?"), Sampling(seed=k)))[0].text

    await measure(ask)
    await model.close()


async def with_openai(url: str, concurrency: int, measure: Callable[[Ask], Awaitable[None]]) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=120) as client:
        turns = [{"role": "user", "content": "Is the sky blue?"}]

        async def ask(k: int) -> str:
            done = await client.chat.completions.create(
                model="m", messages=turns, temperature=0, top_p=1, max_tokens=256, seed=k
            )
            return done.choices[0].message.content

        await measure(ask)


async def with_inspect(url: str, concurrency: int, measure: Callable[[Ask], Awaitable[None]]) -> None:
    from inspect_ai.model import GenerateConfig, get_model

    config = GenerateConfig(max_connections=concurrency, temperature=0, top_p=1, max_tokens=256)
    model = get_model("openai-api/stub/m", base_url=url, api_key="none", config=config)

    async def ask(k: int) -> str:
        return (await model.generate("Is the sky blue?", config=GenerateConfig(seed=k))).completion

    await measure(ask)


# client -> (module it needs, how it is run, which share of the calls it makes: the slow ones get fewer)
CLIENTS = {
    "doxa": ("doxa", with_doxa, 1.0),
    "openai": ("openai", with_openai, 0.25),
    "inspect_ai": ("inspect_ai", with_inspect, 0.15),
}


async def measured(run: Callable, url: str, calls: int, concurrency: int) -> dict[str, float]:
    """Calls per second and milliseconds of CPU per call, after a warm-up of one call for each connection."""
    found: dict[str, float] = {}

    async def measure(ask: Ask) -> None:
        gate = asyncio.Semaphore(concurrency)

        async def one(k: int) -> None:
            async with gate:
                if await ask(k) != f" yes {k} 0":
                    raise RuntimeError(f"call {k} got another one's answer")

        await asyncio.gather(*(one(k) for k in range(concurrency)))
        wall, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(k) for k in range(calls)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found.update(calls=calls, calls_per_s=calls / wall, cpu_ms_per_call=1000 * cpu / calls)

    await run(url, concurrency, measure)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=2000, help="calls of the doxa client; its peers make fewer")
    parser.add_argument("--concurrency", type=int, default=128, help="calls in flight")
    options = parser.parse_args()
    # Neither keys nor proxies: everything stays on this machine.
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        os.environ.pop(name, None)
    os.environ["INSPECT_DISPLAY"] = "none"
    results: dict[str, dict[str, float]] = {}
    server = subprocess.Popen([sys.executable, str(STUB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        for name, (module, run, share) in CLIENTS.items():
            if importlib.util.find_spec(module) is None:
                print(f"{name}: not installed, left out", file=sys.stderr)
                continue
            calls = max(options.concurrency, int(options.calls * share))
            results[name] = asyncio.run(measured(run, url, calls, options.concurrency))
    finally:
        server.stdin.close()
        server.wait(10)
    ours = results["doxa"]
    print(f"{'client':<12}{'calls/s':>10}{'CPU ms/call':>14}{'doxa is faster':>17}{'with less CPU':>16}")
    for name, r in results.items():
        r["speed_ratio"] = ours["calls_per_s"] / r["calls_per_s"]
        r["cpu_ratio"] = r["cpu_ms_per_call"] / ours["cpu_ms_per_call"]
        figures = f"{r['calls_per_s']:>10.0f}{r['cpu_ms_per_call']:>14.3f}"
        print(f"{name:<12}{figures}{r['speed_ratio']:>16.1f}x{r['cpu_ratio']:>15.1f}x")
    print(json.dumps({"concurrency": options.concurrency, "clients": results}))


if __name__ == "__main__":
    main()
