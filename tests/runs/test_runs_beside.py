"""A judge or an opponent beside the model that is asked: stored, logged, counted and planned as that model itself."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import coin_study
import pytest
from coin_study import Coin, Row, statements

from doxa.models import address
from doxa.models.base import Price
from doxa.records import Prompt, Sampling
from doxa.report.page import run_facts
from doxa.runs import Run, Stopped, plan, query, run

JUDGE = "stub:judge"


async def collect(item, ask, options):
    """Asks, has a judge look at the reply, and yields."""
    judge = ask.beside(JUDGE)
    reply = await ask.generate(Prompt.user(f"{item.text} True or false?"), Sampling(temperature=1.0))
    said = await judge.generate(Prompt.user(f"{item.text} Is {reply.text!r} right?"), condition="judge")
    await ask.score(Prompt.user(item.text), ["true", "false"])
    yield Row(item=item.id, answer=said.text, truth="", correct=True, confidence=None)


STUDY = dataclasses.replace(coin_study.study, collect=collect)


@pytest.fixture
def judges(monkeypatch):
    """Those that were opened at the address `JUDGE`, each with the items it was asked about."""
    opened = []

    def open_judge(rest, whole, options):
        opened.append(Coin(name="judge"))
        opened[-1].address = whole
        return opened[-1]

    monkeypatch.setitem(address.SCHEMES, "stub", "stub:NAME")
    monkeypatch.setitem(address.OPEN, "stub", open_judge)
    return opened


def asked(judges):
    return sum(len(judge.asked) for judge in judges)


class Killed(Exception):
    fatal = True


class Breaking(Coin):
    """Ends the run at s3, when the judge has answered and nothing of the item is in the log yet."""

    async def score(self, prompt, continuations, context=None):
        if context.item.id == "s3":
            raise Killed
        return await super().score(prompt, continuations, context)


@pytest.mark.parametrize("stored", [True, False])
def test_neither_a_resumed_nor_a_repeated_run_asks_a_judge_again(tmp_path, judges, stored):
    """A simulated model keeps nothing in the store (stored=False), its judge does."""
    with pytest.raises(Killed):
        run(STUDY, Breaking(stored=stored), items=statements(6), out=tmp_path / "a", concurrency=1)
    assert asked(judges) == 4
    resumed = run(STUDY, Coin(stored=stored), items=statements(6), out=tmp_path / "a")
    assert asked(judges) == 6 and resumed.parts[0].counts["done"] == 6
    assert resumed.manifest["beside"][JUDGE]["usage"]["from_store"] == 1
    run(STUDY, Coin(stored=stored), items=statements(6), out=tmp_path / "b")  # another folder, the same store
    run(STUDY, Coin(stored=stored), items=statements(6), out=tmp_path / "a", fresh=True)
    assert asked(judges) == 6


CHILD = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import test_runs_beside as here
from pathlib import Path

class Killing(here.Coin):
    async def score(self, prompt, continuations, context=None):
        if context.item.id == "s3":
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().score(prompt, continuations, context)

here.serve(Path(sys.argv[2]) / "judged")
here.run(here.STUDY, Killing(), items=here.statements(6), out=Path(sys.argv[2]) / "run", concurrency=1)
"""


def serve(journal, put=dict.__setitem__):
    """Open at `JUDGE` a judge that notes on the disk whom it was asked about."""

    def open_judge(rest, whole, options):
        judge = Coin(name="judge", journal=journal)
        judge.address = whole
        return judge

    put(address.SCHEMES, "stub", "stub:NAME")
    put(address.OPEN, "stub", open_judge)


