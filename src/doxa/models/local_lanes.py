"""Passes of small networks side by side, in threads of their own: their operations are too small to be divided.

Several threads on one small product wait for each other about as long as they compute; several passes wait for nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doxa.models.local_network import Network

# Weights of networks whose passes run side by side: those that a processor's caches hold, or nearly.
SMALL_BYTES = 2**26
MOST = 4

_inside = threading.local()


class Lanes:
    """count threads, which share the threads that PyTorch may use among them; 1: none, all is done by whoever asks."""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._pool: ThreadPoolExecutor | None = None

    @property
    def free(self) -> int:
        """How many there are for whoever asks: a lane has itself alone."""
        return 1 if getattr(_inside, "lane", False) else self.count

    def each(self, work: Callable[[], None]) -> None:
        """Do the work in all lanes at the same time, and wait for it. Raises what the first of them raised."""
        if self.free == 1:
            work()
            return
        if self._pool is None:
            self._pool = self._started()
        every = [self._pool.submit(_in_lane, work) for _ in range(self.count)]
        wait(every)  # also when one fails: the others still use what whoever asks would let go
        for done in every:
            done.result()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def _started(self) -> ThreadPoolExecutor:
        import torch

        threads = torch.get_num_threads()
        share = max(threads // self.count, 1)
        together = threading.Barrier(self.count + 1)

        def begin() -> None:
            # Holds for the thread that says so, and for those that begin later.
            torch.set_num_threads(share)
            _inside.lane = True
            together.wait()

        pool = ThreadPoolExecutor(self.count, thread_name_prefix="doxa-lane", initializer=begin)
        for _ in range(self.count):
            pool.submit(lambda: None)
        together.wait()
        torch.set_num_threads(threads)
        return pool


def lanes(network: Network) -> Lanes:
    """Lanes for the passes of a network: more than one for small ones on CPU, whose texts are all read alike."""
    import torch

    small = sum(p.nbytes for p in network.model.parameters()) <= SMALL_BYTES
    alone = network.device.type != "cpu" or network.steady is not None or not small
    return Lanes(1 if alone else min(torch.get_num_threads(), MOST))


def _in_lane(work: Callable[[], None]) -> None:
    import torch

    with torch.inference_mode():
        work()
