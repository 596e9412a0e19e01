"""Figures of survey answers by label: from rows of probabilities to what labels, places and options contribute.

A row has key (the question), wording, arm ("own": the survey's order; "orders": one of many; "random": labels and
places both at random), sample, order (option in each place), labels (label of each place), p (probability of each
place, of the mass on labels; empty: none), mass, picked (place that was drawn, of arm "random") and truth (an option).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics import response_bias as bias
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import Interval, proportion
from doxa.metrics.means import mean_interval
from doxa.metrics.resampling import bootstrap
from doxa.metrics.sums import NOTHING

if TYPE_CHECKING:
    import polars as pl

Shares = Mapping[str, Sequence[float]]
SIGNIFICANT = 0.05
RESAMPLES = 500
SHARE = (0.0, 1.0)
NAN = math.nan


@dataclass(frozen=True, eq=False)
class Figures:
    """What one question's rows give; nan: no such rows.

    own, adjusted  (c,) by option: in the survey's order; averaged over orders (None: no rows)
    gathered       `adjusted` with the mapping of the released loader
    profile        (c,) mean probability of each label over the orders
    error          Monte Carlo error of `adjusted`, 0: all orders were asked; orders: how many
    nats           preference for the first label; mass: mean on labels
    place, label   P(first place) and P(first label) less 1/c, labels and places both random
    place_p, label_p  chi-square tests of the answers drawn there; truth: the right option, None: none
    """

    key: str
    c: int
    own: Floats | None
    adjusted: Floats | None
    gathered: Floats | None
    profile: Floats | None
    error: float
    orders: int
    nats: float
    mass: float
    place: float
    label: float
    place_p: float
    label_p: float
    truth: int | None

    @property
    def first_label(self) -> float:
        return NAN if self.profile is None else float(self.profile[0]) - 1 / self.c


def of_questions(rows: pl.DataFrame, mapping: bias.Mapping = "scatter") -> list[Figures]:
    """One for each question of one wording, in the order of their keys."""
    import polars as pl

    known = rows.filter(pl.col("arm").is_in(["own", "orders", "random"])).sort("key", "arm", "sample")
    return [_figures(str(key), part, mapping) for (key,), part in known.group_by("key", maintain_order=True)]


def by_wording(rows: pl.DataFrame, wanted: Sequence[str], mapping: bias.Mapping) -> dict[str, list[Figures]]:
    """`of_questions` of each wording that is there, the wanted ones in their order; without any: none of "plain"."""
    there = set(rows["wording"])
    named = [w for w in wanted if w in there] or sorted(there) or ["plain"]
    return {w: of_questions(rows.filter(rows["wording"] == w), mapping) for w in named}


def _figures(key: str, rows: pl.DataFrame, mapping: bias.Mapping) -> Figures:
    import polars as pl

    truths = rows["truth"].drop_nulls().to_list()
    c = int(rows["order"].list.len().max() or 0)  # type: ignore[arg-type]
    masses = rows["mass"].drop_nulls().drop_nans()
    read = rows.filter(pl.col("p").list.len() == c)
    own, many, mixed = (read.filter(pl.col("arm") == arm) for arm in ("own", "orders", "random"))
    base = bias.mapped(*_arrays(own))[0] if len(own) else None
    whole = gathered = profile = None
    error, nats = NAN, NAN
    if len(many):
        p, orders = _arrays(many)
        by_option = bias.mapped(p, orders, mapping)
        whole, gathered, profile = by_option.mean(axis=0), bias.mapped(p, orders, "gather").mean(axis=0), p.mean(axis=0)
        error, nats = _error(by_option, orders), bias.label_nats(p)
    alphabet = next(iter(rows.filter(pl.col("arm") != "random")["labels"]), None) or "".join(sorted(_labels(mixed)))
    place, label, place_p, label_p = _random(mixed, c, alphabet)
    mass = float(np.mean(masses.to_numpy())) if len(masses) else NAN
    truth = int(truths[0]) if truths else None
    found = (base, whole, gathered, profile, error, len(many), nats, mass, place, label, place_p, label_p)
    return Figures(key, c, *found, truth)


def _arrays(rows: pl.DataFrame) -> tuple[Floats, np.ndarray]:
    return np.array(rows["p"].to_list(), dtype=np.float64), np.array(rows["order"].to_list(), dtype=np.int64)


def _error(by_option: Floats, orders: np.ndarray) -> float:
    """0 where every order is there once."""
    r, c = orders.shape
    if r == math.factorial(c) == len({tuple(order) for order in orders.tolist()}):
        return 0.0
    rotated = np.array([np.roll(orders[0], -shift) for shift in range(c)])
    balanced = r % c == 0 and r >= c and bool((orders[:c] == rotated).all())
    return bias.monte_carlo_error(by_option, c if balanced else 1)


def _labels(rows: pl.DataFrame) -> set[str]:
    return set("".join(rows["labels"].to_list()))


def _random(rows: pl.DataFrame, c: int, alphabet: str) -> tuple[float, float, float, float]:
    """Of the first place and the first label of the alphabet: P less 1/c; and p of the answers drawn there."""
    if not len(rows):
        return NAN, NAN, NAN, NAN
    p, labels = np.array(rows["p"].to_list(), dtype=np.float64), rows["labels"].to_list()
    first = np.array([text.index(alphabet[0]) for text in labels])
    drawn = [(j, alphabet.index(text[j])) for j, text in zip(rows["picked"], labels, strict=True) if j is not None]
    places, letters = (bias.counts_of([pair[side] for pair in drawn], c) for side in (0, 1))
    label = float(p[np.arange(len(p)), first].mean()) - 1 / c
    return float(p[:, 0].mean()) - 1 / c, label, bias.uniform_p(places), bias.uniform_p(letters)


# --- over questions --------------------------------------------------------------------------------------------------


def mean(values: Sequence[float], bounds: tuple[float, float] | None = None) -> Interval:
    """Mean over questions that have a value, with its interval."""
    held = [value for value in values if math.isfinite(value)]
    if bounds is not None:
        held = [min(max(value, bounds[0]), bounds[1]) for value in held]  # sums overshoot by rounding
    return mean_interval(held, bounds=bounds) if held else NOTHING


def _within(found: Interval, low: float, high: float = math.inf) -> Interval:
    """The interval without what cannot be: few questions leave limits beyond the ends of a quantity's range."""
    return replace(found, low=max(found.low, low), high=min(found.high, high))


