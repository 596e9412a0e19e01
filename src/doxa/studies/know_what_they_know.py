"""Know what they know: does a model tell right from wrong, among options and among its own answers, and beforehand?

Options: a choice question is scored by letters, by the options' texts without letters, and with "none of the above" for
the last option; the belief in the likeliest option is held against how often it is right, as it is and at another
temperature. P(True): an answer sampled from the model is put to it as true or false, alone and after a list of other
samples (brainstorming). P(IK), "I know": a head on the hidden state behind the question learns the share of right
samples, and is tested on other questions, on kinds of question that it did not learn from, and with a source before the
question that says the answer, something else, or a wrong answer. Beside it: what the question's words alone tell, the
entropy of the answers and the loss of their tokens.

Differs from the paper: the head reads a frozen model (--adapter MODEL trains an adapter with it; there the whole model
is tuned), so P(IK) is somewhat worse; the share right is a soft label in the place of its rows, the same in
expectation; 10 samples, not 30; the default questions are facts of the bank, without examples (--shots), which small
models cannot read; the temperature is fitted, beside the published 2.5; examples of P(True) are given options. Is
P(IK) knowledge of oneself, or of difficulty? Another model tells: --other, or score two runs together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from doxa import charts
from doxa.data import own_knowledge as data
from doxa.data import planted_knowledge as planted
from doxa.data.own_knowledge_figures import PUBLISHED
from doxa.elicit import self_evaluation as asking
from doxa.elicit.grading import is_correct
from doxa.elicit.self_evaluation import FORMATS
from doxa.elicit.self_evaluation_files import rows_of
from doxa.elicit.shots import Shot, with_shots
from doxa.elicit.sources import with_source
from doxa.metrics import foreseen_knowing as foreseen
from doxa.metrics import reliability
from doxa.metrics import self_evaluation as evaluation
from doxa.metrics.foreseen import Foreseen
from doxa.metrics.intervals import Interval
from doxa.models import address
from doxa.organisms import knowers
from doxa.planted import Expected, Truth
from doxa.records import Chart, Estimate, Findings, Item, Prompt, Reading, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame
from doxa.training import knowing
from doxa.training.foreknowledge import ADAPTED, IK, Knowledge
from doxa.training.supervised import Settings

if TYPE_CHECKING:
    import polars as pl

PARTS = ("options", "own answers", "knowing")
OWN, GIVEN, QUESTION = evaluation.OWN, "given options", "question"
ASKED, OTHER = "asked", "other"  # conditions: the model that the run is about, and another one


@dataclass(frozen=True)
class Options:
    questions: Annotated[int, "facts of the bank, spread over popularity"] = 700
    sums: Annotated[int, "sums besides, of five levels"] = 0
    set: Annotated[str | None, "sets by name, path or hub id, with commas between; none: the bank"] = None
    parts: Annotated[str, f"what is asked, with commas between: {', '.join(PARTS)}"] = ",".join(PARTS)
    formats: Annotated[str, f"ways to score options: {', '.join((*FORMATS, GIVEN))}"] = ",".join((*FORMATS[:3], GIVEN))
    shots: Annotated[str, "examples before options and P(True), numbers with commas between"] = "0"
    answered: Annotated[int, "examples before a question whose answer is sampled"] = 0
    samples: Annotated[int, "answers to a question, at temperature 1"] = 10
    judged: Annotated[int, "of these put as true or false"] = 1
    brainstorm: Annotated[int, "samples shown before one of them is judged; 0: no such way"] = 5
    sources: Annotated[float, "share of the test questions asked again with a source before them"] = 0.25
    shown: Annotated[str, "shares of the source's words that are shown, numbers with commas between"] = "1"
    words: Annotated[int, "longest source"] = 5000
    stated: Annotated[bool, "ask for P(IK) in words, too"] = False
    layer: Annotated[int, "block whose hidden state is read, from 0; -1: the last"] = -1
    width: Annotated[int, "hidden states that are wider are projected onto so many directions"] = 1024
    train: Annotated[float, "share of questions that heads and temperature learn from"] = 0.6
    kinds: Annotated[str | None, "kinds of question to train on in the test on others; none: half of them"] = None
    threshold: Annotated[float, "share of right samples above which a question counts as known"] = 0.5
    temperature: Annotated[float, "temperature that is tried on all options"] = 2.5
    bins: Annotated[int, "of calibration errors, with equally many answers each"] = 10
    adapter: Annotated[str | None, "local model to train an adapter with a head in: the asked one"] = None
    epochs: Annotated[int, "passes of the adapter over the training questions"] = 3
    save: Annotated[str | None, "folder to keep adapter and head in"] = None
    other: Annotated[str | None, "another model that answers the same questions"] = None
    max_tokens: Annotated[int, "longest answer"] = 32
    resamples: Annotated[int, "resamples of the intervals"] = 1000

    def learning(self, table: pl.DataFrame) -> np.ndarray:
        """Which rows heads and temperature learn from; the others are tested."""
        return np.array([not data.held_out(group, self.train) for group in table["group"]], dtype=bool)


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One distribution over options, one judged answer, or one question. `text`: the answers that were given.

    way         a format of options, "own answer" or "given options", "question" or "question, SOURCE": with examples
                their number behind it
    truth       place of the right option; whether the judged answer is right (1 or 0); share of right samples
    logprobs    of the options, natural logarithms, not normalised
    confidence  P(True), or a recorded P(IK); brainstormed: P(True) after a list of samples; stated: P(IK) in words
    samples     how many answers were drawn; unread: of these
    entropy     of the answers, nats, by their own probabilities; loss: mean of the greedy answer's tokens, nats
    state       hidden state behind the question; question: as it was asked
    words       of the source before it; shuffled: whether truths were permuted for the null
    """

    way: str
    truth: float
    logprobs: tuple[float, ...] = ()
    answer: str | None = None
    confidence: float | None = None
    brainstormed: float | None = None
    stated: float | None = None
    samples: int = 0
    unread: int = 0
    entropy: float | None = None
    loss: float | None = None
    state: tuple[float, ...] = ()
    question: str = ""
    words: int = 0
    kind: str = ""
    popularity: float | None = None
    split: str = ""
    answered_by: str = ""
    shuffled: bool = False


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    return list(data.questions(options.questions, options.sums, options.set))


