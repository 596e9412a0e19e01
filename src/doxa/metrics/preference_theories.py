"""What a choice says about liking one attribute: four theories, rankings from pairs, and the consistency of pairs.

A choice is written as a code: options separated by "/", the chosen one first, each a string of attributes of which x is
the one asked about; "ax/b": {a, x} was taken, {b} left. Utilities of the five attributes are independent normal
numbers, an option's is the sum of its attributes', and a softmax over options gives the probability of the choice.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN
from doxa.metrics.order import midranks

ATTRIBUTES = "xabcd"
THEORIES = ("absolute utility", "relative utility", "likelihood", "marginal likelihood")
MEAN, SD = 4.0, math.sqrt(2.0)  # of utilities; the mean is negative where attributes are bad
NODES = 12  # of Gauss-Hermite quadrature, for each attribute
DRAWS = 200_000
TIED = 5e-4  # values that differ by no more are one value: many are equal by symmetry, and draws would part them

Choice = tuple[str, ...]


def parsed(code: str) -> Choice:
    """The options of a code, the chosen one first. ValueError: unknown or repeated attributes, an empty option."""
    options = tuple(code.split("/"))
    bad = [o for o in options if not o or len(set(o)) < len(o) or not set(o) <= set(ATTRIBUTES)]
    if bad:
        raise ValueError(f"choice {code!r} has the option {bad[0]!r}; each holds some of {ATTRIBUTES}, once")
    return options


def canonical(code: str) -> str:
    """The same choice with its attributes named and its options listed in one way; x keeps its name.

    >>> canonical("bx/cb/d") == canonical("ax/b/dc") , canonical("ax/b/dc") == canonical("ax/dc/b")
    (False, True)
    """
    chosen, *others = parsed(code)
    forms = []
    for names in itertools.permutations("abcd"):
        table = str.maketrans("abcd", "".join(names))
        said = ["".join(sorted(option.translate(table))) for option in (chosen, *others)]
        forms.append("/".join([said[0], *sorted(said[1:])]))
    return min(forms)


# --- theories --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Posterior:
    """What one choice says: E[u_x | choice], P(u_x largest | choice), P(choice | u_x largest), P(choice)."""

    expected: float
    largest: float
    likelihood: float
    probability: float

    def strength(self, theory: str) -> float:
        values = (self.expected, self.largest, self.likelihood, 1 / self.probability)
        return values[THEORIES.index(theory)]


@cache
def posterior(code: str, *, negative: bool = False, sd: float = SD, draws: int = DRAWS, seed: int = 0) -> Posterior:
    """What a choice says, by quadrature; the likelihood from draws whose largest utility was swapped into x.

    negative  attributes are bad: utilities have mean -4 instead of +4
    draws     of the five utilities; 200,000 give the likelihood to about .001
    source    Jern, Lucas and Kemp 2017, Cognition 168; relative utility is Bayes' rule: 0.2 likelihood / P(choice)

    >>> round(posterior("x/a").expected, 4), round(posterior("x/a").probability, 4)
    (4.6057, 0.5)
    """
    options, mean = parsed(canonical(code)), -MEAN if negative else MEAN
    used = [a for a in ATTRIBUTES if a == "x" or any(a in option for option in options)]
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    grid = np.stack(np.meshgrid(*[mean + sd * node] * len(used), indexing="ij"), axis=-1).reshape(-1, len(used))
    mass = np.stack(np.meshgrid(*[weight / weight.sum()] * len(used), indexing="ij"), axis=-1).reshape(-1, len(used))
    joint = mass.prod(axis=1) * _chosen(options, {a: grid[:, j] for j, a in enumerate(used)})
    probability = float(joint.sum())
    swapped = mean + sd * _largest_first(draws, seed)
    likelihood = float(_chosen(options, {a: swapped[j] for j, a in enumerate(ATTRIBUTES)}).mean())
    expected = float(joint @ grid[:, 0]) / probability
    return Posterior(expected, likelihood / len(ATTRIBUTES) / probability, likelihood, probability)


def _chosen(options: Choice, utility: Mapping[str, Floats]) -> Floats:
    """Probability of the first option by softmax, for each row of utilities."""
    first, *others = (sum((utility[a] for a in option), np.float64(0.0)) for option in options)
    total = np.ones_like(utility["x"])
    for other in others:
        total = total + np.exp(other - first)
    return np.asarray(1 / total)


@cache
def _largest_first(draws: int, seed: int) -> Floats:
    """Standard normal utilities (5, draws) whose largest stands first: exchangeable, so these are draws given that."""
    drawn = np.random.default_rng(seed).standard_normal((len(ATTRIBUTES), draws))
    top, column = drawn.argmax(axis=0), np.arange(draws)
    drawn[top, column], drawn[0] = drawn[0].copy(), drawn[top, column].copy()
    return drawn


def theory_values(codes: Sequence[str], theory: str, *, negative: bool = False, draws: int = DRAWS) -> Floats:
    """How strongly each choice (n,) says that x is liked, by one of THEORIES; tied values are made equal."""
    if theory not in THEORIES:
        raise ValueError(f"theory is {theory!r}; it is one of {', '.join(THEORIES)}")
    return tied([posterior(code, negative=negative, draws=draws).strength(theory) for code in codes])


def tied(values: Sequence[float], within: float = TIED) -> Floats:
    """Values (n,) with those equal whose sorted neighbours differ by at most `within`, chained.

    >>> tied([1.0, 2.0, 1.0003, 1.0007]).tolist()
    [1.0, 2.0, 1.0, 1.0]
    """
    found = np.array(values, dtype=np.float64)
    order = np.argsort(found, kind="stable")
    for before, after in itertools.pairwise(order):
        if found[after] - values[before] <= within:
            found[after] = found[before]
    return found


# --- rankings from pairs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PairRanking:
    """A ranking of n choices from comparisons of pairs.

    ranks   (n,) mean fractional rank over completions, 1 the weakest; nan: never compared
    spread  mean over choices of the standard deviation of ranks over completions; nan: one completion
    cyclic  share of cyclic triples among those whose three comparisons all name a stronger choice; triples: how many
    """

    ranks: Floats
    spread: float
    cyclic: float
    triples: int


def ranked(wins: Floats) -> PairRanking:
    """Ranks from wins (r, n, n): 1 where the row's choice beat the column's, 0.5 tie, 0 lost, nan not compared or read.

    Probabilities of winning between these will do as well; above one half the row's choice is the stronger.

    A choice's score is its share of wins among the comparisons that were read: with all read, its row sum.

    >>> cycle = np.array([[np.nan, 1, 0], [0, np.nan, 1], [1, 0, np.nan]])
    >>> ranked(cycle[None]).ranks.tolist(), ranked(cycle[None]).cyclic
    ([2.0, 2.0, 2.0], 1.0)
    """
    read = ~np.isnan(wins)
    counts = read.sum(axis=2)
    sums = np.where(read, wins, 0.0).sum(axis=2)
    shares = np.divide(sums, counts, out=np.full(sums.shape, NAN), where=counts > 0)
    ranks = np.full(shares.shape, NAN)
    for row, share in zip(ranks, shares, strict=True):
        known = np.flatnonzero(~np.isnan(share))
        row[known] = midranks(share[known].round(9)) if len(known) else NAN
    seen = (~np.isnan(ranks)).sum(axis=0)
    mean = np.divide(np.nansum(ranks, axis=0), seen, out=np.full(ranks.shape[1], NAN), where=seen > 0)
    whole = ranks[:, seen == len(ranks)]
    spread = float(whole.std(axis=0, ddof=1).mean()) if len(ranks) > 1 and whole.shape[1] else NAN
    cyclic, triples = _cycles(wins)
    return PairRanking(mean, spread, cyclic / triples if triples else NAN, triples)


def _cycles(wins: Floats) -> tuple[int, int]:
    """Cyclic triples, and triples in which all three pairs name a winner."""
    beats = (np.nan_to_num(wins, nan=0.5) > 0.5).astype(np.float64)
    decided = beats + beats.transpose(0, 2, 1)
    cycles = np.trace(beats @ beats @ beats, axis1=1, axis2=2).sum() / 3
    return round(cycles), round(np.trace(decided @ decided @ decided, axis1=1, axis2=2).sum() / 6)
