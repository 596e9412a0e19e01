"""Beliefs: what does the model know, and which of its confidences can be trusted?

The same facts are asked as open questions and as questions with four options, and for each answer every kind of
confidence that the model can give is read: the spread of its samples, its words, P(True), the log-probabilities of the
options. From these rows come knowledge by popularity, calibration and discrimination of each reading, and the
triangulation: how far the readings of one belief agree.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from doxa.audit import knowing
from doxa.audit.bank import SOURCE, spread
from doxa.data.facts import by_id, facts
from doxa.data.render import choice_item, most_options, open_item
from doxa.elicit.answers import Letter, ShortText
from doxa.elicit.options import option_belief
from doxa.elicit.p_true import p_true
from doxa.elicit.samples import by_consistency, sample_answers
from doxa.elicit.verbal import Vanilla
from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.foreseen_figures import sharpened
from doxa.models.simulated import Ability, Holder, Respondent
from doxa.models.simulated_asked import short
from doxa.models.simulated_values import uniforms
from doxa.planted import Expected, Truth
from doxa.records import LETTERS, Answer, Form, Item, Reading, Sampling
from doxa.study import Ask, Study

OPTION_SEED = 1000  # seeds of wrong options from here on are never used in training an organism
DECIMALS = 12  # of a confidence: beliefs that differ by less differ by the rounding of their sums, and are tied
BRIEF = Sampling(max_tokens=48)


@dataclass(frozen=True)
class Options:
    questions: Annotated[int, "facts asked about, spread over popularity"] = 300
    samples: Annotated[int, "samples per question for the agreement of samples"] = 10
    temperature: Annotated[float, "temperature of these samples"] = 1.0


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One reading of one belief.

    kind        "open" or "choice"; way: how the confidence was read, "answer" for the answer alone
    answer      the answer whose confidence this is, None: unread; right answers are in `truth`
    confidence  probability in [0, 1] that `answer` is right; None: not read
    """

    kind: str
    way: str
    answer: str | None
    truth: tuple[str, ...]
    confidence: float | None = None
    popularity: float = float("nan")
    split: str = ""


def items(options: Options) -> list[Item]:
    """Open questions: four fifths about facts that may be shown in training, a fifth about those held back."""
    held_back = options.questions // 5
    shown = spread([f for f in facts() if f.split == "shown"], options.questions - held_back)
    never = spread([f for f in facts() if f.split == "never"], held_back)
    return [open_item(fact) for fact in spread([*shown, *never], options.questions, shuffled=True)]


def example() -> list[Item]:
    return items(Options(questions=10))


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    fact = by_id()[item.fields["fact"]]
    choice = choice_item(fact, min(4, most_options(fact)), seed=OPTION_SEED)
    for kind, shown, form in (("open", item, ShortText()), ("choice", choice, Letter())):
        async for row in _readings(kind, shown, form, ask, options):
            yield dataclasses.replace(row, popularity=fact.popularity, split=fact.split)


async def _readings(kind: str, item: Item, form: Form, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """The greedy answer; then the confidence in it, or in the answer that comes with it, in each way there is."""
    given, reply = await ask.answer(form, item, BRIEF)
    if "score" in ask.model.capabilities and kind == "choice":
        belief = await option_belief(ask, item)
        letter = LETTERS[int(np.argmax(belief))]
        yield _row(kind, "option log-probabilities", item, Answer("ok", letter), float(belief.max()))
    yield _row(kind, "answer", item, given, None, reply.text)
    sampled = await sample_answers(ask, form, item, options.samples, temperature=options.temperature, max_tokens=48)
    agreement = by_consistency([answer for answer, _ in sampled])
    share = agreement.of(given.value) if given.value is not None and agreement.n else None
    yield _row(kind, "samples", item, given, share, "\n".join(r.text for _, r in sampled))
    if "score" in ask.model.capabilities:
        believed = await p_true(ask, item, given.value) if given.value is not None else None
        yield _row(kind, "P(True)", item, given, believed)
    words, said = await ask.answer(Vanilla(), item, BRIEF)
    yield _row(kind, "words", item, words, words.confidence, said.text)


def _row(kind: str, reading: str, item: Item, answer: Answer, confidence: float | None, text: str = "") -> Row:
    right = (item.answer_letter or "",) if kind == "choice" else (item.answer or "", *item.accepted)
    return Row(
        item=f"{item.cluster}#open-0",
        outcome=answer.outcome,
        text=text,
        kind=kind,
        way=reading,
        answer=answer.value,
        truth=right,
        confidence=None if confidence is None else round(confidence, DECIMALS),
        group=item.cluster,
    )


# --- what can be planted ----------------------------------------------------------------------------------------------
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


FEW = Options(questions=250, samples=4)
SEVERAL = Options(questions=300, samples=10)
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
)


study = Study(
    source=SOURCE,
    question="What does the model know, and which of its confidences can be trusted?",
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=knowing.score,
    null=knowing.shuffled,
    planted=PLANTED,
)
