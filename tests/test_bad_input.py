"""Bad input: one clear error that names the place and the way out, exit code 2, and what is on disk stays whole."""

import errno
import json
import os
import socket
import sys
from pathlib import Path

import polars as pl
import pytest

import doxa as library
from doxa import cli, studies
from doxa.records import DoxaError
from doxa.runs import Run

sys.path.insert(0, str(Path(__file__).parent / "models"))
from stub_server import says, serving

KEY = "sk-planted-0123456789"
HTML = "<!DOCTYPE html><html><body>Welcome to nginx</body></html>"
RUN = ("run", "kable", "--limit", "2", "-m")
ASK = (*RUN, "simulated:random", "--items")
RUN_AT = (*RUN, "simulated:random", "--out")
serve = pytest.fixture(serving)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("DOXA_BASE_URL", "OPENAI_BASE_URL", "DOXA_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def refused(capsys):
    """Gives a command line to main, which has to end with 2 and one error; the error."""

    def call(*args):
        with pytest.raises(SystemExit) as ended:
            cli.main([str(a) for a in args])
        out, err = capsys.readouterr()
        assert ended.value.code == 2 and out == "" and "Traceback" not in err
        assert sum(line.startswith("Error: ") for line in err.splitlines()) == 1
        assert "fault of Doxa's" not in err and KEY not in err
        return err

    return call


@pytest.fixture(scope="module")
def answers():
    """Rows of a study on its example, by name."""
    made = {}

    def rows(name):
        if name not in made:
            items = studies.load(name).example()
            made[name] = library.run(name, "simulated:calibrated", items=items, progress=False)[name].rows()
        return made[name]

    return rows


@pytest.fixture
def there(capsys):
    """A finished run in the folder `here`."""
    with pytest.raises(SystemExit) as ended:
        cli.main([*RUN_AT, "here"])
    capsys.readouterr()
    assert ended.value.code == 0
    return Path("here")


def has(text, *parts):
    missing = [part for part in parts if part not in text]
    assert not missing, f"{missing} not in: {text}"


# --- whom to ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("openai:gpt", ("'openai:'", "endpoint:MODEL", "hf:ID-or-path")),
        ("./my-model", ("Did you mean hf:./my-model?",)),
        ("answers.csv", ("Did you mean recorded:answers.csv?",)),
        ("simulated:calibratd", ("calibratd", "calibrated")),
        ("simulated:calibrated?abilty=1", ("no parameter 'abilty'", "ability")),
        ("simulated:calibrated?ability=much", ("ability", "much")),
        ("organism:nobody", ("no organism is called 'nobody'", "there are")),
        ("endpoint:m", ("no base URL", "--base-url")),
        ("recorded:nothing.csv", ("nothing.csv",)),
        ("hf:", ("names no model after the colon", "hf:ID-or-path")),
    ],
)
def test_an_address_that_leads_nowhere(refused, address, parts):
    has(refused(*RUN, address), *parts)
    assert not Path("runs").exists()


def test_a_model_option_that_does_not_apply(refused):
    has(refused(*RUN, "simulated:random", "--device", "cpu"), "device does not apply", "hf:", "Leave it out")


