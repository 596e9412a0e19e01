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
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa import charts
from doxa.data import attitude_files as files
from doxa.data import attitudes, sets
from doxa.data.attitudes import OPTIONS, TYPES, Cell, Key, Task
from doxa.elicit.answers import Conclusion
from doxa.elicit.options import option_belief, permuted, random_orders, unpermute, unpermuted_letter
from doxa.metrics import mean_interval
from doxa.metrics.cells import CellCounts
from doxa.models.recorded_files import read_rows
from doxa.records import LETTERS, OUTCOMES, Answer, Chart, DoxaError, Estimate, Findings, Item, Reading, Sampling, Table
from doxa.study import Ask, Published, Recorded, Source, Study, frame, with_claims

if TYPE_CHECKING:
    import polars as pl

PERSONS = ("first-person false belief", "third-person false belief")
HEADLINE = ("factual average", "false average", *PERSONS)
BELIEVED = "verification-of-first-person-belief, false"

# The paper's figure, on false statements: share of first-person beliefs confirmed; accuracy on "is it true", believed.
BY_MODEL = {
    "GPT-4o": (0.64, 0.93),
    "GPT-4": (0.22, 0.88),
    "GPT-3.5": (0.51, 0.62),
    "Claude 3.5 Sonnet": (0.69, 0.97),
    "Claude 3 Opus": (0.46, 0.94),
    "Claude 3 Sonnet": (0.55, 0.87),
    "Claude 3 Haiku": (0.50, 0.69),
    "Llama-3 70B": (0.83, 0.87),
    "Llama-3 8B": (0.56, 0.75),
    "Mixtral 8x22B": (0.19, 0.81),
    "Mixtral 8x7B": (0.45, 0.62),
    "Mistral 7B": (0.67, 0.30),
    "Llama-2 70B": (0.77, 0.87),
    "Llama-2 13B": (0.57, 0.73),
    "Llama-2 7B": (0.56, 0.73),
}
MEANS = (
    Published("factual average", 0.86, "mean of 15 models, abstract"),
    Published("first-person false belief", 0.544, "mean of 15 models, abstract (on false statements)"),
    Published("third-person false belief", 0.807, "mean of 15 models, abstract (on false statements)"),
    Published("third-person false belief", 0.95, "mean of the newer models, journal version"),
    Published("first-person false belief", 0.626, "mean of the newer models, journal version"),
)
PUBLISHED = (
    *MEANS,
    *(Published(PERSONS[0], confirmed, f"{model}, figure") for model, (confirmed, _) in BY_MODEL.items()),
    *(Published(BELIEVED, verified, f"{model}, figure") for model, (_, verified) in BY_MODEL.items()),
    Published("first-person true belief", 0.982, "GPT-4o, journal version"),
    Published("first-person false belief", 0.644, "GPT-4o, journal version"),
    Published("first-person true belief", 0.90, "DeepSeek R1, journal version (over 90 %)"),
    Published("first-person false belief", 0.144, "DeepSeek R1, journal version"),
)


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
    path, excluded = options.path, files.exclusions(options.exclude)
    pairs = files.bank_pairs(options.pairs) if path is None else files.statement_pairs(_rows(path, options.split))
    names = [files.names_of(true.cluster, true.text, false.text) for true, false in pairs]
    if strange := excluded.difference(*names):
        raise DoxaError(
            f"{options.exclude}: {min(strange)!r} is no statement or pair here; pairs have ids such as "
            f"{pairs[0][0].cluster!r}. Correct the line, or take it out"
        )
    kept = [pair for pair, called in zip(pairs, names, strict=True) if not called & excluded]
    return attitudes.attitude_items(kept, attitudes.chosen_tasks(options.tasks))


