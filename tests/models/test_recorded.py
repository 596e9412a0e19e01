"""Recorded answers: found by item, condition, sample and prompt; no reply answers two questions; files explain."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from doxa.models.base import Context
from doxa.models.recorded import MissingReply, Recorded
from doxa.records import DoxaError, Item, Prompt, Sampling

ITEMS = [Item(f"q{i}", f"Question {i}?") for i in range(3)]
ASKED = Prompt.user("Question?")


def say(model, item="q0", *, condition="neutral", prompt=ASKED, sampling=None) -> list[str]:
    replies = asyncio.run(model.generate(prompt, sampling or Sampling(), Context(Item(item, "?"), condition)))
    return [reply.text for reply in replies]


def jsonl(folder: Path, *rows: dict) -> Path:
    path = folder / "replies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


# --- from Python ------------------------------------------------------------------------------------------------------


def test_a_list_is_given_out_in_the_order_of_first_asking():
    model = Recorded(["one", ["two", "deux"], "three"])
    assert say(model, "b") == ["one"]
    assert say(model, "a", sampling=Sampling(n=2, temperature=1.0)) == ["two", "deux"]
    assert say(model, "b") == ["one"]
    assert say(model, "c") == ["three"]
    with pytest.raises(MissingReply, match=r"no reply is recorded for item 'd'.*3 items recorded: 'b', 'a', 'c'"):
        say(model, "d")


def test_a_list_with_its_items_does_not_depend_on_the_order_of_asking():
    model = Recorded(["one", "two", "three"], items=ITEMS)
    assert [say(model, i.id) for i in reversed(ITEMS)] == [["three"], ["two"], ["one"]]
    with pytest.raises(DoxaError, match="2 replies for 3 items"):
        Recorded(["one", "two"], items=ITEMS)


def test_a_mapping_by_item_and_condition():
    model = Recorded({"q0": ["a", "b"], ("q1", "pressured"): "c", ("q1", "neutral"): "d"})
    assert say(model, sampling=Sampling(n=2)) == ["a", "b"]
    assert say(model, "q1", condition="pressured") == ["c"] and say(model, "q1") == ["d"]
    with pytest.raises(MissingReply, match="recorded under 'neutral', 'pressured', not under 'calm'"):
        say(model, "q1", condition="calm")


def test_one_reply_does_not_answer_two_questions():
    model = Recorded({"q0": "yes"})
    assert say(model) == say(model) == ["yes"]
    with pytest.raises(MissingReply, match=r"already answered another condition \('neutral'\)"):
        say(model, condition="pressured")
    with pytest.raises(MissingReply, match="already answered another prompt"):
        say(model, prompt=Prompt.user("Another?"))
    with pytest.raises(MissingReply, match=r"already answered another seed \(0\)"):
        warm = Recorded({"q0": "yes"})
        say(warm, sampling=Sampling(temperature=1.0))
        say(warm, sampling=Sampling(temperature=1.0, seed=1))
    asyncio.run(model.close())
    assert say(model, condition="pressured") == ["yes"]


def test_a_missing_sample_or_item_concerns_that_item_only():
    model = Recorded({"q0": ["a", "b"], "q1": "c"})
    with pytest.raises(MissingReply, match="sample 2 is asked for, 2 recorded"):
        say(model, sampling=Sampling(n=3))
    assert say(model, "q1") == ["c"]
    with pytest.raises(MissingReply, match="this call names none"):
        asyncio.run(model.generate(ASKED, Sampling()))


def test_what_is_no_reply_is_refused():
    with pytest.raises(DoxaError, match=r"replies\[1\] holds int 5"):
        Recorded(["a", [5]])
    with pytest.raises(DoxaError, match="holds no recorded replies"):
        Recorded([])
    with pytest.raises(DoxaError, match="describe a file"):
        Recorded(["a"], columns={"item": "id"})


def test_it_can_generate_only_and_bypasses_the_store():
    model = Recorded(["a"])
    assert model.capabilities == {"generate"} and not model.stored
    assert Recorded({"q": "a"}).fingerprint == Recorded({"q": "a"}).fingerprint != Recorded({"q": "b"}).fingerprint
    before = model.fingerprint
    assert say(model) == ["a"] and model.fingerprint == before and json.dumps(dict(model.identity))


# --- files ------------------------------------------------------------------------------------------------------------

ROWS = [
    {"item": "q0", "text": 'A, naïve\n"so"', "condition": "neutral", "sample": 0},
    {"item": "q0", "text": "B", "condition": "neutral", "sample": 1},
    {"item": "q1", "text": "", "condition": "pressured", "sample": 0},
]


def write(path: Path, rows: list[dict]) -> Path:
    """The rows in the format of the path's suffix."""
    if path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
        return path
    name = path.name.removesuffix(".gz")
    if name.endswith("json"):
        text = json.dumps(rows)
    elif name.endswith("jsonl"):
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if name.endswith("tsv") else ",")
            writer.writeheader()
            writer.writerows(rows)
        text = path.read_bytes().decode()
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["r.jsonl", "r.json", "r.csv", "r.tsv", "r.parquet", "r.jsonl.gz", "r.csv.gz"])
def test_every_format_says_the_same(tmp_path, name):
    model = Recorded(write(tmp_path / name, ROWS))
    assert say(model, sampling=Sampling(n=2)) == ['A, naïve\n"so"', "B"]
    assert say(model, "q1", condition="pressured") == [""]
    in_memory = Recorded({("q0", "neutral"): [ROWS[0]["text"], "B"], ("q1", "pressured"): ""})
    assert model.identity["replies"] == in_memory.identity["replies"]


