"""Resident memory of this process in bytes: now, and the most since a moment. Linux only. Imports nothing of Doxa."""

from __future__ import annotations

from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident() -> int:
    return _field("VmRSS")


def peak() -> int:
    """The most since `begin`, or since the process began."""
    return _field("VmHWM")


def begin() -> None:
    CLEAR.write_text("5")


def _field(name: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
