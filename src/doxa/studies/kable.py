"""Belief and knowledge: can a model tell "is p true" from "does X believe p" and "does X know p" when p is false?

Thirteen questions with the options Yes, No, Undeterminable are asked about each statement of matched pairs, one true
and one false. The reply may reason before its concluding sentence. A reply that gives no letter counts as wrong, as
published, and is counted apart; the bounds say what it could change. Whole pairs are drawn for intervals, so that what
was asked of one pair in thirteen ways, of James and of Mary, stays together.

On false statements eight of the thirteen have accepted answers; of the others only the answers given are shown. Always
answering A is right on 75 % of these eight, hence the table of baselines and `--order random`.

Differs from the paper: the default statements come from Doxa's fact bank (--path takes the published files, or pairs of
your own), so figures move with what a model knows of them. A chain of thought is asked for in our own words. The
paper's figure also accepts C on "does James know that p"; the default is the data's key (--key). A reply that never
came is left out of accuracies. Shuffled truth swaps the true and the false statement in half of the pairs.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import product, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa import charts
from doxa.data import attitude_figures as figures
from doxa.data import attitude_files as files
from doxa.data import attitude_person as planted
from doxa.data import attitudes
from doxa.data.attitudes import OPTIONS, TYPES, Cell, Key, Task
from doxa.elicit.answers import Conclusion
from doxa.elicit.likeliest import likeliest
from doxa.elicit.options import option_belief, permuted, random_orders, unpermute, unpermuted_letter
from doxa.metrics import mean_interval
from doxa.metrics.cells import CellCounts
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import Belief, Respondent
from doxa.planted import Expected, Truth
from doxa.records import LETTERS, OUTCOMES, DoxaError, Estimate, Findings, Item, Reading, Sampling, Table
from doxa.study import Ask, Published, Recorded, Source, Study, frame, with_claims

if TYPE_CHECKING:
    import polars as pl

PERSONS = (figures.FIRST_FALSE, figures.THIRD_FALSE)
HEADLINE = ("factual average", "false average", *PERSONS)
MEANS = tuple(Published(*figure) for figure in figures.MEANS)


@dataclass(frozen=True)
class Options:
    path: Annotated[str | None, "file of (true, false) pairs, folder of the published files, or hub id"] = None
    split: Annotated[str, "split of a hub set"] = "train"
    pairs: Annotated[int, "pairs of statements from the bank, 26 questions each; a path is used whole"] = 100
    tasks: Annotated[str, "tasks or groups of them, comma-separated; empty: all thirteen"] = ""
    exclude: Annotated[str | None, "file of statements, or ids of pairs, to leave out, one to a line"] = None
    key: Annotated[Literal["data", "figure"], "accepted answers to awareness-of-recursive-knowledge"] = "data"
    order: Annotated[Literal["fixed", "random"], "options as published, or in a random order per question"] = "fixed"
    reading: Annotated[Literal["reply", "letters"], "read replies, or log-probabilities of the three letters"] = "reply"
    chain_of_thought: Annotated[bool, "ask for reasoning before the conclusion"] = False
    max_tokens: Annotated[int, "tokens a reply may have, reasoning included"] = 512
    reply: Annotated[str, "column of a recorded file that holds the replies"] = "reply"


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One question about one statement.

    truth   "factual" or "false", as the data set says
    answer  letter of the answer in the published order (A Yes, B No, C Undeterminable); None: unread
    shown   letter of the same answer in the order shown
    belief  probabilities of Yes, No, Undeterminable where log-probabilities were read, else empty
    """

    task: str
    subject: str
    statement: str
    truth: str
    answer: str | None
    shown: str | None
    belief: tuple[float, ...] = ()


# --- what is asked ---------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    pairs = files.source_pairs(options.path, options.pairs, options.split, read_rows)
    return attitudes.attitude_items(files.without(pairs, options.exclude), attitudes.chosen_tasks(options.tasks))


# --- how it is asked and read ----------------------------------------------------------------------------------------


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    if "task" not in item.fields:
        raise DoxaError(f"item {item.id!r} is none of the thirteen; bring pairs of statements with --path FILE")
    order, form, text = _order(item, options, ask.seed), _form(options), ""
    shown, belief = permuted(item, order), np.empty(0)
    if options.reading == "letters":
        by_place = await option_belief(ask, shown, form=form)
        answer, belief = likeliest(by_place), unpermute(by_place, order)
        published = likeliest(belief).value
    else:
        answer, reply = await ask.answer(form, shown, Sampling(max_tokens=options.max_tokens))
        text = reply.text
        published = None if answer.value is None else unpermuted_letter(answer.value, order)
    yield Row(
        item=item.id,
        outcome=answer.outcome,
        text=text,
        group=item.cluster,
        task=item.fields["task"],
        subject=str(item.fields.get("relation") or item.fields.get("subject") or ""),
        statement=item.fields["statement"],
        truth="factual" if item.fields["true"] else "false",
        answer=published,
        shown=answer.value,
        belief=tuple(belief.tolist()),
    )


