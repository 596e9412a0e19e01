"""What confidence is learnt from and asked about: a case, the prompt made of it, the card that says all this."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from doxa.models.base import Model
from doxa.models.local_identity import files_hash
from doxa.probes.heads import ARRAYS, SETTINGS
from doxa.records import DoxaError, Prompt
from doxa.training import lora

CARD = "card.json"
VERSION = 1
Kind = Literal["head on hidden states", "nearest hidden states", "head on text", "adapter with head", "adapter, yes/no"]

CORRECT = "this answer is correct"
KNOWS = "the model would answer correctly"
QUESTION = "{question}"
JUDGE = (
    "Is this answer of a model correct?\n"
    "Question: {question}\n"
    "Answer of {model}: {answer}\n"
    "Reply with one word, yes or no, in lower case."
)
_PLACE = re.compile(r"\{(question|answer|model)\}")


@dataclass(frozen=True)
class Case:
    """One answer to be judged, or one question before any answer.

    answer  as the model gave it, or the part that is judged; None: none is known yet
    prompt  what the model was asked with, few-shot examples included; needed where a card has no template
    model   the name of who answered
    """

    question: str
    answer: str | None = None
    prompt: Prompt | None = None
    model: str = "a model"


@dataclass(frozen=True)
class Card:
    """What a saved confidence is and what it reads.

    kind      how it was made; target: what the confidence is the probability of, `CORRECT` or `KNOWS`
    template  the text that is read, with {question}, {answer} and {model} in it; None: the case's own prompt
    layer     of the hidden state that is read, after that block; position: of its token in the prompt
    words     the two replies whose probabilities are compared
    base      whose hidden states are read, or which model judges: address, and hashes of its files
    n         cases it was trained on; settings: how
    files     hash of the files beside the card
    """

    kind: Kind
    target: str
    template: str | None = None
    layer: int | None = None
    position: int | None = None
    words: tuple[str, str] | None = None
    base: Mapping[str, Any] = field(default_factory=dict)
    n: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: str = ""

    @property
    def reads(self) -> str:
        """What is read, in words."""
        what = "the prompt" if self.template is None else " and ".join(dict.fromkeys(_PLACE.findall(self.template)))
        if self.needs:
            where = f"after block {self.layer} at token {self.position} of {what}"
            return f"the hidden state of the model that is asked, {where}"
        return f"{what}, as text" if self.kind == "head on text" else f"{what}, as read by {self.base.get('address')}"

    @property
    def needs(self) -> frozenset[str]:
        """What the model that is asked must be able to do."""
        states = self.kind in ("head on hidden states", "nearest hidden states")
        return frozenset({"hidden_states"} if states else ())


class SavedConfidence(Protocol):
    """What `load` gives, of every kind."""

    @property
    def card(self) -> Card: ...

    async def confidence(self, cases: Sequence[Case], model: Model | None = None) -> np.ndarray:
        """Confidence (n,) in [0, 1], of what `card.target` says; model: who is asked, where `card.needs` anything."""

    def save(self, folder: str | Path) -> Path: ...


# --- a case as it is read --------------------------------------------------------------------------------------------


def text_of(case: Case, template: str) -> str:
    """The template with a case in it. ValueError: it speaks of an answer, and the case has none."""
    if "{answer}" in template and case.answer is None:
        raise ValueError(f"the template reads an answer, and there is none to {case.question[:80]!r}; leave it out")
    filled = {"question": case.question, "answer": case.answer or "", "model": case.model}
    # In one pass: braces in a question or an answer are its own.
    return _PLACE.sub(lambda found: filled[found[1]], template)


def prompt_of(case: Case, template: str | None) -> Prompt:
    """The filled template as a user's turn; the case's own prompt without one. ValueError: it has none."""
    if template is not None:
        return Prompt.user(text_of(case, template))
    if case.prompt is None:
        raise ValueError(f"the case {case.question[:80]!r} has no prompt; give Case.prompt, or a template")
    return case.prompt


def identity_of(model: Model) -> dict[str, Any]:
    """What of a model's identity says whose hidden states these are: address, and hashes of weights and texts."""
    keys = ("weights", "config", "tokenizer", "adapter", "chat_template")
    return {"address": model.address, **{key: model.identity.get(key) for key in keys}}


def check_same(card: Card, model: Model, what: str) -> None:
    """DoxaError: the model is another one than the card's, by its files (whatever its address)."""
    now = identity_of(model)
    other = [key for key, then in card.base.items() if key != "address" and then != now.get(key)]
    if other:
        raise DoxaError(
            f"{what} was made with {card.base.get('address')!r}; {model.address!r} is another model: its "
            f"{' and '.join(other)} differ. Train anew with it, or use the model that it was made with."
        )


# --- the card on disk ------------------------------------------------------------------------------------------------


def write_card(folder: Path, card: Card) -> None:
    """Keep a card beside its files, with their hash; called when they are all there."""
    written = {"version": VERSION, **asdict(replace(card, files=_hash(folder)))}
    (folder / CARD).write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_card(folder: str | Path) -> Card:
    """A folder's card. DoxaError: none there, of another version, or beside other files than it was written with."""
    path = Path(folder)
    if not (path / CARD).is_file():
        raise DoxaError(f"{str(folder)!r} holds no saved confidence: it has no {CARD}")
    written = json.loads((path / CARD).read_text(encoding="utf-8"))
    if (version := written.pop("version", None)) != VERSION:
        raise DoxaError(f"{str(folder)!r} holds a saved confidence of version {version}; this doxa reads {VERSION}")
    card = Card(**{**written, "words": tuple(written["words"]) if written["words"] else None})
    if card.files != _hash(path):
        raise DoxaError(f"the files in {str(folder)!r} are not those that its card was written with; save it anew")
    return card


def _hash(folder: Path) -> str:
    return files_hash(folder / name for name in (SETTINGS, ARRAYS, lora.CONFIG, lora.WEIGHTS))
