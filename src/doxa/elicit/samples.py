"""Several answers to one question: which are the same, how far they agree, which one is final and how sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doxa.elicit.asker import Asker
from doxa.elicit.grading import normalised
from doxa.records import Answer, Form, Item, Reply, Sampling


async def sample_answers(
    ask: Asker,
    form: Form,
    item: Item,
    n: int,
    *,
    temperature: float = 0.7,
    top_p: float = 1.0,
    max_tokens: int = 256,
    seed: int = 0,
    condition: str = "neutral",
) -> list[tuple[Answer, Reply]]:
    """n sampled replies to one prompt, each read by the form. The published setting is n = 5 at temperature 0.7."""
    sampling = Sampling(n=n, temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed)
    replies = await ask.sample(form.prompt(item), sampling, condition=condition)
    return [(form.read(reply, item), reply) for reply in replies]


def merged(values: Sequence[str]) -> tuple[str, ...]:
    """Each value replaced by the first spelling of its equality class (`grading.normalised`).

    >>> merged(["Paris", "paris.", "12", "12.0"])
    ('Paris', 'Paris', '12', '12')
    """
    first: dict[str, str] = {}
    return tuple(first.setdefault(normalised(value), value) for value in values)


def consistency(values: Sequence[str]) -> dict[str, float]:
    """Share of the s answers that are equal to each: (1/s) sum [Y_i = Y]. Sums to 1; source arXiv 2306.13063.

    values   (s,) answers that were read; unread ones are left out before, and counted
    returns  one entry for each equality class, in order of appearance, under its first spelling
    raises   ValueError: no answers

    >>> consistency(["A", "A", "B", "A", "C"])
    {'A': 0.6, 'B': 0.2, 'C': 0.2}
    """
    names = merged(_some(values))
    return {name: names.count(name) / len(names) for name in dict.fromkeys(names)}


def avg_conf(values: Sequence[str], confidences: Sequence[float]) -> dict[str, float]:
    """Confidence-weighted share of each answer: sum [Y_i = Y] C_i / sum C_i. Source arXiv 2306.13063.

    values       (s,) answers that were read
    confidences  (s,) stated confidence in each, in [0, 1]
    returns      as `consistency`; all nan when every confidence is 0
    raises       ValueError: no answers, unequal lengths, a confidence outside [0, 1]

    >>> {k: round(v, 4) for k, v in avg_conf("AABAC", [0.9, 0.8, 0.95, 0.6, 0.5]).items()}
    {'A': 0.6133, 'B': 0.2533, 'C': 0.1333}
    """
    names = merged(_some(values))
    total = sum(_checked(confidences, len(names)))
    weights = {name: 0.0 for name in names}
    for name, confidence in zip(names, confidences, strict=True):
        weights[name] += confidence
    return {name: weight / total if total > 0 else float("nan") for name, weight in weights.items()}


def avg_conf_top1(lists: Sequence[Sequence[tuple[str, float]]]) -> dict[str, float]:
    """`avg_conf` over the first guess of each top-k answer.

    lists  (s,) ranked (value, probability) guesses, as in `Answer.guesses`
    """
    firsts = [guesses[0] for guesses in _listed(lists)]
    return avg_conf([value for value, _ in firsts], [p for _, p in firsts])


def avg_conf_topk(lists: Sequence[Sequence[tuple[str, float]]]) -> dict[str, float]:
    """Mean stated probability of each guess over its appearances in s top-k answers; does not sum to 1.

    A guess that one reply lists highly and the others leave out keeps its high mean, so prefer `avg_conf_top1`.
    """
    pairs = [pair for guesses in _listed(lists) for pair in guesses]
    names = merged([value for value, _ in pairs])
    probabilities = _checked([p for _, p in pairs], len(names))
    stated: dict[str, list[float]] = {}
    for name, p in zip(names, probabilities, strict=True):
        stated.setdefault(name, []).append(p)
    return {name: sum(ps) / len(ps) for name, ps in stated.items()}


def final_answer(
    scores: Mapping[str, float], values: Sequence[str], confidences: Sequence[float] | None = None
) -> tuple[str, float]:
    """The answer with the highest score, and that score.

    Ties go to the higher summed confidence, then to the first to appear in `values`.

    scores       score of each answer, by its first spelling, as the functions above return it
    values       (s,) the answers; confidences: (s,) stated confidences, or None when there are none
    raises       ValueError: no scores, or a score for an answer that is not among the values
    """
    names = merged(_some(values))
    if not scores or not set(scores) <= set(names):
        raise ValueError(f"scores are for {list(scores)}; the answers given are {list(dict.fromkeys(names))}")
    weights = _checked(confidences, len(names)) if confidences is not None else [0.0] * len(names)
    summed = {name: sum(w for n, w in zip(names, weights, strict=True) if n == name) for name in scores}
    best = max(scores, key=lambda name: (_low_nan(scores[name]), summed[name], -names.index(name)))
    return best, scores[best]


@dataclass(frozen=True)
class Agreement:
    """What several answers come to.

    value, confidence  the final answer and its score; None and nan when no answer was read
    scores             score of every distinct answer
    n, unread          answers that were read, and those that were not
    """

    value: str | None
    confidence: float
    scores: Mapping[str, float]
    n: int
    unread: int

    def of(self, value: str) -> float:
        """Score of an answer in any spelling; 0 for one that nobody gave."""
        return {normalised(name): score for name, score in self.scores.items()}.get(normalised(value), 0.0)


def by_consistency(answers: Sequence[Answer]) -> Agreement:
    """`consistency` of the answers that were read; ties by summed confidence where all of them state one."""
    read = [a for a in answers if a.outcome == "ok" and a.value is not None]
    values = [a.value for a in read if a.value is not None]
    stated = [a.confidence for a in read if a.confidence is not None]
    return _agreement(
        consistency(values) if values else {}, values, stated if len(stated) == len(values) else None, answers
    )


def by_avg_conf(answers: Sequence[Answer]) -> Agreement:
    """`avg_conf` of the answers that were read with their confidence (for top-k answers that is `avg_conf_top1`)."""
    read = [(a.value, a.confidence) for a in answers if a.outcome == "ok"]
    pairs = [(value, confidence) for value, confidence in read if value is not None and confidence is not None]
    values, stated = [value for value, _ in pairs], [confidence for _, confidence in pairs]
    return _agreement(avg_conf(values, stated) if values else {}, values, stated, answers)


def _agreement(
    scores: dict[str, float], values: list[str], stated: list[float] | None, answers: Sequence[Answer]
) -> Agreement:
    value, confidence = final_answer(scores, values, stated) if values else (None, float("nan"))
    return Agreement(value, confidence, scores, len(values), len(answers) - len(values))


def _some(values: Sequence[str]) -> Sequence[str]:
    if not len(values):
        raise ValueError("there are no answers; leave the item out and count it as unread")
    return values


def _listed(lists: Sequence[Sequence[tuple[str, float]]]) -> Sequence[Sequence[tuple[str, float]]]:
    empty = [i for i, guesses in enumerate(lists) if not guesses]
    if empty or not lists:
        raise ValueError(f"lists {empty[:5]} of {len(lists)} hold no guess; leave unread answers out and count them")
    return lists


def _checked(confidences: Sequence[float], n: int) -> Sequence[float]:
    if len(confidences) != n:
        raise ValueError(f"{n} answers have {len(confidences)} confidences; give one each")
    outside = [c for c in confidences if not 0 <= c <= 1]
    if outside:
        raise ValueError(
            f"confidence is {outside[0]}, outside [0, 1] ({len(outside)} of {n} are). Percent? divide by 100."
        )
    return confidences


def _low_nan(score: float) -> float:
    return score if score == score else float("-inf")
