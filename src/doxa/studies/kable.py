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
from doxa.records import LETTERS, Answer, Chart, DoxaError, Estimate, Findings, Item, Reading, Sampling, Table
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
    Published("first-person false belief", 0.544, "mean of 15 models, abstract"),
    Published("third-person false belief", 0.807, "mean of 15 models, abstract"),
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
        raise DoxaError(f"item {item.id!r} is none of the thirteen questions; bring pairs of statements with --path FILE")
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
    return Recorded(path.name.split(".")[0], frame(found, Row), notes=tuple(notes))


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
    tasks, key = attitudes.chosen_tasks(options.tasks), options.key
    rows = rows.filter(rows["task"].is_in([task.name for task in tasks]))
    counts, estimates = _counts(rows, tasks, key), []

    def add(name: str, section: str, cells: Collection[Cell], interval: Interval, note: str, *bounds: float) -> None:
        outcomes = {o: n for o in OUTCOMES if (n := counts.total(cells, o))}
        note = interval.method if np.isnan(interval.value) else note
        about = {"unit": "pairs", "outcomes": outcomes, "section": section, "note": note}
        estimates.append(Estimate.of(name, interval, bounds=bounds or None, **about))

    for f in attitudes.figures(tasks, key, counts.asked_cells()):
        bounds = counts.bounds(f.weights, f.kind)
        add(f.name, f.section, f.weights, counts.share(f.weights, f.kind), f.note, *bounds)
    for task in tasks:
        if task.false:
            cells = [(task.name, type_) for type_ in TYPES]
            add(f"both correct, {task.name}", "Both of a pair", cells, counts.all_of(cells, "right"), "")
    return Findings(tuple(estimates))
