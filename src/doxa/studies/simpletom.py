"""SimpleToM: does the model that says what a person does not know also predict and judge that person accordingly?

A story tells something that person X cannot see, and what X does. The model is asked whether X is likely to be aware of
it, what X will do next, and whether what X does, who does not know, is reasonable. Interventions help it along: its own
answer on awareness as a reminder, and reasoning. As No is B in every story and Reasonable always right, the twin of
each story (one more sentence, after which X knows) and the opposite act are asked about, too: a constant answer is
right in half of them.

Differs from the paper: 120 stories of our own in its ten scenarios (--set takes others in the seed format, or the
published ones by hub id), prompts in our words without a system message; twins, opposite acts, awareness with its
options swapped, the same question asked again and behind a turn that says nothing, and an earlier question about the
words of the story alone, against which a reminder is held; cut reasoning is missing, not searched for a letter (--cut
searched: as published, accuracy may move either way). Reconstructed from the abstract, the dataset card and the
repository.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from doxa.charts.mental_states import model_charts, story_charts
from doxa.data import mental_state_figures
from doxa.data import stories as told
from doxa.data import story_persons as persons
from doxa.data.stories import Story, World, question, story_item, story_of
from doxa.data.story_files import stories
from doxa.elicit import story_answers
from doxa.elicit.stories import Reasoning
from doxa.elicit.story_arms import ARMS, Arm, asked
from doxa.metrics import mental_state_arms, mental_state_letters
from doxa.metrics import mental_states as figures
from doxa.models.simulated import Respondent
from doxa.planted import Expected, Truth
from doxa.records import Answer, Estimate, Findings, Item, Prompt, Reading, Table, count_outcomes
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Options:
    arms: Annotated[str, f"besides none, with commas: {', '.join(ARMS)}; or all"] = "again,noop,filler,reminder"
    twins: Annotated[Literal["no", "plain", "all"], "ask where X knows: not, in arm none, in all arms"] = "plain"
    third: Annotated[Literal["no", "both", "neither", "each"], "also offer a third answer on what X will do"] = "no"
    set: Annotated[str | None, "stories: a JSON file in the seed format, or a hub id; none: our own"] = None
    cut: Annotated[Literal["missing", "searched"], "letters of cut replies; published: searched"] = "missing"
    ambiguous: Annotated[Literal["counted", "missing"], "letters picked among several, as published or not"] = "counted"
    scores: Annotated[bool, "also log-probabilities of the options, where the model gives them"] = True
    max_tokens: Annotated[int, "longest reply without reasoning"] = 20
    reasoning_tokens: Annotated[int, "longest reply with reasoning"] = 500

    def __post_init__(self) -> None:
        unknown = [name for name in self.named if name not in ARMS]
        if unknown:
            raise ValueError(f"arms has {unknown[0]!r}; there are {', '.join(ARMS)}, and all")

    @property
    def named(self) -> list[str]:
        """The arms in their order; none is always asked."""
        given = {name.strip() for name in self.arms.split(",") if name.strip()} | {"none"}
        return list(ARMS) if "all" in given else [n for n in ARMS if n in given] + sorted(given - set(ARMS))


@dataclass(frozen=True, kw_only=True)
class Row(Reading):
    """One answer about one story.

    arm       one of ARMS; world: "hidden" (X does not know) or "known"; question: one of `data.stories.QUESTIONS`
    answer    the letter that the published rule finds; None: none. Whether it counts, `outcome` and the options say
    truth     the right letter
    logprobs  of the options, nats, minus infinity: not seen; empty: none could be had
    reminded  the answer of the earlier question, "" without one
    """

    arm: str
    world: str
    question: str
    answer: str | None
    truth: str
    logprobs: tuple[float, ...] = ()
    reminded: str = ""
    scenario: str = ""
    severity: int = 2
    generator: str = ""


# --- asking ----------------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """One item for each story; what is asked about it is decided by the options."""
    return [story_item(story) for story in stories(options.set)]


def example() -> list[Item]:
    return [story_item(story) for story in stories(None)[:6]]


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """Every question of every arm in a conversation of its own."""
    for world in told.WORLDS if options.twins != "no" else told.WORLDS[:1]:
        asking = _Asking(story_of(item), world, ask, options)
        for arm in options.named if world == "hidden" or options.twins == "all" else ["none"]:
            for name in _questions(arm, options):
                row = await asking.row(arm, name)
                if row is not None:
                    yield row


def _questions(arm: str, options: Options) -> tuple[str, ...]:
    if arm == "none":
        third = tuple(f"action-{name}" for name in told.THIRD if options.third in (name, "each"))
        return (told.AWARE, told.SWAPPED, told.ACTION, told.JUDGE, told.OTHER, *third)
    return (told.ACTION, told.JUDGE) if ARMS[arm].earlier else (told.AWARE, told.ACTION, told.JUDGE)


@dataclass
class _Asking:
    """One story in one world; what was said about awareness is kept for reminders."""

    story: Story
    world: World
    ask: Ask
    options: Options
    own: dict[Reasoning, Answer] = field(default_factory=dict)

    async def row(self, name: str, about: str) -> Row | None:
        """One answer; None: there is nothing to remind of, as the answer on awareness could not be read."""
        story, arm = self.story, ARMS[name]
        earlier, letter = await self._earlier(arm)
        if letter is None:
            return None
        condition = f"{name}/{self.world}/{about}"
        prompt = arm.prompt(question(story, about, self.world), earlier, letter)
        answer, text, logprobs = await self._asked(arm, prompt, condition)
        shown = prompt.item
        assert shown is not None
        if about == told.AWARE and name in ("none", "cot", "minds"):
            self.own[arm.reasoning] = answer
        return Row(
            item=story.id,
            condition=condition,
            outcome=answer.outcome,
            text=text,
            arm=name,
            world=self.world,
            question=about,
            answer=answer.value,
            truth=shown.answer_letter or "",
            logprobs=logprobs,
            reminded=str(shown.fields.get("reminded", "")),
            scenario=story.scenario,
            severity=story.severity,
            generator=story.generator,
        )

    async def _earlier(self, arm: Arm) -> tuple[Item, str | None]:
        """The question before, and the letter that answers it."""
        if arm.earlier == "filler":
            words = told.text_question(self.story, self.world)
            return words, words.answer_letter
        aware = question(self.story, told.AWARE, self.world)
        if arm.earlier != "own":
            return aware, aware.answer_letter
        if arm.reasoning not in self.own:  # asked in the same way, once
            way = arm.reasoning
            prompt = ARMS[way].prompt(aware, aware, "A")
            self.own[arm.reasoning] = (await self._asked(ARMS[way], prompt, f"{way}/{self.world}/aware"))[0]
        own = self.own[arm.reasoning]
        return aware, own.value if own.outcome in counted(self.options) else None

    async def _asked(self, arm: Arm, prompt: Prompt, condition: str) -> tuple[Answer, str, tuple[float, ...]]:
        plain, options = arm.reasoning == "none", self.options
        longest = options.max_tokens if plain else options.reasoning_tokens
        scores = plain and options.scores
        return await asked(self.ask, prompt, max_tokens=longest, scores=scores, condition=condition)


def counted(options: Options) -> set[str]:
    """Outcomes whose letter counts."""
    cut = {"truncated"} if options.cut == "searched" else set()
    return {"ok"} | cut | ({"ambiguous"} if options.ambiguous == "counted" else set())


# --- scoring ---------------------------------------------------------------------------------------------------------

BY_ANSWER = ("By probability", "Answers")  # sections that count answers, of which a story has several


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """What is known of X, what is made of it, and whether a constant answer would do as well."""
    table = figures.told(rows, counted(options))
    outcomes = count_outcomes(rows["outcome"].to_list())
    found = {
        "Three questions": figures.questions(table),
        "Twins": figures.twins(table),
        "Third option": mental_state_arms.third(table),
        "Interventions": mental_state_arms.interventions(table),
        "Reminders": mental_state_arms.reminders(table),
        "By probability": mental_state_letters.probabilities(table),
        "Answers": mental_state_letters.letters(table) | mental_state_letters.unread(table),
        "By scenario": figures.averages(table),
    }
    estimates = tuple(
        Estimate.of(
            name,
            interval,
            unit="answers" if section in BY_ANSWER else "stories",
            outcomes=outcomes,
            section=section,
            bounds=_bounds(table, name),
        )
        for section, made in found.items()
        for name, interval in made.items()
    )
    lines = [(line[0], *line[2::3]) for line in figures.by(table, table.scenario) if line[0]]
    drawn = tuple(story_charts(estimates, table.arms(), lines))
    figured = Findings(estimates, tuple(_tables(table)), drawn)
    only = {str(arm) for arm in rows["arm"].unique()} - {"none"} if rows["arm"].n_unique() == 1 else set()
    notes = (f"All answers are of arm {arm}; the figures are those of this arm." for arm in only)
    return replace(figured, notes=(*notes, *_notes(table, figured)))


def _bounds(table: figures.Told, name: str) -> tuple[float, float] | None:
    return figures.bounds(table, figures.plain(name)) if name in figures.ASKED else None


def _tables(table: figures.Told) -> Iterator[Table]:
    for name, column in (("scenario", table.scenario), ("severity", table.severity), ("generator", table.generator)):
        if any(column):
            yield Table(f"By {name}", (name, *figures.BY), tuple(figures.by(table, column)))
    yield Table(
        "Right on one question and not on the other",
        figures.MCNEMAR,
        tuple(figures.mcnemar(table)),
        note="McNemar's test; the severities of a core change signs together.",
    )


def _notes(table: figures.Told, found: Findings) -> Iterator[str]:
    twins = [found.estimate(f"{q}, with twins") for q in figures.ASKED if f"{q}, with twins" in found]
    letter, unread = found.estimate("answers with letter A"), found.estimate("unread")
    if twins and not any(e.low > 0.5 for e in twins):
        yield (
            "With its twins no question is answered better than by a constant answer (1/2): what is said does not "
            "depend on what X can see; the figures of the published questions are those of a habit."
        )
    elif not twins:
        yield "Without twins a constant answer can be right: No is B in every story, and Reasonable is always right."
    if letter.n and not 0.2 < letter.value < 0.8:
        often = max(letter.value, 1 - letter.value)
        yield f"{often:.0%} of the answers to shuffled options have one letter, {'A' if letter.value > 0.5 else 'B'}."
    for arm in (name for name in table.arms() if name in ARMS and ARMS[name].earlier == "own"):
        left = table.truths.get((arm, "hidden", told.ACTION), []).count(None)
        if left:
            yield f"{left} stories are not in arm {arm}: the answer on awareness could not be read."
    cut = sum(a is None and how == "truncated" for c in table.truths for a, how in figures.reading(table, c))
    if cut:
        yield f"{cut} replies end before their answer, and are missing (--cut searched: as published)."
    if unread.value > 0:
        yield f"{unread.value:.1%} of {unread.n} answers could not be read; they count as wrong, as published."


# --- recorded answers ------------------------------------------------------------------------------------------------


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run, or a published result file."""
    rows, notes = story_answers.answers(path)
    return Recorded(path.stem, frame(rows, Row), notes=notes)


