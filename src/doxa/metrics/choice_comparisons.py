"""A model's choices between gambles beside people's and beside theories': rows in, figures with intervals out.

A row has item, group, arm, style, choice ("A", "B", null: not read), share (of B, where one was stated or scored), the
gambles' chances and payoffs, human (share of people who took B), people, ambiguous and feedback.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics import gamble_theories as theory
from doxa.metrics import shifts, sums
from doxa.metrics.choice_models import ChoiceFit, Problems, fit_choices
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import Interval

if TYPE_CHECKING:
    import polars as pl

PREDICTS = ("individual", "aggregate", "act")
DESCRIBED = ("act", "individual", "aggregate")  # whose attitude and theory are described: the first that was asked
COT = ", CoT"
FITTED = 10  # problems from which a theory is fitted
STIMULI = ("a_chances", "a_payoffs", "b_chances", "b_payoffs")
KNOWN = (*STIMULI, "human", "people", "ambiguous", "feedback")


@dataclass(frozen=True, eq=False)
class Compared:
    """n problems, and by whom B was chosen at what rate.

    human       (n,) share of people taking B, nan: not known; people: (n,) how many
    rates       arm -> (n,) the model's rate of B, nan: nothing was read; read, asked: arm -> (n,) replies
    """

    items: tuple[str, ...]
    groups: np.ndarray
    problems: Problems
    human: Floats
    people: Floats
    ambiguous: np.ndarray
    feedback: np.ndarray
    rates: dict[str, Floats]
    read: dict[str, Floats]
    asked: dict[str, Floats]
    rule: theory.Rule
    _fits: dict[str, dict[str, ChoiceFit]] = field(default_factory=dict)

    @property
    def ev(self) -> Floats:
        return theory.chosen("EV", self.problems, rule=self.rule)

    @property
    def crowd(self) -> Floats:
        """What most people chose (n,)."""
        return theory.majority(self.human)

    def chose(self, arm: str) -> Floats:
        """What the model chose in an arm (n,), by majority."""
        return theory.majority(self.rates[arm])

    @property
    def gains(self) -> bool:
        """Whether nothing can be lost in any problem."""
        return bool((self.problems.payoff[self.problems.chance > 0] >= 0).all())

    def fits(self, who: str) -> dict[str, ChoiceFit]:
        """Theories fitted by maximum likelihood to the choices of an arm or of "people", by name; once each.

        Expected value, prospects, and, where nothing can be lost, utility. Empty: too few problems, or all alike.
        """
        if who not in self._fits:
            rate, counts = (self.human, self.people) if who == "people" else (self.rates[who], self.read[who])
            known = ~np.isnan(rate)
            names = ("expected value", "prospect", *(["expected utility"] if self.gains else []))
            self._fits[who] = {}
            if known.sum() >= FITTED:
                some = Problems(self.problems.payoff[known], self.problems.chance[known])
                with suppress(ValueError):  # all problems alike
                    self._fits[who] = {
                        name: fit_choices(name, some, rate[known], choices=counts[known], groups=self.groups[known])
                        for name in names
                    }
        return self._fits[who]

    def predicting(self) -> list[str]:
        return [arm for arm in self.rates if arm.removesuffix(COT) in PREDICTS]

    def described(self) -> str | None:
        """The arm whose attitude to risk is described; None: no arm asked for a choice."""
        return next((a + style for style in ("", COT) for a in DESCRIBED if a + style in self.rates), None)


def compared(rows: pl.DataFrame, rule: theory.Rule = "exact") -> Compared | None:
    """The problems of these rows; None without any."""
    import polars as pl

    rows = rows.filter(pl.col("part") == "gamble").with_columns(
        pl.coalesce("group", "item").alias("group"),
        (pl.col("arm") + pl.when(pl.col("style") == "cot").then(pl.lit(COT)).otherwise(pl.lit(""))).alias("who"),
        pl.coalesce("share", pl.when(pl.col("choice").is_not_null()).then((pl.col("choice") == "B").cast(pl.Float64))),
    )
    if rows.is_empty():
        return None
    first = [pl.col(name).first() for name in ("group", *KNOWN)]
    table = rows.sort("item").group_by("item", maintain_order=True).agg(*first)
    by_arm = rows.group_by("who", "item").agg(
        pl.col("share").mean().alias("rate"), pl.col("share").count().alias("read"), pl.len().alias("asked")
    )
    rates: dict[str, Floats] = {}
    read: dict[str, Floats] = {}
    asked: dict[str, Floats] = {}
    for who in sorted(set(rows["who"].to_list()) - {"people"}):
        part = table.select("item").join(by_arm.filter(pl.col("who") == who), on="item", how="left")
        part = part.sort("item")
        rates[who] = part["rate"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        read[who], asked[who] = (part[c].fill_null(0).cast(pl.Float64).to_numpy() for c in ("read", "asked"))
    gambles = [
        [list(zip(p, x, strict=True)) for p, x in zip(table[f"{s}_chances"], table[f"{s}_payoffs"], strict=True)]
        for s in "ab"
    ]
    human = table["human"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    flags = [table[name].fill_null(False).to_numpy() for name in ("ambiguous", "feedback")]
    people = table["people"].fill_null(1).cast(pl.Float64).to_numpy()
    groups, problems = np.array(table["group"].to_list()), Problems.of(*gambles)
    return Compared(tuple(table["item"]), groups, problems, human, people, flags[0], flags[1], rates, read, asked, rule)


# --- headline --------------------------------------------------------------------------------------------------------


def correlations(c: Compared) -> dict[str, Interval]:
    """Of people and of each predicting arm with expected value and with each other; how much more rational it is."""
    found = {"rho(human, EV)": theory.phi_interval(c.crowd, c.ev, c.groups)}
    for arm in c.predicting():
        said = c.chose(arm)
        found[f"rho(model, EV), {arm}"] = theory.phi_interval(said, c.ev, c.groups)
        found[f"rho(model, human), {arm}"] = theory.phi_interval(said, c.crowd, c.groups)
        found[f"rationality excess, {arm}"] = theory.phi_difference(said, c.ev, c.crowd, c.groups)
    for arm in c.predicting():
        if arm + COT in c.rates:
            found[f"rho(zero-shot, CoT), {arm}"] = theory.phi_interval(c.chose(arm), c.chose(arm + COT), c.groups)
    return found


def by_theory(c: Compared) -> dict[str, Interval]:
    """How the choices of the arm that is described go with each theory but expected value."""
    arm = c.described()
    if arm is None:
        return {}
    said, made = c.chose(arm), theories(c)
    return {f"rho(model, {name})": theory.phi_interval(said, made[name], c.groups) for name in theory.THEORIES[1:]}


def theories(c: Compared) -> dict[str, Floats]:
    """What each theory chooses (n,); prospect theory as fitted to people, where enough of their rates are known."""
    made = {name: theory.chosen(name, c.problems, rule=c.rule) for name in theory.THEORIES}
    fit = c.fits("people").get("prospect")
    if fit is not None:
        made["prospect"] = (fit.predict(c.problems) > 0.5).astype(np.float64)
    return made


# --- controls --------------------------------------------------------------------------------------------------------


def controls(c: Compared) -> dict[str, Interval]:
    """Whether it can solve and follow a stated bias, and how far what it predicts of people differs from solving."""
    found: dict[str, Interval] = {}
    biased = theory.chosen("minimax", c.problems)
    for style in ("", COT):
        if (solve := "solve" + style) in c.rates:
            found[f"agreement with EV, {solve}"] = agreement(c.chose(solve), c.ev, c.groups)
        if (arm := "biased" + style) in c.rates:
            found[f"agreement with the stated bias, {arm}"] = agreement(c.chose(arm), biased, c.groups)
        if solve not in c.rates:
            continue
        again = "again" + style
        if again in c.rates:
            found[f"unlike solving, {again}"] = _unlike(c, again, solve)
        for arm in [a + style for a in (*PREDICTS, "biased") if a + style in c.rates]:
            found[f"unlike solving, {arm}"] = _unlike(c, arm, solve)
            if again in c.rates:
                found[f"unlike solving beyond noise, {arm}"] = _excess(c, solve, arm, again)
    return found


def agreement(a: Floats, b: Floats, groups: np.ndarray) -> Interval:
    known = ~np.isnan(a) & ~np.isnan(b)
    return sums.share((a == b)[known], groups[known])


def _unlike(c: Compared, arm: str, solve: str) -> Interval:
    a, b = c.chose(arm), c.chose(solve)
    known = ~np.isnan(a) & ~np.isnan(b)
    return sums.share((a != b)[known], c.groups[known])


def _excess(c: Compared, solve: str, arm: str, again: str) -> Interval:
    said = np.stack([c.chose(a) for a in (solve, arm, again)])
    known = ~np.isnan(said).any(axis=0)
    if not known.any():
        return sums.NOTHING
    before, after, retest = said[:, known].astype(int).tolist()
    return shifts.excess_flips(before, after, retest, c.groups[known])


def unread(c: Compared) -> dict[str, Interval]:
    """Share of replies of each arm that could not be read."""
    found = {}
    for arm, asked in c.asked.items():
        lost = [(k, g) for n, r, g in zip(asked, c.read[arm], c.groups, strict=True) for k in _lost(int(n), int(r))]
        found[f"unread, {arm}"] = sums.share([k for k, _ in lost], [g for _, g in lost])
    return found


def unreadable(rows: pl.DataFrame) -> bool:
    """Whether of some arm's replies, which name a letter or a choice, most were not read."""
    asked = rows.filter(~rows["arm"].is_in(["people", "aggregate"]) & rows["share"].is_null())
    lost = (asked["choice"].is_null() & (asked["text"] != "")).alias("lost")
    return any(2 * part["lost"].sum() > len(part) for _, part in asked.with_columns(lost).group_by("arm"))


