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


def battery(model: Model | None = None) -> dict[str, tuple[Study, Any]]:
    """Name of each part -> its study and the options that it has in an audit.

    model  chooses the best reading that this model can give; None: log-probabilities
    """
    from doxa import studies
    from doxa.audit import abstention, beliefs, coherence, consistency

    scores = model is None or "score" in model.capabilities
    taken: dict[str, dict[str, Any]] = {
        "kable": {"pairs": 60},
        "distributional-correctness": {"questions": 100 if scores else 40, "reading": "both" if scores else "samples"},
    }
    own = [part.study for part in (beliefs, abstention, consistency, coherence)]
    published = {name: (studies.load(name), options) for name, options in taken.items()}
    return {s.name: (s, s.options()) for s in own} | {n: (s, s.options(**o)) for n, (s, o) in published.items()}


def audit(
    model: Model | str,
    *,
    parts: Sequence[str] | None = None,
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

    parts      names of parts; None: all. limit: only the first so many items of each part
    validated  with the recovery table of every instrument used: made once for this version of Doxa, then kept
    say        told what is planted next, where it is made
    raises     DoxaError: no such part; and whatever `doxa.runs.run` raises
    """
    from doxa import runs
    from doxa.audit.profile import profile
    from doxa.models import load
    from doxa.validation import trusted

    model = load(model) if isinstance(model, str) else model
    whole = battery(model)
    unknown = [p for p in parts or () if p not in whole]
    if unknown:
        raise DoxaError(f"the audit has no part {unknown[0]!r}; its parts are {', '.join(whole)}")
    chosen = [whole[name] for name in (parts or whole)]
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
