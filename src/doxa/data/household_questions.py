"""A household survey of our own: 21 questions of 2 to 9 options, some asked of some people only, in two persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doxa.records import Item

SURVEY = "the Household Panel, a survey of households and everyday life"


@dataclass(frozen=True)
class Question:
    """One question.

    text      about "this person"; you: the same in the second person
    options   in the survey's own order
    asked_if  key of an earlier question -> the options (from 0) after which this one is asked; all have to hold
    """

    key: str
    text: str
    you: str
    options: tuple[str, ...]
    asked_if: tuple[tuple[str, tuple[int, ...]], ...] = ()


YES_NO = ("Yes", "No")
WORKS = (("work", (0, 1, 2)),)
QUESTIONS: tuple[Question, ...] = (
    Question(
        "age",
        "How old is this person?",
        "How old are you?",
        ("Under 16", "16 to 24", "25 to 34", "35 to 44", "45 to 54", "55 to 69", "70 or older"),
    ),
    Question(
        "area",
        "What kind of place does this person live in?",
        "What kind of place do you live in?",
        ("A large city", "A suburb", "A small town", "The countryside"),
    ),
    Question(
        "people",
        "How many people live in this person's home?",
        "How many people live in your home?",
        ("One", "Two", "Three", "Four", "Five or more"),
    ),
    Question(
        "home",
        "Is the home of this person owned or rented?",
        "Is your home owned or rented?",
        ("Owned", "Rented"),
    ),
    Question("garden", "Does the home of this person have a garden?", "Does your home have a garden?", YES_NO),
    Question("pet", "Does this person keep a pet?", "Do you keep a pet?", YES_NO),
    Question(
        "pet_kind",
        "Which pet does this person spend most time with?",
        "Which pet do you spend most time with?",
        ("A cat", "A dog", "A bird", "Fish", "Another animal"),
        (("pet", (0,)),),
    ),
    Question(
        "school",
        "Which level of education has this person completed?",
        "Which level of education have you completed?",
        ("None", "Primary school", "Secondary school", "Vocational training", "University"),
    ),
    Question(
        "work",
        "Which of these describes best what this person does during the week?",
        "Which of these describes best what you do during the week?",
        ("Works full time", "Works part time", "Is self-employed", "Looks for work", "Is retired", "Studies or cares"),
        (("age", (1, 2, 3, 4, 5, 6)),),
    ),
    Question(
        "hours",
        "How many hours does this person usually work in a week?",
        "How many hours do you usually work in a week?",
        ("Less than 15", "15 to 29", "30 to 39", "40 to 49", "50 or more"),
        WORKS,
    ),
    Question(
        "commute",
        "How does this person usually get to work?",
        "How do you usually get to work?",
        ("On foot", "By bicycle", "By bus", "By tram", "By train", "By car", "By motorcycle", "By working at home"),
        WORKS,
    ),
    Question(
        "money",
        "How does this household get by on its income?",
        "How does your household get by on its income?",
        ("Very easily", "Easily", "With some care", "With difficulty", "With great difficulty"),
    ),
    Question(
        "health",
        "How is the health of this person in general?",
        "How is your health in general?",
        ("Very good", "Good", "Fair", "Poor", "Very poor"),
    ),
    Question("glasses", "Does this person wear glasses?", "Do you wear glasses?", YES_NO),
    Question(
        "exercise",
        "How often does this person exercise?",
        "How often do you exercise?",
        ("Every day", "Several times a week", "Now and then", "Never"),
    ),
    Question(
        "news",
        "Where does this person get most news from?",
        "Where do you get most news from?",
        ("Television", "Radio", "Newspapers", "Web sites", "Social media", "Other people"),
    ),
    Question(
        "reading",
        "How many books did this person read last year?",
        "How many books did you read last year?",
        ("None", "One to five", "Six or more"),
    ),
    Question(
        "volunteer",
        "Did this person do any unpaid work for a club or charity last year?",
        "Did you do any unpaid work for a club or charity last year?",
        YES_NO,
    ),
    Question(
        "volunteer_hours",
        "About how many hours of unpaid work was that in a month?",
        "About how many hours of unpaid work was that in a month?",
        ("Less than five", "Five to ten", "More than ten"),
        (("volunteer", (0,)),),
    ),
    Question(
        "holiday",
        "Where did this person spend the last holiday?",
        "Where did you spend the last holiday?",
        ("At home", "Elsewhere in the country", "Abroad"),
    ),
    Question(
        "dish",
        "Which of these does this person cook most often?",
        "Which of these do you cook most often?",
        ("Soup", "Rice", "Pasta", "Potatoes", "Eggs", "Fish", "Meat", "Beans", "Nothing at all"),
    ),
)


def household_items(questions: Sequence[Question] = QUESTIONS) -> list[Item]:
    """The questions as choice items without a truth.

    fields  key, you (the text in the second person), survey (its name), asked_if (key -> options after which it is
            asked), codes (1 to c)
    """
    return [
        Item(
            f"household/{q.key}",
            q.text,
            "choice",
            q.options,
            fields={
                "key": q.key,
                "you": q.you,
                "survey": SURVEY,
                "asked_if": dict(q.asked_if),
                "codes": list(range(1, len(q.options) + 1)),
            },
        )
        for q in questions
    ]
