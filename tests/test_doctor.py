"""doctor: what works here is found by trying it, and what does not comes with the way out."""

from doxa import doctor
from doxa.models import load
from doxa.organisms import shelf
from doxa.records import DoxaError


def test_the_installation_that_runs_the_tests_is_well():
    checked = {c.what: c for c in doctor.installation()}
    assert checked["Python"].well and checked["extra [local]"].well and checked["organism:atlas"].well
    assert checked["cache folder"].well and "cpu" in checked["devices"].found


def test_what_is_missing_is_named_with_the_way_out(monkeypatch):
    monkeypatch.setitem(doctor.EXTRAS, "made-up", ("no_such_package",))
    found = doctor.as_findings(doctor.installation())
    rows = {row[0]: row for row in found.tables[0].rows}
    assert rows["extra [made-up]"][1:] == ("without no_such_package", False)
    assert any("pip install 'doxa[made-up]'" in note for note in found.notes)


def test_a_stale_organism_is_reported_and_stops_nothing(monkeypatch):
    def stale(name):
        raise DoxaError(f"organism:{name} is stale: prompt formats changed")

    monkeypatch.setattr(shelf, "check", stale)
    found = doctor.as_findings(doctor.installation())
    assert ("organism:atlas", "stale or damaged", False) in found.tables[0].rows
    assert any("prompt formats changed" in note for note in found.notes)


def test_a_cache_folder_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(doctor, "cache_folder", lambda: tmp_path / "file")
    (cache,) = [c for c in doctor.installation() if c.what == "cache folder"]
    assert not cache.well and "XDG_CACHE_HOME" in cache.way_out


def test_what_a_model_can_do():
    (who,) = doctor.model_findings(load("simulated:calibrated")).tables
    assert ("can", "generate, logprobs, score") in who.rows


def test_a_local_model_shows_how_far_batches_change_its_values():
    _, company = doctor.model_findings(load("organism:atlas")).tables
    assert {row[0] for row in company.rows} == {"score", "generate", "hidden_states"}
    assert all(0 <= row[1] <= 1e-4 and row[2] > 0 for row in company.rows)  # what is promised of float32
    assert "float32 on cpu" in company.name
