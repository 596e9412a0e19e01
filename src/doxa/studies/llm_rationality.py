"""Assumed rationality: does the model take people for maximisers of expected value, and how far from people is that?

Choices: pairs of gambles are put to the model, which predicts one person, predicts the shares of many, or chooses
itself; its majority choice is set beside people's and beside those of expected value and other theories. Inferences:
of two choices that somebody made it says which is the stronger sign of liking X; the ranking of all choices is set
beside people's and beside four theories of inference. Controls: the same gambles to be solved, solved again, and for a
person with a stated bias, so that solving a gamble can be told from modelling a person.

Differs from the paper: gambles are our own, and the people beside them a simulated population of prospect theory with
noise, until --set names choices13k or another list with rates (never bundled); the default are short offers (--set
machines: problems of the published kind). Expected values come from unrounded chances, ties go to A; a letter counts
where the reply claims it; an individual is asked about as such (--variant published: rounded chances, ties to B, the
first A or B, "which do you play"). Theories of choice besides expected value, the solver and the bias arm are ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from doxa.charts import choices as charts
from doxa.data import gamble_files
from doxa.data import gamble_problems as data
from doxa.data import inferred_preferences as inferred
from doxa.elicit.gamble_choices import ARMS, GambleLetter, Said, gamble_form, gamble_logprobs, gamble_replies
from doxa.elicit.gamblers import choosing, ranker
from doxa.elicit.preference_pairs import PairedChoices, pair_logprobs, pair_reply
from doxa.metrics import choice_comparisons as comparisons
from doxa.metrics import choice_tables
from doxa.metrics import foreseen_choices as foreseen
from doxa.metrics import gamble_theories as theories
from doxa.metrics import inferred_rankings as rankings
from doxa.metrics.choice_models import Problems, values
from doxa.metrics.intervals import Interval
from doxa.models.simulated import Respondent
from doxa.planted import Expect, Expected, Truth
from doxa.records import Chart, Estimate, Findings, Item, Reading, Sampling, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl

OWN: Mapping[str, Callable[[int], list[Item]]] = {"offers": data.offers, "machines": data.machines}


@dataclass(frozen=True)
class Options:
    part: Annotated[Literal["both", "gambles", "inferences"], "what is asked"] = "both"
    set: Annotated[str, "offers or machines (our own), or a path: choices13k, a table of gambles"] = "offers"
    gambles: Annotated[int, "problems, of our own; a set is used whole"] = 200
    frame: Annotated[Literal["offers", "machines"] | None, "how they are told; none: offers as such"] = None
    arms: Annotated[str, f"of {', '.join(ARMS)}, with commas"] = ",".join(ARMS)
    style: Annotated[Literal["zero-shot", "cot", "both"], "answer at once, step by step, or both"] = "zero-shot"
    read: Annotated[Literal["samples", "logprobs"], "letters from samples, or by log-probabilities"] = "samples"
    samples: Annotated[int, "zero-shot replies by problem and arm; 0: as many as there were people"] = 5
    cot_samples: Annotated[int, "replies step by step"] = 1
    temperature: Annotated[float, "of samples"] = 0.7
    exchange: Annotated[bool, "half of the replies with the gambles called by each other's letter"] = False
    again: Annotated[bool, "a control arm: solve once more (logprobs: only the order of outcomes differs)"] = True
    variant: Annotated[Literal["corrected", "published"], "rounding, ties, parser and wording"] = "corrected"
    negative: Annotated[bool, "inferences from shocks that are borne, not from candies"] = False
    choices: Annotated[int, "choices that are ranked by pairs, evenly out of 47"] = 24
    repeats: Annotated[int, "times that all pairs are asked"] = 1
    humans: Annotated[str | None, "people's ranks: a condition's folder, a CSV; none: the published order"] = None
    max_tokens: Annotated[int, "longest reply step by step, and with percentages"] = 512

    def __post_init__(self) -> None:
        unknown = [arm for arm in self.chosen_arms if arm not in ARMS]
        if unknown or not self.chosen_arms:
            raise ValueError(f"arms is {self.arms!r}; it lists some of {', '.join(ARMS)}")
        if not 3 <= self.choices <= len(inferred.CHOICES) or self.samples < 0:
            raise ValueError(f"choices is {self.choices} (3 to 47), samples {self.samples} (0 or more)")

    @property
    def chosen_arms(self) -> list[str]:
        return [arm.strip() for arm in self.arms.split(",") if arm.strip()]

    @property
    def told(self) -> Literal["offers", "machines"]:
        return self.frame or ("offers" if self.set == "offers" else "machines")

    @property
    def styles(self) -> tuple[str, ...]:
        return ("zero-shot", "cot") if self.style == "both" else (self.style,)


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One answer about two gambles, or about a pair of choices.

    part    "gamble" or "pair"; arm: who chooses, "people" for problems with nobody's answer; style: zero-shot or cot
    choice  "A" or "B", for pairs also "tie"; None: not read, or a share is given; for pairs A is `first`
    share   of B: stated for many people, or by log-probabilities; human: share of people who took B
    first, second  codes of a pair's choices
    """

    part: str
    arm: str
    style: str = "zero-shot"
    choice: str | None = None
    share: float | None = None
    a_chances: tuple[float, ...] = ()
    a_payoffs: tuple[float, ...] = ()
    b_chances: tuple[float, ...] = ()
    b_payoffs: tuple[float, ...] = ()
    human: float | None = None
    people: int | None = None
    ambiguous: bool | None = None
    feedback: bool | None = None
    first: str | None = None
    second: str | None = None


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """Gambles, then pairs of choices. Our own gambles get the rates of a simulated population."""
    found: list[Item] = []
    if options.part != "inferences":
        found += _own(options.set, options.gambles) if options.set in OWN else data.problems(options.set)
    if options.part != "gambles":
        places = np.linspace(0, len(inferred.CHOICES) - 1, options.choices).round().astype(int)
        found += inferred.pairs([inferred.CHOICES[i] for i in places])
    return found


