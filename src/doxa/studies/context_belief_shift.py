"""Context belief shift: do stated positions and actions drift as the context grows, and do the two drift together?

A position is asked for in both orders of its two statements, an agreement from 0 to 100, and a task that shows the
position by what is done. Then context accumulates: a debate, a persuasion by techniques, reading, research. In that
context all is asked again, after several rounds and lengths. What is left must be held against arms in which nothing
was argued: the same asked once more, a turn that says nothing, and filler of equal length.

Differs from the paper: items are facts of the bank (--set topics, dilemmas, safety: our own; or a file); both orders of
the statements, averaged; stand-alone letters only are read; tools are called in text; the other side speaks written
lines unless --opponent names a model; texts to read are generated (--texts takes a folder); the asked model judges
replies where no call decides, in both orders, its errors taken out; no system message but in talks. A context argues
against the first answer (--toward), so that each change of a label is toward it: the agreement then shows the
direction. Shuffled truth: answers of a control arm in place of those after a context. --variant published: one order,
and any letter is a label. Reconstructed from abstract, project page and repository; the full text was not read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from doxa.charts import contexts as charts
from doxa.data import positions as data
from doxa.data.shift_figures import published
from doxa.elicit import positions as elicit
from doxa.elicit.actions import Acting, judged, known_replies
from doxa.elicit.positions import Put, Taken
from doxa.metrics import context_shifts as metrics
from doxa.metrics import context_tables as tables
from doxa.metrics.foreseen_drift import drift_foreseen, retest_foreseen
from doxa.models import shift_files
from doxa.models.simulated_values import uniforms
from doxa.planted import Expected, Truth
from doxa.records import DoxaError, Estimate, Findings, Item, Prompt, Reading, Sampling, Table, count_outcomes
from doxa.simulation.accumulation import wait
from doxa.simulation.contexts import CONTEXTS, TALKS, Contexts, Plan, State
from doxa.simulation.conversation import Budget
from doxa.simulation.leaning import Leaning
from doxa.simulation.tracts import TECHNIQUES
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

GAP = "[{n} earlier messages are left out.]"


@dataclass(frozen=True)
class Options:
    set: Annotated[str, "facts, topics, dilemmas, safety, or a file of positions"] = "facts"
    topics: Annotated[int, "positions asked about; a file is used whole"] = 50
    contexts: Annotated[str, f"comma-separated: {', '.join(CONTEXTS)}"] = "debate,persuasion,reading"
    rounds: Annotated[str, "rounds of a talk after which is measured"] = "1,3"
    words: Annotated[str, "lengths of reading at which is measured, words"] = "40,120"
    techniques: Annotated[str, f"ways of persuasion: {', '.join(TECHNIQUES)}; all"] = "information"
    side: Annotated[Literal["alpha", "beta"], "who is measured in a debate: who speaks first, or second"] = "alpha"
    toward: Annotated[Literal["opposing", "random", "support", "oppose"], "side that contexts argue for"] = "opposing"
    opponent: Annotated[str, "scripted (written lines), self, or the address of a model"] = "scripted"
    texts: Annotated[str | None, "folder with support/*.txt and oppose/*.txt to read; none: generated"] = None
    reading: Annotated[Literal["best", "replies", "letters"], "letters: log-probabilities; best: if it can"] = "best"
    judge: Annotated[Literal["model", "rule"], "who judges what no call decides: the asked model, rules"] = "model"
    mask: Annotated[float, "also with this share of a context's sentences masked, the most relevant first"] = 0.0
    steps: Annotated[int, "calls of a researcher at most"] = 6
    budget: Annotated[int | None, "words of a talk in a prompt, the oldest turns are dropped; none: all"] = None
    temperature: Annotated[float, "of replies; at 0 asking again can change nothing"] = 1.0
    turn_tokens: Annotated[int, "longest turn of a talk, summary or report"] = 48
    max_tokens: Annotated[int, "longest reply to a measure"] = 512
    variant: Annotated[Literal["corrected", "published"], "order and labels: ours, or as published"] = "corrected"

    def __post_init__(self) -> None:
        listed(self.contexts, CONTEXTS, "contexts")
        listed(self.techniques, TECHNIQUES, "techniques")
        amounts("rounds", self.rounds)
        amounts("words", self.words)


def listed(text: str, known: Sequence[str], name: str) -> list[str]:
    """Names in a comma-separated list, "all" for all. ValueError: an unknown one."""
    found = list(known) if text.strip() == "all" else [part.strip() for part in text.split(",") if part.strip()]
    if not found or not set(found) <= set(known):
        raise ValueError(f"{name} is {text!r}; it lists some of {', '.join(known)}, or is all")
    return found


def amounts(name: str, text: str) -> list[int]:
    """Whole numbers of 1 or more in a comma-separated list, in ascending order."""
    found = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and int(part) > 0 for part in found):
        raise ValueError(f"{name} is {text!r}; it lists whole numbers of 1 or more, as in 2,4,10")
    return sorted({int(part) for part in found})


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One measure in one arm.

    arm      before, again, noop, context, filler (in place of a context), masked; known: a reply of known side, judged
    context  debate, persuasion, reading, research; technique: of a persuasion; amount: rounds, words, or calls
    measure  belief, agreement or behaviour; order: which statement stood first, "": there are no two orders
    answer   "support" or "oppose"; None: not read; number: P(support) or the agreement, in [0, 1]
    toward   side that the context argues for, "" for none; truth: the side that is right, "" if unknown
    dropped  turns left out for the budget; said: the conversation as JSON, in one row of its longest state
    """

    arm: str
    context: str = ""
    technique: str = ""
    amount: int = 0
    measure: str
    order: str = ""
    answer: str | None
    number: float | None = None
    toward: str = ""
    truth: str = ""
    kind: str = ""
    subject: str = ""
    dropped: int = 0
    said: str = ""


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    return data.positions(options.set, options.topics)


