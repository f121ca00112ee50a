"""No modules of the package import each other at module level."""

import ast
import graphlib
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "kerasgan"


def module_names(root):
    """Maps the dotted name of each module below a package to its file."""
    names = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        names[".".join(parts).removesuffix(".__init__")] = path
    return names


def module_level_nodes(tree):
    """Yields all nodes that run on import: not those in functions or TYPE_CHECKING."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
            continue
        yield node
        pending += ast.iter_child_nodes(node)


def imported_modules(source, names):
    """Returns those of the named modules that a module imports at module level."""
    imported = set()
    for node in module_level_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                imported.add(submodule if submodule in names else node.module)
    return imported & set(names)


def find_cycle(sources):
    """Returns the modules of an import cycle, the first one twice, or None."""
    graph = {
        name: imported_modules(source, sources) for name, source in sources.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]


def test_cycles_are_found():
    sources = {"a": "", "a.b": "from a import c", "a.c": "import a.d"}
    assert find_cycle(sources | {"a.d": "from a import VERSION"}) is None
    in_function = "def f():\n    from a.b import x"
    assert find_cycle(sources | {"a.d": in_function}) is None
    for_types = "if TYPE_CHECKING:\n    from a.b import x"
    assert find_cycle(sources | {"a.d": for_types}) is None
    in_class = "class C:\n    from a.b import x"
    for code in ("from a.b import x", "from a import b", "import a.b", in_class):
        cycle = find_cycle(sources | {"a.d": code})
        assert cycle[0] == cycle[-1] and set(cycle) == {"a.b", "a.c", "a.d"}


def test_the_package_has_no_import_cycles():
    files = module_names(PACKAGE)
    assert {"kerasgan", "kerasgan.data", "kerasgan.data.pipeline"} <= set(files)
    sources = {name: path.read_text("utf-8") for name, path in files.items()}
    cycle = find_cycle(sources)
    assert cycle is None, " imports ".join(reversed(cycle))
