"""Survey responses: recorded tables, question files, populations by path and the recodes of person records."""

import json

import numpy as np
import polars as pl
import pytest
from pytest import approx

import doxa
from doxa.data.household_questions import household_items
from doxa.data.populations import LatentClasses, made_up_population
from doxa.data.survey_files import population, recoded, survey_items
from doxa.metrics.discriminator import told_apart
from doxa.records import DoxaError, Item
from doxa.studies.survey_responses import LIKE, Options, read_file, score, study

weighing = LIKE.weighing

SIZES = (2, 7, 2, 6, 2, 5, 3, 5, 2, 4, 2, 2, 2, 5, 2, 2, 4, 2, 6, 12, 3, 5, 6, 9, 5)


def written(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_a_table_of_permutations(tmp_path):
    orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    rows = [{"key": "pet", "order": o, "p": [0.4 if i == 0 else 0.05 for i in o], "extra": 1} for o in orders]
    made = score(read_file(written(tmp_path / "model.jsonl", rows), Options()).rows, Options())
    held = -(0.8 * np.log2(0.8) + 0.2 * np.log2(0.1)) / np.log2(3)
    assert [made[f"normalised entropy, {name}"] for name in ("adjusted", "naive")] == approx([held, held])
    assert made["label mass"] == approx(0.5) and made["A-bias"] == approx(0)
    assert made["largest Monte Carlo error"] == 0


def test_a_table_in_its_own_order_only_and_cells_in_json(tmp_path):
    path = tmp_path / "model.csv"
    path.write_text('key,p\npet,"[0.9, 0.1]"\nhome,"{""A"": 0.5, ""B"": 0.5}"\n')
    made = score(read_file(path, Options()).rows, Options())
    assert made["normalised entropy, naive"] == approx((0.468996 + 1) / 2, abs=1e-5)
    assert np.isnan(made["A-bias"]) and np.isnan(made["normalised entropy, adjusted"])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"key": "pet"}, "no column key or p"),
        ({"key": "pet", "p": [0.5, -0.5]}, "not negative"),
        ({"key": "pet", "p": ["x"]}, "list of numbers"),
        ({"key": "pet", "p": [0.5, 0.5], "order": [1, 2]}, "From 1"),
        ({"key": "pet", "p": [0.5, 0.5], "order": [0]}, "each of 0 to 1"),
    ],
)
def test_rows_that_cannot_be_read(tmp_path, row, says):
    with pytest.raises(DoxaError, match=rf"bad\.jsonl:1.*{says}"):
        read_file(written(tmp_path / "bad.jsonl", [row]), Options())


def test_rows_of_a_run(tmp_path):
    part = doxa.run(study, weighing(0.5), options=Options(randomised=9), null_seed=None, progress=False)[study.name]
    part.rows().write_parquet(tmp_path / "rows.parquet")
    again = score(read_file(tmp_path / "rows.parquet", Options()).rows, Options())
    assert again["KL to the reference, adjusted"] == approx(part.findings["KL to the reference, adjusted"])


# --- questions -------------------------------------------------------------------------------------------------------


def question(key, c, **more):
    return {
        "key": key,
        "question": f"{key}?",
        "options": [{"text": f"{key}{i}", "code": c - i} for i in range(c)],
        **more,
    }


def test_options_are_told_apart_by_place_not_by_code(tmp_path):
    path = tmp_path / "own.json"
    path.write_text(json.dumps([question("a", 3), question("b", 2, asked_if={"a": [3]}, you="And you?")]))
    a, b = survey_items(path)
    assert a.fields["codes"] == [3, 2, 1] and b.fields["asked_if"] == {"a": [0]} and b.fields["you"] == "And you?"
    for broken, says in (
        ([question("a", 1)], "2 to 26"),
        ([question("a", 2), question("a", 2)], "was there before"),
        ([question("b", 2, asked_if={"a": [1]})], "names earlier questions"),
        ([{"key": "a"}], "no key, question and options"),
        ({}, "list of questions"),
    ):
        path.write_text(json.dumps(broken))
        with pytest.raises(DoxaError, match=says):
            survey_items(path)


# --- populations -----------------------------------------------------------------------------------------------------


def asked():
    return [
        Item(
            f"q/{key}",
            "?",
            "choice",
            tuple(f"{key}{i}" for i in range(len(codes))),
            fields={"key": key, "codes": codes},
        )
        for key, codes in (("AGER", list(range(1, 8))), ("HISPR", [1, 2]), ("MIL", [4, 3, 1, 2]), ("FER", [1, 2]))
    ]


def test_shares_by_code_by_text_and_by_part(tmp_path):
    path = tmp_path / "shares.csv"
    path.write_text("key,code,share,part\nMIL,4,30,\nMIL,1,10,\nMIL,2,1,north\nother,1,1,\n")
    made = population(path, asked())
    assert made.shares == {"MIL": (0.75, 0, 0.25, 0)} and made.subgroups["north"]["MIL"] == (0, 0, 0, 1)
    assert not made.draws
    path.write_text("key,option,share\nHISPR,HISPR1,1\n")
    assert population(path, asked()).shares == {"HISPR": (0, 1)}
    for line, says in (
        ("HISPR,no,1", "options are"),
        ("HISPR,HISPR1,-1", "shares >= 0"),
        ("HISPR,HISPR1,0", "sum to 0"),
    ):
        path.write_text(f"key,option,share\n{line}\n")
        with pytest.raises(DoxaError, match=says):
            population(path, asked())


