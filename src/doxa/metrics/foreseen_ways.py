"""What every way to a confidence must show of respondents whose beliefs are known: by all that may happen to an item.

A respondent believes its favourite with a chance that the favourite is right, and all other options alike. Functions
give figures by the names of estimates, "FIGURE, WAY", as `Way.label` has the way; n items, c options.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from doxa.metrics.confidence_scores import NAMES
from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.foreseen_figures import confidence_foreseen
from doxa.metrics.inputs import Floats

PSEUDO_COUNT = 0.001  # wins added to each pair of answers, see `pair_rank`
HEADLINE = ("accuracy", "overconfidence", "ECE", "AUROC")


def inflated(floor: float, belief: ArrayLike) -> Floats:
    """Says a floor and a part of its belief, in steps of 5 %; 80 % and a fifth are what large models often say.

    >>> inflated(0.8, [0.0, 0.5, 1.0]).tolist()
    [0.8, 0.9, 1.0]
    """
    return np.asarray(np.round(20 * (floor + (1 - floor) * np.asarray(belief))) / 20)


def of_inflated(floor: float, belief_nc: Floats, *, promptings: Sequence[str], steps: int = 3) -> dict[str, Foreseen]:
    """One response to each way of asking that is `inflated`: the same figures, whatever the way is.

    The confidence of multi_step is the product of so many equal steps, each stated to a hundredth of a percent.
    """
    right = belief_nc[:, 0]
    said = inflated(floor, right)
    one, product = Outlook.of(said, right), Outlook.of(np.round(said ** (1 / steps), 4) ** steps, right)
    of = {prompting: product if prompting == "multi_step" else one for prompting in promptings}
    clustered = {"multiples of 5": np.ones(len(said)), "80 to 100": (said > 0.799).astype(float)}
    shares = {f"{name}, {promptings[0]}": one.mean(of_n[:, None], of_n[:, None]) for name, of_n in clustered.items()}
    return _figures(of) | _figures({f"{way}, overall": one for way in of if way == "multi_step"}, NAMES) | shares


def of_drawn(belief_nc: Floats, m: int, *, strategies: Sequence[str]) -> dict[str, Foreseen]:
    """Each of m responses is drawn from the belief, whichever strategy asks for them.

    All figures of consistency, whose few levels are known; those of other ways whose means have no term in log n / n.
    """
    found: dict[str, Foreseen] = {}
    for how, outlook in final_answers(belief_nc, m).items():
        names = NAMES if how == "consistency" else HEADLINE
        found |= _figures({f"{strategy}, {how}": outlook for strategy in strategies}, names)
    return found


def of_lists(belief_nc: Floats, m: int) -> dict[str, Foreseen]:
    """Each of m lists of both of two options begins with one drawn from the belief, which stands beside either."""
    finals = final_answers(belief_nc, m)
    finals["avg_conf_top1"] = finals.pop("avg_conf")
    finals["avg_conf_topk"] = Outlook.of(belief_nc[:, 0], belief_nc[:, 0])
    return _figures({f"top_k, self_random, {how}": outlook for how, outlook in finals.items()})


def of_hinted(rate: float, belief_nc: Floats, m: int) -> dict[str, Foreseen]:
    """Each of m - 1 hints is followed at a rate, and one in c of these names the answer that is held without a hint."""
    own, other, turned = belief_nc[:, :1], belief_nc[:, 1:2], np.arange(m)
    away = rate * (1 - 1 / belief_nc.shape[1])
    ways = np.array([math.comb(m - 1, k) for k in turned])
    weight = ways * away**turned * (1 - away) ** (m - 1 - turned)
    kept = (m - turned) * own
    shares = {"consistency": kept / (m * own), "avg_conf": kept / (kept + turned * other)}
    of = {f"vanilla, misleading, {how}": Outlook.of(share, own, weight[None, :]) for how, share in shares.items()}
    return _figures(of)


def of_tokens(sure: float, belief_nc: Floats, *, said: float, tokens: int) -> dict[str, Foreseen]:
    """The token that answers is as probable as it is right, the other ones `sure`; what is said is constant."""
    right = belief_nc[:, 0]
    whole = right * sure ** (tokens - 1)
    stated = {"": np.full(len(right), said)}
    shown = stated | {", seq_prob": whole, ", len_norm_prob": whole ** (1 / tokens), ", token_prob": right}
    return _figures({f"vanilla{how}": Outlook.of(p, right) for how, p in shown.items()})


def of_unread(rate: float, belief_nc: Floats, m: int) -> dict[str, Foreseen]:
    """A share of replies is out of format, the same share of the rest admits not to know.

    A final answer needs one response of m that was read, with hints the one without; self_probing needs two replies.
    """
    read, one_way = (1 - rate) ** 2, Outlook.of(belief_nc[:, 0], belief_nc[:, 0])
    shares = {
        "vanilla": read,
        "self_probing": read * (1 - rate),
        "vanilla, self_random, consistency": 1 - (1 - read) ** m,
        "vanilla, misleading, consistency": read,
    }
    covered = {f"coverage, {way}": Foreseen(p, math.sqrt(p * (1 - p)), one_way.n) for way, p in shares.items()}
    accuracy = one_way.mean(1.0, 0.0).value
    among_read = Foreseen(accuracy, math.sqrt(accuracy * (1 - accuracy)), max(1, round(read * one_way.n)))
    return covered | {"accuracy, vanilla": among_read}


def _figures(of: Mapping[str, Outlook], names: Sequence[str] = HEADLINE) -> dict[str, Foreseen]:
    found = {way: confidence_foreseen(outlook) for way, outlook in of.items()}
    return {f"{name}, {way}": found[way][name] for way in of for name in names}


# --- several answers to each item ------------------------------------------------------------------------------------


def final_answers(belief_nc: ArrayLike, m: int) -> dict[str, Outlook]:
    """What becomes of the final answer when each of m answers is drawn from a belief that the truth is a draw from.

    By all counts of how often each option is drawn, for the aggregations "consistency" and "avg_conf" (ties go to the
    higher summed confidence); and of two options, for "pair_rank" of lists that name the drawn one first: there the
    likelihood has its top at the share of lists, after the pseudo-count.

    belief_nc  (n, c) probability of each option, stated with it

    >>> made = final_answers([[0.8, 0.2]], 1)["consistency"]
    >>> made.said_nk.tolist(), made.right_nk.tolist(), made.weight_nk.round(3).tolist()
    ([[1.0, 1.0]], [[0.2, 0.8]], [[0.2, 0.8]])
    """
    belief = np.asarray(belief_nc, dtype=float)
    options = belief.shape[1]
    counts = np.array([c for c in itertools.product(range(m + 1), repeat=options) if sum(c) == m])
    ways = np.array([math.factorial(m) / math.prod(map(math.factorial, c)) for c in counts])
    weight = ways * np.prod(belief[:, None, :] ** counts, axis=2)
    summed = counts * belief[:, None, :]
    total = summed.sum(axis=2, keepdims=True)
    votes = np.broadcast_to(counts / m, summed.shape)
    scores = {"consistency": votes, "avg_conf": np.divide(summed, total, out=np.zeros_like(summed), where=total > 0)}
    if options == 2:
        scores["pair_rank"] = (m * votes + PSEUDO_COUNT) / (m + 2 * PSEUDO_COUNT)
    return {how: Outlook.of(*_best(score, summed, belief), weight) for how, score in scores.items()}


def _best(score_nkc: Floats, summed_nkc: Floats, belief_nc: Floats) -> tuple[Floats, Floats]:
    """Highest score, and the probability that its answer is right; what is tied in all is equally probable."""
    first = np.isclose(score_nkc, score_nkc.max(axis=2, keepdims=True))
    weight = np.where(first, summed_nkc, -np.inf)
    first &= np.isclose(weight, weight.max(axis=2, keepdims=True))
    return score_nkc.max(axis=2), (first * belief_nc[:, None, :]).sum(axis=2) / first.sum(axis=2)
