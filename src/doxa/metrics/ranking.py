"""Strengths from comparisons: Bradley-Terry, and answer probabilities from the order of guesses."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import Floats

Answer = TypeVar("Answer", bound=Hashable)

MAX_STEPS = 200


def bradley_terry(wins_cc: ArrayLike) -> Floats:
    """Bradley-Terry strengths by maximum likelihood: P(u beats v) = strength_u / (strength_u + strength_v).

    Newton's method on the log-likelihood, which is concave in the log strengths; the result does not depend on a start.

    wins_cc:  (c, c) how often, or with what weight, row beat column; the diagonal is ignored
    returns   (c,) strengths, summing to 1
    raises    ValueError: not square, negative or nan weights, or players that cannot be compared: a set that never lost
              (or never met the rest) has no finite strength. Add a small pseudo-count to each pair
    source    Bradley and Terry 1952, Biometrika 39; existence: Ford 1957, American Math. Monthly 64(8)

    >>> bradley_terry([[0, 3], [1, 0]]).round(6).tolist()
    [0.75, 0.25]
    """
    wins = _checked_wins(wins_cc)
    beaten = _never_won(wins)
    if beaten is not None:
        raise ValueError(
            f"players {beaten} never won against the rest, so their strengths have no finite ratio. "
            "Add a pseudo-count such as 0.001 to every ordered pair, or leave these players out."
        )
    log_strength, step = np.zeros(len(wins)), np.full(len(wins), np.inf)
    games = wins + wins.T
    for _ in range(MAX_STEPS):
        chance = _expit(log_strength[:, None] - log_strength[None, :])
        gradient = (wins - games * chance).sum(axis=1)
        if np.abs(step).max() < 1e-9 or np.abs(gradient).max() <= 1e-13 * games.sum():
            break
        curvature = games * chance * chance.T
        hessian = np.diag(curvature.sum(axis=1)) - curvature
        # Adding a constant to all log strengths changes nothing; fixing their sum makes the system regular.
        step = np.linalg.solve(hessian + hessian.trace() / len(wins) ** 2, gradient)
        log_strength = _climbed(log_strength, step, gradient, wins)
    else:
        raise RuntimeError(f"bradley_terry did not converge in {MAX_STEPS} steps; last step {np.abs(step).max():.2g}.")
    strength = np.exp(log_strength - log_strength.max())
    return np.asarray(strength / strength.sum(), dtype=np.float64)


def pair_rank(
    lists: Sequence[Sequence[Answer]], *, pseudo_count: float = 0.001, candidates: Sequence[Answer] | None = None
) -> dict[Answer, float]:
    """Probability of each answer from ranked lists of guesses, by who stands before whom.

    In each list an answer beats all that come later and all that are absent; the probabilities P minimise the sum over
    those wins of -log(P_u / (P_u + P_v)). Only the order is used, never a stated number.

    lists:         each one response: distinct answers, best guess first
    pseudo_count:  wins added to every ordered pair, so that an answer that never lost gets a finite probability
    candidates:    all answers that could be named; None: those that occur in the lists
    returns        {answer: probability}, summing to 1, in the order of candidates or of first mention
    raises         ValueError: no lists, a list that names an answer twice or one outside candidates, a negative
                   pseudo_count, and without pseudo_count an answer (or set) that never loses or never wins
    source         Xiong et al. 2023, arXiv 2306.13063, sec. 4.3; with the logarithm, which the authors' program omits

    >>> p = pair_rank([("A", "B"), ("A", "B"), ("B", "A"), ("A", "C"), ("A", "B")], pseudo_count=0)
    >>> {answer: round(share, 4) for answer, share in p.items()}
    {'A': 0.8109, 'B': 0.1583, 'C': 0.0309}
    """
    if not pseudo_count >= 0:
        raise ValueError(f"pseudo_count is {pseudo_count!r}; it must be 0 or more, e.g. 0.001.")
    answers = _answers(lists, candidates)
    wins = np.full((len(answers), len(answers)), float(pseudo_count))
    for ranked, times in Counter(tuple(answers[answer] for answer in ranked) for ranked in lists).items():
        absent = [k for k in range(len(answers)) if k not in ranked]
        for rank, winner in enumerate(ranked):
            wins[winner, [*ranked[rank + 1 :], *absent]] += times
    np.fill_diagonal(wins, 0.0)
    beaten = _never_won(wins)
    if beaten is not None:
        names = [answer for answer, k in answers.items() if k in beaten]
        raise ValueError(
            f"{names} never beat any of the other answers, so without pseudo_count the optimum lies at infinity. "
            "Set pseudo_count=0.001."
        )
    return dict(zip(answers, map(float, bradley_terry(wins)), strict=True))


def _answers(lists: Sequence[Sequence[Answer]], candidates: Sequence[Answer] | None) -> dict[Answer, int]:
    """Number of each answer; checks the lists on the way."""
    if len(lists) == 0:
        raise ValueError("lists is empty, so no answer can be ranked. Count these items as unanswered.")
    for i, ranked in enumerate(lists):
        if isinstance(ranked, str):
            raise ValueError(f"lists[{i}] is the text {ranked!r}; give a sequence of answers, such as [{ranked!r}].")
        if len(ranked) == 0 or len(set(ranked)) < len(ranked):
            what = "is empty" if len(ranked) == 0 else f"names an answer twice: {list(ranked)}"
            raise ValueError(f"lists[{i}] {what}. Leave out unread responses; keep an answer's first mention.")
    named = dict.fromkeys(answer for ranked in lists for answer in ranked)
    known = named if candidates is None else dict.fromkeys(candidates)
    unknown = [answer for answer in named if answer not in known]
    if unknown:
        raise ValueError(f"lists name {unknown[:3]}, not among the {len(known)} candidates. Normalise answers alike.")
    return {answer: k for k, answer in enumerate(known)}


def _checked_wins(wins_cc: ArrayLike) -> Floats:
    wins = np.array(wins_cc, dtype=np.float64)
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or not len(wins):
        raise ValueError(f"wins_cc has shape {wins.shape}, not (c, c): row beat column so many times.")
    np.fill_diagonal(wins, 0.0)
    if not (np.isfinite(wins) & (wins >= 0)).all():
        u, v = np.argwhere(~(np.isfinite(wins) & (wins >= 0)))[0]
        raise ValueError(f"wins_cc[{u}, {v}] is {wins[u, v]:g}; wins are counts or weights of at least 0.")
    return wins


def _never_won(wins: Floats) -> list[int] | None:
    """A set of players that never won against the rest, or None when the win graph is strongly connected."""
    beat = wins > 0
    # Whom player 0 beats, directly or through others, beats nobody beyond; who has no way to 0 beats nobody with one.
    for edges, reached_lost in ((beat, True), (beat.T, False)):
        reached = _reached_from_first(edges)
        if not reached.all():
            return [int(k) for k in np.flatnonzero(reached == reached_lost)]
    return None


def _reached_from_first(edges: np.ndarray) -> np.ndarray:
    reached = np.arange(len(edges)) == 0
    frontier = reached
    while frontier.any():
        frontier = edges[frontier].any(axis=0) & ~reached
        reached = reached | frontier
    return reached


def _climbed(log_strength: Floats, step: Floats, gradient: Floats, wins: Floats) -> Floats:
    """The step taken, halved until the likelihood rises as far as its slope promises."""
    start, slope, scale = _log_likelihood(log_strength, wins), float(gradient @ step), 1.0
    while scale > 1e-12:
        moved = log_strength + scale * step
        if _log_likelihood(moved, wins) >= start + 1e-4 * scale * slope - 1e-12 * abs(start):
            return moved
        scale /= 2
    return log_strength


def _log_likelihood(log_strength: Floats, wins: Floats) -> float:
    return -float((wins * np.logaddexp(0.0, log_strength[None, :] - log_strength[:, None])).sum())


def _expit(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(x / 2)), dtype=np.float64)
