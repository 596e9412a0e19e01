"""KalshiBench: what is asked, how replies are read, and which questions of a set are kept."""

from dataclasses import replace

import numpy as np
import pytest

import doxa
from doxa.data.forecasts import closing_after, questions
from doxa.data.known_chances import events
from doxa.elicit.structured import Tags
from doxa.models.base import Model
from doxa.records import Answer, DoxaError, Item, Reply
from doxa.studies.kalshibench import Options, collect, items, score, study
from doxa.study import Ask

QUICK = Options(resamples=100)
PAPER = replace(QUICK, prompt="paper")


def test_bank_questions_have_the_published_base_rate():
    asked = items(Options(questions=50))
    assert len(asked) == 50 and [i.answer for i in asked].count("yes") == 20
    assert all(i.text.startswith("Is it true that ") and i.fields["category"] for i in asked)
    assert len({i.id for i in asked}) == 50 and asked == items(Options(questions=50))


def test_prompts_and_parsers():
    item = study.example()[0]
    assert "<probability>" in Tags("probability").prompt(item).show()
    for options, text, read in (
        (PAPER, "So the answer is no.", ("unparsed", None)),
        (replace(PAPER, fallback="words"), "So the answer is no. <confidence>20</confidence>", ("ok", "no")),
        (replace(PAPER, variant="published"), "I know not. yes", ("ok", "no")),
    ):
        rows = doxa.run(study, Says(text), items=[item], options=options)["kalshibench"].rows()
        assert (rows["outcome"][0], rows["answer"][0]) == read, options
        assert score(rows, options)["tokens per prediction"] == 10


class Says(Model):
    """Gives one reply to everything."""

    capabilities = frozenset({"generate"})
    stored = False

    def __init__(self, reply):
        self.reply = reply

    async def generate(self, prompt, sampling, context=None):
        return [Reply(self.reply, input_tokens=7, output_tokens=3)]


async def test_a_row_keeps_what_was_said():
    reply = Tags().write(Answer("ok", "no", 0.05, note="rare"))
    asked = replace(events(1)[0], answer="No", fields={"question_id": "KX", "category": "Sports", "market": 0.3})
    (row,) = [row async for row in collect(asked, Ask(Says(reply), asked), PAPER)]
    assert (row.answer, row.number, row.scored, row.truth) == ("no", 0.05, 0.95, "no")
    assert (row.question_id, row.category, row.market, row.tokens) == ("KX", "Sports", 0.3, 10)


def test_a_set_is_filtered_by_date_thinned_by_series_and_sampled(tmp_path):
    lines = ["id,question,description,category,close_time,ground_truth,series_ticker,market_probability"]
    for i in range(12):
        closes = "2025-09-30T23:59:00Z" if i % 4 == 0 else f"2025-10-{i + 1:02d}T00:00:00Z"
        lines.append(f"KX{i // 4},Event {i}?,Text,Sports,{closes},{'yes' if i % 3 else 'no'},KX{i // 4},")
    path = tmp_path / "set.csv"
    path.write_text("\n".join(lines))
    every = questions(path, per_series=99, n=None)
    assert len(every) == 12 and every[0].id == "KX0#0" and every[0].group == "KX0" and every[0].answer == "no"
    # The first two of each series of four, then without the one that closes too early.
    kept = questions(path, cutoff="2025-10-01", per_series=2, n=None)
    assert [i.id for i in kept] == ["KX0#1", "KX1#5", "KX2#9"]
    order = np.random.RandomState(42).choice(12, 5, replace=False)
    assert [i.id for i in questions(path, per_series=99, n=5)] == [every[i].id for i in order]
    asked = items(Options(set=str(path), cutoff="2025-10-01"))
    assert len(asked) == 3 and "Description:\nText" in Tags().prompt(asked[0]).show()
    with pytest.raises(DoxaError, match="none of 12 questions closes at or after 2026"):
        questions(path, cutoff="2026-01-01", n=None)
    with pytest.raises(DoxaError, match="cutoff is 'soon'; it is an ISO date"):
        questions(path, cutoff="soon")


def test_dates_are_compared_as_dates():
    item = Item("a", "?", fields={"close_time": "2025-10-01T01:00:00+02:00"})  # 23:00 the day before, by UTC
    assert closing_after([item], "2025-10-01") == [] and closing_after([item], "2025-09-30") == [item]
    with pytest.raises(DoxaError, match="close_time of 'b' is None"):
        closing_after([Item("b", "?")], "2025-10-01")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("id,question,outcome\na,Q?,maybe", "the outcome is 'maybe'"),
        ("id,question\na,Q?", "no question has an outcome"),
    ],
)
def test_a_set_without_usable_outcomes_is_refused(tmp_path, cells, message):
    path = tmp_path / "set.csv"
    path.write_text(cells)
    with pytest.raises(DoxaError, match=message):
        questions(path)