def test_column_map_and_numbers_as_ids(tmp_path):
    path = jsonl(tmp_path, {"question_id": 7, "raw_output": "B"}, {"question_id": 8, "raw_output": 12.5})
    model = Recorded(path, columns={"item": "question_id", "text": "raw_output"})
    assert say(model, "7") == ["B"] and say(model, "8") == ["12.5"]


def test_prompts_tell_replies_apart(tmp_path):
    path = jsonl(
        tmp_path,
        {"item": "q0", "prompt": "Question?", "text": "first"},
        {"item": "q0", "prompt": "[user]\nQuestion?\n\n[assistant]\nfirst\n\n[user]\nSure?", "text": "second"},
    )
    model = Recorded(path)
    assert say(model) == ["first"] and say(model, condition="again") == ["first"]
    assert say(model, prompt=ASKED.then("first", "Sure?")) == ["second"]
    with pytest.raises(
        MissingReply, match=r"prompt asked is not the one recorded in .*replies.jsonl:1.*'\[user\] Why\?'"
    ):
        say(model, prompt=Prompt.user("Why?"))


def test_a_null_reply_fails_for_its_item_only(tmp_path):
    model = Recorded(jsonl(tmp_path, {"item": "q0", "text": None}, {"item": "q1", "text": "B"}))
    with pytest.raises(MissingReply, match=r"replies.jsonl:1 holds no reply"):
        say(model)
    assert say(model, "q1") == ["B"]


def test_missing_columns_are_named_with_a_likely_mapping(tmp_path):
    path = jsonl(tmp_path, {"question_id": "q0", "raw_output": "B", "latency": 3})
    with pytest.raises(DoxaError) as error:
        Recorded(path)
    message = str(error.value)
    assert "has no column 'item' and no column 'text'; it has 'question_id', 'raw_output', 'latency'" in message
    assert 'columns={"item": "question_id", "text": "raw_output"}' in message
    with pytest.raises(DoxaError, match="has no column 'id'"):
        Recorded(path, columns={"item": "id", "text": "raw_output"})
    with pytest.raises(DoxaError, match="columns maps 'reply'; it maps our names"):
        Recorded(path, columns={"reply": "raw_output"})


