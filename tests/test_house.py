"""Rules of the house that no single module can keep."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kerasgan"
LEVELS = [
    {"cli"},
    {"report", "export", "evaluation"},
    {"training"},
    {"data", "models"},
    {"runs", "grids", "recipes", "papers"},
    {"config", "errors"},
]
HEIGHT = {room: -level for level, rooms in enumerate(LEVELS) for room in rooms}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_down(path):
    room = path.relative_to(PACKAGE).parts[0]
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "kerasgan" or len(parts) == 1 or parts[1] == room:
            continue
        assert HEIGHT[parts[1]] < HEIGHT[room], f"{room} imports {name}"


@pytest.mark.parametrize(
    "path",
    sorted(PACKAGE.rglob("*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_only_public_keras(path):
    assert not any(name.startswith("keras.src") for name in imports(path))


def fresh(code):
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("command", ["", "load-data", "train-gan", "save-imgs"])
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys\nfrom kerasgan.cli import main\n"
        f"try: main({[*command.split(), '--help']!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'tensorflow_datasets', 'pandas', 'pydantic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    assert "Usage:" in fresh(code)


def test_public_names_are_there():
    import kerasgan

    for name in kerasgan.__all__:
        assert callable(getattr(kerasgan, name))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        kerasgan.nothing
