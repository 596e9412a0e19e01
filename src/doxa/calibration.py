"""A run's confidences calibrated: fitted on its answers, shown before and after, kept for later runs.

A study that grades confidences says so by `Study.graded`: one row for each confidence, with its way of reading.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa import charts
from doxa.metrics import reliability
from doxa.metrics.calibrators import METHODS, Calibrator, Method, best_method, cross_fitted, fit
from doxa.metrics.confidence_scores import confidence_scores, gains
from doxa.metrics.intervals import Interval
from doxa.metrics.means import mean_interval
from doxa.records import DoxaError, Estimate, Findings, Table
from doxa.runs import Run
from doxa.runs.files import write_whole

if TYPE_CHECKING:
    import polars as pl

    from doxa.study import Study

FORMAT = 1
READ = ["confidence", "correct"]
LEAST = 20  # answers of a way that is calibrated
SHOWN = ("ECE", "AUROC", "overconfidence")
FIGURES = ("before", "low", "high", "after", "low ", "high ", "gain", "low  ", "high  ")
COLUMNS = ("study", "way", "figure", *FIGURES, "n", "left out")
NOTE = "Gain: after minus before, in pairs. Left out: confidence not read, or truth not known."


def graded(run: Run, *, missing: bool = False) -> pl.DataFrame:
    """Every confidence of a run whose answer can be judged: study, item, group, way, confidence, correct.

    missing  also those that were not read, or whose truth is not known
    raises  DoxaError: no study of the run grades confidences
    """
    import polars as pl

    parts = [(part, *part.scorer()) for part in run.parts]
    check_studies([study for _, study, _ in parts])
    return pl.concat([of_rows(s, part.rows(), options, missing=missing) for part, s, options in parts if s.graded])


def check_studies(studies: Sequence[Study]) -> None:
    """DoxaError: none of these studies grades confidences."""
    if all(study.graded is None for study in studies):
        names = ", ".join(study.name for study in studies)
        raise DoxaError(f"no confidence is graded here ({names}), so there is nothing to calibrate")


def of_rows(study: Study, rows: pl.DataFrame, options: Any, *, missing: bool = False) -> pl.DataFrame:
    """`graded` for the rows of one study that grades confidences."""
    import polars as pl

    check_studies([study])
    assert study.graded is not None
    table = study.graded(rows, options)
    return (table if missing else table.drop_nulls(READ)).select(
        pl.lit(study.name).alias("study"),
        pl.col("item").cast(pl.String),
        pl.coalesce("group", "item").cast(pl.String).alias("group"),
        pl.col("way").cast(pl.String),
        pl.col("confidence").cast(pl.Float64),
        pl.col("correct").cast(pl.Boolean),
    )


# --- fitting ---------------------------------------------------------------------------------------------------------


def calibrate(
    run: Run,
    *,
    way: str | None = None,
    method: Method | None = None,
    folds: int = 5,
    seed: int = 0,
    resamples: int = 1000,
) -> tuple[list[Calibrator], Findings]:
    """Calibrators of a run's ways of reading confidence, and what they change, by cross-fitting over its questions.

    way     only this one; method: None: the one of the least cross-fitted Brier score, for each way
    raises  DoxaError: no confidence is graded, no such way, too few answers
    """
    made, shown = [], []
    model = run.manifest["model"]
    ways, few = _ways(graded(run, missing=True), way)
    for (study, name), part in ways.items():
        c, y, groups = _columns(part)
        chosen = method or best_method(c, y, groups=groups, folds=folds, seed=seed)
        about = {"study": study, "way": name, "model": model["address"], "fingerprint": model["fingerprint"]}
        calibrator = fit(c, y, chosen, about={**about, "questions": " ".join(sorted(_marks(groups)))})
        after = cross_fitted(c, y, chosen, groups=groups, folds=folds, seed=seed)
        made.append(calibrator)
        unread = len(part) - len(c)
        shown.append(
            before_and_after(c, after, y, groups, study=study, way=name, how=chosen, unread=unread, resamples=resamples)
        )
    note = f"After: each answer by a calibrator that was fitted without its question ({folds} folds)."
    return made, _joined(shown, note, *([f"Too few answers to calibrate on: {few}."] if few else []))


def _ways(table: pl.DataFrame, way: str | None) -> tuple[dict[tuple[str, str], pl.DataFrame], str]:
    """Rows of each way that has enough read ones, and in words the ways that have not."""
    groups = {(str(s), str(w)): part for (s, w), part in table.group_by("study", "way", maintain_order=True)}
    if way is not None and way not in {w for _, w in groups}:
        raise DoxaError(f"the run has no way {way!r}; it has: {'; '.join(w for _, w in groups)}")
    chosen = {key: part for key, part in groups.items() if way in (None, key[1])}
    enough = {key: part for key, part in chosen.items() if _enough(part.drop_nulls(READ))}
    few = "; ".join(f"{w}: {len(p.drop_nulls(READ))}" for (s, w), p in chosen.items() if (s, w) not in enough)
    if not enough:
        raise DoxaError(
            f"too few answers to calibrate on ({few or 'none'}); give {LEAST} of a way, right and wrong ones"
        )
    return enough, few


def _enough(part: pl.DataFrame) -> bool:
    return len(part) >= LEAST and part["group"].n_unique() >= LEAST // 2 and part["correct"].n_unique() == 2


def _columns(part: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    part = part.drop_nulls(READ)
    correct = part["correct"].to_numpy().astype(float)
    return part["confidence"].to_numpy(), correct, part["group"].to_numpy().astype(str)


# --- before and after ------------------------------------------------------------------------------------------------


def before_and_after(
    before: np.ndarray,
    after: np.ndarray,
    correct: np.ndarray,
    groups: np.ndarray,
    *,
    study: str,
    way: str,
    how: str,
    unread: int = 0,
    resamples: int = 1000,
) -> Findings:
    """Figures of the same answers under two confidences, their differences in pairs, and both reliability curves.

    before, after  (n,) confidences; correct: (n,) 0 or 1; groups: (n,) labels of their questions
    how            what was done, in a word; unread: confidences that are not among them
    """
    section = f"{study}: {way}"
    figures = {name: _figures(c, correct, groups, resamples) for name, c in (("", before), (", calibrated", after))}
    estimates = [
        Estimate.of(f"{figure}, {way}{name}", interval, unit="answers", section=section, note=how if name else "")
        for name, found in figures.items()
        for figure, interval in found.items()
    ]
    changed = {
        **gains((after, correct), (before, correct), groups, resamples=resamples),
        "overconfidence": mean_interval(after - before, groups=groups, bounds=(-1, 1)),
        "Brier": mean_interval((after - correct) ** 2 - (before - correct) ** 2, groups=groups, bounds=(-1, 1)),
        "log loss": mean_interval(_surprise(after, correct) - _surprise(before, correct), groups=groups),
    }
    lines = []
    for figure, old in figures[""].items():
        three = (old, figures[", calibrated"][figure], changed[figure])
        lines.append((study, way, figure, *(v for i in three for v in (i.value, i.low, i.high)), old.n, unread))
    drawn = tuple(
        charts.reliability_chart(reliability(c, correct), name=f"Reliability, {way}{name}", section=section)
        for name, c in (("", before), (f", calibrated ({how})", after))
    )
    table = Table("Before and after", COLUMNS, tuple(lines), section=section, note=NOTE)
    return Findings(tuple(estimates), (table,), drawn)


def _figures(c: np.ndarray, y: np.ndarray, groups: np.ndarray, resamples: int) -> dict[str, Interval]:
    found = confidence_scores(c, y, groups, resamples=resamples)
    return {
        **{name: found[name] for name in SHOWN},
        "Brier": mean_interval((c - y) ** 2, groups=groups, bounds=(0, 1)),
        "log loss": mean_interval(_surprise(c, y), groups=groups),
    }


def _surprise(c: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Negative log-probability (n,) of what happened, nats; probabilities of 0 and 1 are held at 1e-6."""
    held = np.clip(np.where(y == 1, c, 1 - c), 1e-6, 1.0)
    return np.asarray(-np.log(held))


