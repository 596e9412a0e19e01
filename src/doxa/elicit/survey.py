"""Survey questions answered by a label: plain text that is continued, its rewordings, and whole forms in one context.

The shape of the prompts (question, one line for each option, "Answer:") and the kinds of rewording are those of arXiv
2306.07951; the words of contexts and instructions are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from doxa.elicit.answers import Letter
from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, one_of, options_block
from doxa.elicit.options import logprob
from doxa.elicit.replies import declined
from doxa.records import LETTERS, Answer, Item, Kind, Prompt, Reply, Sampling

COMMON_CONSONANTS = "RSNLOTMPWUYV"
"""Labels that are no list of grades or choices, in the published order."""
SELECT = "Read the question carefully, and select ONE of its options."
OPENINGS: Mapping[str, str] = {
    "plain": "",
    "survey-name": "This is a question of {survey}.\n\n",
    "answer-survey": "Please answer this question of a survey.\n\n",
    "household": "Answer the question as if you lived in a household of the United States.\n\n",
    "careful": f"{SELECT}\n\n",
    "careful-example": f"{SELECT} Give its label behind the word Answer, in this form:\nAnswer: LABEL\n\n",
    "second-person": "",
    "interview": "",
    "chat": "",
}
WORDINGS = (*OPENINGS, "letter")
_CHAT_END = "Assistant: If I had to select one of the options, my answer would be ("
_BRACKETS = "()[]{}.:,;\"'*` \t\n"


@dataclass(frozen=True)
class SurveyForm(TextForm):
    """A question with labelled options; the reply is a label, the value the letter of its place.

    wording  one of WORDINGS: "plain" and those that open with a context or an instruction, "second-person" (the text
             in Item.fields["you"]), "interview", "chat" (which ends in a bracket), and "letter": a chat message in the
             words of `Letter`
    labels   of the places, e.g. "ABC", or in any order "CAB"; at least as many as options

    raises   ValueError: no such wording, labels that are not letters or not different
    source   arXiv 2306.07951
    """

    wording: str = "plain"
    labels: str = LETTERS
    kinds: ClassVar[tuple[Kind, ...]] = ("choice", "scenario")
    closed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.wording not in WORDINGS:
            raise ValueError(f"wording is {self.wording!r}; it is one of {', '.join(WORDINGS)}")
        check_labels(self.labels, 1)

    @property
    def name(self) -> str:
        return f"survey-{self.wording}"

    @property
    def target(self) -> str:
        return ""

    def prompt(self, item: Item) -> Prompt:
        return self.after(item, ())

    def after(self, item: Item, before: Sequence[tuple[Item, str, str]]) -> Prompt:
        """The prompt behind questions that were answered: each as (item as shown, its labels, the label given)."""
        if item.kind not in self.kinds:
            raise ValueError(f"form {self.name!r} asks items of kind choice or scenario; {item.id!r} is {item.kind!r}")
        if self.wording == "letter":
            chat: Prompt | None = None
            told = ""
            for shown, labels, said in before:
                text = replace(self, labels=labels)._text(shown)
                chat = Prompt.user(text) if chat is None else chat.then(told, text)
                told = said
            last = self._text(item)
            chat = Prompt.user(last) if chat is None else chat.then(told, last)
            return replace(chat, form=self, item=item)
        parts = [
            f"{replace(self, labels=labels)._block(shown)}{self._answered(said)}" for shown, labels, said in before
        ]
        opening = OPENINGS[self.wording].format(survey=item.fields.get("survey") or "a survey")
        return Prompt(text=opening + "\n\n".join([*parts, self._block(item)]), form=self, item=item)

    def continuation(self, label: str) -> str:
        """What the model would have to say next: the label, behind a blank unless a bracket or a chat turn is open."""
        return label if self.wording in ("chat", "letter") else f" {label}"

    def _text(self, item: Item) -> str:
        return Letter().prompt(item).messages[-1].content.removesuffix(options_block(item)) + self._options(item, ")")

    def _block(self, item: Item) -> str:
        """One question, up to the place of its answer."""
        text = item.text
        if self.wording == "second-person":
            if "you" not in item.fields:
                raise ValueError(f"item {item.id!r} has no text in the second person, fields['you']; give a set in it")
            text = str(item.fields["you"])
        if self.wording == "chat":
            return f"User: {text}\n{self._options(item, ')', '(')}\n{_CHAT_END}"
        asks, ends = ("Interviewer", "Me") if self.wording == "interview" else ("Question", "Answer")
        return f"{asks}: {text}\n{self._options(item, '.')}\n{ends}:"

    def _answered(self, label: str) -> str:
        return f"{label})" if self.wording == "chat" else f" {label}"

    def _options(self, item: Item, mark: str, opens: str = "") -> str:
        c = len(item.options)
        if not 2 <= c <= len(self.labels):
            raise ValueError(f"item {item.id!r} has {c} options; there have to be 2 to {len(self.labels)}, the labels")
        pairs = zip(self.labels, item.options, strict=False)
        return "\n".join(f"{opens}{label}{mark} {option}" for label, option in pairs)

    def _parse(self, text: str, item: Item | None) -> Answer:
        labels = self.labels[: len(item.options)] if item is not None and item.options else self.labels
        said = text.strip(_BRACKETS)
        if len(said) == 1 and said in labels:
            return Answer("ok", LETTERS[labels.index(said)])
        return declined(text) or Answer("unparsed", note=f"{text[:40]!r} is none of the labels {', '.join(labels)}")

    def _write(self, answer: Answer, item: Item | None) -> str:
        c = len(item.options) if item is not None and item.options else len(self.labels)
        return self.labels[LETTERS.index(one_of(answer, LETTERS[:c]))]


def check_labels(labels: str, options: int) -> str:
    """The labels, if they are different letters and enough of them; ValueError otherwise."""
    if not labels.isalpha() or len(set(labels)) < len(labels) or len(labels) < options:
        raise ValueError(f"labels are {labels!r}; give different letters, one for each of the {options} options")
    return labels


def chosen_wordings(names: str) -> tuple[str, ...]:
    """Wordings of a comma-separated list; "all": all of them. ValueError: a name that is none.

    >>> chosen_wordings("plain, chat")
    ('plain', 'chat')
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if wanted == ["all"]:
        return WORDINGS
    unknown = [name for name in wanted if name not in WORDINGS]
    if unknown or not wanted:
        raise ValueError(f"wordings is {names!r}; it lists some of {', '.join(WORDINGS)}, or is 'all'")
    return tuple(dict.fromkeys(wanted))


