"""What figures of judgement must show where each answer's chance of being right, and of being judged so, is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from doxa.metrics.foreseen import Foreseen, Outlook
from doxa.metrics.inputs import Floats


def area_of_learnt(said: Floats, chance: Floats) -> Foreseen:
    """AUROC of what is learnt of each item, (n,), when each is right with a chance (n,).

    Where nothing can be learnt, all alike, what is learnt is noise: 1 / sqrt(12 p (1 - p)) for one item (Mann and
    Whitney 1947).
    """
    area, rate = Outlook.of(said, chance).auroc(), float(np.mean(chance))
    return area if area.sd else area._replace(sd=1 / math.sqrt(12 * rate * (1 - rate)))


def excess(said: Floats, chance: Floats) -> Foreseen:
    """Mean of what is said of each item, (n,), minus accuracy."""
    return Outlook.of(said, chance).mean(said[:, None] - 1, said[:, None])


def of_learnt(own: Floats, others: Floats, learnt: Sequence[str], unseen: str) -> dict[str, Foreseen]:
    """Figures of ways that learn an asked model's chances `own` (n,), and of one that knows `others` (n,) alone."""
    said = {**dict.fromkeys(learnt, own), unseen: others}
    found = {f"AUROC, {way}": area_of_learnt(chance, own) for way, chance in said.items()}
    return found | {f"confidence minus accuracy, {unseen}": excess(others, own)}


def of_belief(judge: Floats, answers: Floats, options: int) -> Outlook:
    """A judge believes the truth with `judge` (n,), the rest evenly; the answer is right with chance `answers` (n,).

    So it believes a right answer with `judge`, and a wrong one with its share of the rest.
    """
    said = np.column_stack([judge, (1 - judge) / (options - 1)])
    right = np.tile([1.0, 0.0], (len(judge), 1))
    return Outlook.of(said, right, np.column_stack([answers, 1 - answers]))


def of_judged(believes: Sequence[Floats], options: int) -> dict[str, Foreseen]:
    """Two models that answer and judge by what they believe of the truth, each (n,).

    The spread of the advantage is that of four independent cells: their answers are shared, so that it is less.
    """
    cells = [[of_belief(judge, answers, options) for answers in believes] for judge in believes]
    areas = [[cell.auroc() for cell in row] for row in cells]
    (aa, ab), (ba, bb) = areas
    value = (aa.value + bb.value - ab.value - ba.value) / 2
    spread = math.sqrt(sum(area.sd**2 for row in areas for area in row)) / 2
    return {
        "self advantage": Foreseen(value, spread, aa.n),
        "accuracy, judged by itself": _hits(cells[0][0]),
        "accuracy, judged by the other": _hits(cells[1][0]),
    }


def _hits(cell: Outlook) -> Foreseen:
    """How often the judgement, "correct" above .5, is right."""
    yes = (cell.said_nk > 0.5).astype(float)
    return cell.mean(yes, 1 - yes)
