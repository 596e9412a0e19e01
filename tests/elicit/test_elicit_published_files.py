"""The parsers against published material, where it is at hand."""

import gzip
import json
from pathlib import Path

import pytest

from doxa.elicit.answers import Conclusion, Tags
from doxa.records import Item

DATA = Path(__file__).parents[3] / "shared" / "data"
FORECASTS = sorted((DATA / "kalshibench").glob("*_2025*.json"))
BELIEFS = sorted((DATA / "kable").glob("*.jsonl.gz"))


@pytest.mark.skipif(not FORECASTS, reason="the published forecasts are not beside the repository")
@pytest.mark.parametrize("path", FORECASTS, ids=lambda p: p.name.split("_2025")[0])
def test_published_forecasts_are_read_as_they_were(path):
    form, agreed = Tags(as_published=True, fallback="substrings"), 0
    rows = json.loads(path.read_text())["predictions"]
    for row in rows:
        found = form.read(row["raw_output"] or "")
        assert found.value == row["predicted_answer"]
        if Tags().read(row["raw_output"] or "").outcome == "ok":  # both tags are there
            scored = found.confidence if found.value == "yes" else 1 - found.confidence
            assert scored == pytest.approx(row["predicted_probability"], abs=1e-9)
            agreed += 1
    assert agreed == (287 if "kimi" in path.name else 300)


@pytest.mark.skipif(not BELIEFS, reason="the published prompts are not beside the repository")
@pytest.mark.parametrize("path", BELIEFS, ids=lambda p: p.name.split(".")[0])
def test_published_prompts_are_built_to_the_letter(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        queries = [json.loads(line)["query"] for line in lines]
    instruction = queries[0].split("\n\nQuestion: ")[0]
    form = Conclusion(instruction=instruction, options=("Yes", "No", "Undeterminable"))
    for i, query in enumerate(queries):
        text = query.removeprefix(f"{instruction}\n\nQuestion: ").split("\nOptions:")[0]
        assert form.prompt(Item(str(i), text)).messages[0].content == query
