"""Every command of the command line, as a newcomer gives it: simulated respondents, tiny runs."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from doxa import cli
from doxa.cli import asking
from doxa.runs import Run

SOURCE = Path(__file__).parents[1] / "src"
QUIET = ("run", "kable", "-m", "simulated:calibrated", "--pairs", "2")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def doxa(capsys):
    """Gives a command line to main; (exit code, stdout, stderr)."""

    def call(*args):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in args])
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


def folders():
    return sorted(p.name for p in Path("runs").iterdir() if p.is_dir())


# --- catalogue -------------------------------------------------------------------------------------------------------


def test_help_shows_every_command_in_a_whole_line(doxa):
    code, out, _ = doxa("--help")
    assert code == 0 and "..." not in out.partition("\n")[2] and "--debug" in out
    assert all(f"\n  {name} " in out for name in cli.cli.commands)


def test_the_catalogue(doxa):
    code, out, _ = doxa("studies")
    line = next(line for line in out.splitlines() if line.startswith("kable "))
    assert code == 0 and "arXiv 2410.21195" in line and "generate" in line
    assert "kable" in [entry["name"] for entry in json.loads(doxa("studies", "--json")[1])]


def test_one_study(doxa):
    _, out, _ = doxa("studies", "kable")
    assert "--pairs int" in out and "It needs: generate" in out and "Differs from the paper" in out
    assert json.loads(doxa("studies", "kable", "--json")[1])["name"] == "kable"
    paragraph = next(p for p in out.split("\n\n") if p.startswith("Differs from the paper"))
    assert all(len(line) > 55 for line in paragraph.splitlines()[:-1])  # reflowed, not broken twice
    assert doxa("studies", "kable")[1] == out


def test_a_study_brings_its_options(doxa):
    assert "--pairs" in doxa("run", "kable", "--help")[1]
    assert "--pairs" not in doxa("run", "--help")[1]
    assert "--pairs" in doxa("score", "kable", "--help")[1]


# --- run -------------------------------------------------------------------------------------------------------------


def test_a_plan_asks_nothing(doxa):
    code, out, err = doxa(*QUIET, "--plan")
    assert (code, out) == (0, "") and "52 items, about 52 calls" in err
    (plan,) = json.loads(doxa(*QUIET, "--plan", "--json")[1])
    assert plan["calls"] == 52 and not Path("runs").exists()


def test_json_is_all_that_stands_on_stdout(doxa):
    code, out, err = doxa(*QUIET, "--json")
    assert code == 0 and json.loads(out)["parts"][0]["study"] == "kable" and "52 items" in err


def test_a_run_is_kept_and_the_same_command_shows_it(doxa):
    code, out, err = doxa(*QUIET)
    (name,) = folders()
    assert code == 0 and f"Report    runs/{name}/report.html" in out and "52 of 52 items" in err
    log = Path("runs", name, "readings/kable/shard-0000.jsonl")
    before = log.read_bytes()
    again = doxa(*QUIET)
    assert again[:2] == (0, out) and "was begun before" in again[2]
    assert log.read_bytes() == before and folders() == [name]


def test_each_configuration_has_a_folder_of_its_own(doxa):
    plain = ("run", "kable", "-m", "simulated:calibrated", "--limit", "4")
    other = (["--limit", "5"], ["--seed", "1"], ["--order", "random"], ["-m", "simulated:random"])
    for args in ([], *other):
        assert doxa(*plain, *args)[0] == 0
    assert len(folders()) == 5 and all(name.startswith("kable-simulated-") for name in folders())


def test_the_folder_of_the_defaults_has_a_plain_name():
    given = dict.fromkeys(asking.DECIDING)
    assert asking.default_folder("audit", "organism:atlas", given, {}) == Path("runs/audit-organism-atlas")
    assert asking.default_folder("kable", "hf:a", given | {"seed": 1}, {}).name.startswith("kable-hf-a-")


def test_addresses_that_look_alike_have_folders_of_their_own():
    given = dict.fromkeys(asking.DECIDING)
    pairs = [("simulated:x?a=.7", "simulated:x?a-7"), ("hf:" + "x" * 80 + "/a", "hf:" + "y" * 80 + "/a")]
    for first, second in pairs:
        assert asking.default_folder("k", first, given, {}) != asking.default_folder("k", second, given, {})


def test_several_studies_keep_their_own_defaults(doxa):
    code, _, _ = doxa("run", "kable", "impossible-test", "-m", "simulated:random", "--limit", "2", "--order", "random")
    (name,) = folders()
    options = {part.study: part.options for part in Run.open(Path("runs", name)).parts}
    assert code == 0 and name.startswith("kable+impossible-test-simulated-random-")
    assert {o["order"] for o in options.values()} == {"random"} and options["kable"]["pairs"] == 100
    code, _, err = doxa("run", "kable", "impossible-test", "-m", "simulated:random", "--order", "cyclic")
    assert code == 2 and "--order" in err and "Study 'kable'" in err


def test_null_shows_shuffled_truth_and_asks_nothing_again(doxa):
    args = ("run", "impossible-test", "-m", "simulated:oracle", "--questions", "4")
    plain = json.loads(doxa(*args, "--json")[1])
    (name,) = folders()
    log = Path("runs", name, "readings/impossible-test/shard-0000.jsonl")
    before = log.read_bytes()
    code, out, _ = doxa(*args, "--null", "--json")
    null = json.loads(out)["parts"][0]
    assert code == 0 and "The truth is shuffled" in null["notes"][0] and log.read_bytes() == before
    beside = {e["name"]: e["null"] for e in plain["parts"][0]["estimates"]}
    shown = {e["name"]: e["value"] for e in null["estimates"]}
    both = beside.keys() & shown.keys()
    assert len(both) > 3 and {k: shown[k] for k in both} == {k: beside[k] for k in both}
    assert json.loads(doxa(*args, "--json")[1])["parts"][0]["estimates"] == plain["parts"][0]["estimates"]


def test_own_items(doxa, folder):
    (folder / "mine.csv").write_text("id,question,answer\nq1,Will it rain?,yes\nq2,Will it snow?,no\n")
    args = ("run", "kalshibench", "-m", "simulated:random", "--items", "mine.csv", "--json")
    code, out, _ = doxa(*args)
    assert code == 0 and json.loads(out)["parts"][0]["counts"]["done"] == 2
    (folder / "mine.csv").write_text("id,question,answer\nq1,Will it rain?,yes\nq3,Will it hail?,no\n")
    assert doxa(*args)[0] == 0 and len(folders()) == 2


def test_a_folder_of_another_configuration_is_refused_and_fresh_begins_again(doxa):
    args = ("run", "kable", "-m", "simulated:random", "--out", "here", "--limit")
    assert doxa(*args, 2)[0] == 0
    code, _, err = doxa(*args, 3)
    assert code == 2 and "limit: 2 there, 3 now" in err and "--fresh" in err
    assert doxa(*args, 3, "--fresh")[0] == 0
    assert Run.open("here").manifest["limit"] == 3


# --- what is done with runs ------------------------------------------------------------------------------------------


@pytest.fixture
def two_runs(doxa):
    for name, seed in (("a", 0), ("b", 1)):
        args = ("--limit", 30, "--seed", seed, "--out", f"runs/{name}", "--json")
        assert doxa("run", "impossible-test", "-m", f"simulated:calibrated?seed={seed}", *args)[0] == 0


def test_report_query_and_compare(doxa, two_runs, monkeypatch):
    monkeypatch.setattr(sys.modules["doxa.runs.compare"], "BUDGET_S", 0.0)  # the fewest resamples
    Path("runs/a/report.html").unlink()
    code, out, _ = doxa("report", "runs/a")
    assert code == 0 and "admission rate" in out and Path("runs/a/report.html").exists()
    assert json.loads(doxa("report", "runs/a", "--json")[1])["run"]["status"] == "done"
    assert doxa("query", "select run from runs order by run")[1].split() == ["run", "a", "b"]
    rows = json.loads(doxa("query", "select 'nan'::float as x, date '2026-01-02' as d", "--json")[1])
    assert rows == [{"x": None, "d": "2026-01-02"}]
    code, out, _ = doxa("compare", "runs/a", "runs/b", "--metric", "admission rate")
    assert code == 0 and "runs/b minus runs/a" in out
    (found,) = json.loads(doxa("compare", "runs/a", "runs/b", "--metric", "admission rate", "--json")[1])["estimates"]
    assert found["name"] == "admission rate" and found["n"] == 30


def test_score_stored_rows(doxa, two_runs):
    rows = "runs/a/readings/impossible-test/rows.parquet"
    code, out, _ = doxa("score", "impossible-test", rows, "--json")
    (found,) = json.loads(out).values()
    asked = json.loads(doxa("report", "runs/a", "--json")[1])["parts"][0]
    values = [{e["name"]: e["value"] for e in part["estimates"]} for part in (found, asked)]
    assert code == 0 and values[0] == pytest.approx(values[1])
    assert "admission rate" in doxa("score", "impossible-test", rows)[1]
    assert doxa("score", "impossible-test", rows, "--null", "--json")[0] == 0
    both = json.loads(doxa("score", "impossible-test", rows, rows.replace("/a/", "/b/"), "--json")[1])
    assert both[rows] == found and rows.replace("/a/", "/b/") in both  # files of one name stay apart


# --- audit and organisms ---------------------------------------------------------------------------------------------


def test_audit_of_one_part(doxa):
    args = ("audit", "simulated:calibrated", "--part", "coherence", "--limit", 4)
    assert doxa(*args, "--plan")[0] == 0 and not Path("runs").exists()
    code, out, _ = doxa(*args, "--json")
    assert code == 0 and json.loads(out)["profile"]["estimates"]
    assert doxa(*args)[0] == 0 and len(folders()) == 1 and folders()[0].startswith("audit-simulated-calibrated-")
    assert doxa(*args, "--seed", 1)[0] == 0 and len(folders()) == 2


def test_organisms(doxa):
    from doxa.organisms import names

    code, out, err = doxa("organism", "list")
    assert code == 0 and all(f"organism:{name}" in out for name in names()) and (names() or "organism build" in err)
    assert [card["name"] for card in json.loads(doxa("organism", "list", "--json")[1])] == names()
    for name in names():
        assert json.loads(doxa("organism", "show", name)[1])["name"] == name


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [("--debug", "studies", "nope"), ("studies", "nope", "--debug")])
def test_a_traceback_only_with_debug(doxa, args):
    code, _, err = doxa(*args)
    assert code == 2 and "Traceback" in err and err.endswith("All of them: doxa studies\n")
    code, _, err = doxa("studies", "nope")
    assert code == 2 and "Traceback" not in err


def test_an_unforeseen_error_says_so_and_warnings_are_one_line(doxa, monkeypatch):
    def breaks(*args, **kwargs):
        warnings.warn("look here", stacklevel=1)
        raise KeyError("lost")

    monkeypatch.setattr("doxa.catalogue.print_study", breaks)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        code, _, err = doxa("studies", "kable")
    assert code == 2 and err.startswith("Warning: look here\nError: unexpected KeyError: 'lost'\n") and "--debug" in err


@pytest.mark.parametrize("option", ["--price=1", "--columns=x"])
def test_options_of_two_parts_say_their_shape(doxa, option):
    code, _, err = doxa(*QUIET, option)
    assert code == 2 and option.partition("=")[0] in err and "is not" in err


def test_concurrency_is_for_every_model(doxa):
    assert doxa("run", "kable", "-m", "simulated:random", "--limit", 2, "--concurrency", 1)[0] == 0


def test_ctrl_c_ends_with_130_and_keeps_what_was_answered(folder):
    """A respondent that never answers its third item; the process is interrupted when two are on the disk."""
    program = f"""
