"""Which questions a survey asks and whom its answers are compared with: our own, the bank's, or those of a path."""

from __future__ import annotations

from pathlib import Path

from doxa.data.authority_sets import bank_questions
from doxa.data.household_questions import household_items
from doxa.data.opinion_sets import is_opinion_set, opinion_set
from doxa.data.populations import Population, made_up_population
from doxa.data.survey_files import population, survey_items
from doxa.records import DoxaError, Item

OWN, BANK = "own", "bank"
NOBODY = Population("none", {})


def survey_questions(source: str, n: int) -> list[Item]:
    """The questions of a survey in its own order: "own", n of the "bank", a JSON file, or a published opinion set.

    raises  DoxaError, see `survey_items` and `opinion_set`
    """
    if source == BANK:
        return bank_questions(n)
    if source == OWN:
        return household_items()
    if not is_opinion_set(source) and not Path(source).is_file():
        raise DoxaError(
            f"there is no file {source}: a set is own, bank, a JSON file of questions, or a published set by its path "
            "or hub id (docs/surveys.md)"
        )
    return list(opinion_set(source).items) if is_opinion_set(source) else survey_items(Path(source))


def compared_with(source: str, reference: str | None) -> Population:
    """The population of a reference's path; without one that of the set itself, or nobody.

    raises  DoxaError, see `population`
    """
    if reference is not None:
        return population(Path(reference), survey_questions(source, 0) if source != BANK else [])
    if source == OWN:
        return made_up_population(household_items())
    return (opinion_set(source).population or NOBODY) if is_opinion_set(source) else NOBODY
