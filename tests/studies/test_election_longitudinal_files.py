"""Recorded panels: a tiny one in the published layout, tables of dated replies, rows of a run, broken files."""

import csv
from datetime import date, timedelta

import polars as pl
import pytest
from pytest import approx

from doxa import cli
from doxa.elicit.panel_files import PUBLISHED
from doxa.records import DoxaError
from doxa.runs.recorded import score_files
from doxa.simulation.variations import VARIATIONS
from doxa.studies.election_longitudinal import Options, read_file, score, study

HASHES = ("q_hash", "prompt_hash", "template_hash")
FIRST = date(2024, 7, 23)
DAYS = [FIRST + timedelta(days=d) for d in range(113) if d != 40]  # as published: one of 113 is missing


def sent(question, persona):
    return " ".join(
        t for t in ((persona.text, question) if persona.place == "before" else (question, persona.text)) if t
    )


def write(root, model, kind, topic, question, persona, replies):
    """One file: one prompt on the days that `replies` maps to replies."""
    folder = root / "raw_data" / model / kind / topic
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{question[:8]}-{persona.name}.csv".replace(" ", "_").replace("?", "")
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [*PUBLISHED, *HASHES])
        out.writeheader()
        for day, text in replies.items():
            cells = dict.fromkeys([*PUBLISHED, *HASHES], "x")
            cells |= {"model": model, "date": day.isoformat(), "question": sent(question, persona), "type": kind}
            cells |= {"pre_prompt_q": question, "base_q_template": question, "response": text}
            cells |= {"variation_type": "" if persona.name == "none" else persona.text}
            out.writerow(cells)
    return path


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Two models, two questions in 22 variations and a baseline, 112 days: the first switches on its day 60."""
    root = tmp_path_factory.mktemp("release")
    for model in ("gpt-4-turbo", "claude-3-opus"):
        for persona in VARIATIONS:
            moved = "Nobody can say, for the polls are close." if persona.name == "Democrat" else "The race is open."
            same = {day: moved for day in DAYS}
            write(root, model, "exo", "predictions", "Who will win?", persona, same)
            share = {day: "Harris 48%, and no more." for day in DAYS}
            write(root, model, "endo", "process", "Which share is needed?", persona, share)
        late = {day: "Seven." if k < 59 or model != "gpt-4-turbo" else "About 7 or so." for k, day in enumerate(DAYS)}
        write(root, model, "baseline", "sums", "What is 3 + 4?", VARIATIONS[0], late)
    return root / "raw_data"


def test_the_published_layout(released):
    recorded = read_file(released, Options())
    rows = recorded.rows
    assert len(rows) == 2 * 45 * 112 and recorded.notes == (f"90 files with {len(rows):,} replies.",)
    assert rows.group_by("who", "question", "variation").len()["len"].unique().to_list() == [112]
    assert (min(rows["date"]), max(rows["date"])) == ("2024-07-23", "2024-11-12")
    assert set(rows["variation"]) == {p.name for p in VARIATIONS}
    assert dict(rows.select("type", "topic").unique().rows()) == {
        "exogenous": "predictions", "endogenous": "process", "baseline": "sums"
    }  # fmt: skip
    assert rows.filter(pl.col("topic") == "process")["value"].unique().to_list() == [0.48]


def test_one_model_of_it_is_scored(released):
    found = score(read_file(released / "gpt-4-turbo", Options()).rows, Options(events="2024-09-20=update"))
    assert found["prompts"] == 45 and found["variations of a question"] == 22 and found["days"] == 112
    # Its 60th reply is that of day 61: one day before it is missing.
    assert found["day of change, baseline"] == 61 and found["system update"] == 1
    assert found["share that steers, requests"] == 0 and found["changed replies, identities"] == approx(1 / 22)
    (line,) = found.table("Coverage").rows
    assert "2024-09-01" in line[4] and line[8] == "224 of 224"
    change = next(x for x in found.table("Change points").rows if x[0] == "baseline")
    assert change[2] == "2024-09-21" and change[-2:] == ("update", 1)


def test_one_topic_and_both_models(released):
    ((_, found),) = score_files(study, [released], Options())
    assert found["models"] == 2 and found["system update, gpt-4-turbo"] == 1
    assert found["system update, claude-3-opus"] == 0
    one = read_file(released / "claude-3-opus" / "exo" / "predictions", Options())
    assert set(one.rows["type"]) == {"exogenous"} and one.rows["question"].n_unique() == 1


TABLE = [
    {"model": "m", "date": "2026-09-01", "question_id": "q", "variation": "", "response": "Yes."},
    {"model": "m", "date": "2026-09-01", "question_id": "q", "variation": "I am a Democrat.", "response": "No."},
    {"model": "m", "date": "2026-09-02", "question_id": "q", "variation": "none", "response": "Yes."},
]


def test_any_table_of_dated_replies(tmp_path):
    path = tmp_path / "mine.csv"
    pl.DataFrame(TABLE).write_csv(path)
    found = score(read_file(path, Options()).rows, Options())
    assert found["distance to the first day, exogenous"] == 0 and found["changed replies, identities"] == 1


def test_repeated_and_empty_replies_are_left_out_and_counted(tmp_path):
    path = tmp_path / "mine.parquet"
    pl.DataFrame([*TABLE, TABLE[0], {**TABLE[0], "date": "2026-09-03", "response": ""}]).write_parquet(path)
    recorded = read_file(path, Options())
    assert len(recorded.rows) == 3
    assert any("1 replies to a prompt that had one" in note for note in recorded.notes)
    assert any("1 rows hold no reply" in note for note in recorded.notes)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"model": "m", "date": "2026-09-01", "question_id": "q"}, "no column for the text"),
        ({**TABLE[0], "date": "yesterday"}, "'yesterday' is no date"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, row, says):
    path = tmp_path / "broken.csv"
    pl.DataFrame([row]).write_csv(path)
    with pytest.raises(DoxaError, match=rf"broken\.csv:2.*{says}"):
        read_file(path, Options())


def test_an_empty_folder(tmp_path):
    with pytest.raises(DoxaError, match="file below this folder"):
        read_file(tmp_path, Options())


def test_rows_of_a_run_are_read_back(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    how = ["--topics", "sums,predictions", "--variations", "Asian", "--out", "r"]
    for line in (
        ["run", "election-longitudinal", "-m", "simulated:calibrated", *how],
        ["score", "election-longitudinal", "r/readings/election-longitudinal/rows.parquet"],
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main(line)
        assert not ended.value.code
    assert "variations of a question" in capsys.readouterr().out
