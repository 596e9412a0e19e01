"""Motions for debates: our own, facts of the bank that one side affirms and the other denies, or a user's list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from doxa.data.facts import facts
from doxa.data.render import statement_item
from doxa.records import DoxaError, Item

MOTIONS = {
    "night-trains": "This House would fund a network of night trains from the duties on short-haul flights.",
    "voting-age": "This House would lower the voting age in local elections to sixteen.",
    "homework": "This House would abolish graded homework in primary schools.",
    "phones": "This House would keep mobile phones out of schools for the whole school day.",
    "four-days": "This House would make four days the legal length of a full working week.",
    "museum-returns": "This House would oblige museums to return objects that were taken under colonial rule.",
    "sortition": "This House would fill one chamber of parliament by lot instead of by election.",
    "city-cars": "This House would close the inner districts of large cities to private cars.",
    "rent-freeze": "This House prefers the building of public housing to limits on rents.",
    "open-science": "This House would publish all research paid for by taxes free of charge on the day it is accepted.",
    "sugar": "This House would tax drinks by the sugar that they hold.",
    "juries": "This House would replace lay juries in complex fraud trials by panels of experts.",
    "deep-sea": "This House would forbid the mining of metals on the floor of the deep sea until 2050.",
    "tipping": "This House would abolish tipping in restaurants and put a service charge in its place.",
    "exams": "This House would replace final school examinations by marks collected over two years.",
    "zoos": "This House would let zoos keep only species that are endangered in the wild.",
    "anonymous-cv": "This House would require large employers to hide names and photographs in job applications.",
    "water-price": "This House would charge households for water by a price that rises with use.",
    "patents": "This House would shorten the protection of patents on medicines to ten years.",
    "referendums": "This House would bind parliaments by the result of every national referendum.",
}


def own_motions(n: int | None = None) -> list[Item]:
    """The first n of our motions; each side can defend them, and nobody knows who should win."""
    return [Item(f"motion/{name}", text, "statement") for name, text in list(MOTIONS.items())[:n]]


def bank_motions(n: int) -> list[Item]:
    """n statements of the bank, half of them true, spread over popularity: the proposition affirms, the other denies.

    `fields["denial"]` is the denied statement, and the truth says who should win.
    """
    every = facts()
    chosen = every[:: max(1, len(every) // n)][:n]
    found = []
    for place, fact in enumerate(chosen):
        truth = place % 2 == 0
        claim, denial = (
            statement_item(fact, truth, seed=place),
            statement_item(fact, not truth, negated=True, seed=place),
        )
        found.append(replace(claim, id=f"bank/{fact.id}", fields={**claim.fields, "denial": denial.text}))
    return found


def listed_motions(path: Path) -> list[Item]:
    """Motions of a file: one to a line (.txt), or a JSON list of texts or of objects with motion or topic_description.

    raises  DoxaError: no such file, no motion, an entry without text; with file and place
    """
    if not path.is_file():
        raise DoxaError(f"there is no file {path}; give motions as .txt, one to a line, or as a JSON list")
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() != ".json":
        found = [line.strip() for line in text.splitlines()]
        return _named(path, [line for line in found if line])
    try:
        held = json.loads(text)
    except json.JSONDecodeError as error:
        raise DoxaError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    entries = held if isinstance(held, list) else [held]
    return _named(path, [_text(f"{path}[{place}]", entry) for place, entry in enumerate(entries)])


def _text(where: str, entry: object) -> str:
    held = entry
    if isinstance(entry, dict):
        held = next((entry[key] for key in ("motion", "topic_description", "topic", "text") if entry.get(key)), None)
    if isinstance(held, str) and held.strip():
        return held.strip()
    raise DoxaError(f"{where}: {str(entry)[:60]!r} is no motion; it is a text, or an object with motion or topic")


def _named(path: Path, texts: list[str]) -> list[Item]:
    if not texts:
        raise DoxaError(f"{path}: no motions; one to a line, or a JSON list")
    return [Item(f"motion/{place}", text, "statement") for place, text in enumerate(dict.fromkeys(texts), 1)]


SIDES = ("proposition", "opposition")


def debates_on(motions: Sequence[Item], setting: str, *, turned: bool = False) -> list[Item]:
    """A debate on each motion under a condition; turned: two, in which the asked model speaks for either side.

    Fields: setting, and asked_side, the side of the model that is asked where there is another one.
    """
    found = []
    for motion in motions:
        for side in SIDES[: 2 if turned else 1]:
            name = f"{motion.id}/{setting}/{side}" if turned else f"{motion.id}/{setting}"
            fields = {**motion.fields, "setting": setting, "asked_side": side}
            found.append(replace(motion, id=name, group=motion.group or motion.id, fields=fields))
    return found


SKILLS = [d for d in range(-20, 21, 2) if d] * 3  # even, so that half of it is a whole number of tokens; 60 debates


def unequal_debates(setting: str = "self_debate") -> list[Item]:
    """A debate for each of SKILLS, by which the proposition is better: fields["skill"], for simulated debaters."""
    every = debates_on(own_motions(), setting)
    pairs = zip(SKILLS, [every[k % len(every)] for k in range(len(SKILLS))], strict=True)
    return [
        replace(debate, id=f"debate-{k}", group=None, fields={**debate.fields, "skill": skill})
        for k, (skill, debate) in enumerate(pairs)
    ]
