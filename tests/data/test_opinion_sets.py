"""Published opinion surveys from tiny files of their layouts: questions, what people said, and what cannot be used."""

import json
import sys
import types

import numpy as np
import pytest
from pytest import approx

from doxa.data.model_sizes import model_sizes
from doxa.data.opinion_sets import ATP, GAS, WVS, is_opinion_set, opinion_set
from doxa.data.survey_files import ACS, ANES, SOME, population, survey_items
from doxa.data.survey_sets import compared_with, survey_questions
from doxa.records import DoxaError

GLOBAL = """question,selections,options,source
Good or bad?,"defaultdict(<class 'list'>, {'Spain': [0.5, 0.3, 0.2], 'India (Current national sample)': [10, 0, 30]})",\
"['Good', 'Bad', ""Don't know""]",GAS
Only one?,"defaultdict(<class 'list'>, {'Spain': [1.0]})",['Yes'],GAS
How far?,"defaultdict(<class 'list'>, {'Peru': [0.25, 0.75]})","[1.0, 2.0]",WVS
Lost?,"defaultdict(<class 'list'>, {'Spain': [0.5, 0.3, 0.2], 'Peru': [1, 3]})","['a', 'b']",WVS
"""
INFO = """,key,option_mapping,question,references,option_ordinal
0,SAFE_W26,"{1.0: 'Yes, very', 2.0: 'No', 99.0: 'Refused'}",Is it safe?,"['Yes, very', 'No', 'Refused']","[1.0, 2.0]"
1,GUN_W26,"{1.0: 'One', 2.0: 'Two'}",How many?,"['One', 'Two', 'Refused']","[1.0, 2.0]"
"""


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_global_opinions_and_what_each_country_said(tmp_path):
    source = str(written(tmp_path / "global_opinions.csv", GLOBAL))
    first, far, lost = survey_questions(source, 0)
    assert first.options == ("Good", "Bad", "Don't know") and first.fields["survey"] == GAS
    # Keys are rows, as in the published answers; a scale of numbers is shown as whole ones.
    assert (far.fields["key"], far.options, far.fields["survey"]) == ("2", ("1", "2"), WVS)
    people = compared_with(source, None)
    assert people.subgroups["India"] == {"0": (0.25, 0, 0.75)} and people.subgroups["Peru"]["3"] == (0.25, 0.75)
    assert people.shares["0"] == approx((0.375, 0.15, 0.475)) and people.name == "mean of 3 countries"
    reasons = [reason for _, reason in opinion_set(source).left_out]
    assert reasons == ["1 options; labels are for 2 to 26", "Spain: 3 shares of 2 options, or none above 0"]
    assert opinion_set(source).left_out[0][0].endswith("global_opinions.csv:3") and lost.fields["key"] == "3"


def test_the_hub_set_is_read_like_its_file(monkeypatch, tmp_path):
    import csv
    import io

    rows, asked = list(csv.DictReader(io.StringIO(GLOBAL))), []

    def load_dataset(name, config, *, split, revision):
        asked.append((name, split))
        return rows

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    name = "Anthropic/llm_global_opinions"
    assert is_opinion_set(name) and [i.fields["key"] for i in survey_questions(name, 0)] == ["0", "2", "3"]
    assert asked == [(name, "train")] and compared_with(name, None).subgroups["Peru"]["2"] == (0.25, 0.75)


def test_waves_of_the_american_panel(tmp_path):
    written(tmp_path / "human_resp" / "W26" / "info.csv", INFO)
    written(tmp_path / "human_resp" / "W26" / "metadata.csv", "key,options\nAGE,['18-29']\n")
    tabbed = "\tkey\tquestion\toptions\n0\tWAR_W27\tWar?\t['Yes', 'No']\n1\tSAFE_W26\tSafe?\t['a', 'b']\n"
    written(tmp_path / "model_input" / "W27.csv", tabbed)
    asked = survey_questions(str(tmp_path / "human_resp"), 0)
    assert [(i.fields["key"], i.options) for i in asked] == [
        ("SAFE_W26", ("Yes, very", "No", "Refused")),
        ("GUN_W26", ("One", "Two", "Refused")),
    ]
    assert asked[0].fields["survey"] == ATP
    assert [i.fields["key"] for i in survey_questions(str(tmp_path / "model_input"), 0)] == ["WAR_W27", "SAFE_W26"]


