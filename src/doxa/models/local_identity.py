"""Which model this is: hashes of its files, remembered for big ones, and what else can change its answers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

# Files above this many bytes are hashed once; below, hashing is as fast as looking the hash up.
REMEMBERED_FROM = 64 * 2**20

CONFIG_FILES = ("config.json", "generation_config.json")
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
)


def files_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over names and bytes of the files that exist, in the order of their names."""
    total = hashlib.sha256()
    for path in sorted(p for p in paths if p.is_file()):
        total.update(f"{path.name}\0{file_hash(path)}\n".encode())
    return total.hexdigest()


def file_hash(path: Path, remembered_from: int = REMEMBERED_FROM) -> str:
    """SHA-256 of a file's bytes, hexadecimal.

    For files of `remembered_from` bytes or more it is kept in the user's cache folder under the file's path, size
    and times of change; a file that was written since is hashed anew.
    """
    stat = path.stat()
    if stat.st_size < remembered_from:
        return _hash(path)
    name = f"{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}"
    note = cache_folder() / "hashes" / hashlib.sha256(name.encode()).hexdigest()
    with contextlib.suppress(OSError):
        if len(known := note.read_text()) == 64:
            return known
    digest = _hash(path)
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, no answer
        _write_whole(note, digest)
    return digest


def cache_folder() -> Path:
    """Where this user's caches are kept: $XDG_CACHE_HOME/doxa, %LOCALAPPDATA%\\doxa, or ~/.cache/doxa."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "doxa"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(name, path)
