"""Judges, opponents and companions in studies: called through the run, under their own address, and counted apart."""

import re
from pathlib import Path

import pytest

import doxa
from doxa import studies
from doxa.elicit.debaters import Debater
from doxa.models.simulated import Respondent

OTHER = "simulated:calibrated?ability=0.6"
REASONED = {"bias": 20.0, "overbets": 1.0}  # with reasons long enough to be judged
CASES = {
    "mask": ({"judge": "model", "judge_model": OTHER}, Respondent()),
    "debate-overconfidence": ({"opponent": OTHER, "speech": "short"}, Debater()),
    "generalized-correctness": ({"models": OTHER}, Respondent()),
    "know-what-they-know": ({"other": OTHER}, Respondent()),
    "context-belief-shift": ({"opponent": OTHER}, Respondent()),
}


def held(name, options, model):
    study = studies.load(name)
    chosen = study.options(**options)
    cross = name == "debate-overconfidence" and "opponent" in options  # examples are debates of one model with itself
    asked = list(study.items(chosen) if cross else study.example())[:2]
    return doxa.run(study, model, options=chosen, items=asked, null_seed=None, progress=False)


@pytest.mark.parametrize("name", CASES)
def test_calls_of_others_stand_under_their_address(name):
    made = held(name, *CASES[name])
    part = made.parts[0]
    calls = part.calls()
    assert part.counts["failed"] == 0 and set(calls["model"]) == {made.manifest["model"]["address"], OTHER}
    theirs = calls.filter(calls["model"] == OTHER)
    assert made.manifest["beside"][OTHER]["usage"]["calls"] == len(theirs) == part.beside[OTHER]["calls"]
    assert part.usage.calls == len(calls) - len(theirs)
    assert (theirs["readings"].list.len() > 0).all()  # each led to a row


def test_a_jury_and_judges_of_reasons_are_named_apart():
    options = {
        "speech": "short",
        "controls": False,
        "jury": f"self,{OTHER}",
        "verdicts": 2,
        "aligners": f"rule,{OTHER}",
    }
    part = held("debate-overconfidence", options, Debater(**REASONED)).parts[0]
    calls = part.calls()
    theirs = calls.filter(calls["model"] == OTHER)["condition"].to_list()
    assert theirs.count("jury") == 2 * 2 and sum(c.startswith("alignment/") for c in theirs) == 2 * 6
    assert calls.filter(calls["model"] != OTHER)["condition"].to_list().count("jury") == 2 * 2
    judges = part.rows().filter(part.rows()["arm"] == "jury")["judge"].unique().to_list()
    assert len(judges) == 2


def test_no_study_asks_another_model_behind_the_runs_back():
    """Ask(...) in a study is about another item of the model that is asked; another model comes from ask.beside."""
    folder = Path(studies.__file__).parent
    made = {p.name: re.findall(r"\bAsk\(\s*([\w.]+)", p.read_text(encoding="utf-8")) for p in folder.glob("*.py")}
    assert {who for of in made.values() for who in of} <= {"ask.model"}
