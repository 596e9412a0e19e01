"""Every figure of a table of trials by section: default explanations, the style that fits, controls, replies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from doxa.metrics import reader_arms as arms
from doxa.metrics.intervals import NAN, Interval
from doxa.metrics.reader_gap import CHANGED, gap_changes, gap_scores
from doxa.metrics.sums import share

if TYPE_CHECKING:
    import polars as pl

DEFAULT, SELECTED, STYLES = "Default explanations", "The style that fits", "Style and length"
CONTROLS, REPLIES = "Controls", "Answers and explanations"
OF_READER = ("mean reader confidence", "reader ECE", "reader AUC", "bias", "over-reliance")
CONTROL_NAMES = {"none": "no explanation", "swapped": "another question's explanation"}
SATURATED = 0.99
READERS = {
    "model": "the model itself, in a fresh conversation",
    "made_up": "made up, heeds the wording and the length alone",
    "persons": "persons, as recorded",
}


class Lines(NamedTuple):
    """A table: its section and name, column names, rows, and a note."""

    section: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


class Figure(NamedTuple):
    """A named figure with its interval, the section it belongs to, and what it is where the name does not say."""

    section: str
    name: str
    interval: Interval
    note: str = ""


def trial_figures(table: pl.DataFrame, fit: arms.Selection, *, bins: int, resamples: int) -> Iterator[Figure]:
    """Figures of trials that were read (`reader_arms.readable`), the style that fits being chosen already."""
    default = arms.arm(table, arms.DEFAULT)
    for section, tail, part in ((DEFAULT, "default", default), (SELECTED, "selected", fit.after)):
        found = gap_scores(arms.trials_of(part), bins=bins, resamples=resamples)
        yield from _named(section, tail, found)
    for name, value in (("medium", fit.thresholds.low), ("high", fit.thresholds.high)):
        found_on = Interval(value, NAN, NAN, len(fit.after), "given, or the best on a grid of .05")
        note = f"model confidence from which on explanations of {name} certainty fit"
        yield Figure(SELECTED, f"threshold of {name}", found_on, note)
    yield Figure(SELECTED, "share of trials in the style that fits", fit.kept)

    def changes(after: pl.DataFrame, before: pl.DataFrame) -> Mapping[str, Interval]:
        pair = (arms.trials_of(part) for part in arms.shared(after, before))
        return gap_changes(*pair, bins=bins, resamples=resamples)

    yield from _named(SELECTED, "selected minus default", changes(fit.after, fit.before))
    for name, interval in arms.effects(table, resamples=2 * resamples).items():
        yield Figure(STYLES, name, interval)
    shown = arms.styled(table)
    long, short = (shown.filter(shown["length"] == length) for length in ("long", "short"))
    longer = changes(long, short)
    yield from _named(STYLES, "long minus short", {name: longer[name] for name in CHANGED[3:]})
    for style, label in CONTROL_NAMES.items():
        control = arms.arm(table, style)
        if len(control):
            read = gap_scores(arms.trials_of(control), bins=bins, resamples=resamples)
            yield from _named(CONTROLS, label, {name: read[name] for name in OF_READER})
            yield from _named(CONTROLS, f"default minus {label}", changes(default, control))


def _named(section: str, tail: str, found: Mapping[str, Interval]) -> Iterator[Figure]:
    for name, interval in found.items():
        yield Figure(section, f"{name}, {tail}", interval)


def reply_figures(rows: pl.DataFrame) -> Iterator[Figure]:
    """What became of answers, explanations and readings, and how often the model's confidence is saturated."""
    first = rows.unique("item", keep="first", maintain_order=True)
    sure = first.filter(first["model_confidence"].is_not_null())
    told = rows.filter(rows["argued"].is_not_null(), ~rows["style"].is_in(list(CONTROL_NAMES)))
    for name, hits, of in (
        ("share of model confidences above .99", sure["model_confidence"] > SATURATED, sure),
        ("share of answers with a confidence", first["model_confidence"].is_not_null(), first),
        ("share of explanations for another answer", told["argued"] != told["answer"], told),
        ("share of trials read", rows["reader_confidence"].is_not_null(), rows),
    ):
        yield Figure(REPLIES, name, share(hits, of["group"]))


def trial_tables(table: pl.DataFrame, fit: arms.Selection, *, bins: int, resamples: int) -> Iterator[Lines]:
    """Every style at every length; effects with interactions; the style that fits, by length."""
    note = "Words are counted in what the reader saw. Bias is mean reader confidence minus accuracy."
    yield Lines(STYLES, "Styles and lengths", arms.ARM_COLUMNS, tuple(arms.arm_lines(table, bins=bins)), note)
    found = arms.effects(table, interactions=True, resamples=2 * resamples)
    told = tuple((name, i.value, i.low, i.high, i.n) for name, i in found.items() if not math.isnan(i.value))
    note = "Against medium certainty and short explanations, and what a style and a length do together beyond both."
    yield Lines(STYLES, "Effects with interactions", arms.EFFECT_COLUMNS, told, note)
    lengths = tuple(arms.by_length(fit, bins=bins))
    yield Lines(SELECTED, "The style that fits, by length", arms.BY_LENGTH, lengths)


def read_by(rows: pl.DataFrame) -> str:
    """Who the readers are, in words."""
    return "; ".join(READERS[kind] for kind in rows["read_by"].unique().sort()) or "nobody"


def trial_notes(rows: pl.DataFrame, *, found: bool) -> Iterator[str]:
    """Who reads, what the gaps are, what is left out; found: whether thresholds were found, and not given."""
    yield f"Reader: {read_by(rows)}."
    yield "Calibration gap is reader ECE minus model ECE; mean gap is mean reader minus mean model confidence."
    told = rows.filter(rows["argued"].is_not_null(), rows["style"] != "swapped")
    other = int((told["argued"] != told["answer"]).sum())
    if other:
        yield f"{other} explanations argued for another answer than the one shown, and are in no figure but their share"
    lost = len(rows) - len(arms.readable(rows))
    if lost:
        yield f"{lost} of {len(rows)} trials lack the reader's confidence, the model's, or the truth, and are left out"
    if found:
        yield "Thresholds were found on half of the questions; figures of selected styles are those of the other half."