import asyncio, sys
sys.path.insert(0, {str(SOURCE)!r})
from doxa.models.simulated_respondent import Respondent
real = Respondent.generate
asked = []
async def generate(self, *args):
    asked.append(1)
    if len(asked) > 2:
        await asyncio.sleep(600)
    return await real(self, *args)
Respondent.generate = generate
import doxa.runs.collecting
doxa.runs.collecting.GRACE_S = 0.01
import doxa.cli.asking
doxa.cli.asking._planned = lambda *args: True
doxa.cli.main(["run", "kable", "-m", "simulated:random", "--limit", "4", "--concurrency", "1", "--out", "here"])
"""
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    log = folder / "here/readings/kable/shard-0000.jsonl"
    while process.poll() is None and not (log.exists() and log.read_bytes().count(b"\n") >= 2):
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Interrupted: 2 of 4 items are done and kept in here" in err
    assert "Traceback" not in err and Run.open("here").parts[0].counts["done"] == 2


def test_validate_shows_what_is_planted_and_what_is_found(doxa, tmp_path):
    code, out, err = doxa("validate", "abstention", "--quick", "--json")
    shown = json.loads(out)
    assert code == 0 and shown["sound"] and "abstention: rate of admission" in err
    table = shown["Planted and measured"]["tables"][0]
    assert table["columns"][3:5] == ["planted", "measured"] and len(table["rows"]) >= 6
    code, out, err = doxa("validate", "abstention", "--coverage")
    assert code == 2 and "leave STUDY and --grid out" in err
    code, out, err = doxa("validate", "nonsense")
    assert code == 2 and "nonsense" in err


def test_validate_ends_with_1_when_something_is_not_recovered(doxa, monkeypatch):
    from doxa.audit import abstention

    monkeypatch.setattr(abstention, "_rate", lambda name, rows, label: abstention.Estimate(name, 0.3, n=100))
    code, out, _ = doxa("validate", "abstention")
    assert code == 1 and " no " in out