def test_zero_shares_are_dropped_and_said(tmp_path):
    path = tmp_path / "shares.csv"
    shares = made_up_population(household_items()).shares
    lines = [f"{k},{code},{p}" for k, v in shares.items() for code, p in enumerate(v, 1) if (k, code) != ("area", 2)]
    path.write_text("key,code,share\n" + "\n".join(lines))
    options = Options(reference=str(path), randomised=0)
    made = doxa.run(study, weighing(1.0), options=options, null_seed=None, progress=False)[study.name].findings
    assert any(note.startswith("1 questions") for note in made.notes)
    assert made.estimate("KL to the reference, adjusted").n == 20
    assert made["closer to the reference than to uniform"] == approx(20 / 21)


def test_person_records_are_recoded(tmp_path):
    table = pl.DataFrame(
        {
            "AGEP": [4, 5, 30, 31, 64, 65, 99],
            "HISP": [1, 2, 24, 1, 1, 1, 1],
            "MIL": [None, None, 4, 1, 2, 3, 4],
            "FER": [None, None, 1, 2, None, None, None],
            "PWGTP": [1, 1, 1, 1, 1, 1, 4],
            "ST": [1, 1, 1, 2, 2, 2, 2],
        }
    )
    table.write_csv(tmp_path / "pums.csv")
    made = population(tmp_path / "pums.csv", asked())
    assert made.shares["AGER"] == approx((0.1, 0.1, 0.1, 0.1, 0, 0.1, 0.5))
    assert made.shares["HISPR"] == approx((0.2, 0.8)) and made.shares["MIL"] == approx((5 / 8, 1 / 8, 1 / 8, 1 / 8))
    assert made.shares["FER"] == approx((0.1, 0.9)) and made.subgroups["1"]["AGER"][0] == approx(1 / 3)
    drawn = made.records(2000, 0, ["AGER", "MIL"])
    assert (drawn[:, 0] == 7).mean() == approx(0.5, abs=0.05)  # standard error .011
    assert set(made.records(50, 0, ["AGER"], part="1")[:, 0]) <= {1, 2, 3}
    assert set(made.records(50, 0, ["AGER"], part="1", rest=True)[:, 0]) <= {4, 6, 7}
    with pytest.raises(ValueError, match="no records of ENG"):
        made.records(1, 0, ["ENG"])


def test_recodes_of_every_binned_column():
    raw = {
        "RAC1P": ([1, 2, 3, 5, 6, 7, 8, 9], [1, 2, 3, 3, 4, 5, 5, 6]),
        "SCHL": ([1, 2, 15, 16, 17, 18, 21, 22, 24], [1, 2, 2, 3, 3, 4, 4, 5, 5]),
        "WKWN": ([13, 14, 26, 39, 47, 48, 52], [1, 2, 2, 3, 4, 5, 5]),
        "WKHP": ([9, 10, 19, 34, 44, 59, 98, 99], [1, 2, 2, 3, 4, 5, 6, None]),
        "PINCP": ([-5, 0, 1, 12490, 52000, 120000, 120001], [1, 1, 2, 2, 3, 4, 5]),
    }
    names = {"RAC1P": "RAC1PR", "SCHL": "SCHLR", "WKWN": "WKWN", "WKHP": "WKHPR", "PINCP": "PINCPR"}
    for column, (values, codes) in raw.items():
        found = recoded(pl.DataFrame({column: values}))[names[column]]
        assert [None if np.isnan(v) else int(v) for v in found] == codes, column


def test_records_with_a_wrong_code_or_none_at_all(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("MIL\n7\n")
    with pytest.raises(DoxaError, match=r"row 1: MIL is 7; its codes are 4, 3, 1, 2"):
        population(path, asked())
    path.write_text("x\n7\n")
    with pytest.raises(DoxaError, match="none of the questions"):
        population(path, asked())


# --- telling rows apart ----------------------------------------------------------------------------------------------


def test_dependent_answers_are_told_from_independent_ones_of_the_same_shares():
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(3)
    tables = {f"q{i}": rng.dirichlet(np.ones(c), size=4) for i, c in enumerate(SIZES)}
    people = LatentClasses((0.25,) * 4, tables)
    shares = people.shares()
    columns = [rng.choice(len(p), size=1000, p=np.array(p) / sum(p)) + 1 for p in shares.values()]
    apart = told_apart(np.stack(columns, axis=1), lambda seed: people.records(1000, 100 + seed), seeds=3)
    assert apart.interval().value > 0.65 and apart.majority == 0.5
    accuracies = []
    for seed in range(10):  # rows redrawn: a split has a standard error of 2.5 points, the mean of ten .8
        fresh = told_apart(people.records(1000, seed), lambda _, s=seed: people.records(1000, 500 + s), seeds=1)
        accuracies += fresh.accuracies
    assert np.mean(accuracies) == approx(0.5, abs=0.03)


def test_too_few_rows_are_not_told_apart():
    pytest.importorskip("sklearn")
    few = told_apart(np.ones((10, 2), dtype=int), lambda seed: np.ones((10, 2), dtype=int))
    assert few.accuracies == () and np.isnan(few.interval().value)
