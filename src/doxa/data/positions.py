"""Positions to hold: survey topics, dilemmas, requests and facts, each with a statement for and one against."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from doxa.data.facts import Fact, facts
from doxa.data.render import choice_item, clause, most_options, paraphrases, sentence
from doxa.records import DoxaError, Item

Side = Literal["support", "oppose"]
SIDES: tuple[Side, Side] = ("support", "oppose")
KINDS = ("fact", "survey", "dilemma", "safety")
OWN: Mapping[str, str] = {"facts": "fact", "topics": "survey", "dilemmas": "dilemma", "safety": "safety"}
"""Name of an own set -> the kind of its items. The texts of positions.jsonl were written for this project, CC0 1.0."""

FILE = Path(__file__).parent / "positions.jsonl"
UNRELATED = 20  # statements of filler to a fact
OPTION_SEED = 1000  # seeds of wrong answers from here on are never used in training an organism


def other(side: str) -> Side:
    """The other side."""
    return "oppose" if side == "support" else "support"


def positions(source: str, n: int) -> list[Item]:
    """Up to n items with two options, the first supports; a file is used whole.

    source   "facts" (of the bank), "topics", "dilemmas", "safety" (our own), or a file: JSONL of the published
             disagreements, JSONL or JSON of one's own, YAML of topics as published
    fields   kind; statements: {support, oppose, neutral}; reasons: {support: [...], oppose: [...]}, may be empty;
             acts: {support, oppose}, what one does who holds that side; task: what has to be done, free of beliefs
             unrelated: sentences of filler, of facts only
    raises   DoxaError: no such set or file; a row without both statements
    """
    if source == "facts":
        return fact_positions(n)
    if source in OWN:
        return [item for item in _own() if item.fields["kind"] == OWN[source]][:n]
    path = Path(source)
    if not path.is_file():
        raise DoxaError(f"set is {source!r}; it is one of {', '.join(OWN)}, or a file of positions, and there is none")
    return list(_from_file(path))


@cache
def _own() -> tuple[Item, ...]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return tuple(_item(json.loads(line), f"{FILE.name}:{i}") for i, line in enumerate(lines, 1))


def _item(row: Mapping[str, Any], where: str) -> Item:
    """An item from one of our rows, in which everything two-sided is a pair: for, against."""
    statements = {side: str(row.get(side) or "") for side in SIDES}
    if not all(statements.values()):
        raise DoxaError(f"{where}: no text at 'support' and 'oppose'; both are statements. It has {', '.join(row)}")
    about = str(row.get("about") or row.get("query") or "")
    neutral = str(row.get("neutral") or f"There is as much to be said for {about or 'the one'} as against it")
    kind = str(row.get("kind") or "survey")
    if kind not in KINDS:
        raise DoxaError(f"{where}: kind is {kind!r}; it is one of {', '.join(KINDS)}")
    return Item(
        f"{kind}/{row.get('id', where)}",
        str(row.get("query") or about),
        "choice",
        (statements["support"], statements["oppose"]),
        fields={
            "kind": kind,
            "about": about,
            "statements": {**statements, "neutral": neutral},
            "reasons": dict(zip(SIDES, row.get("reasons") or ((), ()), strict=True)),
            "acts": dict(zip(SIDES, row.get("acts") or statements.values(), strict=True)),
            "task": str(row.get("role") or row.get("query") or about),
        },
    )


# --- facts -----------------------------------------------------------------------------------------------------------


def fact_positions(n: int) -> list[Item]:
    """n well-spread facts as a choice between the right answer and a wrong one; which of them is `support` varies.

    The options are the answers; the statements say them in the words of the bank, the reasons in its other words. The
    action is to fill in the answer where the question is open.
    """
    known = [fact for fact in facts() if fact.split == "shown" and most_options(fact) >= 2]
    step = max(len(known) / max(n, 1), 1.0)
    return [_fact(known[int(i * step)], known) for i in range(min(n, len(known)))]


def _unrelated(fact: Fact, known: Sequence[Fact]) -> list[str]:
    """True statements about other things, of other relations: filler in the words of the bank."""
    drawn = random.Random(f"unrelated/{fact.id}").sample(known, 60)
    return [sentence(clause(f, f.answer)) for f in drawn if f.relation != fact.relation][:UNRELATED]


def _fact(fact: Fact, known: Sequence[Fact]) -> Item:
    item = choice_item(fact, 2, seed=OPTION_SEED)
    wordings = range(paraphrases(fact.relation)[1])
    said = {s: [sentence(clause(fact, a, paraphrase=p)) for p in wordings] for s, a in _by_side(item.options)}
    statements: dict[str, str] = {side: texts[0] for side, texts in said.items()}
    extra = {
        "kind": "fact",
        "about": item.text,
        "statements": {**statements, "neutral": "Both answers are as likely"},
        "reasons": {side: texts[1:] for side, texts in said.items()},
        "acts": dict(_by_side(item.options)),
        "task": item.text,
        "unrelated": _unrelated(fact, known),
    }
    return replace(item, fields={**item.fields, **extra})


def _by_side(pair: Sequence[str]) -> Iterator[tuple[Side, str]]:
    return zip(SIDES, pair, strict=True)


def right_side(item: Item) -> str:
    """The side that is true; "" where none is known to be."""
    return SIDES[item.options.index(item.answer)] if item.answer in item.options else ""


# --- files -----------------------------------------------------------------------------------------------------------


def _from_file(path: Path) -> Iterator[Item]:
    seen: set[str] = set()
    for i, row in enumerate(_rows(path), 1):
        where = f"{path.name}, row {i}"
        if not isinstance(row, Mapping):
            raise DoxaError(f"{where}: {row!r}; a row is an object with named fields")
        item = _item(_flat(row, i), where)
        if item.id in seen:
            raise DoxaError(f"{where}: id {item.id!r} was there before; items are named once")
        seen.add(item.id)
        yield item


def _rows(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        held = _yaml(path, text) if path.suffix in (".yaml", ".yml") else json.loads(text)
    except json.JSONDecodeError as error:
        raise DoxaError(f"{path}: not JSON, {error}") from None
    if isinstance(held, Mapping):
        held = held.get("survey", held.get("topics"))
    if not isinstance(held, list):
        raise DoxaError(f"{path}: no list of topics, nor one under 'survey' or 'topics'")
    return held


def _yaml(path: Path, text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError:
        raise DoxaError(
            f"{path}: reading YAML needs the package pyyaml; install it, or save the list as JSON"
        ) from None
    return yaml.safe_load(text)


def _flat(row: Mapping[str, Any], place: int) -> dict[str, Any]:
    """A row in the fields of ours, from these, from a published topic or a published disagreement."""
    inner = row.get("datapoint", row)
    statements = inner.get("statements", inner)
    dilemma, query = inner.get("moral_dilemma"), inner.get("query")
    kind = row.get("kind") or ("dilemma" if dilemma else "safety" if "datapoint" in row else "survey")
    task = inner.get("behavior_eval") or inner.get("role")
    named = {side: statements.get(side) or statements.get(f"{side}_statement") for side in (*SIDES, "neutral")}
    return {
        "id": row.get("id", place),
        "kind": kind,
        "about": inner.get("about") or inner.get("topic_name"),
        "query": dilemma or query or inner.get("topic_name"),
        "role": task if isinstance(task, str) else None,
        "reasons": inner.get("reasons"),
        "acts": inner.get("acts"),
        **named,
    }


def disagreements(path: Path) -> Iterator[tuple[str, ...]]:
    """Labels of the models in each row of a published file of disagreements, in the order of its fields."""
    for row in _rows(path):
        beliefs = row.get("init_belief") or {}
        yield tuple(str(beliefs[name]) for name in islice((k for k in beliefs if k.startswith("belief_label_")), None))
