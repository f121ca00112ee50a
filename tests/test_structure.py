"""Rules that hold for the whole package."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "kerasgan"
LEVELS = [  # each imports from itself and from lower ones only
    {"cli", "__init__", "__main__", "callbacks"},
    {"serve"},
    {"report", "export", "search"},
    {"evaluation"},
    {"serialization"},
    {"inference"},
    {"classification"},
    {"captioning"},
    {"gan"},
    {"training"},
    {"encoders"},
    {"data", "layers"},
    {"runs"},
    {"files", "papers", "progress", "quiet"},
    {"config"},
    {"errors"},
]
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = sorted(
    path
    for folder in ("kerasgan", "tests", "tools", "docs/guides")
    for path in (PACKAGE.parent / folder).rglob("*.py")
)


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
    importer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports(path):
        package, _, rest = name.partition(".")
        imported = rest.split(".")[0]
        if package == "kerasgan" and imported != importer and importer != "__main__":
            assert imported in LEVEL_OF, f"{imported} is not in LEVELS"
            assert LEVEL_OF[imported] > LEVEL_OF[importer], f"{importer} imports {name}"


def test_commands_escape_the_json_that_they_print():
    for path in (PACKAGE / "cli").glob("*.py"):  # json_line does
        assert "ensure_ascii=False" not in path.read_text(encoding="utf-8")


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
    [
        *("", "load-data", "train-gan", "save-imgs", "caption", "classify", "evaluate"),
        *("index", "search", "categorize", "categorise", "review", "report", "export"),
        "serve",
    ],
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


@pytest.mark.parametrize(
    "module", ["encoders.efficientnet_lite", "layers.text_vectorization", "gan.losses"]
)
def test_a_module_can_be_the_first_that_is_imported(module):
    """It imports Keras, which makes the package import its other modules."""
    fresh(f"import kerasgan.{module}")


def test_importing_the_package_registers_all_layers():
    """A saved model is loaded by users who import nothing else."""
    registering = [path for path in MODULES if "\n@register" in path.read_text("utf-8")]
    names = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in registering
    }
    assert "kerasgan.layers.ngram_logits" in names
    for order in ("keras, kerasgan", "kerasgan, keras"):
        code = f"import sys, {order}\nprint({names!r} - set(sys.modules))"
        assert fresh(code) == "set()\n"


def test_public_names_exist():
    import kerasgan

    for name in kerasgan.__all__:
        assert inspect.ismodule(getattr(kerasgan, name)) or callable(
            getattr(kerasgan, name)
        )
    with pytest.raises(AttributeError, match="attribute nothing"):
        _ = kerasgan.nothing


# Code --------------------------------------------------------------------------

MAX_FILE_LINES, MAX_FUNCTION_LINES = 300, 60
# Keras, scikit-learn and Python define the types of these.
OVERRIDES = {
    *("build", "call", "compute_loss", "compute_mask", "compute_output_shape"),
    *("compute_output_spec", "from_config", "get_compile_config", "get_config"),
    *("compile_from_config", "load_own_variables", "save_own_variables", "train_step"),
    *("get_command", "invoke", "list_commands", "format_commands", "render"),
}
OLD_WORDS = {  # of 0.1; in no name, alone or joined to others
    *("eye", "forger", "judge", "game", "matcher", "looks", "told", "heard", "voices"),
    *("picture", "pictures", "trust", "answerer", "said", "spoken", "held", "pace"),
}
STANDARD_TERMS = ("held_out",)  # which contain such words


def functions(path):
    """`(class name or None, function)` of a module, nested functions left out."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            yield None, node
        elif isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
            yield from ((node.name, method) for method in methods)


def public_functions(path):
    for owner, function in functions(path):
        name = function.name
        overrides = name in OVERRIDES or name.startswith("on_")
        if not (name.startswith("_") or overrides or (owner or "").startswith("_")):
            yield function


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_files_and_functions_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    for _, function in functions(path):
        length = function.end_lineno - function.lineno + 1
        assert length <= MAX_FUNCTION_LINES, f"{function.name} has {length} lines"


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_public_functions_have_types_and_docstrings(path):
    for function in public_functions(path):
        assert ast.get_docstring(function), f"{function.name} has no docstring"
        if path.parts[-2] == "cli" and function.name == "command":
            continue  # click defines the types of its options
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        named += [a for a in (arguments.vararg, arguments.kwarg) if a]
        untyped = [
            argument.arg
            for argument in named
            if argument.annotation is None and argument.arg not in ("self", "cls")
        ]
        assert not untyped, f"{function.name} has no types for {untyped}"
        assert function.returns is not None, f"{function.name} has no return type"


def old_words(tree):
    """Returns the names of a syntax tree that contain old words."""
    names, declared = set(), set()
    for node in ast.walk(tree):
        names |= {getattr(node, key, None) for key in ("id", "arg", "name", "asname")}
        declared |= {getattr(node, key, None) for key in ("arg", "name")}
    names = {name for name in names if isinstance(name, str)}
    found = {name for name in names if split_name(name) & OLD_WORDS}
    # As a local variable, `parts` is an ordinary word.
    return found | {name for name in names if "stand_in" in name} | declared & {"parts"}


def split_name(name):
    """Splits a snake_case or CamelCase name into a set of lowercase words."""
    for term in STANDARD_TERMS:
        name = name.replace(term, "")
    return set(re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE.parent))
)
def test_names_are_standard_terms(path):
    assert not old_words(ast.parse(path.read_text(encoding="utf-8")))


def test_old_words_are_found():
    code = (
        "judge_still = average_pool(held_out, PictureSize)\ndef f(parts, stand_in): 0"
    )
    found = {"judge_still", "PictureSize", "parts", "stand_in"}
    assert old_words(ast.parse(code)) == found
