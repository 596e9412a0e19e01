"""Belief and knowledge from files: pairs of statements of one's own, and recorded replies."""

import gzip
import json
import sys
import types
from pathlib import Path

import pytest

from doxa.data.attitudes import TYPES
from doxa.records import DoxaError
from doxa.studies import kable
from doxa.studies.kable import Options, study

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "kable"
FIRST = "confirmation-of-first-person-belief"
JAMES, MARY = (f"confirmation-of-third-person-belief-{name}" for name in ("james", "mary"))
BARE, KNOWN = "direct-fact-verification", "verification-of-first-person-knowledge"


# --- statements of one's own -----------------------------------------------------------------------------------------


def csv(tmp_path, text, name="mine.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_pairs_of_ones_own(tmp_path):
    path = csv(tmp_path, "true,false\nthe sun is hot.,the sun is cold.\nParis is a town,Paris is a river\n")
    items = kable.items(Options(path=path, tasks=KNOWN))
    assert [i.text for i in items][:2] == [
        "I know that the sun is hot. Is it true that the sun is hot?",
        "I know that the sun is cold. Is it true that the sun is cold?",
    ]
    assert [i.group for i in items] == ["mine.csv:2"] * 2 + ["mine.csv:3"] * 2
    lines = '{"id": "p", "subject": "Stars", "true": "the sun is hot", "false": "the sun is cold"}\n'
    (item, _) = kable.items(Options(path=csv(tmp_path, lines, "mine.jsonl"), tasks=BARE))
    assert (item.id, item.group, item.tags) == (f"{BARE}/p#factual", "p", ("verification", "Stars"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("true,false\n", "there are no statements: give rows with the columns true and false"),
        ("true,wrong\na,b\n", r"mine.csv:2: no column 'raw_sentence'; it has true, wrong"),
        ("true,false\na,\n", r"mine.csv:2: column 'false' is empty"),
        ("true,false\na,a\n", "two statements of pair 'mine.csv:2' are equal, 'a'"),
        (
            "id,true,false\n1,a,b\n1,a,b\n",
            "mine.csv:3: the factual statement of pair '1' is 'a', but .*mine.csv:2 says",
        ),
        ("raw_sentence,type,subject,idx\na,factual,Law,1\n", "pair 'Law/1' has no false statement"),
        ("raw_sentence,type,subject,idx\na,true,Law,1\n", "column 'type' is 'true'; it says whether"),
        ("raw_sentence,type,subject,idx\na,false,Law,1\nb,false,Law,1\n", "false statement of pair 'Law/1' is 'b'"),
    ],
)
def test_impossible_pairs_are_refused(tmp_path, text, words):
    with pytest.raises(DoxaError, match=words):
        kable.items(Options(path=csv(tmp_path, text)))


def test_paths_and_numbers_that_are_not_there(tmp_path):
    with pytest.raises(DoxaError, match="there is no file"):
        kable.items(Options(path=str(tmp_path / "no.csv")))
    with pytest.raises(DoxaError, match=r"a folder without .jsonl or .jsonl.gz files"):
        kable.items(Options(path=str(tmp_path)))
    with pytest.raises(DoxaError, match="100000 pairs are asked for; the bank gives 1 to"):
        kable.items(Options(pairs=100_000))


def test_the_published_set_comes_from_the_hub(monkeypatch):
    def load_dataset(name, config, split, revision):
        assert (name, split) == ("owner/kable", "train")
        about = {"experiment_setup": BARE, "subject": "Law", "idx": 0, "answer": ""}
        return [{**about, "type": "factual", "raw_sentence": "a."}, {**about, "type": "false", "raw_sentence": "b."}]

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    items = kable.items(Options(path="owner/kable", tasks=BARE))
    assert [(i.id, i.text) for i in items] == [
        (f"{BARE}/Law/0#factual", "Is it true that a?"),
        (f"{BARE}/Law/0#false", "Is it true that b?"),
    ]


def test_statements_that_no_longer_hold_are_left_out(tmp_path):
    path = csv(tmp_path, "id,true,false\np1,the sun is hot,the sun is cold\np2,snow is white,snow is red\np3,a,b\n")
    left_out = csv(tmp_path, "# dated\n\nThe sun is cold.\np3\n", "left-out.txt")
    assert {i.group for i in kable.items(Options(path=path, exclude=left_out))} == {"p2"}
    with pytest.raises(DoxaError, match=r"left-out.txt: 'p3' is no statement or pair here"):
        kable.items(Options(pairs=2, exclude=left_out))
    with pytest.raises(DoxaError, match=r"there is no file 'none.txt' of statements to leave out"):
        kable.items(Options(exclude="none.txt"))


# --- recorded replies ------------------------------------------------------------------------------------------------


def recorded(task, subject, idx, type_, reply, **more):
    return {"experiment_setup": task, "subject": subject, "idx": idx, "type": type_, "reply": reply, **more}


def read(tmp_path, rows, name="model.jsonl", **options):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(lines.encode()))
    else:
        (tmp_path / name).write_text(lines, encoding="utf-8")
    return study.read_file(tmp_path / name, Options(**options))


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published files are not beside the repository")
def test_recorded_replies_with_the_published_fields(tmp_path):
    def reply(row):
        return "So, the answer is (A)." if row["type"] == "factual" or row["subject"] == "Math" else "(B)"

    with gzip.open(PUBLISHED / f"{BARE}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row | {"reply": reply(row), "tokens": 7} for row in map(json.loads, lines)]
    found = study.score_recorded(read(tmp_path, rows, f"{BARE}.jsonl.gz"), Options(tasks=BARE))
    assert found["factual average"] == 1 and found["false average"] == 0.9  # one subject of ten
    assert found.notes == ()
    by_subject = {r[0]: (r[1], r[2], r[5]) for r in found.table("By subject").rows}
    assert by_subject["Math"] == (50, 1, 0) and by_subject["Law"] == (50, 1, 1)


def test_unread_replies_count_as_wrong_and_missing_ones_do_not_count(tmp_path):
    replies = ["(A)", "hard to tell", None, "(B)"]
    rows = read(tmp_path, [recorded(BARE, "Law", k, "factual", reply) for k, reply in enumerate(replies)]).rows
    assert rows["outcome"].to_list() == ["ok", "unparsed", "failed", "ok"]
    found = study.score(rows, Options(tasks=BARE)).estimate(f"{BARE}, factual")
    assert found.value == 1 / 3 and found.n == 3
    assert found.bounds == (pytest.approx(1 / 4), pytest.approx(3 / 4))
    assert found.outcomes == {"ok": 2, "unparsed": 1, "failed": 1}


def test_fields_may_be_missing_or_more(tmp_path):
    row = recorded(BARE, "Law", 3, "false", "(B)", temperature=0, nested={"a": 1})
    del row["experiment_setup"]
    rows = read(tmp_path, [row], f"{BARE}.gpt.jsonl").rows
    assert rows.select("task", "group", "item", "statement").row(0) == (BARE, "Law/3", f"{BARE}/Law/3#false", "")
    named = read(tmp_path, [{**row, "experiment_setup": FIRST, "output": "(C)"}], reply="output").rows
    assert named["answer"].to_list() == ["C"]


def test_a_query_says_in_which_order_options_were_shown(tmp_path):
    query = "...\nOptions:\n(A) No\n(B) Undeterminable\n(C) Yes\nAnswer:"
    rows = read(tmp_path, [recorded(BARE, "Law", 1, "false", "the answer is (C)", query=query)]).rows
    assert rows.select("shown", "answer").row(0) == ("C", "A")
    with pytest.raises(DoxaError, match="column 'query' shows the options Yes, Perhaps; they are Yes, No"):
        read(tmp_path, [recorded(BARE, "Law", 1, "false", "(A)", query="Options:\n(A) Yes\n(B) Perhaps\n")])


def test_another_key_in_the_file_is_told(tmp_path):
    name = "awareness-of-recursive-knowledge"
    rows = [
        recorded(name, "Law", 1, "factual", "(C)", answer="(A),(C)"),
        recorded(name, "Law", 1, "false", "(C)", answer=""),
    ]
    found = study.score_recorded(read(tmp_path, rows), Options(tasks=name))
    assert found.notes == ("1 rows state other accepted answers than the data set; those of --key count",)
    assert found["factual average"] == 0
    assert study.score(read(tmp_path, rows).rows, Options(tasks=name, key="figure"))["factual average"] == 1


def test_samples_of_one_question(tmp_path):
    rows = [recorded(FIRST, "Law", k, "false", r, sample=s) for k in range(4) for s, r in enumerate(["(A)", "(B)"])]
    found = study.score(read(tmp_path, rows).rows, Options(tasks=FIRST))
    assert found["first-person false belief"] == 0.5 and found.estimate("first-person false belief").n == 4


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"reply": None, "response": "(A)"}, None),
        ({"experiment_setup": "direct-facts"}, "model.jsonl:1: 'direct-facts' is no task; column 'experiment_setup'"),
        (
            {"type": "fake"},
            "model.jsonl:1: column 'type' is 'fake'; it says whether the statement is 'factual' or 'false'",
        ),
        ({"idx": None}, "model.jsonl:1: column 'idx' is empty"),
        ({"sample": -1}, "column 'sample' is -1; samples are numbered 0, 1, 2"),
        ({"reply": ["(A)"]}, r"column 'reply' holds list \['\(A\)'\]; a reply is one text"),
    ],
)
def test_bad_rows_are_named(tmp_path, row, words):
    rows = [recorded(BARE, "Law", 1, "false", "(A)") | row]
    if words is None:
        assert read(tmp_path, rows).rows["outcome"].to_list() == ["failed"]
        return
    with pytest.raises(DoxaError, match=words):
        read(tmp_path, rows)


