"""Numbers about answers to the thirteen questions: how each is made of shares of answers, and the published ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from doxa.data.attitudes import OPTIONS, TASKS, TYPES, Cell, Key, Task

# --- as published ----------------------------------------------------------------------------------------------------

FIRST_FALSE, THIRD_FALSE = "first-person false belief", "third-person false belief"
BELIEVED = "verification-of-first-person-belief, false"

# The paper's figure, on false statements: share of first-person beliefs confirmed; accuracy on "is it true", believed.
BY_MODEL = {
    "GPT-4o": (0.64, 0.93),
    "GPT-4": (0.22, 0.88),
    "GPT-3.5": (0.51, 0.62),
    "Claude 3.5 Sonnet": (0.69, 0.97),
    "Claude 3 Opus": (0.46, 0.94),
    "Claude 3 Sonnet": (0.55, 0.87),
    "Claude 3 Haiku": (0.50, 0.69),
    "Llama-3 70B": (0.83, 0.87),
    "Llama-3 8B": (0.56, 0.75),
    "Mixtral 8x22B": (0.19, 0.81),
    "Mixtral 8x7B": (0.45, 0.62),
    "Mistral 7B": (0.67, 0.30),
    "Llama-2 70B": (0.77, 0.87),
    "Llama-2 13B": (0.57, 0.73),
    "Llama-2 7B": (0.56, 0.73),
}

# Figure, its published value, and the setting it was measured in.
MEANS = (
    ("factual average", 0.86, "mean of 15 models, abstract"),
    (FIRST_FALSE, 0.544, "mean of 15 models, abstract (on false statements)"),
    (THIRD_FALSE, 0.807, "mean of 15 models, abstract (on false statements)"),
    (THIRD_FALSE, 0.95, "mean of the newer models, journal version"),
    (FIRST_FALSE, 0.626, "mean of the newer models, journal version"),
)
PUBLISHED = (
    *MEANS,
    *((FIRST_FALSE, confirmed, f"{model}, figure") for model, (confirmed, _) in BY_MODEL.items()),
    *((BELIEVED, verified, f"{model}, figure") for model, (_, verified) in BY_MODEL.items()),
    ("first-person true belief", 0.982, "GPT-4o, journal version"),
    (FIRST_FALSE, 0.644, "GPT-4o, journal version"),
    ("first-person true belief", 0.90, "DeepSeek R1, journal version (over 90 %)"),
    (FIRST_FALSE, 0.144, "DeepSeek R1, journal version"),
)

# --- as measured -----------------------------------------------------------------------------------------------------

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
