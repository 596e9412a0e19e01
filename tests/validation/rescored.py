"""Are mistakes in scoring caught? A study is asked once, unbroken, and its readings are scored for each mistake."""

import dataclasses
from functools import cache

from doxa.records import Findings
from doxa.runs import run
from doxa.validation import Check

STUDIES = {}


def holds(study, *names):
    """Whether the study's score, as it is now, finds these truths and their nulls in readings that are kept."""
    STUDIES[study.name] = study
    truths = [truth for truth in study.planted if truth.name in names]
    assert len(truths) == len(names)
    return all(_finds(study, truth, strength) for truth in truths for strength in (truth.strength, truth.null))


def _finds(study, truth, strength):
    options, items, rows = _asked(study.name, truth.name, strength)
    found = study.score(rows, options)
    return all(Check(strength, e, found.estimate(e.estimate)).holds for e in truth.expects(strength, items))


@cache
def _asked(study_name, truth_name, strength):
    study = dataclasses.replace(STUDIES[study_name], score=lambda rows, options: Findings())
    (truth,) = (t for t in study.planted if t.name == truth_name)
    options = truth.options or study.options()
    items = list((truth.items or study.items)(options))[: truth.limit]
    done = run(study, truth.respondent(strength), options=options, items=items, seed=0, null_seed=None, progress=False)
    return options, items, done[study.name].rows()
