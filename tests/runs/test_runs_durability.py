"""What was acknowledged is there, once, whatever happened: kills, torn lines, full disks, two writers."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from pathlib import Path

import coin_study
import pytest
from coin_study import Coin, Options, statements

from doxa.records import DoxaError
from doxa.runs import Damaged, Refused, Run, Stopped, files, repair, run

N = 2000

CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import coin_study
from doxa.runs import run, runner
from pathlib import Path

folder = Path(sys.argv[2])
acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

class Telling(runner.Progress):
    def advance(self, item, done, from_store):
        os.write(acknowledged, f"{item}\\n".encode())

runner.Progress = Telling
model = coin_study.Coin(stored=sys.argv[4] == "stored", delay=0.002, journal=folder / "asked")
run(coin_study.study, model, items=coin_study.statements(int(sys.argv[3])), out=folder / "run", concurrency=16)
"""


def start(folder: Path, n: int = N, stored: str = "not") -> subprocess.Popen:
    here = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    return subprocess.Popen([sys.executable, "-c", CHILD, here, str(folder), str(n), stored], env=environment)


def kill_after(folder: Path, lines: int, stored: str = "not") -> None:
    """Start the run and kill it -9 once `lines` items were acknowledged in all."""
    process = start(folder, stored=stored)
    try:
        while len(told(folder, "acknowledged")) < lines:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.005)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL


def told(folder: Path, name: str) -> list[str]:
    path = folder / name
    return path.read_text().split("\n")[:-1] if path.exists() else []


def shard(folder: Path) -> Path:
    return folder / "readings" / "coin-study" / "shard-0000.jsonl"


def made(folder: Path, n: int = 20, **settings) -> Run:
    return run(coin_study.study, settings.pop("model", Coin(stored=False)), items=statements(n), out=folder, **settings)


def unfinished(folder: Path, keep: int) -> None:
    """A run of 20 items of which the first `keep` are in the log, as a kill leaves it."""
    made(folder)
    lines = shard(folder).read_bytes().splitlines(keepends=True)
    shard(folder).write_bytes(b"".join(lines[:keep]))
    for name in ("rows.parquet", "calls.parquet"):
        (shard(folder).parent / name).unlink()
    (folder / "findings.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["studies"]:
        entry["counts"] = entry["usage"] = None
    (folder / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))


def test_killed_twice_and_resumed_nothing_is_lost_or_asked_again(tmp_path):
    for lines in (400, 1200):
        kill_after(tmp_path, lines)
        kept = [r.item.id for r in Run.open(tmp_path / "run").parts[0].records()]
        assert set(told(tmp_path, "acknowledged")) <= set(kept)
        (tmp_path / f"kept-{lines}").write_text(f"{len(told(tmp_path, 'asked'))} {' '.join(kept)}")
    assert start(tmp_path).wait() == 0
    asked = told(tmp_path, "asked")
    for lines in (400, 1200):
        so_far, *kept = (tmp_path / f"kept-{lines}").read_text().split()
        assert not set(kept) & set(asked[int(so_far) :]), "a finished item was asked again"
    assert len(set(asked)) == N
    acknowledged = told(tmp_path, "acknowledged")
    assert max(Counter(acknowledged).values()) == 1
    part = Run.open(tmp_path / "run").parts[0]
    assert part.counts["done"] == part.counts["readings"] == N and part.counts["failed"] == 0
    assert part.rows()["item"].to_list() == [f"s{i}" for i in range(N)]
    undisturbed = run(coin_study.study, Coin(), items=statements(N)).parts[0]
    assert part.rows().equals(undisturbed.rows(), null_equal=True)
    assert part.findings["accuracy"] == undisturbed.findings["accuracy"]


def test_a_kill_costs_no_answer_that_the_store_has(tmp_path):
    kill_after(tmp_path, 300, stored="stored")
    asked = len(told(tmp_path, "asked"))
    kept = Run.open(tmp_path / "run").parts[0].counts["done"]
    assert start(tmp_path, stored="stored").wait() == 0
    part = Run.open(tmp_path / "run").parts[0]
    again = len(told(tmp_path, "asked")) - asked
    assert again + kept + part.counts["from_store"] == N
    assert again <= N - kept and part.counts["done"] == N


def test_a_finished_run_is_not_asked_again(tmp_path):
    made(tmp_path / "run")
    model = Coin(stored=False)
    part = made(tmp_path / "run", model=model).parts[0]
    assert not model.asked and part.counts["done"] == 20 and part.findings["accuracy"] == part.findings["accuracy"]


