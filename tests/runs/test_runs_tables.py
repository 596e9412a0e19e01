"""Rows, calls and records keep their content through JSON and Parquet."""

import dataclasses
import json
import math
from collections.abc import Mapping
from types import MappingProxyType

import coin_study
import numpy as np
import polars as pl
import pytest
from coin_study import Coin, Options, Row, statements
from hypothesis import given
from hypothesis import strategies as st

from doxa.records import Item, Message, Prompt, Reply, Sampling, Score, Token
from doxa.runs import notation, run, tables
from doxa.runs.log import line_of, read_line
from doxa.study import Call

text = st.text(max_size=20)
number = st.floats(allow_nan=False)
tokens = st.lists(st.builds(Token, text, number, st.lists(st.tuples(text, number)).map(tuple))).map(tuple)
replies = st.builds(
    Reply, text, st.sampled_from(["stop", "length", "refusal", "error"]), st.none() | tokens, st.none() | text,
    st.none() | st.integers(0), st.none() | st.integers(0), st.none() | text,
)  # fmt: skip
prompts = st.builds(Prompt, text=text) | st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), text), min_size=1
).map(lambda messages: Prompt(messages=tuple(messages)))
samplings = st.builds(Sampling, st.integers(1, 9), st.floats(0, 2), stop=st.lists(text).map(tuple), seed=st.integers())
calls = st.builds(
    Call, text, prompts, text, st.none() | samplings, st.lists(replies).map(tuple),
    st.lists(st.builds(Score, text, number, tokens)).map(tuple),
)  # fmt: skip
items = st.builds(
    Item, text, text, st.sampled_from(["statement", "choice", "open"]), st.lists(text).map(tuple), st.none() | text,
    st.lists(text).map(tuple), st.none() | text, st.none() | st.floats(0, 1), st.lists(text).map(tuple),
    st.dictionaries(text, st.integers() | text | st.lists(text)),
)  # fmt: skip


def through_json(value):
    return json.loads(notation.dumps(value))


@given(calls)
def test_a_call_survives_json(call):
    assert notation.read_call(through_json(notation.write_call(call))) == call


@given(items)
def test_an_item_survives_json(item):
    assert notation.read_item(through_json(notation.write_item(item))) == item


def test_json_is_strict_and_knows_numpy():
    value = {
        "numbers": [math.nan, math.inf, -math.inf, np.float32(0.5), np.int64(3), np.bool_(True)],
        "array": np.array([1.5, math.nan]),
        "mapping": MappingProxyType({"a": {"b"}, "c": math.inf}),
        "record": Token("x", -math.inf),
        "half a surrogate": "\ud800x",
    }
    assert through_json(value) == {
        "numbers": ["NaN", "Infinity", "-Infinity", 0.5, 3, True],
        "array": [1.5, "NaN"],
        "mapping": {"a": ["b"], "c": "Infinity"},
        "record": {"text": "x", "logprob": "-Infinity", "top": []},
        "half a surrogate": "?x",
    }
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        notation.dumps({"a": object()})


def test_a_line_knows_whether_it_is_whole():
    record = {"index": 0, "status": "done", "rows": [], "usage": {}, "text": "line\nbreak \u2028 é"}
    line = line_of(record).data
    assert read_line(line) == record and line.count(b"\n") == 1
    for broken in (line[:-1], line[1:], line.replace(b"break", b"brake"), b"", b"\n", b"\0" * len(line)):
        assert read_line(broken) is None


def test_parquet_equals_the_log(tmp_path):
    breaks = ["s3"]
    part = run(coin_study.study, Coin(breaks=breaks), items=statements(9), out=tmp_path / "run",
               options=Options(samples=3)).parts[0]  # fmt: skip
    rows, calls = part.rows(ids=True), part.calls()
    by_polars = pl.read_parquet(part.folder / "rows.parquet")
    assert rows.equals(by_polars, null_equal=True) and len(rows) == 24
    for name in ("rows.parquet", "calls.parquet"):
        (part.folder / name).unlink()
    assert part.rows(ids=True).equals(rows, null_equal=True) and part.calls().equals(calls, null_equal=True)
    assert len(calls) == 24 and calls["readings"][0].to_list() == ["coin-study/s0/0"]
    assert math.isnan(rows["steps"][0][1])


def test_many_small_groups_make_one_table(tmp_path, monkeypatch):
    whole = run(coin_study.study, Coin(), items=statements(50), out=tmp_path / "whole").parts[0].rows(ids=True)
    monkeypatch.setattr(tables, "GROUP_BYTES", 1)
    monkeypatch.setattr(tables, "ROW_GROUP_BYTES", 3000)
    small = run(coin_study.study, Coin(), items=statements(50), out=tmp_path / "small").parts[0].rows(ids=True)
    assert small.equals(whole, null_equal=True)


def test_calls_of_failed_items_are_kept(tmp_path):
    async def collect(item, ask, options):
        async for row in coin_study.collect(item, ask, options):
            yield row
        raise ValueError("after the first row")

    part = run(dataclasses.replace(coin_study.study, collect=collect), Coin(), limit=2, out=tmp_path / "run").parts[0]
    record = next(part.records())
    assert record.status == "failed" and len(record.rows) == len(record.calls) == 1
    assert part.calls()["readings"].to_list() == [[], []] and part.rows().height == 0


@pytest.mark.parametrize(
    "values",
    [
        {"confidence": np.float32(0.5), "correct": np.bool_(True), "sample": np.int64(2), "steps": (np.float64(1.0),)},
        {"confidence": 1, "correct": True, "sample": 2, "steps": [1]},
        {"confidence": None, "correct": None, "sample": None, "steps": (None, 1.0)},
        {"confidence": math.inf, "correct": False, "sample": 0, "steps": ()},
    ],
)
def test_a_row_is_written_as_its_columns_hold_it(values):
    row = Row(**{"item": "i", "answer": None, "truth": "true", **values})
    written = through_json(tables.row_writer(Row)(row))
    types = tables.columns(Row)
    table = tables.rows_table([{"status": "done", "item": {"id": "i"}, "rows": [written]}], types, "s", "m")
    assert table.schema["steps"] == pl.List(pl.Float64) and table.schema["sample"] == pl.Int64
    for name, value in values.items():
        stored = table[name][0]
        assert (stored.to_list() if isinstance(stored, pl.Series) else stored) == (
            list(value) if isinstance(value, (tuple, list)) else value
        )


def test_column_types_have_names():
    types: Mapping[str, str] = tables.columns(Row)
    assert types["steps"] == "list[float]" and types["answer"] == "str" and types["correct"] == "bool"
