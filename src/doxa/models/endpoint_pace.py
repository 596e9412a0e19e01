"""How much a server takes, read from what it refuses: requests a second, and requests at once.

A 429 says that a limit was met and not which one. At that moment the server's allowance is used up, and so it is at the
next one: what was taken in between, by the time in between, is the rate that it allows, whatever it counts by. Those in
flight that were not refused are the number that it allows. Both are kept to, and tried again after times of quiet.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

# Quiet before more is tried, and how much more: at first, and at most, doubling in between.
FIRST_QUIET_S, LONGEST_QUIET_S = 0.5, 20.0
FIRST_STEP, LARGEST_STEP = 1 / 64, 1 / 8
# Limits that differ by less are the same.
SAME = 1 / 8
# Requests taken between two refusals from which a rate is read; a time without any that is not counted.
ENOUGH, LONG_GAP_S = 10, 10.0
# Nothing goes out for so long after a refusal that names no time, doubling until a rate can be read.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 60.0
# How late a request may be and still not delay the next (timers are not exact).
SLACK_S = 0.05
# Fewer at once than this are no limit to be kept.
FEW = 8


@dataclass(slots=True)
class Ticket:
    """One request that was let out: its number, when it went, and how many refusals had been met by then."""

    number: int
    sent: float
    epoch: int


class Bound:
    """One limit: `value` is allowed; a little more is tried whenever it was quiet for a time, and somebody waits.

    tried  whether more is allowed than where the limit was met last; moved: clearly more
    """

    def __init__(self) -> None:
        self.value = math.inf
        self.tried = self.moved = False
        self._met_at = math.inf
        self._quiet, self._step, self._tried_by, self._next_try = FIRST_QUIET_S, FIRST_STEP, 0, math.inf

    def meet(self, value: float, now: float, *, again: bool | None, least_quiet_s: float = 0.0) -> None:
        """The limit is here.

        again  whether that is where it was the last time: the more rarely is more tried then; None: not known
        """
        self.value = self._met_at = value
        self.tried = self.moved = False
        self._step = FIRST_STEP
        if again is not None:
            self._quiet = min(LONGEST_QUIET_S, 2 * self._quiet) if again else FIRST_QUIET_S
        # Not in step with the answers: those come in waves, and a wave could be what was refused.
        self._next_try = now + max(self._quiet, least_quiet_s) * random.uniform(1, 1.5)

    def near(self, value: float) -> bool:
        """Whether that is where the limit was the last time."""
        return abs(value - self._met_at) <= SAME * self._met_at

    def wait(self, now: float, sent: int, grain: float = 0.0) -> float:
        """Somebody waits because of it, `sent` requests having gone out; when more is tried next, if nothing happens.

        grain  the least that is tried more
        """
        if now >= self._next_try and sent > self._tried_by:
            self.value += max(grain, self._step * self.value)
            self.tried, self._tried_by, self._step = True, sent, min(LARGEST_STEP, 2 * self._step)
            self.moved = self.value > self._met_at * (1 + SAME)  # it is no longer where it was
            self._next_try = now + (FIRST_QUIET_S if self.moved else max(FIRST_QUIET_S, self._quiet / 4))
        return self._next_try if self._next_try > now else math.inf


class Pace:
    """When the next request may go out, and beside how many others. Without a refusal: at once.

    rate, at_once  requests a second, and in flight
    sure           whether the limit is known: a rate read from enough requests, or a number that was met twice
    sent           requests let out so far
    closed_until   nothing goes out before
    """

    def __init__(self) -> None:
        self.rate, self.at_once = Bound(), Bound()
        self.sure = False
        self.closed_until = -math.inf
        self.sent = 0
        self._refused = self._epoch = 0
        self._due = -math.inf  # when the last one was to go
        self._met, self._taken_by_then = -math.inf, 0  # when the limit was met last, and requests taken by then
        self._read = math.inf  # the rate as it was read last
        self._unread: Ticket | None = None  # refused, and nothing has gone out since
        self._pause = FIRST_PAUSE_S

    @property
    def opens(self) -> float:
        """When the next request may go out."""
        return max(self._due + 1 / self.rate.value, self.closed_until)

    def let_out(self, now: float) -> Ticket:
        """Count one that goes out now."""
        if not self.sent:
            self._met = now
        if self._unread is not None:
            self._read_rate(self._unread)
        if LONG_GAP_S < (late := now - self.opens) < math.inf:
            self._met += late  # nobody asked: that time says nothing of the rate
        self._due = max(self._due + 1 / self.rate.value, now - SLACK_S)
        self.sent += 1
        return Ticket(self.sent - 1, now, self._epoch)

    def waits_for_time(self, now: float) -> None:
        """Somebody waits for the clock alone."""
        if self._unread is None:
            moved = self.rate.moved
            self.rate.wait(now, self.sent)
            if self.rate.moved and not moved:  # what was taken before belongs to a lower rate
                self._met, self._taken_by_then = now, self.sent - self._refused

    def waits_for_others(self, now: float) -> float:
        """Somebody waits for one of those in flight to come back; when one more is tried, if none does."""
        return self.at_once.wait(now, self.sent, grain=1.0)

    def refused(self, ticket: Ticket, wait_s: float | None, others: int, now: float) -> bool:
        """A limit was met. Whether that tells something new, so that for a while nothing goes out.

        wait_s  how long the server asks to wait; None: it does not say
        others  requests in flight beside this one
        """
        self._refused += 1
        if ticket.epoch != self._epoch:  # it went out before the last refusal was known
            self.at_once.value = min(self.at_once.value, max(FEW, others))
            return False
        self._epoch += 1
        again = self.at_once.tried and self.at_once.near(others) and others > FEW
        self.at_once.meet(max(FEW, others), now, again=again)
        if again:  # one more than were taken before was refused before, too: it need not be the rate
            self.sure = True
            return False
        self._unread = ticket
        # Long enough for those that are on their way to be refused, too, and be counted.
        pause = max(self._pause, min(2 * (now - ticket.sent), LONGEST_QUIET_S))
        if wait_s:  # whole seconds, mostly: "1" may mean next to nothing, so where the limit is known, one is left off
            pause = max(pause, wait_s - 1 if self.sure else wait_s)
        self.closed_until = max(self.closed_until, now + pause)
        return True

    def _read_rate(self, refused: Ticket) -> None:
        """Read the rate from what was taken since the limit was met last; too little of it: wait longer next time."""
        first, moved, self._unread = self._read == math.inf, self.rate.moved, None
        taken, passed = self.sent - self._refused, refused.sent - self._met
        more = taken - self._taken_by_then
        enough, again = more >= ENOUGH and passed > 0 and not first, None
        if first:  # twice the mean: they became more and more
            value = self._read = 2 * max(1, taken) / max(passed, FIRST_PAUSE_S)
        elif enough:
            value = more / passed * (1 - FIRST_STEP)
            if not moved:  # else part of the allowance had been saved before
                again, self._read = abs(value - self._read) <= SAME * self._read, value
        else:
            value = self.rate.value * (1 - SAME)
        if first or enough:
            self._met, self._taken_by_then = refused.sent, taken
        self.sure = self.sure or enough
        self._pause = FIRST_PAUSE_S if enough else min(LONGEST_PAUSE_S, 2 * self._pause)
        self.rate.meet(value, self.closed_until, again=again, least_quiet_s=ENOUGH / value)
