"""What respondents score that look at no question: always A, always yes, the most frequent answer, what is hinted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from doxa.models.simulated import Always, Respondent, modal_answer
from doxa.records import DoxaError, Findings, Item, Table
from doxa.runs import run
from doxa.study import Study

MOST = 8  # estimates shown, unless they are named
COLUMNS = ("respondent", "answered", "items")
NOTE = (
    "None of them looks at a question, so a figure that one of them reaches says nothing for a model that does, too. "
    "copycat gives the answer that the prompt suggests, and a random one where it suggests none; modal gives the most "
    "frequent right answer"
)


def respondents(items: Sequence[Item]) -> dict[str, Respondent]:
    """The trivial respondents by name, and the modal one of these items where an answer is known."""
    found = {
        "always A": Respondent(decide=Always("A"), address="always A"),
        "always B": Respondent(decide=Always("B"), address="always B"),
        "always yes": Respondent(decide=Always("yes"), address="always yes"),
        "always no": Respondent(decide=Always("no"), address="always no"),
        "random": Respondent(address="random"),
        "copycat": Respondent(follows=1.0, address="copycat"),
    }
    if any(item.answer is not None for item in items):
        value = modal_answer(items)
        found[f"modal ({value})"] = Respondent(decide=Always(value), address=f"modal ({value})")
    return found


def trivial(
    study: Study,
    options: Any = None,
    *,
    items: Sequence[Item] | None = None,
    limit: int | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> Table:
    """The headline estimates of each trivial respondent on a study, run in memory.

    options, items, limit, seed  as in `runs.run`
    names    of the estimates to show; None: those with a published figure, and then the first, 8 in all
    returns  one line for each respondent that can answer at least half of the items with something to measure ("yes" is
             no answer to a question with lettered towns); the note says who is left out
    raises   MissingCapability: a study that asks for more than replies and their probabilities; DoxaError: no
             respondent can answer any item, or none of `names` is an estimate
    """
    options = options or study.options()
    asked = list(study.items(options) if items is None else items)[:limit]
    found: dict[str, tuple[Findings, int]] = {}
    left_out = []
    for name, respondent in respondents(asked).items():
        done = run(study, respondent, options=options, items=asked, seed=seed, null_seed=None, progress=False)
        part = done[study.name]
        measured = [e for e in part.findings.estimates if not math.isnan(e.value)]
        if 2 * part.counts["done"] >= len(asked) and measured:
            found[name] = part.findings, part.counts["done"]
        else:
            left_out.append(name)
    if not found:
        raise DoxaError(f"no trivial respondent can answer any of the {len(asked)} items of study {study.name!r}")
    shown = tuple(names) if names is not None else headline(study, [f for f, _ in found.values()])
    known = {e.name for findings, _ in found.values() for e in findings.estimates}
    unknown = [name for name in shown if name not in known]
    if unknown:
        raise DoxaError(f"study {study.name!r} has no estimate {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    lines = []
    for name, (findings, answered) in found.items():
        values = {e.name: e.value for e in findings.estimates}
        lines.append((name, answered, len(asked), *map(values.get, shown)))
    note = f"{NOTE}. Cannot answer these items: {', '.join(left_out)}" if left_out else NOTE
    return Table("Trivial respondents", (*COLUMNS, *shown), tuple(lines), note=note)


def trivials(studies: Sequence[Study], *, limit: int = 40, seed: int = 0, say: Callable[[str], None]) -> Findings:
    """`trivial` of each study with its default options, on its first `limit` items; why a study has none is a note.

    say  told the name of each study before it is asked
    """
    tables, notes = [], []
    for study in studies:
        say(f"{study.name}: trivial respondents")
        try:
            table = trivial(study, limit=limit, seed=seed)
        except DoxaError as error:
            notes.append(f"{study.name}: {error}")
        else:
            tables.append(replace(table, name=study.name, section="Trivial respondents", note=""))
    note = f"Each study on its first {limit} items. {NOTE}. Who cannot answer at least half of the items is left out."
    return Findings(tables=tuple(tables), notes=(note, *notes))


def headline(study: Study, found: Sequence[Findings]) -> tuple[str, ...]:
    """Names of the estimates that a study is known for: the published ones that were measured, then its first."""
    every = dict.fromkeys(e.name for findings in found for e in findings.estimates)
    published = dict.fromkeys(p.estimate for p in study.published if p.estimate in every)
    return tuple({**published, **every})[:MOST]