def labels_and_places(found: Sequence[Figures]) -> dict[str, Interval]:
    """Preference for the first label: as shown; of the label and the place alone, where randomised prompts tell."""
    shown = {
        "A-bias": _within(mean([f.first_label for f in found]), -1, 1),
        "A-bias, nats": mean([f.nats for f in found]),
    }
    alone = {
        "letter A bias, places random": _within(mean([f.label for f in found]), -1, 1),
        "first place bias, letters random": _within(mean([f.place for f in found]), -1, 1),
        "questions with letter bias": _significant([f.label_p for f in found]),
        "questions with order bias": _significant([f.place_p for f in found]),
    }
    mixed = any(not math.isnan(f.label) for f in found)
    return {**shown, **(alone if mixed else {}), "label mass": mean([f.mass for f in found], SHARE)}


def _significant(values: Sequence[float]) -> Interval:
    held = [p < SIGNIFICANT for p in values if not math.isnan(p)]
    return proportion(sum(held), len(held), method="mid-p") if held else NOTHING


def entropies(found: Sequence[Figures], shares: Shares) -> dict[str, Interval]:
    """Normalised entropies: as the survey orders its options, over orders, of the reference; what orders add."""
    naive, adjusted = (
        [entropy_of(p) for p in column] for column in ([f.own for f in found], [f.adjusted for f in found])
    )
    return {
        "normalised entropy, naive": mean(naive, SHARE),
        "normalised entropy, adjusted": mean(adjusted, SHARE),
        "normalised entropy, adjusted less naive": _within(
            mean([b - a for a, b in zip(naive, adjusted, strict=True)]), -1, 1
        ),
        **({"normalised entropy, reference": mean(_references(found, shares), SHARE)} if shares else {}),
        "largest Monte Carlo error": _largest([f.error for f in found]),
    }


