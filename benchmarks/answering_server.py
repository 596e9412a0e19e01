"""A chat completions server on the bare event loop, for benchmarks: far cheaper for each call than what it measures.

    python answering_server.py [--delay 0.5] [--in-flight 200] [--rate 50 --burst 50] [--retry-after]

Prints its base URL and ends with its standard input. GET /v1/counts tells what it has done, second by second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

SEED = re.compile(rb'"seed": ?(\d+)')
LENGTH = re.compile(rb"content-length: ?(\d+)", re.I)


@dataclass
class Manners:
    """What the server allows: requests in flight, and a bucket of `burst` calls that `rate` a second flow into."""

    delay_s: float = 0.0
    in_flight: int | None = None
    rate: float | None = None
    burst: float = 1.0
    retry_after: bool = False


@dataclass
class Counts:
    """Answers and refusals (429) by second since the first request."""

    answered: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    peak: int = 0


class Answering:
    """The state that all connections share."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.counts = Counts()
        self.inside = 0
        self._began: float | None = None
        self._bucket = manners.burst
        self._filled = 0.0

    def admit(self) -> bool:
        """Whether this request is answered; either way it is counted."""
        now = time.monotonic()
        if self._began is None:
            self._began = self._filled = now
        m = self.manners
        free = m.in_flight is None or self.inside < m.in_flight
        if m.rate is not None:
            self._bucket = min(m.burst, self._bucket + (now - self._filled) * m.rate)
            self._filled = now
            free = free and self._bucket >= 1
            self._bucket -= free
        counted = self.counts.answered if free else self.counts.refused
        counted[int(now - self._began)] += 1
        if free:
            self.inside += 1
            self.counts.peak = max(self.counts.peak, self.inside)
        return free

    def seconds_to_wait(self) -> int:
        """What Retry-After says: whole seconds, as servers do."""
        return 1 if self.manners.rate is None else max(1, round((1 - self._bucket) / self.manners.rate))

    def report(self) -> bytes:
        c = self.counts
        data = {"answered": sorted(c.answered.items()), "refused": sorted(c.refused.items()), "peak": c.peak}
        return json.dumps(data).encode()

    def reset(self) -> None:
        self.counts, self._began = Counts(), None


class Connection(asyncio.Protocol):
    """One client connection; requests that arrive together are answered in turn."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._received = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            found = LENGTH.search(head)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._received) < size:
                return
            body, self._received = self._received[end + 4 : size], self._received[size:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        answering = self._answering
        if b"/counts " in head:
            self._send(b"200 OK", answering.report())
            answering.reset()
        elif head.startswith(b"GET"):
            self._send(b"200 OK", b'{"data": [{"id": "m", "owned_by": "benchmark"}]}')
        elif not answering.admit():
            wait = b"\r\nRetry-After: %d" % answering.seconds_to_wait() if answering.manners.retry_after else b""
            said = b'{"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}'
            self._send(b"429 Too Many Requests" + wait, said)
        elif answering.manners.delay_s:
            self._loop.call_later(answering.manners.delay_s, self._complete, body)
        else:
            self._complete(body)

    def _complete(self, body: bytes) -> None:
        self._answering.inside -= 1
        found = SEED.search(body)
        self._send(b"200 OK", COMPLETION % (found[1] if found else b"0"))

    def _send(self, status: bytes, body: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (status, len(body), body)
            )


# What a server answers, in length and shape; the question's seed tells whose answer it is.
COMPLETION = (
    b'{"id": "chatcmpl-7f3a", "object": "chat.completion", "created": 1735689600, "model": "m", "choices": [{"index": '
    b'0, "message": {"role": "assistant", "content": "Answer: B\\nConfidence: 85%%\\nNumber: %b", "refusal": null}, '
    b'"logprobs": null, "finish_reason": "stop"}], "usage": {"prompt_tokens": 31, "completion_tokens": 14, '
    b'"total_tokens": 45}, "system_fingerprint": "fp_benchmark"}'
)


async def serve(manners: Manners) -> None:
    loop = asyncio.get_running_loop()
    answering = Answering(manners)
    server = await loop.create_server(lambda: Connection(answering), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument("--in-flight", type=int, help="requests allowed at the same time; more get 429")
    parser.add_argument("--rate", type=float, help="requests allowed a second; more get 429")
    parser.add_argument("--burst", type=float, default=1.0, help="requests allowed at once under --rate")
    parser.add_argument("--retry-after", action="store_true", help="a 429 says when to come back")
    args = parser.parse_args()
    asyncio.run(serve(Manners(args.delay, args.in_flight, args.rate, args.burst, args.retry_after)))


if __name__ == "__main__":
    main()
