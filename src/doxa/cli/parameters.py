"""What several commands take: how to reach a model, how much to ask, the options of the studies named on the line."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from doxa.models import Model

FOLDER_PATH = click.Path(path_type=Path)
DEFAULT_MODEL = "organism:atlas"


def _together(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Several options as one decorator, in the order in which --help shows them."""
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


model_options = _together(  # how to reach the model
    click.option("--base-url", metavar="URL", help="Server of an endpoint:, e.g. http://127.0.0.1:8000/v1."),
    click.option("--api-key-env", metavar="NAME", help="Environment variable with its key. [default: OPENAI_API_KEY]"),
    click.option("--device", metavar="NAME", help="cpu, cuda or mps, for local models."),
    click.option("--dtype", metavar="NAME", help="float32, bfloat16, ... for local models."),
    click.option("--trust-remote-code", is_flag=True, help="Let a model's own code run. Off unless asked for."),
    click.option("--columns", metavar="MAP", help="Columns of a recorded: file, e.g. item=question_id,text=output."),
    click.option("--price", metavar="IN,OUT", help="Money per million input and output tokens, for the plan."),
    click.option("--concurrency", type=click.IntRange(1), help="Items in flight. [default: by the model]"),
)
run_options = _together(  # how much to ask and where to keep it
    click.option("--limit", type=click.IntRange(1), help="Ask only the first so many items."),
    click.option("--seed", default=0, show_default=True, help="Seed of sampling and of shuffles."),
    click.option("--out", type=FOLDER_PATH, help="Run folder. [default: a name under runs/, one per configuration]"),
    click.option("--fresh", is_flag=True, help="Begin again: the readings in the run folder are removed."),
    click.option("--plan", "plan_only", is_flag=True, help="Say what it would cost, ask nothing."),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
)
calibrator_options = _together(  # what earlier answers say of confidence
    click.option("--calibrator", type=FOLDER_PATH, metavar="FILE", help="Also show confidences calibrated by FILE."),
    click.option("--calibrator-anyway", is_flag=True, help="Even if it was fitted on another model or way."),
)
null_option = click.option("--null", is_flag=True, help="Shuffle the truth: what the pipeline makes of nothing.")


class StudyCommand(click.Command):
    """A command whose flags grow by the options of the studies named on its line."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from doxa import studies
        from doxa.catalogue import OPTION, click_options

        known, given = set(studies.names()), list(args)
        named = dict.fromkeys(name for name in (a.replace("_", "-") for a in args) if name in known)
        own = [p for p in self.params if not (p.name or "").startswith(OPTION)]
        self.params = [*own, *click_options([studies.load(name) for name in named])]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            for name in list(takewhile(lambda a: not a.startswith("-"), given))[: 1 if self.name == "score" else None]:
                studies.load(name)  # a misspelt study has no options: the name is what is wrong
            raise


def load_model(address: str, given: dict[str, Any]) -> Model:
    from doxa.models import load
    from doxa.models.base import Price

    columns, price = given["columns"], given["price"]
    try:
        pairs = dict(pair.split("=", 1) for pair in columns.split(",")) if columns else None
    except ValueError:
        raise click.BadParameter(f"{columns!r} is not NAME=COLUMN,NAME=COLUMN", param_hint="--columns") from None
    try:
        cost = Price(*(float(x) for x in price.split(","))) if price else None
    except (TypeError, ValueError):
        raise click.BadParameter(f"{price!r} is not two numbers, as in 2.5,10", param_hint="--price") from None
    plain = {name: given[name] for name in ("base_url", "api_key_env", "device", "dtype", "trust_remote_code")}
    concurrency = given["concurrency"] if address.startswith("endpoint:") else None
    return load(address, columns=pairs, price=cost, concurrency=concurrency, **plain)
