"""The relations of the fact bank: which table a relation is read from, and how it is asked and stated.

A template may use {subject}, {answer}, {a_subject} and {a_answer} (with "a" or "an"). Statements have no final
stop and are not capitalised, so that a clause can stand inside a longer sentence; `render` finishes them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """One kind of fact.

    name        as it stands in a fact's id: "capital-of"
    table       file in tables/ (without .csv); its first column is the subject, and names the kind of subject
    column      column of the answer
    questions   templates of a question, at least three
    statements  templates (affirmed, denied), at least three
    qualifier   column whose text, put before an answer, gives another right spelling ("Mexican" + "peso")
    article     whether "the" before the answer is a right spelling too
    """

    name: str
    table: str
    column: str
    questions: tuple[str, ...]
    statements: tuple[tuple[str, str], ...]
    qualifier: str | None = None
    article: bool = False


def _is(*templates: str) -> tuple[tuple[str, str], ...]:
    """Affirmed and denied clauses from templates that mark their verb: "<is>", or "<orbits/orbit>"."""
    return tuple(_both(template) for template in templates)


def _both(template: str) -> tuple[str, str]:
    head, rest = template.split("<", 1)
    verb, tail = rest.split(">", 1)
    if "/" in verb:  # a full verb is denied by "does not" and its plain form
        finite, plain = verb.split("/")
        return f"{head}{finite}{tail}", f"{head}does not {plain}{tail}"
    return f"{head}{verb}{tail}", f"{head}{verb} not{tail}"


def _made(name: str, table: str, column: str, who: str, verb: tuple[str, str], noun: str = "") -> Relation:
    """A work and who made it; `noun` goes before the title, `verb` is (past tense, participle)."""
    work = f'{noun}"{{subject}}"'
    return Relation(
        name,
        table,
        column,
        (
            f"Who {verb[0]} {work}?",
            f"Who is the {who} of {work}?",
            f"Name the {who} of {work}.",
        ),
        _is(
            f"{work} <was> {verb[1]} by {{answer}}",
            f"{{answer}} <is> the {who} of {work}",
            f"the {who} of {work} <is> {{answer}}",
        ),
    )


def _translation(language: str) -> Relation:
    return Relation(
        f"{language.lower()}-word",
        "words",
        language.lower(),
        (
            f'What is the {language} word for "{{subject}}"?',
            f'How do you say "{{subject}}" in {language}?',
            f'Translate "{{subject}}" into {language}.',
        ),
        _is(
            f'the {language} word for "{{subject}}" <is> "{{answer}}"',
            f'"{{answer}}" <is> the {language} word for "{{subject}}"',
            f'in {language}, "{{subject}}" <is> "{{answer}}"',
        ),
    )


RELATIONS: tuple[Relation, ...] = (
    Relation(
        "capital-of",
        "countries",
        "capital",
        (
            "What is the capital of {subject}?",
            "Which city is the capital of {subject}?",
            "Name the capital of {subject}.",
            "What is the capital city of {subject}?",
        ),
        _is(
            "{answer} <is> the capital of {subject}",
            "the capital of {subject} <is> {answer}",
            "{subject} <has/have> {answer} as its capital",
        ),
    ),
    Relation(
        "continent-of",
        "countries",
        "continent",
        (
            "On which continent is {subject}?",
            "Which continent is {subject} part of?",
            "Name the continent of {subject}.",
            "To which continent does {subject} belong?",
        ),
        _is(
            "{subject} <is> in {answer}",
            "the continent of {subject} <is> {answer}",
            "{subject} <belongs/belong> to the continent of {answer}",
        ),
    ),
    Relation(
        "currency-of",
        "countries",
        "currency",
        (
            "What is the currency of {subject}?",
            "Which currency is used in {subject}?",
            "Name the currency of {subject}.",
            "What is money called in {subject}?",
        ),
        _is(
            "the currency of {subject} <is> the {answer}",
            "the {answer} <is> the currency of {subject}",
            "{subject} <has/have> the {answer} as its currency",
        ),
        qualifier="adjective",
        article=True,
    ),
    Relation(
        "language-of",
        "countries",
        "language",
        (
            "What is the main language of {subject}?",
            "Which language is mainly spoken in {subject}?",
            "Name the main language of {subject}.",
        ),
        _is(
            "the main language of {subject} <is> {answer}",
            "{answer} <is> the main language of {subject}",
            "{subject} <has/have> {answer} as its main language",
        ),
    ),
    Relation(
        "symbol-of",
        "elements",
        "symbol",
        (
            "What is the chemical symbol of {subject}?",
            "Which symbol stands for the element {subject}?",
            "Name the chemical symbol of {subject}.",
        ),
        _is(
            "the chemical symbol of {subject} <is> {answer}",
            "{answer} <is> the chemical symbol of {subject}",
            "the element {subject} <has/have> the symbol {answer}",
        ),
    ),
    Relation(
        "number-of",
        "elements",
        "number",
        (
            "What is the atomic number of {subject}?",
            "Which atomic number does {subject} have?",
            "Name the atomic number of {subject}.",
        ),
        _is(
            "the atomic number of {subject} <is> {answer}",
            "{subject} <has/have> the atomic number {answer}",
            "the element {subject} <is> number {answer} in the periodic table",
        ),
    ),
    Relation(
        "group-of",
        "elements",
        "group",
        (
            "In which group of the periodic table is {subject}?",
            "Which group of the periodic table does {subject} belong to?",
            "Name the number of the periodic table group of {subject}.",
        ),
        _is(
            "{subject} <is> in group {answer} of the periodic table",
            "the periodic table group of {subject} <is> {answer}",
            "{subject} <belongs/belong> to group {answer} of the periodic table",
        ),
    ),
    Relation(
        "country-of",
        "cities",
        "country",
        (
            "In which country is the city of {subject}?",
            "Which country is {subject} in?",
            "Name the country of the city of {subject}.",
        ),
        _is(
            "{subject} <is> in {answer}",
            "the city of {subject} <lies/lie> in {answer}",
            "{subject} <is> a city in {answer}",
        ),
    ),
    Relation(
        "state-capital",
        "states",
        "capital",
        (
            "What is the capital of the US state of {subject}?",
            "Which city is the capital of the state of {subject}?",
            "Name the state capital of {subject}.",
        ),
        _is(
            "{answer} <is> the capital of the US state of {subject}",
            "the capital of the state of {subject} <is> {answer}",
            "the state of {subject} <has/have> {answer} as its capital",
        ),
    ),
    Relation(
        "planet-of",
        "moons",
        "planet",
        (
            "Which planet does the moon {subject} orbit?",
            "The moon {subject} belongs to which planet?",
            "Name the planet of the moon {subject}.",
        ),
        _is(
            "the moon {subject} <orbits/orbit> {answer}",
            "{subject} <is> a moon of {answer}",
            "the planet of the moon {subject} <is> {answer}",
        ),
    ),
    Relation(
        "river-on",
        "rivers",
        "continent",
        (
            "On which continent is {subject}?",
            "Through which continent does {subject} flow?",
            "Name the continent of {subject}.",
        ),
        _is(
            "{subject} <is> in {answer}",
            "{subject} <flows/flow> through {answer}",
            "the continent of {subject} <is> {answer}",
        ),
    ),
    Relation(
        "class-of",
        "animals",
        "class",
        (
            "What class of animal is {a_subject}?",
            "To which class of animals does the {subject} belong?",
            "Name the class of animals of the {subject}.",
        ),
        _is(
            "{a_subject} <is> {a_answer}",
            "the {subject} <is> {a_answer}",
            "the {subject} <belongs/belong> to the class {answer}",
        ),
    ),
    _made("author-of", "books", "author", "author", ("wrote", "written")),
    _made("artist-of", "paintings", "painter", "artist", ("made", "made"), noun="the picture "),
    _made("composer-of", "music", "composer", "composer", ("composed", "composed")),
    Relation(
        "field-of",
        "scientists",
        "field",
        (
            "What field is {subject} known for?",
            "In which field did {subject} become famous?",
            "Name the field that {subject} is known for.",
        ),
        _is(
            "{subject} <is> known for work in {answer}",
            "the field of {subject} <is> {answer}",
            "the field that {subject} is known for <is> {answer}",
        ),
    ),
    Relation(
        "landmark-in",
        "landmarks",
        "country",
        (
            "In which country is {subject}?",
            "Which country would you visit to see {subject}?",
            "Name the country of {subject}.",
        ),
        _is(
            "{subject} <is> in {answer}",
            "the country of {subject} <is> {answer}",
            "{subject} <stands/stand> in {answer}",
        ),
    ),
    Relation(
        "year-of",
        "events",
        "year",
        (
            "In which year was {subject}?",
            "What was the year of {subject}?",
            "Name the year of {subject}.",
        ),
        _is(
            "{subject} <was> in {answer}",
            "the year of {subject} <was> {answer}",
            "{answer} <was> the year of {subject}",
        ),
    ),
    _translation("Spanish"),
    _translation("French"),
    _translation("German"),
    Relation(
        "opposite-of",
        "opposites",
        "opposite",
        (
            'What is the opposite of "{subject}"?',
            'Which word means the opposite of "{subject}"?',
            'Name the opposite of "{subject}".',
        ),
        _is(
            'the opposite of "{subject}" <is> "{answer}"',
            '"{answer}" <is> the opposite of "{subject}"',
            'the word "{subject}" <has/have> the opposite "{answer}"',
        ),
    ),
    Relation(
        "past-of",
        "verbs",
        "past",
        (
            'What is the past tense of "{subject}"?',
            'What is the simple past of the verb "{subject}"?',
            'Name the past tense of "{subject}".',
        ),
        _is(
            'the past tense of "{subject}" <is> "{answer}"',
            '"{answer}" <is> the past tense of "{subject}"',
            'the verb "{subject}" <has/have> the past tense "{answer}"',
        ),
    ),
    Relation(
        "family-of",
        "instruments",
        "family",
        (
            "What kind of musical instrument is the {subject}?",
            "To which family of instruments does the {subject} belong?",
            "Name the instrument family of the {subject}.",
        ),
        _is(
            "the {subject} <is> a {answer} instrument",
            "the instrument family of the {subject} <is> {answer}",
            "the {subject} <belongs/belong> to the {answer} family",
        ),
    ),
)

BY_NAME = {relation.name: relation for relation in RELATIONS}
