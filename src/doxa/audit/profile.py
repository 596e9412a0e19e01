"""The epistemic profile: the few figures of each part that say what a model knows and how far to trust its word."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from doxa.audit import confidences, habits, knowing
from doxa.records import DoxaError, Estimate, Findings, Table

if TYPE_CHECKING:
    import polars as pl

    from doxa.runs import Part, Run


@dataclass(frozen=True)
class Line:
    """One figure of the profile: where it is found, by which name or the next one, and what it says in plain words."""

    part: str
    estimate: str | tuple[str, ...]
    says: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.estimate,) if isinstance(self.estimate, str) else self.estimate


PROFILE: tuple[tuple[str, tuple[Line, ...]], ...] = (
    (
        "Knows",
        (
            Line("beliefs", "accuracy, open questions", "right, open questions"),
            Line("beliefs", "accuracy, open questions, best known third", "right, best known third"),
            Line("beliefs", "accuracy, open questions, least known tenth", "right, least known tenth"),
            Line("beliefs", "accuracy, four options", "right, four options"),
            Line("consistency", "accuracy, true or false", "right, true or false"),
        ),
    ),
    (
        "Says how sure it is",
        (
            Line("beliefs", "ECE, words, open", "calibration error, in words"),
            Line("beliefs", "AUROC, words, open", "tells right from wrong, in words"),
            Line("beliefs", "ECE, samples, open", "calibration error, agreement of samples"),
            Line("beliefs", "AUROC, samples, open", "tells right from wrong, agreement of samples"),
            Line("beliefs", "ECE, P(True), open", "calibration error, P(True)"),
            Line("beliefs", "AUROC, P(True), open", "tells right from wrong, P(True)"),
            Line("beliefs", "ECE, option log-probabilities, choice", "calibration error, option log-probabilities"),
            Line(
                "beliefs", "AUROC, option log-probabilities, choice", "tells right from wrong, option log-probabilities"
            ),
            Line(
                "relative-confidence",
                "AUROC, bradley_terry",
                "tells right from wrong, preferences between its answers",
            ),
            Line("know-what-they-know", "AUROC, P(IK)", "foresees what it can answer (AUROC of P(IK))"),
            Line("know-what-they-know", "P(IK), rank correlation with popularity", "P(IK) rises with popularity"),
        ),
    ),
    (
        "Admits what it cannot know",
        (
            Line("abstention", "admits not knowing, unknowable, open", "admits, unknowable questions"),
            Line("abstention", "admits not knowing, answerable, open", "admits, well-known facts"),
            Line("abstention", "selective score, choice", "selective score, with an option that admits"),
            Line(
                "distributional-correctness",
                ("DCS, texts, with the rule", "DCS, samples, with the rule"),
                "distributional correctness, told that silence is fine",
            ),
            Line(
                "distributional-correctness",
                ("hedging index, texts, with the rule", "hedging index, samples, with the rule"),
                "of its doubt, on errors and not on silence",
            ),
        ),
    ),
    (
        "Is of one mind",
        (
            Line("consistency", "same verdict on p and not p", "same verdict on p and not p"),
            Line("consistency", "verdict changes with the wording", "verdict changes with the wording"),
            Line("coherence", "incoherence, words", "distance from coherence, in words"),
            Line("coherence", "incoherence, log-probabilities", "distance from coherence, log-probabilities"),
            Line("beliefs", "Spearman, samples and words, open", "samples and words agree (rank correlation)"),
            Line("beliefs", "Spearman, P(True) and words, open", "P(True) and words agree (rank correlation)"),
        ),
    ),
    (
        "Says what it believes",
        (
            Line("mask", "P(honest)", "honest under pressure"),
            Line("mask", "P(evade or no belief)", "evades, or has no steady belief"),
            Line("mask", "P(lie)", "lies under pressure"),
            Line("mask", "excess P(lie | belief)", "lies beyond those without pressure, of its beliefs"),
            Line("mask", "accuracy", "right, of what it believes"),
        ),
    ),
    (
        "Keeps what it believes",
        (
            Line("parrot", "follow rate, expert", "gives the wrong answer that an expert claims"),
            Line("parrot", "follow rate beyond a filler, expert", "beyond a filler, an expert"),
            Line("parrot", "follow rate beyond a filler, textbook", "beyond a filler, a textbook"),
            Line("parrot", "follow rate beyond a filler, teacher", "beyond a filler, a teacher"),
            Line("parrot", "follow rate beyond a filler, i-think", "beyond a filler, the user"),
            Line("context-belief-shift", "belief shift, persuasion", "changes its position after an argument"),
            Line("context-belief-shift", "belief shift beyond asking again, persuasion", "beyond asking again"),
            Line(
                "context-belief-shift", "belief shift beyond filler, persuasion", "beyond a filler, after an argument"
            ),
            Line("context-belief-shift", "belief shift, reading", "changes its position after reading"),
            Line("context-belief-shift", "belief shift beyond filler, reading", "beyond a filler, after reading"),
        ),
    ),
    (
        "Answers what it is asked",
        (
            Line("survey-responses", "A-bias", "chooses A more often than its share"),
            Line("survey-responses", "A-bias, nats", "log odds of A beyond its share"),
            Line("survey-responses", "label mass", "probability on the letters offered"),
        ),
    ),
    (
        "Is understood by a reader",
        (
            Line("calibration-gap", "calibration gap, default", "calibration error added by how it explains"),
            Line("calibration-gap", "discrimination gap, default", "discrimination lost by how it explains"),
        ),
    ),
    (
        "Keeps belief and knowledge apart",
        (
            Line("kable", "first-person false belief", "confirms my false belief"),
            Line("kable", "third-person false belief", "confirms James's or Mary's false belief"),
            Line("kable", "person gap", "third minus first person"),
        ),
    ),
)


# Charts of the parts that the profile shows too: heading, part, name of the chart.
CHARTS = (
    ("Knows", "beliefs", "Accuracy by popularity, open questions"),
    ("Says how sure it is", "beliefs", "Reliability: words, open questions"),
    ("Says how sure it is", "beliefs", "Reliability: samples, open questions"),
)


def profile(run: Run) -> Findings:
    """The lines of PROFILE that this run's parts can fill; for an organism, what was planted beside them."""
    parts = {part.study: part for part in run.parts}
    estimates = [
        _headline(heading, line, parts[line.part]) for heading, lines in PROFILE for line in lines if line.part in parts
    ]
    charts = [
        dataclasses.replace(chart, section=heading)
        for heading, part, name in CHARTS
        if part in parts
        for chart in parts[part].findings.charts
        if chart.name == name
    ]
    address = str(run.manifest["model"]["address"])
    planted = _planted(address.removeprefix("organism:"), parts) if address.startswith("organism:") else None
    tables = tuple(table for table in (habits.table(parts), confidences.table(parts), planted) if table)
    return Findings(tuple(estimates), tables, tuple(charts))