def _form(options: Options) -> Conclusion:
    return Conclusion(attitudes.STEP_BY_STEP if options.chain_of_thought else attitudes.INSTRUCTION, OPTIONS)


def _order(item: Item, options: Options, seed: int) -> tuple[int, ...]:
    if options.order == "fixed":
        return tuple(range(len(OPTIONS)))
    return random_orders(len(OPTIONS), 1, seed=zlib.crc32(f"{seed}/{item.id}".encode()))[0]


def read_file(path: Path, options: Options) -> Recorded:
    """Replies with the published fields and a column of replies, or rows as a run stores them (JSONL, Parquet)."""
    rows = list(read_rows(path))
    notes = []
    if rows and {"item", "outcome", "task", "truth", "answer"} <= rows[0][1].keys():
        found = [row for _, row in rows]
    else:
        form, replies = _form(options), list(files.recorded_replies(rows, options.reply))
        found = [files.answered(reply, form) for reply in replies]
        if other := files.other_keys(replies):
            notes.append(f"{other:,} rows state other accepted answers than the data set; those of --key count")
    kept, left_out = files.answers_without(found, options.exclude)
    return Recorded(Path(path.name.removesuffix(".gz")).stem, frame(kept, Row), notes=(*notes, *left_out))


# --- how it is scored ------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    import polars as pl

    tasks, key = attitudes.chosen_tasks(options.tasks), options.key
    rows = rows.filter(pl.col("task").is_in([task.name for task in tasks]))
    rows = rows.with_columns(pl.coalesce("group", "item").alias("group"))
    counts = _counts(rows, tasks, key)
    found = Findings(tuple(_estimate(f, counts) for f in figures.figures(tasks, key, counts.asked_cells())))
    values = {e.name: e.value for e in found.estimates}
    baselines = (("this respondent", *map(values.get, HEADLINE[:2])), *figures.baselines(tasks, key))
    tables = (
        _by_task(tasks, found),
        _answers(tasks, key, rows, counts),
        _by_subject(tasks, key, rows),
        Table("Beside answers that look at nothing", ("respondent", *HEADLINE[:2]), baselines),
    )
    cells = [e for e in found.estimates if e.section == "Accuracy by task"]
    names, types = zip(*(e.name.split(", ") for e in cells), strict=True)
    bars = charts.bars_of_estimates(cells, names, series=types, axis="accuracy", name="Accuracy by task")
    return replace(found, tables=tables, charts=(bars,))


def _counts(rows: pl.DataFrame, tasks: Sequence[Task], key: Key) -> CellCounts:
    accepted = {(task.name, type_): task.accepted(type_ == "factual", key) for task, type_ in product(tasks, TYPES)}
    cells = list(zip(rows["task"].to_list(), rows["truth"].to_list(), strict=True))
    answers, outcomes = rows["answer"].to_list(), rows["outcome"].to_list()
    kinds: dict[str, list[bool]] = {outcome: [o == outcome for o in outcomes] for outcome in OUTCOMES}
    kinds |= {option: [a == letter for a in answers] for option, letter in zip(OPTIONS, LETTERS, strict=False)}
    kinds["right"] = [a is not None and a in accepted[cell] for a, cell in zip(answers, cells, strict=True)]
    kinds["shown first"] = [letter == LETTERS[0] for letter in rows["shown"].to_list()]
    came, read = [o != "failed" for o in outcomes], [a is not None for a in answers]
    return CellCounts.of(accepted, cells, rows["group"].to_list(), came=came, read=read, kinds=kinds)


def _estimate(figure: figures.Figure, counts: CellCounts) -> Estimate:
    of = counts.all_of if figure.jointly else counts.share
    interval = of(figure.weights, figure.kind)
    return Estimate.of(
        figure.name,
        interval,
        unit="pairs",
        outcomes={outcome: n for outcome in OUTCOMES if (n := counts.total(figure.weights, outcome))},
        bounds=None if figure.jointly else counts.bounds(figure.weights, figure.kind),
        section=figure.section,
        note=interval.method if np.isnan(interval.value) else figure.note,
    )


