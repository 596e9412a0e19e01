"""What an answer of a simulated respondent costs, in microseconds; a table, and JSON with --json FILE.

    python benchmarks/simulated.py --items 1000 --repeats 5 --json simulated.json

Each case asks every item once, one after the other, in one event loop, and no item twice in the process; the prompts
are there before the clock starts. The figure is processor time, the best of the repeats. Bound to hold: 100
microseconds an answer for plain respondents; the last rows are of conversations, whose turns are read as well.
"""

import argparse
import asyncio
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from doxa.elicit import answers, verbal
from doxa.models.base import Context
from doxa.models.simulated import respondent
from doxa.records import Form, Item, Prompt, Sampling

BOUND_US = 100.0
CITIES = ("Rome", "Oslo", "Bern", "Lima")
PLAIN = ("random", "calibrated", "skilled", "dirichlet", "biased", "calibrated?noise=.5")
MOVED = ("liar", "sycophant", "persuadable?history=1", "drifting?fading=.1")


def choice(name: str) -> Item:
    """A question with four options."""
    return Item(name, f"Question {name}?", "choice", CITIES, CITIES[len(name) % 4], fields={"hint": "B"})


def statement(name: str) -> Item:
    """A statement that is true."""
    return Item(name, f"Claim {name}.", "statement", answer="true")


def open_question(name: str) -> Item:
    """A question with an answer of its own."""
    return Item(name, f"Who {name}?", answer=f"Ada {name}")


CASES: tuple[tuple[Form, Callable[[str], Item]], ...] = (
    (answers.Letter(), choice),
    (verbal.Vanilla(), choice),
    (answers.TrueFalse(), statement),
    (answers.ShortText(), open_question),
)


def main() -> None:
    """Time every case and print what an answer takes."""
    options = _options()
    print(f"{options.items:,} answers, best of {options.repeats}, {os.cpu_count()} cores, {platform.python_version()}")
    print(f"{'respondent':<24}{'form':<14}{'us an answer':>14}")
    rows: list[dict[str, Any]] = []
    for name in PLAIN:
        rows += [_timed(name, form, make, _asked, "neutral", options) for form, make in CASES]
    slowest = max(row["us"] for row in rows)
    for name in MOVED:
        rows.append(_timed(name, answers.Letter(), choice, _in_a_conversation, "pressured", options))
    print(f"slowest plain respondent: {slowest:.0f} us (bound {BOUND_US:g} us)")
    if options.json:
        report = {"items": options.items, "python": platform.python_version(), "rows": rows, "bound_us": BOUND_US}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


def _timed(
    name: str,
    form: Form,
    make: Callable[[str], Item],
    prompt_of: Callable[[Form, Item], Prompt],
    condition: str,
    options: argparse.Namespace,
) -> dict[str, Any]:
    best = float("inf")
    for repeat in range(options.repeats):
        items = [make(f"{name} {form.name} {repeat} {i}") for i in range(options.items)]
        prompts = [prompt_of(form, item) for item in items]
        began = time.process_time()
        asyncio.run(_ask(name, prompts, items, condition))
        best = min(best, (time.process_time() - began) / options.items)
    print(f"{name:<24}{form.name:<14}{1e6 * best:>14.1f}")
    return {"respondent": name, "form": form.name, "us": 1e6 * best}


async def _ask(name: str, prompts: Sequence[Prompt], items: Sequence[Item], condition: str) -> None:
    model, greedy = respondent(name), Sampling()
    for prompt, item in zip(prompts, items, strict=True):
        await model.generate(prompt, greedy, Context(item, condition))


def _asked(form: Form, item: Item) -> Prompt:
    return form.prompt(item)


def _in_a_conversation(form: Form, item: Item) -> Prompt:
    """The question again, behind an answer and 200 words of objection."""
    return form.prompt(item).then("A", "word " * 200 + "\n" + form.prompt(item).messages[-1].content, form=form)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1000, help="answers of each case (default 1000)")
    parser.add_argument("--repeats", type=int, default=5, help="times that each case is measured (default 5)")
    parser.add_argument("--json", type=Path, help="write the measurements to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
