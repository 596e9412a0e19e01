"""Survey responses: do answers say anything about a population, or do they follow labels and places?

Each question of a survey is asked with its options in many orders, and the probabilities of the labels are read. What
is left of the options' own probabilities once places and labels are averaged out is compared with a population and
with even answers. In further prompts labels and places are both at random, which tells the one from the other. Whole
forms (--forms) are filled in question after question, and a classifier tries to tell them from people. Answers of
several models, scored together, are set against the models' sizes.

Differs from the paper: questions and population are made up (--set and --reference take the published ones, of all
five surveys: docs/surveys.md); beyond four options a balanced sample of orders instead of all or 5,000 (--permutations,
--sampled); probabilities are mapped back by the inverse permutation, where the released loader gathers and so evens out
whatever has three options or more (--variant published; "adjusted entropy is near its maximum for all models" has to be
measured anew); 100 randomised prompts instead of 1,000; contexts and instructions in our words; boosted trees of
scikit-learn instead of XGBoost, split by source. Reconstructed from the abstract and the repository.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from doxa.charts import responses as charts
from doxa.data.household_questions import household_items
from doxa.data.model_sizes import model_sizes
from doxa.data.opinion_sets import left_out
from doxa.data.populations import Population, made_up_population
from doxa.data.survey_sets import compared_with, survey_questions
from doxa.elicit import published_orders, survey
from doxa.elicit.labelled_orders import Asking, Shown, filled_in, in_orders
from doxa.metrics import foreseen_responses as foreseen
from doxa.metrics import response_figures as figures
from doxa.metrics import response_sizes as sizes
from doxa.metrics import response_tables as tables
from doxa.metrics.discriminator import NOT_TOLD, YARDSTICK, ToldApart, available, limits, told_apart, yardstick
from doxa.metrics.response_bias import chosen_orders
from doxa.metrics.response_tables import ADJUSTED, CLOSER, LETTER, PLACE, TO_IT
from doxa.models.permutation_files import permutation_rows
from doxa.planted import Expected, Truth
from doxa.records import LETTERS, Claim, DoxaError, Estimate, Findings, Item, Reading, Table, count_outcomes
from doxa.simulation import planted_survey as planted
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

Foreseen = Callable[[list[np.ndarray], float], Mapping[str, float]]
PEOPLE = 400  # rows to tell a subgroup from the rest
FORMS = "forms of the model, from people"
INVENTED = "The population is made up; closeness to it says nothing about people."


@dataclass(frozen=True)
class Options:
    set: Annotated[str, "own: a household survey; bank: facts of four options; or a path, docs/surveys.md"] = "own"
    questions: Annotated[int, "questions from the bank; a survey is asked whole"] = 60
    reference: Annotated[str | None, "path of people's shares or records; none: the set's own, made up"] = None
    wordings: Annotated[str, f"prompts, a list or 'all': {', '.join(survey.WORDINGS)}"] = "plain"
    labels: Annotated[str, "labels in the order of places, e.g. RSNLOTMPWUYV"] = LETTERS
    permutations: Annotated[int, "orders of the options: all where there are no more, else so many [24]"] = 24
    sampled: Annotated[Literal["balanced", "random"], "how orders are sampled: with their rotations, or each alone"] = (
        "balanced"
    )
    randomised: Annotated[int, "prompts with labels and places both at random"] = 100
    forms: Annotated[int, "whole forms filled in, for the classifier (scikit-learn)"] = 0
    kept: Annotated[int | None, "earlier answers kept in a form's context, for short ones; none: all"] = None
    splits: Annotated[int, "splits of the classifier's rows"] = 10
    yardstick: Annotated[bool, "also tell each subgroup from the rest"] = False
    reading: Annotated[Literal["labels", "top"], "probabilities of all labels, or the five likeliest tokens"] = "labels"
    sizes: Annotated[str | None, "several models: parameters by name, gpt2=110M,gptneox=20B, or a CSV of them"] = None
    variant: Annotated[Literal["corrected", "published"], "mapping back: inverse, or as the released loader"] = (
        "corrected"
    )

    def __post_init__(self) -> None:
        survey.chosen_wordings(self.wordings)
        survey.check_labels(self.labels, 2)
        for name in ("permutations", "splits"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it is at least 1")

    @property
    def worded(self) -> tuple[str, ...]:
        return survey.chosen_wordings(self.wordings)


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """The probabilities of the labels in one prompt.

    key      the question; arm: "own" order, one of "orders", "random" (labels and places), or of a "form"
    order    option (from 0, as the survey has them) in each place; labels: label of each place
    p        probability of each place, of the mass on labels; empty: none was on them
    mass     probability that a label is said at all
    picked   place that was drawn, arms "random" and "form"; truth: the right option, where there is one
    who      the model, where it is named; size: its parameters, where they are known
    """

    key: str
    arm: str
    wording: str
    order: tuple[int, ...]
    labels: str
    p: tuple[float, ...] = ()
    mass: float | None = None
    picked: int | None = None
    truth: int | None = None
    who: str = ""
    size: float | None = None


# --- asking ----------------------------------------------------------------------------------------------------------


def questions(options: Options) -> list[Item]:
    """The survey's questions in its own order."""
    return survey_questions(options.set, options.questions)


