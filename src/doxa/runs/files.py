"""Files that are either whole or absent, and the lock that gives a run one writer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doxa.runs.errors import Refused, cannot_write

LOCK = ".lock"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place, durably, when the block ends without an error.

    raises  CannotWrite: a full disk, a folder that cannot be written
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(error, path) from error
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` into `path`: after a crash the file has its old content or the new one, never half of it."""
    with whole_file(path) as part:
        part.write_bytes(data)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (a new file's name is a change of its folder, not of the file)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the run folder's lock; the kernel releases it when the process ends, however it ends.

    raises  Refused: another process holds it; CannotWrite: the folder cannot be written
    """
    import fcntl

    try:
        file = open(folder / LOCK, "a+")  # noqa: SIM115 (closed below, with what it locks)
    except OSError as error:
        raise cannot_write(error, folder / LOCK) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Refused(
                f"{folder} is being written by another process (process id {holder}). "
                "Wait until it ends, or give this run a folder of its own."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