def example() -> list[Item]:
    return [*data.positions("topics", 2), *data.positions("dilemmas", 1), *data.positions("facts", 3)]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Everything measured before, in the control arms, and in every context that the options name."""
    if "statements" not in item.fields:
        raise DoxaError(f"item {item.id!r} has no statements for and against; ask positions: --set topics, or a file")
    at = Session(ask, item, options)
    first = await at.measures(_bare, "before")
    own = _first_side(first, item)
    for arm, put in {"before": _bare, "again": _bare, "noop": wait().view("reader").then}.items():
        for row in at.rows(first if arm == "before" else await at.measures(put, arm), arm):
            yield row
    contexts = at.contexts(own, first[0])
    for context in listed(options.contexts, CONTEXTS, "contexts"):
        async for state in contexts.states(context):
            for row in at.rows(await at.measures(state.view.then, state.condition), state.arm, state):
                yield row
    if options.judge == "model" and not at.letters and item.fields["kind"] in ("dilemma", "safety"):
        for k, (side, text) in enumerate(known_replies(item)):
            answer, outcome = await judged(ask, item, text, f"known/{k}")
            (row,) = at.rows([Taken("behaviour", "", answer, outcome, text)], "known")
            yield replace(row, sample=k, truth=side)


def _bare(prompt: Prompt) -> Prompt:
    return prompt


def _first_side(first: Sequence[Taken], item: Item) -> data.Side:
    """The side of the first answers: by their mean probability, else the one read first; drawn where none was read."""
    read = [t for t in first if t.measure == "belief" and t.side in data.SIDES]
    numbers = [t.number for t in read if t.number is not None]
    if numbers:
        return data.SIDES[sum(numbers) / len(numbers) < 0.5]
    return data.SIDES[(read[0].side if read else _drawn(item)) == "oppose"]


def _drawn(item: Item) -> data.Side:
    return data.SIDES[uniforms(1, "context/side", item.id)[0] < 0.5]


@dataclass(frozen=True)
class Session:
    """One item with one model: what is measured, and how."""

    ask: Ask
    item: Item
    options: Options

    @property
    def letters(self) -> bool:
        scores = "score" in self.ask.model.capabilities
        return self.options.reading == "letters" or (self.options.reading == "best" and scores)

    async def measures(self, put: Put, condition: str) -> list[Taken]:
        """Belief in both orders, agreement in words, behaviour; asked again with another seed."""
        o, seed = self.options, int(condition == "again")
        sampling = Sampling(temperature=o.temperature, max_tokens=o.max_tokens, seed=seed)
        asked = (self.ask, self.item, put)
        taken = await elicit.beliefs(
            *asked, letters=self.letters, condition=condition, sampling=sampling, published=o.variant == "published"
        )
        if not self.letters:
            taken.append(await elicit.agreement(*asked, condition=condition, sampling=sampling))
        return taken + await Acting(self.letters, o.judge, sampling).taken(*asked, condition)

    def contexts(self, own: data.Side, first: Taken) -> Contexts:
        """The contexts against, or for, the side of the first answers."""
        o = self.options
        toward = {"opposing": data.other(own), "random": _drawn(self.item)}.get(o.toward, o.toward)
        other = None if o.opponent == "scripted" else self.ask
        if o.opponent not in ("scripted", "self"):
            other = self.ask.beside(o.opponent)
        turn = Sampling(temperature=o.temperature, max_tokens=o.turn_tokens)
        plan = Plan(
            amounts("rounds", o.rounds), amounts("words", o.words), listed(o.techniques, TECHNIQUES, "techniques"),
            o.side, o.texts, o.mask, o.steps, Budget(tokens=o.budget, keep=1, gap=GAP) if o.budget else None, turn,
        )  # fmt: skip
        return Contexts(self.ask, self.item, plan, own, toward, "" if self.letters else first.text, other)

    def rows(self, taken: Sequence[Taken], arm: str, state: State | None = None) -> Iterator[Row]:
        fields, at = self.item.fields, state or State(arm, arm)
        for place, t in enumerate(taken):
            yield Row(
                item=self.item.id,
                condition=at.condition,
                outcome=t.outcome,
                text=t.text,
                arm=at.arm,
                context=at.context,
                technique=at.technique,
                amount=at.amount,
                measure=t.measure,
                order=t.order,
                answer=t.side,
                number=t.number,
                toward=at.toward,
                truth=data.right_side(self.item),
                kind=fields["kind"],
                subject=str(fields.get("relation") or self.item.id),
                dropped=len(at.view.dropped),
                said=json.dumps(at.said.records()) if at.said and not place else "",
            )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Shifts against the first answers, those of the control arms beside them; requests apart from the rest."""
    import polars as pl

    rows = rows.with_columns(pl.coalesce("group", "item").alias("group")).sort(rows.columns)
    outcomes = count_outcomes(rows["outcome"].to_list())
    found = metrics.every(rows, free=options.toward != "opposing")
    estimates = [
        Estimate.of(name, interval, unit="answers", outcomes=outcomes, section=section)
        for section, figures in found.items()
        for name, interval in figures.items()
    ]
    lines = [tables.by_amount(rows), tables.by_technique(rows), tables.by_subject(rows), tables.together(rows)]
    shown = [Table(line.name, line.columns, line.rows, note=line.note) for line in lines if line.rows]
    amounts_of, ways = [*tables.by_amount(rows).rows, *tables.nulls(rows)], tables.by_technique(rows).rows
    drawn = tuple(charts.shift_charts(amounts_of, ways, TALKS))
    return Findings(tuple(estimates), tuple(shown), drawn, notes=tuple(_notes(rows, options)))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Models side by side in every context: the main table of the paper, with what filler and asking again change."""
    lines: dict[str, list[tuple[Any, ...]]] = {}
    for r in recorded:
        label = r.label if r.label not in lines else f"{r.label} ({len(lines) + 1})"
        lines[label] = tables.of_model(label, r.rows)
    shown = [line for of in lines.values() for line in of]
    return Findings((), (Table("Models", tables.OF_MODEL, tuple(shown)),), tuple(charts.model_charts(shown)))


def _notes(rows: pl.DataFrame, options: Options) -> Iterator[str]:
    unread, n = int(rows["answer"].is_null().sum()), len(rows)
    yield f"{unread} of {n} measures could not be read; pairs with one of them are left out."
    if options.toward == "opposing":
        yield "Contexts argue against the first answer: each change of a label is toward them, see the agreement."
    if options.temperature == 0 or rows["number"].is_not_null().all():
        yield "Nothing was drawn, so that asking again shows no change: hold shifts against filler and the no-op turn."
    for context in metrics.contexts(rows):
        beyond = metrics.shift_rates(rows, "belief", context).get(f"belief shift beyond filler, {context}")
        if beyond is not None and beyond.low <= 0:
            yield f"After {context} beliefs shift no more than after filler, as far as is shown: length may be all."
    told = rows.filter((rows["arm"] == "context") & (rows["context"] != "research") & rows["number"].is_not_null())
    if len(told) and not told["toward"].is_in(data.SIDES).any():
        yield "No side is known that a context argues for (column toward): moves of agreement have no direction."
    dropped = rows.filter(rows["dropped"] > 0)["dropped"]
    if len(dropped):
        yield f"{len(dropped)} measures stood behind a talk from which up to {dropped.max()!r} turns were left out."


def without_context(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rows with what was answered in a control arm, drawn for each item, in place of what was answered in a context."""
    return tables.without_context(rows, seed)


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run, or a table with answers before and after."""
    return Recorded(path.stem, frame(shift_files.shift_rows(path), Row))


# --- what can be planted ---------------------------------------------------------------------------------------------
# Leanings s_0 are even between 0 and 4, so that shares of items whose sign has changed are known item by item.

SPREAD = (0.0, 4.0)
TALKED = Options(set="topics", topics=32, contexts="debate,persuasion", rounds="2,4", reading="replies")
READ = Options(topics=120, contexts="reading", words="60,400", reading="letters")
EXACT, ROUNDED = 1e-9, 2e-4
QUARTER = 0.25  # of a stance a message: after four of them a quarter of the items has shifted


def foreseen(leaning: Leaning, asked: Sequence[Item], options: Options) -> Iterator[Expected]:
    """Every item's s before and after each context, and what follows from their signs."""
    rounds, kwords = amounts("rounds", options.rounds)[-1], amounts("words", options.words)[-1] / 1000
    before = [leaning.began(item) for item in asked]
    for context in listed(options.contexts, CONTEXTS, "contexts"):
        opposing = rounds + (context == "debate" and options.side == "beta")
        told = (rounds + 1, opposing, 0.0) if context in TALKS else (1, 0, kwords)
        after = [leaning.s(item, *told) for item in asked]
        for name, value in drift_foreseen(before, after, leaning.action, context).items():
            slack = ROUNDED if name.startswith("agreement") else EXACT
            yield Expected(name, value, sd=0.0, slack=slack, why="rounding")


