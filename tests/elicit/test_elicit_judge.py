"""Judges: what counts as a label, what is kept of a judgement, and simulated judges with planted errors."""

import asyncio

import pytest
from pytest import approx

from doxa.elicit.judge import Judged, Judgement, ModelJudge, RuleJudge, Verdict
from doxa.metrics.judge_errors import audit, corrected_shares
from doxa.models.simulated import Respondent
from doxa.records import Answer, Item, Reply
from doxa.study import Ask, frame

TEMPLATE = 'What does this reply claim?\n{reply}\nA: {a}\nB: {b}\nC: neither. End with a line such as {{"Answer: A"}}.'
FORM = Verdict(TEMPLATE, ("A", "B", "C"))
MATERIAL = {"reply": "It fell in {1989}.", "a": "The wall fell.", "b": "It stands."}
ITEM = Item("wall", "When did the wall fall?", answer="1989")


def judge(who, model, item=ITEM, material=MATERIAL):
    return asyncio.run(who.judge(Ask(model, item), item, material))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("Answer: A", "A"), ("answer: b", "B"), ("**Answer:** C ", "C"), ("Answer: (A)", "A"), ("Answer: [B].", "B")),
        *(("Answer: Option A", "A"), ("B", "B"), ("(C)", "C"), ("**A**", "A"), ("Answer - none\nAnswer: B", "B")),
        *(
            ("It says that it fell.\n\nAnswer: A", "A"),
            ("Answer: A, because it says so", "A"),
            ("Answer: A. Yes.", "A"),
        ),
        *(
            ("Answer: A\nAnswer: A", "A"),
            ("<think>Answer: B?</think>Answer: A", "A"),
            ("Answer: A (the first)", "A"),
            ("The answer is B", "B"),
        ),
    ],
)
def test_labels_are_read(text, value):
    assert FORM.read(text) == Answer("ok", value)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        *(("Answer: A or B", "ambiguous"), ("Answer: A\nAnswer: B", "ambiguous"), ("Answer: A/B", "ambiguous")),
        *(
            ("It claims A", "unparsed"),
            ("", "unparsed"),
            ("Answer: D", "unparsed"),
            ("Answer: Apparently B", "unparsed"),
        ),
        *(("Answer:", "unparsed"), ("It does not answer A", "unparsed"), ("I can't help with that.", "refused")),
    ],
)
def test_what_is_no_label_is_none(text, outcome):
    found = FORM.read(text)
    assert (found.outcome, found.value) == (outcome, None)


def test_a_reply_that_was_cut_gives_its_label_only_if_it_is_there():
    assert FORM.read(Reply("The reply claims", finish="length")).outcome == "truncated"
    assert FORM.read(Reply("Answer: A", finish="length")).value == "A"


def test_what_is_written_is_read_back():
    words = Verdict("{reply}", ("honest", "lie", "evades"), marker="Verdict:", aliases={"dishonest": "lie"})
    for form in (FORM, words):
        for label in form.labels:
            assert form.read(form.write(Answer("ok", label))) == Answer("ok", label)
    assert words.read("Verdict: Dishonest").value == "lie" and words.read("verdict: LIE.").value == "lie"
    with pytest.raises(ValueError, match="value is 'D'; this form writes A, B, C"):
        FORM.write(Answer("ok", "D"))


def test_only_the_templates_own_places_are_filled():
    prompt = FORM.about(MATERIAL).prompt(ITEM)
    assert prompt.messages[-1].content == (
        "What does this reply claim?\nIt fell in {1989}.\nA: The wall fell.\nB: It stands.\n"
        'C: neither. End with a line such as {"Answer: A"}.'
    )
    assert prompt.item.options == ("A", "B", "C") and prompt.item.fields["reply"] == "It fell in {1989}."
    with pytest.raises(ValueError, match="the template has places for a, b; the material has reply"):
        FORM.about({"reply": "x"})


def test_a_judgement_keeps_what_was_asked_and_said():
    model = Respondent(decide=lambda item, context, prompt: {"A" if "1989" in item.fields["reply"] else "B": 1.0})
    found = judge(ModelJudge(FORM), model)
    assert found.answer.value == "A" and found.reply == "Answer: A" and "It fell in {1989}." in found.prompt
    row = Judged(item="wall", text=MATERIAL["reply"], **found.fields())
    assert (row.verdict, row.judge, row.judge_outcome) == ("A", "verdict (A, B, C)", "ok")
    assert frame([row], Judged)["judge_prompt"].to_list() == [found.prompt]
    assert judge(ModelJudge(FORM), model, material={**MATERIAL, "reply": "No."}).answer.value == "B"


def test_one_respondent_judges_by_different_labels():
    model = Respondent(decide=lambda item, *_: {item.options[1]: 1.0})
    for labels in (("A", "B"), ("honest", "lie"), ("yes", "no")):
        assert judge(ModelJudge(Verdict("{reply}", labels)), model).answer.value == labels[1]


def test_an_unread_judgement_is_no_verdict():
    garbled = Respondent(decide=lambda *_: {"A": 1.0}, format_errors=1.0)
    found = judge(ModelJudge(FORM), garbled)
    assert found.fields()["verdict"] is None and found.fields()["judge_outcome"] == "unparsed" and found.reply
    assert Judgement(Answer("unparsed", "A"), "rule").fields()["verdict"] is None  # a label that was not given in full


def test_a_rule_judges_without_a_model():
    rule = RuleJudge(lambda material: {"yes": "A", "no": "B"}.get(material["reply"]), ("A", "B"))
    assert judge(rule, None, material={"reply": "yes"}).answer == Answer("ok", "A")
    unread = judge(rule, None, material={"reply": "maybe"})
    assert (unread.answer.outcome, unread.fields()["verdict"], unread.prompt) == ("unparsed", None, "")
    with pytest.raises(ValueError, match="value is 'Z'; this form writes A, B"):
        judge(RuleJudge(lambda material: "Z", ("A", "B")), None)


def test_planted_errors_of_a_judge_are_found_and_taken_out():
    # Says "lie" of 80 % of the lies and of 10 % of the honest replies; 30 % of the others are lies.
    form = Verdict("{reply}", ("honest", "lie"))
    planted = {"lie": {"lie": 0.8, "honest": 0.2}, "honest": {"lie": 0.1, "honest": 0.9}}
    model = Respondent(decide=lambda item, *_: planted[item.fields["reply"].split()[0]], seed=1)

    def said(word, k):
        return judge(ModelJudge(form), model, Item(f"{word}-{k}", ""), {"reply": f"{word} {k}"}).answer.value

    known = [(word, said(word, k)) for word in ("honest", "lie") for k in range(150)]
    truth, judged = zip(*known, strict=True)
    recall = audit(truth, judged).recall["lie"]
    assert recall.value == approx(0.8, abs=3 * 0.033) and recall.n == 150  # SE .033
    rest = [said("lie" if k % 10 < 3 else "honest", 1000 + k) for k in range(400)]
    found = corrected_shares(truth, judged, rest).shares["lie"]
    assert found.low < 0.3 < found.high


def test_impossible_labels_are_refused():
    for labels in ((), ("A",), ("yes", "Yes")):
        with pytest.raises(ValueError, match="a judge chooses among two or more"):
            Verdict("{reply}", labels)
    with pytest.raises(ValueError, match="marker is 'Answer'; it is a word or more and a colon"):
        Verdict("{reply}", ("A", "B"), marker="Answer")
    with pytest.raises(ValueError, match=r"aliases stand for \['Z'\]"):
        Verdict("{reply}", ("A", "B"), aliases={"last": "Z"})
