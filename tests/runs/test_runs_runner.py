"""run(): every item is asked, recorded and scored; what fails is said; what concerns all items ends the run."""

import asyncio
import dataclasses
import math
import os
import signal
import threading
from pathlib import Path

import coin_study
import polars as pl
import pytest
from coin_study import Coin, Options, Row, statements

import doxa
from doxa.models.base import Price
from doxa.records import Chart, DoxaError, Findings, Item, MissingCapability, Prompt, Reply
from doxa.runs import Interrupted, Run, Stopped, collecting, run
from doxa.study import Source, Study


def part_of(model, n=20, **settings):
    return run(coin_study.study, model, items=statements(n), **settings).parts[0]


def test_recovers_a_planted_accuracy():
    part = part_of(Coin(0.8), 1000)
    assert part.findings["accuracy"] == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 1000))
    assert part.findings.estimate("accuracy").null == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 1000))
    assert part.null["accuracy"] == part.findings.estimate("accuracy").null
    assert part.findings.claims[0].measured == part.findings["accuracy"]


def test_finds_nothing_where_nothing_was_planted():
    assert part_of(Coin(0.5), 1000).findings["accuracy"] == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 1000))


def test_a_run_in_memory_and_one_in_a_folder_are_the_same(tmp_path):
    memory = run(coin_study.study, Coin(), limit=7)
    folder = run(coin_study.study, Coin(), limit=7, out=tmp_path / "run")
    opened = Run.open(tmp_path / "run")
    assert memory.folder is None and folder.folder == tmp_path / "run"
    for other in (folder, opened):
        assert other["coin-study"].rows().equals(memory["coin_study"].rows(), null_equal=True)
        assert list(map(repr, other.parts[0].records())) == list(map(repr, memory.parts[0].records()))
        assert repr(other.parts[0].findings) == repr(memory.parts[0].findings)
        assert repr(other.parts[0].null) == repr(memory.parts[0].null)
        assert other.parts[0].counts == memory.parts[0].counts and other.parts[0].usage == memory.parts[0].usage


def test_rows_have_ids_groups_and_the_order_of_the_items():
    part = part_of(Coin(), 5, options=Options(samples=2))
    rows = part.rows(ids=True)
    assert rows.columns[:2] == ["model", "reading"] and part.rows().columns == rows.columns[2:]
    assert rows["reading"].to_list()[:3] == ["coin-study/s0/0", "coin-study/s0/1", "coin-study/s1/0"]
    assert rows["group"].to_list() == ["g0"] * 4 + ["g1"] * 4 + ["g2"] * 2
    assert part.options == {"samples": 2, "labels": ["true", "false"]}


def test_keeps_the_promised_number_in_flight():
    model = Coin(stored=False, delay=0.001)
    part_of(model, 40, concurrency=7)
    assert model.most_flying == 7


def test_a_failing_item_is_recorded_and_harms_no_other(tmp_path):
    model = Coin(breaks=["s3", "s4"])
    part = part_of(model, 10, out=tmp_path / "run")
    assert {k: part.counts[k] for k in ("items", "asked", "done", "failed", "left")} == {
        "items": 10, "asked": 10, "done": 8, "failed": 2, "left": 0,
    }  # fmt: skip
    failed = [r for r in part.records() if r.status == "failed"]
    assert [r.item.id for r in failed] == ["s3", "s4"]
    assert failed[0].error.startswith("RuntimeError: the model broke (coin_study.py, line ")
    assert not failed[0].rows and len(part.rows()) == 8
    assert part.findings.notes[-1].startswith("2 of 10 items failed")
    # the same command asks those two again, and no other
    model.breaks, model.asked = set(), []
    again = part_of(model, 10, out=tmp_path / "run")
    assert sorted(model.asked) == ["s3", "s4"]
    assert again.counts["done"] == 10 and not again.counts["failed"] and not again.findings.notes


