"""A form under a rule of points: right answers earn, wrong ones may cost, a given string abstains and costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from doxa.elicit.form import TextForm
from doxa.elicit.grading import normalised
from doxa.records import Answer, Item, Prompt, Reply

RULE = (
    "Answer only if you are confident. Right answers earn points, wrong ones may cost points. "
    'If you are not sure, "{abstention}" is a fine answer, and earns 0 points.'
)


@dataclass(frozen=True)
class Penalised:
    """Another form with the rule before its question, whose abstentions are also read where they stand alone.

    abstentions  strings that abstain; the first is the one that the rule names
    told         whether the rule is shown; without it, only the reading is different
    source       the four parts of the instruction: arXiv 2510.04302; the words are ours
    """

    inner: TextForm
    abstentions: tuple[str, ...]
    told: bool = True

    @property
    def name(self) -> str:
        return f"{self.inner.name}-for-points" if self.told else self.inner.name

    @property
    def target(self) -> str:
        return self.inner.target

    def prompt(self, item: Item) -> Prompt:
        """The inner form's prompt, the rule at the head of its question."""
        asked = replace(self.inner.prompt(item), form=self)
        if not self.told:
            return asked
        *head, last = asked.messages
        rule = RULE.format(abstention=self.abstentions[0])
        return replace(asked, messages=(*head, replace(last, content=f"{rule}\n{last.content}")))

    def read(self, reply: Reply | str, item: Item | None = None) -> Answer:
        """An abstention that stands alone, or what the inner form reads."""
        text = reply if isinstance(reply, str) else reply.text
        if _bare(text) in {_bare(said) for said in self.abstentions}:
            return Answer("abstained")
        return self.inner.read(reply, item)

    def write(self, answer: Answer, item: Item | None = None) -> str:
        """The inverse of `read`; an abstention is the first of the strings."""
        if answer.outcome == "abstained" and answer.confidence is None:
            return self.abstentions[0]
        return self.inner.write(answer, item)


def _bare(text: str) -> str:
    return normalised(text) or text.strip()