def _own(name: str, n: int) -> list[Item]:
    asked = OWN[name](n)
    return data.with_people(asked, theories.population(_problems(asked)).tolist(), theories.PEOPLE)


def _problems(asked: list[Item]) -> Problems:
    return Problems.of(*([item.fields[side] for item in asked] for side in "ab"))


def example() -> list[Item]:
    return [*_own("offers", 6), *inferred.pairs(("x/a/b", "x/a", "ax/b", "ax"))]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Every arm and style of one problem, or one pair of choices."""
    if "first" in item.fields:
        codes = {name: str(item.fields[name]) for name in ("first", "second")}
        for sample, style in product(range(options.repeats), options.styles):
            said = await _compare(item, ask, options, style, sample)
            yield _row(item, "pair", style, sample, said, "pair", **codes)
        return
    again = ["again"] if options.again and "solve" in options.chosen_arms else []
    for style, arm in product(options.styles, [*options.chosen_arms, *again]):
        for sample, said in enumerate(await _choose(item, ask, options, arm, style)):
            yield _row(item, arm, style, sample, said, "gamble", **data.stimulus(item))


def _row(item: Item, arm: str, style: str, sample: int, said: Said, part: str, **known: Any) -> Row:
    asked: dict[str, Any] = {"item": item.id, "condition": f"{arm}/{style}", "arm": arm, "style": style, "part": part}
    return Row(sample=sample, **asked, **asdict(said), **known)


async def _choose(item: Item, ask: Ask, options: Options, arm: str, style: str) -> list[Said]:
    """An arm of one problem: as many replies as asked for, half of them exchanged if so wanted."""
    form = gamble_form(arm, options.told, reasoned=style == "cot", published=options.variant == "published")
    n = options.cot_samples if style == "cot" else options.samples or item.fields.get("people") or theories.PEOPLE
    condition, found = f"{arm}/{style}", list[Said]()
    for turned in (False, True) if options.exchange else (False,):
        shown = data.as_told(data.exchanged(item) if turned else item, f"{item.id}/{condition}/{turned}", options.told)
        if isinstance(form, GambleLetter) and options.read == "logprobs":
            said = [await gamble_logprobs(ask, form, shown, condition)]
        else:
            count = 1 if arm == "aggregate" else (n + (not turned)) // 2 if options.exchange and n > 1 else n
            sampling = Sampling(n=count, temperature=options.temperature, seed=int(arm == "again"))
            sampling = replace(sampling, max_tokens=16 if isinstance(form, GambleLetter) else options.max_tokens)
            said = await gamble_replies(ask, form, shown, sampling, condition)
        found += [one.turned() if turned else one for one in said]
    return found


async def _compare(item: Item, ask: Ask, options: Options, style: str, sample: int) -> Said:
    """A pair of choices under new names and in a new order; step by step, what it came to is asked for afterwards."""
    shown, turned = inferred.as_asked(item, f"{item.id}/{style}/{sample}", negative=options.negative)
    form, condition = PairedChoices(options.negative, reasoned=style == "cot"), f"pair/{style}"
    if style == "zero-shot" and options.read == "logprobs":
        said = await pair_logprobs(ask, shown, form, condition)
    else:
        sampling = Sampling(temperature=options.temperature, max_tokens=16, seed=sample)
        said = await pair_reply(ask, shown, form, sampling, condition, thinking=options.max_tokens)
    return said.turned() if turned else said


# --- scoring ---------------------------------------------------------------------------------------------------------


UNITS = {"unread pairs": "pairs", "unread": "replies", "cyclic": "triples", "spread": "completions"}


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Choices beside people and expected value, then rankings beside people and theories."""
    rows = rows.sort("item", "arm", "style", "sample")
    table = comparisons.compared(rows, "published" if options.variant == "published" else "exact")
    ranks, people = rankings.rankings(rows), inferred.people_ranks(options.humans, negative=options.negative)
    estimates, tables, drawn = list[Estimate](), list[tuple[Any, ...]](), list[Chart]()
    if table is not None:
        sections = comparisons.sections(table)
        for section, figures in sections.items():
            estimates += _estimates(figures, section, "problems", rows)
        tables += choice_tables.tables(table)
        drawn += charts.correlation_bars(*choice_tables.bars(sections["Choices"]))
        if arm := table.described():
            drawn += charts.rate_chart(arm, *choice_tables.calibration(table.rates[arm], table.human))
    for style, ranked in ranks.items():
        figures = rankings.figures(ranked, people, negative=options.negative)
        behind = comparisons.COT * (style == "cot")
        estimates += _estimates({f"{n}{behind}": i for n, i in figures.items()}, "Inferences", "choices", rows)
        drawn += charts.rank_chart(rankings.choice_lines(ranked, people, negative=options.negative), style)
    tables += rankings.tables(ranks, people, negative=options.negative)
    return Findings(
        tuple(estimates),
        tuple(Table(*cells) for cells in tables),
        tuple(drawn),
        (),
        tuple(_notes(rows, table, ranks, options)),
    )


