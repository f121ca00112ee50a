"""Rules of the house that no single module can keep."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kerasgan"
LEVELS = [
    {"cli", "__init__", "__main__"},
    {"report", "export"},
    {"evaluation"},
    {"serialization"},
    {"inference"},
    {"captioning", "classification"},
    {"gan"},
    {"training"},
    {"encoders"},
    {"data", "layers"},
    {"runs"},
    {"files", "papers", "progress", "quiet"},
    {"config"},
    {"errors"},
]
HEIGHT = {room: -level for level, rooms in enumerate(LEVELS) for room in rooms}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by a relative name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_down(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports(path):
        package, _, rest = name.partition(".")
        imported = rest.split(".")[0]
        if package == "kerasgan" and imported != room:
            assert imported in HEIGHT, f"{room} imports {name}, of no known room"
            assert HEIGHT[imported] < HEIGHT[room], f"{room} imports {name}"


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_only_public_keras(path):
    assert not any(name.startswith("keras.src") for name in imports(path))


def fresh(code):
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    "command",
    ["", "load-data", "train-gan", "save-imgs", "caption", "classify", "export"],
)
def test_help_imports_nothing_heavy(command):
    heavy = {"tensorflow", "keras", "tensorflow_datasets", "pandas"}
    if command != "load-data":  # whose help shows DataConfig's defaults
        heavy.add("pydantic")
    code = (
        "import sys\nfrom kerasgan.cli import main\n"
        f"try: main({[*command.split(), '--help']!r})\n"
        "except SystemExit: pass\n"
        f"found = {heavy} & set(sys.modules)\nassert not found, found"
    )
    assert "Usage:" in fresh(code)


def test_importing_models_registers_all_layers():
    """A saved network is loaded by those who import nothing else."""
    holders = [path for path in MODULES if "\n@register\n" in path.read_text("utf-8")]
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in holders
    ]
    assert "kerasgan.layers.ngram_logits" in names
    code = f"import sys, keras, kerasgan\nprint({set(names)!r} - set(sys.modules))"
    assert fresh(code) == "set()\n"


def test_public_names_are_there():
    import kerasgan

    for name in kerasgan.__all__:
        assert callable(getattr(kerasgan, name))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        kerasgan.nothing
