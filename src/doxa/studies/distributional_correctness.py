"""Distributional correctness: does doubt go to silence or to errors, and is the model more misleading than silent?

Each choice question gets one more option that abstains, and the whole distribution over the options is read: from the
log-probabilities of the options' texts or letters, or from the frequencies of samples. The score of an item is
(gain * mass on right - loss * mass on wrong) * (1 - mass on abstaining), beside accuracy and other scores of the same
distributions, with and without a rule that abstaining is fine, raw and by character, and at several penalties.

Differs from the paper: the factor (1 - abstention) is there, which its reference code loses by a key that never matches
(--variant published repeats it, and takes characters as it does); the abstention is passed by its place; beside letters
it is as short as a letter; raw and by-character distributions are both shown, for a sentence gains .4 by its length;
several strings may abstain; ties of the likeliest option count in expectation; a model that only generates is sampled.
Of its figures, one of the abstract stands beside ours. The frequencies of n samples raise the score by
(right - wrong) * abstention / n.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa import charts
from doxa.data.choice_sets import choice_set
from doxa.data.facts import facts
from doxa.data.render import choice_item, most_options
from doxa.elicit.answers import Letter, ShortText
from doxa.elicit.options import continuation, logprob
from doxa.elicit.penalised import Penalised
from doxa.elicit.samples import sample_answers
from doxa.metrics import distributional as scores
from doxa.metrics import distributional_tables as tables
from doxa.metrics import sums
from doxa.metrics.foreseen_distributions import Held
from doxa.models import abstention_files as files
from doxa.models.base import Context
from doxa.models.simulated import ABSTAIN, Respondent
from doxa.planted import Expected, Truth
from doxa.records import LETTERS, Answer, Chart, Estimate, Findings, Item, Prompt, Reading, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

SOURCE = Source("Measuring Language Model Hallucinations Through Distributional Correctness", 2025, arxiv="2510.04302")
OPTION_SEED = 1000  # seeds of wrong options from here on are never used in training an organism
STRINGS = {"letters": ("?",), "texts": ("I do not know.",), "samples": ("?",)}
MASSES = ("right", "wrong", "abstaining")
MISLEADING = "sets on which all models are below 0"
TOLD = {True: "with the rule", False: "without the rule"}


@dataclass(frozen=True)
class Options:
    reading: Annotated[Literal["both", "letters", "texts", "samples"], "what the distribution is read from"] = "both"
    rule: Annotated[Literal["both", "with", "without"], "show the rule that abstaining is fine and errors cost"] = (
        "both"
    )
    abstention: Annotated[str | None, "strings that abstain, with | between them [? or a sentence]"] = None
    samples: Annotated[int, "samples of a question, where they are read"] = 20
    gain: Annotated[float, "points for a right answer"] = 1.0
    loss: Annotated[float, "points that a wrong answer costs; more than the gain is not the published score"] = 1.0
    variant: Annotated[Literal["corrected", "published"], "the formula, or the reference code"] = "corrected"
    set: Annotated[str | None, "file, or hub id as owner/name:configuration; none: the bank"] = None
    questions: Annotated[int, "questions asked"] = 200
    choices: Annotated[int, "options of a question of the bank"] = 4

    @property
    def ways(self) -> tuple[str, ...]:
        return ("letters", "texts") if self.reading == "both" else (self.reading,)

    @property
    def told(self) -> tuple[bool, ...]:
        return {"both": (True, False), "with": (True,), "without": (False,)}[self.rule]

    def strings(self, way: str) -> tuple[str, ...]:
        return tuple(self.abstention.split("|")) if self.abstention else STRINGS[way]


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One distribution over an item's options, abstentions last.

    way         "letters", "texts" or "samples"; told: whether the rule was shown
    options     how many options answer; what follows in the lists are abstentions
    logprobs    natural logarithms, one for each option and abstention; of samples: of their frequencies
    characters  of each as it was scored; empty: not known
    truth       places of the right options
    strings     the abstentions; part: the set that the question is of
    """

    way: str
    told: bool
    options: int
    logprobs: tuple[float, ...]
    characters: tuple[int, ...] = ()
    truth: tuple[int, ...]
    strings: tuple[str, ...] = ()
    part: str = ""


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """Questions with options, of the set or of the bank."""
    if options.set is not None:
        return choice_set(options.set)[: options.questions]
    wide = [fact for fact in facts() if most_options(fact) >= options.choices]
    chosen = wide[:: max(1, len(wide) // options.questions)][: options.questions]
    return [choice_item(fact, options.choices, seed=OPTION_SEED) for fact in chosen]


def example() -> list[Item]:
    return [Item(f"hue-{i}", f"Which hue has door {i}?", "choice", ("red", "blue", "green"), "blue") for i in range(6)]


def needs(options: Options) -> set[str]:
    return {"generate"} if options.reading == "samples" else {"score"}


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    for way in options.ways:
        for told in options.told:
            form = Penalised(ShortText() if way == "texts" else Letter(), options.strings(way), told=told)
            read = _sampled if way == "samples" else _scored
            yield replace(await read(item, ask, form, options), way=way, told=told, strings=form.abstentions)


async def _scored(item: Item, ask: Ask, form: Penalised, options: Options) -> Row:
    prompt, c = form.prompt(item), len(item.options)
    by_text = isinstance(form.inner, ShortText)
    said = list(item.options) if by_text else [form.write(Answer("ok", letter), item) for letter in LETTERS[:c]]
    found = await ask.score(prompt, [continuation(prompt, text) for text in (*said, *form.abstentions)])
    logprobs = tuple(logprob(score) for score in found)
    readable = any(value > -np.inf for value in logprobs)
    return _row(item, logprobs, tuple(len(s.continuation) for s in found), outcome="ok" if readable else "unparsed")


async def _sampled(item: Item, ask: Ask, form: Penalised, options: Options) -> Row:
    answers = [answer for answer, _ in await sample_answers(ask, form, item, options.samples)]
    counts = np.zeros(len(item.options) + 1)
    for answer in answers:
        if answer.outcome == "abstained":
            counts[-1] += 1
        elif answer.outcome == "ok" and answer.value is not None:
            counts[LETTERS.index(answer.value)] += 1
    with np.errstate(divide="ignore", invalid="ignore"):
        logprobs = np.log(counts / counts.sum())
    text = " ".join(answer.value or answer.outcome for answer in answers)
    return _row(item, tuple(logprobs.tolist()), outcome="ok" if counts.any() else answers[0].outcome, text=text)


def _row(item: Item, logprobs: tuple[float, ...], characters: tuple[int, ...] = (), **told: str) -> Row:
    right = {item.answer, *item.accepted}
    return Row(
        item=item.id,
        way="",
        told=False,
        options=len(item.options),
        logprobs=logprobs,
        characters=characters,
        truth=tuple(j for j, option in enumerate(item.options) if option in right),
        part=str(item.fields.get("set", "bank")),
        **told,  # type: ignore[arg-type]
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Every score of each way of reading, and what changes it."""
    import polars as pl

    rows = rows.with_columns(pl.coalesce("group", "item").alias("group"))
    estimates: list[Estimate] = []
    arms = [(way, told) for way in STRINGS for told in (True, False)]
    parts = {f"{way}, {TOLD[told]}": rows.filter(pl.col("way") == way, pl.col("told") == told) for way, told in arms}
    parts = {name: part for name, part in parts.items() if len(part)}
    for name, part in parts.items():
        estimates += _scores(name, part, options)
    shown = {name: part.filter(tables.readable(part)) for name, part in parts.items()}
    made = _tables(estimates, {name: part for name, part in shown.items() if len(part)}, options)
    drawn = tuple(_chart(name, estimates) for name, part in shown.items() if len(part))
    return Findings(tuple(estimates), tuple(t for t in made if t.rows), drawn, notes=tuple(_notes(options)))


def _tables(estimates: Sequence[Estimate], parts: Mapping[str, pl.DataFrame], options: Options) -> list[Table]:
    of = {e.name: e.value for e in estimates}
    quantities = dict.fromkeys(e.name.removesuffix(f", {e.section}") for e in estimates)
    scores_of = [(q, *(of.get(f"{q}, {name}", float("nan")) for name in parts)) for q in quantities]
    published = options.variant == "published"
    points: dict[str, Any] = {"gain": options.gain, "variant": options.variant, "by_character": published}
    penalties = tables.by_penalty(parts, **points) if parts else []
    strings = tables.by_string(parts, gain=options.gain, loss=options.loss)
    sets = tables.by_part(parts, loss=options.loss, **points)
    return [
        Table("Scores of the same distributions", ("figure", *parts), tuple(scores_of)),
        Table("By what an error costs", ("loss", *parts), tuple(penalties), note="Mean score of the items."),
        Table("Strings that abstain", tables.BY_STRING, tuple(strings), note="One alone, the others left out; raw."),
        Table("By set", tables.BY_PART, tuple(sets), note="Even guessing: all options alike, no abstention."),
    ]


def _scores(name: str, part: pl.DataFrame, options: Options) -> Iterator[Estimate]:
    published = options.variant == "published"
    read = part.filter(tables.readable(part))
    outcomes, section = count_outcomes(part["outcome"].to_list()), name
    if not len(read):
        yield Estimate(
            f"DCS, {name}", float("nan"), outcomes=outcomes, section=section, note="no distribution was read"
        )
        return
    groups = read["group"]
    raw = tables.distributions(read, by_character=published)
    masses, likeliest = raw.masses(), raw.likeliest()
    bounds = (-options.loss, options.gain)
    points: dict[str, Any] = {"gain": options.gain, "loss": options.loss}
    of_score = scores.dcs(masses, **points, variant=options.variant)
    found = {
        "DCS": sums.mean(of_score, groups, bounds=bounds),
        "DCS below 0": sums.share(of_score < -scores.TIED, groups),
        "mass on right": sums.mean(masses.right, groups, bounds=(0, 1)),
        "mass on wrong": sums.mean(masses.wrong, groups, bounds=(0, 1)),
        "mass on abstaining": sums.mean(masses.abstain, groups, bounds=(0, 1)),
        "hedging index": tables.hedging(masses, groups),
        "accuracy": sums.mean(likeliest.right, groups, bounds=(0, 1)),
        "confidence-weighted accuracy": sums.mean(scores.confidence_weighted(raw), groups, bounds=(0, 1)),
        "ternary score": sums.mean(scores.ternary(likeliest, **points), groups, bounds=bounds),
        "break-even loss": tables.break_even(masses, groups, gain=options.gain),
        **tables.of_answering(raw, groups),
    }
    if not published and part["characters"].list.len().min():
        char = tables.distributions(read, by_character=True)
        found |= {
            "DCS by character": sums.mean(scores.dcs(char.masses(), **points), groups, bounds=bounds),
            "accuracy by character": sums.mean(char.likeliest().right, groups, bounds=(0, 1)),
            "mass on abstaining by character": sums.mean(char.masses().abstain, groups, bounds=(0, 1)),
        }
    for quantity, interval in found.items():
        yield Estimate.of(f"{quantity}, {name}", interval, unit="items", outcomes=outcomes, section=section)


def _chart(name: str, estimates: Sequence[Estimate]) -> Chart:
    masses = [e for e in estimates if e.section == name and e.name in {f"mass on {m}, {name}" for m in MASSES}]
    heading = f"Where the mass goes, {name}"
    return charts.bars_of_estimates(masses, MASSES, axis="probability", name=heading, section=name)


def _notes(options: Options) -> Iterator[str]:
    above = scores.answer_above(options.gain, options.loss)
    yield f"At these points it scores better to answer where the chance of being right is above {above:.3g}, else not."
    yield "The score is no proper scoring rule: it is best to be certain above that chance and silent below it."
    if options.loss > options.gain:
        yield f"A loss of {options.loss:g} above the gain of {options.gain:g} is outside of the published score."


def other_truth(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """As many right options as before at places drawn by chance, the same in all readings of an item."""
    import polars as pl

    rng = np.random.default_rng(seed)
    drawn = {
        item: sorted(rng.choice(options, len(truth), replace=False).tolist())
        for item, options, truth in rows.unique("item", maintain_order=True)
        .select("item", "options", "truth")
        .iter_rows()
    }
    return rows.with_columns(pl.Series("truth", [drawn[i] for i in rows["item"]], dtype=rows.schema["truth"]))


# --- recorded distributions ------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run, or a table of option log-probabilities (or probabilities) with an abstention column."""
    return Recorded(path.stem, frame(files.distributions(path), Row))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """The score by set and model, with a mark where all models are below 0, and against accuracy."""
    found = [(r.label, score(r.rows, options)) for r in recorded]
    lines_of = [(label, line) for label, findings in found for line in findings.table("By set").rows]
    cells = {(line[0], line[1], label): (line[2], line[5]) for label, line in lines_of}
    places = list(dict.fromkeys((which, arm) for which, arm, _ in cells))
    labels = [label for label, _ in found]
    lines = []
    for which, arm in places:
        values = [cells.get((which, arm, label), (float("nan"),))[0] for label in labels]
        lines.append((which, arm, *values, "all below 0" if all(value < 0 for value in values) else ""))
    below = sums.share([bool(line[-1]) for line in lines], range(len(lines)))
    table = Table("DCS by set and model", ("set", "read from", *labels, "misleading"), tuple(lines))
    names = [f"{which}, {label}".removeprefix(", ") for which, _, label in cells]
    of_score, accuracies = zip(*cells.values(), strict=True)
    chart = charts.scatter_chart(accuracies, of_score, names, axes=("accuracy", "DCS"), name="DCS against accuracy")
    return Findings((Estimate.of(MISLEADING, below, unit="sets"),), (table,), (chart,))


# --- what can be planted ---------------------------------------------------------------------------------------------
# Respondents hold the same distribution over each question's right option, its wrong ones (alike) and abstention.


KNOWN = 0.45  # mass on the right option
ARMS = tuple(f"{way}, {TOLD[told]}" for way in ("letters", "texts") for told in (True, False))


def doubter(right: float, silent: float) -> Respondent:
    """So much on the right option, a share of the rest on abstaining."""

    def decide(item: Item, context: Context, prompt: Prompt) -> dict[str, float]:
        wrong = [option for option in item.options if option != item.answer]
        held = Held.of(right, silent, len(wrong))
        return {str(item.answer): right, ABSTAIN: held.silent, **dict.fromkeys(wrong, held.wrong / held.others)}

    name = f"simulated: {right:g} on the right option, {silent:g} of the rest on abstaining"
    return Respondent(address=name, decide=decide)


def read_exactly(held: Held, *, factor: bool = True, arms: Sequence[str] = ARMS) -> Iterator[Expected]:
    for arm in arms:
        for name, value in held.figures(factor=factor).items():
            if np.isfinite(value):
                yield Expected(f"{name}, {arm}", value, sd=0, slack=1e-6, why="floating-point sums")


def from_samples(silent: float, asked: Sequence[Item]) -> Iterator[Expected]:
    for name, (value, sd) in Held.of(KNOWN, silent).sampled(SAMPLED.samples).items():
        for told in TOLD.values():
            yield Expected(f"{name}, samples, {told}", value, sd=sd)


SAMPLED = Options(reading="samples", questions=400)
LOGPROBS = Options(questions=60)
PLANTED = (
    Truth(
        name="where doubt goes",
        what=f"{KNOWN:g} on the right option, a share of the rest on abstaining, the other on errors; null: on errors",
        respondent=lambda silent: doubter(KNOWN, silent),
        strength=0.7,
        null=0.0,
        expects=lambda silent, asked: read_exactly(Held.of(KNOWN, silent)),
        grid=(0.0, 0.2, 0.4, 0.6, 0.8),
        drawn=tuple(f"{name}, letters, with the rule" for name in ("DCS", "hedging index", "mass on abstaining")),
        options=LOGPROBS,
    ),
    Truth(
        name="knowledge",
        what="so much mass on the right option, the rest on errors; null: as much as on each of four",
        respondent=lambda right: doubter(right, 0.0),
        strength=0.9,
        null=0.25 + 1e-3,
        expects=lambda right, asked: read_exactly(Held.of(right, 0.0)),
        grid=(0.3, 0.5, 0.7, 0.9),
        drawn=tuple(f"{name}, texts, with the rule" for name in ("DCS", "mass on right")),
        options=LOGPROBS,
    ),
    Truth(
        name="where doubt goes, as published",
        what="the same by the reference code, which takes silence for nothing",
        respondent=lambda silent: doubter(KNOWN, silent),
        strength=0.7,
        null=0.0,
        expects=lambda silent, asked: read_exactly(Held.of(KNOWN, silent), factor=False, arms=ARMS[:2]),
        options=replace(LOGPROBS, variant="published", reading="letters"),
    ),
    Truth(
        name="where doubt goes, by samples",
        what="the same, read from how often each answer is sampled",
        respondent=lambda silent: doubter(KNOWN, silent),
        strength=0.7,
        null=0.0,
        expects=from_samples,
        grid=(0.0, 0.2, 0.4, 0.6, 0.8),
        drawn=("DCS, samples, with the rule", "mass on abstaining, samples, with the rule"),
        options=SAMPLED,
    ),
)

study = Study(
    source=Source(
        "Measuring Language Model Hallucinations Through Distributional Correctness", 2025, arxiv="2510.04302"
    ),
    question="Does doubt go to silence or to errors, and is the model more misleading than silent?",
    needs=needs,
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=other_truth,
    read_file=read_file,
    across=across,
    published=(Published(MISLEADING, 0.5, "12 benchmarks, 6 models; the reference code's score"),),
    planted=PLANTED,
)
