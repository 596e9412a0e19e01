"""Which of two choices says more strongly that somebody likes X? Bags of candies, or shocks that are bearable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, one_of
from doxa.elicit.gamble_choices import Said
from doxa.elicit.options import continuation, logprob, softmax
from doxa.elicit.replies import distinct, settle
from doxa.records import Answer, Item, Kind, Sampling

WORDS = ("Choice 1", "Choice 2", "Tie")
_CANDIES = (
    "Twice a person had to take one bag of candies out of several. To take none was not possible, so a bag may have "
    "been taken that is not liked much."
)
_SHOCKS = (
    "Twice a person had to take one set of mild electric shocks out of several. To take none was not possible, so a "
    "set may have been taken that is not liked at all. A set names the places where there is a shock."
)
_SIGN = {
    False: "Which choice suggests more strongly that the person likes candies of the kind X?",
    True: "Which choice suggests more strongly that the person finds a shock at the place X relatively tolerable?",
}
_BARE = 'Answer with "Choice 1" or "Choice 2" only.'
_REASONED = "Think step by step about what each choice says about X, and then compare the two."
EXTRACT = 'What does this come to? Answer with "Choice 1", "Choice 2" or "Tie" only.'


@dataclass(frozen=True)
class PairedChoices(TextForm):
    """Two choices, of which the one that is the stronger sign is named; a tie is read where it is said.

    The item's `fields` say what to show: shown, for each choice its options (lists of names) with the taken one behind.

    negative  attributes are bad: shocks instead of candies
    reasoned  thinking is asked for, and read where it ends in a line of its own that names one
    """

    negative: bool = False
    reasoned: bool = False
    kinds: ClassVar[tuple[Kind, ...]] = ("choice",)
    closed: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return f"paired-{'shocks' if self.negative else 'candies'}{'-reasoned' if self.reasoned else ''}"

    @property
    def target(self) -> str:
        return ""

    def _text(self, item: Item) -> str:
        told = _SHOCKS if self.negative else _CANDIES
        shown = "\n".join(_line(number, options) for number, options in enumerate(item.fields["shown"], 1))
        return f"{told}\n\n{shown}\n\n{_SIGN[self.negative]}\n{_REASONED if self.reasoned else _BARE}"

    def _parse(self, text: str, item: Item | None) -> Answer:
        last = text.strip().splitlines()[-1] if text.strip() else ""
        whole = re.fullmatch(r"\W*(?:(?:choice\s*)?#?([12])|(tie))\W*", last if self.reasoned else text, re.I)
        if whole or self.reasoned:
            return settle([] if not whole else ["Tie" if whole[2] else f"Choice {whole[1]}"], text)
        named = [f"Choice {number}" for number in re.findall(r"\bchoice\s*#?\s*([12])\b", text, re.I)]
        tie = ["Tie"] if re.search(r"\btie\b|\bequally\b", text, re.I) else []
        return settle(distinct(tie or named), text)

    def _write(self, answer: Answer, item: Item | None) -> str:
        said = one_of(answer, WORDS)
        return f"Both say something about X.\n{said}" if self.reasoned else said

    def example(self, item: Item) -> Answer:
        return Answer("ok", WORDS[0])


def _line(number: int, options: Sequence[Sequence[str]]) -> str:
    *offered, taken = (" + ".join(names) for names in options)
    return f"Choice {number}. On offer: {'; '.join(f'[{bag}]' for bag in offered)}. Taken: [{taken}]."


async def pair_reply(
    ask: Asker, shown: Item, form: PairedChoices, sampling: Sampling, condition: str, *, thinking: int = 512
) -> Said:
    """Which choice as shown is the stronger sign: "A" the first, "B" the second, or "tie".

    A form that asks for thinking gets a second question, what it came to. thinking: tokens that the first may take
    """
    bare, prompt = replace(form, reasoned=False), form.prompt(shown)
    if form.reasoned:
        thought = (await ask.sample(prompt, replace(sampling, max_tokens=thinking), condition=condition))[0]
        prompt = prompt.then(thought.text, EXTRACT, form=bare)
    reply = (await ask.sample(prompt, sampling, condition=condition))[0]
    answer = bare.read(reply, shown)
    said = dict(zip(WORDS, ("A", "B", "tie"), strict=True)).get(answer.value or "")
    return Said(answer.outcome, reply.text, said)


async def pair_logprobs(ask: Asker, shown: Item, form: PairedChoices, condition: str) -> Said:
    """The probability of the second choice by the log-probabilities of "Choice 1" and "Choice 2"."""
    prompt = form.prompt(shown)
    scores = await ask.score(prompt, [continuation(prompt, word) for word in WORDS[:2]], condition=condition)
    second = float(softmax([logprob(score) for score in scores])[1])
    return Said("unparsed") if second != second else Said("ok", share=second)
