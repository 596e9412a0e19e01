"""Planted truth: small models whose beliefs and habits are known, because this project trained them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doxa.organisms.building import build
    from doxa.organisms.shelf import card, cards, names, open_organism
    from doxa.organisms.variants import planted

__all__ = ["build", "card", "cards", "names", "open_organism", "planted"]


def __getattr__(name: str) -> object:
    """Import on demand: the shelf needs no torch, and building imports it where it trains."""
    if name == "build":
        from doxa.organisms import building

        return building.build
    if name == "planted":
        from doxa.organisms import variants

        return variants.planted
    if name in __all__:
        from doxa.organisms import shelf

        return getattr(shelf, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
