"""Belief against knowledge: thirteen questions about one statement, from "is it true" to "does Mary know".

The task names, the forms and the accepted letters are those of the KaBLE data set (arXiv 2410.21195); the fixed
instruction is the data set's own (MIT licence, Copyright (c) 2024 Mirac Suzgun), because its prompts are
reproduced character by character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from doxa.records import DoxaError, Item

INSTRUCTION = (
    "For each question, carefully review the information provided. Then, determine the most accurate option from the "
    'choices given. Conclude your response by stating, "So, the answer is," followed directly by either (A), (B), or '
    "(C)."
)
# Our own wording: the paper also asks for a chain of thought, in words that its repository does not hold.
STEP_BY_STEP = f"{INSTRUCTION} Before you conclude, reason step by step."
OPTIONS = ("Yes", "No", "Undeterminable")

Key = Literal["data", "figure"]
Group = Literal["verification", "belief confirmation", "recursive knowledge"]


@dataclass(frozen=True)
class Task:
    """One of the thirteen questions.

    template  {p} is the statement without its last full stop, {P} the same with a capital
    factual   accepted letters when the statement is true; false: when it is false ("" : none is defined)
    person    whose belief is confirmed: "first", "third" or ""
    figure    what the paper's figure accepts when the statement is true, where the data set accepts something else
    """

    name: str
    template: str
    factual: str
    false: str
    group: Group
    person: str = ""
    figure: str = ""

    def accepted(self, true: bool, key: Key = "data") -> str:
        """Accepted letters, e.g. "BC"; "" where none is defined."""
        if true and key == "figure" and self.figure:
            return self.figure
        return self.factual if true else self.false


def _third(a: str) -> Task:
    name = f"confirmation-of-third-person-belief-{a.lower()}"
    return Task(
        name, f"{a} believes that {{p}}. Does {a} believe that {{p}}?", "A", "A", "belief confirmation", "third"
    )


def _attribution(a: str, b: str) -> Task:
    name = f"correct-attribution-of-belief-{a.lower()}-{b.lower()}"
    template = f"{a} believes that {{p}}. {b} does not believe that {{p}}. Does {a} believe that {{p}}?"
    return Task(name, template, "A", "A", "belief confirmation")


_CHAIN = "James knows that Mary knows that {p}. "

TASKS: tuple[Task, ...] = (
    Task("direct-fact-verification", "Is it true that {p}?", "A", "BC", "verification"),
    Task("verification-of-assertion", "{P}. Is it true that {p}?", "A", "", "verification"),
    Task("verification-of-first-person-knowledge", "I know that {p}. Is it true that {p}?", "A", "", "verification"),
    Task("verification-of-first-person-belief", "I believe that {p}. Is it true that {p}?", "A", "BC", "verification"),
    Task(
        "confirmation-of-first-person-belief",
        "I believe that {p}. Do I believe that {p}?",
        "A",
        "A",
        "belief confirmation",
        "first",
    ),
    Task(
        "second-guessing-first-person-belief",
        "I believe that {p}. Do I really believe that {p}?",
        "AC",
        "AC",
        "belief confirmation",
    ),
    _third("James"),
    _third("Mary"),
    _attribution("James", "Mary"),
    _attribution("Mary", "James"),
    Task("verification-of-recursive-knowledge", _CHAIN + "Is it true that {p}?", "A", "", "recursive knowledge"),
    Task("confirmation-of-recursive-knowledge", _CHAIN + "Does Mary know that {p}?", "A", "", "recursive knowledge"),
    Task(
        "awareness-of-recursive-knowledge",
        _CHAIN + "Does James know that {p}?",
        "A",
        "",
        "recursive knowledge",
        figure="AC",
    ),
)
BY_NAME = {task.name: task for task in TASKS}


TYPES = ("factual", "false")
Cell = tuple[str, str]  # a task's name, and one of TYPES


def question(task: Task, statement: str) -> str:
    """The task's question about a statement, which loses its one last full stop.

    >>> question(BY_NAME["direct-fact-verification"], "water is wet.")
    'Is it true that water is wet?'
    """
    p = statement.removesuffix(".")
    return task.template.format(p=p, P=p[:1].upper() + p[1:])


def chosen_tasks(names: str) -> tuple[Task, ...]:
    """Tasks by a comma-separated list of their names or groups, in the order of TASKS; all for an empty text.

    raises  DoxaError: a name that is neither a task nor a group
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    unknown = sorted(wanted - {name for task in TASKS for name in (task.name, task.group)})
    if unknown:
        groups = ", ".join(dict.fromkeys(task.group for task in TASKS))
        raise DoxaError(
            f"no task is called {unknown[0]!r}; tasks are {', '.join(BY_NAME)}, and groups of them {groups}"
        )
    return tuple(task for task in TASKS if not wanted or wanted & {task.name, task.group})


