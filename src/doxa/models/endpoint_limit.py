"""Who may send a request, and when: so many in flight, so many a second, as far as the server takes them."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from types import TracebackType

from doxa.models.endpoint_pace import Pace, Ticket

logger = logging.getLogger(__name__)

# The first requests are let out as a growing crowd: a limit is then met by a few of them, not by hundreds at once.
FIRST_CROWD, CROWD_DOUBLES_S = 8, 0.2


class Clock:
    """Time in seconds, so that tests can bring their own."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Limit:
    """Lets requests out in turn: `async with limit as ticket`, which goes back to `refused` or `overloaded`.

    An overloaded server gets half as many requests at the same time, more again while answers come (AIMD); one that
    refuses because a limit was met gets them at the pace that it takes.

    most  requests in flight, whatever the server takes
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self.most = most
        self.in_flight = 0
        self._loaded = float(most)  # in flight without overloading the server
        self.pace = Pace()
        self._clock = clock
        self._overload = 0
        # When the crowd was one request (or would have been), until when it grows, and how many are not counted.
        self._crowd = -math.inf, -math.inf, 0
        self._waiting: deque[asyncio.Future[Ticket]] = deque()
        self._timer: asyncio.Task[None] | None = None
        self._wakes_at = math.inf

    async def __aenter__(self) -> Ticket:
        if not self._waiting and self.in_flight < self.allowed:
            now = self._clock.now()
            if self._opens(now) <= now:
                return self._let_out(now)
        turn: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_in()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the place was given to us all the same: pass it on
                self._leave()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now."""
        return int(min(self._loaded, self.pace.at_once.value))

    def close(self) -> None:
        """Wake nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._wakes_at = None, math.inf

    def answered(self) -> None:
        """Grow: by a 32nd of the most for each full round of answers."""
        self._loaded = min(float(self.most), self._loaded + max(1.0, self.most / 32) / self._loaded)

    def overloaded(self, ticket: Ticket, wait_s: float | None) -> None:
        """Halve, once for each burst of requests that went out together; nothing goes out for `wait_s`."""
        now = self._clock.now()
        if ticket.number >= self._overload:
            self._loaded = max(1.0, min(self._loaded, float(self.in_flight)) / 2)
            self._overload = self.pace.sent
            logger.info("the server has too much to do: %d requests in flight from here on", self.allowed)
        if wait_s:
            self.pace.closed_until = max(self.pace.closed_until, now + wait_s)

    def refused(self, ticket: Ticket, wait_s: float | None) -> None:
        """A limit of the server's was met; `wait_s` is how long it asks to wait (None: it does not say)."""
        if self.pace.refused(ticket, wait_s, self.in_flight - 1, self._clock.now()):
            self._gather(self.pace.closed_until, self.most if self.pace.sure else 1)
            logger.info("the server refuses more than %d in flight, or more a second", self.allowed)

    # --- letting out -------------------------------------------------------------------------------------------------

    def _opens(self, now: float) -> float:
        """When the next request may go out, as far as the clock decides."""
        opens = self.pace.opens
        began, until, beside = self._crowd
        if now < until and self.in_flight > beside:
            return max(opens, began + CROWD_DOUBLES_S * math.log2(self.in_flight - beside + 1))
        return opens

    def _let_out(self, now: float) -> Ticket:
        if not self.pace.sent:
            self._gather(now, FIRST_CROWD)
        self.in_flight += 1
        return self.pace.let_out(now)

    def _gather(self, at: float, first: int) -> None:
        """From then on, only so few more than now may be in flight, and twice as many every little while."""
        began = at - CROWD_DOUBLES_S * math.log2(first)
        self._crowd = began, began + CROWD_DOUBLES_S * math.log2(self.most), self.in_flight

    def _let_in(self) -> None:
        """Let out all who may go, and come back when the clock lets out the next one."""
        while self._waiting:
            if self._waiting[0].done():  # cancelled meanwhile
                self._waiting.popleft()
                continue
            now = self._clock.now()
            if self.in_flight >= self.allowed:
                again = self.pace.waits_for_others(now)
                if self.in_flight >= self.allowed:
                    return self._come_back(again)
            opens = self._opens(now)
            if opens > now:
                self.pace.waits_for_time(now)
                return self._come_back(opens)
            self._waiting.popleft().set_result(self._let_out(now))

    def _come_back(self, at: float) -> None:
        if at >= self._wakes_at:
            return
        self.close()
        self._wakes_at = at

        async def later() -> None:
            await self._clock.sleep(at - self._clock.now())
            self._timer, self._wakes_at = None, math.inf
            self._let_in()

        self._timer = asyncio.create_task(later())

    def _leave(self) -> None:
        self.in_flight -= 1
        if self._waiting:
            self._let_in()