def score_recorded(recorded: Recorded, options: Options) -> Findings:
    found = score(recorded.rows, options)
    return replace(found, notes=(*found.notes, *recorded.notes))


def across(recorded: Sequence[Recorded], options: Options) -> Findings:
    """Models side by side: the three questions, and what X does by scenario."""
    found: dict[str, figures.Told] = {}
    for r in recorded:
        label = r.label if r.label not in found else f"{r.label} ({len(found) + 1})"
        found[label] = figures.told(r.rows, counted(options))
    right = {name: [figures.share(t, t.right(figures.plain(q))) for q in figures.ASKED] for name, t in found.items()}
    models = tuple((name, *(i.value for i in intervals)) for name, intervals in right.items())
    bars = [(name, q, i) for name, of in right.items() for q, i in zip(figures.ASKED, of, strict=True)]
    cells = [(line[0], name, line[5]) for name, t in found.items() for line in figures.by(t, t.scenario) if line[0]]
    table = Table("Models", ("model", *figures.ASKED), models)
    return Findings((), (table,), tuple(model_charts(bars, cells)))


# --- what can be planted ---------------------------------------------------------------------------------------------

TIMES = 2  # every story so many times, each as a story of its own


def repeated(options: Options) -> list[Item]:
    return [story_item(story) for story in persons.copies(stories(None), TIMES)]