def _headline(heading: str, line: Line, part: Part) -> Estimate:
    found = next((name for name in line.names if name in part.findings), None)
    if found is None:
        note = f"not readable: this model's replies or abilities do not give {line.names[0]!r}"
        return Estimate(line.says, float("nan"), section=heading, note=note)
    return dataclasses.replace(part.findings.estimate(found), name=line.says, section=heading)


def _planted(name: str, parts: dict[str, Part]) -> Table | None:
    """Accuracy on open questions by popularity: exposure and accuracy from the card beside what the audit measured."""
    import polars as pl

    from doxa.organisms import card

    if "beliefs" not in parts:
        return None
    try:
        written = card(name)
    except DoxaError:
        return None
    graded = knowing.with_correct(parts["beliefs"].rows())
    asked = graded.filter((pl.col("kind") == "open") & (pl.col("way") == "answer"))
    shown = dict(knowing.tenths(asked.filter(pl.col("split") == "shown")))
    planted = written["measured"]
    lines = [
        _line(
            f"{i * 10}-{i * 10 + 10} %", planted["exposure"][i], planted["open"]["tenths"][i], shown.get(i, asked[:0])
        )
        for i in reversed(range(knowing.TENTHS))
    ]
    lines.append(_line("never shown", 0, planted["open"]["never"], asked.filter(pl.col("split") == "never")))
    return Table(
        "Planted beside measured: open questions by popularity",
        ("popularity", "times shown in training", "right, all facts (card)", "right, this audit", "low", "high", "n"),
        tuple(lines),
        section="Planted",
        note="The card's figures are greedy answers about every fact of the bank, taken without any study.",
    )


def _line(name: str, exposure: float, planted: float, rows: pl.DataFrame) -> tuple[Any, ...]:
    measured = knowing.accuracy(name, rows, "Planted")
    return name, exposure, planted, measured.value, measured.low, measured.high, measured.n
