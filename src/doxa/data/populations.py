"""Populations behind a survey: shares of answers, in subgroups too, and records to draw; a made-up one of our own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from doxa.records import Item

Shares = Mapping[str, tuple[float, ...]]
"""Of each question, by key: the share of each option among those who were asked, in the survey's own order."""

CLASSES, DISTRICTS = 4, 8


@dataclass(frozen=True)
class LatentClasses:
    """People of a few kinds; within a kind the answers to different questions are independent.

    weights    (classes,) how common the kinds are
    tables     key -> (classes, c) probabilities of the options for each kind, in the order of the questions
    asked_if   key -> the conditions under which it is asked
    """

    weights: tuple[float, ...]
    tables: Mapping[str, np.ndarray]
    asked_if: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)

    def shares(self, weights: Sequence[float] | None = None) -> dict[str, tuple[float, ...]]:
        """Exact shares among those who are asked, for other `weights` of the kinds if given."""
        mix = np.asarray(self.weights if weights is None else weights)
        found = {}
        for key, table in self.tables.items():
            reach = mix * self._reached(key)
            found[key] = tuple(float(p) for p in reach @ table / reach.sum())
        return found

    def _reached(self, key: str) -> np.ndarray:
        """Probability (classes,) that a person of each kind is asked. Conditions stand on different questions."""
        reach = np.ones(len(self.weights))
        for parent, after in self.asked_if.get(key, {}).items():
            reach = reach * self._reached(parent) * self.tables[parent][:, list(after)].sum(axis=1)
        return reach

    def records(self, n: int, seed: int, weights: Sequence[float] | None = None) -> np.ndarray:
        """Records (n, questions): 1 to c for the options, 0 where a question was not asked."""
        rng = np.random.default_rng(seed)
        kind = rng.choice(len(self.weights), size=n, p=self.weights if weights is None else weights)
        keys = list(self.tables)
        found = np.zeros((n, len(keys)), dtype=np.int64)
        for place, (key, table) in enumerate(self.tables.items()):
            picked = (rng.random(n)[:, None] > np.cumsum(table[kind], axis=1)[:, :-1]).sum(axis=1) + 1
            asked = np.ones(n, dtype=bool)
            for parent, after in self.asked_if.get(key, {}).items():
                asked &= np.isin(found[:, keys.index(parent)], [option + 1 for option in after])
            found[:, place] = np.where(asked, picked, 0)
        return found


@dataclass(frozen=True)
class Population:
    """What answers are compared with.

    shares     of the whole; subgroups: of each part, by name; keys: the questions of the records
    classes    where records are drawn from (mixes: weights of the kinds by subgroup), or
    people     (n, keys) records that are resampled: 1 to c, 0 where there is no answer; weights (n,) of them;
               parts (n,) the subgroup of each
    """

    name: str
    shares: Shares
    subgroups: Mapping[str, Shares] = field(default_factory=dict)
    classes: LatentClasses | None = None
    mixes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    people: np.ndarray | None = None
    weights: np.ndarray | None = None
    parts: np.ndarray | None = None

    @property
    def draws(self) -> bool:
        """Whether records can be drawn: shares alone say nothing of how answers go together."""
        return self.classes is not None or self.people is not None

    @property
    def kinds(self) -> tuple[tuple[float, ...], dict[str, list[list[float]]]]:
        """Weights of the kinds of people, and by key the probabilities (kinds, c) of the options; empty: no kinds."""
        if self.classes is None:
            return (), {}
        return self.classes.weights, {key: table.tolist() for key, table in self.classes.tables.items()}

    def records(
        self, n: int, seed: int, keys: Sequence[str], *, part: str | None = None, rest: bool = False
    ) -> np.ndarray:
        """n records (n, keys) drawn by weight: of all, of one subgroup, or (rest) of all but that one.

        raises  ValueError: there are no records, no such key
        """
        unknown = [key for key in keys if key not in self.keys]
        if not self.draws or unknown:
            raise ValueError(f"population {self.name!r} has no records of {', '.join(unknown) or 'its shares'}")
        columns = [self.keys.index(key) for key in keys]
        if self.classes is not None:
            chosen = [mix for name, mix in self.mixes.items() if part is None or (name == part) != rest]
            return self.classes.records(n, seed, np.mean(chosen, axis=0).tolist())[:, columns]
        assert self.people is not None
        rows = np.arange(len(self.people))
        if part is not None and self.parts is not None:
            rows = np.flatnonzero((self.parts == part) != rest)
        weights = np.ones(len(rows)) if self.weights is None else self.weights[rows]
        drawn = np.random.default_rng(seed).choice(rows, size=n, p=weights / weights.sum())
        return self.people[drawn][:, columns]


# --- a made-up one ---------------------------------------------------------------------------------------------------


def made_up_population(items: Sequence[Item], name: str = "made up") -> Population:
    """A population that never was: four kinds of people mixed in eight districts, the same on every machine.

    Some options of a question are common and some rare, as in life; which ones is chance.
    """
    return _made_up(
        tuple((str(i.fields["key"]), len(i.options), _plain(i.fields.get("asked_if", {}))) for i in items), name
    )


def _plain(conditions: Mapping[str, Sequence[int]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    return tuple((key, tuple(after)) for key, after in conditions.items())


@cache
def _made_up(asked: tuple[tuple[str, int, tuple[tuple[str, tuple[int, ...]], ...]], ...], name: str) -> Population:
    tables = {key: _table(key, c) for key, c, _ in asked}
    mixes = {f"district {d}": _mix(d) for d in range(1, DISTRICTS + 1)}
    weights = tuple(np.mean(list(mixes.values()), axis=0).tolist())
    known = {key: {k: after for k, after in when if k in tables} for key, _, when in asked}
    classes = LatentClasses(weights, tables, known)
    parts = {district: classes.shares(mix) for district, mix in mixes.items()}
    return Population(name, classes.shares(), parts, classes, mixes, keys=tuple(tables))


def _table(key: str, c: int) -> np.ndarray:
    """Probabilities (classes, c): how common an option is, times what is particular to a kind."""
    common = np.array([_wait(f"{key}/{option}") for option in range(c)]) ** 1.5 + 0.02
    own = np.array([[_wait(f"{key}/{option}/{kind}") for option in range(c)] for kind in range(CLASSES)])
    weights = common * (own + 0.05)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _mix(district: int) -> tuple[float, ...]:
    weights = np.array([_wait(f"district/{district}/{kind}") for kind in range(CLASSES)])
    return tuple((weights / weights.sum()).tolist())


def _wait(name: str) -> float:
    """An exponential waiting time that depends on the name alone; normalised, several of them are uniform shares."""
    bits = int.from_bytes(hashlib.sha256(f"population/{name}".encode()).digest()[:8])
    return -math.log((bits + 0.5) / 2.0**64)
