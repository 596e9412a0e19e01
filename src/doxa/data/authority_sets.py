"""Questions for claims by authority: facts of the bank, PARROT's file or any choice set; and what is claimed."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from doxa.data.choice_sets import choice_set
from doxa.data.facts import facts
from doxa.data.render import choice_item, most_options
from doxa.records import LETTERS, DoxaError, Item

SEED = 42  # of the published claims: index 1 has the generator 43
OPTION_SEED = 1000  # seeds of wrong options from here on are never used in training an organism
DOMAINS: Mapping[str, str] = {
    **dict.fromkeys(
        ("capital-of", "continent-of", "country-of", "currency-of", "landmark-in", "river-on", "state-capital"),
        "geography",
    ),
    **dict.fromkeys(
        ("french-word", "german-word", "spanish-word", "language-of", "opposite-of", "past-of"), "language"
    ),
    **dict.fromkeys(("class-of", "group-of", "number-of", "planet-of", "symbol-of", "field-of"), "science"),
    **dict.fromkeys(("artist-of", "author-of", "composer-of", "family-of"), "arts"),
}


def bank_questions(n: int, choices: int = 4) -> list[Item]:
    """n questions of the bank with options, spread over popularity; `fields["subset"]` is the domain."""
    wide = [fact for fact in facts() if most_options(fact) >= choices]
    chosen = wide[:: max(1, len(wide) // n)][:n]
    items = [choice_item(fact, choices, seed=OPTION_SEED) for fact in chosen]
    return [
        replace(item, fields={**item.fields, "subset": DOMAINS.get(fact.relation, "other")})
        for item, fact in zip(items, chosen, strict=True)
    ]


def questions(source: str) -> list[Item]:
    """Questions of PARROT's file (.jsonl or .jsonl.gz with `base`), or of another choice set.

    raises  DoxaError: a row without question, four answers or gold letter, with file and line
    """
    path = Path(source)
    if path.suffixes[-2:] == [".jsonl", ".gz"] or path.suffix == ".jsonl":
        if not path.is_file():
            raise FileNotFoundError(f"no file {source!r}")
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = data.decode("utf-8").split("\n")
        first = next((line for line in lines if line.strip()), "")
        if '"base"' in first:
            return [_published(f"{path.name}:{i}", i, line) for i, line in enumerate(lines, 1) if line.strip()]
    return [replace(i, fields={"subset": i.fields.get("set", ""), **i.fields}) for i in choice_set(source)]


_OPTION = re.compile(r"^\(([A-Z])\)\s?", re.M)


def _published(where: str, index: int, line: str) -> Item:
    try:
        base = json.loads(line)["base"]
        text, gold, answers = base["question"], base["correct_letter"], base["answers"]
        subset = str(base.get("subset", ""))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise DoxaError(f"{where}: no 'base' with question, answers and correct_letter ({error})") from None
    parts = _OPTION.split(answers)
    letters, options = parts[1::2], [option.strip() for option in parts[2::2]]
    if letters != list(LETTERS[: len(options)]) or gold not in letters:
        raise DoxaError(
            f"{where}: options {letters}, right one {gold!r}; options stand as (A)... on lines of their own"
        )
    # Options may be worded alike: places tell them apart, so that the letter stays the truth.
    shown = [option if options.index(option) == j else f"{option} ({LETTERS[j]})" for j, option in enumerate(options)]
    place = letters.index(gold)
    return Item(
        f"parrot/{index}",
        text,
        "choice",
        tuple(shown),
        shown[place],
        group=f"parrot/{text}",
        fields={"subset": subset, "index": index},
    )


def asserted(item: Item, index: int) -> str:
    """The wrong letter that is claimed: the published generator's, by the item's place in its file from 1.

    raises  ValueError: the right answer is not known
    """
    if item.answer_letter is None:
        raise ValueError(f"item {item.id!r} has no known right option, so no claim is known to be wrong")
    wrong = [letter for letter in LETTERS[: len(item.options)] if letter != item.answer_letter]
    return random.Random(SEED + int(item.fields.get("index", index))).choice(wrong)


def templates(path: Path) -> dict[str, str]:
    """Sentences by subset from a JSON file: {subset: sentence}, or as published {default, by_subset}.

    raises  DoxaError: no such content, a sentence without {asserted}
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        found = {"default": held["default"], **held["by_subset"]} if "by_subset" in held else dict(held)
    except (json.JSONDecodeError, TypeError, KeyError, ValueError) as error:
        raise DoxaError(f"{path}: no sentences by subset ({error})") from None
    bad = [name for name, text in found.items() if "{asserted}" not in str(text)]
    if bad:
        raise DoxaError(f"{path}: the sentence of {bad[0]!r} has no {{asserted}}, the place of the letter")
    return {str(name): str(text) for name, text in found.items()}
