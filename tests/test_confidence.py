"""A kept correctness model asked about a run: scored beside the study's own ways, on the answers that they agree on."""

import pytest
from click.testing import CliRunner

pytest.importorskip("sklearn")
import doxa
from doxa import confidence, studies
from doxa.cli import cli
from doxa.models import load
from doxa.records import DoxaError
from doxa.studies.express_uncertainty import Options
from doxa.training.cases import Case
from doxa.training.saved import WordConfidence

MODEL = "simulated:overconfident"


@pytest.fixture(scope="module")
def run():
    options = Options(prompt="vanilla", sampling="single", resamples=20)
    return doxa.run(studies.load("express-uncertainty"), MODEL, options=options, limit=120, progress=False)


@pytest.fixture(scope="module")
def kept(run, tmp_path_factory):
    """A model that knows what is right by the words of the question: sums are, facts are not."""
    cases = [Case(f"What is {i} plus {i}?", "4") for i in range(40)]
    cases += [Case(f"Which town is {i}?", "B") for i in range(40)]
    made = WordConfidence.fit(cases, [1.0] * 40 + [0.0] * 40, template="{question}\n{answer}")
    return made.save(tmp_path_factory.mktemp("kept") / "words")


def test_it_stands_beside_the_ways_of_the_study_on_the_same_answers(run, kept):
    found = confidence.of_run(run, kept, load(MODEL), resamples=20)
    rows = {row[0]: row for row in found.table("Beside others").rows}
    assert list(rows) == ["correctness model", "vanilla"]
    assert rows["correctness model"][1:5] == rows["vanilla"][1:5]  # n and accuracy
    assert rows["vanilla"][1] == run["express-uncertainty"].findings.estimate("accuracy, vanilla").n
    assert 0 <= found["AUROC, correctness model"] <= 1
    assert found["AUROC, correctness model"] != run["express-uncertainty"].findings["AUROC, vanilla"]
    assert "as text" in found.notes[0] and "80 responses" in found.notes[0]


def test_a_study_without_graded_confidences_is_refused(kept):
    done = doxa.run(studies.load("kable"), MODEL, limit=4, progress=False, null_seed=None)
    with pytest.raises(DoxaError, match="no confidence is graded"):
        confidence.of_run(done, kept, load(MODEL))


def test_a_folder_without_one_is_named(run, tmp_path):
    with pytest.raises(DoxaError, match="no saved confidence"):
        confidence.of_run(run, tmp_path, load(MODEL))


def test_the_command_shows_it_and_keeps_a_page(kept, tmp_path):
    line = ["run", "express-uncertainty", "-m", MODEL, "--limit", "60", "--prompt", "vanilla", "--sampling", "single"]
    result = CliRunner().invoke(cli, [*line, "--confidence-from", str(kept), "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert "AUROC, correctness model" in result.output
