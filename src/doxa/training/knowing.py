"""Figures of P(IK): on all test questions, on kinds that were not trained on, with a source, beside another model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from doxa.metrics import self_evaluation
from doxa.metrics import self_knowledge as scores
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import Interval
from doxa.metrics.sums import NOTHING, mean
from doxa.probes.foreknowledge import stacked
from doxa.records import Table
from doxa.training.foreknowledge import ADAPTED, BASELINES, IK, WORDS, Knowledge

if TYPE_CHECKING:
    import polars as pl

LENGTHS = (1, 30, 100, 300, 1000, 3000, 10**9)  # words of a source
TENTHS = 10
ORDERED = f"{IK}, best known above least known"
POINTS = ("AUROC", "Brier", f"mean {IK}", "share right")


class How(NamedTuple):
    """threshold: share of right samples above which a question is known; bins and resamples of the intervals."""

    threshold: float = 0.5
    bins: int = 10
    resamples: int = 1000


@dataclass(frozen=True)
class Part:
    """Figures by name, and tables."""

    figures: Mapping[str, Interval] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()


def plain(known: Knowledge, how: How) -> Part:
    """P(IK) on the test questions; ways beside it; what is left beyond words; popularity, and splits."""
    shown = known.foreknown()
    figures = scores.foreknown_scores(shown, threshold=how.threshold, bins=how.bins, resamples=how.resamples)
    found = {f"{name} {IK}" if name == "mean" else f"{name}, {IK}": interval for name, interval in figures.items()}
    found["share of right samples"] = _mean(known.questions.rate, known.questions.groups)
    found["unread samples"] = _mean(known.unread, known.questions.groups)
    for way in (way for way in (ADAPTED, *BASELINES) if np.isfinite(known.said.get(way, np.nan)).any()):
        found[f"AUROC, {way}"] = known.foreknown(way).auroc(how.threshold, resamples=how.resamples)
    keep = known.test & np.isfinite(known.said[IK])
    difficulty = known.said[WORDS][keep]
    if len(difficulty) and np.isfinite(difficulty).all():
        found["correlation given words"] = shown.correlation(difficulty, resamples=how.resamples)
    if np.isfinite(known.popularity[keep]).any():
        famous = scores.popularity_scores(shown, known.popularity[keep], resamples=how.resamples)
        found |= {f"{IK}, {name}": interval for name, interval in famous.items()}
    splits = known.splits[keep]
    if {"shown", "never"} <= set(splits.tolist()):
        found[f"{IK} lost on facts never shown"] = scores.apart(shown, splits == "shown", splits == "never")
    return Part(found)


def every_confidence(rows: pl.DataFrame, learning: Callable[[pl.DataFrame], np.ndarray]) -> pl.DataFrame:
    """Confidences of `self_evaluation.every_confidence`, and P(IK) with each sampled answer of the test questions.

    learning  rows -> (n,) those that heads may learn from
    """
    import polars as pl

    found = self_evaluation.every_confidence(rows)
    plain = rows.filter((pl.col("way") == "question") & (pl.col("condition") == "asked"))
    plain = plain.with_columns(pl.coalesce("group", "item").alias("group")).sort("item")
    if plain.is_empty():
        return found
    known = Knowledge.of(plain, learning(plain))
    shown = known.foreknown()
    said, right, groups = shown.by_sample()
    names = known.items[known.test & np.isfinite(known.said[IK])]
    made = {"item": np.repeat(names, shown.samples), "group": groups, "way": [IK] * len(said)}
    made |= {"confidence": said, "correct": right > 0.5}
    return pl.concat([found, pl.DataFrame(made, schema=found.schema)])


def _mean(values: Floats, groups: np.ndarray, low: float = 0.0) -> Interval:
    """Mean of values between `low` and 1; those that are undefined are left out."""
    there = np.isfinite(values)
    return mean(values[there], groups[there], bounds=(low, 1)) if there.any() else NOTHING


def _points(known: Knowledge, p: Floats, among: np.ndarray, how: How) -> tuple[float, float, float, float, int]:
    """`POINTS` and the number of questions."""
    one = known.foreknown(p=p, among=among)
    if not len(one.p):
        return (*(float("nan"),) * 4, 0)
    area = one.auroc(how.threshold, resamples=1).value
    return area, scores.brier_of(one), float(one.p.mean()), float(one.share.mean()), len(one.p)


def new_kinds(known: Knowledge, kinds: Sequence[str] | frozenset[str], how: How) -> Part:
    """A head that learns from some kinds of question, on test questions of the other kinds."""
    of = known.questions.kinds
    old = np.isin(of, sorted(kinds))
    heads = {"all kinds": known.said[IK], "some kinds": known.trained_on(old), "other kinds": known.trained_on(~old)}
    masks = {"all kinds": np.ones(len(of), dtype=bool), "some kinds": old, "other kinds": ~old}
    lines = [(a, b, *_points(known, p, mask, how)) for a, p in heads.items() for b, mask in masks.items()]
    note = f"Some kinds: {', '.join(sorted(kinds))}"
    table = Table("Trained and tested on", ("trained on", "tested on", *POINTS, "questions"), tuple(lines), note=note)
    both = ~old & np.isfinite(heads["all kinds"]) & np.isfinite(heads["some kinds"])
    if not (both & known.test).any():
        return Part()
    new, every = (known.foreknown(p=heads[name], among=both) for name in ("some kinds", "all kinds"))
    figures = scores.foreknown_scores(new, threshold=how.threshold, bins=how.bins, resamples=how.resamples)
    found = {f"{name}, {IK}, kinds not trained on": figures[name] for name in ("AUROC", "Brier", "correlation")}
    knows = new.knows(how.threshold)
    lost = scores.gained(every.p, new.p, knows, new.groups, resamples=how.resamples)
    return Part(found | {"AUROC lost on kinds not trained on": lost}, (table,))


def with_sources(known: Knowledge, table: pl.DataFrame, how: How) -> Part:
    """What a source before the question adds to P(IK), by the head that met none, and to the share of right samples.

    table  rows as `Knowledge.of` takes them, with columns way (the source's name), item and words
    """
    place = {item: i for i, item in enumerate(known.items)}
    found: dict[str, Interval] = {}
    lines: list[tuple[Any, ...]] = []
    for (way,), part in table.group_by("way", maintain_order=True):
        at = np.array([place[item] for item in part["item"]], dtype=int)
        name = NAMES.get(str(way), str(way))
        groups, words = part["group"].to_numpy(), part["words"].to_numpy()
        right = part["truth"].to_numpy() - known.questions.rate[at]
        found[f"share right gained by {name}"] = _mean(right, groups, -1.0)
        if known.predict is None:
            continue
        gain = known.predict(stacked(part["state"].to_list())) - known.said[IK][at]
        found[f"{IK} gained by {name}"] = _mean(gain, groups, -1.0)
        for least, most in pairwise(LENGTHS):
            inside = (words >= least) & (words < most)
            if inside.any():
                several = f"{least} to {most - 1}" if most < LENGTHS[-1] else f"{least} and more"
                lines.append(
                    (name, several, float(gain[inside].mean()), float(right[inside].mean()), int(inside.sum()))
                )
    columns = ("source", "words", f"{IK} gained", "share right gained", "questions")
    return Part(found, (Table("By length of the source", columns, tuple(lines)),))


NAMES = {"source": "its source", "wrong source": "a wrong source", "other source": "another question's source"}


def beside(known: Knowledge, theirs: Knowledge, how: How) -> Part:
    """Who alone answers a question, and both models' P(IK) there; a head that learns from the other's answers."""
    names = known.model or "it", theirs.model or "the other"
    at = {item: i for i, item in enumerate(known.items)}
    shared = np.array([item in at for item in theirs.items], dtype=bool)
    if not shared.any():
        return Part()
    mine = np.array([at[item] for item in theirs.items[shared]], dtype=int)
    p, rate = (
        (known.said[IK][mine], theirs.said[IK][shared]),
        (known.questions.rate[mine], theirs.questions.rate[shared]),
    )
    keep = known.test[mine] & np.isfinite(p[0]) & np.isfinite(p[1])
    pair = scores.Pair((p[0][keep], p[1][keep]), (rate[0][keep], rate[1][keep]), known.questions.groups[mine][keep])
    columns = ("answered by", *(f"{IK} of {name}" for name in names), "questions")
    alone = Table("Who alone answers", columns, tuple(pair.table([f"{name} alone" for name in names])))
    labels, both = known.questions.rate.copy(), np.zeros(len(known.items), dtype=bool)
    labels[mine], both[mine] = rate[1], True
    heads = {"its own answers": known.trained_on(both), "the other's answers": known.trained_on(both, labels)}
    lines = [(whose, *_points(known, said, both, how)) for whose, said in heads.items()]
    own = Table("Its own answers, foretold", ("head trained on", *POINTS, "questions"), tuple(lines))
    return Part(pair.scores(resamples=how.resamples), (alone, own))


def by_popularity(known: Knowledge) -> dict[str, Any]:
    """P(IK) and share right by tenths of popularity, as `charts.curve_by_popularity` draws them; empty lists: none."""
    keep = known.test & np.isfinite(known.said[IK]) & np.isfinite(known.popularity)
    fame, groups = known.popularity[keep], known.questions.groups[keep]
    tenth = np.minimum((fame * TENTHS).astype(int), TENTHS - 1)
    drawn: dict[str, list[Any]] = {k: [] for k in ("popularity", "values", "lows", "highs", "n", "series")}
    for name, values in {IK: known.said[IK][keep], "share of right samples": known.questions.rate[keep]}.items():
        for number in np.unique(tenth):
            inside = tenth == number
            found = _mean(values[inside], groups[inside])
            ends = found.value, found.low, found.high, int(inside.sum())
            for key, value in zip(drawn, (float(fame[inside].mean()), *ends, name), strict=True):
                drawn[key].append(value)
    return drawn


def parts(
    known: Knowledge, theirs: Knowledge, sources: pl.DataFrame, kinds: Sequence[str] | frozenset[str], how: How
) -> dict[str, Part]:
    """Every part by its heading; kinds: of question that the test on other kinds learns from."""
    return {
        IK: plain(known, how),
        "Other kinds of question": new_kinds(known, kinds, how),
        "With a source": with_sources(known, sources, how),
        "Two models": beside(known, theirs, how),
    }


def notes(known: Knowledge, theirs: Knowledge) -> tuple[str, ...]:
    """What is missing."""
    silent = f"no {IK}: the model shows no hidden states, or there is too little to learn from"
    alone = f"whether {IK} is knowledge of itself or of how hard questions are, another model tells: --other"
    return tuple([silent] * (not len(known.foreknown().p)) + [alone] * (not len(theirs.items)))
