"""Recorded preferences between questions: who was compared with whom, who won, and whose answers are right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from doxa.elicit.response_files import SINGLE, Cells, RecordedResponse, Scale, responses
from doxa.records import DoxaError

NAMES: Mapping[str, tuple[str, ...]] = {  # what is read: the columns it goes by, the first present is taken
    "i": ("i", "id_i", "item_i", "question_i", "first", "id_1", "item_1", "question_1"),
    "j": ("j", "id_j", "item_j", "question_j", "second", "id_2", "item_2", "question_2"),
    "winner": ("winner", "preferred", "more_confident", "choice"),
    "p": ("p", "p_i", "p_first", "probability"),
    "shown_first": ("shown_first",),
    "set": ("set", "dataset", "task"),
}
OF_BOTH = ("correct", "confidence", "answer", "truth", "group")  # also as columns correct_i, correct_j, ...
ONE, OTHER = ("i", "first", "1"), ("j", "second", "2")
TIE = ("tie", "draw", "both", "equal")


@dataclass(frozen=True)
class Preference:
    """One matchup of questions i and j.

    preferred  how far i won: 1, 0, 1/2 for a tie, or the probability that it is preferred; None: unread
    i_first    whether i was shown first
    """

    where: str
    i: str
    j: str
    preferred: float | None
    i_first: bool = True
    set: str = ""


def split(table: Iterable[Cells]) -> tuple[list[Cells], list[Cells]]:
    """Rows that are matchups (they have an i and a j), and the others, which are about one question."""
    both: tuple[list[Cells], list[Cells]] = ([], [])
    for where, row in table:
        pair = all(_cell(row, name) is not None for name in ("i", "j"))
        both[0 if pair else 1].append((where, row))
    return both


def preferences(table: Sequence[Cells]) -> list[Preference]:
    """What each row of matchups says.

    The winner is an id, or else i or j ("i", "first", "1"; "j", "second", "2"), a tie, or empty where no reply was
    read; instead of it p may give the probability that i is preferred. i was shown first unless `shown_first` names j.

    raises  DoxaError: neither winner nor p, a winner that is none of these, p outside [0, 1], a question against itself
    """
    return [_preference(where, row) for where, row in table]


def _preference(where: str, row: Mapping[str, Any]) -> Preference:
    i, j = str(_cell(row, "i")), str(_cell(row, "j"))
    if i == j:
        raise DoxaError(f"{where}: question {i!r} is compared with itself; a matchup is between two questions")
    shown = _cell(row, "shown_first")
    first = i if shown is None else _side(where, "shown_first", shown, i, j)
    return Preference(where, i, j, _preferred(where, row, i, j), first == i, str(_cell(row, "set") or ""))


def _preferred(where: str, row: Mapping[str, Any], i: str, j: str) -> float | None:
    if not any(name in row for part in ("winner", "p") for name in NAMES[part]):
        raise DoxaError(
            f"{where} has columns {', '.join(row)}; a matchup needs its winner ({', '.join(NAMES['winner'])}) or the "
            f"probability that i is preferred ({', '.join(NAMES['p'])})"
        )
    said, p = _cell(row, "winner"), _cell(row, "p")
    if said is not None:
        if said.lower() in TIE and said not in (i, j):
            return 0.5
        return float(_side(where, "winner", said, i, j) == i)
    if p is None:
        return None
    try:
        value = float(p)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise DoxaError(f"{where}, 'p': {p!r} is no probability in [0, 1] that {i!r} is preferred to {j!r}")
    return value


def _side(where: str, column: str, said: str, i: str, j: str) -> str:
    """The id that is meant; ids go before words, so that questions may be called 1 and 2."""
    if said in (i, j):
        return said
    if said.lower() in ONE + OTHER:
        return i if said.lower() in ONE else j
    raise DoxaError(
        f"{where}, {column!r}: {said!r} is neither {i!r} nor {j!r}, nor one of {', '.join((*ONE, *OTHER, *TIE))}; "
        "leave it empty where no reply was read"
    )


def about_both(table: Sequence[Cells]) -> list[Cells]:
    """What rows of matchups say of their two questions in columns such as correct_i and correct_j, once for each.

    raises  DoxaError: two rows that say different things of one question
    """
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for where, row in table:
        for side in ("i", "j"):
            name = str(_cell(row, side))
            said = {part: row[f"{part}_{side}"] for part in OF_BOTH if row.get(f"{part}_{side}") is not None}
            if not said:
                continue
            said |= {"id": name, "set": _cell(row, "set") or ""}
            before, known = found.setdefault(name, (where, {}))
            if other := [part for part in known if part in said and known[part] != said[part]]:
                now, then = said[other[0]], known[other[0]]
                raise DoxaError(
                    f"{where}: {other[0]} of question {name!r} is {now!r}, but {then!r} in {before}; a question has "
                    "one answer, which all its matchups show"
                )
            known |= said
    return [(where, said) for where, said in found.values()]


def _cell(row: Mapping[str, Any], part: str) -> str | None:
    value = next((row[name] for name in NAMES[part] if name in row), None)
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer() and part != "p":
        value = int(value)
    return str(value).strip() or None


# --- as rows of a study ----------------------------------------------------------------------------------------------


def recorded(
    table: Sequence[Cells], answers: Sequence[Cells], name: str, scale: Scale = "auto"
) -> tuple[list[dict[str, Any]], list[str]]:
    """Fields of rows of answers, samples and matchups, and notes on how the file was understood.

    table    rows of matchups (`preferences`), with or among them rows about one question, as `responses` reads them:
             an id, `correct` or answer and truth, a confidence; several of one question are its answer (`sampling` is
             "single", else the first) and its samples
    answers  more rows about questions
    raises   DoxaError: no matchup and no answer, and as `preferences`, `about_both` and `responses`
    """
    pairs, single = split(table)
    single = [*single, *answers] or about_both(pairs)
    if not single:
        raise DoxaError(
            f"{name} says who was preferred, but not whose answers are right: give correct_i and correct_j, rows with "
            "id and correct, or such a file by --answers FILE"
        )
    found, notes = responses(single, name, scale=scale)
    rows = [_answered(one, place) for one, place in _placed(found)]
    about = {row["item"]: {k: row[k] for k in ("kind", "options", "set", "truth", "group")} for row in reversed(rows)}
    place: dict[str, int] = {}
    without = {"kind": "open", "options": 0, "truth": (), "group": None}
    for one in preferences(pairs):
        rows.append(
            {
                **(about.get(one.i) or {**without, "set": one.set}),
                "item": one.i,
                "opponent": one.j,
                "condition": "matchup",
                "sample": place.get(one.i, 0),
                "first": one.i_first,
                "preferred": one.preferred,
                "outcome": "unparsed" if one.preferred is None else "ok",
            }
        )
        place[one.i] = place.get(one.i, 0) + 1
    unknown = {one for row in rows if row["condition"] == "matchup" for one in (row["item"], row["opponent"])} - {
        *about
    }
    if unknown:
        notes.append(f"questions of matchups without an answer in the file, rated but not scored: {len(unknown)}")
    return rows, notes


def _placed(found: Sequence[RecordedResponse]) -> Iterator[tuple[RecordedResponse, int | None]]:
    """Each response with its place among the samples; None: it is the answer. The first of several is both."""
    singles = {one.id for one in found if one.sampling == SINGLE}
    seen: dict[str, int] = {}
    for one in found:
        if one.sampling == SINGLE:
            yield one, None
            continue
        if one.id not in seen and one.id not in singles:
            yield one, None
        yield one, seen.setdefault(one.id, 0)
        seen[one.id] += 1


def _answered(one: RecordedResponse, place: int | None) -> dict[str, Any]:
    answer, _ = one.read()
    return {
        "item": one.id,
        "condition": "answer" if place is None else "sample",
        "sample": place or 0,
        "outcome": answer.outcome,
        "text": one.reply,
        "group": one.group,
        "kind": one.kind,
        "options": len(one.options),
        "set": one.set,
        "answer": answer.value,
        "confidence": answer.confidence,
        "truth": one.canonical_truth,
    }
