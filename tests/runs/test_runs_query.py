"""SQL over many runs, finished and not."""

import dataclasses

import coin_study
import pytest
from coin_study import Coin, Options, Row, statements

from doxa.records import DoxaError, Reading
from doxa.runs import Interrupted, Run, Stopped, query, run


@dataclasses.dataclass(frozen=True, kw_only=True)
class Other(Reading):
    answer: float


async def collect_other(item, ask, options):
    await ask.generate(coin_study.Prompt.user(item.text))
    yield Other(item=item.id, answer=0.5)


collect_other.__module__ = "other_study"
other_study = dataclasses.replace(
    coin_study.study, collect=collect_other, row=Other, score=lambda rows, options: coin_study.Findings(), published=()
)


@pytest.fixture
def runs(tmp_path):
    """Two finished runs, the second of two studies, and one that a wrong key stopped after four items."""

    class WrongKey(DoxaError):
        fatal = True

    run(coin_study.study, Coin(), items=statements(10), out=tmp_path / "odd [name]'s" / "first")
    run([coin_study.study, other_study], Coin(name="b"), items=statements(6), out=tmp_path / "second", null_seed=None)
    with pytest.raises(Stopped):
        run(coin_study.study, Coin(name="c", breaks=["s4"], error=WrongKey("no")), items=statements(10),
            out=tmp_path / "third", concurrency=1)  # fmt: skip
    return tmp_path


def test_reads_all_studies_of_all_runs(runs):
    counted = query("SELECT run, study, model, count(*) AS n FROM readings GROUP BY ALL ORDER BY ALL", runs)
    assert counted.rows() == [
        ("odd [name]'s/first", "coin-study", "test:coin", 10),
        ("second", "coin-study", "test:b", 6),
        ("second", "other-study", "test:b", 6),
        ("third", "coin-study", "test:c", 4),
    ]
    columns = query("DESCRIBE readings", runs)["column_name"].to_list()
    assert columns[:4] == ["run", "study", "model", "reading"] and {*tables_of(Row), *tables_of(Other)} <= set(columns)


def tables_of(row):
    return [f.name for f in dataclasses.fields(row)]


def test_a_number_leads_back_to_its_readings_and_calls(runs):
    value = query("SELECT value FROM findings WHERE run = 'second' AND name = 'accuracy'", runs).item()
    behind = query(
        """SELECT r.reading, r.correct, c.prompt, c.reply FROM readings r JOIN calls c
           ON c.run = r.run AND list_contains(c.readings, r.reading)
           WHERE r.run = 'second' AND r.study = 'coin-study' ORDER BY r.reading""",
        runs,
    )
    assert behind["correct"].mean() == value
    assert behind["reading"][0] == "coin-study/s0/0" and behind["prompt"][0] == "[user]\nStatement 0. True or false?"


def test_runs_and_findings_are_tables(runs):
    rows = query("SELECT run, status, items, done, readings, calls FROM runs ORDER BY run", runs).rows()
    assert rows == [
        ("odd [name]'s/first", "done", 10, 10, 10, 10),
        ("second", "done", 12, 12, 12, 12),
        ("third", "stopped", 10, 4, 4, 4),
    ]
    assert query('SELECT count(*) FROM findings WHERE "null" IS NOT NULL', runs).item() == 3
    assert query("SELECT count(*) FROM findings WHERE isnan(value)", runs).item() == 2


def test_a_runs_own_folder_will_do(runs):
    assert query("SELECT DISTINCT run FROM readings", runs / "second").item() == "second"


def test_a_run_killed_before_its_first_answer_is_a_run(tmp_path):
    class Never(Coin):
        async def generate(self, prompt, sampling, context=None):
            raise KeyboardInterrupt

    with pytest.raises((Interrupted, KeyboardInterrupt)):
        run(coin_study.study, Never(), limit=3, out=tmp_path / "run", concurrency=1)
    assert query("SELECT count(*) FROM readings", tmp_path).item() == 0
    assert Run.open(tmp_path / "run").parts[0].counts["done"] == 0


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nothing FROM readings", "nothing"),
        ("SELECT * FROM reading", "Table with name reading does not exist"),
        ("SELEC", "syntax error"),
        ("COPY readings TO '{folder}/out.csv'", "disabled"),
        ("SELECT * FROM read_text('{folder}/second/manifest.json')", "disabled"),
        ("SET enable_external_access = true", "external access|locked"),
        ("INSTALL httpfs", "disabled"),
    ],
)
def test_errors_are_one_line_and_the_disk_is_out_of_reach(runs, sql, message):
    with pytest.raises(DoxaError, match=message) as caught:
        query(sql.format(folder=runs), runs)
    assert "\n" not in str(caught.value) and "readings, calls, runs, findings" in str(caught.value)
    assert not (runs / "out.csv").exists()


def test_no_runs_is_said(tmp_path):
    with pytest.raises(DoxaError, match="no run below"):
        query("SELECT 1", tmp_path / "nowhere")


def test_types_that_differ_between_studies_meet(runs):
    kinds = query("SELECT DISTINCT study, typeof(answer) FROM readings ORDER BY ALL", runs).rows()
    assert kinds == [("coin-study", "VARCHAR"), ("other-study", "VARCHAR")]


def test_options_do_not_stop_a_query(tmp_path):
    run(coin_study.study, Coin(), limit=2, options=Options(samples=2), out=tmp_path / "run")
    assert query("SELECT max(sample) FROM readings", tmp_path).item() == 1