def _estimates(found: Mapping[str, Interval], section: str, unit: str, rows: pl.DataFrame) -> list[Estimate]:
    asked = rows.filter((rows["part"] == ("pair" if unit == "choices" else "gamble")) & (rows["arm"] != "people"))
    outcomes = count_outcomes(asked["outcome"].to_list())
    units = {name: next((u for begins, u in UNITS.items() if name.startswith(begins)), unit) for name in found}
    return [Estimate.of(n, i, unit=units[n], outcomes=outcomes, section=section) for n, i in found.items()]


def _notes(
    rows: pl.DataFrame, table: comparisons.Compared | None, ranks: Mapping[str, rankings.Ranked], options: Options
) -> Iterator[str]:
    if table is not None:
        if options.set in OWN and "people" not in rows["arm"]:
            yield "People are simulated here: prospect theory with noise. Give --set choices13k's folder for real ones."
        yield from choice_tables.notes(table)
    yield from rankings.notes(ranks)
    if comparisons.unreadable(rows):
        yield "Where a model gives no such replies, --read logprobs reads letters and pairs (percentages it does not)."
    if ranks and options.humans is None and not options.negative:
        yield "People's ranks are the order of the published means, without its ties; --humans takes the means."


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Models side by side: each arm's choices beside expected value and people."""
    lines: dict[str, list[tuple[Any, ...]]] = {}
    for r in recorded:
        label, table = (
            r.label if r.label not in lines else f"{r.label} ({len(lines) + 1})",
            comparisons.compared(r.rows),
        )
        lines[label] = [] if table is None else choice_tables.model_lines(label, table)
    shown = tuple(line for of in lines.values() for line in of)
    return Findings((), (Table("Models", choice_tables.MODELS, shown),), tuple(charts.model_charts(shown)))


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run; choices13k or a table of gambles with rates, and with a model's choices; a table of pairs."""
    return Recorded(path.stem, frame(gamble_files.recorded(path, (*ARMS, "again")), Row))


