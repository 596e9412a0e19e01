"""Imports point one way: the table of parts and what each may know, compared with the real imports."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "doxa"

# Part: the parts that it may import besides itself. Parts are the folders and single files below src/doxa.
UP_TO_ELICIT = {"records", "charts", "metrics", "data", "models", "elicit"}
MAY_IMPORT: dict[str, set[str]] = {
    "records": set(),
    "metrics": set(),
    "charts": {"records"},
    "data": {"records"},
    "models": {"records"},
    "elicit": {"records", "models"},
    "simulation": {"records", "models", "elicit"},
    "probes": {"metrics"},
    "training": {"records", "models", "probes", "metrics", "elicit"},
    "organisms": UP_TO_ELICIT | {"simulation", "probes", "training"},
    "planted": {"records", "models"},
    "study": {"records", "models", "planted"},
    "runs": {"records", "models", "study"},
    "studies": UP_TO_ELICIT | {"simulation", "probes", "training", "organisms", "study", "planted"},
    "validation": {"records", "charts", "metrics", "models", "study", "planted", "runs"},
    "audit": UP_TO_ELICIT
    | {"probes", "training", "organisms", "study", "planted", "studies", "runs", "validation", "calibration"},
    "report": {"records", "charts", "metrics", "runs"},
    "calibration": {"records", "charts", "metrics", "study", "runs"},
    "confidence": {"records", "charts", "metrics", "models", "training", "study", "runs", "calibration"},
    "doctor": {"records", "models", "organisms"},
    "catalogue": {"study", "studies"},
    "cli": UP_TO_ELICIT
    | {"probes", "training", "organisms", "study", "runs", "studies", "validation", "audit", "report"}
    | {"calibration", "confidence"}
    | {"doctor", "catalogue"},
}
HEAVY = {"torch", "transformers", "scipy", "sklearn", "altair", "duckdb", "datasets", "peft", "matplotlib"}


def part(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return sorted(p for p in SOURCE.rglob("*.py") if p.parent != SOURCE or p.name != "__init__.py")


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Full names of what a file imports; imports under TYPE_CHECKING count as imports of the part too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_part_imports_only_what_it_may_know(path):
    allowed = MAY_IMPORT[part(path)] | {part(path)}
    known = {name.split(".")[1] for name in imports(path) if name.startswith("doxa.")}
    outside = known - allowed - {"__version__"}
    assert not outside, f"{path.relative_to(SOURCE)} imports {sorted(outside)}; {part(path)} may know {sorted(allowed)}"


def test_no_study_imports_another():
    for path in (SOURCE / "studies").glob("*.py"):
        others = {name for name in imports(path) if name.startswith("doxa.studies.")}
        assert not others, f"{path.name} imports {sorted(others)}: what two studies need moves into a part"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_heavy_packages_are_imported_where_they_are_used(path):
    heavy = {name.split(".")[0] for name in imports(path, top_level_only=True)} & HEAVY
    local = path.parent.name == "models" and path.name.startswith("local_")
    assert not heavy or local, f"{path.relative_to(SOURCE)} imports {sorted(heavy)} when it is imported itself"
