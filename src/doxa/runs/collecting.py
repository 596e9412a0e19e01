"""Asking: many items in flight, each record durable before it counts, and an orderly end whatever happens."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from doxa.models.base import Usage
from doxa.records import DoxaError, Item, MissingCapability, Reading
from doxa.runs.beside import Beside
from doxa.runs.errors import CannotWrite
from doxa.runs.log import Line, Log, LogWriter, line_of
from doxa.runs.notation import write_call, write_item
from doxa.runs.progress import Progress
from doxa.runs.store import Stored
from doxa.runs.tables import row_writer
from doxa.study import Ask, Study

GRACE_S = 5.0  # how long items in flight may go on after the run was told to stop


@dataclass(frozen=True)
class Questions:
    """What one study asks: the first n items, under its options."""

    study: Study
    options: Any
    items: Sequence[Item]
    n: int


@dataclass
class Job:
    """Questions, the log that their answers go to, and how many calls had to be repeated meanwhile."""

    questions: Questions
    log: Log
    retries: int = 0
    write_row: Callable[[Reading], dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.write_row = row_writer(self.questions.study.row)

    @property
    def left(self) -> int:
        """How many items have no finished record: not asked yet, or failed."""
        return self.questions.n - int(self.log.index.done.sum())


async def ask_item(job: Job, index: int, model: Stored, beside: Beside, seed: int) -> Line:
    """Ask about one item and return its record: done, or failed with the reason.

    raises  what concerns the whole run: an exception with `fatal` set, a capability that the model turns out to lack
    """
    item = job.questions.items[index]
    study, options = job.questions.study, job.questions.options
    asked, others = model.counted(), beside.counted()
    ask = Ask(asked, item, seed=seed, opens=others)
    rows: list[dict[str, Any]] = []
    row_calls: list[list[int]] = []
    error = None
    try:
        # Closed here and now when a row is refused, not whenever the garbage collector finds it.
        async with aclosing(cast(AsyncGenerator[Reading], study.collect(item, ask, options))) as readings:
            async for reading in readings:
                rows.append(_grouped(job.write_row(reading), item))
                row_calls.append(_calls_behind(row_calls, len(ask.calls)))
    except Exception as raised:
        if getattr(raised, "fatal", False) or isinstance(raised, MissingCapability):
            raise
        error = _reason(raised)
    return line_of(
        {
            "index": index,
            "status": "done" if error is None else "failed",
            "error": error,
            "item": write_item(item),
            "rows": rows,
            "row_calls": row_calls,
            "calls": [write_call(call) for call in ask.calls],
            "usage": asked.tally.counts(),
            **({"beside": counts} if (counts := others.counts()) else {}),
        }
    )


def _grouped(row: dict[str, Any], item: Item) -> dict[str, Any]:
    if row["group"] is None:
        row["group"] = item.cluster
    return row


def _calls_behind(row_calls: list[list[int]], calls: int) -> list[int]:
    """Calls made since the last row; a row without a call of its own rests on those of the row before."""
    last = row_calls[-1] if row_calls else []
    first = last[-1] + 1 if last else 0
    return list(range(first, calls)) or last


def _reason(error: Exception) -> str:
    words = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, DoxaError) or not frames:
        return words
    return f"{words} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"


# --- all items of one study ------------------------------------------------------------------------------------------


@dataclass
class End:
    """Why collecting ended before the last item: the user, or an error that concerns the whole run."""

    interrupted: bool = False
    error: BaseException | None = None

    def __bool__(self) -> bool:
        return self.interrupted or self.error is not None


async def collect(job: Job, model: Stored, beside: Beside, *, seed: int, concurrency: int, progress: Progress) -> End:
    """Ask about every item of a job that has no finished record yet."""
    done = job.log.index.done.copy()
    left = (i for i in range(job.questions.n) if not done[i])
    stop = asyncio.Event()
    writer = LogWriter(job.log) if job.log.folder is not None else None
    before = _retries(model)

    async def work() -> None:
        for index in left:
            line = await ask_item(job, index, model, beside, seed)
            id_ = job.questions.items[index].id
            acknowledge = partial(progress.advance, id_, line.done, line.usage.get("from_store", 0))
            if writer is not None:
                await writer.add(line, acknowledge)
            else:
                job.log.keep(line)
                acknowledge()
            if stop.is_set():
                return

    try:
        end = await _until_done([work() for _ in range(min(concurrency, job.left))], stop)
        if writer is not None:
            await _flush(writer, end)
        return end
    finally:
        job.retries += _retries(model) - before
        if writer is not None:
            writer.close()


async def _flush(writer: LogWriter, end: End) -> None:
    try:
        await writer.flush()
    except CannotWrite as error:
        end.error = end.error or error


def _retries(model: Stored) -> int:
    """Calls that the back end repeated so far; 0 from one that does not count them."""
    usage = getattr(model.model, "usage", None)
    return usage.retries if isinstance(usage, Usage) else 0


async def _until_done(work: list[Coroutine[Any, Any, None]], stop: asyncio.Event) -> End:
    """Wait for the workers. Told to stop, or after an error, let those in flight end, briefly, then break them off."""
    workers = [asyncio.ensure_future(w) for w in work]
    if not workers:
        return End()
    end = End()
    try:
        await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
    except asyncio.CancelledError:
        end.interrupted = True
        current = asyncio.current_task()
        if current is not None:
            current.uncancel()
    stop.set()
    running = [w for w in workers if not w.done()]
    if running:
        _, running_still = await asyncio.wait(running, timeout=GRACE_S)
        for worker in running_still:
            worker.cancel()
    for result in await asyncio.gather(*workers, return_exceptions=True):
        if isinstance(result, Exception) and end.error is None:
            end.error = result
    return end
