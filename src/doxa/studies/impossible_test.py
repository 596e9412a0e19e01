"""Impossible test: how often does a model admit ignorance when nobody knows, or is it the place of the option?

Each problem has one option that admits not to know, and only that one is right. Admitting always would be perfect, so
answerable problems in the same format stand beside them: the selective score subtracts what is admitted there. In the
released file the admission is C or D in 19 of 20 problems and the shortest option in 17 of 20, so that options are
shuffled on a fixed half of the problems, and shown once without the problem.

Differs from the paper: the default problems come from Doxa's bank (--path takes the released question file, V2); the
published answers are to another version with four options (V1), never pooled with V2; the wording is ours; the
controls are ours. Unread replies are counted apart, never as admissions. A respondent that goes by the place has a rate
near chance in shuffled orders, whatever it scores on the file as released.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from doxa import charts
from doxa.data import impossible as data
from doxa.data import impossible_files as files
from doxa.data import impossible_person as planted
from doxa.data.impossible import FREE_FORM, OPTIONS_ONLY
from doxa.data.splits import split
from doxa.elicit.answers import ShortText
from doxa.elicit.candour import candour
from doxa.elicit.likeliest import likeliest
from doxa.elicit.options import cyclic_orders, option_belief, permuted, random_orders
from doxa.elicit.structured import FRAMINGS as FRAMED_BY
from doxa.elicit.structured import LetterWithReason
from doxa.metrics import admission_tables as counting
from doxa.metrics.sums import above_chance, difference
from doxa.models.recorded_files import read_rows
from doxa.models.simulated import ABSTAIN, Dirichlet, Respondent
from doxa.planted import Expected, Truth
from doxa.records import LETTERS, Chart, DoxaError, Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame, shuffle_truth

if TYPE_CHECKING:
    import polars as pl

PUBLISHED = "published"
Framing = Literal["neutral", "exam", "permission"]
FRAMINGS: tuple[Framing, ...] = ("neutral", "exam", "permission")
FRAMED = (*FRAMINGS, PUBLISHED)  # conditions in which a whole problem was shown with its options
NAN = float("nan")


@dataclass(frozen=True)
class Options:
    path: Annotated[str | None, "released question file (V2): asked, or joined to recorded answers; none: bank"] = None
    questions: Annotated[int, "of the bank, how many that nobody can know, and as many answerable ones"] = 150
    twins: Annotated[bool, "ask answerable problems of the bank too"] = True
    framing: Annotated[Literal["neutral", "exam", "permission", "all"], "how the problem is introduced"] = "neutral"
    by: Annotated[Literal["reply", "letters"], "read replies, or log-probabilities of the letters"] = "reply"
    permutations: Annotated[int, "random orders of the options for each problem of the shuffled part"] = 5
    order: Annotated[Literal["random", "cyclic"], "shuffle at random, or rotate through every place"] = "random"
    part: Annotated[float, "share of the problems that are also asked in shuffled orders"] = 0.5
    options_only: Annotated[bool, "also show the options without the problem"] = True
    free_form: Annotated[bool, "also ask without options; replies are read by lists of phrases"] = False
    length_matched: Annotated[bool, "pad the admission to about the length of another option"] = False
    truly_open: Annotated[str | None, "file of problems that really are open (ids or texts), reported apart"] = None
    min_category: Annotated[int, "categories with fewer problems are hidden"] = 10
    max_tokens: Annotated[int, "tokens a reply may have"] = 512


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One answer. Conditions: a framing, "published", "options only", "free form".

    version    "bank", "V1", "V2", or "own"; truth: "impossible" or "answerable"
    c          options shown, in the item's own order or shuffled; place: index of the one chosen; None: none was read
    admission  index of the one that admits, as shown; right: of the right one
    shortest   whether the admission is the shortest option (ties count)
    stance     free form: "admits", "hedged", "confident"
    listed     whether the problem is on the list of truly open ones; None: there is no list
    """

    version: str
    truth: str
    category: str | None = None
    difficulty: str | None = None
    shuffled: bool = False
    c: int | None = None
    place: int | None = None
    admission: int | None = None
    right: int | None = None
    shortest: bool | None = None
    stance: str | None = None
    listed: bool | None = None


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    return files.problems(options.path, options.questions, with_twins=options.twins)


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """The problem as it stands, in shuffled orders, without its text, and without its options."""
    shown = data.length_matched(item) if options.length_matched else item
    framings = FRAMINGS if options.framing == "all" else (options.framing,)
    for framing in framings:
        yield await _choice(item, shown, ask, options, framing)
    for sample, order in enumerate(orders(item, options, ask.seed), 1):
        row = await _choice(item, permuted(shown, order), ask, options, framings[0])
        yield replace(row, sample=sample, shuffled=True)
    if options.options_only:
        yield await _choice(item, data.without_problem(shown), ask, options, framings[0], OPTIONS_ONLY)
    if options.free_form:
        sampling = Sampling(max_tokens=options.max_tokens)
        answer, reply = await ask.answer(ShortText(), data.without_options(item), sampling, condition=FREE_FORM)
        unread = answer.outcome in ("failed", "truncated", "refused")
        stance = None if unread else candour(reply.text)
        outcome = answer.outcome if unread else "ok" if stance else "unparsed"
        yield replace(_row(item, options), outcome=outcome, condition=FREE_FORM, text=reply.text, stance=stance)


