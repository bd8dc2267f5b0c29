"""The house: a module imports only from floors below its own."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "ragbots"

FLOORS = {
    "types": 0, "errors": 0, "environment": 0, "text": 0, "schedule": 0,
    "ports": 1, "config": 1,
    "regulation": 2, "chunking": 2, "lexical": 2, "ranking": 2, "routing": 2, "citations": 2,
    "confidence": 2, "reading": 2, "followup": 2, "smalltalk": 2, "clauses": 2, "access": 2, "inventory": 2,
    "asking": 2, "references": 2, "editions": 2, "asked_day": 2, "comparison": 2, "clearance": 2, "privacy": 2,
    "figures": 2, "verification": 2, "markup": 2, "gate": 0, "outgoing": 2,
    "loaders": 3, "embedders": 3, "stores": 3, "llms": 3, "state": 3, "auth": 3, "metrics": 3, "notify": 3, "rights": 3,
    "limiting": 3, "redaction": 3,
    "indexing": 4, "retrieval": 4,
    "answering": 5,
    "evaluation": 6, "releases": 6, "models": 6, "writing": 6, "memory": 6, "rebuilding": 6,
    "runtime": 7,
    "shapes": 8, "api": 8, "channels": 8, "widget": 8, "cli": 8,
}  # fmt: skip

# Doors share the shapes of what they deliver, the server has the messengers' endpoints and hands out the widget, and
# the command line starts it.
WITHIN_A_FLOOR = {
    ("auth", "state"),  # where users, keys and sessions are kept
    ("api", "shapes"), ("api", "channels"), ("api", "widget"),
    ("cli", "shapes"), ("cli", "api"), ("cli", "channels"),
}  # fmt: skip
# Inside floors 0, 2 and 3 a module may use a pure one that is not built on others.
WITHIN_PURE_STEPS = {
    ("environment", "errors"),
    ("verification", "figures"), ("verification", "regulation"),
    ("chunking", "regulation"), ("routing", "ranking"), ("reading", "ranking"),
    ("ranking", "regulation"), ("citations", "regulation"),
    ("followup", "smalltalk"), ("references", "regulation"),
    ("editions", "regulation"), ("editions", "references"), ("asked_day", "regulation"),
    ("comparison", "regulation"), ("comparison", "editions"),
}  # fmt: skip


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def unit_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_units(path: Path) -> set[str]:
    """Units of ragbots imported anywhere in a file, lazy and type-only imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [node.module or ""]
            if node.module == "ragbots":
                names = [f"ragbots.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("ragbots.")}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    unit = unit_of(path)
    if unit == "__init__":
        assert not imported_units(path)
        return
    for other in imported_units(path) - {unit}:
        if (unit, other) in WITHIN_A_FLOOR | WITHIN_PURE_STEPS:
            continue
        assert FLOORS[other] < FLOORS[unit], f"{path}: {unit} (floor {FLOORS[unit]}) imports {other} ({FLOORS[other]})"


def test_every_unit_has_its_floor() -> None:
    units = {unit_of(path) for path in modules()} - {"__init__"}
    assert units <= set(FLOORS), f"not in the house: {sorted(units - set(FLOORS))}"


def test_there_are_no_cycles_inside_a_unit() -> None:
    """Modules of one unit form a tree too: imports among them never come back."""
    graph: dict[str, set[str]] = {}
    for path in modules():
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = {target for target in _full_imports(path) if target != name}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a cycle: {' → '.join((*above, name))}"
        if name in done or name not in graph:
            return
        for target in graph[name]:
            visit(target, (*above, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def _full_imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ragbots"):
            package = SOURCE.parent.joinpath(*node.module.split("."))
            for alias in node.names:
                inside = package / alias.name
                is_module = inside.with_suffix(".py").is_file() or inside.is_dir()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
    return found