def _joined(parts: Sequence[Findings], *notes: str) -> Findings:
    return Findings(
        tuple(e for p in parts for e in p.estimates),
        tuple(t for p in parts for t in p.tables),
        tuple(c for p in parts for c in p.charts),
        notes=notes,
    )


# --- kept and used ---------------------------------------------------------------------------------------------------


def save(calibrators: Sequence[Calibrator], path: Path) -> None:
    """Keep calibrators in one JSON file, which `load` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"format": FORMAT, "calibrators": [json.loads(c.to_json()) for c in calibrators]}
    write_whole(path, (json.dumps(kept, indent=1, ensure_ascii=False) + "\n").encode())


def load(path: Path) -> list[Calibrator]:
    """Kept calibrators. DoxaError: a file that holds none; FileNotFoundError."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        entries = kept.get("calibrators", [kept])
        return [Calibrator.from_json(json.dumps(entry)) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DoxaError(f"{path}: no calibrators ({error}); `doxa calibrate RUN --out FILE` writes them") from None


def applied(
    table: pl.DataFrame,
    calibrators: Sequence[Calibrator],
    *,
    fingerprint: str | None = None,
    anyway: bool = False,
    resamples: int = 1000,
) -> Findings:
    """What kept calibrators make of other answers: each way that has one, before and after.

    table        as `graded`; fingerprint: of the model that answered, None: not known, which a note says
    anyway       also with calibrators of another model, and with the only one there is for ways of another name
    raises       DoxaError: no calibrator is for these ways, or one is of another model
    """
    check_model(calibrators, fingerprint, anyway=anyway)
    ways = {(str(s), str(w)): part for (s, w), part in table.group_by("study", "way", maintain_order=True)}
    shown, again, notes = [], 0, []
    for (study, way), part in ways.items():
        of_way = [c for c in calibrators if (c.about.get("study"), c.about.get("way")) == (study, way)]
        if not of_way and anyway and len(calibrators) == 1:
            of_way = list(calibrators)
        for calibrator in of_way:
            c, y, groups = _columns(part)
            if len(set(y)) < 2:
                alike = f"all {len(y)} answers are {'right' if y[0] else 'wrong'}" if len(y) else "no answer was read"
                notes.append(f"{way}: {alike}; nothing is compared.")
                continue
            again = max(again, len(_marks(groups) & set(calibrator.about.get("questions", "").split())))
            how = f"{calibrator.method}, fitted on {calibrator.n} answers of {calibrator.about.get('model', '?')}"
            after, unread = calibrator.apply(c), len(part) - len(c)
            shown.append(
                before_and_after(c, after, y, groups, study=study, way=way, how=how, unread=unread, resamples=resamples)
            )
    if not shown and not notes:
        fitted = "; ".join(f"{c.about.get('study')}: {c.about.get('way')}" for c in calibrators)
        there = "; ".join(f"{study}: {way}" for study, way in ways) or "none"
        raise DoxaError(f"no calibrator is for these confidences. Fitted on: {fitted}. Here: {there}")
    return _joined(shown, *_told(again, table.drop_nulls(READ)["group"].n_unique(), calibrators, fingerprint), *notes)


def _told(again: int, questions: int, calibrators: Sequence[Calibrator], fingerprint: str | None) -> Iterator[str]:
    yield "After: by calibrators that were fitted before."
    if again:
        yield (
            f"{again} of {questions} questions are among those that they were fitted on: there the calibrated figures "
            "flatter. Fit on some questions and use on others."
        )
    if fingerprint is None:
        models = sorted({str(c.about.get("model")) for c in calibrators})
        yield f"Fitted on {', '.join(models)}. Whether that is the model that answered here is not known."


def check_model(calibrators: Sequence[Calibrator], fingerprint: str | None, *, anyway: bool = False) -> None:
    """DoxaError: a calibrator was fitted on another model than the one of this fingerprint."""
    for calibrator in calibrators:
        known = calibrator.about.get("fingerprint")
        if not anyway and None not in (fingerprint, known) and known != fingerprint:
            raise DoxaError(
                f"this calibrator was fitted on {calibrator.about.get('model')!r}, not on the model that answers, and "
                "calibrations differ by model. Fit one on its answers, or add --calibrator-anyway"
            )


def _marks(groups: np.ndarray) -> set[str]:
    """Questions, each by 12 hexadecimal digits: what a calibrator was fitted on is known again, and not told."""
    return {hashlib.sha256(g.encode()).hexdigest()[:12] for g in set(groups.tolist())}


def methods() -> Mapping[str, Method | None]:
    """Names of methods on the command line; "best" chooses."""
    return {"best": None, **{name: name for name in METHODS}}
