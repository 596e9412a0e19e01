"""What a network can be trusted with, found out by reading the same tokens in two ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from doxa.models.local_batching import Batches
from doxa.models.local_network import Block, Network, Readout
from doxa.models.local_parts import Part, Parts
from doxa.models.local_prefixes import Prefixes
from doxa.models.local_reading import LogitsPath, Reader
from doxa.models.local_stream import Stream
from doxa.models.local_tree import ROW_TOKENS, Sharing
from doxa.records import DoxaError

if TYPE_CHECKING:
    import torch

# Steps of the trial of streams.
STEPS = 3
# Tokens of the shortest trial of sharing, and of the branches in it. Longer texts are tried when they come, in doubles.
SHORTEST, BRANCH = 64, 8
# Total variation that is let pass, by whether the weights are in full precision.
CLOSE, CLOSE_REDUCED = 1e-4, 0.1
# In reduced precision sharing may bring so many times the usual noise, and so much in any case.
NOISE, NOISE_FLOOR = 3.0, 1e-3


def streams(network: Network) -> tuple[bool, bool]:
    """`cached` and `padded`: some architectures (recurrent ones) give wrong numbers with one or both."""
    import torch

    long, short = _rows(network)
    with torch.inference_mode():
        try:
            want = _read(network, [long, short]).logits
        except Exception as error:
            raise DoxaError(f"the network cannot read nine tokens: {error}") from error
        if _continues(network, [long, short], want, Stream.read):
            return True, True
        return _continues(network, [long], want, Stream.read), False


def narrow(network: Network) -> bool:
    """`narrow`: whether it makes no difference; it does where the feed-forward part is none, or there is no such."""
    import torch

    rows = [np.array(row) for row in _rows(network)]
    last, places = [[len(row) - 1] for row in rows], [[1, len(row) - 1] for row in rows]

    def read() -> list[torch.Tensor]:
        deepest = network.read(Block(rows), last, places, [network.layers - 1])
        middle = network.read(Block(rows), [[], []], places, [0, network.layers // 2])
        return [deepest.logits, *deepest.states.values(), *middle.states.values()]

    with torch.inference_mode():
        want, network.narrow = read(), True
        try:
            found = read()
        except Exception:  # an architecture that is built otherwise fails in its own way
            return False
        finally:
            network.narrow = False
    near = _close(network)
    return all(torch.allclose(one, other, atol=near, rtol=near) for one, other in zip(found, want, strict=True))


def parts(network: Network) -> bool:
    """`parted`: some architectures do not attend through what Transformers offers for it, or do more than attend."""
    import torch

    def started(network: Network, beginnings: Sequence[Sequence[int]]) -> Stream:
        read = _read(network, beginnings, keep=True)
        common, rest = 2, [len(row) - 2 for row in beginnings]
        hidden = np.arange(max(rest)) >= np.array(rest)[:, None]
        trunk = Part([0] * len(rest), [(k[:1, :, :common], v[:1, :, :common]) for k, v in read.kept])
        own = Part(range(len(rest)), [(k[:, :, common:], v[:, :, common:]) for k, v in read.kept], hidden)
        ends = np.cumsum([min(STEPS + 1, len(row)) for row in beginnings]) - 1
        lengths = [len(row) for row in beginnings]
        return Stream.behind_parts(network, Parts([trunk, own], max(lengths)), lengths, read.logits[ends])

    rows = _rows(network)
    with torch.inference_mode():
        return network.padded and _continues(network, rows, _read(network, rows).logits, started)


def _rows(network: Network) -> list[list[int]]:
    """A longer and a shorter row that begin alike, away from both ends of the vocabulary."""
    return [[(network.vocabulary // 3 + i) % network.vocabulary for i in range(n)] for n in (9, 5)]


def _read(network: Network, rows: Sequence[Sequence[int]], *, keep: bool = False) -> Readout:
    places = [range(max(len(row) - STEPS - 1, 0), len(row)) for row in rows]
    return network.read(Block([np.array(row) for row in rows]), places, keep=keep)


def _continues(
    network: Network,
    rows: Sequence[Sequence[int]],
    want: torch.Tensor,
    start: Callable[[Network, Sequence[Sequence[int]]], Stream],
) -> bool:
    """Whether a stream that starts with the rows but for their last tokens comes to the same logits at these."""
    import torch

    try:
        stream = start(network, [row[:-STEPS] for row in rows])
        logits = [stream.logits]
        for i in range(-STEPS, 0):
            stream.step(torch.tensor([row[i] for row in rows], device=network.device))
            logits.append(stream.logits)
    except Exception:  # an architecture without these inputs fails in its own way
        return False
    found = torch.stack(logits, dim=1).flatten(0, 1)
    return bool((apart(found, want[: len(found)]) < _close(network)).all())


class Trial:
    """How common beginnings may be shared, found out against plain reading when it is first asked for.

    The same tokens are read in both ways, behind beginnings of two lengths that are padded to one. Longer texts are
    tried anew, with as many tokens, so that a window that no configuration mentions is noticed too.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._found: dict[tuple[int, bool], Sharing] = {}

    def sharing(self, length: int) -> Sharing:
        """For texts of at most so many tokens."""
        network = self._network
        if network.steady is not None and length > network.steady:
            return "none"
        tokens = SHORTEST
        while tokens < length:
            tokens *= 2
        # Beyond a window the network's own masks are left to say what a token sees.
        beyond = network.window is not None and length > network.window
        bounds = [network.limit, network.steady, None if beyond else network.window]
        tokens = min([tokens, *(bound for bound in bounds if bound is not None)])
        if (tokens, beyond) not in self._found:
            self._found[tokens, beyond] = self._best(tokens, ["chain"] if beyond else ["tree", "chain"])
        return self._found[tokens, beyond]

    def _best(self, tokens: int, candidates: Sequence[Sharing]) -> Sharing:
        import torch

        if tokens < 3 * BRANCH:
            return "none"
        with torch.inference_mode():
            want = _Probe(self._network, tokens).read("none")
            reduced = _close(self._network) == CLOSE_REDUCED
            noise = self._apart("chain", tokens, want) if reduced else np.zeros(1)
            for sharing in candidates:
                found = self._apart(sharing, tokens, want)
                usual = found.mean() <= NOISE * noise.mean() + NOISE_FLOOR and np.isfinite(noise).all()
                if found.max() < _close(self._network) and (usual or not reduced):
                    return sharing
        return "none"

    def _apart(self, sharing: Sharing, tokens: int, want: Sequence[torch.Tensor]) -> np.ndarray:
        """Total variation between what is read so and what should be, at each place; infinite when it fails."""
        try:
            found = _Probe(self._network, tokens).read(sharing)
        except Exception:  # an architecture without these inputs fails in its own way
            return np.full(1, np.inf)
        return np.concatenate([apart(a, b).cpu().numpy() for a, b in zip(found, want, strict=True)])


