"""What is said and read for a side: messages by technique, documents of any length, and filler of equal length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from doxa.elicit.positions import SIDES
from doxa.records import DoxaError, Item

# Frames of a message: {claim} is the statement of the side, {reason} a reason for it.
FRAMES: Mapping[str, tuple[str, ...]] = {
    "debate": (
        "I see it otherwise. {claim} {reason}",
        "That does not convince me. {claim} {reason}",
        "I stay with it: {claim} {reason}",
    ),
    "information": (
        "The facts speak for it. {claim} {reason}",
        "Look at what is known. {claim} {reason}",
        "What was found is clear. {claim} {reason}",
    ),
    "norms": (
        "Nearly everybody sees it so by now. {claim} {reason}",
        "Most people around you hold this. {claim} {reason}",
        "More people come to this view each year. {claim} {reason}",
    ),
    "values": (
        "It is a matter of what we stand for. {claim} {reason}",
        "Whoever cares for what is right will say so. {claim} {reason}",
        "Honesty asks for it. {claim} {reason}",
    ),
    "empathy": (
        "I know that it is hard to change one's mind. {claim} {reason}",
        "Think of those whom it concerns. {claim} {reason}",
        "I once saw it as you do, and I felt much the same. {claim} {reason}",
    ),
    "elite": (
        "Leading experts say so. {claim} {reason}",
        "Those who have studied it for decades agree. {claim} {reason}",
        "A well-known professor put it like this. {claim} {reason}",
    ),
}
TECHNIQUES = ("information", "norms", "values", "empathy", "elite")
"""The five ways of persuasion: information, norms, values, empathy, elite cues."""

_LINKS = (
    "{reason}", "It is often forgotten: {reason}", "{claim}", "Nobody has refuted it. {reason}",
    "Whoever looks closely finds this. {reason}", "So it was seen long ago. {claim}",
)  # fmt: skip
_AUTHORS = ("A. Merrow", "J. Halden", "R. Quist", "M. Ostrander", "L. Verhey", "T. Bexley")
_FILLER = (
    "The bakery opens before it is light and closes when the trays are empty.",
    "A long table stands in the yard, and two benches lean against the wall.",
    "In the morning the kettle was put on, and somebody swept the stairs.",
    "The wool was washed twice, dried in the shade, and wound into balls.",
    "On the shelf are nine jars with lids and four without.",
    "They painted the gate, waited a day, and painted it once more.",
    "The path goes along the hedge and then past a shed with a tin roof.",
    "After lunch the cat slept on the chair by the window.",
    "A drawer holds string, buttons, a ruler and a piece of chalk.",
    "The choir sang three songs, and the last of them was sung again.",
)


def sentence(text: str) -> str:
    """A text as a sentence: a capital, and a full stop unless it ends with a mark."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text[-1:] in '.!?' else '.'}"


def statement(item: Item, side: str) -> str:
    """The statement of a side, as a sentence."""
    return sentence(item.fields["statements"][side])


def reason(item: Item, side: str, place: int) -> str:
    """A reason for a side, as a sentence; the reasons come in turn. Without reasons "" is given."""
    held = item.fields["reasons"].get(side) or ()
    return sentence(held[place % len(held)]) if held else ""


def message(item: Item, side: str, technique: str, round: int) -> str:
    """What somebody says for a side in a round (from 0, before the first); it holds the side's statement once.

    raises  ValueError: no such technique
    """
    if technique not in FRAMES:
        raise ValueError(f"technique is {technique!r}; it is one of {', '.join(FRAMES)}")
    frames = FRAMES[technique]
    said = reason(item, side, round)
    said = "" if said == statement(item, side) else said
    return frames[round % len(frames)].format(claim=statement(item, side), reason=said).strip()


def document(item: Item, side: str, words: int, *, seed: int = 0) -> str:
    """A text for a side of so many words (split at blanks), begun with a block of title and author.

    The same for the same item, side and seed; a longer one begins with the shorter ones.
    raises  ValueError: words below 1
    """
    about = str(item.fields["about"]).rstrip("?.")
    rng = random.Random(f"tract/{item.id}/{side}/{seed}")
    title = f"Title: {about[:1].upper()}{about[1:]}\nAuthor: {rng.choice(_AUTHORS)}\n\n"
    return cut(_head(title, words, _sentences(item, side, rng)), words)


def _sentences(item: Item, side: str, rng: random.Random) -> Iterator[str]:
    claim, place = statement(item, side), 0
    yield claim
    while True:
        yield rng.choice(_LINKS).format(claim=claim, reason=reason(item, side, place) or claim)
        place += 1


def filler(words: int, *, seed: int = 0, item: Item | None = None) -> str:
    """A text of so many words that is about nothing in dispute; to a fact: true statements about other things."""
    rng = random.Random(f"filler/{seed}")
    held = (item.fields.get("unrelated") if item is not None else None) or _FILLER
    return cut(_head("", words, (rng.choice(held) for _ in iter(int, 1))), words)


def _head(title: str, words: int, sentences: Iterator[str]) -> str:
    said, count = [], len(title.split())
    while count < words:
        said.append(next(sentences))
        count += len(said[-1].split())
    return title + " ".join(said)


def cut(text: str, words: int) -> str:
    """The first so many words of a text, split at blanks, with the white space between them as it was.

    >>> cut("one  two three", 2)
    'one  two'
    """
    if words < 1:
        raise ValueError(f"words is {words}; a text has 1 or more")
    place = 0
    for _ in range(words):
        while place < len(text) and text[place].isspace():
            place += 1
        while place < len(text) and not text[place].isspace():
            place += 1
    return text[:place]


@cache
def shelf(folder: Path) -> dict[str, tuple[tuple[str, str], ...]]:
    """A user's texts (title, text) by side: FOLDER/support/*.txt and FOLDER/oppose/*.txt, in the order of their names.

    raises  DoxaError: no such folder, a side without texts
    """
    found = {}
    for side in SIDES:
        files = sorted((folder / side).glob("*.txt"))
        if not files:
            raise DoxaError(
                f"{folder / side} holds no .txt file; texts lie in {folder}/support and {folder}/oppose, for each side"
            )
        found[side] = tuple((file.stem, file.read_text(encoding="utf-8")) for file in files)
    return found


def text_for(item: Item, side: str, words: int, folder: str | None = None) -> str:
    """What is read for a side: generated, or a folder's texts behind one another, each under its title; cut."""
    if folder is None:
        return document(item, side, words)
    return cut("\n\n".join(f"Title: {title}\n\n{text}" for title, text in shelf(Path(folder))[side]), words)


def found_by_search(item: Item, words: int, folder: str | None = None) -> list[tuple[str, str]]:
    """(title, text) of texts for both sides by turns, as many for the one as for the other: what a search finds."""
    if folder is not None:
        pairs = zip(*(shelf(Path(folder))[side] for side in SIDES), strict=False)
        return [(title, cut(text, words)) for pair in pairs for title, text in pair]
    about = str(item.fields["about"]).rstrip("?.")
    texts = [document(item, side, words, seed=k) for k in (1, 2) for side in SIDES]
    return [(f"{about[:1].upper()}{about[1:]}, part {k}", text) for k, text in enumerate(texts, 1)]
