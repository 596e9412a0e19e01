"""Findings as JSON: strict, with documented keys, undefined numbers as null."""

import json

from doxa.records import Chart, Claim, Estimate, Findings, Table
from doxa.report import findings_dict, findings_json

NAN = float("nan")


def test_keys(made_run):
    found = json.loads(json.dumps(findings_json(made_run), allow_nan=False))
    assert set(found) == {"format", "run", "profile", "validation", "parts"} and found["format"] == 1
    assert found["run"] == {
        "doxa": "0.1.0", "status": "done",
        "started": "2026-03-02T09:15:04+00:00", "finished": "2026-03-02T09:17:31+00:00",
        "seed": 0, "null_seed": 0, "folder": None, "fingerprint": "9f4c2be07715ad03",
    }  # fmt: skip
    assert found["profile"] is None
    [part] = found["parts"]
    assert list(part) == ["study", "model", "options", "counts", "usage", "estimates", "tables", "claims", "notes"]
    assert part["options"] == {"bins": 10, "form": "verbal"} and part["usage"]["calls"] == 10
    first = next(e for e in part["estimates"] if e["name"] == "auroc of the stated confidence")
    assert (first["value"], first["low"], first["high"], first["null"], first["bounds"]) == (
        0.537,
        0.469,
        0.604,
        0.5,
        None,
    )
    assert set(part["claims"][0]) == {"name", "published", "setting", "measured", "estimate"}


def test_undefined_numbers_are_null(make):
    found = Findings(
        (Estimate("a", NAN, float("-inf"), float("inf"), bounds=(NAN, 1.0)),),
        (Table("t", ("x",), ((NAN,), (None,), (True,))),),
        (Chart("c", {"data": {"values": [{"y": NAN}]}}),),
        (Claim("a", 0.5, "there"),),
    )
    [part] = findings_json(make.run([make.part("made", "m", [], found)]), charts=True)["parts"]
    estimate = part["estimates"][0]
    assert (estimate["value"], estimate["low"], estimate["high"], estimate["bounds"]) == (None, None, None, [None, 1.0])
    assert part["tables"][0]["rows"] == [[None], [None], [True]]
    assert part["charts"][0]["spec"] == {"data": {"values": [{"y": None}]}}
    assert part["claims"][0]["measured"] is None
    json.dumps(part, allow_nan=False)
    kinds = ("estimates", "tables", "claims", "notes", "charts")
    assert findings_dict(found, charts=True) == {kind: part[kind] for kind in kinds}
