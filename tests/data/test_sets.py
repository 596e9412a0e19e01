"""Loaders: what a good file gives, and what is said about a bad one."""

import json
import sys
import types

import polars as pl
import pytest

from doxa.data.sets import SetError, load
from doxa.records import DoxaError

ROWS = [
    {"id": "a", "question": "2 + 2?", "options": ["3", "4"], "answer": "4", "group": "sums", "level": 1},
    {"id": "b", "question": "The sky is green.", "options": None, "answer": "false", "group": None, "level": 2},
    {"id": "c", "question": "Who knows?", "options": None, "answer": None, "group": None, "level": 3},
]


@pytest.fixture
def write(tmp_path):
    def to(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to


def jsonl(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_three_formats_give_the_same_items(write, tmp_path):
    pl.DataFrame(ROWS).write_parquet(tmp_path / "quiz.parquet")
    lines = load(write("quiz.jsonl", jsonl(*ROWS)))
    csv = "id,question,options,answer,group,level\na,2 + 2?,3|4,4,sums,1\nb,The sky is green.,,false,,2\n"
    csv += 'c,Who knows?,"",,,3\n'
    assert lines == load(tmp_path / "quiz.parquet")
    cells = load(write("quiz.csv", csv))
    assert [(i.id, i.text, i.kind, i.options, i.answer, i.group) for i in cells] == [
        ("a", "2 + 2?", "choice", ("3", "4"), "4", "sums"),
        ("b", "The sky is green.", "statement", (), "false", None),
        ("c", "Who knows?", "open", (), None, None),
    ]
    assert [(i.id, i.text, i.kind, i.options, i.answer, i.group) for i in lines] == [
        (i.id, i.text, i.kind, i.options, i.answer, i.group) for i in cells
    ]
    assert cells[0].fields == {"level": "1"} and lines[0].fields == {"level": 1}


def test_every_column(write):
    row = {"id": 7, "text": "Capital of Brazil?", "answer": "Brasilia", "accepted": ["Brasília"], "kind": "open"}
    item = load(write("q.jsonl", jsonl({**row, "popularity": 0.5, "tags": ["geo", "easy"]})))[0]
    assert (item.id, item.accepted, item.popularity, item.tags) == ("7", ("Brasília",), 0.5, ("geo", "easy"))


def test_own_column_names_numbered_rows_tabs_and_a_byte_order_mark(write):
    path = write("fragen.tsv", "\ufeffFrage\tgold\nWie, bitte?\tso\n")
    item = load(path, columns={"text": "Frage", "answer": "gold"}, number_rows=True)[0]
    assert (item.id, item.text, item.answer, item.fields) == ("fragen-1", "Wie, bitte?", "so", {})


@pytest.mark.parametrize("answer_as, given", [("text", "yes"), ("letter", "b"), ("index", 1)])
def test_answers_by_text_letter_or_index(write, answer_as, given):
    path = write("q.jsonl", jsonl({"id": 1, "text": "?", "choices": ["no", "yes"], "answer": given}))
    assert load(path, answer_as=answer_as)[0].answer == "yes"


GOOD = {"id": "a", "text": "?", "options": ["x", "y"], "answer": "x"}


@pytest.mark.parametrize(
    "rows, message",
    [
        ([{"id": "a", "frage": "?"}], r"'id', 'frage'; missing column 'text'.*columns="),
        ([{"text": "?"}], r"missing column 'id'.*number_rows=True"),
        ([GOOD, GOOD], r"line 2: id 'a' is already at q\.jsonl, line 1; ids are unique"),
        ([], "no rows"),
        ([{**GOOD, "options": "x"}], r"line 1, column 'options': 'x' is not a list; write"),
        ([{**GOOD, "options": {"x": 1}}], "is not a list"),
        ([{**GOOD, "options": ["x", None]}], "empty text"),
        ([{**GOOD, "options": ["x"]}], "options are 2 to 26 and differ"),
        ([{**GOOD, "options": ["x", "x"]}], "options are 2 to 26 and differ"),
        ([{**GOOD, "answer": "z"}], r"line 1, column 'answer': 'z' is not among the options \['x', 'y'\]; give"),
        ([{**GOOD, "kind": "essay"}], r"column 'kind': 'essay'; kinds are statement, choice"),
        ([{"id": 1, "text": "?", "kind": "choice"}], "a choice without options"),
        ([{"id": 1, "text": "?", "kind": "statement", "answer": "maybe"}], "it is true, false, or empty"),
        ([{"id": 1, "text": "?", "kind": "number", "answer": "ten"}], "a number whose answer is 'ten'; write it"),
        ([{"id": 1, "text": "?", "popularity": 50}], r"popularity is a number in \[0, 1\]"),
        ([{"id": 1, "text": "?", "popularity": "high"}], r"'high'; popularity is a number"),
        ([{"id": 1, "text": " "}], r"column 'text': empty"),
        ([{"id": "", "text": "?"}], r"column 'id': empty"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(write, rows, message):
    with pytest.raises(SetError, match=message):
        load(write("q.jsonl", jsonl(*rows)))


def test_a_cut_json_line(write):
    with pytest.raises(SetError, match=r"q\.jsonl, line 2: not JSON .*; the file ends here: was it cut off\?"):
        load(write("q.jsonl", jsonl(GOOD) + '{"id": "b", "te'))
    with pytest.raises(SetError, match=r"line 1: list, not an object"):
        load(write("q.jsonl", "[1, 2]\n"))


def test_broken_csv(write):
    with pytest.raises(SetError, match=r"q\.csv, line 2: not 2 cells like the header"):
        load(write("q.csv", "id,text\na,Well, what?\n"))
    with pytest.raises(SetError, match="line 2: not 2 cells"):
        load(write("q.csv", "id,text\na\n"))
    with pytest.raises(SetError, match="close the quotes"):
        load(write("q.csv", 'id,text\na,"What?\n'))
    with pytest.raises(SetError, match="no JSON list"):
        load(write("q.csv", 'id,text,options\na,?,"[1, 2"\n'))
    with pytest.raises(SetError, match="no rows"):
        load(write("q.csv", "id,text\n"))


def test_broken_parquet(write):
    with pytest.raises(SetError, match="not readable as Parquet"):
        load(write("q.parquet", "PAR1 and no more"))


def test_another_encoding(tmp_path):
    (tmp_path / "q.csv").write_bytes("id,text\na,Größe?\n".encode("latin-1"))
    with pytest.raises(SetError, match=r"not UTF-8 \(byte 0xf6\); save the file as UTF-8"):
        load(tmp_path / "q.csv")


def test_wrong_names(write, tmp_path):
    path = write("q.jsonl", jsonl(GOOD))
    with pytest.raises(SetError, match="columns names 'question', no part of an item"):
        load(path, columns={"question": "text"})
    with pytest.raises(SetError, match=r"'answer' is in 'gold'; .*has 'id', 'text', 'options', 'answer'"):
        load(path, columns={"answer": "gold"})
    with pytest.raises(SetError, match="answer_as is 'word'"):
        load(path, answer_as="word")
    with pytest.raises(SetError, match="'x' is no letter of 2 options; they are A, B"):
        load(path, answer_as="letter")
    with pytest.raises(FileNotFoundError, match="no file"):
        load(tmp_path / "none.csv")
    with pytest.raises(SetError, match="is neither a"):
        load(write("q.xlsx", ""))


def test_a_hub_set_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DoxaError, match=r"needs the package 'datasets'.*pip install datasets"):
        load("owner/name")


def test_a_hub_set_is_read_like_a_file(monkeypatch):
    asked = []

    def load_dataset(name, config, *, split, revision):
        asked.append((name, config, split, revision))
        return [{"question": "?", "choices": ["no", "yes"], "answer": 1}]

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    items = load("owner/name", answer_as="index", number_rows=True, split="validation", config="all", revision="abc")
    assert asked == [("owner/name", "all", "validation", "abc")]
    assert (items[0].id, items[0].answer) == ("owner-name-1", "yes")
