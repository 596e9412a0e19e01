"""Responses that were judged by many ways: scores of each with intervals, and tables that compare them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from doxa.metrics import calibrators
from doxa.metrics.calibration import ece
from doxa.metrics.confidence_scores import gains
from doxa.metrics.confidence_tables import Lines
from doxa.metrics.discrimination import auroc
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.judging import (
    POINTS,
    Judged,
    auroc_matrix,
    ece_of_judgement,
    equivalence_margin,
    judging_points,
    judging_scores,
    self_advantage,
    top_label,
)
from doxa.metrics.scores import brier
from doxa.metrics.sums import NOTHING, mean, permuted_within, share

if TYPE_CHECKING:
    import polars as pl

FEWEST = 20  # calibration responses of a model, below which none is fitted
SMALLEST = 5  # responses of a part that has a line of its own
WAYS = ("way", "n", "accuracy of judging", "baseline", "AUROC", "ECE", "ECE top-label", *POINTS)
CONFUSION = ("way", "right, judged right", "right, judged wrong", "wrong, judged right", "wrong, judged wrong")
CALIBRATED = ("way", "calibrator", "n", "mean c - accuracy", "ECE", "ECE top-label", "Brier", "AUROC")
PARTS = ("of", "n", "accuracy", "AUROC", "ECE", "mean c - accuracy")


@dataclass(frozen=True, eq=False)
class Responses:
    """n graded responses to calibration and test questions, and confidence in each.

    correct, groups, models, subjects  (n,); test: (n,) whether of a test question
    said                               way -> confidence (n,) that it is right; nan: the way says nothing
    """

    correct: Floats
    groups: np.ndarray
    models: np.ndarray
    subjects: np.ndarray
    test: np.ndarray
    said: Mapping[str, Floats] = field(default_factory=dict)

    def saying(self, said: Mapping[str, Floats]) -> Responses:
        """The same responses with other ways alone."""
        return replace(self, said=dict(said))

    def tested(self, *ways: str) -> tuple[Floats, ...]:
        """Confidence by each way, whether right, and group, of the test responses that all of them speak of."""
        there = self.test.copy()
        for way in ways:
            there &= ~np.isnan(self.said[way])
        return (*(self.said[way][there] for way in ways), self.correct[there], self.groups[there])

    def calibrated(self, way: str, method: calibrators.Method) -> Floats:
        """Confidence (n,) in test responses after a calibrator fitted on each model's calibration responses.

        nan where there are fewer than `FEWEST`, or all are right or all wrong.
        """
        said, found = self.said[way], np.full(len(self.correct), np.nan)
        for model in dict.fromkeys(self.models.tolist()):
            mine = (self.models == model) & ~np.isnan(said)
            known, use = mine & ~self.test, mine & self.test
            if known.sum() >= FEWEST and 0 < self.correct[known].sum() < known.sum() and use.any():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # that they are few: the table says how many there were
                    found[use] = calibrators.fit(said[known], self.correct[known], method).apply(said[use])
        return found


# --- figures with intervals ------------------------------------------------------------------------------------------


def answers(replies: pl.DataFrame) -> Iterator[tuple[str, Interval, tuple[float, float] | None]]:
    """How many replies were read, and how many answers are right, with bounds if every unread one were wrong, or right.

    replies  rows with columns answer, correct (null: not read, or the truth is not known) and group
    """
    graded, said = replies.filter(replies["correct"].is_not_null()), replies["answer"].is_not_null()
    yield "responses read", share(said, replies["group"]), None
    right, unread = int(graded["correct"].sum()), int((~said).sum())
    n = len(graded) + unread
    yield "accuracy", share(graded["correct"], graded["group"]), (right / n, (right + unread) / n) if n else None


def baseline(responses: Responses) -> Interval:
    """Share of the larger class of the test responses: the accuracy of judging all alike."""
    right, groups = responses.tested()
    return share(right if 2 * right.sum() >= len(right) else 1 - right, groups)


def way_scores(responses: Responses, way: str, *, resamples: int = 1000) -> dict[str, Interval]:
    """`judging_scores` of a way, and the mean of confidence minus accuracy."""
    said, right, groups = responses.tested(way)
    found = judging_scores(said, right, groups, resamples=resamples)
    return found | {"confidence minus accuracy": mean(said - right, groups, bounds=(-1, 1))}


def gained(responses: Responses, way: str, than: str, *, resamples: int = 1000) -> Interval:
    """AUROC of one way minus that of another, on responses that both speak of."""
    a, b, right, groups = responses.tested(way, than)
    return gains((a, right), (b, right), groups, resamples=resamples)["AUROC"] if len(a) else NOTHING


def shuffled_verdicts(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Verdicts permuted among the responses of one model in one part: rates stay, and nothing can be told."""
    import polars as pl

    order = rows.with_row_index("place").sort("answered_by", "condition", "part", "item", "text")
    known = order.filter(pl.col("correct").is_not_null())
    where = known.select(pl.concat_str("condition", "answered_by", "part", separator="\n")).to_series()
    moved = known.with_columns(pl.Series("correct", permuted_within(known["correct"], where, seed=seed)))
    back = pl.concat([moved, order.filter(pl.col("correct").is_null())]).sort("place").drop("place")
    return back.with_columns(shuffled=pl.lit(True))


def in_every_way(rows: pl.DataFrame) -> pl.DataFrame:
    """A row for each response and way: item, group, way, confidence and correct; ways and confidences are lists."""
    import polars as pl

    told = rows.filter(pl.col("ways").list.len() > 0).explode("ways", "confidences")
    return told.select(
        "item", "group", pl.col("ways").alias("way"), pl.col("confidences").alias("confidence"), "correct"
    )