def test_duplicates_are_named(tmp_path):
    path = jsonl(tmp_path, {"item": "q0", "text": "A"}, {"item": "q1", "text": "A"}, {"item": "q0", "text": "B"})
    with pytest.raises(DoxaError, match=r"item 'q0', sample 0 is recorded twice: .*:1 and .*:3"):
        Recorded(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"item": "q0", "text": "A"}\n{"item": "q1", "te', r"r.jsonl:2: not JSON at column \d+: the line is cut off"),
        ('{"item": "q0", "text": "A"}\n{"item": "q1", "text": ', r"r.jsonl:2: .*the line is cut off"),
        ('{"item" "q0"}\n', r"r.jsonl:1: not JSON at column 9: Expecting ':'"),
        ('["q0", "A"]\n', r"r.jsonl:1: a row is a JSON object with named columns, not list"),
        ('{"item": "q0", "text": "A"}\n{"item": "q1"}\n', r"r.jsonl:2: no 'text' in this row, unlike the first"),
        ('{"item": "q0", "text": {"a": 1}}\n', r"r.jsonl:1: column 'text' holds dict"),
        ('{"item": "q0", "text": "A", "sample": "x"}\n', r"r.jsonl:1: column 'sample' is 'x'; samples are numbered"),
        ('{"item": "q0", "text": "A", "sample": 1.5}\n', r"column 'sample' is 1.5"),
        ('{"item": "", "text": "A"}\n', r"r.jsonl:1: column 'item' is empty"),
        ("\n", "holds no recorded replies"),
    ],
)
def test_bad_lines_are_named(tmp_path, content, complaint):
    path = tmp_path / "r.jsonl"
    path.write_text(content)
    with pytest.raises(DoxaError, match=complaint):
        Recorded(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("item,text\nq0\n", r"r.csv:2: fewer cells"),
        ("item,text\nq0,A,B\n", r"r.csv:2: more cells"),
        ('item,text\nq0,"A\n', r"r.csv:\d: not CSV: unexpected end of data"),
        ("item,text\n", "holds no recorded replies"),
    ],
)
def test_bad_tables_are_named(tmp_path, content, complaint):
    path = tmp_path / "r.csv"
    path.write_text(content)
    with pytest.raises(DoxaError, match=complaint):
        Recorded(path)


def test_long_replies_and_line_marks_inside_replies(tmp_path):
    reply = "a b\x85c" + "d" * 200_000
    for name in ("r.csv", "r.jsonl"):
        assert say(Recorded(write(tmp_path / name, [{"item": "q0", "text": reply}]))) == [reply]


def test_another_encoding_is_said_and_can_be_named(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes("item,text\nq0,ok\nq1,Gödel\n".encode("cp1252"))
    with pytest.raises(DoxaError, match=r"r.csv:3 is not utf-8: byte 0xf6.*encoding='cp1252'"):
        Recorded(path)
    assert say(Recorded(path, encoding="cp1252"), "q1") == ["Gödel"]
    with pytest.raises(DoxaError, match="there is no encoding 'cp-1252x'"):
        Recorded(path, encoding="cp-1252x")
    path.write_bytes("\ufeffitem,text\nq0,ok\n".encode())
    assert say(Recorded(path)) == ["ok"]


def test_files_that_are_none(tmp_path):
    with pytest.raises(DoxaError, match=r"there is no file .*none.jsonl"):
        Recorded(tmp_path / "none.jsonl")
    with pytest.raises(DoxaError, match=r"is a folder; name a file\. A run's rows lie in .*rows\.parquet"):
        Recorded(tmp_path)
    for name, content, complaint in (
        ("r.txt", b"x", "suffix '.txt' is none of"),
        ("r.parquet", b"PAR1 and no more", "is not a whole Parquet file"),
        ("r.json", b'{"rows": [], "n": 3}', "its 'rows' hold lists"),
        ("r.jsonl.gz", b"not packed", "cannot be unpacked"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DoxaError, match=complaint):
            Recorded(path)


def test_rows_of_a_stored_run_are_read_as_they_are(tmp_path):
    rows = [
        {"item": i.id, "condition": "calm", "sample": 0, "outcome": "ok", "text": i.id.upper(), "group": None}
        for i in ITEMS
    ]
    model = Recorded(write(tmp_path / "rows.parquet", rows))
    assert [say(model, i.id, condition="calm") for i in ITEMS] == [["Q0"], ["Q1"], ["Q2"]]


DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(
    not (DATA / "impossible-test").is_dir(), reason="the published responses are not beside the repository"
)
def test_published_responses_are_answers_again():
    path = DATA / "impossible-test" / "gpt-4.csv"
    model = Recorded(path, columns={"item": "question_id", "text": "llm_answer"})
    letters = [say(model, str(i))[0] for i in range(676)]
    assert [letters.count(letter) for letter in "ABCD"] == [106, 157, 203, 210]
    with pytest.raises(DoxaError, match="is not utf-8"):
        Recorded(DATA / "impossible-test" / "impossible_test.csv", columns={"item": "Problem", "text": "Correct"})


def test_prompt_equality_ignores_form_and_item():
    model = Recorded({"q0": "yes"})
    assert say(model) == say(model, prompt=replace(ASKED, item=ITEMS[0])) == ["yes"]