# --- what can be planted ---------------------------------------------------------------------------------------------

FEW = Options(part="gambles", set="machines", gambles=250, arms="individual,act", samples=2, exchange=True)
EXACT = replace(FEW, read="logprobs", arms="act", exchange=False)
OFFERS = replace(EXACT, set="offers", gambles=150)
COIN, SENSITIVITY = np.full(FEW.gambles, 0.5), 3.0


@cache
def chosen(name: str) -> np.ndarray:
    return theories.chosen(name, _problems(items(FEW)))


def respondent(rates: Mapping[str, np.ndarray], options: Options = FEW, **how: float) -> Respondent:
    """Takes B at the rates (n,) of an arm; "": of all others."""
    return choosing([item.id for item in items(options)], rates, **how)


def maximiser(share: float) -> Respondent:
    return respondent({"": foreseen.mixed(chosen("EV"), COIN, share)})


def averager(share: float) -> Respondent:
    return respondent({"": foreseen.mixed(chosen("averaging"), chosen("EV"), share)})


def two_minds(share: float) -> Respondent:
    ev, worst = chosen("EV"), chosen("minimax")
    predicted, biased = foreseen.mixed(1 - ev, ev, share), foreseen.mixed(worst, 1 - worst, share, seed=1)
    return respondent({"": ev, "individual": predicted, "biased": biased})


def valuing(options: Options, theory: str, **parameters: float) -> Respondent:
    """Takes B with a probability that is logistic in the difference of a theory's values."""
    value = values(theory, _problems(items(options)), **parameters)
    return respondent({"": theories.noisy(value[:, 1] - value[:, 0], SENSITIVITY)}, options)


def averse(strength: float) -> Respondent:
    return valuing(EXACT, "prospect", **{**theories.KAHNEMAN, "loss_aversion": strength})


def seeking(exponent: float) -> Respondent:
    return valuing(OFFERS, "expected utility", r=1 - exponent)


def careless(rate: float) -> Respondent:
    return respondent({"": chosen("EV")}, format_errors=rate)


def with_sd(figures: foreseen.Figures) -> Iterator[Expected]:
    return (Expected(name, value, sd=sd) for name, (value, sd) in figures.items())


def following_ev(*arms: str) -> Expect:
    def expects(share: float, asked: Sequence[Item]) -> Iterator[Expected]:
        ev, crowd = chosen("EV"), theories.majority([item.fields["human"] for item in asked])
        for arm in arms:
            yield from with_sd(foreseen.following(share * ev + (1 - share) * COIN, ev, crowd, arm))

    return expects


