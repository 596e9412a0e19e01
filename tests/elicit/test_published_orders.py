"""Published answers in all orders, from tiny files of the released layout; written by a respondent that is known."""

import itertools

import numpy as np
import pytest
from pytest import approx

from doxa.elicit.published_orders import is_published, published_rows
from doxa.records import DoxaError

CODES = {"SEX": [1, 2], "MIL": [4, 3, 1, 2]}
PREFERS = {"SEX": (0.7, 0.3), "MIL": (0.6, 0.2, 0.15, 0.05)}  # by place in the survey, not by code


def release(folder, model, key, *, codes=CODES):
    """MODEL_KEY.csv: codes of the options in their places, and what is said of each place."""
    own, p = codes[key], PREFERS[key]
    c = len(own)
    lines = [",".join([*(f"c{j}" for j in range(c)), *(f"p{j}" for j in range(c))])]
    for order in itertools.permutations(range(c)):
        lines.append(",".join([*(str(own[o]) for o in order), *(str(p[o]) for o in order)]))
    (folder / f"{model}_{key}.csv").write_text("\n".join(lines) + "\n")


def naive(folder, model):
    # The released columns are named after a set of codes: 1, 2, 3, 4, whatever stands in those places.
    rows = [f"{key},{','.join(map(str, p))}{',' * (4 - len(p))}" for key, p in PREFERS.items()]
    (folder / f"{model}_naive.csv").write_text("\n".join(["var,1,2,3,4", *rows]) + "\n")
    return folder / f"{model}_naive.csv"


def by_option(rows, key):
    found = np.zeros(len(PREFERS[key]))
    chosen = [row for row in rows if row["key"] == key and row["arm"] == "orders"]
    for row in chosen:
        found[row["order"]] += np.array(row["p"]) / len(chosen)
    return found


def test_codes_become_places_and_the_naive_columns_are_places(tmp_path):
    for key in CODES:
        release(tmp_path, "gpt2", key)
    path = naive(tmp_path, "gpt2")
    assert is_published(path, CODES) and is_published(tmp_path, CODES)
    rows = published_rows(path, CODES)
    assert by_option(rows, "MIL") == approx(PREFERS["MIL"]) and by_option(rows, "SEX") == approx(PREFERS["SEX"])
    own = {row["key"]: row["p"] for row in rows if row["arm"] == "own"}
    assert own["MIL"] == approx(PREFERS["MIL"]) and own["SEX"] == approx(PREFERS["SEX"])
    assert {row["who"] for row in rows} == {"gpt2"} and {row["mass"] for row in rows} == {None}


def test_a_folder_holds_several_models_whose_names_begin_alike(tmp_path):
    for model in ("gpt2", "gpt2_p1", "llama3"):
        for key in CODES:
            release(tmp_path, model, key)
    for model in ("gpt2", "gpt2_p1"):
        naive(tmp_path, model)
    rows = published_rows(tmp_path, CODES)
    counts = {who: sum(row["who"] == who for row in rows) for who in ("gpt2", "gpt2_p1", "llama3")}
    # llama3 has no naive file: its answer in the survey's order stands for it.
    assert counts == dict.fromkeys(("gpt2", "gpt2_p1", "llama3"), 2 + 24 + 2)
    assert next(row["p"] for row in rows if row["who"] == "llama3" and row["arm"] == "own") == approx(PREFERS["MIL"])


def test_a_question_that_is_not_in_the_set(tmp_path):
    release(tmp_path, "gpt2", "SEX")
    rows = published_rows(tmp_path / "gpt2_SEX.csv", {})
    assert rows[0]["key"] == "SEX" and by_option(rows, "SEX") == approx(PREFERS["SEX"])


def test_five_likeliest_tokens(tmp_path):
    path = tmp_path / "davinci_SEX.csv"
    # " A" .5, three other tokens, the smallest of the five .02; " B" was not seen: min((1 - .9) / 1, .02) = .02
    path.write_text("c0,c1,logp0,logp1,sp,mlogp\n1,2,-0.693147,-inf,0.9,-3.912023\n")
    own, row = published_rows(path, CODES)
    assert row["p"] == approx([0.5 / 0.52, 0.02 / 0.52], abs=1e-5) and row["mass"] == approx(0.5, abs=1e-5)
    assert own["arm"] == "own"


def test_forms_that_were_filled_in(tmp_path):
    path = tmp_path / "gpt2.csv"
    path.write_text("SEX,MIL,AGEP\n2,4,30\n1,,12\n")
    rows = published_rows(path, CODES)
    assert [(r["item"], r["key"], r["picked"]) for r in rows] == [
        ("form/0", "SEX", 1),
        ("form/0", "MIL", 0),  # code 4 stands first
        ("form/1", "SEX", 0),
    ]
    path.write_text("SEX,MIL\n3,4\n")
    with pytest.raises(DoxaError, match=r"gpt2\.csv:2: SEX is '3'; its codes are 1, 2"):
        published_rows(path, CODES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("c0,c1,p0,p1\n1,3,0.5,0.5\n", r"gpt2_SEX\.csv:2: codes 1, 3; each of 1, 2 stands there once.*--set"),
        ("c0,c1,p0,p1\n1,1,0.5,0.5\n", "codes 1, 1"),
        ("c0,c1,p0,p1\n1,2,0.5,x\n", "0.5, x are no probabilities"),
        ("c0,c1,p0,p1\n1,2,0.5,-0.5\n", "are no probabilities"),
        ("c0,c1,logp0,logp1\n1,2,-1,-1\n", "logp0 without sp and mlogp"),
    ],
)
def test_what_cannot_be_read(tmp_path, text, says):
    (tmp_path / "gpt2_SEX.csv").write_text(text)
    with pytest.raises(DoxaError, match=says):
        published_rows(tmp_path / "gpt2_SEX.csv", CODES)


def test_a_naive_file_without_probabilities(tmp_path):
    (tmp_path / "gpt2_naive.csv").write_text("var,1,2\nSEX,0.5,\n")
    with pytest.raises(DoxaError, match=r"gpt2_naive\.csv:2: var 'SEX' with 1 probabilities"):
        published_rows(tmp_path / "gpt2_naive.csv", CODES)
