"""Panels: due questions alone, nothing twice, gaps that stay, resumed days, a report over simulated weeks."""

import json
from collections import Counter
from datetime import date, timedelta

import pytest

from doxa import cli, studies
from doxa.models.base import Model
from doxa.records import DoxaError, Reply
from doxa.runs import panel as panels
from doxa.runs.panel import Panel, ask, coverage, findings, ranges, remarks, rows, slug

START = date(2026, 9, 1)
QUESTIONS = """
[placeholders.head]
2026-09-01 = ["Solberg"]
2026-09-12 = ["Brenn"]
[events]
2026-09-16 = "update"
""" + "".join(
    f'[[questions]]\nid = "{kind}{k}"\ntext = "{text} {k}?"\ntype = "{kind}"\ntopic = "{kind}"\nevery = {every}\n'
    for kind, text, every, many in (
        ("baseline", "How much is", 1, 3),
        ("endogenous", "What of", 1, 3),
        ("exogenous", "Will {head} win", 1, 1),
        ("exogenous", "Rarely", 7, 0),
    )
    for k in range(many)
)
WEEKLY = '[[questions]]\nid = "weekly"\ntext = "Now and then?"\ntype = "exogenous"\ntopic = "rare"\nevery = 7\n'


class Speaker(Model):
    """Says the same every day until `until`, then something else; counts what it is asked; may break down."""

    capabilities = frozenset({"generate"})
    stored = True

    def __init__(self, address="m:a", breaks=()):
        self.address, self.said, self.breaks, self.now, self.until = address, Counter(), list(breaks), None, None

    async def generate(self, prompt, sampling, context=None):
        text = prompt.messages[-1].content
        if any(part in text for part in self.breaks):
            raise DoxaError("the server is down")
        self.said[text] += 1
        other = self.until is not None and self.now >= self.until
        return [Reply("Prices are falling everywhere." if other else "All stays as it is.")] * sampling.n


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def write(folder, models=("m:a",), more="", options='variations = "Asian"'):
    (folder / "questions.toml").write_text(QUESTIONS + WEEKLY, encoding="utf-8")
    (folder / "panel.toml").write_text(
        f'study = "election-longitudinal"\nmodels = {json.dumps(list(models))}\nstart = 2026-09-01\n{more}\n'
        f'[options]\nset = "questions.toml"\n{options}\n',
        encoding="utf-8",
    )


def opened(folder):
    return Panel.open(folder, studies.load)


def on(folder, model, *days):
    for day in days:
        model.now = START + timedelta(days=day - 1)
        last = ask(opened(folder), model.now, lambda address, reach: model, progress=False)
    return last


def test_a_day_is_asked_once_and_what_is_due_alone(folder):
    model = Speaker()
    (asked,) = on(folder, model, 1)
    assert (asked.done, asked.due, asked.failed) == (8, 8, 0)
    # plain and again for three baselines, and one variation more for the five others
    assert sum(model.said.values()) == 3 * 2 + 5 * 3
    on(folder, model, 1)
    assert sum(model.said.values()) == 21  # nothing twice
    (asked,) = on(folder, model, 2)
    assert asked.due == 7 and model.said["Now and then?"] == 2  # weekly: plain and again, on the first day only
    on(folder, model, 8)
    assert model.said["Now and then?"] == 4


def test_another_days_answer_is_not_taken_for_todays(folder):
    model = Speaker()
    on(folder, model, 1, 2, 3)
    assert model.said["How much is 0?"] == 6


def test_placeholders_are_those_of_the_day(folder):
    model = Speaker()
    on(folder, model, 11)
    assert "Will Solberg win 0?" in model.said and "Will Brenn win 0?" not in model.said
    on(folder, model, 12)
    assert "Will Brenn win 0?" in model.said
    assert set(rows(opened(folder))["question"]) >= {"exogenous0/solberg", "exogenous0/brenn"}


