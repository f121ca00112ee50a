"""The software that a run was trained with."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("kerasgan", "tensorflow", "keras", "tensorflow-datasets", "numpy")


def package_versions() -> dict[str, str | None]:
    """Returns the versions of Python and of the main packages."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def git_commit() -> str | None:
    """Returns the commit of the clone that the package runs from, if it is in one."""
    here = Path(__file__).resolve().parents[1]
    if not (here.parent / ".git").exists():
        return None
    command = ["git", "-C", str(here), "rev-parse", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return result.stdout.strip() or None


def compatibility_error(stored: dict[str, str | None]) -> str | None:
    """Says why a run of other versions cannot be used.

    Args:
        stored: `versions` of a run's options.json.

    Returns:
        A message if major and minor version of kerasgan differ, otherwise None.
    """
    current = package_versions()["kerasgan"]
    found = stored.get("kerasgan")
    if current is None or found is None or _series(found) == _series(current):
        return None
    return (
        f"was written by kerasgan {found}; this is kerasgan {current}, which cannot"
        f" read or continue it. Install kerasgan {found}, or train anew."
    )


def _series(text):
    return str(text).split(".")[:2]
