"""Belief against knowledge: thirteen questions about one statement, from "is it true" to "does Mary know".

The task names, the forms and the accepted letters are those of the KaBLE data set (arXiv 2410.21195); the fixed
instruction is the data set's own (MIT licence, Copyright (c) 2024 Mirac Suzgun), because its prompts are
reproduced character by character.
"""

from __future__ import annotations

from collections.abc import Iterable
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
KEYS: tuple[Key, ...] = ("data", "figure")
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