@pytest.mark.parametrize("tail", [b"", b"0", b"00000000 ", b'00000000 {"index":', b'00000000 {"index":7}\n'])
def test_a_torn_last_line_is_ignored_and_truncated(tmp_path, tail):
    unfinished(tmp_path / "run", keep=7)
    with open(shard(tmp_path / "run"), "ab") as file:
        file.write(tail)
    opened = Run.open(tmp_path / "run").parts[0]
    assert opened.counts["done"] == 7 and opened.counts["left"] == 13
    assert len(opened.rows()) == 7
    model = Coin(stored=False)
    assert made(tmp_path / "run", model=model).parts[0].counts["done"] == 20
    assert len(model.asked) == 13
    assert all(line[8:9] == b" " for line in shard(tmp_path / "run").read_bytes().splitlines())


def test_a_line_cut_in_half_is_torn(tmp_path):
    unfinished(tmp_path / "run", keep=8)
    whole = shard(tmp_path / "run").read_bytes()
    shard(tmp_path / "run").write_bytes(whole[:-100])
    assert made(tmp_path / "run").parts[0].counts["done"] == 20


def test_a_changed_line_is_one_clear_error_and_the_rest_stays_readable(tmp_path):
    unfinished(tmp_path / "run", keep=10)
    lines = shard(tmp_path / "run").read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"Statement", b"Stitement")
    shard(tmp_path / "run").write_bytes(b"".join(lines))
    with pytest.raises(Damaged, match=r"shard-0000\.jsonl, line 4: the line does not match its checksum"):
        Run.open(tmp_path / "run").parts[0].rows()
    with pytest.raises(Damaged, match="line 4"):
        made(tmp_path / "run")
    rest = Run.open(tmp_path / "run", on_damage="skip").parts[0]
    assert len(rest.rows()) == 9 and rest.counts["left"] == 11
    assert repair(tmp_path / "run") == 1 and repair(tmp_path / "run") == 0
    assert shard(tmp_path / "run").with_suffix(".damaged").read_bytes() == lines[3]
    assert made(tmp_path / "run").parts[0].counts["done"] == 20


def test_the_log_can_be_read_without_doxa(tmp_path):
    made(tmp_path / "run")
    for line in shard(tmp_path / "run").read_bytes().splitlines():
        assert line[:8] == b"%08x" % zlib.crc32(line[9:])
        record = json.loads(line[9:], parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        assert record["status"] == "done" and record["rows"][0]["steps"] == [0.5, "NaN"]


def test_the_example_in_the_documentation_reads_a_run(tmp_path):
    unfinished(tmp_path / "run", keep=5)
    with open(shard(tmp_path / "run"), "ab") as file:
        file.write(b"0000")
    page = (Path(__file__).parents[2] / "docs" / "run-format.md").read_text()
    code = page.partition("```python\n")[2].partition("```")[0]
    told = subprocess.run([sys.executable, "-c", code, tmp_path / "run"], check=True, capture_output=True, text=True)
    names = [line.split("\t")[0] for line in told.stdout.splitlines()]
    assert names == Run.open(tmp_path / "run").parts[0].rows(ids=True)["reading"].to_list() and len(names) == 5


@pytest.mark.parametrize("failing", ["write", "fsync"])
def test_a_full_disk_ends_the_run_and_what_was_acknowledged_stays_whole(tmp_path, monkeypatch, failing):
    real = {"write": os.write, "fsync": os.fsync}
    room = [20_000]

    def write(handle, data):
        if failing == "write" and len(data) > room[0]:
            real["write"](handle, data[: room[0]])  # what fits is written, as a file system does
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room[0] -= len(data)
        return real["write"](handle, data)

    def fsync(handle):
        if failing == "fsync" and room[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real["fsync"](handle)

    acknowledged = []
    monkeypatch.setattr("doxa.runs.log.BACKLOG_BYTES", 0)  # so that no batch has more than four records
    monkeypatch.setattr("doxa.runs.log.os.write", write)
    monkeypatch.setattr("doxa.runs.log.os.fsync", fsync)
    monkeypatch.setattr("doxa.runs.progress.Progress.advance", lambda self, item, *rest: acknowledged.append(item))
    with pytest.raises(Stopped, match=r"no space is left on the disk. Free some space, then run the same command"):
        made(tmp_path / "run", 200, concurrency=4)
    monkeypatch.undo()
    kept = [r.item.id for r in Run.open(tmp_path / "run").parts[0].records()]
    assert len(acknowledged) > 10 and set(acknowledged) <= set(kept)
    model = Coin(stored=False)
    assert made(tmp_path / "run", 200, model=model).parts[0].counts["done"] == 200
    assert len(model.asked) == 200 - len(kept)


def test_a_slow_disk_holds_up_the_acknowledgement_and_not_the_questions(tmp_path, monkeypatch):
    acknowledged, before = [], []
    many_asked = threading.Event()
    real = os.fsync

    class Watching(Coin):
        async def generate(self, prompt, sampling, context=None):
            if len(self.asked) == 30:
                before.extend(acknowledged)
                many_asked.set()
            return await super().generate(prompt, sampling, context)

    def slow(handle):
        if shard(tmp_path / "run").exists() and shard(tmp_path / "run").stat().st_size:
            assert many_asked.wait(60)
        real(handle)

    monkeypatch.setattr("doxa.runs.log.os.fsync", slow)
    monkeypatch.setattr("doxa.runs.progress.Progress.advance", lambda self, item, *rest: acknowledged.append(item))
    made(tmp_path / "run", 100, model=Watching(stored=False), concurrency=1)
    assert not before and len(acknowledged) == 100


def test_two_processes_cannot_write_one_run(tmp_path):
    (tmp_path / "run").mkdir()
    with files.locked(tmp_path / "run"), pytest.raises(Refused, match=f"another process .process id {os.getpid()}"):
        made(tmp_path / "run")
    assert made(tmp_path / "run").parts[0].counts["done"] == 20


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"limit": 5}, "limit: null there, 5 now"),
        ({"n": 21}, "coin-study.items: 20 there, 21 now"),
        ({"model": Coin(0.7, stored=False)}, "model.identity.accuracy: 0.8 there, 0.7 now"),
        ({"options": Options(samples=2)}, "coin-study.options.samples: 1 there, 2 now"),
        ({"options": Options(labels=("a",))}, 'coin-study.options.labels: ["true", "false"] there, ["a"] now'),
    ],
)
def test_another_configuration_is_refused_with_what_differs(tmp_path, change, named):
    made(tmp_path / "run")
    with pytest.raises(Refused) as caught:
        made(tmp_path / "run", **change)
    assert named in str(caught.value) and "fresh=True" in str(caught.value)
    begun_again = made(tmp_path / "run", **change, fresh=True)
    assert not begun_again.parts[0].counts["left"]


