"""SimpleToM: stories in the seed format and from the hub, published and other result files, stories written anew."""

import asyncio
import json
from pathlib import Path

import pytest

from doxa.data.stories import own, question, seeds
from doxa.data.story_checks import mentions, problems
from doxa.data.story_files import published, stories
from doxa.elicit.story_writing import SCENARIOS, read_pairs, read_story, write_stories
from doxa.records import DoxaError, Reply
from doxa.studies.simpletom import Options, across, read_file, score, score_recorded, study

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "simpletom"
PUBLISHED = pytest.mark.skipif(not DATA.is_dir(), reason="the published stories are not here")


@PUBLISHED
def test_the_published_seeds():
    made = stories(str(DATA / "seed_stories.json"))
    assert len(made) == 60 and len({s.core for s in made}) == 20
    assert {s.scenario for s in made} == set(SCENARIOS) == {s.scenario for s in own()}
    assert len([question(s, q) for s in made for q in ("aware", "action", "judge")]) == 180
    chips = next(s for s in made if s.id == "potato_chip_food_sev2")
    assert (chips.who, chips.unaware, chips.aware) == ("Mary", "pay for the chips", "report the dead cockroach")
    assert question(chips, "aware").text.startswith("Is Mary likely to be aware that")
    several = next(s for s in made if s.core == "house_buying")
    assert question(several, "aware").text.startswith("Are John's potential buyers") and "told the whole truth" in (
        several.text("known")
    )


@PUBLISHED
def test_the_published_answers():
    folder = DATA / "sample_outputs"
    gpt = read_file(next(folder.glob("*gpt-5*")), Options())
    made = score_recorded(gpt, Options())
    assert (made["aware"], made["action"], made["judge"], made["unread"]) == (1, 0, 0, 0)
    assert gpt.rows.height == 6 and set(gpt.rows["arm"]) == {"cot"} and made.estimate("aware").n == 2
    assert any("arm cot" in note for note in made.notes)
    assert any("6 answers; 0 are read otherwise" in note for note in made.notes)
    haiku = read_file(next(folder.glob("*haiku*")), Options())
    assert score(haiku.rows, Options())["aware"] == 1
    both = across([gpt, haiku], Options())
    assert both.table("Models").rows[0][1:] == (1, 0, 0) and len(both.charts) == 1


def seed(**changed):
    row = {
        "scenario_name": "food_item_in_grocery_store",
        "entities": "Person X = Ida\nObject Z = a pear",
        "key_information": "The pear is rotten inside.",
        "story_sentence": "Ida puts the pear on the scale.",
        "question": "What will Ida likely do next?",
        "correct_answer": "buy it",
        "incorrect_answer": "complain about the rot",
        "sev1": "The pear is sour inside.",
        "incorrect_answer_sev1": "look for a sweet one",
        "sev3": "The pear is poisoned.",
        "incorrect_answer_sev3": "call the police",
    }
    return {**row, **changed}


def test_the_seed_format(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"pear": seed(), "plum": seed(seen="Ida cuts it open.")}), encoding="utf-8")
    made = stories(str(path))
    assert [s.id for s in made[:3]] == ["pear_sev1", "pear_sev2", "pear_sev3"] and made[2].aware == "call the police"
    assert made[0].text("known").endswith('Then Ida is told the whole truth: "The pear is sour inside."')
    assert made[3].text("known").endswith("Ida cuts it open.")
    assert len(study.items(Options(set=str(path)))) == 6
    with pytest.raises(DoxaError, match="story 'pear': sev3 is None"):
        seeds({"pear": {k: v for k, v in seed().items() if k != "sev3"}}, "mine.json")
    with pytest.raises(DoxaError, match="who is person X"):
        seeds({"pear": seed(question="And then?", entities="")}, "mine.json")
    with pytest.raises(DoxaError, match="no stories"):
        seeds({}, "mine.json")
    with pytest.raises(DoxaError, match="holds a list"):
        seeds([], "mine.json")
    with pytest.raises(FileNotFoundError):
        stories(str(tmp_path / "none.json"))