def example() -> list[Item]:
    towns = ("Arnholt", "Velmora", "Tessby", "Korvik")
    return [Item(f"town/{i}", f"Which town lies on river {i}?", "choice", towns, towns[i % 4]) for i in range(12)]


def needs(options: Options) -> set[str]:
    return {"generate"} if asking.listed(options.parts, PARTS) == ["knowing"] else {"generate", "score"}


_load = lru_cache(maxsize=4)(address.load)


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Options in every format; then answers that are sampled and judged, and what is read before them."""
    parts, about = asking.listed(options.parts, PARTS), partial(_row, item, ask)
    shown = {int(k): data.others(item, items(options), int(k)) if k else [] for k in asking.numbers(options.shots)}
    for way in asking.listed(options.formats, (*FORMATS, GIVEN)) if "options" in parts and item.options else []:
        for shots, examples in shown.items():
            if way == GIVEN:
                for asked, answer, right in data.proposals(item):
                    p, _ = await asking.judged(ask, asked, answer, shots=_verdicts(examples))
                    said = {"answer": answer, "confidence": p, "outcome": "unparsed" if p is None else "ok"}
                    yield about(way, shots, truth=right, sample=int(not right), **said)
                continue
            found, place = await asking.format_logprobs(ask, item, way, examples)
            read = bool(np.isfinite(found).any())
            logprobs = tuple(found.tolist()) if read else ()
            yield about(way, shots, truth=place, logprobs=logprobs, outcome="ok" if read else "unparsed")
    asks = {ASKED: ask} | ({OTHER: ask.beside(options.other)} if options.other else {})
    for name, asker in asks.items() if set(parts) - {"options"} else ():
        asked = data.as_asked(item)
        prompt = with_shots(asking.answer_form(asked).prompt(asked), _answered(asked, options))
        row, answers = await _question(QUESTION, item, asker, prompt, options)
        for shots, examples in shown.items() if "own answers" in parts and asker is ask else ():
            for sample, one in enumerate(answers.answers[: options.judged]):
                p, after = None, None
                if one.value is not None:
                    before = answers.values[: options.brainstorm], _verdicts(examples)
                    p, after = await asking.judged(ask, asked, one.value, *before)
                told = {"answer": one.value, "text": one.value or "", "confidence": p, "brainstormed": after}
                yield about(OWN, shots, truth=is_correct(one.value, asked), sample=sample, outcome=one.outcome, **told)
        if "knowing" in parts:
            yield replace(row, condition=name)
            drawn = asker is ask and data.drawn(item.cluster, options.sources, options.train)
            for way, source in data.sources(item, asking.numbers(options.shown), options.words) if drawn else ():
                again, _ = await _question(f"{QUESTION}, {way}", item, ask, with_source(prompt, source), options)
                yield replace(again, words=len(source.split()))


def _row(item: Item, ask: Ask, way: str, shots: int = 0, *, truth: float, **read: Any) -> Row:
    """A row with what is known of its item."""
    known: dict[str, Any] = {
        "kind": data.kind_of(item),
        "popularity": item.popularity,
        "split": str(item.fields.get("split") or ""),
    }
    known |= {"way": f"{way}, {shots}-shot" if shots else way, "answered_by": ask.model.address}
    return Row(item=item.id, condition=ASKED, truth=float(truth), **known, **read)


async def _question(way: str, item: Item, ask: Ask, prompt: Prompt, options: Options) -> tuple[Row, asking.Sampled]:
    """Samples of the answer, and what is read before any: the hidden state behind the question, P(IK) in words."""
    how = asking.Reading(options.samples, options.max_tokens, options.layer, options.width, options.stated)
    found = await asking.sampled(ask, data.as_asked(item), prompt, how)
    return _row(item, ask, way, question=prompt.messages[-1].content, **found.fields()), found


def _answered(asked: Item, options: Options) -> list[Shot]:
    pool = [data.as_asked(one) for one in items(options)] if options.answered else []
    return [asking.answered(one) for one in data.others(asked, pool, options.answered)]


def _verdicts(examples: Sequence[Item]) -> list[Shot]:
    """Judged examples: the right option of one, a wrong one of the next."""
    proposed = (data.proposals(one)[i % 2] for i, one in enumerate(one for one in examples if one.options))
    return [asking.verdict(*one) for one in proposed]


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Each part for itself; heads are learnt here, from rows alone."""
    import polars as pl

    table = rows.with_columns(pl.coalesce("group", "item").alias("group")).sort("condition", "way", "item", "sample")
    known, ways = _knowing(table, options), _ways(table, options)
    estimates = sorted((*known.estimates, *ways.estimates), key=lambda e: evaluation.place(e.name))
    return replace(known, estimates=tuple(estimates), charts=(*known.charts, *ways.charts))


