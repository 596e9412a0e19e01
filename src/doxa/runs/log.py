"""The log of one study in one run: a line per item, each with its checksum, appended and never changed.

A line is eight hexadecimal digits (CRC-32 of what follows the space), a space, one JSON object, a newline.
"""

from __future__ import annotations

import asyncio
import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from doxa.records import DoxaError
from doxa.runs.commit import GroupCommit
from doxa.runs.errors import Damaged, cannot_write
from doxa.runs.files import sync_folder, whole_file
from doxa.runs.notation import dumps

# Records on their way to the disk, in bytes, before asking waits for it: a slow disk then takes more at once.
BACKLOG_BYTES = 1 << 20
GATHER_S = 0.02  # how long records gather for one write

OnDamage = Literal["raise", "skip"]


@dataclass(frozen=True)
class Line:
    """What the index has to know of a record, and the record itself as it goes to the disk."""

    index: int
    done: bool
    readings: int
    usage: dict[str, int]
    data: bytes
    beside: dict[str, dict[str, int]] = field(default_factory=dict)


def line_of(record: dict[str, Any]) -> Line:
    """A record as a line of the log; `record` has the keys that docs/run-format.md lists."""
    body = dumps(record)
    done = record["status"] == "done"
    return Line(
        record["index"],
        done,
        len(record["rows"]) if done else 0,
        record["usage"],
        b"%08x %s\n" % (zlib.crc32(body), body),
        record.get("beside", {}),
    )