def test_a_missing_key(refused, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    told = refused(*RUN, "endpoint:m", "--base-url", "https://api.example.org/v1")
    has(told, "https://api.example.org/v1", "OPENAI_API_KEY is not set", "--api-key-env")


def test_a_wrong_key(refused, serve):
    stub = serve(key="another")
    told = refused(*RUN, "endpoint:m", "--base-url", stub.url)
    has(told, stub.url, "OPENAI_API_KEY")
    assert not Path("runs").exists()


def test_a_server_that_sends_a_web_page(refused, serve):
    stub = serve(*[says(200, HTML, kind="text/html")] * 9)
    has(refused(*RUN, "endpoint:m", "--base-url", stub.url), stub.url, "/v1")


def test_a_wrong_path_on_the_server(refused, serve):
    stub = serve(chat=False, text=False, models=None)
    has(refused(*RUN, "endpoint:m", "--base-url", stub.url), stub.url, "404")


def test_nobody_at_the_address(refused):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    has(refused(*RUN, "endpoint:m", "--base-url", url), f"nobody answers at {url}", "Is the server running there?")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host/v1", "http://"])
def test_an_address_that_is_no_url(refused, url):
    has(refused(*RUN, "endpoint:m", "--base-url", url), "starts with http:// or https://", url)


def test_a_key_that_goes_bad_in_the_middle_keeps_what_was_answered(refused, serve):
    stub = serve(answer="Answer: A")
    args = ("run", "kable", "--limit", "6", "--concurrency", "1", "--out", "here", "-m", "endpoint:m")
    address = ("--base-url", stub.url)
    normal, during = stub._normal, []

    def answer(request, body):
        during.append(Path("here/manifest.json").exists())  # after what is asked to find out what the server can
        if sum(during) > 3:
            stub.manners.key = "another"
        return normal(request, body)

    stub._normal = answer
    told = refused(*args, *address)
    run = Run.open("here")
    done = run.parts[0].counts["done"]
    has(told, f"{done} of 6 items are done and kept in here", "the same command goes on")
    assert 0 < done < 6 and run.manifest["status"] == "stopped" and len(run.parts[0].rows()) == done


# --- what to ask -----------------------------------------------------------------------------------------------------

FILES = {
    "cut.jsonl": ('{"id": "1", "question": "Q?"}\n{"id": "2", "quest', ("cut.jsonl, line 2", "was it cut off?")),
    "column.csv": ("id,frage\n1,Q?\n", ("column.csv", "'frage'", "missing column 'text'", "Rename it")),
    "noid.csv": ("question\nQ?\n", ("noid.csv", "missing column 'id'", "add it")),
    "empty.csv": ("id,question\n", ("empty.csv", "no rows")),
    "twice.csv": ("id,question\n1,Q?\n1,R?\n", ("twice.csv, line 3", "'1' is already at twice.csv, line 2", "Rename")),
    "cells.csv": ("id,question\n1,Q?,more\n", ("cells.csv, line 2", "not 2 cells")),
    "set.xlsx": ("", ("set.xlsx", ".csv")),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_items(refused, name):
    text, parts = FILES[name]
    Path(name).write_text(text)
    has(refused(*ASK, name), *parts)
    assert not Path("runs").exists()


def test_a_file_of_items_that_is_not_there(refused):
    has(refused(*ASK, "nothing.csv"), "no file 'nothing.csv'")


@pytest.mark.parametrize("study", ["kable", "kalshibench", "impossible-test"])
def test_items_that_a_study_cannot_ask(refused, study):
    Path("capitals.csv").write_text("id,question,answer\nfr,What is the capital of France?,Paris\n")
    told = refused("run", study, "-m", "simulated:random", "--items", "capitals.csv")
    has(told, f"study {study!r}", "'fr'")
    assert not Path("runs").exists()


def test_items_from_python_without_any_or_twice_the_same_id():
    items = list(studies.load("kable").example())
    with pytest.raises(DoxaError, match="there are no items to ask about"):
        library.run("kable", "simulated:random", items=[])
    with pytest.raises(DoxaError, match="occurs twice"):
        library.run("kable", "simulated:random", items=[items[0], items[0]])


# --- how to ask ------------------------------------------------------------------------------------------------------


def test_an_unknown_study(refused):
    for args in (("run", "kabel", "-m", "simulated:random"), ("studies", "kabel"), ("score", "kabel", "x.csv")):
        has(refused(*args), "no study is called 'kabel'", "Did you mean 'kable'?", "doxa studies")
    has(refused("run", "kabel", "--pairs", "3", "-m", "simulated:random"), "Did you mean 'kable'?")


@pytest.mark.parametrize(
    ("option", "parts"),
    [
        (("--limit", "0"), ("--limit", "0 is not in the range x>=1")),
        (("--concurrency", "0"), ("--concurrency",)),
        (("--key", "wrong"), ("--key", "'wrong'", "'data', 'figure'")),
        (("--pairs", "many"), ("--pairs", "'many' is not a valid integer")),
        (("--paris", "3"), ("--paris", "--pairs")),
        (("--price", "cheap"), ("--price", "2.5,10")),
    ],
    ids=lambda value: value[0],
)
def test_an_option(refused, option, parts):
    has(refused(*RUN, "simulated:random", *option), *parts)


def test_a_limit_of_nothing_from_python():
    with pytest.raises(DoxaError, match="limit is 0; it is the number of items to ask about, 1 or more"):
        library.run("kable", "simulated:random", limit=0)


def test_an_unknown_part_of_the_audit(refused):
    has(refused("audit", "simulated:random", "--part", "honesty"), "no part 'honesty'", "beliefs", "coherence")
    assert not Path("runs").exists()


# --- answers that are already there ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_percentages_where_probabilities_belong(refused, answers, form):
    name = f"percent.{form}"
    rows = answers("express-uncertainty").with_columns(pl.col("confidence") * 100)
    rows.write_parquet(name) if form == "parquet" else rows.write_ndjson(name)
    has(refused("score", "express-uncertainty", name), name, "outside [0, 1]", "Percent? divide by 100")


@pytest.mark.parametrize("study", ["express-uncertainty", "impossible-test", "kable", "kalshibench"])
def test_rows_that_are_cut_off(refused, answers, study):
    answers(study).write_ndjson("whole.jsonl")
    text = Path("whole.jsonl").read_text()
    Path("cut.jsonl").write_text(text[: len(text) // 2])
    has(refused("score", study, "cut.jsonl"), "cut.jsonl:", "cut off")


def test_rows_of_the_wrong_kind(refused, answers):
    rows = answers("kable")
    rows.with_columns(pl.lit("much").alias("belief")).write_parquet("kind.parquet")
    has(refused("score", "kable", "kind.parquet"), "kind.parquet", "column 'belief'", "'much'", "List(Float64)")
    rows.clear().write_parquet("empty.parquet")
    has(refused("score", "kable", "empty.parquet"), "empty.parquet", "no rows")
    rows.rename({"reading" if "reading" in rows.columns else "text": "words"}).drop("item").write_parquet("no.parquet")
    has(refused("score", "kable", "no.parquet"), "no.parquet", "--reply")
    answers("impossible-test").drop("item").write_parquet("item.parquet")
    has(refused("score", "impossible-test", "item.parquet"), "item.parquet", "name no item", "column 'item'")


def test_files_that_are_not_there_or_a_folder(refused, there):
    has(refused("score", "kable", "nothing.csv"), "nothing.csv: no such file")
    has(refused("score", "kable", there), "here", "rows.parquet")


def test_a_recorded_file(refused):
    Path("cut.jsonl").write_text('{"item": "1", "text": "A"}\n{"item": "2", "te')
    has(refused(*RUN, "recorded:cut.jsonl"), "cut.jsonl:2", "cut off")
    Path("names.csv").write_text("item,response\n1,A\n")
    told = refused(*RUN, "recorded:names.csv")
    has(told, "names.csv has no column 'text'", "'response'", "--columns text=response")
    Path("twice.csv").write_text("item,text\n1,A\n1,B\n")
    has(refused(*RUN, "recorded:twice.csv"), "recorded twice", "twice.csv:2", "twice.csv:3")


# --- folders of runs -------------------------------------------------------------------------------------------------


def test_a_folder_that_is_no_run(refused):
    Path("photos").mkdir()
    Path("photos/cat.txt").write_text("a cat")
    has(refused("report", "photos"), "photos is not a run", "manifest.json")
    has(refused("report", "nothing"), "nothing is not a run")
    has(refused(*RUN_AT, "photos"), "photos is no run and not empty", "'cat.txt'", "Name a new folder")
    has(refused(*RUN_AT, "photos/cat.txt"), "is a file")
    assert sorted(p.name for p in Path("photos").iterdir()) == ["cat.txt"]


def test_a_folder_of_a_newer_format(refused, there):
    manifest = json.loads((there / "manifest.json").read_text())
    (there / "manifest.json").write_text(json.dumps(manifest | {"format": 99, "doxa": "9.9"}))
    rows = (there / "readings/kable/shard-0000.jsonl").read_bytes()
    for args in (("report", there), (*RUN_AT, there), ("query", "select 1", "--runs", ".")):
        has(refused(*args), "run format 99", "doxa 9.9", "Update doxa")
    assert (there / "readings/kable/shard-0000.jsonl").read_bytes() == rows


def test_a_manifest_and_findings_that_are_cut_off(refused, there):
    findings = there / "findings.json"
    findings.write_text(findings.read_text()[:100])
    has(refused("report", there), "findings.json", "Remove it", "same command")
    manifest = there / "manifest.json"
    manifest.write_text(manifest.read_text()[:100])
    has(refused("report", there), "manifest.json is not the manifest of a run")


def test_sql(refused, there):
    for sql, parts in {
        "selec 1": ("syntax error", "selec"),
        "select * from answers": ("answers", "readings, calls, runs, findings"),
        "select colour from readings": ("colour", "describe readings"),
        "select * from read_csv('/etc/passwd')": ("disabled",),
    }.items():
        has(refused("query", sql, "--runs", "."), *parts)


def test_sql_where_there_are_no_runs(refused):
    has(refused("query", "select 1"), "no run below runs", "Name the folder of your runs")


def test_runs_that_cannot_be_compared(refused, there, capsys):
    with pytest.raises(SystemExit):
        cli.main(["run", "impossible-test", "-m", "simulated:random", "--limit", "2", "--out", "other"])
    capsys.readouterr()
    has(refused("compare", there, "other"), "no study in common", "kable", "impossible-test")
    has(refused("compare", there, "nothing"), "nothing is not a run")


def test_a_full_disk(refused, monkeypatch):
    real, room = os.write, [20_000]

    def write(handle, data):
        if len(data) > room[0]:
            real(handle, data[: room[0]])  # what fits is written, as a file system does
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= len(data)
        return real(handle, data)

    args = ("run", "kable", "--limit", 60, "-m", "simulated:random", "--concurrency", 4, "--out", "here")
    with monkeypatch.context() as disk:
        disk.setattr("doxa.runs.log.BACKLOG_BYTES", 0)  # so that no batch has more than four records
        disk.setattr("doxa.runs.log.os.write", write)
        told = refused(*args)
    has(told, "here/readings/kable", "no space is left on the disk. Free some space", "the same command goes on")
    kept = len(list(Run.open("here").parts[0].records()))
    assert 0 < kept < 60
    with pytest.raises(SystemExit) as ended:
        cli.main([*map(str, args)])
    assert ended.value.code == 0 and Run.open("here").parts[0].counts["done"] == 60
