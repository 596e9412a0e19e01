"""Ratings from matchups of two: Elo, TrueSkill, Bradley-Terry of pairs that were played; bias and transitivity."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats, Ints, flat, numbers, same_length
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.ranking import bradley_terry
from doxa.metrics.tails import t_quantile

START, LOGISTIC = 1000.0, 400.0  # of Elo: everybody's first rating; the lead that makes a win ten times as likely
K, ORDERS = 400.0, 10
MU = 25.0
LAMBDA = 0.01


class Decided(NamedTuple):
    """Who beat whom, hard: numbers of the winners and the losers, (m,) each, in the order played."""

    winner: Ints
    loser: Ints


@dataclass(frozen=True, eq=False)
class Matchups:
    """m games between two of n players, in the order played.

    one, other  (m,) numbers of the players, from 0; one is the player that was shown first
    won         (m,) in [0, 1]: how far `one` won. 1 or 0, 1/2 for a tie, or the probability that it is preferred
    n           players, those without a game included
    """

    one: Ints
    other: Ints
    won: Floats
    n: int

    @classmethod
    def of(cls, one: ArrayLike, other: ArrayLike, won: ArrayLike, n: int) -> Matchups:
        """Checked. ValueError: unequal lengths, a result outside [0, 1], a player against itself or beyond n."""
        first, second = (np.asarray(a, dtype=np.int64).reshape(-1) for a in (one, other))
        result = np.asarray(won, dtype=np.float64).reshape(-1)
        if len(result):
            same_length(one=flat("one", first), other=flat("other", second), won=numbers("won", result))
        if ((result < 0) | (result > 1)).any():
            raise ValueError(f"won holds {result[(result < 0) | (result > 1)][0]:g}; a result lies in [0, 1]")
        if len(first) and (min(first.min(), second.min()) < 0 or max(first.max(), second.max()) >= n):
            raise ValueError(f"players are numbered 0 to {n - 1}, but numbers reach {max(first.max(), second.max())}")
        if (first == second).any():
            raise ValueError(f"game {int(np.argmax(first == second))} is of player {first[first == second][0]} alone")
        return cls(first, second, result, n)

    @property
    def games(self) -> Ints:
        """How many games each player had, (n,)."""
        return np.bincount(np.concatenate([self.one, self.other]), minlength=self.n)

    @property
    def decided(self) -> Decided:
        """The games without a tie."""
        won, lost = self.won > 0.5, self.won < 0.5
        kept = won | lost
        return Decided(np.where(won, self.one, self.other)[kept], np.where(won, self.other, self.one)[kept])

    def wins(self) -> Floats:
        """How often row beat column, (n, n); a tie is half a win for each."""
        table = np.zeros((self.n, self.n))
        np.add.at(table, (self.one, self.other), self.won)
        np.add.at(table, (self.other, self.one), 1 - self.won)
        return table


def elo(
    matchups: Matchups,
    *,
    k: float = K,
    passes: int = 1,
    orders: int = ORDERS,
    start: float = START,
    scale: float = LOGISTIC,
    seed: int = 0,
) -> Floats:
    """Elo ratings: after each game the winner gains k (1 - e), the loser loses it; e was the winner's expected share.

    e = 1 / (1 + 10 ** ((loser's - winner's rating) / scale)). Games change ratings in turn, so that with a k as large
    as 400 the last games count most: by default the mean over games in random orders.

    matchups  a tie, or a probability, moves ratings by k (won - e)
    passes    times all games are gone through; orders: random orders averaged, 0: as played, once
    returns   (n,) ratings; nan without a game
    raises    ValueError: passes below 1, orders below 0
    source    Elo 1978, The Rating of Chessplayers; k and scale: arXiv 2502.01126

    >>> elo(Matchups.of([0, 1, 0], [1, 2, 2], [1, 1, 1], 3), orders=0).round(2).tolist()
    [1220.85, 1103.9, 675.25]
    """
    if passes < 1 or orders < 0:
        raise ValueError(f"passes is {passes} (1 or more), orders is {orders} (0 or more)")
    rng, m = np.random.default_rng(seed), len(matchups.won)
    played = [np.arange(m)] if orders == 0 else [rng.permutation(m) for _ in range(orders)]
    ratings = np.mean([_elo_once(matchups, order, k, passes, start, scale) for order in played], axis=0)
    return np.where(matchups.games > 0, ratings, NAN)


def _elo_once(matchups: Matchups, order: Ints, k: float, passes: int, start: float, scale: float) -> list[float]:
    rating = [start] * matchups.n
    games = list(zip(*(a[order].tolist() for a in (matchups.one, matchups.other, matchups.won)), strict=True))
    for one, other, won in games * passes:
        moved = k * (won - 1 / (1 + 10 ** ((rating[other] - rating[one]) / scale)))
        rating[one] += moved
        rating[other] -= moved
    return rating


def trueskill_is_there() -> bool:
    """Whether the package `trueskill` is installed; without it there are no TrueSkill ratings."""
    return importlib.util.find_spec("trueskill") is not None


def trueskill(
    matchups: Matchups,
    *,
    mu: float = MU,
    sigma: float = MU / 3,
    beta: float = MU / 6,
    tau: float = MU / 300,
    conservative: bool = False,
) -> Floats:
    """TrueSkill ratings by the package `trueskill`, game by game in the order played, without draws.

    matchups      ties are left out; of a probability counts on which side of 1/2 it lies
    mu, sigma     everybody's first rating and its standard deviation; beta: of a single performance; tau: added to
                  sigma before each game
    conservative  mu - 3 sigma, instead of mu
    returns       (n,) ratings; nan without a decided game
    raises        ImportError says how to install the package
    source        Herbrich, Minka and Graepel 2006, NIPS 19; arXiv 2502.01126 for the values

    >>> trueskill(Matchups.of([0], [1], [1], 2)).round(4).tolist()
    [29.2055, 20.7945]
    """
    try:
        package: Any = importlib.import_module("trueskill")
    except ImportError as error:
        raise ImportError("TrueSkill ratings are made by the package trueskill: pip install 'doxa[ranking]'") from error
    rules = package.TrueSkill(mu, sigma, beta, tau, draw_probability=0.0)
    rating: list[Any] = [rules.create_rating() for _ in range(matchups.n)]
    winner, loser = matchups.decided
    for won, lost in zip(winner.tolist(), loser.tolist(), strict=True):
        rating[won], rating[lost] = package.rate_1vs1(rating[won], rating[lost], env=rules)
    values = np.array([r.mu - 3 * r.sigma if conservative else r.mu for r in rating], dtype=np.float64)
    return np.where(np.bincount([*winner, *loser], minlength=matchups.n) > 0, values, NAN)


def log_strengths(matchups: Matchups, *, prior: float = LAMBDA, updates: int | None = None) -> Floats:
    """Bradley-Terry log strengths of the players, mean 0: P(i beats j) = 1 / (1 + exp(s_j - s_i)).

    prior    wins added in both directions to every pair that was played: without them who wins or loses everything has
             no finite strength
    updates  None: the maximum of the likelihood; else so many minorise-maximise updates from equal strengths
    returns  (n,) nan without a game. Where the games fall apart into sets of players that never met, each set has mean
             0 on its own
    raises   ValueError: a prior that is not above 0, updates below 1
    source   Bradley and Terry 1952, Biometrika 39; updates: Hunter 2004, Annals of Statistics 32(1); prior and 5
             updates: arXiv 2502.01126

    >>> strength = np.exp(log_strengths(Matchups.of([0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0], 2)))
    >>> (strength / strength.sum()).round(4).tolist()
    [0.7488, 0.2512]
    """
    if not prior > 0 or (updates is not None and updates < 1):
        raise ValueError(f"prior is {prior!r} (above 0, e.g. {LAMBDA}), updates {updates!r} (None, or 1 and more)")
    wins = matchups.wins()
    met = wins + wins.T > 0
    wins = wins + prior * met
    found = np.full(matchups.n, NAN)
    for players in _sets_that_met(met):
        among = wins[np.ix_(players, players)]
        strength = bradley_terry(among) if updates is None else _updated(among, updates)
        logs = np.log(strength)
        found[players] = logs - logs.mean()
    return found


def _updated(wins: Floats, updates: int) -> Floats:
    """Simultaneous updates: own wins over the sum of games / (own + other's strength)."""
    strength, games = np.full(len(wins), 1 / len(wins)), wins + wins.T
    for _ in range(updates):
        strength = wins.sum(axis=1) / (games / (strength[:, None] + strength[None, :])).sum(axis=1)
        strength = strength / strength.sum()
    return strength


def _sets_that_met(met: np.ndarray) -> list[Ints]:
    """Players by who met whom, directly or through others; who met nobody is in no set."""
    left, found = set(np.flatnonzero(met.any(axis=1)).tolist()), []
    while left:
        reached: set[int] = set()
        edge = {min(left)}
        while edge:
            reached |= edge
            edge = set(np.flatnonzero(met[sorted(edge)].any(axis=0)).tolist()) - reached
        found.append(np.array(sorted(reached), dtype=np.int64))
        left -= reached
    return found


def transitivity(matchups: Matchups, *, level: float = 0.95) -> Interval:
    """Share of triples whose three results are in an order, of the triples all of whose pairs were decided.

    A pair that was played several times is decided by the majority; split pairs, and triples with one, are left out.
    Coin tosses give 3/4. The interval is the jackknife's over players.

    returns  Interval; n: triples; nan throughout without any

    >>> transitivity(Matchups.of([0, 1, 2, 0], [1, 2, 0, 1], [1, 1, 1, 1], 3)).value    # a circle
    0.0
    """
    wins = matchups.wins()
    beat = (wins > wins.T + 1e-12).astype(np.float64)
    met = beat + beat.T
    circle_n = np.einsum("ij,ji->i", beat @ beat, beat)  # of each player: circles, and below triples, that it is in
    triple_n = np.einsum("ij,ji->i", met @ met, met) / 2
    circles, triples = circle_n.sum() / 3, triple_n.sum() / 3
    if triples == 0:
        return Interval(NAN, NAN, NAN, 0, "no triple of decided pairs")
    value = float(1 - circles / triples)
    left = triples - triple_n
    inside = (triple_n > 0) & (left > 0)
    count = int(inside.sum())
    if count < 2:
        return Interval(value, NAN, NAN, round(triples), "jackknife over players (no interval: too few)")
    without = 1 - (circles - circle_n[inside]) / left[inside]
    error = np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())
    reach = float(t_quantile(level, count - 1) * error)
    if reach == 0:
        return Interval(value, NAN, NAN, round(triples), "jackknife over players (no interval: no spread was seen)")
    low, high = max(0.0, value - reach), min(1.0, value + reach)
    return Interval(value, low, high, round(triples), f"jackknife over {count} players")


def by_rank(score: ArrayLike) -> Floats:
    """An ordinal score as a confidence in [0, 1]: rank / (n - 1), the highest 1; ties share their mean rank.

    >>> by_rank([3.0, -1.0, 7.0, 3.0]).round(3).tolist()
    [0.5, 0.0, 1.0, 0.5]
    """
    from doxa.metrics.order import midranks

    score_n = numbers("score", score)
    return (midranks(score_n) - 1) / (len(score_n) - 1) if len(score_n) > 1 else np.full(len(score_n), 0.5)
