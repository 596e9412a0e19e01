"""Ways to ask and to read the reply: forms, confidence, beliefs over options, samples, grading."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doxa.elicit.form import TextForm


def forms() -> dict[str, TextForm]:
    """One instance of each form by its name. Forms that judge a proposed answer are shown with the answer "A"."""
    from doxa.elicit.answers import Letter, Number, Probability, ShortText, TrueFalse, YesNo
    from doxa.elicit.p_true import PTrue
    from doxa.elicit.structured import Conclusion, Json, LetterWithReason, Tags
    from doxa.elicit.verbal import ChainOfThought, MultiStep, SelfProbing, TopK, Vanilla

    every: tuple[TextForm, ...] = (
        *(Letter(), Letter(may_abstain=True), YesNo(), TrueFalse()),
        *(ShortText(), ShortText(may_abstain=True), Number(), Probability()),
        *(Tags(), Tags(ask="probability"), Json(), Conclusion()),
        *(LetterWithReason(), LetterWithReason("exam"), LetterWithReason("permission")),
        *(Vanilla(), ChainOfThought(), SelfProbing("A"), MultiStep(), TopK(), TopK(chain_of_thought=True)),
        PTrue("A"),
    )
    return {form.name: form for form in every}


def formats_hash() -> str:
    """Hash of what every form says and expects, hexadecimal: another one means that trained weights are stale.

    Covers each form's prompt and written replies for a fixed item of each kind (a scenario is asked like a choice
    or an open question).
    """
    from doxa.models.base import digest
    from doxa.records import Answer, Item

    items = (
        Item("choice", "Which one?", "choice", ("first", "second", "third", "fourth"), fields={"description": "Text."}),
        Item("statement", "This holds.", "statement"),
        Item("number", "How many?", "number"),
        Item("open", "Who?", "open", fields={"description": "Text."}),
    )
    texts = [
        (name, item.id, form.prompt(item).show(), *(form.write(answer, item) for answer in answers))
        for name, form in forms().items()
        for item in items
        if item.kind in form.kinds
        for answers in [(form.example(item), Answer("abstained"), Answer("refused"))]
    ]
    return digest(texts)