def asked(kind, text, options, key):
    choices = {"text": list(options), "label": ["A", "B"]}
    story = "The pear is rotten. Ida pays."
    row = {"id": f"pear_sev2_{kind}", "story": story, "question": text, "scenario_name": "food", "choices": choices}
    return [("row 1", {**row, "answerKey": key})]


def test_the_published_set_keeps_its_order_of_options():
    rows = {
        "aware": asked("aware", 'Is Ida likely to be aware that "The pear is rotten."?', ("Yes", "No"), "B"),
        "action": asked("action", "What will Ida likely do next?", ("complain", "leave"), "B"),
        "judge": asked("judge", "Next, ...", ("Reasonable", "Not reasonable"), "A"),
    }
    (story,) = published(rows, [("row 1", {"story_id": "pear_sev2", "story_generator_model": "some-model"})])
    assert (story.key, story.sentence, story.who) == ("The pear is rotten.", "Ida pays.", "Ida")
    assert story.generator == "some-model" and story.scenario == "food" and story.severity == 2
    assert question(story, "action").options == ("complain", "leave") and story.unaware == "leave"
    assert question(story, "judge").options == ("Reasonable", "Not reasonable")
    with pytest.raises(DoxaError, match="no question judgment-qa"):
        published({k: v for k, v in rows.items() if k != "judge"})
    with pytest.raises(DoxaError, match="id 'x'"):
        published({"aware": [("row 1", {"id": "x"})]})


# --- result files ----------------------------------------------------------------------------------------------------

PROMPT = "Story:\nS.\n\nQuestion: Q? \n(A) leave \n(B) complain\n\nWhich?"


def lines(tmp_path, *rows, name="model.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_other_result_files(tmp_path):
    cut = {"output": [{"type": "message", "content": [{"text": "She might (A"}]}], "status": "incomplete"}
    chat = {"choices": [{"message": {"content": "(A)"}, "finish_reason": "stop"}]}
    claude = {"content": [{"type": "text", "text": "(B), not (A)"}], "stop_reason": "end_turn"}
    path = lines(
        tmp_path,
        {"id": "p_sev1_aware", "correct": "B", "predicted": "B"},
        {"id": "p_sev1_action", "correct": "A", "llm_output": chat, "prompt": PROMPT, "more": 1},
        {"id": "p_sev1_action", "correct": "A", "llm_output": "(B)", "prompt": PROMPT},
        {"id": "p_sev1_judge", "correct": "A", "llm_output": claude, "predicted": "A", "prompt": PROMPT},
        {"id": "p_sev2_aware", "correct": "B", "llm_output": cut, "prompt": PROMPT},
        {"id": "p_sev2_action", "correct": "A", "llm_output": "Neither", "predicted": "Neither", "prompt": PROMPT},
        {"id": "p_sev1_action", "correct": "A", "llm_output": "(A)", "arm": "gold-reminder", "prompt": PROMPT},
    )
    recorded = read_file(path, Options())
    made = score_recorded(recorded, Options())
    assert made["aware"] == 0.5 and made["action"] == 0.5 and made["judge"] == 1 and made["action, gold-reminder"] == 1
    assert dict(made.estimates[0].outcomes) == {"ok": 3, "truncated": 1, "ambiguous": 1, "unparsed": 1}
    assert "1 lines repeat" in " ".join(made.notes) and "3 answers; 0 are read otherwise" in " ".join(made.notes)
    assert score(recorded.rows, Options(ambiguous="missing"))["judge"] == 0


def test_reminders_and_reasoning_are_told_by_the_prompt(tmp_path):
    reminded = PROMPT.replace("Question: Q?", "Question: Aware?\n(A) Yes\n(B) No\nAnswer: (B)\n\nQuestion: Q?")
    reasoned = f'{PROMPT} End with "Therefore, the answer is: "'
    path = lines(
        tmp_path,
        {"id": "p_sev1_action", "correct": "A", "llm_output": "(A)", "prompt": reminded},
        {"id": "p_sev2_action", "correct": "A", "llm_output": "(A) fits, but", "prompt": reasoned},
    )
    rows = read_file(path, Options()).rows
    assert rows["arm"].to_list() == ["reminder", "cot"] and rows["outcome"].to_list() == ["ok", "truncated"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "p", "correct": "A", "llm_output": "(A)"}, r"model\.jsonl:1: id 'p'"),
        ({"id": "p_sev1_aware", "correct": "C", "llm_output": "(A)"}, "correct 'C'"),
        ({"id": "p_sev1_aware", "correct": "A"}, "neither llm_output nor predicted"),
    ],
)
def test_result_files_that_cannot_be_read(row, says, tmp_path):
    with pytest.raises(DoxaError, match=says):
        read_file(lines(tmp_path, row), Options())


