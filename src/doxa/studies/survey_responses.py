"""Survey responses: do answers say anything about a population, or do they follow labels and places?

Each question of a survey is asked with its options in many orders, and the probabilities of the labels are read. What
is left of the options' own probabilities once places and labels are averaged out is compared with a population and
with even answers. In further prompts labels and places are both at random, which tells the one from the other. Whole
forms (--forms) are filled in question after question, and a classifier tries to tell them from people.

Differs from the paper: questions and population are made up (--set and --reference take the published ones); beyond
four options a balanced sample of orders instead of all or 5,000 (--permutations, --sampled); probabilities are mapped
back by the inverse permutation, where the released loader gathers and so evens out whatever has three options or more
(--variant published; "adjusted entropy is near its maximum for all models" has to be measured anew); 100 randomised
prompts instead of 1,000; contexts and instructions in our words; boosted trees of scikit-learn instead of XGBoost,
split by source. Reconstructed from the abstract and the repository.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa.charts import responses as charts
from doxa.data.authority_sets import bank_questions
from doxa.data.household_questions import household_items
from doxa.data.populations import Population, made_up_population
from doxa.data.survey_files import population, survey_items
from doxa.elicit import survey
from doxa.elicit.labelled_orders import Asking, Shown, filled_in, in_orders
from doxa.metrics import foreseen_responses as foreseen
from doxa.metrics import response_figures as figures
from doxa.metrics.discriminator import NOT_TOLD, YARDSTICK, ToldApart, available, told_apart, yardstick
from doxa.metrics.response_bias import chosen_orders
from doxa.models.permutation_files import permutation_rows
from doxa.models.simulated import Holder, Respondent
from doxa.models.simulated_labels import Following, Labelled, OfOneKind, Rarest
from doxa.planted import Expected, Truth
from doxa.records import LETTERS, Chart, Estimate, Findings, Item, Reading, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

PEOPLE = 400  # rows to tell a subgroup from the rest
LITTLE = 0.5  # mass on labels


@dataclass(frozen=True)
class Options:
    set: Annotated[str, "own: a household survey; bank: facts with four options; or a JSON file of questions"] = "own"
    questions: Annotated[int, "questions from the bank; a survey is asked whole"] = 60
    reference: Annotated[str | None, "table of shares or of person records; none: made up for the own survey"] = None
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


# --- asking ----------------------------------------------------------------------------------------------------------


def questions(options: Options) -> list[Item]:
    """The survey's questions in its own order."""
    if options.set == "bank":
        return bank_questions(options.questions)
    return household_items() if options.set == "own" else survey_items(Path(options.set))


def items(options: Options) -> list[Item]:
    """The questions, and one item for each form that is filled in."""
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
            yield _row(item, question, wording, shown)
        return
    balanced, mixed = options.sampled == "balanced", options.randomised
    orders = chosen_orders(len(item.options), options.permutations, balanced=balanced, seed=seed)
    for wording in options.worded:
        how = Asking(wording, labels, reading)
        for shown in await in_orders(ask, item, orders, how, randomised=mixed, seed=seed):
            yield _row(item, item, wording, shown)


def _row(item: Item, question: Item, wording: str, shown: Shown) -> Row:
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
    )


# --- scoring ---------------------------------------------------------------------------------------------------------


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Labels and places, how even answers are, what they are close to, and whether forms pass for people's."""
    import polars as pl

    named = [w for w in options.worded if w in set(rows["wording"])] or sorted(set(rows["wording"])) or ["plain"]
    mapping: figures.bias.Mapping = "gather" if options.variant == "published" else "scatter"
    by_wording = {w: figures.of_questions(rows.filter(pl.col("wording") == w), mapping) for w in named}
    main, of = by_wording[named[0]], _population(options)
    lines, told = figures.alignment(main, of.subgroups), _told_apart(rows, of, options)
    found = {"Labels and places": figures.labels_and_places(main), "Entropy": figures.entropies(main, of.shares)}
    if of.shares:
        found["Population"] = {**figures.divergences(main, of.shares), **lines.figures}
    if told.n:
        found["Forms"] = {"discriminator accuracy": told.interval(), "discriminator majority rate": told.share}
    if any(f.truth is not None for f in main):
        found["Facts"] = figures.right(main)
    units, outcomes = {"Forms": "forms"}, count_outcomes(rows["outcome"].to_list())
    estimates = [
        Estimate.of(name, interval, unit=units.get(section, "questions"), outcomes=outcomes, section=section)
        for section, named_figures in found.items()
        for name, interval in named_figures.items()
    ]
    compared = f"compared with the population {of.name!r}; entropies are normalised, KL in bits"
    tables = [
        Table("By question", figures.BY_QUESTION, tuple(figures.by_question(main, of.shares)), note=compared),
        Table("By wording", figures.BY_WORDING, tuple(figures.by_wording(by_wording, of.shares)), note=compared),
    ]
    if options.yardstick and of.draws and of.subgroups and available():
        tables.append(_yardstick(of, options))
    drawn = tuple(_drawn(main, lines, of))
    return Findings(tuple(estimates), tuple(tables), drawn, notes=tuple(_notes(main, of, told, options)))