def following_averages(share: float, asked: Sequence[Item]) -> Iterator[Expected]:
    p, names = share * chosen("averaging") + (1 - share) * chosen("EV"), ("averaging", "minimax", "better than average")
    return with_sd({f"rho(model, {name})": foreseen.phi_of(p, chosen(name)) for name in names})


def exactly(planted: str, **others: float) -> Expect:
    """Log-probabilities carry no noise: parameters come back to 1 %."""

    def expects(strength: float, asked: Sequence[Item]) -> Iterator[Expected]:
        for name, value in {planted: strength, **others}.items():
            yield Expected(name, value, sd=0.0, slack=0.01 * value, why="where the optimiser stops")

    return expects


def shares(figures: Callable[[float], Mapping[str, float]]) -> Expect:
    return lambda share, asked: [Expected(name, value) for name, value in figures(share).items()]


def ranking(flips: float, asked: Sequence[Item]) -> Iterator[Expected]:
    n = len(inferred.CHOICES)
    r, sd = foreseen.flipped_ranking(n, flips)
    yield Expected("rank correlation with people", r, sd=sd, n=n)
    # Triples that share no pair are independent: there are a third as many as pairs.
    yield Expected("cyclic triples", foreseen.flipped_triples(flips), n=len(asked) // 3)


DRAWN = tuple(f"{name}, individual" for name in ("rho(model, EV)", "rho(model, human)", "rationality excess"))
SHARES, AVERSIONS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
BY_EV = "goes by expected value on a share of the problems, else by a coin"
DIFFERS = "on a share predicts otherwise than it solves, and goes by a stated bias"
TURNS = "ranks choices as people do, a share of the pairs turned about; null: half"
REASONED, BOTH = replace(FEW, arms="individual,aggregate", style="cot"), replace(FEW, arms="act,aggregate")
CONTROLS = replace(FEW, arms="individual,solve,biased", samples=1, exchange=False)
_plain, _json = following_ev("individual", "act"), following_ev("individual, CoT", "aggregate, CoT")
flipping = partial(ranker, inferred.own_order())
_averse = exactly("loss aversion", alpha=0.88, gamma=0.61)
PLANTED = (
    Truth("expected value", BY_EV, maximiser, 0.7, 0.0, _plain, SHARES, DRAWN, FEW),
    Truth("expected value, reasoned", f"{BY_EV}; in JSON", maximiser, 0.7, 0.0, _json, options=REASONED),
    Truth("averaging", "goes by mean payoffs on a share", averager, 1.0, 0.0, following_averages, options=FEW),
    Truth("predicting is not solving", DIFFERS, two_minds, 0.4, 0.0, shares(foreseen.of_two_minds), options=CONTROLS),
    Truth("loss aversion", "goes by prospect theory", averse, 2.25, 1.0, _averse, AVERSIONS, ("loss aversion",), EXACT),
    Truth("risk exponent", "goes by utility x^a", seeking, 2.0, 1.0, exactly("risk exponent"), options=OFFERS),
    Truth("unread replies", "a share is out of format", careless, 0.3, 0.0, shares(foreseen.unread), options=BOTH),
    Truth("inferences", TURNS, flipping, 0.1, 0.5, ranking, options=Options(part="inferences", choices=47)),
)

study = Study(
    source=Source("Large Language Models Assume People are More Rational than We Really are", 2024, arxiv="2406.17055"),
    question="Does the model take people for maximisers of expected value, and how far from people is that?",
    needs=lambda options: {"generate", "score"} if options.read == "logprobs" else {"generate"},
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=comparisons.shuffled,
    read_file=read_file,
    across=across,
    published=(
        Published("rho(model, EV), individual, CoT", 0.94, "choices13k, strong models (second-hand)"),
        Published("rho(human, EV)", 0.48, "choices13k, 14,568 rows, binary choices (second-hand, reproduced)"),
    ),
    planted=PLANTED,
)
