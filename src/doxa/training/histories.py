"""Correctness predictors learnt from histories: of one model or of many, from all that was said or from less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from doxa.metrics.inputs import Floats
from doxa.metrics.judged import Matrix
from doxa.models.base import Model
from doxa.probes.texts import TextConfidence
from doxa.training.cases import CORRECT, JUDGE, KNOWS, Card, Case, text_of
from doxa.training.correctness import CorrectnessModel
from doxa.training.saved import WordConfidence
from doxa.training.supervised import Say, Settings, train

if TYPE_CHECKING:
    import polars as pl

Inputs = Literal["full", "answer only", "answerless", "no names"]
INPUTS: tuple[Inputs, ...] = ("full", "answer only", "answerless", "no names")
L2 = (1e-2, 1e-3, 1e-4)
FEWEST = 20  # records with both verdicts among them, below which nothing is learnt
FOLDS = 3

# What a head on words reads. The name stands before the question and behind the response, so that pairs of words hold
# something of what this model knows of that subject.
READ: dict[Inputs, str] = {
    "full": "{model} {question}\n{answer} {model}",
    "answer only": "{model} {question}\n{answer} {model}",
    "answerless": "{model} {question}\n{model}",
    "no names": "{question}\n{answer}",
}
_WORD = "Reply with one word, yes or no, in lower case."
# What a trained judge is asked.
ASKED: dict[Inputs, str] = {
    "full": JUDGE,
    "answer only": JUDGE,
    "answerless": f"Will {{model}} answer this question correctly?\nQuestion: {{question}}\n{_WORD}",
    "no names": f"Is this answer correct?\nQuestion: {{question}}\nAnswer: {{answer}}\n{_WORD}",
}


@dataclass(frozen=True, eq=False)
class History:
    """n graded responses. cases: whose `answer` is the whole response; finals: the answers alone; groups: questions."""

    cases: tuple[Case, ...]
    finals: tuple[str, ...]
    correct: Floats
    groups: np.ndarray

    @classmethod
    def of(cls, table: pl.DataFrame) -> History:
        """From graded rows with columns question, text (the response), answered_by, answer, correct and group."""
        columns = table.select("question", "text", "answered_by").iter_rows()
        cases = tuple(Case(question, text, model=name) for question, text, name in columns)
        finals = tuple(answer or text for answer, text in table.select("answer", "text").iter_rows())
        return cls(cases, finals, table["correct"].to_numpy().astype(float), table["group"].to_numpy().astype(str))

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def models(self) -> np.ndarray:
        """(n,) who answered."""
        return np.array([case.model for case in self.cases], dtype=object)

    def where(self, keep: np.ndarray) -> History:
        """The records that a mask (n,) keeps, or that indices name."""
        chosen = np.flatnonzero(keep) if keep.dtype == bool else keep
        cases, finals = tuple(self.cases[i] for i in chosen), tuple(self.finals[i] for i in chosen)
        return History(cases, finals, self.correct[chosen], self.groups[chosen])

    def subsample(self, n: int, *, seed: int = 0) -> History:
        """n records at random, all of them if there are no more: many models' history at the price of one's."""
        if n >= len(self):
            return self
        return self.where(np.sort(np.random.default_rng(seed).permutation(len(self))[:n]))

    def shown(self, inputs: Inputs) -> list[Case]:
        """Cases as they are read: with the answer alone where nothing else of the response is to be seen."""
        if inputs != "answer only":
            return list(self.cases)
        return [replace(case, answer=final) for case, final in zip(self.cases, self.finals, strict=True)]

    @property
    def learnable(self) -> bool:
        """Whether there is enough, right and wrong, to learn from."""
        right = self.correct.sum()
        return len(self) >= FEWEST and 0 < right < len(self) and len(set(self.groups)) >= FOLDS


def learn_words(
    history: History, inputs: Inputs = "full", *, l2: Sequence[float] = L2, seed: int = 0
) -> WordConfidence:
    """A logistic head on words and pairs of words; the penalty is chosen over folds that keep questions together.

    raises  ValueError: one class, too few questions
    """
    template, cases = READ[inputs], history.shown(inputs)
    texts = [text_of(case, template) for case in cases]
    head = TextConfidence.fit(texts, history.correct, groups=history.groups, l2=l2, folds=FOLDS, seed=seed)
    target = CORRECT if "{answer}" in template else KNOWS
    return WordConfidence(head, Card("head on text", target, template=template, n=len(history), settings=head.settings))


def predict_words(head: WordConfidence, history: History, inputs: Inputs = "full") -> Floats:
    """Confidence (n,) of a head in each record of a history."""
    template = head.card.template or READ[inputs]
    return head.head.predict([text_of(case, template) for case in history.shown(inputs)]) if len(history) else _NOTHING


def learn_judge(
    model: Model,
    history: History,
    inputs: Inputs = "full",
    *,
    settings: Settings | None = None,
    say: Say | None = None,
) -> CorrectnessModel:
    """An adapter beside a local model, trained to say yes or no: cross-entropy on the last token only.

    source  arXiv 2509.24988: rank 32, alpha 16, q and v, learning rate 1e-5, 1 epoch, batch 16 for an 8B model
    raises  as `training.supervised.train`
    """
    cases = history.shown(inputs)
    return train(model, cases, history.correct, by="words", template=ASKED[inputs], settings=settings, say=say)


def predict_judge(judge: CorrectnessModel, history: History, inputs: Inputs = "full") -> Floats:
    """Confidence (n,) of a trained judge in each record of a history."""
    return judge.predict(history.shown(inputs))


_NOTHING = np.empty(0)

# --- whose history is learnt from ------------------------------------------------------------------------------------

OWN, ALL, FEW, OTHERS = "own history", "all histories", "all histories, as few", "others' histories"
Learner = Callable[[History, History, Inputs], Floats]  # what is learnt from, what is judged, what is read of it


def words_learner(history: History, asked: History, inputs: Inputs) -> Floats:
    """A head on words, learnt and asked."""
    return predict_words(learn_words(history, inputs), asked, inputs)


def by_history(past: History, asked: History, learner: Learner = words_learner) -> dict[str, Floats]:
    """Confidence (n,) in each record of `asked` by whose history was learnt from; nan where there was too little.

    OWN      the history of the model that answered (a specific correctness model)
    ALL      all models' (a generalized one); FEW: so many records of it at random as the model's own history has
    OTHERS   all other models', without names: the model that answered was never seen
    """

    def learnt(of: Callable[[str], History], inputs: Inputs = "full") -> Floats:
        found = np.full(len(asked), np.nan)
        for model in dict.fromkeys(asked.models.tolist()):
            history, mine = of(model), asked.models == model
            if history.learnable:
                found[mine] = learner(history, asked.where(mine), inputs)
        return found

    def own(model: str) -> History:
        return past.where(past.models == model)

    every = learner(past, asked, "full") if past.learnable and len(asked) else np.full(len(asked), np.nan)
    found = {OWN: learnt(own), ALL: every}
    if len(set(past.models)) > 1:
        found[FEW] = learnt(lambda model: past.subsample(len(own(model))))
        found[OTHERS] = learnt(lambda model: past.where(past.models != model), "no names")
    return found


def by_inputs(past: History, asked: History, learner: Learner = words_learner) -> dict[str, Floats]:
    """Confidence (n,) by what is read of each record, learnt from all histories; empty with too little to learn from.

    "full" is not repeated here: it is `by_history`'s ALL.
    """
    if not past.learnable or not len(asked):
        return {}
    return {str(inputs): learner(past, asked, inputs) for inputs in INPUTS[1:]}


def trained(
    models: Sequence[Model], past: History, asked: History, how: Settings, *, save: str | None = None
) -> dict[str, Floats]:
    """Confidence (n,) by each local model trained on all histories, and on those of the asked models in as many steps.

    save  a folder to keep the judge of all histories in, the last model's; without models the head on words
    """
    found: dict[str, Floats] = {}
    if not past.learnable or not len(asked):
        return found
    mine = past.where(np.isin(past.models, np.unique(asked.models)))
    for model in models:
        for whose, history in ((ALL, past), (OWN, mine)):
            if history.learnable:
                times = max(1, round(len(past) / len(history)))
                judge = learn_judge(model, history, settings=replace(how, epochs=how.epochs * times))
                try:
                    found[f"judge {model.address}, {whose}"] = predict_judge(judge, asked)
                    if save and whose == ALL:
                        judge.save(save)
                finally:
                    judge.close()
    if save and not models:
        learn_words(past).save(save)
    return found


def crossed(models: Sequence[Model], known: pl.DataFrame, how: Settings) -> Matrix | None:
    """The first two of these models, each trained on the history of each of them, as judges of its test responses.

    known    graded rows as `History.of` takes them, with columns item and part; models are known by their addresses
    returns  None: fewer than two models that have a history, or no question that both are tested on
    """
    import polars as pl

    names = [model.address for model in models[:2]]
    test = known.filter(pl.col("part") == "test")
    tested = [set(test.filter(pl.col("answered_by") == name)["item"].to_list()) for name in names]
    if len(names) < 2 or not (shared := tested[0] & tested[1]):
        return None
    cells, groups = {}, np.empty(0)
    for target in names:
        mine = known.filter(pl.col("answered_by") == target).unique("item", keep="first").sort("item")
        past = History.of(mine.filter(pl.col("part") == "train"))
        asked = History.of(mine.filter(pl.col("item").is_in(list(shared))))
        if not past.learnable:
            return None
        groups = asked.groups
        for model in models[:2]:
            judge = learn_judge(model, past, settings=how)
            try:
                cells[model.address, target] = predict_judge(judge, asked), asked.correct
            finally:
                judge.close()
    return Matrix(cells, tuple(names), groups)