def attitude_items(pairs: Iterable[tuple[Item, Item]], tasks: Iterable[Task] = TASKS) -> list[Item]:
    """Every task on both statements of each (true, false) pair of statement items.

    The items are choices of Yes, No, Undeterminable, grouped by pair; `answer` is the one accepted option where
    there is one, and `fields` hold task, true, accepted (letters) and the statement.
    """
    tasks = tuple(tasks)
    return [
        _item(task, statement, statement.answer == "true") for pair in pairs for statement in pair for task in tasks
    ]


def _item(task: Task, statement: Item, true: bool) -> Item:
    accepted = task.accepted(true)
    return Item(
        id=f"{task.name}/{statement.id}",
        text=question(task, statement.fields.get("clause") or statement.text),
        kind="choice",
        options=OPTIONS,
        answer=OPTIONS["ABC".index(accepted)] if len(accepted) == 1 else None,
        group=statement.cluster,
        popularity=statement.popularity,
        tags=(task.group, *statement.tags),
        fields={
            **statement.fields,
            "task": task.name,
            "true": true,
            "accepted": accepted,
            "statement": statement.text,
        },
    )


def yes_no_item(statement: Item) -> Item:
    """A statement item as a question to be answered yes or no: "Is it true that ...?"."""
    text = question(BY_NAME["direct-fact-verification"], statement.fields.get("clause") or statement.text)
    return replace(
        statement,
        id=f"{statement.id}-asked",
        text=text,
        kind="open",
        options=(),
        answer={"true": "yes", "false": "no"}.get(statement.answer or ""),
    )


# --- figures ---------------------------------------------------------------------------------------------------------

_FIRST = "confirmation-of-first-person-belief"
_THIRDS = ("confirmation-of-third-person-belief-james", "confirmation-of-third-person-belief-mary")
_ATTRIBUTED = ("correct-attribution-of-belief-james-mary", "correct-attribution-of-belief-mary-james")
_SAID = {
    "known": "verification-of-first-person-knowledge",
    "believed": "verification-of-first-person-belief",
    "asserted": "verification-of-assertion",
    "bare": "direct-fact-verification",
}


@dataclass(frozen=True)
class Figure:
    """One number about answers: the sum over cells of weight * share of replies of a kind.

    kind     "right", "shown first" (the option that was), or an option as published: "Yes", "No", "Undeterminable"
    jointly  the share of pairs instead that are so in all of the cells at once
    """

    name: str
    section: str
    weights: Mapping[Cell, float]
    kind: str = "right"
    note: str = ""
    jointly: bool = False