# --- probabilities of labels -----------------------------------------------------------------------------------------


async def label_probabilities(
    ask: Asker, form: SurveyForm, item: Item, prompt: Prompt, *, condition: str
) -> np.ndarray:
    """Probability (c,) of each label of the options as shown; their sum is the mass on labels."""
    texts = [form.continuation(label) for label in form.labels[: len(item.options)]]
    scores = await ask.score(prompt, texts, condition=condition)
    return np.exp(np.array([logprob(score) for score in scores], dtype=np.float64))


TOP = 5


def top_sampling(top: int = TOP) -> Sampling:
    return Sampling(max_tokens=1, temperature=1.0, top_logprobs=top)


def top_probabilities(reply: Reply, labels: Sequence[str]) -> tuple[np.ndarray, float] | None:
    """Probability (c,) of each label from the top tokens of the first token of a reply, and the mass seen on labels.

    A label that is not among them gets what is left, in even parts with the other unseen ones, but at most as much as
    the least probable of the top tokens.

    returns  None: the reply has no top tokens
    source   arXiv 2306.07951 (models of which the five likeliest tokens are known)
    """
    if not reply.tokens or not reply.tokens[0].top:
        return None
    top = dict(reply.tokens[0].top)
    seen = {label: sum(np.exp(p) for text, p in top.items() if text.strip(_BRACKETS) == label) for label in labels}
    return completed(list(seen.values()), [float(np.exp(p)) for p in top.values()])


def completed(seen: Sequence[float], top: Sequence[float]) -> tuple[np.ndarray, float]:
    """Probabilities (c,) of labels with those that were not seen (0) filled in, and the mass that was seen.

    >>> found, mass = completed([0.6, 0.2, 0.0, 0.0], [0.6, 0.2, 0.1, 0.04, 0.02])
    >>> found.round(3).tolist(), round(mass, 2)
    ([0.6, 0.2, 0.02, 0.02], 0.8)
    """
    found = np.array(seen, dtype=np.float64)
    return filled_in_labels(found, 1.0 - sum(top), min(top)), float(found.sum())


def filled_in_labels(seen: np.ndarray, left: float, least: float) -> np.ndarray:
    """`seen` (c,) with even parts of the mass `left` where it is 0, each at most `least`."""
    unseen = int((seen == 0).sum())
    share = min(max(left, 0.0) / unseen, least) if unseen else 0.0
    return np.where(seen == 0, share, seen)
