"""What a study is: a claim, options, a row, how one asks, how one scores; and `Ask`, what `collect` asks with."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from doxa.models.address import load
from doxa.models.base import Context, Model
from doxa.planted import Truth
from doxa.records import Answer, Claim, DoxaError, Findings, Form, Item, Prompt, Reading, Reply, Sampling, Score

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Source:
    """Where a study was published."""

    title: str
    year: int
    arxiv: str = ""
    venue: str = ""

    @property
    def url(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else ""


@dataclass(frozen=True)
class Published:
    """A published figure: the estimate it stands beside, its value, and the setting it was measured in."""

    estimate: str
    value: float
    setting: str


@dataclass(frozen=True)
class Recorded:
    """Rows read from somebody's result file, with the figures that the file itself states."""

    label: str
    rows: pl.DataFrame
    stored: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Call:
    """One call of the model, as kept in the log: what was sent and what came back.

    beside  address of who was called, where that is not the model that is asked: a judge, an opponent
    """

    kind: str
    prompt: Prompt
    condition: str
    sampling: Sampling | None = None
    replies: tuple[Reply, ...] = ()
    scores: tuple[Score, ...] = ()
    beside: str = ""


class Ask:
    """What `collect` asks with: one model, bound to one item, keeping every call for the log.

    Conditions are named where the question is asked (`condition=`), so that a simulated respondent knows the arm.

    opens  gives the model at an address to `beside`; a run gives one that goes through its store and is counted
    """

    def __init__(self, model: Model, item: Item, *, seed: int = 0, opens: Callable[[str], Model] = load) -> None:
        self.model = model
        self.item = item
        self.seed = seed
        self.calls: list[Call] = []
        self._opens = opens
        self._beside = ""

    def beside(self, address: str) -> Ask:
        """Another model asked about the same item, such as a judge or an opponent; its calls go into this log.

        The address of the model that is asked gives that model itself.
        raises  DoxaError: no such model
        """
        itself = address == self.model.address
        other = Ask(self.model if itself else self._opens(address), self.item, seed=self.seed, opens=self._opens)
        other.calls = self.calls
        other._beside = self._beside if itself else address
        return other

    async def generate(self, prompt: Prompt, sampling: Sampling | None = None, *, condition: str = "neutral") -> Reply:
        """One reply, greedy unless `sampling` says otherwise. A failed call raises: the item is recorded as failed."""
        sampling = dataclasses.replace(sampling or Sampling(), n=1)
        return (await self.sample(prompt, sampling, condition=condition))[0]

    async def sample(self, prompt: Prompt, sampling: Sampling, *, condition: str = "neutral") -> list[Reply]:
        """`sampling.n` replies. The run's seed is added to `sampling.seed`."""
        sampling = dataclasses.replace(sampling, seed=sampling.seed + self.seed)
        replies = await self.model.generate(prompt, sampling, Context(self.item, condition))
        self.calls.append(Call("generate", prompt, condition, sampling, tuple(replies), beside=self._beside))
        return replies

    async def score(self, prompt: Prompt, continuations: Sequence[str], *, condition: str = "neutral") -> list[Score]:
        """Natural log-probability of each continuation."""
        scores = await self.model.score(prompt, continuations, Context(self.item, condition))
        self.calls.append(Call("score", prompt, condition, scores=tuple(scores), beside=self._beside))
        return scores

    async def hidden_states(
        self, prompt: Prompt, *, layers: Sequence[int] | None = None, positions: Sequence[int] = (-1,)
    ) -> np.ndarray:
        """Residual stream, (layers, positions, width); `layer` counts blocks from 0, after the block."""
        states = await self.model.hidden_states(prompt, layers=layers, positions=positions)
        self.calls.append(Call("hidden_states", prompt, "neutral", beside=self._beside))
        return states

    async def answer(
        self, form: Form, item: Item | None = None, sampling: Sampling | None = None, *, condition: str = "neutral"
    ) -> tuple[Answer, Reply]:
        """Ask `item` (the bound one) in a form and read the reply with it."""
        shown = item or self.item
        reply = await self.generate(form.prompt(shown), sampling, condition=condition)
        return form.read(reply, shown), reply