def figures(tasks: Sequence[Task], key: Key, asked: Sequence[Cell]) -> Iterator[Figure]:
    """The figures that rest on nothing but these tasks; means run over the cells asked, all cells when none was."""
    graded = {type_: _graded(tasks, key, type_) for type_ in TYPES}
    for type_, all_cells in graded.items():
        of = len(_graded(TASKS, key, type_))
        cells = [cell for cell in all_cells if cell in asked] or all_cells
        if cells:
            yield Figure(f"{type_} average", "Averages", _mean(cells), note=f"over {len(cells)} of {of} tasks")
    names = {task.name for task in tasks}
    yield from (figure for figure in _named() if {task for task, _ in figure.weights} <= names)
    every = list(asked) or [(task.name, type_) for task in tasks for type_ in TYPES]
    yield Figure(
        "first option as shown", "Position", _mean(every), "shown first", "1/3 is no habit if the order is random"
    )
    for cells in graded.values():
        yield from (Figure(", ".join(cell), "Accuracy by task", {cell: 1}) for cell in cells)
    for task, _ in graded["false"]:
        yield Figure(f"gap, {task}", "Factual minus false", {(task, "factual"): 1, (task, "false"): -1})
    for task, _ in graded["false"]:
        yield Figure(f"both correct, {task}", "Both of a pair", {(task, t): 1 for t in TYPES}, jointly=True)


def _graded(tasks: Iterable[Task], key: Key, type_: str) -> list[Cell]:
    """The cells of a type that have accepted answers."""
    return [(task.name, type_) for task in tasks if task.accepted(type_ == "factual", key)]


def _named() -> Iterator[Figure]:
    """Figures on certain tasks; James and Mary are averaged, since they are one question asked twice."""
    for type_, word in zip(TYPES, ("true", "false"), strict=True):
        first, third = _mean([(_FIRST, type_)]), _mean([(task, type_) for task in _THIRDS])
        yield Figure(f"first-person {word} belief", "Persons", first)
        yield Figure(f"third-person {word} belief", "Persons", third)
        gap = "person gap" if word == "false" else "person gap, true belief"
        yield Figure(gap, "Persons", third | _minus(first), note="third minus first person")
        yield Figure(f"attributed {word} belief", "Persons", _mean([(task, type_) for task in _ATTRIBUTED]))
    yes = {name: _mean([(task, "false")]) for name, task in _SAID.items()}
    for name, cells in yes.items():
        yield Figure(f"yes to a false p, {name}", "Factivity", cells, "Yes", "share of Yes, right or wrong")
    for name, other in (
        ("factivity index", "believed"),
        ("known minus asserted", "asserted"),
        ("known minus bare", "bare"),
    ):
        note = f"share of Yes when p is known minus {other}; p is false"
        yield Figure(name, "Factivity", yes["known"] | _minus(yes[other]), "Yes", note)
    for option in OPTIONS[1:]:
        note = f"right either way, but {OPTIONS[2]} commits to nothing"
        yield Figure(
            f"{option} on false verification",
            "False verification",
            _mean([*yes["bare"], *yes["believed"]]),
            option,
            note,
        )


def _mean(cells: Sequence[Cell]) -> dict[Cell, float]:
    return {cell: 1 / len(cells) for cell in cells}


def _minus(weights: Mapping[Cell, float]) -> dict[Cell, float]:
    return {cell: -weight for cell, weight in weights.items()}


def baselines(tasks: Sequence[Task], key: Key) -> list[tuple[str, float, float]]:
    """What answers that look at nothing get: (name, factual average, false average); nan where nothing is graded."""
    factual, false = ([task.accepted(type_ == "factual", key) for task in tasks] for type_ in TYPES)
    said_by = {f"always {letter} ({option})": letter for letter, option in zip("ABC", OPTIONS, strict=True)}
    said_by["random letters"] = "ABC"
    return [(name, _average(factual, said), _average(false, said)) for name, said in said_by.items()]


def _average(accepted: Sequence[str], said: str) -> float:
    """Mean over tasks of the share of letters, one of which is said at random, that are accepted."""
    shares = [sum(letter in letters for letter in said) / len(said) for letters in accepted if letters]
    return sum(shares) / len(shares) if shares else float("nan")
