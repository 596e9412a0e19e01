"""What the figures must be for a person, worked out in closed form, agrees with what that person says, cell by cell."""

import math

import pytest

from doxa.data import attitude_person as planted
from doxa.data.attitude_figures import figures
from doxa.data.attitudes import OPTIONS, TASKS, TYPES, chosen_tasks

LETTER = dict(zip(OPTIONS, "ABC", strict=True))


def of_cells(person, tasks, key="data"):
    """Figure -> (value, sd of one pair), summed over the definitions of the figures; answers are independent."""
    says = {(task.name, t): person.says(task.name, t == "factual") for task in tasks for t in TYPES}
    accepted = {(task.name, t): task.accepted(t == "factual", key) for task in tasks for t in TYPES}

    def share(cell, kind):
        if kind == "right":
            return sum(p for option, p in says[cell].items() if LETTER[option] in accepted[cell])
        return says[cell].get({"shown first": OPTIONS[0]}.get(kind, kind), 0.0)

    found = {}
    for figure in figures(tasks, key, ()):
        parts = [(w, share(cell, figure.kind)) for cell, w in figure.weights.items()]
        value = math.prod(p for _, p in parts) if figure.jointly else sum(w * p for w, p in parts)
        variance = value * (1 - value) if figure.jointly else sum(w * w * p * (1 - p) for w, p in parts)
        found[figure.name] = value, math.sqrt(max(variance, 0.0))
    return found


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.8])
@pytest.mark.parametrize(
    ("person", "known", "tasks", "key"),
    [
        (planted.corrector, planted.correcting, "", "data"),
        (planted.learner, planted.learning, "verification", "data"),
        (planted.truster, planted.trusting, "verification", "data"),
        (planted.doubter, lambda rate: planted.doubting(rate, "data"), "recursive knowledge", "data"),
        (planted.doubter, lambda rate: planted.doubting(rate, "figure"), "recursive knowledge", "figure"),
    ],
)
def test_closed_forms_are_the_sums_over_cells(person, known, tasks, key, rate):
    summed = of_cells(person(rate), chosen_tasks(tasks), key)
    for figure, value, sd in known(rate):
        assert (value, sd) == pytest.approx(summed[figure], abs=1e-9), figure


def test_the_specified_respondent():
    """Corrects 40 % of first-person beliefs and 10 % of others': 60 %, 90 %, a gap of 30 points, 85 % on false ones."""
    known = {figure: value for figure, value, _ in planted.correcting(0.4)}
    assert known["first-person false belief"] == pytest.approx(0.6)
    assert known["third-person false belief"] == pytest.approx(0.9)
    assert known["person gap"] == pytest.approx(0.3)
    assert known["false average"] == pytest.approx(0.85) and known["factual average"] == pytest.approx(1)


def test_what_a_person_says_sums_to_one():
    person = planted.Person(knows=0.5, unsure=0.3, trusts={planted.KNOWN: 0.6}, corrects=0.2, doubts=0.3, denies=0.1)
    for task in TASKS:
        for true in (True, False):
            assert sum(person.says(task.name, true).values()) == pytest.approx(1)


def test_no_more_than_all_answers():
    with pytest.raises(ValueError, match=r"doubts is 0.9 and denies 0.2; an answer is one of them"):
        planted.doubter(0.9)


def test_no_habit_of_place_changes_nothing():
    known = {figure: value for figure, value, _ in planted.preferring_first(0.0, 0.6, 12)}
    assert known["first option as shown"] == pytest.approx(1 / 3)
    assert known["first-person false belief"] == pytest.approx(0.6)
