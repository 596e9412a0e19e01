"""Group commit: many tasks hand something in and wait, one thread makes all of it durable at once."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class GroupCommit(Generic[T]):
    """A thread that calls `commit` with everything handed in since its last call.

    A disk needs milliseconds to make one thing durable and no longer for a hundred: while one batch is
    being committed the next one gathers. After an error nothing more is accepted, because what is on
    the disk is then unknown; each waiting and each later task gets that error.

    gather_s  how long a batch gathers before it is committed, unless somebody is in a `hurry`: each commit takes the
              interpreter from the other threads for a moment, and on a busy machine the processor, too
    """

    def __init__(self, commit: Callable[[list[T]], None], name: str, gather_s: float = 0.0) -> None:
        self._commit = commit
        self._gather_s = gather_s
        self._hurry = threading.Event()
        self._queue: queue.SimpleQueue[tuple[T, asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def add(self, item: T) -> asyncio.Future[None]:
        """Hand in one item. The future is done when it is durable, and has what `commit` raised when it is not.

        Futures are done in the order in which their items were handed in.
        """
        if self._error is not None:
            raise self._error
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put((item, durable))
        return durable

    def hurry(self) -> None:
        """Commit what was handed in without waiting for more."""
        self._hurry.set()

    def close(self) -> None:
        """Commit what was handed in and end the thread. Safe to call twice."""
        self._queue.put(None)
        self._hurry.set()
        self._thread.join()

    def _work(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._gather()
            if not batch:
                continue
            if self._error is None:
                try:
                    self._commit([item for item, _ in batch])
                except BaseException as error:
                    self._error = error
            self._answer([durable for _, durable in batch])

    def _gather(self) -> tuple[list[tuple[T, asyncio.Future[None]]], bool]:
        batch = []
        entry = self._queue.get()
        if self._gather_s and self._hurry.wait(self._gather_s):
            self._hurry.clear()
        while entry is not None:
            batch.append(entry)
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _answer(self, waiting: list[asyncio.Future[None]]) -> None:
        error = self._error

        def settle() -> None:
            for durable in waiting:
                if durable.done():  # its task was cancelled meanwhile
                    continue
                if error is None:
                    durable.set_result(None)
                else:
                    durable.set_exception(error)

        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            waiting[0].get_loop().call_soon_threadsafe(settle)
