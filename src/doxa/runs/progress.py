"""Progress on the terminal: done of all, rate, remaining time, failures, and what came from the store."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

LINE_EVERY_S = 10.0  # between two lines where there is no terminal to redraw
DRAW_EVERY_S = 0.1


class Progress:
    """Counts what is on the disk, item by item, and shows it on stderr.

    shown  True: always (plain lines where stderr is no terminal); False: never; None: when stderr is a terminal
    """

    def __init__(self, title: str, total: int, done: int, shown: bool | None) -> None:
        self.title = title
        self.total = total
        self.before = done  # finished by an earlier run of the same command
        self.done = done
        self.failed = 0
        self.from_store = 0
        terminal = sys.stderr.isatty()
        self._bar = _Bar(title, total) if terminal and shown is not False else None
        self._lines = bool(shown) and not terminal
        self._began = time.monotonic()
        self._drawn = self._began

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.draw(self)
            self._bar.stop()
        elif self._lines:
            print(self.line(), file=sys.stderr, flush=True)

    def advance(self, item: str, done: bool, from_store: int) -> None:
        """An item's record is durable. `from_store`: calls that the response store answered."""
        self.done += done
        self.failed += not done
        self.from_store += from_store
        now = time.monotonic()
        if self._bar is not None and now - self._drawn >= DRAW_EVERY_S:
            self._bar.draw(self)
            self._drawn = now
        elif self._lines and now - self._drawn >= LINE_EVERY_S:
            print(self.line(), file=sys.stderr, flush=True)
            self._drawn = now

    @property
    def rate(self) -> float:
        """Items per second since this run of the command began; 0 before the first."""
        passed = time.monotonic() - self._began
        return (self.done + self.failed - self.before) / passed if passed > 0 else 0.0

    def line(self) -> str:
        """All of it in words."""
        left = self.total - self.done - self.failed
        parts = [f"{self.title}: {self.done:,} of {self.total:,} items", f"{self.rate:,.1f}/s"]
        if left and self.rate:
            parts.append(f"about {_duration(left / self.rate)} left")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.from_store:
            parts.append(f"{self.from_store:,} calls from the store")
        return ", ".join(parts)


class _Bar:
    def __init__(self, title: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}"),
            console=Console(stderr=True),
        )
        self._task: Any = self._bars.add_task(title, total=total, words="")

    def start(self) -> None:
        self._bars.start()

    def draw(self, progress: Progress) -> None:
        _, _, words = progress.line().partition(" items, ")
        self._bars.update(self._task, completed=progress.done + progress.failed, words=words)

    def stop(self) -> None:
        self._bars.stop()


def _duration(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minute} min"
    return f"{minute} min {second} s" if minute else f"{second} s"
