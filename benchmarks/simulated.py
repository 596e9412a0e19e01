"""What an answer of a simulated respondent costs, in microseconds of processor time.

    PYTHONPATH=src python benchmarks/simulated.py [--items 1000] [--repeats 5]

Each case asks every item once, one after the other, in one event loop, and no item twice in the process; the prompts
are there before the clock starts. The figure is the best of the repeats. The last rows are of conversations, whose
turns are read as well.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from benchmark import Row, at_most, command, shown

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


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--items", type=int, default=1000, help="answers of each case (default 1000)")
    parser.add_argument("--repeats", type=int, default=5, help="times that each case is measured (default 5)")


def rows(args: argparse.Namespace) -> Iterator[Row]:
    repeats = 1 if args.quick else args.repeats
    for name in PLAIN:
        for form, make in CASES:
            cost = _timed(name, form, make, _asked, "neutral", args.items, repeats)
            yield at_most(f"{name}, {form.name}", cost, "us", BOUND_US)
    for name in MOVED:
        cost = _timed(name, answers.Letter(), choice, _in_a_conversation, "pressured", args.items, repeats)
        yield shown(f"{name}, in a conversation", cost, "us")


def _timed(
    name: str,
    form: Form,
    make: Callable[[str], Item],
    prompt_of: Callable[[Form, Item], Prompt],
    condition: str,
    n: int,
    repeats: int,
) -> float:
    best = float("inf")
    for repeat in range(repeats):
        items = [make(f"{name} {form.name} {repeat} {i}") for i in range(n)]
        prompts = [prompt_of(form, item) for item in items]
        began = time.process_time()
        asyncio.run(_ask(name, prompts, items, condition))
        best = min(best, (time.process_time() - began) / n)
    return 1e6 * best


async def _ask(name: str, prompts: Sequence[Prompt], items: Sequence[Item], condition: str) -> None:
    model, greedy = respondent(name), Sampling()
    for prompt, item in zip(prompts, items, strict=True):
        await model.generate(prompt, greedy, Context(item, condition))


def _asked(form: Form, item: Item) -> Prompt:
    return form.prompt(item)


def _in_a_conversation(form: Form, item: Item) -> Prompt:
    """The question again, behind an answer and 200 words of objection."""
    return form.prompt(item).then("A", "word " * 200 + "\n" + form.prompt(item).messages[-1].content, form=form)


if __name__ == "__main__":
    command(rows, __doc__, arguments)