def test_missing_columns_and_repeated_questions_are_named(tmp_path):
    row = recorded(BARE, "Law", 1, "false", "(A)")
    with pytest.raises(
        DoxaError, match=r"model.jsonl:2: direct-fact-verification, pair 'Law/1', false, is answered at .*:1 al"
    ):
        read(tmp_path, [row, row])
    with pytest.raises(DoxaError, match=r"no column 'reply'; the row has .* Name the replies: --reply response"):
        read(tmp_path, [{("response" if k == "reply" else k): v for k, v in row.items()}])
    with pytest.raises(DoxaError, match=r"column 'idx' is missing; the row has .* Add it, or rename"):
        read(tmp_path, [{k: v for k, v in row.items() if k != "idx"}])


def test_recorded_pairs_are_left_out_whole(tmp_path):
    rows = [recorded(BARE, "Law", k, t, "(A)", raw_sentence=f"{t} {k}.") for k in range(3) for t in TYPES]
    file = read(tmp_path, rows, exclude=csv(tmp_path, "False 1\nlaw/2\nLaw/77\n", "x.txt"))
    assert set(file.rows["group"]) == {"Law/0"} and len(file.rows) == 2
    assert study.score_recorded(file, Options()).notes[0].startswith("2 pairs are left out, named by 3 lines")