def items(options: Options) -> list[Item]:
    """The questions, and one item for each form that is filled in.

    raises  DoxaError: a set or a reference that cannot be read, before anything is asked
    """
    compared_with(options.set, options.reference)
    model_sizes(options.sizes)
    return [*questions(options), *(_form(i) for i in range(options.forms))]


def _form(number: int) -> Item:
    return Item(f"form/{number}", f"Form {number}", "scenario", fields={"form": number})


def example() -> list[Item]:
    return [*household_items()[3:7], _form(0)]


def needs(options: Options) -> set[str]:
    return {"score"} if options.reading == "labels" else {"generate", "logprobs"}


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """One question in every wording and order, or one whole form."""
    labels, reading, seed = options.labels, options.reading, ask.seed
    if "form" in item.fields:
        wording = options.worded[0]
        how = Asking(wording, labels, reading)
        async for question, shown in filled_in(ask, questions(options), how, options.kept, name=item.id, seed=seed):
            yield _row(item, question, wording, shown, ask)
        return
    balanced, mixed = options.sampled == "balanced", options.randomised
    orders = chosen_orders(len(item.options), options.permutations, balanced=balanced, seed=seed)
    for wording in options.worded:
        how = Asking(wording, labels, reading)
        for shown in await in_orders(ask, item, orders, how, randomised=mixed, seed=seed):
            yield _row(item, item, wording, shown, ask)


