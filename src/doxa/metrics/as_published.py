"""Forms that published programs compute with a known fault, kept so that their figures can be repeated."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.inputs import numbers, outcomes, same_length
from doxa.metrics.order import tie_starts

Answer = TypeVar("Answer", bound=Hashable)


def aurc_by_rows(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Area under the risk-coverage curve with a point after the first item of every group of ties, as rows stand.

    Fault: items are dropped from the least sure on, and a point is set when a new group of ties begins, not when it has
    gone; so ties count by the order of the rows, and the surest item is never dropped. For a number that depends on the
    data alone take `aurc`.

    confidence  (n,) any score, higher is surer
    correct     (n,) 0 or 1
    returns     float in [0, 1] (published x 1000)
    raises      ValueError: unequal lengths, n = 0, nan
    source      the program of Xiong et al. 2023, arXiv 2306.13063

    >>> sure, right = [0.9, 0.9, 0.5, 0.5], [1, 0, 1, 0]
    >>> round(aurc_by_rows(sure, right), 4), round(aurc_by_rows(sure[::-1], right[::-1]), 4)
    (0.5625, 0.1875)
    """
    score, right = numbers("confidence", confidence, finite=False), outcomes("correct", correct)
    n = same_length(confidence=score, correct=right)
    order = np.argsort(score, kind="stable")
    starts = tie_starts(score[order])
    dropped = np.append(0, starts[starts < n - 1] + 1)
    wrong = np.append(0.0, np.cumsum(1 - right[order]))
    risk = (wrong[-1] - wrong[dropped]) / (n - dropped)
    if dropped[-1] < n - 1:
        dropped, risk = np.append(dropped, n - 1), np.append(risk, risk[-1])
    return float(np.diff(dropped) @ (risk[1:] + risk[:-1]) / 2 / n)


def pair_rank_without_log(
    lists: Sequence[Sequence[Answer]], *, steps: int = 1000, rate: float = 0.01, seed: int = 0
) -> dict[Answer, float]:
    """Answer probabilities from ranked guesses by climbing the sum of wins * P_u / (P_u + P_v), without the logarithm.

    Fault: the sum is no likelihood, and so many steps from a random start do not reach its top; the result depends on
    the seed.

    lists    as `pair_rank`; seed: of the start, standard normal log-strengths
    returns  {answer: probability}, summing to 1, in the order of first mention
    raises   ValueError: no lists, or an empty one
    source   the program of Xiong et al. 2023, arXiv 2306.13063

    >>> lists = [("A", "B", "C")]
    >>> first, second = (pair_rank_without_log(lists, seed=seed)["A"] for seed in (0, 3))
    >>> abs(first - second) > 0.01
    True
    """
    if not len(lists) or not all(len(ranked) for ranked in lists):
        raise ValueError(f"lists is {list(lists)[:3]}; give one response or more, none of them empty")
    answers = {answer: k for k, answer in enumerate(dict.fromkeys(a for ranked in lists for a in ranked))}
    wins = np.zeros((len(answers), len(answers)))
    for ranked in lists:
        places = [answers[answer] for answer in ranked]
        absent = [k for k in range(len(answers)) if k not in places]
        for rank, winner in enumerate(places):
            wins[winner, [*places[rank + 1 :], *absent]] += 1
    w = np.random.default_rng(seed).normal(size=len(answers))
    for _ in range(steps):
        chance = 1 / (1 + np.exp(w[None, :] - w[:, None]))
        w = w + rate * ((wins - wins.T) * chance * (1 - chance)).sum(axis=1)
    strength = np.exp(w - w.max())
    return dict(zip(answers, map(float, strength / strength.sum()), strict=True))
