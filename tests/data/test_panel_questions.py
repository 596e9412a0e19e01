"""Questions of a panel: dated placeholders, frequencies, files of questions and what is wrong with them."""

import json
from datetime import date

import pytest

from doxa.data.panel_questions import Bank, Template, asked, events, load
from doxa.records import DoxaError

FIRST = date(2026, 9, 1)
TOML = """
[placeholders]
state = ["Arden", "Borva"]
[placeholders.head]
2026-09-01 = ["Solberg"]
2026-09-10 = ["Brenn", "Quill"]
[events]
2026-09-10 = "withdrawal"
[[questions]]
id = "leads"
text = "Does {head} lead in {state}?"
type = "exogenous"
topic = "predictions"
[[questions]]
id = "sum"
text = "What is 3 + 4?"
type = "baseline"
topic = "sums"
reply = "number"
answer = "7"
every = 3
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "questions.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def test_placeholders_hold_from_their_day_on(path):
    bank = load(path)
    assert [i.text for i in bank.due(FIRST, FIRST)][:2] == [
        "Does Solberg lead in Arden?",
        "Does Solberg lead in Borva?",
    ]
    later = bank.due(date(2026, 9, 10), FIRST)
    assert len([i for i in later if i.group == "leads"]) == 4 and not any("Solberg" in i.text for i in later)
    before = bank.due(date(2026, 8, 31), date(2026, 8, 29))
    assert not any(i.group == "leads" for i in before)  # nobody stands yet


def test_what_is_filled_in_is_part_of_the_name_and_the_template_the_group(path):
    item = load(path).due(FIRST, FIRST)[1]
    assert item.id == "leads/solberg/borva@2026-09-01" and item.group == "leads"
    assert item.fields["question"] == "leads/solberg/borva"


def test_frequencies_count_from_the_first_day(path):
    sums = [i.fields["date"] for i in asked(load(path), FIRST, 8, FIRST, ["sums"])]
    assert sums == ["2026-09-01", "2026-09-04", "2026-09-07"]
    assert asked(load(path), date(2026, 9, 2), 1, FIRST, ["sums"]) == []


def test_json_says_the_same(path, tmp_path):
    import tomllib

    other = tmp_path / "questions.json"
    other.write_text(json.dumps(tomllib.loads(TOML), default=str), encoding="utf-8")
    assert load(other) == load(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("questions = 3\n[", "neither TOML nor JSON"),
        ("[events]", "has no \\[\\[questions\\]\\]"),
        (TOML + "[more]\n", "has 'more'"),
        (TOML.replace('topic = "sums"', ""), "question 2 has no topic"),
        (TOML.replace('id = "sum"', 'id = "leads"'), "two questions are called 'leads'"),
        (TOML.replace("{state}", "{town}"), "placeholder 'town'"),
        (TOML.replace('"baseline"', '"basic"'), "type is 'basic'"),
        (TOML.replace("every = 3", "every = 0"), "every is 0"),
        (TOML.replace("every = 3", "often = 3"), "field 'often'"),
        (TOML.replace('reply = "number"', 'reply = "shares"'), "needs 2 options"),
        (TOML.replace('2026-09-10 = "with', 'soon = "with'), "'soon' is no day"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path, text, says):
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DoxaError, match=rf"broken\.toml: .*{says}"):
        load(path)


def test_no_file(tmp_path):
    with pytest.raises(DoxaError, match="no such file of questions"):
        load(tmp_path / "none.toml")


def test_events(path):
    assert events("2026-09-08=debate; 2026-09-01 = start") == {FIRST: "start", date(2026, 9, 8): "debate"}
    assert events(str(path)) == {date(2026, 9, 10): "withdrawal"}
    with pytest.raises(DoxaError, match="is not DAY=NAME"):
        events("debate")


def test_a_template_of_its_own():
    bank = Bank((Template("q", "Who?", "exogenous", "t", every=2),))
    assert bank.due(FIRST, FIRST) and not bank.due(date(2026, 9, 2), FIRST)