def _lost(asked: int, read: int) -> list[float]:
    return [0.0] * read + [1.0] * (asked - read)


# --- attitudes -------------------------------------------------------------------------------------------------------


def attitudes(c: Compared) -> dict[str, Interval]:
    """How the described arm and people value gambles: an exponent of gains alone, or prospect theory's parameters.

    "risk exponent" is that of utility x^a: 1 goes by expected value, above 1 seeks risk. People's end with ", people".
    """
    found, arm = dict[str, Interval](), c.described()
    if arm is not None:
        found |= _attitude(c.fits(arm), c.gains)
    if not np.isnan(c.human).all():
        found |= {f"{name}, people": interval for name, interval in _attitude(c.fits("people"), c.gains).items()}
    return found


def _attitude(fits: Mapping[str, ChoiceFit], gains: bool) -> dict[str, Interval]:
    """Parameters of the theory of gains alone, or of gains and losses; nan where none could be fitted."""
    if not gains:
        known = fits["prospect"].parameters if "prospect" in fits else {}
        return {name: known.get(name, sums.NOTHING) for name in ("alpha", "loss aversion", "gamma")}
    if "expected utility" not in fits:
        return {"risk exponent": sums.NOTHING}
    r = fits["expected utility"].parameters["r"]
    return {"risk exponent": Interval(1 - r.value, 1 - r.high, 1 - r.low, fits["expected utility"].n, r.method)}


def sections(c: Compared) -> dict[str, dict[str, Interval]]:
    """All figures by the heading under which they stand."""
    return {
        "Choices": correlations(c),
        "Attitude to risk": attitudes(c),
        "Other theories": by_theory(c),
        "Solving and predicting": controls(c),
        "Unread": unread(c),
    }


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Answers beside other problems' gambles and people, answers about pairs beside other pairs."""
    import polars as pl

    known = [*KNOWN, "first", "second"]
    parts = []
    for part in ("gamble", "pair"):
        own = rows.filter(pl.col("part") == part)
        held = own.group_by("item", maintain_order=True).agg(pl.col(c).first() for c in known)
        order = np.random.default_rng(seed).permutation(len(held))
        moved = pl.concat([held.select("item"), held[order].select(known)], how="horizontal")
        parts.append(own.drop(known).join(moved, on="item", how="left", maintain_order="left").select(rows.columns))
    return pl.concat(parts)
