"""Sdist and wheel, built by one command and used outside the repository."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECIPES = sorted(path.name for path in (ROOT / "configs").glob("*.yaml"))


def run(*command, cwd, **env):
    result = subprocess.run(
        command, cwd=cwd, env=os.environ | env, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The directory with sdist and wheel; the wheel is built from the sdist."""
    path = tmp_path_factory.mktemp("dist")
    build = sys.executable, "-m", "build", "--no-isolation", "--outdir", str(path)
    run(*build, str(ROOT), cwd=path)
    return path


def test_the_sdist_has_recipes_and_license(dist):
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as file:
        names = [name.partition("/")[2] for name in file.getnames()]
    assert {"README.md", "LICENSE", *(f"configs/{name}" for name in RECIPES)} <= {
        *names
    }


def test_the_wheel_works_in_an_empty_directory(dist, tmp_path):
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
    templates = {"search/page.html.jinja", "report/templates/report.html"}
    files = {"py.typed", "__init__.pyi", *templates}
    assert {f"kerasgan/{name}" for name in files} <= set(names)
    assert not any(name.startswith(("tests/", "tools/")) for name in names)
    site = tmp_path / "site"
    pip = sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"
    run(*pip, "--target", str(site), str(path), cwd=tmp_path)
    python, empty = [sys.executable], tmp_path / "empty"
    empty.mkdir()

    def call(*arguments):
        return run(*python, *arguments, cwd=empty, PYTHONPATH=str(site))

    assert str(site) in call("-c", "import kerasgan; print(kerasgan.__file__)")
    kerasgan = "-m", "kerasgan", "train-gan"
    listed = call(*kerasgan, "--list-configs")
    assert all(
        name.removesuffix(".yaml") in listed for name in RECIPES if "gan" in name
    )
    output = call(*kerasgan, "--dry-run", "--config", "flickr30k-gan-paper")
    assert "sample: paper" in output and "Total params" in output
    assert not list(empty.iterdir())
