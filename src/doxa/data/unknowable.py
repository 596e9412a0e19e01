"""Items that nobody can know: made-up names, chance events of the future, people and things left unspecified."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

from doxa.data.facts import by_relation, domain, facts, fold, slug
from doxa.data.generated import MONTHS
from doxa.data.relations import BY_NAME
from doxa.data.render import admit, ask
from doxa.records import Item

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
ADMISSION = "I do not know"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_STARTS = _words("Vel Zor Quen Thra Brel Ondu Myx Drov Kelu Zha Plov Gwe Jask Ruv Yill Fesk Obri Trel Wux Nerz")
_MIDDLES = _words("mo vi qua lo zu ri ste ne dra xa phi gu")
_ENDS = _words("rok vax ndor lith que stan zil mbra vek dune rax thos pell gris yem tor")

# How a made-up name is worn in each relation that is asked of it.
_WORN = {
    "capital-of": "{name}",
    "continent-of": "{name}",
    "currency-of": "{name}",
    "language-of": "{name}",
    "country-of": "{name}",
    "planet-of": "{name}",
    "river-on": "the {name} River",
    "landmark-in": "the {name} Tower",
    "author-of": "The {name} Letters",
    "artist-of": "The {name} Garden",
    "composer-of": "The {name} Overture",
    "field-of": "Professor {name}",
    "symbol-of": "{lower}ium",
    "class-of": "{lower}",
    "spanish-word": "{lower}",
    "opposite-of": "{lower}",
}

_COLOURS = _words("red blue green white black grey yellow brown")
_CHANCE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Which number will the first throw of a die show in {city} on {date}?", tuple("123456")),
    ("Which side will the first tossed coin show in {city} on {date}?", ("heads", "tails")),
    ("Which suit will the first card drawn in {city} on {date} have?", ("clubs", "diamonds", "hearts", "spades")),
    ("Which number will be drawn first in the lottery in {city} on {date}?", tuple(str(i) for i in range(1, 50))),
    ("Will it rain in {city} at noon on {date}?", ("yes", "no")),
    ("Which colour will the first car in the main street of {city} have on {date}?", _COLOURS),
)

_PEOPLE = _words(
    "neighbour cousin dentist uncle aunt teacher boss doctor landlord friend colleague nephew niece gardener plumber "
    "hairdresser tailor lawyer baker coach tutor flatmate classmate stepbrother stepsister godfather godmother "
    "grandfather grandmother butcher barber accountant electrician postman librarian painter tenant roommate "
    "mechanic carpenter"
)
_THINGS = _words(
    "car coat bicycle umbrella sofa suitcase scarf hat toothbrush lamp carpet backpack mug tent wallet door"
)
_COUNTED = _words("books keys plants cups pens shirts chairs pillows coins stamps candles maps spoons clocks")
_DAYS = ("yesterday", "last Monday", "last Tuesday", "last Wednesday", "last Thursday", "last Friday", "last weekend")
_MEALS = tuple(f"{meal} {day}" for meal, day in product(("breakfast", "lunch", "dinner"), _DAYS))
_DISHES = ("soup", "rice", "pasta", "salad", "bread", "eggs", "beans", "fish")
_FIRST_NAMES = ("Anna", "David", "Maria", "Peter", "Sarah", "Thomas", "Laura", "Paul", "Julia", "Simon")


@dataclass(frozen=True)
class _Question:
    """A question without an answer; `options` are answers that would sound right."""

    id: str
    text: str
    options: tuple[str, ...]


def unknowable(
    n: int,
    seed: int = 0,
    split: Split = "train",
    *,
    form: Literal["open", "choice"] = "open",
    n_options: int = 4,
    admission: str = ADMISSION,
) -> list[Item]:
    """`n` distinct items that nobody can know, in turn of the three sorts, random but for `seed`.

    fabricated    a question about a name built from syllables: "What is the capital of Velmora?"
    future        a chance event at a place and date to come: "Which side will the first tossed coin show ...?"
    unspecified   somebody or something that is not said: "How old is my neighbour?"

    The splits share no name, place, person: what is learnt from "train" cannot be a list of strings. With the
    same seed a longer list begins with the shorter one, and both forms ask the same questions.

    form        "open": answer None. "choice": up to n_options answers that sound right and, at a random place,
                the admission, which is the answer
    raises      ValueError: an unknown split or form, fewer than 1 option, n above what the split holds
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; there are 'train' and 'test'")
    if form not in ("open", "choice"):
        raise ValueError(f"form is {form!r}; there are 'open' and 'choice'")
    if n_options < 1:
        raise ValueError(f"n_options is {n_options}; besides the admission at least 1 is needed")
    sorts = {name: iter(_shuffled(questions, seed)) for name, questions in _pools(split).items()}
    items = []
    for i in range(n):
        sort = list(sorts)[i % len(sorts)]
        question = next(sorts[sort], None)
        if question is None:
            raise ValueError(f"{n} unknowable items asked; {split!r} holds {i} in equal thirds, so ask for at most {i}")
        items.append(_item(question, sort, split, form, n_options, admission, seed))
    return items


