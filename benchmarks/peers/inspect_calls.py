"""Calls per second of Inspect's model layer, or of the openai client alone. JSON in, JSON on the last line out."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version
from typing import Any

os.environ["INSPECT_DISPLAY"] = "none"
QUESTION = "Is the sky blue? Answer with a letter and a confidence."
Ask = Callable[[int], Awaitable[str]]


async def with_inspect(url: str, concurrency: int, measure: Callable[[Ask], Awaitable[None]]) -> None:
    from inspect_ai.model import GenerateConfig, get_model

    config = GenerateConfig(max_connections=concurrency, temperature=0, top_p=1, max_tokens=256)
    model = get_model("openai-api/stub/m", base_url=url, api_key="none", config=config)

    async def ask(k: int) -> str:
        return (await model.generate(QUESTION, config=GenerateConfig(seed=k))).completion

    await measure(ask)


async def with_openai(url: str, concurrency: int, measure: Callable[[Ask], Awaitable[None]]) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=120) as client:
        turns: Any = [{"role": "user", "content": QUESTION}]

        async def ask(k: int) -> str:
            done = await client.chat.completions.create(
                model="m", messages=turns, temperature=0, top_p=1, max_tokens=256, seed=k
            )
            return done.choices[0].message.content or ""

        await measure(ask)


async def measured(client: str, url: str, calls: int, concurrency: int) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def measure(ask: Ask) -> None:
        texts: dict[int, str] = {}

        async def work(left: Iterator[int]) -> None:
            for k in left:
                texts[k] = await ask(k)

        for many in (concurrency, calls):  # the first ones open the connections
            left = iter(range(many))
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*(work(left) for _ in range(concurrency)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        found.update(per_s=calls / wall, cpu_ms=1000 * cpu / calls, texts=[texts[k] for k in range(calls)])

    await {"inspect_ai": with_inspect, "openai": with_openai}[client](url, concurrency, measure)
    return found | {"version": version(client)}


if __name__ == "__main__":
    request = json.load(sys.stdin)
    print(json.dumps(asyncio.run(measured(**request))))