def test_null_seed_and_concurrency_are_no_other_configuration(tmp_path):
    made(tmp_path / "run")
    model = Coin(stored=False)
    again = made(tmp_path / "run", model=model, null_seed=7, concurrency=1)
    assert not model.asked and Run.open(tmp_path / "run").manifest["null_seed"] == 7
    assert again.parts[0].null is not None


def test_fresh_removes_the_run_and_nothing_else(tmp_path):
    made(tmp_path / "run")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    model = Coin(stored=False)
    made(tmp_path / "run", model=model, fresh=True)
    assert len(model.asked) == 20 and (tmp_path / "run" / "notes.txt").read_text() == "mine"


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("irreplaceable")
    for fresh in (False, True):
        with pytest.raises(Refused, match=r"is no run and not empty \('thesis.txt' is in it\)"):
            made(tmp_path, fresh=fresh)
    with pytest.raises(Refused, match=r"thesis.txt is a file"):
        made(tmp_path / "thesis.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    assert (tmp_path / "thesis.txt").read_text() == "irreplaceable"


def test_a_newer_format_is_one_clear_error(tmp_path):
    made(tmp_path / "run")
    path = tmp_path / "run" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99, "doxa": "9.0"}))
    for attempt in (lambda: Run.open(tmp_path / "run"), lambda: made(tmp_path / "run")):
        with pytest.raises(Refused, match=r"run format 99, written by doxa 9.0; this version of doxa reads up to 1"):
            attempt()


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_what_is_no_run_is_said_to_be_none(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DoxaError, match=r"is not a run|is not the manifest of a run"):
        Run.open(tmp_path)


def test_whole_files_are_whole_or_absent(tmp_path):
    files.write_whole(tmp_path / "a", b"old")
    with pytest.raises(ZeroDivisionError), files.whole_file(tmp_path / "a") as part:
        part.write_bytes(b"ne")
        raise ZeroDivisionError
    assert (tmp_path / "a").read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_record_of_another_run_is_noticed(tmp_path):
    made(tmp_path / "run", 20)
    unfinished(tmp_path / "small", keep=3)
    shard(tmp_path / "small").write_bytes(shard(tmp_path / "run").read_bytes().replace(b'"index":1,', b'"index":99,'))
    with pytest.raises(Damaged):
        made(tmp_path / "small")