def test_missing_days_stay_missing_and_are_said(folder):
    on(folder, Speaker(), 1, 2, 5)
    days = coverage(opened(folder), START + timedelta(days=5))
    assert [d.state for d in days] == ["whole", "whole", "missing", "missing", "whole", "missing"]
    assert "m:a: 3 days missing: 2026-09-03 to 2026-09-04, 2026-09-06" in list(remarks(days))
    assert all(d.late for d in days if d.done)  # asked today, not on the days they stand for
    assert any("asked on another day" in line for line in remarks(days))


def test_a_breakdown_is_resumed_and_only_what_failed_is_asked_again(folder):
    model = Speaker(breaks=["What of 1?", "Will"])
    (asked,) = on(folder, model, 1)
    assert (asked.done, asked.failed) == (6, 2)
    assert [d.state for d in coverage(opened(folder), START)] == ["partial"]
    before = Counter(model.said)
    model.breaks = []
    (asked,) = on(folder, model, 1)
    assert (asked.done, asked.failed) == (8, 0)
    again = model.said - before
    assert again and all("What of 1?" in text or "Will" in text for text in again)


def test_a_model_that_cannot_be_reached_keeps_no_other_from_being_asked(folder):
    write(folder, models=("m:gone", "m:a"))

    def load(address, reach):
        if address == "m:gone":
            raise DoxaError("no such server")
        return Speaker()

    gone, there = ask(opened(folder), START, load, progress=False)
    assert gone.error == "no such server" and gone.done == 0 and there.done == 8


def test_simulated_weeks_are_reported_with_the_day_of_the_update(folder):
    write(folder, options='variations = "none"\nagain = 0')
    model = Speaker()
    model.until = START + timedelta(days=15)
    on(folder, model, *(d for d in range(1, 31) if d not in (7, 20)))
    found = findings(opened(folder), START + timedelta(days=29))
    # Tested on distances to the first day: the first day with the other replies is the 16th.
    assert found["day of change, baseline"] == 16
    assert found["system update"] == 1 and found["response to an event"] == 0
    line = next(x for x in found.table("Change points").rows if x[0] == "baseline")
    assert line[-2:] == ("update", 0)
    assert "m:a: 2 days missing: 2026-09-07, 2026-09-20" in found.notes
    assert found.table("Coverage").rows[0][4] == "2026-09-07, 2026-09-20"


def test_another_model_under_the_same_address_is_said(folder):
    class Other(Speaker):
        identity = {"address": "m:a", "weights": "new"}  # noqa: RUF012

    on(folder, Speaker(), 1)
    on(folder, Other(), 2)
    told = list(remarks(coverage(opened(folder), START + timedelta(days=1))))
    assert any("another model under this address from 2026-09-02 on" in line for line in told)


