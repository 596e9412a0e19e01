"""A second model beside the one that is asked, such as a judge: loaded once, left when nobody is asking it any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from doxa.models.address import load
from doxa.models.base import Model

_LOADED: dict[str, Model] = {}
_ASKING: dict[tuple[str, int], int] = {}


@asynccontextmanager
async def beside(address: str) -> AsyncIterator[Model]:
    """The model at an address, for as long as it is asked.

    Many may ask it at the same time; with the last of them what belongs to the event loop is released, so that the loop
    can end. The model itself stays loaded. Its answers do not go through the response store.
    raises  DoxaError: no such model
    """
    model = _LOADED.setdefault(address, _LOADED.get(address) or load(address))
    here = (address, id(asyncio.get_running_loop()))
    _ASKING[here] = _ASKING.get(here, 0) + 1
    try:
        yield model
    finally:
        _ASKING[here] -= 1
        if not _ASKING[here]:
            del _ASKING[here]
            await model.leave()
