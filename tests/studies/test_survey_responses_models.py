"""Survey responses of several models: against sizes, from runs, tables and published files; subgroups with gaps."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from pytest import approx

import doxa
from doxa.cli import cli
from doxa.metrics import response_figures as figures
from doxa.metrics import response_tables as tables
from doxa.records import DoxaError
from doxa.runs.recorded import score_files
from doxa.studies.survey_responses import LIKE, Options, across, read_file, small, study
from doxa.study import Recorded

QUIET = Options(randomised=0)
WEIGHTS = {"tiny": 0.0, "small": 0.3, "large": 0.6, "huge": 1.0}
SIZES = "tiny=1M,small=30M,large=1B,huge=70B"
ADJUSTED, CLOSER = "normalised entropy, adjusted", "closer to the reference than to uniform"


def rows_of(weight, name):
    model = replace(LIKE.weighing(weight), address=name)
    part = doxa.run(study, model, options=QUIET, items=small(QUIET), null_seed=None, progress=False)[study.name]
    return part.rows()


@pytest.fixture(scope="module")
def answered():
    return [Recorded("rows", rows_of(weight, name)) for name, weight in WEIGHTS.items()]


def test_the_larger_the_nearer_to_people(answered):
    made = across(answered, replace(QUIET, sizes=SIZES))
    assert made[f"rank correlation of size and {ADJUSTED}"] == approx(-1)
    assert made[f"rank correlation of size and {CLOSER}"] > 0.7
    assert made[f"{CLOSER}, huge"] == 1 and made[f"{CLOSER}, tiny"] == 0
    assert made[f"{ADJUSTED}, tiny"] == approx(1)
    models = made.table("Models")
    assert [row[:2] for row in models.rows] == [("tiny", 1e6), ("small", 30e6), ("large", 1e9), ("huge", 70e9)]
    claim = made.claims[0]
    assert claim.name == f"{CLOSER}, largest: huge" and (claim.published, claim.measured) == (0.24, 1)
    assert [chart.name for chart in made.charts][:2] == ["Normalised entropy against size", "A-bias against size"]
    drawn = made.charts[0].spec
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["type"] == "log"
    points = drawn["layer"][1]["data"]["values"]
    assert {(row["label"], row["size"]) for row in points} == {(row[0], row[1]) for row in models.rows}
    assert drawn["layer"][2]["data"]["values"][0]["label"] == "reference"
    assert any(chart.name == "A-bias, by model" for chart in made.charts) and made.notes == ()


def test_models_that_are_alike_show_no_relation_to_size(answered):
    alike = [Recorded("rows", answered[1].rows.with_columns(who=r.rows["who"])) for r in answered]
    made = across(alike, replace(QUIET, sizes=SIZES))
    assert math.isnan(made[f"rank correlation of size and {ADJUSTED}"])


def test_sizes_that_are_not_known_are_said(answered):
    made = across(answered, replace(QUIET, sizes="small=30M,larg=1B"))
    assert made.notes == (
        "The number of parameters is not known of tiny, large, huge: give --sizes, by these names.",
        "--sizes names larg, none of the models small, tiny, large, huge.",
    )
    assert f"rank correlation of size and {ADJUSTED}" not in made
    assert made.table("Models").rows[0][:2] == ("small", 30e6) and made.table("Models").rows[1][1] is None


def test_two_files_of_one_name_are_told_apart(answered):
    made = across([answered[0], replace(answered[0], label="again"), answered[0]], QUIET)
    assert {row[0] for row in made.table("Models").rows} == {"tiny (rows)", "tiny (again)", "tiny (rows) 2"}


def test_a_table_may_hold_several_models_and_their_sizes(tmp_path):
    path = tmp_path / "models.jsonl"
    rows = [
        {"model": name, "size": size, "key": "pet", "order": order, "p": [p if o == 0 else 1 - p for o in order]}
        for name, size, p in (("a", 1e6, 0.9), ("b", 1e9, 0.5))
        for order in ([0, 1], [1, 0])
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    [(label, made)] = score_files(study, [path], Options(set="bank"))
    assert label == "models" and made[f"{ADJUSTED}, a"] == approx(0.468996, abs=1e-6)
    assert [row[:2] for row in made.table("Models").rows] == [("a", 1e6), ("b", 1e9)]
    assert made["normalised entropy, naive, b"] == 1  # the own order is found for each
    path.write_text(json.dumps({**rows[0], "size": "many"}))
    with pytest.raises(DoxaError, match=r"models\.jsonl:1: size is 'many'; it is a number of parameters"):
        read_file(path, Options())


def test_runs_are_compared_by_their_folders_and_written_as_a_page(tmp_path):
    for name, weight in (("tiny", 0.0), ("huge", 1.0)):
        model = replace(LIKE.weighing(weight), address=name)
        doxa.run(study, model, options=QUIET, items=small(QUIET)[:3], out=tmp_path / name, progress=False)
    files = [str(tmp_path / name) for name in ("tiny", "huge")]
    wanted = ["--sizes", "tiny=1M,huge=1B", "--out", str(tmp_path / "all.html"), "--json"]
    done = CliRunner().invoke(cli, ["score", "survey-responses", *files, *wanted])
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert list(made) == ["tiny", "huge", "all files"]
    made = made["all files"]
    assert [row[:2] for row in made["tables"][0]["rows"]] == [["tiny", 1e6], ["huge", 1e9]]
    assert "Normalised entropy against size" in (tmp_path / "all.html").read_text()


def test_a_local_model_says_its_size_and_a_respondent_has_none(answered):
    from doxa.models import load
    from doxa.runs.store import Stored

    atlas = load("organism:atlas")
    assert atlas.parameters == Stored(atlas, None).parameters and 2_000_000 < atlas.parameters < 3_000_000
    assert answered[0].rows["size"].null_count() == len(answered[0].rows)


def test_published_answers_with_their_own_and_the_corrected_mapping(tmp_path):
    """The released files of somebody who prefers an option wherever it stands: gathered as released, and scattered."""
    p, lines = (0.8, 0.1, 0.1), ["c0,c1,c2,p0,p1,p2"]
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        lines.append(",".join([*(str(o + 1) for o in order), *(str(p[o]) for o in order)]))
    (tmp_path / "gpt2_reading.csv").write_text("\n".join(lines))
    (tmp_path / "gpt2_naive.csv").write_text("var,1,2,3\nreading,0.8,0.1,0.1\n")
    made = {
        v: dict(score_files(study, [tmp_path / "gpt2_naive.csv"], Options(variant=v)))["gpt2_naive"]
        for v in ("corrected", "published")
    }
    assert made["corrected"][ADJUSTED] == approx(0.582, abs=5e-4) == made["corrected"]["normalised entropy, naive"]
    assert made["published"][ADJUSTED] == approx(0.896, abs=5e-4)
    assert any("mass on labels is not known" in note for note in made["corrected"].notes)
    assert not any("asked none of these" in note for note in made["corrected"].notes)
    (tmp_path / "gpt2_naive.csv").write_text("var,1,2\nelsewhere,0.8,0.2\n")
    [(_, found)] = score_files(study, [tmp_path / "gpt2_naive.csv"], QUIET)
    assert any("asked none of these questions: give --set" in note for note in found.notes)


# --- references that say nothing of some options, subgroups that were asked other questions -------------------------


def figure(key, p):
    p = np.array(p)
    rest = dict.fromkeys(("error", "nats", "mass", "place", "label", "place_p", "label_p"), math.nan)
    return figures.Figures(key=key, c=len(p), own=p, adjusted=p, gathered=p, profile=None, orders=1, truth=None, **rest)


def test_an_option_that_nobody_was_asked_about_is_compared_with_nothing():
    of = [figure("q", [0.4, 0.4, 0.2])]
    shares = {"q": (0.9, 0.1, math.nan)}
    made = figures.divergences(of, shares)
    # KL of (.5, .5) from (.9, .1), by hand in the specification
    assert made["KL to the reference, adjusted"].value == approx(0.7370, abs=5e-5)
    assert made["KL to uniform, adjusted"].value > 0 and made[CLOSER].value == 0
    assert figures.entropy_of(shares["q"]) == approx(0.468996, abs=1e-6)
    assert figures.divergences(of, {"q": (0.5, 0.5, math.nan)})[CLOSER].value == 1


def test_subgroups_keep_their_own_questions_where_few_are_common():
    rng = np.random.default_rng(0)
    of = [figure(f"q{i}", rng.dirichlet([1, 1])) for i in range(8)]
    shares = {f"q{i}": tuple(rng.dirichlet([2, 2])) for i in range(8)}
    parts = {f"land {g}": {k: v for i, (k, v) in enumerate(shares.items()) if i % 4 != g} for g in range(4)}
    lines = figures.alignment(of, parts)
    assert not lines.common and lines.n == [6] * 4
    kept = [f for i, f in enumerate(of) if i % 4 != 1]
    assert lines.kl["adjusted"][1] == approx(np.mean([figures.kl(f.adjusted, shares[f.key]) for f in kept]))
    assert any("not all asked the same" in note for note in tables.remarks(of, shares, lines))
    most = {name: {k: v for k, v in shares.items() if k != "q0"} for name in parts} | {"all": shares}
    lines = figures.alignment(of, most)
    assert lines.common and lines.n == [7] * 5


def test_everybody_and_even_answers_stand_beside_subgroups():
    made = doxa.run(study, LIKE.weighing(0.0), options=QUIET, items=small(QUIET), null_seed=None, progress=False)
    rows = made[study.name].findings.table("By subgroup").rows
    assert [row[0] for row in rows[:2]] == ["everybody", "even answers"] and rows[1][2:] == approx((1, 0, 0))
    assert len(rows) == 10 and [row[4] for row in rows[2:]] == sorted(row[4] for row in rows[2:])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"set": "bnak"}, "there is no file bnak: a set is own, bank, a JSON file"),
        ({"reference": "nobody.csv"}, r"nobody\.csv: no table in CSV or Parquet"),
        ({"sizes": "a=1"}, "'a': '1' parameters"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_asked(options, says):
    with pytest.raises(DoxaError, match=says):
        study.items(Options(**options))


def test_a_folder_with_nothing_to_score(tmp_path):
    with pytest.raises(DoxaError, match=r"no run of survey-responses, and no MODEL_naive\.csv"):
        read_file(tmp_path, QUIET)


def test_limits_stay_where_the_quantity_can_be():
    of = [figure(f"q{i}", p) for i, p in enumerate(([0.5, 0.5], [0.52, 0.48], [0.999, 0.001]))]
    kl = figures.divergences(of, {f.key: (0.5, 0.5) for f in of})["KL to uniform, adjusted"]
    assert kl.low == 0 < kl.value < kl.high
    shown = [replace(f, profile=np.array([p, 1 - p])) for f, p in zip(of, (0.02, 0.5, 0.98), strict=True)]
    bias = figures.labels_and_places(shown)["A-bias"]
    assert -1 <= bias.low < bias.value < bias.high <= 1