def _population(options: Options) -> Population:
    if options.reference is not None:
        return population(Path(options.reference), questions(options))
    return made_up_population(household_items()) if options.set == "own" else Population("none", {})


def _told_apart(rows: pl.DataFrame, of: Population, options: Options) -> ToldApart:
    """Filled-in forms against as many people, drawn anew for each split."""
    filled = figures.form_records(rows, of.keys)
    if not of.draws or not len(filled) or not available():
        return NOT_TOLD
    return told_apart(filled, lambda seed: of.records(len(filled), seed, of.keys), seeds=options.splits)


def _yardstick(of: Population, options: Options) -> Table:
    def people(part: str, rest: bool, seed: int) -> np.ndarray:
        return of.records(PEOPLE, seed, of.keys, part=part, rest=rest)

    rows = yardstick(list(of.subgroups), people, seeds=options.splits)
    return Table("Subgroups told from the rest", YARDSTICK, tuple(rows))


def _drawn(found: Sequence[figures.Figures], lines: figures.Lines, of: Population) -> Iterator[Chart]:
    keys = [f.key for f in found]
    if found:
        yield charts.bias_strips(figures.biases(found), keys)
        yield charts.entropies_of(figures.BY_QUESTION, figures.by_question(found, of.shares), keys)
    if np.isfinite(lines.x).any():
        yield charts.alignment_lines(lines.x, lines.kl, lines.names)


def _notes(found: Sequence[figures.Figures], of: Population, told: ToldApart, options: Options) -> Iterator[str]:
    if options.variant == "published":
        yield "Orders are mapped back by gathering, as released: with three options or more that evens answers out."
    if not of.shares:
        yield "There is no population to compare with: give --reference."
    elif of.name == "made up":
        yield "The population is made up; closeness to it says nothing about people."
    if lost := figures.dropped(found, of.shares):
        yield f"{lost} questions have an option that nobody of the population chose: their KL is infinite, left out."
    if any(f.mass < LITTLE for f in found):
        yield f"On some questions less than {LITTLE:.0%} of probability is on labels: even answers may come from that."
    if not told.accuracies:
        yield f"No form was told from people's: that needs records of people, --forms {PEOPLE}, and scikit-learn."


# --- recorded answers ------------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run, or a table with the probabilities of each order of the options."""
    return Recorded(path.stem, frame(permutation_rows(path), Row))


# --- what can be planted ---------------------------------------------------------------------------------------------
# Questions of up to four options are asked in every order, so what must come out is worked out by going through them.

FEW = Options()
OURS = made_up_population(household_items())
SHARES = OURS.shares


def forms_only(options: Options) -> list[Item]:
    return [_form(i) for i in range(options.forms)]


def small(options: Options) -> list[Item]:
    return [item for item in household_items() if len(item.options) <= 4]


def respondent(label: float = 0.0, place: float = 0.0, weight: float = 1.0, **how: Any) -> Respondent:
    """Prefers what the made-up people answer, by a weight; adds a logit to the label A and to the first place."""
    rule = Labelled(Following(SHARES, weight), (place,), {"A": label})
    return Respondent(address=f"simulated: label {label:g}, place {place:g}, weight {weight:g}", decide=rule, **how)


def marking(logit: float) -> Respondent:
    return respondent(label=logit)


