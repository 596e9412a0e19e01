"""Models beside the one that is asked, such as judges and opponents: opened once in a run, stored, counted apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from doxa.models import load
from doxa.models.base import Model
from doxa.records import DoxaError
from doxa.runs.errors import NotOpened
from doxa.runs.store import Store, Stored


def opened(address: str) -> Model:
    """The model at an address, which a study asks beside the one it is about. NotOpened: there is none."""
    try:
        return load(address)
    except DoxaError as error:
        raise NotOpened(f"the model beside the one that is asked could not be opened: {error}") from error


class Beside:
    """Models by address: each is opened when first wanted, asked only what the store does not hold, and closed at last.

    store  gives the response store, wanted with the first model whose answers go there
    noted  is told of each model as it is opened; what it raises ends the run
    """

    def __init__(self, store: Callable[[], Store], noted: Callable[[str, Model], None]) -> None:
        self._store = store
        self._noted = noted
        self._opened: dict[str, Stored] = {}

    def __call__(self, address: str) -> Stored:
        """The model at an address. NotOpened: there is none, which ends the run before more is asked in vain."""
        if address not in self._opened:
            model = opened(address)
            self._noted(address, model)
            self._opened[address] = Stored(model, self._store() if model.stored else None)
        return self._opened[address]

    def counted(self) -> Counted:
        """The same models with tallies of their own, beginning at zero."""
        return Counted(self)

    async def close(self) -> None:
        """End what is in flight and close the models, which belong to nobody else."""
        opened = list(self._opened.values())
        self._opened = {}
        await asyncio.gather(*(one.close() for one in opened))
        await asyncio.gather(*(one.model.close() for one in opened))


class Counted:
    """Models beside the one that is asked, as one item calls them."""

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._views: dict[str, Stored] = {}

    def __call__(self, address: str) -> Model:
        if address not in self._views:
            self._views[address] = self._beside(address).counted()
        return self._views[address]

    def counts(self) -> dict[str, dict[str, int]]:
        """What each that was called cost, by address, as the log keeps it."""
        tallies = {address: view.tally.counts() for address, view in self._views.items()}
        return {address: counts for address, counts in tallies.items() if counts}