def _by_task(tasks: Sequence[Task], found: Findings) -> Table:
    lines = []
    for task in tasks:
        cells = [f"{task.name}, {type_}" for type_ in TYPES]
        parts = [found.estimate(cell) if cell in found else None for cell in cells]
        numbers = [x for e in parts for x in ((e.value, e.low, e.high) if e else (None, None, None))]
        lines.append((task.name, *numbers, found[f"gap, {task.name}"] if task.false else None))
    columns = ("task", "factual", "from", "to", "false", "from ", "to ", "gap")
    return Table("Accuracy by task", columns, tuple(lines), note="Unread replies count as wrong. 95 % intervals.")


def _answers(tasks: Sequence[Task], key: Key, rows: pl.DataFrame, counts: CellCounts) -> Table:
    """What was answered in every cell, without accepted answers too: shares of the replies that came."""
    beliefs: dict[Cell, list[list[float]]] = {}
    for name, truth, belief in rows.select("task", "truth", "belief").iter_rows():
        if belief and not np.isnan(belief).any():
            beliefs.setdefault((name, truth), []).append(belief)
    lines = []
    for task, type_ in product(tasks, TYPES):
        cell = (task.name, type_)
        came = int(counts.came[counts.cells[cell]].sum())
        shares = [counts.total([cell], option) / came if came else float("nan") for option in OPTIONS]
        mean = np.mean(beliefs.get(cell, [[float("nan")] * len(OPTIONS)]), axis=0).tolist() if beliefs else []
        accepted = task.accepted(type_ == "factual", key) or "not scored"
        lines.append((*cell, accepted, came, *shares, 1 - sum(shares), *mean))
    means = tuple(f"mean P({option})" for option in OPTIONS) if beliefs else ()
    return Table("Answers by task", ("task", "statement", "accepted", "n", *OPTIONS, "invalid", *means), tuple(lines))


def _by_subject(tasks: Sequence[Task], key: Key, rows: pl.DataFrame) -> Table:
    lines, wanted = [], [f for f in figures.figures(tasks, key, ()) if f.name in HEADLINE]
    for subject in sorted(rows["subject"].unique().to_list()):
        of_subject = rows.filter(rows["subject"] == subject)
        counts = _counts(of_subject, tasks, key)
        parts = [counts.share(f.weights, f.kind) for f in wanted]
        lines.append((subject, of_subject["group"].n_unique(), *(x for i in parts for x in (i.value, i.low, i.high))))
    columns = (c for k, f in enumerate(wanted) for c in (f.name, "from" + " " * k, "to" + " " * k))
    note = "95 % intervals, not to be trusted below about 10 pairs."
    return Table("By subject", ("subject", "pairs", *columns), tuple(lines), note=note)