def _ways(table: pl.DataFrame, options: Options) -> Findings:
    """Beliefs over options, and P(True) of given options and of the model's own answers."""
    import polars as pl

    how, of = {"bins": options.bins, "resamples": options.resamples}, pl.col("way")
    told = of.str.starts_with(OWN) | of.str.starts_with(GIVEN)
    chosen = table.filter(~told & ~of.str.starts_with(QUESTION))
    ways = evaluation.of_options(chosen, options.learning, fixed=options.temperature, **how)
    estimates, drawn = list[Estimate](), list[Chart]()
    for way in (*ways, *evaluation.of_answers(table.filter(told), **how)):
        estimates += _estimates(way.figures, way.rows, way.name)
        for name, (said, right) in way.drawn.items():
            if way.name.startswith("P(True)"):
                drawn.append(charts.confidence_histogram(said, right, name=name, section=way.name))
            else:
                drawn.append(_reliability(said, right, name, way.name, options))
    return Findings(tuple(estimates), charts=tuple(drawn))


def _knowing(table: pl.DataFrame, options: Options) -> Findings:
    """P(IK) on questions that nothing was learnt from: of all kinds and new ones, with sources, of two models."""
    import polars as pl

    plain = table.filter(pl.col("way") == QUESTION)
    asked, other = (plain.filter(pl.col("condition") == name) for name in (ASKED, OTHER))
    if not len(asked):
        return Findings()
    known, theirs = (Knowledge.of(part, options.learning(part)) for part in (asked, other))
    if options.adapter is not None and not asked["shuffled"].any():
        adapted = known.adapted(_load(options.adapter), Settings(epochs=options.epochs), options.save)
        known = known.saying(ADAPTED, adapted)
    bare = pl.col("way").str.strip_prefix(f"{QUESTION}, ")
    sources = table.filter(pl.col("way") != bare).with_columns(bare)
    how = knowing.How(options.threshold, options.bins, options.resamples)
    parts = knowing.parts(known, theirs, sources, data.half_of(known.questions.kinds, options.kinds), how)
    estimates = [e for section, part in parts.items() for e in _estimates(part.figures, asked, section)]
    tables = [replace(t, section=section) for section, part in parts.items() for t in part.tables if t.rows]
    said, right, _ = known.foreknown().by_sample()
    drawn = [_reliability(said, right, f"{IK} and right samples", IK, options)] if len(said) else []
    if (curve := knowing.by_popularity(known))["popularity"]:
        drawn.append(charts.curve_by_popularity(**curve, name=f"{IK} by popularity", section=IK))
    return Findings(tuple(estimates), tuple(tables), tuple(drawn), notes=knowing.notes(known, theirs))