def orders(item: Item, options: Options, seed: int) -> list[tuple[int, ...]]:
    """The orders in which a problem's options are shown again; none for those outside the shuffled part."""
    if not split([item], options.part)[0]:
        return []
    if options.order == "cyclic":
        return cyclic_orders(len(item.options))
    return random_orders(len(item.options), options.permutations, seed=zlib.crc32(f"{seed}/{item.id}".encode()))


async def _choice(item: Item, shown: Item, ask: Ask, options: Options, framing: Framing, condition: str = "") -> Row:
    """One asking with options; `shown` is the item as it stands in the prompt."""
    form, condition, text = LetterWithReason(framing), condition or framing, ""
    if options.by == "letters":
        answer = likeliest(await option_belief(ask, shown, form=form, condition=condition))
    else:
        answer, reply = await ask.answer(form, shown, Sampling(max_tokens=options.max_tokens), condition=condition)
        text = reply.text
    row = replace(_row(item, options), condition=condition, outcome=answer.outcome, text=text)
    return replace(row, **data.answered(shown, answer.value))


def _row(item: Item, options: Options) -> Row:
    listed = files.is_listed(options.truly_open, item.id, item.text)
    return Row(item=item.id, listed=listed, **data.described(item))


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Rates of admission with their controls; a model that always admits has a selective score of 0."""
    table = counting.with_hits(rows, data.level)
    impossible, twins = (table.filter(table["truth"] == truth) for truth in ("impossible", "answerable"))
    versions = impossible["version"].unique().sort().to_list()
    if len(versions) > 1:
        raise DoxaError(f"rows hold versions {', '.join(versions)}, which differ in their options; score them apart")
    main = next((f for f in FRAMED if f in table["condition"]), FRAMED[0])
    plain, shuffled = (_asked(impossible, main, s) for s in (False, True))
    estimates = [
        *_rates(plain, shuffled),
        *_selection(impossible, twins, main),
        *_controls(impossible, twins, main),
        *_difficulty(plain),
    ]
    positions, test = _positions(plain, shuffled)
    shown = [shown for column in ("category", "level", "difficulty") for shown in _groups(plain, column, options)]
    tables = (positions, *(s for s in shown if isinstance(s, Table)))
    in_words = int(((table["outcome"] == "abstained") & table["c"].is_not_null()).sum())
    note = f"{in_words} replies admit in words instead of by the letter, and count as admissions"
    asked = tuple(e for e in (*estimates, test) if e.outcomes or e.value == e.value)  # without what was not asked
    return Findings(asked, tables, tuple(s for s in shown if isinstance(s, Chart)), notes=(note,) * (in_words > 0))


def _asked(table: pl.DataFrame, condition: str, shuffled: bool = False) -> pl.DataFrame:
    return table.filter((table["condition"] == condition) & (table["shuffled"] == shuffled))


def _share(name: str, hits: pl.Series, rows: pl.DataFrame, section: str, note: str = "") -> Estimate:
    """Share of hits among the answers that were read; the bounds count every unread one as no hit, and as one."""
    of, outcomes = counting.share_read(hits, rows["group"]), count_outcomes(rows["outcome"].to_list())
    n, sure, unread = len(rows), int(hits.sum()), hits.null_count()
    bounds = (sure / n, (sure + unread) / n) if n else None
    return Estimate.of(name, of, unit="answers", outcomes=outcomes, bounds=bounds, section=section, note=note)


def _rate(name: str, rows: pl.DataFrame, section: str, note: str = "") -> Estimate:
    return _share(name, rows["admits"], rows, section, note)


def _rates(plain: pl.DataFrame, shuffled: pl.DataFrame) -> list[Estimate]:
    section, found = "Impossible problems", []
    for name, rows in (("", plain), (", shuffled", shuffled)):
        chance = float((1 / rows["c"].to_numpy()).mean()) if len(rows) else NAN
        excess = above_chance(counting.share_read(rows["admits"], rows["group"]), chance)
        found += [
            _rate(f"admission rate{name}", rows, section),
            Estimate(f"chance{name}", chance, n=len(rows), unit="answers", section=section, note="mean of 1 / options"),
            Estimate.of(f"excess over chance{name}", excess, unit="answers", section=section),
        ]
    return found


def _selection(impossible: pl.DataFrame, answerable: pl.DataFrame, main: str) -> list[Estimate]:
    """Admitting what nobody knows, less admitting what is known: in shuffled orders where both were asked so."""
    section, twins = "Answerable problems", _asked(answerable, main)
    mixed = all(len(_asked(rows, main, shuffled=True)) for rows in (impossible, answerable))
    pair = (_asked(rows, main, mixed) for rows in (impossible, answerable))
    score = difference(*(counting.share_read(rows["admits"], rows["group"]) for rows in pair))
    note = "admission rate less over-abstention" + (", both in shuffled orders" if mixed else "")
    return [
        _rate("over-abstention", twins, section, "share of answerable problems on which it admits"),
        _share("accuracy on answerable", twins["hit"], twins, section),
        Estimate.of("selective score", score, unit="answers", section=section, note=note),
    ]


def _controls(impossible: pl.DataFrame, twins: pl.DataFrame, main: str) -> list[Estimate]:
    section, plain = "Controls", _asked(impossible, main)
    others = [c for c in (*FRAMED, OPTIONS_ONLY) if c != main and c in impossible["condition"]]
    found = [_rate(f"admission rate, {name}", _asked(impossible, name), section) for name in others]
    note = "what a rule that looks at lengths alone would score; ties count"
    found.append(_share("admission is the shortest option", plain["shortest"], plain, section, note))
    if plain["listed"].is_not_null().any():
        found.append(_rate("admission rate, truly open", plain.filter(plain["listed"]), section, "those on your list"))
    for of, rows in (("", impossible), (", answerable", twins)):
        free = _asked(rows, FREE_FORM)
        stances = ("admits", "hedged", "confident") if len(free) else ()
        found += [_share(f"free form: {stance}{of}", free["stance"] == stance, free, section) for stance in stances]
    return found


def _difficulty(plain: pl.DataFrame) -> list[Estimate]:
    if plain["difficulty"].is_null().all():
        return []
    section, trend = "Difficulty", counting.trend_over(plain, data.LEVELS)
    low, harder = plain.filter(plain["difficulty"] == "Low"), plain.filter(plain["level"].is_in(data.LEVELS[1:]))
    method, note = f"cochran-armitage z, p = {trend.p:.2g}", "over the levels 1 to 6; solved-status words left out"
    return [
        _rate("admission rate, low difficulty", low, section, f"rests on {len(low)} problems"),
        _rate("admission rate, harder levels", harder, section, "all levels from Hard to Extreme"),
        Estimate("difficulty trend", trend.z, n=trend.n, unit="problems", method=method, section=section, note=note),
    ]


def _positions(plain: pl.DataFrame, shuffled: pl.DataFrame) -> tuple[Table, Estimate]:
    """Rates by the place of the admission, what always choosing one letter would score, and a test of the first."""
    lines, test = counting.by_place(plain, shuffled)
    rows = tuple((letter, *line[1:]) for letter, line in zip(LETTERS, lines, strict=False))
    method = f"{test.df} df, p = {test.p:.2g}" if test else ""
    columns = ("admission at", *counting.COUNTED, "letter chosen", "always this letter", "always, shuffled")
    note, n = "where p is small, the place of the admission matters", sum(line[1] for line in lines)
    found = Estimate("position chi-square", test.statistic if test else NAN, n=n, unit="answers", method=method)
    return Table("By position", columns, rows, note=method), replace(found, section="Controls", note=note)


def _groups(plain: pl.DataFrame, column: str, options: Options) -> list[Table | Chart]:
    """Rates by a column with a chart: levels in their order, other groups the largest first."""
    least, order = options.min_category if column == "category" else 1, (*data.LEVELS, data.SOLVED)
    rows, few = counting.by_group(plain, column, order=order if column == "level" else (), least=least)
    if not rows:
        return []
    note = {"category": f"{few} with fewer than {least} are hidden.", "level": data.MERGED}.get(column, "")
    labels, limits = [f"{row[0]} ({row[1]})" for row in rows], zip(*(row[3:] for row in rows), strict=True)
    bars = charts.bars_with_intervals(labels, *limits, axis="share that admits", name=f"By {column}")
    return [Table(f"By {column}", (column, *counting.COUNTED), tuple(rows), note=note), bars]


# --- recorded answers ------------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """A published response file (.csv), categories and levels from --path or the question file beside it; or rows."""
    if path.suffix.lower() != ".csv":
        return Recorded(path.stem, frame([cells for _, cells in read_rows(path)], Row))
    questions = options.path or next((str(p) for p in path.parent.glob("impossible_test.csv")), None)
    found, notes = files.responses(path, questions=questions, truly_open=options.truly_open)
    shared = {"condition": PUBLISHED, "sample": 0, "truth": "impossible", "shuffled": False}
    return Recorded(path.stem, frame([{**shared, **row} for row in found], Row), notes=tuple(notes))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Models side by side: overall, by level, by category. V1 and V2 stand in rows of their own and are not pooled."""
    found = [(r, score(r.rows, options)) for r in recorded]
    overall = tuple(
        (r.label, ", ".join(r.rows["version"].unique().sort()), e.n, e.value, e.low, e.high, f["chance"])
        for r, f in found
        for e in [f.estimate("admission rate")]
    )
    tables = [Table("Models", ("model", "version", "n", "admission rate", "low", "high", "chance"), overall)]
    for name in ("By level", "By category"):
        lines = ((r.label, [row for t in f.tables if t.name == name for row in t.rows]) for r, f in found)
        groups, rows = counting.side_by_side(lines)
        tables += [Table(f"Models, {name[0].lower()}{name[1:]}", ("model", *groups), rows)] if groups else []
    return Findings(tables=tuple(tables))