def _row(item: Item, question: Item, wording: str, shown: Shown, ask: Ask) -> Row:
    return Row(
        item=item.id,
        condition=f"{wording}/{shown.arm}",
        sample=shown.sample,
        outcome="ok" if shown.p else "unparsed",
        key=str(question.fields.get("key", question.id)),
        arm=shown.arm,
        wording=wording,
        order=shown.order,
        labels=shown.labels,
        p=shown.p,
        mass=shown.mass,
        picked=shown.picked,
        truth=question.options.index(question.answer) if question.answer in question.options else None,
        who=ask.model.address,
        size=ask.model.parameters,
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Labels and places, how even answers are, what they are close to, and whether forms pass for people's."""
    models = rows["who"].unique().sort().to_list()
    if len(models) > 1:
        return across([Recorded(who or "unnamed", rows.filter(rows["who"] == who)) for who in models], options)
    by_wording, of = _by_wording(rows, options), compared_with(options.set, options.reference)
    main = next(iter(by_wording.values()))
    lines, told = figures.alignment(main, of.subgroups), _told_apart(rows, of, options)
    outcomes = count_outcomes(rows["outcome"].to_list())
    found = [
        Estimate.of(name, value, unit=tables.UNITS.get(section, "questions"), outcomes=outcomes, section=section)
        for section, named in tables.sections(main, of.shares, lines, told)
        for name, value in named.items()
    ]
    compared = f"compared with the population {of.name!r}; entropies are normalised, KL in bits"
    asked, parts = tables.by_question(main, of.shares), _yardstick(of, options)
    made = [
        Table("By question", tables.BY_QUESTION, tuple(asked), note=compared),
        Table("By wording", tables.BY_WORDING, tuple(tables.by_wording(by_wording, of.shares)), note=compared),
    ]
    if lines.names:
        near = tuple(tables.by_subgroup(main, of.shares, lines))
        made.append(Table("By subgroup", tables.BY_SUBGROUP, near, note="means over questions; KL in bits"))
    if parts:
        made.append(Table("Subgroups told from the rest", YARDSTICK, tuple(parts)))
    drawn = charts.of_one(
        [f.key for f in main],
        tables.biases(main),
        (tables.BY_QUESTION, asked),
        (lines.names, lines.x, lines.kl),
        tables.closeness(main, of.shares, lines),
        limits({FORMS: told}, parts),
    )
    notes = [*([tables.GATHERED] if options.variant == "published" else []), *tables.remarks(main, of.shares, lines)]
    notes += [*left_out(options.set), *([INVENTED] if of.name == "made up" else [])]
    if not told.accuracies:
        notes.append(f"No form was told from people's: that needs records of people, --forms {PEOPLE}, scikit-learn.")
    return Findings(tuple(found), tuple(made), tuple(drawn), notes=tuple(notes))


def _by_wording(rows: pl.DataFrame, options: Options) -> dict[str, list[figures.Figures]]:
    return figures.by_wording(rows, options.worded, "gather" if options.variant == "published" else "scatter")


def _told_apart(rows: pl.DataFrame, of: Population, options: Options) -> ToldApart:
    """Filled-in forms against as many people, drawn anew for each split."""
    filled = figures.form_records(rows, of.keys)
    if not of.draws or not len(filled) or not available():
        return NOT_TOLD
    return told_apart(filled, lambda seed: of.records(len(filled), seed, of.keys), seeds=options.splits)


def _yardstick(of: Population, options: Options) -> list[tuple[str, float, float, float, int]]:
    def people(part: str, rest: bool, seed: int) -> np.ndarray:
        return of.records(PEOPLE, seed, of.keys, part=part, rest=rest)

    told = options.yardstick and of.draws and of.subgroups and available()
    return yardstick(list(of.subgroups), people, seeds=options.splits) if told else []


# --- several models --------------------------------------------------------------------------------------------------


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Models beside each other, from the smallest on: headline figures, and how these go with the number of parameters.

    Sizes are those of --sizes, else of the rows (of local models they are known, tables may have a column `size`).
    """
    of, given = compared_with(options.set, options.reference), model_sizes(options.sizes)
    named = sizes.named((r.label, r.rows) for r in recorded)
    models = sizes.ordered([_model(name, rows, of, given, options) for name, rows in named])
    made, known = {m.name: m.figures(of.shares) for m in models}, {m.name: m.size for m in models}
    found = [
        Estimate.of(name, value, unit=unit, section=section)
        for name, value, unit, section in sizes.estimates(made, known)
    ]
    table = Table("Models", sizes.MODELS, tuple(sizes.of_models(models, made)), note="entropies normalised, KL in bits")
    ends = zip(study.published, (sizes.largest, sizes.smallest), strict=True)
    extremes = [(p, *end(made, p.estimate)) for p, end in ends]
    claims = tuple(Claim(name, p.value, p.setting, value) for p, name, value in extremes)
    drawn = charts.of_models(sizes.headline(made), known, sizes.by_question(models), sizes.reference(made))
    notes = tuple(sizes.remarks(known, given, options.variant))
    return Findings(tuple(found), (table,), tuple(drawn), claims, notes)


def _model(
    name: str, rows: pl.DataFrame, of: Population, given: Mapping[str, float], options: Options
) -> sizes.Respondent:
    main = next(iter(_by_wording(rows, options).values()))
    size = given.get(name, next(iter(rows["size"].drop_nulls()), float("nan")))
    return sizes.Respondent(name, main, _told_apart(rows, of, options), float(size))


# --- recorded answers ------------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run (its folder, or their file), published answers, or a table with probabilities of each order."""
    label, stored = path.stem, path / "readings" / "survey-responses" / "rows.parquet"
    if stored.is_file():
        label, path = path.name, stored
    elif path.is_dir() and not any(path.glob("*.csv")):
        raise DoxaError(f"{path}: no run of survey-responses, and no MODEL_naive.csv or MODEL_KEY.csv in it")
    elif options.set != "bank":
        codes = {str(item.fields["key"]): item.fields["codes"] for item in questions(options)}
        if published_orders.is_published(path, codes):
            return Recorded(label, frame(published_orders.published_rows(path, codes), Row))
    return Recorded(label, frame(permutation_rows(path), Row))


# --- what can be planted ---------------------------------------------------------------------------------------------
# Questions of up to four options are asked in every order, so what must come out is worked out by going through them.

FEW = Options()
OURS = made_up_population(household_items())
SHARES = OURS.shares
LIKE = planted.People(SHARES, *OURS.kinds)


def forms_only(options: Options) -> list[Item]:
    return [_form(i) for i in range(options.forms)]


def small(options: Options) -> list[Item]:
    return [item for item in household_items() if len(item.options) <= 4]


def _held(asked: Sequence[Item]) -> list[np.ndarray]:
    return [np.array(SHARES[i.fields["key"]]) for i in asked]


def _exactly(values: Mapping[str, float]) -> Iterator[Expected]:
    for name, value in values.items():
        yield Expected(name, value, sd=0.0, slack=1e-6, why="rounding of sums")


def exactly(foreseen_of: Foreseen) -> Callable[[float, Sequence[Item]], Iterator[Expected]]:
    """What a function of people's shares and a strength gives by name."""
    return lambda strength, asked: _exactly(foreseen_of(_held(asked), strength))


def _alone(name: str, asked: Sequence[Item], logit: float) -> Expected:
    """Over randomised prompts, FEW.randomised of each question; probabilities have an sd of at most .5."""
    value = float(np.mean([foreseen.first_alone(np.log(held), logit) for held in _held(asked)]))
    return Expected(name, value, sd=0.5, n=FEW.randomised * len(asked))


def labelled(logit: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """Labels stand in their places: what is added to A is seen as A-bias, and is averaged out of the options."""
    yield from _exactly(foreseen.labelled(_held(asked), logit))
    yield from (_alone(LETTER, asked, logit), _alone(PLACE, asked, 0.0))


def placed(logit: float, asked: Sequence[Item]) -> Iterator[Expected]:
    yield from (_alone(PLACE, asked, logit), _alone(LETTER, asked, 0.0))


def known(nats: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """Facts with four options: a favourite is held with .7, the others with .1 each, and is right in 7 of 10."""
    yield from _exactly({"A-bias, nats": nats})
    if not nats:
        yield Expected("P(right), adjusted", 0.7 * 0.7 + 0.3 * 0.1, sd=0.6 * (0.7 * 0.3) ** 0.5)


def apart(odd: float, asked: Sequence[Item]) -> Iterator[Expected]:
    """Who gives the rarest answer to everything is met nowhere; drawn people are like people."""
    if odd:
        yield Expected("discriminator accuracy", 1.0, sd=0.0, slack=0.01, why="a person may be odd, too")
    else:
        yield Expected("discriminator accuracy", 0.5, sd=0.5, n=round(0.2 * 2 * len(asked)))


NO_RANDOM = replace(FEW, randomised=0)
LOGITS, CURVE = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

PUBLISHED, TOP = replace(NO_RANDOM, variant="published"), replace(NO_RANDOM, reading="top")
FACTS, FILLED = Options(set="bank", wordings="letter", randomised=0), Options(forms=60, splits=3)
followed, gathered = exactly(foreseen.followed), exactly(foreseen.gathered_answers)
topped, off_labels = exactly(foreseen.topped_answers), exactly(foreseen.off_labels_answers)
PLANTED = (
    Truth(*planted.OF_LABELS, LIKE.marking, 2.0, 0.0, labelled, LOGITS, ("A-bias", ADJUSTED, LETTER), FEW, small),
    Truth(*planted.OF_PLACES, LIKE.placing, 2.0, 0.0, placed, options=FEW, items=small),
    Truth(*planted.OF_PEOPLE, LIKE.weighing, 1.0, 0.0, followed, CURVE, (CLOSER, TO_IT), NO_RANDOM),
    Truth(*planted.GATHERED, LIKE.weighing, 1.0, 0.0, gathered, options=PUBLISHED, items=small),
    Truth(*planted.TOP_FIVE, LIKE.weighing, 1.0, 0.0, topped, options=TOP),
    Truth(*planted.OFF, LIKE.off_labels, 0.4, 0.0, off_labels, options=NO_RANDOM),
    Truth(*planted.ON_FACTS, planted.on_facts, 1.0, 0.0, known, options=FACTS),
    Truth(*planted.NO_PEOPLE, LIKE.filling_in, 1.0, 0.0, apart, options=FILLED, items=forms_only),
)

MODELS = "25 questions of the ACS 2019, 43 models of 110 M to 175 B parameters"
study = Study(
    source=Source("Questioning the Survey Responses of Large Language Models", 2023, "2306.07951", "NeurIPS 2024"),
    question="Do a model's answers to a survey say anything about a population, or do they follow labels and places?",
    needs=needs,
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=figures.shuffled,
    read_file=read_file,
    across=across,
    published=(
        Published(CLOSER, 0.24, f"largest of all; {MODELS}, mapped by gathering"),
        Published("discriminator accuracy", 0.975, f"at least, read off the axis of a figure; {MODELS}, XGBoost"),
    ),
    planted=PLANTED,
)
