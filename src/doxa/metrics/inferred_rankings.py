"""A model's ranking of choices by what they say about liking X, beside people's and beside theories': rows in.

A row of a pair has first and second (codes), choice ("A": the first is the stronger sign, "B": the second, "tie", null:
not read), share (probability of B, where it was scored), style and sample (the completion).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa.metrics import sums
from doxa.metrics.correlation_interval import spearman_interval
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.preference_theories import THEORIES, PairRanking, canonical, ranked, theory_values

if TYPE_CHECKING:
    import polars as pl

WON = {"A": 1.0, "B": 0.0, "tie": 0.5}
BY_CHOICE = ("choice", "rank", "rank of people", *THEORIES)
BY_SOURCE = ("who", "with", "Spearman", "choices")
ENOUGH = 3  # choices that a correlation needs


@dataclass(frozen=True, eq=False)
class Ranked:
    """n choices ranked in one style, from pairs that were asked r times."""

    codes: tuple[str, ...]
    ranking: PairRanking
    asked: int
    unread: int
    repeats: int


def rankings(rows: pl.DataFrame) -> dict[str, Ranked]:
    """The ranking of each style, from the rows of pairs."""
    import polars as pl

    pairs = rows.filter(pl.col("part") == "pair")
    found = {}
    for style in sorted(pairs["style"].unique().to_list(), reverse=True):
        found[style] = _ranking(pairs.filter(pl.col("style") == style))
    return found


def _ranking(pairs: pl.DataFrame) -> Ranked:
    codes = sorted({*pairs["first"].to_list(), *pairs["second"].to_list()})
    place = {code: i for i, code in enumerate(codes)}
    samples = sorted(pairs["sample"].unique().to_list())
    wins = np.full((len(samples), len(codes), len(codes)), NAN)
    unread = 0
    for first, second, choice, share, sample in pairs.select(
        "first", "second", "choice", "share", "sample"
    ).iter_rows():
        won = 1 - share if share is not None else WON.get(choice or "", NAN)
        if won != won:
            unread += 1
            continue
        r, i, j = samples.index(sample), place[first], place[second]
        wins[r, i, j], wins[r, j, i] = won, 1 - won
    return Ranked(tuple(codes), ranked(wins), len(pairs), unread, len(samples))


def figures(r: Ranked, people: Mapping[str, float], *, negative: bool) -> dict[str, Interval]:
    """Rank correlations with people (code -> rank) and with each theory; spread, cycles and unread pairs."""
    ranks = r.ranking.ranks
    found = {"rank correlation with people": _correlation(ranks, _people(r, people))}
    for theory in THEORIES:
        found[f"rank correlation with {theory}"] = _correlation(
            ranks, theory_values(r.codes, theory, negative=negative)
        )
    triples = r.ranking.triples
    cyclic = Interval(r.ranking.cyclic, NAN, NAN, triples, "share of triples; they share pairs, so no interval")
    lost = [1.0] * r.unread + [0.0] * (r.asked - r.unread)
    return found | {
        "cyclic triples": cyclic if triples else sums.NOTHING,
        "spread of ranks": Interval(r.ranking.spread, NAN, NAN, r.repeats, "sd over completions, mean over choices"),
        "unread pairs": sums.share(lost, list(range(len(lost)))),
    }


def tables(
    rankings: Mapping[str, Ranked], people: Mapping[str, float], *, negative: bool
) -> list[tuple[str, tuple[str, ...], tuple[tuple[Any, ...], ...], str]]:
    """Name, columns, lines and section: the choices by each style, and people beside theories."""
    if not rankings:
        return []
    found = [
        (f"Choices as signs, {style}", BY_CHOICE, tuple(choice_lines(r, people, negative=negative)), "Inferences")
        for style, r in rankings.items()
    ]
    whole = ("People and theories", BY_SOURCE, tuple(people_lines(people, negative=negative)), "Inferences")
    return [*found, whole]


def notes(rankings: Mapping[str, Ranked]) -> Iterator[str]:
    """Replies about pairs that were not read, by style."""
    for style, found in rankings.items():
        if found.unread:
            yield f"Pairs of choices, {style}: {found.unread} of {found.asked} replies could not be read."


def choice_lines(r: Ranked, people: Mapping[str, float], *, negative: bool) -> list[tuple[Any, ...]]:
    """Each choice with its rank by the model, by people, and the theories' values, the strongest sign first."""
    values = [theory_values(r.codes, theory, negative=negative) for theory in THEORIES]
    crowd = _people(r, people)
    lines = [
        (code, _known(r.ranking.ranks[i]), _known(crowd[i]), *(float(v[i]) for v in values))
        for i, code in enumerate(r.codes)
    ]
    return sorted(lines, key=lambda line: (-(line[1] or 0.0), line[0]))


def people_lines(people: Mapping[str, float], *, negative: bool) -> list[tuple[Any, ...]]:
    """People's ranks of choices (by code) beside each theory."""
    codes = sorted(people)
    if len(codes) < ENOUGH:
        return []
    crowd = np.array([people[code] for code in codes])
    made = {theory: theory_values(codes, theory, negative=negative) for theory in THEORIES}
    return [("people", theory, _correlation(crowd, values).value, len(codes)) for theory, values in made.items()]


def _people(r: Ranked, people: Mapping[str, float]) -> Floats:
    known = {
        canonical(code): rank for code, rank in people.items()
    }  # files name attributes and list options as they like
    return np.array([known.get(canonical(code), NAN) for code in r.codes])


def _correlation(x: Floats, y: Floats) -> Interval:
    known = ~np.isnan(x) & ~np.isnan(y)
    return spearman_interval(x[known], y[known]) if known.sum() >= ENOUGH else sums.NOTHING


def _known(x: float) -> float | None:
    return None if np.isnan(x) else float(x)
