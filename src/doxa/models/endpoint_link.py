"""Connections to a server: as many requests in flight as it can take, and retries of what may be retried."""

from __future__ import annotations

import json
import logging
import random
from typing import Any

import aiohttp
import tenacity

from doxa.models.base import Usage
from doxa.models.endpoint_limit import Clock, Limit
from doxa.models.endpoint_pace import Ticket
from doxa.models.endpoint_server import QuotaUsedUp, Server, ServerFailed, Transient, Unreachable

logger = logging.getLogger(__name__)

# Servers close an idle connection after 5 s (uvicorn's default); let go of it first, or the next request is lost.
KEEP_ALIVE_S = 4.0
CONNECT_S = 30.0
LONGEST_BACKOFF_S = 60.0
# So many questions in a row that failed after all retries, with no answer between them: the server is gone.
GONE_AFTER = 50


class Link:
    """The connections of one event loop to one server.

    retries     how often a request is repeated that failed (5xx, time-out, broken connection, truncated body)
    patience_s  how long one request waits for rate limits (429) in all
    """

    def __init__(
        self,
        server: Server,
        usage: Usage,
        *,
        most: int,
        timeout_s: float,
        retries: int,
        patience_s: float,
        clock: Clock,
    ) -> None:
        self.limit = Limit(most, clock)
        self._server = server
        self._usage = usage
        self._retries = retries
        self._patience_s = patience_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._heard = False
        self._failed_in_a_row = 0
        self._session = aiohttp.ClientSession(
            headers=server.headers,
            connector=aiohttp.TCPConnector(limit=most, keepalive_timeout=KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(CONNECT_S, timeout_s)),
            trust_env=not server.local,  # proxies from the environment, as everywhere
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        self.limit.close()
        await self._session.close()

    async def call(self, route: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """POST `body` to a route (GET without one) and give back the JSON of the answer.

        raises  ServerFailed after all retries; at once and without one, the errors of `Server.judge`
        """
        data = None if body is None else json.dumps(body).encode()
        answer: dict[str, Any] = {}
        trouble: Transient | None = None
        try:
            answer = await self._attempt(route, data)
        except Transient as failure:
            trouble = failure
        if trouble is not None:
            answer = await self._again(route, data, trouble)
        self._failed_in_a_row = 0
        self._usage.calls += 1
        return answer

    async def _again(self, route: str, data: bytes | None, trouble: Transient) -> dict[str, Any]:
        """Repeat after a first attempt that failed. (Apart from it: the machinery costs half as much as a call.)"""
        first: Transient | None = trouble

        async def attempt() -> dict[str, Any]:
            nonlocal first
            if first is not None:
                failed, first = first, None
                raise failed
            return await self._attempt(route, data)

        try:
            return await self._retrying()(attempt)
        except Transient as failure:
            trouble = failure
        raise self._given_up(route, trouble)  # out here, so that it does not drag the connection's error along

    def _retrying(self) -> tenacity.AsyncRetrying:
        failures = 0

        def enough(state: tenacity.RetryCallState) -> bool:
            nonlocal failures
            failure = _failure(state)
            failures += not failure.limited
            return failures > self._retries or state.idle_for > self._patience_s or self._too_long(failure)

        def pause(state: tenacity.RetryCallState) -> float:
            return max(backoff(state), _failure(state).wait_s or 0.0)

        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Transient),
            stop=enough,
            wait=pause,
            sleep=self._clock.sleep,
            before_sleep=self._count,
            reraise=True,
        )

    def _count(self, state: tenacity.RetryCallState) -> None:
        cause = f"retry after {_failure(state).cause}"
        self._usage.retries += 1
        self._usage.by_kind[cause] = self._usage.by_kind.get(cause, 0) + 1
        logger.info("%s, attempt %d", cause, state.attempt_number + 1)

    async def _attempt(self, route: str, data: bytes | None) -> dict[str, Any]:
        async with self.limit as ticket:
            try:
                status, headers, body = await self._send(route, data)
                answer = self._server.judge(route, status, headers, body)
                if data is not None:
                    check_choices(answer)
            except Transient as failure:
                self._heed(failure, ticket)
                raise
            self.limit.answered()
            return answer

    def _heed(self, failure: Transient, ticket: Ticket) -> None:
        wait_s = None if self._too_long(failure) else failure.wait_s
        if failure.limited:
            self.limit.refused(ticket, wait_s)
        elif failure.crowded:
            self.limit.overloaded(ticket, wait_s)

    async def _send(self, route: str, data: bytes | None) -> tuple[int, Any, bytes]:
        """One request. Errors of aiohttp may hold the headers, hence the key: only their names go further."""
        url = f"{self._server.base_url}/{route}"
        trouble: Exception
        try:
            async with self._session.request(
                "GET" if data is None else "POST", url, data=data, allow_redirects=False
            ) as response:
                self._heard = True
                return response.status, response.headers, await response.read()
        except aiohttp.ClientSSLError as error:
            trouble = Unreachable(
                f"no secure connection to {self._server.base_url} ({type(error).__name__}): "
                "is its certificate trusted here, and is it https:// that it speaks?"
            )
        except TimeoutError:
            trouble = Transient("time-out", crowded=True)
        except aiohttp.ClientConnectorError as error:
            trouble = Transient(f"no connection ({error.strerror or type(error.os_error).__name__})")
        except (aiohttp.ClientError, OSError) as error:
            trouble = Transient(f"broken connection ({type(error).__name__})")
        raise trouble

    def _too_long(self, failure: Transient) -> bool:
        return failure.wait_s is not None and failure.wait_s > self._patience_s

    def _given_up(self, route: str, last: Transient) -> Exception:
        where = f"{self._server.base_url}/{route}"
        if self._too_long(last):
            return QuotaUsedUp(
                f"{where} asks to wait {last.wait_s:.0f} s, longer than the {self._patience_s:.0f} s that we wait. "
                "The same command resumes the run later."
            )
        if last.limited:
            return ServerFailed(
                f"{where} kept answering 429 (rate limit) for {self._patience_s:.0f} s. Lower the concurrency."
            )
        if not self._heard and last.cause.startswith("no connection"):
            return Unreachable(f"nobody answers at {self._server.base_url}: {last.cause}. Is the server running there?")
        self._failed_in_a_row += 1
        what = f"{where}: {last.cause}, after {self._retries} retries"
        if last.cause == "time-out":
            what += f" of up to {self._timeout_s:g} s (timeout_s)"
        if self._failed_in_a_row >= GONE_AFTER:
            return Unreachable(f"{what}; {self._failed_in_a_row} questions in a row. The same command resumes the run.")
        return ServerFailed(f"{what}. The same command asks again.")


def backoff(state: tenacity.RetryCallState) -> float:
    """Seconds before the next attempt: doubling from half a second to a minute, spread by a quarter either way."""
    return min(LONGEST_BACKOFF_S, 0.5 * 2 ** min(state.attempt_number - 1, 10)) * random.uniform(0.75, 1.25)


def check_choices(answer: dict[str, Any]) -> None:
    """A reply without choices, or one that says that its generation broke off, is a failure of the server."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(c, dict) for c in choices):
        raise Transient("reply without choices")
    if any(c.get("finish_reason") in ("error", "abort") or c.get("error") for c in choices):
        raise Transient("generation broke off")


def _failure(state: tenacity.RetryCallState) -> Transient:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, Transient)
    return error
