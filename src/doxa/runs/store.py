"""The response store: an answer that was given once is not asked for again, and never given by another model."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from doxa.models.base import Context, Model, digest
from doxa.records import Prompt, Reply, Sampling, Score
from doxa.runs.commit import GroupCommit
from doxa.runs.errors import BadStore, CannotWrite, Refused
from doxa.runs.notation import (
    dumps,
    read_reply,
    read_score,
    write_prompt,
    write_reply,
    write_sampling,
    write_score,
)

FORMAT = 1
BUSY_S = 60.0  # how long one process waits while another one commits

T = TypeVar("T")


class Store:
    """Answers by key in one SQLite file, which several processes may share; None: in memory, for this run alone.

    Write-ahead log with synchronous=FULL: a committed answer survives the end of the process and of the power.
    Network file systems do not offer the shared memory that this needs.

    raises  Refused: the file was written by a newer version; BadStore: it is no store
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        try:
            self._write = _open(path)
            self._read = _open(path) if path is not None else self._write
        except sqlite3.Error as error:
            raise self._explained(error) from error
        self._commit = GroupCommit(self._insert, "doxa-store")

    def get(self, key: bytes) -> Any:
        """The value under `key`; None when there is none."""
        try:
            found = self._read.execute("SELECT value FROM answers WHERE key = ?", (key,)).fetchone()
            return None if found is None else json.loads(zlib.decompress(found[0]))
        except (sqlite3.Error, zlib.error, ValueError) as error:
            raise self._explained(error) from error

    async def put(self, key: bytes, value: Any) -> None:
        """Keep a JSON-able value under `key`; returns when it is durable. An earlier value stays.

        raises  CannotWrite: a full disk, a file that cannot be written
        """
        await self._commit.add((key, zlib.compress(dumps(value), 1)))

    def close(self) -> None:
        """Commit what was handed in and let go of the file."""
        self._commit.close()
        self._read.close()
        self._write.close()

    def __len__(self) -> int:
        return int(self._read.execute("SELECT count(*) FROM answers").fetchone()[0])

    def _insert(self, answers: list[tuple[bytes, bytes]]) -> None:
        try:
            self._write.execute("BEGIN IMMEDIATE")
            self._write.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?)", answers)
            self._write.execute("COMMIT")
        except sqlite3.Error as error:
            if self._write.in_transaction:
                self._write.execute("ROLLBACK")
            raise CannotWrite(
                f"the response store {self.path} could not be written: {error}. What was answered before is kept; "
                "free some space or choose another place (store=...), then run the same command again."
            ) from error

    def _explained(self, error: Exception) -> BadStore:
        return BadStore(
            f"the response store {self.path} cannot be read: {error}. Move that file away, or name another one "
            "(store=...); a run's readings do not depend on it."
        )


