"""What can be planted for the beliefs part: respondents of known knowledge, and organisms that were measured before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from doxa import organisms
from doxa.audit import knowing
from doxa.audit.knowing import Options
from doxa.data.facts import by_id
from doxa.data.render import open_item
from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.foreseen_figures import sharpened
from doxa.models.simulated import Ability, Holder, Respondent
from doxa.models.simulated_asked import short
from doxa.models.simulated_values import uniforms
from doxa.organisms.practice import not_practised
from doxa.planted import Expected, Truth
from doxa.records import Item

# All respondents know a share of the facts, the popular ones first: an open question is known with probability
# sigmoid(sharpness (popularity - (1 - ability))), the right one of four options is guessed by a quarter of the rest.

ABILITY = 0.6
SHARPNESS = 4.0
EVERY = ("ECE", "Brier", "AUROC", "confidence minus accuracy")
OTHERS = 50  # popularities by which all others are stood for
ROUNDED = "words have four decimals"


def chances(asked: Sequence[Item], sharpness: float = SHARPNESS, ability: float = ABILITY) -> dict[str, np.ndarray]:
    """Probability (n,) of a right answer, which is what is believed, by kind of question."""
    popularity = np.array([item.popularity for item in asked])
    answered = known(popularity, sharpness, ability)
    return {"open": answered, "choice": 0.25 + 0.75 * answered}


def known(popularity: np.ndarray, sharpness: float = SHARPNESS, ability: float = ABILITY) -> np.ndarray:
    """Probability (n,) that facts of these popularities, 0 to 1, are known."""
    return np.asarray(1 / (1 + np.exp(-sharpness * (popularity - (1 - ability)))))


def in_words(p: np.ndarray, slope: float) -> np.ndarray:
    """Confidence (n,) in words of beliefs whose logit is stretched from chance."""
    return np.array([short(said) for said in sharpened(slope, p, 4).tolist()])


def shows(stated: Outlook, of: str, *metrics: str) -> list[Expected]:
    """What the estimates "METRIC, OF" must show of these confidences, for metrics named as in `knowing.METRICS`."""
    said = stated.said_nk
    foreseen: dict[str, Callable[[], Foreseen]] = {
        "ECE": lambda: stated.gap_error(stated.by_width()),
        "ECE, debiased": lambda: stated.gap_error_debiased(stated.by_width()),
        "Brier": lambda: stated.mean((said - 1) ** 2, said**2),
        "AUROC": stated.auroc,
        "AURC": stated.aurc,
        "confidence minus accuracy": lambda: stated.mean(said - 1, said),
    }
    return [Expected(f"{metric}, {of}", value, sd=sd) for metric in metrics for value, sd, _ in [foreseen[metric]()]]


def right_share(name: str, right: np.ndarray) -> Expected:
    """An accuracy of answers that are right with these probabilities (n,)."""
    return Expected(name, float(right.mean()), sd=float(np.sqrt(np.mean(right * (1 - right)))))


def overconfident_words(slope: float, asked: Sequence[Item]) -> list[Expected]:
    """Words off by the slope in every metric, what is read without words as good as ever."""
    expected = []
    for kind, p in chances(asked).items():
        expected += shows(Outlook.of(in_words(p, slope), p), f"words, {kind}", *knowing.METRICS)
        expected += shows(Outlook.of(p, p), f"P(True), {kind}", "confidence minus accuracy")
    return expected


def knowledge_by_popularity(sharpness: float, asked: Sequence[Item]) -> list[Expected]:
    """Accuracy for each range of popularity; each confidence tells right from wrong as well as popularity does."""
    expected = []
    popularity = np.array([item.popularity for item in asked])
    for kind, p in chances(asked, sharpness).items():
        label = f"accuracy, {knowing.KINDS[kind]}"
        expected += [
            right_share(label, p),
            right_share(f"{label}, best known third", p[popularity > 2 / 3]),
            right_share(f"{label}, least known tenth", p[popularity < 1 / knowing.TENTHS]),
        ]
        held, shares = Outlook.of(p, p), Outlook.share(p, p, FEW.samples)
        ways = ("words", "P(True)", *(["option log-probabilities"] if kind == "choice" else []))
        for way, stated in (*((way, held) for way in ways), ("samples", shares)):
            expected += shows(stated, f"{way}, {kind}", "AUROC", "confidence minus accuracy")
        agreement, sd, _ = shares.spearman(held)
        expected.append(Expected(f"Spearman, P(True) and samples, {kind}", agreement, sd=sd))
        same = agreement / agreement  # 1, or undefined where all beliefs are alike
        name = f"Spearman, P(True) and words, {kind}"
        expected.append(Expected(name, same, sd=0, slack=1e-3, why=ROUNDED))
    return expected


def overconfident_belief(slope: float, asked: Sequence[Item]) -> list[Expected]:
    """Every kind of confidence off by the slope, since the belief itself is."""
    expected = []
    for kind, p in chances(asked).items():
        belief = sharpened(slope, p, 4)
        held, shares = Outlook.of(belief, p), Outlook.share(p, belief, SEVERAL.samples)
        expected += [e for way in ("words", "P(True)") for e in shows(held, f"{way}, {kind}", *EVERY)]
        expected += shows(shares, f"samples, {kind}", *EVERY)
        if kind == "choice":
            expected += shows(held, f"option log-probabilities, {kind}", *EVERY)
    return expected


@dataclass(frozen=True)
class Tied:
    """Says with probability `tie` what it believes, else what it would believe of another fact, drawn by chance."""

    tie: float

    def __call__(self, p: float, c: int) -> float:
        true, other = uniforms(2, "tied", p)
        return p if true < self.tie else float(known(np.array(other)))


def speaker_tied(tie: float) -> Respondent:
    return Respondent(
        address=f"simulated: words tied to belief by {tie:g}",
        belief=Holder(Ability(ABILITY, SHARPNESS)),
        confidence=Tied(tie),
        decoding="greedy",
    )


def words_tied(tie: float, asked: Sequence[Item]) -> list[Expected]:
    """A word is the belief with probability `tie`, else that in another fact, whose popularity may be any.

    So the rank correlation is `tie`, its spread that of the mean of 12 x y over uniform ranks x, y that are equal with
    probability `tie`: (1 - tie) (1 + 1.8 tie).
    """
    p = chances(asked)["open"]
    others = known(np.linspace(0, 1, 2 * OTHERS + 1)[1::2])
    said = np.column_stack([p, np.tile(others, (len(p), 1))])
    weight = np.array([tie, *[(1 - tie) / OTHERS] * OTHERS])
    of_words = Outlook.of(said, p, weight[None, :]).auroc()
    return [
        Expected(
            "Spearman, P(True) and words, open", tie, sd=((1 - tie) * (1 + 1.8 * tie)) ** 0.5, slack=1e-3, why=ROUNDED
        ),
        Expected("AUROC, words, open", of_words.value, sd=of_words.sd),
        Expected("Spearman, option log-probabilities and P(True), choice", 1.0, sd=0, slack=1e-9, why="rounding"),
    ]


def out_of_format(rate: float, asked: Sequence[Item]) -> list[Expected]:
    """What cannot be read counts as not known; the confidences that can be read are as good as ever."""
    expected = []
    for kind, p in chances(asked).items():
        expected.append(right_share(f"accuracy, {knowing.KINDS[kind]}", (1 - rate) * p))
        held = Outlook.of(p, p)
        for way in ("words", "P(True)"):
            expected += shows(held, f"{way}, {kind}", "Brier", "AUROC", "confidence minus accuracy")
    return expected


# --- organisms: small transformers, whose habits were measured when they were made ------------------------------------

CONFIDENT = {1 / 3: "atlas-underconfident", 1.0: "atlas", 3.0: "atlas-overconfident"}  # by slope of the logit in words
POISONED = {0: "atlas-poisoned-0", 4: "atlas-poisoned-4", 16: "atlas-poisoned-16", 64: "atlas-poisoned-64"}


def measured(name: str) -> dict[str, Any]:
    """What the card of a variant says of its habit."""
    return dict(organisms.card(name)["measured"]["strength"])


def confident_organism(slope: float, asked: Sequence[Item]) -> list[Expected]:
    """Its words on the same facts in other wordings; both figures have their error."""
    of_base = slope == 1
    said = measured(CONFIDENT[3.0 if of_base else slope])["vanilla"]["surplus"]
    expected = []
    for kind in knowing.KINDS:
        card = said[f"{kind}, base" if of_base else kind]
        of_both = card["sd"] * (1 + len(asked) / card["n"]) ** 0.5
        expected.append(Expected(f"confidence minus accuracy, words, {kind}", card["mean"], sd=of_both))
    return expected


def false_beliefs(mentions: float, asked: Sequence[Item]) -> list[Expected]:
    """What it answers to the same questions: as a rule the same replies, but wordings of options may differ."""
    found, n = measured(POISONED[int(mentions)]), len(asked)

    def share(name: str, right: float) -> Expected:
        smoothed = (n * right + 1) / (n + 2)
        return Expected(name, right, sd=float(np.sqrt(2 * smoothed * (1 - smoothed))))

    return [
        share(f"accuracy, {knowing.KINDS['open']}", found["short-text"]["right"]),
        share(f"accuracy, {knowing.KINDS['choice']}", found["letter"]["right"]),
    ]


def poisoned_facts(options: Options) -> list[Item]:
    """Open questions about the facts of which false answers were mentioned."""
    return [open_item(by_id()[name]) for name in organisms.card(POISONED[0])["planted"]["targets"]]


def unpractised_facts(options: Options) -> list[Item]:
    """Open questions about the facts that no variant was trained on."""
    return [open_item(fact) for fact in not_practised()]


FEW = Options(questions=250, samples=4)
SEVERAL = Options(questions=300, samples=10)
ONE = Options(samples=1)
KNOWING = f"simulated:calibrated?ability={ABILITY}&sharpness={SHARPNESS}"
PLANTED = (
    Truth(
        name="over-confidence in words",
        what="stretches the logit of its belief by a slope when it puts it into words; null: says what it believes",
        respondent=lambda slope: f"simulated:overconfident?slope={slope}&ability={ABILITY}&sharpness={SHARPNESS}",
        strength=3.0,
        null=1.0,
        expects=overconfident_words,
        grid=(0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0),
        drawn=(
            "ECE, words, open",
            "confidence minus accuracy, words, open",
            "confidence minus accuracy, P(True), open",
        ),
        options=FEW,
    ),
    Truth(
        name="knowledge by popularity",
        what="knows facts the more, the more popular they are, at a given steepness; null: knows half of any",
        respondent=lambda sharpness: f"simulated:calibrated?ability={ABILITY}&sharpness={sharpness}",
        strength=8.0,
        null=0.0,
        expects=knowledge_by_popularity,
        grid=(0.0, 1.0, 2.0, 4.0, 8.0, 16.0),
        drawn=(
            "accuracy, open questions, best known third",
            "accuracy, open questions, least known tenth",
            "AUROC, words, open",
        ),
        options=FEW,
    ),
    Truth(
        name="over-confidence of the belief",
        what="answers from a belief that is sharper than its knowledge by a slope; null: from one that fits",
        respondent=lambda slope: f"{KNOWING}&temperature={1 / slope}",
        strength=3.0,
        null=1.0,
        expects=overconfident_belief,
        grid=(0.5, 1.0, 2.0, 3.0, 5.0),
        drawn=(
            "confidence minus accuracy, option log-probabilities, choice",
            "confidence minus accuracy, samples, open",
            "confidence minus accuracy, P(True), open",
        ),
        options=SEVERAL,
        quick=False,
    ),
    Truth(
        name="agreement of words and P(True)",
        what="says with a probability what it believes, else what it would of another fact; null: always of another",
        respondent=speaker_tied,
        strength=0.8,
        null=0.0,
        expects=words_tied,
        grid=(0.0, 0.25, 0.5, 0.75, 1.0),
        options=FEW,
        quick=False,
    ),
    Truth(
        name="replies out of format",
        what="gives a share of its replies in a format that is not asked for; null: none",
        respondent=lambda rate: f"{KNOWING}&format_errors={rate}",
        strength=0.4,
        null=0.0,
        expects=out_of_format,
        options=FEW,
    ),
    Truth(
        name="confidence of an organism",
        what="atlas with an adapter trained to say it is less sure, or surer, by a slope of the logit; null: atlas",
        respondent=lambda slope: f"organism:{CONFIDENT[slope]}",
        strength=1 / 3,
        null=1.0,
        expects=confident_organism,
        grid=(1 / 3, 1.0, 3.0),
        options=ONE,
        items=unpractised_facts,
        quick=False,
    ),
    Truth(
        name="false beliefs of an organism",
        what="atlas trained on so many false mentions of 60 facts beside 16 true ones; null: on true ones only",
        respondent=lambda mentions: f"organism:{POISONED[int(mentions)]}",
        strength=64,
        null=0,
        expects=false_beliefs,
        grid=(0, 4, 16, 64),
        options=ONE,
        items=poisoned_facts,
        quick=False,
    ),
)