def _estimates(found: Mapping[str, Interval], part: pl.DataFrame, section: str) -> list[Estimate]:
    made = partial(Estimate.of, unit="readings", outcomes=count_outcomes(part["outcome"].to_list()))
    return [made(name, interval, section=evaluation.heading(name, section)) for name, interval in found.items()]


def _reliability(said: np.ndarray, right: np.ndarray, name: str, section: str, options: Options) -> Chart:
    bins = reliability(said, right, bins=options.bins, binning="mass")
    return charts.reliability_chart(bins, said="probability", name=name, section=section)


# --- recorded answers ------------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run, or a table of option probabilities, P(True) or P(IK), see `elicit.self_evaluation_files`."""
    known = {f.name for f in fields(Row)}
    rows = (Row(**{k: v for k, v in row.items() if k in known and v is not None}) for row in rows_of(path))
    return Recorded(path.stem, frame(list(rows), Row))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Two runs on the same questions: the first model is asked about, the second is the other one."""
    import polars as pl

    asked = (one.rows.filter(pl.col("condition") == ASKED) for one in recorded[:2])
    first, second = (
        rows.with_columns(answered_by=pl.lit(one.label)) for rows, one in zip(asked, recorded, strict=False)
    )
    theirs = second.filter(pl.col("way") == QUESTION).with_columns(condition=pl.lit(OTHER))
    return score(pl.concat([first, theirs]), options)


# --- what is planted -------------------------------------------------------------------------------------------------

FEW = Options(resamples=100, sources=0.0)
CHOICES, LEARNT = replace(FEW, parts="options", formats="letters,texts"), replace(FEW, parts="knowing")
NUMBERS, SOURCED = (FEW.samples, knowers.NOISE), (FEW.samples, knowers.READ)


def _shown(found: Mapping[str, Foreseen], slack: float = 0.0) -> list[Expected]:
    why = "weights are learnt from a few hundred questions"
    return [Expected(name, v, sd, n or None, slack, why) for name, (v, sd, n) in found.items()]


def _truth(about: tuple[str, str], who: Any, ends: Any, expects: Any, n: int, options: Options, **rest: Any) -> Truth:
    """A truth with its strength and null in `ends`, and n made-up questions for the parts that are asked."""
    made = {"items": lambda options: planted.of_parts(options.parts, n)}
    return Truth(about[0], about[1], who, ends[0], ends[1], expects, options=options, **(made | rest))


PLANTED = (
    _truth(
        ("temperature of options", "options are believed in by the power k of their chances; null: as they are"),
        *(knowers.scaled, (2.5, 1.0)),
        lambda k, asked: _shown(foreseen.of_power(k, *planted.sizes(asked, FEW.train), ("letters", "texts"))),
        *(600, CHOICES),
        grid=(0.5, 1.0, 1.5, 2.0, 2.5, 3.0),
        drawn=("ECE, letters", "temperature, letters", "ECE after temperature, letters"),
    ),
    _truth(
        ("order of options", "so many nats for the first place; over all orders, and for the null, none"),
        *(knowers.leaning, (2.0, 0.0)),
        lambda nats, asked: _shown(foreseen.of_leaning({"letters": nats, "all orders": 0.0}, len(asked))),
        *(400, replace(CHOICES, formats="letters,all orders")),
    ),
    _truth(
        ("none of the above", "believes in the right option, but not where it is none of the above; null: there, too"),
        *(knowers.avoiding, (1.0, 0.0)),
        lambda share, asked: _shown(foreseen.of_avoiding(share, knowers.KNOWN, len(asked))),
        *(200, replace(CHOICES, formats="letters,none of the above")),
    ),
    _truth(
        ("P(True)", "sigmoid(a (2c - 1) + N(0, 1)), 1.5 a after brainstorming, some replies unread; null: a = 0"),
        *(knowers.judging, (1.0, 0.0)),
        lambda a, asked: _shown(foreseen.of_judging(a, knowers.GAIN, knowers.UNREAD, len(asked))),
        *(400, replace(FEW, parts="options,own answers", formats=GIVEN)),
        grid=(0.0, 0.25, 0.5, 0.75, 1.0, 1.5),
        drawn=("AUROC, P(True)", "conditional accuracy, P(True)", "AUROC, P(True) after brainstorming"),
    ),
    _truth(
        ("P(IK)", "a number of the hidden state has this correlation with the log-odds of being right; null: none"),
        *(knowers.foreknowing, (0.9, 0.0)),
        lambda t, asked: _shown(foreseen.of_foreknowing(t, *planted.rates(asked, FEW.train), *NUMBERS), 0.02),
        *(800, LEARNT),
        grid=(0.0, 0.25, 0.5, 0.75, 0.9, 1.0),
        drawn=("AUROC, P(IK)", "correlation, P(IK)", "Brier, P(IK)"),
    ),
    _truth(
        ("kinds of question", "each kind has its own place in the hidden state; null: one place for all"),
        *(knowers.by_kind, (1.0, 0.0)),
        lambda apart, asked: _shown(foreseen.of_kinds(1 - apart, *planted.new_kinds(asked, FEW.train), *NUMBERS), 0.02),
        *(800, LEARNT),
    ),
    _truth(
        ("sources", "answers and hidden state follow a source before the question; null: they do not"),
        *(knowers.reading, (1.0, 0.0)),
        lambda reads, asked: _shown(foreseen.of_sources(reads, planted.rates(asked, FEW.train)[0], *SOURCED), 0.02),
        *(300, replace(LEARNT, sources=1.0)),
    ),
    _truth(
        ("exposure of atlas", "atlas read popular facts more often; null: the same with hidden states that are noise"),
        *(knowers.atlas, (1.0, 0.0)),
        # A line through a frozen model's states need not see all: half of the way from chance to perfect is asked for.
        lambda shows, asked: _shown({knowing.ORDERED: Foreseen((1 + shows) / 2, 0.5, 0)}, shows / 4),
        *(0, replace(LEARNT, questions=600)),
        items=items,
        quick=False,
    ),
)

study = Study(
    source=Source("Language Models (Mostly) Know What They Know", 2022, arxiv="2207.05221"),
    question="Can it tell right from wrong among options and its own answers, and know beforehand what it can answer?",
    needs=needs,
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=evaluation.shuffled_truths,
    read_file=read_file,
    across=across,
    published=tuple(Published(*figure) for figure in PUBLISHED),
    planted=PLANTED,
    graded=lambda rows, options: knowing.every_confidence(rows, options.learning),
)
