"""What every study has to keep, checked on its own example; a new file in studies/ is picked up by itself."""

import dataclasses
import json

import polars as pl
import pytest

import doxa
from doxa import studies
from doxa.audit import battery
from doxa.catalogue import catalogue
from doxa.records import Findings, Reading
from doxa.report import findings_json
from doxa.study import flags, frame, schema

RESERVED = {
    *("limit", "seed", "out", "model", "store", "json", "null", "items", "fresh", "plan", "device", "dtype"),
    *("base_url", "price", "concurrency", "columns", "debug", "trust_remote_code"),
}
EVERY = {name: studies.load(name) for name in studies.names()} | {name: s for name, (s, _) in battery().items()}
ANSWERER = "simulated:calibrated"


@pytest.fixture(scope="module")
def runs():
    """Each study once on its example; made when first asked for."""
    made = {}

    def run(name):
        if name not in made:
            made[name] = doxa.run(EVERY[name], ANSWERER, items=EVERY[name].example(), seed=3)
        return made[name]

    return run


each_study = pytest.mark.parametrize("name", EVERY)


@each_study
def test_example_is_asked_and_scored(name, runs):
    part = runs(name)[name]
    assert part.counts["failed"] == 0
    assert part.rows().height >= len(EVERY[name].example())
    assert isinstance(part.findings, Findings) and part.findings.estimates
    json.dumps(findings_json(runs(name)), allow_nan=False)


@each_study
def test_same_seed_gives_the_same_rows(name, runs):
    again = doxa.run(EVERY[name], ANSWERER, items=EVERY[name].example(), seed=3, null_seed=None)
    assert again[name].rows().equals(runs(name)[name].rows())


@each_study
def test_the_order_of_rows_does_not_matter(name, runs):
    study, part = EVERY[name], runs(name)[name]
    shuffled = part.rows().sample(fraction=1, shuffle=True, seed=1)
    values = [{e.name: e.value for e in f.estimates} for f in (part.findings, study.score(shuffled, study.options()))]
    assert values[1] == pytest.approx(values[0], nan_ok=True)


@each_study
def test_stored_rows_score_like_fresh_ones(name, runs, tmp_path):
    study, fresh = EVERY[name], runs(name)[name].findings
    runs(name)[name].rows().write_parquet(tmp_path / "rows.parquet")
    stored = frame(pl.read_parquet(tmp_path / "rows.parquet").to_dicts(), study.row)
    again = study.score(stored, study.options())
    assert [e.value for e in again.estimates] == pytest.approx([e.value for e in fresh.estimates], nan_ok=True)


@each_study
def test_no_rows_give_no_number(name):
    study = EVERY[name]
    found = study.score(frame([], study.row), study.options())
    assert all(e.value != e.value or e.n == 0 for e in found.estimates)


@each_study
def test_the_null_keeps_every_row(name, runs):
    study, rows = EVERY[name], runs(name)[name].rows()
    shuffled = study.shuffled(rows, 1)
    assert shuffled.height == rows.height and shuffled.columns == rows.columns
    study.score(shuffled, study.options())


@each_study
def test_declares_itself(name):
    study = EVERY[name]
    assert study.name == name
    assert study.question.endswith("?") and study.doc
    assert issubclass(study.row, Reading) and schema(study.row)
    assert study.options.__dataclass_params__.frozen and dataclasses.is_dataclass(study.options())
    for flag in flags(study.options):
        assert flag.help and flag.name not in RESERVED
    for item in study.example():
        assert item.id


@pytest.mark.parametrize("name", studies.names())
def test_published_figures_have_a_setting_and_a_source(name):
    study = EVERY[name]
    assert study.published and study.source.arxiv and study.source.year
    assert "Differs from the paper" in study.doc
    for figure in study.published:
        assert figure.setting and figure.estimate


def test_the_catalogue_is_json():
    entries = catalogue([studies.load(n) for n in studies.names()])
    assert json.loads(json.dumps(entries)) == entries
