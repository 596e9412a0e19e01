"""Servers with limits, simulated in a time of their own: what is taken, and what is asked in vain."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from doxa.models.endpoint_limit import Clock, Limit


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while nobody has anything to do, and then at once."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        select = self._selector.select

        def without_waiting(timeout: float | None = None) -> Any:
            self._now += max(timeout or 0.0, 0.0)
            return select(0)

        self._selector.select = without_waiting

    def time(self) -> float:
        return self._now


class LoopClock(Clock):
    def now(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class Server:
    """Allows `rate` requests a second from a bucket of `burst`, or in each second; or so many at once."""

    rate: float | None = None
    burst: float = 50.0
    each_second: bool = False
    at_once: int | None = None
    answers_in_s: float = 0.02
    jitter: float = 0.0
    away_s: float = 0.001
    tells: bool = False
    inside: int = 0
    taken: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    _filled: float = 0.0

    def __post_init__(self) -> None:
        self._bucket = self.rate or 0.0 if self.each_second else self.burst

    async def ask(self) -> tuple[bool, float | None]:
        """Whether it was answered, and else for how long to wait, if the server tells."""
        await asyncio.sleep(self.away_s / 2)
        now = asyncio.get_running_loop().time()
        if not self._allows(now):
            self.refused.append(now)
            await asyncio.sleep(self.away_s / 2)
            return False, 1.0 if self.tells else None
        self.inside += 1
        await asyncio.sleep(self.answers_in_s * random.uniform(1 - self.jitter, 1 + self.jitter))
        self.inside -= 1
        self.taken.append(now)
        await asyncio.sleep(self.away_s / 2)
        return True, None

    def _allows(self, now: float) -> bool:
        if self.at_once is not None and self.inside >= self.at_once:
            return False
        if self.rate is None:
            return True
        if not self.each_second:
            self._bucket = min(self.burst, self._bucket + (now - self._filled) * self.rate)
        elif int(now) > int(self._filled):
            self._bucket = self.rate
        self._filled = now
        if self._bucket < 1:
            return False
        self._bucket -= 1
        return True

    def per_s(self, begin: float, end: float) -> float:
        return sum(begin <= at < end for at in self.taken) / (end - begin)

    def wasted(self, begin: float, end: float) -> float:
        """Share of requests that were refused."""
        lost = sum(begin <= at < end for at in self.refused)
        return lost / (lost + self.per_s(begin, end) * (end - begin))


def asked(server: Server, seconds: float, *, most: int = 256, later: Callable[[], None] | None = None) -> Limit:
    """Ask as `Link` does, as much as it may, for so long; `later` is called at half time."""
    random.seed(0)

    async def ask(limit: Limit) -> None:
        tries = 0
        while True:
            async with limit as ticket:
                answered, wait_s = await server.ask()
                if answered:
                    limit.answered()
                else:
                    limit.refused(ticket, wait_s)
            tries = 0 if answered else tries + 1
            if not answered:
                await asyncio.sleep(max(0.5 * 2 ** min(tries - 1, 7) * random.uniform(0.75, 1.25), wait_s or 0.0))

    async def main() -> Limit:
        limit = Limit(most, LoopClock())
        askers = [asyncio.create_task(ask(limit)) for _ in range(most)]
        if later is not None:
            asyncio.get_running_loop().call_later(seconds / 2, later)
        await asyncio.sleep(seconds)
        for asker in askers:
            asker.cancel()
        await asyncio.gather(*askers, return_exceptions=True)
        limit.close()
        return limit

    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(main())


# Those in flight at the end are not counted, hence ends that are a second early. Tolerances: the task's 5 % and 2 %,
# met over seeds 0 to 3 with something to spare; where more is allowed, the reason stands beside it.
TELLS = pytest.mark.parametrize("tells", [False, True], ids=["silent", "retry-after"])


@TELLS
@pytest.mark.parametrize("burst", [50, 200])
@pytest.mark.parametrize("answers_in_s", [0.02, 0.5])
def test_a_rate_is_found_and_kept(tells, burst, answers_in_s):
    server = Server(rate=50, burst=burst, answers_in_s=answers_in_s, jitter=0.2, tells=tells)
    limit = asked(server, 40)
    assert 0.95 * 50 <= server.per_s(20, 39) <= 1.05 * 50
    assert server.wasted(0, 40) < 0.02
    assert limit.in_flight == 0


@TELLS
@pytest.mark.parametrize("server", [Server(rate=50, burst=5), Server(rate=50, each_second=True)], ids=["few", "clock"])
def test_a_rate_that_saves_nothing_up_is_kept(tells, server):
    server = replace(server, tells=tells, taken=[], refused=[])
    asked(server, 60)
    assert server.per_s(30, 59) > 0.9 * 50  # what is not asked for at once is lost, so each refusal costs more
    assert server.wasted(0, 60) < 0.02


def test_a_rate_is_found_from_far_away():
    server = Server(rate=50, away_s=0.1, answers_in_s=0.4, jitter=0.5)
    asked(server, 60)
    assert server.per_s(30, 59) > 0.95 * 50 and server.wasted(30, 60) < 0.02


def test_three_a_minute():
    server = Server(rate=0.05, burst=3, tells=True)
    asked(server, 3600, most=16)
    assert server.per_s(1800, 3600) > 0.9 * 0.05
    assert server.wasted(1800, 3600) < 0.2  # a limit is tried again after ten answers at the least


@TELLS
@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_a_number_at_once_is_found_and_kept(tells, jitter):
    server = Server(at_once=200, answers_in_s=0.5, jitter=jitter, tells=tells)
    limit = asked(server, 20)
    assert limit.allowed in range(195, 206)
    assert server.per_s(5, 19) > 0.95 * 400 and server.wasted(0, 20) < 0.01


def test_limits_that_are_raised_and_lowered_are_found_again():
    server = Server(rate=50)
    asked(server, 120, later=lambda: setattr(server, "rate", 100))
    assert server.per_s(100, 119) > 0.9 * 100
    server = Server(rate=50)
    asked(server, 120, later=lambda: setattr(server, "rate", 20))
    assert server.per_s(80, 119) > 0.95 * 20 and server.wasted(80, 119) < 0.02
    server = Server(at_once=200, answers_in_s=0.5)
    asked(server, 60, later=lambda: setattr(server, "at_once", 100))
    assert server.per_s(45, 59) > 0.8 * 200 and server.wasted(45, 59) < 0.02


def test_without_a_limit_nothing_is_held_back():
    server = Server(answers_in_s=0.5)
    limit = asked(server, 10, most=100)
    assert server.per_s(1, 9) > 0.97 * 200 and limit.allowed == 100 and limit.pace.rate.value == float("inf")
