"""What interventions do to answers about stories: accuracy in each arm, gains over none and over fillers, reminders."""

from __future__ import annotations

from doxa.metrics import shifts, sums
from doxa.metrics.intervals import Interval
from doxa.metrics.mental_states import ASKED, Cell, Column, Told, answered, plain, share, weighted

FILLER = {"chat-reminder": "chat-filler"}
NO_INTERVENTION = ("none", "again")


def interventions(t: Told) -> dict[str, Interval]:
    """Accuracy in each arm, its gain over none and over the filler of its shape, changes beyond those asked again."""
    found: dict[str, Interval] = {}
    for q in ASKED:
        before = t.right(plain(q))
        if t.asked(("again", "hidden", q)) and t.asked(plain(q)):
            found[f"changes asked again, {q}"] = _flips(t, ("again", "hidden", q))
        for arm in t.arms():
            cell = (arm, "hidden", q)
            if arm in NO_INTERVENTION or not t.asked(cell):
                continue
            after = t.right(cell)
            found[f"{q}, {arm}"] = share(t, after)
            found[f"gain, {q}, {arm}"] = gain(t, before, after)
            control = (FILLER.get(arm, "filler"), "hidden", q)
            if "filler" not in arm and "reminder" in arm and t.asked(control):
                found[f"gain beyond filler, {q}, {arm}"] = gain(t, t.right(control), after)
            noop = ("noop", "hidden", q)
            if "reminder" in arm and t.asked(noop):
                found[f"gain beyond a no-op turn, {q}, {arm}"] = gain(t, t.right(noop), after)
            if t.asked(("again", "hidden", q)) and t.asked(plain(q)):
                said, retest = t.letters[cell], t.letters[("again", "hidden", q)]
                beyond = shifts.excess_flips(t.letters[plain(q)], said, retest, t.cores)
                found[f"changes beyond asked again, {q}, {arm}"] = beyond
            if t.asked((arm, "known", q)):
                both = [((arm, world, q), 0.5) for world in ("hidden", "known")]
                found[f"{q}, {arm}, with twins"] = weighted(t, both)
    return found


def reminders(t: Told) -> dict[str, Interval]:
    """How often a reminder by the model's own answer was right, and what it did where it was right and where wrong."""
    found: dict[str, Interval] = {}
    for q in ("action", "judge"):
        for arm in t.arms():
            cell = (arm, "hidden", q)
            if "reminder" not in arm or arm == "gold-reminder" or not t.asked(cell):
                continue
            said = [None if r is None else float(r == "No") for r in t.reminded[cell]]
            found.setdefault(f"reminded rightly, {arm}", share(t, said))
            before, after = t.right(plain(q)), t.right(cell)
            for name, wanted in (("right", 1.0), ("wrong", 0.0)):
                keep = [s == wanted for s in said]
                part = [a if k else None for a, k in zip(after, keep, strict=True)]
                found[f"{q}, {arm} was {name}"] = share(t, part)
                found[f"gain, {q}, {arm} was {name}"] = gain(t, before, part)
    return found


def gain(t: Told, before: Column, after: Column) -> Interval:
    """Mean of after minus before over the stories with both."""
    return shifts.belief_shift(before, after, groups=t.cores) if t.items else sums.NOTHING


def _flips(t: Told, cell: Cell) -> Interval:
    return shifts.flip_rate(t.letters[plain(cell[2])], t.letters[cell], t.cores)


def third(t: Told) -> dict[str, Interval]:
    """Accuracy with a third option, and how often that one is taken."""
    found = {}
    for name in ("both", "neither"):
        cell = plain(f"action-{name}")
        if t.asked(cell):
            taken = [None if g is None else float(s == "C") for s, g in answered(t, cell)]
            found[f"action, {name} offered"] = share(t, t.right(cell))
            found[f"takes {name}"] = share(t, taken)
    return found