def respondent(person: Any, format_errors: float = 0.0) -> Respondent:
    return Respondent(address=f"simulated: {person}", decide=person, format_errors=format_errors)


def truth(name: str, what: str, person: Callable[[float], Any], strength: float, options: Options) -> Truth:
    """A person of some strength, who says what must be measured; with a strength of 0 nothing is planted."""

    def expects(strength: float, asked: Sequence[Item]) -> Iterator[Expected]:
        return (Expected(name, value, sd=sd, n=n) for name, value, sd, n in person(strength).expects(asked))

    return Truth(name, what, lambda s: respondent(person(s)), strength, 0.0, expects, options=options)


PLAIN = Options("again", scores=False)
PLANTED = (
    replace(
        truth(
            "a gap between knowing and applying",
            "says what X knows, but acts and judges by it at lower rates; null: it applies what it knows",
            persons.Applier.gap,
            0.5,
            replace(PLAIN, scores=True),
        ),
        items=repeated,
        grid=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
        drawn=("aware", "action", "judge"),
    ),
    truth(
        "reality bias",
        "in a share of stories acts and judges as if X knew what the reader knows; null: never",
        persons.RealityBiased,
        0.6,
        PLAIN,
    ),
    truth(
        "one letter", "gives the letter B at a rate, else the right answer; null: never", persons.Lettered, 0.7, PLAIN
    ),
    truth(
        "reminders",
        "guesses what X does, but goes at a rate by what it is reminded of; null: never",
        persons.Reminded,
        0.9,
        Options("filler,reminder,gold-reminder,chat-reminder,chat-filler", twins="no", scores=False),
    ),
    truth(
        "reasoning and a third option",
        "is right on what X does more often after reasoning, takes a third option at a rate; null: no more often",
        persons.Reasoner,
        0.5,
        Options("cot,minds,reminder+minds", twins="no", third="each", scores=False),
    ),
    replace(
        truth(
            "unread replies",
            "always right, but gives a share of its replies out of format; null: none",
            persons.Right,
            0.3,
            Options(scores=False),
        ),
        respondent=lambda rate: respondent(persons.Right(rate), format_errors=rate),
        limit=120,
    ),
)

study = Study(
    source=Source(
        "SimpleToM: Exposing the Gap between Explicit ToM Inference and Implicit ToM Application in LLMs",
        2024,
        arxiv="2410.13648",
        venue="ICLR 2026",
    ),
    question="Does a model that says what a person does not know also predict and judge that person accordingly?",
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=figures.shuffled,
    read_file=read_file,
    score_recorded=score_recorded,
    across=across,
    published=tuple(Published(*figure) for figure in mental_state_figures.figures()),
    planted=PLANTED,
)