def _references(found: Sequence[Figures], shares: Shares) -> list[float]:
    return [entropy_of(share_of(shares, f)) for f in found]


def _largest(values: Sequence[float]) -> Interval:
    held = [value for value in values if not math.isnan(value)]
    return Interval(max(held), NAN, NAN, len(held), "largest of the questions") if held else NOTHING


def entropy_of(p: Sequence[float] | Floats | None) -> float:
    """Normalised, over the options that have a share (nan: nobody was asked about it); nan for None."""
    if p is None:
        return NAN
    values = np.asarray(p, dtype=np.float64)
    held = values[~np.isnan(values)]
    return bias.normalised_entropy(held) if len(held) > 1 else NAN


def share_of(shares: Shares, found: Figures) -> Sequence[float] | None:
    """The reference of a question; None: there is none with as many options."""
    held = shares.get(found.key)
    return held if held is not None and len(held) == found.c else None


def kl(p: Floats | None, q: Sequence[float] | None) -> float:
    """KL of p from q, bits, over the options of which q says something (others: nan), p divided by what is there."""
    if p is None or q is None:
        return NAN
    reference = np.asarray(q, dtype=np.float64)
    asked = ~np.isnan(reference)
    held = p[asked]
    return bias.kl_bits(held / held.sum(), reference[asked]) if held.sum() > 0 else NAN


def even(found: Figures, like: Sequence[float] | None = None) -> list[float]:
    """Even shares, of the options that `like` has."""
    gaps = [like is not None and math.isnan(v) for v in (like if like is not None else [0.0] * found.c)]
    return [NAN if gap else 1 / (found.c - sum(gaps)) for gap in gaps]


def divergences(found: Sequence[Figures], shares: Shares) -> dict[str, Interval]:
    """KL from the reference and from even answers, bits; the share of questions that are closer to the reference."""
    close = [_closer(f, shares) for f in found]
    held = [value for value in close if value is not None]
    return {
        "closer to the reference than to uniform": proportion(sum(held), len(held)) if held else NOTHING,
        "KL to the reference, naive": _within(mean([kl(f.own, share_of(shares, f)) for f in found]), 0),
        "KL to the reference, adjusted": _within(mean([kl(f.adjusted, share_of(shares, f)) for f in found]), 0),
        "KL to uniform, naive": _within(mean([kl(f.own, even(f)) for f in found]), 0),
        "KL to uniform, adjusted": _within(mean([kl(f.adjusted, even(f)) for f in found]), 0),
    }


def _closer(found: Figures, shares: Shares) -> bool | None:
    """Whether adjusted answers are at least as far from even ones as from the reference."""
    share = share_of(shares, found)
    reference = kl(found.adjusted, share)
    if math.isnan(reference):
        return None
    # Sums that are equal but for rounding count as equal.
    return kl(found.adjusted, even(found, share)) >= reference - 1e-12


def dropped(found: Sequence[Figures], shares: Shares) -> int:
    """Questions whose reference is 0 on an option that the model does not exclude: their KL is infinite."""
    return sum(math.isinf(kl(f.adjusted, share_of(shares, f))) for f in found)


@dataclass(frozen=True, eq=False)
class Lines:
    """Subgroups (g,) as points: mean normalised entropy x, mean KL of naive and adjusted answers to them, bits.

    n       (g,) questions behind each; common: the same ones for all
    """

    names: tuple[str, ...]
    x: list[float]
    kl: Mapping[str, list[float]]
    figures: Mapping[str, Interval]
    n: list[int]
    common: bool