Collect = Callable[[Item, Ask, Any], AsyncIterator[Reading]]


@dataclass(frozen=True)
class Study:
    """One published system on the shared parts. Its name is its file's name.

    needs           capabilities of the model, or a function of the options that gives them
    items           options -> the items it asks by default; example: a few made-up ones for the contract test
    collect         asks about one item and yields rows; the only part that meets a model
    score           rows and options -> findings, without a model
    null            rows and seed -> rows with the truth shuffled (default: the `truth` column, item by item)
    read_file       a published or a user's result file -> Recorded (default: rows as stored by a run)
    score_recorded  Recorded and options -> Findings, where a file says more than its rows (default: `score`)
    across          several Recorded and options -> findings that compare them
    planted         truths that can be planted, with what must be found then; `doxa validate` plants them
    graded          rows and options -> one row for each confidence whose answer can be judged: item, group, way,
                    confidence (null: not read), correct (null: not known); for calibrators, `doxa calibrate`
    """

    source: Source
    needs: frozenset[str] | set[str] | Callable[[Any], set[str]]
    options: type
    row: type[Reading]
    items: Callable[[Any], Sequence[Item]]
    example: Callable[[], Sequence[Item]]
    collect: Collect
    score: Callable[[pl.DataFrame, Any], Findings]
    question: str = ""
    published: tuple[Published, ...] = ()
    null: Callable[[pl.DataFrame, int], pl.DataFrame] | None = None
    read_file: Callable[[Path, Any], Recorded] | None = None
    score_recorded: Callable[[Recorded, Any], Findings] | None = None
    across: Callable[[Sequence[Recorded], Any], Findings] | None = None
    planted: tuple[Truth, ...] = ()
    graded: Callable[[pl.DataFrame, Any], pl.DataFrame] | None = None

    @property
    def name(self) -> str:
        return self.collect.__module__.rsplit(".", 1)[-1].replace("_", "-")

    @property
    def doc(self) -> str:
        """The study file's docstring."""
        return inspect.cleandoc(sys.modules[self.collect.__module__].__doc__ or "")

    def needed(self, options: Any) -> set[str]:
        """Capabilities that these options need."""
        return set(self.needs(options) if callable(self.needs) else self.needs)

    def shuffled(self, rows: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
        """Rows with the truth shuffled: what the pipeline then finds, it makes of nothing."""
        return (self.null or shuffle_truth)(rows, seed)

    def findings(self, rows: pl.DataFrame, options: Any, *, null_seed: int | None = 0) -> Findings:
        """Score rows; put the shuffled-truth value beside each estimate and the measured one beside each claim."""
        found = self.score(rows, options)
        if null_seed is not None:
            found = with_null(found, self.score(self.shuffled(rows, null_seed), options))
        return with_claims(found, self.published)


def with_null(found: Findings, null: Findings) -> Findings:
    """`found` with each estimate's value under shuffled truth beside it."""
    values = {(e.section, e.name): e.value for e in null.estimates}
    estimates = tuple(dataclasses.replace(e, null=values.get((e.section, e.name))) for e in found.estimates)
    return dataclasses.replace(found, estimates=estimates)


def with_claims(found: Findings, published: Sequence[Published]) -> Findings:
    """`found` with a claim for each published figure that is not among its claims already."""
    known = {(c.estimate or c.name, c.setting) for c in found.claims}
    claims = [
        Claim(p.estimate, p.value, p.setting, found[p.estimate] if p.estimate in found else float("nan"), p.estimate)
        for p in published
        if (p.estimate, p.setting) not in known
    ]
    return dataclasses.replace(found, claims=(*found.claims, *claims))


def shuffle_truth(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Permute the `truth` column between items; rows of one item keep one truth."""
    import polars as pl

    if "truth" not in rows.columns:
        raise DoxaError("these rows have no column 'truth' to shuffle; the study has to say how its null is made")
    items = rows.group_by("item", maintain_order=True).agg(pl.col("truth").first())
    order = np.random.default_rng(seed).permutation(len(items))
    moved = items.select("item", pl.Series("truth", items["truth"])[order].alias("truth"))
    return rows.drop("truth").join(moved, on="item", how="left", maintain_order="left").select(rows.columns)


# --- rows as a table -------------------------------------------------------------------------------------------------


def schema(row: type[Reading]) -> dict[str, Any]:
    """Polars type of each field of a Row: str, int, float, bool, optional ones, and tuples of these."""
    hints = typing.get_type_hints(row)
    return {f.name: _polars_type(hints[f.name], f"{row.__module__}.{row.__name__}.{f.name}") for f in _fields(row)}


def frame(rows: Sequence[Reading | Mapping[str, Any]], row: type[Reading]) -> pl.DataFrame:
    """Rows (Row objects or dictionaries with its fields) as a table with one column per field of Row.

    raises  DoxaError: a value that its column cannot hold
    """
    import polars as pl

    columns = schema(row)
    records = [r if isinstance(r, Mapping) else dataclasses.asdict(r) for r in rows]
    return pl.DataFrame([_column(name, [_plain(r.get(name)) for r in records], t) for name, t in columns.items()])


def _column(name: str, values: list[Any], dtype: Any) -> pl.Series:
    import polars as pl

    def made(some: list[Any]) -> pl.Series | None:
        try:
            return pl.Series(name, some, dtype=dtype)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            return None

    series = made(values)
    if series is not None:
        return series
    row, value = next(((i, v) for i, v in enumerate(values) if made([v]) is None), (0, values[0]))
    raise DoxaError(f"row {row}, column {name!r}: {value!r} ({type(value).__name__}); the column holds {dtype}")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _fields(row: type) -> tuple[dataclasses.Field, ...]:
    return dataclasses.fields(row)


def _polars_type(hint: Any, where: str) -> Any:
    import polars as pl

    simple = {str: pl.String, int: pl.Int64, float: pl.Float64, bool: pl.Boolean}
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _polars_type(args[0], where)
    if origin is typing.Literal:
        return _polars_type(type(args[0]), where)
    if origin in (typing.Union, types.UnionType):
        inner = [a for a in args if a is not type(None)]
        if len(inner) == 1:
            return _polars_type(inner[0], where)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return pl.List(_polars_type(args[0], where))
    if hint in simple:
        return simple[hint]
    raise TypeError(f"{where} is {hint}; a Row holds str, int, float, bool, optional ones, and tuples of these")


# --- options as flags ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flag:
    """One option of a study as the command line needs it."""

    name: str
    type: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    optional: bool = False


def flags(options: type) -> list[Flag]:
    """The fields of an Options dataclass: `name: Annotated[type, "help"] = default`.

    Types: str, int, float, bool, Literal of strings, and optional ones. Without a help text: TypeError.
    """
    hints = typing.get_type_hints(options, include_extras=True)
    found = []
    for f in dataclasses.fields(options):
        hint = hints[f.name]
        if typing.get_origin(hint) is not Annotated or not isinstance(typing.get_args(hint)[1], str):
            raise TypeError(f"{options.__module__}.{options.__name__}.{f.name} needs Annotated[type, 'help text']")
        bare, text = typing.get_args(hint)[:2]
        inner = [a for a in typing.get_args(bare) if a is not type(None)]
        optional = typing.get_origin(bare) in (typing.Union, types.UnionType)
        if optional:
            bare = inner[0]
        choices: tuple[str, ...] = ()
        if typing.get_origin(bare) is typing.Literal:
            choices, bare = typing.get_args(bare), str
        default = None if f.default is dataclasses.MISSING else f.default
        found.append(Flag(f.name, bare, default, text, choices, optional))
    return found
