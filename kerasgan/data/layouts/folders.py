"""Finds annotation files and folders of images below a directory."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from kerasgan.errors import UserError

DEEPEST = 3  # folders below the source that are looked into
PROBES = 50  # images that are looked for in each folder


def walk(source: Path) -> list[tuple[Path, list[str]]]:
    """(folder, names of its files), shallowest first, then by name."""
    found = []
    for folder, folders, files in os.walk(source):
        depth = len(Path(folder).relative_to(source).parts)
        if depth >= DEEPEST:
            folders.clear()
        found.append((depth, Path(folder), files))
    found.sort(key=lambda entry: entry[:2])
    return [(folder, files) for _, folder, files in found]


def find_file(folders: list[tuple[Path, list[str]]], matches) -> Path | None:
    """The shallowest file whose name `matches`."""
    for folder, files in folders:
        for name in sorted(files):
            if matches(name):
                return folder / name
    return None


def find_images(names: Iterable[str], image_root: str | None, source: Path) -> Path:
    """The folder that holds the images: `image_root`, or the likeliest one.

    The likeliest has most of the first 50 names; of equals the shallowest.
    """
    if image_root is not None:
        return existing_folder(image_root)
    folder = source if source.is_dir() else source.parent
    probes = [name for name in names if PurePosixPath(name).name == name][:PROBES]
    candidates = [candidate for candidate, _ in walk(folder)]
    hits = [sum((c / name).is_file() for name in probes) for c in candidates]
    if probes and max(hits) == 0:
        zips = find_file(walk(folder), lambda name: name.endswith(".zip"))
        hint = f" {zips} may hold them: unpack it first." if zips else ""
        raise UserError(
            f"None of the images ({', '.join(probes[:3])} …) lies in {folder} or in "
            f"a folder up to {DEEPEST} levels below it.{hint} Name their folder with "
            "--image-root DIR."
        )
    return candidates[hits.index(max(hits))].resolve()


def existing_folder(image_root: str) -> Path:
    """The folder, resolved; UserError if it is none."""
    root = Path(image_root).expanduser().resolve()
    if not root.is_dir():
        raise UserError(f"--image-root {root} is not a directory")
    return root