class _Probe:
    """Two texts that a network reads plainly, or with what they share with others.

    The longer one ends in a branch that comes last in a row as long as rows get, so that a network that goes by where
    a token stands in its row, and not by the positions and the mask that it is given, is found out.
    """

    def __init__(self, network: Network, tokens: int) -> None:
        self._network = network
        rng = np.random.default_rng(0)
        # Away from both ends of the vocabulary, where special tokens are.
        low, high = network.vocabulary // 4, max(3 * network.vocabulary // 4, 1)
        self._trunk = rng.integers(low, high, tokens - BRANCH)
        room = ROW_TOKENS - len(self._trunk) if len(self._trunk) < ROW_TOKENS // 2 else ROW_TOKENS - 1
        branches = rng.integers(low, high, (room // BRANCH, BRANCH))
        *self._others, self._last = branches[np.lexsort(branches.T[::-1])]  # as they will stand

    def read(self, sharing: Sharing) -> list[torch.Tensor]:
        """Logits at the last places of both texts. Raises what reading them failed with."""
        reader = Reader(self._network, Prefixes(2**40, 1), Batches(2**20), lambda _: sharing)
        long, short = self._trunk, self._trunk[: len(self._trunk) // 2]
        found = [self._path(long, self._last), self._path(short, self._last)]
        if sharing == "none":
            reader.read(found)
            return [path.logits() for path in (*found, found[0])]
        # Once with nothing kept before, once behind what was kept.
        first = self._path(long, self._last, keep=len(long))
        reader.read([first, *self._company()])
        reader.read([*found, *self._company()])
        return [path.logits() for path in (*found, first)]

    def _company(self) -> list[LogitsPath]:
        """The other branches. Nobody looks at their logits, so that they want as few as a path can."""
        texts = [np.concatenate([self._trunk, branch]) for branch in self._others]
        return [LogitsPath(text, [len(text) - 1], keep=0) for text in texts]

    def _path(self, beginning: np.ndarray, branch: np.ndarray, keep: int = 0) -> LogitsPath:
        text = np.concatenate([beginning, branch])
        return LogitsPath(text, range(len(text) - BRANCH - 1, len(text)), keep)


def apart(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Total variation between the distributions of two sets of logits (k, v): (k,), from 0 to 1."""
    return (one.double().softmax(-1) - other.double().softmax(-1)).abs().sum(-1) / 2


def _close(network: Network) -> float:
    import torch

    return CLOSE if network.model.dtype in (torch.float32, torch.float64) else CLOSE_REDUCED
