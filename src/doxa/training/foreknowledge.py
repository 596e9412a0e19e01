"""P(IK) of a model's questions: by a head on hidden states, by words, and by an adapter and a head trained together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from doxa.metrics.inputs import Floats
from doxa.metrics.self_knowledge import Foreknown
from doxa.models.base import Model
from doxa.probes.foreknowledge import Predict, Questions, learnable, stacked
from doxa.records import Prompt
from doxa.training.cases import Case
from doxa.training.supervised import Settings, train

if TYPE_CHECKING:
    import polars as pl

IK = "P(IK)"
WORDS, STATED, ADAPTED = f"{IK} from words", f"{IK} stated", f"{IK} of an adapter"
ENTROPY, LOSS = "entropy of answers", "token loss"
BASELINES = (WORDS, STATED, ENTROPY, LOSS)


@dataclass(frozen=True, eq=False)
class Knowledge:
    """n questions of one model, and how it is foretold whether it will answer them.

    model      who answered; "" without a row
    questions  states, texts and shares; test: (n,) what was not learnt from
    items      (n,) ids; samples: (n,) how many; unread: (n,) share of these; popularity: (n,), nan where it is not
               known; splits: (n,) of a fact of the bank
    said       way -> number (n,) that is higher where an answer is to be expected; nan where there is none. The ways
               that begin with "P(IK)" are probabilities; entropy and loss have been made exp(-x)
    predict    the head: states (m, d) -> P(IK) (m,); None: too little to learn from, or no states
    """

    model: str
    questions: Questions
    items: np.ndarray
    samples: np.ndarray
    unread: Floats
    popularity: Floats
    splits: np.ndarray
    said: dict[str, Floats]
    predict: Predict | None

    @classmethod
    def of(cls, table: pl.DataFrame, train: np.ndarray) -> Knowledge:
        """From rows of a question each: item, group, kind, question, truth, samples, unread, popularity, split, state,
        answered_by, confidence, stated, entropy and loss.

        A recorded confidence takes the place of the head. train: (n,) rows that may be learnt from
        """
        item, group, kind, split = (table[name].to_numpy().astype(str) for name in ("item", "group", "kind", "split"))
        named = ("truth", "samples", "unread", "popularity", "confidence", "stated", "entropy", "loss")
        numbers = {name: table[name].cast(float).fill_null(float("nan")).to_numpy() for name in named}
        states, texts = stacked(table["state"].to_list()), table["question"].to_list()
        questions = Questions(states, texts, numbers["truth"], group, kind, train)
        predict = questions.by_states()
        head = np.full(len(table), np.nan) if predict is None else predict(questions.states)
        recorded = numbers["confidence"]
        said = {IK: np.where(np.isfinite(recorded), recorded, head), WORDS: questions.by_words()}
        said |= {STATED: numbers["stated"], ENTROPY: np.exp(-numbers["entropy"]), LOSS: np.exp(-numbers["loss"])}
        samples, unread = numbers["samples"].astype(int), numbers["unread"] / np.maximum(numbers["samples"], 1)
        model = str(table["answered_by"][0]) if len(table) else ""
        return cls(model, questions, item, samples, unread, numbers["popularity"], split, said, predict)

    def saying(self, way: str, p: Floats) -> Knowledge:
        """The same with one more way to tell."""
        return replace(self, said={**self.said, way: p})

    @property
    def test(self) -> np.ndarray:
        return ~self.questions.train

    def foreknown(self, way: str = IK, among: np.ndarray | None = None, p: Floats | None = None) -> Foreknown:
        """Test questions (of a mask, if given) on which this way says anything."""
        said = self.said[way] if p is None else p
        every = Foreknown(said, self.questions.rate, self.samples, self.questions.groups)
        keep = self.test & np.isfinite(said)
        return every.where(keep if among is None else keep & among)

    def trained_on(self, among: np.ndarray, rate: Floats | None = None) -> Floats:
        """P(IK) (n,) by a head learnt from these questions alone, or from another model's shares; nan: too few."""
        predict = self.questions.by_states(among, rate)
        nothing = np.full(len(self.samples), np.nan)
        return nothing if predict is None else predict(self.questions.states)

    def adapted(self, model: Model, settings: Settings, save: str | None = None) -> Floats:
        """P(IK) (n,) of the test questions by an adapter that learns from the others; questions as single turns."""
        of, prompts = self.questions, [Prompt.user(text) for text in self.questions.texts]
        found = np.full(len(prompts), np.nan)
        chosen = [
            [prompt for prompt, keep in zip(prompts, mask, strict=True) if keep] for mask in (of.train, self.test)
        ]
        learn = of.rate[of.train], of.groups[of.train]
        found[self.test] = by_adapter(model, chosen[0], *learn, chosen[1], settings=settings, save=save)
        return found


def by_adapter(
    model: Model,
    prompts: Sequence[Prompt],
    rate: Floats,
    groups: np.ndarray,
    asked: Sequence[Prompt],
    *,
    settings: Settings | None = None,
    save: str | None = None,
) -> Floats:
    """P(IK) (m,) of the `asked` prompts, learnt from n prompts and the share (n,) of samples that were right.

    Loss on the last token alone. The adapter is taken away again.

    save     a folder to keep adapter and head in
    returns  nan where there is too little to learn from
    source   Kadavath et al. 2022, arXiv 2207.05221, where the whole model is tuned
    raises   as `training.supervised.train`
    """
    if not learnable(rate, groups) or not asked:
        return np.full(len(asked), np.nan)
    cases = [Case(prompt.show(), prompt=prompt) for prompt in prompts]
    judge = train(model, cases, rate, by="head", settings=settings)
    try:
        if save:
            judge.save(save)
        return judge.predict([Case(prompt.show(), prompt=prompt) for prompt in asked])
    finally:
        judge.close()
