"""What starting costs, told by the modules that are imported and not by a clock."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "transformers", "scipy", "sklearn", "altair", "duckdb", "datasets", "pyarrow", "aiohttp", "pandas"}
SOURCE = str(Path(__file__).parents[1] / "src")


def imported(*lines: str) -> set[str]:
    """Top-level modules in a new process after these lines; what they print or exit with does not matter."""
    program = "\n".join(
        [
            "import sys, json, io, contextlib",
            f"sys.path.insert(0, {SOURCE!r})",
            "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):",
            *(f"    {line}" for line in lines),
            "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))",
        ]
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "lines",
    [
        ["import doxa"],
        ["from doxa.cli import main", "main(['--help'])"],
        ["from doxa.cli import main", "main(['audit', '--help'])"],
    ],
    ids=["import doxa", "doxa --help", "doxa audit --help"],
)
def test_starting_imports_nothing_heavy(lines):
    assert not imported(*lines) & (HEAVY | {"numpy", "polars", "rich"})


@pytest.mark.parametrize("command", [["studies"], ["studies", "kable"], ["run", "kable", "--help"]], ids=" ".join)
def test_the_catalogue_needs_no_heavy_package(command):
    assert not imported("from doxa.cli import main", f"main({command!r})") & (HEAVY | {"polars"})
