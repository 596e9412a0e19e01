"""The audit's own parts recover what is planted in simulated respondents, and find nothing where nothing is."""

import hashlib

import numpy as np
import polars as pl
import pytest

import doxa
from doxa.audit import abstention, audit, battery, beliefs, chosen_parts, coherence, consistency, knowing
from doxa.models import load
from doxa.models.simulated import Respondent
from doxa.records import DoxaError, Reply
from doxa.study import frame


class CannotScore(Respondent):
    """A calibrated respondent without log-probabilities."""

    capabilities = frozenset({"generate"})


def many_minds(item, context, prompt):
    """Another belief for every wording: P(true) from a hash of the statement as shown."""
    p = hashlib.sha256(prompt.item.text.encode()).digest()[0] / 255
    return {"true": p, "false": 1 - p}


def run(part, address, **options):
    return doxa.run(part.study, address, options=part.Options(**options), seed=1)[part.study.name].findings


def test_knowledge_is_that_of_the_respondent():
    found = run(beliefs, "simulated:skilled?right=0.7", questions=100)
    # standard error at n = 100: .046
    assert found["accuracy, open questions"] == pytest.approx(0.7, abs=0.18)
    # The null keeps an answer's chance of being right by being a common one of its relation: 0.7 times the share of
    # items of the relation with the same answer. Standard error at most .04.
    truths = [(i.fields["relation"], i.answer) for i in beliefs.items(beliefs.Options(questions=100))]
    relations = [relation for relation, _ in truths]
    chance = np.mean([truths.count(pair) / relations.count(pair[0]) for pair in truths])
    assert found.estimate("accuracy, open questions").null == pytest.approx(0.7 * chance, abs=0.16)
    assert found.estimate("accuracy, open questions").null < found.estimate("accuracy, open questions").low


def test_overconfidence_shows_and_calibration_does_not():
    calibrated = run(beliefs, "simulated:calibrated", questions=100)
    over = run(beliefs, "simulated:inflated", questions=100)
    gap = "confidence minus accuracy, words, open"
    # standard error of a mean of 100 differences of sd about .35: .035
    assert abs(calibrated[gap]) < 0.14 < over[gap]
    assert over["ECE, words, open"] > calibrated["ECE, words, open"]
    # shuffled truth: about 25 of 100 right by chance, standard error .065
    assert calibrated.estimate("AUROC, words, choice").null == pytest.approx(0.5, abs=0.26)


def test_readings_of_one_belief_agree_and_shuffled_ones_do_not():
    found = run(beliefs, "simulated:calibrated", questions=60)
    agreement = found.estimate("Spearman, P(True) and words, open")
    assert agreement.value > 0.95
    assert abs(agreement.null) < 0.52  # 4 standard errors of a null correlation at n = 60


def test_beliefs_that_differ_by_rounding_alone_are_tied():
    # Every option favoured is believed with .625; the sums of their softmax differ in the last bit with its place.
    found = run(beliefs, "simulated:calibrated?ability=0.5&sharpness=0", questions=60)
    for reading in ("option log-probabilities", "P(True)", "words"):
        assert found[f"AUROC, {reading}, choice"] == 0.5


def test_a_model_that_cannot_score_is_told_so():
    found = run(beliefs, CannotScore(), questions=30)
    estimate = found.estimate("ECE, option log-probabilities, choice")
    assert np.isnan(estimate.value) and estimate.note == "not readable: needs score"
    assert not np.isnan(found["ECE, words, choice"])
    # P(True) needs scores too
    assert found.estimate("ECE, P(True), open").note == "not readable: needs score"


def test_admission_rates_are_recovered():
    found = run(abstention, "simulated:admits?rate=0.6&answerable=0.1", questions=150)
    # standard errors at n = 150: .040 and .024
    assert found["admits not knowing, unknowable, open"] == pytest.approx(0.6, abs=0.16)
    assert found["admits not knowing, answerable, open"] == pytest.approx(0.1, abs=0.1)
    assert found["selective score, open"] == pytest.approx(0.5, abs=0.19)
    assert abs(found.estimate("selective score, open").null) < 0.24


class Declines(Respondent):
    """Answers every question with one and the same sentence, the ones with options too."""

    async def generate(self, prompt, sampling, context=None):
        return [Reply(self.address)] * sampling.n


def test_an_admission_in_words_counts_beside_the_option_and_a_refusal_does_not():
    admits = run(abstention, Declines(address="I do not know."), questions=6)
    refuses = run(abstention, Declines(address="I cannot help with that."), questions=6)
    for kind in abstention.KINDS:
        assert admits[f"admits not knowing, unknowable, {kind}"] == 1
        refused = refuses.estimate(f"admits not knowing, unknowable, {kind}")
        assert refused.value == 0 and refused.outcomes == {"refused": 6}


@pytest.mark.parametrize("rate", [0, 1])
def test_whoever_admits_always_or_never_has_no_selective_score(rate):
    found = run(abstention, f"simulated:admits?rate={rate}&answerable={rate}", questions=40)
    assert found["selective score, open"] == 0