def test_counts_of_groups_are_summed_to_the_whole(tmp_path):
    info = written(tmp_path / "W26" / "info.csv", INFO)
    said = {
        "SAFE_W26": {
            "MC_options": ["Yes", "very", "No", "Refused"],  # cut at the comma, as released
            "question_text": "Is it safe?",
            "Female": {"Yes, very": 6.0, "No": 2.0},
            "Male": {"Yes, very": 1.0, "No": 9.0, "Refused": 2.0},
        },
        "OTHER_W27": {"Female": {"x": 1}},
    }
    written(tmp_path / "W26" / "SEX_data.json", json.dumps(said))
    fewer = {"SAFE_W26": {"18-29": {"No": 3.0}}}
    written(tmp_path / "W26" / "AGE_data.json", json.dumps(fewer))
    people = population(tmp_path / "W26", survey_questions(str(info), 0))
    assert people.shares == {"SAFE_W26": approx((0.35, 0.55, 0.1))}
    assert people.subgroups["SEX: Female"]["SAFE_W26"] == (0.75, 0.25, 0)
    assert people.subgroups["AGE: 18-29"]["SAFE_W26"] == (0, 1, 0) and not people.draws
    said["SAFE_W26"]["Male"] = {"Perhaps": 1.0}
    written(tmp_path / "W26" / "SEX_data.json", json.dumps(said))
    with pytest.raises(DoxaError, match=r"SEX_data\.json: SAFE_W26, Male: 'Perhaps', 1\.0; options are \['Yes, very'"):
        population(tmp_path / "W26", survey_questions(str(info), 0))


def test_distributions_leave_out_who_refused(tmp_path):
    info = written(tmp_path / "info.csv", INFO)
    table = written(
        tmp_path / "W26_human.csv",
        "qkey,attribute,group,D_H\nSAFE_W26,Overall,Overall,[0.8 0.2]\nSAFE_W26,SEX,Male,[0.5  0.5]\n",
    )
    people = population(table, survey_questions(str(info), 0))
    assert people.shares["SAFE_W26"][:2] == (0.8, 0.2) and np.isnan(people.shares["SAFE_W26"][2])
    assert people.subgroups["SEX: Male"]["SAFE_W26"][:2] == (0.5, 0.5)
    written(table, "qkey,attribute,group,D_H\nSAFE_W26,Overall,Overall,[0.8]\n")
    with pytest.raises(DoxaError, match=r"W26_human\.csv:2: D_H has 1 values for 3 options"):
        population(table, survey_questions(str(info), 0))
    written(table, "qkey,attribute,group,D_H\nNO_W1,Overall,Overall,[0.8 0.2]\n")
    with pytest.raises(DoxaError, match=r"nothing of SAFE_W26, GUN_W26.*same wave"):
        population(table, survey_questions(str(info), 0))


def test_records_of_people_may_hold_texts(tmp_path):
    info = written(tmp_path / "info.csv", INFO)
    answers = 'SAFE_W26,WEIGHT_W26\n"Yes, very",3\nNo,1\n,5\n'
    people = population(written(tmp_path / "responses.csv", answers), survey_questions(str(info), 0))
    assert people.shares["SAFE_W26"] == (0.75, 0.25, 0) and people.draws
    with pytest.raises(DoxaError, match=r"row 1: SAFE_W26 is 'Maybe'; its options are"):
        population(written(tmp_path / "wrong.csv", "SAFE_W26\nMaybe\n"), survey_questions(str(info), 0))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "question,options\nWhat?,\"['a', 'b']\"\n",
            "no questions of a published set.*It has question, options|options, q",
        ),
        ("key,question,options\nk,What?,a or b\n", r"set\.csv:2, column 'options': 'a or b' is no list"),
        ("key,question,options\nk,What?\n", r"set\.csv:2: not as many cells"),
        (
            "question,selections,options,source\nQ,x,\"['a', 'b']\",GAS\n",
            r"set\.csv:2, column 'selections'.*by country",
        ),
        ("key,question,options\nk,What?,['a']\n", "no row has a question with 2 to 26 options"),
    ],
)
def test_sets_that_cannot_be_read(tmp_path, text, says):
    with pytest.raises(DoxaError, match=says):
        survey_questions(str(written(tmp_path / "set.csv", text)), 0)
    with pytest.raises(DoxaError, match="there is no file or folder"):
        survey_questions(str(tmp_path / "none.csv"), 0)


def test_each_survey_is_called_by_its_own_name(tmp_path):
    questions = [
        {"key": key, "question": "?", "options": [{"text": "Yes", "code": 1}, {"text": "No", "code": 2}]}
        for key in ("SEX", "voted_2016", "voted_2016_candidate", "mine")
    ]
    asked = survey_items(written(tmp_path / "own.json", json.dumps(questions)))
    assert [i.fields["survey"] for i in asked] == [ACS, ANES, ANES, SOME]
    assert asked[2].fields["asked_if"] == {"voted_2016": [0]}  # who did not vote is not asked for whom


def test_sizes(tmp_path):
    assert model_sizes(None) == {} and model_sizes("a=110M, b=1.5e9") == {"a": 110e6, "b": 1.5e9}
    path = written(tmp_path / "sizes.csv", "model,parameters\ngpt2,0.11B\n")
    assert model_sizes(str(path)) == {"gpt2": 110e6}
    with pytest.raises(DoxaError, match=r"'a': '0\.11' parameters; a number from 1,000 on"):
        model_sizes("a=0.11")
    with pytest.raises(DoxaError, match=r"sizes\.csv:2: sizes have columns model and parameters"):
        model_sizes(str(written(path, "name,size\na,1\n")))