def test_all_items_failing_is_said_and_not_scored():
    part = part_of(Coin(breaks=["s0", "s1"]), 2)
    assert not part.findings.estimates
    assert part.findings.notes[0].startswith("No reading: all 2 items failed, the first with RuntimeError")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("confidence", "high", "Row.confidence is 'high' (str); the column holds float"),
        ("sample", 1.5, "Row.sample is 1.5 (float); the column holds int"),
        ("correct", 1, "Row.correct is 1 (int); the column holds bool"),
        ("steps", ("a",), "Row.steps is ('a',) (tuple); the column holds list[float]"),
    ],
)
def test_a_row_that_its_column_cannot_hold_fails_its_item_only(field, value, message):
    async def collect(item, ask, options):
        async for row in coin_study.collect(item, ask, options):
            yield dataclasses.replace(row, **{field: value}) if item.id == "s1" else row

    part = run(dataclasses.replace(coin_study.study, collect=collect), Coin(), items=statements(3)).parts[0]
    failed = [r for r in part.records() if r.status == "failed"]
    assert part.counts["done"] == 2 and len(failed) == 1
    assert message in failed[0].error and len(failed[0].calls) == 1


def test_rows_know_the_calls_behind_them():
    async def collect(item, ask, options):
        first = await ask.generate(Prompt.user("one"))
        await ask.generate(Prompt.user("two"))
        row = Row(item=item.id, text=first.text, answer="true", truth="true", correct=True, confidence=0.5)
        yield row
        yield dataclasses.replace(row, sample=1)  # from the same two calls
        await ask.score(Prompt.user("three"), [" yes"])
        yield dataclasses.replace(row, sample=2)

    part = run(dataclasses.replace(coin_study.study, collect=collect), Coin(), items=statements(1)).parts[0]
    record = next(part.records())
    assert record.row_calls == [(0, 1), (0, 1), (2,)]
    assert [c.kind for c in record.calls] == ["generate", "generate", "score"]
    assert record.calls[2].scores[0].logprob == -4.0
    assert part.calls()["readings"].to_list()[2] == [f"{part.study}/s0/2"]


# --- refused before anything is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"items": []}, "there are no items"),
        ({"items": [Item("a", "?"), Item("b", "?"), Item("a", "!")]}, "item id 'a' occurs twice (again at position 2)"),
        ({"items": [Item("a", "?", fields={"f": object()})]}, "item 'a' cannot be recorded"),
        ({"limit": 0}, "limit is 0"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"options": {"coin": Options()}}, "options for 'coin', which is not among the studies"),
        ({"options": Source("x", 1)}, "options are Source; none of coin-study takes these"),
        (
            {"options": {"coin_study": {"samples": 2}}},
            "options of 'coin-study' are {'samples': 2}; they must be a coin_st",
        ),
        ({"null_headline": True, "null_seed": None}, "null_headline"),
    ],
)
def test_is_refused_in_words(settings, message, tmp_path):
    model = Coin()
    with pytest.raises(DoxaError) as caught:
        run(coin_study.study, model, out=tmp_path / "run", **settings)
    assert message in str(caught.value)
    assert not model.asked and not (tmp_path / "run").exists()


def test_a_model_that_cannot_is_refused_before_the_first_question():
    needy = dataclasses.replace(coin_study.study, needs={"generate", "hidden_states"})
    model = Coin()
    with pytest.raises(MissingCapability, match="study 'coin-study' needs hidden_states"):
        run(needy, model)
    assert not model.asked


def test_no_study_and_one_study_twice_are_refused():
    for studies in ([], [coin_study.study, coin_study.study]):
        with pytest.raises(DoxaError, match="each once"):
            run(studies, Coin())


def test_a_row_field_with_a_name_that_runs_add_is_refused():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Taken(Row):
        model: str = ""

    with pytest.raises(DoxaError, match="has a field 'model'"):
        run(dataclasses.replace(coin_study.study, row=Taken), Coin())


# --- ended early -----------------------------------------------------------------------------------------------------


class WrongKey(DoxaError):
    fatal = True


@pytest.mark.parametrize("error", [WrongKey("the key was refused"), MissingCapability("cannot score")])
def test_an_error_that_concerns_all_items_ends_the_run(error, tmp_path):
    model = Coin(breaks=["s30"], error=error, stored=False)
    with pytest.raises(Stopped) as caught:
        part_of(model, 100, out=tmp_path / "run", concurrency=4)
    assert str(error) in str(caught.value) and "the same command goes on" in str(caught.value)
    stopped = Run.open(tmp_path / "run")
    done = stopped.parts[0].counts["done"]
    assert stopped.manifest["status"] == "stopped"
    assert 30 <= done < 40 and not stopped.parts[0].counts["failed"]
    assert f"{done} of 100 items are done" in str(caught.value)
    model.breaks, model.asked = set(), []
    assert part_of(model, 100, out=tmp_path / "run").counts["done"] == 100
    assert len(model.asked) == 100 - done