def weighing(weight: float) -> Respondent:
    return respondent(weight=weight)


def on_facts(nats: float) -> Respondent:
    return Respondent(belief=Holder(0.7), label={"A": nats})


def filling_in(odd: float) -> Respondent:
    """Everybody's rarest answers, or those of people of the made-up kinds."""
    assert OURS.classes is not None
    tables = {key: table.tolist() for key, table in OURS.classes.tables.items()}
    people = OfOneKind(OURS.classes.weights, tables)
    return Respondent(decide=Labelled(Rarest(SHARES) if odd else people))


def _held(asked: Sequence[Item], weight: float = 1.0) -> list[np.ndarray]:
    return [weight * np.array(SHARES[i.fields["key"]]) + (1 - weight) / len(i.options) for i in asked]


def _exactly(values: Mapping[str, float]) -> Iterator[Expected]:
    for name, value in values.items():
        yield Expected(name, value, sd=0.0, slack=1e-6, why="rounding of sums")


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


def followed(weight: float, asked: Sequence[Item]) -> Iterator[Expected]:
    yield from _exactly(foreseen.followed(_held(asked), weight))


def gathered(weight: float, asked: Sequence[Item]) -> Iterator[Expected]:
    mixed = [foreseen.evenness(foreseen.gathered(held)) for held in _held(asked, weight)]
    yield from _exactly({ADJUSTED: float(np.mean(mixed))})


def topped(weight: float, asked: Sequence[Item]) -> Iterator[Expected]:
    yield from _exactly(foreseen.topped(_held(asked, weight), survey.TOP))


def off_labels(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    yield from _exactly({"label mass": 1 - rate, "KL to the reference, adjusted": 0.0})


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


ADJUSTED = "normalised entropy, adjusted"
LETTER, PLACE = "letter A bias, places random", "first place bias, letters random"
NO_RANDOM = replace(FEW, randomised=0)
CLOSER = "closer to the reference than to uniform"
LOGITS, CURVE = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


OF_LABELS = "label bias", "people's preferences, and a logit on the label A; null: none"
OF_PLACES = "place bias", "people's preferences, and a logit on the first place; null: none"
OF_PEOPLE = "a population followed", "answers by a weight of the made-up people's shares, else evenly; null: evenly"
GATHERED = "preferences, mapped as published", "the same, mapped back by gathering; null: no preferences"
TOP_FIVE = "five likeliest tokens", "the same, of which the five likeliest labels are seen; null: no preferences"
OFF = "mass off labels", "people's preferences, a share of the mass on no label; null: none"
ON_FACTS = "label bias on facts", "holds facts with .7, and adds a logit to the letter A; null: none"
NO_PEOPLE = "forms that are no people's", "gives the rarest answer to everything; null: each form is one made-up person"
PLANTED = (
    Truth(*OF_LABELS, marking, 2.0, 0.0, labelled, LOGITS, ("A-bias", ADJUSTED, LETTER), FEW, small),
    Truth(*OF_PLACES, lambda x: respondent(place=x), 2.0, 0.0, placed, options=FEW, items=small),
    Truth(*OF_PEOPLE, weighing, 1.0, 0.0, followed, CURVE, (CLOSER, "KL to the reference, adjusted"), NO_RANDOM),
    Truth(*GATHERED, weighing, 1.0, 0.0, gathered, options=replace(NO_RANDOM, variant="published"), items=small),
    Truth(*TOP_FIVE, weighing, 1.0, 0.0, topped, options=replace(NO_RANDOM, reading="top")),
    Truth(*OFF, lambda rate: respondent(format_errors=rate), 0.4, 0.0, off_labels, options=NO_RANDOM),
    Truth(*ON_FACTS, on_facts, 1.0, 0.0, known, options=Options(set="bank", wordings="letter", randomised=0)),
    Truth(*NO_PEOPLE, filling_in, 1.0, 0.0, apart, options=Options(forms=60, splits=3), items=forms_only),
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
    published=(
        Published(CLOSER, 0.24, f"largest of all; {MODELS}, mapped by gathering"),
        Published("discriminator accuracy", 0.975, f"at least, read off the axis of a figure; {MODELS}, XGBoost"),
    ),
    planted=PLANTED,
)