# --- models that judge each other ------------------------------------------------------------------------------------


NO_MATRIX = {"self advantage": replace(NOTHING, method="no two models judge each other")}


class Matrix(NamedTuple):
    """Models that judge each other, on questions that all of them answered.

    cells  (judge, answered) -> confidence (n,) and whether right; names: the first is the one in question
    """

    cells: Mapping[tuple[str, str], Judged]
    names: tuple[str, ...]
    groups: np.ndarray

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Matrix | None:
        """From graded rows with columns item, group, answered_by, correct, and the lists judges and judged.

        None: no two models judge each other.
        """
        import polars as pl

        told = rows.filter(pl.col("judges").list.len() > 1)
        if told.is_empty():
            return None
        names = tuple(sorted(map(tuple, told["judges"].to_list()))[0])
        parts = [told.filter(pl.col("answered_by") == n).unique("item", keep="first").sort("item") for n in names]
        shared = set.intersection(*(set(part["item"].to_list()) for part in parts))
        parts = [part.filter(pl.col("item").is_in(list(shared))) for part in parts]
        if not shared or any(tuple(judges) != names for part in parts for judges in part["judges"].to_list()):
            return None
        said = [np.array(part["judged"].to_list(), dtype=float) for part in parts]
        right = [part["correct"].to_numpy().astype(float) for part in parts]
        cells = {
            (judge, name): (said[m][:, j], right[m]) for j, judge in enumerate(names) for m, name in enumerate(names)
        }
        return cls(cells, names, parts[0]["group"].to_numpy().astype(str))

    def scores(self, *, resamples: int = 1000) -> dict[str, Interval]:
        """The self advantage, the margin within which it is shown to be 0, and how well the first is judged."""
        wide, narrow = (
            self_advantage(self.cells, self.names, self.groups, resamples=resamples, level=level)
            for level in (0.95, 0.9)
        )
        margin = Interval(equivalence_margin(narrow), NAN, NAN, narrow.n, "two one-sided tests at 5 %")
        first, second = self.names[:2]
        by = {"itself": self.cells[first, first], "the other": self.cells[second, first]}
        hits = {f"accuracy, judged by {who}": share(top_label(*cell)[1], self.groups) for who, cell in by.items()}
        return {"self advantage": wide, "equivalence margin": margin, **hits}

    def lines(self, name: str, by: str) -> Lines:
        """AUROC of each judge in the answers of each model; by: what they judge with."""
        rows = tuple(
            (judge, *line)
            for judge, line in zip(self.names, auroc_matrix(self.cells, self.names).tolist(), strict=True)
        )
        note = f"AUROC of {by}: rows judge, columns answered, on {len(self.groups)} questions that all answered."
        return Lines(name, ("judge", *self.names), rows, note)


# --- tables ----------------------------------------------------------------------------------------------------------


def ways(responses: Responses, name: str = "Ways") -> Lines:
    """Every score of every way."""
    note = "A strong model gives a high baseline. ECE top-label and RMSCE are of the judgement, ECE of c itself."
    return Lines(name, WAYS, tuple(_way(way, *responses.tested(way)[:2]) for way in responses.said), note)


def _way(way: str, said: Floats, right: Floats) -> tuple[object, ...]:
    if not len(said):
        return (way, 0, *[NAN] * (len(WAYS) - 2))
    hit, rate = float(top_label(said, right)[1].mean()), float(right.mean())
    scores = (auroc(said, right), ece(said, right), ece_of_judgement(said, right))
    return (way, len(said), hit, max(rate, 1 - rate), *scores, *judging_points(said, right).values())


def confusion(responses: Responses) -> Lines:
    """What was taken for what, by way."""
    rows = []
    for way in responses.said:
        said, right = responses.tested(way)[:2]
        yes, is_right = said > 0.5, right == 1
        cells = (is_right & yes, is_right & ~yes, ~is_right & yes, ~is_right & ~yes)
        rows.append((way, *(int(cell.sum()) for cell in cells)))
    return Lines("Judged and true", CONFUSION, tuple(rows))


def before_and_after(responses: Responses, some: Sequence[str]) -> Lines:
    """Some ways as they are, and after each calibrator."""
    rows = []
    for way in (w for w in some if w in responses.said):
        rows.append(_calibrated(way, "none", *responses.tested(way)[:2]))
        for method in calibrators.METHODS:
            after = responses.saying({way: responses.calibrated(way, method)})
            rows.append(_calibrated(way, method, *after.tested(way)[:2]))
    note = f"Fitted on {int((~responses.test).sum())} graded responses to calibration questions."
    return Lines("Calibrators", CALIBRATED, tuple(rows), note)


def _calibrated(way: str, calibrator: str, said: Floats, right: Floats) -> tuple[object, ...]:
    if not len(said):
        return (way, calibrator, 0, *[NAN] * (len(CALIBRATED) - 3))
    errors = ece(said, right), ece_of_judgement(said, right), brier(said, right)
    return (way, calibrator, len(said), float((said - right).mean()), *errors, auroc(said, right))


def parts(responses: Responses, way: str) -> Iterator[Lines]:
    """One way by subject and by model that answered."""
    there = responses.test & ~np.isnan(responses.said[way])
    said, right = responses.said[way][there], responses.correct[there]
    for name, labels in (("By subject", responses.subjects), ("By model", responses.models)):
        of, rows = labels[there].astype(str), []
        for label in np.unique(of):
            c, y = said[of == label], right[of == label]
            if len(c) >= SMALLEST:
                rows.append((str(label), len(c), float(y.mean()), auroc(c, y), ece(c, y), float((c - y).mean())))
        yield Lines(f"{name}, {way}", PARTS, tuple(rows), f"Those with at least {SMALLEST} test responses.")
