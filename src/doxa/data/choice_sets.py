"""Published multiple-choice sets, known by their columns: MMLU, ARC, HellaSwag, WinoGrande, TruthfulQA and others.

From the hub ("owner/name" or "owner/name:configuration") or from a file in the same columns; never bundled.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from doxa.data import sets
from doxa.records import LETTERS, DoxaError, Item

Row = Mapping[str, Any]
Made = tuple[str, list[str], int]  # question, options, place of the right one


def choice_set(source: str, *, split: str = "test") -> list[Item]:
    """Items of a choice set; the question's place in the file is its id, `fields["set"]` the set's name.

    Read are the columns of MMLU and MMLU-Pro, ARC, OpenBookQA and CommonsenseQA, HellaSwag and GoldenSwag, PIQA, COPA,
    WinoGrande, SciQ, GPQA, TruthfulQA (mc1), MedQA and Social IQa; anything else as `sets.load` reads it. Where a set
    names the right answer and the wrong ones apart, their order is drawn by the question. An option that is there
    twice is shown once.

    raises  DoxaError: no such set, a row whose right option cannot be told, fewer than two options; FileNotFoundError
    """
    name, _, config = source.partition(":") if not Path(source).exists() else (source, "", "")
    rows = sets.raw_rows(name, split=split, config=config or None)
    convert = _converter(rows[0][1])
    stem = Path(name).stem if Path(name).suffix else name.replace("/", "-") + (f"-{config}" if config else "")
    if convert is None:
        items = sets.load(name, split=split, config=config or None, number_rows="id" not in rows[0][1])
        return [replace(item, fields={"set": stem, **item.fields}) for item in items if item.options]
    return [_item(where, f"{stem}/{i}", stem, row, convert) for i, (where, row) in enumerate(rows)]


def _item(where: str, item_id: str, name: str, row: Row, convert: Callable[[Row], Made]) -> Item:
    try:
        text, options, right = convert(row)
        answer = options[right] if right >= 0 else None
    except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise DoxaError(
            f"{where}: the right option cannot be told ({type(error).__name__}: {error}); it has {', '.join(row)}"
        ) from None
    shown = tuple(dict.fromkeys(option.strip() for option in options))
    if not text.strip() or len(shown) < 2 or not all(shown) or answer is None:
        raise DoxaError(f"{where}: question {text[:60]!r}, options {list(shown)}, answer {answer!r}; all are needed")
    return Item(item_id, text.strip(), "choice", shown, answer.strip(), fields={"set": name})


def _converter(row: Row) -> Callable[[Row], Made] | None:
    """How a set with such columns is read; None: by its own names, as any set."""
    return next((convert for columns, convert in _KNOWN if columns <= set(row) and _fits(convert, row)), None)


def _fits(convert: Callable[[Row], Made], row: Row) -> bool:
    """`choices` is a list of texts in one set and texts with labels in another."""
    return convert is not _listed or not isinstance(row["choices"], Mapping)


def _place(label: Any, count: int, first: int = 0) -> int:
    """A place given as a letter or as a number."""
    text = str(label).strip()
    place = int(text) - first if text.lstrip("-").isdigit() else LETTERS.index(text.upper())
    if not 0 <= place < count:
        raise ValueError(f"{label!r} is none of {count} options")
    return place


def _shuffled(text: str, right: str, wrong: list[str]) -> Made:
    options = [right, *wrong]
    random.Random(text).shuffle(options)
    return text, options, options.index(right)


def _labelled(row: Row) -> Made:
    """ARC, OpenBookQA, CommonsenseQA: texts with labels, the right one's label."""
    texts, labels = list(row["choices"]["text"]), [str(label) for label in row["choices"]["label"]]
    return str(row.get("question") or row["question_stem"]), texts, labels.index(str(row["answerKey"]))


def _listed(row: Row) -> Made:
    """MMLU: texts and the right one's number or letter."""
    options = [str(option) for option in row["choices"]]
    return str(row["question"]), options, _place(row["answer"], len(options))


def _numbered(row: Row) -> Made:
    """MMLU-Pro."""
    options = [str(option) for option in row["options"]]
    return str(row["question"]), options, _place(row["answer_index"], len(options))


def _keyed(row: Row) -> Made:
    """MedQA: options by letter."""
    keys = sorted(row["options"])
    return str(row["question"]), [str(row["options"][key]) for key in keys], keys.index(str(row["answer_idx"]))


def _endings(row: Row) -> Made:
    """HellaSwag, GoldenSwag: how does the text go on?"""
    options = [str(ending) for ending in row["endings"]]
    return f"{row['ctx']}\nHow does it go on?", options, _place(row["label"], len(options))


def _goal(row: Row) -> Made:
    """PIQA."""
    return str(row["goal"]), [str(row["sol1"]), str(row["sol2"])], _place(row["label"], 2)


def _cause(row: Row) -> Made:
    """COPA."""
    asked = "What was the cause?" if row["question"] == "cause" else "What happened as a result?"
    return f"{row['premise']} {asked}", [str(row["choice1"]), str(row["choice2"])], _place(row["label"], 2)


def _gap(row: Row) -> Made:
    """WinoGrande: which of two fills the gap?"""
    options = [str(row["option1"]), str(row["option2"])]
    return f"{row['sentence']}\nWhat belongs in the place of _?", options, _place(row["answer"], 2, first=1)


def _distractors(row: Row) -> Made:
    """SciQ."""
    wrong = [str(row[f"distractor{i}"]) for i in (1, 2, 3)]
    return _shuffled(str(row["question"]), str(row["correct_answer"]), wrong)


def _graduate(row: Row) -> Made:
    """GPQA."""
    wrong = [str(row[f"Incorrect Answer {i}"]) for i in (1, 2, 3)]
    return _shuffled(str(row["Question"]), str(row["Correct Answer"]), wrong)


def _truthful(row: Row) -> Made:
    """TruthfulQA, one right option: the set lists it first."""
    options, labels = list(row["mc1_targets"]["choices"]), list(row["mc1_targets"]["labels"])
    right = options[labels.index(1)]
    return _shuffled(str(row["question"]), right, [option for option in options if option != right])


def _social(row: Row) -> Made:
    """Social IQa."""
    options = [str(row[f"answer{letter}"]) for letter in "ABC"]
    return f"{row['context']} {row['question']}", options, _place(row["label"], 3, first=1)


_KNOWN: tuple[tuple[set[str], Callable[[Row], Made]], ...] = (
    ({"choices", "answerKey"}, _labelled),
    ({"question", "choices", "answer"}, _listed),
    ({"question", "options", "answer_index"}, _numbered),
    ({"question", "options", "answer_idx"}, _keyed),
    ({"ctx", "endings", "label"}, _endings),
    ({"goal", "sol1", "sol2", "label"}, _goal),
    ({"premise", "choice1", "choice2", "label"}, _cause),
    ({"sentence", "option1", "option2", "answer"}, _gap),
    ({"question", "correct_answer", "distractor1"}, _distractors),
    ({"Question", "Correct Answer", "Incorrect Answer 1"}, _graduate),
    ({"question", "mc1_targets"}, _truthful),
    ({"context", "question", "answerA", "answerB", "answerC", "label"}, _social),
)