def made_up_names(split: Split) -> tuple[str, ...]:
    """The names of a split, built from syllables; none is a subject or an answer of the fact bank."""
    return _names()[split]


def _item(question: _Question, sort: str, split: Split, form: str, n_options: int, admission: str, seed: int) -> Item:
    options: list[str] = []
    if form == "choice":
        rng = random.Random(f"options/{question.id}/{seed}")
        options = rng.sample(question.options, min(n_options, len(question.options)))
        options = admit(options, admission, seed=rng.getrandbits(32))
    return Item(
        id=f"{question.id}#{form}" + (f"-{n_options}-{seed}" if options else ""),
        text=question.text,
        kind="choice" if options else "open",
        options=tuple(options),
        answer=admission if options else None,
        group=question.id,
        tags=("unknowable", sort),
        fields={"sort": sort, "split": split, "admission": admission if options else None},
    )


def _shuffled(questions: tuple[_Question, ...], seed: int) -> list[_Question]:
    order = list(questions)
    random.Random(f"unknowable/{seed}").shuffle(order)
    return order


@cache
def _pools(split: Split) -> dict[str, tuple[_Question, ...]]:
    return {
        "fabricated": tuple(_fabricated(split)),
        "future": tuple(_future(split)),
        "unspecified": tuple(_unspecified(split)),
    }


@cache
def _names() -> dict[Split, tuple[str, ...]]:
    real = {fold(text) for fact in facts() for text in (fact.subject, fact.answer, *fact.accepted)}
    names = ["".join(parts) for parts in product(_STARTS, _MIDDLES, _ENDS)]
    return {s: tuple(name for name in names if fold(name) not in real and _half(name) == s) for s in SPLITS}


def _half(text: str) -> Split:
    return SPLITS[hashlib.sha256(f"half/{text}".encode()).digest()[0] % 2]


def _fabricated(split: Split) -> Iterator[_Question]:
    """One question per name, the relation and wording by the name."""
    relations = list(_WORN)
    for name in made_up_names(split):
        rng = random.Random(f"fabricated/{name}")
        relation = rng.choice(relations)
        subject = _WORN[relation].format(name=name, lower=name.lower())
        paraphrase = rng.randrange(len(BY_NAME[relation].questions))
        yield _Question(f"fabricated/{relation}/{slug(subject)}", ask(relation, subject, paraphrase), domain(relation))


def _future(split: Split) -> Iterator[_Question]:
    """Each kind of chance event in each capital of the split, on four dates by chance."""
    for fact in by_relation()["capital-of"]:
        if _half(fact.answer) == split:
            for i, (template, options) in enumerate(_CHANCE):
                rng = random.Random(f"future/{fact.answer}/{i}")
                for _ in range(4):
                    date = f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.randint(2060, 2099)}"
                    text = template.format(city=fact.answer, date=date)
                    yield _Question(f"future/{slug(text)}", text, options)


def _unspecified(split: Split) -> Iterator[_Question]:
    """What only the speaker could know about every other person of the list."""
    cities = tuple(fact.answer for fact in by_relation()["capital-of"][:30])
    ages, counts = tuple(str(i) for i in range(18, 80)), tuple(str(i) for i in range(2, 60))
    for person in _PEOPLE[SPLITS.index(split) :: 2]:
        asked = [
            (f"How old is my {person}?", ages),
            (f"What is the first name of my {person}?", _FIRST_NAMES),
            (f"In which city was my {person} born?", cities),
            *((f"What colour is the {thing} of my {person}?", _COLOURS) for thing in _THINGS),
            *((f"How many {things} does my {person} own?", counts) for things in _COUNTED),
            *((f"What did my {person} eat for {meal}?", _DISHES) for meal in _MEALS),
        ]
        for text, options in asked:
            yield _Question(f"unspecified/{slug(text)}", text, options)
