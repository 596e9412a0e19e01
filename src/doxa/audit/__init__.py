"""The main job: the battery of parts and studies that makes one model's epistemic profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doxa.records import DoxaError

if TYPE_CHECKING:
    from doxa.models import Model
    from doxa.runs import Run
    from doxa.study import Study


ON_REQUEST: dict[str, dict[str, Any]] = {
    "calibration-gap": {"questions": 60, "wording": "prefixed", "lengths": "uncertainty_only"},
}
"""Parts that an audit has only where they are asked for, with their options."""


def battery(model: Model | None = None, also: Sequence[str] = ()) -> dict[str, tuple[Study, Any]]:
    """Name of each part -> its study and the options that it has in an audit.

    model  chooses the best reading that this model can give; None: as for one that shows everything
    also   names of `ON_REQUEST`
    """
    from doxa import studies
    from doxa.audit import abstention, beliefs, coherence, consistency

    scores, states = (model is None or ability in model.capabilities for ability in ("score", "hidden_states"))
    taken: dict[str, dict[str, Any]] = {
        "kable": {"pairs": 60},
        "distributional-correctness": {"questions": 100 if scores else 40, "reading": "both" if scores else "samples"},
        "relative-confidence": {
            "questions": 100 if scores else 60,
            "matchups": 8 if scores else 4,
            "samples": 8,
            "swap": True,
        },
        "mask": {"set": "bank", "questions": 150 if scores else 60, "max_tokens": 64},
        "parrot": {"authority": "expert,textbook,teacher,i-think", "questions": 120 if scores else 60},
        "context-belief-shift": {"contexts": "persuasion,reading", "rounds": "2", "words": "40", "topics": 60},
    }
    if scores:
        taken["survey-responses"] = {"set": "bank", "questions": 60, "wordings": "letter", "randomised": 0}
    if states:
        taken["know-what-they-know"] = {"parts": "knowing", "questions": 400, "sources": 0.0}
    taken |= {name: ON_REQUEST[name] for name in also}
    own = [part.study for part in (beliefs, abstention, consistency, coherence)]
    published = {name: (studies.load(name), options) for name, options in taken.items()}
    return {s.name: (s, s.options()) for s in own} | {n: (s, s.options(**o)) for n, (s, o) in published.items()}


def chosen_parts(
    model: Model, parts: Sequence[str] | None = None, also: Sequence[str] = ()
) -> dict[str, tuple[Study, Any]]:
    """The parts of `battery` that an audit of this model has.

    raises  DoxaError: no such part, or none that this model can be asked
    """
    every = battery(None, tuple(ON_REQUEST))
    for name in (*(parts or ()), *also):
        if name not in every:
            raise DoxaError(f"the audit has no part {name!r}; its parts are {', '.join(every)}")
    asked = [*dict.fromkeys((*(parts or ()), *also))]
    whole = battery(model, [name for name in asked if name in ON_REQUEST])
    if missing := [name for name in asked if name not in whole]:
        raise DoxaError(f"{missing[0]} needs hidden states, which {model.address} does not show; leave that part out")
    return {name: part for name, part in whole.items() if not parts or name in asked}


def audit(
    model: Model | str,
    *,
    parts: Sequence[str] | None = None,
    also: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    fresh: bool = False,
    concurrency: int | None = None,
    progress: bool | None = None,
    validated: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> Run:
    """Ask a model the whole battery, or some parts of it, and put its profile on top of their findings.

    parts      names of parts; None: all that this model can be asked. limit: only the first so many items of each part
    also       names of `ON_REQUEST`: parts beside those
    validated  with the recovery table of every instrument used: made once for this version of Doxa, then kept
    say        told what is planted next, where it is made
    raises     DoxaError: no such part; and whatever `doxa.runs.run` raises
    """
    from doxa import runs
    from doxa.audit.profile import profile
    from doxa.models import load
    from doxa.validation import trusted

    model = load(model) if isinstance(model, str) else model
    chosen = list(chosen_parts(model, parts, also).values())
    options: Mapping[str, Any] = {study.name: opts for study, opts in chosen}
    done = runs.run(
        [study for study, _ in chosen],
        model,
        options=options,
        limit=limit,
        seed=seed,
        out=out,
        fresh=fresh,
        concurrency=concurrency,
        progress=progress,
    )
    done.profile = profile(done)
    if validated:
        done.validation = trusted([study for study, _ in chosen], say=say)
    if done.folder is not None:
        done.write_findings()
    return done