def alignment(found: Sequence[Figures], parts: Mapping[str, Shares]) -> Lines:
    """How the divergence from subgroups goes with how even the answers of these are; intervals resample questions.

    Questions that some subgroup lacks, or where a KL is infinite, are left out of all. Where that leaves fewer than
    half of them (countries were not all asked the same), each subgroup keeps its own.
    """
    names = tuple(parts)
    rows = []
    for f in found:
        refs = [share_of(parts[name], f) for name in names]
        row = [[entropy_of(q) for q in refs], [kl(f.own, q) for q in refs], [kl(f.adjusted, q) for q in refs]]
        if np.isfinite(row).all(axis=0).any():
            rows.append(row)
    table = np.array(rows, dtype=np.float64) if rows and names else np.empty((0, 3, len(names)))
    whole = np.asarray(np.isfinite(table).all(axis=(1, 2)))
    common = bool(2 * whole.sum() >= len(whole))
    if common:
        table = table[whole]
    table = np.where(np.isfinite(table).all(axis=1, keepdims=True), table, NAN)
    figures = {}
    for place, which in ((1, "naive"), (2, "adjusted")):
        for part, name in ((0, "slope of KL on subgroup entropy"), (1, "correlation of KL and subgroup entropy")):
            figures[f"{name}, {which}"] = _line(table[:, 0], table[:, place], part)
    x, naive, adjusted = (_held_mean(table[:, j]).tolist() for j in range(3))
    n = np.isfinite(table[:, 0]).sum(axis=0).tolist()
    return Lines(names, x, {"naive": naive, "adjusted": adjusted}, figures, n, common)


def _held_mean(values: Floats) -> Floats:
    """Mean (g,) of each column of (n, g) over what is not nan; nan for a column without."""
    held = np.isfinite(values)
    n = held.sum(axis=0)
    return np.where(n > 0, np.where(held, values, 0.0).sum(axis=0) / np.maximum(n, 1), NAN)


def _line(entropy: Floats, kl: Floats, part: int) -> Interval:
    def fitted(x: Floats, y: Floats) -> float:
        means = np.stack([_held_mean(x), _held_mean(y)])
        means = means[:, np.isfinite(means).all(axis=0)]
        return bias.slope_and_correlation(means[0], means[1])[part]

    if not len(entropy) or math.isnan(fitted(entropy, kl)):
        return NOTHING
    return bootstrap(fitted, entropy, kl, resamples=RESAMPLES, method="percentile")


def right(found: Sequence[Figures]) -> dict[str, Interval]:
    """Probability of the right option, where there is one: as ordered, and over orders."""
    known = [f for f in found if f.truth is not None]
    return {
        f"P(right), {name}": mean([NAN if p is None else float(p[f.truth or 0]) for f, p in pairs], SHARE)
        for name, pairs in (
            ("naive", [(f, f.own) for f in known]),
            ("adjusted", [(f, f.adjusted) for f in known]),
        )
    }


# --- forms -----------------------------------------------------------------------------------------------------------


def form_records(rows: pl.DataFrame, keys: Sequence[str]) -> np.ndarray:
    """Answers (n, keys) of the forms that were filled in: 1 to c, 0 where there is none."""
    import polars as pl

    drawn = rows.filter((pl.col("arm") == "form") & pl.col("picked").is_not_null())
    answers: dict[str, list[int]] = {name: [0] * len(keys) for name in sorted(set(drawn["item"]))}
    for item, key, order, picked in drawn.select("item", "key", "order", "picked").iter_rows():
        if key in keys:
            answers[item][keys.index(key)] = order[picked] + 1
    return np.array(list(answers.values()), dtype=np.int64).reshape(len(answers), len(keys))


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Rows with the probabilities of each prompt shuffled among its places: no place, label or option is preferred."""
    import polars as pl

    rng = np.random.default_rng(seed)
    ps, picks = [], []
    for p, picked in zip(rows["p"].to_list(), rows["picked"].to_list(), strict=True):
        moved = rng.permutation(len(p)).tolist()
        ps.append([p[j] for j in moved])
        picks.append(None if picked is None else moved.index(picked))
    return rows.with_columns(
        pl.Series("p", ps, dtype=pl.List(pl.Float64)), pl.Series("picked", picks, dtype=pl.Int64)
    ).select(rows.columns)
