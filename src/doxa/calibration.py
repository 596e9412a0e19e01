"""A run's confidences calibrated: fitted on its answers, shown before and after, kept for later runs.

A study that grades confidences says so by `Study.graded`: one row for each confidence, with its way of reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doxa import charts
from doxa.metrics import brier, paired_difference, reliability
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
LEAST = 20  # answers of a way that is calibrated
SHOWN = ("ECE", "AUROC", "overconfidence")
COLUMNS = ("study", "way", "figure", "before", "low", "high", "after", "low ", "high ", "gain", "low  ", "high  ", "n")


def graded(run: Run) -> pl.DataFrame:
    """Every confidence of a run whose answer can be judged: study, item, group, way, confidence, correct.

    raises  DoxaError: no study of the run grades confidences
    """
    import polars as pl

    found = []
    for part in run.parts:
        study, options = part.scorer()
        if study.graded is not None:
            found.append(of_rows(study, part.rows(), options))
    if not found:
        names = ", ".join(part.study for part in run.parts)
        raise DoxaError(f"nothing of this run ({names}) grades a confidence, so there is nothing to calibrate")
    return pl.concat(found)


def of_rows(study: Study, rows: pl.DataFrame, options: Any) -> pl.DataFrame:
    """`graded` for the rows of one study that grades confidences."""
    import polars as pl

    if study.graded is None:
        raise DoxaError(f"study {study.name!r} grades no confidence, so there is nothing to calibrate")
    table = study.graded(rows, options).drop_nulls(["confidence", "correct"])
    return table.select(
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
    table, made, shown = graded(run), [], []
    model = run.manifest["model"]
    for (study, name), part in _ways(table, way):
        c, y, groups = _columns(part)
        chosen = method or best_method(c, y, groups=groups, folds=folds, seed=seed)
        about = {"study": study, "way": name, "model": model["address"], "fingerprint": model["fingerprint"]}
        calibrator = fit(c, y, chosen, about=about)
        after = cross_fitted(c, y, chosen, groups=groups, folds=folds, seed=seed)
        made.append(calibrator)
        shown.append(before_and_after(c, after, y, groups, study=study, way=name, how=chosen, resamples=resamples))
    note = f"After: each answer by a calibrator that was fitted without its question ({folds} folds)."
    return made, _joined(shown, note)


def _ways(table: pl.DataFrame, way: str | None) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    groups = {(str(s), str(w)): part for (s, w), part in table.group_by("study", "way", maintain_order=True)}
    if way is not None and way not in {w for _, w in groups}:
        raise DoxaError(f"the run has no way {way!r}; it has: {'; '.join(w for _, w in groups)}")
    chosen = {key: part for key, part in groups.items() if way in (None, key[1])}
    enough = {key: part for key, part in chosen.items() if _enough(part)}
    if not enough:
        counts = "; ".join(f"{w}: {len(part)}" for (_, w), part in chosen.items()) or "none"
        raise DoxaError(f"too few answers to calibrate on ({counts}); give {LEAST} of a way, right and wrong ones")
    yield from enough.items()


def _enough(part: pl.DataFrame) -> bool:
    return len(part) >= LEAST and part["group"].n_unique() >= LEAST // 2 and part["correct"].n_unique() == 2


def _columns(part: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    resamples: int = 1000,
) -> Findings:
    """Figures of the same answers under two confidences, their differences in pairs, and both reliability curves.

    before, after  (n,) confidences; correct: (n,) 0 or 1; groups: (n,) labels of their questions
    how            what was done, in a word
    """
    section = f"{study}: {way}"
    figures = {name: _figures(c, correct, groups, resamples) for name, c in (("", before), (", calibrated", after))}
    estimates = [
        Estimate.of(f"{figure}, {way}{name}", interval, unit="answers", section=section, note=how if name else "")
        for name, found in figures.items()
        for figure, interval in found.items()
    ]
    changed = dict(gains((after, correct), (before, correct), groups, resamples=resamples))
    for figure, loss in (("Brier", brier), ("log loss", _log_loss)):
        changed[figure] = paired_difference(
            loss, (after, correct), (before, correct), groups=groups, resamples=resamples
        )
    lines = []
    for figure, old in figures[""].items():
        new, gain = figures[", calibrated"][figure], changed.get(figure)
        limits = (gain.value, gain.low, gain.high) if gain else (new.value - old.value, None, None)
        lines.append((study, way, figure, old.value, old.low, old.high, new.value, new.low, new.high, *limits, old.n))
    drawn = tuple(
        charts.reliability_chart(reliability(c, correct), name=f"Reliability, {way}{name}", section=section)
        for name, c in (("", before), (f", calibrated ({how})", after))
    )
    table = Table(
        "Before and after", COLUMNS, tuple(lines), section=section, note="Gain: after minus before, in pairs."
    )
    return Findings(tuple(estimates), (table,), drawn)


def _figures(c: np.ndarray, y: np.ndarray, groups: np.ndarray, resamples: int) -> dict[str, Interval]:
    found = confidence_scores(c, y, groups, resamples=resamples)
    return {
        **{name: found[name] for name in SHOWN},
        "Brier": mean_interval((c - y) ** 2, groups=groups, bounds=(0, 1)),
        "log loss": mean_interval(_surprise(c, y), groups=groups),
    }


def _log_loss(c: np.ndarray, y: np.ndarray) -> float:
    return float(_surprise(c, y).mean())


def _surprise(c: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Negative log-probability (n,) of what happened, nats; probabilities of 0 and 1 are held at 1e-6."""
    held = np.clip(np.where(y == 1, c, 1 - c), 1e-6, 1.0)
    return np.asarray(-np.log(held))