def test_models_side_by_side(tmp_path):
    tasks = (FIRST, JAMES, MARY)
    files = []
    for name, first in (("one", "(A)"), ("two", "(B)")):
        said = [(task, first if task == FIRST else "(A)") for task in tasks]
        rows = [recorded(task, "Law", k, t, reply) for task, reply in said for k in range(5) for t in TYPES]
        files.append(read(tmp_path, rows, f"{name}.jsonl"))
    found = study.across(files, Options())
    assert found["first-person false belief"] == 0.5 and found["third-person false belief"] == 1
    columns = found.table("Respondents").columns
    lines = {r[0]: dict(zip(columns, r, strict=True)) for r in found.table("Respondents").rows}
    assert lines["one"]["person gap"] == 0 and lines["two"]["person gap"] == 1
    assert found.table("Accuracy on false statements").columns == ("task", "one", "two")
    assert {(c.published, c.measured) for c in found.claims} >= {(0.544, 0.5), (0.807, 1.0)}
    assert found.charts
    twice = study.across([files[0], files[0]], Options())
    assert twice.table("Accuracy on false statements").columns == ("task", "one", "one (2)")


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("So, the answer is (B) [No].", "B"),
        ("So, the answer is, (C).", "C"),
        ("(A) is tempting, but so, the answer is (B)", "B"),
        ("I cannot say", None),
        ("Undeterminable.", "C"),
        ("The text supports (A) and then (C)", "C"),
        ("A", "A"),
    ],
)
def test_extraction(tmp_path, reply, letter):
    assert read(tmp_path, [recorded(BARE, "Math", 0, "false", reply)]).rows["answer"].to_list() == [letter]