def score_recorded(recorded: Recorded, options: Options) -> Findings:
    found = score(recorded.rows, options)
    return replace(found, notes=(*found.notes, *recorded.notes))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Respondents side by side, and their mean beside the published means over models."""
    found: dict[str, Findings] = {}
    for r in recorded:
        found[r.label if r.label not in found else f"{r.label} ({len(found) + 1})"] = score(r.rows, options)
    each, first = found.values(), next(iter(found.values()))
    columns = [name for name in (*HEADLINE, "person gap", "factivity index") if name in first]
    cells = [e.name for e in first.estimates if e.name.endswith(", false") and e.section == "Accuracy by task"]
    tables = (
        Table("Respondents", ("respondent", *columns), tuple((r, *(f[c] for c in columns)) for r, f in found.items())),
        Table("Accuracy on false statements", ("task", *found), tuple((c, *(f[c] for f in each)) for c in cells)),
    )
    values = {name: [f[name] for f in each if not np.isnan(f[name])] for name in HEADLINE if name in first}
    means = [Estimate.of(n, mean_interval(v, bounds=(0, 1)), unit="respondents") for n, v in values.items() if v]
    persons = [(f.estimate(name), label, name) for label, f in found.items() for name in PERSONS if name in first]
    side_by_side = Findings(tuple(means), tables)
    if persons:
        of, labels, names = zip(*persons, strict=True)
        bars = charts.bars_of_estimates(of, labels, series=names, axis="accuracy", name="Belief in what is false")
        side_by_side = replace(side_by_side, charts=(bars,))
    return with_claims(side_by_side, MEANS)


def swapped(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Half of the pairs with their true and their false statement in each other's place, alike in all tasks."""
    import polars as pl

    pairs = np.unique(np.array(rows["group"].to_list(), dtype=str))
    half = np.random.default_rng(seed).permutation(pairs)[: len(pairs) // 2].tolist()
    other = pl.when(pl.col("truth") == "factual").then(pl.lit("false")).otherwise(pl.lit("factual"))
    return rows.with_columns(pl.when(pl.col("group").is_in(half)).then(other).otherwise(pl.col("truth")).alias("truth"))


# --- what can be planted ---------------------------------------------------------------------------------------------

SURE = 0.6  # belief of the planted respondents in what they say
TENTHS = tuple(k / 10 for k in range(11))


def answering(person: planted.Person) -> Respondent:
    """Holds for the answer to each question what this person would say, with SURE for its belief in it."""

    def believe(item: Item, key: Any) -> Belief:
        held = person.answer(item, key)
        return Belief({option: SURE if option == held else (1 - SURE) / 2 for option in OPTIONS})

    return Respondent(belief=believe, decoding="modal")


CORRECTION = Truth(
    name="correcting false beliefs",
    what="corrects false first-person beliefs at a rate; null: as rarely as others', 10 %",
    respondent=lambda rate: answering(planted.corrector(rate)),
    strength=0.5,
    null=0.1,
    expects=lambda rate, _: starmap(Expected, planted.correcting(rate)),
    grid=TENTHS,
    drawn=(PERSONS[0], "person gap"),
    options=Options(pairs=150),
)
FEW = replace(CORRECTION, expects=lambda rate, _: starmap(Expected, planted.correcting(rate)[:4]), grid=())
ON_FALSE = Options(pairs=40, tasks=planted.ON_FALSE)
DOUBT = Truth(
    name="doubt about who knows, key of the data",
    what="says Undeterminable to whether Mary, or James, knows p, at a rate, and No at 20 %; null: no doubt",
    respondent=lambda rate: answering(planted.doubter(rate)),
    strength=0.5,
    null=0.0,
    expects=lambda rate, _: starmap(Expected, planted.doubting(rate, "data")),
    options=Options(pairs=60, tasks="recursive knowledge"),
)
PLANTED = (
    CORRECTION,
    replace(FEW, name="correcting, reasoning first", options=replace(ON_FALSE, chain_of_thought=True)),
    replace(FEW, name="correcting, random order", options=replace(ON_FALSE, order="random")),
    replace(FEW, name="correcting, letters", options=replace(ON_FALSE, order="random", reading="letters")),
    Truth(
        name="unreadable replies",
        what="gives a share of replies that cannot be read; corrects false first-person beliefs at 50 %; null: none",
        respondent=lambda share: replace(answering(planted.corrector(0.5)), format_errors=share),
        strength=0.3,
        null=0.0,
        expects=lambda share, _: starmap(Expected, planted.correcting(0.5, read=1 - share)),
        options=Options(pairs=60),
    ),
    Truth(
        name="knowledge",
        what="knows whether p is true at a rate, else tosses a coin or says Undeterminable; null: knows nothing",
        respondent=lambda rate: answering(planted.learner(rate)),
        strength=0.8,
        null=0.0,
        expects=lambda rate, _: starmap(Expected, planted.learning(rate)),
        options=Options(pairs=100, tasks="verification"),
    ),
    Truth(
        name="factivity",
        what="takes for true what is said to be known, at a rate; null: as rarely as what is said to be believed, 20 %",
        respondent=lambda rate: answering(planted.truster(rate)),
        strength=0.9,
        null=0.2,
        expects=lambda rate, _: starmap(Expected, planted.trusting(rate)),
        grid=TENTHS,
        drawn=("factivity index", "known minus bare"),
        options=Options(pairs=100, tasks="verification"),
    ),
    DOUBT,
    replace(
        DOUBT,
        name="doubt about who knows, key of the figure",
        expects=lambda rate, _: starmap(Expected, planted.doubting(rate, "figure")),
        options=replace(DOUBT.options, key="figure"),
    ),
    Truth(
        name="habit of place",
        what="adds to the logit of the option shown first; null: nothing",
        respondent=lambda lift: replace(answering(planted.Person()), position=(lift,), decoding="draw"),
        strength=2.0,
        null=0.0,
        expects=lambda lift, _: starmap(Expected, planted.preferring_first(lift, SURE, cells=12)),
        options=Options(pairs=60, tasks="belief confirmation", order="random"),
    ),
)

study = Study(
    source=Source(
        "Belief in the Machine: Investigating Epistemological Blind Spots of Language Models", 2024, arxiv="2410.21195"
    ),
    question="Can the model keep what is true, what someone believes and what someone knows apart?",
    needs=lambda options: {"score"} if options.reading == "letters" else {"generate"},
    options=Options,
    row=Row,
    items=items,
    example=lambda: attitudes.attitude_items(files.made_up_pairs()),
    collect=collect,
    score=score,
    published=tuple(Published(*figure) for figure in figures.PUBLISHED),
    null=swapped,
    read_file=read_file,
    score_recorded=score_recorded,
    across=across,
    planted=PLANTED,
)
