"""Judges of replies: a rule, or a model that is asked for one of a few labels; what they saw and said is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import Any, ClassVar, Protocol

from doxa.elicit.asker import Asker
from doxa.elicit.form import TextForm, one_of
from doxa.elicit.replies import declined, distinct, settle, unformatted
from doxa.records import Answer, Form, Item, Outcome, Prompt, Reading, Reply, Sampling

Material = Mapping[str, str]
"""What is judged, by the names that a template has places for: the reply, what it was a reply to, what it may claim."""


@dataclass(frozen=True)
class Judgement:
    """What a judge made of a reply.

    answer  its label as value, or why there is none; prompt, reply: what a model was asked and said ("" for a rule)
    """

    answer: Answer
    judge: str
    prompt: str = ""
    reply: str = ""

    def fields(self) -> dict[str, Any]:
        """The fields that `Judged` adds to a reading."""
        return {
            "judge": self.judge,
            "verdict": self.answer.value if self.answer.outcome == "ok" else None,
            "judge_outcome": self.answer.outcome,
            "judge_prompt": self.prompt,
            "judge_reply": self.reply,
        }


@dataclass(frozen=True, kw_only=True)
class Judged(Reading):
    """A reading of a reply that was judged; a study's Row may build on it.

    verdict        the label; None: the judge gave none, see judge_outcome
    judge_prompt   what the judge was shown; judge_reply: what it said, reasoning included
    """

    judge: str
    verdict: str | None
    judge_outcome: Outcome
    judge_prompt: str = ""
    judge_reply: str = ""


class Judge(Protocol):
    """Whoever gives each reply one of `labels`."""

    @property
    def name(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    async def judge(self, ask: Asker, item: Item, material: Material, *, condition: str = "judge") -> Judgement: ...


# --- a rule ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleJudge:
    """Judges by a function of the material; no model is asked.

    rule    the label, or None: it cannot tell, which is an unread reply and no label
    """

    rule: Callable[[Material], str | None]
    labels: tuple[str, ...]
    name: str = "rule"

    async def judge(self, ask: Asker, item: Item, material: Material, *, condition: str = "judge") -> Judgement:
        """The rule's label. ValueError: it gives none of `labels`."""
        label = self.rule(material)
        if label is None:
            return Judgement(Answer("unparsed", note="the rule gives no label"), self.name)
        return Judgement(Answer("ok", one_of(Answer("ok", label), self.labels)), self.name)