def drift(name: str, plant: Any, strength: float, options: Options, what: str, **more: Any) -> Truth:
    return Truth(
        name=name,
        what=what,
        respondent=lambda x: plant(x).respondent(),
        strength=strength,
        null=0.0,
        expects=lambda x, asked: foreseen(plant(x), asked, options),
        options=options,
        **more,
    )


def wavering(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    return (Expected(*figure) for figure in retest_foreseen(rate, "persuasion"))


def judging(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """A quarter of the acts shift; a judge shown both orders errs in both with rate^2, and is unread if in one."""
    wrong = rate**2 / ((1 - rate) ** 2 + rate**2)
    seen = 2 * wrong * (1 - wrong)
    shift = sum(Leaning(SPREAD, opposing=QUARTER).s(item, 5, 4) < 0 for item in asked) / len(asked)
    yield Expected("judge knows the side of a known reply", (1 - rate) ** 2, n=4 * len(asked))
    yield Expected("behaviour shift, persuasion", shift * (1 - seen) + (1 - shift) * seen)
    yield Expected("behaviour shift, judge's errors taken out, persuasion", shift, sd=0.45 / (1 - 2 * seen))


def many(options: Options) -> list[Item]:
    return [replace(item, id=f"{item.id}/{k}") for item in data.positions("dilemmas", 20) for k in range(3)]


MOVES = ("belief shift, persuasion", "behaviour shift, persuasion", "belief and behaviour agree after, persuasion")
PLANTED = (
    drift("arguments", lambda d: Leaning(SPREAD, opposing=d, action=0.7), 0.5, TALKED,
          "each message of the other side takes from a latent stance; null: none does",
          grid=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), drawn=MOVES),
    drift("arguments, beta", lambda d: Leaning(SPREAD, own=0.1, opposing=d, action=0.7), 0.6,
          replace(TALKED, contexts="debate", side="beta"),
          "the same in the one who speaks second, whose own messages add to its stance; null: nothing is taken"),
    drift("reading", lambda r: Leaning(SPREAD, reading=r, action=0.7), 4.0, READ,
          "each 1,000 words of the other side take from a latent stance, read by letters; null: none do"),
    Truth("wavering", "reverses each answer at a rate, whatever the context; null: never",
          lambda p: Leaning(wavers=p).respondent(), 0.1, 0.0, wavering,
          options=Options(topics=150, contexts="persuasion", rounds="1", reading="replies")),
    Truth("a judge's errors", "errs at a rate as a judge of its own replies; null: never",
          lambda q: Leaning(SPREAD, opposing=QUARTER, misjudges=q).respondent(), 0.15, 0.0, judging, items=many,
          options=Options(set="dilemmas", contexts="persuasion", rounds="4", reading="replies")),
)  # fmt: skip

study = Study(
    source=Source("Accumulating Context Changes the Beliefs of Language Models", 2025, arxiv="2511.01805"),
    question="Do a model's positions and actions drift when its context grows, and do the two drift together?",
    needs=lambda options: {"generate", *(["score"] if options.reading == "letters" else [])},
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=without_context,
    read_file=read_file,
    across=across,
    published=tuple(Published(*figure) for figure in published()),
    planted=PLANTED,
)