@pytest.mark.parametrize("inside_a_loop", [False, True])
def test_ctrl_c_ends_in_order_and_the_same_command_goes_on(tmp_path, inside_a_loop):
    interrupts = []

    class Interrupting(Coin):
        async def generate(self, prompt, sampling, context=None):
            if len(self.asked) == 25 and not interrupts:
                interrupts.append(True)
                threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
                await asyncio.sleep(0.05)
            return await super().generate(prompt, sampling, context)

    async def notebook():
        part_of(Interrupting(stored=False, delay=0.002), 100, out=tmp_path / "run", concurrency=5)

    with pytest.raises(Interrupted, match=r"items are done and kept in .*; the same command goes on"):
        if inside_a_loop:
            # as in a notebook: the loop runs in the main thread and Ctrl-C is an ordinary KeyboardInterrupt there
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(notebook())
            finally:
                loop.close()
        else:
            part_of(Interrupting(stored=False, delay=0.002), 100, out=tmp_path / "run", concurrency=5)
    kept = Run.open(tmp_path / "run")
    done = kept.parts[0].counts["done"]
    assert kept.manifest["status"] == "interrupted" and 25 <= done < 100
    assert kept.parts[0].findings.notes[0].startswith("not scored yet")
    model = Coin(stored=False)
    assert part_of(model, 100, out=tmp_path / "run").counts["done"] == 100
    assert len(model.asked) == 100 - done


def test_items_that_do_not_end_in_time_are_broken_off(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "GRACE_S", 0.01)

    class Hanging(Coin):
        async def generate(self, prompt, sampling, context=None):
            if context.item.id == "s3":
                await asyncio.sleep(60)
            if context.item.id == "s5":
                raise WrongKey("the key was refused")
            return await super().generate(prompt, sampling, context)

    with pytest.raises(Stopped):
        part_of(Hanging(), 50, out=tmp_path / "run", concurrency=3)
    assert Run.open(tmp_path / "run").parts[0].counts["done"] >= 3


def fails():
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize("score", [lambda *_: fails(), lambda *_: Findings(charts=(Chart.later(fails, "Bars"),))])
def test_scoring_or_drawing_that_fails_costs_no_reading(score, tmp_path):
    broken = dataclasses.replace(coin_study.study, score=score)
    with pytest.raises(DoxaError, match=r"could not be scored: ZeroDivisionError: division by zero.*are kept in"):
        run(broken, Coin(), items=statements(5), out=tmp_path / "run")
    assert Run.open(tmp_path / "run").parts[0].counts["done"] == 5
    model = Coin()
    assert run(coin_study.study, model, items=statements(5), out=tmp_path / "run").parts[0].findings.estimates
    assert not model.asked


# --- what else a run says --------------------------------------------------------------------------------------------


def test_works_inside_a_running_loop():
    async def notebook():
        return part_of(Coin(), 5)

    assert asyncio.run(notebook()).counts["done"] == 5


def test_several_studies_in_one_run(tmp_path):
    async def collect(item, ask, options):
        async for row in coin_study.collect(item, ask, options):
            yield row

    collect.__module__ = "another_study"
    other = dataclasses.replace(coin_study.study, collect=collect)
    both = run([coin_study.study, other], Coin(), items=statements(6), out=tmp_path / "run",
               options={"another-study": Options(samples=2)})  # fmt: skip
    assert [p.study for p in both.parts] == ["coin-study", "another-study"]
    assert [len(p.rows()) for p in both.parts] == [6, 12]
    assert both.manifest["counts"]["readings"] == 18
    assert both.manifest["usage"]["calls"] == 12 and both.manifest["usage"]["from_store"] == 6  # asked once, not twice
    with pytest.raises(KeyError, match="this run has: coin-study, another-study"):
        both["kable"]


