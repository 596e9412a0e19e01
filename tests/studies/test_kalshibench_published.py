"""KalshiBench: the published result files, read and scored again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from doxa.elicit.structured import Tags
from doxa.metrics.forecasts import half_open_bins, is_sure
from doxa.runs.recorded import score_files
from doxa.studies.kalshibench import Options, read_file, study

DATA = Path(__file__).parents[3] / "shared" / "data" / "kalshibench"
needs_files = pytest.mark.skipif(not DATA.is_dir(), reason="the published result files are not there")
QUICK = Options(resamples=100)
MODELS = {
    "claude_opus_4.5_20251217_023819": "Opus",
    "deepseek_v3.2_20251217_201128": "DeepSeek",
    "gpt_4o_20251217_201945": "GPT-4o",
    "gpt_5.2_xhigh_20251217_023819": "XHigh",
    "kimi_k2_20251217_205502": "Kimi",
    "qwen3_235b_thinking_20251217_023819": "Qwen",
}


@pytest.fixture(scope="module")
def published():
    """Each published file as read, and its content."""
    paths = {name: DATA / f"{stem}.json" for stem, name in MODELS.items()}
    return {name: (read_file(path, QUICK), json.loads(path.read_text())) for name, path in paths.items()}


@needs_files
@pytest.mark.parametrize(
    ("name", "ece_", "no", "literal", "as_scored", "literal_error", "sure"),
    [
        ("Opus", 0.1201, 191, 0.105, 0.039, 0.310, (170, 104, 53)),
        ("XHigh", 0.3947, 231, 0.996, 0.395, 0.145, (208, 145, 94)),
        ("Kimi", 0.2981, 211, 0.664, 0.213, 0.105, (193, 144, 90)),
        ("Qwen", 0.2966, 228, 0.474, 0.120, 0.201, (217, 172, 102)),
        ("DeepSeek", 0.2838, 204, 0.789, 0.264, 0.059, (150, 89, 34)),
        ("GPT-4o", 0.2094, 198, 0.581, 0.155, 0.066, (114, 58, 19)),
    ],
)
def test_a_published_file(published, name, ece_, no, literal, as_scored, literal_error, sure):
    recorded, content = published[name]
    found = study.score_recorded(recorded, QUICK)
    assert found["ECE, as scored"] == pytest.approx(ece_, abs=5e-5)
    assert found["literal style"] == pytest.approx(literal, abs=5e-4) and found.estimate("literal style").n == no
    assert found["two-group calibration error, as scored"] == pytest.approx(as_scored, abs=5e-4)
    assert found["two-group calibration error, literal"] == pytest.approx(literal_error, abs=5e-4)
    table = found.table("Stored and made again").rows
    assert max(abs(row[3]) for row in table) < 1e-9
    assert sum(row[0].startswith("n of") for row in table) == len(content["reliability_diagram"])
    parsed = recorded.rows.filter(pl.col("outcome") == "ok")["scored"]
    assert tuple(int(is_sure(parsed, t).sum()) for t in (0.7, 0.8, 0.9)) == sure
    for t, n in zip((70, 80, 90), sure, strict=True):
        wrong = content[f"overconfidence_rate_{t}"] * n
        assert wrong == pytest.approx(round(wrong), abs=1e-9)
    for made, stored in zip(half_open_bins(parsed), content["reliability_diagram"], strict=True):
        assert (made.label, made.n) == (stored["bin"], stored["count"])
        assert made.forecast == pytest.approx(stored["avg_confidence"], abs=1e-12)


@needs_files
def test_tags_read_as_they_are_stored(published):
    """All rows of five files; of Kimi's, 13 have no usable tag: 8 end unread and 5 become no by counting substrings."""
    form, guess = Tags(as_published=True), Tags(as_published=True, fallback="substrings")
    for name, (recorded, _) in published.items():
        untagged = []
        for row in recorded.rows.iter_rows(named=True):
            read = form.read(row["text"])
            if read.value is None:
                untagged.append(row)
                assert guess.read(row["text"]).value == row["answer"]
            else:
                assert read.value == row["answer"]
                assert read.confidence == pytest.approx(row["number"], abs=1e-12)
        answers = [row["answer"] for row in untagged]
        assert (len(answers), answers.count("no")) == ((13, 5) if name == "Kimi" else (0, 0))
    words = Tags(as_published=True, fallback="words")
    texts = [r["text"] for r in published["Kimi"][0].rows.iter_rows(named=True) if r["answer"] == "no"]
    assert sum(words.read(text).value != "no" for text in texts) == 2
    assert "(rows 59, 98, 216, 228, 273)" in published["Kimi"][0].notes[0]
    assert published["Kimi"][0].rows["outcome"].to_list().count("unparsed") == 8