def test_one_mind_and_many():
    one = run(consistency, "simulated:calibrated?unit=group", facts=40)
    many = run(consistency, Respondent(decide=many_minds), facts=40)
    name = "distance from P(p) + P(not p) = 1"
    assert one[name] == pytest.approx(0, abs=1e-9)
    assert many[name] > 0.1
    assert one["same verdict on p and not p"] == 0 < many["same verdict on p and not p"]


def test_coherence_of_a_coherent_table_and_its_null():
    rows = []
    rng = np.random.default_rng(0)
    for pair in range(40):
        q = rng.dirichlet([1, 1, 1, 1])
        values = (q[0] + q[1], q[0] + q[2], q[2] + q[3], q[1] + q[3], q[0], q[:3].sum())
        rows += [
            coherence.Row(item=f"{pair}#{role}", group=str(pair), way="words", role=role, truth="true", belief=float(v))
            for role, v in zip(coherence.ROLES, values, strict=True)
        ]
    table = frame(rows, coherence.Row)
    found = coherence.study.findings(table, coherence.Options())
    assert found["incoherence, words"] == pytest.approx(0, abs=1e-6)
    assert found.estimate("incoherence, words").null > 0.05
    broken = {row[1]: row[2] for row in found.table("Rules of probability").rows}
    assert set(broken.values()) == {0}


def test_the_null_shuffles_truth_within_a_kind():
    rows = doxa.run(beliefs.study, "simulated:oracle", options=beliefs.Options(questions=40))["beliefs"].rows()
    moved = knowing.shuffled(rows, 0)
    assert moved.height == rows.height
    for kind in knowing.KINDS:
        of_kind = pl.col("kind") == kind
        assert sorted(map(tuple, moved.filter(of_kind)["truth"])) == sorted(map(tuple, rows.filter(of_kind)["truth"]))


def test_audit_makes_a_profile(tmp_path):
    done = audit("simulated:oracle?unit=group", limit=12, out=tmp_path / "run", validated=False)
    assert done.profile["right, open questions"] == 1
    assert doxa.open_run(tmp_path / "run").profile["right, open questions"] == 1


def test_audit_of_one_part_and_of_an_unknown_one():
    done = audit("simulated:oracle", parts=["coherence"], limit=6)
    assert [p.study for p in done.parts] == ["coherence"]
    with pytest.raises(DoxaError, match="no part 'cohesion'; its parts are beliefs, abstention"):
        audit("simulated:oracle", parts=["cohesion"])


def test_what_a_part_needs_and_what_is_added_on_request():
    shows_no_states = load("simulated:oracle")
    assert "know-what-they-know" in battery() and "know-what-they-know" not in battery(shows_no_states)
    with pytest.raises(DoxaError, match="know-what-they-know needs hidden states, which simulated:oracle does not"):
        chosen_parts(shows_no_states, ["know-what-they-know"])
    assert list(chosen_parts(shows_no_states, also=["calibration-gap"]))[-1] == "calibration-gap"
    assert list(chosen_parts(shows_no_states, ["kable"], ["calibration-gap"])) == ["kable", "calibration-gap"]
    assert "calibration-gap" not in chosen_parts(shows_no_states)


def test_one_table_of_every_confidence_the_audit_read():
    parts = ["beliefs", "relative-confidence", "know-what-they-know"]
    done = audit("organism:atlas", parts=parts, limit=40, validated=False)
    table = done.profile.table("Which confidence to use")
    by = {(row[0], row[1]): dict(zip(table.columns, row, strict=True)) for row in table.rows}
    assert by["open questions", "words"]["calls"] == "1 answer"
    preferred = next(line for (_, reading), line in by.items() if reading.startswith("preferences"))
    assert preferred["calls"] == "1 answer, 16 comparisons" and preferred["accuracy"] > 0.4
    foreseen = next(line for (_, reading), line in by.items() if reading.startswith("P(IK)"))
    assert foreseen["AUROC low"] < foreseen["AUROC"] < foreseen["AUROC high"] and foreseen["share read"] == 1
    assert by["open questions", "words"]["ECE"] == done["beliefs"].findings["ECE, words, open"]


class Babbler(Respondent):
    """A model whose replies no form can read, though it can score."""

    async def generate(self, prompt, sampling, context=None):
        return [Reply("blah " * 40, finish="length")] * sampling.n


def test_nonsense_is_not_readable_and_not_a_zero():
    found = run(beliefs, Babbler(), questions=20)
    accuracy = found.estimate("accuracy, open questions")
    assert np.isnan(accuracy.value) and accuracy.bounds == (0, 1) and accuracy.outcomes == {"truncated": 20}
    for reading in ("samples", "P(True)", "words"):  # it has the abilities: what lacks is a reply that can be read
        assert found.estimate(f"ECE, {reading}, open").note == "only 0 of 20 were read"
    assert np.isnan(run(abstention, Babbler(), questions=10)["admits not knowing, unknowable, open"])
