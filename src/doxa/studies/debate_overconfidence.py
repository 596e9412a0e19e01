"""Debate overconfidence: do both sides of a debate claim to be winning, and ever more so the longer it goes on?

Two sides debate a motion over three rounds, opening, rebuttal, closing; in a round neither hears the other's speech of
that round. Every speech ends with private reasons and a bet of 0 to 100 tokens on winning. By symmetry the mean of both
sides' bets must be 50, whatever their skills, so no judge is needed to see overconfidence; a jury, where one is asked
(--jury), says whose bets fit. Control arms say what a rise must be held against: the opening bet asked for again, after
a turn in which nothing was said, and after remarks of the chair as long as the speeches.

Differs from the paper: motions are ours (--set takes others, facts of the bank, or recorded debates, which go on from
their turns); a bet that cannot be read is asked for again, then missing, and bets of 0 stay; high means above 75 as in
the published program, the share at least 75 as in its text stands beside it; a plain chance of winning can be asked for
(--elicitation), because tokens invite strategy; sd with n - 1 (--variant published: bets of 0 left out, sd with n). The
speeches of models too small to argue hold no bets: with --set bank --speech none each side is only asked how likely its
own statement is true. Reconstructed from the abstract and the repository; the temperature is not known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from doxa.charts import bets as charts
from doxa.data import debate_figures, motions
from doxa.elicit import debate_files as files
from doxa.elicit.bet_judges import ASSESSMENTS, DEGREES, JudgedBet, aligned_by, judgeable, verdict_by
from doxa.elicit.debaters import Debater
from doxa.elicit.debating import SETTINGS, SIDES, THOUGHTS, inside, kinds, other
from doxa.metrics import bet_tables as tables
from doxa.metrics import bet_verdicts as verdicts
from doxa.metrics import foreseen_bets as foreseen
from doxa.planted import Expected, Truth
from doxa.records import Chart, Estimate, Findings, Item, Sampling, Table, count_outcomes
from doxa.simulation import betting
from doxa.study import Ask, Published, Recorded, Source, Study, frame

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Options:
    settings: Annotated[str | None, f"with commas: {', '.join(SETTINGS)} [cross_model, self_debate]"] = None
    opponent: Annotated[str | None, "the other model of cross_model, by address; sides change"] = None
    speech: Annotated[Literal["full", "short", "none"], "structured, two or three sentences, or bets alone"] = "full"
    elicitation: Annotated[Literal["bet", "probability", "both"], "tokens, a plain chance, or that beside"] = "bet"
    rounds: Annotated[int, "speeches of each side; multi_round has at least 4"] = 3
    controls: Annotated[bool, "the opening bet again, after a no-op turn, and after filler"] = True
    jury: Annotated[str | None, "who says who won: addresses with commas, 'self': the debater"] = None
    verdicts: Annotated[int, "by each of the jury on each debate"] = 2
    aligners: Annotated[str | None, "who compares bets with reasons: addresses, 'self', 'rule'"] = None
    set: Annotated[str | None, "bank, motions (.txt, .json), recorded debates; none: our motions"] = None
    motions: Annotated[int, "of our 20 motions, or the bank's; a file is used whole"] = 12
    attempts: Annotated[int, "times a reply without a bet is asked for, in all"] = 3
    temperature: Annotated[float | None, "of debaters and jury [1; facts without speeches: 0]"] = None
    max_tokens: Annotated[int, "longest speech or verdict"] = 2000
    variant: Annotated[Literal["corrected", "published"], "published: no bets of 0, sd with n"] = "corrected"

    def __post_init__(self) -> None:
        kinds(self.rounds)
        if unknown := [name for name in self.conditions if name not in SETTINGS]:
            raise ValueError(f"setting {unknown[0]!r} is none of {', '.join(SETTINGS)}")
        if "cross_model" in self.conditions and self.opponent is None:
            raise ValueError("cross_model needs another model: give its address as opponent, or name other settings")
        if self.speech == "none" and self.jury:
            raise ValueError("a jury judges speeches; speech is 'none'")

    @property
    def conditions(self) -> list[str]:
        return _names(self.settings) or ["cross_model" if self.opponent else "self_debate"]

    @property
    def sampling(self) -> Sampling:
        bare = self.speech == "none" and self.set == "bank"
        temperature = self.temperature if self.temperature is not None else 0.0 if bare else 1.0
        return Sampling(temperature=temperature, max_tokens=self.max_tokens)

    def rules(self, setting: str, rounds: int) -> betting.Rules:
        length = None if self.speech == "none" else self.speech
        wager = "probability" if self.elicitation == "probability" else "bet"
        return betting.Rules(setting, rounds, length, wager, self.attempts, self.sampling)


def _names(listed: str | None) -> list[str]:
    return [name.strip() for name in (listed or "").split(",") if name.strip()]


@dataclass(frozen=True, kw_only=True)
class Row(JudgedBet):
    """A bet, a verdict, or a judgement of a bet.

    arm      "debate", "probability" (a chance beside the bet), "again", "no-op", "filler", "jury", "alignment"
    setting  condition; side, speech, round (from 1): of the bet; bettor, opponent: models; motion: its text
    bet      0 to 100 tokens, None: not read; truth: the side that should win, None: nobody knows
    """

    arm: str
    setting: str
    side: str = ""
    speech: str = ""
    round: int = 0
    bet: float | None = None
    bettor: str = ""
    opponent: str = ""
    motion: str = ""
    truth: str | None = None


# --- what is debated -------------------------------------------------------------------------------------------------


def items(options: Options) -> list[Item]:
    """One item for each debate: each motion under each condition, in cross_model with sides changed, too."""
    if options.set not in (None, "bank") and files.is_recorded(Path(str(options.set))):
        return files.recorded_debates(Path(str(options.set)))
    if options.set == "bank":
        every = motions.bank_motions(options.motions)
    else:
        every = motions.listed_motions(Path(options.set)) if options.set else motions.own_motions(options.motions)
    return [debated for name in options.conditions for debated in _debates(every, name)]


def _debates(every: Sequence[Item], setting: str) -> list[Item]:
    return motions.debates_on(every, setting, turned=not SETTINGS[setting].alone)


def example() -> list[Item]:
    made = [Item(f"lamp-{i}", f"This House would light lamp {i} at noon.", "statement") for i in range(4)]
    return _debates(made, "self_debate")


# --- asking ----------------------------------------------------------------------------------------------------------


async def collect(item: Item, ask: Ask, options: Options) -> AsyncIterator[Row]:
    """One debate, its control arms, the verdicts on it and the judgements of its bets."""
    item = replace(item, fields={"setting": options.conditions[0], **item.fields})
    setting, said = str(item.fields["setting"]), item.fields.get("said", ())
    least = SETTINGS[setting].rounds if setting in SETTINGS else 2
    rules = options.rules(setting, max([options.rounds, *([turn["round"] for turn in said] or [least])]))
    asks = _speakers(item, ask, options)
    common: dict[str, Any] = {"item": item.id, "setting": setting, "motion": item.text, "truth": _truth(item)}
    if options.speech == "none" and "denial" in item.fields:
        async for stake in betting.claims(item, asks, rules, beside=options.controls):
            yield _bet(stake, item, asks, common)
        return
    talk = await betting.held(item, asks, rules, said)
    bets = [_bet(stake, item, asks, common) for stake in betting.stakes(talk, rules)]
    for row in bets:
        yield row
    if options.controls and not said:  # of a recorded debate nobody knows who spoke, and how
        async for stake in betting.controls(item, asks, talk, rules):
            yield _bet(stake, item, asks, common)
    if options.elicitation == "both" and not said:
        async for stake in betting.chances(item, asks, talk, rules):
            yield _bet(stake, item, asks, common)
    told = betting.transcript(talk, None, rules)
    for judge in (_other(name, ask) for name in _names(options.jury)):
        for sample in range(options.verdicts):
            verdict = await verdict_by(judge, item, told, replace(options.sampling, seed=sample))
            name = files.model_of(judge.model.address)
            yield Row(**common, **verdict, arm="jury", condition="jury", judge=name, sample=sample)
    for name in _names(options.aligners):
        for bet in bets:
            if (judged := await _alignment(name, bet, ask)) is not None:
                yield judged


def _other(name: str, ask: Ask) -> Ask:
    """Somebody else who is asked about the same debate, or the debater."""
    return ask if name == "self" else ask.beside(name)


def _speakers(item: Item, ask: Ask, options: Options) -> dict[str, Ask]:
    """Who speaks for each side."""
    setting = SETTINGS.get(str(item.fields["setting"]))
    if setting is None or setting.alone or options.opponent is None:
        return dict.fromkeys(SIDES, ask)
    opponent = _other(options.opponent, ask)
    return {side: ask if side == item.fields.get("asked_side", SIDES[0]) else opponent for side in SIDES}


def _truth(item: Item) -> str | None:
    """The side that should win, where that is known."""
    if item.answer in ("true", "false"):
        return SIDES[item.answer == "false"]
    return item.fields.get("winner")


def _bet(stake: betting.Stake, item: Item, asks: dict[str, Ask], common: dict[str, Any]) -> Row:
    told = [one for one in item.fields.get("said", ()) if (one["side"], one["round"]) == (stake.side, stake.round)]
    own, against = (files.model_of(asks[side].model.address) for side in (stake.side, other(stake.side)))
    if told and stake.arm == "debate":
        own, against = told[0]["bettor"] or own, told[0]["opponent"] or against
    return Row(**common, **stake.fields(), bettor=own, opponent=against)


async def _alignment(name: str, bet: Row, ask: Ask) -> Row | None:
    """What a judge makes of a bet; None where there is too little to judge."""
    reasons = (inside(bet.text, THOUGHTS) or [""])[-1]
    if bet.bet is None or not judgeable(bet.bet, reasons):
        return None
    where, asker = f"alignment/{bet.side}/{bet.round}", None if name == "rule" else _other(name, ask)
    told = await aligned_by(asker, ask.item, bet.bet, reasons, condition=where)
    told["judge"] = files.model_of(asker.model.address) if asker else "rule"
    return replace(bet, **told, arm="alignment", condition=where)


# --- scoring ---------------------------------------------------------------------------------------------------------

Parts = dict[str, tuple[tables.Debates, verdicts.Verdicts]]


def score(rows: pl.DataFrame, options: Options) -> Findings:
    """Bets, pairs of bets, what they are worth where somebody says who won, and bets beside their reasons."""
    rows = rows.sort("item", "arm", "side", "round", "judge", "sample")
    known = rows.filter(rows["arm"] == "debate")["setting"].unique().to_list()
    settings = [name for name in SETTINGS if name in known] + sorted(set(known) - SETTINGS.keys())
    parts: Parts = {}
    for name in settings or ([] if len(rows) else options.conditions):
        part = tables.Debates(rows.filter(rows["setting"] == name), options.variant == "published")
        parts[name] = part, verdicts.Verdicts(part)
    estimates = [e for name, (part, judged) in parts.items() for e in _estimates(name, part, judged)]
    estimates += _alignments(rows)
    lines, drawn, notes = _tables(parts, rows), _charts(parts), _notes(parts, rows, options)
    return Findings(tuple(estimates), tuple(lines), tuple(drawn), notes=tuple(notes))


def _estimates(name: str, part: tables.Debates, judged: verdicts.Verdicts) -> Iterator[Estimate]:
    for heading, figures in {**part.figures(), "Who won": judged.figures()}.items():
        arm = "jury" if heading == "Who won" else "debate"
        outcomes = count_outcomes(part.rows.filter(part.rows["arm"] == arm)["outcome"].to_list())
        told: dict[str, Any] = {"outcomes": outcomes, "section": f"{heading}, {name}"}
        for what, interval in figures.items():
            bounds = part.bounds(what.removesuffix(" bet")) if what.endswith(" bet") and not part.published else None
            unit = "debates" if heading == "Both sides" or what.startswith(("proposition", "verdicts")) else "bets"
            yield Estimate.of(f"{what}, {name}", interval, unit=unit, bounds=bounds, **told)


def _alignments(rows: pl.DataFrame) -> Iterator[Estimate]:
    told = rows.filter(rows["arm"] == "alignment")
    for judge in sorted(set(told["judge"].to_list())):
        outcomes = count_outcomes(told.filter(told["judge"] == judge)["outcome"].to_list())
        how: dict[str, Any] = {"unit": "bets", "outcomes": outcomes, "section": "Bets beside their reasons"}
        for label in ASSESSMENTS:
            yield Estimate.of(f"{label}, {judge}", verdicts.aligned(rows, judge, label), **how)
            if (true := verdicts.aligned_corrected(rows, judge, label)) is not None:
                yield Estimate.of(f"{label} where no number is stated, corrected, {judge}", true, **how)


def _tables(parts: Parts, rows: pl.DataFrame) -> Iterator[Table]:
    for name, (part, judged) in parts.items():
        for what, columns, lines, note in (*part.tables(), *judged.tables()):
            yield Table(f"{what}, {name}", columns, lines, note=note)
    for what, columns, lines, note in verdicts.alignment_tables(rows, ASSESSMENTS, DEGREES):
        yield Table(what, columns, lines, note=note)


def _charts(parts: Parts) -> list[Chart]:
    means = {(of, speech): part.mean(speech) for of, (part, _) in parts.items() for speech in files.ORDER}
    bettors = {of: {model: part.mean("opening", model) for model in part.models()} for of, (part, _) in parts.items()}
    pairs = {of: part.both.select("one", "two").rows() for of, (part, _) in parts.items()}
    return charts.bet_charts(means, bettors, pairs)


def _notes(parts: Parts, rows: pl.DataFrame, options: Options) -> Iterator[str]:
    for name, (part, judged) in parts.items():
        asked, by_speech = part.asked()
        missing = sum(unread for unread, _ in by_speech.values())
        where = ", ".join(f"{speech} {unread} of {n}" for speech, (unread, n) in by_speech.items())
        yield f"{name}: {missing} of {asked} bets could not be read ({where}); they are missing, not 50."
        if asked and missing == asked:
            yield (
                f"{name}: no reply ended with a bet, so this method measures nothing here. A model that writes no "
                "speeches can be asked for its chances alone: --set bank --speech none."
            )
        if decided := list(judged.decided.values()):
            yield f"{name}: the jury is tied on {decided.count('tie')} of {len(decided)} debates; half a win each."
    if options.sampling.temperature == 0 and "again" in rows["arm"]:
        yield "At temperature 0 asking again gives the same reply, so that arm shows no noise of its own."
    if "alignment" in rows["arm"]:
        yield "Corrected: the judge's errors are learned where reasons state one number and arithmetic gives the label."


def read_file(path: Path, options: Options) -> Recorded:
    """Rows of a run, a table of bets, raw debates (a file or a folder), or judgements of bets beside their reasons."""
    return Recorded(path.stem, frame(files.debate_rows(path), Row))


# --- what can be planted ---------------------------------------------------------------------------------------------
# Debaters bet by rule on 60 debates; the proposition is better by an even number of tokens from -20 to 20.

NOISE, BIAS, ERRS = 5.0, 20.0, 0.3
QUICK = Options(speech="short", controls=False)
CONTROLLED = replace(QUICK, controls=True)
BANK = Options(set="bank", speech="none", motions=60, controls=False)


def expected(figures: dict[str, foreseen.Foreseen], setting: str = "self_debate") -> Iterator[Expected]:
    for name, one in figures.items():
        yield Expected(f"{name}, {setting}", one.value, sd=one.sd, n=one.n)


def lifted(setting: str = "self_debate", skills: Sequence[float] = motions.SKILLS, **how: Any) -> Iterator[Expected]:
    return expected(foreseen.by_rule(skills, noise=NOISE, **how), setting)


def judged_reasons(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    bets, judge = 6 * len(asked), "simulated: debater"
    yield Expected("Overbetting, rule", rate, n=bets // 2)
    yield Expected(f"Overbetting, {judge}", rate * (1 - ERRS), n=bets)
    one, name = foreseen.overbetting_corrected(rate, ERRS, 0.5, bets), "where no number is stated, corrected"
    yield Expected(f"Overbetting {name}, {judge}", one.value, one.sd, one.n)


def unread(rate: float, asked: Sequence[Item]) -> Iterator[Expected]:
    yield Expected("unread bets, self_debate", rate)
    yield Expected("opening bet, self_debate", 50 + BIAS, sd=foreseen.spread(NOISE))


def truth(name: str, what: str, parameter: str, strength: float, expects: Any, **more: Any) -> Truth:
    """One parameter of a debater, beside `fixed` ones; absent at 0, or at `null`."""
    fixed = more.pop("fixed", {})
    more = {"items": lambda o: motions.unequal_debates(o.conditions[0]), "options": QUICK, "null": 0.0, **more}

    def respondent(value: float) -> Debater:
        return Debater(noise=NOISE, **{**fixed, parameter: value})

    return Truth(name=name, what=what, respondent=respondent, strength=strength, expects=expects, **more)


PLANTED = (
    truth(
        "overconfidence", "adds tokens to every bet; null: bets its chance", "bias", BIAS,
        lambda b, _: lifted(bias=b), grid=(0.0, 5.0, 10.0, 15.0, 20.0, 25.0),
        drawn=("closing bet, self_debate", "excess of the sum, self_debate"),
    ),
    truth(
        "escalation", "adds tokens after every round of speeches; null: none", "drift", 5.0,
        lambda d, _: lifted(bias=BIAS, drift=d, controls=True), fixed={"bias": BIAS}, options=CONTROLLED,
        grid=(-5.0, 0.0, 2.5, 5.0, 7.5), drawn=("opening to closing, self_debate", "both above 75, self_debate"),
    ),
    truth(
        "moved by mere words", "adds tokens for filler as for speeches; null: none", "moved", 5.0,
        lambda m, _: lifted(bias=10, moved=m, controls=True), fixed={"bias": 10.0}, options=CONTROLLED,
    ),
    truth(
        "overconfidence in a plain chance, public", "adds tokens to every chance; null: none", "bias", BIAS,
        lambda b, _: lifted("public_bets", bias=b),
        options=replace(QUICK, settings="public_bets", elicitation="probability"),
    ),
    truth(
        "overconfidence about statements", "each side adds tokens to its own statement; null: none", "bias", BIAS,
        lambda b, asked: lifted(skills=[0] * len(asked), bias=b), items=None, options=BANK,
    ),
    truth(
        "unread replies", f"a share of replies holds no bet, others are {BIAS:g} too high; null: none", "unread", 0.4,
        unread, fixed={"bias": BIAS}, options=replace(QUICK, attempts=1),
    ),
    truth(
        "who wins", "as a juror names the proposition at a rate; null: evenly", "wins", 0.9,
        lambda rate, _: [Expected("proposition wins, self_debate", rate)],
        null=0.5, options=replace(QUICK, jury="self", verdicts=1),
    ),
    truth(
        "bets and wins", "adds tokens to every bet, the better side wins; null: none", "bias", BIAS,
        lambda b, _: expected({"Brier, opening": foreseen.brier_of_bets(motions.SKILLS, b, NOISE)}),
        options=replace(QUICK, jury="self", verdicts=1),
    ),
    truth(
        "bets above their reasons", f"bets more than its reasons, the judge misses {ERRS:g}; null: never", "overbets",
        0.4, judged_reasons, fixed={"silent": 0.5, "errs": ERRS}, options=replace(QUICK, aligners="rule,self"),
    ),
)  # fmt: skip

study = Study(
    source=Source("When Two LLMs Debate, Both Think They'll Win", 2025, arxiv="2505.19184"),
    question="Do both sides of a debate claim to be winning, and grow surer as it goes on?",
    needs=frozenset({"generate"}),
    options=Options,
    row=Row,
    items=items,
    example=example,
    collect=collect,
    score=score,
    null=tables.mirrored,
    read_file=read_file,
    published=tuple(Published(*figure) for figure in debate_figures.FIGURES),
    planted=PLANTED,
)
