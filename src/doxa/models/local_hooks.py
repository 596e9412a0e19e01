"""Hooks that let a pass compute and keep no more than what is wanted of it; passes of other threads do not notice."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

# What the part of a block that looks at each position by itself is called.
INNER = ("mlp", "feed_forward", "ffn")
# Fewer positions are chosen from all when they are at most this share of them: choosing is copying, too.
FEW = 0.75


@contextlib.contextmanager
def only(head: Any, row_k: torch.Tensor, position_k: torch.Tensor) -> Iterator[list[bool]]:
    """Let only these positions reach the output head; the list is empty if the head was never called."""
    seen: list[bool] = []

    me = threading.get_ident()

    def select(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if threading.get_ident() != me or not args or args[0].ndim != 3:
            return None
        seen.append(True)
        return (args[0][row_k, position_k][None], *args[1:])

    if head is None:
        yield seen
        return
    handle = head.register_forward_pre_hook(select)
    try:
        yield seen
    finally:
        handle.remove()


class Enough(Exception):
    """All that was wanted of a pass is there."""


@contextlib.contextmanager
def stored(
    block: Any,
    states: dict[int, torch.Tensor],
    layer: int,
    row_m: torch.Tensor,
    position_m: torch.Tensor,
    *,
    last: bool,
) -> Iterator[None]:
    """Keep what leaves the block at these positions: the residual stream, before any final norm. last: then stop."""

    me = threading.get_ident()

    def store(_module: Any, _args: Any, output: Any) -> None:
        if threading.get_ident() != me:
            return
        hidden = output[0] if isinstance(output, (tuple, list)) else output
        states[layer] = hidden[row_m, position_m]
        if last:
            raise Enough

    handle = block.register_forward_hook(store)
    try:
        yield
    finally:
        handle.remove()


@contextlib.contextmanager
def narrowed(block: Any, row_k: torch.Tensor, position_k: torch.Tensor) -> Iterator[None]:
    """Let only these positions reach the feed-forward part of a block; it adds nothing at the others.

    For the deepest block of a pass: what leaves it at other positions is looked at by nobody.
    """
    inner = feed_forward(block)
    shapes: list[torch.Size] = []
    me = threading.get_ident()

    def select(_module: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if threading.get_ident() != me:
            return None
        shape = args[0].shape if args and len(args[0].shape) == 3 else None
        if shape is None or len(row_k) > FEW * shape[0] * shape[1]:
            return None
        shapes.append(shape)
        return (args[0][row_k, position_k][None], *args[1:])

    def spread(_module: Any, _args: Any, output: Any) -> Any:
        if threading.get_ident() != me or not shapes:
            return output
        whole = output.new_zeros(shapes.pop())
        whole[row_k, position_k] = output[0]
        return whole

    if inner is None:
        yield
        return
    handles = inner.register_forward_pre_hook(select), inner.register_forward_hook(spread)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def feed_forward(block: Any) -> Any:
    """The module of a block that looks at each position by itself, if it has one by a usual name."""
    return next((found for name in INNER if (found := getattr(block, name, None)) is not None), None)
