"""Ways to a confidence compared, as lines of tables: side by side, by number of responses, by set, by hint, in pairs.

Tables of responses are those of `confidence_ways`, with the columns hint and hinted (the answer that it names) besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from doxa.metrics.confidence_scores import NAMES, NOTHING
from doxa.metrics.confidence_ways import SINGLE, STATED, WHITE_BOX, Way, by_set, gains_over, sweep
from doxa.metrics.intervals import Interval, proportion_clustered
from doxa.metrics.ranking import pair_rank

if TYPE_CHECKING:
    import polars as pl

    from doxa.metrics.final_answers import Ranker

SIZES = (1, 2, 3, 5, 7, 9, 11, 13)  # numbers of responses, as far as there are so many
SHOWN = (STATED, "avg_conf", "avg_conf_top1")  # ways whose confidence is, or is made of, stated ones
POINTS = ("n", "accuracy", "ECE", "AUROC")
ROUND = 1e-6  # of a stated percentage


class Lines(NamedTuple):
    """A table: its name, columns and rows, and what to know of it."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


def comparisons(
    responses: pl.DataFrame,
    every: Sequence[Way],
    values: Mapping[str, float],
    *,
    most: int,
    ranker: Ranker = pair_rank,
    bins: int = 10,
    resamples: int = 1000,
) -> Iterator[Lines]:
    """All comparisons that these ways allow.

    values  of the figures "coverage" and NAMES of each way, by "FIGURE, LABEL"; most: responses to one item
    """
    yield from _side_by_side(every, values)
    sizes = sorted({m for m in SIZES if m < most} | {most})
    sized = sweep(responses, sizes, ranker=ranker, bins=bins)
    if sized:
        yield Lines("Number of responses", ("way", "M", *POINTS), tuple(sized))
    yield Lines("By set", ("way", "set", *POINTS), tuple(by_set(every, bins)))
    if len(every) > 1:
        yield _against_the_first(every, bins, resamples)
    hinted = _by_hint(responses)
    if hinted.rows:
        yield hinted


def _side_by_side(every: Sequence[Way], values: Mapping[str, float]) -> Iterator[Lines]:
    """The same figures of different ways; a way stands in every table that it belongs to."""
    figures = ("coverage", *NAMES)
    boxed = {way.prompting for way in every if way.how in WHITE_BOX}
    kinds = {
        "Prompting strategies": [w for w in every if w.sampling == SINGLE and w.how == STATED],
        "Sampling strategies": [w for w in every if w.how in (*SHOWN, "consistency")],
        "Aggregations": [w for w in every if w.sampling != SINGLE],
        "White box": [w for w in every if w.prompting in boxed and w.how in (STATED, *WHITE_BOX)],
    }
    for name, some in kinds.items():
        rows = [(w.label, len(w.read), *(values[f"{figure}, {w.label}"] for figure in figures)) for w in some]
        if rows:
            yield Lines(name, ("way", "n", *figures), tuple(rows))


def _against_the_first(every: Sequence[Way], bins: int, resamples: int) -> Lines:
    gained = gains_over(every[0], every, bins=bins, resamples=resamples)
    rows = tuple((label, a.n, a.value, a.low, a.high, e.value, e.low, e.high) for label, a, e in gained)
    columns = ("way", "n", "AUROC gained", "low", "high", "ECE gained", "ECE low", "ECE high")
    note = "On the questions that both ways answered. A gain in ECE is a loss of calibration."
    return Lines(f"Against {every[0].label}", columns, rows, note)


def _by_hint(responses: pl.DataFrame) -> Lines:
    """What each hint does: how often its answer is given, and how often the right one."""
    import polars as pl

    hinted = responses.filter(pl.col("hint").is_not_null() & (pl.col("outcome") == "ok"))
    follows = (pl.col("answer") == pl.col("hinted")).mean()
    by = hinted.group_by("hint", maintain_order=True).agg(pl.len(), follows, pl.col("correct").mean())
    return Lines("Misleading hints", ("hint", "n", "gives the hinted answer", "accuracy"), tuple(by.iter_rows()))


def clusters(responses: pl.DataFrame) -> Iterator[tuple[str, Interval, list[str]]]:
    """How stated numbers cluster, at multiples of 5 % and from 80 % up: name, share, and outcomes of all replies."""
    import polars as pl

    for (prompting, sampling), part in responses.group_by("prompting", "sampling", maintain_order=True):
        said = part.filter(pl.col("outcome") == "ok").with_columns(p=100 * pl.coalesce("overall", "confidence"))
        said = said.filter(pl.col("p").is_not_null())
        fives = ((said["p"] / 5).round() - said["p"] / 5).abs() < ROUND
        label = str(prompting) if sampling == SINGLE else f"{prompting}, {sampling}"
        for name, hits in (("multiples of 5", fives), ("80 to 100", said["p"] > 80 - ROUND)):
            share = proportion_clustered(hits, said["group"]) if len(said) else NOTHING
            yield f"{name}, {label}", share, part["outcome"].to_list()