@needs_files
def test_other_edges_hold_other_rows(published):
    """Values such as .3, .7 and 1 - .9 sit on an edge; a forecast of exactly 1 is in no published bin."""
    moved, ones = {}, {}
    for name, (recorded, _) in published.items():
        p = recorded.rows.filter(pl.col("outcome") == "ok")["scored"].to_numpy()
        moved[name] = int((np.searchsorted(np.linspace(0, 1, 11), p, side="right") - 1 != np.floor(10 * p)).sum())
        ones[name] = int((p == 1).sum())
        assert sum(b.n for b in half_open_bins(p)) == len(p) - ones[name]
    assert moved == {"Opus": 1, "DeepSeek": 63, "GPT-4o": 100, "XHigh": 29, "Kimi": 37, "Qwen": 16}
    assert ones == {"Opus": 0, "DeepSeek": 1, "GPT-4o": 0, "XHigh": 0, "Kimi": 0, "Qwen": 3}


@needs_files
def test_no_answers_of_the_most_literal_model(published):
    recorded, content = published["XHigh"]
    table = study.score_recorded(recorded, QUICK).table("One number, three readings")
    mean = {row[0]: row[1:] for row in table.rows}['mean P(yes) of "no" answers']
    assert mean[:2] == pytest.approx((0.826, 0.174), abs=5e-4)
    counts = content["confusion_matrix"]
    assert counts["fn"] / (counts["fn"] + counts["tn"]) == pytest.approx(78 / 231)


@needs_files
def test_the_published_ranking_follows_how_the_prompt_is_read():
    found = score_files(study, [DATA / f"{stem}.json" for stem in MODELS], QUICK)
    label, across = found[-1]
    assert label == "all files" and len(found) == 7
    assert across["Pearson, literal style and ECE"] == pytest.approx(0.893, abs=5e-4)
    assert across["Spearman, literal style and ECE"] == pytest.approx(0.714, abs=5e-4)
    estimate = across.estimate("Pearson, literal style and ECE")
    assert estimate.method == "fisher, p = 0.017" and estimate.low > 0 and estimate.n == 6
    assert across.notes == (
        "GPT-4o rests on another sample than Claude-Opus-4.5 (127 ids in common): they make no pairs",
    )
    assert len(across.table("Models").rows) == 6


@needs_files
def test_published_figures_stand_beside_the_stored_ones():
    found = dict(score_files(study, [DATA / "claude_opus_4.5_20251217_023819.json"], QUICK))["Claude-Opus-4.5"]
    own = {c.estimate: c for c in found.claims if "Opus" in c.setting}
    assert len(own) == 9
    for claim in own.values():
        assert claim.measured == pytest.approx(claim.published, abs=6e-4)


@needs_files
def test_outcomes_give_every_reading_of_a_published_file(published, tmp_path):
    """Outcomes made up so that literally read numbers are calibrated: the literal reading must then be the best one."""
    rows = published["XHigh"][0].rows
    happened = np.random.default_rng(3).random(300) < rows["number"].to_numpy()
    path = tmp_path / "outcomes.csv"
    path.write_text("outcome\n" + "\n".join(["yes" if y else "no" for y in happened]))
    options = replace(QUICK, outcomes=str(path))
    found = score_files(study, [DATA / "gpt_5.2_xhigh_20251217_023819.json"], options)[0][1]
    assert found["ECE, literal"] < 0.12 < 0.4 < found["ECE, as scored"]
    assert found["Brier skill, literal"] > 0.2 > 0 > found["Brier skill, as scored"]
