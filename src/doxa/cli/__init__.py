"""The command line: each command is a few lines that call the library."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence

import click

from doxa import __version__
from doxa.cli.asking import audit, run, score
from doxa.cli.calibrate import calibrate
from doxa.cli.doctor import doctor
from doxa.cli.organism import organism
from doxa.cli.panel import panel
from doxa.cli.stored import compare, query, report, studies
from doxa.cli.validate import validate

FAILED, INTERRUPTED = 2, 130  # exit codes; 0: done


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="doxa")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks; may stand anywhere on the line.")
def cli() -> None:
    """Doxa: what a model believes, whether it says so, and whether its confidence can be trusted.

    Begin with `doxa audit` (the embedded model, no network, no key) or `doxa studies`.
    """


for command in (audit, run, score, report, compare, query, studies, calibrate, validate, organism, panel, doctor):
    cli.add_command(command)


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point: errors are one readable message on stderr with exit code 2; tracebacks only with --debug."""
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args or bool(os.environ.get("DOXA_DEBUG"))
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        try:
            # Without click's standalone mode, what a command gives to click's Exit comes back as a value.
            ended = cli.main(args=[a for a in args if a != "--debug"], prog_name="doxa", standalone_mode=False)
            code = ended if isinstance(ended, int) else 0
        except click.exceptions.Abort:
            code = INTERRUPTED
        except Exception as error:
            if debug:
                traceback.print_exc()
            code = _fail(error)
    sys.exit(code)


def _fail(error: Exception) -> int:
    """Show an error; the exit code."""
    if isinstance(error, click.ClickException):
        error.show()
        return FAILED
    from doxa.records import DoxaError

    text = "\n".join([str(error), *getattr(error, "__notes__", ())])
    if not isinstance(error, (DoxaError, ValueError, OSError)):
        text = f"unexpected {type(error).__name__}: {text}\nThis is a fault of Doxa's; --debug shows where."
    click.echo(f"Error: {text}", err=True)
    return int(getattr(error, "exit_code", FAILED))