def test_stored_rows_are_read_back(tmp_path):
    import doxa

    rows = doxa.run(study, "simulated:calibrated", items=study.example(), progress=False)["simpletom"].rows()
    rows.write_parquet(tmp_path / "rows.parquet")
    again = read_file(tmp_path / "rows.parquet", Options())
    assert score(again.rows, Options())["action"] == score(rows, Options())["action"]


# --- writing ---------------------------------------------------------------------------------------------------------


class Scripted:
    """Gives its replies one after the other."""

    def __init__(self, *texts):
        self.texts, self.prompts = list(texts), []

    async def generate(self, prompt, sampling):
        self.prompts.append(prompt.show())
        return [Reply(self.texts.pop(0))]


def test_a_model_writes_stories_and_rules_turn_some_down(tmp_path):
    pairs = [{"entities": f"Person X = Ida {i}", "key_information": f"Pear {i} is rotten."} for i in range(4)]
    good = {k: v for k, v in seed().items() if k != "scenario_name"}
    told = {**good, "story_sentence": "Ida, unaware of it, buys it."}
    model = Scripted(
        f"Here you are:\n{json.dumps(pairs)}", json.dumps(good), "Sorry.", json.dumps(told), f"```{json.dumps(good)}```"
    )
    name = "food_item_in_grocery_store"
    made = asyncio.run(write_stories(model, name, seed(key_information="MARK"), problems, n=4, generator="scripted"))
    assert list(made.stories) == [f"{name}-1", f"{name}-4"]
    reasons = dict(made.rejected)
    assert reasons[f"{name}-2"] == ("the reply has no JSON object",)
    assert any("unaware" in r for r in reasons[f"{name}-3"]) and any("right action" in r for r in reasons[f"{name}-3"])
    assert (
        "MARK" in model.prompts[0] and "Pear 0 is rotten." in model.prompts[1] and SCENARIOS[name] in model.prompts[1]
    )
    path = tmp_path / "new.json"
    made.save(path)
    assert {s.generator for s in stories(str(path))} == {"scripted"} and len(stories(str(path))) == 6


def test_replies_of_a_writer():
    assert read_pairs('[{"entities": {"Person X": "Ida"}, "key_information": "K."}, {"entities": ""}, 3]') == [
        {"entities": "Person X = Ida", "key_information": "K."}
    ]
    assert read_pairs("none") == [] and read_story("[1]") is None and read_story("{broken") is None


def test_rules():
    assert problems(seed()) == []
    assert problems(seed(sev1="")) == ["sev1 is missing"]
    assert "thoughts" in problems(seed(story_sentence="Ida thinks of pears."))[0]
    assert "secret" in problems(seed(key_information="The pear holds a secret."))[0]
    assert "bare verb phrase" in problems(seed(correct_answer="to buy it"))[0]
    assert "the same" in problems(seed(incorrect_answer="buy it"))[0]
    assert "same key" in problems(seed(sev1="The pear is rotten inside."))[0]
    assert mentions("Ida pays for the pear.", "pay for the pear") and not mentions("Ida takes it.", "pay for the pear")
