"""Asynchronous work carried out by synchronous callers, from a script and from inside a running event loop alike."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


def carry_out(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` to its end in an event loop of its own and return what it returns.

    Ctrl-C cancels `main`, which may catch that to end in order; a second one breaks off (KeyboardInterrupt).
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    return _in_thread(main)  # a notebook: its loop is running in this thread, so ours runs in another


def _in_thread(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    outcome: list[T] = []
    errors: list[BaseException] = []
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []
    ended = threading.Event()

    async def watched() -> T:
        task = asyncio.ensure_future(main())
        running.append((asyncio.get_running_loop(), task))
        return await task

    def work() -> None:
        try:
            outcome.append(asyncio.run(watched()))
        except asyncio.CancelledError:
            errors.append(KeyboardInterrupt())
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=contextvars.copy_context().run, args=(work,), name="doxa-run").start()
    while not ended.is_set():
        try:
            ended.wait()  # not Thread.join: before Python 3.13, once interrupted, that takes the thread for ended
        except KeyboardInterrupt:
            for loop, task in running:
                with suppress(RuntimeError):  # closed: the work ended at this moment
                    loop.call_soon_threadsafe(task.cancel)
    if errors:
        raise errors[0]
    return outcome[0]