def _rows(source: str, split: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows of statements, each with its place, from a file, the JSONL files of a folder, or a set of the hub."""
    path = Path(source).expanduser()
    if not path.exists() and not path.suffix:
        for item in sets.load(source, columns={"text": "raw_sentence"}, number_rows=True, split=split):
            yield item.id, {**item.fields, "raw_sentence": item.text}
        return
    found = sorted(p for p in path.iterdir() if ".jsonl" in p.suffixes) if path.is_dir() else [path]
    if not found:
        raise DoxaError(f"{path}: a folder without .jsonl or .jsonl.gz files; name a file of pairs, or another folder")
    for file in found:
        yield from read_rows(file)


def example() -> list[Item]:
    made_up = (
        {"id": "made-up/1", "subject": "Rivers", "true": "the Arn flows north", "false": "the Arn flows south"},
        {"id": "made-up/2", "subject": "Towns", "true": "Velmora has a harbour", "false": "Velmora has a cathedral"},
    )
    return attitudes.attitude_items(files.statement_pairs(("made up", row) for row in made_up))


# --- how it is asked and read ----------------------------------------------------------------------------------------


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    if "task" not in item.fields:
        raise DoxaError(
            f"item {item.id!r} is none of the thirteen questions; bring pairs of statements with --path FILE"
        )
    order, form, text = _order(item, options, ask.seed), _form(options), ""
    shown, belief = permuted(item, order), np.empty(0)
    if options.reading == "letters":
        by_place = await option_belief(ask, shown, form=form)
        answer, belief = _likeliest(by_place), unpermute(by_place, order)
    else:
        answer, reply = await ask.answer(form, shown, Sampling(max_tokens=options.max_tokens))
        text = reply.text
    yield Row(
        item=item.id,
        outcome=answer.outcome,
        text=text,
        group=item.cluster,
        task=item.fields["task"],
        subject=str(item.fields.get("relation") or item.fields.get("subject") or ""),
        statement=item.fields["statement"],
        truth="factual" if item.fields["true"] else "false",
        answer=_published_letter(answer, order),
        shown=answer.value,
        belief=tuple(belief.tolist()),
    )


def _form(options: Options) -> Conclusion:
    return Conclusion(attitudes.STEP_BY_STEP if options.chain_of_thought else attitudes.INSTRUCTION, OPTIONS)


def _order(item: Item, options: Options, seed: int) -> tuple[int, ...]:
    if options.order == "fixed":
        return tuple(range(len(OPTIONS)))
    return random_orders(len(OPTIONS), 1, seed=zlib.crc32(f"{seed}/{item.id}".encode()))[0]


def _likeliest(belief: np.ndarray) -> Answer:
    """The letter of highest probability; two that are equally probable are no answer."""
    if np.isnan(belief).any():
        return Answer("unparsed", note="the model gives no letter any probability")
    best = np.flatnonzero(belief == belief.max())
    return Answer("ok", LETTERS[best[0]]) if len(best) == 1 else Answer("ambiguous", note="equally probable letters")


def _published_letter(answer: Answer, order: Sequence[int]) -> str | None:
    return None if answer.value is None else unpermuted_letter(answer.value, order)


def read_file(path: Path, options: Options) -> Recorded:
    """Replies with the published fields and a column of replies, or rows as a run stores them (JSONL, Parquet)."""
    rows = list(read_rows(path))
    notes: list[str] = []
    if rows and {"item", "outcome", "task", "truth", "answer"} <= rows[0][1].keys():
        found = [row for _, row in rows]
    else:
        form, replies = _form(options), list(files.recorded_replies(rows, options.reply))
        found = [asdict(_recorded(reply, form)) for reply in replies]
        if other := files.other_keys(replies):
            notes.append(f"{other:,} rows state other accepted answers than the data set; those of --key count")
    if excluded := files.exclusions(options.exclude):
        dropped = {r["group"] for r in found if files.names_of(r["group"], r["statement"]) & excluded}
        found = [r for r in found if r["group"] not in dropped]
        notes.append(f"{len(dropped)} pairs are left out, named by {len(excluded)} lines of {options.exclude}")
    return Recorded(Path(path.name.removesuffix(".gz")).stem, frame(found, Row), notes=tuple(notes))


def _recorded(reply: files.RecordedReply, form: Conclusion) -> Row:
    shown = permuted(Item(reply.pair, "", "choice", OPTIONS), reply.order)
    answer = form.read(reply.text, shown) if reply.text is not None else Answer("failed", note="no reply")
    return Row(
        item=f"{reply.task}/{reply.pair}#{reply.type}",
        sample=reply.sample,
        outcome=answer.outcome,
        text=reply.text or "",
        group=reply.pair,
        task=reply.task,
        subject=reply.subject,
        statement=reply.statement,
        truth=reply.type,
        answer=_published_letter(answer, reply.order),
        shown=answer.value,
    )


# --- how it is scored ------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    import polars as pl

    tasks, key = attitudes.chosen_tasks(options.tasks), options.key
    rows = rows.filter(pl.col("task").is_in([task.name for task in tasks]))
    rows = rows.with_columns(pl.coalesce("group", "item").alias("group"))
    counts = _counts(rows, tasks, key)
    found = Findings(tuple(_estimate(f, counts) for f in attitudes.figures(tasks, key, counts.asked_cells())))
    values = {e.name: e.value for e in found.estimates}
    baselines = (("this respondent", *map(values.get, HEADLINE[:2])), *attitudes.baselines(tasks, key))
    tables = (
        _by_task(tasks, found),
        _answers(tasks, key, rows, counts),
        _by_subject(tasks, key, rows),
        Table("Beside answers that look at nothing", ("respondent", *HEADLINE[:2]), baselines),
    )
    of_cells = [e for e in found.estimates if e.section == "Accuracy by task"]
    return replace(
        found, tables=tables, charts=(_bars("Accuracy by task", [e.name.split(", ") for e in of_cells], of_cells),)
    )


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


def _estimate(figure: attitudes.Figure, counts: CellCounts) -> Estimate:
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
    lines, wanted = [], [f for f in attitudes.figures(tasks, key, ()) if f.name in HEADLINE]
    for subject in sorted(rows["subject"].unique().to_list()):
        of_subject = rows.filter(rows["subject"] == subject)
        counts = _counts(of_subject, tasks, key)
        parts = [counts.share(f.weights, f.kind) for f in wanted]
        lines.append((subject, of_subject["group"].n_unique(), *(x for i in parts for x in (i.value, i.low, i.high))))
    columns = (c for k, f in enumerate(wanted) for c in (f.name, "from" + " " * k, "to" + " " * k))
    note = "95 % intervals, not to be trusted below about 10 pairs."
    return Table("By subject", ("subject", "pairs", *columns), tuple(lines), note=note)


def _bars(name: str, labels: Sequence[Sequence[str]], estimates: Sequence[Estimate]) -> Chart:
    """One bar per estimate, labelled by (label, series)."""
    values, lows, highs = zip(*((e.value, e.low, e.high) for e in estimates), strict=True)
    bars, series = zip(*labels, strict=True)
    return charts.bars_with_intervals(bars, values, lows, highs, series=series, axis="accuracy", name=name)


def score_recorded(recorded: Recorded, options: Options) -> Findings:
    found = score(recorded.rows, options)
    return replace(found, notes=(*found.notes, *recorded.notes))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Respondents side by side, and their mean beside the published means over models."""
    found: dict[str, Findings] = {}
    for r in recorded:
        found[r.label if r.label not in found else f"{r.label} ({len(found) + 1})"] = score(r.rows, options)
    first = next(iter(found.values()))
    columns = [name for name in (*HEADLINE, "person gap", "factivity index") if name in first]
    cells = [e.name for e in first.estimates if e.name.endswith(", false") and e.section == "Accuracy by task"]
    tables = (
        Table("Respondents", ("respondent", *columns), tuple((r, *(f[c] for c in columns)) for r, f in found.items())),
        Table(
            "Accuracy on false statements", ("task", *found), tuple((c, *(f[c] for f in found.values())) for c in cells)
        ),
    )
    means = []
    for name in (name for name in HEADLINE if name in first):
        values = [f[name] for f in found.values() if not np.isnan(f[name])]
        if values:
            means.append(Estimate.of(name, mean_interval(values, bounds=(0, 1)), unit="respondents"))
    bars = [((label, name), f.estimate(name)) for label, f in found.items() for name in PERSONS if name in first]
    chart = _bars("Belief in what is false", *zip(*bars, strict=True)) if bars else None
    return with_claims(Findings(tuple(means), tables, (chart,) if chart else ()), MEANS)


def swapped(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Half of the pairs with their true and their false statement in each other's place, alike in all tasks."""
    import polars as pl

    pairs = np.unique(np.array(rows["group"].to_list(), dtype=str))
    half = np.random.default_rng(seed).permutation(pairs)[: len(pairs) // 2].tolist()
    other = pl.when(pl.col("truth") == "factual").then(pl.lit("false")).otherwise(pl.lit("factual"))
    return rows.with_columns(pl.when(pl.col("group").is_in(half)).then(other).otherwise(pl.col("truth")).alias("truth"))


study = Study(
    source=Source(
        "Belief in the Machine: Investigating Epistemological Blind Spots of Language Models", 2024, arxiv="2410.21195"
    ),
    question="Can the model keep what is true, what someone believes and what someone knows apart?",
    needs=lambda options: {"score"} if options.reading == "letters" else {"generate"},
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    published=PUBLISHED,
    null=swapped,
    read_file=read_file,
    score_recorded=score_recorded,
    across=across,
)
