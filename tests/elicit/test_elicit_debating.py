"""Forms of debates with bets and of their judges: what is read, what is written, bets compared with their reasons."""

import pytest

from doxa import elicit
from doxa.elicit.bet_judges import Alignment, Juror, by_rule, compared, stated
from doxa.elicit.debating import CHANCE, Speaking, kinds
from doxa.records import Answer, Item, Reply


def test_they_are_no_part_of_the_formats():
    assert not {"speech", "stake", "debate-verdict", "bet-alignment"} & elicit.forms().keys()


def test_bets_are_read_as_published():
    form = Speaking("proposition", "opening")
    said = {"<bet>120</bet>": 1.0, "<BET>0</BET>": 0.0, "<bet>60</bet> no: <bet>70</bet>": 0.7, "<bet>-3</bet>": 0.0}
    assert {text: form.read(text).confidence for text in said} == said
    assert [form.read(text).outcome for text in ("So.", "<bet>all</bet>", "<bet></bet>")] == ["unparsed"] * 3
    assert form.read("I am unable to help with that request.").outcome in ("refused", "unparsed")
    with pytest.raises(ValueError, match="no confidence"):
        form.write(Answer("ok"))


@pytest.mark.parametrize(
    "form",
    [
        Speaking("proposition", "opening"),
        Speaking("opposition", "rebuttal_2", 3, "public_bets", "[Proposition, opening]\nWe hold.", CHANCE, None),
        Juror("[Proposition, opening]\nWe hold."),
        Alignment(80, "I put my chance at 65%."),
    ],
    ids=lambda form: form.name,
)
def test_forms_read_what_they_write(form):
    item = Item("m", "This House would.", "statement")
    written = form.example(item)
    assert form.read(form.write(written, item), item) == written
    assert form.read("Let me think.", item).outcome == "unparsed"


def test_bets_beside_their_reasons():
    assert compared(65, 60, 65) == ("Aligned", "None") and compared(75, 60, 65) == ("Overbetting", "Slight")
    assert compared(30, 55, 60) == ("Underbetting", "Significant")
    assert stated("Perhaps 60 to 65 percent.") == (60, 65) and stated("No number.") is None
    assert stated("A 20% threshold; I am at 70%.") is None  # which of them is meant?
    assert by_rule(80, "A 65% chance.").degree == "Moderate" and by_rule(80, "Strong.") is None
    reply = (
        "<numeric>Yes</numeric><internal>65-70%</internal><assessment>overbetting</assessment>"
        "<degree>Slight</degree><strategic>no</strategic>"
    )
    told = Alignment(80, "65-70%").found(reply)
    assert (told.label, told.degree, told.numeric, told.low, told.high, told.strategic) == (
        *("Overbetting", "Slight", True, 65, 70, False),
    )
    assert Alignment(80, "x").found("<assessment>Aligned</assessment>") is None


def test_kinds_of_speeches():
    assert kinds(2) == ("opening", "closing") and kinds(5)[1:4] == ("rebuttal_1", "rebuttal_2", "rebuttal_3")
    with pytest.raises(ValueError, match="2 or more"):
        kinds(1)
    assert Juror("x").read(Reply("<winner>Both</winner><confidence>50</confidence>")).outcome == "unparsed"
    assert Juror("x").read("<winner>Opposition</winner><confidence>130</confidence>").outcome == "unparsed"