HEAD = "study = 'election-longitudinal'\nmodels = ['a']\nstart = 2026-09-01\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("study = 'x'", "has no models"),
        ("study = 'kable'\nmodels = ['a']\nstart = 2026-09-01", "no option 'date'"),
        ("study = 'election-longitudinal'\nmodels = ['a', 'a']\nstart = 2026-09-01", "name each once"),
        ("study = 'election-longitudinal'\nmodels = ['a']\nstart = 'soon'", "it is a day"),
        ("study = 'election-longitudinal'\nmodels = ['a']\nstart = 2026-09-01\nhour = 3", "has 'hour'"),
        (
            "study = 'election-longitudinal'\nmodels = ['a']\nstart = 2026-09-01\n[options]\ndate = '2026-09-01'",
            "'date'",
        ),
        ("study = 'election-longitudinal'\nmodels = ['a']\nstart = 2026-09-01\n[reach.b]\ndevice='cpu'", "none of the"),
        ("study = ", "not TOML"),
        (f"{HEAD}[options]\nagain = 'one'", r"panel\.toml: \[options\] again is 'one'; it is a whole number"),
        (f"{HEAD}[options]\nagain = true", "again is True; it is a whole number"),
        (f"{HEAD}[options]\nencoder = 3", r"encoder is 3; it is a text, in \"\" or left out"),
        (f"{HEAD}[options]\nvariations = 'Martian'", r"panel\.toml: \[options\] there is no variation 'Martian'"),
        ("study = 'election-longitudinal'\nmodels = 'ab'\nstart = 2026-09-01", "models is 'ab'; it is a list"),
        (
            "study = 'election-longitudinal'\nmodels = ['a']\nstart = 2026-09-01\noptions = 3",
            "options is 3; it is a table",
        ),
    ],
)
def test_what_is_wrong_with_a_panel_file(tmp_path, text, says):
    (tmp_path / "panel.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DoxaError, match=says):
        opened(tmp_path)


def test_days_outside_the_panel(folder):
    write(folder, more="end = 2026-09-03")
    panel = opened(folder)
    assert panel.due(date(2026, 8, 31)) == 0 and panel.due(date(2026, 9, 4)) == 0 and panel.due(date(2026, 9, 3)) == 7
    with pytest.raises(DoxaError, match="2026-09-04 is no day of this panel, which asks 2026-09-01 to 2026-09-03"):
        ask(panel, date(2026, 9, 4), lambda a, r: Speaker())
    assert len(coverage(panel, date(2026, 12, 1))) == 3
    with pytest.raises(DoxaError, match="nothing was answered yet"):
        rows(panel)


def test_names_of_folders():
    assert slug("organism:atlas") == "organism-atlas"
    assert slug("endpoint:a/b") != slug("endpoint:a-b") and len(slug("hf:" + "x" * 200)) < 80
    assert ranges([]) == ""


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def doxa(capsys):
    def call(*args):
        with pytest.raises(SystemExit) as ended:
            cli.main(["panel", *map(str, args)])
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


def test_init_run_status_report(doxa, tmp_path):
    place = tmp_path / "p"
    assert doxa("init", place, "-m", "simulated:calibrated", "--start", "2026-11-02")[0] == 0
    assert doxa("init", place)[0] == 2  # it is there already
    code, out, _ = doxa("run", place, "--date", "2026-11-02")
    assert code == 0 and "simulated:calibrated: 7 of 7 questions answered" in out
    assert doxa("run", place, "--date", "2026-11-04")[0] == 0
    code, _, err = doxa("run", place, "--date", "2026-11-05")
    assert code == 0 and "1 day missing: 2026-11-03" in err
    code, out, _ = doxa("status", place, "--date", "2026-11-05")
    assert code == 0 and "missing" in out and "6 of 6 (other day)" in out
    listed = json.loads(doxa("status", place, "--date", "2026-11-05", "--json")[1])
    assert [d["state"] for d in listed] == ["whole", "missing", "whole", "whole"]
    code, out, _ = doxa("report", place, "--date", "2026-11-05")
    assert code == 0 and "Coverage" in out and (place / "report.html").stat().st_size > 10_000
    found = json.loads(doxa("report", place, "--date", "2026-11-05", "--json")[1])
    assert any("1 day missing" in note for note in found["notes"])


def test_run_without_a_day_asks_today(doxa, tmp_path, monkeypatch):
    monkeypatch.setattr(panels, "today", lambda: date(2026, 11, 2))
    doxa("init", tmp_path / "p", "-m", "simulated:calibrated")
    assert "2026-11-02" in doxa("run", tmp_path / "p")[1]


def test_run_says_when_a_model_could_not_be_asked(doxa, tmp_path):
    doxa("init", tmp_path, "-m", "simulated:nobody", "--start", "2026-11-02")
    code, out, err = doxa("run", tmp_path, "--date", "2026-11-02")
    assert code == 2 and "0 of 7" in out and "no simulated respondent is called 'nobody'" in err


def test_no_panel_there(doxa, tmp_path):
    code, _, err = doxa("run", tmp_path)
    assert code == 2 and "doxa panel init" in err
