"""Requests of many coroutines gathered into rounds, rounds cut into batches, batches halved when they fail."""

from __future__ import annotations

import asyncio
import math
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

from doxa.models.local_lanes import Lanes
from doxa.records import DoxaError

# A round begins when this many turns of the event loop brought no new request, or after WAIT_S at the latest.
QUIET_TURNS = 4
WAIT_S = 0.002
# Tokens of a batch that is no larger because others are carried out beside it.
LEAST_SHARE = 256
# On CPU, on MPS, in cuBLAS.
OUT_OF_MEMORY = ("can't allocate memory", "backend out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
CLOSED = "this model was closed; load it again to ask it"

T = TypeVar("T")


class Job:
    """One request on its way: its future belongs to the event loop it came from, its answers come from the worker."""

    def __init__(self, request: Any, loop: asyncio.AbstractEventLoop, deliveries: Deliveries) -> None:
        self.request = request
        self.deliveries = deliveries
        self.future: asyncio.Future[list[Any]] = loop.create_future()
        self._parts: dict[int, Any] = {}
        self._expected = 1

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for it: neither answered, failed nor cancelled."""
        return not self.future.done()

    def expect(self, parts: int) -> None:
        """Say how many parts make the answer; it is sent when the last one is put."""
        self._expected = parts

    def put(self, index: int, part: Any) -> None:
        self._parts[index] = part
        if len(self._parts) == self._expected:
            self.deliveries.tell(self._resolve, [self._parts[i] for i in range(self._expected)])
            self._parts = {}  # jobs live as long as their round does: what was found need not

    def fail(self, error: BaseException) -> None:
        self.deliveries.tell(self._reject, error)

    def _resolve(self, answer: list[Any]) -> None:
        if self.wanted:
            self.future.set_result(answer)

    def _reject(self, error: BaseException) -> None:
        if self.wanted:
            self.future.set_exception(error)


class Deliveries:
    """What the worker has for one event loop, woken for many at a time: each time costs a switch of threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = weakref.ref(loop)
        self._waiting: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._awake = False

    def tell(self, deliver: Callable[[Any], None], what: Any) -> None:
        self._waiting.append((deliver, what))

    def send(self) -> None:
        """Wake the loop, if there is anything for it."""
        loop = self._loop()
        if self._awake or loop is None or not self._waiting:
            return
        self._awake = True
        # The loop may have been closed while the worker was busy; then nobody waits any more.
        try:
            loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:
            self._waiting.clear()

    def _deliver(self) -> None:
        self._awake = False  # before the last look: what comes now is found by it, or wakes the loop again
        while self._waiting:
            deliver, what = self._waiting.popleft()
            deliver(what)


class Gatherer:
    """Collects what is asked at the same moment and hands it, round by round, to one worker thread.

    carry_out  called in the worker with the jobs of a round; it puts their answers or fails them. What it lets
               escape fails the jobs of that round that have no answer yet, and no other.

    While a round runs the event loop stays free, and what is asked meanwhile forms the next round.
    """

    def __init__(self, carry_out: Callable[[Sequence[Job]], None]) -> None:
        self._carry_out = carry_out
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="doxa-local")
        self._waiting: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[Job]] = weakref.WeakKeyDictionary()
        self._rounds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = (
            weakref.WeakKeyDictionary()
        )
        self._deliveries: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Deliveries] = weakref.WeakKeyDictionary()
        self._served: set[Deliveries] = set()
        self._closed = False

    async def ask(self, request: Any) -> list[Any]:
        """The parts of the answer to `request`. Raises what the request failed with, or DoxaError once closed."""
        if self._closed:
            raise DoxaError(CLOSED)
        loop = asyncio.get_running_loop()
        waiting = self._waiting.setdefault(loop, [])
        job = Job(request, loop, self._deliveries.setdefault(loop, Deliveries(loop)))
        waiting.append(job)
        if loop not in self._rounds:
            self._rounds[loop] = loop.create_task(self._rounds_until_idle(loop, waiting))
        answer = await job.future
        found = list(answer)
        answer.clear()  # the round still has the job and its future: let it not hold on to what was found
        return found

    def deliver(self) -> None:
        """Send what this round has found so far; for the worker. At the end of a round it is sent in any case."""
        for deliveries in self._served:
            deliveries.send()

    def between(self, act: Callable[[], T]) -> T:
        """Do something between two rounds, in the worker, and wait for it. Raises DoxaError once closed."""
        if self._closed:
            raise DoxaError(CLOSED)
        return self._worker.submit(act).result()

    def close(self) -> None:
        """Finish the round that runs, start no other. Safe to call twice."""
        self._closed = True
        self._worker.shutdown(wait=True, cancel_futures=True)

    async def _rounds_until_idle(self, loop: asyncio.AbstractEventLoop, waiting: list[Job]) -> None:
        jobs: list[Job] = []
        try:
            while waiting:
                await _quiet(loop, waiting)
                jobs = [job for job in waiting if job.wanted]
                waiting.clear()
                await loop.run_in_executor(self._worker, self._round, jobs)
        except (RuntimeError, asyncio.CancelledError) as stopped:  # closed, or the loop is going down
            for job in (*jobs, *waiting):
                job._reject(DoxaError(f"the model stopped before it answered ({stopped or 'cancelled'})"))
            waiting.clear()
            if isinstance(stopped, asyncio.CancelledError):
                raise
        finally:
            del self._rounds[loop]

    def _round(self, jobs: Sequence[Job]) -> None:
        self._served = {job.deliveries for job in jobs}
        try:
            self._carry_out(jobs)
        except Exception as error:
            for job in jobs:
                job.fail(error)
        self.deliver()