def _joined(parts: Sequence[Findings], note: str) -> Findings:
    return Findings(
        tuple(e for p in parts for e in p.estimates),
        tuple(t for p in parts for t in p.tables),
        tuple(c for p in parts for c in p.charts),
        notes=(note,),
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
    except (ValueError, KeyError, TypeError) as error:
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

    table        as `graded`; fingerprint: of the model that answered, where it is known
    anyway       also with calibrators of another model, and of the only way there is with one of another name
    raises       DoxaError: no calibrator is for these ways, or one is of another model
    """
    ways = {(str(s), str(w)): part for (s, w), part in table.group_by("study", "way", maintain_order=True)}
    shown = []
    for (study, way), part in ways.items():
        of_way = [c for c in calibrators if (c.about.get("study"), c.about.get("way")) == (study, way)]
        if not of_way and anyway and len(calibrators) == 1:
            of_way = list(calibrators)
        for calibrator in of_way:
            _check_model(calibrator, fingerprint, anyway)
            c, y, groups = _columns(part)
            if len(part) < 2 or part["correct"].n_unique() < 2:
                continue
            how = f"{calibrator.method}, fitted on {calibrator.n} answers of {calibrator.about.get('model', '?')}"
            made = before_and_after(
                c, calibrator.apply(c), y, groups, study=study, way=way, how=how, resamples=resamples
            )
            shown.append(made)
    if not shown:
        fitted = "; ".join(f"{c.about.get('study')}: {c.about.get('way')}" for c in calibrators)
        there = "; ".join(f"{study}: {way}" for study, way in ways) or "none"
        raise DoxaError(f"no calibrator is for these confidences. Fitted on: {fitted}. Here: {there}")
    return _joined(shown, "After: by calibrators that were fitted before, on other answers.")


def _check_model(calibrator: Calibrator, fingerprint: str | None, anyway: bool) -> None:
    known = calibrator.about.get("fingerprint")
    if fingerprint is not None and known is not None and known != fingerprint and not anyway:
        raise DoxaError(
            f"this calibrator was fitted on {calibrator.about.get('model')!r}, not on the model that answered, and "
            "calibrations differ by model. Fit one on its answers, or add --calibrator-anyway"
        )


def methods() -> Mapping[str, Method | None]:
    """Names of methods on the command line; "best" chooses."""
    return {"best": None, **{name: name for name in METHODS}}
