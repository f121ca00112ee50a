"""Sphinx: the pages of docs/ and an API reference from the docstrings."""

import importlib.metadata
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1]))

project = "kerasgan"
release = importlib.metadata.version("kerasgan")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["guides/*.py"]
myst_heading_anchors = 3
# Links to files of the repository, such as configs, lead out of these pages.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "show-inheritance": False}
# Single backticks are code, as in Markdown.
default_role = "code"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True


def convert_fences(app, what, name, obj, options, lines):
    """Turns the Markdown fences of docstrings into code blocks."""
    converted, indent = [], None
    for line in lines:
        text = line.strip()
        if text.startswith("```"):
            is_start = indent is None
            indent = line[: len(line) - len(line.lstrip())] if is_start else None
            converted += [f"{indent}.. code-block:: python", ""] if is_start else [""]
        else:
            converted.append(line if indent is None else f"    {line}")
    lines[:] = converted


def setup(app):
    # Before napoleon, whose priority is the default of 500.
    app.connect("autodoc-process-docstring", convert_fences, priority=400)
