"""Tables and remarks of survey answers by label: by question, by wording, by subgroup; what has to be said of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from doxa.metrics.discriminator import ToldApart
from doxa.metrics.inputs import Floats
from doxa.metrics.intervals import Interval
from doxa.metrics.response_figures import (
    Figures,
    Lines,
    Shares,
    divergences,
    dropped,
    entropies,
    entropy_of,
    even,
    kl,
    labels_and_places,
    mean,
    right,
    share_of,
)

LITTLE = 0.5  # mass on labels

ADJUSTED, NAIVE, REFERENCE = (f"normalised entropy, {which}" for which in ("adjusted", "naive", "reference"))
CLOSER, TO_IT = "closer to the reference than to uniform", "KL to the reference, adjusted"
LETTER, PLACE = "letter A bias, places random", "first place bias, letters random"
TOLD = "discriminator accuracy"
UNITS = {"Forms": "forms"}  # sections whose figures count other things than questions

BY_QUESTION = (
    *("question", "options", "A-bias", "A-bias, nats", "p, letters", "p, places", "label mass", "entropy, naive"),
    *("entropy, adjusted", "entropy, as published", "entropy, reference", "KL to reference", "KL to uniform"),
    *("orders", "Monte Carlo error"),
)
BIASES = ("A-bias", "letter A, places random", "first place, letters random")
BY_WORDING = (
    *("wording", "questions", "A-bias", "label mass", "entropy, naive", "entropy, adjusted", "KL to reference"),
    *("KL to uniform", "closer to the reference"),
)
BY_SUBGROUP = ("subgroup", "questions", "its entropy", "KL to it, naive", "KL to it, adjusted")
EVERYBODY, EVEN = "everybody", "even answers"
GATHERED = "Orders are mapped back by gathering, as released: with three options or more that evens answers out."


def sections(
    found: Sequence[Figures], shares: Shares, lines: Lines, told: ToldApart
) -> Iterator[tuple[str, dict[str, Interval]]]:
    """Figures by name under each heading, for one wording."""
    yield "Labels and places", labels_and_places(found)
    yield "Entropy", entropies(found, shares)
    if shares:
        yield "Population", {**divergences(found, shares), **lines.figures}
    if told.n:
        yield "Forms", {TOLD: told.interval(), "discriminator majority rate": told.share}
    if any(f.truth is not None for f in found):
        yield "Facts", right(found)


def by_question(found: Sequence[Figures], shares: Shares) -> list[tuple[str | float, ...]]:
    """Rows for BY_QUESTION."""
    rows: list[tuple[str | float, ...]] = []
    for f in found:
        share = share_of(shares, f)
        rows.append(
            (
                *(f.key, f.c, f.first_label, f.nats, f.label_p, f.place_p, f.mass),
                *(entropy_of(f.own), entropy_of(f.adjusted), entropy_of(f.gathered), entropy_of(share)),
                *(kl(f.adjusted, share), kl(f.adjusted, even(f)), f.orders, f.error),
            )
        )
    return rows


def biases(found: Sequence[Figures]) -> dict[str, list[float]]:
    """By the names in BIASES: a value for each question."""
    columns = [(f.first_label, f.label, f.place) for f in found]
    return {name: [column[j] for column in columns] for j, name in enumerate(BIASES)}


def by_wording(found: Mapping[str, Sequence[Figures]], shares: Shares) -> list[tuple[str | float, ...]]:
    """Rows for BY_WORDING."""
    rows: list[tuple[str | float, ...]] = []
    for wording, of in found.items():
        named = {**labels_and_places(of), **entropies(of, shares), **divergences(of, shares)}
        names = (
            *("A-bias", "label mass", "normalised entropy, naive", "normalised entropy, adjusted"),
            *("KL to the reference, adjusted", "KL to uniform, adjusted", "closer to the reference than to uniform"),
        )
        rows.append((wording, len(of), *(named[name].value for name in names)))
    return rows


def by_subgroup(found: Sequence[Figures], shares: Shares, lines: Lines) -> list[tuple[str | float, ...]]:
    """Rows for BY_SUBGROUP: everybody, even answers, and each subgroup, the nearest first."""
    refs = [share_of(shares, f) for f in found]
    whole = [
        mean([entropy_of(q) for q in refs]),
        *(mean([kl(p, q) for p, q in zip(ps, refs, strict=True)]) for ps in _answers(found)),
    ]
    nobody = [mean([kl(p, even(f)) for p, f in zip(ps, found, strict=True)]) for ps in _answers(found)]
    rows: list[tuple[str | float, ...]] = [
        (EVERYBODY, whole[2].n, *(i.value for i in whole)),
        (EVEN, nobody[1].n, 1.0, *(i.value for i in nobody)),
    ]
    parts = list(zip(lines.names, lines.n, lines.x, lines.kl["naive"], lines.kl["adjusted"], strict=True))
    return rows + sorted((part for part in parts if part[1]), key=lambda part: part[4])


def closeness(
    found: Sequence[Figures], shares: Shares, lines: Lines
) -> tuple[dict[str, list[float]], dict[str, list[str]]]:
    """KL of adjusted answers from subgroups, everybody and even answers, and the names behind each."""
    everybody, nobody, *parts = by_subgroup(found, shares, lines)
    rows = {"subgroups": parts, EVERYBODY: [everybody], EVEN: [nobody]}
    values = {name: [float(row[4]) for row in of] for name, of in rows.items()}
    return values, {name: [str(row[0]) for row in of] for name, of in rows.items()}


def _answers(found: Sequence[Figures]) -> tuple[list[Floats | None], list[Floats | None]]:
    return [f.own for f in found], [f.adjusted for f in found]


def remarks(found: Sequence[Figures], shares: Shares, lines: Lines) -> Iterator[str]:
    """What the figures of one wording do not say by themselves."""
    if not shares:
        yield "There is no population to compare with: give --reference."
    elif found and all(share_of(shares, f) is None for f in found):
        yield "The population was asked none of these questions: give --set and --reference as they were when asking."
    if lost := dropped(found, shares):
        yield f"{lost} questions have an option that nobody of the population chose: their KL is infinite, left out."
    if lines.names and not lines.common:
        yield "Subgroups were not all asked the same questions: the KL to each is over its own."
    if any(f.mass < LITTLE for f in found):
        yield f"On some questions less than {LITTLE:.0%} of probability is on labels: even answers may come from that."
    if found and all(math.isnan(f.mass) for f in found):
        yield "The mass on labels is not known: even answers may come from a model that hardly says any label."