async def _quiet(loop: asyncio.AbstractEventLoop, waiting: list[Job]) -> None:
    """Return when the coroutines that are ready have asked what they are about to ask."""
    deadline = loop.time() + WAIT_S
    quiet, seen = 0, len(waiting)
    while quiet < QUIET_TURNS and loop.time() < deadline:
        await asyncio.sleep(0)
        quiet = quiet + 1 if len(waiting) == seen else 0
        seen = len(waiting)


class Unit(Protocol):
    """What a batch is made of: one row of it. `size` is its length in tokens, `extra` what it costs beside them."""

    @property
    def size(self) -> int: ...
    @property
    def extra(self) -> int: ...
    @property
    def wanted(self) -> bool: ...
    def put(self, result: Any) -> None: ...
    def fail(self, error: BaseException) -> None: ...


U = TypeVar("U", bound=Unit)


class Batches(Generic[U]):
    """Carries units out in batches of at most `budget` tokens, padding counted.

    A batch that fails is halved until the unit that is to blame stands alone: it alone fails. When memory was
    what failed, the budget becomes at most half of what the batch cost, so that later ones fit, and `relief` is
    called: it frees what it can. `done` is called when the results of a batch have been put.

    lanes   where batches are carried out side by side
    divide  whether what fits one batch is divided among them
    """

    def __init__(
        self,
        budget: int,
        relief: Callable[[], None] = lambda: None,
        done: Callable[[], None] = lambda: None,
        lanes: Lanes | None = None,
        divide: bool = False,
    ) -> None:
        self.budget = budget
        self._relief, self._done = relief, done
        self._lanes, self._divide = lanes or Lanes(), divide
        self._lock = threading.Lock()

    def run(self, units: Sequence[U], compute: Callable[[list[U]], Sequence[Any]]) -> None:
        """`compute` gives the results of a batch in its order; each goes to its unit's `put`, or an error to `fail`."""
        ordered, begin = sorted(units, key=lambda u: u.size, reverse=True), 0
        share = math.inf
        if self._divide and self._lanes.free > 1:
            share = max(math.ceil(sum(u.size + u.extra for u in ordered) / self._lanes.free), LEAST_SHARE)

        def work() -> None:
            nonlocal begin
            while True:
                with self._lock:
                    end = _batch_end(ordered, begin, min(self.budget, share))
                    batch, begin = ordered[begin:end], end
                if not batch:
                    return
                self._attempt(batch, compute)

        if _batch_end(ordered, 0, min(self.budget, share)) == len(ordered):
            work()  # one batch, by all threads
        else:
            self._lanes.each(work)

    def _attempt(self, batch: list[U], compute: Callable[[list[U]], Sequence[Any]]) -> None:
        batch = [unit for unit in batch if unit.wanted]
        if not batch:
            return
        try:
            results = compute(batch)
        except Exception as error:
            # Nothing of the failed attempt may stay referenced here: its tensors are what filled the memory.
            failure = _in_words(error, batch[0])
            if out_of_memory(error):
                self.budget = max(min(self.budget, _cost(batch) // 2), 1)
                self._relief()
        else:
            with self._lock:
                for unit, result in zip(batch, results, strict=True):
                    unit.put(result)
            self._done()
            return
        if len(batch) == 1:
            with self._lock:
                batch[0].fail(failure)
            return
        _release_memory()
        for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
            self._attempt(half, compute)


def _cost(batch: Sequence[Unit]) -> int:
    return len(batch) * max(unit.size for unit in batch) + sum(unit.extra for unit in batch)


def _batch_end(units: Sequence[Unit], begin: int, budget: float) -> int:
    """Where the batch that begins there ends, of units with the longest first; all are padded to the first one's.

    It has at least one unit, if any is left.
    """
    spent = 0
    for at in range(begin, len(units)):
        spent += units[begin].size + units[at].extra
        if spent > budget and at > begin:
            return at
    return len(units)


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: torch's own error, or what allocators and libraries below it say in a RuntimeError."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def _in_words(error: Exception, unit: Unit) -> Exception:
    if not out_of_memory(error):
        return error.with_traceback(None)
    return DoxaError(
        f"memory ran out on one request of {unit.size} tokens, alone in its batch. "
        "Shorten it, use a smaller dtype (bfloat16), or another device."
    )


def _release_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