# --- a model ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict(TextForm):
    """Asks a model for one of a few labels, after a word such as "Answer:"; it may reason first.

    Read are the label alone as the whole reply, and the label behind the marker, in any case, with brackets, bold type,
    a full stop, "option" before it or a reason behind it. Two labels are ambiguous, whatever their order.

    template  the study's words, with places {name} for the material; {{ and }} are braces. Only the template's own
              places are filled: braces in the material stay as they are
    marker    ends with a colon, in place of which a reply may say "is"
    labels    at least two, different in more than case; aliases: other words that a label may be given by
    material  what fills the places
    title     the form's name, of its own among forms with other labels; "": by its labels
    """

    template: str
    labels: tuple[str, ...]
    system: str = ""
    marker: str = "Answer:"
    aliases: Mapping[str, str] = field(default_factory=dict)
    material: Material = field(default_factory=dict)
    title: str = ""
    closed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if len({label.casefold() for label in self.labels}) < max(2, len(self.labels)):
            raise ValueError(
                f"labels are {self.labels}; a judge chooses among two or more, different in more than case"
            )
        if not self.marker[:-1].strip() or not self.marker.endswith(":"):
            raise ValueError(f"marker is {self.marker!r}; it is a word or more and a colon, as in 'Answer:'")
        unknown = set(self.aliases.values()) - set(self.labels)
        if unknown:
            raise ValueError(f"aliases stand for {sorted(unknown)}, which are none of the labels {self.labels}")

    @property
    def name(self) -> str:
        return self.title or f"verdict ({', '.join(self.labels)})"

    @property
    def target(self) -> str:
        return ""

    def about(self, material: Material) -> Verdict:
        """The same question about other material. ValueError: a place of the template that it does not fill."""
        places = {name for _, name, *_ in Formatter().parse(self.template) if name is not None}
        lacking = sorted(places - material.keys())
        if lacking:
            raise ValueError(
                f"the template has places for {', '.join(lacking)}; the material has {', '.join(material) or 'nothing'}"
            )
        return replace(self, material=dict(material))

    def prompt(self, item: Item) -> Prompt:
        """The question to the judge about the item's reply; the item as shown has the labels as options.

        Its fields hold the material, which a simulated judge can go by; a right verdict, where one is known, is
        Item.fields["verdict"].
        """
        right = item.fields.get("verdict")
        shown = replace(
            item,
            text=self._text(item),
            kind="choice",
            options=self.labels,
            answer=None if right is None else str(right),
            accepted=(),
            fields={**item.fields, **self.material},
        )
        return Prompt.user(shown.text, system=self._system(), form=self, item=shown)

    def example(self, item: Item) -> Answer:
        return Answer("ok", self.labels[0])

    def _text(self, item: Item) -> str:
        return self.template.format_map(self.about(self.material).material)

    def _system(self) -> str | None:
        return self.system or None

    def _parse(self, text: str, item: Item | None) -> Answer:
        plain = unformatted(text)
        alone = self._label(plain)
        if alone:
            return Answer("ok", alone)
        behind = re.findall(rf"{re.escape(self.marker[:-1])}\s?(?::|is\b)[ \t*`]*(.*)", plain, re.I)
        claims = [claim for rest in behind for claim in self._claims(rest.strip())]
        if not claims and behind:
            return declined(text) or Answer("unparsed", note=f"no label behind {self.marker!r}")
        return settle(distinct(claims), text)

    def _label(self, text: str) -> str | None:
        """The label that a text is, but for brackets, quotation marks, case and a full stop."""
        bare = text.strip().strip("()[]{}<>\"'“”.,;:!* \t").casefold()
        bare = re.sub(r"^(?:option|label)\s+[(\[]?", "", bare)
        named = {**{k.casefold(): v for k, v in self.aliases.items()}, **{v.casefold(): v for v in self.labels}}
        return named.get(bare)

    def _claims(self, rest: str) -> list[str]:
        """Labels that what follows the marker gives: itself, its beginning up to a stop or a reason, a list of them."""
        whole = self._label(rest)
        if whole:
            return [whole]
        parts = re.split(r"\s+(?:or|and)\s+|\s*[/,]\s*", rest)
        listed = [self._label(part) for part in parts]
        if len(parts) > 1 and all(listed):
            return [label for label in listed if label]
        head = re.split(r"[.,;:–—(\n]|\s-\s|\s+(?:because|since|as)\b", rest.lstrip("(["), maxsplit=1)[0]
        first = self._label(head.rstrip(")]"))
        return [first] if first else []

    def _write(self, answer: Answer, item: Item | None) -> str:
        return f"{self.marker} {one_of(answer, self.labels)}"


async def judged_with(
    ask: Asker, form: Form, item: Item, *, sampling: Sampling | None = None, condition: str = "judge"
) -> Judgement:
    """Ask a judge in any form and keep what it saw and said."""
    prompt = form.prompt(item)
    (reply,) = await ask.sample(prompt, replace(sampling or Sampling(max_tokens=512), n=1), condition=condition)
    return Judgement(form.read(reply, item), form.name, prompt.show(), _whole(reply))


def _whole(reply: Reply) -> str:
    return f"{reply.reasoning}\n\n{reply.text}" if reply.reasoning else reply.text


@dataclass(frozen=True)
class ModelJudge:
    """Judges by asking a model, greedily unless `sampling` says otherwise."""

    form: Verdict
    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=512))

    @property
    def name(self) -> str:
        return self.form.name

    @property
    def labels(self) -> tuple[str, ...]:
        return self.form.labels

    async def judge(self, ask: Asker, item: Item, material: Material, *, condition: str = "judge") -> Judgement:
        """The model's label. ValueError: the material does not fill the template."""
        return await judged_with(ask, self.form.about(material), item, sampling=self.sampling, condition=condition)