def test_the_truth_can_be_shuffled_for_the_headline():
    part = part_of(Coin(1.0), 400, null_headline=True, null_seed=3)
    assert part.findings["accuracy"] == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 400))
    assert part.findings.notes[0].startswith("The truth is shuffled (seed 3)")


def test_without_null_seed_nothing_is_shuffled(tmp_path):
    part = part_of(Coin(), 10, null_seed=None, out=tmp_path / "run")
    assert part.null is None and part.findings.estimate("accuracy").null is None
    opened = Run.open(tmp_path / "run").parts[0]
    assert opened.null is None and opened.findings.estimate("accuracy").null is None


def test_an_undefined_number_stays_undefined_on_disk(tmp_path):
    part_of(Coin(), 4, out=tmp_path / "run")
    opened = Run.open(tmp_path / "run").parts[0]
    assert math.isnan(opened.findings["undefined"]) and math.isnan(opened.findings.estimate("undefined").null)


def test_cost_by_the_models_price(tmp_path):
    model = Coin()
    model.price = Price(2.0, 10.0)
    manifest = run(coin_study.study, model, items=statements(100), out=tmp_path / "run").manifest
    assert manifest["cost"] == pytest.approx((100 * 10 * 2 + 100 * 2 * 10) / 1e6)
    uncounted = Coin(reply=Reply("true 90"), name="uncounted")
    uncounted.price = Price(2.0, 10.0)
    manifest = run(coin_study.study, uncounted, items=statements(3), out=tmp_path / "other").manifest
    assert manifest["cost"] is None and manifest["counts"]["uncounted"] == 3


def test_progress_goes_to_stderr_only_when_asked_for(capsys):
    part_of(Coin(breaks=["s1"]), 5)
    assert capsys.readouterr() == ("", "")
    part_of(Coin(breaks=["s1"]), 5, progress=True)
    out, err = capsys.readouterr()
    assert not out and err.startswith("coin-study: 4 of 5 items, ") and "1 failed" in err


def test_an_address_is_opened_and_closed(monkeypatch):
    closed = []

    class Closing(Coin):
        async def close(self):
            closed.append(self.name)

    monkeypatch.setattr("doxa.models.load", lambda address: Closing(name=address))
    assert run(coin_study.study, "somewhere", limit=3).manifest["model"]["address"] == "test:somewhere"
    assert closed == ["somewhere"]
    run(coin_study.study, Closing(), limit=3)
    assert closed == ["somewhere"]  # a model that was passed in stays open


def test_doxa_run_takes_names_and_opens_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("doxa.studies.load", {"coin": coin_study.study}.__getitem__)
    made = doxa.run("coin", Coin(), limit=5, out=tmp_path / "run")
    assert made.parts[0].counts["done"] == 5
    assert doxa.open_run(str(tmp_path / "run")).parts[0].counts["done"] == 5
    assert doxa.run([coin_study.study], Coin(), limit=2).parts[0].counts["done"] == 2


def test_version_is_that_of_the_package():
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert f'version = "{doxa.__version__}"' in project.read_text()


def test_a_whole_findings_object_survives_the_disk(tmp_path):
    from doxa.records import Chart, Claim, Estimate, Table

    found = Findings(
        estimates=(
            Estimate("x", 1.5, -math.inf, math.inf, 3, "items", "m", {"ok": 3}, (0.25, math.inf), 0.5, "s", "n"),
        ),
        tables=(Table("t", ("a", "b"), ((1, None), (2.5, "two")), "s", "n"),),
        charts=(Chart("c", {"data": {"values": [{"x": 1.0, "y": None}]}}, "s", "n"),),
        claims=(Claim("x", 0.5, "there", 1.5, "x"),),
        notes=("one", "two"),
    )
    study: Study = dataclasses.replace(coin_study.study, score=lambda rows, options: found, published=())
    run(study, Coin(), limit=2, out=tmp_path / "run", null_seed=None)
    stored = Run.open(tmp_path / "run").parts[0].findings
    assert stored == found


def test_rows_are_a_table_even_without_rows():
    async def collect(item, ask, options):
        return
        yield

    silent = dataclasses.replace(coin_study.study, collect=collect, score=lambda rows, options: Findings())
    rows = run(silent, Coin(), limit=2, null_seed=None).parts[0].rows()
    assert rows.height == 0 and rows.schema["steps"] == pl.List(pl.Float64)