def _open(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    place = ":memory:" if path is None else path
    # Transactions are written out below; only one thread at a time uses a connection.
    base = sqlite3.connect(place, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(base, path)
    except BaseException:
        base.close()
        raise
    return base


def _prepare(base: sqlite3.Connection, path: Path | None) -> None:
    base.execute("PRAGMA synchronous = FULL")
    _use_write_ahead_log(base)
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if version > FORMAT:
        raise Refused(
            f"the response store {path} has format {version}; this version of doxa knows {FORMAT}. "
            "Update doxa, or name another file (store=...)."
        )
    if version < FORMAT:
        base.execute("CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
        base.execute(f"PRAGMA user_version = {FORMAT}")


def _use_write_ahead_log(base: sqlite3.Connection) -> None:
    # The change of mode fails at once, timeout or not, while another process makes the same change.
    until = time.monotonic() + BUSY_S
    while True:
        try:
            base.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.05)


# --- a model that asks the store first -------------------------------------------------------------------------------


@dataclass
class Tally:
    """What one item, or one study, cost: `calls` reached the model, `from_store` did not have to."""

    calls: int = 0
    from_store: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    uncounted: int = 0  # replies that came without token counts
    by_kind: dict[str, int] = field(default_factory=dict)

    def asked(self, kind: str, replies: Sequence[Reply] = ()) -> None:
        self.calls += 1
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
        for reply in replies:
            self.input_tokens += reply.input_tokens or 0
            self.output_tokens += reply.output_tokens or 0
            self.uncounted += reply.output_tokens is None

    def counts(self) -> dict[str, int]:
        """Flat and without zeros, as the log keeps it; calls by kind as "calls_generate" and so on."""
        flat = {name: getattr(self, name) for name in TALLIED}
        flat |= {f"calls_{kind}": count for kind, count in self.by_kind.items()}
        return {name: count for name, count in flat.items() if count}


TALLIED = ("calls", "from_store", "input_tokens", "output_tokens", "uncounted")


class Stored(Model):
    """`model`, asked only what the store does not hold; equal calls in flight are asked once.

    An answer is committed before it is returned. Replies with finish "error" are not kept. Hidden states pass
    through. Always asked are models with stored = False, and those that say nothing of themselves (no address and no
    identity of their own): one could not tell their answers from another's.
    """

    def __init__(self, model: Model, store: Store | None) -> None:
        self.model = model
        self.address = model.address
        self.capabilities = model.capabilities
        self.concurrency = model.concurrency
        self.price = model.price
        self.parameters = model.parameters
        named = bool(model.address) or type(model).identity is not Model.identity
        self.stored = model.stored and store is not None and named
        self.tally = Tally()
        self._store = store
        self._fingerprint = model.fingerprint
        self._flying: dict[bytes, asyncio.Task[Any]] = {}

    @property
    def identity(self) -> Mapping[str, Any]:
        return self.model.identity

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def counted(self) -> Stored:
        """The same model and store with a tally of its own, beginning at zero."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__, tally=Tally())
        return view

    async def generate(self, prompt: Prompt, sampling: Sampling, context: Context | None = None) -> list[Reply]:
        async def ask() -> list[Reply]:
            return await self.model.generate(prompt, sampling, context)

        def keep(replies: list[Reply]) -> Any:
            return None if any(r.finish == "error" for r in replies) else [write_reply(r) for r in replies]

        if not self.stored:
            replies = await ask()
            self.tally.asked("generate", replies)
            return replies
        key = self._key("generate", prompt, {"sampling": write_sampling(sampling)})
        replies, asked = await self._once(key, ask, keep, read_reply)
        if asked:
            self.tally.asked("generate", replies)
        return replies

    async def score(self, prompt: Prompt, continuations: Sequence[str], context: Context | None = None) -> list[Score]:
        async def ask() -> list[Score]:
            return await self.model.score(prompt, continuations, context)

        def keep(scores: list[Score]) -> Any:
            return [write_score(s) for s in scores]

        if not self.stored:
            self.tally.asked("score")
            return await ask()
        key = self._key("score", prompt, {"continuations": list(continuations)})
        scores, asked = await self._once(key, ask, keep, read_score)
        if asked:
            self.tally.asked("score")
        return scores

    async def hidden_states(
        self, prompt: Prompt, *, layers: Sequence[int] | None = None, positions: Sequence[int] = (-1,)
    ) -> np.ndarray:
        self.tally.asked("hidden_states")
        return await self.model.hidden_states(prompt, layers=layers, positions=positions)

    async def close(self) -> None:
        """End what is still in flight; the model stays open, it belongs to whoever made it."""
        flying = list(self._flying.values())
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)

    def _key(self, kind: str, prompt: Prompt, rest: Mapping[str, Any]) -> bytes:
        return bytes.fromhex(digest({"model": self._fingerprint, "kind": kind, "prompt": write_prompt(prompt), **rest}))

    async def _once(
        self,
        key: bytes,
        ask: Callable[[], Coroutine[Any, Any, list[T]]],
        keep: Callable[[list[T]], Any],
        read: Callable[[Any], T],
    ) -> tuple[list[T], bool]:
        """The answers, and whether it was this call that asked the model for them."""
        assert self._store is not None
        flying = self._flying.get(key)
        asked = False
        if flying is None:
            if (found := self._store.get(key)) is not None:
                self.tally.from_store += 1
                return [read(entry) for entry in found], False
            flying = asyncio.ensure_future(self._ask(key, ask, keep))
            self._flying[key] = flying
            flying.add_done_callback(partial(self._landed, key))
            asked = True
        # Shielded: an answer that is being paid for is kept even when the item that wanted it gives up.
        answers = await asyncio.shield(flying)
        self.tally.from_store += not asked
        return list(answers), asked

    async def _ask(self, key: bytes, ask: Callable[[], Coroutine[Any, Any, Any]], keep: Callable[[Any], Any]) -> Any:
        assert self._store is not None
        answers = await ask()
        if (kept := keep(answers)) is not None:
            await self._store.put(key, kept)
        return answers

    def _landed(self, key: bytes, task: asyncio.Task[Any]) -> None:
        del self._flying[key]
        if not task.cancelled():
            task.exception()  # looked at, so that one that nobody waits for any more is not reported as lost