def null(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Which problems are impossible, and where the admission stands among as many options, at random."""
    return shuffle_truth(counting.without_places(rows, seed=seed), seed)


# --- what can be planted ---------------------------------------------------------------------------------------------


def admitting(neutral: float) -> Respondent:
    """Admits at a rate where a problem is put neutrally, at others (`planted.RATES`) where it is put in other ways."""
    return Respondent(decide=lambda item, _, prompt: planted.says(item, prompt.show(), FRAMED_BY, neutral, ABSTAIN))


RATE = Truth(
    name="rate of admission",
    what="admits what nobody can know at a rate; null: at that of what can be known, 25 %",
    respondent=admitting,
    strength=0.7,
    null=planted.ANSWERABLE,
    expects=lambda rate, asked: starmap(Expected, planted.admitting(rate, asked)),
    options=Options(questions=100, framing="all", part=1.0, permutations=2, free_form=True),
)
PLACE = Truth(
    name="habit of place",
    what="adds to the logit of the third option, where 3 of 5 admissions stand; null: nothing",
    respondent=lambda lift: Respondent(position=(0.0, 0.0, lift)),
    strength=2.0,
    null=0.0,
    expects=lambda lift, asked: starmap(Expected, planted.preferring(2, lift, asked, "cyclic")),
    options=Options(order="cyclic", part=1.0, options_only=False),
    items=lambda options: data.made_up(210, places=(2, 0, 2, 1, 2, 3, 2, 4, 2, 2)),
)
PLANTED = (
    replace(RATE, grid=tuple(k / 10 for k in range(11)), drawn=("admission rate", "selective score")),
    replace(
        RATE,
        name="rate of admission, unreadable replies",
        respondent=lambda rate: replace(admitting(rate), format_errors=0.3),
        expects=lambda rate, asked: starmap(Expected, planted.admitting(rate, asked)[:9]),
        options=Options(questions=100, part=1.0, permutations=2),
    ),
    replace(
        RATE,
        name="rate of admission, letters",
        what="holds the admission for likeliest at a rate, alike in all orders; null: as for what can be known, 25 %",
        respondent=lambda rate: Respondent(belief=Dirichlet(), abstains=lambda item: planted.sure(item, rate)),
        expects=lambda rate, asked: starmap(Expected, planted.holding(rate, asked)),
        options=Options(questions=100, by="letters", part=1.0, permutations=2, options_only=False),
    ),
    Truth(
        name="going by length",
        what="picks the shortest option at a rate, where lengths are matched; null: picks evenly",
        respondent=lambda rate: Respondent(decide=lambda item, *_: planted.shortest(item, rate)),
        strength=0.8,
        null=0.0,
        expects=lambda rate, _: starmap(Expected, planted.by_length(rate)),
        options=Options(length_matched=True, permutations=0, options_only=False),
        items=lambda options: data.made_up(150),
    ),
    PLACE,
    replace(
        PLACE,
        name="habit of place, random orders",
        expects=lambda lift, asked: starmap(Expected, planted.preferring(2, lift, asked, "random")),
        options=replace(PLACE.options, order="random"),
    ),
    Truth(
        name="trend over difficulty",
        what="admits more at each level of difficulty, and 90 % of what is called solved or unsolved; null: no more",
        respondent=lambda slope: Respondent(abstains=lambda item: planted.by_level(item.fields["difficulty"], slope)),
        strength=0.12,
        null=0.0,
        expects=lambda slope, asked: starmap(Expected, planted.rising(slope, asked)),
        grid=(-0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12),
        drawn=("difficulty trend",),
        options=Options(permutations=0, options_only=False),
        items=lambda options: data.made_up(360, difficulties=tuple(planted.WORDS)),
    ),
)

study = Study(
    source=Source("The Impossible Test: A 2024 Unsolvable Dataset and A Chance for an AGI Quiz", 2024, "2411.14486"),
    question="How often does a model admit ignorance when nobody knows, and is it where that option sits that decides?",
    needs=lambda o: ({"score"} if o.by == "letters" else {"generate"}) | ({"generate"} if o.free_form else set()),
    options=Options,
    row=Row,
    items=items,
    example=lambda: items(Options(questions=4)),
    collect=collect,
    score=score,
    null=null,
    read_file=read_file,
    across=across,
    published=tuple(Published(*figure) for figure in data.PUBLISHED),
    planted=PLANTED,
)