def test_after_a_kill_no_judge_is_paid_for_twice(tmp_path, monkeypatch):
    """Killed -9 when the judge had answered and nothing of that item was in the log."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    killed = subprocess.run([sys.executable, "-c", CHILD, str(Path(__file__).parent), str(tmp_path)], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "judged").read_text().split() == ["s0", "s1", "s2", "s3"]
    serve(tmp_path / "judged", monkeypatch.setitem)
    resumed = run(STUDY, Coin(), items=statements(6), out=tmp_path / "run")
    assert resumed.parts[0].counts["done"] == 6
    assert (tmp_path / "judged").read_text().split() == [f"s{i}" for i in range(6)]


def test_a_judge_is_opened_once_in_a_run_and_closed_with_it(judges, monkeypatch):
    closed = []

    async def close(self):
        closed.append(self.address)

    monkeypatch.setattr(Coin, "close", close)
    run(STUDY, Coin(), items=statements(20))
    assert len(judges) == 1 and closed == [JUDGE]


def test_calls_stand_under_the_address_of_who_was_called(tmp_path, judges):
    made = run(STUDY, Coin(), items=statements(4), out=tmp_path / "run")
    for part in (made.parts[0], Run.open(tmp_path / "run").parts[0]):
        calls = part.calls()
        assert calls["model"].to_list() == ["test:coin", JUDGE, "test:coin"] * 4
        assert calls["condition"].to_list() == ["neutral", "judge", "neutral"] * 4
        assert all(len(led_to) == 1 for led_to in calls["readings"])  # each row rests on all three
        assert [call.beside for record in part.records() for call in record.calls] == ["", JUDGE, ""] * 4
    counted = query("SELECT model, count(*) AS n FROM calls GROUP BY model ORDER BY model", tmp_path)
    assert counted.rows() == [(JUDGE, 4), ("test:coin", 8)]
    assert query("SELECT model, beside FROM runs", tmp_path).rows() == [("test:coin", [JUDGE])]


def test_what_a_judge_took_is_named_apart(tmp_path, judges):
    model = Coin()
    model.price = Price(2.0, 10.0)
    made = run(STUDY, model, items=statements(4), out=tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    # Coin's replies are 10 tokens in, 2 out; it is asked for a reply and for scores about each item
    there = manifest["beside"][JUDGE]
    assert there["identity"] == {"name": "judge", "accuracy": 0.8} and there["fingerprint"] == judges[0].fingerprint
    usage = there["usage"]
    assert usage == {"calls": 4, "from_store": 0, "input_tokens": 40, "output_tokens": 8, "uncounted": 0}
    assert manifest["usage"]["calls"] == 8 and manifest["cost"] == pytest.approx((4 * 10 * 2 + 4 * 2 * 10) / 1e6)
    for part in (made.parts[0], Run.open(tmp_path / "run").parts[0]):
        assert part.beside[JUDGE]["calls"] == 4 and part.usage.calls == 8
    facts = dict(run_facts(made))
    assert facts["Calls"] == "8" and facts[f"Beside it {JUDGE}"].startswith("4 calls; 40 sent, 8 received")


def test_a_run_without_anybody_beside_says_nothing_of_it(tmp_path):
    made = run(coin_study.study, Coin(), items=statements(2), out=tmp_path / "run")
    assert made.manifest["beside"] == {} and made.parts[0].beside == {}
    assert b"beside" not in (tmp_path / "run/readings/coin-study/shard-0000.jsonl").read_bytes()


def test_another_judge_of_that_address_is_refused(tmp_path, judges, monkeypatch):
    model = Coin(breaks=["s1"])
    run(STUDY, model, items=statements(2), out=tmp_path / "run")
    monkeypatch.setitem(address.OPEN, "stub", lambda rest, whole, options: Coin(0.3, name="another"))
    with pytest.raises(Stopped, match=r"holds replies of 'stub:judge' with fingerprint \w+; now it has .*fresh=True"):
        run(STUDY, Coin(), items=statements(2), out=tmp_path / "run")


def test_a_judge_that_cannot_be_opened_ends_the_run_before_anybody_is_asked(monkeypatch):
    model = Coin()
    with pytest.raises(Stopped, match="the model beside the one that is asked could not be opened: 'stub:judge'"):
        run(STUDY, model, items=statements(5))
    assert not model.asked


def test_the_address_of_the_asked_model_is_that_model(judges):
    model = Coin()
    model.address = JUDGE
    made = run(STUDY, model, items=statements(3))
    assert not judges and made.manifest["beside"] == {} and made.manifest["usage"]["calls"] == 9
    assert made.parts[0].calls()["model"].unique().to_list() == [JUDGE]


def test_a_plan_asks_no_judge_and_names_it_apart(judges):
    model = Coin()
    planned = plan(STUDY, model, items=statements(100))
    assert not model.asked and not asked(judges) and len(judges) == 1
    assert planned.calls == 200 and [(one.model, one.calls) for one in planned.beside] == [(JUDGE, 100)]
    assert f"beside it {JUDGE}: about 100 calls, " in str(planned) and planned.as_dict()["beside"][0]["calls"] == 100