def read_line(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None when the line is torn or does not match its checksum."""
    if len(line) < 10 or line[8:9] != b" " or line[-1:] != b"\n":
        return None
    body = line[9:-1]
    if line[:8] != b"%08x" % zlib.crc32(body):
        return None
    record: dict[str, Any] = json.loads(body)
    return record


@dataclass
class Index:
    """Where each of n items has its record, and sums over all records.

    place   (n,) byte offset of the item's last record in its shard; -1: none yet
    shard   (n,) number of that shard
    done    (n,) whether that record is a finished one
    usage   calls, tokens and so on, over all records, those of failed attempts too
    beside  the same of each model beside the one that is asked, by address
    """

    place: np.ndarray
    shard: np.ndarray
    done: np.ndarray
    readings: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    beside: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def empty(cls, n: int) -> Index:
        return cls(np.full(n, -1, np.int64), np.zeros(n, np.int32), np.zeros(n, bool))

    def add(self, line: Line, shard: int, place: int) -> None:
        _count(self.usage, line.usage)
        for address, usage in line.beside.items():
            _count(self.beside.setdefault(address, {}), usage)
        if self.done[line.index]:  # shards that overlap: the first finished record counts, and only once
            return
        self.place[line.index], self.shard[line.index], self.done[line.index] = place, shard, line.done
        self.readings += line.readings

    @property
    def failed(self) -> int:
        return int(np.count_nonzero((self.place >= 0) & ~self.done))


def _count(total: dict[str, int], usage: dict[str, int]) -> None:
    for name, count in usage.items():
        total[name] = total.get(name, 0) + count


class Log:
    """The records of one study: read from a folder of shards, or (folder None) kept in memory.

    n           number of items of the study
    on_damage   "raise": a line that does not match its checksum is a Damaged error; "skip": it counts as absent
    """

    def __init__(self, folder: Path | None, n: int, on_damage: OnDamage = "raise") -> None:
        self.folder = folder
        self.index = Index.empty(n)
        self.whole: dict[int, int] = {}  # bytes of each shard up to its last whole line
        self._lines: list[bytes] = []
        for number, path in self.shards().items():
            self.whole[number] = self._scan(number, path, on_damage)

    def shards(self) -> dict[int, Path]:
        """The shard files by number."""
        paths = sorted(self.folder.glob("shard-*.jsonl")) if self.folder is not None else []
        return {int(path.stem.removeprefix("shard-")): path for path in paths}

    def _scan(self, number: int, path: Path, on_damage: OnDamage) -> int:
        whole = bad = 0
        for at, row, line in _lines(path):
            if bad and on_damage == "raise":  # a bad line is merely torn as long as none comes after it
                raise Damaged(_damage(path, bad))
            record = read_line(line)
            if record is None:
                bad = row
            else:
                self.index.add(_line(record, len(self.index.done), path), number, at)
                whole = at + len(line)
        return whole

    def keep(self, line: Line) -> None:
        """Add a record to a log in memory."""
        self.index.add(line, 0, len(self._lines))
        self._lines.append(line.data)

    def records(self, *, only_done: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
        """(length in bytes, record) of each item that has one, in the order of the items, its last record each."""
        index = self.index
        chosen = index.done if only_done else index.place >= 0
        with ExitStack() as stack:
            files = {number: stack.enter_context(open(path, "rb")) for number, path in self.shards().items()}
            for i in np.flatnonzero(chosen):
                place, shard = int(index.place[i]), int(index.shard[i])
                if self.folder is None:
                    line = self._lines[place]
                else:
                    files[shard].seek(place)
                    line = files[shard].readline()
                record = read_line(line)
                if record is None:
                    raise Damaged(f"the record of item {i} changed while it was read, at byte {place} of shard {shard}")
                yield len(line), record


class LogWriter:
    """Appends records to a log's first shard and says of each when it is on the disk.

    Opening truncates a torn last line, so that what follows begins on a line of its own.
    """

    def __init__(self, log: Log) -> None:
        assert log.folder is not None
        self.log = log
        self.path = log.folder / "shard-0000.jsonl"
        self._size = log.whole.get(0, 0)
        try:
            log.folder.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o666)
            os.ftruncate(self._handle, self._size)
            os.lseek(self._handle, self._size, os.SEEK_SET)
            os.fsync(self._handle)
            sync_folder(log.folder)
        except OSError as error:
            raise cannot_write(error, self.path) from error
        self._commit = GroupCommit(self._write, "doxa-log", GATHER_S)
        self._last: asyncio.Future[None] | None = None
        self._backlog = 0

    async def add(self, line: Line, acknowledge: Callable[[], None]) -> None:
        """Append a record and call `acknowledge` when it is durable; waits for that only when much is on its way.

        raises  CannotWrite: a record could not be written; those that were acknowledged are whole
        """
        durable = self._last = self._commit.add(line)
        self._backlog += len(line.data)

        def settled(durable: asyncio.Future[None]) -> None:
            self._backlog -= len(line.data)
            if not durable.cancelled() and durable.exception() is None:
                acknowledge()

        durable.add_done_callback(settled)
        if self._backlog > BACKLOG_BYTES:
            self._commit.hurry()
            # Shielded: a record that was handed in will be written, whatever becomes of the task that did.
            await asyncio.shield(durable)

    async def flush(self) -> None:
        """Return when all that was added is durable and acknowledged.

        raises  CannotWrite, as `add`
        """
        if self._last is not None:
            self._commit.hurry()
            await asyncio.shield(self._last)

    def close(self) -> None:
        self._commit.close()
        os.close(self._handle)

    def _write(self, lines: list[Line]) -> None:
        left = memoryview(b"".join(line.data for line in lines))
        try:
            while left:
                left = left[os.write(self._handle, left) :]
            os.fsync(self._handle)
        except OSError as error:
            self._undo()
            raise cannot_write(error, self.path) from error
        for line in lines:
            self.log.index.add(line, 0, self._size)
            self._size += len(line.data)

    def _undo(self) -> None:
        # Half a batch stays whole lines and one torn line, which the next opening removes: no harm if this fails too.
        try:
            os.ftruncate(self._handle, self._size)
        except OSError:
            return


def repair(folder: Path, n: int) -> int:
    """Move the damaged lines of a study's log into `*.damaged` files; the number of them.

    Their items then count as not asked, so the same command asks them again.
    """
    moved = 0
    for path in Log(folder, n, "skip").shards().values():
        bad = [line for _, _, line in _lines(path) if read_line(line) is None]
        if not bad:
            continue
        with open(path.with_suffix(".damaged"), "ab") as aside:
            aside.writelines(bad)
        with whole_file(path) as part, open(part, "wb") as good:
            good.writelines(line for _, _, line in _lines(path) if read_line(line) is not None)
        moved += len(bad)
    return moved


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """(byte offset, line number from 1, line) of a shard, up to its end as it is now; the last may lack its newline."""
    at = 0
    with open(path, "rb") as file:
        for row, line in enumerate(file, start=1):
            yield at, row, line
            if not line.endswith(b"\n"):  # a writer may be adding the rest of it at this moment
                return
            at += len(line)


def _line(record: dict[str, Any], n: int, path: Path) -> Line:
    index, done = record["index"], record["status"] == "done"
    if not 0 <= index < n:
        raise DoxaError(f"{path} has a record of item number {index}; this run has {n} items, counted from 0")
    return Line(index, done, len(record["rows"]) if done else 0, record["usage"], b"", record.get("beside", {}))


def _damage(path: Path, row: int) -> str:
    return (
        f"{path}, line {row}: the line does not match its checksum, so it was changed after it was written. "
        "The other lines are whole: read them with Run.open(folder, on_damage='skip'), or move the damaged ones "
        "aside with doxa.runs.repair(folder) and run the same command again to ask their items once more."
    )
